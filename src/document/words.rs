//! What several forms say alike: times, standing, text that stays on its line, and what a correction takes off.

use std::collections::BTreeMap;

use jiff::Zoned;
use jiff::tz::TimeZone;

use super::{Sheet, Standing};
pub(super) use crate::base::text::plain;
use crate::base::{Money, Quantity, ShopTime, SkuId};
use crate::facts::{Receipt, ReceiptLine};

/// Goods of one product that a correction takes off.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TakenOff<'a> {
    /// The line as it was.
    pub(super) before: &'a ReceiptLine,
    /// How many units less.
    pub(super) quantity: Quantity,
    /// How much less; `None` where one of the two prices is not known.
    pub(super) amount: Option<Money>,
}

/// An instant in the zone of a sheet.
pub(super) fn zoned(at: ShopTime, zone: &TimeZone) -> Zoned {
    at.zoned(zone)
}

/// For people: `2026-01-05 10:30:12`.
pub(super) fn time(at: ShopTime, zone: &TimeZone) -> String {
    zoned(at, zone).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The offset of the zone at an instant: `+01:00`.
pub(super) fn offset(at: ShopTime, zone: &TimeZone) -> String {
    zoned(at, zone).strftime("%:z").to_string()
}

/// For machines, RFC 3339 to the millisecond with the offset: `2026-01-05T10:30:12.250+01:00`.
pub(super) fn rfc3339(at: ShopTime, zone: &TimeZone) -> String {
    zoned(at, zone).strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}

/// Whether it has letters that are written from right to left.
pub(super) fn is_right_to_left(text: &str) -> bool {
    let is_one = |letter: char| {
        matches!(letter, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}')
            || matches!(letter, '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
    };
    text.chars().any(is_one)
}

/// The headline of where a receipt stands.
pub(super) fn standing(sheet: &Sheet<'_>) -> &'static str {
    match (&sheet.standing, sheet.receipt.total) {
        (Standing::Review, _) => "Being checked",
        (Standing::Due, Some(total)) if total.minor == 0 => "Nothing to pay",
        (Standing::Due, _) => "To be paid",
        (Standing::Paid(_), _) => "Paid",
        (Standing::Credited { .. }, _) => "Credited",
        (Standing::Voided, _) => "Not charged",
    }
}

/// What it means for the shopper, in a sentence, and when it came to be so, where that is known.
pub(super) fn sentence(sheet: &Sheet<'_>) -> (String, Option<ShopTime>) {
    let text = match (&sheet.standing, sheet.receipt.total) {
        (Standing::Paid(payment), _) => {
            return (format!("{} by {}", payment.amount, plain(payment.provider)), Some(payment.at));
        }
        (Standing::Credited { payment: Some(payment), credit }, _) => {
            let provider = plain(payment.provider);
            return (format!("{} of {} given back by {provider}", credit.amount, payment.amount), Some(credit.at));
        }
        (Standing::Credited { payment: None, credit }, _) => {
            return (format!("{} taken off before it was paid", credit.amount), Some(credit.at));
        }
        (Standing::Review, _) => "A person looks at this receipt before anything is charged.".to_owned(),
        (Standing::Due, Some(total)) if total.minor == 0 => "Nothing was taken that costs anything.".to_owned(),
        (Standing::Due, Some(total)) => format!("{total} will be charged."),
        (Standing::Due, None) => "Something here has no price yet.".to_owned(),
        (Standing::Voided, _) => "This receipt was rejected; nothing is charged.".to_owned(),
    };
    (text, None)
}

/// What is taken off, with its sign; nothing has none.
pub(super) fn off(amount: Money, minus: &str) -> String {
    let minus = if 0 < amount.minor { minus } else { "" };
    format!("{minus}{}", amount.decimal())
}

/// How many units.
pub(super) fn units(receipt: &Receipt) -> u64 {
    receipt.lines.iter().map(|line| u64::from(line.quantity.get())).sum()
}

/// `before` less `now`, product by product, in the order of `before`. Products that became more are left out.
pub(super) fn taken_off<'a>(before: &'a Receipt, now: &Receipt) -> Vec<TakenOff<'a>> {
    let left: BTreeMap<&SkuId, &ReceiptLine> = now.lines.iter().map(|line| (&line.sku, line)).collect();
    let difference = |line: &'a ReceiptLine| {
        let rest = left.get(&line.sku);
        let quantity = line.quantity.get().checked_sub(rest.map_or(0, |rest| rest.quantity.get()))?;
        let amount = match rest {
            None => line.amount,
            Some(rest) => line.amount.zip(rest.amount).and_then(|(before, now)| before.checked_sub(now)),
        };
        let less = 0 < quantity || amount.is_some_and(|amount| 0 < amount.minor);
        less.then_some(TakenOff { before: line, quantity: Quantity::new(quantity), amount })
    };
    before.lines.iter().filter_map(difference).collect()
}
