//! Reading the whole book, so that it can be proved.

use std::collections::BTreeMap;

use super::book::payment_of;
use super::reviewing::is_about_receipt;
use crate::base::{CartId, Result, ShopTime, Span, TransferId};
use crate::db::carts::{Cart, CartState};
use crate::db::outbox::LetterState;
use crate::db::seals::{self, Life, SEALED};
use crate::db::{
    self, Database, Failure, FailureKind, Session, Stray, carts, cases, duties, outbox, shoppers, transfers,
};
use crate::facts::{Case, StatementLine};
use crate::ledger::payment::Standing;
use crate::ledger::{Anchor, Audit, Balance, CartRow, ChainEnd, OrderState, Report};
use crate::shop::{Shop, ShopDraft};

/// Rows that are read at once.
const PAGE: u32 = 1_000;

/// What a book is held against besides itself.
#[derive(Clone, Debug, Default)]
pub struct Witnesses {
    /// What providers have on their own books, by provider.
    pub statements: Vec<(String, Vec<StatementLine>)>,
    /// Anchors that were made of this book, with the lines that they were read from.
    pub anchors: Vec<(usize, Anchor)>,
    /// The public key that must have signed each of them.
    pub anchor_key: Option<String>,
    /// What time it is; without it, evidence that is gone is taken to be gone because its time was over.
    pub now: Option<ShopTime>,
}

/// Proves a book against what providers have on their own books, as [`check_with`] does.
///
/// # Errors
/// What the database says.
pub fn check(database: &mut Database, statements: &[(String, Vec<StatementLine>)]) -> Result<Report> {
    check_with(database, &Witnesses { statements: statements.to_vec(), ..Witnesses::default() })
}

/// Proves a book: reads all of it in one transaction and holds each part against the others, and against its witnesses.
/// Without a finding every transfer is admissible and unchanged, every row says what was sealed, every sum is right, every
/// receipt booked as it stands, every movement ordered, and every charge where it should be.
///
/// # Errors
/// What the database says.
pub fn check_with(database: &mut Database, witnesses: &Witnesses) -> Result<Report> {
    let strays = db::strays(database)?;
    let mut report = None;
    let done = database.transaction(|session| {
        let mut audit = Audit::new();
        for (line, anchor) in &witnesses.anchors {
            audit.anchor(*line, anchor.clone(), witnesses.anchor_key.as_deref());
        }
        for Stray { name, expected, found } in &strays {
            audit.schema(name, expected.as_deref(), found.as_deref());
        }
        match read(session, &mut audit, witnesses) {
            Ok(()) => report = Some(audit.finish()),
            // Whatever cannot be read is a finding too, and behind it nothing can be proved.
            Err(failure) if failure.kind == FailureKind::Broken => {
                report = Some(audit.unreadable(&failure.message));
                return Err(failure);
            }
            Err(failure) => return Err(failure),
        }
        Ok(())
    });
    match (done, report) {
        (_, Some(report)) => Ok(report),
        (Err(error), None) => Err(error),
        (Ok(()), None) => Err(Failure::new(FailureKind::Broken, "the book was not read").into()),
    }
}

fn read(session: &mut dyn Session, audit: &mut Audit, witnesses: &Witnesses) -> Result<(), Failure> {
    check_seals(session, audit)?;
    if let Some(now) = witnesses.now {
        check_evidence(session, audit, now)?;
    }
    let mut seq = 0;
    pages(|| {
        let entries = transfers::after(session, seq, PAGE).map_err(|failure| within("transfers", failure))?;
        seq = entries.last().map_or(seq, |entry| entry.seq);
        entries.iter().for_each(|entry| audit.transfer(entry.seq, &entry.transfer, &entry.digest));
        Ok(entries.len())
    })?;
    for sums in transfers::sums(session, true).map_err(|failure| within("balances", failure))? {
        let balance = Balance {
            debits: sums.debits,
            credits: sums.credits,
            debits_reserved: sums.debits_reserved,
            credits_reserved: sums.credits_reserved,
        };
        audit.balance(&sums.account, sums.currency, balance);
    }
    check_carts(session, audit)?;
    let mut last: Option<TransferId> = None;
    pages(|| {
        let letters = outbox::after(session, last, PAGE).map_err(|failure| within("outbox", failure))?;
        last = letters.last().map(|letter| letter.order.id).or(last);
        for letter in &letters {
            audit.order(&letter.order, state_of(letter.state), letter.answer.as_ref());
        }
        Ok(letters.len())
    })?;
    for (provider, lines) in &witnesses.statements {
        audit.statement(provider, lines.iter().cloned());
    }
    Ok(())
}

/// The chain of seals, and the rows that they are of as they stand.
fn check_seals(session: &mut dyn Session, audit: &mut Audit) -> Result<(), Failure> {
    let mut seq = 0;
    pages(|| {
        let page = seals::after(session, seq, PAGE).map_err(|failure| within("seals", failure))?;
        seq = page.last().map_or(seq, |seal| seal.seq);
        page.iter().for_each(|seal| audit.seal(seal.seq, (&seal.kind, &seal.subject, &seal.content), &seal.digest));
        Ok(page.len())
    })?;
    for sealed in SEALED {
        let fixed = sealed.life == Life::Fixed;
        seals::rows(session, sealed, |_, said| {
            audit.sealed_row(sealed.table, &said.subject, &said.content, fixed);
            Ok(())
        })
        .map_err(|failure| within(sealed.table, failure))?;
        audit.sealed_end(sealed.table, sealed.life == Life::Passing);
    }
    Ok(())
}

/// Evidence that is gone: its time must be over and no case wait for it, or its shopper be erased.
fn check_evidence(session: &mut dyn Session, audit: &mut Audit, now: ShopTime) -> Result<(), Failure> {
    let mut kept: BTreeMap<String, Option<Span>> = BTreeMap::new();
    for (subject, seal) in audit.evidence_gone() {
        let found = |text: &str| Failure::new(FailureKind::Broken, format!("evidence {subject}: {text}"));
        let id: CartId = subject.parse().map_err(|_| found("this is no name of a cart"))?;
        // A cart that is gone, or has no receipt, is found by its own seals.
        let Some(cart) = carts::get(session, id)? else { continue };
        let Some(made_at) = carts::receipts(session, id)?.first().map(|first| first.made_at) else { continue };
        if is_erased(session, &cart)? {
            continue;
        }
        if !kept.contains_key(&cart.shop) {
            let span = kept_span(session, &cart.shop)?;
            kept.insert(cart.shop.clone(), span);
        }
        let Some(until) = kept.get(&cart.shop).copied().flatten().map(|span| made_at + span) else { continue };
        // A shop that was described anew may have kept it for less time before; what is older was to go first.
        // It is also kept while a case waits that was opened in its time.
        let waits = |case: &Case| case.verdict.is_none() && case.opened < until;
        let is_kept = now < until || cases::of_cart(session, id)?.iter().any(waits);
        let is_due = is_kept
            && (!audit.is_shop_changed(&cart.shop, seal) || carts::has_evidence_before(session, &cart.shop, made_at)?);
        if is_due {
            audit.evidence_missing(&subject, seal, &format!("kept until {until}"));
        }
    }
    Ok(())
}

/// Whether a cart is of somebody whose evidence was erased.
fn is_erased(session: &mut dyn Session, cart: &Cart) -> Result<bool, Failure> {
    let shopper = cart.shopper.map(|shopper| shoppers::get(session, shopper)).transpose()?;
    Ok(shopper.flatten().is_some_and(|shopper| shopper.erased_at.is_some()))
}

/// How long a shop keeps evidence, as it was described last.
fn kept_span(session: &mut dyn Session, shop: &str) -> Result<Option<Span>, Failure> {
    let draft: Option<ShopDraft> = carts::shop(session, shop)?;
    Ok(draft.and_then(|draft| Shop::check_kept(draft).ok()).map(|shop| shop.policy().payment.evidence_kept))
}

fn check_carts(session: &mut dyn Session, audit: &mut Audit) -> Result<(), Failure> {
    let mut last = None;
    pages(|| {
        let page = carts::after(session, last, PAGE).map_err(|failure| within("carts", failure))?;
        last = page.last().map(|cart| cart.id).or(last);
        for cart in &page {
            check_cart(session, audit, cart).map_err(|failure| within(&cart.id.to_string(), failure))?;
        }
        Ok(page.len())
    })
}

fn check_cart(session: &mut dyn Session, audit: &mut Audit, cart: &Cart) -> Result<(), Failure> {
    let payment = payment_of(session, cart.id)?;
    let cases = cases::of_cart(session, cart.id)?;
    let count = |of: fn(&Case) -> bool| u32::try_from(cases.iter().filter(|case| of(case)).count()).unwrap_or(u32::MAX);
    audit.cart(CartRow {
        cart: cart.id,
        booked: cart.booked,
        receipt: cart.receipt,
        settled: cart.state == CartState::Settled,
        in_review: cart.state == CartState::Review,
        cases_waiting: count(|case| case.verdict.is_none()),
        cases_before_booking: count(|case| case.verdict.is_none() && is_about_receipt(case)),
        cases_decided: count(|case| case.verdict.is_some()),
        shopper: cart.shopper,
        payer: payment.as_ref().map(|payment| payment.shopper),
        payment_open: payment.is_some_and(|payment| payment.standing() != Standing::Settled),
        on_duty: duties::of_cart(session, cart.id)?.is_some(),
    });
    for version in carts::receipts(session, cart.id)? {
        audit.receipt(cart.id, version.version, &version.receipt);
    }
    Ok(())
}

/// Where the ends of both chains are now, to be kept elsewhere.
///
/// # Errors
/// What the database says.
pub fn ends(session: &mut dyn Session) -> Result<[ChainEnd; 2], Failure> {
    let [transfers, seals] = [transfers::last(session)?, seals::last(session)?];
    Ok([transfers, seals].map(|(seq, digest)| ChainEnd { seq, digest }))
}

/// Says where something was that could not be read.
fn within(what: &str, failure: Failure) -> Failure {
    match failure.kind {
        FailureKind::Broken => Failure { message: format!("{what}: {}", failure.message), ..failure },
        _ => failure,
    }
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
