//! The files of an open database, watched: the book itself, its log and the index of that. An open file that was removed,
//! replaced or cut can still be written to, and nobody will ever find what was written.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::db::{Failure, FailureKind};

/// Bytes of the head of a log.
const LOG_HEAD_BYTES: usize = 32;
/// Where its salts stand, which are others each time that it begins anew.
const SALTS: std::ops::Range<usize> = 16..24;
/// How a log begins; the last bit says in which order its sums are.
const LOG_MAGIC: u32 = 0x377f_0682;
/// Bytes of the head of a database.
const HEAD_BYTES: u64 = 100;

/// What the operating system calls a file, whatever its path.
type FileName = (u64, u64);

/// The files of one connection.
pub(super) struct Watch {
    book: Watched,
    /// Bytes that the book had at most since a vacuum.
    book_bytes: u64,
    log: Watched,
    index: Watched,
    open_log: File,
    /// Bytes and salts of the log when it was looked at last.
    log_seen: (u64, [u8; 8]),
}

/// A file that must stay where it is.
struct Watched {
    path: PathBuf,
    name: FileName,
}

/// What is wrong with the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Damage {
    /// For people.
    pub(super) message: String,
    /// The log alone is gone from its folder: the connection still has all of it, and the book is where it was.
    pub(super) has_log: bool,
}

impl Watch {
    /// Of a connection that has just read from the database at `path`, so that all three files are there.
    pub(super) fn new(path: &Path) -> Result<Self, Failure> {
        let lost = |path: &Path, error: std::io::Error| {
            Failure::new(FailureKind::Lost, format!("{} cannot be watched: {error}", path.display()))
        };
        // The log lies beside the book itself, not beside a link to it.
        let real = fs::canonicalize(path).map_err(|error| lost(path, error))?;
        let watched = |suffix: &str| {
            let mut path = real.as_os_str().to_owned();
            path.push(suffix);
            let path = PathBuf::from(path);
            match fs::metadata(&path) {
                Ok(found) => Ok(Watched { name: name_of(&found), path }),
                Err(error) => Err(lost(&path, error)),
            }
        };
        let (book, log, index) = (watched("")?, watched("-wal")?, watched("-shm")?);
        let open_log = File::open(&log.path).map_err(|error| lost(&log.path, error))?;
        let mut watch = Watch { book, book_bytes: 0, log, index, open_log, log_seen: (0, [0; 8]) };
        watch.look().map_err(Failure::from)?;
        Ok(watch)
    }

    /// Looks at the files, and remembers how they are.
    pub(super) fn look(&mut self) -> Result<(), Damage> {
        let book_bytes = self.book.look("the file")?;
        if book_bytes < HEAD_BYTES {
            return Err(damage("the file was emptied while it was open"));
        }
        self.book_bytes = self.book_bytes.max(book_bytes);
        self.log.look("its log").map_err(|damage| Damage { has_log: !self.log.path.exists(), ..damage })?;
        self.index.look("the index of its log")?;
        self.look_into_log()
    }

    /// Whether the book has become shorter since this was asked last: a vacuum does that, and so does damage.
    pub(super) fn has_shrunk(&mut self) -> bool {
        let now = fs::metadata(&self.book.path).map_or(0, |found| found.len());
        let shrunk = now < self.book_bytes;
        self.book_bytes = now;
        shrunk
    }

    fn look_into_log(&mut self) -> Result<(), Damage> {
        let unreadable = |error: std::io::Error| damage(format!("its log cannot be read: {error}"));
        let bytes = self.open_log.metadata().map_err(unreadable)?.len();
        let mut head = [0; LOG_HEAD_BYTES];
        let known = if bytes < LOG_HEAD_BYTES as u64 {
            false
        } else {
            read_at_start(&self.open_log, &mut head).map_err(unreadable)?;
            let [a, b, c, d, ..] = head;
            if u32::from_be_bytes([a, b, c, d]) & !1 != LOG_MAGIC {
                return Err(damage("its log was cut while it was open"));
            }
            true
        };
        let mut salts = [0; 8];
        salts.copy_from_slice(&head[SALTS]);
        // A log that begins anew has other salts; one that was brought into the book and emptied has none.
        if known && bytes < self.log_seen.0 && salts == self.log_seen.1 {
            return Err(damage("its log was cut while it was open"));
        }
        self.log_seen = (bytes, salts);
        Ok(())
    }
}

impl Watched {
    /// Its size, if it is where it was.
    fn look(&self, what: &str) -> Result<u64, Damage> {
        match fs::metadata(&self.path) {
            Ok(found) if name_of(&found) == self.name => Ok(found.len()),
            Ok(_) => Err(damage(format!("{what} was replaced while it was open"))),
            Err(_) => Err(damage(format!("{what} was removed while it was open"))),
        }
    }
}

fn damage(message: impl Into<String>) -> Damage {
    Damage { message: message.into(), has_log: false }
}

impl From<Damage> for Failure {
    fn from(damage: Damage) -> Self {
        Failure::new(FailureKind::Lost, damage.message)
    }
}

#[cfg(unix)]
fn name_of(found: &fs::Metadata) -> FileName {
    use std::os::unix::fs::MetadataExt;
    (found.dev(), found.ino())
}

/// Elsewhere an open file can be neither removed nor replaced.
#[cfg(not(unix))]
fn name_of(_: &fs::Metadata) -> FileName {
    (0, 0)
}

#[cfg(unix)]
fn read_at_start(file: &File, bytes: &mut [u8]) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, 0)
}

#[cfg(not(unix))]
fn read_at_start(mut file: &File, bytes: &mut [u8]) -> std::io::Result<()> {
    use std::io::{Read, Seek, SeekFrom};
    file.seek(SeekFrom::Start(0))?;
    file.read_exact(bytes)
}
