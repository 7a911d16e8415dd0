//! Delivery: each alert to each sink it is for, again with growing pauses while that may help, and what became of it.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use orrery_alerts::sinks::{self, Outside};
use orrery_alerts::{Sink, SinkError, retry};
use orrery_store::{AlertWrite, DeliveryQuery};
use orrery_types::{Alert, AlertState, Delivery, DeliveryState, LiveFrame, SinkSettings};
use tokio::sync::{mpsc, oneshot};

use super::{Order, TestError};
use crate::app::App;

pub const DESKTOP: &str = "desktop";
/// What waits longer than this before it is first sent is of no use any more.
const TOO_OLD_MS: i64 = 24 * 60 * 60_000;
const GRACE: Duration = Duration::from_secs(2);
const MOST_WAITING: u32 = 1_000;

/// How one attempt went.
pub struct Outcome {
    parcel: Parcel,
    result: Result<(), SinkError>,
    took_ms: i64,
}

/// A message on its way to one sink. `alerts` are those it tells of.
#[derive(Clone)]
struct Parcel {
    alerts: Vec<String>,
    message: Arc<Alert>,
    sink: String,
    attempts: u32,
}

type Job = (Parcel, Option<oneshot::Sender<Result<i64, TestError>>>);

pub struct Outbox {
    outcomes: mpsc::UnboundedSender<Outcome>,
    /// One thread per sink: a slow one holds up nobody else, and each sees its alerts in order.
    lanes: HashMap<String, std::sync::mpsc::Sender<Job>>,
    /// What is tried again, and when.
    later: Vec<(i64, Parcel)>,
}

impl Outbox {
    /// Opens the sinks, and takes up what the last run left waiting.
    pub async fn open(app: &Arc<App>) -> (Outbox, mpsc::UnboundedReceiver<Outcome>) {
        let (outcomes, inbox) = mpsc::unbounded_channel();
        let mut outbox = Outbox { outcomes, lanes: HashMap::new(), later: Vec::new() };
        let query =
            DeliveryQuery { state: Some(DeliveryState::Waiting), limit: MOST_WAITING, ..DeliveryQuery::default() };
        let now_ms = app.clock.now_ms();
        for delivery in app.read(move |store| store.deliveries(&query)).await.unwrap_or_default() {
            let key = delivery.alert.clone();
            if let Ok(Some(alert)) = app.read(move |store| store.alert(&key)).await {
                let parcel = Parcel {
                    alerts: vec![alert.key.clone()],
                    message: Arc::new(alert),
                    sink: delivery.sink,
                    attempts: delivery.attempts,
                };
                outbox.later.push((delivery.next_ms.unwrap_or(now_ms), parcel));
            }
        }
        (outbox, inbox)
    }

    /// Sinks were changed: their threads start anew with the next alert.
    pub fn follow(&mut self, app: &App) {
        let settings = app.settings.get();
        self.lanes.retain(|id, _| id == DESKTOP);
        self.later
            .retain(|(_, parcel)| parcel.sink == DESKTOP || settings.sinks.iter().any(|sink| sink.id == parcel.sink));
    }

    /// Hands a message to every sink it is for. `alerts` are the logged alerts it tells of.
    pub async fn send(&mut self, app: &Arc<App>, alerts: Vec<Alert>, message: Alert) {
        let settings = app.settings.get();
        let desktop = (settings.notifications && app.desk.desktop.is_some()).then(|| DESKTOP.to_owned());
        let others = settings.sinks.iter().filter(|sink| sink.on).map(|sink| sink.id.clone());
        let sinks: Vec<String> = desktop.into_iter().chain(others).filter(|id| message.is_for(id)).collect();
        if sinks.is_empty() && !settings.notifications && message.is_for(DESKTOP) {
            // As before there were other sinks: an alert that nobody is to see says so.
            for alert in alerts {
                self.update(app, Alert { state: AlertState::Paused, ..alert }).await;
            }
            return;
        }
        let keys: Vec<String> = alerts.iter().map(|alert| alert.key.clone()).collect();
        let message = Arc::new(message);
        for sink in sinks {
            let parcel = Parcel { alerts: keys.clone(), message: Arc::clone(&message), sink, attempts: 0 };
            // The desktop answers at once or not at all; what goes over a network is written down before.
            if parcel.sink != DESKTOP {
                self.note(app, &parcel, DeliveryState::Waiting, Some(app.clock.now_ms()), None, 0).await;
            }
            self.attempt(app, parcel, None);
        }
    }

    /// Works on what somebody asked for.
    pub async fn order(&mut self, app: &Arc<App>, order: Order) {
        match order {
            Order::Send { alert, sink } => {
                let mut message = *alert;
                message.sinks = sink.into_iter().collect();
                let alerts = vec![message.clone()];
                self.send(app, alerts, message).await;
            }
            Order::Reopen => self.follow(app),
            Order::Test { alert, sink, answer } => {
                let parcel = Parcel { alerts: Vec::new(), message: Arc::new(*alert), sink, attempts: 0 };
                self.attempt(app, parcel, Some(answer));
            }
        }
    }

    /// Tries again what is due.
    pub async fn tick(&mut self, app: &Arc<App>) {
        let now_ms = app.clock.now_ms();
        let due: Vec<(i64, Parcel)> = self.later.extract_if(.., |(at_ms, _)| *at_ms <= now_ms).collect();
        for (_, parcel) in due {
            if now_ms - parcel.message.at_ms > TOO_OLD_MS {
                let why = "it waited for a day and is of no use any more".to_owned();
                self.note(app, &parcel, DeliveryState::Dead, None, Some(why), 0).await;
            } else {
                self.attempt(app, parcel, None);
            }
        }
    }

    fn attempt(&mut self, app: &Arc<App>, parcel: Parcel, answer: Option<oneshot::Sender<Result<i64, TestError>>>) {
        let id = parcel.sink.clone();
        let lane = match self.lanes.get(&id) {
            Some(lane) => lane.clone(),
            None => match self.lane(app, &id) {
                Ok(lane) => {
                    self.lanes.insert(id, lane.clone());
                    lane
                }
                Err(error) => {
                    if let Some(answer) = answer {
                        let _ = answer.send(Err(error));
                    } else {
                        let result = Err(SinkError::Never(error.to_string()));
                        let _ = self.outcomes.send(Outcome { parcel, result, took_ms: 0 });
                    }
                    return;
                }
            },
        };
        if lane.send((parcel, answer)).is_err() {
            tracing::error!("a sink's thread is gone");
        }
    }

    /// The thread of a sink. Notification services and mail servers may take their time, and their libraries refuse async
    /// threads.
    fn lane(&self, app: &Arc<App>, id: &str) -> Result<std::sync::mpsc::Sender<Job>, TestError> {
        let sink = self.sink(app, id)?;
        let (send, jobs) = std::sync::mpsc::channel::<Job>();
        let outcomes = self.outcomes.clone();
        let work = move || {
            for (parcel, answer) in jobs {
                let start = Instant::now();
                let result = match &sink {
                    Ok(sink) => sink.deliver(&parcel.message),
                    Err(error) => Err(error.clone()),
                };
                let took_ms = i64::try_from(start.elapsed().as_millis()).unwrap_or(i64::MAX);
                match answer {
                    Some(answer) => {
                        let told = result.map(|()| took_ms).map_err(|error| TestError::Failed(error.to_string()));
                        let _ = answer.send(told);
                    }
                    None if outcomes.send(Outcome { parcel, result, took_ms }).is_err() => return,
                    None => {}
                }
            }
        };
        let name = format!("sink-{id}");
        match std::thread::Builder::new().name(name.chars().take(15).collect()).spawn(work) {
            Ok(_) => Ok(send),
            Err(error) => Err(TestError::Failed(format!("no thread for the sink: {error}"))),
        }
    }

    fn sink(&self, app: &Arc<App>, id: &str) -> Result<Result<Arc<dyn Sink>, SinkError>, TestError> {
        if id == DESKTOP {
            return Ok(app.desk.desktop.clone().ok_or(SinkError::NoBus));
        }
        let settings = app.settings.get();
        let unknown = || TestError::Unknown(id.to_owned());
        let settings: &SinkSettings = settings.sinks.iter().find(|sink| sink.id == id).ok_or_else(unknown)?;
        let clock = app.clock.clone();
        let outside = Outside { base_url: app.base_url(), now_ms: Arc::new(move || clock.now_ms()) };
        Ok(sinks::build(settings, &app.desk.secrets.of(id), &outside).map(Arc::from))
    }

    /// Writes down how an attempt went, and plans the next one.
    pub async fn record(&mut self, app: &Arc<App>, outcome: Outcome) {
        let Outcome { mut parcel, result, took_ms } = outcome;
        parcel.attempts += 1;
        let now_ms = app.clock.now_ms();
        match result {
            Ok(()) => {
                self.note(app, &parcel, DeliveryState::Delivered, None, None, took_ms).await;
                self.settle(app, &parcel, None).await;
            }
            Err(error) => {
                let wait = error.may_pass().then(|| retry::wait_ms(parcel.attempts, dice())).flatten();
                let words = error.to_string();
                match wait {
                    Some(wait_ms) => {
                        let next_ms = now_ms.saturating_add(wait_ms);
                        self.note(app, &parcel, DeliveryState::Waiting, Some(next_ms), Some(words), took_ms).await;
                        self.later.push((next_ms, parcel));
                    }
                    None => {
                        // Once per alert, in the log and beside it on the page.
                        tracing::warn!(sink = parcel.sink, error = words, "an alert was not delivered");
                        self.note(app, &parcel, DeliveryState::Dead, None, Some(words.clone()), took_ms).await;
                        self.settle(app, &parcel, Some(words)).await;
                    }
                }
            }
        }
    }

    /// Lets the alerts say what became of them. The desktop speaks for an alert where there is one; else the first sink that
    /// took it.
    async fn settle(&self, app: &Arc<App>, parcel: &Parcel, error: Option<String>) {
        for key in &parcel.alerts {
            let wanted = key.clone();
            let Ok(Some(mut alert)) = app.read(move |store| store.alert(&wanted)).await else { continue };
            let is_first = alert.delivered.is_empty();
            match &error {
                None => {
                    if !alert.delivered.contains(&parcel.sink) {
                        alert.delivered.push(parcel.sink.clone());
                    }
                    if parcel.sink == DESKTOP || is_first {
                        alert.state = AlertState::Delivered { at_ms: app.clock.now_ms() };
                    }
                }
                Some(error) if is_first => alert.state = AlertState::Failed { error: error.clone() },
                Some(_) => {}
            }
            self.update(app, alert).await;
        }
    }

    async fn update(&self, app: &Arc<App>, alert: Alert) {
        if let Err(error) = app.store.update_alert(alert.clone()).await {
            tracing::warn!(%error, "what became of an alert could not be recorded");
        }
        app.live.publish(&LiveFrame::Alert { alert });
    }

    async fn note(
        &self,
        app: &Arc<App>,
        parcel: &Parcel,
        state: DeliveryState,
        next_ms: Option<i64>,
        error: Option<String>,
        took_ms: i64,
    ) {
        let row = |alert: &String| {
            AlertWrite::Delivery(Delivery {
                alert: alert.clone(),
                sink: parcel.sink.clone(),
                at_ms: app.clock.now_ms(),
                attempts: parcel.attempts,
                state,
                next_ms,
                error: error.clone(),
                took_ms,
            })
        };
        let writes: Vec<AlertWrite> = parcel.alerts.iter().map(row).collect();
        if writes.is_empty() {
            return;
        }
        if let Err(error) = app.store.write_alerts(writes).await {
            tracing::warn!(%error, "a delivery could not be recorded");
        }
    }

    /// What was handed over is recorded before the store closes.
    pub async fn close(mut self, app: &Arc<App>, mut outcomes: mpsc::UnboundedReceiver<Outcome>) {
        self.lanes.clear();
        let (nobody, _) = mpsc::unbounded_channel();
        self.outcomes = nobody;
        let rest = async {
            while let Some(outcome) = outcomes.recv().await {
                self.record(app, outcome).await;
            }
        };
        let _ = tokio::time::timeout(GRACE, rest).await;
    }
}

/// A number that differs from call to call: waits are spread, nothing hangs on it.
fn dice() -> u64 {
    RandomState::new().build_hasher().finish()
}
