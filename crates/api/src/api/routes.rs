//! The table of routes: who may do what with which path.

use axum::http::Method;

use serde_json::Value;

use super::access::Role::{Gate, Operator, Reviewer, Screen, Shopper};
use super::problem::Problem;
use super::reply::{Json, Nothing};
use super::route::{Call, Pass, Permit, Route};
use super::tagged::Tagged;
use super::{
    carts, cases, dashboard, devices, entries, floor, follow, gates, health, ledger, live, me, metrics, notices,
    openapi, orders, pictures, plates, receipts, replay, seen, shoppers, today, tokens, visits,
};

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const PUT: Method = Method::PUT;
const DELETE: Method = Method::DELETE;

const OPERATORS: Permit = Permit::To(&[Operator]);
const REVIEWERS: Permit = Permit::To(&[Operator, Reviewer]);
const SCREENS: Permit = Permit::To(&[Operator, Screen]);
const GATES: Permit = Permit::To(&[Operator, Gate]);
const SHOPPERS: Permit = Permit::To(&[Operator, Shopper]);
const BUT_GATES: Permit = Permit::To(&[Operator, Reviewer, Shopper]);
const ALL: Permit = Permit::To(&[Operator, Reviewer, Gate, Shopper, Screen]);

/// Payment providers that a shop can have, by name.
const PROVIDERS: [&str; 3] = ["sandbox", "stripe", "wechat"];

/// What the header of repeated requests says.
const KEY: &str = "Makes a repetition the same request: 1 to 255 ASCII letters, new for every intent.";

/// All routes.
pub(super) fn all() -> Vec<Route> {
    let mut routes = for_everybody();
    routes.extend(of_shoppers());
    routes.extend(of_carts());
    routes.extend(of_operators());
    routes.extend(of_an_open_shop());
    routes.extend(of_a_recording());
    routes
}

/// The description of every route. A server's own names the payment providers that its shop has, instead of all.
pub fn description() -> Value {
    openapi::description(&all(), &PROVIDERS)
}

/// `GET /openapi.json`
fn get(call: &Call<'_>, _: Nothing, _: Nothing, _: Nothing) -> Result<Tagged<Value>, Problem> {
    openapi::described(call, all)
}

/// `GET /v1/me`
fn me(call: &Call<'_>, _: Nothing, _: Nothing, _: Nothing) -> Result<Json<me::MeView>, Problem> {
    me::told(call, all)
}

/// What needs no token.
fn for_everybody() -> Vec<Route> {
    vec![
        Route::new((GET, "/"), Permit::Open, ("page.read", "The dashboard"), dashboard::page).for_pages(),
        Route::new(
            (GET, "/assets/{name}"),
            Permit::Open,
            ("page.asset", "A file that a page asks for"),
            dashboard::asset,
        )
        .for_pages(),
        Route::new((GET, "/visit"), Permit::Open, ("page.visit", "The shopper's page"), dashboard::visit).for_pages(),
        Route::new((GET, "/healthz"), Permit::Open, ("health.alive", "Whether the process lives"), health::alive)
            .for_health(),
        Route::new((GET, "/readyz"), Permit::Open, ("health.ready", "Whether the shop may open"), health::ready)
            .for_health(),
        Route::new((GET, "/openapi.json"), Permit::Open, ("api.description", "This description"), get),
        Route::new(
            (POST, "/v1/webhooks/{provider}"),
            Permit::Open,
            ("notice.take", "A payment provider says that something changed"),
            notices::take,
        )
        .for_notices(),
    ]
}

/// Shoppers and what is theirs.
fn of_shoppers() -> Vec<Route> {
    vec![
        Route::new((POST, "/v1/shoppers"), OPERATORS, ("shopper.enrol", "Enrol a shopper"), shoppers::enrol)
            .with_headers(&[("Idempotency-Key", false, KEY)]),
        Route::new((GET, "/v1/shoppers/{shopper}"), SHOPPERS, ("shopper.read", "A shopper"), shoppers::get),
        Route::new(
            (PUT, "/v1/shoppers/{shopper}"),
            SHOPPERS,
            ("shopper.change", "Replace what a shopper told"),
            shoppers::change,
        ),
        Route::new(
            (DELETE, "/v1/shoppers/{shopper}"),
            SHOPPERS,
            ("shopper.erase", "Erase what is personal about a shopper"),
            shoppers::erase,
        )
        .with_pass(Pass::Payer),
        Route::new(
            (GET, "/v1/shoppers/{shopper}/export"),
            SHOPPERS,
            ("shopper.export", "Everything that is known about a shopper"),
            shoppers::export,
        )
        .with_pass(Pass::Payer),
        Route::new(
            (GET, "/v1/shoppers/{shopper}/receipts"),
            SHOPPERS,
            ("receipt.list", "A shopper's receipts, newest first"),
            receipts::of_shopper,
        ),
        Route::new((GET, "/v1/me"), ALL, ("me.read", "Who holds this token, and what they may do"), me)
            .with_pass(Pass::Everybody),
        Route::new((POST, "/v1/entries"), GATES, ("entry.open", "A shopper is at a gate"), entries::enter)
            .with_headers(&[("Idempotency-Key", true, KEY)]),
    ]
}

/// Stays, their receipts, and what people say about them.
fn of_carts() -> Vec<Route> {
    vec![
        Route::new((GET, "/v1/carts"), REVIEWERS, ("cart.list", "Open carts, oldest first"), carts::open),
        Route::new((GET, "/v1/carts/{cart}"), BUT_GATES, ("cart.read", "A cart"), carts::get),
        Route::new(
            (GET, "/v1/carts/{cart}/visit"),
            BUT_GATES,
            ("visit.read", "A stay as its shopper sees it"),
            visits::get,
        )
        .with_pass(Pass::Everybody),
        Route::new(
            (GET, "/v1/carts/{cart}/live"),
            SHOPPERS,
            ("visit.watch", "The same, as it changes"),
            follow::follow,
        )
        .with_pass(Pass::Everybody),
        Route::new(
            (GET, "/v1/carts/{cart}/evidence"),
            REVIEWERS,
            ("cart.evidence", "Why its receipt says what it says"),
            carts::evidence,
        ),
        Route::new(
            (PUT, "/v1/carts/{cart}/payer"),
            REVIEWERS,
            ("cart.payer", "Say who pays for a cart"),
            carts::assign,
        ),
        Route::new(
            (GET, "/v1/carts/{cart}/transfers"),
            OPERATORS,
            ("cart.transfers", "Its rows in the ledger"),
            ledger::of_cart,
        ),
        Route::new((GET, "/v1/receipts"), REVIEWERS, ("receipt.all", "Receipts, newest first"), receipts::all),
        Route::new(
            (GET, "/v1/receipts/{cart}"),
            BUT_GATES,
            ("receipt.read", "The receipt of a cart; with evidence for reviewers and operators"),
            receipts::get,
        )
        .with_pass(Pass::Everybody),
        Route::new(
            (POST, "/v1/receipts/{cart}/contest"),
            SHOPPERS,
            ("receipt.contest", "Say that a receipt is wrong"),
            receipts::contest,
        )
        .with_pass(Pass::Everybody),
        Route::new(
            (GET, "/v1/cases"),
            REVIEWERS,
            ("case.list", "What waits for a person, oldest first"),
            cases::waiting,
        ),
        Route::new((GET, "/v1/cases/{case}"), REVIEWERS, ("case.read", "A case with receipt and evidence"), cases::get),
        Route::new(
            (GET, "/v1/cases/{case}/pictures"),
            REVIEWERS,
            ("case.pictures", "The pictures around its changes on shelves, where the shop keeps them"),
            pictures::of_case,
        ),
        Route::new((GET, "/v1/pictures/{picture}"), REVIEWERS, ("picture.read", "A picture of a case"), pictures::get),
        Route::new((POST, "/v1/cases/{case}/verdict"), REVIEWERS, ("case.verdict", "Decide a case"), cases::decide),
        Route::new((GET, "/v1/products"), REVIEWERS, ("product.list", "The catalogue, by code"), cases::products),
    ]
}

/// What happens now, and what gates ask besides.
fn of_an_open_shop() -> Vec<Route> {
    vec![
        Route::new((GET, "/v1/live"), SCREENS, ("live.watch", "What happens, as it happens"), live::watch)
            .with_headers(&[(
                "Last-Event-ID",
                false,
                "The `id` of the last event that was seen: what came behind it is given.",
            )]),
        Route::new((GET, "/v1/floor"), SCREENS, ("floor.read", "What stands where, seen from above"), floor::get),
        Route::new((GET, "/v1/devices"), SCREENS, ("device.list", "How all devices are, by name"), devices::all),
        Route::new((GET, "/v1/devices/{name}"), SCREENS, ("device.read", "How a device is"), devices::get),
        Route::new(
            (GET, "/v1/cameras/{name}/picture"),
            OPERATORS,
            ("camera.picture", "What a camera saw last"),
            devices::picture,
        ),
        Route::new(
            (GET, "/v1/cameras/{name}/seen"),
            SCREENS,
            ("camera.seen", "What a camera saw in the newest frame that was looked at"),
            seen::seen,
        ),
        Route::new(
            (GET, "/v1/plates/{plate}/curve"),
            SCREENS,
            ("plate.curve", "What a plate felt in the last two minutes"),
            plates::curve,
        ),
        Route::new((GET, "/v1/today"), SCREENS, ("shop.today", "What today came to"), today::today),
        Route::new((GET, "/v1/delays"), SCREENS, ("shop.delays", "How late the shop is"), today::delays),
        Route::new((GET, "/v1/gates/{gate}"), GATES, ("gate.read", "What a gate should do by itself"), gates::get),
        Route::new(
            (POST, "/v1/gates/{gate}/leave"),
            GATES,
            ("gate.leave", "Whether somebody may leave, and with what"),
            gates::leave,
        ),
        Route::new(
            (POST, "/v1/gates/{gate}/visits"),
            GATES,
            ("gate.begin", "Somebody who is not enrolled begins a visit at a terminal"),
            gates::begin,
        )
        .with_headers(&[("Idempotency-Key", true, KEY)]),
    ]
}

/// A recording that is watched.
fn of_a_recording() -> Vec<Route> {
    vec![
        Route::new((GET, "/v1/replay"), REVIEWERS, ("replay.read", "The time line of a recording"), replay::get),
        Route::new(
            (POST, "/v1/replay"),
            REVIEWERS,
            ("replay.wish", "Play a recording, stop it, or jump in it"),
            replay::wish,
        ),
    ]
}

/// The machine room.
fn of_operators() -> Vec<Route> {
    vec![
        Route::new((GET, "/metrics"), OPERATORS, ("metrics.read", "Counters for Prometheus"), metrics::expose),
        Route::new(
            (GET, "/v1/orders/stuck"),
            OPERATORS,
            ("order.list", "Orders to payment providers that were given up, oldest first"),
            orders::stuck,
        ),
        Route::new(
            (POST, "/v1/orders/{order}/retry"),
            OPERATORS,
            ("order.retry", "Send such an order again"),
            orders::retry,
        ),
        Route::new(
            (POST, "/v1/orders/{order}/resolution"),
            OPERATORS,
            ("order.resolve", "Say what became of such an order"),
            orders::resolve,
        ),
        Route::new((GET, "/v1/ledger/balances"), OPERATORS, ("ledger.balances", "Sums by account"), ledger::balances),
        Route::new(
            (GET, "/v1/ledger/transfers"),
            OPERATORS,
            ("ledger.transfers", "The ledger, row by row"),
            ledger::rows,
        ),
        Route::new((GET, "/v1/audit"), OPERATORS, ("audit.list", "Who did what, newest first"), ledger::audit),
        Route::new((GET, "/v1/tokens"), OPERATORS, ("token.list", "Tokens, oldest first"), tokens::list),
        Route::new((POST, "/v1/tokens"), OPERATORS, ("token.create", "Make a token"), tokens::create),
        Route::new((DELETE, "/v1/tokens/{token}"), OPERATORS, ("token.revoke", "Take a token back"), tokens::revoke),
    ]
}
