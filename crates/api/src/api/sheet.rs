//! A receipt as a document: what is read of the book, and where it stands with the money.

use super::carts::known;
use crate::base::{CartId, Error, Money, Result, ShopTime};
use crate::db::carts::{self, Cart, CartState, ReceiptVersion};
use crate::db::duties::{self, Duty};
use crate::db::{Failure, Session, transfers};
use crate::document::{self, Credit, Form, Sheet, Standing};
use crate::facts::{Attribution, EntryRole, FactRef, Reason, Transfer};
use crate::ledger::payment::{self, Payment};
use crate::shop::Shop;
use crate::till::payment_of;

/// Everything about the receipt of a cart.
pub struct Paper {
    cart: Cart,
    duty: Option<Duty>,
    newest: ReceiptVersion,
    /// The version that was in the ledger before the one that is there now.
    before: Option<ReceiptVersion>,
    payment: Option<Payment>,
    transfers: Vec<Transfer>,
    attributions: Vec<(FactRef, Attribution)>,
}

impl Paper {
    /// Reads the newest receipt of a cart; with its evidence, for those who may see it.
    ///
    /// # Errors
    /// When there is none; what the database says.
    pub fn read(session: &mut dyn Session, id: CartId, with_evidence: bool) -> Result<Self, Failure> {
        let cart = known(session, id)?;
        let mut versions = carts::receipts(session, id)?;
        let Some(newest) = versions.pop() else {
            return Err(Error::missing(format!("there is no receipt of {id} yet")).into());
        };
        let transfers: Vec<Transfer> =
            transfers::of_cart(session, id)?.into_iter().map(|entry| entry.transfer).collect();
        let in_ledger =
            |version: &ReceiptVersion| transfers.iter().any(|transfer| transfer.receipt == Some(version.version));
        let before = versions.into_iter().rfind(in_ledger);
        let attributions = match with_evidence {
            true => carts::evidence(session, id)?.unwrap_or_default(),
            false => Vec::new(),
        };
        let attributions = attributions.into_iter().map(|kept| (kept.fact, kept.attribution)).collect();
        Ok(Paper {
            payment: payment_of(session, id)?,
            duty: duties::of_cart(session, id)?,
            cart,
            newest,
            before,
            transfers,
            attributions,
        })
    }

    pub(super) fn cart(&self) -> &Cart {
        &self.cart
    }

    /// As what they came in.
    pub(super) fn role(&self) -> EntryRole {
        self.duty.map_or(EntryRole::Shopper, |duty| duty.role)
    }

    pub(super) fn newest(&self) -> &ReceiptVersion {
        &self.newest
    }

    /// The receipt in one of its forms.
    ///
    /// # Errors
    /// When the form cannot say it.
    pub fn render(&self, shop: &Shop, form: Form) -> Result<String> {
        document::render(form, &self.sheet(shop))
    }

    /// The receipt as JSON, with times and money as everywhere in the API.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn interchange(&self, shop: &Shop) -> Result<String> {
        document::interchange(&self.sheet(shop))
    }

    fn sheet<'a>(&'a self, shop: &'a Shop) -> Sheet<'a> {
        Sheet {
            shop,
            cart: self.cart.id,
            version: self.newest.version,
            receipt: &self.newest.receipt,
            standing: self.standing(),
            attributions: &self.attributions,
            zone: shop.zone(),
            epcis: shop.epcis(),
        }
    }

    /// Where it stands with the money.
    pub(super) fn standing(&self) -> Standing<'_> {
        let receipt = &self.newest.receipt;
        if self.duty.is_some() {
            return Standing::Unbilled;
        }
        if self.cart.state == CartState::Review || self.cart.state == CartState::Open {
            return Standing::Review;
        }
        match &self.before {
            Some(before) => {
                let total = |receipt: &crate::facts::Receipt| receipt.total;
                let amount = total(&before.receipt).zip(total(receipt)).and_then(|(was, is)| was.checked_sub(is));
                let Some(amount) = amount else { return Standing::Voided };
                let credit =
                    Credit { amount, at: self.newest.made_at, before: &before.receipt, before_version: before.version };
                Standing::Credited { payment: self.paid(), credit }
            }
            // A verdict has left nothing of it.
            None if receipt.lines.is_empty() && 1 < self.newest.version => Standing::Voided,
            None => match self.payment.as_ref().map(Payment::standing) {
                Some(payment::Standing::Settled) => self.paid().map_or(Standing::Due, Standing::Paid),
                _ => Standing::Due,
            },
        }
    }

    /// What was taken first and last, whatever was given back of it.
    fn paid(&self) -> Option<document::Payment<'_>> {
        let taken =
            self.transfers.iter().filter(|transfer| matches!(transfer.reason, Reason::Capture | Reason::Charge));
        let sum = taken.fold(None, |sum: Option<(Money, ShopTime)>, transfer| match sum {
            None => Some((transfer.amount, transfer.at)),
            Some((sum, _)) => Some((sum.checked_add(transfer.amount)?, transfer.at)),
        });
        let provider = &self.payment.as_ref()?.method.provider;
        sum.map(|(amount, at)| document::Payment { provider, amount, at })
    }
}
