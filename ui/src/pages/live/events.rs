//! The event stream: virtual rows that follow the newest until one scrolls away.

use std::sync::Arc;

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use orrery_types::{Body, Density, Event, SessionRow};
use orrery_views::filter::{Clock, Matcher, parse};
use orrery_views::format;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;

use super::line::LineView;
use super::sound::Sound;
use super::stream::{Heights, Kind, Stream, Window};
use crate::command::Command;
use crate::components::{Icon, Pick};
use crate::host;
use crate::routes::{use_filter, use_query};
use crate::state::{AppState, Filter, appearance, use_app, use_keys};

/// More events than this in one frame are sampled while they come faster than [`FAST`].
const MOST_AT_ONCE: usize = 32;
/// Events a second that nobody can read.
const FAST: f64 = 500.0;
/// Lines drawn beyond each edge, px.
const MARGIN: f64 = 240.0;
const KEYS: [(&str, &str); 6] = [
    ("J K", "Next and previous event"),
    ("Enter", "Show details of the event"),
    ("Esc", "Close the details"),
    ("P", "Pause or resume events"),
    ("Home", "Newest event, and follow"),
    ("A D", "Allow or deny what is asked"),
];

#[component]
pub fn Events(needs: Memo<Vec<Arc<SessionRow>>>) -> impl IntoView {
    let app = use_app();
    let query = use_query();
    let filter = use_filter();
    let kind = Memo::new(move |_| Kind::from_slug(&query.get("kind").unwrap_or_default()));
    let stream = StoredValue::new(Stream::default());
    let seen = StoredValue::new(0_u64);
    // Grows when the stream changed.
    let drawn = RwSignal::new(0_u32);
    let at_top = RwSignal::new(true);
    let cursor = RwSignal::new(None::<i64>);
    let list = NodeRef::<html::Div>::new();
    let scroll = RwSignal::new(0.0_f64);
    let view_height = RwSignal::new(800.0_f64);
    let heights = Memo::new(move |_| app.settings.with(|settings| heights(&settings.appearance, host::is_narrow())));

    // The query language narrows the stream in memory as it narrows a search in the store.
    let text = Memo::new(move |_| query.get("q").unwrap_or_default());
    let parsed = Memo::new(move |_| text.with(|text| parse(text)));
    let matcher = StoredValue::new(None::<Matcher>);
    let is_sampled = RwSignal::new(false);
    let absorb = move || {
        let filter = filter.get_untracked();
        app.feed_untracked(|feed| {
            let before = seen.get_value();
            let is_fast = before > 0 && feed.rate(app.now.get_untracked()) > FAST;
            let (arrivals, restart) = feed.arrivals_after(before);
            stream.update_value(|stream| {
                if restart {
                    *stream = Stream::new(kind.get_untracked());
                }
                let taken: Vec<_> = arrivals.filter(|event| takes(app, &filter, matcher, event)).collect();
                let each = if is_fast { taken.len().div_ceil(MOST_AT_ONCE).max(1) } else { 1 };
                if is_sampled.get_untracked() != (each > 1) {
                    is_sampled.set(each > 1);
                }
                for (_, event) in taken.into_iter().enumerate().filter(|(at, event)| at % each == 0 || is_grave(event))
                {
                    stream.add(event);
                }
            });
            seen.set_value(feed.arrived());
        });
        drawn.update(|count| *count += 1);
    };
    // Another filter: all anew.
    Effect::new(move |_| {
        let kind = kind.get();
        filter.track();
        let wanted = parsed.with(|parsed| parsed.as_ref().ok().map(Matcher::of));
        matcher.set_value(wanted.filter(|_| text.with(|text| !text.trim().is_empty())));
        stream.set_value(Stream::new(kind));
        seen.set_value(0);
        absorb();
    });
    Effect::new(move |_| {
        app.revision.track();
        if at_top.get() && !app.paused.get() {
            absorb();
        }
    });
    let waiting = Memo::new(move |_| {
        drawn.track();
        if at_top.get() && !app.paused.get() {
            return 0;
        }
        let filter = filter.get();
        app.feed(|feed| {
            let (arrivals, _) = feed.arrivals_after(seen.get_value());
            arrivals
                .filter(|event| !matches!(event.body, Body::ToolEnd { .. }) && takes(app, &filter, matcher, event))
                .count()
        })
    });
    let window: Memo<Window> = Memo::new_with_compare(
        move |_| {
            drawn.track();
            let from = scroll.get() - MARGIN;
            let to = scroll.get() + view_height.get() + MARGIN;
            stream.with_value(|stream| stream.window(from, to, heights.get()))
        },
        |_, _| true,
    );
    let total = Memo::new(move |_| {
        drawn.track();
        stream.with_value(|stream| (stream.height(heights.get()), stream.lines()))
    });

    measure(list, view_height);
    let on_scroll = move |_| {
        if let Some(list) = list.get_untracked() {
            let top = f64::from(list.scroll_top());
            scroll.set(top);
            let is_top = top < 8.0;
            if at_top.get_untracked() != is_top {
                at_top.set(is_top);
            }
        }
    };
    let to_top = move || {
        app.paused.set(false);
        if let Some(list) = list.get_untracked() {
            list.set_scroll_top(0);
        }
        at_top.set(true);
    };
    let show = move |seq: i64| {
        if query.get_untracked("event").is_some() {
            query.replace("event", Some(&seq.to_string()));
        } else {
            query.set("event", Some(&seq.to_string()));
        }
    };
    let step = move |step: isize| {
        let Some(row) = stream.with_value(|stream| stream.neighbor(cursor.get_untracked(), step)) else { return };
        cursor.set(Some(row.key));
        if query.get_untracked("event").is_some() {
            show(row.event.seq);
        }
        if let (Some(list), Some(y)) =
            (list.get_untracked(), stream.with_value(|stream| stream.offset_of(row.key, heights.get_untracked())))
        {
            reveal(&list, y, heights.get_untracked());
        }
    };
    let in_list = move || {
        let focused = document().active_element();
        let is_body = focused.as_ref().is_none_or(|element| element.tag_name() == "BODY" || element.id() == "main");
        is_body || list.get_untracked().is_some_and(|list| focused.is_some_and(|focused| list.contains(Some(&focused))))
    };
    use_keys(&KEYS, move |event: &KeyboardEvent| {
        match event.key().as_str() {
            "j" | "J" => step(1),
            "k" | "K" => step(-1),
            "ArrowDown" if in_list() => step(1),
            "ArrowUp" if in_list() => step(-1),
            "Home" if in_list() => to_top(),
            "p" | "P" => Command::PauseStream.run(app),
            "Enter" if in_list() => {
                let row = stream.with_value(|stream| stream.neighbor(cursor.get_untracked(), 0));
                let Some(row) = row else { return false };
                cursor.set(Some(row.key));
                show(row.event.seq);
            }
            _ => return false,
        }
        true
    });
    let kinds = Signal::stored(Kind::EVERY.map(|kind| (kind.slug().to_owned(), kind.label().to_owned())).to_vec());
    let selected = Memo::new(move |_| query.get("event").and_then(|seq| seq.parse::<i64>().ok()));
    let rate = Memo::new(move |_| rate_words(app.feed(|feed| feed.rate(app.now.get()))));
    let has_waiting = move || waiting.get() > 0;
    let is_empty = move || total.get().1 == 0;
    view! {
        <section class="live__events" aria-label="Events">
            <div class="head">
                <h2>"Events"</h2>
                <span class="num">{move || if is_sampled.get() { format!("{}, sampled", rate.get()) } else { rate.get() }}</span>
                <Show when=has_waiting>
                    <button type="button" class="btn btn--small live__new" on:click=move |_| to_top()>
                        {move || format!("{} new", format::count(waiting.get() as u64))}
                        <Icon name="i-up" small=true/>
                    </button>
                </Show>
                <span class="push row live__tools">
                    <input
                        type="text"
                        class="input live__query code"
                        aria-label="Narrow events"
                        aria-invalid=move || parsed.with(Result::is_err).to_string()
                        placeholder="is:error, tool:Bash, words"
                        title=move || parsed.with(|parsed| parsed.as_ref().err().map(|error| format!("{} {}", error.message, error.hint)))
                        autocomplete="off"
                        spellcheck="false"
                        prop:value=move || text.get()
                        on:input=move |event| query.replace("q", Some(&event_target_value(&event)))
                    />
                    <Sound needs/>
                    <Pick
                        name="Events"
                        icon="i-filter"
                        value=Signal::derive(move || kind.get().slug().to_owned())
                        options=kinds
                        choose=move |value: String| query.set("kind", Some(&value))
                    />
                    <button type="button" class="btn btn--plain btn--small" aria-pressed=move || app.paused.get().to_string()
                        on:click=move |_| Command::PauseStream.run(app)>
                        {move || if app.paused.get() { view! { <Icon name="i-play"/>"Resume" }.into_any() } else { view! { <Icon name="i-pause"/>"Pause" }.into_any() }}
                        <kbd aria-hidden="true">"P"</kbd>
                    </button>
                </span>
            </div>
            <div
                class="stream"
                role="grid"
                aria-label="Events, newest first"
                aria-rowcount=move || total.get().1.to_string()
                aria-readonly="true"
                aria-activedescendant=move || cursor.get().map(row_id)
                tabindex="0"
                node_ref=list
                on:scroll=on_scroll
            >
                <div class="stream__all" role="rowgroup" style:height=move || format!("{}px", total.get().0)>
                    <div class="stream__window" role="presentation" style:transform=move || format!("translateY({}px)", window.with(|window| window.top))>
                        <ForEnumerate
                            each=move || window.with(|window| window.lines.clone())
                            key=|line| line.key()
                            children=move |index, line| {
                                let place = Signal::derive(move || window.with(|window| window.first) + index.get() + 1);
                                view! {
                                    <LineView
                                        line
                                        place
                                        cursor
                                        selected
                                        choose=move |key: i64, seq: i64| {
                                            cursor.set(Some(key));
                                            show(seq);
                                        }
                                    />
                                }
                            }
                        />
                    </div>
                </div>
            </div>
            <Show when=is_empty>
                <div class="empty live__none">
                    <h3>{move || if kind.get() == Kind::All && !filter.get().is_narrow() && text.with(String::is_empty) { "No events yet" } else { "No such events among the newest" }}</h3>
                    <p>"They appear here the moment an agent does something"</p>
                </div>
            </Show>
        </section>
    }
}

/// The id of a row's element, which the list points at as its active one.
pub fn row_id(key: i64) -> String {
    format!("event-row-{key}")
}

/// What is shown however fast events come.
fn is_grave(event: &Event) -> bool {
    matches!(
        event.body,
        Body::Prompt { .. }
            | Body::Permission { .. }
            | Body::Question { .. }
            | Body::Failure { .. }
            | Body::ToolEnd { ok: false, .. }
    )
}

fn takes(app: AppState, filter: &Filter, matcher: StoredValue<Option<Matcher>>, event: &Event) -> bool {
    let now_ms = app.now.get_untracked();
    let clock = Clock { now_ms, utc_offset_minutes: host::utc_offset_minutes(now_ms) };
    let fits = matcher.with_value(|matcher| {
        matcher.as_ref().is_none_or(|matcher| {
            let session = app.feed_untracked(|feed| feed.session(&event.session_id));
            matcher.event(event, session.as_deref(), clock)
        })
    });
    if !fits {
        return false;
    }
    if filter.agent.as_ref().is_some_and(|agent| *agent != event.agent) {
        return false;
    }
    let Some(project) = &filter.project else { return true };
    app.feed_untracked(|feed| feed.session(&event.session_id)).is_some_and(|row| row.project == *project)
}

fn heights(appearance: &orrery_types::Appearance, is_narrow: bool) -> Heights {
    let scale = appearance::scale(appearance);
    let (head, row) = match (is_narrow, appearance.density) {
        (true, _) => (36.0, 44.0),
        (false, Density::Roomy) => (32.0, 28.0),
        (false, Density::Dense) => (28.0, 24.0),
    };
    Heights { head: head * scale, row: row * scale }
}

fn rate_words(rate: f64) -> String {
    if rate >= 10.0 { format!("{}/s", format::count(rate as u64)) } else { format!("{rate:.1}/s") }
}

/// Scrolls as little as needed to show the row at `y`.
fn reveal(list: &web_sys::HtmlDivElement, y: f64, heights: Heights) {
    let (top, height) = (f64::from(list.scroll_top()), f64::from(list.client_height()));
    if y - heights.head < top {
        list.set_scroll_top((y - heights.head).max(0.0) as i32);
    } else if y + heights.row > top + height {
        list.set_scroll_top((y + heights.row - height).ceil() as i32);
    }
}

/// Keeps `height` at the element's inner height.
fn measure(list: NodeRef<html::Div>, height: RwSignal<f64>) {
    Effect::new(move |_| {
        let Some(list) = list.get() else { return };
        let observed = list.clone();
        let changed = Closure::<dyn FnMut()>::new(move || {
            height.try_set(f64::from(observed.client_height()));
        });
        if let Ok(observer) = web_sys::ResizeObserver::new(changed.as_ref().unchecked_ref()) {
            observer.observe(&list);
            let kept = StoredValue::new_local((observer, changed));
            on_cleanup(move || {
                kept.try_with_value(|(observer, _)| observer.disconnect());
            });
        }
    });
}
