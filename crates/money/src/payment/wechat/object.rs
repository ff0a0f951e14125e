//! WeChat Pay's objects, as far as they are read, and what they mean for an order.

use serde::Deserialize;

use super::super::http::{Reply, quoted};
use crate::base::Money;
use crate::facts::{Answer, Order, Task};

/// What a capture is told whose hold is no more.
const HOLD_EXPIRED: &str = "hold_expired";
/// What is told to who wants to release a hold that was captured.
const ALREADY_CAPTURED: &str = "already_captured";

/// A pay-score service order.
#[derive(Debug, Deserialize)]
pub(super) struct ServiceOrder {
    pub(super) out_order_no: String,
    pub(super) state: String,
    #[serde(default)]
    state_description: String,
    total_amount: Option<i64>,
    collection: Option<Collection>,
    /// Opens the page on which the shopper confirms.
    pub(super) package: Option<String>,
}

/// How the money of a completed order comes in.
#[derive(Debug, Deserialize)]
struct Collection {
    #[serde(default)]
    state: String,
    paid_amount: Option<i64>,
    #[serde(default)]
    details: Vec<Detail>,
}

/// A part of the money.
#[derive(Debug, Deserialize)]
struct Detail {
    amount: Option<i64>,
    #[serde(default)]
    paid_type: String,
    transaction_id: Option<String>,
}

/// A refund.
#[derive(Debug, Deserialize)]
pub(super) struct Refund {
    refund_id: String,
    status: String,
    amount: RefundAmount,
}

#[derive(Debug, Deserialize)]
struct RefundAmount {
    refund: i64,
}

/// What can be refunded.
pub(super) struct Payment {
    pub(super) transaction_id: String,
    /// What was paid, fen.
    pub(super) amount: i64,
}

/// An answer that is an error.
pub(super) struct Failure<'a> {
    reply: &'a Reply,
    problem: Problem,
}

#[derive(Debug, Default, Deserialize)]
struct Problem {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// Where a service order stands: the three of its states that make sense together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Waits for the shopper's confirmation.
    Created,
    /// Confirmed: money can be asked for.
    Open,
    /// Money was asked for and is being debited.
    Debiting,
    /// Closed, and paid if anything was due.
    Done,
    /// Cancelled or expired.
    Ended,
}

impl ServiceOrder {
    fn stage(&self) -> Option<Stage> {
        let collection = self.collection.as_ref().map_or("", |collection| collection.state.as_str());
        Some(match (self.state.as_str(), self.state_description.as_str(), collection) {
            ("CREATED", ..) => Stage::Created,
            ("DOING", "USER_CONFIRM", _) => Stage::Open,
            ("DOING", "MCH_COMPLETE", _) => Stage::Debiting,
            ("DONE", _, "USER_PAID" | "") => Stage::Done,
            ("REVOKED" | "EXPIRED", ..) => Stage::Ended,
            _ => return None,
        })
    }

    /// Whether it can be completed or cancelled.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.stage(), Some(Stage::Created | Stage::Open))
    }

    /// What it says about an order that makes, completes or cancels it. `confirmed_by_shopper` says whether the shopper
    /// has to confirm.
    pub(super) fn answer(&self, order: &Order, confirmed_by_shopper: bool) -> Answer {
        let reference = || self.out_order_no.clone();
        let done = |amount| Answer::Done { reference: reference(), amount };
        let Some(stage) = self.stage() else {
            let text = quoted(&format!("{}/{}", self.state, self.state_description));
            return Answer::Unknown { message: format!("service order {} is `{text}`", self.out_order_no) };
        };
        match (&order.task, stage) {
            (Task::Authorise, Stage::Created) if confirmed_by_shopper => Answer::Pending { reference: reference() },
            (Task::Authorise, Stage::Created) => declined("not_accepted", "WeChat Pay did not accept the order"),
            (Task::Authorise, Stage::Open | Stage::Debiting | Stage::Done) => done(order.amount),
            (Task::Authorise | Task::Capture { .. }, Stage::Ended) => {
                declined(HOLD_EXPIRED, "this service order has expired or was cancelled")
            }
            (Task::Capture { .. }, Stage::Debiting | Stage::Done) => self.captured(order, stage),
            (Task::Void { .. }, Stage::Ended) => done(order.amount),
            (Task::Void { .. }, Stage::Debiting | Stage::Done) => {
                declined(ALREADY_CAPTURED, "this service order was completed")
            }
            (Task::Capture { .. } | Task::Void { .. }, Stage::Created | Stage::Open) => Answer::Unavailable {
                message: format!("service order {} is open", self.out_order_no),
                retry_after: None,
            },
            (Task::Charge | Task::Refund { .. }, _) => {
                faulty(format!("{} is a service order, and neither a charge nor a refund", self.out_order_no))
            }
        }
    }

    /// What it says once it was completed: that it was completed by this order shows in the amount only.
    fn captured(&self, order: &Order, stage: Stage) -> Answer {
        if let Some(other) = self.total_amount.filter(|total| *total != order.amount.minor) {
            let other = Money::new(other, order.amount.currency);
            return faulty(format!("{} was completed with {other}, not {}", self.out_order_no, order.amount));
        }
        let elsewhere = |collection: &Collection| collection.details.iter().any(|detail| detail.paid_type == "MCH");
        match (stage, &self.collection) {
            (Stage::Done, Some(collection)) if elsewhere(collection) => {
                faulty(format!("{} was marked as paid elsewhere", self.out_order_no))
            }
            (Stage::Done, Some(collection)) if collection.paid_amount.is_none_or(|paid| paid == order.amount.minor) => {
                Answer::Done { reference: self.out_order_no.clone(), amount: order.amount }
            }
            (Stage::Done, _) => faulty(format!("{} is closed, and not paid in full", self.out_order_no)),
            _ => Answer::Pending { reference: self.out_order_no.clone() },
        }
    }

    /// What was paid, where it can be refunded as one.
    ///
    /// # Errors
    /// What to answer instead.
    pub(super) fn payment(&self) -> Result<Payment, Answer> {
        if self.stage() != Some(Stage::Done) {
            let message = format!("service order {} is not paid yet", self.out_order_no);
            return Err(Answer::Unavailable { message, retry_after: None });
        }
        let details = self.collection.iter().flat_map(|collection| &collection.details);
        let mut paid = details.filter_map(|detail| Some((detail.transaction_id.clone()?, detail.amount?)));
        match (paid.next(), paid.next()) {
            (Some((transaction_id, amount)), None) => Ok(Payment { transaction_id, amount }),
            (None, _) => Err(faulty(format!("nothing was paid by {}", self.out_order_no))),
            (Some(_), Some(_)) => {
                Err(faulty(format!("{} was paid in several parts; refund it by hand", self.out_order_no)))
            }
        }
    }
}

impl Refund {
    /// What it says about the order that made it.
    pub(super) fn answer(&self, order: &Order) -> Answer {
        match self.status.as_str() {
            "SUCCESS" if self.amount.refund == order.amount.minor => {
                Answer::Done { reference: self.refund_id.clone(), amount: order.amount }
            }
            "SUCCESS" => faulty(format!("{} gave back another amount than {}", self.refund_id, order.amount)),
            "PROCESSING" => Answer::Pending { reference: self.refund_id.clone() },
            "CLOSED" => declined("refund_closed", "WeChat Pay closed the refund"),
            "ABNORMAL" => faulty(format!("{} cannot reach the shopper; see to it at WeChat Pay", self.refund_id)),
            other => Answer::Unknown { message: format!("{} is `{}`", self.refund_id, quoted(other)) },
        }
    }
}

impl<'a> Failure<'a> {
    /// Reads the error of an answer; what is no error of WeChat Pay's stays empty.
    pub(super) fn of(reply: &'a Reply) -> Self {
        Failure { reply, problem: serde_json::from_slice(&reply.body).unwrap_or_default() }
    }

    /// Whether it may be the state of the order that is wrong, and not the call.
    pub(super) fn may_be_state(&self) -> bool {
        self.reply.status == 400
            && ["INVALID_REQUEST", "PARAM_ERROR"].contains(&self.problem.code.as_str())
            && self.inner_code() != Some("271316598")
    }

    /// What it means for the order that was sent.
    pub(super) fn answer(&self, order: &Order) -> Answer {
        let message = self.message();
        match (self.reply.status, self.inner_code()) {
            (_, Some("271300099")) => declined("risk_assessment_failed", "WeChat Pay does not vouch for the shopper"),
            (_, Some("271299627")) => declined("overdue_orders", "the shopper has unpaid orders at WeChat Pay"),
            (_, Some("271316754")) => Answer::Unknown { message },
            // Whether a refund was taken on is then not known.
            (429, _) if matches!(order.task, Task::Refund { .. }) => Answer::Unknown { message },
            (429, _) => Answer::Unavailable { message, retry_after: self.reply.retry_after() },
            (..400 | 500.., _) => Answer::Unknown { message },
            _ => Answer::Faulty { message },
        }
    }

    /// What is said of it, for people.
    pub(super) fn message(&self) -> String {
        let Problem { code, message } = &self.problem;
        let request = quoted(self.reply.header("request-id").unwrap_or("without an id"));
        let (code, message) = (quoted(if code.is_empty() { "no code" } else { code }), quoted(message));
        format!("WeChat Pay says {} {code}: {message} (request {request})", self.reply.status)
    }

    /// The number that says more than the code: what the request id ends with.
    fn inner_code(&self) -> Option<&str> {
        self.reply.header("request-id")?.rsplit_once('-').map(|(_, code)| code)
    }
}

fn declined(code: &str, message: &str) -> Answer {
    Answer::Declined { code: code.to_owned(), message: message.to_owned(), wants_shopper: false }
}

fn faulty(message: String) -> Answer {
    Answer::Faulty { message }
}
