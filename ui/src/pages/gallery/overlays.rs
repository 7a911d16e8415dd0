//! What lies over or beside the page: tooltips, dialogs, drawers, notices.

use leptos::prelude::*;

use super::Exhibit;
use crate::components::{Dialog, Drawer, Icon, Tooltip};
use crate::state::use_app;

#[component]
pub fn Overlays() -> impl IntoView {
    let app = use_app();
    let dialog = RwSignal::new(false);
    let drawer = RwSignal::new(false);
    let foot = move || {
        view! {
            <button type="button" class="btn btn--plain" on:click=move |_| dialog.set(false)>"Cancel"</button>
            <button type="button" class="btn btn--primary" on:click=move |_| dialog.set(false)>"Understood"</button>
        }
    };
    view! {
        <Exhibit id="tooltip" name="Tooltip">
            <Tooltip text="Cost of everything since midnight, in the prices of each request's day">
                <button type="button" class="btn">"On a button"</button>
            </Tooltip>
            <Tooltip text="Takes the focus itself"><span class="num">"$41.87"</span></Tooltip>
        </Exhibit>
        <Exhibit id="overlay" name="Dialog, drawer, notice">
            <button type="button" class="btn" on:click=move |_| dialog.set(true)>"Open the dialog"</button>
            <button type="button" class="btn" on:click=move |_| drawer.set(true)>"Open the drawer"</button>
            <button type="button" class="btn" on:click=move |_| app.notices.say("Link copied")>"Say something"</button>
            <button type="button" class="btn" on:click=move |_| app.notices.say_with_undo("Theme: light", Callback::new(|()| ()))>"Say what can be undone"</button>
            <button type="button" class="btn" on:click=move |_| app.notices.fail("Not saved: the disk is full")>"Say what failed"</button>
            <Dialog open=dialog title="Remove the demo?" id="gallery-dialog" foot>
                <p>"Its 9 sessions go away. Your own stay as they are"</p>
            </Dialog>
            <Drawer label="Example" open=drawer close=move |()| drawer.set(false)>
                <div class="drawer__head">
                    <div class="row small muted">
                        <span class="medium">"lattice-api"</span>
                        <button type="button" class="iconbtn push" aria-label="Close" on:click=move |_| drawer.set(false)><Icon name="i-x"/></button>
                    </div>
                    <h2 class="drawer__title">"Edit " <span class="code">"decode.rs"</span></h2>
                </div>
                <div class="drawer__body" tabindex="0" role="region" aria-label="Details">
                    <section><h3>"Where the money went"</h3><p class="muted">"48,120 cached, 1,904 new, 1,730 out"</p></section>
                </div>
            </Drawer>
        </Exhibit>
    }
}
