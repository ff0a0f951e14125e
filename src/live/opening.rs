//! What a shop needs to be opened, and what it shares with the rest of the process.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::record::RecordLimits;
use super::shop::Payers;
use crate::album::Album;
use crate::facts::Cut;
use crate::ingest::devices::Devices;
use crate::pipeline::Eyes;
use crate::ports::{Clock, GateDesk, HealthBoard, LiveBoard, PlateBoard, ReportBoard, SeenBoard};
use crate::telemetry::Exporter;
use crate::till::{Bell, Till};

/// How a shop is opened.
pub struct Opening {
    /// Its devices.
    pub devices: Devices,
    /// Who pays.
    pub payers: Payers,
    /// Who looks at the frames of its cameras; none where it has no cameras of its own.
    pub eyes: Option<Eyes>,
    /// Where spans of visits are sent; nowhere without it.
    pub exporter: Option<Exporter>,
    /// Folder of the journal.
    pub journal: PathBuf,
    /// File of what the shop learns; nothing is kept without it.
    pub learned: Option<PathBuf>,
    /// Folder where messages are kept that could not be read; without it they are only counted.
    pub unread: Option<PathBuf>,
    /// Where everything is recorded, how deep, and how much of it is kept; nothing without it.
    pub record: Option<(PathBuf, Cut, RecordLimits)>,
    /// Where pictures around changes on shelves are kept; nowhere without it.
    pub album: Option<Arc<Album>>,
}

/// What an open shop shares with others.
#[derive(Clone)]
pub struct Surroundings {
    /// The book.
    pub till: Arc<Mutex<Till>>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Rung when something was closed.
    pub bell: Bell,
    /// Where stages report.
    pub reports: ReportBoard,
    /// The health of all devices.
    pub health: HealthBoard,
    /// What screens see.
    pub screens: LiveBoard,
    /// What plates felt lately.
    pub plates: PlateBoard,
    /// What cameras saw last.
    pub seen: SeenBoard,
    /// Who answers gates that ask over MQTT.
    pub desk: GateDesk,
}
