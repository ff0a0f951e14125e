//! How every device is, in words that are the same everywhere: on the page, in the API, in metrics, on MQTT.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::ShopTime;

crate::named_enum! {
    /// How a device is.
    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum HealthWord as "health" {
        /// It does what it should.
        Online = "online",
        /// It works, and less well than it should.
        Degraded = "degraded",
        /// It is connected and shows the same all the time.
        Frozen = "frozen",
        /// Nothing comes from it.
        Offline = "offline",
        /// The shop's file says that it is not to be used.
        Disabled = "disabled",
    }
}

crate::named_enum! {
    /// What a device is.
    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum DeviceKind as "kind of device" {
        /// A camera.
        Camera = "camera",
        /// The MQTT broker.
        Broker = "broker",
        /// Whoever sends weights: a board, a gateway.
        Board = "board",
        /// Whoever sends people or detections.
        People = "people",
        /// A gate or a terminal.
        Gate = "gate",
        /// A switch at a door.
        Door = "door",
        /// A reader of RFID tags.
        Reader = "reader",
        /// What records the open shop.
        Recorder = "recorder",
        /// The database of the book.
        Book = "book",
        /// Where facts are stored before whoever sent them is told so.
        Journal = "journal",
    }
}

/// How one device is, judged by when its messages arrived and never by what its clock says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceHealth {
    /// Its name, as the shop's files and its facts have it: `camera/left`, `gondola/1`, `broker`.
    pub device: String,
    /// What it is.
    pub kind: DeviceKind,
    /// How it is.
    pub health: HealthWord,
    /// Since when.
    pub since: ShopTime,
    /// Why, unless it is well.
    pub cause: Option<String>,
    /// What somebody can do about it.
    pub remedy: Option<String>,
    /// When something arrived from it last.
    pub heard: Option<ShopTime>,
    /// Messages or frames a second over the last minute.
    pub rate_hertz: Option<f64>,
    /// What it should be, where the shop says.
    pub expected_hertz: Option<f64>,
    /// How far its clock is ahead of ours, seconds, where that can be known.
    pub clock_offset_secs: Option<f64>,
    /// Until when the certificates hold with which it is spoken to, by the key of the shop's file that names them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub certificates: BTreeMap<String, ShopTime>,
    /// Everything that is counted about it, by name: `received`, `reconnects`, `dropped_undecodable` and so on. Counters only
    /// rise while the process lives.
    pub counters: BTreeMap<String, u64>,
}

impl DeviceHealth {
    /// A device of which nothing has come yet.
    pub fn new(device: &str, kind: DeviceKind, now: ShopTime) -> Self {
        DeviceHealth {
            device: device.to_owned(),
            kind,
            health: HealthWord::Offline,
            since: now,
            cause: Some("nothing has come from it yet".to_owned()),
            remedy: None,
            heard: None,
            rate_hertz: None,
            expected_hertz: None,
            clock_offset_secs: None,
            certificates: BTreeMap::new(),
            counters: BTreeMap::new(),
        }
    }

    /// Counts more of something.
    pub fn count(&mut self, what: &str, more: u64) {
        match self.counters.get_mut(what) {
            Some(count) => *count += more,
            None => drop(self.counters.insert(what.to_owned(), more)),
        }
    }

    /// Says how it is; whether that is a change. `since` stays where the word stays.
    pub fn say(&mut self, health: HealthWord, cause: Option<&str>, remedy: Option<&str>, now: ShopTime) -> bool {
        let changed = self.health != health;
        if changed {
            (self.health, self.since) = (health, now);
        }
        (self.cause, self.remedy) = (cause.map(str::to_owned), remedy.map(str::to_owned));
        changed
    }
}

/// The health of all devices, shared: devices write, everybody reads.
#[derive(Clone, Debug, Default)]
pub struct HealthBoard(Arc<Mutex<BTreeMap<String, DeviceHealth>>>);

impl HealthBoard {
    /// Adds a device that the shop should have.
    pub fn add(&self, health: DeviceHealth) {
        self.lock().insert(health.device.clone(), health);
    }

    /// Changes what is known of a device, if it is known.
    pub fn with<T>(&self, device: &str, change: impl FnOnce(&mut DeviceHealth) -> T) -> Option<T> {
        self.lock().get_mut(device).map(change)
    }

    /// How one device is.
    pub fn get(&self, device: &str) -> Option<DeviceHealth> {
        self.lock().get(device).cloned()
    }

    /// How all are, by name.
    pub fn all(&self) -> Vec<DeviceHealth> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, DeviceHealth>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
