//! Identity scores (Ristani et al., Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking, 2016):
//! each thing has one track at most over the whole sequence, chosen so that most is right.

use serde::Serialize;

use super::scene::{Scene, pair_up};
use super::{SIMILARITY_MIN, share};

/// How well one track is one thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Identity {
    /// IDF1: the harmonic mean of precision and recall.
    pub f1: f64,
    /// IDP: the share of what was said that is right.
    pub precision: f64,
    /// IDR: the share of what was there that was said right.
    pub recall: f64,
    /// IDTP: said of the right thing.
    pub right: u64,
    /// IDFP: said of nothing, or of another thing.
    pub false_positives: u64,
    /// IDFN: not said, or under another track.
    pub misses: u64,
}

impl Identity {
    pub(super) fn of(scene: &Scene) -> Self {
        let mut common = vec![vec![0.0; scene.track_counts.len()]; scene.truth_counts.len()];
        for frame in &scene.frames {
            for (&thing, alike) in frame.truth.iter().zip(&frame.similarity) {
                for (&track, &alike) in frame.tracks.iter().zip(alike) {
                    common[thing][track] += f64::from(u8::from(SIMILARITY_MIN <= alike));
                }
            }
        }
        let right: f64 = pair_up(&common).into_iter().map(|(thing, track)| common[thing][track]).sum();
        let there = scene.truth_counts.iter().sum::<u64>();
        let said = scene.track_counts.iter().sum::<u64>();
        Identity {
            f1: share(2.0 * right, (there + said) as f64),
            precision: share(right, said as f64),
            recall: share(right, there as f64),
            right: right as u64,
            false_positives: said - right as u64,
            misses: there - right as u64,
        }
    }
}
