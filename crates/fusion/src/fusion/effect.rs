//! What a piece of a group can be explained by.

use super::plan::Sku;
use crate::base::VisitId;

/// What a piece of a group is explained by.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Effect {
    /// Goods went from the shelf to a shopper, or to nobody that was seen; `part` of the piece is theirs, `0..=1`.
    Take { visit: Option<VisitId>, sku: Sku, units: u32, expected: f64, foreign: bool, part: f64 },
    /// A stray went.
    TakeStray { visit: Option<VisitId>, stray: usize },
    /// Goods came back; `owner` is the cart they leave, if any had them.
    Return { owner: Option<VisitId>, sku: Sku, units: u32, elsewhere: bool, expected: f64 },
    /// Something that is not goods was put.
    PutForeign,
    /// Nothing was taken or put.
    Nothing,
}

impl Effect {
    /// Whose hand did it, as far as it is said.
    pub(super) fn by(&self) -> Option<VisitId> {
        match self {
            Effect::Take { visit, .. } | Effect::TakeStray { visit, .. } => *visit,
            Effect::Return { owner, .. } => *owner,
            Effect::PutForeign | Effect::Nothing => None,
        }
    }
}

/// One piece of a group and what it is taken for.
#[derive(Clone, Debug)]
pub(super) struct Explained {
    pub(super) piece: usize,
    pub(super) effect: Effect,
    /// Log density of weight, place and hand under this effect, without what all effects of the piece share.
    pub(super) fit: f64,
}
