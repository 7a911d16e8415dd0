//! Slack, through an incoming webhook.

use orrery_types::{Alert, SinkSettings, Urgency};
use serde_json::{Value, json};

use super::http::{self, Post};
use super::{Outside, Sink, SinkError};
use crate::digest;

/// Slack cuts a section's text at 3,000 and a header's at 150 characters, and refuses what is longer.
const TEXT_CHARS: usize = 2_900;
const HEADER_CHARS: usize = 140;

pub struct Slack {
    settings: SinkSettings,
    url: String,
    outside: Outside,
}

impl Slack {
    pub fn new(settings: &SinkSettings, url: String, outside: &Outside) -> Slack {
        Slack { settings: settings.clone(), url, outside: outside.clone() }
    }
}

impl Sink for Slack {
    fn name(&self) -> &str {
        self.settings.id.as_str()
    }

    fn deliver(&self, alert: &Alert) -> Result<(), SinkError> {
        let body = message(alert, &self.outside.link(alert)).to_string();
        let headers = [("content-type", "application/json".to_owned())];
        http::post(&Post { url: &self.url, headers: &headers, body, allow_private: self.settings.allow_private })
    }
}

/// The message: a text for notifications, and blocks for the channel.
fn message(alert: &Alert, link: &str) -> Value {
    let mark = if alert.urgency == Urgency::Critical { ":rotating_light: " } else { "" };
    let header: String = format!("{mark}{}", alert.title).chars().take(HEADER_CHARS).collect();
    let said: String = match &alert.digest {
        Some(digest) => format!("```{}```", escape(&digest::text(digest))),
        None => escape(&alert.text),
    };
    let said: String = said.chars().take(TEXT_CHARS).collect();
    let mut blocks = vec![json!({"type": "header", "text": {"type": "plain_text", "text": header, "emoji": true}})];
    if !said.trim().is_empty() {
        blocks.push(json!({"type": "section", "text": {"type": "mrkdwn", "text": said}}));
    }
    let foot = format!("<{link}|Open in Orrery>  {}", escape(&alert.rule));
    blocks.push(json!({"type": "context", "elements": [{"type": "mrkdwn", "text": foot.trim()}]}));
    json!({"text": escape(&format!("{}: {}", alert.title, alert.text)), "blocks": blocks})
}

/// Slack reads three characters as markup; `<!channel>` in an agent's text must call nobody.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_call_nobody_and_long_texts_fit() {
        let alert = Alert {
            title: "Goes in circles".to_owned(),
            text: format!("<!channel> & {}", "x".repeat(5_000)),
            urgency: Urgency::Critical,
            ..Alert::default()
        };
        let message = message(&alert, "http://127.0.0.1:4000/app/alerts");
        let section = message["blocks"][1]["text"]["text"].as_str().expect("a text");
        assert!(section.starts_with("&lt;!channel&gt; &amp; x") && section.chars().count() <= TEXT_CHARS);
        assert_eq!(message["blocks"][0]["text"]["text"], ":rotating_light: Goes in circles");
        assert!(message["blocks"][2]["elements"][0]["text"].as_str().expect("a link").contains("|Open in Orrery>"));
    }
}
