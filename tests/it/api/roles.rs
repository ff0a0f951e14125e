//! Who may do what: the table on the page, the description, and what happens are the same.

use std::collections::BTreeMap;

use aisle::api::Role;
use aisle::base::{CaseId, TokenId, TransferId};
use aisle::till::Payer;
use serde_json::{Value, json};

use super::{DESCRIPTION, World, request};

/// Every operation: method, template, the roles that may take it; none for open ones.
fn operations() -> Vec<(String, String, Option<Vec<String>>)> {
    let mut all = Vec::new();
    for (template, methods) in DESCRIPTION["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let roles = operation["x-roles"].as_array();
            let roles = roles.map(|roles| roles.iter().map(|role| role.as_str().unwrap().to_owned()).collect());
            all.push((method.to_uppercase(), template.clone(), roles));
        }
    }
    all
}

#[test]
fn every_route_admits_those_who_may_and_nobody_else() {
    let world = World::new();
    let cart = world.enter("1");
    let receipt = world.receipt("1", [1, 0], 1.0);
    world.close(&receipt, Vec::new(), Payer::Cart(cart));
    world.settle();
    let mut tried = 0;
    for (method, template, roles) in operations() {
        let path = template
            .replace("{shopper}", &world.anna.to_string())
            .replace("{cart}", &cart.to_string())
            .replace("{case}", &CaseId::of_cart(cart, 9).to_string())
            .replace("{order}", &TransferId::of_cart(cart, "none", 9).to_string())
            .replace("{token}", &TokenId::derived(&["none"]).to_string())
            .replace("{provider}", "sandbox")
            .replace("{gate}", "front")
            .replace("{plate}", "1-1-1")
            .replace("{name}", "left");
        // A body that is well-formed and wanted by nobody, so that nothing happens behind the door.
        let body = || Some(json!({ "unknown": true })).filter(|_| method != "GET" && method != "DELETE");
        for role in Role::ALL.into_iter().map(Some).chain([None]) {
            let erases = method == "DELETE" && template.ends_with("{shopper}");
            if erases && role.is_some_and(|role| role == Role::Operator || role == Role::Shopper) {
                continue;
            }
            let secret = role.map(|role| world.secret(role));
            let status = world.send(request(&method, &path, secret, body(), &[])).status.as_u16();
            let place = format!("{method} {path} as {role:?}: {status}");
            match (&roles, role) {
                (None, _) => assert!(status != 401 && status != 403, "{place}"),
                (Some(_), None) => assert_eq!(status, 401, "{place}"),
                (Some(roles), Some(role)) if roles.contains(&role.to_string()) => {
                    assert!(status != 401 && status != 403, "{place}");
                }
                _ => assert_eq!(status, 403, "{place}"),
            }
            tried += 1;
        }
    }
    assert_eq!(tried, operations().len() * (Role::ALL.len() + 1) - 2);
}

#[test]
fn shoppers_see_their_own_only() {
    let world = World::new();
    let mine = world.enter("1");
    let body = json!({ "name": "Other", "payment": { "provider": "sandbox", "customer": "other", "token": "ok" } });
    let other = world.ask(Role::Operator, "POST", "/v1/shoppers", Some(body)).expect(201);
    let other = other["shopper"].as_str().unwrap();
    let entry = json!({ "shopper": other, "gate": "front" });
    let key = [("Idempotency-Key", "2")];
    let theirs = world.ask_with(Role::Gate, "POST", "/v1/entries", Some(entry), &key).expect(200);
    let theirs = theirs["cart"].as_str().unwrap();
    let mut seen = 0;
    for (method, template, roles) in operations() {
        // Who they are is told to everybody, of themselves.
        if !roles.is_some_and(|roles| roles.contains(&"shopper".to_owned())) || template == "/v1/me" {
            continue;
        }
        assert!(template.contains("{shopper}") || template.contains("{cart}"), "{template} names nobody's");
        for (shopper, cart) in [(other, theirs), ("nobody", "nothing"), ("%00", "%F0%9F%8D%8E")] {
            let path = template.replace("{shopper}", shopper).replace("{cart}", cart);
            let body = Some(json!({})).filter(|_| method != "GET" && method != "DELETE");
            world.ask(Role::Shopper, &method, &path, body).expect(404);
            seen += 1;
        }
    }
    assert!(20 < seen);
    world.ask(Role::Shopper, "GET", &format!("/v1/carts/{mine}"), None).expect(200);
    world.ask(Role::Operator, "GET", &format!("/v1/carts/{theirs}"), None).expect(200);
}

#[test]
fn the_page_has_the_same_table() {
    let page = include_str!("../../../docs/reference/api.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")).filter(|line| line.contains(" /"));
    let mut told: BTreeMap<String, String> = BTreeMap::new();
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let name = cells[0].trim_end_matches('`').to_owned();
        let roles = ["operator", "reviewer", "gate", "shopper", "screen"];
        let marked = roles.iter().zip(&cells[2..7]).filter(|(_, cell)| !cell.is_empty()).map(|(role, _)| *role);
        told.insert(name, marked.collect::<Vec<_>>().join(" "));
    }
    let everybody = "operator reviewer gate shopper screen";
    let done: BTreeMap<String, String> = operations()
        .into_iter()
        .map(|(method, path, roles)| {
            (format!("{method} {path}"), roles.map_or_else(|| everybody.to_owned(), |roles| roles.join(" ")))
        })
        .collect();
    assert_eq!(told, done);
}

#[test]
fn tokens_end() {
    let world = World::new();
    let short = json!({ "role": "reviewer", "holder": "for a day", "days": 1 });
    let made = world.ask(Role::Operator, "POST", "/v1/tokens", Some(short)).expect(201);
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("aisle_") && 48 < secret.len());
    let ask = || world.send(request("GET", "/v1/cases", Some(secret), None, &[])).status.as_u16();
    assert_eq!(ask(), 200);
    world.clock.on(aisle::base::Span::from_millis(86_400_000));
    assert_eq!(ask(), 401);

    let made = world.ask(Role::Operator, "POST", "/v1/tokens", Some(json!({ "role": "gate", "holder": "back" })));
    let made = made.expect(201);
    let path = format!("/v1/tokens/{}", made["token"].as_str().unwrap());
    world.ask(Role::Operator, "DELETE", &path, None).expect(204);
    world.ask(Role::Operator, "DELETE", &path, None).expect(404);
    let gone = world.send(request("GET", "/v1/cases", made["secret"].as_str(), None, &[]));
    assert_eq!((gone.status.as_u16(), gone.header("WWW-Authenticate")), (401, "Bearer realm=\"aisle\""));
    let listed = world.get(Role::Operator, "/v1/tokens");
    assert_eq!(listed["items"].as_array().unwrap().len(), Role::ALL.len() + 2);
    assert!(!listed.to_string().contains("aisle_"), "secrets are nowhere");
}

#[test]
fn a_role_has_what_belongs_to_it() {
    let world = World::new();
    let shopper = Value::from(world.anna.to_string());
    let nobody = json!(aisle::base::ShopperId::derived(&["nobody"]));
    let wrong = [
        json!({ "role": "shopper" }),
        json!({ "role": "shopper", "holder": "Anna", "shopper": shopper }),
        json!({ "role": "gate" }),
        json!({ "role": "gate", "holder": "front", "shopper": shopper }),
        json!({ "role": "gate", "holder": " " }),
        json!({ "role": "gate", "holder": "a\nb" }),
        json!({ "role": "gate", "holder": "a", "days": 0 }),
        json!({ "role": "gate", "holder": "a", "days": 3651 }),
        json!({ "role": "king", "holder": "a" }),
    ];
    for body in wrong {
        world.ask(Role::Operator, "POST", "/v1/tokens", Some(body)).expect(422);
    }
    world.ask(Role::Operator, "POST", "/v1/tokens", Some(json!({ "role": "shopper", "shopper": nobody }))).expect(404);
}
