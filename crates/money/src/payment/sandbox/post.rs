//! Notices on their way: queued when an order becomes final, handed out when due.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::entry::{Entry, Outcome};
use super::faults::Faults;
use crate::base::{Error, Money, Result, ShopTime, TransferId};
use crate::facts::{About, Notice, StatementLine, Task};

/// Notices that wait; where nobody takes them there are always so many. Beyond it the oldest is dropped, as if it had been
/// lost on its way.
const WAITING_MAX: usize = 4_096;

/// What waits to be handed out.
#[derive(Default)]
pub(super) struct Post {
    waiting: VecDeque<Waiting>,
}

struct Waiting {
    at: ShopTime,
    /// None for a dispute: nothing goes wrong with those.
    order: Option<TransferId>,
    message: Message,
}

/// The body of a notice.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Message {
    id: String,
    kind: String,
    /// Unix seconds.
    created: i64,
    order: TransferId,
    reference: String,
    amount: Money,
}

impl Post {
    /// An order was entered: what becomes of it will be told.
    pub(super) fn entered(&mut self, entry: &Entry, faults: &Faults) {
        let (noun, done) = match entry.order.task {
            Task::Authorise => ("hold", "placed"),
            Task::Capture { .. } => ("hold", "captured"),
            Task::Void { .. } => ("hold", "released"),
            Task::Charge => ("charge", "succeeded"),
            Task::Refund { .. } => ("refund", "succeeded"),
        };
        let state = if entry.outcome == Outcome::Done { done } else { "declined" };
        let order = entry.order.id;
        let at = entry.final_at();
        let message = Message {
            id: format!("evt_{}", order.hex()),
            kind: format!("{noun}.{state}"),
            created: at.as_nanos().div_euclid(1_000_000_000),
            order,
            reference: entry.reference(),
            amount: entry.order.amount,
        };
        let (_, held_back) = faults.delivery(order);
        self.push(Waiting { at: at + held_back, order: Some(order), message });
    }

    /// A payment is disputed, or a dispute is over: `opened`, `won` or `lost`.
    pub(super) fn dispute(&mut self, state: &str, line: &StatementLine, now: ShopTime) {
        let message = Message {
            id: format!("evt_dispute_{state}_{}", line.order.hex()),
            kind: format!("dispute.{state}"),
            created: now.as_nanos().div_euclid(1_000_000_000),
            order: line.order,
            reference: line.reference.clone(),
            amount: line.amount,
        };
        self.push(Waiting { at: now, order: None, message });
    }

    fn push(&mut self, waiting: Waiting) {
        if self.waiting.len() == WAITING_MAX {
            self.waiting.pop_front();
        }
        self.waiting.push_back(waiting);
    }

    /// The bodies of what is due, earliest first.
    pub(super) fn take(&mut self, now: ShopTime, faults: &Faults) -> Vec<Vec<u8>> {
        let waiting = std::mem::take(&mut self.waiting);
        let (mut due, later): (Vec<Waiting>, Vec<Waiting>) = waiting.into_iter().partition(|waiting| waiting.at <= now);
        self.waiting = later.into();
        due.sort_by_key(|waiting| waiting.at);
        let bodies = due.iter().flat_map(|waiting| {
            let copies = waiting.order.map_or(1, |order| faults.delivery(order).0);
            std::iter::repeat_n(&waiting.message, copies)
        });
        bodies.filter_map(|message| serde_json::to_vec(message).ok()).collect()
    }
}

/// Reads a body whose signature was checked.
///
/// # Errors
/// When it is not a notice of the sandbox.
pub(super) fn read(body: &[u8]) -> Result<Notice> {
    let message: Message = serde_json::from_slice(body)
        .map_err(|error| Error::input(format!("the notice is signed and cannot be read: {error}")))?;
    let Message { id, kind, order, reference, amount, created: _ } = message;
    let about = match kind.as_str() {
        "dispute.opened" => About::Dispute { reference, amount },
        "dispute.won" => About::DisputeClosed { reference, won: Some(amount) },
        "dispute.lost" => About::DisputeClosed { reference, won: None },
        _ => About::Order { order },
    };
    Ok(Notice { provider: "sandbox".to_owned(), id, kind, about })
}
