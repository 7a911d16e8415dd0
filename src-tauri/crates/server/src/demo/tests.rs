#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, HashMap};

use orrery_agents::transcript::{FileInfo, Reader};
use orrery_agents::{Context, hook};
use orrery_types::{AgentId, Body, RequestUsage, SessionRow, Source, Status};
use orrery_views::pricing::PriceTable;
use orrery_views::session;

use super::*;

const NOW_MS: i64 = 1_795_000_000_000;

fn plan(seed: u64) -> Plan {
    Plan { seed, sessions: Plan::DEFAULT_SESSIONS, now_ms: NOW_MS, midnight_ms: NOW_MS - 14 * 3_600_000 }
}

fn context(message: &Message, source: Source) -> Context {
    Context { source, received_ms: message.at_ms, delivery_id: message.id.clone(), place: "demo".into(), demo: true }
}

/// Everything decoded, in order: events with the index of their session, and usage by request.
fn decode(messages: &[Message]) -> (Vec<(usize, orrery_types::Event)>, HashMap<String, RequestUsage>) {
    let mut readers: HashMap<String, (Reader, u64)> = HashMap::new();
    let (mut events, mut usage) = (Vec::new(), HashMap::new());
    for message in messages {
        let decoded = match &message.route {
            Route::Hook { agent } => {
                hook::decode(Some(agent), message.body.to_string().as_bytes(), &context(message, Source::Hook))
            }
            Route::Transcript { agent, name } => {
                let agent = AgentId::from_slug(agent).unwrap();
                let info = orrery_agents::paths::is_transcript(agent, std::path::Path::new(name)).unwrap();
                let (reader, lines) = readers
                    .entry(name.clone())
                    .or_insert_with(|| (Reader::open(agent, &FileInfo { path: name.clone(), ..info }, None), 0));
                *lines += 1;
                reader.line(message.body.to_string().as_bytes(), *lines, &context(message, Source::Transcript))
            }
        };
        assert_eq!(decoded.problems, [], "{message:?}");
        events.extend(decoded.events.into_iter().map(|event| (message.session, event)));
        for request in decoded.usage {
            let known: &mut RequestUsage = usage.entry(request.key.clone()).or_insert_with(|| request.clone());
            if request.tokens.total() >= known.tokens.total() {
                *known = request;
            }
        }
    }
    (events, usage)
}

#[test]
fn the_same_seed_is_the_same_day() {
    assert_eq!(day(&plan(7)), day(&plan(7)));
    assert_ne!(day(&plan(7)), day(&plan(8)));
}

#[test]
fn the_past_fills_the_day_and_does_not_reach_behind_midnight() {
    for hours in [1, 5, 14] {
        let plan = Plan { midnight_ms: NOW_MS - hours * 3_600_000, ..plan(7) };
        let all = day(&plan);
        assert!(all.iter().all(|message| message.at_ms >= plan.midnight_ms), "{hours} hours");
        let past = all.iter().filter(|message| message.at_ms <= NOW_MS).count();
        assert!((1_500..9_000).contains(&past), "{past} messages before now");
        assert!(all.len() - past > 500, "{} live messages", all.len() - past);
    }
}

#[test]
fn every_message_is_read_without_a_problem_and_nothing_is_unknown() {
    let (events, _) = decode(&day(&plan(7)));
    for (_, event) in &events {
        assert!(!matches!(event.body, Body::Other { .. }), "{} {:?}", event.name, event.body);
        assert!(event.demo);
    }
}

#[test]
fn hook_and_transcript_tell_one_story() {
    let all: Vec<_> = day(&plan(7)).into_iter().filter(|message| message.at_ms <= NOW_MS).collect();
    let (events, _) = decode(&all);
    let mut sources: BTreeMap<&str, Vec<Source>> = BTreeMap::new();
    for (_, event) in &events {
        if matches!(event.body, Body::ToolEnd { .. }) {
            sources.entry(&event.id).or_default().extend(Vec::<Source>::from(event.sources));
        }
    }
    let both =
        sources.values().filter(|list| list.contains(&Source::Hook) && list.contains(&Source::Transcript)).count();
    assert!(both * 100 >= sources.len() * 97, "{both} of {} calls are told by both", sources.len());
}

#[test]
fn the_day_has_what_a_day_has() {
    let all: Vec<_> = day(&plan(7)).into_iter().filter(|message| message.at_ms <= NOW_MS).collect();
    let (events, usage) = decode(&all);
    let count = |test: fn(&Body) -> bool| events.iter().filter(|(_, event)| test(&event.body)).count();
    assert!(count(|body| matches!(body, Body::Thinking { .. })) > 100);
    assert!(count(|body| matches!(body, Body::ToolEnd { exit_code: Some(101), .. })) > 2);
    assert!(count(|body| matches!(body, Body::ToolEnd { lines_added: Some(1..), .. })) > 40);
    assert_eq!(count(|body| matches!(body, Body::Permission { .. })), 1);
    assert_eq!(count(|body| matches!(body, Body::SubagentStart)), 6, "three subagents, told by hook and transcript");
    assert!(count(|body| matches!(body, Body::ToolStart { tool, .. } if tool == "AskUserQuestion")) >= 1);
    assert!(count(|body| matches!(body, Body::Notification { topic, .. } if topic == "idle_prompt")) == 1);
    assert!(usage.values().all(|request| request.model.is_some()));
    let tokens: u64 = usage.values().map(|request| request.tokens.total()).sum();
    assert!((20_000_000..150_000_000).contains(&tokens), "{tokens} tokens");
}

#[test]
fn the_day_costs_tens_of_dollars_and_every_model_has_a_price() {
    let all: Vec<_> = day(&plan(7)).into_iter().filter(|message| message.at_ms <= NOW_MS).collect();
    let (_, usage) = decode(&all);
    let rows: Vec<_> = usage.values().map(|request| PriceTable::builtin().price(request)).collect();
    assert!(rows.iter().all(|row| row.cost_usd_micros.is_some()));
    let dollars = rows.iter().filter_map(|row| row.cost_usd_micros).sum::<i64>() / 1_000_000;
    assert!((20..90).contains(&dollars), "${dollars}");
}

#[test]
fn now_four_sessions_need_the_person_and_nine_are_at_work() {
    let all: Vec<_> = day(&plan(7)).into_iter().filter(|message| message.at_ms <= NOW_MS).collect();
    let (events, _) = decode(&all);
    let mut rows: BTreeMap<String, SessionRow> = BTreeMap::new();
    let mut seen = std::collections::HashSet::new();
    for (_, event) in events.iter().filter(|(_, event)| seen.insert(event.id.clone())) {
        let row =
            rows.entry(event.session_id.clone()).or_insert_with(|| session::new_row(&event.session_id, &event.agent));
        session::fold_event(row, event, None);
    }
    let count = |test: &dyn Fn(&SessionRow) -> bool| rows.values().filter(|row| test(row)).count();
    let status = |wanted: Status| count(&|row| session::status_at(row, NOW_MS) == wanted);
    assert_eq!(rows.len(), 14);
    assert_eq!(status(Status::NeedsYou) + status(Status::Stuck), 4);
    assert_eq!(count(&|row| session::is_active_at(row, NOW_MS)), 9);
    assert_eq!((status(Status::Stuck), status(Status::Failed)), (1, 1));
    assert_eq!(count(&|row| row.subagents.values().filter(|helper| helper.running).count() == 3), 1);
}
