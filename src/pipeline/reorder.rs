//! Facts arrive late, early and twice; they leave in the order of the time they were true, as soon as every source that
//! lives has been heard past that time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use serde::{Deserialize, Serialize};

use super::sources::{Sources, Waits};
use crate::base::limits::{LEAP_FACTS_MAX, LEAP_FACTS_MIN, LEAP_SPAN_MAX, REORDER_FACTS_MAX, WATERMARK_SPAN_MAX};
use crate::base::{DropReason, Reports, ShopTime, SourceId, Span, Stage, StageReport, TimeRange};
use crate::facts::{Body, Fact, JointKind, Topic};

/// What happened to the facts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Facts taken.
    pub received: u64,
    /// Facts given.
    pub sent: u64,
    /// Facts of a source that had said the same for the same instant, and those whose number had come before.
    pub dropped_double: u64,
    /// Facts of a source that had said something else for the same instant: two devices have one name.
    pub dropped_conflict: u64,
    /// Facts older than what had been given already.
    pub dropped_late: u64,
    /// Ground facts far ahead of all others that no other fact confirmed.
    pub dropped_leap: u64,
    /// Facts given early because the buffer was full.
    pub released_early: u64,
    /// Parts of the input that could not be read.
    pub dropped_unread: u64,
    /// Most facts that waited at once.
    pub depth_max: u64,
}

/// A buffer that waits until each source that lives has been heard past a fact's time, without a gap in its numbers; for one
/// that fell silent, that is new or has a gap, [`WATERMARK_SPAN_MAX`] behind the newest fact and no longer. What leaves when
/// follows from the facts and the order in which they were taken, and from nothing else. When full it gives its oldest fact
/// early. One device with a wild clock does not drag the others along: a leap in time counts when several facts agree on it.
#[derive(Clone, Serialize, Deserialize)]
pub struct Reorder {
    #[serde(skip, default = "final_waits")]
    waits: Waits,
    sources: Sources,
    /// Ground facts far ahead of the newest, by time.
    leaping: Vec<Fact>,
    /// Written in its own order, so that facts of one rank leave in the same one.
    waiting: BinaryHeap<Reverse<Waiting>>,
    newest: Option<ShopTime>,
    /// The newest frame of people.
    newest_people: Option<ShopTime>,
    given_until: Option<ShopTime>,
    /// When each source was true last, and a digest of what it said.
    last_of_source: BTreeMap<SourceId, (ShopTime, u64)>,
    counters: Counters,
}

fn final_waits() -> Waits {
    Waits::FINAL
}

#[derive(Clone, Serialize, Deserialize)]
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
    /// An empty buffer that waits so long.
    pub fn new(waits: Waits) -> Self {
        Reorder {
            waits,
            sources: Sources::default(),
            leaping: Vec::new(),
            waiting: BinaryHeap::new(),
            newest: None,
            newest_people: None,
            given_until: None,
            last_of_source: BTreeMap::new(),
            counters: Counters::default(),
        }
    }

    /// Waits so long from now on.
    pub fn set_waits(&mut self, waits: Waits) {
        self.waits = waits;
    }

    /// Sources that were silent for so long that nothing waits for them any more, by name.
    pub fn out(&self) -> impl Iterator<Item = &SourceId> {
        self.newest.into_iter().flat_map(|newest| self.sources.out(newest, self.waits))
    }

    /// Takes a fact; calls `give` with those whose time has come.
    pub fn take(&mut self, fact: Fact, give: &mut impl FnMut(Fact)) {
        self.counters.received += 1;
        let at = fact.stamp.at;
        if self.given_until.is_some_and(|until| at < until) {
            // Too late for what was decided. What had come before is not lost.
            let known = self.sources.hear(&fact.stamp, fact.body.topic());
            *if known { &mut self.counters.dropped_double } else { &mut self.counters.dropped_late } += 1;
            self.release(give);
            return;
        }
        let leaps = self.newest.is_none_or(|newest| newest + LEAP_SPAN_MAX < at);
        if leaps && fact.body.topic().is_ground() {
            self.take_leaping(fact);
        } else {
            self.accept(fact);
        }
        self.release(give);
    }

    /// Gives what nothing waits for any more.
    pub fn release(&mut self, give: &mut impl FnMut(Fact)) {
        let Some(newest) = self.newest else { return };
        let floor = newest - self.waits.most;
        let heard = self.sources.watermark(newest, self.waits);
        while let Some(Reverse(first)) = self.waiting.peek() {
            let waits = floor <= first.0.stamp.at && heard < first.0.stamp.at;
            if waits && self.waiting.len() <= REORDER_FACTS_MAX {
                break;
            }
            self.counters.released_early += u64::from(waits);
            self.give_first(give);
        }
    }

    fn accept(&mut self, fact: Fact) {
        self.newest = self.newest.max(Some(fact.stamp.at));
        self.sources.hear(&fact.stamp, fact.body.topic());
        if fact.body.topic() == Topic::People {
            self.newest_people = self.newest_people.max(Some(fact.stamp.at));
        }
        self.waiting.push(Reverse(Waiting(fact)));
        self.counters.depth_max = self.counters.depth_max.max(self.waiting.len() as u64);
    }

    /// Keeps a fact that is far ahead; believes all of one time once there are enough of them.
    fn take_leaping(&mut self, fact: Fact) {
        let place = self.leaping.partition_point(|other| other.stamp.at <= fact.stamp.at);
        self.leaping.insert(place, fact);
        let near = |group: &[Fact]| match group {
            [first, .., last] => last.stamp.at - first.stamp.at <= WATERMARK_SPAN_MAX,
            _ => false,
        };
        if let Some(from) = self.leaping.windows(LEAP_FACTS_MIN).position(near) {
            // What stands before them can do no harm any more.
            let reach = self.leaping[from].stamp.at + LEAP_SPAN_MAX;
            let rest = self.leaping.split_off(self.leaping.partition_point(|fact| fact.stamp.at <= reach));
            let believed = std::mem::replace(&mut self.leaping, rest);
            believed.into_iter().for_each(|fact| self.accept(fact));
        } else if LEAP_FACTS_MAX < self.leaping.len() {
            self.leaping.pop();
            self.counters.dropped_leap += 1;
        }
    }

    /// Nothing came between the last fact and `now`: time has gone on, and a fact of now is no leap. Answers what is
    /// missing, if anything is: it begins where people were seen last, who come later than the plates.
    pub fn resume(&mut self, now: ShopTime) -> Option<TimeRange> {
        // Before the first fact of all nothing is known either.
        let newest = self.newest.unwrap_or(now - WATERMARK_SPAN_MAX);
        if now <= newest {
            return None;
        }
        self.newest = Some(now);
        // People who were silent for longer than anything is waited for are silent for another reason.
        let people = self.newest_people.filter(|people| newest - WATERMARK_SPAN_MAX <= *people);
        Some(TimeRange { start: people.map_or(newest, |people| people.min(newest)), end: now })
    }

    /// When the newest fact was true.
    pub fn newest(&self) -> Option<ShopTime> {
        self.newest
    }

    /// So many parts of the input cannot be read.
    pub fn lose(&mut self, parts: u64) {
        self.counters.dropped_unread += parts;
    }

    /// Facts that wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len() + self.leaping.len()
    }

    /// No fact will come any more: gives the rest.
    pub fn finish(&mut self, give: &mut impl FnMut(Fact)) {
        let leaping = std::mem::take(&mut self.leaping);
        match self.newest {
            Some(_) => self.counters.dropped_leap += leaping.len() as u64,
            // There are too few facts to disbelieve any.
            None => leaping.into_iter().for_each(|fact| self.accept(fact)),
        }
        while !self.waiting.is_empty() {
            self.give_first(give);
        }
    }

    fn give_first(&mut self, give: &mut impl FnMut(Fact)) {
        let Some(Reverse(Waiting(fact))) = self.waiting.pop() else { return };
        let at = fact.stamp.at;
        self.given_until = self.given_until.max(Some(at));
        self.sources.give(&fact.stamp);
        let said = digest(&fact.body);
        let last = self.last_of_source.insert(fact.stamp.source.clone(), (at, said));
        // A board may say of several shelves that they changed, all at one instant.
        let is_other = |before: u64| before != said && matches!(fact.body, Body::BoardEvent(_));
        let last = last.filter(|(last, before)| *last == at && fact.body.topic().is_ground() && !is_other(*before));
        if let Some((_, before)) = last {
            let dropped = &mut self.counters;
            *if before == said { &mut dropped.dropped_double } else { &mut dropped.dropped_conflict } += 1;
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

impl Reports for Reorder {
    fn report(&self) -> StageReport {
        let Counters {
            received,
            sent,
            dropped_double,
            dropped_conflict,
            dropped_late,
            dropped_leap,
            dropped_unread,
            released_early: _,
            depth_max: _,
        } = self.counters;
        let oldest = self.waiting.peek().map(|Reverse(first)| first.0.stamp.at);
        let delay = oldest.zip(self.newest).map_or(Span::ZERO, |(oldest, newest)| newest - oldest);
        StageReport::new(Stage::Reorder, received, sent)
            .dropping(DropReason::Duplicate, dropped_double)
            .dropping(DropReason::Conflict, dropped_conflict)
            .dropping(DropReason::Late, dropped_late)
            .dropping(DropReason::ClockJump, dropped_leap)
            .dropping(DropReason::Unreadable, dropped_unread)
            .holding(self.waiting(), delay)
    }
}

/// A number that is equal for facts that say the same.
fn digest(body: &Body) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    match body {
        Body::Plates(batch) => {
            batch.plates.hash(&mut hasher);
            batch.grams.iter().for_each(|grams| grams.to_bits().hash(&mut hasher));
        }
        Body::People(frame) => {
            for person in &frame.people {
                person.track.hash(&mut hasher);
                let joints = JointKind::ALL.iter().filter_map(|kind| person.joints.get(*kind));
                joints.for_each(|joint| [joint.position.x, joint.position.y].map(f64::to_bits).hash(&mut hasher));
            }
        }
        Body::BoardEvent(event) => {
            (event.shelf, event.span.start, event.span.end).hash(&mut hasher);
            for (plate, level) in
                event.plates.iter().flat_map(|plate| plate.levels.iter().map(|level| (plate.plate, level)))
            {
                (plate, level.grams.value().to_bits()).hash(&mut hasher);
            }
        }
        // Of all others one a source and instant is enough.
        _ => {}
    }
    hasher.finish()
}
