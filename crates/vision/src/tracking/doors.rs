//! Where people come in and where they are lost for good, learned while the shop is open: doors that nobody has named. It takes the
//! places where visits begin and where somebody who was lost came back or did not, and gives what it costs to believe that somebody
//! who appears at a place is new, and that somebody who was lost there comes back. It decides nothing.

use std::collections::VecDeque;
use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

use crate::base::{ShopTime, Span};
use crate::geometry::{Floor, Point};

/// Places of each kind that are remembered; the oldest go first.
const PLACES_MAX: usize = 256;
/// How wide a door is, as a standard deviation, metres.
const DOOR_SIGMA: f64 = 0.4;
/// Visits that began near a place before it is taken for a door: one may have been somebody who was lost.
const FIRST: f64 = 1.0;
/// A shop is taken to have been open for so long before its first visit, seconds.
const BEFORE_SECS: f64 = 30.0;
/// What was seen counts against so many that came back.
const PRIOR: f64 = 0.5;

/// What happens at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Passage {
    /// Visits begin.
    In,
    /// People are lost for good.
    Out,
    /// People are lost and found again.
    Back,
}

/// A place with what happened there.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeenPlace {
    /// What happens.
    pub passage: Passage,
    /// Where.
    pub place: Point<Floor>,
    /// How often it did.
    pub count: f64,
    /// When it did last.
    pub at: ShopTime,
}

/// What is known of doors.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Doors {
    /// Where visits began that were seen to begin, and when.
    pub(super) begun: VecDeque<(Point<Floor>, ShopTime)>,
    /// Where somebody was lost, whether they came back, and when that was known.
    pub(super) lost: VecDeque<(Point<Floor>, bool, ShopTime)>,
    /// Since when.
    pub(super) since: Option<ShopTime>,
    /// What was known before, and for how long the shop had been open then.
    pub(super) known: Vec<SeenPlace>,
    pub(super) known_open: Span,
}

impl Doors {
    /// Whatever happens happens from now on.
    pub(super) fn open(&mut self, at: ShopTime) {
        self.since.get_or_insert(at);
    }

    /// A visit began here.
    pub(super) fn begin(&mut self, place: Point<Floor>, at: ShopTime) {
        if PLACES_MAX <= self.begun.len() {
            // How many come in so long is asked of the time that is remembered.
            self.since = self.begun.front().map(|(_, oldest)| *oldest);
        }
        keep(&mut self.begun, (place, at));
    }

    /// Somebody was lost here, and came back or did not.
    pub(super) fn lose(&mut self, place: Point<Floor>, came_back: bool, at: ShopTime) {
        keep(&mut self.lost, (place, came_back, at));
    }

    /// What it costs that somebody is new who is first seen here, against somebody who was lost: minus the logarithm of how many come
    /// in here per second and square metre; infinite where no door is known.
    pub(super) fn cost_of_newcomer(&self, place: Point<Floor>, now: ShopTime) -> f64 {
        let begun: f64 = self.begun.iter().map(|(door, _)| nearness(*door, place)).sum();
        let begun = begun + self.known_near(place, Passage::In);
        if begun <= FIRST {
            return f64::INFINITY;
        }
        let is_door = (begun - FIRST) / (begun - FIRST + self.lost_near(place, true) + PRIOR);
        let per_square_metre = begun / (TAU * DOOR_SIGMA * DOOR_SIGMA);
        let open = self.since.map_or(Span::ZERO, |since| now - since).as_secs().max(0.0) + self.known_open.as_secs();
        -(is_door * per_square_metre / (open + BEFORE_SECS)).ln()
    }

    /// What it costs that somebody comes back who was lost here, in view of those who were lost here before.
    pub(super) fn cost_of_coming_back(&self, place: Point<Floor>) -> f64 {
        let (gone, back) = (self.lost_near(place, false), self.lost_near(place, true));
        // Where nothing was seen yet everybody comes back.
        ((gone + back + 1.0) / (back + 1.0)).ln()
    }

    fn lost_near(&self, place: Point<Floor>, came_back: bool) -> f64 {
        let lost: f64 =
            self.lost.iter().filter(|lost| lost.1 == came_back).map(|(door, ..)| nearness(*door, place)).sum();
        lost + self.known_near(place, if came_back { Passage::Back } else { Passage::Out })
    }

    fn known_near(&self, place: Point<Floor>, passage: Passage) -> f64 {
        let known = self.known.iter().filter(|known| known.passage == passage);
        known.map(|known| known.count * nearness(known.place, place)).sum()
    }
}

/// How much what happened at one place says about another one, `0..=1`.
fn nearness(a: Point<Floor>, b: Point<Floor>) -> f64 {
    (-0.5 * (a.distance(b) / DOOR_SIGMA).powi(2)).exp()
}

fn keep<T>(list: &mut VecDeque<T>, one: T) {
    if PLACES_MAX <= list.len() {
        list.pop_front();
    }
    list.push_back(one);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newcomers_are_as_likely_in_the_evening_as_at_noon_if_as_many_come() {
        let (door, mut doors) = (Point::new(1.0, 2.0, 0.0), Doors::default());
        let at = |visit: i64| ShopTime::from_nanos(0) + Span::from_millis(10_000) * visit;
        doors.open(at(0));
        let mut cost_after = |visits: std::ops::Range<i64>| {
            let last = visits.end;
            visits.for_each(|visit| doors.begin(door, at(visit)));
            doors.cost_of_newcomer(door, at(last))
        };
        let (noon, evening) = (cost_after(0..250), cost_after(250..3_000));
        assert!((noon - evening).abs() < 0.2, "{noon} {evening}");
    }
}
