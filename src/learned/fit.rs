//! What of the file still holds: everything in it rests on something that the shop's files say, and goes when that is another.

use super::file::{Document, PlateEntry, WeightEntry, cameras_of, floor_of};
use crate::base::PlateId;
use crate::base::text::plain;
use crate::shop::Shop;

/// Weights of a catalogue that differ by less than this are the same, grams.
const SAME_GRAMS: f64 = 0.01;

pub(super) fn fitted(document: &Document, shop: &Shop) -> (Document, Vec<String>) {
    let mut forgotten = Vec::new();
    let mut fitted = document.clone();
    fitted.weights.retain(|weight| keep(weight_gone(weight, shop), &mut forgotten));
    fitted.plates.retain(|plate| keep(plate_gone(plate, shop), &mut forgotten));
    if fitted.wrists.as_ref().is_some_and(|wrists| wrists.rests_on != cameras_of(shop)) {
        fitted.wrists = None;
        forgotten.push("how near wrists are: the cameras of the shop were changed".to_owned());
    }
    if fitted.doors.as_ref().is_some_and(|doors| doors.rests_on != floor_of(shop)) {
        fitted.doors = None;
        forgotten.push("doors: walls, zones or cameras of the shop were changed".to_owned());
    }
    (fitted, forgotten)
}

/// Notes why something is gone; whether it is not.
fn keep(gone: Option<String>, forgotten: &mut Vec<String>) -> bool {
    let is_kept = gone.is_none();
    forgotten.extend(gone);
    is_kept
}

fn weight_gone(weight: &WeightEntry, shop: &Shop) -> Option<String> {
    let sku = plain(weight.sku.as_str());
    let Some(product) = shop.catalogue().get(&weight.sku) else {
        return Some(format!("the weight of {sku}: the catalogue no longer has it"));
    };
    let said = |grams: Option<f64>| grams.map_or_else(|| "nothing".to_owned(), |grams| format!("{grams} g"));
    let now = product.weight.map(|weight| weight.value());
    let is_same = match (now, weight.catalogue_grams) {
        (Some(now), Some(then)) => (now - then).abs() < SAME_GRAMS,
        (now, then) => now == then,
    };
    (!is_same).then(|| {
        let (now, then) = (said(now), said(weight.catalogue_grams));
        format!("the weight of {sku}: the catalogue says {now} now, and said {then}")
    })
}

fn plate_gone(plate: &PlateEntry, shop: &Shop) -> Option<String> {
    let is_there = plate.plate.parse::<PlateId>().is_ok_and(|id| shop.plate(id).is_some());
    (!is_there).then(|| format!("the noise of plate {}: the shop no longer has it", plain(&plate.plate)))
}
