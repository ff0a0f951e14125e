//! A shop as somebody wrote it: plain values, nothing checked. The JSON form travels at the head of a recording.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::{BasisPoints, PlateId, ShelfId, ShopTime};
use crate::geometry::{CameraPose, Lens, Placement};

/// A whole shop, unchecked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShopDraft {
    /// What it is called.
    pub name: String,
    /// Name of its time zone in the IANA database, or an offset such as `+09:00`; default UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Language and customs of its receipts, such as `ja-JP`; default plain English with dates and numbers as ISO has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// What EPCIS events call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epcis: Option<EpcisDraft>,
    /// Decisions of the owner.
    #[serde(default)]
    pub policy: PolicyDraft,
    /// The tax rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<TaxDraft>,
    /// The products.
    #[serde(default)]
    pub products: Vec<ProductDraft>,
    /// The promotions, in the order in which they apply.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub promotions: Vec<PromotionDraft>,
    /// The shelves.
    #[serde(default)]
    pub shelves: Vec<ShelfDraft>,
    /// The zones of the floor.
    #[serde(default)]
    pub zones: Vec<ZoneDraft>,
    /// The walls around it, if they were measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomDraft>,
    /// The cameras.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cameras: Vec<CameraDraft>,
}

/// What EPCIS events call a shop and its goods, unchecked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EpcisDraft {
    /// Its Global Location Number, 13 digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Beginning of a URI of its places, instead of such a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub places: Option<String>,
    /// Beginning of a URI of its products without a GTIN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub products: Option<String>,
}

/// Decisions of the owner, unchecked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyDraft {
    /// ISO 4217 code of all prices; default USD.
    pub currency: String,
    /// Seconds without a sight of a shopper after which they have left; default 20, range 1 to 3,600.
    pub absence_secs_max: f64,
    /// Receipts less probable than this go to a person; default 0.9, range 0 to 1.
    pub review_probability_min: f64,
    /// Held at the entry, minor units of the currency; default 5,000, 0 for no hold.
    pub hold_minor: i64,
    /// Whether an unpaid receipt keeps its shopper out; default true.
    pub debt_blocks_entry: bool,
    /// Hours that shoppers still come in while the payment provider cannot be reached; default 24, range 0 to 168.
    pub offline_hours_max: f64,
    /// Days that the evidence behind a receipt is kept; default 30, range 0 to 3,650.
    pub evidence_days_max: f64,
    /// Days after leaving within which a receipt may be contested; default 30, range 0 to 3,650.
    pub contest_days_max: f64,
    /// Whether prices are with tax; default true.
    #[serde(skip_serializing_if = "is_true")]
    pub prices_include_tax: bool,
    /// Where tax is rounded; default `receipt`.
    #[serde(skip_serializing_if = "is_default")]
    pub tax_rounding: TaxRounding,
}

/// Where tax is rounded to whole minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaxRounding {
    /// On each line; the lines are added up.
    Line,
    /// On the sum of all lines of a rule.
    #[default]
    Receipt,
}

/// A tax rule, unchecked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaxDraft {
    /// Its name; unique.
    pub name: String,
    /// Its rate in hundredths of a percent: at most 10,000.
    pub rate: BasisPoints,
    /// Line in the file it came from.
    #[serde(skip)]
    pub line: Option<u64>,
}

/// A product, unchecked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductDraft {
    /// The code that receipts use; unique.
    pub sku: String,
    /// Name for people.
    pub name: String,
    /// GTIN-8, -12, -13 or -14 or UPC-E with a right check digit, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gtin: Option<String>,
    /// Nominal weight of a unit in grams, if known: more than 0, at most 50,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_grams: Option<f64>,
    /// Price of a unit in minor units of the policy's currency, if known; not negative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_minor: Option<i64>,
    /// What it is packed in, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<Package>,
    /// The tax rule that applies, by name; none for goods without tax.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<String>,
    /// Reduced price of a unit in minor units: not negative, at most the price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub markdown_price_minor: Option<i64>,
    /// What a unit is reduced by, in hundredths of a percent of the price, instead of a reduced price: 1 to 10,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub markdown_off: Option<BasisPoints>,
    /// First instant of the reduction; none for since ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub markdown_from: Option<ShopTime>,
    /// First instant after the reduction; none for always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub markdown_until: Option<ShopTime>,
    /// Line in the file it came from.
    #[serde(skip)]
    pub line: Option<u64>,
}

/// What a unit of a product is packed in, standing as it stands on the shelf.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// Its form.
    pub shape: PackageShape,
    /// Width along the shelf, depth and height, metres: each more than 0, at most 1.
    pub size_metres: [f64; 3],
}

/// The form of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PackageShape {
    /// A carton.
    Box,
    /// A bottle with a neck and a cap.
    Bottle,
    /// A can, a jar or a tub.
    Can,
    /// A bag or pouch.
    Bag,
}

/// A promotion, unchecked: either `buy` and `pay`, or `off`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PromotionDraft {
    /// Its name on receipts; unique.
    pub name: String,
    /// Its products; at least one, each once.
    pub skus: Vec<String>,
    /// Of so many units …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buy: Option<u32>,
    /// … so many are paid: at least 1, fewer than `buy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pay: Option<u32>,
    /// What is taken off, in hundredths of a percent: 1 to 10,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub off: Option<BasisPoints>,
    /// First instant at which it applies; none for since ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<ShopTime>,
    /// First instant at which it no longer applies; none for always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<ShopTime>,
    /// Line in the file it came from.
    #[serde(skip)]
    pub line: Option<u64>,
}

/// A shelf board, unchecked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShelfDraft {
    /// Its name.
    pub id: ShelfId,
    /// Left front corner of the board's surface; x runs right along the front, y into the depth.
    pub placement: Placement,
    /// Depth in metres: more than 0, at most 3.
    pub depth_metres: f64,
    /// Free height above the board in metres: more than 0, at most 3.
    pub clearance_metres: f64,
    /// The plates, from left to right.
    pub plates: Vec<PlateDraft>,
    /// What should stand where.
    #[serde(default)]
    pub facings: Vec<FacingDraft>,
    /// Line in the file it came from.
    #[serde(skip)]
    pub line: Option<u64>,
}

/// A weight plate, unchecked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlateDraft {
    /// Its name; on the shelf it is listed under.
    pub id: PlateId,
    /// Left edge in the shelf's frame, metres.
    pub left_metres: f64,
    /// Width, metres: more than 0, at most 3.
    pub width_metres: f64,
}

/// A place of one product on neighbouring plates, unchecked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FacingDraft {
    /// The product, or none for a place left empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// The plates; at least one, all of this shelf.
    pub plates: Vec<PlateId>,
    /// Line in the file it came from.
    #[serde(skip)]
    pub line: Option<u64>,
}

/// What a zone of the floor is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ZoneKind {
    /// Shoppers come in here.
    Entrance,
    /// Shoppers go out here.
    Exit,
    /// Shoppers never are here: a storeroom, a wall, a mirror.
    Closed,
}

/// A part of the floor, unchecked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ZoneDraft {
    /// Its name; unique.
    pub name: String,
    /// What it is for.
    pub kind: ZoneKind,
    /// Corners `[x, y]` in metres of the world, in order around it; at least three.
    pub polygon: Vec<[f64; 2]>,
    /// Line in the file it came from.
    #[serde(skip)]
    pub line: Option<u64>,
}

/// The walls around the floor, unchecked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoomDraft {
    /// Corners `[x, y]` in metres of the world, in order around it; at least three.
    pub polygon: Vec<[f64; 2]>,
    /// From the floor to the ceiling, metres: more than 2, at most 10.
    pub height_metres: f64,
    /// Line in the file it came from.
    #[serde(skip)]
    pub line: Option<u64>,
}

/// A camera, unchecked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CameraDraft {
    /// Its name; unique, of letters, digits, `-` and `_`.
    pub name: String,
    /// Width and height of its frames, pixels: 16 to 16,384.
    pub size_pixels: [u32; 2],
    /// Frames a second: more than 0, at most 240.
    pub rate_hertz: f64,
    /// What its lens does, in pixels of this size.
    pub lens: Lens,
    /// Where it hangs.
    pub pose: CameraPose,
    /// Line in the file it came from.
    #[serde(skip)]
    pub line: Option<u64>,
}

impl Default for PolicyDraft {
    fn default() -> Self {
        PolicyDraft {
            currency: "USD".to_owned(),
            absence_secs_max: 20.0,
            review_probability_min: 0.9,
            hold_minor: 5_000,
            debt_blocks_entry: true,
            offline_hours_max: 24.0,
            evidence_days_max: 30.0,
            contest_days_max: 30.0,
            prices_include_tax: true,
            tax_rounding: TaxRounding::Receipt,
        }
    }
}

/// What is at its default is not written, so that a shop without tax is written as it always was.
fn is_true(flag: &bool) -> bool {
    *flag
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
