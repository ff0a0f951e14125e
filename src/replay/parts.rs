//! A recording in parts: the folder that an open shop records into. Its files are read one after the other, as if they were one.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use crate::base::{Error, Result};
use crate::facts::Fact;
use crate::ports::FactSource;
use crate::recording::{Losses, Reader};
use crate::shop::Shop;

const ENDING: &str = "mcap";

type OpenReader = Reader<BufReader<File>>;

/// The parts under way.
pub(super) struct Parts {
    reader: Box<OpenReader>,
    rest: VecDeque<PathBuf>,
    check: bool,
    /// Of the parts before.
    losses: Losses,
    left_out: u64,
    /// Of the part that is read, before it ended in the middle of something, as after a kill. Whatever was in that is at the
    /// beginning of the next part.
    torn: Option<(Losses, u64)>,
    bytes_before: u64,
    bytes: u64,
}

/// The files of such a folder with their numbers, in order; empty where it is none.
pub(super) fn files(folder: &Path) -> Vec<(u64, PathBuf)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let numbered = |path: PathBuf| {
        let number = path.file_name()?.to_str()?.split_once('-')?.0.parse().ok()?;
        (path.extension()? == ENDING).then_some((number, path))
    };
    let mut files: Vec<(u64, PathBuf)> = entries.filter_map(|entry| numbered(entry.ok()?.path())).collect();
    files.sort_unstable();
    files
}

impl Parts {
    /// Opens the first of some files; with `check` one that is known to be broken is refused when its turn comes.
    ///
    /// # Errors
    /// When there is none, or the first cannot be read.
    pub(super) fn open(files: Vec<(u64, PathBuf)>, check: bool) -> Result<Self> {
        let mut rest: VecDeque<PathBuf> = files.into_iter().map(|(_, path)| path).collect();
        let first = rest.pop_front().ok_or_else(|| Error::input("this folder has no part of a recording"))?;
        let length = |path: &PathBuf| fs::metadata(path).map_or(0, |data| data.len());
        let bytes = length(&first) + rest.iter().map(length).sum::<u64>();
        let reader = open_one(&first, check && rest.is_empty())?;
        Ok(Parts { reader, rest, check, losses: Losses::default(), left_out: 0, torn: None, bytes_before: 0, bytes })
    }

    /// The part that is read.
    pub(super) fn reader(&self) -> &OpenReader {
        &self.reader
    }

    /// What was lost of all parts so far.
    pub(super) fn losses(&self) -> Losses {
        self.losses.and(self.of_reader().0)
    }

    fn of_reader(&self) -> (Losses, u64) {
        self.torn.unwrap_or_else(|| (self.reader.losses(), self.reader.left_out()))
    }

    /// Bytes read so far, and bytes of all parts.
    pub(super) fn progress(&self) -> (u64, u64) {
        (self.bytes_before + self.reader.position(), self.bytes)
    }

    fn next_part(&mut self) -> Result<bool> {
        let Some(path) = self.rest.pop_front() else { return Ok(false) };
        // A process that was killed leaves its last part without an end; nothing is missing of it where another follows.
        let reader = open_one(&path, self.check && self.rest.is_empty())?;
        if reader.shop().draft() != self.reader.shop().draft() {
            let hint = "replay the parts of each shop, or of each state of its files, from a folder of their own";
            return Err(Error::input("this part is of another shop than those before it").at_path(&path).hint(hint));
        }
        (self.losses, self.left_out) = (self.losses(), self.left_out());
        self.torn = None;
        self.bytes_before += self.reader.position();
        self.reader = reader;
        Ok(true)
    }
}

impl FactSource for Parts {
    fn shop(&self) -> &Shop {
        self.reader.shop()
    }

    fn left_out(&self) -> u64 {
        self.left_out + self.of_reader().1
    }

    fn next_fact(&mut self) -> Result<Option<Fact>> {
        loop {
            let before = (self.reader.losses(), self.reader.left_out());
            match self.reader.next_fact() {
                Ok(None) if self.next_part()? => {}
                Err(_) if !self.rest.is_empty() && is_torn(before.0, self.reader.losses()) => self.torn = Some(before),
                read => return read,
            }
        }
    }
}

/// Whether a part has come to an end in the middle, with nothing else wrong.
fn is_torn(before: Losses, after: Losses) -> bool {
    let Losses { breaks, bytes, unread_messages, .. } = after;
    after == Losses { breaks, bytes, unread_messages, ..before }
}

fn open_one(path: &Path, check: bool) -> Result<Box<OpenReader>> {
    let reader = Reader::open(path)?;
    Ok(Box::new(if check { reader.check()? } else { reader }))
}
