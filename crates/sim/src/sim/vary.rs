//! Other shops than the one that was measured: with cameras of another size and rate, or hung a little differently, as
//! training wants them; or with files that name no doors.

use super::roll::Roll;
use crate::base::{Error, Result};
use crate::geometry::{Point, World};
use crate::shop::{CameraDraft, Room, Shop, ShopDraft, ZoneKind};

/// How far a camera is moved in each direction, standard deviation, metres.
const MOVED_METRES: f64 = 0.1;
/// How far it is turned about its own right, down and forward, standard deviation, radians.
const TURNED_RADIANS: [f64; 3] = [0.06, 0.06, 0.03];
/// Nearer to a wall, the ceiling or the floor no camera is moved, metres.
const WALL_METRES: f64 = 0.05;
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
    checked(draft, "with its cameras changed")
}

/// The same shop, whose files name no entrance and no exit. Whoever is simulated in the shop itself goes through its doors;
/// whoever is told of this one alone has to find them. Closed zones and the room stay.
///
/// # Errors
/// When it does not hold together without them.
pub fn without_doors(shop: &Shop) -> Result<Shop> {
    let mut draft = shop.draft().clone();
    draft.zones.retain(|zone| zone.kind == ZoneKind::Closed);
    checked(draft, "without its doors")
}

/// The same shop with its cameras hung and ground a little differently, by seed. The shop that it gives says how they
/// really are.
///
/// # Errors
/// When a camera that is near the bounds of what a camera can be was moved beyond them.
pub fn varied(shop: &Shop, seed: u64) -> Result<Shop> {
    let mut draft = shop.draft().clone();
    for camera in &mut draft.cameras {
        vary(camera, shop.room(), &mut Roll::new(seed, &format!("camera/{}", camera.name)));
    }
    checked(draft, "with its cameras changed")
}

fn checked(draft: ShopDraft, how: &str) -> Result<Shop> {
    Shop::check(draft).map_err(|problems| {
        let list: Vec<String> = problems.iter().map(|problem| format!("\n  {problem}")).collect();
        Error::input(format!("the shop {how} does not hold together:{}", list.concat()))
    })
}

fn vary(camera: &mut CameraDraft, room: Option<&Room>, roll: &mut Roll) {
    let off = [0, 1, 2].map(|_| roll.bounded(0.0, MOVED_METRES));
    let moved = camera.pose.position + Point::new(off[0], off[1], off[2] * 0.5);
    if room.is_none_or(|room| hangs_in(room, moved)) {
        camera.pose.position = moved;
    }
    camera.pose = camera.pose.turned(TURNED_RADIANS.map(|sigma| roll.bounded(0.0, sigma)));
    let zoom = roll.around(1.0, LENS_SHARE);
    camera.lens.focal_pixels = camera.lens.focal_pixels.map(|focal| focal * zoom);
    let bend = roll.around(1.0, LENS_SHARE);
    camera.lens.distortion = camera.lens.distortion.map(|part| part * bend);
}

/// Whether a point is inside the room, away from its walls and ceiling.
fn hangs_in(room: &Room, point: Point<World>) -> bool {
    let corners = || room.polygon.iter().zip(room.polygon.iter().cycle().skip(1));
    let clear = corners().all(|(a, b)| {
        let (along, to) = (*b - *a, point.floor() - *a);
        let share = ((along.x * to.x + along.y * to.y) / (along.norm() * along.norm()).max(1e-9)).clamp(0.0, 1.0);
        WALL_METRES <= point.floor().distance(a.lerp(*b, share))
    });
    room.contains(point.floor()) && clear && WALL_METRES <= room.height_metres - point.z && WALL_METRES <= point.z
}
