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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shop::{Shop, ShopDraft};

    fn stitcher() -> Stitcher {
        Stitcher::new(&Shop::check(ShopDraft { name: "small".to_owned(), ..ShopDraft::default() }).unwrap())
    }

    fn at(secs: f64) -> ShopTime {
        ShopTime::from_nanos(0) + Span::from_secs(secs)
    }

    /// A shop that was open for five minutes: thirty came in at one end, and left there but for some who went behind a shelf.
    fn day() -> Stitcher {
        let mut stitcher = stitcher();
        stitcher.doors.open(at(0.0));
        for index in 0..30 {
            let (secs, off) = (10.0 * f64::from(index), 0.02 * f64::from(index));
            stitcher.doors.begin(Point::new(1.0 + off, 2.0, 0.0), at(secs));
            stitcher.doors.lose(Point::new(4.0, 5.0, 0.0), index % 6 != 0, at(secs + 3.0));
            stitcher.doors.lose(Point::new(1.3, 2.2 - off, 0.0), false, at(secs + 9.0));
        }
        stitcher.doors.begin(Point::new(7.0, 7.0, 0.0), at(299.0));
        stitcher.seen_until = Some(at(300.0));
        stitcher
    }

    #[test]
    fn doors_are_where_many_come_and_go_and_not_where_they_are_out_of_sight() {
        let LearnedDoors { ways_in, ways_out } = day().learned_doors();
        let ([inward], [outward]) = (ways_in.as_slice(), ways_out.as_slice()) else {
            panic!("{ways_in:?} {ways_out:?}")
        };
        assert!(inward.count == 30.0 && inward.place.distance(Point::new(1.29, 2.0, 0.0)) < 0.02, "{inward:?}");
        assert!(outward.count == 30.0 && outward.place.distance(Point::new(1.3, 1.91, 0.0)) < 0.02, "{outward:?}");
        assert!(0.95 < inward.sure.value() && 0.95 < outward.sure.value());
        assert_eq!(stitcher().learned_doors(), LearnedDoors::default());
    }

    #[test]
    fn a_shop_that_was_open_before_knows_its_doors_from_the_first_visit_on() {
        let (before, seen) = (day(), day().seen_doors());
        let total: f64 = seen.places.iter().map(|place| place.count).sum();
        assert!(total == 90.0 && seen.open == Span::from_secs(300.0), "what happened once is left out: {seen:?}");
        let mut after = stitcher();
        after.recall_doors(&seen);
        after.doors.open(at(1_000.0));
        let door = Point::new(1.3, 2.0, 0.0);
        assert_eq!(stitcher().doors.cost_of_newcomer(door, at(1_000.0)), f64::INFINITY);
        let (was, is) =
            (before.doors.cost_of_newcomer(door, at(300.0)), after.doors.cost_of_newcomer(door, at(1_000.0)));
        assert!((was - is).abs() < 0.3, "{was} {is}");
        assert_eq!(after.doors.cost_of_newcomer(Point::new(9.0, 1.0, 0.0), at(1_000.0)), f64::INFINITY);
        assert!(after.doors.cost_of_coming_back(door) > 2.0, "who walked out there is gone");
        assert_eq!(after.learned_doors().ways_in.len(), 1);
        // What was known is kept on, and does not grow by being kept.
        assert_eq!(after.seen_doors().places.len(), seen.places.len());
    }

    #[test]
    fn old_doors_count_for_so_much_at_most_and_a_door_that_was_moved_is_learned() {
        let place =
            |x: f64, count: f64| SeenPlace { passage: Passage::In, place: Point::new(x, 0.0, 0.0), count, at: at(0.0) };
        let seen =
            SeenDoors { places: vec![place(0.0, 3_000.0), place(5.0, 1_000.0)], open: Span::from_secs(40_000.0) };
        let mut after = stitcher();
        after.recall_doors(&seen);
        let kept = after.seen_doors();
        let total: f64 = kept.places.iter().map(|place| place.count).sum();
        assert!((total - RECALLED_EVENTS_MAX).abs() < 1e-9 && kept.open == Span::from_secs(400.0), "{kept:?}");
        after.doors.open(at(0.0));
        (0..4).for_each(|index| after.doors.begin(Point::new(9.0, 0.0, 0.0), at(f64::from(index))));
        assert!(after.learned_doors().ways_in.iter().any(|door| door.place == Point::new(9.0, 0.0, 0.0)));
    }
}
