//! What a visit's cart most probably is, as the hypotheses stand.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Fusion;
use super::odd::{self, Oddity};
use super::world::{History, World};
use crate::base::{Prob, Quantity, ShopTime, VisitId};
use crate::facts::{FactRef, LineCause, LineChance, OpenLine, OpenVisit};
use crate::geometry::{Floor, Point};

/// The best explanation of one visit.
pub(super) struct Best {
    /// What was done, oldest first.
    pub(super) history: Vec<Arc<History>>,
    pub(super) lines: Vec<LineChance>,
    /// Of the whole cart.
    pub(super) probability: Prob,
    /// Probability that it is another one because the shopper was taken for somebody else.
    pub(super) mixed: f64,
    /// What is explained badly and may have touched the visit.
    pub(super) odd: Vec<Oddity>,
}

/// The best of the hypotheses that give a visit the cart that more than half of them, by probability, give it; where there is none
/// the best hypothesis about everybody. Which of several less probable carts it is cannot be chosen for each visit alone: two shoppers
/// would each be told that the other one has it.
fn most_probable<'a>(visit: VisitId, worlds: &'a [World], weights: &[f64]) -> &'a World {
    let mut carts: Vec<(f64, &World)> = Vec::new();
    for (world, weight) in worlds.iter().zip(weights) {
        match carts.iter_mut().find(|(_, other)| other.cart(visit) == world.cart(visit)) {
            Some((sum, _)) => *sum += weight,
            None => carts.push((*weight, world)),
        }
    }
    carts.iter().find(|(sum, _)| 0.5 < *sum).map_or(&worlds[0], |(_, best)| *best)
}

impl Fusion {
    /// The visits that are not over, in order of entry, each with its most probable cart.
    pub fn open_visits(&self) -> Vec<OpenVisit> {
        let visitors = self.memory.people.visitors().iter();
        let open = visitors.filter(|(visit, visitor)| !self.is_billed(**visit, visitor));
        let mut open: Vec<OpenVisit> = open.map(|(visit, _)| self.open_visit(*visit)).collect();
        open.sort_by_key(|open| (open.entered, open.visit));
        open
    }

    /// When and where the shopper of an open visit was first seen; nowhere where too little of them was seen to say.
    pub fn first_seen(&self, visit: VisitId) -> Option<(ShopTime, Option<Point<Floor>>)> {
        self.memory.people.visitors().get(&visit).map(|visitor| (visitor.entered, visitor.first_place))
    }

    fn open_visit(&self, visit: VisitId) -> OpenVisit {
        let visitor = &self.memory.people.visitors()[&visit];
        let (best, unheard) = self.heard_best(visit, visitor);
        let products = self.shop.catalogue().products();
        let line = |line: LineChance| {
            let (mut events, mut causes): (Vec<FactRef>, Vec<LineCause>) = (Vec::new(), Vec::new());
            for entry in best.history.iter().filter(|entry| products[entry.action.sku].sku == line.sku) {
                if !events.contains(&entry.group.event) {
                    events.push(entry.group.event.clone());
                }
                causes.push(self.cause(entry));
            }
            OpenLine { sku: line.sku, quantity: line.quantity, probability: line.probability, events, causes }
        };
        OpenVisit {
            visit,
            entered: visitor.entered,
            seen: visitor.seen,
            place: self.memory.people.last_place(visit),
            lines: best.lines.iter().cloned().map(line).collect(),
            probability: best.probability,
            interrupted: self.memory.doubts.contains_key(&visit) || !best.odd.is_empty() || !unheard.is_empty(),
        }
    }

    fn cause(&self, entry: &History) -> LineCause {
        let History { action, group, .. } = entry;
        let (shelf, piece) = (&self.shop.shelves()[group.shelf], &group.pieces[action.piece]);
        LineCause {
            shelf: shelf.id,
            plates: piece.changed().into_iter().map(|place| shelf.plates[place].id).collect(),
            at: piece.span.end,
            grams: (piece.total * action.part * 10.0).round() / 10.0,
            misplaced: action.misplaced,
        }
    }

    /// What a visit's cart most probably is, over all hypotheses that say so, and how the best of these explains it.
    pub(super) fn best(&self, visit: VisitId) -> Best {
        // Somebody who was never near a change has an empty cart for certain.
        let nothing = [World::new(BTreeMap::new())];
        let (worlds, weights) = self.memory.clusters.about(visit).unwrap_or((&nothing, vec![1.0]));
        let best = most_probable(visit, worlds, &weights);
        // A hypothesis counts as much as it is probable, and as far as it explains what it says.
        let chance = |certainty: &dyn Fn(&World) -> Option<f64>| {
            let parts = worlds.iter().zip(&weights).map(|(world, weight)| weight * certainty(world).unwrap_or(0.0));
            Prob::new(parts.sum())
        };
        let cart = best.cart(visit);
        let products = self.shop.catalogue().products();
        let lines = cart
            .iter()
            .map(|((_, sku), units)| LineChance {
                sku: products[*sku].sku.clone(),
                quantity: Quantity::new(*units),
                probability: chance(&|world| {
                    let holds = world.cart(visit).contains(&((visit, *sku), *units));
                    holds.then(|| world.odd.certainty_of_line(visit, *sku))
                }),
            })
            .collect();
        let mut history: Vec<Arc<History>> =
            std::iter::successors(best.history.get(&visit), |entry| entry.older.as_ref()).cloned().collect();
        history.reverse();
        let probability = chance(&|world| (world.cart(visit) == cart).then(|| world.odd.certainty(visit)));
        let differs = |world: &World| {
            world.who != best.who && world.is_mixed(visit) != best.is_mixed(visit) && world.cart(visit) != cart
        };
        let mixed = worlds.iter().zip(&weights).filter(|(world, _)| differs(world)).map(|(_, weight)| weight).sum();
        let odd = best.odd.iter().filter(|odd| odd::DOUBT_MIN <= odd.doubt_of(visit)).cloned().collect();
        Best { history, lines, probability, mixed, odd }
    }
}
