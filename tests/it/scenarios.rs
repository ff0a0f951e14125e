//! What a checkout has to get right, one situation a test: exact receipts of scripted trips in the simulator's shop.

use aisle::eval::score_case;
use aisle::sim::{Level, Scenario};

use super::trips::{SHOP, play, replay_command, trip};

/// Seeds where every receipt is exact.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=5;
/// Seeds that a mean is taken over.
const SEEDS_OF_MEAN: std::ops::RangeInclusive<u64> = 1..=10;
/// Least mean unit F1, but for the last digit of a sum.
const MEAN_F1_MIN: f64 = 0.9 - 1e-9;

/// What is asked of a scenario over its seeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bar {
    /// Every receipt of every seed is exact.
    Exact,
    /// Mean unit F1 of at least 0.9: some seeds are still wrong.
    Mean,
}

fn check(scenario: Scenario, bar: Bar) {
    let mut wrong = Vec::new();
    let mut f1 = 0.0;
    let seeds = if bar == Bar::Exact { SEEDS } else { SEEDS_OF_MEAN };
    for seed in seeds.clone() {
        let trip = trip(scenario, Level::Clean, seed);
        let told = play(&SHOP, trip.facts);
        let below = SHOP.policy().review_below;
        let score = score_case(&trip.truth, &told.outcome.receipts, SHOP.catalogue(), below);
        f1 += score.f1 / seeds.clone().count() as f64;
        if !score.exact {
            wrong.push(format!("F1 {:.3}: {}", score.f1, replay_command(scenario, Level::Clean, seed)));
        }
    }
    assert!(MEAN_F1_MIN <= f1, "{scenario}: mean unit F1 is {f1:.3}\n{}", wrong.join("\n"));
    assert!(bar == Bar::Mean || wrong.is_empty(), "{scenario}: not exact\n{}", wrong.join("\n"));
}

#[test]
fn one_thing() {
    check(Scenario::SinglePick, Bar::Exact);
}

#[test]
fn put_back_where_it_was() {
    check(Scenario::PutBack, Bar::Exact);
}

#[test]
fn put_back_and_taken_again() {
    check(Scenario::PutBackRetake, Bar::Exact);
}

#[test]
fn put_back_on_the_place_of_another_product() {
    check(Scenario::PutBackElsewhere, Bar::Exact);
}

#[test]
fn put_back_on_the_place_of_another_product_and_bought_there_by_somebody_else() {
    check(Scenario::ReturnedElsewhereBought, Bar::Exact);
}

#[test]
fn two_shoppers_reach_into_one_shelf_at_once() {
    check(Scenario::SameInstant, Bar::Exact);
}

#[test]
fn two_shoppers_close_together() {
    check(Scenario::CloseTogether, Bar::Exact);
}

#[test]
fn what_is_handed_over_stays_on_the_receipt_of_the_taker() {
    check(Scenario::HandOver, Bar::Exact);
}

#[test]
fn equal_weights() {
    check(Scenario::EqualWeights, Bar::Exact);
}

#[test]
fn neighbours_of_nearly_one_weight() {
    check(Scenario::LookAlikes, Bar::Exact);
}

#[test]
fn several_things_in_one_grab() {
    check(Scenario::SeveralAtOnce, Bar::Exact);
}

#[test]
fn a_long_hold_before_the_lift() {
    check(Scenario::HeldOnPlate, Bar::Exact);
}

#[test]
fn a_slow_pick() {
    check(Scenario::SlowPick, Bar::Exact);
}

#[test]
fn a_fast_series_with_one_put_back() {
    check(Scenario::FastSeries, Bar::Exact);
}

#[test]
fn a_thing_over_several_plates() {
    check(Scenario::SpanningPlates, Bar::Mean);
}

#[test]
fn a_thing_moved_along_the_shelf_is_not_bought() {
    check(Scenario::Slide, Bar::Mean);
}

#[test]
fn presses_between_picks_buy_nothing() {
    check(Scenario::Press, Bar::Exact);
}

#[test]
fn browsing_buys_nothing() {
    check(Scenario::Browsing, Bar::Exact);
    for seed in SEEDS {
        let told = play(&SHOP, trip(Scenario::Browsing, Level::Clean, seed).facts);
        assert!(!told.purchases.receipts.is_empty());
        assert!(told.purchases.receipts.iter().all(|receipt| receipt.products.is_empty()), "seed {seed}");
    }
}

#[test]
fn three_shoppers_and_thirty_three_events() {
    check(Scenario::ThreeShoppers, Bar::Mean);
}

#[test]
fn everything_at_random() {
    check(Scenario::Mixed, Bar::Mean);
}

#[test]
fn eight_shoppers_within_a_minute() {
    check(Scenario::Crowd, Bar::Mean);
}
