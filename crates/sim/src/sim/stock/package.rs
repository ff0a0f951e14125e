//! What goods are packed in: as the catalogue says, or a guess from name and weight.
//! Takes a product; gives form and size of a unit. It never reads anything else.

use crate::shop::{Package, PackageShape, Product};

/// Words in names that tell the form; the first that fits counts.
const FORMS: [(PackageShape, &[&str]); 3] = [
    (
        PackageShape::Bottle,
        &["water", "juice", "brew", "oil", "liquid", "wine", "milk", "shampoo", "vinegar", "smoothie", "tea", "soda"],
    ),
    (
        PackageShape::Can,
        &["soup", "can", "jar", "honey", "cream", "cola", "beer", "beans", "yogurt", "cup", "tuna", "jam", "lager"],
    ),
    (
        PackageShape::Bag,
        &["crisps", "chips", "puffs", "gums", "sweets", "coffee", "nuts", "rice", "pasta", "popcorn", "candy"],
    ),
];

/// Weight taken where the catalogue names none, grams.
const GRAMS: f64 = 250.0;

/// What a unit of a product is packed in.
pub(in crate::sim) fn package_of(product: &Product) -> Package {
    product.package.unwrap_or_else(|| guess(&product.name, product.weight.map_or(GRAMS, |weight| weight.value())))
}

fn guess(name: &str, grams: f64) -> Package {
    let name = name.to_lowercase();
    let says = |words: &[&str]| name.split(|c: char| !c.is_alphanumeric()).any(|word| words.contains(&word));
    let shape = FORMS.iter().find(|(_, words)| says(words)).map_or(PackageShape::Box, |(shape, _)| *shape);
    // Grams in a cubic centimetre of the box around it, and width to depth to height.
    let (density, [wide, deep, high]): (f64, [f64; 3]) = match shape {
        PackageShape::Bottle => (0.62, [1.0, 1.0, 3.1]),
        PackageShape::Can => (0.78, [1.0, 1.0, 1.45]),
        PackageShape::Bag => (0.16, [1.0, 0.42, 1.4]),
        PackageShape::Box => (0.42, [1.0, 0.45, 1.3]),
    };
    let scale = (grams / density / (wide * deep * high)).cbrt() / 100.0;
    let size_metres = [wide, deep, high].map(|side| (side * scale).clamp(0.02, 0.36));
    Package { shape, size_metres }
}
