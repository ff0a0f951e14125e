//! Writing into the ledger, and what follows from a payment's events.

use super::refuse;
use crate::base::{CartId, CaseId, Money, PaymentId, ShopTime, ShopperId, TransferId};
use crate::db::carts::{self, Cart};
use crate::db::outbox;
use crate::db::transfers::{Entry, Sums};
use crate::db::{Failure, FailureKind, Session, cases, transfers};
use crate::facts::{Case, Concern, PaymentMethod, Transfer, TransferKind};
use crate::ledger::payment::{Effects, Payment};
use crate::ledger::{self, Admission, Reservation};

/// Appends transfers, those that are new; all of them are admitted by the rules or nothing is written.
pub(super) fn write(session: &mut dyn Session, new: &[Transfer]) -> Result<(), Failure> {
    if new.is_empty() {
        return Ok(());
    }
    let (mut seq, mut digest) = transfers::last(session)?;
    for transfer in new {
        let same_id = transfers::get(session, transfer.id)?;
        let reservation = match transfer.kind {
            TransferKind::Post { reservation } | TransferKind::Void { reservation } => reserved(session, reservation)?,
            TransferKind::Direct | TransferKind::Reserve => None,
        };
        let admission = ledger::admit(transfer, same_id.as_ref(), reservation.as_ref())
            .map_err(|refusal| refuse(format!("the ledger refuses {}: {refusal}", transfer.id)))?;
        if admission == Admission::Already {
            continue;
        }
        seq += 1;
        digest = ledger::digest(&digest, transfer);
        transfers::insert(session, &Entry { seq, transfer: transfer.clone(), digest: digest.clone() })?;
        for effect in ledger::effect(transfer, reservation.as_ref()) {
            let sums = Sums {
                account: effect.account,
                currency: effect.currency,
                debits: effect.change.debits,
                credits: effect.change.credits,
                debits_reserved: effect.change.debits_reserved,
                credits_reserved: effect.change.credits_reserved,
            };
            transfers::add(session, &sums)?;
        }
    }
    Ok(())
}

fn reserved(session: &mut dyn Session, id: TransferId) -> Result<Option<Reservation>, Failure> {
    let Some(transfer) = transfers::get(session, id)? else { return Ok(None) };
    Ok(Some(Reservation { transfer, resolved: transfers::resolution(session, id)? }))
}

/// Writes everything that follows from an event of a payment, and the payment itself.
pub(super) fn carry_out(
    session: &mut dyn Session,
    payment: &Payment,
    effects: &Effects,
    at: ShopTime,
) -> Result<(), Failure> {
    write(session, &effects.transfers)?;
    keep(session, payment, at)?;
    if let Some(order) = &effects.order {
        outbox::post(session, order)?;
    }
    if let Some(concern) = &effects.concern {
        let version = payment.bill.as_ref().map_or(0, |bill| bill.receipt);
        open_case(session, payment.cart, version, vec![concern.clone()], at)?;
    }
    Ok(())
}

/// Somebody pays for a cart from now on, with something held for it or nothing.
pub(super) fn begin(
    session: &mut dyn Session,
    cart: &mut Cart,
    (shopper, method): (ShopperId, PaymentMethod),
    hold: Option<Money>,
    at: ShopTime,
) -> Result<(), Failure> {
    cart.shopper = Some(shopper);
    carts::update(session, cart)?;
    let (payment, effects) = Payment::begin(cart.id, shopper, method, hold, at);
    carry_out(session, &payment, &effects, at)
}

/// Writes a payment as it is.
pub(super) fn keep(session: &mut dyn Session, payment: &Payment, at: ShopTime) -> Result<(), Failure> {
    let names = (payment.id, payment.cart, payment.shopper);
    outbox::put_payment(session, names, payment.standing().as_str(), at, payment)
}

/// The payment of a cart, if there is one.
///
/// # Errors
/// What the database says.
pub fn payment_of(session: &mut dyn Session, cart: CartId) -> Result<Option<Payment>, Failure> {
    outbox::payment(session, PaymentId::of_cart(cart))
}

/// A payment that must be there.
pub(super) fn payment(session: &mut dyn Session, id: PaymentId) -> Result<Payment, Failure> {
    let missing = || Failure::new(FailureKind::Broken, format!("the book has no {id}"));
    outbox::payment(session, id)?.ok_or_else(missing)
}

/// Puts something before a person.
pub(super) fn open_case(
    session: &mut dyn Session,
    cart: CartId,
    receipt: u32,
    concerns: Vec<Concern>,
    at: ShopTime,
) -> Result<Case, Failure> {
    let number = u32::try_from(cases::of_cart(session, cart)?.len()).unwrap_or(u32::MAX);
    let case = Case {
        id: CaseId::of_cart(cart, number.saturating_add(1)),
        cart,
        receipt,
        opened: at,
        concerns,
        verdict: None,
    };
    cases::insert(session, &case)?;
    Ok(case)
}
