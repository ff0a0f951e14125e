//! Whether probabilities mean what they say.

use serde::Serialize;

use crate::base::Prob;

/// Bins of the reliability table; each is a tenth of the range wide.
const BINS: usize = 10;

/// A probability that was stated, and what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Belief {
    /// Stated probability of being right.
    pub probability: Prob,
    /// Whether it was right.
    pub right: bool,
}

/// Stated probabilities against outcomes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reliability {
    /// How many statements.
    pub count: u64,
    /// Mean squared distance of probability and outcome, `0..=1`, less is better (Brier 1950); `None` without statements.
    pub brier: Option<f64>,
    /// Expected calibration error, `0..=1`, less is better: mean distance of stated probability and share of right ones
    /// over the bins, weighted by count (Naeini, Cooper, Hauskrecht 2015); `None` without statements.
    pub calibration_error: Option<f64>,
    /// The table: ten bins of equal width; the last one holds 1 too.
    pub bins: Vec<Bin>,
}

/// Statements of similar probability.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Bin {
    /// Least probability inside.
    pub from: f64,
    /// First probability beyond; the last bin holds 1 too.
    pub to: f64,
    /// How many statements.
    pub count: u64,
    /// Mean stated probability; 0 in an empty bin.
    pub stated: f64,
    /// Share that was right; 0 in an empty bin.
    pub right: f64,
}

impl Belief {
    /// A statement and its outcome.
    pub fn new(probability: Prob, right: bool) -> Self {
        Belief { probability, right }
    }
}

impl Reliability {
    /// Judges statements.
    pub fn of<'a>(beliefs: impl IntoIterator<Item = &'a Belief>) -> Self {
        let mut bins: Vec<Bin> = (0..BINS)
            .map(|index| Bin { from: share(index, BINS), to: share(index + 1, BINS), ..Bin::default() })
            .collect();
        let (mut count, mut squares) = (0_u64, 0.0);
        for belief in beliefs {
            let (stated, came) = (belief.probability.value(), f64::from(u8::from(belief.right)));
            count += 1;
            squares += (stated - came).powi(2);
            let bin = &mut bins[((stated * BINS as f64) as usize).min(BINS - 1)];
            bin.count += 1;
            bin.stated += stated;
            bin.right += came;
        }
        for bin in bins.iter_mut().filter(|bin| 0 < bin.count) {
            bin.stated /= bin.count as f64;
            bin.right /= bin.count as f64;
        }
        let gaps: f64 = bins.iter().map(|bin| bin.count as f64 * (bin.stated - bin.right).abs()).sum();
        let mean = |sum: f64| (0 < count).then(|| sum / count as f64);
        Reliability { count, brier: mean(squares), calibration_error: mean(gaps), bins }
    }
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}
