//! The forms in which a session leaves Orrery as a file.

use serde::{Deserialize, Serialize};

/// A file format of `GET /sessions/{id}/export?format=`, of `orrery export --format`, and of files dragged out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    /// One self-contained page with its own replay.
    Html,
    /// Markdown: prompts and answers in full, calls in one line each.
    Md,
    /// The session's row and its events, one object.
    #[default]
    Json,
    /// One event a line.
    Jsonl,
    /// One event a row, without anything a spreadsheet would run.
    Csv,
}

impl ExportFormat {
    pub const ALL: [ExportFormat; 5] =
        [ExportFormat::Html, ExportFormat::Md, ExportFormat::Json, ExportFormat::Jsonl, ExportFormat::Csv];

    /// The word in addresses, which is the file's ending too.
    pub const fn slug(self) -> &'static str {
        match self {
            ExportFormat::Html => "html",
            ExportFormat::Md => "md",
            ExportFormat::Json => "json",
            ExportFormat::Jsonl => "jsonl",
            ExportFormat::Csv => "csv",
        }
    }

    /// What a person reads.
    pub const fn label(self) -> &'static str {
        match self {
            ExportFormat::Html => "HTML with replay",
            ExportFormat::Md => "Markdown",
            ExportFormat::Json => "JSON",
            ExportFormat::Jsonl => "JSON lines",
            ExportFormat::Csv => "CSV",
        }
    }

    pub const fn mime(self) -> &'static str {
        match self {
            ExportFormat::Html => "text/html; charset=utf-8",
            ExportFormat::Md => "text/markdown; charset=utf-8",
            ExportFormat::Json => "application/json",
            ExportFormat::Jsonl => "application/x-ndjson",
            ExportFormat::Csv => "text/csv; charset=utf-8",
        }
    }

    pub fn from_slug(slug: &str) -> Option<ExportFormat> {
        ExportFormat::ALL.into_iter().find(|format| format.slug() == slug)
    }
}

/// `GET /sessions/{id}/export/preview` and `GET /api/v1/export/preview`: what the file would hold and mask.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportPreview {
    pub sessions: u64,
    pub events: u64,
    /// Whether all events were looked at: a very long session is counted at its start only.
    pub complete: bool,
    /// Secrets that masking takes out, most first. Those masked before they were stored are gone already.
    pub masked: Vec<MaskedKind>,
}

/// Secrets of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaskedKind {
    /// The rule's stable word.
    pub rule: String,
    pub name: String,
    pub count: u64,
}
