//! A trip with times: what every body does when, who has what since when, what every plate feels when, and what that
//! means for receipts.
//! Written by the stage, read by the renderers of joints and plates. Seconds count from the start of the trip,
//! on the plates' clock.

use crate::base::{PlateId, SkuId};
use crate::facts::Movement;
use crate::geometry::{Floor, Point, World};
use crate::sim::figure::{CarrierKind, Holder};
use crate::sim::stock::Rest;

/// Steps of the grid on which trunks are worked out, per second.
pub(in crate::sim) const GRID_HERTZ: f64 = 50.0;
/// How far before and behind a corner a way is rounded, metres.
const ROUNDING_METRES: f64 = 0.16;

/// Everything that happens.
#[derive(Clone, Debug, Default)]
pub(in crate::sim) struct Play {
    pub(in crate::sim) actors: Vec<Actor>,
    pub(in crate::sim) loads: Vec<Load>,
    /// In order of time.
    pub(in crate::sim) deeds: Vec<Deed>,
    /// For every actor the products owed, one entry a unit.
    pub(in crate::sim) owed: Vec<Vec<SkuId>>,
    /// For every unit of the stock who has it since when, in order of time.
    pub(in crate::sim) goods: Vec<Vec<Stay>>,
    /// Who let themselves in at the gate, in order of time.
    pub(in crate::sim) scans: Vec<Scan>,
    /// When the recording ends.
    pub(in crate::sim) end: f64,
}

/// Somebody shows at the gate who they are.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim) struct Scan {
    pub(in crate::sim) actor: usize,
    pub(in crate::sim) at: f64,
    /// How many come in with them, themselves included.
    pub(in crate::sim) people: u32,
}

/// A shopper's movements.
#[derive(Clone, Debug)]
pub(in crate::sim) struct Actor {
    /// Standing height, metres.
    pub(in crate::sim) height: f64,
    /// Whether they wear what everybody wears who does so.
    pub(in crate::sim) is_uniform: bool,
    pub(in crate::sim) enters: f64,
    pub(in crate::sim) leaves: f64,
    /// Walks, in order of time, without overlap.
    pub(super) legs: Vec<Leg>,
    /// From when on which way the trunk faces, radians counter-clockwise from +x.
    pub(in crate::sim) faces: Vec<(f64, f64)>,
    /// Left and right.
    pub(in crate::sim) hands: [Vec<Key>; 2],
    /// From when on something is carried in front of the belly.
    pub(in crate::sim) carries: Vec<(f64, bool)>,
    /// What things are carried in and in which hand, from the entrance on; none for the arms.
    pub(in crate::sim) carrier: Option<(CarrierKind, usize)>,
    /// What is looked at from when to when, the latest one first of those that overlap.
    pub(in crate::sim) looks: Vec<(f64, f64, Look)>,
}

/// What somebody looks at.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim) enum Look {
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
pub(in crate::sim) struct Key {
    pub(in crate::sim) at: f64,
    pub(in crate::sim) aim: Aim,
}

/// What a wrist does.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim) enum Aim {
    /// Goes with the body.
    Rest,
    /// Is at a point.
    At(Point<World>),
    /// Is before the body: to its right and forward, metres, and up, as a share of the height.
    Before([f64; 3]),
}

/// A change of what plates of one shelf carry.
#[derive(Clone, Debug)]
pub(in crate::sim) struct Load {
    /// Index of the shelf.
    pub(in crate::sim) shelf: usize,
    /// Index of the plate on the shelf and its part.
    pub(in crate::sim) shares: Vec<(usize, f64)>,
    pub(in crate::sim) curve: Curve,
}

/// Grams over time.
#[derive(Clone, Debug, Default)]
pub(in crate::sim) struct Curve {
    /// Straight between knots, zero before the first, constant after the last.
    pub(super) knots: Vec<(f64, f64)>,
    pub(super) rings: Vec<Ring>,
}

/// A damped oscillation, or a wobble that lasts.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim) struct Ring {
    pub(super) start: f64,
    pub(super) end: f64,
    pub(super) grams: f64,
    pub(super) hertz: f64,
    /// Time in which it falls to a third; infinite for a wobble.
    pub(super) decay: f64,
}

/// Goods moved between a shelf and a shopper.
#[derive(Clone, Debug)]
pub(in crate::sim) struct Deed {
    pub(in crate::sim) actor: usize,
    pub(in crate::sim) start: f64,
    pub(in crate::sim) end: f64,
    pub(in crate::sim) movement: Movement,
    pub(in crate::sim) sku: SkuId,
    pub(in crate::sim) count: u32,
    pub(in crate::sim) plates: Vec<PlateId>,
    /// Index of the shelf.
    pub(super) shelf: usize,
    /// True weight of all units, grams.
    pub(super) grams: f64,
}

/// Who has a unit from an instant on, and how it gets there.
#[derive(Clone, Debug)]
pub(in crate::sim) struct Stay {
    /// From when on, seconds; before all time for what stands on the shelf at the start.
    pub(in crate::sim) since: f64,
    pub(in crate::sim) holder: Holder,
    pub(in crate::sim) place: Place,
    /// When it leaves where it was before, and when it is where it belongs now.
    pub(in crate::sim) moves: (f64, f64),
}

impl Stay {
    /// On its shelf before anybody came.
    pub(super) fn at_start(rest: &Rest) -> Self {
        Stay {
            since: f64::NEG_INFINITY,
            holder: Holder::Shelf,
            place: Place::on(rest),
            moves: (f64::NEG_INFINITY, f64::NEG_INFINITY),
        }
    }
}

impl Place {
    /// Where a unit rests.
    pub(super) fn on(rest: &Rest) -> Self {
        Place::Board { shelf: rest.shelf, x: rest.x, y: rest.y, lies: rest.lies }
    }
}

/// Where a unit belongs.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim) enum Place {
    /// On a board: index of the shelf, middle of the bottom along it and in depth, metres in its frame.
    Board { shelf: usize, x: f64, y: f64, lies: bool },
    /// In a hand of an actor, so far to the right of its middle, metres.
    Palm { actor: usize, hand: usize, aside: f64 },
    /// In what an actor carries things in: from the middle of its bottom to the right, forward and up, metres.
    Nest { actor: usize, at: [f64; 3], lies: bool },
}

impl Curve {
    /// The grams at an instant.
    pub(in crate::sim) fn at(&self, time: f64) -> f64 {
        let after = self.knots.partition_point(|(at, _)| *at <= time);
        let level = match (after.checked_sub(1).map(|before| self.knots[before]), self.knots.get(after)) {
            (None, _) => 0.0,
            (Some((_, level)), None) => level,
            (Some((start, from)), Some((end, to))) => from + (to - from) * (time - start) / (end - start),
        };
        level + self.rings.iter().map(|ring| ring.at(time)).sum::<f64>()
    }

    /// From when on it changes anything.
    pub(in crate::sim) fn start(&self) -> f64 {
        self.knots.first().map_or(f64::INFINITY, |knot| knot.0)
    }

    /// The level it ends at.
    pub(in crate::sim) fn last(&self) -> f64 {
        self.knots.last().map_or(0.0, |knot| knot.1)
    }

    /// After when it no longer changes.
    pub(in crate::sim) fn settled(&self) -> f64 {
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
    pub(in crate::sim) fn floor_at(&self, time: f64) -> Point<Floor> {
        let after = self.legs.partition_point(|leg| leg.start <= time);
        match after.checked_sub(1) {
            Some(index) => self.legs[index].at(time),
            None => self.legs.first().map_or(Point::new(0.0, 0.0, 0.0), |leg| leg.from),
        }
    }

    /// Whether the shopper walks.
    pub(in crate::sim) fn walks_at(&self, time: f64) -> bool {
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
