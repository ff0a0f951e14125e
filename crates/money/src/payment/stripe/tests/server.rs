//! A server that keeps to what Stripe documents, as far as the calls of this room go.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

use super::super::super::tests::server::{Call, Reaction, Server};

/// What goes wrong with the next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The connection breaks before anything is done.
    HangUpBefore,
    /// It is done, and the connection breaks.
    HangUpAfter,
    /// A server error after it was done; stored under the key.
    StoredError,
    /// A server error before anything was done.
    Error,
    /// Too many calls.
    TooMany,
    /// The same key is in flight.
    Conflict,
    /// Out of order, with the header that it is worth trying again.
    Retryable,
    /// Something that is not JSON.
    Gibberish,
}

/// A call that was made, and its answer.
pub(super) struct Exchange {
    pub(super) call: Call,
    pub(super) form: BTreeMap<String, String>,
    pub(super) status: u16,
    pub(super) body: Value,
}

#[derive(Default)]
pub(super) struct Books {
    pub(super) intents: BTreeMap<String, Value>,
    pub(super) refunds: BTreeMap<String, Value>,
    setups: BTreeMap<String, Value>,
    keys: BTreeMap<String, (String, Vec<u8>, u16, Value)>,
    pub(super) faults: VecDeque<Fault>,
    pub(super) log: Vec<Exchange>,
    serial: u32,
}

pub(super) struct FakeStripe {
    pub(super) server: Server,
    books: Arc<Mutex<Books>>,
}

impl FakeStripe {
    pub(super) fn start() -> Self {
        let books = Arc::new(Mutex::new(Books::default()));
        let shared = books.clone();
        let server = Server::start(move |call| shared.lock().unwrap().react(call));
        FakeStripe { server, books }
    }

    pub(super) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }

    pub(super) fn fault(&self, fault: Fault) {
        self.books().faults.push_back(fault);
    }
}

fn error(kind: &str, code: &str, message: &str) -> Value {
    json!({ "error": { "type": kind, "code": code, "message": message } })
}

impl Books {
    fn react(&mut self, call: &Call) -> Reaction {
        let form: BTreeMap<String, String> = form_urlencoded::parse(&call.body).into_owned().collect();
        let fault = self.faults.pop_front();
        let mut headers = vec![("Request-Id".to_owned(), "req_test".to_owned())];
        let early = match fault {
            Some(Fault::HangUpBefore) => return Reaction::HangUp,
            Some(Fault::Error) => Some((500, error("api_error", "internal", "nothing was done"))),
            Some(Fault::TooMany) => {
                headers.push(("Retry-After".to_owned(), "7".to_owned()));
                Some((429, error("invalid_request_error", "rate_limit", "slow down")))
            }
            Some(Fault::Conflict) => Some((409, error("invalid_request_error", "idempotency_key_in_use", "in flight"))),
            Some(Fault::Retryable) => {
                headers.push(("Stripe-Should-Retry".to_owned(), "true".to_owned()));
                Some((400, error("invalid_request_error", "lock_timeout", "locked")))
            }
            _ => None,
        };
        let (status, body) = match early {
            Some(answer) => answer,
            None => self.keyed(call, &form, fault, &mut headers),
        };
        self.log.push(Exchange { call: call.clone(), form, status, body: body.clone() });
        match fault {
            Some(Fault::HangUpAfter) => Reaction::HangUp,
            Some(Fault::Gibberish) => Reaction::Reply(status, headers, b"<html>".to_vec()),
            _ => Reaction::Reply(status, headers, serde_json::to_vec(&body).unwrap()),
        }
    }

    /// Plays a first answer back, or carries the call out.
    fn keyed(
        &mut self,
        call: &Call,
        form: &BTreeMap<String, String>,
        fault: Option<Fault>,
        headers: &mut Vec<(String, String)>,
    ) -> (u16, Value) {
        if call.header("Authorization") != Some("Bearer sk_test_1") || call.header("Stripe-Version").is_none() {
            return (
                401,
                json!({ "error": { "type": "invalid_request_error", "message": "Invalid API Key: sk_***1" } }),
            );
        }
        let key = call.header("Idempotency-Key").map(str::to_owned);
        if let Some((target, body, status, answer)) = key.as_ref().and_then(|key| self.keys.get(key)) {
            if (target.as_str(), body) != (&call.target, &call.body) {
                return (400, json!({ "error": { "type": "idempotency_error", "message": "other parameters" } }));
            }
            headers.push(("Idempotent-Replayed".to_owned(), "true".to_owned()));
            return (*status, answer.clone());
        }
        let mut answer = self.carry_out(call, form);
        if fault == Some(Fault::StoredError) {
            answer = (500, error("api_error", "internal", "it was done, and then this"));
        }
        // What failed validation is not stored.
        if let Some(key) = key.filter(|_| ![400, 404].contains(&answer.0)) {
            self.keys.insert(key, (call.target.clone(), call.body.clone(), answer.0, answer.1.clone()));
        }
        answer
    }

    fn carry_out(&mut self, call: &Call, form: &BTreeMap<String, String>) -> (u16, Value) {
        let parts: Vec<&str> = call.path().trim_start_matches("/v1/").split('/').collect();
        match (call.method.as_str(), parts.as_slice()) {
            ("POST", ["customers"]) => {
                (200, json!({ "id": "cus_1", "object": "customer", "created": 1, "livemode": false }))
            }
            ("POST", ["setup_intents"]) => self.set_up(form),
            ("GET", ["setup_intents"]) => {
                let query = call.query();
                let card = query.iter().find(|(name, _)| name == "payment_method").map(|(_, value)| value.as_str());
                let with_card = self.setups.iter().filter(|(_, setup)| setup["payment_method"].as_str() == card);
                let with_card = with_card.map(|(id, setup)| (id.clone(), setup.clone())).collect();
                list(&query, "customer", "/v1/setup_intents", &with_card)
            }
            ("GET", ["setup_intents", id]) => found(self.setups.get(*id)),
            ("POST", ["payment_intents"]) => self.pay(form),
            ("GET", ["payment_intents"]) => list(&call.query(), "customer", "/v1/payment_intents", &self.intents),
            ("GET", ["payment_intents", id]) => found(self.intents.get(*id)),
            ("POST", ["payment_intents", id, "capture"]) => self.capture(id, form),
            ("POST", ["payment_intents", id, "cancel"]) => self.cancel(id),
            ("POST", ["refunds"]) => self.refund(form),
            ("GET", ["refunds"]) => list(&call.query(), "payment_intent", "/v1/refunds", &self.refunds),
            ("GET", ["refunds", id]) => found(self.refunds.get(*id)),
            _ => (404, error("invalid_request_error", "resource_missing", "no such thing")),
        }
    }

    fn id(&mut self, prefix: &str) -> String {
        self.serial += 1;
        format!("{prefix}_{:04}", self.serial)
    }

    fn set_up(&mut self, form: &BTreeMap<String, String>) -> (u16, Value) {
        let id = self.id("seti");
        let setup = json!({ "id": id, "object": "setup_intent", "created": 1, "livemode": false, "usage": form["usage"],
            "payment_method_types": ["card"], "status": "requires_payment_method", "customer": form["customer"],
            "metadata": { "aisle_shopper": form["metadata[aisle_shopper]"] }, "client_secret": format!("{id}_secret_1") });
        self.setups.insert(id, setup.clone());
        (200, setup)
    }

    /// The shopper's page gives the card.
    pub(super) fn leave_card(&mut self, setup: &str) {
        let setup = self.setups.get_mut(setup).unwrap();
        setup["status"] = json!("succeeded");
        setup["payment_method"] = json!("pm_card_visa");
    }

    fn pay(&mut self, form: &BTreeMap<String, String>) -> (u16, Value) {
        let amount: i64 = form["amount"].parse().unwrap();
        let manual = form["capture_method"] == "manual";
        let id = self.id("pi");
        let mut intent = json!({ "id": id, "object": "payment_intent", "amount": amount, "currency": form["currency"],
            "created": 1_700_000_000, "livemode": false, "confirmation_method": "automatic", "customer": form["customer"],
            "capture_method": form["capture_method"], "payment_method_types": ["card"], "metadata": metadata(form),
            "status": if manual { "requires_capture" } else { "succeeded" },
            "amount_capturable": if manual { amount } else { 0 }, "amount_received": if manual { 0 } else { amount } });
        let (code, decline) = match form["payment_method"].as_str() {
            "pm_card_chargeDeclined" => ("card_declined", Some("generic_decline")),
            "pm_card_chargeDeclinedInsufficientFunds" => ("card_declined", Some("insufficient_funds")),
            "pm_card_authenticationRequired" => ("authentication_required", Some("authentication_required")),
            "pm_processing" => {
                intent["status"] = json!("processing");
                ("", None)
            }
            _ => ("", None),
        };
        self.intents.insert(id.clone(), intent.clone());
        if code.is_empty() {
            return (200, intent);
        }
        let problem = json!({ "type": "card_error", "code": code, "decline_code": decline, "message": "Your card was declined." });
        let intent = self.intents.get_mut(&id).unwrap();
        intent["status"] = json!("requires_payment_method");
        intent["amount_capturable"] = json!(0);
        intent["amount_received"] = json!(0);
        intent["last_payment_error"] = problem.clone();
        let mut error = problem;
        error["payment_intent"] = intent.clone();
        (402, json!({ "error": error }))
    }

    fn capture(&mut self, id: &str, form: &BTreeMap<String, String>) -> (u16, Value) {
        let Some(intent) = self.intents.get_mut(id) else { return found(None) };
        let amount: i64 = form["amount_to_capture"].parse().unwrap();
        if intent["status"] != "requires_capture" {
            return unexpected_state();
        }
        if intent["amount_capturable"].as_i64().unwrap() < amount {
            return (400, error("invalid_request_error", "amount_too_large", "too large"));
        }
        intent["status"] = json!("succeeded");
        intent["amount_received"] = json!(amount);
        intent["amount_capturable"] = json!(0);
        for (name, value) in metadata(form).as_object().unwrap() {
            intent["metadata"][name] = value.clone();
        }
        (200, intent.clone())
    }

    fn cancel(&mut self, id: &str) -> (u16, Value) {
        let Some(intent) = self.intents.get_mut(id) else { return found(None) };
        if ["succeeded", "canceled"].contains(&intent["status"].as_str().unwrap()) {
            return unexpected_state();
        }
        intent["status"] = json!("canceled");
        intent["amount_capturable"] = json!(0);
        (200, intent.clone())
    }

    fn refund(&mut self, form: &BTreeMap<String, String>) -> (u16, Value) {
        let of = &form["payment_intent"];
        let Some(intent) = self.intents.get(of) else { return found(None) };
        let amount: i64 = form["amount"].parse().unwrap();
        let given: i64 = self
            .refunds
            .values()
            .filter(|refund| refund["payment_intent"] == of.as_str())
            .map(|r| r["amount"].as_i64().unwrap())
            .sum();
        if intent["amount_received"].as_i64().unwrap() < given + amount {
            return (400, error("invalid_request_error", "charge_already_refunded", "more than is left"));
        }
        let currency = intent["currency"].clone();
        let id = self.id("re");
        let refund = json!({ "id": id, "object": "refund", "amount": amount, "currency": currency, "created": 1_700_000_000,
            "payment_intent": of, "status": "succeeded", "metadata": metadata(form) });
        self.refunds.insert(id, refund.clone());
        (200, refund)
    }
}

fn unexpected_state() -> (u16, Value) {
    (400, error("invalid_request_error", "payment_intent_unexpected_state", "not in this state"))
}

fn found(object: Option<&Value>) -> (u16, Value) {
    object.map_or_else(
        || (404, error("invalid_request_error", "resource_missing", "no such object")),
        |object| (200, object.clone()),
    )
}

fn metadata(form: &BTreeMap<String, String>) -> Value {
    let pairs = form.iter().filter_map(|(name, value)| {
        Some((name.strip_prefix("metadata[")?.strip_suffix(']')?.to_owned(), json!(value)))
    });
    Value::Object(pairs.collect())
}

/// Newest first, two a page, so that paging is put to use.
fn list(query: &[(String, String)], filter: &str, url: &str, objects: &BTreeMap<String, Value>) -> (u16, Value) {
    let asked = |name: &str| query.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
    let wanted = asked(filter).unwrap();
    let behind = asked("starting_after");
    let matching = objects.iter().rev().filter(|(_, object)| object[filter] == wanted);
    let rest: Vec<_> =
        matching.filter(|(id, _)| behind.is_none_or(|behind| id.as_str() < behind)).map(|(_, object)| object).collect();
    let page: Vec<_> = rest.iter().take(2).collect();
    (200, json!({ "object": "list", "url": url, "has_more": page.len() < rest.len(), "data": page }))
}
