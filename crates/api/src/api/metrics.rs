//! Counters for those who watch the shop, in the text form of Prometheus. Nothing in them tells of a person.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use axum::http::Method;

use super::devices::age;
use super::live::Streams;
use super::problem::Problem;
use super::reply::{MediaType, Nothing, Text};
use super::route::Call;
use crate::base::{Kind, LaneReport, ShopTime, Span, StageReport};
use crate::db::{cases, outbox};
use crate::ports::{DeviceHealth, HealthWord, PictureCounts};
use crate::till::Till;

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
    let mut text = String::new();
    write_book(&mut text, call)?;
    write_stages(&mut text, &call.api.board.latest());
    if let Some(lane) = call.api.board.lane() {
        write_lane(&mut text, lane);
    }
    let devices = call.api.health.as_ref().map(|board| board.all()).unwrap_or_default();
    write_devices(&mut text, &devices, call.now);
    write_certificates(&mut text, &devices, call.now);
    if let Some(scans) = &call.api.scans {
        let name = "aisle_gate_scans_total";
        head(&mut text, name, "counter", "Scans that gates sent over HTTP, by whether the engine kept them.");
        for (outcome, count) in scans.counts() {
            line(&mut text, name, &[("outcome", outcome)], &count);
        }
    }
    let name = "aisle_passes_total";
    head(&mut text, name, "counter", "Shoppers who were let in, by whether they got a pass to their stay.");
    for (outcome, count) in call.api.passes.counts() {
        line(&mut text, name, &[("outcome", outcome)], &count);
    }
    if let Some(streams) = &call.api.streams {
        write_streams(&mut text, streams);
    }
    if let Some(kept) = &call.api.kept {
        write_pictures(&mut text, &kept.counts());
    }
    call.api.metrics.write(&mut text);
    Ok(Text(text, Exposition))
}

/// What the book knows of money; only that it cannot be asked, where it cannot.
fn write_book(text: &mut String, call: &Call<'_>) -> Result<(), Problem> {
    let read = |till: &mut Till| {
        let shop = till.shop().clone();
        till.with(|session| {
            Ok((
                outbox::counts(session)?,
                outbox::standings(session)?,
                cases::count_waiting(session)?,
                outbox::oldest_due(session, shop.name())?,
            ))
        })
    };
    let counted = match call.api.till_unless_away().and_then(|mut till| read(&mut till)) {
        Err(error) if error.kind() == Kind::Unavailable => None,
        counted => Some(counted?),
    };
    head(text, "aisle_book_up", "gauge", "Whether the database of the book answers.");
    line(text, "aisle_book_up", &[], &u8::from(counted.is_some()));
    let Some((orders, standings, waiting, oldest)) = counted else { return Ok(()) };
    head(text, "aisle_orders", "gauge", "Orders to payment providers, by where they are on their way.");
    for (state, count) in orders {
        line(text, "aisle_orders", &[("state", &state)], &count);
    }
    head(text, "aisle_payments", "gauge", "Payments, by where they stand.");
    for (standing, count) in standings {
        line(text, "aisle_payments", &[("standing", &standing)], &count);
    }
    head(text, "aisle_cases_waiting", "gauge", "Cases that wait for a person.");
    line(text, "aisle_cases_waiting", &[], &waiting);
    let silent = oldest.map_or(Span::ZERO, |since| (call.now - since).max(Span::ZERO));
    head(text, "aisle_provider_silence_seconds", "gauge", "How long a payment provider has owed an answer.");
    line(text, "aisle_provider_silence_seconds", &[], &secs(silent));
    Ok(())
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

/// How often screens were corrected.
fn write_lane(text: &mut String, lane: LaneReport) {
    let LaneReport { resets, compared, corrected, lines, went_out, revised } = lane;
    for (name, help, count) in [
        ("visits_by_exit", "Visits that were over because somebody walked out through an exit.", went_out),
        ("visits_revised", "Of these, those about which something else was known later.", revised),
        ("resets", "Times that the lane for screens was set back to the one that decides.", resets),
        ("carts_compared", "Carts on screens that were compared with what was decided.", compared),
        ("carts_corrected", "Carts on screens that were shown otherwise than decided.", corrected),
        ("lines_corrected", "Lines of carts that were shown otherwise than decided.", lines),
    ] {
        let name =
            if name.starts_with("visits") { format!("aisle_{name}_total") } else { format!("aisle_view_{name}_total") };
        head(text, &name, "counter", help);
        line(text, &name, &[], &count);
    }
}

/// Until when certificates hold; nothing where none is used.
fn write_certificates(text: &mut String, devices: &[DeviceHealth], now: ShopTime) {
    let name = "aisle_device_certificate_days";
    if devices.iter().all(|device| device.certificates.is_empty()) {
        return;
    }
    head(text, name, "gauge", "Days until a certificate ends with which a device is spoken to; below 0 it has ended.");
    for device in devices {
        for (key, until) in &device.certificates {
            line(text, name, &[("device", &device.device), ("certificate", key)], &(until.secs_since(now) / 86_400.0));
        }
    }
}

/// How devices are; nothing where none is known. Every age grows while nothing comes, so that silence is seen.
fn write_devices(text: &mut String, devices: &[DeviceHealth], now: ShopTime) {
    type Value = fn(&DeviceHealth, ShopTime) -> Option<f64>;
    let families: [(&str, &str, Value); 6] = [
        ("up", "Whether a device gives something that can be used.", |device, _| {
            Some(f64::from(u8::from(matches!(device.health, HealthWord::Online | HealthWord::Degraded))))
        }),
        ("state_seconds", "For how long a device has been as it is.", |device, now| Some(age(device.since, now))),
        ("last_heard_seconds", "How long ago something came from a device.", |device, now| {
            device.heard.map(|heard| age(heard, now))
        }),
        ("rate_hertz", "Messages or frames a second over the last minute.", |device, _| device.rate_hertz),
        ("expected_rate_hertz", "Messages or frames a second that a device should give.", |device, _| {
            device.expected_hertz
        }),
        ("clock_offset_seconds", "How far the clock of a device is ahead.", |device, _| device.clock_offset_secs),
    ];
    if devices.is_empty() {
        return;
    }
    for (name, help, value) in families {
        let name = format!("aisle_device_{name}");
        head(text, &name, "gauge", help);
        for device in devices {
            if let Some(value) = value(device, now).filter(|value| value.is_finite()) {
                line(text, &name, &[("device", &device.device), ("kind", device.kind.name())], &value);
            }
        }
    }
    let name = "aisle_device_health";
    head(text, name, "gauge", "1 for how a device is, 0 for how it is not.");
    for device in devices {
        for word in HealthWord::ALL {
            let labels = [("device", device.device.as_str()), ("kind", device.kind.name()), ("health", word.name())];
            line(text, name, &labels, &u8::from(device.health == word));
        }
    }
    let name = "aisle_device_events_total";
    head(text, name, "counter", "Everything that is counted about a device, by what.");
    for device in devices {
        for (what, count) in &device.counters {
            line(text, name, &[("device", &device.device), ("what", what)], count);
        }
    }
}

/// Who looks at what is live.
fn write_streams(text: &mut String, streams: &Streams) {
    let name = "aisle_live_streams";
    head(text, name, "gauge", "Live streams that are open, by who reads them.");
    for (class, count) in streams.reading() {
        line(text, name, &[("class", class)], &count);
    }
    let (snapshots, changes) = streams.counts();
    let name = "aisle_live_snapshots_total";
    head(text, name, "counter", "Snapshots that were sent: to readers who began, or were too far behind.");
    for (why, count) in snapshots {
        line(text, name, &[("why", why)], &count);
    }
    head(text, "aisle_live_changes_total", "counter", "Changes that were sent, counted for every reader.");
    line(text, "aisle_live_changes_total", &[], &changes);
}

/// What became of pictures around changes on shelves.
fn write_pictures(text: &mut String, counts: &PictureCounts) {
    let PictureCounts { kept, dropped, deleted, sequences, unreadable, bytes } = counts;
    head(text, "aisle_pictures_kept_total", "counter", "Changes on shelves of which pictures were kept.");
    line(text, "aisle_pictures_kept_total", &[], kept);
    let name = "aisle_pictures_dropped_total";
    head(text, name, "counter", "Changes of which no pictures were kept, and frames that were left out, by why.");
    for (reason, count) in dropped {
        line(text, name, &[("reason", reason)], count);
    }
    let name = "aisle_pictures_deleted_total";
    head(text, name, "counter", "Changes whose pictures were deleted, by why.");
    for (reason, count) in deleted {
        line(text, name, &[("reason", reason)], count);
    }
    for (name, help, value) in [
        ("aisle_pictures_sequences", "Changes on shelves of which there are pictures.", sequences),
        ("aisle_pictures_unreadable", "Files of pictures that are there and cannot be read.", unreadable),
        ("aisle_pictures_bytes", "Disk space of pictures.", bytes),
    ] {
        head(text, name, "gauge", help);
        line(text, name, &[], value);
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
