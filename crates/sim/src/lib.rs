//! The simulator: a shop, its shoppers and sensors, and the truth about them.
//!
//! A part of [aisle](https://docs.rs/aisle), which gives its rooms under the same names.

use aisle_contract::{base, facts, geometry, image, ports, shop, truth};

pub mod sim;
