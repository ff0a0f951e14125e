//! What was decided: attributions with their evidence, and receipts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Concern, FactRef};
use crate::base::{
    BasisPoints, Grams, Money, PlateId, Prob, Quantity, ShelfId, ShopTime, SkuId, Span, TimeRange, VisitId,
};

/// Which way the goods went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Movement {
    /// From the shelf to the shopper.
    Take,
    /// From the shopper to the shelf.
    Return,
}

/// Who took or returned what: the most probable joint explanation, final.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attribution {
    /// Whose cart it changes. For a return of something handed over, the cart it was charged to.
    pub visit: VisitId,
    /// Take or return.
    pub movement: Movement,
    /// The product.
    pub sku: SkuId,
    /// How many units; at least one.
    pub quantity: Quantity,
    /// Why it is believed.
    pub evidence: Evidence,
}

/// An attribution and its place in the log: what is kept of why a receipt says what it says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Grounds {
    /// By which receipt lines point to it.
    pub fact: FactRef,
    /// Who took or returned what, and why that is believed.
    #[serde(flatten)]
    pub attribution: Attribution,
}

/// Everything one needs to check an attribution by hand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// The shelf event it explains.
    pub event: FactRef,
    /// The shelf.
    pub shelf: ShelfId,
    /// The plates that changed, by size of the change.
    pub plates: Vec<PlateId>,
    /// When the goods moved.
    pub span: TimeRange,
    /// What the scales say.
    pub weight: WeightEvidence,
    /// What the joints say, best candidate first.
    pub takers: Vec<TakerEvidence>,
    /// Whether the product was off its planned place.
    pub misplaced: bool,
    /// Probability of the visit's whole cart, among all explanations still open at the decision.
    pub probability: Prob,
}

/// Measured weight against expected weight.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WeightEvidence {
    /// Change of the plates, grams; negative for a take.
    pub measured: Grams,
    /// Standard deviation of the measurement, grams.
    pub sigma: Grams,
    /// Expected change: units times the believed unit weight, with sign.
    pub expected: Grams,
    /// Whether the unit weight was learned from the plates because the catalogue's does not fit.
    pub learned: bool,
}

/// How near one shopper's hands were.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TakerEvidence {
    /// Who.
    pub visit: VisitId,
    /// Nearest distance from a wrist to the goods while they moved, metres; `None` when no wrist was seen.
    pub wrist_metres: Option<f64>,
    /// Share of the belief among all shoppers, from the joints alone.
    pub share: Prob,
}

/// How far the people's clock is from the plates' clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClockEstimate {
    /// Add this to a people time to get the plates' time.
    pub offset: Span,
    /// Standard deviation of the estimate.
    pub sigma: Span,
    /// How many shelf events it rests on.
    pub events: u32,
}

/// Why a visit's receipt was written when it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Closing {
    /// The shopper was gone for longer than the policy's bound.
    Left,
    /// The recording ended while the shopper was still inside.
    RecordingEnded,
}

/// A visit is over and its attributions are final.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VisitClosed {
    /// Whose.
    pub visit: VisitId,
    /// When the shopper was first seen.
    pub entered: ShopTime,
    /// When the shopper was last seen.
    pub left: ShopTime,
    /// Why it was closed now.
    pub closing: Closing,
    /// What the attributions add up to, with the chance of each line; ordered by product.
    pub lines: Vec<LineChance>,
    /// Probability that every line is right and none is missing.
    pub probability: Prob,
    /// Why a person has to look whatever the probability: aisle was stopped while the shopper was inside, evidence was
    /// lost, or something changed that nothing explains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<String>,
}

/// The chance of one line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LineChance {
    /// The product.
    pub sku: SkuId,
    /// How many units; at least one.
    pub quantity: Quantity,
    /// Probability that the shopper has exactly so many.
    pub probability: Prob,
}

/// What one shopper owes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Receipt {
    /// Whose.
    pub visit: VisitId,
    /// When the shopper was first seen.
    pub entered: ShopTime,
    /// When the shopper was last seen.
    pub left: ShopTime,
    /// Why it was written now.
    pub closing: Closing,
    /// The goods, ordered by product; none for a shopper who bought nothing.
    pub lines: Vec<ReceiptLine>,
    /// The tax that is in the total, by rule; none where the shop states no tax.
    #[serde(default)]
    pub taxes: Vec<TaxShare>,
    /// What is to be paid: lines after discounts, with tax; `None` when a product has no price.
    pub total: Option<Money>,
    /// Probability that every line is right.
    pub probability: Prob,
    /// Why a person has to look whatever the probability, as the visit's end says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<String>,
}

impl Receipt {
    /// Why a person should look before money moves; none when nobody has to. It is less probable than `bar`, it is marked,
    /// or a product has no price. This is the only place where that is decided.
    pub fn concerns(&self, bar: Prob) -> Vec<Concern> {
        let doubt = (self.probability < bar).then_some(Concern::Doubt { probability: self.probability, bar });
        let marked = self.interrupted.as_ref().map(|why| Concern::Interrupted { detail: why.clone() });
        let unpriced = self.lines.iter().filter(|line| line.amount.is_none());
        let unpriced = unpriced.map(|line| Concern::NoPrice { sku: line.sku.clone() });
        doubt.into_iter().chain(marked).chain(unpriced).collect()
    }

    /// Whether a person should look before money moves.
    pub fn is_for_review(&self, bar: Prob) -> bool {
        !self.concerns(bar).is_empty()
    }
}

/// One line of a receipt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReceiptLine {
    /// The product.
    pub sku: SkuId,
    /// Its name for people.
    pub name: String,
    /// How many units; at least one.
    pub quantity: Quantity,
    /// Price of one before discounts, as the catalogue has it, if known.
    #[serde(default)]
    pub unit_price: Option<Money>,
    /// What was taken off, in the order in which it was.
    #[serde(default)]
    pub discounts: Vec<Discount>,
    /// Price of all of them after discounts, if known; with tax where the shop's prices are with tax.
    pub amount: Option<Money>,
    /// The tax rule of the shop that applies, if any.
    #[serde(default)]
    pub tax: Option<String>,
    /// Probability that this quantity of this product is right.
    pub probability: Prob,
    /// The attributions behind it, in order of time.
    pub attributions: Vec<FactRef>,
}

/// Something taken off the price of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Discount {
    /// The markdown or promotion, for people.
    pub name: String,
    /// How much was taken off; positive.
    pub amount: Money,
}

/// The tax of a receipt under one rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TaxShare {
    /// The rule of the shop.
    pub name: String,
    /// Its rate.
    pub rate: BasisPoints,
    /// What was sold under it, after discounts, without tax.
    pub net: Money,
    /// The tax on it.
    pub tax: Money,
}
