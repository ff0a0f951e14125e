//! From a draft to a shop, or to the list of everything that is wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use super::check_cameras::{FLOOR_METRES_MAX, check_cameras, check_room, check_zones, is_within};
use super::check_place::{check_epcis, check_locale, check_timezone};
use super::check_prices::{check_promotions, check_taxes};
use super::check_products::check_catalogue;
use super::{
    Catalogue, Facing, FacingDraft, PaymentPolicy, Plate, PlateDraft, Policy, PolicyDraft, Problem, Shelf, ShelfDraft,
    Shop, ShopDraft,
};
use crate::base::limits::{NAME_LETTERS_MAX, PLATES_PER_SHELF_MAX};
use crate::base::text::{flaw, plain};
use crate::base::{Currency, Money, PlateId, Prob, SkuId, Span};
use crate::geometry::Point;

/// Largest dimension of a piece of furniture, metres.
const FURNITURE_METRES_MAX: f64 = 3.0;
/// How far plates may overlap before it is an error, metres: drawings are rounded.
const OVERLAP_METRES_MAX: f64 = 0.005;

/// Collects problems about one item at a time.
pub(super) struct Complaints {
    found: Vec<Problem>,
    item: String,
    line: Option<u64>,
    trust: Trust,
}

/// How much is known of a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// Somebody wrote it.
    New,
    /// It stands in a recording, perhaps of an earlier version, which cannot be written anew.
    Recorded,
    /// It was checked before by this version or an earlier one, and receipts rest on it.
    Kept,
}

impl Complaints {
    pub(super) fn about(&mut self, item: String, line: Option<u64>) {
        self.item = plain(&item).into_owned();
        self.line = line;
    }

    pub(super) fn say(&mut self, message: impl Into<String>) {
        let message = plain(&message.into()).into_owned();
        self.found.push(Problem { item: self.item.clone(), line: self.line, message });
    }

    /// Says what stands in the way of showing a name; what a book holds is shown all the same.
    pub(super) fn name(&mut self, what: &str, name: &str, letters_max: usize) {
        if let Some(flaw) = flaw(name, letters_max).filter(|_| self.trust != Trust::Kept) {
            self.say(format!("{what} {flaw}"));
        }
    }

    /// Whether rules about numbers of products that came later are left aside: where such a number says nothing for certain,
    /// it is the shop's own code.
    pub(super) fn is_older(&self) -> bool {
        self.trust != Trust::New
    }

    pub(super) fn range(&mut self, what: &str, value: f64, above: f64, max: f64) {
        if !(above < value && value <= max) {
            self.say(format!("{what} is {value}; it must be more than {above} and at most {max}"));
        }
    }
}

pub(super) fn check(draft: ShopDraft, trust: Trust) -> Result<Shop, Vec<Problem>> {
    let mut complaints = Complaints { found: Vec::new(), item: "shop".to_owned(), line: None, trust };
    complaints.name("name", &draft.name, NAME_LETTERS_MAX);
    let zone = check_timezone(draft.timezone.as_deref(), &mut complaints);
    let locale = check_locale(draft.locale.as_deref(), &mut complaints);
    let epcis = check_epcis(&draft.epcis, &mut complaints);
    let policy = check_policy(&draft.policy, &mut complaints);
    let taxes = check_taxes(&draft.taxes, &mut complaints);
    let catalogue = check_catalogue(&draft.products, policy.currency, &taxes, &mut complaints);
    let promotions = check_promotions(&draft.promotions, &catalogue, &mut complaints);
    let shelves = check_shelves(&draft.shelves, &catalogue, &mut complaints);
    let zones = check_zones(&draft.zones, &mut complaints);
    let room = draft.room.as_ref().map(|room| check_room(room, &mut complaints));
    let cameras = check_cameras(&draft.cameras, &mut complaints);
    if !complaints.found.is_empty() {
        return Err(complaints.found);
    }
    let shelf_index = shelves.iter().enumerate().map(|(index, shelf)| (shelf.id, index)).collect();
    let name = draft.name.clone();
    Ok(Shop {
        name,
        zone,
        locale,
        epcis,
        catalogue,
        taxes,
        promotions,
        shelves,
        shelf_index,
        zones,
        room,
        cameras,
        policy,
        draft,
    })
}

fn check_policy(draft: &PolicyDraft, complaints: &mut Complaints) -> Policy {
    complaints.about("policy".to_owned(), None);
    let currency = draft.currency.parse().unwrap_or_else(|message: String| {
        complaints.say(message);
        Currency::USD
    });
    complaints.range("absence_secs_max", draft.absence_secs_max, 0.999, 3_600.0);
    complaints.range("review_probability_min", draft.review_probability_min, -f64::EPSILON, 1.0);
    complaints.range("offline_hours_max", draft.offline_hours_max, -f64::EPSILON, 168.0);
    complaints.range("evidence_days_max", draft.evidence_days_max, -f64::EPSILON, 3_650.0);
    complaints.range("contest_days_max", draft.contest_days_max, -f64::EPSILON, 3_650.0);
    if draft.hold_minor < 0 {
        complaints.say("hold_minor is negative; write 0 for no hold");
    }
    Policy {
        currency,
        absence_max: Span::from_secs(draft.absence_secs_max),
        review_below: Prob::new(draft.review_probability_min),
        payment: PaymentPolicy {
            hold: Some(Money::new(draft.hold_minor, currency)).filter(|hold| 0 < hold.minor),
            debt_blocks_entry: draft.debt_blocks_entry,
            offline_max: Span::from_secs(draft.offline_hours_max * 3_600.0),
            evidence_kept: Span::from_secs(draft.evidence_days_max * 86_400.0),
            contest_max: Span::from_secs(draft.contest_days_max * 86_400.0),
        },
        prices_include_tax: draft.prices_include_tax,
        tax_rounding: draft.tax_rounding,
    }
}

fn check_shelves(drafts: &[ShelfDraft], catalogue: &Catalogue, complaints: &mut Complaints) -> Vec<Shelf> {
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
