//! Frames that were left out, or scaled, as sentences.

use crate::base::{Error, Result};
use crate::tracking::{CameraLoss, FrameLoss};

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
    let hint = "frames of another shape need a calibration of their own: size_pixels, focal_pixels and centre_pixels in the \
                shop file are of one picture";
    Err(Error::input(blind.join("; ")).hint(hint))
}

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
