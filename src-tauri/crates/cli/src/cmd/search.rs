//! `orrery search`: full text over everything stored.

use std::process::ExitCode;

use anyhow::bail;
use orrery_server::offline::{self, format};
use orrery_types::{Body, Event, EventQuery};

use crate::out;
use crate::place::Place;

#[derive(Debug, clap::Args)]
pub struct Search {
    /// Words, all of which must occur
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
        let dir = self.place.data_dir();
        let Some(store) = offline::read_store(&dir)? else {
            bail!("nothing is stored in {} yet: run `orrery import` or `orrery install`", dir.display());
        };
        let words = self.query.join(" ");
        let query = EventQuery { words: Some(words.clone()), limit: Some(self.limit), ..EventQuery::default() };
        let page = store.events(&query)?;
        if self.json {
            out::json(&serde_json::json!({ "query": words, "total": page.total, "events": page.items }))?;
            return Ok(ExitCode::SUCCESS);
        }
        let offset = orrery_server::clock::utc_offset_minutes(orrery_server::clock::now_ms());
        for event in &page.items {
            let moment = format::moment(event.at_ms, offset);
            let session = out::plain(&event.session_id, 8);
            out::line(&format!("{moment}  {session:<11}  {:<12}  {}", out::plain(&event.name, 20), summary(event)))?;
        }
        if page.items.is_empty() {
            out::say("nothing found");
        }
        Ok(ExitCode::SUCCESS)
    }
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
