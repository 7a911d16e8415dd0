//! The figures of Live's head, the strip and the tray: made from the store when something changed, at most once a second.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use orrery_alerts::Zone;
use orrery_store::{StoreError, TotalsQuery};
use orrery_types::{AgentStatus, Blind, FoundAgent, HookState, LiveFrame, Overview, Spend, Status, Strip};
use orrery_views::session::{needs_person_at, status_at};
use tokio::time::Instant;

use crate::agents;
use crate::alerting::budgets;
use crate::app::{App, ended};

const AT_MOST_EVERY: Duration = Duration::from_secs(1);
/// Silence ends sessions and minutes pass: figures move without any event.
const AT_LEAST_EVERY: Duration = Duration::from_secs(15);
const ACTIVE: u32 = 200;
/// A session silent for longer is no active one.
const LOOK_BACK_MS: i64 = 24 * 60 * 60 * 1000;
const HOUR_MS: i64 = 60 * 60 * 1000;
/// A rate over less than this says nothing about the day.
const PACE_AFTER_MS: i64 = 2 * HOUR_MS;

/// Keeps the overview true until the server stops.
pub async fn run(app: Arc<App>) {
    let mut stored = app.live.stored();
    let mut stop = app.stop.subscribe();
    loop {
        let began = Instant::now();
        refresh(&app).await;
        let quiet_until = began + AT_MOST_EVERY;
        tokio::select! {
            // A lagging receiver means that much was stored: reason enough.
            _ = stored.recv() => {}
            () = app.changed.notified() => {}
            () = tokio::time::sleep(AT_LEAST_EVERY) => {}
            () = ended(&mut stop) => return,
        }
        tokio::select! {
            () = tokio::time::sleep_until(quiet_until) => {}
            () = ended(&mut stop) => return,
        }
        while stored.try_recv().is_ok() {}
    }
}

/// Computes the overview and tells everybody when it differs from the last one.
pub async fn refresh(app: &Arc<App>) {
    match compute(app).await {
        Ok(overview) => {
            let same =
                Overview { server_ms: app.overview.borrow().server_ms, ..overview.clone() } == *app.overview.borrow();
            app.overview.send_replace(overview.clone());
            if !same {
                app.live.publish(&LiveFrame::Overview { overview: Box::new(overview) });
            }
        }
        Err(error) => tracing::warn!(%error, "the overview could not be read"),
    }
}

async fn compute(app: &Arc<App>) -> Result<Overview, StoreError> {
    let now_ms = app.clock.now_ms();
    let found = agents::known(app).await;
    let settings = app.settings.get();
    let zone = Zone::of(&settings.zone).unwrap_or_default();
    let spooled = {
        let dir = orrery_client::spool::dir(&app.data_dir);
        tokio::task::spawn_blocking(move || {
            let (files, bytes) = orrery_client::spool::depth(&dir);
            let lost: u64 = orrery_client::spool::gaps(&dir).iter().map(|gap| gap.lost).sum();
            (files, bytes, lost)
        })
    };
    let (spool_files, spool_bytes, not_told) = spooled.await.unwrap_or_default();
    let mut overview = app
        .read(move |store| {
            let today =
                store.totals(&TotalsQuery { from_ms: Some(zone.midnight(now_ms)), ..TotalsQuery::default() })?;
            let tools = store.tool_stats(now_ms - HOUR_MS)?;
            let health = store.health(now_ms)?;
            let mut active = store.recent_sessions(now_ms - LOOK_BACK_MS, ACTIVE)?;
            for row in &mut active {
                row.status = status_at(row, now_ms);
            }
            let needs_you = active.iter().filter(|row| needs_person_at(row, now_ms)).count() as u32;
            active.retain(|row| matches!(row.status, Status::Running | Status::NeedsYou | Status::Stuck));
            let today = Spend {
                day: zone.day(now_ms),
                tokens: today.tokens,
                cost_usd_micros: today.cost_usd_micros,
                unpriced_requests: today.unpriced_requests,
                budget_usd_micros: orrery_alerts::rules::budget::budget_usd_micros(&settings),
                pace_usd_micros: pace(today.cost_usd_micros, zone, now_ms),
                failed_last_hour: tools.failed,
                calls_last_hour: tools.calls,
            };
            let strip = Strip {
                events_last_minute: health.events_last_minute as u32,
                active_sessions: active.len() as u32,
                tool_p50_ms: tools.p50_ms,
                tool_p95_ms: tools.p95_ms,
                store_bytes: health.size_bytes,
                ..Strip::default()
            };
            Ok(Overview {
                server_ms: now_ms,
                needs_you,
                running_subagents: active
                    .iter()
                    .flat_map(|row| row.subagents.values())
                    .filter(|sub| sub.running)
                    .count() as u32,
                active,
                today,
                strip,
                sessions_total: health.sessions,
                events_total: health.events,
                demo: store.has_demo()?,
                budgets: budgets::states(store, &settings, zone, now_ms)?,
                ..Overview::default()
            })
        })
        .await?;
    overview.strip.spool_files = u32::try_from(spool_files).unwrap_or(u32::MAX);
    overview.strip.spool_bytes = spool_bytes;
    overview.strip.spool_lost = app.jobs.lost.load(Ordering::Relaxed) + not_told;
    overview.strip.found_agents = found.iter().filter(|agent| agent.status == AgentStatus::Found).count() as u32;
    overview.strip.hooked_agents =
        found.iter().filter(|agent| matches!(agent.hooks, HookState::Installed { .. })).count() as u32;
    overview.blind = blind(&found, app.settings.get().watch);
    overview.blind.extend(wrong(app));
    overview.alerts_paused_until_ms = app.paused_until();
    Ok(overview)
}

/// Where today's spend ends at midnight at the rate so far.
fn pace(cost_usd_micros: i64, zone: Zone, now_ms: i64) -> Option<i64> {
    let (start, end) = (zone.midnight(now_ms), zone.next_midnight(now_ms));
    let passed_ms = now_ms - start;
    (passed_ms >= PACE_AFTER_MS).then(|| (cost_usd_micros as f64 / passed_ms as f64 * (end - start) as f64) as i64)
}

/// What of the settings does not count, so that nobody trusts a budget that is not in force.
fn wrong(app: &App) -> Vec<Blind> {
    let file = app.settings.complaint().map(|complaint| Blind {
        what: complaint.to_string(),
        hint: format!("Repair {}; until then the settings of before hold", app.settings.path().display()),
    });
    let values = app.settings.wrongs().into_iter().map(|wrong| Blind {
        what: format!("The setting {} does not count: {}", wrong.key, wrong.words),
        hint: "Correct it in Settings or in config.toml".to_owned(),
    });
    file.into_iter().chain(values).collect()
}

fn blind(found: &[FoundAgent], watch: bool) -> Vec<Blind> {
    let mut blind = Vec::new();
    for agent in found.iter().filter(|agent| agent.status == AgentStatus::Found) {
        let label = &agent.label;
        match &agent.hooks {
            HookState::Absent => blind.push(Blind {
                what: format!("{label} has no hooks: questions and permissions are not seen as they come"),
                hint: "Install the hooks in Settings, or run `orrery install`".to_owned(),
            }),
            HookState::Partial { installed, wanted } => blind.push(Blind {
                what: format!("{label} has {installed} of {wanted} hooks"),
                hint: "Install the hooks again in Settings".to_owned(),
            }),
            HookState::Unreadable { error } => blind.push(Blind {
                what: format!("The settings of {label} cannot be read: {error}"),
                hint: format!("Repair {}", agent.settings_path),
            }),
            HookState::Installed { .. } => {}
        }
    }
    if !watch {
        blind.push(Blind {
            what: "Transcripts are not followed: tokens and cost come late or never".to_owned(),
            hint: "Switch on following transcripts in Settings".to_owned(),
        });
    }
    blind
}
