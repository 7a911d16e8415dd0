//! The program on a desktop: what is dragged out of it, and what its tray says. No WebDriver: real pointer, real bus.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use orrery_tests::{Api, Bus, Desktop, Display, DropTarget, Home, Panel, until};
use serde_json::{Value, json};

fn hook(session: &str, event: &str, fields: Value) -> Value {
    let mut payload = json!({"session_id": session, "transcript_path": "/nowhere/t.jsonl", "cwd": "/home/sam/shop",
        "hook_event_name": event});
    payload.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    payload
}

fn set(api: &Api, settings: &Value) {
    let (status, answer) = api.send("PATCH", "/api/v1/settings", settings);
    assert_eq!(status, 200, "{answer}");
}

fn names_in(folder: &std::path::Path) -> Vec<String> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_session_dragged_out_of_the_window_lands_as_a_file() {
    let (home, display, bus) = (Home::new(), Display::start(), Bus::start());
    let desktop = Desktop::start(&home, &display, &bus, &["orrery://session/s-drag"]);
    let api = desktop.api();
    set(&api, &json!({"welcomed": true, "export_format": "md"}));
    api.post_hook(&hook("s-drag", "UserPromptSubmit", json!({"prompt": "Fix ../../the 'checkout' test \u{1f600}"})));
    api.post_hook(&hook("s-drag", "Stop", json!({"last_assistant_message": "The checkout test is fixed"})));

    let taken = tempfile::tempdir().unwrap();
    let place = desktop.place();
    let _target = DropTarget::open(&display, &bus, taken.path(), (1000, 640));
    // The head of the session: below the top bar, right of the rail.
    let head = (place.0 + 420, place.1 + 74);
    until("a dropped session lands in the folder", 60, || {
        desktop.carry(head, (1080, 720));
        std::thread::sleep(std::time::Duration::from_millis(700));
        !names_in(taken.path()).is_empty()
    });

    let names = names_in(taken.path());
    let [name] = names.as_slice() else { panic!("one file, and no more: {names:?}") };
    assert!(name.ends_with(".md") && name.is_ascii() && !name.contains(".."), "{name}");
    let text = std::fs::read_to_string(taken.path().join(name)).unwrap();
    assert!(text.contains("The checkout test is fixed"), "{text}");

    let outgoing = home.data_dir().join("outgoing");
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(std::fs::metadata(&outgoing).unwrap().permissions().mode() & 0o777, 0o700);
    desktop.terminate();
    assert_eq!(names_in(&outgoing), Vec::<String>::new(), "nothing is left behind");
}

#[test]
fn the_tray_says_who_waits_and_its_entries_work() {
    let (home, display, bus) = (Home::new(), Display::start(), Bus::start());
    let panel = Panel::start(&bus);
    let desktop = Desktop::start(&home, &display, &bus, &["--hidden"]);
    let api = desktop.api();
    set(&api, &json!({"welcomed": true}));
    until("the tray is there and calm", 60, || panel.menu().iter().any(|entry| entry == "Nothing active"));
    assert!(!desktop.is_visible(), "started hidden, it waits in the tray");
    let calm = panel.icon();
    assert!(!calm.is_empty());

    api.post_hook(&hook("s-ask", "UserPromptSubmit", json!({"prompt": "Publish it"})));
    let asks = json!({"tool_name": "Bash", "tool_input": {"command": "git push --force"}});
    api.post_hook(&hook("s-ask", "PermissionRequest", asks));
    let waiting = "shop: permission for git push --force";
    until("the session that waits has an entry", 30, || panel.menu().iter().any(|entry| entry == waiting));
    until("and the picture changes", 10, || panel.icon() != calm);

    let asking = panel.icon();
    panel.press("Until tomorrow");
    until("alerts are paused", 10, || panel.menu().iter().any(|entry| entry == "Resume alerts"));
    assert!(api.get("/api/v1/overview")["alerts_paused_until_ms"].as_i64().is_some());
    until("the picture says so", 10, || panel.icon() != asking && panel.icon() != calm);
    panel.press("Resume alerts");
    until("alerts go on", 10, || api.get("/api/v1/overview")["alerts_paused_until_ms"].is_null());

    panel.press("Start at login");
    let autostart = home.path().join(".config/autostart");
    until("it starts at login", 10, || autostart.is_dir() && !names_in(&autostart).is_empty());
    panel.press("Start at login");
    until("it does no more", 10, || names_in(&autostart).is_empty());

    panel.press("shop: permission");
    until("the entry opens the window", 20, || desktop.is_visible());
    panel.press("Quit");
    until("Quit ends it", 20, || !desktop.is_visible());
}
