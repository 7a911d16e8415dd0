//! The real window under a virtual screen.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use orrery_tests::{Api, Bus, Display, Driver, Home, until, until_some};
use serde_json::{Value, json};

const CONTROL: char = '\u{E009}';

/// The server inside the window's process, once it wrote its port down.
fn api_of(home: &Home) -> Api {
    let port = until_some("the window's server names its port", 60, || {
        let text = std::fs::read_to_string(home.data_dir().join("port")).ok()?;
        text.trim().parse::<u16>().ok()
    });
    Api::new(&format!("http://127.0.0.1:{port}"), &home.data_dir())
}

fn prompt(session: &str, text: &str) -> Value {
    json!({"session_id": session, "transcript_path": "/nowhere/t.jsonl", "cwd": "/home/sam/shop",
        "hook_event_name": "UserPromptSubmit", "prompt": text})
}

#[test]
fn the_window_shows_an_event_posted_a_moment_ago() {
    let (home, display, bus) = (Home::new(), Display::start(), Bus::start());
    let window = Driver::open(&home, &display, &bus);
    let api = api_of(&home);
    let (status, _) = api.send("PATCH", "/api/v1/settings", &json!({"welcomed": true}));
    assert_eq!(status, 200);
    until("the window has its title", 60, || window.title().contains("Orrery"));
    until("the page is there", 60, || window.find("main").is_some());

    let opened = window.url();
    api.post_hook(&prompt("s-window", "Fix the checkout test"));
    until("the prompt stands in the window without a reload", 20, || window.text().contains("Fix the checkout test"));
    assert!(window.url().starts_with(opened.split("/app/").next().unwrap()), "the same page all the time");

    let dark = window.run("return getComputedStyle(document.documentElement).colorScheme");
    assert!(dark.as_str().is_some_and(|scheme| !scheme.is_empty()));

    window.press(Some(CONTROL), 'k');
    until("the palette opens with Ctrl+K", 10, || window.find("[role=dialog] input, dialog[open] input").is_some());
}
