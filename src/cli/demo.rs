//! `aisle demo`: the main job on a generated trip, for people who have no recording yet.

use std::time::Instant;

use clap::Args;

use super::receipts::{self, Report};
use super::shops;
use super::simulate::Level;
use crate::base::{Error, Result};
use crate::pipeline::{Options, RunOptions, run};
use crate::sim::{self, Scenario, Simulation};
use crate::truth::Purchases;

/// Show receipts of a generated shopping trip: no recording, no camera, nothing to install.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  aisle demo\n  aisle demo --scenario hand-over --seed 7\n  aisle demo --level room --json"
)]
pub(super) struct Demo {
    /// What happens; `aisle simulate --list` names the scenarios.
    #[arg(long, default_value = "mixed", value_name = "NAME")]
    scenario: Scenario,
    /// Fault profile of the simulated sensors.
    #[arg(long, value_enum, default_value = "clean")]
    level: Level,
    /// Random seed. The default gives four shoppers, and one receipt for review.
    #[arg(long, default_value_t = 13)]
    seed: u64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Demo {
    pub(super) fn run(self) -> Result<()> {
        let (shop, _) = shops::open(None)?;
        let options = sim::Options {
            shop: shop.clone(),
            scenario: self.scenario,
            level: self.level.into(),
            seed: self.seed,
            secs: None,
        };
        let trip = sim::trip(&options)?;
        let truth = trip.truth.clone();
        let begun = Instant::now();
        let mut source = Simulation::new(trip);
        let outcome = run(&mut source, RunOptions { engine: Options::USUAL, tolerate: false, threads: 1 }, None)?;
        let wall_secs = begun.elapsed().as_secs_f64();
        let name = format!("generated trip `{}`, seed {}", self.scenario, self.seed);
        if self.json {
            let report = serde_json::to_value(Report::new(&name, &outcome, wall_secs))
                .map_err(|error| Error::input(format!("the result cannot be written as JSON: {error}")))?;
            return super::print(&format!("{report:#}\n"));
        }
        super::print("This trip is generated, not recorded: invented shop, invented shoppers, known truth.\n\n")?;
        super::print(&receipts::text(&name, &shop, &outcome, wall_secs))?;
        let right = Purchases::of(&outcome.receipts).agrees_with(&truth.receipts);
        super::print(match right {
            true => "\nEvery receipt is what the generated shoppers really took.\n",
            false => {
                "\nNot every receipt is what the generated shoppers really took; `aisle eval` shows the difference.\n"
            }
        })
    }
}
