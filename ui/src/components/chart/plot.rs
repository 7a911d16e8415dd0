//! Keeps one drawing in step with its signals.

use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen_futures::JsFuture;

use super::data::{ChartData, Unit};
use super::draw::Plot;

/// A drawing and the closures it calls.
struct Alive {
    plot: Plot,
    _tick: Closure<dyn Fn(f64) -> String>,
    _hover: Closure<dyn Fn(i32)>,
    _zoom: Closure<dyn Fn(f64, f64)>,
    _failed: Closure<dyn Fn(String)>,
}

/// The drawing of one chart, while there is one. Copy: pass it by value into closures.
#[derive(Clone, Copy)]
pub struct Handle(StoredValue<Option<Alive>, LocalStorage>);

impl Handle {
    pub fn new() -> Handle {
        Handle(StoredValue::new_local(None))
    }

    /// Draws into `host` as long as the caller's view lives.
    pub fn follow(
        self,
        host: NodeRef<html::Div>,
        data: Signal<ChartData>,
        hover: RwSignal<Option<usize>>,
        failed: RwSignal<Option<String>>,
        on_zoom: Option<Callback<Option<(i64, i64)>>>,
    ) {
        Effect::new(move |_| {
            let Some(host) = host.get() else { return };
            let tick = Closure::<dyn Fn(f64) -> String>::new(move |value: f64| {
                data.try_with_untracked(|data| data.unit).unwrap_or(Unit::Count).tick(value)
            });
            let on_hover = Closure::<dyn Fn(i32)>::new(move |at: i32| {
                hover.try_set(usize::try_from(at).ok());
            });
            let zoom = Closure::<dyn Fn(f64, f64)>::new(move |from: f64, to: f64| {
                if let Some(on_zoom) = on_zoom {
                    on_zoom.run((to > from).then_some((from as i64, to as i64)));
                }
            });
            let on_failed = Closure::<dyn Fn(String)>::new(move |why: String| {
                failed.try_set(Some(why));
            });
            let plot = Plot::new(
                &host,
                tick.as_ref().unchecked_ref(),
                on_hover.as_ref().unchecked_ref(),
                on_zoom.map(|_| zoom.as_ref().unchecked_ref()),
                on_failed.as_ref().unchecked_ref(),
            );
            let alive = Alive { plot, _tick: tick, _hover: on_hover, _zoom: zoom, _failed: on_failed };
            self.0.set_value(Some(alive));
        });
        Effect::new(move |_| {
            host.track();
            let json = data.with(|data| serde_json::to_string(data).expect("chart data is plain"));
            self.0.with_value(|alive| {
                if let Some(alive) = alive {
                    alive.plot.show(&json);
                }
            });
        });
        on_cleanup(move || {
            // The closures go after the drawing that calls them.
            if let Some(Some(alive)) = self.0.try_update_value(Option::take) {
                alive.plot.destroy();
            }
        });
    }

    pub fn point(self, index: usize) {
        self.0.with_value(|alive| {
            if let Some(alive) = alive {
                alive.plot.point(index);
            }
        });
    }

    pub async fn png(self, title: &str) -> Result<web_sys::Blob, String> {
        let promise = self.0.with_value(|alive| alive.as_ref().map(|alive| alive.plot.png(title)));
        let promise = promise.ok_or("There is no picture yet")?;
        let blob = JsFuture::from(promise).await.map_err(|_| "This window cannot make pictures".to_owned())?;
        blob.dyn_into().map_err(|_| "This window cannot make pictures".to_owned())
    }
}
