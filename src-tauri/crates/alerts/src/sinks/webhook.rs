//! A webhook: one POST with a body of the person's making, signed so that the receiver knows who sent it and when.

use hmac::{Hmac, Mac};
use orrery_types::{Alert, SinkSettings};
use serde_json::json;
use sha2::Sha256;

use super::http::{self, Post};
use super::{Outside, Sink, SinkError, template};

pub struct Webhook {
    settings: SinkSettings,
    key: Option<String>,
    outside: Outside,
}

impl Webhook {
    pub fn new(settings: &SinkSettings, key: Option<String>, outside: &Outside) -> Webhook {
        Webhook { settings: settings.clone(), key, outside: outside.clone() }
    }

    fn body(&self, alert: &Alert, sent_ms: i64) -> Result<String, SinkError> {
        let link = self.outside.link(alert);
        if self.settings.template.trim().is_empty() {
            return Ok(json!({"type": "alert", "alert": alert, "link": link, "sent_s": sent_ms / 1000}).to_string());
        }
        template::render(&self.settings.template, alert, &link, sent_ms)
            .map_err(|words| SinkError::Never(format!("the template: {words}")))
    }
}

impl Sink for Webhook {
    fn name(&self) -> &str {
        self.settings.id.as_str()
    }

    fn deliver(&self, alert: &Alert) -> Result<(), SinkError> {
        let sent_ms = (self.outside.now_ms)();
        let body = self.body(alert, sent_ms)?;
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&body).is_ok();
        let kind = if is_json { "application/json" } else { "text/plain; charset=utf-8" };
        let mut headers = vec![
            ("content-type", kind.to_owned()),
            ("x-orrery-delivery", super::percent(&alert.key)),
            ("x-orrery-timestamp", (sent_ms / 1000).to_string()),
        ];
        if let Some(key) = &self.key {
            headers.push(("x-orrery-signature", format!("sha256={}", signature(key, sent_ms / 1000, &body))));
        }
        let allow_private = self.settings.allow_private;
        http::post(&Post { url: &self.settings.url, headers: &headers, body, allow_private })
    }
}

/// HMAC-SHA256 with the key over `SECONDS.BODY`, as hex digits. The time is inside, so that an old body cannot be sent again
/// under a new one.
pub fn signature(key: &str, sent_s: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(format!("{sent_s}.{body}").as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_one_openssl_makes() {
        // printf '1795380000.{}' | openssl dgst -sha256 -hmac secret
        let expected = "712af0bc913dfec497a882d8c21a1aae57bad8a9d62beececb42e72efb706094";
        assert_eq!(signature("secret", 1_795_380_000, "{}"), expected);
    }
}
