//! One line of a transcript, and what the person typed in it.

use orrery_types::{Body, Event};
use serde_json::Value;

use crate::draft::Draft;
use crate::id;
use crate::json::{filled, first_line};

/// Texts in a user line that the person did not write.
const WRAPPERS: [&str; 12] = [
    "<command-name>",
    "<local-command-stdout>",
    "<local-command-stderr>",
    "<local-command-caveat>",
    "<bash-input>",
    "<bash-stdout>",
    "<bash-stderr>",
    "<system-reminder>",
    "<task-notification>",
    "<user-memory-input>",
    "Caveat: The messages below",
    "<teammate-message",
];

/// A parsed line with what the reader knows of it.
pub struct Line<'a> {
    pub value: &'a Value,
    pub bytes: &'a [u8],
    pub line_no: u64,
    pub file_name: String,
    pub kind: &'a str,
    pub message: &'a Value,
    pub draft: Draft<'a>,
}

impl Line<'_> {
    pub fn id(&self, block: usize) -> String {
        match filled(self.value, &["uuid"]) {
            Some(uuid) => id::line(uuid, block),
            None => id::place(&self.file_name, self.line_no, self.bytes, block),
        }
    }

    pub fn event(&self, block: usize, name: &str, body: Body) -> Event {
        self.draft.event(self.id(block), name, body)
    }

    pub fn other(&self, block: usize, name: &str, summary: &str) -> Event {
        self.event(block, name, Body::Other { summary: first_line(summary, 200) })
    }
}

/// Content is a text or a list of blocks.
pub fn blocks(content: Option<&Value>) -> &[Value] {
    match content {
        Some(Value::Array(blocks)) => blocks,
        Some(text @ Value::String(_)) => std::slice::from_ref(text),
        _ => &[],
    }
}

/// Whether a prompt is no word of the person's but a notice that Claude Code sends itself.
pub fn is_notice(text: &str) -> bool {
    ["<task-notification>", "<system-reminder>", "<teammate-message"]
        .iter()
        .any(|mark| text.trim_start().starts_with(mark))
}

/// What the person typed, without what Claude Code wraps around it. `None` when nothing was typed.
pub fn typed(text: &str) -> Option<String> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix("<command-message>") {
        let tag = |name: &str| {
            let (_, after) = rest.split_once(&format!("<{name}>"))?;
            after.split_once(&format!("</{name}>")).map(|(inner, _)| inner.trim().to_owned())
        };
        let line = format!("{} {}", tag("command-name")?, tag("command-args").unwrap_or_default());
        return Some(line.trim().to_owned()).filter(|line| !line.is_empty());
    }
    let wrapped = text.is_empty() || WRAPPERS.iter().any(|wrapper| text.starts_with(wrapper));
    (!wrapped).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_person_typed_is_a_prompt() {
        let check = |text: &str, typed_text: Option<&str>| assert_eq!(typed(text).as_deref(), typed_text, "{text}");
        check(" Fix it\nplease ", Some("Fix it\nplease"));
        check("<command-message>x</command-message>\n<command-name>/x</command-name>", Some("/x"));
        check("<command-name>/model</command-name>\n<command-message>model</command-message>", None);
        check("<local-command-stdout>ok</local-command-stdout>", None);
        check("<task-notification>\n<task-id>1</task-id>", None);
        check("  ", None);
    }
}
