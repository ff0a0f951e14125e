//! Arrivals as text in, what leaves and what was counted out.

use super::Waits;
use super::reorder::{Counters, Reorder};
use crate::base::limits::REORDER_FACTS_MAX;
use crate::base::{ShopTime, SourceId, Span};
use crate::facts::{Body, Fact, PeopleFrame, Stamp};

fn fact(source: &str, sequence: u64, at: ShopTime) -> Fact {
    let stamp = Stamp { source: SourceId::new(source), sequence, at, arrived: ShopTime::from_nanos(sequence as i64) };
    Fact { stamp, body: Body::People(PeopleFrame::default()) }
}

/// Takes arrivals such as `a0 b1 a2.5` (source and seconds), numbered from 1. What leaves while they come, and after the
/// `|` what leaves at the end, must read as expected; answers the counters.
fn check(arrivals: &str, expected: &str) -> Counters {
    let mut reorder = Reorder::new(Waits::FINAL);
    let mut given = Vec::new();
    let text = |fact: &Fact| {
        let secs = fact.stamp.at.as_nanos() as f64 / 1e9;
        format!("{}{secs}", fact.stamp.source)
    };
    for (sequence, arrival) in (1..).zip(arrivals.split_whitespace()) {
        let (source, secs) = arrival.split_at(1);
        let at = ShopTime::from_nanos(0) + Span::from_secs(secs.parse().unwrap());
        reorder.take(fact(source, sequence, at), &mut |fact| given.push(text(&fact)));
    }
    given.push("|".to_owned());
    reorder.finish(&mut |fact| given.push(text(&fact)));
    assert_eq!(given.join(" "), expected, "{arrivals}");
    assert_eq!(reorder.waiting(), 0);
    let counters = reorder.counters();
    let lost = counters.dropped_double + counters.dropped_conflict + counters.dropped_late + counters.dropped_leap;
    assert_eq!(counters.received, counters.sent + lost, "{arrivals}");
    counters
}

#[test]
fn facts_of_new_sources_leave_in_order_of_time_nine_seconds_late() {
    check("a0 a1 a2 a3 b2.5 b0.5 a9.5 b12", "a0 b0.5 a1 a2 b2.5 | a3 a9.5 b12");
    check("b1 a1 a0 b0", "| a0 b0 a1 b1");
    check("", "|");
}

#[test]
fn fewer_facts_than_make_a_leap_believed_are_given_at_the_end() {
    check("a5 b3", "| b3 a5");
}

#[test]
fn doubles_of_one_source_are_counted_and_dropped() {
    let counters = check("a0 a1 a1 b1 a2 a2 a3", "| a0 a1 b1 a2 a3");
    assert_eq!(counters.dropped_double, 2);
    let counters = check("a0 a1 b1 a2 a3 b3 a11 a1", "a0 a1 b1 | a2 a3 b3 a11");
    assert_eq!(counters.dropped_double, 1, "the time of the last one given");
}

#[test]
fn what_is_older_than_what_was_given_is_late() {
    let counters = check("a0 a1 a2 a3 a20 b2.5 b3.5 b15", "a0 a1 a2 a3 b3.5 b15 | a20");
    assert_eq!(counters.dropped_late, 1);
}

#[test]
fn one_wild_clock_does_not_drag_the_others_along() {
    let counters = check("a0 a1 a2 a3 b1000 a4 a12.5", "a0 a1 a2 a3 a4 | a12.5");
    assert_eq!(counters.dropped_leap, 1);
    let counters = check("b1000 a0 a1 a2 a3", "| a0 a1 a2 a3");
    assert_eq!(counters.dropped_leap, 1, "also when it speaks first");
}

#[test]
fn a_leap_that_several_facts_confirm_is_believed() {
    let counters = check("a0 a1 a2 a3 b1000 a1001 a1002 a1003", "a0 a1 a2 a3 | b1000 a1001 a1002 a1003");
    assert_eq!((counters.dropped_leap, counters.dropped_late), (0, 0));
}

#[test]
fn a_full_buffer_gives_its_oldest_early() {
    let mut reorder = Reorder::new(Waits::FINAL);
    let mut given = Vec::new();
    for index in 0..REORDER_FACTS_MAX as u64 + 10 {
        let at = ShopTime::from_nanos(index as i64 * 90_000);
        reorder.take(fact("a", index, at), &mut |fact| given.push(fact.stamp.sequence));
    }
    assert_eq!(given, (0..10).collect::<Vec<u64>>());
    let counters = reorder.counters();
    assert_eq!((counters.released_early, counters.depth_max), (10, REORDER_FACTS_MAX as u64 + 1));
}
