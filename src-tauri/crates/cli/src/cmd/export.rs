//! `orrery export`: one session as a file.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::ValueEnum;

use crate::api::{self, Api};
use crate::out;
use crate::place::Place;

#[derive(Debug, clap::Args)]
pub struct Export {
    /// Id of the session
    session: String,
    #[arg(long, value_enum, default_value = "json", env = "ORRERY_FORMAT")]
    format: Format,
    /// File to write; stdout without it
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Leave secrets in
    #[arg(long)]
    no_redact: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Json,
    Jsonl,
    Csv,
    Md,
    Html,
}

impl Export {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let mut api = Api::running_or_own(&self.place.data_dir())?;
        let format = self.format.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        let redact = if self.no_redact { "&redact=0" } else { "" };
        let path = format!("/sessions/{}/export?format={format}{redact}", api::quote(&self.session));
        let bytes = api.bytes("GET", &path, b"").context("the session was not exported")?;
        match &self.output {
            Some(file) => {
                write_whole(file, &bytes).with_context(|| {
                    format!("{} cannot be written; make room or choose another place", file.display())
                })?;
                out::say(&format!("{} bytes written to {}", bytes.len(), file.display()));
            }
            None => out::bytes(&bytes)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes a file whole or not at all: a full disk leaves no half of it.
fn write_whole(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let fresh = file.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let written = std::fs::write(&fresh, bytes).and_then(|()| std::fs::rename(&fresh, file));
    written.inspect_err(|_| {
        let _ = std::fs::remove_file(&fresh);
    })
}
