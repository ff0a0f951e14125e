//! Models that give the joints of a person.

use super::super::manifest::{Input, Manifest};
use super::suppress::Candidate;
use super::{View, hull, keypoint};
use crate::facts::{BodyPoint, Detection, DetectionClass, Keypoint};
use crate::geometry::PixelBox;

/// MoveNet: y, x and score of each joint, as parts of the input.
pub(super) fn movenet(input: &Input, points: &View<'_>, score_min: f64) -> Vec<Detection> {
    let (width, height) = (input.width as f64, input.height as f64);
    let joint = |row: &[f32]| keypoint(f64::from(row[1]) * width, f64::from(row[0]) * height, f64::from(row[2]));
    one_person(points.values.chunks_exact(3).map(joint).collect(), score_min)
}

/// SimCC (Li et al., 2022): for each joint a distribution over the width and one over the height, `split` places a
/// pixel. Its score is the lower of the two peaks.
pub(super) fn simcc(across: &View<'_>, down: &View<'_>, split: f64, score_min: f64) -> Vec<Detection> {
    let joint = |(across, down): (&[f32], &[f32])| {
        let ((x, x_peak), (y, y_peak)) = (peak(across), peak(down));
        keypoint(x as f64 / split, y as f64 / split, f64::from(x_peak.min(y_peak)).clamp(0.0, 1.0))
    };
    one_person(across.rows().zip(down.rows()).map(joint).collect(), score_min)
}

/// RTMO: corners and score of each person, then x, y and score of their joints, all in pixels.
pub(super) fn rtmo(manifest: &Manifest, boxes: &View<'_>, points: &View<'_>) -> Vec<Candidate> {
    let joints = points.values.chunks_exact(BodyPoint::COUNT * 3);
    let person = |(row, joints): (&[f32], &[f32])| {
        let [left, top, right, bottom, score] = row.first_chunk::<5>()?.map(f64::from);
        let joint = |joint: &[f32]| keypoint(f64::from(joint[0]), f64::from(joint[1]), f64::from(joint[2]));
        (manifest.score_min <= score).then(|| Candidate {
            class: DetectionClass::Person,
            score,
            bounds: PixelBox { left, top, right, bottom },
            keypoints: joints.chunks_exact(3).map(joint).collect(),
        })
    };
    boxes.rows().zip(joints).filter_map(person).collect()
}

/// The person that the input was cut around: the box of the joints that are sure enough, and the mean of their scores.
fn one_person(keypoints: Vec<Keypoint>, score_min: f64) -> Vec<Detection> {
    // One score that is none does not make the others nothing.
    let scores = keypoints.iter().map(|point| if point.score.is_finite() { point.score } else { 0.0 });
    let score = scores.sum::<f64>() / keypoints.len().max(1) as f64;
    let person = hull(&keypoints, score_min).map(|bounds| Detection {
        class: DetectionClass::Person,
        bounds,
        score,
        keypoints,
        embedding: Vec::new(),
        held: None,
    });
    person.into_iter().collect()
}

/// The place of the largest number, and it.
fn peak(values: &[f32]) -> (usize, f32) {
    let first = (0, values.first().copied().unwrap_or(0.0));
    values.iter().enumerate().fold(first, |peak, (place, value)| if peak.1 < *value { (place, *value) } else { peak })
}
