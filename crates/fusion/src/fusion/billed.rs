//! Visits that are over because the shopper went out through an exit. Their end is decided at once, of everything that is
//! known by then; what belongs to them is explained again with the steps of all others, when nothing can come any more that
//! belongs to these, and should their cart be another one then, it is said.
//!
//! Method: the fusion is copied, the copy explains all changes that wait as if no fact came any more, and the visit is settled
//! in the copy. So whatever is decided about all others stays as it is.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::people::Visitor;
use super::{Fusion, LAG};
use crate::base::{ShopTime, SkuId, Span, VisitId};
use crate::facts::{Body, LineChance};
use crate::geometry::{Floor, Point};
use crate::shop::{Shop, ZoneKind};

/// Who was last seen in an exit and then not for so long has left.
const GONE: Span = Span::from_millis(600);
/// Cameras lose whoever walks out some steps before the exit: who was last seen so near to one, metres, and nearer to it than to any way
/// in, and then not for so long has left too.
const NEAR_METRES: f64 = 0.75;
const NEAR_GONE: Span = Span::from_millis(3_000);
/// Somebody who leaves was farther away than that before, metres: not who stands at the door.
const INSIDE_METRES: f64 = 1.5;
/// A hand that left a shelf may have moved what begins to move so soon after.
const HAND_MARGIN: Span = Span::from_millis(500);

/// What was decided of a visit when the shopper had gone out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Billed {
    /// When they were seen last.
    pub(super) seen: ShopTime,
    /// What was in the cart.
    pub(super) goods: Vec<(SkuId, u32)>,
}

impl Billed {
    pub(super) fn new(seen: ShopTime, lines: &[LineChance]) -> Self {
        Billed { seen, goods: goods_of(lines) }
    }

    /// Why a decision turned out to be wrong; `None` where it did not.
    pub(super) fn mistake(&self, visitor: &Visitor, lines: &[LineChance]) -> Option<&'static str> {
        match (self.goods == goods_of(lines), self.seen < visitor.seen) {
            (true, _) => None,
            (false, true) => Some("the shopper came back after the receipt was made"),
            (false, false) => Some("the cart turned out to be another one after the receipt was made"),
        }
    }
}

fn goods_of(lines: &[LineChance]) -> Vec<(SkuId, u32)> {
    lines.iter().map(|line| (line.sku.clone(), line.quantity.get())).collect()
}

impl Fusion {
    /// Settles the visits of those who went out, in order of entry.
    pub(super) fn close_gone_out(&mut self, now: ShopTime) -> Vec<Body> {
        let gone: Vec<(VisitId, Visitor)> = self.gone_out(now);
        let mut facts = Vec::new();
        if gone.is_empty() {
            return facts;
        }
        let mut early = self.clone();
        early.explain(ShopTime::MAX);
        for (visit, visitor) in gone {
            let lines = early.settle_early(visit, &visitor, &mut facts);
            self.memory.billed.insert(visit, Billed::new(visitor.seen, &lines));
            self.memory.counters.went_out += 1;
        }
        facts
    }

    fn gone_out(&self, now: ShopTime) -> Vec<(VisitId, Visitor)> {
        let mut gone: Vec<(VisitId, Visitor)> = self
            .memory
            .people
            .visitors()
            .iter()
            .filter(|(visit, visitor)| {
                !self.memory.billed.contains_key(visit) && self.has_gone_out(**visit, visitor, now)
            })
            .map(|(visit, visitor)| (*visit, visitor.clone()))
            .collect();
        gone.sort_by_key(|(visit, visitor)| (visitor.entered, *visit));
        gone
    }

    fn has_gone_out(&self, visit: VisitId, visitor: &Visitor, now: ShopTime) -> bool {
        let unseen = self.memory.stopped.watched(visitor.seen, now);
        let heard = &self.memory.heard;
        let Some(place) = self.memory.people.last_place(visit) else { return false };
        // Whoever just came in and is hidden in the doorway is no one who leaves.
        let (gone, was_inside) = if is_out(&self.shop, place) {
            (GONE, visitor.places().any(|place| !is_out(&self.shop, place)))
        } else if is_near_exit(&self.shop, place) {
            (NEAR_GONE, visitor.places().any(|place| INSIDE_METRES < metres_to(&self.shop, ZoneKind::Exit, place)))
        } else {
            return false;
        };
        // Boards that weigh by themselves tell of long changes late.
        let least = if heard.hears_samples() || self.memory.counters.events == 0 { gone } else { LAG };
        least <= unseen && was_inside && heard.looked_after(visitor.seen) && (LAG <= unseen || self.has_settled(visit))
    }

    /// Whether nothing moves any more on a shelf that this visit's hand may have set in motion.
    fn has_settled(&self, visit: VisitId) -> bool {
        let touched = self.memory.heard.reached(visit);
        let mut touched = touched.filter_map(|(shelf, near)| Some(((*self.unrest.get(shelf)?)?, near)));
        touched.all(|(unrest, near)| near.end + HAND_MARGIN < unrest)
    }

    /// The receipt of somebody whose end was decided before, if it is to be another one now.
    pub(super) fn revise(&mut self, visit: VisitId, visitor: &Visitor, lines: &[LineChance]) -> Revision {
        let Some(billed) = self.memory.billed.remove(&visit) else { return Revision::First };
        match billed.mistake(visitor, lines) {
            None => Revision::Same,
            Some(why) => {
                self.memory.counters.revised += 1;
                self.memory.doubt(visit, why.to_owned());
                Revision::Other
            }
        }
    }

    /// Whether the end of this visit is decided, and the shopper was not seen since.
    pub(super) fn is_billed(&self, visit: VisitId, visitor: &Visitor) -> bool {
        self.memory.billed.get(&visit).is_some_and(|billed| visitor.seen <= billed.seen)
    }
}

/// What the end of a visit is beside an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Revision {
    /// There was none.
    First,
    /// The same.
    Same,
    /// Another one.
    Other,
}

/// How far it is to the nearest zone of this kind, metres; infinite where there is none.
fn metres_to(shop: &Shop, kind: ZoneKind, place: Point<Floor>) -> f64 {
    let zones = shop.zones().iter().filter(|zone| zone.kind == kind);
    zones.map(|zone| zone.metres_to(place)).fold(f64::INFINITY, f64::min)
}

/// Whether a place is at an exit, and nearer to it than to any way in.
fn is_near_exit(shop: &Shop, place: Point<Floor>) -> bool {
    let metres = metres_to(shop, ZoneKind::Exit, place);
    metres <= NEAR_METRES && metres < metres_to(shop, ZoneKind::Entrance, place)
}

/// Whether a place is an exit of the shop, or lies beyond its walls. In a shop that names no exit none is.
fn is_out(shop: &Shop, place: Point<Floor>) -> bool {
    let mut exits = shop.zones().iter().filter(|zone| zone.kind == ZoneKind::Exit).peekable();
    if exits.peek().is_none() {
        return false;
    }
    exits.any(|zone| zone.contains(place)) || shop.room().is_some_and(|room| !room.contains(place))
}
