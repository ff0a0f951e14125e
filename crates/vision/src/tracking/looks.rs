//! What looks are worth: how much likelier two of them are of one person than of two.
//!
//! Networks differ in how far apart they put people, and the same network does so from shop to shop. So nothing is assumed:
//! two people in one frame are surely different, a detection that place and pose gave to somebody is nearly surely them,
//! and how these cosines are spread is what a cosine says (two Gaussians of one variance: Fisher, 1936). Looks that are
//! noise have one spread for both, and count for nothing.

/// Cosines of each kind before anything is believed, and those that are remembered.
const COUNT_MIN: f64 = 40.0;
const COUNT_MAX: f64 = 2_000.0;
/// The least deviation of a cosine, so that a few that are alike by chance are not taken for certain.
const SIGMA_MIN: f64 = 0.05;
/// The most that one look says, as a logarithm of odds: light and pose change looks of many frames together.
const WORTH_MAX: f64 = 3.0;

/// How cosines are spread, of one person and of two, as far as was seen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Looks {
    same: Spread,
    different: Spread,
}

#[derive(Clone, Copy, Debug, Default)]
struct Spread {
    count: f64,
    mean: f64,
    variance: f64,
}

impl Looks {
    /// Notes two looks, of one person or of two.
    pub(super) fn note(&mut self, one: &[f32], other: &[f32], is_same: bool) {
        let spread = if is_same { &mut self.same } else { &mut self.different };
        cosine(one, other).into_iter().for_each(|cosine| spread.take(cosine));
    }

    /// The logarithm of how much likelier two looks are of one person than of two; 0 where one is missing, or as long as
    /// too little was seen to say.
    pub(super) fn worth(&self, one: &[f32], other: &[f32]) -> f64 {
        let Some(cosine) = cosine(one, other) else { return 0.0 };
        let apart = self.same.mean - self.different.mean;
        if self.same.count < COUNT_MIN || self.different.count < COUNT_MIN || apart <= 0.0 {
            return 0.0;
        }
        let variance = f64::midpoint(self.same.variance, self.different.variance).max(SIGMA_MIN * SIGMA_MIN);
        let between = f64::midpoint(self.same.mean, self.different.mean);
        (apart / variance * (cosine - between)).clamp(-WORTH_MAX, WORTH_MAX)
    }
}

impl Spread {
    fn take(&mut self, value: f64) {
        self.count = (self.count + 1.0).min(COUNT_MAX);
        let off = value - self.mean;
        self.mean += off / self.count;
        self.variance += (off * (value - self.mean) - self.variance) / self.count;
    }
}

/// Takes a look into a mean of length 1, of which it becomes a `share`. A detection without a look changes nothing; one of
/// another network begins anew.
pub(super) fn blend(mean: &mut Vec<f32>, seen: &[f32], share: f32) {
    if seen.is_empty() {
        return;
    }
    if mean.len() != seen.len() {
        mean.clear();
        mean.extend_from_slice(seen);
        return;
    }
    mean.iter_mut().zip(seen).for_each(|(mean, seen)| *mean += (seen - *mean) * share);
    let length = mean.iter().map(|value| value * value).sum::<f32>().sqrt();
    if 0.0 < length {
        mean.iter_mut().for_each(|value| *value /= length);
    }
}

/// The cosine of two vectors; `None` where one is missing, is nothing, or they are of different networks.
fn cosine(one: &[f32], other: &[f32]) -> Option<f64> {
    if one.is_empty() || one.len() != other.len() {
        return None;
    }
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let cosine = dot(one, other) / (dot(one, one) * dot(other, other)).sqrt();
    cosine.is_finite().then_some(cosine)
}
