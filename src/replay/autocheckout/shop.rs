//! The shop of an AutoCheckout folder: facings in space and a product list become shelves, plates and a catalogue.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::Warnings;
use super::documents::Documents;
use super::streams::{json, whole};
use super::wire::{Coordinates, FacingWire, ProductData, ProductWire};
use crate::base::limits::SHOP_FILE_BYTES_MAX;
use crate::base::{Error, PlateId, Result, ShelfId};
use crate::geometry::{Placement, Point, World};
use crate::shop::{FacingDraft, Gtin, PlateDraft, ProductDraft, ShelfDraft, Shop, ShopDraft};

/// Heaviest unit that is believed, grams.
const UNIT_GRAMS_MAX: f64 = 50_000.0;
/// How far the room between two plates may be from that of whole plates, metres.
const GAP_METRES_MAX: f64 = 0.02;
/// The file's coordinates went through single precision; finer than this they say nothing, metres.
const GRAIN_METRES: f64 = 1e-5;

/// Reads `planogram.json` and `products.json`.
pub(super) fn read(folder: &Path, tolerate: bool, warnings: &mut Warnings) -> Result<Shop> {
    let mut products = read_products(&folder.join("products.json"), tolerate, warnings)?;
    let planogram = folder.join("planogram.json");
    let shelves = read_shelves(&planogram, tolerate, warnings)?;
    let skus = shelves.iter().flat_map(|shelf| &shelf.facings).filter_map(|facing| facing.sku.clone());
    for sku in skus {
        products.entry(sku).or_insert_with_key(|sku| {
            warnings
                .say(format!("product {sku} stands in the planogram but not in products.json; its weight is unknown"));
            ProductDraft { sku: sku.clone(), name: sku.clone(), ..ProductDraft::default() }
        });
    }
    let name =
        folder.canonicalize().ok().and_then(|path| path.file_name().map(|name| name.to_string_lossy().into_owned()));
    let draft = ShopDraft {
        name: name.unwrap_or_else(|| "autocheckout".to_owned()),
        products: products.into_values().collect(),
        shelves,
        ..ShopDraft::default()
    };
    Shop::check(draft).map_err(|problems| {
        let list: Vec<String> = problems.iter().map(|problem| format!("\n  {problem}")).collect();
        Error::input(format!("the shop does not hold together:{}", list.concat())).at_path(&planogram)
    })
}

/// All documents of a file with their lines.
fn read_all<T: DeserializeOwned>(path: &Path, tolerate: bool, warnings: &mut Warnings) -> Result<Vec<(u64, T)>> {
    let file = File::open(path).map_err(|error| Error::io("open", path, &error))?;
    let length = file.metadata().map_err(|error| Error::io("read", path, &error))?.len();
    if SHOP_FILE_BYTES_MAX < length {
        return Err(Error::input(format!("{length} bytes; at most {SHOP_FILE_BYTES_MAX} are read")).at_path(path));
    }
    let mut documents = Documents::new(BufReader::new(file), path);
    let mut all = Vec::new();
    loop {
        let read = documents.advance().and_then(|spot| match spot {
            None => Ok(None),
            Some(spot) => serde_json::from_slice(documents.text())
                .map(|value| Some((spot.line, value)))
                .map_err(|error| documents.wrong(spot, &json(documents.text(), &error))),
        });
        match read {
            Ok(Some(value)) => all.push(value),
            Ok(None) => return Ok(all),
            Err(error) if tolerate => warnings.say(error.to_string()),
            Err(error) => return Err(error),
        }
    }
}

fn read_products(path: &Path, tolerate: bool, warnings: &mut Warnings) -> Result<BTreeMap<String, ProductDraft>> {
    let mut products: BTreeMap<String, (ProductData, ProductDraft)> = BTreeMap::new();
    for (line, wire) in read_all::<ProductWire>(path, tolerate, warnings)? {
        let Some(sku) = wire.product_id.and_then(|key| key.id).map(|code| code.0).filter(|sku| !sku.trim().is_empty())
        else {
            warnings.say(format!("products.json:{line}: a product without product_id is left out"));
            continue;
        };
        match products.get(&sku) {
            Some((first, _)) if *first == wire.metadata => {}
            Some((_, first)) => warnings.say(format!(
                "products.json:{line}: product {sku} stands on line {} already with other data; the first is kept",
                first.line.unwrap_or_default()
            )),
            None => {
                let draft = product(&sku, &wire.metadata, line, warnings);
                products.insert(sku, (wire.metadata, draft));
            }
        }
    }
    Ok(products.into_iter().map(|(sku, (_, draft))| (sku, draft)).collect())
}

fn product(sku: &str, data: &ProductData, line: u64, warnings: &mut Warnings) -> ProductDraft {
    let weight_grams = data.weight.map(|weight| weight.0).filter(|&weight| {
        let believed = 0.0 < weight && weight <= UNIT_GRAMS_MAX;
        if !believed {
            warnings.say(format!(
                "products.json:{line}: product {sku} weighs {weight} g, which cannot be; taken as unknown"
            ));
        }
        believed
    });
    let price_minor = data.price.map(|price| (price.0 * 100.0).round()).filter(|&minor| {
        let believed = (0.0..1e15).contains(&minor);
        if !believed {
            warnings.say(format!(
                "products.json:{line}: product {sku} costs {minor} cents, which cannot be; taken as unknown"
            ));
        }
        believed
    });
    let gtin = gtin(sku).unwrap_or_else(|reason| {
        warnings.say(format!("products.json:{line}: {reason}; taken as the shop's own code"));
        None
    });
    let name = data.name.as_deref().map(str::trim).filter(|name| !name.is_empty()).unwrap_or(sku).to_owned();
    ProductDraft {
        sku: sku.to_owned(),
        name,
        gtin,
        weight_grams,
        price_minor: price_minor.map(|minor| minor as i64),
        line: Some(line),
        ..ProductDraft::default()
    }
}

/// The GTIN behind a code, if it is one: as it stands, or a UPC-E written out.
fn gtin(code: &str) -> Result<Option<String>, String> {
    if !Gtin::has_form(code) {
        return Ok(None);
    }
    let reason = match code.parse::<Gtin>() {
        Ok(_) => return Ok(Some(code.to_owned())),
        Err(reason) => reason,
    };
    let long = upc_a_from_upc_e(code).filter(|long| long.parse::<Gtin>().is_ok());
    long.map(Some).ok_or(reason)
}

/// UPC-E leaves out zeros of a UPC-A and keeps its check digit (GS1 General Specifications, section 5.2.2.4).
fn upc_a_from_upc_e(code: &str) -> Option<String> {
    let digits: [u8; 8] = code.as_bytes().try_into().ok()?;
    let [system @ (b'0' | b'1'), a, b, c, d, e, last, check] = digits else { return None };
    let body = match last {
        b'0' | b'1' | b'2' => [a, b, last, b'0', b'0', b'0', b'0', c, d, e],
        b'3' => [a, b, c, b'0', b'0', b'0', b'0', b'0', d, e],
        b'4' => [a, b, c, d, b'0', b'0', b'0', b'0', b'0', e],
        _ => [a, b, c, d, e, b'0', b'0', b'0', b'0', last],
    };
    let all = [&[system][..], &body, &[check]].concat();
    String::from_utf8(all).ok()
}

/// A plate as the planogram shows it.
struct Seen {
    corner: Point<World>,
    width_metres: f64,
}

/// A shelf while it is put together.
#[derive(Default)]
struct Board {
    plates: BTreeMap<u16, Seen>,
    facings: Vec<FacingDraft>,
    turn_radians: f64,
    depth_metres: f64,
    clearance_metres: f64,
    line: u64,
}

fn read_shelves(path: &Path, tolerate: bool, warnings: &mut Warnings) -> Result<Vec<ShelfDraft>> {
    let mut boards: BTreeMap<ShelfId, Board> = BTreeMap::new();
    let mut problems = Vec::new();
    for (line, wire) in read_all::<FacingWire>(path, tolerate, warnings)? {
        if let Err(reason) = add_facing(&mut boards, line, wire) {
            problems.push(format!("planogram.json:{line}: {reason}"));
        }
    }
    if tolerate {
        problems.drain(..).for_each(|problem| warnings.say(problem));
    }
    if !problems.is_empty() {
        let list: Vec<String> = problems.iter().map(|problem| format!("\n  {problem}")).collect();
        let message = format!("{} facings cannot be used:{}", problems.len(), list.concat());
        return Err(Error::input(message).at_path(path).hint("`--tolerate` leaves them out"));
    }
    if boards.is_empty() {
        return Err(Error::input("it has no facings, so there are no shelves").at_path(path));
    }
    let mut reach: BTreeMap<u16, (u16, u16)> = BTreeMap::new();
    for (id, board) in &boards {
        let (first, last) = reach.entry(id.gondola).or_insert((u16::MAX, 0));
        *first = board.plates.keys().next().copied().unwrap_or(*first).min(*first);
        *last = board.plates.keys().next_back().copied().unwrap_or(*last).max(*last);
    }
    Ok(boards.into_iter().map(|(id, board)| shelf(id, board, reach[&id.gondola])).collect())
}

fn add_facing(boards: &mut BTreeMap<ShelfId, Board>, line: u64, wire: FacingWire) -> Result<(), String> {
    let mut plates = wire.plate_ids.iter().map(plate_id).collect::<Result<Vec<PlateId>, String>>()?;
    plates.sort_unstable();
    plates.dedup();
    let (Some(&first), Some(&last)) = (plates.first(), plates.last()) else {
        return Err("a facing without plates".to_owned());
    };
    if first.shelf != last.shelf {
        return Err(format!("a facing reaches from plate {first} to plate {last}; it must keep to one shelf"));
    }
    let place = wire.global_coordinates.unwrap_or_default();
    if !(0.0 < place.dim_x.0 && place.dim_x.0.is_finite()) {
        return Err(format!("the facing on plate {first} is {} m wide", place.dim_x.0));
    }
    let board = boards.entry(first.shelf).or_default();
    if board.plates.is_empty() {
        board.turn_radians = place.transform.rotation.coordinates().map_or(0.0, |[_, _, z]| z);
        board.depth_metres = grained(place.dim_y.0);
        board.clearance_metres = grained(place.dim_z.0);
        board.line = line;
    }
    board.add_plates(&plates, &place);
    let sku = wire.planogram_product_id.and_then(|key| key.id).map(|code| code.0).filter(|sku| !sku.trim().is_empty());
    board.add_facing(FacingDraft { sku, plates, line: Some(line) })
}

fn plate_id(key: &super::wire::PlateKey) -> Result<PlateId, String> {
    let shelf = &key.shelf_id;
    let numbers = [shelf.gondola_id.id.0, shelf.shelf_index.0, key.plate_index.0];
    match numbers.map(|number| whole(number).filter(|&number| 0 < number)) {
        [Some(gondola), Some(shelf), Some(plate)] => Ok(PlateId::new(gondola, shelf, plate)),
        _ => Err(format!("a plate is called {numbers:?}; gondola, shelf and plate count from 1")),
    }
}

impl Board {
    fn add_plates(&mut self, plates: &[PlateId], place: &Coordinates) {
        let [x, y, z] = place.transform.translation.coordinates().unwrap_or_default();
        let corner = Placement { origin: Point::new(x, y, z), turn_radians: self.turn_radians };
        let width_metres = place.dim_x.0 / plates.len() as f64;
        for (index, plate) in plates.iter().enumerate() {
            let corner = corner.world_from_local(Point::new(index as f64 * width_metres, 0.0, 0.0));
            self.plates.entry(plate.plate).or_insert(Seen { corner, width_metres });
        }
    }

    /// Adds a facing, or joins it to the one that shares plates and product with it.
    fn add_facing(&mut self, mut facing: FacingDraft) -> Result<(), String> {
        let shares = |other: &FacingDraft| other.plates.iter().any(|plate| facing.plates.contains(plate));
        let Some(at) = self.facings.iter().position(shares) else {
            self.facings.push(facing);
            return Ok(());
        };
        let other = &mut self.facings[at];
        match (&other.sku, &facing.sku) {
            (Some(one), Some(two)) if one != two => {
                let line = other.line.unwrap_or_default();
                return Err(format!("product {two} is put on plates that line {line} gives to product {one}"));
            }
            // What is said to be empty and to hold a product holds the product.
            (_, two) => other.sku = other.sku.take().or_else(|| two.clone()),
        }
        other.plates.append(&mut facing.plates);
        other.plates.sort_unstable();
        other.plates.dedup();
        Ok(())
    }

    /// Plates that no facing mentions are there all the same if whole plates fit between those that are mentioned, or
    /// if the boards above and below have them. Real shops put goods back on them.
    fn fill(&mut self, (first, last): (u16, u16)) {
        let along = Point::new(self.turn_radians.cos(), self.turn_radians.sin(), 0.0);
        for number in first..=last {
            if self.plates.contains_key(&number) {
                continue;
            }
            let below = self.plates.range(..number).next_back();
            let above = self.plates.range(number..).next();
            let (corner, width_metres) = match (below, above) {
                (Some((low, one)), Some((high, other))) => {
                    let expected = one.width_metres * f64::from(high - low);
                    if GAP_METRES_MAX < (one.corner.distance(other.corner) - expected).abs() {
                        continue;
                    }
                    (one.corner + along * (one.width_metres * f64::from(number - low)), one.width_metres)
                }
                (Some((low, one)), None) => {
                    (one.corner + along * (one.width_metres * f64::from(number - low)), one.width_metres)
                }
                (None, Some((high, other))) => {
                    (other.corner + along * (-other.width_metres * f64::from(high - number)), other.width_metres)
                }
                (None, None) => continue,
            };
            self.plates.insert(number, Seen { corner, width_metres });
        }
    }
}

fn shelf(id: ShelfId, mut board: Board, reach: (u16, u16)) -> ShelfDraft {
    board.fill(reach);
    let turned = Placement { origin: Point::new(0.0, 0.0, 0.0), turn_radians: board.turn_radians };
    let along = |seen: &Seen| turned.local_from_world(seen.corner).x;
    let mut plates: Vec<(u16, Seen)> = board.plates.into_iter().collect();
    plates.sort_by(|(_, one), (_, other)| along(one).total_cmp(&along(other)));
    let start = plates.first().map_or(Point::new(0.0, 0.0, 0.0), |(_, seen)| seen.corner);
    let origin = Point::new(grained(start.x), grained(start.y), grained(start.z));
    let placement = Placement { origin, turn_radians: board.turn_radians };
    let order: Vec<u16> = plates.iter().map(|(number, _)| *number).collect();
    let plate = |(number, seen): &(u16, Seen)| PlateDraft {
        id: PlateId { shelf: id, plate: *number },
        left_metres: grained(placement.local_from_world(seen.corner).x),
        width_metres: grained(seen.width_metres),
    };
    let mut facings = board.facings;
    for facing in &mut facings {
        facing.plates.sort_by_key(|plate| order.iter().position(|number| *number == plate.plate));
    }
    ShelfDraft {
        id,
        placement,
        depth_metres: board.depth_metres,
        clearance_metres: board.clearance_metres,
        plates: plates.iter().map(plate).collect(),
        facings,
        line: Some(board.line),
    }
}

fn grained(metres: f64) -> f64 {
    // Dividing by the whole number gives the decimal nearest to what was meant.
    (metres / GRAIN_METRES).round() / (1.0 / GRAIN_METRES).round() + 0.0
}
