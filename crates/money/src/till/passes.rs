//! Passes: what opens one stay to whoever a gate let in, and when that ends.

use super::Till;
use crate::base::{CartId, Result, ShopTime, ShopperId, Span, TokenId};
use crate::db::carts::CartState;
use crate::db::passes::{self, Pass, PassSort};
use crate::db::{Failure, Session, carts, companions};

/// A code can be typed for so long after somebody came in.
const CODE_SPAN: Span = Span::from_millis(24 * 3_600_000);
/// A pass is good for so long after a stay at least, however short the time is in which its receipt may be contested.
const AFTER_MIN: Span = Span::from_millis(24 * 3_600_000);

/// What a pass opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The pass.
    pub pass: TokenId,
    /// The stay: the cart that was opened at the gate.
    pub cart: CartId,
    /// What the pass looks like.
    pub sort: PassSort,
    /// Who pays for the stay.
    pub shopper: Option<ShopperId>,
    /// When it ends, as far as that is known; none while somebody is inside, or a person has to look.
    pub ends_at: Option<ShopTime>,
}

impl Till {
    /// Gives a pass to a stay; whether its secret opens that stay now. It does not where the secret is another pass's already.
    ///
    /// # Errors
    /// What the database says.
    pub fn give_pass(&mut self, pass: &Pass) -> Result<bool> {
        self.db.transaction(|session| passes::insert(session, pass))
    }

    /// What the pass with the secret of this digest opens now; nothing where there is none, or it has ended: a link when the
    /// receipts of the stay can no longer be contested, a code a day after the entry besides.
    ///
    /// # Errors
    /// What the database says.
    pub fn open_pass(&mut self, digest: &str, now: ShopTime) -> Result<Option<Opened>> {
        let after = self.shop.policy().payment.contest_max.max(AFTER_MIN);
        let shop = self.shop.clone();
        self.db.transaction(|session| {
            let Some(pass) = passes::by_digest(session, digest)? else { return Ok(None) };
            let Some(cart) = carts::get(session, pass.cart)?.filter(|cart| cart.shop == shop.name()) else {
                return Ok(None);
            };
            let of_stay = end(session, cart.id)?.map(|over| over + after);
            let of_code = (pass.sort == PassSort::Code).then(|| cart.entered_at + CODE_SPAN);
            let ends_at = match (of_stay, of_code) {
                (Some(stay), Some(code)) => Some(stay.min(code)),
                (stay, code) => stay.or(code),
            };
            let opened = Opened { pass: pass.id, cart: pass.cart, sort: pass.sort, shopper: cart.shopper, ends_at };
            Ok(Some(opened).filter(|opened| opened.ends_at.is_none_or(|end| now < end)))
        })
    }
}

/// When a stay was over and its last receipt written, of everybody who came in together; none while it is not.
fn end(session: &mut dyn Session, host: CartId) -> Result<Option<ShopTime>, Failure> {
    let mut over: Option<ShopTime> = None;
    for id in std::iter::once(host).chain(companions::of(session, host)?) {
        let Some(cart) = carts::get(session, id)? else { continue };
        if cart.state != CartState::Settled {
            return Ok(None);
        }
        let made_at = carts::receipts(session, id)?.last().map(|newest| newest.made_at);
        over = over.max(Some(cart.entered_at)).max(cart.left_at).max(made_at);
    }
    Ok(over)
}
