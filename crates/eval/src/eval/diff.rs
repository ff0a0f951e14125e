//! Which units of whose receipt are wrong, and in what way.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::kinds::DoubtKind;
use crate::base::{Prob, SkuId, TrackId, VisitId};
use crate::facts;
use crate::shop::Catalogue;
use crate::truth::Truth;

/// Units of one shopper, by product; no zeros.
pub(super) type Basket = BTreeMap<SkuId, u64>;

/// How a receipt stands to the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// A true shopper who got a receipt, right or wrong.
    Judged,
    /// A true shopper who got none.
    Missing,
    /// A receipt with goods for somebody whom the truth does not know.
    Unknown,
    /// A receipt with goods for a track that the truth calls a ghost.
    Ghost,
}

/// So many units of a product too few or too many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnitDiff {
    /// The product.
    pub sku: SkuId,
    /// Its name in the catalogue; empty where the catalogue does not have it.
    pub name: String,
    /// How many units; at least one.
    pub units: u64,
}

/// One shopper's receipt against the truth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReceiptScore {
    /// Whose.
    pub visit: VisitId,
    /// Whether it is a receipt of a true shopper at all.
    pub standing: Standing,
    /// Whether every unit is right, none is missing and none too many.
    pub exact: bool,
    /// Units that were bought and are not on the receipt, by product.
    pub missing: Vec<UnitDiff>,
    /// Units that are on the receipt and were not bought, by product.
    pub extra: Vec<UnitDiff>,
    /// Price of what was bought, minor units of the catalogue's currency.
    pub owed_minor: i64,
    /// Price of what is on the receipt, minor units of the catalogue's currency.
    pub charged_minor: i64,
    /// Believed probability that the whole receipt is right; `None` where there is no receipt.
    pub probability: Option<Prob>,
    /// Whether one of the shopper's receipts is for review at the policy's bar.
    pub for_review: bool,
    /// Whether one of them is marked, and so for review at every bar.
    pub marked: bool,
    /// What the reasons for doubt are about.
    pub doubts: BTreeSet<DoubtKind>,
}

/// Wrong units by the way they are wrong; each wrong unit is counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Mistakes {
    /// The right product on another shopper's receipt.
    pub wrong_shopper: u64,
    /// Another product on the right shopper's receipt.
    pub wrong_product: u64,
    /// Bought and on no receipt.
    pub missed: u64,
    /// On a receipt and never bought.
    pub invented: u64,
}

/// What was bought and what the receipts say, of one case.
#[derive(Debug)]
pub(super) struct Baskets {
    /// By true shopper, also the one who bought nothing.
    pub(super) bought: BTreeMap<VisitId, Basket>,
    /// By shopper with a receipt; several receipts of one shopper are added up.
    pub(super) written: BTreeMap<VisitId, Basket>,
    ghosts: BTreeSet<TrackId>,
}

impl Baskets {
    pub(super) fn new(truth: &Truth, receipts: &[facts::Receipt]) -> Self {
        let mut bought: BTreeMap<VisitId, Basket> = BTreeMap::new();
        for purchase in &truth.receipts {
            let basket = bought.entry(purchase.target_id).or_default();
            for item in &purchase.products {
                put(basket, &item.barcode, item.quantity.get());
            }
        }
        let mut written: BTreeMap<VisitId, Basket> = BTreeMap::new();
        for receipt in receipts {
            let basket = written.entry(receipt.visit).or_default();
            for line in &receipt.lines {
                put(basket, &line.sku, line.quantity.get());
            }
        }
        let ghosts = truth.ghosts.iter().copied().collect();
        Baskets { bought, written, ghosts }
    }

    /// Everybody who is judged, by visit: true shoppers, and unknown ones whose receipt holds goods.
    pub(super) fn judged(&self) -> BTreeMap<VisitId, Standing> {
        let charged = self.written.iter().filter(|(_, basket)| !basket.is_empty()).map(|(visit, _)| *visit);
        let strangers = charged.filter(|visit| !self.bought.contains_key(visit)).map(|visit| {
            let ghost = self.ghosts.contains(&visit.first_track());
            (visit, if ghost { Standing::Ghost } else { Standing::Unknown })
        });
        let shoppers = self
            .bought
            .keys()
            .map(|visit| (*visit, if self.written.contains_key(visit) { Standing::Judged } else { Standing::Missing }));
        strangers.chain(shoppers).collect()
    }
}

impl Mistakes {
    /// Sorts the wrong units of a case: a unit that is missing on one receipt and too many on another went to the wrong
    /// shopper; of what is left, a missing and a surplus unit of one receipt are a mix-up of products.
    pub(super) fn of(receipts: &[ReceiptScore]) -> Self {
        let count = |side: fn(&ReceiptScore) -> &[UnitDiff]| -> Vec<Basket> {
            receipts.iter().map(|r| side(r).iter().map(|diff| (diff.sku.clone(), diff.units)).collect()).collect()
        };
        let mut missing = count(|receipt| &receipt.missing);
        let mut extra = count(|receipt| &receipt.extra);
        let mut mistakes = Mistakes::default();
        for wanting in &mut missing {
            for (sku, wanted) in wanting.iter_mut() {
                for surplus in extra.iter_mut().filter_map(|basket| basket.get_mut(sku)) {
                    let moved = (*wanted).min(*surplus);
                    mistakes.wrong_shopper += moved;
                    *wanted -= moved;
                    *surplus -= moved;
                }
            }
        }
        for (wanting, surplus) in missing.iter().zip(&extra) {
            let (wanted, offered): (u64, u64) = (wanting.values().sum(), surplus.values().sum());
            let mixed = wanted.min(offered);
            mistakes.wrong_product += mixed;
            mistakes.missed += wanted - mixed;
            mistakes.invented += offered - mixed;
        }
        mistakes
    }

    /// All wrong units.
    pub fn total(&self) -> u64 {
        self.wrong_shopper + self.wrong_product + self.missed + self.invented
    }

    pub(super) fn add(&mut self, other: Mistakes) {
        self.wrong_shopper += other.wrong_shopper;
        self.wrong_product += other.wrong_product;
        self.missed += other.missed;
        self.invented += other.invented;
    }
}

/// What `from` holds and `other` does not.
pub(super) fn surplus(from: &Basket, other: &Basket, prices: &Catalogue) -> Vec<UnitDiff> {
    let left = from.iter().map(|(sku, units)| (sku, units.saturating_sub(other.get(sku).copied().unwrap_or(0))));
    let named = |sku: &SkuId| prices.get(sku).map_or_else(String::new, |product| product.name.clone());
    left.filter(|(_, units)| 0 < *units)
        .map(|(sku, units)| UnitDiff { sku: sku.clone(), name: named(sku), units })
        .collect()
}

fn put(basket: &mut Basket, sku: &SkuId, units: u32) {
    if 0 < units {
        *basket.entry(sku.clone()).or_default() += u64::from(units);
    }
}
