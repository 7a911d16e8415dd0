//! Words that must not stand in some files: raw colors, injected HTML, machine paths, stray clocks.

use regex::Regex;

use crate::{check, root, tracked_files};

/// Lines of the files `is_wanted` picks that `pattern` matches, as `file:line: text`.
fn lines_with(pattern: &str, is_wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let pattern = Regex::new(pattern).unwrap();
    let mut findings = Vec::new();
    for file in tracked_files().iter().filter(|file| is_wanted(file)) {
        // Pictures and other binary files hold no words.
        let Ok(text) = std::fs::read_to_string(root().join(file)) else { continue };
        let hits = text.lines().enumerate().filter(|(_, line)| pattern.is_match(line));
        findings.extend(hits.map(|(at, line)| format!("{file}:{}: {}", at + 1, line.trim())));
    }
    findings
}

const SELF: &str = "tests/tests/house/text.rs";

#[test]
fn raw_colors_stand_in_the_tokens_alone() {
    let functions = r"(?i)(#[0-9a-f]{3,8}\b|\b(rgba?|hsla?|hwb|oklch|oklab|lch|lab)\()";
    let is_sheet =
        |file: &str| file.starts_with("ui/styles/") && file.ends_with(".css") && file != "ui/styles/tokens.css";
    let mut findings = lines_with(functions, is_sheet);
    findings
        .extend(lines_with(r":[^;{]*\b(white|black|red|green|blue|yellow|orange|gray|grey|purple)\s*[;!]", is_sheet));
    let in_rust = r##""#[0-9a-fA-F]{3,8}"|"(rgba?|hsla?|oklch)\("##;
    findings.extend(lines_with(in_rust, |file| file.starts_with("ui/src/") && file.ends_with(".rs")));
    check("raw colors outside ui/styles/tokens.css", findings);
}

#[test]
fn nothing_writes_html_into_the_page() {
    let pattern =
        r"inner_html|innerHTML|insertAdjacentHTML|insert_adjacent_html|outerHTML|set_outer_html|document\.write";
    let is_ui = |file: &str| file.starts_with("ui/") && !file.ends_with(".md");
    check("agent output never becomes HTML", lines_with(pattern, is_ui));
}

#[test]
fn no_machine_shows_through() {
    let pattern = r"(^|[^\w.$~}-])/(root|work|home/(runner|ubuntu|debian|admin))/|/tmp/w/|registry\.npmjs\.org|static\.crates\.io|index\.crates\.io|artifactory|devpi|registry\.yarnpkg";
    check("paths of one machine, hosts of a registry", lines_with(pattern, |file| file != SELF));
}

/// Everything else receives the time and the ids it uses.
#[test]
fn clocks_are_read_where_the_house_says() {
    let pattern = r"\b(Utc|Local|SystemTime)::now\(|\bnow_v7\(|js_sys::Date::now\(|Date::new_0\(";
    let may = [
        "src-tauri/crates/server/src/clock.rs",
        "src-tauri/crates/client/",
        "src-tauri/crates/cli/",
        "src-tauri/crates/testkit/",
        "src-tauri/src/",
        "ui/src/",
        "scripts/xtask/",
        "scripts/bench/",
        "tests/",
    ];
    let is_bound = |file: &str| {
        file.ends_with(".rs") && !may.iter().any(|start| file.starts_with(start)) && !file.contains("/tests/")
    };
    check("the clock is read outside its places", lines_with(pattern, is_bound));
}

#[test]
fn no_test_is_switched_off_and_nothing_is_left_to_do() {
    let pattern = r"#\[ignore|\bTODO\b|\bFIXME\b|\bXXX\b|todo!\(|unimplemented!\(";
    let is_code =
        |file: &str| file != SELF && [".rs", ".mjs", ".css", ".sh"].iter().any(|ending| file.ends_with(ending));
    check("work left lying", lines_with(pattern, is_code));
}
