//! The keyboard of the timeline: W A S D as in Perfetto, arrows from call to call.

use leptos::prelude::*;

use super::model::Chart;
use crate::host;
use crate::state::use_keys;

/// A key zooms by this much, and pans by this share of the view.
const ZOOM: f64 = 1.25;
const PAN: f64 = 0.12;

pub fn listen(chart: Chart) {
    use_keys(
        &[
            ("W  S", "Zoom in, out"),
            ("A  D", "Pan left, right"),
            ("\u{2190}  \u{2192}", "Previous, next call"),
            ("\u{2191}  \u{2193}", "Lane above, below"),
            ("Home  End", "First, last call of the lane"),
            ("Enter", "Open the call"),
            ("M", "Select the time of the call"),
            ("P", "Critical path of the lane's session"),
            ("F", "Fit the chosen session, or all"),
            ("0", "Show all of the time"),
            ("Shift drag", "Sum up a stretch of time"),
            ("Esc", "Clear selection and path"),
        ],
        move |event| {
            if event.ctrl_key() || event.meta_key() || event.alt_key() || host::is_typing() {
                return false;
            }
            let on_chart = document()
                .active_element()
                .is_none_or(|element| matches!(element.tag_name().as_str(), "CANVAS" | "BODY" | "MAIN" | "DIV"));
            let view = chart.view.get_untracked();
            let middle = pointed(chart).unwrap_or((view.from_ms + view.to_ms) / 2.0);
            match event.key().to_lowercase().as_str() {
                "w" => chart.set_view(view.zoom(1.0 / ZOOM, middle)),
                "s" => chart.set_view(view.zoom(ZOOM, middle)),
                "a" => chart.set_view(view.pan(-view.width() * PAN)),
                "d" => chart.set_view(view.pan(view.width() * PAN)),
                "f" => chart.fit(),
                "0" => {
                    if let Some(all) = chart.all.get_untracked() {
                        chart.set_view(all);
                    }
                }
                "escape" if chart.selection.get_untracked().is_some() || chart.chosen.get_untracked().is_some() => {
                    chart.clear()
                }
                "arrowright" if on_chart => move_along(chart, 1),
                "arrowleft" if on_chart => move_along(chart, -1),
                "arrowdown" if on_chart => move_across(chart, 1),
                "arrowup" if on_chart => move_across(chart, -1),
                "home" if on_chart => move_along(chart, -1_000_000),
                "end" if on_chart => move_along(chart, 1_000_000),
                "enter" if on_chart => match chart.cursor.get_untracked() {
                    Some((_, seq)) => chart.query.set("event", Some(&seq.to_string())),
                    None => return false,
                },
                "m" => match at_cursor(chart) {
                    Some(slice) => chart.selection.set(Some((slice.from_ms, slice.to_ms.max(slice.from_ms + 1)))),
                    None => return false,
                },
                "p" => {
                    let id = chart.cursor.get_untracked().and_then(|(at, _)| {
                        let row = chart.rows.with_untracked(|rows| rows.get(at).copied())?;
                        chart.with(|drawn| drawn.timeline.sessions.get(row.session).map(|session| session.id.clone()))
                    });
                    match id {
                        Some(id) if chart.chosen.get_untracked().as_ref() == Some(&id) => chart.choose(None),
                        Some(id) => chart.choose(Some(id)),
                        None => return false,
                    }
                }
                _ => return false,
            }
            true
        },
    );
}

fn at_cursor(chart: Chart) -> Option<orrery_types::Slice> {
    let (at, seq) = chart.cursor.get_untracked()?;
    let row = chart.rows.with_untracked(|rows| rows.get(at).copied())?;
    chart.with(|drawn| drawn.slices(row).iter().find(|slice| slice.seq == seq).copied())
}

/// The middle of the slice that the keyboard is at, while it is in view: one zooms around it.
fn pointed(chart: Chart) -> Option<f64> {
    let slice = at_cursor(chart)?;
    let view = chart.view.get_untracked();
    let middle = (slice.from_ms + slice.to_ms) as f64 / 2.0;
    (view.from_ms..view.to_ms).contains(&middle).then_some(middle)
}

/// The next or previous slice of the lane; a far step goes to its end.
fn move_along(chart: Chart, by: i64) {
    let (at, seq) = chart.cursor.get_untracked().unwrap_or((first_row(chart), 0));
    let Some(row) = chart.rows.with_untracked(|rows| rows.get(at).copied()) else { return };
    let view = chart.view.get_untracked();
    let found = chart.with(|drawn| {
        let mut slices = drawn.slices(row).to_vec();
        slices.sort_by_key(|slice| (slice.from_ms, slice.row));
        let last = slices.len().checked_sub(1)?;
        let now = slices.iter().position(|slice| slice.seq == seq);
        let next = match now {
            Some(now) => (now as i64).saturating_add(by).clamp(0, last as i64) as usize,
            // From nowhere: the first one in view.
            None => slices.iter().position(|slice| slice.to_ms as f64 >= view.from_ms).unwrap_or(0),
        };
        slices.get(next).copied()
    });
    if let Some(slice) = found {
        chart.cursor.set(Some((at, slice.seq)));
        reveal(chart, slice.from_ms, slice.to_ms);
    }
}

/// The lane above or below, at the same time.
fn move_across(chart: Chart, by: i64) {
    let Some((at, _)) = chart.cursor.get_untracked() else {
        move_along(chart, 0);
        return;
    };
    let view = chart.view.get_untracked();
    let moment = at_cursor(chart).map_or((view.from_ms + view.to_ms) / 2.0, |slice| slice.from_ms as f64);
    let rows = chart.rows.get_untracked();
    let mut next = at as i64 + by;
    // Lanes without a slice in what was read are passed over.
    while let Some(row) = usize::try_from(next).ok().and_then(|next| rows.get(next)) {
        let nearest = chart.with(|drawn| {
            drawn.slices(*row).iter().min_by_key(|slice| ((slice.from_ms as f64) - moment).abs() as i64).copied()
        });
        if let Some(slice) = nearest {
            chart.cursor.set(Some((next as usize, slice.seq)));
            reveal(chart, slice.from_ms, slice.to_ms);
            return;
        }
        next += by;
    }
}

fn first_row(chart: Chart) -> usize {
    chart.sight.get_untracked().0
}

/// Pans so far that the time is in view.
fn reveal(chart: Chart, from_ms: i64, to_ms: i64) {
    let view = chart.view.get_untracked();
    let (from, to) = (from_ms as f64, to_ms as f64);
    let air = view.width() * 0.05;
    if from < view.from_ms {
        chart.set_view(view.pan(from - view.from_ms - air));
    } else if to > view.to_ms {
        let by = (to - view.to_ms + air).min(from - view.from_ms - air);
        chart.set_view(view.pan(by.max(0.0)));
    }
}
