//! What a page is narrowed to. It lives in the URL's query, nowhere else.

use orrery_types::SessionRow;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A span of time: up to now, or between two moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Range {
    Minutes15,
    Hour,
    Today,
    Days7,
    Days30,
    /// From and to, ms since 1970 UTC; the second is outside.
    Custom(i64, i64),
    #[default]
    All,
}

impl Range {
    /// What one picks from a list; custom spans have a dialog of their own.
    pub const EVERY: [Range; 6] =
        [Range::Minutes15, Range::Hour, Range::Today, Range::Days7, Range::Days30, Range::All];

    /// How it stands in addresses: `7d`, or `FROM-TO` in ms.
    pub fn slug(self) -> String {
        let word = match self {
            Range::Minutes15 => "15m",
            Range::Hour => "1h",
            Range::Today => "today",
            Range::Days7 => "7d",
            Range::Days30 => "30d",
            Range::Custom(from, to) => return format!("{from}-{to}"),
            Range::All => "all",
        };
        word.to_owned()
    }
    pub fn label(self) -> String {
        let word = match self {
            Range::Minutes15 => "Last 15 minutes",
            Range::Hour => "Last hour",
            Range::Today => "Today",
            Range::Days7 => "7 days",
            Range::Days30 => "30 days",
            Range::Custom(from, to) => return span_words(from, to, crate::host::utc_offset_minutes),
            Range::All => "All time",
        };
        word.to_owned()
    }
    pub fn from_slug(slug: &str) -> Option<Range> {
        let known = Range::EVERY.into_iter().find(|range| range.slug() == slug);
        known.or_else(|| {
            let (from, to) = slug.split_once('-')?;
            let (from, to) = (from.parse().ok()?, to.parse().ok()?);
            (0 <= from && from < to && to < 253_402_300_800_000).then_some(Range::Custom(from, to))
        })
    }
    /// Where the span begins, ms since 1970 UTC. Empty for all time. Midnight is local: clocks stand `offset_minutes` ahead of UTC.
    pub fn start_ms(self, now_ms: i64, offset_minutes: i32) -> Option<i64> {
        let offset = i64::from(offset_minutes) * 60_000;
        let midnight = (now_ms + offset).div_euclid(DAY_MS) * DAY_MS - offset;
        match self {
            Range::Minutes15 => Some(now_ms - HOUR_MS / 4),
            Range::Hour => Some(now_ms - HOUR_MS),
            Range::Today => Some(midnight),
            Range::Days7 => Some(midnight - 6 * DAY_MS),
            Range::Days30 => Some(midnight - 29 * DAY_MS),
            Range::Custom(from, _) => Some(from),
            Range::All => None,
        }
    }
    /// Where the span ends, ms since 1970 UTC. Empty where it goes on.
    pub fn end_ms(self) -> Option<i64> {
        match self {
            Range::Custom(_, to) => Some(to),
            _ => None,
        }
    }
}

/// `22 Nov 14:00 to 16:30`, or days alone where both ends are midnights.
fn span_words(from: i64, to: i64, offset: impl Fn(i64) -> i32) -> String {
    use orrery_views::format::{clock_minutes, day_short};
    let (from_offset, to_offset) = (offset(from), offset(to));
    let is_midnight = |at: i64, offset: i32| clock_minutes(at, offset) == "00:00";
    let first = day_short(from, from_offset);
    if is_midnight(from, from_offset) && is_midnight(to, to_offset) {
        let last = day_short(to - 1, offset(to - 1));
        return if first == last { first } else { format!("{first} to {last}") };
    }
    let last = day_short(to, to_offset);
    let end = clock_minutes(to, to_offset);
    let end = if first == last { end } else { format!("{last} {end}") };
    format!("{first} {} to {end}", clock_minutes(from, from_offset))
}

/// The filters that the top bar holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    pub project: Option<String>,
    /// Slug of an agent.
    pub agent: Option<String>,
    pub range: Range,
    /// Words of the search field.
    pub text: Option<String>,
}

impl Filter {
    /// Reads the query's fields through `get`.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Filter {
        let full = |key| get(key).filter(|value| !value.trim().is_empty());
        Filter {
            project: full("project"),
            agent: full("agent"),
            range: full("range").and_then(|slug| Range::from_slug(&slug)).unwrap_or_default(),
            text: full("text"),
        }
    }

    pub fn takes_session(&self, row: &SessionRow) -> bool {
        self.project.as_ref().is_none_or(|project| *project == row.project)
            && self.agent.as_ref().is_none_or(|agent| *agent == row.agent)
    }

    pub fn is_narrow(&self) -> bool {
        self.project.is_some() || self.agent.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_is_the_filter() {
        let filter = Filter::read(|key| match key {
            "project" => Some("kiln".into()),
            "agent" => Some(" ".into()),
            "range" => Some("7d".into()),
            _ => None,
        });
        assert_eq!(filter, Filter { project: Some("kiln".into()), range: Range::Days7, ..Filter::default() });
    }

    #[test]
    fn custom_spans_stand_in_addresses() {
        let range = Range::Custom(1_795_388_400_000, 1_795_474_800_000);
        assert_eq!(Range::from_slug(&range.slug()), Some(range));
        assert_eq!(range.end_ms(), Some(1_795_474_800_000));
        for bad in ["9-3", "-5-7", "1-x", "", "7", "1-999999999999999999"] {
            assert_eq!(Range::from_slug(bad), None, "{bad}");
        }
        assert_eq!(span_words(1_795_388_400_000, 1_795_474_800_000, |_| 60), "23 Nov");
        assert_eq!(span_words(1_795_390_200_000, 1_795_392_000_000, |_| 0), "22 Nov 23:30 to 23 Nov 00:00");
    }

    #[test]
    fn today_begins_at_local_midnight() {
        // 2026-11-22 23:30 UTC is the 23rd at 00:30 in Berlin and the 22nd at 18:30 in New York.
        let now = 1_795_390_200_000;
        assert_eq!(Range::Today.start_ms(now, 60), Some(1_795_388_400_000));
        assert_eq!(Range::Today.start_ms(now, -300), Some(1_795_323_600_000));
        assert_eq!(Range::All.start_ms(now, 0), None);
    }
}
