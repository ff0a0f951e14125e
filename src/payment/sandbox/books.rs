//! The provider's own books: which orders came, what became of them, what is held, taken and given back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::{Money, ShopTime, Span, TransferId};
use crate::facts::{Answer, MoneyMovement, Order, PaymentMethod, Settled, StatementLine, Task};

/// What every reference of the sandbox begins with.
const REFERENCE_PREFIX: &str = "sb_";

/// An order as it was entered; never changed afterwards.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    /// As it was asked, without the goods.
    pub(super) order: Order,
    /// When it was entered.
    pub(super) at: ShopTime,
    /// Until then it is pending.
    pub(super) due: Option<ShopTime>,
    /// What becomes of it.
    pub(super) outcome: Outcome,
}

/// What becomes of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub(super) enum Outcome {
    /// All of the amount is held, taken, released or given back.
    Done,
    /// Nothing moves.
    Declined {
        /// Why.
        code: String,
        /// The shopper can mend it.
        wants_shopper: bool,
    },
}

/// What is to be done with an order that came.
pub(super) enum Ruling {
    /// Nothing is entered.
    Answer(Answer),
    /// It is entered with this outcome; slow or not.
    Enter(Outcome, bool),
}

/// Everything that was ever entered.
#[derive(Default)]
pub(super) struct Books {
    entries: BTreeMap<TransferId, Entry>,
    /// In the order in which they were entered.
    moved: Vec<TransferId>,
    /// What ended a hold.
    hold_ends: BTreeMap<TransferId, HoldEnd>,
    /// What was given back of a capture or charge, minor units.
    refunded: BTreeMap<TransferId, i64>,
    /// How often each order was asked for or about, by this process.
    attempts: BTreeMap<TransferId, u32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum HoldEnd {
    Captured,
    Released,
}

impl Entry {
    /// An order that is entered now.
    pub(super) fn new(order: &Order, outcome: Outcome, at: ShopTime, due: Option<ShopTime>) -> Self {
        Entry { order: Order { lines: Vec::new(), ..order.clone() }, at, due, outcome }
    }

    /// What the sandbox calls the order.
    pub(super) fn reference(&self) -> String {
        format!("{REFERENCE_PREFIX}{}", self.order.id.hex())
    }

    /// When it is final.
    pub(super) fn final_at(&self) -> ShopTime {
        self.due.unwrap_or(self.at)
    }

    /// What submitting it answers, the first time and ever after.
    pub(super) fn first_answer(&self) -> Answer {
        self.answer(self.at)
    }

    fn answer(&self, now: ShopTime) -> Answer {
        if now < self.final_at() {
            return Answer::Pending { reference: self.reference() };
        }
        match &self.outcome {
            Outcome::Done => Answer::Done { reference: self.reference(), amount: self.order.amount },
            Outcome::Declined { code, wants_shopper } => Answer::Declined {
                code: code.clone(),
                message: format!("the sandbox declined: {code}"),
                wants_shopper: *wants_shopper,
            },
        }
    }

    /// The same order, whatever goods are shown with it and whenever it was decided.
    fn is_same(&self, order: &Order) -> bool {
        let Order { id, payment, cart, task, amount, method, lines: _, made_at: _ } = order;
        let mine = &self.order;
        (mine.id, mine.payment, mine.cart, mine.amount) == (*id, *payment, *cart, *amount)
            && (&mine.task, &mine.method) == (task, method)
    }

    fn movement(&self) -> Option<MoneyMovement> {
        match self.order.task {
            Task::Capture { .. } | Task::Charge if self.outcome == Outcome::Done => Some(MoneyMovement::Taken),
            Task::Refund { .. } if self.outcome == Outcome::Done => Some(MoneyMovement::GivenBack),
            _ => None,
        }
    }
}

impl Books {
    /// Counts attempts at an order, from 0.
    pub(super) fn attempt(&mut self, order: TransferId) -> u32 {
        let count = self.attempts.entry(order).or_default();
        let attempt = *count;
        *count = count.saturating_add(1);
        attempt
    }

    /// What to do with an order. `faulted` is what the faults make of it, if it is otherwise in order.
    pub(super) fn rule(&self, order: &Order, faulted: Option<Ruling>, now: ShopTime, hold_span: Span) -> Ruling {
        if let Some(entry) = self.entries.get(&order.id) {
            return Ruling::Answer(match entry.is_same(order) {
                true => entry.first_answer(),
                false => faulty("this id was used with other parameters"),
            });
        }
        let Some(token) = Token::of(&order.method) else {
            return Ruling::Answer(faulty("no such payment method; the tokens are in docs/reference/payment.md"));
        };
        if let Err(refusal) = self.check(order, now, hold_span) {
            return refusal;
        }
        match token.ruling(&order.task) {
            Ruling::Enter(Outcome::Done, false) => faulted.unwrap_or(Ruling::Enter(Outcome::Done, false)),
            ruling => ruling,
        }
    }

    /// Whether the order fits what was done before.
    fn check(&self, order: &Order, now: ShopTime, hold_span: Span) -> Result<(), Ruling> {
        let wrong = |message: &str| Err(Ruling::Answer(faulty(message)));
        let amount = order.amount;
        let is_void = matches!(order.task, Task::Void { .. });
        if amount.minor < 0 || (amount.minor == 0) != is_void {
            return wrong("the amount is positive, and of a void zero");
        }
        match &order.task {
            Task::Authorise | Task::Charge => Ok(()),
            Task::Capture { hold } | Task::Void { hold } => {
                let held = self.earlier(hold, order, now)?;
                if !matches!(held.order.task, Task::Authorise) {
                    return wrong("this is not a hold");
                }
                match self.hold_ends.get(&hold.order) {
                    Some(HoldEnd::Captured) => return Err(declined("already_captured")),
                    Some(HoldEnd::Released) if !is_void => return Err(declined("hold_expired")),
                    None if held.at + hold_span <= now && !is_void => return Err(declined("hold_expired")),
                    Some(HoldEnd::Released) | None => {}
                }
                match amount.minor <= held.order.amount.minor {
                    true => Ok(()),
                    false => wrong("more than is held"),
                }
            }
            Task::Refund { of } => {
                let taken = self.earlier(of, order, now)?;
                if taken.movement() != Some(MoneyMovement::Taken) {
                    return wrong("nothing was taken by this");
                }
                let left = taken.order.amount.minor - self.refunded.get(&of.order).copied().unwrap_or(0);
                match amount.minor <= left {
                    true => Ok(()),
                    false => wrong("more than is left of what was taken"),
                }
            }
        }
    }

    /// The order that another one builds on.
    fn earlier(&self, settled: &Settled, order: &Order, now: ShopTime) -> Result<&Entry, Ruling> {
        let refuse = |answer| Err(Ruling::Answer(answer));
        let Some(entry) = self.entries.get(&settled.order).filter(|entry| entry.reference() == settled.reference)
        else {
            return refuse(faulty("no such hold or payment"));
        };
        if now < entry.final_at() {
            let message = "what this builds on is still pending".to_owned();
            return refuse(Answer::Unavailable { message, retry_after: Some(entry.final_at() - now) });
        }
        if entry.outcome != Outcome::Done {
            return refuse(faulty("what this builds on was declined"));
        }
        if entry.order.amount.currency != order.amount.currency || entry.order.method != order.method {
            return refuse(faulty("another currency or payment method than before"));
        }
        Ok(entry)
    }

    /// Writes an entry down.
    pub(super) fn enter(&mut self, entry: Entry) {
        let id = entry.order.id;
        if entry.outcome == Outcome::Done {
            match &entry.order.task {
                Task::Authorise | Task::Charge => {}
                Task::Capture { hold } => drop(self.hold_ends.insert(hold.order, HoldEnd::Captured)),
                Task::Void { hold } => drop(self.hold_ends.insert(hold.order, HoldEnd::Released)),
                Task::Refund { of } => {
                    let refunded = self.refunded.entry(of.order).or_default();
                    *refunded = refunded.saturating_add(entry.order.amount.minor);
                }
            }
        }
        if entry.movement().is_some() {
            self.moved.push(id);
        }
        self.entries.insert(id, entry);
    }

    /// What became of an order by now.
    pub(super) fn answer(&self, order: TransferId, now: ShopTime) -> Option<Answer> {
        Some(self.entries.get(&order)?.answer(now))
    }

    /// What has been moved by now.
    pub(super) fn statement(&self, now: ShopTime) -> Vec<StatementLine> {
        self.moved.iter().filter_map(|id| self.line(*id, now)).collect()
    }

    /// The movement under this reference, if it took money by now.
    pub(super) fn taken(&self, reference: &str, now: ShopTime) -> Option<StatementLine> {
        let id = TransferId::from_hex(reference.strip_prefix(REFERENCE_PREFIX)?).ok()?;
        self.line(id, now).filter(|line| line.movement == MoneyMovement::Taken)
    }

    fn line(&self, id: TransferId, now: ShopTime) -> Option<StatementLine> {
        let entry = self.entries.get(&id).filter(|entry| entry.final_at() <= now)?;
        let (movement, amount): (_, Money) = (entry.movement()?, entry.order.amount);
        Some(StatementLine { order: id, reference: entry.reference(), movement, amount })
    }
}

/// How a payment method behaves.
#[derive(Clone, Copy)]
enum Token {
    Ok,
    Declined,
    InsufficientFunds,
    AuthenticationRequired,
    DeclineOnCapture,
    Slow,
    SlowDecline,
    RefundFails,
}

impl Token {
    fn of(method: &PaymentMethod) -> Option<Token> {
        Some(match method.token.as_str() {
            "ok" => Token::Ok,
            "declined" => Token::Declined,
            "insufficient_funds" => Token::InsufficientFunds,
            "authentication_required" => Token::AuthenticationRequired,
            "decline_on_capture" => Token::DeclineOnCapture,
            "slow" => Token::Slow,
            "slow_decline" => Token::SlowDecline,
            "refund_fails" => Token::RefundFails,
            _ => return None,
        })
    }

    fn ruling(self, task: &Task) -> Ruling {
        let declined = |code: &str, slow| {
            let wants_shopper = code == "authentication_required";
            Ruling::Enter(Outcome::Declined { code: code.to_owned(), wants_shopper }, slow)
        };
        let opens = matches!(task, Task::Authorise | Task::Charge);
        let takes = matches!(task, Task::Capture { .. } | Task::Charge);
        match self {
            Token::Declined if opens => declined("generic_decline", false),
            Token::InsufficientFunds if opens => declined("insufficient_funds", false),
            Token::AuthenticationRequired if opens => declined("authentication_required", false),
            Token::DeclineOnCapture if takes => declined("generic_decline", false),
            Token::SlowDecline if opens => declined("generic_decline", true),
            Token::RefundFails if matches!(task, Task::Refund { .. }) => declined("refund_failed", false),
            Token::Slow if !matches!(task, Task::Void { .. }) => Ruling::Enter(Outcome::Done, true),
            _ => Ruling::Enter(Outcome::Done, false),
        }
    }
}

fn declined(code: &str) -> Ruling {
    Ruling::Enter(Outcome::Declined { code: code.to_owned(), wants_shopper: false }, false)
}

fn faulty(message: &str) -> Answer {
    Answer::Faulty { message: format!("the sandbox says: {message}") }
}
