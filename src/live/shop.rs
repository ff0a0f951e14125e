//! The engine fed with facts as they come, its carts and itself written to the book as they change.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::limits::LIVE_CLOSINGS_MAX;
use crate::base::{
    CartId, Error, Kind, Prob, Reports, Result, ShopTime, SourceId, Span, Stage, StageReport, TrackId, VisitId,
};
use crate::facts::{Body, Fact, FactRef, OpenVisit, PaymentMethod, ShelfEvent, Stamp, TrackVerdict, VisitBound};
use crate::geometry::{Floor, Point};
use crate::identity::{self, Binder, Bound};
use crate::pipeline::{Engine, Knowledge, Loss, Options};
use crate::ports::{Clock, FactSink, ReportBoard};
use crate::shop::{Shop, Zone, ZoneKind};
use crate::till::{Closed, Closing, Endings, Payer, Progress, Till};

/// How much shop time passes between two writings where no visit ends.
const SAVE_SPAN: Span = Span::from_millis(1_000);

/// Changes on shelves, and tracks, that wait to be asked for.
const FOUND_MAX: usize = 256;

/// Visits that are over and whose scan is still known.
const OVER_MAX: usize = 256;

/// How far in front of an entrance somebody is taken to come in by it, metres, and in which directions that is looked at.
const DOORSTEP: f64 = 0.8;
const AROUND: [(f64, f64); 8] =
    [(1.0, 0.0), (0.7, 0.7), (0.0, 1.0), (-0.7, 0.7), (-1.0, 0.0), (-0.7, -0.7), (0.0, -1.0), (0.7, -0.7)];

/// Who pays in this shop.
#[derive(Clone, Debug)]
pub enum Payers {
    /// Whoever was let in at a gate.
    Gates,
    /// Everybody pays so; there are no gates. For demos and recordings.
    WalkIns(PaymentMethod),
}

/// An open shop.
pub struct Live {
    engine: Engine,
    memory: Memory,
    payers: Payers,
    clock: Arc<dyn Clock>,
    /// What ended and is not written yet, because the database cannot be used.
    closings: Vec<Closing>,
    expired: Vec<CartId>,
    saved: ShopTime,
    /// Room for what is written down every second, megabytes, so that it is made once: given back and taken each time, it
    /// leaves holes in memory as large as the busiest moment.
    checkpoint: Vec<u8>,
    /// Ground facts that the book knew of when it was written last.
    saved_taken: u64,
    /// What was closed since somebody asked.
    ended: Vec<Ended>,
    found: Found,
    sink: Option<Box<dyn FactSink + Send>>,
    /// Facts that the sink refused.
    unrecorded: u64,
    /// Why the book could not be written last time.
    waiting: Option<String>,
    /// What ended and was written, since this process began.
    written: u64,
    board: ReportBoard,
}

/// What is remembered beside the engine.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Memory {
    /// Ground facts taken so far: whoever sends them again begins behind these.
    taken: u64,
    binder: Binder,
    /// Bindings so far, which numbers them.
    bindings: u64,
    /// With which scans the visits came that are not over, as far as that is decided.
    bound: BTreeMap<VisitId, VisitBound>,
    /// Visits that are over and whose scan is still known, in case of another receipt; the oldest are forgotten.
    over: VecDeque<VisitId>,
}

/// What this lane found, for whoever shows it and whoever keeps pictures. Of more than [`FOUND_MAX`] the oldest are forgotten.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    /// Changes on shelves, as attributions point to them.
    pub(super) changes: VecDeque<(FactRef, ShelfEvent)>,
    /// Changes that were forgotten before anybody asked.
    pub(super) unasked: u64,
    /// Whose visits tracks are.
    pub(super) visits: VecDeque<(TrackId, VisitId)>,
}

/// A visit that is over and in the book.
#[derive(Clone, Debug)]
pub struct Ended {
    /// What was bought, and why that is believed.
    pub closing: Closing,
    /// What became of it.
    pub closed: Closed,
    /// When it was in the book.
    pub booked: ShopTime,
}

/// How a shop began its day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Began {
    /// With nobody inside.
    Fresh,
    /// Where it was, after so many ground facts.
    Resumed {
        /// Ground facts that were taken before.
        taken: u64,
    },
    /// It could not go on from where it was; so many open carts were put before a person.
    Interrupted {
        /// Carts.
        carts: usize,
        /// Why.
        why: String,
    },
}

impl Live {
    /// Opens a shop, where it was when its book was written last.
    ///
    /// # Errors
    /// What the database says.
    pub fn open(till: &mut Till, payers: Payers, options: Options, clock: Arc<dyn Clock>) -> Result<(Self, Began)> {
        let shop = till.shop().clone();
        let binder = Binder::new(identity::Options::USUAL);
        let fresh = Memory { taken: 0, binder, bindings: 0, bound: BTreeMap::new(), over: VecDeque::new() };
        let (engine, memory, began) = match till.checkpoint()? {
            None => (Engine::new(&shop, options), fresh, Began::Fresh),
            Some((_, bytes)) => match read(&shop, options, &bytes) {
                Ok((engine, memory)) => {
                    let taken = memory.taken;
                    (engine, memory, Began::Resumed { taken })
                }
                Err(error) => {
                    let why = error.message().to_owned();
                    let carts = till.interrupt(&why, clock.now())?;
                    (Engine::new(&shop, options), fresh, Began::Interrupted { carts, why })
                }
            },
        };
        let (saved, saved_taken) = (engine.now(), memory.taken);
        let live = Live {
            engine,
            memory,
            payers,
            clock,
            closings: Vec::new(),
            expired: Vec::new(),
            saved,
            checkpoint: Vec::new(),
            saved_taken,
            ended: Vec::new(),
            found: Found::default(),
            sink: None,
            unrecorded: 0,
            waiting: None,
            written: 0,
            board: ReportBoard::default(),
        };
        Ok((live, began))
    }

    /// The same shop, which gives every fact to a sink as well, ground facts and derived ones, in the order of the engine. A
    /// sink that refuses does not stop the shop: what it refused is counted.
    #[must_use]
    pub fn with_sink(self, sink: Box<dyn FactSink + Send>) -> Self {
        Live { sink: Some(sink), ..self }
    }

    /// Begins with what was learned before a restart; for a shop that has taken nothing yet.
    pub(super) fn recall(&mut self, known: &Knowledge) {
        self.engine.recall(known);
    }

    /// Facts that the sink refused so far.
    pub fn unrecorded(&self) -> u64 {
        self.unrecorded
    }

    /// The same, with its reports shown on this board whenever the book is written.
    #[must_use]
    pub fn showing_on(self, board: ReportBoard) -> Self {
        board.show_beside(self.reports());
        Live { board, ..self }
    }

    /// What every stage has done, in the order in which facts pass them.
    pub fn reports(&self) -> Vec<StageReport> {
        let waiting = self.closings.len() + self.expired.len();
        let book = StageReport::new(Stage::Book, self.written + waiting as u64, self.written)
            .holding(waiting, self.engine.now() - self.saved);
        let mut reports = self.engine.reports();
        reports.extend([self.memory.binder.report(), book]);
        reports
    }

    /// Ground facts taken so far, those of earlier runs included.
    pub fn taken(&self) -> u64 {
        self.memory.taken
    }

    /// Ground facts that the book knows of: after a kill it goes on behind these.
    pub fn saved(&self) -> u64 {
        self.saved_taken
    }

    /// What was closed since this was asked last.
    pub fn take_ended(&mut self) -> Vec<Ended> {
        std::mem::take(&mut self.ended)
    }

    /// What was found since this was asked last.
    pub(super) fn take_found(&mut self) -> Found {
        std::mem::take(&mut self.found)
    }

    /// How far time has come in the shop.
    pub fn now(&self) -> ShopTime {
        self.engine.now()
    }

    /// The engine that decides.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Writes the book now: who is inside stays inside, and the next process goes on from here.
    ///
    /// # Errors
    /// What the database or the book says.
    pub fn save_now(&mut self, till: &mut Till) -> Result<Vec<Closed>> {
        let closed = self.write_down(till)?;
        self.board.show_beside(self.reports());
        Ok(closed)
    }

    /// What was lost of the input so far.
    pub fn loss(&self) -> Loss {
        Loss::of(&self.engine.counters())
    }

    /// Visits that are not over.
    pub fn open_visits(&self) -> Vec<OpenVisit> {
        self.engine.open_visits()
    }

    /// The cart that pays for each visit of which that is likely and not decided yet. Who is not sure enough is not guessed.
    pub fn likely(&self, bar: Prob) -> BTreeMap<VisitId, CartId> {
        let bound = self.memory.binder.likely();
        bound.iter().filter_map(|bound| Some((bound.visit, Payer::of(bound, bar).cart()?))).collect()
    }

    /// Why the book cannot be written just now; carts are kept here meanwhile, and written as soon as it can be.
    pub fn waiting(&self) -> Option<&str> {
        self.waiting.as_deref()
    }

    /// Takes a ground fact, a scan at a gate or a tick of the clock among them; gives what was closed and written because of
    /// it. While the database cannot be used the shop
    /// goes on, and what ends is kept until it can.
    ///
    /// # Errors
    /// When the database could not be used for so long that no more can be kept: the fact was not taken, and may be
    /// given again. When the book refuses a receipt.
    pub fn take(&mut self, till: &mut Till, fact: Fact) -> Result<Vec<Closed>> {
        let mut closed = Vec::new();
        if LIVE_CLOSINGS_MAX <= self.closings.len() {
            closed = self.write_down(till)?;
        }
        if let Body::Gate(scan) = &fact.body {
            self.memory.binder.scan(fact.stamp.at, scan);
        }
        let (mut derived, sink, refused) = (Vec::new(), &mut self.sink, &mut self.unrecorded);
        self.engine.take(fact, &mut |fact| {
            put(sink, refused, fact);
            keep_derived(fact, &mut derived);
        });
        self.memory.taken += 1;
        self.follow(till.shop(), &derived);
        // What ended is written at once, unless the database refused: then it is tried again a little later, not with every fact.
        let ended = !self.closings.is_empty() && self.waiting.is_none();
        if ended || SAVE_SPAN <= self.engine.now() - self.saved {
            closed.extend(self.save_or_wait(till)?);
            self.board.show_beside(self.reports());
        }
        Ok(closed)
    }

    /// No fact will come any more: everything open is decided and written.
    ///
    /// # Errors
    /// What the database or the book says.
    pub fn finish(mut self, till: &mut Till) -> Result<Vec<Closed>> {
        let (mut derived, sink, refused) = (Vec::new(), &mut self.sink, &mut self.unrecorded);
        self.engine.finish(&mut |fact| {
            put(sink, refused, fact);
            keep_derived(fact, &mut derived);
        });
        let bound = self.memory.binder.finish();
        self.bind(till.shop(), bound);
        self.follow(till.shop(), &derived);
        // Nobody is inside: the next day begins afresh.
        let closed = self.save(till, &[]);
        self.board.show_beside(self.reports());
        closed
    }

    /// What the engine's decisions mean for entries and carts.
    fn follow(&mut self, shop: &Shop, derived: &[Fact]) {
        let mut endings = Endings::default();
        for fact in derived {
            self.found.note(fact);
            match &fact.body {
                Body::Track(joined) if joined.verdict == TrackVerdict::NewVisit => {
                    let (at, place) = self.engine.first_seen(joined.visit).unwrap_or((fact.stamp.at, None));
                    let at_entrance = place.is_some_and(|place| is_entrance(shop, place));
                    self.memory.binder.visit(at, joined.visit, at_entrance);
                }
                _ => {
                    if let Body::Receipt(receipt) = &fact.body {
                        // It may be over before everybody could have come who may have shared the scan.
                        let bound = self.memory.binder.over(receipt.visit);
                        self.bind(shop, bound);
                    }
                    let closing = endings.take(fact, |visit| self.payer(visit, shop.policy().review_below));
                    self.closings.extend(closing);
                }
            }
        }
        let bound = self.memory.binder.tick(self.engine.now());
        self.bind(shop, bound);
    }

    fn bind(&mut self, shop: &Shop, bound: Vec<Bound>) {
        for bound in bound {
            match bound {
                Bound::Visit(bound) => {
                    self.say_bound(&bound);
                    // Who is not sure enough is not guessed: a person finds out who pays, and the entry is over.
                    let sure = Payer::of(&bound, shop.policy().review_below).cart();
                    self.expired.extend(bound.cart.filter(|_| sure.is_none()));
                    self.memory.bound.insert(bound.visit, bound);
                }
                Bound::Expired(cart) => self.expired.push(cart),
            }
        }
    }

    /// Who belongs to which entry is a fact like any other, for the log.
    fn say_bound(&mut self, bound: &VisitBound) {
        self.memory.bindings += 1;
        let at = self.engine.now();
        let stamp = Stamp { source: SourceId::new("identity"), sequence: self.memory.bindings, at, arrived: at };
        put(&mut self.sink, &mut self.unrecorded, &Fact { stamp, body: Body::Binding(bound.clone()) });
    }

    fn payer(&mut self, visit: VisitId, bar: Prob) -> Payer {
        // Another receipt of the visit is of the same cart; in the end it is forgotten.
        if !self.memory.over.contains(&visit) {
            self.memory.over.push_back(visit);
        }
        while OVER_MAX < self.memory.over.len() {
            self.memory.over.pop_front().map(|visit| self.memory.bound.remove(&visit));
        }
        let came_in = self.memory.bound.get(&visit);
        match (&self.payers, came_in) {
            // Staff scan here as well.
            (Payers::WalkIns(method), came_in) if came_in.is_none_or(|bound| bound.cart.is_none()) => {
                Payer::WalkIn(method.clone())
            }
            (_, Some(bound)) => Payer::of(bound, bar),
            (_, None) => Payer::Unknown,
        }
    }

    fn save_or_wait(&mut self, till: &mut Till) -> Result<Vec<Closed>> {
        match self.write_down(till) {
            Err(error) if error.kind() == Kind::Unavailable => {
                if self.waiting.is_none() {
                    tracing::warn!(%error, "carts are kept in memory");
                }
                self.waiting = Some(error.message().to_owned());
                // It is tried again a little later, not with every fact.
                self.saved = self.engine.now();
                Ok(Vec::new())
            }
            done => done,
        }
    }

    /// Writes the book, with what is needed to go on from here.
    fn write_down(&mut self, till: &mut Till) -> Result<Vec<Closed>> {
        let mut checkpoint = std::mem::take(&mut self.checkpoint);
        let closed = write(&self.memory, &self.engine, &mut checkpoint).and_then(|()| self.save(till, &checkpoint));
        self.checkpoint = checkpoint;
        closed
    }

    fn save(&mut self, till: &mut Till, checkpoint: &[u8]) -> Result<Vec<Closed>> {
        // Who pays for a visit is written once it is decided.
        let bar = till.shop().policy().review_below;
        let cart_of = |visit: OpenVisit| match (&self.payers, self.memory.bound.get(&visit.visit)) {
            (_, Some(bound)) => {
                let cart = Payer::of(bound, bar).cart();
                Some((visit, cart))
            }
            (Payers::WalkIns(_), None) => Some((visit, None)),
            (Payers::Gates, None) => None,
        };
        let open: Vec<_> = self.engine.open_visits().into_iter().filter_map(cart_of).collect();
        let progress = Progress {
            closings: &self.closings,
            open: &open,
            expired: &self.expired,
            checkpoint,
            at: self.clock.now(),
        };
        let closed = till.advance(&progress)?;
        self.written += (self.closings.len() + self.expired.len()) as u64;
        let booked = self.clock.now();
        let closings = self.closings.drain(..).zip(closed.iter().cloned());
        self.ended.extend(closings.map(|(closing, closed)| Ended { closing, closed, booked }));
        self.saved_taken = self.memory.taken;
        self.expired.clear();
        self.saved = self.engine.now();
        if self.waiting.take().is_some() {
            tracing::info!("the book is written again");
        }
        Ok(closed)
    }
}

impl Found {
    fn note(&mut self, fact: &Fact) {
        match &fact.body {
            Body::Shelf(event) => {
                if FOUND_MAX <= self.changes.len() {
                    self.changes.pop_front();
                    self.unasked += 1;
                }
                self.changes.push_back((fact.stamp.fact_ref(), event.clone()));
            }
            Body::Track(joined) if joined.verdict != TrackVerdict::Ghost => {
                if FOUND_MAX <= self.visits.len() {
                    self.visits.pop_front();
                }
                self.visits.push_back((joined.track, joined.visit));
            }
            _ => {}
        }
    }
}

fn put(sink: &mut Option<Box<dyn FactSink + Send>>, refused: &mut u64, fact: &Fact) {
    let Some(Err(error)) = sink.as_mut().map(|sink| sink.put(fact)) else { return };
    if *refused == 0 {
        tracing::warn!(%error, "a fact could not be recorded; all further ones are counted");
    }
    *refused += 1;
}

/// What follows from ground facts; they themselves are not looked at again.
fn keep_derived(fact: &Fact, derived: &mut Vec<Fact>) {
    if !fact.body.topic().is_ground() {
        derived.push(fact.clone());
    }
}

/// Four bytes that say how long the memory is, the memory as MessagePack, and the engine's checkpoint; in the place of what
/// stood in `bytes`.
fn write(memory: &Memory, engine: &Engine, bytes: &mut Vec<u8>) -> Result<()> {
    let unwritable =
        |error: &dyn std::fmt::Display| Error::input(format!("the shop's state cannot be written: {error}"));
    let memory = rmp_serde::to_vec(memory).map_err(|error| unwritable(&error))?;
    let length = u32::try_from(memory.len()).map_err(|error| unwritable(&error))?;
    bytes.clear();
    bytes.extend(length.to_be_bytes());
    bytes.extend(memory);
    engine.write_checkpoint(bytes)
}

fn read(shop: &Arc<Shop>, options: Options, bytes: &[u8]) -> Result<(Engine, Memory)> {
    let damaged = || Error::input("what the book remembers of the engine cannot be read by this aisle");
    let (length, rest) = bytes.split_first_chunk().ok_or_else(damaged)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| damaged())?;
    let (memory, engine) = rest.split_at_checked(length).ok_or_else(damaged)?;
    let memory = rmp_serde::from_slice(memory).map_err(|_| damaged())?;
    Ok((Engine::restore(shop, options, engine)?, memory))
}

/// Whether a place is where shoppers come in, or right in front of it, for cameras see the outside of a door; everywhere, in a
/// shop that does not say.
fn is_entrance(shop: &Shop, place: Point<Floor>) -> bool {
    let near = |zone: &Zone| {
        let around =
            |(x, y): &(f64, f64)| zone.contains(Point::new(place.x + x * DOORSTEP, place.y + y * DOORSTEP, place.z));
        zone.contains(place) || AROUND.iter().any(around)
    };
    let mut entrances = shop.zones().iter().filter(|zone| zone.kind == ZoneKind::Entrance).peekable();
    entrances.peek().is_none() || entrances.any(near)
}
