//! The keyboard of Replay.

use leptos::prelude::*;
use orrery_views::replay::Unit;

use super::player::{Film, Player};
use crate::host;
use crate::state::use_keys;

/// Shift and an arrow move the film by this, ms.
const LEAP_MS: i64 = 30_000;

pub fn listen(player: Player) {
    use_keys(
        &[
            ("Space", "Play or pause"),
            ("\u{2190}  \u{2192}", "Previous, next step of the chosen kind"),
            ("Shift \u{2190}  \u{2192}", "30 s back, onward"),
            (",  .", "Previous, next event"),
            ("[  ]", "Previous, next turn"),
            ("{  }", "Previous, next error"),
            ("Home  End", "First, last moment"),
            ("-  +", "Slower, faster"),
            ("i", "Skip idle time or not"),
        ],
        move |event| {
            let is_chord = event.ctrl_key() || event.meta_key() || event.alt_key();
            if is_chord || host::is_typing() || player.film.get_untracked() != Film::Ready {
                return false;
            }
            // Space belongs to the button that has the keyboard, except that it plays from the scrubber.
            let on_button = document()
                .active_element()
                .is_some_and(|element| matches!(element.tag_name().as_str(), "BUTTON" | "A" | "SUMMARY" | "INPUT"));
            match event.key().as_str() {
                " " if on_button => return false,
                " " => player.toggle(),
                "ArrowRight" if event.shift_key() => player.seek_by(LEAP_MS),
                "ArrowLeft" if event.shift_key() => player.seek_by(-LEAP_MS),
                "ArrowRight" => player.step(player.unit.get_untracked(), true),
                "ArrowLeft" => player.step(player.unit.get_untracked(), false),
                "." => player.step(Unit::Event, true),
                "," => player.step(Unit::Event, false),
                "]" => player.step(Unit::Turn, true),
                "[" => player.step(Unit::Turn, false),
                "}" => player.step(Unit::Error, true),
                "{" => player.step(Unit::Error, false),
                "Home" => player.go_home(),
                "End" => player.go_end(),
                "+" | "=" => player.faster(1),
                "-" => player.faster(-1),
                "i" => player.set_skips_idle(!player.skips_idle.get_untracked()),
                _ => return false,
            }
            true
        },
    );
}
