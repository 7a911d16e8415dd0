//! `orrery search`: the search of the app over everything stored.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use orrery_server::clock::{now_ms, utc_offset_minutes};
use orrery_server::offline::{self, Cancel, Clock, Search as Request, format, parse_query};
use orrery_types::{Body, Event, FilterError, Hit};

use crate::out;
use crate::place::Place;

/// Nobody waits at a terminal for longer without a word; `--limit` and narrower queries are quicker.
const TIME: Duration = Duration::from_secs(60);
const LINE: usize = 160;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
A word finds text in which some word begins with it; \"quoted text\" is found anywhere; /a regex/ is matched line by line.
Fields narrow: agent:codex project:api tool:Bash kind:prompt file:src/ model:opus is:error ok:false since:2h on:today
duration>30s cost>0.5 tokens>100k. -x excludes, OR and ( ) combine. A minus at the beginning needs -- before the query.")]
pub struct Search {
    /// The query: words, \"quotes\", /regex/, field:value, -not, OR
    #[arg(required = true, num_args = 1..)]
    query: Vec<String>,
    /// Most hits
    #[arg(long, default_value_t = 50, env = "ORRERY_LIMIT", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// Print the events as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

impl Search {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let text = self.query.join(" ");
        let filter = match parse_query(&text) {
            Ok(filter) => filter,
            Err(error) => {
                explain(&text, &error);
                return Ok(ExitCode::from(2));
            }
        };
        let dir = self.place.data_dir();
        let Some(store) = offline::read_store(&dir)? else {
            bail!("nothing is stored in {} yet: run `orrery import` or `orrery install`", dir.display());
        };
        let now_ms = now_ms();
        let offset = utc_offset_minutes(now_ms);
        let page = store.search(&Request {
            filter,
            clock: Clock { now_ms, utc_offset_minutes: offset },
            before: None,
            limit: self.limit,
            facets: false,
            time: TIME,
            cancel: Cancel::default(),
        })?;
        if self.json {
            let events: Vec<&Event> = page.hits.iter().map(|hit| &hit.event).collect();
            out::json(&serde_json::json!({ "query": text, "total": events.len(), "events": events }))?;
            return Ok(ExitCode::SUCCESS);
        }
        let is_colored = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        for hit in &page.hits {
            let event = &hit.event;
            let moment = format::moment(event.at_ms, offset);
            let session = out::plain(&event.session_id, 8);
            out::line(&format!(
                "{moment}  {session:<11}  {:<12}  {}",
                out::plain(&event.name, 20),
                found(hit, is_colored)
            ))?;
        }
        if page.hits.is_empty() {
            out::say("nothing found");
        } else if page.next.is_some() {
            out::say(&format!("there is more: --limit {} shows it", self.limit.saturating_mul(4).min(10_000)));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Where the query is wrong, and what to write.
fn explain(text: &str, error: &FilterError) {
    let before = text.get(..error.start).unwrap_or_default().chars().count();
    let wrong = text.get(error.start..error.end).unwrap_or_default().chars().count().max(1);
    out::say(&format!("{}\n  {text}\n  {}{}\n{}", error.message, " ".repeat(before), "^".repeat(wrong), error.hint));
}

/// The line of the event that has what was looked for.
fn found(hit: &Hit, is_colored: bool) -> String {
    let snippet = &hit.snippet;
    let Some((start, _)) = snippet.ranges.first().copied() else { return summary(&hit.event) };
    let line_start = snippet.text[..start].rfind('\n').map_or(0, |place| place + 1);
    let line_end = snippet.text[start..].find('\n').map_or(snippet.text.len(), |place| start + place);
    let mut line = String::new();
    let mut place = line_start;
    for (from, to) in snippet.ranges.iter().copied().filter(|(from, to)| *from >= line_start && *to <= line_end) {
        line.push_str(&out::plain(&snippet.text[place..from], LINE));
        let marked = out::plain(&snippet.text[from..to], LINE);
        if is_colored {
            line.push_str(&format!("\x1b[1;33m{marked}\x1b[0m"));
        } else {
            line.push_str(&marked);
        }
        place = to;
    }
    line.push_str(&out::plain(&snippet.text[place..line_end], LINE));
    line
}

/// One line that says what the event is about.
pub fn summary(event: &Event) -> String {
    let text = match &event.body {
        Body::Prompt { text } | Body::Message { text, .. } | Body::Thinking { text } => text.clone(),
        Body::ToolStart { tool, target, .. } | Body::Permission { tool, target, .. } => format!("{tool} {target}"),
        Body::ToolEnd { tool, target, error, .. } => match error {
            Some(error) => format!("{tool} {target}: {error}"),
            None => format!("{tool} {target}"),
        },
        Body::Stop { message } | Body::SubagentStop { message } | Body::Notification { message, .. } => message.clone(),
        Body::Failure { error, details } => format!("{error} {details}"),
        Body::Question { question, .. } => question.text.clone(),
        Body::Other { summary } => summary.clone(),
        _ => String::new(),
    };
    out::plain(&text, 160)
}
