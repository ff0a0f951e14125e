//! Receipts, in every form, and what shoppers say about them.

use axum::http::{HeaderValue, StatusCode, header};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::access::Role;
use super::checks::{Checks, ProductCode, WORDS};
use super::page::{AfterRow, Page, PageQuery, row};
use super::problem::{Problem, Sort};
use super::reply::{Created, Json, Nothing, Output, Reply};
use super::route::Call;
use super::sheet::Paper;
use crate::base::{CartId, Money, ShopTime, ShopperId, SkuId};
use crate::db::carts;
use crate::document::Form;
use crate::facts::{Case, EntryRole};

/// Letters of a complaint.
const WORDS_CHARS_MAX: usize = 2_000;
/// Products of a complaint.
const SKUS_MAX: usize = 100;
/// Entries of an `Accept` header that are looked at.
const ACCEPTED_MAX: usize = 16;

/// A receipt in a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ReceiptSummary")]
pub(super) struct Summary {
    /// The cart.
    cart: CartId,
    /// When they came in.
    entered_at: ShopTime,
    /// When they left.
    left_at: Option<ShopTime>,
    /// The newest version, from 1.
    version: u32,
    /// What it comes to.
    total: Option<Money>,
    /// As what they came in.
    role: EntryRole,
    /// Where it stands with the money: `review`, `due`, `paid`, `credited`, `voided`, or `unbilled` of somebody who works here.
    standing: &'static str,
}

/// Which form.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FormQuery {
    /// `text`, `html`, `json`, `poslog` or `epcis`; goes before `Accept`.
    #[serde(default)]
    #[schemars(extend("enum" = ["text", "html", "json", "poslog", "epcis"]))]
    form: Option<String>,
}

/// What a shopper says is wrong.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ContestBody {
    /// In their own words, up to 2,000 letters.
    #[schemars(length(max = WORDS_CHARS_MAX), regex(pattern = WORDS))]
    words: String,
    /// The products meant, up to 100; none for the whole receipt.
    #[serde(default)]
    #[schemars(with = "Vec<ProductCode>", length(max = SKUS_MAX))]
    skus: Vec<SkuId>,
}

/// A receipt in one of its forms.
pub(super) struct Document(Form, String);

impl Output for Document {
    const STATUS: StatusCode = StatusCode::OK;

    fn reply(self) -> Result<Reply, Problem> {
        let mut reply = Reply::text(self.0.media_type(), self.1);
        reply.headers.push((header::VARY, HeaderValue::from_static("Accept")));
        if self.0 == Form::Html {
            // The page brings its own style and nothing else.
            let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'";
            reply.headers.push((header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy)));
        }
        Ok(reply)
    }

    fn content(_: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
        let schema = |form| match form {
            Form::Json | Form::Epcis => json_schema!({ "type": "object" }),
            Form::Text | Form::Html | Form::Poslog => json_schema!({ "type": "string" }),
        };
        Form::ALL.into_iter().map(|form| (essence(form), schema(form))).collect()
    }
}

/// A media type without its parameters.
fn essence(form: Form) -> &'static str {
    form.media_type().split(';').next().unwrap_or_default()
}

/// `GET /v1/shoppers/{shopper}/receipts`
pub(super) fn of_shopper(
    call: &Call<'_>,
    shopper: ShopperId,
    query: PageQuery<AfterRow>,
    _: Nothing,
) -> Result<Json<Page<Summary>>, Problem> {
    let (rows, (at, name)) = (query.rows()?, query.row(ShopTime::MAX));
    let found = call.read(|till| {
        till.with(|session| {
            let carts = carts::of_shopper(session, shopper, (at, &name), rows)?;
            let read = |cart: carts::Cart| match cart.receipt {
                0 => Ok((cart, None)),
                _ => Paper::read(session, cart.id, false).map(|paper| (cart, Some(paper))),
            };
            carts.into_iter().map(read).collect::<Result<Vec<_>, _>>()
        })
    })?;
    let key = |(cart, _): &(carts::Cart, _)| row(cart.entered_at, &cart.id);
    let page = Page::of(&query, found, key, |(_, paper)| paper.as_ref().map(summary))?;
    Ok(Json(Page { items: page.items.into_iter().flatten().collect(), next: page.next }))
}

/// `GET /v1/receipts`
pub(super) fn all(
    call: &Call<'_>,
    _: Nothing,
    query: PageQuery<AfterRow>,
    _: Nothing,
) -> Result<Json<Page<Summary>>, Problem> {
    let (rows, (at, name)) = (query.rows()?, query.row(ShopTime::MAX));
    let found = call.read(|till| {
        let shop = till.shop().name().to_owned();
        till.with(|session| {
            let carts = carts::with_receipt(session, &shop, (at, &name), rows)?;
            carts.into_iter().map(|cart| Paper::read(session, cart.id, false)).collect::<Result<Vec<_>, _>>()
        })
    })?;
    let left = |paper: &Paper| paper.cart().left_at.unwrap_or(paper.cart().entered_at);
    Page::of(&query, found, |paper| row(left(paper), &paper.cart().id), |paper| summary(&paper)).map(Json)
}

fn summary(paper: &Paper) -> Summary {
    Summary {
        cart: paper.cart().id,
        entered_at: paper.cart().entered_at,
        left_at: paper.cart().left_at,
        version: paper.newest().version,
        total: paper.newest().receipt.total,
        role: paper.role(),
        standing: paper.standing().name(),
    }
}

/// `GET /v1/receipts/{cart}`
pub(super) fn get(call: &Call<'_>, id: CartId, query: FormQuery, _: Nothing) -> Result<Document, Problem> {
    let form = match &query.form {
        Some(name) => name.parse().map_err(|message: String| Problem::new(Sort::Malformed, message))?,
        None => accepted(call)?,
    };
    // Evidence tells of other shoppers too.
    let with_evidence = call.is(Role::Operator) || call.is(Role::Reviewer);
    let read = |till: &mut crate::till::Till| {
        let shop = till.shop().clone();
        Ok((till.with(|session| Paper::read(session, id, with_evidence))?, shop))
    };
    let (paper, shop) = match with_evidence {
        true => call.record(&id, form.name(), read),
        false => call.read(read),
    }?;
    let text = match form {
        Form::Json => paper.interchange(&shop)?,
        Form::Text | Form::Html | Form::Poslog | Form::Epcis => paper.render(&shop, form)?,
    };
    Ok(Document(form, text))
}

/// The form that `Accept` likes best; JSON where it does not say.
fn accepted(call: &Call<'_>) -> Result<Form, Problem> {
    let mut wanted: Vec<(u32, Form)> = Vec::new();
    let mut entries = 0;
    for entry in call.headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()) {
        for range in entry.split(',').take(ACCEPTED_MAX) {
            entries += 1;
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |q| q.parse::<f64>().ok());
            let thousandths = (weight.unwrap_or(0.0).clamp(0.0, 1.0) * 1_000.0) as u32;
            let form = match name {
                "*/*" | "application/*" | "" => Some(Form::Json),
                "text/*" => Some(Form::Text),
                "text/xml" => Some(Form::Poslog),
                _ => Form::ALL.into_iter().find(|form| essence(*form) == name),
            };
            wanted.extend(form.filter(|_| 0 < thousandths).map(|form| (thousandths, form)));
        }
    }
    if entries == 0 {
        return Ok(Form::Json);
    }
    // Of equals the first.
    wanted.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    let none = || {
        let forms: Vec<&str> = Form::ALL.into_iter().map(essence).collect();
        Problem::new(Sort::Unacceptable, format!("receipts are given as {}", forms.join(", ")))
    };
    wanted.first().map(|(_, form)| *form).ok_or_else(none)
}

/// `POST /v1/receipts/{cart}/contest`
pub(super) fn contest(
    call: &Call<'_>,
    id: CartId,
    _: Nothing,
    Json(body): Json<ContestBody>,
) -> Result<Created<Case>, Problem> {
    let mut checks = Checks::default();
    checks.words("/words", &body.words, WORDS_CHARS_MAX);
    if SKUS_MAX < body.skus.len() {
        checks.say("/skus", format!("{} products; write up to {SKUS_MAX}", body.skus.len()));
    }
    for (index, sku) in body.skus.iter().take(SKUS_MAX).enumerate() {
        checks.sku(&format!("/skus/{index}"), sku);
    }
    checks.done()?;
    call.record(&id, "", |till| till.contest(id, &body.words, &body.skus, call.now)).map(Created)
}
