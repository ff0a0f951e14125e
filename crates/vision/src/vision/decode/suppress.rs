//! Non-maximum suppression, the same for every detector.

use crate::base::limits::DETECTIONS_PER_FRAME_MAX;
use crate::facts::{Detection, DetectionClass, Keypoint};
use crate::geometry::PixelBox;

/// Candidates that are compared with each other; of more only the surest are.
const CANDIDATES_MAX: usize = 8 * DETECTIONS_PER_FRAME_MAX;

/// A detection that another one may suppress.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Candidate {
    pub(super) class: DetectionClass,
    pub(super) score: f64,
    pub(super) bounds: PixelBox,
    pub(super) keypoints: Vec<Keypoint>,
}

/// Greedy suppression: the surest candidate stays, and of its class all go that overlap it by more than `iou_max`.
/// Candidates that are no boxes go too. At most [`DETECTIONS_PER_FRAME_MAX`] stay, surest first; of equals the first.
pub(super) fn keep(mut candidates: Vec<Candidate>, iou_max: f64) -> Vec<Detection> {
    candidates.retain(|candidate| candidate.bounds.is_well_formed() && candidate.score.is_finite());
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    candidates.truncate(CANDIDATES_MAX);
    let mut kept: Vec<Detection> = Vec::new();
    for Candidate { class, score, bounds, keypoints } in candidates {
        if kept.len() == DETECTIONS_PER_FRAME_MAX {
            break;
        }
        if !kept.iter().any(|other| other.class == class && iou_max < other.bounds.iou(&bounds)) {
            kept.push(Detection {
                class,
                bounds,
                score: score.clamp(0.0, 1.0),
                keypoints,
                embedding: Vec::new(),
                held: None,
            });
        }
    }
    kept
}
