//! The shop as it was at a moment of a recording, on the boards that screens read. It goes on with time, and jumps: then all of it
//! is made anew from the copy of the engine before that moment, so that what is shown follows from the moment alone and never from
//! what was shown before.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::book::Book;
use super::spool::{Cursor, Place};
use super::tape::{Felt, Latest, Tape, note_visit};
use crate::api::Pictures;
use crate::base::limits::CURVE_SPAN;
use crate::base::{CameraId, Result, ShopTime, Span};
use crate::facts::{Body, Fact, Staircase, TrackVerdict};
use crate::live::Screens;
use crate::pipeline::{Engine, Options};
use crate::ports::{LiveBoard, LiveChange, LivePlate, PlateBoard, ReplayDesk, ReplayState, SeenBoard};

/// What is shown of a moment is fed at least so much of what came before it.
const LEAD: Span = Span::from_millis(1_500);
/// Receipts that are told after a jump; the book has all.
const RECEIPTS_MAX: usize = 20;
/// What shelves felt so long before a jump's time is told, and so much of it.
const PAST: Span = Span::from_millis(900_000);
const PAST_MAX: usize = 400;
/// How often the time and open carts are told while it goes on.
const TOLD: Span = Span::from_millis(1_000);

/// The boards that screens read.
#[derive(Clone, Default)]
pub(super) struct Boards {
    pub(super) screens: LiveBoard,
    pub(super) plates: PlateBoard,
    pub(super) seen: SeenBoard,
}

/// The newest pictures at the moment that is shown.
type Shown = Arc<Mutex<BTreeMap<CameraId, (ShopTime, Place)>>>;

/// A recording at a moment.
pub(super) struct Deck {
    tape: Tape,
    /// What each receipt should have been, in the order of the closings; none where that is not known.
    truths: Vec<Option<LiveChange>>,
    desk: ReplayDesk,
    book: Book,
    boards: Boards,
    course: Course,
    pictures: Shown,
    told: ShopTime,
}

/// An engine and its screens on the way through a tape.
struct Course {
    cursor: Cursor,
    engine: Engine,
    screens: Screens,
    latest: Latest,
    /// The next copy that is passed.
    next: usize,
    /// Time in the recording: when the newest fact arrived.
    at: ShopTime,
    /// What was read and is of later, and where that was written.
    waiting: Option<(u64, Fact, Place, u64)>,
}

impl Deck {
    /// The beginning of a tape.
    ///
    /// # Errors
    /// What the book or the tape says.
    pub(super) fn new(
        tape: Tape,
        truths: Vec<Option<LiveChange>>,
        desk: ReplayDesk,
        book: Book,
        options: Options,
    ) -> Result<Self> {
        let boards = Boards::default();
        let course = Course::begin(&tape, 0, &boards, options)?;
        let mut deck = Deck { told: tape.begins, tape, truths, desk, book, boards, course, pictures: Shown::default() };
        deck.jump(deck.tape.begins, options)?;
        Ok(deck)
    }

    /// The boards that it shows on.
    pub(super) fn boards(&self) -> Boards {
        self.boards.clone()
    }

    /// The newest picture of each camera.
    pub(super) fn pictures(&self) -> Pictures {
        let (pictures, spool) = (self.pictures.clone(), self.tape.spool.clone());
        Arc::new(move |camera| {
            let shown = pictures.lock().unwrap_or_else(PoisonError::into_inner);
            let (arrived, place) = shown.get(&CameraId::new(camera)).copied()?;
            drop(shown);
            Some((arrived, spool.picture(place)?))
        })
    }

    /// Goes on by so much, at most to the end; `false` there.
    ///
    /// # Errors
    /// What the book or the tape says.
    pub(super) fn go_on(&mut self, by: Span) -> Result<bool> {
        let state = self.desk.state();
        let at = (state.at + by).min(self.tape.ends);
        self.course.go_on(&self.tape, at)?;
        let is_over = self.tape.ends <= at;
        let before = self.book.closed().len();
        let ended = self.ended_by(at);
        let is_time = is_over || TOLD <= at - self.told;
        if is_time || before < ended {
            let open = is_time.then(|| if is_over { Vec::new() } else { self.course.engine.open_visits() });
            self.book.go_on(&self.tape.closings[..ended], open, at)?;
        }
        self.tell_receipts(&self.boards.screens, before, ended);
        if is_over {
            self.boards.screens.publish(LiveChange::Carts { at, visits: Vec::new() });
        }
        self.show_pictures();
        let state = ReplayState { at, playing: state.playing && !is_over, ..state };
        self.desk.tell(state);
        if is_time {
            self.told = at;
            self.boards.screens.publish(told(state));
        }
        Ok(!is_over)
    }

    /// Says whether time goes on, and how fast.
    pub(super) fn tell(&mut self, state: ReplayState) {
        self.desk.tell(state);
        self.told = state.at;
        self.boards.screens.publish(told(state));
    }

    /// Writes who is inside as it is now, as after a jump to now.
    ///
    /// # Errors
    /// What the book says.
    pub(super) fn settle(&mut self) -> Result<()> {
        let at = self.desk.state().at;
        let ended = self.ended_by(at);
        let open = if self.tape.ends <= at { Vec::new() } else { self.course.engine.open_visits() };
        self.book.go_on(&self.tape.closings[..ended], Some(open), at)
    }

    /// Shows the shop as it was at another moment.
    ///
    /// # Errors
    /// What the book or the tape says; then what is shown is as it was.
    pub(super) fn jump(&mut self, to: ShopTime, options: Options) -> Result<()> {
        let to = to.clamp(self.tape.begins, self.tape.ends);
        let state = self.desk.state();
        let boards = Boards::default();
        let mut course = Course::begin(&self.tape, self.tape.checkpoint_before(to, LEAD), &boards, options)?;
        course.go_on(&self.tape, to)?;
        let is_over = self.tape.ends <= to;
        let open = if is_over { Vec::new() } else { course.engine.open_visits() };
        let ended = self.ended_by(to);
        if to < state.at || ended < self.book.closed().len() {
            self.book.begin_anew(&self.tape.closings[..ended], open, to)?;
        } else {
            self.book.go_on(&self.tape.closings[..ended], Some(open), to)?;
        }
        self.tell_receipts(&boards.screens, ended.saturating_sub(RECEIPTS_MAX), ended);
        self.tell_past(&boards.screens, to);
        if is_over {
            boards.screens.publish(LiveChange::Carts { at: to, visits: Vec::new() });
        }
        let state = ReplayState { at: to, jumps: state.jumps + 1, ..state };
        boards.screens.publish(told(state));
        // The clock first: who is given the new snapshot takes it for that of now.
        self.desk.tell(state);
        self.told = to;
        self.boards.plates.take_over(&boards.plates);
        self.boards.seen.take_over(&boards.seen);
        course.screens.show_on((self.boards.screens.clone(), self.boards.plates.clone(), self.boards.seen.clone()));
        self.course = course;
        self.show_pictures();
        self.boards.screens.take_over(&boards.screens);
        Ok(())
    }

    fn ended_by(&self, at: ShopTime) -> usize {
        self.tape.closings.partition_point(|(ended, _)| *ended <= at)
    }

    /// Tells some of the receipts that are in the book, and what they should have been.
    fn tell_receipts(&self, board: &LiveBoard, from: usize, until: usize) {
        for number in from..until {
            let (Some((_, closing)), Some(closed)) = (self.tape.closings.get(number), self.book.closed().get(number))
            else {
                continue;
            };
            let receipt = &closing.receipt;
            board.publish(LiveChange::Receipt {
                at: receipt.left,
                visit: receipt.visit,
                cart: closed.cart,
                lines: receipt.lines.clone(),
                total: receipt.total,
                probability: receipt.probability,
                for_review: closed.case.is_some(),
            });
            if let Some(truth) = self.truths.get(number).and_then(Option::as_ref) {
                board.publish(truth.clone());
            }
        }
    }

    /// Tells what shelves felt lately, which whoever jumps has not seen: carts say that they rest on it.
    fn tell_past(&self, board: &LiveBoard, to: ShopTime) {
        let events = &self.tape.events;
        let (from, until) = [to - PAST, to].map(|at| events.partition_point(|(found, _)| *found <= at)).into();
        for (_, Felt { fact, event }) in &events[from.max(until.saturating_sub(PAST_MAX))..until] {
            let plate = |stairs: &Staircase| LivePlate { plate: stairs.plate, grams: stairs.change().value() };
            let plates = event.plates.iter().map(plate).collect();
            let (event, shelf, span) = (fact.clone(), event.shelf, event.span);
            board.remember(LiveChange::Shelf { event, shelf, span, plates });
        }
    }

    fn show_pictures(&self) {
        let mut shown = self.pictures.lock().unwrap_or_else(PoisonError::into_inner);
        shown.clone_from(&self.course.latest.pictures);
    }
}

/// How time goes, for screens.
fn told(state: ReplayState) -> LiveChange {
    let ReplayState { at, playing, speed, jumps } = state;
    LiveChange::Replay { at, playing, speed, jumps }
}

impl Course {
    /// At a copy of the engine, with what was known then on these boards.
    fn begin(tape: &Tape, index: usize, boards: &Boards, options: Options) -> Result<Self> {
        let copy = &tape.checkpoints[index];
        let engine = Engine::restore(&tape.shop, options, &copy.engine)?;
        let Boards { screens, plates, seen } = boards.clone();
        let mut shown = Screens::new((screens.clone(), plates.clone(), seen.clone()), &tape.shop);
        shown.go_on_from(&engine, &copy.latest.visits);
        fill(tape, copy.at, copy.offset, &plates)?;
        for offset in copy.latest.seen.values() {
            if let Some((came, _)) = tape.spool.read_from(*offset).next()?
                && let Some(Fact { stamp, body: Body::Seen(found) }) = came.fact
            {
                seen.look(&stamp, &found);
            }
        }
        for (door, (at, state)) in &copy.latest.doors {
            screens.publish(LiveChange::Door { at: *at, door: door.clone(), state: *state });
        }
        Ok(Course {
            cursor: tape.spool.read_from(copy.offset),
            engine,
            screens: shown,
            latest: copy.latest.clone(),
            next: index + 1,
            at: copy.at,
            waiting: None,
        })
    }

    /// Takes everything that had arrived by then.
    fn go_on(&mut self, tape: &Tape, until: ShopTime) -> Result<()> {
        loop {
            if self.waiting.is_none() {
                let offset = self.cursor.offset();
                let Some((came, place)) = self.cursor.next()? else { return Ok(()) };
                match came.fact {
                    Some(fact) => self.waiting = Some((came.lost, fact, place, offset)),
                    None => self.engine.lose(came.lost),
                }
            }
            let is_due = self.waiting.as_ref().is_some_and(|(_, fact, ..)| fact.stamp.arrived.max(self.at) <= until);
            if !is_due && self.waiting.is_some() {
                return Ok(());
            }
            if let Some((lost, fact, place, offset)) = self.waiting.take() {
                self.pass(tape, offset);
                self.engine.lose(lost);
                self.take(fact, offset, place);
            }
        }
    }

    /// A copy of the engine is passed: screens go on from it, as they do after a jump to behind it.
    fn pass(&mut self, tape: &Tape, offset: u64) {
        let Some(copy) = tape.checkpoints.get(self.next).filter(|copy| copy.offset <= offset) else { return };
        self.next += 1;
        self.latest.visits.clone_from(&copy.latest.visits);
        self.screens.go_on_from(&self.engine, &copy.latest.visits);
    }

    fn take(&mut self, fact: Fact, offset: u64, place: Place) {
        self.at = self.at.max(fact.stamp.arrived);
        self.latest.take(&fact, offset, place);
        self.screens.take(&fact);
        if let Body::Seen(seen) = &fact.body {
            self.screens.look(&fact.stamp, seen);
        }
        let (visits, mut receipts) = (&mut self.latest.visits, Vec::new());
        self.engine.take(fact, &mut |fact| match &fact.body {
            Body::Track(joined) if joined.verdict != TrackVerdict::Ghost => {
                note_visit(visits, joined.track, joined.visit);
            }
            Body::Receipt(receipt) => receipts.push(receipt.clone()),
            _ => {}
        });
        for receipt in receipts {
            self.screens.closed(&receipt, &self.engine);
        }
        self.screens.show(self.at, &self.engine);
    }
}

/// What plates felt in the two minutes before a copy.
fn fill(tape: &Tape, at: ShopTime, offset: u64, plates: &PlateBoard) -> Result<()> {
    let since = at - CURVE_SPAN;
    let from = tape.checkpoint_before(since, Span::ZERO);
    let mut cursor = tape.spool.read_from(tape.checkpoints[from].offset);
    while cursor.offset() < offset {
        let Some((came, _)) = cursor.next()? else { break };
        if let Some(Fact { body: Body::Plates(batch), .. }) = &came.fact {
            plates.weigh(batch);
        }
    }
    let found = tape.events.iter().filter(|(found, _)| since <= *found && *found < at);
    found.for_each(|(_, Felt { event, .. })| plates.change(event));
    Ok(())
}
