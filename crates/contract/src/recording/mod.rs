//! The log format: facts in, an MCAP file out, and back. Recording, audit trail, test fixture and replay input in one.
//! It takes a checked shop, the facts about it and, where somebody knows it, the truth; it gives them back in the
//! order of their log times, however they lie in the file. It never interprets a fact and never yields the truth as one.
//!
//! # Format
//!
//! An MCAP file with zstd chunks and checksums. Message encoding is `json`, every channel has a JSON Schema. A metadata
//! record `aisle` says `format` (the version, now 1), `cut` and `writer` (the version of aisle). Channels:
//!
//! | channel | schema | holds |
//! |---|---|---|
//! | `/shop` | `aisle.Shop` | one [`shop::ShopDraft`](crate::shop::ShopDraft), before everything else |
//! | `/truth` | `aisle.Truth` | at most one [`truth::Truth`](crate::truth::Truth), before the facts |
//! | `/truth/frames` `/truth/scene` | `aisle.FrameTruth` `aisle.SceneTruth` | what frames really show and where everybody really was; read apart from the facts |
//! | `/cameras/…` | `foxglove.CompressedImage` | one frame a message, a channel for every camera |
//! | `/plates` `/people` … | `aisle.Plates` `aisle.People` … | one fact a message, a channel for every other [`facts::Topic`](crate::facts::Topic) |
//!
//! A fact is `{"stamp":{"source":…,"sequence":…,"at":…,"arrived":…},"body":{…}}`: Foxglove then plots
//! `/plates.body.grams[3]` whatever the stamp holds, and no field of a body can collide with one of the stamp. Times are
//! nanoseconds since the Unix epoch. A message's log time is when the fact arrived, its publish time when it was true;
//! times before 1970 are written as 0 there and kept exactly in the stamp.

mod broken;
mod chunk;
mod order;
mod picture;
mod reader;
mod walk;
mod wire;
mod writer;

#[cfg(test)]
mod tests;

pub use crate::facts::Cut;
pub use broken::{Losses, refuse_packed};
pub use reader::{Entry, Reader, TOLERATE};
pub use wire::{decode, encode};
pub use writer::{Summary, Writer};

use crate::base::limits::MESSAGE_BYTES_MAX;

/// Version of the format that this aisle writes, and the newest it reads.
pub const FORMAT: u32 = 1;

/// Bytes of messages after which a chunk is closed: what a cut file can lose at most, about two seconds of a shop.
const CHUNK_BYTES: u64 = 512 << 10;
/// Longest record that is read, and largest chunk, packed and unpacked: one message of the greatest length, with what stands
/// around it in its chunk.
const RECORD_BYTES_MAX: usize = MESSAGE_BYTES_MAX + 2 * CHUNK_BYTES as usize;
/// Bytes of unpacked chunks that are held because they lie over each other in time; beyond it a recording is refused.
const HELD_BYTES_MAX: u64 = 256 << 20;
/// Chunks of a recording, or stretches of [`CHUNK_BYTES`] of messages outside chunks; what is behind them is not read.
const PIECES_MAX: usize = 1 << 21;
/// Name of the metadata record.
const METADATA: &str = "aisle";
/// Channel of the shop.
const SHOP_CHANNEL: &str = "/shop";
/// Channel of the truth.
const TRUTH_CHANNEL: &str = "/truth";
/// Channel of what frames really show.
const FRAME_TRUTH_CHANNEL: &str = "/truth/frames";
/// Channel of where everybody really was.
const SCENE_TRUTH_CHANNEL: &str = "/truth/scene";
