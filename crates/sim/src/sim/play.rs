//! A trip with times: what every body does when, what every plate feels when, and what that means for receipts.
//! Written by the stage, read by the renderers of joints and plates. Seconds count from the start of the trip,
//! on the plates' clock.

use super::figure::CarrierKind;
use super::goods::Stay;
use crate::base::{PlateId, SkuId};
use crate::facts::Movement;
use crate::geometry::{Floor, Point, World};

/// How far before and behind a corner a way is rounded, metres.
const ROUNDING_METRES: f64 = 0.16;

/// Everything that happens.
#[derive(Clone, Debug, Default)]
pub(super) struct Play {
    pub(super) actors: Vec<Actor>,
    pub(super) loads: Vec<Load>,
    /// In order of time.
    pub(super) deeds: Vec<Deed>,
    /// For every actor the products owed, one entry a unit.
    pub(super) owed: Vec<Vec<SkuId>>,
    /// For every unit of the stock who has it since when, in order of time.
    pub(super) goods: Vec<Vec<Stay>>,
    /// Who let themselves in at the gate, in order of time.
    pub(super) scans: Vec<Scan>,
    /// When the recording ends.
    pub(super) end: f64,
}

/// Somebody shows at the gate who they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scan {
    pub(super) actor: usize,
    pub(super) at: f64,
    /// How many come in with them, themselves included.
    pub(super) people: u32,
}

/// A shopper's movements.
#[derive(Clone, Debug)]
pub(super) struct Actor {
    /// Standing height, metres.
    pub(super) height: f64,
    pub(super) enters: f64,
    pub(super) leaves: f64,
    /// Walks, in order of time, without overlap.
    pub(super) legs: Vec<Leg>,
    /// From when on which way the trunk faces, radians counter-clockwise from +x.
    pub(super) faces: Vec<(f64, f64)>,
    /// Left and right.
    pub(super) hands: [Vec<Key>; 2],
    /// From when on something is carried in front of the belly.
    pub(super) carries: Vec<(f64, bool)>,
    /// What things are carried in and in which hand, from the entrance on; none for the arms.
    pub(super) carrier: Option<(CarrierKind, usize)>,
    /// What is looked at from when to when, the latest one first of those that overlap.
    pub(super) looks: Vec<(f64, f64, Look)>,
}

/// What somebody looks at.
#[derive(Clone, Copy, Debug)]
pub(super) enum Look {
    /// The face of an actor.
    Person(usize),
    /// What one of the own hands holds.
    Hand(usize),
    /// Aside: left and up against the body, radians.
    Turn { yaw: f64, pitch: f64 },
}

/// A walk from one stop to the next.
#[derive(Clone, Debug)]
pub(super) struct Leg {
    pub(super) start: f64,
    pub(super) end: f64,
    pub(super) from: Point<Floor>,
    pub(super) to: Point<Floor>,
    /// Corners on the way.
    pub(super) via: Vec<Point<Floor>>,
    /// Sideways bulge of the path, metres to the left of it.
    pub(super) bulge: f64,
}

/// Where a wrist is at an instant; between two it moves smoothly.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    pub(super) at: f64,
    pub(super) aim: Aim,
}

/// What a wrist does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Aim {
    /// Goes with the body.
    Rest,
    /// Is at a point.
    At(Point<World>),
    /// Is before the body: to its right and forward, metres, and up, as a share of the height.
    Before([f64; 3]),
}

/// A change of what plates of one shelf carry.
#[derive(Clone, Debug)]
pub(super) struct Load {
    /// Index of the shelf.
    pub(super) shelf: usize,
    /// Index of the plate on the shelf and its part.
    pub(super) shares: Vec<(usize, f64)>,
    pub(super) curve: Curve,
}

/// Grams over time.
#[derive(Clone, Debug, Default)]
pub(super) struct Curve {
    /// Straight between knots, zero before the first, constant after the last.
    pub(super) knots: Vec<(f64, f64)>,
    pub(super) rings: Vec<Ring>,
}

/// A damped oscillation, or a wobble that lasts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ring {
    pub(super) start: f64,
    pub(super) end: f64,
    pub(super) grams: f64,
    pub(super) hertz: f64,
    /// Time in which it falls to a third; infinite for a wobble.
    pub(super) decay: f64,
}

/// Goods moved between a shelf and a shopper.
#[derive(Clone, Debug)]
pub(super) struct Deed {
    pub(super) actor: usize,
    pub(super) start: f64,
    pub(super) end: f64,
    pub(super) movement: Movement,
    pub(super) sku: SkuId,
    pub(super) count: u32,
    pub(super) plates: Vec<PlateId>,
    /// Index of the shelf.
    pub(super) shelf: usize,
    /// True weight of all units, grams.
    pub(super) grams: f64,
}

impl Curve {
    /// The grams at an instant.
    pub(super) fn at(&self, time: f64) -> f64 {
        let after = self.knots.partition_point(|(at, _)| *at <= time);
        let level = match (after.checked_sub(1).map(|before| self.knots[before]), self.knots.get(after)) {
            (None, _) => 0.0,
            (Some((_, level)), None) => level,
            (Some((start, from)), Some((end, to))) => from + (to - from) * (time - start) / (end - start),
        };
        level + self.rings.iter().map(|ring| ring.at(time)).sum::<f64>()
    }

    /// From when on it changes anything.
    pub(super) fn start(&self) -> f64 {
        self.knots.first().map_or(f64::INFINITY, |knot| knot.0)
    }

    /// The level it ends at.
    pub(super) fn last(&self) -> f64 {
        self.knots.last().map_or(0.0, |knot| knot.1)
    }

    /// After when it no longer changes.
    pub(super) fn settled(&self) -> f64 {
        let rings = self.rings.iter().map(|ring| ring.end);
        rings.fold(self.knots.last().map_or(0.0, |knot| knot.0), f64::max)
    }
}

impl Ring {
    fn at(&self, time: f64) -> f64 {
        if time < self.start || self.end < time {
            return 0.0;
        }
        let (age, left) = (time - self.start, self.end - time);
        // Fades in and out over a few samples, so that a wobble does not begin with a jump.
        let edge = (age / 0.03).min(left / 0.03).min(1.0);
        self.grams * edge * (-age / self.decay).exp() * (age * self.hertz * std::f64::consts::TAU).sin()
    }
}

impl Leg {
    /// The point at an instant within the leg: accelerates, walks, brakes.
    pub(super) fn at(&self, time: f64) -> Point<Floor> {
        let whole = (self.end - self.start).max(1e-6);
        let share = ((time - self.start) / whole).clamp(0.0, 1.0);
        let ramp = (0.35 / whole).min(0.45);
        let eased = match share {
            s if s < ramp => s * s / (2.0 * ramp),
            s if 1.0 - ramp < s => 1.0 - ramp - (1.0 - s) * (1.0 - s) / (2.0 * ramp),
            s => s - ramp / 2.0,
        } / (1.0 - ramp);
        if !self.via.is_empty() {
            return self.round(eased * self.length());
        }
        let along = self.to - self.from;
        let length = along.norm().max(1e-6);
        let side = Point::new(-along.y / length, along.x / length, 0.0);
        self.from.lerp(self.to, eased) + side * (self.bulge * (eased * std::f64::consts::PI).sin())
    }
}

impl Actor {
    /// Where the feet are, without sway and without making way for others.
    pub(super) fn floor_at(&self, time: f64) -> Point<Floor> {
        let after = self.legs.partition_point(|leg| leg.start <= time);
        match after.checked_sub(1) {
            Some(index) => self.legs[index].at(time),
            None => self.legs.first().map_or(Point::new(0.0, 0.0, 0.0), |leg| leg.from),
        }
    }

    /// Whether the shopper walks.
    pub(super) fn walks_at(&self, time: f64) -> bool {
        let after = self.legs.partition_point(|leg| leg.start <= time);
        after.checked_sub(1).is_some_and(|index| time < self.legs[index].end && 0.25 < self.legs[index].length())
    }
}

impl Leg {
    /// How long the way is, metres.
    pub(super) fn length(&self) -> f64 {
        self.parts().map(|(from, to)| from.distance(to)).sum()
    }

    /// The straight parts of the way.
    pub(super) fn parts(&self) -> impl Iterator<Item = (Point<Floor>, Point<Floor>)> + '_ {
        let from = std::iter::once(self.from).chain(self.via.iter().copied());
        from.zip(self.via.iter().copied().chain([self.to]))
    }

    /// The point so many metres along the way, corners cut a little.
    fn round(&self, metres: f64) -> Point<Floor> {
        let cut = ROUNDING_METRES.min(metres).min((self.length() - metres).max(0.0));
        (self.along(metres - cut) + self.along(metres) + self.along(metres + cut)) * (1.0 / 3.0)
    }

    fn along(&self, metres: f64) -> Point<Floor> {
        let mut left = metres;
        for (from, to) in self.parts() {
            let length = from.distance(to);
            if left <= length {
                return from.lerp(to, left.max(0.0) / length.max(1e-9));
            }
            left -= length;
        }
        self.to
    }
}
