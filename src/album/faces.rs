//! Whose faces may stay. Heads are found by what was seen in a frame and by where people are in the shop; the head of whoever was
//! at the goods stays if it is plain that it is theirs, and every other is made unknowable.
//!
//! Nothing remembers which detection became which track: somebody seen is taken for whoever on the floor falls nearest to them in
//! the picture. Where two come into question the head is hidden: a face that is hidden without need does no harm.

use std::collections::{BTreeMap, BTreeSet};

use super::ring::{Glimpse, Presence};
use super::strip::Head;
use crate::base::{TrackId, VisitId};
use crate::facts::{BodyPoint, Detection, DetectionClass, JointKind, Keypoint};
use crate::geometry::{Affine, Pixel, PixelBox, Point};
use crate::image::RgbImage;
use crate::shop::Camera;

/// Joints less sure than this say nothing of who somebody is; points of a face less sure than the other say nothing of where it is.
const SURE_MIN: f64 = 0.3;
const FACE_SURE_MIN: f64 = 0.1;
/// Somebody seen is nobody who is further from them than this share of their height in the picture, and is this one only if any
/// other is so many times as far.
const APART_MAX: f64 = 0.2;
const PLAIN_TIMES: f64 = 1.6;
/// How wide a head with its hair is, in distances between the outermost points of the face, between the shoulders, and heights.
const HEAD_FACES: f64 = 2.4;
const HEAD_SHOULDERS: f64 = 1.0;
const HEAD_HEIGHTS: f64 = 0.16;
/// The part of somebody's box from its upper edge in which a head is where no joint says where.
const HEAD_SHARE: f64 = 0.34;
/// What is hidden around a head besides, in its sizes: points of a face are off by some pixels.
const HIDDEN_MORE: f64 = 0.25;
/// How wide the place of a head is that is known from the floor alone, and how far above the neck its middle is, metres.
const HEAD_METRES: f64 = 0.6;
const NECK_METRES: f64 = 0.2;
/// A face that is hidden has so many cells from side to side.
const CELLS: u32 = 4;
/// Points of a face among those of a body.
const FACE: [BodyPoint; 5] =
    [BodyPoint::Nose, BodyPoint::LeftEye, BodyPoint::RightEye, BodyPoint::LeftEar, BodyPoint::RightEar];

/// What of a frame may stay and what must not, in its pixels.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Faces {
    pub(super) hidden: Vec<PixelBox>,
    pub(super) shown: Vec<Head>,
}

/// Whose faces are where in a frame. `people` are those on the floor at its time, `takers` those whose faces may stay.
pub(super) fn faces(
    camera: &Camera,
    glimpse: &Glimpse,
    people: &[Presence],
    visits: &BTreeMap<TrackId, VisitId>,
    takers: &BTreeSet<VisitId>,
) -> Faces {
    let mut faces = Faces::default();
    let whole = || PixelBox::from_size(0.0, 0.0, f64::from(glimpse.size_pixels[0]), f64::from(glimpse.size_pixels[1]));
    let Some((view_from_frame, frame_from_view)) = maps(camera, glimpse.size_pixels) else {
        // A frame in which nobody can be found.
        faces.hidden.push(whole());
        return faces;
    };
    let persons: Vec<&Detection> = of(glimpse, DetectionClass::Person).collect();
    let owners = owners(camera, &view_from_frame, &persons, people);
    for (found, owner) in persons.iter().zip(&owners) {
        let visit =
            owner.as_ref().filter(|owner| owner.is_plain).and_then(|owner| visits.get(&people[owner.index].track));
        match visit.filter(|visit| takers.contains(visit)) {
            Some(visit) => faces.shown.push(Head { visit: *visit, bounds: head(found) }),
            None => faces.hidden.extend(head_and_top(found)),
        }
    }
    for face in of(glimpse, DetectionClass::Face) {
        let is_shown = |head: &Head| {
            head.bounds.intersection(&face.bounds).is_some_and(|both| face.bounds.area() <= 2.0 * both.area())
        };
        if !faces.shown.iter().any(is_shown) {
            faces.hidden.push(grown(&face.bounds, 0.3));
        }
    }
    // Whoever is on the floor and was not seen by this camera may stand in its picture all the same.
    for (index, somebody) in people.iter().enumerate() {
        let is_seen = owners.iter().flatten().any(|owner| owner.index == index);
        let may_stay = visits.get(&somebody.track).is_some_and(|visit| takers.contains(visit));
        if !is_seen && !may_stay {
            faces.hidden.extend(head_from_floor(camera, &frame_from_view, somebody));
        }
    }
    faces
}

/// Makes everything in a box unknowable: a mosaic of a few cells, each of one colour.
pub(super) fn hide(picture: &mut RgbImage, bounds: &PixelBox) {
    let clamp = |value: f64, most: u32| value.clamp(0.0, f64::from(most)) as u32;
    let (width, height) = (picture.width(), picture.height());
    let [left, right] = [clamp(bounds.left.floor(), width), clamp(bounds.right.ceil(), width)];
    let [top, bottom] = [clamp(bounds.top.floor(), height), clamp(bounds.bottom.ceil(), height)];
    if right <= left || bottom <= top {
        return;
    }
    let cell = ((right - left).max(bottom - top)).div_ceil(CELLS).max(1) as usize;
    for y in (top..bottom).step_by(cell) {
        for x in (left..right).step_by(cell) {
            flatten(picture, x..right.min(x + cell as u32), y..bottom.min(y + cell as u32));
        }
    }
}

fn flatten(picture: &mut RgbImage, across: std::ops::Range<u32>, down: std::ops::Range<u32>) {
    let (mut sums, mut count) = ([0_u64; 3], 0_u64);
    for y in down.clone() {
        for pixel in across.clone().filter_map(|x| picture.get(x, y)) {
            sums.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += u64::from(value));
            count += 1;
        }
    }
    let mean = sums.map(|sum| u8::try_from(sum / count.max(1)).unwrap_or(u8::MAX));
    down.for_each(|y| across.clone().for_each(|x| picture.set(x, y, mean)));
}

/// From the pixels of frames of this size to those in which the camera is calibrated, and back; none where it shows another view.
pub(super) fn maps(camera: &Camera, size_pixels: [u32; 2]) -> Option<(Affine, Affine)> {
    let view_from_frame = camera.calibrated_from_frame(size_pixels)?;
    Some((view_from_frame, view_from_frame.inverse()?))
}

fn of(glimpse: &Glimpse, class: DetectionClass) -> impl Iterator<Item = &Detection> {
    glimpse.found.iter().filter(move |found| found.class == class && found.bounds.is_well_formed())
}

/// Who somebody seen is taken for.
struct Owner {
    /// Their place among the people on the floor.
    index: usize,
    /// Whether nobody else comes into question.
    is_plain: bool,
}

/// Who of the people on the floor each is who was seen, nearest pairs first.
fn owners(
    camera: &Camera,
    view_from_frame: &Affine,
    persons: &[&Detection],
    people: &[Presence],
) -> Vec<Option<Owner>> {
    let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
    for (one, found) in persons.iter().enumerate() {
        let near = |(other, somebody)| Some((apart(camera, view_from_frame, found, somebody)?, one, other));
        pairs.extend(people.iter().enumerate().filter_map(near));
    }
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let (mut owners, mut taken): (Vec<Option<Owner>>, _) = (persons.iter().map(|_| None).collect(), BTreeSet::new());
    for (distance, one, other) in &pairs {
        let height = view_from_frame.scale() * persons[*one].bounds.height();
        if APART_MAX * height < *distance || owners[*one].is_some() || !taken.insert(*other) {
            continue;
        }
        // A second one of nearly the same place: of those on the floor for who was seen, or of those seen for who is there.
        let rivals = pairs.iter().filter(|(_, a, b)| (a == one) != (b == other));
        let is_plain = rivals.map(|(rival, ..)| *rival).all(|rival| PLAIN_TIMES * distance + 0.02 * height < rival);
        owners[*one] = Some(Owner { index: *other, is_plain });
    }
    owners
}

/// The mean distance of the joints that somebody seen and somebody on the floor both have, in pixels as the camera is calibrated.
fn apart(camera: &Camera, view_from_frame: &Affine, found: &Detection, somebody: &Presence) -> Option<f64> {
    let pixel = |point: BodyPoint| sure(found, point, SURE_MIN).map(|seen| view_from_frame.apply(seen));
    let between = |a, b| Some(pixel(a)?.lerp(pixel(b)?, 0.5));
    let seen = |kind: JointKind| match kind {
        JointKind::Head => between(BodyPoint::LeftEar, BodyPoint::RightEar).or_else(|| pixel(BodyPoint::Nose)),
        JointKind::Neck => between(BodyPoint::LeftShoulder, BodyPoint::RightShoulder),
        JointKind::LeftShoulder => pixel(BodyPoint::LeftShoulder),
        JointKind::RightShoulder => pixel(BodyPoint::RightShoulder),
        JointKind::LeftElbow => pixel(BodyPoint::LeftElbow),
        JointKind::RightElbow => pixel(BodyPoint::RightElbow),
        JointKind::LeftWrist => pixel(BodyPoint::LeftWrist),
        JointKind::RightWrist => pixel(BodyPoint::RightWrist),
    };
    let distance = |kind: JointKind| {
        let told = camera.view.pixel_from_world(somebody.joints.get(kind)?.position)?;
        Some(told.distance(seen(kind)?))
    };
    let distances: Vec<f64> = JointKind::ALL.into_iter().filter_map(distance).collect();
    (2 <= distances.len()).then(|| distances.iter().sum::<f64>() / distances.len() as f64)
}

fn sure(found: &Detection, point: BodyPoint, least: f64) -> Option<Point<Pixel>> {
    let seen: Option<&Keypoint> = found.keypoints.get(point as usize);
    seen.filter(|seen| least <= seen.score && seen.pixel.is_finite()).map(|seen| seen.pixel)
}

/// Where the head of somebody seen is: around the points of the face, or else the upper part of them.
fn head(found: &Detection) -> PixelBox {
    let points: Vec<Point<Pixel>> = FACE.iter().filter_map(|point| sure(found, *point, FACE_SURE_MIN)).collect();
    let bounds = &found.bounds;
    let Some(first) = points.first() else {
        let top = PixelBox { bottom: bounds.top + HEAD_SHARE * bounds.height(), ..*bounds };
        return grown(&top, 0.1);
    };
    let point = |at: &Point<Pixel>| PixelBox { left: at.x, top: at.y, right: at.x, bottom: at.y };
    let around = points.iter().fold(point(first), |around, at| around.hull(&point(at)));
    let shoulders = sure(found, BodyPoint::LeftShoulder, SURE_MIN).zip(sure(found, BodyPoint::RightShoulder, SURE_MIN));
    let shoulders = shoulders.map_or(0.0, |(left, right)| left.distance(right));
    let side = (HEAD_FACES * around.width().max(around.height()))
        .max(HEAD_SHOULDERS * shoulders)
        .max(HEAD_HEIGHTS * bounds.height());
    let centre = around.centre();
    PixelBox::from_size(centre.x - side / 2.0, centre.y - side / 2.0, side, side)
}

/// The head, and the upper part of the box too: the points of a face may be where it is not.
fn head_and_top(found: &Detection) -> [PixelBox; 2] {
    let bounds = &found.bounds;
    let top = PixelBox { bottom: bounds.top + HEAD_HEIGHTS * bounds.height(), ..*bounds };
    [grown(&head(found), HIDDEN_MORE), grown(&top, 0.1)]
}

/// Where the head of somebody on the floor falls in a frame.
fn head_from_floor(camera: &Camera, frame_from_view: &Affine, somebody: &Presence) -> Option<PixelBox> {
    let above = |trunk: Point<crate::geometry::World>| trunk + Point::new(0.0, 0.0, NECK_METRES);
    let joints = &somebody.joints;
    let place = joints.head.map(|joint| joint.position).or_else(|| joints.trunk().map(above))?;
    let depth = camera.view.view_from_world(place).z;
    let middle = frame_from_view.apply(camera.view.pixel_from_world(place)?);
    let [across, down] = camera.view.lens().focal_pixels;
    let side = frame_from_view.scale() * across.max(down) * HEAD_METRES / depth;
    let bounds = PixelBox::from_size(middle.x - side / 2.0, middle.y - side / 2.0, side, side);
    bounds.is_well_formed().then_some(bounds)
}

/// A box with so much of its size more on every side.
pub(super) fn grown(bounds: &PixelBox, share: f64) -> PixelBox {
    let (x, y) = (share * bounds.width(), share * bounds.height());
    PixelBox { left: bounds.left - x, top: bounds.top - y, right: bounds.right + x, bottom: bounds.bottom + y }
}
