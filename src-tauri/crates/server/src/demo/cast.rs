//! Who and what plays in the demo: read from `cast.toml`, which is part of the binary.

use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
pub struct Cast {
    pub project: Vec<Project>,
    pub session: Vec<Plot>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Project {
    pub name: String,
    pub thoughts: Vec<String>,
    pub answers: Vec<String>,
    pub searches: Vec<Search>,
    pub pages: Vec<WebPage>,
    pub runs: Vec<Run>,
    pub fails: Vec<Run>,
    pub file: Vec<File>,
    pub edit: Vec<Edit>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Search {
    pub pattern: String,
    pub hits: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct WebPage {
    pub url: String,
    pub about: String,
    pub answer: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Run {
    pub command: String,
    pub about: String,
    /// How long it takes, about.
    pub secs: u64,
    #[serde(default)]
    pub exit: i32,
    pub out: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct File {
    pub path: String,
    pub text: String,
}

/// Whole lines of one file replaced by others.
#[derive(Debug, Clone, Deserialize)]
pub struct Edit {
    /// Index into the project's files.
    pub file: usize,
    pub old: String,
    pub new: String,
}

/// One session of the day.
#[derive(Debug, Clone, Deserialize)]
pub struct Plot {
    pub project: String,
    pub branch: String,
    pub agent: String,
    pub model: String,
    /// Minutes before now.
    pub began: u64,
    /// Seconds of silence before now.
    pub quiet_s: u64,
    pub scene: Scene,
    /// Tool calls up to now, about.
    pub calls: usize,
    /// Prompt size at the start and now, thousand tokens.
    pub context_k: [u64; 2],
    pub prompts: Vec<String>,
    /// What the permission scene asks for.
    #[serde(default)]
    pub command: String,
    #[serde(default)]
    pub question: String,
    #[serde(default)]
    pub choices: Vec<String>,
}

/// Where a session stands now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scene {
    Running,
    /// Running, with three subagents at work.
    Delegating,
    Permission,
    Question,
    /// The same command failed five times.
    Stuck,
    /// Waits for the next prompt and said so.
    Idle,
    Ended,
    /// The last turn ended with an error of the API.
    Failed,
}

impl Cast {
    pub fn load() -> Cast {
        toml_edit::de::from_str(include_str!("cast.toml")).expect("the cast is part of the program and read by a test")
    }

    pub fn project(&self, name: &str) -> &Project {
        self.project.iter().find(|project| project.name == name).expect("every session's project is in the cast")
    }
}
