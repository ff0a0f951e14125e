//! What is written when a receipt is booked, and when a booked receipt becomes smaller.

use std::collections::BTreeMap;
use std::fmt;

use crate::base::{CartId, Currency, Money, ShopTime, ShopperId, TransferId};
use crate::facts::{Account, Reason, Receipt, Transfer, TransferKind};

/// Why a receipt cannot be booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unbookable {
    /// It has no total.
    NoTotal,
    /// It does not add up: an amount is negative, in another currency, or more tax than total.
    Inconsistent,
    /// A correction asks for more, or in another currency; only what is less can be credited.
    Rises {
        /// The total that is booked.
        booked: Money,
        /// The total that was to follow it.
        now: Money,
    },
}

/// A total in its parts.
struct Parts {
    currency: Currency,
    net: i64,
    /// By name of the tax rule.
    taxes: BTreeMap<String, i64>,
}

/// Whose cart, which version of its receipt, and when.
struct Booking {
    shopper: ShopperId,
    cart: CartId,
    version: u32,
    currency: Currency,
    at: ShopTime,
}

/// The transfers of a sale: what was sold without tax to the revenue, the tax of each rule to its account, all owed by
/// the shopper. They add up to the receipt's total; what is zero is not written. The same sale again gives the same ids.
///
/// # Errors
/// When the receipt has no total or does not add up.
pub fn sale(
    shopper: ShopperId,
    cart: CartId,
    version: u32,
    receipt: &Receipt,
    at: ShopTime,
) -> Result<Vec<Transfer>, Unbookable> {
    let parts = Parts::of(receipt)?;
    let booking = Booking { shopper, cart, version, currency: parts.currency, at };
    Ok(parts.list().filter_map(|(tax, minor)| booking.sold(tax, minor)).collect())
}

/// The transfers of a correction downward: with them the cart's postings add up to the receipt `now`, which is its
/// `version`, in place of the one `booked`. Parts that fell are credited by the difference. Where one part rises while
/// the total does not, as when a product was taken for another under another tax, the whole old receipt is credited and the
/// whole new one is sold, so that every credit names something that was really sold.
///
/// # Errors
/// When a receipt has no total or does not add up, or the total rises.
pub fn credit(
    shopper: ShopperId,
    cart: CartId,
    version: u32,
    booked: &Receipt,
    now: &Receipt,
    at: ShopTime,
) -> Result<Vec<Transfer>, Unbookable> {
    let (old, new) = (Parts::of(booked)?, Parts::of(now)?);
    if old.currency != new.currency || old.total() < new.total() {
        let (booked, now) = (Money::new(old.total(), old.currency), Money::new(new.total(), new.currency));
        return Err(Unbookable::Rises { booked, now });
    }
    let booking = Booking { shopper, cart, version, currency: new.currency, at };
    let rises = new.list().any(|(tax, minor)| old.part(tax) < minor);
    if rises {
        let credited = old.list().filter_map(|(tax, minor)| booking.credited(tax, minor));
        let sold = new.list().filter_map(|(tax, minor)| booking.sold(tax, minor));
        return Ok(credited.chain(sold).collect());
    }
    Ok(old.list().filter_map(|(tax, minor)| booking.credited(tax, minor - new.part(tax))).collect())
}

impl Parts {
    fn of(receipt: &Receipt) -> Result<Parts, Unbookable> {
        let total = receipt.total.ok_or(Unbookable::NoTotal)?;
        let mut taxes = BTreeMap::new();
        let mut net = total.minor;
        for share in &receipt.taxes {
            if share.tax.currency != total.currency || share.tax.minor < 0 {
                return Err(Unbookable::Inconsistent);
            }
            net = net.checked_sub(share.tax.minor).ok_or(Unbookable::Inconsistent)?;
            let sum: &mut i64 = taxes.entry(share.name.clone()).or_insert(0);
            *sum = sum.checked_add(share.tax.minor).ok_or(Unbookable::Inconsistent)?;
        }
        // Taxes are not negative, so this also refuses a negative total.
        if net < 0 {
            return Err(Unbookable::Inconsistent);
        }
        Ok(Parts { currency: total.currency, net, taxes })
    }

    /// The net part, then each tax.
    fn list(&self) -> impl Iterator<Item = (Option<&str>, i64)> {
        let taxes = self.taxes.iter().map(|(name, minor)| (Some(name.as_str()), *minor));
        std::iter::once((None, self.net)).chain(taxes)
    }

    fn part(&self, tax: Option<&str>) -> i64 {
        tax.map_or(self.net, |name| self.taxes.get(name).copied().unwrap_or(0))
    }

    fn total(&self) -> i64 {
        self.list().map(|(_, minor)| minor).sum()
    }
}

impl Booking {
    fn sold(&self, tax: Option<&str>, minor: i64) -> Option<Transfer> {
        let shopper = Account::Shopper(self.shopper);
        match tax {
            None => self.transfer("sale", Reason::Sale, shopper, Account::Revenue, minor),
            Some(name) => {
                self.transfer(&format!("tax/{name}"), Reason::Tax, shopper, Account::Tax(name.to_owned()), minor)
            }
        }
    }

    fn credited(&self, tax: Option<&str>, minor: i64) -> Option<Transfer> {
        let shopper = Account::Shopper(self.shopper);
        match tax {
            None => self.transfer("credit", Reason::CreditNote, Account::Refunds, shopper, minor),
            Some(name) => {
                let role = format!("tax-credit/{name}");
                self.transfer(&role, Reason::TaxCredit, Account::Tax(name.to_owned()), shopper, minor)
            }
        }
    }

    /// None of zero. The id is that of the version's only transfer in this role.
    fn transfer(&self, role: &str, reason: Reason, debit: Account, credit: Account, minor: i64) -> Option<Transfer> {
        (minor != 0).then(|| Transfer {
            id: TransferId::of_cart(self.cart, role, self.version),
            kind: TransferKind::Direct,
            reason,
            debit,
            credit,
            amount: Money::new(minor, self.currency),
            cart: self.cart,
            receipt: Some(self.version),
            at: self.at,
        })
    }
}

impl fmt::Display for Unbookable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unbookable::NoTotal => f.write_str("the receipt has no total: a product has no price"),
            Unbookable::Inconsistent => f.write_str("the receipt does not add up: total, taxes or currencies disagree"),
            Unbookable::Rises { booked, now } => {
                write!(f, "the receipt would rise from {booked} to {now}; only what is less can be credited")
            }
        }
    }
}

impl std::error::Error for Unbookable {}
