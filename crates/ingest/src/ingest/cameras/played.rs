//! Films and folders of pictures that are played as if a camera sent them: each frame when it is due, its time the one at which it
//! was due.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::clock::Device;
use super::multipart::PICTURE_BYTES_MAX;
use super::session::{About, Event, Link, Picture, Session, Watches, span};
use super::trouble::Trouble;
use crate::image::{PictureFormat, RgbImage, decode_picture, encode_jpeg};
use crate::ingest::{Video, pictures};

/// Pictures of a folder a second, where the shop does not say.
const PICTURES_HERTZ: f64 = 10.0;
/// When reading is so late, the rest is played later instead of all at once.
const LATE_MAX: Duration = Duration::from_secs(1);

/// How something is played.
#[derive(Clone, Copy, Debug)]
pub(super) struct Playing {
    /// Again and again.
    pub(super) repeat: bool,
    /// Of frames that are not JPEG.
    pub(super) quality: u8,
    /// Of a folder of pictures.
    pub(super) rate_hertz: Option<f64>,
}

/// Begins to play a video file.
///
/// # Errors
/// When it cannot be opened, or no thread can be started.
pub(super) fn film(path: &Path, playing: Playing, watches: &Watches) -> Result<Session, Trouble> {
    let first = Video::open(path).map_err(|error| lasting(&error))?;
    let path = path.to_owned();
    let mut session = Session::new(watches);
    session.run("camera-film", move |link| {
        let mut pace = Pace::new(first.rate_hertz());
        let about = About { codec: "video".to_owned(), declared_hertz: Some(first.rate_hertz()), ..About::default() };
        link.tell(Event::About(about));
        let mut video = Some(first);
        let ended = loop {
            let opened = video.take().map_or_else(|| Video::open(&path), Ok);
            match opened.map_err(|error| lasting(&error)).and_then(|video| one_film(video, playing, &mut pace, &link)) {
                Ok(true) if playing.repeat => {}
                Ok(true) => break Event::Finished,
                Ok(false) => return,
                Err(trouble) => break Event::Ended(trouble),
            }
        };
        link.tell(ended);
    })?;
    Ok(session.begun())
}

/// Plays a film to its end; `false` when nobody looks any more.
fn one_film(mut video: Video, playing: Playing, pace: &mut Pace, link: &Link) -> Result<bool, Trouble> {
    let mut picture = RgbImage::new(0, 0);
    while video.next_frame(&mut picture).map_err(|error| lasting(&error))? {
        let data = encode_jpeg(&picture, playing.quality).map_err(|error| lasting(&error))?;
        if !pace.tell(data, link) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Begins to play a folder of pictures.
///
/// # Errors
/// When there are none, or no thread can be started.
pub(super) fn folder(path: &Path, playing: Playing, watches: &Watches) -> Result<Session, Trouble> {
    let (paths, _) = pictures(path).map_err(|error| lasting(&error))?;
    let rate_hertz = playing.rate_hertz.unwrap_or(PICTURES_HERTZ);
    let mut session = Session::new(watches);
    session.run("camera-pictures", move |link| {
        link.tell(Event::About(About { codec: "pictures".to_owned(), ..About::default() }));
        let mut pace = Pace::new(rate_hertz);
        loop {
            if !one_folder(&paths, playing, &mut pace, &link) {
                return;
            }
            if !playing.repeat {
                link.tell(Event::Finished);
                return;
            }
        }
    })?;
    Ok(session.begun())
}

/// Plays all pictures; `false` when nobody looks any more. One that cannot be read is counted, and its time passes.
fn one_folder(paths: &[PathBuf], playing: Playing, pace: &mut Pace, link: &Link) -> bool {
    paths.iter().all(|path| match read(path, playing.quality) {
        Some(data) => pace.tell(data, link),
        None => pace.due(link).is_some() && link.tell(Event::Undecodable(1)),
    })
}

/// A picture as JPEG; one that is JPEG stays as it is.
fn read(path: &Path, quality: u8) -> Option<Vec<u8>> {
    if (PICTURE_BYTES_MAX as u64) < fs::metadata(path).ok()?.len() {
        return None;
    }
    let bytes = fs::read(path).ok()?;
    match PictureFormat::of(&bytes) {
        Some(PictureFormat::Jpeg) => Some(bytes),
        _ => encode_jpeg(&decode_picture(&bytes).ok()?, quality).ok(),
    }
}

/// When frames are due.
struct Pace {
    begun: Instant,
    played: u32,
    interval: Duration,
}

impl Pace {
    fn new(rate_hertz: f64) -> Self {
        Pace { begun: Instant::now(), played: 0, interval: Duration::from_secs_f64(1.0 / rate_hertz) }
    }

    /// Tells a picture when it is due.
    fn tell(&mut self, data: Vec<u8>, link: &Link) -> bool {
        let Some(due) = self.due(link) else { return false };
        let arrival = link.watches.now();
        // It was due a moment before it came.
        let device = Device { ours: Some(arrival.running - span(due.elapsed())), ..Device::default() };
        link.tell(Event::Picture(Picture { data, device, arrival }))
    }

    /// Waits until the next frame is due, and says when that was.
    fn due(&mut self, link: &Link) -> Option<Instant> {
        let due = self.begun + self.interval * self.played;
        self.played += 1;
        if LATE_MAX < due.elapsed() {
            (self.begun, self.played) = (Instant::now(), 1);
            return Some(self.begun);
        }
        link.wait(due.saturating_duration_since(Instant::now())).then_some(due)
    }
}

fn lasting(error: &crate::base::Error) -> Trouble {
    Trouble::lasting(error.message(), Some("check the path, and that it is a video or a folder of pictures"))
}
