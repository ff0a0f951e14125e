//! The measures of a body that tell people apart: lengths between joints, learned as running means, and the height of the neck of
//! somebody who stands upright, which people have for good and differ in by more than by anything else.

use serde::{Deserialize, Serialize};

use super::stature::Stature;
use crate::facts::{Joint, Joints};

/// Standard deviation of a person's mean bone length over a second or two of joints, metres.
const BONE_SIGMA: f64 = 0.03;
/// Sightings that a mean remembers.
const SEEN_MAX: u32 = 90;
/// Sightings needed before a measure is compared.
const SEEN_MIN: u32 = 5;
const MEASURES: usize = 6;
/// The largest square of a standard score of one length.
const BONE_SQUARE_MAX: f64 = 12.0;

/// Running means of a body's measures.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Body {
    means: [(f64, u32); MEASURES],
    stature: Stature,
}

impl Body {
    /// Takes the joints of somebody who walks, or stays where they are.
    pub(super) fn see(&mut self, joints: &Joints, walks: bool) {
        let length = |a: Option<Joint>, b: Option<Joint>| Some(a?.position.distance(b?.position));
        let measures = [
            length(joints.head, joints.neck),
            length(joints.left_shoulder, joints.right_shoulder),
            length(joints.left_shoulder, joints.left_elbow),
            length(joints.right_shoulder, joints.right_elbow),
            length(joints.left_elbow, joints.left_wrist),
            length(joints.right_elbow, joints.right_wrist),
        ];
        if let Some(neck) = joints.neck {
            self.stature.see(neck.position.z, walks);
        }
        for ((mean, seen), measure) in self.means.iter_mut().zip(measures) {
            if let Some(measure) = measure.filter(|measure| measure.is_finite()) {
                *seen = (*seen + 1).min(SEEN_MAX);
                *mean += (measure - *mean) / f64::from(*seen);
            }
        }
    }

    /// How unlike two bodies are: a sum of squared standard scores, capped each, and how many measures it rests on.
    pub(super) fn unlikeness(&self, other: &Body) -> (f64, u32) {
        let (mut sum, mut count) = self.stature.unlikeness(&other.stature).map_or((0.0, 0), |square| (square, 1));
        for ((a, seen_a), (b, seen_b)) in self.means.iter().zip(&other.means) {
            if SEEN_MIN <= *seen_a && SEEN_MIN <= *seen_b {
                sum += ((a - b) / BONE_SIGMA).powi(2).min(BONE_SQUARE_MAX);
                count += 1;
            }
        }
        (sum, count)
    }

    /// Takes in what was learned of the same body before.
    pub(super) fn join(&mut self, before: &Body) {
        for ((mean, seen), (old, old_seen)) in self.means.iter_mut().zip(&before.means) {
            let sum = *seen + old_seen;
            if 0 < sum {
                *mean = (*mean * f64::from(*seen) + old * f64::from(*old_seen)) / f64::from(sum);
                *seen = sum.min(SEEN_MAX);
            }
        }
        self.stature.join(&before.stature);
    }
}
