//! Bodies that a person writes: a template over the alert, checked before it is saved.

use minijinja::{Environment, UndefinedBehavior, context};
use orrery_types::{Alert, AlertKind, Asks, Urgency};

/// Steps one rendering may take: an endless loop ends here.
const FUEL: u64 = 50_000;
const MOST_BYTES: usize = 16 * 1024;

/// Says what is wrong with a template: `line 2: unknown filter`. Empty templates are right.
pub fn check(template: &str) -> Result<(), String> {
    if template.len() > MOST_BYTES {
        return Err(format!("the template is longer than {} kB", MOST_BYTES / 1024));
    }
    render(template, &example(), "http://127.0.0.1:4000/app/session/example", 0).map(|_| ())
}

/// The body for an alert. Names: `title`, `text`, `kind`, `rule`, `urgency`, `session_id`, `key`, `at_ms`, `link`,
/// `sent_s` and `alert`, the whole of it. In a body that looks like JSON values are written as JSON strings' insides.
pub fn render(template: &str, alert: &Alert, link: &str, sent_ms: i64) -> Result<String, String> {
    let mut engine = Environment::new();
    engine.set_fuel(Some(FUEL));
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    // Values are made fit below: the engine's own ways are for HTML.
    engine.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    let word = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let kind = word(serde_json::to_value(alert.kind).unwrap_or_default());
    let urgency = word(serde_json::to_value(alert.urgency).unwrap_or_default());
    let head = template.trim_start();
    let is_json =
        head.starts_with('[') || head.strip_prefix('{').is_some_and(|rest| !rest.starts_with(['{', '%', '#']));
    let text = |text: &str| if is_json { inside(text) } else { text.to_owned() };
    let values = context! {
        title => text(&alert.title),
        text => text(&alert.text),
        rule => text(&alert.rule),
        key => text(&alert.key),
        session_id => text(alert.session_id.as_deref().unwrap_or_default()),
        link => text(link),
        kind, urgency,
        at_ms => alert.at_ms,
        sent_s => sent_ms / 1000,
        alert => minijinja::value::Serde(alert.clone()),
    };
    engine.render_named_str("body", template, values).map_err(|error| {
        let line = error.line().map_or(String::new(), |line| format!("line {line}: "));
        let detail = error.detail().map_or(String::new(), |detail| format!(" ({detail})"));
        format!("{line}{}{detail}", error.kind())
    })
}

/// Text as it stands between the quotes of a JSON string.
fn inside(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap_or_default();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

fn example() -> Alert {
    Alert {
        key: "long-task/example/1".to_owned(),
        kind: AlertKind::LongTask,
        title: "Still working".to_owned(),
        text: "lattice-api has worked for 5 m on 'Rotate the spool'".to_owned(),
        session_id: Some("example".to_owned()),
        rule: "long_task".to_owned(),
        urgency: Urgency::Normal,
        asks: Some(Asks::default()),
        ..Alert::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_fit_into_json_whatever_agents_write() {
        let alert = Alert { text: "says \"hi\"\n{{ 7 * 7 }}".to_owned(), ..example() };
        let body =
            render(r#"{"msg": "{{ title }}: {{ text }}", "at": {{ at_ms }}}"#, &alert, "http://x", 0).expect("fine");
        let json: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(json["msg"], "Still working: says \"hi\"\n{{ 7 * 7 }}");
        assert_eq!(render("{{ text }}", &alert, "", 0).expect("fine"), "says \"hi\"\n{{ 7 * 7 }}");
        assert_eq!(render("{{ alert.rule }} {{ alert.kind }}", &alert, "", 0).expect("fine"), "long_task long_task");
    }

    #[test]
    fn errors_name_their_line() {
        assert_eq!(check(""), Ok(()));
        assert!(check("{\n  \"a\": \"{{ nobody }}\"\n}").expect_err("unknown").starts_with("line 2: "));
        assert!(check("{{ text").is_err());
        assert!(check("{% for a in range(1000) %}{% for b in range(1000) %}x{% endfor %}{% endfor %}").is_err());
        assert!(check("{% include 'etc/passwd' %}").is_err());
    }
}
