//! Stripe over its REST API: holds and charges on stored cards, with nobody present.
//! It takes orders and signed events, and gives answers that say what Stripe's objects say. It never sees a card number
//! and tries nothing twice by itself; the id of an order is its idempotency key.

mod amount;
mod enrol;
mod event;
mod object;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::de::DeserializeOwned;
use ureq::http::Method;

use self::object::{Failure, Intent, List, Refund};
use super::Unpayable;
use super::http::{Http, Reply, Trouble, unsure};
use super::signature;
use crate::base::{Error, Money, Result, Secret, ShopTime, ShopperId, Span, TransferId};
use crate::facts::{Answer, Notice, Order, PaymentMethod, Settled, Task};
use crate::ports::{Clock, PaymentProvider};

pub use self::enrol::Enrolment;

/// Where Stripe is.
pub const STRIPE_BASE_URL: &str = "https://api.stripe.com";
/// The version of the API that is spoken: the one whose public description the tests hold every call against.
const API_VERSION: &str = "2023-08-16";
/// Stripe forgets idempotency keys that are a day old. Before an order that may be older is sent, Stripe is asked
/// whether it has it already; an hour is left for clocks that differ.
const KEY_SPAN: Span = Span::from_millis(23 * 3_600_000);
/// How much earlier than the order Stripe may say an object was made, because clocks differ.
const CLOCKS_SPAN: Span = Span::from_millis(3_600_000);
/// Pages of a hundred objects that are searched for an order.
const SEARCH_PAGES_MAX: usize = 20;

/// In the metadata of an intent or a refund: the order that made it.
const ORDER_KEY: &str = "aisle_order";
/// In the metadata of an intent: the order that captured it.
const CAPTURE_KEY: &str = "aisle_capture";
/// In the metadata of an intent or a refund: the cart.
const CART_KEY: &str = "aisle_cart";
/// In the metadata of a customer or a setup intent: the shopper for whom it was made.
const SHOPPER_KEY: &str = "aisle_shopper";

/// What Stripe needs to know of an account.
#[derive(Clone, Debug)]
pub struct StripeSettings {
    /// The secret or restricted API key, `sk_…` or `rk_…`.
    pub secret_key: Secret<String>,
    /// The signing secret of the webhook endpoint, `whsec_…`.
    pub webhook_secret: Secret<String>,
    /// [`STRIPE_BASE_URL`], or another server that speaks the same.
    pub base_url: String,
}

/// How many of Stripe's minor units a hold or a charge of this amount is.
///
/// # Errors
/// When Stripe takes no such payment, and why.
pub(super) fn payable(amount: Money) -> Result<i64, Unpayable> {
    amount::payable(amount)
}

/// Stripe, for one account.
pub struct Stripe {
    http: Http,
    settings: StripeSettings,
    clock: Arc<dyn Clock>,
}

/// Form fields of a call.
type Form = Vec<(String, String)>;

impl Stripe {
    /// The provider; nothing is sent yet.
    pub fn new(settings: StripeSettings, clock: Arc<dyn Clock>) -> Self {
        Stripe { http: Http::new(&settings.base_url), settings, clock }
    }

    /// Sends what the order says.
    fn send(&self, order: &Order) -> Answer {
        let (path, form) = match self.form(order) {
            Ok(call) => call,
            Err(message) => return Answer::Faulty { message },
        };
        let reply = match self.post(&path, &form, Some(&order.id.to_string())) {
            Ok(reply) => reply,
            Err(trouble) => return trouble.answer("Stripe"),
        };
        if reply.status == 200 {
            return match order.task {
                Task::Refund { .. } => self.read(&reply, |refund: Refund| refund.answer(order)),
                _ => self.read(&reply, |intent: Intent| intent.answer(order)),
            };
        }
        let failure = Failure::of(&reply);
        match &order.task {
            Task::Capture { hold } | Task::Void { hold } if failure.is_unexpected_state() => self.reread(order, hold),
            // The first answer, an error, is played back for a day. What is true must be looked up.
            _ if 500 <= reply.status && reply.header("idempotent-replayed") == Some("true") => {
                self.find(order).unwrap_or_else(unheard_of)
            }
            _ => failure.answer(),
        }
    }

    /// Where an order is sent, with which fields.
    fn form(&self, order: &Order) -> Result<(String, Form), String> {
        let money = match order.task {
            Task::Authorise | Task::Charge => payable(order.amount).map_err(|reason| reason.to_string())?,
            Task::Capture { .. } | Task::Void { .. } | Task::Refund { .. } => amount::to_stripe(order.amount)?,
        };
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let metadata = |name: &str, value: String| (format!("metadata[{name}]"), value);
        let (path, mut form) = match &order.task {
            Task::Authorise | Task::Charge => {
                if order.method.token.is_empty() {
                    return Err("no payment method: the shopper has left no card with Stripe".to_owned());
                }
                let hold = order.task == Task::Authorise;
                let form = vec![
                    pair("amount", &money.to_string()),
                    pair("currency", &order.amount.currency.code().to_ascii_lowercase()),
                    pair("customer", &order.method.customer),
                    pair("payment_method", &order.method.token),
                    pair("payment_method_types[]", "card"),
                    pair("capture_method", if hold { "manual" } else { "automatic" }),
                    pair("confirm", "true"),
                    pair("off_session", "true"),
                    metadata(ORDER_KEY, order.id.to_string()),
                ];
                ("/v1/payment_intents".to_owned(), form)
            }
            Task::Capture { hold } => {
                let form =
                    vec![pair("amount_to_capture", &money.to_string()), metadata(CAPTURE_KEY, order.id.to_string())];
                (intent_path(hold)? + "/capture", form)
            }
            Task::Void { hold } => {
                return Ok((intent_path(hold)? + "/cancel", vec![pair("cancellation_reason", "abandoned")]));
            }
            Task::Refund { of } => {
                let form = vec![
                    pair("payment_intent", plain(&of.reference)?),
                    pair("amount", &money.to_string()),
                    metadata(ORDER_KEY, order.id.to_string()),
                ];
                ("/v1/refunds".to_owned(), form)
            }
        };
        if money <= 0 {
            return Err(format!("{} cannot be moved: the amount is positive", order.amount));
        }
        form.push(metadata(CART_KEY, order.cart.to_string()));
        Ok((path, form))
    }

    /// What the intent of a hold says about an order that builds on it.
    fn reread(&self, order: &Order, hold: &Settled) -> Answer {
        match intent_path(hold) {
            Ok(path) => self.look(&path, |intent: Intent| intent.answer(order)),
            Err(message) => Answer::Faulty { message },
        }
    }

    /// Looks an order up whose reference is not known; `None` where Stripe has nothing of it.
    fn find(&self, order: &Order) -> Option<Answer> {
        match &order.task {
            Task::Capture { hold } | Task::Void { hold } => Some(self.reread(order, hold)),
            Task::Authorise | Task::Charge => {
                let since = (order.made_at - CLOCKS_SPAN).as_nanos().div_euclid(1_000_000_000).to_string();
                let filter = [("customer", order.method.customer.as_str()), ("created[gte]", &since)];
                let mine = |intent: &Intent| intent.order() == Some(order.id);
                self.search("/v1/payment_intents", &filter, mine, |intent| intent.answer(order))
            }
            Task::Refund { of } => {
                let mine = |refund: &Refund| refund.order() == Some(order.id);
                let filter = [("payment_intent", of.reference.as_str())];
                self.search("/v1/refunds", &filter, mine, |refund| refund.answer(order))
            }
        }
    }

    /// Goes through a list for the object that an order made; `None` where it is not in it.
    fn search<T: DeserializeOwned + object::Named>(
        &self,
        path: &str,
        filter: &[(&str, &str)],
        mine: impl Fn(&T) -> bool,
        answer: impl Fn(T) -> Answer,
    ) -> Option<Answer> {
        let mut after: Option<String> = None;
        for _ in 0..SEARCH_PAGES_MAX {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(filter).append_pair("limit", "100");
            if let Some(after) = &after {
                query.append_pair("starting_after", after);
            }
            let page: List<T> = match self.get(&format!("{path}?{}", query.finish())) {
                Ok(page) => page,
                Err(answer) => return Some(answer),
            };
            after = page.data.last().map(|last| last.id().to_owned());
            if let Some(found) = page.data.into_iter().find(|object| mine(object)) {
                return Some(answer(found));
            }
            if !page.has_more || after.is_none() {
                return None;
            }
        }
        let message = "Stripe has more payments of this shopper than are searched".to_owned();
        Some(Answer::Unknown { message })
    }

    fn look<T: DeserializeOwned>(&self, path: &str, answer: impl FnOnce(T) -> Answer) -> Answer {
        self.get(path).map_or_else(|failure| failure, answer)
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Answer> {
        let reply = self.call(Method::GET, path, &[], None).map_err(|trouble| unsure(trouble.answer("Stripe")))?;
        if reply.status != 200 {
            return Err(unsure(Failure::of(&reply).answer()));
        }
        serde_json::from_slice(&reply.body).map_err(|error| unreadable(&reply, &error))
    }

    fn read<T: DeserializeOwned>(&self, reply: &Reply, answer: impl FnOnce(T) -> Answer) -> Answer {
        serde_json::from_slice(&reply.body).map_or_else(|error| unreadable(reply, &error), answer)
    }

    fn post(&self, path: &str, form: &[(String, String)], key: Option<&str>) -> Result<Reply, Trouble> {
        self.call(Method::POST, path, form, key)
    }

    fn call(&self, method: Method, path: &str, form: &[(String, String)], key: Option<&str>) -> Result<Reply, Trouble> {
        let bearer = format!("Bearer {}", self.settings.secret_key.reveal());
        let mut headers = vec![("Authorization", bearer.as_str()), ("Stripe-Version", API_VERSION)];
        headers.extend(key.map(|key| ("Idempotency-Key", key)));
        if method == Method::POST {
            headers.push(("Content-Type", "application/x-www-form-urlencoded"));
        }
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.http.call(method, path, &headers, body.as_bytes())
    }
}

impl PaymentProvider for Stripe {
    fn name(&self) -> &str {
        "stripe"
    }

    fn submit(&self, order: &Order) -> Answer {
        // An intent that is captured or cancelled cannot be so again; everything else rests on the idempotency key.
        let state_protects = matches!(order.task, Task::Capture { .. } | Task::Void { .. });
        let may_be_forgotten = !state_protects && order.made_at + KEY_SPAN < self.clock.now();
        let found = if may_be_forgotten { self.find(order) } else { None };
        found.unwrap_or_else(|| self.send(order))
    }

    fn query(&self, order: &Order, reference: Option<&str>) -> Answer {
        let Some(reference) = reference else { return self.find(order).unwrap_or_else(unheard_of) };
        let reference = match plain(reference) {
            Ok(reference) => reference,
            Err(message) => return Answer::Faulty { message },
        };
        match &order.task {
            Task::Refund { .. } => {
                self.look(&format!("/v1/refunds/{reference}"), |refund: Refund| refund.answer(order))
            }
            _ => self.look(&format!("/v1/payment_intents/{reference}"), |intent: Intent| intent.answer(order)),
        }
    }

    fn read_notice(&self, headers: &[(String, String)], body: &[u8], now: ShopTime) -> Result<Notice> {
        let signature = signature::header(headers, "Stripe-Signature")
            .ok_or_else(|| Error::input("the notice has no header `Stripe-Signature`"))?;
        signature::verify(&self.settings.webhook_secret, signature, body, now)?;
        event::read(body)
    }

    fn confirms(&self, shopper: ShopperId, method: &PaymentMethod) -> Result<bool> {
        match method.token.is_empty() {
            true => Ok(false),
            false => self.was_left_by(shopper, method),
        }
    }
}

/// The address of an intent.
fn intent_path(settled: &Settled) -> Result<String, String> {
    Ok(format!("/v1/payment_intents/{}", plain(&settled.reference)?))
}

/// A reference that can stand in an address.
fn plain(reference: &str) -> Result<&str, String> {
    let fits = !reference.is_empty() && reference.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    fits.then_some(reference).ok_or_else(|| "this is no reference of Stripe's".to_owned())
}

/// The order that a metadata value names.
fn order_named(value: Option<&String>) -> Option<TransferId> {
    value?.parse().ok()
}

fn unheard_of() -> Answer {
    Answer::Unavailable { message: "Stripe has nothing of this order".to_owned(), retry_after: None }
}

fn unreadable(reply: &Reply, error: &serde_json::Error) -> Answer {
    let request = reply.header("request-id").unwrap_or("without an id");
    Answer::Unknown { message: format!("Stripe's answer cannot be read: {error} (request {request})") }
}
