//! Doors as people have shown them: places where visits began, where people were lost for good, and where those who were lost came
//! back. It takes what [`Doors`] remembers and gives it as a few places with counts, for whoever shows them or keeps them over a
//! restart. It decides nothing.

use super::doors::{Doors, Passage, SeenPlace};
use super::stitch::Stitcher;
use crate::base::{Prob, ShopTime, Span};
use crate::geometry::{Floor, Point};

/// What happened within so many metres of a place happened there.
const RADIUS_METRES: f64 = 0.8;
/// Events that make a door of a place.
const DOOR_EVENTS_MIN: f64 = 3.0;
/// Events that make a place worth keeping over a restart: one may be anywhere.
const KEPT_EVENTS_MIN: f64 = 2.0;
/// Places of one kind that are kept; those with the fewest events are left out.
const KEPT_PLACES_MAX: usize = 32;
/// All that was seen of one kind before a restart counts as so many events at most, so that a door that was moved is learned anew.
const RECALLED_EVENTS_MAX: f64 = 40.0;

/// A door.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Door {
    /// Its middle, as far as people have shown it.
    pub place: Point<Floor>,
    /// Visits that began there, or people who were lost there for good.
    pub count: f64,
    /// How sure it is that it is one, against a place where people are lost from sight and found again.
    pub sure: Prob,
}

/// The doors of a shop that were learned, those with the most events first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LearnedDoors {
    /// Where people come in.
    pub ways_in: Vec<Door>,
    /// Where they go out.
    pub ways_out: Vec<Door>,
}

/// What was seen of doors, as it is kept over a restart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeenDoors {
    /// The places.
    pub places: Vec<SeenPlace>,
    /// For how long the shop was open meanwhile.
    pub open: Span,
}

impl Stitcher {
    /// The doors that were learned so far, from three visits or people on. It takes some microseconds.
    pub fn learned_doors(&self) -> LearnedDoors {
        let doors = &self.doors;
        let of = |passage: Passage| -> Vec<Door> {
            let seen = gathered(doors, passage);
            let seen = seen.into_iter().filter(|seen| DOOR_EVENTS_MIN <= seen.count);
            let door = |SeenPlace { place, count, .. }: SeenPlace| {
                let back: f64 = events(doors, Passage::Back)
                    .filter(|event| event.place.distance(place) < RADIUS_METRES)
                    .map(|event| event.count)
                    .sum();
                Door { place, count, sure: Prob::new(count / (count + back + 0.5)) }
            };
            // Where more are found again than not, people are only out of sight.
            seen.map(door).filter(|door| 0.5 < door.sure.value()).collect()
        };
        LearnedDoors { ways_in: of(Passage::In), ways_out: of(Passage::Out) }
    }

    /// What was seen of doors, with what was known before.
    pub fn seen_doors(&self) -> SeenDoors {
        let of = |passage| {
            let kept = gathered(&self.doors, passage).into_iter().filter(|seen| KEPT_EVENTS_MIN <= seen.count);
            kept.take(KEPT_PLACES_MAX)
        };
        let places = [Passage::In, Passage::Out, Passage::Back].into_iter().flat_map(of).collect();
        let open = self.doors.since.zip(self.seen_until).map_or(Span::ZERO, |(since, until)| until - since);
        SeenDoors { places, open: open + self.doors.known_open }
    }

    /// Begins with what was seen of doors before. It counts for less the more of it there is, so that doors that are elsewhere now are
    /// learned.
    pub fn recall_doors(&mut self, seen: &SeenDoors) {
        let share = |passage| {
            let total: f64 = seen.places.iter().filter(|place| place.passage == passage).map(|place| place.count).sum();
            (RECALLED_EVENTS_MAX / total.max(f64::MIN_POSITIVE)).min(1.0)
        };
        let known = |place: &SeenPlace| SeenPlace { count: place.count * share(place.passage), ..*place };
        self.doors.known = seen.places.iter().map(known).collect();
        self.doors.known_open = Span::from_secs(seen.open.as_secs() * share(Passage::In));
    }
}

/// All events of a kind, the oldest first; what was known before as one a place.
fn events(doors: &Doors, passage: Passage) -> impl Iterator<Item = SeenPlace> + '_ {
    let one = move |place: Point<Floor>, at: ShopTime| SeenPlace { passage, place, count: 1.0, at };
    let begun = doors.begun.iter().filter(move |_| passage == Passage::In);
    let lost = doors.lost.iter().filter(move |lost| match passage {
        Passage::In => false,
        Passage::Out => !lost.1,
        Passage::Back => lost.1,
    });
    let known = doors.known.iter().copied().filter(move |known| known.passage == passage);
    let begun = begun.map(move |&(place, at)| one(place, at));
    known.chain(begun).chain(lost.map(move |&(place, _, at)| one(place, at)))
}

/// Events of a kind as places, those with the most first: each event belongs to the nearest place, and begins one of its own where
/// none is near (leader clustering, and one step of Lloyd's method).
fn gathered(doors: &Doors, passage: Passage) -> Vec<SeenPlace> {
    let mut leaders: Vec<SeenPlace> = Vec::new();
    for event in events(doors, passage) {
        match nearest(&leaders, event.place) {
            Some(index) => add(&mut leaders[index], event),
            None => leaders.push(event),
        }
    }
    let mut places: Vec<Option<SeenPlace>> = vec![None; leaders.len()];
    for event in events(doors, passage) {
        // A leader may have moved away from the event that began it.
        let Some(index) = nearest(&leaders, event.place) else { continue };
        match &mut places[index] {
            Some(place) => add(place, event),
            place => *place = Some(event),
        }
    }
    let mut places: Vec<SeenPlace> = places.into_iter().flatten().collect();
    places.sort_by(|a, b| b.count.total_cmp(&a.count));
    places
}

fn nearest(places: &[SeenPlace], place: Point<Floor>) -> Option<usize> {
    let near = places.iter().map(|seen| seen.place.distance(place)).enumerate();
    let nearest = near.min_by(|a, b| a.1.total_cmp(&b.1))?;
    (nearest.1 < RADIUS_METRES).then_some(nearest.0)
}

fn add(place: &mut SeenPlace, event: SeenPlace) {
    place.count += event.count;
    place.place = place.place.lerp(event.place, event.count / place.count);
    place.at = place.at.max(event.at);
}
