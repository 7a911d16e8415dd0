//! The native window's side of the shell.

use leptos::prelude::window;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
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
    let boot: Boot =
        ask("boot", &()).await.map_err(|error| format!("The window does not say where the server is: {error}"))?;
    Ok(Endpoint {
        base_url: boot.base_url.trim_end_matches('/').to_owned(),
        token: boot.token.filter(|token| !token.is_empty()),
    })
}

/// Asks the shell for something: a command with its arguments, and its answer.
///
/// Fails with the shell's own words, or with a sentence when they cannot be read.
pub async fn ask<T: DeserializeOwned>(command: &str, arguments: &impl Serialize) -> Result<T, String> {
    let arguments = serde_json::to_string(arguments).map_err(|error| error.to_string())?;
    let arguments = js_sys::JSON::parse(&arguments).unwrap_or(JsValue::NULL);
    let arguments = if arguments.is_object() { arguments } else { js_sys::Object::new().into() };
    let answer = invoke(command, &arguments).await?;
    let text = js_sys::JSON::stringify(&answer).map(String::from).unwrap_or_default();
    serde_json::from_str(&text).map_err(|error| format!("The window's answer is not readable: {error}"))
}

fn internals() -> Option<JsValue> {
    js_sys::Reflect::get(&window(), &JsValue::from_str("__TAURI_INTERNALS__")).ok().filter(JsValue::is_object)
}

async fn invoke(command: &str, arguments: &JsValue) -> Result<JsValue, String> {
    let internals = internals().ok_or("no native shell")?;
    let function: js_sys::Function = js_sys::Reflect::get(&internals, &JsValue::from_str("invoke"))
        .ok()
        .and_then(|value| value.dyn_into().ok())
        .ok_or("the shell has no invoke")?;
    let promise =
        function.call2(&internals, &JsValue::from_str(command), arguments).map_err(|error| in_words(&error))?;
    JsFuture::from(js_sys::Promise::resolve(&promise)).await.map_err(|error| in_words(&error))
}

fn in_words(error: &JsValue) -> String {
    error.as_string().unwrap_or_else(|| format!("{error:?}"))
}
