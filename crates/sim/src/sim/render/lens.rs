//! Where things fall in the picture of one camera, and surfaces cut small enough that straight edges stay true.

use glam::{Vec2, Vec3};

use super::raster::Corner;
use crate::geometry::{Camera, Point, World};

/// How far the picture of an edge may lie from the straight line between its ends, pixels.
const BEND_PIXELS_MAX: f32 = 0.15;
/// Edges are cut at this length, so that light is worked out often enough, metres, where they are longer than a few
/// pixels.
const EDGE_METRES_MAX: f32 = 0.22;
const EDGE_PIXELS_MIN: f32 = 5.0;
/// Where one end of an edge is seen and the other is not, it is cut down to this, metres.
const RIM_METRES: f32 = 0.03;
/// Shorter edges are not cut for their bend, metres.
const BENT_METRES_MIN: f32 = 0.01;
/// Cuts of one triangle within another at most.
const DEPTH_MAX: u32 = 14;

/// A corner of a surface in the world, with whatever else is linear along it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Vertex {
    pub(super) at: Vec3,
    /// Unit vector outwards.
    pub(super) normal: Vec3,
    /// Place in the texture.
    pub(super) uv: Vec2,
    /// What the texture is multiplied with: a colour, or how much light comes there.
    pub(super) tint: Vec3,
}

impl Vertex {
    fn middle(self, other: Vertex) -> Vertex {
        Vertex {
            at: (self.at + other.at) * 0.5,
            normal: (self.normal + other.normal).normalize_or(self.normal),
            uv: (self.uv + other.uv) * 0.5,
            tint: (self.tint + other.tint) * 0.5,
        }
    }
}

/// A camera with the size of its picture.
#[derive(Clone)]
pub(super) struct Eye {
    pub(super) camera: Camera,
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) at: Vec3,
}

pub(super) fn vec3(point: Point<World>) -> Vec3 {
    Vec3::new(point.x as f32, point.y as f32, point.z as f32)
}

pub(super) fn world(at: Vec3) -> Point<World> {
    Point::new(f64::from(at.x), f64::from(at.y), f64::from(at.z))
}

impl Eye {
    pub(super) fn new(camera: &crate::shop::Camera) -> Self {
        let [width, height] = camera.size_pixels.map(|side| side as usize);
        Eye { camera: camera.view, width, height, at: vec3(camera.view.pose().position) }
    }

    /// Pixel and 1 / depth of a point; nearness 0 where the lens does not see it.
    #[inline]
    pub(super) fn see(&self, at: Vec3) -> (Vec2, f32) {
        let view = self.camera.view_from_world(world(at));
        match self.camera.pixel_from_view(view) {
            Some(pixel) => (Vec2::new(pixel.x as f32, pixel.y as f32), (1.0 / view.z) as f32),
            None => (Vec2::ZERO, 0.0),
        }
    }

    /// Whether a ball may be in the picture.
    pub(super) fn may_see(&self, centre: Vec3, radius: f32) -> bool {
        let view = self.camera.view_from_world(world(centre));
        let (pixel, nearness) = self.see(centre);
        if (view.z as f32) < -radius {
            return false;
        }
        if nearness <= 0.0 || (view.z as f32) < radius * 2.0 {
            return true;
        }
        // A lens stretches less than twice towards its rim.
        let margin =
            2.0 * radius * nearness * self.camera.lens().focal_pixels[0].max(self.camera.lens().focal_pixels[1]) as f32;
        -margin < pixel.x
            && pixel.x < self.width as f32 + margin
            && -margin < pixel.y
            && pixel.y < self.height as f32 + margin
    }

    /// A corner without light.
    pub(super) fn corner(&self, vertex: &Vertex) -> Corner {
        let (at, nearness) = self.see(vertex.at);
        Corner { at, nearness, uv: vertex.uv, light: vertex.tint, shine: 0.0 }
    }

    /// Cuts a triangle until every edge is straight in the picture, seen whole or not at all, and short enough for
    /// light; what lies outside is left out. Cuts follow from edges alone, so that neighbours stay joined.
    pub(super) fn cut(&self, triangle: [Vertex; 3], give: &mut impl FnMut([(Vertex, Corner); 3])) {
        self.cut_seen(triangle.map(|vertex| (vertex, self.corner(&vertex))), DEPTH_MAX, give);
    }

    fn cut_seen(&self, t: [(Vertex, Corner); 3], depth: u32, give: &mut impl FnMut([(Vertex, Corner); 3])) {
        if self.is_outside(&t) {
            return;
        }
        let middle = |a: usize, b: usize| (0 < depth).then(|| self.middle_of(&t[a], &t[b])).flatten();
        let cuts = [middle(0, 1), middle(1, 2), middle(2, 0)];
        let mut go = |triangle: [(Vertex, Corner); 3]| self.cut_seen(triangle, depth - 1, give);
        match cuts {
            [None, None, None] => {
                if t.iter().all(|(_, corner)| 0.0 < corner.nearness) {
                    give(t);
                }
            }
            [Some(ab), None, None] => [[t[0], ab, t[2]], [ab, t[1], t[2]]].into_iter().for_each(&mut go),
            [None, Some(bc), None] => [[t[0], t[1], bc], [t[0], bc, t[2]]].into_iter().for_each(&mut go),
            [None, None, Some(ca)] => [[t[0], t[1], ca], [ca, t[1], t[2]]].into_iter().for_each(&mut go),
            [Some(ab), Some(bc), None] => {
                [[ab, t[1], bc], [t[0], ab, bc], [t[0], bc, t[2]]].into_iter().for_each(&mut go);
            }
            [None, Some(bc), Some(ca)] => {
                [[bc, t[2], ca], [t[0], t[1], bc], [t[0], bc, ca]].into_iter().for_each(&mut go);
            }
            [Some(ab), None, Some(ca)] => {
                [[t[0], ab, ca], [ab, t[1], t[2]], [ab, t[2], ca]].into_iter().for_each(&mut go);
            }
            [Some(ab), Some(bc), Some(ca)] => {
                let parts = [[t[0], ab, ca], [ab, t[1], bc], [ca, bc, t[2]], [ab, bc, ca]];
                parts.into_iter().for_each(&mut go);
            }
        }
    }

    fn is_outside(&self, t: &[(Vertex, Corner); 3]) -> bool {
        let (width, height) = (self.width as f32, self.height as f32);
        let all = |test: &dyn Fn(&Corner) -> bool| t.iter().all(|(_, corner)| 0.0 < corner.nearness && test(corner));
        if t.iter().all(|(vertex, _)| self.camera.view_from_world(world(vertex.at)).z <= 0.0) {
            return true;
        }
        let margin = 12.0;
        all(&|c| c.at.x < -margin)
            || all(&|c| width + margin < c.at.x)
            || all(&|c| c.at.y < -margin)
            || all(&|c| height + margin < c.at.y)
    }

    /// The middle of an edge that must be cut.
    fn middle_of(&self, a: &(Vertex, Corner), b: &(Vertex, Corner)) -> Option<(Vertex, Corner)> {
        let length = a.0.at.distance(b.0.at);
        let seen = (0.0 < a.1.nearness, 0.0 < b.1.nearness);
        let middle = || {
            let vertex = a.0.middle(b.0);
            (vertex, self.corner(&vertex))
        };
        match seen {
            (false, false) => (EDGE_METRES_MAX < length).then(middle),
            (true, true) => {
                let way = b.1.at - a.1.at;
                let pixels = way.length();
                if EDGE_METRES_MAX < length && EDGE_PIXELS_MIN < pixels {
                    return Some(middle());
                }
                // However much the lens bends it, nobody sees the bend of so short an edge.
                if pixels < 2.0 || length < BENT_METRES_MIN {
                    return None;
                }
                let cut = middle();
                let bend = if 0.0 < cut.1.nearness { (cut.1.at - a.1.at).perp_dot(way).abs() / pixels } else { 1.0 };
                (BEND_PIXELS_MAX < bend).then_some(cut)
            }
            _ => (RIM_METRES < length).then(middle),
        }
    }
}
