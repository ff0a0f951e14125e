//! Carts that survive: what the engine has come to is written as it changes, in the transaction that closes visits.

use serde_json::json;

use super::closing::{Closed, Closing, close_in, note, put_aside};
use super::{Till, entry};
use crate::base::{CartId, Money, Prob, Result, ShopTime};
use crate::db::carts::CartState;
use crate::db::{Failure, Session, access, carts, companions, duties};
use crate::facts::{Closing as ClosedBy, Concern, Goods, OpenVisit, Receipt};
use crate::shop::Shop;
use crate::{cart, till::book};

/// Open carts that are looked at when a shop starts again.
const OPEN_MAX: u32 = 10_000;

/// What the engine of a shop has come to since the last time.
#[derive(Clone, Debug)]
pub struct Progress<'a> {
    /// Visits that are over.
    pub closings: &'a [Closing],
    /// Visits that are not, with the cart that pays for each, if one was opened at a gate.
    pub open: &'a [(OpenVisit, Option<CartId>)],
    /// Carts that were opened at a gate for somebody who never came in.
    pub expired: &'a [CartId],
    /// Where the engine is, as bytes that only it understands; none when its day is over.
    pub checkpoint: &'a [u8],
    /// Now.
    pub at: ShopTime,
}

impl Till {
    /// Writes what the engine has come to, all of it or nothing: receipts, carts under way, and where the engine is. So a
    /// process that is killed goes on from where its book is, and no receipt is booked that its engine does not know of.
    ///
    /// # Errors
    /// As [`Till::close`].
    pub fn advance(&mut self, progress: &Progress<'_>) -> Result<Vec<Closed>> {
        let shop = self.shop.clone();
        self.db.transaction(|session| {
            let at = progress.at;
            let closed = progress.closings.iter().map(|closing| close_in(session, &shop, closing, at));
            let closed = closed.collect::<Result<Vec<Closed>, Failure>>()?;
            for (visit, cart) in progress.open {
                keep_open(session, &shop, visit, *cart)?;
            }
            for cart in progress.expired {
                match book::payment_of(session, *cart)? {
                    Some(payment) => entry::turn_away(session, payment, at)?,
                    None => entry::end_unused(session, *cart, at).map(drop)?,
                }
            }
            access::keep_checkpoint(session, &checkpoint_name(&shop), at, progress.checkpoint)?;
            Ok(closed)
        })
    }

    /// Where the engine of this shop was when it was written last, and when; nothing where its day was over.
    ///
    /// # Errors
    /// What the database says.
    pub fn checkpoint(&mut self) -> Result<Option<(ShopTime, Vec<u8>)>> {
        let name = checkpoint_name(&self.shop);
        let kept = self.db.transaction(|session| access::checkpoint(session, &name))?;
        Ok(kept.filter(|(_, bytes)| !bytes.is_empty()))
    }

    /// The engine cannot go on from where it was: every cart that was open is put before a person, as it was known last.
    /// Nothing is guessed about who they are now. Carts of people who work here are closed. Gives how many are before a person.
    ///
    /// # Errors
    /// What the database says.
    pub fn interrupt(&mut self, why: &str, at: ShopTime) -> Result<usize> {
        let shop = self.shop.clone();
        self.db.transaction(|session| {
            let open = carts::in_state(session, shop.name(), CartState::Open, (ShopTime::MIN, ""), OPEN_MAX)?;
            let mut asked = 0;
            for cart in &open {
                let visit = cart.live.as_ref().and_then(|live| serde_json::from_value::<OpenVisit>(live.clone()).ok());
                let receipt = last_known(&shop, visit.as_ref(), cart.entered_at, why);
                if let Some(duty) = duties::of_cart(session, cart.id)? {
                    note(session, &shop, cart.clone(), (&receipt, &[]), duty, at)?;
                    continue;
                }
                let concern = Concern::Interrupted { detail: why.to_owned() };
                put_aside(session, &shop, cart.clone(), &receipt, &[], vec![concern], at)?;
                asked += 1;
            }
            Ok(asked)
        })
    }
}

fn checkpoint_name(shop: &Shop) -> String {
    format!("engine/{}", shop.name())
}

/// Writes an open cart, if it is not as it was.
fn keep_open(
    session: &mut dyn Session,
    shop: &Shop,
    visit: &OpenVisit,
    announced: Option<CartId>,
) -> Result<(), Failure> {
    let announced = announced.map(|id| carts::get(session, id)).transpose()?.flatten();
    let own = CartId::of_visit(shop.name(), visit.entered, visit.visit);
    let host = announced.as_ref().map(|cart| cart.id).filter(|host| *host != own);
    let known = match announced.filter(|cart| cart.visit.is_none_or(|other| other == visit.visit)) {
        Some(cart) => Some(cart),
        // Nobody was announced, or this one came in with somebody whose cart that is.
        None => carts::get(session, own)?,
    };
    let mut cart = match known {
        Some(cart) => cart,
        None => {
            let opened = entry::open(session, shop.name(), own, None, None, visit.entered)?;
            if let Some(host) = host {
                companions::join(session, own, host)?;
            }
            opened
        }
    };
    let live = json!(visit);
    if cart.state == CartState::Open && cart.live.as_ref() != Some(&live) {
        if cart.visit == Some(visit.visit) {
            return carts::keep_live(session, cart.id, &live);
        }
        cart.visit = Some(visit.visit);
        cart.live = Some(live);
        carts::update(session, &cart)?;
    }
    Ok(())
}

/// What the goods of a visit come to that is not over, as it looks now; none while one of them has no price.
pub fn sum_so_far(shop: &Shop, visit: &OpenVisit) -> Option<Money> {
    so_far(shop, visit).total
}

/// The receipt of a visit that is not over, as it would be by what it looks like now; only its lines, taxes and total mean something.
pub fn so_far(shop: &Shop, visit: &OpenVisit) -> Receipt {
    last_known(shop, Some(visit), visit.entered, "")
}

/// A receipt of what was most probably in a cart when it was written last.
fn last_known(shop: &Shop, visit: Option<&OpenVisit>, entered: ShopTime, why: &str) -> Receipt {
    let nobody = crate::base::VisitId::from_first_track(crate::base::TrackId::new(0));
    let empty = Receipt {
        visit: visit.map_or(nobody, |visit| visit.visit),
        entered,
        left: visit.map_or(entered, |visit| visit.seen),
        closing: ClosedBy::RecordingEnded,
        lines: Vec::new(),
        taxes: Vec::new(),
        total: Some(crate::base::Money::new(0, shop.policy().currency)),
        probability: Prob::ZERO,
        interrupted: Some(why.to_owned()),
    };
    let lines = visit.map_or(&[][..], |visit| &visit.lines);
    let goods: Vec<Goods> = lines.iter().map(|line| Goods { sku: line.sku.clone(), quantity: line.quantity }).collect();
    let mut receipt = cart::reprice(shop, &empty, &goods);
    receipt.probability = Prob::ZERO;
    for line in &mut receipt.lines {
        let known = lines.iter().find(|known| known.sku == line.sku);
        line.probability = known.map_or(Prob::ZERO, |known| known.probability);
    }
    receipt
}
