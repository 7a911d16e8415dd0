//! The grammar on examples and on generated text; the matcher on events and rows.

use orrery_types::{
    Body, Event, Field, Filter, Flag, Moment, Op, Pattern, SessionRow, Source, Sources, Status, ToolClass,
};
use proptest::prelude::*;

use super::*;

fn word(text: &str) -> Filter {
    Filter::Word(text.to_owned())
}

fn phrase(text: &str) -> Filter {
    Filter::Phrase(text.to_owned())
}

fn value(field: Field, any: &[&str]) -> Filter {
    Filter::Value { field, any: any.iter().map(|text| (*text).to_owned()).collect() }
}

fn regex(source: &str, ignore_case: bool) -> Filter {
    Filter::Regex(Pattern { source: source.to_owned(), ignore_case })
}

fn not(part: Filter) -> Filter {
    Filter::Not(Box::new(part))
}

#[test]
fn the_grammar_reads_what_people_write() {
    let number = |field, op, value| Filter::Number { field, op, value };
    let time = |op, moment| Filter::Time { op, moment };
    for (text, expected) in [
        ("", Filter::All),
        ("  ", Filter::All),
        ("cargo", word("cargo")),
        ("cargo test", Filter::And(vec![word("cargo"), word("test")])),
        ("cargo AND test", Filter::And(vec![word("cargo"), word("test")])),
        ("a OR b c", Filter::Or(vec![word("a"), Filter::And(vec![word("b"), word("c")])])),
        ("(a OR b) c", Filter::And(vec![Filter::Or(vec![word("a"), word("b")]), word("c")])),
        ("\"a \\\"b\\\" c\"", phrase("a \"b\" c")),
        ("-a", not(word("a"))),
        ("NOT a", not(word("a"))),
        ("-(a b)", not(Filter::And(vec![word("a"), word("b")]))),
        ("--no-verify", word("--no-verify")),
        ("->", word("->")),
        ("-", word("-")),
        ("main()", word("main()")),
        ("(main())", word("main()")),
        ("/usr/bin/env", word("/usr/bin/env")),
        ("/tmp", word("/tmp")),
        ("/a b|c/", regex("a b|c", false)),
        ("/a\\/b/i", regex("a/b", true)),
        ("std::fs", word("std::fs")),
        ("http://x.y/z", word("http://x.y/z")),
        ("C:\\x", word("C:\\x")),
        ("main.rs:42", word("main.rs:42")),
        ("12:30", word("12:30")),
        ("a=b", word("a=b")),
        ("x>5", word("x>5")),
        ("tool:Bash", value(Field::Tool, &["Bash"])),
        ("tool:Bash,Edit", value(Field::Tool, &["Bash", "Edit"])),
        ("project:\"my app\"", value(Field::Project, &["my app"])),
        ("agent:claude", value(Field::Agent, &["claude-code"])),
        (
            "file:/src\\/.*rs/",
            Filter::Match { field: Field::File, pattern: Pattern { source: "src/.*rs".into(), ignore_case: false } },
        ),
        ("path:/usr/bin", value(Field::File, &["/usr/bin"])),
        ("cost>0.5", number(Field::Cost, Op::More, 500_000)),
        ("cost:>$2", number(Field::Cost, Op::More, 2_000_000)),
        (
            "cost:1..2",
            Filter::And(vec![number(Field::Cost, Op::AtLeast, 1_000_000), number(Field::Cost, Op::AtMost, 2_000_000)]),
        ),
        ("duration>=1m30s", number(Field::Duration, Op::AtLeast, 90_000)),
        ("duration<30", number(Field::Duration, Op::Less, 30_000)),
        ("tokens>100k", number(Field::Tokens, Op::More, 100_000)),
        ("exit:1", number(Field::Exit, Op::Equal, 1)),
        ("ok:false", Filter::Ok(false)),
        ("is:error", Filter::Is(Flag::Error)),
        ("is:needs,stuck", Filter::Or(vec![Filter::Is(Flag::Needs), Filter::Is(Flag::Stuck)])),
        ("has:cost", Filter::Has(Field::Cost)),
        ("since:2h", time(Op::AtLeast, Moment::Ago(7_200_000))),
        ("after:2026-11-20", time(Op::AtLeast, Moment::Wall(1_795_132_800_000))),
        ("before:today", time(Op::Less, Moment::Midnight(0))),
        ("at>2026-11-20T14:00:00Z", time(Op::More, Moment::Utc(1_795_183_200_000))),
    ] {
        assert_eq!(parse(text).as_ref(), Ok(&expected), "{text}");
    }
    assert_eq!(
        parse("on:2026-11-20"),
        Ok(Filter::And(vec![
            time(Op::AtLeast, Moment::Wall(1_795_132_800_000)),
            time(Op::Less, Moment::Wall(1_795_219_200_000)),
        ]))
    );
}

#[test]
fn errors_say_where_and_what_to_write() {
    for (text, place, words, hint) in [
        ("a \"b", 2..4, "not closed", "\""),
        ("(a", 0..1, "not closed", ")"),
        ("a)", 1..2, "closes nothing", "quotes"),
        ("a OR", 2..4, "both sides", "a OR b"),
        ("tol:Bash", 0..3, "no field tol", "tool"),
        ("localhost:4000", 0..9, "no field localhost", "\"localhost:4000\""),
        ("kind:promt", 5..10, "never promt", "prompt"),
        ("is:eror", 3..7, "Nothing is eror", "is:error"),
        ("has:cst", 4..7, "no field cst", "has:cost"),
        ("cost>many", 5..9, "is a number", "0.5"),
        ("since:soon", 6..10, "no time", "2h"),
        ("tool>3", 0..5, "compared by size", "tool:value"),
        ("tool:", 0..5, "needs a value", "tool:value"),
        ("ok:maybe", 3..8, "true or false", "ok:false"),
        ("/a(/", 0..4, "regex", "quotes"),
        ("at:today", 0..3, "compared", "on:today"),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!(error.start..error.end, place, "{text}: {error}");
        assert!(error.message.contains(words), "{text}: {error}");
        assert!(error.hint.contains(hint), "{text}: {error}");
    }
    assert!(parse(&"(".repeat(500)).is_err());
    assert!(parse(&"-(".repeat(500)).is_err());
    assert!(parse(&"a ".repeat(200)).is_err());
}

fn call() -> Event {
    Event {
        seq: 7,
        id: "0".repeat(32),
        session_id: "s-1".to_owned(),
        agent: "claude-code".to_owned(),
        name: "PostToolUse".to_owned(),
        at_ms: 1_000_000,
        received_ms: 1_000_000,
        subagent: None,
        turn_id: Some("turn-9".to_owned()),
        sources: Sources::one(Source::Hook),
        body: Body::ToolEnd {
            call_id: "c".to_owned(),
            tool: "Bash".to_owned(),
            class: ToolClass::Shell,
            target: "cargo test --workspace".to_owned(),
            ok: false,
            error: Some("exit 101".to_owned()),
            exit_code: Some(101),
            duration_ms: Some(45_000),
            output: "thread 'main' panicked at src/main.rs:42\nSTRASSE Köln".to_owned(),
            lines_added: None,
            lines_removed: None,
            input: serde_json::json!({"command": "cargo test --workspace", "cwd": "/home/x"}),
        },
        demo: false,
    }
}

fn row() -> SessionRow {
    SessionRow {
        id: "s-1".to_owned(),
        agent: "claude-code".to_owned(),
        title: "Fix the parser".to_owned(),
        project: "orrery".to_owned(),
        branch: Some("main".to_owned()),
        model: Some("claude-opus-4".to_owned()),
        status: Status::NeedsYou,
        cost_usd_micros: 700_000,
        started_ms: 500_000,
        last_ms: 1_000_000,
        turns: 3,
        errors: 1,
        ..SessionRow::default()
    }
}

#[test]
fn events_match_by_text_and_fields() {
    let (event, row) = (call(), row());
    let clock = Clock { now_ms: 1_060_000, utc_offset_minutes: 0 };
    for (text, expected) in [
        ("", true),
        ("cargo", true),
        ("CARGO work", true),
        ("argo", false),
        ("\"argo t\"", true),
        ("köln", true),
        ("\"KÖL\"", true),
        ("main.rs", true),
        ("--work", true),
        ("/^thread .*panicked/", true),
        ("/^Thread/", false),
        ("/^Thread/i", true),
        ("/panicked.*STRASSE/", false),
        ("/panicked\\s+at\\s+src/", true),
        ("-panicked", false),
        ("tool:bash", true),
        ("tool:B*h", true),
        ("tool:Edit", false),
        ("tool:Edit,Bash", true),
        ("class:shell kind:tool_end event:PostToolUse", true),
        ("agent:claude", true),
        ("project:orrery branch:main model:opus", true),
        ("session:s-", true),
        ("session:1", false),
        ("error:101", true),
        ("error:/exit \\d+/", true),
        ("ok:false is:error exit:101", true),
        ("ok:true", false),
        ("duration>30s duration<1m", true),
        ("cost>0.5", true),
        ("cost>0.7", false),
        ("since:2m", true),
        ("since:30s", false),
        ("has:error has:duration -has:lines -has:subagent", true),
        ("source:hook -source:transcript", true),
        ("turn:turn-9", true),
        ("is:needs", true),
        ("status:running", false),
        ("nothing OR cargo", true),
        ("nothing OR (cargo -thread)", false),
    ] {
        let matcher = Matcher::of(&parse(text).unwrap());
        assert_eq!(matcher.event(&event, Some(&row), clock), expected, "{text}");
    }
    let matcher = Matcher::of(&parse("project:orrery").unwrap());
    assert!(!matcher.event(&event, None, clock));
}

#[test]
fn sessions_match_by_their_rows() {
    let clock = Clock { now_ms: 1_060_000, utc_offset_minutes: 0 };
    for (text, expected) in [
        ("parser", true),
        ("orrery main", true),
        ("is:needs", true),
        ("is:error", true),
        ("cost>0.5 turns:3", true),
        ("duration>8m", true),
        ("tool:Bash", false),
        ("before:1m since:10m", true),
        ("since:10s", false),
    ] {
        assert_eq!(Matcher::of(&parse(text).unwrap()).session(&row(), clock), expected, "{text}");
    }
}

#[test]
fn snippets_show_what_was_found() {
    let snippet = Matcher::of(&parse("panicked /src.main/").unwrap()).snippet(&call());
    assert_eq!(snippet.text.lines().next(), Some("thread 'main' panicked at src/main.rs:42"));
    let found: Vec<&str> = snippet.ranges.iter().map(|(from, to)| &snippet.text[*from..*to]).collect();
    assert_eq!(found, ["panicked", "src/main"]);
}

#[test]
fn the_cursor_gets_offers() {
    let names =
        |text: &str| -> Vec<String> { complete(text, text.len()).items.into_iter().map(|item| item.insert).collect() };
    assert_eq!(names("cargo pro"), ["project:", "prompts>"]);
    assert_eq!(names("-is:e"), ["error", "ended"]);
    assert_eq!(names("kind:prompt,sess"), ["session_start", "session_end"]);
    assert_eq!(names("ok:"), ["true", "false"]);
    assert!(names("\"kind:").is_empty());
    let completion = complete("x tool:Ba", 9);
    assert_eq!((completion.start, completion.end), (7, 9));
    assert_eq!(completion.wanted, Some(Wanted { field: Field::Tool, typed: "Ba".to_owned() }));
}

#[test]
fn folding_is_that_of_the_regex_engine() {
    let known = regex::Regex::new(r"^[\w\p{S}]").unwrap();
    for letter in (0..=0x10_ffff).filter_map(char::from_u32).filter(|letter| !letter.is_ascii()) {
        let folded = fold_char(letter);
        // The standard library may know letters that the regex engine has not heard of.
        if folded == letter || !known.is_match(&letter.to_string()) {
            continue;
        }
        let pattern =
            regex::RegexBuilder::new(&regex::escape(&folded.to_string())).case_insensitive(true).build().unwrap();
        assert!(pattern.is_match(&letter.to_string()), "{letter:?} is not {folded:?}");
    }
    for letter in ('a'..='z').chain("äöüéßσθμикяἀ".chars()) {
        let pattern = regex::RegexBuilder::new(&letter.to_string()).case_insensitive(true).build().unwrap();
        for other in letter.to_uppercase().chain(letter.to_lowercase()) {
            assert_eq!(
                pattern.is_match(&other.to_string()),
                fold_char(other) == fold_char(letter),
                "{letter:?} {other:?}"
            );
        }
    }
}

fn any_filter() -> impl Strategy<Value = Filter> {
    let text = "[a-zA-Zäß0-9_.,:\"\\\\ ()/-]{1,8}";
    let names = prop::sample::select(FACTS);
    let leaf = prop_oneof![
        text.prop_map(Filter::Phrase),
        "[a-zä][a-z0-9_.-]{0,6}".prop_map(Filter::Word),
        "[a-z.*/ ]{1,6}"
            .prop_filter("is a regex", |source| regex::Regex::new(source).is_ok())
            .prop_map(|source| { Filter::Regex(Pattern { source, ignore_case: true }) }),
        (names, text, any::<u32>()).prop_map(|(fact, text, number)| match fact.field.compare() {
            orrery_types::Compare::Money | orrery_types::Compare::Time | orrery_types::Compare::Count => {
                Filter::Number { field: fact.field, op: Op::AtMost, value: i64::from(number) }
            }
            _ => Filter::Value {
                field: fact.field,
                any: vec![fact.values.first().map_or(text, |value| (*value).to_owned())]
            },
        }),
        (0_i64..4_102_444_800_000, 0..4).prop_map(|(ms, kind)| Filter::Time {
            op: [Op::Less, Op::AtMost, Op::AtLeast, Op::More][usize::try_from(ms % 4).unwrap()],
            moment: match kind {
                0 => Moment::Ago(ms),
                1 => Moment::Midnight(u32::from(ms % 2 == 0)),
                2 => Moment::Wall(ms),
                _ => Moment::Utc(ms),
            },
        }),
        any::<bool>().prop_map(Filter::Ok),
        Just(Filter::Is(Flag::Stuck)),
        Just(Filter::Has(Field::File)),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4)
                .prop_filter("flat", |parts| !parts.iter().any(|part| matches!(part, Filter::And(_))))
                .prop_map(Filter::And),
            prop::collection::vec(inner.clone(), 2..4)
                .prop_filter("flat", |parts| !parts.iter().any(|part| matches!(part, Filter::Or(_))))
                .prop_map(Filter::Or),
            inner.prop_filter("once", |part| !matches!(part, Filter::Not(_))).prop_map(not),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_reads_the_same(filter in any_filter()) {
        let text = print(&filter);
        prop_assert_eq!(parse(&text), Ok(filter), "{}", text);
    }

    #[test]
    fn any_text_is_read_or_refused_with_a_place(text in "[a-z:\"()/<>=|OR \\-\\\\é*.,0-9]{0,40}|\\PC{0,40}") {
        match parse(&text) {
            Ok(filter) => {
                let printed = print(&filter);
                prop_assert_eq!(parse(&printed), Ok(filter), "{}", printed);
            }
            Err(error) => {
                prop_assert!(error.start <= error.end && error.end <= text.len().max(1), "{} {:?}", text, error);
                prop_assert!(text.is_char_boundary(error.start.min(text.len())));
                prop_assert!(!error.message.is_empty() && !error.hint.is_empty());
            }
        }
        for cursor in 0..=text.len() {
            let completion = complete(&text, cursor);
            prop_assert!(completion.start <= completion.end && completion.end <= text.len());
        }
    }
}
