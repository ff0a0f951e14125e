//! So many of so many, and how far that can be trusted. It knows nothing of what is counted.

use serde::Serialize;

use super::bootstrap::Interval;

/// So many of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Share {
    /// How many.
    pub count: u64,
    /// Of how many.
    pub of: u64,
    /// The share, `0..=1`; `None` of nothing.
    pub share: Option<f64>,
}

impl Share {
    /// `count` of `of`.
    pub fn new(count: u64, of: u64) -> Self {
        Share { count, of, share: (0 < of).then(|| count as f64 / of as f64) }
    }

    /// Its 95 % interval, for things that do not depend on each other (Wilson 1927); it says something where none or all
    /// are so, too. `None` of nothing.
    pub fn interval(self) -> Option<Interval> {
        const Z: f64 = 1.96;
        let (share, n) = (self.share?, self.of as f64);
        let centre = (share + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
        let half = Z / (1.0 + Z * Z / n) * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        Some(Interval { low: (centre - half).max(0.0), high: (centre + half).min(1.0) })
    }
}
