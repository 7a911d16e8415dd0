//! Buttons of Replay: play, speed, what one steps by, idle time, and what went wrong.

use leptos::prelude::*;
use orrery_views::format;
use orrery_views::replay::Unit;

use super::player::{Player, SPEEDS};
use crate::components::Icon;

const UNITS: [(Unit, &str); 4] =
    [(Unit::Event, "Event"), (Unit::Turn, "Turn"), (Unit::Tool, "Tool"), (Unit::Error, "Error")];

#[component]
pub fn Bar(player: Player) -> impl IntoView {
    let time = move || {
        let at = player.at.get();
        player.follow(|replay| {
            let now = replay.point(at).map_or(0, |point| point.at_ms) - replay.first_ms();
            (stopwatch(now), stopwatch(replay.last_ms() - replay.first_ms()))
        })
    };
    let counts = move || player.follow(|replay| (replay.counts(), replay.waited_ms()));
    let speed = |speed: f64| {
        let label = if speed < 1.0 { "0.5".to_owned() } else { format!("{speed:.0}") };
        let label = if speed >= 32.0 { format!("{label}\u{d7}") } else { label };
        view! {
            <button type="button" aria-pressed=move || (player.speed.get() == speed).to_string() on:click=move |_| player.set_speed(speed)>{label}</button>
        }
    };
    let unit = |(unit, label): (Unit, &'static str)| {
        view! {
            <button type="button" aria-pressed=move || (player.unit.get() == unit).to_string() on:click=move |_| player.unit.set(unit)>{label}</button>
        }
    };
    view! {
        <div class="replay__bar">
            <button type="button" class="iconbtn" aria-label="Previous step" title="Previous step (\u{2190})" on:click=move |_| player.step(player.unit.get_untracked(), false)>
                <Icon name="i-prev"/>
            </button>
            <button
                type="button"
                class="btn btn--small replay__play"
                aria-label=move || if player.playing.get() { "Pause" } else { "Play" }
                title="Play or pause (Space)"
                on:click=move |_| player.toggle()
            >
                <Icon name=Signal::derive(move || if player.playing.get() { "i-pause" } else { "i-play" })/>
            </button>
            <button type="button" class="iconbtn" aria-label="Next step" title="Next step (\u{2192})" on:click=move |_| player.step(player.unit.get_untracked(), true)>
                <Icon name="i-next"/>
            </button>
            <span class="replay__time num"><b>{move || time().0}</b><span class="faint">{move || format!(" / {}", time().1)}</span></span>
            <span class="seg" role="group" aria-label="Speed">{SPEEDS.map(speed).collect_view()}</span>
            <span class="seg" role="group" aria-label="Step by">{UNITS.map(unit).collect_view()}</span>
            <label class="replay__idle small">
                <input type="checkbox" prop:checked=move || player.skips_idle.get() on:change=move |event| player.set_skips_idle(event_target_checked(&event))/>
                "Skip idle"
            </label>
            {move || (player.behind.get() > 0).then(|| view! {
                <span class="small faint" role="status">{format!("{} newer events follow", format::count(player.behind.get()))}</span>
                <button type="button" class="btn btn--small btn--plain" on:click=move |_| player.read()>"Read again"</button>
            })}
            <span class="push replay__counts small muted">
                {move || {
                    let ((failed, waits), waited_ms) = counts();
                    let failed = (failed > 0).then(|| view! {
                        <span class="state"><svg class="glyph danger" aria-hidden="true"><use href="#g-fail"></use></svg>{format!("{failed} failed")}</span>
                    });
                    let waits = (waits > 0).then(|| {
                        let long = if waited_ms > 0 { format!(", {}", format::duration_ms(waited_ms)) } else { String::new() };
                        view! { <span class="state"><svg class="glyph attention" aria-hidden="true"><use href="#g-wait"></use></svg>{format!("{waits} waited for you{long}")}</span> }
                    });
                    view! { {failed}{waits} }
                }}
            </span>
        </div>
    }
}

/// `40:18`, `1:02:07`.
pub fn stopwatch(ms: i64) -> String {
    let seconds = ms.max(0) / 1_000;
    match seconds / 3_600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopwatch_counts_hours_only_when_there_are_any() {
        assert_eq!([0, 59_900, 2_418_000, 3_727_000].map(stopwatch), ["0:00", "0:59", "40:18", "1:02:07"]);
    }
}
