//! What a person is asked about a receipt, and what they say.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::{CartId, CaseId, Money, Prob, Quantity, ShopTime, SkuId};

/// Something that a person has to look at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Case {
    /// Its name.
    pub id: CaseId,
    /// The cart.
    pub cart: CartId,
    /// The version of the receipt it is about, from 1.
    pub receipt: u32,
    /// When it was opened.
    pub opened: ShopTime,
    /// Why; at least one.
    pub concerns: Vec<Concern>,
    /// What was decided; none while it waits.
    pub verdict: Option<Verdict>,
}

/// Why a person should look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "concern", rename_all = "snake_case")]
pub enum Concern {
    /// The receipt is less probable than the policy asks for.
    Doubt {
        /// Of the whole receipt.
        probability: Prob,
        /// What the policy asks for.
        bar: Prob,
    },
    /// A product has no price, so there is no sum.
    NoPrice {
        /// The product.
        sku: SkuId,
    },
    /// aisle stopped while the shopper was inside and could not be sure afterwards who they were.
    Interrupted {
        /// What is known of it.
        detail: String,
    },
    /// Nobody knows who pays: the visit matches no entry at a gate, or several.
    NoPayer,
    /// Somebody came in within seconds of somebody else's scan, on which they do not fit: tailgating.
    Tailgated {
        /// The cart of whom they came in behind.
        behind: CartId,
    },
    /// The shopper says that lines are wrong.
    Contested {
        /// In the shopper's words; erased with the shopper.
        words: String,
        /// The products meant; empty means the whole receipt.
        skus: Vec<SkuId>,
    },
    /// The shopper's bank took the money back.
    Disputed {
        /// How much.
        amount: Money,
    },
    /// The same visit came out differently after its receipt was booked; nothing was booked again.
    Recomputed,
    /// The provider said no, or nothing for too long.
    Unpaid {
        /// The provider's code or the last error.
        code: String,
    },
}

/// What a person decided about a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// Who.
    pub reviewer: String,
    /// When.
    pub at: ShopTime,
    /// What.
    pub decision: Decision,
    /// Why, in their words; may be empty.
    #[serde(default)]
    pub note: String,
}

/// What a person decided about which receipt, as the log of facts has it. A ground fact: the book recomputes the receipt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReviewVerdict {
    /// The case that it answers.
    pub case: CaseId,
    /// Whose receipt.
    pub cart: CartId,
    /// The version of the receipt that the reviewer saw, from 1.
    pub receipt: u32,
    /// What was decided, by whom and why.
    pub verdict: Verdict,
}

/// What a reviewer can decide.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// The receipt is right as it stands.
    Accept,
    /// These are the goods; products not named were not taken.
    Change {
        /// What the shopper has, a product once; quantities of at least one.
        lines: Vec<Goods>,
    },
    /// Nothing is to be charged, or what was charged is to be given back.
    Reject,
}

/// So many units of a product.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Goods {
    /// The product.
    pub sku: SkuId,
    /// How many; at least one.
    pub quantity: Quantity,
}
