//! Saved searches: kept by the server, shared as links.

use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use orrery_types::Preset;

use crate::command;
use crate::components::Icon;
use crate::routes::{self, use_query};
use crate::state::{AppState, use_app};

#[component]
pub fn Presets(text: Memo<String>) -> impl IntoView {
    let app = use_app();
    let query = use_query();
    let list = RwSignal::new(Arc::<Vec<Preset>>::default());
    reload(app, list);
    // The preset that is being named: a new one, or one that gets another name.
    let naming = RwSignal::new(None::<Preset>);
    let here = Memo::new(move |_| {
        text.with(|text| list.with(|list| list.iter().find(|preset| preset.query == text.trim()).cloned()))
    });
    let save = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let Some(preset) = naming.get_untracked().filter(|preset| !preset.name.trim().is_empty()) else { return };
        spawn_local(async move {
            let preset = Preset { name: preset.name.trim().to_owned(), ..preset };
            match app.api().save_preset(&preset).await {
                Ok(_) => {
                    naming.try_set(None);
                    app.notices.say(format!("Saved \u{201c}{}\u{201d}", preset.name));
                    reload(app, list);
                }
                Err(error) => app.notices.fail(format!("The search was not saved: {error}")),
            }
        });
    };
    let remove = move |preset: Preset| {
        spawn_local(async move {
            match app.api().remove_preset(preset.id).await {
                Ok(()) => {
                    reload(app, list);
                    let back = Preset { id: 0, ..preset.clone() };
                    let undo = Callback::new(move |()| {
                        let back = back.clone();
                        spawn_local(async move {
                            if let Err(error) = app.api().save_preset(&back).await {
                                app.notices.fail(error.to_string());
                            }
                            reload(app, list);
                        });
                    });
                    app.notices.say_with_undo(format!("Removed \u{201c}{}\u{201d}", preset.name), undo);
                }
                Err(error) => app.notices.fail(format!("The saved search is still there: {error}")),
            }
        });
    };
    let link = move |_| {
        let origin = window().location().origin().unwrap_or_default();
        let address = format!("{origin}{}?q={}", routes::SEARCH, routes::encode(&text.get_untracked()));
        command::copy(app, address, "Link to this search copied");
    };
    view! {
        <div class="presets">
            <ul aria-label="Saved searches">
                {move || list.get().iter().map(|preset| {
                    let words = preset.query.clone();
                    let is_here = Memo::new({
                        let words = words.clone();
                        move |_| text.with(|text| text.trim() == words)
                    });
                    view! {
                        <li><button type="button" class="chip" aria-pressed=move || is_here.get().to_string() title=preset.query.clone() on:click=move |_| query.set("q", Some(&words))>
                            <Icon name="i-star" small=true/>{preset.name.clone()}
                        </button></li>
                    }
                }).collect_view()}
            </ul>
            {move || match (naming.get().is_some(), here.get(), text.with(|text| text.trim().is_empty())) {
                (true, ..) => view! {
                    <form class="row presets__form" on:submit=save>
                        <input
                            class="presets__name"
                            aria-label="Name of the saved search"
                            placeholder="Name"
                            maxlength="80"
                            autofocus
                            prop:value=naming.get_untracked().map(|preset| preset.name).unwrap_or_default()
                            on:input=move |event| {
                                let name = event_target_value(&event);
                                naming.update_untracked(|naming| {
                                    if let Some(preset) = naming {
                                        preset.name = name;
                                    }
                                });
                            }
                            on:keydown=move |event| {
                                if event.key() == "Escape" {
                                    event.stop_propagation();
                                    naming.set(None);
                                }
                            }
                        />
                        <button type="submit" class="btn btn--small btn--primary">"Save"</button>
                        <button type="button" class="btn btn--small btn--plain" on:click=move |_| naming.set(None)>"Cancel"</button>
                    </form>
                }.into_any(),
                (false, Some(preset), _) => {
                    let (renamed, removed) = (preset.clone(), preset);
                    view! {
                        <span class="row">
                            <button type="button" class="btn btn--small btn--plain" on:click=move |_| naming.set(Some(renamed.clone()))>"Rename..."</button>
                            <button type="button" class="btn btn--small btn--plain" on:click=move |_| remove(removed.clone())>"Delete"</button>
                            <button type="button" class="btn btn--small btn--plain" on:click=link><Icon name="i-link"/>"Copy link"</button>
                        </span>
                    }.into_any()
                }
                (false, None, false) => view! {
                    <span class="row">
                        <button type="button" class="btn btn--small btn--plain" on:click=move |_| naming.set(Some(Preset { query: text.get_untracked().trim().to_owned(), ..Preset::default() }))><Icon name="i-star"/>"Save search..."</button>
                        <button type="button" class="btn btn--small btn--plain" on:click=link><Icon name="i-link"/>"Copy link"</button>
                    </span>
                }.into_any(),
                (false, None, true) => ().into_any(),
            }}
        </div>
    }
}

fn reload(app: AppState, into: RwSignal<Arc<Vec<Preset>>>) {
    spawn_local(async move {
        if let Ok(list) = app.api().presets().await {
            into.try_set(Arc::new(list));
        }
    });
}
