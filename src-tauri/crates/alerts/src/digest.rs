//! A day or week in words: the desktop's line, and the mail as text and HTML.

use minijinja::{Environment, context};
use orrery_types::Digest;
use orrery_views::format::{count, money, plural, tokens};

/// "$41.87 in 12 sessions, 3 errors; $8.20 more than the day before".
pub fn line(digest: &Digest) -> String {
    let mut words = format!("{} in {}", money(digest.cost_usd_micros), plural(digest.sessions, "session"));
    if digest.errors > 0 {
        words.push_str(&format!(", {}", plural(digest.errors, "error")));
    }
    if let Some(change) = change(digest) {
        words.push_str("; ");
        words.push_str(&change);
    }
    words
}

/// "$8.20 more than the day before". Empty when nothing is known of it, or nothing changed.
fn change(digest: &Digest) -> Option<String> {
    let before = digest.before_usd_micros?;
    let difference = digest.cost_usd_micros.saturating_sub(before);
    if difference.abs() < 10_000 {
        return None;
    }
    let word = if difference > 0 { "more" } else { "less" };
    let when = if digest.period == "weekly" { "week" } else { "day" };
    Some(format!("{} {word} than the {when} before", money(difference.abs())))
}

pub fn title(digest: &Digest) -> String {
    if digest.period == "weekly" { format!("Week of {}", digest.label) } else { digest.label.clone() }
}

/// The mail as plain text.
pub fn text(digest: &Digest) -> String {
    let mut out = format!("{}\n\n{}\n", title(digest), line(digest));
    let figures = figures(digest);
    for (name, value) in &figures {
        out.push_str(&format!("  {name:<10} {value:>14}\n"));
    }
    for (head, rows) in tables(digest) {
        out.push_str(&format!("\n{head}\n"));
        for (name, cost) in rows {
            let name: String = name.chars().take(48).collect();
            out.push_str(&format!("  {name:<48} {cost:>10}\n"));
        }
    }
    out
}

/// The mail as HTML; names that agents and people wrote are escaped by the engine.
pub fn html(digest: &Digest, link: &str) -> String {
    let mut engine = Environment::new();
    engine.set_auto_escape_callback(|_| minijinja::AutoEscape::Html);
    let rendered = engine.render_named_str(
        "digest.html",
        include_str!("digest.html"),
        context! {
            title => title(digest), line => line(digest), figures => figures(digest), tables => tables(digest), link,
        },
    );
    rendered.expect("the template is part of the program and rendered by a test")
}

fn figures(digest: &Digest) -> Vec<(&'static str, String)> {
    let mut figures = vec![
        ("Cost", money(digest.cost_usd_micros)),
        ("Tokens", tokens(digest.tokens.total())),
        ("Sessions", count(digest.sessions)),
        ("Turns", count(digest.turns)),
        ("Tool calls", count(digest.tools)),
        ("Errors", count(digest.errors)),
        ("Alerts", count(digest.alerts)),
    ];
    if digest.unpriced_requests > 0 {
        figures.push(("Unpriced", plural(digest.unpriced_requests, "request")));
    }
    figures
}

/// Name and cost of a row.
type Rows = Vec<(String, String)>;

fn tables(digest: &Digest) -> Vec<(&'static str, Rows)> {
    let named = |rows: &[(String, i64)]| -> Rows {
        let name = |name: &str| if name.is_empty() { "no name".to_owned() } else { name.to_owned() };
        rows.iter().map(|(word, cost)| (name(word), money(*cost))).collect()
    };
    let agents = digest.agents.iter().map(|(slug, cost)| (orrery_views::format::agent(slug).to_owned(), *cost));
    let sessions = digest.dearest.iter().map(|(id, title, cost)| {
        let title = if title.is_empty() { id.clone() } else { title.clone() };
        (title, money(*cost))
    });
    let tables = [
        ("By project", named(&digest.projects)),
        ("By agent", named(&agents.collect::<Vec<_>>())),
        ("By model", named(&digest.models)),
        ("Dearest sessions", sessions.collect()),
    ];
    tables.into_iter().filter(|(_, rows)| !rows.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest() -> Digest {
        Digest {
            period: "daily".to_owned(),
            label: "Tuesday, 24 November".to_owned(),
            cost_usd_micros: 41_870_000,
            before_usd_micros: Some(33_670_000),
            sessions: 12,
            errors: 3,
            projects: vec![("lattice-api".to_owned(), 30_000_000), ("<b>x</b>".to_owned(), 11_870_000)],
            agents: vec![("claude-code".to_owned(), 41_870_000)],
            dearest: vec![("s1".to_owned(), String::new(), 9_000_000)],
            ..Digest::default()
        }
    }

    #[test]
    fn a_day_is_one_line() {
        assert_eq!(line(&digest()), "$41.87 in 12 sessions, 3 errors; $8.20 more than the day before");
        let quiet = Digest { errors: 0, before_usd_micros: None, sessions: 1, ..digest() };
        assert_eq!(line(&quiet), "$41.87 in 1 session");
    }

    #[test]
    fn both_forms_of_the_mail_hold_all_figures_and_no_markup_of_agents() {
        let (text, html) = (text(&digest()), html(&digest(), "http://127.0.0.1:4000/app/costs"));
        for part in ["Tuesday, 24 November", "$41.87", "lattice-api", "Claude Code", "Dearest sessions", "$9.00"] {
            assert!(text.contains(part), "{part}\n{text}");
            assert!(html.contains(part), "{part}\n{html}");
        }
        assert!(html.contains("&lt;b&gt;x&lt;&#x2f;b&gt;") && !html.contains("<b>x"), "{html}");
    }
}
