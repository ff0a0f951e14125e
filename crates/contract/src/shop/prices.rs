//! What decides a price besides the price: tax rules, markdowns, promotions.

use std::collections::BTreeSet;

use crate::base::{BasisPoints, Money, ShopTime, SkuId};

/// A tax of the shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxRule {
    /// Its name, in receipts and in the book.
    pub name: String,
    /// Its rate; at most 100 %.
    pub rate: BasisPoints,
}

/// From when until when something applies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Season {
    /// First instant inside; none for since ever.
    pub from: Option<ShopTime>,
    /// First instant after; none for always.
    pub until: Option<ShopTime>,
}

/// A reduced price of one product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Markdown {
    /// To what.
    pub reduction: Reduction,
    /// When.
    pub season: Season,
}

/// What a markdown makes of a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// This price; at most the usual one.
    To(Money),
    /// The usual price less this share.
    By(BasisPoints),
}

/// Something taken off when certain products are bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// Its name on receipts.
    pub name: String,
    /// Its products; at least one.
    pub skus: BTreeSet<SkuId>,
    /// What is taken off.
    pub deal: Deal,
    /// When.
    pub season: Season,
}

/// What a promotion takes off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deal {
    /// Of `buy` units `pay` are paid.
    Fewer {
        /// How many units make a set, of whichever of the products.
        buy: u32,
        /// How many of a set are paid: at least 1, fewer than `buy`.
        pay: u32,
    },
    /// A share of the price.
    Off(BasisPoints),
}

impl Season {
    /// Whether an instant is inside.
    pub fn contains(self, at: ShopTime) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }
}
