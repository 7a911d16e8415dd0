//! Summaries by schedule: when one is due, and what it says.

use std::collections::HashMap;
use std::sync::Arc;

use orrery_alerts::{Zone, digest, zone};
use orrery_store::{AlertWrite, Store, StoreError, TotalsQuery};
use orrery_types::{
    Alert, AlertKind, Digest, DigestSettings, GroupBy, Period, SessionQuery, SessionSort, Settings, Urgency,
};

use crate::app::App;

const HOUR_MS: i64 = 60 * 60_000;
/// A summary tells of the day or week that holds the moment this long before it: one in the morning of the day before, one in
/// the evening of the day itself.
const BACK_MS: i64 = 12 * HOUR_MS;
/// One that could not be told at its time is told up to this much later, else left out.
const LATE_MS: i64 = 12 * HOUR_MS;
const MOST: usize = 5;
/// Sessions looked at for a summary.
const MOST_SESSIONS: u32 = 2_000;

/// When each summary was told last.
pub struct Schedule {
    last: HashMap<&'static str, i64>,
}

impl Schedule {
    pub async fn open(app: &Arc<App>) -> Schedule {
        let marks = app.read(|store| store.marks()).await.unwrap_or_default();
        let last = |name: &str| marks.iter().find(|(known, _)| known == name).map(|(_, at_ms)| *at_ms);
        let last = ["digest/daily", "digest/weekly"].into_iter().filter_map(|name| Some((name, last(name)?))).collect();
        Schedule { last }
    }

    /// Summaries that are due. A schedule that was just switched on starts now.
    pub async fn due(&mut self, app: &Arc<App>, settings: &Settings, zone: Zone, now_ms: i64) -> Vec<Alert> {
        let mut found = Vec::new();
        let wanted = [
            ("digest/daily", Period::Daily, &settings.digests.daily),
            ("digest/weekly", Period::Weekly, &settings.digests.weekly),
        ];
        for (name, period, digest) in wanted {
            if !digest.on {
                self.last.remove(name);
                continue;
            }
            let Ok(cron) = zone::cron(&digest.at) else { continue };
            let Some(last_ms) = self.last.get(name).copied() else {
                self.mark(app, name, now_ms).await;
                continue;
            };
            let Some(mut run_ms) = zone.next_run(&cron, last_ms).filter(|run_ms| *run_ms <= now_ms) else { continue };
            // After a long sleep the newest one is told alone.
            while let Some(next_ms) = zone.next_run(&cron, run_ms).filter(|next_ms| *next_ms <= now_ms) {
                run_ms = next_ms;
            }
            self.mark(app, name, run_ms).await;
            if now_ms - run_ms <= LATE_MS {
                found.extend(make(app, settings, digest, zone, period, run_ms, now_ms).await);
            }
        }
        found
    }

    async fn mark(&mut self, app: &Arc<App>, name: &'static str, at_ms: i64) {
        self.last.insert(name, at_ms);
        let write = AlertWrite::Mark { name: name.to_owned(), at_ms };
        if let Err(error) = app.store.write_alerts(vec![write]).await {
            tracing::warn!(%error, name, "a schedule's run could not be recorded");
        }
    }
}

async fn make(
    app: &Arc<App>,
    settings: &Settings,
    digest: &DigestSettings,
    zone: Zone,
    period: Period,
    run_ms: i64,
    now_ms: i64,
) -> Option<Alert> {
    let week_start = settings.week_start;
    let made = app.read(move |store| figures(store, zone, period, week_start, run_ms)).await;
    let made = match made {
        Ok(made) => made,
        Err(error) => {
            tracing::warn!(%error, "a summary could not be made");
            return None;
        }
    };
    let word = if period == Period::Weekly { "weekly" } else { "daily" };
    Some(alert(made, format!("digest/{word}/{run_ms}"), digest.sinks.clone(), now_ms))
}

/// A summary as an alert.
pub fn alert(made: Digest, key: String, sinks: Vec<String>, now_ms: i64) -> Alert {
    Alert {
        key,
        kind: AlertKind::Digest,
        at_ms: now_ms,
        title: digest::title(&made),
        text: digest::line(&made),
        urgency: Urgency::Low,
        digest: Some(Box::new(made)),
        sinks,
        ..Alert::default()
    }
}

/// The figures of the day or week that a summary at `run_ms` tells of.
///
/// # Errors
/// The store's own.
pub fn figures(
    store: &dyn Store,
    zone: Zone,
    period: Period,
    week_start: orrery_types::WeekStart,
    run_ms: i64,
) -> Result<Digest, StoreError> {
    let span = zone.span(period, week_start, run_ms - BACK_MS);
    let to_ms = span.to_ms.min(run_ms);
    let before = zone.span(period, week_start, span.from_ms - HOUR_MS);
    // As far into the day before as this one has come.
    let before_to_ms = (before.from_ms + (to_ms - span.from_ms)).min(before.to_ms);
    let query =
        |from_ms: i64, to_ms: i64| TotalsQuery { from_ms: Some(from_ms), to_ms: Some(to_ms), ..TotalsQuery::default() };
    let totals = store.totals(&query(span.from_ms, to_ms))?;
    let earlier = store.totals(&query(before.from_ms, before_to_ms))?;
    let by = |group: GroupBy| -> Result<Vec<(String, i64)>, StoreError> {
        let rows = store.costs(group, &query(span.from_ms, to_ms), 0)?;
        let costs = rows.into_iter().map(|row| (row.key, row.totals.cost_usd_micros)).filter(|(_, cost)| *cost > 0);
        Ok(costs.take(MOST).collect())
    };
    let page = store.sessions(&SessionQuery {
        from_ms: Some(span.from_ms),
        to_ms: Some(to_ms),
        sort: SessionSort::Last,
        limit: Some(MOST_SESSIONS),
        ..SessionQuery::default()
    })?;
    let mut dearest = Vec::new();
    for (id, cost) in by(GroupBy::Session)? {
        let title = page.items.iter().find(|row| row.id == id).map(|row| row.title.clone()).unwrap_or_default();
        dearest.push((id, title, cost));
    }
    let alerts = store.alerts(1_000)?.iter().filter(|alert| (span.from_ms..to_ms).contains(&alert.at_ms)).count();
    let (first, last) = (zone.local(span.from_ms), zone.local(span.to_ms - 1));
    let label = match period {
        Period::Weekly => format!("{} to {}", first.format("%-d %B"), last.format("%-d %B")),
        _ => first.format("%A, %-d %B").to_string(),
    };
    let sum = |of: fn(&orrery_types::SessionRow) -> u32| page.items.iter().map(|row| u64::from(of(row))).sum();
    Ok(Digest {
        period: if period == Period::Weekly { "weekly" } else { "daily" }.to_owned(),
        label,
        from_ms: span.from_ms,
        to_ms,
        cost_usd_micros: totals.cost_usd_micros,
        before_usd_micros: (earlier.requests > 0).then_some(earlier.cost_usd_micros),
        unpriced_requests: totals.unpriced_requests,
        tokens: totals.tokens,
        sessions: page.total.unwrap_or(page.items.len() as u64),
        turns: sum(|row| row.turns),
        tools: sum(|row| row.tools),
        errors: sum(|row| row.errors),
        alerts: alerts as u64,
        projects: by(GroupBy::Project)?,
        agents: by(GroupBy::Agent)?,
        models: by(GroupBy::Model)?,
        dearest,
    })
}
