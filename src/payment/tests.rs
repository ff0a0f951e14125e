//! What the tests of several providers stand on: a clock that is set by hand, orders, a server on this machine.

pub(super) mod server;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::base::{CartId, Currency, Money, PaymentId, ShopTime, Span, TransferId};
use crate::facts::{Answer, Order, PaymentMethod, Settled, Task};
use crate::ports::{Clock, PaymentProvider};

/// A clock that stands until it is set.
pub(super) struct Standing(AtomicI64);

impl Clock for Standing {
    fn now(&self) -> ShopTime {
        ShopTime::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

impl Standing {
    /// A clock that stands at a time of 2023-11-14.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Standing(AtomicI64::new(1_700_000_000_000_000_000)))
    }

    /// Lets time pass.
    pub(super) fn on(&self, span: Span) {
        self.0.fetch_add(span.as_nanos(), Ordering::Relaxed);
    }
}

/// An order of 2023-11-14, named after `name`.
pub(super) fn order(name: &str, method: &PaymentMethod, task: Task, minor: i64, currency: &str) -> Order {
    let cart = CartId::derived(&["cart"]);
    let currency: Currency = currency.parse().unwrap();
    Order {
        id: TransferId::derived(&[name]),
        payment: PaymentId::of_cart(cart),
        cart,
        task,
        amount: Money::new(minor, currency),
        method: method.clone(),
        lines: Vec::new(),
        made_at: ShopTime::from_nanos(1_700_000_000_000_000_000),
    }
}

/// Submits an order and expects it to be done in full.
pub(super) fn done(provider: &dyn PaymentProvider, order: &Order) -> Settled {
    match provider.submit(order) {
        Answer::Done { reference, amount } if amount == order.amount => Settled { order: order.id, reference, amount },
        other => panic!("{:?}: {other:?}", order.task),
    }
}

/// The code of a decline, and whether the shopper can mend it.
pub(super) fn declined(answer: &Answer) -> (&str, bool) {
    match answer {
        Answer::Declined { code, wants_shopper, .. } => (code, *wants_shopper),
        other => panic!("{other:?}"),
    }
}

/// A file of the contract data, if it is here: below `AISLE_DATA`, else beside the repository. Says when it is not.
pub(super) fn contract_file(name: &str) -> Option<Vec<u8>> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let path = std::env::var_os("AISLE_DATA").map_or_else(beside, PathBuf::from).join("specs").join(name);
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        eprintln!("skipped: no {}; set AISLE_DATA to the data folder", path.display());
    }
    bytes
}
