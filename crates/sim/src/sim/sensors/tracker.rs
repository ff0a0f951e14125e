//! Frames of people as a tracker of the real shop writes them: pairs of frames 7 ms apart every tenth of a second,
//! joints that wander by millimetres and jump by centimetres now and then, some missing.

use super::faults::{Faults, Ghost};
use crate::base::TrackId;
use crate::facts::{Joint, JointKind, Joints, PeopleFrame, Person};
use crate::geometry::Point;
use crate::sim::moment::body::{Bodies, Pose};
use crate::sim::roll::Roll;
use crate::sim::stage::play::Play;

/// A trunk this near to a wrist of somebody else may hide it, metres.
const HIDING_METRES: f64 = 0.33;
/// Chance that such a trunk really hides it, per second of a stretch.
const HIDING_SECS: f64 = 0.7;

/// A joint wanders from its place by this much, and forgets it in this time.
const WANDER_METRES: f64 = 0.009;
const WANDER_SECS: f64 = 2.5;

/// A frame and when it was true, seconds on the plates' clock.
pub(in crate::sim) struct Seen {
    pub(in crate::sim) at: f64,
    pub(in crate::sim) frame: PeopleFrame,
}

/// How one joint of one person is mismeasured: a slow wander and a moment's error.
#[derive(Clone, Copy)]
struct Error {
    wander: [f64; 3],
    last: f64,
}

struct Eye<'a> {
    bodies: &'a Bodies,
    play: &'a Play,
    faults: &'a Faults,
    roll: Roll,
    errors: Vec<[Error; 8]>,
    /// By actor and hand: until when it is hidden behind somebody, and until when it is not looked into again.
    behind: Vec<[(f64, f64); 2]>,
    hides: bool,
}

/// All frames of a play.
pub(in crate::sim) fn frames(bodies: &Bodies, play: &Play, faults: &Faults, hides: bool, seed: u64) -> Vec<Seen> {
    let still = [Error { wander: [0.0; 3], last: f64::NEG_INFINITY }; 8];
    let roll = Roll::new(seed, "people");
    let count = play.actors.len();
    let errors = vec![still; count + faults.ghosts.len()];
    let mut eye = Eye { bodies, play, faults, roll, errors, behind: vec![[(0.0, 0.0); 2]; count], hides };
    let mut seen = Vec::new();
    for at in frame_times(&mut eye.roll, play.end) {
        seen.push(Seen { at, frame: eye.look(at) });
    }
    seen
}

/// Two groups of cameras: a frame every tenth of a second, often another 7 ms behind it, now and then none.
fn frame_times(roll: &mut Roll, end: f64) -> Vec<f64> {
    let mut times = Vec::new();
    let mut time = roll.uniform(0.0, 0.1);
    while time < end {
        times.push(time);
        if roll.chance(0.5) {
            times.push(time + roll.bounded(0.0072, 0.0008).max(0.004));
        }
        time += if roll.chance(0.04) { roll.bounded(0.193, 0.003) } else { roll.bounded(0.0995, 0.0022) };
    }
    times.retain(|time| *time < end);
    times
}

impl Eye<'_> {
    fn look(&mut self, at: f64) -> PeopleFrame {
        let poses: Vec<Option<Pose>> = (0..self.play.actors.len()).map(|actor| self.bodies.pose(actor, at)).collect();
        let mut people = Vec::new();
        for (actor, pose) in poses.iter().enumerate() {
            let faults = self.faults;
            let sight = faults.sights[actor].iter().find(|sight| sight.start <= at && at < sight.end);
            let Some((pose, sight)) = pose.as_ref().zip(sight) else { continue };
            let edge = (at - sight.start).min(sight.end - at);
            let mut joints = self.measure(actor, pose, at, 1.0, if edge < 0.6 { 0.2 } else { 0.008 });
            for hand in [0, 1] {
                if self.is_hidden(actor, hand, at, &poses) {
                    *joints.slot([JointKind::LeftWrist, JointKind::RightWrist][hand]) = None;
                }
            }
            people.push(Person { track: sight.track, joints });
        }
        for (number, ghost) in self.faults.ghosts.iter().enumerate() {
            if ghost.start <= at && at < ghost.end {
                people.extend(self.ghost(number, ghost, at, &poses));
            }
        }
        people.retain(|person| person.joints != Joints::default());
        people.sort_by_key(|person| person.track);
        PeopleFrame { people }
    }

    /// The joints of a pose as they are measured.
    fn measure(&mut self, who: usize, pose: &Pose, at: f64, noise: f64, missing: f64) -> Joints {
        let mut joints = Joints::default();
        for (index, kind) in JointKind::ALL.into_iter().enumerate() {
            let size = noise * if index < 4 { 0.65 } else { 1.0 } * if index < 6 { 1.0 } else { 1.35 };
            let error = self.error(who, index, at, size);
            let position = pose[index] + Point::new(error[0], error[1], error[2]);
            let score = 1.0 - self.roll.around(0.045, 0.8).clamp(0.003, 0.7) * noise.min(2.0);
            let lost = self.roll.chance(missing);
            let score = (score.max(0.05) * 1e6).round() / 1e6;
            *joints.slot(kind) = (!lost).then_some(Joint { position, score });
        }
        joints
    }

    /// A millimetre mostly, a centimetre at times, a few centimetres seldom, over a wander of several millimetres.
    fn error(&mut self, who: usize, joint: usize, at: f64, size: f64) -> [f64; 3] {
        let kind = self.roll.uniform(0.0, 1.0);
        let sudden = size
            * if kind < 0.82 {
                0.0010
            } else if kind < 0.97 {
                0.005
            } else {
                0.02
            };
        let mut error = self.errors[who][joint];
        let keep = (-(at - error.last) / WANDER_SECS).exp();
        let wander = size * WANDER_METRES * (1.0 - keep * keep).sqrt();
        error.wander = error.wander.map(|axis| axis * keep + self.roll.bounded(0.0, wander));
        error.last = at;
        self.errors[who][joint] = error;
        error.wander.map(|axis| axis + self.roll.normal(0.0, sudden))
    }

    fn is_hidden(&mut self, actor: usize, hand: usize, at: f64, poses: &[Option<Pose>]) -> bool {
        let by_chance = self
            .faults
            .hidden
            .iter()
            .any(|hidden| hidden.actor == actor && hidden.hand == hand && hidden.start <= at && at < hidden.end);
        if by_chance || !self.hides {
            return by_chance;
        }
        let (until, again) = self.behind[actor][hand];
        if at < again {
            return at < until;
        }
        let Some(wrist) = poses[actor].map(|pose| pose[6 + hand]) else { return false };
        let near = poses.iter().enumerate().any(|(other, pose)| {
            other != actor && pose.is_some_and(|pose| pose[1].floor().distance(wrist.floor()) < HIDING_METRES)
        });
        let length = if near && self.roll.chance(0.5) { self.roll.uniform(0.2, 1.5) } else { 0.0 };
        self.behind[actor][hand] = (at + length, at + length + self.roll.uniform(0.2, HIDING_SECS));
        0.0 < length
    }

    /// A person who is not there.
    fn ghost(&mut self, number: usize, ghost: &Ghost, at: f64, poses: &[Option<Pose>]) -> Option<Person> {
        let (x, y) = ghost.offset;
        let pose = match ghost.double_of {
            Some(actor) => poses[actor]?.map(|joint| joint + Point::new(x, y, 0.0)),
            None => statue(x, y),
        };
        let who = self.play.actors.len() + number;
        let joints = self.measure(who, &pose, at, 5.0, 1.0 - ghost.seen);
        Some(Person { track: TrackId::new(ghost.track.number()), joints })
    }
}

/// Somebody of middle height who stands with hanging arms.
fn statue(x: f64, y: f64) -> Pose {
    let at = |dx: f64, z: f64| Point::new(x + dx, y, z);
    [
        at(0.0, 1.65),
        at(0.0, 1.45),
        at(-0.18, 1.4),
        at(0.18, 1.4),
        at(-0.22, 1.12),
        at(0.22, 1.12),
        at(-0.22, 0.9),
        at(0.22, 0.9),
    ]
}
