//! Video files of any kind, read and written by the program `ffmpeg` (ffmpeg.org), which has to be installed: it knows every
//! codec that cameras and recorders use, and a file that breaks it breaks a process of its own.

use std::ffi::OsString;
use std::fs;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;

use serde_json::Value;

use crate::base::limits::{PICTURE_BYTES_MAX, PICTURE_SIDE_PIXELS_MAX};
use crate::base::{Error, Result};
use crate::image::RgbImage;
use crate::output::OutputFile;

/// Of what the program says, this much is kept, bytes.
const SAID_BYTES_MAX: usize = 4_096;
/// What a frame is read and written through, bytes.
const PIPE_BYTES: usize = 1 << 20;
/// Pixels of a frame, at most: three bytes each are held.
const PIXELS_MAX: u64 = PICTURE_BYTES_MAX / 3;
/// Frames of a video may become larger on the way by so much, and small ones always may have so many pixels.
const GROWTH_MAX: u64 = 4;
const GROWTH_PIXELS_MIN: u64 = 1 << 20;
/// Of the frames that a file promises so many, or one in so many, may be missing: the first ones after a cut lean on others
/// that were cut off, and frames whose rate changes are left out or repeated.
const MISSING_FRAMES_MAX: u64 = 2;
const MISSING_PART: u64 = 100;

/// What ffprobe is asked for.
const ASKED: &str = "stream=codec_type,avg_frame_rate,r_frame_rate,width,height,nb_frames,duration,field_order:\
                     stream_disposition=attached_pic,timed_thumbnails:format=format_name";

/// The frames of a video file at a constant rate, in order, upright and with eight bits a colour. Frames of a file whose rate
/// changes are left out or repeated, so that the time of each is its number over the rate; frames of another size than the
/// first are scaled to it.
pub struct Video {
    path: PathBuf,
    child: Child,
    frames: BufReader<ChildStdout>,
    said: Option<JoinHandle<String>>,
    about: About,
    taken: u64,
}

/// What a file says of its pictures.
#[derive(Clone, Debug, PartialEq)]
struct About {
    /// Frames a second, as a ratio.
    rate: String,
    rate_hertz: f64,
    /// Pixels of a frame.
    pixels: u64,
    /// Frames, where the file says how many.
    frames: Option<u64>,
    /// Whether a frame is two half pictures of two instants.
    is_interlaced: bool,
}

/// A video file that is being written: H.264 or what the ending of its name stands for. It is there only when it is whole.
pub struct VideoSink {
    path: PathBuf,
    rate_hertz: f64,
    /// The program, once the size of the frames is known; it ends before its file goes.
    running: Option<Running>,
    output: OutputFile,
}

struct Running {
    child: Stopped,
    frames: ChildStdin,
    said: JoinHandle<String>,
    size_pixels: [u32; 2],
}

impl Video {
    /// Opens a video file.
    ///
    /// # Errors
    /// When `ffmpeg` or `ffprobe` is not installed, or the file has no video that they can read.
    pub fn open(path: &Path) -> Result<Self> {
        fs::metadata(path).map_err(|error| Error::io("read", path, &error))?;
        let about = probe(path)?;
        let mut command = Command::new("ffmpeg");
        command.args(["-nostdin", "-v", "error", "-protocol_whitelist", "file,pipe"]);
        command.args(["-max_pixels", &about.pixels_max().to_string(), "-i"]).arg(as_file(path));
        // Pictures of covers and previews (`v` without `V`) are no frames.
        command.args(["-map", "0:V:0", "-fps_mode", "cfr", "-r", &about.rate]);
        // The first frame is at no time at all: one that the file puts later would be repeated until then.
        let filters = if about.is_interlaced { "setpts=PTS-STARTPTS,yadif" } else { "setpts=PTS-STARTPTS" };
        command.args(["-vf", filters]);
        command.args(["-f", "image2pipe", "-c:v", "ppm", "-pix_fmt", "rgb24", "-"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| lacks("ffmpeg", &error))?;
        let (Some(frames), Some(said)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(Error::io("read", path, &std::io::ErrorKind::BrokenPipe.into()));
        };
        Ok(Video {
            path: path.to_owned(),
            child,
            frames: BufReader::with_capacity(PIPE_BYTES, frames),
            said: Some(listen(said)),
            about,
            taken: 0,
        })
    }

    /// Frames a second.
    pub fn rate_hertz(&self) -> f64 {
        self.about.rate_hertz
    }

    /// Reads the next frame into a picture; `false` at the end.
    ///
    /// # Errors
    /// At the end of a file that is damaged or broken off; the frames that were read until then are right.
    pub fn next_frame(&mut self, picture: &mut RgbImage) -> Result<bool> {
        let Video { path, frames, taken, about, .. } = self;
        let unreadable = |error: std::io::Error| Error::io("read", path, &error);
        let Some(size) = read_header(frames).map_err(unreadable)? else {
            return self.end().map(|()| false);
        };
        let is_long = size.iter().any(|side| *side == 0 || PICTURE_SIDE_PIXELS_MAX < *side);
        if is_long || about.pixels_max() < size.map(u64::from).iter().product() {
            let message = format!("a frame of {}x{} pixels, more than the file said", size[0], size[1]);
            return Err(Error::input(message).at_path(path));
        }
        picture.resize(size[0], size[1]);
        frames.read_exact(picture.pixels_mut()).map_err(unreadable)?;
        *taken += 1;
        Ok(true)
    }

    /// What the program has to say of the file, now that there are no more frames.
    fn end(&mut self) -> Result<()> {
        let Some(said) = self.said.take() else { return Ok(()) };
        let status = self.child.wait().map_err(|error| Error::io("read", &self.path, &error))?;
        let said = said.join().unwrap_or_default();
        let (taken, missing) = (self.taken, self.about.missing(self.taken));
        let of = self.about.frames.filter(|all| taken < *all).map_or_else(String::new, |all| format!(" of {all}"));
        let message = match status.success() && said.is_empty() {
            true if missing == 0 => return Ok(()),
            true => format!("the video ended after {taken}{of} frames"),
            false => format!("the video is damaged or broken off after {taken}{of} frames{}", because(&said)),
        };
        Err(Error::input(message).at_path(&self.path).hint("what is before the damage was read"))
    }
}

impl About {
    /// Pixels that a frame may have.
    fn pixels_max(&self) -> u64 {
        self.pixels.saturating_mul(GROWTH_MAX).clamp(GROWTH_PIXELS_MIN, PIXELS_MAX)
    }

    /// How many of the promised frames did not come; few are none.
    fn missing(&self, taken: u64) -> u64 {
        let Some(all) = self.frames else { return 0 };
        let missing = all.saturating_sub(taken);
        if missing <= MISSING_FRAMES_MAX.max(all / MISSING_PART) { 0 } else { missing }
    }
}

impl Drop for Video {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}

impl VideoSink {
    /// A file that is written with so many frames a second; one that is there is written over at the end.
    ///
    /// # Errors
    /// When it cannot be written to.
    pub fn new(path: &Path, rate_hertz: f64) -> Result<Self> {
        // The program goes by the ending of the name.
        let ending = path.extension().map_or_else(String::new, |ending| format!(".{}", ending.to_string_lossy()));
        let output = OutputFile::with_ending(path, &ending)?;
        Ok(VideoSink { path: path.to_owned(), output, rate_hertz, running: None })
    }

    /// Appends a frame; the first one says how large all are.
    ///
    /// # Errors
    /// When `ffmpeg` is not installed or cannot write, or the frame is of another size than the first.
    pub fn put(&mut self, picture: &RgbImage) -> Result<()> {
        let size = [picture.width(), picture.height()];
        if self.running.is_none() {
            self.running = Some(self.start(size)?);
        }
        let Some(running) = &mut self.running else { return Ok(()) };
        if running.size_pixels != size {
            let [width, height] = running.size_pixels;
            let message = format!("a frame of {}x{} pixels in a video of {width}x{height}", size[0], size[1]);
            return Err(Error::input(message).at_path(&self.path));
        }
        let Err(error) = running.frames.write_all(picture.pixels()) else { return Ok(()) };
        // The program has given up; why, it says when it is asked for the end.
        self.close().and(Err(Error::io("write", &self.path, &error)))
    }

    /// Ends the file and puts it in its place.
    ///
    /// # Errors
    /// When it could not be written, or there was no frame.
    pub fn finish(mut self) -> Result<()> {
        if self.running.is_none() {
            return Err(Error::input("there is no frame to make a video of").at_path(&self.path));
        }
        self.close()?;
        self.output.finish()
    }

    fn start(&self, [width, height]: [u32; 2]) -> Result<Running> {
        let mut command = Command::new("ffmpeg");
        command.args(["-nostdin", "-y", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24"]);
        command.args(["-s", &format!("{width}x{height}"), "-r", &self.rate_hertz.to_string(), "-i", "-"]);
        // Players want even sides and this way of keeping colours.
        command
            .args(["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p"])
            .arg(as_file(self.output.passing_path()));
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| lacks("ffmpeg", &error))?;
        match (child.stdin.take(), child.stderr.take()) {
            (Some(frames), Some(said)) => {
                Ok(Running { child: Stopped(child), frames, said: listen(said), size_pixels: [width, height] })
            }
            _ => Err(Error::io("write", &self.path, &std::io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn close(&mut self) -> Result<()> {
        let Some(Running { mut child, frames, said, .. }) = self.running.take() else { return Ok(()) };
        drop(frames);
        let status = child.0.wait().map_err(|error| Error::io("write", &self.path, &error))?;
        let said = said.join().unwrap_or_default();
        if status.success() {
            return Ok(());
        }
        Err(Error::input(format!("the video cannot be written{}", because(&said))).at_path(&self.path))
    }
}

/// A program that does not outlive what it is for.
struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        stop(&mut self.0);
    }
}

/// A path as an address that can be nothing but a file.
fn as_file(path: &Path) -> OsString {
    let mut address = OsString::from("file:");
    address.push(path);
    address
}

/// What a file says of its first stream of pictures.
///
/// # Errors
/// When it has none, or pictures that are larger than what is read.
fn probe(path: &Path) -> Result<About> {
    let mut command = Command::new("ffprobe");
    command.args(["-v", "error", "-protocol_whitelist", "file", "-max_pixels", &PIXELS_MAX.to_string()]);
    command.args(["-show_entries", ASKED, "-of", "json"]);
    let output = command.arg(as_file(path)).stdin(Stdio::null()).output().map_err(|error| lacks("ffprobe", &error))?;
    let said = String::from_utf8_lossy(&output.stderr);
    about(&output.stdout, &said).map_err(|message| Error::input(message).at_path(path))
}

/// What ffprobe says in JSON, and beside it in words.
fn about(json: &[u8], said: &str) -> std::result::Result<About, String> {
    let none = || format!("no video that can be read{}", because(said));
    let found: Value = serde_json::from_slice(json).map_err(|_| none())?;
    let streams = found["streams"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_still = |stream: &&Value| {
        let is = |what: &str| stream["disposition"][what].as_i64().is_some_and(|flag| flag != 0);
        is("attached_pic") || is("timed_thumbnails")
    };
    let moves = |stream: &&Value| stream["codec_type"] == "video" && !is_still(stream);
    let Some(stream) = streams.iter().find(moves) else {
        let sounds = streams.iter().any(|stream| stream["codec_type"] == "audio");
        return Err(if sounds { "there is sound in it, and no video".to_owned() } else { none() });
    };
    let number = |key: &str| stream[key].as_str().and_then(|text| text.parse::<f64>().ok());
    let side = |key: &str| stream[key].as_u64().filter(|side| 0 < *side).ok_or_else(none);
    let (width, height) = (side("width")?, side("height")?);
    if u64::from(PICTURE_SIDE_PIXELS_MAX) < width.max(height) || PIXELS_MAX < width.saturating_mul(height) {
        return Err(format!(
            "frames of {width}x{height} pixels; up to {PICTURE_SIDE_PIXELS_MAX} a side and {PIXELS_MAX} in all are read"
        ));
    }
    // The mean is 0/0 where the file does not say.
    let rates = ["avg_frame_rate", "r_frame_rate"].into_iter().filter_map(|key| stream[key].as_str());
    let Some((rate, rate_hertz)) = rates.filter_map(|rate| Some((rate.to_owned(), ratio(rate)?))).next() else {
        return Err("the video does not say how many frames a second it has".to_owned());
    };
    // A file of this family that was cut without decoding promises the frames of the whole, and plays the part; others guess
    // how long they play from their bytes.
    let is_edited = found["format"]["format_name"].as_str().is_some_and(|name| name.contains("mov"));
    let played = number("duration").filter(|_| is_edited).map_or(f64::INFINITY, |secs| secs * rate_hertz);
    let frames = number("nb_frames").map(|all| all.min(played).max(0.0).round() as u64);
    let is_interlaced = matches!(stream["field_order"].as_str(), Some("tt" | "bb" | "tb" | "bt"));
    Ok(About { rate, rate_hertz, pixels: width * height, frames, is_interlaced })
}

/// A rate as ffprobe writes it, `30000/1001`.
fn ratio(text: &str) -> Option<f64> {
    let (over, under) = text.trim().split_once('/')?;
    let rate = over.parse::<f64>().ok()? / under.parse::<f64>().ok()?;
    (0.0 < rate && rate <= 1_000.0).then_some(rate)
}

/// The sides of the next picture in the form of PPM (`P6`, as ffmpeg writes it, without comments); `None` at the end.
fn read_header(frames: &mut impl Read) -> std::io::Result<Option<[u32; 2]>> {
    let broken = || std::io::Error::from(std::io::ErrorKind::InvalidData);
    let mut words: [String; 4] = Default::default();
    for (number, word) in words.iter_mut().enumerate() {
        loop {
            let mut byte = [0];
            if frames.read(&mut byte)? == 0 {
                let nothing = number == 0 && word.is_empty();
                return if nothing { Ok(None) } else { Err(broken()) };
            }
            match byte[0] {
                b' ' | b'\n' => break,
                letter if word.len() < 8 => word.push(char::from(letter)),
                _ => return Err(broken()),
            }
        }
    }
    let side = |word: &String| word.parse::<u32>().map_err(|_| broken());
    match words {
        [magic, width, height, depth] if magic == "P6" && depth == "255" => Ok(Some([side(&width)?, side(&height)?])),
        _ => Err(broken()),
    }
}

/// Takes in what a program says, so that it never waits for a reader; the beginning is kept.
fn listen(mut said: ChildStderr) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        drop(said.by_ref().take(SAID_BYTES_MAX as u64).read_to_end(&mut kept));
        drop(std::io::copy(&mut said, &mut std::io::sink()));
        String::from_utf8_lossy(&kept).trim().to_owned()
    })
}

/// The first line of what a program said, as the end of a sentence, without which part of it in which place of memory says
/// so (`[mjpeg @ 0x5568]`).
fn because(said: &str) -> String {
    let mut line = said.trim().lines().next().unwrap_or_default();
    while let Some((part, rest)) = line.strip_prefix('[').and_then(|rest| rest.split_once("] "))
        && part.contains(" @ 0x")
    {
        line = rest;
    }
    if line.is_empty() { String::new() } else { format!(": {line}") }
}

fn lacks(program: &str, error: &std::io::Error) -> Error {
    if error.kind() != std::io::ErrorKind::NotFound {
        return Error::io("start", Path::new(program), error);
    }
    Error::missing(format!("the program {program} is not installed, and it is what reads and writes video"))
        .hint("install ffmpeg (`apt-get install ffmpeg`, `brew install ffmpeg`), or give a folder of pictures")
}

fn stop(child: &mut Child) {
    // Both fail only for a program that has ended by itself.
    drop(child.kill());
    drop(child.wait());
}

#[cfg(test)]
mod tests {
    use super::{about, because, ratio, read_header};

    #[test]
    fn a_rate_is_a_ratio_above_nothing() {
        assert_eq!(ratio("25/1\n"), Some(25.0));
        assert!(ratio("30000/1001").is_some_and(|rate| (rate - 29.97).abs() < 0.001));
        assert!(["0/0", "0/1", "N/A", "", "-5/1", "1000000/1"].into_iter().all(|text| ratio(text).is_none()));
    }

    #[test]
    fn the_head_of_a_picture_says_its_sides() {
        let read = |text: &str| read_header(&mut text.as_bytes()).ok();
        assert_eq!(read("P6\n640 360\n255\nrest"), Some(Some([640, 360])));
        assert_eq!(read(""), Some(None));
        assert!(
            ["P6\n640", "P5\n1 1\n255\n", "P6\n1 1\n65535\n", "P6\n1 -1\n255\n"]
                .into_iter()
                .all(|text| read(text).is_none())
        );
    }

    #[test]
    fn programs_are_quoted_without_their_places_in_memory() {
        assert_eq!(because("[mjpeg @ 0x55] [IMGUTILS @ 0x7f] Size 1x1 is invalid\nmore"), ": Size 1x1 is invalid");
        assert_eq!((because(" \n"), because("[note] as it is")), (String::new(), ": [note] as it is".to_owned()));
    }

    /// What ffprobe writes of streams like these.
    fn probed(streams: &str) -> Result<super::About, String> {
        let format = r#"{"format_name":"mov,mp4,m4a,3gp,3g2,mj2"}"#;
        about(format!(r#"{{"programs":[],"streams":[{streams}],"format":{format}}}"#).as_bytes(), "")
    }

    const SOUND: &str = r#"{"codec_type":"audio","avg_frame_rate":"0/0","disposition":{"attached_pic":0}}"#;

    fn stream(more: &str) -> String {
        format!(r#"{{"codec_type":"video","width":1920,"height":1080,"r_frame_rate":"25/1"{more}}}"#)
    }

    #[test]
    fn the_first_stream_of_pictures_counts() {
        let cover = stream(r#","disposition":{"attached_pic":1}"#);
        assert_eq!(probed(&format!("{SOUND},{cover}")), Err("there is sound in it, and no video".to_owned()));
        assert_eq!(probed(""), Err("no video that can be read".to_owned()));
        let film = stream(r#","avg_frame_rate":"30000/1001","nb_frames":"90","duration":"2.002","field_order":"tt""#);
        let about = probed(&format!("{SOUND},{cover},{film}")).unwrap();
        assert_eq!((about.rate.as_str(), about.frames, about.is_interlaced), ("30000/1001", Some(60), true));
        let silent = probed(&stream(r#","avg_frame_rate":"0/0""#)).unwrap();
        assert_eq!((silent.rate_hertz, silent.frames, silent.is_interlaced), (25.0, None, false));
    }

    #[test]
    fn frames_are_bounded_by_what_the_file_said() {
        let about = probed(&stream("")).unwrap();
        assert_eq!(about.pixels_max(), 4 * 1920 * 1080);
        let large = probed(&stream("").replace("1920", "16384").replace("1080", "16384")).unwrap_err();
        assert!(large.contains("16384x16384"), "{large}");
        assert!(probed(&stream("").replace("1920", "0")).is_err());
    }

    #[test]
    fn a_few_frames_may_be_missing_and_more_are_told() {
        let about = |all: u64| super::About { frames: Some(all), ..probed(&stream("")).unwrap() };
        assert_eq!([25, 23, 22, 0].map(|taken| about(25).missing(taken)), [0, 0, 3, 25]);
        assert_eq!([990, 989].map(|taken| about(1_000).missing(taken)), [0, 11]);
        assert_eq!(probed(&stream("")).unwrap().missing(1), 0);
    }
}
