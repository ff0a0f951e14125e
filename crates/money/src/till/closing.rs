//! Going out: the receipt is written, and booked unless a person has to look first.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Till, book, entry, refuse};
use crate::base::{CartId, CaseId, Error, Prob, Result, ShopTime, ShopperId, VisitId};
use crate::db::carts::{Cart, CartState, Origin, ReceiptVersion};
use crate::db::duties::{self, Duty};
use crate::db::shoppers::Shopper;
use crate::db::{Failure, Session, carts, cases, companions, shoppers};
use crate::facts::{Body, Concern, EntryRole, Fact, Grounds, OrderLine, PaymentMethod, Receipt, VisitBound};
use crate::ledger::payment::Bill;
use crate::shop::Shop;
use crate::{ledger, review};

/// Who pays for a visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Payer {
    /// Whoever was announced at a gate with this cart; also for somebody who came in with them, on a cart of their own. Where
    /// the book knows that they work here nobody is asked, and where it does not know the cart a person finds out who pays.
    Cart(CartId),
    /// Whoever came in with this cart works here, as a gate says; nobody is asked to pay, unless the book knows the cart as a
    /// shopper's.
    Duty {
        /// The cart.
        cart: CartId,
        /// As what they came in.
        role: EntryRole,
    },
    /// Nobody was announced; somebody made up for this visit alone pays so. Demos and recordings have no gate.
    WalkIn(PaymentMethod),
    /// Nobody knows; a person has to find out.
    Unknown,
    /// Nobody knows; they came in behind whoever has this cart, without a scan of their own.
    Behind(CartId),
}

impl Payer {
    /// Who pays for a visit that was bound. Who is not sure enough, less than `bar`, is not guessed: a person finds out.
    pub fn of(bound: &VisitBound, bar: Prob) -> Self {
        match bound.cart.filter(|_| bar <= bound.probability) {
            Some(cart) if bound.role.is_billed() => Payer::Cart(cart),
            Some(cart) => Payer::Duty { cart, role: bound.role },
            None => bound.behind.filter(|_| bound.cart.is_none()).map_or(Payer::Unknown, Payer::Behind),
        }
    }

    /// The cart that was opened for the visit at a gate.
    pub fn cart(&self) -> Option<CartId> {
        match self {
            Payer::Cart(cart) | Payer::Duty { cart, .. } => Some(*cart),
            Payer::WalkIn(_) | Payer::Unknown | Payer::Behind(_) => None,
        }
    }
}

/// What became of a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The cart.
    pub cart: CartId,
    /// What a person has to decide before money moves; none where the receipt is booked.
    pub case: Option<CaseId>,
    /// It was here before; nothing was done again.
    pub again: bool,
}

/// A visit that is over.
#[derive(Clone, Debug)]
pub struct Closing {
    /// What was bought.
    pub receipt: Receipt,
    /// Why that is believed.
    pub evidence: Vec<Grounds>,
    /// Who pays.
    pub payer: Payer,
}

/// Puts receipts and the attributions behind them together, as an engine gives them one after the other.
#[derive(Debug, Default)]
pub struct Endings {
    evidence: BTreeMap<VisitId, Vec<Grounds>>,
}

impl Endings {
    /// Takes a fact; gives what is to be closed when it is a receipt. `payer` is asked who pays for the visit then.
    pub fn take(&mut self, fact: &Fact, payer: impl FnOnce(VisitId) -> Payer) -> Option<Closing> {
        match &fact.body {
            Body::Attribution(attribution) => {
                let grounds = Grounds { fact: fact.stamp.fact_ref(), attribution: attribution.clone() };
                self.evidence.entry(attribution.visit).or_default().push(grounds);
                None
            }
            Body::Receipt(receipt) => {
                let evidence = self.evidence.remove(&receipt.visit).unwrap_or_default();
                Some(Closing { evidence, payer: payer(receipt.visit), receipt: receipt.clone() })
            }
            _ => None,
        }
    }
}

impl Till {
    /// A visit is over. Its receipt and evidence are written; if nobody has to look at it, it is booked and what is owed
    /// is ordered, all at once. Of somebody who works here it is written and nothing more. The same receipt again changes
    /// nothing; another one for the same visit goes to a person.
    ///
    /// # Errors
    /// What the database says.
    pub fn close(&mut self, closing: &Closing, at: ShopTime) -> Result<Closed> {
        let shop = self.shop.clone();
        self.db.transaction(|session| close_in(session, &shop, closing, at))
    }
}

pub(super) fn close_in(
    session: &mut dyn Session,
    shop: &Shop,
    closing: &Closing,
    at: ShopTime,
) -> Result<Closed, Failure> {
    let Closing { receipt, evidence, payer } = closing;
    let own = CartId::of_visit(shop.name(), receipt.entered, receipt.visit);
    let announced = payer.cart().map(|id| carts::get(session, id)).transpose()?.flatten();
    let (known, host) = match announced {
        // The cart is that of somebody else, with whom this one came in.
        Some(cart) if cart.visit.is_some_and(|visit| visit != receipt.visit) => (carts::get(session, own)?, Some(cart)),
        // A gate that asks nobody may name a cart that the book does not know.
        None => (carts::get(session, own)?, None),
        known => (known, None),
    };
    let duty = duty(session, payer, known.as_ref(), host.as_ref())?;
    if let Some(cart) = known.as_ref().filter(|cart| 0 < cart.receipt) {
        return match duty {
            Some(_) => Ok(Closed { cart: cart.id, case: None, again: true }),
            None => compare(session, cart, receipt, at),
        };
    }
    let mut cart = match known {
        Some(cart) => cart,
        None => entry::open(session, shop.name(), own, None, None, receipt.entered)?,
    };
    let id = cart.id;
    if let Some(host) = &host {
        companions::join(session, id, host.id)?;
    }
    if let Some(duty) = duty {
        note(session, shop, cart, (receipt, evidence), duty, at)?;
        return Ok(Closed { cart: id, case: None, again: false });
    }
    match (payer, cart.shopper, host.and_then(|host| host.shopper)) {
        (Payer::WalkIn(method), None, _) => walk_in(session, shop, &mut cart, method, at)?,
        (_, None, Some(host)) => come_along(session, &mut cart, host, at)?,
        _ => {}
    }
    let mut concerns = review::concerns(shop, receipt);
    if cart.shopper.is_none() {
        concerns.push(Concern::NoPayer);
        if let Payer::Behind(behind) = payer {
            concerns.push(Concern::Tailgated { behind: *behind });
        }
    }
    if !concerns.is_empty() {
        let case = put_aside(session, shop, cart, receipt, evidence, concerns, at)?;
        return Ok(Closed { cart: id, case: Some(case), again: false });
    }
    let version = first_version(session, shop, &mut cart, receipt, evidence, at)?;
    book_receipt(session, &mut cart, &version, None, at)?;
    Ok(Closed { cart: id, case: None, again: false })
}

/// As what somebody who works here came in: as the book says of their cart or of that of whoever brought them, and where it
/// knows nobody, as the gate says.
fn duty(
    session: &mut dyn Session,
    payer: &Payer,
    known: Option<&Cart>,
    host: Option<&Cart>,
) -> Result<Option<Duty>, Failure> {
    for cart in known.into_iter().chain(host) {
        if let Some(duty) = duties::of_cart(session, cart.id)? {
            return Ok(Some(duty));
        }
    }
    let is_paid = known.into_iter().chain(host).any(|cart| cart.shopper.is_some());
    Ok(match payer {
        Payer::Duty { role, .. } if !is_paid && !role.is_billed() => Some(Duty { role: *role, token: None }),
        _ => None,
    })
}

/// Writes the receipt of somebody who works here: what was taken is noted, nothing is booked, and nobody has to look.
pub(super) fn note(
    session: &mut dyn Session,
    shop: &Shop,
    mut cart: Cart,
    (receipt, evidence): (&Receipt, &[Grounds]),
    duty: Duty,
    at: ShopTime,
) -> Result<(), Failure> {
    if duties::of_cart(session, cart.id)?.is_none() {
        duties::insert(session, cart.id, duty)?;
    }
    first_version(session, shop, &mut cart, receipt, evidence, at)?;
    cart.state = CartState::Settled;
    carts::update(session, &cart)
}

/// Writes a receipt that a person has to look at before money moves.
pub(super) fn put_aside(
    session: &mut dyn Session,
    shop: &Shop,
    mut cart: Cart,
    receipt: &Receipt,
    evidence: &[Grounds],
    concerns: Vec<Concern>,
    at: ShopTime,
) -> Result<CaseId, Failure> {
    first_version(session, shop, &mut cart, receipt, evidence, at)?;
    cart.state = CartState::Review;
    carts::update(session, &cart)?;
    Ok(book::open_case(session, cart.id, 1, concerns, at)?.id)
}

/// Writes the first version of a cart's receipt with its evidence; the cart itself is left to the caller.
fn first_version(
    session: &mut dyn Session,
    shop: &Shop,
    cart: &mut Cart,
    receipt: &Receipt,
    evidence: &[Grounds],
    at: ShopTime,
) -> Result<ReceiptVersion, Failure> {
    cart.receipt = 1;
    cart.visit = Some(receipt.visit);
    cart.left_at = Some(receipt.left);
    cart.live = None;
    let version =
        ReceiptVersion { cart: cart.id, version: 1, made_at: at, origin: Origin::Engine, receipt: receipt.clone() };
    carts::insert_receipt(session, &version)?;
    carts::keep_evidence(session, cart.id, at + shop.policy().payment.evidence_kept, evidence)?;
    Ok(version)
}

/// A visit that was closed before comes again.
fn compare(session: &mut dyn Session, cart: &Cart, receipt: &Receipt, at: ShopTime) -> Result<Closed, Failure> {
    let versions = carts::receipts(session, cart.id)?;
    let goods = |receipt: &Receipt| -> Vec<_> {
        receipt.lines.iter().map(|line| (line.sku.clone(), line.quantity, line.amount)).collect()
    };
    let same = versions
        .first()
        .is_some_and(|first| goods(&first.receipt) == goods(receipt) && first.receipt.total == receipt.total);
    let cases = cases::of_cart(session, cart.id)?;
    let waiting = cases.iter().find(|case| case.verdict.is_none());
    let told = cases.iter().any(|case| case.concerns.contains(&Concern::Recomputed));
    let case = match waiting {
        None if !same && !told => {
            Some(book::open_case(session, cart.id, cart.receipt, vec![Concern::Recomputed], at)?.id)
        }
        waiting => waiting.map(|case| case.id),
    };
    Ok(Closed { cart: cart.id, case, again: true })
}

/// A payer made up for a visit without a gate.
fn walk_in(
    session: &mut dyn Session,
    shop: &Shop,
    cart: &mut Cart,
    method: &PaymentMethod,
    at: ShopTime,
) -> Result<(), Failure> {
    let id = ShopperId::derived(&["walk-in", &cart.id.hex()]);
    if shoppers::get(session, id)?.is_none() {
        let method = Some(method.clone());
        let walk_in =
            Shopper { id, name: None, contact: None, method, gate_digest: None, created_at: at, erased_at: None };
        shoppers::insert(session, &walk_in)?;
    }
    book::begin(session, cart, (id, method.clone()), shop.policy().payment.hold, at)
}

/// Somebody else pays for a visit, as they do for their own; nothing is held for it.
fn come_along(session: &mut dyn Session, cart: &mut Cart, host: ShopperId, at: ShopTime) -> Result<(), Failure> {
    let method = shoppers::get(session, host)?.and_then(|host| host.method);
    let Some(method) = method else { return Ok(()) };
    book::begin(session, cart, (host, method), None, at)
}

/// Writes a version of a receipt into the ledger, in place of the one that was there, and orders what follows.
pub(super) fn book_receipt(
    session: &mut dyn Session,
    cart: &mut Cart,
    version: &ReceiptVersion,
    booked: Option<&Receipt>,
    at: ShopTime,
) -> Result<(), Failure> {
    let Some(shopper) = cart.shopper else {
        return Err(Error::conflict(format!("nobody is known to pay for {}; assign a shopper first", cart.id)).into());
    };
    let Some(total) = version.receipt.total else {
        return Err(refuse("the receipt has no total, because a product has no price; change its lines or reject it"));
    };
    let receipt = &version.receipt;
    let transfers = match booked {
        None => ledger::sale(shopper, cart.id, version.version, receipt, at),
        Some(booked) => ledger::credit(shopper, cart.id, version.version, booked, receipt, at),
    };
    let transfers = transfers.map_err(|refusal| refuse(format!("{} cannot be booked: {refusal}", cart.id)))?;
    book::write(session, &transfers)?;
    cart.booked = version.version;
    cart.state = CartState::Settled;
    carts::update(session, cart)?;
    let Some(mut payment) = book::payment_of(session, cart.id)? else {
        return Err(refuse(format!("{} has no payment", cart.id)));
    };
    let amounts = receipt.lines.iter().filter_map(|line| Some((line, line.amount?)));
    let lines = amounts.map(|(line, amount)| OrderLine { name: line.name.clone(), quantity: line.quantity, amount });
    let bill = Bill { receipt: version.version, total, lines: lines.collect() };
    let effects = payment.bill(bill, at);
    book::carry_out(session, &payment, &effects, at)
}
