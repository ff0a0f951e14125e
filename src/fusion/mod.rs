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
mod clock;
mod clusters;
mod explain;
mod group;
mod model;
mod people;
mod settle;
mod steps;
mod world;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{ShopTime, Span, VisitId};
use crate::facts::{Body, ClockEstimate, Fact, FactRef, PeopleFrame, ShelfEvent};
use crate::shop::Shop;

use beam::Surroundings;
use clock::Clock;
use clusters::Clusters;
use explain::Plan;
use people::People;
use steps::Step;

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
}

/// The state of the fusion of one shop.
pub struct Fusion {
    shop: Arc<Shop>,
    plan: Plan,
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
    counters: Counters,
}

/// What happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// People frames taken.
    pub frames: u64,
    /// Shelf events taken.
    pub events: u64,
    /// Steps explained.
    pub steps: u64,
    /// Shelf events of a shelf that the shop does not have.
    pub dropped_unknown_shelf: u64,
}

impl Fusion {
    /// Starts with empty carts and everything where the planogram has it.
    pub fn new(shop: Arc<Shop>, options: Options) -> Self {
        Fusion {
            plan: Plan::new(&shop),
            shop,
            people: People::default(),
            clock: Clock::new(),
            clusters: Clusters::new(options.hypotheses_max.clamp(1, 4_096)),
            steps: BTreeMap::new(),
            queue: Vec::new(),
            unheard: Vec::new(),
            next_step: 0,
            now: ShopTime::MIN,
            counters: Counters::default(),
        }
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
        self.counters.frames += 1;
        for person in &frame.people {
            self.people.observe(VisitId::from_first_track(person.track), at, &person.joints);
        }
    }

    fn take_event(&mut self, event_ref: &FactRef, event: &ShelfEvent) {
        self.counters.events += 1;
        let Some(index) = self.shop.shelves().iter().position(|shelf| shelf.id == event.shelf) else {
            self.counters.dropped_unknown_shelf += 1;
            return;
        };
        for mut step in steps::cut(event, event_ref, index, &self.shop.shelves()[index]) {
            step.id = self.next_step;
            self.next_step += 1;
            let order = step.order();
            let place = self.queue.partition_point(|id| self.steps[id].order() <= order);
            self.queue.insert(place, step.id);
            self.unheard.push(step.id);
            self.steps.insert(step.id, step);
        }
    }

    /// Lets time pass: every fact up to `now` has been taken. Gives what is decided by then.
    pub fn advance(&mut self, now: ShopTime) -> Vec<Body> {
        self.now = self.now.max(now);
        self.hear(now - CLOCK_LAG);
        self.explain(now - LAG);
        let gone = now - LAG - self.shop.policy().absence_max;
        self.close(|visitor| visitor.seen <= gone)
    }

    /// No fact will come any more: decides everything.
    pub fn finish(&mut self) -> Vec<Body> {
        self.hear(ShopTime::MAX);
        self.explain(ShopTime::MAX);
        self.close(|_| true)
    }

    /// How far the people's clock is from the plates'.
    pub fn clock(&self) -> ClockEstimate {
        self.clock.estimate()
    }

    /// What happened so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Hypotheses that are open.
    pub fn hypotheses(&self) -> usize {
        self.clusters.hypotheses()
    }

    /// Visits that are open.
    pub fn visitors(&self) -> usize {
        self.people.visitors().len()
    }

    /// Changes of weight that wait to be explained, alone or with later ones.
    pub fn steps(&self) -> usize {
        self.steps.len()
    }

    fn hear(&mut self, until: ShopTime) {
        let (ready, later): (Vec<u32>, Vec<u32>) =
            self.unheard.iter().partition(|id| self.steps.get(id).is_none_or(|step| step.span.end <= until));
        self.unheard = later;
        for id in ready {
            let Some(step) = self.steps.get(&id) else { continue };
            let shelf = &self.shop.shelves()[step.shelf];
            let total: f64 = step.plates.iter().map(|plate| plate.grams).sum();
            if let Some(goods) = group::goods_of(step, shelf).filter(|_| CLOCK_GRAMS_MIN < total.abs()) {
                self.clock.learn(&goods, step.span, total < 0.0, &self.people);
            }
        }
    }

    fn explain(&mut self, until: ShopTime) {
        let clock = self.clock.weights();
        while let Some(&id) = self.queue.first() {
            if until < self.steps[&id].span.end {
                break;
            }
            self.queue.remove(0);
            self.counters.steps += 1;
            let around = Surroundings {
                shop: &self.shop,
                plan: &self.plan,
                people: &self.people,
                clock: &clock,
                steps: &self.steps,
                ahead: &self.queue,
            };
            self.clusters.step(&self.steps[&id], &around);
            self.forget_steps();
        }
    }

    /// Drops steps that no hypothesis waits with.
    fn forget_steps(&mut self) {
        let waiting = self.clusters.waiting();
        let (queue, unheard) = (&self.queue, &self.unheard);
        self.steps.retain(|id, _| queue.contains(id) || waiting.contains(id) || unheard.contains(id));
    }
}
