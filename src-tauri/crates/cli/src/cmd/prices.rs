//! `orrery prices`: the price table in force, and putting another one in force.

use std::process::ExitCode;

use anyhow::{Context, bail};
use orrery_server::offline::{self, PriceTable};
use orrery_server::{clock, prices};
use serde_json::{Value, json};

use crate::api::{Api, quote};
use crate::place::Place;
use crate::{fetch, out};

#[derive(Debug, clap::Args)]
pub struct Prices {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    place: Place,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Dollars per million tokens of every model (the default)
    Show {
        /// Print the whole table, every tier and border, in the form that `update` reads
        #[arg(long)]
        table: bool,
    },
    /// Put newer prices in force for what comes in from now on; what is stored keeps its prices
    Update {
        /// LiteLLM's model_prices_and_context_window.json, or a table as `show --table` prints it: a file, `-`, or an address
        #[arg(long, value_name = "FILE_OR_URL")]
        from: String,
        /// Say what would change and change nothing
        #[arg(long)]
        dry_run: bool,
        /// Change without asking
        #[arg(short, long)]
        yes: bool,
    },
}

impl Prices {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match &self.action {
            Some(Action::Update { from, dry_run, yes }) => self.update(from, *dry_run, *yes),
            Some(Action::Show { table: true }) => {
                out::bytes(self.known()?.in_force().to_text().as_bytes())?;
                Ok(ExitCode::SUCCESS)
            }
            Some(Action::Show { table: false }) | None => self.show(),
        }
    }

    fn known(&self) -> anyhow::Result<offline::Prices> {
        Ok(offline::prices(&self.place.data_dir())?)
    }

    fn show(&self) -> anyhow::Result<ExitCode> {
        let known = self.known()?;
        if self.json {
            out::json(&prices::shown(&known))?;
        } else {
            out::line(&models(known.in_force()))?;
            let version = known.version(known.in_force().date());
            out::say(&format!("USD per million tokens, table of {} ({})", version.version, version.origin));
        }
        Ok(ExitCode::SUCCESS)
    }

    fn update(&self, from: &str, dry_run: bool, yes: bool) -> anyhow::Result<ExitCode> {
        let text = fetch::fetch(from, prices::MOST_BYTES)?;
        let origin = if from == "-" { "standard input" } else { from };
        let now_ms = clock::now_ms();
        let data_dir = self.place.data_dir();
        let plan = prices::plan(&self.known()?, &text, &clock::day(now_ms), origin, now_ms)
            .with_context(|| format!("prices from {origin}"))?;
        let ask = !dry_run && !yes && !plan.is_empty();
        if !self.json || ask {
            say(&plan.told(false));
        }
        let mut answer = plan.told(false);
        if !dry_run && !plan.is_empty() {
            if ask && !out::confirm("Put these prices in force?") {
                bail!("nothing was changed; give --yes where there is no terminal to ask on");
            }
            // The running server prices with it at once; without one the store keeps it for the next.
            let mut api = Api::running_or_own(&data_dir)?;
            let body = api.bytes("POST", &format!("/api/v1/prices?origin={}", quote(origin)), &text)?;
            answer = serde_json::from_slice(&body).context("the server's answer cannot be read")?;
        }
        if self.json {
            out::json(&answer)?;
        } else if answer["applied"] == json!(true) {
            let version = answer["version"]["version"].as_str().unwrap_or_default();
            out::say(&format!("in force from now on as the table of {version}; what is stored keeps its prices"));
        } else if plan.is_empty() {
            out::say("nothing to change");
        } else {
            out::say("nothing was changed");
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn models(table: &PriceTable) -> String {
    let price = |value: Option<f64>| value.map_or("-".to_owned(), |dollars| format!("{dollars:.3}"));
    let rows: Vec<Vec<String>> = table
        .models()
        .into_iter()
        .map(|model| {
            let prices = [Some(model.input), Some(model.output), model.cache_write, model.cache_read].map(price);
            [vec![model.model], prices.to_vec()].concat()
        })
        .collect();
    out::table(&["model", "input", "output", "cache write", "cache read"], &rows, 1)
}

/// What a plan changes, in lines.
fn say(plan: &Value) {
    let dollars = |model: &Value| {
        let of = |kind: &str| model[kind].as_f64().map_or("-".to_owned(), |usd| usd.to_string());
        format!("{} in, {} out, {} read, {} write", of("input"), of("output"), of("cache_read"), of("cache_write"))
    };
    let name = |model: &Value| out::plain(model["model"].as_str().unwrap_or_default(), 80);
    for model in plan["added"].as_array().into_iter().flatten() {
        out::say(&format!("+ {}: {}", name(model), dollars(model)));
    }
    for change in plan["changed"].as_array().into_iter().flatten() {
        let (before, after) = (dollars(&change["before"]), dollars(&change["after"]));
        let after = if before == after { "other tiers, borders or factors".to_owned() } else { after };
        out::say(&format!("~ {}: {before} -> {after}", name(&change["after"])));
    }
    let count = |list: &str| plan[list].as_array().map_or(0, Vec::len);
    out::say(&format!(
        "{} new, {} changed, {} the same; {} others keep their prices; {} entries without a price per token left out",
        count("added"),
        count("changed"),
        plan["same"],
        plan["kept"],
        plan["left_out"]
    ));
}
