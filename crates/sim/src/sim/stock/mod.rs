//! What stands on the shelves: every unit with its true weight and the shares of it that its plates carry.
//! Takes a shop and dice; answers which unit a hand would find, and what a unit put down somewhere lies on.

pub(super) mod nest;
pub(super) mod package;

use self::package::package_of;
use crate::base::{PlateId, SkuId};
use crate::shop::{Facing, Package, Shelf, Shop};
use crate::sim::roll::Roll;

/// Part of a unit's weight below which a plate does not count as carrying it.
const SHARE_MIN: f64 = 0.02;

/// Packages stand so far apart, metres.
const GAP_METRES: f64 = 0.006;
/// No facing is filled with more units.
const UNITS_MAX: usize = 14;
/// Steps in which room for a package is looked for, metres, and how many of them aside.
const SEARCH_METRES: f64 = 0.02;
const SEARCHES: usize = 21;

/// A product as it really is.
#[derive(Clone, Debug)]
pub(super) struct Good {
    pub(super) sku: SkuId,
    /// What the catalogue says, or a guess where it says nothing.
    pub(super) listed: f64,
    /// Mean weight of the units that really stand there.
    pub(super) real: f64,
    /// What its units are packed in.
    pub(super) package: Package,
    /// Whether the catalogue knows its package, so that boards are filled by its size.
    pub(super) packed: bool,
}

/// Where a unit rests.
#[derive(Clone, Debug)]
pub(super) struct Rest {
    /// Index of the shelf in the shop.
    pub(super) shelf: usize,
    /// Middle of the unit along the shelf, metres.
    pub(super) x: f64,
    /// Middle of the unit in depth, metres from the front edge.
    pub(super) y: f64,
    /// Whether it lies on its back, because it is too high for its board.
    pub(super) lies: bool,
    /// Index of the plate on the shelf and its share of the weight; adds to 1.
    pub(super) shares: Vec<(usize, f64)>,
}

/// One item.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    /// Index of its product.
    pub(super) good: usize,
    /// Its true weight, grams.
    pub(super) grams: f64,
    /// Its extent along the shelf, metres.
    pub(super) width: f64,
    /// Width, depth and height of its package as it stands, metres.
    pub(super) size: [f64; 3],
    /// Where it rests, `None` while somebody has it.
    pub(super) rest: Option<Rest>,
    /// From when on it can be grasped there, seconds.
    pub(super) free_from: f64,
}

/// All goods and units of a shop.
#[derive(Clone, Debug)]
pub(super) struct Stock {
    pub(super) goods: Vec<Good>,
    pub(super) units: Vec<Unit>,
}

/// How wrong the catalogue may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wrongness {
    /// Share of products whose listed weight is grossly wrong.
    pub(super) gross: f64,
}

impl Stock {
    /// Fills the shelves.
    pub(super) fn new(shop: &Shop, wrongness: Wrongness, seed: u64) -> Self {
        let mut roll = Roll::new(seed, "stock");
        let goods = shop.catalogue().products().iter().map(|product| {
            let listed = product.weight.map_or_else(|| roll.uniform(80.0, 500.0), |weight| weight.value());
            let (sku, package) = (product.sku.clone(), package_of(product));
            Good {
                sku,
                listed,
                real: real_weight(&mut roll, listed, wrongness),
                package,
                packed: product.package.is_some(),
            }
        });
        let mut stock = Stock { goods: goods.collect(), units: Vec::new() };
        for (index, shelf) in shop.shelves().iter().enumerate() {
            for facing in &shelf.facings {
                let good = facing.sku.as_ref().and_then(|sku| shop.catalogue().index_of(sku));
                if let Some(good) = good {
                    stock.fill(&mut roll, index, shelf, facing, good);
                }
            }
        }
        stock
    }

    /// Puts three to twelve units on a facing, in columns and rows from the front.
    fn fill(&mut self, roll: &mut Roll, index: usize, shelf: &Shelf, facing: &Facing, good: usize) {
        let Some((left, right)) = facing_extent(shelf, facing) else { return };
        if self.goods[good].packed {
            return self.pack(roll, (index, shelf), (left, right), good);
        }
        let natural = (0.055 * (self.goods[good].real / 200.0).cbrt() * roll.around(1.25, 0.3)).clamp(0.04, 0.22);
        let width = natural.min((right - left) * 0.98);
        let columns = ((right - left) / (width + 0.006)).floor().max(1.0) as usize;
        let count = roll.whole(3, 12);
        let pitch = (right - left) / columns as f64;
        let slack = ((pitch - width) / 2.0).max(0.0);
        let rows = count.div_ceil(columns);
        let step = (shelf.depth_metres - 0.06).max(0.05) / rows.max(4) as f64;
        for number in 0..count {
            let (row, column) = (number / columns, number % columns);
            let x = left + (column as f64 + 0.5) * pitch + roll.uniform(-slack, slack);
            let y = 0.05 + row as f64 * step + roll.uniform(0.0, 0.02);
            let grams = unit_weight(roll, self.goods[good].real);
            let rest = Some(rest_at(roll, shelf, index, x, y, width));
            let size = self.goods[good].package.size_metres;
            self.units.push(Unit { good, grams, width, size, rest, free_from: 0.0 });
        }
    }

    /// Fills a facing with packages of known size, row by row from the front, so that none overlaps another or stands
    /// out over board or facing. What is too high stands nowhere and lies on its back; what does not fit even so is
    /// left out.
    fn pack(&mut self, roll: &mut Roll, (index, shelf): (usize, &Shelf), (left, right): (f64, f64), good: usize) {
        let size = self.goods[good].package.size_metres;
        let lies = shelf.clearance_metres < size[2] + GAP_METRES;
        let [wide, deep, high] = if lies { [size[0], size[2], size[1]] } else { size };
        let fitting = |space: f64, side: f64| ((space + 1e-9) / (side + GAP_METRES)).floor() as usize;
        let columns = fitting(right - left, wide);
        let rows = fitting(shelf.depth_metres, deep);
        let room = (columns * rows).min(UNITS_MAX);
        if room == 0 || shelf.clearance_metres < high {
            return;
        }
        let pitch = (right - left) / columns as f64;
        let slack = (pitch - wide - GAP_METRES).max(0.0) / 2.0;
        for number in 0..roll.whole(room.min(3), room) {
            let (row, column) = (number / columns, number % columns);
            let x = left + (column as f64 + 0.5) * pitch + roll.uniform(-slack, slack);
            let y = (row as f64 + 0.5) * (deep + GAP_METRES) + roll.uniform(-0.4, 0.4) * GAP_METRES;
            let grams = unit_weight(roll, self.goods[good].real);
            let rest = Rest { lies, ..rest_at(roll, shelf, index, x, y, wide) };
            self.units.push(Unit { good, grams, width: wide, size, rest: Some(rest), free_from: 0.0 });
        }
    }

    /// Where a package can be set down near a spot of a board, along it and in depth, and whether it has to lie: the
    /// nearest place where no other one is; the spot itself for what has no known size or finds no room.
    pub(super) fn room_near(&self, unit: usize, shelf: &Shelf, index: usize, x: f64, y: f64) -> (f64, f64, bool) {
        let size = self.units[unit].size;
        if !self.goods[self.units[unit].good].packed {
            return (x, y, false);
        }
        let lies = shelf.clearance_metres < size[2] + GAP_METRES;
        let [wide, deep] = if lies { [size[0], size[2]] } else { [size[0], size[1]] };
        let (low, high) = shelf.extent_metres();
        let taken = |x: f64, y: f64| {
            self.units.iter().enumerate().filter(|(other, _)| *other != unit).any(|(_, other)| {
                other.rest.as_ref().filter(|rest| rest.shelf == index).is_some_and(|rest| {
                    let depth = if rest.lies { other.size[2] } else { other.size[1] };
                    (rest.x - x).abs() < (other.width + wide) / 2.0 && (rest.y - y).abs() < (depth + deep) / 2.0
                })
            })
        };
        let front = deep / 2.0 + GAP_METRES;
        let rows = ((shelf.depth_metres - deep) / SEARCH_METRES).max(0.0) as usize;
        for aside in 0..SEARCHES {
            let by = aside.div_ceil(2) as f64 * SEARCH_METRES * if aside % 2 == 0 { 1.0 } else { -1.0 };
            let x = (x + by).clamp(low + wide / 2.0, (high - wide / 2.0).max(low + wide / 2.0));
            if let Some(row) = (0..=rows).find(|row| !taken(x, front + *row as f64 * SEARCH_METRES)) {
                return (x, front + row as f64 * SEARCH_METRES, lies);
            }
        }
        (x, y.max(front), lies)
    }

    /// The `count` units of a product on a shelf that a hand near `x` would take at `time`: the nearest, front first.
    pub(super) fn find(&self, good: usize, shelf: usize, x: f64, count: usize, time: f64) -> Vec<usize> {
        let mut found: Vec<(f64, usize)> = Vec::new();
        for (index, unit) in self.units.iter().enumerate() {
            let Some(rest) = unit.rest.as_ref().filter(|rest| rest.shelf == shelf) else { continue };
            if unit.good == good && unit.free_from <= time {
                found.push(((rest.x - x).abs() + 1.5 * rest.y, index));
            }
        }
        found.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        found.into_iter().take(count).map(|(_, index)| index).collect()
    }
}

fn real_weight(roll: &mut Roll, listed: f64, wrongness: Wrongness) -> f64 {
    let (gross, broad) = (roll.chance(wrongness.gross), roll.chance(0.1));
    let factor = match (gross, broad) {
        (true, _) => 1.0 + roll.uniform(0.07, 0.6) * if roll.chance(0.7) { 1.0 } else { -0.6 },
        (false, true) => 1.0 + roll.uniform(-0.03, 0.03),
        (false, false) => 1.0 + roll.bounded(0.0, 0.006),
    };
    listed * factor
}

/// Units of one product differ by about a gram; light ones by less.
fn unit_weight(roll: &mut Roll, real: f64) -> f64 {
    let sigma = (0.3 + real * 0.002).min(1.6);
    (real + roll.bounded(0.0, sigma)).max(real * 0.9)
}

/// Left and right end of a facing in the shelf's frame, metres.
pub(super) fn facing_extent(shelf: &Shelf, facing: &Facing) -> Option<(f64, f64)> {
    let first = shelf.plate(*facing.plates.first()?)?;
    let last = shelf.plate(*facing.plates.last()?)?;
    Some((first.left_metres, last.left_metres + last.width_metres))
}

/// What a unit of this width lies on when its middle is at `x`: shares by overlap, uneven as bottoms are.
pub(super) fn rest_at(roll: &mut Roll, shelf: &Shelf, index: usize, x: f64, y: f64, width: f64) -> Rest {
    let (low, high) = shelf.extent_metres();
    let margin = (width / 2.0).min((high - low) / 2.0);
    let x = x.clamp(low + margin, high - margin);
    let mut shares: Vec<(usize, f64)> = Vec::new();
    for (number, plate) in shelf.plates.iter().enumerate() {
        let left = plate.left_metres.max(x - width / 2.0);
        let right = (plate.left_metres + plate.width_metres).min(x + width / 2.0);
        if left < right {
            shares.push((number, (right - left) / width * roll.around(1.0, 0.25)));
        }
    }
    let total: f64 = shares.iter().map(|(_, share)| share).sum();
    shares.retain(|(_, share)| SHARE_MIN < share / total);
    if shares.is_empty() {
        shares.push((nearest_plate(shelf, x), 1.0));
    }
    let total: f64 = shares.iter().map(|(_, share)| share).sum();
    shares.iter_mut().for_each(|(_, share)| *share /= total);
    Rest { shelf: index, x, y, lies: false, shares }
}

/// Index of the plate whose middle is nearest to `x`.
pub(super) fn nearest_plate(shelf: &Shelf, x: f64) -> usize {
    let distance = |index: &usize| (shelf.plates[*index].centre_metres() - x).abs();
    (0..shelf.plates.len()).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(0)
}

/// Names of the plates of a rest, from left to right.
pub(super) fn plates_of(shelf: &Shelf, rest: &Rest) -> Vec<PlateId> {
    rest.shares.iter().filter_map(|(number, _)| shelf.plates.get(*number)).map(|plate| plate.id).collect()
}
