//! Reading the whole book, so that it can be proved.

use super::book::payment_of;
use crate::base::{Result, TransferId};
use crate::db::carts::CartState;
use crate::db::outbox::LetterState;
use crate::db::{Database, Failure, Session, carts, outbox, transfers};
use crate::facts::StatementLine;
use crate::ledger::payment::Standing;
use crate::ledger::{Audit, Balance, CartRow, OrderState, Report};

/// Rows that are read at once.
const PAGE: u32 = 1_000;

/// Proves a book: reads all of it in one transaction and holds each part against the others, and against what providers
/// have on their own books. `statements` are by provider. Without a finding every transfer is admissible and unchanged,
/// every sum right, every receipt booked as it stands, every movement ordered, and every charge where it should be.
///
/// # Errors
/// What the database says.
pub fn check(database: &mut Database, statements: &[(String, Vec<StatementLine>)]) -> Result<Report> {
    database.transaction(|session| {
        let mut audit = Audit::new();
        let mut seq = 0;
        pages(|| {
            let entries = transfers::after(session, seq, PAGE)?;
            seq = entries.last().map_or(seq, |entry| entry.seq);
            entries.iter().for_each(|entry| audit.transfer(entry.seq, &entry.transfer, &entry.digest));
            Ok(entries.len())
        })?;
        for sums in transfers::sums(session, true)? {
            let balance = Balance {
                debits: sums.debits,
                credits: sums.credits,
                debits_reserved: sums.debits_reserved,
                credits_reserved: sums.credits_reserved,
            };
            audit.balance(&sums.account, sums.currency, balance);
        }
        check_carts(session, &mut audit)?;
        let mut last: Option<TransferId> = None;
        pages(|| {
            let letters = outbox::after(session, last, PAGE)?;
            last = letters.last().map(|letter| letter.order.id).or(last);
            for letter in &letters {
                audit.order(&letter.order, state_of(letter.state), letter.answer.as_ref());
            }
            Ok(letters.len())
        })?;
        for (provider, lines) in statements {
            audit.statement(provider, lines.iter().cloned());
        }
        Ok(audit.finish())
    })
}

fn check_carts(session: &mut dyn Session, audit: &mut Audit) -> Result<(), Failure> {
    let mut last = None;
    pages(|| {
        let page = carts::after(session, last, PAGE)?;
        last = page.last().map(|cart| cart.id).or(last);
        for cart in &page {
            let payment = payment_of(session, cart.id)?;
            let payment_open = payment.is_some_and(|payment| payment.standing() != Standing::Settled);
            audit.cart(CartRow {
                cart: cart.id,
                booked: cart.booked,
                settled: cart.state == CartState::Settled,
                payment_open,
            });
            for version in carts::receipts(session, cart.id)? {
                audit.receipt(cart.id, version.version, &version.receipt);
            }
        }
        Ok(page.len())
    })
}

/// Reads pages until one is not full.
fn pages(mut read: impl FnMut() -> Result<usize, Failure>) -> Result<(), Failure> {
    while read()? == PAGE as usize {}
    Ok(())
}

fn state_of(state: LetterState) -> OrderState {
    match state {
        LetterState::Due => OrderState::Due,
        LetterState::Done => OrderState::Done,
        LetterState::Declined => OrderState::Declined,
        LetterState::Stuck => OrderState::Stuck,
    }
}
