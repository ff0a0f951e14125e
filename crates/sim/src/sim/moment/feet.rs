//! Footsteps: where each foot stands from when to when, from the way of a trunk over the floor.
//! Takes a trunk on its grid and where the body wants its weight; gives a foot at any instant. A foot that carries
//! does not move: it is lifted, swung and set down again.
//!
//! A walking foot swings for 0.78 of a step and carries for 1.22 (Perry, Gait Analysis, 1992: 60 % of the cycle); who
//! stands and has come away from their feet puts them after themselves one by one.

use super::body::Trunk;
use crate::geometry::{Floor, Point};
use crate::sim::stage::play::GRID_HERTZ;
use crate::sim::vector::{smooth, turn};

/// Part of a step for which the foot that ends it swings.
const SWING_STEPS: f64 = 0.78;
/// How much further the trunk will have walked when a foot that comes down bears it best.
const AHEAD_STEPS: f64 = 0.4;
/// A swing never lasts longer, seconds.
const SWING_SECS_MAX: f64 = 0.9;
/// How long a corrective step takes and how far it looks ahead, seconds.
const CORRECTION_SECS: f64 = 0.36;
const LOOKAHEAD_SECS: f64 = 0.55;
/// A standing foot is put right when it is so far off, metres and radians.
const OFF_METRES: f64 = 0.09;
const OFF_RADIANS: f64 = 0.45;
/// From the middle to a foot, as a share of the height, and how far the toes point out, radians.
const STANCE: f64 = 0.055;
const TOE_OUT_RADIANS: f64 = 0.12;

/// Where somebody wants their weight at an instant of the grid.
#[derive(Clone, Copy)]
pub(super) struct Support {
    pub(super) trunk: Trunk,
    pub(super) floor: Point<Floor>,
}

/// A foot at an instant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Footing {
    /// Below the ankle, on the floor.
    pub(super) floor: Point<Floor>,
    pub(super) heading: f64,
    /// How high it is lifted, metres.
    pub(super) lift: f64,
    /// How far its heel is up beside that, radians.
    pub(super) peel: f64,
}

/// A foot that stands, and how it came there.
#[derive(Clone, Copy)]
struct Plant {
    floor: Point<Floor>,
    heading: f64,
    /// Lifted at the place before, set down here.
    lifted: f64,
    down: f64,
}

/// The footsteps of a shopper, left and right.
pub(super) struct Feet {
    plants: [Vec<Plant>; 2],
}

impl Feet {
    /// Walks the grid from `enters` on.
    pub(super) fn plan(supports: &[Support], enters: f64, height: f64) -> Self {
        let walk = Walk { supports, enters, height };
        let mut feet = Feet { plants: [0, 1].map(|foot| vec![walk.home(foot, enters, enters)]) };
        for tick in 1..supports.len() {
            let time = enters + tick as f64 / GRID_HERTZ;
            let busy = |foot: usize| feet.plants[foot].last().is_some_and(|plant| time < plant.down);
            if busy(0) || busy(1) {
                continue;
            }
            let step = walk.stride(tick, time).or_else(|| walk.correction(&feet, time));
            if let Some((foot, plant)) = step {
                feet.plants[foot].push(plant);
            }
        }
        feet
    }

    /// A foot at an instant: 0 the left, 1 the right.
    pub(super) fn at(&self, foot: usize, time: f64) -> Footing {
        let plants = &self.plants[foot];
        let last = plants.partition_point(|plant| plant.lifted <= time).saturating_sub(1);
        let plant = plants[last];
        let from = plants[last.saturating_sub(1)];
        if plant.down <= time || last == 0 {
            return Footing { floor: plant.floor, heading: plant.heading, lift: 0.0, peel: 0.0 };
        }
        let share = (time - plant.lifted) / (plant.down - plant.lifted);
        let way = smooth(time, plant.lifted, plant.down);
        let length = from.floor.distance(plant.floor);
        let arc = (share * std::f64::consts::PI).sin();
        Footing {
            floor: from.floor.lerp(plant.floor, way),
            heading: from.heading + turn(from.heading, plant.heading) * way,
            lift: (0.025 + 0.04 * length.min(1.2)) * arc * arc,
            peel: 0.9 * length.min(1.2) * arc * arc * (1.0 - share),
        }
    }

    /// Whether a foot carries.
    #[cfg(test)]
    pub(super) fn is_planted(&self, foot: usize, time: f64) -> bool {
        let plants = &self.plants[foot];
        let last = plants.partition_point(|plant| plant.lifted <= time).saturating_sub(1);
        plants[last].down <= time
    }
}

/// A trunk's way, looked at from its feet.
struct Walk<'a> {
    supports: &'a [Support],
    enters: f64,
    height: f64,
}

impl Walk<'_> {
    fn support(&self, time: f64) -> Support {
        let tick = ((time - self.enters).max(0.0) * GRID_HERTZ).round() as usize;
        // Who is never inside stands nowhere, and nobody asks where.
        let nowhere = Trunk { floor: Point::new(0.0, 0.0, 0.0), heading: 0.0, steps: 0.0, gait: 0.0 };
        let last = self.supports.len().saturating_sub(1);
        self.supports.get(tick.min(last)).copied().unwrap_or(Support { trunk: nowhere, floor: nowhere.floor })
    }

    /// Where a foot stands best for the body at `time`, set down at `down`.
    fn home(&self, foot: usize, time: f64, down: f64) -> Plant {
        let support = self.support(time);
        let side = if foot == 0 { -1.0 } else { 1.0 };
        let (sin, cos) = support.trunk.heading.sin_cos();
        let right = Point::new(sin, -cos, 0.0);
        let floor = support.floor + right * (side * STANCE * self.height);
        Plant { floor, heading: support.trunk.heading - side * TOE_OUT_RADIANS, lifted: down, down }
    }

    /// When the trunk will have walked so many steps, if soon.
    fn reaches(&self, tick: usize, steps: f64, secs: f64) -> Option<f64> {
        let ahead = &self.supports[tick..self.supports.len().min(tick + (secs * GRID_HERTZ) as usize)];
        let index = ahead.iter().position(|support| steps <= support.trunk.steps)?;
        Some(self.enters + (tick + index) as f64 / GRID_HERTZ)
    }

    /// The next step of somebody who walks.
    fn stride(&self, tick: usize, time: f64) -> Option<(usize, Plant)> {
        let now = self.supports[tick].trunk.steps;
        let number = (now + SWING_STEPS).floor();
        // Only right at the beginning of the swing, give or take what the other foot was late.
        if number <= now || number - now < SWING_STEPS - 0.3 {
            return None;
        }
        let down = self.reaches(tick, number, SWING_SECS_MAX)?;
        let bears = self.reaches(tick, number + AHEAD_STEPS, SWING_SECS_MAX + 0.4).unwrap_or(down + 0.3);
        let foot = (number as usize) % 2;
        Some((foot, Plant { lifted: time, ..self.home(foot, bears, down.max(time + 0.2)) }))
    }

    /// The step of somebody who stands not where their feet are.
    fn correction(&self, feet: &Feet, time: f64) -> Option<(usize, Plant)> {
        let off = |foot: usize| {
            let home = self.home(foot, time + LOOKAHEAD_SECS, time + CORRECTION_SECS);
            let plant = feet.plants[foot].last()?;
            let metres = plant.floor.distance(home.floor) / OFF_METRES;
            let radians = turn(plant.heading, home.heading).abs() / OFF_RADIANS;
            Some((metres.max(radians), foot, Plant { lifted: time, ..home }))
        };
        let worst = [0, 1].into_iter().filter_map(off).max_by(|a, b| a.0.total_cmp(&b.0))?;
        (1.0 < worst.0).then_some((worst.1, worst.2))
    }
}
