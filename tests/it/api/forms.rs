//! What the description allows is taken, and what it does not allow is not: requests are made of the description.

use aisle::api::Role;
use aisle::base::Span;
use jsonschema::Validator;
use serde_json::{Map, Value, json};

use super::{Answer, DESCRIPTION, World};

/// Statuses of a request that is refused for its form.
const FORM: [u16; 4] = [400, 413, 415, 422];
/// Texts that some pattern may want.
const TEXTS: [&str; 30] = [
    "",
    "0",
    "1.",
    "-1.a_B9",
    "9999999999999999999.cart_0",
    "2026-11-30T08:00:00.123456789Z.cart_0",
    "2026-02-31T23:59:59.000000000Z.",
    "0000-01-01T00:00:00.000000000Z.a_B9",
    "9999-12-31T23:59:59.999999999Z.a",
    "2026-13-01T00:00:00.000000000Z.a",
    "2026-11-30T08:00:00.123Z.a",
    "2026-11-30T08:00:60.000000000Z.a",
    "2026-11-30 08:00:00.000000000Z.a",
    "9999999999999999999",
    "00000000000000000000",
    "a",
    " ",
    "a b",
    "x\u{7}",
    "two\nlines",
    "\t",
    "\u{202e}abc",
    "~!#$%&'()*+,-./:;<=>?@[]^_`{|}",
    "\u{e9}\u{1f34e}",
    "\u{200b}",
    "revenue",
    "tax/\u{e9} ?",
    "tax/",
    "USD",
    "usd",
];
/// Letters that lengths are filled with.
const LETTERS: [&str; 5] = ["a", "\u{e9}", "\u{1f34e}", "~", "0"];

fn validator(schema: &Value) -> Validator {
    jsonschema::validator_for(&json!({ "allOf": [schema], "components": DESCRIPTION["components"] })).unwrap()
}

fn resolved(schema: &Value) -> &Value {
    match schema["$ref"].as_str() {
        Some(place) => resolved(DESCRIPTION.pointer(place.trim_start_matches('#')).unwrap()),
        None => schema,
    }
}

/// Values that a schema may or may not allow: those at its edges, and just beyond.
fn candidates(schema: &Value) -> Vec<Value> {
    let schema = resolved(schema);
    let mut all = vec![Value::Null, json!(true), json!(1.5), json!([]), json!({})];
    all.extend(schema.get("const").cloned());
    all.extend(schema["enum"].as_array().into_iter().flatten().cloned());
    for other in ["anyOf", "oneOf"].iter().flat_map(|key| schema[*key].as_array().into_iter().flatten()) {
        if schema["properties"].is_null() {
            all.extend(candidates(other));
        }
    }
    if let Some(items) = schema.get("items") {
        let items = validated(items);
        all.extend(items.iter().map(|item| json!([item])));
        let most = schema["maxItems"].as_u64().unwrap() as usize;
        all.extend([most, most + 1].map(|count| json!(vec![items.last().unwrap(); count])));
        all.push(json!([null]));
    }
    // A whole number may be written with a point.
    all.extend(schema["minimum"].as_f64().map(|limit| json!(limit + 2.0)));
    let limits = [&schema["minimum"], &schema["maximum"]].into_iter().filter_map(Value::as_i64);
    all.extend(
        limits.flat_map(|limit| [limit.checked_sub(1), Some(limit), limit.checked_add(1)]).flatten().map(Value::from),
    );
    all.extend(texts(schema).into_iter().map(Value::from));
    all.extend(objects(schema));
    all
}

fn texts(schema: &Value) -> Vec<String> {
    let mut all: Vec<String> = TEXTS.iter().map(|text| (*text).to_owned()).collect();
    let lengths = [&schema["minLength"], &schema["maxLength"]].into_iter().filter_map(Value::as_u64);
    for length in lengths.flat_map(|length| [length.saturating_sub(1), length, length + 1]) {
        all.extend(LETTERS.map(|letter| letter.repeat(length as usize)));
    }
    // Ids, and accounts that name one.
    let pattern = schema["pattern"].as_str().unwrap_or_default();
    for name in ["shopper", "cart", "case", "transfer", "token"] {
        let id = format!("{name}_{}", "0123456789abcdef".repeat(2));
        all.extend([id.clone(), id.to_uppercase(), format!("{id}0")].into_iter().filter(|_| pattern.contains(name)));
        all.extend(Some(format!("shopper/{id}")).filter(|_| pattern.contains("shopper/")));
    }
    all
}

/// Objects with as little and as much as there may be, each property with each of its values, and some that are too much.
fn objects(schema: &Value) -> Vec<Value> {
    let Some(properties) = schema["properties"].as_object() else { return Vec::new() };
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let values: Vec<(&String, Vec<Value>)> =
        properties.iter().map(|(name, schema)| (name, candidates(schema))).collect();
    let whole = |pick: fn(&[Value]) -> Option<&Value>, wanted: &dyn Fn(&str) -> bool| {
        let chosen = properties.iter().filter(|(name, _)| wanted(name)).filter_map(|(name, schema)| {
            let valid = validated(schema);
            Some((name.clone(), pick(&valid)?.clone()))
        });
        chosen.collect::<Map<_, _>>()
    };
    let mut bases = vec![whole(|all| all.first(), &|name| required.contains(&name))];
    bases.push(whole(|all| all.last(), &|_| true));
    // Of two that exclude each other each once.
    for left_out in properties.keys() {
        bases.push(whole(|all| all.last(), &|name| name != left_out));
    }
    let mut all: Vec<Value> = bases.iter().cloned().map(Value::Object).collect();
    // Where two exclude each other, what is wrong with one shows only beside the right others.
    let varied = if schema["oneOf"].is_array() { bases.len() } else { 2 };
    for base in &bases[..varied] {
        all.push(Value::Object(base.clone().into_iter().chain([("surplus".to_owned(), json!(1))]).collect()));
        for (name, values) in &values {
            for value in values {
                let mut other = base.clone();
                other.insert((*name).clone(), value.clone());
                all.push(Value::Object(other));
            }
        }
    }
    all
}

/// Those that it allows, null last but one so that the last says the most.
fn validated(schema: &Value) -> Vec<Value> {
    let validator = validator(schema);
    let valid: Vec<Value> = candidates(schema).into_iter().filter(|value| validator.is_valid(value)).collect();
    assert!(!valid.is_empty(), "no value is known for {schema}");
    valid
}

/// Every operation: method, path with braces, what it says.
fn operations() -> Vec<(String, &'static str, &'static Value)> {
    let paths = DESCRIPTION["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().iter();
            methods.map(move |(method, operation)| (method.to_uppercase(), path.as_str(), operation))
        })
        .collect()
}

struct Sender {
    world: World,
    sent: usize,
}

impl Sender {
    /// Sends to what is not there, so that whatever is in form is found missing; but to a shopper who is.
    fn send(&mut self, method: &str, path: &str, query: &str, body: Option<&Value>) -> Answer {
        let zeros = "0".repeat(32);
        let path = path.replace("{shopper}", &self.world.anna.to_string()).replace("{provider}", "sandbox");
        let path = ["cart", "case", "token"]
            .iter()
            .fold(path, |path, name| path.replace(&format!("{{{name}}}"), &format!("{name}_{zeros}")))
            .replace("{order}", &format!("transfer_{zeros}"));
        self.sent += 1;
        self.world.clock.on(Span::from_millis(20));
        let key = format!("key-{}", self.sent);
        let headers = [("Idempotency-Key", key.as_str())];
        self.world.ask_with(Role::Operator, method, &format!("{path}{query}"), body.cloned(), &headers)
    }
}

#[test]
fn bodies_are_taken_as_described() {
    let mut sender = Sender { world: World::new(), sent: 0 };
    let (mut taken, mut refused) = (0, 0);
    for (method, path, operation) in operations() {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        if schema.is_null() {
            continue;
        }
        let validator = validator(schema);
        for body in candidates(schema) {
            let mut body = body;
            // The description of a server names the shop's own providers.
            if let Some(provider) = body.pointer_mut("/payment/provider")
                && ["stripe", "wechat"].iter().any(|other| *provider == *other)
            {
                *provider = json!("sandbox");
            }
            let answer = sender.send(&method, path, "", Some(&body));
            let is_refused = FORM.contains(&answer.status.as_u16());
            let shown: String = body.to_string().chars().take(300).collect();
            assert_eq!(is_refused, !validator.is_valid(&body), "{method} {path} {shown}: {}", answer.text());
            if is_refused { refused += 1 } else { taken += 1 }
        }
    }
    assert!(200 < taken && 1_000 < refused, "{taken} were taken, {refused} refused");
}

#[test]
fn parameters_are_taken_as_described() {
    let mut sender = Sender { world: World::new(), sent: 0 };
    let (mut taken, mut refused) = (0, 0);
    for (method, path, operation) in operations() {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] != "query" {
                continue;
            }
            let (name, schema) = (parameter["name"].as_str().unwrap(), &parameter["schema"]);
            let validator = validator(schema);
            assert!(!validator.is_valid(&Value::Null), "{path}: {name} is left out, not null");
            for value in candidates(schema) {
                let text = match &value {
                    Value::String(text) => text.clone(),
                    Value::Number(number) => number.to_string(),
                    _ => continue,
                };
                // A number is a number only where one is wanted.
                let as_read = if schema["type"] == "integer" {
                    text.parse().map_or(json!(text), |number: i64| json!(number))
                } else {
                    json!(text)
                };
                let query: String = form_urlencoded::Serializer::new("?".to_owned()).append_pair(name, &text).finish();
                let answer = sender.send(&method, path, &query, None);
                let is_refused = answer.status == 400;
                assert_eq!(is_refused, !validator.is_valid(&as_read), "{method} {path}{query}: {}", answer.text());
                if is_refused { refused += 1 } else { taken += 1 }
            }
            // Twice is once too often, and so is a parameter that nobody knows.
            assert_eq!(sender.send(&method, path, &format!("?{name}=1&{name}=1"), None).status, 400, "{path} {name}");
        }
        if method == "GET" {
            let answer = sender.send(&method, path, "?surplus=1", None);
            assert_eq!(answer.status, 400, "{path}: {}", answer.text());
        }
    }
    assert!(60 < taken && 200 < refused, "{taken} were taken, {refused} refused");
}

#[test]
fn keys_of_repetition_are_taken_as_described() {
    let world = World::new();
    let body = json!({ "shopper": world.anna, "gate": "front" });
    let operation = &DESCRIPTION["paths"]["/v1/entries"]["post"];
    let header = operation["parameters"].as_array().unwrap().iter().find(|header| header["in"] == "header").unwrap();
    let validator = validator(&header["schema"]);
    let mut taken = 0;
    for key in texts(&header["schema"]) {
        // Spaces around it are no part of it, and what is no line is no header.
        if key.trim() != key || key.contains(|sign: char| sign.is_control() && sign != '\t') {
            continue;
        }
        let answer =
            world.ask_with(Role::Gate, "POST", "/v1/entries", Some(body.clone()), &[("Idempotency-Key", &key)]);
        assert_eq!(answer.status == 200, validator.is_valid(&json!(key)), "{key:?}: {}", answer.text());
        taken += usize::from(answer.status == 200);
    }
    assert!(5 < taken);
}
