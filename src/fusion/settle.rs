//! Closing visits: from the hypotheses to final attributions with their evidence.

use std::collections::BTreeMap;

use super::Fusion;
use super::people::Visitor;
use super::world::{Action, World};
use crate::base::{Grams, Prob, Quantity, Span, VisitId};
use crate::facts::{Attribution, Body, Closing, Evidence, LineChance, TakerEvidence, VisitClosed, WeightEvidence};

/// A shopper seen this shortly before the last fact was still inside.
const STILL_INSIDE: Span = Span::from_millis(1_500);
impl Fusion {
    /// Settles the visits that are over, in order of entry.
    pub(super) fn close(&mut self, is_over: impl Fn(&Visitor) -> bool) -> Vec<Body> {
        let mut over: Vec<(VisitId, Visitor)> = self
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
        // Somebody who was never near a change has an empty cart for certain.
        let nothing = [World::new(BTreeMap::new())];
        let (worlds, weights) = self.clusters.about(visit).unwrap_or((&nothing, vec![1.0]));
        let best = &worlds[0];
        let chance = |holds: &dyn Fn(&World) -> bool| {
            let sum: f64 =
                worlds.iter().zip(&weights).filter(|(world, _)| holds(world)).map(|(_, weight)| weight).sum();
            Prob::new(sum)
        };
        let cart = best.cart(visit);
        let probability = chance(&|world| world.cart(visit) == cart);
        let products = self.shop.catalogue().products();
        let lines = cart
            .iter()
            .map(|((_, sku), units)| LineChance {
                sku: products[*sku].sku.clone(),
                quantity: Quantity::new(*units),
                probability: chance(&|world| world.cart(visit).contains(&((visit, *sku), *units))),
            })
            .collect();
        let mut actions = Vec::new();
        let mut history = best.history.get(&visit);
        while let Some(entry) = history {
            actions.push(&entry.action);
            history = entry.older.as_ref();
        }
        for action in actions.into_iter().rev() {
            facts.push(Body::Attribution(self.attribution(visit, action, probability)));
        }
        let inside = self.now - visitor.seen <= STILL_INSIDE;
        facts.push(Body::Visit(VisitClosed {
            visit,
            entered: visitor.entered,
            left: visitor.seen,
            closing: if inside { Closing::RecordingEnded } else { Closing::Left },
            lines,
            probability,
        }));
        self.clusters.settle(visit);
        self.people.forget(visit);
    }

    fn attribution(&self, visit: VisitId, action: &Action, probability: Prob) -> Attribution {
        let piece = &action.group.pieces[action.piece];
        let shelf = &self.shop.shelves()[action.group.shelf];
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
                event: action.group.event.clone(),
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
