//! One hypothesis: what is in every cart, what stands where nobody planned it, what units really weigh, and which
//! changes still wait for an explanation. Hypotheses that agree on all of it are one.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::effect::{Effect, Explained};
use super::group::{Group, Piece, Taker};
use super::model::{self, UnitWeight, Weighed};
use super::odd::{self, Oddities};
use super::plan::{Plan, Sku};
use crate::base::{TimeRange, VisitId};
use crate::facts::Movement;

/// Things off their place that are remembered; the oldest are forgotten first.
const STRAYS_MAX: usize = 64;

/// Something that stands where the planogram does not have it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Stray {
    /// What; `None` for what is not goods.
    pub(super) sku: Option<Sku>,
    pub(super) shelf: usize,
    /// The share of its weight on each place.
    pub(super) shares: Vec<(usize, f64)>,
    /// What it weighed when it was put there, grams; of all its units.
    pub(super) grams: f64,
    pub(super) units: u32,
    /// The oddity that it was when it was put there, which is explained once it is taken again.
    pub(super) odd: Option<u64>,
}

/// An action of the history of a visit.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Action {
    pub(super) movement: Movement,
    pub(super) sku: Sku,
    pub(super) units: u32,
    pub(super) expected: f64,
    pub(super) learned: bool,
    pub(super) misplaced: bool,
    /// Which piece of its group.
    pub(super) piece: usize,
    /// The share of the piece's weight that this action explains, `0..=1`.
    pub(super) part: f64,
}

/// A list that shares its older part with other hypotheses.
pub(super) struct History {
    pub(super) action: Action,
    pub(super) group: Arc<Group>,
    pub(super) older: Option<Arc<History>>,
}

/// A change that waits for what comes next on its plates.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Pending {
    pub(super) shelf: usize,
    /// Places that count.
    pub(super) places: Vec<usize>,
    /// Its steps, in order.
    pub(super) steps: Vec<u32>,
    /// What explaining it will cost at least, so that waiting is no way to look probable.
    pub(super) debt: f64,
}

/// One hypothesis.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct World {
    /// Log probability, up to a constant shared by all hypotheses.
    pub(super) score: f64,
    /// Units per visit and product, ordered; none is zero.
    pub(super) carts: Vec<((VisitId, Sku), u32)>,
    /// What a unit in a cart weighed when it was taken, grams: it weighs the same when it comes back.
    pub(super) weighed: BTreeMap<(VisitId, Sku), Weighed>,
    pub(super) strays: Vec<Stray>,
    /// Unit weights that the plates have shown: mean and units.
    pub(super) learned: BTreeMap<Sku, (f64, u32)>,
    /// Changes that wait for what comes next, ordered.
    pub(super) pending: Vec<Pending>,
    /// Written down apart, since hypotheses share it.
    #[serde(skip)]
    pub(super) history: BTreeMap<VisitId, Arc<History>>,
    /// Who the shoppers are whom the tracker may have taken for one another: under which visit they are seen, and whose it is. Ordered by the
    /// first; the others are who they seem to be.
    #[serde(default)]
    pub(super) who: Vec<(VisitId, VisitId)>,
    /// When each visitor's hand was last busy, and on which shelf.
    pub(super) busy: BTreeMap<VisitId, (usize, TimeRange)>,
    /// What this hypothesis explains badly.
    pub(super) odd: Oddities,
}

impl World {
    /// Empty carts, with what was learned of weights before.
    pub(super) fn new(learned: BTreeMap<Sku, (f64, u32)>) -> Self {
        World {
            score: 0.0,
            carts: Vec::new(),
            weighed: BTreeMap::new(),
            strays: Vec::new(),
            learned,
            pending: Vec::new(),
            history: BTreeMap::new(),
            who: Vec::new(),
            busy: BTreeMap::new(),
            odd: Oddities::default(),
        }
    }

    /// What hypotheses are compared by: the score with what is still owed for what waits.
    pub(super) fn rank(&self) -> f64 {
        self.score + self.pending.iter().map(|pending| pending.debt).sum::<f64>()
    }

    /// What is believed of the weight of a unit.
    pub(super) fn unit_weight(&self, sku: Sku, nominal: Option<f64>) -> UnitWeight {
        match (self.learned.get(&sku), nominal) {
            (Some(&(mean, units)), nominal) => UnitWeight::Learned { mean, units, nominal },
            (None, Some(nominal)) => UnitWeight::Nominal(nominal),
            (None, None) => UnitWeight::Unknown,
        }
    }

    /// This world and one about other visits as one.
    pub(super) fn joined(&self, other: &World) -> World {
        let mut world = self.clone();
        world.score += other.score;
        world.carts.extend(other.carts.iter().copied());
        world.carts.sort_unstable();
        world.weighed.extend(other.weighed.iter().map(|(key, weighed)| (*key, *weighed)));
        world.strays.extend(other.strays.iter().cloned());
        for (sku, theirs) in &other.learned {
            let ours = world.learned.entry(*sku).or_insert(*theirs);
            if ours.1 < theirs.1 {
                *ours = *theirs;
            }
        }
        world.pending.extend(other.pending.iter().cloned());
        world.pending.sort_by(|a, b| (a.shelf, &a.steps).cmp(&(b.shelf, &b.steps)));
        world.history.extend(other.history.iter().map(|(visit, history)| (*visit, history.clone())));
        world.who.extend(&other.who);
        world.who.sort_unstable();
        world.busy.extend(other.busy.iter().map(|(visit, busy)| (*visit, *busy)));
        world.odd.extend(&other.odd);
        world
    }

    /// Takes in a hypothesis that agrees with this one.
    pub(super) fn merge(&mut self, other: &World) {
        let score = model::mix(&[(1.0, self.score), (1.0, other.score)]);
        self.odd.mix(&other.odd, (other.score - score).exp());
        self.score = score;
    }

    /// What this world says of one visit alone.
    pub(super) fn only(&self, visit: VisitId) -> World {
        let mut world = World::new(self.learned.clone());
        world.carts = self.cart(visit).to_vec();
        let weighed = self.weighed.range((visit, 0)..=(visit, Sku::MAX));
        world.weighed = weighed.map(|(key, weighed)| (*key, *weighed)).collect();
        world.history.extend(self.history.get(&visit).map(|history| (visit, history.clone())));
        world.busy.extend(self.busy.get(&visit).map(|busy| (visit, *busy)));
        world.odd = self.odd.only(visit);
        world
    }

    /// Drops everything about a visit.
    pub(super) fn forget(&mut self, visit: VisitId) {
        self.carts.retain(|((owner, _), _)| *owner != visit);
        self.weighed.retain(|(owner, _), _| *owner != visit);
        self.history.remove(&visit);
        self.busy.remove(&visit);
        self.odd.forget(visit);
        // What is seen under its name is over, and with it what belonged to somebody who was gone before.
        if let Ok(place) = self.who.binary_search_by_key(&visit, |(seen, _)| *seen) {
            let (_, whose) = self.who.remove(place);
            if !self.who.iter().any(|(seen, _)| *seen == whose) {
                self.forget(whose);
            }
        }
    }

    /// Whose visit it is of whom is seen under this one.
    pub(super) fn whose(&self, seen: VisitId) -> VisitId {
        self.who.iter().find(|(other, _)| *other == seen).map_or(seen, |(_, whose)| *whose)
    }

    /// Under which visit its shopper is seen.
    pub(super) fn seen_as(&self, whose: VisitId) -> VisitId {
        self.who.iter().find(|(_, other)| *other == whose).map_or(whose, |(seen, _)| *seen)
    }

    /// Whether somebody may be seen under this visit, or this visit's shopper under another, who was taken for somebody else.
    pub(super) fn is_mixed(&self, visit: VisitId) -> bool {
        self.who.iter().any(|(seen, whose)| *seen == visit || *whose == visit)
    }

    /// Two who were seen under these visits have changed places.
    pub(super) fn swap(&mut self, a: VisitId, b: VisitId) {
        let pair = [(a, self.whose(b)), (b, self.whose(a))];
        self.who.retain(|(seen, _)| *seen != a && *seen != b);
        self.who.extend(pair.into_iter().filter(|(seen, whose)| seen != whose));
        self.who.sort_unstable();
    }

    /// Those whose hands were at a piece, by whose visits they are.
    pub(super) fn takers<'a>(&self, piece: &'a Piece) -> Cow<'a, [Taker]> {
        if self.who.is_empty() {
            return Cow::Borrowed(&piece.takers);
        }
        let named = |taker: &Taker| Taker { visit: self.whose(taker.visit), ..taker.clone() };
        Cow::Owned(piece.takers.iter().map(named).collect())
    }

    /// Whether some units of a product in a cart weigh about `grams`.
    pub(super) fn fits_return(&self, visit: VisitId, sku: Sku, units: u32, grams: f64, nominal: Option<f64>) -> bool {
        let weighed = self.weighed.get(&(visit, sku)).map(|weighed| weighed.grams);
        let unit = weighed.or_else(|| self.unit_weight(sku, nominal).mean());
        unit.is_some_and(|unit| {
            (1..=units).any(|count| {
                let expected = unit * f64::from(count);
                (grams - expected).abs() < model::RETURN_GRAMS + model::RETURN_SHARE * expected
            })
        })
    }

    /// The cart of a visit.
    pub(super) fn cart(&self, visit: VisitId) -> &[((VisitId, Sku), u32)] {
        let from = self.carts.partition_point(|((owner, _), _)| *owner < visit);
        let count = self.carts[from..].iter().take_while(|((owner, _), _)| *owner == visit).count();
        &self.carts[from..from + count]
    }

    /// Applies the explanation of one piece. Answers false, leaving the world half changed, when it cannot be.
    pub(super) fn apply(&mut self, explained: &Explained, group: &Arc<Group>, plan: &Plan) -> bool {
        let Explained { piece, effect, .. } = explained;
        let piece = *piece;
        if let Some(visit) = effect.by() {
            self.busy.insert(visit, (group.shelf, group.pieces[piece].span));
        }
        let odd = odd::judge(explained, group, plan, &self.learned, &self.takers(&group.pieces[piece]));
        let odd_id = odd.as_ref().map(|odd| odd.id);
        self.odd.add(odd);
        match effect {
            Effect::Nothing => true,
            Effect::PutForeign => {
                self.put_stray(None, group, piece, 1, odd_id);
                true
            }
            Effect::Take { visit, sku, units, expected, foreign, part } => {
                let measured = part * group.pieces[piece].total.abs() / f64::from(*units);
                let sigma = group.pieces[piece].sigma / f64::from(*units);
                let learned = self.learn(*sku, *units, measured, sigma, plan.nominal[*sku]);
                let Some(visit) = visit else { return true };
                self.weigh(*visit, *sku, *units, Weighed { grams: measured, sigma });
                self.change_cart(*visit, *sku, i64::from(*units));
                self.remember(
                    *visit,
                    group,
                    Action {
                        movement: Movement::Take,
                        sku: *sku,
                        units: *units,
                        expected: *expected,
                        learned,
                        misplaced: *foreign,
                        piece,
                        part: *part,
                    },
                );
                true
            }
            Effect::TakeStray { visit, stray } => self.take_stray(*visit, *stray, group, piece),
            Effect::Return { owner, sku, units, elsewhere, expected } => {
                if *elsewhere {
                    self.put_stray(Some(*sku), group, piece, *units, None);
                }
                let Some(owner) = owner else { return true };
                if !self.change_cart(*owner, *sku, -i64::from(*units)) {
                    return false;
                }
                let learned = self.learned.contains_key(sku);
                self.remember(
                    *owner,
                    group,
                    Action {
                        movement: Movement::Return,
                        sku: *sku,
                        units: *units,
                        expected: *expected,
                        learned,
                        misplaced: *elsewhere,
                        piece,
                        part: 1.0,
                    },
                );
                true
            }
        }
    }

    fn take_stray(&mut self, visit: Option<VisitId>, stray: usize, group: &Arc<Group>, piece: usize) -> bool {
        if self.strays.len() <= stray {
            return false;
        }
        let stray = self.strays.remove(stray);
        if let Some(odd) = stray.odd {
            self.odd.resolve(odd);
        }
        let (Some(visit), Some(sku)) = (visit, stray.sku) else { return true };
        let units = f64::from(stray.units);
        self.weigh(
            visit,
            sku,
            stray.units,
            Weighed { grams: stray.grams / units, sigma: group.pieces[piece].sigma / units },
        );
        self.change_cart(visit, sku, i64::from(stray.units));
        self.remember(
            visit,
            group,
            Action {
                movement: Movement::Take,
                sku,
                units: stray.units,
                expected: -stray.grams,
                learned: false,
                misplaced: true,
                piece,
                part: 1.0,
            },
        );
        true
    }

    fn put_stray(&mut self, sku: Option<Sku>, group: &Arc<Group>, piece: usize, units: u32, odd: Option<u64>) {
        let piece = &group.pieces[piece];
        if STRAYS_MAX <= self.strays.len() {
            self.strays.remove(0);
        }
        self.strays.push(Stray { sku, shelf: group.shelf, shares: piece.shares(), grams: piece.total, units, odd });
    }

    /// Notes what units that go into a cart weigh each, before they are added. Which of several comes back nobody knows.
    fn weigh(&mut self, visit: VisitId, sku: Sku, units: u32, weighed: Weighed) {
        let had = self.carts.binary_search_by(|(key, _)| key.cmp(&(visit, sku))).map_or(0, |index| self.carts[index].1);
        let several = if had + units == 1 { 0.0 } else { model::UNIT_SIGMA };
        let before = self.weighed.get(&(visit, sku)).filter(|_| 0 < had).copied().unwrap_or(weighed);
        let share = f64::from(units) / f64::from(had + units);
        let between = 0.5 * (weighed.grams - before.grams).abs();
        let grams = before.grams + share * (weighed.grams - before.grams);
        let sigma = weighed.sigma.max(before.sigma).hypot(several).hypot(between);
        self.weighed.insert((visit, sku), Weighed { grams, sigma });
    }

    /// Adds units to a cart; false when it would hold fewer than none.
    fn change_cart(&mut self, visit: VisitId, sku: Sku, units: i64) -> bool {
        let key = (visit, sku);
        match self.carts.binary_search_by(|(other, _)| other.cmp(&key)) {
            Ok(index) => {
                let left = i64::from(self.carts[index].1) + units;
                match u32::try_from(left) {
                    Ok(0) => drop(self.carts.remove(index)),
                    Ok(left) => self.carts[index].1 = left,
                    Err(_) => return false,
                }
                true
            }
            Err(index) => match u32::try_from(units) {
                Ok(units) => {
                    self.carts.insert(index, (key, units));
                    true
                }
                Err(_) => false,
            },
        }
    }

    /// Learns the unit weight from a take if it surprises; whether the weight used was a learned one.
    fn learn(&mut self, sku: Sku, units: u32, measured: f64, sigma: f64, nominal: Option<f64>) -> bool {
        if self.unit_weight(sku, nominal).is_surprised_by(measured, sigma) {
            let (mean, seen) = match self.learned.get(&sku) {
                Some((mean, model::RECALLED)) => (*mean, model::RECALLED_UNITS),
                Some(learned) => *learned,
                None => (measured, 0),
            };
            let off = (measured - mean).abs();
            let entry = if off < 0.03 * mean + 3.0 {
                let count = f64::from(seen + units);
                (mean + (measured - mean) * f64::from(units) / count, (seen + units).min(20))
            } else {
                (measured, units)
            };
            self.learned.insert(sku, entry);
            return true;
        }
        false
    }

    fn remember(&mut self, visit: VisitId, group: &Arc<Group>, action: Action) {
        let older = self.history.remove(&visit);
        self.history.insert(visit, Arc::new(History { action, group: group.clone(), older }));
    }

    /// Whether two hypotheses say the same of everything that matters from here on.
    pub(super) fn agrees(&self, other: &World) -> bool {
        self.carts == other.carts
            && self.who == other.who
            && self.pending.len() == other.pending.len()
            && self.pending.iter().zip(&other.pending).all(|(a, b)| a.steps == b.steps)
            && self.strays.len() == other.strays.len()
            && self
                .strays
                .iter()
                .zip(&other.strays)
                .all(|(a, b)| a.sku == b.sku && a.shelf == b.shelf && a.units == b.units)
            && self.learned.keys().eq(other.learned.keys())
    }

    /// A number that is equal for hypotheses that agree.
    pub(super) fn digest(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        self.carts.hash(&mut hasher);
        self.who.hash(&mut hasher);
        for pending in &self.pending {
            pending.steps.hash(&mut hasher);
        }
        for stray in &self.strays {
            (stray.sku, stray.shelf, stray.units).hash(&mut hasher);
        }
        for sku in self.learned.keys() {
            sku.hash(&mut hasher);
        }
        hasher.finish()
    }
}
