//! Whether what the shop decided is what really happened: each receipt with the shopper who left at that time.

use std::collections::BTreeMap;

use super::super::simulate::Cast;
use crate::base::{ShopTime, SkuId, Span, VisitId};
use crate::facts::Movement;

/// A receipt is of whoever left at most this long before or after.
const LEFT_MAX: Span = Span::from_millis(15_000);

/// Units by product.
pub(super) type Goods = BTreeMap<SkuId, i64>;

/// A receipt as it was shown.
#[derive(Clone, Debug)]
pub(super) struct Closed {
    /// Whose, by the name that aisle gave.
    pub(super) visit: VisitId,
    /// When the shopper was seen last.
    pub(super) left: ShopTime,
    /// When it was shown.
    pub(super) shown: ShopTime,
    pub(super) goods: Goods,
    pub(super) for_review: bool,
}

/// A line of a cart as it was shown.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) visit: VisitId,
    pub(super) sku: SkuId,
    pub(super) units: i64,
    pub(super) shown: ShopTime,
}

/// What a receipt turned out to be.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Judgement {
    /// What the shopper took.
    Right,
    /// Something else: what is missing, with a minus what is too much.
    Wrong(Goods),
    /// Nobody left then.
    Nobody,
}

/// The truth, and who was found in it.
pub(super) struct Score {
    cast: Cast,
    /// The true visit of each that has a receipt.
    found: BTreeMap<VisitId, VisitId>,
    closed: BTreeMap<VisitId, Closed>,
}

/// What a day came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sums {
    pub(super) shoppers: usize,
    /// Shoppers who have no receipt.
    pub(super) without: usize,
    pub(super) receipts: usize,
    pub(super) right: usize,
    /// Of the wrong ones, those that a person will look at.
    pub(super) wrong_for_review: usize,
    pub(super) for_review: usize,
    pub(super) unit_f1: f64,
    /// From the end of a take to the line in the cart, seconds, in order.
    pub(super) picks_secs: Vec<f64>,
    /// From the last sight to the receipt, seconds, in order.
    pub(super) exits_secs: Vec<f64>,
}

impl Score {
    pub(super) fn new(cast: Cast) -> Self {
        Score { cast, found: BTreeMap::new(), closed: BTreeMap::new() }
    }

    /// Whether a visit has a receipt.
    pub(super) fn has(&self, visit: VisitId) -> bool {
        self.closed.contains_key(&visit)
    }

    /// Takes a receipt; of a visit that has one already, it takes its place.
    pub(super) fn judge(&mut self, closed: Closed) -> Judgement {
        let visit = closed.visit;
        let whose = self.found.get(&visit).copied().or_else(|| self.who_left(closed.left));
        let goods = closed.goods.clone();
        self.closed.insert(visit, closed);
        let Some(whose) = whose else { return Judgement::Nobody };
        self.found.insert(visit, whose);
        let off = difference(&self.bought(whose), &goods);
        if off.is_empty() { Judgement::Right } else { Judgement::Wrong(off) }
    }

    /// Who left nearest to that time, of those who have no receipt yet.
    fn who_left(&self, at: ShopTime) -> Option<VisitId> {
        let taken = |visit: &VisitId| self.found.values().any(|other| other == visit);
        let near = self.cast.left.iter().filter(|(visit, left)| !taken(visit) && (at - **left).abs() <= LEFT_MAX);
        near.min_by_key(|(_, left)| (at - **left).abs()).map(|(visit, _)| *visit)
    }

    /// What whoever has this receipt really took; nothing where nobody is found.
    pub(super) fn truth_of(&self, visit: VisitId) -> Goods {
        self.found.get(&visit).map(|whose| self.bought(*whose)).unwrap_or_default()
    }

    fn bought(&self, visit: VisitId) -> Goods {
        let receipts = self.cast.truth.receipts.iter().filter(|receipt| receipt.target_id == visit);
        let items = receipts.flat_map(|receipt| &receipt.products);
        items.map(|item| (item.barcode.clone(), i64::from(item.quantity.get()))).collect()
    }

    /// What it came to, with all lines of carts that were shown.
    pub(super) fn sums(&self, lines: &[Line]) -> Sums {
        let mut sums = Sums {
            shoppers: self.cast.left.len(),
            without: self.cast.left.keys().filter(|visit| !self.found.values().any(|found| found == *visit)).count(),
            receipts: self.closed.len(),
            ..Sums::default()
        };
        let (mut owed, mut charged, mut common) = (0, 0, 0);
        owed +=
            self.cast.truth.receipts.iter().map(|one| self.bought(one.target_id).values().sum::<i64>()).sum::<i64>();
        for (visit, closed) in &self.closed {
            let bought = self.found.get(visit).map(|whose| self.bought(*whose)).unwrap_or_default();
            let is_right = self.found.contains_key(visit) && difference(&bought, &closed.goods).is_empty();
            sums.right += usize::from(is_right);
            sums.for_review += usize::from(closed.for_review);
            sums.wrong_for_review += usize::from(!is_right && closed.for_review);
            charged += closed.goods.values().sum::<i64>();
            let both = |(sku, units): (&SkuId, &i64)| (*units).min(bought.get(sku).copied().unwrap_or(0));
            common += closed.goods.iter().map(both).sum::<i64>();
            sums.exits_secs.push(closed.shown.secs_since(closed.left));
        }
        sums.unit_f1 = if owed + charged == 0 { 1.0 } else { 2.0 * common as f64 / (owed + charged) as f64 };
        sums.picks_secs = self.picks(lines);
        sums.picks_secs.sort_by(f64::total_cmp);
        sums.exits_secs.sort_by(f64::total_cmp);
        sums
    }

    /// How long after each take the cart first had as many units as the shopper.
    fn picks(&self, lines: &[Line]) -> Vec<f64> {
        let mut held: BTreeMap<(VisitId, &SkuId), i64> = BTreeMap::new();
        let mut actions: Vec<_> = self.cast.truth.actions.iter().collect();
        actions.sort_by_key(|action| action.span.end);
        let mut picks = Vec::new();
        for action in actions {
            let units = i64::from(action.quantity.get());
            let held = held.entry((action.visit, &action.sku)).or_default();
            if action.movement == Movement::Return {
                *held -= units;
                continue;
            }
            *held += units;
            let is_it = |line: &&Line| {
                self.found.get(&line.visit) == Some(&action.visit)
                    && line.sku == action.sku
                    && *held <= line.units
                    && action.span.start <= line.shown
            };
            picks.extend(lines.iter().find(is_it).map(|line| line.shown.secs_since(action.span.end)));
        }
        picks
    }
}

/// What of `bought` is missing in `charged`; with a minus what is too much there.
fn difference(bought: &Goods, charged: &Goods) -> Goods {
    let mut off = bought.clone();
    for (sku, units) in charged {
        *off.entry(sku.clone()).or_default() -= units;
    }
    off.retain(|_, units| *units != 0);
    off
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Quantity, TrackId};
    use crate::truth::{Purchase, PurchasedItem, Truth};

    fn at(secs: f64) -> ShopTime {
        ShopTime::from_nanos(1_000_000_000_000) + Span::from_secs(secs)
    }

    fn visit(number: u64) -> VisitId {
        VisitId::from_first_track(TrackId::new(number))
    }

    fn goods(list: &[(&str, i64)]) -> Goods {
        list.iter().map(|(sku, units)| (SkuId::new(sku), *units)).collect()
    }

    fn closed(number: u64, left: f64, list: &[(&str, i64)]) -> Closed {
        Closed { visit: visit(number), left: at(left), shown: at(left + 2.0), goods: goods(list), for_review: false }
    }

    fn score() -> Score {
        let item = |sku: &str| PurchasedItem { barcode: SkuId::new(sku), quantity: Quantity::new(2) };
        let bought = |number, sku: &str| Purchase { target_id: visit(number), products: vec![item(sku)] };
        let truth = Truth { receipts: vec![bought(1, "tea"), bought(2, "milk")], ..Truth::default() };
        let left = [(1, 20.0), (2, 24.0), (3, 60.0)].map(|(number, secs)| (visit(number), at(secs)));
        Score::new(Cast { truth, left: left.into() })
    }

    #[test]
    fn a_receipt_is_of_who_left_then() {
        let mut score = score();
        assert_eq!(score.judge(closed(11, 24.5, &[("milk", 2)])), Judgement::Right);
        assert_eq!(
            score.judge(closed(12, 23.0, &[("tea", 1), ("milk", 1)])),
            Judgement::Wrong(goods(&[("milk", -1), ("tea", 1)]))
        );
        assert_eq!(score.judge(closed(13, 24.0, &[])), Judgement::Nobody, "both who left then have one");
        assert_eq!(score.judge(closed(14, 61.0, &[])), Judgement::Right, "nothing was bought");
        assert_eq!(score.judge(closed(12, 23.0, &[("tea", 2)])), Judgement::Right, "a later one of the same visit");
        let sums = score.sums(&[]);
        assert_eq!((sums.shoppers, sums.without, sums.receipts, sums.right), (3, 0, 4, 3));
        assert_eq!((sums.unit_f1, sums.exits_secs), (1.0, vec![2.0; 4]));
    }
}
