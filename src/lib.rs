//! aisle: an unmanned-checkout engine.
//!
//! Cameras and shelf sensors go in as *facts*; for every shopper a receipt comes out, explained line by line.
//! See `docs/ARCHITECTURE.md` for the floors of this tree and `README.md` for the commands.

pub mod api;
pub mod base;
pub mod cart;
pub mod cli;
pub mod config;
pub mod db;
pub mod document;
pub mod eval;
pub mod export;
pub mod facts;
pub mod fusion;
pub mod geometry;
pub mod identity;
pub mod image;
pub mod ingest;
pub mod ledger;
pub mod output;
pub mod payment;
pub mod pipeline;
pub mod ports;
pub mod recording;
pub mod replay;
pub mod review;
pub mod shelf;
pub mod shop;
pub mod sim;
pub mod till;
pub mod tracking;
pub mod truth;
pub mod vision;
