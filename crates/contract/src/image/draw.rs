//! Marks on pictures: boxes, lines, dots and numbers, for people who look.

use super::RgbImage;
use crate::geometry::{Pixel, PixelBox, Point};

/// The digits and the point, three pixels wide and five high; the highest of three bits is on the left.
const GLYPHS: [[u8; 5]; 11] = [
    [7, 5, 5, 5, 7],
    [2, 6, 2, 2, 7],
    [7, 1, 7, 4, 7],
    [7, 1, 3, 1, 7],
    [5, 5, 7, 1, 1],
    [7, 4, 7, 1, 7],
    [7, 4, 7, 5, 7],
    [7, 1, 2, 2, 2],
    [7, 5, 7, 5, 7],
    [7, 5, 7, 1, 7],
    [0, 0, 0, 0, 2],
];

/// Draws the outline of a box, `thickness` pixels wide; what lies outside of the picture is left out.
pub fn draw_box(picture: &mut RgbImage, bounds: &PixelBox, colour: [u8; 3], thickness: u32) {
    let corners = [(bounds.left, bounds.top), (bounds.right, bounds.top), (bounds.right, bounds.bottom)];
    let corners = corners.into_iter().chain([(bounds.left, bounds.bottom), (bounds.left, bounds.top)]);
    let corners: Vec<Point<Pixel>> = corners.map(|(x, y)| Point::new(x, y, 0.0)).collect();
    corners.windows(2).for_each(|pair| draw_line(picture, pair[0], pair[1], colour, thickness));
}

/// Draws a line between two points.
pub fn draw_line(picture: &mut RgbImage, from: Point<Pixel>, to: Point<Pixel>, colour: [u8; 3], thickness: u32) {
    // A line is cut to a little more than the picture first, so that far ends cost nothing.
    let Some((from, to)) = cut(from, to, picture, f64::from(thickness)) else { return };
    // Half a pixel a step, so that rounding leaves no gap.
    let steps = (2.0 * (to.x - from.x).abs().max((to.y - from.y).abs())).ceil().max(1.0);
    for step in 0..=steps as u32 {
        square(picture, from.lerp(to, f64::from(step) / steps), colour, thickness);
    }
}

/// Draws a filled dot.
pub fn draw_dot(picture: &mut RgbImage, centre: Point<Pixel>, radius: u32, colour: [u8; 3]) {
    let reach = i64::from(radius);
    for down in -reach..=reach {
        for right in -reach..=reach {
            if right * right + down * down <= reach * reach {
                put(picture, centre.x.floor() + right as f64, centre.y.floor() + down as f64, colour);
            }
        }
    }
}

/// Writes digits and points with their upper left corner at `at`; other letters are gaps. A digit is `3 * size` wide.
pub fn draw_number(picture: &mut RgbImage, text: &str, at: Point<Pixel>, colour: [u8; 3], size: u32) {
    let size = size.max(1);
    for (place, letter) in text.chars().enumerate() {
        let index = if letter == '.' { Some(10) } else { letter.to_digit(10) };
        let Some(glyph) = index.and_then(|index| GLYPHS.get(index as usize)) else { continue };
        for (line, bits) in (0_u32..).zip(glyph) {
            for column in (0..3_u32).filter(|column| bits >> (2 - column) & 1 == 1) {
                let x = at.x + f64::from((place as u32 * 4 + column) * size + size / 2);
                square(picture, Point::new(x, at.y + f64::from(line * size + size / 2), 0.0), colour, size);
            }
        }
    }
}

/// The part of a line within `margin` of the picture (Liang and Barsky, 1984).
fn cut(from: Point<Pixel>, to: Point<Pixel>, picture: &RgbImage, margin: f64) -> Option<(Point<Pixel>, Point<Pixel>)> {
    let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
    let axes = [(from.x, to.x - from.x, picture.width()), (from.y, to.y - from.y, picture.height())];
    for (start, way, length) in axes {
        if !start.is_finite() || !way.is_finite() {
            return None;
        }
        let [low, high] = [-margin - start, f64::from(length) + margin - start];
        if way == 0.0 {
            if 0.0 < low || high < 0.0 {
                return None;
            }
            continue;
        }
        let (first, last) = if 0.0 < way { (low / way, high / way) } else { (high / way, low / way) };
        enter = enter.max(first);
        leave = leave.min(last);
    }
    (enter <= leave).then(|| (from.lerp(to, enter), from.lerp(to, leave)))
}

fn square(picture: &mut RgbImage, centre: Point<Pixel>, colour: [u8; 3], side: u32) {
    for offset in 0..side * side {
        let right = f64::from(offset % side) - f64::from(side / 2);
        let down = f64::from(offset / side) - f64::from(side / 2);
        put(picture, centre.x.floor() + right, centre.y.floor() + down, colour);
    }
}

fn put(picture: &mut RgbImage, x: f64, y: f64, colour: [u8; 3]) {
    if 0.0 <= x && 0.0 <= y && x < f64::from(picture.width()) && y < f64::from(picture.height()) {
        picture.set(x as u32, y as u32, colour);
    }
}
