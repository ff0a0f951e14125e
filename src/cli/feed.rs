//! `aisle serve --feed`: which recording is played into the open shop, and how fast.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::base::Result;
use crate::replay::{self, Replay};

/// A recording that stands in for devices.
#[derive(Args, Clone, Debug)]
pub(super) struct FeedArgs {
    /// Play a recording into the shop as if it were live: its shoppers are walk-ins who pay in the sandbox. Stopped or
    /// killed and started again, it resumes where the book is
    #[arg(long, value_name = "RECORDING")]
    feed: Option<PathBuf>,
    /// Playback speed factor; 0 for as fast as possible
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, requires = "feed", value_parser = parse_speed)]
    speed: f64,
}

fn parse_speed(text: &str) -> std::result::Result<f64, String> {
    let speed = text.parse::<f64>().ok().filter(|speed| speed.is_finite() && 0.0 <= *speed);
    speed.ok_or_else(|| "write a number such as 10 for ten times as fast, or 0 for as fast as possible".to_owned())
}

impl FeedArgs {
    /// Opens the recording, if there is one; beside it how fast it is played.
    pub(super) fn open(&self) -> Result<Option<(Replay, f64)>> {
        let open = |path: &Path| replay::open(path, None, replay::Options { tolerate: false });
        Ok(self.feed.as_deref().map(open).transpose()?.map(|source| (source, self.speed)))
    }
}
