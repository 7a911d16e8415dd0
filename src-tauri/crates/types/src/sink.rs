//! Sinks: where alerts go, as a person sets them. Secrets are not among these values.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SinkKind {
    /// The native notifications; always there, under the id `desktop`.
    #[default]
    Desktop,
    Slack,
    Email,
    Webhook,
    Ntfy,
}

impl SinkKind {
    /// Names of its secrets: what each means, and whether nothing works without it.
    pub fn secrets(self) -> &'static [(&'static str, &'static str, bool)] {
        match self {
            SinkKind::Desktop => &[],
            SinkKind::Slack => &[("url", "Incoming webhook URL", true)],
            SinkKind::Email => &[("password", "Password", false)],
            SinkKind::Webhook => &[("key", "Signing key", false)],
            SinkKind::Ntfy => &[("token", "Access token", false)],
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailTls {
    /// TLS from the first byte, port 465.
    #[default]
    Tls,
    /// Upgraded, and refused when the server cannot; port 587.
    Starttls,
    /// Plain: only for a server on this machine or network.
    None,
}

/// One sink. Fields of other kinds stay empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SinkSettings {
    /// Unique; its secrets stand under it.
    pub id: String,
    pub kind: SinkKind,
    /// Shown on the page. Empty: the kind.
    pub name: String,
    pub on: bool,
    /// Addresses of this machine and network may be called.
    pub allow_private: bool,
    /// Webhook: where it posts. Ntfy: the server, `https://ntfy.sh` when empty.
    pub url: String,
    /// Webhook: the body, a template. Empty: the alert as JSON.
    pub template: String,
    /// Ntfy.
    pub topic: String,
    /// Email: the server, and how to reach it.
    pub host: String,
    /// 0: the usual one for `tls`.
    pub port: u16,
    pub tls: MailTls,
    pub user: String,
    pub from: String,
    pub to: Vec<String>,
}

impl Default for SinkSettings {
    fn default() -> Self {
        SinkSettings {
            id: String::new(),
            kind: SinkKind::Desktop,
            name: String::new(),
            on: true,
            allow_private: false,
            url: String::new(),
            template: String::new(),
            topic: String::new(),
            host: String::new(),
            port: 0,
            tls: MailTls::Tls,
            user: String::new(),
            from: String::new(),
            to: Vec::new(),
        }
    }
}

/// `GET /api/v1/alerts/sinks`: a sink with what is known of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SinkState {
    pub settings: SinkSettings,
    /// Names of the secrets that are set. Their values are never told.
    pub secrets: Vec<String>,
    pub last_delivered_ms: Option<i64>,
    /// The newest failure, unless a delivery came after it.
    pub error: Option<String>,
    pub waiting: u32,
    pub dead: u32,
    /// What is wrong with its settings.
    pub wrong: Option<String>,
}
