//! The native window's side of the shell.

use leptos::prelude::window;
use serde::Deserialize;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::Endpoint;

/// Whether the page runs in the native window.
pub fn is_native() -> bool {
    internals().is_some()
}

/// Asks the shell for the server's address and token.
pub async fn boot() -> Result<Endpoint, String> {
    #[derive(Deserialize)]
    struct Boot {
        base_url: String,
        token: Option<String>,
    }
    let answer =
        invoke("boot").await.map_err(|error| format!("The window does not say where the server is: {error}"))?;
    let text = js_sys::JSON::stringify(&answer).map(String::from).unwrap_or_default();
    let boot: Boot =
        serde_json::from_str(&text).map_err(|error| format!("The window's answer is not readable: {error}"))?;
    Ok(Endpoint {
        base_url: boot.base_url.trim_end_matches('/').to_owned(),
        token: boot.token.filter(|token| !token.is_empty()),
    })
}

fn internals() -> Option<JsValue> {
    js_sys::Reflect::get(&window(), &JsValue::from_str("__TAURI_INTERNALS__")).ok().filter(JsValue::is_object)
}

async fn invoke(command: &str) -> Result<JsValue, String> {
    let internals = internals().ok_or("no native shell")?;
    let function: js_sys::Function = js_sys::Reflect::get(&internals, &JsValue::from_str("invoke"))
        .ok()
        .and_then(|value| value.dyn_into().ok())
        .ok_or("the shell has no invoke")?;
    let arguments = js_sys::Object::new();
    let promise =
        function.call2(&internals, &JsValue::from_str(command), &arguments).map_err(|error| in_words(&error))?;
    JsFuture::from(js_sys::Promise::resolve(&promise)).await.map_err(|error| in_words(&error))
}

fn in_words(error: &JsValue) -> String {
    error.as_string().unwrap_or_else(|| format!("{error:?}"))
}
