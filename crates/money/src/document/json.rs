//! The receipt for programs: `facts::Receipt` as recordings have it, in an envelope that says what it is about.

use serde::Serialize;

use super::{Sheet, Standing};
use crate::base::text::escaped;
use crate::base::{CartId, Currency, Error, Interchange, Money, Result, ShopTime};
use crate::facts::{Attribution, FactRef, Receipt};

/// Version of this form; it rises when something is renamed or goes away.
const FORMAT: u32 = 1;
/// The version whose times and money are as [`Interchange`] writes them.
const FORMAT_INTERCHANGE: u32 = 2;

#[derive(Serialize)]
struct Envelope<'a> {
    format: u32,
    shop: &'a str,
    cart: CartId,
    version: u32,
    currency: Currency,
    state: &'static str,
    payment: Option<PaymentEntry<'a>>,
    credit: Option<CreditEntry>,
    receipt: &'a Receipt,
    attributions: Vec<Numbered<'a>>,
}

#[derive(Serialize)]
struct PaymentEntry<'a> {
    provider: &'a str,
    amount: Money,
    at: ShopTime,
}

#[derive(Serialize)]
struct CreditEntry {
    amount: Money,
    at: ShopTime,
    before_version: u32,
}

#[derive(Serialize)]
struct Numbered<'a> {
    fact: &'a FactRef,
    #[serde(flatten)]
    attribution: &'a Attribution,
}

pub(super) fn render(sheet: &Sheet<'_>) -> Result<String> {
    write(&envelope(FORMAT, sheet))
}

pub(super) fn interchange(sheet: &Sheet<'_>) -> Result<String> {
    write(&Interchange(envelope(FORMAT_INTERCHANGE, sheet)))
}

fn envelope<'a>(format: u32, sheet: &'a Sheet<'_>) -> Envelope<'a> {
    let (payment, credit) = match sheet.standing {
        Standing::Paid(payment) => (Some(payment), None),
        Standing::Credited { payment, credit } => (payment, Some(credit)),
        Standing::Review | Standing::Due | Standing::Voided | Standing::Unbilled => (None, None),
    };
    let own = sheet.attributions.iter().filter(|(_, attribution)| attribution.visit == sheet.receipt.visit);
    Envelope {
        format,
        shop: sheet.shop.name(),
        cart: sheet.cart,
        version: sheet.version,
        currency: sheet.receipt.total.map_or(sheet.shop.policy().currency, |total| total.currency),
        state: sheet.standing.name(),
        payment: payment.map(|paid| PaymentEntry { provider: paid.provider, amount: paid.amount, at: paid.at }),
        credit: credit.map(|credit| CreditEntry {
            amount: credit.amount,
            at: credit.at,
            before_version: credit.before_version,
        }),
        receipt: sheet.receipt,
        attributions: own.map(|(fact, attribution)| Numbered { fact, attribution }).collect(),
    }
}

fn write(envelope: &impl Serialize) -> Result<String> {
    let mut text = serde_json::to_string_pretty(envelope)
        .map_err(|error| Error::input(format!("the receipt cannot be written as JSON: {error}")))?;
    text.push('\n');
    // What would steer a terminal stands there as an escape, and is read back as what it was.
    Ok(escaped(&text).into_owned())
}
