//! What cameras deliver, from outside: video files and folders of pictures today. It takes paths and gives pictures one after
//! another, in memory that is used again. It never looks at what they show.

mod pictures;
mod video;

pub use pictures::{ends_in, entries, has_picture_name, pictures};
pub use video::{Video, VideoSink};
