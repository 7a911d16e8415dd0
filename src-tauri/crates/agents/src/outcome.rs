//! What came of a tool call: success, exit code, output and changed lines, from whatever shape an agent gives it.

use orrery_types::clip;
use serde_json::Value;

use crate::json::{any, filled, first_line, flag};
use crate::tool::patch_text;

const OUTPUT_BYTES: usize = 8 * 1024;
const ERROR_CHARS: usize = 200;

/// The result of one call. `ok` is what the shape itself says; a caller that knows better overrides it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    pub ok: bool,
    pub error: Option<String>,
    pub exit_code: Option<i32>,
    pub duration_ms: Option<i64>,
    pub output: String,
    pub lines: Option<(u32, u32)>,
}

/// Reads a Claude-like `tool_response`: an object, a list of blocks, or a text.
pub fn of_response(response: &Value) -> Outcome {
    let exit_code = any(response, &["exit_code", "exitCode", "returnCode"])
        .or_else(|| any(response.get("metadata")?, &["exit_code"]))
        .and_then(Value::as_i64)
        .and_then(|code| i32::try_from(code).ok());
    let interrupted = flag(response, "interrupted");
    let says_error = ["is_error", "isError"].iter().any(|name| flag(response, name))
        || response.get("success").and_then(Value::as_bool) == Some(false);
    let output = text_of(response);
    let ok = !interrupted && !says_error && exit_code.unwrap_or(0) == 0;
    let error = (!ok).then(|| {
        if interrupted {
            "interrupted".to_owned()
        } else {
            error_line(filled(response, &["error", "stderr"]).unwrap_or(&output), exit_code)
        }
    });
    Outcome {
        ok,
        error,
        exit_code,
        duration_ms: None,
        output: clip(&output, OUTPUT_BYTES),
        lines: patch_lines(response),
    }
}

/// Reads a failed call's text: `Exit code 101\n...`, `<tool_use_error>...`, or a sentence.
pub fn of_failure(text: &str, interrupted: bool) -> Outcome {
    let exit_code = exit_code_in(text);
    let error = if interrupted { "interrupted".to_owned() } else { error_line(text, exit_code) };
    Outcome { ok: false, error: Some(error), exit_code, output: clip(text, OUTPUT_BYTES), ..Outcome::default() }
}

/// Reads Codex's output: text that names its exit code, JSON text of `{output, metadata}`, items, or an object.
pub fn of_codex(output: &Value) -> Outcome {
    let parsed = output.as_str().filter(|text| text.starts_with('{')).and_then(|text| serde_json::from_str(text).ok());
    let mut outcome = of_response(parsed.as_ref().unwrap_or(output));
    if outcome.exit_code.is_none() {
        outcome.exit_code = exit_code_in(&outcome.output);
        if let Some(code) = outcome.exit_code.filter(|code| *code != 0) {
            outcome.ok = false;
            outcome.error = Some(format!("exit {code}"));
        }
    }
    outcome
}

/// The text a result shows a person.
pub fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let texts: Vec<String> = items.iter().map(text_of).filter(|text| !text.is_empty()).collect();
            texts.join("\n")
        }
        Value::Object(fields) => {
            if ["stdout", "stderr"].iter().any(|name| fields.contains_key(*name)) {
                let part = |name| fields.get(name).and_then(Value::as_str).unwrap_or_default().trim_end();
                return [part("stdout"), part("stderr")].join("\n").trim().to_owned();
            }
            match fields.get("type").and_then(Value::as_str) {
                // The payload keeps it; `images` takes it out for whoever looks.
                Some("image" | "input_image") => return "[image]".to_owned(),
                Some("document") => return "[document]".to_owned(),
                _ => {}
            }
            if let Some(file) = fields.get("file").and_then(|file| filled(file, &["content"])) {
                return file.to_owned();
            }
            if fields.contains_key("structuredPatch") {
                return String::new();
            }
            const NAMES: [&str; 9] =
                ["text", "output", "content", "result", "message", "error", "filenames", "aggregated_output", "Ok"];
            match any(value, &NAMES) {
                Some(found) => text_of(found),
                None => serde_json::to_string(&clip_fields(value)).unwrap_or_default(),
            }
        }
        plain => plain.to_string(),
    }
}

fn clip_fields(value: &Value) -> Value {
    crate::tool::clip_input(value)
}

/// Added and removed lines of an edit: from its `structuredPatch`, or all of a new file.
fn patch_lines(response: &Value) -> Option<(u32, u32)> {
    let hunks = response.get("structuredPatch")?.as_array()?;
    if hunks.is_empty() {
        let new = filled(response, &["type"]) == Some("create");
        let lines = filled(response, &["content"]).map_or(0, |text| text.lines().count());
        return new.then(|| (u32::try_from(lines).unwrap_or(u32::MAX), 0));
    }
    let lines = hunks.iter().filter_map(|hunk| hunk.get("lines")?.as_array()).flatten().filter_map(Value::as_str);
    Some(count_marks(lines, ""))
}

/// Added and removed lines of an `apply_patch` call.
pub fn apply_patch_lines(input: &Value) -> Option<(u32, u32)> {
    patch_text(input).map(|patch| count_marks(patch.lines(), "*** "))
}

/// Added and removed lines of a unified diff.
pub fn diff_lines(diff: &str) -> (u32, u32) {
    count_marks(diff.lines().filter(|line| !line.starts_with("+++ ") && !line.starts_with("--- ")), "@@")
}

fn count_marks<'a>(lines: impl Iterator<Item = &'a str>, skip: &str) -> (u32, u32) {
    lines.filter(|line| skip.is_empty() || !line.starts_with(skip)).fold((0, 0), |(added, removed), line| {
        match line.as_bytes().first() {
            Some(b'+') => (added + 1, removed),
            Some(b'-') => (added, removed + 1),
            _ => (added, removed),
        }
    })
}

fn error_line(text: &str, exit_code: Option<i32>) -> String {
    if let Some(code) = exit_code {
        return format!("exit {code}");
    }
    let text = text.trim().trim_start_matches("<tool_use_error>").trim_end_matches("</tool_use_error>");
    if text.starts_with("The user doesn't want to") {
        return "rejected by the person".to_owned();
    }
    if text.starts_with("[Request interrupted by user") {
        return "interrupted".to_owned();
    }
    let line = first_line(text, ERROR_CHARS);
    let line = line.strip_prefix("Error: ").unwrap_or(&line);
    if line.is_empty() { "failed".to_owned() } else { line.to_owned() }
}

/// `Exit code 1`, `Exit code: 1` or `Process exited with code 1` in the first lines of a text.
fn exit_code_in(text: &str) -> Option<i32> {
    const MARKS: [&str; 3] = ["Exit code: ", "Exit code ", "Process exited with code "];
    text.lines().take(6).find_map(|line| {
        let line = line.trim().trim_start_matches("Error: ");
        let rest = MARKS.iter().find_map(|mark| line.strip_prefix(mark))?;
        let digits = rest.split(|letter: char| !letter.is_ascii_digit() && letter != '-').next()?;
        digits.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_claude_results() {
        let ok = of_response(&json!({"stdout": "14 passed\n", "stderr": "", "interrupted": false}));
        assert_eq!((ok.ok, ok.output.as_str()), (true, "14 passed"));
        let edit = of_response(&json!({"filePath": "a", "structuredPatch": [{"lines": [" a", "+b", "+c", "-d"]}]}));
        assert_eq!((edit.lines, edit.output.as_str()), (Some((2, 1)), ""));
        let new = of_response(&json!({"type": "create", "content": "a\nb\n", "structuredPatch": []}));
        assert_eq!(new.lines, Some((2, 0)));
        assert!(!of_response(&json!({"stdout": "", "interrupted": true})).ok);
        assert_eq!(of_response(&json!("plain")).output, "plain");
    }

    #[test]
    fn reads_failures_in_one_line() {
        let check = |text: &str, error: &str, code: Option<i32>| {
            let outcome = of_failure(text, false);
            assert_eq!((outcome.error.as_deref(), outcome.exit_code), (Some(error), code));
        };
        check("Exit code 101\nerror[E0308]", "exit 101", Some(101));
        check("Error: Exit code 2", "exit 2", Some(2));
        check("<tool_use_error>File does not exist.</tool_use_error>", "File does not exist.", None);
        check("The user doesn't want to proceed with this tool use. The", "rejected by the person", None);
        check("", "failed", None);
        assert_eq!(of_failure("x", true).error.as_deref(), Some("interrupted"));
    }

    #[test]
    fn reads_codex_outputs() {
        let text = of_codex(&json!("Exit code: 1\nWall time: 0.1 seconds\nOutput:\nno such file\n"));
        assert_eq!((text.ok, text.exit_code, text.error.as_deref()), (false, Some(1), Some("exit 1")));
        let inner = of_codex(&json!("{\"output\":\"Success\",\"metadata\":{\"exit_code\":0}}"));
        assert_eq!((inner.ok, inner.output.as_str()), (true, "Success"));
        let items = of_codex(&json!([{"type": "input_text", "text": "a"}, {"type": "input_image", "image_url": "x"}]));
        assert_eq!(items.output, "a\n[image]");
        let chunk = of_codex(&json!("Chunk ID: a\nWall time: 0 s\nProcess exited with code 2\nOutput:\n"));
        assert_eq!(chunk.exit_code, Some(2));
    }

    #[test]
    fn counts_patch_lines() {
        let patch = json!("*** Begin Patch\n*** Update File: a\n@@\n-old\n+new\n+more\n*** End Patch");
        assert_eq!(apply_patch_lines(&patch), Some((2, 1)));
        assert_eq!(diff_lines("--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n"), (1, 1));
    }
}
