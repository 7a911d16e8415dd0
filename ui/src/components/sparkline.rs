//! Activity of the last minutes as bars.

use leptos::prelude::*;

const CELLS: usize = 24;
const WIDTH: usize = 90;
const HEIGHT: f64 = 15.0;

/// Events per minute, newest last; `age_min` empty minutes follow the last cell.
#[component]
pub fn Sparkline(#[prop(into)] cells: Signal<Vec<u16>>, #[prop(into)] age_min: Signal<usize>) -> impl IntoView {
    let path = move || cells.with(|cells| bars(cells, age_min.get()));
    view! {
        <svg class="spark" width=WIDTH height=HEIGHT viewBox=format!("0 0 {WIDTH} {HEIGHT}") aria-hidden="true">
            <path d=path></path>
        </svg>
    }
}

/// One path of at most 24 bars, 2 px wide. A silent minute is a dot on the line.
fn bars(cells: &[u16], age_min: usize) -> String {
    let silent = age_min.min(CELLS);
    let shown = &cells[cells.len().saturating_sub(CELLS - silent)..];
    let mut row = vec![0_u16; CELLS - silent - shown.len()];
    row.extend_from_slice(shown);
    row.resize(CELLS, 0);
    let most = f64::from(row.iter().copied().max().unwrap_or(0).max(6));
    let step = WIDTH as f64 / CELLS as f64;
    row.iter()
        .enumerate()
        .map(|(index, count)| {
            let height = (f64::from(*count) / most * (HEIGHT - 2.0)).round().max(0.0) + 1.0;
            format!("M{:.2} {HEIGHT}v-{height}h2v{height}z", index as f64 * step)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_minute_stands_right_unless_silence_followed() {
        let path = bars(&[1, 60], 0);
        assert!(path.ends_with("M86.25 15v-14h2v14z"), "{path}");
        let path = bars(&[1, 60], 2);
        assert!(path.contains("M78.75 15v-14h2v14z") && path.ends_with("M86.25 15v-1h2v1z"), "{path}");
        assert_eq!(bars(&[], 99).matches('M').count(), CELLS);
        assert_eq!(bars(&[9; 200], 0).matches('M').count(), CELLS);
    }
}
