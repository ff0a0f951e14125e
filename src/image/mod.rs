//! Pictures in memory: pixel buffers, how they become files and back, how they are read through a map, marks on them.
//! It takes and gives bytes. It never opens a file and knows nothing of cameras.

mod draw;
mod file;
mod jpeg;
mod rgb;
mod sample;

#[cfg(test)]
mod tests;

pub use draw::{draw_box, draw_dot, draw_line, draw_number};
pub use file::{decode_picture, encode_png, is_picture};
pub use jpeg::{decode_jpeg, decode_jpeg_into, encode_jpeg};
pub use rgb::RgbImage;
pub use sample::Sampler;
