//! The clock and the ids: read and minted here alone, passed to everything else.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Days, Local, NaiveDate, Offset, TimeZone, Utc};

/// The time of day. Tests stand it still and move it by hand.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    fixed: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Clock {
        Clock::default()
    }

    /// A clock that shows what the cell holds, ms since 1970 UTC.
    pub fn fixed(cell: Arc<AtomicI64>) -> Clock {
        Clock { fixed: Some(cell) }
    }

    /// Milliseconds since 1970 UTC.
    #[allow(clippy::disallowed_methods, reason = "this is the place")]
    pub fn now_ms(&self) -> i64 {
        match &self.fixed {
            Some(cell) => cell.load(Ordering::Relaxed),
            None => Utc::now().timestamp_millis(),
        }
    }
}

/// The machine's clock, ms since 1970 UTC.
pub fn now_ms() -> i64 {
    Clock::system().now_ms()
}

/// A new event or job id: uuid v7 as 32 hex digits.
#[allow(clippy::disallowed_methods, reason = "this is the place")]
pub fn new_id() -> String {
    uuid::Uuid::now_v7().simple().to_string()
}

/// 256 random bits as 64 hex digits.
///
/// # Errors
/// The system's random source failed.
pub fn secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes)?;
    Ok(crate::token::hex(&bytes))
}

/// The person's calendar day at `at_ms`, `YYYY-MM-DD`.
pub fn day(at_ms: i64) -> String {
    local(at_ms).format("%Y-%m-%d").to_string()
}

/// The instant as RFC 3339 in UTC, for exports.
pub fn rfc3339(at_ms: i64) -> String {
    DateTime::<Utc>::from_timestamp_millis(at_ms)
        .unwrap_or_default()
        .to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// Start of the person's calendar day at `at_ms`, ms.
pub fn midnight(at_ms: i64) -> i64 {
    start_of(local(at_ms).date_naive())
}

/// Start of the next calendar day, ms.
pub fn next_midnight(at_ms: i64) -> i64 {
    let today = local(at_ms).date_naive();
    start_of(today.checked_add_days(Days::new(1)).unwrap_or(today))
}

/// Minutes east of UTC in the person's zone at `at_ms`.
pub fn utc_offset_minutes(at_ms: i64) -> i32 {
    local(at_ms).offset().fix().local_minus_utc() / 60
}

fn local(at_ms: i64) -> DateTime<Local> {
    DateTime::<Utc>::from_timestamp_millis(at_ms).unwrap_or_default().with_timezone(&Local)
}

fn start_of(day: NaiveDate) -> i64 {
    let naive = day.and_time(chrono::NaiveTime::MIN);
    // A zone that skips midnight on this day starts it an hour later.
    let start = Local.from_local_datetime(&naive).earliest();
    let start = start.or_else(|| Local.from_local_datetime(&(naive + chrono::TimeDelta::hours(1))).earliest());
    start.map_or_else(|| naive.and_utc().timestamp_millis(), |at| at.timestamp_millis())
}
