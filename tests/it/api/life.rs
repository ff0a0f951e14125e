//! From enrolment to oblivion.

use aisle::api::{Retention, Role};
use aisle::base::{Grams, Prob, Span, TimeRange};
use aisle::facts::{
    Attribution, Evidence, FactRef, Grounds, Movement, Receipt, ReceiptLine, TakerEvidence, WeightEvidence,
};
use aisle::ports::Clock;
use aisle::till::Payer;
use serde_json::{Value, json};

use super::{Answer, HandClock, World, request};

const QR: &str = "qr:5f0c-81d2-aa90-7e31";

/// What the engine would have written about one line.
fn evidence(world: &World, line: &ReceiptLine) -> Vec<Grounds> {
    let fact: FactRef = serde_json::from_value(json!({ "source": "fusion", "sequence": 1 })).unwrap();
    let at = world.clock.now() - Span::from_millis(60_000);
    let visit = "1".parse().unwrap();
    let attribution = Attribution {
        visit,
        movement: Movement::Take,
        sku: line.sku.clone(),
        quantity: line.quantity,
        evidence: Evidence {
            event: fact.clone(),
            shelf: "1-1".parse().unwrap(),
            plates: vec!["1-1-1".parse().unwrap()],
            span: TimeRange::new(at, at + Span::from_millis(800)),
            weight: WeightEvidence {
                measured: Grams::new(-331.0),
                sigma: Grams::new(2.0),
                expected: Grams::new(-332.0),
                learned: false,
            },
            takers: vec![TakerEvidence { visit, wrist_metres: Some(0.07), share: Prob::new(0.9) }],
            misplaced: false,
            probability: Prob::new(0.6),
        },
    };
    vec![Grounds { fact, attribution }]
}

/// A shopper from outside, with a token of her own.
struct Berta<'a> {
    world: &'a World,
    id: String,
    home: String,
    secret: String,
}

impl<'a> Berta<'a> {
    /// Enrolled, twice by accident.
    fn enrol(world: &'a World) -> Self {
        let told = json!({
            "name": "Berta", "contact": "berta@example.org", "gate_token": QR,
            "payment": { "provider": "sandbox", "customer": "cus_berta", "token": "ok" },
        });
        let key = [("Idempotency-Key", "enrol-1")];
        let enrol = || world.ask_with(Role::Operator, "POST", "/v1/shoppers", Some(told.clone()), &key).expect(201);
        let first = enrol();
        assert_eq!(enrol(), first);
        assert_eq!(first["provider"], "sandbox");
        let id = first["shopper"].as_str().unwrap().to_owned();
        let token = json!({ "role": "shopper", "shopper": id, "days": 30 });
        let token = world.ask(Role::Operator, "POST", "/v1/tokens", Some(token)).expect(201);
        let secret = token["secret"].as_str().unwrap().to_owned();
        Berta { world, home: format!("/v1/shoppers/{id}"), id, secret }
    }

    fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.world.send(request(method, path, Some(&self.secret), body, &[]))
    }

    /// At the gate, with a repeated request.
    fn enter(&self) -> String {
        let entry = json!({ "gate_token": QR, "gate": "front" });
        let key = [("Idempotency-Key", "gate-7")];
        let enter = || self.world.ask_with(Role::Gate, "POST", "/v1/entries", Some(entry.clone()), &key).expect(200);
        let opened = enter();
        assert_eq!((&opened["door"], &opened["unheld"]), (&json!("open"), &json!(false)), "{opened}");
        assert_eq!(enter(), opened);
        opened["cart"].as_str().unwrap().to_owned()
    }

    /// Where her newest receipt stands with the money.
    fn standing(&self) -> Value {
        self.ask("GET", &format!("{}/receipts", self.home), None).expect(200)["items"][0]["standing"].clone()
    }

    fn payment(&self, cart: &str) -> Value {
        self.ask("GET", &format!("/v1/carts/{cart}"), None).expect(200)["payment"].clone()
    }
}

#[test]
fn a_whole_life() {
    let world = World::new();
    let berta = Berta::enrol(&world);
    let cart = berta.enter();
    let inside = world.get(Role::Operator, "/v1/carts");
    assert_eq!(inside["items"].as_array().unwrap().len(), 1);
    assert_eq!(inside["items"][0]["payment"]["held"]["minor"], 5_000);
    berta.ask("GET", &format!("/v1/receipts/{cart}"), None).expect(404);

    // Out, with a receipt that a person has to see.
    world.clock.on(Span::from_millis(600_000));
    let receipt = world.receipt("1", [2, 1], 0.6);
    world.close(&receipt, evidence(&world, &receipt.lines[0]), Payer::Cart(cart.parse().unwrap()));
    assert_eq!(berta.standing(), "review");
    review(&world);

    // Paid.
    world.settle();
    let total = world.receipt("1", [1, 1], 1.0).total.unwrap().minor;
    let payment = berta.payment(&cart);
    assert_eq!((&payment["standing"], &payment["paid"]["minor"]), (&json!("settled"), &json!(total)));
    assert_eq!(berta.standing(), "paid");
    every_form(&berta, &cart);
    times_and_money(&berta, &cart);

    // Contested, and given back.
    let [can, other] = world.skus();
    let words = json!({ "words": "I put the second one back.\nReally.", "skus": [other] });
    let contested = berta.ask("POST", &format!("/v1/receipts/{cart}/contest"), Some(words)).expect(201);
    let verdict = json!({ "decision": "change", "lines": [{ "sku": can, "quantity": 1 }] });
    let path = format!("/v1/cases/{}/verdict", contested["id"].as_str().unwrap());
    world.ask(Role::Reviewer, "POST", &path, Some(verdict)).expect(200);
    berta.ask("DELETE", &berta.home, None).expect(409);
    world.settle();
    assert_eq!(berta.payment(&cart)["paid"]["minor"], world.receipt("1", [1, 0], 1.0).total.unwrap().minor);
    assert_eq!(berta.standing(), "credited");
    let account = world.get(Role::Operator, &format!("/v1/ledger/balances?account=shopper/{}", berta.id));
    assert_eq!(account["items"][0]["debits"], account["items"][0]["credits"], "nobody owes anything");
    let rows = world.get(Role::Operator, &format!("/v1/carts/{cart}/transfers"));
    assert!(4 < rows["items"].as_array().unwrap().len());
    oblivion(&berta);
    deeds(&world);
}

/// A reviewer has seen that one can was not taken.
fn review(world: &World) {
    let waiting = world.get(Role::Reviewer, "/v1/cases");
    let case = waiting["items"][0]["id"].as_str().unwrap().to_owned();
    let file = world.get(Role::Reviewer, &format!("/v1/cases/{case}"));
    assert_eq!(file["receipt"]["lines"].as_array().unwrap().len(), 2);
    assert_eq!(file["evidence"][0]["movement"], "take");
    let [can, other] = world.skus();
    let lines = json!([{ "sku": can, "quantity": 1 }, { "sku": other, "quantity": 1 }]);
    let verdict = json!({ "decision": "change", "lines": lines, "note": "one hand, one can" });
    let decide = || world.ask(Role::Reviewer, "POST", &format!("/v1/cases/{case}/verdict"), Some(verdict.clone()));
    while world.rung.try_recv().is_ok() {}
    assert_eq!(decide().expect(200)["verdict"]["reviewer"], "the reviewer");
    assert!(world.rung.try_recv().is_ok(), "the settler is rung");
    decide().expect(409);
}

/// Everything is known, and then nothing.
fn oblivion(berta: &Berta<'_>) {
    let export = format!("{}/export", berta.home);
    let known = berta.ask("GET", &export, None).expect(200);
    assert_eq!((&known["name"], &known["contact"]), (&json!("Berta"), &json!("berta@example.org")));
    assert_eq!(known["carts"][0]["receipts"].as_array().unwrap().len(), 3);
    assert!(known.to_string().contains("put the second one back"));
    berta.ask("DELETE", &berta.home, None).expect(204);
    berta.ask("GET", &berta.home, None).expect(401);
    let left = berta.world.get(Role::Operator, &export).to_string();
    assert!(!left.contains("Berta") && !left.contains("second one") && !left.contains("movement\""), "{left}");
}

/// Every form of a receipt, asked for by name and by media type.
fn every_form(berta: &Berta<'_>, cart: &str) {
    let world = berta.world;
    let path = format!("/v1/receipts/{cart}");
    let forms = [
        ("text", "text/plain", "TOTAL"),
        ("html", "text/html", "<!doctype html>"),
        ("json", "application/json", "\"cart\""),
        ("poslog", "application/xml", "POSLog"),
        ("epcis", "application/ld+json", "EPCISDocument"),
    ];
    for (form, media_type, part) in forms {
        let named = berta.ask("GET", &format!("{path}?form={form}"), None);
        let accept = [("Accept", media_type)];
        let asked = world.ask_with(Role::Reviewer, "GET", &path, None, &accept);
        for answer in [named, asked] {
            assert_eq!(answer.status, 200, "{}", answer.text());
            assert!(answer.header("Content-Type").starts_with(media_type));
            assert!(answer.text().to_lowercase().contains(&part.to_lowercase()), "{form}: {}", answer.text());
        }
    }
    let best = [("Accept", "image/png, text/html;q=0.4, application/xml;q=0.9")];
    let best = world.ask_with(Role::Reviewer, "GET", &path, None, &best);
    assert_eq!(best.header("Content-Type"), "application/xml");
    let html = |answer: Answer| answer.text().contains("How we know");
    assert!(html(world.ask(Role::Reviewer, "GET", &format!("{path}?form=html"), None)), "evidence for reviewers");
    assert!(!html(berta.ask("GET", &format!("{path}?form=html"), None)), "none for shoppers");
    world.ask_with(Role::Reviewer, "GET", &path, None, &[("Accept", "image/png")]).expect(406);
    world.ask(Role::Reviewer, "GET", &format!("{path}?form=papyrus"), None).expect(400);
}

/// The same moment and the same sum, wherever they are told.
fn times_and_money(berta: &Berta<'_>, cart: &str) {
    let entered = "2025-06-15T15:06:40.000Z";
    let stay = berta.ask("GET", &format!("/v1/carts/{cart}"), None).expect(200);
    assert_eq!((&stay["entered_at"], &stay["payment"]["paid"]["exponent"]), (&json!(entered), &json!(2)));
    let summary = berta.ask("GET", &format!("{}/receipts", berta.home), None).expect(200)["items"][0].clone();
    assert_eq!((&summary["entered_at"], &summary["total"]), (&json!(entered), &stay["payment"]["total"]));
    let document = berta.ask("GET", &format!("/v1/receipts/{cart}?form=json"), None).expect(200);
    assert_eq!(document["format"], 2);
    assert_eq!((&document["receipt"]["total"], &document["payment"]["amount"]), (&summary["total"], &summary["total"]));
    assert_eq!(document["receipt"]["left"], stay["left_at"]);
    let rows = berta.world.get(Role::Operator, &format!("/v1/carts/{cart}/transfers"));
    let row = &rows["items"][0]["transfer"];
    assert_eq!(row["at"], entered.replace(".000Z", ".000000000Z"), "what a digest is made of is exact");
}

/// The audit log has everything that was done, by whom, and nothing personal.
fn deeds(world: &World) {
    let mut lines: Vec<Value> = Vec::new();
    let mut path = "/v1/audit?limit=7".to_owned();
    loop {
        let page = world.get(Role::Operator, &path);
        lines.extend(page["items"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/audit?limit=7&after={next}");
    }
    lines.reverse();
    let done: Vec<String> = lines
        .iter()
        .filter(|line| line["who"] != "test")
        .map(|line| format!("{} {}", line["role"].as_str().unwrap(), line["action"].as_str().unwrap()))
        .collect();
    let expected = "operator shopper.enrol, operator shopper.enrol, operator token.create, gate entry.open, \
                    gate entry.open, reviewer case.read, reviewer case.verdict, reviewer receipt.read, \
                    reviewer receipt.read, reviewer receipt.read, reviewer receipt.read, reviewer receipt.read, \
                    reviewer receipt.read, reviewer receipt.read, shopper receipt.contest, reviewer case.verdict, \
                    shopper shopper.export, shopper shopper.erase, operator shopper.export";
    assert_eq!(done.join(", "), expected);
    let text = serde_json::to_string(&lines).unwrap();
    for personal in ["Berta", "berta@", "second one", QR, "cus_berta", "aisle_"] {
        assert!(!text.contains(personal), "{personal}");
    }
    let seqs: Vec<i64> = lines.iter().map(|line| line["seq"].as_i64().unwrap()).collect();
    assert_eq!(seqs, (1..=seqs.len() as i64).collect::<Vec<_>>());
}

#[test]
fn a_refused_change_leaves_no_deed() {
    let world = World::new();
    let before = world.get(Role::Operator, "/v1/audit")["items"].clone();
    let nobody = format!("/v1/shoppers/{}", aisle::base::ShopperId::derived(&["nobody"]));
    world.ask(Role::Operator, "DELETE", &nobody, None).expect(404);
    assert_eq!(world.get(Role::Operator, "/v1/audit")["items"], before);
}

#[test]
fn debt_shuts_the_door_until_it_is_paid() {
    let world = World::new();
    let cart = world.enter("1");
    let method = |token: &str| json!({ "payment": { "provider": "sandbox", "customer": "anna", "token": token } });
    let home = format!("/v1/shoppers/{}", world.anna);
    // The hold is smaller than the bill, and the card is empty by then.
    let receipt = world.receipt("1", [9, 9], 1.0);
    world.ask(Role::Operator, "PUT", &home, Some(method("declined"))).expect(200);
    world.close(&receipt, Vec::new(), Payer::Cart(cart));
    let key = |key: &'static str| [("Idempotency-Key", key)];
    let entry = || Some(json!({ "shopper": world.anna, "gate": "front" }));
    let shut = world.ask_with(Role::Gate, "POST", "/v1/entries", entry(), &key("2")).expect(200);
    world.settle();
    // A declined card is no way in either.
    assert_eq!(shut["door"], "shut", "{shut}");
    assert!(shut["reason"].as_str().unwrap().contains("declined"), "{shut}");
    assert!(shut["cart"].is_null());
    // What was shut stays shut, whatever happens meanwhile.
    world.ask(Role::Operator, "PUT", &home, Some(method("ok"))).expect(200);
    let again = world.ask_with(Role::Gate, "POST", "/v1/entries", entry(), &key("2")).expect(200);
    assert_eq!(again["door"], "shut", "{again}");
    let open = world.ask_with(Role::Gate, "POST", "/v1/entries", entry(), &key("3")).expect(200);
    assert_eq!(open["door"], "open", "{open}");
}

#[test]
fn a_visit_without_a_payer_is_assigned() {
    let world = World::new();
    let receipt = one_can(&world);
    let closed = world.close(&receipt, Vec::new(), Payer::Unknown);
    let case = closed.case.unwrap();
    let verdict = || Some(json!({ "decision": "accept" }));
    world.ask(Role::Reviewer, "POST", &format!("/v1/cases/{case}/verdict"), verdict()).expect(409);
    let payer = format!("/v1/carts/{}/payer", closed.cart);
    let body = || Some(json!({ "shopper": world.anna }));
    world.ask(Role::Reviewer, "PUT", &payer, body()).expect(409);
    world.enter("1");
    world.ask(Role::Reviewer, "PUT", &payer, body()).expect(204);
    world.ask(Role::Reviewer, "POST", &format!("/v1/cases/{case}/verdict"), verdict()).expect(200);
    world.settle();
    let cart = world.get(Role::Reviewer, &format!("/v1/carts/{}", closed.cart));
    assert_eq!(cart["payment"]["standing"], "settled");
}

fn one_can(world: &World) -> Receipt {
    world.receipt("7", [1, 0], 1.0)
}

#[test]
fn lists_come_in_pages_without_holes_or_doubles() {
    let world = World::new();
    let mut carts: Vec<String> = (0..7).map(|number| world.enter(&number.to_string()).to_string()).collect();
    let mut found = Vec::new();
    let mut path = "/v1/carts?limit=3".to_owned();
    loop {
        let page = world.get(Role::Reviewer, &path);
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 3);
        found.extend(items.iter().map(|cart| cart["cart"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/carts?limit=3&after={next}");
    }
    // All of them came at one moment of the clock, so their names decide.
    carts.sort();
    assert_eq!(found, carts);
}

#[test]
fn what_is_kept_no_longer_is_forgotten_every_hour() {
    let world = World::new();
    let cart = world.enter("1");
    let receipt = one_can(&world);
    world.close(&receipt, Vec::new(), Payer::Cart(cart));
    let path = format!("/v1/carts/{cart}/evidence");
    world.get(Role::Reviewer, &path);
    let mut retention = Retention::default();
    let mut round = |clock: &HandClock| retention.round(&mut world.till(), clock.now()).unwrap();
    assert_eq!(round(&world.clock).unwrap().evidence, 0);
    world.clock.on(Span::from_millis(59 * 60_000));
    assert_eq!(round(&world.clock), None);
    world.clock.on(Span::from_millis(31 * 24 * 3_600_000));
    assert_eq!(round(&world.clock).unwrap().evidence, 1);
    world.ask(Role::Reviewer, "GET", &path, None).expect(404);
    world.clock.on(Span::from_millis(-2 * 3_600_000));
    assert!(round(&world.clock).is_some(), "a clock that was set back keeps nothing for longer");
}

#[test]
fn orders_that_were_given_up_are_seen_to() {
    let world = World::new();
    // A way to pay that the sandbox does not know is our mistake, so a person has to look.
    let wrong = json!({ "payment": { "provider": "sandbox", "customer": "anna", "token": "4242" } });
    world.ask(Role::Operator, "PUT", &format!("/v1/shoppers/{}", world.anna), Some(wrong)).expect(200);
    let body = json!({ "shopper": world.anna, "gate": "front" });
    world.ask_with(Role::Gate, "POST", "/v1/entries", Some(body), &[("Idempotency-Key", "2")]).expect(200);
    let stuck = world.get(Role::Operator, "/v1/orders/stuck");
    let order = stuck["items"][0]["order"].as_str().unwrap().to_owned();
    assert_eq!(stuck["items"][0]["task"], "authorise");
    assert!(!stuck.to_string().contains("4242"), "what the provider knows the shopper by is not shown");
    world.ask(Role::Operator, "POST", &format!("/v1/orders/{order}/retry"), None).expect(204);
    world.ask(Role::Operator, "POST", &format!("/v1/orders/{order}/retry"), None).expect(409);
    world.settle();
    let resolution = |minor: i64, exponent: u32| {
        let amount = json!({ "minor": minor, "currency": "USD", "exponent": exponent });
        Some(json!({ "answer": "done", "reference": "sb_by_hand", "amount": amount }))
    };
    let path = format!("/v1/orders/{order}/resolution");
    world.ask(Role::Operator, "POST", &path, resolution(5_001, 2)).expect(422);
    world.ask(Role::Operator, "POST", &path, resolution(0, 2)).expect(422);
    let mistaken = world.ask(Role::Operator, "POST", &path, resolution(5_000, 0)).expect(422);
    assert_eq!(mistaken["errors"][0]["pointer"], "/amount/exponent");
    world.ask(Role::Operator, "POST", &path, resolution(5_000, 2)).expect(204);
    assert!(world.get(Role::Operator, "/v1/orders/stuck")["items"].as_array().unwrap().is_empty());
}
