//! Who took what. It takes people on the floor (tracks named after their visit), shelf events and the time, and gives
//! attributions and closed visits. It never decides before the evidence is in: several joint explanations of
//! everything that happened stay open, and a visit is settled only when the shopper is gone.
//!
//! Method: multiple hypothesis tracking (Reid, IEEE Transactions on Automatic Control 24(6), 1979) over carts instead
//! of targets. A hypothesis says what is in every cart, what stands off its planned place and what units really weigh.
//! Each change of neighbouring plates makes it branch over what moved (weight and place), which way, and whose hand
//! was there; a change that makes no sense alone may wait for the next one on the same plates (a hold, a slow lift,
//! a press). Hypotheses that agree are merged, so the search is a beam over distinct states of the shop.

mod beam;
mod billed;
mod clock;
mod clusters;
mod coverage;
mod doubts;
mod effect;
mod explain;
mod findings;
mod group;
mod heard;
mod learned;
mod model;
mod odd;
mod open;
mod people;
mod plan;
mod settle;
mod steps;
mod swaps;
mod world;
mod written;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::{DropReason, Holes, Reports, ShopTime, Span, Stage, StageReport, TimeRange, VisitId};
use crate::facts::{Body, ClockEstimate, Fact, FactRef, PeopleFrame, ShelfEvent};
use crate::geometry::{Floor, Point};
use crate::shop::Shop;

use beam::Surroundings;
use clock::Clock;
use clusters::Clusters;
pub use findings::Anomalies;
use findings::Findings;
use heard::Heard;
pub use learned::{Learned, LearnedClock, LearnedWeight, LearnedWrists};
use people::People;
use plan::Plan;
use steps::Step;
use swaps::Swaps;

/// A step is explained this long after it ended: later ones may belong to it, and shelves report long events late.
const LAG: Span = Span::from_millis(10_000);
/// The people's positions around a step are complete this long after it.
const CLOCK_LAG: Span = Span::from_millis(2_500);

/// A step of this many grams tells the time.
const CLOCK_GRAMS_MIN: f64 = 20.0;

/// How hard to think.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Hypotheses kept open about shoppers who have to do with each other; 1 to 4,096. More find rarer explanations and cost time in proportion.
    pub hypotheses_max: usize,
    /// Whether a change is explained as soon as it is known, with what is known then, instead of when nothing can come any more
    /// that belongs to it. For screens: a fraction of a second late, and wrong more often.
    pub eager: bool,
}

/// The state of the fusion of one shop.
#[derive(Clone)]
pub struct Fusion {
    shop: Arc<Shop>,
    plan: Arc<Plan>,
    options: Options,
    memory: Memory,
    /// Since when each shelf of the shop has something on it that moves; told anew before time passes.
    unrest: Vec<Option<ShopTime>>,
    /// Where people come in and go out, as they have shown it; told anew before time passes.
    ways_in: Vec<Point<Floor>>,
    ways_out: Vec<Point<Floor>>,
}

/// What a checkpoint keeps of a [`Fusion`]: everything that does not follow from the shop.
#[derive(Clone, Serialize, Deserialize)]
pub struct Memory {
    people: People,
    clock: Clock,
    clusters: Clusters,
    /// Steps not yet explained and those that wait in some hypothesis, by id.
    steps: BTreeMap<u32, Step>,
    /// Ids of steps not yet explained, in the order they will be.
    queue: Vec<u32>,
    /// Ids of steps the clock has not learned from.
    unheard: Vec<u32>,
    next_step: u32,
    now: ShopTime,
    /// When aisle was stopped, from the last people on, and when nobody's hands were seen because of it.
    stopped: Holes,
    unwatched: Holes,
    /// Why a person has to look at which visits.
    doubts: BTreeMap<VisitId, BTreeSet<String>>,
    /// Probability that each visit was taken for nobody else's, of those who may have been, and the last time that they may have been.
    mixups: BTreeMap<VisitId, (f64, ShopTime)>,
    /// Of whom it is open who is who.
    swaps: Swaps,
    /// Probability that each visit has nothing to do with changes that nobody made, of those who stood beside them with hands that
    /// were seen elsewhere.
    beside: BTreeMap<VisitId, f64>,
    /// Whom a change could have touched that was seen badly or that nothing explains.
    uncertain: BTreeSet<VisitId>,
    findings: Findings,
    heard: Heard,
    coverage: coverage::Coverage,
    counters: Counters,
    /// Visits whose end was decided when they went out, until everything about them is known.
    billed: BTreeMap<VisitId, billed::Billed>,
    /// When what is true beyond a visit was learned.
    #[serde(default)]
    dates: learned::Dates,
}

/// What happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// People frames taken.
    pub frames: u64,
    /// Shelf events taken.
    pub events: u64,
    /// Steps explained.
    pub steps: u64,
    /// Shelf events of a shelf that the shop does not have.
    pub dropped_unknown_shelf: u64,
    /// Steps that may have happened while aisle was stopped, when nobody's hands were seen.
    pub unwatched_steps: u64,
    /// Frames of people that would fit into gaps between those that came.
    pub missing_frames: u64,
    /// Decisions given: attributions and ends of visits.
    #[serde(default)]
    pub sent: u64,
    /// Visits that were over when the shopper had gone out through an exit.
    #[serde(default)]
    pub went_out: u64,
    /// Of these, visits whose cart turned out to be another one when all was known, or who came back and took more. They are
    /// given once more, marked.
    #[serde(default)]
    pub revised: u64,
}

impl Fusion {
    /// Starts with empty carts and everything where the planogram has it.
    pub fn new(shop: Arc<Shop>, options: Options) -> Self {
        let memory = Memory {
            people: People::default(),
            clock: Clock::new(),
            clusters: Clusters::new(),
            steps: BTreeMap::new(),
            queue: Vec::new(),
            unheard: Vec::new(),
            coverage: coverage::Coverage::default(),
            next_step: 0,
            now: ShopTime::MIN,
            stopped: Holes::default(),
            unwatched: Holes::default(),
            doubts: BTreeMap::new(),
            mixups: BTreeMap::new(),
            swaps: Swaps::default(),
            beside: BTreeMap::new(),
            uncertain: BTreeSet::new(),
            findings: Findings::default(),
            heard: Heard::default(),
            counters: Counters::default(),
            billed: BTreeMap::new(),
            dates: learned::Dates::default(),
        };
        Fusion::restore(shop, options, memory)
    }

    /// Goes on with what was known before, of the same shop.
    pub fn restore(shop: Arc<Shop>, options: Options, mut memory: Memory) -> Self {
        memory.clusters.set_width(options.hypotheses_max.clamp(1, 4_096));
        Fusion { plan: Arc::new(Plan::new(&shop)), shop, options, memory, unrest: Vec::new(), ways_in: Vec::new(), ways_out: Vec::new() }
    }

    /// Whether changes are explained as soon as they are known, from now on.
    pub fn set_eager(&mut self, eager: bool) {
        self.options.eager = eager;
    }

    /// What there is to know, for a checkpoint.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// aisle was stopped for this time, from the last frame of people on. Nobody is gone for not having been seen in it;
    /// who is not seen after it is for a person to look at.
    pub fn resume(&mut self, stopped: TimeRange) {
        self.memory.stopped.add(stopped);
    }

    /// When nobody was seen because aisle was stopped. Who may have taken what went then is for a person to look at.
    pub fn unwatched(&mut self, holes: &Holes) {
        if self.memory.unwatched != *holes {
            self.memory.unwatched = holes.clone();
        }
    }

    /// A person has to look at this visit when it is over, for this reason.
    pub fn doubt(&mut self, visit: VisitId, why: String) {
        self.memory.doubt(visit, why);
    }

    /// A frame of people came, the so many-th of its source, also one with nobody in it.
    pub fn frame(&mut self, at: ShopTime, sequence: u64, frame: &PeopleFrame) {
        let missing = self.memory.heard.frame(at, sequence, &frame.people);
        let counters = &mut self.memory.counters;
        counters.missing_frames = counters.missing_frames.saturating_add(missing);
    }

    /// Samples of a shelf of the shop, by its place in the list, are missing.
    pub fn gap(&mut self, shelf: usize, gap: TimeRange) {
        self.memory.heard.gap(shelf, gap);
    }

    /// When each shelf of the shop was heard first and last, and which plates (shelf and place on it) say nothing since
    /// when.
    pub fn heard(&mut self, shelves: Vec<Option<TimeRange>>, silent: BTreeMap<(usize, usize), ShopTime>) {
        self.memory.heard.shelves(shelves, silent);
    }

    /// Since when each shelf of the shop has something on it that moves.
    pub fn unrest(&mut self, unrest: Vec<Option<ShopTime>>) {
        self.unrest = unrest;
    }

    /// Where people come in and where they go out, as they have shown it. It counts where the shop names no entrance, or no exit.
    pub fn doors(&mut self, ways_in: Vec<Point<Floor>>, ways_out: Vec<Point<Floor>>) {
        (self.ways_in, self.ways_out) = (ways_in, ways_out);
    }

    /// So many more facts came since this was said last, and so many more were lost.
    pub fn flowed(&mut self, at: ShopTime, came: u64, lost: u64) {
        self.memory.coverage.flowed(at, came, lost);
    }

    /// Something that was true about this time was lost, and nothing more is known of it. Whoever was inside is for a
    /// person to look at.
    pub fn lose(&mut self, at: ShopTime) {
        self.memory.heard.lose(at);
    }

    /// Takes a fact; facts of other kinds than people and shelf events are ignored.
    pub fn take(&mut self, fact: &Fact) {
        match &fact.body {
            Body::People(frame) => self.take_people(fact.stamp.at, frame),
            Body::Shelf(event) => self.take_event(&fact.stamp.fact_ref(), event),
            _ => {}
        }
    }

    /// Takes people whose tracks are named after their visits; sightings of one visit must come in order of time.
    pub fn take_people(&mut self, at: ShopTime, frame: &PeopleFrame) {
        self.memory.counters.frames += 1;
        for person in &frame.people {
            let visit = VisitId::from_first_track(person.track);
            self.memory.people.observe(visit, at, &person.joints);
            self.memory.heard.observe(&self.shop, visit, at, &person.joints);
        }
    }

    fn take_event(&mut self, event_ref: &FactRef, event: &ShelfEvent) {
        self.memory.counters.events += 1;
        let Some(index) = self.shop.shelves().iter().position(|shelf| shelf.id == event.shelf) else {
            self.memory.counters.dropped_unknown_shelf += 1;
            return;
        };
        for mut step in steps::cut(event, event_ref, index, &self.shop.shelves()[index]) {
            step.id = self.memory.next_step;
            self.memory.next_step += 1;
            let order = step.order();
            let place = self.memory.queue.partition_point(|id| self.memory.steps[id].order() <= order);
            self.memory.queue.insert(place, step.id);
            self.memory.unheard.push(step.id);
            self.memory.steps.insert(step.id, step);
        }
    }

    /// Lets time pass: every fact up to `now` has been taken. Gives what is decided by then.
    pub fn advance(&mut self, now: ShopTime) -> Vec<Body> {
        self.memory.now = self.memory.now.max(now);
        self.hear(now - CLOCK_LAG);
        self.explain(if self.options.eager { now } else { now - LAG });
        let mut decided = self.close_gone_out(now);
        let absence_max = self.shop.policy().absence_max;
        let stopped = self.memory.stopped.clone();
        decided.extend(self.close(false, |visitor| absence_max <= stopped.watched(visitor.seen, now - LAG)));
        self.memory.note_learned();
        self.memory.counters.sent += decided.len() as u64;
        decided
    }

    /// No fact will come any more: decides everything.
    pub fn finish(&mut self) -> Vec<Body> {
        self.hear(ShopTime::MAX);
        self.explain(ShopTime::MAX);
        let decided = self.close(true, |_| true);
        self.memory.note_learned();
        self.memory.counters.sent += decided.len() as u64;
        decided
    }

    /// How far the people's clock is from the plates'.
    pub fn clock(&self) -> ClockEstimate {
        self.memory.clock.estimate()
    }

    /// What happened so far.
    pub fn counters(&self) -> Counters {
        self.memory.counters
    }

    /// What is odd about the shelves, as far as is known now.
    pub fn anomalies(&self) -> Anomalies {
        self.memory.findings.anomalies(&self.shop)
    }

    /// Hypotheses that are open.
    pub fn hypotheses(&self) -> usize {
        self.memory.clusters.hypotheses()
    }

    /// Visits that are open.
    pub fn visitors(&self) -> usize {
        self.memory.people.visitors().len()
    }

    /// Changes of weight that wait to be explained, alone or with later ones.
    pub fn steps(&self) -> usize {
        self.memory.steps.len()
    }

    fn hear(&mut self, until: ShopTime) {
        let (ready, later): (Vec<u32>, Vec<u32>) = self
            .memory
            .unheard
            .iter()
            .partition(|id| self.memory.steps.get(id).is_none_or(|step| step.span.end <= until));
        self.memory.unheard = later;
        for id in ready {
            let Some(step) = self.memory.steps.get(&id) else { continue };
            let shelf = &self.shop.shelves()[step.shelf];
            let total: f64 = step.plates.iter().map(|plate| plate.grams).sum();
            if let Some(goods) = group::goods_of(step, shelf).filter(|_| CLOCK_GRAMS_MIN < total.abs()) {
                self.memory.clock.learn(&goods, step.span, total < 0.0, &self.memory.people);
            }
        }
    }

    fn explain(&mut self, until: ShopTime) {
        let clock = self.memory.clock.weights();
        while let Some(&id) = self.memory.queue.first() {
            if until < self.memory.steps[&id].span.end {
                break;
            }
            self.memory.queue.remove(0);
            self.memory.counters.steps += 1;
            self.branch_on_swaps(id);
            self.doubt_unwatched(id);
            let around = Surroundings {
                shop: &self.shop,
                plan: &self.plan,
                people: &self.memory.people,
                clock: &clock,
                steps: &self.memory.steps,
                ahead: &self.memory.queue,
            };
            let best = self.memory.clusters.step(&self.memory.steps[&id], &around);
            self.notice(id, &clock, &best);
            self.forget_steps();
        }
    }

    /// Drops steps that no hypothesis waits with.
    fn forget_steps(&mut self) {
        let waiting = self.memory.clusters.waiting();
        let (queue, unheard) = (&self.memory.queue, &self.memory.unheard);
        self.memory.steps.retain(|id, _| queue.contains(id) || waiting.contains(id) || unheard.contains(id));
    }
}

impl Reports for Fusion {
    /// People and changes on shelves come, decisions go; what waits are changes of weight that are not explained.
    fn report(&self) -> StageReport {
        let Memory { steps, queue, now, counters, .. } = &self.memory;
        let Counters { frames, events, dropped_unknown_shelf, missing_frames, sent, .. } = *counters;
        let oldest = queue.first().and_then(|id| steps.get(id));
        let delay = oldest.map_or(Span::ZERO, |step| *now - step.span.end);
        StageReport::new(Stage::Fusion, frames + events, sent)
            .dropping(DropReason::UnknownSource, dropped_unknown_shelf)
            .dropping(DropReason::Missing, missing_frames)
            .holding(queue.len(), delay)
    }
}
