//! PostgreSQL by URL.
//!
//! Nothing is kept in a connection from one transaction to the next, neither a setting nor a statement, so that a pooler
//! which gives every transaction another connection to the server does no harm.
//!
//! Every call waits for the server on a runtime of its own, so none may come from a thread that runs async code: it
//! would panic. Whoever does gives the database a thread of its own.

mod connect;
#[cfg(test)]
mod tests;
mod values;

use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_postgres::Client;

use self::connect::Connector;
use super::address::Server;
use super::{Engine, Failure, FailureKind, Options, Row, Session, Value};
use crate::base::Result;

/// A commit is on the disk before it is answered, whatever the server does by itself. Who waits for copies of the log too,
/// goes on doing so.
const SAFE: &str = "SELECT set_config('synchronous_commit', 'on', true) \
    WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')";

/// A server and, most of the time, a connection to it.
pub(super) struct Postgresql {
    server: Connector,
    runtime: Runtime,
    link: Option<Link>,
    /// The last transaction met another one: the next one runs while no other does, so it cannot meet any.
    alone: bool,
}

/// A connection, driven by a task of the runtime.
struct Link {
    client: Client,
    task: JoinHandle<()>,
    /// Whether there is the table by which transactions take turns.
    turns: bool,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Postgresql {
    /// Connects to the server at this address.
    pub(super) fn open(address: &Server, options: &Options) -> Result<Self> {
        let server = Connector::new(address, options)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::new(FailureKind::Broken, error.to_string()))?;
        let link = server.connect(&runtime).map_err(|refusals| server.explain(refusals))?;
        Ok(Postgresql { server, runtime, link: Some(link), alone: false })
    }

    /// A connection on which a transaction has begun.
    fn begin(&mut self) -> Result<Link, Failure> {
        if let Some(mut link) = self.link.take().filter(|link| !link.client.is_closed()) {
            match self.begin_on(&mut link) {
                // It was lost while nobody looked. Nothing has begun yet, so it can begin on another one.
                Err(failure) if failure.kind == FailureKind::Lost => {}
                Err(failure) => {
                    self.end(link);
                    return Err(failure);
                }
                Ok(()) => return Ok(link),
            }
        }
        let mut link = self.server.connect(&self.runtime).map_err(connect::into_failure)?;
        self.begin_on(&mut link)?;
        Ok(link)
    }

    fn begin_on(&self, link: &mut Link) -> Result<(), Failure> {
        if !link.turns {
            let mut open = Open { link, server: &self.server, runtime: &self.runtime };
            let found = open.query("SELECT to_regclass('migrations') IS NOT NULL", &[])?;
            link.turns = found.first().map_or(Ok(0), |row| row.int(0))? == 1;
        }
        let lock = match (link.turns, self.alone) {
            (false, _) => "",
            (true, false) => "LOCK TABLE migrations IN ROW SHARE MODE;",
            (true, true) => "LOCK TABLE migrations IN EXCLUSIVE MODE;",
        };
        let settings = self.server.settings();
        // The lock comes before the first question, because that is when the transaction's view of the world is taken.
        self.command(link, &format!("BEGIN ISOLATION LEVEL SERIALIZABLE; {settings} {lock} {SAFE}"))
    }

    fn command(&self, link: &Link, command: &str) -> Result<(), Failure> {
        self.server.ask(&self.runtime, link.client.batch_execute(command))
    }

    /// Takes back what a connection has not committed, and keeps it if it can still be used.
    fn end(&mut self, link: Link) {
        if !link.client.is_closed() && self.command(&link, "ROLLBACK").is_ok() {
            self.link = Some(link);
        }
    }
}

impl Engine for Postgresql {
    fn name(&self) -> &'static str {
        "postgresql"
    }

    fn transaction(&mut self, work: &mut dyn FnMut(&mut dyn Session) -> Result<(), Failure>) -> Result<(), Failure> {
        // Out of its place while it is in use: if `work` panics it is closed, and with it the transaction.
        let link = self.begin()?;
        let done = work(&mut Open { link: &link, server: &self.server, runtime: &self.runtime });
        let done = done.and_then(|()| self.command(&link, "COMMIT"));
        let alone = std::mem::take(&mut self.alone);
        let Err(mut failure) = done else {
            self.link = Some(link);
            return Ok(());
        };
        match failure.kind {
            FailureKind::Lost => drop(link),
            _ => self.end(link),
        }
        if failure.kind == FailureKind::Refused && failure.message.starts_with(connect::DOUBLE) && !alone {
            // Perhaps somebody has just written this name, unseen by us. Alone we see it, or it is a real double.
            failure.kind = FailureKind::Conflict;
        }
        self.alone = failure.kind == FailureKind::Conflict;
        Err(failure)
    }
}

/// A transaction that has begun.
struct Open<'a> {
    link: &'a Link,
    server: &'a Connector,
    runtime: &'a Runtime,
}

impl Session for Open<'_> {
    fn execute(&mut self, statement: &str, values: &[Value]) -> Result<u64, Failure> {
        let (text, wanted) = values::with_dollars(statement);
        let bound = values::bind(values, wanted)?;
        self.server.ask(self.runtime, self.link.client.execute_typed(&text, &values::typed(&bound)))
    }

    fn query(&mut self, statement: &str, values: &[Value]) -> Result<Vec<Row>, Failure> {
        let (text, wanted) = values::with_dollars(statement);
        let bound = values::bind(values, wanted)?;
        let rows = self.server.ask(self.runtime, self.link.client.query_typed(&text, &values::typed(&bound)))?;
        rows.iter().map(values::read).collect()
    }
}
