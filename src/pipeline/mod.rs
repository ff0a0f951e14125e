//! The wiring: who feeds whom, from ground facts to receipts. An open shop, replay and simulation run the same engine behind
//! different sources.

mod checkpoint;
mod counters;
mod engine;
mod eyes;
mod knowledge;
mod loss;
mod networks;
pub mod reorder;
mod run;
mod sources;
mod watched;

#[cfg(test)]
mod tests;

pub use counters::Counters;
pub use engine::{Engine, Held, Lane, Options};
pub use eyes::{Eyes, EyesCounters, EyesOptions, HELD_FRAMES_MAX, Look};
pub use knowledge::Knowledge;
pub use loss::Loss;
pub use networks::look;
pub use run::{Course, Decided, Outcome, RunOptions, run, run_knowing};
pub use sources::Waits;
pub use watched::Watched;
