//! One message of a device to one fact. It takes a topic, a payload, the flag that a broker sets on what it kept, and when it
//! arrived; it gives the fact, or the reason why there is none. It never talks to anybody and remembers nothing.

use super::topics::{About, Topics};
use crate::base::ShopTime;
use crate::base::text::plain;
use crate::facts::Fact;
use crate::recording;

/// Bytes of a payload.
pub(super) const PAYLOAD_BYTES_MAX: usize = 1 << 20;

aisle_contract::named_enum! {
    /// Why a message becomes no fact.
    pub enum Reason as "reason" {
        /// The payload is no fact of the topic's kind.
        Undecodable = "undecodable",
        /// The payload is larger than any fact.
        TooLarge = "too_large",
        /// The payload names another source than its topic.
        WrongSource = "wrong_source",
        /// The topic is of no kind that there is.
        UnknownTopic = "unknown_topic",
        /// The broker kept it: a measurement of another time.
        Retained = "retained",
        /// It came before.
        Duplicate = "duplicate",
        /// The shop's file says that its device is not to be used.
        Disabled = "disabled",
        /// There are more sources than any shop has.
        TooManySources = "too_many_sources",
        /// There was no room for it, and its sender does not repeat it.
        Full = "full",
    }
}

impl Reason {
    /// The counter that it raises.
    pub(super) const fn counter(self) -> &'static str {
        match self {
            Reason::Undecodable => "dropped_undecodable",
            Reason::TooLarge => "dropped_too_large",
            Reason::WrongSource => "dropped_wrong_source",
            Reason::UnknownTopic => "dropped_unknown_topic",
            Reason::Retained => "dropped_retained",
            Reason::Duplicate => "dropped_duplicate",
            Reason::Disabled => "dropped_disabled",
            Reason::TooManySources => "dropped_too_many_sources",
            Reason::Full => "dropped_full",
        }
    }
}

/// Why a message became no fact, and what exactly is wrong with it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refusal {
    pub(super) reason: Reason,
    pub(super) detail: String,
}

/// What is in a message.
#[derive(Debug)]
pub(super) enum Decoded {
    /// A fact.
    Fact(Box<Fact>),
    /// A question of this gate, which is read elsewhere.
    Ask(String),
    /// What aisle itself said, back from the broker.
    Own,
}

/// Reads a message.
pub(super) fn decode(
    topics: &Topics,
    topic: &str,
    payload: &[u8],
    retained: bool,
    arrived: ShopTime,
) -> Result<Decoded, Refusal> {
    let refuse = |reason: Reason, detail: String| Err(Refusal { reason, detail });
    let (kind, source) = match topics.about(topic) {
        About::Own => return Ok(Decoded::Own),
        About::Ask(gate) => return Ok(Decoded::Ask(gate.to_owned())),
        About::Unknown => return refuse(Reason::UnknownTopic, "this is no topic of the shop".to_owned()),
        About::Fact(kind, source) => (kind, source),
    };
    if PAYLOAD_BYTES_MAX < payload.len() {
        return refuse(Reason::TooLarge, format!("{} bytes; at most {PAYLOAD_BYTES_MAX} are read", payload.len()));
    }
    if retained {
        return refuse(
            Reason::Retained,
            "the broker kept it; measurements are sent without the retain flag".to_owned(),
        );
    }
    let mut fact = match recording::decode(kind, payload) {
        Ok(fact) => fact,
        Err(sentence) => return refuse(Reason::Undecodable, plain(&sentence).into_owned()),
    };
    if fact.stamp.source.as_str() != source {
        return refuse(Reason::WrongSource, "the stamp names another source than the topic".to_owned());
    }
    fact.stamp.arrived = arrived;
    Ok(Decoded::Fact(Box::new(fact)))
}
