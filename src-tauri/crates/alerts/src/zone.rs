//! The person's calendar: days, weeks, months and times of day in a named zone, through every change of the clocks.

use chrono::{
    DateTime, Datelike, Days, Local, Months, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone,
    Timelike, Utc,
};
use chrono_tz::Tz;
use croner::Cron;
use orrery_types::{Period, WeekStart};

/// The zone in which a person's days begin and end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Zone {
    /// This machine's.
    #[default]
    System,
    Named(Tz),
}

/// A period of the calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// First day, `YYYY-MM-DD`.
    pub day: String,
    pub from_ms: i64,
    /// Start of the next one.
    pub to_ms: i64,
}

impl Zone {
    /// The zone of an IANA name; empty is this machine's. Fails in words.
    pub fn of(name: &str) -> Result<Zone, String> {
        if name.is_empty() {
            return Ok(Zone::System);
        }
        name.parse().map(Zone::Named).map_err(|_| {
            format!("'{name}' is no time zone; write one like Europe/Berlin or America/New_York, or leave it empty")
        })
    }

    /// Date and time on the person's wall at an instant.
    pub fn local(self, at_ms: i64) -> NaiveDateTime {
        let utc = DateTime::<Utc>::from_timestamp_millis(at_ms).unwrap_or_default();
        match self {
            Zone::System => utc.with_timezone(&Local).naive_local(),
            Zone::Named(zone) => utc.with_timezone(&zone).naive_local(),
        }
    }

    /// Minutes east of UTC at an instant.
    pub fn offset_minutes(self, at_ms: i64) -> i32 {
        let utc = DateTime::<Utc>::from_timestamp_millis(at_ms).unwrap_or_default();
        let fix = match self {
            Zone::System => utc.with_timezone(&Local).offset().fix(),
            Zone::Named(zone) => utc.with_timezone(&zone).offset().fix(),
        };
        fix.local_minus_utc() / 60
    }

    /// The first instant at which the wall shows `naive`, or the next moment it does show where clocks skip that one.
    pub fn instant(self, naive: NaiveDateTime) -> i64 {
        // No zone skips more than a day, and none by less than a quarter of an hour.
        for quarters in 0..=96 {
            let naive = naive + TimeDelta::minutes(15 * quarters);
            let found = match self {
                Zone::System => Local.from_local_datetime(&naive).earliest().map(|at| at.timestamp_millis()),
                Zone::Named(zone) => zone.from_local_datetime(&naive).earliest().map(|at| at.timestamp_millis()),
            };
            if let Some(at_ms) = found {
                return at_ms;
            }
        }
        naive.and_utc().timestamp_millis()
    }

    fn start_of(self, day: NaiveDate) -> i64 {
        self.instant(day.and_time(NaiveTime::MIN))
    }

    /// `YYYY-MM-DD` of the day at an instant.
    pub fn day(self, at_ms: i64) -> String {
        self.local(at_ms).format("%Y-%m-%d").to_string()
    }

    pub fn midnight(self, at_ms: i64) -> i64 {
        self.start_of(self.local(at_ms).date())
    }

    pub fn next_midnight(self, at_ms: i64) -> i64 {
        let today = self.local(at_ms).date();
        self.start_of(today.checked_add_days(Days::new(1)).unwrap_or(today))
    }

    /// The day, week or month around an instant.
    pub fn span(self, period: Period, week_start: WeekStart, at_ms: i64) -> Span {
        let today = self.local(at_ms).date();
        let (first, next) = match period {
            Period::Daily => (Some(today), today.checked_add_days(Days::new(1))),
            Period::Weekly => {
                let back = match week_start {
                    WeekStart::Monday => today.weekday().num_days_from_monday(),
                    WeekStart::Sunday => today.weekday().num_days_from_sunday(),
                    WeekStart::Saturday => (today.weekday().num_days_from_sunday() + 1) % 7,
                };
                let first = today.checked_sub_days(Days::new(u64::from(back)));
                (first, first.and_then(|first| first.checked_add_days(Days::new(7))))
            }
            Period::Monthly => {
                let first = today.with_day(1);
                (first, first.and_then(|first| first.checked_add_months(Months::new(1))))
            }
        };
        let (first, next) = (first.unwrap_or(today), next.unwrap_or(today));
        let day = first.format("%Y-%m-%d").to_string();
        Span { day, from_ms: self.start_of(first), to_ms: self.start_of(next) }
    }

    /// When a moment is, as one says it now: `16:20`, `Thursday 16:20` on another day, `24 November 16:20` beyond a week.
    pub fn say(self, at_ms: i64, now_ms: i64) -> String {
        let (at, now) = (self.local(at_ms), self.local(now_ms));
        let days = at.date().signed_duration_since(now.date()).num_days();
        let form = match days {
            0 => "%H:%M",
            -6..=6 => "%A %H:%M",
            _ => "%-d %B %H:%M",
        };
        at.format(form).to_string()
    }

    /// The next moment after `after_ms` that five cron fields name. Empty when none comes.
    ///
    /// A time that the clocks skip runs when they have skipped it; one that they show twice runs once.
    pub fn next_run(self, cron: &Cron, after_ms: i64) -> Option<i64> {
        let utc = DateTime::<Utc>::from_timestamp_millis(after_ms)?;
        match self {
            Zone::System => {
                cron.find_next_occurrence(&utc.with_timezone(&Local), false).ok().map(|at| at.timestamp_millis())
            }
            Zone::Named(zone) => {
                cron.find_next_occurrence(&utc.with_timezone(&zone), false).ok().map(|at| at.timestamp_millis())
            }
        }
    }
}

/// Reads five cron fields. Fails in words.
pub fn cron(text: &str) -> Result<Cron, String> {
    if text.split_whitespace().count() != 5 {
        return Err(format!(
            "'{text}' is no schedule; write five fields: minute, hour, day, month, weekday, like 0 18 * * MON-FRI"
        ));
    }
    text.parse().map_err(|error| format!("'{text}' is no schedule: {error}"))
}

/// Reads `HH:MM`. Fails in words.
pub fn time_of_day(text: &str) -> Result<NaiveTime, String> {
    NaiveTime::parse_from_str(text, "%H:%M").map_err(|_| format!("'{text}' is no time; write it like 22:00"))
}

/// Minutes since the wall's midnight.
pub fn minute_of_day(time: NaiveTime) -> u32 {
    time.hour() * 60 + time.minute()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn berlin() -> Zone {
        Zone::of("Europe/Berlin").unwrap()
    }

    fn utc(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
    }

    #[test]
    fn a_day_with_a_change_of_clocks_is_23_or_25_hours_long() {
        let hours = |at: &str| {
            let at_ms = utc(at);
            (berlin().next_midnight(at_ms) - berlin().midnight(at_ms)) / 3_600_000
        };
        assert_eq!(hours("2026-03-29T12:00:00Z"), 23);
        assert_eq!(hours("2026-10-25T12:00:00Z"), 25);
        assert_eq!(hours("2026-11-25T12:00:00Z"), 24);
        // Beirut skips midnight itself: the day starts at one.
        let beirut = Zone::of("Asia/Beirut").unwrap();
        assert_eq!(beirut.midnight(utc("2026-03-29T12:00:00Z")), utc("2026-03-28T22:00:00Z"));
    }

    #[test]
    fn weeks_start_where_the_person_starts_them() {
        // 25 November 2026 is a Wednesday.
        let at_ms = utc("2026-11-25T12:00:00Z");
        let day = |start| berlin().span(Period::Weekly, start, at_ms).day;
        assert_eq!(day(WeekStart::Monday), "2026-11-23");
        assert_eq!(day(WeekStart::Sunday), "2026-11-22");
        assert_eq!(day(WeekStart::Saturday), "2026-11-21");
        let month = berlin().span(Period::Monthly, WeekStart::Monday, at_ms);
        assert_eq!((month.day.as_str(), month.from_ms), ("2026-11-01", utc("2026-10-31T23:00:00Z")));
        assert_eq!(month.to_ms, utc("2026-11-30T23:00:00Z"));
    }

    #[test]
    fn a_schedule_runs_once_on_every_day_however_long() {
        let at_half_past_two = cron("30 2 * * *").unwrap();
        let runs = |from: &str, to: &str| {
            let (mut at_ms, mut found) = (utc(from), Vec::new());
            while let Some(next) = berlin().next_run(&at_half_past_two, at_ms).filter(|next| *next < utc(to)) {
                found.push(next);
                at_ms = next;
            }
            found
        };
        // 02:30 does not exist on 29 March and comes twice on 25 October.
        assert_eq!(runs("2026-03-28T12:00:00Z", "2026-03-29T21:00:00Z").len(), 1);
        assert_eq!(runs("2026-10-24T12:00:00Z", "2026-10-25T21:00:00Z").len(), 1);
        assert_eq!(runs("2026-11-01T12:00:00Z", "2026-11-08T12:00:00Z").len(), 7);
    }

    #[test]
    fn wrong_zones_schedules_and_times_are_named() {
        assert!(Zone::of("Mars/Olympus").unwrap_err().contains("Mars/Olympus"));
        for bad in ["", "0 25 * * *", "every day", "* * * *", "0 0 0 * * *"] {
            assert!(cron(bad).is_err(), "{bad}");
        }
        assert!(time_of_day("24:00").is_err() && time_of_day("7").is_err());
        assert_eq!(minute_of_day(time_of_day("22:30").unwrap()), 22 * 60 + 30);
    }

    #[test]
    fn moments_are_said_as_near_as_they_are() {
        let now_ms = utc("2026-11-25T12:00:00Z");
        assert_eq!(berlin().say(utc("2026-11-25T15:20:00Z"), now_ms), "16:20");
        assert_eq!(berlin().say(utc("2026-11-27T15:20:00Z"), now_ms), "Friday 16:20");
        assert_eq!(berlin().say(utc("2026-12-20T15:20:00Z"), now_ms), "20 December 16:20");
    }
}
