//! From tables to what is seen of a shop: its room, its cameras, the packages of its goods.

use super::fields::{Fields, Findings};
use super::node::{Node, Value};
use crate::geometry::{CameraPose, Lens, Point};
use crate::shop::{CameraDraft, Package, PackageShape, RoomDraft};

/// Frames a second where no rate is given.
const RATE_HERTZ: f64 = 10.0;

/// Reads the keys of a cameras file: a list of cameras, in JSON also without the table around it.
pub(super) fn cameras_file(root: &Node, findings: &Findings) -> Vec<CameraDraft> {
    if let Value::List(items) = &root.value {
        return cameras(items, findings);
    }
    let mut fields = Fields::new(root, "cameras", findings);
    let cameras = cameras(fields.list("camera"), findings);
    fields.finish();
    cameras
}

pub(super) fn cameras(nodes: &[Node], findings: &Findings) -> Vec<CameraDraft> {
    nodes.iter().enumerate().filter_map(|(index, node)| camera(index, node, findings)).collect()
}

fn camera(index: usize, node: &Node, findings: &Findings) -> Option<CameraDraft> {
    let mut fields = Fields::new(node, format!("camera {}", index + 1), findings);
    let name = fields.text("name");
    let name = fields.required("name", name);
    if let Some(name) = &name {
        fields.item = format!("camera {name}");
    }
    let size = fields.numbers::<2>("size_pixels");
    let size = fields.required("size_pixels", size).and_then(|size| whole_pixels(size, &fields));
    let rate_hertz = fields.number("rate_hertz").unwrap_or(RATE_HERTZ);
    let focal = fields.numbers("focal_pixels");
    let focal = fields.required("focal_pixels", focal);
    let centre = fields.numbers("centre_pixels");
    let distortion = fields.numbers("distortion").unwrap_or_default();
    let pose = pose(&mut fields);
    let line = Some(fields.line);
    fields.finish();
    let size_pixels = size?;
    let centre_pixels = centre.unwrap_or_else(|| size_pixels.map(|side| f64::from(side) / 2.0));
    let lens = Lens { focal_pixels: focal?, centre_pixels, distortion };
    Some(CameraDraft { name: name?, size_pixels, rate_hertz, lens, pose: pose?, line })
}

fn whole_pixels(size: [f64; 2], fields: &Fields<'_>) -> Option<[u32; 2]> {
    let whole = size.iter().all(|side| side.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(side));
    if !whole {
        fields.say("size_pixels must be two whole numbers, width and height");
    }
    whole.then(|| size.map(|side| side as u32))
}

/// Where a camera hangs: its position with a Rodrigues vector, or with a point that it looks at.
fn pose(fields: &mut Fields<'_>) -> Option<CameraPose> {
    let position = fields.numbers("position_metres");
    let position = fields.required("position_metres", position).map(point);
    let rotation = fields.numbers("rotation_vector");
    let target = fields.numbers("look_at_metres").map(point);
    let roll = fields.number("roll_degrees");
    match (fields.has("rotation_vector"), fields.has("look_at_metres")) {
        (true, true) => fields.say("rotation_vector and look_at_metres both stand here; write one"),
        (false, false) => fields.say("rotation_vector or look_at_metres is missing"),
        (true, false) if roll.is_some() => {
            fields.say("roll_degrees belongs to look_at_metres; a rotation_vector says it all");
        }
        _ => {}
    }
    if position.is_some() && position == target {
        fields.say("look_at_metres is where the camera itself is");
    }
    let (position, roll) = (position?, roll.unwrap_or(0.0).to_radians());
    match (rotation, target) {
        (Some(rotation), _) => Some(CameraPose { position, rotation }),
        (None, target) => Some(CameraPose::look_at(position, target?, roll)),
    }
}

fn point<S: crate::geometry::Space>([x, y, z]: [f64; 3]) -> Point<S> {
    Point::new(x, y, z)
}

pub(super) fn room(node: &Node, findings: &Findings) -> Option<RoomDraft> {
    let mut fields = Fields::new(node, "room", findings);
    let polygon = fields.polygon();
    let height = fields.number("height_metres");
    let height = fields.required("height_metres", height);
    let line = Some(fields.line);
    fields.finish();
    Some(RoomDraft { polygon: polygon?, height_metres: height?, line })
}

/// What a product is packed in; `item` is how sentences call the product.
pub(super) fn package(node: &Node, item: &str, findings: &Findings) -> Option<Package> {
    let mut fields = Fields::new(node, format!("{item}, package"), findings);
    let shape = fields.text("shape");
    let shape = fields.required("shape", shape).and_then(|shape| match shape.as_str() {
        "box" => Some(PackageShape::Box),
        "bottle" => Some(PackageShape::Bottle),
        "can" => Some(PackageShape::Can),
        "bag" => Some(PackageShape::Bag),
        _ => {
            fields.say(format!("shape is `{shape}`; it must be box, bottle, can or bag"));
            None
        }
    });
    let size = fields.numbers("size_metres");
    let size = fields.required("size_metres", size);
    fields.finish();
    Some(Package { shape: shape?, size_metres: size? })
}
