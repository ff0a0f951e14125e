//! `aisle see`: draws what is seen in pictures, so that a person can look, and says how right it is where that is known.
//! It takes a picture, a folder of frames or a recording, and gives pictures, people on the floor and figures. It never
//! changes what it is given.

mod draw;
mod folder;
mod recording;

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::engine::EngineArgs;
use super::models::{FolderArgs, Library};
use crate::base::{Error, Result};
use crate::facts::{Detection, DetectionClass};
use crate::image::{RgbImage, decode_picture, encode_jpeg, encode_png};
use crate::pipeline::Networks;
use crate::vision::{Decoder, Manifest, Model, Region, Role};

/// The networks that are tried where none is named, the better first; of each role one is used.
const USUAL: [&str; 8] = [
    "yolox_s",
    "yolox_nano",
    "nanodet_m",
    "light_person",
    "yunet_n_640",
    "yunet_s_640",
    "yunet_n_320",
    "movenet_lightning",
];
/// Quality of a JPEG that is written.
const JPEG_QUALITY: u8 = 90;
/// What an MCAP file begins with.
const RECORDING_MAGIC: &[u8] = b"\x89MCAP";

/// Draw what is seen in a picture, a folder of frames or a recording, and judge it where the truth is known.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  aisle see aisle.jpg -o seen.png
  aisle see hands.png -o seen.png --network mediapipe_palm --network mediapipe_hand
  aisle see frames -o seen --rate 25                the frames of one camera, with track numbers
  aisle see trip.mcap -o seen                       pictures of all cameras, and people on the floor in floor.jsonl
  aisle see trip.mcap --truth --noise 2             no networks: how right is what comes after them
  aisle see trip.mcap --json                        figures only

Networks that look at what others found come after them: joints of one person after people, points of a hand after hands.
A recording needs calibrated cameras in its shop, and a network for joints.")]
pub(super) struct See {
    /// A picture (JPEG, PNG, BMP, WebP or GIF), a folder of such pictures, or a recording.
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// For a picture the picture to write, a .png or .jpg; else a folder, one that does not exist yet or is empty.
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// A network to use; may be given again. The best for people, and for faces or joints, if none is.
    #[arg(long = "network", value_name = "NAME", conflicts_with = "truth")]
    networks: Vec<String>,
    /// Take what a recording knows its frames show instead of networks: whoever can be seen, without hidden joints.
    #[arg(long)]
    truth: bool,
    /// Standard deviation of the noise on every coordinate taken from the truth.
    #[arg(long, value_name = "PIXELS", default_value_t = 0.0, requires = "truth", value_parser = parse_noise)]
    noise: f64,
    /// Seed of that noise.
    #[arg(long, value_name = "SEED", default_value_t = 1, requires = "truth")]
    seed: u64,
    /// Frames a second in a folder of frames.
    #[arg(long, value_name = "HERTZ", default_value_t = 10.0, value_parser = parse_rate)]
    rate: f64,
    #[command(flatten)]
    folder: FolderArgs,
    #[command(flatten)]
    engine: EngineArgs,
    /// Frames that are looked at beside each other; one for each core unless given, and one where networks do
    /// not run on the processor.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=256))]
    sessions: Option<u16>,
    /// Frames, and people in them, that one inference takes, where a network was exported for any number.
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    batch: u16,
    /// Where nothing has moved in a recording, see again for so long what was seen last; 0 looks at every frame.
    #[arg(long, value_name = "SECONDS", default_value_t = 0.0, value_parser = parse_still)]
    still_secs: f64,
    /// Print what is seen, of a recording the figures, as JSON on standard output.
    #[arg(long)]
    json: bool,
}

impl See {
    /// Runs the command.
    ///
    /// # Errors
    /// When what is given or a network cannot be read, or the result cannot be written.
    pub(super) fn run(self) -> Result<()> {
        if self.path.is_dir() {
            return self.see_folder();
        }
        let unreadable = |error| Error::io("read", &self.path, &error);
        let (mut file, mut bytes) = (File::open(&self.path).map_err(unreadable)?, Vec::new());
        file.by_ref().take(RECORDING_MAGIC.len() as u64).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes == RECORDING_MAGIC {
            return self.see_recording();
        }
        file.read_to_end(&mut bytes).map_err(unreadable)?;
        self.see_picture(&bytes)
    }

    fn see_picture(&self, bytes: &[u8]) -> Result<()> {
        self.refuse_truth("a picture")?;
        let output = self.output()?;
        let encode = encoder(output)?;
        let mut picture = decode_picture(bytes).map_err(|error| error.at_path(&self.path))?;
        let library = self.folder.open()?;
        let manifests = self.manifests(&library, [Role::People, Role::Faces])?;
        let chosen = self.engine.open()?;
        chosen.tell();
        let mut seen: Vec<Detection> = Vec::new();
        let mut skipped = 0;
        for manifest in manifests {
            let mut model = library.load(manifest, &chosen.engine, self.engine.load_options())?;
            let class = match (manifest.input.region, manifest.role) {
                (Region::Frame, _) => None,
                (Region::Palm, _) => Some(DetectionClass::Hand),
                (Region::FacePoints, _) => Some(DetectionClass::Face),
                (Region::Box { .. }, Role::Products | Role::ProductEmbedding) => Some(DetectionClass::Product),
                (Region::Box { .. }, _) => Some(DetectionClass::Person),
            };
            let Some(class) = class else {
                seen.extend(model.detect(&picture, None)?);
                continue;
            };
            for found in seen.iter_mut().filter(|found| found.class == class) {
                // Boxes without a size and faces without their points cannot be looked at more closely.
                if model.prepare(&picture, Some(found)).is_err() {
                    skipped += 1;
                    continue;
                }
                model.infer()?;
                if let Decoder::Embedding { .. } = manifest.decoder {
                    found.embedding = model.embedding()?;
                } else if let Some(closer) = model.detections().into_iter().next() {
                    found.keypoints = closer.keypoints;
                }
            }
        }
        seen.iter().for_each(|found| draw::detection(&mut picture, found));
        save(&encode(&picture)?, output)?;
        if 0 < skipped {
            eprintln!("warning: {skipped} boxes had no size, or not the points that a network needs, and were skipped");
        }
        if self.json {
            return crate::cli::print(&format!("{}\n", json!(seen)));
        }
        crate::cli::print(&format!("{}: {}\n", output.display(), summary(&seen)))
    }

    /// The networks to use: those named, the ones that look at whole pictures first; else the best of these roles of those that are here.
    fn manifests<'a>(&self, library: &'a Library, roles: [Role; 2]) -> Result<Vec<&'a Manifest>> {
        if !self.networks.is_empty() {
            let mut named = library.choose(&self.networks)?;
            named.sort_by_key(|manifest| manifest.input.region != Region::Frame);
            return Ok(named);
        }
        let here = USUAL.iter().filter_map(|name| library.manifests.get(*name));
        let here: Vec<&Manifest> = here.filter(|manifest| library.weights(manifest).is_some()).collect();
        let best = |role: Role| here.iter().find(|manifest| manifest.role == role).copied();
        let used: Vec<&Manifest> = roles.into_iter().filter_map(best).collect();
        if used.is_empty() {
            return Err(Error::missing("no network for people or faces is here")
                .hint("`aisle models fetch yolox_nano yunet_n_640`, or name others with --network"));
        }
        Ok(used)
    }

    /// The networks that find people and their joints in frames, once for each session.
    fn networks(&self) -> Result<Vec<Networks>> {
        let sessions = self.sessions.map_or_else(|| self.engine.sessions(), usize::from);
        let library = self.folder.open()?;
        let manifests = self.manifests(&library, [Role::People, Role::Pose])?;
        let looks = |manifest: &&Manifest| matches!(manifest.role, Role::People | Role::Pose);
        let (whole, closer): (Vec<&Manifest>, Vec<&Manifest>) =
            manifests.into_iter().filter(looks).partition(|manifest| manifest.input.region == Region::Frame);
        let Some(people) = whole.first() else {
            return Err(Error::missing("no network that finds people in a frame is here")
                .hint("`aisle models fetch yolox_nano`, or name one with --network"));
        };
        let chosen = self.engine.open()?;
        chosen.tell();
        let load = |manifest: &Manifest| -> Result<Model> {
            let model = library.load(manifest, &chosen.engine, self.engine.load_options())?;
            Ok(model.with_batch(usize::from(self.batch)))
        };
        let session = || -> Result<Networks> {
            Ok(Networks { people: load(people)?, pose: closer.first().map(|manifest| load(manifest)).transpose()? })
        };
        (0..sessions).map(|_| session()).collect()
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

fn parse_still(text: &str) -> std::result::Result<f64, String> {
    let secs = text.parse::<f64>().ok().filter(|secs| (0.0..=10.0).contains(secs));
    secs.ok_or_else(|| format!("`{text}` is too long or no time: write seconds from 0 to 10, such as 0.5"))
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

fn write(picture: &RgbImage, path: &Path) -> Result<()> {
    save(&encoder(path)?(picture)?, path)
}

fn save(bytes: &[u8], path: &Path) -> Result<()> {
    fs::write(path, bytes).map_err(|error| Error::io("write", path, &error))
}
