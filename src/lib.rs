//! aisle: an unmanned-checkout engine.
//!
//! Cameras and shelf sensors go in as *facts*; for every shopper a receipt comes out, explained line by line.
//! See `docs/ARCHITECTURE.md` for the floors of this tree and `README.md` for the commands.

pub use aisle_api::api;
pub use aisle_contract::{base, facts, geometry, image, output, ports, recording, shop, truth};
pub use aisle_eval::{eval, export};
pub use aisle_fusion::{fusion, identity, shelf};
pub use aisle_ingest::ingest;
pub use aisle_money::{cart, db, document, ledger, payment, review, till};
pub use aisle_sim::sim;
pub use aisle_vision::{tracking, vision};

pub mod album;
pub mod cli;
pub mod config;
pub mod learned;
pub mod live;
pub mod models;
pub mod pipeline;
pub mod replay;
pub mod telemetry;
