//! The API's description in OpenAPI 3.1, made of the same table of routes as the router.

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::access::Role;
use super::problem::{Document, MEDIA_TYPE, Problem, Sort};
use super::route::{Call, Description, Permit, Route};
use super::shoppers::KEY_CHARS_MAX;
use super::tagged::Tagged;
use crate::base::interchange;

/// What `GET /openapi.json` answers in a server with these routes.
pub(super) fn described(call: &Call<'_>, routes: fn() -> Vec<Route>) -> Result<Tagged<Value>, Problem> {
    call.api.described.give(call.headers, "description", || {
        let names: Vec<&str> = call.api.providers.keys().map(String::as_str).collect();
        serde_json::to_vec(&description(&routes(), &names))
    })
}

/// The description of these routes, of a shop with these payment providers.
pub(super) fn description(routes: &[Route], providers: &[&str]) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let problem = generator.subschema_for::<Document>();
    let mut paths: Map<String, Value> = Map::new();
    for route in routes {
        let operation = operation(route, &problem, &mut generator);
        let methods = paths.entry(route.path).or_insert_with(|| json!({}));
        methods[route.method.as_str().to_ascii_lowercase()] = operation;
    }
    let problems = Sort::ALL.iter().map(|sort| {
        let entry = json!({ "title": sort.title(), "status": sort.status().as_u16() });
        (sort.slug().to_owned(), entry)
    });
    let mut schemas = generator.take_definitions(true);
    for (schema, property) in [("PaymentBody", "/properties/provider"), ("ProviderName", "")] {
        if let Some(property) = schemas.get_mut(schema).and_then(|schema| schema.pointer_mut(property)) {
            property["enum"] = json!(providers);
        }
    }
    for (name, schema) in &mut schemas {
        if let Some(described) = interchange::described(name) {
            *schema = described;
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "aisle",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The shop's HTTP API. Times are RFC 3339 in UTC, an amount of money says its currency and exponent. \
                            `x-roles` says which roles may do what; a shopper only with themselves and their own carts.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer", "bearerFormat": "aisle_…" } },
        },
        "x-problems": problems.collect::<Map<String, Value>>(),
    })
}

fn operation(route: &Route, problem: &Schema, generator: &mut SchemaGenerator) -> Value {
    let described = (route.describe)(generator);
    let parameters = parameters(route, &described);
    let mut answer = json!({ "description": route.summary });
    if !described.content.is_empty() {
        answer["content"] = content(described.content.iter().map(|(media_type, schema)| (*media_type, schema)));
    }
    let mut operation = json!({
        "operationId": route.action,
        "summary": route.summary,
        "tags": [route.action.split('.').next().unwrap_or_default()],
        "responses": {
            described.status.as_str(): answer,
            "default": {
                "description": "What is wrong with the request",
                "content": content([(MEDIA_TYPE, problem)].into_iter()),
            },
        },
    });
    if let Some((status, text)) = described.or_else {
        operation["responses"][status.as_str()] = json!({ "description": text });
    }
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if let Some(body) = &described.body {
        let media_type = route.media_type.unwrap_or("*/*");
        operation["requestBody"] = json!({ "required": true, "content": content([(media_type, body)].into_iter()) });
    }
    if let Permit::To(roles) = route.permit {
        operation["security"] = json!([{ "token": [] }]);
        operation["x-roles"] = roles.iter().copied().map(Role::as_str).collect();
    }
    operation
}

/// What stands in the path, the query and the headers.
fn parameters(route: &Route, described: &Description) -> Vec<Value> {
    let mut parameters = Vec::new();
    if let Some(name) = route.part_name() {
        parameters.push(json!({ "name": name, "in": "path", "required": true, "schema": described.part }));
    }
    let properties = described.query.get("properties").and_then(Value::as_object);
    for (name, schema) in properties.into_iter().flatten() {
        let mut schema = schema.clone();
        let text = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        present(&mut schema);
        parameters
            .push(json!({ "name": name, "in": "query", "required": false, "description": text, "schema": schema }));
    }
    for (name, required, text) in route.headers {
        // Spaces around the value of a header are no part of it.
        let pattern = "^[!-~]([ -~]*[!-~])?$";
        let schema = json!({ "type": "string", "minLength": 1, "maxLength": KEY_CHARS_MAX, "pattern": pattern });
        parameters
            .push(json!({ "name": name, "in": "header", "required": required, "description": text, "schema": schema }));
    }
    parameters
}

/// What a parameter is where it is there: there is no other way to say that it is not than to leave it out.
fn present(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else { return };
    if let Some([kind, Value::String(null)]) = fields.get("type").and_then(Value::as_array).map(Vec::as_slice)
        && null == "null"
    {
        let kind = kind.clone();
        fields.insert("type".to_owned(), kind);
    }
    if let Some([one, _]) = fields.get("anyOf").and_then(Value::as_array).map(Vec::as_slice) {
        *schema = one.clone();
    } else if fields.get("default").is_some_and(Value::is_null) {
        fields.remove("default");
    }
}

fn content<'a>(all: impl Iterator<Item = (&'a str, &'a Schema)>) -> Value {
    all.map(|(media_type, schema)| (media_type.to_owned(), json!({ "schema": schema }))).collect::<Map<_, _>>().into()
}
