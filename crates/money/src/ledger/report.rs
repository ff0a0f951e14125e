//! What an audit says: counts, sums, and what does not hold.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::book::Balance;
use crate::base::Currency;
use crate::facts::Account;

/// Findings that are kept; of further ones only the number is.
const FINDINGS_MAX: usize = 1_000;

/// What came of an audit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How many transfers were read.
    pub transfers: u64,
    /// How many balances.
    pub balances: u64,
    /// How many seals of rows.
    pub seals: u64,
    /// How many anchors were held against the book.
    pub anchors: u64,
    /// How many carts.
    pub carts: u64,
    /// How many versions of receipts.
    pub receipts: u64,
    /// How many orders to providers.
    pub orders: u64,
    /// How many of them are neither done nor declined.
    pub orders_open: u64,
    /// How many lines of providers' statements.
    pub statement_lines: u64,
    /// How many reservations are neither posted nor voided.
    pub holds_open: u64,
    /// Sums by currency.
    pub totals: BTreeMap<Currency, Totals>,
    /// What does not hold, in the order in which it was found: the first thing that is off comes first.
    pub findings: Vec<Finding>,
    /// How many findings there are beyond those listed.
    pub findings_further: u64,
}

/// Sums of a book in one currency, minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Sold without tax, less what was credited.
    pub sold: i64,
    /// Tax on it, less what was credited.
    pub tax: i64,
    /// Taken by providers.
    pub taken: i64,
    /// Given back, or taken back in disputes.
    pub given_back: i64,
    /// Reserved at providers.
    pub held: i64,
    /// Debts given up.
    pub lost: i64,
    /// What shoppers owe.
    pub owed: i64,
    /// What is owed to shoppers.
    pub owed_back: i64,
}

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which proof failed.
    pub check: Check,
    /// What it is about: an id, an account.
    pub subject: String,
    /// What would be right.
    pub expected: String,
    /// What is there.
    pub found: String,
}

/// What is proved of a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Rows are numbered from 1 without holes.
    Sequence,
    /// Each row's digest is that of itself and the row before.
    Digest,
    /// Each transfer was admissible when it was written.
    Rule,
    /// Each stored balance is the sum of its transfers.
    Balance,
    /// In each currency debits are credits.
    Sum,
    /// Each posting belongs to a cart that the book has, in one currency.
    Cart,
    /// Each receipt adds up.
    Receipt,
    /// The postings of each cart are those of its booked receipt.
    Posting,
    /// Each movement at a provider was ordered and done, and each order done is in the ledger.
    Order,
    /// No hold is left over when its cart is settled and its payment over.
    Hold,
    /// No cart has paid more than its booked total.
    Payment,
    /// The provider's statement has each movement once, and no other.
    Statement,
    /// Tables, triggers and indexes are as the migrations make them.
    Schema,
    /// Each row says what was sealed when it was written last, and none is missing or too much.
    Seal,
    /// What waits for a person has a case that waits, and what was let go has a verdict.
    Case,
    /// Whoever pays for a cart is whose cart it is.
    Payer,
    /// The book still has what it had when each anchor was made.
    Anchor,
    /// Each row can be read.
    Unreadable,
}

/// Where an order to a provider is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OrderState {
    /// To be sent, or sent and not final.
    Due,
    /// Carried out.
    Done,
    /// Will not be carried out.
    Declined,
    /// Given up by the machine; a person has to look.
    Stuck,
}

impl Totals {
    /// Adds what an account comes to.
    pub(super) fn add(&mut self, account: &Account, balance: Balance) {
        let net = balance.net();
        let to = |sum: &mut i64, minor: i64| *sum = sum.saturating_add(minor);
        match account {
            Account::Revenue => to(&mut self.sold, -net),
            Account::Refunds => to(&mut self.sold, -net),
            Account::Tax(_) => to(&mut self.tax, -net),
            Account::Clearing(_) => {
                to(&mut self.taken, balance.debits);
                to(&mut self.given_back, balance.credits);
                to(&mut self.held, balance.debits_reserved);
            }
            Account::Losses => to(&mut self.lost, net),
            Account::Shopper(_) if 0 < net => to(&mut self.owed, net),
            Account::Shopper(_) => to(&mut self.owed_back, -net),
        }
    }
}

impl Report {
    /// Adds a finding behind the others.
    pub(super) fn find(&mut self, finding: Finding) {
        if self.findings.len() == FINDINGS_MAX {
            self.findings_further += 1;
        } else {
            self.findings.push(finding);
        }
    }

    /// Whether everything holds.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}: expected {}; found {}", self.check, self.subject, self.expected, self.found)
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Check::Sequence => "sequence",
            Check::Digest => "digest",
            Check::Rule => "rule",
            Check::Balance => "balance",
            Check::Sum => "sum",
            Check::Cart => "cart",
            Check::Receipt => "receipt",
            Check::Posting => "posting",
            Check::Order => "order",
            Check::Hold => "hold",
            Check::Payment => "payment",
            Check::Statement => "statement",
            Check::Schema => "schema",
            Check::Seal => "seal",
            Check::Case => "case",
            Check::Payer => "payer",
            Check::Anchor => "anchor",
            Check::Unreadable => "unreadable",
        })
    }
}

impl fmt::Display for OrderState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            OrderState::Due => "due",
            OrderState::Done => "done",
            OrderState::Declined => "declined",
            OrderState::Stuck => "stuck",
        })
    }
}

impl FromStr for OrderState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [OrderState::Due, OrderState::Done, OrderState::Declined, OrderState::Stuck]
            .into_iter()
            .find(|state| state.to_string() == text)
            .ok_or_else(|| format!("`{text}` is not a state of an order: due, done, declined or stuck"))
    }
}
