//! What a hand holds: where to look for a hand, what the model says of it, and which product of the catalogue its
//! vector is most like.

use std::collections::BTreeMap;

use crate::base::SkuId;
use crate::facts::{BodyPoint, Detection};
use crate::geometry::{Pixel, PixelBox, Point};

/// Bones of the left side, with their length in an adult of middle height (Drillis and Contini, 1966), metres. The one
/// that looks longest for its length tells the size of the body: the others point towards the camera or away from it.
const BONES_METRES: [(BodyPoint, BodyPoint, f64); 4] = [
    (BodyPoint::LeftShoulder, BodyPoint::LeftElbow, 0.32),
    (BodyPoint::LeftElbow, BodyPoint::LeftWrist, 0.25),
    (BodyPoint::LeftShoulder, BodyPoint::LeftHip, 0.50),
    (BodyPoint::LeftHip, BodyPoint::LeftKnee, 0.42),
];
/// How far beyond the wrist the middle of the region lies, as a share of the forearm.
const BEYOND_WRIST: f64 = 0.35;
/// Side of the region, metres at the size of the body: a hand with what it holds.
const SIDE_METRES: f64 = 0.5;
/// Smaller regions are not looked at, pixels.
const SIDE_PIXELS_MIN: f64 = 16.0;

/// A hand of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HandSide {
    /// The person's left.
    Left,
    /// Right.
    Right,
}

/// What is seen in a hand's region.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldProduct {
    /// How probable it is that a hand is there, `0..=1`.
    pub hand: f64,
    /// How probable it is that it holds something, `0..=1`.
    pub holding: f64,
    /// What it holds looks like, length 1; to be compared by a [`Gallery`]. Means nothing where nothing is held.
    pub vector: Vec<f32>,
}

/// The square around a hand of a person with the 17 joints of COCO, pixels; it may reach beyond the frame. Joints below
/// `score_min` count as unknown; without the wrist, or any bone to take the size of the body from, there is `None`.
pub fn hand_region(person: &Detection, side: HandSide, score_min: f64) -> Option<PixelBox> {
    let known = |joint: usize| -> Option<Point<Pixel>> {
        let point = person.keypoints.get(joint)?;
        (score_min <= point.score).then_some(point.pixel)
    };
    // COCO has the right joint after the left one.
    let of = |joint: BodyPoint, side: HandSide| known(joint as usize + usize::from(side == HandSide::Right));
    let wrist = of(BodyPoint::LeftWrist, side)?;
    let mut pixels_per_metre = 0.0_f64;
    for (from, to, metres) in BONES_METRES {
        for side in [HandSide::Left, HandSide::Right] {
            if let (Some(from), Some(to)) = (of(from, side), of(to, side)) {
                pixels_per_metre = pixels_per_metre.max(from.distance(to) / metres);
            }
        }
    }
    if !(0.0 < pixels_per_metre && pixels_per_metre.is_finite()) {
        return None;
    }
    let reach = of(BodyPoint::LeftElbow, side).map_or(Point::new(0.0, 0.0, 0.0), |elbow| wrist - elbow);
    let length = (pixels_per_metre * SIDE_METRES).max(SIDE_PIXELS_MIN);
    let [x, y] = [wrist.x + reach.x * BEYOND_WRIST, wrist.y + reach.y * BEYOND_WRIST];
    Some(PixelBox::from_size(x - length / 2.0, y - length / 2.0, length, length))
}

/// Products by what the pictures of the catalogue look like. A new product needs pictures and no training.
#[derive(Clone, Debug, PartialEq)]
pub struct Gallery {
    vectors: BTreeMap<SkuId, Vec<Vec<f32>>>,
    temperature: f64,
}

impl Gallery {
    /// Without products yet. `temperature` is that of the model's manifest, more than 0: the lower it is, the more a
    /// difference between cosines tells.
    pub fn new(temperature: f64) -> Self {
        Gallery { vectors: BTreeMap::new(), temperature }
    }

    /// Adds the vector of a picture of a product, length 1, made by the model that looks at hands.
    pub fn insert(&mut self, sku: SkuId, vector: Vec<f32>) {
        self.vectors.entry(sku).or_default().push(vector);
    }

    /// How many products have a picture.
    pub fn len(&self) -> usize {
        self.vectors.len()
    }

    /// The products that have a picture, in order of their codes.
    pub fn products(&self) -> impl Iterator<Item = &SkuId> {
        self.vectors.keys()
    }

    /// Whether no product has a picture.
    pub fn is_empty(&self) -> bool {
        self.vectors.is_empty()
    }

    /// How probable it is for each of the candidates that it is what was seen, given that it is one of them: the softmax
    /// over the cosine with its most similar picture. The most probable first, of equals the first by code; candidates
    /// without a picture are left out, repeated ones count once.
    pub fn rank<'a>(&self, vector: &[f32], candidates: impl IntoIterator<Item = &'a SkuId>) -> Vec<(SkuId, f64)> {
        let likeness = |sku: &'a SkuId| {
            let pictures = self.vectors.get(sku)?;
            pictures.iter().map(|picture| cosine(vector, picture)).max_by(f64::total_cmp).map(|best| (sku, best))
        };
        let alike: BTreeMap<&SkuId, f64> = candidates.into_iter().filter_map(likeness).collect();
        let best = alike.values().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut ranked: Vec<(SkuId, f64)> =
            alike.into_iter().map(|(sku, cosine)| (sku.clone(), ((cosine - best) / self.temperature).exp())).collect();
        let sum: f64 = ranked.iter().map(|(_, weight)| weight).sum();
        ranked.iter_mut().for_each(|(_, weight)| *weight /= sum);
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        ranked
    }
}

/// The cosine of the angle between two vectors of length 1.
fn cosine(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}
