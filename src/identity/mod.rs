//! Who pays for which visit. It takes scans at the gates and beginnings of visits, and gives for every visit the cart
//! that was opened for it, or that there is none. It never looks at faces, bodies or goods: only at who came when.
//!
//! Somebody who was let in is seen by the cameras a moment later, at an entrance. All scans and visits of the same minute are
//! assigned to each other at once, at the greatest likelihood; where a swap is nearly as likely, the probability says
//! so. A visit that fits no scan stays unbound: somebody slipped in, and who pays is for a person to find out.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::base::{CartId, Prob, ShopTime, Span, VisitId};
use crate::facts::{GateScan, VisitBound};
use crate::geometry::assign;

/// How long after a scan people are mostly seen, and how much that varies, seconds.
const DELAY_SECS: f64 = 2.0;
const DELAY_SIGMA_SECS: f64 = 2.0;
/// Share of people who take any time: they wait for somebody, or turn round again.
const SLOW_SHARE: f64 = 0.1;
/// Somebody may be seen this long before they scan, where cameras see the outside of a gate.
const EARLY_MAX: Span = Span::from_millis(3_000);
/// A visit is known at most this long after its shopper was first seen: until then they might be nobody.
const TOLD_LATE_MAX: Span = Span::from_millis(6_000);
/// Cost of a visit that begins elsewhere than at an entrance: cameras at doors miss one of twenty.
const INSIDE_COST: f64 = 3.0;
/// Cost of a visit without a scan: one in a thousand seconds.
const UNBOUND_COST: f64 = 6.9;
/// Cost of a scan that nobody comes with: one of twenty turns back.
const UNUSED_COST: f64 = 3.0;
/// Scans and visits that wait at once; of more the oldest are decided at once.
const WAITING_MAX: usize = 64;
/// People whom one scan lets in, at most; a larger number is taken for this one.
const PEOPLE_MAX: u32 = 16;

/// How people come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// A scan lets nobody in who is first seen later than this after it.
    pub entry_max: Span,
}

/// What was decided.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// Who pays for a visit, or that nobody is known to.
    Visit(VisitBound),
    /// Nobody came with this scan, or fewer than it would let in and these are decided: it lets nobody in any more.
    /// Given for scans that no visit was bound to.
    Expired(CartId),
}

/// Scans and visits that wait for each other. Written down and read back it goes on as if nothing had been.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Binder {
    options: Options,
    /// In order of time.
    scans: Vec<Scan>,
    visits: Vec<Begun>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Scan {
    at: ShopTime,
    cart: CartId,
    /// How many it still lets in, and whether it has let in anybody.
    left: u32,
    used: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Begun {
    at: ShopTime,
    visit: VisitId,
    at_entrance: bool,
}

impl Options {
    /// Fifteen seconds: time to hold a door for somebody, and too little for two shoppers to change their minds.
    pub const USUAL: Options = Options { entry_max: Span::from_millis(15_000) };
}

impl Binder {
    /// Nobody waits.
    pub fn new(options: Options) -> Self {
        Binder { options, scans: Vec::new(), visits: Vec::new() }
    }

    /// Somebody scanned at a gate. The same cart again, while it waits, counts for nothing: readers repeat themselves.
    pub fn scan(&mut self, at: ShopTime, scan: &GateScan) {
        if self.scans.iter().any(|other| other.cart == scan.cart) {
            return;
        }
        let place = self.scans.partition_point(|other| (other.at, other.cart) <= (at, scan.cart));
        let left = scan.people.clamp(1, PEOPLE_MAX);
        self.scans.insert(place, Scan { at, cart: scan.cart, left, used: false });
    }

    /// A visit began: when its shopper was first seen, and whether that was at an entrance.
    pub fn visit(&mut self, at: ShopTime, visit: VisitId, at_entrance: bool) {
        if self.visits.iter().any(|other| other.visit == visit) {
            return;
        }
        let place = self.visits.partition_point(|other| (other.at, other.visit) <= (at, visit));
        self.visits.insert(place, Begun { at, visit, at_entrance });
    }

    /// Lets time pass: every scan until `now` was told, and every visit whose shopper was first seen six seconds before.
    /// Gives what is final by then, in order of time.
    pub fn tick(&mut self, now: ShopTime) -> Vec<Bound> {
        // Until then somebody may turn up with whom the shopper shares a scan.
        let window = EARLY_MAX + self.options.entry_max + TOLD_LATE_MAX;
        let full = self.visits.len().saturating_sub(WAITING_MAX);
        let over = self.visits.partition_point(|begun| begun.at + window <= now).max(full);
        let mut bound = self.bind(over);
        let entry_max = self.options.entry_max;
        let full = self.scans.len().saturating_sub(WAITING_MAX);
        let first = self.visits.first().map_or(ShopTime::MAX, |begun| begun.at);
        let mut place = 0;
        self.scans.retain(|scan| {
            place += 1;
            let over = scan.at + entry_max + TOLD_LATE_MAX <= now && scan.at + entry_max < first;
            let dropped = scan.left == 0 || over || place <= full;
            if dropped && !scan.used {
                bound.push(Bound::Expired(scan.cart));
            }
            !dropped
        });
        bound
    }

    /// No scan and no visit will come any more: decides everything.
    pub fn finish(&mut self) -> Vec<Bound> {
        let mut bound = self.bind(self.visits.len());
        let unused = std::mem::take(&mut self.scans).into_iter().filter(|scan| !scan.used);
        bound.extend(unused.map(|scan| Bound::Expired(scan.cart)));
        bound
    }

    /// How many scans and visits wait.
    pub fn waiting(&self) -> usize {
        self.scans.len() + self.visits.len()
    }

    /// Decides the first so many visits, in view of all that wait.
    fn bind(&mut self, count: usize) -> Vec<Bound> {
        if count == 0 {
            return Vec::new();
        }
        // A scan stands once for everybody it lets in; the last columns stand for no scan.
        let places: Vec<usize> =
            self.scans.iter().enumerate().flat_map(|(index, scan)| (0..scan.left).map(move |_| index)).collect();
        let cost: Vec<Vec<f64>> = self.visits.iter().enumerate().map(|(row, _)| self.costs(row, &places)).collect();
        let best = assign(&cost);
        let mut bound = Vec::with_capacity(count);
        for row in 0..count {
            let scan_of = |column: usize| places.get(column).copied();
            let mine = best[row].and_then(scan_of);
            let weights = weights(&cost, row);
            let same = |column: &usize| scan_of(*column) == mine;
            let agreeing: f64 = (0..weights.len()).filter(same).map(|column| weights[column]).sum();
            let cart = mine.map(|scan| {
                self.scans[scan].left -= 1;
                self.scans[scan].used = true;
                self.scans[scan].cart
            });
            let probability = Prob::new(agreeing / weights.iter().sum::<f64>());
            bound.push(Bound::Visit(VisitBound { visit: self.visits[row].visit, cart, probability }));
        }
        self.visits.drain(..count);
        bound
    }

    /// What it costs to believe that a visit came with each of the scans, or with none; infinite where it did not.
    fn costs(&self, row: usize, places: &[usize]) -> Vec<f64> {
        let begun = &self.visits[row];
        let window = (EARLY_MAX + self.options.entry_max).as_secs();
        let inside = if begun.at_entrance { 0.0 } else { INSIDE_COST };
        let with = |scan: &usize| {
            let delay = begun.at - self.scans[*scan].at;
            if delay < -EARLY_MAX || self.options.entry_max < delay {
                return f64::INFINITY;
            }
            let off = (delay.as_secs() - DELAY_SECS) / DELAY_SIGMA_SECS;
            let mostly = (-0.5 * off * off).exp() / (DELAY_SIGMA_SECS * std::f64::consts::TAU.sqrt());
            let density = (1.0 - SLOW_SHARE) * mostly + SLOW_SHARE / window;
            inside - density.ln() - UNUSED_COST
        };
        let without = |other: usize| if other == row { UNBOUND_COST } else { f64::INFINITY };
        places.iter().map(with).chain((0..self.visits.len()).map(without)).collect()
    }
}

/// How likely each column is for a row, when everything else is as likely as it can be then.
fn weights(cost: &[Vec<f64>], row: usize) -> Vec<f64> {
    let total = |column: usize| {
        let mut fixed = cost.to_vec();
        fixed[row]
            .iter_mut()
            .enumerate()
            .filter(|(other, _)| *other != column)
            .for_each(|(_, cost)| *cost = f64::INFINITY);
        let pairs = assign(&fixed);
        pairs.iter().zip(&fixed).map(|(column, row)| column.map_or(f64::INFINITY, |column| row[column])).sum::<f64>()
    };
    let possible = |column: usize| cost[row][column].is_finite();
    let totals: Vec<f64> =
        (0..cost[row].len()).map(|column| if possible(column) { total(column) } else { f64::INFINITY }).collect();
    let least = totals.iter().copied().fold(f64::INFINITY, f64::min);
    totals.into_iter().map(|total| (least - total).exp()).collect()
}
