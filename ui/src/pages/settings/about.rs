//! Version, licenses, and where the data lies.

use leptos::prelude::*;
use orrery_views::format;

use super::Section;
use crate::host;
use crate::state::use_app;

#[component]
pub fn About() -> impl IntoView {
    let app = use_app();
    let version = move || match app.feed(|feed| feed.version().to_owned()) {
        version if version.is_empty() => "\u{2013}".to_owned(),
        version => version,
    };
    let store = move || {
        app.feed(|feed| feed.overview()).map(|overview| {
            format!(
                "{}, {}, {}",
                format::bytes(overview.strip.store_bytes),
                format::plural(overview.events_total, "event"),
                format::plural(overview.sessions_total, "session"),
            )
        })
    };
    let spool = move || {
        app.feed(|feed| feed.overview()).map(|overview| {
            let strip = &overview.strip;
            let waiting = match strip.spool_files {
                0 => "empty: no hook event waits".to_owned(),
                files => format!(
                    "{} waiting, {}",
                    format::plural(u64::from(files), "hook event"),
                    format::bytes(strip.spool_bytes)
                ),
            };
            match strip.spool_lost {
                0 => waiting,
                lost => {
                    format!("{waiting}; {} did not fit and left a gap in their sessions", format::plural(lost, "event"))
                }
            }
        })
    };
    let address = move || {
        app.connection.track();
        match app.api().endpoint().base_url.clone() {
            url if url.is_empty() => window().location().origin().unwrap_or_default(),
            url => url,
        }
    };
    view! {
        <Section id="about" title="About">
            <dl class="kv">
                <dt>"Version"</dt><dd class="num">{version}</dd>
                <dt>"Server"</dt><dd class="code">{address}</dd>
                <dt>"Store"</dt><dd>{store}</dd>
                <dt>"Spool"</dt><dd>{spool}</dd>
                <dt>"Data"</dt><dd>"One folder of this machine: the database, the token and backups. "<code class="code">"orrery doctor"</code>" says where"</dd>
                <dt>"Shell"</dt><dd>{if host::is_native() { "native window" } else { "browser" }}</dd>
                <dt>"License"</dt><dd>"MIT or Apache-2.0, at your choice. Inter and JetBrains Mono: SIL Open Font License 1.1"</dd>
            </dl>
        </Section>
    }
}
