//! Where somebody looks: ahead where they walk, at what they reach for, at what they hold up, at whom they meet.
//! Takes what a shopper does when; gives the turn of the head against the body. A head turns smoothly and only as far
//! as a neck lets it.

use super::body::Bodies;
use crate::geometry::{Point, World};
use crate::sim::stage::play::{Actor, Aim, GRID_HERTZ, Look};
use crate::sim::vector::turn;

/// How quickly a head follows: time constant of each of two smoothings, seconds.
const FOLLOW_SECS: f64 = 0.11;
/// How far a head turns aside, up and down, radians (active range of the neck, Youdas et al. 1992, rounded).
const YAW_MAX: f64 = 1.2;
const PITCH_RANGE: (f64, f64) = (-0.95, 0.7);
/// Eyes go ahead of a hand by so much, seconds (Johansson et al. 2001).
const AHEAD_SECS: f64 = 0.2;
/// Who looks at nothing looks a little down.
const IDLE_PITCH: f64 = -0.16;

/// The turns of a head on the grid of trunks: left and up against the body, radians.
pub(super) struct Gaze {
    enters: f64,
    turns: Vec<(f64, f64)>,
}

impl Gaze {
    pub(super) fn plan(bodies: &Bodies, actors: &[Actor], index: usize, ticks: usize) -> Self {
        let actor = &actors[index];
        let keep = (-1.0 / (GRID_HERTZ * FOLLOW_SECS)).exp();
        let mut turns = Vec::with_capacity(ticks);
        let mut stages: Option<[(f64, f64); 2]> = None;
        for tick in 0..ticks {
            let time = actor.enters + tick as f64 / GRID_HERTZ;
            let wanted = wanted(bodies, actor, index, time);
            let [mut first, mut second] = stages.unwrap_or([wanted; 2]);
            first = mix(wanted, first, keep);
            second = mix(first, second, keep);
            stages = Some([first, second]);
            turns.push(second);
        }
        Gaze { enters: actor.enters, turns }
    }

    /// Left and up against the body at an instant, radians.
    pub(super) fn at(&self, time: f64) -> (f64, f64) {
        let place = ((time - self.enters) * GRID_HERTZ).max(0.0);
        let below = (place as usize).min(self.turns.len().saturating_sub(1));
        let above = (below + 1).min(self.turns.len().saturating_sub(1));
        match (self.turns.get(below), self.turns.get(above)) {
            (Some(a), Some(b)) => mix(*a, *b, (place - below as f64).clamp(0.0, 1.0)),
            _ => (0.0, IDLE_PITCH),
        }
    }
}

fn mix(a: (f64, f64), b: (f64, f64), share: f64) -> (f64, f64) {
    (a.0 + (b.0 - a.0) * share, a.1 + (b.1 - a.1) * share)
}

/// Where the head should be turned, as far as a neck goes.
fn wanted(bodies: &Bodies, actor: &Actor, index: usize, time: f64) -> (f64, f64) {
    let Some(stance) = bodies.stance(index, time) else { return (0.0, IDLE_PITCH) };
    let clip = |yaw: f64, pitch: f64| (yaw.clamp(-YAW_MAX, YAW_MAX), pitch.clamp(PITCH_RANGE.0, PITCH_RANGE.1));
    let look = actor.looks.iter().rev().find(|(start, end, _)| *start <= time && time < *end);
    let target = match look {
        Some((_, _, Look::Turn { yaw, pitch })) => return clip(*yaw, *pitch),
        Some((_, _, Look::Person(other))) => bodies.pose(*other, time).map(|pose| pose[0]),
        Some((_, _, Look::Hand(hand))) => Some(stance.pose[6 + hand]),
        None => reached(actor, time),
    };
    let Some(target) = target else {
        // Into a turn one looks before the body has come round.
        let soon = bodies.trunk(index, time + 0.35).map_or(stance.trunk.heading, |trunk| trunk.heading);
        return clip(turn(stance.trunk.heading, soon), IDLE_PITCH);
    };
    let way = target - stance.pose[0];
    let level = way.x.hypot(way.y);
    clip(turn(stance.trunk.heading, way.y.atan2(way.x)), way.z.atan2(level.max(0.05)))
}

/// The point that a hand of this shopper goes to or is at.
fn reached(actor: &Actor, time: f64) -> Option<Point<World>> {
    actor.hands.iter().find_map(|keys| {
        let next = keys.partition_point(|key| key.at <= time + AHEAD_SECS);
        let (from, to) = (keys.get(next.checked_sub(1)?)?, keys.get(next)?);
        match (from.aim, to.aim) {
            (_, Aim::At(point)) => Some(point),
            // On the way back the eyes stay for a moment.
            (Aim::At(point), _) if time < from.at => Some(point),
            _ => None,
        }
    })
}
