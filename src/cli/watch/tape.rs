//! A recording that is decided once from its beginning to its end, and laid out so that any moment of it can be shown: its facts
//! in a spool, copies of the engine from time to time, and what came of it, each with when.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::spool::{Place, Spool, Spooling};
use crate::base::{CameraId, Result, ShopTime, Span, TrackId, VisitId};
use crate::eval::Names;
use crate::facts::{Body, DoorState, Fact, ShelfEvent, TrackVerdict};
use crate::live::walk_in_method;
use crate::pipeline::{Course, Outcome, RunOptions};
use crate::ports::{FactSink, FactSource};
use crate::shop::Shop;
use crate::till::{Closing, Endings, Payer};

/// Time between two copies of the engine, as long as there is room for them.
const CHECKPOINT_SPAN: Span = Span::from_millis(5_000);
/// Bytes that all copies may take; where they would take more, every second one is left out.
const CHECKPOINT_BYTES_MAX: usize = 256 << 20;
/// Tracks whose visit is remembered; of more those of the smallest numbers are forgotten.
const TRACKS_MAX: usize = 4_096;

/// A recording that was decided.
pub(super) struct Tape {
    pub(super) shop: Arc<Shop>,
    pub(super) spool: Spool,
    /// In order of time; the first is the beginning.
    pub(super) checkpoints: Vec<Checkpoint>,
    /// Visits that ended, in order of when that was decided.
    pub(super) closings: Vec<(ShopTime, Closing)>,
    /// Changes on shelves, in order of when they were found.
    pub(super) events: Vec<(ShopTime, Felt)>,
    /// When the first and the last fact arrived.
    pub(super) begins: ShopTime,
    pub(super) ends: ShopTime,
}

/// A change on a shelf, and what attributions call it.
#[derive(Clone, Debug)]
pub(super) struct Felt {
    pub(super) fact: crate::facts::FactRef,
    pub(super) event: ShelfEvent,
}

/// The shop at a moment between two facts.
pub(super) struct Checkpoint {
    /// When the newest fact before it arrived.
    pub(super) at: ShopTime,
    /// Where the fact behind it is.
    pub(super) offset: u64,
    pub(super) engine: Vec<u8>,
    pub(super) latest: Latest,
}

/// What was told last of some things.
#[derive(Clone, Default)]
pub(super) struct Latest {
    /// The visit that each track is taken to be of.
    pub(super) visits: BTreeMap<TrackId, VisitId>,
    /// The newest frame of each camera: when it arrived, and where it is.
    pub(super) pictures: BTreeMap<CameraId, (ShopTime, Place)>,
    /// Where it is written what was seen last by each camera.
    pub(super) seen: BTreeMap<CameraId, u64>,
    /// How each door was last, and since when.
    pub(super) doors: BTreeMap<String, (ShopTime, DoorState)>,
}

/// What a run decides, with when.
struct Hearing {
    now: ShopTime,
    endings: Endings,
    closings: Vec<(ShopTime, Closing)>,
    events: Vec<(ShopTime, Felt)>,
    visits: BTreeMap<TrackId, VisitId>,
    /// Who is who in the truth, where people were numbered anew.
    names: Option<Names>,
}

struct Ear<'a>(&'a RefCell<Hearing>);

impl FactSink for Ear<'_> {
    fn put(&mut self, fact: &Fact) -> Result<()> {
        let mut heard = self.0.borrow_mut();
        let now = heard.now;
        if let Some(names) = &mut heard.names {
            names.take(fact);
        }
        match &fact.body {
            Body::Track(joined) if joined.verdict != TrackVerdict::Ghost => {
                note_visit(&mut heard.visits, joined.track, joined.visit);
            }
            Body::Shelf(event) => {
                heard.events.push((now, Felt { fact: fact.stamp.fact_ref(), event: event.clone() }));
            }
            _ => {}
        }
        let closing = heard.endings.take(fact, |_| Payer::WalkIn(walk_in_method()));
        heard.closings.extend(closing.map(|closing| (now, closing)));
        Ok(())
    }
}

/// Remembers the visit of a track.
pub(super) fn note_visit(visits: &mut BTreeMap<TrackId, VisitId>, track: TrackId, visit: VisitId) {
    visits.insert(track, visit);
    if TRACKS_MAX < visits.len() {
        visits.pop_first();
    }
}

impl Latest {
    /// Takes a ground fact, which is written there.
    pub(super) fn take(&mut self, fact: &Fact, offset: u64, place: Place) {
        match &fact.body {
            Body::Frame(frame) => {
                self.pictures.insert(frame.camera.clone(), (fact.stamp.arrived, place));
            }
            Body::Seen(seen) => {
                self.seen.insert(seen.camera.clone(), offset);
            }
            Body::Door(switch) => {
                self.doors.insert(switch.door.clone(), (fact.stamp.at, switch.state));
            }
            _ => {}
        }
    }
}

/// What was decided, beside the tape: the outcome as `aisle replay` has it, and who is who in the truth.
pub(super) struct Decisions {
    pub(super) outcome: Outcome,
    pub(super) names: Option<Names>,
}

/// Decides a source as [`crate::pipeline::run`] does, and lays it out. None where it has no facts. `names` hears who is where.
///
/// # Errors
/// As `run`, and when the disk for temporary files is full.
pub(super) fn lay_out(
    source: &mut dyn FactSource,
    options: RunOptions,
    names: Option<Names>,
) -> Result<Option<(Tape, Decisions)>> {
    let shop = Arc::new(source.shop().clone());
    let (endings, visits) = (Endings::default(), BTreeMap::new());
    let (closings, events) = (Vec::new(), Vec::new());
    let heard = RefCell::new(Hearing { now: ShopTime::MIN, endings, closings, events, visits, names });
    let mut ear = Ear(&heard);
    let mut course = Course::new(&shop, options, Some(&mut ear));
    let (mut spooling, mut copies) = (Spooling::begin()?, Copies::default());
    let (mut begins, mut latest) = (None, Latest::default());
    while let Some(read) = source.next_fact().transpose() {
        let (fact, left_out) = (read.as_ref().ok().cloned(), source.left_out());
        if let Some(fact) = &fact {
            let arrived = fact.stamp.arrived;
            begins = begins.or(Some(arrived));
            let now = heard.borrow().now.max(arrived);
            if copies.is_due(now) {
                let visits = heard.borrow().visits.clone();
                copies.make(now, spooling.end(), Latest { visits, ..latest.clone() }, &course)?;
            }
            heard.borrow_mut().now = now;
        }
        let lost = course.take(read, left_out)?;
        let offset = spooling.end();
        let place = spooling.put(lost, fact.as_ref())?;
        if let Some(fact) = &fact {
            latest.take(fact, offset, place);
        }
    }
    let lost = course.lose(source.left_out());
    spooling.put(lost, None)?;
    let outcome = course.finish()?;
    let Hearing { now: ends, closings, events, names, .. } = heard.into_inner();
    let Some(begins) = begins else { return Ok(None) };
    let tape = Tape { shop, spool: spooling.finish()?, checkpoints: copies.all, closings, events, begins, ends };
    Ok(Some((tape, Decisions { outcome, names })))
}

/// Copies of the engine from time to time.
struct Copies {
    all: Vec<Checkpoint>,
    span: Span,
    bytes: usize,
}

impl Default for Copies {
    fn default() -> Self {
        Copies { all: Vec::new(), span: CHECKPOINT_SPAN, bytes: 0 }
    }
}

impl Copies {
    fn is_due(&self, now: ShopTime) -> bool {
        self.all.last().is_none_or(|last| last.at + self.span <= now)
    }

    /// Makes a copy of the engine before the next fact, which arrives now and will be written there.
    fn make(&mut self, at: ShopTime, offset: u64, latest: Latest, course: &Course<'_>) -> Result<()> {
        let engine = course.engine().checkpoint()?;
        self.bytes += engine.len();
        self.all.push(Checkpoint { at, offset, engine, latest });
        while CHECKPOINT_BYTES_MAX < self.bytes && 2 < self.all.len() {
            let mut number = 0;
            self.all.retain(|_| {
                number += 1;
                number % 2 == 1
            });
            self.bytes = self.all.iter().map(|copy| copy.engine.len()).sum();
            self.span = self.span * 2;
        }
        Ok(())
    }
}

impl Tape {
    /// The newest copy that is at least so long before a time; else the beginning.
    pub(super) fn checkpoint_before(&self, at: ShopTime, lead: Span) -> usize {
        self.checkpoints.partition_point(|copy| copy.at + lead <= at).saturating_sub(1)
    }
}
