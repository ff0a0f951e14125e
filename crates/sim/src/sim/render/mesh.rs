//! Surfaces of triangles, and the few forms from which everything is built.

use std::f32::consts::{FRAC_PI_2, TAU};

use glam::{Vec2, Vec3};

use super::lens::Vertex;
use crate::sim::figure::Axes;

/// Corners that share a texture, by number of a list that its owner keeps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Face {
    /// Counter-clockwise seen from outside.
    pub(super) corners: [u32; 3],
    /// Number of its paint.
    pub(super) paint: u16,
}

/// A surface.
#[derive(Clone, Default)]
pub(super) struct Mesh {
    pub(super) vertices: Vec<Vertex>,
    pub(super) faces: Vec<Face>,
}

/// Where something is and which way it looks, for drawing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pose {
    pub(super) at: Vec3,
    pub(super) right: Vec3,
    pub(super) forward: Vec3,
    pub(super) up: Vec3,
}

impl Pose {
    pub(super) fn of(axes: &Axes) -> Self {
        use super::lens::vec3;
        let (right, forward, up) = (vec3(axes.right), vec3(axes.forward), vec3(axes.up));
        Pose { at: vec3(axes.origin), right, forward, up }
    }

    /// A place given by steps to the right, forward and up, metres.
    pub(super) fn point(&self, right: f32, forward: f32, up: f32) -> Vec3 {
        self.at + self.way(right, forward, up)
    }

    pub(super) fn way(&self, right: f32, forward: f32, up: f32) -> Vec3 {
        self.right * right + self.forward * forward + self.up * up
    }

    pub(super) fn moved(&self, right: f32, forward: f32, up: f32) -> Self {
        Pose { at: self.point(right, forward, up), ..*self }
    }

    /// A pose at a point with its upright axis along `up` and its forward as near to `forward` as that allows.
    pub(super) fn along(at: Vec3, up: Vec3, forward: Vec3) -> Self {
        let up = up.normalize_or(Vec3::Z);
        let forward = (forward - up * forward.dot(up)).normalize_or(up.any_orthonormal_vector());
        Pose { at, right: forward.cross(up), forward, up }
    }
}

/// A cross-section of a loft: an oval about a pose, in the plane of its right and forward.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ring {
    pub(super) pose: Pose,
    /// Half its width, and how far it reaches forward and back, metres.
    pub(super) half: [f32; 3],
    /// 2 for an ellipse, more for a rounder box.
    pub(super) power: f32,
    /// Place along the texture, from the top.
    pub(super) v: f32,
    pub(super) tint: Vec3,
}

impl Ring {
    pub(super) fn round(pose: Pose, radius: f32, v: f32, tint: Vec3) -> Self {
        Ring { pose, half: [radius; 3], power: 2.0, v, tint }
    }

    pub(super) fn oval(pose: Pose, half: [f32; 3], v: f32, tint: Vec3) -> Self {
        Ring { pose, half, power: 2.0, v, tint }
    }

    /// A point of it; the angle runs from the right over the front to the left.
    fn point(&self, angle: f32) -> Vec3 {
        let (sin, cos) = angle.sin_cos();
        let swell = |value: f32| value.signum() * value.abs().powf(2.0 / self.power);
        let (x, y) = if self.power == 2.0 { (cos, sin) } else { (swell(cos), swell(sin)) };
        let depth = if 0.0 < sin { self.half[1] } else { self.half[2] };
        self.pose.point(x * self.half[0], y * depth, 0.0)
    }
}

impl Mesh {
    /// Adds a corner and tells its number.
    pub(super) fn corner(&mut self, at: Vec3, normal: Vec3, uv: Vec2, tint: Vec3) -> u32 {
        self.vertices.push(Vertex { at, normal, uv, tint });
        self.vertices.len() as u32 - 1
    }

    /// A flat four-cornered face: the corner at the lower left seen from outside, and the ways to the right and up.
    /// The texture's `[left, top, right, bottom]` fills it.
    pub(super) fn quad(&mut self, corner: Vec3, right: Vec3, up: Vec3, uv: [f32; 4], tint: Vec3, paint: u16) {
        let normal = right.cross(up).normalize_or(Vec3::Z);
        let [left, top, far, bottom] = uv;
        let a = self.corner(corner, normal, Vec2::new(left, bottom), tint);
        let b = self.corner(corner + right, normal, Vec2::new(far, bottom), tint);
        let c = self.corner(corner + right + up, normal, Vec2::new(far, top), tint);
        let d = self.corner(corner + up, normal, Vec2::new(left, top), tint);
        self.faces.push(Face { corners: [a, b, c], paint });
        self.faces.push(Face { corners: [a, c, d], paint });
    }

    /// An upright block on a pose: its half width, its reach back and forward, its height; every face has the
    /// texture repeated each metre.
    pub(super) fn block(&mut self, pose: Pose, half_width: f32, depth: [f32; 2], height: f32, tint: Vec3, paint: u16) {
        let (w, d) = (half_width * 2.0, depth[1] - depth[0]);
        let at = |x: f32, y: f32, z: f32| pose.point(x * half_width, depth[usize::from(0.0 < y)], z * height);
        let (right, forward, up) = (pose.right * w, pose.forward * d, pose.up * height);
        let mut side = |corner: Vec3, along: Vec3, rise: Vec3| {
            let uv = [0.0, 0.0, along.length(), rise.length()];
            self.quad(corner, along, rise, uv, tint, paint);
        };
        side(at(-1.0, -1.0, 0.0), right, up);
        side(at(1.0, 1.0, 0.0), -right, up);
        side(at(1.0, -1.0, 0.0), forward, up);
        side(at(-1.0, 1.0, 0.0), -forward, up);
        side(at(-1.0, -1.0, 1.0), right, forward);
        side(at(-1.0, 1.0, 0.0), right, -forward);
    }

    /// A skin over rings that follow one another along their upright axes, closed at the ends where wanted. The
    /// texture goes around from the back over the right side; its middle is in front.
    pub(super) fn loft(&mut self, rings: &[Ring], sides: usize, ends: [bool; 2], paint: u16) {
        let first = self.vertices.len() as u32;
        let around = sides as u32 + 1;
        let angle = |side: usize| side as f32 / sides as f32 * TAU - FRAC_PI_2;
        let skin: Vec<Vec<Vec3>> =
            rings.iter().map(|ring| (0..=sides).map(|side| ring.point(angle(side))).collect()).collect();
        for (index, ring) in rings.iter().enumerate() {
            let (below, above) = (index.saturating_sub(1), (index + 1).min(rings.len() - 1));
            for side in 0..=sides {
                let (before, after) = ((side + sides - 1) % sides, (side + 1) % sides);
                let around = skin[index][after] - skin[index][before];
                let along = skin[above][side] - skin[below][side];
                let outward = skin[index][side] - ring.pose.at;
                let normal = around.cross(along).try_normalize().unwrap_or_else(|| outward.normalize_or(ring.pose.up));
                self.corner(skin[index][side], normal, Vec2::new(side as f32 / sides as f32, ring.v), ring.tint);
            }
        }
        for index in 0..rings.len() as u32 - 1 {
            for side in 0..sides as u32 {
                let a = first + index * around + side;
                let (b, c, d) = (a + 1, a + around + 1, a + around);
                self.faces.push(Face { corners: [a, b, c], paint });
                self.faces.push(Face { corners: [a, c, d], paint });
            }
        }
        for (end, closed) in ends.into_iter().enumerate() {
            if closed {
                self.close(
                    &rings[end * (rings.len() - 1)],
                    first + end as u32 * (rings.len() as u32 - 1) * around,
                    sides,
                    end == 1,
                    paint,
                );
            }
        }
    }

    /// A flat lid on a ring whose corners begin at `first`.
    fn close(&mut self, ring: &Ring, first: u32, sides: usize, above: bool, paint: u16) {
        let normal = if above { ring.pose.up } else { -ring.pose.up };
        let middle = self.corner(ring.pose.at, normal, Vec2::new(0.5, ring.v), ring.tint);
        let start = self.vertices.len() as u32;
        for side in 0..=sides {
            let rim = self.vertices[first as usize + side];
            self.vertices.push(Vertex { normal, ..rim });
        }
        for side in 0..sides as u32 {
            let (a, b) = (start + side, start + side + 1);
            let corners = if above { [middle, a, b] } else { [middle, b, a] };
            self.faces.push(Face { corners, paint });
        }
    }

    /// An egg about a pose with half its width, reach forward and back, and half its height; `bend` moves and sizes
    /// each of its levels, from -1 at the bottom to 1 on top.
    pub(super) fn egg(&mut self, pose: Pose, half: [f32; 4], levels: usize, sides: usize, tint: Vec3, paint: u16) {
        let ring = |level: usize| {
            let rise = -(level as f32 / levels as f32 * std::f32::consts::PI).cos();
            let size = (1.0 - rise * rise).max(0.0).sqrt().max(1e-3);
            let pose = pose.moved(0.0, 0.0, rise * half[3]);
            Ring::oval(pose, [half[0] * size, half[1] * size, half[2] * size], 0.5 - 0.5 * rise, tint)
        };
        let rings: Vec<Ring> = (0..=levels).map(ring).collect();
        self.loft(&rings, sides, [false, false], paint);
    }

    /// Turns what was added since there were so many corners and faces so that it is seen from inside.
    pub(super) fn turn_inside_out(&mut self, vertices: usize, faces: usize) {
        self.vertices[vertices..].iter_mut().for_each(|vertex| vertex.normal = -vertex.normal);
        self.faces[faces..].iter_mut().for_each(|face| face.corners.swap(1, 2));
    }

    /// A straight tube with round ends between two points.
    pub(super) fn capsule(&mut self, ends: [(Vec3, f32); 2], sides: usize, tint: Vec3, paint: u16) {
        let [(from, thick), (to, thin)] = ends;
        let axis = (to - from).normalize_or(Vec3::Z);
        let hint = axis.any_orthonormal_vector();
        let ring = |at: Vec3, radius: f32, v: f32| Ring::round(Pose::along(at, axis, hint), radius, v, tint);
        let rings = [
            ring(from - axis * thick, thick * 0.05, 1.0),
            ring(from - axis * thick * 0.6, thick * 0.8, 0.95),
            ring(from, thick, 0.9),
            ring(to, thin, 0.1),
            ring(to + axis * thin * 0.6, thin * 0.8, 0.05),
            ring(to + axis * thin, thin * 0.05, 0.0),
        ];
        self.loft(&rings, sides, [false, false], paint);
    }
}
