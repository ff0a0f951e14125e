//! From frames to what is seen in them: frames that come within one interval are decoded and inferred together, by as many
//! sessions as there are, beside each other. What is seen does not depend on how many those are.

use std::collections::BTreeMap;

use crate::base::{Result, SourceId, Span};
use crate::facts::{Body, Fact, FrameFormat, SeenFrame, Stamp};
use crate::image::{RgbImage, decode_jpeg_into};

use super::networks::{self, Glance, Networks, share};

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
}

/// What was taken and what was left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EyesCounters {
    /// Frames that were taken.
    pub frames: u64,
    /// Frames that could not be decoded.
    pub broken_frames: u64,
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
    /// A picture for each of them, whose memory is used again.
    glances: Vec<Glance>,
    /// Facts that were made, by their source.
    sequences: BTreeMap<SourceId, u64>,
    counters: EyesCounters,
}

impl EyesOptions {
    /// For so many cameras at 15 frames a second each: one frame of each camera, of one interval.
    pub fn usual(cameras: usize) -> Self {
        EyesOptions { frames_max: cameras.clamp(1, HELD_FRAMES_MAX), span_max: Span::from_millis(60) }
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
            sequences: BTreeMap::new(),
            counters: EyesCounters::default(),
        }
    }

    /// Takes a frame; gives what is seen in those that need not wait any longer, in the order in which they were taken.
    /// Of other facts nothing follows.
    ///
    /// # Errors
    /// When a network fails. A frame that cannot be decoded is counted.
    pub fn take(&mut self, fact: &Fact) -> Result<Vec<Look>> {
        let mut looks = Vec::new();
        if !matches!(fact.body, Body::Frame(_)) || self.sessions.is_empty() {
            return Ok(looks);
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

    /// What was taken and what was left out.
    pub fn counters(&self) -> EyesCounters {
        self.counters
    }

    fn look(&mut self, held: &[Fact]) -> Result<Vec<Look>> {
        let count = held.len();
        if self.glances.len() < count {
            self.glances.resize_with(count, Glance::default);
        }
        let mut are_whole = vec![false; count];
        let jobs = held.iter().zip(&mut self.glances).zip(&mut are_whole);
        share(&mut self.sessions, jobs, |_, ((fact, glance), is_whole)| *is_whole = decode(fact, &mut glance.picture));
        // Pictures that are looked at are brought together in front.
        let (mut places, mut wanted) = (vec![None; count], 0);
        for (index, _) in are_whole.into_iter().enumerate().filter(|(_, is_whole)| *is_whole) {
            self.glances.swap(wanted, index);
            places[index] = Some(wanted);
            wanted += 1;
        }
        networks::look(&mut self.sessions, &mut self.glances[..wanted])?;
        self.counters.frames += count as u64;
        let mut looks = Vec::with_capacity(wanted);
        for (frame, place) in held.iter().zip(places) {
            match place {
                Some(place) => looks.extend(self.tell(frame, place)),
                None => self.counters.broken_frames += 1,
            }
        }
        Ok(looks)
    }

    /// What was seen in a frame as a fact of its instant.
    fn tell(&mut self, frame: &Fact, place: usize) -> Option<Look> {
        let Body::Frame(taken) = &frame.body else { return None };
        let glance = &mut self.glances[place];
        self.counters.excess_detections += glance.excess as u64;
        let size_pixels = [glance.picture.width(), glance.picture.height()];
        let detections = std::mem::take(&mut glance.detections);
        let seen = SeenFrame { camera: taken.camera.clone(), size_pixels, detections };
        let source = SourceId::new(&format!("sight/{}", seen.camera));
        let sequence = self.sequences.entry(source.clone()).or_insert(0);
        *sequence += 1;
        let stamp = Stamp { source, sequence: *sequence, ..frame.stamp.clone() };
        Some(Look { frame: frame.clone(), seen: Fact { stamp, body: Body::Seen(seen) } })
    }
}

/// Whether there is a picture in a frame, which is then in `picture`.
fn decode(fact: &Fact, picture: &mut RgbImage) -> bool {
    match &fact.body {
        Body::Frame(frame) => match frame.format {
            FrameFormat::Jpeg => decode_jpeg_into(&frame.data, picture).is_ok(),
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests;
