//! The HTTP API as a whole: requests go through the router, the book is SQLite in memory, the clock is set by hand.

mod devices;
mod forms;
mod fuzz;
mod gates;
mod input;
mod life;
mod limits;
mod live;
mod metrics;
mod notices;
mod passes;
mod payers;
mod process;
mod roles;
mod shown;
mod wire;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};

use aisle::api::{Api, Grant, Role, create_token, description};
use aisle::base::{CartId, Currency, Prob, Quantity, ShopTime, ShopperId, SkuId, Span, VisitId};
use aisle::cart;
use aisle::db;
use aisle::facts::{Closing, Goods, Grounds, Receipt};
use aisle::payment::Sandbox;
use aisle::ports::{Clock, PaymentProvider};
use aisle::shop::Shop;
use aisle::sim::demo_shop;
use aisle::till::{self, Bell, Closed, Enrolment, Payer, Providers, Till, settle_due};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use crossbeam_channel::Receiver;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tower::ServiceExt;

const NOON: ShopTime = ShopTime::from_nanos(1_750_000_000_000_000_000);

/// A clock that stands until it is set.
pub(super) struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> ShopTime {
        ShopTime::from_nanos(self.0.load(Ordering::SeqCst))
    }
}

impl HandClock {
    fn on(&self, span: Span) {
        self.0.fetch_add(span.as_nanos(), Ordering::SeqCst);
    }
}

/// A shop with its server, and somebody of every role.
pub(super) struct World {
    runtime: Runtime,
    router: Router,
    till: Arc<Mutex<Till>>,
    providers: Providers,
    sandbox: Arc<Sandbox>,
    clock: Arc<HandClock>,
    rung: Receiver<()>,
    /// The secret of each role, in the order of [`Role::ALL`].
    secrets: Vec<String>,
    /// Whom the shopper's token speaks for.
    anna: ShopperId,
}

/// What came back.
pub(super) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body of an answer that must have this status.
    fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        if self.body.is_empty() { Value::Null } else { self.json() }
    }
}

impl World {
    fn new() -> Self {
        World::with(|api, _| api)
    }

    fn with(change: impl FnOnce(Api, &mut Providers) -> Api) -> Self {
        World::with_providers(&mut Providers::new(), change)
    }

    /// A world with more providers than the sandbox.
    fn with_providers(more: &mut Providers, change: impl FnOnce(Api, &mut Providers) -> Api) -> Self {
        World::of(demo_shop(), more, change)
    }

    /// A world of another shop.
    fn of(shop: Shop, more: &mut Providers, change: impl FnOnce(Api, &mut Providers) -> Api) -> Self {
        let clock = Arc::new(HandClock(AtomicI64::new(NOON.as_nanos())));
        let database = db::open("sqlite::memory:", &db::Options::default(), NOON).unwrap();
        let mut till = Till::open(database, Arc::new(shop), NOON).unwrap();
        let anna = ShopperId::derived(&["anna"]);
        let enrolment =
            Enrolment { id: anna, name: Some("Anna".into()), contact: None, method: None, gate_digest: None };
        till.enrol(&enrolment, NOON).unwrap();
        let secrets = Role::ALL.map(|role| {
            let shopper = (role == Role::Shopper).then_some(anna);
            let holder = (role != Role::Shopper).then(|| format!("the {role}"));
            let grant = Grant { role, holder, shopper, days: None };
            create_token(&mut till, &grant, ("test", "operator"), NOON).unwrap().1.reveal().clone()
        });
        let till = Arc::new(Mutex::new(till));
        let sandbox = Arc::new(Sandbox::new(clock.clone()));
        let mut providers = Providers::from([("sandbox".to_owned(), sandbox.clone() as Arc<dyn PaymentProvider>)]);
        providers.append(more);
        let (bell, rung) = Bell::new(1);
        let api = Api::new(till.clone(), providers.clone(), clock.clone(), bell);
        let router = change(api, &mut providers).router();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        World { runtime, router, till, providers, sandbox, clock, rung, secrets: secrets.to_vec(), anna }
    }

    fn till(&self) -> MutexGuard<'_, Till> {
        self.till.lock().unwrap()
    }

    fn secret(&self, role: Role) -> &str {
        &self.secrets[Role::ALL.iter().position(|other| *other == role).unwrap()]
    }

    /// Carries out everything that is due.
    fn settle(&self) {
        settle_due(&mut self.till(), &self.providers, self.clock.as_ref()).unwrap();
    }

    /// Sends a request, and holds its answer against the API's own description.
    fn send(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
        let answer = self.runtime.block_on(exchange(self.router.clone(), request));
        check(&method, &path, &answer);
        answer
    }

    /// As somebody of this role.
    fn ask(&self, role: Role, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.ask_with(role, method, path, body, &[])
    }

    fn ask_with(&self, role: Role, method: &str, path: &str, body: Option<Value>, headers: &[(&str, &str)]) -> Answer {
        self.send(request(method, path, Some(self.secret(role)), body, headers))
    }

    fn get(&self, role: Role, path: &str) -> Value {
        self.ask(role, "GET", path, None).expect(200)
    }

    /// Two products of the catalogue, by code.
    fn skus(&self) -> [SkuId; 2] {
        let shop = self.till().shop().clone();
        let mut priced = shop.catalogue().products().iter().filter(|product| product.price.is_some());
        [0, 1].map(|_| priced.next().unwrap().sku.clone())
    }

    /// The receipt of a visit with so many units of the first two products.
    fn receipt(&self, visit: &str, units: [u32; 2], probability: f64) -> Receipt {
        let shop = self.till().shop().clone();
        let goods: Vec<Goods> = self
            .skus()
            .into_iter()
            .zip(units)
            .filter(|(_, units)| 0 < *units)
            .map(|(sku, units)| Goods { sku, quantity: Quantity::new(units) })
            .collect();
        let blank = Receipt {
            visit: visit.parse::<VisitId>().unwrap(),
            entered: self.clock.now() - Span::from_millis(300_000),
            left: self.clock.now(),
            closing: Closing::Left,
            lines: Vec::new(),
            taxes: Vec::new(),
            total: None,
            probability: Prob::ONE,
            interrupted: None,
        };
        Receipt { probability: Prob::new(probability), ..cart::reprice(&shop, &blank, &goods) }
    }

    /// A visit is over.
    fn close(&self, receipt: &Receipt, evidence: Vec<Grounds>, payer: Payer) -> Closed {
        let closing = till::Closing { receipt: receipt.clone(), evidence, payer };
        self.till().close(&closing, self.clock.now()).unwrap()
    }

    /// Gives Anna a way to pay and lets her in.
    fn enter(&self, key: &str) -> CartId {
        let payment = json!({ "payment": { "provider": "sandbox", "customer": "anna", "token": "ok" } });
        self.ask(Role::Operator, "PUT", &format!("/v1/shoppers/{}", self.anna), Some(payment)).expect(200);
        let body = json!({ "shopper": self.anna, "gate": "front" });
        let entry =
            self.ask_with(Role::Gate, "POST", "/v1/entries", Some(body), &[("Idempotency-Key", key)]).expect(200);
        assert_eq!(entry["door"], "open", "{entry}");
        entry["cart"].as_str().unwrap().parse().unwrap()
    }
}

pub(super) fn request(
    method: &str,
    path: &str,
    secret: Option<&str>,
    body: Option<Value>,
    headers: &[(&str, &str)],
) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(secret) = secret {
        request = request.header("Authorization", format!("Bearer {secret}"));
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    match body {
        Some(body) => request.header("Content-Type", "application/json").body(Body::from(body.to_string())),
        None => request.body(Body::empty()),
    }
    .unwrap()
}

async fn exchange(router: Router, request: Request<Body>) -> Answer {
    let response = router.oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
    Answer { status: head.status, headers: head.headers, body }
}

static DESCRIPTION: LazyLock<Value> = LazyLock::new(description);

/// Validators by what of the description they hold answers against.
static VALIDATORS: LazyLock<Mutex<BTreeMap<String, Arc<jsonschema::Validator>>>> = LazyLock::new(Mutex::default);

/// Holds an answer against the description: its status, its media type, its body. A refusal is a problem document.
fn check(method: &str, path: &str, answer: &Answer) {
    let (status, text) = (answer.status.as_u16(), answer.text());
    let place = format!("{method} {path}: {status} {text}");
    assert!(answer.header("X-Request-Id").starts_with("urn:uuid:"), "{place}");
    if 400 <= status {
        assert_eq!(answer.header("Content-Type"), "application/problem+json", "{place}");
        if method == "HEAD" {
            return;
        }
        let problem = answer.json();
        assert_eq!(problem["status"], status, "{place}");
        assert_eq!(problem["instance"], answer.header("X-Request-Id"), "{place}");
        let entry = problem["type"].as_str().unwrap().strip_prefix("/openapi.json#").unwrap();
        assert_eq!(DESCRIPTION.pointer(entry).unwrap()["title"], problem["title"], "{place}");
        return validate("Problem", &json!({ "$ref": "#/components/schemas/Problem" }), &problem, &place);
    }
    let Some((template, operation)) = operation(if method == "HEAD" { "GET" } else { method }, path) else {
        panic!("{place}: the description does not have it");
    };
    let described = &operation["responses"][status.to_string()];
    assert!(described.is_object(), "{place}: the description does not have this status");
    let given = answer.header("Content-Type");
    if given.is_empty() {
        return assert!(described["content"].is_null() && text.is_empty(), "{place}");
    }
    let content = described["content"].as_object().unwrap();
    let described = content.iter().find(|(name, _)| essence(name) == essence(given));
    let (_, described) = described.unwrap_or_else(|| panic!("{place}: {given} is not described"));
    if essence(given).ends_with("json") && method != "HEAD" {
        if essence(given) == "application/json" && template != "/openapi.json" {
            check_told(&answer.json(), &place);
        }
        validate(&format!("{method} {template}"), &described["schema"], &answer.json(), &place);
    }
}

/// Holds an answer against what is said of all: a time is no number, and an amount says its currency and exponent.
fn check_told(value: &Value, place: &str) {
    match value {
        Value::Number(number) => {
            // Milliseconds since the epoch have thirteen digits by now, and nothing is counted so far.
            let size = number.as_f64().unwrap().abs();
            assert!(size < 1e12, "{place}: {number} looks like a time");
        }
        Value::Array(items) => items.iter().for_each(|item| check_told(item, place)),
        Value::Object(fields) => {
            fields.values().for_each(|field| check_told(field, place));
            for name in fields.keys() {
                let is_bare = ["_minor", "_nanos", "_millis"].iter().any(|end| name.ends_with(end));
                assert!(!is_bare, "{place}: {name} is a bare number");
            }
            if fields.contains_key("minor") {
                let names: Vec<&str> = fields.keys().map(String::as_str).collect();
                assert_eq!(names, ["currency", "exponent", "minor"], "{place}");
                let currency: Currency = fields["currency"].as_str().unwrap().parse().unwrap();
                assert_eq!(fields["exponent"], currency.decimals(), "{place}");
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap()
}

/// The operation that answers a path, with its template.
fn operation(method: &str, path: &str) -> Option<(&'static str, &'static Value)> {
    let matches = |template: &str| {
        let (template, path): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
        template.len() == path.len() && template.iter().zip(&path).all(|(a, b)| a == b || a.starts_with('{'))
    };
    let paths = DESCRIPTION["paths"].as_object().unwrap();
    let methods = paths.iter().filter(|(template, _)| matches(template));
    // A path without a part in braces goes before one with.
    let mut found: Vec<_> =
        methods.filter_map(|(template, all)| Some((template.as_str(), all.get(method.to_lowercase())?))).collect();
    found.sort_by_key(|(template, _)| template.contains('{'));
    found.first().copied()
}

fn validate(name: &str, schema: &Value, body: &Value, place: &str) {
    let validator = VALIDATORS
        .lock()
        .unwrap()
        .entry(name.to_owned())
        .or_insert_with(|| {
            let whole = json!({ "allOf": [schema], "components": DESCRIPTION["components"] });
            Arc::new(jsonschema::validator_for(&whole).unwrap())
        })
        .clone();
    let errors: Vec<String> =
        validator.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{place}\n{}", errors.join("\n"));
}

#[test]
fn the_description_is_the_one_on_the_page() {
    let text = serde_json::to_string_pretty(&*DESCRIPTION).unwrap() + "\n";
    super::snapshot::check_file("../../docs/reference/openapi.json", &text);
}
