//! Facts out of files: our own recordings and the formats of others. It takes a path and gives a source of facts, and
//! says what it had to leave out. It never changes a fact and never shows the truth to anybody who thinks.

pub mod autocheckout;
pub mod motchallenge;
mod parts;

#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::base::{Error, Kind, Result};
use crate::facts::Fact;
use crate::ports::FactSource;
use crate::recording::{Cut, Losses, Reader, TOLERATE, refuse_packed};
use crate::shop::Shop;
use crate::truth::Truth;
use autocheckout::AutoCheckout;
use parts::Parts;

/// Warnings about broken places of one recording that are kept.
const WARNINGS_MAX: usize = 200;

/// The formats that can be replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A recording of aisle.
    Mcap,
    /// An AutoCheckout test-case folder.
    AutoCheckout,
}

/// How to replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Leave out what is broken with a warning, instead of reporting it as an error.
    pub tolerate: bool,
}

/// A recording of any format being replayed.
pub struct Replay {
    source: Source,
    options: Options,
    length: u64,
    broken: Vec<String>,
    /// Broken places beyond those that are kept.
    more: u64,
}

enum Source {
    Mcap(Box<Reader<BufReader<File>>>),
    Parts(Box<Parts>),
    AutoCheckout(Box<AutoCheckout>),
}

/// Opens a recording; finds out its format where none is given.
///
/// # Errors
/// When nothing is there, nothing of it can be read, or its format is not one of ours.
pub fn open(path: &Path, format: Option<Format>, options: Options) -> Result<Replay> {
    let format = format.map_or_else(|| recognise(path), Ok)?;
    let (source, length) = match format {
        Format::Mcap if path.is_dir() => {
            let parts = Parts::open(parts::files(path), !options.tolerate)?;
            let (_, length) = parts.progress();
            (Source::Parts(Box::new(parts)), length)
        }
        Format::Mcap => {
            let reader = Reader::open(path)?;
            // Nothing follows from a recording that is known to be broken.
            let reader = if options.tolerate { reader } else { reader.check()? };
            (Source::Mcap(Box::new(reader)), fs::metadata(path).map_or(0, |data| data.len()))
        }
        Format::AutoCheckout => {
            let tolerate = options.tolerate;
            let folder = AutoCheckout::open(path, autocheckout::Options { tolerate })?;
            let (_, length) = folder.progress();
            (Source::AutoCheckout(Box::new(folder)), length)
        }
    };
    Ok(Replay { source, options, length, broken: Vec::new(), more: 0 })
}

/// The parts of a recording in a folder, with their numbers, oldest first; none where it is no such folder.
pub fn parts_in(folder: &Path) -> Vec<(u64, PathBuf)> {
    parts::files(folder)
}

/// Tells the format of a file or folder.
///
/// # Errors
/// When nothing is there, or it is of no format that can be replayed.
pub fn recognise(path: &Path) -> Result<Format> {
    let data = fs::metadata(path).map_err(|error| Error::io("open", path, &error))?;
    if data.is_dir() {
        if autocheckout::is_one(path) {
            return Ok(Format::AutoCheckout);
        }
        if !parts::files(path).is_empty() {
            return Ok(Format::Mcap);
        }
        let hint = "a recording is a .mcap file, a folder that `aisle serve --record` wrote, or an AutoCheckout folder \
                    with planogram.json and plate_data.json";
        return Err(Error::input("nothing in this folder can be replayed").at_path(path).hint(hint));
    }
    if !data.is_file() {
        let hint = "write it to a file first";
        return Err(Error::input("this is not a file, and a recording is one").at_path(path).hint(hint));
    }
    let mut head = Vec::new();
    let file = File::open(path).map_err(|error| Error::io("open", path, &error))?;
    file.take(64).read_to_end(&mut head).map_err(|error| Error::io("read", path, &error))?;
    let named = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("mcap"));
    if named || head.starts_with(&mcap::MAGIC[..head.len().min(mcap::MAGIC.len())]) {
        // Also what is empty or cut: the reader has the right sentence for it.
        return Ok(Format::Mcap);
    }
    if let Some(packed) = refuse_packed(&head, path) {
        return Err(packed);
    }
    let hint = match head.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{' | b'[') => "it looks like JSON; for an AutoCheckout test case give its folder, not one file of it",
        _ => "a recording is a .mcap file made by aisle, or an AutoCheckout folder",
    };
    Err(Error::input("this is not a recording").at_path(path).at_byte(0).hint(hint))
}

impl Replay {
    /// Which format it has.
    pub fn format(&self) -> Format {
        match &self.source {
            Source::Mcap(_) | Source::Parts(_) => Format::Mcap,
            Source::AutoCheckout(_) => Format::AutoCheckout,
        }
    }

    /// How deep it is cut.
    pub fn cut(&self) -> Cut {
        match &self.source {
            Source::Mcap(reader) => reader.cut(),
            Source::Parts(parts) => parts.reader().cut(),
            Source::AutoCheckout(_) => Cut::Tracked,
        }
    }

    /// What really happened, if the recording says.
    pub fn truth(&self) -> Option<&Truth> {
        match &self.source {
            Source::Mcap(reader) => reader.truth(),
            Source::Parts(parts) => parts.reader().truth(),
            Source::AutoCheckout(folder) => folder.truth(),
        }
    }

    /// What was assumed or left out so far, in plain sentences; complete after the last fact.
    pub fn warnings(&self) -> Vec<String> {
        let mut all = match &self.source {
            Source::AutoCheckout(folder) => folder.warnings(),
            Source::Mcap(_) | Source::Parts(_) => match self.losses() {
                losses if losses == Losses::default() => Vec::new(),
                losses => vec![format!("left out: {losses}")],
            },
        };
        all.extend(self.broken.iter().cloned());
        all.extend((0 < self.more).then(|| format!("and {} more broken places", self.more)));
        all
    }

    /// How much of a recording was left out so far; complete after the last fact. Nothing of a foreign folder, which tells it
    /// in its warnings.
    pub fn losses(&self) -> Losses {
        match &self.source {
            Source::Mcap(reader) => reader.losses(),
            Source::Parts(parts) => parts.losses(),
            Source::AutoCheckout(_) => Losses::default(),
        }
    }

    /// Bytes read so far, and bytes to read in all.
    pub fn progress(&self) -> (u64, u64) {
        match &self.source {
            Source::Mcap(reader) => (reader.position(), self.length),
            Source::Parts(parts) => parts.progress(),
            Source::AutoCheckout(folder) => folder.progress(),
        }
    }
}

impl FactSource for Replay {
    fn shop(&self) -> &Shop {
        match &self.source {
            Source::Mcap(reader) => reader.shop(),
            Source::Parts(parts) => parts.shop(),
            Source::AutoCheckout(folder) => folder.shop(),
        }
    }

    fn left_out(&self) -> u64 {
        match &self.source {
            Source::Mcap(reader) => reader.left_out(),
            Source::Parts(parts) => parts.left_out(),
            Source::AutoCheckout(folder) => folder.left_out(),
        }
    }

    fn next_fact(&mut self) -> Result<Option<Fact>> {
        loop {
            let result = match &mut self.source {
                Source::Mcap(reader) => reader.next_fact(),
                Source::Parts(parts) => parts.next_fact(),
                Source::AutoCheckout(folder) => folder.next_fact(),
            };
            let is_own = !matches!(self.source, Source::AutoCheckout(_));
            let result = result.map_err(|error| match error.kind() {
                Kind::Input if is_own && !self.options.tolerate => error.hint_further(TOLERATE),
                _ => error,
            });
            match result {
                Err(error) if self.options.tolerate => {
                    if self.broken.len() < WARNINGS_MAX {
                        self.broken.push(error.to_string());
                    } else {
                        self.more += 1;
                    }
                }
                result => return result,
            }
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Format::Mcap => "mcap",
            Format::AutoCheckout => "autocheckout",
        })
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "mcap" => Ok(Format::Mcap),
            "autocheckout" => Ok(Format::AutoCheckout),
            _ => Err(format!("`{text}` is not a format: write mcap or autocheckout")),
        }
    }
}
