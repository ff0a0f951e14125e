//! The measures of a body that tell people apart: lengths between joints, learned as running means.

use serde::{Deserialize, Serialize};

use crate::facts::{Joint, Joints};

/// Standard deviation of a person's mean bone length over a second or two of joints, metres.
const BONE_SIGMA: f64 = 0.03;
/// Standard deviation of the height of a standing person's neck between two stretches of time, metres.
const HEIGHT_SIGMA: f64 = 0.07;
/// Sightings needed before a measure is compared.
const SEEN_MIN: u32 = 5;
const MEASURES: usize = 7;

/// Running means of a body's measures.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Body {
    means: [(f64, u32); MEASURES],
}

impl Body {
    pub(super) fn see(&mut self, joints: &Joints) {
        let length = |a: Option<Joint>, b: Option<Joint>| Some(a?.position.distance(b?.position));
        let measures = [
            length(joints.head, joints.neck),
            length(joints.left_shoulder, joints.right_shoulder),
            length(joints.left_shoulder, joints.left_elbow),
            length(joints.right_shoulder, joints.right_elbow),
            length(joints.left_elbow, joints.left_wrist),
            length(joints.right_elbow, joints.right_wrist),
            joints.neck.map(|joint| joint.position.z),
        ];
        for ((mean, seen), measure) in self.means.iter_mut().zip(measures) {
            if let Some(measure) = measure.filter(|measure| measure.is_finite()) {
                *seen = (*seen + 1).min(90);
                *mean += (measure - *mean) / f64::from(*seen);
            }
        }
    }

    /// How unlike two bodies are: a sum of squared standard scores, capped each, and how many measures it rests on.
    pub(super) fn unlikeness(&self, other: &Body) -> (f64, u32) {
        let mut sum = 0.0;
        let mut count = 0;
        for (index, ((a, seen_a), (b, seen_b))) in self.means.iter().zip(&other.means).enumerate() {
            if SEEN_MIN <= *seen_a && SEEN_MIN <= *seen_b {
                let sigma = if index + 1 == MEASURES { HEIGHT_SIGMA } else { BONE_SIGMA };
                sum += ((a - b) / sigma).powi(2).min(12.0);
                count += 1;
            }
        }
        (sum, count)
    }
}
