//! What happened: shelf events, who came through the gate, and who took what.
//!
//! A part of [aisle](https://docs.rs/aisle), which gives its rooms under the same names.

use aisle_contract::{base, facts, geometry, shop};

pub mod fusion;
pub mod identity;
pub mod shelf;
