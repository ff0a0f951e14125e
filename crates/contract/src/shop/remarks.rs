//! What a shop lacks to sell anything, and what is in order but perhaps not meant so. It takes a checked shop and gives
//! sentences; it never changes one.

use std::collections::BTreeSet;

use super::{Gtin, Problem, Product, Reading, Shop};
use crate::base::text::plain;

/// Names that a sentence lists before it only counts.
const NAMES_MAX: usize = 8;

pub(super) fn check_trade(shop: &Shop) -> Result<(), Vec<Problem>> {
    let (shelves, products) = (shop.shelves(), shop.catalogue().products());
    let is_weighed = shelves.iter().any(|shelf| !shelf.plates.is_empty());
    let is_placed = shelves.iter().flat_map(|shelf| &shelf.facings).any(|facing| facing.sku.is_some());
    let message = match (shelves.is_empty(), products.is_empty()) {
        (true, true) => "the shop has no shelves and no products: nothing can be sold in it",
        (true, false) => "the shop has no shelves: write a [[gondola]] with its shelves",
        (false, true) => "the shop has no products: write a [[product]] for each, here or in the catalogue",
        (false, false) if !is_weighed => "no shelf of the shop has a plate: nothing that is taken would be felt",
        (false, false) if !is_placed => {
            "no product of the shop has its place on a shelf: write facings, here or in the planogram"
        }
        (false, false) => return Ok(()),
    };
    Err(vec![Problem { item: "shop".to_owned(), line: None, message: message.to_owned() }])
}

pub(super) fn remarks(shop: &Shop) -> Vec<String> {
    let products = shop.catalogue().products();
    let placed: BTreeSet<_> =
        shop.shelves().iter().flat_map(|shelf| &shelf.facings).filter_map(|facing| facing.sku.as_ref()).collect();
    let nowhere = products.iter().filter(|product| !placed.contains(&product.sku));
    let mistyped = products.iter().filter(|product| is_mistyped(product));
    let empty = shop.shelves().iter().filter(|shelf| shelf.facings.iter().all(|facing| facing.sku.is_none()));
    let skus = |product: &Product| product.sku.as_str().to_owned();
    [
        sentence(nowhere.map(skus), "stands on no shelf", "products stand on no shelf"),
        sentence(
            mistyped.map(skus),
            "looks like a GTIN with a wrong check digit, and is taken as the shop's own code",
            "codes look like GTINs with a wrong check digit, and are taken as the shop's own",
        ),
        sentence(empty.map(|shelf| format!("shelf {}", shelf.id)), "holds no product", "shelves hold no product"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A code of the length that only GTINs have, with a wrong check digit, and nothing that says what it is.
fn is_mistyped(product: &Product) -> bool {
    let code = product.sku.as_str();
    product.gtin.is_none() && 8 < code.len() && matches!(Gtin::read(code, None), Reading::Wrong(_))
}

fn sentence(names: impl Iterator<Item = String>, one: &str, many: &str) -> Option<String> {
    let names: Vec<String> = names.collect();
    let shown: Vec<String> = names.iter().take(NAMES_MAX).map(|name| plain(name).into_owned()).collect();
    let rest = if NAMES_MAX < names.len() { ", …" } else { "" };
    match shown.as_slice() {
        [] => None,
        [name] => Some(format!("{name} {one}")),
        shown => Some(format!("{} {many}: {}{rest}", names.len(), shown.join(", "))),
    }
}
