//! A filter as text that reads as the same filter.

use orrery_types::{Filter, Op, Pattern};

use super::fields::{field_name, flag_name};
use super::value;

/// The query's text. `All` is empty.
pub fn print(filter: &Filter) -> String {
    match filter {
        Filter::All => String::new(),
        Filter::And(parts) => parts.iter().map(inside).collect::<Vec<_>>().join(" "),
        Filter::Or(parts) => parts.iter().map(inside).collect::<Vec<_>>().join(" OR "),
        Filter::Not(part) => format!("-{}", inside(part)),
        Filter::Word(text) => text.clone(),
        Filter::Phrase(text) => quoted(text),
        Filter::Regex(pattern) => slashed(pattern),
        Filter::Value { field, any } => {
            let values: Vec<String> = any.iter().map(|value| plain_or_quoted(value)).collect();
            format!("{}:{}", field_name(*field), values.join(","))
        }
        Filter::Match { field, pattern } => format!("{}:{}", field_name(*field), slashed(pattern)),
        Filter::Number { field, op, value } => {
            format!("{}{}{}", field_name(*field), op.sign(), value::number_text(*value, field.compare()))
        }
        Filter::Time { op: Op::AtLeast, moment } => format!("since:{}", value::moment_text(*moment)),
        Filter::Time { op: Op::Less, moment } => format!("before:{}", value::moment_text(*moment)),
        Filter::Time { op, moment } => format!("at{}{}", op.sign(), value::moment_text(*moment)),
        Filter::Ok(ok) => format!("ok:{ok}"),
        Filter::Is(flag) => format!("is:{}", flag_name(*flag)),
        Filter::Has(field) => format!("has:{}", field_name(*field)),
    }
}

fn inside(filter: &Filter) -> String {
    match filter {
        Filter::And(_) | Filter::Or(_) | Filter::All => format!("({})", print(filter)),
        _ => print(filter),
    }
}

fn plain_or_quoted(text: &str) -> String {
    let is_plain = !text.is_empty()
        && !text.starts_with(['/', '>', '<', '='])
        && !text.contains("..")
        && text.chars().all(|letter| letter.is_alphanumeric() || "_-.*/@+#~".contains(letter));
    if is_plain { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A slash of the pattern itself is written with a backslash, which a regex reads as the slash.
fn slashed(pattern: &Pattern) -> String {
    let flag = if pattern.ignore_case { "i" } else { "" };
    format!("/{}/{flag}", pattern.source.replace('/', "\\/"))
}
