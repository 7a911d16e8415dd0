//! How things stand at the cursor: context, open calls, files, agents, money.

use leptos::prelude::*;
use orrery_views::format;
use orrery_views::replay::{Replay, State};

use super::super::load::Session;
use super::super::step::tool_name;
use super::player::Player;
use crate::components::{Bar, Clock, Icon, tool_icon};

/// Rows of a list; more are counted.
const MOST_ROWS: usize = 12;

#[component]
pub fn CursorState(session: Session, player: Player) -> impl IntoView {
    let state = Memo::new(move |_| player.state());
    let window = Memo::new(move |_| session.row.with(|row| row.as_ref().and_then(|row| row.context_window)));
    let head = move || {
        let (at, count) = (player.at.get() + 1, player.follow(Replay::len));
        let at_ms = state.with(|state| state.at_ms);
        view! {
            <Clock at_ms/>
            {format!(", event {} of {}", format::count(at as u64), format::count(count as u64))}
        }
    };
    view! {
        <aside class="side" tabindex="0" aria-label="State at the cursor">
            <div class="head"><h2>"At the cursor"</h2><span class="push muted small">{head}</span></div>
            {move || state.with(sums)}
            {move || state.with(|state| context(state, window.get()))}
            {move || state.with(|state| player.with(|replay| open(state, replay, player)))}
            {move || state.with(|state| player.with(|replay| files(state, replay, player, session)))}
            {move || state.with(|state| player.with(|replay| agents(state, replay, session)))}
        </aside>
    }
}

fn sums(state: &State) -> impl IntoView + use<> {
    let unpriced = (state.unpriced > 0).then(|| format!(", {} without a price", state.unpriced));
    let failed =
        (state.failed > 0).then(|| view! { <span class="danger">{format!(", {} failed", state.failed)}</span> });
    view! {
        <section>
            <dl class="kv side__sums">
                <dt>"Cost so far"</dt>
                <dd><b class="num" title=format::money_exact(state.cost_usd_micros)>{format::money(state.cost_usd_micros)}</b><span class="muted">{unpriced}</span></dd>
                <dt>"Tokens"</dt>
                <dd class="num">{format::tokens(state.tokens)}<span class="muted">{format!(" in {}", format::plural(u64::from(state.requests), "request"))}</span></dd>
                <dt>"Turn"</dt>
                <dd class="num">{state.turn}<span class="muted">{state.turn_started_ms.map(|start| format!(", for {}", format::elapsed_ms(state.at_ms - start)))}</span></dd>
                <dt>"Tool calls"</dt>
                <dd><span class="num">{format::count(u64::from(state.tools))}</span>{failed}</dd>
                <dt>"Lines"</dt>
                <dd class="plusminus"><b>{format!("+{}", state.added)}</b>" "<i>{format!("\u{2212}{}", state.removed)}</i></dd>
            </dl>
        </section>
    }
}

fn context(state: &State, window: Option<u64>) -> impl IntoView + use<> {
    let used = state.context?;
    let share = window.filter(|window| *window > 0).map(|window| used as f64 / window as f64);
    let of = window.map(|window| format!(" of {}", format::tokens(window)));
    let compacted = (state.compactions > 0).then(|| format!("compacted {}", times(state.compactions)));
    Some(view! {
        <section>
            <h3>"Context"<span class="push small num">{format::tokens(used)}<span class="muted">{of}</span></span></h3>
            {share.map(|share| view! { <Bar share=Signal::stored(share) label=Signal::stored(format!("{:.0} % of the context", share * 100.0)) near=0.8/> })}
            {compacted.map(|words| view! { <p class="small muted">{words}</p> })}
        </section>
    })
}

fn times(count: u32) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

fn open(state: &State, replay: &Replay, player: Player) -> impl IntoView + use<> {
    let now_ms = state.at_ms;
    let rows = state
        .open
        .iter()
        .take(MOST_ROWS)
        .map(|call| {
            let target = replay.word(call.target).to_owned();
            let (name, seq) = (tool_name(replay.word(call.tool)), call.seq);
            let tone = if call.waits { "attention" } else { "muted" };
            let icon = if call.waits { "i-permit" } else { tool_icon(call.class) };
            view! {
                <li>
                    <button type="button" class="side__row" on:click=move |_| go_to(player, seq)>
                        <span class=tone><Icon name=icon/></span>
                        <span>{name}</span>
                        <span class="code clip faint grow" title=target.clone()>{target.clone()}</span>
                        <span class="num muted">{format::elapsed_ms(now_ms - call.since_ms)}</span>
                    </button>
                </li>
            }
        })
        .collect_view();
    let more = state.open.len().saturating_sub(MOST_ROWS);
    view! {
        <section>
            <h3>"Runs now"<span class="push num faint">{state.open.len()}</span></h3>
            <ul class="side__list">{rows}</ul>
            {(more > 0).then(|| view! { <p class="small faint">{format!("and {more} more")}</p> })}
            {state.open.is_empty().then(|| view! { <p class="small faint">"No call is open"</p> })}
        </section>
    }
}

fn go_to(player: Player, seq: i64) {
    if let Some(at) = player.with(|replay| replay.position_of(seq)) {
        player.go(at);
    }
}

fn files(state: &State, replay: &Replay, player: Player, session: Session) -> impl IntoView + use<> {
    let mut touched: Vec<_> = state.files.iter().map(|(word, file)| (*word, *file)).collect();
    touched.sort_by_key(|(_, file)| std::cmp::Reverse(file.seq));
    let newest = touched.first().map(|(_, file)| file.seq);
    let is_now = player.seq().is_some_and(|seq| Some(seq) == newest);
    let cwd = session.row.with_untracked(|row| row.as_ref().and_then(|row| row.cwd.clone())).unwrap_or_default();
    let count = touched.len();
    let rows = touched
        .into_iter()
        .take(MOST_ROWS)
        .map(|(word, file)| {
            let path = replay.word(word);
            let short = path.strip_prefix(cwd.as_str()).map_or(path, |rest| rest.trim_start_matches('/'));
            let (folder, name) = short.rsplit_once('/').map_or(("", short), |(folder, name)| (folder, name));
            let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
            let name = name.to_owned();
            let seq = file.seq;
            view! {
                <li>
                    <button type="button" class="side__row" class:side__row--on=is_now && Some(seq) == newest title=path.to_owned() on:click=move |_| go_to(player, seq)>
                        <span class="code clip grow"><span class="faint">{folder}</span>{name}</span>
                        <span class="plusminus"><b>{format!("+{}", file.added)}</b>" "<i>{format!("\u{2212}{}", file.removed)}</i></span>
                    </button>
                </li>
            }
        })
        .collect_view();
    let more = count.saturating_sub(MOST_ROWS);
    view! {
        <section>
            <h3>"Files touched"<span class="push num faint">{count}</span></h3>
            <ul class="side__list">{rows}</ul>
            {(more > 0).then(|| view! { <p class="small faint">{format!("and {more} more, touched earlier")}</p> })}
            {(count == 0).then(|| view! { <p class="small faint">"None so far"</p> })}
        </section>
    }
}

fn agents(state: &State, replay: &Replay, session: Session) -> impl IntoView + use<> {
    let model = session.row.with_untracked(|row| row.as_ref().and_then(|row| row.model.clone())).unwrap_or_default();
    let started = state.lanes.iter().enumerate().filter(|(at, lane)| *at == 0 || lane.started_ms.is_some());
    let rows = started
        .map(|(at, lane)| {
            let named = replay.lanes().get(at).map(|lane| lane.kind.clone()).unwrap_or_default();
            let (name, about) = match at {
                0 => ("Main".to_owned(), crate::pages::sessions::short_model(&model)),
                _ => {
                    let name = if named.is_empty() { "Subagent".to_owned() } else { named };
                    (name, format::plural(u64::from(lane.tools), "tool"))
                }
            };
            let (glyph, word, tone) = match (lane.over, lane.failed > 0 && lane.over) {
                (false, _) => ("#g-run", "at work", ""),
                (true, true) => ("#g-done", "ended, with failures", "danger"),
                (true, false) => ("#g-done", "ended", "muted"),
            };
            view! {
                <li class:tree__in=at != 0>
                    <span class=format!("state {tone}") title=word><svg class="glyph" role="img" aria-label=word><use href=glyph></use></svg></span>
                    <span class:medium=at == 0>{name}</span>
                    <span class="faint clip grow">{about}</span>
                    <span class="num">{format::money(lane.cost_usd_micros)}</span>
                </li>
            }
        })
        .collect_view();
    let alive = state.alive();
    let words = if alive > 0 { format!("{alive} subagents at work") } else { String::new() };
    view! {
        <section>
            <h3>"Agents"<span class="push small faint">{words}</span></h3>
            <ul class="tree">{rows}</ul>
        </section>
    }
}
