//! How far the people's clock is from the plates': a posterior over a grid of constant offsets, fed by how well
//! hands meet moving goods at each of them.

use super::people::RASTER;
use crate::base::Span;
use crate::base::limits::CLOCK_OFFSET_SPAN_MAX;
use crate::facts::ClockEstimate;

/// Standard deviation of the offset before anything was seen.
const PRIOR_SIGMA: Span = Span::from_millis(200);
/// Share of the evidence of a step that is counted: neighbouring offsets and hands that rest are not independent.
const TEMPER: f64 = 0.5;

/// The posterior.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    /// Log posterior per offset, from the most negative on, in steps of the raster.
    log: Vec<f64>,
    events: u32,
}

/// How many raster steps fit on one side of zero.
pub(super) const HALF: usize = (CLOCK_OFFSET_SPAN_MAX.as_nanos() / RASTER.as_nanos()) as usize;

impl Clock {
    pub(super) fn new() -> Self {
        let prior = |index: usize| {
            let off = (index as f64 - HALF as f64) * RASTER.as_secs();
            -0.5 * (off / PRIOR_SIGMA.as_secs()).powi(2)
        };
        Clock { log: (0..=2 * HALF).map(prior).collect(), events: 0 }
    }

    /// Takes the log likelihood of a step at each offset.
    pub(super) fn learn(&mut self, likelihood: &[f64]) {
        let top = likelihood.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if !top.is_finite() {
            return;
        }
        for (log, new) in self.log.iter_mut().zip(likelihood) {
            // One step that fits nowhere else must not outvote all others.
            *log += TEMPER * (new - top).max(-4.0);
        }
        let top = self.log.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        self.log.iter_mut().for_each(|log| *log -= top);
        self.events += 1;
    }

    /// Probability of each offset.
    pub(super) fn weights(&self) -> Vec<f64> {
        let weights: Vec<f64> = self.log.iter().map(|log| log.exp()).collect();
        let sum: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / sum).collect()
    }

    pub(super) fn estimate(&self) -> ClockEstimate {
        let weights = self.weights();
        let offset = |index: usize| (index as f64 - HALF as f64) * RASTER.as_secs();
        let mean: f64 = weights.iter().enumerate().map(|(index, weight)| weight * offset(index)).sum();
        let variance: f64 =
            weights.iter().enumerate().map(|(index, weight)| weight * (offset(index) - mean).powi(2)).sum();
        ClockEstimate {
            offset: Span::from_secs(mean),
            sigma: Span::from_secs(variance.sqrt().max(RASTER.as_secs() / 12f64.sqrt())),
            events: self.events,
        }
    }
}
