//! `aisle see`: draws what networks see in a picture, so that a person can look.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::engine::EngineArgs;
use super::models::{FolderArgs, Library};
use crate::base::{Error, Result};
use crate::facts::{BodyPoint, Detection, DetectionClass};
use crate::geometry::{PixelBox, Point};
use crate::image::{RgbImage, decode_picture, draw_box, draw_dot, draw_line, draw_number, encode_jpeg, encode_png};
use crate::vision::{Decoder, Manifest, Region, Role};

/// The networks that are tried where none is named, the better first; of each role one is used.
const USUAL: [&str; 7] =
    ["yolox_s", "yolox_nano", "nanodet_m", "light_person", "yunet_n_640", "yunet_s_640", "yunet_n_320"];
/// Quality of a JPEG that is written.
const JPEG_QUALITY: u8 = 90;
/// A point that is less sure is not drawn, `0..=1`.
const POINT_SCORE_MIN: f64 = 0.2;

/// What makes a file of a picture.
type Encode = fn(&RgbImage) -> Result<Vec<u8>>;

/// Draw what networks see in a picture: boxes, points, skeletons.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  aisle see aisle.jpg -o seen.png
  aisle see hands.png -o seen.png --network mediapipe_palm --network mediapipe_hand
  aisle see crowd.jpg -o seen.jpg --network yolox_nano --network movenet_lightning --json

Networks that look at whole pictures run first, whatever their order here; the others look at what those found.")]
pub(super) struct See {
    /// A picture: JPEG, PNG, BMP, WebP or GIF.
    #[arg(value_name = "IMAGE")]
    image: PathBuf,
    /// Picture to write, a .png or .jpg.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// A network to use; may be given again. People and faces if none is.
    #[arg(long = "network", value_name = "NAME")]
    networks: Vec<String>,
    #[command(flatten)]
    folder: FolderArgs,
    #[command(flatten)]
    engine: EngineArgs,
    /// Print what is seen as JSON on standard output.
    #[arg(long)]
    json: bool,
}

impl See {
    /// Runs the command.
    ///
    /// # Errors
    /// When the picture or a network cannot be read, or the result cannot be written.
    pub(super) fn run(self) -> Result<()> {
        let encode = encoder(&self.output)?;
        let bytes = std::fs::read(&self.image).map_err(|error| Error::io("read", &self.image, &error))?;
        let mut picture = decode_picture(&bytes).map_err(|error| error.at_path(&self.image))?;
        let library = self.folder.open()?;
        let manifests = self.manifests(&library)?;
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
        seen.iter().for_each(|found| draw(&mut picture, found));
        let bytes = encode(&picture)?;
        std::fs::write(&self.output, bytes).map_err(|error| Error::io("write", &self.output, &error))?;
        if 0 < skipped {
            eprintln!("warning: {skipped} boxes had no size, or not the points that a network needs, and were skipped");
        }
        if self.json {
            return super::print(&format!("{}\n", json!(seen)));
        }
        super::print(&format!("{}: {}\n", self.output.display(), summary(&seen)))
    }

    /// The networks to use: those named, the ones that look at whole pictures first; else the best people and faces of
    /// those that are here.
    fn manifests<'a>(&self, library: &'a Library) -> Result<Vec<&'a Manifest>> {
        if !self.networks.is_empty() {
            let mut named = library.choose(&self.networks)?;
            named.sort_by_key(|manifest| manifest.input.region != Region::Frame);
            return Ok(named);
        }
        let here = USUAL.iter().filter_map(|name| library.manifests.get(*name));
        let here: Vec<&Manifest> = here.filter(|manifest| library.weights(manifest).is_some()).collect();
        let best = |role: Role| here.iter().find(|manifest| manifest.role == role).copied();
        let used: Vec<&Manifest> = [Role::People, Role::Faces].into_iter().filter_map(best).collect();
        if used.is_empty() {
            return Err(Error::missing("no network for people or faces is here")
                .hint("`aisle models fetch yolox_nano yunet_n_640`, or name others with --network"));
        }
        Ok(used)
    }
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

/// How a picture becomes a file of this name.
fn encoder(path: &Path) -> Result<Encode> {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default();
    match extension.as_str() {
        "png" => Ok(encode_png),
        "jpg" | "jpeg" => Ok(|picture| encode_jpeg(picture, JPEG_QUALITY)),
        _ => Err(Error::usage("the output must end in .png or .jpg").at_path(path)),
    }
}

fn draw(picture: &mut RgbImage, found: &Detection) {
    let colour = match found.class {
        DetectionClass::Person => [64, 220, 64],
        DetectionClass::Face => [255, 170, 0],
        DetectionClass::Hand => [80, 160, 255],
        DetectionClass::Product => [255, 80, 200],
        DetectionClass::Other(_) => [170, 170, 170],
    };
    let thickness = (picture.width().max(picture.height()) / 640).clamp(1, 8);
    draw_box(picture, &found.bounds, colour, thickness);
    let PixelBox { left, top, .. } = found.bounds;
    let above = top - f64::from(6 * thickness);
    let at = Point::new(left.max(0.0), if above < 0.0 { top + f64::from(2 * thickness) } else { above }, 0.0);
    draw_number(picture, &format!("{:.2}", found.score), at, colour, thickness);
    let is_body = found.class == DetectionClass::Person && found.keypoints.len() == BodyPoint::COUNT;
    let sure = |index: usize| found.keypoints.get(index).filter(|point| POINT_SCORE_MIN <= point.score);
    for (from, to) in BodyPoint::BONES.into_iter().filter(|_| is_body) {
        if let (Some(from), Some(to)) = (sure(from as usize), sure(to as usize)) {
            draw_line(picture, from.pixel, to.pixel, [255, 255, 0], thickness);
        }
    }
    for point in (0..found.keypoints.len()).filter_map(sure) {
        draw_dot(picture, point.pixel, thickness, [255, 40, 40]);
    }
}
