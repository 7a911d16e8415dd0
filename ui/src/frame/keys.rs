//! Keys that work everywhere, and the overlay that lists the keys of the page.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

use crate::command::Command;
use crate::components::Dialog;
use crate::host;
use crate::routes::Room;
use crate::state::{AppState, use_app};

const EVERYWHERE: [(&str, &str); 6] = [
    ("Ctrl K", "Find a command or session"),
    ("/", "Search sessions"),
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
            Some(room) => Command::Go(room),
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
    view! {
        <Dialog open=app.keys_open title="Keys" id="keys">
            <div class="keys">
                {move || {
                    let page = app.page_keys.get();
                    (!page.is_empty()).then(|| view! { <h3>"On this page"</h3><Lines lines=page/> })
                }}
                <h3>"Everywhere"</h3>
                <Lines lines=EVERYWHERE.to_vec()/>
                <h3>"Pages"</h3>
                <Lines lines=pages()/>
            </div>
        </Dialog>
    }
}

/// Number keys of the pages.
fn pages() -> Vec<(String, &'static str)> {
    Room::ALL.iter().map(|room| (room.keys(), room.label())).collect()
}

#[component]
fn Lines<K: AsRef<str> + Send + 'static>(lines: Vec<(K, &'static str)>) -> impl IntoView {
    let line = |(keys, says): (K, &'static str)| {
        let keys = keys
            .as_ref()
            .split(' ')
            .map(|key| if key == "..." { " to ".into_any() } else { view! { <kbd>{key.to_owned()}</kbd> }.into_any() })
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
        assert_eq!(page_of("Digit2"), Some(Room::Sessions));
        assert_eq!((page_of("Digit0"), page_of("KeyA")), (None, None));
    }
}
