//! Reading a picture through a map: crops, scales and turns, one row of the target after the other.

use super::RgbImage;
use crate::geometry::{Affine, Pixel, Point};

/// Samples along each axis of a turned pixel, at most: where the target is much smaller than the source.
const SAMPLES_PER_AXIS_MAX: usize = 8;

/// Reads pictures through maps and keeps its tables from call to call: the second frame of a size allocates nothing.
///
/// Upright maps are filtered by a triangle as wide as a pixel of the larger grid (bilinear when growing, antialiased
/// when shrinking); turned ones are sampled bilinearly, with several samples a pixel when shrinking.
#[derive(Debug, Default)]
pub struct Sampler {
    across: Taps,
    down: Taps,
    blend: Vec<f32>,
    row: Vec<[f32; 4]>,
}

/// Which pixels of a source line make each pixel of the target, and how much of each.
#[derive(Debug, Default)]
struct Taps {
    made_for: Option<Line>,
    /// First pixel of the source and place of its weight; one more entry marks the end of the weights.
    begins: Vec<(usize, usize)>,
    weights: Vec<f32>,
}

/// One axis of an upright map.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Line {
    scale: f64,
    shift: f64,
    source: usize,
    target: usize,
}

impl Sampler {
    /// A sampler without tables.
    pub fn new() -> Self {
        Sampler::default()
    }

    /// Gives every row of a picture of `size` pixels (width, height), from the top, to `take`: red, green and blue of
    /// each pixel, `0..=255`, and a fourth number that means nothing. Pixels whose middle lies outside of `source`
    /// have the colour `pad`. A map without an inverse gives `pad` everywhere.
    pub fn sample(
        &mut self,
        source: &RgbImage,
        target_from_source: &Affine,
        size: [usize; 2],
        pad: [f32; 3],
        mut take: impl FnMut(usize, &[[f32; 4]]),
    ) {
        let pad = [pad[0], pad[1], pad[2], 0.0];
        self.row.clear();
        self.row.resize(size[0], pad);
        let Some(source_from_target) = target_from_source.inverse() else {
            (0..size[1]).for_each(|y| take(y, &self.row));
            return;
        };
        if target_from_source.is_upright() {
            self.scale(source, target_from_source, size[1], pad, take);
            return;
        }
        for y in 0..size[1] {
            turn(source, &source_from_target, y, pad, &mut self.row);
            take(y, &self.row);
        }
    }

    fn scale(
        &mut self,
        source: &RgbImage,
        map: &Affine,
        height: usize,
        pad: [f32; 4],
        mut take: impl FnMut(usize, &[[f32; 4]]),
    ) {
        let [[across, _, left], [_, down, top]] = map.rows;
        let [width_pixels, height_pixels] = [source.width() as usize, source.height() as usize];
        self.across.make(Line { scale: across, shift: left, source: width_pixels, target: self.row.len() });
        self.down.make(Line { scale: down, shift: top, source: height_pixels, target: height });
        let columns = self.across.span();
        // One number more than there are, so that a pixel can be read as four.
        self.blend.clear();
        self.blend.resize(columns.len() * 3 + 1, 0.0);
        for y in 0..height {
            let (first, weights) = self.down.of(y);
            if weights.is_empty() {
                self.row.fill(pad);
                take(y, &self.row);
                continue;
            }
            let stride = width_pixels * 3;
            for (index, &weight) in weights.iter().enumerate() {
                let line = &source.pixels()[(first + index) * stride..][columns.start * 3..columns.end * 3];
                blend(&mut self.blend, line, weight, index == 0);
            }
            for (x, pixel) in self.row.iter_mut().enumerate() {
                let (first, weights) = self.across.of(x);
                *pixel =
                    if weights.is_empty() { pad } else { gather(&self.blend[(first - columns.start) * 3..], weights) };
            }
            take(y, &self.row);
        }
    }
}

/// Adds a weighted line of bytes, or begins with it.
fn blend(sum: &mut [f32], line: &[u8], weight: f32, is_first: bool) {
    let pairs = sum.iter_mut().zip(line);
    if is_first {
        pairs.for_each(|(sum, value)| *sum = weight * f32::from(*value));
    } else {
        pairs.for_each(|(sum, value)| *sum += weight * f32::from(*value));
    }
}

/// The weighted sum of the first pixels.
fn gather(pixels: &[f32], weights: &[f32]) -> [f32; 4] {
    let mut sum = [0.0; 4];
    for (index, weight) in weights.iter().enumerate() {
        if let Some(pixel) = pixels.get(index * 3..).and_then(|rest| rest.first_chunk::<4>()) {
            for (sum, value) in sum.iter_mut().zip(pixel) {
                *sum += weight * value;
            }
        }
    }
    sum
}

/// Fills a row of the target through a map that turns.
fn turn(source: &RgbImage, source_from_target: &Affine, y: usize, pad: [f32; 4], row: &mut [[f32; 4]]) {
    let count = (source_from_target.scale().round() as usize).clamp(1, SAMPLES_PER_AXIS_MAX);
    let part = 1.0 / count as f64;
    for (x, pixel) in row.iter_mut().enumerate() {
        let mut sum = [0.0; 4];
        for sample in 0..count * count {
            let [right, lower] = [sample % count, sample / count].map(|step| (step as f64 + 0.5) * part);
            let at = source_from_target.apply(Point::new(x as f64 + right, y as f64 + lower, 0.0));
            let value = bilinear(source, at).unwrap_or(pad);
            sum.iter_mut().zip(value).for_each(|(sum, value)| *sum += value);
        }
        *pixel = sum.map(|sum| sum / (count * count) as f32);
    }
}

/// The colour at a point between the middles of four pixels; `None` outside of the picture.
fn bilinear(source: &RgbImage, at: Point<Pixel>) -> Option<[f32; 4]> {
    let (width, height) = (f64::from(source.width()), f64::from(source.height()));
    if !((0.0..width).contains(&at.x) && (0.0..height).contains(&at.y)) {
        return None;
    }
    let ([x, x_next], right) = neighbours(at.x, source.width());
    let ([y, y_next], lower) = neighbours(at.y, source.height());
    let [a, b, c, d] = [(x, y), (x_next, y), (x, y_next), (x_next, y_next)].map(|(x, y)| source.get(x, y));
    let (a, b, c, d) = (a?, b?, c?, d?);
    let mix = |channel: usize| {
        let [a, b, c, d] = [a, b, c, d].map(|pixel| f32::from(pixel[channel]));
        let (upper, under) = (a + (b - a) * right, c + (d - c) * right);
        upper + (under - upper) * lower
    };
    Some([mix(0), mix(1), mix(2), 0.0])
}

/// The pixels whose middles lie on both sides of a place, and how near it is to the second one; at the edge both are one.
fn neighbours(place: f64, length: u32) -> ([u32; 2], f32) {
    let place = place - 0.5;
    let first = place.floor();
    let clamp = |pixel: f64| pixel.clamp(0.0, f64::from(length - 1)) as u32;
    ([clamp(first), clamp(first + 1.0)], (place - first) as f32)
}

impl Taps {
    fn make(&mut self, line: Line) {
        if self.made_for == Some(line) {
            return;
        }
        self.made_for = Some(line);
        self.begins.clear();
        self.weights.clear();
        let radius = line.scale.recip().max(1.0);
        let length = line.source as f64;
        for target in 0..line.target {
            let centre = (target as f64 + 0.5 - line.shift) / line.scale;
            let from = (centre - radius - 0.5).ceil().max(0.0);
            let begin = self.weights.len();
            if !(0.0..length).contains(&centre) {
                self.begins.push((0, begin));
                continue;
            }
            let until = ((centre + radius - 0.5).floor() + 1.0).min(length);
            // A pixel at the very edge of the triangle weighs nothing; leaving it out keeps an exact copy exact.
            let weight = |pixel: usize| 1.0 - (pixel as f64 + 0.5 - centre).abs() / radius;
            let pixels = from as usize..until as usize;
            let heavy = |pixel: &usize| 1e-6 < weight(*pixel);
            let first = pixels.clone().find(heavy).unwrap_or(pixels.start);
            let total: f64 = pixels.clone().filter(heavy).map(weight).sum();
            let weights = pixels.skip_while(|pixel| !heavy(pixel)).take_while(heavy);
            self.weights.extend(weights.map(|pixel| (weight(pixel) / total) as f32));
            self.begins.push((first, begin));
        }
        self.begins.push((0, self.weights.len()));
    }

    /// First pixel of the source and weights from there; no weights where the target lies outside.
    fn of(&self, target: usize) -> (usize, &[f32]) {
        let (first, begin) = self.begins[target];
        (first, &self.weights[begin..self.begins[target + 1].1])
    }

    /// All pixels of the source that weigh anything.
    fn span(&self) -> std::ops::Range<usize> {
        let targets = 0..self.begins.len().saturating_sub(1);
        let used = targets.map(|target| self.of(target)).filter(|(_, weights)| !weights.is_empty());
        let (from, until) = used.fold((usize::MAX, 0), |(from, until), (first, weights)| {
            (from.min(first), until.max(first + weights.len()))
        });
        from.min(until)..until
    }
}
