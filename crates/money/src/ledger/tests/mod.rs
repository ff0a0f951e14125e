//! What the tests of the ledger write with.

mod audit;
mod book;
mod rules;
mod sale;

use serde_json::{Value, json};

use super::*;
use crate::base::{BasisPoints, CartId, Currency, Money, ShopTime, ShopperId, TransferId};
use crate::facts::{Account, Reason, Receipt, Transfer, TransferKind};

fn shopper(name: &str) -> ShopperId {
    ShopperId::derived(&[name])
}

fn cart(name: &str) -> CartId {
    CartId::derived(&[name])
}

fn id(name: &str) -> TransferId {
    TransferId::derived(&[name])
}

fn dollars(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn at(nanos: i64) -> ShopTime {
    ShopTime::from_nanos(nanos)
}

fn clearing() -> Account {
    Account::Clearing("sandbox".to_owned())
}

/// A transfer of Ann's cart `one`, with the kind and the accounts that belong to its reason. What a capture or the
/// void of a hold resolves is called `resolves`.
fn transfer(name: &str, reason: Reason, minor: i64, resolves: &str) -> Transfer {
    let ann = || Account::Shopper(shopper("ann"));
    let tax = || Account::Tax("full".to_owned());
    let (debit, credit) = match reason {
        Reason::Sale => (ann(), Account::Revenue),
        Reason::Tax => (ann(), tax()),
        Reason::Hold | Reason::Capture | Reason::Charge | Reason::Reinstatement => (clearing(), ann()),
        Reason::CreditNote => (Account::Refunds, ann()),
        Reason::TaxCredit => (tax(), ann()),
        Reason::Refund | Reason::Dispute => (ann(), clearing()),
        Reason::WriteOff => (Account::Losses, ann()),
        Reason::Recovery => (ann(), Account::Losses),
    };
    let kind = match reason {
        Reason::Hold if resolves.is_empty() => TransferKind::Reserve,
        Reason::Hold => TransferKind::Void { reservation: id(resolves) },
        Reason::Capture => TransferKind::Post { reservation: id(resolves) },
        _ => TransferKind::Direct,
    };
    let (amount, cart) = (dollars(minor), cart("one"));
    Transfer { id: id(name), kind, reason, debit, credit, amount, cart, receipt: None, at: at(1) }
}

/// A receipt of these lines, prices with tax: units, price in cents, and the tax rule (`full`, `food` or none).
fn receipt(lines: &[(u32, i64, &str)]) -> Receipt {
    let amount = |(units, price, _): &(u32, i64, &str)| i64::from(*units) * price;
    let line = |(index, line): (usize, &(u32, i64, &str))| {
        json!({ "sku": index.to_string(), "name": "x", "quantity": line.0, "unit_price": dollars(line.1),
            "amount": dollars(amount(line)), "tax": (!line.2.is_empty()).then_some(line.2), "probability": 1.0,
            "attributions": [] })
    };
    let rules = [("food", BasisPoints::new(700)), ("full", BasisPoints::new(1_900))];
    let share = |(name, rate): (&str, BasisPoints)| {
        let gross: Vec<i64> = lines.iter().filter(|line| line.2 == name).map(amount).collect();
        let tax = rate.within(dollars(gross.iter().sum())).unwrap();
        let net = dollars(gross.iter().sum::<i64>() - tax.minor);
        (!gross.is_empty()).then(|| json!({ "name": name, "rate": rate, "net": net, "tax": tax }))
    };
    let value = json!({ "visit": "7", "entered": 1, "left": 2, "closing": "left",
        "lines": lines.iter().enumerate().map(line).collect::<Vec<Value>>(),
        "taxes": rules.into_iter().filter_map(share).collect::<Vec<Value>>(),
        "total": dollars(lines.iter().map(amount).sum()), "probability": 1.0 });
    serde_json::from_value(value).unwrap()
}
