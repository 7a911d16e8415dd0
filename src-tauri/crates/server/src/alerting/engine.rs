//! The rules over the sessions of the last day, kept in memory as they are stored.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use orrery_alerts::Zone;
use orrery_alerts::rules::hooks_silent::Heard;
use orrery_alerts::rules::{
    agent_error, budget, completed, context_full, cost_spike, forecast, hooks_silent, long_task, looping, matches,
    needs_you, silent,
};
use orrery_store::{Appended, Audience};
use orrery_types::{Alert, BudgetState, Event, HookState, Rule, RuleKind, SessionRow};
use orrery_views::filter::{self, Clock, Matcher};
use orrery_views::session::{is_active_at, needs_person_at, status_at};

use crate::app::App;

const DAY_MS: i64 = 24 * 60 * 60_000;
const MINUTE_MS: i64 = 60_000;
const MOST_ROWS: u32 = 500;
/// Sessions that say what is usual.
const USUAL_ROWS: u32 = 2_000;
const USUAL_EVERY_MS: i64 = 10 * MINUTE_MS;
const HOOKS_EVERY_MS: i64 = 20_000;

pub struct Engine {
    rules: Vec<Rule>,
    /// Filters of the rules that have one, by rule. A filter that cannot be read picks nothing.
    filters: HashMap<String, Option<Matcher>>,
    zone: Zone,
    rows: HashMap<String, SessionRow>,
    /// The store holds events of the demo.
    demo: bool,
    turns: completed::Turns,
    fill: context_full::Fill,
    repeats: looping::Repeats,
    windows: matches::Windows,
    usual: BTreeMap<String, i64>,
    usual_ms: i64,
    heard: Vec<Heard>,
    heard_ms: i64,
    minute: i64,
}

impl Engine {
    pub fn new(rules: Vec<Rule>, zone: Zone) -> Engine {
        Engine {
            filters: filters(&rules),
            rules,
            zone,
            rows: HashMap::new(),
            demo: false,
            turns: completed::Turns::default(),
            fill: context_full::Fill::default(),
            repeats: looping::Repeats::default(),
            windows: matches::Windows::default(),
            usual: BTreeMap::new(),
            usual_ms: 0,
            heard: Vec::new(),
            heard_ms: 0,
            minute: 0,
        }
    }

    pub fn follow(&mut self, rules: Vec<Rule>, zone: Zone) {
        self.filters = filters(&rules);
        self.rules = rules;
        self.zone = zone;
    }

    /// The demo was started or taken away.
    pub fn see_demo(&mut self, demo: bool) {
        if self.demo && !demo {
            self.rows.retain(|_, row| !row.demo);
        }
        self.demo = demo;
    }

    /// Reads the last day's sessions from the store: at the start, and after more was stored than could be followed.
    pub async fn reseed(&mut self, app: &Arc<App>) {
        let since_ms = app.clock.now_ms() - DAY_MS;
        match app.read(move |store| store.recent_sessions(since_ms, MOST_ROWS)).await {
            Ok(rows) => {
                for row in rows {
                    self.turns.row(&row, &RuleKind::Completed.default_rule(), app.clock.now_ms());
                    self.rows.insert(row.id.clone(), row);
                }
            }
            Err(error) => tracing::warn!(%error, "alerts go on without the sessions of before"),
        }
    }

    /// Takes in what was committed; alerts about it come without delay.
    pub fn stored(&mut self, stored: &Appended, now_ms: i64) -> Vec<Alert> {
        let mut found = Vec::new();
        for row in &stored.sessions {
            if row.last_ms >= now_ms - DAY_MS {
                self.rows.insert(row.id.clone(), row.clone());
            }
        }
        for row in &stored.sessions {
            if self.is_told_of(row, now_ms) {
                found.extend(self.row(row, now_ms));
                found.extend(self.moved(row, now_ms));
            }
        }
        let events = if stored.audience == Audience::All { stored.events.as_slice() } else { &[] };
        for event in events {
            found.extend(self.event(event, now_ms));
        }
        found
    }

    /// Rules that time alone can fulfil, over all sessions.
    pub fn tick(&mut self, now_ms: i64) -> Vec<Alert> {
        let mut found = Vec::new();
        let minute = now_ms / MINUTE_MS;
        if minute != self.minute {
            self.rows.retain(|_, row| row.last_ms >= now_ms - DAY_MS);
            let rows = &self.rows;
            self.turns.retain(|id| rows.contains_key(id));
            self.fill.retain(|id| rows.contains_key(id));
            self.repeats.retain(|id| rows.contains_key(id));
        }
        let only_demo = self.only_demo(now_ms);
        for row in self.rows.values().filter(|row| !row.demo || only_demo) {
            found.extend(self.row(row, now_ms));
        }
        let rows: Vec<&SessionRow> = self.rows.values().filter(|row| !row.demo).collect();
        for rule in self.on(RuleKind::HooksSilent) {
            found.extend(self.heard.iter().filter_map(|heard| hooks_silent::check(heard, &rows, rule, now_ms)));
        }
        // The same order in every run: names in a group, replacing, tests.
        found.sort_by(|a, b| (a.at_ms, &a.key).cmp(&(b.at_ms, &b.key)));
        found
    }

    /// True once a minute: for what needs no more.
    pub fn is_minute(&mut self, now_ms: i64) -> bool {
        let minute = now_ms / MINUTE_MS;
        std::mem::replace(&mut self.minute, minute) != minute
    }

    pub fn budgets(&self, states: &[BudgetState], zone: Zone, now_ms: i64) -> Vec<Alert> {
        let over = self
            .on(RuleKind::Budget)
            .flat_map(|rule| states.iter().filter_map(move |state| budget::check(state, rule, now_ms)));
        let forecast = self
            .on(RuleKind::Forecast)
            .flat_map(|rule| states.iter().filter_map(move |state| forecast::check(state, rule, zone, now_ms)));
        over.chain(forecast).collect()
    }

    /// What a row says as it is.
    fn row(&self, row: &SessionRow, now_ms: i64) -> Vec<Alert> {
        let raw = row;
        // A turn that fell silent counts as over for most rules; silence itself looks at what was said.
        let shown = SessionRow { status: status_at(row, now_ms), ..row.clone() };
        let mut found = Vec::new();
        for rule in self.rules.iter().filter(|rule| rule.on && self.picks(rule, row, now_ms)) {
            found.extend(match rule.kind {
                RuleKind::NeedsYou => needs_you::check(&shown, rule, now_ms),
                RuleKind::LongTask => long_task::check(&shown, rule, now_ms),
                RuleKind::AgentError => agent_error::check(&shown, rule, now_ms),
                RuleKind::Loop => looping::failing(&shown, rule, now_ms),
                RuleKind::Silent => silent::check(raw, rule, now_ms),
                RuleKind::CostSpike => cost_spike::check(&shown, &self.usual, rule, now_ms),
                _ => None,
            });
        }
        found
    }

    /// What a row says beside the one before it.
    fn moved(&mut self, row: &SessionRow, now_ms: i64) -> Vec<Alert> {
        let mut found = Vec::new();
        for rule in self.rules.clone() {
            let rule = Rule { on: rule.on && self.picks(&rule, row, now_ms), ..rule };
            found.extend(match rule.kind {
                RuleKind::Completed => self.turns.row(row, &rule, now_ms),
                RuleKind::ContextFull => self.fill.row(row, &rule, now_ms),
                _ => None,
            });
        }
        found
    }

    fn event(&mut self, event: &Event, now_ms: i64) -> Vec<Alert> {
        let Some(row) = self.rows.get(&event.session_id).filter(|row| self.is_told_of(row, now_ms)).cloned() else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for rule in self.rules.clone() {
            found.extend(match rule.kind {
                RuleKind::Loop => {
                    let rule = Rule { on: rule.on && self.picks(&rule, &row, now_ms), ..rule };
                    self.repeats.event(event, &row, &rule, now_ms)
                }
                RuleKind::Match if rule.on && self.picks_event(&rule, event, &row, now_ms) => {
                    self.windows.event(event, &row, &rule, &words(event), now_ms)
                }
                _ => None,
            });
        }
        found
    }

    /// Sessions that were told to wait and do not any more; their notifications are taken back.
    pub fn no_longer_waiting(&self, waiting: &mut Vec<Alert>, now_ms: i64) -> Vec<String> {
        let waits = |alert: &Alert| {
            let row = alert.session_id.as_ref().and_then(|id| self.rows.get(id));
            row.is_some_and(|row| needs_person_at(row, now_ms))
        };
        waiting.extract_if(.., |alert| !waits(alert)).filter_map(|alert| alert.session_id).collect()
    }

    /// The session of an alert in a word.
    pub fn name_of(&self, alert: &Alert) -> String {
        let row = alert.session_id.as_ref().and_then(|id| self.rows.get(id));
        let name = row.and_then(|row| [&row.project, &row.agent].into_iter().find(|name| !name.is_empty()));
        name.or(alert.session_id.as_ref()).cloned().unwrap_or_default()
    }

    /// What is usual and which hooks were heard: read now and then.
    pub async fn look_around(&mut self, app: &Arc<App>, now_ms: i64) {
        if (now_ms - self.usual_ms).abs() >= USUAL_EVERY_MS {
            self.usual_ms = now_ms;
            let since_ms = now_ms - 30 * DAY_MS;
            if self.on(RuleKind::CostSpike).next().is_some() {
                let rows = app.read(move |store| store.recent_sessions(since_ms, USUAL_ROWS)).await.unwrap_or_default();
                let real: Vec<SessionRow> = rows.into_iter().filter(|row| !row.demo).collect();
                self.usual = cost_spike::usual(&real);
            }
        }
        if (now_ms - self.heard_ms).abs() >= HOOKS_EVERY_MS {
            self.heard_ms = now_ms;
            let last = app.read(|store| store.last_hooks()).await.unwrap_or_default();
            let agents = crate::agents::known(app).await;
            let heard = agents.iter().map(|agent| Heard {
                agent: agent.agent.slug().to_owned(),
                installed: matches!(agent.hooks, HookState::Installed { .. } | HookState::Partial { .. }),
                last_hook_ms: last.iter().find(|(slug, _)| slug == agent.agent.slug()).map(|(_, at_ms)| *at_ms),
            });
            self.heard = heard.collect();
        }
    }

    fn on(&self, kind: RuleKind) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(move |rule| rule.on && rule.kind == kind)
    }

    /// The demo is told of where it is all there is: then its sessions are what the person came to see.
    fn is_told_of(&self, row: &SessionRow, now_ms: i64) -> bool {
        !row.demo || self.only_demo(now_ms)
    }

    fn only_demo(&self, now_ms: i64) -> bool {
        self.rows.values().filter(|row| is_active_at(row, now_ms)).all(|row| row.demo)
    }

    fn clock(&self, now_ms: i64) -> Clock {
        Clock { now_ms, utc_offset_minutes: self.zone.offset_minutes(now_ms) }
    }

    fn picks(&self, rule: &Rule, row: &SessionRow, now_ms: i64) -> bool {
        match self.filters.get(&rule.id) {
            None => true,
            Some(filter) => filter.as_ref().is_some_and(|filter| filter.session(row, self.clock(now_ms))),
        }
    }

    fn picks_event(&self, rule: &Rule, event: &Event, row: &SessionRow, now_ms: i64) -> bool {
        match self.filters.get(&rule.id) {
            None => true,
            Some(filter) => filter.as_ref().is_some_and(|filter| filter.event(event, Some(row), self.clock(now_ms))),
        }
    }
}

fn filters(rules: &[Rule]) -> HashMap<String, Option<Matcher>> {
    let written = rules.iter().filter(|rule| !rule.filter.trim().is_empty());
    let read = |rule: &Rule| filter::parse(&rule.filter).ok().map(|filter| Matcher::of(&filter));
    written.map(|rule| (rule.id.clone(), read(rule))).collect()
}

/// An event in a line.
fn words(event: &Event) -> String {
    use orrery_types::Body;
    match &event.body {
        Body::Prompt { text } | Body::Message { text, .. } | Body::Thinking { text } => text.clone(),
        Body::ToolStart { tool, target, .. }
        | Body::ToolEnd { tool, target, .. }
        | Body::Permission { tool, target, .. } => {
            format!("{tool} {target}")
        }
        Body::Failure { error, .. } => error.clone(),
        Body::Notification { message, .. } | Body::Stop { message } => message.clone(),
        Body::Question { question, .. } => question.text.clone(),
        _ => event.name.clone(),
    }
}
