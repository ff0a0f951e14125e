//! Bad input in every field: never anything but a refusal.

use aisle::api::Role;
use aisle::base::{CartId, CaseId, TransferId};
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::{World, request};

/// What nobody should write into a field.
fn evil() -> Vec<Value> {
    let long = "x".repeat(70_000);
    vec![
        Value::Null,
        json!(true),
        json!(-1),
        json!(0),
        json!(1.5),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e308),
        json!(""),
        json!(" "),
        json!("\u{0}"),
        json!("a\u{0}b\u{7}"),
        json!("\u{202e}\u{feff}🍎"),
        json!("'; DROP TABLE carts; --"),
        json!(long),
        json!([]),
        json!([[[[]]]]),
        json!({}),
        json!({ "": "" }),
        json!([null, 1, "a", {}]),
    ]
}

/// A body that is in order for every route that reads one.
fn bodies(world: &World, cart: CartId) -> Vec<(&'static str, String, Value)> {
    let [sku, other] = world.skus();
    let payment = json!({ "provider": "sandbox", "customer": "c", "token": "ok" });
    let enrolment = json!({ "name": "N", "contact": "C", "gate_token": "0123456789abcdef", "payment": payment });
    let case = CaseId::of_cart(cart, 1);
    let order = TransferId::of_cart(cart, "none", 1);
    let lines = json!([{ "sku": sku, "quantity": 1 }, { "sku": other, "quantity": 2 }]);
    let done =
        json!({ "answer": "done", "reference": "r", "amount": { "minor": 1, "currency": "USD", "exponent": 2 } });
    vec![
        ("POST", "/v1/shoppers".into(), enrolment.clone()),
        ("PUT", format!("/v1/shoppers/{}", world.anna), enrolment),
        ("POST", "/v1/entries".into(), json!({ "shopper": world.anna, "gate": "front" })),
        ("POST", "/v1/entries".into(), json!({ "gate_token": "0123456789abcdef", "gate": "front" })),
        ("PUT", format!("/v1/carts/{cart}/payer"), json!({ "shopper": world.anna })),
        ("POST", format!("/v1/receipts/{cart}/contest"), json!({ "words": "w", "skus": [sku] })),
        ("POST", format!("/v1/cases/{case}/verdict"), json!({ "decision": "change", "lines": lines, "note": "n" })),
        ("POST", format!("/v1/cases/{case}/verdict"), json!({ "decision": "accept" })),
        ("POST", format!("/v1/orders/{order}/resolution"), done),
        ("POST", format!("/v1/orders/{order}/resolution"), json!({ "answer": "declined", "code": "c" })),
        ("POST", "/v1/tokens".into(), json!({ "role": "reviewer", "holder": "h", "days": 3 })),
        ("POST", "/v1/tokens".into(), json!({ "role": "shopper", "shopper": world.anna })),
    ]
}

/// Pointers to everything in a value, the whole first.
fn pointers(value: &Value) -> Vec<String> {
    let mut all = vec![String::new()];
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (name, value) in children {
        all.extend(pointers(value).into_iter().map(|rest| format!("/{name}{rest}")));
    }
    all
}

/// A world with a cart in review, so that verdicts and complaints get as far as they can.
fn busy_world() -> (World, CartId) {
    let world = World::new();
    let cart = world.enter("busy");
    let receipt = world.receipt("1", [1, 1], 0.5);
    world.close(&receipt, Vec::new(), aisle::till::Payer::Cart(cart));
    (world, cart)
}

#[test]
fn no_field_of_a_body_breaks_anything() {
    let (world, cart) = busy_world();
    let mut tried = 0;
    for (method, path, body) in bodies(&world, cart) {
        for pointer in pointers(&body) {
            for value in evil() {
                let mut wrong = body.clone();
                *wrong.pointer_mut(&pointer).unwrap() = value;
                world.clock.on(aisle::base::Span::from_millis(20));
                let key = format!("key-{tried}");
                let headers = [("Idempotency-Key", key.as_str())];
                let answer = world.ask_with(Role::Operator, method, &path, Some(wrong.clone()), &headers);
                assert!(answer.status.as_u16() < 500, "{method} {path} {wrong}: {}", answer.text());
                tried += 1;
            }
        }
        let mut unknown = body.clone();
        unknown["surplus"] = json!(1);
        let answer = world.ask_with(Role::Operator, method, &path, Some(unknown), &[("Idempotency-Key", "surplus")]);
        assert_eq!(answer.status, 422, "{method} {path}: a field that nobody knows: {}", answer.text());
    }
    assert!(600 < tried, "{tried}");
}

#[test]
fn every_flaw_of_a_body_is_told_at_once() {
    let world = World::new();
    let body = json!({
        "name": "", "contact": "a\u{7}", "gate_token": "short",
        "payment": { "provider": "cash", "customer": "", "token": "ok" },
    });
    let problem = world.ask(Role::Operator, "POST", "/v1/shoppers", Some(body)).expect(422);
    let pointers: Vec<&str> =
        problem["errors"].as_array().unwrap().iter().map(|flaw| flaw["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/name", "/contact", "/gate_token", "/payment/provider", "/payment/customer"]);
    assert!(!problem.to_string().contains("short"), "what should be secret is not repeated");
}

#[test]
fn what_is_no_json_is_refused() {
    let world = World::new();
    let send = |media_type: &str, body: &[u8]| {
        let request = request("POST", "/v1/tokens", Some(world.secret(Role::Operator)), None, &[]);
        let (mut head, _) = request.into_parts();
        if !media_type.is_empty() {
            head.headers.insert("Content-Type", media_type.parse().unwrap());
        }
        world.send(Request::from_parts(head, Body::from(body.to_vec()))).status.as_u16()
    };
    for body in [&b""[..], b"{", b"nul", b"\xff\xfe", b"{\"role\":\"gate\"}{}"] {
        assert_eq!(send("application/json", body), 400, "{:?}", String::from_utf8_lossy(&body[..body.len().min(20)]));
    }
    assert_eq!(send("application/json", &b"[".repeat(100_000)), 422, "no object");
    for media_type in ["", "text/plain", "application/jsonx", "application/x-www-form-urlencoded", "/", ";"] {
        assert_eq!(send(media_type, b"{}"), 415, "{media_type}");
    }
    assert_eq!(send("application/json; charset=utf-8", b"{}"), 422);
}

#[test]
fn no_path_query_or_header_breaks_anything() {
    let (world, cart) = busy_world();
    let parts = ["x", "%00", "%FF%FE", "%2e%2e", "..", "cart_", "a%2Fb", "'", "%F0%9F%8D%8E", &"9".repeat(5_000), ""];
    let templates =
        ["/v1/carts/{}", "/v1/carts/{}/evidence", "/v1/receipts/{}", "/v1/cases/{}", "/v1/shoppers/{}/export"];
    for template in templates {
        for part in parts {
            let status = world.ask(Role::Operator, "GET", &template.replace("{}", part), None).status.as_u16();
            assert!(status == 400 || status == 404, "{template} {part}: {status}");
        }
    }
    for path in [
        "/v1/carts",
        "/v1/cases",
        "/v1/tokens",
        "/v1/audit",
        "/v1/ledger/transfers",
        "/v1/orders/stuck",
        "/v1/products",
    ] {
        for query in [
            "limit=0",
            "limit=201",
            "limit=-1",
            "limit=x",
            "limit=",
            "limit=1&limit=2",
            "limit=99999999999",
            "surplus=1",
        ] {
            world.ask(Role::Operator, "GET", &format!("{path}?{query}"), None).expect(400);
        }
        for after in ["x", "%00", "1", "1.", ".1", "2026-11-30T08:00:00.123456789Z.a%27b", "2026-11-30.a", "%FF"] {
            let status = world.ask(Role::Operator, "GET", &format!("{path}?after={after}"), None).status.as_u16();
            assert!(status == 200 || status == 400, "{path} {after}: {status}");
        }
    }
    for account in ["x", "shopper/x", "tax/", "%00"] {
        world.ask(Role::Operator, "GET", &format!("/v1/ledger/balances?account={account}"), None).expect(400);
    }
    let receipt = format!("/v1/receipts/{cart}");
    for accept in ["", ",", ";", "text/html;q=x", "*/*;q=-1", "a/b;q=9, */*", "text/*;q=0.0001"] {
        let status = world.ask_with(Role::Reviewer, "GET", &receipt, None, &[("Accept", accept)]).status.as_u16();
        assert!(status == 200 || status == 406, "{accept}: {status}");
    }
    for authorization in
        ["", "Bearer", "Bearer ", "Basic aisle_x", "aisle_x", "Bearer aisle_\u{e9}", &"B ".repeat(3_000)]
    {
        world.clock.on(aisle::base::Span::from_millis(60_000));
        let request = Request::get("/v1/carts").header("Authorization", authorization.as_bytes()).body(Body::empty());
        world.send(request.unwrap()).expect(401);
    }
    let entry = || Some(json!({ "shopper": world.anna, "gate": "front" }));
    world.ask(Role::Gate, "POST", "/v1/entries", entry()).expect(400);
    for keys in [vec![("Idempotency-Key", "")], vec![("Idempotency-Key", "a"), ("Idempotency-Key", "b")]] {
        world.ask_with(Role::Gate, "POST", "/v1/entries", entry(), &keys).expect(400);
    }
}

#[test]
fn unknown_paths_and_methods_are_problems_too() {
    let world = World::new();
    world.ask(Role::Operator, "GET", "/v2/carts", None).expect(404);
    world.ask(Role::Operator, "GET", "/v1/carts/", None).expect(404);
    let wrong = world.ask(Role::Operator, "PATCH", "/v1/tokens", None);
    assert_eq!(wrong.header("Allow"), "GET,HEAD,POST");
    wrong.expect(405);
    let head = world.ask(Role::Operator, "HEAD", "/v1/tokens", None);
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    world.ask(Role::Operator, "BREW", "/v1/tokens", None).expect(405);
}
