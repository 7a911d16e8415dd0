//! Events to the files that a session read and changed.

use std::collections::{BTreeMap, HashMap};

use orrery_types::{Body, DiffOp, Event, SessionFile, ToolClass};
use serde_json::Value;

use crate::story::{Change, Edit, changes_of};

/// The files of one session, from its events in the order of their numbers.
#[derive(Debug, Clone, Default)]
pub struct Files {
    files: BTreeMap<String, SessionFile>,
    /// What calls in work were asked for, by call id: their ends often do not repeat it.
    asked: HashMap<String, (ToolClass, Vec<Touch>)>,
}

/// What one call does to one file.
#[derive(Debug, Clone)]
struct Touch {
    path: String,
    /// Lines as the request itself says. Empty when only the result knows.
    lines: Option<(u32, u32)>,
}

impl Files {
    /// The files of `events`, which come in the order of their numbers.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Files {
        let mut files = Files::default();
        events.into_iter().for_each(|event| files.apply(event));
        files
    }

    pub fn apply(&mut self, event: &Event) {
        match &event.body {
            Body::ToolStart { call_id, tool, class, target, input } if !call_id.is_empty() => {
                let touches = touches(tool, *class, target, input);
                if !touches.is_empty() {
                    self.asked.insert(call_id.clone(), (*class, touches));
                }
            }
            Body::ToolEnd { call_id, tool, class, target, input, ok, lines_added, lines_removed, .. } => {
                let asked = self.asked.remove(call_id);
                if *ok {
                    let (class, touches) = asked.unwrap_or_else(|| (*class, touches(tool, *class, target, input)));
                    let told = lines_added.zip(*lines_removed).or(lines_added.map(|added| (added, 0)));
                    self.touch(event, class, &touches, told);
                }
            }
            _ => {}
        }
    }

    /// Last touched first.
    pub fn list(self) -> Vec<SessionFile> {
        let mut list: Vec<SessionFile> = self.files.into_values().collect();
        list.sort_by(|a, b| (b.last_seq, &a.path).cmp(&(a.last_seq, &b.path)));
        list
    }

    fn touch(&mut self, event: &Event, class: ToolClass, touches: &[Touch], told: Option<(u32, u32)>) {
        for touch in touches {
            let file = self.files.entry(touch.path.clone()).or_insert_with(|| SessionFile {
                path: touch.path.clone(),
                first_seq: event.seq,
                first_ms: event.at_ms,
                ..SessionFile::default()
            });
            file.last_seq = event.seq;
            file.last_ms = event.at_ms.max(file.last_ms);
            if class == ToolClass::Edit {
                file.edits += 1;
                // The result's count is of the whole call: it says nothing about one file of several.
                let (added, removed) = told.filter(|_| touches.len() == 1).or(touch.lines).unwrap_or_default();
                file.lines_added = file.lines_added.saturating_add(added);
                file.lines_removed = file.lines_removed.saturating_add(removed);
            } else {
                file.reads += 1;
            }
        }
    }
}

fn touches(tool: &str, class: ToolClass, target: &str, input: &Value) -> Vec<Touch> {
    match class {
        ToolClass::Edit => {
            let mut touches: Vec<Touch> = Vec::new();
            for change in changes_of(input) {
                let (added, removed) = lines(&change);
                match touches.iter_mut().find(|touch| touch.path == change.path) {
                    Some(touch) => {
                        let (before_added, before_removed) = touch.lines.unwrap_or_default();
                        touch.lines = Some((before_added + added, before_removed + removed));
                    }
                    None => touches.push(Touch { path: change.path, lines: Some((added, removed)) }),
                }
            }
            touches.retain(|touch| !touch.path.is_empty());
            if touches.is_empty() { of_path(target, input) } else { touches }
        }
        ToolClass::Read if !is_listing(tool) => of_path(target, input),
        _ => Vec::new(),
    }
}

fn of_path(target: &str, input: &Value) -> Vec<Touch> {
    const NAMES: [&str; 5] = ["file_path", "filePath", "notebook_path", "absolute_path", "path"];
    let named = NAMES.iter().find_map(|name| input.get(*name)?.as_str());
    let path = named.unwrap_or(target);
    if path.is_empty() { Vec::new() } else { vec![Touch { path: path.to_owned(), lines: None }] }
}

/// Tools of the class that look at folders.
fn is_listing(tool: &str) -> bool {
    matches!(tool.to_ascii_lowercase().as_str(), "ls" | "list_directory" | "list_dir")
}

fn lines(change: &Change) -> (u32, u32) {
    let count = |text: &str| u32::try_from(text.lines().count()).unwrap_or(u32::MAX);
    match &change.edit {
        Edit::Texts { old, new } => (count(new), count(old)),
        Edit::Lines(lines) => {
            let of = |op| u32::try_from(lines.iter().filter(|line| line.op == op).count()).unwrap_or(u32::MAX);
            (of(DiffOp::Added), of(DiffOp::Removed))
        }
    }
}

#[cfg(test)]
mod tests {
    use orrery_types::{Source, Sources};
    use serde_json::json;

    use super::*;

    fn event(seq: i64, body: Body) -> Event {
        Event {
            seq,
            id: format!("{seq:032x}"),
            session_id: "s".into(),
            agent: "codex".into(),
            name: "x".into(),
            at_ms: seq * 10,
            received_ms: seq * 10,
            subagent: None,
            turn_id: None,
            sources: Sources::one(Source::Hook),
            body,
            demo: false,
        }
    }

    fn start(seq: i64, tool: &str, class: ToolClass, input: Value) -> Event {
        let target = "shown".to_owned();
        event(seq, Body::ToolStart { call_id: format!("c{seq}"), tool: tool.into(), class, target, input })
    }

    fn end(seq: i64, of: i64, ok: bool, lines: Option<(u32, u32)>) -> Event {
        let body = Body::ToolEnd {
            call_id: format!("c{of}"),
            tool: String::new(),
            class: ToolClass::Other,
            target: String::new(),
            ok,
            error: None,
            exit_code: None,
            duration_ms: None,
            output: String::new(),
            lines_added: lines.map(|lines| lines.0),
            lines_removed: lines.map(|lines| lines.1),
            input: Value::Null,
        };
        event(seq, body)
    }

    #[test]
    fn files_carry_what_calls_that_succeeded_did_to_them() {
        let patch = "*** Begin Patch\n*** Update File: a.rs\n-x\n+y\n+z\n*** Add File: b.rs\n+1\n*** End Patch";
        let events = [
            start(1, "Read", ToolClass::Read, json!({"file_path": "/w/a.rs"})),
            end(2, 1, true, None),
            start(3, "Edit", ToolClass::Edit, json!({"file_path": "/w/a.rs", "old_string": "x", "new_string": "y"})),
            end(4, 3, true, Some((7, 2))),
            start(5, "Edit", ToolClass::Edit, json!({"file_path": "/w/a.rs", "old_string": "x", "new_string": "y"})),
            end(6, 5, false, None),
            start(7, "apply_patch", ToolClass::Edit, json!({"input": patch})),
            end(8, 7, true, Some((3, 1))),
            start(9, "LS", ToolClass::Read, json!({"path": "/w"})),
            end(10, 9, true, None),
        ];
        let list = Files::of(&events).list();
        let seen: Vec<_> = list
            .iter()
            .map(|file| {
                (file.path.as_str(), file.reads, file.edits, file.lines_added, file.lines_removed, file.first_seq)
            })
            .collect();
        assert_eq!(seen, [("a.rs", 0, 1, 2, 1, 8), ("b.rs", 0, 1, 1, 0, 8), ("/w/a.rs", 1, 1, 7, 2, 2)]);
    }
}
