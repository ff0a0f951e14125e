//! One camera's detections to tracklets. Takes the detections of one frame and its time, and gives each with the track
//! it belongs to; ids come from a counter and survive occlusion. It never sees the picture, another camera or the floor.

mod affinity;
mod exchange;
mod motion;
mod paths;
mod scores;
mod seen;
mod track;

#[cfg(test)]
mod tests;

pub use paths::{PathOptions, Paths};
pub use scores::ScoreScale;
pub use seen::PathPoint;
pub use track::{Counters, Options, Tracker, Tracklet};
