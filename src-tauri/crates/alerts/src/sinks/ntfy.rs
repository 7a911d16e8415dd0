//! ntfy: notifications on a phone through a public or an own server.

use orrery_types::{Alert, AlertKind, SinkSettings, Urgency};
use serde_json::json;

use super::http::{self, Post};
use super::{Outside, Sink, SinkError};

const SERVER: &str = "https://ntfy.sh";

pub struct Ntfy {
    settings: SinkSettings,
    token: Option<String>,
    outside: Outside,
}

impl Ntfy {
    pub fn new(settings: &SinkSettings, token: Option<String>, outside: &Outside) -> Ntfy {
        Ntfy { settings: settings.clone(), token, outside: outside.clone() }
    }
}

impl Sink for Ntfy {
    fn name(&self) -> &str {
        self.settings.id.as_str()
    }

    fn deliver(&self, alert: &Alert) -> Result<(), SinkError> {
        let priority = match alert.urgency {
            Urgency::Low => 2,
            Urgency::Normal => 3,
            Urgency::Critical => 5,
        };
        let tag = match alert.kind {
            AlertKind::BudgetExceeded | AlertKind::BudgetNear | AlertKind::Forecast | AlertKind::CostSpike => {
                "moneybag"
            }
            AlertKind::NeedsYou => "raised_hand",
            AlertKind::Completed => "white_check_mark",
            AlertKind::AgentError | AlertKind::Loop => "warning",
            AlertKind::Digest => "bar_chart",
            _ => "bell",
        };
        let text = if alert.text.is_empty() { &alert.title } else { &alert.text };
        let body = json!({
            "topic": self.settings.topic, "title": alert.title, "message": text, "priority": priority, "tags": [tag],
            "click": self.outside.link(alert),
        });
        let mut headers = vec![("content-type", "application/json".to_owned())];
        if let Some(token) = &self.token {
            headers.push(("authorization", format!("Bearer {token}")));
        }
        let url = if self.settings.url.is_empty() { SERVER } else { &self.settings.url };
        let allow_private = self.settings.allow_private;
        http::post(&Post { url, headers: &headers, body: body.to_string(), allow_private })
    }
}
