//! The wiring: who feeds whom, from ground facts to receipts. Live, replay and simulation run the same engine behind
//! different sources.

mod checkpoint;
mod engine;
mod live;
pub mod reorder;
mod run;
mod sight;

#[cfg(test)]
mod tests;

pub use engine::{Counters, Engine, Held, Options};
pub use live::{Began, Live, Payers};
pub use run::{Outcome, RunOptions, run};
pub use sight::{Networks, Sight, SightCounters};
