//! Alerts: rules over what is stored and over time, logged once per occasion, then handed to the sinks.

pub mod act;
pub mod budgets;
mod desk;
pub mod digests;
mod engine;
pub mod guard;
mod outbox;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use orrery_alerts::{Zone, policy};
use orrery_store::StoreError;
use orrery_types::{Alert, AlertKind, AlertState, LiveFrame, Rule, Settings, rules};

pub use self::desk::{Desk, Order, TestError};
use self::engine::Engine;
use self::outbox::Outbox;
use crate::app::{App, ended};

/// What a pause of all alerts is kept under among the snoozes.
pub const PAUSE: &str = "all";
/// A task gets too long while nothing happens: rules are asked this often.
const TICK: Duration = Duration::from_secs(1);
/// Sessions that began to wait within this long are told in one word.
const GROUP_MS: i64 = 2 * 60_000;
/// Beyond so many the set of known keys starts anew; the log knows them all.
const MOST_KNOWN: usize = 20_000;
/// The log that a start reads, for cooldowns and quiet hours.
const LOG: u32 = 500;

/// Judges what is stored, every new overview, and the time once a second, until the server stops.
pub async fn run(app: Arc<App>) {
    let mut stored = app.live.stored();
    let mut overview = app.overview.subscribe();
    let mut settings = app.settings.watch();
    let mut stop = app.stop.subscribe();
    let Some(mut orders) = app.desk.orders() else { return };
    let (mut outbox, mut outcomes) = Outbox::open(&app).await;
    let mut round = Round::open(&app).await;
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let found = tokio::select! {
            biased;
            () = ended(&mut stop) => break,
            Some(outcome) = outcomes.recv() => {
                outbox.record(&app, outcome).await;
                continue;
            }
            Some(order) = orders.recv() => {
                outbox.order(&app, order).await;
                continue;
            }
            stored = stored.recv() => match stored {
                Ok(stored) => round.engine.stored(&stored, app.clock.now_ms()),
                Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {
                    round.engine.reseed(&app).await;
                    Vec::new()
                }
                Err(_) => break,
            },
            _ = settings.changed() => {
                round.follow(&settings.borrow_and_update().clone());
                outbox.follow(&app);
                Vec::new()
            }
            _ = overview.changed() => round.over(&app, &mut overview),
            _ = tick.tick() => {
                outbox.tick(&app).await;
                round.tick(&app).await
            }
        };
        round.take(&app, &mut outbox, found).await;
    }
    outbox.close(&app, outcomes).await;
}

/// What the rules and the policy remember between two looks.
struct Round {
    settings: Settings,
    rules: Vec<Rule>,
    zone: Zone,
    engine: Engine,
    /// Keys that are in the log for sure: the log is asked once for each.
    known: HashSet<String>,
    /// When each rule last spoke of each session (or of none).
    last: HashMap<(String, Option<String>), i64>,
    /// Sessions that wait and were told of lately, with their alerts.
    waiting: Vec<Alert>,
    digests: digests::Schedule,
}

impl Round {
    async fn open(app: &Arc<App>) -> Round {
        let settings = app.settings.get();
        let log = app.read(|store| store.alerts(LOG)).await.unwrap_or_default();
        let last =
            log.iter().rev().filter(|alert| alert.state != AlertState::Cooling).map(|alert| (of(alert), alert.at_ms));
        let mut round = Round {
            rules: rules(&settings),
            zone: Zone::of(&settings.zone).unwrap_or_default(),
            engine: Engine::new(rules(&settings), Zone::of(&settings.zone).unwrap_or_default()),
            known: HashSet::new(),
            last: last.collect(),
            waiting: Vec::new(),
            digests: digests::Schedule::open(app).await,
            settings,
        };
        round.engine.reseed(app).await;
        round
    }

    fn follow(&mut self, settings: &Settings) {
        self.rules = rules(settings);
        self.zone = Zone::of(&settings.zone).unwrap_or_default();
        self.engine.follow(self.rules.clone(), self.zone);
        self.settings = settings.clone();
    }

    /// What the figures say: budgets.
    fn over(&mut self, app: &App, overview: &mut tokio::sync::watch::Receiver<orrery_types::Overview>) -> Vec<Alert> {
        let overview = overview.borrow_and_update();
        self.engine.see_demo(overview.demo);
        self.engine.budgets(&overview.budgets, self.zone, app.clock.now_ms())
    }

    /// What the time says.
    async fn tick(&mut self, app: &Arc<App>) -> Vec<Alert> {
        let now_ms = app.clock.now_ms();
        self.engine.look_around(app, now_ms).await;
        let mut found = self.engine.tick(now_ms);
        found.extend(self.digests.due(app, &self.settings, self.zone, now_ms).await);
        if self.engine.is_minute(now_ms) {
            let log = app.read(|store| store.alerts(LOG)).await.unwrap_or_default();
            if policy::quiet_until(&self.settings.quiet, self.zone, now_ms).is_none() {
                found.extend(policy::after_quiet(&log, now_ms));
            }
        }
        for id in self.engine.no_longer_waiting(&mut self.waiting, now_ms) {
            app.desk.withdraw(&id);
        }
        found
    }

    /// Logs what was found; the first of each key goes on to the sinks, many of a kind as one.
    async fn take(&mut self, app: &Arc<App>, outbox: &mut Outbox, found: Vec<Alert>) {
        let mut shown: Vec<Alert> = Vec::new();
        for alert in found {
            if self.known.contains(&alert.key) {
                continue;
            }
            let key = alert.key.clone();
            match self.log(app, alert).await {
                Ok(alert) => {
                    if self.known.len() >= MOST_KNOWN {
                        self.known.clear();
                    }
                    self.known.insert(key);
                    shown.extend(alert);
                }
                Err(error) => tracing::warn!(%error, key, "an alert could not be logged; trying again"),
            }
        }
        for (alerts, message) in self.group(shown, app.clock.now_ms()) {
            outbox.send(app, alerts, message).await;
        }
    }

    /// The alert when it is new and to be shown.
    async fn log(&mut self, app: &Arc<App>, mut alert: Alert) -> Result<Option<Alert>, StoreError> {
        let now_ms = app.clock.now_ms();
        let rule = self.rules.iter().find(|rule| rule.id == alert.rule);
        if let Some(rule) = rule
            && alert.sinks.is_empty()
        {
            alert.sinks.clone_from(&rule.sinks);
        }
        let snoozes = app.desk.snoozes(now_ms);
        let silence = policy::Silence {
            settings: &self.settings,
            zone: self.zone,
            paused_until_ms: app.paused_until(),
            snoozes: &snoozes,
            last_ms: self.last.get(&of(&alert)).copied(),
        };
        let mut alert = policy::admit(alert, rule, &silence, now_ms);
        // A summary is wanted at its time, also when bubbles are not.
        if matches!(alert.kind, AlertKind::Digest | AlertKind::Quiet) && matches!(alert.state, AlertState::Quiet { .. })
        {
            alert.state = AlertState::Logged;
        }
        if !app.store.log_alert(alert.clone()).await? {
            return Ok(None);
        }
        app.live.publish(&LiveFrame::Alert { alert: alert.clone() });
        if alert.state != AlertState::Cooling {
            self.last.insert(of(&alert), now_ms);
        }
        Ok((alert.state == AlertState::Logged).then_some(alert))
    }

    /// Alerts by the message that tells of them.
    fn group(&mut self, shown: Vec<Alert>, now_ms: i64) -> Vec<(Vec<Alert>, Alert)> {
        let mut messages = Vec::new();
        let mut by_kind: Vec<Vec<Alert>> = Vec::new();
        for alert in shown {
            let same = |group: &&mut Vec<Alert>| {
                group.first().is_some_and(|first| {
                    first.kind == alert.kind && first.sinks == alert.sinks && alert.session_id.is_some()
                })
            };
            match by_kind.iter_mut().find(same) {
                Some(group) => group.push(alert),
                None => by_kind.push(vec![alert]),
            }
        }
        for alerts in by_kind {
            let is_waiting = alerts.first().is_some_and(|alert| alert.kind == AlertKind::NeedsYou);
            let mut all = alerts.clone();
            if is_waiting {
                self.waiting.retain(|before| now_ms - before.at_ms < GROUP_MS);
                let fresh = |before: &&Alert| alerts.iter().all(|alert| alert.session_id != before.session_id);
                all = self.waiting.iter().filter(fresh).cloned().chain(alerts.iter().cloned()).collect();
                self.waiting.clone_from(&all);
            }
            match policy::group(&all, |alert| self.engine.name_of(alert)) {
                Some(one) => messages.push((alerts, one)),
                None => messages.extend(alerts.into_iter().map(|alert| (vec![alert.clone()], alert))),
            }
        }
        messages
    }
}

fn of(alert: &Alert) -> (String, Option<String>) {
    (alert.rule.clone(), alert.session_id.clone())
}
