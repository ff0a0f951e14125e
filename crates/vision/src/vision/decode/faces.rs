//! Detectors of faces.

use super::super::manifest::Manifest;
use super::suppress::Candidate;
use super::{View, around, keypoint};
use crate::facts::{DetectionClass, Keypoint};
use crate::geometry::PixelBox;

/// Points of a face.
const POINTS: usize = 5;

/// YuNet: classes, objectness, boxes and points for each stride. The score is the root of the product of the first two,
/// a box is a middle within its cell and the logarithm of a size.
pub(super) fn yunet(manifest: &Manifest, strides: &[usize], views: &[View<'_>]) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (index, &stride) in strides.iter().enumerate() {
        let [classes, objects, boxes, points] = [0, 1, 2, 3].map(|group| views[group * strides.len() + index]);
        let ([columns, _], pixels) = (manifest.input.grid(stride), stride as f64);
        for cell in 0..classes.values.len() {
            let score = (classes.get(cell).clamp(0.0, 1.0) * objects.get(cell).clamp(0.0, 1.0)).sqrt();
            let [across, down, width, height] = match *boxes.row(cell) {
                [a, b, c, d] if manifest.score_min <= score => [a, b, c, d].map(f64::from),
                _ => continue,
            };
            let (x, y) = ((cell % columns) as f64, (cell / columns) as f64);
            let point = |pair: &[f32]| {
                let [right, lower] = [0, 1].map(|axis| pair.get(axis).copied().map_or(f64::NAN, f64::from));
                keypoint((right + x) * pixels, (lower + y) * pixels, score)
            };
            found.push(Candidate {
                class: DetectionClass::Face,
                score,
                bounds: around((x + across) * pixels, (y + down) * pixels, width.exp() * pixels, height.exp() * pixels),
                keypoints: points.row(cell).chunks_exact(2).map(point).collect(),
            });
        }
    }
    found
}

/// SCRFD: scores, then boxes, then points for each stride, several anchors a cell. Boxes are distances from the
/// corner of the cell to their edges, in cells.
pub(super) fn scrfd(manifest: &Manifest, strides: &[usize], anchors: usize, views: &[View<'_>]) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (index, &stride) in strides.iter().enumerate() {
        let [scores, boxes, points] = [0, 1, 2].map(|group| views[group * strides.len() + index]);
        let ([columns, _], pixels) = (manifest.input.grid(stride), stride as f64);
        for place in 0..scores.values.len() {
            let score = scores.get(place);
            let [left, top, right, bottom] = match *boxes.row(place) {
                [a, b, c, d] if manifest.score_min <= score => [a, b, c, d].map(|edge| f64::from(edge) * pixels),
                _ => continue,
            };
            let cell = place / anchors;
            let (x, y) = ((cell % columns) as f64 * pixels, (cell / columns) as f64 * pixels);
            let point =
                |pair: &[f32]| keypoint(x + f64::from(pair[0]) * pixels, y + f64::from(pair[1]) * pixels, score);
            let keypoints: Vec<Keypoint> = points.row(place).chunks_exact(2).take(POINTS).map(point).collect();
            found.push(Candidate {
                class: DetectionClass::Face,
                score,
                bounds: PixelBox { left: x - left, top: y - top, right: x + right, bottom: y + bottom },
                keypoints,
            });
        }
    }
    found
}

/// UltraFace: probabilities of nothing and of a face, and corners as parts of the input.
pub(super) fn ultraface(manifest: &Manifest, scores: &View<'_>, boxes: &View<'_>) -> Vec<Candidate> {
    let (width, height) = (manifest.input.width as f64, manifest.input.height as f64);
    let face = |(scores, corners): (&[f32], &[f32])| {
        let score = scores.get(1).copied().map_or(f64::NAN, f64::from);
        match *corners {
            [left, top, right, bottom] if manifest.score_min <= score => Some(Candidate {
                class: DetectionClass::Face,
                score,
                bounds: PixelBox {
                    left: f64::from(left) * width,
                    top: f64::from(top) * height,
                    right: f64::from(right) * width,
                    bottom: f64::from(bottom) * height,
                },
                keypoints: Vec::new(),
            }),
            _ => None,
        }
    };
    scores.rows().zip(boxes.rows()).filter_map(face).collect()
}
