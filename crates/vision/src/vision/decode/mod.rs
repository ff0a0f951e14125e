//! From the outputs of a model to detections in pixels of its input: one file for each way in which models answer.
//! It takes outputs with their manifest and gives detections, surest first. It never looks at a picture.

mod cells;
mod faces;
mod hands;
mod joints;
mod personlab;
mod rows;
mod suppress;

use super::hand::HeldProduct;
use super::manifest::{Decoder, Manifest};
use super::network::Output;
use crate::facts::{Detection, Keypoint};
use crate::geometry::{PixelBox, Point};
use suppress::Candidate;

/// An output as a decoder reads it.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    /// Length of the innermost axis.
    pub(super) width: usize,
    pub(super) values: &'a [f32],
}

impl<'a> View<'a> {
    pub(super) fn of(output: &'a Output) -> Self {
        View { width: output.shape.last().copied().unwrap_or(1).max(1), values: &output.values }
    }

    /// A row of the innermost axis; empty where there is none.
    fn row(&self, index: usize) -> &'a [f32] {
        self.values.get(index * self.width..(index + 1) * self.width).unwrap_or_default()
    }

    /// The rows of the innermost axis.
    fn rows(&self) -> std::slice::ChunksExact<'a, f32> {
        self.values.chunks_exact(self.width)
    }

    fn get(&self, index: usize) -> f64 {
        self.values.get(index).copied().map_or(f64::NAN, f64::from)
    }
}

/// What the outputs say, in pixels of the input, surest first; all numbers of it are finite. `views` are as many as
/// [`Manifest::output_shapes`] has, and of those shapes.
pub(super) fn detections(manifest: &Manifest, views: &[View<'_>]) -> Vec<Detection> {
    let mut found = decoded(manifest, views);
    found.retain(|one| one.bounds.is_well_formed() && one.score.is_finite());
    for one in &mut found {
        let middle = one.bounds.centre();
        for point in &mut one.keypoints {
            let is_known = point.pixel.x.is_finite() && point.pixel.y.is_finite() && point.score.is_finite();
            // Points are known by their places in the list, so one that is not there stays, with no score.
            *point = if is_known { *point } else { keypoint(middle.x, middle.y, 0.0) };
        }
    }
    found
}

fn decoded(manifest: &Manifest, views: &[View<'_>]) -> Vec<Detection> {
    let input = &manifest.input;
    let score_min = manifest.score_min;
    let kept = |candidates: Vec<Candidate>| suppress::keep(candidates, manifest.iou_max);
    match &manifest.decoder {
        Decoder::YuNet { strides } => kept(faces::yunet(manifest, strides, views)),
        Decoder::Scrfd { strides, anchors } => kept(faces::scrfd(manifest, strides, *anchors, views)),
        Decoder::UltraFace => of(views, |[scores, boxes]| kept(faces::ultraface(manifest, scores, boxes))),
        Decoder::Yolox { strides, classes } => of(views, |[rows]| kept(cells::yolox(manifest, strides, classes, rows))),
        Decoder::YoloV8 { classes, keypoints } => {
            of(views, |[columns]| kept(cells::yolov8(manifest, classes, *keypoints, columns)))
        }
        Decoder::NanoDet { strides, bins, classes } => kept(cells::nanodet(manifest, strides, *bins, classes, views)),
        // The model has left out already what overlaps.
        Decoder::Suppressed { rows, classes } => suppress::keep(rows::rows(manifest, rows, classes, views), 1.0),
        Decoder::MoveNet => of(views, |[points]| joints::movenet(input, points, score_min)),
        Decoder::SimCc { split } => of(views, |[across, down]| joints::simcc(across, down, *split, score_min)),
        Decoder::Rtmo => of(views, |[boxes, points]| kept(joints::rtmo(manifest, boxes, points))),
        Decoder::PoseNet { stride } => of(views, |[heat, short, middle]| {
            personlab::people(input.grid(*stride), *stride, score_min, heat, short, middle)
        }),
        Decoder::Palm => of(views, |[boxes, scores]| kept(hands::palms(manifest, boxes, scores))),
        Decoder::HandPoints => of(views, |[points, presence]| hands::points(points, presence, score_min)),
        // They say what a region is like, and find nothing in it: see `embedding` and `held_product`.
        Decoder::Embedding { .. } | Decoder::HeldProduct { .. } => Vec::new(),
    }
}

/// What the first outputs say. There are as many as the manifest has.
fn of<const N: usize>(views: &[View<'_>], read: impl FnOnce(&[View<'_>; N]) -> Vec<Detection>) -> Vec<Detection> {
    views.first_chunk().map(read).unwrap_or_default()
}

/// A vector of length 1; `None` when it has no length or is not finite.
pub(super) fn embedding(values: &[f32]) -> Option<Vec<f32>> {
    let norm = values.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
    (norm.is_finite() && 0.0 < norm).then(|| values.iter().map(|value| (f64::from(*value) / norm) as f32).collect())
}

/// What a model for hands and products says: two probabilities and a vector. `None` when they are not finite.
pub(super) fn held_product(scores: &[f32], vector: &[f32]) -> Option<HeldProduct> {
    let probability = |place: usize| {
        let score = scores.get(place).copied().map(f64::from)?;
        score.is_finite().then_some(score.clamp(0.0, 1.0))
    };
    Some(HeldProduct { hand: probability(0)?, holding: probability(1)?, vector: embedding(vector)? })
}

/// The logistic function.
fn sigmoid(value: f64) -> f64 {
    1.0 / (1.0 + (-value).exp())
}

fn keypoint(x: f64, y: f64, score: f64) -> Keypoint {
    Keypoint { pixel: Point::new(x, y, 0.0), score }
}

/// A box from its middle and size.
fn around(x: f64, y: f64, width: f64, height: f64) -> PixelBox {
    PixelBox::from_size(x - width / 2.0, y - height / 2.0, width, height)
}

/// The box around points whose score is not below `score_min`; `None` when there are none.
fn hull(points: &[Keypoint], score_min: f64) -> Option<PixelBox> {
    let is_sure = |point: &&Keypoint| score_min <= point.score && (point.pixel.x + point.pixel.y).is_finite();
    let mut sure = points.iter().filter(is_sure).map(|point| point.pixel);
    let first = sure.next()?;
    let start = PixelBox { left: first.x, top: first.y, right: first.x, bottom: first.y };
    Some(sure.fold(start, |hull, point| PixelBox {
        left: hull.left.min(point.x),
        top: hull.top.min(point.y),
        right: hull.right.max(point.x),
        bottom: hull.bottom.max(point.y),
    }))
}
