//! `aisle see`: draws what is seen in pictures, so that a person can look, and says how right it is where that is known.
//! It takes a picture, a film or a recording, and gives pictures, people on the floor and figures. It never
//! changes what it is given.

mod draw;
mod film;
mod map;
mod recording;

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::looking::LookArgs;
use super::lost::LossArgs;
use crate::base::{Error, Result};
use crate::facts::{Detection, DetectionClass};
use crate::image::{RgbImage, encode_jpeg, encode_png, is_picture, read_picture};
use crate::ingest::ends_in;
use crate::models::Purpose;
use crate::output;
use crate::pipeline;
use crate::vision::Glance;

/// Quality of a JPEG that is written.
const JPEG_QUALITY: u8 = 90;
/// What an MCAP file begins with.
const RECORDING_MAGIC: &[u8] = b"\x89MCAP";

/// Draw what is seen in a picture, a video, a folder of frames or a recording, and judge it where the truth is known.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  aisle see aisle.jpg -o seen.png
  aisle see hands.png -o seen.png --network mediapipe_palm --network mediapipe_hand
  aisle see clip.mp4 -o seen.mp4                    a video of one camera, with track numbers; needs ffmpeg
  aisle see frames -o seen --rate 25                the same for a folder of frames
  aisle see trip.mcap -o seen                       pictures of all cameras, and people on the floor in floor.jsonl
  aisle see trip.mcap --truth --noise 2             no networks: how right is what comes after them
  aisle see trip.mcap --json                        figures only

Networks that look at what others found come after them: joints of one person after people, points of a hand after hands.
A recording needs calibrated cameras in its shop, and a network for joints.")]
pub(super) struct See {
    /// A picture (JPEG, PNG, BMP, WebP or GIF), a video, a folder of pictures, or a recording.
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// For a picture the picture to write, a .png or .jpg; for frames a video to write, such as .mp4; else a folder, one that
    /// does not exist yet or is empty.
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Use the recorded ground truth as detections instead of models: whoever can be seen, without hidden joints.
    #[arg(long, conflicts_with = "model")]
    truth: bool,
    /// Standard deviation of the noise on every coordinate taken from the ground truth, pixels.
    #[arg(long, value_name = "PIXELS", default_value_t = 0.0, requires = "truth", value_parser = parse_noise)]
    noise: f64,
    /// Random seed of that noise.
    #[arg(long, value_name = "SEED", default_value_t = 1, requires = "truth")]
    seed: u64,
    /// Frames a second; 10 in a folder of frames, in a video as it says, unless given.
    #[arg(long, value_name = "HERTZ", value_parser = parse_rate)]
    rate: Option<f64>,
    #[command(flatten)]
    losing: LossArgs,
    #[command(flatten)]
    looking: LookArgs,
    /// Print what is seen, of a recording the figures, as JSON on standard output.
    #[arg(long)]
    json: bool,
}

impl See {
    /// Runs the command.
    ///
    /// # Errors
    /// When what is given or a model cannot be read, or the result cannot be written.
    pub(super) fn run(self) -> Result<()> {
        if let Some(output) = &self.output {
            output::check_inputs(output, [self.path.as_path()].into_iter().chain(self.looking.inputs()))?;
        }
        if self.path.is_dir() {
            return self.see_film();
        }
        let unreadable = |error| Error::io("read", &self.path, &error);
        let (mut file, mut bytes) = (File::open(&self.path).map_err(unreadable)?, Vec::new());
        file.by_ref().take(RECORDING_MAGIC.len() as u64).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes == RECORDING_MAGIC {
            return self.see_recording();
        }
        let moves = self.output.as_deref().is_some_and(film::is_video_name);
        if moves || !is_picture(&self.path)? {
            return if self.wants_picture() { Err(self.no_picture()) } else { self.see_film() };
        }
        self.see_picture()
    }

    fn see_picture(&self) -> Result<()> {
        self.refuse_truth("a picture")?;
        let output = self.output()?;
        let encode = encoder(output)?;
        let picture = read_picture(&self.path)?;
        let mut sessions = self.looking.sessions(Purpose::Picture, Some(1))?;
        let mut glances = [Glance { picture, ..Glance::default() }];
        pipeline::look(&mut sessions, &mut glances)?;
        let [Glance { mut picture, detections: seen, .. }] = glances;
        seen.iter().for_each(|found| draw::detection(&mut picture, found));
        output::write(output, &encode(&picture)?)?;
        if self.json {
            return crate::cli::print(&format!("{}\n", json!(seen)));
        }
        crate::cli::print(&format!("{}: {}\n", output.display(), summary(&seen)))
    }

    /// Whether a picture is to be written.
    fn wants_picture(&self) -> bool {
        self.output.as_deref().is_some_and(|output| ends_in(output, &["png", "jpg", "jpeg"]))
    }

    /// What is there is no picture, though one is to be made of it.
    fn no_picture(&self) -> Error {
        let error = Error::input("this is no picture of a kind that is read").at_path(&self.path);
        error.hint(
            "give a JPEG, PNG, BMP, WebP or GIF; frames of a video go into a folder or a video, such as -o seen.mp4",
        )
    }

    fn output(&self) -> Result<&Path> {
        self.output.as_deref().ok_or_else(|| Error::usage("say where it goes: -o PATH"))
    }

    fn refuse_truth(&self, what: &str) -> Result<()> {
        if !self.truth {
            return Ok(());
        }
        Err(Error::usage(format!("{what} does not say what it shows")).hint("--truth is for recordings"))
    }
}

/// Makes a folder to write into; one that is there must be empty.
fn make_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| Error::io("make", folder, &error))?;
    let mut entries = fs::read_dir(folder).map_err(|error| Error::io("read", folder, &error))?;
    if entries.next().is_some() {
        return Err(Error::usage("this folder is not empty").at_path(folder).hint("name one that does not exist yet"));
    }
    Ok(())
}

fn parse_noise(text: &str) -> std::result::Result<f64, String> {
    let pixels = text.parse::<f64>().ok().filter(|pixels| (0.0..=100.0).contains(pixels));
    pixels.ok_or_else(|| format!("`{text}` is not a deviation: write pixels from 0 to 100, such as 2"))
}

fn parse_rate(text: &str) -> std::result::Result<f64, String> {
    let rate = text.parse::<f64>().ok().filter(|rate| (0.1..=1_000.0).contains(rate));
    rate.ok_or_else(|| format!("`{text}` is not a rate: write frames a second from 0.1 to 1000, such as 25"))
}

/// How many of each.
fn summary(seen: &[Detection]) -> String {
    let kinds = [
        (DetectionClass::Person, "people"),
        (DetectionClass::Face, "faces"),
        (DetectionClass::Hand, "hands"),
        (DetectionClass::Product, "products"),
    ];
    let count = |class: DetectionClass| seen.iter().filter(|found| found.class == class).count();
    let mut counts: Vec<String> = kinds.iter().map(|(class, name)| format!("{} {name}", count(*class))).collect();
    let others = seen.iter().filter(|found| matches!(found.class, DetectionClass::Other(_))).count();
    counts.push(format!("{others} other things"));
    counts.retain(|count| !count.starts_with("0 "));
    if counts.is_empty() { "nothing is seen".to_owned() } else { counts.join(", ") }
}

/// What makes a file of a picture.
type Encode = fn(&RgbImage) -> Result<Vec<u8>>;

/// How a picture becomes a file of this name.
fn encoder(path: &Path) -> Result<Encode> {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default();
    match extension.as_str() {
        "png" => Ok(encode_png),
        "jpg" | "jpeg" => Ok(|picture| encode_jpeg(picture, JPEG_QUALITY)),
        _ => Err(Error::usage("the output must end in .png or .jpg").at_path(path)),
    }
}

/// Writes a picture in a folder that was made for it.
fn write(picture: &RgbImage, path: &Path) -> Result<()> {
    output::write_new(path, &encoder(path)?(picture)?)
}
