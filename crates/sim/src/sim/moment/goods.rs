//! Where every unit of goods is at any instant: on its shelf, in a hand, in a basket, bag or arms.
//! Takes what the stage wrote down about who had it since when and the bodies at that instant; gives where it stands.
//! It never decides who has what, and nothing jumps: from one holder to the next it moves along a smooth way.

use std::f64::consts::FRAC_PI_2;

use super::body::Frame;
use crate::geometry::{Point, World};
use crate::shop::Shop;
use crate::sim::figure::{Axes, Carrier, CarrierKind, Hand, Holder, Placed};
use crate::sim::stage::play::{Place, Stay};
use crate::sim::stock::Unit;
use crate::sim::vector::{UP, in_axes, smooth, standing, turn};

/// How far a thing in a hand is tilted towards who looks at it, radians.
const TILT_RADIANS: f64 = 0.15;

/// What a body offers to things at an instant.
#[derive(Clone, Copy)]
pub(super) struct Bearer {
    pub(super) frame: Frame,
    /// Which way it faces, radians.
    pub(super) heading: f64,
    pub(super) height: f64,
    pub(super) hands: [Hand; 2],
    pub(super) carrier: Option<Carrier>,
}

/// Where a thing is and how it is turned.
#[derive(Clone, Copy)]
struct Pose {
    /// Middle of its bottom.
    origin: Point<World>,
    /// Which way its back looks, radians.
    heading: f64,
    /// How far it is tipped over backwards: 0 stands, a quarter turn lies on its back.
    tilt: f64,
}

/// The unit at an instant, `None` when nobody who is inside has it.
pub(super) fn placed(
    shop: &Shop,
    stays: &[Stay],
    size: [f64; 3],
    bearers: &[Option<Bearer>],
    time: f64,
) -> Option<(Holder, Axes)> {
    let last = stays.iter().rposition(|stay| stay.moves.0.min(stay.since) <= time)?;
    let holder = stays[..=last].iter().rev().find(|stay| stay.since <= time)?.holder;
    let first = stays[..=last].iter().rposition(|stay| stay.moves.1 <= time).unwrap_or(0);
    let mut pose = rest(shop, stays[first].place, size, bearers)?;
    for stay in &stays[first + 1..=last] {
        let target = rest(shop, stay.place, size, bearers)?;
        pose = pose.mix(target, smooth(time, stay.moves.0, stay.moves.1));
    }
    Some((holder, pose.axes()))
}

/// The units of a shop at an instant.
pub(super) fn all_placed(
    shop: &Shop,
    units: &[Unit],
    goods: &[Vec<Stay>],
    bearers: &[Option<Bearer>],
    time: f64,
) -> Vec<Placed> {
    let one = |(unit, stays): (usize, &Vec<Stay>)| {
        let (holder, axes) = placed(shop, stays, units[unit].size, bearers, time)?;
        Some(Placed { unit, good: units[unit].good, axes, holder })
    };
    goods.iter().enumerate().filter_map(one).collect()
}

/// When the set of things that rest on shelves changes, seconds, in order of time.
pub(in crate::sim) fn shelf_changes(goods: &[Vec<Stay>]) -> Vec<f64> {
    let mut times = Vec::new();
    for stays in goods {
        for pair in stays.windows(2) {
            if (pair[0].holder == Holder::Shelf) != (pair[1].holder == Holder::Shelf) {
                times.push(pair[1].since);
            }
        }
    }
    times.sort_by(f64::total_cmp);
    times.dedup();
    times
}

/// Where a carrier hangs from a palm or stands before a belly.
pub(super) fn carrier_axes(kind: CarrierKind, palm: &Axes, frame: &Frame) -> Axes {
    // The hand holds the handle or the straps, which meet above the middle.
    let below = match kind {
        CarrierKind::Basket => 0.34,
        CarrierKind::Bag => 0.55,
    };
    let origin = palm.origin - UP * below;
    standing(origin, UP, frame.way(0.0, 1.0, 0.0))
}

fn rest(shop: &Shop, place: Place, size: [f64; 3], bearers: &[Option<Bearer>]) -> Option<Pose> {
    let lying = |lies: bool| if lies { FRAC_PI_2 } else { 0.0 };
    match place {
        Place::Board { shelf, x, y, lies } => {
            let placement = shop.shelves().get(shelf)?.placement;
            let tilt = lying(lies);
            // What lies on its back has its bottom towards the front; its middle stays over the spot.
            let y = if lies { y - size[2] / 2.0 } else { y };
            let up = if lies { size[1] / 2.0 } else { 0.0 };
            let origin = placement.world_from_local(Point::new(x, y, up));
            Some(Pose { origin, heading: placement.turn_radians + FRAC_PI_2, tilt })
        }
        Place::Palm { actor, hand, aside } => {
            let bearer = bearers.get(actor)?.as_ref()?;
            let grasp = in_axes(&bearer.hands[hand].palm, 0.0, 0.02, 0.0) + bearer.frame.way(aside, size[1] / 2.0, 0.0);
            let tilted = Pose { origin: grasp, heading: bearer.heading, tilt: TILT_RADIANS };
            // Held by its middle.
            Some(Pose { origin: grasp - tilted.axes().up * (size[2] * 0.5), ..tilted })
        }
        Place::Nest { actor, at: [right, forward, up], lies } => {
            let bearer = bearers.get(actor)?.as_ref()?;
            let tilt = lying(lies);
            let forward = if lies { forward - size[2] / 2.0 } else { forward };
            let up = if lies { up + size[1] / 2.0 } else { up };
            let origin = match &bearer.carrier {
                Some(carrier) => in_axes(&carrier.axes, right, forward, up),
                // In the crook of the arm, before the belly.
                None => bearer.frame.at(right, 0.2 + forward, 0.6 * bearer.height - 0.03 + up),
            };
            Some(Pose { origin, heading: bearer.heading, tilt })
        }
    }
}

impl Pose {
    fn mix(self, other: Pose, share: f64) -> Pose {
        Pose {
            origin: self.origin.lerp(other.origin, share),
            heading: self.heading + turn(self.heading, other.heading) * share,
            tilt: self.tilt + (other.tilt - self.tilt) * share,
        }
    }

    fn axes(self) -> Axes {
        let (sin, cos) = self.heading.sin_cos();
        let level = Point::new(cos, sin, 0.0);
        let (tip, stand) = self.tilt.sin_cos();
        // Its top goes away from who looks at its front, and the front turns up.
        standing(self.origin, UP * stand + level * tip, level * stand - UP * tip)
    }
}
