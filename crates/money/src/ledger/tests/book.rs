//! The book against a naive one that remembers every transfer and adds all of them up each time.

use rand::RngExt;

use super::*;
use crate::base::rng::{Dice, dice};

#[derive(Default)]
struct Naive(Vec<Transfer>);

impl Naive {
    /// Whether a transfer is new (`Some(true)`), known (`Some(false)`) or refused.
    fn apply(&mut self, transfer: &Transfer) -> Option<bool> {
        if let Some(known) = self.0.iter().find(|known| known.id == transfer.id) {
            return (Transfer { at: known.at, ..transfer.clone() } == *known).then_some(false);
        }
        if let TransferKind::Post { reservation } | TransferKind::Void { reservation } = transfer.kind {
            let hold = self.0.iter().find(|hold| hold.id == reservation && hold.kind == TransferKind::Reserve)?;
            let taken = self.0.iter().any(|other| resolved_by(other) == Some(reservation));
            let fits = (&hold.debit, &hold.credit, hold.cart) == (&transfer.debit, &transfer.credit, transfer.cart);
            if taken || !fits || hold.amount.minor < transfer.amount.minor {
                return None;
            }
        }
        self.0.push(transfer.clone());
        Some(true)
    }

    fn balance(&self, account: &Account) -> Balance {
        let mut balance = Balance::default();
        for transfer in &self.0 {
            let open = transfer.kind == TransferKind::Reserve
                && !self.0.iter().any(|other| resolved_by(other) == Some(transfer.id));
            let (moved, reserved) = match transfer.kind {
                TransferKind::Reserve => (0, if open { transfer.amount.minor } else { 0 }),
                _ => (transfer.amount.minor, 0),
            };
            if transfer.debit == *account {
                balance.debits += moved;
                balance.debits_reserved += reserved;
            }
            if transfer.credit == *account {
                balance.credits += moved;
                balance.credits_reserved += reserved;
            }
        }
        balance
    }
}

fn resolved_by(transfer: &Transfer) -> Option<TransferId> {
    match transfer.kind {
        TransferKind::Post { reservation } | TransferKind::Void { reservation } => Some(reservation),
        _ => None,
    }
}

/// Right and wrong transfers of three shoppers with few names, so that names and holds meet again.
fn any_transfer(dice: &mut Dice, number: usize) -> Transfer {
    use Reason::{Capture, Charge, CreditNote, Dispute, Hold, Refund, Sale, Tax, TaxCredit, WriteOff};
    let reasons = [Hold, Hold, Capture, Capture, Sale, Tax, Charge, CreditNote, TaxCredit, Refund, Dispute, WriteOff];
    let reason = reasons[dice.random_range(0..reasons.len())];
    let resolves = match reason {
        Reason::Capture => format!("t{}", dice.random_range(0..=number)),
        Reason::Hold if dice.random_bool(0.3) => format!("t{}", dice.random_range(0..=number)),
        _ => String::new(),
    };
    let is_void = reason == Reason::Hold && !resolves.is_empty();
    let minor = if is_void { 0 } else { dice.random_range(1..100) };
    let mut transfer = transfer(&format!("t{number}"), reason, minor, &resolves);
    let owner = shopper(["ann", "ann", "bob"][dice.random_range(0..3_usize)]);
    for account in [&mut transfer.debit, &mut transfer.credit] {
        if matches!(account, Account::Shopper(_)) {
            *account = Account::Shopper(owner);
        }
    }
    transfer.at = at(dice.random_range(0..1_000));
    transfer
}

#[test]
fn any_transfers_add_up_as_they_do_naively() {
    let (mut admitted, mut again, mut refused) = (0, 0, 0);
    for seed in 0..200 {
        let mut dice = dice(seed, "book");
        let (mut book, mut naive) = (Book::default(), Naive::default());
        let mut past: Vec<Transfer> = Vec::new();
        for number in 0..40 {
            let mut transfer = any_transfer(&mut dice, number);
            match dice.random_range(0..6) {
                // The same once more, at another time; or other content under a known name.
                0 if !past.is_empty() => {
                    transfer = past[dice.random_range(0..past.len())].clone();
                    transfer.at = at(7);
                }
                1 if !past.is_empty() => transfer.id = past[dice.random_range(0..past.len())].id,
                _ => {}
            }
            let before = book.balances().clone();
            let came = book.apply(&transfer);
            let expected = naive.apply(&transfer);
            assert_eq!(came.as_ref().ok().map(|one| *one == Admission::New), expected, "seed {seed}: {transfer:?}");
            if expected != Some(true) {
                assert_eq!(*book.balances(), before, "seed {seed}: {transfer:?}");
            }
            match expected {
                Some(true) => admitted += 1,
                Some(false) => again += 1,
                None => refused += 1,
            }
            past.push(transfer);
        }
        let mut sums = Balance::default();
        for ((account, _), balance) in book.balances() {
            assert_eq!(*balance, naive.balance(account), "seed {seed}: {account}");
            sums = sums.checked_add(*balance).unwrap();
        }
        assert_eq!((sums.debits, sums.debits_reserved), (sums.credits, sums.credits_reserved), "seed {seed}");
        let open: i64 = book.open_reservations().map(|hold| hold.amount.minor).sum();
        assert_eq!(open, sums.debits_reserved, "seed {seed}");
    }
    assert!(3_000 < admitted && 300 < again && 1_000 < refused, "{admitted}, {again}, {refused}");
}

#[test]
fn sums_beyond_64_bits_are_refused_and_change_nothing() {
    let mut book = Book::default();
    assert_eq!(book.apply(&transfer("a", Reason::Sale, i64::MAX, "")), Ok(Admission::New));
    let before = book.balances().clone();
    let more = transfer("b", Reason::Sale, 1, "");
    assert_eq!(book.apply(&more), Err(Refusal::Overflow(more.debit.clone())));
    assert_eq!(*book.balances(), before);
}
