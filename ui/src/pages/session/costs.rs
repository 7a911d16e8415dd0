//! Where the session's money went: by turn, tool, model and agent, and what the cache did.

use std::collections::BTreeMap;

use leptos::prelude::*;
use orrery_types::{Tokens, UsageQuery, UsageRow};
use orrery_views::format;
use orrery_views::story::{Story, What};

use super::load::Session;
use super::step::tool_name;
use crate::components::Icon;
use crate::frame::{BillLink, Billed};
use crate::pages::sessions::short_model;

/// One line of a table.
#[derive(Debug, Clone, Default, PartialEq)]
struct Line {
    name: String,
    /// What its bill asks for. Empty where no query names these requests.
    query: Option<UsageQuery>,
    requests: u64,
    calls: u64,
    tokens: Tokens,
    cost: i64,
    unpriced: u64,
}

impl Line {
    fn add(&mut self, row: &UsageRow) {
        self.requests += 1;
        self.tokens = self.tokens.plus(row.request.tokens);
        self.cost = self.cost.saturating_add(row.cost_usd_micros.unwrap_or(0));
        self.unpriced += u64::from(row.cost_usd_micros.is_none());
    }
}

#[component]
pub fn CostsTab(session: Session) -> impl IntoView {
    let usage = session.usage;
    let of = move || UsageQuery { session: Some(session.id.get_value()), ..UsageQuery::default() };
    let turns = Memo::new(move |_| session.with_story(|story| usage.with(|usage| by_turn(story, usage, &of()))));
    let tools = Memo::new(move |_| session.with_story(|story| usage.with(|usage| by_tool(story, usage))));
    let models = Memo::new(move |_| usage.with(|usage| by_model(usage, &of())));
    let agents = Memo::new(move |_| {
        let row = session.row.get();
        let kind = |id: &str| row.as_ref().and_then(|row| row.subagents.get(id)).map(|agent| agent.kind.clone());
        usage.with(|usage| by_agent(usage, &of(), kind))
    });
    let is_empty = Memo::new(move |_| usage.with(|usage| usage.is_empty()));
    let is_piece = move || session.piece.get().is_some();
    let named = move |name: &str| Billed { query: of(), name: name.to_owned() };
    view! {
        <div class="session__scroll costs" tabindex="0" role="region" aria-label="Costs of the session">
            <Show when=move || !is_empty.get() fallback=Nothing>
                {move || is_piece().then(|| view! {
                    <p class="small attention costs__note">"Turns and tools are those of the events read so far; models and cache are of the whole session"</p>
                })}
                <div class="costs__grid">
                    <Table title="By turn" name="Turn" lines=turns calls=false/>
                    <div>
                        <Table title="By model" name="Model" lines=models calls=false/>
                        {move || (agents.with(Vec::len) > 1).then(|| view! { <Table title="By agent" name="Agent" lines=agents calls=false/> })}
                        <Table title="By tool" name="Tool" lines=tools calls=true/>
                        <p class="small muted costs__note">"A request counts for the tools that its answer called, shared evenly; what called none is answering and thinking"</p>
                        {move || usage.with(|usage| cache(usage, named("Cache of this session")))}
                    </div>
                </div>
            </Show>
        </div>
    }
}

#[component]
fn Nothing() -> impl IntoView {
    view! {
        <div class="empty">
            <Icon name="i-costs"/>
            <h2>"No usage seen yet"</h2>
            <p>"Tokens and cost come with the agent's transcript or its telemetry. Following transcripts is a switch in Settings"</p>
        </div>
    }
}

#[component]
fn Table(title: &'static str, name: &'static str, lines: Memo<Vec<Line>>, calls: bool) -> impl IntoView {
    let rows = move || {
        let lines = lines.get();
        let most = lines.iter().map(|line| line.cost).max().unwrap_or(0).max(1);
        lines
            .into_iter()
            .map(|line| {
                let share = line.cost as f64 / most as f64 * 100.0;
                let cost =
                    if line.cost == 0 && line.unpriced > 0 { "no price".to_owned() } else { format::money(line.cost) };
                let exact = format::money_exact(line.cost);
                let cell = match line.query {
                    Some(query) => {
                        let billed = Signal::stored(Billed { query, name: format!("Cost of {}", line.name) });
                        view! { <BillLink billed text=cost title=exact class="num"/> }.into_any()
                    }
                    None => view! { <span class="num" title=exact>{cost}</span> }.into_any(),
                };
                let count = if calls { line.calls } else { line.requests };
                view! {
                    <tr>
                        <th scope="row" class="clip" title=line.name.clone()>{line.name.clone()}</th>
                        <td class="n">{cell}</td>
                        <td class="tl__barcell"><span class="bar"><i style=format!("width:{share:.1}%")></i></span></td>
                        <td class="n muted">{format::count(count)}</td>
                        <td class="n muted">{format::tokens(line.tokens.prompt())}</td>
                        <td class="n muted">{format::tokens(line.tokens.output)}</td>
                    </tr>
                }
            })
            .collect_view()
    };
    let is_empty = move || lines.with(Vec::is_empty);
    view! {
        <section class="costs__table" aria-label=title>
            <div class="head"><h2>{title}</h2></div>
            <table class="sumtable">
                <thead><tr>
                    <th scope="col">{name}</th><th scope="col" class="n">"Cost"</th><td></td>
                    <th scope="col" class="n">{if calls { "Calls" } else { "Requests" }}</th>
                    <th scope="col" class="n">"Read"</th><th scope="col" class="n">"Written"</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
            {move || is_empty().then(|| view! { <p class="small faint costs__note">"Nothing yet"</p> })}
        </section>
    }
}

/// What was read from the cache and what it would have been without.
fn cache(usage: &[UsageRow], billed: Billed) -> impl IntoView + use<> {
    let sum = usage.iter().fold(Tokens::default(), |sum, row| sum.plus(row.request.tokens));
    let prompt = sum.prompt();
    let written = sum.cache_write + sum.cache_write_1h;
    let times =
        if written > 0 { format!("{:.1}", sum.cache_read as f64 / written as f64) } else { "\u{2013}".to_owned() };
    let line = |name: &'static str, count: u64| {
        view! { <tr><th scope="row">{name}</th><td class="n">{format::count(count)}</td><td class="n muted">{format::share(count, prompt)}</td></tr> }
    };
    let cost: i64 = usage.iter().filter_map(|row| row.cost_usd_micros).sum();
    view! {
        <section class="costs__table" aria-label="Cache">
            <div class="head">
                <h2>"Cache"</h2>
                <span class="small muted">{format!("each token written was read {times} times")}</span>
                <span class="push"><BillLink billed=Signal::stored(billed) text=format::money(cost) title=format::money_exact(cost) class="num"/></span>
            </div>
            <table class="sumtable">
                <thead><tr><th scope="col">"Prompt tokens"</th><th scope="col" class="n">"Count"</th><th scope="col" class="n">"Share"</th></tr></thead>
                <tbody>
                    {line("Read from the cache", sum.cache_read)}
                    {line("Written, kept five minutes", sum.cache_write)}
                    {line("Written, kept an hour", sum.cache_write_1h)}
                    {line("Neither", sum.input)}
                </tbody>
            </table>
        </section>
    }
}

fn by_turn(story: &Story, usage: &[UsageRow], of: &UsageQuery) -> Vec<Line> {
    let turns = story.turns();
    let mut lines = Vec::new();
    for (at, turn) in turns.iter().enumerate() {
        let from = if at == 0 { i64::MIN } else { turn.started_ms };
        let to = turns.get(at + 1).map_or(i64::MAX, |next| next.started_ms);
        let prompt = turn.prompt.as_deref().map(super::story::first_line).unwrap_or_default();
        let query = UsageQuery {
            from_ms: (at > 0).then_some(turn.started_ms),
            to_ms: (to < i64::MAX).then_some(to),
            ..of.clone()
        };
        let name =
            if turn.index == 0 { "Before the first prompt".to_owned() } else { format!("{} {prompt}", turn.index) };
        let mut line = Line { name, query: Some(query), ..Line::default() };
        usage.iter().filter(|row| (from..to).contains(&row.request.at_ms)).for_each(|row| line.add(row));
        if line.requests > 0 {
            lines.push(line);
        }
    }
    lines
}

fn by_model(usage: &[UsageRow], of: &UsageQuery) -> Vec<Line> {
    let mut lines: BTreeMap<String, Line> = BTreeMap::new();
    for row in usage {
        let model = row.request.model.clone().unwrap_or_default();
        let line = lines.entry(model.clone()).or_insert_with(|| Line {
            name: if model.is_empty() { "No model named".to_owned() } else { short_model(&model) },
            query: Some(UsageQuery { model: Some(model), ..of.clone() }),
            ..Line::default()
        });
        line.add(row);
    }
    sorted(lines.into_values().collect())
}

fn by_agent(usage: &[UsageRow], of: &UsageQuery, kind: impl Fn(&str) -> Option<String>) -> Vec<Line> {
    let mut lines: BTreeMap<Option<String>, Line> = BTreeMap::new();
    for row in usage {
        let line = lines.entry(row.request.subagent.clone()).or_insert_with(|| {
            let name = row.request.subagent.as_deref().map(|id| {
                let kind = kind(id).filter(|kind| !kind.is_empty()).unwrap_or_else(|| "Subagent".to_owned());
                format!("{kind} {}", id.chars().take(6).collect::<String>())
            });
            // The main thread has no name of its own, so no query asks for it alone.
            let query = row.request.subagent.clone().map(|id| UsageQuery { subagent: Some(id), ..of.clone() });
            Line { name: name.unwrap_or_else(|| "Main".to_owned()), query, ..Line::default() }
        });
        line.add(row);
    }
    sorted(lines.into_values().collect())
}

/// Shares each request among the tools that its answer called: those that began before the next request of its thread.
fn by_tool(story: &Story, usage: &[UsageRow]) -> Vec<Line> {
    const ANSWERS: &str = "Answers and thinking";
    let mut calls: BTreeMap<Option<&str>, Vec<(i64, &str)>> = BTreeMap::new();
    for step in story.turns().iter().flat_map(|turn| &turn.steps) {
        if let What::Tool(call) = &step.what {
            calls.entry(None).or_default().push((step.at_ms, &call.tool));
        }
    }
    for (id, thread) in story.subagents() {
        for step in &thread.steps {
            if let What::Tool(call) = &step.what {
                calls.entry(Some(id)).or_default().push((step.at_ms, &call.tool));
            }
        }
    }
    let mut lines: BTreeMap<String, Line> = BTreeMap::new();
    let mut threads: BTreeMap<Option<&str>, Vec<&UsageRow>> = BTreeMap::new();
    for row in usage {
        threads.entry(row.request.subagent.as_deref()).or_default().push(row);
    }
    for (thread, mut rows) in threads {
        rows.sort_by_key(|row| row.request.at_ms);
        let mut own = calls.remove(&thread).unwrap_or_default();
        own.sort_unstable();
        for (at, row) in rows.iter().enumerate() {
            // Some sources write a request down a moment after the calls of its answer.
            let from = if at == 0 { i64::MIN } else { row.request.at_ms - 1_000 };
            let to = rows.get(at + 1).map_or(i64::MAX, |next| next.request.at_ms - 1_000);
            let led: Vec<&str> = own.iter().filter(|(at, _)| (from..to).contains(at)).map(|(_, tool)| *tool).collect();
            let names: Vec<String> = if led.is_empty() {
                vec![ANSWERS.to_owned()]
            } else {
                led.iter().map(|tool| tool_name(tool)).collect()
            };
            let share = names.len() as i64;
            let cost = row.cost_usd_micros.unwrap_or(0);
            for (n, name) in names.into_iter().enumerate() {
                let line = lines.entry(name.clone()).or_insert_with(|| Line { name, ..Line::default() });
                line.calls += u64::from(!led.is_empty());
                // What does not divide goes to the first, so that the shares add up to the bill.
                line.cost += cost / share + if n == 0 { cost % share } else { 0 };
                if n == 0 {
                    line.requests += 1;
                    line.tokens = line.tokens.plus(row.request.tokens);
                }
            }
        }
    }
    sorted(lines.into_values().collect())
}

fn sorted(mut lines: Vec<Line>) -> Vec<Line> {
    lines.sort_by(|a, b| b.cost.cmp(&a.cost).then_with(|| a.name.cmp(&b.name)));
    lines
}

#[cfg(test)]
mod tests {
    use orrery_types::{Basis, Body, Event, RequestUsage, Source, Sources, ToolClass};

    use super::*;

    fn event(seq: i64, at_ms: i64, body: Body) -> Event {
        Event {
            seq,
            id: format!("{seq:032x}"),
            session_id: "s".into(),
            agent: "claude-code".into(),
            name: String::new(),
            at_ms,
            received_ms: at_ms,
            subagent: None,
            turn_id: None,
            sources: Sources::default(),
            body,
            demo: false,
        }
    }

    fn call(seq: i64, at_ms: i64, tool: &str) -> Event {
        let body = Body::ToolStart {
            call_id: format!("c{seq}"),
            tool: tool.into(),
            class: ToolClass::Shell,
            target: String::new(),
            input: serde_json::Value::Null,
        };
        event(seq, at_ms, body)
    }

    fn usage(at_ms: i64, cost: i64) -> UsageRow {
        UsageRow {
            request: RequestUsage {
                key: at_ms.to_string(),
                request_id: None,
                session_id: "s".into(),
                agent: "claude-code".into(),
                subagent: None,
                model: Some("opus".into()),
                at_ms,
                tokens: Tokens { input: 10, output: 1, ..Tokens::default() },
                web_searches: 0,
                fast: false,
                geo: None,
                tier: None,
                reported_usd_micros: None,
                sidechain: false,
                source: Source::Transcript,
                place: None,
                demo: false,
            },
            cost_usd_micros: Some(cost),
            calculated_usd_micros: None,
            basis: Basis::Calculated,
            price_model: None,
            price_date: String::new(),
            sources: Sources::default(),
        }
    }

    #[test]
    fn shares_of_tools_and_turns_add_up_to_the_bill() {
        let story = Story::of([
            event(1, 0, Body::Prompt { text: "go".into() }),
            call(2, 10_000, "Bash"),
            call(3, 10_000, "Edit"),
            event(4, 60_000, Body::Prompt { text: "on".into() }),
        ]);
        let rows = [usage(9_500, 101), usage(30_000, 50), usage(70_000, 7)];
        let tools = by_tool(&story, &rows);
        let told: Vec<(&str, i64, u64)> =
            tools.iter().map(|line| (line.name.as_str(), line.cost, line.calls)).collect();
        assert_eq!(told, [("Answers and thinking", 57, 0), ("Bash", 51, 1), ("Edit", 50, 1)]);
        let turns = by_turn(&story, &rows, &UsageQuery::default());
        assert_eq!(turns.iter().map(|line| line.cost).collect::<Vec<_>>(), [151, 7]);
        assert_eq!(by_model(&rows, &UsageQuery::default())[0].cost, 158);
    }
}
