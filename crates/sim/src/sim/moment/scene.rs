//! What there is to be seen of a play: figures and goods at any instant.
//! Takes bodies and a play, works out footsteps, gazes and grips once; gives moments, each for itself and to several
//! threads at once. It never changes what the play says.

use super::anatomy::{Limbs, figure};
use super::body::Bodies;
use super::feet::{Feet, Support};
use super::gaze::Gaze;
use super::goods::{self, Bearer};
use crate::geometry::{Floor, Point};
use crate::shop::Shop;
use crate::sim::figure::{Carrier, Figure, Holder, Moment};
use crate::sim::stage::play::{Actor, Aim, GRID_HERTZ, Play};
use crate::sim::stock::Stock;

/// How long feet take note of a lean before and after it, seconds.
const LEAN_SECS: f64 = 0.3;
/// Part of a level lean that the feet follow; less of it for who crouches.
const FOLLOW: f64 = 0.7;
/// How closed a hand is that hangs, that reaches, that holds.
const GRIPS: (f64, f64, f64) = (0.35, 0.1, 0.7);
/// How long a hand takes to close or open, seconds.
const GRIP_SECS: f64 = 0.22;

/// What legs, heads and hands do over the whole play, by actor.
pub(in crate::sim) struct Scene {
    actors: Vec<Extras>,
}

struct Extras {
    height: f64,
    feet: Feet,
    gaze: Gaze,
    /// From when to when each hand holds something.
    held: [Vec<(f64, f64)>; 2],
    /// From when to when each hand is out for something.
    out: [Vec<(f64, f64)>; 2],
}

impl Scene {
    pub(in crate::sim) fn new(bodies: &Bodies, play: &Play) -> Self {
        let extras = |(index, actor): (usize, &Actor)| {
            let supports = supports(bodies, actor, index);
            Extras {
                height: actor.height,
                feet: Feet::plan(&supports, actor.enters, actor.height),
                gaze: Gaze::plan(bodies, &play.actors, index, supports.len()),
                held: [0, 1].map(|hand| held(play, index, hand)),
                out: [0, 1].map(|hand| out(actor, hand)),
            }
        };
        Scene { actors: play.actors.iter().enumerate().map(extras).collect() }
    }

    /// Whether a foot carries.
    #[cfg(test)]
    pub(in crate::sim) fn planted(&self, actor: usize, foot: usize, time: f64) -> bool {
        self.actors[actor].feet.is_planted(foot, time)
    }

    pub(in crate::sim) fn moment(&self, shop: &Shop, stock: &Stock, bodies: &Bodies, play: &Play, time: f64) -> Moment {
        let mut people = Vec::new();
        let mut bearers = Vec::new();
        for (index, actor) in play.actors.iter().enumerate() {
            let seen = self.figure(bodies, actor, index, time);
            bearers.push(seen.as_ref().map(|(_, bearer)| *bearer));
            people.extend(seen.map(|(figure, _)| figure));
        }
        let goods = goods::all_placed(shop, &stock.units, &play.goods, &bearers, time);
        Moment { people, goods }
    }

    fn figure(&self, bodies: &Bodies, actor: &Actor, index: usize, time: f64) -> Option<(Figure, Bearer)> {
        let stance = bodies.stance(index, time)?;
        let extras = &self.actors[index];
        let limbs = Limbs {
            actor: index,
            height: extras.height,
            feet: [0, 1].map(|foot| extras.feet.at(foot, time)),
            gaze: extras.gaze.at(time),
            grips: [0, 1].map(|hand| extras.grip(hand, time)),
        };
        let mut figure = figure(&stance, &limbs);
        if let Some((kind, hand)) = actor.carrier {
            let axes = goods::carrier_axes(kind, &figure.hands[hand].palm, &stance.frame);
            figure.hands[hand].grip = 0.95;
            figure.carrier = Some(Carrier { kind, axes });
        }
        let (heading, height) = (stance.trunk.heading, extras.height);
        let bearer = Bearer { frame: stance.frame, heading, height, hands: figure.hands, carrier: figure.carrier };
        Some((figure, bearer))
    }
}

impl Extras {
    fn grip(&self, hand: usize, time: f64) -> f64 {
        let within = |spans: &[(f64, f64)]| {
            let share = |(start, end): &(f64, f64)| {
                let (rise, fall) = ((time - start) / GRIP_SECS, (end - time) / GRIP_SECS);
                rise.min(fall + 1.0).clamp(0.0, 1.0)
            };
            spans.iter().map(share).fold(0.0, f64::max)
        };
        let open = GRIPS.0 + (GRIPS.1 - GRIPS.0) * within(&self.out[hand]);
        open + (GRIPS.2 - open) * within(&self.held[hand])
    }
}

/// Where a shopper wants their weight, on the grid of the trunk: under the trunk, and after it where it leans.
fn supports(bodies: &Bodies, actor: &Actor, index: usize) -> Vec<Support> {
    let mut raw = Vec::new();
    loop {
        let time = actor.enters + raw.len() as f64 / GRID_HERTZ;
        let Some(stance) = bodies.stance(index, time) else { break };
        let lean = stance.lean;
        let part = FOLLOW * (1.0 + lean.z / 0.6).clamp(0.3, 1.0);
        raw.push((stance.trunk, Point::<Floor>::new(lean.x * part, lean.y * part, 0.0)));
    }
    let half = (LEAN_SECS * GRID_HERTZ) as usize;
    let around = |tick: usize| tick.saturating_sub(half)..raw.len().min(tick + half + 1);
    // Feet are where the farthest reach of these moments needs them, and come and go gradually.
    let farthest = |tick: usize| {
        let leans = raw[around(tick)].iter().map(|(_, lean)| *lean);
        leans.fold(Point::new(0.0, 0.0, 0.0), |most, lean| if most.norm() < lean.norm() { lean } else { most })
    };
    let farthest: Vec<Point<Floor>> = (0..raw.len()).map(farthest).collect();
    let smoothed = |tick: usize| {
        let near = &farthest[around(tick)];
        near.iter().fold(Point::new(0.0, 0.0, 0.0), |sum, lean| sum + *lean) * (1.0 / near.len() as f64)
    };
    let supports =
        raw.iter().enumerate().map(|(tick, (trunk, _))| Support { trunk: *trunk, floor: trunk.floor + smoothed(tick) });
    supports.collect()
}

fn held(play: &Play, actor: usize, hand: usize) -> Vec<(f64, f64)> {
    let mut spans = Vec::new();
    for stays in &play.goods {
        for (number, stay) in stays.iter().enumerate().filter(|(_, stay)| stay.holder == Holder::Hand(actor, hand)) {
            spans.push((stay.since, stays.get(number + 1).map_or(f64::INFINITY, |next| next.since)));
        }
    }
    spans
}

/// From the beginning of a reach to the moment the hand turns back.
fn out(actor: &Actor, hand: usize) -> Vec<(f64, f64)> {
    let pairs = actor.hands[hand].windows(2);
    pairs.filter(|pair| matches!(pair[1].aim, Aim::At(_))).map(|pair| (pair[0].at, pair[1].at)).collect()
}
