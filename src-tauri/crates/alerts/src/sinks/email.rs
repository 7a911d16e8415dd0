//! E-mail over SMTP, as text and HTML.

use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{Message, SmtpTransport, Transport};
use minijinja::{Environment, context};
use orrery_types::{Alert, MailTls, SinkSettings};

use super::{Outside, Sink, SinkError, address, http};
use crate::digest;

const WITHIN: Duration = Duration::from_secs(15);

pub struct Email {
    settings: SinkSettings,
    password: Option<String>,
    outside: Outside,
}

impl Email {
    pub fn new(settings: &SinkSettings, password: Option<String>, outside: &Outside) -> Email {
        Email { settings: settings.clone(), password, outside: outside.clone() }
    }

    fn message(&self, alert: &Alert) -> Result<Message, SinkError> {
        let bad = |error: String| SinkError::Never(format!("the mail cannot be written: {error}"));
        let mailbox = |text: &str| text.parse::<Mailbox>().map_err(|error| bad(format!("{text}: {error}")));
        let link = self.outside.link(alert);
        let mut message = Message::builder().from(mailbox(&self.settings.from)?).subject(subject(alert));
        for to in &self.settings.to {
            message = message.to(mailbox(to)?);
        }
        let (text, html) = match &alert.digest {
            Some(content) => (digest::text(content), digest::html(content, &link)),
            None => (format!("{}\n\n{}\n\n{link}\n", alert.title, alert.text), html(alert, &link)),
        };
        let plain = SinglePart::builder().header(ContentType::TEXT_PLAIN).body(text);
        let rich = SinglePart::builder().header(ContentType::TEXT_HTML).body(html);
        message
            .multipart(MultiPart::alternative().singlepart(plain).singlepart(rich))
            .map_err(|error| bad(error.to_string()))
    }

    fn transport(&self) -> Result<SmtpTransport, SinkError> {
        let settings = &self.settings;
        let port = match (settings.port, settings.tls) {
            (0, MailTls::Tls) => 465,
            (0, MailTls::Starttls) => 587,
            (0, MailTls::None) => 25,
            (port, _) => port,
        };
        let addresses = address::resolve(&settings.host, port, settings.allow_private)?;
        let called = addresses.first().map(|address| address.ip().to_string()).unwrap_or_default();
        // The certificate must be the name's; the connection goes to the address that was looked at.
        let tls = || {
            http::use_ring();
            TlsParameters::new(settings.host.clone()).map_err(|error| SinkError::Never(format!("no TLS: {error}")))
        };
        let tls = match settings.tls {
            MailTls::Tls => Tls::Wrapper(tls()?),
            MailTls::Starttls => Tls::Required(tls()?),
            MailTls::None => Tls::None,
        };
        let mut transport = SmtpTransport::builder_dangerous(called).port(port).tls(tls).timeout(Some(WITHIN));
        if let Some(password) = &self.password {
            if settings.tls == MailTls::None && !addresses.iter().all(|address| address.ip().is_loopback()) {
                return Err(SinkError::Never("a password is not sent without TLS; choose TLS or STARTTLS".to_owned()));
            }
            let user = if settings.user.is_empty() { &settings.from } else { &settings.user };
            transport = transport.credentials(Credentials::new(user.clone(), password.clone()));
        }
        Ok(transport.build())
    }
}

impl Sink for Email {
    fn name(&self) -> &str {
        self.settings.id.as_str()
    }

    fn deliver(&self, alert: &Alert) -> Result<(), SinkError> {
        let message = self.message(alert)?;
        match self.transport()?.send(&message) {
            Ok(_) => Ok(()),
            Err(error) => {
                let words = format!("{} did not take the mail: {}", self.settings.host, deepest(&error));
                Err(if error.is_permanent() { SinkError::Never(words) } else { SinkError::Later(words) })
            }
        }
    }
}

fn subject(alert: &Alert) -> String {
    let subject = if alert.text.is_empty() || alert.digest.is_some() {
        format!("Orrery: {}", alert.title)
    } else {
        format!("Orrery: {}: {}", alert.title, alert.text)
    };
    let line: String = subject.chars().map(|c| if c.is_control() { ' ' } else { c }).take(150).collect();
    line
}

fn html(alert: &Alert, link: &str) -> String {
    const PAGE: &str = "<!doctype html><html lang=\"en\"><body style=\"font:14px/1.5 -apple-system,'Segoe UI',sans-serif\">\
        <p><strong>{{ title }}</strong></p><p>{{ text }}</p><p><a href=\"{{ link }}\">Open in Orrery</a></p></body></html>";
    let mut engine = Environment::new();
    engine.set_auto_escape_callback(|_| minijinja::AutoEscape::Html);
    let rendered = engine.render_named_str(
        "alert.html",
        PAGE,
        context! { title => alert.title.as_str(), text => alert.text.as_str(), link },
    );
    rendered.expect("the template is part of the program and rendered by a test")
}

/// What the server said, or why there was no talking to it.
fn deepest(error: &lettre::transport::smtp::Error) -> String {
    let mut words = error.to_string();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(deeper) = cause {
        let said = deeper.to_string();
        if !words.contains(&said) {
            words = format!("{words}: {said}");
        }
        cause = deeper.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_mail_has_both_forms_and_one_subject_line() {
        let settings = SinkSettings {
            from: "Orrery <orrery@example.org>".to_owned(),
            to: vec!["sam@example.org".to_owned()],
            ..SinkSettings::default()
        };
        let outside = Outside { base_url: "http://127.0.0.1:4000".to_owned(), now_ms: Arc::new(|| 0) };
        let alert =
            Alert { title: "Turn failed".to_owned(), text: "shop\r\nBcc: x@evil <b>".to_owned(), ..Alert::default() };
        let mail = Email::new(&settings, None, &outside).message(&alert).expect("a mail").formatted();
        let mail = String::from_utf8_lossy(&mail);
        assert!(mail.contains("multipart/alternative") && mail.contains("text/plain") && mail.contains("text/html"));
        let (head, _) = mail.split_once("\r\n\r\n").expect("a head");
        assert!(!head.contains("\r\nBcc:") && mail.contains("&lt;b&gt;"), "{mail}");
    }
}
