//! Facts as JSON, and the schemas of that JSON.

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::picture;
use crate::base::json::fault;
use crate::facts::{Body, EachBody, EachKind, Fact, Said, Stamp, Topic};
use crate::shop::ShopDraft;
use crate::truth::{FrameTruth, SceneTruth, Truth};

/// A fact on its way out.
#[derive(Serialize)]
struct Outgoing<'a, T> {
    stamp: &'a Stamp,
    body: &'a T,
}

/// A fact on its way in; also what the schemas are made from.
#[derive(Deserialize, JsonSchema)]
struct Incoming<T> {
    /// Who said it, in what order, when it was true, when it arrived.
    stamp: Stamp,
    /// What was said.
    body: T,
}

/// JSON Schemas of all topics, in the order of [`Topic::ALL`].
static TOPICS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let schema = |topic: &Topic| match topic {
        Topic::Frame => text(&schemars::schema_for!(picture::Incoming<'_>)),
        _ => topic.with(SchemaText),
    };
    Topic::ALL.iter().map(schema).collect()
});
static SHOP: LazyLock<String> = LazyLock::new(|| text(&schemars::schema_for!(ShopDraft)));
static TRUTH: LazyLock<String> = LazyLock::new(|| text(&schemars::schema_for!(Truth)));
static FRAME_TRUTH: LazyLock<String> = LazyLock::new(|| text(&schemars::schema_for!(FrameTruth)));
static SCENE_TRUTH: LazyLock<String> = LazyLock::new(|| text(&schemars::schema_for!(SceneTruth)));

fn text(schema: &schemars::Schema) -> String {
    schema.as_value().to_string()
}

struct SchemaText;

impl EachKind for SchemaText {
    type Out = String;

    fn with<T: Said>(self, _: fn(T) -> Body) -> String {
        text(&schemars::schema_for!(Incoming<T>))
    }
}

/// Name and JSON Schema of a topic's messages.
pub(super) fn topic_schema(topic: Topic) -> (&'static str, &'static str) {
    (topic.schema(), &TOPICS[topic as usize])
}

/// Name and JSON Schema of the shop.
pub(super) fn shop_schema() -> (&'static str, &'static str) {
    ("aisle.Shop", &SHOP)
}

/// Name and JSON Schema of the truth.
pub(super) fn truth_schema() -> (&'static str, &'static str) {
    ("aisle.Truth", &TRUTH)
}

/// Name and JSON Schema of what frames really show.
pub(super) fn frame_truth_schema() -> (&'static str, &'static str) {
    ("aisle.FrameTruth", &FRAME_TRUTH)
}

/// Name and JSON Schema of where everybody really was.
pub(super) fn scene_truth_schema() -> (&'static str, &'static str) {
    ("aisle.SceneTruth", &SCENE_TRUTH)
}

/// Writes a fact behind what `out` holds.
///
/// # Errors
/// A sentence, when the fact holds something that could not be read back.
pub fn encode(fact: &Fact, out: &mut Vec<u8>) -> Result<(), String> {
    match &fact.body {
        // The only kind that is not plain JSON of what it says.
        Body::Frame(frame) => picture::encode(&fact.stamp, frame, out).map_err(|error| error.to_string()),
        body => body.with(Encode { stamp: &fact.stamp, out }),
    }
}

/// Reads a fact of a topic.
///
/// # Errors
/// A sentence, when it is not one.
pub fn decode(topic: Topic, json: &[u8]) -> Result<Fact, String> {
    match topic {
        Topic::Frame => picture::decode(json),
        topic => topic.with(Decode { json }),
    }
}

struct Encode<'a> {
    stamp: &'a Stamp,
    out: &'a mut Vec<u8>,
}

impl EachBody for Encode<'_> {
    type Out = Result<(), String>;

    fn with<T: Said>(self, body: &T) -> Result<(), String> {
        body.check()?;
        serde_json::to_writer(self.out, &Outgoing { stamp: self.stamp, body }).map_err(|error| error.to_string())
    }
}

struct Decode<'a> {
    json: &'a [u8],
}

impl EachKind for Decode<'_> {
    type Out = Result<Fact, String>;

    fn with<T: Said>(self, body: fn(T) -> Body) -> Result<Fact, String> {
        let incoming: Incoming<T> = serde_json::from_slice(self.json).map_err(|error| fault(self.json, &error))?;
        incoming.body.check()?;
        Ok(Fact { stamp: incoming.stamp, body: body(incoming.body) })
    }
}
