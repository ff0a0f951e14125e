//! Eyes: networks on pictures, and who is where across cameras.
//!
//! A part of [aisle](https://docs.rs/aisle), which gives its rooms under the same names.

use aisle_contract::{base, facts, geometry, image, shop};

pub mod tracking;
pub mod vision;
