//! A believable day of many agents, made from a seed: hook payloads and transcript lines in the agents' own shapes.
//!
//! [`day`] writes it all down with times, before and after now; [`play`] posts it through the real port. Everything is
//! marked as demo on its way in and can be taken away again.

mod cast;
mod claude;
mod codex;
mod play;
mod random;
mod script;

use serde_json::Value;

pub use play::{PlayError, Played, Player};

/// Which day to make.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub seed: u64,
    /// Sessions, at most [`Plan::MAX_SESSIONS`].
    pub sessions: usize,
    pub now_ms: i64,
    /// Start of the person's day: sessions do not begin before it, so that today's figures show them.
    pub midnight_ms: i64,
}

impl Plan {
    pub const DEFAULT_SESSIONS: usize = 14;
    pub const MAX_SESSIONS: usize = 14;
    pub const DEFAULT_SEED: u64 = 7;

    /// The day around `now_ms` in the person's time zone; what is not given is the default.
    pub fn new(seed: Option<u64>, sessions: Option<usize>, now_ms: i64) -> Plan {
        Plan {
            seed: seed.unwrap_or(Plan::DEFAULT_SEED),
            sessions: sessions.unwrap_or(Plan::DEFAULT_SESSIONS).clamp(1, Plan::MAX_SESSIONS),
            now_ms,
            midnight_ms: crate::clock::midnight(now_ms),
        }
    }
}

/// One delivery to the port.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// When it is due, ms since 1970.
    pub at_ms: i64,
    /// Which session of the day it belongs to. Messages of one session keep their order.
    pub session: usize,
    pub route: Route,
    /// 32 hex digits.
    pub id: String,
    /// A hook payload, or one transcript line.
    pub body: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    Hook {
        agent: &'static str,
    },
    /// A line of the transcript `name`, as below the agent's own directory.
    Transcript {
        agent: &'static str,
        name: String,
    },
}

/// The whole day in order of time: first what lies before `plan.now_ms`, then what is played live.
pub fn day(plan: &Plan) -> Vec<Message> {
    let cast = cast::Cast::load();
    let mut messages = Vec::new();
    for (index, plot) in cast.session.iter().take(plan.sessions).enumerate() {
        let name = format!("{index}/{}/{}", plot.project, plan.now_ms);
        let mut random = random::Random::part(plan.seed, &name);
        let (began_ms, until_ms) = span(plan, plot, &mut random);
        let script = script::write(&cast, plot, random.clone(), began_ms, until_ms, plan.now_ms);
        let mut told = match plot.agent.as_str() {
            "codex" => codex::tell(&script, random),
            _ => claude::tell(&script, random),
        };
        for (number, message) in told.iter_mut().enumerate() {
            message.session = index;
            message.id = random::Random::part(plan.seed, &format!("{name}/{number}")).hex(32);
        }
        messages.append(&mut told);
    }
    messages.sort_by_key(|message| message.at_ms);
    messages
}

/// First and last moment of a session before now. A day that is younger than the plot is squeezed into it.
fn span(plan: &Plan, plot: &cast::Plot, random: &mut random::Random) -> (i64, i64) {
    const SHORTEST_DAY_MS: i64 = 5 * 60 * 1000;
    let began_ms = plan.now_ms - plot.began as i64 * 60_000 + random.between(0, 40_000) as i64;
    let until_ms = plan.now_ms - plot.quiet_s as i64 * 1000;
    let day_ms = plan.now_ms - plan.midnight_ms;
    if began_ms >= plan.midnight_ms || day_ms < SHORTEST_DAY_MS {
        return (began_ms, until_ms);
    }
    // As far into the day as it was into the longest plot's hours.
    const PLOTS_MS: i64 = 420 * 60 * 1000;
    let squeeze = |at_ms: i64| plan.now_ms - (plan.now_ms - at_ms).min(PLOTS_MS) * (day_ms - 60_000) / PLOTS_MS;
    let until_ms = if plot.quiet_s > 600 { squeeze(until_ms) } else { until_ms };
    (squeeze(began_ms).min(until_ms - 60_000), until_ms)
}

#[cfg(test)]
mod tests;
