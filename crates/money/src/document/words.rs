//! What several forms say alike: times, standing, text that stays on its line, and what a correction takes off.

use std::collections::BTreeMap;

use jiff::Zoned;
use jiff::tz::TimeZone;

use super::phrases::{Phrases, filled};
use super::{Sheet, Standing};
pub(super) use crate::base::text::plain;
use crate::base::{Money, Quantity, ShopTime, SkuId};
use crate::facts::{Receipt, ReceiptLine};
use crate::shop::Locale;

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

/// For people, as the shop writes dates: `2026-01-05 10:30:12`.
pub(super) fn time(at: ShopTime, sheet: &Sheet<'_>) -> String {
    let locale = sheet.shop.locale();
    zoned(at, sheet.zone).strftime(&format!("{} {}", locale.date(), locale.time())).to_string()
}

/// As [`time`], with the offset of the zone.
pub(super) fn time_with_offset(at: ShopTime, sheet: &Sheet<'_>) -> String {
    format!("{} {}", time(at, sheet), offset(at, sheet.zone))
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

/// The words of the language of the shop.
pub(super) fn phrases(sheet: &Sheet<'_>) -> &'static Phrases {
    Phrases::of(sheet.shop.locale().language())
}

/// The headline of where a receipt stands.
pub(super) fn standing(sheet: &Sheet<'_>) -> &'static str {
    let phrases = phrases(sheet);
    match (&sheet.standing, sheet.receipt.total) {
        (Standing::Review, _) => phrases.being_checked,
        (Standing::Due, Some(total)) if total.minor == 0 => phrases.nothing_to_pay,
        (Standing::Due, _) => phrases.to_be_paid,
        (Standing::Paid(_), _) => phrases.paid,
        (Standing::Credited { .. }, _) => phrases.credited,
        (Standing::Voided | Standing::Unbilled, _) => phrases.not_charged,
    }
}

/// What it means for the shopper, in a sentence, and when it came to be so, where that is known.
pub(super) fn sentence(sheet: &Sheet<'_>) -> (String, Option<ShopTime>) {
    let (phrases, money) = (phrases(sheet), |amount: Money| sheet.shop.locale().money(amount));
    let text = match (&sheet.standing, sheet.receipt.total) {
        (Standing::Paid(payment), _) => {
            let text = filled(phrases.paid_by, &[&money(payment.amount), &plain(payment.provider)]);
            return (text, Some(payment.at));
        }
        (Standing::Credited { payment: Some(payment), credit }, _) => {
            let (back, of) = (money(credit.amount), money(payment.amount));
            return (filled(phrases.given_back, &[&back, &of, &plain(payment.provider)]), Some(credit.at));
        }
        (Standing::Credited { payment: None, credit }, _) => {
            return (filled(phrases.taken_off, &[&money(credit.amount)]), Some(credit.at));
        }
        (Standing::Review, _) => phrases.review.to_owned(),
        (Standing::Due, Some(total)) if total.minor == 0 => phrases.free.to_owned(),
        (Standing::Due, Some(total)) => filled(phrases.will_be_charged, &[&money(total)]),
        (Standing::Due, None) => phrases.unpriced.to_owned(),
        (Standing::Voided, _) => phrases.rejected.to_owned(),
        (Standing::Unbilled, _) => phrases.unbilled.to_owned(),
    };
    (text, None)
}

/// What is taken off, with its sign; nothing has none.
pub(super) fn off(amount: Money, minus: &str, locale: Locale) -> String {
    let minus = if 0 < amount.minor { minus } else { "" };
    format!("{minus}{}", locale.amount(amount))
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
