//! One shelf of ten plates whose weights move as a text says; net changes out.

use rand_distr::{Distribution, StandardNormal};

use super::*;
use crate::base::rng::dice;
use crate::base::{ShelfId, ShopTime};
use crate::geometry::{Placement, Point};
use crate::shop::{PlateDraft, ShelfDraft, ShopDraft};

const PLATES: u16 = 10;
/// Rows a second, rows of a batch, and the length of a scene in seconds.
const RATE: f64 = 60.0;
const BATCH_ROWS: usize = 12;
const SECS: f64 = 25.0;
/// How far a measured change may be off, grams.
const OFF_MAX: f64 = 1.0;

fn shop() -> Shop {
    let width_metres = 0.083;
    let plate = |number: u16| PlateDraft {
        id: PlateId::new(1, 1, number),
        left_metres: width_metres * f64::from(number - 1),
        width_metres,
    };
    let shelf = ShelfDraft {
        id: ShelfId::new(1, 1),
        placement: Placement { origin: Point::new(0.0, 0.0, 1.0), turn_radians: 0.0 },
        depth_metres: 0.4,
        clearance_metres: 0.3,
        plates: (1..=PLATES).map(plate).collect(),
        facings: Vec::new(),
        line: None,
    };
    Shop::check(ShopDraft { name: "small".to_owned(), shelves: vec![shelf], ..ShopDraft::default() }).unwrap()
}

/// What a plate does: words and numbers of one motion, such as `3 steps 5 -100`.
fn motion(text: &str, plate: u16, secs: f64) -> f64 {
    let words: Vec<&str> = text.split_whitespace().collect();
    let number = |index: usize| words[index].parse::<f64>().unwrap();
    if words.first().is_none_or(|word| *word != "all" && word.parse() != Ok(plate)) {
        return 0.0;
    }
    let within = || number(2) <= secs && secs < number(3);
    match words[1] {
        "steps" if number(2) <= secs => number(3),
        "ramps" => number(4) * ((secs - number(2)) / (number(3) - number(2))).clamp(0.0, 1.0),
        "bears" if within() => number(4),
        // Each plate swings by itself: what all feel together is told apart.
        "shakes" if within() => number(4) * (std::f64::consts::TAU * number(5) * secs + f64::from(plate * plate)).sin(),
        "mutes" if within() => f64::NAN,
        _ => 0.0,
    }
}

/// The batches of a scene: motions split by `;` above 1,000 g a plate, with 0.6 g of noise, in quanta of 0.24 g.
fn batches(scene: &str) -> Vec<PlateBatch> {
    let mut dice = dice(7, "shelf");
    let period = Span::from_secs(1.0 / RATE);
    let plates: Vec<PlateId> = (1..=PLATES).map(|number| PlateId::new(1, 1, number)).collect();
    let rows = (SECS * RATE) as usize;
    let mut all = Vec::new();
    for first in (0..rows).step_by(BATCH_ROWS) {
        let mut grams = Vec::new();
        for row in first..first + BATCH_ROWS {
            for plate in 1..=PLATES {
                let noise: f64 = StandardNormal.sample(&mut dice);
                let moved: f64 = scene.split(';').map(|text| motion(text, plate, row as f64 / RATE)).sum();
                grams.push((((1_000.0 + moved + 0.6 * noise) / 0.24).round() * 0.24) as f32);
            }
        }
        let first_at = ShopTime::from_nanos(0) + period * first as i64;
        all.push(PlateBatch { first_at, period, plates: plates.clone(), grams });
    }
    all
}

fn run(batches: &[PlateBatch]) -> (Vec<ShelfEvent>, Counters) {
    let mut sense = ShelfSense::new(&shop());
    let mut events: Vec<ShelfEvent> = batches.iter().flat_map(|batch| sense.step(batch)).collect();
    events.append(&mut sense.finish());
    let counters = sense.counters();
    assert_eq!(counters.sent, events.len() as u64);
    (events, counters)
}

/// The plates whose weight is another after the event, beyond three standard deviations.
fn changes(event: &ShelfEvent) -> Vec<(u16, f64)> {
    let change = |staircase: &crate::facts::Staircase| {
        let sigma = |level: Option<&crate::facts::Level>| level.map_or(0.0, |level| level.sigma.value());
        let sigma = sigma(staircase.levels.first()).hypot(sigma(staircase.levels.last()));
        let grams = staircase.change().value();
        (3.0 * sigma < grams.abs()).then_some((staircase.plate.plate, grams))
    };
    event.plates.iter().filter_map(change).collect()
}

/// Events that changed something must change what is expected: each such as `2 -18, 3 -57`, to the gram.
fn check_events(what: &str, events: &[ShelfEvent], expected: &[&str]) {
    let seen: Vec<Vec<(u16, f64)>> = events.iter().map(changes).filter(|plates| !plates.is_empty()).collect();
    let parse = |text: &str| {
        let (plate, grams) = text.trim().split_once(' ').unwrap();
        (plate.parse::<u16>().unwrap(), grams.parse::<f64>().unwrap())
    };
    let wanted: Vec<Vec<(u16, f64)>> = expected.iter().map(|text| text.split(',').map(parse).collect()).collect();
    let same = |a: &(u16, f64), b: &(u16, f64)| a.0 == b.0 && (a.1 - b.1).abs() <= OFF_MAX;
    let agree =
        |a: &Vec<(u16, f64)>, b: &Vec<(u16, f64)>| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b));
    let all = seen.len() == wanted.len() && seen.iter().zip(&wanted).all(|(a, b)| agree(a, b));
    assert!(all, "{what}: {seen:?} instead of {wanted:?}");
}

fn check(scene: &str, expected: &[&str]) -> Vec<ShelfEvent> {
    let (events, counters) = run(&batches(scene));
    check_events(scene, &events, expected);
    assert_eq!((counters.dropped_stale, counters.gaps, counters.dropped_malformed), (0, 0, 0), "{scene}");
    events
}

#[test]
fn a_pick_is_one_event_with_one_step_at_its_time() {
    let events = check("3 steps 5 -100", &["3 -100"]);
    assert_eq!(events.len(), 1);
    let staircase = events[0].plates.iter().find(|staircase| staircase.plate.plate == 3).unwrap();
    assert_eq!(staircase.levels.len(), 2);
    let start = ShopTime::from_nanos(0);
    let (from, to) = (events[0].span.start.secs_since(start), events[0].span.end.secs_since(start));
    assert!(from <= to && (from - 5.0).abs() < 0.15 && (to - 5.0).abs() < 0.15, "{from} to {to}");
}

#[test]
fn a_press_that_returns_changes_nothing_but_is_told() {
    let events = check("3 bears 5 5.4 200", &[]);
    assert_eq!(events.len(), 1);
    let staircase = events[0].plates.iter().find(|staircase| staircase.plate.plate == 3).unwrap();
    let levels: Vec<f64> = staircase.levels.iter().map(|level| (level.grams.value() / 10.0).round() * 10.0).collect();
    assert_eq!(levels, [0.0, 200.0, 0.0]);
    // What keeps its level for long is over, whatever follows.
    check("3 bears 5 7 200", &["3 200", "3 -200"]);
}

#[test]
fn changes_are_measured_to_the_gram() {
    check("", &[]);
    check("1 steps 5 -250; 1 steps 12 250", &["1 -250", "1 250"]);
    check("2 steps 5 -18; 3 steps 5 -57; 4 steps 5 -25", &["2 -18, 3 -57, 4 -25"]);
    check("3 ramps 5 5.3 -100", &["3 -100"]);
    check("2 steps 5 -100; 9 steps 5.1 -50", &["2 -100", "9 -50"]);
}

#[test]
fn a_slow_lift_may_come_in_parts_that_add_up() {
    for scene in ["3 ramps 5 6 -100", "3 ramps 5 7 -100", "3 ramps 5 8 -100", "3 ramps 5 10 -100"] {
        let (events, _) = run(&batches(scene));
        let parts: Vec<f64> = events.iter().flat_map(changes).map(|(_, grams)| grams).collect();
        assert!((parts.iter().sum::<f64>() + 100.0).abs() < 3.0, "{scene}: {parts:?}");
    }
}

#[test]
fn what_is_no_change_of_weight_is_none() {
    check("3 ramps 3 23 3", &[]);
    check("all bears 5 8 40", &[]);
    check("all ramps 5 7 12; all ramps 12 15 -12", &[]);
    check("all shakes 5 11 10 12", &[]);
    check("3 shakes 5 11 10 12", &[]);
}

#[test]
fn a_change_is_found_while_others_lean_on_the_shelf() {
    check("all bears 4 8 40; 3 steps 6 -100", &["3 -100"]);
}

#[test]
fn silent_sensors_hide_no_change() {
    check("3 mutes 3 4; 3 steps 8 -100", &["3 -100"]);
    check("3 mutes 4.8 5.4; 3 steps 5.1 -100", &["3 -100"]);
    check("4 mutes 0 99; 3 steps 5 -100", &["3 -100"]);
    check("4 mutes 4 99; 3 steps 8 -100", &["3 -100"]);
}

#[test]
fn a_lost_batch_around_a_pick_loses_no_weight() {
    let mut batches = batches("3 steps 5.1 -100");
    let at = |batch: &PlateBatch| (batch.first_at.as_nanos() + 50_000_000) / 100_000_000;
    batches.retain(|batch| !(50..52).contains(&at(batch)));
    let (events, counters) = run(&batches);
    check_events("a lost batch", &events, &["3 -100"]);
    assert_eq!(counters.gaps, 1);
}

#[test]
fn doubles_and_late_batches_are_counted_and_ignored() {
    let mut twice = Vec::new();
    for (index, batch) in batches("3 steps 5 -100").into_iter().enumerate() {
        twice.push(batch.clone());
        twice.extend((index % 10 == 5).then_some(batch));
    }
    let late = twice[20].clone();
    twice.push(late);
    let doubles = (twice.len() - 1) / 11;
    let (events, counters) = run(&twice);
    check_events("doubles", &events, &["3 -100"]);
    assert!((doubles as u64..=doubles as u64 + 2).contains(&counters.dropped_stale), "{counters:?}");
    assert_eq!(counters.gaps, 0);
}

#[test]
fn batches_of_no_sense_are_counted_and_ignored() {
    let mut all = batches("3 steps 5 -100");
    let mut ragged = all[30].clone();
    ragged.grams.pop();
    let still = PlateBatch { period: Span::ZERO, ..all[30].clone() };
    all.splice(30..30, [ragged, still]);
    let (events, counters) = run(&all);
    check_events("no sense", &events, &["3 -100"]);
    assert_eq!(counters.dropped_malformed, 2);
}

#[test]
fn the_resting_weight_is_known_while_the_sensor_speaks() {
    let mut sense = ShelfSense::new(&shop());
    for batch in batches("3 steps 5 -100; 4 mutes 9 99") {
        sense.step(&batch);
    }
    let resting = |number: u16| sense.resting(PlateId::new(1, 1, number)).map(|grams| (grams / 5.0).round() * 5.0);
    assert_eq!([resting(2), resting(3), resting(4), resting(11)], [Some(1_000.0), Some(900.0), None, None]);
}
