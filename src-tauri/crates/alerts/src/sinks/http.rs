//! One POST to an address of a person's choice: within a deadline, to no private address, following redirects by hand so
//! that each hop is looked at.

use std::io::Read;
use std::net::SocketAddr;
use std::sync::Once;
use std::time::Duration;

use ureq::http::header::{LOCATION, RETRY_AFTER};
use ureq::http::{Response, Uri};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Body, config::Config};
use url::Url;

use super::{SinkError, address};

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const MOST_HOPS: usize = 3;
/// So much of an error's text is kept.
const WORDS_BYTES: u64 = 300;

/// What to post where.
pub struct Post<'a> {
    pub url: &'a str,
    pub headers: &'a [(&'static str, String)],
    pub body: String,
    pub allow_private: bool,
}

/// Posts, and answers when the other side said 2xx.
///
/// Only 307 and 308 are followed, because only they keep the body, and never from https to http. A header with a secret
/// goes to the first host alone.
pub fn post(call: &Post<'_>) -> Result<(), SinkError> {
    let mut url = Url::parse(call.url).map_err(|_| SinkError::Never("the address is no web address".to_owned()))?;
    let first = origin(&url);
    for _ in 0..=MOST_HOPS {
        let to_first = origin(&url) == first;
        let response = send(&url, call, to_first)?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        if matches!(status.as_u16(), 307 | 308) {
            let next =
                response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).and_then(|to| url.join(to).ok());
            let next = next.ok_or_else(|| SinkError::Never(format!("{} redirects to nowhere", shown(&url))))?;
            if url.scheme() == "https" && next.scheme() != "https" {
                return Err(SinkError::Never(format!("{} redirects to {} without TLS", shown(&url), shown(&next))));
            }
            url = next;
            continue;
        }
        if status.is_redirection() {
            let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("another address");
            let words = format!("{} answers {status} and points to {to}; set that address if it is right", shown(&url));
            return Err(SinkError::Never(words));
        }
        let wait = response.headers().get(RETRY_AFTER).is_some();
        let mut words = Vec::new();
        let _ = response.into_body().into_reader().take(WORDS_BYTES).read_to_end(&mut words);
        let words = String::from_utf8_lossy(&words).split_whitespace().collect::<Vec<_>>().join(" ");
        let told = if words.is_empty() { String::new() } else { format!(": {words}") };
        let error = format!("{} answered {status}{told}", shown(&url));
        let passes = wait || status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429);
        return Err(if passes { SinkError::Later(error) } else { SinkError::Never(error) });
    }
    Err(SinkError::Never(format!("{} redirects more than {MOST_HOPS} times", call.url)))
}

fn send(url: &Url, call: &Post<'_>, to_first: bool) -> Result<Response<Body>, SinkError> {
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return Err(SinkError::Never("the address names no host".to_owned()));
    };
    if !matches!(url.scheme(), "http" | "https") {
        return Err(SinkError::Never(format!("{} is no web address", shown(url))));
    }
    let looked_at = LookedAt(address::resolve(host, port, call.allow_private)?);
    use_ring();
    let config = Agent::config_builder()
        .timeout_connect(Some(CONNECT_WITHIN))
        .timeout_global(Some(ANSWER_WITHIN))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        // A proxy would resolve the name again, out of our sight.
        .proxy(None)
        .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build())
        .user_agent("Orrery")
        .build();
    let agent = Agent::with_parts(config, DefaultConnector::default(), looked_at);
    let mut request = agent.post(url.as_str());
    for (name, value) in call.headers {
        if to_first || !name.eq_ignore_ascii_case("authorization") {
            request = request.header(*name, value);
        }
    }
    request.send(call.body.as_str()).map_err(|error| failure(url, &error))
}

/// The addresses that were looked at: what is called is what was judged.
#[derive(Debug)]
struct LookedAt(Vec<SocketAddr>);

impl Resolver for LookedAt {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = self.empty();
        // The library keeps sixteen.
        for address in self.0.iter().take(16) {
            addresses.push(*address);
        }
        Ok(addresses)
    }
}

fn failure(url: &Url, error: &ureq::Error) -> SinkError {
    match error {
        ureq::Error::Timeout(_) => {
            SinkError::Later(format!("{} did not answer within {} s", shown(url), ANSWER_WITHIN.as_secs()))
        }
        // Its text may hold the header, and the header is a secret.
        ureq::Error::Http(_) => {
            SinkError::Never("a header cannot be sent: it has characters that none may have".to_owned())
        }
        error => SinkError::Later(format!("{} cannot be reached: {error}", shown(url))),
    }
}

/// Scheme, host and port: a path may hold a secret, as Slack's does.
fn shown(url: &Url) -> String {
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

fn origin(url: &Url) -> (String, Option<u16>) {
    (url.host_str().unwrap_or_default().to_owned(), url.port_or_known_default())
}

/// TLS needs a crypto provider in the process; another part of it may have set one.
pub fn use_ring() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
