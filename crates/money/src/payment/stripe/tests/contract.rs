//! Every call and every answer against Stripe's public description of its API.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::super::tests::contract_file;
use super::server::Exchange;

/// The description, with what JSON Schema says otherwise put into its words.
pub(super) struct Contract(Value);

impl Contract {
    pub(super) fn read() -> Option<Self> {
        let bytes = contract_file("stripe/openapi-v1-subset-2023-08-16.json")?;
        let mut description: Value = serde_json::from_slice(&bytes).unwrap();
        allow_null(&mut description);
        Some(Contract(description))
    }

    /// What is wrong with the fields that were sent, and with the answer that was given.
    pub(super) fn problems(&self, exchange: &Exchange) -> Vec<String> {
        let operation = self.operation(&exchange.call.method, exchange.call.path());
        let what = format!("{} {}", exchange.call.method, exchange.call.target);
        let mut problems = match exchange.call.method.as_str() {
            "POST" => {
                let schema = &operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"];
                self.validate(schema, &nested(&exchange.form, schema), &what)
            }
            _ => query_problems(operation, &exchange.call.query(), &what),
        };
        let status = exchange.status.to_string();
        let responses = &operation["responses"];
        let response = responses.get(&status).unwrap_or(&responses["default"]);
        problems.extend(self.validate(&response["content"]["application/json"]["schema"], &exchange.body, &what));
        problems
    }

    /// What is wrong with an object of a kind.
    pub(super) fn object_problems(&self, kind: &str, object: &Value) -> Vec<String> {
        self.validate(&json!({ "$ref": format!("#/components/schemas/{kind}") }), object, kind)
    }

    fn operation(&self, method: &str, path: &str) -> &Value {
        let asked: Vec<&str> = path.split('/').collect();
        let paths = self.0["paths"].as_object().unwrap();
        let fits = |template: &str| {
            let template: Vec<&str> = template.split('/').collect();
            template.len() == asked.len()
                && template.iter().zip(&asked).all(|(part, asked)| part.starts_with('{') || part == asked)
        };
        let found = paths.iter().find(|(template, _)| fits(template));
        let (_, operations) = found.unwrap_or_else(|| panic!("{path} is not described"));
        operations.get(method.to_ascii_lowercase()).unwrap_or_else(|| panic!("{method} {path} is not described"))
    }

    fn validate(&self, schema: &Value, instance: &Value, what: &str) -> Vec<String> {
        let root = json!({ "allOf": [schema], "components": self.0["components"] });
        let validator = jsonschema::draft202012::new(&root).unwrap();
        validator.iter_errors(instance).map(|error| format!("{what}: {error} at {}", error.instance_path())).collect()
    }
}

fn query_problems(operation: &Value, query: &[(String, String)], what: &str) -> Vec<String> {
    let parameters = operation["parameters"].as_array().unwrap();
    let known = |name: &str| parameters.iter().any(|parameter| parameter["name"] == name.split('[').next().unwrap());
    query.iter().filter(|(name, _)| !known(name)).map(|(name, _)| format!("{what}: no parameter `{name}`")).collect()
}

/// `nullable` of OpenAPI 3.0 in the words of JSON Schema.
fn allow_null(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(allow_null);
            if fields.remove("nullable") == Some(Value::Bool(true)) {
                let schema = Value::Object(std::mem::take(fields));
                fields.insert("anyOf".to_owned(), json!([schema, { "type": "null" }]));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(allow_null),
        _ => {}
    }
}

/// Form fields as the object that they say: `a[b]=c`, `d[]=e`, numbers and truths where the schema has them.
fn nested(form: &BTreeMap<String, String>, schema: &Value) -> Value {
    let mut object = Map::new();
    for (name, value) in form {
        if let Some(list) = name.strip_suffix("[]") {
            object.insert(list.to_owned(), json!([value]));
        } else if let Some((outer, inner)) = name.split_once('[') {
            let entry = object.entry(outer).or_insert_with(|| json!({}));
            entry[inner.trim_end_matches(']')] = json!(value);
        } else {
            let kinds = schema["properties"][name].to_string();
            let typed = match value.as_str() {
                "true" | "false" if kinds.contains("boolean") => json!(value == "true"),
                number if kinds.contains("integer") => json!(number.parse::<i64>().unwrap()),
                text => json!(text),
            };
            object.insert(name.clone(), typed);
        }
    }
    Value::Object(object)
}
