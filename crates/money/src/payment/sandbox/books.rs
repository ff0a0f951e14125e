//! The provider's own books: which orders came, what became of them, what is held, taken and given back.
//! With a journal only the newest orders are in memory, whatever the day brings; what an older one came to is looked up in
//! the file. Without one everything is.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use super::entry::{Entry, Outcome, REFERENCE_PREFIX};
use super::journal::Journal;
use super::seen::Seen;
use crate::base::{Result, ShopTime, Span, TransferId};
use crate::facts::{Answer, MoneyMovement, Order, PaymentMethod, Settled, StatementLine, Task};

/// Orders that are known without looking into the journal: those of about a day of a small shop.
pub(super) const RECENT_MAX: usize = 4_096;
/// Orders of which it is counted how often they were asked for.
const ATTEMPTED_MAX: usize = 65_536;
/// What is to be done with an order that came.
pub(super) enum Ruling {
    /// Nothing is entered.
    Answer(Answer),
    /// It is entered with this outcome; slow or not.
    Enter(Outcome, bool),
}

/// Everything that was ever entered.
#[derive(Default)]
pub(super) struct Books {
    /// Where older orders are; without one all are in memory.
    journal: Option<Journal>,
    /// Which orders the journal may have.
    seen: Seen,
    recent: BTreeMap<TransferId, Known>,
    /// The names of those in memory, in the order in which they came there.
    order: VecDeque<TransferId>,
    /// How often each order was asked for or about, by this process.
    attempts: BTreeMap<TransferId, u32>,
}

/// An order, and what others made of it since.
#[derive(Clone, Debug)]
struct Known {
    entry: Entry,
    /// What ended this hold.
    hold_end: Option<HoldEnd>,
    /// What was given back of this capture or charge, minor units.
    refunded: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HoldEnd {
    Captured,
    Released,
}

impl Known {
    fn new(entry: Entry) -> Self {
        Known { entry, hold_end: None, refunded: 0 }
    }

    /// Another order was entered that builds on this one.
    fn follow(&mut self, later: &Entry) {
        if later.outcome != Outcome::Done {
            return;
        }
        match &later.order.task {
            Task::Authorise | Task::Charge => {}
            Task::Capture { .. } => self.hold_end = Some(HoldEnd::Captured),
            Task::Void { .. } => self.hold_end = Some(HoldEnd::Released),
            Task::Refund { .. } => self.refunded = self.refunded.saturating_add(later.order.amount.minor),
        }
    }
}

impl Books {
    /// With everything in the journal at `path`.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub(super) fn open(path: &Path) -> Result<Self> {
        let mut books = Books::default();
        let journal = Journal::open(path, |entry| {
            books.seen.add(entry.order.id);
            books.remember(entry, RECENT_MAX);
        })?;
        Ok(Books { journal: Some(journal), ..books })
    }

    /// Counts attempts at an order, from 0.
    pub(super) fn attempt(&mut self, order: TransferId) -> u32 {
        if ATTEMPTED_MAX <= self.attempts.len() && !self.attempts.contains_key(&order) {
            self.attempts.pop_first();
        }
        let count = self.attempts.entry(order).or_default();
        let attempt = *count;
        *count = count.saturating_add(1);
        attempt
    }

    /// What is known of an order, from memory or the journal.
    fn known(&mut self, id: TransferId) -> Result<Option<&Known>> {
        if !self.recent.contains_key(&id)
            && let Some(journal) = self.journal.as_ref().filter(|_| self.seen.may_have(id))
        {
            let mut found: Option<Known> = None;
            journal.each_about(id, |entry| match &mut found {
                _ if entry.order.id == id => found = Some(Known::new(entry)),
                Some(known) if entry.builds_on() == Some(id) => known.follow(&entry),
                _ => {}
            })?;
            if let Some(known) = found {
                self.keep(known, RECENT_MAX);
            }
        }
        Ok(self.recent.get(&id))
    }

    /// Brings an entry into memory.
    fn remember(&mut self, entry: Entry, most: usize) {
        let earlier = entry.builds_on().and_then(|earlier| self.recent.get_mut(&earlier));
        // One that is not in memory is read with all that followed it when it is wanted.
        if let Some(earlier) = earlier {
            earlier.follow(&entry);
        }
        self.keep(Known::new(entry), most);
    }

    fn keep(&mut self, known: Known, most: usize) {
        let id = known.entry.order.id;
        if self.recent.insert(id, known).is_none() {
            self.order.push_back(id);
        }
        while most < self.order.len() {
            self.order.pop_front().and_then(|oldest| self.recent.remove(&oldest));
        }
    }

    /// How many orders are in memory.
    #[cfg(test)]
    pub(super) fn in_memory(&self) -> usize {
        self.recent.len()
    }

    /// What to do with an order. `faulted` is what the faults make of it, if it is otherwise in order.
    pub(super) fn rule(&mut self, order: &Order, faulted: Option<Ruling>, now: ShopTime, hold_span: Span) -> Ruling {
        match self.known(order.id) {
            Ok(Some(known)) => {
                return Ruling::Answer(match known.entry.is_same(order) {
                    true => known.entry.first_answer(),
                    false => faulty("this id was used with other parameters"),
                });
            }
            Ok(None) => {}
            Err(error) => return Ruling::Answer(Answer::Unknown { message: error.to_string() }),
        }
        let Some(token) = Token::of(&order.method) else {
            return Ruling::Answer(faulty("no such payment method; the tokens are in docs/reference/payment.md"));
        };
        if let Err(refusal) = self.check(order, now, hold_span) {
            return refusal;
        }
        match token.ruling(&order.task) {
            Ruling::Enter(Outcome::Done, false) => faulted.unwrap_or(Ruling::Enter(Outcome::Done, false)),
            ruling => ruling,
        }
    }

    /// Whether the order fits what was done before.
    fn check(&mut self, order: &Order, now: ShopTime, hold_span: Span) -> Result<(), Ruling> {
        let wrong = |message: &str| Err(Ruling::Answer(faulty(message)));
        let amount = order.amount;
        let is_void = matches!(order.task, Task::Void { .. });
        if amount.minor < 0 || (amount.minor == 0) != is_void {
            return wrong("the amount is positive, and of a void zero");
        }
        match &order.task {
            Task::Authorise | Task::Charge => Ok(()),
            Task::Capture { hold } | Task::Void { hold } => {
                let held = self.earlier(hold, order, now)?;
                if !matches!(held.entry.order.task, Task::Authorise) {
                    return wrong("this is not a hold");
                }
                match held.hold_end {
                    Some(HoldEnd::Captured) => return Err(declined("already_captured")),
                    Some(HoldEnd::Released) if !is_void => return Err(declined("hold_expired")),
                    None if held.entry.at + hold_span <= now && !is_void => return Err(declined("hold_expired")),
                    Some(HoldEnd::Released) | None => {}
                }
                match amount.minor <= held.entry.order.amount.minor {
                    true => Ok(()),
                    false => wrong("more than is held"),
                }
            }
            Task::Refund { of } => {
                let taken = self.earlier(of, order, now)?;
                if taken.entry.movement() != Some(MoneyMovement::Taken) {
                    return wrong("nothing was taken by this");
                }
                let left = taken.entry.order.amount.minor - taken.refunded;
                match amount.minor <= left {
                    true => Ok(()),
                    false => wrong("more than is left of what was taken"),
                }
            }
        }
    }

    /// The order that another one builds on.
    fn earlier(&mut self, settled: &Settled, order: &Order, now: ShopTime) -> Result<&Known, Ruling> {
        let refuse = |answer| Err(Ruling::Answer(answer));
        let known = match self.known(settled.order) {
            Ok(Some(known)) if known.entry.reference() == settled.reference => known,
            Ok(_) => return refuse(faulty("no such hold or payment")),
            Err(error) => return refuse(Answer::Unknown { message: error.to_string() }),
        };
        let entry = &known.entry;
        if now < entry.final_at() {
            let message = "what this builds on is still pending".to_owned();
            return refuse(Answer::Unavailable { message, retry_after: Some(entry.final_at() - now) });
        }
        if entry.outcome != Outcome::Done {
            return refuse(faulty("what this builds on was declined"));
        }
        if entry.order.amount.currency != order.amount.currency || entry.order.method != order.method {
            return refuse(faulty("another currency or payment method than before"));
        }
        Ok(known)
    }

    /// Writes an entry down, on the disk first.
    ///
    /// # Errors
    /// When the journal does not take it.
    pub(super) fn enter(&mut self, entry: Entry) -> Result<()> {
        let most = match &mut self.journal {
            Some(journal) => {
                journal.append(&entry)?;
                self.seen.add(entry.order.id);
                RECENT_MAX
            }
            None => usize::MAX,
        };
        self.remember(entry, most);
        Ok(())
    }

    /// What became of an order by now; none for one that never came.
    pub(super) fn answer(&mut self, order: TransferId, now: ShopTime) -> Option<Answer> {
        match self.known(order) {
            Ok(known) => known.map(|known| known.entry.answer(now)),
            Err(error) => Some(Answer::Unknown { message: error.to_string() }),
        }
    }

    /// What has been moved by now.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(super) fn statement(&self, now: ShopTime) -> Result<Vec<StatementLine>> {
        let mut lines = Vec::new();
        match &self.journal {
            Some(journal) => journal.each(|entry| lines.extend(entry.line(now)))?,
            None => {
                let entries = self.order.iter().filter_map(|id| self.recent.get(id));
                lines.extend(entries.filter_map(|known| known.entry.line(now)));
            }
        }
        Ok(lines)
    }

    /// The movement under this reference, if it took money by now.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(super) fn taken(&mut self, reference: &str, now: ShopTime) -> Result<Option<StatementLine>> {
        let id = reference.strip_prefix(REFERENCE_PREFIX).and_then(|hex| TransferId::from_hex(hex).ok());
        let Some(id) = id else { return Ok(None) };
        let line = self.known(id)?.and_then(|known| known.entry.line(now));
        Ok(line.filter(|line| line.movement == MoneyMovement::Taken))
    }
}

/// How a payment method behaves.
#[derive(Clone, Copy)]
enum Token {
    Ok,
    Declined,
    InsufficientFunds,
    AuthenticationRequired,
    DeclineOnCapture,
    Slow,
    SlowDecline,
    RefundFails,
}

impl Token {
    fn of(method: &PaymentMethod) -> Option<Token> {
        Some(match method.token.as_str() {
            "ok" => Token::Ok,
            "declined" => Token::Declined,
            "insufficient_funds" => Token::InsufficientFunds,
            "authentication_required" => Token::AuthenticationRequired,
            "decline_on_capture" => Token::DeclineOnCapture,
            "slow" => Token::Slow,
            "slow_decline" => Token::SlowDecline,
            "refund_fails" => Token::RefundFails,
            _ => return None,
        })
    }

    fn ruling(self, task: &Task) -> Ruling {
        let declined = |code: &str, slow| {
            let wants_shopper = code == "authentication_required";
            Ruling::Enter(Outcome::Declined { code: code.to_owned(), wants_shopper }, slow)
        };
        let opens = matches!(task, Task::Authorise | Task::Charge);
        let takes = matches!(task, Task::Capture { .. } | Task::Charge);
        match self {
            Token::Declined if opens => declined("generic_decline", false),
            Token::InsufficientFunds if opens => declined("insufficient_funds", false),
            Token::AuthenticationRequired if opens => declined("authentication_required", false),
            Token::DeclineOnCapture if takes => declined("generic_decline", false),
            Token::SlowDecline if opens => declined("generic_decline", true),
            Token::RefundFails if matches!(task, Task::Refund { .. }) => declined("refund_failed", false),
            Token::Slow if !matches!(task, Task::Void { .. }) => Ruling::Enter(Outcome::Done, true),
            _ => Ruling::Enter(Outcome::Done, false),
        }
    }
}

fn declined(code: &str) -> Ruling {
    Ruling::Enter(Outcome::Declined { code: code.to_owned(), wants_shopper: false }, false)
}

fn faulty(message: &str) -> Answer {
    Answer::Faulty { message: format!("the sandbox says: {message}") }
}
