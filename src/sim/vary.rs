//! Other shops than the one that was measured: with cameras of another size and rate, or hung a little differently, as
//! training wants them.

use super::roll::Roll;
use crate::base::{Error, Result};
use crate::geometry::{Camera, CameraPose, Point, World};
use crate::shop::{CameraDraft, Shop, ShopDraft};

/// How far a camera is moved, standard deviation, metres, and how far its view goes astray two metres away.
const MOVED_METRES: f64 = 0.12;
const ASTRAY_METRES: f64 = 0.15;
/// Standard deviation of its roll, radians.
const ROLL_RADIANS: f64 = 0.03;
/// Standard deviation of focal lengths and distortion, as a share.
const LENS_SHARE: f64 = 0.06;

/// The same shop with cameras that deliver other frames: of this width in pixels (the height follows, and the lens with
/// it), at this rate in frames a second; `None` as they are.
///
/// # Errors
/// When no camera can be so.
pub fn with_frames(shop: &Shop, width_pixels: Option<u32>, rate_hertz: Option<f64>) -> Result<Shop> {
    let mut draft = shop.draft().clone();
    for camera in &mut draft.cameras {
        let [width, height] = camera.size_pixels;
        if let Some(wanted) = width_pixels {
            let share = f64::from(wanted) / f64::from(width);
            let rows = (f64::from(height) * share).round();
            let shares = [share, rows / f64::from(height)];
            camera.size_pixels = [wanted, rows as u32];
            for axis in [0, 1] {
                camera.lens.focal_pixels[axis] *= shares[axis];
                camera.lens.centre_pixels[axis] *= shares[axis];
            }
        }
        camera.rate_hertz = rate_hertz.unwrap_or(camera.rate_hertz);
    }
    checked(draft)
}

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
    checked(draft)
}

fn checked(draft: ShopDraft) -> Result<Shop> {
    Shop::check(draft).map_err(|problems| {
        let list: Vec<String> = problems.iter().map(|problem| format!("\n  {problem}")).collect();
        Error::input(format!("the shop with its cameras changed does not hold together:{}", list.concat()))
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
