//! An open shop from its parts: which threads there are, in which order they start and stop.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::boards::Boards;
use super::core::{Core, Course};
use super::eyes::Lost;
use super::journal::Journal;
use super::record::{RecordLimits, Recorder};
use super::screens::Screens;
use super::shop::{Began, Live, Payers};
use crate::base::limits::INTAKE_FACTS_MAX;
use crate::base::{Error, Result};
use crate::facts::Cut;
use crate::ingest::devices::Devices;
use crate::pipeline::Options;
use crate::ports::{Clock, HealthBoard, Intake, LiveBoard, ReportBoard};
use crate::till::{Bell, Till, lock};

/// How a shop is opened.
pub struct Opening {
    /// Its devices.
    pub devices: Devices,
    /// Who pays.
    pub payers: Payers,
    /// Folder of the journal.
    pub journal: PathBuf,
    /// Where everything is recorded, how deep, and how much of it is kept; nothing without it.
    pub record: Option<(PathBuf, Cut, RecordLimits)>,
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
}

/// A shop that is open.
pub struct OpenShop {
    intake: Intake,
    /// Closed when the shop closes.
    stop: Sender<()>,
    core: JoinHandle<Result<()>>,
    failed: Receiver<()>,
}

impl OpenShop {
    /// Opens the shop where its book and its journal are: first the core, then whatever speaks to it.
    ///
    /// # Errors
    /// When the book, the journal or the folder of the recording cannot be used. Devices that are away are no error.
    pub fn start(opening: Opening, around: Surroundings) -> Result<Self> {
        let Surroundings { till, clock, bell, reports, health, screens } = around;
        let shop = lock(&till).shop().clone();
        let journal = Journal::open(&opening.journal, shop.name())?;
        let record = opening.record.map(|(folder, cut, limits)| Recorder::open(&folder, &shop, cut, limits));
        let recorder = record.transpose()?;
        let (live, began) = Live::open(&mut lock(&till), opening.payers, Options::USUAL, clock.clone())?;
        tell_began(&began);
        let (intake, facts) = Intake::bounded(INTAKE_FACTS_MAX);
        let (stop, stopped) = bounded(0);
        let (failing, failed) = bounded(1);
        let mut core = Core {
            live: live.showing_on(reports),
            till,
            journal,
            recorder,
            boards: Boards::new(&opening.devices, health, clock.now()),
            clock,
            intake: facts,
            stop: stopped,
            failed: failing,
            bell,
            screens: Screens::new(screens),
            lost: Lost::default(),
            has_cameras: !opening.devices.cameras.is_empty(),
            course: Course::default(),
        };
        let replayed = core.resume(&began)?;
        if 0 < replayed.facts || 0 < replayed.lost {
            tracing::info!(facts = replayed.facts, lost = replayed.lost, torn = replayed.torn, "the journal was taken");
        }
        let core = thread::Builder::new().name("core".to_owned()).spawn(move || core.run());
        let core = core.map_err(|error| Error::unavailable(format!("no thread for the core: {error}")))?;
        Ok(OpenShop { intake, stop, core, failed })
    }

    /// Where devices, gates and tests put facts.
    pub fn intake(&self) -> Intake {
        self.intake.clone()
    }

    /// Is ready when the core cannot go on; [`OpenShop::stop`] then says why.
    pub fn failed(&self) -> Receiver<()> {
        self.failed.clone()
    }

    /// Closes the shop: devices first, then the core, which takes what they had given. Who is inside stays inside.
    ///
    /// # Errors
    /// Why the core could not go on, if it could not.
    pub fn stop(self) -> Result<()> {
        drop(self.stop);
        self.core.join().unwrap_or_else(|_| Err(Error::unavailable("the core has panicked")))
    }
}

fn tell_began(began: &Began) {
    match began {
        Began::Fresh => tracing::info!("the shop opens with nobody inside"),
        Began::Resumed { taken } => tracing::info!(taken, "the shop goes on where the book is"),
        Began::Interrupted { carts, why } => tracing::warn!(carts, why, "open carts were put before a person"),
    }
}
