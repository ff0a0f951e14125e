//! Triangles to pixels: a depth buffer and textures, one sample a pixel.

use glam::{Vec2, Vec3};

use super::texture::Texture;

/// Sub-pixel steps of corners per pixel; edges are exact on this grid, so that neighbours neither overlap nor gape.
const STEPS_PER_PIXEL: f32 = 256.0;
/// Corners farther outside than this are not drawn, pixels.
const REACH_PIXELS: f32 = 16_000.0;
/// The most light that a layer keeps, in units of white paper.
const LIGHT_MAX: f32 = 2.0;

/// A corner in the picture.
#[derive(Clone, Copy, Default)]
pub(super) struct Corner {
    /// Pixels.
    pub(super) at: Vec2,
    /// 1 / depth, per metre; 0 where the lens does not see it.
    pub(super) nearness: f32,
    /// Place in the texture.
    pub(super) uv: Vec2,
    /// What the texture is multiplied with.
    pub(super) light: Vec3,
    /// What is added: gloss.
    pub(super) shine: f32,
}

/// One sample of every pixel.
#[derive(Clone)]
pub(super) struct Layer {
    width: usize,
    height: usize,
    /// Where in the pixel the sample lies, from its middle.
    offset: Vec2,
    /// Square roots of linear channels, 10 bits each.
    colours: Vec<u32>,
    /// 1 / depth, per metre; 0 for nothing there.
    nearness: Vec<f32>,
}

/// How a triangle is laid on.
#[derive(Clone, Copy)]
pub(super) enum Ink {
    /// Covers what is behind it.
    Solid,
    /// Lets through `1 - share` of what is behind it.
    Veil(f32),
    /// Darkens what lies a hand's breadth behind or before it at most, to the share that is its light.
    Shadow,
}

fn pack(colour: Vec3) -> u32 {
    let root = (colour * (1.0 / LIGHT_MAX)).clamp(Vec3::ZERO, Vec3::ONE);
    let channel = |value: f32| (value.sqrt() * 1023.0 + 0.5) as u32;
    channel(root.x) | (channel(root.y) << 10) | (channel(root.z) << 20)
}

pub(super) fn unpack(packed: u32) -> Vec3 {
    let channel = |shift: u32| ((packed >> shift) & 1023) as f32;
    let root = Vec3::new(channel(0), channel(10), channel(20));
    root * root * (LIGHT_MAX / (1023.0 * 1023.0))
}

impl Layer {
    pub(super) fn new(width: usize, height: usize, offset: Vec2) -> Self {
        let pixels = width * height;
        Layer { width, height, offset, colours: vec![0; pixels], nearness: vec![0.0; pixels] }
    }

    /// Packed colours, row after row; see [`unpack`].
    pub(super) fn colours(&self) -> &[u32] {
        &self.colours
    }

    /// Draws a triangle; corners run counter-clockwise seen from its front, whose back is not seen.
    pub(super) fn triangle(&mut self, corners: [&Corner; 3], texture: &Texture, ink: Ink) {
        let Some(setup) = Setup::new(corners, self.offset, self.width, self.height) else { return };
        let [a, b, c] = setup.corners;
        let texels = (b.uv - a.uv).perp_dot(c.uv - a.uv).abs() * texture.area();
        let level = texture.level_for(texels / setup.area_pixels);
        setup.each(self.width, |place, weights, nearness| {
            self.dot(place, weights, nearness, (setup.corners, texture, level), ink);
        });
    }

    #[inline]
    fn dot(
        &mut self,
        place: usize,
        weights: Vec3,
        nearness: f32,
        (corners, texture, level): ([&Corner; 3], &Texture, usize),
        ink: Ink,
    ) {
        let [a, b, c] = corners;
        if let Ink::Shadow = ink {
            // A shadow lies on what is there, not on what stands on it.
            let there = self.nearness[place];
            if (1.0 / there.max(1e-3) - 1.0 / nearness).abs() < 0.06 {
                let keep =
                    (a.light * weights.x + b.light * weights.y + c.light * weights.z).clamp(Vec3::ZERO, Vec3::ONE);
                self.colours[place] = pack(unpack(self.colours[place]) * keep);
            }
            return;
        }
        if nearness <= self.nearness[place] {
            return;
        }
        // What is linear on the surface is linear in the picture only when divided by depth.
        let share = Vec3::new(a.nearness * weights.x, b.nearness * weights.y, c.nearness * weights.z) / nearness;
        let uv = a.uv * share.x + b.uv * share.y + c.uv * share.z;
        let light = a.light * share.x + b.light * share.y + c.light * share.z;
        let shine = a.shine * share.x + b.shine * share.y + c.shine * share.z;
        let colour = texture.sample(level, uv.x, uv.y) * light + Vec3::splat(shine);
        if let Ink::Veil(share) = ink {
            self.colours[place] = pack(unpack(self.colours[place]).lerp(colour, share));
            return;
        }
        self.colours[place] = pack(colour);
        self.nearness[place] = nearness;
    }
}

/// A triangle made ready: front to the viewer, clipped to the picture, on the grid.
pub(super) struct Setup<'a> {
    corners: [&'a Corner; 3],
    left: i64,
    right: i64,
    top: i64,
    bottom: i64,
    /// Change of each edge function by a pixel to the right and down.
    steps: [(i64, i64); 3],
    /// Edge functions at pixel (0, 0), with the fill rule in them.
    start: [i64; 3],
    bias: [i64; 3],
    area: i64,
    area_pixels: f32,
}

impl<'a> Setup<'a> {
    pub(super) fn new(corners: [&'a Corner; 3], offset: Vec2, width: usize, height: usize) -> Option<Self> {
        // Seen from its front a triangle runs clockwise where y points down.
        let corners = [corners[0], corners[2], corners[1]];
        if corners.iter().any(|corner| corner.nearness <= 0.0 || REACH_PIXELS < corner.at.abs().max_element()) {
            return None;
        }
        let grid = |corner: &Corner| {
            // Shifted so that all is positive, where cutting off rounds.
            let place = (corner.at - Vec2::splat(0.5) - offset + Vec2::splat(REACH_PIXELS + 1.0)) * STEPS_PER_PIXEL;
            let shift = (REACH_PIXELS + 1.0) as i64 * STEPS_PER_PIXEL as i64;
            [(place.x + 0.5) as i64 - shift, (place.y + 0.5) as i64 - shift]
        };
        let [a, b, c] = [grid(corners[0]), grid(corners[1]), grid(corners[2])];
        let area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
        if area <= 0 {
            return None;
        }
        let unit = STEPS_PER_PIXEL as i64;
        let low = |axis: usize| -(-a[axis].min(b[axis]).min(c[axis])).div_euclid(unit);
        let high = |axis: usize| a[axis].max(b[axis]).max(c[axis]).div_euclid(unit);
        let (left, right) = (low(0).max(0), high(0).min(width as i64 - 1));
        let (top, bottom) = (low(1).max(0), high(1).min(height as i64 - 1));
        if right < left || bottom < top {
            return None;
        }
        // Edge opposite to each corner, positive inside; a pixel on a left or upper edge belongs to the triangle.
        let mut setup = Setup {
            corners,
            left,
            right,
            top,
            bottom,
            steps: [(0, 0); 3],
            start: [0; 3],
            bias: [0; 3],
            area,
            area_pixels: area as f32 * 0.5 / (STEPS_PER_PIXEL * STEPS_PER_PIXEL),
        };
        for (index, (from, to)) in [(b, c), (c, a), (a, b)].into_iter().enumerate() {
            let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
            let bias = if dy < 0 || (dy == 0 && 0 < dx) { 0 } else { -1 };
            setup.steps[index] = (-dy * unit, dx * unit);
            setup.start[index] = dy * from[0] - dx * from[1] + bias;
            setup.bias[index] = bias;
        }
        Some(setup)
    }

    /// Gives every pixel of the triangle, in a picture so wide: its place, what each corner counts there, 1 / depth.
    #[inline]
    pub(super) fn each(&self, width: usize, mut give: impl FnMut(usize, Vec3, f32)) {
        let [a, b, c] = self.corners;
        let inverse = 1.0 / self.area as f32;
        for y in self.top..=self.bottom {
            let row = y as usize * width;
            let mut edges = self.edges_at(self.left, y);
            for x in self.left..=self.right {
                if 0 <= (edges[0] | edges[1] | edges[2]) {
                    let weights = Vec3::new(self.raw(edges, 0), self.raw(edges, 1), self.raw(edges, 2)) * inverse;
                    let nearness = a.nearness * weights.x + b.nearness * weights.y + c.nearness * weights.z;
                    give(row + x as usize, weights, nearness);
                }
                edges = [edges[0] + self.steps[0].0, edges[1] + self.steps[1].0, edges[2] + self.steps[2].0];
            }
        }
    }

    fn edges_at(&self, x: i64, y: i64) -> [i64; 3] {
        [0, 1, 2].map(|index| self.start[index] + self.steps[index].0 * x + self.steps[index].1 * y)
    }

    #[inline]
    fn raw(&self, edges: [i64; 3], index: usize) -> f32 {
        (edges[index] - self.bias[index]) as f32
    }
}
