//! What waits for a person, and what the person says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::carts::{CartView, known, view};
use super::checks::{Checks, ProductCode, WORDS};
use super::page::{AfterCode, AfterRow, Page, PageQuery, row};
use super::problem::Problem;
use super::reply::{Json, Nothing, Object, Whole};
use super::route::Call;
use super::scans;
use crate::base::{CaseId, Error, Money, Quantity, ShopTime, SkuId};
use crate::db::{carts, cases};
use crate::facts::{Case, Decision, Goods, Grounds, Receipt, Verdict};

/// Letters of a reviewer's note.
const NOTE_CHARS_MAX: usize = 2_000;
/// Lines of a changed receipt.
const LINES_MAX: usize = 500;

/// A case with everything that a person needs to decide it.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct CaseFile {
    /// The case.
    case: Case,
    /// The cart.
    cart: CartView,
    /// The receipt as it stands; none where there is none yet.
    receipt: Option<Receipt>,
    /// Attributions with their references, as the engine wrote them; none when their time is over.
    evidence: Option<Vec<Grounds>>,
}

/// What a person has decided.
#[derive(Deserialize, JsonSchema)]
#[serde(tag = "decision", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum VerdictBody {
    /// The receipt is right as it stands.
    Accept {
        /// Why, in their words, up to 2,000 letters.
        #[serde(default)]
        #[schemars(length(max = NOTE_CHARS_MAX), regex(pattern = WORDS))]
        note: String,
    },
    /// These are the goods; products not named were not taken.
    Change {
        /// What the shopper has, a product once, up to 500 of them.
        #[schemars(with = "Vec<GoodsBody>", length(max = LINES_MAX))]
        lines: Vec<Object<GoodsBody>>,
        /// Why, in their words, up to 2,000 letters.
        #[serde(default)]
        #[schemars(length(max = NOTE_CHARS_MAX), regex(pattern = WORDS))]
        note: String,
    },
    /// Nothing is to be charged, or what was charged is to be given back.
    Reject {
        /// Why, in their words, up to 2,000 letters.
        #[serde(default)]
        #[schemars(length(max = NOTE_CHARS_MAX), regex(pattern = WORDS))]
        note: String,
    },
}

/// So many units of a product, as a person names them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GoodsBody {
    /// The product, by its code of 1 to 64 letters.
    #[schemars(with = "ProductCode")]
    sku: SkuId,
    /// How many; at least one.
    #[schemars(with = "u32", range(min = 1, max = u32::MAX))]
    quantity: Whole<u32>,
}

/// A product of the catalogue.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Product")]
pub(super) struct ProductView {
    /// Its code.
    sku: SkuId,
    /// Its name for people.
    name: String,
    /// What one costs, if that is known.
    price: Option<Money>,
}

/// `GET /v1/cases`
pub(super) fn waiting(
    call: &Call<'_>,
    _: Nothing,
    query: PageQuery<AfterRow>,
    _: Nothing,
) -> Result<Json<Page<Case>>, Problem> {
    let (rows, (at, name)) = (query.rows()?, query.row(ShopTime::MIN));
    let found = call.read(|till| till.with(|session| cases::waiting(session, (at, &name), rows)))?;
    Page::of(&query, found, |case| row(case.opened, &case.id), |case| case).map(Json)
}

/// `GET /v1/cases/{case}`
pub(super) fn get(call: &Call<'_>, id: CaseId, _: Nothing, _: Nothing) -> Result<Json<CaseFile>, Problem> {
    let read = |session: &mut dyn crate::db::Session| {
        let case = cases::get(session, id)?.ok_or_else(|| Error::missing(format!("there is no {id}")))?;
        let cart = known(session, case.cart)?;
        let receipt = carts::receipts(session, case.cart)?.pop().map(|version| version.receipt);
        let evidence = carts::evidence(session, case.cart)?;
        Ok(CaseFile { cart: view(session, cart)?, case, receipt, evidence })
    };
    call.record(&id, "", |till| till.with(read)).map(Json)
}

/// `POST /v1/cases/{case}/verdict`
pub(super) fn decide(
    call: &Call<'_>,
    id: CaseId,
    _: Nothing,
    Json(body): Json<VerdictBody>,
) -> Result<Json<Case>, Problem> {
    let mut checks = Checks::default();
    let (decision, note) = match body {
        VerdictBody::Accept { note } => (Decision::Accept, note),
        VerdictBody::Change { lines, note } => {
            let goods =
                |Object(line): Object<GoodsBody>| Goods { sku: line.sku, quantity: Quantity::new(line.quantity.0) };
            (Decision::Change { lines: lines.into_iter().map(goods).collect() }, note)
        }
        VerdictBody::Reject { note } => (Decision::Reject, note),
    };
    checks.words("/note", &note, NOTE_CHARS_MAX);
    if let Decision::Change { lines } = &decision {
        if LINES_MAX < lines.len() {
            checks.say("/lines", format!("{} lines; write up to {LINES_MAX}", lines.len()));
        }
        for (index, line) in lines.iter().take(LINES_MAX).enumerate() {
            checks.sku(&format!("/lines/{index}/sku"), &line.sku);
            if line.quantity == Quantity::new(0) {
                checks.say(format!("/lines/{index}/quantity"), "is 0; leave the line out, or write 1 or more");
            }
        }
    }
    checks.done()?;
    let word = match decision {
        Decision::Accept => "accept",
        Decision::Change { .. } => "change",
        Decision::Reject => "reject",
    };
    let reviewer = call.who().0.to_owned();
    let verdict = Verdict { reviewer, at: call.now, decision, note };
    let case = call.record(&id, word, |till| till.decide(id, &verdict))?;
    scans::note(call.api, &case);
    Ok(Json(case))
}

/// `GET /v1/products`
pub(super) fn products(
    call: &Call<'_>,
    _: Nothing,
    query: PageQuery<AfterCode>,
    _: Nothing,
) -> Result<Json<Page<ProductView>>, Problem> {
    let rows = usize::try_from(query.rows()?).unwrap_or(usize::MAX);
    let shop = call.read(|till| Ok(till.shop().clone()))?;
    let behind = |sku: &SkuId| query.code().is_none_or(|after| after < sku.as_str());
    let mut found: Vec<_> = shop.catalogue().products().iter().filter(|product| behind(&product.sku)).collect();
    found.sort_by(|a, b| a.sku.cmp(&b.sku));
    found.truncate(rows);
    let view = |product: &crate::shop::Product| ProductView {
        sku: product.sku.clone(),
        name: product.name.clone(),
        price: product.price,
    };
    Page::of(&query, found, |product| product.sku.as_str().to_owned(), view).map(Json)
}
