//! Pictures of goods alone, as a catalogue has them: evenly lit before a plain ground, from all sides.

use glam::{Vec2, Vec3};

use super::artwork::Artwork;
use super::package::package_mesh;
use super::raster::{Corner, Ink, Layer, unpack};
use super::sensor::Sensor;
use super::studio::OFFSETS;
use super::style::SensorStyle;
use super::texture::Texture;
use crate::image::RgbImage;
use crate::shop::{Package, Product};

/// Views of a package: what they are called, how far it is turned to its left, and how far from above it is seen, degrees.
pub(in crate::sim) const VIEWS: [(&str, f32, f32); 10] = [
    ("front", 0.0, 12.0),
    ("front-left", 45.0, 12.0),
    ("left", 90.0, 12.0),
    ("back", 180.0, 12.0),
    ("right", 270.0, 12.0),
    ("front-right", 315.0, 12.0),
    ("above-front", 0.0, 50.0),
    ("above-left", 120.0, 50.0),
    ("above-right", 240.0, 50.0),
    ("above-back", 180.0, 50.0),
];
/// Part of the picture's side that a package fills.
const FILLED: f32 = 0.92;
/// From the eye to the middle of the package, in its radii.
const DISTANCE_RADII: f32 = 7.0;
/// Light of the ground.
const GROUND: f32 = 0.82;
/// Light from everywhere, and from a lamp beside the camera and above it.
const AMBIENT: f32 = 0.5;
const LAMP: f32 = 0.5;
/// A camera without faults.
const SENSOR: SensorStyle = SensorStyle {
    exposure: 1.0,
    balance: [1.0, 1.0],
    vignette: 0.0,
    shot_noise: 0.0,
    read_noise: 0.0,
    blur: 0.0,
    contrast: 1.0,
    saturation: 1.0,
};

/// Where a package is seen from.
struct View {
    eye: Vec3,
    right: Vec3,
    up: Vec3,
    ahead: Vec3,
    lamp: Vec3,
}

impl View {
    fn new(turn_degrees: f32, above_degrees: f32, middle: Vec3, radius: f32) -> Self {
        let ((sin, cos), (rise, level)) = (turn_degrees.to_radians().sin_cos(), above_degrees.to_radians().sin_cos());
        let towards = Vec3::new(sin * level, -cos * level, rise);
        let right = Vec3::new(cos, sin, 0.0);
        let up = right.cross(-towards);
        let lamp = (towards + up * 0.7 - right * 0.3).normalize_or(towards);
        View { eye: middle + towards * radius * DISTANCE_RADII, right, up, ahead: -towards, lamp }
    }

    /// Where a point falls, the picture's y downwards, and 1 / depth.
    fn see(&self, at: Vec3) -> (Vec2, f32) {
        let way = at - self.eye;
        let nearness = 1.0 / way.dot(self.ahead).max(1e-3);
        (Vec2::new(way.dot(self.right), -way.dot(self.up)) * nearness, nearness)
    }
}

/// A product from all sides, in the order of [`VIEWS`]: square pictures of this side, pixels. The ground is of one colour.
pub(in crate::sim) fn portraits(product: &Product, package: &Package, side: usize) -> Vec<RgbImage> {
    let artwork = Artwork::of(product, package);
    let mesh = package_mesh(package, &artwork);
    let [width, depth, height] = package.size_metres.map(|side| side as f32);
    let (middle, radius) = (Vec3::Z * height / 2.0, Vec3::new(width, depth, height).length() / 2.0);
    let textures = [artwork.skin, Texture::plain(Vec3::ONE)];
    let portrait = |(_, turn, above): (&str, f32, f32)| {
        let view = View::new(turn, above, middle, radius);
        let corner = |vertex: &super::lens::Vertex| {
            let (at, nearness) = view.see(vertex.at);
            let light = AMBIENT + LAMP * vertex.normal.dot(view.lamp).max(0.0);
            Corner { at, nearness, uv: vertex.uv, light: vertex.tint * light, shine: 0.0 }
        };
        let mut corners: Vec<Corner> = mesh.vertices.iter().map(corner).collect();
        fill(&mut corners, side as f32);
        let faces = mesh.faces.iter().map(|face| (face.corners.map(|corner| corner as usize), usize::from(face.paint)));
        let mut light = vec![Vec3::ZERO; side * side];
        for offset in OFFSETS {
            let mut layer = ground(side, offset);
            for ([a, b, c], paint) in faces.clone() {
                layer.triangle([&corners[a], &corners[b], &corners[c]], &textures[paint], Ink::Solid);
            }
            for (sum, packed) in light.iter_mut().zip(layer.colours()) {
                *sum += unpack(*packed) / OFFSETS.len() as f32;
            }
        }
        Sensor::new(SENSOR).develop(&mut light, [side, side], 1.0, 0)
    };
    VIEWS.into_iter().map(portrait).collect()
}

/// Moves and scales corners so that they fill a square picture.
fn fill(corners: &mut [Corner], side: f32) {
    let (low, high) = corners
        .iter()
        .fold((Vec2::INFINITY, Vec2::NEG_INFINITY), |(low, high), corner| (low.min(corner.at), high.max(corner.at)));
    let scale = side * FILLED / (high - low).max_element().max(1e-6);
    for corner in corners {
        corner.at = (corner.at - (low + high) * 0.5) * scale + Vec2::splat(side / 2.0);
    }
}

/// The ground behind everything.
fn ground(side: usize, offset: Vec2) -> Layer {
    let (mut layer, far) = (Layer::new(side, side, offset), side as f32 + 1.0);
    let corner = |x: f32, y: f32| Corner {
        at: Vec2::new(x, y),
        nearness: 1e-4,
        light: Vec3::splat(GROUND),
        ..Corner::default()
    };
    let [a, b, c, d] = [corner(-1.0, -1.0), corner(-1.0, far), corner(far, far), corner(far, -1.0)];
    let paper = Texture::plain(Vec3::ONE);
    layer.triangle([&a, &b, &c], &paper, Ink::Solid);
    layer.triangle([&a, &c, &d], &paper, Ink::Solid);
    layer
}
