//! Textures with mip levels, and the canvas on which they are painted.

use glam::{Vec2, Vec3};

/// Light that leaves a surface, linear, red, green and blue; 1 is white paper.
pub(super) type Colour = Vec3;

/// A colour from the sRGB notation of the web, such as `0xd9381e`.
pub(super) fn srgb(hex: u32) -> Colour {
    let channel = |shift: u32| linear_from_srgb(((hex >> shift) & 0xff) as f32 / 255.0);
    Vec3::new(channel(16), channel(8), channel(0))
}

/// A colour from hue (turns), saturation and value, read as sRGB.
pub(super) fn hsv(hue: f64, saturation: f64, value: f64) -> Colour {
    let part = |offset: f64| {
        let k = (offset + hue.rem_euclid(1.0) * 6.0).rem_euclid(6.0);
        linear_from_srgb((value - value * saturation * k.min(4.0 - k).clamp(0.0, 1.0)) as f32)
    };
    Vec3::new(part(5.0), part(3.0), part(1.0))
}

/// How bright a colour is to the eye (Rec. 709), linear.
pub(super) fn luminance(colour: Colour) -> f32 {
    colour.dot(Vec3::new(0.2126, 0.7152, 0.0722))
}

/// The transfer function of IEC 61966-2-1, from code value to light.
fn linear_from_srgb(value: f32) -> f32 {
    if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

/// Something to paint on, rows from the top.
pub(super) struct Canvas {
    pub(super) width: usize,
    pub(super) height: usize,
    pixels: Vec<Colour>,
}

impl Canvas {
    pub(super) fn new(width: usize, height: usize, ground: Colour) -> Self {
        Canvas { width, height, pixels: vec![ground; width * height] }
    }

    /// The colour at a place inside.
    pub(super) fn at(&self, x: usize, y: usize) -> Colour {
        self.pixels[y.min(self.height - 1) * self.width + x.min(self.width - 1)]
    }

    /// Changes every pixel within `[left, top, right, bottom]` (clipped to the canvas) by its middle.
    pub(super) fn paint(&mut self, bounds: [f32; 4], mut brush: impl FnMut(Vec2, Colour) -> Colour) {
        let [left, top, right, bottom] = bounds;
        let (x0, x1) = (left.max(0.0) as usize, (right.ceil().max(0.0) as usize).min(self.width));
        let (y0, y1) = (top.max(0.0) as usize, (bottom.ceil().max(0.0) as usize).min(self.height));
        for y in y0..y1 {
            for x in x0..x1 {
                let old = self.pixels[y * self.width + x];
                self.pixels[y * self.width + x] = brush(Vec2::new(x as f32 + 0.5, y as f32 + 0.5), old);
            }
        }
    }

    /// Changes every pixel.
    pub(super) fn wash(&mut self, brush: impl FnMut(Vec2, Colour) -> Colour) {
        self.paint([0.0, 0.0, self.width as f32, self.height as f32], brush);
    }

    /// Covers what lies inside a shape, given by its signed distance in pixels (negative inside), with smooth edges.
    pub(super) fn shape(&mut self, bounds: [f32; 4], colour: Colour, distance: impl Fn(Vec2) -> f32) {
        let [left, top, right, bottom] = bounds;
        self.paint([left - 1.0, top - 1.0, right + 1.0, bottom + 1.0], |at, old| {
            old.lerp(colour, (0.5 - distance(at)).clamp(0.0, 1.0))
        });
    }

    /// An upright rectangle.
    pub(super) fn rect(&mut self, left: f32, top: f32, right: f32, bottom: f32, colour: Colour) {
        self.shape([left, top, right, bottom], colour, |at| {
            (left - at.x).max(at.x - right).max((top - at.y).max(at.y - bottom))
        });
    }

    /// An upright ellipse.
    pub(super) fn ellipse(&mut self, centre: Vec2, radii: Vec2, colour: Colour) {
        let bounds = [centre.x - radii.x, centre.y - radii.y, centre.x + radii.x, centre.y + radii.y];
        self.shape(bounds, colour, |at| (((at - centre) / radii).length() - 1.0) * radii.min_element());
    }

    /// A stroke from one point to another.
    pub(super) fn stroke(&mut self, from: Vec2, to: Vec2, width: f32, colour: Colour) {
        let (low, high) = (from.min(to) - width, from.max(to) + width);
        let way = to - from;
        self.shape([low.x, low.y, high.x, high.y], colour, |at| {
            let share = ((at - from).dot(way) / way.length_squared().max(1e-6)).clamp(0.0, 1.0);
            (at - from - way * share).length() - width / 2.0
        });
    }

    /// A smooth spot: the colour at full strength in the middle, fading out.
    pub(super) fn glow(&mut self, centre: Vec2, radii: Vec2, colour: Colour, strength: f32) {
        let bounds = [centre.x - radii.x, centre.y - radii.y, centre.x + radii.x, centre.y + radii.y];
        self.paint(bounds, |at, old| {
            let near = (1.0 - ((at - centre) / radii).length_squared()).max(0.0);
            old.lerp(colour, strength * near * near)
        });
    }

    /// Another canvas laid on at a place; what reaches over the right edge comes in again from the left.
    pub(super) fn put_around(&mut self, left: usize, top: usize, other: &Canvas) {
        for y in 0..other.height.min(self.height.saturating_sub(top)) {
            for x in 0..other.width {
                let place = (top + y) * self.width + (left + x) % self.width;
                self.pixels[place] = other.pixels[y * other.width + x];
            }
        }
    }

    /// The texture of it.
    pub(super) fn texture(&self) -> Texture {
        let mut levels = Vec::new();
        let (mut width, mut height, mut pixels) = (self.width, self.height, self.pixels.clone());
        loop {
            levels.push(Level {
                width: width as u32,
                height: height as u32,
                texels: pixels.iter().map(pack).collect(),
            });
            if width == 1 && height == 1 {
                return Texture { levels };
            }
            let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
            let pick = |x: usize, y: usize| pixels[y.min(height - 1) * width + x.min(width - 1)];
            let mean = |index: usize| {
                let (x, y) = (index % half_width * 2, index / half_width * 2);
                (pick(x, y) + pick(x + 1, y) + pick(x, y + 1) + pick(x + 1, y + 1)) * 0.25
            };
            let smaller = (0..half_width * half_height).map(mean).collect();
            (width, height, pixels) = (half_width, half_height, smaller);
        }
    }
}

/// A picture on a surface, at its own size and at halves of it (Williams, Pyramidal parametrics, 1983).
pub(super) struct Texture {
    levels: Vec<Level>,
}

struct Level {
    width: u32,
    height: u32,
    /// Square roots of linear channels, 8 bits each: interpolated as they are, squared when read.
    texels: Vec<[u8; 4]>,
}

fn pack(colour: &Colour) -> [u8; 4] {
    let channel = |value: f32| (value.clamp(0.0, 1.0).sqrt() * 255.0 + 0.5) as u8;
    [channel(colour.x), channel(colour.y), channel(colour.z), 0]
}

impl Texture {
    /// One colour all over.
    pub(super) fn plain(colour: Colour) -> Self {
        Canvas::new(1, 1, colour).texture()
    }

    /// Texels at full size.
    pub(super) fn area(&self) -> f32 {
        (self.levels[0].width * self.levels[0].height) as f32
    }

    /// The level that is neither too coarse nor flickers where so many texels of the full size fall on a pixel.
    pub(super) fn level_for(&self, texels_per_pixel: f32) -> usize {
        // Half the binary logarithm, read off the exponent: 1.41 moves the step between levels to the middle.
        let exponent = ((texels_per_pixel.max(1.0) * 1.41).to_bits() >> 23) as usize - 127;
        (exponent / 2).min(self.levels.len() - 1)
    }

    /// The colour at a place, `0..1` across and down, repeated beyond; bilinear.
    #[inline]
    pub(super) fn sample(&self, level: usize, u: f32, v: f32) -> Colour {
        let level = &self.levels[level];
        if level.texels.len() == 1 {
            return unpack(level.texels[0]);
        }
        let x = (u - floor(u)) * level.width as f32 - 0.5;
        let y = (v - floor(v)) * level.height as f32 - 0.5;
        let (left, top) = (floor(x), floor(y));
        let (share_x, share_y) = (x - left, y - top);
        let wrap = |place: f32, size: u32| {
            let place = place as i32;
            if place < 0 { size - 1 } else { (place as u32).min(size - 1) }
        };
        let (x0, y0) = (wrap(left, level.width), wrap(top, level.height));
        let x1 = if x0 + 1 == level.width { 0 } else { x0 + 1 };
        let y1 = if y0 + 1 == level.height { 0 } else { y0 + 1 };
        let at = |x: u32, y: u32| {
            let texel = level.texels[(y * level.width + x) as usize];
            Vec3::new(f32::from(texel[0]), f32::from(texel[1]), f32::from(texel[2]))
        };
        let upper = at(x0, y0).lerp(at(x1, y0), share_x);
        let lower = at(x0, y1).lerp(at(x1, y1), share_x);
        let root = upper.lerp(lower, share_y) * (1.0 / 255.0);
        root * root
    }
}

/// The whole number below, for numbers that are not large; without a call on machines before SSE 4.1.
#[inline]
fn floor(value: f32) -> f32 {
    let cut = value as i32 as f32;
    if value < cut { cut - 1.0 } else { cut }
}

fn unpack(texel: [u8; 4]) -> Colour {
    let root = Vec3::new(f32::from(texel[0]), f32::from(texel[1]), f32::from(texel[2])) * (1.0 / 255.0);
    root * root
}

/// Smooth noise of about the size `grain` in pixels, `-1..1`, repeating nowhere near: value noise of a hashed grid.
pub(super) fn noise(seed: u32, at: Vec2, grain: f32) -> f32 {
    let place = at / grain;
    let (cell, share) = (place.floor(), place - place.floor());
    let smooth = share * share * (Vec2::splat(3.0) - 2.0 * share);
    let corner = |dx: f32, dy: f32| {
        let mixed = (cell.x + dx) as i32 as u32;
        let mixed = (mixed ^ seed).wrapping_mul(0x9e37_79b1) ^ ((cell.y + dy) as i32 as u32).wrapping_mul(0x85eb_ca77);
        let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0xc2b2_ae3d);
        ((mixed ^ (mixed >> 13)) & 0xffff) as f32 / 32_767.5 - 1.0
    };
    let upper = corner(0.0, 0.0) + (corner(1.0, 0.0) - corner(0.0, 0.0)) * smooth.x;
    let lower = corner(0.0, 1.0) + (corner(1.0, 1.0) - corner(0.0, 1.0)) * smooth.x;
    upper + (lower - upper) * smooth.y
}
