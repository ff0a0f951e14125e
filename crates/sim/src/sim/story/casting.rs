//! Looks over the shelves for goods that suit a scene: any, neighbours, look-alikes of nearly one weight.

use super::script::{Carries, Lift, Script, Spot, Step, Want, Which};
use crate::geometry::{Floor, Point};
use crate::shop::Shop;
use crate::sim::roll::Roll;
use crate::sim::stock::{Stock, facing_extent};

/// Weights nearer than this count as nearly equal, grams.
const TWIN_GRAMS_MAX: f64 = 10.0;

/// A facing that holds goods.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) shelf: usize,
    pub(super) gondola: u16,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) good: usize,
    pub(super) listed: f64,
    /// Of the board above the floor, metres.
    pub(super) height: f64,
    /// A point of the floor a little more than an arm's length before it.
    pub(super) front: Point<Floor>,
}

/// The facings of a shop and dice to choose among them.
pub(in crate::sim) struct Casting {
    pub(super) places: Vec<Place>,
    pub(super) roll: Roll,
    width: Vec<f64>,
}

impl Casting {
    pub(in crate::sim) fn new(shop: &Shop, stock: &Stock, seed: u64) -> Self {
        let mut places = Vec::new();
        for (index, shelf) in shop.shelves().iter().enumerate() {
            for facing in &shelf.facings {
                let good = facing.sku.as_ref().and_then(|sku| shop.catalogue().index_of(sku));
                let Some((good, (left, right))) = good.zip(facing_extent(shelf, facing)) else { continue };
                let listed = stock.goods[good].listed;
                let front = shelf.placement.world_from_local(Point::new((left + right) / 2.0, -1.1, 0.0)).floor();
                let (gondola, height) = (shelf.id.gondola, shelf.placement.origin.z);
                places.push(Place { shelf: index, gondola, left, right, good, listed, height, front });
            }
        }
        let mut width = vec![0.1; stock.goods.len()];
        stock.units.iter().for_each(|unit| width[unit.good] = unit.width);
        Casting { places, roll: Roll::new(seed, "casting"), width }
    }

    /// Any facing.
    pub(super) fn any(&mut self) -> Option<Place> {
        self.roll.pick(&self.places).copied()
    }

    /// Another facing of the same gondola within this sideways distance, metres.
    pub(super) fn near(&mut self, place: Place, metres: f64) -> Place {
        let close = |other: &&Place| {
            other.gondola == place.gondola
                && other.good != place.good
                && ((other.left + other.right) - (place.left + place.right)).abs() / 2.0 < metres
        };
        let found: Vec<Place> = self.places.iter().filter(close).copied().collect();
        self.roll.pick(&found).copied().unwrap_or(place)
    }

    /// A facing of the same gondola within this sideways distance whose board is no higher than so much, metres.
    pub(super) fn low(&mut self, place: Place, metres: f64, height: f64) -> Option<Place> {
        let close = |other: &&Place| {
            other.gondola == place.gondola
                && other.height <= height
                && ((other.left + other.right) - (place.left + place.right)).abs() / 2.0 < metres
        };
        let found: Vec<Place> = self.places.iter().filter(close).copied().collect();
        self.roll.pick(&found).copied()
    }

    /// Another facing of the same shelf.
    pub(super) fn beside(&mut self, place: Place) -> Option<Place> {
        let same = |other: &&Place| other.shelf == place.shelf && other.good != place.good;
        let found: Vec<Place> = self.places.iter().filter(same).copied().collect();
        self.roll.pick(&found).copied()
    }

    /// The facing next to this one.
    pub(super) fn next(&mut self, place: Place) -> Option<Place> {
        let touching = |other: &&Place| {
            let gap = (other.left - place.right).abs().min((place.left - other.right).abs());
            other.shelf == place.shelf && other.good != place.good && gap < 0.02
        };
        let found: Vec<Place> = self.places.iter().filter(touching).copied().collect();
        self.roll.pick(&found).copied()
    }

    /// Two facings of one shelf with nearly equal weights, the nearer pairs more often.
    pub(super) fn twins(&mut self) -> Option<(Place, Place)> {
        let mut pairs = Vec::new();
        for a in &self.places {
            for b in &self.places {
                let alike = (a.listed - b.listed).abs() < TWIN_GRAMS_MAX;
                if a.shelf == b.shelf && a.good != b.good && alike {
                    pairs.push((*a, *b));
                    if (a.left - b.right).abs().min((b.left - a.right).abs()) < 0.02 {
                        pairs.push((*a, *b));
                    }
                }
            }
        }
        let pair = self.roll.pick(&pairs).copied();
        pair.or_else(|| self.any().and_then(|place| self.beside(place).map(|other| (place, other))))
    }

    /// A spot somewhere along a facing.
    pub(super) fn spot(&mut self, place: Place) -> Spot {
        let margin = (self.width[place.good] / 2.0).min((place.right - place.left) / 2.0);
        Spot { shelf: place.shelf, x: self.roll.uniform(place.left + margin, place.right - margin) }
    }

    /// Units of the facing's product.
    pub(super) fn want(&mut self, place: Place, count: usize) -> Want {
        Want { good: place.good, spot: self.spot(place), count }
    }

    /// A spot at the border between two neighbouring facings, so that a thing put there lies on both.
    pub(super) fn border(&mut self, a: Place, b: Place) -> Spot {
        let x = if a.left < b.left { (a.right + b.left) / 2.0 } else { (b.right + a.left) / 2.0 };
        Spot { shelf: a.shelf, x: x + self.roll.uniform(-0.025, 0.025) }
    }
}

/// A script for the shopper of this number, who comes in a little after the one before.
pub(super) fn script(cast: &mut Casting, number: usize, steps: Vec<Step>) -> Script {
    let enters = 0.2 + number as f64 * cast.roll.uniform(0.9, 2.5) + cast.roll.uniform(0.0, 1.0);
    Script { enters, elbow_room: 0.5, carries: Carries::Arms, height: None, is_uniform: false, steps }
}

pub(super) fn take(cast: &mut Casting, place: Place, count: usize, lift: Lift) -> Step {
    Step::Take { wants: vec![cast.want(place, count)], lift, both_hands: false }
}

pub(super) fn put(cast: &mut Casting, place: Place) -> Step {
    Step::Put { which: Which::Last, to: Some(cast.spot(place)) }
}

pub(super) fn wait(cast: &mut Casting) -> Step {
    Step::Wait { secs: cast.roll.uniform(0.2, 2.5) }
}
