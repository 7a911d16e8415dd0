//! What a person can set. The file is `config.toml`; the same fields are on the Settings page.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Budget, ExportFormat, Guard, RulePatch, SinkSettings, WeekStart};

/// All settings with their values in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Daily budget over everything, dollars. Empty: none.
    pub budget_daily_usd: Option<f64>,
    /// A task running longer than this many minutes raises a notification. 0: never.
    pub long_task_minutes: u32,
    /// Native notifications at all.
    pub notifications: bool,
    /// `POST /events` and `/hooks/...` from loopback need the token as well.
    pub ingest_needs_token: bool,
    /// Follow the agents' transcript files live.
    pub watch: bool,
    /// Mask keys, tokens and passwords before anything is stored.
    pub redact: bool,
    /// Ids of masking rules that are switched off.
    pub redact_off: Vec<String>,
    pub appearance: Appearance,
    /// In which format a session is dragged out of the window.
    pub export_format: ExportFormat,
    /// Keys that bring the window up from anywhere, as `Ctrl+Alt+O`. Empty: none. Works on X11, macOS and Windows.
    pub global_shortcut: String,
    /// The welcome page was finished or skipped.
    pub welcomed: bool,
    /// Budgets beside `budget_daily_usd`.
    pub budgets: Vec<Budget>,
    /// What an agent hears when it wants to use a tool while a hard limit is passed.
    pub guard: Guard,
    /// Time zone of days, budgets, quiet hours and digests: an IANA name. Empty: this machine's.
    pub zone: String,
    pub week_start: WeekStart,
    pub quiet: QuietHours,
    /// What a person changed of the rules, by rule id; other ids are rules of their own.
    pub rules: BTreeMap<String, RulePatch>,
    /// Sinks beside the desktop.
    pub sinks: Vec<SinkSettings>,
    pub digests: Digests,
}

/// Times without bubbles. What comes then is logged, and told in one word at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QuietHours {
    pub on: bool,
    /// `HH:MM` of the person's clock; `to` before `from` means over midnight.
    pub from: String,
    pub to: String,
    /// Saturdays and Sundays are quiet all day.
    pub weekends: bool,
    /// Critical alerts are shown all the same.
    pub critical_passes: bool,
}

impl Default for QuietHours {
    fn default() -> Self {
        QuietHours {
            on: false,
            from: "22:00".to_owned(),
            to: "07:00".to_owned(),
            weekends: false,
            critical_passes: true,
        }
    }
}

/// Summaries by schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Digests {
    pub daily: DigestSettings,
    pub weekly: DigestSettings,
}

impl Default for Digests {
    fn default() -> Self {
        Digests {
            daily: DigestSettings { at: "0 18 * * *".to_owned(), ..DigestSettings::default() },
            weekly: DigestSettings { at: "0 9 * * MON".to_owned(), ..DigestSettings::default() },
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DigestSettings {
    pub on: bool,
    /// Five cron fields, in the person's time zone.
    pub at: String,
    /// Ids of sinks. Empty: all that are on.
    pub sinks: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            budget_daily_usd: None,
            long_task_minutes: 5,
            notifications: true,
            ingest_needs_token: false,
            watch: true,
            redact: true,
            redact_off: Vec::new(),
            appearance: Appearance::default(),
            export_format: ExportFormat::Html,
            global_shortcut: String::new(),
            welcomed: false,
            budgets: Vec::new(),
            guard: Guard::default(),
            zone: String::new(),
            week_start: WeekStart::default(),
            quiet: QuietHours::default(),
            rules: BTreeMap::new(),
            sinks: Vec::new(),
            digests: Digests::default(),
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Appearance {
    pub theme: Theme,
    /// Id of a theme of one's own (`/api/themes`), which lies over dark or light. Empty: `theme` as it is.
    pub custom: Option<String>,
    pub density: Density,
    /// Percent: 90, 100, 110, 125 or 150. 0 stands for 100.
    pub text_size: u16,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    #[default]
    System,
    Dark,
    Light,
    Contrast,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Density {
    #[default]
    Dense,
    Roomy,
}

/// `PATCH /api/v1/settings`: only the fields that are there change. `budget_daily_usd: null` removes the budget.
///
/// The server takes any part of [`Settings`] as a JSON merge patch (RFC 7396): `null` brings a default back. This type
/// spells the flat values.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SettingsPatch {
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub budget_daily_usd: Option<Option<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub long_task_minutes: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notifications: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingest_needs_token: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watch: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redact: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redact_off: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appearance: Option<Appearance>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub export_format: Option<ExportFormat>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub global_shortcut: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub welcomed: Option<bool>,
}

/// Tells a field that is `null` from one that is absent.
fn present<'de, D>(deserializer: D) -> Result<Option<Option<f64>>, D::Error>
where
    D: serde::Deserializer<'de>,
{
    Option::<f64>::deserialize(deserializer).map(Some)
}
