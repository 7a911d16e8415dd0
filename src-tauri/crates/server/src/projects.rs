//! Which project a working directory belongs to, read from the files of git without running git.

mod head;
mod place;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use orrery_agents::paths::Env;
use orrery_types::{Body, Event, SessionFacts, Source};

use place::Place;

/// How long an answer stands: repositories are made and moved while sessions run.
const FRESH: Duration = Duration::from_secs(30);
/// Working directories remembered at a time.
const MOST: usize = 4096;
/// An event older than this says nothing about what is checked out now.
const NOW_MS: i64 = 60_000;

/// Fills in what the disk knows about sessions' working directories.
#[derive(Debug)]
pub struct Projects {
    home: PathBuf,
    seen: Mutex<HashMap<String, (Instant, Place)>>,
}

impl Default for Projects {
    fn default() -> Self {
        Projects::new(Env::from_process().home)
    }
}

impl Projects {
    /// `home` is never a project for what lies below it: a repository there holds settings.
    pub fn new(home: PathBuf) -> Projects {
        Projects { home, seen: Mutex::default() }
    }

    /// Names the project of each fact's working directory; where its events happen now, also branch and commit.
    pub fn fill(&self, facts: &mut [SessionFacts], events: &[Event], now_ms: i64) {
        let is_live =
            events.iter().any(|event| event.sources.has(Source::Hook) && (now_ms - event.at_ms).abs() < NOW_MS);
        let begins = events.iter().any(|event| matches!(event.body, Body::SessionStart { .. } | Body::Prompt { .. }));
        for facts in facts {
            let Some(cwd) = facts.cwd.clone() else { continue };
            let place = self.place(&cwd, facts.remote.as_deref());
            if let Some(git) = place.git.as_ref().filter(|_| is_live && !facts.demo) {
                let head = head::read(git);
                facts.branch = facts.branch.take().or(head.branch.clone());
                if begins {
                    facts.commit = facts.commit.take().or_else(|| head::commit(git, &head));
                }
            }
            facts.repository = Some(place.project);
        }
    }

    fn place(&self, cwd: &str, remote: Option<&str>) -> Place {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, place)) = seen.get(cwd)
            && at.elapsed() < FRESH
        {
            return place.clone();
        }
        drop(seen);
        // The disk may be slow; others need not wait for it.
        let place = place::of(cwd, remote, &self.home);
        seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MOST {
            seen.clear();
        }
        seen.insert(cwd.to_owned(), (Instant::now(), place.clone()));
        place
    }
}
