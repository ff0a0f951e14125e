//! The demonstration shop: a micro convenience shop that exists nowhere, with invented goods.
//! Five gondolas with weight plates; most goods have another of nearly their weight on the same shelf, as in life.

use super::roll::Roll;
use crate::base::{PlateId, ShelfId};
use crate::geometry::{Placement, Point};
use crate::shop::{FacingDraft, PlateDraft, ProductDraft, ShelfDraft, Shop, ShopDraft, ZoneDraft, ZoneKind};

/// Width of a plate, metres: four inches.
const PLATE_METRES: f64 = 0.1016;
const SEED: u64 = 20_200_518;
const TWIN_GRAMS_MAX: f64 = 8.0;

/// A piece of furniture: plates a board, heights of the boards, depth, left front corner, turn.
struct Gondola {
    plates: u16,
    heights: &'static [f64],
    depth: f64,
    corner: (f64, f64),
    turn: f64,
}

const GONDOLAS: [Gondola; 5] = [
    Gondola {
        plates: 12,
        heights: &[0.27, 0.565, 0.78, 0.995, 1.235, 1.52],
        depth: 0.4064,
        corner: (0.025, 0.0),
        turn: 0.0,
    },
    Gondola {
        plates: 10,
        heights: &[0.27, 0.53, 0.77, 1.01, 1.285, 1.49],
        depth: 0.4064,
        corner: (1.244, 0.0),
        turn: 0.0,
    },
    Gondola { plates: 12, heights: &[0.27, 0.56, 0.85, 1.085, 1.33], depth: 0.4064, corner: (2.26, 0.0), turn: 0.0 },
    Gondola {
        plates: 9,
        heights: &[0.27, 0.53, 0.85, 1.085, 1.315, 1.55],
        depth: 0.4064,
        corner: (3.479, 0.0),
        turn: 0.0,
    },
    Gondola {
        plates: 10,
        heights: &[0.29, 0.645, 0.92, 1.19, 1.44],
        depth: 0.7874,
        corner: (4.42, -0.34),
        turn: -std::f64::consts::FRAC_PI_2,
    },
];

/// Kinds of goods: what they are called, lightest and heaviest in grams, cents per 100 g.
const KINDS: [(&str, f64, f64, f64); 14] = [
    ("still water", 345.0, 1080.0, 30.0),
    ("orchard soda", 360.0, 690.0, 55.0),
    ("cold brew", 240.0, 420.0, 110.0),
    ("granola bar", 32.0, 68.0, 420.0),
    ("dark chocolate", 45.0, 112.0, 380.0),
    ("sea salt crisps", 30.0, 190.0, 230.0),
    ("lentil puffs", 55.0, 140.0, 290.0),
    ("fruit gums", 60.0, 215.0, 190.0),
    ("noodle cup", 75.0, 160.0, 210.0),
    ("tomato soup", 310.0, 560.0, 75.0),
    ("oat cookies", 90.0, 330.0, 170.0),
    ("honey jar", 340.0, 620.0, 160.0),
    ("washing liquid", 600.0, 1600.0, 62.0),
    ("hand cream", 48.0, 150.0, 560.0),
];
const BRANDS: [&str; 16] = [
    "Alderbrook",
    "Bluefin & Co",
    "Cobblestone",
    "Dunmere",
    "Eastlight",
    "Fennimore",
    "Grindle",
    "Hollowell",
    "Ivorine",
    "Juniper Row",
    "Kestrelby",
    "Larkmoor",
    "Mossgate",
    "Northwick",
    "Ottervale",
    "Pennylane Farm",
];

/// The demonstration shop: always the same.
///
/// # Panics
/// Never: a test checks the draft.
pub fn demo_shop() -> Shop {
    match Shop::check(demo_draft()) {
        Ok(shop) => shop,
        Err(problems) => panic!("the demonstration shop does not hold together: {problems:?}"),
    }
}

/// What [`demo_shop`] is made of.
pub fn demo_draft() -> ShopDraft {
    let mut roll = Roll::new(SEED, "demo shop");
    let mut draft = ShopDraft { name: "Corner Larder (demo)".to_owned(), ..ShopDraft::default() };
    for (index, gondola) in GONDOLAS.iter().enumerate() {
        for (board, height) in gondola.heights.iter().enumerate() {
            let id = ShelfId::new(index as u16 + 1, board as u16 + 1);
            let above = gondola.heights.get(board + 1).copied().unwrap_or(height + 0.45);
            let plate = |number: u16| PlateDraft {
                id: PlateId { shelf: id, plate: number },
                left_metres: f64::from(number - 1) * PLATE_METRES,
                width_metres: PLATE_METRES,
            };
            let facings = fill_board(&mut roll, id, gondola.plates, &mut draft.products);
            draft.shelves.push(ShelfDraft {
                id,
                placement: Placement {
                    origin: Point::new(gondola.corner.0, gondola.corner.1, *height),
                    turn_radians: gondola.turn,
                },
                depth_metres: gondola.depth,
                clearance_metres: above - height - 0.04,
                plates: (1..=gondola.plates).map(plate).collect(),
                facings,
                line: None,
            });
        }
    }
    let zone = |name: &str, kind, x: f64| ZoneDraft {
        name: name.to_owned(),
        kind,
        polygon: vec![[x, -2.4], [x + 0.9, -2.4], [x + 0.9, -1.7], [x, -1.7]],
        line: None,
    };
    draft.zones = vec![zone("way in", ZoneKind::Entrance, -0.7), zone("way out", ZoneKind::Exit, 0.2)];
    draft
}

/// Divides a board into facings of two to four plates and invents the goods for them.
fn fill_board(roll: &mut Roll, id: ShelfId, plates: u16, products: &mut Vec<ProductDraft>) -> Vec<FacingDraft> {
    let mut facings = Vec::new();
    let mut weights: Vec<f64> = Vec::new();
    let kinds = [roll.whole(0, KINDS.len() - 1), roll.whole(0, KINDS.len() - 1)];
    let mut next = 1;
    while next <= plates {
        let left = plates - next + 1;
        let wanted = *roll.pick(&[1, 2, 2, 2, 3, 3, 3, 4, 4]).unwrap_or(&2);
        let width = if left <= wanted || left - wanted == 1 { left.min(5) } else { wanted };
        let kind = kinds[usize::from(roll.chance(0.35))];
        let weight = invent_weight(roll, kind, &weights);
        weights.push(weight);
        let product = invent_product(roll, kind, weight, products.len());
        facings.push(FacingDraft {
            sku: Some(product.sku.clone()),
            plates: (next..next + width).map(|plate| PlateId { shelf: id, plate }).collect(),
            line: None,
        });
        products.push(product);
        next += width;
    }
    facings
}

fn invent_weight(roll: &mut Roll, kind: usize, on_board: &[f64]) -> f64 {
    let (_, light, heavy, _) = KINDS[kind];
    let twin = if roll.chance(0.6) { on_board.last() } else { roll.pick(on_board) };
    let weight = match twin {
        Some(weight) if roll.chance(0.4) => match roll.chance(0.3) {
            true => *weight,
            false => weight + roll.uniform(-TWIN_GRAMS_MAX, TWIN_GRAMS_MAX),
        },
        _ => (light.ln() + (heavy / light).ln() * roll.uniform(0.0, 1.0)).exp(),
    };
    (weight.clamp(30.0, 1600.0) * 10.0).round() / 10.0
}

fn invent_product(roll: &mut Roll, kind: usize, weight: f64, number: usize) -> ProductDraft {
    let (what, _, _, cents) = KINDS[kind];
    let brand = BRANDS[(number * 7 + kind) % BRANDS.len()];
    let net = (weight * 0.93 / 5.0).round() * 5.0;
    // Number ranges that GS1 leaves to shops for their own use: they collide with nobody's product.
    let body = match roll.chance(0.8) {
        true => format!("4{:010}", 31_000_000 + number as u64 * 9_173),
        false => format!("20{:010}", 55_000_000 + number as u64 * 7_919),
    };
    let code = with_check_digit(&body);
    let price = (weight / 100.0 * cents * roll.uniform(0.8, 1.25)).clamp(79.0, 1195.0);
    ProductDraft {
        sku: code.clone(),
        name: format!("{brand} {what} {net:.0} g"),
        gtin: Some(code),
        weight_grams: Some(weight),
        price_minor: Some((price / 10.0).floor() as i64 * 10 + 9),
        ..ProductDraft::default()
    }
}

/// Appends the GS1 check digit: weights 3 and 1 from the right.
fn with_check_digit(body: &str) -> String {
    let weighted = |(index, digit): (usize, u8)| u32::from(digit - b'0') * if index % 2 == 0 { 3 } else { 1 };
    let sum: u32 = body.bytes().rev().enumerate().map(weighted).sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}
