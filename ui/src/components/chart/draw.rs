//! The thin way to `plot.js`, which speaks to uPlot.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/components/chart/plot.js")]
extern "C" {
    /// A drawing inside one element. Draws itself anew when the element's size or the page's theme changes.
    pub type Plot;

    /// `tick(value)` gives the words of an axis; `hover(index or -1)`, `zoom(from_ms, to_ms)` (0, 0 for back) and
    /// `failed(words)` are called.
    #[wasm_bindgen(constructor)]
    pub fn new(
        host: &web_sys::HtmlElement,
        tick: &js_sys::Function,
        hover: &js_sys::Function,
        zoom: Option<&js_sys::Function>,
        failed: &js_sys::Function,
    ) -> Plot;

    /// Shows other data: a `ChartData` as JSON.
    #[wasm_bindgen(method)]
    pub fn show(this: &Plot, data: &str);

    /// Puts the cursor on a moment.
    #[wasm_bindgen(method)]
    pub fn point(this: &Plot, index: usize);

    /// A PNG of title, legend and drawing: a promise of a Blob.
    #[wasm_bindgen(method)]
    pub fn png(this: &Plot, title: &str) -> js_sys::Promise;

    #[wasm_bindgen(method)]
    pub fn destroy(this: &Plot);
}
