//! Directions in the world: products, unit vectors, frames from two directions, turns, smooth shares.
//! Takes and gives plain points; knows nothing of bodies.

use std::f64::consts::{PI, TAU};

use super::figure::Axes;
use crate::geometry::{Point, World};

/// Straight up.
pub(super) const UP: Point<World> = Point::new(0.0, 0.0, 1.0);

pub(super) fn dot(a: Point<World>, b: Point<World>) -> f64 {
    a.x * b.x + a.y * b.y + a.z * b.z
}

pub(super) fn cross(a: Point<World>, b: Point<World>) -> Point<World> {
    Point::new(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x)
}

/// The direction of a vector, or `otherwise` for one of no length.
pub(super) fn unit(vector: Point<World>, otherwise: Point<World>) -> Point<World> {
    let length = vector.norm();
    if length < 1e-6 { otherwise } else { vector * (1.0 / length) }
}

/// The part of a vector across an axis of length 1, as a direction.
pub(super) fn across(vector: Point<World>, axis: Point<World>, otherwise: Point<World>) -> Point<World> {
    unit(vector - axis * dot(vector, axis), otherwise)
}

/// The frame that looks along `forward`, with its up as near to `up` as that allows.
pub(super) fn looking(origin: Point<World>, forward: Point<World>, up: Point<World>) -> Axes {
    let right = unit(cross(forward, up), Point::new(1.0, 0.0, 0.0));
    Axes { origin, right, forward, up: cross(right, forward) }
}

/// The frame that stands along `up`, with its forward as near to `forward` as that allows.
pub(super) fn standing(origin: Point<World>, up: Point<World>, forward: Point<World>) -> Axes {
    let right = unit(cross(forward, up), Point::new(1.0, 0.0, 0.0));
    Axes { origin, right, forward: cross(up, right), up }
}

/// The point of a frame this far to its right, forward and up, metres.
pub(super) fn in_axes(axes: &Axes, right: f64, forward: f64, up: f64) -> Point<World> {
    axes.origin + axes.right * right + axes.forward * forward + axes.up * up
}

/// The least jerky way from 0 to 1 between two instants, as arms and feet move (Flash and Hogan 1985).
pub(super) fn smooth(time: f64, start: f64, end: f64) -> f64 {
    if time <= start {
        return if start < end || time < start { 0.0 } else { 1.0 };
    }
    let share = ((time - start) / (end - start).max(1e-6)).min(1.0);
    share * share * share * (10.0 + share * (6.0 * share - 15.0))
}

/// The short way from one heading to another, radians.
pub(super) fn turn(from: f64, to: f64) -> f64 {
    let difference = (to - from).rem_euclid(TAU);
    if PI < difference { difference - TAU } else { difference }
}
