//! `orrery cost`: tables of tokens and dollars, of the store or straight from files.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use chrono::{Days, Local, NaiveDate, TimeDelta, TimeZone};
use clap::ValueEnum;
use orrery_server::costs::{self, Costs};
use orrery_server::offline::{self, Prices, TotalsQuery, format};
use orrery_types::{CostTotals, GroupBy};
use serde_json::{Value, json};

use crate::cmd::import;
use crate::out;
use crate::place::Place;

#[derive(Debug, clap::Args)]
pub struct Cost {
    #[arg(value_enum, default_value = "daily")]
    by: By,
    /// First day, YYYY-MM-DD in local time
    #[arg(long, value_name = "DAY", value_parser = day)]
    since: Option<NaiveDate>,
    /// Last day, YYYY-MM-DD in local time
    #[arg(long, value_name = "DAY", value_parser = day)]
    until: Option<NaiveDate>,
    /// Read this folder of Claude Code transcripts instead of the store
    #[arg(long, value_name = "DIR")]
    claude: Vec<PathBuf>,
    /// Read this folder of Codex rollouts instead of the store
    #[arg(long, value_name = "DIR")]
    codex: Vec<PathBuf>,
    #[command(flatten)]
    place: Place,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    Daily,
    Weekly,
    Monthly,
    Session,
    Project,
    Model,
    Agent,
}

impl By {
    fn group(self) -> GroupBy {
        match self {
            By::Daily => GroupBy::Daily,
            By::Weekly => GroupBy::Weekly,
            By::Monthly => GroupBy::Monthly,
            By::Session => GroupBy::Session,
            By::Project => GroupBy::Project,
            By::Model => GroupBy::Model,
            By::Agent => GroupBy::Agent,
        }
    }

    /// The key's name in JSON and in the table's head.
    fn key(self) -> &'static str {
        match self {
            By::Daily => "date",
            By::Weekly => "week",
            By::Monthly => "month",
            By::Session => "session_id",
            By::Project => "project",
            By::Model => "model",
            By::Agent => "agent",
        }
    }
}

impl Cost {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let query = TotalsQuery {
            from_ms: self.since.map(start_of).transpose()?,
            to_ms: self.until.map(|day| start_of(day + Days::new(1))).transpose()?,
            ..TotalsQuery::default()
        };
        let prices = offline::prices(&self.place.data_dir())?;
        let costs = self.costs(&query, &prices)?;
        if self.json {
            let rows: Vec<Value> = costs
                .rows
                .iter()
                .map(|row| {
                    let mut fields = fields(&row.totals);
                    fields[self.by.key()] = json!(row.key);
                    fields["models"] = json!(row.models);
                    fields
                })
                .collect();
            out::json(&json!({
                "by": self.by.to_possible_value().map(|value| value.get_name().to_owned()),
                "rows": rows,
                "totals": fields(&costs.totals),
                "price_date": prices.in_force().date(),
            }))?;
        } else {
            self.print(&costs)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn costs(&self, query: &TotalsQuery, prices: &Prices) -> anyhow::Result<Costs> {
        if !self.claude.is_empty() || !self.codex.is_empty() {
            return Ok(costs::scanned(&import::roots(&self.claude, &self.codex)?, self.by.group(), query, prices));
        }
        let dir = self.place.data_dir();
        let Some(store) = offline::read_store(&dir)? else {
            bail!(
                "nothing is stored in {} yet: run `orrery import`, or name folders with --claude or --codex",
                dir.display()
            );
        };
        Ok(costs::stored(store.as_ref(), self.by.group(), query)?)
    }

    fn print(&self, costs: &Costs) -> anyhow::Result<()> {
        let line = |key: &str, totals: &CostTotals| {
            let tokens = totals.tokens;
            let write = tokens.cache_write + tokens.cache_write_1h;
            let cells = [tokens.input, tokens.output, write, tokens.cache_read, tokens.total()].map(format::count);
            let mut row = vec![out::plain(key, 60)];
            row.extend(cells);
            row.push(money(totals));
            row
        };
        let mut rows: Vec<Vec<String>> = costs.rows.iter().map(|row| line(&row.key, &row.totals)).collect();
        rows.push(line("total", &costs.totals));
        let head = [self.by.key(), "input", "output", "cache write", "cache read", "tokens", "cost"];
        out::line(&out::table(&head, &rows, 1))?;
        if costs.totals.unpriced_requests > 0 {
            out::say(&format!(
                "{} requests have no known price and count only as tokens",
                costs.totals.unpriced_requests
            ));
        }
        Ok(())
    }
}

fn money(totals: &CostTotals) -> String {
    if totals.requests > 0 && totals.unpriced_requests == totals.requests {
        "unpriced".to_owned()
    } else {
        format::money(totals.cost_usd_micros)
    }
}

fn fields(totals: &CostTotals) -> Value {
    let tokens = totals.tokens;
    json!({
        "input_tokens": tokens.input,
        "output_tokens": tokens.output,
        "cache_creation_tokens": tokens.cache_write + tokens.cache_write_1h,
        "cache_read_tokens": tokens.cache_read,
        "reasoning_tokens": tokens.reasoning,
        "total_tokens": tokens.total(),
        "cost_usd": totals.cost_usd_micros as f64 / 1e6,
        "requests": totals.requests,
        "unpriced_requests": totals.unpriced_requests,
        "estimated_requests": totals.estimated_requests,
    })
}

fn day(text: &str) -> Result<NaiveDate, String> {
    let parsed = NaiveDate::parse_from_str(text, "%Y-%m-%d").or_else(|_| NaiveDate::parse_from_str(text, "%Y%m%d"));
    parsed.map_err(|_| "a day is written YYYY-MM-DD".to_owned())
}

/// The first moment of a local day, ms. Where the zone skips midnight, the hour after.
fn start_of(day: NaiveDate) -> anyhow::Result<i64> {
    let midnight = day.and_time(chrono::NaiveTime::MIN);
    let start = Local.from_local_datetime(&midnight).earliest();
    let start = start.or_else(|| Local.from_local_datetime(&(midnight + TimeDelta::hours(1))).earliest());
    Ok(start.context("the day cannot be placed in this time zone")?.timestamp_millis())
}
