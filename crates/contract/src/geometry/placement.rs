//! Where a piece of furniture stands: a rigid transform between its frame and the world's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Local, Point, World};

/// Furniture stands upright: its origin in the world and a turn about the vertical axis.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Placement {
    /// Origin of the local frame in the world, metres.
    pub origin: Point<World>,
    /// Turn about the vertical, counter-clockwise seen from above, radians.
    pub turn_radians: f64,
}

impl Placement {
    /// Local coordinates of a world point.
    pub fn local_from_world(&self, point: Point<World>) -> Point<Local> {
        let (sin, cos) = self.turn_radians.sin_cos();
        let d = point - self.origin;
        Point::new(cos * d.x + sin * d.y, cos * d.y - sin * d.x, d.z)
    }

    /// World coordinates of a local point.
    pub fn world_from_local(&self, point: Point<Local>) -> Point<World> {
        let (sin, cos) = self.turn_radians.sin_cos();
        let turned = Point::new(cos * point.x - sin * point.y, sin * point.x + cos * point.y, point.z);
        self.origin + turned
    }
}
