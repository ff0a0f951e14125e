//! The vocabulary everyone shares: small immutable values with a stamp.
//! Devices and people make ground facts, stages derive further ones. Nothing here computes or touches the world.

mod book;
mod decision;
mod door;
mod fact;
mod kinds;
mod payment;
mod people;
mod review;
mod shelf;
mod sight;
mod stamp;
mod visit;

/// A frame is compressed as other pictures are.
pub use crate::image::PictureFormat as FrameFormat;
pub use book::{Account, Reason, Transfer, TransferKind};
pub use decision::{
    Attribution, ClockEstimate, Closing, Discount, Evidence, Grounds, LineChance, Movement, Receipt, ReceiptLine,
    TakerEvidence, TaxShare, VisitClosed, WeightEvidence,
};
pub use door::{DoorState, DoorSwitch, TagRead, TagReads};
pub use fact::Fact;
pub use kinds::{Body, Cut, EachBody, EachKind, Said, Topic};
pub use payment::{
    About, Answer, MoneyMovement, Notice, Order, OrderLine, PaymentMethod, Settled, StatementLine, Task,
};
pub use people::{Joint, JointKind, Joints, PeopleFrame, Person, TrackJoined, TrackVerdict};
pub use review::{Case, Concern, Decision, Goods, ReviewVerdict, Verdict};
pub use shelf::{Level, PlateBatch, ShelfEvent, Staircase};
pub use sight::{BodyPoint, Detection, DetectionClass, Frame, Held, HeldGuess, Keypoint, SeenFrame};
pub use stamp::{FactRef, Stamp};
pub use visit::{EntryRole, GateScan, LineCause, OpenLine, OpenVisit, Tick, VisitBound};
