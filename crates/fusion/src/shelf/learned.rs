//! What is usual for each plate, as it is kept over a restart: what is rest on it is known from the first second on. It takes and gives
//! standard deviations; it decides nothing.

use super::row::Row;
use super::{BLOCK, ShelfSense};
use crate::base::{Grams, PlateId, ShopTime, Span};

/// Blocks that the noise of a plate was learned from at least, ten seconds of them.
const BLOCKS_MIN: u32 = 150;
/// What is believed of the noise of a plate, square grams: no plate falls below the first, and none with the second could weigh.
const VARIANCE_MIN: f64 = 0.06;
const VARIANCE_MAX: f64 = 400.0;

/// What is known of a plate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlateNoise {
    /// Which.
    pub plate: PlateId,
    /// Standard deviation of its averages over 67 ms at rest.
    pub sigma: Grams,
    /// For how long it was at rest.
    pub quiet: Span,
    /// When it was heard last.
    pub at: ShopTime,
}

impl ShelfSense {
    /// What was learned of the plates that were at rest for long enough.
    pub fn noise(&self) -> Vec<PlateNoise> {
        let of_row = |row: &Row| -> Vec<PlateNoise> {
            let Some(heard) = row.heard() else { return Vec::new() };
            let noise = row.plates.iter().map(|plate| {
                let (variance, blocks) = plate.noise().usual();
                let quiet = BLOCK * i64::from(blocks);
                (blocks, PlateNoise { plate: plate.id, sigma: Grams::new(variance.sqrt()), quiet, at: heard.end })
            });
            noise.filter(|(blocks, _)| BLOCKS_MIN <= *blocks).map(|(_, noise)| noise).collect()
        };
        self.rows.iter().flat_map(of_row).collect()
    }

    /// Begins with what was known before. It is overturned within seconds: what a plate does just now counts most.
    pub fn recall_noise(&mut self, known: &[PlateNoise]) {
        for PlateNoise { plate, sigma, .. } in known {
            let row = self.rows.iter_mut().find(|row| row.shelf() == plate.shelf);
            let trace = row.and_then(|row| row.plates.iter_mut().find(|trace| trace.id == *plate));
            let variance = sigma.value() * sigma.value();
            if let Some(trace) = trace.filter(|_| variance.is_finite()) {
                trace.recall_noise(variance.clamp(VARIANCE_MIN, VARIANCE_MAX));
            }
        }
    }
}
