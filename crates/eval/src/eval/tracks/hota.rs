//! HOTA (Luiten et al., HOTA: A Higher Order Metric for Evaluating Multi-Object Tracking, IJCV 129, 2021): how well
//! things are found and how well they are kept apart, in equal parts, over thresholds of likeness from 0.05 to 0.95.

use serde::Serialize;

use super::scene::{Scene, SceneFrame, pair_up};
use super::{SIMILARITY_ERROR_MAX, share};

/// Thresholds of likeness: 0.05, 0.10 ... 0.95.
const THRESHOLDS: usize = 19;

/// HOTA and its parts, each the mean over the thresholds; `0..=1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Hota {
    /// The geometric mean of the next two.
    pub hota: f64,
    /// DetA: how much of what was there and said is a pair.
    pub detection: f64,
    /// AssA: how much of thing and track, from the point of view of each pair, are pairs of these two.
    pub association: f64,
    /// LocA: how alike the pairs are.
    pub localisation: f64,
}

impl Hota {
    pub(super) fn of(scene: &Scene) -> Self {
        let (there, said) = (scene.truth_counts.iter().sum::<u64>(), scene.track_counts.iter().sum::<u64>());
        if there == 0 || said == 0 {
            // Of nothing there is no share.
            return Hota::default();
        }
        let alignment = alignment(scene);
        let pairs: Vec<Vec<(usize, usize, f64)>> = scene.frames.iter().map(|frame| pairs(frame, &alignment)).collect();
        let mut mean = Hota::default();
        for step in 0..THRESHOLDS {
            let threshold = 0.05 + 0.05 * step as f64;
            let held = pairs.iter().flatten().filter(|pair| threshold - SIMILARITY_ERROR_MAX <= pair.2);
            let mut counts = vec![vec![0_u32; scene.track_counts.len()]; scene.truth_counts.len()];
            let (mut matches, mut similarity_sum) = (0_u64, 0.0);
            for &(thing, track, alike) in held {
                counts[thing][track] += 1;
                matches += 1;
                similarity_sum += alike;
            }
            let detection = share(matches as f64, (there + said - matches) as f64);
            let association = share(association_sum(scene, &counts), matches as f64);
            mean.detection += detection / THRESHOLDS as f64;
            mean.association += association / THRESHOLDS as f64;
            mean.hota += (detection * association).sqrt() / THRESHOLDS as f64;
            // Without a pair nothing was placed wrongly.
            mean.localisation += if matches == 0 { 1.0 } else { similarity_sum / matches as f64 } / THRESHOLDS as f64;
        }
        mean
    }
}

/// How well each thing and track agree over the whole sequence.
fn alignment(scene: &Scene) -> Vec<Vec<f64>> {
    let mut common = vec![vec![0.0; scene.track_counts.len()]; scene.truth_counts.len()];
    for frame in &scene.frames {
        let mut track_sums = vec![0.0; frame.tracks.len()];
        for alike in &frame.similarity {
            track_sums.iter_mut().zip(alike).for_each(|(sum, alike)| *sum += alike);
        }
        for (&thing, row) in frame.truth.iter().zip(&frame.similarity) {
            let row_sum: f64 = row.iter().sum();
            for ((&track, &alike), track_sum) in frame.tracks.iter().zip(row).zip(&track_sums) {
                let union = row_sum + track_sum - alike;
                if SIMILARITY_ERROR_MAX < union {
                    common[thing][track] += alike / union;
                }
            }
        }
    }
    for (row, &there) in common.iter_mut().zip(&scene.truth_counts) {
        for (common, &said) in row.iter_mut().zip(&scene.track_counts) {
            *common /= (there + said) as f64 - *common;
        }
    }
    common
}

/// Thing, track and likeness of the pairs of a frame, whatever the threshold.
fn pairs(frame: &SceneFrame, alignment: &[Vec<f64>]) -> Vec<(usize, usize, f64)> {
    let value_of = |(&thing, alike): (&usize, &Vec<f64>)| -> Vec<f64> {
        frame.tracks.iter().zip(alike).map(|(&track, alike)| alignment[thing][track] * alike).collect()
    };
    let values: Vec<Vec<f64>> = frame.truth.iter().zip(&frame.similarity).map(value_of).collect();
    let pairs = pair_up(&values).into_iter();
    pairs.map(|(row, column)| (frame.truth[row], frame.tracks[column], frame.similarity[row][column])).collect()
}

/// The sum over all pairs of how much of thing and track is pairs of these two.
fn association_sum(scene: &Scene, counts: &[Vec<u32>]) -> f64 {
    let mut sum = 0.0;
    for (row, &there) in counts.iter().zip(&scene.truth_counts) {
        for (&count, &said) in row.iter().zip(&scene.track_counts).filter(|(count, _)| 0 < **count) {
            let count = f64::from(count);
            sum += count * count / ((there + said) as f64 - count);
        }
    }
    sum
}
