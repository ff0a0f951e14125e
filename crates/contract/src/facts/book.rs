//! What the book says: accounts, and transfers between them. Double entry: a transfer debits one account and credits
//! another by the same amount, so the book balances whatever is written into it.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::{CartId, Money, ShopTime, ShopperId, TransferId};

/// An account of the shop's book, in every currency it meets. Written `shopper/<id>`, `revenue`, `tax/<name>`,
/// `clearing/<provider>`, `refunds`, `losses`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// What a shopper owes (debit balance) or is owed (credit balance).
    Shopper(ShopperId),
    /// What was sold, without tax; a credit balance.
    Revenue,
    /// Tax collected under a rule of the shop and owed to the state; a credit balance.
    Tax(String),
    /// What a payment provider has taken for the shop and not yet paid out; a debit balance.
    Clearing(String),
    /// What was credited back, without tax; a debit balance against revenue.
    Refunds,
    /// Debts given up and disputes lost; a debit balance.
    Losses,
}

/// One movement between two accounts; never changed once written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Transfer {
    /// Its name, minted before the first attempt; the same transfer twice is one.
    pub id: TransferId,
    /// How it takes part in reserving.
    pub kind: TransferKind,
    /// What it is for.
    pub reason: Reason,
    /// The account that is debited.
    pub debit: Account,
    /// The account that is credited; another one.
    pub credit: Account,
    /// How much; positive, of a void zero.
    pub amount: Money,
    /// Which cart it belongs to.
    pub cart: CartId,
    /// Version of the receipt that it books, from 1; none where no receipt stands behind it (a hold, say).
    pub receipt: Option<u32>,
    /// When it was decided.
    pub at: ShopTime,
}

/// How a transfer takes part in reserving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TransferKind {
    /// Moves at once.
    Direct,
    /// Moves nothing yet; sets the amount aside until posted or voided.
    Reserve,
    /// Moves the amount of a reservation, or less; the rest is released.
    Post {
        /// What it resolves.
        reservation: TransferId,
    },
    /// Releases a reservation; moves nothing.
    Void {
        /// What it resolves.
        reservation: TransferId,
    },
}

/// What a transfer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Goods, without tax: shopper to revenue.
    Sale,
    /// Tax on goods: shopper to tax.
    Tax,
    /// Money held at the provider, and its release: clearing to shopper.
    Hold,
    /// Held money taken: clearing to shopper.
    Capture,
    /// Money taken without a hold: clearing to shopper.
    Charge,
    /// Goods taken off a booked receipt, without tax: refunds to shopper.
    CreditNote,
    /// Tax on goods taken off a booked receipt: tax to shopper.
    TaxCredit,
    /// Money given back: shopper to clearing.
    Refund,
    /// A debt given up: losses to shopper.
    WriteOff,
    /// Money that the provider took back for a shopper who disputed: shopper to clearing.
    Dispute,
    /// Disputed money that the provider gave back because the shop won: clearing to shopper.
    Reinstatement,
    /// A debt that was given up and came in after all: shopper to losses.
    Recovery,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Account::Shopper(id) => write!(f, "shopper/{id}"),
            Account::Revenue => f.write_str("revenue"),
            Account::Tax(name) => write!(f, "tax/{name}"),
            Account::Clearing(provider) => write!(f, "clearing/{provider}"),
            Account::Refunds => f.write_str("refunds"),
            Account::Losses => f.write_str("losses"),
        }
    }
}

impl FromStr for Account {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        let account = match text.split_once('/') {
            None if text == "revenue" => Some(Account::Revenue),
            None if text == "refunds" => Some(Account::Refunds),
            None if text == "losses" => Some(Account::Losses),
            Some(("shopper", id)) => id.parse().ok().map(Account::Shopper),
            Some(("tax", name)) => named(name).map(Account::Tax),
            Some(("clearing", name)) => named(name).map(Account::Clearing),
            _ => None,
        };
        account.ok_or_else(|| {
            format!("`{text}` is not an account: shopper/ID, revenue, tax/NAME, clearing/NAME, refunds or losses")
        })
    }
}

impl Serialize for Account {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Account {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Account {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Account".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^(shopper/shopper_[0-9a-f]{32}|revenue|tax/.+|clearing/.+|refunds|losses)$" })
    }
}
