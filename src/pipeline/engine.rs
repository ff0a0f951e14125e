//! Every stage of the shop in a row, in one thread: it takes facts in any order and gives all facts in order.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::checkpoint;
use super::counters::Counters;
use super::loss::Loss;
use super::reorder::Reorder;
use super::sources::Waits;
use crate::base::limits::{BATCH_SPAN_MAX, BATCH_STAMP_OFF_MAX, PEOPLE_PER_FRAME_MAX};
use crate::base::{DropReason, PlateId, Reports, Result, ShopTime, SourceId, Span, StageReport, VisitId};
use crate::cart::{CartBook, Carts};
use crate::facts::{
    Body, Fact, OpenVisit, PeopleFrame, Person, PlateBatch, ShelfEvent, Stamp, Tick, Topic, TrackJoined,
};
use crate::fusion::{self, Fusion};
use crate::geometry::{Floor, Point};
use crate::shelf::{self, ShelfSense};
use crate::shop::Shop;
use crate::tracking::{Door, Doubt, LearnedDoors, Mixup, Sighting, Stitcher};

/// How often the fusion looks at the clock, in each lane.
const TICK: Span = Span::from_millis(500);
const TICK_VIEW: Span = Span::from_millis(100);
/// For how long plates must keep their levels until the view lane believes them. A slow hand pauses for as long; what it led to is
/// mended when the lane is set back.
const SETTLE_VIEW: Span = Span::from_millis(200);

/// How the engine works.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Hypotheses that the fusion keeps open.
    pub hypotheses_max: usize,
    /// What it is for.
    pub lane: Lane,
}

/// What an engine decides for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// For the till: it waits until nothing can come any more that changes a decision, within bounds.
    Final,
    /// For screens: it says what it knows, a fraction of a second late, and may be wrong.
    View,
}

/// The stages of one shop.
#[derive(Clone)]
pub struct Engine {
    shop: Arc<Shop>,
    reorder: Reorder,
    stages: Stages,
}

#[derive(Clone)]
struct Stages {
    shop: Arc<Shop>,
    lane: Lane,
    shelf: ShelfSense,
    stitcher: Stitcher,
    fusion: Fusion,
    carts: CartBook,
    course: Course,
}

/// How far the stages have come.
#[derive(Clone, Serialize, Deserialize)]
struct Course {
    /// Derived facts by their source.
    sequences: BTreeMap<SourceId, u64>,
    now: ShopTime,
    ticked: ShopTime,
    dropped_people: u64,
    dropped_astray: u64,
    /// Facts of kinds that no stage uses.
    #[serde(default)]
    unused: u64,
    /// Facts that came and were lost when the fusion was told last.
    told_received: u64,
    told_lost: u64,
}

/// What a checkpoint holds, in the order of the pipeline: all that does not follow from the shop and the options.
type Saved = (Reorder, ShelfSense, Stitcher, fusion::Memory, Carts, Course);

/// What the engine holds in memory right now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Facts that wait for their turn.
    pub facts: usize,
    /// Tracks of people.
    pub tracks: usize,
    /// Visits that are open.
    pub visitors: usize,
    /// Changes of weight that wait to be explained.
    pub steps: usize,
    /// Hypotheses about who has what.
    pub hypotheses: usize,
}

impl Options {
    /// Enough hypotheses for a shop with a handful of shoppers per shelf.
    pub const USUAL: Options = Options { hypotheses_max: 96, lane: Lane::Final };
    /// The same for screens.
    pub const VIEW: Options = Options { lane: Lane::View, ..Options::USUAL };

    fn fusion(self) -> fusion::Options {
        fusion::Options { hypotheses_max: self.hypotheses_max, eager: self.lane == Lane::View }
    }
}

impl Lane {
    fn waits(self) -> Waits {
        match self {
            Lane::Final => Waits::FINAL,
            Lane::View => Waits::VIEW,
        }
    }

    fn settle(self) -> Span {
        match self {
            Lane::Final => shelf::SETTLE,
            Lane::View => SETTLE_VIEW,
        }
    }

    fn tick(self) -> Span {
        match self {
            Lane::Final => TICK,
            Lane::View => TICK_VIEW,
        }
    }
}

impl Engine {
    /// An engine for this shop with nobody in it.
    pub fn new(shop: &Arc<Shop>, options: Options) -> Self {
        let mut stages = Stages {
            shop: shop.clone(),
            lane: options.lane,
            shelf: ShelfSense::new(shop),
            stitcher: Stitcher::new(shop),
            fusion: Fusion::new(shop.clone(), options.fusion()),
            carts: CartBook::new(shop.clone()),
            course: Course {
                sequences: BTreeMap::new(),
                now: ShopTime::MIN,
                ticked: ShopTime::MIN,
                dropped_people: 0,
                dropped_astray: 0,
                unused: 0,
                told_received: 0,
                told_lost: 0,
            },
        };
        stages.shelf.set_settle(options.lane.settle());
        Engine { shop: shop.clone(), reorder: Reorder::new(options.lane.waits()), stages }
    }

    /// Everything the engine knows, as bytes: [`Engine::restore`] goes on from here as if nothing had happened.
    ///
    /// # Errors
    /// Should something not be writable, which no fact can bring about.
    pub fn checkpoint(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.write_checkpoint(&mut bytes)?;
        Ok(bytes)
    }

    /// The same, behind what stands in `bytes` already: megabytes that are written again and again need not be new each time.
    ///
    /// # Errors
    /// As [`Engine::checkpoint`]; `bytes` then ends somewhere in it.
    pub(crate) fn write_checkpoint(&self, bytes: &mut Vec<u8>) -> Result<()> {
        let Stages { shop: _, lane: _, shelf, stitcher, fusion, carts, course } = &self.stages;
        checkpoint::write(&self.shop, &(&self.reorder, shelf, stitcher, fusion.memory(), carts.carts(), course), bytes)
    }

    /// An engine that goes on from a checkpoint of this shop. The facts that were taken since have to be taken again; if
    /// they are lost, [`Engine::resume`] says so.
    ///
    /// # Errors
    /// When the bytes are no checkpoint, are damaged, or come from another shop or another format. Whoever was inside is
    /// not known then, and their visits are for a person.
    pub fn restore(shop: &Arc<Shop>, options: Options, bytes: &[u8]) -> Result<Engine> {
        let (reorder, shelf, mut stitcher, memory, carts, course): Saved = checkpoint::read(shop, bytes)?;
        stitcher.furnish(shop);
        let fusion = Fusion::restore(shop.clone(), options.fusion(), memory);
        let carts = CartBook::restore(shop.clone(), carts);
        let stages = Stages { shop: shop.clone(), lane: Lane::Final, shelf, stitcher, fusion, carts, course };
        Ok(Engine { shop: shop.clone(), reorder, stages }.in_lane(options.lane))
    }

    /// The stages that learn what is true beyond one visit.
    pub(super) fn learners(&self) -> (&ShelfSense, &Stitcher, &Fusion) {
        (&self.stages.shelf, &self.stages.stitcher, &self.stages.fusion)
    }

    pub(super) fn learners_mut(&mut self) -> (&mut ShelfSense, &mut Stitcher, &mut Fusion) {
        (&mut self.stages.shelf, &mut self.stages.stitcher, &mut self.stages.fusion)
    }

    /// The same engine, with the same knowledge, deciding for this lane from now on.
    #[must_use]
    pub fn in_lane(mut self, lane: Lane) -> Self {
        self.reorder.set_waits(lane.waits());
        self.stages.enter(lane);
        self
    }

    /// Gives what nothing is waited for any more, though no fact came: for an engine that has come into another lane. What is
    /// past by now is looked at with hindsight, as the deciding lane will: plates that paused in a slow hand did not come to rest,
    /// and changes are explained together. What is known then is decided at once.
    pub fn catch_up(&mut self, give: &mut dyn FnMut(&Fact)) {
        let stages = &mut self.stages;
        let lane = stages.lane;
        stages.enter(Lane::Final);
        self.reorder.release(&mut |fact| stages.step(&fact, give));
        stages.enter(lane);
        let events = stages.shelf.settled();
        stages.take_events(events, give);
        stages.decide(give);
    }

    /// Sources that were silent for so long that nothing is waited for any more, by name.
    pub fn silent_sources(&self) -> impl Iterator<Item = &SourceId> {
        self.reorder.out()
    }

    /// The facts between the newest one taken and `now` are lost: aisle was stopped. Time goes on from `now`; nobody
    /// counts as gone for not having been seen meanwhile; who goes on as whom is asked anew, of place and body; and
    /// every visit about which something stays open is marked as interrupted. Without anything missing it does nothing; of
    /// a new engine it says that there was something before it.
    pub fn resume(&mut self, now: ShopTime) {
        if let Some(hole) = self.reorder.resume(now) {
            self.stages.stitcher.resume(hole);
            self.stages.fusion.resume(hole);
        }
    }

    /// The visits that are not over, in order of entry, with what is most probably in their carts right now. It takes
    /// microseconds a visit.
    pub fn open_visits(&self) -> Vec<OpenVisit> {
        self.stages.fusion.open_visits()
    }

    /// When and where the shopper of an open visit was first seen.
    pub fn first_seen(&self, visit: VisitId) -> Option<(ShopTime, Option<Point<Floor>>)> {
        self.stages.fusion.first_seen(visit)
    }

    /// The weight that a plate rests at, as its scale reads it, as far as that is known.
    pub fn resting(&self, plate: PlateId) -> Option<f64> {
        self.stages.shelf.resting(plate)
    }

    /// Takes a ground fact; `give` sees it when its turn comes, and everything that follows from it.
    pub fn take(&mut self, fact: Fact, give: &mut dyn FnMut(&Fact)) {
        let topic = fact.body.topic();
        if matches!(topic, Topic::Frame | Topic::Gate | Topic::Seen | Topic::Verdict | Topic::Door | Topic::Tags) {
            // No stage here reads them, so they must not move the time of those that are read, nor be waited for.
            self.stages.course.unused += u64::from(matches!(topic, Topic::Door | Topic::Tags));
            give(&fact);
            return;
        }
        if let Body::Tick(Tick { restarted, lost }) = fact.body {
            if restarted {
                self.resume(fact.stamp.at);
            }
            self.lose(lost);
        }
        let stages = &mut self.stages;
        let ticked = stages.course.ticked;
        self.reorder.take(fact, &mut |fact| stages.step(&fact, give));
        if ticked != self.stages.course.ticked {
            self.tell_loss();
        }
    }

    /// What came and what was lost since this was done last concerns whoever is inside.
    fn tell_loss(&mut self) {
        let loss = Loss::of(&self.counters());
        let Stages { fusion, course, .. } = &mut self.stages;
        let (came, lost) = (loss.received - course.told_received, loss.lost.saturating_sub(course.told_lost));
        (course.told_received, course.told_lost) = (loss.received, loss.lost.max(course.told_lost));
        fusion.flowed(course.now, came.saturating_sub(lost), lost);
    }

    /// No fact will come any more: everything open is decided.
    pub fn finish(&mut self, give: &mut dyn FnMut(&Fact)) {
        let stages = &mut self.stages;
        self.reorder.finish(&mut |fact| stages.step(&fact, give));
        self.tell_loss();
        self.stages.finish(give);
    }

    /// What happened so far.
    pub fn counters(&self) -> Counters {
        Counters {
            dropped_people: self.stages.course.dropped_people,
            dropped_astray: self.stages.course.dropped_astray,
            reorder: self.reorder.counters(),
            shelf: self.stages.shelf.counters(),
            tracking: self.stages.stitcher.counters(),
            fusion: self.stages.fusion.counters(),
        }
    }

    /// What every stage has done, in the order in which facts pass them.
    pub fn reports(&self) -> Vec<StageReport> {
        let Stages { shop: _, lane: _, shelf, stitcher, fusion, carts, course } = &self.stages;
        // What is left out before a stage sees it was meant for that stage.
        let shelf = shelf.report();
        let shelf = StageReport { received: shelf.received + course.dropped_astray, ..shelf };
        let reorder = self.reorder.report();
        let reorder = StageReport { received: reorder.received + course.unused, ..reorder };
        vec![
            reorder.dropping(DropReason::Unused, course.unused),
            shelf.dropping(DropReason::WrongTime, course.dropped_astray),
            stitcher.report().dropping(DropReason::Excess, course.dropped_people),
            fusion.report(),
            carts.report(),
        ]
    }

    /// How far time has come: when the newest fact was true that the stages have seen.
    pub fn now(&self) -> ShopTime {
        self.stages.course.now
    }

    /// What is held in memory right now.
    pub fn held(&self) -> Held {
        let Stages { stitcher, fusion, .. } = &self.stages;
        Held {
            facts: self.reorder.waiting(),
            tracks: stitcher.tracks(),
            visitors: fusion.visitors(),
            steps: fusion.steps(),
            hypotheses: fusion.hypotheses(),
        }
    }

    /// What is odd about the shelves, as far as is known now.
    pub fn anomalies(&self) -> fusion::Anomalies {
        self.stages.fusion.anomalies()
    }

    /// So many parts of the input could not be read, and nothing is known of them: whoever is inside just now is for a
    /// person to look at.
    pub fn lose(&mut self, parts: u64) {
        if parts == 0 {
            return;
        }
        self.reorder.lose(parts);
        let newest = self.reorder.newest().unwrap_or(self.stages.course.now);
        self.stages.fusion.lose(newest);
    }

    /// How far the people's clock is from the plates'.
    pub fn clock(&self) -> crate::facts::ClockEstimate {
        self.stages.fusion.clock()
    }
}

impl Stages {
    /// Works for this lane from now on.
    fn enter(&mut self, lane: Lane) {
        self.shelf.set_settle(lane.settle());
        self.fusion.set_eager(lane == Lane::View);
        self.lane = lane;
    }

    fn step(&mut self, fact: &Fact, give: &mut dyn FnMut(&Fact)) {
        self.course.now = self.course.now.max(fact.stamp.at);
        if fact.body.topic() == Topic::Receipt {
            // A recorded receipt is not taken at its word: it follows from the visit, and is written again.
            return;
        }
        give(fact);
        match &fact.body {
            // One such batch would make everything after it late.
            Body::Plates(batch) if is_astray(fact.stamp.at, batch) => self.course.dropped_astray += 1,
            Body::Plates(batch) => {
                let events = self.shelf.step(batch);
                for (shelf, gap) in self.shelf.take_gaps() {
                    self.fusion.gap(shelf, gap);
                }
                self.take_events(events, give);
            }
            Body::People(frame) => {
                let many = frame.people.len().saturating_sub(PEOPLE_PER_FRAME_MAX);
                self.course.dropped_people += many as u64;
                let fewer = (0 < many).then(|| PeopleFrame { people: frame.people[..PEOPLE_PER_FRAME_MAX].to_vec() });
                let (sightings, verdicts) = self.stitcher.step(fact.stamp.at, fewer.as_ref().unwrap_or(frame));
                self.fusion.unwatched(self.stitcher.holes());
                self.fusion.frame(fact.stamp.at, fact.stamp.sequence, frame);
                self.take_people(sightings, verdicts, give);
            }
            Body::BoardEvent(event) if is_of_another_time(fact.stamp.at, event) => self.course.dropped_astray += 1,
            // What follows from it is what would follow from samples: an event of the shelf, with a number of its own.
            Body::BoardEvent(event) if self.shop.shelf(event.shelf).is_some() => {
                self.take_events(vec![event.clone()], give);
            }
            // The fusion counts it.
            Body::BoardEvent(event) => {
                self.fusion.take(&Fact { stamp: fact.stamp.clone(), body: Body::Shelf(event.clone()) });
            }
            Body::Shelf(_) => self.fusion.take(fact),
            // A recording cut at `decided` brings the decisions themselves.
            Body::Attribution(_) | Body::Visit(_) => self.take_decided(fact, give),
            // That time has gone on is all that a tick says.
            Body::Tick(_) => {}
            Body::Frame(_) | Body::Gate(_) | Body::Seen(_) | Body::Verdict(_) | Body::Door(_) | Body::Tags(_) => {}
            Body::Track(_) | Body::Binding(_) | Body::Clock(_) | Body::Receipt(_) => {}
        }
        if self.lane.tick() <= self.course.now - self.course.ticked {
            self.decide(give);
        }
    }

    /// Lets time pass.
    fn decide(&mut self, give: &mut dyn FnMut(&Fact)) {
        self.course.ticked = self.course.now;
        self.fusion.heard(self.shelf.heard(), self.shelf.silent());
        self.fusion.unrest(self.shelf.unrest());
        self.tell_doors();
        let decided = self.fusion.advance(self.course.now);
        self.take_decisions(decided, give);
    }

    fn finish(&mut self, give: &mut dyn FnMut(&Fact)) {
        let events = self.shelf.finish();
        self.take_events(events, give);
        let (sightings, verdicts) = self.stitcher.finish();
        self.take_people(sightings, verdicts, give);
        self.fusion.heard(self.shelf.heard(), self.shelf.silent());
        self.tell_doors();
        let decided = self.fusion.finish();
        self.take_decisions(decided, give);
    }

    /// Where the shop names no entrance, or no exit, people have shown where they are.
    fn tell_doors(&mut self) {
        let LearnedDoors { ways_in, ways_out } = self.stitcher.learned_doors();
        let places = |doors: Vec<Door>| doors.into_iter().map(|door| door.place).collect();
        self.fusion.doors(places(ways_in), places(ways_out));
    }

    fn take_events(&mut self, events: Vec<ShelfEvent>, give: &mut dyn FnMut(&Fact)) {
        for event in events {
            let source = SourceId::new(&format!("shelf/{}", event.shelf));
            let fact = self.stamped(source, event.span.end, Body::Shelf(event));
            give(&fact);
            self.fusion.take(&fact);
        }
    }

    fn take_people(&mut self, sightings: Vec<Sighting>, verdicts: Vec<TrackJoined>, give: &mut dyn FnMut(&Fact)) {
        for verdict in verdicts {
            let fact = self.stamped(SourceId::new("tracking"), self.course.now, Body::Track(verdict));
            give(&fact);
        }
        for Doubt { visit, why } in self.stitcher.take_doubts() {
            self.fusion.doubt(visit, why);
        }
        for Sighting { at, visit, joints } in sightings {
            let person = Person { track: visit.first_track(), joints };
            self.fusion.take_people(at, &PeopleFrame { people: vec![person] });
        }
        // Of those who are seen now, too.
        for Mixup { visits, at, chance } in self.stitcher.take_mixups() {
            self.fusion.mixed_up(&visits, at, chance);
        }
    }

    fn take_decisions(&mut self, decided: Vec<Body>, give: &mut dyn FnMut(&Fact)) {
        if decided.is_empty() {
            return;
        }
        let clock = self.stamped(SourceId::new("fusion"), self.course.now, Body::Clock(self.fusion.clock()));
        give(&clock);
        for body in decided {
            let fact = self.stamped(SourceId::new("fusion"), self.course.now, body);
            give(&fact);
            self.take_decided(&fact, give);
        }
    }

    fn take_decided(&mut self, fact: &Fact, give: &mut dyn FnMut(&Fact)) {
        if let Some(receipt) = self.carts.take(fact) {
            let receipt = self.stamped(SourceId::new("cart"), fact.stamp.at, Body::Receipt(receipt));
            give(&receipt);
        }
    }

    /// A derived fact arrives when the fact that led to it was true, whenever that one arrived: so arrival order
    /// leaves no trace in what is decided.
    fn stamped(&mut self, source: SourceId, at: ShopTime, body: Body) -> Fact {
        let sequence = self.course.sequences.entry(source.clone()).or_insert(0);
        *sequence += 1;
        Fact { stamp: Stamp { source, sequence: *sequence, at, arrived: self.course.now }, body }
    }
}

/// Whether an event is not of the time that it is stamped with.
fn is_of_another_time(at: ShopTime, event: &ShelfEvent) -> bool {
    BATCH_STAMP_OFF_MAX < (at - event.span.end).abs()
}

/// Whether the rows of a batch are not of the time that it is stamped with, or spread over too much of it.
fn is_astray(at: ShopTime, batch: &PlateBatch) -> bool {
    let last_at = batch.row_at(batch.rows().saturating_sub(1));
    batch.is_well_formed()
        && (BATCH_SPAN_MAX < last_at - batch.first_at
            || at < batch.first_at - BATCH_STAMP_OFF_MAX
            || last_at + BATCH_STAMP_OFF_MAX < at)
}
