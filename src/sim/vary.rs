//! Other shops than the one that was measured: cameras hang a little differently in each, as training wants them.

use super::roll::Roll;
use crate::base::{Error, Result};
use crate::geometry::{Camera, CameraPose, Point, World};
use crate::shop::{CameraDraft, Shop};

/// How far a camera is moved, standard deviation, metres, and how far its view goes astray two metres away.
const MOVED_METRES: f64 = 0.12;
const ASTRAY_METRES: f64 = 0.15;
/// Standard deviation of its roll, radians.
const ROLL_RADIANS: f64 = 0.03;
/// Standard deviation of focal lengths and distortion, as a share.
const LENS_SHARE: f64 = 0.06;

/// The same shop with its cameras hung and ground a little differently, by seed. The shop that it gives says how they
/// really are.
///
/// # Errors
/// When a camera that is near the bounds of what a camera can be was moved beyond them.
pub fn varied(shop: &Shop, seed: u64) -> Result<Shop> {
    let mut draft = shop.draft().clone();
    for camera in &mut draft.cameras {
        vary(camera, &mut Roll::new(seed, &format!("camera/{}", camera.name)));
    }
    Shop::check(draft).map_err(|problems| {
        let list: Vec<String> = problems.iter().map(|problem| format!("\n  {problem}")).collect();
        Error::input(format!("the shop with its cameras moved does not hold together:{}", list.concat()))
    })
}

fn vary(camera: &mut CameraDraft, roll: &mut Roll) {
    let view = Camera::new(camera.lens, camera.pose);
    let [right, down, forward] = view.rotation_rows().map(|[x, y, z]| Point::<World>::new(x, y, z));
    let mut off = |sigma: f64| {
        Point::<World>::new(roll.bounded(0.0, sigma), roll.bounded(0.0, sigma), roll.bounded(0.0, sigma * 0.5))
    };
    let position = camera.pose.position + off(MOVED_METRES);
    let target = camera.pose.position + forward * 2.0 + off(ASTRAY_METRES);
    // What its roll was: how far its right side hangs below the horizontal.
    let before = right.z.atan2(-down.z);
    camera.pose = CameraPose::look_at(position, target, before + roll.bounded(0.0, ROLL_RADIANS));
    let zoom = roll.around(1.0, LENS_SHARE);
    camera.lens.focal_pixels = camera.lens.focal_pixels.map(|focal| focal * zoom);
    let bend = roll.around(1.0, LENS_SHARE);
    camera.lens.distortion = camera.lens.distortion.map(|part| part * bend);
}
