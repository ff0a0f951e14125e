//! Packages as surfaces: cartons, bottles, cans and bags, standing on the middle of their bottom.

use glam::Vec3;

use super::artwork::Artwork;
use super::mesh::{Mesh, Pose, Ring};
use crate::shop::{Package, PackageShape};

/// Paints of a package's mesh: its printed skin, and plain.
pub(super) const SKIN: u16 = 0;
pub(super) const PLAIN: u16 = 1;

/// Sides of round packages.
const SIDES: usize = 14;

/// The surface of a package at the origin: its front looks along -y.
pub(super) fn package_mesh(package: &Package, artwork: &Artwork) -> Mesh {
    let size = package.size_metres.map(|side| side as f32);
    let mut mesh = Mesh::default();
    match package.shape {
        PackageShape::Box => carton(&mut mesh, size),
        PackageShape::Bottle => bottle(&mut mesh, size, artwork),
        PackageShape::Can => can(&mut mesh, size, artwork),
        PackageShape::Bag => bag(&mut mesh, size),
    }
    mesh
}

/// The upright pose at the origin that looks at the shopper.
fn upright(height: f32) -> Pose {
    Pose { at: Vec3::Z * height, right: Vec3::NEG_X, forward: Vec3::NEG_Y, up: Vec3::Z }
}

fn carton(mesh: &mut Mesh, [w, d, h]: [f32; 3]) {
    let around = 2.0 * (w + d);
    let (half, side) = (w / around / 2.0, d / around);
    let up = Vec3::Z * h;
    let corner = |x: f32, y: f32| Vec3::new(x * w / 2.0, y * d / 2.0, 0.0);
    let white = Vec3::ONE;
    let (x, y) = (Vec3::X * w, Vec3::Y * d);
    mesh.quad(corner(-1.0, -1.0), x, up, [0.5 - half, 0.0, 0.5 + half, 1.0], white, SKIN);
    mesh.quad(corner(1.0, -1.0), y, up, [0.5 + half, 0.0, 0.5 + half + side, 1.0], white, SKIN);
    mesh.quad(corner(1.0, 1.0), -x, up, [1.0 - half, 0.0, 1.0 + half, 1.0], white * 0.92, SKIN);
    mesh.quad(corner(-1.0, 1.0), -y, up, [half, 0.0, half + side, 1.0], white, SKIN);
    mesh.quad(corner(-1.0, -1.0) + up, x, y, [0.5 - half, 0.0, 0.5 + half, 0.12], white, SKIN);
}

fn ring(height: f32, [w, d]: [f32; 2], share: f32, v: f32, tint: Vec3) -> Ring {
    Ring::oval(upright(height), [w / 2.0 * share, d / 2.0 * share, d / 2.0 * share], v, tint)
}

fn bottle(mesh: &mut Mesh, [w, d, h]: [f32; 3], artwork: &Artwork) {
    let white = Vec3::ONE;
    // The neck keeps its width whatever the bottle holds.
    let neck = (0.015 / (w.min(d) / 2.0)).clamp(0.28, 0.55);
    let profile = [
        (0.0, 0.86, 0.5),
        (0.015, 0.97, 1.0),
        (0.12, 1.0, 1.0),
        (0.6, 1.0, 1.0),
        (0.68, 0.96, 0.9),
        (0.76, 0.76, 0.95),
        (0.83, neck + 0.12, 1.0),
        (0.88, neck, 1.0),
        (0.915, neck, 0.8),
    ];
    let rings: Vec<Ring> =
        profile.iter().map(|&(at, share, tint)| ring(at * h, [w, d], share, 1.0 - at, white * tint)).collect();
    mesh.loft(&rings, SIDES, [false, false], SKIN);
    let cap = neck + 0.08;
    let rings =
        [(0.91, cap), (0.985, cap), (1.0, cap * 0.9)].map(|(at, share)| ring(at * h, [w, d], share, 0.0, artwork.cap));
    mesh.loft(&rings, SIDES, [false, true], PLAIN);
}

fn can(mesh: &mut Mesh, [w, d, h]: [f32; 3], artwork: &Artwork) {
    let white = Vec3::ONE;
    let squat = h < 1.25 * w.max(d);
    let profile: &[(f32, f32)] = match squat {
        // A tub or jar: wider towards its lid.
        true => &[(0.0, 0.9), (0.02, 0.93), (0.84, 0.98)],
        false => &[(0.0, 0.84), (0.035, 0.97), (0.06, 1.0), (0.92, 1.0), (0.965, 0.88), (1.0, 0.86)],
    };
    let rings: Vec<Ring> = profile.iter().map(|&(at, share)| ring(at * h, [w, d], share, 1.0 - at, white)).collect();
    mesh.loft(&rings, SIDES, [false, false], SKIN);
    let lid = match squat {
        true => [(0.83, 1.0, artwork.cap), (0.98, 1.0, artwork.cap), (1.0, 0.96, artwork.cap)],
        false => {
            let metal = Vec3::splat(0.5);
            [(1.0, 0.86, metal), (1.0, 0.8, metal), (0.985, 0.78, metal * 0.7)]
        }
    };
    let rings = lid.map(|(at, share, tint)| ring(at * h, [w, d], share, 0.0, tint));
    mesh.loft(&rings, SIDES, [false, true], PLAIN);
}

fn bag(mesh: &mut Mesh, [w, d, h]: [f32; 3]) {
    let thin = 0.05;
    let profile = [
        (0.0, 0.97, thin, 3.0),
        (0.05, 0.99, thin, 3.0),
        (0.11, 0.97, 0.55, 2.8),
        (0.25, 0.96, 0.93, 2.4),
        (0.42, 0.95, 1.0, 2.3),
        (0.62, 0.95, 0.95, 2.3),
        (0.8, 0.96, 0.72, 2.5),
        (0.91, 0.98, 0.35, 2.8),
        (0.95, 1.0, thin, 3.0),
        (1.0, 0.98, thin, 3.0),
    ];
    let rings = profile.map(|(at, wide, deep, power)| Ring {
        pose: upright(at * h),
        half: [w / 2.0 * wide, d / 2.0 * deep, d / 2.0 * deep],
        power,
        v: 1.0 - at,
        tint: Vec3::ONE,
    });
    mesh.loft(&rings, 18, [true, true], SKIN);
}
