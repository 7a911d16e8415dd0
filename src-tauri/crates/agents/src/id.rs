//! Ids of events. A fact that several sources report hashes what identifies the fact, so that the reports meet.

use orrery_types::EventId;
use sha2::{Digest, Sha256};

/// Below this length a call id is no random one (`call-1`, `t1`) and the session is hashed in beside it.
const SHORT_CALL_ID: usize = 12;

/// Hashes `parts` (each with its length, so that borders count) to 32 hex digits.
pub fn hash(parts: &[&str]) -> EventId {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update((part.len() as u64).to_le_bytes());
        sha.update(part.as_bytes());
    }
    hex(&sha.finalize()[..16])
}

/// The start of a tool call: the hook's `tool_use_id`, the transcript block's id, Codex's `call_id`.
pub fn tool_start(session: &str, call_id: &str) -> EventId {
    of_call("tool-start", session, call_id)
}

/// The end of a tool call.
pub fn tool_end(session: &str, call_id: &str) -> EventId {
    of_call("tool-end", session, call_id)
}

/// Whether `call_id` alone names one call in the whole world.
pub fn is_global_call(call_id: &str) -> bool {
    call_id.len() >= SHORT_CALL_ID
}

/// A prompt that the agent numbers: Claude Code's `prompt_id`.
pub fn prompt(session: &str, prompt_id: &str) -> EventId {
    hash(&["prompt", session, prompt_id])
}

/// A prompt of a Codex turn; a turn can take more than one.
pub fn turn_prompt(session: &str, turn_id: &str, text: &str) -> EventId {
    hash(&["prompt", session, turn_id, text.trim()])
}

/// The end of a turn. A stop hook can make an agent go on after its first stop, hence the text.
pub fn stop(session: &str, turn_id: &str, message: &str) -> EventId {
    hash(&["stop", session, turn_id, message.trim()])
}

pub fn subagent_start(session: &str, agent_id: &str) -> EventId {
    hash(&["subagent-start", session, agent_id])
}

pub fn subagent_stop(session: &str, agent_id: &str) -> EventId {
    hash(&["subagent-stop", session, agent_id])
}

/// A line of a transcript that carries a uuid, and the block in it.
pub fn line(uuid: &str, block: usize) -> EventId {
    hash(&["line", uuid, &block.to_string()])
}

/// A line without an id of its own: its file's name (files move between folders), number and content.
pub fn place(file_name: &str, line_no: u64, line: &[u8], block: usize) -> EventId {
    let content = hex(&Sha256::digest(line)[..16]);
    hash(&["place", file_name, &line_no.to_string(), &content, &block.to_string()])
}

/// A short hash to compare texts with.
pub fn text(text: &str) -> u64 {
    let digest = Sha256::digest(text.trim().as_bytes());
    u64::from_le_bytes([digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7]])
}

fn of_call(kind: &str, session: &str, call_id: &str) -> EventId {
    if is_global_call(call_id) { hash(&[kind, call_id]) } else { hash(&[kind, call_id, session]) }
}

/// Lowercase hex digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_between_parts_count() {
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
        assert_eq!(hash(&["ab", "c"]).len(), 32);
    }

    #[test]
    fn real_call_ids_meet_across_sessions_and_short_ones_do_not() {
        assert_eq!(tool_start("a", "toolu_01eb62cab5c6379b"), tool_start("b", "toolu_01eb62cab5c6379b"));
        assert_ne!(tool_start("a", "call-1"), tool_start("b", "call-1"));
        assert_ne!(tool_start("a", "call-1"), tool_end("a", "call-1"));
    }
}
