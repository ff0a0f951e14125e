//! How human bodies are made: heights of joints, lengths of bones, how fast what moves.

use crate::facts::BodyPoint;

/// Height of each joint above the floor of somebody who stands, and its deviation among people and postures, metres, in the
/// order of [`BodyPoint::ALL`]. Shares of a stature of 1.70 m (Drillis and Contini, 1966); arms hang or reach.
pub(super) const HEIGHTS: [(f64, f64); BodyPoint::COUNT] = [
    (1.56, 0.14),
    (1.59, 0.14),
    (1.59, 0.14),
    (1.58, 0.14),
    (1.58, 0.14),
    (1.38, 0.13),
    (1.38, 0.13),
    (1.10, 0.16),
    (1.10, 0.16),
    (0.95, 0.3),
    (0.95, 0.3),
    (0.90, 0.10),
    (0.90, 0.10),
    (0.48, 0.07),
    (0.48, 0.07),
    (0.08, 0.05),
    (0.08, 0.05),
];

/// Accelerations of each joint, metres a second squared: the trunk is slow, hands are quick.
pub(super) const JOLTS: [f64; BodyPoint::COUNT] =
    [5.0, 5.0, 5.0, 5.0, 5.0, 4.0, 4.0, 8.0, 8.0, 14.0, 14.0, 4.0, 4.0, 7.0, 7.0, 10.0, 10.0];

/// How far from the vertical through the feet each joint of somebody who stands may be, metres.
pub(super) const ASIDE: [f64; BodyPoint::COUNT] =
    [0.18, 0.18, 0.18, 0.18, 0.18, 0.24, 0.24, 0.32, 0.32, 0.45, 0.45, 0.16, 0.16, 0.18, 0.18, 0.2, 0.2];

/// A length that a body keeps: two joints and its prior in metres, mean and deviation among adults.
pub(super) struct Bone {
    pub(super) ends: (BodyPoint, BodyPoint),
    pub(super) metres: (f64, f64),
    /// Whether the second joint hangs from the first one.
    pub(super) hangs: bool,
}

const fn bone(a: BodyPoint, b: BodyPoint, mean: f64, sigma: f64) -> Bone {
    Bone { ends: (a, b), metres: (mean, sigma), hangs: false }
}

const fn limb(a: BodyPoint, b: BodyPoint, mean: f64, sigma: f64) -> Bone {
    Bone { hangs: true, ..bone(a, b, mean, sigma) }
}

/// The bones, and spans of the trunk and head that hardly change; from the trunk outwards.
pub(super) const BONES: [Bone; 17] = [
    bone(BodyPoint::LeftShoulder, BodyPoint::RightShoulder, 0.36, 0.05),
    bone(BodyPoint::LeftHip, BodyPoint::RightHip, 0.27, 0.07),
    limb(BodyPoint::LeftShoulder, BodyPoint::LeftHip, 0.50, 0.06),
    limb(BodyPoint::RightShoulder, BodyPoint::RightHip, 0.50, 0.06),
    limb(BodyPoint::LeftShoulder, BodyPoint::LeftElbow, 0.30, 0.035),
    limb(BodyPoint::RightShoulder, BodyPoint::RightElbow, 0.30, 0.035),
    limb(BodyPoint::LeftElbow, BodyPoint::LeftWrist, 0.255, 0.03),
    limb(BodyPoint::RightElbow, BodyPoint::RightWrist, 0.255, 0.03),
    limb(BodyPoint::LeftHip, BodyPoint::LeftKnee, 0.41, 0.05),
    limb(BodyPoint::RightHip, BodyPoint::RightKnee, 0.41, 0.05),
    limb(BodyPoint::LeftKnee, BodyPoint::LeftAnkle, 0.41, 0.05),
    limb(BodyPoint::RightKnee, BodyPoint::RightAnkle, 0.41, 0.05),
    bone(BodyPoint::LeftEar, BodyPoint::RightEar, 0.15, 0.02),
    bone(BodyPoint::LeftEye, BodyPoint::RightEye, 0.065, 0.01),
    bone(BodyPoint::Nose, BodyPoint::LeftEye, 0.05, 0.015),
    bone(BodyPoint::Nose, BodyPoint::RightEye, 0.05, 0.015),
    bone(BodyPoint::LeftEye, BodyPoint::LeftEar, 0.11, 0.025),
];
