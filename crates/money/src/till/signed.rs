//! Transactions that say who asked for them.

use crate::base::Result;
use crate::db::access::{self, Deed};
use crate::db::{Database, Failure, Session};

/// A database whose next transaction may have to be signed.
pub(super) struct Signed {
    database: Database,
    deed: Option<Deed>,
}

impl Signed {
    pub(super) fn new(database: Database) -> Self {
        Signed { database, deed: None }
    }

    pub(super) fn into_database(self) -> Database {
        self.database
    }

    /// What the next transaction that is kept writes into the audit log.
    pub(super) fn sign(&mut self, deed: Option<Deed>) {
        self.deed = deed;
    }

    /// As [`Database::transaction`], with the deed in it.
    pub(super) fn transaction<T>(&mut self, mut work: impl FnMut(&mut dyn Session) -> Result<T, Failure>) -> Result<T> {
        let deed = self.deed.as_ref();
        let done = self.database.transaction(|session| {
            let value = work(session)?;
            deed.map_or(Ok(()), |deed| access::log(session, deed))?;
            Ok(value)
        })?;
        self.deed = None;
        Ok(done)
    }
}
