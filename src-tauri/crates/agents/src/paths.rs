//! Where agents keep their files. Pure: the caller reads the environment and the disk.

use std::path::{Path, PathBuf};

use orrery_types::AgentId;
use serde_json::Value;

use crate::json::owned;
use crate::transcript::FileInfo;

/// The part of the environment that moves agents' folders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Env {
    pub home: PathBuf,
    /// `CLAUDE_CONFIG_DIR`; several roots may stand in it, separated by commas.
    pub claude_config_dir: Option<String>,
    /// `CODEX_HOME`.
    pub codex_home: Option<String>,
    /// `PATH`, to find the programs.
    pub path_var: Option<String>,
}

impl Env {
    /// The variables of this process.
    pub fn from_process() -> Env {
        let get = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        Env {
            home: get("HOME").or_else(|| get("USERPROFILE")).map(PathBuf::from).unwrap_or_default(),
            claude_config_dir: get("CLAUDE_CONFIG_DIR"),
            codex_home: get("CODEX_HOME"),
            path_var: get("PATH"),
        }
    }
}

/// Claude Code's configuration folders, the one in force first.
pub fn claude_roots(env: &Env) -> Vec<PathBuf> {
    let named: Vec<PathBuf> = env
        .claude_config_dir
        .iter()
        .flat_map(|list| list.split(','))
        .filter_map(|dir| folder(dir, &env.home))
        .collect();
    if named.is_empty() { vec![env.home.join(".claude"), env.home.join(".config/claude")] } else { named }
}

/// Codex's folders, the one in force first.
pub fn codex_roots(env: &Env) -> Vec<PathBuf> {
    let named = env.codex_home.as_deref().and_then(|dir| folder(dir, &env.home));
    vec![named.unwrap_or_else(|| env.home.join(".codex"))]
}

/// Configuration folders of an agent, the one in force first.
pub fn roots(agent: AgentId, env: &Env) -> Vec<PathBuf> {
    match agent {
        AgentId::ClaudeCode => claude_roots(env),
        AgentId::Codex => codex_roots(env),
        AgentId::GeminiCli => vec![env.home.join(".gemini")],
        AgentId::Opencode => vec![env.home.join(".config/opencode")],
        AgentId::Cursor => vec![env.home.join(".cursor")],
        AgentId::CopilotCli => vec![env.home.join(".copilot")],
    }
}

/// Folders that hold an agent's transcripts; walk them and ask [`is_transcript`].
pub fn history_dirs(agent: AgentId, env: &Env) -> Vec<PathBuf> {
    match agent {
        AgentId::ClaudeCode => claude_roots(env).into_iter().map(|root| root.join("projects")).collect(),
        AgentId::Codex => codex_roots(env)
            .into_iter()
            .flat_map(|root| [root.join("sessions"), root.join("archived_sessions")])
            .collect(),
        // Their hooks and plugins tell all we show; their files are not followed.
        AgentId::GeminiCli | AgentId::Opencode | AgentId::Cursor | AgentId::CopilotCli => Vec::new(),
    }
}

/// Of `files`, the transcripts of `agent`, with what their paths say.
pub fn session_files<P: AsRef<Path>>(agent: AgentId, files: impl IntoIterator<Item = P>) -> Vec<FileInfo> {
    files.into_iter().filter_map(|file| is_transcript(agent, file.as_ref())).collect()
}

/// The file that our hooks go into.
pub fn settings_file(agent: AgentId, env: &Env) -> PathBuf {
    let root = roots(agent, env).into_iter().next().unwrap_or_else(|| env.home.clone());
    root.join(match agent {
        AgentId::ClaudeCode | AgentId::GeminiCli => "settings.json",
        AgentId::Codex | AgentId::Cursor => "hooks.json",
        AgentId::Opencode => "plugins/orrery.js",
        AgentId::CopilotCli => "hooks/orrery.json",
    })
}

/// Where the agent's program can be: the folders of `PATH`, then the usual places of its installers.
pub fn program_candidates(agent: AgentId, env: &Env) -> Vec<PathBuf> {
    let name = match agent {
        AgentId::ClaudeCode => "claude",
        AgentId::Codex => "codex",
        AgentId::GeminiCli => "gemini",
        AgentId::Opencode => "opencode",
        AgentId::Cursor => "cursor-agent",
        AgentId::CopilotCli => "copilot",
    };
    let separator = if cfg!(windows) { ';' } else { ':' };
    let listed =
        env.path_var.iter().flat_map(|path| path.split(separator)).filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let usual =
        [".local/bin", ".claude/local", ".npm-global/bin", ".bun/bin", ".volta/bin"].map(|dir| env.home.join(dir));
    let system = ["/opt/homebrew/bin", "/usr/local/bin"].map(PathBuf::from);
    let mut found: Vec<PathBuf> = Vec::new();
    for dir in listed.chain(usual).chain(system) {
        let file = dir.join(name);
        if !found.contains(&file) {
            found.push(file);
        }
    }
    found
}

/// Whether a file of the agent's own folder layout is a transcript, and what its path says.
///
/// Prompt histories, notes, journals and queues are none. A rollout that Codex compressed is one, under its old name.
pub fn is_transcript(agent: AgentId, path: &Path) -> Option<FileInfo> {
    let stem = stem(agent, path)?;
    let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
    let folders = parts.get(..parts.len().checked_sub(1)?)?;
    match agent {
        AgentId::GeminiCli | AgentId::Opencode | AgentId::Cursor | AgentId::CopilotCli => None,
        AgentId::Codex => stem.starts_with("rollout-").then(|| info(agent, path, stem, folders)),
        AgentId::ClaudeCode => {
            let in_projects = folders.iter().rposition(|part| *part == "projects").map(|at| &folders[at + 1..])?;
            let below = in_projects.get(1..)?;
            let own_layout = match below {
                [] => true,
                [_, "subagents"] => stem.starts_with("agent-"),
                [_, "subagents", "workflows", ..] => stem.starts_with("agent-"),
                _ => false,
            };
            (own_layout && !is_side_file(stem)).then(|| info(agent, path, stem, folders))
        }
    }
}

/// Like [`is_transcript`] for a folder the person named: every `.jsonl` below it counts that is no known side file.
pub fn is_any_transcript(agent: AgentId, path: &Path) -> Option<FileInfo> {
    let stem = stem(agent, path)?;
    if is_side_file(stem) {
        return None;
    }
    let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
    let folders = parts.get(..parts.len().checked_sub(1)?)?;
    Some(info(agent, path, stem, folders))
}

/// The `.meta.json` beside a subagent's file, which names the subagent's type.
pub fn meta_file(info: &FileInfo) -> Option<PathBuf> {
    info.subagent.as_ref()?;
    Some(PathBuf::from(format!("{}.meta.json", info.path.strip_suffix(".jsonl")?)))
}

/// The subagent's type in the text of a `.meta.json`. Empty when there is none.
pub fn subagent_kind(meta: &str) -> String {
    serde_json::from_str::<Value>(meta).ok().and_then(|meta| owned(&meta, &["agentType"])).unwrap_or_default()
}

/// Ending of a rollout that Codex compressed where it lay.
pub const COMPRESSED: &str = ".zst";

/// The file's name without its ending.
fn stem(agent: AgentId, path: &Path) -> Option<&str> {
    let name = path.file_name()?.to_str()?;
    let name = name.strip_suffix(COMPRESSED).filter(|_| agent == AgentId::Codex).unwrap_or(name);
    name.strip_suffix(".jsonl")
}

fn is_side_file(stem: &str) -> bool {
    matches!(stem, "history" | "journal" | "session_index")
}

fn info(agent: AgentId, path: &Path, stem: &str, folders: &[&str]) -> FileInfo {
    let subagent = stem.strip_prefix("agent-").filter(|_| agent == AgentId::ClaudeCode);
    let session = match (agent, subagent) {
        (AgentId::Codex, _) => rollout_thread(stem).map(str::to_owned).or_else(|| Some(stem.to_owned())),
        (_, None) => Some(stem.to_owned()),
        (_, Some(_)) => {
            let above = folders.iter().rposition(|part| *part == "subagents").and_then(|at| at.checked_sub(1));
            above.map(|at| folders[at].to_owned())
        }
    };
    let whole = path.to_string_lossy();
    FileInfo {
        // Compressed or not, it is the same file with the same lines.
        path: whole.strip_suffix(COMPRESSED).unwrap_or(&whole).to_owned(),
        session,
        subagent: subagent.map(str::to_owned),
        subagent_kind: String::new(),
    }
}

/// The thread id in `rollout-2026-11-20T09-14-03-<uuid>`.
fn rollout_thread(stem: &str) -> Option<&str> {
    let thread = stem.strip_prefix("rollout-")?.get("2026-11-20T09-14-03-".len()..)?;
    (thread.len() == 36).then_some(thread)
}

fn folder(text: &str, home: &Path) -> Option<PathBuf> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    match text.strip_prefix("~/") {
        Some(rest) => Some(home.join(rest)),
        None => Some(PathBuf::from(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env() -> Env {
        Env { home: PathBuf::from("/h"), ..Env::default() }
    }

    #[test]
    fn roots_follow_the_environment() {
        assert_eq!(claude_roots(&env()), [PathBuf::from("/h/.claude"), PathBuf::from("/h/.config/claude")]);
        let moved = Env { claude_config_dir: Some("/a, ~/b".into()), codex_home: Some("/c".into()), ..env() };
        assert_eq!(claude_roots(&moved), [PathBuf::from("/a"), PathBuf::from("/h/b")]);
        assert_eq!(settings_file(AgentId::Codex, &moved), PathBuf::from("/c/hooks.json"));
        assert_eq!(settings_file(AgentId::ClaudeCode, &env()), PathBuf::from("/h/.claude/settings.json"));
    }

    #[test]
    fn transcripts_are_told_from_other_files() {
        let check = |path: &str, session: Option<&str>, subagent: Option<&str>| {
            let info = is_transcript(AgentId::ClaudeCode, Path::new(path)).expect(path);
            assert_eq!((info.session.as_deref(), info.subagent.as_deref()), (session, subagent), "{path}");
        };
        check("/h/.claude/projects/-x/7b0f.jsonl", Some("7b0f"), None);
        check("/h/.claude/projects/-x/7b0f/subagents/agent-a1.jsonl", Some("7b0f"), Some("a1"));
        check("/h/.claude/projects/-x/7b0f/subagents/workflows/wf_1/agent-a2.jsonl", Some("7b0f"), Some("a2"));
        check("/h/.claude/projects/-x/agent-a3.jsonl", None, Some("a3"));
        for path in [
            "/h/.claude/history.jsonl",
            "/h/.claude/projects/-x/memory/notes.jsonl",
            "/h/.claude/projects/-x/7b0f/subagents/workflows/wf_1/journal.jsonl",
            "/h/.claude/projects/-x/7b0f/tool-results/a.jsonl",
            "/h/.claude/projects/-x/7b0f.jsonl.bak",
            "/h/.claude/projects/stray.jsonl",
        ] {
            assert_eq!(is_transcript(AgentId::ClaudeCode, Path::new(path)), None, "{path}");
        }
    }

    #[test]
    fn rollouts_name_their_thread() {
        let path =
            "/h/.codex/sessions/2026/11/20/rollout-2026-11-20T09-14-03-019e9d0c-51aa-7d33-8c0f-0a1b2c3d4e5f.jsonl";
        let info = is_transcript(AgentId::Codex, Path::new(path)).expect("a rollout");
        assert_eq!(info.session.as_deref(), Some("019e9d0c-51aa-7d33-8c0f-0a1b2c3d4e5f"));
        assert_eq!(is_transcript(AgentId::Codex, Path::new("/h/.codex/history.jsonl")), None);
        let packed = is_transcript(AgentId::Codex, Path::new(&format!("{path}.zst"))).expect("a compressed rollout");
        assert_eq!(packed, info);
        let lenient = is_any_transcript(AgentId::Codex, Path::new("/x/parent.jsonl")).expect("named by the person");
        assert_eq!(lenient.session.as_deref(), Some("parent"));
    }
}
