//! One database and its transactions.

use super::{Engine, Failure, FailureKind, Row, Session, Value};
use crate::base::Result;

/// How often a transaction that met another one is begun again.
const CONFLICTS_MAX: u32 = 8;

/// A shop's database.
pub struct Database {
    engine: Box<dyn Engine>,
}

impl Database {
    /// On top of an engine whose tables are in order.
    pub fn new(engine: Box<dyn Engine>) -> Self {
        Database { engine }
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
    /// must have no other effects.
    ///
    /// # Errors
    /// What `work` says, or why the database does not take it.
    pub fn transaction<T>(&mut self, mut work: impl FnMut(&mut dyn Session) -> Result<T, Failure>) -> Result<T> {
        let mut conflicts = 0;
        loop {
            let mut given = None;
            let done = self.engine.transaction(&mut |session| {
                let mut ending = Ending { session, failed: None };
                let value = work(&mut ending)?;
                // Whoever overlooks a failure must not take for kept what PostgreSQL has dropped.
                ending.failed.map_or(Ok(()), |(kind, message)| Err(Failure::new(kind, message)))?;
                given = Some(value);
                Ok(())
            });
            match (done, given) {
                (Ok(()), Some(value)) => return Ok(value),
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

/// A session that is over after its first failure, as it is in PostgreSQL.
struct Ending<'a> {
    session: &'a mut dyn Session,
    failed: Option<(FailureKind, String)>,
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
}

impl Session for Ending<'_> {
    fn execute(&mut self, statement: &str, values: &[Value]) -> Result<u64, Failure> {
        self.ask(values, |session| session.execute(statement, values))
    }

    fn query(&mut self, statement: &str, values: &[Value]) -> Result<Vec<Row>, Failure> {
        self.ask(values, |session| session.query(statement, values))
    }
}
