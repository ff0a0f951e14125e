//! The wiring: who feeds whom, from ground facts to receipts. An open shop, replay and simulation run the same engine behind
//! different sources.

mod checkpoint;
mod engine;
mod eyes;
mod frame_loss;
mod loss;
mod networks;
pub mod reorder;
mod run;
mod sight;
mod stillness;
mod watched;

#[cfg(test)]
mod tests;

pub use engine::{Counters, Engine, Held, Options};
pub use eyes::{Eyes, EyesCounters, EyesOptions, HELD_FRAMES_MAX, Look};
pub use frame_loss::{CameraLoss, FrameLoss, FrameSize, Lost};
pub use loss::Loss;
pub use networks::{Glance, Networks, look};
pub use run::{Outcome, RunOptions, run};
pub use sight::{Sight, SightCounters};
pub use watched::Watched;
