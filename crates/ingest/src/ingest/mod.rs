//! What devices deliver, from outside: cameras, shelf boards and gates as they speak now, video files and folders of pictures.
//! It takes addresses and paths and gives facts and pictures. It never looks at what they show.

#[cfg(test)]
mod attack;
pub mod cameras;
pub mod devices;
pub mod mqtt;
mod pictures;
mod video;

pub use pictures::{ends_in, entries, has_picture_name, pictures};
pub use video::{Video, VideoSink};
