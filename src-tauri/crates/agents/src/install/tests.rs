#![allow(clippy::unwrap_used)]

use orrery_types::DiffOp;
use proptest::prelude::*;

use super::*;

const PROGRAM: &str = "/home/ada/.local/bin/orrery-hook";
const NEW: Option<&str> = Some("2.1.240 (Claude Code)");

fn after(plan: InstallPlan) -> Option<String> {
    plan.changes.into_iter().next().unwrap().after
}

const SERVER: &str = "http://127.0.0.1:4000";

fn state(text: Option<&str>) -> HookState {
    hook_state(AgentId::ClaudeCode, text, PROGRAM, None, Some(SERVER))
}

fn install(agent: AgentId, text: Option<&str>, version: Option<&str>) -> String {
    after(plan_install(agent, text, "settings.json", PROGRAM, version, Delivery::Program).unwrap()).unwrap()
}

/// Installing adds our entries and keeps the others, twice changes nothing, and removing gives the text back.
fn check(agent: AgentId, before: Option<&str>) {
    let installed = install(agent, before, NEW);
    let read = |text: &str| {
        jsonc_parser::parse_to_serde_value::<serde_json::Value>(
            text.trim_start_matches('\u{feff}'),
            &Default::default(),
        )
        .unwrap()
    };
    let now: serde_json::Value = read(&installed);
    if let Some(before) = before.filter(|text| !text.trim().is_empty()) {
        let was: serde_json::Value = read(before);
        for (key, value) in was.as_object().unwrap().iter().filter(|(key, _)| *key != "hooks") {
            assert_eq!(now.get(key), Some(value), "{installed}");
        }
        // A colon before the slashes: an address, no comment.
        for comment in before.lines().filter_map(|line| line.replace("://", ":  ").find("//").map(|at| &line[at..])) {
            assert!(installed.contains(comment), "{comment}\n{installed}");
        }
        assert_eq!(before.matches("foreign").count(), installed.matches("foreign").count());
    }
    for hook in wanted(agent, PROGRAM, NEW, Delivery::Program) {
        let groups = now["hooks"][hook.event].as_array().unwrap_or_else(|| panic!("{} in {installed}", hook.event));
        let ours = groups.iter().filter(|group| group.to_string().contains("orrery-hook")).count();
        assert_eq!(ours, 1, "{} in {installed}", hook.event);
    }
    let again = plan_install(agent, Some(&installed), "settings.json", PROGRAM, NEW, Delivery::Program).unwrap();
    assert!(again.changes.is_empty(), "second time:\n{installed}\n{again:?}");
    let removed = after(plan_uninstall(agent, Some(&installed), "settings.json", PROGRAM).unwrap());
    assert_eq!(removed.as_deref(), before, "installed:\n{installed}");
}

#[test]
fn removing_gives_back_every_byte() {
    let files = [
        None,
        Some(""),
        Some("\n"),
        Some("{}"),
        Some("{}\n"),
        Some("{ }"),
        Some("{\n}\n"),
        Some("{\n  // nothing yet\n}\n"),
        Some("{\"model\":\"opus\"}"),
        Some("{\"model\": \"opus\", \"env\": {\"A\": \"1\"}}\n"),
        Some("{\n  \"model\": \"opus\"\n}"),
        Some("{\r\n\t\"model\": \"opus\",\r\n\t\"env\": {}\r\n}\r\n"),
        Some("{\n    \"model\": \"opus\", // mine\n}\n"),
        Some("{\n  \"model\": \"opus\" // mine\n  /* the end */\n}\n"),
        Some("\u{feff}{\n  \"model\": \"opus\"\n}\n"),
        Some("{\"hooks\": {}}"),
        Some("{\n  \"hooks\": {\n  }\n}\n"),
        Some("{\n  \"hooks\": { }, \"z\": 1\n}\n"),
        Some("{\n  \"hooks\": {\n    // none\n  }\n}\n"),
        Some("{ \"hooks\": { \"PreToolUse\": [] } }"),
        Some("{ \"hooks\": { \"PreToolUse\": [ ], \"Stop\": [\n ] } }"),
        Some(
            "{\n  \"hooks\": {\n    \"PreToolUse\": [\n      {\n        \"matcher\": \"Bash\",\n        \"hooks\": [\n          { \"type\": \"command\", \"command\": \"foreign\" }\n        ]\n      }\n    ]\n  },\n  \"model\": \"opus\"\n}\n",
        ),
        Some(
            "{\n  \"hooks\": {\n    \"PreToolUse\": [\n      { \"hooks\": [ { \"type\": \"command\", \"command\": \"foreign\" } ] }, // keep\n    ],\n    \"Stop\": [ { \"hooks\": [], }, ],\n  },\n}\n",
        ),
        Some(
            "{\n  \"hooks\": {\n    \"PreToolUse\": [\n      { \"hooks\": [ { \"type\": \"command\", \"command\": \"foreign\" } ] } // keep, and //this\n    ]\n  }\n}\n",
        ),
        Some(
            "{\"hooks\":{\"Stop\":[{\"hooks\":[{\"type\":\"command\",\"command\":\"foreign\"}]}]},\"x\":\"/* no comment */ // nor this\"}",
        ),
        Some(
            "{\n\n  \"a\": [1,\n 2],\n\n  \"hooks\": {\n\n    \"Stop\": [\n\n      { \"hooks\": [ { \"command\": \"foreign\" } ] }\n\n    ]\n\n  }\n\n}\n\n",
        ),
    ];
    for before in files {
        check(AgentId::ClaudeCode, before);
        check(AgentId::Codex, before);
    }
}

/// What people's files look like after years of hands and programs in them.
#[test]
fn hostile_files_come_back_as_they_were() {
    let deep = format!("{{\"a\": {}1{}, \"hooks\": {{}}}}", "[".repeat(90), "]".repeat(90));
    let huge = format!(
        "{{\"env\": {{{}}}}}",
        (0..4_000).map(|n| format!("\"K{n}\": \"{n}\"")).collect::<Vec<_>>().join(",\n")
    );
    let files = [
        // Tabs, other people's hooks in the same event, and no newline at the end.
        "{\n\t\"hooks\": {\n\t\t\"Stop\": [\n\t\t\t{\n\t\t\t\t\"hooks\": [\n\t\t\t\t\t{ \"type\": \"command\", \"command\": \"foreign\" }\n\t\t\t\t]\n\t\t\t}\n\t\t]\n\t}\n}",
        // A key twice outside of the hooks: JSON says the last one counts, and it is not ours to mend.
        "{\n  \"model\": \"opus\",\n  \"model\": \"haiku\"\n}\n",
        // A byte order mark with Windows' line ends.
        "\u{feff}{\r\n  \"model\": \"opus\",\r\n  // mine\r\n  \"hooks\": {\r\n  }\r\n}\r\n",
        // Comments in every gap.
        "/* a */ { // b\n /* c */ \"hooks\" /* d */ : /* e */ { /* f */ \"Stop\" /* g */ : [ /* h */ ] /* i */ } /* j */ } // k\n",
        "// head\n\n{\n  /* one\n     two */\n  \"model\": \"opus\" /* kept */, // and this\n}\n// tail",
        // Text that looks like ours or like structure, in strings.
        "{\"note\": \"orrery-hook { \\\"hooks\\\": [ ] }\", \"x\": \"/* */\"}",
        // A group with a matcher that holds a foreign handler and an odd field.
        "{\"hooks\": {\"PreToolUse\": [{\"matcher\": \"Bash|Edit\", \"hooks\": [{\"type\": \"command\", \"command\": \"foreign\", \"if\": \"Bash(git *)\"}], \"x\": null}], \"Unknown\": [1, \"two\", {}]}}",
        // Another program's http hook on another port, and a foreign path on ours.
        "{\"hooks\": {\"Stop\": [{\"hooks\": [{\"type\": \"http\", \"url\": \"http://127.0.0.1:4000/hooks/foreign\"}, {\"type\": \"http\", \"url\": \"https://foreign.example/hooks/claude-code\"}]}]}}",
        // Empty lines, trailing spaces, commas at the ends.
        "\n\n{\n\n  \"a\": 1 ,   \n\n  \"hooks\": {\n    \"Stop\": [\n    ],\n  },\n\n}\n\n\n",
        // Unicode in keys and values, escapes, numbers of any form.
        "{\"\u{1f980}\": \"\\u00e9\\\\\", \"n\": [1e9, -0, 0.10], \"t\": true, \"z\": null}",
        &deep,
        &huge,
        // On one line, with hooks before and after.
        "{\"a\":{\"hooks\":{\"Stop\":[]}},\"hooks\":{\"Stop\":[{\"hooks\":[]}]},\"b\":[]}",
        "{\n  \"hooks\": {\n    \"Stop\": [\n      { \"hooks\": [ { \"type\": \"command\", \"command\": \"foreign\" } ] }\n    ], \"PreToolUse\": [ ]\n  }\n}\n",
    ];
    for before in files {
        check(AgentId::ClaudeCode, Some(before));
        check(AgentId::Codex, Some(before));
    }
}

/// White space and comments as they may stand between any two tokens.
fn gap() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just(String::new()),
        3 => Just(" ".to_owned()),
        3 => Just("\n  ".to_owned()),
        1 => Just("\r\n\t".to_owned()),
        1 => Just(" /* c, } */ ".to_owned()),
        1 => Just("// c ] \"\n".to_owned()),
    ]
}

/// A list of members in brackets, with gaps around them and perhaps a comma behind the last.
fn listed(open: char, close: char, member: BoxedStrategy<String>, most: usize) -> BoxedStrategy<String> {
    (prop::collection::vec((gap(), member, gap()), 0..most), gap(), any::<bool>())
        .prop_map(move |(members, inside, comma)| {
            let parts: Vec<String> =
                members.iter().map(|(before, member, after)| format!("{before}{member}{after}")).collect();
            let comma = if comma && !parts.is_empty() { "," } else { "" };
            let inside = if parts.is_empty() { inside } else { String::new() };
            format!("{open}{}{comma}{inside}{close}", parts.join(","))
        })
        .boxed()
}

fn settings() -> impl Strategy<Value = String> {
    let foreign = Just(r#"{ "type": "command", "command": "foreign" }"#.to_owned()).boxed();
    let handlers = listed('[', ']', foreign, 3);
    let group = (gap(), handlers).prop_map(|(gap, handlers)| format!("{{\"hooks\":{gap}{handlers}}}")).boxed();
    let groups = listed('[', ']', group, 3);
    let events = (
        prop::sample::subsequence(vec!["Stop", "PreToolUse", "SessionEnd", "Other"], 0..=4),
        prop::collection::vec((gap(), gap(), groups), 4),
        gap(),
        any::<bool>(),
    );
    let hooks = events.prop_map(|(names, parts, inside, comma)| {
        let members: Vec<String> = names
            .iter()
            .zip(&parts)
            .map(|(name, (one, two, groups))| format!("{one}\"{name}\":{two}{groups}"))
            .collect();
        let comma = if comma && !members.is_empty() { "," } else { "" };
        let inside = if members.is_empty() { inside } else { String::new() };
        format!("\"hooks\":{{{}{comma}{inside}}}", members.join(","))
    });
    let other = prop_oneof![
        Just("\"model\": \"opus\"".to_owned()),
        Just("\"env\": {\"A\": \"1\"}".to_owned()),
        Just("\"list\":[ ]".to_owned())
    ];
    let root = (
        gap(),
        prop::collection::vec((gap(), other, gap()), 0..3),
        prop::option::of((0..3_usize, gap(), hooks)),
        gap(),
        gap(),
        any::<bool>(),
    );
    root.prop_map(|(head, others, hooks, inside, tail, comma)| {
        let mut members: Vec<String> =
            others.iter().map(|(before, member, after)| format!("{before}{member}{after}")).collect();
        if let Some((at, gap, hooks)) = hooks {
            members.insert(at.min(members.len()), format!("{gap}{hooks}"));
        }
        let comma = if comma && !members.is_empty() { "," } else { "" };
        let inside = if members.is_empty() { inside } else { String::new() };
        format!("{head}{{{}{comma}{inside}}}{tail}", members.join(","))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_settings_come_back_as_they_were(before in settings(), http in any::<bool>()) {
        let delivery = if http { Delivery::Http { base_url: SERVER } } else { Delivery::Program };
        let plan = |text: &str| plan_install(AgentId::ClaudeCode, Some(text), "s", PROGRAM, NEW, delivery).unwrap();
        let installed = after(plan(&before)).unwrap();
        prop_assert_eq!(hook_state(AgentId::ClaudeCode, Some(&installed), PROGRAM, NEW, Some(SERVER)), HookState::Installed { events: 28 });
        prop_assert!(plan(&installed).changes.is_empty(), "second time:\n{}", installed);
        prop_assert_eq!(before.matches("foreign").count(), installed.matches("foreign").count());
        let removed = after(plan_uninstall(AgentId::ClaudeCode, Some(&installed), "s", PROGRAM).unwrap());
        prop_assert_eq!(removed.as_deref(), Some(before.as_str()), "installed:\n{}", installed);
    }
}

#[test]
fn http_is_for_those_who_choose_it_and_never_for_session_start() {
    let plan = |text: Option<&str>, version, delivery| {
        plan_install(AgentId::ClaudeCode, text, "s", PROGRAM, version, delivery).unwrap()
    };
    let http = Delivery::Http { base_url: SERVER };
    let new = plan(None, NEW, http);
    assert!(new.notes.iter().any(|note| note.contains("26 of 28")), "{:?}", new.notes);
    let text = after(new).unwrap();
    let url = r#"{ "type": "http", "url": "http://127.0.0.1:4000/hooks/claude-code", "timeout": 5 }"#;
    assert!(text.contains(&format!("\"PreToolUse\": [ {{ \"hooks\": [ {url} ] }} ]")), "{text}");
    for event in ["SessionStart", "Setup"] {
        let line = text.lines().find(|line| line.contains(&format!("\"{event}\""))).unwrap();
        assert!(line.contains("\"command\"") && !line.contains("http://"), "{line}");
    }
    // A version before http hooks, and an agent without them, keep the program and are told so.
    let old = plan(None, Some("2.1.62"), http);
    assert!(
        !after(old.clone()).unwrap().contains("http://")
            && old.notes.iter().any(|note| note.contains("posts no hooks"))
    );
    let codex = plan_install(AgentId::Codex, None, "h", PROGRAM, None, http).unwrap();
    assert!(!after(codex).unwrap().contains("http://"));
    // The choice can be taken back, and a server that moved is followed, each entry in its place.
    let back = after(plan(Some(&text), NEW, Delivery::Program)).unwrap();
    assert_eq!(back, after(plan(None, NEW, Delivery::Program)).unwrap());
    let moved = after(plan(Some(&text), NEW, Delivery::Http { base_url: "http://127.0.0.1:4001" })).unwrap();
    assert_eq!(moved, text.replace(":4000", ":4001"));
    assert!(matches!(
        hook_state(AgentId::ClaudeCode, Some(&moved), PROGRAM, NEW, Some(SERVER)),
        HookState::Partial { installed: 2, .. }
    ));
    assert!(matches!(hook_state(AgentId::ClaudeCode, Some(&moved), PROGRAM, NEW, None), HookState::Installed { .. }));
    assert_eq!(after(plan_uninstall(AgentId::ClaudeCode, Some(&moved), "s", PROGRAM).unwrap()), None);
}

/// Approval in `/hooks` hangs on an entry's text and place.
#[test]
fn codex_entries_stay_as_they_are_over_updates() {
    let install = |text: Option<&str>, version| {
        plan_install(AgentId::Codex, text, "hooks.json", PROGRAM, version, Delivery::Program).unwrap()
    };
    let first = after(install(None, Some("0.150.0"))).unwrap();
    // Another version, and one that did not say which it is.
    assert!(install(Some(&first), Some("0.169.0")).changes.is_empty());
    assert!(install(Some(&first), None).changes.is_empty());
    let old = after(install(None, Some("0.140.0"))).unwrap();
    let grown = after(install(Some(&old), Some("0.169.0"))).unwrap();
    let lines = |text: &str| text.lines().map(|line| line.trim_end_matches(',').to_owned()).collect::<Vec<_>>();
    assert!(lines(&old).iter().all(|line| lines(&grown).contains(line)), "{grown}");
}

#[test]
fn our_entries_are_found_with_what_they_do() {
    let text = install(AgentId::ClaudeCode, None, NEW);
    let found = configured(AgentId::ClaudeCode, Some(&text), "s", PROGRAM).unwrap();
    assert_eq!(
        found[0],
        ("SessionStart".to_owned(), Handler::Program { program: PROGRAM.to_owned(), args: Vec::new() })
    );
    let codex = install(AgentId::Codex, None, NEW);
    let found = configured(AgentId::Codex, Some(&codex), "s", PROGRAM).unwrap();
    assert_eq!(found[0].1, Handler::Shell(format!("{PROGRAM} --agent codex")));
    let http = r#"{"hooks": {"Stop": [{"hooks": [{"type": "http", "url": "http://localhost:7/hooks/claude-code", "headers": {"A": "b"}}]}]}}"#;
    let found = configured(AgentId::ClaudeCode, Some(http), "s", PROGRAM).unwrap();
    let headers = vec![("A".to_owned(), "b".to_owned())];
    assert_eq!(found[0].1, Handler::Http { url: "http://localhost:7/hooks/claude-code".to_owned(), headers });
    assert!(configured(AgentId::ClaudeCode, Some("{"), "s", PROGRAM).is_err());
    assert_eq!(configured(AgentId::ClaudeCode, None, "s", PROGRAM), Ok(Vec::new()));
}

#[test]
fn bytes_that_are_no_text_are_refused_with_their_place() {
    let refused = text_of(b"{\n  \"a\": \"\xff\"\n}".to_vec(), "s").unwrap_err();
    let InstallError::Unreadable { line, column, .. } = refused else { panic!("{refused}") };
    assert_eq!((line, column), (2, 9));
    assert!(text_of(b"\xff\xfe{\0}\0".to_vec(), "s").unwrap_err().to_string().contains("not UTF-8 (line 1, column 1)"));
    assert!(text_of(vec![b' '; 9 << 20], "s").unwrap_err().to_string().contains("larger than 8 MB"));
    assert_eq!(text_of(b"{}".to_vec(), "s").as_deref(), Ok("{}"));
}

#[test]
fn entries_are_written_for_the_version() {
    let new = install(AgentId::ClaudeCode, None, NEW);
    assert!(new.contains(r#""PreToolUse": [ { "hooks": [ { "type": "command", "command": "/home/ada/.local/bin/orrery-hook", "args": [], "timeout": 5 } ] } ]"#), "{new}");
    assert!(new.contains(r#""args": [], "timeout": 1 }"#));
    for event in ["WorktreeCreate", "MessageDisplay", "FileChanged", "PostModelSwitch"] {
        assert!(!new.contains(event), "{event}");
    }
    let unknown = install(AgentId::ClaudeCode, None, None);
    assert!(!unknown.contains("args") && !unknown.contains("PostToolUseFailure") && unknown.contains("SessionEnd"));
    let spaced =
        plan_install(AgentId::ClaudeCode, None, "s", "/home/a b/orrery-hook", None, Delivery::Program).unwrap();
    assert!(after(spaced).unwrap().contains(r#""command": "'/home/a b/orrery-hook'""#));
    let codex = install(AgentId::Codex, None, Some("codex-cli 0.169.0"));
    assert!(codex.contains(r#""command": "/home/ada/.local/bin/orrery-hook --agent codex", "timeout": 10"#), "{codex}");
    assert!(codex.contains("Interrupt") && codex.contains("\"timeout\": 3"));
    assert!(!install(AgentId::Codex, None, Some("0.140.0")).contains("SessionEnd"));
}

#[test]
fn an_old_entry_of_ours_is_brought_up_to_date_in_its_place() {
    let old = install(AgentId::ClaudeCode, Some("{\"z\": 1}"), None).replace("/home/ada/.local/bin", "/old place");
    assert!(matches!(state(Some(&old)), HookState::Partial { installed: 0, .. }));
    let new = install(AgentId::ClaudeCode, Some(&old), NEW);
    assert!(
        !new.contains("/old place")
            && new.matches("orrery-hook").count() == wanted(AgentId::ClaudeCode, PROGRAM, NEW, Delivery::Program).len()
    );
    assert!(matches!(state(Some(&new)), HookState::Installed { .. }));
    assert_eq!(
        after(plan_uninstall(AgentId::ClaudeCode, Some(&new), "s", PROGRAM).unwrap()).as_deref(),
        Some("{\"z\": 1}")
    );
}

#[test]
fn the_state_is_told() {
    assert_eq!(state(None), HookState::Absent);
    assert_eq!(state(Some("{\"hooks\": {}}")), HookState::Absent);
    assert!(matches!(state(Some("{\"hooks\": ")), HookState::Unreadable { .. }));
    let one =
        r#"{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "/home/ada/.local/bin/orrery-hook"}]}]}}"#;
    assert!(matches!(state(Some(one)), HookState::Partial { installed: 1, .. }));
}

#[test]
fn what_cannot_be_read_is_refused_with_its_place() {
    let refused = |text: &str| {
        plan_install(AgentId::ClaudeCode, Some(text), "~/.claude/settings.json", PROGRAM, NEW, Delivery::Program)
            .unwrap_err()
    };
    let InstallError::Unreadable { line, column, .. } = refused("{\n  \"a\": 1,\n  \"b\": @\n}") else { panic!() };
    assert_eq!((line, column), (3, 8));
    assert!(refused("{\n  \"a\": 1,\n  \"b\": @\n}").to_string().starts_with("~/.claude/settings.json cannot be read"));
    for text in [
        "[1]",
        "\"x\"",
        "null",
        "{\"hooks\": []}",
        "{\"hooks\": null}",
        "{\"hooks\": {\"Stop\": {}}}",
        "{\"hooks\": {}, \"hooks\": {}}",
        "{\"hooks\": {\"Stop\": [], \"Stop\": []}}",
    ] {
        assert!(matches!(refused(text), InstallError::Shape { .. }), "{text}");
    }
    assert!(matches!(refused("{\"a\": 1"), InstallError::Unreadable { .. }));
}

#[test]
fn a_switch_that_silences_hooks_is_named() {
    let plan =
        plan_install(AgentId::ClaudeCode, Some("{\"disableAllHooks\": true}"), "s", PROGRAM, NEW, Delivery::Program)
            .unwrap();
    assert!(plan.notes.iter().any(|note| note.contains("disableAllHooks")));
}

#[test]
fn the_diff_shows_three_lines_around_and_gaps() {
    let long: String = (0..20).map(|n| format!("  \"k{n}\": {n},\n")).collect();
    let text = format!("{{\n  \"hooks\": {{}},\n{long}  \"end\": 1\n}}\n");
    let plan = plan_install(AgentId::Codex, Some(&text), "hooks.json", PROGRAM, None, Delivery::Program).unwrap();
    let diff = &plan.changes[0].diff;
    assert_eq!(diff.iter().filter(|line| line.op == DiffOp::Same).count(), 1 + 3);
    assert!(diff.iter().any(|line| line.op == DiffOp::Removed && line.old == Some(2)));
    assert!(!plan.notes.is_empty());
}
