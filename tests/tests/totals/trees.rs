//! The trees of transcripts that are counted.

use std::path::{Path, PathBuf};

use orrery_tests::work_tree;

/// A folder of transcripts of each agent.
pub struct Tree {
    pub name: &'static str,
    pub claude: PathBuf,
    pub codex: PathBuf,
}

impl Tree {
    /// Arguments that name the folders.
    pub fn arguments(&self) -> Vec<String> {
        vec!["--claude".into(), text(&self.claude), "--codex".into(), text(&self.codex)]
    }
}

/// Made for these tests: every rule of counting has its lines here.
pub fn own() -> Tree {
    let top = work_tree().join("tests/fixtures/totals");
    Tree { name: "own", claude: top.join("claude"), codex: top.join("codex") }
}

/// Other people's transcripts, where they lie beside this repository.
pub fn shared() -> Option<Tree> {
    let top = work_tree().parent()?.join("shared/fixtures");
    let tree = Tree { name: "shared", claude: top.join("claude-transcripts"), codex: top.join("codex-rollouts") };
    if tree.claude.is_dir() && tree.codex.is_dir() {
        return Some(tree);
    }
    eprintln!("skipped: no shared/fixtures beside this repository");
    None
}

pub fn all() -> Vec<Tree> {
    std::iter::once(own()).chain(shared()).collect()
}

pub fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// All files below `dir` that end in `.jsonl`, sorted.
pub fn transcripts(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(transcripts(&path));
        } else if path.extension().is_some_and(|extension| extension == "jsonl") {
            found.push(path);
        }
    }
    found.sort();
    found
}
