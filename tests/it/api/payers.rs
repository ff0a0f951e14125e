//! What pays is that of whoever enrolled it: a shopper's word makes nobody else pay.

use std::sync::Arc;

use aisle::api::Role;
use aisle::base::{Error, Result, ShopTime, ShopperId};
use aisle::facts::{Answer, Notice, Order, PaymentMethod};
use aisle::ports::PaymentProvider;
use aisle::till::Providers;
use serde_json::{Value, json};

use super::{World, request};

/// A provider that knows who left what: the token says it. With the customer `away` it cannot be reached.
struct Card;

impl PaymentProvider for Card {
    fn name(&self) -> &str {
        "card"
    }

    fn submit(&self, order: &Order) -> Answer {
        Answer::Done { reference: format!("card_{}", order.id), amount: order.amount }
    }

    fn query(&self, _: &Order, _: Option<&str>) -> Answer {
        Answer::Unknown { message: "not asked".to_owned() }
    }

    fn read_notice(&self, _: &[(String, String)], _: &[u8], _: ShopTime) -> Result<Notice> {
        Err(Error::input("none"))
    }

    fn confirms(&self, shopper: ShopperId, method: &PaymentMethod) -> Result<bool> {
        match method.customer.as_str() {
            "away" => Err(Error::unavailable("away")),
            _ => Ok(method.token == format!("pm_{shopper}")),
        }
    }
}

struct Two {
    world: World,
    bert: ShopperId,
}

fn payment(provider: &str, customer: &str, token: &str) -> Value {
    json!({ "provider": provider, "customer": customer, "token": token })
}

impl Two {
    /// Anna and Bert, each with an account of their own in the sandbox.
    fn new() -> Self {
        let mut more = Providers::from([("card".to_owned(), Arc::new(Card) as Arc<dyn PaymentProvider>)]);
        let world = World::with_providers(&mut more, |api, _| api);
        world.enter("first");
        let body = json!({ "name": "Bert", "payment": payment("sandbox", "bert", "ok") });
        let bert = world.ask(Role::Operator, "POST", "/v1/shoppers", Some(body)).expect(201);
        let bert = bert["shopper"].as_str().unwrap().parse().unwrap();
        Two { world, bert }
    }

    fn say(&self, role: Role, shopper: ShopperId, payment: &Value) -> u16 {
        let body = json!({ "name": "Anna", "payment": payment });
        self.world.ask(role, "PUT", &format!("/v1/shoppers/{shopper}"), Some(body)).status.as_u16()
    }

    /// Whom the provider is asked to hold money from when Anna is at the gate.
    fn asked(&self, key: &str) -> String {
        let entry = json!({ "shopper": self.world.anna, "gate": "front" });
        let headers = [("Idempotency-Key", key)];
        let opened = self.world.ask_with(Role::Gate, "POST", "/v1/entries", Some(entry), &headers).expect(200);
        let cart = opened["cart"].as_str().unwrap().parse().unwrap();
        let payment = self.world.till().with(|session| aisle::till::payment_of(session, cart)).unwrap().unwrap();
        format!("{} {}", payment.method.provider, payment.method.customer)
    }
}

#[test]
fn a_shopper_makes_nobody_else_pay() {
    let two = Two::new();
    let anna = two.world.anna;
    let others = [
        payment("sandbox", "bert", "ok"),
        payment("sandbox", "nobody-yet", "ok"),
        payment("sandbox", "anna", "slow"),
        payment("sandbox", "Anna", "ok"),
        payment("card", "anna", "ok"),
        payment("card", "bert", &format!("pm_{}", two.bert)),
    ];
    for (index, other) in others.iter().enumerate() {
        assert_eq!(two.say(Role::Shopper, anna, other), 403, "{other}");
        assert_eq!(two.asked(&format!("key-{index}")), "sandbox anna", "{other}");
    }
    // What is hers may be said again; what is not, not even for somebody who has nothing.
    assert_eq!(two.say(Role::Shopper, anna, &payment("sandbox", "anna", "ok")), 200);
    assert_eq!(two.say(Role::Shopper, anna, &Value::Null), 200);
    assert_eq!(two.say(Role::Shopper, anna, &payment("sandbox", "anna", "ok")), 403);
    let shut = json!({ "shopper": anna, "gate": "front" });
    let shut = two.world.ask_with(Role::Gate, "POST", "/v1/entries", Some(shut), &[("Idempotency-Key", "none")]);
    assert_eq!(shut.expect(200)["door"], "shut");
}

#[test]
fn what_the_provider_confirms_for_this_shopper_is_taken() {
    let two = Two::new();
    let anna = two.world.anna;
    let own = payment("card", "cus-anna", &format!("pm_{anna}"));
    assert_eq!(two.say(Role::Shopper, anna, &own), 200);
    assert_eq!(two.asked("own"), "card cus-anna");
    assert_eq!(two.say(Role::Shopper, anna, &payment("card", "away", "x")), 503);
    assert_eq!(two.asked("still"), "card cus-anna");
    let audit = two.world.get(Role::Operator, "/v1/audit?limit=200").to_string();
    assert!(audit.contains("confirmed by the provider") && !audit.contains("cus-anna"), "{audit}");
}

#[test]
fn two_shoppers_are_never_one_customer() {
    let two = Two::new();
    let world = &two.world;
    let anna = world.anna;
    // An operator is told too: neither a new shopper nor one who is known gets what is another's.
    assert_eq!(two.say(Role::Operator, anna, &payment("sandbox", "bert", "declined")), 409);
    let body = json!({ "name": "Carl", "payment": payment("sandbox", "bert", "ok") });
    world.ask(Role::Operator, "POST", "/v1/shoppers", Some(body)).expect(409);
    assert_eq!(two.asked("same"), "sandbox anna");
    // The same name elsewhere is somebody else, and so is one that only looks alike.
    for other in ["Bert", "bert2", "ber", "ber_", "b%", "bert\"", "bert\\"] {
        assert_eq!(two.say(Role::Operator, anna, &payment("sandbox", other, "ok")), 200, "{other}");
    }
    assert_eq!(two.say(Role::Operator, anna, &payment("card", "bert", "ok")), 200);
    assert_eq!(two.say(Role::Operator, anna, &payment("sandbox", "anna", "ok")), 200);
    // Names with white space or signs that nobody sees are none.
    for other in ["bert ", " bert", "be rt", "bert\u{a0}", "b\u{e9}rt", "bert\u{200b}", ""] {
        assert_eq!(two.say(Role::Operator, anna, &payment("sandbox", other, "ok")), 422, "{other:?}");
    }
    // Who was erased is nobody's customer any more, and cannot be said to be.
    world.ask(Role::Operator, "DELETE", &format!("/v1/shoppers/{}", two.bert), None).expect(204);
    assert_eq!(two.say(Role::Shopper, anna, &payment("sandbox", "bert", "ok")), 403);
    assert_eq!(two.say(Role::Operator, two.bert, &payment("sandbox", "bert", "ok")), 409);
    assert_eq!(two.say(Role::Operator, anna, &payment("sandbox", "bert", "ok")), 200);
}

#[test]
fn no_other_route_lets_a_shopper_say_who_pays() {
    let two = Two::new();
    let world = &two.world;
    let cart = world.enter("mine");
    let payer = json!({ "shopper": two.bert });
    world.ask(Role::Shopper, "PUT", &format!("/v1/carts/{cart}/payer"), Some(payer.clone())).expect(403);
    world.ask(Role::Reviewer, "PUT", &format!("/v1/carts/{cart}/payer"), Some(payer)).expect(409);
    let entry = json!({ "shopper": two.bert, "gate": "front" });
    let key = [("Idempotency-Key", "e")];
    world.ask_with(Role::Shopper, "POST", "/v1/entries", Some(entry), &key).expect(403);
    let home = format!("/v1/shoppers/{}", two.bert);
    world.ask(Role::Shopper, "PUT", &home, Some(json!({ "payment": payment("sandbox", "anna", "ok") }))).expect(404);
    let body = json!({ "payment": payment("sandbox", "new", "ok") });
    world.send(request("POST", "/v1/shoppers", Some(world.secret(Role::Shopper)), Some(body), &[])).expect(403);
}
