//! Two lanes of one engine: what is taken again in the order in which it was taken decides the same, whoever went out has one
//! receipt, and the lane that shows is soon, and right again when it was set back.

use std::collections::{BTreeMap, BTreeSet};

use aisle::base::rng::dice;
use aisle::base::{ShopTime, SkuId, SourceId, Span, VisitId};
use aisle::facts::{Body, Fact, Movement, Stamp, Tick, Topic};
use aisle::live::View;
use aisle::pipeline::{Engine, Options};
use aisle::ports::FactSink;
use aisle::recording::{Cut, Writer};
use aisle::replay;
use aisle::sim::{self, Level, Scenario, Trip};
use rand::RngExt;

use super::trips::{RUN, SHOP, json, listen, play, replay_command, shuffled, trip};

const TRIPS: [(Scenario, Level, u64); 4] = [
    (Scenario::SinglePick, Level::Clean, 1),
    (Scenario::HandOver, Level::Room, 4),
    (Scenario::ThreeShoppers, Level::Room, 6),
    (Scenario::Crowd, Level::Clean, 2),
];
/// By how much later than weights people are told of in a shop with cameras of its own, seconds.
const SOON: f64 = 0.3;

/// A trip that goes on for so long after everybody has left, with people told of soon.
fn lasting(scenario: Scenario, level: Level, seed: u64, tail_secs: f64) -> Trip {
    let first = trip(scenario, level, seed);
    let at = |fact: &Fact| fact.stamp.at;
    let length = first.facts.iter().map(at).max().unwrap().secs_since(first.facts.iter().map(at).min().unwrap());
    let secs = Some((length + tail_secs).ceil());
    let mut trip = sim::trip(&sim::Options { shop: SHOP.clone(), scenario, level, seed, secs }).unwrap();
    let earlier = Span::from_secs(sim::PEOPLE_DELAY_SECS - SOON);
    let people = trip.facts.iter_mut().filter(|fact| fact.body.topic() == Topic::People);
    people.for_each(|fact| fact.stamp.arrived = fact.stamp.arrived - earlier);
    trip.facts.sort_by_key(|fact| fact.stamp.arrived);
    trip
}

/// Ticks of a clock among the facts, a part of them lost, in an order of arrival that follows from the seed.
fn live_like(facts: &[Fact], seed: u64) -> Vec<Fact> {
    let mut dice = dice(seed, "live");
    let mut kept: Vec<Fact> = facts.iter().filter(|_| !dice.random_bool(0.01)).cloned().collect();
    let arrived = |fact: &Fact| fact.stamp.arrived;
    let (first, last) = (facts.iter().map(arrived).min().unwrap(), facts.iter().map(arrived).max().unwrap());
    let mut sequence = 0;
    let mut at = first;
    while at < last {
        sequence += 1;
        let stamp = Stamp { source: SourceId::new("clock"), sequence, at, arrived: at };
        kept.push(Fact { stamp, body: Body::Tick(Tick::default()) });
        at = at + Span::from_millis(500);
    }
    shuffled(&kept, Span::from_millis(dice.random_range(0..3_000)), seed)
}

#[test]
fn what_was_taken_decides_the_same_when_it_is_taken_again() {
    let folder = tempfile::tempdir().unwrap();
    for (scenario, level, seed) in TRIPS {
        for order in 1..=3 {
            let taken = live_like(&trip(scenario, level, seed).facts, order);
            let first = play(&SHOP, taken.clone());
            assert!(!first.purchases.receipts.is_empty());
            let path = folder.path().join(format!("{scenario}-{order}.mcap"));
            let mut writer = Writer::create(&path, &SHOP, None, Cut::Tracked).unwrap();
            taken.iter().for_each(|fact| writer.put(fact).unwrap());
            writer.finish().unwrap();
            let mut source = replay::open(&path, None, replay::Options { tolerate: false }).unwrap();
            let again = listen(&mut source, RUN);
            assert!(first.derived == again.derived, "order {order} of {}", replay_command(scenario, level, seed));
        }
    }
}

#[test]
fn whoever_goes_out_has_one_receipt_within_seconds() {
    let (mut delays, mut late) = (Vec::new(), 0);
    for scenario in [Scenario::SinglePick, Scenario::SameInstant, Scenario::HandOver, Scenario::Crowd] {
        for seed in 1..=3 {
            let trip = lasting(scenario, Level::Clean, seed, 45.0);
            let mut engine = Engine::new(&SHOP, Options::USUAL);
            let mut receipts: BTreeMap<VisitId, usize> = BTreeMap::new();
            for fact in trip.facts {
                let arrived = fact.stamp.arrived;
                engine.take(fact, &mut |fact| {
                    if let Body::Receipt(receipt) = &fact.body {
                        let number = receipts.entry(receipt.visit).or_default();
                        *number += 1;
                        assert!(*number == 1 || receipt.interrupted.is_some(), "a second one is for a person");
                        if *number == 1 {
                            delays.push(arrived.secs_since(receipt.left));
                        }
                    }
                });
            }
            late += trip.truth.receipts.iter().filter(|owed| !receipts.contains_key(&owed.target_id)).count();
        }
    }
    delays.sort_by(f64::total_cmp);
    assert_eq!(late, 0, "all are decided long before the end");
    let p95 = delays[(delays.len() - 1) * 95 / 100];
    assert!(p95 < 4.0, "95 % of {} receipts within {p95} s", delays.len());
}

/// The carts of a view, as text.
fn carts(view: &View) -> String {
    let line = |line: &aisle::facts::OpenLine| format!(" {} {}", line.sku, line.quantity);
    let visit =
        |open: aisle::facts::OpenVisit| format!("{}:{}", open.visit, open.lines.iter().map(line).collect::<String>());
    view.carts().into_iter().map(visit).collect::<Vec<_>>().join(";")
}

#[test]
fn a_view_that_was_set_back_knows_what_a_new_one_knows_and_leaves_the_deciding_lane_alone() {
    for (scenario, level, seed) in TRIPS {
        let facts = live_like(&trip(scenario, level, seed).facts, 1);
        let (mut engine, mut alone) = (Engine::new(&SHOP, Options::USUAL), Engine::new(&SHOP, Options::USUAL));
        let mut view = View::new(&SHOP, Options::USUAL);
        let (mut derived, mut expected) = (String::new(), String::new());
        for (number, fact) in facts.iter().enumerate() {
            alone.take(fact.clone(), &mut |fact| expected += &json(fact));
            engine.take(fact.clone(), &mut |fact| derived += &json(fact));
            view.take(fact);
            if number % 211 == 0 {
                view.reset_to(&engine);
                let mut fresh = View::new(&SHOP, Options::USUAL);
                fresh.reset_to(&engine);
                assert_eq!(carts(&view), carts(&fresh), "fact {number} of {}", replay_command(scenario, level, seed));
            }
        }
        assert!(derived == expected);
        assert!(0 < view.corrections().resets);
    }
}

#[test]
fn a_pick_is_shown_within_a_second() {
    let (mut delays, mut unseen) = (Vec::new(), 0);
    for scenario in [Scenario::SinglePick, Scenario::SameInstant, Scenario::FastSeries, Scenario::ThreeShoppers] {
        for seed in 1..=3 {
            let trip = lasting(scenario, Level::Clean, seed, 0.0);
            let mut engine = Engine::new(&SHOP, Options::USUAL);
            let mut view = View::new(&SHOP, Options::USUAL);
            let mut waited: Vec<(VisitId, SkuId, ShopTime)> = Vec::new();
            let mut of: BTreeSet<(VisitId, SkuId)> = BTreeSet::new();
            for action in trip.truth.actions.iter().filter(|action| action.movement == Movement::Take) {
                if of.insert((action.visit, action.sku.clone())) {
                    waited.push((action.visit, action.sku.clone(), action.span.end));
                }
            }
            for fact in &trip.facts {
                engine.take(fact.clone(), &mut |_| {});
                view.take(fact);
                if view.is_due() {
                    view.reset_to(&engine);
                }
                let open = view.carts();
                let is_shown = |visit: VisitId, sku: &SkuId| {
                    open.iter().any(|open| open.visit == visit && open.lines.iter().any(|line| line.sku == *sku))
                };
                waited.retain(|(visit, sku, at)| {
                    let shown = *at <= fact.stamp.arrived && is_shown(*visit, sku);
                    if shown {
                        delays.push(fact.stamp.arrived.secs_since(*at));
                    }
                    !shown
                });
            }
            unseen += waited.len();
        }
    }
    delays.sort_by(f64::total_cmp);
    let p90 = delays[(delays.len() - 1) * 90 / 100];
    assert!(20 < delays.len() && unseen * 10 < delays.len(), "{unseen} of {} never", delays.len());
    assert!(p90 < 1.2, "90 % of {} takes within {p90} s", delays.len());
}
