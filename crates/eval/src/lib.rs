//! The judge: scores against the truth, and exports of it for other tools.
//!
//! A part of [aisle](https://docs.rs/aisle), which gives its rooms under the same names.

use aisle_contract::{base, facts, geometry, image, output, ports, recording, shop, truth};

pub mod eval;
pub mod export;
