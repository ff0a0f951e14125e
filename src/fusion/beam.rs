//! The open hypotheses, best first: each step makes every one of them branch, then agreeing ones are merged and the
//! improbable ones dropped.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::explain::{Plan, explain};
use super::group::Group;
use super::model;
use super::people::People;
use super::steps::Step;
use super::world::{Effect, Pending, World};
use crate::base::{Span, VisitId};
use crate::shop::Shop;

/// Steps explained together at most, and the time they may take.
const GROUP_STEPS_MAX: usize = 14;
const GROUP_SPAN_MAX: Span = Span::from_millis(15_000);
/// Hypotheses this much less probable than the best are dropped.
const WORSE_MAX: f64 = 16.0;

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
pub(super) struct Beam {
    worlds: Vec<World>,
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
    Explained(Arc<Group>, Vec<(usize, Effect)>),
    /// Wait; explaining it will cost at least so much.
    Waits(f64),
}

impl Beam {
    pub(super) fn new(width: usize) -> Self {
        Beam { worlds: vec![World::new()], width }
    }

    /// The hypotheses, best first; never empty.
    pub(super) fn worlds(&self) -> &[World] {
        &self.worlds
    }

    /// Branches every hypothesis on what the step may mean.
    pub(super) fn step(&mut self, step: &Step, around: &Surroundings<'_>) {
        let shelf = &around.shop.shelves()[step.shelf];
        let mut groups: BTreeMap<Vec<u32>, Arc<Group>> = BTreeMap::new();
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
                let busy = explanation
                    .effects
                    .iter()
                    .map(|(piece, effect)| world.busy_cost(effect, group.pieces[*piece].span))
                    .fold(0.0, f64::min);
                let score = world.score + explanation.log + busy;
                let meaning = Meaning::Explained(group.clone(), explanation.effects);
                branches.push(Branch { rank: score + owed, score, world: index, pending, meaning });
            }
            if may_wait(group, around) {
                let score = world.score + model::DEFER;
                let debt = best.max(model::DEBT_MIN + model::ANOTHER_MOVE_LATER * (group.steps.len() - 1) as f64);
                let meaning = Meaning::Waits(debt);
                branches.push(Branch { rank: score + owed + debt, score, world: index, pending, meaning });
            }
        }
        self.make(branches, step, around.plan);
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
                next[index].score = model::mix(&[(1.0, next[index].score), (1.0, world.score)]);
            } else if next.len() < self.width {
                same.push(next.len());
                next.push(world);
            }
        }
        next.sort_by(|a, b| b.rank().total_cmp(&a.rank()));
        let top = next.first().map_or(0.0, World::rank);
        next.iter_mut().for_each(|world| world.score -= top);
        if !next.is_empty() {
            self.worlds = next;
        }
    }

    fn branch(&self, branch: Branch, step: &Step, plan: &Plan) -> Option<World> {
        let mut world = self.worlds[branch.world].clone();
        world.score = branch.score;
        let waiting = branch.pending.map(|pending| world.pending.remove(pending));
        match branch.meaning {
            Meaning::Explained(group, effects) => {
                for (piece, effect) in &effects {
                    if !world.apply(effect, &group, *piece, &plan.nominal) {
                        return None;
                    }
                }
            }
            Meaning::Waits(debt) => {
                let (mut places, mut steps) =
                    waiting.map_or_else(Default::default, |waiting| (waiting.places, waiting.steps));
                places.extend(step.significant());
                places.sort_unstable();
                places.dedup();
                steps.push(step.id);
                world.pending.push(Pending { shelf: step.shelf, places, steps, debt });
                world.pending.sort_by(|a, b| (a.shelf, &a.steps).cmp(&(b.shelf, &b.steps)));
            }
        }
        Some(world)
    }

    /// Keeps only the hypotheses that hold, and forgets a visit in them.
    pub(super) fn settle(&mut self, visit: VisitId) {
        let cart: Vec<_> = self.worlds[0].cart(visit).to_vec();
        self.worlds.retain(|world| world.cart(visit) == cart);
        for world in &mut self.worlds {
            world.carts.retain(|((owner, _), _)| *owner != visit);
            world.history.remove(&visit);
            world.weighed.retain(|(owner, _), _| *owner != visit);
            world.busy.remove(&visit);
        }
    }

    /// Probability of each hypothesis.
    pub(super) fn weights(&self, temperature: f64) -> Vec<f64> {
        let weights: Vec<f64> = self.worlds.iter().map(|world| (world.rank() / temperature).exp()).collect();
        let sum: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / sum).collect()
    }
}

/// Whether a later step on the same plates may say what this one means.
fn may_wait(group: &Group, around: &Surroundings<'_>) -> bool {
    let begun = group.span.start;
    GROUP_STEPS_MAX > group.steps.len()
        && around.ahead.iter().filter_map(|id| around.steps.get(id)).any(|later| {
            later.shelf == group.shelf
                && later.span.end - begun <= GROUP_SPAN_MAX
                && Group::touches(&group.places, later)
        })
}
