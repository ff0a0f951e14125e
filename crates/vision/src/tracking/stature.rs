//! How tall somebody is: the height of the neck when they stand upright. People bend and kneel, and never grow: a high quantile of
//! the heights is theirs as soon as they have walked some steps, and until then a lower bound.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Heights are counted in steps of so many metres, up to so many.
const STEP_METRES: f64 = 0.01;
const STEPS_MAX: f64 = 250.0;
/// Share of the heights below the one that is theirs.
const QUANTILE: f64 = 0.9;
/// Heights that are remembered; of more each counts for half.
const HEIGHTS_MAX: u32 = 900;
/// Sights of somebody walking after which they have been upright, and sights of any kind for a lower bound.
const WALKING_MIN: u32 = 8;
const SEEN_MIN: u32 = 5;
/// Standard deviation between two stretches of time, metres: of long ones, and for short ones with the root of the sights.
const SIGMA: f64 = 0.02;
const SIGMA_OF_ONE: f64 = 0.03;
/// The same of how far whoever was not seen upright stays below.
const BENT_SIGMA: f64 = 0.25;
/// The largest square of a standard score: a track may be of two people.
const SQUARE_MAX: f64 = 30.0;

/// Heights of one neck.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Stature {
    /// Sights by height in steps.
    counts: BTreeMap<u8, u32>,
    seen: u32,
    walking: u32,
}

impl Stature {
    /// The neck of somebody is at this height, metres.
    pub(super) fn see(&mut self, metres: f64, walks: bool) {
        let step = metres / STEP_METRES;
        if !(0.0..=STEPS_MAX).contains(&step) {
            return;
        }
        *self.counts.entry(step as u8).or_default() += 1;
        self.seen += 1;
        self.walking = (self.walking + u32::from(walks)).min(HEIGHTS_MAX);
        self.forget();
    }

    /// Takes in what was seen of the same person before.
    pub(super) fn join(&mut self, before: &Stature) {
        for (step, count) in &before.counts {
            *self.counts.entry(*step).or_default() += count;
        }
        self.seen += before.seen;
        self.walking = (self.walking + before.walking).min(HEIGHTS_MAX);
        self.forget();
    }

    fn forget(&mut self) {
        while HEIGHTS_MAX < self.seen {
            self.counts.values_mut().for_each(|count| *count /= 2);
            self.counts.retain(|_, count| 0 < *count);
            self.seen = self.counts.values().sum();
        }
    }

    /// Whether they were seen upright.
    pub(super) fn is_known(&self) -> bool {
        WALKING_MIN <= self.walking
    }

    /// Height of the upright neck, metres, or the highest that it was if they did not walk.
    fn metres(&self) -> Option<f64> {
        if self.seen < SEEN_MIN {
            return None;
        }
        let rank = QUANTILE * f64::from(self.seen);
        let mut below = 0.0;
        for (step, count) in &self.counts {
            let count = f64::from(*count);
            if rank <= below + count {
                return Some((f64::from(*step) + (rank - below) / count) * STEP_METRES);
            }
            below += count;
        }
        None
    }

    /// Square of the standard score of their being one person's, capped; `None` where too little was seen.
    pub(super) fn unlikeness(&self, other: &Stature) -> Option<f64> {
        let off = self.metres()? - other.metres()?;
        let sigma = SIGMA + SIGMA_OF_ONE / f64::from(self.seen.min(other.seen)).sqrt();
        // Whoever has not walked yet may be bent, and then is taller than they seem.
        let may_be_bent = if off < 0.0 { !self.is_known() } else { !other.is_known() };
        let sigma = if may_be_bent { sigma.hypot(BENT_SIGMA) } else { sigma };
        Some((off / sigma).powi(2).min(SQUARE_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stature(heights: &[(f64, u32)], walks: bool) -> Stature {
        let mut stature = Stature::default();
        for (metres, times) in heights {
            (0..*times).for_each(|_| stature.see(*metres, walks));
        }
        stature
    }

    #[test]
    fn somebody_who_bends_is_as_tall_as_when_they_walk() {
        let walking = stature(&[(1.45, 30)], true);
        let mut shopping = stature(&[(1.45, 20)], true);
        shopping.join(&stature(&[(0.9, 60), (1.44, 30)], false));
        let taller = stature(&[(1.55, 30)], true);
        let near = |a: &Stature, b: &Stature| a.unlikeness(b).unwrap();
        assert!(near(&walking, &shopping) < 1.0 && near(&shopping, &walking) < 1.0);
        assert!(9.0 < near(&walking, &taller) && 9.0 < near(&taller, &shopping));
    }

    #[test]
    fn who_has_not_walked_may_be_taller_than_they_seem_but_not_shorter() {
        let (bent, tall, short) =
            (stature(&[(1.2, 30)], false), stature(&[(1.5, 30)], true), stature(&[(1.0, 30)], true));
        assert!(bent.unlikeness(&tall).unwrap() < 2.0 && tall.unlikeness(&bent).unwrap() < 2.0);
        assert!(9.0 < bent.unlikeness(&short).unwrap() && 9.0 < short.unlikeness(&bent).unwrap());
    }

    #[test]
    fn heights_that_make_no_sense_and_too_few_say_nothing() {
        let walking = stature(&[(1.45, 30)], true);
        assert_eq!(walking.unlikeness(&stature(&[(f64::NAN, 30), (-1.0, 30), (9.0, 30)], true)), None);
        assert_eq!(walking.unlikeness(&stature(&[(1.45, 4)], true)), None);
        assert!(stature(&[(1.45, 100_000)], true).seen <= HEIGHTS_MAX);
    }
}
