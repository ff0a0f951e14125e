//! How devices are, and what cameras see.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue, StatusCode};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use super::page::Page;
use super::problem::{Problem, Sort};
use super::reply::{Json, Nothing, Output, Reply};
use super::route::Call;
use crate::base::{CameraId, ShopTime};
use crate::ports::{DeviceHealth, DeviceKind, HealthWord};

const JPEG: &str = "image/jpeg";

/// The newest picture of a camera, and when it was taken.
pub type Pictures = Arc<dyn Fn(&str) -> Option<(ShopTime, Arc<[u8]>)> + Send + Sync>;

/// The name of a device or camera, as the shop's files have it. In a path `/` is written `%2F`.
#[derive(JsonSchema)]
#[schemars(transparent)]
pub(super) struct DeviceName(pub(super) String);

impl FromStr for DeviceName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(DeviceName(text.to_owned()))
    }
}

/// How one device is, judged by when its messages arrived.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Device")]
pub(super) struct DeviceView {
    /// Its name.
    device: String,
    /// What it is.
    kind: DeviceKind,
    /// How it is.
    health: HealthWord,
    /// Since when.
    since: ShopTime,
    /// Why, unless it is well.
    cause: Option<String>,
    /// What somebody can do about it.
    remedy: Option<String>,
    /// When something arrived from it last.
    heard: Option<ShopTime>,
    /// How long ago that was, seconds.
    heard_secs_ago: Option<f64>,
    /// Messages or frames a second over the last minute.
    rate_hertz: Option<f64>,
    /// What it should be, where the shop says.
    expected_hertz: Option<f64>,
    /// How far its clock is ahead of this machine's, seconds, where that can be known.
    clock_offset_secs: Option<f64>,
    /// Until when the certificates hold with which it is spoken to, by the key of the shop's file that names them.
    certificates: BTreeMap<String, ShopTime>,
    /// Everything that is counted about it since the process began, by name.
    counters: BTreeMap<String, u64>,
}

impl DeviceView {
    fn new(health: DeviceHealth, now: ShopTime) -> Self {
        DeviceView {
            heard_secs_ago: health.heard.map(|heard| age(heard, now)),
            device: health.device,
            kind: health.kind,
            health: health.health,
            since: health.since,
            cause: health.cause,
            remedy: health.remedy,
            heard: health.heard,
            rate_hertz: health.rate_hertz,
            expected_hertz: health.expected_hertz,
            clock_offset_secs: health.clock_offset_secs,
            certificates: health.certificates,
            counters: health.counters,
        }
    }
}

/// Seconds since then; a clock that was set back makes nothing younger than now.
pub(super) fn age(then: ShopTime, now: ShopTime) -> f64 {
    now.secs_since(then).max(0.0)
}

/// `GET /v1/devices`
pub(super) fn all(call: &Call<'_>, _: Nothing, _: Nothing, _: Nothing) -> Result<Json<Page<DeviceView>>, Problem> {
    // A shop has some hundred devices at most, so all of them are one page.
    let devices = call.api.health.as_ref().map(|board| board.all()).unwrap_or_default();
    Ok(Json(Page { items: devices.into_iter().map(|device| DeviceView::new(device, call.now)).collect(), next: None }))
}

/// `GET /v1/devices/{name}`
pub(super) fn get(call: &Call<'_>, name: DeviceName, _: Nothing, _: Nothing) -> Result<Json<DeviceView>, Problem> {
    let known = call.api.health.as_ref().and_then(|board| board.get(&name.0));
    let missing = || Problem::new(Sort::Missing, format!("no device of this shop is called `{}`", name.0));
    known.map(|device| Json(DeviceView::new(device, call.now))).ok_or_else(missing)
}

/// A picture.
pub(super) struct Picture {
    bytes: Arc<[u8]>,
    taken: ShopTime,
    secs: f64,
}

impl Output for Picture {
    const STATUS: StatusCode = StatusCode::OK;

    fn reply(self) -> Result<Reply, Problem> {
        let mut reply = Reply::text(JPEG, &*self.bytes);
        let mut say = |name, value: String| {
            reply.headers.extend(HeaderValue::from_str(&value).map(|value| (HeaderName::from_static(name), value)));
        };
        say("x-picture-time", self.taken.rfc3339(3));
        say("x-picture-age-seconds", format!("{:.3}", self.secs));
        Ok(reply)
    }

    fn content(_: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
        vec![(JPEG, json_schema!({ "type": "string", "contentMediaType": JPEG }))]
    }
}

/// `GET /v1/cameras/{name}/picture`
pub(super) fn picture(call: &Call<'_>, name: DeviceName, _: Nothing, _: Nothing) -> Result<Picture, Problem> {
    let name = name.0;
    let Some(pictures) = &call.api.pictures else {
        return Err(Problem::new(Sort::Missing, "no cameras are looked at in this server"));
    };
    let shop = call.api.till().shop().clone();
    let device = |name: &str| call.api.health.as_ref().and_then(|board| board.get(name));
    let health = device(&name).or_else(|| device(&format!("camera/{name}")));
    if let Some((taken, bytes)) = pictures(&name) {
        return Ok(Picture { bytes, taken, secs: age(taken, call.now) });
    }
    if shop.camera(&CameraId::new(&name)).is_none() && health.is_none() {
        return Err(Problem::new(Sort::Missing, format!("no camera of this shop is called `{name}`")));
    }
    let cause = health.map(|health| match health.cause {
        Some(cause) => format!("it is {}: {cause}", health.health),
        None => format!("it is {}", health.health),
    });
    let detail = format!("`{name}` has shown no picture; {}", cause.as_deref().unwrap_or("nothing is known of it yet"));
    Err(Problem::new(Sort::Unavailable, detail))
}
