//! Facts of your own sensors: somebody stands in front of a shelf, reaches in and goes, and a plate gets lighter meanwhile.
//! This is all that a driver of plates and a tracker of people have to give; what was taken, and by whom, is found.
//! `cargo run --release --example own_sensors`

use aisle::base::{Error, Grams, PlateId, Result, ShopTime, SourceId, Span, TrackId};
use aisle::facts::{Body, Fact, Joint, Joints, PeopleFrame, Person, PlateBatch, Stamp};
use aisle::geometry::Point;
use aisle::pipeline::{Options, RunOptions, run};
use aisle::ports::FactSource;
use aisle::shop::{Shelf, Shop};
use aisle::sim;

/// A batch of plates and a frame of people for every step.
const STEP: Span = Span::from_millis(100);
/// Steps until the day is over: longer than the bound of absence, so that the visit ends by itself.
const STEPS: i64 = 700;
/// Steps in which somebody is there, and in which the hand is at the shelf; in their middle the plate gets lighter.
const THERE: std::ops::Range<i64> = 50..300;
const REACHING: std::ops::Range<i64> = 140..170;

/// A shop with one shelf that somebody takes one thing of.
struct Sensors {
    shop: Shop,
    /// Facts given so far.
    given: i64,
}

impl FactSource for Sensors {
    fn shop(&self) -> &Shop {
        &self.shop
    }

    fn next_fact(&mut self) -> Result<Option<Fact>> {
        let (step, is_people) = (self.given / 2, self.given % 2 == 1);
        self.given += 1;
        if STEPS <= step {
            return Ok(None);
        }
        // Time comes from the clocks of the devices, as nanoseconds since 1970.
        let at = ShopTime::from_nanos(1_800_000_000_000_000_000 + step * STEP.as_nanos());
        let shelf = &self.shop.shelves()[0];
        let (source, body) = match is_people {
            true => ("tracker", Body::People(people(shelf, step))),
            false => ("plates", Body::Plates(plates(&self.shop, shelf, step, at)?)),
        };
        let stamp = Stamp { source: SourceId::new(source), sequence: (step + 1) as u64, at, arrived: at };
        Ok(Some(Fact { stamp, body }))
    }
}

/// One sample of every plate of the shelf. Only differences mean anything, so scales need no zero.
fn plates(shop: &Shop, shelf: &Shelf, step: i64, at: ShopTime) -> Result<PlateBatch> {
    let taken = if (REACHING.start + REACHING.end) / 2 <= step { weight(shop, shelf)? } else { Grams::new(0.0) };
    let noise = if step % 2 == 0 { 0.4 } else { -0.4 };
    let plates: Vec<PlateId> = shelf.plates.iter().map(|plate| plate.id).collect();
    let grams = |index: usize| 1_000.0 + noise - if index == 0 { taken.value() as f32 } else { 0.0 };
    Ok(PlateBatch { first_at: at, period: STEP, grams: (0..plates.len()).map(grams).collect(), plates })
}

/// What a unit weighs of the goods on the first plate.
fn weight(shop: &Shop, shelf: &Shelf) -> Result<Grams> {
    let facing = shelf.facing_of(shelf.plates[0].id).and_then(|facing| facing.sku.as_ref());
    let product = facing.and_then(|sku| shop.catalogue().get(sku));
    product
        .and_then(|product| product.weight)
        .ok_or_else(|| Error::input("nothing of known weight is on the first plate"))
}

/// Whoever is there, as joints in the world. Wrists say most; a tracker gives what it sees, and leaves out the rest.
fn people(shelf: &Shelf, step: i64) -> PeopleFrame {
    // In the frame of the shelf: x along its front, y into its depth, z up from its board.
    let joint = |x: f64, y: f64, z: f64| {
        let place = shelf.plates[0].centre_metres() + x;
        Some(Joint { position: shelf.placement.world_from_local(Point::new(place, y, z)), score: 0.9 })
    };
    let reach = if REACHING.contains(&step) { 0.15 } else { -0.4 };
    let joints = Joints {
        head: joint(0.0, -0.6, 0.5),
        neck: joint(0.0, -0.6, 0.3),
        left_shoulder: joint(-0.2, -0.6, 0.25),
        right_shoulder: joint(0.2, -0.6, 0.25),
        left_wrist: joint(-0.2, -0.5, -0.2),
        right_wrist: joint(0.05, reach, 0.1),
        ..Joints::default()
    };
    let people = THERE.contains(&step).then(|| Person { track: TrackId::new(7), joints });
    PeopleFrame { people: people.into_iter().collect() }
}

fn main() -> Result<()> {
    let mut source = Sensors { shop: sim::demo_shop(), given: 0 };
    let outcome = run(&mut source, RunOptions { engine: Options::USUAL, tolerate: false, threads: 1 }, None)?;
    for receipt in &outcome.receipts {
        println!("shopper {}: {}", receipt.visit, receipt.probability);
        for line in &receipt.lines {
            println!("  {} x {}: {}", line.quantity, line.name, line.probability);
        }
    }
    Ok(())
}
