//! Who pays: enrolling them, everything that is known about them, and forgetting it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::{hash, random};
use super::checks::Checks;
use super::problem::{Problem, Sort};
use super::reply::{Created, Done, Json, Nothing};
use super::route::Call;
use crate::base::{Error, Secret, ShopTime, ShopperId};
use crate::db::shoppers::{self, Shopper};
use crate::facts::PaymentMethod;
use crate::till::{Enrolment, Export};

/// Letters of names, contacts and what providers call somebody.
const CHARS_MAX: usize = 255;
/// Letters of what is shown at a gate: enough that nobody guesses it.
const GATE_TOKEN_CHARS: (usize, usize) = (16, 256);
/// Letters of an idempotency key.
const KEY_CHARS_MAX: usize = 255;

/// Somebody who wants to be a shopper. What is left out is not known of them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EnrolmentBody {
    /// What they call themselves, 1 to 255 letters.
    #[serde(default)]
    name: Option<String>,
    /// Where to reach them, 1 to 255 letters.
    #[serde(default)]
    contact: Option<String>,
    /// How they pay; without it they cannot come in.
    #[serde(default)]
    payment: Option<PaymentBody>,
    /// What they show at a gate, such as the content of a QR code: 16 to 256 letters that nobody can guess. Only a digest
    /// of it is kept.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    gate_token: Option<Secret<String>>,
}

/// A way to pay, as the provider has named it; never a card number.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PaymentBody {
    /// The provider, by the name that it has in this shop.
    provider: String,
    /// Whom the provider knows the shopper as, 1 to 255 letters.
    #[schemars(with = "String")]
    customer: Secret<String>,
    /// What the provider calls the way to pay, up to 255 letters; empty where the customer says it all.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    token: Secret<String>,
}

/// A shopper, without what providers and gates know them by.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Shopper")]
pub(super) struct ShopperView {
    /// Their name in the book.
    shopper: ShopperId,
    /// What they call themselves.
    name: Option<String>,
    /// Where to reach them.
    contact: Option<String>,
    /// The provider that they pay with; none while they cannot pay.
    provider: Option<String>,
    /// Whether they have something to show at a gate.
    gate_token: bool,
    /// Since when, nanoseconds since the Unix epoch.
    created_at: ShopTime,
    /// When what is personal was erased.
    erased_at: Option<ShopTime>,
}

impl From<Shopper> for ShopperView {
    fn from(shopper: Shopper) -> Self {
        ShopperView {
            shopper: shopper.id,
            name: shopper.name,
            contact: shopper.contact,
            provider: shopper.method.map(|method| method.provider),
            gate_token: shopper.gate_digest.is_some(),
            created_at: shopper.created_at,
            erased_at: shopper.erased_at,
        }
    }
}

/// `POST /v1/shoppers`
pub(super) fn enrol(
    call: &Call<'_>,
    _: Nothing,
    _: Nothing,
    Json(body): Json<EnrolmentBody>,
) -> Result<Created<ShopperView>, Problem> {
    let id = match idempotency_key(call)? {
        Some(key) => ShopperId::derived(&["enrolment", &holder(call), key]),
        None => ShopperId::new(call.now, random()?),
    };
    write(call, id, body).map(Created)
}

/// `PUT /v1/shoppers/{shopper}`
pub(super) fn change(
    call: &Call<'_>,
    id: ShopperId,
    _: Nothing,
    Json(body): Json<EnrolmentBody>,
) -> Result<Json<ShopperView>, Problem> {
    call.read(|till| till.with(|session| known(shoppers::get(session, id)?, id).map_err(Into::into)))?;
    write(call, id, body).map(Json)
}

fn write(call: &Call<'_>, id: ShopperId, body: EnrolmentBody) -> Result<ShopperView, Problem> {
    let mut checks = Checks::default();
    checks.maybe_line("/name", body.name.as_deref(), 1, CHARS_MAX);
    checks.maybe_line("/contact", body.contact.as_deref(), 1, CHARS_MAX);
    let (least, most) = GATE_TOKEN_CHARS;
    checks.maybe_line("/gate_token", body.gate_token.as_ref().map(|token| token.reveal().as_str()), least, most);
    if let Some(payment) = &body.payment {
        if !call.api.providers.contains_key(&payment.provider) {
            let names: Vec<&str> = call.api.providers.keys().map(String::as_str).collect();
            checks.say("/payment/provider", format!("is none of this shop's: {}", names.join(", ")));
        }
        checks.line("/payment/customer", payment.customer.reveal(), 1, CHARS_MAX);
        checks.line("/payment/token", payment.token.reveal(), 0, CHARS_MAX);
    }
    checks.done()?;
    let method = body.payment.map(|payment| PaymentMethod {
        provider: payment.provider,
        customer: payment.customer.reveal().clone(),
        token: payment.token.reveal().clone(),
    });
    let gate_digest = body.gate_token.map(|token| hash(token.reveal()));
    let enrolment = Enrolment { id, name: body.name, contact: body.contact, method, gate_digest };
    call.record(&id, "", |till| till.enrol(&enrolment, call.now))?;
    let shopper = call.read(|till| till.with(|session| known(shoppers::get(session, id)?, id).map_err(Into::into)))?;
    Ok(shopper.into())
}

/// `GET /v1/shoppers/{shopper}`
pub(super) fn get(call: &Call<'_>, id: ShopperId, _: Nothing, _: Nothing) -> Result<Json<ShopperView>, Problem> {
    let read = |session: &mut dyn crate::db::Session| known(shoppers::get(session, id)?, id).map_err(Into::into);
    call.record(&id, "", |till| till.with(read)).map(|shopper| Json(shopper.into()))
}

/// `GET /v1/shoppers/{shopper}/export`
pub(super) fn export(call: &Call<'_>, id: ShopperId, _: Nothing, _: Nothing) -> Result<Json<Export>, Problem> {
    call.record(&id, "", |till| till.export(id)).map(Json)
}

/// `DELETE /v1/shoppers/{shopper}`
pub(super) fn erase(call: &Call<'_>, id: ShopperId, _: Nothing, _: Nothing) -> Result<Done, Problem> {
    call.record(&id, "", |till| till.erase(id, call.now)).map(|()| Done)
}

fn known(shopper: Option<Shopper>, id: ShopperId) -> Result<Shopper, Error> {
    shopper.ok_or_else(|| Error::missing(format!("nobody here is called {id}")))
}

/// What tells the keys of one holder from those of another.
pub(super) fn holder(call: &Call<'_>) -> String {
    call.holder.map(|holder| holder.token.to_string()).unwrap_or_default()
}

/// The `Idempotency-Key` of a request.
pub(super) fn idempotency_key<'a>(call: &Call<'a>) -> Result<Option<&'a str>, Problem> {
    let mut keys = call.headers.get_all("idempotency-key").iter();
    let Some(key) = keys.next() else { return Ok(None) };
    let text = key.to_str().ok().filter(|key| (1..=KEY_CHARS_MAX).contains(&key.len()) && keys.next().is_none());
    let wrong =
        || Problem::new(Sort::Malformed, format!("`Idempotency-Key` is one of 1 to {KEY_CHARS_MAX} ASCII letters"));
    text.map(Some).ok_or_else(wrong)
}
