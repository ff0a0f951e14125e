//! What `aisle replay --charge` does with receipts as they are written.

use std::fmt::Write as _;
use std::sync::Arc;

use serde::Serialize;

use super::anchors::{AnchorArgs, Anchors};
use super::book::{self, BookArgs};
use crate::base::{CartId, CaseId, Money, Result, VisitId};
use crate::db::carts;
use crate::facts::Fact;
use crate::ledger::payment::{Payment, Standing};
use crate::live::walk_in_method;
use crate::ports::{Clock, FactSink, WallClock};
use crate::shop::Shop;
use crate::till::{Closed, Endings, Payer, Providers, Till, ends, payment_of, settle_due};

/// Puts every receipt into the book as soon as it is written.
pub(super) struct Charger {
    till: Till,
    providers: Providers,
    endings: Endings,
    closed: Vec<(VisitId, Closed)>,
    anchors: Option<Anchors>,
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
    pub(super) fn open(book: &BookArgs, shop: Arc<Shop>, anchors: &AnchorArgs) -> Result<Self> {
        super::shops::check_trade(&shop)?;
        let anchors = anchors.open()?;
        let mut database = book.open_or_create()?;
        let providers = book::alone(book.sandbox(&mut database)?);
        let till = Till::open(database, shop, WallClock.now())?;
        Ok(Charger { till, providers, endings: Endings::default(), closed: Vec::new(), anchors })
    }

    /// Asks the sandbox for everything that is due and tells what became of each receipt.
    pub(super) fn finish(mut self) -> Result<Vec<Charge>> {
        settle_due(&mut self.till, &self.providers, &WallClock)?;
        if let Some(anchors) = &mut self.anchors {
            anchors.add(self.till.with(ends)?, WallClock.now())?;
        }
        let closed = std::mem::take(&mut self.closed);
        closed.into_iter().map(|(visit, closed)| self.charge(visit, &closed)).collect()
    }

    fn charge(&mut self, visit: VisitId, closed: &Closed) -> Result<Charge> {
        self.till.with(|session| {
            let payment = payment_of(session, closed.cart)?;
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
        let payer = |_| Payer::WalkIn(walk_in_method());
        if let Some(closing) = self.endings.take(fact, payer) {
            let closed = self.till.close(&closing, WallClock.now())?;
            self.closed.push((closing.receipt.visit, closed));
        }
        Ok(())
    }
}

/// What became of the receipts, for people.
pub(super) fn text(charges: &[Charge], book: &BookArgs) -> Result<String> {
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
    let _ = match book.command("aisle ledger check")? {
        Some(command) => writeln!(text, "  the book is {}; {command} proves it", book.shown()?),
        None => writeln!(text, "  the book was in memory and is gone"),
    };
    Ok(text)
}
