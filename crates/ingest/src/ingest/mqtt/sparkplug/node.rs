//! One edge node: which devices of it were born, what its short names stand for, which number comes next, and when it is asked
//! to begin anew. It takes its messages in order and gives readings; it never guesses what a name stands for.

use std::collections::BTreeMap;
use std::time::Duration;

use super::payload::{Metric, Payload};
use super::rows::{Reading, Rows};
use crate::base::{ShopTime, Span};
use crate::ingest::mqtt::boards::{Moment, Offset};

/// How long a message that is missing is waited for.
pub(super) const REORDER: Duration = Duration::from_secs(2);
/// Messages that wait for one that is missing.
pub(super) const AHEAD_MAX: usize = 128;
/// How long a node is left alone before it is asked again to begin anew: at first, and at most.
const ASK_WAIT: Duration = Duration::from_secs(2);
const ASK_WAIT_MAX: Duration = Duration::from_secs(60);
/// A node that lived for so long after its birth is asked at once again.
const SOUND_LIFE: Duration = Duration::from_secs(60);
/// How long a node may take to begin by itself.
const PATIENCE: Duration = Duration::from_secs(1);
/// Short names of one node.
const ALIASES_MAX: usize = 65_536;
/// Milliseconds of a time that can be said.
const MILLIS_MAX: u64 = (i64::MAX / 1_000_000) as u64;

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    NodeData,
    DeviceBirth,
    DeviceData,
    DeviceDeath,
}

/// A message that is numbered.
pub(super) struct Numbered {
    pub(super) number: u8,
    pub(super) kind: Kind,
    pub(super) device: Option<String>,
    pub(super) payload: Payload,
    pub(super) moment: Moment,
}

/// The plates of one device of a node, or of the node itself.
pub(super) struct Unit {
    pub(super) device: Option<String>,
    pub(super) rows: Rows,
    /// By name of the metric.
    pub(super) metrics: BTreeMap<String, Plate>,
    pub(super) is_alive: bool,
    /// When it was heard last: by our clock, and by its own.
    pub(super) heard: Option<(Duration, ShopTime)>,
    /// Whether it is silent for longer than it may be.
    pub(super) is_resting: bool,
    pub(super) silence: Span,
}

/// A metric that is a plate.
pub(super) struct Plate {
    pub(super) place: usize,
    pub(super) grams: f64,
    datatype: Option<u32>,
}

/// What a short name stands for.
struct Alias {
    device: Option<String>,
    /// None where it is no plate.
    name: Option<String>,
    /// Whether a birth gave it to two metrics.
    is_twice: bool,
}

/// A node that is born.
pub(super) struct Birth {
    pub(super) bd_seq: Option<u64>,
    /// The number of its next message.
    pub(super) next: u8,
    at: Duration,
}

/// An edge node.
pub(super) struct Node {
    pub(super) name: String,
    pub(super) birth: Option<Birth>,
    pub(super) units: Vec<Unit>,
    aliases: BTreeMap<u64, Alias>,
    pub(super) ahead: Vec<Numbered>,
    /// Since when a message is missing.
    pub(super) gap_since: Option<Duration>,
    /// How far the node's clock is ahead of the time since the program began.
    pub(super) clock: Offset,
    /// When it is to be asked to begin anew.
    ask_at: Option<Duration>,
    ask_wait: Duration,
    asked: Option<Duration>,
}

/// What the metrics of a message say.
#[derive(Default)]
pub(super) struct Said {
    pub(super) readings: Vec<Reading>,
    pub(super) past: Vec<Reading>,
    /// Short names that no birth explained.
    pub(super) unknown: u64,
    /// Short names that stand for two metrics.
    pub(super) twice: u64,
    /// Readings that are no numbers.
    pub(super) no_numbers: u64,
}

impl Plate {
    pub(super) fn new(place: usize, grams: f64) -> Self {
        Plate { place, grams, datatype: None }
    }
}

impl Node {
    pub(super) fn new(name: &str) -> Self {
        Node {
            name: name.to_owned(),
            birth: None,
            units: Vec::new(),
            aliases: BTreeMap::new(),
            ahead: Vec::new(),
            gap_since: None,
            clock: Offset::default(),
            ask_at: None,
            ask_wait: ASK_WAIT,
            asked: None,
        }
    }

    /// The plates of a device, or of the node itself.
    pub(super) fn unit(&mut self, device: Option<&str>) -> Option<&mut Unit> {
        self.units.iter_mut().find(|unit| unit.device.as_deref() == device)
    }

    /// The node begins: nothing of before holds.
    pub(super) fn be_born(&mut self, payload: &Payload, elapsed: Duration) {
        let next = (payload.seq.unwrap_or(0) as u8).wrapping_add(1);
        self.birth = Some(Birth { bd_seq: payload.bd_seq(), next, at: elapsed });
        self.aliases.clear();
        self.ahead.clear();
        self.gap_since = None;
        self.ask_at = None;
        self.name_metrics(None, payload);
    }

    /// Nothing that the node said holds any more.
    pub(super) fn forget(&mut self, elapsed: Duration) -> u64 {
        if self.birth.take().is_some_and(|birth| birth.at + SOUND_LIFE < elapsed) {
            self.ask_wait = ASK_WAIT;
        }
        self.gap_since = None;
        std::mem::take(&mut self.ahead).len() as u64
    }

    /// The node may begin by itself; if it does not it is asked.
    pub(super) fn wait_for_birth(&mut self, elapsed: Duration) {
        (self.ask_wait, self.asked) = (ASK_WAIT, None);
        self.ask_at = Some(elapsed + PATIENCE);
    }

    /// The node has to begin anew.
    pub(super) fn want_birth(&mut self, elapsed: Duration) {
        let earliest = self.asked.map_or(elapsed, |asked| asked + self.ask_wait);
        self.ask_at.get_or_insert(earliest.max(elapsed));
    }

    /// Whether it is asked now.
    pub(super) fn asks(&mut self, elapsed: Duration) -> bool {
        if self.ask_at.is_none_or(|at| elapsed < at) {
            return false;
        }
        self.asked = Some(elapsed);
        self.ask_at = Some(elapsed + self.ask_wait);
        self.ask_wait = (self.ask_wait * 2).min(ASK_WAIT_MAX);
        true
    }

    /// Notes what a birth says of its metrics: their short names and their types.
    pub(super) fn name_metrics(&mut self, device: Option<&str>, payload: &Payload) {
        self.aliases.retain(|_, alias| alias.device.as_deref() != device);
        for metric in &payload.metrics {
            let Some(name) = &metric.name else { continue };
            let plate = self
                .units
                .iter_mut()
                .find(|unit| unit.device.as_deref() == device)
                .and_then(|unit| unit.metrics.get_mut(name));
            let name = plate.map(|plate| {
                plate.datatype = metric.datatype;
                name.clone()
            });
            let Some(alias) = metric.alias else { continue };
            if let Some(known) = self.aliases.get_mut(&alias) {
                known.is_twice = true;
            } else if self.aliases.len() < ALIASES_MAX {
                let device = device.map(str::to_owned);
                self.aliases.insert(alias, Alias { device, name, is_twice: false });
            }
        }
    }

    /// What a message says of a device's plates, in order of time.
    pub(super) fn read(&self, device: Option<&str>, payload: &Payload, arrived: ShopTime) -> Said {
        let mut said = Said::default();
        let unit = self.units.iter().find(|unit| unit.device.as_deref() == device);
        for metric in &payload.metrics {
            let plate = match self.resolve(device, metric, &mut said) {
                Some(name) => unit.and_then(|unit| unit.metrics.get(name)),
                None => None,
            };
            let Some(plate) = plate else { continue };
            let number = metric.number(plate.datatype);
            said.no_numbers += u64::from(number.is_none() && metric.is_null != Some(true));
            let at = time(metric.timestamp.or(payload.timestamp)).unwrap_or(arrived);
            let reading = Reading { place: plate.place, at, grams: number.map(|number| (number * plate.grams) as f32) };
            match metric.is_historical {
                Some(true) => said.past.push(reading),
                _ => said.readings.push(reading),
            }
        }
        said.readings.sort_by_key(|reading| reading.at);
        said.past.sort_by_key(|reading| reading.at);
        said
    }

    /// The name of a metric of a plate.
    fn resolve<'a>(&'a self, device: Option<&str>, metric: &'a Metric, said: &mut Said) -> Option<&'a str> {
        if let Some(name) = &metric.name {
            return Some(name);
        }
        match self.aliases.get(&metric.alias?) {
            Some(alias) if alias.is_twice => {
                said.twice += 1;
                None
            }
            Some(alias) if alias.device.as_deref() == device => alias.name.as_deref(),
            _ => {
                said.unknown += 1;
                None
            }
        }
    }
}

/// A time of Sparkplug.
pub(super) fn time(millis: Option<u64>) -> Option<ShopTime> {
    let millis = millis.filter(|millis| *millis <= MILLIS_MAX)?;
    Some(ShopTime::from_nanos(millis as i64 * 1_000_000))
}
