//! People numbered anew get the numbers of the truth.

use super::*;
use crate::base::{ShopTime, SourceId, TrackId, VisitId};
use crate::facts::{Body, BodyPoint, Fact, Joint, Joints, PeopleFrame, Person, Stamp, TrackJoined, TrackVerdict};
use crate::geometry::Point;
use crate::truth::{SceneBody, SceneTruth};

fn visit(number: u64) -> VisitId {
    VisitId::from_first_track(TrackId::new(number))
}

fn fact(at: ShopTime, body: Body) -> Fact {
    Fact { stamp: Stamp { source: SourceId::new("test"), sequence: 0, at, arrived: at }, body }
}

fn told(at: ShopTime, people: &[(u64, f64)]) -> Fact {
    let person = |(track, x): &(u64, f64)| {
        let head = Some(Joint { position: Point::new(*x, 0.1, 1.7), score: 1.0 });
        Person { track: TrackId::new(*track), joints: Joints { head, ..Joints::default() } }
    };
    fact(at, Body::People(PeopleFrame { people: people.iter().map(person).collect() }))
}

/// Everybody stands at a place of their own along x, metres, and moves on by 10 cm a second.
fn scene(at: ShopTime, people: &[(u64, f64)]) -> SceneTruth {
    let body = |(number, x): &(u64, f64)| SceneBody {
        visit: visit(*number),
        joints: [Point::new(*x, 0.0, 1.0); BodyPoint::COUNT],
        palms: [Point::new(*x, 0.0, 1.0); 2],
        holds: [Vec::new(), Vec::new()],
        carries: Vec::new(),
    };
    SceneTruth { at, people: people.iter().map(body).collect() }
}

#[test]
fn who_is_who_follows_from_where_they_stood() {
    let mut names = Names::default();
    // The clock of people is two seconds ahead of the truth's.
    let ahead = Span::from_secs(2.0);
    for step in 0..100 {
        let at = ShopTime::from_nanos(0) + Span::from_millis(100) * step;
        let x = step as f64 * 0.01;
        names.take_scene(scene(at, &[(1, x), (2, x + 3.0), (3, x + 6.0)]));
        // Numbered the other way round, the first one under two tracks, and somebody who is not there.
        let first = if step < 40 { 2 } else { 5 };
        names.take(&told(at + ahead, &[(first, x + 0.2), (1, x + 2.9), (4, x + 20.0)]));
    }
    for (track, of) in [(2, 2), (5, 2), (1, 1), (4, 4)] {
        let verdict = if track == of { TrackVerdict::NewVisit } else { TrackVerdict::SameShopper };
        let joined = TrackJoined { track: TrackId::new(track), visit: visit(of), verdict };
        names.take(&fact(ShopTime::from_nanos(0), Body::Track(joined)));
    }
    let truth = truth("1: tea; 2: salt; 3: bread");
    let mut receipts = receipts("2: tea; 1: salt; 4: bread", 0.9);
    names.rename(&mut receipts, &truth, ahead);
    let numbers: Vec<u64> = receipts.iter().map(|receipt| receipt.visit.number()).collect();
    assert_eq!(numbers[..2], [1, 2]);
    assert!(3 < numbers[2], "a stranger has no number of the truth: {numbers:?}");
    let score = score_case(&truth, &receipts, &prices(), Prob::new(0.5));
    assert_eq!((score.missing_shoppers.as_slice(), score.units.right), ([visit(3)].as_slice(), 2));
}

#[test]
fn of_two_visits_made_of_one_shopper_the_longer_one_has_the_name() {
    let mut names = Names::default();
    for step in 0..50 {
        let at = ShopTime::from_nanos(0) + Span::from_millis(100) * step;
        names.take_scene(scene(at, &[(7, 1.0)]));
        names.take(&told(at, &[(if step < 20 { 1 } else { 2 }, 1.0)]));
    }
    for track in [1, 2] {
        let joined = TrackJoined { track: TrackId::new(track), visit: visit(track), verdict: TrackVerdict::NewVisit };
        names.take(&fact(ShopTime::from_nanos(0), Body::Track(joined)));
    }
    let mut receipts = receipts("1: tea; 2: salt", 0.9);
    names.rename(&mut receipts, &truth("7: tea, salt"), Span::ZERO);
    assert_eq!(receipts[1].visit, visit(7));
    assert!(7 < receipts[0].visit.number());
}
