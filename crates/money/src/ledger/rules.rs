//! What may be written into the book.

use std::fmt;

use super::digest::{content, reason_name};
use crate::base::{Money, TransferId};
use crate::facts::{Account, Reason, Transfer, TransferKind};

/// A reservation in the book, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// The transfer that reserved.
    pub transfer: Transfer,
    /// The transfer that posted or voided it; none while it is open.
    pub resolved: Option<TransferId>,
}

/// That a transfer may stand in the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is to be written.
    New,
    /// It stands there already; nothing is to be done.
    Already,
}

/// Why a transfer may not be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Another transfer has this id.
    OtherContent(TransferId),
    /// Both accounts are one.
    OneAccount(Account),
    /// The amount is zero or less; of a void, not zero.
    Amount(Money),
    /// The kind or the accounts are not those of its reason.
    Reason(Reason),
    /// What it resolves is not in the book, or reserves nothing.
    NoReservation(TransferId),
    /// What it resolves was resolved before.
    Resolved {
        /// The reservation.
        reservation: TransferId,
        /// What resolved it.
        by: TransferId,
    },
    /// What it resolves is between other accounts, in another currency or of another cart.
    OtherReservation(TransferId),
    /// More than was reserved.
    AboveReservation {
        /// What would be posted.
        posted: Money,
        /// What was reserved.
        reserved: Money,
    },
    /// The sums of an account would no longer fit into 64 bits.
    Overflow(Account),
}

/// Whether a transfer may be written into a book that has `same_id` under its id and `reservation` under the id of what
/// it resolves. It reads nothing else, so whoever keeps the book looks these two up.
///
/// The same transfer again is [`Admission::Already`], also when it was decided at another moment: the first one stands.
///
/// # Errors
/// The first rule that it breaks.
pub fn admit(
    transfer: &Transfer,
    same_id: Option<&Transfer>,
    reservation: Option<&Reservation>,
) -> Result<Admission, Refusal> {
    match same_id {
        Some(known) if content(known) == content(transfer) => Ok(Admission::Already),
        Some(_) => Err(Refusal::OtherContent(transfer.id)),
        None => check_new(transfer, reservation).map(|()| Admission::New),
    }
}

/// The rules for a transfer whose id is not in the book.
pub(super) fn check_new(transfer: &Transfer, reservation: Option<&Reservation>) -> Result<(), Refusal> {
    if transfer.debit == transfer.credit {
        return Err(Refusal::OneAccount(transfer.debit.clone()));
    }
    let is_void = matches!(transfer.kind, TransferKind::Void { .. });
    if is_void != (transfer.amount.minor == 0) || transfer.amount.minor < 0 {
        return Err(Refusal::Amount(transfer.amount));
    }
    if !fits_reason(transfer) {
        return Err(Refusal::Reason(transfer.reason));
    }
    match transfer.kind {
        TransferKind::Direct | TransferKind::Reserve => Ok(()),
        TransferKind::Post { reservation: id } | TransferKind::Void { reservation: id } => {
            check_resolving(transfer, id, reservation)
        }
    }
}

fn check_resolving(transfer: &Transfer, id: TransferId, reservation: Option<&Reservation>) -> Result<(), Refusal> {
    let reserving = reservation.filter(|found| found.transfer.id == id && found.transfer.kind == TransferKind::Reserve);
    let Some(Reservation { transfer: reserved, resolved }) = reserving else {
        return Err(Refusal::NoReservation(id));
    };
    if let Some(by) = *resolved {
        return Err(Refusal::Resolved { reservation: id, by });
    }
    let same = reserved.debit == transfer.debit
        && reserved.credit == transfer.credit
        && reserved.cart == transfer.cart
        && reserved.amount.currency == transfer.amount.currency;
    if !same {
        return Err(Refusal::OtherReservation(id));
    }
    if reserved.amount.minor < transfer.amount.minor {
        return Err(Refusal::AboveReservation { posted: transfer.amount, reserved: reserved.amount });
    }
    Ok(())
}

/// Whether kind and accounts are those that the reason stands for.
fn fits_reason(transfer: &Transfer) -> bool {
    use Account::{Clearing, Losses, Refunds, Revenue, Shopper, Tax};
    let kind = match transfer.reason {
        Reason::Hold => matches!(transfer.kind, TransferKind::Reserve | TransferKind::Void { .. }),
        Reason::Capture => matches!(transfer.kind, TransferKind::Post { .. }),
        // A refund may be set aside when it is ordered, and is then posted or voided when the provider has answered.
        Reason::Refund => true,
        _ => transfer.kind == TransferKind::Direct,
    };
    let accounts = matches!(
        (transfer.reason, &transfer.debit, &transfer.credit),
        (Reason::Sale, Shopper(_), Revenue)
            | (Reason::Tax, Shopper(_), Tax(_))
            | (Reason::Hold | Reason::Capture | Reason::Charge | Reason::Reinstatement, Clearing(_), Shopper(_))
            | (Reason::CreditNote, Refunds, Shopper(_))
            | (Reason::TaxCredit, Tax(_), Shopper(_))
            | (Reason::Refund | Reason::Dispute, Shopper(_), Clearing(_))
            | (Reason::WriteOff, Losses, Shopper(_))
            | (Reason::Recovery, Shopper(_), Losses)
    );
    kind && accounts
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::OtherContent(id) => write!(f, "{id} stands in the book with another content"),
            Refusal::OneAccount(account) => write!(f, "{account} would be debited and credited at once"),
            Refusal::Amount(amount) => write!(f, "an amount of {amount}: of a void it is zero, of all others positive"),
            Refusal::Reason(reason) => {
                write!(f, "the kind or the accounts are not those of reason `{}`", reason_name(*reason))
            }
            Refusal::NoReservation(id) => write!(f, "{id} is not a reservation in the book"),
            Refusal::Resolved { reservation, by } => write!(f, "reservation {reservation} was resolved by {by}"),
            Refusal::OtherReservation(id) => {
                write!(f, "reservation {id} is of another cart, between other accounts or in another currency")
            }
            Refusal::AboveReservation { posted, reserved } => {
                write!(f, "{posted} would be posted where {reserved} is reserved")
            }
            Refusal::Overflow(account) => write!(f, "the sums of {account} would not fit into 64 bits"),
        }
    }
}

impl std::error::Error for Refusal {}
