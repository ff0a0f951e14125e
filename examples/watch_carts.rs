//! Carts while they fill: the engine is fed fact by fact, and asked every two seconds of shop time who has what. Nothing
//! of an open cart is final: lines come and go as later evidence tells who it was.
//! `cargo run --release --example watch_carts trip.mcap`; without a path it takes a simulated trip.

use std::path::Path;
use std::sync::Arc;

use aisle::base::Span;
use aisle::facts::{Body, Fact, OpenVisit};
use aisle::pipeline::{Engine, Options};
use aisle::ports::FactSource;
use aisle::replay;
use aisle::sim::{self, Level, Scenario, Simulation};

/// How often carts are looked at.
const LOOK_SPAN: Span = Span::from_millis(2_000);

fn main() -> aisle::base::Result<()> {
    let mut source: Box<dyn FactSource> = match std::env::args().nth(1) {
        Some(path) => Box::new(replay::open(Path::new(&path), None, replay::Options { tolerate: false })?),
        None => Box::new(Simulation::new(sim::trip(&sim::Options {
            shop: Arc::new(sim::demo_shop()),
            scenario: Scenario::HandOver,
            level: Level::Clean,
            seed: 1,
            secs: None,
        })?)),
    };
    let shop = Arc::new(source.shop().clone());
    let mut engine = Engine::new(&shop, Options::USUAL);
    // Every fact comes by in order, those that devices made and those that follow from them; receipts are among these.
    let mut listen = |fact: &Fact| {
        if let Body::Receipt(receipt) = &fact.body {
            println!("receipt of {}: {} lines, {}", receipt.visit, receipt.lines.len(), receipt.probability);
        }
    };
    let mut looked = None;
    while let Some(fact) = source.next_fact()? {
        engine.take(fact, &mut listen);
        let now = engine.now();
        if looked.is_none_or(|looked| looked + LOOK_SPAN <= now) {
            looked = Some(now);
            engine.open_visits().iter().for_each(show);
        }
    }
    // The source is at its end: what is open is decided with what is known.
    engine.finish(&mut listen);
    Ok(())
}

fn show(visit: &OpenVisit) {
    let lines: Vec<String> = visit.lines.iter().map(|line| format!("{} x {}", line.quantity, line.sku)).collect();
    let cart = if lines.is_empty() { "nothing".to_owned() } else { lines.join(", ") };
    println!("{}: {cart} ({})", visit.visit, visit.probability);
}
