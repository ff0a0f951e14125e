//! A shopper at a gate: does the door open?

use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Api;
use super::access::{Role, hash, is_valid};
use super::checks::{Checks, LINE};
use super::enter::duration;
use super::passes::{self, PassView};
use super::problem::{Problem, Sort};
use super::reply::{Json, Nothing, Whole};
use super::route::Call;
use super::scans;
use super::shoppers::{holder, idempotency_key};
use crate::base::{CartId, Error, Kind, Secret, ShopperId, Span};
use crate::db::duties::Duty;
use crate::db::{Session, access, carts, shoppers};
use crate::facts::{Answer, EntryRole, GateScan, Order, Task};
use crate::ports::PaymentProvider;
use crate::till::{Announced, Door, Till, lock};

/// Letters of a gate's name.
pub(super) const GATE_CHARS_MAX: usize = 64;
/// People whom one scan lets in.
const PEOPLE_MAX: u32 = 16;
/// How long after a cart was opened a request for it still makes a scan; later the shopper has to come to the gate again.
const SCAN_SPAN_MAX: Span = Span::from_millis(60_000);
/// Pause between two questions about a hold that a shopper has to confirm.
const HOLD_POLL: Duration = Duration::from_millis(250);

/// Somebody at a gate: a shopper, or what they show there.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    { "required": ["shopper"], "properties": { "shopper": { "type": "string" }, "gate_token": { "type": "null" } } },
    { "required": ["gate_token"], "properties": { "gate_token": { "type": "string" }, "shopper": { "type": "null" } } },
]))]
pub(super) struct EntryBody {
    /// Who it is, where the gate knows.
    #[serde(default)]
    shopper: Option<ShopperId>,
    /// What they show, where it does not.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    gate_token: Option<Secret<String>>,
    /// Which gate, 1 to 64 letters.
    #[schemars(length(min = 1, max = GATE_CHARS_MAX), regex(pattern = LINE))]
    gate: String,
    /// How many come in with them, themselves included, for all of whom they pay: 1 to 16, 1 without it.
    #[serde(default)]
    #[schemars(with = "Option<u32>", range(min = 1, max = PEOPLE_MAX))]
    people: Option<Whole<u32>>,
}

/// Whether the door opens.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Entry")]
pub(super) struct EntryView {
    /// What the gate does.
    door: DoorWord,
    /// The cart that was opened; none where nobody was let in.
    cart: Option<CartId>,
    /// As what they come in; of all but shoppers nothing is charged.
    role: EntryRole,
    /// The provider has not confirmed the hold yet, and the policy trusts the shopper meanwhile.
    unheld: bool,
    /// The engine keeps this entry; `false` where none runs in this server, or nobody was let in.
    heard: bool,
    /// Why it stays shut, for the shopper.
    reason: Option<String>,
    /// What shows the shopper their own stay, to be handed to them; none where nobody was let in, or they work here.
    pass: Option<PassView>,
}

/// What a gate does.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum DoorWord {
    /// It opens.
    Open,
    /// It stays shut.
    Shut,
}

impl EntryView {
    fn open(cart: CartId, role: EntryRole, heard: bool) -> Self {
        EntryView { door: DoorWord::Open, cart: Some(cart), role, unheld: false, heard, reason: None, pass: None }
    }

    pub(super) fn shut(reason: impl Into<String>) -> Self {
        let role = EntryRole::Shopper;
        let (door, reason) = (DoorWord::Shut, Some(reason.into()));
        EntryView { door, cart: None, role, unheld: false, heard: false, reason, pass: None }
    }
}

/// `POST /v1/entries`
pub(super) fn enter(
    call: &Call<'_>,
    _: Nothing,
    _: Nothing,
    Json(body): Json<EntryBody>,
) -> Result<Json<EntryView>, Problem> {
    let mut checks = Checks::default();
    checks.line("/gate", &body.gate, 1, GATE_CHARS_MAX);
    if body.shopper.is_some() == body.gate_token.is_some() {
        checks.say("", "write either `shopper` or `gate_token`");
    }
    let people = body.people.map_or(1, |Whole(people)| people);
    if !(1..=PEOPLE_MAX).contains(&people) {
        checks.say("/people", format!("{people} people; write 1 to {PEOPLE_MAX}"));
    }
    checks.done()?;
    let Some(key) = idempotency_key(call)? else {
        let message = "an entry needs an `Idempotency-Key`: a new one for every shopper at the gate, the same when the \
                       request is repeated";
        return Err(Problem::new(Sort::Malformed, message));
    };
    let shown = match (body.shopper, &body.gate_token) {
        (Some(shopper), _) => Shown::Shopper(shopper),
        (None, token) => shown(call, &hash(token.as_ref().map_or("", |token| token.reveal())))?,
    };
    let cart = CartId::derived(&["entry", &holder(call), key]);
    let scan = |role| GateScan { cart, gate: body.gate.clone(), people, role };
    let shopper = match shown {
        Shown::Shopper(shopper) => shopper,
        Shown::Duty(duty) => return admit(call, duty, scan(duty.role)).map(Json),
        Shown::Nobody => return Ok(Json(EntryView::shut("this code is not known here"))),
    };
    let announced = match announce(call, shopper, cart, &body.gate)? {
        Ok(announced) => announced,
        Err(reason) => return Ok(Json(EntryView::shut(reason))),
    };
    let_in(call, announced, scan(EntryRole::Shopper)).map(Json)
}

/// Who shows something at a gate.
enum Shown {
    Shopper(ShopperId),
    Duty(Duty),
    Nobody,
}

fn shown(call: &Call<'_>, digest: &str) -> Result<Shown, Problem> {
    let find = |session: &mut dyn Session| {
        if let Some(shopper) = shoppers::by_gate_digest(session, digest)? {
            return Ok(Shown::Shopper(shopper.id));
        }
        let token = access::token_by_digest(session, digest)?.filter(|token| is_valid(token, call.now));
        let role = token.as_ref().and_then(|token| token.role.parse::<Role>().ok()?.entry());
        Ok(match token.zip(role) {
            Some((token, role)) => Shown::Duty(Duty { role, token: Some(token.id) }),
            None => Shown::Nobody,
        })
    };
    call.read(|till| till.with(find))
}

/// Somebody who works here comes in: nothing is held, and nobody will be asked to pay.
fn admit(call: &Call<'_>, duty: Duty, scan: GateScan) -> Result<EntryView, Problem> {
    let (cart, role) = (scan.cart, duty.role);
    let deed = super::access::deed(call.who(), "entry.open", &cart, &scan.gate, call.now);
    call.read(|till| till.by(deed, |till| till.admit(duty, cart, &scan.gate, call.now)))?;
    Ok(match tell(call, scan)? {
        Some(heard) => EntryView::open(cart, role, heard),
        None => EntryView::shut(OVER),
    })
}

/// Asks for the hold, and opens the door if the engine knows of it.
pub(super) fn let_in(call: &Call<'_>, announced: Announced, scan: GateScan) -> Result<EntryView, Problem> {
    let (cart, role) = (announced.cart, scan.role);
    if let Some(order) = announced.order.filter(|order| order.task == Task::Authorise) {
        ask_for_hold(call.api, order, announced.first);
    }
    let unheld = match call.read(|till| till.door(cart, call.api.clock.now()))? {
        Door::Open { unheld } => unheld,
        Door::Shut { reason } => return Ok(EntryView::shut(reason)),
    };
    Ok(match tell(call, scan)? {
        Some(heard) => EntryView { unheld, pass: passes::give(call, cart), ..EntryView::open(cart, role, heard) },
        None => EntryView::shut(OVER),
    })
}

/// What is told to whoever repeats an old request.
const OVER: &str = "this entry is over; please come to the gate again";

/// Tells the engine of an entry, unless somebody came in with it already; whether there is an engine, and nothing where the
/// entry is too old for anybody to come in with it.
fn tell(call: &Call<'_>, scan: GateScan) -> Result<Option<bool>, Problem> {
    let id = scan.cart;
    let cart = call.read(|till| till.with(|session| super::carts::known(session, id)))?;
    let is_told = cart.visit.is_some();
    if cart.left_at.is_some() {
        return Ok(None);
    }
    if call.api.scans.is_none() || is_told {
        return Ok(Some(is_told));
    }
    if cart.entered_at + SCAN_SPAN_MAX < call.api.clock.now() && !scans::is_told(call.api, id) {
        return Ok(None);
    }
    scans::tell(call.api, scan).map(Some)
}

/// Opens the cart; or gives why not, for the shopper.
fn announce(
    call: &Call<'_>,
    shopper: ShopperId,
    cart: CartId,
    gate: &str,
) -> Result<Result<Announced, String>, Problem> {
    let work = |till: &mut Till| {
        let known = till.with(|session| carts::get(session, cart))?;
        if known.as_ref().is_some_and(|known| known.shopper != Some(shopper)) {
            let message = "this `Idempotency-Key` was used for another shopper; write a new one";
            return Err(Error::conflict(message));
        }
        let deed = super::access::deed(call.who(), "entry.open", &cart, gate, call.now);
        match till.by(deed, |till| till.announce(shopper, cart, gate, call.now)) {
            Ok(announced) => Ok(Ok(announced)),
            Err(error) if matches!(error.kind(), Kind::Missing | Kind::Conflict) => Ok(Err(error.message().to_owned())),
            Err(error) => Err(error),
        }
    };
    call.read(work)
}

/// Asks the provider on a thread of its own, and waits for as long as a shopper does. An answer that comes later is
/// written all the same.
fn ask_for_hold(api: &Api, order: Order, sure_before: bool) {
    let Some(provider) = api.providers.get(&order.method.provider).cloned() else { return };
    let Ok(place) = api.holds.clone().try_acquire_owned() else { return };
    let (till, clock) = (api.till.clone(), api.clock.clone());
    let (tell, told) = crossbeam_channel::bounded(1);
    let wait = duration(api.hold_wait);
    tokio::task::spawn_blocking(move || {
        let answer = hold(&*provider, &order, wait);
        let mut till = lock(&till);
        if let Err(error) = till.answered(order.id, &answer, sure_before, clock.now()) {
            // The order is in the outbox and will be asked about again.
            tracing::warn!(%error, order = %order.id, "the answer to a hold was not written");
        }
        drop((till, place));
        // Nobody waits any more, perhaps.
        let _ = tell.send(());
    });
    // Time over or not: what is known by now decides.
    let _ = told.recv_timeout(wait + HOLD_POLL);
}

/// Asks for a hold, and again while the shopper has to confirm it and time is left.
fn hold(provider: &dyn PaymentProvider, order: &Order, wait: Duration) -> Answer {
    let begun = Instant::now();
    let mut answer = provider.submit(order);
    while let Answer::Pending { reference } = &answer
        && begun.elapsed() < wait
    {
        std::thread::sleep(HOLD_POLL.min(wait));
        let later = provider.query(order, Some(reference));
        // Whatever else it says, it has the order.
        if matches!(later, Answer::Done { .. } | Answer::Declined { .. }) {
            answer = later;
        }
    }
    answer
}
