//! Detectors of many classes that answer once for each cell of a grid.

use super::super::manifest::{Classes, Manifest};
use super::suppress::Candidate;
use super::{View, around, keypoint};
use crate::geometry::PixelBox;

/// YOLOX: a row for each cell, all strides one after the other: a middle within the cell, the logarithm of a size,
/// objectness, and a score for each class.
pub(super) fn yolox(manifest: &Manifest, strides: &[usize], classes: &Classes, rows: &View<'_>) -> Vec<Candidate> {
    let mut found = Vec::new();
    let mut rows = rows.rows();
    for &stride in strides {
        let ([columns, lines], pixels) = (manifest.input.grid(stride), stride as f64);
        for (cell, row) in rows.by_ref().take(columns * lines).enumerate() {
            let [across, down, width, height, object] = match row.first_chunk::<5>() {
                Some(chunk) if manifest.score_min <= f64::from(chunk[4]) => chunk.map(f64::from),
                _ => continue,
            };
            let Some((class, share)) = best(&row[5..], classes) else { continue };
            let score = object * f64::from(share);
            if manifest.score_min <= score {
                let (x, y) = ((cell % columns) as f64 + across, (cell / columns) as f64 + down);
                found.push(Candidate {
                    class: classes.class(class),
                    score,
                    bounds: around(x * pixels, y * pixels, width.exp() * pixels, height.exp() * pixels),
                    keypoints: Vec::new(),
                });
            }
        }
    }
    found
}

/// YOLOv8 and YOLO11: a column for each cell: middle and size in pixels, a score for each class, and for pose x, y
/// and score of each point.
pub(super) fn yolov8(manifest: &Manifest, classes: &Classes, keypoints: usize, columns: &View<'_>) -> Vec<Candidate> {
    // One class after the other, as they lie in memory.
    let mut surest = vec![(0, f32::NEG_INFINITY); columns.width];
    for class in 0..classes.count {
        for (surest, score) in surest.iter_mut().zip(columns.row(4 + class)) {
            if surest.1 < *score {
                *surest = (class, *score);
            }
        }
    }
    let candidate = |(cell, (class, score)): (usize, (usize, f32))| {
        let at = |row: usize| columns.row(row).get(cell).copied().map_or(f64::NAN, f64::from);
        let point = |index: usize| {
            let row = 4 + classes.count + index * 3;
            keypoint(at(row), at(row + 1), at(row + 2))
        };
        let wanted = manifest.score_min <= f64::from(score) && classes.is_wanted(class);
        wanted.then(|| Candidate {
            class: classes.class(class),
            score: f64::from(score),
            bounds: around(at(0), at(1), at(2), at(3)),
            keypoints: (0..keypoints).map(point).collect(),
        })
    };
    surest.into_iter().enumerate().filter_map(candidate).collect()
}

/// NanoDet: scores of the classes for each stride, then the distances to the four edges for each stride, each as a
/// distribution over `bins` whole cells (Li et al., 2020). Distances begin in the middle of the cell's pixels.
pub(super) fn nanodet(
    manifest: &Manifest,
    strides: &[usize],
    bins: usize,
    classes: &Classes,
    views: &[View<'_>],
) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (index, &stride) in strides.iter().enumerate() {
        let (scores, edges) = (views[index], views[strides.len() + index]);
        let ([columns, _], pixels) = (manifest.input.grid(stride), stride as f64);
        for (cell, row) in scores.rows().enumerate() {
            let Some((class, score)) = best(row, classes).filter(|(_, s)| manifest.score_min <= f64::from(*s)) else {
                continue;
            };
            let mut distances = edges.row(cell).chunks_exact(bins).map(|bins| expectation(bins) * pixels);
            let mut next = || distances.next().unwrap_or(f64::NAN);
            let (left, top, right, bottom) = (next(), next(), next(), next());
            let middle = |cell: usize| cell as f64 * pixels + (pixels - 1.0) / 2.0;
            let (x, y) = (middle(cell % columns), middle(cell / columns));
            found.push(Candidate {
                class: classes.class(class),
                score: f64::from(score),
                bounds: PixelBox { left: x - left, top: y - top, right: x + right, bottom: y + bottom },
                keypoints: Vec::new(),
            });
        }
    }
    found
}

/// The surest class and its score; `None` when that class is not looked for.
fn best(scores: &[f32], classes: &Classes) -> Option<(usize, f32)> {
    let mut surest = (0, f32::NEG_INFINITY);
    for (class, &score) in scores.iter().enumerate() {
        if surest.1 < score {
            surest = (class, score);
        }
    }
    classes.is_wanted(surest.0).then_some(surest)
}

/// The mean of the numbers from 0 on, weighted by the softmax of the logits.
fn expectation(logits: &[f32]) -> f64 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let (mut total, mut sum) = (0.0, 0.0);
    for (number, logit) in logits.iter().enumerate() {
        let weight = f64::from(logit - largest).exp();
        total += weight;
        sum += weight * number as f64;
    }
    sum / total
}
