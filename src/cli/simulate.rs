//! `aisle simulate`: makes a trip with known truth and writes it as a recording.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::shops;
use crate::base::Result;
use crate::facts::Movement;
use crate::ports::FactSink;
use crate::recording::{Cut, Writer};
use crate::sim::{self, Options, Scenario, Trip};

/// Make a shopping trip with known truth and write it as a recording.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  aisle simulate -o trip.mcap
  aisle simulate --scenario hand-over --level room --seed 7 -o trip.mcap
  aisle simulate --list")]
pub(super) struct Simulate {
    /// What happens; `--list` names them.
    #[arg(long, default_value = "mixed", value_name = "NAME")]
    scenario: Scenario,
    /// How much goes wrong between the floor and the facts.
    #[arg(long, value_enum, default_value = "clean")]
    level: Level,
    /// Everything random follows from it: the same seed gives the same bytes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A shop folder or file, or an AutoCheckout folder; the built-in shop if not given.
    #[arg(long, value_name = "PATH")]
    shop: Option<PathBuf>,
    /// Recording to write.
    #[arg(short, long, value_name = "FILE", required_unless_present = "list")]
    output: Option<PathBuf>,
    /// Print the names of the scenarios and stop.
    #[arg(long)]
    list: bool,
}

/// How much goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Level {
    /// Sensors with their noise, nothing else.
    Clean,
    /// Broken tracks, ghosts, clocks apart, lost messages, wrong catalogue weights.
    Room,
}

impl From<Level> for sim::Level {
    fn from(level: Level) -> Self {
        match level {
            Level::Clean => sim::Level::Clean,
            Level::Room => sim::Level::Room,
        }
    }
}

impl Simulate {
    /// Runs the command.
    ///
    /// # Errors
    /// When the shop does not hold together or the recording cannot be written.
    pub(super) fn run(self) -> Result<()> {
        if self.list {
            let line = |scenario: &Scenario| format!("{:<26} {}\n", scenario.name(), scenario.story());
            return super::print(&Scenario::every().map(|scenario| line(&scenario)).collect::<String>());
        }
        let (shop, _) = shops::open(self.shop.as_deref())?;
        let options = Options { shop, scenario: self.scenario, level: self.level.into(), seed: self.seed, secs: None };
        let trip = sim::trip(&options);
        if let Some(path) = &self.output {
            write_recording(&trip, path)?;
        }
        super::print(&summary(&trip))
    }
}

/// Writes facts and truth as a recording.
fn write_recording(trip: &Trip, path: &Path) -> Result<()> {
    let mut writer = Writer::create(path, &trip.shop, Some(&trip.truth), Cut::Tracked)?;
    for fact in &trip.facts {
        writer.put(fact)?;
    }
    writer.finish().map(drop)
}

/// What a person wants to know of a trip.
fn summary(trip: &Trip) -> String {
    let first = trip.facts.iter().map(|fact| fact.stamp.at).min();
    let last = trip.facts.iter().map(|fact| fact.stamp.at).max();
    let secs = first.zip(last).map_or(0.0, |(first, last)| last.secs_since(first));
    let takes = trip.truth.actions.iter().filter(|action| action.movement == Movement::Take).count();
    let mut text = format!(
        "{}: {secs:.1} s, {} facts, {} shoppers, {takes} takes, {} returns, {} ghosts\n",
        trip.truth.case,
        trip.facts.len(),
        trip.truth.receipts.len(),
        trip.truth.actions.len() - takes,
        trip.truth.ghosts.len(),
    );
    for receipt in &trip.truth.receipts {
        text += &format!("shopper {}\n", receipt.target_id);
        for item in &receipt.products {
            let name = trip.shop.catalogue().get(&item.barcode).map_or("", |product| product.name.as_str());
            text += &format!("  {:>3} x {:<14} {name}\n", item.quantity.get(), item.barcode);
        }
    }
    text
}
