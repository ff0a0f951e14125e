//! Questions of gates: a message to a question and back to a message. It takes what a gate wrote and hands it to whoever answers gates
//! over HTTP, and says the answer on the gate's own topic. It decides nothing, keeps nothing, and shows nothing of what is in a
//! question, for tokens are in it.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::decode::{Reason, Refusal};
use super::outbox::Outbox;
use super::topics::Topics;
use super::wire::Said;
use crate::base::limits::REQUEST_BODY_BYTES_MAX;
use crate::base::{Secret, ShopTime};
use crate::ports::{Clock, GateAsk, GateDesk, GateQuestion};

/// Letters of what a gate calls a question, ASCII without spaces.
const ID_LETTERS_MAX: usize = 64;
/// What is answered where nobody takes the question, as the answers over HTTP have it.
const BUSY: u16 = 503;

/// What a gate writes. What is wrong with it is never told in the words of the reader, which would repeat parts of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    at: ShopTime,
    ask: String,
    token: Secret<String>,
    #[serde(default)]
    body: Map<String, Value>,
}

/// Where questions go, and where answers come back.
pub(super) struct Asks {
    pub(super) topics: Topics,
    pub(super) desk: GateDesk,
    pub(super) outbox: Outbox,
    pub(super) clock: std::sync::Arc<dyn Clock>,
}

impl Asks {
    /// Takes a question; whether somebody answers it. Where nobody does, the gate is told so.
    ///
    /// # Errors
    /// Why it is no question.
    pub(super) fn take(&self, gate: &str, payload: &[u8], is_retained: bool) -> Result<bool, Refusal> {
        let refuse = |reason: Reason, detail: String| Err(Refusal { reason, detail });
        if REQUEST_BODY_BYTES_MAX < payload.len() {
            let detail = format!("{} bytes; a question has at most {REQUEST_BODY_BYTES_MAX}", payload.len());
            return refuse(Reason::TooLarge, detail);
        }
        if is_retained {
            let detail = "the broker kept it; questions are sent without the retain flag, for tokens are in them";
            return refuse(Reason::Retained, detail.to_owned());
        }
        let Some(ask) = self.read(gate, payload) else {
            let detail =
                "a question is an object with `id`, `at`, `ask` (enter, leave, begin or rule), `token` and `body`";
            return refuse(Reason::Undecodable, detail.to_owned());
        };
        match self.desk.ask(ask) {
            Ok(()) => Ok(true),
            Err(ask) => {
                let why = "nobody answers gates here just now; the door stays shut, ask again";
                let body = json!({ "title": "It cannot be done just now", "status": BUSY, "detail": why });
                (ask.answer)(BUSY, body.to_string().into_bytes());
                Ok(false)
            }
        }
    }

    fn read(&self, gate: &str, payload: &[u8]) -> Option<GateAsk> {
        let Written { id, at, ask, token, mut body } = serde_json::from_slice(payload).ok()?;
        let question: GateQuestion = ask.parse().ok()?;
        let is_name = (1..=ID_LETTERS_MAX).contains(&id.len()) && id.bytes().all(|letter| letter.is_ascii_graphic());
        if !is_name {
            return None;
        }
        if question == GateQuestion::Enter {
            // It is the gate that may publish here.
            body.insert("gate".to_owned(), Value::from(gate));
        }
        let (outbox, clock, topic, name) =
            (self.outbox.clone(), self.clock.clone(), self.topics.answer(gate), id.clone());
        let answer = move |status: u16, body: Vec<u8>| {
            let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
            let said = json!({ "id": name, "at": clock.now().as_nanos(), "status": status, "body": body });
            // What there is no room for is counted of the broker; the gate asks again.
            outbox.say(Said { topic, payload: said.to_string().into_bytes(), is_sure: true, is_retained: false });
        };
        let body = Secret::new(serde_json::to_vec(&body).ok()?);
        Some(GateAsk { gate: gate.to_owned(), id, at, question, token, body, answer: Box::new(answer) })
    }
}
