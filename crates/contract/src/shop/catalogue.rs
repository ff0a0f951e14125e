//! The products of a shop.

use std::collections::BTreeMap;

use super::{Gtin, Markdown, Package, Reading};
use crate::base::{Grams, Money, SkuId};

/// A product.
#[derive(Clone, Debug, PartialEq)]
pub struct Product {
    /// The code that receipts use.
    pub sku: SkuId,
    /// Name for people.
    pub name: String,
    /// Its GTIN, if it has one.
    pub gtin: Option<Gtin>,
    /// Nominal weight of a unit, if known; may be wrong in life.
    pub weight: Option<Grams>,
    /// Price of a unit, if known.
    pub price: Option<Money>,
    /// What a unit is packed in, if known.
    pub package: Option<Package>,
    /// The tax rule that applies, by name; none for goods without tax.
    pub tax: Option<String>,
    /// Its reduced price, if it has one.
    pub markdown: Option<Markdown>,
}

/// All products, by code.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalogue {
    products: Vec<Product>,
    index: BTreeMap<SkuId, usize>,
    numbers: BTreeMap<Gtin, usize>,
}

impl Catalogue {
    /// From products with distinct codes; of doubles the last one stays.
    pub(super) fn new(mut products: Vec<Product>) -> Self {
        products.sort_by(|a, b| a.sku.cmp(&b.sku));
        let index = products.iter().enumerate().map(|(index, product)| (product.sku.clone(), index)).collect();
        let number = |(index, product): (usize, &Product)| product.gtin.map(|gtin| (gtin, index));
        let numbers = products.iter().enumerate().filter_map(number).collect();
        Catalogue { products, index, numbers }
    }

    /// The products, ordered by code.
    pub fn products(&self) -> &[Product] {
        &self.products
    }

    /// The product of this code.
    pub fn get(&self, sku: &SkuId) -> Option<&Product> {
        self.index_of(sku).map(|index| &self.products[index])
    }

    /// The product whose GTIN a code is written in another way, such as with leading zeros.
    pub fn same_gtin(&self, code: &SkuId) -> Option<&SkuId> {
        let Reading::Product(gtin) = Gtin::read(code.as_str(), None) else { return None };
        self.numbers.get(&gtin).map(|&index| &self.products[index].sku)
    }

    /// Its place in [`Catalogue::products`].
    pub fn index_of(&self, sku: &SkuId) -> Option<usize> {
        self.index.get(sku).copied()
    }
}
