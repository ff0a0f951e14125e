//! What goes wrong between a shop floor and its facts: tracks that break and ghosts, hidden joints, clocks apart,
//! messages lost, doubled and late, plates that fall silent. All decided from the seed before anything is rendered.

use crate::base::{TrackId, VisitId};
use crate::sim::roll::Roll;
use crate::sim::stage::play::Play;
use crate::truth::TrueTrack;

/// How much goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Sensors with their noise, nothing else.
    Clean,
    /// All that goes wrong in a real room.
    Room,
}

/// A stretch of time in which a shopper is seen under one number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sight {
    pub(super) track: TrackId,
    pub(super) start: f64,
    pub(super) end: f64,
}

/// A track of nobody.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim) struct Ghost {
    pub(in crate::sim) track: TrackId,
    pub(super) start: f64,
    pub(super) end: f64,
    /// The shopper it doubles, or none for one out of the blue.
    pub(super) double_of: Option<usize>,
    /// Distance from that shopper, or place on the floor.
    pub(super) offset: (f64, f64),
    /// Part of its joints that is there.
    pub(super) seen: f64,
}

/// A wrist that no camera sees.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hidden {
    pub(super) actor: usize,
    pub(super) hand: usize,
    pub(super) start: f64,
    pub(super) end: f64,
}

/// A plate that says nothing.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim) struct Silence {
    pub(in crate::sim) shelf: usize,
    pub(in crate::sim) plate: usize,
    pub(in crate::sim) start: f64,
    pub(in crate::sim) end: f64,
}

/// Everything that goes wrong in a trip.
#[derive(Clone, Debug, Default)]
pub(in crate::sim) struct Faults {
    /// By actor.
    pub(super) sights: Vec<Vec<Sight>>,
    pub(in crate::sim) ghosts: Vec<Ghost>,
    pub(super) hidden: Vec<Hidden>,
    pub(in crate::sim) silences: Vec<Silence>,
    /// What the people's clock shows when the plates' shows 0, seconds.
    pub(in crate::sim) clock: f64,
    /// Parts of the messages that are lost, doubled and late.
    pub(in crate::sim) lost: f64,
    pub(in crate::sim) doubled: f64,
    pub(in crate::sim) late: f64,
}

impl Level {
    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Level::Clean => "clean",
            Level::Room => "room",
        }
    }
}

impl Faults {
    /// Draws what goes wrong. `plates` is the number of plates of every shelf, `used` the plates that scripts move
    /// things on.
    pub(in crate::sim) fn draw(level: Level, play: &Play, plates: &[usize], seed: u64) -> Self {
        let mut roll = Roll::new(seed, "faults");
        let mut faults = Faults::default();
        for actor in &play.actors {
            let track = TrackId::new(roll.number() >> 1);
            faults.sights.push(vec![Sight { track, start: actor.enters, end: actor.leaves }]);
        }
        faults.silence(&mut roll, play, plates, level);
        if level == Level::Room {
            faults.clock = roll.bounded(0.0, 0.12).clamp(-0.3, 0.3);
            faults.lost = roll.uniform(0.01, 0.03);
            faults.doubled = roll.uniform(0.0, 0.02);
            faults.late = roll.uniform(0.0, 0.02);
            faults.break_tracks(&mut roll, play);
            faults.haunt(&mut roll, play);
            faults.hide(&mut roll, play);
        }
        faults
    }

    /// The visit of an actor: named after the first track they are seen as.
    pub(in crate::sim) fn visit(&self, actor: usize) -> VisitId {
        VisitId::from_first_track(self.sights[actor][0].track)
    }

    /// The tracks that an actor is seen as, in order of time.
    pub(in crate::sim) fn tracks(&self, actor: usize) -> impl Iterator<Item = TrueTrack> + '_ {
        let visit = self.visit(actor);
        self.sights[actor].iter().map(move |sight| TrueTrack { track: sight.track, visit })
    }

    /// Ends a shopper's track and begins another one after a gap; at times somebody near loses theirs as well.
    fn break_tracks(&mut self, roll: &mut Roll, play: &Play) {
        for index in 0..play.actors.len() {
            let breaks = if roll.chance(0.35) { roll.whole(1, 2) } else { 0 };
            for _ in 0..breaks {
                let actor = &play.actors[index];
                if actor.leaves - actor.enters < 6.0 {
                    continue;
                }
                let at = roll.uniform(actor.enters + 2.0, actor.leaves - 2.5);
                self.break_one(roll, index, at);
                let here = actor.floor_at(at);
                let near = |other: &usize| {
                    let actor = &play.actors[*other];
                    *other != index
                        && actor.enters + 1.5 < at
                        && at < actor.leaves - 2.5
                        && actor.floor_at(at).distance(here) < 1.0
                };
                let other = (0..play.actors.len()).find(near).filter(|_| roll.chance(0.4));
                if let Some(other) = other {
                    let together = at + roll.uniform(-0.1, 0.3);
                    self.break_one(roll, other, together);
                }
            }
        }
    }

    fn break_one(&mut self, roll: &mut Roll, actor: usize, at: f64) {
        let gap = roll.uniform(0.2, 2.5);
        let track = TrackId::new(roll.number() >> 1);
        let sights = &mut self.sights[actor];
        let Some(sight) = sights.iter_mut().find(|sight| sight.start + 1.0 < at && at + gap + 0.3 < sight.end) else {
            return;
        };
        let rest = Sight { track, start: at + gap, end: sight.end };
        sight.end = at;
        sights.push(rest);
        sights.sort_by(|a, b| a.start.total_cmp(&b.start));
    }

    fn haunt(&mut self, roll: &mut Roll, play: &Play) {
        for _ in 0..roll.whole(0, 1 + play.actors.len()) {
            let double_of =
                (roll.chance(0.6) && !play.actors.is_empty()).then(|| roll.whole(0, play.actors.len().max(1) - 1));
            let start = match double_of {
                Some(actor) => roll.uniform(play.actors[actor].enters + 0.3, play.actors[actor].leaves),
                None => roll.uniform(0.5, play.end),
            };
            let angle = roll.uniform(0.0, std::f64::consts::TAU);
            let away = roll.uniform(0.1, 0.4);
            let offset = match double_of {
                Some(_) => (away * angle.cos(), away * angle.sin()),
                None => (roll.uniform(-0.5, 4.0), roll.uniform(-2.2, -0.3)),
            };
            let track = TrackId::new(roll.number() >> 1);
            let length = roll.around(0.9, 0.7).clamp(0.3, 4.0);
            self.ghosts.push(Ghost {
                track,
                start,
                end: start + length,
                double_of,
                offset,
                seen: roll.uniform(0.3, 1.0),
            });
        }
        self.ghosts.sort_by(|a, b| a.start.total_cmp(&b.start));
    }

    /// Wrists hidden at random during reaches; those behind other bodies are found when joints are drawn.
    fn hide(&mut self, roll: &mut Roll, play: &Play) {
        for (actor, body) in play.actors.iter().enumerate() {
            for (hand, keys) in body.hands.iter().enumerate() {
                for key in keys {
                    if roll.chance(0.08) {
                        let start = key.at - roll.uniform(0.0, 0.8);
                        let end = start + roll.uniform(0.3, 2.0);
                        self.hidden.push(Hidden { actor, hand, start, end });
                    }
                }
            }
        }
    }

    /// Dead plates, away from what the scripts do in a clean trip; stretches without answer in a room.
    fn silence(&mut self, roll: &mut Roll, play: &Play, plates: &[usize], level: Level) {
        for (shelf, count) in plates.iter().enumerate() {
            for plate in 0..*count {
                let touched = |load: &crate::sim::stage::play::Load| {
                    load.shelf == shelf && load.shares.iter().any(|(other, _)| other.abs_diff(plate) <= 1)
                };
                let used = play.loads.iter().any(touched);
                let (dead, gaps) = match (level, used) {
                    (Level::Clean, true) => (0.0, 0.0),
                    (Level::Clean, false) => (0.006, 0.0),
                    (Level::Room, true) => (0.002, 0.004),
                    (Level::Room, false) => (0.01, 0.004),
                };
                let (dies, stutters) = (roll.chance(dead), roll.chance(gaps));
                if dies {
                    self.silences.push(Silence { shelf, plate, start: 0.0, end: f64::INFINITY });
                } else if stutters {
                    let start = roll.uniform(0.0, play.end);
                    let end = start + roll.uniform(0.1, 3.0);
                    self.silences.push(Silence { shelf, plate, start, end });
                }
            }
        }
    }
}
