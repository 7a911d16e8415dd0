//! Themes of one's own: choose, make, change, import, export, remove.

use std::collections::BTreeMap;

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use orrery_types::Appearance;

use crate::api::ApiError;
use crate::components::field::{Field, Input};
use crate::components::{Dialog, Icon, Menu, MenuItem};
use crate::host;
use crate::state::answer::use_answer;
use crate::state::appearance::shown_color;
use crate::state::themes::{COLORS, CustomTheme};
use crate::state::{AppState, use_app};

/// Largest file that is read as a theme.
const MOST_BYTES: f64 = 65_536.0;

#[component]
pub fn Themes() -> impl IntoView {
    let app = use_app();
    let again = RwSignal::new(0_u32);
    let themes = use_answer(again, move |_: u32| async move { app.api().themes().await });
    let edited = RwSignal::new(None::<CustomTheme>);
    let file = NodeRef::<html::Input>::new();
    let chosen = move || app.settings.with(|settings| settings.appearance.custom.clone());
    let list = move || themes.with(|answer| answer.value.clone().unwrap_or_default());
    let done = move |said: &'static str, result: Result<(), ApiError>| match result {
        Ok(()) => {
            again.update(|times| *times += 1);
            app.notices.say(said);
        }
        Err(error) => app.notices.fail(error.to_string()),
    };
    let import = move |_| {
        let Some(picked) = file.get_untracked().and_then(|input| Some((input.files()?.get(0)?, input))) else { return };
        let (picked, input) = picked;
        spawn_local(async move {
            let text = if picked.size() > MOST_BYTES { None } else { host::read_file(&picked).await };
            input.set_value("");
            match text.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok()) {
                Some(theme) => done("Theme imported", app.api().import_theme(&theme).await),
                None => app.notices.fail("This file is no theme: it is not JSON, or too large"),
            }
        });
    };
    let item = move |theme: CustomTheme| {
        let id = theme.id.clone();
        let is_chosen = {
            let id = id.clone();
            Memo::new(move |_| chosen().as_deref() == Some(id.as_str()))
        };
        let weak = theme.complaints().len();
        let swatches = ["bgPrimary", "textPrimary", "primary", "accentWarning", "accentError"]
            .map(|key| theme.colors.get(key).filter(|value| crate::state::themes::parse(value).is_some()).cloned())
            .into_iter()
            .flatten()
            .map(|value| view! { <i style:background=value></i> })
            .collect_view();
        let choose = {
            let theme = theme.clone();
            move |_| {
                let on = !is_chosen.get_untracked();
                choose(app, on.then(|| theme.clone()));
            }
        };
        let items = menu(app, theme.clone(), edited, again);
        view! {
            <li class="theme">
                <span class="theme__colors" aria-hidden="true">{swatches}</span>
                <span class="grow clip">{theme.display_name.clone()}</span>
                {(weak > 0).then(|| view! { <span class="small attention">{format!("{weak} weak contrasts")}</span> })}
                <button type="button" class="btn btn--small" aria-pressed=move || is_chosen.get().to_string() on:click=choose>
                    {move || if is_chosen.get() { "In use" } else { "Use" }}
                </button>
                <Menu name=format!("{}: more", theme.display_name) items=Signal::stored(items) bare=true right=true/>
            </li>
        }
    };
    view! {
        <Field group=true label="Your themes" id="themes" hint=|| "Colors of your own over dark or light; files can be exchanged with other dashboards">
            <button type="button" class="btn btn--small" on:click=move |_| edited.set(Some(fresh()))><Icon name="i-plus"/>"New..."</button>
            <button type="button" class="btn btn--small" on:click=move |_| {
                if let Some(input) = file.get_untracked() {
                    input.click();
                }
            }>"Import..."</button>
            <input class="sr" type="file" accept=".json,application/json" tabindex="-1" aria-label="Theme file" node_ref=file on:change=import/>
        </Field>
        {move || themes.with(|answer| answer.error.as_ref().map(|error| view! { <p class="field-row__error">{error.to_string()}</p> }))}
        <ul class="themes">{move || list().into_iter().map(item).collect_view()}</ul>
        <Editor edited again/>
    }
}

/// Puts a theme in use, or none.
fn choose(app: AppState, theme: Option<CustomTheme>) {
    let before = app.settings.get_untracked().appearance;
    let said = match &theme {
        Some(theme) => format!("Theme: {}", theme.display_name),
        None => "Theme: as chosen above".to_owned(),
    };
    crate::state::appearance::keep_custom(theme.as_ref());
    app.set_appearance(Appearance { custom: theme.map(|theme| theme.id), ..before.clone() });
    app.notices.say_with_undo(said, Callback::new(move |()| app.set_appearance(before.clone())));
}

fn menu(
    app: AppState,
    theme: CustomTheme,
    edited: RwSignal<Option<CustomTheme>>,
    again: RwSignal<u32>,
) -> Vec<MenuItem> {
    let (change, export, remove) = (theme.clone(), theme.clone(), theme);
    vec![
        MenuItem::new("Change...", "i-edit", move || edited.set(Some(change.clone()))),
        MenuItem::new("Export as a file", "i-download", move || {
            let (id, name) = (export.id.clone(), export.name.clone());
            spawn_local(async move {
                let saved = match app.api().export_theme(&id).await {
                    Ok(text) => host::save_text(&format!("{name}.theme.json"), &text),
                    Err(error) => Err(error.to_string()),
                };
                match saved {
                    Ok(()) => app.notices.say("Theme exported"),
                    Err(error) => app.notices.fail(error),
                }
            });
        }),
        MenuItem {
            danger: true,
            ..MenuItem::new("Remove", "i-x", move || {
                let theme = remove.clone();
                spawn_local(async move {
                    match app.api().remove_theme(&theme.id).await {
                        Ok(()) => {
                            let undo = Callback::new(move |()| {
                                let theme = CustomTheme { id: String::new(), ..theme.clone() };
                                spawn_local(async move {
                                    if let Err(error) = app.api().save_theme(&theme).await {
                                        app.notices.fail(error.to_string());
                                    }
                                    again.update(|times| *times += 1);
                                });
                            });
                            app.notices.say_with_undo("Theme removed", undo);
                            again.update(|times| *times += 1);
                        }
                        Err(error) => app.notices.fail(error.to_string()),
                    }
                });
            })
        },
    ]
}

/// The colors on screen, as the beginning of a new theme.
fn fresh() -> CustomTheme {
    let colors: BTreeMap<String, String> =
        COLORS.iter().filter_map(|color| Some((color.key.to_owned(), shown_color(color.tokens[0])?))).collect();
    CustomTheme { display_name: "My theme".to_owned(), colors, ..CustomTheme::default() }
}

/// Name and colors, seen at work while they are chosen.
#[component]
fn Editor(edited: RwSignal<Option<CustomTheme>>, again: RwSignal<u32>) -> impl IntoView {
    let app = use_app();
    let open = RwSignal::new(false);
    let error = RwSignal::new(None::<String>);
    Effect::new(move |_| {
        if edited.with(Option::is_some) {
            error.set(None);
            open.set(true);
        }
    });
    Effect::new(move |was: Option<bool>| {
        let is_open = open.get();
        if was == Some(true) && !is_open {
            edited.set(None);
        }
        is_open
    });
    let change = move |change: &dyn Fn(&mut CustomTheme)| {
        edited.update(|theme| {
            if let Some(theme) = theme {
                change(theme);
            }
        });
    };
    let save = move |_| {
        let Some(mut theme) = edited.get_untracked() else { return };
        if theme.id.is_empty() {
            theme.name = CustomTheme::name_of(&theme.display_name);
        }
        spawn_local(async move {
            match app.api().save_theme(&theme).await {
                Ok(saved) => {
                    open.set(false);
                    again.update(|times| *times += 1);
                    choose(app, Some(saved));
                }
                Err(why) => error.set(Some(why.to_string())),
            }
        });
    };
    let field = move |at: usize| {
        let color = &COLORS[at];
        let value = move || {
            edited
                .with(|theme| theme.as_ref().and_then(|theme| theme.colors.get(color.key).cloned()))
                .unwrap_or_default()
        };
        let id = format!("theme-{}", color.key);
        view! {
            <label for=id.clone()>{color.label}</label>
            <input type="color" id=id prop:value=value on:input=move |event| {
                let value = event_target_value(&event);
                change(&|theme: &mut CustomTheme| drop(theme.colors.insert(color.key.to_owned(), value.clone())));
            }/>
        }
    };
    let complaints = move || {
        let told = edited.with(|theme| theme.as_ref().map(CustomTheme::complaints).unwrap_or_default());
        let line = |(label, is, least): (&'static str, f64, f64)| view! { <li class="attention">{format!("{label}: contrast {is:.1} to 1, {least} are readable")}</li> };
        if told.is_empty() {
            view! { <li class="passed">"Everything can be read"</li> }.into_any()
        } else {
            told.into_iter().map(line).collect_view().into_any()
        }
    };
    let style = move || {
        let tokens = edited.with(|theme| theme.as_ref().map(CustomTheme::tokens).unwrap_or_default());
        tokens.iter().map(|(token, value)| format!("{token}:{value};")).collect::<String>()
    };
    let base =
        move || if edited.with(|theme| theme.as_ref().is_none_or(CustomTheme::is_dark)) { "dark" } else { "light" };
    let name = Signal::derive(move || {
        edited.with(|theme| theme.as_ref().map(|theme| theme.display_name.clone())).unwrap_or_default()
    });
    let foot = move || {
        view! {
            <p class="grow field-row__error" role="alert">{move || error.get()}</p>
            <button type="button" class="btn btn--plain" on:click=move |_| open.set(false)>"Cancel"</button>
            <button type="button" class="btn btn--primary" on:click=save>"Save and use"</button>
        }
    };
    view! {
        <Dialog open title="Theme" id="theme-editor" foot>
            <div class="theme-editor">
                <div class="theme-editor__fields">
                    <label for="theme-name">"Name"</label>
                    <Input id="theme-name" value=name on_change=move |text: String| change(&|theme: &mut CustomTheme| theme.display_name.clone_from(&text))/>
                    {(0..COLORS.len()).map(field).collect_view()}
                </div>
                <div>
                    <div class="theme-preview" data-theme=base style=style aria-hidden="true">
                        <p class="theme-preview__bar">"Live"<span class="push">"$41.87"</span></p>
                        <p><b>"lattice-api"</b>" "<span class="muted">"Edits"</span>" "<span class="code">"decode.rs"</span></p>
                        <p class="faint small">"14:32:06"</p>
                        <p class="attention">"Needs you"</p>
                        <p class="danger">"exit 101"</p>
                        <p class="passed">"312 passed"</p>
                        <p><span class="theme-preview__accent">"A link"</span></p>
                    </div>
                    <ul class="theme-editor__told small" role="status">{complaints}</ul>
                </div>
            </div>
        </Dialog>
    }
}
