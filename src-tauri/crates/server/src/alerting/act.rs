//! What a person does with a notification: open, snooze, answer.

use std::sync::Arc;

use orrery_alerts::sinks::desktop::{Act, Word};
use orrery_types::{LiveFrame, Snooze};
use serde_json::json;

use crate::app::App;
use crate::http::routes::respond;

const SNOOZE_MS: i64 = 60 * 60_000;

/// Does it. What fails is told on the pages.
pub async fn act(app: &Arc<App>, act: Act) {
    match act {
        Act::Open(session_id) => app.live.publish(&LiveFrame::Open { session_id }),
        Act::Snooze(target) => {
            let snooze = Snooze { target, until_ms: app.clock.now_ms() + SNOOZE_MS };
            if let Err(error) = app.desk.snooze(app.store.as_ref(), snooze).await {
                tracing::warn!(%error, "a snooze could not be recorded");
            }
        }
        Act::Answer { seq, word } => {
            let given = match word {
                Word::Permission(allowed) => json!({"permission": allowed, "respondedBy": "notification"}),
                Word::Choice(choice) => json!({"choice": choice, "respondedBy": "notification"}),
            };
            let given = given.as_object().cloned().unwrap_or_default();
            if let Err(failure) = respond::answer(app, seq, given).await {
                tracing::warn!(seq, error = failure.0.title, "an answer from a notification was not taken");
            }
        }
    }
}
