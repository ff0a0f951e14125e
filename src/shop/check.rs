//! From a draft to a shop, or to the list of everything that is wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use super::check_cameras::{FLOOR_METRES_MAX, check_cameras, check_room, check_zones, is_within};
use super::check_prices::{check_markdown, check_promotions, check_taxes};
use super::{
    Catalogue, Facing, FacingDraft, Gtin, PaymentPolicy, Plate, PlateDraft, Policy, PolicyDraft, Problem, Product,
    ProductDraft, Shelf, ShelfDraft, Shop, ShopDraft, TaxRule,
};
use crate::base::limits::PLATES_PER_SHELF_MAX;
use crate::base::{Currency, Grams, Money, PlateId, Prob, SkuId, Span};
use crate::geometry::Point;

/// Heaviest unit a shelf plate is expected to carry, grams.
const UNIT_GRAMS_MAX: f64 = 50_000.0;
/// Largest dimension of a piece of furniture, metres.
const FURNITURE_METRES_MAX: f64 = 3.0;
/// Largest dimension of a unit of goods, metres.
const PACKAGE_METRES_MAX: f64 = 1.0;
/// How far plates may overlap before it is an error, metres: drawings are rounded.
const OVERLAP_METRES_MAX: f64 = 0.005;

/// Collects problems about one item at a time.
pub(super) struct Complaints {
    found: Vec<Problem>,
    item: String,
    line: Option<u64>,
}

impl Complaints {
    pub(super) fn about(&mut self, item: String, line: Option<u64>) {
        self.item = item;
        self.line = line;
    }

    pub(super) fn say(&mut self, message: impl Into<String>) {
        self.found.push(Problem { item: self.item.clone(), line: self.line, message: message.into() });
    }

    pub(super) fn range(&mut self, what: &str, value: f64, above: f64, max: f64) {
        if !(above < value && value <= max) {
            self.say(format!("{what} is {value}; it must be more than {above} and at most {max}"));
        }
    }
}

pub(super) fn check(draft: ShopDraft) -> Result<Shop, Vec<Problem>> {
    let mut complaints = Complaints { found: Vec::new(), item: String::new(), line: None };
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
    Ok(Shop { name, catalogue, taxes, promotions, shelves, shelf_index, zones, room, cameras, policy, draft })
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

fn check_catalogue(
    drafts: &[ProductDraft],
    currency: Currency,
    taxes: &[TaxRule],
    complaints: &mut Complaints,
) -> Catalogue {
    let mut seen = BTreeMap::new();
    let mut products = Vec::with_capacity(drafts.len());
    for draft in drafts {
        complaints.about(format!("catalogue product {}", draft.sku), draft.line);
        if draft.sku.trim().is_empty() {
            complaints.say("the sku is empty");
        }
        if let Some(first) = seen.insert(draft.sku.as_str(), draft.line) {
            let at = first.map_or_else(String::new, |line| format!(" (first on line {line})"));
            complaints.say(format!("the sku stands twice in the catalogue{at}"));
        }
        let gtin = draft.gtin.as_deref().map(str::parse::<Gtin>).transpose().unwrap_or_else(|message| {
            complaints.say(message);
            None
        });
        if let Some(weight) = draft.weight_grams {
            complaints.range("weight_grams", weight, 0.0, UNIT_GRAMS_MAX);
        }
        if draft.price_minor.is_some_and(|price| price < 0) {
            complaints.say("price_minor is negative");
        }
        if let Some(tax) = draft.tax.as_ref().filter(|tax| !taxes.iter().any(|rule| rule.name == **tax)) {
            complaints.say(format!("tax `{tax}` is not a [[tax]] of the shop"));
        }
        if let Some(package) = &draft.package {
            for (what, size) in ["width", "depth", "height"].iter().zip(package.size_metres) {
                complaints.range(&format!("the {what} of its package"), size, 0.0, PACKAGE_METRES_MAX);
            }
        }
        products.push(Product {
            sku: SkuId::new(&draft.sku),
            name: draft.name.clone(),
            gtin,
            weight: draft.weight_grams.map(Grams::new),
            price: draft.price_minor.map(|minor| Money::new(minor, currency)),
            package: draft.package,
            tax: draft.tax.clone(),
            markdown: check_markdown(draft, currency, complaints),
        });
    }
    Catalogue::new(products)
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
            complaints.say(format!("product {sku} is not in the catalogue"));
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
