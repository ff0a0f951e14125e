//! Measured things with their unit in the type.

use std::fmt;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::figures::fixed;

/// A weight, or a difference of weights, in grams.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Grams(f64);

impl Grams {
    /// Nothing.
    pub const ZERO: Grams = Grams(0.0);

    /// From a number of grams.
    pub const fn new(grams: f64) -> Self {
        Grams(grams)
    }

    /// The number of grams.
    pub const fn value(self) -> f64 {
        self.0
    }

    /// The size without the sign.
    pub const fn abs(self) -> Grams {
        Grams(self.0.abs())
    }
}

impl Add for Grams {
    type Output = Grams;
    fn add(self, other: Grams) -> Grams {
        Grams(self.0 + other.0)
    }
}

impl AddAssign for Grams {
    fn add_assign(&mut self, other: Grams) {
        self.0 += other.0;
    }
}

impl Sub for Grams {
    type Output = Grams;
    fn sub(self, other: Grams) -> Grams {
        Grams(self.0 - other.0)
    }
}

impl Neg for Grams {
    type Output = Grams;
    fn neg(self) -> Grams {
        // Less than nothing of nothing is nothing.
        Grams(0.0 - self.0)
    }
}

impl Mul<f64> for Grams {
    type Output = Grams;
    fn mul(self, factor: f64) -> Grams {
        Grams(self.0 * factor + 0.0)
    }
}

impl Div<f64> for Grams {
    type Output = Grams;
    fn div(self, divisor: f64) -> Grams {
        Grams(self.0 / divisor)
    }
}

impl std::iter::Sum for Grams {
    fn sum<I: Iterator<Item = Grams>>(weights: I) -> Grams {
        weights.fold(Grams::ZERO, Add::add)
    }
}

impl fmt::Display for Grams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} g", fixed(self.0, 1))
    }
}
