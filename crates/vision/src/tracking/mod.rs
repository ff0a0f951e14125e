//! From what a tracker calls people to the people of the floor. It takes frames of people in order of time and gives
//! the same people under one name a visit, and a verdict on every track. It never looks at shelves or goods.
//!
//! Trackers lose people behind others and find them again under another number, and see people where none are. A
//! track that begins where and when somebody was lost, with the same body, is that somebody. A track that lives
//! beside a person who is still seen, or flickers and is gone, is nobody. Until that is clear a new track is held
//! back, with everything that it did.

mod bodies;
mod body;
mod doors;
mod doubt;
pub mod floor;
mod frame_loss;
mod learned;
mod looks;
mod sight;
mod stature;
mod stitch;
mod track;
pub mod tracklets;

#[cfg(test)]
mod tests;

pub use bodies::{Body, BodyTracker, ClockResidual, Options as BodyOptions};
pub use doors::{Passage, SeenPlace};
pub use doubt::{Doubt, Mixup};
pub use frame_loss::{CameraLoss, FrameLoss, FrameSize, Lost};
pub use learned::{Door, LearnedDoors, SeenDoors};
pub use sight::{Sight, SightCounters};
pub use stitch::{Counters, Sighting, Stitcher};
