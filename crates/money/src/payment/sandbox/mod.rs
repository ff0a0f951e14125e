//! An invented provider that keeps its own books, apart from the shop's, as a real one would.
//! It takes orders and gives answers, notices and a statement; tokens and [`Faults`] say what goes wrong. It never moves
//! real money and throws no dice but those of its seed.

mod books;
mod entry;
mod faults;
mod journal;
mod post;
mod seen;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::books::{Books, Ruling};
use self::entry::Entry;
use self::faults::Fate;
use self::post::Post;
use super::signature;
use crate::base::{Error, Result, Secret, ShopTime, Span};
use crate::facts::{Answer, Notice, Order, StatementLine};
use crate::ports::{Clock, PaymentProvider};

pub use self::faults::Faults;

/// How long a hold lasts where nobody says otherwise: seven days, as with most cards.
const HOLD_SPAN: Span = Span::from_millis(7 * 24 * 3_600_000);
/// How long what is slow takes.
const SLOW_SPAN: Span = Span::from_millis(2_000);
/// Signs notices. It is no secret: a notice decides nothing, and no money is moved here.
const WEBHOOK_SECRET: &str = "whsec_sandbox";
/// The header that carries the signature of a notice.
const SIGNATURE_HEADER: &str = "Sandbox-Signature";

/// A notice as it goes over the wire: its headers and its body.
pub type SignedNotice = (Vec<(String, String)>, Vec<u8>);

/// The invented provider. Clones of an [`Arc`] of it may be used by several threads.
pub struct Sandbox {
    clock: Arc<dyn Clock>,
    secret: Secret<String>,
    hold_span: Span,
    state: Mutex<State>,
}

struct State {
    books: Books,
    faults: Faults,
    /// Nobody answers.
    down: bool,
    post: Post,
}

impl Sandbox {
    /// A provider that forgets everything with the process.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Sandbox::with(clock, Books::default())
    }

    /// A provider whose books are in a journal file: one JSON line for each order, on the disk before the answer is
    /// given. A torn last line is dropped, for its answer was never given. One process at a time. Only the newest orders
    /// are in memory, and only the file's owner may read it.
    ///
    /// # Errors
    /// When the file cannot be opened, another process has it, it is no journal, or a line cannot be read.
    pub fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self> {
        Ok(Sandbox::with(clock, Books::open(path)?))
    }

    /// What a journal file says was moved up to `now`, without taking the file from a process that writes it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn statement_of(path: &Path, now: ShopTime) -> Result<Vec<StatementLine>> {
        let mut lines = Vec::new();
        journal::read_from(path, |entry| lines.extend(entry.line(now)))?;
        Ok(lines)
    }

    fn with(clock: Arc<dyn Clock>, books: Books) -> Self {
        let (faults, post) = (Faults::default(), Post::default());
        Sandbox {
            clock,
            secret: Secret::new(WEBHOOK_SECRET.to_owned()),
            hold_span: HOLD_SPAN,
            state: Mutex::new(State { books, faults, down: false, post }),
        }
    }

    /// The same, with things going wrong.
    pub fn with_faults(self, faults: Faults) -> Self {
        self.state().faults = faults;
        self
    }

    /// The same, with holds that expire after another span.
    pub fn with_hold_span(self, hold_span: Span) -> Self {
        Sandbox { hold_span, ..self }
    }

    /// Lets other things go wrong from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.state().faults = faults;
    }

    /// An outage begins or ends. While it lasts nothing is carried out ([`Answer::Unavailable`]), no question is answered
    /// ([`Answer::Unknown`]), and no notice goes out.
    pub fn set_down(&self, down: bool) {
        self.state().down = down;
    }

    /// The notices that are due, each with its headers, signed as of `now`. Each is given once, or as often as the
    /// faults say.
    pub fn take_notices(&self, now: ShopTime) -> Vec<SignedNotice> {
        let mut state = self.state();
        let State { post, faults, down, .. } = &mut *state;
        if *down {
            return Vec::new();
        }
        let signed = |body: Vec<u8>| {
            let headers = [
                ("Content-Type".to_owned(), "application/json".to_owned()),
                (SIGNATURE_HEADER.to_owned(), signature::sign(&self.secret, now, &body)),
            ];
            (headers.to_vec(), body)
        };
        post.take(now, faults).into_iter().map(signed).collect()
    }

    /// The shopper disputes what was captured or charged under this reference: a notice says so. The statement stays as
    /// it is, for a dispute is not an order of ours.
    ///
    /// # Errors
    /// When no money was taken under the reference.
    pub fn dispute(&self, reference: &str) -> Result<()> {
        self.tell_of_dispute("opened", reference)
    }

    /// The dispute of what was captured or charged under this reference is over: a notice says who has won.
    ///
    /// # Errors
    /// When no money was taken under the reference.
    pub fn close_dispute(&self, reference: &str, won: bool) -> Result<()> {
        self.tell_of_dispute(if won { "won" } else { "lost" }, reference)
    }

    fn tell_of_dispute(&self, what: &str, reference: &str) -> Result<()> {
        let now = self.clock.now();
        let mut state = self.state();
        let line = state.books.taken(reference, now)?;
        let line = line.ok_or_else(|| Error::input(format!("the sandbox has taken nothing under `{reference}`")))?;
        state.post.dispute(what, &line, now);
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What becomes of a call about an order.
    fn fate(&mut self, order: &Order) -> Fate {
        if self.down {
            return Fate::Unavailable;
        }
        let attempt = self.books.attempt(order.id);
        self.faults.fate(attempt, order.id)
    }

    /// Writes an order into the books, on the disk first.
    fn enter(&mut self, entry: Entry) -> Result<()> {
        self.books.enter(entry.clone())?;
        self.post.entered(&entry, &self.faults);
        Ok(())
    }
}

impl PaymentProvider for Sandbox {
    fn name(&self) -> &str {
        "sandbox"
    }

    fn submit(&self, order: &Order) -> Answer {
        let now = self.clock.now();
        let mut state = self.state();
        let fate = state.fate(order);
        match fate {
            Fate::Unavailable => return unavailable(),
            Fate::LostBefore => return lost(),
            Fate::Carried | Fate::LostAfter => {}
        }
        let faulted = state.faults.ruling(order);
        let answer = match state.books.rule(order, faulted, now, self.hold_span) {
            Ruling::Answer(answer) => answer,
            Ruling::Enter(outcome, slow) => {
                let entry = Entry::new(order, outcome, now, slow.then(|| now + SLOW_SPAN));
                let answer = entry.first_answer();
                match state.enter(entry) {
                    Ok(()) => answer,
                    Err(error) => Answer::Unknown { message: error.to_string() },
                }
            }
        };
        match fate {
            Fate::LostAfter => lost(),
            _ => answer,
        }
    }

    fn query(&self, order: &Order, _reference: Option<&str>) -> Answer {
        let now = self.clock.now();
        let mut state = self.state();
        match state.fate(order) {
            // A question that was not answered says nothing about what it was about.
            Fate::Unavailable | Fate::LostBefore | Fate::LostAfter => lost(),
            Fate::Carried => state.books.answer(order.id, now).unwrap_or_else(|| Answer::Unavailable {
                message: format!("the sandbox has never heard of {}", order.id),
                retry_after: None,
            }),
        }
    }

    fn read_notice(&self, headers: &[(String, String)], body: &[u8], now: ShopTime) -> Result<Notice> {
        let signature = signature::header(headers, SIGNATURE_HEADER)
            .ok_or_else(|| Error::input(format!("the notice has no header `{SIGNATURE_HEADER}`")))?;
        signature::verify(&self.secret, signature, body, now)?;
        post::read(body)
    }

    fn statement(&self) -> Result<Option<Vec<StatementLine>>> {
        let state = self.state();
        if state.down {
            return Err(Error::unavailable("the sandbox is down"));
        }
        Ok(Some(state.books.statement(self.clock.now())?))
    }
}

fn unavailable() -> Answer {
    Answer::Unavailable { message: "the sandbox does not answer".to_owned(), retry_after: None }
}

fn lost() -> Answer {
    Answer::Unknown { message: "the sandbox's answer was lost".to_owned() }
}
