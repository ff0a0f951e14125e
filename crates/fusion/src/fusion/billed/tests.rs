//! Shoppers who take tea, walk out, and at times come back: receipts as text out, with when they were decided.

use super::super::tests::{at, draft, event, joints_at};
use super::super::{Fusion, Options};
use crate::base::{ShelfId, SourceId, TimeRange, TrackId};
use crate::facts::{Body, Fact, PeopleFrame, Person, Stamp};
use crate::geometry::{Floor, Point};
use crate::shop::{Shop, ZoneDraft, ZoneKind};
use std::collections::BTreeMap;
use std::sync::Arc;

const FRAME: f64 = 0.05;
/// Where people stand before plate 2, and in the exit.
const SHELF: [f64; 2] = [0.125, -0.6];
const EXIT: [f64; 2] = [5.0, -0.6];

fn shop() -> Arc<Shop> {
    let polygon = vec![[4.0, -1.0], [6.0, -1.0], [6.0, 0.0], [4.0, 0.0]];
    let exit = ZoneDraft { name: "way out".to_owned(), kind: ZoneKind::Exit, polygon, line: None };
    Arc::new(Shop::check(crate::shop::ShopDraft { zones: vec![exit], ..draft() }).unwrap())
}

/// What happens to one shopper: where they are from which second on; `None` where nobody sees them.
type Way<'a> = &'a [(f64, Option<[f64; 2]>)];

/// Runs for 60 s. A hand is on plate 2 at each second of `takes`, and the plate moves then. `unrest` says since when something
/// moves on the shelf at a second. Answers `second: sku units …` of each receipt, with `!` when a person has to look, and the
/// fusion.
fn run(ways: &[Way<'_>], takes: &[f64], events: &[&str], unrest: impl Fn(f64) -> Option<f64>) -> (Vec<String>, Fusion) {
    let mut fusion = Fusion::new(shop(), Options { hypotheses_max: 96, eager: false });
    let mut events = events.iter().map(|text| event(ShelfId::new(1, 1), text)).peekable();
    let (mut said, mut sequence) = (Vec::new(), 0);
    for frame in 0..(60.0 / FRAME) as u32 {
        let secs = f64::from(frame) * FRAME;
        let person = |(index, way): (usize, &Way<'_>)| {
            let place: Point<Floor> =
                way.iter().rev().find(|(from, _)| *from <= secs)?.1.map(|[x, y]| Point::new(x, y, 0.0))?;
            let reaches = takes.iter().any(|take| (secs - take).abs() < 0.45);
            Some(Person { track: TrackId::new(index as u64 + 1), joints: joints_at(place, reaches.then_some(2.0)) })
        };
        let people = PeopleFrame { people: ways.iter().enumerate().filter_map(person).collect() };
        fusion.frame(at(secs), u64::from(frame), &people);
        fusion.take_people(at(secs), &people);
        while let Some(event) = events.next_if(|event| event.span.end <= at(secs)) {
            sequence += 1;
            let stamp = Stamp { source: SourceId::new("shelf"), sequence, at: event.span.end, arrived: at(secs) };
            fusion.take(&Fact { stamp, body: Body::Shelf(event) });
        }
        if frame % 10 == 0 {
            fusion.heard(vec![Some(TimeRange { start: at(0.0), end: at(secs) })], BTreeMap::new());
            fusion.unrest(vec![unrest(secs).map(at)]);
            said.extend(fusion.advance(at(secs)).iter().filter_map(|body| text(body, secs)));
        }
    }
    (said, fusion)
}

fn text(body: &Body, secs: f64) -> Option<String> {
    let Body::Visit(closed) = body else { return None };
    let lines: Vec<String> = closed.lines.iter().map(|line| format!(" {} {}", line.sku, line.quantity)).collect();
    let mark = if closed.interrupted.is_some() { "!" } else { "" };
    Some(format!("{secs}:{}{mark}", lines.concat()))
}

const CALM: fn(f64) -> Option<f64> = |_| None;

#[test]
fn who_went_out_has_a_receipt_at_once_and_no_second_one() {
    let way: Way<'_> = &[(0.0, Some(SHELF)), (8.0, Some(EXIT)), (9.0, None)];
    let (mut said, mut fusion) = run(&[way], &[5.0], &["2 5:-100"], CALM);
    assert_eq!(said, ["10: tea 1"]);
    said.extend(fusion.finish().iter().filter_map(|body| text(body, 60.0)));
    assert_eq!(said.len(), 1, "what is known later is the same: {said:?}");
    assert_eq!((fusion.counters().went_out, fusion.counters().revised), (1, 0));
    assert_eq!(fusion.visitors(), 0);
}

#[test]
fn who_went_out_is_in_no_open_visit_and_is_still_known_to_those_who_explain() {
    let mut fusion = Fusion::new(shop(), Options { hypotheses_max: 96, eager: false });
    for frame in 0..220 {
        let secs = f64::from(frame) * FRAME;
        let place = if secs < 8.0 { SHELF } else { EXIT };
        let person = Person { track: TrackId::new(1), joints: joints_at(Point::new(place[0], place[1], 0.0), None) };
        let people = PeopleFrame { people: if secs < 9.0 { vec![person] } else { Vec::new() } };
        fusion.frame(at(secs), frame as u64, &people);
        fusion.take_people(at(secs), &people);
        fusion.advance(at(secs));
        let (open, known) = if secs < 9.53 { (1, 1) } else { (0, 1) };
        assert_eq!((fusion.open_visits().len(), fusion.visitors()), (open, known), "{secs}");
    }
}

#[test]
fn who_is_hidden_in_the_doorway_for_a_moment_goes_on() {
    let way: Way<'_> = &[(0.0, Some(SHELF)), (8.0, Some(EXIT)), (9.0, None), (9.9, Some(SHELF)), (50.0, None)];
    let (said, fusion) = run(&[way], &[5.0, 20.0], &["2 5:-100", "2 20:-100"], CALM);
    assert_eq!((said, fusion.counters().went_out), (Vec::<String>::new(), 0), "one visit, of absence");
}

#[test]
fn who_comes_back_after_the_receipt_and_takes_more_is_for_a_person() {
    let way: Way<'_> = &[(0.0, Some(SHELF)), (8.0, Some(EXIT)), (9.0, None), (12.0, Some(SHELF)), (22.0, None)];
    let (mut said, mut fusion) = run(&[way], &[5.0, 20.0], &["2 5:-100", "2 20:-100"], CALM);
    said.extend(fusion.finish().iter().filter_map(|body| text(body, 60.0)));
    assert_eq!(said, ["10: tea 1", "60: tea 2!"]);
    assert_eq!((fusion.counters().went_out, fusion.counters().revised), (1, 1));
    let (mut said, mut fusion) = run(&[way], &[5.0], &["2 5:-100"], CALM);
    said.extend(fusion.finish().iter().filter_map(|body| text(body, 60.0)));
    assert_eq!(said, ["10: tea 1"], "nothing more was taken");
}

#[test]
fn what_still_moves_where_a_hand_was_is_waited_for_with_a_bound() {
    let way: Way<'_> = &[(0.0, Some(SHELF)), (8.0, Some(EXIT)), (9.0, None)];
    let until = |end: f64| move |secs: f64| (4.8 < secs && secs < end).then_some(5.0);
    let (said, _) = run(&[way], &[5.0], &["2 13:-100"], until(13.5));
    assert_eq!(said, ["13.5:"], "what was at rest only then is of nobody's hand");
    let (said, _) = run(&[way], &[5.0], &["2 5:-100"], until(99.0));
    assert_eq!(said, ["19: tea 1"], "ten seconds at most");
    let (said, _) = run(&[way], &[5.0], &["2 5:-100"], |secs| (10.0 < secs).then_some(9.5));
    assert_eq!(said, ["10: tea 1"], "what began to move afterwards is of others");
}

#[test]
fn who_is_lost_some_steps_before_the_exit_has_left_a_little_later() {
    let lost_at = |place: [f64; 2]| {
        let way: Way<'_> = &[(0.0, Some(SHELF)), (8.0, Some(place)), (9.0, None)];
        run(&[way], &[5.0], &["2 5:-100"], CALM).0
    };
    assert_eq!(lost_at([3.4, -0.6]), ["12: tea 1"]);
    assert_eq!(lost_at([3.1, -0.6]), Vec::<String>::new(), "too far: that is for absence");
    let way: Way<'_> = &[(0.0, Some([3.4, -0.6])), (3.0, None)];
    assert_eq!(run(&[way], &[], &[], CALM).0, Vec::<String>::new(), "who only stood there");
}

#[test]
fn who_was_never_seen_inside_does_not_leave_by_standing_in_the_door() {
    let (said, _) = run(&[&[(0.0, Some(EXIT)), (3.0, None)]], &[], &[], CALM);
    assert_eq!(said, Vec::<String>::new(), "that is for absence");
}

#[test]
fn where_frames_end_with_others_inside_nobody_is_said_to_have_left() {
    let mut fusion = Fusion::new(shop(), Options { hypotheses_max: 96, eager: false });
    let mut said = Vec::new();
    for frame in 0..600 {
        let secs = f64::from(frame) * FRAME;
        let place = if secs < 8.0 { SHELF } else { EXIT };
        let person = |number: u64, place: [f64; 2]| Person {
            track: TrackId::new(number),
            joints: joints_at(Point::new(place[0], place[1], 0.0), None),
        };
        if secs < 9.0 {
            let people = PeopleFrame { people: vec![person(1, place), person(2, SHELF)] };
            fusion.frame(at(secs), frame as u64, &people);
            fusion.take_people(at(secs), &people);
        }
        said.extend(fusion.advance(at(secs)));
    }
    assert_eq!(said, [], "the camera may have died");
}
