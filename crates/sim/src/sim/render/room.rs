//! The room: floor, walls with doors at the ways in and out, ceiling with its panels of light.

use glam::{Vec2, Vec3};

use super::materials::Material;
use super::mesh::Mesh;
use super::style::Style;
use crate::geometry::{Floor, Point};
use crate::shop::Shop;
use crate::sim::doors::{self, DOOR_METRES, Gate};

/// Height of a ceiling that nobody told, metres.
const CEILING_METRES: f32 = 2.9;
/// Above every camera and every board there is at least this much, metres.
const HEADROOM_METRES: f32 = 0.12;
/// Height of doors, metres.
const DOOR_HEIGHT_METRES: f32 = 2.1;
/// Height of the band along the foot of walls, metres.
const DADO_METRES: f32 = 0.95;
/// Half the side of a panel of light, metres.
pub(super) const PANEL_HALF_METRES: f32 = 0.3;

/// The inside of a building.
pub(super) struct Room {
    /// Corners of the floor, counter-clockwise from above.
    pub(super) corners: Vec<Vec2>,
    pub(super) height: f32,
}

impl Room {
    /// The room that the shop tells, or a box around all that is in it.
    pub(super) fn of(shop: &Shop) -> Self {
        let mut corners: Vec<Vec2> = doors::walls(shop).into_iter().map(flat).collect();
        let doubled: f32 = (0..corners.len()).map(|at| corners[at].perp_dot(corners[(at + 1) % corners.len()])).sum();
        if doubled < 0.0 {
            corners.reverse();
        }
        let told = shop.room().map(|room| room.height_metres as f32);
        let boards = shop.shelves().iter().map(|shelf| shelf.placement.origin.z as f32 + 0.5);
        let cameras = shop.cameras().iter().map(|camera| camera.view.pose().position.z as f32);
        let least = boards.chain(cameras).fold(CEILING_METRES, |top, z| top.max(z + HEADROOM_METRES));
        Room { corners, height: told.unwrap_or(least) }
    }

    /// Lowest and highest corner of the box around it.
    pub(super) fn bounds(&self) -> (Vec3, Vec3) {
        let low = self.corners.iter().fold(Vec2::splat(f32::INFINITY), |low, corner| low.min(*corner));
        let high = self.corners.iter().fold(Vec2::splat(f32::NEG_INFINITY), |high, corner| high.max(*corner));
        (low.extend(0.0), high.extend(self.height))
    }

    fn contains(&self, at: Vec2) -> bool {
        let mut inside = false;
        for (index, &a) in self.corners.iter().enumerate() {
            let b = self.corners[(index + 1) % self.corners.len()];
            if (at.y < a.y) != (at.y < b.y) && at.x < a.x + (at.y - a.y) / (b.y - a.y) * (b.x - a.x) {
                inside = !inside;
            }
        }
        inside
    }

    /// Where panels of light hang.
    pub(super) fn panels(&self, pitch: f32) -> Vec<Vec3> {
        let (low, high) = self.bounds();
        let size = high - low;
        let count = [size.x, size.y].map(|side| (side / pitch).round().max(1.0) as usize);
        let place = |index: usize, axis: usize| low[axis] + size[axis] * (index as f32 + 0.5) / count[axis] as f32;
        let all =
            (0..count[0] * count[1]).map(|index| Vec2::new(place(index % count[0], 0), place(index / count[0], 1)));
        let inside: Vec<Vec3> = all.filter(|at| self.contains(*at)).map(|at| at.extend(self.height - 0.01)).collect();
        if inside.is_empty() { vec![((low + high) * 0.5).with_z(self.height - 0.01)] } else { inside }
    }

    /// Builds its surfaces.
    pub(super) fn build(&self, mesh: &mut Mesh, shop: &Shop, style: &Style, panels: &[Vec3]) {
        for level in [false, true] {
            self.plane(mesh, level, style);
        }
        for panel in panels {
            let corner = *panel + Vec3::new(-PANEL_HALF_METRES, PANEL_HALF_METRES, -0.012);
            let (right, up) = (Vec3::X * PANEL_HALF_METRES * 2.0, Vec3::NEG_Y * PANEL_HALF_METRES * 2.0);
            mesh.quad(corner, right, up, [0.0, 0.0, 1.0, 1.0], Vec3::ONE, Material::Lamp.paint());
        }
        let count = self.corners.len();
        for index in 0..count {
            self.wall(mesh, self.corners[index], self.corners[(index + 1) % count], style);
        }
        for gate in doors::gates(shop) {
            self.door(mesh, &gate);
        }
    }

    /// Floor or ceiling: ears of the polygon, with the texture laid by metres.
    fn plane(&self, mesh: &mut Mesh, above: bool, style: &Style) {
        let z = if above { self.height } else { 0.0 };
        let (tint, material) = if above { (style.ceiling, Material::Ceiling) } else { (Vec3::ONE, Material::Floor) };
        for triangle in ears(&self.corners) {
            let corners = triangle.map(|at| {
                let normal = if above { Vec3::NEG_Z } else { Vec3::Z };
                mesh.corner(at.extend(z), normal, at / material.metres(style), tint)
            });
            let [a, b, c] = corners;
            let corners = if above { [a, c, b] } else { [a, b, c] };
            mesh.faces.push(super::mesh::Face { corners, paint: material.paint() });
        }
    }

    /// A wall seen from inside, with a band along its foot and a skirting.
    fn wall(&self, mesh: &mut Mesh, from: Vec2, to: Vec2, style: &Style) {
        let along = (from - to).extend(0.0);
        let mut band = |low: f32, high: f32, tint: Vec3| {
            let uv = [0.0, 0.0, along.length() / 2.0, (high - low) / 2.0];
            mesh.quad(to.extend(low), along, Vec3::Z * (high - low), uv, tint, Material::Plaster.paint());
        };
        // Seen from inside, a counter-clockwise outline runs from the right to the left.
        band(0.0, 0.09, style.dado * 0.4);
        band(0.09, DADO_METRES, style.dado);
        band(DADO_METRES, self.height, style.wall);
    }

    /// A door, a little before its wall.
    fn door(&self, mesh: &mut Mesh, gate: &Gate) {
        let (at, inward) = (flat(gate.door), flat(gate.inward));
        let (half, height) = (DOOR_METRES as f32 / 2.0, DOOR_HEIGHT_METRES.min(self.height - 0.1));
        let right = inward.perp();
        let corner = |side: f32, z: f32, out: f32| (at + right * side + inward * out).extend(z);
        let frame = Vec3::splat(0.12);
        let along = right.extend(0.0);
        mesh.quad(
            corner(-half - 0.07, 0.0, 0.012),
            along * (half * 2.0 + 0.14),
            Vec3::Z * (height + 0.07),
            [0.0; 4],
            frame,
            Material::White.paint(),
        );
        let light = Vec3::new(0.75, 0.85, 0.95);
        mesh.quad(
            corner(-half, 0.02, 0.02),
            along * (half - 0.02),
            Vec3::Z * height,
            [0.0, 0.0, 1.0, 1.0],
            light,
            Material::Outside.paint(),
        );
        mesh.quad(
            corner(0.02, 0.02, 0.02),
            along * (half - 0.02),
            Vec3::Z * height,
            [0.0, 0.0, 1.0, 1.0],
            light,
            Material::Outside.paint(),
        );
        let sign = if gate.is_entrance { Material::SignIn } else { Material::SignOut };
        if height + 0.4 < self.height {
            mesh.quad(
                corner(-0.3, height + 0.12, 0.02),
                along * 0.6,
                Vec3::Z * 0.18,
                [0.0, 0.0, 1.0, 1.0],
                Vec3::ONE,
                sign.paint(),
            );
        }
    }
}

/// A point of the floor, or a way over it.
pub(super) fn flat(point: Point<Floor>) -> Vec2 {
    Vec2::new(point.x as f32, point.y as f32)
}

/// Cuts a counter-clockwise polygon into triangles by its ears (Meisters, 1975).
fn ears(polygon: &[Vec2]) -> Vec<[Vec2; 3]> {
    let mut left = polygon.to_vec();
    let mut triangles = Vec::new();
    while 3 < left.len() {
        let count = left.len();
        let ear = (0..count).find(|&index| {
            let [a, b, c] = [left[(index + count - 1) % count], left[index], left[(index + 1) % count]];
            let within = |p: Vec2| {
                let side = |from: Vec2, to: Vec2| (to - from).perp_dot(p - from);
                0.0 < side(a, b) && 0.0 < side(b, c) && 0.0 < side(c, a)
            };
            0.0 <= (b - a).perp_dot(c - b) && !left.iter().any(|p| within(*p))
        });
        // A polygon that crosses itself has no ears left; what remains is a fan.
        let index = ear.unwrap_or(1);
        triangles.push([left[(index + count - 1) % count], left[index], left[(index + 1) % count]]);
        left.remove(index);
    }
    if let [a, b, c] = left[..] {
        triangles.push([a, b, c]);
    }
    triangles
}
