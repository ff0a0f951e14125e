//! The provider's books in a file: a JSON line for each order, on the disk before the answer is given.
//! It takes entries and gives them back, by reading the file line by line. It never holds more than one line.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::entry::Entry;
use crate::base::{Error, Result, TransferId};

/// How every line begins, and so what is cut off as a torn one.
const BEGINNING: &[u8] = b"{\"order\":";
/// Bytes of one line: far more than an order without its goods has.
const LINE_BYTES_MAX: u64 = 64 << 10;

/// A journal that is open for appending; nobody else writes it meanwhile.
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    /// Bytes of whole lines.
    length: u64,
}

impl Journal {
    /// Opens or makes the file, gives what it says to `take` and cuts off a torn last line. Only its owner may read it
    /// from then on: it tells who paid how much.
    ///
    /// # Errors
    /// When it cannot be opened, another process has it, it is no journal, or a line is not an entry.
    pub(super) fn open(path: &Path, take: impl FnMut(Entry)) -> Result<Journal> {
        let is_new = !path.exists();
        let mut options = OpenOptions::new();
        options.create(true).append(true).read(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|error| Error::io("open", path, &error))?;
        let found = file.metadata().map_err(|error| Error::io("open", path, &error))?;
        if !found.is_file() {
            return Err(Error::usage("the sandbox keeps its journal in a file, and this is none").at_path(path));
        }
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::unavailable("another process writes this journal of the sandbox")
                    .at_path(path)
                    .hint("stop the `aisle serve` or `aisle replay --charge` that has this book, or name another with --db"));
            }
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", path, &error)),
        }
        let length = read(&file, path, take)?;
        close_to_others(&file, path)?;
        if is_new {
            keep_name(path)?;
        }
        if length < found.len() {
            file.set_len(length).map_err(|error| Error::io("cut a torn line off", path, &error))?;
        }
        Ok(Journal { path: path.to_owned(), file, length })
    }

    /// Writes an entry, and waits until it is on the disk.
    ///
    /// # Errors
    /// When the file is gone or the disk refuses; the entry is then taken back if that can be done.
    pub(super) fn append(&mut self, entry: &Entry) -> Result<()> {
        if !self.is_at_its_place() {
            return Err(Error::unavailable("the sandbox's journal was removed or replaced while it was open")
                .at_path(&self.path)
                .hint("put it back, or start again with another one"));
        }
        let mut line = serde_json::to_vec(entry).map_err(|error| Error::input(error.to_string()))?;
        line.push(b'\n');
        let written = self.file.write_all(&line).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            let undone = self.file.set_len(self.length).and_then(|()| self.file.sync_data());
            let failure = Error::io("append to", &self.path, &error);
            return Err(match undone {
                Ok(()) => failure,
                Err(_) => {
                    failure.hint("start again before anything else is charged: its last line may be half written")
                }
            });
        }
        self.length += line.len() as u64;
        Ok(())
    }

    /// Gives every entry to `take`, in the order in which they were written.
    ///
    /// # Errors
    /// As [`read_from`].
    pub(super) fn each(&self, take: impl FnMut(Entry)) -> Result<()> {
        read(&self.file, &self.path, take).map(drop)
    }

    /// Gives the entry of an order and all that name it to `take`, in the order in which they were written.
    ///
    /// # Errors
    /// As [`read_from`].
    pub(super) fn each_about(&self, order: TransferId, mut take: impl FnMut(Entry)) -> Result<()> {
        let name = order.to_string();
        let names_it = |line: &[u8]| std::str::from_utf8(line).is_ok_and(|line| line.contains(&name));
        for_each_line(&self.file, &self.path, |number, line| {
            if names_it(line) {
                take(entry(&self.path, number, line)?);
            }
            Ok(())
        })
        .map(drop)
    }

    #[cfg(unix)]
    fn is_at_its_place(&self) -> bool {
        use std::os::unix::fs::MetadataExt;
        let name = |found: fs::Metadata| (found.dev(), found.ino());
        let (there, here) = (fs::metadata(&self.path).map(name), self.file.metadata().map(name));
        matches!((there, here), (Ok(there), Ok(here)) if there == here)
    }

    /// Elsewhere an open file can be neither removed nor replaced.
    #[cfg(not(unix))]
    fn is_at_its_place(&self) -> bool {
        true
    }
}

/// Gives what the journal at `path` says to `take`, also while another process writes it.
///
/// # Errors
/// When it cannot be read, is no journal, or a whole line is not an entry.
pub(super) fn read_from(path: &Path, take: impl FnMut(Entry)) -> Result<()> {
    let file = File::open(path).map_err(|error| Error::io("read", path, &error))?;
    read(&file, path, take).map(drop)
}

/// Gives every entry to `take`; answers how many bytes of the file are whole lines.
fn read(file: &File, path: &Path, mut take: impl FnMut(Entry)) -> Result<u64> {
    for_each_line(file, path, |number, line| {
        take(entry(path, number, line)?);
        Ok(())
    })
}

fn entry(path: &Path, number: u64, line: &[u8]) -> Result<Entry> {
    serde_json::from_slice(line).map_err(|error| {
        Error::input(format!("not a line of the sandbox's journal: {error}")).at_path(path).at_line(number)
    })
}

/// Gives whole lines with their numbers, from 1, to `take`; answers how many bytes they have together.
fn for_each_line(mut file: &File, path: &Path, mut take: impl FnMut(u64, &[u8]) -> Result<()>) -> Result<u64> {
    let refused = |error: std::io::Error| Error::io("read", path, &error);
    file.seek(SeekFrom::Start(0)).map_err(refused)?;
    let mut reader = BufReader::new(file);
    let (mut line, mut number, mut whole) = (Vec::new(), 0, 0);
    loop {
        line.clear();
        number += 1;
        let read = (&mut reader).take(LINE_BYTES_MAX).read_until(b'\n', &mut line).map_err(refused)? as u64;
        match line.strip_suffix(b"\n") {
            Some([]) => {}
            Some(content) => take(number, content)?,
            // The answer to what was torn while it was written was never given. Anything else is not ours to cut.
            None if read < LINE_BYTES_MAX && (line.starts_with(BEGINNING) || BEGINNING.starts_with(&line)) => {
                return Ok(whole);
            }
            None => {
                return Err(Error::input(
                    "not a line of the sandbox's journal: it does not begin like one, or has no end",
                )
                .at_path(path)
                .at_line(number)
                .hint("name another file, or one that does not exist yet"));
            }
        }
        whole += read;
    }
}

/// Takes away what others than the owner might do with the file.
#[cfg(unix)]
fn close_to_others(file: &File, path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let found = file.metadata().map_err(|error| Error::io("open", path, &error))?;
    if found.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    file.set_permissions(fs::Permissions::from_mode(0o600)).map_err(|error| {
        Error::io("close to others", path, &error)
            .hint("it tells who paid how much: let its owner run `chmod 600` on it")
    })
}

#[cfg(not(unix))]
fn close_to_others(_: &File, _: &Path) -> Result<()> {
    Ok(())
}

/// Waits until the name of a new file is on the disk too.
fn keep_name(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let kept = File::open(folder).and_then(|folder| folder.sync_all());
    kept.map_err(|error| Error::io("write", folder, &error))
}
