//! Faces as textures around the skull: eyes, brows, mouth, beard, glasses, and skin under the hair.

use std::f32::consts::TAU;

use glam::{Vec2, Vec3};

use super::head::SKULL_METRES;
use super::look::{Hair, Look};
use super::texture::{Canvas, Texture, noise, srgb};
use crate::sim::roll::Roll;

/// Around the head and from the crown to the chin, texels.
const SIZE_TEXELS: (usize, usize) = (384, 192);
/// Half the width of a skull in front, where the measures below hold, metres.
const HALF_METRES: f32 = 0.072;

/// A canvas that is addressed by metres from between the eyes: to the face's left, and up.
struct Map {
    canvas: Canvas,
}

impl Map {
    fn at(&self, across: f32, up: f32) -> Vec2 {
        let (w, h) = (self.canvas.width as f32, self.canvas.height as f32);
        let angle = (across / HALF_METRES).clamp(-1.0, 1.0).asin();
        let (low, high) = SKULL_METRES;
        Vec2::new((0.5 + angle / TAU) * w, (high - up) / (high - low) * h)
    }

    /// Texels of so many metres across and down, near the middle.
    fn size(&self, across: f32, down: f32) -> Vec2 {
        let (w, h) = (self.canvas.width as f32, self.canvas.height as f32);
        let (low, high) = SKULL_METRES;
        Vec2::new(across / HALF_METRES / TAU * w, down / (high - low) * h)
    }

    fn oval(&mut self, (x, z): (f32, f32), (wide, high): (f32, f32), colour: Vec3) {
        self.canvas.ellipse(self.at(x, z), self.size(wide, high), colour);
    }

    fn glow(&mut self, (x, z): (f32, f32), (wide, high): (f32, f32), colour: Vec3, strength: f32) {
        self.canvas.glow(self.at(x, z), self.size(wide, high), colour, strength);
    }

    fn stroke(&mut self, from: (f32, f32), to: (f32, f32), width: f32, colour: Vec3) {
        let (a, b) = (self.at(from.0, from.1), self.at(to.0, to.1));
        self.canvas.stroke(a, b, self.size(width, width).max_element(), colour);
    }
}

pub(super) fn face(roll: &mut Roll, look: &Look, woman: bool) -> Texture {
    let seed = roll.number() as u32;
    let skin = look.skin;
    let mut map = Map { canvas: Canvas::new(SIZE_TEXELS.0, SIZE_TEXELS.1, skin) };
    map.canvas.wash(|at, old| old * (1.0 + 0.035 * noise(seed, at, 9.0) + 0.02 * noise(seed ^ 3, at, 2.0)));
    let mut real = |low: f64, high: f64| roll.uniform(low, high) as f32;
    let red = skin * Vec3::new(1.02, 0.78, 0.74);
    for side in [-1.0, 1.0] {
        map.glow((side * 0.042, -0.04), (0.026, 0.024), red, real(0.2, 0.55));
        map.glow((side * 0.033, 0.0), (0.03, 0.02), skin * 0.5, 0.55);
    }
    map.glow((0.0, -0.065), (0.045, 0.016), skin * 0.75, 0.35);
    scalp(&mut map, look, seed);
    let hair = if look.hair_colour.max_element() < 0.35 { look.hair_colour } else { look.hair_colour * 0.6 };
    if look.beard {
        beard(&mut map, look, real(0.35, 0.97), seed);
    }
    mouth(&mut map, skin, woman, (real(0.02, 0.029), real(0.75, 1.4)));
    let iris = [0x004a_2f1b, 0x003a_2414, 0x005b_7f99, 0x0062_7d4a, 0x006b_4a2a];
    let iris = srgb(iris[(real(0.0, 4.99)) as usize]);
    let (open, slant, brow) =
        (real(0.75, 1.15), real(-0.003, 0.004), (real(0.003, 0.0065), real(0.017, 0.024), real(-0.003, 0.004)));
    for side in [-1.0, 1.0] {
        eye(&mut map, side, iris, (open, slant), if woman { 0.0028 } else { 0.0016 }, skin);
        map.stroke(
            (side * 0.015, brow.1 - 0.002),
            (side * 0.03, brow.1 + brow.2 + 0.002),
            brow.0,
            hair.lerp(skin, 0.15),
        );
        map.stroke(
            (side * 0.03, brow.1 + brow.2 + 0.002),
            (side * 0.046, brow.1 - 0.003),
            brow.0 * 0.7,
            hair.lerp(skin, 0.25),
        );
    }
    if let Some(rim) = look.glasses {
        for side in [-1.0, 1.0] {
            let (centre, size) = (map.at(side * 0.032, -0.003), map.size(0.024, 0.0185));
            let bounds =
                [centre.x - size.x * 1.3, centre.y - size.y * 1.3, centre.x + size.x * 1.3, centre.y + size.y * 1.3];
            map.canvas.shape(bounds, rim, |at| {
                let off = ((at - centre) / size).powf(4.0);
                ((off.x + off.y).powf(0.25) - 1.0).abs() * size.min_element() - 1.7
            });
        }
        map.stroke((-0.01, 0.0), (0.01, 0.0), 0.004, rim);
    }
    // Under the chin.
    let low = map.canvas.height as f32;
    map.canvas.wash(|at, old| old * (1.0 - 0.3 * ((at.y / low - 0.93) / 0.07).clamp(0.0, 1.0)));
    map.canvas.texture()
}

fn eye(map: &mut Map, side: f32, iris: Vec3, (open, slant): (f32, f32), lash: f32, skin: Vec3) {
    let (x, dark) = (side * 0.032, Vec3::splat(0.012));
    map.oval((x, 0.0), (0.0165, 0.0075 * open), skin * 0.55);
    map.oval((x, -0.0003), (0.0148, 0.0058 * open), srgb(0x00ec_e8e2).lerp(skin, 0.3) * 0.85);
    map.oval((x, 0.0), (0.0062, 0.0058 * open), iris);
    map.oval((x, 0.0), (0.0031, 0.0032), dark);
    map.oval((x + 0.002, 0.0022), (0.0012, 0.0012), Vec3::ONE);
    map.stroke((x - side * 0.0155, -0.0005 - slant), (x - side * 0.004, 0.0062 * open), lash, dark);
    map.stroke((x - side * 0.004, 0.0062 * open), (x + side * 0.0165, 0.001 + slant), lash * 1.2, dark);
    map.stroke((x - side * 0.01, 0.0115), (x + side * 0.012, 0.0105), 0.0012, skin * 0.6);
}

fn mouth(map: &mut Map, skin: Vec3, woman: bool, (wide, full): (f32, f32)) {
    let rosy = if woman { Vec3::new(0.98, 0.52, 0.52) } else { Vec3::new(0.9, 0.64, 0.6) };
    let lips = skin * rosy;
    map.oval((0.0, -0.0685), (wide * 0.85, 0.0045 * full), lips);
    map.oval((0.0, -0.076), (wide * 0.78, 0.0058 * full), lips * 1.06);
    map.stroke((-wide, -0.0725), (0.0, -0.072), 0.0022, skin * 0.3);
    map.stroke((0.0, -0.072), (wide, -0.0725), 0.0022, skin * 0.3);
    map.glow((0.0, -0.0885), (0.02, 0.006), skin * 0.55, 0.5);
    for side in [-1.0, 1.0] {
        map.oval((side * 0.0075, -0.049), (0.0042, 0.0026), skin * 0.25);
        map.stroke((side * 0.02, -0.043), (side * 0.03, -0.066), 0.0015, skin * 0.72);
    }
}

/// Stubble or a full beard over cheeks, chin and upper lip.
fn beard(map: &mut Map, look: &Look, strength: f32, seed: u32) {
    let (w, h) = (map.canvas.width as f32, map.canvas.height as f32);
    let colour = look.hair_colour * 0.85;
    let (low, high) = SKULL_METRES;
    map.canvas.wash(|at, old| {
        let side = ((at.x / w - 0.5) * TAU).abs();
        let up = high - at.y / h * (high - low);
        // Its upper rim runs from the ears down to the corners of the mouth and over the lip.
        let rim = if side < 0.42 { -0.058 } else { -0.062 + (side - 0.42) * 0.075 };
        let chin = (side / 0.26).hypot((up + 0.073) / 0.014);
        let inside = ((rim - up) / 0.008).clamp(0.0, 1.0) * (1.0 - ((side - 1.5) / 0.12).clamp(0.0, 1.0));
        let lips = (chin - 0.8).clamp(0.0, 1.0);
        let strands = 0.8 + 0.2 * noise(seed ^ 21, Vec2::new(at.x, at.y * 0.4), 1.5);
        old.lerp(colour, inside * lips * strength * strands)
    });
}

/// Hair on the skin of the head, so that nothing shines through what grows there.
fn scalp(map: &mut Map, look: &Look, seed: u32) {
    let strength = match look.hair {
        Hair::Bald => 0.06,
        Hair::Cropped => 0.9,
        _ => 1.0,
    };
    let (w, h) = (map.canvas.width as f32, map.canvas.height as f32);
    let (low, high) = SKULL_METRES;
    map.canvas.wash(|at, old| {
        let side = ((at.x / w - 0.5) * TAU).abs();
        let up = high - at.y / h * (high - low);
        // The hairline: high on the forehead, down before the ears, down to the nape behind them.
        let line = if side < 0.75 {
            0.062 - side * side * 0.012
        } else if side < 1.25 {
            0.055 - (side - 0.75) * 0.13
        } else if side < 1.75 {
            -0.01 + (side - 1.25) * 0.02
        } else {
            -0.07
        };
        let wave = 0.004 * noise(seed ^ 8, at, 7.0);
        let inside = ((up - line - wave) / 0.006 + 0.5).clamp(0.0, 1.0);
        let strands = 0.85 + 0.15 * noise(seed ^ 9, Vec2::new(at.x, at.y * 0.3), 1.6);
        old.lerp(look.hair_colour * strands, inside * strength)
    });
}
