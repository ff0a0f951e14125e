//! The view lane: the same rooms as the lane that decides, with waits of a fraction of a second, for whatever shows. It takes
//! facts as they come, and is set back to the deciding lane's state again and again, so that what it guessed wrong does not
//! stay. It gives carts as they look now; nothing of it ever reaches the till.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{LaneReport, PlateId, ShopTime, SkuId, Span, TrackId, VisitId};
use crate::facts::{Body, Fact, FactRef, LineChance, OpenLine, OpenVisit, ShelfEvent, TrackVerdict};
use crate::pipeline::{Engine, Lane, Options};
use crate::shop::Shop;

/// How much shop time passes at most between two returns to the deciding lane.
const RESET_SPAN: Span = Span::from_millis(2_000);
/// The same where a plate moved again so soon after it was taken to be at rest that it was no rest: a slow hand.
const RESET_SPAN_MIN: Span = Span::from_millis(400);
/// How soon that is.
const AGAIN_SPAN: Span = Span::from_millis(1_500);
/// By how many of its deviations a plate's weight must be another one to have moved.
const MOVED_SIGMAS: f64 = 4.0;
/// Visits that are over in this lane and not yet in the deciding one, whose last cart is remembered; of more the oldest are
/// not compared.
const SHOWN_MAX: usize = 4_096;

/// Changes on shelves that wait to be shown.
const EVENTS_MAX: usize = 256;
/// Tracks whose visit is remembered; of more those of the smallest numbers are forgotten.
const TRACKS_MAX: usize = 4_096;

/// The lane that shows.
pub struct View {
    engine: Engine,
    reset: ShopTime,
    said: Said,
    corrections: LaneReport,
}

/// What this lane has said.
#[derive(Default)]
struct Said {
    /// The carts of visits that are over here and not yet in the deciding lane.
    shown: BTreeMap<VisitId, Vec<(SkuId, u32)>>,
    /// Changes on shelves since somebody asked; of more than [`EVENTS_MAX`] the newest are left out.
    events: Vec<(FactRef, ShelfEvent)>,
    /// Which visit a track is taken to be of.
    visits: BTreeMap<TrackId, VisitId>,
    /// When each plate last came to another weight, lately.
    moved: BTreeMap<PlateId, ShopTime>,
    /// A plate came to another weight twice within a moment.
    is_again: bool,
}

impl View {
    /// A lane with nobody in the shop. It works as these options say, whatever lane they name.
    pub fn new(shop: &Arc<Shop>, options: Options) -> Self {
        View {
            engine: Engine::new(shop, Options { lane: Lane::View, ..options }),
            reset: ShopTime::MIN,
            said: Said::default(),
            corrections: LaneReport::default(),
        }
    }

    /// Takes a ground fact. What does not come in time is left out here; the deciding lane brings it back.
    pub fn take(&mut self, fact: &Fact) {
        let said = &mut self.said;
        self.engine.take(fact.clone(), &mut |fact| said.note(fact, true));
    }

    /// Whether it is time to go back to the deciding lane. It is time as well whenever that lane closed a visit.
    pub fn is_due(&self) -> bool {
        let span = if self.said.is_again { RESET_SPAN_MIN } else { RESET_SPAN };
        span <= self.engine.now() - self.reset
    }

    /// Goes on from what the deciding lane knows, which must have taken the facts that this one has: those that wait there
    /// are taken again here.
    pub fn reset_to(&mut self, engine: &Engine) {
        let before = self.carts();
        let said = &mut self.said;
        self.engine = engine.clone().in_lane(Lane::View);
        self.engine.catch_up(&mut |fact| said.note(fact, false));
        self.reset = self.engine.now();
        said.is_again = false;
        self.corrections.resets += 1;
        let after: BTreeMap<VisitId, OpenVisit> = self.carts().into_iter().map(|visit| (visit.visit, visit)).collect();
        for (was, is) in before.iter().filter_map(|was| Some((was, after.get(&was.visit)?))) {
            self.compare(&goods(&was.lines), &goods(&is.lines));
        }
    }

    /// Begins with what the deciding lane knows, and with the visits that its tracks are of.
    pub(super) fn go_on_from(&mut self, engine: &Engine, visits: &BTreeMap<TrackId, VisitId>) {
        self.said = Said { visits: visits.clone(), ..Said::default() };
        self.reset_to(engine);
    }

    /// The deciding lane has closed a visit, with these goods.
    pub fn closed(&mut self, visit: VisitId, charged: Vec<(SkuId, u32)>) {
        let of_visit = |visits: Vec<OpenVisit>| visits.into_iter().find(|open| open.visit == visit);
        let shown = self.said.shown.remove(&visit);
        if let Some(shown) = shown.or_else(|| of_visit(self.carts()).map(|open| goods(&open.lines))) {
            self.compare(&shown, &charged);
        }
    }

    /// The visits that are not over, in order of entry, with what is most probably in their carts just now.
    pub fn carts(&self) -> Vec<OpenVisit> {
        self.engine.open_visits()
    }

    /// Changes on shelves that were found since this was asked last, with what lines of carts call them.
    pub fn take_events(&mut self) -> Vec<(FactRef, ShelfEvent)> {
        std::mem::take(&mut self.said.events)
    }

    /// The visit that a track is taken to be of, as far as that is known.
    pub fn visit_of(&self, track: TrackId) -> Option<VisitId> {
        self.said.visits.get(&track).copied()
    }

    /// The deciding lane says whose a track is.
    pub(super) fn name(&mut self, track: TrackId, visit: VisitId) {
        self.said.name(track, visit);
    }

    /// The weight that a plate rests at, as its scale reads it, as far as that is known.
    pub fn resting(&self, plate: PlateId) -> Option<f64> {
        self.engine.resting(plate)
    }

    /// How far time has come here.
    pub fn now(&self) -> ShopTime {
        self.engine.now()
    }

    /// How often and by how much the deciding lane corrected this one.
    pub fn corrections(&self) -> LaneReport {
        self.corrections
    }

    fn compare(&mut self, was: &[(SkuId, u32)], is: &[(SkuId, u32)]) {
        let missing = is.iter().filter(|line| !was.contains(line)).count();
        let gone = was.iter().filter(|(sku, _)| !is.iter().any(|(other, _)| other == sku)).count();
        let lines = (missing + gone) as u64;
        self.corrections.compared += 1;
        self.corrections.corrected += u64::from(0 < lines);
        self.corrections.lines += lines;
    }
}

impl Said {
    /// Remembers what a fact says; changes on shelves only where they are new.
    fn note(&mut self, fact: &Fact, is_new: bool) {
        match &fact.body {
            Body::Visit(closed) => {
                self.shown.insert(closed.visit, charged(&closed.lines));
                if SHOWN_MAX < self.shown.len() {
                    self.shown.pop_first();
                }
            }
            Body::Track(joined) if joined.verdict != TrackVerdict::Ghost => {
                self.name(joined.track, joined.visit);
            }
            Body::Shelf(event) if is_new => {
                self.note_moved(event);
                if self.events.len() < EVENTS_MAX {
                    self.events.push((fact.stamp.fact_ref(), event.clone()));
                }
            }
            _ => {}
        }
    }

    fn name(&mut self, track: TrackId, visit: VisitId) {
        self.visits.insert(track, visit);
        if TRACKS_MAX < self.visits.len() {
            self.visits.pop_first();
        }
    }

    fn note_moved(&mut self, event: &ShelfEvent) {
        let now = event.span.end;
        self.moved.retain(|_, at| now - *at < AGAIN_SPAN);
        for staircase in &event.plates {
            let moved = staircase
                .levels
                .last()
                .is_some_and(|level| MOVED_SIGMAS * level.sigma.value() < level.grams.value().abs());
            if moved {
                self.is_again |= self.moved.insert(staircase.plate, now).is_some();
            }
        }
    }
}

fn goods(lines: &[OpenLine]) -> Vec<(SkuId, u32)> {
    lines.iter().map(|line| (line.sku.clone(), line.quantity.get())).collect()
}

fn charged(lines: &[LineChance]) -> Vec<(SkuId, u32)> {
    lines.iter().map(|line| (line.sku.clone(), line.quantity.get())).collect()
}
