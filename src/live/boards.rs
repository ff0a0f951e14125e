//! The health of whoever sends facts, judged by when these arrived and never by what their clocks say. Cameras and the broker
//! watch themselves; this watches boards, gateways, people and gates, whatever way they speak.

use std::collections::{BTreeMap, VecDeque};

use crate::base::{ShopTime, SourceId, Span};
use crate::facts::{Body, Fact};
use crate::ingest::devices::{Board, Devices};
use crate::ports::{DeviceHealth, DeviceKind, HealthBoard, HealthWord};

/// Over how many seconds a rate is measured.
const RATE_SECONDS: i64 = 60;
/// How often everybody is looked at.
const WATCH: Span = Span::from_millis(500);
/// A source that the shop's file does not name may be silent so long.
const SILENCE: Span = Span::from_millis(3_000);
/// Part of the expected rate below which a source is degraded.
const RATE_SHARE_MIN: f64 = 0.9;
/// Sources beyond those that the shop's file names; of more none is watched, which is counted.
const STRANGERS_MAX: usize = 256;
/// Who stores and records.
const STORE: &str = "recorder";

/// All of them.
pub(super) struct Boards {
    health: HealthBoard,
    of: BTreeMap<SourceId, Watch>,
    watched: Option<ShopTime>,
    strangers: usize,
}

struct Watch {
    silence: Span,
    expected: Option<f64>,
    enabled: bool,
    /// Whether it speaks only when there is something to say, as gates do.
    is_occasional: bool,
    first: Option<ShopTime>,
    heard: Option<ShopTime>,
    /// Messages of each of the last seconds.
    counts: VecDeque<(i64, u64)>,
    /// How far its clock was ahead when a time of it was corrected last.
    ahead: Option<(ShopTime, Span)>,
}

impl Boards {
    /// The boards that a shop's file names, of which nothing has come yet.
    pub(super) fn new(devices: &Devices, health: HealthBoard, now: ShopTime) -> Self {
        let mut boards = Boards { health, of: BTreeMap::new(), watched: None, strangers: 0 };
        for Board { source, silence, rate_hertz, enabled } in &devices.boards {
            let kind = if source.starts_with("people") { DeviceKind::People } else { DeviceKind::Board };
            let mut device = DeviceHealth::new(source, kind, now);
            device.expected_hertz = *rate_hertz;
            device.remedy = Some("is it switched on, and does it reach the broker?".to_owned());
            if !enabled {
                device.say(HealthWord::Disabled, None, None, now);
            }
            boards.health.add(device);
            let watch = Watch { silence: *silence, expected: *rate_hertz, enabled: *enabled, ..Watch::new(false) };
            boards.of.insert(SourceId::new(source), watch);
        }
        boards
    }

    /// A fact arrived.
    pub(super) fn hear(&mut self, fact: &Fact) {
        let (kind, is_occasional) = match &fact.body {
            Body::Plates(_) | Body::Shelf(_) => (DeviceKind::Board, false),
            Body::People(_) => (DeviceKind::People, false),
            Body::Gate(_) => (DeviceKind::Gate, true),
            _ => return,
        };
        let (source, arrived) = (&fact.stamp.source, fact.stamp.arrived);
        if !self.of.contains_key(source) {
            if STRANGERS_MAX <= self.strangers {
                return;
            }
            self.strangers += 1;
            self.health.add(DeviceHealth::new(source.as_str(), kind, arrived));
            self.of.insert(source.clone(), Watch::new(is_occasional));
        }
        let Some(watch) = self.of.get_mut(source) else { return };
        watch.hear(arrived);
        self.health.with(source.as_str(), |device| {
            device.heard = Some(arrived);
            device.count("received", 1);
        });
    }

    /// A time of this source was corrected, because its clock is so far ahead.
    pub(super) fn corrected(&mut self, source: &SourceId, ahead: Span) {
        if let Some(watch) = self.of.get_mut(source) {
            watch.ahead = watch.heard.map(|heard| (heard, ahead));
            self.health.with(source.as_str(), |device| {
                device.clock_offset_secs = Some(ahead.as_secs());
                device.count("clock_corrected", 1);
            });
        }
    }

    /// So many facts could not be recorded.
    pub(super) fn unrecorded(&self, facts: u64) {
        self.health.with(STORE, |device| device.counters.insert("unrecorded".to_owned(), facts));
    }

    /// Cameras that should show something and do not.
    pub(super) fn blind_cameras(&self) -> u64 {
        let is_blind = |device: &DeviceHealth| {
            device.kind == DeviceKind::Camera && matches!(device.health, HealthWord::Offline | HealthWord::Frozen)
        };
        self.health.all().iter().filter(|device| is_blind(device)).count() as u64
    }

    /// Looks at everybody from time to time; gives those whose health has changed.
    pub(super) fn watch(&mut self, now: ShopTime) -> Vec<DeviceHealth> {
        if self.watched.is_some_and(|watched| (now - watched).abs() < WATCH) {
            return Vec::new();
        }
        self.watched = Some(now);
        let mut changed = Vec::new();
        for (source, watch) in self.of.iter_mut().filter(|(_, watch)| watch.enabled) {
            let rate = watch.rate(now);
            let (word, cause) = watch.judge(now, rate);
            let remedy = match word {
                HealthWord::Offline => Some("is it switched on, and does it reach the broker?"),
                HealthWord::Degraded if watch.ahead.is_some() => Some("set its clock, by NTP where it can"),
                HealthWord::Degraded => Some("look at its network, and at its counters of what was dropped"),
                _ => None,
            };
            let device = self.health.with(source.as_str(), |device| {
                device.rate_hertz = rate;
                device.say(word, cause.as_deref(), remedy, now).then(|| device.clone())
            });
            if let Some(device) = device.flatten() {
                let (device_name, health) = (&device.device, device.health);
                tracing::warn!(device = %device_name, %health, cause = device.cause.as_deref(), "a device changed");
                changed.push(device);
            }
        }
        changed
    }
}

impl Watch {
    fn new(is_occasional: bool) -> Self {
        Watch {
            silence: SILENCE,
            expected: None,
            enabled: true,
            is_occasional,
            first: None,
            heard: None,
            counts: VecDeque::new(),
            ahead: None,
        }
    }

    fn hear(&mut self, arrived: ShopTime) {
        self.first = self.first.or(Some(arrived));
        self.heard = Some(arrived);
        let second = arrived.as_nanos().div_euclid(1_000_000_000);
        match self.counts.back_mut() {
            Some((last, count)) if *last == second => *count += 1,
            _ => self.counts.push_back((second, 1)),
        }
        while self.counts.front().is_some_and(|(first, _)| *first < second - RATE_SECONDS) {
            self.counts.pop_front();
        }
    }

    /// Messages a second over the last minute, or since the first one.
    fn rate(&self, now: ShopTime) -> Option<f64> {
        let second = now.as_nanos().div_euclid(1_000_000_000);
        let since = (now - self.first?).as_secs().min(RATE_SECONDS as f64);
        let recent = self.counts.iter().filter(|(at, _)| second - RATE_SECONDS <= *at);
        let count: u64 = recent.map(|(_, count)| count).sum();
        (1.0 <= since).then(|| count as f64 / since)
    }

    fn judge(&self, now: ShopTime, rate: Option<f64>) -> (HealthWord, Option<String>) {
        let Some(heard) = self.heard else {
            return (HealthWord::Offline, Some("nothing has come from it yet".to_owned()));
        };
        if !self.is_occasional && self.silence < now - heard {
            return (HealthWord::Offline, Some(format!("silent for {:.0} s", (now - heard).as_secs())));
        }
        if let Some((_, ahead)) = self.ahead.filter(|(corrected, _)| now - *corrected < Span::from_millis(5_000)) {
            let way = if Span::ZERO < ahead { "ahead" } else { "behind" };
            let off = ahead.abs().as_secs();
            return (HealthWord::Degraded, Some(format!("its clock is {off:.1} s {way}; its times are corrected")));
        }
        match (self.expected, rate) {
            (Some(expected), Some(rate)) if rate < RATE_SHARE_MIN * expected => {
                (HealthWord::Degraded, Some(format!("{rate:.1} messages a second instead of {expected}")))
            }
            _ => (HealthWord::Online, None),
        }
    }
}
