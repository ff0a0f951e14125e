//! SQLite in a file or in memory.

mod watch;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::ffi;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql};

use self::watch::{Damage, Watch};
use super::{Engine, Failure, FailureKind, Options, Row, Session, Value};
use crate::base::{Error, Result, Span};

/// Statements that are kept ready; the least used one goes.
const STATEMENTS_MAX: usize = 256;

/// Bytes of the write-ahead log that stay on the disk after a checkpoint.
const LOG_BYTES_KEPT: i64 = 64 << 20;

/// Links that are followed from one to the next.
const LINKS_MAX: usize = 40;

/// Pause between two attempts to turn the log on.
const LOG_PAUSE: Duration = Duration::from_millis(10);

/// What every connection is told before anything else. The log is flushed at every commit; a row that `REPLACE` removes
/// meets the triggers too; nothing in a file that somebody else made can call functions.
const SETTINGS: &str = "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA foreign_keys = ON; \
    PRAGMA recursive_triggers = ON; PRAGMA trusted_schema = OFF;";

/// A file, or memory that lives as long as this value.
pub(super) struct Sqlite {
    /// `None` for memory.
    path: Option<PathBuf>,
    wait: Span,
    open: Option<Handle>,
}

/// A connection, and the watch over its files; memory has none.
struct Handle {
    connection: Connection,
    watch: Option<Watch>,
}

impl Sqlite {
    /// Opens or creates the file at `path`; memory without one.
    pub(super) fn open(path: Option<&Path>, options: &Options) -> Result<Self> {
        let mut engine = Sqlite { path: path.map(Path::to_owned), wait: options.wait_span_max, open: None };
        if let Some(path) = path {
            prepare_file(path, options.create)?;
        }
        engine.open = Some(engine.connect().map_err(|failure| explain(failure, path))?);
        Ok(engine)
    }

    fn connect(&self) -> Result<Handle, Failure> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match &self.path {
            Some(path) => Connection::open_with_flags(path, flags),
            None => Connection::open_in_memory(),
        };
        let connection = connection.map_err(|error| failure(&error))?;
        configure(&connection, self.wait).map_err(|error| failure(&error))?;
        let mode = use_log(&connection, self.wait)?;
        if self.path.is_some() && mode != "wal" {
            let message = format!("its file system allows journal mode `{mode}` only, not `wal`");
            return Err(Failure::new(FailureKind::Broken, message));
        }
        let mut watch = None;
        if let Some(path) = &self.path {
            // The log and its index are there once something was read.
            connection
                .query_row("SELECT COUNT(*) FROM sqlite_schema", [], |_| Ok(()))
                .map_err(|error| failure(&error))?;
            watch = Some(Watch::new(path)?);
        }
        Ok(Handle { connection, watch })
    }
}

impl Engine for Sqlite {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn transaction(&mut self, work: &mut dyn FnMut(&mut dyn Session) -> Result<(), Failure>) -> Result<(), Failure> {
        // Out of its place while it is in use: if `work` panics it is closed, and with it the transaction.
        let mut handle = self.open.take().map_or_else(|| self.connect(), Ok)?;
        let mut done = handle.run(work);
        if let Err(failure) = &mut done
            && failure.kind != FailureKind::Work
            && let Some(Err(damage)) = handle.watch.as_mut().map(Watch::look)
        {
            failure.kind = FailureKind::Lost;
            failure.message = handle.give_up(damage);
            return done;
        }
        // What went wrong with a file may be well when it is opened again. Memory would be gone.
        if self.path.is_none() || !matches!(&done, Err(failure) if failure.kind == FailureKind::Lost) {
            self.open = Some(handle);
        }
        done
    }
}

impl Handle {
    fn run(&mut self, work: &mut dyn FnMut(&mut dyn Session) -> Result<(), Failure>) -> Result<(), Failure> {
        let Handle { connection, watch } = self;
        connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| failure(&error))?;
        // Looked at while nobody else can write; and again when all is said, for what was written must be found.
        let done = look(watch, connection)
            .and_then(|()| work(&mut Open { connection }))
            .and_then(|()| connection.execute_batch("COMMIT").map_err(|error| failure(&error)));
        // Some failures have ended the transaction already.
        if done.is_err() && !connection.is_autocommit() {
            connection.execute_batch("ROLLBACK").map_err(|error| {
                let Failure { message, .. } = failure(&error);
                Failure::new(FailureKind::Lost, format!("a transaction could not be taken back: {message}"))
            })?;
        }
        done?;
        watch.as_mut().map_or(Ok(()), |watch| watch.look().map_err(Failure::from))
    }

    /// Closes a connection whose files are not what they were; says what became of them. Where the log alone is gone from
    /// its folder, what is in it is brought into the book first. In any other case nothing is written: it could be
    /// written over what somebody else has put there.
    fn give_up(&self, Damage { message, has_log }: Damage) -> String {
        let column = |row: &rusqlite::Row<'_>, at| row.get::<usize, i64>(at);
        let saved = has_log
            && self
                .connection
                .query_row("PRAGMA wal_checkpoint(FULL)", [], |row| {
                    Ok((column(row, 0)?, column(row, 1)?, column(row, 2)?))
                })
                .is_ok_and(|(busy, all, done)| busy == 0 && 0 <= all && all == done);
        // Closing must not do it again, nor remove a log that somebody else has put there.
        let _ = self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        match saved {
            true => format!("{message}; what was in it is saved"),
            false => message,
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // Closing brings the log into the book, which does harm where one of the two is not what it was.
        if let Some(Err(Damage { has_log: false, .. })) = self.watch.as_mut().map(Watch::look) {
            let _ = self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        }
    }
}

/// Looks at the files of a connection. A book that has become shorter is read as a whole, once.
fn look(watch: &mut Option<Watch>, connection: &Connection) -> Result<(), Failure> {
    let Some(watch) = watch else { return Ok(()) };
    if watch.has_shrunk() {
        let sound = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
        if sound.as_deref().ok() != Some("ok") {
            return Err(Failure::new(FailureKind::Lost, "the file was cut while it was open"));
        }
    }
    watch.look().map_err(Failure::from)
}

/// A transaction that has begun.
struct Open<'a> {
    connection: &'a Connection,
}

impl Session for Open<'_> {
    fn execute(&mut self, statement: &str, values: &[Value]) -> Result<u64, Failure> {
        // `changes` speaks of the last statement that changed rows, which need not be this one.
        let before = self.connection.total_changes();
        let mut prepared = prepare(self.connection, statement, values)?;
        prepared.raw_execute().map_err(|error| failure(&error))?;
        Ok(if self.connection.total_changes() == before { 0 } else { self.connection.changes() })
    }

    fn query(&mut self, statement: &str, values: &[Value]) -> Result<Vec<Row>, Failure> {
        let mut prepared = prepare(self.connection, statement, values)?;
        let columns = prepared.column_count();
        let (mut found, mut rows) = (Vec::new(), prepared.raw_query());
        while let Some(row) = rows.next().map_err(|error| failure(&error))? {
            let values = (0..columns).map(|column| read(row.get_ref(column).map_err(|error| failure(&error))?));
            found.push(Row(values.collect::<Result<_, Failure>>()?));
        }
        Ok(found)
    }
}

fn prepare<'a>(
    connection: &'a Connection,
    statement: &str,
    values: &[Value],
) -> Result<rusqlite::CachedStatement<'a>, Failure> {
    let mut prepared = connection.prepare_cached(statement).map_err(|error| failure(&error))?;
    let wanted = prepared.parameter_count();
    if wanted != values.len() {
        let message = format!("the statement has {wanted} parameters, {} values were given", values.len());
        return Err(Failure::new(FailureKind::Broken, message));
    }
    for (index, value) in values.iter().enumerate() {
        prepared.raw_bind_parameter(index + 1, value).map_err(|error| failure(&error))?;
    }
    Ok(prepared)
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Int(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn read(value: ValueRef<'_>) -> Result<Value, Failure> {
    match value {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(number) => Ok(Value::Int(number)),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Value::Text(text.to_owned())),
            Err(_) => Err(Failure::new(FailureKind::Broken, "a text is not UTF-8")),
        },
        ValueRef::Blob(bytes) => Ok(Value::Bytes(bytes.to_owned())),
        ValueRef::Real(_) => Err(Failure::new(FailureKind::Broken, "a value is a floating-point number")),
    }
}

/// Turns the write-ahead log on; gives the mode that the file is in then. Where several open a new file at one moment
/// SQLite says at once that it is busy, without waiting as it was told, so the waiting is done here.
fn use_log(connection: &Connection, wait: Span) -> Result<String, Failure> {
    let begun = Instant::now();
    loop {
        let mode = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0));
        match mode.map_err(|error| failure(&error)) {
            Err(failure) if failure.kind == FailureKind::Busy && begun.elapsed().as_secs_f64() < wait.as_secs() => {
                thread::sleep(LOG_PAUSE);
            }
            done => return done,
        }
    }
}

fn configure(connection: &Connection, wait: Span) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection.busy_timeout(Duration::from_nanos(u64::try_from(wait.as_nanos()).unwrap_or(0)))?;
    connection.execute_batch(SETTINGS)?;
    connection.pragma_update_and_check(None, "journal_size_limit", LOG_BYTES_KEPT, |_| Ok(()))
}

/// Where a file is, through all links, also through one that leads to a file that is not there yet.
pub(super) fn real_path(path: &Path) -> std::io::Result<PathBuf> {
    if let Ok(found) = fs::canonicalize(path) {
        return Ok(found);
    }
    let mut path = path.to_owned();
    for _ in 0..LINKS_MAX {
        let Ok(target) = fs::read_link(&path) else { break };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(fs::canonicalize(folder)?.join(path.file_name().unwrap_or_default()))
}

/// Sees to it that there is a file that nobody else reads, or says why there cannot be one.
fn prepare_file(path: &Path, create: bool) -> Result<()> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => {
            Err(Error::usage("this is a folder, not a database").at_path(path).hint("name a file, such as `shop.db`"))
        }
        Ok(found) if !found.is_file() => Err(Error::usage("this is not a regular file, and a book is one")
            .at_path(path)
            .hint("name a file, such as `shop.db`")),
        Ok(found) => {
            if create {
                close_to_others(path, &found);
            }
            refuse_second_names(path, &found)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && create => {
            let mut options = fs::OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            // A link to a file that is not there yet leads to where it will be.
            match options.open(real_path(path).as_deref().unwrap_or(path)) {
                // Somebody else was first, which is as good.
                Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                    Err(Error::io("create the database", path, &error))
                }
                _ => Ok(()),
            }
        }
        Err(error) => Err(Error::io("open the database", path, &error)),
    }
}

/// SQLite keeps the log beside the name that a file was opened by: with two names there would be two logs, and what is in
/// one of them is lost to who comes by the other.
#[cfg(unix)]
fn refuse_second_names(path: &Path, found: &fs::Metadata) -> Result<()> {
    match std::os::unix::fs::MetadataExt::nlink(found) {
        0 | 1 => Ok(()),
        names => Err(Error::input(format!("this file has {names} names (hard links), and a book has one"))
            .at_path(path)
            .hint("remove the other names, or make a copy with `cp` and open that")),
    }
}

#[cfg(not(unix))]
fn refuse_second_names(_: &Path, _: &fs::Metadata) -> Result<()> {
    Ok(())
}

/// A book holds names of people: what everybody on the machine might do with the file and its log is taken away. The
/// group stays as somebody has set it. A file of another owner stays as it is.
#[cfg(unix)]
fn close_to_others(path: &Path, found: &fs::Metadata) {
    use std::os::unix::fs::PermissionsExt;
    let mode = found.permissions().mode() & 0o7777;
    if mode & 0o007 == 0 {
        return;
    }
    for ending in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        // Its log need not be there.
        let _ = fs::set_permissions(&name, fs::Permissions::from_mode(mode & !0o007));
    }
}

#[cfg(not(unix))]
fn close_to_others(_: &Path, _: &fs::Metadata) {}

/// What SQLite says of a file that is a database and does not hold together.
const MALFORMED: &str = "malformed";

/// What a failure means to somebody who wanted to open this file.
fn explain(failure: Failure, path: Option<&Path>) -> Error {
    let Some(path) = path else { return failure.into() };
    match failure.kind {
        FailureKind::Broken if failure.message.contains(MALFORMED) => {
            Error::broken(format!("this database is damaged: {}", failure.message))
                .at_path(path)
                .hint("it was cut short or written over; keep it as it is, and open a copy from before")
        }
        FailureKind::Broken => Error::input(format!("cannot use this database: {}", failure.message))
            .at_path(path)
            .hint("name a file that aisle has made, or one that does not exist yet"),
        FailureKind::Lost => match fs::OpenOptions::new().read(true).append(true).open(path) {
            Err(error) => Error::io("open the database", path, &error),
            Ok(_) => Error::unavailable(format!("cannot open the database: {}", failure.message))
                .at_path(path)
                .hint("its folder must be writable too: SQLite keeps its log beside the file"),
        },
        _ => Error::from(failure).at_path(path),
    }
}

fn failure(error: &rusqlite::Error) -> Failure {
    let (code, message) = match error {
        rusqlite::Error::SqliteFailure(code, message) => (Some(code), message.clone()),
        rusqlite::Error::SqlInputError { error, msg, .. } => (Some(error), Some(msg.clone())),
        _ => (None, None),
    };
    let kind = code.map_or(FailureKind::Broken, kind);
    Failure::new(kind, message.unwrap_or_else(|| error.to_string()))
}

fn kind(error: &ffi::Error) -> FailureKind {
    match error.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => FailureKind::Busy,
        ErrorCode::DiskFull => FailureKind::Full,
        // The index of the log grows by writing to it, which fails for want of space only.
        ErrorCode::SystemIoFailure if error.extended_code == ffi::SQLITE_IOERR_SHMSIZE => FailureKind::Full,
        ErrorCode::SystemIoFailure
        | ErrorCode::CannotOpen
        | ErrorCode::ReadOnly
        | ErrorCode::PermissionDenied
        | ErrorCode::FileLockingProtocolFailed => FailureKind::Lost,
        ErrorCode::ConstraintViolation => FailureKind::Refused,
        _ => FailureKind::Broken,
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::{FailureKind, kind};

    #[test]
    fn codes_say_whether_to_try_again() {
        let cases = [
            (ffi::SQLITE_BUSY_SNAPSHOT, FailureKind::Busy),
            (ffi::SQLITE_LOCKED, FailureKind::Busy),
            (ffi::SQLITE_FULL, FailureKind::Full),
            (ffi::SQLITE_IOERR_SHMSIZE, FailureKind::Full),
            (ffi::SQLITE_IOERR_FSYNC, FailureKind::Lost),
            (ffi::SQLITE_CANTOPEN, FailureKind::Lost),
            (ffi::SQLITE_READONLY_DBMOVED, FailureKind::Lost),
            (ffi::SQLITE_CONSTRAINT_TRIGGER, FailureKind::Refused),
            (ffi::SQLITE_CONSTRAINT_UNIQUE, FailureKind::Refused),
            (ffi::SQLITE_NOTADB, FailureKind::Broken),
            (ffi::SQLITE_CORRUPT, FailureKind::Broken),
            (ffi::SQLITE_ERROR, FailureKind::Broken),
        ];
        for (code, wanted) in cases {
            assert_eq!(kind(&ffi::Error::new(code)), wanted, "{code}");
        }
    }
}
