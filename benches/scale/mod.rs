//! Shops and trips of any size, for measuring: copies of the built-in shop side by side, each with its own shoppers.
//! It takes numbers and gives facts, always the same ones. It never measures anything.

#![allow(dead_code, reason = "every bench uses another part of it")]

use std::sync::Arc;

use aisle::base::{PlateId, ShelfId, ShopTime, Span, TimeRange};
use aisle::facts::{Body, Fact, JointKind, PeopleFrame, PlateBatch, ShelfEvent};
use aisle::geometry::Point;
use aisle::shelf::ShelfSense;
use aisle::shop::{Shop, ShopDraft};
use aisle::sim::{self, Level, Options, Scenario};

/// Gondolas of the built-in shop.
const GONDOLAS: u16 = 5;
/// From a copy of the shop to the next, metres.
const COPY_METRES: f64 = 12.0;
/// When every scene begins.
const ORIGIN: ShopTime = ShopTime::from_nanos(1_767_513_600_000_000_000);

/// Whether this process was started to measure; under `cargo test` everything is small and runs once.
pub(crate) fn is_measuring() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// The built-in shop, so many times side by side; every copy has its own products.
pub(crate) fn shop(copies: u16) -> Arc<Shop> {
    let one = sim::demo_draft();
    let mut all = ShopDraft { name: format!("{} x {copies}", one.name), ..ShopDraft::default() };
    for copy in 0..copies {
        let along = f64::from(copy) * COPY_METRES;
        let mut next = one.clone();
        for product in &mut next.products {
            product.sku = sku_of_copy(&product.sku, copy);
            product.gtin = None;
        }
        for shelf in &mut next.shelves {
            shelf.id = shelf_of_copy(shelf.id, copy);
            shelf.placement.origin.x += along;
            shelf.plates.iter_mut().for_each(|plate| plate.id = plate_of_copy(plate.id, copy));
            for facing in &mut shelf.facings {
                facing.sku = facing.sku.as_ref().map(|sku| sku_of_copy(sku, copy));
                facing.plates.iter_mut().for_each(|plate| *plate = plate_of_copy(*plate, copy));
            }
        }
        for zone in &mut next.zones {
            zone.name = format!("{} {copy}", zone.name);
            zone.polygon.iter_mut().for_each(|corner| corner[0] += along);
        }
        all.products.append(&mut next.products);
        all.shelves.append(&mut next.shelves);
        all.zones.append(&mut next.zones);
    }
    Arc::new(Shop::check(all).expect("copies of a shop that holds together hold together"))
}

/// Plates of a shop.
pub(crate) fn plates(shop: &Shop) -> usize {
    shop.shelves().iter().map(|shelf| shelf.plates.len()).sum()
}

/// A trip of one copy of the shop, beginning at the same instant as all others.
pub(crate) fn trip(scenario: Scenario, seed: u64) -> Vec<Fact> {
    let trip =
        sim::trip(&Options { shop: Arc::new(sim::demo_shop()), scenario, level: Level::Clean, seed, secs: None })
            .expect("it has all the time it needs");
    let mut facts = trip.facts;
    let first = facts.iter().map(|fact| fact.stamp.at).min().unwrap_or(ORIGIN);
    facts.iter_mut().for_each(|fact| shift(fact, ORIGIN - first));
    facts
}

/// Eight shoppers in a minute in every copy of the shop, in order of arrival.
pub(crate) fn crowds(copies: u16) -> Vec<Fact> {
    let mut facts = Vec::new();
    for copy in 0..copies {
        let mut part = trip(Scenario::Crowd, u64::from(copy) + 1);
        part.iter_mut().for_each(|fact| move_to_copy(fact, copy));
        facts.append(&mut part);
    }
    facts.sort_by_key(|fact| (fact.stamp.arrived, fact.stamp.source.clone(), fact.stamp.sequence));
    facts
}

/// Plate batches of every copy while nobody touches anything: the quiet beginning of a trip, footsteps and all,
/// again and again.
pub(crate) fn idle(copies: u16, length: Span) -> Vec<PlateBatch> {
    let quiet = Span::from_secs(2.0);
    let part: Vec<PlateBatch> = batches(&trip(Scenario::SinglePick, 1));
    let part: Vec<PlateBatch> = part.into_iter().filter(|batch| batch.first_at < ORIGIN + quiet).collect();
    let rounds = (length.as_secs() / quiet.as_secs()).ceil() as i64;
    let mut all = Vec::new();
    for round in 0..rounds {
        for batch in &part {
            for copy in 0..copies {
                let mut batch = batch.clone();
                batch.first_at = batch.first_at + Span::from_nanos(quiet.as_nanos() * round);
                batch.plates.iter_mut().for_each(|plate| *plate = plate_of_copy(*plate, copy));
                all.push(batch);
            }
        }
    }
    all
}

/// The plate batches among facts, in order of time.
pub(crate) fn batches(facts: &[Fact]) -> Vec<PlateBatch> {
    let mut batches: Vec<PlateBatch> = facts
        .iter()
        .filter_map(|fact| match &fact.body {
            Body::Plates(batch) => Some(batch.clone()),
            _ => None,
        })
        .collect();
    batches.sort_by_key(|batch| batch.first_at);
    batches
}

/// Samples of all plates together.
pub(crate) fn samples(batches: &[PlateBatch]) -> u64 {
    batches.iter().map(|batch| batch.grams.len() as u64).sum()
}

/// What fusion hears of one shopper who takes a handful of things and puts one back: people frames and shelf events.
pub(crate) struct Solo {
    facts: Vec<Fact>,
}

/// So many different shoppers.
pub(crate) fn solos(count: usize) -> Vec<Solo> {
    let shop = sim::demo_shop();
    let solo = |seed: usize| {
        let facts = trip(Scenario::FastSeries, seed as u64 + 1);
        let mut sense = ShelfSense::new(&shop);
        let mut heard: Vec<Fact> = Vec::new();
        let mut events: Vec<ShelfEvent> = batches(&facts).iter().flat_map(|batch| sense.step(batch)).collect();
        events.extend(sense.finish());
        let stamp = facts[0].stamp.clone();
        heard.extend(facts.into_iter().filter(|fact| matches!(fact.body, Body::People(_))));
        for (sequence, event) in events.into_iter().enumerate() {
            let mut stamp = stamp.clone();
            (stamp.sequence, stamp.at, stamp.arrived) = (sequence as u64, event.span.end, event.span.end);
            heard.push(Fact { stamp, body: Body::Shelf(event) });
        }
        Solo { facts: heard }
    };
    (0..count).map(solo).collect()
}

/// What fusion is fed in one scene.
pub(crate) struct Scene {
    /// In order of the time they were true.
    pub(crate) facts: Vec<Fact>,
    /// People in all frames together.
    pub(crate) sightings: u64,
    /// Shelf events.
    pub(crate) events: u64,
}

/// The shoppers one after another within a minute, evenly over the copies of the shop.
pub(crate) fn scene(solos: &[Solo], copies: u16) -> Scene {
    let mut facts = Vec::new();
    for (number, solo) in solos.iter().enumerate() {
        let later = Span::from_secs(60.0 * number as f64 / solos.len() as f64);
        for fact in &solo.facts {
            let mut fact = fact.clone();
            shift(&mut fact, later);
            move_to_copy(&mut fact, (number % usize::from(copies)) as u16);
            facts.push(fact);
        }
    }
    facts.sort_by_key(|fact| fact.stamp.at);
    let sightings = facts.iter().filter_map(people).map(|frame| frame.people.len() as u64).sum();
    let events = facts.iter().filter(|fact| matches!(fact.body, Body::Shelf(_))).count() as u64;
    Scene { facts, sightings, events }
}

/// FNV-1a over text: tells at a glance whether two runs gave the same result.
pub(crate) fn digest(text: &str) -> String {
    let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    format!("{:016x}", text.bytes().fold(0xcbf2_9ce4_8422_2325, fold))
}

fn people(fact: &Fact) -> Option<&PeopleFrame> {
    match &fact.body {
        Body::People(frame) => Some(frame),
        _ => None,
    }
}

fn sku_of_copy(sku: &str, copy: u16) -> String {
    format!("{sku}-{copy}")
}

fn shelf_of_copy(shelf: ShelfId, copy: u16) -> ShelfId {
    ShelfId::new(shelf.gondola + copy * GONDOLAS, shelf.shelf)
}

fn plate_of_copy(plate: PlateId, copy: u16) -> PlateId {
    PlateId { shelf: shelf_of_copy(plate.shelf, copy), plate: plate.plate }
}

fn move_to_copy(fact: &mut Fact, copy: u16) {
    let along = Point::new(f64::from(copy) * COPY_METRES, 0.0, 0.0);
    fact.stamp.source = aisle::base::SourceId::new(&format!("{}/{copy}", fact.stamp.source));
    match &mut fact.body {
        Body::Plates(batch) => batch.plates.iter_mut().for_each(|plate| *plate = plate_of_copy(*plate, copy)),
        Body::People(frame) => {
            for person in &mut frame.people {
                for kind in JointKind::ALL {
                    if let Some(joint) = person.joints.slot(kind) {
                        joint.position = joint.position + along;
                    }
                }
            }
        }
        Body::Shelf(event) => {
            event.shelf = shelf_of_copy(event.shelf, copy);
            event.plates.iter_mut().for_each(|stairs| stairs.plate = plate_of_copy(stairs.plate, copy));
        }
        _ => {}
    }
}

fn shift(fact: &mut Fact, by: Span) {
    let range = |range: TimeRange| TimeRange { start: range.start + by, end: range.end + by };
    fact.stamp.at = fact.stamp.at + by;
    fact.stamp.arrived = fact.stamp.arrived + by;
    match &mut fact.body {
        Body::Plates(batch) => batch.first_at = batch.first_at + by,
        Body::Shelf(event) => {
            event.span = range(event.span);
            let levels = event.plates.iter_mut().flat_map(|stairs| &mut stairs.levels);
            levels.for_each(|level| level.quiet = range(level.quiet));
        }
        _ => {}
    }
}
