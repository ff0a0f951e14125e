//! The same recording gives the same receipt, byte for byte: whenever its facts arrived, on however many threads it is
//! read, and, as far as receipts go, whatever the clocks of cameras and plates think of each other.

use aisle::base::Span;
use aisle::facts::{Body, Fact};
use aisle::pipeline::RunOptions;
use aisle::ports::FactSink;
use aisle::recording::{Cut, Writer};
use aisle::replay;
use aisle::sim::{Level, Scenario};

use super::trips::{RUN, SHOP, benchmark, listen, play, read, replay_command, shuffled, trip};

/// Trips with people in each other's way, doubled and late messages, and a lot in the air at once.
const TRIPS: [(Scenario, Level, u64); 8] = [
    (Scenario::SinglePick, Level::Clean, 1),
    (Scenario::SameInstant, Level::Clean, 2),
    (Scenario::FastSeries, Level::Room, 3),
    (Scenario::HandOver, Level::Room, 4),
    (Scenario::ReturnedElsewhereBought, Level::Room, 5),
    (Scenario::ThreeShoppers, Level::Room, 6),
    (Scenario::Mixed, Level::Room, 7),
    (Scenario::Crowd, Level::Room, 8),
];
const LATE_MAX: Span = Span::from_millis(3_000);

#[test]
fn runs_agree() {
    for (scenario, level, seed) in TRIPS {
        let first = play(&SHOP, trip(scenario, level, seed).facts);
        let second = play(&SHOP, trip(scenario, level, seed).facts);
        assert!(first.derived == second.derived, "differs: {}", replay_command(scenario, level, seed));
        assert_eq!(first.outcome.counters, second.outcome.counters);
        assert!(!first.purchases.receipts.is_empty());
    }
}

#[test]
fn arrival_orders_agree() {
    for (scenario, level, seed) in TRIPS {
        let facts = trip(scenario, level, seed).facts;
        let in_order = play(&SHOP, facts.clone());
        for order in 1..=5 {
            let mixed = play(&SHOP, shuffled(&facts, LATE_MAX, order));
            let command = replay_command(scenario, level, seed);
            assert_eq!(mixed.outcome.counters.reorder.dropped_late, 0, "order {order} of {command}");
            assert!(mixed.derived == in_order.derived, "order {order} decides otherwise: {command}");
        }
    }
}

#[test]
fn arrival_orders_of_the_real_trip_agree() {
    let Some(folder) = benchmark() else { return };
    let (shop, facts) = read(&folder);
    let in_order = play(&shop, facts.clone());
    for order in 1..=50 {
        let mixed = play(&shop, shuffled(&facts, LATE_MAX, order));
        assert!(mixed.derived == in_order.derived, "order {order}");
    }
}

#[test]
fn thread_counts_agree() {
    let folder = tempfile::tempdir().unwrap();
    let mut recordings = Vec::new();
    for (scenario, level, seed) in TRIPS {
        let trip = trip(scenario, level, seed);
        let path = folder.path().join(format!("{scenario}.mcap"));
        let mut writer = Writer::create(&path, &trip.shop, None, Cut::Tracked).unwrap();
        trip.facts.iter().for_each(|fact| writer.put(fact).unwrap());
        writer.finish().unwrap();
        recordings.push(path);
    }
    recordings.extend(benchmark());
    for path in recordings {
        let [one, two, many] = [1, 2, 8].map(|threads| {
            let mut source = replay::open(&path, None, replay::Options { tolerate: false }).unwrap();
            listen(&mut source, RunOptions { threads, ..RUN })
        });
        assert!(one.derived == two.derived && one.derived == many.derived, "{}", path.display());
        assert_eq!(one.outcome.counters, two.outcome.counters);
    }
}

/// The clock of the people moved against the clock of the plates.
fn skewed(facts: &[Fact], skew: Span) -> Vec<Fact> {
    let mut facts = facts.to_vec();
    for fact in &mut facts {
        if let Body::People(_) = fact.body {
            fact.stamp.at = fact.stamp.at + skew;
        }
    }
    facts
}

/// Clocks apart, people's against plates', milliseconds.
const SKEWS: [i64; 6] = [-300, -200, -100, 100, 200, 300];
/// Share of receipts that skewed clocks may change where shoppers crowd at random: with hands of several people over
/// one plate within 0.3 s there is no telling.
const CHANGED_IN_CROWD_MAX: f64 = 0.1;

#[test]
fn clocks_apart_change_no_receipt_where_the_truth_is_plain() {
    let mut changed = Vec::new();
    let mut changed_in_crowd = Vec::new();
    let mut judged_in_crowd = 0;
    for scenario in Scenario::ALL {
        let crowd = matches!(scenario, Scenario::Mixed | Scenario::Crowd);
        for seed in 1..=5 {
            let trip = trip(scenario, Level::Clean, seed);
            let together = play(&SHOP, trip.facts.clone());
            if !together.purchases.agrees_with(&trip.truth.receipts) {
                // Where the receipt is wrong with right clocks, the truth is not plain.
                continue;
            }
            for skew in SKEWS {
                let apart = play(&SHOP, skewed(&trip.facts, Span::from_millis(skew)));
                judged_in_crowd += usize::from(crowd);
                if apart.purchases != together.purchases {
                    let list = if crowd { &mut changed_in_crowd } else { &mut changed };
                    list.push(format!("{skew:+} ms: {}", replay_command(scenario, Level::Clean, seed)));
                }
            }
        }
    }
    assert!(changed.is_empty(), "receipts change\n{}", changed.join("\n"));
    let share = changed_in_crowd.len() as f64 / judged_in_crowd.max(1) as f64;
    assert!(share <= CHANGED_IN_CROWD_MAX, "too many receipts change\n{}", changed_in_crowd.join("\n"));
}

#[test]
fn clocks_apart_do_not_change_the_real_receipt() {
    let Some(folder) = benchmark() else { return };
    let (shop, facts) = read(&folder);
    let together = play(&shop, facts.clone());
    for skew in (-300..=300).step_by(50) {
        let apart = play(&shop, skewed(&facts, Span::from_millis(skew)));
        assert_eq!(apart.purchases, together.purchases, "{skew:+} ms");
    }
}
