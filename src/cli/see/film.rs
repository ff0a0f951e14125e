//! A film of one camera that nobody calibrated, a video or a folder of pictures: who is who from picture to picture.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{See, draw, make_folder, write};
use crate::base::{Error, Result, ShopTime, Span, TrackId};
use crate::cli::looking::{self, Purpose};
use crate::cli::print;
use crate::facts::{Detection, DetectionClass};
use crate::image::{RgbImage, decode_picture};
use crate::ingest::{Video, VideoSink};
use crate::pipeline::{self, Glance};
use crate::tracking::tracklets::{Options, Tracker};

/// Endings of what is written as a video.
const VIDEOS: [&str; 6] = ["mp4", "mkv", "mov", "webm", "avi", "gif"];

/// Where frames come from.
enum Source {
    Pictures(std::vec::IntoIter<PathBuf>),
    Video(Video),
}

/// Where frames go.
enum Output {
    /// A folder, and the names in it that are taken.
    Folder {
        path: PathBuf,
        names: BTreeSet<String>,
    },
    Video(VideoSink),
}

/// A film that is being looked at.
struct Film {
    output: Output,
    tracker: Tracker,
    rate_hertz: f64,
    frames: u64,
    /// People in all frames together.
    seen: usize,
    tracks: BTreeSet<TrackId>,
    /// What was seen, a row a frame, where somebody wants to know.
    rows: Option<Vec<Value>>,
}

impl See {
    /// Looks at the frames of a video, or at the pictures of a folder in order of their names.
    pub(super) fn see_film(&self) -> Result<()> {
        self.refuse_truth("a film")?;
        let (mut source, rate_hertz) = self.source()?;
        let mut sessions = self.looking.sessions(Purpose::Film, None)?;
        let together = sessions.len() * self.looking.batch();
        let output = Output::begin(self.output()?, rate_hertz)?;
        let tracker = Tracker::new(Options::default());
        let mut film = Film {
            output,
            tracker,
            rate_hertz,
            frames: 0,
            seen: 0,
            tracks: BTreeSet::new(),
            rows: self.json.then(Vec::new),
        };
        let ended = loop {
            let (mut names, mut glances, mut ended) = (Vec::new(), Vec::new(), None);
            while glances.len() < together && ended.is_none() {
                let mut glance = Glance::default();
                match source.next_frame(film.frames + names.len() as u64 + 1, &mut glance.picture) {
                    Ok(Some(name)) => {
                        names.push(name);
                        glances.push(glance);
                    }
                    Ok(None) => ended = Some(Ok(())),
                    Err(error) => ended = Some(Err(error)),
                }
            }
            pipeline::look(&mut sessions, &mut glances)?;
            for (name, glance) in names.into_iter().zip(glances) {
                film.take(name, glance)?;
            }
            if let Some(ended) = ended {
                break ended;
            }
        };
        if film.frames == 0 {
            return ended.and_then(|()| Err(Error::input("there is no frame in it").at_path(&self.path)));
        }
        film.finish(self)?;
        // What was read before the damage is kept, and the damage is told.
        ended
    }

    /// Where the frames are, and how many there are a second.
    fn source(&self) -> Result<(Source, f64)> {
        if self.path.is_dir() {
            return Ok((Source::Pictures(looking::pictures(&self.path)?.into_iter()), self.rate.unwrap_or(10.0)));
        }
        let video = Video::open(&self.path)?;
        let rate = self.rate.unwrap_or(video.rate_hertz());
        Ok((Source::Video(video), rate))
    }
}

impl Film {
    /// Draws what is seen in the next frame, and who is who.
    fn take(&mut self, name: String, glance: Glance) -> Result<()> {
        let Glance { mut picture, detections, .. } = glance;
        let at = ShopTime::from_nanos(0) + Span::from_secs(self.frames as f64 / self.rate_hertz);
        let is_person = |found: &&Detection| found.class == DetectionClass::Person;
        let people: Vec<Detection> = detections.iter().filter(is_person).cloned().collect();
        detections.iter().for_each(|found| draw::detection(&mut picture, found));
        for tracklet in self.tracker.step(at, &people).iter().filter(|tracklet| tracklet.confirmed) {
            draw::tracked(&mut picture, &tracklet.bounds, tracklet.track.number());
            self.tracks.insert(tracklet.track);
        }
        self.output.put(&name, &picture)?;
        if let Some(rows) = &mut self.rows {
            rows.push(json!({ "picture": name, "seen": detections }));
        }
        (self.frames, self.seen) = (self.frames + 1, self.seen + people.len());
        Ok(())
    }

    fn finish(self, see: &See) -> Result<()> {
        self.output.finish()?;
        let tracks = self.tracks.len();
        if let Some(rows) = self.rows {
            return print(&format!("{}\n", json!({ "tracks": tracks, "frames": rows })));
        }
        let path = see.output()?.display();
        print(&format!("{path}: {} frames, {} people in them, {tracks} tracks\n", self.frames, self.seen))
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
            return VideoSink::new(path, rate_hertz).map(Output::Video);
        }
        make_folder(path)?;
        Ok(Output::Folder { path: path.to_owned(), names: BTreeSet::new() })
    }

    fn put(&mut self, name: &str, picture: &RgbImage) -> Result<()> {
        match self {
            Output::Folder { path, names } => write(picture, &path.join(own_name(name, names))),
            Output::Video(sink) => sink.put(picture),
        }
    }

    fn finish(self) -> Result<()> {
        match self {
            Output::Folder { .. } => Ok(()),
            Output::Video(sink) => sink.finish(),
        }
    }
}

/// The name of the picture that is made of one of this name: with another ending, unless a picture of another kind and
/// the same stem has that already.
fn own_name(name: &str, taken: &mut BTreeSet<String>) -> String {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let mut own = format!("{stem}.jpg");
    let mut number = 1;
    while !taken.insert(own.clone()) {
        own = if number == 1 { format!("{name}.jpg") } else { format!("{name}.{number}.jpg") };
        number += 1;
    }
    own
}

/// Whether a file of this name is to be a video.
pub(super) fn is_video_name(path: &Path) -> bool {
    looking::ends_in(path, &VIDEOS)
}
