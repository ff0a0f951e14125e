//! Stripe's events, as far as they concern orders.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{CAPTURE_KEY, ORDER_KEY, amount, order_named};
use crate::base::{Error, Result};
use crate::facts::{About, Notice};

#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: serde_json::Value,
}

/// Beginnings of the events that concern orders.
const KINDS: [&str; 6] = [
    "payment_intent.",
    "refund.",
    "charge.refund",
    "charge.dispute.created",
    "charge.dispute.closed",
    "charge.dispute.funds_reinstated",
];

/// The part of an intent, charge, refund or dispute that says what it belongs to.
#[derive(Deserialize)]
struct Object {
    metadata: Option<BTreeMap<String, String>>,
    payment_intent: Option<String>,
    amount: Option<i64>,
    currency: Option<String>,
    /// Of a dispute; other objects have their own.
    status: Option<String>,
}

/// Reads an event whose signature was checked.
///
/// # Errors
/// When it is not an event, or a dispute that cannot be understood.
pub(super) fn read(body: &[u8]) -> Result<Notice> {
    let event: Event = serde_json::from_slice(body)
        .map_err(|error| Error::input(format!("the notice is signed and is no event of Stripe's: {error}")))?;
    let Event { id, kind, data: Data { object } } = event;
    // Objects of other events may look like anything; a refusal would only bring them again.
    if !KINDS.iter().any(|beginning| kind.starts_with(beginning)) {
        return Ok(Notice { provider: "stripe".to_owned(), id, kind, about: About::Nothing });
    }
    let object: Object = serde_json::from_value(object)
        .map_err(|error| Error::input(format!("event {id} is `{kind}` and cannot be read: {error}")))?;
    let about = if kind.starts_with("payment_intent.") {
        // Whoever captures writes their name into the intent; before that, it is about the order that made it.
        [CAPTURE_KEY, ORDER_KEY].into_iter().find_map(|key| object.named(key)).unwrap_or(About::Nothing)
    } else if kind.starts_with("refund.") || kind == "charge.refund.updated" {
        object.named(ORDER_KEY).unwrap_or(About::Nothing)
    } else if kind == "charge.refunded" {
        object.payment_intent.map_or(About::Nothing, |reference| About::Reference { reference })
    } else if kind == "charge.dispute.created" {
        object.dispute().ok_or_else(|| Error::input(format!("the dispute of event {id} cannot be understood")))?
    } else if kind == "charge.dispute.closed" || kind == "charge.dispute.funds_reinstated" {
        object
            .dispute_closed()
            .ok_or_else(|| Error::input(format!("the dispute of event {id} cannot be understood")))?
    } else {
        About::Nothing
    };
    Ok(Notice { provider: "stripe".to_owned(), id, kind, about })
}

impl Object {
    fn named(&self, key: &str) -> Option<About> {
        order_named(self.metadata.as_ref()?.get(key)).map(|order| About::Order { order })
    }

    fn dispute(self) -> Option<About> {
        // A payment without an intent was not made by us.
        let Some(reference) = self.payment_intent else { return Some(About::Nothing) };
        let amount = amount::from_stripe(self.amount?, &self.currency?).ok()?;
        Some(About::Dispute { reference, amount })
    }

    /// An event says that money came back, or how the dispute ended; the state of the dispute says so in either. An inquiry
    /// that is closed never was a dispute, and took nothing for good.
    fn dispute_closed(self) -> Option<About> {
        let won = match self.status.as_deref()? {
            "won" | "warning_closed" => true,
            "lost" => false,
            // Still under way: another event will say more.
            _ => return Some(About::Nothing),
        };
        Some(match self.dispute()? {
            About::Dispute { reference, amount } => About::DisputeClosed { reference, won: won.then_some(amount) },
            other => other,
        })
    }
}
