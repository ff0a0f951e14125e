//! The deterministic core of an open shop, on a thread of its own: it stores facts, tells whoever sent them that they are kept,
//! and lets the shop decide. What it takes, in which order and with which stamps, is all that receipts depend on, and all of it is
//! in the recording.
//!
//! A fact goes through it so: its stamp gets the time of its arrival, later than that of every fact before it; a clock that is
//! plainly wrong is set right; it is written to the journal and forced to the disk; whoever waits is told; it is recorded; the
//! engine takes it. Once a second the book is written, and the journal forgets what the book knows.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, select_biased};

use super::clocks::Clocks;
use super::eyes::Lost;
use super::journal::{Journal, Replayed};
use super::learning::Learning;
use super::opening::{Opening, Surroundings};
use super::record::Recorder;
use super::screens::Screens;
use super::shop::{Began, Live};
use super::watch::{BOOK, JOURNAL, Pulse, Watch};
use crate::album::{ReachSender, Ring};
use crate::base::limits::INTAKE_BATCH_MAX;
use crate::base::{Kind, LaneReport, Result, ShopTime, SourceId, Span};
use crate::facts::{Body, Fact, Stamp, Tick};
use crate::ingest::mqtt::Seen;
use crate::pipeline::Options;
use crate::ports::{Clock, Delivery, Kept, ReportBoard, SeenBoard};
use crate::telemetry::{Service, Visits};
use crate::till::{Bell, Till, lock};
use crate::tracking::Sight;

/// How often time is told to go on, whether or not any device speaks.
const TICK: Duration = Duration::from_millis(250);
/// What devices held back while aisle was stopped has come after this time, if something comes all the time.
const CATCH_UP: Span = Span::from_millis(10_000);
/// How often whoever is inside is doubted because a camera shows nothing, or a scale stands still.
const BLIND: Span = Span::from_millis(2_000);
/// A process may begin so many tracks a second, as a power of two, before it has names of a later one.
const TRACK_BITS: u32 = 20;
/// How often the book is asked which visits are charged.
const SETTLE: Span = Span::from_millis(1_000);
/// Pause before something is tried again that the disk or the database did not take.
const AGAIN: Duration = Duration::from_millis(500);

/// The core, before it runs.
pub(super) struct Core {
    live: Live,
    /// What the shop learns, kept over its restarts.
    learning: Learning,
    till: Arc<Mutex<Till>>,
    journal: Journal,
    recorder: Option<Recorder>,
    clock: Arc<dyn Clock>,
    intake: Receiver<Delivery>,
    /// Nothing is sent; it is closed when the shop closes.
    stop: Receiver<()>,
    /// Told when the core cannot go on.
    failed: Sender<()>,
    bell: Bell,
    watch: Watch,
    pulse: Pulse,
    screens: Screens,
    /// What boxes of cameras elsewhere saw last.
    seen: SeenBoard,
    /// How long each part of a visit took, for whoever traces them; and the service manager.
    reports: ReportBoard,
    visits: Visits,
    service: Service,
    /// Makes people of what boxes elsewhere have seen; none where frames are looked at here.
    sight: Option<Sight>,
    /// What vision has lost.
    pub(super) lost: Lost,
    /// Whether people are made of frames of cameras of the shop's own.
    has_cameras: bool,
    course: Course,
}

/// How far the core has come.
#[derive(Default)]
pub(super) struct Course {
    clocks: Clocks,
    /// When the core began to wait.
    begun: Option<ShopTime>,
    /// When the newest fact arrived.
    arrived: Option<ShopTime>,
    ticked: Option<ShopTime>,
    /// What the journal did not take when it was tried last.
    is_full: bool,
    /// Facts that could not be recorded, and whether any could not since what was recorded last was flushed.
    unrecorded: u64,
    is_unrecorded: bool,
    /// Facts that the journal should have had and had not, until a tick says so.
    missing: u64,
    /// What vision had lost at the last tick, and when it was last told that cameras are blind.
    lost: u64,
    blind: Option<ShopTime>,
    /// Sources that nothing is waited for any more.
    silent: Vec<SourceId>,
    /// When it was last asked which visits are charged.
    settled: Option<ShopTime>,
    /// The recording's flush of what the book knows.
    forgotten: u64,
}

impl Core {
    /// The core of a shop where its book and its journal are; nothing is taken yet.
    ///
    /// # Errors
    /// When the book, the journal or the folder of the recording cannot be used.
    pub(super) fn open(
        opening: &mut Opening,
        (around, pictures): (&Surroundings, Option<(Ring, ReachSender)>),
        intake: Receiver<Delivery>,
        stop: Receiver<()>,
        failed: Sender<()>,
    ) -> Result<(Self, Began)> {
        let Surroundings { till, clock, bell, reports, health, screens, plates, seen, desk: _ } = around.clone();
        let shop = lock(&till).shop().clone();
        let journal = Journal::open(&opening.journal, shop.name())?;
        let record = opening.record.as_ref();
        let recorder = record.map(|(folder, cut, limits)| Recorder::open(folder, &shop, *cut, *limits)).transpose()?;
        let (mut live, began) = Live::open(&mut lock(&till), opening.payers.clone(), Options::USUAL, clock.clone())?;
        tell_began(&began);
        let files = (opening.learned.take(), record.map(|(folder, ..)| folder.clone()));
        let learning = Learning::open(files, &shop, (&mut live, &began), clock.now());
        let pulse = Pulse::start(health.clone(), clock.clone())?;
        let watch = Watch::new(health);
        watch.open(clock.now());
        let core = Core {
            live: live.showing_on(reports.clone()),
            learning,
            reports,
            till,
            journal,
            recorder,
            watch,
            pulse,
            clock,
            intake,
            stop,
            failed,
            bell,
            screens: Screens::new((screens, plates, seen.clone()), &shop).with_pictures(pictures),
            seen,
            visits: opening.exporter.take().map_or_else(Visits::default, Visits::exporting),
            service: Service::new(),
            sight: opening.eyes.is_none().then(|| Sight::beginning_with(&shop, first_track(around.clock.now()))),
            lost: Lost::default(),
            has_cameras: opening.eyes.is_some(),
            course: Course::default(),
        };
        Ok((core, began))
    }

    /// Takes what an earlier process had stored and not written into the book; also says what is stored, for whoever gets it
    /// once more.
    ///
    /// # Errors
    /// When the journal cannot be read, or the book refuses.
    pub(super) fn resume(&mut self, began: &Began) -> Result<(Replayed, Seen)> {
        // Facts of a book that is gone, or that cannot be gone on with, are of nobody who is inside now.
        let is_of_another = *began == Began::Fresh && self.journal.first().is_some_and(|first| 0 < first)
            || matches!(began, Began::Interrupted { .. });
        let Core { live, till, journal, recorder, course, screens, watch, clock, .. } = self;
        let mut till = lock(till);
        let (mut unrecorded, mut seen) = (0, Seen::default());
        let replayed = journal.replay(live.taken(), |fact, is_new| {
            seen.learn(&fact.stamp);
            course.arrived = course.arrived.max(Some(fact.stamp.arrived));
            unrecorded += u64::from(recorder.as_mut().is_some_and(|recorder| recorder.put(&fact).is_err()));
            if is_new && !is_of_another {
                screens.take(&fact);
                live.take(&mut till, fact)?;
            }
            Ok(())
        })?;
        screens.passed(live.take_found());
        course.unrecorded += unrecorded;
        if 0 < unrecorded {
            watch.unrecorded(unrecorded, clock.now());
        }
        if is_of_another {
            let facts = replayed.facts;
            tracing::warn!(
                facts,
                "the journal is of a book that is not gone on with: it is put aside, and nobody is charged for it"
            );
            journal.put_aside(live.taken())?;
            return Ok((Replayed { facts: 0, lost: 0, ..replayed }, seen));
        }
        // The next tick says so, and with it the recording.
        course.missing = replayed.lost;
        Ok((replayed, seen))
    }

    /// Runs until the shop closes.
    ///
    /// # Errors
    /// What the book or the journal says where trying again is of no use.
    pub(super) fn run(mut self) -> Result<()> {
        self.service.ready(&self.watch.sentence());
        let outcome = self.rounds();
        if outcome.is_err() {
            // Nobody listens where the shop closes just now.
            let _ = self.failed.try_send(());
        }
        outcome?;
        self.close()
    }

    fn rounds(&mut self) -> Result<()> {
        while let Some(deliveries) = self.wait() {
            if !self.take_all(deliveries)? {
                return Ok(());
            }
        }
        // What devices had given by then is taken too.
        loop {
            let rest: Vec<Delivery> = self.intake.try_iter().take(INTAKE_BATCH_MAX).collect();
            if rest.is_empty() || !self.take_all(rest)? {
                return Ok(());
            }
        }
    }

    /// What came, with a tick where one is due; none when the shop closes.
    fn wait(&mut self) -> Option<Vec<Delivery>> {
        let (intake, stop) = (&self.intake, &self.stop);
        let first = select_biased! {
            recv(stop) -> _ => return None,
            recv(intake) -> first => first.ok(),
            default(TICK) => None,
        };
        let is_idle = first.is_none();
        let mut deliveries: Vec<Delivery> = first.into_iter().collect();
        deliveries.extend(self.intake.try_iter().take(INTAKE_BATCH_MAX - deliveries.len()));
        let now = self.clock.now();
        let begun = *self.course.begun.get_or_insert(now);
        // What devices held back while aisle was stopped comes first, or a tick would make it late.
        let is_caught_up = is_idle || CATCH_UP <= (now - begun).abs();
        let tick = Span::from_nanos(TICK.as_nanos() as i64);
        let is_due = self.course.ticked.map_or(is_caught_up, |ticked| tick <= (now - ticked).abs());
        if is_due {
            // Whoever sends facts over a broker has kept them; what cameras of our own saw meanwhile is gone.
            let restarted = self.course.ticked.is_none() && 0 < self.live.taken() && self.has_cameras;
            let tick = Tick { restarted, lost: self.newly_lost(now) };
            self.course.ticked = Some(now);
            deliveries.push(Delivery { fact: ticking(now, tick), kept: Kept::NOBODY });
        }
        Some(deliveries)
    }

    /// What was lost since the last tick: by whoever looks at frames, and, again and again, by each camera that shows nothing and
    /// each board whose scales stand still.
    fn newly_lost(&mut self, now: ShopTime) -> u64 {
        let lost = self.lost.load(Ordering::Relaxed);
        let mut newly = lost.saturating_sub(self.course.lost) + std::mem::take(&mut self.course.missing);
        self.course.lost = lost;
        // While nobody is inside there is nobody whom a camera could have missed.
        let is_visited = 0 < self.live.engine().held().visitors;
        if is_visited && self.course.blind.is_none_or(|blind| BLIND <= (now - blind).abs()) {
            self.course.blind = Some(now);
            newly += self.watch.blind(now);
        }
        newly
    }

    /// Stores and takes facts, in this order; `false` when the shop closes before all were taken. Nothing may be taken after that:
    /// the journal numbers what is taken, and the next process goes on with the first fact that was not.
    fn take_all(&mut self, mut deliveries: Vec<Delivery>) -> Result<bool> {
        for delivery in &mut deliveries {
            let fact = &mut delivery.fact;
            let now = self.clock.now();
            fact.stamp.arrived = self.course.arrived.map_or(now, |last| now.max(last + Span::from_nanos(1)));
            self.course.arrived = Some(fact.stamp.arrived);
            self.watch.hear(fact);
            if let Some(ahead) = self.course.clocks.correct(fact) {
                self.watch.corrected(&fact.stamp.source, ahead, now);
            }
        }
        let told: Vec<Fact> = deliveries.iter().filter_map(|delivery| self.see(&delivery.fact)).collect();
        deliveries.extend(told.into_iter().map(|fact| Delivery { fact, kept: Kept::NOBODY }));
        if !self.store(&deliveries)? {
            return Ok(false);
        }
        let (facts, kept): (Vec<Fact>, Vec<Kept>) = deliveries.into_iter().map(|one| (one.fact, one.kept)).unzip();
        kept.into_iter().for_each(Kept::tell);
        for fact in facts {
            if let Body::Gate(scan) = &fact.body {
                self.visits.scanned(scan.cart, fact.stamp.at);
            }
            self.record(&fact);
            self.screens.take(&fact);
            if is_read(&fact) && !self.take(fact)? {
                return Ok(false);
            }
        }
        self.tell();
        self.forget()?;
        Ok(true)
    }

    /// The people that follow from what a box of cameras elsewhere has seen. They are stored with it, so that it is kept in them.
    fn see(&mut self, fact: &Fact) -> Option<Fact> {
        let sight = self.sight.as_mut()?;
        if let Body::Seen(seen) = &fact.body {
            self.seen.look(&fact.stamp, seen);
        }
        let told = sight.take(fact)?;
        let arrived = self.course.arrived.map_or(told.stamp.arrived, |last| last + Span::from_nanos(1));
        self.course.arrived = Some(arrived);
        Some(Fact { stamp: Stamp { arrived, ..told.stamp }, ..told })
    }

    /// Puts facts into the journal, again and again until the disk takes them; `false` when the shop closes meanwhile.
    fn store(&mut self, deliveries: &[Delivery]) -> Result<bool> {
        loop {
            let facts = deliveries.iter().map(|delivery| &delivery.fact).filter(|fact| is_read(fact));
            let waiting = self.pulse.waits(JOURNAL);
            let kept = self.journal.append(facts);
            drop(waiting);
            match kept {
                Ok(()) => {
                    if std::mem::take(&mut self.course.is_full) {
                        tracing::info!("facts are stored again");
                    }
                    self.watch.journal(None, self.clock.now());
                    return Ok(true);
                }
                Err(error) if matches!(error.kind(), Kind::Io | Kind::Unavailable) => {
                    if !std::mem::replace(&mut self.course.is_full, true) {
                        tracing::error!(%error, "facts cannot be stored: devices wait and are not acknowledged");
                    }
                    self.watch.journal(Some(error.message()), self.clock.now());
                    // The journal may be full because the book was not written.
                    self.save();
                    if self.is_closing_within(AGAIN) {
                        return Ok(false);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Lets the shop take a fact that is stored, again and again until the database allows; `false` when the shop closes
    /// meanwhile, and the next process takes it.
    fn take(&mut self, fact: Fact) -> Result<bool> {
        loop {
            let waiting = self.pulse.waits(BOOK);
            let taken = self.live.take(&mut lock(&self.till), fact.clone());
            drop(waiting);
            match taken {
                Ok(closed) => {
                    if !closed.is_empty() {
                        self.bell.ring();
                    }
                    return Ok(true);
                }
                Err(error) if error.kind() == Kind::Unavailable => {
                    self.watch.book(Some(error.message()), self.clock.now());
                    if self.is_closing_within(AGAIN) {
                        return Ok(false);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn record(&mut self, fact: &Fact) {
        let Some(Err(error)) = self.recorder.as_mut().map(|recorder| recorder.put(fact)) else { return };
        if self.course.unrecorded == 0 {
            tracing::warn!(%error, "a fact could not be recorded; all further ones are counted");
        }
        self.course.unrecorded += 1;
        self.course.is_unrecorded = true;
        self.watch.unrecorded(self.course.unrecorded, self.clock.now());
    }

    fn tell(&mut self) {
        let now = self.clock.now();
        self.watch.book(self.live.waiting(), now);
        for device in self.watch.changed(now) {
            self.screens.health(device);
        }
        for ended in self.live.take_ended() {
            tracing::info!(
                cart = %ended.closed.cart, lines = ended.closing.receipt.lines.len(),
                for_review = ended.closed.case.is_some(), "a visit is over"
            );
            self.visits.closed(&ended.closing, &ended.closed, self.live.now(), ended.booked);
            self.screens.ended(&ended, self.live.engine());
        }
        self.screens.found(self.live.take_found());
        self.screens.suppose(now, |bar| self.live.likely(bar));
        self.screens.show(now, self.live.engine());
        self.service.moved();
        if self.course.settled.is_none_or(|settled| SETTLE <= (now - settled).abs()) {
            self.course.settled = Some(now);
            // What cannot be asked of the book just now is asked again.
            let waiting = self.pulse.waits(BOOK);
            if let Err(error) = self.visits.settle(&mut lock(&self.till), self.clock.as_ref()) {
                tracing::debug!(%error, "it is not known which visits are charged");
            }
            drop(waiting);
            self.service.status(&self.watch.sentence());
            let fusion = self.live.engine().counters().fusion;
            let lane = self.screens.corrections();
            self.reports.show_lane(LaneReport { went_out: fusion.went_out, revised: fusion.revised, ..lane });
            self.tell_silent();
        }
    }

    /// Says which sources nothing is waited for any more, when they change.
    fn tell_silent(&mut self) {
        let silent: Vec<SourceId> = self.live.engine().silent_sources().cloned().collect();
        if silent != self.course.silent {
            let names: Vec<&str> = silent.iter().map(SourceId::as_str).collect();
            tracing::warn!(sources = names.join(", "), "sources that are not waited for: they are silent");
            self.course.silent = silent;
        }
    }

    /// What the book knows need not be kept here.
    fn forget(&mut self) -> Result<()> {
        let saved = self.live.saved();
        if saved <= self.course.forgotten {
            return Ok(());
        }
        self.course.forgotten = saved;
        match self.recorder.as_mut().map(Recorder::flush) {
            Some(Err(error)) => {
                tracing::warn!(%error, "the recording could not be flushed");
                self.course.is_unrecorded = true;
                self.watch.unrecorded(self.course.unrecorded, self.clock.now());
                return Ok(());
            }
            Some(Ok(())) if !std::mem::take(&mut self.course.is_unrecorded) => self.watch.recorded(self.clock.now()),
            _ => {}
        }
        self.journal.forget(saved)?;
        // Behind the book, so that a journal that is taken again meets what the shop began with.
        let shop = lock(&self.till).shop().clone();
        self.learning.keep(&self.live, &shop, self.clock.now());
        Ok(())
    }

    fn save(&mut self) {
        let waiting = self.pulse.waits(BOOK);
        let saved = self.live.save_now(&mut lock(&self.till));
        drop(waiting);
        match saved.map(|closed| self.bell_for(closed.len())).and_then(|()| self.forget()) {
            Ok(()) => {}
            Err(error) => {
                tracing::warn!(%error, "the book cannot be written; facts stay in the journal");
                self.watch.book(Some(error.message()), self.clock.now());
            }
        }
    }

    fn bell_for(&self, closed: usize) {
        if 0 < closed {
            self.bell.ring();
        }
    }

    /// The shop closes: who is inside stays inside, and the next process goes on from here.
    fn close(mut self) -> Result<()> {
        self.service.stopping();
        self.save();
        if self.live.saved() == self.live.taken() {
            let shop = lock(&self.till).shop().clone();
            self.learning.write(&self.live, &shop, self.clock.now());
        }
        self.tell();
        if self.live.saved() == self.journal.taken() {
            self.journal.clear()?;
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.end()?;
        }
        self.visits.finish();
        tracing::info!(taken = self.live.taken(), stored = self.journal.taken(), "the core has stopped");
        Ok(())
    }

    fn is_closing_within(&self, pause: Duration) -> bool {
        !matches!(self.stop.recv_timeout(pause), Err(RecvTimeoutError::Timeout))
    }
}

/// Whether any stage of the engine or the gates' part reads such a fact. Frames and what is seen in them are only recorded: people
/// were made of them before.
fn is_read(fact: &Fact) -> bool {
    !matches!(fact.body, Body::Frame(_) | Body::Seen(_))
}

/// So late is it.
fn ticking(now: ShopTime, tick: Tick) -> Fact {
    let sequence = u64::try_from(now.as_nanos() / 1_000).unwrap_or(0);
    let stamp = Stamp { source: SourceId::new("clock"), sequence, at: now, arrived: now };
    Fact { stamp, body: Body::Tick(tick) }
}

/// Tracks of this process, so that none has the name of one of a process before it: by the second in which it began.
pub(super) fn first_track(now: ShopTime) -> u64 {
    (u64::try_from(now.as_nanos()).unwrap_or(0) / 1_000_000_000).max(1) << TRACK_BITS
}

fn tell_began(began: &Began) {
    match began {
        Began::Fresh => tracing::info!("the shop opens with nobody inside"),
        Began::Resumed { taken } => tracing::info!(taken, "the shop goes on where the book is"),
        Began::Interrupted { carts, why } => tracing::warn!(carts, why, "open carts were put before a person"),
    }
}
