//! `aisle demo --quick`: receipts of a generated trip, decided at once, without devices.

use std::time::Instant;

use super::super::receipts::{self, Report};
use super::super::shops;
use super::super::simulate::Level;
use crate::base::{Error, Result};
use crate::pipeline::{Options, RunOptions, run};
use crate::sim::{self, Scenario, Simulation};
use crate::truth::Purchases;

/// A generated trip.
pub(super) struct Quick {
    pub(super) scenario: Scenario,
    pub(super) level: Level,
    pub(super) seed: u64,
    pub(super) is_json: bool,
}

impl Quick {
    pub(super) fn run(&self) -> Result<()> {
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
        if self.is_json {
            let report = serde_json::to_value(Report::new(&name, &outcome, wall_secs))
                .map_err(|error| Error::input(format!("the result cannot be written as JSON: {error}")))?;
            return super::super::print(&format!("{report:#}\n"));
        }
        super::super::print(
            "This trip is generated, not recorded: invented shop, invented shoppers, known truth.\n\n",
        )?;
        super::super::print(&receipts::text(&name, &shop, &outcome, wall_secs))?;
        let right = Purchases::of(&outcome.receipts).agrees_with(&truth.receipts);
        super::super::print(match right {
            true => "\nEvery receipt is what the generated shoppers really took.\n",
            false => {
                "\nNot every receipt is what the generated shoppers really took; `aisle eval` shows the difference.\n"
            }
        })
    }
}
