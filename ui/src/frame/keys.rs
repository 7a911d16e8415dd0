//! Keys that work everywhere, and the overlay that lists the keys of the page.

use std::time::Duration;

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;

use crate::command::Command;
use crate::components::Icon;
use crate::host;
use crate::routes::Room;
use crate::state::{AppState, use_app};

const EVERYWHERE: [(&str, &str); 7] = [
    ("Ctrl K", "Find a command or session"),
    ("/", "Search sessions"),
    ("Alt 1 ... 3", "Go to a page"),
    ("Ctrl B", "Open or close the rail"),
    ("Ctrl Shift L", "Switch between dark and light"),
    ("Esc", "Close what is open"),
    ("?", "Show these keys"),
];

/// Listens on the window: first the global keys, then what the page and the drawer registered.
pub fn listen(app: AppState) {
    let handle = window_event_listener(leptos::ev::keydown, move |event| {
        if event.default_prevented() {
            return;
        }
        if everywhere(app, &event) || (!host::is_typing() && !is_chord(&event) && app.press(&event)) {
            event.prevent_default();
        }
    });
    on_cleanup(move || handle.remove());
}

fn is_chord(event: &KeyboardEvent) -> bool {
    event.ctrl_key() || event.meta_key() || event.alt_key()
}

fn everywhere(app: AppState, event: &KeyboardEvent) -> bool {
    let command = match (event.key().as_str(), event.ctrl_key() || event.meta_key(), event.alt_key()) {
        ("k" | "K", true, false) => Command::Palette,
        ("b" | "B", true, false) => Command::ToggleRail,
        ("l" | "L", true, false) if event.shift_key() => Command::ToggleTheme,
        (_, false, true) => match page_of(&event.code()) {
            Some(room) => {
                app.go(room.path());
                return true;
            }
            None => return false,
        },
        ("/", false, false) if !host::is_typing() => Command::FocusSearch,
        ("?", false, false) if !host::is_typing() => Command::Keys,
        _ => return false,
    };
    command.run(app);
    true
}

/// `Digit1` is the first page. By position, because Alt with a digit types another letter on some keyboards.
fn page_of(code: &str) -> Option<Room> {
    let number: usize = code.strip_prefix("Digit")?.parse().ok()?;
    Room::ALL.get(number.checked_sub(1)?).copied()
}

/// The overlay of `?`.
#[component]
pub fn KeysOverlay() -> impl IntoView {
    let app = use_app();
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        match (app.keys_open.get(), dialog.open()) {
            (true, false) => {
                let _ = dialog.show_modal();
            }
            (false, true) => dialog.close(),
            _ => {}
        }
    });
    let close = move || app.keys_open.set(false);
    view! {
        <dialog
            class="sheet"
            node_ref=dialog
            aria-labelledby="keys-title"
            on:close=move |_| set_timeout(close, Duration::ZERO)
            on:click=move |event| {
                if super::palette::is_backdrop(&event) {
                    close();
                }
            }
        >
            <div class="keys">
                <div class="keys__head">
                    <h2 id="keys-title">"Keys"</h2>
                    <button type="button" class="iconbtn push" aria-label="Close" on:click=move |_| close()><Icon name="i-x"/></button>
                </div>
                {move || {
                    let page = app.page_keys.get();
                    (!page.is_empty()).then(|| view! { <h3>"On this page"</h3><Lines lines=page/> })
                }}
                <h3>"Everywhere"</h3>
                <Lines lines=EVERYWHERE.to_vec()/>
            </div>
        </dialog>
    }
}

#[component]
fn Lines(lines: Vec<(&'static str, &'static str)>) -> impl IntoView {
    let line = |(keys, says): (&'static str, &'static str)| {
        let keys = keys
            .split(' ')
            .map(|key| if key == "..." { " to ".into_any() } else { view! { <kbd>{key}</kbd> }.into_any() })
            .collect_view();
        view! { <li><span>{says}</span><span class="small muted">{keys}</span></li> }
    };
    view! { <ul>{lines.into_iter().map(line).collect_view()}</ul> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_pages_in_the_order_of_the_rail() {
        assert_eq!(page_of("Digit1"), Some(Room::Live));
        assert_eq!(page_of("Digit3"), Some(Room::Settings));
        assert_eq!((page_of("Digit9"), page_of("Digit0"), page_of("KeyA")), (None, None, None));
    }
}
