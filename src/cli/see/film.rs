//! A film of one camera that nobody calibrated, a video or a folder of pictures: who is who from picture to picture.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{See, draw, make_folder, write};
use crate::base::limits::FRAME_SIZES_MAX;
use crate::base::{Error, Kind, Result, ShopTime, Span, TrackId};
use crate::cli::print;
use crate::facts::{Detection, DetectionClass};
use crate::image::{RgbImage, read_picture};
use crate::ingest::{self, Video, VideoSink};
use crate::models::Purpose;
use crate::pipeline;
use crate::tracking::tracklets::{Options, Tracker};
use crate::vision::Glance;

/// Endings of what is written as a video.
const VIDEOS: [&str; 6] = ["mp4", "mkv", "mov", "webm", "avi", "gif"];

/// Of frames that cannot be decoded so many are named.
const NAMED_FRAMES_MAX: usize = 5;

/// Where frames come from.
enum Source {
    Pictures {
        paths: std::vec::IntoIter<PathBuf>,
        /// Other files in the folder.
        others: usize,
    },
    Video(Video),
}

/// A frame that was read.
enum Read {
    /// Its picture is there.
    Whole,
    /// It cannot be decoded; why.
    Damaged(Error),
}

/// Where frames go.
enum Output {
    /// A folder, and the names in it that are taken.
    Folder {
        path: PathBuf,
        /// Names of pictures that were written, in small letters: not every system tells them from capitals.
        names: BTreeSet<String>,
    },
    Video(VideoSink),
}

/// A film that is being looked at.
struct Film {
    output: Output,
    tracker: Tracker,
    rate_hertz: f64,
    /// Frames that were looked at, and frames that cannot be decoded.
    frames: u64,
    damaged: u64,
    /// The first of those, with the reasons.
    named: Vec<String>,
    /// How many frames had which width and height; of many sizes not all are kept.
    sizes: BTreeMap<[u32; 2], u64>,
    /// People in all frames together.
    seen: usize,
    tracks: BTreeSet<TrackId>,
    /// What was seen, a row a frame, where somebody wants to know.
    rows: Option<Vec<Value>>,
}

impl See {
    /// Looks at the frames of a video, or at the pictures of a folder in order of their numbers.
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
            damaged: 0,
            named: Vec::new(),
            sizes: BTreeMap::new(),
            seen: 0,
            tracks: BTreeSet::new(),
            rows: self.json.then(Vec::new),
        };
        let mut ended = None;
        while ended.is_none() {
            let (mut read, mut glances) = (Vec::new(), Vec::new());
            while read.len() < together && ended.is_none() {
                let mut glance = Glance::default();
                match source.next_frame(film.taken() + read.len() as u64 + 1, &mut glance.picture) {
                    Ok(Some((name, Read::Whole))) => {
                        read.push((name, None));
                        glances.push(glance);
                    }
                    Ok(Some((name, Read::Damaged(error)))) => read.push((name, Some(error))),
                    Ok(None) => ended = Some(Ok(())),
                    Err(error) => ended = Some(Err(error)),
                }
            }
            pipeline::look(&mut sessions, &mut glances)?;
            let mut glances = glances.into_iter();
            for (name, damage) in read {
                match damage {
                    Some(error) => film.lose(name, &error),
                    None => glances.next().map_or(Ok(()), |glance| film.take(name, glance))?,
                }
            }
        }
        let ended = ended.unwrap_or(Ok(()));
        if film.frames == 0 {
            let none =
                || Err(film.lost().unwrap_or_else(|| Error::input("there is no frame in it")).at_path(&self.path));
            return ended.and_then(|()| none());
        }
        let lost = film.lost().map(|error| error.at_path(&self.path));
        film.finish(self, source.others())?;
        // What was read before the damage is kept, and the damage is told.
        ended.and(lost.map_or(Ok(()), Err))
    }

    /// Where the frames are, and how many there are a second.
    fn source(&self) -> Result<(Source, f64)> {
        if self.path.is_dir() {
            let (paths, others) = ingest::pictures(&self.path)?;
            return Ok((Source::Pictures { paths: paths.into_iter(), others }, self.rate.unwrap_or(10.0)));
        }
        let video = Video::open(&self.path)?;
        let rate = self.rate.unwrap_or(video.rate_hertz());
        Ok((Source::Video(video), rate))
    }
}

impl Film {
    /// Frames so far, also those that cannot be decoded.
    fn taken(&self) -> u64 {
        self.frames + self.damaged
    }

    /// Notes a frame that cannot be decoded. Time passes all the same.
    fn lose(&mut self, name: String, error: &Error) {
        if self.named.len() < NAMED_FRAMES_MAX {
            self.named.push(format!("{name} ({})", error.message()));
        }
        if let Some(rows) = &mut self.rows {
            rows.push(json!({ "picture": name, "undecodable": error.message() }));
        }
        self.damaged += 1;
    }

    /// Which frames cannot be decoded, if there are some.
    fn lost(&self) -> Option<Error> {
        let named = self.named.join(", ");
        let more = self.damaged.saturating_sub(self.named.len() as u64);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let (damaged, all) = (self.damaged, self.taken());
        let sentence = format!("{damaged} of {all} frames cannot be decoded and were left out: {named}{more}");
        (0 < damaged).then(|| Error::input(sentence))
    }

    /// Draws what is seen in the next frame, and who is who.
    fn take(&mut self, name: String, glance: Glance) -> Result<()> {
        let Glance { mut picture, detections, .. } = glance;
        let at = ShopTime::from_nanos(0) + Span::from_secs(self.taken() as f64 / self.rate_hertz);
        let size = [picture.width(), picture.height()];
        if self.sizes.len() < FRAME_SIZES_MAX || self.sizes.contains_key(&size) {
            *self.sizes.entry(size).or_insert(0) += 1;
        }
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

    fn finish(self, see: &See, others: usize) -> Result<()> {
        self.output.finish()?;
        let (tracks, damaged) = (self.tracks.len(), self.damaged);
        let sizes: Vec<String> =
            self.sizes.iter().map(|([width, height], count)| format!("{count} of {width}x{height}")).collect();
        if let Some(rows) = self.rows {
            let sizes = self.sizes.iter().map(|(size, count)| json!({ "size_pixels": size, "frames": count }));
            let sizes: Vec<Value> = sizes.collect();
            let answer = json!({
                "tracks": tracks, "dropped_undecodable": damaged, "other_files": others, "sizes": sizes, "frames": rows,
            });
            return print(&format!("{answer}\n"));
        }
        let path = see.output()?.display();
        let mut text = format!("{path}: {} frames, {} people in them, {tracks} tracks\n", self.frames, self.seen);
        if 1 < sizes.len() {
            text += &format!("frames are of several sizes, between which tracks break: {}\n", sizes.join(", "));
        }
        if 0 < others {
            text += &format!("{others} other files in the folder are no pictures that are read, and were left out\n");
        }
        print(&text)
    }
}

impl Source {
    /// Reads the next frame, the `number`th; gives its name, `None` at the end.
    fn next_frame(&mut self, number: u64, picture: &mut RgbImage) -> Result<Option<(String, Read)>> {
        match self {
            Source::Video(video) => Ok(video.next_frame(picture)?.then(|| (format!("{number:06}.jpg"), Read::Whole))),
            Source::Pictures { paths, .. } => {
                let Some(path) = paths.next() else { return Ok(None) };
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                match read_picture(&path) {
                    Ok(whole) => *picture = whole,
                    Err(error) if error.kind() == Kind::Input => return Ok(Some((name, Read::Damaged(error)))),
                    Err(error) => return Err(error),
                }
                Ok(Some((name, Read::Whole)))
            }
        }
    }

    /// Files beside the frames.
    fn others(&self) -> usize {
        match self {
            Source::Pictures { others, .. } => *others,
            Source::Video(_) => 0,
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
            Output::Folder { path, names } => {
                // What stands behind the last point may be a number.
                let (plain, ending) = name.rsplit_once('.').unwrap_or((name, ""));
                let is_number = ending.bytes().all(|byte| byte.is_ascii_digit());
                let plain = format!("{}.jpg", if is_number { name } else { plain });
                // Frames `1.png` and `1.jpg` are two.
                let mut free = [plain, format!("{name}.jpg")].into_iter();
                let mut more = (2_u64..).map(|number| format!("{name}-{number}.jpg"));
                let mut next = || free.next().or_else(|| more.next()).unwrap_or_default();
                let mut chosen = next();
                while !names.insert(chosen.to_lowercase()) {
                    chosen = next();
                }
                write(picture, &path.join(chosen))
            }
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

/// Whether a file of this name is to be a video.
pub(super) fn is_video_name(path: &Path) -> bool {
    ingest::ends_in(path, &VIDEOS)
}
