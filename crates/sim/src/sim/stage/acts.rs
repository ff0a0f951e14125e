//! The steps that touch shelves: taking, putting, sliding, pressing, leaning, giving.

use super::Stage;
use super::lifts;
use super::play::{Curve, Deed, Load, Look};
use crate::base::PlateId;
use crate::facts::Movement;
use crate::geometry::Point;
use crate::sim::stock::{Rest, plates_of, rest_at};
use crate::sim::story::script::{Lift, Spot, Want, Which};

/// What one hand takes at once.
struct Grab {
    hand: usize,
    spot: Spot,
    depth: f64,
    units: Vec<usize>,
}

impl Stage<'_> {
    pub(super) fn take(&mut self, index: usize, wants: &[Want], lift: Lift, both_hands: bool) {
        let Some(first) = wants.first() else { return };
        self.approach(index, first.spot);
        let mut start = self.players[index].clock + self.roll.uniform(0.05, 0.35);
        let grabs = self.grabs(index, wants, both_hands, start);
        let mut done = self.players[index].clock;
        for grab in grabs {
            let end = self.grab(index, &grab, lift, start);
            done = done.max(end);
            start += self.roll.uniform(0.0, 0.25);
        }
        self.players[index].clock = done;
        self.carry(index, done, true);
    }

    /// Divides what is wanted between the hands.
    fn grabs(&mut self, index: usize, wants: &[Want], both_hands: bool, time: f64) -> Vec<Grab> {
        let mut grabs: Vec<Grab> = Vec::new();
        let mut hand = self.hand_for(index, wants[0].spot);
        for want in wants {
            let units = self.stock.find(want.good, want.spot.shelf, want.spot.x, want.count, time);
            for (number, unit) in units.iter().enumerate() {
                let Some(rest) = self.stock.units[*unit].rest.clone() else { continue };
                let fresh = number == 0 || both_hands;
                match grabs.last_mut().filter(|_| !fresh) {
                    Some(grab) => grab.units.push(*unit),
                    None => {
                        let spot = Spot { shelf: rest.shelf, x: rest.x };
                        grabs.push(Grab { hand, spot, depth: rest.y, units: vec![*unit] });
                        hand = if self.play.actors[index].carrier.is_some() { hand } else { 1 - hand };
                    }
                }
            }
        }
        grabs
    }

    /// One reach of one hand; answers when the hand is free.
    fn grab(&mut self, index: usize, grab: &Grab, lift: Lift, start: f64) -> f64 {
        let quick = lift == Lift::Quick;
        let arrive = start + self.reach_secs(grab.spot, if quick { (0.38, 0.6) } else { (0.45, 0.9) });
        let touch = arrive + if quick { self.roll.uniform(0.0, 0.12) } else { self.roll.uniform(0.05, 0.35) };
        let mut end = touch;
        for unit in &grab.units {
            let delay = if grab.units.len() == 1 { 0.0 } else { self.roll.uniform(0.0, 0.06) };
            end = end.max(self.lift_unit(index, grab.hand, *unit, lift, touch + delay));
        }
        let leave = end + if quick { 0.02 } else { self.roll.uniform(0.02, 0.25) };
        let back = leave + self.reach_secs(grab.spot, (0.45, 0.8));
        let at = self.wrist_at(index, grab.hand, grab.spot, grab.depth);
        self.reach(index, grab.hand, at, [start, arrive, leave, back]);
        let free = self.put_away(index, grab.hand, &grab.units, (leave, back));
        if quick { leave + 0.15 } else { free }
    }

    fn lift_unit(&mut self, index: usize, hand: usize, unit: usize, lift: Lift, start: f64) -> f64 {
        let Some(rest) = self.stock.units[unit].rest.take() else { return start };
        let grams = self.stock.units[unit].grams;
        let (curve, end) = lifts::lift(&mut self.roll, lift, start, grams);
        self.note(index, unit, &rest, Movement::Take, (start, end));
        self.load(&rest, curve);
        self.grasp(index, hand, unit, start, end);
        self.payer[unit] = Some(index);
        self.players[index].hands.push((unit, Spot { shelf: rest.shelf, x: rest.x }));
        end
    }

    pub(super) fn put(&mut self, index: usize, which: Which, to: Option<Spot>) {
        let Some((unit, home)) = self.pop(index, which) else { return };
        let target = to.unwrap_or(home);
        self.approach(index, target);
        let hand = self.hand_for(index, target);
        let begin = self.players[index].clock + self.roll.uniform(0.05, 0.35);
        let start = self.fetch(index, hand, begin);
        let arrive = start + self.reach_secs(target, (0.45, 0.95));
        let touch = arrive + self.roll.uniform(0.0, 0.25);
        let spot = Spot { shelf: target.shelf, x: target.x + self.roll.bounded(0.0, 0.02) };
        let depth = self.roll.uniform(0.05, 0.13);
        // Half of the way out of the basket is behind it when the hand goes on.
        self.draw(index, hand, unit, (start - 0.3).max(begin));
        let settled = self.set_down(index, unit, spot, depth, touch);
        let leave = settled + self.roll.uniform(0.02, 0.3);
        let at = self.wrist_at(index, hand, spot, depth);
        let back = leave + self.reach_secs(spot, (0.45, 0.8));
        self.reach(index, hand, at, [start, arrive, leave, back]);
        self.players[index].clock = back;
        let carries = !self.players[index].hands.is_empty();
        self.carry(index, back, carries);
    }

    fn set_down(&mut self, index: usize, unit: usize, spot: Spot, depth: f64, touch: f64) -> f64 {
        let shelf = &self.shop.shelves()[spot.shelf];
        let (grams, width) = (self.stock.units[unit].grams, self.stock.units[unit].width);
        let (x, y, lies) = self.stock.room_near(unit, shelf, spot.shelf, spot.x, depth);
        let rest = Rest { lies, ..rest_at(&mut self.roll, shelf, spot.shelf, x, y, width) };
        let (curve, settled) = lifts::land(&mut self.roll, touch, grams);
        self.note(index, unit, &rest, Movement::Return, (touch, settled));
        self.load(&rest, curve);
        self.lay(unit, &rest, touch, settled);
        self.stock.units[unit].rest = Some(rest);
        self.stock.units[unit].free_from = settled + 0.3;
        self.payer[unit] = None;
        settled
    }

    pub(super) fn slide(&mut self, index: usize, want: Want, by: f64) {
        self.approach(index, want.spot);
        let start = self.players[index].clock + self.roll.uniform(0.1, 0.4);
        let found = self.stock.find(want.good, want.spot.shelf, want.spot.x, 1, start);
        let Some(&unit) = found.first() else { return };
        let Some(from) = self.stock.units[unit].rest.take() else { return };
        let (grams, width) = (self.stock.units[unit].grams, self.stock.units[unit].width);
        let shelf = &self.shop.shelves()[from.shelf];
        let (x, y, lies) = self.stock.room_near(unit, shelf, from.shelf, from.x + by, from.y);
        let to = Rest { lies, ..rest_at(&mut self.roll, shelf, from.shelf, x, y, width) };
        let arrive = start + self.reach_secs(want.spot, (0.45, 0.9));
        let touch = arrive + self.roll.uniform(0.05, 0.3);
        let settled = touch + self.roll.uniform(0.4, 1.5);
        let hand = self.hand_for(index, Spot { shelf: from.shelf, x: from.x });
        let off = lifts::shift(&mut self.roll, touch, settled, -grams);
        let on = lifts::shift(&mut self.roll, touch + 0.02, settled + 0.02, grams);
        self.load(&from, off);
        self.load(&to, on);
        self.push(index, hand, unit, &to, (touch, settled));
        let at = self.wrist_at(index, hand, Spot { shelf: from.shelf, x: (from.x + to.x) / 2.0 }, from.y);
        let back = settled + self.reach_secs(want.spot, (0.5, 0.8));
        self.reach(index, hand, at, [start, arrive, settled + 0.1, back]);
        self.players[index].clock = back;
        self.stock.units[unit].free_from = settled + 0.3;
        self.stock.units[unit].rest = Some(to);
    }

    pub(super) fn press(&mut self, index: usize, spot: Spot, grams: f64, secs: f64) {
        self.approach(index, spot);
        let hand = self.hand_for(index, spot);
        let start = self.players[index].clock + self.roll.uniform(0.1, 0.4);
        let arrive = start + self.reach_secs(spot, (0.45, 0.9));
        let touch = arrive + self.roll.uniform(0.0, 0.1);
        let width = self.roll.uniform(0.05, 0.13);
        let depth = self.roll.uniform(0.03, 0.12);
        let shelf = &self.shop.shelves()[spot.shelf];
        let rest = rest_at(&mut self.roll, shelf, spot.shelf, spot.x, depth, width);
        let curve = lifts::press(&mut self.roll, touch, grams, secs);
        self.load(&rest, curve);
        let leave = touch + secs + 0.1;
        let at = self.wrist_at(index, hand, spot, depth);
        let back = leave + self.reach_secs(spot, (0.45, 0.8));
        self.reach(index, hand, at, [start, arrive, leave, back]);
        self.players[index].clock = back;
    }

    pub(super) fn lean(&mut self, index: usize, spot: Spot, grams: f64, secs: f64) {
        self.approach(index, spot);
        let hand = self.hand_for(index, spot);
        let start = self.players[index].clock + self.roll.uniform(0.1, 0.4);
        let arrive = start + self.reach_secs(spot, (0.45, 0.9));
        let shelf = &self.shop.shelves()[spot.shelf];
        let (low, high) = shelf.extent_metres();
        let tilt = self.roll.uniform(-0.4, 0.4);
        let part = |x: f64| 1.0 + tilt * (x - spot.x) / (high - low).max(0.1);
        let shares = shelf.plates.iter().enumerate().map(|(number, plate)| (number, part(plate.centre_metres())));
        let shares = shares.collect();
        let curve = lifts::press(&mut self.roll, arrive, grams, secs);
        self.play.loads.push(Load { shelf: spot.shelf, shares, curve });
        let at = self.wrist_at(index, hand, spot, 0.02);
        let leave = arrive + secs;
        let back = leave + self.reach_secs(spot, (0.45, 0.8));
        self.reach(index, hand, at, [start, arrive, leave, back]);
        self.players[index].clock = back;
    }

    pub(super) fn give(&mut self, index: usize, to: usize, which: Which) {
        if to == index || self.players.len() <= to || self.players[to].gone {
            return;
        }
        let Some(thing) = self.pop(index, which) else { return };
        let (a, b) = (self.players[index].position, self.players[to].position);
        let way = b - a;
        let start = self.players[index].clock + 0.2;
        self.play.actors[index].faces.push((start, way.y.atan2(way.x)));
        self.play.actors[to].faces.push((start, (-way.y).atan2(-way.x)));
        let middle = a.lerp(b, self.roll.uniform(0.4, 0.6));
        let height = self.roll.uniform(0.95, 1.25) * self.smallness(index).min(self.smallness(to));
        let arrive = start + self.roll.uniform(0.5, 0.9);
        let leave = arrive + self.roll.uniform(0.3, 0.9);
        let back = leave + self.roll.uniform(0.4, 0.7);
        let short = way * (0.07 / way.norm().max(0.1));
        let at = |sign: f64| Point::new(middle.x - sign * short.x, middle.y - sign * short.y, height);
        let hands = [self.roll.whole(0, 1), self.roll.whole(0, 1)];
        let hands = [self.free_hand(index, hands[0]), self.free_hand(to, hands[1])];
        let pass = arrive + (leave - arrive) * 0.5;
        self.draw(index, hands[0], thing.0, start);
        self.pass(to, hands[1], thing.0, pass);
        self.reach(index, hands[0], at(1.0), [start, arrive, leave, back]);
        self.reach(to, hands[1], at(-1.0), [start, arrive, leave, back]);
        self.put_away(to, hands[1], &[thing.0], (leave, back));
        for (one, other) in [(index, to), (to, index)] {
            self.play.actors[one].looks.push((start, start + 0.5, Look::Person(other)));
            self.play.actors[one].looks.push((leave, back, Look::Person(other)));
        }
        self.players[to].hands.push(thing);
        self.players[index].clock = back;
        self.players[to].clock = self.players[to].clock.max(back);
        let carries = !self.players[index].hands.is_empty();
        self.carry(index, back, carries);
        self.carry(to, back, true);
    }

    /// How long a hand is on its way to a spot or back: longer to low boards, for which the whole body bends.
    fn reach_secs(&mut self, spot: Spot, (low, high): (f64, f64)) -> f64 {
        let height = self.shop.shelves()[spot.shelf].placement.origin.z;
        let bend = (1.0 - height).max(0.0) * self.roll.uniform(0.5, 0.95);
        self.roll.uniform(low, high) + bend
    }

    fn pop(&mut self, index: usize, which: Which) -> Option<(usize, Spot)> {
        let hands = &mut self.players[index].hands;
        match which {
            Which::Last => hands.pop(),
            Which::First => (!hands.is_empty()).then(|| hands.remove(0)),
        }
    }

    fn load(&mut self, rest: &Rest, curve: Curve) {
        self.play.loads.push(Load { shelf: rest.shelf, shares: rest.shares.clone(), curve });
    }

    /// Writes down that a unit moved; units of one product that move together make one deed.
    fn note(&mut self, actor: usize, unit: usize, rest: &Rest, movement: Movement, (start, end): (f64, f64)) {
        let plates = plates_of(&self.shop.shelves()[rest.shelf], rest);
        let sku = self.stock.goods[self.stock.units[unit].good].sku.clone();
        let grams = self.stock.units[unit].grams;
        let same = self.play.deeds.iter_mut().rev().find(|deed| {
            deed.actor == actor
                && deed.movement == movement
                && deed.sku == sku
                && deed.shelf == rest.shelf
                && start < deed.end
        });
        let Some(deed) = same else {
            return self.record(Deed { actor, start, end, movement, sku, count: 1, plates, shelf: rest.shelf, grams });
        };
        deed.start = deed.start.min(start);
        deed.end = deed.end.max(end);
        deed.count += 1;
        deed.grams += grams;
        let more: Vec<PlateId> = plates.into_iter().filter(|plate| !deed.plates.contains(plate)).collect();
        deed.plates.extend(more);
        deed.plates.sort();
    }
}
