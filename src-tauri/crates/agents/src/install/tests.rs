#![allow(clippy::unwrap_used)]

use orrery_types::DiffOp;

use super::*;

const PROGRAM: &str = "/home/ada/.local/bin/orrery-hook";
const NEW: Option<&str> = Some("2.1.240 (Claude Code)");

fn after(plan: InstallPlan) -> Option<String> {
    plan.changes.into_iter().next().unwrap().after
}

fn install(agent: AgentId, text: Option<&str>, version: Option<&str>) -> String {
    after(plan_install(agent, text, "settings.json", PROGRAM, version).unwrap()).unwrap()
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
        for comment in before.lines().filter_map(|line| line.find("//").map(|at| &line[at..])) {
            assert!(installed.contains(comment), "{comment}\n{installed}");
        }
        assert_eq!(before.matches("foreign").count(), installed.matches("foreign").count());
    }
    for hook in wanted(agent, PROGRAM, NEW) {
        let groups = now["hooks"][hook.event].as_array().unwrap_or_else(|| panic!("{} in {installed}", hook.event));
        let ours = groups.iter().filter(|group| group.to_string().contains("orrery-hook")).count();
        assert_eq!(ours, 1, "{} in {installed}", hook.event);
    }
    let again = plan_install(agent, Some(&installed), "settings.json", PROGRAM, NEW).unwrap();
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
    let spaced = plan_install(AgentId::ClaudeCode, None, "s", "/home/a b/orrery-hook", None).unwrap();
    assert!(after(spaced).unwrap().contains(r#""command": "'/home/a b/orrery-hook'""#));
    let codex = install(AgentId::Codex, None, Some("codex-cli 0.169.0"));
    assert!(codex.contains(r#""command": "/home/ada/.local/bin/orrery-hook --agent codex", "timeout": 10"#), "{codex}");
    assert!(codex.contains("Interrupt") && codex.contains("\"timeout\": 3"));
    assert!(!install(AgentId::Codex, None, Some("0.140.0")).contains("SessionEnd"));
}

#[test]
fn an_old_entry_of_ours_is_brought_up_to_date_in_its_place() {
    let old = install(AgentId::ClaudeCode, Some("{\"z\": 1}"), None).replace("/home/ada/.local/bin", "/old place");
    assert!(matches!(hook_state(AgentId::ClaudeCode, Some(&old), PROGRAM), HookState::Partial { installed: 0, .. }));
    let new = install(AgentId::ClaudeCode, Some(&old), NEW);
    assert!(
        !new.contains("/old place")
            && new.matches("orrery-hook").count() == wanted(AgentId::ClaudeCode, PROGRAM, NEW).len()
    );
    assert!(matches!(hook_state(AgentId::ClaudeCode, Some(&new), PROGRAM), HookState::Installed { .. }));
    assert_eq!(
        after(plan_uninstall(AgentId::ClaudeCode, Some(&new), "s", PROGRAM).unwrap()).as_deref(),
        Some("{\"z\": 1}")
    );
}

#[test]
fn the_state_is_told() {
    assert_eq!(hook_state(AgentId::ClaudeCode, None, PROGRAM), HookState::Absent);
    assert_eq!(hook_state(AgentId::ClaudeCode, Some("{\"hooks\": {}}"), PROGRAM), HookState::Absent);
    assert!(matches!(hook_state(AgentId::ClaudeCode, Some("{\"hooks\": "), PROGRAM), HookState::Unreadable { .. }));
    let one =
        r#"{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "/home/ada/.local/bin/orrery-hook"}]}]}}"#;
    assert!(matches!(hook_state(AgentId::ClaudeCode, Some(one), PROGRAM), HookState::Partial { installed: 1, .. }));
}

#[test]
fn what_cannot_be_read_is_refused_with_its_place() {
    let refused = |text: &str| {
        plan_install(AgentId::ClaudeCode, Some(text), "~/.claude/settings.json", PROGRAM, NEW).unwrap_err()
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
    ] {
        assert!(matches!(refused(text), InstallError::Shape { .. }), "{text}");
    }
    assert!(matches!(refused("{\"a\": 1"), InstallError::Unreadable { .. }));
}

#[test]
fn a_switch_that_silences_hooks_is_named() {
    let plan = plan_install(AgentId::ClaudeCode, Some("{\"disableAllHooks\": true}"), "s", PROGRAM, NEW).unwrap();
    assert!(plan.notes.iter().any(|note| note.contains("disableAllHooks")));
}

#[test]
fn the_diff_shows_three_lines_around_and_gaps() {
    let long: String = (0..20).map(|n| format!("  \"k{n}\": {n},\n")).collect();
    let text = format!("{{\n  \"hooks\": {{}},\n{long}  \"end\": 1\n}}\n");
    let plan = plan_install(AgentId::Codex, Some(&text), "hooks.json", PROGRAM, None).unwrap();
    let diff = &plan.changes[0].diff;
    assert_eq!(diff.iter().filter(|line| line.op == DiffOp::Same).count(), 1 + 3);
    assert!(diff.iter().any(|line| line.op == DiffOp::Removed && line.old == Some(2)));
    assert!(!plan.notes.is_empty());
}
