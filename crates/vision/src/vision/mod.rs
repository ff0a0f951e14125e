//! Models that see: frames to detections, joints, and vectors that tell people, faces and products apart.
//! It takes pictures in memory, manifests and the bytes of models, and gives detections in pixels of the frame. It
//! never opens a model file, never downloads and never reads a clock. The engines (`onnxruntime.rs`, `embedded.rs`) are
//! its only files that touch a runtime: the first loads a shared library by its path and keeps it for the process.

mod align;
mod cascade;
mod decode;
mod embedded;
mod engine;
mod hand;
mod input;
mod manifest;
mod model;
mod network;
mod onnx;
mod onnxruntime;
mod stillness;

#[cfg(test)]
mod tests;

pub use cascade::{Glance, Networks};
pub use engine::Engine;
pub use hand::{Gallery, HandSide, HeldProduct, hand_region};
pub use manifest::{
    Classes, Colour, Column, Decoder, DecoderKind, Fit, Input, Layout, Manifest, OutputName, Region, Role, Rows,
    Weights,
};
pub use model::Model;
pub use network::{Element, LoadOptions, Network, Output, Provider, Shape, Slot, Tensor, Values};
pub use onnx::{check_network, other_format};
pub use stillness::{Stillness, Thumbnail};
