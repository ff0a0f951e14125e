//! HTTP calls that block for a bounded time, and tell a call that was never sent from one whose answer was lost.

use std::io::ErrorKind;
use std::time::Duration;

use ureq::http::{Method, Request};
use ureq::{Agent, Timeout};

use super::signature::header;
use crate::base::Span;
use crate::facts::Answer;

/// How long finding and reaching the provider may take.
const CONNECT_SECS_MAX: Duration = Duration::from_secs(5);
/// How long a call may take in all.
const CALL_SECS_MAX: Duration = Duration::from_secs(20);
/// Bytes of an answer that are read; what providers send has a few thousand.
const ANSWER_BYTES_MAX: u64 = 1 << 20;
/// Letters of a provider's message that are passed on.
const MESSAGE_LETTERS_MAX: usize = 300;
/// The longest a provider can ask to be left alone; what is longer is taken for this.
const RETRY_AFTER_SECS_MAX: i64 = 24 * 3_600;

/// A provider's address.
pub(super) struct Http {
    agent: Agent,
    base_url: String,
}

/// What came back, whatever its status.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// Why nothing came back.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It cannot have arrived: no connection was made.
    NotSent(String),
    /// It may have arrived.
    Lost(String),
}

impl Http {
    /// Calls go to `base_url` followed by a path.
    pub(super) fn new(base_url: &str) -> Self {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT_SECS_MAX))
            .timeout_resolve(Some(CONNECT_SECS_MAX))
            .timeout_global(Some(CALL_SECS_MAX))
            .user_agent(concat!("aisle/", env!("CARGO_PKG_VERSION")));
        if is_loopback(base_url) {
            config = config.proxy(None);
        }
        Http { agent: config.build().new_agent(), base_url: base_url.trim_end_matches('/').to_owned() }
    }

    /// Makes one call and waits for all of its answer. `path` begins with a slash and has the query, if there is one.
    pub(super) fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Reply, Trouble> {
        let builder = Request::builder().method(&method).uri(format!("{}{path}", self.base_url));
        let builder = headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
        let unsent = |error: ureq::http::Error| Trouble::NotSent(format!("the call cannot be written: {error}"));
        let answer = match method {
            Method::GET => self.agent.run(builder.body(()).map_err(unsent)?),
            _ => self.agent.run(builder.body(body).map_err(unsent)?),
        };
        let mut answer = answer.map_err(|error| trouble(&error))?;
        let text = |value: &ureq::http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
        let headers = answer.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        let body = body.map_err(|error| Trouble::Lost(format!("the answer broke off: {error}")))?;
        Ok(Reply { status: answer.status().as_u16(), headers, body })
    }
}

impl Reply {
    /// A header, whatever the case of its name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// How long the provider asks to be left alone; only the form in seconds is understood.
    pub(super) fn retry_after(&self) -> Option<Span> {
        let secs: i64 = self.header("retry-after")?.trim().parse().ok()?;
        (0 <= secs).then(|| Span::from_millis(secs.min(RETRY_AFTER_SECS_MAX) * 1_000))
    }
}

impl Trouble {
    /// What it means for an order.
    pub(super) fn answer(self, provider: &str) -> Answer {
        match self {
            Trouble::NotSent(why) => {
                Answer::Unavailable { message: format!("{provider} was not reached: {why}"), retry_after: None }
            }
            Trouble::Lost(why) => Answer::Unknown { message: format!("{provider} gave no answer: {why}") },
        }
    }
}

/// What the failure of a look-up means: that a question was not answered says nothing about what it was about.
pub(super) fn unsure(answer: Answer) -> Answer {
    match answer {
        Answer::Unavailable { message, retry_after: _ } => Answer::Unknown { message },
        answer => answer,
    }
}

/// Whether an address is on this machine, where plain HTTP is good enough and no proxy stands between.
pub(super) fn is_loopback(base_url: &str) -> bool {
    let host = base_url.strip_prefix("http://").unwrap_or_default();
    let host = host.split(['/', '?', '#']).next().unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    ["127.0.0.1", "localhost", "[::1]"].contains(&name)
}

/// What a provider says, made fit for a log: bounded, and without letters that steer a terminal.
pub(super) fn quoted(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(MESSAGE_LETTERS_MAX).collect()
}

fn trouble(error: &ureq::Error) -> Trouble {
    use ureq::Error;
    let text = error.to_string();
    let not_sent = match error {
        Error::HostNotFound
        | Error::ConnectionFailed
        | Error::BadUri(_)
        | Error::Http(_)
        | Error::InvalidProxyUrl
        | Error::ConnectProxyFailed(_)
        | Error::Timeout(Timeout::Resolve | Timeout::Connect) => true,
        // Once a connection stands, these do not come up within the time of a call.
        Error::Io(error) => {
            let kinds = [
                ErrorKind::ConnectionRefused,
                ErrorKind::HostUnreachable,
                ErrorKind::NetworkUnreachable,
                ErrorKind::AddrNotAvailable,
            ];
            let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            kinds.contains(&error.kind()) || tls.is_some_and(is_stranger)
        }
        Error::Rustls(error) => is_stranger(error),
        _ => false,
    };
    if not_sent { Trouble::NotSent(text) } else { Trouble::Lost(text) }
}

/// Whether TLS ended because the other side could not prove who it is; nothing is sent before it has.
fn is_stranger(error: &rustls::Error) -> bool {
    matches!(error, rustls::Error::InvalidCertificate(_))
}
