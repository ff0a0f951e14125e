//! A film, and everybody who plays it, in this process: rendered first, then shown by simulated cameras, boards and gates over a
//! broker of their own, with the truth aside.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use crossbeam_channel::Sender;

use super::boards::Boards;
use super::broker::Broker;
use super::cameras::Cameras;
use super::film::Film;
use super::folder;
use super::gates::Gates;
use super::live::{Devices, Manner, Player};
use super::render;
use crate::base::{Result, Secret, ShopTime, VisitId};
use crate::facts::GateScan;
use crate::recording::Reader;
use crate::shop::Shop;
use crate::sim::{FilmOptions, Options, Wires, moved_truth};
use crate::truth::Truth;

/// JPEG quality of the frames.
const QUALITY: u8 = 85;

/// What really happens in a film, in the times of the day on which it is played.
#[derive(Clone, Debug, Default)]
pub(in crate::cli) struct Cast {
    /// Receipts, actions, ghosts.
    pub(in crate::cli) truth: Truth,
    /// When each shopper was in the shop last.
    pub(in crate::cli) left: BTreeMap<VisitId, ShopTime>,
}

/// What became of a film that was played. The broker is there until this is [closed](Played::close), so that nobody misses it who
/// is still counting.
pub(in crate::cli) struct Played {
    /// What was shown at the gates, and which cart was opened for it.
    pub(in crate::cli) entered: Vec<(GateScan, Option<String>)>,
    /// Frames that were sent by the cameras.
    pub(in crate::cli) frames: u64,
    /// Messages that the broker had no room for.
    pub(in crate::cli) dropped: u64,
    /// What was lost on the way, where something was.
    pub(in crate::cli) lost: Option<String>,
    broker: Broker,
}

impl Played {
    /// Ends what is left.
    pub(in crate::cli) fn close(self) {
        self.broker.stop();
    }
}

/// A film that is ready to be played.
pub(in crate::cli) struct Staged {
    path: PathBuf,
    film: Film,
    cast: Cast,
    broker: Broker,
    boards: Boards,
    cameras: Cameras,
}

impl Staged {
    /// Renders a trip into this file, and starts everybody who will play it.
    ///
    /// # Errors
    /// When the shop does not hold together, the file cannot be written, or a port or thread cannot be had.
    pub(in crate::cli) fn render(options: &Options, path: &Path) -> Result<Self> {
        let mut left = BTreeMap::new();
        let film = FilmOptions { quality: QUALITY, varied: false };
        let (_, truth) = render((options, film), &options.shop, path, |scene| {
            left.extend(scene.people.iter().map(|body| (body.visit, scene.at)));
        })?;
        let film = Film::survey(path)?.without_people();
        let broker = Broker::start()?;
        let boards = Boards::start(&broker.address(), film.shop.name())?;
        let cameras = Cameras::start(([127, 0, 0, 1], 0).into(), &film.cameras)?;
        Ok(Staged { path: path.to_owned(), film, cast: Cast { truth, left }, broker, boards, cameras })
    }

    /// Writes a folder of the shop, whose devices are these.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(in crate::cli) fn write_shop(&self, folder: &Path) -> Result<()> {
        folder::write(folder, &self.film, Some(&self.broker.address()), |name| Some(self.cameras.url(name)), true)
    }

    /// The shop as the film knows it.
    pub(in crate::cli) fn shop(&self) -> &Shop {
        &self.film.shop
    }

    /// What will really happen, should it begin then.
    pub(in crate::cli) fn cast(&self, begins: ShopTime) -> Cast {
        let by = begins - self.film.first;
        let left = self.cast.left.iter().map(|(visit, at)| (*visit, *at + by)).collect();
        Cast { truth: moved_truth(&self.cast.truth, by), left }
    }

    /// Plays it; gates ask this API, with the operator's token in this file. It begins at an instant, which is a time of day, and
    /// ends with the film, or when it is asked to. `passes` is given the address of the page of the first shopper who is let in.
    ///
    /// # Errors
    /// When the film cannot be read, or a thread cannot be started.
    pub(in crate::cli) fn play(
        self,
        (api, token): (&str, &Path),
        (begins, clock): (ShopTime, Instant),
        asked: &Arc<AtomicBool>,
        passes: Sender<Secret<String>>,
    ) -> Result<Played> {
        let Staged { path, film, cast: _, broker, boards, cameras } = self;
        let gates = Gates::start(api, token, begins.as_nanos().to_string(), Some(passes))?;
        let devices = Devices { proxy: None, boards: Some(boards), cameras: Some(cameras), gates: Some(gates) };
        let wires = Wires::new(Vec::new(), film.first, begins, 0);
        let manner = Manner { speed: 1.0, with_people: false, with_gates: true };
        let mut player = Player::new(devices, wires, clock, manner).ends_when(asked);
        player.run(&mut Reader::open(&path)?, VecDeque::new())?;
        let (totals, entered) = player.finish();
        let lost = totals.judge().err().map(|error| error.to_string());
        let entered = entered.into_iter().map(|one| (one.scan, one.cart)).collect();
        let dropped = broker.counts().dropped_full;
        Ok(Played { entered, frames: totals.cameras.sent, dropped, lost, broker })
    }
}
