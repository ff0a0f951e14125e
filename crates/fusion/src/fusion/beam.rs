//! The open hypotheses of one cluster, best first: each step makes every one of them branch, then agreeing ones are merged and the
//! improbable ones dropped.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::effect::Explained;
use super::explain::explain;
use super::group::{Group, likeliest};
use super::model;
use super::people::People;
use super::plan::Plan;
use super::steps::Step;
use super::world::{Pending, World};
use crate::base::{Span, TimeRange, VisitId};
use crate::shop::Shop;

/// Steps explained together at most, and the time they may take.
const GROUP_STEPS_MAX: usize = 14;
const GROUP_SPAN_MAX: Span = Span::from_millis(15_000);
/// Hypotheses this much less probable than the best are dropped.
const WORSE_MAX: f64 = 12.0;

/// What a step needs to know besides itself.
pub(super) struct Surroundings<'a> {
    pub(super) shop: &'a Shop,
    pub(super) plan: &'a Plan,
    pub(super) people: &'a People,
    pub(super) clock: &'a [f64],
    /// Steps that are being explained or will be, by id.
    pub(super) steps: &'a BTreeMap<u32, Step>,
    /// Steps not yet explained, in order.
    pub(super) ahead: &'a [u32],
}

/// The open hypotheses.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Beam {
    worlds: Vec<World>,
    /// How many there may be; an option of the fusion.
    #[serde(skip)]
    width: usize,
}

/// A branch, before it is made.
struct Branch {
    /// What it will be compared by.
    rank: f64,
    score: f64,
    world: usize,
    /// Which pending change it goes on with, if any.
    pending: Option<usize>,
    meaning: Meaning,
}

/// What a branch makes of a step.
enum Meaning {
    Explained(Arc<Group>, Vec<Explained>),
    /// Wait; explaining it will cost at least so much.
    Waits(f64),
}

impl Beam {
    pub(super) fn new(width: usize, world: World) -> Self {
        Beam { worlds: vec![world], width }
    }

    pub(super) fn set_width(&mut self, width: usize) {
        self.width = width;
    }

    pub(super) fn worlds_mut(&mut self) -> &mut [World] {
        &mut self.worlds
    }

    /// The hypotheses, best first; never empty.
    pub(super) fn worlds(&self) -> &[World] {
        &self.worlds
    }

    /// Branches every hypothesis on what the step may mean.
    /// `alone` is the group of only this step.
    pub(super) fn step(&mut self, step: &Step, alone: Arc<Group>, around: &Surroundings<'_>) {
        let shelf = &around.shop.shelves()[step.shelf];
        let mut groups: BTreeMap<Vec<u32>, Arc<Group>> = BTreeMap::from([(vec![step.id], alone.clone())]);
        let mut branches = Vec::new();
        for (index, world) in self.worlds.iter().enumerate() {
            let pending = world
                .pending
                .iter()
                .position(|pending| pending.shelf == step.shelf && Group::touches(&pending.places, step));
            let mut ids = pending.map_or_else(Vec::new, |pending| world.pending[pending].steps.clone());
            let owed = world.rank() - world.score - pending.map_or(0.0, |pending| world.pending[pending].debt);
            ids.push(step.id);
            let group = groups.entry(ids).or_insert_with_key(|ids| {
                let members: Vec<&Step> = ids.iter().filter_map(|id| around.steps.get(id)).collect();
                Arc::new(Group::new(&members, shelf, around.people, around.clock))
            });
            let mut best = f64::NEG_INFINITY;
            for explanation in explain(group, world, around.plan) {
                best = best.max(explanation.log);
                let busy = busy(world, &explanation.parts, group, around);
                let score = world.score + explanation.log + busy;
                let meaning = Meaning::Explained(group.clone(), explanation.parts);
                branches.push(Branch { rank: score + owed, score, world: index, pending, meaning });
            }
            let waits = may_wait(group, around);
            if pending.is_some() && waits {
                self.aside(index, &alone, around.plan, &mut branches);
            }
            if waits {
                let score = world.score + model::DEFER;
                let debt = best.max(group.debt());
                let meaning = Meaning::Waits(debt);
                branches.push(Branch { rank: score + owed + debt, score, world: index, pending, meaning });
            }
        }
        self.make(branches, step, around.plan);
    }

    /// Somebody else moved goods while what waits on the same plates goes on.
    fn aside(&self, index: usize, alone: &Arc<Group>, plan: &Plan, branches: &mut Vec<Branch>) {
        let world = &self.worlds[index];
        let owed = world.rank() - world.score;
        for explanation in explain(alone, world, plan) {
            if explanation.parts.iter().any(|part| part.effect.by().is_none()) {
                continue;
            }
            let score = world.score + explanation.log + model::ASIDE;
            let meaning = Meaning::Explained(alone.clone(), explanation.parts);
            branches.push(Branch { rank: score + owed, score, world: index, pending: None, meaning });
        }
    }

    fn make(&mut self, mut branches: Vec<Branch>, step: &Step, plan: &Plan) {
        branches.sort_by(|a, b| b.rank.total_cmp(&a.rank).then(a.world.cmp(&b.world)));
        let best = branches.first().map_or(0.0, |branch| branch.rank);
        let mut next: Vec<World> = Vec::with_capacity(self.width);
        let mut of_digest: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for branch in branches.into_iter().take(4 * self.width) {
            if branch.rank < best - WORSE_MAX {
                break;
            }
            let Some(world) = self.branch(branch, step, plan) else { continue };
            let same = of_digest.entry(world.digest()).or_default();
            if let Some(&index) = same.iter().find(|&&index| next[index].agrees(&world)) {
                next[index].merge(&world);
            } else if next.len() < self.width {
                same.push(next.len());
                next.push(world);
            }
        }
        if !next.is_empty() {
            self.worlds = next;
            self.rescale();
        }
    }

    fn branch(&self, branch: Branch, step: &Step, plan: &Plan) -> Option<World> {
        let mut world = self.worlds[branch.world].clone();
        world.score = branch.score;
        let waiting = branch.pending.map(|pending| world.pending.remove(pending));
        match branch.meaning {
            Meaning::Explained(group, parts) => {
                for part in &parts {
                    if !world.apply(part, &group, plan) {
                        return None;
                    }
                }
            }
            Meaning::Waits(debt) => {
                let (mut places, mut steps) =
                    waiting.map_or_else(Default::default, |waiting| (waiting.places, waiting.steps));
                places.extend(step.core());
                places.sort_unstable();
                places.dedup();
                steps.push(step.id);
                world.pending.push(Pending { shelf: step.shelf, places, steps, debt });
                world.pending.sort_by(|a, b| (a.shelf, &a.steps).cmp(&(b.shelf, &b.steps)));
            }
        }
        Some(world)
    }

    /// Combines with hypotheses about other visits: the most probable pairs stay.
    pub(super) fn absorb(&mut self, other: Beam) {
        let mut pairs: Vec<(f64, usize, usize)> = Vec::with_capacity(self.worlds.len() * other.worlds.len());
        for (a, ours) in self.worlds.iter().enumerate() {
            pairs.extend(other.worlds.iter().enumerate().map(|(b, theirs)| (ours.rank() + theirs.rank(), a, b)));
        }
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        pairs.truncate(self.width);
        self.worlds = pairs.into_iter().map(|(_, a, b)| self.worlds[a].joined(&other.worlds[b])).collect();
        self.rescale();
    }

    /// Two shoppers may have been taken for one another: every hypothesis branches on it. `odds` is how much likelier it is than not.
    pub(super) fn swap(&mut self, a: VisitId, b: VisitId, odds: f64) {
        let swapped = |world: &World| {
            let mut world = world.clone();
            world.swap(a, b);
            world.score += odds.ln();
            world
        };
        let others: Vec<World> = self.worlds.iter().map(swapped).collect();
        self.worlds.extend(others);
        self.rescale();
        self.worlds.truncate(self.width.max(1));
    }

    /// Splits off a visit on whose cart all hypotheses agree; `None` when they do not, or it was last.
    pub(super) fn part_with(&mut self, visit: VisitId) -> Option<Beam> {
        let cart = self.worlds[0].cart(visit);
        if self.worlds.iter().any(|world| world.cart(visit) != cart || world.is_mixed(visit)) {
            return None;
        }
        let part = self.worlds[0].only(visit);
        self.forget(visit);
        Some(Beam::new(self.width, part))
    }

    /// Forgets a visit. Hypotheses that differed in nothing else become one; what its cart was is not taken for certain, so whoever
    /// else may have those things is as doubtful as before.
    pub(super) fn forget(&mut self, visit: VisitId) {
        let mut merged: Vec<World> = Vec::with_capacity(self.worlds.len());
        for mut world in std::mem::take(&mut self.worlds) {
            world.forget(visit);
            match merged.iter_mut().find(|other| other.agrees(&world)) {
                Some(other) => other.merge(&world),
                None => merged.push(world),
            }
        }
        self.worlds = merged;
        self.rescale();
    }

    /// Puts the best first, at rank zero.
    fn rescale(&mut self) {
        self.worlds.sort_by(|a, b| b.rank().total_cmp(&a.rank()));
        let top = self.worlds.first().map_or(0.0, World::rank);
        self.worlds.iter_mut().for_each(|world| world.score -= top);
    }

    /// Probability of each hypothesis.
    pub(super) fn weights(&self) -> Vec<f64> {
        let weights: Vec<f64> = self.worlds.iter().map(|world| world.rank().exp()).collect();
        let sum: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / sum).collect()
    }
}

/// What it costs that hands do something else at the same moment, or again from where they never left.
fn busy(world: &World, parts: &[Explained], group: &Group, around: &Surroundings<'_>) -> f64 {
    let shelf = &around.shop.shelves()[group.shelf];
    let cost = |part: &Explained| {
        let piece = &group.pieces[part.piece];
        let Some((visit, (last, span))) = part.effect.by().and_then(|visit| Some((visit, *world.busy.get(&visit)?)))
        else {
            return 0.0;
        };
        if span.touches(piece.span) {
            return model::BOTH_HANDS;
        }
        let gap = TimeRange { start: span.end, end: piece.span.start };
        let is_near = last == group.shelf && span.end < piece.span.start && gap.length() <= GROUP_SPAN_MAX;
        let goods = piece.goods(shelf);
        if is_near && around.people.stayed(world.seen_as(visit), &goods, gap, likeliest(around.clock)) {
            model::NEVER_LEFT
        } else {
            0.0
        }
    };
    parts.iter().map(cost).fold(0.0, f64::min)
}

/// Whether a later step on the same plates may say what this one means.
fn may_wait(group: &Group, around: &Surroundings<'_>) -> bool {
    let begun = group.span.start;
    GROUP_STEPS_MAX > group.steps.len()
        && around.ahead.iter().filter_map(|id| around.steps.get(id)).any(|later| {
            later.shelf == group.shelf && later.span.end - begun <= GROUP_SPAN_MAX && Group::touches(&group.core, later)
        })
}
