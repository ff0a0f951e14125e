//! Ground and contract: what all parts of aisle speak: units and ids, geometry, pictures, facts, a checked shop, ports, recordings.
//!
//! A part of [aisle](https://docs.rs/aisle), which gives its rooms under the same names.

pub mod base;
pub mod facts;
pub mod geometry;
pub mod image;
pub mod output;
pub mod ports;
pub mod recording;
pub mod shop;
pub mod truth;
