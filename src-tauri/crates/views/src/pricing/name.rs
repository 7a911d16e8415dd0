//! Model names as agents and gateways write them, looked up in the table.

use super::table::Model;

/// A model found, and whether the name only resembled it.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    pub model: &'a Model,
    pub guessed: bool,
}

/// Finds `name`: exactly, without `[1m]`, without a provider around it, without its date, with a date, and at last by the
/// longest known prefix, which is a guess.
pub fn find<'a>(models: &'a [Model], name: &str) -> Option<Found<'a>> {
    let exact = |name: &str| {
        let index = models.binary_search_by(|model| model.name.as_str().cmp(name)).ok()?;
        models.get(index)
    };
    // Nearly always the table's own name.
    if let Some(model) = exact(name) {
        return Some(Found { model, guessed: false });
    }
    let name = name.trim().to_ascii_lowercase();
    let plain = name.split('[').next().unwrap_or(&name);
    let bare = without_provider(plain);
    let undated = without_date(&bare);
    let sure = exact(&name).or_else(|| exact(plain)).or_else(|| exact(&bare)).or_else(|| exact(undated));
    let sure = sure
        .or_else(|| models.iter().rev().find(|model| model.name != undated && without_date(&model.name) == undated));
    if let Some(model) = sure {
        return Some(Found { model, guessed: false });
    }
    let prefix = models
        .iter()
        .filter(|model| bare.strip_prefix(&model.name).is_some_and(|rest| rest.starts_with(['-', '.', ':', '@'])))
        .max_by_key(|model| model.name.len())?;
    Some(Found { model: prefix, guessed: true })
}

/// `bedrock/us.anthropic.claude-x-v1:0`, `vertex/claude-x@20250514`, `openai/gpt-5` without what a host adds.
fn without_provider(name: &str) -> String {
    let name = name.rsplit('/').next().unwrap_or(name);
    let name = name.rsplit_once("anthropic.").map_or(name, |(_, model)| model);
    let name = name.split_once(':').map_or(name, |(model, _)| model);
    let version = name
        .rsplit_once("-v")
        .filter(|(_, digits)| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()));
    version.map_or(name, |(model, _)| model).replace('@', "-")
}

/// `claude-opus-4-6-20260205` and `gpt-5-2025-08-07` without the date.
fn without_date(name: &str) -> &str {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let bytes = name.as_bytes();
    let long = bytes.len().checked_sub(11).filter(|at| {
        let tail = &name.get(*at..).unwrap_or_default();
        let parts: Vec<&str> = tail.split('-').collect();
        matches!(parts.as_slice(), ["", year, month, day] if year.len() == 4 && month.len() == 2 && [year, month, day].iter().all(|part| digits(part)))
    });
    let short = bytes.len().checked_sub(9).filter(|at| {
        let tail = name.get(*at..).unwrap_or_default();
        tail.strip_prefix('-').is_some_and(digits)
    });
    long.or(short).and_then(|at| name.get(..at)).filter(|name| !name.is_empty()).unwrap_or(name)
}
