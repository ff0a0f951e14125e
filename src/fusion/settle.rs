//! Closing visits: from the hypotheses to final attributions with their evidence.

use super::open::Best;
use super::people::Visitor;
use super::world::History;
use super::{Fusion, heard};
use crate::base::{Grams, Prob, Quantity, Span, TimeRange, VisitId};
use crate::facts::{Attribution, Body, Closing, Evidence, LineChance, TakerEvidence, VisitClosed, WeightEvidence};

/// A shopper seen this shortly before the last fact was still inside.
const STILL_INSIDE: Span = Span::from_millis(1_500);
impl Fusion {
    /// Settles the visits that are over, in order of entry.
    pub(super) fn close(&mut self, is_over: impl Fn(&Visitor) -> bool) -> Vec<Body> {
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
            self.settle(visit, &visitor, &mut facts);
        }
        facts
    }

    fn settle(&mut self, visit: VisitId, visitor: &Visitor, facts: &mut Vec<Body>) {
        let Best { history, lines, probability, odd } = self.best(visit);
        for odd in odd {
            self.memory.doubt(visit, odd.sentence(&self.shop));
        }
        let stay = TimeRange { start: visitor.entered, end: visitor.seen };
        let hearing = self.memory.heard.hearing(&self.shop, visit, stay, 0 < self.memory.counters.events);
        let mut is_doubted = self.memory.uncertain.remove(&visit);
        is_doubted |= !hearing.doubts.is_empty();
        for why in hearing.doubts {
            self.memory.doubt(visit, why);
        }
        let heard = |probability: Prob| Prob::new(probability.value() * hearing.share);
        let lines = lines.into_iter().map(|line| LineChance { probability: heard(line.probability), ..line });
        let certain = if is_doubted { heard::DOUBTED_FACTOR } else { 1.0 };
        let probability = Prob::new(heard(probability).value() * certain);
        facts.extend(history.iter().map(|entry| Body::Attribution(self.attribution(visit, entry, probability))));
        let inside = self.memory.now - visitor.seen <= STILL_INSIDE;
        facts.push(Body::Visit(VisitClosed {
            visit,
            entered: visitor.entered,
            left: visitor.seen,
            closing: if inside { Closing::RecordingEnded } else { Closing::Left },
            lines: lines.collect(),
            probability,
            interrupted: self.interruption(visit, visitor.seen),
        }));
        self.memory.clusters.settle(visit);
        self.memory.people.forget(visit);
        self.memory.doubts.remove(&visit);
        self.memory.heard.forget(visit);
    }

    fn attribution(&self, visit: VisitId, entry: &History, probability: Prob) -> Attribution {
        let History { action, group, .. } = entry;
        let piece = &group.pieces[action.piece];
        let shelf = &self.shop.shelves()[group.shelf];
        let mut changes: Vec<_> = piece.changes.iter().filter(|(_, grams, sigma)| 3.0 * sigma < grams.abs()).collect();
        changes.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
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
                plates: changes.iter().map(|(place, ..)| shelf.plates[*place].id).collect(),
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
