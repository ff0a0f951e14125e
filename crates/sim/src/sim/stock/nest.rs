//! How things lie in a basket, a bag or the crook of an arm: each new one where it makes the pile grow least.
//! Takes sizes of what lies there and of what comes; gives its place, and what sinks when something is taken out. It
//! never lets a thing go through a wall: what does not fit inside lies on the rim.

use crate::sim::figure::CarrierKind;

/// Side of a cell of the floor of a nest, metres.
const CELL_METRES: f64 = 0.02;

/// A thing in a nest: place of the middle of its bottom, size as it lies.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim) struct Nested {
    pub(in crate::sim) unit: usize,
    /// To the right and forward from the middle of the bottom, and up, metres.
    pub(in crate::sim) at: [f64; 3],
    /// Width, depth and height as it lies.
    size: [f64; 3],
    /// How low it may lie, metres.
    lowest: f64,
    /// Whether it lies on its back.
    pub(in crate::sim) lies: bool,
}

/// Half the width, half the depth and the height of a basket and of a bag, metres.
pub(in crate::sim) const BASKET_METRES: [f64; 3] = [0.2, 0.14, 0.22];
pub(in crate::sim) const BAG_METRES: [f64; 3] = [0.18, 0.09, 0.38];
/// Their outlines at the foot of what lies in them and at the narrowest above it, as a share of width and of depth.
pub(in crate::sim) const BASKET_SHARES: [f64; 2] = [0.82, 0.82];
pub(in crate::sim) const BAG_SHARES: [f64; 2] = [0.92, 0.75];
/// Exponents of their rounded outlines (superellipses).
pub(in crate::sim) const BASKET_POWER: f64 = 6.0;
pub(in crate::sim) const BAG_POWER: f64 = 3.0;
/// Thickness of a basket's wall and its floor; how high the flat floor of a bag is, metres.
pub(in crate::sim) const WALL_METRES: f64 = 0.006;
pub(in crate::sim) const BASKET_FLOOR_METRES: f64 = 0.008;
pub(in crate::sim) const BAG_FLOOR_METRES: f64 = 0.03;

/// The room for things in what somebody carries them in, metres.
struct Room {
    /// Width and depth.
    size: [f64; 2],
    /// Where its floor and its rim are above its bottom.
    floor: f64,
    rim: f64,
    /// Whether nothing goes through its sides.
    walled: bool,
}

impl Room {
    fn of(kind: Option<CarrierKind>) -> Self {
        // The widest rectangle of an outline's own proportions touches it at its corners.
        let within = |[width, depth, rim]: [f64; 3], shares: [f64; 2], power: f64, wall: f64, floor: f64| {
            let part = 2.0 * 0.5_f64.powf(1.0 / power);
            let size = [(width * shares[0] - wall) * part, (depth * shares[1] - wall) * part];
            Room { size, floor, rim, walled: true }
        };
        match kind {
            Some(CarrierKind::Basket) => {
                within(BASKET_METRES, BASKET_SHARES, BASKET_POWER, WALL_METRES, BASKET_FLOOR_METRES)
            }
            Some(CarrierKind::Bag) => within(BAG_METRES, BAG_SHARES, BAG_POWER, 0.0, BAG_FLOOR_METRES),
            None => Room { size: [0.32, 0.16], floor: 0.0, rim: 0.12, walled: false },
        }
    }

    /// How low a thing of this width and depth may lie.
    fn lowest(&self, [wide, deep]: [f64; 2]) -> f64 {
        let fits = wide <= self.size[0] && deep <= self.size[1];
        if self.walled && !fits { self.rim } else { self.floor }
    }
}

/// Takes a thing out; what lay on it sinks, and is given with its new place.
pub(in crate::sim) fn take_out(there: &mut Vec<Nested>, unit: usize) -> Vec<Nested> {
    there.retain(|nested| nested.unit != unit);
    let mut order: Vec<usize> = (0..there.len()).collect();
    order.sort_by(|a, b| there[*a].at[2].total_cmp(&there[*b].at[2]));
    let mut sunk = Vec::new();
    for (number, &index) in order.iter().enumerate() {
        let mut nested = there[index];
        let below = order[..number].iter().map(|other| there[*other]);
        let below =
            below.filter(|other| other.is_under([nested.at[0], nested.at[1]], [nested.size[0], nested.size[1]]));
        let bottom = below.map(|other| other.at[2] + other.size[2]).fold(nested.lowest, f64::max);
        if bottom + 1e-9 < nested.at[2] {
            nested.at[2] = bottom;
            there[index] = nested;
            sunk.push(nested);
        }
    }
    sunk
}

/// Finds the place for one more unit: standing if it fits below the rim, else however its top comes to be lowest.
pub(in crate::sim) fn nest(kind: Option<CarrierKind>, there: &[Nested], unit: usize, size: [f64; 3]) -> Nested {
    let room = Room::of(kind);
    let ([width, depth], rim) = (room.size, room.rim);
    let [wide, deep, high] = size;
    let mut best: Option<(f64, Nested)> = None;
    for (lies, [wide, deep, high]) in [(false, [wide, deep, high]), (true, [wide, high, deep])] {
        let lowest = room.lowest([wide, deep]);
        let free = [(width - wide).max(0.0), (depth - deep).max(0.0)];
        let steps = free.map(|free| (free / CELL_METRES).floor() as usize);
        for row in 0..=steps[1] {
            for column in 0..=steps[0] {
                let x = -free[0] / 2.0 + column as f64 * CELL_METRES;
                let y = free[1] / 2.0 - row as f64 * CELL_METRES;
                let bottom = there.iter().filter(|other| other.is_under([x, y], [wide, deep]));
                let bottom = bottom.map(|other| other.at[2] + other.size[2]).fold(lowest, f64::max);
                // What would stand out above the rim is worse than anything inside; too long for the floor as well.
                let over = (bottom + high - rim).max(0.0) + (wide - width).max(0.0) + (deep - depth).max(0.0);
                let cost = bottom + over * 10.0 + if lies { 0.01 } else { 0.0 };
                if best.as_ref().is_none_or(|(least, _)| cost + 1e-9 < *least) {
                    best = Some((cost, Nested { unit, at: [x, y, bottom], size: [wide, deep, high], lowest, lies }));
                }
            }
        }
    }
    best.map_or(Nested { unit, at: [0.0, 0.0, rim], size, lowest: rim, lies: false }, |(_, nested)| nested)
}

impl Nested {
    fn is_under(&self, at: [f64; 2], size: [f64; 2]) -> bool {
        let apart = |axis: usize| (self.at[axis] - at[axis]).abs() + 1e-9 < (self.size[axis] + size[axis]) / 2.0;
        apart(0) && apart(1)
    }
}
