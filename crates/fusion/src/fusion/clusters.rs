//! The hypotheses of a whole shop, kept in clusters that have nothing to do with each other.
//!
//! Two shoppers at different ends of the shop are independent: to keep every combination of their explanations would
//! fill any beam. So each cluster of visits has a beam of its own (Reid's clusters). A step joins the clusters whose
//! shoppers, strays or waiting changes it touches; a visit on whose cart all hypotheses agree leaves again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::beam::{Beam, Surroundings};
use super::group::Group;
use super::plan::Sku;
use super::steps::Step;
use super::world::World;
use crate::base::VisitId;

/// A hand that fits worse than this has nothing to do with a step.
const NEAR_LOG: f64 = -7.8;
/// Strays this many places away from a step may be what moved.
const STRAY_REACH: usize = 2;
/// Hypotheses about visits that depend on each other.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Cluster {
    visits: BTreeSet<VisitId>,
    pub(super) beam: Beam,
}

/// All clusters of a shop.
#[derive(Clone)]
pub(super) struct Clusters {
    pub(super) clusters: Vec<Cluster>,
    width: usize,
    /// Unit weights that were learned for good.
    pub(super) learned: BTreeMap<Sku, (f64, u32)>,
}

impl Clusters {
    /// Nothing is known; each cluster keeps one hypothesis until [`Clusters::set_width`] says otherwise.
    pub(super) fn new() -> Self {
        Clusters::of(Vec::new(), BTreeMap::new())
    }

    pub(super) fn of(clusters: Vec<Cluster>, learned: BTreeMap<Sku, (f64, u32)>) -> Self {
        Clusters { clusters, width: 1, learned }
    }

    /// How many hypotheses each cluster keeps.
    pub(super) fn set_width(&mut self, width: usize) {
        self.width = width;
        self.clusters.iter_mut().for_each(|cluster| cluster.beam.set_width(width));
    }

    /// How many hypotheses are open, over all clusters.
    pub(super) fn hypotheses(&self) -> usize {
        self.clusters.iter().map(|cluster| cluster.beam.worlds().len()).sum()
    }

    /// The steps that some hypothesis waits with.
    pub(super) fn waiting(&self) -> BTreeSet<u32> {
        let worlds = self.clusters.iter().flat_map(|cluster| cluster.beam.worlds());
        worlds.flat_map(|world| &world.pending).flat_map(|pending| pending.steps.iter().copied()).collect()
    }

    /// Explains a step in the cluster that it makes; answers the most probable hypothesis of this cluster.
    pub(super) fn step(&mut self, step: &Step, around: &Surroundings<'_>) -> World {
        let shelf = &around.shop.shelves()[step.shelf];
        let alone = Arc::new(Group::new(&[step], shelf, around.people, around.clock));
        let near: BTreeSet<VisitId> = alone.near(NEAR_LOG);
        let mut involved: Vec<bool> = self.clusters.iter().map(|cluster| cluster.is_touched(&near, step)).collect();
        if 0.0 < alone.total() {
            self.ask_owners(&near, alone.total(), &mut involved, around);
        }
        let mut joined = Cluster { visits: near, beam: Beam::new(self.width, World::new(self.learned.clone())) };
        let mut rest = Vec::with_capacity(self.clusters.len());
        for (cluster, involved) in std::mem::take(&mut self.clusters).into_iter().zip(involved) {
            if involved { joined.absorb(cluster) } else { rest.push(cluster) }
        }
        joined.beam.step(step, alone, around);
        let best = joined.beam.worlds()[0].clone();
        rest.append(&mut joined.split());
        self.clusters = rest;
        self.tidy();
        best
    }

    /// Two shoppers may have been taken for one another; `odds` is how much likelier it is than not.
    pub(super) fn swap(&mut self, a: VisitId, b: VisitId, odds: f64) {
        let visits = BTreeSet::from([a, b]);
        let mut joined = Cluster { visits, beam: Beam::new(self.width, World::new(self.learned.clone())) };
        let (with, rest): (Vec<Cluster>, Vec<Cluster>) = std::mem::take(&mut self.clusters)
            .into_iter()
            .partition(|cluster| cluster.visits.contains(&a) || cluster.visits.contains(&b));
        with.into_iter().for_each(|cluster| joined.absorb(cluster));
        joined.beam.swap(a, b, odds);
        self.clusters = rest;
        self.clusters.push(joined);
    }

    /// A return that fits nothing the shoppers there have may be of something that was handed over: the clusters of
    /// those who were charged for such a thing are asked too.
    fn ask_owners(&self, near: &BTreeSet<VisitId>, grams: f64, involved: &mut [bool], around: &Surroundings<'_>) {
        let has_it = |cluster: &Cluster, who: &dyn Fn(VisitId) -> bool| {
            let fits = |world: &World| {
                world.carts.iter().any(|((visit, sku), units)| {
                    who(*visit) && world.fits_return(*visit, *sku, *units, grams, around.plan.nominal[*sku])
                })
            };
            cluster.beam.worlds().first().is_some_and(fits)
        };
        let asked = |cluster: &Cluster| has_it(cluster, &|visit| near.contains(&visit));
        if self.clusters.iter().any(asked) {
            return;
        }
        for (cluster, involved) in self.clusters.iter().zip(involved) {
            *involved |= has_it(cluster, &|_| true);
        }
    }

    /// Gathers what is certain and belongs to nobody any more, and drops what says nothing.
    fn tidy(&mut self) {
        let mut kept: Vec<Cluster> = Vec::with_capacity(self.clusters.len());
        let mut orphans: Option<Cluster> = None;
        for cluster in std::mem::take(&mut self.clusters) {
            let certain = cluster.beam.worlds().len() == 1;
            if certain {
                self.learned.extend(cluster.beam.worlds()[0].learned.iter().map(|(sku, weight)| (*sku, *weight)));
            }
            match (certain && cluster.visits.is_empty(), &mut orphans) {
                (false, _) => kept.push(cluster),
                (true, None) => orphans = Some(cluster),
                (true, Some(orphans)) => orphans.absorb(cluster),
            }
        }
        kept.extend(orphans.filter(|orphans| {
            let world = &orphans.beam.worlds()[0];
            !world.strays.is_empty() || !world.pending.is_empty()
        }));
        self.clusters = kept;
    }

    /// The hypotheses about a visit, best first, with the probability of each; `None` when nothing happened to it.
    pub(super) fn about(&self, visit: VisitId) -> Option<(&[World], Vec<f64>)> {
        let cluster = self.clusters.iter().find(|cluster| cluster.visits.contains(&visit))?;
        Some((cluster.beam.worlds(), cluster.beam.weights()))
    }

    /// Forgets a visit that is over.
    pub(super) fn forget(&mut self, visit: VisitId) {
        for cluster in &mut self.clusters {
            if cluster.visits.remove(&visit) {
                cluster.beam.forget(visit);
            }
        }
        self.tidy();
    }
}

impl Cluster {
    fn is_touched(&self, near: &BTreeSet<VisitId>, step: &Step) -> bool {
        let beside = |place: usize| step.significant().any(|other| other.abs_diff(place) <= STRAY_REACH);
        let touches = |world: &World| {
            let stray = world.strays.iter().filter(|stray| stray.shelf == step.shelf);
            let pending = world.pending.iter().filter(|pending| pending.shelf == step.shelf);
            stray.flat_map(|stray| &stray.shares).any(|(place, _)| beside(*place))
                || pending.map(|pending| &pending.places).any(|places| Group::touches(places, step))
        };
        self.visits.iter().any(|visit| near.contains(visit)) || self.beam.worlds().iter().any(touches)
    }

    fn absorb(&mut self, other: Cluster) {
        self.visits.extend(other.visits);
        self.beam.absorb(other.beam);
    }

    /// Lets go of the visits that nothing is open about. While a change waits it may still be anybody's.
    fn split(mut self) -> Vec<Cluster> {
        let mut parts = Vec::new();
        let open = self.beam.worlds().iter().any(|world| !world.pending.is_empty());
        if !open && 1 < self.visits.len() {
            for visit in self.visits.clone() {
                if let Some(world) = self.beam.part_with(visit) {
                    self.visits.remove(&visit);
                    parts.push(Cluster { visits: BTreeSet::from([visit]), beam: world });
                }
            }
        }
        parts.push(self);
        parts
    }
}
