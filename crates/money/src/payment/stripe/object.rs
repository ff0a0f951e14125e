//! Stripe's objects, as far as they are read, and what they mean for an order.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::http::{Reply, quoted};
use super::{CAPTURE_KEY, ORDER_KEY, amount, order_named};
use crate::base::TransferId;
use crate::facts::{Answer, Order, Task};

/// The code of a decline that the shopper can mend in person.
const AUTHENTICATION_REQUIRED: &str = "authentication_required";
/// What a capture is told whose hold is no more.
const HOLD_EXPIRED: &str = "hold_expired";
/// What is told to who wants a hold that somebody else captured.
const ALREADY_CAPTURED: &str = "already_captured";

/// A payment intent.
#[derive(Debug, Deserialize)]
pub(super) struct Intent {
    id: String,
    status: String,
    amount: i64,
    #[serde(default)]
    amount_capturable: i64,
    #[serde(default)]
    amount_received: i64,
    currency: String,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    last_payment_error: Option<Problem>,
}

/// A refund.
#[derive(Debug, Deserialize)]
pub(super) struct Refund {
    id: String,
    status: Option<String>,
    amount: i64,
    currency: String,
    metadata: Option<BTreeMap<String, String>>,
    failure_reason: Option<String>,
}

/// A page of objects.
#[derive(Debug, Deserialize)]
pub(super) struct List<T> {
    pub(super) data: Vec<T>,
    pub(super) has_more: bool,
}

/// An object that the next page of a list can begin behind.
pub(super) trait Named {
    /// What Stripe calls it.
    fn id(&self) -> &str;
}

impl Named for Intent {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Named for Refund {
    fn id(&self) -> &str {
        &self.id
    }
}

/// What Stripe says of an error. Its `message` is for the developer and may repeat what was sent.
#[derive(Debug, Default, Deserialize)]
struct Problem {
    #[serde(rename = "type", default)]
    kind: String,
    code: Option<String>,
    decline_code: Option<String>,
    message: Option<String>,
    param: Option<String>,
}

/// An answer that is an error.
#[derive(Debug)]
pub(super) struct Failure<'a> {
    reply: &'a Reply,
    problem: Problem,
}

impl Intent {
    /// The order that made it, if we did.
    pub(super) fn order(&self) -> Option<TransferId> {
        order_named(self.metadata.get(ORDER_KEY))
    }

    /// What it says about an order: the one that made it, or one that captures or cancels it.
    pub(super) fn answer(&self, order: &Order) -> Answer {
        let made_by = match &order.task {
            Task::Authorise | Task::Charge => order.id,
            Task::Capture { hold } | Task::Void { hold } => hold.order,
            Task::Refund { .. } => return faulty(format!("{} is a payment, not a refund", self.id)),
        };
        if self.order() != Some(made_by) {
            return faulty(format!("{} was not made by {made_by}", self.id));
        }
        match (&order.task, self.status.as_str()) {
            (Task::Authorise, "requires_capture") => self.done(order, self.amount_capturable),
            // Captured since; the hold had been placed.
            (Task::Authorise, "succeeded") => self.done(order, self.amount),
            (Task::Charge, "succeeded") => self.done(order, self.amount_received),
            (Task::Capture { .. }, "succeeded") => match order_named(self.metadata.get(CAPTURE_KEY)) {
                Some(capture) if capture == order.id => self.done(order, self.amount_received),
                Some(_) => declined(ALREADY_CAPTURED, "another order captured this hold"),
                None => faulty(format!("{} was captured by somebody else, by hand perhaps", self.id)),
            },
            (Task::Void { .. }, "succeeded") => declined(ALREADY_CAPTURED, "this hold was captured"),
            (Task::Void { .. }, "canceled") => Answer::Done { reference: self.id.clone(), amount: order.amount },
            (Task::Capture { .. } | Task::Authorise, "canceled") => {
                declined(HOLD_EXPIRED, "this hold has expired or was released")
            }
            (Task::Charge, "canceled") => declined("canceled", "this payment was cancelled"),
            // The hold is as it was: nobody has captured or released it yet.
            (Task::Capture { .. } | Task::Void { .. }, "requires_capture") => {
                Answer::Unavailable { message: format!("Stripe still holds {}", self.id), retry_after: None }
            }
            (Task::Void { .. }, "requires_payment_method" | "requires_action" | "requires_confirmation") => {
                Answer::Unavailable { message: format!("Stripe has not cancelled {}", self.id), retry_after: None }
            }
            (_, "processing") => Answer::Pending { reference: self.id.clone() },
            (_, "requires_action") => declined(AUTHENTICATION_REQUIRED, "the bank wants the shopper to confirm"),
            (_, "requires_payment_method") => match &self.last_payment_error {
                Some(problem) => problem.declined(),
                None => declined("requires_payment_method", "the payment method was not accepted"),
            },
            (_, status) => Answer::Unknown { message: format!("{} is `{}`", self.id, quoted(status)) },
        }
    }

    fn done(&self, order: &Order, minor: i64) -> Answer {
        done(order, &self.id, minor, &self.currency)
    }
}

impl Refund {
    /// The order that made it, if we did.
    pub(super) fn order(&self) -> Option<TransferId> {
        order_named(self.metadata.as_ref()?.get(ORDER_KEY))
    }

    /// What it says about the order that made it.
    pub(super) fn answer(&self, order: &Order) -> Answer {
        if self.order() != Some(order.id) {
            return faulty(format!("{} was not made by {}", self.id, order.id));
        }
        match self.status.as_deref() {
            Some("succeeded") => done(order, &self.id, self.amount, &self.currency),
            Some("pending" | "requires_action") => Answer::Pending { reference: self.id.clone() },
            Some(status @ ("failed" | "canceled")) => {
                declined(self.failure_reason.as_deref().unwrap_or(status), "the refund did not go through")
            }
            other => Answer::Unknown { message: format!("{} is `{}`", self.id, quoted(other.unwrap_or_default())) },
        }
    }
}

impl<'a> Failure<'a> {
    /// Reads the error of an answer; what is no error of Stripe's stays empty.
    pub(super) fn of(reply: &'a Reply) -> Self {
        #[derive(Deserialize)]
        struct Wrapped {
            error: Problem,
        }
        let problem = serde_json::from_slice(&reply.body).map(|wrapped: Wrapped| wrapped.error).unwrap_or_default();
        Failure { reply, problem }
    }

    /// Whether a capture or cancellation met an intent that is in no state for it.
    pub(super) fn is_unexpected_state(&self) -> bool {
        self.problem.code.as_deref() == Some("payment_intent_unexpected_state")
    }

    /// What it means for the order that was sent.
    pub(super) fn answer(&self) -> Answer {
        let message = self.message();
        match self.reply.status {
            402 if self.problem.kind == "card_error" => self.problem.declined(),
            429 => Answer::Unavailable { message, retry_after: self.reply.retry_after() },
            // Something of ours is under way, or nobody can say how far Stripe came.
            409 | 424 | 500.. | ..400 => Answer::Unknown { message },
            _ if self.reply.header("stripe-should-retry") == Some("true") => {
                Answer::Unavailable { message, retry_after: self.reply.retry_after() }
            }
            _ => Answer::Faulty { message },
        }
    }

    /// What is said of it, for people.
    pub(super) fn message(&self) -> String {
        let Problem { kind, code, message, param, .. } = &self.problem;
        let name = code.as_deref().unwrap_or(if kind.is_empty() { "no reason" } else { kind });
        let mut text = format!("Stripe says {} {}", self.reply.status, quoted(name));
        if let Some(param) = param {
            text += &format!(" for `{}`", quoted(param));
        }
        // What is said to a wrong key repeats a part of the key.
        if let Some(message) = message.as_ref().filter(|_| self.reply.status != 401) {
            text += &format!(": {}", quoted(message));
        }
        text + &format!(" (request {})", quoted(self.reply.header("request-id").unwrap_or("without an id")))
    }
}

impl Problem {
    fn declined(&self) -> Answer {
        let code = self.decline_code.as_ref().or(self.code.as_ref()).map_or("card_error", String::as_str);
        let wanting = [&self.code, &self.decline_code];
        Answer::Declined {
            code: quoted(code),
            message: quoted(self.message.as_deref().unwrap_or("the card was declined")),
            wants_shopper: wanting.into_iter().flatten().any(|code| code == AUTHENTICATION_REQUIRED),
        }
    }
}

fn done(order: &Order, reference: &str, minor: i64, currency: &str) -> Answer {
    match amount::from_stripe(minor, currency) {
        Ok(amount) if amount.currency == order.amount.currency && amount.minor <= order.amount.minor => {
            Answer::Done { reference: reference.to_owned(), amount }
        }
        Ok(amount) => faulty(format!("{reference} moved {amount}, and {} was asked for", order.amount)),
        Err(message) => faulty(format!("{reference}: {message}")),
    }
}

fn declined(code: &str, message: &str) -> Answer {
    let wants_shopper = code == AUTHENTICATION_REQUIRED;
    Answer::Declined { code: quoted(code), message: message.to_owned(), wants_shopper }
}

fn faulty(message: String) -> Answer {
    Answer::Faulty { message }
}
