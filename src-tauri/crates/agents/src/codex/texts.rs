//! One text, written to a rollout on up to three channels, is one event.

use serde::{Deserialize, Serialize};

use crate::id;

/// Texts remembered; the copies of one text stand within a few lines of each other.
const MOST: usize = 24;

/// Channels of a rollout that repeat each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    ResponseItem = 1,
    EventMsg = 2,
    ItemCompleted = 4,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Texts(Vec<(u64, u8)>);

impl Texts {
    /// Whether `text` of this `kind` is news. The same text on another channel is a copy; on the same one it is new.
    pub fn is_new(&mut self, kind: &str, text: &str, channel: Channel) -> bool {
        let hash = id::text(&format!("{kind}\n{}", text.trim()));
        let bit = channel as u8;
        if let Some((_, channels)) = self.0.iter_mut().find(|(known, channels)| *known == hash && channels & bit == 0) {
            *channels |= bit;
            return false;
        }
        if self.0.len() >= MOST {
            self.0.remove(0);
        }
        self.0.push((hash, bit));
        true
    }
}

/// What the person typed, without what Codex or an editor puts around it. `None` when nothing was typed.
pub fn typed(text: &str) -> Option<&str> {
    const REQUEST: &str = "## My request for Codex:";
    const WRAPPERS: [&str; 9] = [
        "<environment_context>",
        "<user_instructions>",
        "# AGENTS.md instructions",
        "<permissions",
        "<turn_aborted>",
        "<skill>",
        "<INSTRUCTIONS>",
        "<user_shell_command>",
        "<subagent_notification>",
    ];
    let text = text.trim();
    let text = text.split_once(REQUEST).map_or(text, |(_, request)| request.trim());
    let wrapped = text.is_empty() || WRAPPERS.iter().any(|wrapper| text.starts_with(wrapper));
    (!wrapped).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_on_other_channels_are_dropped_and_repeats_are_kept() {
        let mut texts = Texts::default();
        assert!(texts.is_new("user", "go on", Channel::ResponseItem));
        assert!(!texts.is_new("user", "go on\n", Channel::EventMsg));
        assert!(!texts.is_new("user", "go on", Channel::ItemCompleted));
        assert!(texts.is_new("user", "go on", Channel::ResponseItem));
        assert!(!texts.is_new("user", "go on", Channel::EventMsg));
        assert!(texts.is_new("agent", "go on", Channel::EventMsg));
    }

    #[test]
    fn wrappers_are_not_typed() {
        assert_eq!(typed("<environment_context>\n<cwd>/x"), None);
        assert_eq!(
            typed("# Context from my IDE setup:\n- foo.ts\n\n## My request for Codex:\nList files"),
            Some("List files")
        );
        assert_eq!(typed(" hi "), Some("hi"));
    }
}
