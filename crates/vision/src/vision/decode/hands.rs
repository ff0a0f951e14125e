//! MediaPipe's models for hands (Zhang et al., 2020).

use super::super::manifest::Manifest;
use super::suppress::Candidate;
use super::{View, around, hull, keypoint, sigmoid};
use crate::facts::{Detection, DetectionClass};

/// Pixels a cell of the palm detector, and its anchors in each.
const ANCHORS: [(usize, usize); 2] = [(8, 2), (16, 6)];

/// Palms: for each anchor the middle relative to it and the size, then the points relative to it, in pixels; and a logit.
pub(super) fn palms(manifest: &Manifest, boxes: &View<'_>, scores: &View<'_>) -> Vec<Candidate> {
    let mut found = Vec::new();
    let mut index = 0;
    for (stride, anchors) in ANCHORS {
        let [columns, lines] = manifest.input.grid(stride);
        for place in 0..columns * lines * anchors {
            let (row, score) = (boxes.row(index), sigmoid(scores.get(index)));
            index += 1;
            let (x, y, width, height, points) = match row.split_first_chunk::<4>() {
                Some((&[x, y, width, height], points)) if manifest.score_min <= score => (x, y, width, height, points),
                _ => continue,
            };
            let cell = place / anchors;
            let middle = |cell: usize| (cell as f64 + 0.5) * stride as f64;
            let (anchor_x, anchor_y) = (middle(cell % columns), middle(cell / columns));
            let point = |pair: &[f32]| keypoint(anchor_x + f64::from(pair[0]), anchor_y + f64::from(pair[1]), score);
            found.push(Candidate {
                class: DetectionClass::Hand,
                score,
                bounds: around(anchor_x + f64::from(x), anchor_y + f64::from(y), f64::from(width), f64::from(height)),
                keypoints: points.chunks_exact(2).map(point).collect(),
            });
        }
    }
    found
}

/// The points of the hand that the input was cut around: x, y and depth of each in pixels, and how sure it is that
/// there is a hand.
pub(super) fn points(points: &View<'_>, presence: &View<'_>, score_min: f64) -> Vec<Detection> {
    let score = presence.get(0);
    let point = |row: &[f32]| keypoint(f64::from(row[0]), f64::from(row[1]), score);
    let keypoints: Vec<_> = points.values.chunks_exact(3).map(point).collect();
    let hand = hull(&keypoints, score_min).map(|bounds| Detection {
        class: DetectionClass::Hand,
        bounds,
        score: score.clamp(0.0, 1.0),
        keypoints,
        embedding: Vec::new(),
        held: None,
    });
    hand.into_iter().collect()
}
