//! The sparkline of a session: events per minute.

use orrery_types::SessionRow;

const CELLS: usize = 24;
const CELL_MS: i64 = 60_000;

/// Counts an event in its minute. Called before `last_ms` moves: the last cell is the minute of `row.last_ms`.
pub fn add(row: &mut SessionRow, at_ms: i64) {
    let minute = at_ms.div_euclid(CELL_MS);
    if row.activity.is_empty() {
        row.activity.push(1);
        return;
    }
    let last = row.last_ms.div_euclid(CELL_MS);
    if minute >= last {
        let ahead = usize::try_from(minute - last).unwrap_or(CELLS).min(CELLS);
        row.activity.extend(std::iter::repeat_n(0, ahead));
        let over = row.activity.len().saturating_sub(CELLS);
        row.activity.drain(..over);
    }
    let back = usize::try_from((last.max(minute) - minute).max(0)).unwrap_or(usize::MAX);
    if back >= CELLS {
        return;
    }
    // Older events that arrive late widen the window to the left, up to its size.
    while row.activity.len() <= back {
        row.activity.insert(0, 0);
    }
    let cell = row.activity.len() - 1 - back;
    row.activity[cell] = row.activity[cell].saturating_add(1);
}
