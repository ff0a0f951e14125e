//! What was seen of one track over a recording, and the path that it makes.

use crate::base::{ShopTime, Span};
use crate::facts::DetectionClass;
use crate::geometry::PixelBox;

use super::motion::smooth;

/// Where somebody was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PathPoint {
    /// When.
    pub at: ShopTime,
    /// Where.
    pub bounds: PixelBox,
    /// Score of the detection; in a gap the mean of the path, `0..=1`.
    pub score: f64,
}

/// What was seen of a track, in order of time.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// None before the first box.
    pub(super) class: Option<DetectionClass>,
    pub(super) confirmed: bool,
    pub(super) boxes: Vec<(ShopTime, PixelBox)>,
    pub(super) scores: Vec<f64>,
}

impl Seen {
    /// The mean score.
    pub(super) fn score(&self) -> f64 {
        self.scores.iter().sum::<f64>() / self.scores.len() as f64
    }

    pub(super) fn path(&self, times: &[ShopTime], fill_span_max: Span) -> Vec<PathPoint> {
        let (Some((first, _)), Some((last, _))) = (self.boxes.first(), self.boxes.last()) else { return Vec::new() };
        let from = times.partition_point(|at| at < first);
        let to = times.partition_point(|at| at <= last);
        let smoothed = smooth(&times[from..to], &self.boxes);
        let score = self.score();
        let (mut path, mut next) = (Vec::with_capacity(smoothed.len()), 0);
        for (&at, bounds) in times[from..to].iter().zip(smoothed) {
            let is_seen = self.boxes[next].0 == at;
            // The first time is one at which it was seen, so in a gap there is a box before the next one.
            if is_seen || self.boxes[next].0 - self.boxes[next - 1].0 <= fill_span_max {
                path.push(PathPoint { at, bounds, score: if is_seen { self.scores[next] } else { score } });
            }
            next += usize::from(is_seen);
        }
        path
    }
}
