//! Pictures in memory: pixel buffers and how they become JPEG and back.
//! It takes and gives bytes. It never opens a file and knows nothing of cameras.

mod jpeg;
mod rgb;

#[cfg(test)]
mod tests;

pub use jpeg::{decode_jpeg, encode_jpeg};
pub use rgb::RgbImage;
