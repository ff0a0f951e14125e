//! The chain of digests: each row of the ledger carries one of itself and of the row before, so that a row which was
//! changed, dropped, added or moved afterwards shows.

use crate::base::{add_part as field, sha256};
use crate::facts::{Reason, Transfer, TransferKind};

/// The digest of a row: SHA-256 of the previous row's digest (empty for the first row) and all that the transfer says,
/// 64 hexadecimal digits.
pub fn digest(previous: &str, transfer: &Transfer) -> String {
    let mut text = content(transfer);
    field(&mut text, &transfer.at.as_nanos().to_string());
    field(&mut text, previous);
    sha256(text.as_bytes())
}

/// What makes two transfers the same: all but when it was decided, because whoever decides it again after a crash does
/// so at another moment. One text for each content, whatever JSON or a database make of it.
pub(super) fn content(transfer: &Transfer) -> String {
    let Transfer { id, kind, reason, debit, credit, amount, cart, receipt, at: _ } = transfer;
    let (kind, reservation) = match kind {
        TransferKind::Direct => ("direct", String::new()),
        TransferKind::Reserve => ("reserve", String::new()),
        TransferKind::Post { reservation } => ("post", reservation.to_string()),
        TransferKind::Void { reservation } => ("void", reservation.to_string()),
    };
    let mut text = String::with_capacity(320);
    field(&mut text, &id.to_string());
    field(&mut text, kind);
    field(&mut text, &reservation);
    field(&mut text, reason_name(*reason));
    field(&mut text, &debit.to_string());
    field(&mut text, &credit.to_string());
    field(&mut text, &amount.minor.to_string());
    field(&mut text, amount.currency.code());
    field(&mut text, &cart.to_string());
    field(&mut text, &receipt.map_or_else(String::new, |version| version.to_string()));
    text
}

/// Written out, because digests must outlive a renaming in the code.
pub(super) fn reason_name(reason: Reason) -> &'static str {
    match reason {
        Reason::Sale => "sale",
        Reason::Tax => "tax",
        Reason::Hold => "hold",
        Reason::Capture => "capture",
        Reason::Charge => "charge",
        Reason::CreditNote => "credit_note",
        Reason::TaxCredit => "tax_credit",
        Reason::Refund => "refund",
        Reason::WriteOff => "write_off",
        Reason::Dispute => "dispute",
        Reason::Reinstatement => "reinstatement",
        Reason::Recovery => "recovery",
    }
}
