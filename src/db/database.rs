//! One database and its transactions.

use super::{Engine, Failure, FailureKind, Session};
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
                given = Some(work(session)?);
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
