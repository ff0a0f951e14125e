//! A simulated shop with known truth: shoppers with joints in 3D and weight plates, from a seed.
//! Takes a shop, a scenario, a level of trouble and a seed; gives the facts of a trip in order of arrival and what
//! really happened; for a shop that is played live also which plugs are pulled when. It never reads a clock or a file: the same
//! options give the same bytes.

mod demo;
mod doors;
mod figure;
mod film;
mod moment;
mod pictures;
mod plugs;
mod render;
mod roll;
mod sensors;
mod stage;
mod stock;
mod story;
mod trip;
mod vary;
mod vector;
mod wires;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use demo::{demo_draft, demo_shop};
pub use film::{Film, FilmOptions, Shown};
pub use pictures::pictures;
pub use plugs::{Fault, FaultKind, Pluggable};
pub use sensors::faults::Level;
pub use sensors::glance::glance;
pub use story::scenario::Scenario;
pub use story::script::{Carries, Lift, Script, Spot, Step, Want, Which};
pub use trip::{PEOPLE_DELAY_SECS, Trip, trip};
pub use vary::{varied, with_frames, without_doors};
pub use wires::{Sending, WireCounts, Wires, moved_truth};

use crate::base::Result;
use crate::facts::Fact;
use crate::ports::FactSource;
use crate::shop::Shop;

/// What to simulate.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where.
    pub shop: Arc<Shop>,
    /// What happens.
    pub scenario: Scenario,
    /// How much goes wrong between the floor and the facts.
    pub level: Level,
    /// Everything random follows from it.
    pub seed: u64,
    /// How long the recording is, seconds, which an open shop fills with visits; none for as long as it takes.
    pub secs: Option<f64>,
}

/// A simulated trip as a source of facts.
#[derive(Debug)]
pub struct Simulation {
    shop: Arc<Shop>,
    facts: std::vec::IntoIter<Fact>,
}

impl Simulation {
    /// Plays a trip from its beginning.
    pub fn new(trip: Trip) -> Self {
        Simulation { shop: trip.shop, facts: trip.facts.into_iter() }
    }
}

impl FactSource for Simulation {
    fn shop(&self) -> &Shop {
        &self.shop
    }

    fn next_fact(&mut self) -> Result<Option<Fact>> {
        Ok(self.facts.next())
    }
}
