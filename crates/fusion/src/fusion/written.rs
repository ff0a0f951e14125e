//! How hypotheses are written down: what they share, groups and the older part of their histories, once.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::clusters::{Cluster, Clusters};
use super::group::Group;
use super::plan::Sku;
use super::world::{Action, History, World};
use crate::base::VisitId;

/// All clusters on paper; `C` is how the clusters are held.
#[derive(Serialize, Deserialize)]
struct Written<C, G> {
    clusters: C,
    learned: BTreeMap<Sku, (f64, u32)>,
    groups: Vec<G>,
    /// The entries of all histories; older ones stand before those that go on from them.
    entries: Vec<Entry>,
    /// For every hypothesis, cluster by cluster, the newest entry of each visit.
    newest: Vec<Vec<(VisitId, usize)>>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    action: Action,
    /// Places in the lists.
    group: usize,
    older: Option<usize>,
}

/// What has been written, by where it stands in memory.
#[derive(Default)]
struct Shared<'a> {
    groups: Vec<&'a Group>,
    entries: Vec<Entry>,
    group_of: BTreeMap<*const Group, usize>,
    entry_of: BTreeMap<*const History, usize>,
}

impl<'a> Shared<'a> {
    fn group(&mut self, group: &'a Arc<Group>) -> usize {
        *self.group_of.entry(Arc::as_ptr(group)).or_insert_with(|| {
            self.groups.push(group);
            self.groups.len() - 1
        })
    }

    fn history(&mut self, newest: &'a Arc<History>) -> usize {
        let mut unwritten = Vec::new();
        let mut next = Some(newest);
        let mut older = None;
        while let Some(history) = next {
            older = self.entry_of.get(&Arc::as_ptr(history)).copied();
            if older.is_some() {
                break;
            }
            unwritten.push(history);
            next = history.older.as_ref();
        }
        for history in unwritten.into_iter().rev() {
            let group = self.group(&history.group);
            self.entries.push(Entry { action: history.action.clone(), group, older });
            let place = self.entries.len() - 1;
            self.entry_of.insert(Arc::as_ptr(history), place);
            older = Some(place);
        }
        older.unwrap_or_default()
    }
}

impl Serialize for Clusters {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut shared = Shared::default();
        let worlds = self.clusters.iter().flat_map(|cluster| cluster.beam.worlds());
        let newest = worlds
            .map(|world: &World| world.history.iter().map(|(visit, last)| (*visit, shared.history(last))).collect())
            .collect();
        let Shared { groups, entries, .. } = shared;
        Written { clusters: &self.clusters, learned: self.learned.clone(), groups, entries, newest }
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Clusters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::<Vec<Cluster>, Arc<Group>>::deserialize(deserializer)?;
        let mut histories: Vec<Arc<History>> = Vec::with_capacity(written.entries.len());
        for Entry { action, group, older } in written.entries {
            let group = written.groups.get(group).filter(|group| action.piece < group.pieces.len());
            let known = older.is_none_or(|older| older < histories.len());
            let (Some(group), true) = (group, known) else {
                return Err(D::Error::custom("an action points to nothing"));
            };
            let older = older.map(|older| histories[older].clone());
            histories.push(Arc::new(History { action, group: group.clone(), older }));
        }
        let mut newest = written.newest.into_iter();
        let mut clusters = written.clusters;
        for cluster in &mut clusters {
            if cluster.beam.worlds().is_empty() {
                return Err(D::Error::custom("a cluster has no hypothesis"));
            }
            for world in cluster.beam.worlds_mut() {
                for (visit, entry) in newest.next().unwrap_or_default() {
                    let entry = histories.get(entry).ok_or_else(|| D::Error::custom("a history points to nothing"))?;
                    world.history.insert(visit, entry.clone());
                }
            }
        }
        Ok(Clusters::of(clusters, written.learned))
    }
}
