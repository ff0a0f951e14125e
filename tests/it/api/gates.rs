//! Gates of an open shop: who comes in as what, what the engine is told, and what an exit is told.

use std::thread;
use std::time::Duration;

use aisle::api::{GateRole, GateRule, Role, gate_desk};
use aisle::base::{CartId, Prob, Quantity, Secret, ShopTime, Span};
use aisle::facts::{Body, EntryRole, Fact, OpenLine, OpenVisit};
use aisle::ports::{Delivery, GateAsk, GateDesk, GateQuestion, Intake, LiveBoard, LiveChange};
use aisle::till::{Payer, Progress};
use crossbeam_channel::Receiver;
use serde_json::{Value, json};

use super::{NOON, World};

/// A world whose engine keeps what it is told, and what that was.
fn world() -> (World, LiveBoard, Receiver<Fact>) {
    let (intake, deliveries) = Intake::bounded(8);
    let (sender, facts) = crossbeam_channel::bounded(64);
    thread::spawn(move || {
        for Delivery { fact, kept } in deliveries {
            sender.send(fact).unwrap();
            kept.tell();
        }
    });
    let board = LiveBoard::default();
    let world = World::with(|api, _| api.with_intake(intake).with_live(board.clone()).with_gates(rules()));
    (world, board, facts)
}

fn rules() -> Vec<GateRule> {
    [("front", GateRole::Entrance, false), ("out", GateRole::Exit, true), ("desk", GateRole::Terminal, false)]
        .map(|(name, role, opens_offline)| GateRule { name: name.to_owned(), role, opens_offline })
        .to_vec()
}

/// What somebody shows who comes in as this.
fn badge(world: &World, role: &str) -> (String, String) {
    let made =
        world.ask(Role::Operator, "POST", "/v1/tokens", Some(json!({ "role": role, "holder": "Eva" }))).expect(201);
    (made["token"].as_str().unwrap().to_owned(), made["secret"].as_str().unwrap().to_owned())
}

fn enter(world: &World, body: &Value, key: &str) -> Value {
    let headers = [("Idempotency-Key", key)];
    world.ask_with(Role::Gate, "POST", "/v1/entries", Some(body.clone()), &headers).expect(200)
}

/// Somebody inside with units of the first product.
fn inside(world: &World, cart: &str, visit: &str, units: u32) -> OpenVisit {
    let visit = OpenVisit {
        visit: visit.parse().unwrap(),
        entered: NOON,
        seen: NOON,
        place: None,
        lines: vec![OpenLine {
            sku: world.skus()[0].clone(),
            quantity: Quantity::new(units),
            probability: Prob::ONE,
            events: Vec::new(),
            causes: Vec::new(),
        }],
        probability: Prob::new(0.97),
        interrupted: false,
    };
    let open = [(visit.clone(), Some(cart.parse().unwrap()))];
    let progress = Progress { closings: &[], open: &open, expired: &[], checkpoint: b"x", at: NOON };
    world.till().advance(&progress).unwrap();
    visit
}

#[test]
fn every_door_that_opens_is_told_to_the_engine_once() {
    let (world, _, facts) = world();
    let payment = json!({ "payment": { "provider": "sandbox", "customer": "anna", "token": "ok" } });
    world.ask(Role::Operator, "PUT", &format!("/v1/shoppers/{}", world.anna), Some(payment)).expect(200);
    let body = json!({ "shopper": world.anna, "gate": "front", "people": 3 });
    let opened = enter(&world, &body, "1");
    assert_eq!((&opened["door"], &opened["heard"], &opened["role"]), (&json!("open"), &json!(true), &json!("shopper")));
    assert_eq!(enter(&world, &body, "1"), opened, "a repeated request");
    world.clock.on(Span::from_millis(2_000));
    enter(&world, &json!({ "shopper": world.anna, "gate": "front" }), "2");
    let told: Vec<Fact> = facts.try_iter().collect();
    assert_eq!(told.len(), 2);
    assert!(told.iter().all(|fact| fact.stamp.source.as_str() == "gate/front"));
    assert!(told[0].stamp.sequence < told[1].stamp.sequence);
    // A process that begins later goes on above.
    assert!(u64::try_from(NOON.as_nanos()).unwrap() <= told[0].stamp.sequence);
    assert_eq!(told[1].stamp.at, NOON + Span::from_millis(2_000));
    let Body::Gate(scan) = &told[0].body else { panic!("{told:?}") };
    assert_eq!(
        (scan.people, scan.role, scan.cart.to_string()),
        (3, EntryRole::Shopper, opened["cart"].as_str().unwrap().into())
    );
    // Who is turned away is told to nobody.
    enter(&world, &json!({ "gate_token": "nobody-has-this-code", "gate": "front" }), "3");
    for people in [0, 17] {
        let body = json!({ "shopper": world.anna, "gate": "front", "people": people });
        world.ask_with(Role::Gate, "POST", "/v1/entries", Some(body), &[("Idempotency-Key", "4")]).expect(422);
    }
    assert_eq!(facts.try_iter().count(), 0);
}

#[test]
fn a_door_stays_shut_while_the_engine_keeps_nothing() {
    let (intake, deliveries) = Intake::bounded(1);
    let world = World::with(|api, _| api.with_intake(intake.clone()));
    let (_, secret) = badge(&world, "staff");
    let body = json!({ "gate_token": secret, "gate": "front" });
    let headers = [("Idempotency-Key", "1")];
    let ask = || world.ask_with(Role::Gate, "POST", "/v1/entries", Some(body.clone()), &headers);
    // It takes the scan and is gone before it keeps it: then the gate waits no longer than it has to.
    let dropper = thread::spawn({
        let deliveries = deliveries.clone();
        move || drop(deliveries.recv())
    });
    let told = ask().expect(503);
    dropper.join().unwrap();
    assert!(told["detail"].as_str().unwrap().contains("has not kept"), "{told}");
    // It is behind.
    let fact: Fact = serde_json::from_value(json!({
        "stamp": { "source": "x", "sequence": 1, "at": 0, "arrived": 0 }, "body": { "Tick": {} },
    }))
    .unwrap();
    assert!(intake.offer(Delivery { fact, kept: aisle::ports::Kept::NOBODY }));
    let told = ask().expect(503);
    assert!(told["detail"].as_str().unwrap().contains("is behind"), "{told}");
    // It goes on, and the same request is taken.
    deliveries.recv().unwrap().kept.tell();
    let keeper = thread::spawn(move || deliveries.recv().unwrap().kept.tell());
    let opened = ask().expect(200);
    keeper.join().unwrap();
    assert_eq!((&opened["door"], &opened["heard"]), (&json!("open"), &json!(true)));
    let metrics = world.ask(Role::Operator, "GET", "/metrics", None).text();
    for line in ["outcome=\"kept\"} 1", "outcome=\"full\"} 1", "outcome=\"unsure\"} 1"] {
        assert!(metrics.contains(&format!("aisle_gate_scans_total{{{line}")), "{metrics}");
    }
}

#[test]
fn staff_come_in_with_what_they_show_and_nobody_is_asked_to_pay() {
    let (world, _, facts) = world();
    let (token, secret) = badge(&world, "restock");
    let body = json!({ "gate_token": secret, "gate": "front" });
    let opened = enter(&world, &body, "1");
    assert_eq!(
        (&opened["door"], &opened["role"], &opened["unheld"]),
        (&json!("open"), &json!("restock"), &json!(false))
    );
    let Body::Gate(scan) = facts.try_recv().unwrap().body else { panic!("no scan") };
    assert_eq!(scan.role, EntryRole::Restock);
    // What opens a door opens nothing else.
    let request = super::request("GET", "/v1/carts", Some(&secret), None, &[]);
    world.send(request).expect(403);

    let cart = opened["cart"].as_str().unwrap();
    let receipt = world.receipt("5", [3, 1], 0.2);
    let closed =
        world.close(&receipt, Vec::new(), Payer::Duty { cart: cart.parse().unwrap(), role: EntryRole::Restock });
    assert_eq!((closed.case, closed.cart.to_string().as_str()), (None, cart));
    let again = world.close(&receipt, Vec::new(), Payer::Cart(cart.parse().unwrap()));
    assert!(again.again && again.case.is_none());
    let read = world.get(Role::Operator, &format!("/v1/carts/{cart}"));
    assert_eq!((&read["role"], &read["state"], &read["payment"]), (&json!("restock"), &json!("settled"), &json!(null)));
    let listed = world.get(Role::Reviewer, "/v1/receipts");
    assert_eq!((&listed["items"][0]["standing"], &listed["items"][0]["role"]), (&json!("unbilled"), &json!("restock")));
    assert_eq!(world.get(Role::Operator, "/v1/cases")["items"], json!([]));
    assert_eq!(world.get(Role::Operator, "/v1/ledger/transfers")["items"], json!([]), "nothing moved");
    world
        .ask(Role::Operator, "PUT", &format!("/v1/carts/{cart}/payer"), Some(json!({ "shopper": world.anna })))
        .expect(409);
    let text = world.ask(Role::Operator, "GET", &format!("/v1/receipts/{cart}?form=text"), None).text();
    assert!(text.contains("This was work in the shop; nothing is charged."), "{text}");

    // What was taken back lets nobody in any more.
    world.ask(Role::Operator, "DELETE", &format!("/v1/tokens/{token}"), None).expect(204);
    assert_eq!(enter(&world, &body, "2")["door"], "shut");
}

#[test]
fn an_exit_is_told_what_somebody_has() {
    let (world, board, _facts) = world();
    let cart = world.enter("1").to_string();
    let leave = |body: Value| world.ask(Role::Gate, "POST", "/v1/gates/out/leave", Some(body)).expect(200);
    let unknown = leave(json!({ "cart": CartId::derived(&["nobody"]) }));
    assert_eq!((&unknown["door"], &unknown["cart"]), (&json!("shut"), &json!(null)));
    let early = leave(json!({ "cart": cart }));
    assert_eq!((&early["door"], &early["total"], &early["units"]), (&json!("open"), &json!(null), &json!(null)));

    let mut visit = inside(&world, &cart, "5", 1);
    let price = world.receipt("5", [1, 0], 1.0).total.unwrap().minor;
    let kept = leave(json!({ "cart": cart }));
    assert_eq!((&kept["total"]["minor"], &kept["units"], &kept["is_final"]), (&json!(price), &json!(1), &json!(false)));
    // What is seen right now goes before what the book has.
    visit.lines[0].quantity = Quantity::new(2);
    board.publish(LiveChange::Carts { at: NOON + Span::from_millis(900), visits: vec![visit] });
    let live = leave(json!({ "cart": cart }));
    assert_eq!((&live["units"], &live["probability"]), (&json!(2), &json!(0.97)));
    assert_eq!(live["at"], "2025-06-15T15:06:40.900Z");
    world.close(&world.receipt("5", [2, 0], 1.0), Vec::new(), Payer::Cart(cart.parse().unwrap()));
    let gone = leave(json!({ "cart": cart }));
    assert_eq!((&gone["is_final"], &gone["door"]), (&json!(true), &json!("open")));

    let (_, secret) = badge(&world, "staff");
    let entered = enter(&world, &json!({ "gate_token": secret, "gate": "front" }), "2");
    let staff = leave(json!({ "gate_token": secret }));
    assert_eq!((&staff["cart"], &staff["role"], &staff["total"]), (&entered["cart"], &json!("staff"), &json!(null)));

    for wrong in [json!({}), json!({ "cart": cart, "gate_token": "0123456789abcdef" })] {
        world.ask(Role::Gate, "POST", "/v1/gates/out/leave", Some(wrong)).expect(422);
    }
    world.ask(Role::Gate, "POST", "/v1/gates/back/leave", Some(json!({ "cart": cart }))).expect(404);
    let rule = world.ask(Role::Gate, "GET", "/v1/gates/out", None);
    assert_eq!(rule.header("Cache-Control"), "private, max-age=3600");
    assert_eq!(rule.expect(200), json!({ "gate": "out", "role": "exit", "offline": "open", "valid_secs": 3600 }));
    assert_eq!(world.get(Role::Gate, "/v1/gates/front")["offline"], "shut");
}

/// What a gate is answered that asks in another way than over HTTP.
fn asked(desk: &GateDesk, question: GateQuestion, token: &str, at: ShopTime, body: &Value) -> (u16, Value) {
    let (tell, told) = crossbeam_channel::bounded(1);
    let gate = if question == GateQuestion::Enter { "front" } else { "out" };
    let ask = GateAsk {
        gate: gate.to_owned(),
        id: "1".to_owned(),
        at,
        question,
        token: Secret::new(token.to_owned()),
        body: Secret::new(body.to_string().into_bytes()),
        answer: Box::new(move |status, body| tell.send((status, body)).unwrap()),
    };
    desk.ask(ask).unwrap();
    let (status, body) = told.recv_timeout(Duration::from_secs(20)).unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

#[test]
fn a_gate_that_asks_otherwise_is_answered_as_over_http() {
    let (world, _, facts) = world();
    let (desk, questions) = gate_desk();
    world.runtime.spawn(questions.answer(world.router.clone(), world.clock.clone()));
    let (_, badge) = badge(&world, "staff");
    let gate = world.secret(Role::Gate).to_owned();
    let enter = json!({ "gate_token": badge, "gate": "front" });
    let (status, entry) = asked(&desk, GateQuestion::Enter, &gate, NOON, &enter);
    assert_eq!((status, &entry["door"], &entry["heard"]), (200, &json!("open"), &json!(true)));
    let Body::Gate(scan) = facts.try_recv().unwrap().body else { panic!("no scan") };
    assert_eq!((scan.cart.to_string().as_str(), scan.role), (entry["cart"].as_str().unwrap(), EntryRole::Staff));
    assert_eq!(asked(&desk, GateQuestion::Enter, &gate, NOON, &enter).1, entry, "a repeated question");
    assert_eq!(facts.try_iter().count(), 0);

    let cart = world.enter("2").to_string();
    inside(&world, &cart, "5", 1);
    let over_http = world.ask(Role::Gate, "POST", "/v1/gates/out/leave", Some(json!({ "cart": cart }))).expect(200);
    let leave = json!({ "cart": cart });
    assert_eq!(asked(&desk, GateQuestion::Leave, &gate, NOON, &leave), (200, over_http.clone()));
    assert_eq!((&over_http["door"], over_http["total"]["minor"].is_number()), (&json!("open"), true));
    let rule = asked(&desk, GateQuestion::Rule, &gate, NOON, &json!({}));
    assert_eq!(rule, (200, world.get(Role::Gate, "/v1/gates/out")));

    // Whoever may not ask over HTTP may not ask so either.
    let refused = |token: &str, at, body: &Value| asked(&desk, GateQuestion::Leave, token, at, body).0;
    assert_eq!(refused("aisle_guessed", NOON, &leave), 401);
    assert_eq!(refused("a\nb", NOON, &leave), 400);
    assert_eq!(refused(world.secret(Role::Screen), NOON, &leave), 403);
    assert_eq!(refused(&gate, NOON, &json!({})), 422);
    // Nobody stands there any more, or the clock of the gate is wrong.
    assert_eq!(refused(&gate, NOON - Span::from_millis(10_001), &leave), 408);
    assert_eq!(refused(&gate, NOON + Span::from_millis(10_001), &leave), 408);
    assert_eq!(refused(&gate, NOON - Span::from_millis(9_999), &leave), 200);
}

#[test]
fn at_a_terminal_one_visit_is_open_at_a_time() {
    let (world, _, facts) = world();
    let body = json!({ "payment": { "provider": "sandbox", "customer": "card-1", "token": "ok" } });
    let begin = |gate: &str, key: &str, body: &Value| {
        let path = format!("/v1/gates/{gate}/visits");
        world.ask_with(Role::Gate, "POST", &path, Some(body.clone()), &[("Idempotency-Key", key)])
    };
    let first = begin("desk", "1", &body).expect(200);
    assert_eq!((&first["door"], &first["heard"]), (&json!("open"), &json!(true)));
    assert_eq!(begin("desk", "1", &body).expect(200), first, "a repeated request");
    let second = begin("desk", "2", &body).expect(200);
    assert!(second["reason"].as_str().unwrap().contains("is not over"), "{second}");
    assert_eq!(facts.try_iter().count(), 1);
    begin("front", "3", &body).expect(409);
    let wrong = json!({ "payment": { "provider": "cash", "customer": "", "token": "ok" } });
    let told = begin("desk", "4", &wrong).expect(422);
    assert_eq!(told["errors"].as_array().unwrap().len(), 2, "{told}");
    let cart: CartId = first["cart"].as_str().unwrap().parse().unwrap();
    assert!(world.close(&world.receipt("9", [1, 0], 1.0), Vec::new(), Payer::Cart(cart)).case.is_none());
    world.settle();
    assert_eq!(world.get(Role::Operator, "/v1/receipts")["items"][0]["standing"], "paid");
    // The same card again is the same customer.
    assert_eq!(begin("desk", "2", &body).expect(200)["door"], "open");
    // Nobody came: the next one may.
    let waiting: CartId = world.get(Role::Operator, "/v1/carts")["items"][0]["cart"].as_str().unwrap().parse().unwrap();
    let progress = Progress { closings: &[], open: &[], expired: &[waiting], checkpoint: b"x", at: NOON };
    world.till().advance(&progress).unwrap();
    assert_eq!(begin("desk", "5", &body).expect(200)["door"], "open");
    let refused = begin("desk", "1", &body).expect(200);
    assert_eq!(refused["door"], "shut", "an entry that is over lets nobody in");
}

#[test]
fn receipts_come_newest_first_in_pages() {
    let world = World::new();
    for visit in 1..=5_i64 {
        world.clock.on(Span::from_millis(60_000));
        let receipt = world.receipt(&visit.to_string(), [1, 0], if visit == 3 { 0.1 } else { 1.0 });
        world.close(&receipt, Vec::new(), Payer::WalkIn(aisle::live::walk_in_method()));
    }
    world.settle();
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let page = world.get(Role::Operator, &format!("/v1/receipts?limit=2{after}"));
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["standing"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(seen, ["paid", "paid", "review", "paid", "paid"]);
}

#[test]
fn what_a_reviewer_decides_is_a_fact_of_the_shop() {
    let (world, _, facts) = world();
    let cart = world.enter("busy");
    let receipt = world.receipt("1", [1, 1], 0.5);
    world.close(&receipt, Vec::new(), Payer::Cart(cart));
    let case = world.get(Role::Reviewer, "/v1/cases")["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/cases/{case}/verdict");
    world.ask(Role::Reviewer, "POST", &path, Some(json!({ "decision": "accept", "note": "seen" }))).expect(200);
    let said = facts.iter().find_map(|fact| match fact.body {
        Body::Verdict(said) => Some((fact.stamp.source, said)),
        _ => None,
    });
    let (source, said) = said.unwrap();
    assert_eq!((source.as_str(), said.case.to_string(), said.cart, said.receipt), ("review", case, cart, 1));
    assert_eq!((said.verdict.reviewer.as_str(), said.verdict.note.as_str()), ("the reviewer", "seen"));
}
