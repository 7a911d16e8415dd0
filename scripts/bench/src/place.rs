//! Where the measured programs and pages lie.

use std::path::PathBuf;

use anyhow::bail;

pub struct Place {
    root: PathBuf,
    target: PathBuf,
}

impl Place {
    pub fn find() -> anyhow::Result<Place> {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let Some(root) = root.ancestors().nth(2).map(PathBuf::from) else {
            bail!("the work tree is not where this program was built");
        };
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
        Ok(Place { root, target })
    }

    pub fn results(&self) -> PathBuf {
        self.root.join("tests/bench/RESULTS.md")
    }

    /// Name and folders (Claude Code's, Codex's) of the transcripts that the tests count, as far as they are here.
    pub fn fixtures(&self) -> Vec<(&'static str, PathBuf, PathBuf)> {
        let own = self.root.join("tests/fixtures/totals");
        let mut trees = vec![("own fixtures", own.join("claude"), own.join("codex"))];
        if let Some(shared) = self.root.parent().map(|beside| beside.join("shared/fixtures")) {
            trees.push(("shared fixtures", shared.join("claude-transcripts"), shared.join("codex-rollouts")));
        }
        trees.retain(|(_, claude, codex)| claude.is_dir() && codex.is_dir());
        trees
    }

    pub fn dist(&self) -> PathBuf {
        self.root.join("ui/dist")
    }

    pub fn node_script(&self, name: &str) -> PathBuf {
        self.root.join("scripts/node").join(name)
    }

    /// A program as it is shipped; `None` when it was not built.
    pub fn built(&self, profile: &str, name: &str) -> Option<PathBuf> {
        Some(self.target.join(profile).join(name)).filter(|path| path.is_file())
    }

    pub fn orrery(&self) -> anyhow::Result<PathBuf> {
        let Some(path) = self.built("release", "orrery") else {
            bail!("build it first: cargo build --release -p orrery-cli");
        };
        Ok(path)
    }

    pub fn hook(&self) -> anyhow::Result<PathBuf> {
        let Some(path) = self.built("hook", "orrery-hook") else {
            bail!("build it first: cargo build --profile hook -p orrery-client");
        };
        Ok(path)
    }
}
