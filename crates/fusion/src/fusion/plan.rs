//! What the shelves should hold: plates and products by index, made once of the shop.

use super::group::Piece;
use crate::shop::{Shelf, Shop};

/// Index of a product in the catalogue.
pub(super) type Sku = usize;

/// Which plate: shelf of the shop and place on it.
pub(super) type Place = (usize, usize);

/// What the shelves should hold, by index, made once.
pub(super) struct Plan {
    /// Catalogue weight of each product, grams.
    pub(super) nominal: Vec<Option<f64>>,
    pub(super) shelves: Vec<ShelfPlan>,
}

pub(super) struct ShelfPlan {
    /// Product planned for each place.
    sku_of_place: Vec<Option<Sku>>,
    /// Distinct products of the shelf.
    pub(super) skus: Vec<Sku>,
}

impl Plan {
    pub(super) fn new(shop: &Shop) -> Self {
        let catalogue = shop.catalogue();
        let plan_of = |shelf: &Shelf| {
            let sku_of_place: Vec<Option<Sku>> =
                shelf.plates.iter().map(|plate| catalogue.index_of(shelf.facing_of(plate.id)?.sku.as_ref()?)).collect();
            let mut skus: Vec<Sku> = sku_of_place.iter().flatten().copied().collect();
            skus.sort_unstable();
            skus.dedup();
            ShelfPlan { sku_of_place, skus }
        };
        Plan {
            nominal: catalogue.products().iter().map(|product| product.weight.map(|w| w.value())).collect(),
            shelves: shop.shelves().iter().map(plan_of).collect(),
        }
    }

    /// Two products in the order in which they stand.
    pub(super) fn left_to_right(&self, shelf: usize, a: Sku, b: Sku) -> (Sku, Sku) {
        let first = |sku: Sku| self.shelves[shelf].sku_of_place.iter().position(|other| *other == Some(sku));
        if first(b) < first(a) { (b, a) } else { (a, b) }
    }

    /// What the lightest product weighs that is planned at one of these places or beside it, grams; `None` where one of
    /// them has no known weight, or none is planned.
    pub(super) fn lightest_near(&self, shelf: usize, places: impl Iterator<Item = usize>) -> Option<f64> {
        let of_place = &self.shelves[shelf].sku_of_place;
        let near = places.flat_map(|place| place.saturating_sub(1)..(place + 2).min(of_place.len()));
        let mut weights = near.filter_map(|place| of_place[place]).map(|sku| self.nominal[sku]);
        weights
            .try_fold(f64::INFINITY, |least, weight| weight.map(|weight| least.min(weight)))
            .filter(|w| w.is_finite())
    }

    /// The share of a piece that lies outside the places planned for a product.
    pub(super) fn share_outside(&self, shelf: usize, sku: Sku, piece: &Piece) -> f64 {
        let plan = &self.shelves[shelf];
        piece.share_outside(|place| plan.sku_of_place.get(place).copied().flatten() == Some(sku))
    }
}

/// The product that is planned for a plate.
pub(super) fn sku_of(shop: &Shop, (shelf, place): Place) -> Option<Sku> {
    let shelf = &shop.shelves()[shelf];
    shop.catalogue().index_of(shelf.facing_of(shelf.plates.get(place)?.id)?.sku.as_ref()?)
}

/// What a unit of it weighs by the catalogue, grams.
pub(super) fn unit_of(shop: &Shop, place: Place) -> Option<f64> {
    shop.catalogue().products()[sku_of(shop, place)?].weight.map(|weight| weight.value())
}

/// What a plate is called.
pub(super) fn plate_name(shop: &Shop, (shelf, place): Place) -> String {
    shop.shelves()[shelf].plates[place].id.to_string()
}
