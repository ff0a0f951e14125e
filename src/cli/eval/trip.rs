//! What is judged, and who runs it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::base::{Result, Span};
use crate::eval::{Behind, IdentityCount, Label};
use crate::facts;
use crate::shop::Shop;
use crate::truth::Truth;

/// One trip to simulate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Job {
    /// Name of the scenario.
    pub scenario: String,
    /// `clean` or `room`.
    pub level: &'static str,
    /// Seed of everything random in it.
    pub seed: u64,
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "scenario {}, level {}, seed {}", self.scenario, self.level, self.seed)
    }
}

/// A trip that has been through the pipeline.
#[derive(Clone, Debug)]
pub(super) struct Trip {
    /// What it is called, what it is compared with, and the command that replays it.
    pub label: Label,
    /// Prices and the bar for review come from here.
    pub shop: Arc<Shop>,
    /// What really happened.
    pub truth: Truth,
    /// What came out.
    pub receipts: Vec<facts::Receipt>,
    /// What the receipts rest on.
    pub behind: Behind,
    /// From each shopper's leaving to the receipt; empty where not measured.
    pub receipt_delays: Vec<Span>,
    /// Whether visits were people, where that is known.
    pub identity: Option<IdentityCount>,
}

/// Who runs trips through the pipeline for this command; called from several threads at once.
pub(super) trait Runner: Sync {
    /// Names of all scenarios, in the order they are listed to people, and whether `all` means them too.
    fn scenarios(&self) -> Vec<(String, bool)>;

    /// Runs what lies at a path: a recording, or an AutoCheckout folder.
    ///
    /// # Errors
    /// When it cannot be read, or does not know its truth.
    fn run_path(&self, path: &Path) -> Result<Trip>;

    /// Simulates a trip and runs it.
    ///
    /// # Errors
    /// When the scenario does not fit the shop.
    fn run_scenario(&self, job: &Job) -> Result<Trip>;
}
