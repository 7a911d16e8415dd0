//! Handing a file to the person.

use leptos::prelude::document;
use wasm_bindgen::{JsCast, JsValue};

/// Offers `text` as a file of this name, where the browser keeps downloads.
pub fn save_text(name: &str, text: &str) -> Result<(), String> {
    let parts = js_sys::Array::of1(&JsValue::from_str(text));
    save_blob(name, &web_sys::Blob::new_with_str_sequence(&parts).map_err(closed)?)
}

/// Offers bytes as a file of this name.
pub fn save_blob(name: &str, blob: &web_sys::Blob) -> Result<(), String> {
    let url = web_sys::Url::create_object_url_with_blob(blob).map_err(closed)?;
    let link: web_sys::HtmlElement = document().create_element("a").map_err(closed)?.unchecked_into();
    let _ = link.set_attribute("href", &url);
    let _ = link.set_attribute("download", name);
    link.click();
    let _ = web_sys::Url::revoke_object_url(&url);
    Ok(())
}

/// The text of a file the person picked. Empty when it cannot be read.
pub async fn read_file(file: &web_sys::File) -> Option<String> {
    wasm_bindgen_futures::JsFuture::from(file.text()).await.ok()?.as_string()
}

fn closed(_: JsValue) -> String {
    "This window cannot save files".to_owned()
}
