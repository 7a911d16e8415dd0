//! `orrery prices`: the price table in force.

use std::process::ExitCode;

use orrery_server::offline::PriceTable;

use crate::out;

#[derive(Debug, clap::Args)]
pub struct Prices {
    #[command(subcommand)]
    action: Option<Action>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Dollars per million tokens of every model (the default)
    Show,
}

impl Prices {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let table = PriceTable::builtin();
        match self.action {
            Some(Action::Show) | None => {}
        }
        let models = table.models();
        if self.json {
            let models: Vec<_> = models
                .iter()
                .map(|model| {
                    serde_json::json!({ "model": model.model, "vendor": model.vendor, "input": model.input, "output": model.output,
                        "cache_write": model.cache_write, "cache_read": model.cache_read,
                        "context_window": model.context_window, "retired": model.retired })
                })
                .collect();
            out::json(
                &serde_json::json!({ "date": table.date(), "unit": "USD per million tokens", "models": models }),
            )?;
            return Ok(ExitCode::SUCCESS);
        }
        let price = |value: Option<f64>| value.map_or("-".to_owned(), |dollars| format!("{dollars:.3}"));
        let rows: Vec<Vec<String>> = models
            .iter()
            .map(|model| {
                vec![
                    model.model.clone(),
                    price(Some(model.input)),
                    price(Some(model.output)),
                    price(model.cache_write),
                    price(model.cache_read),
                ]
            })
            .collect();
        out::line(&out::table(&["model", "input", "output", "cache write", "cache read"], &rows, 1))?;
        out::say(&format!("USD per million tokens, table of {}", table.date()));
        Ok(ExitCode::SUCCESS)
    }
}
