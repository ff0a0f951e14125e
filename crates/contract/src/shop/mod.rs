//! One checked shop: catalogue, shelves with their plates and planogram, zones, walls, cameras, policy.
//! A [`ShopDraft`] is what somebody wrote; [`Shop::check`] turns it into a [`Shop`] or lists every problem in it.
//! Nothing here reads files.

mod catalogue;
mod check;
mod draft;
mod epcis;
mod gtin;
mod layout;
mod locale;
mod prices;
mod remarks;

#[cfg(test)]
mod tests;

pub use catalogue::{Catalogue, Product};
pub use draft::{
    CameraDraft, EpcisDraft, FacingDraft, Package, PackageShape, PlateDraft, PolicyDraft, ProductDraft, PromotionDraft,
    RoomDraft, ShelfDraft, ShopDraft, TaxDraft, TaxRounding, ZoneDraft, ZoneKind,
};
pub use epcis::EpcisOptions;
pub use gtin::{Gtin, Reading, Symbol};
pub use layout::{Camera, Facing, Plate, Room, Shelf, Zone};
pub use locale::{Language, Locale};
pub use prices::{Deal, Markdown, Promotion, Reduction, Season, TaxRule};

use std::collections::BTreeMap;
use std::fmt;

use jiff::tz::TimeZone;

use crate::base::{CameraId, Currency, Money, PlateId, Prob, ShelfId, Span};

/// A shop that holds together: every reference resolves, every measure is in range.
#[derive(Clone, Debug)]
pub struct Shop {
    name: String,
    zone: TimeZone,
    locale: Locale,
    epcis: EpcisOptions,
    catalogue: Catalogue,
    taxes: Vec<TaxRule>,
    promotions: Vec<Promotion>,
    shelves: Vec<Shelf>,
    shelf_index: BTreeMap<ShelfId, usize>,
    zones: Vec<Zone>,
    room: Option<Room>,
    cameras: Vec<Camera>,
    policy: Policy,
    draft: ShopDraft,
}

/// What the shop's owner decided.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// Currency of all prices.
    pub currency: Currency,
    /// A shopper not seen for this long has left.
    pub absence_max: Span,
    /// Receipts less probable than this want a person's eyes.
    pub review_below: Prob,
    /// Whether prices are with tax.
    pub prices_include_tax: bool,
    /// Where tax is rounded.
    pub tax_rounding: TaxRounding,
    /// How money is handled.
    pub payment: PaymentPolicy,
}

/// What the shop's owner decided about money, and about what is kept because of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaymentPolicy {
    /// What is held at the entry; none where nothing is.
    pub hold: Option<Money>,
    /// Whoever owes for an earlier visit does not come in.
    pub debt_blocks_entry: bool,
    /// How long shoppers still come in, without a hold, while the payment provider cannot be reached; zero for not at
    /// all.
    pub offline_max: Span,
    /// How long evidence is kept behind a receipt.
    pub evidence_kept: Span,
    /// How long after leaving, or after a receipt that came later, it may be contested.
    pub contest_max: Span,
}

/// Something wrong in a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which item, such as `catalogue product 071142008582`.
    pub item: String,
    /// Line of that item in its file, counted from 1, where known.
    pub line: Option<u64>,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Shop {
    /// Checks a draft.
    ///
    /// # Errors
    /// Every problem found, in the order of the draft.
    pub fn check(draft: ShopDraft) -> Result<Shop, Vec<Problem>> {
        check::check(draft, check::Trust::New)
    }

    /// Checks a draft that was checked before and that a book has kept since: receipts of earlier versions rest on it, so
    /// rules about names and numbers of products that came later do not lock them up.
    ///
    /// # Errors
    /// As [`Shop::check`], but for these rules.
    pub fn check_kept(draft: ShopDraft) -> Result<Shop, Vec<Problem>> {
        check::check(draft, check::Trust::Kept)
    }

    /// Checks a draft that stands in a recording: rules about numbers of products that came later do not make it
    /// unreadable. Such a product then has no GTIN.
    ///
    /// # Errors
    /// As [`Shop::check`], but for these rules.
    pub fn check_recorded(draft: ShopDraft) -> Result<Shop, Vec<Problem>> {
        check::check(draft, check::Trust::Recorded)
    }

    /// What goods cannot be sold without and this shop has not.
    ///
    /// # Errors
    /// Every problem found.
    pub fn check_trade(&self) -> Result<(), Vec<Problem>> {
        remarks::check_trade(self)
    }

    /// What is in order and perhaps not meant so, in plain sentences.
    pub fn remarks(&self) -> Vec<String> {
        remarks::remarks(self)
    }

    /// What the shop is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The zone whose time its receipts say.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The language and the customs of its receipts.
    pub fn locale(&self) -> Locale {
        self.locale
    }

    /// What EPCIS events call it and its goods.
    pub fn epcis(&self) -> &EpcisOptions {
        &self.epcis
    }

    /// The products.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The tax rules, by name.
    pub fn taxes(&self) -> &[TaxRule] {
        &self.taxes
    }

    /// The promotions, in the order in which they apply.
    pub fn promotions(&self) -> &[Promotion] {
        &self.promotions
    }

    /// The shelves, by id.
    pub fn shelves(&self) -> &[Shelf] {
        &self.shelves
    }

    /// The shelf of this name.
    pub fn shelf(&self, id: ShelfId) -> Option<&Shelf> {
        self.shelf_index.get(&id).map(|&index| &self.shelves[index])
    }

    /// The plate of this name.
    pub fn plate(&self, id: PlateId) -> Option<&Plate> {
        self.shelf(id.shelf)?.plate(id)
    }

    /// The zones of the floor.
    pub fn zones(&self) -> &[Zone] {
        &self.zones
    }

    /// The walls, if they were measured.
    pub fn room(&self) -> Option<&Room> {
        self.room.as_ref()
    }

    /// The cameras, in the order of the draft.
    pub fn cameras(&self) -> &[Camera] {
        &self.cameras
    }

    /// The camera of this name.
    pub fn camera(&self, id: &CameraId) -> Option<&Camera> {
        self.cameras.iter().find(|camera| camera.id == *id)
    }

    /// What the owner decided.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The draft it was checked from; checking it again gives the same shop.
    pub fn draft(&self) -> &ShopDraft {
        &self.draft
    }
}

/// Two shops are equal when they hold the same, wherever and in whatever order that was written down (but for
/// promotions, whose order means something).
impl PartialEq for Shop {
    fn eq(&self, other: &Shop) -> bool {
        self.name == other.name
            && self.zone == other.zone
            && self.locale == other.locale
            && self.epcis == other.epcis
            && self.policy == other.policy
            && self.catalogue == other.catalogue
            && self.taxes == other.taxes
            && self.promotions == other.promotions
            && self.shelves == other.shelves
            && self.zones == other.zones
            && self.room == other.room
            && self.cameras == other.cameras
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}: {}", self.item, self.message),
            None => write!(f, "{}: {}", self.item, self.message),
        }
    }
}
