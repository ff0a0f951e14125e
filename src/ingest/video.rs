//! Video files of any kind, read and written by the program `ffmpeg` (ffmpeg.org), which has to be installed: it knows every
//! codec that cameras and recorders use, and a file that breaks it breaks a process of its own.

use std::ffi::OsString;
use std::fs;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;

use crate::base::limits::PICTURE_SIDE_PIXELS_MAX;
use crate::base::{Error, Result};
use crate::image::RgbImage;
use crate::output::OutputFile;

/// Of what the program says, this much is kept, bytes.
const SAID_BYTES_MAX: usize = 4_096;
/// What a frame is read and written through, bytes.
const PIPE_BYTES: usize = 1 << 20;

/// The frames of a video file at a constant rate, in order. Frames of a file whose rate changes are left out or repeated, so
/// that the time of each is its number over the rate.
pub struct Video {
    path: PathBuf,
    child: Child,
    frames: BufReader<ChildStdout>,
    said: Option<JoinHandle<String>>,
    rate_hertz: f64,
    taken: u64,
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
        let rate = rate(path)?;
        let mut command = Command::new("ffmpeg");
        command.args(["-nostdin", "-v", "error", "-protocol_whitelist", "file,pipe", "-i"]).arg(as_file(path));
        command.args(["-map", "0:v:0", "-fps_mode", "cfr", "-r", &rate, "-f", "image2pipe", "-c:v", "ppm", "-"]);
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
            rate_hertz: ratio(&rate).unwrap_or(1.0),
            taken: 0,
        })
    }

    /// Frames a second.
    pub fn rate_hertz(&self) -> f64 {
        self.rate_hertz
    }

    /// Reads the next frame into a picture; `false` at the end.
    ///
    /// # Errors
    /// At the end of a file that is damaged or broken off; the frames that were read until then are right.
    pub fn next_frame(&mut self, picture: &mut RgbImage) -> Result<bool> {
        let Video { path, frames, taken, .. } = self;
        let unreadable = |error: std::io::Error| Error::io("read", path, &error);
        let Some(size) = read_header(frames).map_err(unreadable)? else {
            return self.end().map(|()| false);
        };
        if size.iter().any(|side| *side == 0 || PICTURE_SIDE_PIXELS_MAX < *side) {
            let message = format!("frames of {}x{} pixels; up to {PICTURE_SIDE_PIXELS_MAX} are read", size[0], size[1]);
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
        if status.success() && said.is_empty() {
            return Ok(());
        }
        let message = format!("the video is damaged or broken off after {} frames{}", self.taken, because(&said));
        Err(Error::input(message).at_path(&self.path).hint("what is before the damage was read"))
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

/// Frames a second of the first video stream, as a ratio.
fn rate(path: &Path) -> Result<String> {
    let mut command = Command::new("ffprobe");
    command.args(["-v", "error", "-protocol_whitelist", "file", "-select_streams", "v:0"]);
    command.args(["-show_entries", "stream=avg_frame_rate,r_frame_rate", "-of", "default=nw=1:nk=1"]);
    let output = command.arg(as_file(path)).stdin(Stdio::null()).output().map_err(|error| lacks("ffprobe", &error))?;
    let text = String::from_utf8_lossy(&output.stdout);
    // The mean comes second, and is 0/0 where the file does not say.
    let rate = text.lines().rev().find(|line| ratio(line).is_some());
    rate.map(str::to_owned).ok_or_else(|| {
        let why = because(&String::from_utf8_lossy(&output.stderr));
        Error::input(format!("no video that can be read{why}")).at_path(path)
    })
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

/// The first line of what a program said, as the end of a sentence.
fn because(said: &str) -> String {
    said.trim().lines().next().map_or_else(String::new, |line| format!(": {line}"))
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
    use super::{ratio, read_header};

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
}
