//! A recording that is being watched: whoever plays it writes how far it is, whoever looks asks for another time.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use super::Clock;
use crate::base::{CartId, Error, Result, ShelfId, ShopTime, Span, VisitId};

/// Wishes that wait at most; further ones are refused, and may be said again.
const WISHES_MAX: usize = 16;
/// How long whoever says a wish waits until it is done.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is known of a recording from its beginning to its end.
#[derive(Clone, Debug)]
pub struct TimeLine {
    /// What the recording is called.
    pub recording: String,
    /// When its first fact arrived.
    pub begins: ShopTime,
    /// When its last fact arrived.
    pub ends: ShopTime,
    /// What happened, in order of the time to which a jump leads.
    pub marks: Vec<TimeMark>,
    /// Marks of shelves that are left out because there are too many.
    pub left_out: u64,
    /// What should have come out, where that is known.
    pub verdict: Option<TimeVerdict>,
    /// What was lost of the recording, left out or assumed, a sentence each.
    pub notes: Vec<String>,
}

/// How the receipts stand to the truth, as `aisle eval` counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeVerdict {
    /// Shoppers of the truth, and strangers who were charged.
    pub judged: u64,
    /// Of them those whose receipt is not what it should be.
    pub wrong: u64,
    /// Lines that are missing or too much, a product of a receipt each.
    pub wrong_lines: u64,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeMark {
    /// What.
    pub kind: MarkKind,
    /// When.
    pub at: ShopTime,
    /// Where a jump to it leads: a moment before, where there is something to see.
    pub from: ShopTime,
    /// Whose.
    pub visit: Option<VisitId>,
    /// The cart of its receipt.
    pub cart: Option<CartId>,
    /// Where.
    pub shelf: Option<ShelfId>,
    /// Whether it is as it should be, where that is known.
    pub right: Option<bool>,
    /// In a sentence.
    pub words: String,
}

crate::named_enum! {
    /// What a mark on the time line is of.
    pub enum MarkKind as "mark" {
        /// Somebody came in.
        Entered = "entered",
        /// Weights changed on a shelf.
        Shelf = "shelf",
        /// Somebody was seen last.
        Left = "left",
        /// A receipt was written.
        Receipt = "receipt",
        /// What a line of a receipt should be and is not: the event behind it.
        Wrong = "wrong",
    }
}

/// How far a recording is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReplayState {
    /// The time in the recording.
    pub at: ShopTime,
    /// Whether it goes on.
    pub playing: bool,
    /// How many times as fast as it was recorded.
    pub speed: f64,
    /// How often it was jumped: what was seen before a jump is not of the shop that is shown now.
    pub jumps: u64,
}

/// What somebody wants of a recording.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReplayWish {
    /// That it goes on, or stands still.
    Play(bool),
    /// That it goes so many times as fast as it was recorded.
    Speed(f64),
    /// The shop as it was so long after the beginning.
    Seek(Span),
    /// The next mark.
    Next(Stop),
    /// The one before.
    Previous(Stop),
}

/// At which marks somebody stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// At all.
    Any,
    /// At lines that are wrong.
    Wrong,
}

/// A wish, and who waits for it.
pub struct Wished {
    /// What is wanted.
    pub wishes: Vec<ReplayWish>,
    /// Told when it is done, or why it could not be.
    pub done: Sender<Result<()>>,
}

/// Where a recording's time is told and wished. It is the clock of whoever shows the recording.
#[derive(Clone)]
pub struct ReplayDesk {
    line: Arc<TimeLine>,
    state: Arc<Mutex<ReplayState>>,
    wishes: Sender<Wished>,
}

impl ReplayDesk {
    /// The desk of a recording that stands at its beginning, and where wishes come out: 16 at most, further ones are
    /// refused.
    pub fn new(line: TimeLine, speed: f64) -> (Self, Receiver<Wished>) {
        let (wishes, wished) = bounded(WISHES_MAX);
        let state = ReplayState { at: line.begins, playing: false, speed, jumps: 0 };
        (ReplayDesk { line: Arc::new(line), state: Arc::new(Mutex::new(state)), wishes }, wished)
    }

    /// What is known of the whole recording.
    pub fn line(&self) -> &TimeLine {
        &self.line
    }

    /// How far it is.
    pub fn state(&self) -> ReplayState {
        *self.lock()
    }

    /// Says how far it is: for whoever plays it.
    pub fn tell(&self, state: ReplayState) {
        *self.lock() = state;
    }

    /// Says wishes, which are done one after the other, and waits until they are.
    ///
    /// # Errors
    /// When others have too many wishes, when they take longer than 30 s, or what went wrong with them.
    pub fn wish(&self, wishes: Vec<ReplayWish>) -> Result<ReplayState> {
        let (done, is_done) = bounded(1);
        self.wishes.try_send(Wished { wishes, done }).map_err(|error| match error {
            TrySendError::Full(_) => Error::unavailable(format!("{WISHES_MAX} wishes wait already; come again")),
            TrySendError::Disconnected(_) => Error::unavailable("the recording is not played any more"),
        })?;
        let told = is_done.recv_timeout(PATIENCE);
        told.map_err(|_| Error::unavailable("the recording is not there yet; come again"))??;
        Ok(self.state())
    }

    fn lock(&self) -> MutexGuard<'_, ReplayState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ReplayDesk {
    fn now(&self) -> ShopTime {
        self.state().at
    }
}

impl fmt::Debug for ReplayDesk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplayDesk").field("recording", &self.line.recording).field("state", &self.state()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> TimeLine {
        let (begins, ends) = (ShopTime::from_nanos(0), ShopTime::from_nanos(9));
        let (recording, notes, marks) = (String::new(), Vec::new(), Vec::new());
        TimeLine { recording, begins, ends, marks, left_out: 0, verdict: None, notes }
    }

    #[test]
    fn a_wish_is_done_when_whoever_plays_says_so() {
        let (desk, wished) = ReplayDesk::new(line(), 1.0);
        let teller = desk.clone();
        let player = std::thread::spawn(move || {
            let Wished { wishes, done } = wished.recv().unwrap();
            teller.tell(ReplayState { playing: true, at: ShopTime::from_nanos(5), ..teller.state() });
            done.send(Ok(())).unwrap();
            wishes
        });
        let state = desk.wish(vec![ReplayWish::Play(true)]).unwrap();
        assert_eq!((state.playing, desk.now()), (true, ShopTime::from_nanos(5)));
        assert_eq!(player.join().unwrap(), [ReplayWish::Play(true)]);
        let error = desk.wish(vec![ReplayWish::Play(false)]).unwrap_err();
        assert_eq!(error.message(), "the recording is not played any more");
    }

    #[test]
    fn too_many_wishes_are_refused() {
        let (desk, wished) = ReplayDesk::new(line(), 1.0);
        for _ in 0..WISHES_MAX {
            desk.wishes.try_send(Wished { wishes: Vec::new(), done: bounded(1).0 }).unwrap_or_else(|_| panic!("full"));
        }
        assert_eq!(desk.wish(Vec::new()).unwrap_err().message(), "16 wishes wait already; come again");
        drop(wished);
    }
}
