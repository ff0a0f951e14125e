//! Spans on their way to a collector, as OTLP over HTTP with JSON bodies (OpenTelemetry Protocol 1.x, `/v1/traces`).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use serde_json::{Value, json};
use ureq::Agent;

use crate::base::limits::SPANS_MAX;
use crate::base::{Secret, ShopTime};

/// Spans of one request.
const BATCH_MAX: usize = 256;
/// How long a span waits for others.
const BATCH_WAIT: Duration = Duration::from_secs(2);
/// How long a collector may take.
const CALL_SECS_MAX: Duration = Duration::from_secs(5);

/// Something that took its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The trace that it is part of: 32 hexadecimal digits.
    pub trace: String,
    /// Its own name: 16 hexadecimal digits.
    pub id: String,
    /// The span that it is part of.
    pub parent: Option<String>,
    /// What it is.
    pub name: &'static str,
    /// From when.
    pub start: ShopTime,
    /// Until when.
    pub end: ShopTime,
    /// More about it, nothing personal.
    pub attributes: Vec<(&'static str, String)>,
}

/// Sends spans on a thread of its own. A collector that is away or slow costs nothing but its spans.
pub struct Exporter {
    sender: Sender<Span>,
    lost: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

impl Exporter {
    /// Sends to this collector, such as `http://127.0.0.1:4318`, with these headers, as the shop of this name.
    pub fn start(endpoint: &str, headers: Vec<(String, Secret<String>)>, shop: &str) -> Self {
        let (sender, receiver) = bounded(SPANS_MAX);
        let lost = Arc::<AtomicU64>::default();
        let config = Agent::config_builder()
            .http_status_as_error(true)
            .max_redirects(0)
            .timeout_global(Some(CALL_SECS_MAX))
            .user_agent(concat!("aisle/", env!("CARGO_PKG_VERSION")));
        let post = Post {
            agent: config.build().new_agent(),
            url: format!("{}/v1/traces", endpoint.trim_end_matches('/')),
            headers,
            shop: shop.to_owned(),
            lost: lost.clone(),
            away: false,
        };
        Exporter { sender, lost, thread: thread::spawn(move || post.run(&receiver)) }
    }

    /// Gives spans away. What there is no room for is counted and dropped.
    pub fn send(&self, spans: Vec<Span>) {
        let dropped = spans.into_iter().filter_map(|span| self.sender.try_send(span).err()).count();
        self.lost.fetch_add(dropped as u64, Ordering::Relaxed);
    }

    /// Spans that no collector has got.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Sends what waits, within the time of one call or two, and ends.
    pub fn stop(self) {
        drop(self.sender);
        // A thread that panicked has said so.
        let _ = self.thread.join();
    }
}

struct Post {
    agent: Agent,
    url: String,
    headers: Vec<(String, Secret<String>)>,
    shop: String,
    lost: Arc<AtomicU64>,
    /// Whether the collector was away last time.
    away: bool,
}

impl Post {
    fn run(mut self, receiver: &Receiver<Span>) {
        while let Ok(first) = receiver.recv() {
            let mut batch = vec![first];
            let mut open = true;
            while batch.len() < BATCH_MAX && open {
                match receiver.recv_timeout(BATCH_WAIT) {
                    Ok(span) => batch.push(span),
                    Err(RecvTimeoutError::Timeout) => break,
                    Err(RecvTimeoutError::Disconnected) => open = false,
                }
            }
            self.post(&batch);
            // At the end nobody waits for a collector that is away.
            if self.away && !open {
                self.lost.fetch_add(receiver.try_iter().count() as u64, Ordering::Relaxed);
            }
        }
    }

    fn post(&mut self, batch: &[Span]) {
        let body = request(&self.shop, batch).to_string();
        let call = self.agent.post(&self.url).header("Content-Type", "application/json");
        let call = self.headers.iter().fold(call, |call, (name, value)| call.header(name, value.reveal()));
        match call.send(body.as_bytes()) {
            Ok(_) if self.away => {
                self.away = false;
                tracing::info!("the collector of traces is there again");
            }
            Ok(_) => {}
            Err(error) => {
                self.lost.fetch_add(batch.len() as u64, Ordering::Relaxed);
                if !self.away {
                    tracing::warn!(%error, "the collector of traces cannot be reached; what it misses is counted");
                }
                self.away = true;
            }
        }
    }
}

/// Spans as OTLP writes them in JSON: ids are hexadecimal, times are text.
fn request(shop: &str, spans: &[Span]) -> Value {
    let attribute = |(key, value): &(&str, String)| json!({ "key": key, "value": { "stringValue": value } });
    let span = |span: &Span| {
        let mut written = json!({
            "traceId": span.trace,
            "spanId": span.id,
            "name": span.name,
            "kind": 1,
            "startTimeUnixNano": span.start.as_nanos().to_string(),
            "endTimeUnixNano": span.end.max(span.start).as_nanos().to_string(),
            "attributes": span.attributes.iter().map(attribute).collect::<Vec<_>>(),
        });
        if let Some(parent) = &span.parent {
            written["parentSpanId"] = json!(parent);
        }
        written
    };
    let resource = [("service.name", "aisle".to_owned()), ("aisle.shop", shop.to_owned())];
    json!({ "resourceSpans": [{
        "resource": { "attributes": resource.iter().map(attribute).collect::<Vec<_>>() },
        "scopeSpans": [{
            "scope": { "name": "aisle", "version": env!("CARGO_PKG_VERSION") },
            "spans": spans.iter().map(span).collect::<Vec<_>>(),
        }],
    }] })
}
