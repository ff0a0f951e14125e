//! Money moves: orders go out, answers and notices come in.

use super::{Till, book};
use crate::base::limits::{ORDER_AGE_MAX, ORDER_TRIES_MIN, ORDER_UNSURE_MAX};
use crate::base::{Error, Money, Result, ShopTime, Span, TransferId};
use crate::db::outbox::{Letter, LetterState};
use crate::db::{Failure, Session, cases, outbox};
use crate::facts::{About, Answer, Concern, Decision, Notice, Verdict};
use crate::ledger::payment::is_possible;

/// Whoever takes an order has this long before another one may take it.
const LEASE: Span = Span::from_millis(60_000);
/// The first pause between two attempts; each further one is twice as long, up to the longest.
const PAUSE_FIRST: Span = Span::from_millis(500);
const PAUSE_LONGEST: Span = Span::from_millis(600_000);
/// Who decides a case that needs no person any more.
const ITSELF: &str = "aisle";

/// What a provider said about an order.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// Which.
    pub order: TransferId,
    /// What.
    pub answer: Answer,
    /// Before this attempt the order had surely not been carried out.
    pub sure_before: bool,
}

impl Till {
    /// Takes orders that are due, at most `most`; each is to be given to its provider and its answer to
    /// [`Till::answered`]. Whoever dies with them leaves them to be taken again a minute later.
    ///
    /// # Errors
    /// What the database says.
    pub fn take_due(&mut self, now: ShopTime, most: u32) -> Result<Vec<Letter>> {
        let shop = self.shop.clone();
        self.db.transaction(|session| outbox::take_due(session, shop.name(), lease(now), most))
    }

    /// When the next order is due.
    ///
    /// # Errors
    /// What the database says.
    pub fn next_due(&mut self) -> Result<Option<ShopTime>> {
        let shop = self.shop.clone();
        self.db.transaction(|session| outbox::next_due(session, shop.name()))
    }

    /// A provider answered. What follows is written at once; an answer to an order that is over changes nothing.
    /// `sure_before` says that before this attempt the order had surely not been carried out.
    ///
    /// # Errors
    /// What the database says.
    pub fn answered(&mut self, order: TransferId, answer: &Answer, sure_before: bool, now: ShopTime) -> Result<()> {
        self.db.transaction(|session| take_answer(session, order, answer, sure_before, now))
    }

    /// Writes answers as [`Till::answered`] does and then takes orders as [`Till::take_due`] does, all at once: what waits
    /// for the disk together waits once.
    ///
    /// # Errors
    /// What the database says about any of them; then none of it is done.
    pub fn exchange(&mut self, answers: &[Answered], now: ShopTime, most: u32) -> Result<Vec<Letter>> {
        let shop = self.shop.clone();
        self.db.transaction(|session| {
            for Answered { order, answer, sure_before } in answers {
                take_answer(session, *order, answer, *sure_before, now)?;
            }
            outbox::take_due(session, shop.name(), lease(now), most)
        })
    }

    /// A provider sent a message. It decides nothing: what it is about is due to be asked for again. Whether it was new.
    ///
    /// # Errors
    /// What the database says.
    pub fn noticed(&mut self, notice: &Notice, now: ShopTime) -> Result<bool> {
        self.db.transaction(|session| {
            if !outbox::note(session, notice, now)? {
                return Ok(false);
            }
            let letters = match &notice.about {
                About::Order { order } => outbox::get(session, *order)?.into_iter().collect(),
                About::Reference { reference } => outbox::by_reference(session, reference)?,
                About::Dispute { reference, amount } => {
                    dispute(session, reference, *amount, now)?;
                    Vec::new()
                }
                About::DisputeClosed { reference, won } => {
                    close_dispute(session, &notice.provider, reference, *won, now)?;
                    Vec::new()
                }
                About::Nothing => Vec::new(),
            };
            for mut letter in letters.into_iter().filter(|letter| letter.state == LetterState::Due) {
                letter.due_at = now;
                outbox::update(session, &letter)?;
            }
            Ok(true)
        })
    }

    /// A person has seen to an order that was given up: it is due again.
    ///
    /// # Errors
    /// When it is not given up; what the database says.
    pub fn try_again(&mut self, order: TransferId, now: ShopTime) -> Result<()> {
        self.db.transaction(|session| {
            let letter = stuck(session, order)?;
            revive(session, letter, now)
        })
    }
}

/// Now, when a lease that begins now ends, and what no order is due later than unless a clock was wrong.
fn lease(now: ShopTime) -> (ShopTime, ShopTime, ShopTime) {
    (now, now + LEASE, now + PAUSE_LONGEST + LEASE)
}

/// Writes an answer and what follows from it.
pub(super) fn take_answer(
    session: &mut dyn Session,
    order: TransferId,
    answer: &Answer,
    sure_before: bool,
    now: ShopTime,
) -> Result<(), Failure> {
    let Some(mut letter) = outbox::get(session, order)? else { return Ok(()) };
    let is_final = matches!(answer, Answer::Done { .. } | Answer::Declined { .. });
    match letter.state {
        LetterState::Done | LetterState::Declined => return Ok(()),
        // A person is told already, and only a final answer changes that.
        LetterState::Stuck if !is_final => return Ok(()),
        LetterState::Stuck | LetterState::Due => {}
    }
    let impossible = match answer {
        Answer::Done { amount, .. } if !is_possible(&letter.order, *amount) => Some(Answer::Faulty {
            message: format!("the provider moved {amount} where {} was asked for", letter.order.amount),
        }),
        _ => None,
    };
    let answer = impossible.as_ref().unwrap_or(answer);
    letter.answered_at = Some(now);
    letter.answer = Some(answer.clone());
    let pause = pause(&letter);
    match answer {
        Answer::Done { reference, .. } => {
            letter.state = LetterState::Done;
            letter.reference = Some(reference.clone());
        }
        Answer::Declined { .. } => letter.state = LetterState::Declined,
        Answer::Pending { reference } => {
            letter.reference = Some(reference.clone());
            letter.due_at = now + pause;
        }
        Answer::Unknown { .. } => letter.due_at = now + pause,
        Answer::Unavailable { retry_after, .. } => {
            letter.due_at = now + retry_after.map_or(pause, |asked| asked.max(pause).min(PAUSE_LONGEST));
            if sure_before && letter.reference.is_none() {
                letter.unsure_since = None;
            }
        }
        Answer::Faulty { .. } => letter.state = LetterState::Stuck,
    }
    if letter.state == LetterState::Due && is_hopeless(&letter, answer, now) {
        letter.state = LetterState::Stuck;
    }
    outbox::update(session, &letter)?;
    follow(session, &letter, answer, now)
}

/// An order that was given up.
pub(super) fn stuck(session: &mut dyn Session, order: TransferId) -> Result<Letter, Failure> {
    let letter = outbox::get(session, order)?.ok_or_else(|| Error::missing(format!("there is no order {order}")))?;
    match letter.state {
        LetterState::Stuck => Ok(letter),
        _ => Err(Error::conflict(format!("{order} is not given up")).into()),
    }
}

/// An order that was given up is due again.
pub(super) fn revive(session: &mut dyn Session, mut letter: Letter, now: ShopTime) -> Result<(), Failure> {
    letter.state = LetterState::Due;
    letter.attempts = 0;
    letter.due_at = now;
    letter.unsure_since = letter.unsure_since.map(|_| now);
    outbox::update(session, &letter)
}

/// What an answer means for the payment.
fn follow(session: &mut dyn Session, letter: &Letter, answer: &Answer, now: ShopTime) -> Result<(), Failure> {
    let mut payment = book::payment(session, letter.order.payment)?;
    let mut effects = payment.answered(letter.order.id, answer, now);
    if letter.state == LetterState::Stuck && effects.concern.is_none() {
        let code = match answer {
            Answer::Faulty { message } | Answer::Unknown { message } | Answer::Unavailable { message, .. } => {
                message.clone()
            }
            _ => "no final answer".to_owned(),
        };
        effects.concern = Some(Concern::Unpaid { code });
    }
    book::carry_out(session, &payment, &effects, now)
}

fn dispute(session: &mut dyn Session, reference: &str, amount: Money, now: ShopTime) -> Result<(), Failure> {
    let Some(letter) = outbox::by_reference(session, reference)?.into_iter().next() else {
        tracing::warn!(%amount, "a bank took back money that the book does not know");
        return Ok(());
    };
    let mut payment = book::payment(session, letter.order.payment)?;
    let mut effects = payment.disputed(reference, amount, now);
    // Also what cannot be booked (yet) is for a person.
    effects.concern = Some(Concern::Disputed { amount });
    book::carry_out(session, &payment, &effects, now)
}

/// A dispute is over. What was won is booked, and whoever still had to look at the dispute need not any more.
fn close_dispute(
    session: &mut dyn Session,
    provider: &str,
    reference: &str,
    won: Option<Money>,
    now: ShopTime,
) -> Result<(), Failure> {
    let Some(letter) = outbox::by_reference(session, reference)?.into_iter().next() else {
        tracing::warn!("a dispute is over about money that the book does not know");
        return Ok(());
    };
    let mut payment = book::payment(session, letter.order.payment)?;
    if let Some(amount) = won {
        let effects = payment.reinstated(reference, amount, now);
        book::carry_out(session, &payment, &effects, now)?;
    }
    for mut case in cases::of_cart(session, payment.cart)? {
        let is_about = |concern: &Concern| matches!(concern, Concern::Disputed { .. });
        if case.verdict.is_none() && case.concerns.iter().any(is_about) {
            let note = match won {
                Some(amount) => format!("{provider} says that the dispute is won: {amount} came back"),
                None => format!("{provider} says that the dispute is lost"),
            };
            case.verdict = Some(Verdict { reviewer: ITSELF.to_owned(), at: now, decision: Decision::Accept, note });
            cases::update(session, &case)?;
        }
    }
    Ok(())
}

/// Doubling pauses, each between half and all of itself, so that many orders do not come back at one moment. The dice
/// are the order's own name, so that a run can be repeated.
fn pause(letter: &Letter) -> Span {
    let doubled = PAUSE_FIRST * (1_i64 << letter.attempts.saturating_sub(1).min(20));
    let whole = doubled.min(PAUSE_LONGEST).as_nanos();
    let dice = letter.order.id.hex().bytes().fold(u64::from(letter.attempts), |sum, byte| {
        sum.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(u64::from(byte))
    });
    Span::from_nanos(whole / 2 + i64::try_from(dice % 1_000).unwrap_or(0) * (whole / 2_000))
}

/// Whether an order without a final answer is for a person now.
fn is_hopeless(letter: &Letter, answer: &Answer, now: ShopTime) -> bool {
    let unsure_for = letter.unsure_since.map_or(Span::ZERO, |since| now - since);
    // An old order that a person has sent on its way again gets some attempts.
    let is_old = ORDER_AGE_MAX < now - letter.order.made_at && ORDER_TRIES_MIN <= letter.attempts;
    match answer {
        // A provider that knows the order will say in time what became of it.
        Answer::Pending { .. } => is_old,
        _ => is_old || ORDER_UNSURE_MAX < unsure_for,
    }
}
