//! Sources that speak, fall silent, skip numbers and begin anew: how long facts wait, and that none is lost by it.

use rand::RngExt;

use super::Waits;
use crate::base::rng::dice;
use crate::base::{Grams, PlateId, ShelfId, ShopTime, SourceId, Span, TimeRange};
use crate::facts::{Body, Fact, Level, PeopleFrame, PlateBatch, ShelfEvent, Staircase, Stamp, Tick};
use crate::pipeline::reorder::{Counters, Reorder};

fn at(secs: f64) -> ShopTime {
    ShopTime::from_nanos(1_000_000_000_000) + Span::from_secs(secs)
}

/// What a source says: `p` people, `t` that time goes on, `e` an event, everything else weights.
fn body(source: &str, secs: f64) -> Body {
    let plate = PlateId::new(1, 1, 1);
    match source.as_bytes()[0] {
        b'p' => Body::People(PeopleFrame::default()),
        b't' => Body::Tick(Tick::default()),
        b'e' => {
            let quiet = TimeRange { start: at(secs - 1.0), end: at(secs) };
            let level = Level { quiet, grams: Grams::new(0.0), sigma: Grams::new(1.0) };
            let plates = vec![Staircase { plate, levels: vec![level] }];
            Body::BoardEvent(ShelfEvent { shelf: ShelfId::new(1, 1), span: quiet, plates })
        }
        _ => {
            let period = Span::from_millis(10);
            Body::Plates(PlateBatch { first_at: at(secs), period, plates: vec![plate], grams: vec![1.0] })
        }
    }
}

fn fact(source: &str, sequence: u64, secs: f64, late_secs: f64) -> Fact {
    let (source, body) = (SourceId::new(source), body(source, secs));
    let at = at(secs);
    Fact { stamp: Stamp { source, sequence, at, arrived: at + Span::from_secs(late_secs) }, body }
}

/// A source that speaks ten times a second over these seconds, from number 1 on, each fact so much late.
fn stream(source: &str, from: i32, to: i32, late_secs: f64) -> Vec<Fact> {
    let one = |index: i32| fact(source, index as u64 + 1, f64::from(from) + f64::from(index) / 10.0, late_secs);
    (0..10 * (to - from)).map(one).collect()
}

/// What left: source, when it was true, and for how long it had not left then, seconds.
type Left = Vec<(String, f64, f64)>;

/// Takes facts in the order of their arrival; whatever comes of the end is left out.
fn play(mut facts: Vec<Fact>, waits: Waits) -> (Left, Counters) {
    facts.sort_by(|a, b| (a.stamp.arrived, &a.stamp.source).cmp(&(b.stamp.arrived, &b.stamp.source)));
    let mut reorder = Reorder::new(waits);
    let mut left = Vec::new();
    for fact in facts {
        let now = fact.stamp.arrived;
        let mut give = |fact: Fact| {
            let secs = fact.stamp.at.secs_since(at(0.0));
            left.push((fact.stamp.source.to_string(), secs, now.secs_since(fact.stamp.at)));
        };
        reorder.take(fact, &mut give);
    }
    assert!(left.is_sorted_by(|a, b| a.1 <= b.1), "out of order");
    (left, reorder.counters())
}

/// The longest that anything true in these seconds waited.
fn longest(left: &Left, from: f64, to: f64) -> f64 {
    let waits: Vec<f64> =
        left.iter().filter(|(_, secs, _)| (from..to).contains(secs)).map(|(.., wait)| *wait).collect();
    assert!(!waits.is_empty(), "nothing left of {from} to {to} s");
    waits.into_iter().fold(0.0, f64::max)
}

fn lost(counters: &Counters) -> u64 {
    counters.dropped_late + counters.dropped_leap + counters.dropped_conflict
}

/// Weights at once and people 0.3 s late, over a minute.
fn usual() -> Vec<Fact> {
    [stream("gondola/1", 0, 60, 0.02), stream("people", 0, 60, 0.3)].concat()
}

#[test]
fn what_every_source_was_heard_past_waits_for_nothing_more() {
    let (left, counters) = play(usual(), Waits::FINAL);
    assert!(longest(&left, 0.0, 1.0) < 9.4, "at the start the whole bound");
    assert!(longest(&left, 20.0, 50.0) < 0.45, "{}", longest(&left, 20.0, 50.0));
    assert_eq!(lost(&counters), 0);
}

#[test]
fn who_falls_silent_is_waited_for_once_and_finds_a_place_when_it_comes_back() {
    let mut facts = usual();
    facts.retain(|fact| {
        fact.stamp.source.as_str() != "people" || !(20.0..40.0).contains(&fact.stamp.at.secs_since(at(0.0)))
    });
    let (left, counters) = play(facts, Waits::FINAL);
    let most = longest(&left, 20.0, 25.0);
    assert!(8.0 < most && most < 9.4, "its bound: {most}");
    let out = longest(&left, 31.0, 36.0);
    assert!(2.9 < out && out < 3.2, "a little while it is out: {out}");
    assert!(longest(&left, 51.0, 58.0) < 0.45, "as before when it is back");
    assert_eq!((lost(&counters), left.iter().filter(|(source, ..)| source == "people").count() / 10), (0, 40));
}

#[test]
fn a_gap_in_numbers_is_waited_for_by_its_bound() {
    let missing = |fact: &Fact| fact.stamp.source.as_str() == "gondola/1" && fact.stamp.sequence == 200;
    let mut facts = usual();
    facts.retain(|fact| !missing(fact));
    let (left, counters) = play(facts, Waits::FINAL);
    let most = longest(&left, 20.0, 21.0);
    assert!(2.9 < most && most < 3.5, "{most}");
    assert!(longest(&left, 24.0, 50.0) < 0.45, "then it is over");
    assert_eq!(lost(&counters), 0);
    // The same one 2.9 s late: everything in its place.
    let late = |facts: &mut Vec<Fact>, number: u64, secs: f64| {
        let is_it = |fact: &&mut Fact| fact.stamp.source.as_str() == "gondola/1" && fact.stamp.sequence == number;
        let it = facts.iter_mut().find(is_it).unwrap();
        it.stamp.arrived = it.stamp.arrived + Span::from_secs(secs);
    };
    let mut facts = usual();
    late(&mut facts, 200, 2.9);
    let (left, counters) = play(facts, Waits::FINAL);
    assert_eq!(lost(&counters), 0);
    assert!(longest(&left, 20.0, 21.0) < 3.4 && longest(&left, 24.0, 50.0) < 0.45);
    // One that is later is lost, and counted; others of the same source are waited for by as much as it was late, for a while.
    let mut facts = usual();
    late(&mut facts, 200, 6.0);
    late(&mut facts, 400, 6.0);
    let (left, counters) = play(facts, Waits::FINAL);
    assert_eq!((lost(&counters), counters.dropped_late), (1, 1));
    let most = longest(&left, 40.0, 41.0);
    assert!(5.5 < most && most < 6.9, "{most}");
}

#[test]
fn numbers_that_begin_anew_or_go_by_others_than_one_lose_nothing() {
    let renumbered = |how: &dyn Fn(u64) -> u64| {
        let mut facts = usual();
        facts.iter_mut().for_each(|fact| fact.stamp.sequence = how(fact.stamp.sequence));
        play(facts, Waits::FINAL)
    };
    let (left, counters) = renumbered(&|number| if number < 200 { number } else { number - 199 });
    assert_eq!(lost(&counters), 0);
    assert!(longest(&left, 20.0, 21.0) < 9.4 && longest(&left, 30.0, 50.0) < 0.45, "a restart is a gap");
    for step in [2, 4, 12] {
        let (left, counters) = renumbered(&|number| step * number);
        assert_eq!(lost(&counters), 0);
        assert!(longest(&left, 25.0, 50.0) < 0.45, "by {step}: {}", longest(&left, 25.0, 50.0));
    }
    let mut dice = dice(1, "numbers");
    let mut facts = usual();
    facts.iter_mut().for_each(|fact| fact.stamp.sequence = dice.random());
    let (left, counters) = play(facts, Waits::FINAL);
    assert_eq!(lost(&counters), 0, "numbers that mean nothing");
    assert!(longest(&left, 0.0, 50.0) < 9.5);
}

#[test]
fn a_source_that_is_new_is_waited_for_by_its_bound() {
    let facts = [usual(), stream("gondola/2", 20, 60, 0.02)].concat();
    let (left, counters) = play(facts, Waits::FINAL);
    assert!(longest(&left, 20.2, 22.0) < 9.4 && longest(&left, 31.0, 50.0) < 0.45);
    assert_eq!(lost(&counters), 0);
}

#[test]
fn ticks_are_not_waited_for_and_events_are_unless_their_source_ticks() {
    let facts = [usual(), stream("tick", 0, 60, 0.0).into_iter().step_by(20).collect()].concat();
    let (left, _) = play(facts, Waits::FINAL);
    assert!(longest(&left, 20.0, 50.0) < 0.45, "{}", longest(&left, 20.0, 50.0));
    let event = fact("event/1", 1, 5.0, 0.1);
    let (left, _) = play([usual(), vec![event.clone()]].concat(), Waits::FINAL);
    let most = longest(&left, 20.0, 50.0);
    assert!(8.5 < most && most < 9.5, "{most}");
    let ticks = stream("tick", 5, 60, 0.1).into_iter().skip(1).map(|mut tick| {
        tick.stamp.source = event.stamp.source.clone();
        tick
    });
    let (left, counters) = play([usual(), vec![event.clone()], ticks.collect()].concat(), Waits::FINAL);
    assert!(longest(&left, 20.0, 50.0) < 0.45, "{}", longest(&left, 20.0, 50.0));
    assert_eq!(lost(&counters), 0);
}

#[test]
fn without_people_or_without_weights_a_little_is_waited_for() {
    for source in ["people", "gondola/1"] {
        let (left, counters) = play(stream(source, 0, 60, 0.02), Waits::FINAL);
        let most = longest(&left, 20.0, 50.0);
        assert!(2.9 < most && most < 3.2, "{source}: {most}");
        assert_eq!(lost(&counters), 0);
    }
}

#[test]
fn arrival_within_three_seconds_changes_no_order_and_loses_nothing() {
    let order = |facts: Vec<Fact>| {
        let mut reorder = Reorder::new(Waits::FINAL);
        let mut given = Vec::new();
        let mut give = |fact: Fact| given.push((fact.stamp.source.clone(), fact.stamp.sequence));
        facts.into_iter().for_each(|fact| reorder.take(fact, &mut give));
        reorder.finish(&mut give);
        assert_eq!(lost(&reorder.counters()), 0);
        given
    };
    let facts = [usual(), stream("gondola/2", 15, 60, 0.1)].concat();
    let mut in_order = facts.clone();
    in_order.sort_by(|a, b| (a.stamp.at, &a.stamp.source).cmp(&(b.stamp.at, &b.stamp.source)));
    let expected = order(in_order);
    for seed in 1..=20 {
        let mut dice = dice(seed, "arrival");
        let mut mixed = facts.clone();
        for fact in &mut mixed {
            fact.stamp.arrived = fact.stamp.arrived + Span::from_secs(dice.random_range(0.0..3.0));
        }
        mixed.sort_by_key(|fact| fact.stamp.arrived);
        assert!(order(mixed) == expected, "seed {seed}");
    }
}

#[test]
fn a_screen_waits_for_those_who_live_and_for_nothing_that_is_missing() {
    let mut facts = usual();
    facts.retain(|fact| fact.stamp.sequence % 50 != 0);
    let (left, _) = play(facts.clone(), Waits::VIEW);
    assert!(longest(&left, 1.0, 50.0) < 0.55, "{}", longest(&left, 1.0, 50.0));
    facts.retain(|fact| fact.stamp.source.as_str() != "people" || fact.stamp.at < at(20.0));
    let (left, _) = play(facts, Waits::VIEW);
    assert!(longest(&left, 20.0, 21.0) < 3.4 && longest(&left, 24.0, 50.0) < 0.3);
}

#[test]
fn what_comes_again_is_a_double_and_what_was_given_up_is_late() {
    let again = |late_secs: f64, missing: bool| {
        let mut facts = usual();
        let is_it = |fact: &Fact| fact.stamp.source.as_str() == "gondola/1" && fact.stamp.sequence == 200;
        let mut copy = facts.iter().find(|fact| is_it(fact)).unwrap().clone();
        copy.stamp.arrived = copy.stamp.at + Span::from_secs(late_secs);
        facts.retain(|fact| !missing || !is_it(fact));
        facts.push(copy);
        let counters = play(facts, Waits::FINAL).1;
        (counters.dropped_double, counters.dropped_late)
    };
    assert_eq!([again(0.05, false), again(2.0, false), again(20.0, false)], [(1, 0); 3]);
    assert_eq!([again(2.9, true), again(5.0, true), again(20.0, true)], [(0, 0), (0, 1), (0, 1)]);
}
