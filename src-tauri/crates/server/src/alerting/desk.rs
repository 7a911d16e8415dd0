//! What the rest of the server asks of the alerts: silence, tests, sending again.

use std::sync::{Arc, Mutex, PoisonError};

use orrery_alerts::Sink;
use orrery_store::{AlertWrite, Store, StoreError};
use orrery_types::{Alert, Snooze};
use tokio::sync::{mpsc, oneshot};

use crate::secrets::SecretsFile;

/// Something the outbox is asked to do.
pub enum Order {
    /// Hands an alert to one sink, or to all it is for, now, whatever became of it before.
    Send { alert: Box<Alert>, sink: Option<String> },
    /// Starts the sinks anew: a secret was set.
    Reopen,
    /// Hands a made-up alert to a sink and tells how that went.
    Test { alert: Box<Alert>, sink: String, answer: oneshot::Sender<Result<i64, TestError>> },
}

/// Why a test did not arrive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TestError {
    #[error("there is no sink '{0}'")]
    Unknown(String),
    #[error("{0}")]
    Failed(String),
}

/// The alerts' front desk.
pub struct Desk {
    pub secrets: SecretsFile,
    /// The native notifications. Empty where this process has none.
    pub desktop: Option<Arc<dyn Sink>>,
    orders: mpsc::Sender<Order>,
    inbox: Mutex<Option<mpsc::Receiver<Order>>>,
    snoozes: Mutex<Vec<Snooze>>,
}

impl Desk {
    pub fn new(secrets: SecretsFile, desktop: Option<Arc<dyn Sink>>, snoozes: Vec<Snooze>) -> Desk {
        let (orders, inbox) = mpsc::channel(64);
        Desk { secrets, desktop, orders, inbox: Mutex::new(Some(inbox)), snoozes: Mutex::new(snoozes) }
    }

    /// The orders to work on; the first to ask gets them.
    pub fn orders(&self) -> Option<mpsc::Receiver<Order>> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Asks for something. False when the server is ending.
    pub async fn order(&self, order: Order) -> bool {
        self.orders.send(order).await.is_ok()
    }

    /// Snoozes that still run.
    pub fn snoozes(&self, now_ms: i64) -> Vec<Snooze> {
        let mut snoozes = self.snoozes.lock().unwrap_or_else(PoisonError::into_inner);
        snoozes.retain(|snooze| snooze.until_ms > now_ms);
        snoozes.clone()
    }

    /// Silences a target until then; an end of 0 takes it back. In the store first.
    pub async fn snooze(&self, store: &dyn Store, snooze: Snooze) -> Result<(), StoreError> {
        store.write_alerts(vec![AlertWrite::Snooze(snooze.clone())]).await?;
        let mut snoozes = self.snoozes.lock().unwrap_or_else(PoisonError::into_inner);
        snoozes.retain(|known| known.target != snooze.target);
        if snooze.until_ms > 0 {
            snoozes.push(snooze);
        }
        Ok(())
    }

    /// Takes back what the desktop shows of a session.
    pub fn withdraw(&self, session_id: &str) {
        if let Some(desktop) = &self.desktop {
            desktop.withdraw(session_id);
        }
    }
}
