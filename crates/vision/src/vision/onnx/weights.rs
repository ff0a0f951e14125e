//! Weights: whether as many numbers are there as are declared, and those of the few that make shapes.

use super::graph::Tensor;
use super::known::{Known, count};
use super::plain;

/// Numbers of a weight that are looked at: those that make shapes are few.
const LOOKED_AT_MAX: u64 = 1_024;

impl Tensor<'_> {
    fn shape(&self) -> Option<Vec<u64>> {
        self.lengths.iter().map(|length| u64::try_from(*length).ok()).collect()
    }

    /// Bits of a number of it; `None` for texts and types that are not known.
    const fn bits(&self) -> Option<u64> {
        match self.element {
            21..=23 => Some(4),
            2 | 3 | 9 | 17..=20 | 24 => Some(8),
            4 | 5 | 10 | 16 => Some(16),
            1 | 6 | 12 => Some(32),
            7 | 11 | 13 | 14 => Some(64),
            15 => Some(128),
            _ => None,
        }
    }

    /// What is wrong with it: lengths that are none, or other numbers than are declared.
    pub(super) fn fault(&self) -> Option<String> {
        let name =
            if self.name.is_empty() { "a weight".to_owned() } else { format!("the weight {}", plain(self.name)) };
        let Some(shape) = self.shape() else {
            return Some(format!("{name} has a negative length, {:?}", self.lengths));
        };
        let wanted = count(&shape);
        if self.has_others || self.bits().is_none() {
            return None;
        }
        let bits = self.bits()?;
        let (there, wanted) = match self.raw {
            Some(raw) => (raw.len() as u64, wanted.saturating_mul(bits).div_ceil(8)),
            // Small numbers lie one by one in fields of larger ones, complex ones and the smallest in pairs.
            None if matches!(self.element, 14 | 15 | 21..=23) => return None,
            None => ((self.wholes.len() + self.floats.len()) as u64, wanted),
        };
        let unit = if self.raw.is_some() { "bytes" } else { "numbers" };
        (there != wanted).then(|| format!("{name} is declared {shape:?}, {wanted} {unit}, and the file holds {there}"))
    }

    /// What is known of it: its shape, and its numbers if they are few.
    pub(super) fn known(&self) -> Option<Known> {
        let shape = self.shape()?;
        let few = count(&shape) <= LOOKED_AT_MAX;
        Some(Known { is_constant: true, ..Known::of_shape(shape).with(few.then(|| self.numbers()).flatten()) })
    }

    fn numbers(&self) -> Option<Vec<f64>> {
        let raw = self.raw.unwrap_or_default();
        let eight = || raw.as_chunks::<8>().0.iter();
        let four = || raw.as_chunks::<4>().0.iter();
        let from_raw = || match self.element {
            1 => Some(four().map(|bytes| f64::from(f32::from_le_bytes(*bytes))).collect()),
            6 => Some(four().map(|bytes| f64::from(i32::from_le_bytes(*bytes))).collect()),
            7 => Some(eight().map(|bytes| i64::from_le_bytes(*bytes) as f64).collect()),
            11 => Some(eight().map(|bytes| f64::from_le_bytes(*bytes)).collect()),
            2 | 9 => Some(raw.iter().map(|byte| f64::from(*byte)).collect()),
            _ => None,
        };
        match self.element {
            _ if self.raw.is_some() => from_raw(),
            1 => Some(self.floats.iter().map(|float| f64::from(*float)).collect()),
            2 | 3 | 6 | 7 | 9 => Some(self.wholes.iter().map(|whole| *whole as f64).collect()),
            _ => None,
        }
    }
}
