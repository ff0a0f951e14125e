//! What is printed on a package: colours and shapes of its brand, words, a picture, small print on the back.
//! The same product looks the same each time, and products of one brand look related.

use glam::{Vec2, Vec3};

use super::letters;
use super::texture::{Canvas, Colour, Texture, hsv, luminance, noise, srgb};
use crate::shop::{Package, PackageShape, Product};
use crate::sim::roll::Roll;

/// Texels of a metre of package.
const TEXELS_PER_METRE: f64 = 1_250.0;
/// Sides of a texture, texels.
const SIDE_TEXELS: (f64, f64) = (48.0, 640.0);

/// Colours of a brand and of one of its products.
struct Palette {
    ground: Colour,
    main: Colour,
    accent: Colour,
    /// Of the product's own variety.
    variety: Colour,
    ink: Colour,
}

/// What a brand's packages have in common.
struct Brand {
    word: String,
    layout: usize,
    emblem: usize,
    palette: Palette,
}

/// The printed skin of a package: around it from the back, its front in the middle.
pub(super) struct Artwork {
    pub(super) skin: Texture,
    /// Of caps and lids.
    pub(super) cap: Colour,
}

/// Splits a name into brand, what it is, and how much.
fn words(name: &str) -> (String, String, String) {
    let words: Vec<&str> = name.split_whitespace().collect();
    let is_amount = |word: &str| word.starts_with(|first: char| first.is_ascii_digit());
    let amount = words.iter().position(|word| is_amount(word)).unwrap_or(words.len());
    let brand = words.first().copied().unwrap_or("No name").to_owned();
    (brand, words[1.min(amount)..amount].join(" "), words[amount..].join(" "))
}

impl Brand {
    fn of(word: String, product: &Product) -> Self {
        let mut roll = Roll::new(0, &format!("brand {}", word.to_lowercase()));
        let hue = roll.uniform(0.0, 1.0);
        let main = hsv(hue, roll.uniform(0.55, 0.98), roll.uniform(0.35, 0.92));
        let accent = hsv(hue + roll.uniform(0.25, 0.75), roll.uniform(0.5, 1.0), roll.uniform(0.6, 1.0));
        let ground = match roll.whole(0, 4) {
            0 | 1 => hsv(hue, roll.uniform(0.0, 0.08), roll.uniform(0.9, 1.0)),
            2 => hsv(hue, roll.uniform(0.5, 0.9), roll.uniform(0.1, 0.3)),
            _ => hsv(hue + 0.08, roll.uniform(0.25, 0.6), roll.uniform(0.8, 1.0)),
        };
        let (layout, emblem) = (roll.whole(0, 5), roll.whole(0, 4));
        let mut own = Roll::new(0, &format!("variety {} {}", product.sku, product.name));
        let variety = hsv(own.uniform(0.0, 1.0), own.uniform(0.55, 1.0), own.uniform(0.45, 0.95));
        let ink = contrast(main);
        Brand { word, layout, emblem, palette: Palette { ground, main, accent, variety, ink } }
    }
}

/// What can be read on a colour.
fn contrast(ground: Colour) -> Colour {
    if luminance(ground) < 0.3 { srgb(0x00fb_faf5) } else { srgb(0x0018_181c) }
}

impl Artwork {
    /// Paints a product.
    pub(super) fn of(product: &Product, package: &Package) -> Self {
        let (word, what, amount) = words(&product.name);
        let brand = Brand::of(word, product);
        let mut own = Roll::new(1, &format!("artwork {} {}", product.sku, product.name));
        let [width, depth, height] = package.size_metres;
        let texels = |metres: f64| (metres * TEXELS_PER_METRE).clamp(SIDE_TEXELS.0, SIDE_TEXELS.1) as usize;
        let around = match package.shape {
            PackageShape::Box => 2.0 * (width + depth),
            PackageShape::Bag => 2.0 * width,
            PackageShape::Bottle | PackageShape::Can => std::f64::consts::PI * (width + depth) / 2.0,
        };
        let (wide, high) = (texels(around), texels(height));
        let share = if package.shape == PackageShape::Box { width / around } else { 0.46 };
        let panel = ((wide as f64 * share) as usize).max(8);
        let body = liquid(&mut own, &brand.palette);
        // A bottle's label is a belt; the other packages are printed from top to bottom.
        let (top, label) = match package.shape {
            PackageShape::Bottle => (high * 40 / 100, high * 45 / 100),
            PackageShape::Can | PackageShape::Box | PackageShape::Bag => (0, high),
        };
        let mut skin =
            Canvas::new(wide, high, if package.shape == PackageShape::Bottle { body } else { brand.palette.ground });
        let mut front = Canvas::new(panel, label, brand.palette.ground);
        let mut sheet = Canvas::new(wide, label, brand.palette.ground);
        ground(&mut sheet, &brand);
        paint_front(&mut front, &brand, &mut own, (&what, &amount));
        let back = paint_back(panel, label, &brand, &what);
        sheet.put_around((wide - panel) / 2, 0, &front);
        sheet.put_around(wide - panel / 2, 0, &back);
        skin.put_around(0, top, &sheet);
        finish(&mut skin, package.shape);
        let cap = if own.chance(0.5) { brand.palette.accent } else { brand.palette.main };
        Artwork { skin: skin.texture(), cap }
    }
}

/// The colour of what is in a bottle.
fn liquid(own: &mut Roll, palette: &Palette) -> Colour {
    match own.whole(0, 4) {
        0 => srgb(0x00bf_d8e2),
        1 => srgb(0x0046_1d10),
        2 => srgb(0x00d9_8a1e),
        3 => srgb(0x0033_6b3a),
        _ => palette.variety.lerp(Vec3::ONE, 0.2),
    }
}

/// The ground of a brand's packages, all around.
fn ground(sheet: &mut Canvas, brand: &Brand) {
    let (width, height) = (sheet.width as f32, sheet.height as f32);
    let palette = &brand.palette;
    match brand.layout {
        0 => sheet.rect(0.0, 0.0, width, height * 0.3, palette.main),
        1 => sheet
            .wash(|at, old| if (at.x + at.y).rem_euclid(height * 0.22) < height * 0.07 { palette.main } else { old }),
        2 => sheet.wash(|at, old| old.lerp(palette.main, at.y / height)),
        3 => sheet.rect(0.0, height * 0.72, width, height, palette.main),
        4 => sheet.wash(|at, old| {
            let wave = height * (0.55 + 0.07 * (at.x / width * 25.0).sin());
            if wave < at.y { palette.main } else { old }
        }),
        _ => sheet.wash(|at, old| {
            let cell = height * 0.11;
            let off = Vec2::new(at.x.rem_euclid(cell) - cell / 2.0, at.y.rem_euclid(cell) - cell / 2.0);
            if off.length() < cell * 0.22 { palette.main } else { old }
        }),
    }
    sheet.rect(0.0, height * 0.94, width, height * 0.97, palette.accent);
}

fn paint_front(front: &mut Canvas, brand: &Brand, own: &mut Roll, (what, amount): (&str, &str)) {
    let (w, h) = (front.width as f32, front.height as f32);
    let palette = &brand.palette;
    ground(front, brand);
    let plate = match brand.layout {
        0 => [0.0, 0.0, w, h * 0.3],
        1 | 5 => [w * 0.06, h * 0.08, w * 0.94, h * 0.32],
        3 => [0.0, h * 0.72, w, h],
        _ => [w * 0.04, h * 0.1, w * 0.96, h * 0.34],
    };
    let [left, top, right, bottom] = plate;
    let middle = Vec2::new((left + right) / 2.0, (top + bottom) / 2.0);
    match brand.layout {
        2 => front.ellipse(middle, Vec2::new(w * 0.47, h * 0.13), palette.accent),
        _ => front.rect(left, top, right, bottom, palette.main),
    }
    let ink = if brand.layout == 2 { contrast(palette.accent) } else { palette.ink };
    letters::write(front, &brand.word, middle, Vec2::new(w * 0.84, (bottom - top) * 0.55), ink);
    let picture = Vec2::new(w * 0.5, if brand.layout == 3 { h * 0.3 } else { h * 0.56 });
    let size = (w * 0.34).min(h * 0.2);
    emblem(front, brand, own, picture, size);
    let line = Vec2::new(w * 0.5, if brand.layout == 3 { h * 0.62 } else { h * 0.83 });
    front.rect(0.0, line.y - h * 0.065, w, line.y + h * 0.065, palette.variety);
    let ink = contrast(palette.variety);
    let parts: Vec<&str> = what.split_whitespace().collect();
    if parts.len() < 2 {
        letters::write(front, what, line, Vec2::new(w * 0.9, h * 0.075), ink);
    } else {
        let (first, rest) = (parts[0], parts[1..].join(" "));
        letters::write(front, first, line - Vec2::Y * h * 0.03, Vec2::new(w * 0.9, h * 0.045), ink);
        letters::write(front, &rest, line + Vec2::Y * h * 0.03, Vec2::new(w * 0.9, h * 0.045), ink);
    }
    let ground = front.at((w * 0.85) as usize, (h * 0.92) as usize);
    letters::write(front, amount, Vec2::new(w * 0.75, h * 0.92), Vec2::new(w * 0.4, h * 0.035), contrast(ground));
}

/// The picture on the front: what it shows follows from the brand, how from the product.
fn emblem(front: &mut Canvas, brand: &Brand, own: &mut Roll, at: Vec2, size: f32) {
    let palette = &brand.palette;
    let (tone, light) = (palette.variety, palette.variety.lerp(Vec3::ONE, 0.55));
    let dark = palette.variety * 0.35;
    front.ellipse(at, Vec2::splat(size * 1.06), Vec3::ONE * 0.9);
    match brand.emblem {
        0 => {
            // Fruit with a leaf.
            for _ in 0..own.whole(1, 3) {
                let off = Vec2::new(own.uniform(-0.4, 0.4) as f32, own.uniform(-0.2, 0.35) as f32) * size;
                front.ellipse(at + off, Vec2::splat(size * 0.5), tone);
                front.ellipse(at + off - Vec2::splat(size * 0.17), Vec2::splat(size * 0.13), light);
                front.stroke(
                    at + off - Vec2::Y * size * 0.48,
                    at + off + Vec2::new(0.28, -0.75) * size,
                    size * 0.14,
                    srgb(0x002f_7d32),
                );
            }
        }
        1 => {
            // A sun over hills.
            let rays = own.whole(8, 16);
            for ray in 0..rays {
                let way = Vec2::from_angle(ray as f32 / rays as f32 * std::f32::consts::TAU);
                front.stroke(at + way * size * 0.35, at + way * size * 0.85, size * 0.1, tone);
            }
            front.ellipse(at, Vec2::splat(size * 0.4), palette.accent);
        }
        2 => {
            // Grains in a bowl.
            front.shape([at.x - size, at.y, at.x + size, at.y + size], dark, |p| {
                ((p - at) / size).length().mul_add(size, -size * 0.8).max(at.y - p.y)
            });
            for _ in 0..own.whole(6, 14) {
                let off = Vec2::new(own.uniform(-0.6, 0.6) as f32, own.uniform(-0.5, 0.05) as f32) * size;
                front.ellipse(at + off, Vec2::new(size * 0.17, size * 0.1), tone);
            }
        }
        3 => {
            // Rings and a star.
            for ring in 0..4 {
                let colour = if ring % 2 == 0 { tone } else { light };
                front.ellipse(at, Vec2::splat(size * (0.95 - 0.22 * ring as f32)), colour);
            }
        }
        _ => {
            // Leaves.
            let leaves = own.whole(3, 7);
            for leaf in 0..leaves {
                let way = Vec2::from_angle(leaf as f32 / leaves as f32 * std::f32::consts::TAU + 0.3);
                front.stroke(
                    at + way * size * 0.15,
                    at + way * size * 0.72,
                    size * 0.3,
                    if leaf % 2 == 0 { tone } else { dark },
                );
            }
        }
    }
}

/// A table of values, small print and a bar code.
fn paint_back(width: usize, height: usize, brand: &Brand, what: &str) -> Canvas {
    let mut back = Canvas::new(width, height, brand.palette.ground);
    let (w, h) = (width as f32, height as f32);
    ground(&mut back, brand);
    let (paper, ink) = (srgb(0x00f6_f6f2), srgb(0x0024_2424));
    letters::write(
        &mut back,
        &brand.word,
        Vec2::new(w / 2.0, h * 0.1),
        Vec2::new(w * 0.7, h * 0.09),
        brand.palette.accent,
    );
    back.rect(w * 0.08, h * 0.2, w * 0.92, h * 0.62, paper);
    letters::write(&mut back, what, Vec2::new(w / 2.0, h * 0.24), Vec2::new(w * 0.7, h * 0.04), ink);
    for line in 0..9 {
        let y = h * (0.29 + 0.035 * line as f32);
        let long = 0.3 + 0.13 * ((line * 7 + brand.layout) % 4) as f32;
        back.rect(w * 0.12, y, w * (0.12 + long), y + h * 0.013, ink * 2.5);
        back.rect(w * 0.76, y, w * 0.87, y + h * 0.013, ink * 2.5);
    }
    back.rect(w * 0.25, h * 0.68, w * 0.75, h * 0.86, paper);
    let mut x = w * 0.29;
    let mut bits = what.bytes().fold(0x2545_f491_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    while x < w * 0.7 {
        let bar = w * 0.008 * (1 + (bits & 3)) as f32;
        back.rect(x, h * 0.7, x + bar, h * 0.84, ink);
        x += bar + w * 0.008 * (1 + (bits >> 2 & 3)) as f32;
        bits = bits.rotate_right(5).wrapping_mul(0x9e37_79b1);
    }
    back
}

/// What the material does to the print: crimps of bags, rims of cans, edges of cartons.
fn finish(skin: &mut Canvas, shape: PackageShape) {
    let (w, h) = (skin.width as f32, skin.height as f32);
    skin.wash(|at, old| {
        let share = at.y / h;
        match shape {
            PackageShape::Bag => {
                let crimp = !(0.06..=0.94).contains(&share);
                let fold = 1.0 + 0.13 * noise(7, Vec2::new(at.x, at.y * 0.6), h * 0.12);
                if crimp { old * (0.75 + 0.25 * (at.x * 1.6).sin()) } else { old * fold }
            }
            PackageShape::Can if !(0.035..=0.965).contains(&share) => Vec3::splat(0.55),
            PackageShape::Bottle if share < 0.4 => old * (1.0 + 0.1 * (at.x / w * 60.0).sin()),
            PackageShape::Box | PackageShape::Can | PackageShape::Bottle => old,
        }
    });
}
