//! Passes: what a gate hands to whoever it lets in, what that opens, and what it never does.

use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpStream;

use aisle::api::{GateRole, GateRule, Role};
use aisle::base::limits::{LIVE_OF_STAY_MAX, WRONG_TOKENS_BURST};
use aisle::base::{CartId, Prob, Quantity, Span};
use aisle::facts::{OpenLine, OpenVisit};
use aisle::ports::{Clock as _, LiveBoard, LiveChange};
use aisle::till::{Payer, Progress};
use serde_json::{Value, json};

use super::wire::Open;
use super::{Answer, DESCRIPTION, NOON, World, check_told, request, validate};

const DAY: Span = Span::from_millis(24 * 3_600_000);

/// A shop that is open, as far as its board goes.
fn world() -> (World, LiveBoard) {
    let board = LiveBoard::default();
    let rule = |name: &str, role| GateRule { name: name.to_owned(), role, opens_offline: false };
    let rules = vec![rule("front", GateRole::Entrance), rule("desk", GateRole::Terminal)];
    (World::with(|api, _| api.with_live(board.clone()).with_gates(rules)), board)
}

/// Somebody who came in: their cart, the secret of their link, and their code.
struct Guest {
    cart: String,
    link: String,
    code: String,
}

fn guest(entry: &Value) -> Guest {
    assert_eq!(entry["door"], "open", "{entry}");
    let link = entry["pass"]["link"].as_str().unwrap().strip_prefix("/visit#").unwrap().to_owned();
    let code = entry["pass"]["code"].as_str().unwrap().to_owned();
    Guest { cart: entry["cart"].as_str().unwrap().to_owned(), link, code }
}

/// Enrols somebody; gives who that is.
fn enrol(world: &World, name: &str) -> String {
    let body = json!({ "name": name, "payment": { "provider": "sandbox", "customer": name, "token": "ok" } });
    let shopper = world.ask(Role::Operator, "POST", "/v1/shoppers", Some(body)).expect(201);
    shopper["shopper"].as_str().unwrap().to_owned()
}

fn entry(world: &World, shopper: &str, key: &str) -> Value {
    let body = json!({ "shopper": shopper, "gate": "front", "people": 2 });
    world.ask_with(Role::Gate, "POST", "/v1/entries", Some(body), &[("Idempotency-Key", key)]).expect(200)
}

fn with(world: &World, secret: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
    world.send(request(method, path, Some(secret), body, &[]))
}

fn get(world: &World, secret: &str, path: &str) -> Value {
    with(world, secret, "GET", path, None).expect(200)
}

/// Somebody inside with units of one of the first two products.
fn inside(world: &World, visit: &str, (product, units): (usize, u32), sure: f64) -> OpenVisit {
    let line = OpenLine {
        sku: world.skus()[product].clone(),
        quantity: Quantity::new(units),
        probability: Prob::new(sure),
        events: Vec::new(),
        causes: Vec::new(),
    };
    OpenVisit {
        visit: visit.parse().unwrap(),
        entered: NOON,
        seen: NOON,
        place: None,
        lines: vec![line],
        probability: Prob::new(sure),
        interrupted: false,
    }
}

/// The engine writes who is inside, each with the cart that pays.
fn keep(world: &World, open: &[(OpenVisit, &str)]) {
    let open: Vec<(OpenVisit, Option<CartId>)> =
        open.iter().map(|(visit, cart)| (visit.clone(), Some(cart.parse().unwrap()))).collect();
    let progress = Progress { closings: &[], open: &open, expired: &[], checkpoint: b"x", at: world.clock.now() };
    world.till().advance(&progress).unwrap();
}

fn leave(world: &World, cart: &str, visit: &str, units: [u32; 2], sure: f64) {
    let receipt = world.receipt(visit, units, sure);
    world.close(&receipt, Vec::new(), Payer::Cart(cart.parse().unwrap()));
    world.settle();
}

#[test]
fn who_is_let_in_gets_a_pass_to_their_own_stay() {
    let (world, _) = world();
    let shopper = enrol(&world, "Ben");
    let entered = entry(&world, &shopper, "1");
    assert_eq!(entry(&world, &shopper, "1"), entered, "a repeated request gets the same");
    let Guest { cart, link, code } = guest(&entered);
    assert!(link.starts_with("aisle_pass_") && 50 < link.len());
    assert_eq!((code.len(), code.chars().position(|sign| sign == '-')), (9, Some(4)));

    let me = get(&world, &link, "/v1/me");
    assert_eq!((&me["role"], &me["pass"], &me["cart"]), (&json!("shopper"), &json!("link"), &json!(cart)));
    assert_eq!((&me["shopper"], &me["ends_at"]), (&json!(shopper), &json!(null)));
    // However the code is typed.
    let small = code.to_lowercase().replace('-', " ");
    for typed in [code.as_str(), &small, &code.replace('-', "")] {
        let me = get(&world, typed, "/v1/me");
        assert_eq!((&me["pass"], &me["cart"], &me["shopper"]), (&json!("code"), &json!(cart), &json!(null)));
        assert_eq!(me["ends_at"], "2025-06-16T15:06:40.000Z", "a day after the entry");
        assert!(!me["may"].as_array().unwrap().contains(&json!("shopper.erase")), "{me}");
    }
    let visit = get(&world, &link, &format!("/v1/carts/{cart}/visit"));
    assert_eq!((&visit["cart"], &visit["people"][0]["state"]), (&json!(cart), &json!("open")));
    assert_eq!(visit, get(&world, &code, &format!("/v1/carts/{cart}/visit")));

    // A terminal gives one to a walk-in, and nobody who works here needs one.
    let body = json!({ "payment": { "provider": "sandbox", "customer": "walk-in", "token": "ok" } });
    let path = "/v1/gates/desk/visits";
    let begun = world.ask_with(Role::Gate, "POST", path, Some(body), &[("Idempotency-Key", "2")]).expect(200);
    assert_ne!(guest(&begun).link, link);
    let made = json!({ "role": "staff", "holder": "Eva" });
    let badge = world.ask(Role::Operator, "POST", "/v1/tokens", Some(made)).expect(201);
    let body = json!({ "gate_token": badge["secret"], "gate": "front" });
    let staff = world.ask_with(Role::Gate, "POST", "/v1/entries", Some(body), &[("Idempotency-Key", "3")]).expect(200);
    assert_eq!((&staff["door"], &staff["pass"]), (&json!("open"), &json!(null)));
    let body = json!({ "gate_token": "nobody-has-this-code", "gate": "front" });
    let shut = world.ask_with(Role::Gate, "POST", "/v1/entries", Some(body), &[("Idempotency-Key", "4")]).expect(200);
    assert_eq!((&shut["door"], &shut["pass"]), (&json!("shut"), &json!(null)));

    // Secrets are in no list, and in no row of the book.
    for path in ["/v1/audit?limit=200", "/v1/tokens", "/v1/carts", "/metrics"] {
        let told = world.ask(Role::Operator, "GET", path, None).text();
        assert!(!told.contains(&link) && !told.contains(&code), "{path}");
    }
    assert!(
        world.ask(Role::Operator, "GET", "/metrics", None).text().contains("aisle_passes_total{outcome=\"given\"} 3\n")
    );
    let digests = world.till().with(|session| session.query("SELECT digest FROM passes", &[])).unwrap();
    assert_eq!(digests.len(), 4, "a link and a code of two stays; a repetition makes no more");
    assert!(digests.iter().all(|row| row.text(0).unwrap().len() == 64));
}

#[test]
fn a_pass_opens_nothing_else() {
    let (world, _) = world();
    let (ben, cleo) = (enrol(&world, "Ben"), enrol(&world, "Cleo"));
    let (mine, theirs) = (guest(&entry(&world, &ben, "1")), guest(&entry(&world, &cleo, "2")));
    leave(&world, &mine.cart, "1", [1, 0], 1.0);
    leave(&world, &theirs.cart, "2", [0, 1], 1.0);
    let open =
        ["GET /v1/me", "GET /v1/carts/{cart}/visit", "GET /v1/receipts/{cart}", "POST /v1/receipts/{cart}/contest"];
    let live = "GET /v1/carts/{cart}/live";
    let payers = ["GET /v1/shoppers/{shopper}/export", "DELETE /v1/shoppers/{shopper}"];
    let mut refused = 0;
    for (template, methods) in DESCRIPTION["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let name = format!("{} {template}", method.to_uppercase());
            if operation["x-roles"].is_null() {
                continue;
            }
            let body = || Some(json!({ "words": "" })).filter(|_| method != "get" && method != "delete");
            let path = |shopper: &str, cart: &str| {
                let path = template.replace("{shopper}", shopper).replace("{cart}", cart).replace("{name}", "x");
                path.replace("{gate}", "front")
                    .replace("{plate}", "1-1-1")
                    .replace("{case}", "x")
                    .replace("{order}", "x")
                    .replace("{token}", "x")
            };
            let ask = |secret: &str, path: &str| {
                // Slowly, so that nothing is refused because it comes too often.
                world.clock.on(Span::from_millis(20));
                with(&world, secret, &method.to_uppercase(), path, body()).status.as_u16()
            };
            if open.contains(&name.as_str()) || name == live || payers.contains(&name.as_str()) {
                if template.contains('{') {
                    for secret in [&mine.link, &mine.code] {
                        let status = ask(secret, &path(&cleo, &theirs.cart));
                        let is_payers = payers.contains(&name.as_str()) && secret == &mine.code;
                        assert_eq!(status, if is_payers { 403 } else { 404 }, "{name}");
                        refused += 1;
                    }
                }
                continue;
            }
            for secret in [&mine.link, &mine.code] {
                assert_eq!(ask(secret, &path(&ben, &mine.cart)), 403, "{name}");
                refused += 1;
            }
        }
    }
    assert!(80 < refused, "{refused}");
    for secret in [&mine.link, &mine.code] {
        let receipt = with(&world, secret, "GET", &format!("/v1/receipts/{}?form=text", mine.cart), None);
        assert_eq!(receipt.status, 200);
    }
    // The code is seen by others: it neither exports nor erases.
    let of_ben = format!("/v1/shoppers/{ben}");
    with(&world, &mine.code, "GET", &format!("{of_ben}/export"), None).expect(403);
    with(&world, &mine.code, "DELETE", &of_ben, None).expect(403);
    let export = get(&world, &mine.link, &format!("{of_ben}/export"));
    assert_eq!(export["carts"][0]["cart"], json!(mine.cart));
    let audit = world.get(Role::Operator, "/v1/audit?limit=1");
    assert_eq!(
        (&audit["items"][0]["who"], &audit["items"][0]["action"]),
        (&json!(format!("{} by link", mine.cart)), &json!("shopper.export"))
    );
}

#[test]
fn a_pass_ends_when_its_receipt_can_be_contested_no_more() {
    let (world, _) = world();
    let shopper = enrol(&world, "Ben");
    let Guest { cart, link, code } = guest(&entry(&world, &shopper, "1"));
    let is_open = |secret: &str| match with(&world, secret, "GET", "/v1/me", None).status.as_u16() {
        200 => true,
        401 => false,
        status => panic!("{status}"),
    };
    world.clock.on(DAY);
    assert!(is_open(&link) && !is_open(&code), "who stays longer than a day has the link");
    leave(&world, &cart, "1", [1, 0], 1.0);
    let contest = world.till().shop().policy().payment.contest_max;
    assert!(DAY < contest);
    world.clock.on(contest - Span::from_millis(1));
    assert!(is_open(&link));
    let ends_at = get(&world, &link, "/v1/me")["ends_at"].clone();
    assert_eq!(ends_at, get(&world, &link, &format!("/v1/carts/{cart}/visit"))["people"][0]["contest_until"]);
    world.clock.on(Span::from_millis(1));
    assert!(!is_open(&link));
    // What is forgotten later are the digests.
    let forgotten = |world: &World| world.till().forget(world.clock.now()).unwrap().passes;
    assert_eq!(forgotten(&world), 0);
    world.clock.on(contest + DAY * 40);
    assert_eq!((forgotten(&world), forgotten(&world)), (2, 0));

    // One whose receipt waits for a person has no end yet.
    let Guest { cart, link, .. } = guest(&entry(&world, &shopper, "2"));
    leave(&world, &cart, "2", [1, 0], 0.4);
    world.clock.on(contest * 3);
    assert!(is_open(&link));
}

#[test]
fn whose_data_are_erased_has_no_pass_any_more() {
    let (world, _) = world();
    let shopper = enrol(&world, "Ben");
    let Guest { cart, link, code } = guest(&entry(&world, &shopper, "1"));
    let path = format!("/v1/shoppers/{shopper}");
    with(&world, &link, "DELETE", &path, None).expect(409);
    leave(&world, &cart, "1", [1, 0], 1.0);
    with(&world, &link, "DELETE", &path, None).expect(204);
    for secret in [&link, &code] {
        with(&world, secret, "GET", &format!("/v1/carts/{cart}/visit"), None).expect(401);
    }
    assert_eq!(world.get(Role::Operator, &path)["name"], json!(null));
    world.get(Role::Operator, &format!("/v1/receipts/{cart}"));
}

#[test]
fn who_came_in_together_is_one_stay_which_somebody_pays_for() {
    let (world, board) = world();
    let (ben, cleo) = (enrol(&world, "Ben"), enrol(&world, "Cleo"));
    let (host, other) = (guest(&entry(&world, &ben, "1")), guest(&entry(&world, &cleo, "2")));
    let path = format!("/v1/carts/{}/visit", host.cart);
    let visits = [("1", 0, 1, 0.99), ("2", 1, 2, 0.6), ("3", 1, 7, 0.99)]
        .map(|(visit, product, units, sure)| inside(&world, visit, (product, units), sure));
    let [one, two, three] = visits;
    keep(&world, &[(one.clone(), &host.cart), (two.clone(), &host.cart), (three.clone(), &other.cart)]);
    board.publish(LiveChange::Carts { at: NOON, visits: vec![three, two, one] });

    let seen = get(&world, &host.code, &path);
    let people = seen["people"].as_array().unwrap();
    assert_eq!(people.len(), 2, "{seen}");
    assert_eq!((&people[0]["cart"], &people[0]["lines"][0]["certainty"]), (&json!(host.cart), &json!("sure")));
    let second = &people[1];
    assert_eq!((&second["lines"][0]["quantity"], &second["lines"][0]["certainty"]), (&json!(2), &json!("unsure")));
    assert_eq!(second["doubts"], json!([{ "doubt": "count", "sku": world.skus()[1] }]));
    let price = |line: &Value| line["amount"]["minor"].as_i64().unwrap();
    let sum = price(&people[0]["lines"][0]) + price(&second["lines"][0]);
    assert_eq!(seen["total"]["minor"], json!(sum));
    // Of whom they do not know there is nothing in it, and nothing to be had.
    let text = seen.to_string();
    assert!(!text.contains(&other.cart) && !text.contains(&cleo) && !text.contains("\"quantity\":7"), "{text}");
    assert!(!text.contains(&ben), "nor who pays");

    // The receipts of both, and that the one who pays may see them: by link, by code, and with their own token.
    let guest_cart = second["cart"].as_str().unwrap().to_owned();
    leave(&world, &host.cart, "1", [1, 0], 1.0);
    world.clock.on(Span::from_millis(1_000));
    // As the engine knows the visit: by when it began.
    let receipt = aisle::facts::Receipt { entered: NOON, ..world.receipt("2", [0, 2], 1.0) };
    world.close(&receipt, Vec::new(), Payer::Cart(host.cart.parse().unwrap()));
    world.settle();
    let made = json!({ "role": "shopper", "shopper": ben });
    let token = world.ask(Role::Operator, "POST", "/v1/tokens", Some(made)).expect(201);
    for secret in [host.link.as_str(), &host.code, token["secret"].as_str().unwrap()] {
        let seen = get(&world, secret, &path);
        let standings: Vec<&Value> =
            seen["people"].as_array().unwrap().iter().map(|guest| &guest["standing"]).collect();
        assert_eq!(standings, [&json!("paid"), &json!("paid")], "{seen}");
        get(&world, secret, &format!("/v1/receipts/{guest_cart}"));
        with(&world, secret, "GET", &format!("/v1/receipts/{}", other.cart), None).expect(404);
    }
    // A guest may say that their line is wrong, and erases nobody.
    let contest = format!("/v1/receipts/{guest_cart}/contest");
    let body = json!({ "words": "", "skus": [world.skus()[1]] });
    with(&world, &host.code, "POST", &contest, Some(body)).expect(201);
    let seen = get(&world, &host.link, &path);
    assert_eq!(seen["people"][1]["contests"][0]["skus"], json!([world.skus()[1]]));
    assert_eq!(seen["people"][0]["contests"], json!([]));
    with(&world, &host.code, "DELETE", &format!("/v1/shoppers/{ben}"), None).expect(403);
}

#[test]
fn a_cart_is_shown_as_soon_as_it_is_likely_whose_it_is() {
    let (world, board) = world();
    let (ben, cleo) = (enrol(&world, "Ben"), enrol(&world, "Cleo"));
    let (mine, theirs) = (guest(&entry(&world, &ben, "1")), guest(&entry(&world, &cleo, "2")));
    let path = format!("/v1/carts/{}/visit", mine.cart);
    let visits = [("1", 0, 1), ("2", 1, 2), ("3", 1, 7), ("4", 0, 9)]
        .map(|(visit, product, units)| inside(&world, visit, (product, units), 0.99));
    let cart = |guest: &Guest| guest.cart.parse::<CartId>().unwrap();
    let name = |visit: &str| visit.parse().unwrap();
    board.publish(LiveChange::Carts { at: NOON, visits: visits.to_vec() });
    let quantities = || -> Vec<Value> {
        let seen = get(&world, &mine.link, &path);
        seen["people"].as_array().unwrap().iter().map(|guest| guest["lines"][0]["quantity"].clone()).collect()
    };
    assert_eq!(quantities(), [json!(null)], "of the first three nobody knows anything, of the fourth neither");
    // Two of them probably came in with me, one with somebody else; of the last nothing is likely.
    board.suppose([(name("1"), cart(&mine)), (name("2"), cart(&mine)), (name("3"), cart(&theirs))].into());
    assert_eq!(quantities(), [json!(1), json!(2)]);
    let guest_cart = get(&world, &mine.link, &path)["people"][1]["cart"].clone();
    // What is decided is no supposition any more, and the guest is who they were.
    keep(&world, &[(visits[0].clone(), &mine.cart), (visits[1].clone(), &mine.cart)]);
    board.suppose([(name("2"), cart(&mine)), (name("3"), cart(&theirs))].into());
    assert_eq!(quantities(), [json!(1), json!(2)]);
    assert_eq!(get(&world, &mine.link, &path)["people"][1]["cart"], guest_cart);
    assert_eq!(get(&world, &theirs.link, &format!("/v1/carts/{}/visit", theirs.cart))["total"]["minor"], {
        let sum = aisle::till::sum_so_far(world.till().shop(), &visits[2]).unwrap();
        json!(sum.minor)
    });
}

#[test]
fn what_else_is_wrong_is_added_to_the_case_that_waits() {
    let (world, _) = world();
    let shopper = enrol(&world, "Ben");
    let Guest { cart, link, .. } = guest(&entry(&world, &shopper, "1"));
    leave(&world, &cart, "1", [1, 2], 1.0);
    let [first, second] = world.skus();
    let say = |words: &str, skus: &[&aisle::base::SkuId]| {
        let body = json!({ "words": words, "skus": skus });
        with(&world, &link, "POST", &format!("/v1/receipts/{cart}/contest"), Some(body)).expect(201)
    };
    let case = say("", &[&first]);
    assert_eq!(say("", &[&first]), case, "the same again");
    let more = say("put back", &[&second]);
    assert_eq!(more["id"], case["id"]);
    assert_eq!(more["concerns"], json!([{ "concern": "contested", "words": "put back", "skus": [first, second] }]));
    assert_eq!(say("put back", &[&second]), more);
    let whole = say("all of it", &[]);
    assert_eq!(whole["concerns"], json!([{ "concern": "contested", "words": "put back\nall of it", "skus": [] }]));
    assert_eq!(say("", &[&first]), whole, "who means everything means each line");
    let told = world.get(Role::Reviewer, &format!("/v1/cases/{}", case["id"].as_str().unwrap()));
    assert_eq!(told["case"]["concerns"], whole["concerns"], "{told}");

    let verdict = format!("/v1/cases/{}/verdict", case["id"].as_str().unwrap());
    let body = json!({ "decision": "change", "lines": [{ "sku": first, "quantity": 1 }], "note": "" });
    world.ask(Role::Reviewer, "POST", &verdict, Some(body)).expect(200);
    let seen = get(&world, &link, &format!("/v1/carts/{cart}/visit"));
    let person = &seen["people"][0];
    assert_eq!((&person["contests"][0]["outcome"], &person["receipt"]), (&json!("changed"), &json!(2)));
    assert_eq!(person["lines"].as_array().unwrap().len(), 1);
}

#[test]
fn a_receipt_that_waits_says_what_is_in_doubt() {
    let (world, _) = world();
    let shopper = enrol(&world, "Ben");
    let Guest { cart, link, .. } = guest(&entry(&world, &shopper, "1"));
    let mut receipt = world.receipt("1", [1, 1], 0.5);
    receipt.lines[1].probability = Prob::new(0.5);
    receipt.interrupted = Some("a camera was away".to_owned());
    world.close(&receipt, Vec::new(), Payer::Cart(cart.parse().unwrap()));
    let seen = get(&world, &link, &format!("/v1/carts/{cart}/visit"));
    let person = &seen["people"][0];
    assert_eq!((&person["state"], &person["standing"]), (&json!("review"), &json!("review")));
    assert_eq!(person["doubts"], json!([{ "doubt": "count", "sku": receipt.lines[1].sku }, { "doubt": "unseen" }]));
    assert_eq!(person["money"]["paid"]["minor"], 0, "nobody pays for a doubt");
    assert!(person["money"]["held"]["minor"].as_i64().is_some_and(|held| 0 < held), "{person}");
}

#[test]
fn codes_are_not_to_be_guessed() {
    let (world, _) = world();
    let shopper = enrol(&world, "Ben");
    let Guest { link, code, .. } = guest(&entry(&world, &shopper, "1"));
    get(&world, &link, "/v1/me");
    let guess = |number: u32| with(&world, &format!("0000-{number:04}"), "GET", "/v1/me", None).status.as_u16();
    let statuses: Vec<u16> = (0..WRONG_TOKENS_BURST + 1).map(guess).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), WRONG_TOKENS_BURST as usize);
    assert_eq!(statuses.last(), Some(&429));
    // Nor is the right one found among them; whoever was in before goes on.
    assert_eq!(with(&world, &code, "GET", "/v1/me", None).status.as_u16(), 429);
    get(&world, &link, "/v1/me");
}

#[test]
fn everybody_learns_who_they_are() {
    let (world, _) = world();
    for role in [Role::Operator, Role::Reviewer, Role::Gate, Role::Shopper, Role::Screen] {
        let me = world.get(role, "/v1/me");
        assert_eq!((&me["role"], &me["pass"]), (&json!(role.to_string()), &json!(null)));
        let may: Vec<&str> = me["may"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        assert_eq!(may.contains(&"ledger.balances"), role == Role::Operator);
        assert_eq!(may.contains(&"live.watch"), matches!(role, Role::Operator | Role::Screen));
        assert_eq!(may.contains(&"receipt.list"), matches!(role, Role::Operator | Role::Shopper));
        assert!(!may.contains(&"page.read"), "what is open to everybody is no right");
    }
    assert_eq!(world.get(Role::Shopper, "/v1/me")["cart"], json!(null));
    let cart = world.enter("1");
    assert_eq!(world.get(Role::Shopper, "/v1/me")["cart"], json!(cart));
    for role in [Role::Staff, Role::Restock] {
        world.ask(role, "GET", "/v1/me", None).expect(403);
    }
}

/// Somebody who follows a stay.
struct Follower(BufReader<TcpStream>);

impl Follower {
    fn begin(open: &Open, secret: &str, cart: &str) -> Self {
        let mut stream = open.connect();
        let request =
            format!("GET /v1/carts/{cart}/live HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        Follower(BufReader::new(stream))
    }

    fn status(&mut self) -> u16 {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// The next event, as text; none where the stream has ended.
    fn event(&mut self) -> Option<String> {
        let mut event = String::new();
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            if let Some(kind) = line.strip_prefix("event: ") {
                assert_eq!(kind.trim(), "visit", "nothing else is ever told");
            }
            if let Some(data) = line.strip_prefix("data: ") {
                event = data.trim().to_owned();
            }
            if line.trim().is_empty() && !event.is_empty() {
                let value: Value = serde_json::from_str(&event).unwrap();
                let media = &DESCRIPTION["paths"]["/v1/carts/{cart}/live"]["get"]["responses"]["200"]["content"];
                let schema = &media["text/event-stream"]["schema"]["x-events"]["visit"];
                validate("a stay", schema, &value, &event);
                check_told(&value, &event);
                return Some(event);
            }
        }
    }

    /// Reads until an event says this.
    fn until(&mut self, is_it: impl Fn(&Value) -> bool) -> Vec<String> {
        let mut read = Vec::new();
        loop {
            let event = self.event().expect("the stream goes on");
            let value = serde_json::from_str(&event).unwrap();
            read.push(event);
            if is_it(&value) {
                return read;
            }
        }
    }
}

#[test]
fn a_stream_tells_of_one_stay_and_of_nobody_else() {
    let (world, board) = world();
    let (ben, cleo) = (enrol(&world, "Ben"), enrol(&world, "Cleo"));
    let (mine, theirs) = (guest(&entry(&world, &ben, "1")), guest(&entry(&world, &cleo, "2")));
    let publish = |world: &World, my_units: u32, their_units: u32| {
        let mut visits =
            vec![inside(world, "77001", (0, my_units), 0.99), inside(world, "77002", (1, their_units), 0.99)];
        visits.retain(|visit| visit.lines.iter().all(|line| 0 < line.quantity.get()));
        board.publish(LiveChange::Carts { at: NOON, visits });
    };
    let [_, their_sku] = world.skus();
    keep(
        &world,
        &[(inside(&world, "77001", (0, 1), 0.99), &mine.cart), (inside(&world, "77002", (1, 4), 0.99), &theirs.cart)],
    );
    publish(&world, 1, 4);
    let open = Open::of(world);
    let world = &open.world;
    let mut stream = Follower::begin(&open, &mine.link, &mine.cart);
    let quantity = |value: &Value| value["people"][0]["lines"][0]["quantity"].as_u64().unwrap_or(0);
    let mut heard = stream.until(|value| quantity(value) == 1);
    // What others do is no news.
    for units in 5..8 {
        publish(world, 1, units);
    }
    publish(world, 2, 9);
    heard.extend(stream.until(|value| quantity(value) == 2));
    assert_eq!(heard.len(), 2, "one event for each that is mine: {heard:?}");

    // I am shown no more: what I have stays until the receipt comes, and then that it is paid.
    publish(world, 0, 9);
    leave(world, &mine.cart, "77001", [2, 0], 1.0);
    publish(world, 0, 9);
    heard.extend(stream.until(|value| value["people"][0]["standing"] == "paid"));
    let goods = |event: &String| quantity(&serde_json::from_str(event).unwrap());
    assert!(heard.iter().all(|event| 0 < goods(event)), "{heard:?}");
    for event in &heard {
        for secret in [theirs.cart.as_str(), &cleo, &ben, "77002", their_sku.as_str(), "Cleo", "place"] {
            assert!(!event.contains(secret), "{secret} in {event}");
        }
    }
    // Whose data are erased is told nothing more.
    with(world, &mine.link, "DELETE", &format!("/v1/shoppers/{ben}"), None).expect(204);
    world.clock.on(Span::from_millis(60_000));
    publish(world, 0, 10);
    while stream.event().is_some() {}
    assert_eq!(Follower::begin(&open, &mine.link, &mine.cart).status(), 401);
    assert_eq!(Follower::begin(&open, &theirs.link, &mine.cart).status(), 404);
}

#[test]
fn phones_take_no_place_of_anybody_else() {
    let (world, _) = world();
    let shopper = enrol(&world, "Ben");
    let guests: Vec<Guest> = (0..9)
        .map(|key: u32| {
            world.clock.on(Span::from_millis(1_000));
            guest(&entry(&world, &shopper, &key.to_string()))
        })
        .collect();
    let open = Open::of(world);
    let begin = |guest: &Guest| {
        let mut stream = Follower::begin(&open, &guest.link, &guest.cart);
        (stream.status(), stream)
    };
    let mut streams = Vec::new();
    for guest in &guests[..8] {
        for _ in 0..LIVE_OF_STAY_MAX {
            let (status, mut stream) = begin(guest);
            assert_eq!(status, 200);
            assert!(stream.event().is_some());
            streams.push(stream);
        }
        assert_eq!(begin(guest).0, 503, "so many of one stay");
    }
    assert_eq!(begin(&guests[8]).0, 503, "so many of all");
    let full = format!("aisle_live_streams{{class=\"shoppers\"}} {}\n", streams.len());
    assert!(open.world.ask(Role::Operator, "GET", "/metrics", None).text().contains(&full));
    // They can ask, and operators can look.
    get(&open.world, &guests[8].link, &format!("/v1/carts/{}/visit", guests[8].cart));
    let mut stream = open.connect();
    let secret = open.world.secret(Role::Operator);
    let head = format!("GET /v1/live HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    assert_eq!(Follower(BufReader::new(stream)).status(), 200);
}

#[test]
fn the_page_is_there_for_everybody() {
    let world = World::new();
    let page = world.send(request("GET", "/visit", None, None, &[]));
    assert_eq!((page.status.as_u16(), page.header("Referrer-Policy")), (200, "no-referrer"));
    assert!(page.header("Content-Security-Policy").contains("script-src 'self'"));
    for name in page.text().split("\"assets/").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()) {
        assert_eq!(world.send(request("GET", &format!("/assets/{name}"), None, None, &[])).status, 200, "{name}");
    }
    assert_eq!(world.send(request("GET", "/assets/visit.html", None, None, &[])).status, 404);
}
