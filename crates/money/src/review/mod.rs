//! What a person sees, and what their answer means: it takes receipts and verdicts and gives concerns and goods. Whether
//! money waits for it is the policy's affair; it never moves any, and never says who took what by itself.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::base::{Quantity, SkuId};
use crate::facts::{Concern, Decision, Goods, Receipt};
use crate::shop::Shop;

/// Units of one product that a reviewer may put on a receipt.
const UNITS_MAX: u32 = 1_000;

/// Why a person should look at a receipt before money moves, by the shop's policy; none when nobody has to.
pub fn concerns(shop: &Shop, receipt: &Receipt) -> Vec<Concern> {
    receipt.concerns(shop.policy().review_below)
}

/// The goods of a receipt once a reviewer has spoken.
///
/// # Errors
/// What is wrong with the verdict: an unknown product, one named twice, no units or too many.
pub fn goods(shop: &Shop, receipt: &Receipt, decision: &Decision) -> Result<Vec<Goods>, String> {
    match decision {
        Decision::Accept => {
            Ok(receipt.lines.iter().map(|line| Goods { sku: line.sku.clone(), quantity: line.quantity }).collect())
        }
        Decision::Reject => Ok(Vec::new()),
        Decision::Change { lines } => {
            let mut goods: BTreeMap<&SkuId, Quantity> = BTreeMap::new();
            for line in lines {
                let sku = &line.sku;
                if shop.catalogue().get(sku).is_none() {
                    return Err(format!("the catalogue has no product `{sku}`"));
                }
                if line.quantity == Quantity::ZERO || UNITS_MAX < line.quantity.get() {
                    return Err(format!(
                        "{} units of `{sku}`: write 1 to {UNITS_MAX}, or leave the product out",
                        line.quantity
                    ));
                }
                if goods.insert(sku, line.quantity).is_some() {
                    return Err(format!("`{sku}` stands twice; write all its units on one line"));
                }
            }
            Ok(goods.into_iter().map(|(sku, quantity)| Goods { sku: sku.clone(), quantity }).collect())
        }
    }
}
