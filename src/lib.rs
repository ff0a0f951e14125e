//! aisle: an unmanned-checkout engine.
//!
//! Cameras and shelf sensors go in as *facts*; for every shopper a receipt comes out, explained line by line.
//! See `docs/ARCHITECTURE.md` for the floors of this tree and `README.md` for the commands.

pub mod base;
pub mod cli;
pub mod facts;
pub mod geometry;
pub mod ports;
pub mod shop;
pub mod sim;
pub mod truth;
