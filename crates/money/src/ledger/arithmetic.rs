//! Whether a receipt adds up, by itself: whatever prices and rules made it.

use std::collections::BTreeSet;

use crate::base::Money;
use crate::facts::{Receipt, ReceiptLine, TaxShare};

/// The first place where a receipt does not add up: what would be right, and what it says. Lines are units at their price
/// less discounts; the total is the sum of the lines, with or without the taxes on top; each tax is its share of the
/// lines under its rule, rounded by line or on the sum.
pub(super) fn first_error(receipt: &Receipt) -> Option<(String, String)> {
    receipt.lines.iter().find_map(line_error).or_else(|| total_error(receipt))
}

fn line_error(line: &ReceiptLine) -> Option<(String, String)> {
    let (price, amount) = (line.unit_price?, line.amount?);
    let discounted = line.discounts.iter().try_fold(price.checked_mul(line.quantity)?, |sum, discount| {
        sum.checked_sub(discount.amount).filter(|_| 0 < discount.amount.minor)
    });
    (discounted != Some(amount) || amount.minor < 0).then(|| {
        let expected = discounted.map_or_else(|| "discounts above zero".to_owned(), |right| right.to_string());
        (format!("{expected} for {}", line.sku), amount.to_string())
    })
}

fn total_error(receipt: &Receipt) -> Option<(String, String)> {
    let sum = |currency| {
        let zero = Money::new(0, currency);
        receipt.lines.iter().try_fold(zero, |sum, line| sum.checked_add(line.amount?))
    };
    let Some(total) = receipt.total else {
        let currency = receipt.lines.first()?.amount?.currency;
        return sum(currency).map(|lines| (format!("a total: the lines make {lines}"), "none".to_owned()));
    };
    let lines = sum(total.currency);
    let taxed = lines.and_then(|lines| receipt.taxes.iter().try_fold(lines, |sum, share| sum.checked_add(share.tax)));
    let (Some(lines), Some(taxed)) = (lines, taxed) else {
        return Some(("lines and taxes with amounts of one currency".to_owned(), format!("total {total}")));
    };
    if total != lines && total != taxed {
        let expected = if lines == taxed { lines.to_string() } else { format!("{lines}, or {taxed} with tax") };
        return Some((format!("total {expected}"), format!("total {total}")));
    }
    let rules: BTreeSet<&str> = receipt.taxes.iter().map(|share| share.name.as_str()).collect();
    if rules.len() != receipt.taxes.len() {
        return Some(("each tax once".to_owned(), format!("{} shares of {} taxes", receipt.taxes.len(), rules.len())));
    }
    let untaxed = receipt.lines.iter().filter_map(|line| line.tax.as_deref()).find(|tax| !rules.contains(tax));
    if let Some(tax) = untaxed {
        return Some((format!("a share of tax {tax}"), "none".to_owned()));
    }
    // Where no tax is due, prices with and without it are the same.
    let with_tax = total == lines;
    receipt.taxes.iter().find_map(|share| share_error(receipt, share, with_tax))
}

fn share_error(receipt: &Receipt, share: &TaxShare, with_tax: bool) -> Option<(String, String)> {
    let of_rule = || receipt.lines.iter().filter(|line| line.tax.as_ref() == Some(&share.name));
    let tax_of = |amount: Money| if with_tax { share.rate.within(amount) } else { share.rate.of(amount) };
    let zero = Money::new(0, share.tax.currency);
    let amount = of_rule().try_fold(zero, |sum, line| sum.checked_add(line.amount?))?;
    let on_sum = tax_of(amount)?;
    let by_line = of_rule().try_fold(zero, |sum, line| sum.checked_add(tax_of(line.amount?)?))?;
    let net = if with_tax { amount.checked_sub(share.tax)? } else { amount };
    let right = (share.tax == on_sum || share.tax == by_line) && share.net == net;
    (!right).then(|| {
        let text = |net: Money, tax: Money| format!("tax {} {} on {net}: {tax}", share.name, share.rate);
        let right_net = if with_tax { amount.checked_sub(on_sum).unwrap_or(amount) } else { amount };
        (text(right_net, on_sum), text(share.net, share.tax))
    })
}
