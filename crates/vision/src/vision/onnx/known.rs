//! What is known of a value before a model runs: its shape, and the numbers in it where these are few and make shapes.

/// Numbers of a value that are followed; shapes and the like have fewer.
const NUMBERS_MAX: usize = 1_024;

/// A value of a model. What is not known is `None`, and nothing follows from it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Known {
    pub(super) shape: Option<Vec<u64>>,
    pub(super) numbers: Option<Vec<f64>>,
    /// Whether it is the same whatever goes into the model: engines compute it once and keep it.
    pub(super) is_constant: bool,
}

impl Known {
    pub(super) fn of_shape(shape: Vec<u64>) -> Self {
        Known { shape: Some(shape), ..Known::default() }
    }

    pub(super) fn maybe(shape: Option<Vec<u64>>) -> Self {
        Known { shape, ..Known::default() }
    }

    /// Numbers in a row, or a single one without axes.
    pub(super) fn of_numbers(numbers: Vec<f64>, is_single: bool) -> Self {
        let shape = if is_single { Vec::new() } else { vec![numbers.len() as u64] };
        Known::of_shape(shape).with(Some(numbers))
    }

    /// With numbers, if there are not too many of them.
    pub(super) fn with(mut self, numbers: Option<Vec<f64>>) -> Self {
        let count = self.shape.as_deref().map(count);
        self.numbers = numbers.filter(|numbers| numbers.len() <= NUMBERS_MAX && count == Some(numbers.len() as u64));
        self
    }

    pub(super) fn count(&self) -> Option<u64> {
        self.shape.as_deref().map(count)
    }

    /// Its numbers as whole ones.
    pub(super) fn wholes(&self) -> Option<Vec<i64>> {
        self.numbers.as_ref().map(|numbers| numbers.iter().map(|number| *number as i64).collect())
    }

    pub(super) fn first(&self) -> Option<f64> {
        self.numbers.as_ref()?.first().copied()
    }
}

/// Numbers in a tensor of a shape; the greatest number where there are more.
pub(super) fn count(shape: &[u64]) -> u64 {
    if shape.contains(&0) { 0 } else { shape.iter().fold(1, |count: u64, length| count.saturating_mul(*length)) }
}

/// The shape of what two tensors make together, each stretched to the other.
pub(super) fn broadcast(one: &[u64], other: &[u64]) -> Option<Vec<u64>> {
    let rank = one.len().max(other.len());
    let length = |shape: &[u64], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |axis| shape[axis]);
    let both = |axis| match (length(one, axis), length(other, axis)) {
        (1, length) | (length, 1) => Some(length),
        (a, b) => (a == b).then_some(a),
    };
    (0..rank).map(both).collect()
}

/// The place of an axis that may be counted from the end.
pub(super) fn axis_of(axis: i64, rank: usize) -> Option<usize> {
    let rank = i64::try_from(rank).ok()?;
    let axis = if axis < 0 { axis + rank } else { axis };
    usize::try_from(axis).ok().filter(|_| axis < rank)
}
