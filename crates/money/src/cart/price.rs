//! From goods to prices: markdowns, promotions, taxes, total.
//!
//! 1. A unit costs its price, or its reduced price while a markdown applies.
//! 2. Promotions apply one after the other, those of n for m before those of a percentage, each kind in the order of the
//!    shop. A unit takes part in one at most. Units of a promotion's products that are left form as many whole sets
//!    as they can, the dearest first; of all those in sets the cheapest are free. A percentage takes all that are left.
//!    Units of one price are told apart by product code, the first counting as dearer.
//! 3. Tax is a share of what remains, by rule.
//!
//! Everything is whole minor units, rounded half away from zero where a share is taken: a markdown on the price of one
//! unit, a percentage on all units of a line together, tax on a line or on the sum of a rule as the policy says.
//! Shares of at most 100 % never make a price negative.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::base::{Money, Prob, Quantity, ShopTime, SkuId};
use crate::facts::{Discount, FactRef, Goods, ReceiptLine, TaxShare};
use crate::shop::{Deal, Product, Promotion, Reduction, Shop, TaxRounding};

/// Goods with their prices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Priced {
    /// A line a product, ordered by product.
    pub lines: Vec<PricedLine>,
    /// The tax by rule, ordered by name; none without a total.
    pub taxes: Vec<TaxShare>,
    /// What is to be paid, with tax; `None` when a product has no price or the sum does not fit.
    pub total: Option<Money>,
}

/// What a receipt line says of prices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricedLine {
    /// The product.
    pub sku: SkuId,
    /// Its name for people; the code where the shop has no such product.
    pub name: String,
    /// How many units; at least one.
    pub quantity: Quantity,
    /// Price of one before discounts, if known.
    pub unit_price: Option<Money>,
    /// What was taken off, in the order in which it was.
    pub discounts: Vec<Discount>,
    /// Price of all of them after discounts, if known; with tax where the shop's prices are with tax.
    pub amount: Option<Money>,
    /// The tax rule that applies, if any.
    pub tax: Option<String>,
}

/// A line in the making.
struct Line<'a> {
    sku: SkuId,
    product: Option<&'a Product>,
    quantity: Quantity,
    /// Price of a unit after the markdown.
    price: Option<Money>,
    /// Units that took part in no promotion.
    left: u32,
    discounts: Vec<Discount>,
    /// Of all units after discounts.
    amount: Option<Money>,
}

/// What goods cost at an instant. The order of the goods does not matter; a product named twice is one line.
pub fn price(shop: &Shop, goods: &[Goods], at: ShopTime) -> Priced {
    let mut units: BTreeMap<&SkuId, u32> = BTreeMap::new();
    for Goods { sku, quantity } in goods.iter().filter(|goods| 0 < goods.quantity.get()) {
        let sum = units.entry(sku).or_insert(0);
        *sum = sum.saturating_add(quantity.get());
    }
    let mut lines: Vec<Line<'_>> =
        units.into_iter().map(|(sku, units)| Line::new(shop, sku, Quantity::new(units), at)).collect();
    let running = || shop.promotions().iter().filter(|promotion| promotion.season.contains(at));
    for promotion in running() {
        if let Deal::Fewer { buy, pay } = promotion.deal {
            give_free(&mut lines, promotion, buy, pay);
        }
    }
    for promotion in running() {
        if let Deal::Off(share) = promotion.deal {
            for line in lines.iter_mut().filter(|line| promotion.skus.contains(&line.sku)) {
                let units = Quantity::new(std::mem::take(&mut line.left));
                let worth = line.price.and_then(|price| price.checked_mul(units));
                line.take_off(&promotion.name, worth.and_then(|worth| share.of(worth)));
            }
        }
    }
    let lines: Vec<PricedLine> = lines.into_iter().map(Line::done).collect();
    let (taxes, total) = sum_up(shop, &lines).map_or((Vec::new(), None), |(taxes, total)| (taxes, Some(total)));
    Priced { lines, taxes, total }
}

impl<'a> Line<'a> {
    fn new(shop: &'a Shop, sku: &SkuId, quantity: Quantity, at: ShopTime) -> Self {
        let product = shop.catalogue().get(sku);
        let price = product.and_then(|product| product.price);
        let amount = price.and_then(|price| price.checked_mul(quantity));
        let sku = sku.clone();
        let mut line = Line { sku, product, quantity, price, left: quantity.get(), discounts: Vec::new(), amount };
        let markdown = product.and_then(|product| product.markdown).filter(|markdown| markdown.season.contains(at));
        if let (Some(price), Some(markdown)) = (price, markdown) {
            let off = match markdown.reduction {
                Reduction::To(reduced) => price.checked_sub(reduced),
                Reduction::By(share) => share.of(price),
            };
            line.price = off.and_then(|off| price.checked_sub(off));
            line.take_off("markdown", off.and_then(|off| off.checked_mul(quantity)));
        }
        line
    }

    /// Takes a sum off; one that could not be computed leaves the line without an amount, nothing leaves no trace.
    fn take_off(&mut self, name: &str, off: Option<Money>) {
        self.amount = self.amount.and_then(|amount| amount.checked_sub(off?));
        if let Some(amount) = off.filter(|off| 0 < off.minor && self.amount.is_some()) {
            self.discounts.push(Discount { name: name.to_owned(), amount });
        }
    }

    fn done(self) -> PricedLine {
        PricedLine {
            name: self.product.map_or_else(|| self.sku.to_string(), |product| product.name.clone()),
            unit_price: self.product.and_then(|product| product.price),
            tax: self.product.and_then(|product| product.tax.clone()),
            sku: self.sku,
            quantity: self.quantity,
            discounts: self.discounts,
            amount: self.amount,
        }
    }
}

impl PricedLine {
    /// The line of a receipt, with what is known of it besides prices.
    pub fn into_receipt_line(self, probability: Prob, attributions: Vec<FactRef>) -> ReceiptLine {
        let PricedLine { sku, name, quantity, unit_price, discounts, amount, tax } = self;
        ReceiptLine { sku, name, quantity, unit_price, discounts, amount, tax, probability, attributions }
    }
}

/// Of every `buy` units that are left, `pay` are paid.
fn give_free(lines: &mut [Line<'_>], promotion: &Promotion, buy: u32, pay: u32) {
    let takes_part = |line: &Line<'_>| promotion.skus.contains(&line.sku) && line.price.is_some() && 0 < line.left;
    let mut partners: Vec<&mut Line<'_>> = lines.iter_mut().filter(|line| takes_part(line)).collect();
    partners.sort_by_key(|line| std::cmp::Reverse(line.price.map(|price| price.minor)));
    let units: u64 = partners.iter().map(|line| u64::from(line.left)).sum();
    let sets = units / u64::from(buy);
    let (mut in_sets, mut paid) = (sets * u64::from(buy), sets * u64::from(pay));
    for line in partners {
        // Both are at most `left`, which fits.
        let taken = in_sets.min(u64::from(line.left)) as u32;
        let paid_here = paid.min(u64::from(taken)) as u32;
        in_sets -= u64::from(taken);
        paid -= u64::from(paid_here);
        line.left -= taken;
        let free = Quantity::new(taken - paid_here);
        line.take_off(&promotion.name, line.price.and_then(|price| price.checked_mul(free)));
    }
}

/// Taxes and total; `None` when an amount is missing or something does not fit.
fn sum_up(shop: &Shop, lines: &[PricedLine]) -> Option<(Vec<TaxShare>, Money)> {
    let policy = shop.policy();
    let zero = Money::new(0, policy.currency);
    let sum = |lines: &[&PricedLine]| lines.iter().try_fold(zero, |sum, line| sum.checked_add(line.amount?));
    let mut total = sum(&lines.iter().collect::<Vec<_>>())?;
    let mut taxes = Vec::new();
    for rule in shop.taxes() {
        let of_rule: Vec<&PricedLine> = lines.iter().filter(|line| line.tax.as_ref() == Some(&rule.name)).collect();
        if of_rule.is_empty() {
            continue;
        }
        let tax_of = |amount: Money| match policy.prices_include_tax {
            true => rule.rate.within(amount),
            false => rule.rate.of(amount),
        };
        let amount = sum(&of_rule)?;
        let tax = match policy.tax_rounding {
            TaxRounding::Receipt => tax_of(amount)?,
            TaxRounding::Line => of_rule.iter().try_fold(zero, |sum, line| sum.checked_add(tax_of(line.amount?)?))?,
        };
        let net = if policy.prices_include_tax { amount.checked_sub(tax)? } else { amount };
        if !policy.prices_include_tax {
            total = total.checked_add(tax)?;
        }
        taxes.push(TaxShare { name: rule.name.clone(), rate: rule.rate, net, tax });
    }
    Some((taxes, total))
}
