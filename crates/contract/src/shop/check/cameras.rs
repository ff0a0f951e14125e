//! What can be wrong with the room: its zones, walls and cameras.

use std::collections::BTreeSet;

use super::super::{Camera, CameraDraft, Room, RoomDraft, Zone, ZoneDraft};
use super::complaints::Complaints;
use crate::base::CameraId;
use crate::base::limits::{CAMERAS_MAX, NAME_LETTERS_MAX, PICTURE_SIDE_PIXELS_MAX};
use crate::geometry::{self, Floor, Point};

/// A camera whose frames have shorter sides sees nothing, pixels.
const SIDE_PIXELS_MIN: u32 = 16;
/// Frames a second of the fastest camera that makes sense.
const RATE_HERTZ_MAX: f64 = 240.0;
/// Further than this from its origin no shop reaches, metres: units are mixed up easily.
pub(super) const FLOOR_METRES_MAX: f64 = 500.0;
/// Largest coefficient of a lens that still makes pictures.
const DISTORTION_MAX: f64 = 20.0;
/// Lowest and highest ceiling of a shop, metres.
const CEILING_METRES: (f64, f64) = (2.0, 10.0);

pub(super) fn check_zones(drafts: &[ZoneDraft], complaints: &mut Complaints) -> Vec<Zone> {
    let mut seen = BTreeSet::new();
    let mut zones = Vec::with_capacity(drafts.len());
    for draft in drafts {
        complaints.about(format!("zone {}", draft.name), draft.line);
        complaints.name("name", &draft.name, NAME_LETTERS_MAX);
        if !seen.insert(draft.name.as_str()) {
            complaints.say("a zone of this name stands twice");
        }
        let polygon = check_polygon(&draft.polygon, complaints);
        zones.push(Zone { name: draft.name.clone(), kind: draft.kind, polygon });
    }
    zones
}

pub(super) fn check_room(draft: &RoomDraft, complaints: &mut Complaints) -> Room {
    complaints.about("room".to_owned(), draft.line);
    complaints.range("height_metres", draft.height_metres, CEILING_METRES.0, CEILING_METRES.1);
    Room { polygon: check_polygon(&draft.polygon, complaints), height_metres: draft.height_metres }
}

pub(super) fn check_cameras(drafts: &[CameraDraft], complaints: &mut Complaints) -> Vec<Camera> {
    let mut seen = BTreeSet::new();
    let mut cameras = Vec::with_capacity(drafts.len());
    for draft in drafts {
        complaints.about(format!("camera {}", draft.name), draft.line);
        if CAMERAS_MAX <= cameras.len() {
            complaints.say(format!("{} cameras; at most {CAMERAS_MAX} in a shop", drafts.len()));
            break;
        }
        let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
        complaints.name("name", &draft.name, NAME_LETTERS_MAX);
        if draft.name.is_empty() || !draft.name.chars().all(plain) {
            complaints.say(format!("the name is `{}`; it is made of letters, digits, - and _", draft.name));
        }
        if !seen.insert(draft.name.as_str()) {
            complaints.say("a camera of this name stands twice");
        }
        for (what, side) in ["width", "height"].iter().zip(draft.size_pixels) {
            if !(SIDE_PIXELS_MIN..=PICTURE_SIDE_PIXELS_MAX).contains(&side) {
                let range = format!("{SIDE_PIXELS_MIN} to {PICTURE_SIDE_PIXELS_MAX}");
                complaints.say(format!("the {what} of its frames is {side}; it must be {range} pixels"));
            }
        }
        complaints.range("rate_hertz", draft.rate_hertz, 0.0, RATE_HERTZ_MAX);
        check_lens(draft, complaints);
        cameras.push(Camera {
            id: CameraId::new(&draft.name),
            size_pixels: draft.size_pixels,
            rate_hertz: draft.rate_hertz,
            view: geometry::Camera::new(draft.lens, draft.pose),
        });
    }
    cameras
}

/// Whether the lens could have made frames of this size: units are mixed up easily.
fn check_lens(draft: &CameraDraft, complaints: &mut Complaints) {
    let longest = f64::from(draft.size_pixels[0].max(draft.size_pixels[1]));
    for (axis, focal) in ["x", "y"].iter().zip(draft.lens.focal_pixels) {
        if !(0.1 * longest < focal && focal < 20.0 * longest) {
            let hint = format!("of frames {longest} pixels long it is {} to {}", 0.1 * longest, 20.0 * longest);
            complaints.say(format!("the focal length in {axis} is {focal} pixels; {hint}"));
        }
    }
    for (axis, (centre, side)) in ["x", "y"].iter().zip(draft.lens.centre_pixels.iter().zip(draft.size_pixels)) {
        if !(0.0 < *centre && *centre < f64::from(side)) {
            complaints
                .say(format!("the principal point in {axis} is {centre}; it lies in the frame, 0 to {side} pixels"));
        }
    }
    if draft.lens.distortion.iter().any(|part| !is_within(*part, DISTORTION_MAX)) {
        complaints
            .say(format!("a coefficient of its distortion is beyond {DISTORTION_MAX}; they are k1, k2, p1, p2, k3"));
    }
    if draft.pose.rotation.iter().any(|part| !part.is_finite()) {
        complaints.say("its rotation is not made of finite numbers");
    }
    let Point { x, y, z, .. } = draft.pose.position;
    if [x, y, z].iter().any(|coordinate| !is_within(*coordinate, FLOOR_METRES_MAX)) {
        complaints.say(format!("its position lies beyond {FLOOR_METRES_MAX} m of the origin; it is in metres"));
    }
}

fn check_polygon(corners: &[[f64; 2]], complaints: &mut Complaints) -> Vec<Point<Floor>> {
    if corners.len() < 3 {
        complaints.say(format!("{} corners; a polygon has at least three", corners.len()));
    }
    if corners.iter().flatten().any(|coordinate| !is_within(*coordinate, FLOOR_METRES_MAX)) {
        complaints.say(format!("a corner lies beyond {FLOOR_METRES_MAX} m of the origin; corners are in metres"));
    }
    corners.iter().map(|[x, y]| Point::new(*x, *y, 0.0)).collect()
}

/// Whether a number is one, and not larger than this in size.
pub(super) fn is_within(number: f64, size_max: f64) -> bool {
    number.is_finite() && number.abs() <= size_max
}
