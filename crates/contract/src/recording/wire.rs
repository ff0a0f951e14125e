//! Facts as JSON, and the schemas of that JSON.

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::picture;
use crate::base::json::fault;
use crate::facts::{
    Attribution, Body, ClockEstimate, Fact, GateScan, PeopleFrame, PlateBatch, Receipt, SeenFrame, ShelfEvent, Stamp,
    Topic, TrackJoined, VisitClosed,
};
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

/// Schema names and JSON Schemas: one for each topic in the order of [`Topic::ALL`], then the shop's and the truths'.
static SCHEMAS: LazyLock<[(&'static str, String); 15]> = LazyLock::new(|| {
    let text = |schema: schemars::Schema| schema.as_value().to_string();
    [
        ("aisle.Plates", text(schemars::schema_for!(Incoming<PlateBatch>))),
        (picture::SCHEMA, text(schemars::schema_for!(picture::Incoming<'_>))),
        ("aisle.Gate", text(schemars::schema_for!(Incoming<GateScan>))),
        ("aisle.Seen", text(schemars::schema_for!(Incoming<SeenFrame>))),
        ("aisle.People", text(schemars::schema_for!(Incoming<PeopleFrame>))),
        ("aisle.Shelf", text(schemars::schema_for!(Incoming<ShelfEvent>))),
        ("aisle.Track", text(schemars::schema_for!(Incoming<TrackJoined>))),
        ("aisle.Attribution", text(schemars::schema_for!(Incoming<Attribution>))),
        ("aisle.Clock", text(schemars::schema_for!(Incoming<ClockEstimate>))),
        ("aisle.Visit", text(schemars::schema_for!(Incoming<VisitClosed>))),
        ("aisle.Receipt", text(schemars::schema_for!(Incoming<Receipt>))),
        ("aisle.Shop", text(schemars::schema_for!(ShopDraft))),
        ("aisle.Truth", text(schemars::schema_for!(Truth))),
        ("aisle.FrameTruth", text(schemars::schema_for!(FrameTruth))),
        ("aisle.SceneTruth", text(schemars::schema_for!(SceneTruth))),
    ]
});

/// Name and JSON Schema of a topic's messages.
pub(super) fn topic_schema(topic: Topic) -> (&'static str, &'static str) {
    schema(topic as usize)
}

/// Name and JSON Schema of the shop.
pub(super) fn shop_schema() -> (&'static str, &'static str) {
    schema(Topic::ALL.len())
}

/// Name and JSON Schema of the truth.
pub(super) fn truth_schema() -> (&'static str, &'static str) {
    schema(Topic::ALL.len() + 1)
}

/// Name and JSON Schema of what frames really show.
pub(super) fn frame_truth_schema() -> (&'static str, &'static str) {
    schema(Topic::ALL.len() + 2)
}

/// Name and JSON Schema of where everybody really was.
pub(super) fn scene_truth_schema() -> (&'static str, &'static str) {
    schema(Topic::ALL.len() + 3)
}

fn schema(index: usize) -> (&'static str, &'static str) {
    let (name, text) = &SCHEMAS[index];
    (name, text)
}

/// Writes a fact behind what `out` holds.
///
/// # Errors
/// A sentence, when the fact holds something that could not be read back.
pub(super) fn encode(fact: &Fact, out: &mut Vec<u8>) -> Result<(), String> {
    let stamp = &fact.stamp;
    let written = match &fact.body {
        Body::Plates(body) => {
            check_batch(body)?;
            serde_json::to_writer(out, &Outgoing { stamp, body })
        }
        Body::Frame(body) => picture::encode(stamp, body, out),
        Body::Gate(body) => serde_json::to_writer(out, &Outgoing { stamp, body }),
        Body::Seen(body) => {
            check_seen(body)?;
            serde_json::to_writer(out, &Outgoing { stamp, body })
        }
        Body::People(body) => {
            check_frame(body)?;
            serde_json::to_writer(out, &Outgoing { stamp, body })
        }
        Body::Shelf(body) => serde_json::to_writer(out, &Outgoing { stamp, body }),
        Body::Track(body) => serde_json::to_writer(out, &Outgoing { stamp, body }),
        Body::Attribution(body) => serde_json::to_writer(out, &Outgoing { stamp, body }),
        Body::Clock(body) => serde_json::to_writer(out, &Outgoing { stamp, body }),
        Body::Visit(body) => serde_json::to_writer(out, &Outgoing { stamp, body }),
        Body::Receipt(body) => serde_json::to_writer(out, &Outgoing { stamp, body }),
    };
    written.map_err(|error| error.to_string())
}

/// Reads a fact of a topic.
///
/// # Errors
/// A sentence, when it is not one.
pub(super) fn decode(topic: Topic, json: &[u8]) -> Result<Fact, String> {
    match topic {
        Topic::Plates => {
            let fact = decode_as(json, Body::Plates)?;
            match &fact.body {
                Body::Plates(batch) => check_batch(batch).map(|()| fact),
                _ => Ok(fact),
            }
        }
        Topic::Frame => picture::decode(json),
        Topic::Gate => decode_as(json, Body::Gate),
        Topic::Seen => decode_as(json, Body::Seen),
        Topic::People => decode_as(json, Body::People),
        Topic::Shelf => decode_as(json, Body::Shelf),
        Topic::Track => decode_as(json, Body::Track),
        Topic::Attribution => decode_as(json, Body::Attribution),
        Topic::Clock => decode_as(json, Body::Clock),
        Topic::Visit => decode_as(json, Body::Visit),
        Topic::Receipt => decode_as(json, Body::Receipt),
    }
}

fn decode_as<T: DeserializeOwned>(json: &[u8], body: fn(T) -> Body) -> Result<Fact, String> {
    let incoming: Incoming<T> = serde_json::from_slice(json).map_err(|error| fault(json, &error))?;
    Ok(Fact { stamp: incoming.stamp, body: body(incoming.body) })
}

fn check_batch(batch: &PlateBatch) -> Result<(), String> {
    if batch.is_well_formed() {
        return Ok(());
    }
    let (samples, plates) = (batch.grams.len(), batch.plates.len());
    Err(format!(
        "{samples} samples of {plates} plates, {} apart, are not whole rows at a positive period",
        batch.period
    ))
}

fn check_frame(frame: &PeopleFrame) -> Result<(), String> {
    for person in &frame.people {
        for kind in crate::facts::JointKind::ALL {
            let joint = person.joints.get(kind);
            if joint.is_some_and(|joint| !joint.position.is_finite() || !joint.score.is_finite()) {
                return Err(format!("a joint of track {} is not made of finite numbers", person.track));
            }
        }
    }
    Ok(())
}

fn check_seen(seen: &SeenFrame) -> Result<(), String> {
    for (number, detection) in seen.detections.iter().enumerate() {
        let points = detection.keypoints.iter().all(|point| point.pixel.is_finite() && point.score.is_finite());
        let vector = detection.embedding.iter().all(|part| part.is_finite());
        if !detection.bounds.is_well_formed() || !detection.score.is_finite() || !points || !vector {
            return Err(format!("detection {} of camera {} is not made of finite numbers", number + 1, seen.camera));
        }
    }
    Ok(())
}
