//! Gondolas from their shelves, and gates at the ways in and out.

use std::collections::BTreeMap;

use glam::Vec3;

use super::lens::vec3;
use super::light::Blocker;
use super::materials::Material;
use super::mesh::{Mesh, Pose};
use super::room::flat;
use super::style::Style;
use crate::geometry::{Local, Placement, Point};
use crate::shop::{Shelf, Shop};
use crate::sim::doors::{self, FLAP_METRES, POST_METRES};

/// Thickness of boards and of side and back panels, metres.
const BOARD_METRES: f32 = 0.028;
const PANEL_METRES: f32 = 0.025;
/// The gap between two plates and how high they stand out of the board, metres.
const GAP_METRES: f32 = 0.004;
const PLATE_METRES: f32 = 0.006;
/// Height of a price rail and how far it stands off, metres.
const RAIL_METRES: (f32, f32) = (0.034, 0.012);
/// How far sides reach above the highest board at most, metres.
const CROWN_METRES: f32 = 0.4;
/// Height of a post of a gate, metres.
const POST_HEIGHT_METRES: f32 = 0.98;

/// The frame of a piece of furniture.
fn pose(placement: &Placement) -> Pose {
    let (sin, cos) = (placement.turn_radians as f32).sin_cos();
    Pose {
        at: vec3(placement.origin),
        right: Vec3::new(cos, sin, 0.0),
        forward: Vec3::new(-sin, cos, 0.0),
        up: Vec3::Z,
    }
}

/// A block given by its corners in a frame.
fn slab(mesh: &mut Mesh, frame: &Pose, low: Vec3, high: Vec3, tint: Vec3, material: Material) -> Blocker {
    let middle = frame.moved((low.x + high.x) / 2.0, (low.y + high.y) / 2.0, low.z);
    let (half_width, half_depth, height) = ((high.x - low.x) / 2.0, (high.y - low.y) / 2.0, high.z - low.z);
    mesh.block(middle, half_width, [-half_depth, half_depth], height, tint, material.paint());
    Blocker { pose: middle, half_width, half_depth, height }
}

/// Builds every gondola and tells what casts shade.
pub(super) fn gondolas(mesh: &mut Mesh, shop: &Shop, style: &Style) -> Vec<Blocker> {
    let mut groups: BTreeMap<u16, Vec<&Shelf>> = BTreeMap::new();
    for shelf in shop.shelves() {
        groups.entry(shelf.id.gondola).or_default().push(shelf);
    }
    groups.values().flat_map(|shelves| gondola(mesh, shelves, style)).collect()
}

fn gondola(mesh: &mut Mesh, shelves: &[&Shelf], style: &Style) -> Vec<Blocker> {
    let mut blockers = Vec::new();
    let Some(lowest) = shelves.iter().min_by(|a, b| a.placement.origin.z.total_cmp(&b.placement.origin.z)) else {
        return blockers;
    };
    let frame = pose(&lowest.placement);
    let (mut low, mut high) = (Vec3::splat(f32::INFINITY), Vec3::splat(f32::NEG_INFINITY));
    for shelf in shelves {
        let local: Point<Local> = lowest.placement.local_from_world(shelf.placement.origin);
        let origin = Vec3::new(local.x as f32, local.y as f32, local.z as f32);
        let (left, right) = shelf.extent_metres();
        let (left, right) = (left as f32, right as f32);
        let clearance = (shelf.clearance_metres as f32).min(CROWN_METRES);
        low = low.min(origin + Vec3::X * left);
        high = high.max(origin + Vec3::new(right, shelf.depth_metres as f32, clearance));
        blockers.push(board(mesh, shelf, style));
    }
    let floor = -frame.at.z;
    low.z = floor;
    let back = [Vec3::new(low.x, high.y, low.z), Vec3::new(high.x, high.y + PANEL_METRES, high.z)];
    blockers.push(slab(mesh, &frame, back[0], back[1], style.rack, Material::Back));
    for (inner, outer) in [(low.x, low.x - PANEL_METRES), (high.x, high.x + PANEL_METRES)] {
        let from = Vec3::new(inner.min(outer), low.y, low.z);
        let to = Vec3::new(inner.max(outer), high.y + PANEL_METRES, high.z + 0.01);
        blockers.push(slab(mesh, &frame, from, to, style.rack, Material::White));
    }
    // The base stands a little behind the lowest board, as for the toes of shoppers.
    let base = [Vec3::new(low.x, low.y + 0.05, low.z), Vec3::new(high.x, high.y, -BOARD_METRES - 0.002)];
    if base[0].z < base[1].z {
        blockers.push(slab(mesh, &frame, base[0], base[1], style.rack * 0.45, Material::White));
    }
    blockers
}

/// A board, its plates and its price rail.
fn board(mesh: &mut Mesh, shelf: &Shelf, style: &Style) -> Blocker {
    let frame = pose(&shelf.placement);
    let (left, right) = shelf.extent_metres();
    let (left, right) = (left as f32, right as f32);
    let depth = shelf.depth_metres as f32;
    let (low, high) = (Vec3::new(left, 0.0, -BOARD_METRES), Vec3::new(right, depth, -PLATE_METRES));
    let mut blocker = slab(mesh, &frame, low, high, style.board * 0.5, Material::Board);
    blocker.height = BOARD_METRES - 0.002;
    for plate in &shelf.plates {
        let from = plate.left_metres as f32 + GAP_METRES / 2.0;
        let width = plate.width_metres as f32 - GAP_METRES;
        let corner = frame.point(from, 0.002, 0.0);
        let uv = [from, 0.0, from + width, depth];
        mesh.quad(
            corner,
            frame.right * width,
            frame.forward * (depth - 0.004),
            uv,
            style.board,
            Material::Board.paint(),
        );
    }
    let (height, off) = RAIL_METRES;
    let lip = [Vec3::new(left, -off, -height + 0.004), Vec3::new(right, 0.0, 0.004)];
    slab(mesh, &frame, lip[0], lip[1], style.board * 0.8, Material::White);
    let corner = frame.point(left, -off - 0.002, -height + 0.005);
    let start = shelf.id.shelf as f32 * 0.37 + shelf.id.gondola as f32 * 0.61;
    let uv = [start, 0.0, start + right - left, 1.0];
    mesh.quad(corner, frame.right * (right - left), Vec3::Z * (height - 0.002), uv, Vec3::ONE, Material::Rail.paint());
    blocker
}

/// Gates at every way in and out: posts go into `mesh`, flaps of glass into `glass`.
pub(super) fn gates(mesh: &mut Mesh, glass: &mut Mesh, shop: &Shop, style: &Style) -> Vec<Blocker> {
    let [w, d] = POST_METRES.map(|half| half as f32);
    let h = POST_HEIGHT_METRES;
    let mut blockers = Vec::new();
    for gate in doors::gates(shop) {
        let lamp = if gate.is_entrance { Vec3::new(0.05, 0.7, 0.2) } else { Vec3::new(0.1, 0.35, 0.8) };
        let [right, forward] = [gate.right(), gate.inward].map(|way| flat(way).extend(0.0));
        // The flap is on the side of the lane.
        for (at, inner) in gate.posts().into_iter().zip([w, -w]) {
            let frame = Pose { at: flat(at).extend(0.0), right, forward, up: Vec3::Z };
            blockers.push(slab(mesh, &frame, Vec3::new(-w, -d, 0.0), Vec3::new(w, d, h), style.gate, Material::Metal));
            let top = frame.point(-w * 0.7, -d * 0.8, h + 0.002);
            mesh.quad(
                top,
                frame.right * w * 1.4,
                frame.forward * d * 1.6,
                [0.0; 4],
                Vec3::splat(0.03),
                Material::White.paint(),
            );
            let mark = frame.point(-w * 0.4, -d * 0.6, h + 0.004);
            mesh.quad(mark, frame.right * w * 0.8, frame.forward * w * 1.6, [0.0; 4], lamp, Material::White.paint());
            // The flap is open: it stands along the way, seen from both sides.
            let flap = frame.point(inner, d, 0.25);
            let (along, up) = (frame.forward * FLAP_METRES as f32, Vec3::Z * 0.62);
            glass.quad(flap, along, up, [0.0; 4], Vec3::ONE, Material::Glass.paint());
            glass.quad(flap + along, -along, up, [0.0; 4], Vec3::ONE, Material::Glass.paint());
        }
    }
    blockers
}
