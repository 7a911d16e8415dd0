//! Dragging a session out of the page. Whatever names one in `data-session` can be carried: a row, a card, a head.

use leptos::prelude::*;
use leptos::task::spawn_local;
use orrery_types::ExportFormat;
use orrery_views::format;
use wasm_bindgen::JsCast;
use web_sys::{DragEvent, Element};

use crate::host::{self, Dropped};
use crate::state::AppState;

/// The attribute that makes an element a handle; its value is the session's id.
const HANDLE: &str = "data-session";

/// Listens on the window for drags of handles.
pub fn listen(app: AppState) {
    let handle = window_event_listener(leptos::ev::dragstart, move |event| start(app, &event));
    on_cleanup(move || handle.remove());
}

fn start(app: AppState, event: &DragEvent) {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let handle = target.and_then(|target| target.closest(&format!("[{HANDLE}]")).ok().flatten());
    let Some(id) = handle.and_then(|handle| handle.get_attribute(HANDLE)).filter(|id| !id.is_empty()) else { return };
    let sessions = carried(&id, &app.selected.get_untracked());
    let format = app.settings.with_untracked(|settings| settings.export_format);
    if host::is_native() {
        event.prevent_default();
        spawn_local(async move {
            match host::drag_out(&sessions, format).await {
                Ok(Dropped::Taken) => {
                    app.notices.say(format!("{} handed over as {}", counted(&sessions), format.label()));
                }
                Ok(Dropped::Nowhere) => {}
                Err(why) => app.notices.fail(why),
            }
        });
    } else if let Some(transfer) = event.data_transfer() {
        // A browser takes one file of a drag: the one under the pointer.
        host::offer_download(&transfer, &file_name(&id, format), &app.api().export_url(&id, format), format);
    }
}

/// The dragged session, or all selected ones when it is one of them.
fn carried(id: &str, selected: &[String]) -> Vec<String> {
    if selected.iter().any(|one| one == id) { selected.to_vec() } else { vec![id.to_owned()] }
}

fn counted(sessions: &[String]) -> String {
    format::plural(sessions.len() as u64, "session")
}

/// A plain name for browsers that take it from the page; the server's answer carries the better one.
fn file_name(id: &str, format: ExportFormat) -> String {
    let id: String = id.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
    format!("session-{id}.{}", format.slug())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selected_row_takes_the_selection_along() {
        let selected = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(carried("a", &selected), selected);
        assert_eq!(carried("c", &selected), ["c"]);
        assert_eq!(file_name("../x1", ExportFormat::Md), "session-x1.md");
    }
}
