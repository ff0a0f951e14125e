//! Stays: who is inside with what, and who pays.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::page::{AfterRow, Page, PageQuery, row};
use super::problem::{Problem, Sort};
use super::reply::{Done, Json, Nothing};
use super::route::Call;
use crate::base::{CartId, Error, Money, PaymentId, ShopTime, ShopperId, VisitId};
use crate::db::carts::{self, Cart, CartState};
use crate::db::{Failure, Session, duties};
use crate::facts::{EntryRole, Grounds, OpenVisit};
use crate::ledger::payment::{Payment, Standing};
use crate::till::payment_of;

/// A stay.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Cart")]
pub(super) struct CartView {
    /// Its name.
    cart: CartId,
    /// The shop, by name.
    shop: String,
    /// Who pays; none while nobody knows.
    shopper: Option<ShopperId>,
    /// As what they came in; of all but shoppers nothing is charged.
    role: EntryRole,
    /// What the engine calls it, once a track is bound to it.
    visit: Option<VisitId>,
    /// Where they came in.
    gate: Option<String>,
    /// When they came in.
    entered_at: ShopTime,
    /// When they left.
    left_at: Option<ShopTime>,
    /// What it waits for.
    state: StateWord,
    /// Newest version of its receipt; 0 for none.
    receipt: u32,
    /// Version that is in the ledger; 0 for none.
    booked: u32,
    /// What is known while it is open.
    live: Option<OpenVisit>,
    /// Its money; none while nobody is known to pay.
    payment: Option<PaymentView>,
}

/// What a cart waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "CartState")]
pub(super) enum StateWord {
    /// The shopper is inside.
    Open,
    /// A person has to look before money moves.
    Review,
    /// The receipt is booked, or there is none.
    Settled,
}

/// The money of a stay, without what providers know the shopper by.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PaymentState")]
pub(super) struct PaymentView {
    /// Its name.
    payment: PaymentId,
    /// Where it stands.
    standing: Standing,
    /// Who is asked for it.
    provider: String,
    /// What is held.
    held: Option<Money>,
    /// What is owed in all.
    total: Option<Money>,
    /// What was taken and not given back; none while nothing is held or billed.
    paid: Option<Money>,
    /// The provider's code, where it refused.
    refusal: Option<String>,
}

/// The name of somebody who pays.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PayerBody {
    /// Who pays.
    shopper: ShopperId,
}

/// Why a receipt says what it says.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Evidence")]
pub(super) struct EvidenceView {
    /// The cart.
    cart: CartId,
    /// Attributions with their references, as the engine wrote them.
    evidence: Vec<Grounds>,
}

impl From<CartState> for StateWord {
    fn from(state: CartState) -> Self {
        match state {
            CartState::Open => StateWord::Open,
            CartState::Review => StateWord::Review,
            CartState::Settled => StateWord::Settled,
        }
    }
}

impl From<&Payment> for PaymentView {
    fn from(payment: &Payment) -> Self {
        PaymentView {
            payment: payment.id,
            standing: payment.standing(),
            provider: payment.method.provider.clone(),
            held: payment.hold.as_ref().map(|hold| hold.amount),
            total: payment.bill.as_ref().map(|bill| bill.total),
            paid: payment.currency().map(|currency| Money::new(payment.paid(), currency)),
            refusal: payment.refusal.as_ref().map(|refusal| refusal.code.clone()),
        }
    }
}

/// A cart that must be there.
pub(super) fn known(session: &mut dyn Session, id: CartId) -> Result<Cart, Failure> {
    carts::get(session, id)?.ok_or_else(|| Error::missing(format!("there is no {id}")).into())
}

pub(super) fn view(session: &mut dyn Session, cart: Cart) -> Result<CartView, Failure> {
    let payment = payment_of(session, cart.id)?;
    // What an aisle of another form wrote says nothing here, and is soon written again.
    let live = cart.live.and_then(|live| serde_json::from_value(live).ok());
    Ok(CartView {
        cart: cart.id,
        shop: cart.shop,
        shopper: cart.shopper,
        role: duties::of_cart(session, cart.id)?.map_or(EntryRole::Shopper, |duty| duty.role),
        visit: cart.visit,
        gate: cart.gate,
        entered_at: cart.entered_at,
        left_at: cart.left_at,
        state: cart.state.into(),
        receipt: cart.receipt,
        booked: cart.booked,
        live,
        payment: payment.as_ref().map(Into::into),
    })
}

/// `GET /v1/carts`
pub(super) fn open(
    call: &Call<'_>,
    _: Nothing,
    query: PageQuery<AfterRow>,
    _: Nothing,
) -> Result<Json<Page<CartView>>, Problem> {
    let (rows, (at, name)) = (query.rows()?, query.row(ShopTime::MIN));
    let views = call.read(|till| {
        let shop = till.shop().name().to_owned();
        till.with(|session| {
            let carts = carts::in_state(session, &shop, CartState::Open, (at, &name), rows)?;
            carts.into_iter().map(|cart| view(session, cart)).collect::<Result<Vec<_>, _>>()
        })
    })?;
    Page::of(&query, views, |cart| row(cart.entered_at, &cart.cart), |cart| cart).map(Json)
}

/// `GET /v1/carts/{cart}`
pub(super) fn get(call: &Call<'_>, id: CartId, _: Nothing, _: Nothing) -> Result<Json<CartView>, Problem> {
    call.read(|till| till.with(|session| known(session, id).and_then(|cart| view(session, cart)))).map(Json)
}

/// `GET /v1/carts/{cart}/evidence`
pub(super) fn evidence(call: &Call<'_>, id: CartId, _: Nothing, _: Nothing) -> Result<Json<EvidenceView>, Problem> {
    let found = call.record(&id, "", |till| {
        till.with(|session| {
            known(session, id)?;
            carts::evidence(session, id)
        })
    })?;
    let gone = || Problem::new(Sort::Missing, "there is no evidence: its time is over, or nothing was taken yet");
    Ok(Json(EvidenceView { cart: id, evidence: found.ok_or_else(gone)? }))
}

/// `PUT /v1/carts/{cart}/payer`
pub(super) fn assign(call: &Call<'_>, id: CartId, _: Nothing, Json(body): Json<PayerBody>) -> Result<Done, Problem> {
    call.record(&id, &body.shopper.to_string(), |till| till.assign(id, body.shopper, call.now)).map(|()| Done)
}
