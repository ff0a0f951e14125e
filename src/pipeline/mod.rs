//! The wiring: who feeds whom, from ground facts to receipts. An open shop, replay and simulation run the same engine behind
//! different sources.

mod checkpoint;
mod counters;
mod engine;
mod eyes;
mod loss;
mod networks;
pub mod reorder;
mod run;
mod watched;

#[cfg(test)]
mod tests;

pub use counters::Counters;
pub use engine::{Engine, Held, Options};
pub use eyes::{Eyes, EyesCounters, EyesOptions, HELD_FRAMES_MAX, Look};
pub use loss::Loss;
pub use networks::look;
pub use run::{Outcome, RunOptions, run};
pub use watched::Watched;
