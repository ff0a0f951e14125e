//! How alike a track and a detection are: where they are, how they look, how they stand; and who is paired with whom.

use crate::facts::{Detection, DetectionClass, Keypoint};
use crate::geometry::{PixelBox, assign};

use super::motion::Motion;

/// How far off, in squared distances of Mahalanobis, looks are compared of boxes that do not overlap: where 95 in 100
/// boxes of the track come to lie (chi-squared with 4 degrees of freedom), as in DeepSORT (Wojke et al., 2017).
const LOOK_GATE: f64 = 9.488;
/// Keypoints below this score do not count, `0..=1`.
const KEYPOINT_SCORE_MIN: f64 = 0.3;
/// Keypoints that both must have for their poses to be compared.
const KEYPOINTS_MIN: usize = 4;
/// How far apart annotators place a keypoint, in units of the root of the area: COCO's constants, twice their sigma.
const KEYPOINT_SPREADS: [f64; 17] =
    [0.052, 0.05, 0.05, 0.07, 0.07, 0.158, 0.158, 0.144, 0.144, 0.124, 0.124, 0.214, 0.214, 0.174, 0.174, 0.178, 0.178];

/// What a track looks like.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub(super) class: DetectionClass,
    /// Exponential mean of the embeddings, of length 1; empty before the first.
    embedding: Vec<f32>,
    /// Those of the last detection that had any.
    keypoints: Vec<Keypoint>,
    /// Its box.
    keypoints_bounds: PixelBox,
}

impl Look {
    pub(super) fn of(one: &Detection) -> Self {
        Look {
            class: one.class,
            embedding: one.embedding.clone(),
            keypoints: one.keypoints.clone(),
            keypoints_bounds: one.bounds,
        }
    }

    /// Takes in a further detection, of which `share` goes into the mean; less where it is less sure.
    pub(super) fn update(&mut self, one: &Detection, share: f64) {
        if !one.keypoints.is_empty() {
            self.keypoints.clone_from(&one.keypoints);
            self.keypoints_bounds = one.bounds;
        }
        if one.embedding.is_empty() {
            return;
        }
        if self.embedding.len() != one.embedding.len() {
            self.embedding.clone_from(&one.embedding);
            return;
        }
        let share = (share * one.score) as f32;
        for (mean, new) in self.embedding.iter_mut().zip(&one.embedding) {
            *mean += share * (new - *mean);
        }
        let length = self.embedding.iter().map(|value| value * value).sum::<f32>().sqrt();
        if 0.0 < length {
            self.embedding.iter_mut().for_each(|value| *value /= length);
        }
    }
}

/// How alike, `0..=1`: the intersection over union with where the track is taken to be, in the mean with the poses'
/// likeness where both have one. Looks that agree can raise it where the track may have gone, never lower it, as a look
/// changes with light and pose (BoT-SORT; Aharon et al., 2022).
pub(super) fn likeness(motion: &Motion, look: &Look, one: &Detection, look_distance_max: Option<f64>) -> f64 {
    if look.class != one.class {
        return 0.0;
    }
    let predicted = motion.bounds();
    let overlap = predicted.iou(&one.bounds);
    let place = pose_likeness(&predicted, look, one).map_or(overlap, |pose| f64::midpoint(overlap, pose));
    let Some(distance_max) = look_distance_max else { return place };
    let distance = cosine(&look.embedding, &one.embedding).map(|cosine| 1.0 - cosine);
    match distance.filter(|distance| *distance < distance_max) {
        Some(distance) if 0.0 < overlap || motion.distance_squared(&one.bounds) <= LOOK_GATE => {
            place.max(1.0 - distance)
        }
        _ => place,
    }
}

/// The cosine of two vectors of length 1; `None` where one is missing or they are of different networks.
fn cosine(a: &[f32], b: &[f32]) -> Option<f64> {
    let comparable = !a.is_empty() && a.len() == b.len();
    comparable.then(|| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum())
}

/// Object keypoint similarity (COCO; Lin et al., 2014) of the track's last pose, carried along with its box, to the
/// detection's.
fn pose_likeness(predicted: &PixelBox, look: &Look, one: &Detection) -> Option<f64> {
    if look.keypoints.len() != KEYPOINT_SPREADS.len() || one.keypoints.len() != KEYPOINT_SPREADS.len() {
        return None;
    }
    let (from, to) = (look.keypoints_bounds.centre(), predicted.centre());
    let area = f64::midpoint(predicted.area(), one.bounds.area()).max(1.0);
    let (mut sum, mut count) = (0.0, 0);
    for ((here, there), spread) in look.keypoints.iter().zip(&one.keypoints).zip(KEYPOINT_SPREADS) {
        if here.score < KEYPOINT_SCORE_MIN || there.score < KEYPOINT_SCORE_MIN {
            continue;
        }
        let apart = (here.pixel + (to - from)).distance(there.pixel);
        sum += (-apart * apart / (2.0 * area * spread * spread)).exp();
        count += 1;
    }
    (KEYPOINTS_MIN <= count).then(|| sum / count as f64)
}

/// Pairs (row, column) at the greatest total likeness above `least`; none below.
pub(super) fn pair_within(likeness: &[Vec<f64>], least: f64) -> Vec<(usize, usize)> {
    let rows = likeness.len();
    // A row that stays free costs as much as the worst pair that may be.
    let row_cost = |row: &Vec<f64>| -> Vec<f64> {
        let pairs = row.iter().map(|alike| if least <= *alike { 1.0 - alike } else { f64::INFINITY });
        pairs.chain(std::iter::repeat_n(1.0 - least, rows)).collect()
    };
    let cost: Vec<Vec<f64>> = likeness.iter().map(row_cost).collect();
    let columns = likeness.first().map_or(0, Vec::len);
    let assigned = assign(&cost).into_iter().enumerate();
    assigned.filter_map(|(row, column)| column.filter(|column| *column < columns).map(|column| (row, column))).collect()
}
