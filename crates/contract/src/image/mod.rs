//! Pictures in memory: pixel buffers, how they become files and back, how they are read through a map, marks on them.
//! It takes and gives bytes, or the path of a picture. It knows nothing of cameras, and never takes memory for pixels
//! before the head of a file was read.

mod broken;
mod draw;
mod file;
mod head;
mod jpeg;
mod rgb;
mod sample;

#[cfg(test)]
mod tests;

pub use draw::{draw_box, draw_dot, draw_line, draw_number};
pub use file::{decode_picture, decode_picture_into, encode_png, is_picture, read_picture};
pub use head::{PictureFormat, PictureHead, picture_head};
pub use jpeg::encode_jpeg;
pub use rgb::RgbImage;
pub use sample::Sampler;
