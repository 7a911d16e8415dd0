//! What a page is narrowed to. It lives in the URL's query, nowhere else.

use orrery_types::SessionRow;

/// A span of time up to now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Range {
    Minutes15,
    Hour,
    Today,
    Days7,
    Days30,
    #[default]
    All,
}

impl Range {
    pub const EVERY: [Range; 6] =
        [Range::Minutes15, Range::Hour, Range::Today, Range::Days7, Range::Days30, Range::All];

    pub const fn slug(self) -> &'static str {
        match self {
            Range::Minutes15 => "15m",
            Range::Hour => "1h",
            Range::Today => "today",
            Range::Days7 => "7d",
            Range::Days30 => "30d",
            Range::All => "all",
        }
    }
    pub const fn label(self) -> &'static str {
        match self {
            Range::Minutes15 => "Last 15 minutes",
            Range::Hour => "Last hour",
            Range::Today => "Today",
            Range::Days7 => "7 days",
            Range::Days30 => "30 days",
            Range::All => "All time",
        }
    }
    pub fn from_slug(slug: &str) -> Option<Range> {
        Range::EVERY.into_iter().find(|range| range.slug() == slug)
    }
    /// Where the span begins, ms since 1970 UTC. Empty for all time. Midnight is local: clocks stand `offset_minutes` ahead of UTC.
    pub fn start_ms(self, now_ms: i64, offset_minutes: i32) -> Option<i64> {
        const HOUR: i64 = 3_600_000;
        let offset = i64::from(offset_minutes) * 60_000;
        let midnight = (now_ms + offset).div_euclid(24 * HOUR) * 24 * HOUR - offset;
        match self {
            Range::Minutes15 => Some(now_ms - HOUR / 4),
            Range::Hour => Some(now_ms - HOUR),
            Range::Today => Some(midnight),
            Range::Days7 => Some(midnight - 6 * 24 * HOUR),
            Range::Days30 => Some(midnight - 29 * 24 * HOUR),
            Range::All => None,
        }
    }
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
    fn today_begins_at_local_midnight() {
        // 2026-11-22 23:30 UTC is the 23rd at 00:30 in Berlin and the 22nd at 18:30 in New York.
        let now = 1_795_390_200_000;
        assert_eq!(Range::Today.start_ms(now, 60), Some(1_795_388_400_000));
        assert_eq!(Range::Today.start_ms(now, -300), Some(1_795_323_600_000));
        assert_eq!(Range::All.start_ms(now, 0), None);
    }
}
