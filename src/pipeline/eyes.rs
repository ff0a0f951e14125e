//! From frames to what is seen in them: frames that come within one interval are decoded and inferred together, by as many
//! sessions as there are, beside each other. What is seen does not depend on how many those are.

use std::collections::BTreeMap;

use crate::base::{CameraId, DropReason, Reports, Result, SourceId, Span, Stage, StageReport};
use crate::facts::{Body, Fact, SeenFrame, Stamp};
use crate::image::{RgbImage, decode_picture_into, picture_head};
use crate::shop::Camera;

use super::networks::{self, share};
use crate::tracking::{FrameLoss, Lost};
use crate::vision::{Glance, Networks, Stillness, Thumbnail};

/// Most frames that are held together, whatever is asked for: each holds a decoded picture.
pub const HELD_FRAMES_MAX: usize = 64;

/// How frames are held together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EyesOptions {
    /// As soon as so many frames are there they are looked at, `1..=`[`HELD_FRAMES_MAX`]: usually as many as there are
    /// cameras.
    pub frames_max: usize,
    /// A frame that arrives so much later than the first one that is held is not looked at together with it.
    pub span_max: Span,
    /// Where nothing moved since a camera's frame was looked at, what was seen then is seen again, for so long; `None`
    /// to look at every frame.
    pub still_span_max: Option<Span>,
}

/// What was looked at. Frames that were left out are in [`FrameLoss`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EyesCounters {
    /// Frames that were taken, also those that were left out then.
    pub frames: u64,
    /// Frames in which nothing had moved, so that no network looked at them.
    pub still_frames: u64,
    /// People beyond [`DETECTIONS_PER_FRAME_MAX`](crate::base::limits::DETECTIONS_PER_FRAME_MAX) in one frame.
    pub excess_detections: u64,
}

/// A frame that was looked at.
#[derive(Clone, Debug)]
pub struct Look {
    /// The frame as it was taken.
    pub frame: Fact,
    /// What is seen in it, of the same instant.
    pub seen: Fact,
}

/// Frames in, what is seen in them out, in the same order.
pub struct Eyes {
    /// As many as there are run beside each other.
    sessions: Vec<Networks>,
    options: EyesOptions,
    /// Frames that were not looked at yet.
    held: Vec<Fact>,
    /// A picture for each of them, and small ones to tell whether anything moved; their memory is used again.
    glances: Vec<Glance>,
    thumbnails: Vec<Thumbnail>,
    /// What becomes of each of them; used again too.
    fates: Vec<Fate>,
    /// What is remembered of each camera.
    cameras: BTreeMap<CameraId, Remembered>,
    /// The cameras whose frames are taken; of all where none was named.
    known: BTreeMap<CameraId, Camera>,
    counters: EyesCounters,
    loss: FrameLoss,
}

/// What is remembered of a camera.
struct Remembered {
    /// Who makes the facts about what it sees, and how many there were.
    source: SourceId,
    sequence: u64,
    stillness: Stillness,
    /// What was seen when networks last looked, and how many people were too many.
    last: Option<(SeenFrame, usize)>,
}

/// What becomes of a frame.
#[derive(Clone, Copy)]
enum Fate {
    Lost(Lost),
    /// Nothing moved.
    Still,
    /// The place of its picture among those that are looked at.
    LookedAt(usize),
}

impl EyesOptions {
    /// For so many cameras at 15 frames a second each: one frame of each camera, of one interval; every frame is looked at.
    pub fn usual(cameras: usize) -> Self {
        let frames_max = cameras.clamp(1, HELD_FRAMES_MAX);
        EyesOptions { frames_max, span_max: Span::from_millis(60), still_span_max: None }
    }
}

impl Eyes {
    /// Looks with these networks, one set for each session. With none, frames are passed over.
    pub fn new(sessions: Vec<Networks>, options: EyesOptions) -> Self {
        Eyes {
            sessions,
            options,
            held: Vec::new(),
            glances: Vec::new(),
            thumbnails: Vec::new(),
            fates: Vec::new(),
            cameras: BTreeMap::new(),
            known: BTreeMap::new(),
            counters: EyesCounters::default(),
            loss: FrameLoss::default(),
        }
    }

    /// Takes frames of these cameras only, and of these only frames that show the view which was calibrated. Which they are
    /// their heads say, before memory is taken for any of their pixels.
    #[must_use]
    pub fn with_cameras(self, cameras: &[Camera]) -> Self {
        let known = cameras.iter().map(|camera| (camera.id.clone(), camera.clone())).collect();
        Eyes { known, ..self }
    }

    /// Takes a frame; gives what is seen in those that need not wait any longer, in the order in which they were taken.
    /// Of other facts nothing follows.
    ///
    /// # Errors
    /// When a network fails. A frame that cannot be decoded, or does not show what its camera sees, is counted.
    pub fn take(&mut self, fact: &Fact) -> Result<Vec<Look>> {
        let mut looks = Vec::new();
        let Body::Frame(frame) = &fact.body else { return Ok(looks) };
        if self.sessions.is_empty() {
            return Ok(looks);
        }
        if !self.known.is_empty() && !self.known.contains_key(&frame.camera) {
            self.counters.frames += 1;
            self.loss.dropped_unknown_camera += 1;
            return Ok(looks);
        }
        if !self.cameras.contains_key(&frame.camera) {
            self.cameras.insert(frame.camera.clone(), Remembered::new(&frame.camera));
        }
        let is_late = |first: &Fact| self.options.span_max <= (fact.stamp.arrived - first.stamp.arrived).abs();
        if self.held.first().is_some_and(is_late) {
            looks = self.flush()?;
        }
        self.held.push(fact.clone());
        if self.options.frames_max.clamp(1, HELD_FRAMES_MAX) <= self.held.len() {
            looks.append(&mut self.flush()?);
        }
        Ok(looks)
    }

    /// Looks at all frames that wait: at the end, or where nothing comes for a while.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub fn flush(&mut self) -> Result<Vec<Look>> {
        let mut held = std::mem::take(&mut self.held);
        let looks = self.look(&held);
        held.clear();
        self.held = held;
        looks
    }

    /// Whether there are networks to look with.
    pub fn can_see(&self) -> bool {
        !self.sessions.is_empty()
    }

    /// What was looked at.
    pub fn counters(&self) -> EyesCounters {
        self.counters
    }

    /// Which frames were left out.
    pub fn loss(&self) -> &FrameLoss {
        &self.loss
    }

    fn look(&mut self, held: &[Fact]) -> Result<Vec<Look>> {
        let count = held.len();
        if self.glances.len() < count {
            self.glances.resize_with(count, Glance::default);
            self.thumbnails.resize_with(count, Thumbnail::default);
        }
        let compares = self.options.still_span_max.is_some();
        let mut fates = std::mem::take(&mut self.fates);
        fates.clear();
        fates.resize(count, Fate::Lost(Lost::Undecodable));
        let known = &self.known;
        let jobs = held.iter().zip(&mut self.glances).zip(&mut self.thumbnails).zip(&mut fates);
        share(&mut self.sessions, jobs, |_, (((fact, glance), thumbnail), fate)| {
            *fate = match decode(fact, known, &mut glance.picture) {
                Ok(()) => Fate::Still,
                Err(lost) => Fate::Lost(lost),
            };
            if compares && matches!(fate, Fate::Still) {
                thumbnail.take(&glance.picture);
            }
        });
        // Pictures that are looked at are brought together in front.
        let mut wanted = 0;
        for (index, fate) in fates.iter_mut().enumerate().filter(|(_, fate)| matches!(fate, Fate::Still)) {
            if !self.is_still(&held[index], index) {
                *fate = Fate::LookedAt(wanted);
                self.glances.swap(wanted, index);
                wanted += 1;
            }
        }
        let seen = networks::look(&mut self.sessions, &mut self.glances[..wanted]);
        if seen.is_err() {
            // What was not seen cannot be seen again.
            self.cameras.values_mut().for_each(|camera| (camera.stillness, camera.last) = Default::default());
        }
        seen?;
        self.counters.frames += count as u64;
        let mut looks = Vec::with_capacity(count);
        looks.extend(held.iter().zip(&fates).filter_map(|(frame, fate)| self.tell(frame, *fate)));
        self.fates = fates;
        Ok(looks)
    }

    /// Whether nothing moved in a frame since a network looked at one of its camera.
    fn is_still(&mut self, fact: &Fact, index: usize) -> bool {
        let (Body::Frame(frame), Some(span_max)) = (&fact.body, self.options.still_span_max) else { return false };
        let remembered = self.cameras.get_mut(&frame.camera);
        remembered.is_some_and(|camera| camera.stillness.is_still(&self.thumbnails[index], fact.stamp.at, span_max))
    }

    /// What was seen in a frame as a fact of its instant.
    fn tell(&mut self, fact: &Fact, fate: Fate) -> Option<Look> {
        let Body::Frame(frame) = &fact.body else { return None };
        let remembered = self.cameras.get_mut(&frame.camera)?;
        let (seen, excess) = match fate {
            Fate::Lost(lost) => {
                self.loss.lose(self.known.get(&frame.camera), &frame.camera, fact.stamp.at, lost);
                return None;
            }
            Fate::Still => {
                self.counters.still_frames += 1;
                remembered.last.clone()?
            }
            Fate::LookedAt(place) => {
                let glance = &mut self.glances[place];
                let (size_pixels, camera) = ([glance.picture.width(), glance.picture.height()], frame.camera.clone());
                let seen = SeenFrame { camera, size_pixels, detections: std::mem::take(&mut glance.detections) };
                if self.options.still_span_max.is_some() {
                    remembered.last = Some((seen.clone(), glance.excess));
                }
                (seen, glance.excess)
            }
        };
        self.counters.excess_detections += excess as u64;
        remembered.sequence += 1;
        let stamp = Stamp { source: remembered.source.clone(), sequence: remembered.sequence, ..fact.stamp };
        Some(Look { frame: fact.clone(), seen: Fact { stamp, body: Body::Seen(seen) } })
    }
}

impl Reports for Eyes {
    /// Frames come, what is seen in each of them goes; what waits are frames that are held together.
    fn report(&self) -> StageReport {
        let sent = self.cameras.values().map(|camera| camera.sequence).sum();
        let arrived = |fact: &Fact| fact.stamp.arrived;
        let ends = self.held.first().map(arrived).zip(self.held.last().map(arrived));
        let report = StageReport::new(Stage::Eyes, self.counters.frames + self.held.len() as u64, sent);
        self.loss
            .told_in(report)
            .dropping(DropReason::Excess, self.counters.excess_detections)
            .holding(self.held.len(), ends.map_or(Span::ZERO, |(first, last)| last - first))
    }
}

impl Remembered {
    fn new(camera: &CameraId) -> Self {
        let source = SourceId::new(&format!("sight/{camera}"));
        Remembered { source, sequence: 0, stillness: Stillness::default(), last: None }
    }
}

/// The picture of a frame, whatever it is labelled as, if it shows what its camera was calibrated to see.
fn decode(fact: &Fact, known: &BTreeMap<CameraId, Camera>, picture: &mut RgbImage) -> std::result::Result<(), Lost> {
    let Body::Frame(frame) = &fact.body else { return Err(Lost::Undecodable) };
    let head = picture_head(&frame.data).map_err(|_| Lost::Undecodable)?;
    if known.get(&frame.camera).is_some_and(|camera| camera.calibrated_from_frame(head.size_pixels).is_none()) {
        return Err(Lost::OtherSize(head.size_pixels));
    }
    decode_picture_into(&frame.data, &head, picture).map_err(|_| Lost::Undecodable)
}

#[cfg(test)]
mod tests;
