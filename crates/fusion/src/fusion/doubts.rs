//! What aisle cannot be sure of: who was not seen again after it was stopped, who may have moved goods meanwhile, and whom
//! a change could have touched that nothing explains.

use super::findings;
use super::group;
use super::model;
use super::odd::{self, Oddity, UNEXPLAINED_MIN};
use super::people::{Goods, Profile};
use super::plan::{self, Place};
use super::world::World;
use super::{Fusion, Memory};
use crate::base::{ShopTime, Span, TimeRange, VisitId};
use crate::geometry::{Floor, Point};
use crate::shop::ZoneKind;

/// Who was last seen this long before a hole had left by then, or was lost for another reason.
const SEEN_BEFORE: Span = Span::from_millis(10_000);
/// Who was not seen at an exit for this long before a hole had left.
const GONE: Span = Span::from_millis(1_000);
/// Walking speed that is not exceeded in a shop, metres per second.
pub(super) const SPEED_MAX: f64 = 1.8;
/// A hand is looked for this long around a step.
const HAND_MARGIN: Span = Span::from_millis(100);
/// A change that is odd with this chance may be of another plate, where a hand is so many times nearer to that one.
const SWAP_CHANCE_MIN: f64 = 0.05;
const NEARER: f64 = 4.0;
/// The same where the change is what the plate's own goods weigh.
const MUCH_NEARER: f64 = 50.0;
/// Reasons that are kept of one visit.
const DOUBTS_MAX: usize = 8;

impl Memory {
    pub(super) fn doubt(&mut self, visit: VisitId, why: String) {
        let doubts = self.doubts.entry(visit).or_default();
        if doubts.len() < DOUBTS_MAX {
            doubts.insert(why);
        }
    }

    /// Whoever stood beside what nobody made is not among those whose carts it is about, and may have made it all the same: a hand may
    /// be seen where another one is.
    fn doubt_beside(&mut self, odd: &Oddity) {
        for (visit, share) in &odd.visits {
            let worlds = self.clusters.about(*visit).map_or(&[] as &[World], |(worlds, _)| worlds);
            let is_known = worlds.iter().any(|world| world.odd.iter().any(|other| other.id == odd.id));
            if !is_known && self.people.visitors().contains_key(visit) {
                *self.beside.entry(*visit).or_insert(1.0) *= 1.0 - odd.chance * share;
            }
        }
    }
}

impl Fusion {
    /// Of goods that may have moved while nobody's hands were seen nobody is cleared who could have been there.
    pub(super) fn doubt_unwatched(&mut self, step: u32) {
        let Some(step) = self.memory.steps.get(&step) else { return };
        let shelf = &self.shop.shelves()[step.shelf];
        let heard = &self.memory.heard;
        let stopped = self.memory.unwatched.iter().find(|hole| hole.touches(step.span));
        let unseen = heard.unwatched(step.span).map(|hole| (hole, "frames of people were missing"));
        let unweighed = heard.unweighed(step.shelf, step.span).map(|hole| (hole, "its samples were missing"));
        let hole = stopped.map(|hole| (hole, "aisle was stopped")).or(unseen).or(unweighed);
        let Some((hole, what)) = hole else { return };
        let Some(goods) = group::goods_of(step, shelf) else { return };
        let range = TimeRange { start: step.span.start.min(hole.start), end: step.span.end };
        let near = self.memory.people.may_have_reached(&goods, range, SPEED_MAX);
        let why = format!("goods were moved on shelf {} while {what}", shelf.id);
        let was_stopped = stopped.is_some();
        self.memory.counters.unwatched_steps += 1;
        for visit in near {
            self.memory.doubt(visit, why.clone());
            self.memory.uncertain.extend((!was_stopped).then_some(visit));
        }
    }

    /// What the most probable explanation of a step says of the plates, and whom it could have touched that is not
    /// among those whose hands are known.
    pub(super) fn notice(&mut self, step: u32, clock: &[f64], best: &World) {
        let odd: Vec<Oddity> = best.odd.iter().filter(|odd| odd.step() == step).cloned().collect();
        for (visit, entry) in best.history.iter().filter(|(_, entry)| entry.group.steps.last() == Some(&step)) {
            let piece = &entry.group.pieces[entry.action.piece];
            let place = (entry.group.shelf, piece.largest());
            let seen = best.seen_as(*visit);
            self.memory.heard.moved(seen, entry.group.shelf, piece.places(), piece.span);
            let is_alone = piece.takers.iter().skip(1).all(|other| other.log_ratio < model::ELSEWHERE_LOG);
            let taker = piece.takers.first().filter(|taker| is_alone && taker.visit == seen);
            if let Some(metres) = taker.and_then(|taker| taker.wrist_metres) {
                self.memory.people.wrists.learn(metres);
            }
            let unit = self.plan.nominal[entry.action.sku];
            let nominal = unit.map(|unit| unit * f64::from(entry.action.units));
            let grams = piece.total * entry.action.part;
            self.memory.coverage.changed(piece.span.middle(), true);
            let well = !odd.iter().any(|odd| (odd.shelf, odd.place) == place);
            let swapped = if well { self.swapped_with(place, grams, piece.span, clock) } else { None };
            match swapped {
                Some((other, visit)) => {
                    let change = odd::change_sentence(&self.shop, place, grams, piece.span.middle());
                    self.doubt_swapped(visit, &change, other);
                    self.memory.findings.swapped(place, other);
                }
                None => self.memory.findings.explained(place, grams, nominal, well),
            }
        }
        for odd in odd {
            // What somebody made is counted with the history, and noise is no change.
            if odd.is_of_nobody() {
                self.memory.coverage.changed(odd.at, false);
                self.memory.doubt_beside(&odd);
            }
            let place = (odd.shelf, odd.place);
            let asks = SWAP_CHANCE_MIN <= odd.chance;
            let span = self.memory.steps.get(&step).map(|step| step.span).filter(|_| asks);
            let swapped = span.and_then(|span| self.swapped_with(place, odd.grams, span, clock));
            if let Some((other, visit)) = swapped {
                self.doubt_swapped(visit, &odd.sentence(&self.shop), other);
                self.memory.findings.swapped(place, other);
            }
            self.memory.findings.odd(&odd, &self.shop);
            if UNEXPLAINED_MIN <= odd.chance {
                self.doubt_unexplained(&odd, step);
            }
        }
    }

    /// A change that nothing explains: whoever was not seen well enough to be cleared of it is for a person.
    fn doubt_unexplained(&mut self, odd: &Oddity, step: u32) {
        let Some(step) = self.memory.steps.get(&step) else { return };
        let Some(goods) = group::goods_of(step, &self.shop.shelves()[step.shelf]) else { return };
        let span = step.span;
        let near = self.memory.people.may_have_reached(&goods, span, SPEED_MAX);
        let sentence = odd.sentence(&self.shop);
        for visit in near {
            let known = odd.visits.iter().any(|(other, _)| *other == visit);
            if !known && !self.memory.people.was_seen(visit, span) {
                self.memory.doubt(visit, sentence.clone());
                self.memory.uncertain.insert(visit);
            }
        }
    }

    /// Whose hand was at another plate than the one that changed is for a person.
    fn doubt_swapped(&mut self, visit: VisitId, change: &str, hand: Place) {
        let plate = plan::plate_name(&self.shop, hand);
        self.memory.uncertain.insert(visit);
        self.memory.doubt(visit, format!("{change}, with the hand at plate {plate}"));
    }

    /// Another plate whose goods weigh what this one changed by, while a hand was there, and whose hand that was: the
    /// plates may be swapped.
    fn swapped_with(&self, at: Place, grams: f64, span: TimeRange, clock: &[f64]) -> Option<(Place, VisitId)> {
        let own = plan::sku_of(&self.shop, at);
        let fits = |place: Place| plan::unit_of(&self.shop, place).is_some_and(|unit| findings::is_units(grams, unit));
        // What its own goods weigh needs a hand that was clearly elsewhere.
        let nearer = if fits(at) { MUCH_NEARER } else { NEARER };
        let offset = group::likeliest(clock);
        let range = TimeRange { start: span.start - offset, end: span.end - offset }.widened(HAND_MARGIN);
        let nearness_at = |(shelf, place): Place| {
            let shelf = &self.shop.shelves()[shelf];
            let plate = &shelf.plates[place];
            let goods = Goods { shelf, centre: plate.centre_metres(), half_width: plate.width_metres / 2.0 };
            let nearest = |profile: Profile| (profile.nearness.into_iter().fold(0.0, f64::max), profile.visit);
            let hands = self.memory.people.profiles(&goods, range).into_iter().map(nearest);
            hands.max_by(|a, b| a.0.total_cmp(&b.0))
        };
        let here = nearness_at(at).map_or(0.0, |(nearness, _)| nearness);
        if 1.0 <= nearer * here {
            return None;
        }
        let mut best: Option<(f64, Place, VisitId)> = None;
        for (index, shelf) in self.shop.shelves().iter().enumerate() {
            for place in 0..shelf.plates.len() {
                let there = (index, place);
                let sku = plan::sku_of(&self.shop, there);
                if !fits(there) || sku == own || there == at {
                    continue;
                }
                let Some((nearness, visit)) = nearness_at(there) else { continue };
                let is_there = model::HAND_THERE < nearness && nearer * here < nearness;
                if is_there && best.is_none_or(|(other, ..)| other < nearness) {
                    best = Some((nearness, there, visit));
                }
            }
        }
        best.map(|(_, there, visit)| (there, visit))
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
