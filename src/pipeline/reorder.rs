//! Facts arrive late, early and twice; they leave in the order of the time they were true.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use crate::base::limits::{REORDER_FACTS_MAX, WATERMARK_SPAN_MAX};
use crate::base::{ShopTime, SourceId};
use crate::facts::Fact;

/// What happened to the facts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Facts taken.
    pub received: u64,
    /// Facts given.
    pub sent: u64,
    /// Facts of a source that had said something for the same instant.
    pub dropped_double: u64,
    /// Facts older than what had been given already.
    pub dropped_late: u64,
    /// Facts given early because the buffer was full.
    pub released_early: u64,
    /// Most facts that waited at once.
    pub depth_max: u64,
}

/// A buffer that waits [`WATERMARK_SPAN_MAX`] behind the newest fact. When full it gives its oldest fact early.
#[derive(Default)]
pub struct Reorder {
    waiting: BinaryHeap<Reverse<Waiting>>,
    newest: Option<ShopTime>,
    given_until: Option<ShopTime>,
    last_of_source: BTreeMap<SourceId, ShopTime>,
    counters: Counters,
}

struct Waiting(Fact);

impl Waiting {
    fn key(&self) -> (ShopTime, &SourceId, u64) {
        (self.0.stamp.at, &self.0.stamp.source, self.0.stamp.sequence)
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl Reorder {
    /// Takes a fact; calls `give` with those whose time has come.
    pub fn take(&mut self, fact: Fact, give: &mut impl FnMut(Fact)) {
        self.counters.received += 1;
        let at = fact.stamp.at;
        if self.given_until.is_some_and(|until| at < until) {
            self.counters.dropped_late += 1;
            return;
        }
        self.newest = self.newest.max(Some(at));
        self.waiting.push(Reverse(Waiting(fact)));
        self.counters.depth_max = self.counters.depth_max.max(self.waiting.len() as u64);
        let watermark = self.newest.map_or(ShopTime::MIN, |newest| newest - WATERMARK_SPAN_MAX);
        loop {
            let Some(Reverse(first)) = self.waiting.peek() else { break };
            let full = REORDER_FACTS_MAX < self.waiting.len();
            if watermark <= first.0.stamp.at && !full {
                break;
            }
            self.counters.released_early += u64::from(watermark <= first.0.stamp.at);
            self.give_first(give);
        }
    }

    /// No fact will come any more: gives the rest.
    pub fn finish(&mut self, give: &mut impl FnMut(Fact)) {
        while !self.waiting.is_empty() {
            self.give_first(give);
        }
    }

    fn give_first(&mut self, give: &mut impl FnMut(Fact)) {
        let Some(Reverse(Waiting(fact))) = self.waiting.pop() else { return };
        let at = fact.stamp.at;
        self.given_until = self.given_until.max(Some(at));
        let last = self.last_of_source.insert(fact.stamp.source.clone(), at);
        if last == Some(at) && fact.body.topic().is_ground() {
            self.counters.dropped_double += 1;
            return;
        }
        self.counters.sent += 1;
        give(fact);
    }

    /// What happened to the facts so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }
}
