//! Cloth: patterns of shirts, jackets, trousers and bags, and strands of hair.

use glam::{Vec2, Vec3};

use super::letters;
use super::look::{Bottom, Look, Top};
use super::texture::{Canvas, Colour, Texture, hsv, luminance, noise, srgb};
use crate::sim::roll::Roll;

/// Words that shirts say.
const WORDS: [&str; 8] = ["OCEAN", "72", "NORTH", "RUN", "CIAO", "88", "HELLO", "WILD"];

/// How a cloth is coloured.
#[derive(Clone, Copy, Debug)]
enum Pattern {
    Plain,
    /// Across the body.
    Stripes(f32),
    /// Along it.
    Pinstripes(f32),
    Checks(f32),
    Dots(f32),
    Denim,
    /// Blotches of three tones.
    Camouflage,
}

/// Textures of trunk, sleeves, legs and carrier.
pub(super) fn wardrobe(roll: &mut Roll, look: &mut Look) -> [Texture; 4] {
    let seed = roll.number() as u32;
    let (base, second) = (garment(roll), garment(roll));
    let size = |roll: &mut Roll| roll.uniform(5.0, 22.0) as f32;
    let pattern = match roll.whole(0, 12) {
        0 | 1 => Pattern::Stripes(size(roll)),
        2 => Pattern::Pinstripes(size(roll)),
        3 | 4 => Pattern::Checks(size(roll)),
        5 => Pattern::Dots(size(roll)),
        6 => Pattern::Camouflage,
        _ => Pattern::Plain,
    };
    let mut trunk = Canvas::new(256, 160, base);
    weave(&mut trunk, pattern, base, second, seed);
    if look.top == Top::Jacket {
        open_front(roll, &mut trunk, second, seed);
    } else if matches!(pattern, Pattern::Plain) && roll.chance(0.55) {
        print(roll, &mut trunk, base);
    }
    if look.top == Top::Hoodie {
        let dark = base * 0.72;
        trunk.rect(104.0, 104.0, 152.0, 108.0, dark);
        trunk.stroke(Vec2::new(104.0, 106.0), Vec2::new(92.0, 142.0), 2.0, dark);
        trunk.stroke(Vec2::new(152.0, 106.0), Vec2::new(164.0, 142.0), 2.0, dark);
    }
    folds(&mut trunk, seed);
    let mut sleeve = Canvas::new(96, 160, base);
    weave(&mut sleeve, pattern, base, second, seed);
    folds(&mut sleeve, seed ^ 77);
    let trousers = trousers(roll, look.bottom);
    let denim = roll.chance(0.4) && look.bottom != Bottom::Skirt;
    let ground = if denim { srgb(0x0037_4a66) * roll.uniform(0.5, 1.7) as f32 } else { trousers };
    let mut legs = Canvas::new(96, 160, ground);
    let pattern = if denim { Pattern::Denim } else { leg_pattern(roll) };
    weave(&mut legs, pattern, ground, second, seed ^ 5);
    folds(&mut legs, seed ^ 6);
    let mut carrier = Canvas::new(64, 64, hsv(roll.uniform(0.0, 1.0), roll.uniform(0.1, 0.9), roll.uniform(0.3, 0.95)));
    folds(&mut carrier, seed ^ 7);
    [trunk.texture(), sleeve.texture(), legs.texture(), carrier.texture()]
}

fn garment(roll: &mut Roll) -> Colour {
    match roll.whole(0, 5) {
        0 => Vec3::splat(roll.uniform(0.015, 0.06) as f32),
        1 => Vec3::splat(roll.uniform(0.55, 0.85) as f32),
        2 => hsv(roll.uniform(0.0, 1.0), roll.uniform(0.05, 0.3), roll.uniform(0.3, 0.9)),
        _ => hsv(roll.uniform(0.0, 1.0), roll.uniform(0.4, 0.95), roll.uniform(0.25, 0.9)),
    }
}

fn trousers(roll: &mut Roll, bottom: Bottom) -> Colour {
    match (bottom, roll.whole(0, 4)) {
        (Bottom::Skirt | Bottom::LongSkirt, _) => garment(roll),
        (_, 0 | 1) => Vec3::splat(roll.uniform(0.015, 0.07) as f32),
        (_, 2) => hsv(0.1, roll.uniform(0.15, 0.4), roll.uniform(0.45, 0.8)),
        (_, 3) => hsv(0.6, roll.uniform(0.2, 0.5), roll.uniform(0.15, 0.4)),
        _ => garment(roll) * 0.8,
    }
}

fn leg_pattern(roll: &mut Roll) -> Pattern {
    match roll.whole(0, 9) {
        0 => Pattern::Checks(18.0),
        1 => Pattern::Camouflage,
        2 => Pattern::Dots(12.0),
        _ => Pattern::Plain,
    }
}

fn weave(canvas: &mut Canvas, pattern: Pattern, base: Colour, second: Colour, seed: u32) {
    canvas.wash(|at, _| match pattern {
        Pattern::Plain => base * (1.0 + 0.04 * noise(seed, at, 1.5)),
        Pattern::Stripes(pitch) => {
            if at.y.rem_euclid(pitch * 2.0) < pitch {
                base
            } else {
                second
            }
        }
        Pattern::Pinstripes(pitch) => {
            if at.x.rem_euclid(pitch) < pitch * 0.3 {
                second
            } else {
                base
            }
        }
        Pattern::Checks(pitch) => {
            let across = if at.x.rem_euclid(pitch) < pitch * 0.45 { 0.5 } else { 0.0 };
            let along = if at.y.rem_euclid(pitch) < pitch * 0.45 { 0.5 } else { 0.0 };
            base.lerp(second, across + along)
        }
        Pattern::Dots(pitch) => {
            let row = (at.y / pitch).floor();
            let x = (at.x + row * pitch * 0.5).rem_euclid(pitch) - pitch / 2.0;
            let inside = Vec2::new(x, at.y.rem_euclid(pitch) - pitch / 2.0).length() < pitch * 0.24;
            if inside { second } else { base }
        }
        Pattern::Denim => {
            base * (1.0 + 0.22 * noise(seed, Vec2::new(at.x * 2.0, at.y), 1.4) + 0.2 * noise(seed ^ 1, at, 30.0))
        }
        Pattern::Camouflage => {
            let tone = noise(seed, at, 17.0) + 0.5 * noise(seed ^ 1, at, 7.0);
            if tone < -0.25 {
                base
            } else if tone < 0.3 {
                base.lerp(second, 0.6)
            } else {
                second * 0.5
            }
        }
    });
}

/// Darker and lighter runs where cloth folds, mostly along the body.
fn folds(canvas: &mut Canvas, seed: u32) {
    canvas.wash(|at, old| {
        let long = noise(seed ^ 31, Vec2::new(at.x, at.y * 0.45), 13.0);
        let short = noise(seed ^ 32, Vec2::new(at.x * 0.5 + at.y * 0.3, at.y), 8.0);
        old * (1.0 + 0.13 * long + 0.07 * short)
    });
}

/// The shirt that an open jacket shows, with the jacket's rims.
fn open_front(roll: &mut Roll, trunk: &mut Canvas, shirt: Colour, seed: u32) {
    let (w, h) = (trunk.width as f32, trunk.height as f32);
    let half = roll.uniform(9.0, 24.0) as f32;
    let zip = Vec3::splat(0.25);
    trunk.wash(|at, old| {
        let off = (at.x - w / 2.0).abs() - half * (0.55 + 0.45 * at.y / h);
        if off < -1.5 {
            shirt * (1.0 + 0.05 * noise(seed ^ 40, at, 3.0)) * 0.85
        } else if off < 0.0 {
            zip
        } else if off < 3.0 {
            old * 0.7
        } else {
            old
        }
    });
}

/// Something printed on the chest.
fn print(roll: &mut Roll, trunk: &mut Canvas, base: Colour) {
    let middle = Vec2::new(128.0, 56.0);
    let bright = luminance(base) < 0.25;
    let ink = if bright { hsv(roll.uniform(0.0, 1.0), 0.25, 0.95) } else { hsv(roll.uniform(0.0, 1.0), 0.8, 0.4) };
    match roll.whole(0, 3) {
        0 => {
            let word = *roll.pick(&WORDS).unwrap_or(&"");
            letters::write(trunk, word, middle, Vec2::new(62.0, 20.0), ink);
        }
        1 => {
            let other = hsv(roll.uniform(0.0, 1.0), 0.7, 0.8);
            trunk.ellipse(middle, Vec2::new(22.0, 20.0), ink);
            trunk.ellipse(middle + Vec2::new(5.0, -3.0), Vec2::new(12.0, 11.0), other);
        }
        2 => trunk.rect(0.0, 40.0, 256.0, 62.0, ink),
        _ => trunk.ellipse(Vec2::new(148.0, 44.0), Vec2::new(5.0, 4.0), ink),
    }
}

/// Strands of hair, light enough to be multiplied with its colour.
pub(super) fn strands(roll: &mut Roll) -> Texture {
    let seed = roll.number() as u32;
    let mut canvas = Canvas::new(128, 64, Vec3::splat(0.8));
    canvas.wash(|at, old| {
        let fine = noise(seed, Vec2::new(at.x * 2.0, at.y * 0.12), 2.0);
        let broad = noise(seed ^ 1, Vec2::new(at.x, at.y * 0.3), 9.0);
        old * (1.0 + 0.22 * fine + 0.16 * broad)
    });
    canvas.texture()
}
