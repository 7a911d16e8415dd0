//! Tools of all agents: what class a call belongs to, what it acts on in one line, and its input cut to a bearable size.

use orrery_types::{ToolClass, clip};
use serde_json::{Map, Value};

use crate::json::{any, filled, first_line, one_line};

const TARGET_CHARS: usize = 240;
const INPUT_STRING_BYTES: usize = 16 * 1024;
const INPUT_BYTES: usize = 128 * 1024;
const INPUT_DEPTH: usize = 24;

/// The class of a tool by the name its agent gives it.
pub fn class_of(tool: &str) -> ToolClass {
    match bare(tool).to_ascii_lowercase().as_str() {
        "bash" | "powershell" | "bashoutput" | "killshell" | "killbash" | "shell" | "shell_command"
        | "exec_command" | "write_stdin" | "exec" | "local_shell" | "run_shell_command" | "run_terminal_cmd"
        | "terminal" => ToolClass::Shell,
        "edit" | "write" | "multiedit" | "notebookedit" | "apply_patch" | "replace" | "write_file" | "edit_file"
        | "search_replace" | "create" | "create_file" | "str_replace_editor" | "delete_file" => ToolClass::Edit,
        "read" | "notebookread" | "view_image" | "read_file" | "read_many_files" | "view" | "ls" | "list_directory"
        | "list_dir" => ToolClass::Read,
        "grep"
        | "glob"
        | "toolsearch"
        | "tool_search"
        | "search_file_content"
        | "grep_search"
        | "file_search"
        | "codebase_search"
        | "lsp" => ToolClass::Search,
        "webfetch" | "websearch" | "web_search" | "web_fetch" | "google_web_search" | "fetch" => ToolClass::Web,
        "agent" | "task" | "spawn_agent" | "wait" | "wait_agent" | "send_input" | "close_agent" | "resume_agent"
        | "workflow" | "taskoutput" | "agentoutputtool" | "sendmessage" => ToolClass::Agent,
        "askuserquestion" | "exitplanmode" | "request_user_input" | "ask_user" => ToolClass::Ask,
        _ => ToolClass::Other,
    }
}

/// Codex's code mode and some hosts put a namespace before the name: `functions.exec`.
fn bare(tool: &str) -> &str {
    if tool.starts_with("mcp__") { tool } else { tool.rsplit('.').next().unwrap_or(tool) }
}

/// What a call acts on, in one line: a command, a path, a pattern, a URL, a question.
pub fn target_of(tool: &str, input: &Value) -> String {
    let target = match bare(tool) {
        "Agent" | "Task" => labelled(input, &["subagent_type", "agent_type"], &["description", "prompt"]),
        "spawn_agent" => labelled(input, &["agent_type", "task_name"], &["message", "prompt"]),
        "AskUserQuestion" | "request_user_input" => question(input),
        "ExitPlanMode" => filled(input, &["plan"]).map(|plan| first_line(plan, TARGET_CHARS)),
        "apply_patch" => patch_paths(input),
        "Skill" => filled(input, &["skill", "command", "name"]).map(str::to_owned),
        "WebSearch" | "web_search" => {
            filled(input, &["query"]).or_else(|| filled(input.get("action")?, &["query", "url"])).map(str::to_owned)
        }
        "TodoWrite" | "update_plan" | "TaskCreate" | "TaskUpdate" => plan(input),
        name => mcp(name),
    };
    let target = target.or_else(|| general(input)).unwrap_or_default();
    one_line(&target, TARGET_CHARS)
}

fn general(input: &Value) -> Option<String> {
    if let Some(command) = any(input, &["command", "cmd"]) {
        return Some(command_line(command));
    }
    const NAMES: [&str; 14] = [
        "file_path",
        "path",
        "notebook_path",
        "pattern",
        "query",
        "url",
        "uri",
        "description",
        "prompt",
        "message",
        "name",
        "task_id",
        "subject",
        "id",
    ];
    filled(input, &["file_path"])
        .or_else(|| filled(input, &["pattern"]))
        .or_else(|| filled(input, &NAMES))
        .map(|text| first_line(text, TARGET_CHARS))
        .or_else(|| input.as_str().map(|text| first_line(text, TARGET_CHARS)))
}

/// A command is a text, or a list of arguments that often is `bash -lc SCRIPT`.
fn command_line(command: &Value) -> String {
    match command {
        Value::String(text) => first_line(text, TARGET_CHARS),
        Value::Array(words) => {
            let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
            match words.as_slice() {
                [shell, flag, script] if flag.starts_with('-') && flag.ends_with('c') && shell.ends_with("sh") => {
                    first_line(script, TARGET_CHARS)
                }
                words => first_line(&words.join(" "), TARGET_CHARS),
            }
        }
        _ => String::new(),
    }
}

fn labelled(input: &Value, label: &[&str], text: &[&str]) -> Option<String> {
    let text = filled(input, text).map(|text| first_line(text, TARGET_CHARS));
    match (filled(input, label), text) {
        (Some(label), Some(text)) => Some(format!("{label}: {text}")),
        (Some(label), None) => Some(label.to_owned()),
        (None, text) => text,
    }
}

fn question(input: &Value) -> Option<String> {
    let questions = input.get("questions").and_then(Value::as_array);
    let first = questions.and_then(|questions| filled(questions.first()?, &["question", "header"]));
    first.or_else(|| filled(input, &["question", "prompt"])).map(str::to_owned)
}

fn plan(input: &Value) -> Option<String> {
    let steps = any(input, &["todos", "plan", "items"])?.as_array()?;
    let done = steps.iter().filter(|step| filled(step, &["status"]) == Some("completed")).count();
    let current = steps.iter().find(|step| filled(step, &["status"]) == Some("in_progress"));
    let text = current.and_then(|step| filled(step, &["activeForm", "content", "step", "text"])).unwrap_or("plan");
    Some(format!("{done} of {} done: {text}", steps.len()))
}

/// `mcp__github__search_issues` without an argument to show is `github search_issues`.
fn mcp(name: &str) -> Option<String> {
    let (server, tool) = name.strip_prefix("mcp__")?.split_once("__")?;
    Some(format!("{server} {tool}"))
}

/// The text of a patch, wherever the agent puts it.
pub fn patch_text(input: &Value) -> Option<&str> {
    input
        .as_str()
        .or_else(|| filled(input, &["input", "patch", "command"]))
        .filter(|text| text.contains("*** Begin Patch"))
}

fn patch_paths(input: &Value) -> Option<String> {
    let paths: Vec<&str> = patch_text(input)?
        .lines()
        .filter_map(|line| {
            ["*** Update File: ", "*** Add File: ", "*** Delete File: "].iter().find_map(|mark| line.strip_prefix(mark))
        })
        .map(str::trim)
        .collect();
    match paths.as_slice() {
        [] => None,
        [path] => Some((*path).to_owned()),
        [path, others @ ..] => Some(format!("{path} and {} more", others.len())),
    }
}

/// `input` with long strings clipped; when it still is larger than about 128 KB, its largest parts are left out.
pub fn clip_input(input: &Value) -> Value {
    let mut left = INPUT_BYTES;
    clip_value(input, &mut left, INPUT_DEPTH)
}

fn clip_value(value: &Value, left: &mut usize, depth: usize) -> Value {
    match value {
        Value::String(text) => {
            let clipped = clip(text, INPUT_STRING_BYTES.min(*left));
            *left = left.saturating_sub(clipped.len());
            Value::String(clipped)
        }
        Value::Array(_) | Value::Object(_) if depth == 0 => Value::String("...".to_owned()),
        Value::Array(items) => {
            let mut kept = Vec::new();
            for (index, item) in items.iter().enumerate() {
                if *left == 0 {
                    kept.push(Value::String(format!("... {} more", items.len() - index)));
                    break;
                }
                *left = left.saturating_sub(8);
                kept.push(clip_value(item, left, depth - 1));
            }
            Value::Array(kept)
        }
        Value::Object(fields) => {
            let mut kept = Map::new();
            for (name, field) in fields {
                if *left == 0 {
                    kept.insert("...".to_owned(), Value::String("more in the raw event".to_owned()));
                    break;
                }
                *left = left.saturating_sub(name.len() + 8);
                kept.insert(name.clone(), clip_value(field, left, depth - 1));
            }
            Value::Object(kept)
        }
        plain => plain.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn targets_say_what_a_call_acts_on() {
        let check = |tool: &str, input: Value, target: &str, class: ToolClass| {
            assert_eq!((target_of(tool, &input).as_str(), class_of(tool)), (target, class), "{tool} {input}");
        };
        check("Bash", json!({"command": "cargo test\n# all", "description": "x"}), "cargo test", ToolClass::Shell);
        check("shell", json!({"command": ["bash", "-lc", "ls -la"]}), "ls -la", ToolClass::Shell);
        check("exec_command", json!({"cmd": "ls"}), "ls", ToolClass::Shell);
        check("Edit", json!({"file_path": "/a/b.rs", "old_string": "x"}), "/a/b.rs", ToolClass::Edit);
        check("Grep", json!({"pattern": "fn main", "path": "src"}), "fn main", ToolClass::Search);
        check(
            "Task",
            json!({"description": "Find it", "subagent_type": "Explore"}),
            "Explore: Find it",
            ToolClass::Agent,
        );
        check("WebFetch", json!({"url": "https://example.com", "prompt": "p"}), "https://example.com", ToolClass::Web);
        check("AskUserQuestion", json!({"questions": [{"question": "Which one?"}]}), "Which one?", ToolClass::Ask);
        check("mcp__github__search", json!({"q": 1}), "github search", ToolClass::Other);
        check(
            "apply_patch",
            json!("*** Begin Patch\n*** Add File: a.txt\n+x\n*** End Patch"),
            "a.txt",
            ToolClass::Edit,
        );
        check("web_search", json!({"action": {"type": "search", "query": "backoff"}}), "backoff", ToolClass::Web);
        check(
            "TodoWrite",
            json!({"todos": [{"status": "completed"}, {"status": "in_progress", "activeForm": "Testing"}]}),
            "1 of 2 done: Testing",
            ToolClass::Other,
        );
        check("Unknown", Value::Null, "", ToolClass::Other);
    }

    #[test]
    fn huge_inputs_become_bearable() {
        let wide: Vec<Value> = (0..100).map(|_| json!("x".repeat(30_000))).collect();
        let clipped = clip_input(&json!({ "list": wide, "small": 1 }));
        assert!(clipped.to_string().len() < 200_000);
        let many: Vec<u32> = (0..1_000_000).collect();
        assert!(clip_input(&json!(many)).to_string().len() < 400_000);
        let small = json!({"a": [1, null, "x"]});
        assert_eq!(clip_input(&small), small);
    }
}
