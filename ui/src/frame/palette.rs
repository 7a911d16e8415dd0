//! The palette: every command and session under one field.

use std::time::Duration;

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use orrery_types::{SessionQuery, SessionRow};

use crate::command::Command;
use crate::components::{AgentGlyph, Icon, dialog};
use crate::routes;
use crate::state::{AppState, use_app};

const MOST_SESSIONS: usize = 8;

/// One line of the palette.
#[derive(Debug, Clone, PartialEq)]
enum Entry {
    Do(Command),
    Open { id: String, agent: String, title: String, project: String },
}

impl Entry {
    fn run(&self, app: AppState) {
        match self {
            Entry::Do(command) => command.run(app),
            Entry::Open { id, .. } => app.go(&routes::session(id)),
        }
    }
}

/// The palette of Ctrl K.
#[component]
pub fn Palette() -> impl IntoView {
    let app = use_app();
    let sheet = NodeRef::<html::Dialog>::new();
    let field = NodeRef::<html::Input>::new();
    let words = RwSignal::new(String::new());
    let at = RwSignal::new(0_usize);
    let fetched = RwSignal::new(Vec::<SessionRow>::new());
    let entries =
        Memo::new(
            move |_| if app.palette_open.get() { entries(app, &words.get(), &fetched.get()) } else { Vec::new() },
        );
    dialog::follow(sheet, app.palette_open.into());
    Effect::new(move |_| {
        if app.palette_open.get() {
            words.set(String::new());
            at.set(0);
            if let Some(field) = field.get_untracked() {
                field.set_value("");
                let _ = field.focus();
            }
        }
    });
    let close = move || app.palette_open.set(false);
    let run = move |entry: Entry| {
        close();
        // After the dialog gave the focus back.
        set_timeout(move || entry.run(app), Duration::ZERO);
    };
    let on_input = move |event| {
        words.set(event_target_value(&event));
        at.set(0);
        fetch_sessions(app, words, fetched);
    };
    let on_key = move |event: KeyboardEvent| {
        let count = entries.with_untracked(Vec::len);
        match event.key().as_str() {
            "ArrowDown" if count > 0 => at.update(|at| *at = (*at + 1) % count),
            "ArrowUp" if count > 0 => at.update(|at| *at = (*at + count - 1) % count),
            "Enter" => {
                if let Some(entry) = entries.with_untracked(|entries| entries.get(at.get_untracked()).cloned()) {
                    run(entry);
                }
            }
            _ => return,
        }
        event.prevent_default();
        let id = option_id(at.get_untracked());
        request_animation_frame(move || scroll_to(&id));
    };
    view! {
        <dialog
            class="sheet"
            node_ref=sheet
            aria-label="Commands and sessions"
            on:close=move |_| close()
            on:keydown=|event| event.stop_propagation()
            on:click=move |event| {
                if dialog::is_backdrop(&event) {
                    close();
                }
            }
        >
            <div class="palette__field">
                <Icon name="i-search"/>
                <input
                    node_ref=field
                    type="text"
                    role="combobox"
                    aria-expanded="true"
                    aria-controls="palette-list"
                    aria-autocomplete="list"
                    aria-label="Command or session"
                    aria-activedescendant=move || entries.with(|entries| (!entries.is_empty()).then(|| option_id(at.get())))
                    placeholder="Command or session"
                    autocomplete="off"
                    spellcheck="false"
                    on:input=on_input
                    on:keydown=on_key
                />
                <kbd>"Esc"</kbd>
            </div>
            <div class="palette__list" id="palette-list" role="listbox" aria-label="Commands and sessions">
                {move || {
                    entries
                        .get()
                        .into_iter()
                        .enumerate()
                        .map(|(index, entry)| {
                            let chosen = entry.clone();
                            view! {
                                <div
                                    class="palette__item"
                                    role="option"
                                    id=option_id(index)
                                    aria-selected=move || (at.get() == index).to_string()
                                    on:pointermove=move |_| at.set(index)
                                    on:click=move |_| run(chosen.clone())
                                >
                                    {line(entry)}
                                </div>
                            }
                        })
                        .collect_view()
                }}
            </div>
            <Show when=move || app.palette_open.get() && entries.with(Vec::is_empty)>
                <p class="palette__none" role="status">"Nothing has these words"</p>
            </Show>
        </dialog>
    }
}

fn line(entry: Entry) -> AnyView {
    match entry {
        Entry::Do(command) => {
            let keys =
                command.keys().split_whitespace().map(|key| view! { <kbd>{key.to_owned()}</kbd> " " }).collect_view();
            view! { <Icon name=command.icon()/><span class="clip grow">{command.label()}</span><span class="push">{keys}</span> }.into_any()
        }
        Entry::Open { agent, title, project, .. } => {
            let title = if title.is_empty() { "Untitled session".to_owned() } else { title };
            view! { <span class="palette__glyph"><AgentGlyph agent/></span><span class="clip grow">{title}</span><span class="push small muted">{project}</span> }.into_any()
        }
    }
}

/// Commands and sessions that have all words, best first: commands, then sessions by newest activity.
fn entries(app: AppState, words: &str, fetched: &[SessionRow]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Command::all()
        .into_iter()
        .filter(|command| {
            *command != Command::Palette && has_words(&command.label(), words) && command.is_possible(app)
        })
        .map(Entry::Do)
        .collect();
    let mut rows: Vec<SessionRow> = app.feed_untracked(|feed| feed.sessions().map(|row| (**row).clone()).collect());
    rows.extend(fetched.iter().filter(|row| app.feed_untracked(|feed| feed.session(&row.id)).is_none()).cloned());
    rows.retain(|row| {
        has_words(&format!("{} {} {}", row.title, row.project, row.branch.as_deref().unwrap_or_default()), words)
    });
    rows.sort_by_key(|row| std::cmp::Reverse(row.last_ms));
    rows.truncate(MOST_SESSIONS);
    let sessions = rows.into_iter().map(|row| Entry::Open {
        id: row.id,
        agent: row.agent,
        title: row.title,
        project: row.project,
    });
    if words.trim().is_empty() {
        // Without words the sessions at work come first: jumping to one is the commonest wish.
        let mut all: Vec<Entry> = sessions.take(4).collect();
        all.append(&mut entries);
        return all;
    }
    entries.extend(sessions);
    entries
}

fn has_words(text: &str, words: &str) -> bool {
    let text = text.to_lowercase();
    words.to_lowercase().split_whitespace().all(|word| text.contains(word))
}

/// Asks the server for older sessions with these words, once typing rests.
fn fetch_sessions(app: AppState, words: RwSignal<String>, into: RwSignal<Vec<SessionRow>>) {
    let asked = words.get_untracked();
    if asked.trim().len() < 2 {
        return;
    }
    let ask = move || {
        if words.get_untracked() != asked {
            return;
        }
        spawn_local(async move {
            let query = SessionQuery {
                text: Some(asked.trim().to_owned()),
                limit: Some(MOST_SESSIONS as u32),
                ..SessionQuery::default()
            };
            if let Ok(page) = app.api().sessions(&query).await {
                into.set(page.items);
            }
        });
    };
    set_timeout(ask, Duration::from_millis(150));
}

fn option_id(index: usize) -> String {
    format!("palette-{index}")
}

fn scroll_to(id: &str) {
    if let Some(item) = document().get_element_by_id(id) {
        let options = web_sys::ScrollIntoViewOptions::new();
        options.set_block(web_sys::ScrollLogicalPosition::Nearest);
        item.scroll_into_view_with_scroll_into_view_options(&options);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_words_must_occur_in_any_order_and_case() {
        assert!(has_words("Theme: high contrast", "CONTRAST theme"));
        assert!(!has_words("Theme: dark", "theme light"));
        assert!(has_words("anything", "  "));
    }
}
