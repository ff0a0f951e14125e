//! The vocabulary everyone shares: small immutable values with a stamp.
//! Devices and people make ground facts, stages derive further ones. Nothing here computes or touches the world.

mod decision;
mod people;
mod shelf;
mod stamp;

pub use decision::{
    Attribution, ClockEstimate, Closing, Evidence, LineChance, Movement, Receipt, ReceiptLine, TakerEvidence,
    VisitClosed, WeightEvidence,
};
pub use people::{Joint, JointKind, Joints, PeopleFrame, Person, TrackJoined, TrackVerdict};
pub use shelf::{Level, PlateBatch, ShelfEvent, Staircase};
pub use stamp::{Body, Fact, FactRef, Stamp, Topic};
