//! A person decides.

use super::closing::book_receipt;
use super::{Till, book, refuse, settling};
use crate::base::{CartId, CaseId, Error, Result, ShopTime, ShopperId, SkuId, TransferId};
use crate::cart;
use crate::db::carts::{Cart, CartState, Origin, ReceiptVersion};
use crate::db::outbox::LetterState;
use crate::db::{Failure, Session, carts, cases, duties, outbox, shoppers};
use crate::facts::{Answer, Case, Concern, Decision, Verdict};
use crate::ledger::payment::is_possible;
use crate::review;

/// Letters of a shopper's complaint that are kept.
const WORDS_MAX: usize = 2_000;

impl Till {
    /// A person has decided a case: the receipt is recomputed, booked or corrected, and what follows is ordered.
    ///
    /// # Errors
    /// When the case is unknown or decided already, or the verdict makes no sense; what the database says.
    pub fn decide(&mut self, case: CaseId, verdict: &Verdict) -> Result<Case> {
        let shop = self.shop.clone();
        self.db.transaction(|session| {
            let mut case = waiting(session, case)?;
            let missing = || Error::missing(format!("{} has no cart", case.id));
            let mut cart = carts::get(session, case.cart)?.ok_or_else(missing)?;
            if cart.shop != shop.name() {
                return Err(Error::conflict(format!("{} is of the shop `{}`", case.id, cart.shop)).into());
            }
            case.verdict = Some(verdict.clone());
            cases::update(session, &case)?;
            if case.concerns.iter().any(|concern| matches!(concern, Concern::Disputed { .. })) {
                return match verdict.decision {
                    Decision::Accept => Ok(case),
                    _ => Err(refuse("the bank has taken this money back already; accept to close the case")),
                };
            }
            let versions = carts::receipts(session, cart.id)?;
            let Some(newest) = versions.last() else { return without_receipt(session, &case, verdict) };
            let booked = versions.iter().find(|version| version.version == cart.booked);
            let version = match verdict.decision {
                // Only what was before a person because of the receipt is booked by accepting it.
                Decision::Accept if cart.state != CartState::Review || !is_about_receipt(&case) => {
                    ask_again(session, &case, verdict.at)?;
                    return Ok(case);
                }
                Decision::Accept => newest.clone(),
                Decision::Change { .. } | Decision::Reject => {
                    let goods = review::goods(&shop, &newest.receipt, &verdict.decision).map_err(refuse)?;
                    let version = ReceiptVersion {
                        cart: cart.id,
                        version: newest.version + 1,
                        made_at: verdict.at,
                        origin: Origin::Verdict,
                        receipt: cart::reprice(&shop, &newest.receipt, &goods),
                    };
                    carts::insert_receipt(session, &version)?;
                    cart.receipt = version.version;
                    version
                }
            };
            if cart.shopper.is_none() && version.receipt.lines.is_empty() {
                cart.state = CartState::Settled;
                carts::update(session, &cart)?;
                return Ok(case);
            }
            book_receipt(session, &mut cart, &version, booked.map(|version| &version.receipt), verdict.at)?;
            Ok(case)
        })
    }

    /// Somebody has found out who pays for a cart that nobody was announced for.
    ///
    /// # Errors
    /// When the cart or the shopper is unknown, or somebody pays already; what the database says.
    pub fn assign(&mut self, cart: CartId, shopper: ShopperId, at: ShopTime) -> Result<()> {
        self.db.transaction(|session| {
            let mut cart: Cart =
                carts::get(session, cart)?.ok_or_else(|| Error::missing(format!("there is no {cart}")))?;
            if duties::of_cart(session, cart.id)?.is_some() {
                return Err(Error::conflict(format!("{} is of somebody who works here; nobody pays", cart.id)).into());
            }
            if let Some(known) = cart.shopper {
                return Err(Error::conflict(format!("{} is paid by {known}", cart.id)).into());
            }
            let known = shoppers::get(session, shopper)?.filter(|known| known.erased_at.is_none());
            let known = known.ok_or_else(|| Error::missing(format!("nobody here is called {shopper}")))?;
            let Some(method) = known.method else {
                return Err(Error::conflict(format!("{shopper} has no way to pay yet")).into());
            };
            book::begin(session, &mut cart, (shopper, method), None, at)
        })
    }

    /// A shopper says that a receipt is wrong; a person will look. While that waits, what else they say is added to the same
    /// case, and the same again changes nothing.
    ///
    /// # Errors
    /// When there is no such receipt, or the time to contest it is over; what the database says.
    pub fn contest(&mut self, cart: CartId, words: &str, skus: &[SkuId], at: ShopTime) -> Result<Case> {
        let period = self.shop.policy().payment.contest_max;
        self.db.transaction(|session| {
            let known = carts::get(session, cart)?.filter(|cart| 0 < cart.receipt);
            let cart = known.ok_or_else(|| Error::missing(format!("there is no receipt of {cart}")))?;
            // Who got the receipt late, because a person had to look or a recording was replayed, has no less time.
            let got_at = carts::receipts(session, cart.id)?.last().map(|newest| newest.made_at);
            if cart.left_at.max(got_at).is_some_and(|got| got + period < at) {
                return Err(Error::conflict("the time to contest this receipt is over").into());
            }
            let contested = |case: &&Case| {
                case.verdict.is_none()
                    && case.concerns.iter().any(|concern| matches!(concern, Concern::Contested { .. }))
            };
            if let Some(case) = cases::of_cart(session, cart.id)?.iter().find(contested) {
                let mut more = case.clone();
                more.concerns.iter_mut().for_each(|concern| add_to(concern, words, skus));
                if more != *case {
                    cases::update(session, &more)?;
                }
                return Ok(more);
            }
            let words = words.chars().take(WORDS_MAX).collect();
            let concern = Concern::Contested { words, skus: skus.to_vec() };
            book::open_case(session, cart.id, cart.receipt, vec![concern], at)
        })
    }

    /// A person has looked up at the provider what became of an order that was given up, and says so.
    ///
    /// # Errors
    /// When the order is not given up, or the answer is not final; what the database says.
    pub fn resolve(&mut self, order: TransferId, answer: &Answer, now: ShopTime) -> Result<()> {
        if !matches!(answer, Answer::Done { .. } | Answer::Declined { .. }) {
            return Err(Error::input("only that it was done, or that it was declined, settles an order"));
        }
        self.db.transaction(|session| {
            let letter = settling::stuck(session, order)?;
            if let Answer::Done { amount, .. } = answer
                && !is_possible(&letter.order, *amount)
            {
                let asked = letter.order.amount;
                return Err(refuse(format!("{amount} cannot have been moved where {asked} was asked for")));
            }
            settling::take_answer(session, order, answer, false, now)
        })
    }
}

/// Adds to what a shopper said is wrong. Who means the whole receipt means every line.
fn add_to(concern: &mut Concern, more: &str, others: &[SkuId]) {
    let Concern::Contested { words, skus } = concern else { return };
    if others.is_empty() {
        skus.clear();
    } else if !skus.is_empty() {
        let new: Vec<SkuId> = others.iter().filter(|sku| !skus.contains(sku)).cloned().collect();
        skus.extend(new);
    }
    if !more.is_empty() && !words.lines().any(|line| line == more) && words != more {
        let joined = if words.is_empty() { more.to_owned() } else { format!("{words}\n{more}") };
        *words = joined.chars().take(WORDS_MAX).collect();
    }
}

/// A case that nobody has decided.
fn waiting(session: &mut dyn Session, id: CaseId) -> Result<Case, Failure> {
    let case = cases::get(session, id)?.ok_or_else(|| Error::missing(format!("there is no {id}")))?;
    match &case.verdict {
        None => Ok(case),
        Some(verdict) => {
            let message = format!("{id} was decided by {} at {}", verdict.reviewer, verdict.at);
            Err(Error::conflict(message).into())
        }
    }
}

/// Whether a case keeps a receipt from being booked.
pub(super) fn is_about_receipt(case: &Case) -> bool {
    case.concerns.iter().any(|concern| match concern {
        Concern::Doubt { .. }
        | Concern::NoPrice { .. }
        | Concern::Interrupted { .. }
        | Concern::NoPayer
        | Concern::Tailgated { .. } => true,
        Concern::Contested { .. } | Concern::Disputed { .. } | Concern::Recomputed | Concern::Unpaid { .. } => false,
    })
}

/// A case about money of somebody who has no receipt: a hold that the provider will not release, say.
fn without_receipt(session: &mut dyn Session, case: &Case, verdict: &Verdict) -> Result<Case, Failure> {
    match verdict.decision {
        Decision::Accept => ask_again(session, case, verdict.at).map(|()| case.clone()),
        _ => Err(refuse("this cart has no receipt; accept to try its payment again")),
    }
}

/// A receipt is right and was not paid: the provider is asked again.
fn ask_again(session: &mut dyn Session, case: &Case, at: ShopTime) -> Result<(), Failure> {
    let unpaid = case.concerns.iter().any(|concern| matches!(concern, Concern::Unpaid { .. }));
    let Some(mut payment) = book::payment_of(session, case.cart)?.filter(|_| unpaid) else { return Ok(()) };
    match &payment.asked {
        Some(asked) => match outbox::get(session, asked.id)? {
            Some(letter) if letter.state == LetterState::Stuck => settling::revive(session, letter, at),
            _ => Ok(()),
        },
        None => {
            let method = shoppers::get(session, payment.shopper)?.and_then(|shopper| shopper.method);
            let effects = payment.retry(method, at);
            book::carry_out(session, &payment, &effects, at)
        }
    }
}
