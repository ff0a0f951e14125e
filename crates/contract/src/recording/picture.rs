//! Frames as `foxglove.CompressedImage` in JSON, so that Foxglove shows them, with our stamp beside its fields.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use crate::base::json::fault;
use crate::base::{CameraId, ShopTime};
use crate::facts::{Body, Fact, Frame, FrameFormat, Stamp};

const NANOS_PER_SEC: i64 = 1_000_000_000;
/// Of a label that is not known, this much is shown.
const LABEL_LETTERS_MAX: usize = 32;

/// A frame on its way out.
#[derive(Serialize)]
struct Outgoing<'a> {
    timestamp: Instant,
    frame_id: &'a str,
    #[serde(serialize_with = "as_base64")]
    data: &'a [u8],
    format: FrameFormat,
    stamp: &'a Stamp,
}

/// A compressed picture of one camera.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Incoming<'a> {
    /// When it was taken, by the camera's clock; before 1970 it is 0 here and exact in the stamp.
    #[serde(rename = "timestamp")]
    _timestamp: Instant,
    /// The camera.
    frame_id: String,
    /// The compressed picture.
    #[serde(borrow)]
    #[schemars(with = "String", extend("contentEncoding" = "base64"))]
    data: Cow<'a, str>,
    /// How it is compressed: `jpeg`, `png`, `webp`, `bmp` or `gif`. Where the picture itself says something else, that counts.
    #[serde(borrow)]
    #[schemars(with = "String")]
    format: Cow<'a, str>,
    /// Who made it, in what order, when it was true, when it arrived.
    stamp: Stamp,
}

/// A time as Foxglove writes it.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Instant {
    /// Whole seconds since the Unix epoch.
    sec: u32,
    /// Nanoseconds after that, below 10^9.
    nsec: u32,
}

impl Instant {
    fn of(time: ShopTime) -> Self {
        let nanos = time.as_nanos().max(0);
        let sec = u32::try_from(nanos / NANOS_PER_SEC).unwrap_or(u32::MAX);
        Instant { sec, nsec: (nanos % NANOS_PER_SEC) as u32 }
    }
}

/// Writes a frame behind what `out` holds.
pub(super) fn encode(stamp: &Stamp, frame: &Frame, out: &mut Vec<u8>) -> serde_json::Result<()> {
    let message = Outgoing {
        timestamp: Instant::of(stamp.at),
        frame_id: frame.camera.as_str(),
        data: &frame.data,
        format: frame.format,
        stamp,
    };
    serde_json::to_writer(out, &message)
}

/// Reads a frame.
///
/// # Errors
/// A sentence, when it is not one.
pub(super) fn decode(json: &[u8]) -> Result<Fact, String> {
    let incoming: Incoming<'_> = serde_json::from_slice(json).map_err(|error| fault(json, &error))?;
    let data = STANDARD.decode(incoming.data.as_bytes()).map_err(|error| format!("its data is not base64: {error}"))?;
    // Bytes say what they are; the label is asked where they say nothing, such as in a frame that was lost on its way.
    let format = FrameFormat::of(&data).or_else(|| FrameFormat::named(&incoming.format)).ok_or_else(|| {
        let label: String = incoming.format.chars().take(LABEL_LETTERS_MAX).collect();
        format!("its picture is compressed as {label:?}, which is not read; jpeg, png, webp, bmp and gif are")
    })?;
    let frame = Frame { camera: CameraId::new(&incoming.frame_id), format, data: data.into() };
    Ok(Fact { stamp: incoming.stamp, body: Body::Frame(frame) })
}

fn as_base64<S: Serializer>(bytes: &&[u8], serializer: S) -> Result<S::Ok, S::Error> {
    let text: &dyn fmt::Display = &Base64Display::new(bytes, &STANDARD);
    serializer.collect_str(text)
}
