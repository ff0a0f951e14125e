//! How a shopper looks: build, skin, hair, face and clothing, from a seed.

use glam::Vec3;

use super::texture::{Colour, Texture, hsv, srgb};
use crate::sim::roll::Roll;

/// Paints of a body, in the order of a look's textures.
pub(super) const FACE: u16 = 0;
pub(super) const PLAIN: u16 = 1;
pub(super) const HAIR: u16 = 2;
pub(super) const TOP: u16 = 3;
pub(super) const SLEEVE: u16 = 4;
pub(super) const BOTTOM: u16 = 5;
pub(super) const CARRIER: u16 = 6;

/// Skin from the lightest to the darkest, after the scale of Monk (2019).
const SKINS: [u32; 10] = [
    0x00f6_ede4,
    0x00f3_e7db,
    0x00f7_ead0,
    0x00ea_daba,
    0x00d7_bd96,
    0x00a0_7e56,
    0x0082_5c43,
    0x0060_4134,
    0x003a_312a,
    0x0029_2420,
];

/// What grows or sits on a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hair {
    Bald,
    Cropped,
    Short,
    Quiff,
    Curly,
    Bob,
    Long,
    Bun,
    Ponytail,
    /// A cap with a visor.
    Cap,
    /// A knitted cap.
    Beanie,
    /// The hood of a hoodie, up.
    Hood,
    Headscarf,
}

/// What the upper body wears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Top {
    TShirt,
    LongSleeve,
    /// Open over a shirt.
    Jacket,
    Hoodie,
    /// A T-shirt that goes on as a skirt.
    Dress,
}

/// What the legs wear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bottom {
    Trousers,
    Slim,
    Shorts,
    Skirt,
    LongSkirt,
}

/// The measures of a build, as factors on an average one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Build {
    /// Limbs and trunk all around.
    pub(super) girth: f32,
    pub(super) belly: f32,
    pub(super) bust: f32,
    pub(super) hips: f32,
    pub(super) shoulders: f32,
    pub(super) jaw: f32,
    pub(super) face_width: f32,
    pub(super) nose: f32,
}

/// Appearance of a shopper.
pub(in crate::sim) struct Look {
    pub(super) build: Build,
    pub(super) skin: Colour,
    pub(super) hair: Hair,
    pub(super) hair_colour: Colour,
    /// Of caps, scarves and hoods.
    pub(super) headwear: Colour,
    pub(super) glasses: Option<Colour>,
    pub(super) beard: bool,
    pub(super) top: Top,
    pub(super) bottom: Bottom,
    pub(super) shoes: Colour,
    /// By paint.
    pub(super) textures: Vec<Texture>,
}

impl Look {
    /// An appearance without textures, and whether it is a woman's.
    pub(super) fn bare(roll: &mut Roll) -> (Self, bool) {
        let woman = roll.chance(0.5);
        let build = build(roll, woman);
        let depth = roll.uniform(0.0, SKINS.len() as f64 - 1.001);
        let (lighter, darker) = (srgb(SKINS[depth as usize]), srgb(SKINS[depth as usize + 1]));
        let warm = Vec3::new(1.0, roll.uniform(0.9, 1.0) as f32, roll.uniform(0.82, 1.0) as f32);
        // The scale is of screens, where the lightest is nearly white; as a surface skin is redder, and never as
        // dark or as light.
        let skin = lighter.lerp(darker, depth.fract() as f32) * warm * Vec3::new(0.76, 0.7, 0.66)
            + Vec3::new(0.022, 0.014, 0.011);
        let hair = hair_style(roll, woman);
        let hair_colour = hair_colour(roll, depth);
        let headwear = hsv(roll.uniform(0.0, 1.0), roll.uniform(0.0, 0.9), roll.uniform(0.08, 0.95));
        let glasses = roll.chance(0.28).then(|| hsv(roll.uniform(0.0, 1.0), 0.4, roll.uniform(0.02, 0.35)));
        let beard = !woman && roll.chance(0.42);
        let hood = hair == Hair::Hood;
        let top = match roll.whole(0, 9) {
            _ if hood => Top::Hoodie,
            0..=3 => Top::TShirt,
            4 | 5 => Top::LongSleeve,
            6 | 7 => Top::Jacket,
            8 if woman => Top::Dress,
            _ => Top::Hoodie,
        };
        let bottom = match roll.whole(0, 9) {
            0 | 1 if woman => Bottom::Skirt,
            2 if woman => Bottom::LongSkirt,
            3 | 4 => Bottom::Shorts,
            5 | 6 => Bottom::Slim,
            _ => Bottom::Trousers,
        };
        let shoes = hsv(roll.uniform(0.0, 1.0), roll.uniform(0.0, 0.7), roll.uniform(0.04, 0.95));
        let look =
            Look { build, skin, hair, hair_colour, headwear, glasses, beard, top, bottom, shoes, textures: Vec::new() };
        (look, woman)
    }
}

fn build(roll: &mut Roll, woman: bool) -> Build {
    let girth = roll.bounded(1.0, 0.1).clamp(0.8, 1.3) as f32;
    let heavy = (girth - 1.0).max(0.0);
    let mut real = |low: f64, high: f64| roll.uniform(low, high) as f32;
    Build {
        girth,
        belly: 1.0 + heavy * 1.3 + real(-0.06, 0.1),
        bust: if woman { real(1.08, 1.3) } else { real(0.95, 1.06) },
        hips: if woman { real(1.02, 1.16) } else { real(0.93, 1.03) },
        shoulders: if woman { real(0.9, 0.98) } else { real(0.98, 1.1) },
        jaw: if woman { real(0.84, 0.98) } else { real(0.95, 1.14) },
        face_width: real(0.93, 1.07),
        nose: real(0.75, 1.35),
    }
}

fn hair_style(roll: &mut Roll, woman: bool) -> Hair {
    if roll.chance(0.24) {
        let wear = [Hair::Cap, Hair::Beanie, Hair::Hood, Hair::Cap];
        let worn = [Hair::Headscarf, Hair::Beanie, Hair::Cap, Hair::Headscarf, Hair::Hood];
        let of = if woman { &worn[..] } else { &wear[..] };
        return *roll.pick(of).unwrap_or(&Hair::Cap);
    }
    let men = [Hair::Bald, Hair::Cropped, Hair::Short, Hair::Short, Hair::Quiff, Hair::Quiff, Hair::Curly, Hair::Long];
    let women = [Hair::Long, Hair::Long, Hair::Bob, Hair::Bob, Hair::Bun, Hair::Ponytail, Hair::Curly, Hair::Short];
    *roll.pick(if woman { &women } else { &men }).unwrap_or(&Hair::Short)
}

fn hair_colour(roll: &mut Roll, skin_depth: f64) -> Colour {
    let dark = [0x0012_0e0c, 0x001c_1410, 0x002a_1c14];
    let light = [0x003b_2618, 0x0058_3a22, 0x007a_5530, 0x00b0_8a4e, 0x00d2_b27a, 0x0084_3a1c, 0x0024_1a14];
    if roll.chance(0.12) {
        return Vec3::splat(roll.uniform(0.3, 0.7) as f32);
    }
    if roll.chance(0.04) {
        return hsv(roll.uniform(0.0, 1.0), 0.7, 0.7);
    }
    let tones = if 4.5 < skin_depth || roll.chance(0.3) { &dark[..] } else { &light[..] };
    srgb(*roll.pick(tones).unwrap_or(&0)) * roll.uniform(0.8, 1.25) as f32
}
