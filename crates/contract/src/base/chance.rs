//! Chances: calibrated probabilities.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A calibrated probability in `0..=1`.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Prob(f64);

impl Prob {
    /// Certainty.
    pub const ONE: Prob = Prob(1.0);
    /// Impossibility.
    pub const ZERO: Prob = Prob(0.0);

    /// From a number, clamped into `0..=1`; not-a-number becomes 0.
    pub fn new(value: f64) -> Self {
        Prob(if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) })
    }

    /// The number in `0..=1`.
    pub const fn value(self) -> f64 {
        self.0
    }
}

impl fmt::Display for Prob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} %", self.0 * 100.0)
    }
}
