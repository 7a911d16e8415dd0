//! The drag on macOS and Windows.

use std::path::PathBuf;

use tauri::WebviewWindow;

use super::{Dropped, End, PICTURE};

/// Starts the drag, on the thread of the windows.
pub fn start(window: &WebviewWindow, files: &[PathBuf], end: End) {
    let ending = end.clone();
    let ended = move |result, _| {
        let is_taken = matches!(result, drag::DragResult::Dropped);
        ending.tell(Ok(if is_taken { Dropped::Taken } else { Dropped::Nowhere }));
    };
    let item = drag::DragItem::Files(files.to_vec());
    let picture = drag::Image::Raw(PICTURE.to_vec());
    if let Err(error) = drag::start_drag(window, item, picture, ended, drag::Options::default()) {
        end.tell(Err(format!("this desktop starts no drag: {error}")));
    }
}
