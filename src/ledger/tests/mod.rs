//! What the tests of the ledger write with.

mod rules;

use super::*;
use crate::base::{CartId, Currency, Money, ShopTime, ShopperId, TransferId};
use crate::facts::{Account, Reason, Transfer, TransferKind};

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
        Reason::Hold | Reason::Capture | Reason::Charge => (clearing(), ann()),
        Reason::CreditNote => (Account::Refunds, ann()),
        Reason::TaxCredit => (tax(), ann()),
        Reason::Refund | Reason::Dispute => (ann(), clearing()),
        Reason::WriteOff => (Account::Losses, ann()),
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
