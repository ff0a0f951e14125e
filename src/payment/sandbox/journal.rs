//! The provider's books in a file: a JSON line for each order, on the disk before the answer is given.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::books::{Books, Entry};
use crate::base::{Error, Result};

/// A journal that is open for appending; nobody else writes it meanwhile.
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    /// Bytes of whole lines.
    length: u64,
}

impl Journal {
    /// Opens or makes the file, reads what it says and cuts off a torn last line.
    ///
    /// # Errors
    /// When it cannot be opened, another process has it, or a line is not an entry.
    pub(super) fn open(path: &Path) -> Result<(Journal, Books)> {
        let file = OpenOptions::new().create(true).append(true).read(true).open(path);
        let mut file = file.map_err(|error| Error::io("open", path, &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::unavailable("another process writes this journal of the sandbox").at_path(path));
            }
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", path, &error)),
        }
        let (books, length) = read(path)?;
        let cut = file.set_len(length).and_then(|()| file.seek(SeekFrom::End(0)));
        cut.map_err(|error| Error::io("cut a torn line off", path, &error))?;
        Ok((Journal { path: path.to_owned(), file, length }, books))
    }

    /// Writes an entry, and waits until it is on the disk.
    ///
    /// # Errors
    /// When the disk refuses; the entry is then taken back if that can be done.
    pub(super) fn append(&mut self, entry: &Entry) -> Result<()> {
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
}

/// What a journal says, and how many bytes of it are whole lines.
///
/// # Errors
/// When it cannot be read or a whole line is not an entry.
pub(super) fn read(path: &Path) -> Result<(Books, u64)> {
    let bytes = std::fs::read(path).map_err(|error| Error::io("read", path, &error))?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let mut books = Books::default();
    for (index, line) in bytes[..whole].split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty()) {
        let entry = serde_json::from_slice(line).map_err(|error| {
            Error::input(format!("not a line of the sandbox's journal: {error}"))
                .at_path(path)
                .at_line(index as u64 + 1)
        })?;
        books.enter(entry);
    }
    Ok((books, whole as u64))
}
