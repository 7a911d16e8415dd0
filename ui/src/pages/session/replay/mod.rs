//! Replay: one cursor over the session, in the story, on the scrubber and in the state beside it.

mod bar;
mod cursor;
mod keys;
mod player;
mod scrubber;

use leptos::html::Div;
use leptos::prelude::*;

use self::bar::Bar;
use self::cursor::CursorState;
use self::player::{Film, open_player};
use self::scrubber::Scrubber;
use super::load::Session;
use super::place::Place;
use super::story::StoryTab;
use crate::components::Icon;

#[component]
pub fn ReplayTab(session: Session, place: Place) -> impl IntoView {
    let player = open_player(session, place);
    keys::listen(player);
    let scroller = NodeRef::<Div>::new();
    move || {
        match player.film.get() {
        Film::Reading => view! {
            <div class="ghost" role="status" aria-label="Reading the moments of the session">
                {(0..8).map(|_| view! { <div class="ghost__row"><i></i><i></i><i></i></div> }).collect_view()}
            </div>
        }
        .into_any(),
        Film::Failed(error) => view! {
            <div class="empty" role="alert">
                <Icon name="i-offline"/>
                <h2>{error.title}</h2>
                <p>{error.hint}</p>
                <button type="button" class="btn" on:click=move |_| player.read()>"Try again"</button>
            </div>
        }
        .into_any(),
        Film::Empty => view! {
            <div class="empty">
                <Icon name="i-play"/>
                <h2>"Nothing to replay yet"</h2>
                <p>"The moments of this session appear here as they come"</p>
                <button type="button" class="btn" on:click=move |_| player.read()>"Look again"</button>
            </div>
        }
        .into_any(),
        Film::Ready => view! {
            <div class="replay">
                <div class="replay__body">
                    <div class="session__scroll" node_ref=scroller tabindex="0" role="region" aria-label="Story of the session">
                        <StoryTab session place/>
                    </div>
                    <CursorState session player/>
                </div>
                <section class="replay__deck" aria-label="Replay">
                    <Bar player/>
                    <Scrubber player/>
                </section>
            </div>
        }
        .into_any(),
    }
    }
}
