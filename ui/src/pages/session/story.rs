//! The story: turns with their sums, and the steps of those that are open.

use std::sync::Arc;

use leptos::prelude::*;
use orrery_types::UsageQuery;
use orrery_views::format;
use orrery_views::story::{Step, Turn, What};

use super::load::{Load, Piece, Session};
use super::place::Place;
use super::step::{StepRow, stamp};
use crate::components::{Clock, Icon};
use crate::frame::{BillLink, Billed};

/// Steps of one turn drawn at once.
const MOST_STEPS: usize = 300;

#[component]
pub fn StoryTab(session: Session, place: Place) -> impl IntoView {
    // A start and nothing else needs no turn of its own.
    let is_bare = |turn: &Turn| {
        turn.prompt.is_none() && turn.steps.iter().all(|step| matches!(step.what, What::Session { over: false, .. }))
    };
    let turns = move || {
        session.with_story(|story| {
            let turns = story.turns();
            let all = turns.iter().enumerate().filter(|(at, turn)| !(is_bare(turn) && at + 1 < turns.len()));
            all.map(|(at, turn)| (at, turn.index)).collect::<Vec<_>>()
        })
    };
    let has_costs =
        Memo::new(move |_| session.usage.with(|usage| usage.iter().any(|row| row.cost_usd_micros.is_some())));
    let is_empty = Memo::new(move |_| session.with_story(|story| story.turns().is_empty()));
    view! {
        {move || session.piece.get().map(|piece| piece_note(session, piece, false))}
        <ol class="story" class:story--costs=move || has_costs.get() aria-label="Story">
            <For each=turns key=|turn| *turn children=move |(at, _)| view! { <TurnRows session place at/> }/>
        </ol>
        {move || session.piece.get().filter(|piece| !piece.at_end).map(|piece| piece_note(session, piece, true))}
        {move || is_empty.get().then(|| empty(session))}
    }
}

/// Says that a long session is shown in pieces, and leads to the next one.
fn piece_note(session: Session, piece: Piece, forward: bool) -> impl IntoView {
    let shown = session.with_story_untracked(|story| story.events().len() as u64);
    let all = session.row.get_untracked().map_or(0, |row| row.events);
    let words = format!("{} of {} events are here", format::count(shown), format::count(all));
    let label = if forward { "Read later events" } else { "Read earlier events" };
    view! {
        <div class="row story__piece small muted">
            <span>{words}</span>
            <button type="button" class="btn btn--small" on:click=move |_| session.read_neighbor(forward)>{label}</button>
            {(!forward && !piece.at_end).then(|| view! {
                <button type="button" class="btn btn--small btn--plain" on:click=move |_| session.read_piece(None)>"Newest events"</button>
            })}
        </div>
    }
}

fn empty(session: Session) -> AnyView {
    match session.load.get() {
        Load::Loading(_) => {
            let row = || view! { <div class="ghost__row"><i></i><i></i><i></i></div> };
            view! { <div class="ghost" role="status" aria-label="Reading the story">{(0..10).map(|_| row()).collect_view()}</div> }.into_any()
        }
        Load::Done => view! {
            <div class="empty">
                <Icon name="i-thought"/>
                <h2>"Nothing has happened yet"</h2>
                <p>"Only totals of this session are known. Its events appear here as they come"</p>
            </div>
        }
        .into_any(),
        Load::Failed(error) => view! {
            <div class="empty" role="alert">
                <Icon name="i-offline"/>
                <h2>{error.title}</h2>
                <p>{error.hint}</p>
                <button type="button" class="btn" on:click=move |_| session.reload()>"Try again"</button>
            </div>
        }
        .into_any(),
    }
}

/// The line of a turn, and its steps while it is open.
#[component]
fn TurnRows(session: Session, place: Place, at: usize) -> impl IntoView {
    let turn = Memo::new(move |before: Option<&Option<Turn>>| session.turn(at).or_else(|| before.cloned().flatten()));
    let head = Memo::new(move |_| turn.with(|turn| turn.as_ref().map(Line::of)));
    let index = head.get_untracked().map_or(0, |head| head.index);
    let is_open = Memo::new(move |_| place.is_turn_open(index));
    let span = Memo::new(move |_| {
        let start = turn.with(|turn| turn.as_ref().map(|turn| turn.started_ms))?;
        let end = session.with_story(|story| story.turns().get(at + 1).map_or(i64::MAX, |next| next.started_ms));
        Some((start, end))
    });
    let cost = Memo::new(move |_| {
        let (start, end) = span.get()?;
        session.usage.with(|usage| {
            let rows = usage.iter().filter(|row| (start..end).contains(&row.request.at_ms));
            let known: Vec<i64> = rows.filter_map(|row| row.cost_usd_micros).collect();
            (!known.is_empty()).then(|| known.iter().sum::<i64>())
        })
    });
    let limit = RwSignal::new(MOST_STEPS);
    let steps = move || turn.with(|turn| turn.as_ref().map(|turn| shown(turn, limit.get())).unwrap_or_default());
    let surplus = Memo::new(move |_| {
        turn.with(|turn| turn.as_ref().map_or(0, |turn| turn.steps.len())).saturating_sub(limit.get())
    });
    let head_view = move || head.get().map(|head| head.view(place, is_open, cost));
    let billed = Signal::derive(move || {
        let (start, end) = span.get().unwrap_or_default();
        let query = UsageQuery {
            session: Some(session.id.get_value()),
            from_ms: Some(start),
            to_ms: (end < i64::MAX).then_some(end),
            ..UsageQuery::default()
        };
        Billed { query, name: format!("Cost of {}", turn_name(index).to_lowercase()) }
    });
    let bill = move || {
        cost.get().map(|cost| {
            let class = "num turnline__cost turnline__bill";
            view! { <BillLink billed text=format::money(cost) title=format::money_exact(cost) class/> }
        })
    };
    view! {
        <li class="turn-rows" data-turn=index>
            <div class="turnhead">{head_view}{bill}</div>
            <Show when=move || is_open.get()>
                {move || head.get().and_then(|head| head.prompt_view())}
                <Show when=move || surplus.get() != 0>
                    <button type="button" class="more story__more" on:click=move |_| limit.update(|limit| *limit += MOST_STEPS)>
                        {move || format!("Show {} earlier steps", surplus.get().min(MOST_STEPS))}
                    </button>
                </Show>
                <ol class="steps">
                    <For
                        each=steps
                        key=|step| stamp(step)
                        children=move |step| view! { <StepRow session place step depth=0/> }
                    />
                </ol>
            </Show>
        </li>
    }
}

fn turn_name(index: u32) -> String {
    if index == 0 { "Before the first prompt".to_owned() } else { format!("Turn {index}") }
}

/// The newest `limit` steps that have a row of their own.
fn shown(turn: &Turn, limit: usize) -> Vec<Arc<Step>> {
    let from = turn.steps.len().saturating_sub(limit);
    turn.steps[from..]
        .iter()
        .filter(|step| !matches!(step.what, What::Subagent { claimed: true, .. }))
        .cloned()
        .collect()
}

/// What the line of a turn says.
#[derive(Debug, Clone, PartialEq)]
struct Line {
    index: u32,
    prompt: Option<String>,
    prompt_seq: Option<i64>,
    started_ms: i64,
    took_ms: i64,
    tools: u32,
    failed: u32,
    added: u32,
    removed: u32,
}

impl Line {
    fn of(turn: &Turn) -> Line {
        Line {
            index: turn.index,
            prompt: turn.prompt.clone(),
            prompt_seq: turn.prompt_seq,
            started_ms: turn.started_ms,
            took_ms: turn.took_ms(),
            tools: turn.tools,
            failed: turn.failed,
            added: turn.lines_added,
            removed: turn.lines_removed,
        }
    }

    fn view(self, place: Place, is_open: Memo<bool>, cost: Memo<Option<i64>>) -> impl IntoView {
        let index = self.index;
        let name = match (place.is_piece(), index) {
            (true, 0) => "Turn that began earlier".to_owned(),
            // Numbers are those of the whole session only where all of it was read.
            (true, _) => "Turn".to_owned(),
            (false, _) => turn_name(index),
        };
        let prompt = self.prompt.as_deref().map(first_line).unwrap_or_default();
        let started_ms = self.started_ms;
        let failed = self.failed;
        let tools = (self.tools > 0).then(|| format::plural(u64::from(self.tools), "tool"));
        let failed = (failed > 0).then(|| view! { <span class="danger">{format!(", {failed} failed")}</span> });
        let lines = (self.added + self.removed > 0).then(|| {
            view! { <span class="plusminus"><b>{format!("+{}", self.added)}</b>" "<i>{format!("\u{2212}{}", self.removed)}</i></span> }
        });
        view! {
            <button
                type="button"
                class="turnline line"
                id=format!("turn-{index}")
                aria-expanded=move || is_open.get().to_string()
                on:click=move |_| place.set_turn(index, !is_open.get_untracked())
            >
                <Icon name=Signal::derive(move || if is_open.get() { "i-down" } else { "i-right" }) small=true class="faint"/>
                <b class="medium">{name}</b>
                <span class="clip muted grow turnline__say">
                    {move || if is_open.get() { view! { "started "<Clock at_ms=started_ms/> }.into_any() } else { prompt.clone().into_any() }}
                </span>
                <span class="small muted turnline__tools">{tools}{failed}</span>
                {lines}
                <span class="num muted w72">{format::duration_ms(self.took_ms)}</span>
                // The figure lies over this place: it is a button of its own.
                <span class="num w56 turnline__cost" aria-hidden="true" style:visibility="hidden">{move || cost.get().map(format::money)}</span>
            </button>
        }
    }

    fn prompt_view(&self) -> Option<impl IntoView + use<>> {
        let text = self.prompt.clone()?;
        let long = text.chars().count() > 600 || text.lines().count() > 12;
        let open = RwSignal::new(!long);
        let id = self.prompt_seq.map(|seq| format!("step-{seq}"));
        let more = long.then(|| {
            view! {
                <button type="button" class="more" aria-expanded=move || open.get().to_string() on:click=move |_| open.update(|open| *open = !*open)>
                    {move || if open.get() { "Show less" } else { "Show all of it" }}
                </button>
            }
        });
        Some(view! {
            <div class="step step--prompt" id=id tabindex="-1">
                <span class="num faint step__time"><Clock at_ms=self.started_ms/></span>
                <span class="step__icon muted"><Icon name="i-you"/></span>
                <div class="step__body">
                    <p class="prompt" class:prompt--long=long class:prompt--folded=move || !open.get()>{text}</p>
                    {more}
                </div>
            </div>
        })
    }
}

/// The first line that says something.
pub fn first_line(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let line = line.trim_start_matches(['#', '*', '-', '>', ' ']);
    line.chars().take(240).collect()
}
