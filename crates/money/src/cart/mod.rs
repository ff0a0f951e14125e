//! Carts and receipts: a fold. It takes attributions and closed visits and gives a priced receipt per visit; of what a
//! person has decided instead it makes another one. It never decides anything about who took what.

mod price;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use price::{Priced, PricedLine, price};

use crate::base::{Prob, Quantity, Reports, SkuId, Stage, StageReport, VisitId};
use crate::facts::{Attribution, Body, Fact, FactRef, Goods, Movement, Receipt, VisitClosed};
use crate::shop::Shop;

/// The open carts of a shop.
#[derive(Clone)]
pub struct CartBook {
    shop: Arc<Shop>,
    carts: Carts,
    /// Attributions and ends of visits that came since the process began, and receipts given.
    received: u64,
    sent: u64,
}

/// What a checkpoint keeps of a [`CartBook`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Carts(BTreeMap<VisitId, BTreeMap<SkuId, Line>>);

/// A line of an open cart.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Line {
    units: i64,
    attributions: Vec<FactRef>,
}

impl CartBook {
    /// Starts with no carts.
    pub fn new(shop: Arc<Shop>) -> Self {
        CartBook::restore(shop, Carts::default())
    }

    /// Goes on with carts that were open before.
    pub fn restore(shop: Arc<Shop>, carts: Carts) -> Self {
        CartBook { shop, carts, received: 0, sent: 0 }
    }

    /// The open carts, for a checkpoint.
    pub fn carts(&self) -> &Carts {
        &self.carts
    }

    /// Takes a fact; gives the receipt when it closes a visit. Facts of other kinds are ignored.
    pub fn take(&mut self, fact: &Fact) -> Option<Receipt> {
        match &fact.body {
            Body::Attribution(attribution) => {
                self.received += 1;
                self.change(attribution, fact.stamp.fact_ref());
                None
            }
            Body::Visit(closed) => {
                (self.received, self.sent) = (self.received + 1, self.sent + 1);
                Some(self.close(closed))
            }
            _ => None,
        }
    }

    fn change(&mut self, attribution: &Attribution, fact_ref: FactRef) {
        let line = self.carts.0.entry(attribution.visit).or_default().entry(attribution.sku.clone()).or_default();
        let units = i64::from(attribution.quantity.get());
        line.units += match attribution.movement {
            Movement::Take => units,
            Movement::Return => -units,
        };
        line.attributions.push(fact_ref);
    }

    fn close(&mut self, closed: &VisitClosed) -> Receipt {
        let mut cart = self.carts.0.remove(&closed.visit).unwrap_or_default();
        let goods: Vec<Goods> = cart
            .iter()
            .filter_map(|(sku, line)| {
                let quantity = Quantity::new(u32::try_from(line.units).ok()?);
                Some(Goods { sku: sku.clone(), quantity })
            })
            .collect();
        let priced = price(&self.shop, &goods, closed.left);
        let lines = priced.lines.into_iter().map(|line| {
            let is_it = |sku: &SkuId, quantity| *sku == line.sku && quantity == line.quantity;
            let chance = closed.lines.iter().find(|chance| is_it(&chance.sku, chance.quantity));
            let probability = chance.map_or(Prob::ZERO, |chance| chance.probability);
            let attributions = cart.remove(&line.sku).unwrap_or_default().attributions;
            line.into_receipt_line(probability, attributions)
        });
        Receipt {
            visit: closed.visit,
            entered: closed.entered,
            left: closed.left,
            closing: closed.closing,
            lines: lines.collect(),
            taxes: priced.taxes,
            total: priced.total,
            probability: closed.probability,
            interrupted: closed.interrupted.clone(),
        }
    }
}

impl Reports for CartBook {
    /// Decisions come, receipts go; an open cart is not one that waits.
    fn report(&self) -> StageReport {
        StageReport::new(Stage::Cart, self.received, self.sent)
    }
}

/// The receipt after a person said what the goods are, at the prices of the moment at which the shopper left. Lines that
/// stay as they were keep their probability; those that the person changed or added have certainty, and so has the
/// receipt as a whole. A product that stays keeps its attributions.
pub fn reprice(shop: &Shop, receipt: &Receipt, goods: &[Goods]) -> Receipt {
    let priced = price(shop, goods, receipt.left);
    let lines = priced.lines.into_iter().map(|line| {
        let before = receipt.lines.iter().find(|before| before.sku == line.sku);
        let unchanged = before.filter(|before| before.quantity == line.quantity);
        let probability = unchanged.map_or(Prob::ONE, |before| before.probability);
        let attributions = before.map_or_else(Vec::new, |before| before.attributions.clone());
        line.into_receipt_line(probability, attributions)
    });
    Receipt {
        lines: lines.collect(),
        taxes: priced.taxes,
        total: priced.total,
        probability: Prob::ONE,
        ..receipt.clone()
    }
}
