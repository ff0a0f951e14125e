//! What `aisle replay --charge` does with receipts as they are written.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use serde::Serialize;

use super::book::BookArgs;
use crate::base::{CartId, CaseId, Money, PaymentId, Result, VisitId};
use crate::db::{carts, outbox};
use crate::facts::{Body, Fact, Grounds, PaymentMethod};
use crate::ledger::payment::{Payment, Standing};
use crate::ports::{Clock, FactSink, WallClock};
use crate::shop::Shop;
use crate::till::{Closed, Closing, Payer, Providers, Till, settle_due};

/// Puts every receipt into the book as soon as it is written.
pub(super) struct Charger {
    till: Till,
    providers: Providers,
    evidence: BTreeMap<VisitId, Vec<Grounds>>,
    closed: Vec<(VisitId, Closed)>,
}

/// What became of one receipt.
#[derive(Serialize)]
pub(super) struct Charge {
    visit: VisitId,
    cart: CartId,
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<CaseId>,
    standing: Option<Standing>,
    paid: Option<Money>,
    total: Option<Money>,
    again: bool,
}

impl Charger {
    pub(super) fn open(book: &BookArgs, shop: Arc<Shop>) -> Result<Self> {
        let till = Till::open(book.open_or_create()?, shop, WallClock.now())?;
        let providers = book.sandbox()?;
        Ok(Charger { till, providers, evidence: BTreeMap::new(), closed: Vec::new() })
    }

    /// Asks the sandbox for everything that is due and tells what became of each receipt.
    pub(super) fn finish(mut self) -> Result<Vec<Charge>> {
        settle_due(&mut self.till, &self.providers, &WallClock)?;
        let closed = std::mem::take(&mut self.closed);
        closed.into_iter().map(|(visit, closed)| self.charge(visit, &closed)).collect()
    }

    fn charge(&mut self, visit: VisitId, closed: &Closed) -> Result<Charge> {
        self.till.with(|session| {
            let payment: Option<Payment> = outbox::payment(session, PaymentId::of_cart(closed.cart))?;
            let versions = carts::receipts(session, closed.cart)?;
            let total = versions.last().and_then(|version| version.receipt.total);
            Ok(Charge {
                visit,
                cart: closed.cart,
                case: closed.case,
                standing: payment.as_ref().map(Payment::standing),
                paid: payment.as_ref().zip(total).map(|(payment, total)| Money::new(payment.paid(), total.currency)),
                total,
                again: closed.again,
            })
        })
    }
}

impl FactSink for Charger {
    fn put(&mut self, fact: &Fact) -> Result<()> {
        match &fact.body {
            Body::Attribution(attribution) => {
                let grounds = Grounds { fact: fact.stamp.fact_ref(), attribution: attribution.clone() };
                self.evidence.entry(attribution.visit).or_default().push(grounds);
                Ok(())
            }
            Body::Receipt(receipt) => {
                let evidence = self.evidence.remove(&receipt.visit).unwrap_or_default();
                let method = PaymentMethod {
                    provider: "sandbox".to_owned(),
                    customer: "walk-in".to_owned(),
                    token: "ok".to_owned(),
                };
                let closing = Closing { receipt: receipt.clone(), evidence, payer: Payer::WalkIn(method) };
                let closed = self.till.close(&closing, WallClock.now())?;
                self.closed.push((receipt.visit, closed));
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// What became of the receipts, for people.
pub(super) fn text(charges: &[Charge], db: &str) -> String {
    let mut text = String::from("\ncharged in the sandbox:\n");
    for charge in charges {
        let known = if charge.again { ", as booked before" } else { "" };
        // Writing to a string cannot fail.
        let _ = match (charge.case, charge.standing, charge.paid) {
            (Some(case), ..) => writeln!(text, "  shopper {}: waits for a person, {case}{known}", charge.visit),
            (None, Some(Standing::Settled), Some(paid)) => {
                writeln!(text, "  shopper {}: {paid} paid, {}{known}", charge.visit, charge.cart)
            }
            (None, Some(standing), _) => {
                writeln!(text, "  shopper {}: {}, {}{known}", charge.visit, standing.as_str(), charge.cart)
            }
            (None, None, _) => writeln!(text, "  shopper {}: no payment, {}{known}", charge.visit, charge.cart),
        };
    }
    let _ = writeln!(text, "  the book is {db}; `aisle ledger check --db {db}` proves it");
    text
}
