//! A search finds what the same filter finds in memory, and in texts what ripgrep's engine finds line by line.
//!
//! `ORRERY_PATTERNS=500` tries more patterns than the few dozen of every run.
#![allow(clippy::unwrap_used)]

mod make;

use std::time::Duration;

use grep_regex::RegexMatcherBuilder;
use grep_searcher::SearcherBuilder;
use grep_searcher::sinks::UTF8;
use make::{NOON, event, of_events, of_usage, put, usage};
use orrery_store::{Batch, Cancel, Item, Options, Search, SqliteStore, Store};
use orrery_types::{Body, Event, EventQuery, Filter, SessionFacts, SessionRow, Source, Sources, Subagent, ToolClass};
use orrery_views::filter::{Clock, Matcher, event_text, parse, print};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

const EVENTS: u64 = 400;
const CLOCK: Clock = Clock { now_ms: NOON + 400_000, utc_offset_minutes: 60 };
const WORDS: [&str; 24] = [
    "cargo",
    "test",
    "panicked",
    "main.rs",
    "src/lib.rs:42",
    "Error",
    "ERROR",
    "naïve",
    "Straße",
    "数据库",
    "数据",
    "foo_bar",
    "foo-bar",
    "a",
    "ab",
    "abc",
    "--flag",
    "\"quoted\"",
    "back\\slash",
    "🚀",
    "x=1",
    "(paren)",
    "ſharp",
    "tab\there",
];

fn cases() -> usize {
    std::env::var("ORRERY_PATTERNS").ok().and_then(|count| count.parse().ok()).unwrap_or(60)
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % sides
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }

    fn text(&mut self) -> String {
        let count = self.roll(12);
        (0..count).map(|_| format!("{}{}", self.pick(&WORDS), self.pick(&[" ", "\n", "", ", "]))).collect()
    }
}

fn made(dice: &mut Dice, number: u64) -> Event {
    let tool = dice.pick(&["Bash", "Edit", "Read", "mcp__git__log"]).to_owned();
    let class = [ToolClass::Shell, ToolClass::Edit, ToolClass::Read][dice.roll(3)];
    let body = match dice.roll(6) {
        0 => Body::Prompt { text: dice.text() },
        1 => Body::Message { text: dice.text(), model: [None, Some("opus-4".to_owned())][dice.roll(2)].clone() },
        2 => Body::Failure { error: "rate_limit".to_owned(), details: dice.text() },
        3 => Body::ToolStart {
            call_id: String::new(),
            tool,
            class,
            target: dice.text(),
            input: serde_json::json!({"file_path": dice.text(), "n": 1}),
        },
        _ => {
            let ok = dice.roll(3) > 0;
            Body::ToolEnd {
                call_id: String::new(),
                tool,
                class,
                target: dice.text(),
                ok,
                error: (!ok).then(|| format!("exit {}", dice.roll(3))),
                exit_code: [None, Some(0), Some(1)][dice.roll(3)],
                duration_ms: [None, Some(dice.roll(90_000) as i64)][dice.roll(2)],
                output: dice.text(),
                lines_added: None,
                lines_removed: None,
                input: serde_json::Value::Null,
            }
        }
    };
    let session = format!("s{}", dice.roll(7));
    let mut event = event(number, &session, body);
    event.agent = format!("agent-{}", session.as_bytes()[1] % 3);
    event.name = dice.pick(&["PreToolUse", "PostToolUse", "Stop"]).to_owned();
    event.sources = Sources::one([Source::Hook, Source::Transcript, Source::Otel][dice.roll(3)]);
    event.turn_id = [None, Some(format!("turn-{}", dice.roll(4)))][dice.roll(2)].clone();
    event.subagent = (dice.roll(4) == 0).then(|| Subagent { id: "a1".to_owned(), kind: "Explore".to_owned() });
    event
}

/// A store of made-up events in all places they can lie in: packed, changed in their pack, fresh.
async fn filled() -> (tempfile::TempDir, SqliteStore) {
    let dir = tempfile::TempDir::new().unwrap();
    let options = Options { fresh_events: Some(40), ..Options::default() };
    let store = SqliteStore::open_with(dir.path(), &options).unwrap();
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let facts = (0..7).map(|n| SessionFacts {
        session_id: format!("s{n}"),
        project: Some(["kiln", "Kiln", "loom", "über"][n % 4].to_owned()),
        branch: Some(["main", "feature/x"][n % 2].to_owned()),
        model: Some("sonnet-4".to_owned()),
        title: Some(format!("Title {n}")),
        ..SessionFacts::default()
    });
    put(&store, Batch { items: vec![Item { facts: facts.collect(), ..Item::default() }], ..Batch::default() }).await;
    for n in 0..5 {
        put(&store, of_usage(vec![usage(&format!("u{n}"), &format!("s{n}"), "sonnet-4", NOON, 20_000 * (n + 1))]))
            .await;
    }
    let events: Vec<Event> = (1..=EVENTS).map(|number| made(&mut dice, number)).collect();
    put(&store, of_events(events.clone())).await;
    let give_up = std::time::Instant::now() + Duration::from_secs(30);
    while store.health(NOON).unwrap().unindexed > 0 {
        assert!(std::time::Instant::now() < give_up, "packing stands still");
        std::thread::yield_now();
    }
    // Another source completes some that are packed.
    let completed = events.into_iter().step_by(37).map(|mut event| {
        event.sources = Sources::one(Source::Sender);
        event
    });
    put(&store, of_events(completed.collect())).await;
    (dir, store)
}

fn found(store: &SqliteStore, filter: &Filter) -> Vec<i64> {
    let mut seqs = Vec::new();
    let mut before = None;
    loop {
        let page = store
            .search(&Search {
                filter: filter.clone(),
                clock: CLOCK,
                before,
                limit: 70,
                facets: false,
                time: Duration::from_secs(60),
                cancel: Cancel::default(),
            })
            .unwrap();
        seqs.extend(page.hits.iter().map(|hit| hit.event.seq));
        match page.next {
            Some(next) => before = Some(next),
            None => return seqs,
        }
    }
}

fn everything(store: &SqliteStore) -> (Vec<Event>, Vec<SessionRow>) {
    let events = store.events(&EventQuery { limit: Some(10_000), ..EventQuery::default() }).unwrap().items;
    (events, store.recent_sessions(0, 100).unwrap())
}

fn query() -> impl Strategy<Value = String> {
    let word = || prop::sample::select(&WORDS[..]);
    let term = prop_oneof![
        6 => word().prop_map(str::to_owned),
        3 => word().prop_map(|word| format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))),
        2 => (word(), 1_usize..4).prop_map(|(word, cut)| {
            let part: String = word.chars().skip(1).take(cut).collect();
            if part.is_empty() { "b".to_owned() } else { format!("\"{}\"", part.replace('\\', "\\\\").replace('"', "\\\"")) }
        }),
        4 => prop::sample::select(vec![
            "/pan.cked/", "/^cargo/", "/test$/i", "/err(or)?/i", "/foo[_-]bar/", "/src.lib\\.rs:\\d+/", "/数据/", "/[xyz]=\\d/",
            "/stra(ß|ss)e/i", "/\\s\\S+\\s/", "/a.*c/", "/(cargo|test|panicked) (main|Error)/", "/^$/", "/\\bab\\b/",
        ]).prop_map(str::to_owned),
        8 => prop::sample::select(vec![
            "tool:Bash", "tool:edit,read", "tool:mcp*", "class:shell", "kind:tool_end", "kind:prompt,message", "event:Stop",
            "agent:agent-1", "agent:agent-*", "project:kiln", "project:über,loom", "project:k*", "model:opus", "model:sonnet", "branch:main",
            "session:s3", "session:s", "status:running", "source:otel", "source:sender", "turn:turn-2", "subagent:explore",
            "file:lib.rs", "error:exit", "error:/exit [12]/", "title:3", "is:error", "is:subagent", "is:running", "ok:true",
            "ok:false", "has:error", "has:duration", "has:cost", "exit:1", "duration>30s", "duration<=45s", "cost>0.5",
            "cost:0.2..1", "tokens>50k", "errors>10", "turns:0", "since:2m", "before:5m", "at>2026-11-22", "on:2026-11-23",
        ]).prop_map(str::to_owned),
    ];
    let term = (term, prop::bool::weighted(0.2))
        .prop_map(|(term, not)| if not && !term.starts_with('-') { format!("-({term})") } else { term });
    prop::collection::vec((term, prop::bool::weighted(0.3)), 1..4).prop_map(|terms| {
        let mut text = String::new();
        for (place, (term, or)) in terms.into_iter().enumerate() {
            if place > 0 {
                text.push_str(if or { " OR " } else { " " });
            }
            text.push_str(&term);
        }
        text
    })
}

#[tokio::test]
async fn sql_and_memory_find_the_same() {
    let (_dir, store) = filled().await;
    let (events, rows) = everything(&store);
    let row = |id: &str| rows.iter().find(|row| row.id == id);
    let mut runner = TestRunner::deterministic();
    let mut hits = 0;
    for _ in 0..cases() * 4 {
        let text = query().new_tree(&mut runner).unwrap().current();
        let filter = parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let matcher = Matcher::of(&filter);
        let expected: Vec<i64> = events
            .iter()
            .filter(|event| matcher.event(event, row(&event.session_id), CLOCK))
            .map(|event| event.seq)
            .collect();
        assert_eq!(found(&store, &filter), expected, "{text} read as {}", print(&filter));
        hits += expected.len();
    }
    assert!(hits > cases() * 20, "the queries find too little to say anything: {hits}");
}

/// Numbers of the texts in which ripgrep finds the pattern in some line.
fn grep(pattern: &str, ignore_case: bool, texts: &[(i64, String)]) -> Vec<i64> {
    let matcher =
        RegexMatcherBuilder::new().case_insensitive(ignore_case).line_terminator(Some(b'\n')).build(pattern).unwrap();
    let mut searcher = SearcherBuilder::new().build();
    let mut is_in = |text: &str| {
        let mut is_found = false;
        let found = UTF8(|_, _| {
            is_found = true;
            Ok(false)
        });
        searcher.search_slice(&matcher, text.as_bytes(), found).unwrap();
        is_found
    };
    texts.iter().filter(|(_, text)| is_in(text)).map(|(seq, _)| *seq).collect()
}

fn pattern() -> impl Strategy<Value = String> {
    let atom = prop_oneof![
        6 => prop::sample::select(&WORDS[..]).prop_map(regex_syntax::escape),
        2 => "[a-z]{1,3}",
        2 => prop::sample::select(vec!["\\d+", "[a-c]+", ".", ".*", "\\w{2,4}", "[^a-z]", "(test|main)", "r?", "\\S+", "[A-Z]"]).prop_map(str::to_owned),
        1 => prop::sample::select(vec!["^", "$", "\\b"]).prop_map(str::to_owned),
    ];
    prop::collection::vec(atom, 1..4).prop_map(|atoms| atoms.concat())
}

#[tokio::test]
async fn texts_are_found_as_ripgrep_finds_them() {
    let (_dir, store) = filled().await;
    let (events, _) = everything(&store);
    let texts: Vec<(i64, String)> = events.iter().map(|event| (event.seq, event_text(event))).collect();
    let mut runner = TestRunner::deterministic();
    for _ in 0..cases() {
        let (source, ignore_case) = (pattern(), any::<bool>()).new_tree(&mut runner).unwrap().current();
        let filter = Filter::Regex(orrery_types::Pattern { source: source.clone(), ignore_case });
        let expected = grep(&source, ignore_case, &texts);
        assert_eq!(found(&store, &filter), expected, "/{source}/ {ignore_case}");
    }
    for word in WORDS {
        let escaped = regex_syntax::escape(word);
        let of = |pattern: &str| grep(pattern, true, &texts);
        assert_eq!(found(&store, &Filter::Phrase(word.to_owned())), of(&escaped), "\"{word}\"");
        let starts = word.chars().next().is_some_and(|first| first.is_alphanumeric() && first < '\u{2e80}');
        let bound = if starts { "(?:^|[^\\p{Alphabetic}\\p{N}])" } else { "" };
        assert_eq!(found(&store, &Filter::Word(word.to_owned())), of(&format!("{bound}{escaped}")), "{word}");
    }
}
