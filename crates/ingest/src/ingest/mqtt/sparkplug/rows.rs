//! Metrics that are said when they change, to samples at an even pace: it takes readings of the plates of one device, each
//! with its time, and gives batches of plates. It holds the last reading between two, and never past a time for which the
//! device has not been heard.
//!
//! The room that weighs needs even rows, one after the other without gaps, at the pace that boards have. So there is a grid of
//! time that all devices share ([`PERIOD`]); a row holds what each plate read last at that time. A row is made when the device
//! was heard behind it, or when so much time has passed that nothing before it can come any more ([`LATE`]).

use crate::base::{PlateId, ShopTime, SourceId, Span};
use crate::facts::{Body, Fact, PlateBatch, Stamp};

/// Time between rows.
const PERIOD: Span = Span::from_nanos(16_666_667);
/// Rows that are gathered before they are given.
const ROWS_MIN: usize = 6;
/// Rows of one batch.
const ROWS_MAX: usize = 360;
/// How late a reading may be that still comes into its row.
const LATE: Span = Span::from_millis(300);
/// Where more than this lies between two readings, nothing is held between them: a clock was set, or nobody was heard.
const HOLD_SPAN_MAX: Span = Span::from_millis(10_000);
/// Rows that one message may make: a minute. What is told of a longer past comes too late for anything.
const ROWS_PER_MESSAGE_MAX: i64 = 3_600;

/// A reading of one plate, in grams; none where the sensor says that it knows nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reading {
    pub(super) place: usize,
    pub(super) at: ShopTime,
    pub(super) grams: Option<f32>,
}

/// The plates of one device.
pub(super) struct Rows {
    source: SourceId,
    plates: Vec<PlateId>,
    /// What each plate read last.
    now: Vec<f32>,
    /// The grid's number of the next row; none while nothing is known.
    next: Option<i64>,
    /// Rows that are gathered, and the number of the first.
    gathered: Vec<f32>,
    gathered_from: i64,
    /// What is missing since the device died: from the row after the last to the row of its birth.
    missing: Option<(i64, i64)>,
    /// What each plate read last of what is told afterwards.
    past: Vec<f32>,
    /// Rows that the message that is taken has made.
    made: i64,
    /// What went wrong, since it was last asked.
    pub(super) troubles: Troubles,
}

/// What went wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Troubles {
    /// Readings that came when their rows were given.
    pub(super) late: u64,
    /// Times that readings leapt.
    pub(super) leaps: u64,
    /// Readings of the past that fit nowhere.
    pub(super) past_unused: u64,
}

impl Rows {
    pub(super) fn new(source: &str, plates: Vec<PlateId>) -> Self {
        Rows {
            source: SourceId::new(source),
            now: vec![f32::NAN; plates.len()],
            past: vec![f32::NAN; plates.len()],
            plates,
            next: None,
            gathered: Vec::new(),
            gathered_from: 0,
            made: 0,
            missing: None,
            troubles: Troubles::default(),
        }
    }

    pub(super) fn source(&self) -> &str {
        self.source.as_str()
    }

    /// Takes readings in order of time.
    pub(super) fn take(&mut self, readings: &[Reading], arrived: ShopTime, out: &mut Vec<Fact>) {
        self.made = 0;
        for reading in readings {
            self.go_to(reading.at, arrived, out);
            if let Some(next) = self.next
                && reading.at + PERIOD < time_of(next)
            {
                self.troubles.late += 1;
            }
            self.now[reading.place] = reading.grams.unwrap_or(f32::NAN);
        }
        self.give_if(ROWS_MIN, arrived, out);
    }

    /// The device's clock shows `device_now`: what is far enough behind it is held.
    pub(super) fn hold(&mut self, device_now: ShopTime, arrived: ShopTime, out: &mut Vec<Fact>) {
        self.made = 0;
        if self.next.is_some_and(|next| time_of(next) < device_now - LATE) {
            self.go_to(device_now - LATE, arrived, out);
        }
        self.give_if(ROWS_MIN, arrived, out);
    }

    /// Nothing is known of the device after `at`, when it was heard last: a last row says so. What its plates read is kept where
    /// the device is only silent, and forgotten where it has to begin anew.
    pub(super) fn end(&mut self, at: Option<ShopTime>, forgets: bool, arrived: ShopTime, out: &mut Vec<Fact>) {
        self.made = 0;
        if let (Some(_), Some(at)) = (self.next, at) {
            self.go_to(at, arrived, out);
        }
        if let Some(next) = self.next.take() {
            let read = std::mem::replace(&mut self.now, vec![f32::NAN; self.plates.len()]);
            self.push_row(next);
            self.now = read;
            self.missing = Some((next + 1, i64::MAX));
            self.past.fill(f32::NAN);
            self.give_if(1, arrived, out);
        }
        if forgets {
            self.now.fill(f32::NAN);
        }
    }

    /// Takes readings of the past in order of time, which a device tells when it is back: they fill what is missing.
    pub(super) fn take_past(&mut self, readings: &[Reading], arrived: ShopTime, out: &mut Vec<Fact>) {
        let Some((mut from, to)) = self.missing else {
            self.troubles.past_unused += readings.len() as u64;
            return;
        };
        let (mut rows, mut rows_from) = (Vec::new(), None);
        for reading in readings {
            let number = number_of(reading.at);
            let made = rows_from.map_or(0, |start| number - start);
            if number < from || to <= number || ROWS_PER_MESSAGE_MAX < made {
                self.troubles.past_unused += 1;
                continue;
            }
            let start = *rows_from.get_or_insert(number);
            let mut next = start + (rows.len() / self.plates.len()) as i64;
            // Nothing is held over a time of which nothing is told.
            if (HOLD_SPAN_MAX.as_nanos() / PERIOD.as_nanos()) < number - next {
                self.give_past(rows_from, &mut rows, arrived, out);
                rows_from = Some(number);
                next = number;
            }
            for _ in next..number {
                rows.extend_from_slice(&self.past);
            }
            self.past[reading.place] = reading.grams.unwrap_or(f32::NAN);
            from = from.max(number);
        }
        if let Some(start) = rows_from {
            // The last reading has a row too.
            rows.extend_from_slice(&self.past);
            from = start + (rows.len() / self.plates.len()) as i64;
        }
        self.give_past(rows_from, &mut rows, arrived, out);
        self.missing = Some((from, to));
    }

    /// Makes all rows before a time.
    fn go_to(&mut self, at: ShopTime, arrived: ShopTime, out: &mut Vec<Fact>) {
        let number = number_of(at);
        let Some(next) = self.next else {
            self.begin(number);
            return;
        };
        let span = HOLD_SPAN_MAX.as_nanos() / PERIOD.as_nanos();
        self.made += (number - next).max(0);
        if span < (number - next).abs() || ROWS_PER_MESSAGE_MAX < self.made {
            self.give_if(1, arrived, out);
            self.troubles.leaps += 1;
            self.begin(number);
            return;
        }
        for row in next..number {
            self.push_row(row);
            if ROWS_MAX <= self.gathered.len() / self.plates.len() {
                self.give_if(1, arrived, out);
            }
        }
        self.next = Some(next.max(number));
    }

    fn begin(&mut self, number: i64) {
        self.next = Some(number);
        if let Some((_, to)) = &mut self.missing {
            *to = (*to).min(number);
        }
    }

    fn push_row(&mut self, number: i64) {
        if self.gathered.is_empty() {
            self.gathered_from = number;
        }
        self.gathered.extend_from_slice(&self.now);
    }

    /// Gives what is gathered where it is so many rows.
    fn give_if(&mut self, rows: usize, arrived: ShopTime, out: &mut Vec<Fact>) {
        if !self.gathered.is_empty() && rows <= self.gathered.len() / self.plates.len() {
            let grams = std::mem::take(&mut self.gathered);
            out.push(self.fact(self.gathered_from, grams, arrived));
        }
    }

    fn give_past(&self, from: Option<i64>, rows: &mut Vec<f32>, arrived: ShopTime, out: &mut Vec<Fact>) {
        let Some(from) = from else { return };
        let width = self.plates.len();
        for (number, grams) in rows.chunks(ROWS_MAX * width).enumerate() {
            out.push(self.fact(from + (number * ROWS_MAX) as i64, grams.to_vec(), arrived));
        }
        rows.clear();
    }

    fn fact(&self, number: i64, grams: Vec<f32>, arrived: ShopTime) -> Fact {
        let first_at = time_of(number);
        let batch = PlateBatch { first_at, period: PERIOD, plates: self.plates.clone(), grams };
        // The place on the grid: it rises with time, over all starts of the program, and no two rows share one.
        let sequence = u64::try_from(number).unwrap_or(0);
        let stamp = Stamp { source: self.source.clone(), sequence, at: first_at, arrived };
        Fact { stamp, body: Body::Plates(batch) }
    }
}

/// The number of the first row at or after a time.
fn number_of(at: ShopTime) -> i64 {
    let (nanos, period) = (at.as_nanos(), PERIOD.as_nanos());
    nanos.div_euclid(period) + i64::from(nanos.rem_euclid(period) != 0)
}

fn time_of(number: i64) -> ShopTime {
    ShopTime::from_nanos(number.saturating_mul(PERIOD.as_nanos()))
}
