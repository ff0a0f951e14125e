//! What a person wants to see of an open shop, a line each: who comes in, what they take and put back, and each receipt.

use std::collections::BTreeMap;

use super::score::{Closed, Goods, Judgement, Line, Score};
use crate::base::text::plain;
use crate::base::{Money, Prob, Quantity, ShopTime, SkuId, VisitId};
use crate::facts::OpenVisit;
use crate::ports::{LiveBoard, LiveChange, TruthLine};
use crate::shop::Shop;

/// Lines of carts that are remembered; of more the delays are of the first.
const LINES_MAX: usize = 65_536;

/// A shop that is told of.
pub(super) struct Story<'a> {
    shop: &'a Shop,
    board: LiveBoard,
    begins: ShopTime,
    number: u64,
    /// Shoppers by the order in which they were seen first.
    names: BTreeMap<VisitId, usize>,
    carts: BTreeMap<VisitId, Goods>,
    pub(super) score: Score,
    pub(super) lines: Vec<Line>,
    /// Changes that were not seen, because more came than are kept.
    pub(super) missed: u64,
}

impl<'a> Story<'a> {
    pub(super) fn new(shop: &'a Shop, board: LiveBoard, begins: ShopTime, score: Score) -> Self {
        let (names, carts, lines) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        Story { shop, board, begins, number: 0, names, carts, score, lines, missed: 0 }
    }

    /// What has happened since this was asked last.
    pub(super) fn go_on(&mut self, now: ShopTime) -> Vec<String> {
        let changes = match self.board.since(self.number) {
            Some(changes) => changes,
            None => {
                let snapshot = self.board.snapshot();
                self.missed += snapshot.number.saturating_sub(self.number);
                snapshot.changes.into_iter().map(|change| (snapshot.number, change)).collect()
            }
        };
        let mut told = Vec::new();
        for (number, change) in changes {
            self.number = self.number.max(number);
            match &*change {
                LiveChange::Carts { visits, .. } => self.carts(visits, now, &mut told),
                LiveChange::Receipt { at, visit, lines, total, probability, for_review, .. } => {
                    let goods = lines.iter().map(|line| (line.sku.clone(), i64::from(line.quantity.get()))).collect();
                    let closed = Closed { visit: *visit, left: *at, shown: now, goods, for_review: *for_review };
                    self.receipt(closed, (*total, *probability), &mut told);
                }
                LiveChange::People { .. } | LiveChange::Shelf { .. } | LiveChange::Health { .. } => {}
                LiveChange::Door { .. } | LiveChange::Tags { .. } | LiveChange::Truth { .. } => {}
                LiveChange::Replay { .. } => {}
            }
        }
        told
    }

    fn carts(&mut self, visits: &[OpenVisit], now: ShopTime, told: &mut Vec<String>) {
        for open in visits {
            if self.score.has(open.visit) {
                // Its receipt was told; what the lane for screens still has is over.
                continue;
            }
            if !self.names.contains_key(&open.visit) {
                let name = self.name(open.visit);
                told.push(self.line(now, &format!("{name} comes in")));
            }
            let name = self.name(open.visit);
            let before = self.carts.remove(&open.visit).unwrap_or_default();
            let mut cart = Goods::new();
            for line in &open.lines {
                let units = i64::from(line.quantity.get());
                let more = units - before.get(&line.sku).copied().unwrap_or(0);
                if 0 < more {
                    let sure = percent(line.probability);
                    told.push(self.line(now, &format!("{name} takes {} ({sure} sure)", self.goods(more, &line.sku))));
                    if self.lines.len() < LINES_MAX {
                        self.lines.push(Line { visit: open.visit, sku: line.sku.clone(), units, shown: now });
                    }
                }
                cart.insert(line.sku.clone(), units);
            }
            for (sku, units) in &before {
                let less = units - cart.get(sku).copied().unwrap_or(0);
                if 0 < less {
                    told.push(self.line(now, &format!("{name} has {} less", self.goods(less, sku))));
                }
            }
            self.carts.insert(open.visit, cart);
        }
    }

    fn receipt(&mut self, closed: Closed, (total, probability): (Option<Money>, Prob), told: &mut Vec<String>) {
        let (name, visit) = (self.name(closed.visit), closed.visit);
        let now = closed.shown;
        self.carts.remove(&closed.visit);
        let sum = total.map_or_else(|| "no price".to_owned(), |total| total.to_string());
        let review = if closed.for_review { ", a person will look at it" } else { "" };
        let goods = closed.goods.clone();
        let judgement = self.score.judge(closed);
        self.publish(now, visit, judgement == Judgement::Right);
        let verdict = match judgement {
            Judgement::Right => "RIGHT".to_owned(),
            Judgement::Nobody => "WRONG: nobody left then".to_owned(),
            Judgement::Wrong(off) => {
                let part = |(sku, units): (&SkuId, &i64)| {
                    let word = if 0 < *units { "missing" } else { "too much" };
                    format!("{} {word}", self.goods(units.abs(), sku))
                };
                format!("WRONG: {}", off.iter().map(part).collect::<Vec<_>>().join(", "))
            }
        };
        told.push(self.line(now, &format!("{name} has left: {sum}, {} sure{review}. {verdict}", percent(probability))));
        let list = goods.iter().map(|(sku, units)| format!("             {}", self.goods(*units, sku)));
        told.extend(list);
    }

    /// Tells whoever looks at the page as well.
    fn publish(&self, at: ShopTime, visit: VisitId, right: bool) {
        let line = |(sku, units): (SkuId, i64)| {
            let quantity = Quantity::new(u32::try_from(units).unwrap_or(0));
            TruthLine { sku, quantity }
        };
        let lines = self.score.truth_of(visit).into_iter().map(line).collect();
        self.board.publish(LiveChange::Truth { at, visit, lines, right });
    }

    fn name(&mut self, visit: VisitId) -> String {
        let next = self.names.len() + 1;
        format!("shopper {}", self.names.entry(visit).or_insert(next))
    }

    fn goods(&self, units: i64, sku: &SkuId) -> String {
        let name = self.shop.catalogue().get(sku).map_or(sku.as_str(), |product| product.name.as_str());
        format!("{units} x {}", plain(name))
    }

    fn line(&self, at: ShopTime, text: &str) -> String {
        format!("{:8.1} s   {text}", at.secs_since(self.begins))
    }
}

fn percent(probability: Prob) -> String {
    // What is not certain is not written as if it were.
    format!("{:.0} %", (100.0 * probability.value()).floor())
}
