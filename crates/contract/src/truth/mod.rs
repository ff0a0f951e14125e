//! What really happened, where somebody knows: receipts and actions of a simulated or labelled trip.
//! Simulations and labels write it, `eval` judges by it. No room that thinks may read it.

mod sight;

pub use sight::{FrameBody, FrameTruth, HandTruth, PointTruth, SceneBody, SceneTruth, Visibility};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::{PlateId, Quantity, SkuId, TimeRange, TrackId, VisitId};
use crate::facts::{Movement, Receipt};

/// Who bought what: the exchange format of receipts, `{"receipts":[{"target_id":…,"products":[…]}]}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Purchases {
    /// One entry for every shopper, also the one who bought nothing.
    pub receipts: Vec<Purchase>,
}

/// What one shopper bought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Purchase {
    /// The shopper: the first track they were seen as.
    pub target_id: VisitId,
    /// The goods; none for a shopper who bought nothing.
    pub products: Vec<PurchasedItem>,
}

/// A line of a purchase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PurchasedItem {
    /// The product's code.
    pub barcode: SkuId,
    /// How many units; at least one.
    pub quantity: Quantity,
}

impl Purchases {
    /// What receipts say, ordered by shopper.
    pub fn of<'a>(receipts: impl IntoIterator<Item = &'a Receipt>) -> Self {
        let purchase = |receipt: &Receipt| Purchase {
            target_id: receipt.visit,
            products: receipt
                .lines
                .iter()
                .map(|line| PurchasedItem { barcode: line.sku.clone(), quantity: line.quantity })
                .collect(),
        };
        let mut receipts: Vec<Purchase> = receipts.into_iter().map(purchase).collect();
        receipts.sort_by_key(|purchase| purchase.target_id);
        Purchases { receipts }
    }

    /// Whether every one of `truth` is here with exactly the same goods, and nobody else has any.
    pub fn agrees_with(&self, truth: &[Purchase]) -> bool {
        let goods = |purchase: &Purchase| {
            let mut goods: Vec<_> =
                purchase.products.iter().map(|item| (item.barcode.clone(), item.quantity)).collect();
            goods.sort();
            goods
        };
        let same = |true_one: &Purchase| {
            self.receipts.iter().any(|ours| ours.target_id == true_one.target_id && goods(ours) == goods(true_one))
        };
        let known = |ours: &Purchase| {
            ours.products.is_empty() || truth.iter().any(|true_one| true_one.target_id == ours.target_id)
        };
        truth.iter().all(same) && self.receipts.iter().all(known)
    }
}

/// The truth of one trip.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Truth {
    /// Which case it is, such as the name of the scenario.
    #[serde(default, alias = "testcase")]
    pub case: String,
    /// The receipts that should come out.
    pub receipts: Vec<Purchase>,
    /// What was done, in order of time; empty where only receipts are known.
    #[serde(default)]
    pub actions: Vec<TrueAction>,
    /// Tracks that were never a shopper.
    #[serde(default)]
    pub ghosts: Vec<TrackId>,
    /// Whose each track is, in order of time for each shopper; empty where that is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tracks: Vec<TrueTrack>,
}

/// A stretch of time in which a tracker had one number for a shopper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrueTrack {
    /// The number.
    pub track: TrackId,
    /// Whose it is.
    pub visit: VisitId,
}

/// Something a shopper did with goods.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrueAction {
    /// Who did it.
    pub visit: VisitId,
    /// While the goods left or reached the plates, on the plates' clock.
    pub span: TimeRange,
    /// Take or return.
    pub movement: Movement,
    /// The product.
    pub sku: SkuId,
    /// How many units.
    pub quantity: Quantity,
    /// The plates it lay on, from left to right.
    pub plates: Vec<PlateId>,
}
