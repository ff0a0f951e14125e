//! What a recording holds of frames, from a first reading: how many of each camera, of which of them the truth is known,
//! and who is in them.

use std::collections::BTreeMap;
use std::path::Path;

use super::Spot;
use crate::base::{CameraId, Error, Result, ShopTime, VisitId};
use crate::facts::Body;
use crate::ports::FactSource;
use crate::recording::{Entry, Reader};
use crate::shop::{Camera, Shop};
use crate::truth::Truth;

/// The frames of a recording, without their pictures.
pub(super) struct Index {
    pub(super) shop: Shop,
    pub(super) truth: Truth,
    /// Frames that were left out because nothing is known of them.
    pub(super) unlabelled: u64,
    /// The earliest instant of a frame or of its truth.
    pub(super) begin: ShopTime,
    /// In the order of the shop's cameras.
    tracks: Vec<Film>,
    visits: BTreeMap<VisitId, u32>,
}

/// Numbers of the frames of one camera, rising.
#[derive(Default)]
struct Film {
    frames: Vec<u64>,
    labelled: Vec<u64>,
}

impl Index {
    /// Reads a recording through.
    ///
    /// # Errors
    /// When it cannot be read, or has no frames.
    pub(super) fn of(recording: &Path, progress: &mut dyn FnMut(u64)) -> Result<Self> {
        let mut reader = Reader::open(recording)?.check()?;
        let shop = reader.shop().clone();
        let mut tracks: Vec<Film> = shop.cameras().iter().map(|_| Film::default()).collect();
        let mut visits = BTreeMap::new();
        let mut begin: Option<ShopTime> = None;
        let truth = reader.truth().cloned().unwrap_or_default();
        truth.receipts.iter().for_each(|purchase| number(&mut visits, purchase.target_id));
        while let Some(entry) = reader.next_entry()? {
            progress(reader.position());
            let (at, camera, sequence, known) = match &entry {
                Entry::Fact(fact) => match &fact.body {
                    Body::Frame(frame) => (fact.stamp.at, &frame.camera, fact.stamp.sequence, false),
                    _ => continue,
                },
                Entry::Frame(truth) => {
                    truth.people.iter().for_each(|body| number(&mut visits, body.visit));
                    (truth.at, &truth.camera, truth.sequence, true)
                }
                Entry::Scene(scene) => {
                    scene.people.iter().for_each(|body| number(&mut visits, body.visit));
                    continue;
                }
            };
            let film = place(&shop, camera).map(|place| &mut tracks[place]);
            let Some(film) = film else {
                let sentence = format!("it has a frame of camera `{camera}`, which its shop does not have");
                return Err(Error::input(sentence).at_path(recording));
            };
            if known {
                film.labelled.push(sequence)
            } else {
                film.frames.push(sequence)
            }
            begin = Some(begin.map_or(at, |begin| begin.min(at)));
        }
        for film in &mut tracks {
            for numbers in [&mut film.frames, &mut film.labelled] {
                numbers.sort_unstable();
                numbers.dedup();
            }
        }
        if tracks.iter().all(|film| film.frames.is_empty()) {
            let hint =
                "pictures are in recordings of cut raw, such as those of `aisle simulate` for a shop with cameras";
            return Err(Error::input("this recording has no frames").at_path(recording).hint(hint));
        }
        let begin = begin.unwrap_or(ShopTime::from_nanos(0));
        Ok(Index { shop, truth, unlabelled: 0, begin, tracks, visits })
    }

    /// Leaves out the frames of which nobody knows what they show.
    ///
    /// # Errors
    /// When nothing is known of any.
    pub(super) fn keep_labelled(&mut self, recording: &Path) -> Result<()> {
        for film in &mut self.tracks {
            let all = film.frames.len();
            film.frames.retain(|sequence| film.labelled.binary_search(sequence).is_ok());
            self.unlabelled += (all - film.frames.len()) as u64;
        }
        if self.tracks.iter().all(|film| film.frames.is_empty()) {
            let hint = "`aisle export frames` and `preview` need none; simulated recordings have it";
            return Err(Error::input("this recording does not say what its frames show").at_path(recording).hint(hint));
        }
        Ok(())
    }

    /// Cameras that have pictures, with their numbers in the shop and how many pictures they have.
    pub(super) fn cameras(&self) -> impl Iterator<Item = (usize, &Camera, u64)> {
        let all = self.shop.cameras().iter().zip(&self.tracks).enumerate();
        all.map(|(number, (camera, film))| (number, camera, film.frames.len() as u64)).filter(|(.., count)| 0 < *count)
    }

    /// Where a frame stands; `None` for frames that are left out.
    pub(super) fn spot(&self, camera: &CameraId, sequence: u64) -> Option<Spot<'_>> {
        let camera = place(&self.shop, camera)?;
        let rank = self.tracks[camera].frames.binary_search(&sequence).ok()?;
        Some(Spot { camera, name: self.shop.cameras()[camera].id.as_str(), number: rank as u64 + 1 })
    }

    /// The number of a visit, from 1: those with receipts first, in the order of the truth, then as they were seen.
    pub(super) fn visit(&self, visit: VisitId) -> u32 {
        self.visits.get(&visit).copied().unwrap_or(0)
    }

    /// All visits by number.
    pub(super) fn visits(&self) -> Vec<VisitId> {
        let mut all: Vec<(u32, VisitId)> = self.visits.iter().map(|(visit, number)| (*number, *visit)).collect();
        all.sort_unstable();
        all.into_iter().map(|(_, visit)| visit).collect()
    }
}

fn place(shop: &Shop, camera: &CameraId) -> Option<usize> {
    shop.cameras().iter().position(|other| other.id == *camera)
}

fn number(visits: &mut BTreeMap<VisitId, u32>, visit: VisitId) {
    let next = visits.len() as u32 + 1;
    visits.entry(visit).or_insert(next);
}
