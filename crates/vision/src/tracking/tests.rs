//! Tracks that walk straight in, verdicts as text out.

use super::*;
use crate::base::{ShopTime, Span, TimeRange, TrackId, VisitId};
use crate::facts::{Joint, JointKind, Joints, PeopleFrame, Person, TrackJoined, TrackVerdict};
use crate::geometry::Point;
use crate::shop::{RoomDraft, Shop, ShopDraft, ZoneDraft, ZoneKind};

/// Time between frames.
const FRAME: Span = Span::from_millis(100);

/// A floor of 10 x 6 m: people come in at its left end and go out at its right end.
fn shop() -> Shop {
    let zone = |name: &str, kind: ZoneKind, left: f64| ZoneDraft {
        name: name.to_owned(),
        kind,
        polygon: vec![[left, 0.0], [left + 1.0, 0.0], [left + 1.0, 6.0], [left, 6.0]],
        line: None,
    };
    let zones = vec![zone("in", ZoneKind::Entrance, 0.0), zone("out", ZoneKind::Exit, 9.0)];
    Shop::check(ShopDraft { name: "small".to_owned(), zones, ..ShopDraft::default() }).unwrap()
}

/// The same floor between walls that are named.
fn walled() -> Shop {
    let polygon = vec![[0.0, 0.0], [10.0, 0.0], [10.0, 6.0], [0.0, 6.0]];
    let room = Some(RoomDraft { polygon, height_metres: 3.0, line: None });
    Shop::check(ShopDraft { name: "walled".to_owned(), room, ..ShopDraft::default() }).unwrap()
}

/// A floor of which nothing is named.
fn unnamed() -> Shop {
    Shop::check(ShopDraft { name: "open".to_owned(), ..ShopDraft::default() }).unwrap()
}

/// A track that goes straight from one place to another at constant speed.
struct Walk {
    track: TrackId,
    secs: [f64; 2],
    from: [f64; 2],
    to: [f64; 2],
    /// Size of the body, in terms of the usual one.
    size: f64,
}

/// Tracks such as `1 0-5 0.5,3 4,3` (name, seconds, first place, last place, and for a tall one `tall`), split by `;`.
fn walks(text: &str) -> Vec<Walk> {
    let pair = |text: &str, by: char| {
        let (a, b) = text.split_once(by).unwrap();
        [a.parse().unwrap(), b.parse().unwrap()]
    };
    let walk = |text: &str| {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [track, secs, from, to] = words[..4] else { panic!("{text}") };
        let size = if words.get(4) == Some(&"tall") { 1.2 } else { 1.0 };
        Walk { track: track.parse().unwrap(), secs: pair(secs, '-'), from: pair(from, ','), to: pair(to, ','), size }
    };
    text.split(';').map(walk).collect()
}

/// A body that stands upright at a place, seen whole.
fn joints(x: f64, y: f64, size: f64) -> Joints {
    let mut joints = Joints::default();
    for kind in JointKind::ALL {
        let (dx, z) = match kind {
            JointKind::Head => (0.0, 1.65),
            JointKind::Neck => (0.0, 1.45),
            JointKind::LeftShoulder => (-0.2, 1.4),
            JointKind::RightShoulder => (0.2, 1.4),
            JointKind::LeftElbow => (-0.25, 1.1),
            JointKind::RightElbow => (0.25, 1.1),
            JointKind::LeftWrist => (-0.25, 0.85),
            JointKind::RightWrist => (0.25, 0.85),
        };
        *joints.slot(kind) = Some(Joint { position: Point::new(x + dx * size, y, z * size), score: 0.9 });
    }
    joints
}

/// What came of it: verdicts and sightings with the second at which they were given.
struct Outcome {
    verdicts: Vec<(f64, TrackJoined)>,
    sightings: Vec<(f64, Sighting)>,
    doubts: Vec<Doubt>,
    mixups: Vec<Mixup>,
    counters: Counters,
}

fn run(text: &str) -> Outcome {
    run_with_hole(text, [f64::INFINITY; 2])
}

/// The same when frames between two times, exclusive, are lost.
fn run_with_hole(text: &str, hole: [f64; 2]) -> Outcome {
    run_in(&shop(), text, hole)
}

fn run_in(shop: &Shop, text: &str, hole: [f64; 2]) -> Outcome {
    let walks = walks(text);
    let end = walks.iter().map(|walk| walk.secs[1]).fold(0.0, f64::max);
    let mut stitcher = Stitcher::new(shop);
    let (mut verdicts, mut sightings) = (Vec::new(), Vec::new());
    let mut take = |secs: f64, (seen, judged): (Vec<Sighting>, Vec<TrackJoined>)| {
        verdicts.extend(judged.into_iter().map(|verdict| (secs, verdict)));
        sightings.extend(seen.into_iter().map(|sighting| (secs, sighting)));
    };
    for frame in 0..=(end * 10.0).round() as i64 {
        let secs = frame as f64 / 10.0;
        let here = walks.iter().filter(|walk| walk.secs[0] <= secs && secs <= walk.secs[1]);
        let person = |walk: &Walk| {
            let share = (secs - walk.secs[0]) / (walk.secs[1] - walk.secs[0]);
            let at = |axis: usize| walk.from[axis] + (walk.to[axis] - walk.from[axis]) * share;
            Person { track: walk.track, joints: joints(at(0), at(1), walk.size) }
        };
        let people = PeopleFrame { people: here.map(person).collect() };
        if hole[0] < secs && secs < hole[1] {
            continue;
        }
        if hole[1] == secs {
            let at = |secs: f64| ShopTime::from_nanos(0) + Span::from_secs(secs);
            stitcher.resume(TimeRange::new(at(hole[0]), at(hole[1])));
        }
        take(secs, stitcher.step(ShopTime::from_nanos(0) + FRAME * frame, &people));
    }
    take(end, stitcher.finish());
    let (doubts, mixups, counters) = (stitcher.take_doubts(), stitcher.take_mixups(), stitcher.counters());
    Outcome { verdicts, sightings, doubts, mixups, counters }
}

/// The verdicts on these tracks must read as expected: `1 new`, `2 same as 1`, `3 ghost`.
fn check(text: &str, expected: &str) -> Outcome {
    check_outcome(text, run(text), expected)
}

/// The same across a hole; visits about which there are doubts must be these.
fn check_hole(text: &str, hole: [f64; 2], expected: &str, doubted: &[u64]) {
    let outcome = check_outcome(text, run_with_hole(text, hole), expected);
    let mut visits: Vec<u64> = outcome.doubts.iter().map(|doubt| doubt.visit.number()).collect();
    visits.sort_unstable();
    assert_eq!(visits, doubted, "{text}: {:?}", outcome.doubts);
}

fn check_outcome(text: &str, mut outcome: Outcome, expected: &str) -> Outcome {
    outcome.verdicts.sort_by_key(|(_, verdict)| verdict.track);
    let said = |(_, verdict): &(f64, TrackJoined)| match verdict.verdict {
        TrackVerdict::NewVisit => format!("{} new", verdict.track),
        TrackVerdict::SameShopper => format!("{} same as {}", verdict.track, verdict.visit),
        TrackVerdict::Ghost => format!("{} ghost", verdict.track),
    };
    let texts: Vec<String> = outcome.verdicts.iter().map(said).collect();
    assert_eq!(texts.join(", "), expected, "{text}");
    let counters = outcome.counters;
    assert_eq!(counters.visits + counters.joined + counters.ghosts, outcome.verdicts.len() as u64, "{text}");
    outcome
}

#[test]
fn a_track_that_breaks_and_comes_back_goes_on_with_its_visit() {
    check("1 0-5 0.5,3 4,3; 2 6.2-12 4.4,3 6,3", "1 new, 2 same as 1");
    check("1 0-5 0.5,3 4,3; 2 6.2-12 4.4,3 6,3; 3 13-20 6,3 4,3", "1 new, 2 same as 1, 3 same as 1");
}

#[test]
fn whoever_comes_from_outside_is_nobody_who_was_inside_and_nobody_before_they_are() {
    let check = |text, expected| {
        check_outcome(text, run_in(&walled(), text, [f64::INFINITY; 2]), expected);
    };
    check("1 0-5 3,3 0.6,3; 2 6-12 -1,3 3,3", "1 new, 2 new");
    // Who is lost inside goes on there all the same.
    check("1 0-5 3,3 0.6,3; 2 6-12 0.7,3 3,3", "1 new, 2 same as 1");
    // Who walks past is nobody; who waits before the door, and is lost there, is whoever comes in then.
    check("1 0-8 -1,1 -1,5", "1 ghost");
    let waited = run_in(&walled(), "1 1-4 -1,3 -0.5,3; 2 4.5-10 -0.5,3 4,3", [f64::INFINITY; 2]);
    let mut said: Vec<_> = waited.verdicts.iter().map(|(_, one)| (one.track.number(), one.visit.number())).collect();
    said.sort_unstable();
    assert_eq!((said, waited.counters.visits), (vec![(1, 1), (2, 1)], 1));
}

#[test]
fn who_appears_far_from_everybody_lost_is_somebody_else() {
    check("1 0-5 0.5,3 4,3; 2 5.5-12 8,3 8,3", "1 new, 2 new");
}

#[test]
fn two_who_break_at_once_are_matched_by_least_total_cost() {
    // The nearest pair is 3 and 2; it would leave 4 and 1 a metre apart.
    check(
        "1 0-5 4,3 4,3; 2 0-5 4.6,3 4.6,3; 3 6-12 4.32,3 4.32,3; 4 6-12 5,3 5,3",
        "1 new, 2 new, 3 same as 1, 4 same as 2",
    );
}

#[test]
fn who_comes_in_where_others_came_in_is_somebody_else() {
    // Nothing is known of a door at first: whoever appears where somebody was lost is that one.
    let floor = unnamed();
    let lost_and_seen = |before: &str| {
        let text = format!("{before}1 110-118 4,3 8,1; 2 121-128 8,1 4,3");
        let outcome = run_in(&floor, &text, [f64::INFINITY; 2]);
        outcome
            .verdicts
            .iter()
            .any(|(_, verdict)| verdict.track == TrackId::new(2) && verdict.verdict == TrackVerdict::NewVisit)
    };
    assert!(!lost_and_seen(""));
    // Where several have come in and gone, whoever comes is new.
    let coming = |who: u64| {
        let (from, to) = (25 * who, 25 * who + 5);
        format!("{0} {from}-{to} 8,1 4,3; {1} {to}.2-{2} 4,3 8,1; ", 10 + who, 20 + who, to + 5)
    };
    let before: String = (0..4).map(coming).collect();
    assert!(lost_and_seen(&before), "{before}");
    // They may be the one who was lost there all the same, and that is told.
    let outcome = run_in(&floor, &format!("{before}1 110-118 4,3 8,1; 2 121-128 8,1 4,3"), [f64::INFINITY; 2]);
    let pair = [2, 1].map(|track| VisitId::from_first_track(TrackId::new(track)));
    let told = outcome.mixups.iter().find(|mixup| mixup.visits == pair);
    assert!(told.is_some_and(|mixup| 0.01 < mixup.chance.value()), "{:?}", outcome.mixups);
}

#[test]
fn who_is_who_is_not_said_before_the_next_best_guess_is_clearly_worse_and_then_how_sure_it_is() {
    // Two alike are lost side by side and seen again between.
    let outcome = run("1 0-5 4,3 4,3; 2 0-5 4.6,3 4.6,3; 3 6-14 4.3,3.25 4.3,3.25; 4 6-14 4.3,2.75 4.3,2.75");
    let first = outcome.verdicts.iter().find(|(_, verdict)| verdict.track == TrackId::new(3)).unwrap();
    assert!(9.5 <= first.0, "waits for somebody to walk: {first:?}");
    let visits: Vec<u64> = outcome.mixups.iter().flat_map(|mixup| &mixup.visits).map(|visit| visit.number()).collect();
    assert!(visits.contains(&1) && visits.contains(&2), "{:?}", outcome.mixups);
    assert!(outcome.mixups.iter().all(|mixup| 0.05 < mixup.chance.value()), "{:?}", outcome.mixups);
    // One of them is taller: it is said at once, and hardly anybody is doubted.
    let outcome = run("1 0-5 0.5,3 4,3; 2 0-5 0.5,3.3 4.3,3 tall; 3 6-14 4.15,3.2 8,3.2; 4 6-14 4.15,2.8 8,2.8 tall");
    let told = |track: u64| outcome.verdicts.iter().find(|(_, verdict)| verdict.track == TrackId::new(track)).unwrap();
    assert!(
        told(3).0 < 8.5 && told(3).1.visit.number() == 1 && told(4).1.visit.number() == 2,
        "{:?}",
        outcome.verdicts
    );
    assert!(outcome.mixups.iter().all(|mixup| mixup.chance.value() < 0.005), "{:?}", outcome.mixups);
}

#[test]
fn who_goes_out_and_who_comes_in_there_in_a_moment_are_two_if_one_is_taller() {
    let outcome = run_in(&unnamed(), "1 0-5 4,3 8,1; 2 6-12 8,1 4,3 tall", [f64::INFINITY; 2]);
    check_outcome("out and in", outcome, "1 new, 2 new");
}

#[test]
fn doubles_and_flickers_are_nobody() {
    check("1 0-15 4,3 4,3; 2 5-7 4.2,3 4.2,3", "1 new, 2 ghost");
    check("1 0-15 4,3 4,3; 2 5-5.2 7,3 7,3", "1 new, 2 ghost");
}

#[test]
fn belief_comes_at_once_at_the_start_and_at_the_door_and_late_on_the_open_floor() {
    let cases =
        [("1 0-9 5,3 5,3", 0.6), ("1 0-9 5,3 5,3; 2 3-9 0.5,1 3,1", 3.6), ("1 0-9 5,3 5,3; 2 3-9 7,1 7,1", 7.3)];
    for (text, expected) in cases {
        let outcome = run(text);
        let (secs, _) = outcome.verdicts[outcome.verdicts.len() - 1];
        assert!((secs - expected).abs() < 0.11, "{text}: believed at {secs}, expected at {expected}");
    }
}

#[test]
fn who_left_through_the_exit_is_not_continued() {
    check("1 0-8 0.5,3 9.5,3; 2 9-16 8.9,3 8,3", "1 new, 2 new");
    check("1 0-8 0.5,3 8.8,3; 2 9-16 8.7,3 8,3", "1 new, 2 same as 1");
}

#[test]
fn held_sightings_are_released_in_order_with_their_own_times() {
    let outcome = check("1 0-12 5,3 5,3; 2 3-12 7,1 7,1", "1 new, 2 new");
    let tenths = |secs: f64| (secs * 10.0).round() as i64;
    for (visit, from, believed) in [(1, 0, 0.6), (2, 30, 7.3)] {
        let of_visit = || outcome.sightings.iter().filter(|(_, sighting)| sighting.visit.number() == visit);
        let times: Vec<i64> = of_visit().map(|(_, sighting)| sighting.at.as_nanos() / FRAME.as_nanos()).collect();
        assert_eq!(times, (from..=120).collect::<Vec<i64>>(), "visit {visit}");
        let first = of_visit().map(|(secs, _)| tenths(*secs)).min().unwrap();
        assert!((first - tenths(believed)).abs() <= 1, "visit {visit} is first given at {first} tenths");
    }
    assert!(
        outcome.sightings.iter().all(|(secs, sighting)| { sighting.at.as_nanos() / FRAME.as_nanos() <= tenths(*secs) })
    );
}

#[test]
fn across_a_hole_the_same_number_at_a_possible_place_is_the_same_shopper() {
    check_hole("1 0-30 0.5,3 6,3", [10.0, 20.0], "1 new", &[]);
    check_hole("1 0-10 0.5,3 2,3; 1 20-30 6,3 6,4", [10.0, 20.0], "1 new", &[]);
    // Eight metres in a second, or another body: it goes on, and a person looks.
    check_hole("1 0-10 0.5,3 0.6,3; 1 11-20 8.6,3 8.6,4", [10.0, 11.0], "1 new", &[1]);
    check_hole("1 0-10 0.5,3 2,3; 1 20-30 6,3 6,4 tall", [10.0, 20.0], "1 new", &[1]);
}

#[test]
fn across_a_hole_who_is_the_only_one_it_can_be_goes_on() {
    check_hole("1 0-10 0.5,3 4,3; 2 20-30 4.5,3 6,3", [10.0, 20.0], "1 new, 2 same as 1", &[]);
    check_hole("1 0-10 0.5,3 4,3; 2 70-80 4.5,3 6,3", [10.0, 70.0], "1 new, 2 same as 1", &[]);
    // Two who look different are told apart, though either may have walked to where the other was.
    let two = "1 0-10 0.5,2 4,2; 2 0-10 0.5,4 4,4 tall; 3 20-30 4,3 6,2 tall; 4 20-30 5,3 6,4";
    check_hole(two, [10.0, 20.0], "1 new, 2 new, 3 same as 2, 4 same as 1", &[]);
}

#[test]
fn across_a_hole_nobody_is_guessed() {
    // Two alike who may have changed places.
    let two = "1 0-10 0.5,2 4,2; 2 0-10 0.5,4 4,4; 3 20-30 4,3 6,2; 4 20-30 5,3 6,4";
    check_hole(two, [10.0, 20.0], "1 new, 2 new, 3 new, 4 new", &[3, 4]);
    // Somebody else altogether.
    check_hole("1 0-10 0.5,3 4,3; 2 20-30 4.5,3 6,3 tall", [10.0, 20.0], "1 new, 2 new", &[2]);
    // Too far away for the time.
    check_hole("1 0-10 0.5,3 2,3; 2 11-20 8,3 8,4", [10.0, 11.0], "1 new, 2 new", &[2]);
    // Who comes in at the door after a long hole is a newcomer.
    check_hole("1 0-10 0.5,3 4,3; 2 30-40 0.5,3 2,3", [10.0, 30.0], "1 new, 2 new", &[]);
}
