//! How far a mean over few cases can be trusted.

use rand::RngExt;
use serde::Serialize;

use crate::base::rng;

/// Resamples; the ends of the interval then wander by about 0.002 for a share of a hundred cases.
const RESAMPLES: usize = 2_000;
/// Chance that the true value lies beyond either end.
const TAIL: f64 = 0.025;

/// A 95 % confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The percentile bootstrap (Efron 1979) of a ratio of sums, one part and one whole per case; cases are drawn whole, so
/// that shoppers of one case may depend on each other. The same seed and label give the same interval. `None` below two
/// cases, and where all cases agree: a bootstrap that saw no spread knows nothing of it.
pub(super) fn interval(cases: &[(f64, f64)], seed: u64, label: &str) -> Option<Interval> {
    let agree = cases.windows(2).all(|pair| pair[0].0 * pair[1].1 == pair[1].0 * pair[0].1);
    if cases.len() < 2 || agree {
        return None;
    }
    let mut dice = rng::dice(seed, label);
    let mut values: Vec<f64> = (0..RESAMPLES)
        .filter_map(|_| {
            let drawn = (0..cases.len()).map(|_| cases[dice.random_range(0..cases.len())]);
            let (part, whole) = drawn.fold((0.0, 0.0), |sum, case| (sum.0 + case.0, sum.1 + case.1));
            (0.0 < whole).then(|| part / whole)
        })
        .collect();
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values.get((share * (values.len().checked_sub(1)? as f64)).round() as usize).copied();
    Some(Interval { low: at(TAIL)?, high: at(1.0 - TAIL)? })
}
