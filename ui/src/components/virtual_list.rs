//! A list of any length in a bounded number of nodes: rows of one height, those in sight plus a few.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use leptos::html::Div;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

/// Rows rendered above and below what is in sight.
const OVERSCAN: usize = 8;
/// Never more rows in the document than this.
const MOST_ROWS: usize = 80;

/// How a list shows its rows. `T` is cheap to clone (an `Arc`, a row number).
pub struct Rows<T> {
    /// Identity of a row. A row whose key changes is drawn again.
    pub key: fn(&T) -> u64,
    /// Cells of a row.
    pub cells: Arc<dyn Fn(T) -> AnyView + Send + Sync>,
    /// Modifier classes of a row.
    pub class: fn(&T) -> &'static str,
    /// Whether the keyboard stops at a row (group heads are passed over).
    pub stops: fn(&T) -> bool,
}

impl<T> Clone for Rows<T> {
    fn clone(&self) -> Self {
        Rows { key: self.key, cells: self.cells.clone(), class: self.class, stops: self.stops }
    }
}

/// Says whether a row is part of the selection.
pub type IsSelected<T> = Arc<dyn Fn(&T) -> bool + Send + Sync>;

/// A hash for [`Rows::key`].
pub fn row_key(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// A virtual grid. Arrow keys, PageUp, PageDown, Home, End, `j` and `k` move `active`; a click or Enter opens a row;
/// every other key goes to `on_key`. Rows put in front of those in sight do not move them.
#[component]
pub fn VirtualList<T>(
    #[prop(into)] items: Signal<Arc<Vec<T>>>,
    rows: Rows<T>,
    /// Position of the row that the keyboard is at.
    active: RwSignal<Option<usize>>,
    #[prop(into)] label: Signal<String>,
    /// Unique in the page: ids of rows start with it.
    id: &'static str,
    /// Height of a row in CSS pixels until the first row has been measured.
    #[prop(default = 32.0)]
    row_px: f64,
    /// Column heads; stay in place while the rows scroll.
    #[prop(optional, into)]
    head: ViewFn,
    /// Rows in all when more exist than are loaded.
    #[prop(optional, into)]
    total: Option<Signal<Option<usize>>>,
    /// Rows that are part of the selection.
    #[prop(optional)]
    selected: Option<IsSelected<T>>,
    /// The session a row stands for: the row is a handle to drag it out by.
    #[prop(optional)]
    session: Option<fn(&T) -> Option<String>>,
    #[prop(into)] on_open: Callback<T>,
    #[prop(optional, into)] on_key: Option<Callback<(web_sys::KeyboardEvent, T)>>,
    /// The last rows came into sight: load more.
    #[prop(optional, into)]
    on_end: Option<Callback<()>>,
) -> impl IntoView
where
    T: Clone + PartialEq + Send + Sync + 'static,
{
    let scroller = NodeRef::<Div>::new();
    let (top, set_top) = signal(0.0_f64);
    let (height, set_height) = signal(600.0_f64);
    let row_height = RwSignal::new(row_px);

    let range =
        Memo::new(move |_| in_sight(top.get(), height.get(), row_height.get(), items.with(|items| items.len())));
    let shown = move || {
        let (from, to) = range.get();
        items.with(|items| items[from.min(items.len())..to.min(items.len())].to_vec())
    };
    let above = move || format!("height:{}px", range.get().0 as f64 * row_height.get());
    let below = move || {
        let rest = items.with(|items| items.len()).saturating_sub(range.get().1);
        format!("height:{}px", rest as f64 * row_height.get())
    };

    measure(scroller, set_height, row_height);
    keep_place(scroller, items, rows.key, row_height, top);
    Effect::new(move |_| {
        let near = range.get().1 + 2 * OVERSCAN >= items.with(|items| items.len());
        if let Some(on_end) = on_end
            && near
        {
            on_end.run(());
        }
    });
    Effect::new(move |before: Option<Option<usize>>| {
        let now = active.get();
        if let (Some(row), Some(element)) = (now, scroller.get_untracked())
            && before.flatten() != now
        {
            reveal(&element, row, row_height.get_untracked());
        }
        now
    });

    let stops = rows.stops;
    let on_keydown = move |event: web_sys::KeyboardEvent| {
        if event.default_prevented() || event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        let count = items.with_untracked(|items| items.len());
        let at = active.get_untracked().filter(|at| *at < count);
        let page = ((height.get_untracked() / row_height.get_untracked()) as usize).saturating_sub(1).max(1);
        let step = match event.key().as_str() {
            "ArrowDown" | "j" => Some((at.map_or(0, |at| at + 1), true)),
            "ArrowUp" | "k" => Some((at.map_or(0, |at| at.saturating_sub(1)), false)),
            "PageDown" => Some((at.unwrap_or(0) + page, true)),
            "PageUp" => Some((at.unwrap_or(0).saturating_sub(page), false)),
            "Home" => Some((0, true)),
            "End" => Some((count.saturating_sub(1), false)),
            _ => None,
        };
        if let Some((wanted, down)) = step {
            let found = items.with_untracked(|items| next_stop(items, wanted, down, stops));
            if found.is_some() {
                active.set(found);
            }
            event.prevent_default();
            return;
        }
        let Some(item) = at.and_then(|at| items.with_untracked(|items| items.get(at).cloned())) else { return };
        if event.key() == "Enter" {
            event.prevent_default();
            on_open.run(item);
        } else if let Some(on_key) = on_key {
            on_key.run((event, item));
        }
    };

    let row_count = move || {
        let loaded = items.with(|items| items.len());
        total.and_then(|total| total.get()).map_or(loaded, |total| total.max(loaded)).to_string()
    };
    let row = move |index: ReadSignal<usize>, item: T| {
        let cells = (rows.cells)(item.clone());
        let place = move || range.get().0 + index.get();
        let class = format!("vrow {}", (rows.class)(&item));
        let handle = session.and_then(|session| session(&item));
        let selected = selected.clone();
        let of_selection = item.clone();
        let is_selected = move || selected.as_ref().map(|selected| selected(&of_selection).to_string());
        view! {
            <div
                role="row"
                class=class
                class:vrow--active=move || active.get() == Some(place())
                id=move || format!("{id}-{}", place())
                aria-rowindex=move || (place() + 1).to_string()
                aria-selected=is_selected
                draggable=handle.is_some().then_some("true")
                data-session=handle
                on:click=move |event| {
                    if !event.default_prevented() && stops(&item) {
                        active.set(Some(range.get_untracked().0 + index.get_untracked()));
                        on_open.run(item.clone());
                    }
                }
            >
                {cells}
            </div>
        }
    };
    let key = rows.key;
    view! {
        <div
            class="vlist"
            role="grid"
            tabindex="0"
            node_ref=scroller
            aria-label=move || label.get()
            aria-rowcount=row_count
            aria-activedescendant=move || {
                let (from, to) = range.get();
                active.get().filter(|at| (from..to).contains(at)).map(|at| format!("{id}-{at}"))
            }
            on:keydown=on_keydown
            on:scroll=move |_| {
                if let Some(element) = scroller.get_untracked() {
                    set_top.set(f64::from(element.scroll_top()));
                }
            }
        >
            {head.run()}
            <div class="vlist__space" role="presentation" style=above></div>
            <div class="vlist__rows" role="rowgroup">
                <ForEnumerate each=shown key=move |item| key(item) children=row/>
            </div>
            <div class="vlist__space" role="presentation" style=below></div>
        </div>
    }
}

/// First and one past the last row to render.
fn in_sight(top: f64, height: f64, row: f64, count: usize) -> (usize, usize) {
    let first = (top / row).max(0.0) as usize;
    let rows = (height / row).ceil() as usize + 1;
    let from = first.saturating_sub(OVERSCAN).min(count.saturating_sub(1));
    let to = (first + rows + OVERSCAN).min(from + MOST_ROWS).min(count);
    (from, to.max(from.min(count)))
}

/// The row nearest to `wanted` at which the keyboard stops: looks onward first, then back.
fn next_stop<T>(items: &[T], wanted: usize, down: bool, stops: fn(&T) -> bool) -> Option<usize> {
    let wanted = wanted.min(items.len().checked_sub(1)?);
    let after = (wanted..items.len()).find(|at| stops(&items[*at]));
    let before = (0..=wanted).rev().find(|at| stops(&items[*at]));
    if down { after.or(before) } else { before.or(after) }
}

/// Scrolls so that the row is in sight, below a head that stays in place.
fn reveal(element: &web_sys::HtmlDivElement, row: usize, row_height: f64) {
    let head = head_height(element);
    let (top, height) = (f64::from(element.scroll_top()), f64::from(element.client_height()) - head);
    let start = row as f64 * row_height;
    if start < top {
        element.set_scroll_top(start as i32);
    } else if start + row_height > top + height {
        element.set_scroll_top((start + row_height - height).ceil() as i32);
    }
}

fn head_height(element: &web_sys::HtmlDivElement) -> f64 {
    let head = element.first_element_child().filter(|child| child.class_list().contains("vlist__head"));
    head.map_or(0.0, |head| head.get_bounding_client_rect().height())
}

/// Follows the height of the list and of its rows (text size and density change both).
fn measure(scroller: NodeRef<Div>, set_height: WriteSignal<f64>, row_height: RwSignal<f64>) {
    Effect::new(move |_| {
        let Some(element) = scroller.get() else { return };
        let read = {
            let element = element.clone();
            move || {
                set_height.set(f64::from(element.client_height()).max(1.0));
                let row = element.query_selector(".vrow").ok().flatten();
                let measured = row.map_or(0.0, |row| row.get_bounding_client_rect().height());
                if measured > 4.0 && (measured - row_height.get_untracked()).abs() > 0.1 {
                    row_height.set(measured);
                }
            }
        };
        let on_resize = Closure::<dyn FnMut(js_sys::Array)>::new({
            let read = read.clone();
            move |_| request_animation_frame(read.clone())
        });
        let Ok(observer) = web_sys::ResizeObserver::new(on_resize.as_ref().unchecked_ref()) else { return };
        observer.observe(&element);
        if let Some(rows) = element.query_selector(".vlist__rows").ok().flatten() {
            observer.observe(&rows);
        }
        let kept = StoredValue::new_local((observer, on_resize));
        on_cleanup(move || kept.with_value(|(observer, _)| observer.disconnect()));
    });
}

/// Keeps the first row in sight where it is when rows are put in front of it. At the very top new rows come into sight.
fn keep_place<T: Clone + Send + Sync + 'static>(
    scroller: NodeRef<Div>,
    items: Signal<Arc<Vec<T>>>,
    key: fn(&T) -> u64,
    row_height: RwSignal<f64>,
    top: ReadSignal<f64>,
) {
    Effect::new(move |before: Option<Arc<Vec<T>>>| {
        let now = items.get();
        let row = row_height.get_untracked();
        if let (Some(before), Some(element)) = (before, scroller.get_untracked())
            && top.get_untracked() >= row
            && before.len() != now.len()
        {
            let first = (top.get_untracked() / row) as usize;
            let moved = before.get(first).map(key).and_then(|wanted| now.iter().position(|item| key(item) == wanted));
            if let Some(moved) = moved
                && moved != first
            {
                element.set_scroll_top((top.get_untracked() + (moved as f64 - first as f64) * row) as i32);
            }
        }
        now
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_in_sight_are_bounded() {
        assert_eq!(in_sight(0.0, 320.0, 32.0, 1000), (0, 19));
        assert_eq!(in_sight(3200.0, 320.0, 32.0, 1000), (92, 119));
        assert_eq!(in_sight(0.0, 320.0, 32.0, 3), (0, 3));
        assert_eq!(in_sight(9000.0, 320.0, 32.0, 3), (2, 3));
        assert_eq!(in_sight(0.0, 320.0, 32.0, 0), (0, 0));
        let (from, to) = in_sight(500.0, 100_000.0, 8.0, 1_000_000);
        assert_eq!(to - from, MOST_ROWS);
    }

    #[test]
    fn the_keyboard_passes_group_heads() {
        let items = [false, true, true, false, true, false];
        let stops = |item: &bool| *item;
        assert_eq!(next_stop(&items, 0, true, stops), Some(1));
        assert_eq!(next_stop(&items, 3, true, stops), Some(4));
        assert_eq!(next_stop(&items, 3, false, stops), Some(2));
        assert_eq!(next_stop(&items, 99, false, stops), Some(4));
        assert_eq!(next_stop(&items, 0, false, stops), Some(1));
        assert_eq!(next_stop(&[] as &[bool], 0, true, stops), None);
    }
}
