//! How the senders of messages are: it takes what came from each and when, by a clock that only goes forward, and gives their
//! health with cause and remedy. It judges by when messages arrive and never drops one for what a device's clock says.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::decode::Reason;
use crate::base::{ShopTime, Span};
use crate::facts::{Stamp, Topic};
use crate::ingest::devices::Board;
use crate::ports::{DeviceHealth, DeviceKind, HealthBoard, HealthWord};

/// A clock that is further off than this is told; the fact goes on all the same.
const CLOCK_OFF_SPAN_MAX: Span = Span::from_millis(3_000);
/// The least delayed message of so long says how far a clock is off.
const OFFSET_WINDOW: Duration = Duration::from_secs(30);
/// Something that went wrong is told for so long after it.
const TROUBLE_SPAN: Duration = Duration::from_secs(60);
/// So many numbers that do not rise within [`TROUBLE_SPAN`] are two devices of one name; a device that began anew makes one.
const FALLS_MIN: usize = 3;
/// Messages that overtake each other on their way differ by no more than this.
const OVERTAKEN_MAX: u64 = 128;
/// Seconds over which a rate is taken.
const RATE_SECS: usize = 60;
/// A rate is judged once a source was heard for so long.
const RATE_KNOWN: Duration = Duration::from_secs(10);
/// Share of its rate that a source has to reach.
const RATE_SHARE_MIN: f64 = 0.9;
/// Sources that are known; facts of further ones are dropped and counted.
const SOURCES_MAX: usize = 1_024;
/// Silence after which a source is offline where the shop's file says nothing.
const SILENCE: Span = Span::from_millis(3_000);
/// A clock that was ahead was set right when every message of so long says so.
const SET_RIGHT: Duration = Duration::from_secs(1);
/// Scales that differed from message to message for so long, and so often, have noise: they do not repeat themselves.
const TREMBLES: Duration = Duration::from_secs(20);
const TREMBLES_MIN: u32 = 50;

/// An instant on two clocks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Moment {
    /// Time of day.
    pub(super) now: ShopTime,
    /// Since the program began; only goes forward.
    pub(super) elapsed: Duration,
}

/// All sources that were named or heard.
pub(super) struct Boards {
    by_source: BTreeMap<String, Watch>,
}

/// One source.
struct Watch {
    silence: Span,
    rate_hertz: Option<f64>,
    enabled: bool,
    kind: DeviceKind,
    /// Whether it says something all the time, so that silence means something.
    is_steady: bool,
    first: Option<Duration>,
    last: Option<Moment>,
    rate: Rate,
    clock: Offset,
    noise: Noise,
    /// Number and time of the last message.
    sequence: Option<(u64, ShopTime)>,
    falls: VecDeque<Duration>,
    /// What could not be read last, and when.
    unread: Option<(Duration, Reason)>,
    /// What somebody else says of it, such as that its node died.
    told: Option<(HealthWord, &'static str, &'static str)>,
    /// Counted since it was last told.
    counts: BTreeMap<&'static str, u64>,
}

/// Messages a second, over the last minute.
struct Rate {
    counts: [u32; RATE_SECS],
    /// The second that the newest count is of.
    second: u64,
}

/// How far a clock is ahead, by the least delayed message of the last two windows.
#[derive(Default)]
pub(super) struct Offset {
    begun: Duration,
    now: Option<Span>,
    before: Option<Span>,
    /// Since when all messages say that it is far less ahead than it was, and the least delayed of them.
    lower: Option<(Duration, Span)>,
}

/// Whether what a source weighs differs from message to message, as with every sensor that has noise.
#[derive(Default)]
struct Noise {
    /// Checksum of what the last message said.
    shown: Option<u32>,
    /// Since when each message differed from the one before it, and how many did.
    differs: Option<(Duration, u32)>,
    /// Since when each message is like the one before it.
    same: Option<Duration>,
    /// Whether it has noise.
    trembles: bool,
}

impl Boards {
    /// Begins with those that the shop's file names.
    pub(super) fn new(named: &[Board], kind: DeviceKind) -> Self {
        let watch = |board: &Board| {
            let mut watch = Watch::new(kind);
            (watch.silence, watch.rate_hertz, watch.enabled) = (board.silence, board.rate_hertz, board.enabled);
            (board.source.clone(), watch)
        };
        Boards { by_source: named.iter().map(watch).collect() }
    }

    /// Whether facts of a source are taken.
    pub(super) fn admits(&self, source: &str) -> Result<(), Reason> {
        match self.by_source.get(source) {
            Some(watch) if watch.enabled => Ok(()),
            Some(_) => Err(Reason::Disabled),
            None if self.by_source.len() < SOURCES_MAX => Ok(()),
            None => Err(Reason::TooManySources),
        }
    }

    /// A fact came; `shows` is a checksum of what it weighed, where it weighs.
    pub(super) fn heard(&mut self, stamp: &Stamp, topic: Topic, shows: Option<u32>, moment: Moment) {
        let kind = match topic {
            Topic::Gate => DeviceKind::Gate,
            Topic::People | Topic::Seen => DeviceKind::People,
            Topic::Door => DeviceKind::Door,
            Topic::Tags => DeviceKind::Reader,
            _ => DeviceKind::Board,
        };
        let watch = self.watch(stamp.source.as_str(), kind);
        watch.kind = kind;
        watch.is_steady |= matches!(topic, Topic::Plates | Topic::People | Topic::Seen);
        watch.arrive(moment);
        watch.clock.take(stamp.at - stamp.arrived, moment.elapsed);
        if shows.is_some_and(|shows| watch.noise.take(shows, moment.elapsed)) {
            watch.count("repeats", 1);
        }
        // Of one device a lower number is of an earlier time.
        let falls = |(last, at): (u64, ShopTime)| {
            stamp.sequence + OVERTAKEN_MAX < last || stamp.sequence == last || stamp.sequence < last && at < stamp.at
        };
        if watch.sequence.is_some_and(falls) {
            watch.fall(moment.elapsed);
        }
        watch.sequence = Some((stamp.sequence, stamp.at));
    }

    /// A gate asked something.
    pub(super) fn asked(&mut self, gate: &str, moment: Moment) {
        let watch = self.watch(gate, DeviceKind::Gate);
        watch.kind = DeviceKind::Gate;
        watch.first.get_or_insert(moment.elapsed);
        watch.last = Some(moment);
        watch.rate.count(moment.elapsed);
        watch.count("asked", 1);
    }

    /// Something came from a source that speaks in another way than by facts; how far its clock is ahead, if that is known.
    pub(super) fn stirred(&mut self, source: &str, ahead: Option<Span>, moment: Moment) {
        let watch = self.watch(source, DeviceKind::Board);
        watch.is_steady = true;
        watch.arrive(moment);
        if let Some(ahead) = ahead {
            watch.clock.take(ahead, moment.elapsed);
        }
    }

    /// A message of a source that is known became no fact; whether it is known.
    pub(super) fn dropped(&mut self, source: &str, reason: Reason, moment: Moment) -> bool {
        let Some(watch) = self.by_source.get_mut(source) else { return false };
        watch.count(reason.counter(), 1);
        if matches!(reason, Reason::Undecodable | Reason::TooLarge | Reason::WrongSource | Reason::Retained) {
            watch.unread = Some((moment.elapsed, reason));
        }
        true
    }

    /// Counts something of a source.
    pub(super) fn count(&mut self, source: &str, what: &'static str, more: u64) {
        self.watch(source, DeviceKind::Board).count(what, more);
    }

    /// The numbers of a source do not follow each other.
    pub(super) fn fell(&mut self, source: &str, elapsed: Duration) {
        self.watch(source, DeviceKind::Board).fall(elapsed);
    }

    /// What is known of a source beside its messages; none where that is over.
    pub(super) fn tell(&mut self, source: &str, told: Option<(HealthWord, &'static str, &'static str)>) {
        self.watch(source, DeviceKind::Board).told = told;
    }

    /// Writes down how all are.
    pub(super) fn report(&mut self, moment: Moment, health: &HealthBoard) {
        for (source, watch) in &mut self.by_source {
            if health.get(source).is_none() {
                health.add(DeviceHealth::new(source, watch.kind, moment.now));
            }
            health.with(source, |device| watch.report(moment, device));
        }
    }

    fn watch(&mut self, source: &str, kind: DeviceKind) -> &mut Watch {
        if !self.by_source.contains_key(source) {
            self.by_source.insert(source.to_owned(), Watch::new(kind));
        }
        // It was put there.
        self.by_source.entry(source.to_owned()).or_insert_with(|| Watch::new(kind))
    }
}

impl Watch {
    fn new(kind: DeviceKind) -> Self {
        Watch {
            silence: SILENCE,
            rate_hertz: None,
            enabled: true,
            kind,
            is_steady: false,
            first: None,
            last: None,
            rate: Rate::new(),
            clock: Offset::default(),
            noise: Noise::default(),
            sequence: None,
            falls: VecDeque::new(),
            unread: None,
            told: None,
            counts: BTreeMap::new(),
        }
    }

    fn count(&mut self, what: &'static str, more: u64) {
        *self.counts.entry(what).or_default() += more;
    }

    fn arrive(&mut self, moment: Moment) {
        if self.last.is_some_and(|last| self.is_silent(last, moment.elapsed)) {
            // That it was away was told; its rate is that of what comes from now on.
            (self.first, self.rate) = (None, Rate::new());
            self.count("silences", 1);
        }
        self.first.get_or_insert(moment.elapsed);
        self.last = Some(moment);
        self.rate.count(moment.elapsed);
        self.count("received", 1);
    }

    fn is_silent(&self, last: Moment, elapsed: Duration) -> bool {
        self.is_steady && self.silence.as_secs() < elapsed.saturating_sub(last.elapsed).as_secs_f64()
    }

    fn fall(&mut self, elapsed: Duration) {
        self.count("sequence_falls", 1);
        self.falls.push_back(elapsed);
        if FALLS_MIN < self.falls.len() {
            self.falls.pop_front();
        }
    }

    fn report(&mut self, moment: Moment, device: &mut DeviceHealth) {
        for (what, more) in std::mem::take(&mut self.counts) {
            device.count(what, more);
        }
        device.kind = self.kind;
        device.expected_hertz = self.rate_hertz;
        // Gates may speak over HTTP as well.
        device.heard = device.heard.max(self.last.map(|last| last.now));
        device.rate_hertz = self.first.map(|first| self.rate.hertz(first, moment.elapsed));
        device.clock_offset_secs = self.clock.ahead().map(Span::as_secs);
        let (word, cause, remedy) = self.judge(moment.elapsed, device.rate_hertz);
        if word == HealthWord::Offline {
            device.rate_hertz = Some(0.0);
        }
        device.say(word, cause.as_deref(), remedy, moment.now);
    }

    /// How it is, why, and what to do.
    fn judge(&self, elapsed: Duration, rate: Option<f64>) -> (HealthWord, Option<String>, Option<&'static str>) {
        let recent = |at: &Duration| elapsed.saturating_sub(*at) < TROUBLE_SPAN;
        if !self.enabled {
            let cause = "the shop's file says that it is not to be used".to_owned();
            return (HealthWord::Disabled, Some(cause), Some("say `enabled = true` in devices.toml"));
        }
        let Some(last) = self.last else {
            let remedy = "check that it has power and network, and publishes below the shop's topic";
            return (HealthWord::Offline, Some("nothing has come from it yet".to_owned()), Some(remedy));
        };
        if let Some((HealthWord::Offline, cause, remedy)) = self.told {
            return (HealthWord::Offline, Some(cause.to_owned()), Some(remedy));
        }
        if self.is_silent(last, elapsed) {
            let cause = format!("nothing has come from it for more than {} s", self.silence.as_secs());
            return (HealthWord::Offline, Some(cause), Some("check its power and its network"));
        }
        if let Some((word, cause, remedy)) = self.told {
            return (word, Some(cause.to_owned()), Some(remedy));
        }
        if self.noise.is_frozen(last.elapsed, self.silence) {
            let secs = self.silence.as_secs();
            let cause = format!("what it weighs has not changed in any digit for more than {secs} s");
            return (HealthWord::Frozen, Some(cause), Some("restart it; look whether its scales are connected"));
        }
        if FALLS_MIN <= self.falls.len() && self.falls.iter().all(recent) {
            let cause = "its numbers fall back again and again: two devices seem to send under this name".to_owned();
            return (HealthWord::Degraded, Some(cause), Some("give each device a source of its own"));
        }
        if let Some((_, reason)) = self.unread.filter(|(at, _)| recent(at)) {
            let cause = format!("some of its messages are dropped: {}", reason.name().replace('_', " "));
            let remedy = match reason {
                Reason::Retained => "publish measurements without the retain flag, and clear what the broker keeps",
                Reason::WrongSource => "let its stamps name the source that its topic names",
                Reason::TooLarge => "send fewer rows at a time: a message has at most 1 MiB",
                _ => "look at the messages in the folder of what could not be read",
            };
            return (HealthWord::Degraded, Some(cause), Some(remedy));
        }
        if let Some(ahead) = self.clock.ahead().filter(|ahead| CLOCK_OFF_SPAN_MAX < ahead.abs()) {
            let way = if Span::ZERO < ahead { "ahead" } else { "behind" };
            let cause = format!("its clock is {:.1} s {way}", ahead.abs().as_secs());
            return (HealthWord::Degraded, Some(cause), Some("let it set its clock from the network (NTP)"));
        }
        let is_known = self.first.is_some_and(|first| RATE_KNOWN <= elapsed.saturating_sub(first));
        match (self.rate_hertz, rate.filter(|_| is_known)) {
            (Some(expected), Some(rate)) if rate < RATE_SHARE_MIN * expected => {
                let cause = format!("{rate:.1} messages a second, where {expected} are expected");
                (HealthWord::Degraded, Some(cause), Some("check its load and its network"))
            }
            _ => (HealthWord::Online, None, None),
        }
    }
}

impl Rate {
    const fn new() -> Self {
        Rate { counts: [0; RATE_SECS], second: 0 }
    }

    fn count(&mut self, elapsed: Duration) {
        self.go_to(elapsed.as_secs());
        self.counts[self.second as usize % RATE_SECS] += 1;
    }

    fn go_to(&mut self, second: u64) {
        let passed = second.saturating_sub(self.second).min(RATE_SECS as u64);
        for one in second + 1 - passed..=second {
            self.counts[one as usize % RATE_SECS] = 0;
        }
        self.second = self.second.max(second);
    }

    /// Messages a second over the last minute, or since the first one.
    fn hertz(&mut self, first: Duration, elapsed: Duration) -> f64 {
        self.go_to(elapsed.as_secs());
        // The oldest of the sixty counts is of a whole second, the newest of a part of one.
        let window = (RATE_SECS - 1) as f64 + f64::from(elapsed.subsec_nanos()) * 1e-9;
        let span = elapsed.saturating_sub(first).as_secs_f64().min(window).max(1.0);
        f64::from(self.counts.iter().sum::<u32>()) / span
    }
}

impl Offset {
    pub(super) fn take(&mut self, ahead: Span, elapsed: Duration) {
        if OFFSET_WINDOW <= elapsed.saturating_sub(self.begun) {
            (self.begun, self.before, self.now) = (elapsed, self.now, None);
        }
        // A message that was held up comes among others that were not; a clock that was set right says so in all of them.
        let is_lower = |told: Span| CLOCK_OFF_SPAN_MAX < told && CLOCK_OFF_SPAN_MAX < told - ahead;
        if self.ahead().is_some_and(is_lower) {
            let (since, least_delayed) = self.lower.map_or((elapsed, ahead), |(since, most)| (since, most.max(ahead)));
            self.lower = Some((since, least_delayed));
            if SET_RIGHT <= elapsed.saturating_sub(since) {
                *self = Offset { begun: elapsed, now: Some(least_delayed), before: None, lower: None };
            }
            return;
        }
        self.lower = None;
        // A message can only be delayed, so the one that is furthest ahead is nearest to the truth.
        self.now = self.now.max(Some(ahead));
    }

    pub(super) fn ahead(&self) -> Option<Span> {
        self.now.max(self.before)
    }
}

impl Noise {
    /// Takes what a message says; whether it repeats the one before it, which noise never does.
    fn take(&mut self, shows: u32, elapsed: Duration) -> bool {
        if self.shown.replace(shows) == Some(shows) {
            self.same.get_or_insert(elapsed);
            self.differs = None;
            return self.trembles;
        }
        self.same = None;
        let (since, count) = self.differs.get_or_insert((elapsed, 0));
        *count += 1;
        self.trembles |= TREMBLES <= elapsed.saturating_sub(*since) && TREMBLES_MIN <= *count;
        false
    }

    /// Whether it has noise and repeated itself for longer than `most` when it was heard last.
    fn is_frozen(&self, heard: Duration, most: Span) -> bool {
        self.trembles && self.same.is_some_and(|same| most.as_secs() < heard.saturating_sub(same).as_secs_f64())
    }
}
