//! What a network would see in a frame of which the truth is known: so that everything behind the networks can be judged
//! alone.

use crate::facts::{Detection, DetectionClass, Keypoint, SeenFrame};
use crate::geometry::{PixelBox, Point};
use crate::sim::roll::Roll;
use crate::truth::{FrameBody, FrameTruth, PointTruth, Visibility};

/// How sure the network is said to be of what can be seen.
const SCORE: f64 = 0.9;

/// Everybody of whom something can be seen, as a detector of people and joints would tell it: boxes around what is seen,
/// joints that are hidden left out. Every coordinate is off by a normal throw of `noise_pixels` that follows from the seed,
/// the camera and the number of the frame.
pub fn glance(truth: &FrameTruth, size_pixels: [u32; 2], noise_pixels: f64, seed: u64) -> SeenFrame {
    let mut roll = Roll::new(seed, &format!("glance/{}/{}", truth.camera, truth.sequence));
    let detections = truth.people.iter().filter_map(|body| detection(body, noise_pixels, &mut roll)).collect();
    SeenFrame { camera: truth.camera.clone(), size_pixels, detections }
}

fn detection(body: &FrameBody, noise_pixels: f64, roll: &mut Roll) -> Option<Detection> {
    let PixelBox { left, top, right, bottom } = body.visible_bounds?;
    let mut off = |coordinate: f64| roll.normal(coordinate, noise_pixels);
    let [left, top, right, bottom] = [left, top, right, bottom].map(&mut off);
    let bounds =
        PixelBox { left: left.min(right), top: top.min(bottom), right: left.max(right), bottom: top.max(bottom) };
    let mut keypoint = |point: &PointTruth| match point.pixel.filter(|_| point.visibility == Visibility::Visible) {
        Some(pixel) => Keypoint { pixel: Point::new(off(pixel.x), off(pixel.y), 0.0), score: SCORE },
        None => Keypoint { pixel: bounds.centre(), score: 0.0 },
    };
    let keypoints = body.keypoints.iter().map(&mut keypoint).collect();
    Some(Detection {
        class: DetectionClass::Person,
        bounds,
        score: SCORE,
        keypoints,
        embedding: Vec::new(),
        held: None,
    })
}
