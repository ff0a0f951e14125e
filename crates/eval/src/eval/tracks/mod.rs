//! Tracks against truth, by the measures of the field: CLEAR MOT, identity scores and HOTA. Takes what was there and
//! what was said in every frame, boxes of a camera or points of the floor, and gives counts and scores. It never
//! reads a file, and never follows anybody itself.

mod clear;
mod hota;
mod identity;
mod rules;
mod scene;

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use serde::Serialize;

use crate::base::figures::fixed;

pub use clear::Clear;
pub use hota::Hota;
pub use identity::Identity;
pub use rules::{TruthBox, TruthKind, compare_boxes};
pub use scene::{Observed, Scene};

/// How far apart in similarity two are that count as equal: one unit in the last place of 1, as TrackEval has it.
const SIMILARITY_ERROR_MAX: f64 = f64::EPSILON;
/// From this similarity on, something said may be something that was there (CLEAR MOT and identity scores).
const SIMILARITY_MIN: f64 = 0.5;

/// All measures of one sequence.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrackScore {
    /// Frames that were compared.
    pub frames: usize,
    /// Things that were there, counted once a frame.
    pub truths: u64,
    /// Things that were said, counted once a frame.
    pub said: u64,
    /// Different things that were there.
    pub truth_ids: usize,
    /// Different tracks that were said.
    pub track_ids: usize,
    /// Frame by frame.
    pub clear: Clear,
    /// Over the whole sequence, one track for each thing.
    pub identity: Identity,
    /// Detection and association in one.
    pub hota: Hota,
}

impl TrackScore {
    /// Judges a scene.
    pub fn of(scene: &Scene) -> Self {
        TrackScore {
            frames: scene.frames.len(),
            truths: scene.truth_counts.iter().sum(),
            said: scene.track_counts.iter().sum(),
            truth_ids: scene.truth_counts.len(),
            track_ids: scene.track_counts.len(),
            clear: Clear::of(scene),
            identity: Identity::of(scene),
            hota: Hota::of(scene),
        }
    }

    /// The scores in per cent, as tables of the field give them, and the counts behind them; ends in a newline.
    pub fn to_text(&self) -> String {
        let percent = |share: f64| fixed(100.0 * share, 1);
        let (clear, identity, hota) = (&self.clear, &self.identity, &self.hota);
        let scores = [
            ("MOTA", clear.mota),
            ("IDF1", identity.f1),
            ("HOTA", hota.hota),
            ("MODA", clear.moda),
            ("MOTP", clear.motp),
            ("DetA", hota.detection),
            ("AssA", hota.association),
            ("LocA", hota.localisation),
            ("IDP", identity.precision),
            ("IDR", identity.recall),
        ];
        let counts = [
            ("FP", clear.false_positives),
            ("FN", clear.misses),
            ("IDSW", clear.switches),
            ("Frag", clear.fragmentations),
            ("MT", clear.mostly_tracked),
            ("PT", clear.partly_tracked),
            ("ML", clear.mostly_lost),
        ];
        let (mut names, mut values) = (String::new(), String::new());
        let cells = scores.iter().map(|(name, share)| (*name, percent(*share)));
        for (name, value) in cells.chain(counts.iter().map(|(name, count)| (*name, count.to_string()))) {
            let width = name.len().max(value.len());
            let _ = write!(names, "{name:>width$}  ");
            let _ = write!(values, "{value:>width$}  ");
        }
        format!("{}\n{}\n", names.trim_end(), values.trim_end())
    }
}

/// A share; 0 of nothing.
fn share(part: f64, whole: f64) -> f64 {
    if 0.0 < whole { part / whole } else { 0.0 }
}
