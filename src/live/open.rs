//! An open shop from its parts: which threads there are, in which order they start and stop.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::core::{Core, first_track};
use super::eyes::Vision;
use super::opening::{Opening, Surroundings};
use super::plan::{PLAN, Queue};
use crate::album::{Album, Maker, ReachSender, Ring};
use crate::base::limits::INTAKE_FACTS_MAX;
use crate::base::{Error, Result};
use crate::facts::Cut;
use crate::ingest::cameras::{Cameras, Frames};
use crate::ingest::devices::Devices;
use crate::ingest::mqtt::{self, Mqtt};
use crate::ports::Intake;
use crate::shop::Shop;
use crate::till::lock;
use crate::tracking::Sight;

/// How long what was received over MQTT may take to be kept while the shop closes.
const PATIENCE: Duration = Duration::from_secs(5);

/// A shop that is open.
pub struct OpenShop {
    intake: Intake,
    frames: Frames,
    cameras: Option<Cameras>,
    vision: Option<JoinHandle<()>>,
    mqtt: Option<Mqtt>,
    pictures: Option<JoinHandle<()>>,
    /// Closed when vision, then the core, and then whoever keeps pictures, are to end.
    stop: [Option<Sender<()>>; 3],
    core: JoinHandle<Result<()>>,
    failed: Receiver<()>,
}

impl OpenShop {
    /// Opens the shop where its book and its journal are: first the core, then whatever speaks to it.
    ///
    /// # Errors
    /// When the book, the journal or the folder of the recording cannot be used. Devices that are away are no error.
    pub fn start(mut opening: Opening, around: Surroundings) -> Result<Self> {
        let shop = lock(&around.till).shop().clone();
        for Queue { name, from, to, of, holds, holds_bytes, when_full } in PLAN {
            tracing::debug!(name, from, to, of, holds, ?holds_bytes, ?when_full, "a queue");
        }
        let (intake, facts) = Intake::bounded(INTAKE_FACTS_MAX);
        let ((stop_vision, vision_stopped), (stop_core, core_stopped)) = (bounded(0), bounded(0));
        let (failing, failed) = bounded(1);
        let (stop_pictures, pictures_stopped) = bounded(0);
        let (pictures, maker) = keep_pictures(opening.album.as_ref(), &shop, &around, pictures_stopped)?;
        let ring = pictures.as_ref().map(|(ring, _)| ring.clone());
        let (mut core, began) = Core::open(&mut opening, (&around, pictures), facts, core_stopped, failing)?;
        let (replayed, seen) = core.resume(&began)?;
        if 0 < replayed.facts || 0 < replayed.lost {
            tracing::info!(facts = replayed.facts, lost = replayed.lost, torn = replayed.torn, "the journal was taken");
        }
        let lost = core.lost.clone();
        let core = thread::Builder::new().name("core".to_owned()).spawn(move || core.run());
        let core = core.map_err(|error| Error::unavailable(format!("no thread for the core: {error}")))?;
        let mut open = OpenShop {
            intake: intake.clone(),
            frames: Frames::default(),
            cameras: None,
            vision: None,
            mqtt: None,
            pictures: maker,
            stop: [Some(stop_vision), Some(stop_core), Some(stop_pictures)],
            core,
            failed,
        };
        let Opening { devices, eyes, record, unread, .. } = opening;
        let Surroundings { clock, health, reports, seen: saw, desk, .. } = around;
        if let Some(eyes) = eyes {
            let sight = Sight::beginning_with(&shop, first_track(clock.now()));
            let (frames, cut) = (open.frames.clone(), record.map_or(Cut::Tracked, |(_, cut, _)| cut));
            let (intake, stop) = (intake.clone(), vision_stopped);
            let vision = Vision { eyes, sight, frames, intake, cut, lost, reports, seen: saw, ring, stop };
            open.vision = Some(vision.start()?);
        }
        let (frames, views) = (open.frames.clone(), shop.cameras());
        open.cameras = Some(Cameras::start(&devices.cameras, views, frames, health.clone(), clock.clone())?);
        if let Some(broker) = devices.broker {
            let Devices { sparkplug, boards, .. } = devices;
            let settings = mqtt::Settings { shop: shop.name().to_owned(), broker, sparkplug, boards, unread };
            open.mqtt = Some(Mqtt::start(settings, mqtt::Ports { intake, health, clock, seen, desk })?);
        }
        Ok(open)
    }

    /// Where devices, gates and tests put facts.
    pub fn intake(&self) -> Intake {
        self.intake.clone()
    }

    /// The newest frame of each camera.
    pub fn frames(&self) -> Frames {
        self.frames.clone()
    }

    /// Is ready when the core cannot go on; [`OpenShop::stop`] then says why.
    pub fn failed(&self) -> Receiver<()> {
        self.failed.clone()
    }

    /// Closes the shop: devices first, then vision, then the core, which takes what they had given. Who is inside stays inside.
    ///
    /// # Errors
    /// Why the core could not go on, if it could not.
    pub fn stop(self) -> Result<()> {
        let OpenShop { mqtt, cameras, vision, pictures, stop: [stop_vision, stop_core, stop_pictures], core, .. } =
            self;
        if let Some(mqtt) = mqtt {
            mqtt.stop(PATIENCE);
        }
        drop(cameras);
        drop(stop_vision);
        if let Some(Err(_)) = vision.map(JoinHandle::join) {
            tracing::error!("vision has panicked");
        }
        drop(stop_core);
        let closed = core.join().unwrap_or_else(|_| Err(Error::unavailable("the core has panicked")));
        drop(stop_pictures);
        if let Some(Err(_)) = pictures.map(JoinHandle::join) {
            tracing::error!("whoever keeps pictures has panicked");
        }
        closed
    }
}

/// Where frames are held and changes are told of, for whoever keeps pictures, and its thread.
type Pictures = (Option<(Ring, ReachSender)>, Option<JoinHandle<()>>);

fn keep_pictures(
    album: Option<&Arc<Album>>,
    shop: &Arc<Shop>,
    around: &Surroundings,
    stop: Receiver<()>,
) -> Result<Pictures> {
    let Some(album) = album else { return Ok((None, None)) };
    let started = Maker::start(album, shop, (around.clock.clone(), around.health.clone()), stop)?;
    Ok(started.map_or((None, None), |(ring, sender, thread)| (Some((ring, sender)), Some(thread))))
}
