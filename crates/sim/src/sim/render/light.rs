//! Light: panels under the ceiling, what comes back from walls and floor, and what stands in the way.

use glam::Vec3;
use rayon::prelude::*;

use super::mesh::Pose;
use super::style::Style;
use super::texture::Colour;

/// Edge of a cell of the grid in which light is kept for what moves, metres, where no more than so many cells are needed.
const CELL_METRES_MIN: f32 = 0.3;
const CELLS_MAX: f32 = 1e6;
/// Directions in which a cell keeps light: ±x, ±y, ±z.
const WAYS: [Vec3; 6] = [Vec3::X, Vec3::NEG_X, Vec3::Y, Vec3::NEG_Y, Vec3::Z, Vec3::NEG_Z];

/// How far furniture takes light from its surroundings, metres, and in which directions that is tried: corners, edges
/// and faces of a cube.
const OPEN_METRES: f32 = 0.6;
const OPEN_WAYS: [[f32; 3]; 26] = [
    [1.0, 0.0, 0.0],
    [-1.0, 0.0, 0.0],
    [0.0, 1.0, 0.0],
    [0.0, -1.0, 0.0],
    [0.0, 0.0, 1.0],
    [0.0, 0.0, -1.0],
    [1.0, 1.0, 0.0],
    [1.0, -1.0, 0.0],
    [-1.0, 1.0, 0.0],
    [-1.0, -1.0, 0.0],
    [1.0, 0.0, 1.0],
    [1.0, 0.0, -1.0],
    [-1.0, 0.0, 1.0],
    [-1.0, 0.0, -1.0],
    [0.0, 1.0, 1.0],
    [0.0, 1.0, -1.0],
    [0.0, -1.0, 1.0],
    [0.0, -1.0, -1.0],
    [1.0, 1.0, 1.0],
    [1.0, 1.0, -1.0],
    [1.0, -1.0, 1.0],
    [1.0, -1.0, -1.0],
    [-1.0, 1.0, 1.0],
    [-1.0, 1.0, -1.0],
    [-1.0, -1.0, 1.0],
    [-1.0, -1.0, -1.0],
];

/// A block that casts shade: the middle of its bottom as pose.
#[derive(Clone, Copy)]
pub(super) struct Blocker {
    pub(super) pose: Pose,
    /// Half its width and depth, and its height, metres.
    pub(super) half_width: f32,
    pub(super) half_depth: f32,
    pub(super) height: f32,
}

impl Blocker {
    /// Whether the segment from a point to another passes through.
    fn stops(&self, from: Vec3, to: Vec3) -> bool {
        let local = |at: Vec3| {
            let d = at - self.pose.at;
            Vec3::new(d.dot(self.pose.right), d.dot(self.pose.forward), d.z)
        };
        let (a, b) = (local(from), local(to));
        let low = Vec3::new(-self.half_width, -self.half_depth, 0.0);
        let high = Vec3::new(self.half_width, self.half_depth, self.height);
        let way = b - a;
        let (mut enter, mut leave) = (1e-3_f32, 1.0_f32);
        for axis in 0..3 {
            if way[axis].abs() < 1e-9 {
                if a[axis] < low[axis] || high[axis] < a[axis] {
                    return false;
                }
                continue;
            }
            let (s, t) = ((low[axis] - a[axis]) / way[axis], (high[axis] - a[axis]) / way[axis]);
            (enter, leave) = (enter.max(s.min(t)), leave.min(s.max(t)));
        }
        enter < leave
    }
}

/// What shines.
#[derive(Clone)]
pub(super) struct Lamps {
    /// Middles of the panels.
    pub(super) panels: Vec<Vec3>,
    /// Light of one panel.
    pub(super) strength: Colour,
    /// Light from above and from below that comes from everywhere.
    pub(super) sky: Colour,
    pub(super) ground: Colour,
    /// Light from outside: its direction (towards it) and strength; through doors and windows.
    pub(super) window: (Vec3, Colour),
}

impl Lamps {
    /// The lamps of a style, as bright in a large shop as in a small one.
    pub(super) fn of(style: &Style, panels: &[Vec3], low: Vec3, high: Vec3) -> Self {
        let height = (high.z - 1.0).max(1.0);
        let area = ((high.x - low.x) * (high.y - low.y)).max(1.0);
        let each = area / panels.len() as f32 / (height * height) * 0.3 * height.powi(2).min(4.0) / 4.0;
        let strength = style.lamp * style.direct * each.max(0.05) * 2.0;
        let bounce = style.lamp * style.ambient;
        let (sin, cos) = style.window.0.sin_cos();
        Lamps {
            panels: panels.to_vec(),
            strength,
            sky: bounce,
            ground: bounce * (Vec3::splat(0.35) + 0.5 * style.floor_colour),
            window: (Vec3::new(cos, sin, 0.25).normalize(), Vec3::new(0.8, 0.9, 1.0) * style.window.1),
        }
    }
}

/// The light of a shop.
pub(super) struct Lighting {
    lamps: Lamps,
    blockers: Vec<Blocker>,
    low: Vec3,
    cell_metres: f32,
    cells: [usize; 3],
    grid: Vec<[Colour; 6]>,
}

/// Light on surfaces near one place, whichever way they face.
#[derive(Clone, Copy)]
pub(super) struct Probe([Colour; 6]);

impl Probe {
    /// The light on a surface with this normal.
    #[inline]
    pub(super) fn on(&self, normal: Vec3) -> Colour {
        let square = normal * normal;
        let pick = |value: f32, axis: usize| self.0[axis * 2 + usize::from(value < 0.0)];
        pick(normal.x, 0) * square.x + pick(normal.y, 1) * square.y + pick(normal.z, 2) * square.z
    }

    fn mix(&self, other: &Probe, share: f32) -> Probe {
        let mut mixed = *self;
        for (mine, theirs) in mixed.0.iter_mut().zip(other.0) {
            *mine = mine.lerp(theirs, share);
        }
        mixed
    }
}

impl Lighting {
    /// Works out the light between two corners of the room.
    pub(super) fn new(lamps: Lamps, blockers: Vec<Blocker>, low: Vec3, high: Vec3) -> Self {
        let corners = |cell_metres: f32| ((high - low) / cell_metres).ceil().max(Vec3::ONE) + Vec3::ONE;
        let mut cell_metres = CELL_METRES_MIN;
        while CELLS_MAX < corners(cell_metres).element_product() {
            cell_metres *= 1.1;
        }
        let cells @ [nx, ny, nz] = corners(cell_metres).to_array().map(|count| count as usize);
        let mut lighting = Lighting { lamps, blockers, low, cell_metres, cells, grid: Vec::new() };
        let cell = |index: usize| {
            let place = Vec3::new((index % nx) as f32, (index / nx % ny) as f32, (index / nx / ny) as f32);
            lighting.around(low + place * cell_metres)
        };
        lighting.grid = (0..nx * ny * nz).into_par_iter().map(cell).collect();
        lighting
    }

    /// Light at a point on faces of all six directions.
    fn around(&self, at: Vec3) -> [Colour; 6] {
        let seen: Vec<bool> = self.lamps.panels.iter().map(|panel| self.is_clear(at, *panel)).collect();
        WAYS.map(|normal| self.falls(at, normal, |panel| seen[panel]))
    }

    fn is_clear(&self, at: Vec3, panel: Vec3) -> bool {
        !self.blockers.iter().any(|blocker| blocker.stops(at, panel))
    }

    fn falls(&self, at: Vec3, normal: Vec3, mut sees: impl FnMut(usize) -> bool) -> Colour {
        let lamps = &self.lamps;
        let open = self.openness(at, normal);
        let mut light = lamps.ground.lerp(lamps.sky, normal.z * 0.5 + 0.5) * open;
        light += lamps.window.1 * (normal.dot(lamps.window.0).max(0.0) * open);
        for (index, panel) in lamps.panels.iter().enumerate() {
            let way = *panel - at;
            let squared = way.length_squared().max(0.09);
            let way = way / squared.sqrt();
            // A panel is wide: faces that look somewhat away from its middle still get some of it.
            let facing = (normal.dot(way) + 0.15).max(0.0) / 1.15;
            let power = facing * way.z.max(0.0) / squared;
            if 1e-3 < power && sees(index) {
                light += lamps.strength * power;
            }
        }
        light
    }

    /// Which share of the surroundings is not hidden by furniture close by, seen from a surface.
    fn openness(&self, at: Vec3, normal: Vec3) -> f32 {
        let near = |blocker: &&Blocker| {
            let reach = blocker.half_width.hypot(blocker.half_depth) + OPEN_METRES;
            let height = (at.z - blocker.pose.at.z).clamp(0.0, blocker.height) + blocker.pose.at.z - at.z;
            blocker.pose.at.truncate().distance(at.truncate()) < reach && height.abs() < OPEN_METRES
        };
        let close: Vec<&Blocker> = self.blockers.iter().filter(near).collect();
        if close.is_empty() {
            return 1.0;
        }
        let (mut open, mut all) = (0.0, 0.0);
        for way in OPEN_WAYS {
            let way = Vec3::from_array(way).normalize();
            let weight = (normal.dot(way) + 0.2).max(0.0);
            if 0.0 < weight {
                all += weight;
                let stopped = close.iter().any(|blocker| blocker.stops(at, at + way * OPEN_METRES));
                open += if stopped { 0.0 } else { weight };
            }
        }
        0.12 + 0.88 * open / all.max(1e-3)
    }

    /// The light on a surface that stays where it is, with the shade of furniture on it.
    pub(super) fn on(&self, at: Vec3, normal: Vec3) -> Colour {
        let off = at + normal * 0.012;
        self.falls(off, normal, |panel| self.is_clear(off, self.lamps.panels[panel]))
    }

    /// The light around a thing that stays where it is, exactly there.
    pub(super) fn probe_at(&self, at: Vec3) -> Probe {
        Probe(self.around(at))
    }

    /// The light around a place, for whatever moves there.
    pub(super) fn probe(&self, at: Vec3) -> Probe {
        let [nx, ny, nz] = self.cells;
        let last = Vec3::new(nx as f32, ny as f32, nz as f32) - Vec3::splat(1.001);
        let place = ((at - self.low) / self.cell_metres).clamp(Vec3::ZERO, last.max(Vec3::ZERO));
        let (cell, share) = (place.floor(), place - place.floor());
        let take = |dx: usize, dy: usize, dz: usize| {
            let x = (cell.x as usize + dx).min(nx - 1);
            let y = (cell.y as usize + dy).min(ny - 1);
            let z = (cell.z as usize + dz).min(nz - 1);
            Probe(self.grid[(z * ny + y) * nx + x])
        };
        let row = |dy: usize, dz: usize| take(0, dy, dz).mix(&take(1, dy, dz), share.x);
        let plane = |dz: usize| row(0, dz).mix(&row(1, dz), share.y);
        plane(0).mix(&plane(1), share.z)
    }
}
