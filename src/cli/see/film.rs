//! A film of one camera that nobody calibrated, a video or a folder of pictures: who is who from picture to picture.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{See, draw, make_folder, write};
use crate::base::{Error, Result, ShopTime, Span};
use crate::cli::print;
use crate::image::{RgbImage, decode_picture};
use crate::ingest::{Video, VideoSink};
use crate::tracking::tracklets::{Options, Tracker};

/// Endings of pictures.
const PICTURES: [&str; 6] = ["jpg", "jpeg", "png", "bmp", "webp", "gif"];
/// Endings of what is written as a video.
const VIDEOS: [&str; 6] = ["mp4", "mkv", "mov", "webm", "avi", "gif"];

/// Where frames come from.
enum Source {
    Pictures(std::vec::IntoIter<PathBuf>),
    Video(Video),
}

/// Where frames go.
enum Output {
    Folder(PathBuf),
    Video(VideoSink),
}

impl See {
    /// Looks at the frames of a video, or at the pictures of a folder in order of their names.
    pub(super) fn see_film(&self) -> Result<()> {
        self.refuse_truth("a film")?;
        let (mut source, rate) = self.source()?;
        let mut networks = self.networks()?;
        let mut output = Output::begin(self.output()?, rate)?;
        let (mut tracker, mut tracks) = (Tracker::new(Options::default()), BTreeSet::new());
        let (mut frames, mut seen, mut rows) = (0_u64, 0, Vec::new());
        let mut picture = RgbImage::new(0, 0);
        let ended = loop {
            let name = match source.next_frame(frames + 1, &mut picture) {
                Ok(Some(name)) => name,
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            };
            let (people, _) = networks.look(&picture)?;
            let at = ShopTime::from_nanos(0) + Span::from_secs(frames as f64 / rate);
            people.iter().for_each(|found| draw::detection(&mut picture, found));
            for tracklet in tracker.step(at, &people).iter().filter(|tracklet| tracklet.confirmed) {
                draw::tracked(&mut picture, &tracklet.bounds, tracklet.track.number());
                tracks.insert(tracklet.track);
            }
            output.put(&name, &picture)?;
            (frames, seen) = (frames + 1, seen + people.len());
            if self.json {
                rows.push(json!({ "picture": name, "people": people }));
            }
        };
        // What was read before the damage is kept, and the damage is told.
        if frames == 0 {
            return ended.and_then(|()| Err(Error::input("there is no frame in it").at_path(&self.path)));
        }
        output.finish()?;
        self.tell(frames, seen, tracks.len(), rows)?;
        ended
    }

    fn tell(&self, frames: u64, seen: usize, tracks: usize, rows: Vec<Value>) -> Result<()> {
        if self.json {
            return print(&format!("{}\n", json!({ "tracks": tracks, "frames": rows })));
        }
        let path = self.output()?.display();
        print(&format!("{path}: {frames} frames, {seen} people in them, {tracks} tracks\n"))
    }

    /// Where the frames are, and how many there are a second.
    fn source(&self) -> Result<(Source, f64)> {
        if self.path.is_dir() {
            return Ok((Source::Pictures(pictures(&self.path)?.into_iter()), self.rate.unwrap_or(10.0)));
        }
        let video = Video::open(&self.path)?;
        let rate = self.rate.unwrap_or(video.rate_hertz());
        Ok((Source::Video(video), rate))
    }
}

impl Source {
    /// Reads the next frame, the `number`th; gives its name, `None` at the end.
    fn next_frame(&mut self, number: u64, picture: &mut RgbImage) -> Result<Option<String>> {
        match self {
            Source::Video(video) => Ok(video.next_frame(picture)?.then(|| format!("{number:06}.jpg"))),
            Source::Pictures(paths) => {
                let Some(path) = paths.next() else { return Ok(None) };
                let bytes = fs::read(&path).map_err(|error| Error::io("read", &path, &error))?;
                *picture = decode_picture(&bytes).map_err(|error| error.at_path(&path))?;
                Ok(path.file_name().map(|name| name.to_string_lossy().into_owned()))
            }
        }
    }
}

impl Output {
    fn begin(path: &Path, rate_hertz: f64) -> Result<Self> {
        if is_video_name(path) {
            return Ok(Output::Video(VideoSink::new(path, rate_hertz)));
        }
        make_folder(path)?;
        Ok(Output::Folder(path.to_owned()))
    }

    fn put(&mut self, name: &str, picture: &RgbImage) -> Result<()> {
        match self {
            Output::Folder(folder) => write(picture, &folder.join(name).with_extension("jpg")),
            Output::Video(sink) => sink.put(picture),
        }
    }

    fn finish(self) -> Result<()> {
        match self {
            Output::Folder(_) => Ok(()),
            Output::Video(sink) => sink.finish(),
        }
    }
}

/// Whether a file of this name is to be a video.
pub(super) fn is_video_name(path: &Path) -> bool {
    ends_in(path, &VIDEOS)
}

fn ends_in(path: &Path, endings: &[&str]) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| endings.contains(&ending.as_str()))
}

/// The pictures of a folder in order of their names.
fn pictures(folder: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = |error| Error::io("read", folder, &error);
    let entries = fs::read_dir(folder).map_err(unreadable)?;
    let paths: std::io::Result<Vec<PathBuf>> = entries.map(|entry| Ok(entry?.path())).collect();
    let mut paths = paths.map_err(unreadable)?;
    paths.retain(|path| ends_in(path, &PICTURES));
    paths.sort();
    if paths.is_empty() {
        return Err(Error::input("there are no pictures in this folder").at_path(folder));
    }
    Ok(paths)
}
