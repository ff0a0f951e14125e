//! From tables to the parts of a shop's draft.

use std::collections::BTreeMap;

use super::fields::{Fields, Findings};
use super::node::{Node, Value};
use super::prices::{amount, instant, percent, promotion, tax};
use super::sight;
use crate::base::limits::PLATES_PER_SHELF_MAX;
use crate::base::{Currency, PlateId, ShelfId};
use crate::geometry::{Placement, Point};
use crate::shop::{
    CameraDraft, EpcisDraft, FacingDraft, Gtin, PlateDraft, PolicyDraft, ProductDraft, PromotionDraft, Reading,
    RoomDraft, ShelfDraft, TaxDraft, TaxRounding, ZoneDraft, ZoneKind,
};

/// The width of a plate where none is given, metres: four inches.
const PLATE_WIDTH_METRES: f64 = 0.1016;
/// The depth of a board where none is given, metres: sixteen inches.
const DEPTH_METRES: f64 = 0.4064;
/// The free height above the topmost board where none is given, metres.
const TOP_CLEARANCE_METRES: f64 = 0.4;

/// What a `shop.toml` says.
#[derive(Default)]
pub(super) struct ShopFile {
    pub(super) name: Option<String>,
    pub(super) timezone: Option<String>,
    pub(super) locale: Option<String>,
    pub(super) epcis: Option<EpcisDraft>,
    pub(super) policy: PolicyDraft,
    pub(super) shelves: Vec<ShelfDraft>,
    pub(super) zones: Vec<ZoneDraft>,
    pub(super) taxes: Vec<TaxDraft>,
    pub(super) promotions: Vec<PromotionDraft>,
    pub(super) products: Vec<ProductDraft>,
    pub(super) room: Option<RoomDraft>,
    pub(super) cameras: Vec<CameraDraft>,
}

/// Reads the keys of a shop file.
pub(super) fn shop(root: &Node, findings: &Findings) -> ShopFile {
    let mut fields = Fields::new(root, "shop", findings);
    let name = fields.text("name");
    let (timezone, locale) = (fields.text("timezone"), fields.text("locale"));
    let epcis = fields.node("epcis").map(|node| epcis(node, findings));
    let policy = fields.node("policy").map_or_else(PolicyDraft::default, |node| policy(node, findings));
    let currency = policy.currency.parse().unwrap_or(Currency::USD);
    let gondolas = fields.list("gondola").iter().enumerate();
    let shelves = gondolas.flat_map(|(index, node)| gondola(index, node, findings)).collect();
    let zones =
        fields.list("zone").iter().enumerate().filter_map(|(index, node)| zone(index, node, findings)).collect();
    let taxes = fields.list("tax").iter().enumerate().filter_map(|(index, node)| tax(index, node, findings)).collect();
    let promotions = fields.list("promotion").iter().enumerate();
    let promotions = promotions.filter_map(|(index, node)| promotion(index, node, findings)).collect();
    let products = products(fields.list("product"), currency, findings);
    let room = fields.node("room").and_then(|node| sight::room(node, findings));
    let cameras = sight::cameras(fields.list("camera"), findings);
    // Who moves money is read apart, by whoever needs it: a shop is checked and replayed without its keys.
    let _ = fields.node("payment");
    fields.finish();
    ShopFile { name, timezone, locale, epcis, policy, shelves, zones, taxes, promotions, products, room, cameras }
}

/// Reads the keys of a catalogue file: a list of products, in JSON also without the table around it.
pub(super) fn catalogue(root: &Node, currency: Currency, findings: &Findings) -> Vec<ProductDraft> {
    if let Value::List(items) = &root.value {
        return products(items, currency, findings);
    }
    let mut fields = Fields::new(root, "catalogue", findings);
    let products = products(fields.list("product"), currency, findings);
    fields.finish();
    products
}

/// Reads the keys of a planogram file: facings by shelf.
pub(super) fn planogram(root: &Node, findings: &Findings) -> BTreeMap<ShelfId, (u64, Vec<FacingDraft>)> {
    let mut fields = Fields::new(root, "planogram", findings);
    let mut shelves = BTreeMap::new();
    for (index, node) in fields.list("shelf").iter().enumerate() {
        let mut shelf = Fields::new(node, format!("planogram shelf {}", index + 1), findings);
        let id = shelf.text("id");
        let id = shelf.required("id", id).and_then(|id| id.parse().map_err(|reason: String| shelf.say(reason)).ok());
        let facings = shelf.list("facings");
        if let Some(id) = id {
            let facings = facings.iter().enumerate().filter_map(|(index, node)| facing(id, index, node, findings));
            if shelves.insert(id, (node.line, facings.collect())).is_some() {
                shelf.say(format!("shelf {id} stands twice"));
            }
        }
        shelf.finish();
    }
    fields.finish();
    shelves
}

fn epcis(node: &Node, findings: &Findings) -> EpcisDraft {
    let mut fields = Fields::new(node, "epcis", findings);
    let epcis = EpcisDraft {
        location: fields.text("location"),
        places: fields.text("places"),
        products: fields.text("products"),
    };
    fields.finish();
    epcis
}

fn policy(node: &Node, findings: &Findings) -> PolicyDraft {
    let default = PolicyDraft::default();
    let mut fields = Fields::new(node, "policy", findings);
    let policy = PolicyDraft {
        currency: fields.text("currency").unwrap_or(default.currency),
        absence_secs_max: fields.number("absence_secs_max").unwrap_or(default.absence_secs_max),
        review_probability_min: fields.number("review_probability_min").unwrap_or(default.review_probability_min),
        hold_minor: fields.whole("hold_minor").unwrap_or(default.hold_minor),
        debt_blocks_entry: fields.flag("debt_blocks_entry").unwrap_or(default.debt_blocks_entry),
        offline_hours_max: fields.number("offline_hours_max").unwrap_or(default.offline_hours_max),
        evidence_days_max: fields.number("evidence_days_max").unwrap_or(default.evidence_days_max),
        contest_days_max: fields.number("contest_days_max").unwrap_or(default.contest_days_max),
        prices_include_tax: fields.flag("prices_include_tax").unwrap_or(default.prices_include_tax),
        tax_rounding: match fields.text("tax_rounding").as_deref() {
            None | Some("receipt") => TaxRounding::Receipt,
            Some("line") => TaxRounding::Line,
            Some(other) => {
                fields.say(format!("tax_rounding is `{other}`; it must be line or receipt"));
                default.tax_rounding
            }
        },
    };
    fields.finish();
    policy
}

/// What a gondola says for all its shelves.
struct Gondola {
    number: u16,
    corner: [f64; 2],
    turn_radians: f64,
    depth_metres: f64,
    clearance_metres: Option<f64>,
    plate_count: Option<u16>,
    plate_width_metres: f64,
}

fn gondola(index: usize, node: &Node, findings: &Findings) -> Vec<ShelfDraft> {
    let mut fields = Fields::new(node, format!("gondola {}", index + 1), findings);
    let number = fields.ordinal("number").unwrap_or(index as u16 + 1);
    fields.item = format!("gondola {number}");
    let whole = Gondola {
        number,
        corner: [fields.number("x_metres").unwrap_or(0.0), fields.number("y_metres").unwrap_or(0.0)],
        turn_radians: fields.number("turn_degrees").unwrap_or(0.0).to_radians(),
        depth_metres: fields.number("depth_metres").unwrap_or(DEPTH_METRES),
        clearance_metres: fields.number("clearance_metres"),
        plate_count: fields.ordinal("plate_count"),
        plate_width_metres: fields.number("plate_width_metres").unwrap_or(PLATE_WIDTH_METRES),
    };
    let nodes = fields.list("shelf");
    if nodes.is_empty() {
        fields.say("it has no shelves: write one [[gondola.shelf]] for each, from the floor up");
    }
    let (mut shelves, mut cleared) = (Vec::new(), Vec::new());
    for (index, node) in nodes.iter().enumerate() {
        let (shelf, clearance) = shelf(&whole, index, node, findings);
        shelves.push(shelf);
        cleared.push(clearance.or(whole.clearance_metres));
    }
    for (index, clearance) in cleared.into_iter().enumerate() {
        let height = shelves[index].placement.origin.z;
        let above = shelves.iter().map(|shelf| shelf.placement.origin.z - height).filter(|room| 0.0 < *room);
        let room = above.fold(f64::INFINITY, f64::min);
        let room = if room.is_finite() { room } else { TOP_CLEARANCE_METRES };
        shelves[index].clearance_metres = clearance.unwrap_or(room);
    }
    fields.finish();
    shelves
}

fn shelf(whole: &Gondola, index: usize, node: &Node, findings: &Findings) -> (ShelfDraft, Option<f64>) {
    let mut fields = Fields::new(node, format!("gondola {}, shelf {}", whole.number, index + 1), findings);
    let number = fields.ordinal("number").unwrap_or(index as u16 + 1);
    let id = ShelfId::new(whole.number, number);
    fields.item = format!("shelf {id}");
    let height = fields.number("height_metres");
    let height = fields.required("height_metres", height).unwrap_or(0.0);
    let clearance = fields.number("clearance_metres");
    let depth_metres = fields.number("depth_metres").unwrap_or(whole.depth_metres);
    let count = fields.ordinal("plate_count");
    let width = fields.number("plate_width_metres").unwrap_or(whole.plate_width_metres);
    let explicit = fields.list("plates");
    let plates = if fields.has("plates") {
        explicit.iter().enumerate().filter_map(|(index, node)| plate(id, index, width, node, findings)).collect()
    } else {
        let count = count.or(whole.plate_count);
        if count.is_none() {
            fields.say("plate_count is missing, here or in its gondola");
        }
        row(id, count.unwrap_or(0), width, &fields)
    };
    let facings = fields.list("facings").iter().enumerate();
    let facings = facings.filter_map(|(index, node)| facing(id, index, node, findings)).collect();
    let line = Some(fields.line);
    fields.finish();
    let origin = Point::new(whole.corner[0], whole.corner[1], height);
    let placement = Placement { origin, turn_radians: whole.turn_radians };
    (ShelfDraft { id, placement, depth_metres, clearance_metres: 0.0, plates, facings, line }, clearance)
}

/// Plates side by side.
fn row(shelf: ShelfId, count: u16, width_metres: f64, fields: &Fields<'_>) -> Vec<PlateDraft> {
    if PLATES_PER_SHELF_MAX < usize::from(count) {
        fields.say(format!("plate_count is {count}; at most {PLATES_PER_SHELF_MAX}"));
    }
    let count = count.min(PLATES_PER_SHELF_MAX as u16);
    let plate = |plate: u16| PlateDraft {
        id: PlateId { shelf, plate },
        left_metres: f64::from(plate - 1) * width_metres,
        width_metres,
    };
    (1..=count).map(plate).collect()
}

fn plate(shelf: ShelfId, index: usize, width: f64, node: &Node, findings: &Findings) -> Option<PlateDraft> {
    let mut fields = Fields::new(node, format!("shelf {shelf}, plate {}", index + 1), findings);
    let number = fields.ordinal("number").unwrap_or(index as u16 + 1);
    let left = fields.number("left_metres");
    let left = fields.required("left_metres", left);
    let width_metres = fields.number("width_metres").unwrap_or(width);
    fields.finish();
    Some(PlateDraft { id: PlateId { shelf, plate: number }, left_metres: left?, width_metres })
}

fn facing(shelf: ShelfId, index: usize, node: &Node, findings: &Findings) -> Option<FacingDraft> {
    let mut fields = Fields::new(node, format!("shelf {shelf}, facing {}", index + 1), findings);
    let sku = fields.text("sku");
    let plates = fields.node("plates");
    let numbers = fields.required("plates", plates).and_then(|node| {
        let numbers = plate_numbers(node);
        if numbers.is_none() {
            fields.say(
                "plates must be a number, a rising range such as \"1-3\" of at most 64 plates, or a list of numbers",
            );
        }
        numbers
    });
    let line = Some(fields.line);
    fields.finish();
    let plates = numbers?.into_iter().map(|plate| PlateId { shelf, plate }).collect();
    Some(FacingDraft { sku, plates, line })
}

fn plate_numbers(node: &Node) -> Option<Vec<u16>> {
    let number = |number: i64| u16::try_from(number).ok().filter(|number| 0 < *number);
    match &node.value {
        Value::Whole(one) => Some(vec![number(*one)?]),
        Value::List(items) => items
            .iter()
            .map(|item| match item.value {
                Value::Whole(one) => number(one),
                _ => None,
            })
            .collect(),
        Value::Text(text) => {
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            let (first, last): (u16, u16) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
            let sane = 0 < first && first <= last && usize::from(last - first) < PLATES_PER_SHELF_MAX;
            sane.then(|| (first..=last).collect())
        }
        _ => None,
    }
}

fn zone(index: usize, node: &Node, findings: &Findings) -> Option<ZoneDraft> {
    let mut fields = Fields::new(node, format!("zone {}", index + 1), findings);
    let name = fields.text("name");
    let name = fields.required("name", name);
    if let Some(name) = &name {
        fields.item = format!("zone {name}");
    }
    let kind = fields.text("kind");
    let kind = fields.required("kind", kind).and_then(|kind| match kind.as_str() {
        "entrance" => Some(ZoneKind::Entrance),
        "exit" => Some(ZoneKind::Exit),
        "closed" => Some(ZoneKind::Closed),
        _ => {
            fields.say(format!("kind is `{kind}`; it must be entrance, exit or closed"));
            None
        }
    });
    let polygon = fields.polygon();
    let line = Some(fields.line);
    fields.finish();
    Some(ZoneDraft { name: name?, kind: kind?, polygon: polygon?, line })
}

fn products(nodes: &[Node], currency: Currency, findings: &Findings) -> Vec<ProductDraft> {
    nodes.iter().enumerate().filter_map(|(index, node)| product(index, node, currency, findings)).collect()
}

fn product(index: usize, node: &Node, currency: Currency, findings: &Findings) -> Option<ProductDraft> {
    let mut fields = Fields::new(node, format!("catalogue product {}", index + 1), findings);
    let sku = fields.text("sku");
    let sku = fields.required("sku", sku);
    if let Some(sku) = &sku {
        fields.item = format!("catalogue product {sku}");
    }
    let name = fields.text("name");
    let gtin = fields.text("gtin");
    let weight_grams = fields.number("weight_grams");
    let package = fields.node("package").and_then(|node| sight::package(node, &fields.item, findings));
    let price_minor = amount(&mut fields, "price_minor", "price", currency);
    let tax = fields.text("tax");
    let markdown_price_minor = amount(&mut fields, "markdown_price_minor", "markdown_price", currency);
    let markdown_off = percent(&mut fields, "markdown_percent");
    let markdown_from = instant(&mut fields, "markdown_from");
    let markdown_until = instant(&mut fields, "markdown_until");
    let line = Some(fields.line);
    fields.finish();
    let sku = sku?;
    let name = name.unwrap_or_else(|| sku.clone());
    Some(ProductDraft {
        name,
        gtin: own_gtin(&sku, gtin),
        weight_grams,
        package,
        price_minor,
        tax,
        markdown_price_minor,
        markdown_off,
        markdown_from,
        markdown_until,
        line,
        sku,
    })
}

/// The GTIN of a product: what is said, else the code itself if it is one. Of a code that may be two the check asks.
fn own_gtin(sku: &str, said: Option<String>) -> Option<String> {
    match (said.as_deref(), Gtin::read(sku, None)) {
        (Some("none"), _) => None,
        (Some(_), _) => said,
        (None, Reading::Product(gtin)) if sku.len() == 8 => Some(gtin.to_string()),
        (None, Reading::Product(_) | Reading::Either { .. }) => Some(sku.to_owned()),
        (None, _) => None,
    }
}
