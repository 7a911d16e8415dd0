//! The files that the session changed, and each change as a diff.

use std::collections::BTreeMap;
use std::sync::Arc;

use leptos::prelude::*;
use orrery_types::ToolClass;
use orrery_views::format;
use orrery_views::story::{CallStatus, Edit, Step, Story, ToolStep, What, changes_of};

use super::load::Session;
use crate::components::code::lang_of_path;
use crate::components::diff::count;
use crate::components::{Clock, Diff, Icon, diff_lines};
use crate::routes::use_query;

/// Changes of one file that are drawn at once.
const MOST_CHANGES: usize = 50;

/// One change of a file.
#[derive(Debug, Clone, PartialEq)]
struct Touch {
    step: Arc<Step>,
    /// Which of the call's changes.
    part: usize,
    /// Kind of the subagent that made it. Empty for the main thread.
    by: String,
    failed: bool,
}

/// What became of one file.
#[derive(Debug, Clone, Default, PartialEq)]
struct Changed {
    path: String,
    added: u32,
    removed: u32,
    touches: Vec<Touch>,
}

#[component]
pub fn FilesTab(session: Session) -> impl IntoView {
    let query = use_query();
    let files = Memo::new(move |_| Arc::new(session.with_story(changed)));
    let cwd =
        Memo::new(move |_| session.row.with(|row| row.as_ref().and_then(|row| row.cwd.clone())).unwrap_or_default());
    let chosen = Memo::new(move |_| {
        let wanted = query.get("file");
        files.with(|files| {
            let named = files.iter().find(|file| Some(&file.path) == wanted.as_ref());
            named.or(files.first()).cloned()
        })
    });
    let list = move || {
        let cwd = cwd.get();
        let now = chosen.with(|file| file.as_ref().map(|file| file.path.clone()));
        files
            .get()
            .iter()
            .map(|file| {
                let short = file.path.strip_prefix(cwd.as_str()).map_or(file.path.as_str(), |rest| rest.trim_start_matches('/'));
                let (folder, name) = short.rsplit_once('/').map_or(("", short), |(folder, name)| (folder, name));
                let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
                let path = file.path.clone();
                let failed = file.touches.iter().all(|touch| touch.failed);
                view! {
                    <li>
                        <button
                            type="button"
                            class="side__row"
                            class:side__row--on=now.as_ref() == Some(&file.path)
                            aria-pressed=(now.as_ref() == Some(&file.path)).to_string()
                            title=file.path.clone()
                            on:click=move |_| query.replace("file", Some(&path))
                        >
                            <span class="code clip grow"><span class="faint">{folder}</span>{name.to_owned()}</span>
                            {if failed {
                                view! { <span class="small danger push">"failed"</span> }.into_any()
                            } else {
                                view! { <span class="plusminus"><b>{format!("+{}", file.added)}</b>" "<i>{format!("\u{2212}{}", file.removed)}</i></span> }.into_any()
                            }}
                        </button>
                    </li>
                }
            })
            .collect_view()
    };
    let detail = move || {
        chosen.get().map(|file| {
            let count = file.touches.len();
            let more = count.saturating_sub(MOST_CHANGES);
            let changes = file.touches.iter().skip(more).map(|touch| change(&file.path, touch)).collect_view();
            view! {
                <div class="head filesview__head">
                    <h2 class="code clip" title=file.path.clone()>{file.path.clone()}</h2>
                    <span class="push small muted">{format::plural(count as u64, "change")}</span>
                </div>
                {(more > 0).then(|| view! { <p class="small attention costs__note">{format!("The newest {MOST_CHANGES} are shown; {more} earlier ones are in the story")}</p> })}
                {changes}
            }
        })
    };
    let is_empty = Memo::new(move |_| files.with(|files| files.is_empty()));
    view! {
        <Show when=move || !is_empty.get() fallback=|| view! {
            <div class="empty">
                <Icon name="i-file"/>
                <h2>"No file was changed"</h2>
                <p>"Edits and patches of this session appear here, file by file"</p>
            </div>
        }>
            <div class="filesview">
                <nav class="filesview__list" aria-label="Changed files">
                    <p class="small muted filesview__count">{move || format::plural(files.with(|files| files.len()) as u64, "file")}</p>
                    <ul>{list}</ul>
                </nav>
                <div class="session__scroll" tabindex="0" role="region" aria-label="Changes of the file">{detail}</div>
            </div>
        </Show>
    }
}

fn change(path: &str, touch: &Touch) -> impl IntoView + use<> {
    let What::Tool(call) = &touch.step.what else { return ().into_any() };
    let change = changes_of(&call.input).into_iter().nth(touch.part);
    let lines = change.map(|change| match change.edit {
        Edit::Texts { old, new } => diff_lines(&old, &new),
        Edit::Lines(lines) => lines,
    });
    let lines = lines.unwrap_or_default();
    let (added, removed) = count(&lines);
    let by = if touch.by.is_empty() { String::new() } else { format!(", {}", touch.by) };
    let link = format!("?step={}", touch.step.seq);
    let error = call.error.clone().filter(|_| touch.failed);
    view! {
        <section class="filesview__change" class:filesview__change--failed=touch.failed>
            <div class="filehead">
                <a class="num" href=link title="Show it in the story"><Clock at_ms=touch.step.at_ms/></a>
                <span class="muted">{format!("{}{by}", call.tool)}</span>
                {error.map(|error| view! { <span class="danger small clip">{error}</span> })}
                <span class="plusminus push"><b>{format!("+{added}")}</b>" "<i>{format!("\u{2212}{removed}")}</i></span>
            </div>
            {if lines.is_empty() {
                view! { <p class="small faint costs__note">"The source does not tell which lines changed"</p> }.into_any()
            } else {
                view! { <Diff lines lang=lang_of_path(path)/> }.into_any()
            }}
        </section>
    }
    .into_any()
}

/// Files in the order of their newest change, with their changes from the first to the last.
fn changed(story: &Story) -> Vec<Changed> {
    let mut files: BTreeMap<String, Changed> = BTreeMap::new();
    let main = story.turns().iter().flat_map(|turn| &turn.steps).map(|step| (step, ""));
    let nested =
        story.subagents().values().flat_map(|thread| thread.steps.iter().map(|step| (step, thread.kind.as_str())));
    for (step, by) in main.chain(nested) {
        let What::Tool(call) = &step.what else { continue };
        if call.class == ToolClass::Edit || call.tool == "apply_patch" {
            touch(&mut files, step, call, by);
        }
    }
    let mut files: Vec<Changed> = files.into_values().collect();
    for file in &mut files {
        file.touches.sort_by_key(|touch| (touch.step.at_ms, touch.step.seq, touch.part));
    }
    files.sort_by_key(|file| std::cmp::Reverse(file.touches.last().map(|touch| touch.step.at_ms)));
    files
}

fn touch(files: &mut BTreeMap<String, Changed>, step: &Arc<Step>, call: &ToolStep, by: &str) {
    let failed = matches!(call.status, CallStatus::Failed | CallStatus::Denied);
    let changes = changes_of(&call.input);
    let many = changes.len() > 1;
    let mut paths: Vec<(String, usize, u32, u32)> = changes
        .into_iter()
        .enumerate()
        .map(|(part, change)| {
            let path = if change.path.is_empty() { call.target.clone() } else { change.path };
            let lines = match &change.edit {
                Edit::Texts { old, new } => diff_lines(old, new),
                Edit::Lines(lines) => lines.clone(),
            };
            let (added, removed) = count(&lines);
            (path, part, added as u32, removed as u32)
        })
        .collect();
    if paths.is_empty() {
        paths.push((call.target.clone(), 0, 0, 0));
    }
    // The agent's own count beats ours, where it is for one file.
    if !many && let (Some(added), [only]) = (call.lines_added, paths.as_mut_slice()) {
        (only.2, only.3) = (added, call.lines_removed.unwrap_or(only.3));
    }
    for (path, part, added, removed) in paths.into_iter().filter(|(path, ..)| !path.is_empty()) {
        let file = files.entry(path.clone()).or_insert_with(|| Changed { path, ..Changed::default() });
        if !failed {
            file.added = file.added.saturating_add(added);
            file.removed = file.removed.saturating_add(removed);
        }
        file.touches.push(Touch { step: step.clone(), part, by: by.to_owned(), failed });
    }
}
