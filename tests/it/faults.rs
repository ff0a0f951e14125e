//! What sensors, models and clocks do to facts: nothing of it may end the engine, most of it may not change a
//! receipt, and all of it is counted.

use std::collections::BTreeSet;

use aisle::base::rng::{Dice, dice};
use aisle::base::{PlateId, ShopTime, SourceId, Span, TrackId};
use aisle::facts::{Body, Fact, JointKind, PeopleFrame, PlateBatch, Stamp};
use aisle::sim::{Level, Scenario, Trip};
use rand::RngExt;

use super::trips::{SHOP, Told, play, shuffled, trip};

/// A trip with several shoppers whose receipts are all right when nothing goes wrong.
fn sound() -> (Trip, Told) {
    let trip = trip(Scenario::SameInstant, Level::Clean, 1);
    let told = play(&SHOP, trip.facts.clone());
    assert!(told.purchases.agrees_with(&trip.truth.receipts));
    (trip, told)
}

fn plates(fact: &mut Fact) -> Option<&mut PlateBatch> {
    match &mut fact.body {
        Body::Plates(batch) => Some(batch),
        _ => None,
    }
}

fn people(fact: &mut Fact) -> Option<&mut PeopleFrame> {
    match &mut fact.body {
        Body::People(frame) => Some(frame),
        _ => None,
    }
}

/// Everybody has a receipt, whatever is on it.
fn everybody_has_a_receipt(trip: &Trip, told: &Told) {
    let served: BTreeSet<_> = told.purchases.receipts.iter().map(|receipt| receipt.target_id).collect();
    assert!(trip.truth.receipts.iter().all(|receipt| served.contains(&receipt.target_id)));
}

/// A batch that came between two others of a trip.
fn batch_at(at: ShopTime, source: &str, batch: PlateBatch) -> Fact {
    let stamp = Stamp { source: SourceId::new(source), sequence: 0, at, arrived: at };
    Fact { stamp, body: Body::Plates(batch) }
}

/// A fact of the middle of the trip, in the list of its facts.
fn middle(facts: &[Fact]) -> (usize, ShopTime) {
    (facts.len() / 2, facts[facts.len() / 2].stamp.at)
}

#[test]
fn doubled_messages_change_nothing() {
    let (trip, sound) = sound();
    let twice: Vec<Fact> = trip.facts.iter().flat_map(|fact| [fact.clone(), fact.clone()]).collect();
    let told = play(&SHOP, twice);
    assert_eq!(told.outcome.counters.reorder.dropped_double, trip.facts.len() as u64);
    assert!(told.derived == sound.derived);
}

#[test]
fn late_messages_change_nothing() {
    let (trip, sound) = sound();
    let told = play(&SHOP, shuffled(&trip.facts, Span::from_millis(3_000), 1));
    assert_eq!(told.outcome.counters.reorder.dropped_late, 0);
    assert!(told.derived == sound.derived);
}

#[test]
fn hopelessly_late_messages_are_dropped_and_counted() {
    let (trip, _) = sound();
    let mut facts = trip.facts.clone();
    // The first batches of the trip come at its end.
    facts.rotate_left(20);
    let told = play(&SHOP, facts);
    assert_eq!(told.outcome.counters.reorder.dropped_late, 20);
    everybody_has_a_receipt(&trip, &told);
}

#[test]
fn lost_messages_are_gaps_and_seldom_cost_anything() {
    let (trip, _) = sound();
    let mut right = 0;
    for seed in 1..=10 {
        let mut dice = dice(seed, "loss");
        let kept: Vec<Fact> = trip.facts.iter().filter(|_| dice.random_range(0..100) >= 3).cloned().collect();
        let told = play(&SHOP, kept);
        assert!(0 < told.outcome.counters.shelf.gaps);
        everybody_has_a_receipt(&trip, &told);
        right += usize::from(told.purchases.agrees_with(&trip.truth.receipts));
    }
    assert!(9 <= right, "only {right} of 10 trips are right with 3 % of messages lost");
}

#[test]
fn where_all_plates_are_silent_nobody_buys() {
    let (trip, _) = sound();
    let mut facts = trip.facts.clone();
    facts.iter_mut().filter_map(plates).for_each(|batch| batch.grams.fill(f32::NAN));
    let told = play(&SHOP, facts);
    everybody_has_a_receipt(&trip, &told);
    assert!(told.purchases.receipts.iter().all(|receipt| receipt.products.is_empty()));
    assert_eq!(told.outcome.counters.shelf.sent, 0);
}

#[test]
fn plates_that_stutter_or_die_elsewhere_change_no_receipt() {
    let (trip, sound) = sound();
    let used: BTreeSet<PlateId> = trip.truth.actions.iter().flat_map(|action| action.plates.iter().copied()).collect();
    let near = |plate: PlateId| used.iter().any(|other| other.shelf == plate.shelf);
    for seed in 1..=5 {
        let mut dice = dice(seed, "stutter");
        let dead: BTreeSet<PlateId> = SHOP
            .shelves()
            .iter()
            .flat_map(|shelf| shelf.plates.iter().map(|plate| plate.id))
            .filter(|plate| !near(*plate) && dice.random_bool(0.2))
            .collect();
        let mut facts = trip.facts.clone();
        for batch in facts.iter_mut().filter_map(plates) {
            let width = batch.plates.len();
            let stutters = dice.random_bool(0.2);
            for (index, sample) in batch.grams.iter_mut().enumerate() {
                let plate = batch.plates[index % width];
                if dead.contains(&plate) || stutters && !near(plate) {
                    *sample = f32::NAN;
                }
            }
        }
        assert_eq!(play(&SHOP, facts).purchases, sound.purchases, "seed {seed}");
    }
}

#[test]
fn malformed_batches_are_counted_and_change_nothing() {
    let (trip, sound) = sound();
    let (index, at) = middle(&trip.facts);
    let plates: Vec<PlateId> = SHOP.shelves()[0].plates.iter().map(|plate| plate.id).collect();
    let period = Span::from_nanos(16_666_667);
    let batch = |period: Span, plates: &[PlateId], samples: usize| PlateBatch {
        first_at: at,
        period,
        plates: plates.to_vec(),
        grams: vec![1e6; samples],
    };
    let malformed = [
        batch(period, &plates, plates.len() + 1),
        batch(period, &[], 3),
        batch(Span::ZERO, &plates, plates.len()),
        batch(-period, &plates, plates.len() * 2),
    ];
    let mut facts = trip.facts.clone();
    for (number, batch) in malformed.into_iter().enumerate() {
        facts.insert(index, batch_at(at, &format!("broken/{number}"), batch));
    }
    let told = play(&SHOP, facts);
    assert_eq!(told.outcome.counters.shelf.dropped_malformed, 4);
    assert!(told.derived == sound.derived);
}

#[test]
fn a_batch_with_rows_of_another_time_is_left_out() {
    let (trip, sound) = sound();
    let (index, at) = middle(&trip.facts);
    let shelf = &SHOP.shelves()[0];
    let plates: Vec<PlateId> = shelf.plates.iter().map(|plate| plate.id).collect();
    let batch = |first_at: ShopTime, period: Span| {
        let body = PlateBatch { first_at, period, plates: plates.clone(), grams: vec![1e3; plates.len() * 2] };
        batch_at(at, "astray", body)
    };
    let year = Span::from_secs(365.25 * 86_400.0);
    let astray = [batch(at + year, Span::from_millis(10)), batch(at - year, Span::from_millis(10)), batch(at, year)];
    for fact in astray {
        let mut facts = trip.facts.clone();
        facts.insert(index, fact);
        let told = play(&SHOP, facts);
        assert_eq!(told.outcome.counters.dropped_astray, 1);
        assert!(told.derived == sound.derived);
    }
}

#[test]
fn strange_plates_are_ignored() {
    let (trip, sound) = sound();
    let (index, at) = middle(&trip.facts);
    let mut facts = trip.facts.clone();
    let strange = [PlateId::new(99, 1, 1), PlateId::new(1, 99, 1), PlateId::new(0, 0, 0)];
    for (number, plate) in strange.into_iter().enumerate() {
        let batch =
            PlateBatch { first_at: at, period: Span::from_millis(10), plates: vec![plate], grams: vec![5e5; 20] };
        facts.insert(index, batch_at(at, &format!("strange/{number}"), batch));
    }
    let told = play(&SHOP, facts);
    assert!(told.derived == sound.derived);
    // A strange plate in the middle of a known shelf's samples.
    let mut wider = trip.facts.clone();
    for batch in wider.iter_mut().filter_map(plates) {
        let width = batch.plates.len();
        let rows: Vec<f32> = batch.grams.chunks(width).flat_map(|row| row.iter().copied().chain([7e5])).collect();
        batch.plates.push(PlateId::new(
            batch.plates[width - 1].shelf.gondola,
            batch.plates[width - 1].shelf.shelf,
            999,
        ));
        batch.grams = rows;
    }
    assert!(play(&SHOP, wider).derived == sound.derived);
}

#[test]
fn a_clock_that_leaps_once_is_not_followed() {
    let (trip, sound) = sound();
    let (index, at) = middle(&trip.facts);
    let year = Span::from_secs(365.25 * 86_400.0);
    for leap in [ShopTime::MAX, at + year, at + Span::from_secs(120.0)] {
        let mut facts = trip.facts.clone();
        let mut copy = facts[index].clone();
        copy.stamp.at = leap;
        facts.insert(index, copy);
        let told = play(&SHOP, facts);
        assert_eq!(told.outcome.counters.reorder.dropped_leap, 1, "{leap}");
        assert!(told.derived == sound.derived, "{leap}");
    }
    for leap in [ShopTime::MIN, ShopTime::from_nanos(-1), at - year] {
        let mut facts = trip.facts.clone();
        let mut copy = facts[index].clone();
        copy.stamp.at = leap;
        facts.insert(index, copy);
        let told = play(&SHOP, facts);
        assert_eq!(told.outcome.counters.reorder.dropped_late, 1, "{leap}");
        assert!(told.derived == sound.derived, "{leap}");
    }
}

#[test]
fn two_trips_a_day_apart_are_both_charged() {
    let (trip, sound) = sound();
    let day = Span::from_secs(86_400.0);
    let mut facts = trip.facts.clone();
    for fact in &trip.facts {
        facts.push(moved(fact, day));
    }
    let told = play(&SHOP, facts);
    assert_eq!(told.outcome.counters.reorder.dropped_leap, 0);
    assert_eq!(told.outcome.receipts.len(), 2 * sound.outcome.receipts.len());
}

#[test]
fn times_before_1970_are_times() {
    let (trip, sound) = sound();
    let back = ShopTime::from_nanos(-1_000_000_000_000) - trip.facts[0].stamp.at;
    let facts = trip.facts.iter().map(|fact| moved(fact, back)).collect();
    assert_eq!(play(&SHOP, facts).purchases, sound.purchases);
}

/// The same fact at another time.
fn moved(fact: &Fact, by: Span) -> Fact {
    let mut fact = fact.clone();
    fact.stamp.at = fact.stamp.at + by;
    fact.stamp.arrived = fact.stamp.arrived + by;
    if let Body::Plates(batch) = &mut fact.body {
        batch.first_at = batch.first_at + by;
    }
    fact
}

#[test]
fn joints_that_are_no_numbers_are_not_seen() {
    let (trip, sound) = sound();
    let mut facts = trip.facts.clone();
    let mut dice = dice(1, "joints");
    for frame in facts.iter_mut().filter_map(people) {
        for person in &mut frame.people {
            let kind = JointKind::ALL[dice.random_range(0..8)];
            if let (Some(joint), true) = (person.joints.slot(kind), dice.random_bool(0.05)) {
                joint.position.x = [f64::NAN, f64::INFINITY, -f64::INFINITY][dice.random_range(0..3)];
            }
        }
    }
    assert_eq!(play(&SHOP, facts).purchases, sound.purchases);
    let mut nobody = trip.facts.clone();
    for person in nobody.iter_mut().filter_map(people).flat_map(|frame| &mut frame.people) {
        for kind in JointKind::ALL {
            person.joints.slot(kind).iter_mut().for_each(|joint| joint.position.z = f64::NAN);
        }
    }
    let told = play(&SHOP, nobody);
    assert!(told.purchases.receipts.iter().all(|receipt| receipt.products.is_empty()));
}

#[test]
fn three_hundred_people_in_a_frame_are_too_many() {
    let (trip, _) = sound();
    let mut facts = trip.facts.clone();
    let mut frames = 0;
    for frame in facts.iter_mut().filter_map(people).filter(|frame| !frame.people.is_empty()).take(60) {
        let first = frame.people[0].clone();
        frames += 1;
        while frame.people.len() < 300 {
            let mut other = first.clone();
            other.track = TrackId::new(frame.people.len() as u64);
            for kind in JointKind::ALL {
                let away = frame.people.len() as f64;
                other.joints.slot(kind).iter_mut().for_each(|joint| joint.position.y -= away);
            }
            frame.people.push(other);
        }
    }
    let told = play(&SHOP, facts);
    assert_eq!(told.outcome.counters.dropped_people, 44 * frames);
}

/// Something wrong with a fact.
fn spoil(fact: &mut Fact, dice: &mut Dice) {
    let wild = [f64::NAN, f64::INFINITY, -1e300, 1e300, 0.0, -0.0];
    match dice.random_range(0..9) {
        0 => fact.stamp.at = ShopTime::from_nanos(dice.random()),
        1 => fact.stamp.at = fact.stamp.at + Span::from_secs(dice.random_range(-100.0..100.0)),
        2 => fact.stamp.sequence = dice.random(),
        3 => fact.stamp.source = SourceId::new(["", "people", "gondola/1", "x"][dice.random_range(0..4)]),
        _ => {}
    }
    match &mut fact.body {
        Body::Plates(batch) => match dice.random_range(0..7) {
            0 => batch.period = Span::from_nanos(dice.random()),
            1 => batch.first_at = ShopTime::from_nanos(dice.random()),
            2 => batch.grams.truncate(dice.random_range(0..batch.grams.len().max(1))),
            3 => batch.plates.clear(),
            4 => batch.plates.reverse(),
            5 => {
                let place = dice.random_range(0..batch.plates.len().max(1));
                let plate = PlateId::new(dice.random(), dice.random(), dice.random());
                batch.plates.iter_mut().skip(place).take(1).for_each(|other| *other = plate);
            }
            _ => {
                for sample in &mut batch.grams {
                    let number = wild[dice.random_range(0..6)] as f32;
                    *sample = if dice.random_bool(0.3) { number } else { *sample };
                }
            }
        },
        Body::People(frame) => match dice.random_range(0..4) {
            0 => frame.people.iter_mut().for_each(|person| person.track = TrackId::new(dice.random_range(0..3))),
            1 => frame.people.extend(frame.people.clone()),
            2 => frame.people.clear(),
            _ => {
                for person in &mut frame.people {
                    let kind = JointKind::ALL[dice.random_range(0..8)];
                    let number = wild[dice.random_range(0..6)];
                    person.joints.slot(kind).iter_mut().for_each(|joint| joint.position.y = number);
                }
            }
        },
        _ => {}
    }
}

#[test]
fn nothing_ends_the_engine() {
    for seed in 1..=40 {
        let mut facts = trip(Scenario::FastSeries, Level::Room, seed).facts;
        let mut dice = dice(seed, "spoil");
        let share = [0.001, 0.03, 0.3][dice.random_range(0..3)];
        for fact in &mut facts {
            if dice.random_bool(share) {
                spoil(fact, &mut dice);
            }
        }
        let given = facts.len() as u64;
        let counters = play(&SHOP, facts).outcome.counters.reorder;
        let dropped = counters.dropped_double + counters.dropped_conflict;
        let lost = dropped + counters.dropped_late + counters.dropped_leap;
        assert_eq!((counters.received, counters.sent + lost), (given, given), "seed {seed}");
    }
}
