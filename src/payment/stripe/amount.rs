//! Stripe's minor units, which are not always those of ISO 4217.

use crate::base::{Currency, Money};

/// Without decimals at Stripe.
const NO_DECIMALS: [&str; 15] =
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"];
/// With three decimals at Stripe, the last of which is 0.
const THREE_DECIMALS: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];

/// How many of Stripe's minor units an amount is.
///
/// # Errors
/// When it cannot be said in them exactly.
pub(super) fn to_stripe(money: Money) -> Result<i64, String> {
    let (ours, theirs) = (money.currency.decimals(), decimals(money.currency));
    let exact = match ours <= theirs {
        true => money.minor.checked_mul(10_i64.pow(theirs - ours)),
        false => exact_quotient(money.minor, 10_i64.pow(ours - theirs)),
    };
    let exact = exact.filter(|minor| theirs != 3 || minor % 10 == 0);
    exact.ok_or_else(|| format!("{money} cannot be said in Stripe's units of {}", money.currency))
}

/// The amount that so many of Stripe's minor units are.
///
/// # Errors
/// When the currency is unknown or the amount has no whole minor units.
pub(super) fn from_stripe(minor: i64, currency: &str) -> Result<Money, String> {
    let currency: Currency = currency.to_ascii_uppercase().parse()?;
    let (ours, theirs) = (currency.decimals(), decimals(currency));
    let exact = match ours <= theirs {
        true => exact_quotient(minor, 10_i64.pow(theirs - ours)),
        false => minor.checked_mul(10_i64.pow(ours - theirs)),
    };
    exact.map(|minor| Money::new(minor, currency)).ok_or_else(|| format!("{minor} units of {currency} are not whole"))
}

fn decimals(currency: Currency) -> u32 {
    match currency.code() {
        code if NO_DECIMALS.contains(&code) => 0,
        code if THREE_DECIMALS.contains(&code) => 3,
        _ => 2,
    }
}

fn exact_quotient(number: i64, divisor: i64) -> Option<i64> {
    (number % divisor == 0).then_some(number / divisor)
}
