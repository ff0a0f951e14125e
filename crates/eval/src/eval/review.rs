//! What a bar on the probability of receipts sends to a person, and what it lets through wrong. Takes judged receipts and
//! a bar; gives counts. Which receipts a bar sends to review is decided by [`facts::Receipt::concerns`] alone.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::diff::ReceiptScore;
use crate::base::{Prob, VisitId};
use crate::facts;

/// The bars that are tried. The first sends only receipts to review that are for it whatever the bar.
pub(super) const BARS: [f64; 22] = [
    0.0, 0.3, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.88, 0.9, 0.92, 0.93, 0.95, 0.96, 0.97, 0.98, 0.99, 0.995, 0.998,
    0.999, 1.0,
];

/// How receipts fare with a bar on their probability, below which a person looks at them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ReviewCount {
    /// The bar.
    pub bar: Prob,
    /// Receipts written.
    pub receipts: u64,
    /// Of them for review: below the bar, or whatever the bar.
    pub for_review: u64,
    /// Of these marked: for review whatever the bar.
    pub marked: u64,
    /// Wrong receipts that are not for review: nobody would have looked at them.
    pub wrong_unreviewed: u64,
    /// Exact receipts that are not for review.
    pub exact_unreviewed: u64,
}

impl ReviewCount {
    /// Counts the receipts of one case at a bar.
    pub(super) fn of(scored: &[ReceiptScore], receipts: &[facts::Receipt], bar: Prob) -> Self {
        let asked = asked(receipts, bar);
        let unseen = |exact: bool| {
            let unseen = scored.iter().filter(|one| one.exact == exact && asked.get(&one.visit) == Some(&false));
            unseen.count() as u64
        };
        ReviewCount {
            bar,
            receipts: asked.len() as u64,
            for_review: asked.values().filter(|asked| **asked).count() as u64,
            marked: marked(receipts).len() as u64,
            wrong_unreviewed: unseen(false),
            exact_unreviewed: unseen(true),
        }
    }

    /// Both together, at the bar of the first.
    pub(super) fn plus(self, other: ReviewCount) -> Self {
        ReviewCount {
            bar: self.bar,
            receipts: self.receipts + other.receipts,
            for_review: self.for_review + other.for_review,
            marked: self.marked + other.marked,
            wrong_unreviewed: self.wrong_unreviewed + other.wrong_unreviewed,
            exact_unreviewed: self.exact_unreviewed + other.exact_unreviewed,
        }
    }
}

/// By shopper, whether one of their receipts is for review at this bar.
pub(super) fn asked(receipts: &[facts::Receipt], bar: Prob) -> BTreeMap<VisitId, bool> {
    let mut asked = BTreeMap::new();
    for receipt in receipts {
        *asked.entry(receipt.visit).or_default() |= receipt.is_for_review(bar);
    }
    asked
}

/// Shoppers one of whose receipts is marked.
pub(super) fn marked(receipts: &[facts::Receipt]) -> BTreeSet<VisitId> {
    receipts.iter().filter(|receipt| receipt.interrupted.is_some()).map(|receipt| receipt.visit).collect()
}
