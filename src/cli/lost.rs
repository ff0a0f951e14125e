//! What was lost of an input, and frames that were left out or scaled, as sentences.

use std::path::Path;

use clap::Args;

use crate::base::{Error, Result};
use crate::pipeline::Outcome;
use crate::tracking::{CameraLoss, FrameLoss};

/// How much may be lost.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct LossArgs {
    /// Share of the input, or of its frames where people are made of them, that may be lost (late, dropped, unreadable), in
    /// percent; above it the exit status is 1. Receipts that a loss may have touched need manual review in any case.
    #[arg(long, value_name = "PERCENT", default_value_t = 5.0, value_parser = parse_percent)]
    max_loss: f64,
}

impl LossArgs {
    /// What is said of a recording of which too much was lost: of everything, or of its frames.
    pub(super) fn excess(&self, path: &Path, share: f64, frames: Option<&FrameLoss>) -> Option<String> {
        let share_of_frames = frames.map_or(0.0, FrameLoss::share);
        if self.max_loss < 100.0 * share {
            Some(format!("{} lost {:.1} %", path.display(), 100.0 * share))
        } else if self.max_loss < 100.0 * share_of_frames {
            Some(format!("{} lost {:.1} % of its frames", path.display(), 100.0 * share_of_frames))
        } else {
            None
        }
    }

    /// Says last that too much was lost.
    ///
    /// # Errors
    /// When it was.
    pub(super) fn check(&self, lossy: &[String]) -> Result<()> {
        if lossy.is_empty() {
            return Ok(());
        }
        let error = Error::unmet(format!("too much of the input is lost: {}", lossy.join("; ")));
        let most = self.max_loss;
        Err(error
            .hint(format!("at most {most} % may be, by --max-loss; receipts that it may have touched are for review")))
    }
}

fn parse_percent(text: &str) -> Result<f64, String> {
    let percent = text.trim_end_matches('%').trim().parse().ok().filter(|percent| (0.0..=100.0).contains(percent));
    percent.ok_or_else(|| "write a number of percent from 0 to 100, such as 5".to_owned())
}

/// What was left out and what was scaled, a line each; nothing where every frame was taken as it is.
pub(super) fn text(loss: &FrameLoss) -> String {
    let mut text = String::new();
    let mut say = |line: String| text += &format!("{line}\n");
    for (id, camera) in &loss.cameras {
        if let count @ 1.. = camera.dropped_undecodable {
            say(format!("left out: {} of camera {id} cannot be decoded", frames(count)));
        }
        other_sizes(camera).for_each(|sizes| say(format!("left out: {sizes} of camera {id}{}", shape(camera))));
        for size in camera.sizes.iter().filter(|size| size.scaled) {
            let [[width, height], [shop_width, shop_height]] = [size.size_pixels, camera.calibrated_pixels];
            let count = frames(size.frames);
            say(format!(
                "scaled: {count} of camera {id} with {width}x{height} pixels, to the {shop_width}x{shop_height} of the shop"
            ));
        }
        if let count @ 1.. = camera.dropped_astray {
            say(format!("left out: {} of camera {id} with the time of another day", frames(count)));
        }
    }
    if let count @ 1.. = loss.dropped_unknown_camera {
        say(format!("left out: {} of cameras that the shop does not have", frames(count)));
    }
    text
}

/// The sentence for a recording of which people are to be made, and that has nothing to make them of.
pub(super) fn no_frames() -> Error {
    Error::input("this recording has no frames").hint("recordings of cut raw or seen have them")
}

/// The sentence for a recording whose frames are all of cameras that its shop does not have.
pub(super) fn unknown_cameras(loss: &FrameLoss) -> Error {
    let count = frames(loss.dropped_unknown_camera);
    Error::input(format!("all {count} are of cameras that the shop of this recording does not have"))
        .hint("name the cameras in its shop file as the frames do, in `frame_id`")
}

/// Refuses what was made of a recording in which a camera lost more frames than it showed.
///
/// # Errors
/// When there is such a camera: names all of them, and why.
pub(super) fn check(loss: &FrameLoss) -> Result<()> {
    let why = |camera: &CameraLoss| -> String {
        let mut reasons: Vec<String> = other_sizes(camera).map(|sizes| sizes + &shape(camera)).collect();
        if let count @ 1.. = camera.dropped_undecodable {
            reasons.push(format!("{} cannot be decoded", frames(count)));
        }
        if let count @ 1.. = camera.dropped_astray {
            reasons.push(format!("{} with the time of another day", frames(count)));
        }
        reasons.join(", ")
    };
    let blind: Vec<String> = loss
        .blind()
        .map(|(id, camera)| {
            let all = camera.frames + camera.dropped();
            format!("camera {id} lost {} of {}: {}", camera.dropped(), frames(all), why(camera))
        })
        .collect();
    if blind.is_empty() {
        return Ok(());
    }
    let has = |lost: fn(&CameraLoss) -> u64| loss.blind().any(|(_, camera)| 0 < lost(camera));
    let mut hints = Vec::new();
    if has(|camera| camera.dropped_other_size) {
        hints.push(SHAPE);
    }
    if has(|camera| camera.dropped_undecodable) {
        hints.push(UNDECODABLE);
    }
    if has(|camera| camera.dropped_astray) {
        hints.push(ASTRAY);
    }
    Err(Error::input(blind.join("; ")).hint(hints.join("; ")))
}

/// Whole sources that said nothing, which is as likely a fault as an empty shop.
pub(super) fn silent(outcome: &Outcome) -> impl Iterator<Item = &'static str> {
    let nobody = outcome.counters.reorder.sent == 0 || outcome.counters.fusion.frames == 0;
    let no_plate = outcome.counters.shelf.received == 0 && outcome.counters.fusion.events == 0;
    let nobody = nobody.then_some("nobody was seen in the whole recording, so there are no receipts");
    let no_plate = no_plate.then_some("no plate said anything in the whole recording, so nothing can have been taken");
    nobody.into_iter().chain(no_plate)
}

/// What to do about frames of other shapes.
const SHAPE: &str = "frames of another shape need a calibration of their own: size_pixels, focal_pixels and centre_pixels \
                     in the shop file are of one picture";
/// What to do about frames that are no pictures.
const UNDECODABLE: &str = "the pictures are damaged or cut short: look at what wrote them, and record again";
/// What to do about frames of other days.
const ASTRAY: &str = "set the clock of the camera";

/// Frames of each size that does not fit, with those of sizes that were too many to be remembered.
fn other_sizes(camera: &CameraLoss) -> impl Iterator<Item = String> {
    let left_out = camera.sizes.iter().filter(|size| !size.scaled);
    let rest = camera.dropped_other_size - left_out.clone().map(|size| size.frames).sum::<u64>();
    let named = left_out.map(|size| {
        let [width, height] = size.size_pixels;
        format!("{} with {width}x{height} pixels", frames(size.frames))
    });
    let named: Vec<String> = named.collect();
    named.into_iter().chain((0 < rest).then(|| format!("{} with other sizes", frames(rest))))
}

/// Why a size does not fit.
fn shape(camera: &CameraLoss) -> String {
    let [width, height] = camera.calibrated_pixels;
    format!(", which do not show the view of the {width}x{height} of the shop")
}

fn frames(count: u64) -> String {
    if count == 1 { "1 frame".to_owned() } else { format!("{count} frames") }
}
