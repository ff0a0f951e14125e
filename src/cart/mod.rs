//! Carts and receipts: a fold. It takes attributions and closed visits and gives a receipt per visit. It never
//! decides anything about who took what.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{Money, Prob, Quantity, SkuId, VisitId};
use crate::facts::{Attribution, Body, Fact, FactRef, Movement, Receipt, ReceiptLine, VisitClosed};
use crate::shop::Shop;

/// The open carts of a shop.
pub struct CartBook {
    shop: Arc<Shop>,
    carts: BTreeMap<VisitId, BTreeMap<SkuId, Line>>,
}

/// A line of an open cart.
#[derive(Clone, Debug, Default)]
struct Line {
    units: i64,
    attributions: Vec<FactRef>,
}

impl CartBook {
    /// Starts with no carts.
    pub fn new(shop: Arc<Shop>) -> Self {
        CartBook { shop, carts: BTreeMap::new() }
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
        let line = self.carts.entry(attribution.visit).or_default().entry(attribution.sku.clone()).or_default();
        let units = i64::from(attribution.quantity.get());
        line.units += match attribution.movement {
            Movement::Take => units,
            Movement::Return => -units,
        };
        line.attributions.push(fact_ref);
    }

    fn close(&mut self, closed: &VisitClosed) -> Receipt {
        let cart = self.carts.remove(&closed.visit).unwrap_or_default();
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
        }
    }
}

/// A receipt with other goods, priced anew.
pub fn reprice(shop: &Shop, receipt: &Receipt, goods: &[crate::facts::Goods]) -> Receipt {
    let lines: Vec<ReceiptLine> = goods
        .iter()
        .filter_map(|goods| {
            let product = shop.catalogue().get(&goods.sku)?;
            Some(ReceiptLine {
                name: product.name.clone(),
                unit_price: product.price,
                discounts: Vec::new(),
                tax: None,
                amount: product.price.and_then(|price| price.checked_mul(goods.quantity)),
                probability: Prob::ONE,
                attributions: Vec::new(),
                sku: goods.sku.clone(),
                quantity: goods.quantity,
            })
        })
        .collect();
    let zero = Money::new(0, shop.policy().currency);
    let total = lines.iter().try_fold(zero, |sum, line| sum.checked_add(line.amount?));
    Receipt { lines, total, ..receipt.clone() }
}
