//! Alerts: rules over the overview, logged once per occasion, then handed to the sink.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use orrery_alerts::{Sink, SinkError, policy, rules};
use orrery_store::StoreError;
use orrery_types::{Alert, AlertState, LiveFrame, Overview};
use tokio::sync::{mpsc, watch};

use crate::app::{App, ended};

/// A task gets too long while nothing happens: rules are asked this often.
const TICK: Duration = Duration::from_secs(1);

/// Judges every new overview, and once a second, until the server stops.
pub async fn run(app: Arc<App>, sink: Option<Arc<dyn Sink>>) {
    let (delivered, mut outcomes) = mpsc::unbounded_channel();
    let sink = sink.and_then(|sink| Delivery::start(sink, delivered));
    let mut overview = app.overview.subscribe();
    let mut stop = app.stop.subscribe();
    // Keys that are in the log for sure: the log is asked once for each.
    let mut known = HashSet::new();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            _ = overview.changed() => {}
            Some((alert, outcome)) = outcomes.recv() => {
                record(&app, alert, outcome).await;
                continue;
            }
            () = ended(&mut stop) => break,
        }
        for alert in judge(&app, &mut overview) {
            if known.contains(&alert.key) {
                continue;
            }
            let key = alert.key.clone();
            match log(&app, alert, sink.as_ref()).await {
                Ok(()) => drop(known.insert(key)),
                Err(error) => tracing::warn!(%error, key, "an alert could not be logged; trying again"),
            }
        }
    }
    // What was handed over is recorded before the store closes.
    drop(sink);
    let rest = async {
        while let Some((alert, outcome)) = outcomes.recv().await {
            record(&app, alert, outcome).await;
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(2), rest).await;
}

fn judge(app: &App, overview: &mut watch::Receiver<Overview>) -> Vec<Alert> {
    let settings = app.settings.get();
    let now_ms = app.clock.now_ms();
    let overview = overview.borrow_and_update();
    // Nothing but the demo: then its sessions are what the person came to see.
    let only_demo = overview.demo && overview.active.iter().all(|row| row.demo);
    let long = overview.active.iter().filter_map(|row| {
        if only_demo {
            rules::long_task::check_demo_too(row, &settings, now_ms)
        } else {
            rules::long_task::check(row, &settings, now_ms)
        }
    });
    rules::budget::check(&overview.today, &settings, now_ms).into_iter().chain(long).collect()
}

/// Logs the alert; only the first of its key goes on to the sink.
async fn log(app: &App, alert: Alert, sink: Option<&Delivery>) -> Result<(), StoreError> {
    let alert = policy::admit(alert, &app.settings.get(), app.paused_until(), app.clock.now_ms());
    if !app.store.log_alert(alert.clone()).await? {
        return Ok(());
    }
    app.live.publish(&LiveFrame::Alert { alert: alert.clone() });
    if let (AlertState::Logged, Some(sink)) = (&alert.state, sink) {
        sink.send(alert);
    }
    Ok(())
}

async fn record(app: &App, alert: Alert, outcome: Result<(), SinkError>) {
    let state = match outcome {
        Ok(()) => AlertState::Delivered { at_ms: app.clock.now_ms() },
        Err(error) => AlertState::Failed { error: error.to_string() },
    };
    let alert = Alert { state, ..alert };
    if let Err(error) = app.store.update_alert(alert.clone()).await {
        tracing::warn!(%error, "what became of an alert could not be recorded");
    }
    app.live.publish(&LiveFrame::Alert { alert });
}

/// The sink's own thread: notification services may take their time, and their libraries refuse async threads.
struct Delivery(std::sync::mpsc::Sender<Alert>);

impl Delivery {
    fn start(sink: Arc<dyn Sink>, outcomes: mpsc::UnboundedSender<(Alert, Result<(), SinkError>)>) -> Option<Delivery> {
        let (send, alerts) = std::sync::mpsc::channel::<Alert>();
        let work = move || {
            for alert in alerts {
                let outcome = sink.deliver(&alert);
                if outcomes.send((alert, outcome)).is_err() {
                    return;
                }
            }
        };
        match std::thread::Builder::new().name("orrery-alerts".to_owned()).spawn(work) {
            Ok(_) => Some(Delivery(send)),
            Err(error) => {
                tracing::error!(%error, "no thread for alerts: they are only logged");
                None
            }
        }
    }

    fn send(&self, alert: Alert) {
        if self.0.send(alert).is_err() {
            tracing::error!("the alerts' thread is gone");
        }
    }
}
