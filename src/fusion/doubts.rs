//! What aisle cannot be sure of because it was stopped: who was not seen again, and who may have moved goods meanwhile.

use super::group;
use super::{Fusion, Memory};
use crate::base::{ShopTime, Span, TimeRange, VisitId};
use crate::geometry::{Floor, Point};
use crate::shop::ZoneKind;

/// Who was last seen this long before a hole had left by then, or was lost for another reason.
const SEEN_BEFORE: Span = Span::from_millis(10_000);
/// Who was not seen at an exit for this long before a hole had left.
const GONE: Span = Span::from_millis(1_000);
/// Walking speed that is not exceeded in a shop, metres per second.
const SPEED_MAX: f64 = 1.8;
/// Reasons that are kept of one visit.
const DOUBTS_MAX: usize = 8;

impl Memory {
    pub(super) fn doubt(&mut self, visit: VisitId, why: String) {
        let doubts = self.doubts.entry(visit).or_default();
        if doubts.len() < DOUBTS_MAX {
            doubts.insert(why);
        }
    }
}

impl Fusion {
    /// Of goods that may have moved while nobody's hands were seen nobody is cleared who could have been there.
    pub(super) fn doubt_unwatched(&mut self, step: u32) {
        let Some(step) = self.memory.steps.get(&step) else { return };
        let Some(hole) = self.memory.unwatched.iter().find(|hole| hole.touches(step.span)) else { return };
        let shelf = &self.shop.shelves()[step.shelf];
        let Some(goods) = group::goods_of(step, shelf) else { return };
        let range = TimeRange { start: step.span.start.min(hole.start), end: step.span.end };
        let near = self.memory.people.may_have_reached(&goods, range, SPEED_MAX);
        let why = format!("goods were moved on shelf {} while aisle was stopped", shelf.id);
        self.memory.counters.unwatched_steps += 1;
        near.into_iter().for_each(|visit| self.memory.doubt(visit, why.clone()));
    }

    /// Why a person has to look at a visit, as far as is known now.
    pub(super) fn interruption(&self, visit: VisitId, seen: ShopTime) -> Option<String> {
        let doubts = self.memory.doubts.get(&visit).into_iter().flatten().cloned();
        let unseen = self.lost_in_hole(visit, seen).then(|| "not seen again after aisle was stopped".to_owned());
        let doubts: Vec<String> = doubts.chain(unseen).collect();
        (!doubts.is_empty()).then(|| doubts.join("; "))
    }

    /// Whether somebody was there until a hole, or lost shortly before it, and not seen after it. Who is in a doorway in
    /// the last frame of all may as well be on the way in.
    fn lost_in_hole(&self, visit: VisitId, seen: ShopTime) -> bool {
        let leaves = |place: Point<Floor>| {
            self.shop.zones().iter().any(|zone| zone.kind == ZoneKind::Exit && zone.contains(place))
        };
        let left = self.memory.people.last_place(visit).is_some_and(leaves);
        let lost = |hole: TimeRange| {
            let gone = left && seen + GONE < hole.start;
            hole.start - SEEN_BEFORE <= seen && seen <= hole.start && !gone
        };
        self.memory.stopped.iter().any(lost)
    }
}
