//! The devices of an open shop, as the core sees them: whose health changed, who shows nothing, whose clock was set right, and
//! whether book, journal and recording take what they are given. Devices judge themselves where they are spoken to; here is only
//! what follows from that.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};

use crate::base::{Error, Result, ShopTime, SourceId, Span};
use crate::facts::{Body, Fact};
use crate::ports::{Clock, DeviceHealth, DeviceKind, HealthBoard, HealthWord};

/// How often everybody is looked at.
const WATCH: Span = Span::from_millis(500);
/// Devices that were never named and speak to us directly; of more none is shown.
const STRANGERS_MAX: usize = 256;
/// A camera that is degraded and silent for so long shows nothing.
const SILENT: Span = Span::from_millis(2_000);
/// One that gives less than this part of its frames does not show enough.
const RATE_SHARE_MIN: f64 = 0.5;
/// What is lost of a camera's pictures on their way, and how much of it is too much at a time.
const LOSSES: [&str; 3] = ["dropped_undecodable", "lost_packets", "dropped_frozen"];
const LOST_MIN: u64 = 3;
/// Who stores and records.
const RECORDER: &str = "recorder";
pub(super) const BOOK: &str = "book";
pub(super) const JOURNAL: &str = "journal";
const BOOK_REMEDY: &str = "start its database, or make room on its disk; what is closed is kept in memory until then";
const JOURNAL_REMEDY: &str = "make room on its disk; until then nothing is acknowledged, and devices send it again";
/// What the core waits for no longer than this answers; how often that is looked at.
const ANSWERS: Span = Span::from_millis(2_000);
const LOOK: Duration = Duration::from_millis(250);

/// All devices.
pub(super) struct Watch {
    health: HealthBoard,
    /// What each was when it was last looked at.
    known: BTreeMap<String, HealthWord>,
    /// What each camera had lost, what came of it, and what nobody looked at, when that was last asked.
    lost: BTreeMap<String, [u64; 3]>,
    watched: Option<ShopTime>,
    strangers: usize,
}

impl Watch {
    /// Looks at the devices on this board.
    pub(super) fn new(health: HealthBoard) -> Self {
        Watch { health, known: BTreeMap::new(), lost: BTreeMap::new(), watched: None, strangers: 0 }
    }

    /// A fact arrived. Gates that speak over HTTP have nobody else who would note that.
    pub(super) fn hear(&mut self, fact: &Fact) {
        if !matches!(fact.body, Body::Gate(_)) {
            return;
        }
        let (source, arrived) = (fact.stamp.source.as_str(), fact.stamp.arrived);
        if self.health.get(source).is_none() {
            if STRANGERS_MAX <= self.strangers {
                return;
            }
            self.strangers += 1;
            let mut gate = DeviceHealth::new(source, DeviceKind::Gate, arrived);
            gate.say(HealthWord::Online, None, None, arrived);
            self.health.add(gate);
        }
        self.health.with(source, |gate| gate.heard = Some(arrived));
    }

    /// A time of this source was corrected, because its clock is so far ahead.
    pub(super) fn corrected(&mut self, source: &SourceId, ahead: Span, now: ShopTime) {
        if self.health.get(source.as_str()).is_none() {
            if STRANGERS_MAX <= self.strangers {
                return;
            }
            self.strangers += 1;
            let mut board = DeviceHealth::new(source.as_str(), DeviceKind::Board, now);
            board.say(
                HealthWord::Degraded,
                Some("its clock is wrong"),
                Some("set its clock, by NTP where it can"),
                now,
            );
            self.health.add(board);
        }
        self.health.with(source.as_str(), |device| {
            device.clock_offset_secs = Some(ahead.as_secs());
            device.count("clock_corrected", 1);
        });
    }

    /// The shop opens: book and journal can be used.
    pub(super) fn open(&self, now: ShopTime) {
        for (name, kind) in [(BOOK, DeviceKind::Book), (JOURNAL, DeviceKind::Journal)] {
            let mut store = DeviceHealth::new(name, kind, now);
            store.say(HealthWord::Online, None, None, now);
            (store.heard, _) = (Some(now), store.counters.insert("outages".to_owned(), 0));
            self.health.add(store);
        }
    }

    /// The book was written, or why it cannot be.
    pub(super) fn book(&self, refused: Option<&str>, now: ShopTime) {
        store(&self.health, BOOK, refused, now);
    }

    /// The journal has taken facts, or why it does not.
    pub(super) fn journal(&self, refused: Option<&str>, now: ShopTime) {
        store(&self.health, JOURNAL, refused, now);
    }

    /// Facts are recorded again.
    pub(super) fn recorded(&self, now: ShopTime) {
        self.health.with(RECORDER, |recorder| recorder.say(HealthWord::Online, None, None, now));
    }

    /// So many facts could not be recorded.
    pub(super) fn unrecorded(&self, facts: u64, now: ShopTime) {
        if self.health.get(RECORDER).is_none() {
            self.health.add(DeviceHealth::new(RECORDER, DeviceKind::Recorder, now));
        }
        self.health.with(RECORDER, |recorder| {
            recorder.counters.insert("unrecorded".to_owned(), facts);
            let cause = "facts could not be recorded";
            recorder.say(HealthWord::Degraded, Some(cause), Some("is there room on its disk?"), now)
        });
    }

    /// Cameras that should show something and do not, show less than half of it, or have lost some of it since this was asked last;
    /// and boards whose scales stand still.
    pub(super) fn blind(&mut self, now: ShopTime) -> u64 {
        let counted_before = &mut self.lost;
        let mut has_lost = |device: &DeviceHealth| {
            let count = |what: &str| device.counters.get(what).copied().unwrap_or(0);
            let counts = [LOSSES.into_iter().map(count).sum(), count("frames"), count("dropped_replaced")];
            let before = counted_before.insert(device.device.clone(), counts).unwrap_or_default();
            let [lost, came, unseen] = std::array::from_fn(|index| counts[index].saturating_sub(before[index]));
            // Of more than half of what came nobody saw anything: this machine does not keep up.
            LOST_MIN <= lost || LOST_MIN <= unseen && came < 2 * unseen
        };
        let is_blind = |device: &DeviceHealth| match device.health {
            HealthWord::Offline | HealthWord::Frozen => true,
            HealthWord::Online | HealthWord::Disabled => false,
            HealthWord::Degraded => {
                let is_silent = device.heard.is_none_or(|heard| SILENT < now - heard);
                let rates = device.rate_hertz.zip(device.expected_hertz);
                is_silent || rates.is_some_and(|(rate, expected)| rate < RATE_SHARE_MIN * expected)
            }
        };
        let all = self.health.all().into_iter();
        let blind = all.filter(|device| match device.kind {
            DeviceKind::Camera => has_lost(device) | is_blind(device),
            DeviceKind::Board => device.health == HealthWord::Frozen,
            _ => false,
        });
        blind.count() as u64
    }

    /// How the shop is, in a sentence.
    pub(super) fn sentence(&self) -> String {
        let is_away = |device: &DeviceHealth| !matches!(device.health, HealthWord::Online | HealthWord::Disabled);
        let away: Vec<String> = self.health.all().into_iter().filter(is_away).map(|device| device.device).collect();
        if away.is_empty() { "open".to_owned() } else { format!("open, without all of {}", away.join(", ")) }
    }

    /// Looks at everybody from time to time; gives those whose health has changed.
    pub(super) fn changed(&mut self, now: ShopTime) -> Vec<DeviceHealth> {
        if self.watched.is_some_and(|watched| (now - watched).abs() < WATCH) {
            return Vec::new();
        }
        self.watched = Some(now);
        let known = &mut self.known;
        let is_new = |device: &DeviceHealth| known.insert(device.device.clone(), device.health) != Some(device.health);
        let changed: Vec<DeviceHealth> = self.health.all().into_iter().filter(is_new).collect();
        for DeviceHealth { device, health, cause, .. } in &changed {
            match health {
                HealthWord::Online | HealthWord::Disabled => tracing::info!(%device, %health, "a device changed"),
                _ => {
                    tracing::warn!(%device, %health, cause = cause.as_deref().unwrap_or("unknown"), "a device changed")
                }
            }
        }
        changed
    }
}

/// A store took what it was given, or why it does not.
fn store(health: &HealthBoard, name: &str, refused: Option<&str>, now: ShopTime) {
    let remedy = if name == BOOK { BOOK_REMEDY } else { JOURNAL_REMEDY };
    let told = health.with(name, |store| match refused {
        None => {
            store.heard = Some(now);
            store.say(HealthWord::Online, None, None, now)
        }
        Some(cause) => {
            let is_new = store.say(HealthWord::Offline, Some(cause), Some(remedy), now);
            store.count("outages", u64::from(is_new));
            is_new
        }
    });
    if told == Some(true) {
        tracing::info!(device = name, cause = refused.unwrap_or("-"), "a store changed");
    }
}

/// What the core waits for just now, and since when. A core that waits for a database that does not answer cannot say so itself, so
/// a thread looks after it.
pub(super) struct Pulse {
    waits: Waits,
    clock: Arc<dyn Clock>,
    /// Nothing is sent; when it is dropped the thread ends.
    _alive: Sender<()>,
}

type Waits = Arc<Mutex<Option<(&'static str, ShopTime)>>>;

/// As long as this lives the core waits.
pub(super) struct Waiting(Waits);

impl Pulse {
    /// Looks after a core from now on.
    ///
    /// # Errors
    /// When there is no thread for it.
    pub(super) fn start(health: HealthBoard, clock: Arc<dyn Clock>) -> Result<Self> {
        let (waits, (alive, over)) = (Waits::default(), bounded::<()>(0));
        let (theirs, their_clock) = (waits.clone(), clock.clone());
        let look = move || {
            while over.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                let now = their_clock.now();
                // Told while it waits: what the core says when it waits no longer comes later.
                let waits = locked(&theirs);
                if let Some((name, _)) = waits.filter(|(_, since)| ANSWERS < (now - *since).abs()) {
                    let cause = format!("it has not answered for more than {} s", ANSWERS.as_secs());
                    store(&health, name, Some(&cause), now);
                }
            }
        };
        let spawned = thread::Builder::new().name("pulse".to_owned()).spawn(look);
        spawned.map_err(|error| Error::unavailable(format!("no thread that looks after the core: {error}")))?;
        Ok(Pulse { waits, clock, _alive: alive })
    }

    /// The core begins to wait for a store.
    pub(super) fn waits(&self, name: &'static str) -> Waiting {
        *locked(&self.waits) = Some((name, self.clock.now()));
        Waiting(self.waits.clone())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        *locked(&self.0) = None;
    }
}

fn locked<T>(waits: &Mutex<T>) -> MutexGuard<'_, T> {
    waits.lock().unwrap_or_else(PoisonError::into_inner)
}
