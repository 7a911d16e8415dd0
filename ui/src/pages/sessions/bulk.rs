//! What is selected, summed, and what can be done with it.

use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use orrery_types::{ExportFormat, SessionRow};
use orrery_views::format;

use super::list::{Sums, markdown, title};
use crate::components::Icon;
use crate::host;
use crate::state::{AppState, use_app};

/// The bar below the table, while something is selected.
#[component]
pub fn BulkBar(rows: Signal<Vec<Arc<SessionRow>>>, on_clear: Callback<()>) -> impl IntoView {
    let app = use_app();
    let sums = Memo::new(move |_| {
        rows.with(|rows| {
            let mut sums = Sums::default();
            rows.iter().for_each(|row| sums.add(row));
            sums
        })
    });
    let copy = move |_| {
        let text = markdown(&rows.get_untracked(), app.now.get_untracked(), |at| {
            format::moment(at, host::utc_offset_minutes(at))
        });
        let count = rows.with_untracked(Vec::len) as u64;
        spawn_local(async move {
            match host::copy_text(text).await {
                Ok(()) => app.notices.say(format!("{} copied as Markdown", format::plural(count, "session"))),
                Err(why) => app.notices.fail(why),
            }
        });
    };
    let export = move |form: &'static str| {
        for row in rows.get_untracked() {
            spawn_local(export_one(app, row, form));
        }
    };
    view! {
        <Show when=move || rows.with(|rows| !rows.is_empty())>
            <div class="bulk" role="region" aria-label="Selected sessions">
                <b class="medium">{move || format!("{} selected", sums.get().sessions)}</b>
                <span class="num muted">{move || format::duration_ms(sums.get().took_ms)}</span>
                <span class="num muted">{move || format!("{} tok", format::tokens(sums.get().tokens))}</span>
                <span class="num strong">{move || format::money(sums.get().cost_usd_micros)}</span>
                <span class="vline"></span>
                <button type="button" class="btn btn--primary" on:click=copy><Icon name="i-copy"/>"Copy as Markdown"</button>
                <button type="button" class="btn" on:click=move |_| export("md")><Icon name="i-download"/>"Export Markdown"</button>
                <button type="button" class="btn" on:click=move |_| export("jsonl")><Icon name="i-download"/>"Export JSONL"</button>
                <button type="button" class="btn btn--plain push" on:click=move |_| on_clear.run(())>"Clear"<kbd>"Esc"</kbd></button>
            </div>
        </Show>
    }
}

/// Reads one session's export and hands it to the person as a file.
pub async fn export_one(app: AppState, row: Arc<SessionRow>, form: &'static str) {
    if let (true, Some(format)) = (host::is_native(), ExportFormat::from_slug(form)) {
        match host::save_as(std::slice::from_ref(&row.id), format).await {
            Ok(paths) => paths.iter().for_each(|path| app.notices.say(format!("Saved {path}"))),
            Err(why) => app.notices.fail(format!("{} was not saved: {why}", title(&row))),
        }
        return;
    }
    match app.api().export(&row.id, form).await {
        Ok(text) => {
            let name = file_name(&row, form);
            match host::save_text(&name, &text) {
                Ok(()) => app.notices.say(format!("Saved {name}")),
                Err(why) => app.notices.fail(why),
            }
        }
        Err(error) => app.notices.fail(format!("{} was not exported: {error}", title(&row))),
    }
}

/// ASCII, so that every file system takes it.
fn file_name(row: &SessionRow, form: &str) -> String {
    let words: String = title(row)
        .chars()
        .take(48)
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .collect();
    let words = words.split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
    let id: String = row.id.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
    if words.is_empty() { format!("session-{id}.{form}") } else { format!("{words}-{id}.{form}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_plain() {
        let row =
            SessionRow { id: "ab-12/../x".into(), title: "Fix: the \"tail\" / ü".into(), ..SessionRow::default() };
        assert_eq!(file_name(&row, "md"), "fix-the-tail-ab12x.md");
        assert_eq!(file_name(&SessionRow { id: "a".into(), title: "é".into(), ..row }, "jsonl"), "session-a.jsonl");
    }
}
