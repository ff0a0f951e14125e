//! Surfaces of the building and its furniture: what each is painted with.

use glam::{Vec2, Vec3};

use super::letters;
use super::style::{FloorKind, Style};
use super::texture::{Canvas, Texture, noise, srgb};
use crate::sim::roll::Roll;

/// What something of the shop is made of; its number is its paint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Material {
    /// Plain; its colour is its tint.
    White,
    Floor,
    Ceiling,
    Plaster,
    /// Backs of gondolas.
    Back,
    /// Boards of gondolas.
    Board,
    /// Price rails.
    Rail,
    Metal,
    /// Gives light itself.
    Lamp,
    /// Behind a door.
    Outside,
    SignIn,
    SignOut,
    /// Lets light through.
    Glass,
}

/// All of them, by paint.
pub(super) const MATERIALS: [Material; 13] = [
    Material::White,
    Material::Floor,
    Material::Ceiling,
    Material::Plaster,
    Material::Back,
    Material::Board,
    Material::Rail,
    Material::Metal,
    Material::Lamp,
    Material::Outside,
    Material::SignIn,
    Material::SignOut,
    Material::Glass,
];

impl Material {
    pub(super) fn paint(self) -> u16 {
        self as u16
    }

    /// How many metres its texture covers.
    pub(super) fn metres(self, style: &Style) -> f32 {
        match self {
            Material::Floor => style.floor_pitch * 4.0,
            Material::Ceiling => 2.4,
            _ => 1.0,
        }
    }

    /// Whether it shines by itself instead of being lit.
    pub(super) fn glows(self) -> bool {
        matches!(self, Material::Lamp | Material::Outside | Material::SignIn | Material::SignOut)
    }

    /// How much of the lamps is mirrored.
    pub(super) fn gloss(self, style: &Style) -> f32 {
        match self {
            Material::Floor => style.floor_gloss,
            Material::Metal => 0.12,
            Material::Glass => 0.1,
            Material::Rail | Material::Board => 0.02,
            _ => 0.0,
        }
    }

    pub(super) fn texture(self, style: &Style) -> Texture {
        match self {
            Material::White | Material::Metal => Texture::plain(Vec3::ONE),
            Material::Glass => Texture::plain(Vec3::new(0.55, 0.7, 0.72)),
            Material::Lamp => lamp(style),
            Material::Floor => floor(style),
            Material::Ceiling => ceiling(style),
            Material::Plaster => plaster(style),
            Material::Back => back(style),
            Material::Board => board(style),
            Material::Rail => rail(style),
            Material::Outside => outside(style),
            Material::SignIn => sign("ENTRANCE", srgb(0x0018_7a45)),
            Material::SignOut => sign("EXIT", srgb(0x000f_6b52)),
        }
    }
}

fn lamp(style: &Style) -> Texture {
    let mut canvas = Canvas::new(32, 32, Vec3::splat(0.5));
    let colour = (style.lamp / style.lamp.max_element()).min(Vec3::ONE);
    canvas.rect(1.5, 1.5, 30.5, 30.5, colour);
    canvas.texture()
}

/// Four by four tiles, or boards, or specks.
fn floor(style: &Style) -> Texture {
    let side = 256.0_f32;
    let mut canvas = Canvas::new(256, 256, style.floor_colour);
    let grain = style.grain;
    let cell = side / 4.0;
    match style.floor {
        FloorKind::Tiles => canvas.wash(|at, old| {
            let place = (at / cell).floor();
            let shade = 1.0 + 0.05 * noise(grain, place * 17.0 + Vec2::splat(0.5), 1.0);
            let inside = (at / cell - place) * cell;
            let rim = inside.min(Vec2::splat(cell) - inside).min_element();
            let grout = ((1.6 - rim) / 1.2).clamp(0.0, 1.0);
            let fleck = 1.0 + 0.05 * noise(grain ^ 1, at, 5.0) + 0.03 * noise(grain ^ 2, at, 1.6);
            old * shade * fleck * (1.0 - 0.4 * grout)
        }),
        FloorKind::Wood => canvas.wash(|at, old| {
            let board = (at.y / (side / 8.0)).floor();
            let shift = noise(grain, Vec2::new(board * 13.0, 3.0), 1.0) * side;
            let end = ((at.x + shift).rem_euclid(side)).min(side - (at.x + shift).rem_euclid(side));
            let inside = at.y - board * side / 8.0;
            let seam = if inside < 1.0 || end < 0.8 { 0.6 } else { 1.0 };
            let shade = 1.0 + 0.16 * noise(grain ^ 1, Vec2::new(board * 7.0, 1.0), 1.0);
            let veins = 1.0 + 0.12 * noise(grain ^ 2, Vec2::new((at.x + shift) * 0.08, at.y), 2.2);
            old * shade * veins * seam
        }),
        FloorKind::Terrazzo => {
            let mut roll = Roll::new(u64::from(grain), "terrazzo");
            for _ in 0..900 {
                let at = Vec2::new(roll.uniform(0.0, 256.0) as f32, roll.uniform(0.0, 256.0) as f32);
                let tone = style.floor_colour * roll.uniform(0.5, 1.5) as f32;
                let radii = Vec2::new(roll.uniform(0.6, 3.0) as f32, roll.uniform(0.6, 3.0) as f32);
                canvas.ellipse(at, radii, tone.min(Vec3::splat(0.95)));
            }
        }
    }
    canvas.texture()
}

fn ceiling(style: &Style) -> Texture {
    let mut canvas = Canvas::new(128, 128, Vec3::ONE);
    let grain = style.grain;
    canvas.wash(|at, old| {
        let inside = Vec2::new(at.x.rem_euclid(32.0), at.y.rem_euclid(32.0));
        let seam = if inside.min_element() < 1.0 { 0.72 } else { 1.0 };
        old * seam * (0.96 + 0.04 * noise(grain ^ 9, at, 1.5))
    });
    canvas.texture()
}

fn plaster(style: &Style) -> Texture {
    let mut canvas = Canvas::new(128, 128, Vec3::ONE);
    let grain = style.grain;
    canvas.wash(|at, old| old * (0.95 + 0.03 * noise(grain ^ 5, at, 24.0) + 0.02 * noise(grain ^ 6, at, 2.0)));
    canvas.texture()
}

fn back(style: &Style) -> Texture {
    let mut canvas = Canvas::new(128, 128, Vec3::ONE);
    if style.pegs {
        for index in 0..64 {
            let at = Vec2::new((index % 8) as f32, (index / 8) as f32) * 16.0 + Vec2::splat(8.0);
            canvas.ellipse(at, Vec2::splat(1.7), Vec3::splat(0.12));
        }
    } else {
        canvas.wash(|at, old| if at.y.rem_euclid(32.0) < 1.5 { old * 0.6 } else { old });
    }
    canvas.texture()
}

fn board(style: &Style) -> Texture {
    let mut canvas = Canvas::new(64, 64, Vec3::ONE);
    let grain = style.grain;
    canvas.wash(|at, old| old * (0.96 + 0.04 * noise(grain ^ 3, at, 3.0)));
    canvas.texture()
}

/// A metre of price labels.
fn rail(style: &Style) -> Texture {
    let mut canvas = Canvas::new(512, 20, style.rail);
    let mut roll = Roll::new(u64::from(style.grain), "rail");
    for label in 0..8 {
        let left = 64.0 * label as f32 + roll.uniform(4.0, 14.0) as f32;
        let wide = roll.uniform(34.0, 44.0) as f32;
        let paper = if roll.chance(0.15) { srgb(0x00ff_e14d) } else { srgb(0x00fb_fbf8) };
        canvas.rect(left, 1.5, left + wide, 18.5, paper);
        let price = format!("{}.{}9", roll.whole(0, 9), roll.whole(0, 9));
        letters::write(
            &mut canvas,
            &price,
            Vec2::new(left + wide * 0.66, 10.0),
            Vec2::new(wide * 0.55, 12.0),
            srgb(0x0015_1515),
        );
        canvas.rect(left + 3.0, 5.0, left + wide * 0.3, 7.0, Vec3::splat(0.2));
        canvas.rect(left + 3.0, 9.0, left + wide * 0.24, 11.0, Vec3::splat(0.3));
        canvas.rect(left + 3.0, 13.0, left + wide * 0.3, 16.0, Vec3::splat(0.12));
    }
    canvas.texture()
}

fn outside(style: &Style) -> Texture {
    let mut canvas = Canvas::new(64, 128, Vec3::splat(0.8));
    let grain = style.grain;
    canvas.wash(|at, _| {
        let sky = srgb(0x00cf_dde8).lerp(srgb(0x0088_8a86), (at.y / 128.0 * 1.5 - 0.4).clamp(0.0, 1.0));
        sky * (0.85 + 0.15 * noise(grain ^ 11, at, 17.0))
    });
    canvas.rect(4.0, 60.0, 7.0, 76.0, Vec3::splat(0.15));
    canvas.texture()
}

fn sign(word: &str, ground: Vec3) -> Texture {
    let mut canvas = Canvas::new(128, 38, ground);
    letters::write(&mut canvas, word, Vec2::new(64.0, 19.0), Vec2::new(108.0, 22.0), Vec3::splat(0.95));
    canvas.texture()
}
