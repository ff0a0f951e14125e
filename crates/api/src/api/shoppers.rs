//! Who pays: enrolling them, everything that is known about them, and forgetting it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::{Role, hash, random};
use super::checks::{CODE, Checks, LINE};
use super::pictures;
use super::problem::{Problem, Sort};
use super::reply::{Created, Done, Json, Nothing, Object};
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
pub(super) const KEY_CHARS_MAX: usize = 255;

/// Somebody who wants to be a shopper. What is left out is not known of them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EnrolmentBody {
    /// What they call themselves, 1 to 255 letters.
    #[serde(default)]
    #[schemars(length(min = 1, max = CHARS_MAX), regex(pattern = LINE))]
    name: Option<String>,
    /// Where to reach them, 1 to 255 letters.
    #[serde(default)]
    #[schemars(length(min = 1, max = CHARS_MAX), regex(pattern = LINE))]
    contact: Option<String>,
    /// How they pay; without it they cannot come in. A shopper's token may say it only as the shop has it, or as the
    /// provider confirms it for this very shopper.
    #[serde(default)]
    #[schemars(with = "Option<PaymentBody>")]
    payment: Option<Object<PaymentBody>>,
    /// What they show at a gate, such as the content of a QR code: 16 to 256 letters that nobody can guess. Only a digest
    /// of it is kept.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    #[schemars(length(min = GATE_TOKEN_CHARS.0, max = GATE_TOKEN_CHARS.1), regex(pattern = LINE))]
    gate_token: Option<Secret<String>>,
}

/// A way to pay, as the provider has named it; never a card number.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PaymentBody {
    /// The provider, by the name that it has in this shop.
    provider: String,
    /// Whom the provider knows the shopper as, 1 to 255 letters of ASCII; nobody else may be the same.
    #[schemars(with = "String", length(min = 1, max = CHARS_MAX), regex(pattern = CODE))]
    customer: Secret<String>,
    /// What the provider calls the way to pay, up to 255 letters of ASCII; empty where the customer says it all.
    #[serde(default)]
    #[schemars(with = "Option<String>", length(max = CHARS_MAX), regex(pattern = CODE))]
    token: Option<Secret<String>>,
}

impl PaymentBody {
    /// Says what is wrong with it, which stands at `pointer`.
    pub(super) fn check(&self, call: &Call<'_>, checks: &mut Checks, pointer: &str) {
        if !call.api.providers.contains_key(&self.provider) {
            let names: Vec<&str> = call.api.providers.keys().map(String::as_str).collect();
            checks.say(format!("{pointer}/provider"), format!("is none of this shop's: {}", names.join(", ")));
        }
        checks.code(&format!("{pointer}/customer"), self.customer.reveal(), 1, CHARS_MAX);
        let token = self.token.as_ref().map_or("", |token| token.reveal());
        checks.code(&format!("{pointer}/token"), token, 0, CHARS_MAX);
    }

    /// The same as the book writes it.
    pub(super) fn method(self) -> PaymentMethod {
        PaymentMethod {
            provider: self.provider,
            customer: self.customer.reveal().clone(),
            token: self.token.map(|token| token.reveal().clone()).unwrap_or_default(),
        }
    }
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
    /// Since when.
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
    if let Some(Object(payment)) = &body.payment {
        payment.check(call, &mut checks, "/payment");
    }
    checks.done()?;
    let method = body.payment.map(|Object(payment)| payment.method());
    let gate_digest = body.gate_token.map(|token| hash(token.reveal()));
    let enrolment = Enrolment { id, name: body.name, contact: body.contact, method, gate_digest };
    match answers_for_payment(call, &enrolment)? {
        None => call.record(&id, "", |till| till.retell(&enrolment, call.now)),
        Some(detail) => call.record(&id, detail, |till| till.enrol(&enrolment, call.now)),
    }?;
    let shopper = call.read(|till| till.with(|session| known(shoppers::get(session, id)?, id).map_err(Into::into)))?;
    Ok(shopper.into())
}

/// Who answers for what pays, as the audit log says it; nobody where it stays as it is. A shopper's own word is no proof, and
/// neither is that they know what somebody is called at the provider.
fn answers_for_payment(call: &Call<'_>, enrolment: &Enrolment) -> Result<Option<&'static str>, Problem> {
    let id = enrolment.id;
    let before = call.read(|till| till.with(|session| shoppers::get(session, id)))?.and_then(|known| known.method);
    let changed = before != enrolment.method;
    let Some(method) = enrolment.method.as_ref().filter(|_| changed) else {
        return Ok(call.is(Role::Operator).then_some(if changed { "pays no more" } else { "" }));
    };
    if call.is(Role::Operator) {
        return Ok(Some("way to pay told"));
    }
    let provider = call.api.providers.get(&method.provider);
    match provider.map_or(Ok(false), |provider| provider.confirms(id, method)) {
        Ok(true) => Ok(Some("way to pay confirmed by the provider")),
        Ok(false) => Err(Problem::new(
            Sort::Forbidden,
            "a shopper's token may say what pays only as the shop has it, or as the payment provider confirms it for this \
             shopper; an operator may change it",
        )),
        Err(error) => {
            tracing::warn!(provider = method.provider, %error, "a way to pay was not confirmed");
            Err(Problem::new(Sort::Unavailable, "the payment provider cannot be asked just now; nothing was changed"))
        }
    }
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
    call.record(&id, "", |till| till.erase(id, call.now))?;
    pictures::forget_of(call, id);
    Ok(Done)
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
