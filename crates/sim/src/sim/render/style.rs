//! How a shop is lit and furnished and what its cameras do to the picture: one standard, or another by seed.

use glam::Vec3;

use super::texture::{Colour, hsv, srgb};
use crate::sim::roll::Roll;

/// What the floor is laid with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FloorKind {
    /// Square tiles.
    Tiles,
    /// Boards.
    Wood,
    /// One cast surface with specks.
    Terrazzo,
}

/// Light, colours and cameras of a shop.
#[derive(Clone, Debug)]
pub(in crate::sim) struct Style {
    pub(super) floor: FloorKind,
    pub(super) floor_colour: Colour,
    /// Side of a tile or width of a board, metres.
    pub(super) floor_pitch: f32,
    pub(super) floor_gloss: f32,
    pub(super) wall: Colour,
    pub(super) dado: Colour,
    pub(super) ceiling: Colour,
    pub(super) board: Colour,
    pub(super) rack: Colour,
    pub(super) rail: Colour,
    /// Whether the backs of gondolas are pegboard.
    pub(super) pegs: bool,
    pub(super) gate: Colour,
    /// Light of all panels together, against that which comes from everywhere.
    pub(super) direct: f32,
    pub(super) ambient: f32,
    /// Colour of the panels' light.
    pub(super) lamp: Colour,
    /// Metres between panels.
    pub(super) lamp_pitch: f32,
    /// Daylight from one side: heading in radians and strength.
    pub(super) window: (f32, f32),
    /// What the camera makes of the light.
    pub(super) sensor: SensorStyle,
    /// Varies textures.
    pub(super) grain: u32,
}

/// What a camera does to light.
#[derive(Clone, Copy, Debug)]
pub(super) struct SensorStyle {
    pub(super) exposure: f32,
    /// Gains of red and blue against green.
    pub(super) balance: [f32; 2],
    /// Light lost in the corners, `0..1`.
    pub(super) vignette: f32,
    /// Noise of the light itself, as standard deviation at white.
    pub(super) shot_noise: f32,
    /// Noise of reading out, as standard deviation.
    pub(super) read_noise: f32,
    /// Standard deviation of the blur, pixels.
    pub(super) blur: f32,
    /// 1 for the plain sRGB curve, more for a steeper one.
    pub(super) contrast: f32,
    /// 1 for colours as they are.
    pub(super) saturation: f32,
}

impl Style {
    /// A bright shop with light tiles and an ordinary camera.
    pub(in crate::sim) fn standard() -> Self {
        Style {
            floor: FloorKind::Tiles,
            floor_colour: srgb(0x00b9_b4a9),
            floor_pitch: 0.45,
            floor_gloss: 0.035,
            wall: srgb(0x00e6_e2d8),
            dado: srgb(0x005b_7f8c),
            ceiling: srgb(0x00ec_ebe6),
            board: srgb(0x00dc_dcd8),
            rack: srgb(0x00b8_babc),
            rail: srgb(0x00e8_e4d4),
            pegs: true,
            gate: srgb(0x00b4_b8bc),
            direct: 1.0,
            ambient: 0.34,
            lamp: Vec3::new(1.0, 0.97, 0.9),
            lamp_pitch: 1.8,
            window: (-1.6, 0.05),
            sensor: SensorStyle {
                exposure: 1.35,
                balance: [1.0, 1.0],
                vignette: 0.2,
                shot_noise: 0.018,
                read_noise: 0.0025,
                blur: 0.4,
                contrast: 1.08,
                saturation: 1.0,
            },
            grain: 1,
        }
    }

    /// Another shop for every seed: light, colours, materials and cameras all vary.
    pub(in crate::sim) fn varied(seed: u64) -> Self {
        let mut roll = Roll::new(seed, "style");
        let mut real = |low: f64, high: f64| roll.uniform(low, high);
        let floor_pitch = real(0.2, 0.65) as f32;
        let warmth = real(-0.16, 0.18) as f32;
        let floor_hue = real(0.0, 1.0);
        let floor_value = real(0.25, 0.9);
        let sensor = SensorStyle {
            exposure: real(-0.3, 0.45).exp() as f32,
            balance: [real(0.88, 1.12) as f32, real(0.86, 1.14) as f32],
            vignette: real(0.0, 0.45) as f32,
            shot_noise: real(0.004, 0.05) as f32,
            read_noise: real(0.0005, 0.012) as f32,
            blur: real(0.2, 0.85) as f32,
            contrast: real(0.9, 1.25) as f32,
            saturation: real(0.65, 1.2) as f32,
        };
        let wall = hsv(real(0.0, 1.0), real(0.0, 0.3), real(0.4, 0.97));
        let dado = hsv(real(0.0, 1.0), real(0.0, 0.7), real(0.2, 0.9));
        let ceiling = hsv(real(0.0, 1.0), real(0.0, 0.05), real(0.3, 0.96));
        let furniture = hsv(real(0.0, 1.0), real(0.0, 0.35), real(0.15, 0.95));
        let rack = furniture.lerp(hsv(real(0.0, 1.0), 0.1, 0.6), real(0.0, 0.7) as f32);
        let rail = hsv(real(0.0, 1.0), real(0.0, 0.9), real(0.5, 1.0));
        let gate = hsv(real(0.0, 1.0), real(0.0, 0.4), real(0.15, 0.85));
        let (direct, ambient) = (real(0.55, 1.35) as f32, real(0.16, 0.6) as f32);
        let (lamp_pitch, window) = (real(1.2, 3.0) as f32, (real(-3.2, 3.2) as f32, real(0.0, 0.4) as f32));
        let (floor_gloss, floor_saturation) = (real(0.0, 0.09) as f32, real(0.0, 0.28));
        let (pegs, grain) = (roll.chance(0.4), roll.number() as u32);
        let floor = *roll.pick(&[FloorKind::Tiles, FloorKind::Wood, FloorKind::Terrazzo]).unwrap_or(&FloorKind::Tiles);
        let floor_colour = match floor {
            FloorKind::Wood => hsv(0.04 + floor_hue * 0.06, 0.25 + floor_saturation, floor_value * 0.8),
            FloorKind::Tiles | FloorKind::Terrazzo => hsv(floor_hue, floor_saturation, floor_value),
        };
        Style {
            floor,
            floor_colour,
            floor_pitch: if floor == FloorKind::Wood { floor_pitch * 0.4 } else { floor_pitch },
            floor_gloss,
            wall,
            dado,
            ceiling,
            board: furniture,
            rack,
            rail,
            pegs,
            gate,
            direct,
            ambient,
            lamp: Vec3::new(1.0 + warmth, 1.0, 1.0 - warmth),
            lamp_pitch,
            window,
            sensor,
            grain,
        }
    }
}
