//! What happened in all stages of an engine.

use super::reorder;
use crate::{fusion, shelf, tracking};

/// What happened in every stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// People beyond [`PEOPLE_PER_FRAME_MAX`](crate::base::limits::PEOPLE_PER_FRAME_MAX) in one frame; they are left out.
    pub dropped_people: u64,
    /// Plate batches whose rows are not of the time that they are stamped with, and such events of boards.
    pub dropped_astray: u64,
    /// Putting facts in order.
    pub reorder: reorder::Counters,
    /// Plates to shelf events.
    pub shelf: shelf::Counters,
    /// Tracks to visits.
    pub tracking: tracking::Counters,
    /// Who took what.
    pub fusion: fusion::Counters,
}
