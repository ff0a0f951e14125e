//! What cameras deliver, from outside: video files today. It takes paths and gives pictures one after another, in memory
//! that is used again. It never looks at what they show.

mod video;

pub use video::{Video, VideoSink};
