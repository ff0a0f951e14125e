//! Carts and receipts: a fold. It takes attributions and closed visits and gives a receipt per visit. It never
//! decides anything about who took what.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::{Money, Prob, Quantity, SkuId, VisitId};
use crate::facts::{Attribution, Body, Fact, FactRef, Movement, Receipt, ReceiptLine, VisitClosed};
use crate::shop::Shop;

/// The open carts of a shop.
pub struct CartBook {
    shop: Arc<Shop>,
    carts: Carts,
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
        CartBook { shop, carts }
    }

    /// The open carts, for a checkpoint.
    pub fn carts(&self) -> &Carts {
        &self.carts
    }

    /// Takes a fact; gives the receipt when it closes a visit. Facts of other kinds are ignored.
    pub fn take(&mut self, fact: &Fact) -> Option<Receipt> {
        match &fact.body {
            Body::Attribution(attribution) => {
                self.change(attribution, fact.stamp.fact_ref());
                None
            }
            Body::Visit(closed) => Some(self.close(closed)),
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
        let cart = self.carts.0.remove(&closed.visit).unwrap_or_default();
        let lines: Vec<ReceiptLine> = cart
            .into_iter()
            .filter_map(|(sku, line)| {
                let quantity = Quantity::new(u32::try_from(line.units).ok().filter(|units| 0 < *units)?);
                let product = self.shop.catalogue().get(&sku);
                let chance = closed.lines.iter().find(|chance| chance.sku == sku && chance.quantity == quantity);
                Some(ReceiptLine {
                    name: product.map_or_else(|| sku.to_string(), |product| product.name.clone()),
                    unit_price: product.and_then(|product| product.price),
                    discounts: Vec::new(),
                    tax: None,
                    amount: product.and_then(|product| product.price?.checked_mul(quantity)),
                    probability: chance.map_or(Prob::ZERO, |chance| chance.probability),
                    attributions: line.attributions,
                    sku,
                    quantity,
                })
            })
            .collect();
        let zero = Money::new(0, self.shop.policy().currency);
        let total = lines.iter().try_fold(zero, |sum, line| sum.checked_add(line.amount?));
        Receipt {
            visit: closed.visit,
            entered: closed.entered,
            left: closed.left,
            closing: closed.closing,
            lines,
            taxes: Vec::new(),
            total,
            probability: closed.probability,
            interrupted: closed.interrupted.clone(),
        }
    }
}
