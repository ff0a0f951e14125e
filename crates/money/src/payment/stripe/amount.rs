//! Stripe's minor units, which are not always those of ISO 4217.

use crate::base::{Currency, Money};
use crate::payment::Unpayable;

/// Without decimals at Stripe.
const NO_DECIMALS: [&str; 15] =
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"];
/// With three decimals at Stripe, the last of which is 0.
const THREE_DECIMALS: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];

/// The least payment, in Stripe's minor units, of currencies for which Stripe names one. Others must be worth as much as
/// the least of the currency that the account is paid out in, which is not known here.
const LEAST: [(&str, i64); 25] = [
    ("AED", 200),
    ("AUD", 50),
    ("BGN", 100),
    ("BRL", 50),
    ("CAD", 50),
    ("CHF", 50),
    ("CZK", 1_500),
    ("DKK", 250),
    ("EUR", 50),
    ("GBP", 30),
    ("HKD", 400),
    ("HRK", 50),
    ("HUF", 17_500),
    ("INR", 50),
    ("JPY", 50),
    ("MXN", 1_000),
    ("MYR", 200),
    ("NOK", 300),
    ("NZD", 50),
    ("PLN", 200),
    ("RON", 200),
    ("SEK", 300),
    ("SGD", 50),
    ("THB", 1_000),
    ("USD", 50),
];
/// Digits of the largest payment, but for rupiahs.
const DIGITS_MAX: u32 = 8;
/// Digits of the largest payment in rupiahs.
const RUPIAH_DIGITS_MAX: u32 = 12;

/// How many of Stripe's minor units a hold or a charge of this amount is.
///
/// # Errors
/// When Stripe takes no such payment: it cannot be said in its units, is too small or too large.
pub(super) fn payable(money: Money) -> Result<i64, Unpayable> {
    let minor = to_stripe(money).map_err(Unpayable::Never)?;
    let code = money.currency.code();
    let least = LEAST.iter().find(|(listed, _)| *listed == code).map_or(1, |(_, least)| *least);
    let shown =
        |minor: i64| from_stripe(minor, code).map_or_else(|_| format!("{minor} {code}"), |money| money.to_string());
    if minor < least {
        let reason = format!("{money} is too little: Stripe takes no payment below {}", shown(least));
        return Err(Unpayable::TooLittle(reason));
    }
    let most = 10_i64.pow(if code == "IDR" { RUPIAH_DIGITS_MAX } else { DIGITS_MAX }) - 1;
    match minor <= most {
        true => Ok(minor),
        false => Err(Unpayable::Never(format!("{money} is too much: Stripe takes no payment above {}", shown(most)))),
    }
}

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
