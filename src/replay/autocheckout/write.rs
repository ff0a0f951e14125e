//! Writes facts as an AutoCheckout folder, so that simulated trips can be judged by others' programs.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::json;

use super::METRES_PER_INCH;
use super::wire::{
    Code, CodeKey, Coordinates, FacingWire, GondolaKey, JointWire, Number, PlateKey, ProductData, ProductKey,
    ProductWire, ShelfKey, Target, Transform, Triple,
};
use crate::base::{Error, PlateId, Result, ShopTime};
use crate::facts::{Body, Fact, Joint, Person, PlateBatch, Stamp};
use crate::geometry::Point;
use crate::output::OutputFile;
use crate::shop::{Facing, Gtin, Product, Reading, Shelf, Shop};
use crate::truth::Truth;

/// Writes a folder: `planogram.json`, `products.json`, the two streams, and `truth.json` where truth is given. Facts of
/// topics that the format does not have are left out. Times keep microseconds, an arrival keeps milliseconds, joints are
/// in inches; a plate without a sample becomes not-a-number.
///
/// # Errors
/// When the folder cannot be written to, or the facts cannot be had.
pub fn write(
    folder: &Path,
    shop: &Shop,
    facts: impl IntoIterator<Item = Result<Fact>>,
    truth: Option<&Truth>,
) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| Error::io("create", folder, &error))?;
    write_planogram(&folder.join("planogram.json"), shop)?;
    write_products(&folder.join("products.json"), shop)?;
    let sizes = gondola_sizes(shop);
    let mut plates = Lines::create(folder.join("plate_data.json"))?;
    let mut targets = Lines::create(folder.join("full_targets.json"))?;
    for fact in facts {
        let fact = fact?;
        match &fact.body {
            Body::Plates(batch) => {
                for message in plate_messages(&fact.stamp, batch, &sizes) {
                    plates.put(&message)?;
                }
            }
            Body::People(frame) => {
                let people: Vec<Target> = frame.people.iter().map(target).collect();
                let list = if people.is_empty() { json!({}) } else { json!({ "targets": people }) };
                targets.put(&json!({
                    "timestamp": secs(fact.stamp.at),
                    "date_time": { "$date": fact.stamp.arrived.to_string() },
                    "document": { "targets": list },
                }))?;
            }
            _ => {}
        }
    }
    plates.finish()?;
    targets.finish()?;
    if let Some(truth) = truth {
        let mut lines = Lines::create(folder.join("truth.json"))?;
        lines.put(truth)?;
        lines.finish()?;
    }
    Ok(())
}

/// One JSON document a line.
struct Lines {
    path: PathBuf,
    out: BufWriter<File>,
    output: OutputFile,
}

impl Lines {
    fn create(path: PathBuf) -> Result<Self> {
        let output = OutputFile::create(&path)?;
        Ok(Lines { path, out: output.writer()?, output })
    }

    fn put(&mut self, value: &impl Serialize) -> Result<()> {
        let written = serde_json::to_writer(&mut self.out, value).map_err(std::io::Error::from);
        written.and_then(|()| self.out.write_all(b"\n")).map_err(|error| Error::io("write", &self.path, &error))
    }

    fn finish(mut self) -> Result<()> {
        self.out.flush().map_err(|error| Error::io("write", &self.path, &error))?;
        self.output.finish()
    }
}

fn secs(time: ShopTime) -> f64 {
    // Whole microseconds divide to the double that reads back as the same microsecond.
    (time.as_nanos() as f64 / 1e3).round() / 1e6
}

/// Greatest shelf and plate number of every gondola.
fn gondola_sizes(shop: &Shop) -> BTreeMap<u16, (u16, u16)> {
    let mut sizes: BTreeMap<u16, (u16, u16)> = BTreeMap::new();
    for shelf in shop.shelves() {
        let (shelves, plates) = sizes.entry(shelf.id.gondola).or_default();
        *shelves = (*shelves).max(shelf.id.shelf);
        *plates = shelf.plates.iter().map(|plate| plate.id.plate).fold(*plates, u16::max);
    }
    sizes
}

/// A batch as one message for every gondola it has plates of.
fn plate_messages(stamp: &Stamp, batch: &PlateBatch, sizes: &BTreeMap<u16, (u16, u16)>) -> Vec<serde_json::Value> {
    let rows = batch.rows();
    let mut gondolas: BTreeMap<u16, Vec<(usize, PlateId)>> = BTreeMap::new();
    for (column, id) in batch.plates.iter().enumerate() {
        gondolas.entry(id.shelf.gondola).or_default().push((column, *id));
    }
    let message = |(gondola, columns): (u16, Vec<(usize, PlateId)>)| {
        let (mut shelves, mut plates) = sizes.get(&gondola).copied().unwrap_or_default();
        for (_, id) in &columns {
            (shelves, plates) = (shelves.max(id.shelf.shelf), plates.max(id.plate));
        }
        let (shelves, plates) = (usize::from(shelves) + 1, usize::from(plates) + 1);
        let mut grams = vec![f32::NAN; rows * shelves * plates];
        for row in 0..rows {
            for (column, id) in &columns {
                let at = (row * shelves + usize::from(id.shelf.shelf)) * plates + usize::from(id.plate);
                grams[at] = batch.grams[row * batch.plates.len() + column];
            }
        }
        let bytes: Vec<u8> = grams.iter().flat_map(|grams| grams.to_le_bytes()).collect();
        let last_at = batch.row_at(rows.saturating_sub(1));
        json!({
            "timestamp": secs(last_at),
            "date_time": { "$date": stamp.arrived.to_string() },
            "document": { "plate_data": {
                "plate_id": { "shelf_id": { "gondola_id": { "id": gondola } } },
                "freq_samp": 1e9 / batch.period.as_nanos() as f64,
                "values": { "data": STANDARD.encode(bytes), "shape": [rows, shelves, plates], "type": "DATATYPE_FLOAT32" },
            } },
        })
    };
    gondolas.into_iter().map(message).collect()
}

fn target(person: &Person) -> Target {
    let joints = &person.joints;
    let wire = |joint: Option<Joint>| {
        Some(match joint {
            None => JointWire { point: Some(Triple::default()), score: None },
            Some(joint) => {
                let [x, y, z] = [joint.position.x, joint.position.y, joint.position.z]
                    .map(|metres| Some(Number(metres / METRES_PER_INCH)));
                JointWire { point: Some(Triple { x, y, z }), score: Some(Number(joint.score)) }
            }
        })
    };
    let hands = [joints.left_wrist, joints.right_wrist].into_iter().flatten();
    Target {
        target_id: Some(CodeKey { id: Some(Code(person.track.to_string())) }),
        head: wire(joints.head),
        neck: wire(joints.neck),
        l_shoulder: wire(joints.left_shoulder),
        r_shoulder: wire(joints.right_shoulder),
        l_elbow: wire(joints.left_elbow),
        r_elbow: wire(joints.right_elbow),
        l_wrist: wire(joints.left_wrist),
        r_wrist: wire(joints.right_wrist),
        hands: Some(hands.filter_map(|hand| wire(Some(hand))).collect()),
    }
}

fn write_planogram(path: &Path, shop: &Shop) -> Result<()> {
    let mut lines = Lines::create(path.to_owned())?;
    for shelf in shop.shelves() {
        for facing in &shelf.facings {
            lines.put(&facing_wire(shelf, facing))?;
        }
        // The format knows a plate only through a facing, so the others come as empty ones.
        for plate in shelf.plates.iter().filter(|plate| shelf.facing_of(plate.id).is_none()) {
            lines.put(&facing_wire(shelf, &Facing { sku: None, plates: vec![plate.id] }))?;
        }
    }
    lines.finish()
}

fn facing_wire(shelf: &Shelf, facing: &Facing) -> FacingWire {
    let key = |id: &PlateId| PlateKey {
        shelf_id: ShelfKey {
            gondola_id: GondolaKey { id: Number(f64::from(id.shelf.gondola)) },
            shelf_index: Number(f64::from(id.shelf.shelf)),
        },
        plate_index: Number(f64::from(id.plate)),
    };
    let plates: Vec<_> = facing.plates.iter().filter_map(|id| shelf.plate(*id)).collect();
    let left = plates.first().map_or(0.0, |plate| plate.left_metres);
    let right = plates.last().map_or(0.0, |plate| plate.left_metres + plate.width_metres);
    let corner = shelf.placement.world_from_local(Point::new(left, 0.0, 0.0));
    let number = |metres: f64| Some(Number(metres));
    FacingWire {
        plate_ids: facing.plates.iter().map(key).collect(),
        planogram_product_id: Some(CodeKey { id: facing.sku.as_ref().map(|sku| Code(sku.as_str().to_owned())) }),
        global_coordinates: Some(Coordinates {
            transform: Transform {
                translation: Triple { x: number(corner.x), y: number(corner.y), z: number(corner.z) },
                rotation: Triple { x: None, y: None, z: number(shelf.placement.turn_radians) },
            },
            dim_x: Number(right - left),
            dim_y: Number(shelf.depth_metres),
            dim_z: Number(shelf.clearance_metres),
        }),
    }
}

fn write_products(path: &Path, shop: &Shop) -> Result<()> {
    let mut lines = Lines::create(path.to_owned())?;
    for product in shop.catalogue().products() {
        lines.put(&ProductWire {
            product_id: Some(ProductKey {
                barcode_type: symbol(product).map(|symbol| Code(symbol.to_owned())),
                id: Some(Code(product.sku.as_str().to_owned())),
            }),
            metadata: ProductData {
                name: Some(product.name.clone()),
                price: product.price.map(|price| Number(price.minor as f64 / 100.0)),
                weight: product.weight.map(|weight| Number(weight.value())),
            },
        })?;
    }
    lines.finish()
}

/// The type of barcode that a code needs beside it to be read as what it is: of eight digits that may be two numbers.
fn symbol(product: &Product) -> Option<&'static str> {
    match (Gtin::read(product.sku.as_str(), None), product.gtin) {
        (Reading::Either { upc_e, .. }, Some(gtin)) if gtin == upc_e => Some("UPC"),
        (Reading::Either { gtin_8, .. }, Some(gtin)) if gtin == gtin_8 => Some("EAN"),
        _ => None,
    }
}
