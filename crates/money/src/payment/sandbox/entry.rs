//! An order in the provider's books, and what it says of itself.

use serde::{Deserialize, Serialize};

use crate::base::{Money, ShopTime, TransferId};
use crate::facts::{Answer, MoneyMovement, Order, StatementLine, Task};

/// What every reference of the sandbox begins with.
pub(super) const REFERENCE_PREFIX: &str = "sb_";

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

    pub(super) fn answer(&self, now: ShopTime) -> Answer {
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
    pub(super) fn is_same(&self, order: &Order) -> bool {
        let Order { id, payment, cart, task, amount, method, lines: _, made_at: _ } = order;
        let mine = &self.order;
        (mine.id, mine.payment, mine.cart, mine.amount) == (*id, *payment, *cart, *amount)
            && (&mine.task, &mine.method) == (task, method)
    }

    /// The order that this one builds on.
    pub(super) fn builds_on(&self) -> Option<TransferId> {
        match &self.order.task {
            Task::Authorise | Task::Charge => None,
            Task::Capture { hold } | Task::Void { hold } => Some(hold.order),
            Task::Refund { of } => Some(of.order),
        }
    }

    /// What it moved by now.
    pub(super) fn line(&self, now: ShopTime) -> Option<StatementLine> {
        let movement = self.movement().filter(|_| self.final_at() <= now)?;
        let (order, amount): (_, Money) = (self.order.id, self.order.amount);
        Some(StatementLine { order, reference: self.reference(), movement, amount })
    }

    pub(super) fn movement(&self) -> Option<MoneyMovement> {
        match self.order.task {
            Task::Capture { .. } | Task::Charge if self.outcome == Outcome::Done => Some(MoneyMovement::Taken),
            Task::Refund { .. } if self.outcome == Outcome::Done => Some(MoneyMovement::GivenBack),
            _ => None,
        }
    }
}
