//! What a chart shows, and its values in words. No signal and no drawing in it.

use orrery_views::format;
use serde::Serialize;

use crate::host::utc_offset_minutes;

/// How series are drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    #[default]
    Lines,
    /// Bars, one series upon the other.
    Stack,
}

/// What the values count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    #[default]
    Count,
    /// Micro-dollars.
    Money,
    Tokens,
    Ms,
    /// A share from 0 to 1.
    Share,
}

impl Unit {
    /// The value as a person reads it.
    pub fn words(self, value: f64) -> String {
        match self {
            Unit::Count if value.fract() == 0.0 => format::count(value.max(0.0) as u64),
            Unit::Count => format!("{value:.1}"),
            Unit::Money => format::money(value as i64),
            Unit::Tokens => format::tokens(value.max(0.0) as u64),
            Unit::Ms => format::duration_ms(value as i64),
            Unit::Share => format!("{} %", (value * 1000.0).round() / 10.0),
        }
    }
    /// The value at an axis: short.
    pub fn tick(self, value: f64) -> String {
        match self {
            Unit::Money if value >= 1e6 => format::money_short((value / 1e6).round() as i64 * 1_000_000),
            Unit::Money if value == 0.0 => "$0".to_owned(),
            Unit::Count => format::tokens(value.max(0.0) as u64),
            unit => unit.words(value),
        }
    }
    /// Whether values of several moments may be added.
    const fn adds(self) -> bool {
        matches!(self, Unit::Count | Unit::Money | Unit::Tokens)
    }
}

/// One line, or one layer of the stack.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Series {
    pub name: String,
    /// The token of its color: `--series-1`.
    pub color: String,
    /// One value per moment; nothing was measured where it is empty.
    pub values: Vec<Option<f64>>,
    /// Drawn dashed: not measured but expected.
    pub dashed: bool,
}

/// A level across the chart: a budget.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Limit {
    pub name: String,
    pub value: f64,
}

/// Everything a chart shows.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ChartData {
    pub kind: Kind,
    pub unit: Unit,
    /// Beginning of each step, ms since 1970 UTC, ascending.
    pub at_ms: Vec<i64>,
    /// Length of a step, ms. 0 where moments stand alone.
    pub step_ms: i64,
    pub series: Vec<Series>,
    pub limits: Vec<Limit>,
}

impl ChartData {
    /// Nothing to draw: no moment, or no value at all.
    pub fn is_empty(&self) -> bool {
        self.at_ms.is_empty() || self.series.iter().all(|series| series.values.iter().all(Option::is_none))
    }

    /// The moment in words: a day where steps are days, else day and minute.
    pub fn label(&self, at: usize) -> Option<String> {
        let at_ms = *self.at_ms.get(at)?;
        let offset = utc_offset_minutes(at_ms);
        let day = format::day_short(at_ms, offset);
        Some(if self.step_ms >= 86_400_000 { day } else { format!("{day} {}", format::clock_minutes(at_ms, offset)) })
    }

    /// A value in words; a dash where nothing was measured.
    pub fn value(&self, series: &Series, at: usize) -> String {
        series.values.get(at).copied().flatten().map_or("–".to_owned(), |value| self.unit.words(value))
    }

    /// Name, color and value of each series: at a moment, else its sum, else its newest value.
    pub fn legend(&self, at: Option<usize>) -> Vec<(String, String, String)> {
        let value = |series: &Series| match at {
            Some(at) => self.value(series, at),
            None if self.unit.adds() && self.kind == Kind::Stack => {
                self.unit.words(series.values.iter().flatten().sum())
            }
            None => {
                series.values.iter().rev().flatten().next().map_or("–".to_owned(), |value| self.unit.words(*value))
            }
        };
        self.series.iter().map(|series| (series.name.clone(), series.color.clone(), value(series))).collect()
    }

    /// The chart in a sentence, for those who do not see it.
    pub fn summary(&self) -> String {
        let span = match (self.label(0), self.label(self.at_ms.len().saturating_sub(1))) {
            (Some(first), Some(last)) => format!("{first} to {last}"),
            _ => String::new(),
        };
        let most = self.series.iter().filter_map(|series| {
            let most = series.values.iter().flatten().copied().fold(f64::NAN, f64::max);
            (!most.is_nan()).then(|| format!("{} at most {}", series.name, self.unit.words(most)))
        });
        std::iter::once(span).chain(most).collect::<Vec<_>>().join(", ")
    }
}

/// The server's lines as lines of a chart. Agents have their own colors; any other key keeps its color as long as it can.
pub fn lines(series: &orrery_types::Series, is_agent: bool, name: impl Fn(&str) -> String) -> ChartData {
    let count = series.series.first().map_or(0, |line| line.values.len());
    let mut taken = [false; 8];
    let mut color = |key: &str| {
        let wanted = key.bytes().fold(7_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
        let slot = (0..8).map(|step| (wanted + step) % 8).find(|slot| !taken[*slot]).unwrap_or(wanted % 8);
        taken[slot] = true;
        format!("--series-{}", slot + 1)
    };
    let line = |line: &orrery_types::SeriesLine| Series {
        name: if line.rest { "others".to_owned() } else { name(&line.key) },
        color: match line {
            line if line.rest => "--mark".to_owned(),
            line if is_agent => agent_color(&line.key).to_owned(),
            line => color(&line.key),
        },
        values: line.values.iter().map(|value| Some(*value as f64)).collect(),
        dashed: false,
    };
    let series_lines = series.series.iter().map(line).collect();
    let at_ms = (0..count as i64).map(|at| series.from_ms + at * series.step_ms).collect();
    ChartData { at_ms, step_ms: series.step_ms, series: series_lines, ..ChartData::default() }
}

fn agent_color(slug: &str) -> &'static str {
    match slug {
        "claude-code" => "--agent-claude",
        "codex" => "--agent-codex",
        "gemini-cli" => "--agent-gemini",
        "opencode" => "--agent-opencode",
        _ => "--agent-other",
    }
}

/// The values as CSV with ISO times in UTC; money in dollars.
pub fn csv(data: &ChartData) -> String {
    let mut text = String::from("time");
    for series in &data.series {
        text.push(',');
        text.push_str(&csv_field(&series.name));
    }
    text.push_str("\r\n");
    for (at, at_ms) in data.at_ms.iter().enumerate() {
        text.push_str(&iso(*at_ms));
        for series in &data.series {
            text.push(',');
            if let Some(value) = series.values.get(at).copied().flatten() {
                let value = if data.unit == Unit::Money { value / 1e6 } else { value };
                text.push_str(&value.to_string());
            }
        }
        text.push_str("\r\n");
    }
    text
}

/// Quoted where it must be; a leading sign that a spreadsheet would run as a formula is made harmless.
pub fn csv_field(text: &str) -> String {
    let risky = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if risky { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

fn iso(at_ms: i64) -> String {
    chrono::DateTime::from_timestamp_millis(at_ms)
        .map(|at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data() -> ChartData {
        let series = |name: &str, values: Vec<Option<f64>>| Series {
            name: name.into(),
            color: "--series-1".into(),
            values,
            dashed: false,
        };
        ChartData {
            kind: Kind::Stack,
            unit: Unit::Money,
            at_ms: vec![0, 3_600_000],
            step_ms: 3_600_000,
            series: vec![series("kiln", vec![Some(1_500_000.0), None]), series("=cmd, x", vec![Some(2e6), Some(5e5)])],
            limits: Vec::new(),
        }
    }

    #[test]
    fn csv_has_iso_times_dollars_and_no_formula() {
        let expected = "time,kiln,\"'=cmd, x\"\r\n1970-01-01T00:00:00Z,1.5,2\r\n1970-01-01T01:00:00Z,,0.5\r\n";
        assert_eq!(csv(&data()), expected);
    }

    #[test]
    fn the_legend_tells_sums_or_the_moment() {
        let data = data();
        let values = |at| data.legend(at).into_iter().map(|(_, _, value)| value).collect::<Vec<_>>();
        assert_eq!(values(None), ["$1.50", "$2.50"]);
        assert_eq!(values(Some(1)), ["–", "$0.50"]);
        assert!(!data.is_empty() && ChartData::default().is_empty());
    }

    #[test]
    fn lines_keep_their_colors_and_share_none() {
        let line = |key: &str| orrery_types::SeriesLine { key: key.into(), values: vec![1, 2], ..Default::default() };
        let told = |keys: &[&str]| {
            let series =
                orrery_types::Series { step_ms: 10, from_ms: 5, series: keys.iter().map(|key| line(key)).collect() };
            lines(&series, false, str::to_owned)
        };
        let many = told(&["a", "b", "c", "d", "e", "f", "g", "h"]);
        let colors: std::collections::BTreeSet<_> = many.series.iter().map(|series| &series.color).collect();
        assert_eq!((colors.len(), many.at_ms.as_slice()), (8, [5, 15].as_slice()));
        assert_eq!(told(&["kiln"]).series[0].color, told(&["kiln", "a"]).series[0].color);
    }

    #[test]
    fn ticks_are_short() {
        assert_eq!(Unit::Money.tick(400e6), "$400");
        assert_eq!(Unit::Count.tick(1_200_000.0), "1.2 M");
        assert_eq!(Unit::Share.words(0.0284), "2.8 %");
    }
}
