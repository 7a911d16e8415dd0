//! The name of a session's file: readable, and safe on every file system.

use chrono::DateTime;
use orrery_types::SessionRow;

/// Longest name with its ending.
const MOST: usize = 120;
const MOST_PART: usize = 48;

/// `AGENT-PROJECT-TITLE-DATE.ENDING` in lowercase ASCII letters, digits and single dashes. Never hidden, never a path,
/// never a name that a system keeps for itself.
pub fn export_name(row: &SessionRow, ending: &str) -> String {
    let date = DateTime::from_timestamp_millis(row.started_ms).map(|at| at.format("%Y-%m-%d").to_string());
    let title = slug(if row.title.is_empty() { &row.id } else { &row.title });
    let title = if title.is_empty() { slug(&row.id) } else { title };
    let parts = [slug(&row.agent), slug(&row.project), title, date.unwrap_or_default()];
    let parts: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    let stem = if parts.is_empty() { "session".to_owned() } else { parts.join("-") };
    let room = MOST - ending.len() - 1;
    let stem = stem[..stem.len().min(room)].trim_end_matches('-');
    let kept = is_kept(stem.split('-').next().unwrap_or_default()) && !stem.contains('-');
    format!("{}{stem}.{ending}", if kept { "session-" } else { "" })
}

/// Lowercase ASCII letters and digits of `text`, runs of anything else as one dash.
fn slug(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars().map(plain) {
        if letter.is_ascii_alphanumeric() {
            out.push(letter.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
        if out.len() >= MOST_PART {
            break;
        }
    }
    out.trim_end_matches('-').to_owned()
}

/// The letter without its accent, for the common ones.
fn plain(letter: char) -> char {
    match letter {
        'à'..='å' | 'À'..='Å' => 'a',
        'ç' | 'Ç' => 'c',
        'è'..='ë' | 'È'..='Ë' => 'e',
        'ì'..='ï' | 'Ì'..='Ï' => 'i',
        'ñ' | 'Ñ' => 'n',
        'ò'..='ö' | 'ø' | 'Ò'..='Ö' | 'Ø' => 'o',
        'ù'..='ü' | 'Ù'..='Ü' => 'u',
        'ý' | 'ÿ' | 'Ý' => 'y',
        'ß' => 's',
        other => other,
    }
}

/// Device names of Windows.
fn is_kept(name: &str) -> bool {
    let numbered = |start: &str| {
        name.strip_prefix(start).is_some_and(|rest| rest.len() == 1 && rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    ["con", "prn", "aux", "nul"].contains(&name) || numbered("com") || numbered("lpt")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(agent: &str, project: &str, title: &str) -> String {
        let row = SessionRow {
            id: "0199-ab".to_owned(),
            agent: agent.to_owned(),
            project: project.to_owned(),
            title: title.to_owned(),
            started_ms: 1_795_348_800_000,
            ..SessionRow::default()
        };
        export_name(&row, "html")
    }

    #[test]
    fn names_say_what_is_inside() {
        assert_eq!(name("claude-code", "shop", "Fix the cart"), "claude-code-shop-fix-the-cart-2026-11-22.html");
        assert_eq!(name("codex", "Müller & Söhne", "¿Qué pasa?"), "codex-muller-sohne-que-pasa-2026-11-22.html");
        assert_eq!(name("codex", "", ""), "codex-0199-ab-2026-11-22.html");
    }

    #[test]
    fn hostile_names_become_plain() {
        let long = "😀".repeat(300) + &"x".repeat(4000);
        let hostile = [
            "../../etc/passwd",
            "..",
            ".",
            "/",
            "C:\\x",
            "\\\\host\\share",
            "CON",
            "nul",
            "com1",
            "a\0b",
            "a\nb",
            "-rf",
            "~/x",
            "$(id)",
            "`id`",
            ";ls",
            "%2e%2e%2f",
            "\u{202e}gpj.exe",
            "file:///x",
            ".hidden",
            "x. ",
            &long,
            "😀",
        ];
        for text in hostile {
            for name in [name(text, text, text), name("codex", text, text), name("", "", text)] {
                let safe = name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte));
                assert!(safe && name.len() <= MOST, "{text:?}: {name}");
                assert!(!name.starts_with(['-', '.']) && name.matches('.').count() == 1, "{text:?}: {name}");
                assert!(!is_kept(name.split('.').next().unwrap_or_default()), "{text:?}: {name}");
            }
        }
    }
}
