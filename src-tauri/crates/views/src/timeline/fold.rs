//! Level of detail: at most one slice for each column of each row of a lane, however many spans lie there.

use orrery_types::Slice;

use super::{Span, Spans};

/// A slice gets a label from so many columns on.
const LABEL_COLUMNS: i64 = 8;

/// A time cut into columns of equal width.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Columns {
    pub from_ms: i64,
    pub to_ms: i64,
    pub count: u32,
}

impl Columns {
    /// Empty times and no columns become the least there can be.
    pub fn new(from_ms: i64, to_ms: i64, count: u32) -> Columns {
        Columns { from_ms, to_ms: to_ms.max(from_ms.saturating_add(1)), count: count.max(1) }
    }

    /// The column of a moment, the first or last one for what lies outside.
    pub fn of(&self, at_ms: i64) -> i64 {
        let past = i128::from(at_ms.clamp(self.from_ms, self.to_ms) - self.from_ms);
        let column = past * i128::from(self.count) / i128::from(self.to_ms - self.from_ms);
        i64::try_from(column).unwrap_or(0).min(i64::from(self.count) - 1)
    }

    /// The first millisecond of a column.
    pub fn start_ms(&self, column: i64) -> i64 {
        let past = i128::from(column) * i128::from(self.to_ms - self.from_ms);
        let count = i128::from(self.count);
        self.from_ms + i64::try_from((past + count - 1).div_euclid(count)).unwrap_or(0)
    }
}

/// Folds a session's spans to slices, which get `session` as their session and words of `label`.
/// Gives the number of spans that were folded.
pub fn fold(
    spans: &Spans,
    columns: Columns,
    now_ms: Option<i64>,
    session: u32,
    mut label: impl FnMut(String) -> u32,
    into: &mut Vec<Slice>,
) -> u64 {
    let mut folded = 0;
    for group in &spans.groups {
        let mut row = Row { columns, session, pending: None, out: into };
        for span in spans.touching(*group, columns.from_ms, columns.to_ms, now_ms) {
            folded += 1;
            let wide = columns.of(span.to_ms) - columns.of(span.from_ms) >= LABEL_COLUMNS;
            let word = if wide { label(spans.name(&span)) } else { 0 };
            row.take(&span, word);
        }
        row.flush();
    }
    folded
}

/// What is known of the column that is being filled.
struct Pending {
    column: i64,
    slice: Slice,
    /// Time inside the column of the span that gave the slice its kind.
    cover_ms: i64,
    /// The end of a wide span, and nothing else.
    is_tail: bool,
}

struct Row<'a> {
    columns: Columns,
    session: u32,
    pending: Option<Pending>,
    out: &'a mut Vec<Slice>,
}

impl Row<'_> {
    fn take(&mut self, span: &Span, word: u32) {
        let (first, last) = (self.columns.of(span.from_ms), self.columns.of((span.to_ms - 1).max(span.from_ms)));
        let slice = Slice {
            session: self.session,
            lane: span.lane,
            kind: span.kind,
            failed: span.failed,
            open: span.open,
            from_ms: span.from_ms,
            to_ms: span.to_ms,
            seq: span.seq,
            count: 1,
            row: span.row,
            rows: span.rows.max(1),
            word,
        };
        if first == last {
            self.put(first, slice, span.to_ms - span.from_ms);
            return;
        }
        // The first column may belong to what came before; the last is left open for what follows.
        let inside = self.columns.start_ms(first + 1) - span.from_ms;
        let taken = self.pending.as_ref().is_some_and(|pending| {
            pending.column == first
                && (pending.slice.failed || pending.cover_ms >= inside)
                && pending.slice.seq != span.seq
        });
        let mut count = 1;
        if !taken && let Some(hidden) = self.pending.take_if(|pending| pending.column == first) {
            // What the wide span covers is part of it from here on.
            count += hidden.slice.count;
        }
        self.flush();
        let start = if taken { self.columns.start_ms(first + 1) } else { span.from_ms };
        let end = self.columns.start_ms(last);
        if end > start {
            self.out.push(Slice { from_ms: start, to_ms: end, count, ..slice });
            count = 0;
        }
        self.put(last, Slice { from_ms: end.max(start), count, ..slice }, span.to_ms - end);
    }

    /// Puts a span, or the end of one, into one column.
    fn put(&mut self, column: i64, slice: Slice, cover_ms: i64) {
        match &mut self.pending {
            Some(pending) if pending.column == column => {
                let longest = if cover_ms > pending.cover_ms { slice } else { pending.slice };
                pending.is_tail = false;
                pending.slice = Slice {
                    failed: pending.slice.failed | slice.failed,
                    open: pending.slice.open | slice.open,
                    from_ms: pending.slice.from_ms.min(slice.from_ms),
                    to_ms: pending.slice.to_ms.max(slice.to_ms),
                    count: pending.slice.count + slice.count,
                    word: 0,
                    ..longest
                };
                pending.cover_ms = pending.cover_ms.max(cover_ms);
            }
            _ => {
                self.flush();
                self.pending = Some(Pending { column, slice, cover_ms, is_tail: slice.count == 0 });
            }
        }
    }

    fn flush(&mut self) {
        let Some(pending) = self.pending.take() else { return };
        match self.out.last_mut() {
            Some(last) if pending.is_tail => last.to_ms = pending.slice.to_ms,
            _ => self.out.push(pending.slice),
        }
    }
}
