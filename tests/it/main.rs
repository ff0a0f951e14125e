//! The one integration binary.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops at the line")]

mod anchors;
mod api;
mod cli;
mod db;
mod determinism;
mod documents;
mod export;
mod faults;
mod film;
mod fuzz;
mod left_out;
mod licences;
mod live;
mod long;
mod loss;
mod manual;
mod models;
mod networks;
mod onnx;
mod outputs;
mod pages;
mod replay;
mod scenarios;
mod settler;
mod shops;
mod sight;
mod snapshot;
mod stages;
mod survival;
mod tidy;
mod till;
mod tracks;
mod trips;
mod videos;
mod vision;
