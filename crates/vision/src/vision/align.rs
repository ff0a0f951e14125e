//! Regions that are turned: faces as ArcFace wants them, palms as MediaPipe cuts them.

use crate::facts::Detection;
use crate::geometry::Affine;

/// Where the five points of a face lie in an input of 112 pixels (Deng et al., 2019): eyes, nose, corners of the mouth,
/// the left of the picture first, counted from the middle of the first pixel.
const ARCFACE_POINTS: [[f64; 2]; 5] =
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]];
/// Side of the input in which they lie so, pixels.
const ARCFACE_SIDE_PIXELS: f64 = 112.0;
/// How many times as long as a palm the square around its hand is (MediaPipe, hand tracking).
const HAND_PER_PALM: f64 = 2.6;
/// How far the square is moved from the palm towards the fingers, in sides of the palm.
const HAND_SHIFT: f64 = 0.5;
/// Among the points of a palm: the wrist, and where the middle finger begins.
const PALM_WRIST: usize = 0;
const PALM_MIDDLE_FINGER: usize = 2;

/// The map that brings the five points of a face where ArcFace was trained to have them, in an input of any size; `None`
/// when the detection has no five points or they are one point.
pub(super) fn face(detection: &Detection, size: [usize; 2]) -> Option<Affine> {
    let points: Vec<[f64; 2]> = detection.keypoints.iter().map(|point| [point.pixel.x, point.pixel.y]).collect();
    let scale = size.map(|side| side as f64 / ARCFACE_SIDE_PIXELS);
    // Pixels of the frame are counted from the corner of the first one.
    let goals = ARCFACE_POINTS.map(|[x, y]| [(x + 0.5) * scale[0], (y + 0.5) * scale[1]]);
    (points.len() == goals.len()).then(|| Affine::similarity(&points, &goals)).flatten()
}

/// The map that brings the hand of a palm upright into an input, fingers up; `None` when the detection has no palm's
/// points or no size.
pub(super) fn palm(detection: &Detection, size: [usize; 2]) -> Option<Affine> {
    let wrist = detection.keypoints.get(PALM_WRIST)?.pixel;
    let finger = detection.keypoints.get(PALM_MIDDLE_FINGER)?.pixel;
    let length = wrist.distance(finger);
    let palm = detection.bounds.width().max(detection.bounds.height());
    if !(0.0 < length && 0.0 < palm) {
        return None;
    }
    let (right, up) = ((finger.x - wrist.x) / length, (finger.y - wrist.y) / length);
    let middle = detection.bounds.centre();
    let centre = [middle.x + right * palm * HAND_SHIFT, middle.y + up * palm * HAND_SHIFT];
    // Rows of the rotation: across the hand, and against its fingers.
    let (across, down) = ([-up, right], [-right, -up]);
    let scale = size.map(|side| side as f64 / (palm * HAND_PER_PALM));
    let row = |axis: [f64; 2], scale: f64, side: usize| {
        let [a, b] = axis.map(|part| part * scale);
        [a, b, side as f64 / 2.0 - a * centre[0] - b * centre[1]]
    };
    Some(Affine { rows: [row(across, scale[0], size[0]), row(down, scale[1], size[1])] })
}
