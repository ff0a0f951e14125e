//! Which cameras show a reach best, which of their frames are kept, and what of each: the shelf where it changed, and the hands.

use std::collections::{BTreeMap, BTreeSet};

use super::faces::{grown, maps};
use super::goods::Goods;
use super::ring::{Glimpse, Presence};
use crate::base::{CameraId, ShopTime, TimeRange, TrackId, VisitId};
use crate::facts::{BodyPoint, DetectionClass};
use crate::geometry::{Affine, Pixel, PixelBox, Point};
use crate::image::{RgbImage, Sampler};
use crate::shop::{Camera, Shop};

/// A camera that shows less of the goods' place than this share shows nothing of it.
const VISIBLE_MIN: f64 = 0.5;
/// How much a view over the back of a shelf is worth, and one in which no hand is seen at the goods.
const BEHIND: f64 = 0.3;
const UNSEEN: f64 = 0.4;
/// A wrist less sure than this is not seen.
const WRIST_SURE_MIN: f64 = 0.3;
/// How far around the goods' place a hand is at it, in sizes of that place.
const AROUND: f64 = 0.5;
/// A hand further from the goods than this is not followed, metres.
const HANDS_METRES_MAX: f64 = 0.8;
/// What is kept around shelf and hands, in sizes of what they take; the least that is, and the most, pixels.
const MARGIN: f64 = 0.25;
const SIDE_PIXELS_MIN: f64 = 240.0;
const SIDE_PIXELS_MAX: f64 = 720.0;

/// The cameras that show the goods, best first, at most so many.
pub(super) fn best(
    shop: &Shop,
    goods: &Goods,
    glimpses: BTreeMap<CameraId, Vec<Glimpse>>,
    most: usize,
) -> Vec<(CameraId, Vec<Glimpse>)> {
    let mut views: Vec<(f64, CameraId, Vec<Glimpse>)> = Vec::new();
    for (id, all) in glimpses {
        let score = shop.camera(&id).and_then(|camera| score(camera, goods, &all));
        views.extend(score.map(|score| (score, id, all)));
    }
    views.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    views.into_iter().take(most).map(|(_, id, all)| (id, all)).collect()
}

/// Whether any camera of the shop could show the goods.
pub(super) fn is_in_view(shop: &Shop, goods: &Goods) -> bool {
    let whole = Affine::scaled([1.0; 2], [0.0; 2]);
    shop.cameras().iter().any(|camera| visible(camera, goods, &whole, camera.size_pixels).is_some())
}

/// How large the goods' place is in the picture, how much of it is in it, and whether hands are seen there.
fn score(camera: &Camera, goods: &Goods, glimpses: &[Glimpse]) -> Option<f64> {
    let size_pixels = glimpses.first()?.size_pixels;
    let (_, frame_from_view) = maps(camera, size_pixels)?;
    let (bounds, share) = visible(camera, goods, &frame_from_view, size_pixels)?;
    let around = grown(&bounds, AROUND);
    let has_hand = |glimpse: &&Glimpse| wrists(glimpse).any(|wrist| is_in(&around, wrist));
    let hands = glimpses.iter().filter(has_hand).count() as f64 / glimpses.len() as f64;
    let facing = if goods.is_before(camera) { 1.0 } else { BEHIND };
    Some(bounds.area().sqrt() * share * facing * (UNSEEN + (1.0 - UNSEEN) * hands))
}

fn visible(camera: &Camera, goods: &Goods, frame_from_view: &Affine, size_pixels: [u32; 2]) -> Option<(PixelBox, f64)> {
    let bounds = goods.bounds(camera, frame_from_view)?;
    let share = bounds.intersection(&frame(size_pixels))?.area() / bounds.area();
    (VISIBLE_MIN <= share).then_some((bounds, share))
}

fn wrists(glimpse: &Glimpse) -> impl Iterator<Item = Point<Pixel>> {
    let people = glimpse.found.iter().filter(|found| found.class == DetectionClass::Person);
    let joints = people.flat_map(|found| {
        [BodyPoint::LeftWrist, BodyPoint::RightWrist]
            .into_iter()
            .filter_map(|point| found.keypoints.get(point as usize))
    });
    joints.filter(|seen| WRIST_SURE_MIN <= seen.score && seen.pixel.is_finite()).map(|seen| seen.pixel)
}

fn is_in(bounds: &PixelBox, at: Point<Pixel>) -> bool {
    (bounds.left..=bounds.right).contains(&at.x) && (bounds.top..=bounds.bottom).contains(&at.y)
}

fn frame(size_pixels: [u32; 2]) -> PixelBox {
    PixelBox::from_size(0.0, 0.0, f64::from(size_pixels[0]), f64::from(size_pixels[1]))
}

/// The places of so many glimpses, evenly over the time that they are of.
pub(super) fn spread(glimpses: &[Glimpse], within: TimeRange, most: usize) -> Vec<usize> {
    let mut chosen = BTreeSet::new();
    for number in 0..most {
        let share = if most == 1 { 0.5 } else { number as f64 / (most - 1) as f64 };
        let nanos = within.length().as_nanos() as f64 * share;
        let wanted = within.start + crate::base::Span::from_nanos(nanos as i64);
        let free = glimpses.iter().enumerate().filter(|(index, _)| !chosen.contains(index));
        let nearest = free.min_by_key(|(_, glimpse)| (glimpse.at - wanted).abs()).map(|(index, _)| index);
        chosen.extend(nearest);
    }
    chosen.into_iter().collect()
}

/// Where people were at about this time.
pub(super) fn at_about(people: &[(ShopTime, Vec<Presence>)], at: ShopTime) -> &[Presence] {
    const APART_MAX: crate::base::Span = crate::base::Span::from_millis(300);
    let nearest = people.iter().min_by_key(|(told, _)| (*told - at).abs());
    nearest.filter(|(told, _)| (*told - at).abs() <= APART_MAX).map_or(&[], |(_, there)| there)
}

/// What is kept of the frames of a camera: the goods' place and the hands of whoever may have taken them, in whole pixels.
pub(super) fn crop(
    camera: &Camera,
    goods: &Goods,
    size_pixels: [u32; 2],
    people: &[(ShopTime, Vec<Presence>)],
    (visits, takers): (&BTreeMap<TrackId, VisitId>, &BTreeSet<VisitId>),
) -> Option<PixelBox> {
    let (_, frame_from_view) = maps(camera, size_pixels)?;
    let mut bounds = goods.bounds(camera, &frame_from_view)?;
    let is_taker = |somebody: &&Presence| visits.get(&somebody.track).is_some_and(|visit| takers.contains(visit));
    for somebody in people.iter().flat_map(|(_, there)| there).filter(is_taker) {
        for wrist in [somebody.joints.left_wrist, somebody.joints.right_wrist].into_iter().flatten() {
            if HANDS_METRES_MAX < goods.metres_to(wrist.position) {
                continue;
            }
            let Some(pixel) = camera.view.pixel_from_world(wrist.position) else { continue };
            let at = frame_from_view.apply(pixel);
            bounds = bounds.hull(&PixelBox { left: at.x, top: at.y, right: at.x, bottom: at.y });
        }
    }
    let bounds = grown(&bounds, MARGIN);
    let lack = |length: f64| ((SIDE_PIXELS_MIN - length) / 2.0).max(0.0);
    let (x, y) = (lack(bounds.width()), lack(bounds.height()));
    let least =
        PixelBox { left: bounds.left - x, top: bounds.top - y, right: bounds.right + x, bottom: bounds.bottom + y };
    let inside = least.intersection(&frame(size_pixels))?;
    let (left, top) = (inside.left.floor(), inside.top.floor());
    Some(PixelBox { left, top, right: inside.right.ceil(), bottom: inside.bottom.ceil() })
}

/// From the pixels of a frame to those of what is kept of it, and how large that is.
pub(super) fn kept_from_frame(crop: &PixelBox) -> (Affine, [u32; 2]) {
    let scale = (SIDE_PIXELS_MAX / crop.width().max(crop.height())).min(1.0);
    let map = Affine::scaled([scale; 2], [-scale * crop.left, -scale * crop.top]);
    (map, [crop.width(), crop.height()].map(|side| ((side * scale).round() as u32).max(1)))
}

/// The picture under such a map.
pub(super) fn cut(sampler: &mut Sampler, picture: &RgbImage, map: &Affine, size_pixels: [u32; 2]) -> RgbImage {
    let [width, height] = size_pixels;
    let mut kept = RgbImage::new(width, height);
    sampler.sample(picture, map, [width as usize, height as usize], [0.0; 3], |y, row| {
        for (x, pixel) in row.iter().enumerate() {
            let [red, green, blue, _] = pixel.map(|value| value.round().clamp(0.0, 255.0) as u8);
            kept.set(x as u32, y as u32, [red, green, blue]);
        }
    });
    kept
}
