//! What is asked of a payment provider, and what it answers.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::{CartId, Money, PaymentId, Quantity, ShopTime, Span, TransferId};

/// How a shopper pays: names that the provider gave, never a card number.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentMethod {
    /// The provider, by the name of its configuration: `sandbox`, `stripe`, `wechat`.
    pub provider: String,
    /// Whom the provider knows the shopper as: a Stripe customer, a WeChat openid.
    pub customer: String,
    /// What the provider calls the way to pay, such as a Stripe payment method; empty where the customer says it all.
    pub token: String,
}

/// Something that a provider is asked to do. Asking again with the same id is the same order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Order {
    /// Idempotency key, and id of the transfer that will record the movement.
    pub id: TransferId,
    /// Which payment it belongs to.
    pub payment: PaymentId,
    /// Which cart it is for.
    pub cart: CartId,
    /// What to do.
    pub task: Task,
    /// How much; for a void zero.
    pub amount: Money,
    /// From whom.
    pub method: PaymentMethod,
    /// The goods, where the provider wants to show them; empty at the entry. They may add up to more than `amount`.
    pub lines: Vec<OrderLine>,
    /// When it was decided.
    pub made_at: ShopTime,
}

/// What a provider can be asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "task", rename_all = "snake_case")]
pub enum Task {
    /// Hold the amount.
    Authorise,
    /// Take the amount out of a hold and release the rest.
    Capture {
        /// The hold.
        hold: Settled,
    },
    /// Release a hold.
    Void {
        /// The hold.
        hold: Settled,
    },
    /// Take the amount without a hold.
    Charge,
    /// Give the amount back.
    Refund {
        /// What was captured or charged, of which this is a part.
        of: Settled,
    },
}

/// An earlier order that was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Settled {
    /// The order.
    pub order: TransferId,
    /// What the provider calls it.
    pub reference: String,
    /// How much it moved or holds.
    pub amount: Money,
}

/// A line of goods as a provider may show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderLine {
    /// For people.
    pub name: String,
    /// How many.
    pub quantity: Quantity,
    /// Price of all of them with tax, after discounts.
    pub amount: Money,
}

/// What came of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// It is done: so much is held, taken, released or given back.
    Done {
        /// What the provider calls it.
        reference: String,
        /// How much; never more than was asked for.
        amount: Money,
    },
    /// Accepted and not final: a notice will come, or a later query will tell.
    Pending {
        /// What the provider calls it.
        reference: String,
    },
    /// It will not be done, now or later, under this id. Nothing moved.
    Declined {
        /// The provider's code, such as `insufficient_funds`.
        code: String,
        /// For people; without personal data.
        message: String,
        /// The shopper can mend it by confirming in person (`authentication_required`).
        wants_shopper: bool,
    },
    /// Nobody knows whether it was done: a timeout, a server error. Ask again with the same id.
    Unknown {
        /// What went wrong; without secrets.
        message: String,
    },
    /// Surely not done, and worth trying again: no connection, too many requests, out of service.
    Unavailable {
        /// What went wrong; without secrets.
        message: String,
        /// How long the provider asks to be left alone.
        retry_after: Option<Span>,
    },
    /// The order itself is wrong or we are: wrong keys, a refused parameter. Trying again will not help; a person must.
    Faulty {
        /// What the provider says; without secrets.
        message: String,
    },
}

/// A provider's message that something changed (a webhook), already verified. It may come twice, late, or in any order,
/// so it decides nothing by itself: what it is about is asked for again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Notice {
    /// The provider.
    pub provider: String,
    /// Its id of the message; the same message twice has one.
    pub id: String,
    /// Its name of what happened, such as `payment_intent.succeeded`.
    pub kind: String,
    /// What it is about.
    pub about: About,
}

/// What a notice is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum About {
    /// One of our orders, by its id.
    Order {
        /// The order.
        order: TransferId,
    },
    /// One of our orders, by what the provider calls it.
    Reference {
        /// As in [`Answer::Done`] or [`Answer::Pending`].
        reference: String,
    },
    /// The shopper disputes a payment at their bank.
    Dispute {
        /// What was captured or charged.
        reference: String,
        /// How much is disputed.
        amount: Money,
    },
    /// A dispute is over.
    DisputeClosed {
        /// What was captured or charged.
        reference: String,
        /// How much came back to the shop; nothing where it was lost.
        won: Option<Money>,
    },
    /// Nothing of ours; answered and forgotten.
    Nothing,
}

/// A movement as the provider's own statement has it; the book must have the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatementLine {
    /// The order.
    pub order: TransferId,
    /// What the provider calls it.
    pub reference: String,
    /// What it did.
    pub movement: MoneyMovement,
    /// How much.
    pub amount: Money,
}

/// What a provider did with money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MoneyMovement {
    /// Took it from the shopper.
    Taken,
    /// Gave it back.
    GivenBack,
}

impl fmt::Debug for PaymentMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PaymentMethod({}, [redacted])", self.provider)
    }
}
