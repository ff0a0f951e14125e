//! The API's description in OpenAPI 3.1, made of the same table of routes as the router.

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::access::Role;
use super::problem::{Document, MEDIA_TYPE, Problem, Sort};
use super::reply::{Json, Nothing};
use super::route::{Call, Description, Permit, Route};
use super::routes;

/// `GET /openapi.json`
pub(super) fn get(_: &Call<'_>, _: Nothing, _: Nothing, _: Nothing) -> Result<Json<Value>, Problem> {
    Ok(Json(description()))
}

/// The description of every route.
pub fn description() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let problem = generator.subschema_for::<Document>();
    let mut paths: Map<String, Value> = Map::new();
    for route in routes::all() {
        let operation = operation(&route, &problem, &mut generator);
        let methods = paths.entry(route.path).or_insert_with(|| json!({}));
        methods[route.method.as_str().to_ascii_lowercase()] = operation;
    }
    let problems = Sort::ALL.iter().map(|sort| {
        let entry = json!({ "title": sort.title(), "status": sort.status().as_u16() });
        (sort.slug().to_owned(), entry)
    });
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "aisle",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The shop's HTTP API. Times are nanoseconds since the Unix epoch, money is minor units. \
                            `x-roles` says which roles may do what; a shopper only with themselves and their own carts.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
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
        parameters
            .push(json!({ "name": name, "in": "query", "required": false, "description": text, "schema": schema }));
    }
    for (name, required, text) in route.headers {
        let schema = json!({ "type": "string" });
        parameters
            .push(json!({ "name": name, "in": "header", "required": required, "description": text, "schema": schema }));
    }
    parameters
}

fn content<'a>(all: impl Iterator<Item = (&'a str, &'a Schema)>) -> Value {
    all.map(|(media_type, schema)| (media_type.to_owned(), json!({ "schema": schema }))).collect::<Map<_, _>>().into()
}
