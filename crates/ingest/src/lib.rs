//! What devices say, from outside: cameras, shelf boards and gates, over MQTT, RTSP and files.
//!
//! A part of [aisle](https://docs.rs/aisle), which gives its rooms under the same names.

#[cfg(test)]
use aisle_contract::geometry;
use aisle_contract::{base, facts, image, output, ports, recording, shop};

pub mod ingest;
