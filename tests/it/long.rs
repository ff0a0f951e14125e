//! An hour of one unit, made on the fly: what the engine holds in memory does not grow with time.

use std::sync::Arc;

use aisle::base::rng::dice;
use aisle::base::{PlateId, ShopTime, SourceId, Span, TrackId};
use aisle::facts::{Body, Fact, Joint, Joints, PeopleFrame, Person, PlateBatch, Stamp};
use aisle::geometry::Point;
use aisle::pipeline::{Engine, Held, Options};
use aisle::shop::Shop;
use aisle::sim;
use rand::RngExt;

const MINUTES: i64 = 60;
const HERTZ: i64 = 60;
const ROWS: i64 = 12;
const START: ShopTime = ShopTime::from_nanos(1_767_513_600_000_000_000);
/// A shopper comes every minute, and stays this long, seconds.
const STAY: f64 = 40.0;
/// When in their stay they take something, seconds.
const TAKE: f64 = 20.0;

/// The simulator's shop with its first unit only.
fn one_unit() -> Arc<Shop> {
    let mut draft = sim::demo_draft();
    draft.shelves.retain(|shelf| shelf.id.gondola == 1);
    Arc::new(Shop::check(draft).unwrap())
}

fn stamped(source: &str, sequence: i64, at: ShopTime, body: Body) -> Fact {
    Fact { stamp: Stamp { source: SourceId::new(source), sequence: sequence as u64, at, arrived: at }, body }
}

/// The shopper of this minute, with the right hand on the plate while they take.
fn shopper(minute: i64, secs: f64, hand_at: Point<aisle::geometry::World>) -> Person {
    let reach = (1.0 - (secs - TAKE).abs() / 1.5).clamp(0.0, 1.0);
    let (x, y) = (hand_at.x, -0.55);
    let joint = |x: f64, y: f64, z: f64| Some(Joint { position: Point::new(x, y, z), score: 0.9 });
    let wrist = Point::new(x + 0.25, y, 0.95).lerp(hand_at, reach);
    let joints = Joints {
        head: joint(x, y, 1.7),
        neck: joint(x, y, 1.45),
        left_shoulder: joint(x - 0.2, y, 1.4),
        right_shoulder: joint(x + 0.2, y, 1.4),
        left_elbow: joint(x - 0.25, y, 1.15),
        right_elbow: joint(x + 0.25, y, 1.15),
        left_wrist: joint(x - 0.25, y, 0.95),
        right_wrist: joint(wrist.x, wrist.y, wrist.z),
    };
    Person { track: TrackId::new(minute as u64 + 1), joints }
}

#[test]
fn an_hour_needs_no_more_memory_than_a_minute() {
    let shop = one_unit();
    let plates: Vec<PlateId> =
        shop.shelves().iter().flat_map(|shelf| shelf.plates.iter().map(|plate| plate.id)).collect();
    // What is taken again and again: the first product with a weight.
    let (shelf, facing) = shop
        .shelves()
        .iter()
        .find_map(|shelf| Some((shelf, shelf.facings.iter().find(|facing| facing.sku.is_some())?)))
        .unwrap();
    let sku = facing.sku.clone().unwrap();
    let unit_grams = shop.catalogue().get(&sku).unwrap().weight.unwrap().value();
    let taken = plates.iter().position(|plate| *plate == facing.plates[0]).unwrap();
    let plate = shelf.plate(facing.plates[0]).unwrap();
    let hand_at = shelf.placement.world_from_local(Point::new(plate.centre_metres(), 0.08, 0.1));
    let mut dice = dice(1, "hour");
    let mut noise = || dice.random_range(-1.2_f32..1.2);
    let mut engine = Engine::new(&shop, Options::USUAL);
    let mut most = [Held::default(); 2];
    let mut receipts = 0_u32;
    let mut charged = 0_u32;
    let mut count = |fact: &Fact| {
        if let Body::Receipt(receipt) = &fact.body {
            receipts += 1;
            charged += receipt.lines.iter().filter(|line| line.sku == sku).map(|line| line.quantity.get()).sum::<u32>();
        }
    };
    let rest = 60_000.0_f32;
    for row in (0..MINUTES * 60 * HERTZ).step_by(ROWS as usize) {
        let at = |row: i64| START + Span::from_nanos(row * 1_000_000_000 / HERTZ);
        let mut grams = Vec::with_capacity(plates.len() * ROWS as usize);
        for row in row..row + ROWS {
            let secs = row as f64 / HERTZ as f64;
            let takes = (secs / 60.0).floor() + f64::from(u8::from(TAKE < secs % 60.0));
            grams.extend((0..plates.len()).map(|_| rest + noise()));
            let base = grams.len() - plates.len();
            grams[base + taken] -= (takes * unit_grams) as f32;
        }
        let period = Span::from_nanos(1_000_000_000 / HERTZ);
        let batch = PlateBatch { first_at: at(row), period, plates: plates.clone(), grams };
        engine.take(stamped("gondola/1", row, at(row + ROWS - 1), Body::Plates(batch)), &mut count);
        for row in (row..row + ROWS).step_by(4) {
            let (minute, secs) = (row / HERTZ / 60, row as f64 / HERTZ as f64 % 60.0);
            let people = if secs < STAY { vec![shopper(minute, secs, hand_at)] } else { Vec::new() };
            engine.take(stamped("people", row, at(row), Body::People(PeopleFrame { people })), &mut count);
        }
        let held = engine.held();
        let most = &mut most[usize::from(MINUTES * 60 * HERTZ / 6 < row)];
        most.facts = most.facts.max(held.facts);
        most.tracks = most.tracks.max(held.tracks);
        most.visitors = most.visitors.max(held.visitors);
        most.steps = most.steps.max(held.steps);
        most.hypotheses = most.hypotheses.max(held.hypotheses);
    }
    engine.finish(&mut count);
    assert_eq!((receipts, charged), (MINUTES as u32, MINUTES as u32));
    let [early, late] = most;
    // After ten minutes nothing is held that was not held in them, but for what chance adds.
    assert!(late.facts <= early.facts + 8, "{early:?} {late:?}");
    assert!(late.tracks <= early.tracks + 1, "{early:?} {late:?}");
    assert!(late.visitors <= early.visitors + 1 && late.visitors <= 3, "{early:?} {late:?}");
    assert!(late.steps <= early.steps + 8, "{early:?} {late:?}");
    assert!(late.hypotheses <= Options::USUAL.hypotheses_max, "{early:?} {late:?}");
    assert!(engine.counters().reorder.depth_max <= 400, "{:?}", engine.counters().reorder);
}
