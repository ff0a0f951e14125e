//! Who pays for which visit. It takes scans at the gates and beginnings of visits, and gives for every visit the cart
//! that was opened for it, or that there is none. It never looks at faces, bodies or goods: only at who came when.
//!
//! Somebody who was let in is seen by the cameras a moment later, at an entrance. All scans and visits of the same minute are
//! assigned to each other at once, at the greatest likelihood; where a swap is nearly as likely, the probability says
//! so. A visit that fits no scan stays unbound: somebody slipped in, and who pays is for a person to find out.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::{CartId, DropReason, Prob, Reports, ShopTime, Span, Stage, StageReport, VisitId};
use crate::facts::{EntryRole, GateScan, VisitBound};
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
/// Whoever fits no scan and is first seen at an entrance at most this long after somebody else's came in behind them.
const BEHIND_MAX: Span = Span::from_millis(8_000);
/// Ways of using up scans that are added up at once; the least likely of more are left out.
const WAYS_MAX: usize = 2_048;
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
    /// In order of time; kept as long as a visit here may have come with them.
    scans: Vec<Scan>,
    /// In order of time; kept as long as they may have come with a scan of somebody who is still waiting.
    visits: Vec<Begun>,
    #[serde(default)]
    counters: Counters,
}

/// What happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Counters {
    /// Scans and visits that came.
    received: u64,
    /// Decisions given.
    sent: u64,
    /// Scans and visits that were there already.
    dropped_double: u64,
    /// The newest instant that was told.
    now: Option<ShopTime>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Scan {
    at: ShopTime,
    cart: CartId,
    /// How many it lets in besides those that are forgotten, and whether it has let in anybody.
    left: u32,
    used: bool,
    #[serde(default)]
    role: EntryRole,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Begun {
    at: ShopTime,
    visit: VisitId,
    at_entrance: bool,
    /// What was decided, if it is: the cart, or that there is none.
    decided: Option<Option<CartId>>,
}

impl Options {
    /// Fifteen seconds: time to hold a door for somebody, and too little for two shoppers to change their minds.
    pub const USUAL: Options = Options { entry_max: Span::from_millis(15_000) };
}

impl Binder {
    /// Nobody waits.
    pub fn new(options: Options) -> Self {
        Binder { options, scans: Vec::new(), visits: Vec::new(), counters: Counters::default() }
    }

    /// Somebody scanned at a gate. The same cart again, while it waits, counts for nothing: readers repeat themselves.
    pub fn scan(&mut self, at: ShopTime, scan: &GateScan) {
        self.counters.received += 1;
        if self.scans.iter().any(|other| other.cart == scan.cart) {
            self.counters.dropped_double += 1;
            return;
        }
        let place = self.scans.partition_point(|other| (other.at, other.cart) <= (at, scan.cart));
        let left = scan.people.clamp(1, PEOPLE_MAX);
        self.scans.insert(place, Scan { at, cart: scan.cart, left, used: false, role: scan.role });
    }

    /// A visit began: when its shopper was first seen, and whether that was at an entrance.
    pub fn visit(&mut self, at: ShopTime, visit: VisitId, at_entrance: bool) {
        self.counters.received += 1;
        if self.visits.iter().any(|other| other.visit == visit) {
            self.counters.dropped_double += 1;
            return;
        }
        let place = self.visits.partition_point(|other| (other.at, other.visit) <= (at, visit));
        self.visits.insert(place, Begun { at, visit, at_entrance, decided: None });
    }

    /// Lets time pass: every scan until `now` was told, and every visit whose shopper was first seen six seconds before.
    /// Gives what is final by then, in order of time.
    pub fn tick(&mut self, now: ShopTime) -> Vec<Bound> {
        // Until then somebody may turn up with whom the shopper shares a scan.
        let window = EARLY_MAX + self.options.entry_max + TOLD_LATE_MAX;
        let waiting = self.visits.iter().filter(|begun| begun.decided.is_none()).count();
        let mut over = waiting.saturating_sub(WAITING_MAX);
        over = over.max(self.visits.iter().filter(|begun| begun.decided.is_none() && begun.at + window <= now).count());
        let mut bound = self.decide(over);
        self.forget_visits(now - window * 2);
        bound.extend(self.forget_scans(now));
        self.counters.sent += bound.len() as u64;
        self.counters.now = self.counters.now.max(Some(now));
        bound
    }

    /// A visit is over, perhaps sooner than who came with whom is known for good: it is decided with what is known by now, and so
    /// is everybody who came before. Gives what is final by then, in order of time; nothing if it was decided already.
    pub fn over(&mut self, visit: VisitId) -> Vec<Bound> {
        let mut waiting = self.visits.iter().filter(|begun| begun.decided.is_none());
        let Some(place) = waiting.position(|begun| begun.visit == visit) else { return Vec::new() };
        let bound = self.decide(place + 1);
        self.counters.sent += bound.len() as u64;
        bound
    }

    /// No scan and no visit will come any more: decides everything.
    pub fn finish(&mut self) -> Vec<Bound> {
        let mut bound = self.decide(self.visits.len());
        self.visits.clear();
        bound.extend(self.forget_scans(ShopTime::MAX));
        self.counters.sent += bound.len() as u64;
        bound
    }

    /// Who pays for visits that are not decided yet, as far as it can be told by now: for whoever wants to be shown their cart before
    /// everybody could have come who may have shared the scan. It decides nothing.
    pub fn likely(&self) -> Vec<VisitBound> {
        if self.visits.iter().all(|begun| begun.decided.is_some()) {
            return Vec::new();
        }
        // What is decided on a copy is forgotten with it.
        let bound = self.clone().decide(self.visits.len());
        let visit = |bound| match bound {
            Bound::Visit(bound) => Some(bound),
            Bound::Expired(_) => None,
        };
        bound.into_iter().filter_map(visit).collect()
    }

    /// How many scans and visits are remembered.
    pub fn waiting(&self) -> usize {
        self.scans.len() + self.visits.len()
    }

    /// Decides the first so many visits that wait, in view of all that are remembered.
    fn decide(&mut self, count: usize) -> Vec<Bound> {
        let open = self.visits.iter().enumerate().filter(|(_, begun)| begun.decided.is_none());
        let rows: Vec<usize> = open.map(|(row, _)| row).take(count).collect();
        if rows.is_empty() {
            return Vec::new();
        }
        let cost: Vec<Vec<f64>> = self.visits.iter().map(|begun| self.costs(begun)).collect();
        let best = self.best(&cost);
        let total = likelihood(&self.scans, &cost, None);
        let mut bound = Vec::with_capacity(rows.len());
        for row in rows {
            let choice = best[row];
            let same = likelihood(&self.scans, &cost, Some((row, choice)));
            let (cart, role) = match choice.map(|scan| &mut self.scans[scan]) {
                Some(scan) => {
                    scan.used = true;
                    (Some(scan.cart), scan.role)
                }
                None => (None, EntryRole::default()),
            };
            self.visits[row].decided = Some(cart);
            let visit = self.visits[row].visit;
            let behind = if cart.is_none() { self.behind(&self.visits[row]) } else { None };
            bound.push(Bound::Visit(VisitBound { visit, cart, probability: Prob::new(same / total), role, behind }));
        }
        bound
    }

    /// The likeliest scan of each visit, when what was decided stays so.
    fn best(&self, cost: &[Vec<f64>]) -> Vec<Option<usize>> {
        // A scan stands once for everybody it lets in; the last columns stand for no scan.
        let places: Vec<usize> =
            self.scans.iter().enumerate().flat_map(|(index, scan)| (0..scan.left).map(move |_| index)).collect();
        let allowed = |begun: &Begun, cart: Option<CartId>| begun.decided.is_none_or(|decided| decided == cart);
        let row = |(row, begun): (usize, &Begun)| -> Vec<f64> {
            let with = |scan: &usize| {
                if allowed(begun, Some(self.scans[*scan].cart)) { cost[row][*scan] } else { f64::INFINITY }
            };
            let without =
                |other: usize| if other == row && allowed(begun, None) { UNBOUND_COST } else { f64::INFINITY };
            places.iter().map(with).chain((0..self.visits.len()).map(without)).collect()
        };
        let rows: Vec<Vec<f64>> = self.visits.iter().enumerate().map(row).collect();
        assign(&rows).into_iter().map(|column| places.get(column?).copied()).collect()
    }

    /// Behind whom somebody came in who fits no scan: whoever scanned last before they were seen at an entrance.
    fn behind(&self, begun: &Begun) -> Option<CartId> {
        let near = |scan: &&Scan| (-EARLY_MAX..=BEHIND_MAX).contains(&(begun.at - scan.at));
        self.scans.iter().filter(|_| begun.at_entrance).rfind(near).map(|scan| scan.cart)
    }

    /// What it costs to believe that a visit came with each of the scans; infinite where it did not.
    fn costs(&self, begun: &Begun) -> Vec<f64> {
        let window = (EARLY_MAX + self.options.entry_max).as_secs();
        let inside = if begun.at_entrance { 0.0 } else { INSIDE_COST };
        let with = |scan: &Scan| {
            let delay = begun.at - scan.at;
            if delay < -EARLY_MAX || self.options.entry_max < delay {
                return f64::INFINITY;
            }
            let off = (delay.as_secs() - DELAY_SECS) / DELAY_SIGMA_SECS;
            let mostly = (-0.5 * off * off).exp() / (DELAY_SIGMA_SECS * std::f64::consts::TAU.sqrt());
            let density = (1.0 - SLOW_SHARE) * mostly + SLOW_SHARE / window;
            inside - density.ln() - UNUSED_COST
        };
        self.scans.iter().map(with).collect()
    }

    /// Forgets decided visits that nobody who waits can have been swapped with.
    fn forget_visits(&mut self, before: ShopTime) {
        let many = self.visits.len().saturating_sub(2 * WAITING_MAX);
        let mut place = 0;
        let scans = &mut self.scans;
        self.visits.retain(|begun| {
            place += 1;
            let Some(decided) = begun.decided.filter(|_| begun.at <= before || place <= many) else { return true };
            if let Some(scan) = scans.iter_mut().find(|scan| Some(scan.cart) == decided) {
                scan.left = scan.left.saturating_sub(1);
            }
            false
        });
    }

    /// Forgets scans that nobody can come with any more; gives those that nobody came with.
    fn forget_scans(&mut self, now: ShopTime) -> Vec<Bound> {
        let entry_max = self.options.entry_max;
        let many = self.scans.len().saturating_sub(2 * WAITING_MAX);
        let first = self.visits.first().map_or(ShopTime::MAX, |begun| begun.at);
        let mut expired = Vec::new();
        let mut place = 0;
        self.scans.retain(|scan| {
            place += 1;
            let over = scan.at + entry_max + TOLD_LATE_MAX <= now && scan.at + entry_max < first;
            let dropped = over || place <= many;
            if dropped && !scan.used {
                expired.push(Bound::Expired(scan.cart));
            }
            !dropped
        });
        expired
    }
}

impl Reports for Binder {
    /// Scans and visits come, decisions go; what waits are visits that are not decided and scans that nobody came with.
    fn report(&self) -> StageReport {
        let Counters { received, sent, dropped_double, now } = self.counters;
        let visits = self.visits.iter().filter(|begun| begun.decided.is_none()).map(|begun| begun.at);
        let scans = self.scans.iter().filter(|scan| !scan.used).map(|scan| scan.at);
        let waiting: Vec<ShopTime> = visits.chain(scans).collect();
        let delay = waiting.iter().min().zip(now).map_or(Span::ZERO, |(oldest, now)| now - *oldest);
        StageReport::new(Stage::Identity, received, sent)
            .dropping(DropReason::Duplicate, dropped_double)
            .holding(waiting.len(), delay)
    }
}

/// How likely it is, in terms of nobody having scanned, that the visits came with the scans, added up over all ways of
/// sharing them out; with a row and its choice given, over those ways only.
fn likelihood(scans: &[Scan], cost: &[Vec<f64>], given: Option<(usize, Option<usize>)>) -> f64 {
    // How many each scan still lets in, and the likelihood of all ways that come to it.
    let mut ways: BTreeMap<Vec<u32>, f64> = BTreeMap::from([(scans.iter().map(|scan| scan.left).collect(), 1.0)]);
    for (row, costs) in cost.iter().enumerate() {
        let chosen = |choice: Option<usize>| given.is_none_or(|(other, given)| other != row || given == choice);
        let later = |scan: usize| cost[row + 1..].iter().any(|costs| costs[scan].is_finite());
        let mut next: BTreeMap<Vec<u32>, f64> = BTreeMap::new();
        let mut add = |mut left: Vec<u32>, likelihood: f64| {
            // What nobody else can come with is all the same.
            left.iter_mut().enumerate().filter(|(scan, _)| !later(*scan)).for_each(|(_, left)| *left = 0);
            *next.entry(left).or_insert(0.0) += likelihood;
        };
        for (left, likelihood) in ways {
            for (scan, cost) in costs.iter().enumerate() {
                if cost.is_finite() && 0 < left[scan] && chosen(Some(scan)) {
                    let mut less = left.clone();
                    less[scan] -= 1;
                    add(less, likelihood * (UNBOUND_COST - cost).exp());
                }
            }
            if chosen(None) {
                add(left, likelihood);
            }
        }
        ways = next;
        if WAYS_MAX < ways.len() {
            let mut best: Vec<(Vec<u32>, f64)> = ways.into_iter().collect();
            best.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            best.truncate(WAYS_MAX);
            ways = best.into_iter().collect();
        }
    }
    ways.values().sum()
}
