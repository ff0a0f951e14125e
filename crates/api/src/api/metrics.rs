//! Counters for those who watch the shop, in the text form of Prometheus. Nothing in them tells of a person.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use axum::http::Method;

use super::problem::Problem;
use super::reply::{MediaType, Nothing, Text};
use super::route::Call;
use crate::base::{Span, StageReport};
use crate::db::{cases, outbox};

/// Upper ends of the histogram's buckets, milliseconds.
const BUCKETS_MILLIS: [i64; 10] = [1, 5, 10, 25, 50, 100, 250, 1_000, 5_000, 30_000];

/// As Prometheus names its text form.
pub(super) struct Exposition;

impl MediaType for Exposition {
    const NAME: &'static str = "text/plain; version=0.0.4; charset=utf-8";
}

/// How requests went since the process began.
#[derive(Default)]
pub(super) struct Metrics(Mutex<BTreeMap<(String, String), Answers>>);

#[derive(Default)]
struct Answers {
    by_status: BTreeMap<u16, u64>,
    /// How many took no longer than each end, beyond the ends before.
    buckets: [u64; BUCKETS_MILLIS.len()],
    count: u64,
    took: Span,
}

impl Metrics {
    /// A request was answered. `path` is that of its route, so there are only so many.
    pub(super) fn answered(&self, method: &Method, path: &str, status: u16, took: Span) {
        // Methods can be invented without end.
        let method = match *method {
            Method::GET | Method::POST | Method::PUT | Method::DELETE | Method::HEAD => method.as_str(),
            _ => "other",
        };
        let took = took.max(Span::ZERO);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answers = all.entry((method.to_owned(), path.to_owned())).or_default();
        *answers.by_status.entry(status).or_default() += 1;
        answers.count += 1;
        answers.took = answers.took + took;
        if let Some(bucket) = BUCKETS_MILLIS.iter().position(|end| took <= Span::from_millis(*end)) {
            answers.buckets[bucket] += 1;
        }
    }

    fn write(&self, text: &mut String) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        head(text, "aisle_http_requests_total", "counter", "Requests that were answered.");
        for ((method, path), answers) in all.iter() {
            for (status, count) in &answers.by_status {
                line(
                    text,
                    "aisle_http_requests_total",
                    &[("method", method), ("route", path), ("status", &status.to_string())],
                    count,
                );
            }
        }
        let name = "aisle_http_request_duration_seconds";
        head(text, name, "histogram", "How long answers took.");
        for ((method, path), answers) in all.iter() {
            let labels = [("method", method.as_str()), ("route", path.as_str())];
            let mut sum = 0;
            for (end, count) in BUCKETS_MILLIS.iter().zip(answers.buckets) {
                sum += count;
                let end = (*end as f64 / 1e3).to_string();
                line(text, &format!("{name}_bucket"), &[labels[0], labels[1], ("le", &end)], &sum);
            }
            line(text, &format!("{name}_bucket"), &[labels[0], labels[1], ("le", "+Inf")], &answers.count);
            line(text, &format!("{name}_sum"), &labels, &secs(answers.took));
            line(text, &format!("{name}_count"), &labels, &answers.count);
        }
    }
}

/// `GET /metrics`
pub(super) fn expose(call: &Call<'_>, _: Nothing, _: Nothing, _: Nothing) -> Result<Text<Exposition>, Problem> {
    let (orders, standings, waiting, oldest) = call.read(|till| {
        let shop = till.shop().clone();
        till.with(|session| {
            Ok((
                outbox::counts(session)?,
                outbox::standings(session)?,
                cases::count_waiting(session)?,
                outbox::oldest_due(session, shop.name())?,
            ))
        })
    })?;
    let mut text = String::new();
    head(&mut text, "aisle_orders", "gauge", "Orders to payment providers, by where they are on their way.");
    for (state, count) in orders {
        line(&mut text, "aisle_orders", &[("state", &state)], &count);
    }
    head(&mut text, "aisle_payments", "gauge", "Payments, by where they stand.");
    for (standing, count) in standings {
        line(&mut text, "aisle_payments", &[("standing", &standing)], &count);
    }
    head(&mut text, "aisle_cases_waiting", "gauge", "Cases that wait for a person.");
    line(&mut text, "aisle_cases_waiting", &[], &waiting);
    let silent = oldest.map_or(Span::ZERO, |since| (call.now - since).max(Span::ZERO));
    head(&mut text, "aisle_provider_silence_seconds", "gauge", "How long a payment provider has owed an answer.");
    line(&mut text, "aisle_provider_silence_seconds", &[], &secs(silent));
    write_stages(&mut text, &call.api.board.latest());
    call.api.metrics.write(&mut text);
    Ok(Text(text, Exposition))
}

/// What the stages of an engine have done; nothing where none runs.
fn write_stages(text: &mut String, reports: &[StageReport]) {
    type Value = fn(&StageReport) -> f64;
    let families: [(&str, &str, &str, Value); 4] = [
        ("received_total", "counter", "Inputs that came to a stage.", |report| report.received as f64),
        ("sent_total", "counter", "Outputs that a stage gave.", |report| report.sent as f64),
        ("depth", "gauge", "How many wait in a stage.", |report| report.depth as f64),
        ("delay_seconds", "gauge", "How far the oldest that waits is behind, by the time of the shop.", |report| {
            secs(report.delay)
        }),
    ];
    if reports.is_empty() {
        return;
    }
    for (name, kind, help, value) in families {
        let name = format!("aisle_stage_{name}");
        head(text, &name, kind, help);
        for report in reports {
            line(text, &name, &[("stage", report.stage.name())], &value(report));
        }
    }
    let name = "aisle_stage_dropped_total";
    head(text, name, "counter", "What a stage did not use, or never got, by why.");
    for report in reports {
        for (reason, count) in &report.dropped {
            line(text, name, &[("stage", report.stage.name()), ("reason", reason.name())], count);
        }
    }
}

/// In seconds, as the nearest decimal fraction.
fn secs(span: Span) -> f64 {
    span.as_nanos() as f64 / 1e9
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn line(text: &mut String, name: &str, labels: &[(&str, &str)], value: &dyn std::fmt::Display) {
    let escaped = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let labels: Vec<String> = labels.iter().map(|(key, value)| format!("{key}=\"{}\"", escaped(value))).collect();
    let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
    let _ = writeln!(text, "{name}{labels} {value}");
}
