//! The drag as GTK carries it: a list of `file://` addresses, handed over after the drop.

use std::cell::Cell;
use std::path::PathBuf;
use std::rc::Rc;

use gtk::gdk::{DragAction, ModifierType};
use gtk::gdk_pixbuf::prelude::PixbufLoaderExt as _;
use gtk::glib::{ObjectExt as _, Propagation, SignalHandlerId};
use gtk::prelude::{DragContextExtManual as _, SeatExt as _, WidgetExt as _};
use tauri::WebviewWindow;
use url::Url;

use super::{Dropped, End, PICTURE};

const FIRST_BUTTON: i32 = 1;
const TOO_EARLY: &str = "The button was let go before the file was ready. Drag once more: it is ready now";

/// Starts the drag, on the thread of the windows.
pub fn start(window: &WebviewWindow, files: &[PathBuf], end: End) {
    let window = match window.gtk_window() {
        Ok(window) => window,
        Err(error) => return end.tell(Err(error.to_string())),
    };
    // A drag that starts without the button would stick to the pointer.
    if !holds_button(&window) {
        return end.tell(Err(TOO_EARLY.to_owned()));
    }
    let handlers = listen(&window, files, &end);
    let targets = gtk::TargetList::new(&[]);
    targets.add_uri_targets(0);
    match window.drag_begin_with_coordinates(&targets, DragAction::COPY, FIRST_BUTTON, None, -1, -1) {
        Some(context) => {
            if let Some(picture) = picture() {
                context.drag_set_icon_pixbuf(&picture, 0, 0);
            }
        }
        None => {
            forget(&window, &handlers);
            end.tell(Err("this desktop starts no drag".to_owned()));
        }
    }
}

type Handlers = Rc<Cell<Vec<SignalHandlerId>>>;

/// Answers the target's question for the files, and learns how the drag ends. The end comes after the files were handed
/// over.
fn listen(window: &gtk::ApplicationWindow, files: &[PathBuf], end: &End) -> Handlers {
    let addresses: Vec<String> =
        files.iter().filter_map(|file| Url::from_file_path(file).ok()).map(String::from).collect();
    let handlers = Handlers::default();
    let failed = Rc::new(Cell::new(false));
    let asked = window.connect_drag_data_get(move |_, _, data, _, _| {
        data.set_uris(&addresses.iter().map(String::as_str).collect::<Vec<_>>());
    });
    let noted = Rc::clone(&failed);
    let missed = window.connect_drag_failed(move |_, _, _| {
        noted.set(true);
        Propagation::Proceed
    });
    let (own, end) = (Rc::clone(&handlers), end.clone());
    let ended = window.connect_drag_end(move |window, _| {
        forget(window, &own);
        end.tell(Ok(if failed.get() { Dropped::Nowhere } else { Dropped::Taken }));
    });
    handlers.set(vec![asked, missed, ended]);
    handlers
}

fn forget(window: &gtk::ApplicationWindow, handlers: &Handlers) {
    for handler in handlers.take() {
        window.disconnect(handler);
    }
}

fn holds_button(window: &gtk::ApplicationWindow) -> bool {
    let pointer = window.display().default_seat().and_then(|seat| seat.pointer());
    let (Some(pointer), Some(surface)) = (pointer, window.window()) else { return false };
    let (_, _, _, held) = surface.device_position(&pointer);
    held.contains(ModifierType::BUTTON1_MASK)
}

fn picture() -> Option<gtk::gdk_pixbuf::Pixbuf> {
    let loader = gtk::gdk_pixbuf::PixbufLoader::new();
    loader.write(PICTURE).and_then(|()| loader.close()).ok()?;
    loader.pixbuf()
}
