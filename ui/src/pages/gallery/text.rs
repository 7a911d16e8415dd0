//! Type, code, output, diffs and prose.

use leptos::prelude::*;

use super::Exhibit;
use crate::components::{Code, Diff, Empty, Markdown, Output, diff_lines};

const CODE: &str = "/// Reads one line.\nfn read(file: &mut File) -> Result<String, Error> {\n    let mut line = String::new();\n    file.read_line(&mut line)?; // 1 MB at most\n    Ok(line)\n}";
const OLD: &str =
    "let body = req.body();\nif body.len() > MAX_BODY {\n    return Err(TooLarge);\n}\nOk(body.clone())\n";
const NEW: &str = "let gz = req.encoding() == Gzip;\nlet body = if gz { gunzip(req)? } else { req.body() };\nif body.len() > MAX_BODY {\n    return Err(TooLarge);\n}\nOk(body)\n";
const PROSE: &str = "### What changed\n\nThe **tail** is flushed *before* the rename:\n\n1. write\n2. `fsync`\n3. rename\n\n> A crash in between leaves the old file.\n\n| step | cost |\n|---|---|\n| fsync | 4 ms |\n\n[The issue](https://example.com/1)";

#[component]
pub fn Texts() -> impl IntoView {
    let sizes = [
        ("11", "label"),
        ("12", "figure, code"),
        ("13", "text"),
        ("15", "title"),
        ("18", "page title"),
        ("24", "headline figure"),
    ];
    let sample = |(size, what): (&'static str, &'static str)| {
        view! {
            <p style=format!("font-size:var(--fs-{size})")>{format!("{size} {what} ")}<span style="font-family:var(--font-code)">"$1,284.20 → 0O 1lI"</span></p>
        }
    };
    let colors = |token: &'static str| view! { <span class="gallery__color"><i style:background=format!("var({token})")></i>{&token[2..]}</span> };
    let long: String = (1..=40).map(|line| format!("line {line}\n")).collect();
    view! {
        <Exhibit id="type" name="Type" tall=true>{sizes.map(sample)}</Exhibit>
        <Exhibit id="color" name="Color">
            {["--surface", "--surface-raised", "--surface-overlay", "--fill", "--hairline", "--text", "--text-muted", "--text-faint", "--mark", "--accent",
                "--attention", "--danger", "--passed"].map(colors)}
            {["--series-1", "--series-2", "--series-3", "--series-4", "--series-5", "--series-6", "--series-7", "--series-8"].map(colors)}
        </Exhibit>
        <Exhibit id="code" name="Code and output" tall=true>
            <Code text=CODE lang="rs"/>
            <Output text="running 3 tests\ntest a ... ok\ntest b ... FAILED\n\nerror: test failed"/>
            <Output text=long/>
        </Exhibit>
        <Exhibit id="diff" name="Diff" tall=true><Diff lines=diff_lines(OLD, NEW) lang="rs"/></Exhibit>
        <Exhibit id="markdown" name="Prose" tall=true><Markdown text=PROSE/></Exhibit>
        <Exhibit id="empty" name="Empty state">
            <Empty title="No agent works right now" say="A session shows up here with its first prompt">
                <button type="button" class="btn btn--small">"All sessions"</button>
            </Empty>
            <Empty title="The costs could not be read" say="The server does not answer. It may be restarting">
                <button type="button" class="btn btn--small">"Try again"</button>
            </Empty>
        </Exhibit>
    }
}
