//! Who has what: writes down when a thing is grasped, put away, taken out again, handed over, set down.
//! Takes the times that the acts decide; gives every unit its stays. It throws no dice.

use super::Stage;
use super::play::{Aim, Key, Look, Place, Scan, Stay};
use crate::sim::figure::{CarrierKind, Holder};
use crate::sim::stock::Rest;
use crate::sim::stock::nest::{nest, take_out};

/// How long a thing is on its way between a hand and where it is carried, seconds.
const STOW_SECS: f64 = 0.6;
/// How long a hand takes to the basket or the bag, seconds.
const FETCH_SECS: f64 = 0.45;
/// How far around the end of a lift a thing leaves its board, seconds.
const LIFT_SECS: (f64, f64) = (0.1, 0.3);

impl Stage<'_> {
    /// A hand closes around a thing on its board at `touch`; the thing is off the board at `off`.
    pub(super) fn grasp(&mut self, index: usize, hand: usize, unit: usize, touch: f64, off: f64) {
        let moves = ((off - LIFT_SECS.0).max(touch), off + LIFT_SECS.1);
        self.stays(unit, touch, Holder::Hand(index, hand), self.palm(index, hand, unit), moves);
    }

    /// A hand that comes back at `back` puts things where their shopper carries them; answers when it is free.
    pub(super) fn put_away(&mut self, index: usize, hand: usize, units: &[usize], (leave, back): (f64, f64)) -> f64 {
        let pause = std::mem::take(&mut self.players[index].examines);
        let back = if 0.0 < pause { self.hold_up(index, hand, back, pause) } else { back };
        let Some(above) = self.above_carrier(index) else {
            for unit in units {
                self.stow(index, *unit, (back - 0.4).max(leave + 0.1));
            }
            return back;
        };
        let keys = &mut self.play.actors[index].hands[hand];
        if let Some(last) = keys.last_mut() {
            last.aim = above;
        }
        keys.push(Key { at: back + 0.2, aim: above });
        keys.push(Key { at: back + 0.7, aim: Aim::Rest });
        for unit in units {
            self.stow(index, *unit, back);
        }
        back + 0.5
    }

    /// A hand that comes back at `back` stops before the chest for some seconds, under the eyes of its shopper; answers
    /// when it is at rest.
    fn hold_up(&mut self, index: usize, hand: usize, back: f64, secs: f64) -> f64 {
        let side = if hand == 0 { -1.0 } else { 1.0 };
        let keys = &mut self.play.actors[index].hands[hand];
        if let Some(last) = keys.last_mut() {
            last.aim = Aim::Before([side * 0.07, 0.33, 0.68]);
        }
        // Turned a little in the hand, as one reads.
        keys.push(Key { at: back + secs, aim: Aim::Before([side * 0.05, 0.31, 0.7]) });
        keys.push(Key { at: back + secs + 0.6, aim: Aim::Rest });
        self.play.actors[index].looks.push((back - 0.3, back + secs, Look::Hand(hand)));
        back + secs + 0.6
    }

    /// A thing goes from a hand into the basket, the bag or the arms.
    pub(super) fn stow(&mut self, index: usize, unit: usize, at: f64) {
        let kind = self.play.actors[index].carrier.map(|(kind, _)| kind);
        let nested = nest(kind, &self.players[index].nest, unit, self.stock.units[unit].size);
        self.players[index].nest.push(nested);
        let place = Place::Nest { actor: index, at: nested.at, lies: nested.lies };
        self.stays(unit, at + STOW_SECS / 2.0, Holder::Carrier(index), place, (at, at + STOW_SECS));
    }

    /// A hand goes to the basket or the bag before it brings something from there; answers when it can go on.
    pub(super) fn fetch(&mut self, index: usize, hand: usize, start: f64) -> f64 {
        let Some(above) = self.above_carrier(index) else { return start };
        let keys = &mut self.play.actors[index].hands[hand];
        keys.retain(|key| key.at < start);
        if keys.last().is_none_or(|key| matches!(key.aim, Aim::Rest)) {
            keys.push(Key { at: start, aim: Aim::Rest });
        }
        keys.push(Key { at: start + FETCH_SECS, aim: above });
        keys.push(Key { at: start + FETCH_SECS + 0.1, aim: above });
        start + FETCH_SECS + 0.15
    }

    /// Where a hand is that puts something into the basket or the bag.
    fn above_carrier(&self, index: usize) -> Option<Aim> {
        let (kind, holding) = self.play.actors[index].carrier?;
        let side = if holding == 0 { -1.0 } else { 1.0 };
        Some(Aim::Before(match kind {
            CarrierKind::Basket => [side * 0.17, 0.17, 0.47],
            CarrierKind::Bag => [side * 0.16, 0.14, 0.45],
        }))
    }

    /// A thing goes from the basket, the bag or the arms into a hand.
    pub(super) fn draw(&mut self, index: usize, hand: usize, unit: usize, at: f64) {
        let moves = (at, at + STOW_SECS);
        self.stays(unit, at + STOW_SECS / 2.0, Holder::Hand(index, hand), self.palm(index, hand, unit), moves);
        for sunk in take_out(&mut self.players[index].nest, unit) {
            let place = Place::Nest { actor: index, at: sunk.at, lies: sunk.lies };
            self.stays(sunk.unit, at + STOW_SECS / 2.0, Holder::Carrier(index), place, moves);
        }
    }

    /// A thing goes from the hand that has it into another shopper's.
    pub(super) fn pass(&mut self, to: usize, hand: usize, unit: usize, at: f64) {
        self.stays(unit, at, Holder::Hand(to, hand), self.palm(to, hand, unit), (at - 0.1, at + 0.2));
    }

    /// A thing comes down on a board at `touch` and lies still from `settled` on.
    pub(super) fn lay(&mut self, unit: usize, rest: &Rest, touch: f64, settled: f64) {
        self.stays(unit, settled, Holder::Shelf, Place::on(rest), (touch - 0.15, settled));
    }

    /// A hand pushes a thing along its board.
    pub(super) fn push(&mut self, index: usize, hand: usize, unit: usize, to: &Rest, (touch, settled): (f64, f64)) {
        self.stays(unit, touch, Holder::Hand(index, hand), Place::on(to), (touch, settled));
        self.stays(unit, settled, Holder::Shelf, Place::on(to), (settled, settled));
    }

    /// From now on, or no longer, something is carried before the belly; who has a basket or bag carries nothing there.
    pub(super) fn carry(&mut self, index: usize, at: f64, carries: bool) {
        if self.play.actors[index].carrier.is_none() {
            self.play.actors[index].carries.push((at, carries));
        }
    }

    /// Stops at the gate with a raised hand.
    pub(super) fn scan(&mut self, index: usize, people: u32) {
        if let Some(gate) = self.gate(true) {
            self.walk(index, gate.middle);
        }
        let start = self.players[index].clock + 0.1;
        let at = start + 0.55 + self.behaviour.uniform(0.0, 0.4);
        let (leave, back) = (at + self.behaviour.uniform(0.25, 0.6), at + 1.2);
        let wished = self.behaviour.whole(0, 1);
        let hand = self.free_hand(index, wished);
        let side = if hand == 0 { -0.16 } else { 0.16 };
        let shown = Aim::Before([side, 0.42, 0.68]);
        let aims = [(start, Aim::Rest), (at, shown), (leave, shown), (back, Aim::Rest)];
        self.play.actors[index].hands[hand].extend(aims.map(|(at, aim)| Key { at, aim }));
        self.play.actors[index].looks.push((start, leave, Look::Hand(hand)));
        self.play.scans.push(Scan { actor: index, at, people });
        self.players[index].clock = back - 0.2;
    }

    /// Stands and looks to both sides.
    pub(super) fn look_around(&mut self, index: usize, secs: f64) {
        let start = self.players[index].clock;
        let side = self.behaviour.sign();
        for (part, yaw) in [(0.0, side), (0.5, -side)] {
            let yaw = yaw * self.behaviour.uniform(0.4, 1.0);
            let pitch = self.behaviour.uniform(-0.25, 0.1);
            let at = start + secs * part;
            self.play.actors[index].looks.push((at, at + secs * 0.45, Look::Turn { yaw, pitch }));
        }
        self.players[index].clock += secs;
    }

    /// The hand of a shopper that is not the one with the basket.
    pub(super) fn free_hand(&self, index: usize, wished: usize) -> usize {
        self.play.actors[index].carrier.map_or(wished, |(_, holding)| 1 - holding)
    }

    /// The place for one more unit in a hand: the first in its middle, the next ones to the right and the left of it.
    fn palm(&self, actor: usize, hand: usize, unit: usize) -> Place {
        let here = Holder::Hand(actor, hand);
        let held = self.play.goods.iter().filter(|stays| stays.last().is_some_and(|stay| stay.holder == here)).count();
        let side = if held % 2 == 1 { 1.0 } else { -1.0 };
        Place::Palm { actor, hand, aside: side * held.div_ceil(2) as f64 * self.stock.units[unit].size[0] }
    }

    fn stays(&mut self, unit: usize, since: f64, holder: Holder, place: Place, moves: (f64, f64)) {
        let stays = &mut self.play.goods[unit];
        let since = stays.last().map_or(since, |last| since.max(last.since));
        stays.push(Stay { since, holder, place, moves });
    }
}
