//! The dialog that asks for a time from and to.

use leptos::prelude::*;

use crate::components::Dialog;
use crate::components::field::Moment;
use crate::host;
use crate::routes::{use_filter, use_query};
use crate::state::{Range, use_app};

const DAY_MS: i64 = 86_400_000;

#[component]
pub fn RangeDialog() -> impl IntoView {
    let app = use_app();
    let query = use_query();
    let filter = use_filter();
    let from = RwSignal::new(None::<i64>);
    let to = RwSignal::new(None::<i64>);
    let error = RwSignal::new(None::<String>);
    Effect::new(move |_| {
        if app.range_open.get() {
            let now = host::now_ms();
            let range = filter.get_untracked().range;
            from.set(Some(range.start_ms(now, host::utc_offset_minutes(now)).unwrap_or(now - DAY_MS)));
            to.set(Some(range.end_ms().unwrap_or(now)));
            error.set(None);
        }
    });
    let show = move || match (from.get_untracked(), to.get_untracked()) {
        (Some(from), Some(to)) if from < to => {
            app.range_open.set(false);
            query.set("range", Some(&Range::Custom(from, to).slug()));
        }
        (Some(_), Some(_)) => error.set(Some("The end must come after the beginning".to_owned())),
        _ => error.set(Some("Both moments are needed".to_owned())),
    };
    let foot = move || {
        view! {
            <button type="button" class="btn btn--plain" on:click=move |_| app.range_open.set(false)>"Cancel"</button>
            <button type="button" class="btn btn--primary" on:click=move |_| show()>"Show this time"</button>
        }
    };
    view! {
        <Dialog open=app.range_open title="Time from and to" id="range-dialog" foot>
            <div class="range">
                <label for="range-from">"From"</label>
                <Moment id="range-from" at_ms=from/>
                <label for="range-to">"To"</label>
                <Moment id="range-to" at_ms=to/>
                <p class="field-row__error" role="alert">{move || error.get()}</p>
            </div>
        </Dialog>
    }
}
