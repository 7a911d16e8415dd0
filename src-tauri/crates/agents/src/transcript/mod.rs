//! Transcript and rollout files, line by line, from any point on.

mod calls;

use orrery_types::AgentId;
use serde::{Deserialize, Serialize};

use crate::{Context, Decoded, claude_code, codex, hook};

pub(crate) use calls::{OpenCall, OpenCalls};

/// What a file's path says about its lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileInfo {
    pub path: String,
    /// The session the path names. Lines name it better, where they do.
    pub session: Option<String>,
    /// The subagent whose file this is, from `agent-<id>.jsonl`.
    pub subagent: Option<String>,
    /// The subagent's type, when the caller read the `.meta.json` beside the file. Empty otherwise.
    pub subagent_kind: String,
}

impl FileInfo {
    /// The path's last part.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit(['/', '\\']).next().unwrap_or(&self.path)
    }
}

/// Reads the lines of one file in order.
#[derive(Debug, Clone)]
pub struct Reader {
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Claude(Box<claude_code::transcript::Lines>),
    Codex(Box<codex::rollout::Lines>),
    /// An agent whose files are not followed: each line is read for itself.
    Plain(AgentId),
}

impl Reader {
    /// Begins a file, or goes on in its middle with the `state` an earlier reader gave. A state that cannot be read
    /// counts as none.
    pub fn open(agent: AgentId, info: &FileInfo, state: Option<&str>) -> Reader {
        let kind = match agent {
            AgentId::ClaudeCode => Kind::Claude(Box::new(claude_code::transcript::Lines::open(info, state))),
            AgentId::Codex => Kind::Codex(Box::new(codex::rollout::Lines::open(info, state))),
            AgentId::GeminiCli | AgentId::Opencode | AgentId::Cursor | AgentId::CopilotCli => Kind::Plain(agent),
        };
        Reader { kind }
    }

    /// Reads one line without its line end. `line_no` is 1-based. A line that is no JSON gives an event named
    /// `unreadable` and a problem `bad_json`; blank lines and pure bookkeeping give nothing.
    pub fn line(&mut self, line: &[u8], line_no: u64, ctx: &Context) -> Decoded {
        if line.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0) {
            return Decoded::default();
        }
        match &mut self.kind {
            Kind::Claude(lines) => lines.line(line, line_no, ctx),
            Kind::Codex(lines) => lines.line(line, line_no, ctx),
            Kind::Plain(agent) => hook::decode(Some(agent.slug()), line, ctx),
        }
    }

    /// As [`Reader::line`] for who wants nothing but usage and the session's place: what people, agents and tools said is
    /// passed over. Events may be missing.
    pub fn usage_line(&mut self, line: &[u8], line_no: u64, ctx: &Context) -> Decoded {
        match &mut self.kind {
            Kind::Claude(lines) => lines.usage_line(line, line_no, ctx),
            Kind::Codex(lines) => lines.usage_line(line, line_no, ctx),
            Kind::Plain(_) => None,
        }
        .unwrap_or_else(|| self.line(line, line_no, ctx))
    }

    /// What must be remembered to go on after the last line, as a small JSON text.
    pub fn state(&self) -> String {
        let text = match &self.kind {
            Kind::Claude(lines) => serde_json::to_string(lines.state()),
            Kind::Codex(lines) => serde_json::to_string(lines.state()),
            Kind::Plain(_) => Ok("{}".to_owned()),
        };
        text.unwrap_or_default()
    }
}
