//! One database and its transactions.

use super::seals::{self, Head, Pending};
use super::{Engine, Failure, FailureKind, Row, Session, Value};
use crate::base::Result;

/// How often a transaction that met another one is begun again.
const CONFLICTS_MAX: u32 = 8;

/// Seals that wait in memory; beyond it they are written before the end of the transaction.
const PENDING_MAX: usize = 1_024;

/// A shop's database.
pub struct Database {
    engine: Box<dyn Engine>,
    /// The last seal that is known to be kept.
    head: Head,
    /// Whether the connection was lost since the head was seen: who answers next may be another book.
    doubtful: bool,
}

impl Database {
    /// On top of an engine whose tables are in order.
    pub fn new(engine: Box<dyn Engine>) -> Self {
        Database { engine, head: (0, String::new()), doubtful: false }
    }

    /// Remembers the last seal, so that an older copy which takes the place of this book is noticed.
    pub(super) fn remember(&mut self) -> Result<()> {
        self.head = self.transaction(seals::last)?;
        Ok(())
    }

    /// What it is, for messages.
    pub fn engine_name(&self) -> &'static str {
        self.engine.name()
    }

    /// The engine alone, to be put into another one.
    pub fn into_engine(self) -> Box<dyn Engine> {
        self.engine
    }

    /// Runs `work` in a transaction: all of it happens and is durable, or nothing. It may be run several times, so it
    /// must have no other effects. The rows that it seals are sealed at its end.
    ///
    /// A database that has lost what this process wrote into it, as an older copy in its place has, is refused.
    ///
    /// # Errors
    /// What `work` says, or why the database does not take it.
    pub fn transaction<T>(&mut self, mut work: impl FnMut(&mut dyn Session) -> Result<T, Failure>) -> Result<T> {
        let mut conflicts = 0;
        loop {
            let mut given = None;
            let (head, doubtful) = (&self.head, self.doubtful);
            let done = self.engine.transaction(&mut |session| {
                let sealed = if doubtful && 0 < head.0 { Some(found_again(session, head)?) } else { None };
                let mut ending = Ending { session, failed: None, pending: Pending::new(), known: head, sealed };
                let value = work(&mut ending)?;
                // Whoever overlooks a failure must not take for kept what PostgreSQL has dropped.
                let ended = ending.failed.take();
                ended.map_or(Ok(()), |(kind, message)| Err(Failure::new(kind, message)))?;
                ending.write_seals()?;
                given = Some((value, ending.sealed));
                Ok(())
            });
            self.doubtful |= matches!(&done, Err(failure) if failure.kind == FailureKind::Lost);
            match (done, given) {
                (Ok(()), Some((value, sealed))) => {
                    self.head = sealed.unwrap_or_else(|| std::mem::take(&mut self.head));
                    self.doubtful = false;
                    return Ok(value);
                }
                (Err(failure), _) if failure.kind == FailureKind::Conflict && conflicts < CONFLICTS_MAX => {
                    conflicts += 1
                }
                (Err(failure), _) => return Err(failure.into()),
                (Ok(()), None) => {
                    return Err(Failure::new(FailureKind::Broken, "the engine did not run the transaction").into());
                }
            }
        }
    }
}

/// The last seal of whatever is there after the connection was lost. What is no book at all, such as a file that was
/// emptied, is as little what was there before as an older copy is.
fn found_again(session: &mut dyn Session, head: &Head) -> Result<Head, Failure> {
    seals::head(session, head).map_err(|failure| match failure.kind {
        FailureKind::Broken => {
            Failure::new(FailureKind::Lost, format!("what is in its place is not this book: {}", failure.message))
        }
        _ => failure,
    })
}

/// A session that is over after its first failure, as it is in PostgreSQL.
struct Ending<'a> {
    session: &'a mut dyn Session,
    failed: Option<(FailureKind, String)>,
    /// What is sealed at the end.
    pending: Pending,
    /// The last seal that was seen before this transaction.
    known: &'a Head,
    /// The last seal now, once it was looked for.
    sealed: Option<Head>,
}

impl Ending<'_> {
    fn ask<T>(
        &mut self,
        values: &[Value],
        ask: impl FnOnce(&mut dyn Session) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if let Some((kind, message)) = &self.failed {
            return Err(Failure::new(*kind, format!("the transaction is over: {message}")));
        }
        // PostgreSQL cannot store such a text, so SQLite does not either.
        let asked = match values.iter().position(|value| matches!(value, Value::Text(text) if text.contains('\0'))) {
            Some(at) => {
                Err(Failure::new(FailureKind::Refused, format!("parameter ?{} holds a zero character", at + 1)))
            }
            None => ask(self.session),
        };
        asked.inspect_err(|failure| self.failed = Some((failure.kind, failure.message.clone())))
    }

    fn write_seals(&mut self) -> Result<(), Failure> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let head = match self.sealed.take() {
            Some(head) => head,
            None => seals::head(self.session, self.known)?,
        };
        self.sealed = Some(seals::append(self.session, head, &self.pending)?);
        self.pending.clear();
        Ok(())
    }
}

impl Session for Ending<'_> {
    fn execute(&mut self, statement: &str, values: &[Value]) -> Result<u64, Failure> {
        self.ask(values, |session| session.execute(statement, values))
    }

    fn query(&mut self, statement: &str, values: &[Value]) -> Result<Vec<Row>, Failure> {
        self.ask(values, |session| session.query(statement, values))
    }

    fn seal(&mut self, kind: &'static str, subject: String, content: String) -> Result<(), Failure> {
        self.pending.insert((kind, subject), content);
        if self.pending.len() < PENDING_MAX { Ok(()) } else { self.write_seals() }
    }
}
