//! A book in memory: transfers folded into balances.

use std::collections::BTreeMap;
use std::fmt;

use ring::digest::{SHA256, digest as hash};

use super::digest::content;
use super::rules::{Admission, Refusal, Reservation, check_new};
use crate::base::{Currency, TransferId};
use crate::facts::{Account, Transfer, TransferKind};

/// The sums of one account in one currency, in minor units. As the change that a transfer makes, they may be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// What it was debited.
    pub debits: i64,
    /// What it was credited.
    pub credits: i64,
    /// What is reserved to be debited.
    pub debits_reserved: i64,
    /// What is reserved to be credited.
    pub credits_reserved: i64,
}

/// What a transfer changes in one of its accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The account.
    pub account: Account,
    /// In which currency.
    pub currency: Currency,
    /// What is to be added to its balance.
    pub change: Balance,
}

/// All transfers so far, as far as the next ones depend on them.
#[derive(Clone, Debug, Default)]
pub struct Book {
    balances: BTreeMap<(Account, Currency), Balance>,
    /// SHA-256 of each transfer's content: a million transfers are kept in far less than their own size.
    known: BTreeMap<TransferId, [u8; 32]>,
    reservations: BTreeMap<TransferId, Reservation>,
}

/// What an admitted transfer changes, of its debited account first; `reservation` is what it resolves.
pub fn effect(transfer: &Transfer, reservation: Option<&Reservation>) -> [Effect; 2] {
    let amount = transfer.amount.minor;
    let released = reservation.map_or(0, |reservation| reservation.transfer.amount.minor);
    let (moved, reserved) = match transfer.kind {
        TransferKind::Direct => (amount, 0),
        TransferKind::Reserve => (0, amount),
        TransferKind::Post { .. } => (amount, -released),
        TransferKind::Void { .. } => (0, -released),
    };
    let of =
        |account: &Account, change| Effect { account: account.clone(), currency: transfer.amount.currency, change };
    let debit = Balance { debits: moved, debits_reserved: reserved, ..Balance::default() };
    let credit = Balance { credits: moved, credits_reserved: reserved, ..Balance::default() };
    [of(&transfer.debit, debit), of(&transfer.credit, credit)]
}

impl Balance {
    /// The balance after a change; `None` when it does not fit.
    pub fn checked_add(self, change: Balance) -> Option<Balance> {
        Some(Balance {
            debits: self.debits.checked_add(change.debits)?,
            credits: self.credits.checked_add(change.credits)?,
            debits_reserved: self.debits_reserved.checked_add(change.debits_reserved)?,
            credits_reserved: self.credits_reserved.checked_add(change.credits_reserved)?,
        })
    }

    /// Debits less credits: what is owed by a shopper, or negative, what is owed to them.
    pub fn net(self) -> i64 {
        self.debits.saturating_sub(self.credits)
    }
}

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Balance { debits, credits, debits_reserved, credits_reserved } = self;
        write!(f, "debits {debits} ({debits_reserved} reserved), credits {credits} ({credits_reserved} reserved)")
    }
}

impl Book {
    /// Writes a transfer, or finds that it stands there already.
    ///
    /// # Errors
    /// The rule that it breaks; the book is then as it was.
    pub fn apply(&mut self, transfer: &Transfer) -> Result<Admission, Refusal> {
        let fingerprint = fingerprint(transfer);
        match self.known.get(&transfer.id) {
            Some(known) if *known == fingerprint => return Ok(Admission::Already),
            Some(_) => return Err(Refusal::OtherContent(transfer.id)),
            None => {}
        }
        let resolves = match transfer.kind {
            TransferKind::Post { reservation } | TransferKind::Void { reservation } => Some(reservation),
            TransferKind::Direct | TransferKind::Reserve => None,
        };
        let reservation = resolves.and_then(|id| self.reservations.get(&id));
        check_new(transfer, reservation)?;
        let mut changed = Vec::with_capacity(2);
        for Effect { account, currency, change } in effect(transfer, reservation) {
            let key = (account, currency);
            match self.balance(&key.0, currency).checked_add(change) {
                Some(balance) => changed.push((key, balance)),
                None => return Err(Refusal::Overflow(key.0)),
            }
        }
        self.balances.extend(changed);
        self.known.insert(transfer.id, fingerprint);
        if let Some(reservation) = resolves.and_then(|id| self.reservations.get_mut(&id)) {
            reservation.resolved = Some(transfer.id);
        } else if transfer.kind == TransferKind::Reserve {
            self.reservations.insert(transfer.id, Reservation { transfer: transfer.clone(), resolved: None });
        }
        Ok(Admission::New)
    }

    /// The balance of an account; zero where nothing was written.
    pub fn balance(&self, account: &Account, currency: Currency) -> Balance {
        self.balances.get(&(account.clone(), currency)).copied().unwrap_or_default()
    }

    /// The balances of all accounts that something was written to.
    pub fn balances(&self) -> &BTreeMap<(Account, Currency), Balance> {
        &self.balances
    }

    /// The reservations that were neither posted nor voided, by id.
    pub fn open_reservations(&self) -> impl Iterator<Item = &Transfer> {
        self.reservations.values().filter(|found| found.resolved.is_none()).map(|found| &found.transfer)
    }
}

fn fingerprint(transfer: &Transfer) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(hash(&SHA256, content(transfer).as_bytes()).as_ref());
    bytes
}
