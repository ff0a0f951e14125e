//! Orders to payment providers that were given up: a person looks, and says what became of them.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::checks::{Checks, CurrencyCode, LINE};
use super::page::{AfterRow, Page, PageQuery, row};
use super::problem::Problem;
use super::reply::{Done, Json, Nothing, Object, Whole};
use super::route::Call;
use crate::base::{CartId, Currency, Money, PaymentId, ShopTime, TransferId};
use crate::db::outbox::{self, Letter};
use crate::facts::{Answer, Task};

/// Letters of what a provider calls something.
const CHARS_MAX: usize = 255;

/// An order, without what the provider knows the shopper by.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "StuckOrder")]
pub(super) struct OrderView {
    /// Its name, also the idempotency key that the provider got.
    order: TransferId,
    /// The payment.
    payment: PaymentId,
    /// The cart.
    cart: CartId,
    /// Who was asked.
    provider: String,
    /// To do what.
    #[serde(flatten)]
    task: Task,
    /// How much; for a void zero.
    amount: Money,
    /// When it was decided.
    made_at: ShopTime,
    /// How often it was sent.
    attempts: u32,
    /// Since when it may have been carried out without our knowing.
    unsure_since: Option<ShopTime>,
    /// What the provider calls it.
    reference: Option<String>,
    /// The last answer.
    answer: Option<Answer>,
    /// When that came.
    answered_at: Option<ShopTime>,
}

/// What somebody has found out at the provider.
#[derive(Deserialize, JsonSchema)]
#[serde(tag = "answer", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Resolution {
    /// It was carried out.
    Done {
        /// What the provider calls it, 1 to 255 letters.
        #[schemars(length(min = 1, max = CHARS_MAX), regex(pattern = LINE))]
        reference: String,
        /// How much was moved.
        #[schemars(with = "Amount")]
        amount: Object<Amount>,
    },
    /// It was not, and will not be.
    Declined {
        /// The provider's code, 1 to 255 letters.
        #[schemars(length(min = 1, max = CHARS_MAX), regex(pattern = LINE))]
        code: String,
    },
}

/// An amount that was moved, as a person writes it. The exponent has to be that of the currency, so that nobody means
/// hundredths where there are none.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = exponents)]
pub(super) struct Amount {
    /// How many minor units.
    #[schemars(with = "i64", range(min = 0, max = i64::MAX))]
    minor: Whole<i64>,
    /// Of which currency, ISO 4217.
    #[schemars(with = "CurrencyCode")]
    currency: Currency,
    /// Digits of the minor unit behind the decimal point, as ISO 4217 has them for the currency.
    #[schemars(with = "u32")]
    exponent: Whole<u32>,
}

/// Which exponent goes with which currencies.
fn exponents(schema: &mut Schema) {
    let mut by_exponent: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for currency in Currency::all() {
        by_exponent.entry(currency.decimals()).or_default().push(currency.to_string());
    }
    let known: Vec<&u32> = by_exponent.keys().collect();
    if let Some(exponent) = schema.pointer_mut("/properties/exponent") {
        exponent["enum"] = json!(known);
    }
    let pair = |(exponent, codes)| json!({ "properties": { "exponent": { "const": exponent }, "currency": { "enum": codes } } });
    let pairs: Vec<Value> = by_exponent.into_iter().map(pair).collect();
    schema.insert("oneOf".to_owned(), pairs.into());
}

fn view(letter: Letter) -> OrderView {
    OrderView {
        order: letter.order.id,
        payment: letter.order.payment,
        cart: letter.order.cart,
        provider: letter.order.method.provider,
        task: letter.order.task,
        amount: letter.order.amount,
        made_at: letter.order.made_at,
        attempts: letter.attempts,
        unsure_since: letter.unsure_since,
        reference: letter.reference,
        answer: letter.answer,
        answered_at: letter.answered_at,
    }
}

/// `GET /v1/orders/stuck`
pub(super) fn stuck(
    call: &Call<'_>,
    _: Nothing,
    query: PageQuery<AfterRow>,
    _: Nothing,
) -> Result<Json<Page<OrderView>>, Problem> {
    let (rows, (at, name)) = (query.rows()?, query.row(ShopTime::MIN));
    let found = call.read(|till| till.with(|session| outbox::stuck(session, (at, &name), rows)))?;
    Page::of(&query, found, |letter| row(letter.order.made_at, &letter.order.id), view).map(Json)
}

/// `POST /v1/orders/{order}/retry`
pub(super) fn retry(call: &Call<'_>, id: TransferId, _: Nothing, _: Nothing) -> Result<Done, Problem> {
    call.record(&id, "", |till| till.try_again(id, call.now)).map(|()| Done)
}

/// `POST /v1/orders/{order}/resolution`
pub(super) fn resolve(
    call: &Call<'_>,
    id: TransferId,
    _: Nothing,
    Json(body): Json<Resolution>,
) -> Result<Done, Problem> {
    let mut checks = Checks::default();
    let (answer, word) = match body {
        Resolution::Done { reference, amount: Object(amount) } => {
            let Amount { minor: Whole(minor), currency, exponent: Whole(exponent) } = amount;
            let amount = Money::new(minor, currency);
            checks.line("/reference", &reference, 1, CHARS_MAX);
            if amount.minor < 0 {
                checks.say("/amount/minor", format!("is {}; an amount that was moved is not negative", amount.minor));
            }
            if exponent != currency.decimals() {
                let message = format!("is {exponent}; amounts of {currency} have {}", currency.decimals());
                checks.say("/amount/exponent", message);
            }
            (Answer::Done { reference, amount }, "done")
        }
        Resolution::Declined { code } => {
            checks.line("/code", &code, 1, CHARS_MAX);
            let message = "found out at the provider by a person".to_owned();
            (Answer::Declined { code, message, wants_shopper: false }, "declined")
        }
    };
    checks.done()?;
    call.record(&id, word, |till| till.resolve(id, &answer, call.now)).map(|()| Done)
}
