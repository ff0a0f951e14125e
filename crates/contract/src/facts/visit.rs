//! Visits under way: what is in their carts right now, and whom a gate let in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::FactRef;
use crate::base::{CartId, PlateId, Prob, Quantity, ShelfId, ShopTime, SkuId, VisitId};
use crate::geometry::{Floor, Point};

/// A visit that is not over, as it looks right now; nothing of it is final.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OpenVisit {
    /// Whose.
    pub visit: VisitId,
    /// When the shopper was first seen.
    pub entered: ShopTime,
    /// When the shopper was last seen.
    pub seen: ShopTime,
    /// Where that was; `None` when too little of them was seen to say.
    pub place: Option<Point<Floor>>,
    /// The most probable cart, ordered by product.
    pub lines: Vec<OpenLine>,
    /// Probability that every line is right and none is missing.
    pub probability: Prob,
    /// Whether a person will have to look at the receipt, because aisle was stopped, evidence was lost, or something changed
    /// that nothing explains.
    pub interrupted: bool,
}

/// A line of a cart that is not final.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OpenLine {
    /// The product.
    pub sku: SkuId,
    /// How many units; at least one.
    pub quantity: Quantity,
    /// Probability that the shopper has exactly so many.
    pub probability: Prob,
    /// The shelf events behind it, in order of time; each once. What a lane for screens calls an event may be another one's name
    /// later on, so whoever shows a reason takes it from `causes`.
    pub events: Vec<FactRef>,
    /// What was done that the line rests on, as it is understood now, in order of time.
    #[serde(default)]
    pub causes: Vec<LineCause>,
}

/// Something that a shopper is taken to have done at a shelf, for a line of a cart that is not final.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LineCause {
    /// The shelf.
    pub shelf: ShelfId,
    /// The plates that changed, the one that changed most first.
    pub plates: Vec<PlateId>,
    /// When the change was over.
    pub at: ShopTime,
    /// How much heavier the shelf became by it, grams to a tenth; less than 0 where something was taken.
    pub grams: f64,
    /// Whether something else is planned there.
    pub misplaced: bool,
}

crate::named_enum! {
    /// As what somebody comes in.
    #[derive(Default, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum EntryRole as "role of an entry" {
        /// They buy.
        #[default]
        Shopper = "shopper",
        /// They work here: what they take is noted, and nobody is asked to pay for it.
        Staff = "staff",
        /// They fill shelves: what they put there and take away is noted, and nobody is asked to pay for it.
        Restock = "restock",
    }
}

impl EntryRole {
    /// Whether somebody is asked to pay for what is taken.
    pub const fn is_billed(self) -> bool {
        matches!(self, EntryRole::Shopper)
    }

    /// For serde, which leaves the usual role out, so that facts of shops without staff are written as ever.
    fn is_usual(&self) -> bool {
        self.is_billed()
    }
}

/// Somebody showed at a gate who they are, and was let in. A ground fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GateScan {
    /// The cart that was opened for them.
    pub cart: CartId,
    /// The gate, as the shop names it.
    pub gate: String,
    /// How many people this scan lets in; at least one, all of whom the cart pays for.
    pub people: u32,
    /// As what they come in; facts that do not say so are of shoppers.
    #[serde(default, skip_serializing_if = "EntryRole::is_usual")]
    pub role: EntryRole,
}

/// Who pays for a visit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VisitBound {
    /// The visit.
    pub visit: VisitId,
    /// The cart that pays; `None` when no scan fits.
    pub cart: Option<CartId>,
    /// Probability that it is this cart, or that there is none.
    pub probability: Prob,
    /// As what they came in, by the scan that fits; shopper where none does.
    #[serde(default)]
    pub role: EntryRole,
    /// Where no scan fits and they came in within seconds of somebody else's: the cart of whom they came in behind.
    #[serde(default)]
    pub behind: Option<CartId>,
}

/// So late is it. A ground fact, made by whoever runs an open shop: time goes on when all sensors are silent, so that visits
/// end and what is lost is noticed. Its stamp says the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tick {
    /// Whether aisle was stopped before it, and nothing was seen meanwhile.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restarted: bool,
    /// Parts of the input that are known to be lost since the tick before, and of which nothing else is known.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub lost: u64,
}

fn is_nothing(lost: &u64) -> bool {
    *lost == 0
}
