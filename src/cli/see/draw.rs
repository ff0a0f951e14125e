//! Marks on frames: what models saw, and whom it was taken for.

use crate::facts::{BodyPoint, Detection, DetectionClass};
use crate::geometry::{Affine, Camera, Pixel, PixelBox, Point};
use crate::image::{RgbImage, draw_box, draw_dot, draw_line, draw_number};
use crate::tracking;

/// A point that is less sure is not drawn, `0..=1`.
const POINT_SCORE_MIN: f64 = 0.2;
/// A joint that is known worse is not drawn, metres.
const JOINT_METRES_MAX: f64 = 0.3;
/// Colours of tracks, over and over.
const COLOURS: [[u8; 3]; 6] =
    [[255, 90, 90], [90, 160, 255], [255, 220, 60], [210, 110, 255], [90, 240, 220], [255, 150, 40]];

/// Draws what a model saw: its box, how sure it was, its points.
pub(super) fn detection(picture: &mut RgbImage, found: &Detection) {
    let colour = match found.class {
        DetectionClass::Person => [64, 220, 64],
        DetectionClass::Face => [255, 170, 0],
        DetectionClass::Hand => [80, 160, 255],
        DetectionClass::Product => [255, 80, 200],
        DetectionClass::Other(_) => [170, 170, 170],
    };
    boxed(picture, &found.bounds, &format!("{:.2}", found.score), colour);
    let thickness = thickness(picture);
    let is_body = found.class == DetectionClass::Person && found.keypoints.len() == BodyPoint::COUNT;
    let sure = |index: usize| found.keypoints.get(index).filter(|point| POINT_SCORE_MIN <= point.score);
    for (from, to) in BodyPoint::BONES.into_iter().filter(|_| is_body) {
        if let (Some(from), Some(to)) = (sure(from as usize), sure(to as usize)) {
            draw_line(picture, from.pixel, to.pixel, [255, 255, 0], thickness);
        }
    }
    for point in (0..found.keypoints.len()).filter_map(sure) {
        draw_dot(picture, point.pixel, thickness, [255, 40, 40]);
    }
}

/// Draws a box with the number of its track.
pub(super) fn tracked(picture: &mut RgbImage, bounds: &PixelBox, track: u64) {
    boxed(picture, bounds, &track.to_string(), colour(track));
}

/// Draws a person of the floor as a camera should see them: skeleton and number of the track. `picture_from_calibrated` is
/// there for pictures of another size than the camera was calibrated at.
pub(super) fn body(picture: &mut RgbImage, camera: &Camera, picture_from_calibrated: &Affine, body: &tracking::Body) {
    let (colour, thickness) = (colour(body.track.number()), thickness(picture));
    let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
    let inside = |pixel: &&Point<Pixel>| (0.0..width).contains(&pixel.x) && (0.0..height).contains(&pixel.y);
    let pixel = |position| camera.pixel_from_world(position).map(|pixel| picture_from_calibrated.apply(pixel));
    let seen = |(position, sigma)| pixel(position).filter(|_| sigma < JOINT_METRES_MAX);
    let joints = body.joints.map(seen);
    for (from, to) in BodyPoint::BONES {
        if let (Some(from), Some(to)) = (joints[from as usize], joints[to as usize]) {
            draw_line(picture, from, to, colour, thickness);
        }
    }
    if let Some(highest) = joints.iter().flatten().filter(inside).min_by(|a, b| a.y.total_cmp(&b.y)) {
        let at = *highest - Point::new(0.0, f64::from(20 * thickness), 0.0);
        draw_number(picture, &body.track.number().to_string(), at, colour, 2 * thickness);
    }
}

fn boxed(picture: &mut RgbImage, bounds: &PixelBox, number: &str, colour: [u8; 3]) {
    let thickness = thickness(picture);
    draw_box(picture, bounds, colour, thickness);
    let (above, below) = (bounds.top - f64::from(6 * thickness), bounds.top + f64::from(2 * thickness));
    let at = Point::new(bounds.left.max(0.0), if above < 0.0 { below } else { above }, 0.0);
    draw_number(picture, number, at, colour, thickness);
}

/// The colour of a track.
pub(super) fn colour(track: u64) -> [u8; 3] {
    COLOURS[(track % COLOURS.len() as u64) as usize]
}

fn thickness(picture: &RgbImage) -> u32 {
    (picture.width().max(picture.height()) / 640).clamp(1, 8)
}
