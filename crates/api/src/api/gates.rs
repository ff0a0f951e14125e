//! What gates and terminals ask besides whether somebody may come in: what they should do by themselves, whether somebody may
//! leave, and that somebody begins a visit who is not enrolled.

use axum::http::{HeaderValue, StatusCode, header};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::access::hash;
use super::checks::Checks;
use super::devices::DeviceName;
use super::entries::{self, DoorWord, EntryView};
use super::problem::{Problem, Sort};
use super::reply::{Json, Nothing, Object, Output, Reply};
use super::route::Call;
use super::shoppers::{PaymentBody, holder, idempotency_key};
use crate::base::{CartId, Kind, Money, Prob, Secret, ShopTime};
use crate::db::carts::{self, Cart, CartState};
use crate::db::{Failure, Session, access, duties, shoppers};
use crate::facts::{EntryRole, GateScan, OpenVisit};
use crate::till::{payment_of, sum_so_far};

/// How long a gate may rely on what it was told, seconds.
const RULE_SECS: u32 = 3_600;

aisle_contract::named_enum! {
    /// What a gate is for.
    #[derive(Serialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    #[schemars(rename = "GateRole")]
    pub enum GateRole as "role of a gate" {
        /// People come in.
        Entrance = "entrance",
        /// People go out.
        Exit = "exit",
        /// Whoever stands there says that a visit begins, one at a time.
        Terminal = "terminal",
    }
}

/// A gate of the shop, as its files have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateRule {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub role: GateRole,
    /// Whether it opens for everybody while it cannot reach this server; else it opens for nobody.
    pub opens_offline: bool,
}

/// What a gate should know.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Gate")]
pub(super) struct GateView {
    /// Its name.
    gate: String,
    /// What it is for.
    role: GateRole,
    /// What it does while it cannot reach this server.
    offline: DoorWord,
    /// For how many seconds it may rely on this; then it asks again, and while it cannot, it goes on with what it knows.
    valid_secs: u32,
}

/// The same for a while.
pub(super) struct Lasting(Json<GateView>);

impl Output for Lasting {
    const STATUS: StatusCode = StatusCode::OK;

    fn reply(self) -> Result<Reply, Problem> {
        let mut reply = self.0.reply()?;
        let kept = HeaderValue::from_str(&format!("private, max-age={RULE_SECS}"));
        reply.headers.extend(kept.map(|kept| (header::CACHE_CONTROL, kept)));
        Ok(reply)
    }

    fn content(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
        Json::<GateView>::content(generator)
    }
}

/// Somebody at an exit: their cart, or what they show there.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    { "required": ["cart"], "properties": { "cart": { "type": "string" }, "gate_token": { "type": "null" } } },
    { "required": ["gate_token"], "properties": { "gate_token": { "type": "string" }, "cart": { "type": "null" } } },
]))]
pub(super) struct LeaveBody {
    /// Their cart, where the gate knows.
    #[serde(default)]
    cart: Option<CartId>,
    /// What they show, where it does not.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    gate_token: Option<Secret<String>>,
}

/// Whether somebody may leave, and what they have.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Leave")]
pub(super) struct LeaveView {
    /// What the gate does.
    door: DoorWord,
    /// Their cart; none where nobody is known.
    cart: Option<CartId>,
    /// As what they came in; of all but shoppers nothing is charged.
    role: EntryRole,
    /// What their goods come to; none while that is not known, or nobody pays.
    total: Option<Money>,
    /// How many units they have; none while that is not known.
    units: Option<u32>,
    /// How sure that is; none while nothing is known.
    probability: Option<Prob>,
    /// When it was so; the receipt may still say otherwise, unless `is_final`.
    at: Option<ShopTime>,
    /// Whether the receipt is written.
    is_final: bool,
    /// Why it stays shut, for the shopper.
    reason: Option<String>,
}

/// Somebody who is not enrolled and pays so.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WalkInBody {
    /// How they pay, as the terminal's provider has named it.
    #[schemars(with = "PaymentBody")]
    payment: Object<PaymentBody>,
}

/// `GET /v1/gates/{gate}`
pub(super) fn get(call: &Call<'_>, name: DeviceName, _: Nothing, _: Nothing) -> Result<Lasting, Problem> {
    let rule = rule(call, &name.0)?;
    let offline = if rule.opens_offline { DoorWord::Open } else { DoorWord::Shut };
    Ok(Lasting(Json(GateView { gate: rule.name.clone(), role: rule.role, offline, valid_secs: RULE_SECS })))
}

fn rule<'a>(call: &Call<'a>, name: &str) -> Result<&'a GateRule, Problem> {
    let missing = || Problem::new(Sort::Missing, format!("no gate of this shop is called `{name}`"));
    call.api.gates.iter().find(|rule| rule.name == name).ok_or_else(missing)
}

/// `POST /v1/gates/{gate}/leave`
pub(super) fn leave(
    call: &Call<'_>,
    name: DeviceName,
    _: Nothing,
    Json(body): Json<LeaveBody>,
) -> Result<Json<LeaveView>, Problem> {
    let mut checks = Checks::default();
    if body.cart.is_some() == body.gate_token.is_some() {
        checks.say("", "write either `cart` or `gate_token`");
    }
    checks.done()?;
    rule(call, &name.0)?;
    let digest = body.gate_token.as_ref().map(|token| hash(token.reveal()));
    let looking = call.api.streams.as_ref().and_then(|streams| streams.board().carts());
    let view = call.read(|till| {
        let shop = till.shop().clone();
        till.with(|session| {
            let found = match (body.cart, &digest) {
                (Some(cart), _) => carts::get(session, cart)?.filter(|cart| cart.shop == shop.name()),
                (None, digest) => shown(session, shop.name(), digest.as_deref().unwrap_or_default())?,
            };
            match found {
                None => Ok(LeaveView::shut("nobody is known to be inside with this")),
                Some(cart) => seen_off(session, &shop, cart, looking.as_ref()),
            }
        })
    })?;
    Ok(Json(view))
}

/// The open cart of whoever shows this.
fn shown(session: &mut dyn Session, shop: &str, digest: &str) -> Result<Option<Cart>, Failure> {
    if let Some(shopper) = shoppers::by_gate_digest(session, digest)? {
        return carts::open_of(session, shop, shopper.id);
    }
    let Some(token) = access::token_by_digest(session, digest)? else { return Ok(None) };
    match duties::open_cart_of(session, shop, token.id)? {
        Some(cart) => carts::get(session, cart),
        None => Ok(None),
    }
}

fn seen_off(
    session: &mut dyn Session,
    shop: &crate::shop::Shop,
    cart: Cart,
    looking: Option<&(ShopTime, Vec<OpenVisit>)>,
) -> Result<LeaveView, Failure> {
    let role = duties::of_cart(session, cart.id)?.map_or(EntryRole::Shopper, |duty| duty.role);
    let blank = LeaveView { cart: Some(cart.id), role, door: DoorWord::Open, ..LeaveView::shut("") };
    let mut view = LeaveView { reason: None, ..blank };
    let refused = payment_of(session, cart.id)?.and_then(|payment| payment.refusal);
    if let Some(receipt) = carts::receipts(session, cart.id)?.pop().map(|version| version.receipt) {
        view.is_final = cart.state != CartState::Review;
        view.total = receipt.total.filter(|_| role.is_billed());
        view.units = Some(receipt.lines.iter().map(|line| line.quantity.get()).sum());
        (view.probability, view.at) = (Some(receipt.probability), Some(receipt.left));
    } else {
        let now = looking.and_then(|(at, visits)| {
            visits.iter().find(|visit| Some(visit.visit) == cart.visit).map(|visit| (*at, visit.clone()))
        });
        // What the book has is a little older.
        let kept = || cart.live.and_then(|live| serde_json::from_value(live).ok());
        let found = now.or_else(|| kept().map(|visit: OpenVisit| (visit.seen, visit)));
        if let Some((at, visit)) = found {
            view.total = sum_so_far(shop, &visit).filter(|_| role.is_billed());
            view.units = Some(visit.lines.iter().map(|line| line.quantity.get()).sum());
            (view.probability, view.at) = (Some(visit.probability), Some(at));
        }
    }
    if let Some(refusal) = refused {
        view.door = DoorWord::Shut;
        view.reason = Some(format!("the payment provider declined ({})", refusal.code));
    }
    Ok(view)
}

impl LeaveView {
    fn shut(reason: &str) -> Self {
        LeaveView {
            door: DoorWord::Shut,
            cart: None,
            role: EntryRole::Shopper,
            total: None,
            units: None,
            probability: None,
            at: None,
            is_final: false,
            reason: Some(reason.to_owned()),
        }
    }
}

/// `POST /v1/gates/{gate}/visits`
pub(super) fn begin(
    call: &Call<'_>,
    name: DeviceName,
    _: Nothing,
    Json(body): Json<WalkInBody>,
) -> Result<Json<EntryView>, Problem> {
    let Object(payment) = body.payment;
    let mut checks = Checks::default();
    payment.check(call, &mut checks, "/payment");
    checks.done()?;
    let rule = rule(call, &name.0)?;
    if rule.role != GateRole::Terminal {
        let detail = format!("`{}` is an {}; visits begin at a terminal", rule.name, rule.role);
        return Err(Problem::new(Sort::Conflict, detail));
    }
    let Some(key) = idempotency_key(call)? else {
        let message =
            "a visit needs an `Idempotency-Key`: a new one for everybody, the same when the request is repeated";
        return Err(Problem::new(Sort::Malformed, message));
    };
    let cart = CartId::derived(&["entry", &holder(call), key]);
    let method = payment.method();
    let announced = call.read(|till| {
        let deed = super::access::deed(call.who(), "gate.begin", &cart, &rule.name, call.now);
        match till.by(deed, |till| till.walk_in(&method, cart, &rule.name, call.now)) {
            Ok(announced) => Ok(Ok(announced)),
            Err(error) if matches!(error.kind(), Kind::Missing | Kind::Conflict) => Ok(Err(error.message().to_owned())),
            Err(error) => Err(error),
        }
    })?;
    let announced = match announced {
        Ok(announced) => announced,
        Err(reason) => return Ok(Json(EntryView::shut(reason))),
    };
    let scan = GateScan { cart, gate: rule.name.clone(), people: 1, role: EntryRole::Shopper };
    entries::let_in(call, announced, scan).map(Json)
}
