//! Receipts against truth: how many units, receipts and cases are right, what the mistakes cost, and whether the
//! probabilities can be believed. Takes receipts, truth and prices; gives scores, and the same scores as text, JSON and
//! a page to look at. It never runs a pipeline, reads a file or asks the time.

mod bootstrap;
mod curve;
mod diff;
mod doubts;
mod frontier;
mod html;
mod identity;
mod kinds;
mod names;
mod reliability;
mod review;
mod score;
mod share;
pub mod sight;
mod summary;
mod text;
pub mod tracks;

#[cfg(test)]
mod tests;

pub use bootstrap::Interval;
pub use diff::{Mistakes, ReceiptScore, Standing, UnitDiff};
pub use doubts::DoubtRow;
pub use frontier::{Frontier, FrontierPoint, REVIEW_COST};
pub use html::{Ablation, Page};
pub use identity::{IdentityCount, IdentityJudge};
pub use kinds::{Behind, DoubtKind};
pub use names::Names;
pub use reliability::{Belief, Bin, Reliability};
pub use review::ReviewCount;
pub use score::{CaseScore, MoneyError, UnitCount, score_case};
pub use share::Share;
pub use summary::{Case, Cell, Delay, Group, IdentityTotals, Label, MoneyTotals, Summary, Totals};
