//! What is checked out: `HEAD` and the ref it names.

use std::fs;
use std::path::Path;

use super::place::Git;

/// Files of refs are short; anything longer is none.
const MOST: u64 = 64 * 1024 * 1024;

/// `HEAD` as it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// Empty when a commit is checked out by itself.
    pub branch: Option<String>,
    /// The ref that names the commit, or empty.
    reference: Option<String>,
    commit: Option<String>,
}

pub fn read(git: &Git) -> Head {
    let text = fs::read_to_string(git.dir.join("HEAD")).unwrap_or_default();
    match text.trim().strip_prefix("ref:").map(str::trim) {
        Some(reference) => Head {
            branch: Some(reference.strip_prefix("refs/heads/").unwrap_or(reference).to_owned()),
            reference: Some(reference.to_owned()),
            commit: None,
        },
        None => Head { commit: hash(&text), ..Head::default() },
    }
}

/// The commit that `head` names. Empty before the first commit, and in stores of refs that are no plain files.
pub fn commit(git: &Git, head: &Head) -> Option<String> {
    let Some(reference) = &head.reference else { return head.commit.clone() };
    // Whoever wrote HEAD may not send us anywhere else.
    if reference.split('/').any(|part| matches!(part, ".." | "." | "")) {
        return None;
    }
    [&git.dir, &git.common]
        .into_iter()
        .find_map(|dir| hash(&fs::read_to_string(dir.join(reference)).ok()?))
        .or_else(|| packed(&git.common, reference))
}

fn packed(common: &Path, reference: &str) -> Option<String> {
    let path = common.join("packed-refs");
    fs::metadata(&path).ok().filter(|meta| meta.len() <= MOST)?;
    let text = fs::read_to_string(path).ok()?;
    text.lines()
        .find_map(|line| line.split_once(' ').filter(|(_, name)| *name == reference).and_then(|(id, _)| hash(id)))
}

fn hash(text: &str) -> Option<String> {
    let text = text.trim();
    let is_hash = matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then(|| text.to_owned())
}
