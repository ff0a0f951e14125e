//! The shop of an AutoCheckout folder: facings in space and a product list become shelves, plates and a catalogue.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::Warnings;
use super::documents::Documents;
use super::streams::{json, whole};
use super::wire::{Coordinates, FacingWire, ProductData, ProductKey, ProductWire};
use crate::base::limits::{NAME_LETTERS_MAX, SHOP_FILE_BYTES_MAX};
use crate::base::text::{flaw, plain};
use crate::base::{Error, PlateId, Result, ShelfId};
use crate::geometry::{Placement, Point, World};
use crate::shop::{FacingDraft, Gtin, PlateDraft, ProductDraft, Reading, ShelfDraft, Shop, ShopDraft, Symbol};

/// Heaviest unit that is believed, grams.
const UNIT_GRAMS_MAX: f64 = 50_000.0;
/// How far the room between two plates may be from that of whole plates, metres.
const GAP_METRES_MAX: f64 = 0.02;
/// The file's coordinates went through single precision; finer than this they say nothing, metres.
const GRAIN_METRES: f64 = 1e-5;

/// Reads `planogram.json` and `products.json`.
pub(super) fn read(folder: &Path, tolerate: bool, warnings: &mut Warnings) -> Result<Shop> {
    let (mut products, codes) = read_products(&folder.join("products.json"), tolerate, warnings)?;
    let planogram = folder.join("planogram.json");
    let mut shelves = read_shelves(&planogram, tolerate, warnings)?;
    for facing in shelves.iter_mut().flat_map(|shelf| &mut shelf.facings) {
        facing.sku = facing.sku.take().map(|sku| codes.sku(&sku));
    }
    let skus = shelves.iter().flat_map(|shelf| &shelf.facings).filter_map(|facing| facing.sku.clone());
    let listed: Vec<String> = products.keys().cloned().collect();
    for sku in skus {
        products.entry(sku).or_insert_with_key(|sku| {
            let kin = kin(sku, &listed).map_or_else(String::new, |kin| {
                let short = if kin.len() < sku.len() { kin } else { sku };
                format!("; {kin} does, and {short} has probably lost its leading zeros")
            });
            warnings.say(format!(
                "product {sku} stands in the planogram but not in products.json; its weight is unknown{kin}"
            ));
            ProductDraft { sku: sku.clone(), name: sku.clone(), ..ProductDraft::default() }
        });
    }
    let name = folder.canonicalize().ok();
    let name = name.and_then(|path| path.file_name().map(|name| plain(&name.to_string_lossy()).into_owned()));
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

/// The only one of these codes that would be this one, or the other way around, with zeros in front of the shorter, as they
/// are lost where a code passes through a spreadsheet.
fn kin<'a>(code: &str, listed: &'a [String]) -> Option<&'a str> {
    let is_cut = |short: &str, long: &str| {
        let zeros = long.strip_suffix(short).unwrap_or_default();
        !short.is_empty() && !zeros.is_empty() && zeros.bytes().all(|digit| digit == b'0')
    };
    let is_code = |code: &str| matches!(code.len(), 12 | 13) && code.bytes().all(|digit| digit.is_ascii_digit());
    let is_kin = |other: &&String| is_code(code) && is_cut(other, code) || is_code(other) && is_cut(code, other);
    let mut found = listed.iter().filter(is_kin);
    found.next().filter(|_| found.next().is_none()).map(String::as_str)
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

/// Codes of products that are known, and the GTIN behind them: a product is one however its code is written.
#[derive(Default)]
pub(super) struct Codes(BTreeMap<Gtin, String>);

impl Codes {
    /// Of a shop that was read.
    pub(super) fn of(shop: &Shop) -> Self {
        let products = shop.catalogue().products().iter();
        Codes(products.filter_map(|product| Some((product.gtin?, product.sku.as_str().to_owned()))).collect())
    }

    /// The code of the product that this one is a spelling of; itself where none is known.
    pub(super) fn sku(&self, code: &str) -> String {
        let gtin = match Gtin::read(code, None) {
            Reading::Product(gtin) => Some(gtin),
            // Which of the two it is was said where the product stands.
            Reading::Either { upc_e, gtin_8 } => {
                [upc_e, gtin_8].into_iter().find(|gtin| self.0.get(gtin).is_some_and(|sku| sku == code))
            }
            _ => None,
        };
        gtin.and_then(|gtin| self.0.get(&gtin)).cloned().unwrap_or_else(|| code.to_owned())
    }
}

fn read_products(
    path: &Path,
    tolerate: bool,
    warnings: &mut Warnings,
) -> Result<(BTreeMap<String, ProductDraft>, Codes)> {
    let mut products: BTreeMap<String, (ProductData, ProductDraft)> = BTreeMap::new();
    let mut codes = Codes::default();
    for (line, wire) in read_all::<ProductWire>(path, tolerate, warnings)? {
        let ProductKey { barcode_type, id } = wire.product_id.unwrap_or_default();
        let Some(code) = id.map(|code| code.0).filter(|sku| !sku.trim().is_empty()) else {
            warnings.say(format!("products.json:{line}: a product without product_id is left out"));
            continue;
        };
        let (gtin, doubt) = gtin(&code, barcode_type.as_ref().map(|kind| kind.0.as_str()));
        let sku = match gtin {
            None => code.clone(),
            Some(gtin) => codes.0.entry(gtin).or_insert_with(|| code.clone()).clone(),
        };
        match products.get(&sku) {
            Some((first, draft)) if *first == wire.metadata => {
                if sku != code {
                    let first = draft.line.unwrap_or_default();
                    warnings.say(format!("products.json:{line}: product {code} has the GTIN of {sku} on line {first}, and is the same one"));
                }
            }
            Some((_, first)) => warnings.say(format!(
                "products.json:{line}: product {code} stands on line {} already with other data; the first is kept",
                first.line.unwrap_or_default()
            )),
            None => {
                if let Some(doubt) = doubt {
                    warnings.say(format!("products.json:{line}: {doubt}; taken as the shop's own code"));
                }
                let draft = product(&sku, gtin, &wire.metadata, (line, tolerate), warnings);
                products.insert(sku, (wire.metadata, draft));
            }
        }
    }
    Ok((products.into_iter().map(|(sku, (_, draft))| (sku, draft)).collect(), codes))
}

fn product(
    sku: &str,
    gtin: Option<Gtin>,
    data: &ProductData,
    (line, tolerate): (u64, bool),
    warnings: &mut Warnings,
) -> ProductDraft {
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
    let mut name = data.name.as_deref().map(str::trim).filter(|name| !name.is_empty()).unwrap_or(sku).to_owned();
    if let Some(flaw) = flaw(&name, NAME_LETTERS_MAX).filter(|_| tolerate) {
        warnings.say(format!("products.json:{line}: the name of product {sku} {flaw}; it is changed here"));
        name = plain(&name).chars().take(NAME_LETTERS_MAX).collect();
    }
    ProductDraft {
        sku: sku.to_owned(),
        name,
        gtin: gtin.map(|gtin| gtin.to_string()),
        weight_grams,
        price_minor: price_minor.map(|minor| minor as i64),
        line: Some(line),
        ..ProductDraft::default()
    }
}

/// The GTIN behind a code, if it is one, or why it is not taken as one. The type of the barcode is believed.
fn gtin(code: &str, kind: Option<&str>) -> (Option<Gtin>, Option<String>) {
    match Gtin::read(code, kind.and_then(Symbol::named)) {
        Reading::Product(gtin) => (Some(gtin), None),
        Reading::Other => (None, None),
        Reading::Inner(reason) | Reading::Wrong(reason) => (None, Some(reason)),
        Reading::Either { upc_e, gtin_8 } => {
            let which = format!("the UPC-E of {upc_e} or the GTIN-8 {gtin_8}");
            (None, Some(format!("`{code}` may be {which}, and no barcode_type such as UPC or EAN says which")))
        }
    }
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
