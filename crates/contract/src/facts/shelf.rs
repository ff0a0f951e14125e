//! What shelf sensors say, raw and as events.

use std::fmt;

use schemars::JsonSchema;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::{Grams, PlateId, ShelfId, ShopTime, Span, TimeRange};

/// Consecutive samples of the plates of one unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlateBatch {
    /// When the first row was sampled.
    pub first_at: ShopTime,
    /// Time between rows, nanoseconds; positive.
    pub period: Span,
    /// The plates, in the order of the columns.
    pub plates: Vec<PlateId>,
    /// Readings in grams, row after row, `rows * plates.len()` of them. Not zeroed: only differences mean anything.
    /// Not-a-number (null in JSON) where the sensor said nothing.
    #[serde(serialize_with = "write_samples", deserialize_with = "read_samples")]
    #[schemars(with = "Vec<Option<f32>>")]
    pub grams: Vec<f32>,
}

/// Something changed on one shelf: the levels that its plates rested at, one staircase a plate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShelfEvent {
    /// The shelf.
    pub shelf: ShelfId,
    /// From the end of the quiet before to the beginning of the quiet after.
    pub span: TimeRange,
    /// The plates that changed and the neighbours within reach of an item that lies over them, by plate.
    pub plates: Vec<Staircase>,
}

/// The levels of one plate through an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Staircase {
    /// The plate.
    pub plate: PlateId,
    /// Quiet stretches in order of time. The first is the rest before the event, its weight is zero by definition;
    /// the last is the rest after it. At least two.
    pub levels: Vec<Level>,
}

/// A quiet stretch of one plate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Level {
    /// While it lasted.
    pub quiet: TimeRange,
    /// Weight above (or below) the level before the event, grams, without what the whole shelf felt.
    pub grams: Grams,
    /// Standard deviation of that weight, grams; positive.
    pub sigma: Grams,
}

impl PlateBatch {
    /// How many samples of each plate there are.
    pub fn rows(&self) -> usize {
        if self.plates.is_empty() { 0 } else { self.grams.len() / self.plates.len() }
    }

    /// When row `index` was sampled.
    pub fn row_at(&self, index: usize) -> ShopTime {
        self.first_at + Span::from_nanos(self.period.as_nanos().saturating_mul(index as i64))
    }

    /// Whether there are whole rows, at a positive period.
    pub fn is_well_formed(&self) -> bool {
        !self.plates.is_empty() && self.grams.len().is_multiple_of(self.plates.len()) && Span::ZERO < self.period
    }
}

impl ShelfEvent {
    /// Moves all its times.
    pub fn shift(&mut self, by: Span) {
        let shift = |range: &mut TimeRange| (range.start, range.end) = (range.start + by, range.end + by);
        shift(&mut self.span);
        self.plates.iter_mut().flat_map(|plate| &mut plate.levels).for_each(|level| shift(&mut level.quiet));
    }

    /// What of it means nothing.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn flaw(&self) -> Result<(), String> {
        let is_backward = |range: &TimeRange| range.end < range.start;
        if is_backward(&self.span) {
            return Err("it ends before it begins".to_owned());
        }
        for Staircase { plate, levels } in &self.plates {
            if levels.len() < 2 {
                return Err(format!("plate {plate} has no level before the change and after it"));
            }
            for Level { quiet, grams, sigma } in levels {
                let (grams, sigma) = (grams.value(), sigma.value());
                if is_backward(quiet) || !grams.is_finite() || !sigma.is_finite() || sigma <= 0.0 {
                    return Err(format!(
                        "a level of plate {plate} has no weight, no deviation, or ends before it begins"
                    ));
                }
            }
        }
        Ok(())
    }
}

impl Staircase {
    /// The weight change from the rest before to the rest after.
    pub fn change(&self) -> Grams {
        match (self.levels.first(), self.levels.last()) {
            (Some(first), Some(last)) => last.grams - first.grams,
            _ => Grams::ZERO,
        }
    }
}

/// In JSON, where not-a-number has no name, null stands for it; where no person reads, four bytes a sample.
fn write_samples<S: Serializer>(samples: &[f32], serializer: S) -> Result<S::Ok, S::Error> {
    if !serializer.is_human_readable() {
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        return serializer.serialize_bytes(&bytes);
    }
    serializer.collect_seq(samples.iter().map(|sample| sample.is_finite().then_some(*sample)))
}

fn read_samples<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f32>, D::Error> {
    if !deserializer.is_human_readable() {
        return deserializer.deserialize_bytes(Samples);
    }
    let samples = Vec::<Option<f32>>::deserialize(deserializer)?;
    Ok(samples.into_iter().map(|sample| sample.unwrap_or(f32::NAN)).collect())
}

/// Reads samples of four bytes.
struct Samples;

impl Visitor<'_> for Samples {
    type Value = Vec<f32>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("four bytes a sample")
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Vec<f32>, E> {
        let (samples, []) = bytes.as_chunks::<4>() else {
            return Err(E::invalid_length(bytes.len(), &self));
        };
        Ok(samples.iter().map(|sample| f32::from_le_bytes(*sample)).collect())
    }
}
