//! Pictures of a shop's goods. Takes a catalogue; gives every product from all sides. It never reads or writes a file.

use super::render::{VIEWS, portraits};
use super::stock::package::package_of;
use crate::base::{Error, Result};
use crate::image::RgbImage;
use crate::shop::{Catalogue, Product};

/// Every product from all sides, as square pictures of this side in pixels, by names such as `4012345678901/front.png`.
///
/// # Errors
/// For a product whose code cannot be the name of a folder.
pub fn pictures(catalogue: &Catalogue, side_pixels: usize) -> impl Iterator<Item = Result<(String, RgbImage)>> + '_ {
    catalogue.products().iter().flat_map(move |product| of_product(product, side_pixels))
}

fn of_product(product: &Product, side_pixels: usize) -> Vec<Result<(String, RgbImage)>> {
    let code = product.sku.as_str();
    if code.starts_with('.') || code.contains(['/', '\\', ':']) {
        return vec![Err(Error::input(format!("the code `{code}` cannot be the name of a folder")))];
    }
    let portraits = portraits(product, &package_of(product), side_pixels);
    VIEWS.iter().zip(portraits).map(|((view, ..), picture)| Ok((format!("{code}/{view}.png"), picture))).collect()
}
