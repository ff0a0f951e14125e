//! Dice with the throws a simulation needs. Every purpose has its own stream, so that one more throw here moves
//! nothing there.

use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

use crate::base::rng::{Dice, dice};

/// Seeded dice for one purpose.
pub(super) struct Roll(Dice);

impl Roll {
    pub(super) fn new(seed: u64, purpose: &str) -> Self {
        Roll(dice(seed, purpose))
    }

    /// Uniform in `[low, high)`; `low` when the two are equal.
    pub(super) fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.0.random::<f64>()
    }

    pub(super) fn normal(&mut self, mean: f64, sigma: f64) -> f64 {
        let z: f64 = StandardNormal.sample(&mut self.0);
        mean + sigma * z
    }

    /// A normal throw that stays within two and a half sigmas.
    pub(super) fn bounded(&mut self, mean: f64, sigma: f64) -> f64 {
        let z: f64 = StandardNormal.sample(&mut self.0);
        mean + sigma * z.clamp(-2.5, 2.5)
    }

    /// Log-normal with this median.
    pub(super) fn around(&mut self, median: f64, log_sigma: f64) -> f64 {
        median * self.bounded(0.0, log_sigma).exp()
    }

    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.0.random::<f64>() < probability
    }

    /// A whole number in `low..=high`.
    pub(super) fn whole(&mut self, low: usize, high: usize) -> usize {
        self.0.random_range(low..=high)
    }

    pub(super) fn number(&mut self) -> u64 {
        self.0.random()
    }

    pub(super) fn sign(&mut self) -> f64 {
        if self.chance(0.5) { 1.0 } else { -1.0 }
    }

    /// One of these; `None` of nothing.
    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() { None } else { from.get(self.whole(0, from.len() - 1)) }
    }
}
