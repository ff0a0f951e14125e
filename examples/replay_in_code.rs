//! The library instead of the command: a recording in, receipts out.
//! `cargo run --release --example replay_in_code trip.mcap`; without a path it takes a simulated trip.

use std::path::Path;
use std::sync::Arc;

use aisle::pipeline::{Options, RunOptions, run};
use aisle::ports::FactSource;
use aisle::replay;
use aisle::sim::{self, Level, Scenario, Simulation};

fn main() -> aisle::base::Result<()> {
    // A source is anything that yields facts: a recording, a simulation, or your own type with `FactSource`.
    let mut source: Box<dyn FactSource> = match std::env::args().nth(1) {
        Some(path) => Box::new(replay::open(Path::new(&path), None, replay::Options { tolerate: false })?),
        None => Box::new(Simulation::new(sim::trip(&sim::Options {
            shop: Arc::new(sim::demo_shop()),
            scenario: Scenario::PutBack,
            level: Level::Clean,
            seed: 1,
            secs: None,
        }))),
    };
    let outcome = run(source.as_mut(), RunOptions { engine: Options::USUAL, tolerate: false, threads: 1 }, None)?;
    for receipt in &outcome.receipts {
        println!("shopper {}: {}", receipt.visit, receipt.probability);
        for line in &receipt.lines {
            println!("  {} x {}: {}", line.quantity, line.name, line.probability);
        }
    }
    Ok(())
}
