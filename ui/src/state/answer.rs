//! What the server said: kept on screen while a newer answer is read.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::ApiError;

/// A question that takes longer shows that it is being asked.
const SLOW: std::time::Duration = std::time::Duration::from_millis(300);

/// The newest answer and how asking stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<T> {
    /// Empty before the first answer.
    pub value: Option<T>,
    /// The newest question failed; `value` is that of an older one.
    pub error: Option<ApiError>,
    /// A newer answer is on its way and takes its time.
    pub is_slow: bool,
}

impl<T> Default for Answer<T> {
    fn default() -> Self {
        Answer { value: None, error: None, is_slow: false }
    }
}

/// Asks now and whenever `key` changes; only the answer to the newest question counts.
pub fn use_answer<K, T, F>(key: impl Into<Signal<K>>, ask: impl Fn(K) -> F + 'static) -> RwSignal<Answer<T>>
where
    K: Clone + Send + Sync + 'static,
    T: Clone + Send + Sync + 'static,
    F: Future<Output = Result<T, ApiError>> + 'static,
{
    let key = key.into();
    let answer = RwSignal::new(Answer::<T>::default());
    let turn = StoredValue::new(0_u32);
    Effect::new(move |_| {
        let asked = ask(key.get());
        let number = turn.get_value() + 1;
        turn.set_value(number);
        let is_newest = move || turn.try_get_value() == Some(number);
        let waiting = StoredValue::new(true);
        set_timeout(
            move || {
                if is_newest() && waiting.try_get_value() == Some(true) {
                    answer.update(|answer| answer.is_slow = true);
                }
            },
            SLOW,
        );
        spawn_local(async move {
            let told = asked.await;
            waiting.try_set_value(false);
            if !is_newest() {
                return;
            }
            answer.try_update(|answer| {
                answer.is_slow = false;
                match told {
                    Ok(value) => (answer.value, answer.error) = (Some(value), None),
                    Err(error) => answer.error = Some(error),
                }
            });
        });
    });
    answer
}
