//! What a shelf says of a hand that only one camera sees: who reaches into it has the wrist about at its front, which is
//! where the camera's ray should end.

use nalgebra::Vector3;

use crate::geometry::{Floor, Local, Placement, Point, World};
use crate::shop::Shelf;

/// Where the wrist of a hand is that takes or puts something, from the front inwards, and its deviation: a hand is 18 cm
/// long and goods stand in up to two rows, metres.
const WRIST_METRES: (f64, f64) = (-0.05, 0.12);
/// Whose wrist is this much nearer to a shelf than the trunk reaches for it; arms that hang or swing are not.
const REACH_METRES: f64 = 0.35;
/// Wrists further than this from the front are on their way, metres.
const NEAR_METRES: f64 = 0.3;
/// People who reach into a shelf stand at most this far from its front, metres.
const STANDING_METRES: f64 = 1.1;
/// Hands reach in beside a board and above its goods, metres.
const BESIDE_METRES: f64 = 0.1;

/// The opening of a shelf.
#[derive(Clone, Copy, Debug)]
pub(super) struct Front {
    placement: Placement,
    /// Its middle, and how far from there people stand who reach into it, metres.
    middle: Point<Floor>,
    radius_metres: f64,
    width_metres: f64,
    depth_metres: f64,
    clearance_metres: f64,
}

/// A coordinate that a wrist should have: how far it is off along a direction of length 1, and the variance of that.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hold {
    pub(super) way: Vector3<f64>,
    pub(super) off_metres: f64,
    pub(super) variance: f64,
}

impl Front {
    pub(super) fn of(shelf: &Shelf) -> Self {
        let width_metres = shelf.plates.iter().map(|plate| plate.left_metres + plate.width_metres).fold(0.0, f64::max);
        let (placement, clearance_metres) = (shelf.placement, shelf.clearance_metres);
        let middle = placement.world_from_local(Point::new(width_metres / 2.0, 0.0, 0.0)).floor();
        let radius_metres = width_metres / 2.0 + STANDING_METRES;
        Front { placement, middle, radius_metres, width_metres, depth_metres: shelf.depth_metres, clearance_metres }
    }

    /// Whether somebody stands near enough to reach into it.
    pub(super) fn is_near(&self, trunk: Point<World>) -> bool {
        self.middle.distance(trunk.floor()) < self.radius_metres
    }

    /// What this shelf says of the wrist of somebody; `None` where they do not reach into it.
    pub(super) fn hold(&self, trunk: Point<World>, wrist: Point<World>) -> Option<Hold> {
        let (trunk, wrist) = (self.placement.local_from_world(trunk), self.placement.local_from_world(wrist));
        let beside = |value: f64, end: f64| -BESIDE_METRES <= value && value <= end + BESIDE_METRES;
        let into = beside(wrist.x, self.width_metres) && beside(wrist.z, self.clearance_metres);
        let near = -NEAR_METRES <= wrist.y && wrist.y <= self.depth_metres + NEAR_METRES;
        if !into || !near || wrist.y - trunk.y < REACH_METRES || 0.0 <= trunk.y {
            return None;
        }
        let (mean, sigma) = WRIST_METRES;
        let inwards = self.placement.world_from_local(Point::<Local>::new(0.0, 1.0, 0.0)) - self.placement.origin;
        let way = Vector3::new(inwards.x, inwards.y, inwards.z);
        Some(Hold { way, off_metres: mean - wrist.y, variance: sigma * sigma })
    }
}
