//! What can be wrong with the shelves: their places, their plates and what stands on them.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Catalogue, Facing, FacingDraft, Plate, PlateDraft, Shelf, ShelfDraft};
use super::cameras::{FLOOR_METRES_MAX, is_within};
use super::complaints::Complaints;
use crate::base::limits::PLATES_PER_SHELF_MAX;
use crate::base::{PlateId, SkuId};
use crate::geometry::Point;

/// Largest dimension of a piece of furniture, metres.
const FURNITURE_METRES_MAX: f64 = 3.0;
/// How far plates may overlap before it is an error, metres: drawings are rounded.
const OVERLAP_METRES_MAX: f64 = 0.005;

pub(super) fn check_shelves(drafts: &[ShelfDraft], catalogue: &Catalogue, complaints: &mut Complaints) -> Vec<Shelf> {
    let mut seen = BTreeSet::new();
    let mut shelves = Vec::with_capacity(drafts.len());
    for draft in drafts {
        complaints.about(format!("shelf {}", draft.id), draft.line);
        if !seen.insert(draft.id) {
            complaints.say("a shelf of this name stands twice");
        }
        let Point { x, y, z, .. } = draft.placement.origin;
        if [x, y, z].iter().any(|coordinate| !is_within(*coordinate, FLOOR_METRES_MAX)) {
            complaints.say(format!("it stands beyond {FLOOR_METRES_MAX} m of the origin; its place is in metres"));
        }
        if !draft.placement.turn_radians.is_finite() {
            complaints.say("its turn is not a finite number");
        }
        complaints.range("depth_metres", draft.depth_metres, 0.0, FURNITURE_METRES_MAX);
        complaints.range("clearance_metres", draft.clearance_metres, 0.0, FURNITURE_METRES_MAX);
        let plates = check_plates(draft, complaints);
        let facings = check_facings(draft, catalogue, complaints);
        shelves.push(Shelf {
            id: draft.id,
            placement: draft.placement,
            depth_metres: draft.depth_metres,
            clearance_metres: draft.clearance_metres,
            plates,
            facings,
        });
    }
    shelves.sort_by_key(|shelf| shelf.id);
    shelves
}

fn check_plates(shelf: &ShelfDraft, complaints: &mut Complaints) -> Vec<Plate> {
    if shelf.plates.len() > PLATES_PER_SHELF_MAX {
        complaints.say(format!("{} plates; at most {PLATES_PER_SHELF_MAX} on a shelf", shelf.plates.len()));
    }
    let mut seen = BTreeSet::new();
    for plate in &shelf.plates {
        if plate.id.shelf != shelf.id {
            complaints.say(format!("plate {} names another shelf", plate.id));
        }
        if !seen.insert(plate.id) {
            complaints.say(format!("plate {} stands twice", plate.id));
        }
        complaints.range(&format!("left_metres of plate {}", plate.id), plate.left_metres, -100.0, 100.0);
        complaints.range(&format!("width_metres of plate {}", plate.id), plate.width_metres, 0.0, FURNITURE_METRES_MAX);
    }
    for pair in shelf.plates.windows(2) {
        let [left, right] = pair else { continue };
        let end = left.left_metres + left.width_metres;
        if right.left_metres + OVERLAP_METRES_MAX < end {
            complaints
                .say(format!("plates {} and {} overlap, or are not listed from left to right", left.id, right.id));
        }
    }
    let plate =
        |draft: &PlateDraft| Plate { id: draft.id, left_metres: draft.left_metres, width_metres: draft.width_metres };
    shelf.plates.iter().map(plate).collect()
}

fn check_facings(shelf: &ShelfDraft, catalogue: &Catalogue, complaints: &mut Complaints) -> Vec<Facing> {
    let mut owner: BTreeMap<PlateId, usize> = BTreeMap::new();
    let mut facings = Vec::with_capacity(shelf.facings.len());
    for (number, draft) in shelf.facings.iter().enumerate() {
        complaints.about(format!("shelf {}, facing {}", shelf.id, number + 1), draft.line.or(shelf.line));
        let sku = draft.sku.as_deref().map(SkuId::new);
        if let Some(sku) = sku.as_ref().filter(|sku| catalogue.get(sku).is_none()) {
            let other = catalogue.same_gtin(sku);
            let hint = other.map_or_else(String::new, |other| format!("; `{other}` has the same GTIN: write it so"));
            complaints.say(format!("product {sku} is not in the catalogue{hint}"));
        }
        check_facing_plates(shelf, number, draft, &mut owner, complaints);
        facings.push(Facing { sku, plates: draft.plates.clone() });
    }
    facings.sort_by_key(|facing| facing.plates.first().copied());
    facings
}

fn check_facing_plates(
    shelf: &ShelfDraft,
    number: usize,
    draft: &FacingDraft,
    owner: &mut BTreeMap<PlateId, usize>,
    complaints: &mut Complaints,
) {
    if draft.plates.is_empty() {
        complaints.say("it has no plates");
    }
    let place_of = |id: &PlateId| shelf.plates.iter().position(|plate| plate.id == *id);
    for id in &draft.plates {
        if place_of(id).is_none() {
            complaints.say(format!("plate {id} is not a plate of this shelf"));
        }
        if let Some(other) = owner.insert(*id, number).filter(|other| *other != number) {
            complaints.say(format!("plate {id} belongs to facing {} already; a plate holds one product", other + 1));
        }
    }
    let places: Vec<usize> = draft.plates.iter().filter_map(place_of).collect();
    if places.windows(2).any(|pair| pair[1] != pair[0] + 1) {
        complaints.say("its plates are not neighbours listed from left to right");
    }
}
