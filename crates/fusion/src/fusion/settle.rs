//! Closing visits: from the hypotheses to final attributions with their evidence.

use super::billed::Revision;
use super::coverage::Ends;
use super::doubts::SPEED_MAX;
use super::open::Best;
use super::people::Visitor;
use super::world::History;
use super::{Fusion, heard, odd};
use crate::base::{Grams, Prob, Quantity, ShopTime, Span, TimeRange, VisitId};
use crate::facts::{Attribution, Body, Closing, Evidence, LineChance, TakerEvidence, VisitClosed, WeightEvidence};
use crate::geometry::{Floor, Point};
use crate::shop::ZoneKind;

/// A shopper seen this shortly before the last fact was still inside.
const STILL_INSIDE: Span = Span::from_millis(1_500);
/// How much later than weights people are told of, at most.
const PEOPLE_LAG: Span = Span::from_millis(3_000);
/// Who is so near to where people come in, or go out, comes or goes there, metres.
const DOORWAY_METRES: f64 = 1.0;
/// Who is so near an exit may be in its doorway, metres.
const DOOR_METRES: f64 = 1.5;

impl Fusion {
    /// Settles the visits that are over, in order of entry; all of them where the recording ends.
    pub(super) fn close(&mut self, ends: bool, is_over: impl Fn(&Visitor) -> bool) -> Vec<Body> {
        let mut over: Vec<(VisitId, Visitor)> = self
            .memory
            .people
            .visitors()
            .iter()
            .filter(|(_, visitor)| is_over(visitor))
            .map(|(visit, visitor)| (*visit, visitor.clone()))
            .collect();
        over.sort_by_key(|(visit, visitor)| (visitor.entered, *visit));
        let mut facts = Vec::new();
        for (visit, visitor) in over {
            self.settle(visit, &visitor, ends, &mut facts);
        }
        facts
    }

    /// The best explanation of a visit, less what was not heard of it, and what of that a person has to look at.
    pub(super) fn heard_best(&self, visit: VisitId, visitor: &Visitor) -> (Best, Vec<String>) {
        let best = self.best(visit);
        let stay = TimeRange { start: visitor.entered, end: visitor.seen };
        let hearing = self.memory.heard.hearing(&self.shop, visit, stay, 0 < self.memory.counters.events);
        let mut doubts = self.memory.coverage.doubts(stay, self.ends(visit, visitor));
        doubts.extend(hearing.doubts);
        let is_doubted = self.memory.uncertain.contains(&visit) || !doubts.is_empty();
        let (own, at) = self.memory.mixups.get(&visit).copied().unwrap_or((1.0, ShopTime::MIN));
        let swapped = self.memory.swaps.last(visit);
        let at = if own < 1.0 { at } else { swapped.unwrap_or(at) };
        if own * (1.0 - best.mixed) < 1.0 - odd::DOUBT_MIN {
            doubts.push(format!("may have been taken for somebody else who was lost at the same time, at {at}"));
        }
        let own = own * self.memory.beside.get(&visit).copied().unwrap_or(1.0);
        let heard = |probability: Prob| Prob::new(probability.value() * hearing.share * own);
        let certain = if is_doubted { heard::DOUBTED_FACTOR } else { 1.0 };
        let probability = Prob::new(heard(best.probability).value() * certain);
        let lines = best.lines.into_iter().map(|line| LineChance { probability: heard(line.probability), ..line });
        (Best { lines: lines.collect(), probability, ..best }, doubts)
    }

    /// Whether a visit began and ended where visits do: at a way in or out, or beyond the walls. Where the shop names none it is asked
    /// where people have come in and gone out.
    fn ends(&self, visit: VisitId, visitor: &Visitor) -> Ends {
        let is_in = |place: Option<Point<Floor>>, kind: ZoneKind| {
            let zones: Vec<_> = self.shop.zones().iter().filter(|zone| zone.kind == kind).collect();
            let outside = |place| self.shop.room().is_some_and(|room| !room.contains(place));
            let shown = if kind == ZoneKind::Entrance { &self.ways_in } else { &self.ways_out };
            let shown = if zones.is_empty() { shown.as_slice() } else { &[] };
            place.is_some_and(|place| {
                outside(place)
                    || zones.iter().any(|zone| zone.contains(place))
                    || shown.iter().any(|door| door.distance(place) <= DOORWAY_METRES)
            })
        };
        let people = &self.memory.people;
        Ends {
            came_in: is_in(visitor.first_place, ZoneKind::Entrance),
            went_out: is_in(people.last_place(visit), ZoneKind::Exit),
        }
    }

    /// Whether somebody was last seen so far from all exits that they cannot have left since, where the shop says where
    /// these are.
    fn stayed_in(&self, visit: VisitId, visitor: &Visitor) -> bool {
        let Some(place) = self.memory.people.last_place(visit) else { return false };
        let exits = self.shop.zones().iter().filter(|zone| zone.kind == ZoneKind::Exit);
        let nearest = exits.map(|exit| exit.metres_to(place)).reduce(f64::min);
        // People come later than weights: who was seen until just before the end is still on the way.
        let gap = self.memory.now - visitor.seen;
        let walked = if gap <= PEOPLE_LAG { 0.0 } else { SPEED_MAX * gap.as_secs() };
        nearest.is_some_and(|metres| walked + DOOR_METRES < metres)
    }

    /// Settles the visit of somebody who went out just now. Gives what is in the cart.
    pub(super) fn settle_early(&mut self, visit: VisitId, visitor: &Visitor, facts: &mut Vec<Body>) -> Vec<LineChance> {
        self.settle_as(visit, visitor, false, Closing::Left, facts)
    }

    fn settle(&mut self, visit: VisitId, visitor: &Visitor, ends: bool, facts: &mut Vec<Body>) {
        let stayed_in = ends && self.stayed_in(visit, visitor);
        let was_billed = self.is_billed(visit, visitor);
        let cut_off = !was_billed && (stayed_in || self.memory.now - visitor.seen <= STILL_INSIDE);
        let closing = if cut_off { Closing::RecordingEnded } else { Closing::Left };
        self.settle_as(visit, visitor, stayed_in, closing, facts);
    }

    fn settle_as(
        &mut self,
        visit: VisitId,
        visitor: &Visitor,
        stayed_in: bool,
        closing: Closing,
        facts: &mut Vec<Body>,
    ) -> Vec<LineChance> {
        let (Best { history, lines, probability, odd, .. }, unheard) = self.heard_best(visit, visitor);
        for why in odd.iter().map(|odd| odd.sentence(&self.shop)).chain(unheard) {
            self.memory.doubt(visit, why);
        }
        // Of an empty cart nothing is charged, whatever came after.
        let probability = if stayed_in && !lines.is_empty() {
            self.memory.doubt(visit, "the recording ends while the shopper is inside".to_owned());
            Prob::new(probability.value() * heard::DOUBTED_FACTOR)
        } else {
            probability
        };
        if self.revise(visit, visitor, &lines) != Revision::Same {
            facts.extend(history.iter().map(|entry| Body::Attribution(self.attribution(visit, entry, probability))));
            facts.push(Body::Visit(VisitClosed {
                visit,
                entered: visitor.entered,
                left: visitor.seen,
                closing,
                lines: lines.clone(),
                probability,
                interrupted: self.interruption(visit, visitor.seen),
            }));
        }
        self.memory.clusters.forget(visit);
        self.memory.people.forget(visit);
        self.memory.doubts.remove(&visit);
        self.memory.mixups.remove(&visit);
        self.memory.swaps.forget(visit);
        self.memory.beside.remove(&visit);
        self.memory.uncertain.remove(&visit);
        self.memory.heard.forget(visit);
        lines
    }

    fn attribution(&self, visit: VisitId, entry: &History, probability: Prob) -> Attribution {
        let History { action, group, .. } = entry;
        let piece = &group.pieces[action.piece];
        let shelf = &self.shop.shelves()[group.shelf];
        let top = piece.takers.first().map_or(0.0, |taker| taker.log_ratio);
        let sum: f64 = piece.takers.iter().map(|taker| (taker.log_ratio - top).exp()).sum();
        let takers = piece.takers.iter().map(|taker| TakerEvidence {
            visit: taker.visit,
            wrist_metres: taker.wrist_metres,
            share: Prob::new((taker.log_ratio - top).exp() / sum),
        });
        Attribution {
            visit,
            movement: action.movement,
            sku: self.shop.catalogue().products()[action.sku].sku.clone(),
            quantity: Quantity::new(action.units),
            evidence: Evidence {
                event: group.event.clone(),
                shelf: shelf.id,
                plates: piece.changed().into_iter().map(|place| shelf.plates[place].id).collect(),
                span: piece.span,
                weight: WeightEvidence {
                    measured: Grams::new(piece.total * action.part),
                    sigma: Grams::new(piece.sigma),
                    expected: Grams::new(action.expected),
                    learned: action.learned,
                },
                takers: takers.collect(),
                misplaced: action.misplaced,
                probability,
            },
        }
    }
}
