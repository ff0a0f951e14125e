//! Too much of anything.

use std::sync::Arc;

use aisle::api::Role;
use aisle::base::limits::{
    HEALTH_REQUESTS_MAX, NOTICE_BODY_BYTES_MAX, REQUEST_BODY_BYTES_MAX, TOKEN_REQUESTS_BURST, WRONG_TOKENS_BURST,
};
use aisle::base::{Error, Result, ShopTime, Span};
use aisle::facts::{Answer, Notice, Order};
use aisle::ports::PaymentProvider;
use aisle::till::Providers;
use axum::body::Body;
use axum::http::Request;
use crossbeam_channel::{Receiver, Sender, bounded};
use serde_json::json;

use super::{World, exchange, request};

#[test]
fn bodies_are_read_up_to_a_limit() {
    let world = World::new();
    let send = |path: &str, bytes: usize, told: bool| {
        let mut request = Request::post(path).header("Content-Type", "application/json");
        if told {
            request = request.header("Content-Length", bytes);
        }
        let request = request.header("Authorization", format!("Bearer {}", world.secret(Role::Operator)));
        world.send(request.body(Body::from(vec![b' '; bytes])).unwrap()).status.as_u16()
    };
    for told in [false, true] {
        assert_eq!(send("/v1/tokens", REQUEST_BODY_BYTES_MAX, told), 400, "read, and no JSON");
        assert_eq!(send("/v1/tokens", REQUEST_BODY_BYTES_MAX + 1, told), 413);
        assert_eq!(send("/v1/webhooks/sandbox", NOTICE_BODY_BYTES_MAX, told), 400, "read, and not signed");
        assert_eq!(send("/v1/webhooks/sandbox", NOTICE_BODY_BYTES_MAX + 1, told), 413);
    }
}

#[test]
fn a_token_that_comes_too_often_waits() {
    let world = World::new();
    let ask = |role| world.ask(role, "GET", "/v1/products?limit=1", None);
    for _ in 0..TOKEN_REQUESTS_BURST {
        ask(Role::Reviewer).expect(200);
    }
    let refused = ask(Role::Reviewer);
    assert_eq!((refused.status.as_u16(), refused.header("Retry-After")), (429, "1"));
    ask(Role::Operator).expect(200);
    world.clock.on(Span::from_millis(10));
    ask(Role::Reviewer).expect(200);
    ask(Role::Reviewer).expect(429);
    // Nor does a request that was overtaken find the bucket empty.
    world.clock.on(Span::from_millis(-1));
    ask(Role::Reviewer).expect(429);
    // A clock that is set back shuts nobody out.
    world.clock.on(Span::from_millis(-3_600_000));
    ask(Role::Reviewer).expect(200);
}

#[test]
fn whoever_guesses_is_stopped_and_whoever_came_before_is_not() {
    let world = World::new();
    let guess = |number: u32| world.send(request("GET", "/v1/cases", Some(&format!("aisle_{number}")), None, &[]));
    world.ask(Role::Reviewer, "GET", "/v1/cases", None).expect(200);
    for number in 0..WRONG_TOKENS_BURST {
        guess(number).expect(401);
    }
    let refused = guess(99);
    assert_eq!((refused.status.as_u16(), refused.header("Retry-After")), (429, "7"));
    world.ask(Role::Reviewer, "GET", "/v1/cases", None).expect(200);
    world.ask(Role::Operator, "GET", "/v1/cases", None).expect(429);
    world.clock.on(Span::from_millis(6_000));
    world.ask(Role::Operator, "GET", "/v1/cases", None).expect(200);
    guess(100).expect(401);
}

#[test]
fn more_than_can_be_answered_are_asked_to_come_again() {
    let world = World::new();
    let held = world.till();
    let (tell, told) = bounded(HEALTH_REQUESTS_MAX + 1);
    for _ in 0..=HEALTH_REQUESTS_MAX {
        let (router, tell) = (world.router.clone(), tell.clone());
        let request = request("GET", "/readyz", None, None, &[]);
        world.runtime.spawn(async move { tell.send(exchange(router, request).await).unwrap() });
    }
    let first = told.recv().unwrap();
    assert_eq!((first.status.as_u16(), first.header("Retry-After")), (503, "1"));
    assert_eq!(world.send(request("GET", "/", None, None, &[])).status, 200, "others have their own");
    drop(held);
    for _ in 0..HEALTH_REQUESTS_MAX {
        assert_eq!(told.recv().unwrap().status, 200);
    }
    assert_eq!(world.send(request("GET", "/healthz", None, None, &[])).status, 200);
}

#[test]
fn guesses_that_overlap_are_counted_like_those_one_after_the_other() {
    let world = World::new();
    let held = world.till();
    let guesses = 4 * WRONG_TOKENS_BURST as usize;
    let (tell, told) = bounded(guesses);
    for number in 0..guesses {
        let (router, tell) = (world.router.clone(), tell.clone());
        let request = request("GET", "/v1/cases", Some(&format!("aisle_{number}")), None, &[]);
        world.runtime.spawn(async move { tell.send(exchange(router, request).await.status.as_u16()).unwrap() });
    }
    drop(held);
    let answers: Vec<u16> = (0..guesses).map(|_| told.recv().unwrap()).collect();
    let looked_up = answers.iter().filter(|status| **status == 401).count();
    assert_eq!(looked_up, WRONG_TOKENS_BURST as usize, "{answers:?}");
    assert_eq!(answers.iter().filter(|status| **status == 429).count(), guesses - looked_up);
}

#[test]
fn the_description_is_made_once_and_given_again_to_nobody_who_has_it() {
    let world = World::new();
    let ask = |known: &[(&str, &str)]| world.send(request("GET", "/openapi.json", None, None, known));
    let first = ask(&[]);
    let tag = first.header("ETag").to_owned();
    assert!(first.status == 200 && 60 < tag.len() && first.header("Cache-Control") == "no-cache");
    for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
        let again = ask(&[("If-None-Match", &known)]);
        assert_eq!((again.status.as_u16(), again.header("ETag"), again.body.len()), (304, tag.as_str(), 0), "{known}");
    }
    let other = ask(&[("If-None-Match", "\"other\"")]);
    assert_eq!((other.status.as_u16(), other.body.len()), (200, first.body.len()));
    // It names the providers of this shop.
    let told = first.json();
    assert_eq!(told["components"]["schemas"]["PaymentBody"]["properties"]["provider"]["enum"], json!(["sandbox"]));
}

/// A provider that says nothing until it is let go, and stumbles over every notice.
struct Mute(Receiver<()>);

impl PaymentProvider for Mute {
    fn name(&self) -> &str {
        "mute"
    }

    fn submit(&self, order: &Order) -> Answer {
        self.0.recv().unwrap();
        Answer::Done { reference: format!("mute_{}", order.id), amount: order.amount }
    }

    fn query(&self, _: &Order, _: Option<&str>) -> Answer {
        Answer::Unknown { message: "mute".to_owned() }
    }

    fn read_notice(&self, _: &[(String, String)], body: &[u8], _: ShopTime) -> Result<Notice> {
        assert!(body.is_empty(), "a bug with a secret in it");
        Err(Error::input("nothing"))
    }
}

fn with_mute() -> (World, Sender<()>) {
    let (let_go, go) = bounded(2);
    let mut more = Providers::from([("mute".to_owned(), Arc::new(Mute(go)) as Arc<dyn PaymentProvider>)]);
    (World::with_providers(&mut more, |api, _| api.with_hold_wait(Span::from_millis(10))), let_go)
}

#[test]
fn a_provider_that_does_not_answer_holds_up_the_gate_for_a_moment_only() {
    let (world, let_go) = with_mute();
    let body = json!({ "payment": { "provider": "mute", "customer": "anna" } });
    world.ask(Role::Operator, "PUT", &format!("/v1/shoppers/{}", world.anna), Some(body)).expect(200);
    let entry = || Some(json!({ "shopper": world.anna, "gate": "front" }));
    let key = [("Idempotency-Key", "1")];
    let open = world.ask_with(Role::Gate, "POST", "/v1/entries", entry(), &key).expect(200);
    assert_eq!((&open["door"], &open["unheld"]), (&json!("open"), &json!(true)), "the policy trusts for a day");
    // Nobody holds the till meanwhile.
    world.get(Role::Operator, "/v1/carts");
    // Longer than the policy trusts: the shop may not open, and the next one does not come in.
    world.clock.on(Span::from_millis(25 * 3_600_000));
    let closed = world.send(request("GET", "/readyz", None, None, &[]));
    assert_eq!(closed.status, 503);
    assert!(closed.text().contains("owed an answer"), "{}", closed.text());
    let key = [("Idempotency-Key", "2")];
    let shut = world.ask_with(Role::Gate, "POST", "/v1/entries", entry(), &key).expect(200);
    assert_eq!(shut["door"], "shut");
    let_go.send(()).unwrap();
    let_go.send(()).unwrap();
}

#[test]
fn a_bug_is_told_to_the_log_alone() {
    let (world, _let_go) = with_mute();
    let request = Request::post("/v1/webhooks/mute").body(Body::from("x")).unwrap();
    let problem = world.send(request).expect(500);
    assert!(problem["detail"].is_null() && !problem.to_string().contains("secret"), "{problem}");
    world.get(Role::Operator, "/v1/carts");
}
