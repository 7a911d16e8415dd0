//! What `orrery-hook` and `orrery hook` do: one payload to the server or into the spool. Never an error, and never a word but
//! the guard's, which a person has to switch on.

use std::ffi::OsString;
use std::io::{IsTerminal, Read, Write};
use std::time::Instant;

use crate::discover::{self, Target};
use crate::send::{self, Deadline, Delivery, Outcome};
use crate::{answer, id, spool};

/// Payloads up to this size go over the port; larger ones are streamed to the spool, so that memory stays small.
const MAX_SENT: usize = 2 * 1024 * 1024;
/// Bytes of one payload that are read at all.
const MAX_READ: u64 = 128 * 1024 * 1024;

/// What the command line of the hook says. Unknown words are passed over: a hook that complains stops an agent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Args {
    /// Empty: `claude-code`.
    pub agent: Option<String>,
    pub server: Option<String>,
    /// A payload given as an argument, as Codex's `notify` does. Stdin is not read then.
    pub payload: Option<String>,
}

impl Args {
    /// Reads the words behind the program's name.
    pub fn parse(words: impl IntoIterator<Item = OsString>) -> Args {
        let mut args = Args::default();
        let mut words = words.into_iter().map(|word| word.to_string_lossy().into_owned());
        while let Some(word) = words.next() {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
                _ => (word.as_str(), None),
            };
            match name {
                "--agent" => args.agent = value.or_else(|| words.next()),
                "--server" => args.server = value.or_else(|| words.next()),
                "--notify" => args.payload = value.or_else(|| words.next()).or(args.payload),
                _ if word.trim_start().starts_with('{') => args.payload = Some(word),
                _ => {}
            }
        }
        args
    }
}

/// Delivers or spools one payload. Takes at most about [`Deadline`] plus the disk's time.
pub fn run(args: &Args) {
    let at_ms = id::now_ms();
    let mut stdin = std::io::stdin();
    let mut body = Vec::new();
    let mut whole = true;
    let mut late = false;
    match &args.payload {
        Some(text) => body = text.clone().into_bytes(),
        None if stdin.is_terminal() => return,
        None => whole = read_up_to(&mut stdin, &mut body, MAX_SENT),
    }
    if body.iter().all(u8::is_ascii_whitespace) {
        return;
    }
    let id = id::uuid_v7(at_ms);
    let agent = slug(args.agent.as_deref());
    let data_dir = discover::data_dir();
    let spool = data_dir.as_deref().map(spool::dir);
    if whole && let Target::Local(server) = discover::server(args.server.as_deref(), data_dir.as_deref()) {
        let was_slow = spool.as_deref().is_some_and(spool::was_slow);
        let deadline = if was_slow { Deadline::SHORT } else { Deadline::default() };
        let start = Instant::now();
        let wants_answer = answer::may_be_asked(&agent, &body);
        let delivery = Delivery { id: &id, at_ms, agent: &agent, body: &body };
        match send::deliver(server, delivery, deadline, wants_answer) {
            Outcome::Taken => return,
            Outcome::Answered(words) => {
                if answer::is_printable(&words) {
                    // An agent that does not listen loses nothing.
                    let _ = std::io::stdout().write_all(&words);
                }
                return;
            }
            Outcome::Failed => {}
        }
        late = start.elapsed() >= deadline.total;
    }
    if let Some(dir) = spool {
        let header = spool::Header { id, at_ms, agent, kind: "hook".to_owned() };
        let rest: Option<(&mut dyn Read, u64)> =
            if whole { None } else { Some((&mut stdin, MAX_READ - MAX_SENT as u64)) };
        // A full disk is the one place where nothing can be kept; the transcript still has the story.
        let _ = spool::put(&dir, &header, &body, rest);
        if late {
            spool::mark_slow(&dir);
        }
    }
}

/// Reads until the end or `max` bytes. True when the end was reached. What came before an error counts.
fn read_up_to(reader: &mut impl Read, body: &mut Vec<u8>, max: usize) -> bool {
    let mut filled = 0;
    body.resize(16 * 1024, 0);
    let whole = loop {
        if filled == body.len() {
            if filled >= max {
                break false;
            }
            body.resize((filled * 2).min(max), 0);
        }
        match reader.read(&mut body[filled..]) {
            Ok(0) => break true,
            Ok(count) => filled += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => break true,
        }
    };
    body.truncate(filled);
    whole
}

/// The agent's word as it can stand in a path: anything else becomes the default agent.
fn slug(agent: Option<&str>) -> String {
    let fits = |word: &&str| {
        (1..=40).contains(&word.len())
            && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
            && !word.starts_with('.')
    };
    agent.filter(fits).unwrap_or("claude-code").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Args {
        Args::parse(words.iter().map(OsString::from))
    }

    #[test]
    fn arguments_in_any_form() {
        let args = parse(&["--agent", "codex", "--server=http://localhost:1", "{\"type\":\"agent-turn-complete\"}"]);
        assert_eq!(args.agent.as_deref(), Some("codex"));
        assert_eq!(args.server.as_deref(), Some("http://localhost:1"));
        assert_eq!(args.payload.as_deref(), Some("{\"type\":\"agent-turn-complete\"}"));
        assert_eq!(parse(&["--notify", "{}"]).payload.as_deref(), Some("{}"));
        assert_eq!(parse(&["--agent"]), Args::default());
        assert_eq!(parse(&["--junk", "-x", "word"]), Args::default());
    }

    #[test]
    fn an_agent_that_is_no_slug_is_claude_code() {
        assert_eq!(slug(Some("Codex")), "codex");
        for odd in ["", "a/b", "../x", "a b", "\r\n", &"x".repeat(41)] {
            assert_eq!(slug(Some(odd)), "claude-code", "{odd}");
        }
    }
}
