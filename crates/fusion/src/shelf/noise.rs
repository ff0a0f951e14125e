//! How much a plate trembles while nobody touches it, over a day. It takes variances of a few seconds and gives what is usual for this
//! plate, for whoever keeps it over a restart.

use serde::{Deserialize, Serialize};

/// One in so many blocks is looked at.
const EVERY: u32 = 16;
/// Looks that are remembered: about an hour of rest.
const LOOKS_MAX: f64 = 3_600.0;

/// What is usual for a plate: the geometric mean, which a minute of footsteps moves little.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Noise {
    /// Mean logarithm of the variance, and blocks at rest so far.
    log: f64,
    blocks: u32,
}

impl Noise {
    /// Takes the variance of the last seconds, once a block, square grams.
    pub(super) fn learn(&mut self, variance: f64) {
        self.blocks = self.blocks.saturating_add(1);
        if self.blocks.is_multiple_of(EVERY) {
            let looks = f64::from(self.blocks / EVERY).min(LOOKS_MAX);
            self.log += (variance.ln() - self.log) / looks;
        }
    }

    /// What is usual, square grams, and of how many blocks that is known.
    pub(super) fn usual(&self) -> (f64, u32) {
        (self.log.exp(), self.blocks)
    }
}
