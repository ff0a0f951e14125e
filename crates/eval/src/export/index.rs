//! What a recording holds of frames, from a first reading: how many of each camera, how large their pictures are, of which
//! of them the truth is known, and who is in them.

use std::collections::BTreeMap;
use std::path::Path;

use super::{LeftOut, Spot};
use crate::base::limits::FRAME_SIZES_MAX;
use crate::base::{CameraId, Error, Result, ShopTime, VisitId};
use crate::facts::{Body, Frame};
use crate::geometry::Affine;
use crate::image::picture_head;
use crate::ports::FactSource;
use crate::recording::{Entry, Reader};
use crate::shop::{Camera, Shop};
use crate::truth::Truth;

/// The frames of a recording, without their pictures.
pub(super) struct Index {
    pub(super) shop: Shop,
    pub(super) truth: Truth,
    /// Frames that were left out.
    pub(super) left_out: LeftOut,
    /// The earliest instant of a frame or of its truth.
    pub(super) begin: ShopTime,
    /// In the order of the shop's cameras.
    tracks: Vec<Film>,
    visits: BTreeMap<VisitId, u32>,
}

/// The frames of one camera, by rising numbers.
#[derive(Default)]
struct Film {
    frames: Vec<Known>,
    /// How many were left out because of their pictures.
    lost: usize,
    labelled: Vec<u64>,
}

/// What the head of a frame's picture says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Known {
    sequence: u64,
    size_pixels: [u32; 2],
    ending: &'static str,
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
        let mut left_out = LeftOut::default();
        let truth = reader.truth().cloned().unwrap_or_default();
        truth.receipts.iter().for_each(|purchase| number(&mut visits, purchase.target_id));
        while let Some(entry) = reader.next_entry()? {
            progress(reader.position());
            let (at, camera, sequence, frame) = match &entry {
                Entry::Fact(fact) => match &fact.body {
                    Body::Frame(frame) => (fact.stamp.at, &frame.camera, fact.stamp.sequence, Some(frame)),
                    _ => continue,
                },
                Entry::Frame(truth) => {
                    truth.people.iter().for_each(|body| number(&mut visits, body.visit));
                    (truth.at, &truth.camera, truth.sequence, None)
                }
                Entry::Scene(scene) => {
                    scene.people.iter().for_each(|body| number(&mut visits, body.visit));
                    continue;
                }
            };
            let Some(place) = place(&shop, camera) else {
                let sentence = format!("it has a frame of camera `{camera}`, which its shop does not have");
                return Err(Error::input(sentence).at_path(recording));
            };
            match frame.map(|frame| left_out.judge(&shop.cameras()[place], frame, sequence)) {
                Some(Some(known)) => tracks[place].frames.push(known),
                Some(None) => tracks[place].lost += 1,
                None => tracks[place].labelled.push(sequence),
            }
            begin = Some(begin.map_or(at, |begin| begin.min(at)));
        }
        for film in &mut tracks {
            film.frames.sort_unstable();
            film.frames.dedup_by_key(|known| known.sequence);
            film.labelled.sort_unstable();
            film.labelled.dedup();
        }
        if tracks.iter().any(|film| film.frames.len() < film.lost) {
            let why = left_out.sentences().join("; ");
            let sentence = format!("more frames of a camera would be left out than exported: {why}");
            let error = Error::input(sentence).at_path(recording);
            let is_shape = 0 < left_out.other_size;
            return Err(if is_shape {
                error.hint("its shop has other cameras than those that filmed it")
            } else {
                error
            });
        }
        if tracks.iter().all(|film| film.frames.is_empty()) {
            let hint =
                "pictures are in recordings of cut raw, such as those of `aisle simulate` for a shop with cameras";
            return Err(Error::input("this recording has no frames").at_path(recording).hint(hint));
        }
        let begin = begin.unwrap_or(ShopTime::from_nanos(0));
        Ok(Index { shop, truth, left_out, begin, tracks, visits })
    }

    /// Leaves out the frames of which nobody knows what they show.
    ///
    /// # Errors
    /// When nothing is known of any.
    pub(super) fn keep_labelled(&mut self, recording: &Path) -> Result<()> {
        for film in &mut self.tracks {
            let all = film.frames.len();
            film.frames.retain(|known| film.labelled.binary_search(&known.sequence).is_ok());
            self.left_out.unlabelled += (all - film.frames.len()) as u64;
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
        let rank = self.tracks[camera].frames.binary_search_by_key(&sequence, |known| known.sequence).ok()?;
        Some(self.spot_at(camera, rank))
    }

    /// Where the frames of a camera stand, in order.
    pub(super) fn spots(&self, camera: usize) -> impl Iterator<Item = Spot<'_>> {
        (0..self.tracks[camera].frames.len()).map(move |rank| self.spot_at(camera, rank))
    }

    fn spot_at(&self, camera: usize, rank: usize) -> Spot<'_> {
        let (Known { size_pixels, ending, .. }, own) = (self.tracks[camera].frames[rank], &self.shop.cameras()[camera]);
        Spot {
            camera,
            name: own.id.as_str(),
            number: rank as u64 + 1,
            size_pixels,
            ending,
            picture_from_calibrated: Affine::resized(size_pixels, own.size_pixels),
        }
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

impl LeftOut {
    /// What the head of a frame says; `None` where it is no whole picture, or none of what its camera was calibrated to see.
    fn judge(&mut self, camera: &Camera, frame: &Frame, sequence: u64) -> Option<Known> {
        let Ok(head) = picture_head(&frame.data) else {
            self.undecodable += 1;
            return None;
        };
        if camera.calibrated_from_frame(head.size_pixels).is_none() {
            let [[width, height], [shop_width, shop_height]] = [head.size_pixels, camera.size_pixels];
            let name = format!("camera {} with {width}x{height} pixels", camera.id);
            let name = format!("{name}, which do not show the view of the {shop_width}x{shop_height} of the shop");
            if self.other_sizes.len() < FRAME_SIZES_MAX || self.other_sizes.contains_key(&name) {
                *self.other_sizes.entry(name).or_insert(0) += 1;
            }
            self.other_size += 1;
            return None;
        }
        Some(Known { sequence, size_pixels: head.size_pixels, ending: head.format.ending() })
    }
}

fn place(shop: &Shop, camera: &CameraId) -> Option<usize> {
    shop.cameras().iter().position(|other| other.id == *camera)
}

fn number(visits: &mut BTreeMap<VisitId, u32>, visit: VisitId) {
    let next = visits.len() as u32 + 1;
    visits.entry(visit).or_insert(next);
}
