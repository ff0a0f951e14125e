//! How alike a track and a detection are: where they are, how they look, how they stand; and who is paired with whom.

use crate::facts::{Detection, DetectionClass, Keypoint};
use crate::geometry::{Pair, PixelBox, assign_pairs_within};

use super::motion::Motion;
use crate::tracking::looks::{Looks, blend};

/// How far off, in squared distances of Mahalanobis, looks are compared of boxes that do not overlap: where 95 in 100
/// boxes of the track come to lie (chi-squared with 4 degrees of freedom), as in DeepSORT (Wojke et al., 2017).
const LOOK_GATE: f64 = 9.488;
/// The most that a look takes off, as a logarithm of odds.
const LOOK_WORTH_MIN: f64 = -1.0;
/// No place is so sure, or so wrong, that a look cannot change it.
const PLACE_DOUBT: f64 = 0.05;
/// Keypoints below this score do not count, `0..=1`.
const KEYPOINT_SCORE_MIN: f64 = 0.3;
/// Keypoints that both must have for their poses to be compared.
const KEYPOINTS_MIN: usize = 4;
/// How far apart annotators place a keypoint, in units of the root of the area: COCO's constants, twice their sigma.
const KEYPOINT_SPREADS: [f64; 17] =
    [0.052, 0.05, 0.05, 0.07, 0.07, 0.158, 0.158, 0.144, 0.144, 0.124, 0.124, 0.214, 0.214, 0.174, 0.174, 0.178, 0.178];

/// How often pairs are looked at for the best total of a frame, so that a camera keeps its rate: more than 100 people need
/// of whom any may be any, and for each pair of more.
const LOOKS_MIN: u64 = 1_000_000;
const LOOKS_PER_PAIR: u64 = 2;

/// What a track looks like.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub(super) class: DetectionClass,
    /// Exponential mean of the embeddings, of length 1; empty before the first.
    pub(super) embedding: Vec<f32>,
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
        blend(&mut self.embedding, &one.embedding, (share * one.score) as f32);
    }
}

/// How alike, `0..=1`: the intersection over union with `predicted`, where the track is taken to be, in the mean with the poses'
/// likeness where both have one. Where the track may have gone, looks move the odds of that, as far as they have shown to
/// tell people apart; less downwards, as somebody half hidden looks like who hides them.
pub(super) fn likeness(motion: &Motion, predicted: &PixelBox, look: &Look, one: &Detection, looks: &Looks) -> f64 {
    if look.class != one.class {
        return 0.0;
    }
    let overlap = predicted.iou(&one.bounds);
    let place = pose_likeness(predicted, look, one).map_or(overlap, |pose| f64::midpoint(overlap, pose));
    let has_looks = !look.embedding.is_empty() && !one.embedding.is_empty();
    if !has_looks || (overlap <= 0.0 && LOOK_GATE < motion.distance_squared(&one.bounds)) {
        return place;
    }
    let worth = looks.worth(&look.embedding, &one.embedding).max(LOOK_WORTH_MIN);
    if worth == 0.0 {
        return place;
    }
    let place = place.clamp(PLACE_DOUBT, 1.0 - PLACE_DOUBT);
    let odds = place / (1.0 - place) * worth.exp();
    odds / (1.0 + odds)
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

/// Pairs (row, column) at the greatest total likeness above `least`. `likeness` names each pair that may be, once, by row,
/// column and how alike both are, all at least `least`.
pub(super) fn pair_within(rows: usize, columns: usize, likeness: &[Pair], least: f64) -> Vec<(usize, usize)> {
    let pairs: Vec<Pair> = likeness.iter().map(|&(row, column, alike)| (row, column, 1.0 - alike)).collect();
    // A row that stays free costs as much as the worst pair that may be.
    let looks_max = LOOKS_MIN + LOOKS_PER_PAIR * pairs.len() as u64;
    let assigned = assign_pairs_within(rows, columns, &pairs, 1.0 - least, looks_max).into_iter().enumerate();
    assigned.filter_map(|(row, column)| column.map(|column| (row, column))).collect()
}
