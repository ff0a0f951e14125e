//! Messages of payment providers.

use aisle::api::Role;
use aisle::base::Span;
use aisle::ports::Clock;
use aisle::till::Payer;
use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use super::{Answer, World};

fn deliver(world: &World, path: &str, headers: &[(String, String)], body: &[u8]) -> Answer {
    let mut request = Request::post(path);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    world.send(request.body(Body::from(body.to_vec())).unwrap())
}

#[test]
fn notices_are_taken_in_once_and_only_when_signed() {
    let world = World::new();
    world.enter("1");
    let (headers, body) = world.sandbox.take_notices(world.clock.now()).pop().unwrap();
    while world.rung.try_recv().is_ok() {}
    let path = "/v1/webhooks/sandbox";
    deliver(&world, path, &headers, &body).expect(204);
    assert!(world.rung.try_recv().is_ok(), "the settler is rung");
    deliver(&world, path, &headers, &body).expect(204);
    deliver(&world, "/v1/webhooks/paypal", &headers, &body).expect(404);

    while world.rung.try_recv().is_ok() {}
    let mut forged = body.clone();
    forged[10] ^= 1;
    for (headers, body) in [(&headers[..], &forged[..]), (&headers[..], b""), (&headers[..1], &body)] {
        let problem = deliver(&world, path, headers, body).expect(400);
        assert_eq!(problem["code"], "FAIL", "as WeChat Pay wants it");
        assert_eq!(problem["message"], problem["detail"]);
    }
    assert!(world.rung.try_recv().is_err(), "nobody is rung for what is forged");
    world.clock.on(Span::from_millis(3_600_000));
    deliver(&world, path, &headers, &body).expect(400);
}

#[test]
fn what_was_slow_is_settled_when_its_notice_comes() {
    let world = World::new();
    let cart = world.enter("1");
    let slow = json!({ "payment": { "provider": "sandbox", "customer": "anna", "token": "slow" } });
    world.ask(Role::Operator, "PUT", &format!("/v1/shoppers/{}", world.anna), Some(slow)).expect(200);
    let receipt = world.receipt("7", [1, 0], 1.0);
    let walk_in = world.close(&receipt, Vec::new(), Payer::Cart(cart));
    world.settle();
    world.clock.on(Span::from_millis(3_000));
    for (headers, body) in world.sandbox.take_notices(world.clock.now()) {
        deliver(&world, "/v1/webhooks/sandbox", &headers, &body).expect(204);
    }
    world.settle();
    let cart = world.get(Role::Operator, &format!("/v1/carts/{}", walk_in.cart));
    assert_eq!(cart["payment"]["standing"], "settled");
}

#[test]
fn a_dispute_is_put_before_a_person() {
    let world = World::new();
    let cart = world.enter("1");
    let receipt = world.receipt("1", [1, 0], 1.0);
    world.close(&receipt, Vec::new(), Payer::Cart(cart));
    world.settle();
    let taken = aisle::ports::PaymentProvider::statement(world.sandbox.as_ref()).unwrap().unwrap();
    world.sandbox.dispute(&taken[0].reference).unwrap();
    for (headers, body) in world.sandbox.take_notices(world.clock.now()) {
        deliver(&world, "/v1/webhooks/sandbox", &headers, &body).expect(204);
    }
    let waiting = world.get(Role::Reviewer, "/v1/cases");
    assert_eq!(waiting["items"][0]["concerns"][0]["concern"], "disputed");
    let metrics = world.ask(Role::Operator, "GET", "/metrics", None).text();
    for line in ["aisle_cases_waiting 1", "aisle_orders{state=\"done\"} 2", "aisle_payments{standing=\"settled\"} 1"] {
        assert!(metrics.contains(line), "{line} in\n{metrics}");
    }
}
