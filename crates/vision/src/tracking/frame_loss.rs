//! Which frames were lost, why, and when: whoever makes receipts of the others has to know.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::base::limits::{FRAME_SIZES_MAX, LOST_SPANS_MAX};
use crate::base::{CameraId, DropReason, ShopTime, Span, StageReport, TimeRange};
use crate::shop::Camera;

/// Frames that were lost with no more than this between them are one span.
const GAP_SPAN_MAX: Span = Span::from_millis(1_000);
/// Lost frames that matter for whoever was there: more than this share of a camera's, `0..=1`, or all of them for so long.
const NOTED_SHARE: f64 = 0.05;
/// A share is one of so many frames at least.
const NOTED_FRAMES_MIN: u64 = 40;
const NOTED_SPAN_MIN: Span = Span::from_millis(500);
/// A camera of whose frames more than this share was lost is as good as blind, `0..=1`.
const BLIND_SHARE: f64 = 0.5;

/// Frames that were left out, by reason and by camera. All zero where nothing was.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FrameLoss {
    /// Frames that cannot be decoded: damaged, broken off, of a kind that is not read, or with more claimed than there is.
    pub dropped_undecodable: u64,
    /// Frames whose size does not show the view at which their camera was calibrated.
    pub dropped_other_size: u64,
    /// Frames with the time of another day on their stamp.
    pub dropped_astray: u64,
    /// Frames of cameras that the shop does not have.
    pub dropped_unknown_camera: u64,
    /// Frames of another size than their camera's that show the same view. They were taken, and scaled.
    pub scaled: u64,
    /// Cameras of which something was taken or lost.
    pub cameras: BTreeMap<CameraId, CameraLoss>,
}

/// Frames of one camera that were left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CameraLoss {
    /// Frames that were taken.
    pub frames: u64,
    /// Frames that cannot be decoded.
    pub dropped_undecodable: u64,
    /// Frames of a size that does not fit.
    pub dropped_other_size: u64,
    /// Frames with the time of another day.
    pub dropped_astray: u64,
    /// Width and height of the frames at which it was calibrated, pixels; zero where the camera is not known.
    pub calibrated_pixels: [u32; 2],
    /// Other sizes that its frames had, and what became of these frames; no more than [`FRAME_SIZES_MAX`].
    pub sizes: Vec<FrameSize>,
    /// When frames were lost, by the clock of the camera, no more than [`LOST_SPANS_MAX`] spans: together they hold every
    /// frame that was lost and bore a time that can be believed.
    pub lost_spans: Vec<TimeRange>,
}

/// Frames of one size that is not their camera's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FrameSize {
    /// Width and height, pixels.
    pub size_pixels: [u32; 2],
    /// How many there were.
    pub frames: u64,
    /// Whether they were scaled; they were left out otherwise.
    pub scaled: bool,
}

/// Why a frame was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// It cannot be decoded.
    Undecodable,
    /// It has another size, width and height in pixels, in which the view that was calibrated does not fit.
    OtherSize([u32; 2]),
    /// It has the time of another day.
    Astray,
}

impl FrameLoss {
    /// How many frames were lost, for whatever reason.
    pub fn dropped(&self) -> u64 {
        self.dropped_undecodable + self.dropped_other_size + self.dropped_astray + self.dropped_unknown_camera
    }

    /// A stage's report with the frames that it lost, by reason.
    #[must_use]
    pub fn told_in(&self, report: StageReport) -> StageReport {
        report
            .dropping(DropReason::Malformed, self.dropped_undecodable)
            .dropping(DropReason::WrongSize, self.dropped_other_size)
            .dropping(DropReason::WrongTime, self.dropped_astray)
            .dropping(DropReason::UnknownSource, self.dropped_unknown_camera)
    }

    /// Which part of all frames was lost by more than chance, `0..=1`; see [`noted`](Self::noted).
    pub fn share(&self) -> f64 {
        let taken = self.cameras.values().map(|camera| camera.frames).sum::<u64>();
        let all = self.dropped() + taken;
        if all == 0 { 0.0 } else { (self.noted() as f64 / all as f64).min(1.0) }
    }

    /// Cameras of which more frames were lost than taken.
    pub fn blind(&self) -> impl Iterator<Item = (&CameraId, &CameraLoss)> {
        self.cameras.iter().filter(|(_, camera)| {
            let dropped = camera.dropped() as f64;
            0.0 < dropped && BLIND_SHARE < dropped / (dropped + camera.frames as f64)
        })
    }

    /// How many of the lost frames are no longer a matter of chance: those of cameras that lost a good part of theirs, and
    /// one for each stretch of time in which a camera lost all.
    pub fn noted(&self) -> u64 {
        let of_camera = |camera: &CameraLoss| {
            let dropped = camera.dropped();
            let all = (dropped + camera.frames).max(NOTED_FRAMES_MIN);
            let share = dropped as f64 / all as f64;
            if NOTED_SHARE < share {
                return dropped;
            }
            camera.lost_spans.iter().filter(|span| NOTED_SPAN_MIN <= span.length()).count() as u64
        };
        self.dropped_unknown_camera + self.cameras.values().map(of_camera).sum::<u64>()
    }

    /// Notes a frame that was taken.
    pub fn take(&mut self, camera: &Camera, size_pixels: [u32; 2]) {
        let own = self.camera(Some(camera), &camera.id);
        own.frames += 1;
        if size_pixels != camera.size_pixels {
            own.note_size(FrameSize { size_pixels, frames: 1, scaled: true });
            self.scaled += 1;
        }
    }

    /// Notes a frame that was lost.
    pub fn lose(&mut self, camera: Option<&Camera>, id: &CameraId, at: ShopTime, lost: Lost) {
        match lost {
            Lost::Undecodable => self.dropped_undecodable += 1,
            Lost::OtherSize(_) => self.dropped_other_size += 1,
            Lost::Astray => self.dropped_astray += 1,
        }
        let own = self.camera(camera, id);
        match lost {
            Lost::Undecodable => own.dropped_undecodable += 1,
            Lost::OtherSize(size_pixels) => {
                own.dropped_other_size += 1;
                own.note_size(FrameSize { size_pixels, frames: 1, scaled: false });
            }
            Lost::Astray => {
                own.dropped_astray += 1;
                return;
            }
        }
        own.note_span(TimeRange::new(at, at));
    }

    /// This loss and another one together.
    #[must_use]
    pub fn with(mut self, other: &FrameLoss) -> Self {
        self.dropped_undecodable += other.dropped_undecodable;
        self.dropped_other_size += other.dropped_other_size;
        self.dropped_astray += other.dropped_astray;
        self.dropped_unknown_camera += other.dropped_unknown_camera;
        self.scaled += other.scaled;
        for (id, camera) in &other.cameras {
            let own = self.cameras.entry(id.clone()).or_default();
            own.frames += camera.frames;
            own.dropped_undecodable += camera.dropped_undecodable;
            own.dropped_other_size += camera.dropped_other_size;
            own.dropped_astray += camera.dropped_astray;
            own.calibrated_pixels = camera.calibrated_pixels;
            camera.sizes.iter().for_each(|size| own.note_size(*size));
            camera.lost_spans.iter().for_each(|span| own.note_span(*span));
        }
        self
    }

    fn camera(&mut self, camera: Option<&Camera>, id: &CameraId) -> &mut CameraLoss {
        let calibrated_pixels = camera.map_or([0, 0], |camera| camera.size_pixels);
        let fresh = || CameraLoss { calibrated_pixels, ..CameraLoss::default() };
        self.cameras.entry(id.clone()).or_insert_with(fresh)
    }
}

impl CameraLoss {
    /// How many frames were lost, for whatever reason.
    pub fn dropped(&self) -> u64 {
        self.dropped_undecodable + self.dropped_other_size + self.dropped_astray
    }

    fn note_size(&mut self, size: FrameSize) {
        let same = |other: &FrameSize| (other.size_pixels, other.scaled) == (size.size_pixels, size.scaled);
        match self.sizes.iter().position(same) {
            Some(place) => self.sizes[place].frames += size.frames,
            // Beyond it how many there were is counted all the same.
            None if self.sizes.len() < FRAME_SIZES_MAX => self.sizes.push(size),
            None => {}
        }
    }

    fn note_span(&mut self, span: TimeRange) {
        let is_full = LOST_SPANS_MAX <= self.lost_spans.len();
        let near = |other: &&mut TimeRange| other.widened(GAP_SPAN_MAX).touches(span);
        if let Some(other) = self.lost_spans.iter_mut().rev().find(near) {
            *other = other.hull(span);
        } else if let Some(last) = self.lost_spans.last_mut().filter(|_| is_full) {
            *last = last.hull(span);
        } else {
            self.lost_spans.push(span);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: i64, to: i64) -> TimeRange {
        let at = |millis| ShopTime::from_nanos(0) + Span::from_millis(millis);
        TimeRange::new(at(from), at(to))
    }

    #[test]
    fn spans_of_lost_frames_grow_together_and_are_bounded() {
        let mut camera = CameraLoss::default();
        [0, 66, 900, 5_000, 4_200].into_iter().for_each(|at| camera.note_span(span(at, at)));
        assert_eq!(camera.lost_spans, [span(0, 900), span(4_200, 5_000)]);
        (0..1_000).for_each(|number| camera.note_span(span(10_000 * number, 10_000 * number)));
        assert_eq!(camera.lost_spans.len(), LOST_SPANS_MAX);
        let held = |at: i64| camera.lost_spans.iter().any(|lost| lost.touches(span(at, at)));
        assert!((0..1_000).all(|number| held(10_000 * number)));
        for side in 0..100 {
            camera.note_size(FrameSize { size_pixels: [side, side], frames: 1, scaled: false });
        }
        assert_eq!(camera.sizes.len(), FRAME_SIZES_MAX);
    }

    #[test]
    fn a_camera_is_blind_that_lost_more_than_it_showed() {
        let id = |name: &str| CameraId::new(name);
        let mut loss = FrameLoss::default();
        for (name, frames, dropped_undecodable) in [("a", 3, 3), ("b", 2, 3), ("c", 9, 0)] {
            loss.cameras.insert(id(name), CameraLoss { frames, dropped_undecodable, ..CameraLoss::default() });
        }
        loss.dropped_undecodable = 6;
        assert_eq!(loss.share(), 0.3);
        assert_eq!(loss.blind().map(|(camera, _)| camera.clone()).collect::<Vec<_>>(), [id("b")]);
        loss.cameras.values_mut().for_each(|camera| camera.dropped_undecodable = 1);
        assert_eq!(loss.share(), 0.0, "one of a few frames is chance");
    }
}
