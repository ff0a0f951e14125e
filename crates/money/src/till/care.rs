//! What is owed to shoppers besides goods: everything known about them on demand, oblivion on demand, and an end to
//! what is kept.

use schemars::JsonSchema;
use serde::Serialize;

use super::entry::debt;
use super::{Till, book};
use crate::base::{CartId, Error, Result, ShopTime, ShopperId, Span, VisitId};
use crate::db::carts::CartState;
use crate::db::shoppers::Shopper;
use crate::db::{Failure, Session, access, carts, cases, outbox, passes, shoppers, transfers};
use crate::facts::{Case, Concern, Grounds, PaymentMethod, Receipt, Transfer};
use crate::ledger::payment::{Payment, Standing};

/// How long a provider's message is remembered; none is repeated after that.
const NOTICES_KEPT: Span = Span::from_millis(40 * 24 * 3_600_000);
/// For so long after a stay its passes are remembered at least, though they may have ended before.
const PASSES_KEPT: Span = Span::from_millis(40 * 24 * 3_600_000);
/// Carts that one export holds.
const CARTS_MAX: u32 = 100_000;
/// What stands in place of words that were erased.
const ERASED: &str = "[erased]";

/// Everything that the book knows about a shopper.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Export {
    /// Their name in the book.
    pub shopper: ShopperId,
    /// What they call themselves.
    pub name: Option<String>,
    /// Where to reach them.
    pub contact: Option<String>,
    /// The provider that they pay with.
    pub provider: Option<String>,
    /// Since when.
    pub created_at: ShopTime,
    /// Every stay.
    pub carts: Vec<ExportedCart>,
}

/// One stay of an export.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ExportedCart {
    /// Its name.
    pub cart: CartId,
    /// When they came in.
    pub entered_at: ShopTime,
    /// When they left.
    pub left_at: Option<ShopTime>,
    /// Every version of the receipt.
    pub receipts: Vec<Receipt>,
    /// Why it says what it says, while that is kept.
    pub evidence: Option<Vec<Grounds>>,
    /// What was asked and decided about it.
    pub cases: Vec<Case>,
    /// Every movement of money.
    pub transfers: Vec<Transfer>,
}

/// What a round of forgetting deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Forgotten {
    /// Carts whose evidence was deleted.
    pub evidence: u64,
    /// Providers' messages.
    pub notices: u64,
    /// Passes of stays that are over.
    pub passes: u64,
}

impl Till {
    /// Everything that is known about a shopper.
    ///
    /// # Errors
    /// When there is none of that name; what the database says.
    pub fn export(&mut self, shopper: ShopperId) -> Result<Export> {
        self.db.transaction(|session| {
            let known = known(session, shopper)?;
            let stays = carts::of_shopper(session, shopper, (ShopTime::MAX, ""), CARTS_MAX)?;
            let mut exported = Vec::with_capacity(stays.len());
            for cart in stays {
                let versions = carts::receipts(session, cart.id)?;
                exported.push(ExportedCart {
                    cart: cart.id,
                    entered_at: cart.entered_at,
                    left_at: cart.left_at,
                    receipts: versions.into_iter().map(|version| version.receipt).collect(),
                    evidence: carts::evidence(session, cart.id)?,
                    cases: cases::of_cart(session, cart.id)?,
                    transfers: transfers::of_cart(session, cart.id)?.into_iter().map(|entry| entry.transfer).collect(),
                });
            }
            Ok(Export {
                shopper,
                name: known.name,
                contact: known.contact,
                provider: known.method.map(|method| method.provider),
                created_at: known.created_at,
                carts: exported,
            })
        })
    }

    /// Erases what is personal about a shopper: name, contact, ways to pay, gate token, keys, passes, evidence and
    /// words. The ledger and receipts stay, as the law on accounts wants; nothing in them leads to a person any more. Erasing
    /// twice is erasing once.
    ///
    /// # Errors
    /// While the shopper is inside, owes something or is being charged; what the database says.
    pub fn erase(&mut self, shopper: ShopperId, now: ShopTime) -> Result<()> {
        self.db.transaction(|session| {
            let known = known(session, shopper)?;
            if known.erased_at.is_some() {
                return Ok(());
            }
            if let Some(debt) = debt(session, shopper)? {
                return Err(Error::conflict(format!("{shopper} owes {debt}; it has to be settled first")).into());
            }
            let stays = carts::of_shopper(session, shopper, (ShopTime::MAX, ""), CARTS_MAX)?;
            for cart in &stays {
                let settled = cart.state == CartState::Settled;
                let payment = book::payment_of(session, cart.id)?;
                let open = |payment: &Payment| matches!(payment.standing(), Standing::Settling | Standing::Unpaid);
                if !settled || payment.as_ref().is_some_and(open) {
                    let message = format!("{} is not settled yet; erase when it is", cart.id);
                    return Err(Error::conflict(message).into());
                }
                forget_words(session, cart.id)?;
                passes::end_of(session, cart.id)?;
                if let Some(payment) = payment {
                    forget_methods(session, payment, now)?;
                }
            }
            carts::forget_evidence_of(session, shopper)?;
            access::revoke_tokens_of(session, shopper, now)?;
            let blank =
                Shopper { name: None, contact: None, method: None, gate_digest: None, erased_at: Some(now), ..known };
            shoppers::update(session, &blank)
        })
    }

    /// Visits that were left at or behind this time and whose evidence was deleted: with it goes whatever else is kept of them.
    ///
    /// # Errors
    /// What the database says.
    pub fn forgotten(&mut self, left: ShopTime) -> Result<Vec<VisitId>> {
        let shop = self.shop().name().to_owned();
        self.db.transaction(|session| carts::without_evidence(session, &shop, left))
    }

    /// Deletes what is kept no longer: evidence beyond the shop's policy, and providers' old messages.
    ///
    /// # Errors
    /// What the database says.
    pub fn forget(&mut self, now: ShopTime) -> Result<Forgotten> {
        let passes_kept = PASSES_KEPT.max(self.shop.policy().payment.contest_max * 2);
        self.db.transaction(|session| {
            Ok(Forgotten {
                evidence: carts::forget_evidence(session, now)?,
                notices: outbox::forget_notices(session, now - NOTICES_KEPT)?,
                passes: passes::forget(session, now - passes_kept)?,
            })
        })
    }
}

fn known(session: &mut dyn Session, shopper: ShopperId) -> Result<Shopper, Failure> {
    shoppers::get(session, shopper)?.ok_or_else(|| Error::missing(format!("nobody here is called {shopper}")).into())
}

/// Takes a shopper's own words out of the cases of a cart.
fn forget_words(session: &mut dyn Session, cart: CartId) -> Result<(), Failure> {
    for mut case in cases::of_cart(session, cart)? {
        for concern in &mut case.concerns {
            if let Concern::Contested { words, .. } = concern {
                ERASED.clone_into(words);
            }
        }
        cases::update(session, &case)?;
    }
    Ok(())
}

/// Takes what the provider calls a shopper out of a payment and its orders.
fn forget_methods(session: &mut dyn Session, mut payment: Payment, now: ShopTime) -> Result<(), Failure> {
    let forget = |method: &mut PaymentMethod| {
        ERASED.clone_into(&mut method.customer);
        ERASED.clone_into(&mut method.token);
    };
    forget(&mut payment.method);
    payment.taken.iter_mut().for_each(|taken| forget(&mut taken.method));
    for mut letter in outbox::of_payment(session, payment.id)? {
        forget(&mut letter.order.method);
        outbox::rewrite(session, &letter.order)?;
    }
    book::keep(session, &payment, now)
}
