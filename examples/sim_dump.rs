//! Writes a simulated trip as JSON lines, to look at it with other tools: `sim_dump SCENARIO LEVEL SEED`.

use std::io::Write;
use std::sync::Arc;

use aisle::facts::Body;
use aisle::sim::{self, Level, Options};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let word = |index: usize, default: &str| words.get(index).cloned().unwrap_or_else(|| default.to_owned());
    let options = Options {
        shop: Arc::new(sim::demo_shop()),
        scenario: word(0, "mixed").parse()?,
        level: if word(1, "clean") == "room" { Level::Room } else { Level::Clean },
        seed: word(2, "1").parse()?,
    };
    let trip = sim::trip(&options);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    serde_json::to_writer(&mut out, &trip.truth)?;
    for fact in &trip.facts {
        writeln!(out)?;
        match &fact.body {
            Body::Plates(batch) => serde_json::to_writer(&mut out, &(&fact.stamp, "plates", batch))?,
            Body::People(frame) => serde_json::to_writer(&mut out, &(&fact.stamp, "people", frame))?,
            _ => {}
        }
    }
    writeln!(out)?;
    Ok(())
}
