//! How things lie in a basket, a bag or the crook of an arm: each new one where it makes the pile grow least.
//! Takes sizes of what lies there and of what comes; gives its place. It never moves what lies already.

use super::figure::CarrierKind;

/// Side of a cell of the floor of a nest, metres.
const CELL_METRES: f64 = 0.02;

/// A thing in a nest: place of the middle of its bottom, size as it lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nested {
    pub(super) unit: usize,
    /// To the right and forward from the middle of the bottom, and up, metres.
    pub(super) at: [f64; 3],
    /// Width, depth and height as it lies.
    size: [f64; 3],
    /// Whether it lies on its back.
    pub(super) lies: bool,
}

/// Inner width and depth of what somebody carries things in; the height that its walls have.
fn inside(kind: Option<CarrierKind>) -> ([f64; 2], f64) {
    match kind {
        Some(CarrierKind::Basket) => ([0.38, 0.26], 0.22),
        Some(CarrierKind::Bag) => ([0.34, 0.12], 0.38),
        None => ([0.32, 0.16], 0.12),
    }
}

/// Finds the place for one more unit: standing if it fits below the rim, else however its top comes to be lowest.
pub(super) fn nest(kind: Option<CarrierKind>, there: &[Nested], unit: usize, size: [f64; 3]) -> Nested {
    let ([width, depth], rim) = inside(kind);
    let [wide, deep, high] = size;
    let mut best: Option<(f64, Nested)> = None;
    for (lies, [wide, deep, high]) in [(false, [wide, deep, high]), (true, [wide, high, deep])] {
        let free = [(width - wide).max(0.0), (depth - deep).max(0.0)];
        let steps = free.map(|free| (free / CELL_METRES).floor() as usize);
        for row in 0..=steps[1] {
            for column in 0..=steps[0] {
                let x = -free[0] / 2.0 + column as f64 * CELL_METRES;
                let y = free[1] / 2.0 - row as f64 * CELL_METRES;
                let bottom = there.iter().filter(|other| other.is_under([x, y], [wide, deep]));
                let bottom = bottom.map(|other| other.at[2] + other.size[2]).fold(0.0, f64::max);
                // What would stand out above the rim is worse than anything inside; too long for the floor as well.
                let over = (bottom + high - rim).max(0.0) + (wide - width).max(0.0) + (deep - depth).max(0.0);
                let cost = bottom + over * 10.0 + if lies { 0.01 } else { 0.0 };
                if best.as_ref().is_none_or(|(least, _)| cost + 1e-9 < *least) {
                    best = Some((cost, Nested { unit, at: [x, y, bottom], size: [wide, deep, high], lies }));
                }
            }
        }
    }
    best.map_or(Nested { unit, at: [0.0; 3], size, lies: false }, |(_, nested)| nested)
}

impl Nested {
    fn is_under(&self, at: [f64; 2], size: [f64; 2]) -> bool {
        let apart = |axis: usize| (self.at[axis] - at[axis]).abs() + 1e-9 < (self.size[axis] + size[axis]) / 2.0;
        apart(0) && apart(1)
    }
}
