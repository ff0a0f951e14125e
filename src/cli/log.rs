//! The log of a server: what happens, on standard error.
//! Requests are named, never quoted. What goes wrong again and again is told a few times, and then how often it was left
//! out, so that a broken database does not fill the disk beside it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::{Context, Filter, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use super::repeats::{Repeats, WINDOW};
use crate::base::{Error, Result};

/// How often it is told what was left out.
pub(super) const TOLD_EVERY: Duration = Duration::from_secs(10);
/// The origin of lines about lines that were left out; they are not limited themselves.
const LEFT_OUT: &str = "aisle::left_out";

/// How the log is written.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum LogForm {
    /// Lines for people
    Text,
    /// A JSON object a line
    Json,
}

/// What was left out of the log.
#[derive(Clone)]
pub(super) struct LeftOut {
    repeats: Arc<Mutex<Repeats>>,
    begun: Instant,
}

/// Begins the log of this process.
pub(super) fn start(form: LogForm) -> Result<LeftOut> {
    let filter = EnvFilter::builder().with_default_directive(Level::INFO.into()).from_env();
    let filter = filter.map_err(|error| Error::usage(format!("RUST_LOG is not understood: {error}")))?;
    let left_out = LeftOut { repeats: Arc::default(), begun: Instant::now() };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    let log = tracing_subscriber::registry().with(filter);
    let started = match form {
        LogForm::Text => log.with(lines.with_filter(left_out.clone())).try_init(),
        LogForm::Json => log.with(lines.json().flatten_event(true).with_filter(left_out.clone())).try_init(),
    };
    started.map_err(|error| Error::usage(format!("the log cannot be started: {error}")))?;
    Ok(left_out)
}

impl LeftOut {
    /// Tells how often what was left out since its first line, of causes whose time is over; of all at the `end`.
    pub(super) fn tell(&self, end: bool) {
        let now = self.begun.elapsed();
        let left_out = self.repeats.lock().unwrap_or_else(PoisonError::into_inner).take_left_out(now, end);
        for (cause, times) in left_out {
            tracing::warn!(target: LEFT_OUT, times, within_secs = WINDOW.as_secs(), cause, "left out of this log");
        }
    }
}

impl<S: Subscriber> Filter<S> for LeftOut {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        let metadata = event.metadata();
        if Level::WARN < *metadata.level() || metadata.target() == LEFT_OUT {
            return true;
        }
        let mut said = Said::default();
        event.record(&mut said);
        let place = (metadata.file().unwrap_or_default(), metadata.line().unwrap_or_default());
        let mut repeats = self.repeats.lock().unwrap_or_else(PoisonError::into_inner);
        repeats.admits(place, &format!("{}: {}", said.message, said.error), self.begun.elapsed())
    }
}

/// What an event is about; numbers and names beside it change from one to the next.
#[derive(Default)]
struct Said {
    message: String,
    error: String,
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "error" | "panic" => self.error = format!("{value:?}"),
            _ => {}
        }
    }
}
