//! Everything that the core of an open shop took, in files of bounded size: replayed, it gives the same receipts. When the disk
//! that it may use is full the oldest file is deleted.

use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::base::{Error, Result, ShopTime};
use crate::facts::{Body, Cut, Fact};
use crate::ports::{FactSink, FactSource};
use crate::recording::{Reader, Writer};
use crate::replay::parts_in;
use crate::shop::Shop;

const ENDING: &str = "mcap";

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordLimits {
    /// A file that is longer is ended, and the next one begun, bytes.
    pub file_bytes: u64,
    /// All files together; beyond it the oldest is deleted, bytes.
    pub disk_bytes: u64,
}

/// A recording under way.
pub struct Recorder {
    folder: PathBuf,
    shop: Arc<Shop>,
    cut: Cut,
    limits: RecordLimits,
    /// The number of the next file.
    number: u64,
    open: Option<Open>,
    /// Up to here facts are on disk, by when they arrived.
    until: Option<ShopTime>,
    deleted: u64,
}

/// The file that is written to.
struct Open {
    path: PathBuf,
    writer: Writer<Counted>,
    bytes: Arc<AtomicU64>,
}

impl Recorder {
    /// Goes on recording in a folder, which is made where it is not there.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(folder: &Path, shop: &Arc<Shop>, cut: Cut, limits: RecordLimits) -> Result<Self> {
        fs::create_dir_all(folder).map_err(|error| Error::io("make", folder, &error))?;
        let files = parts_in(folder);
        let number = files.last().map_or(0, |(number, _)| number + 1);
        let until = files.iter().rev().find_map(|(_, path)| last_arrived(path));
        let folder = folder.to_owned();
        Ok(Recorder { folder, shop: shop.clone(), cut, limits, number, open: None, until, deleted: 0 })
    }

    /// Takes a fact, unless an earlier process has recorded it.
    ///
    /// # Errors
    /// When the disk refuses; the fact is then not recorded, and the next one begins a new file.
    pub fn put(&mut self, fact: &Fact) -> Result<()> {
        if self.until.is_some_and(|until| fact.stamp.arrived <= until) {
            return Ok(());
        }
        if !self.cut.holds(fact.body.topic()) {
            // The journal of an older aisle may hold what boards said in a form of which no recording could tell it from decisions.
            let refused =
                || Error::input("a recording cannot hold this event of a shelf, for it looks like a decision");
            return if matches!(fact.body, Body::Shelf(_)) { Err(refused()) } else { Ok(()) };
        }
        let open = match &mut self.open {
            Some(open) => open,
            None => {
                let begun = self.begin(fact.stamp.arrived)?;
                self.open.insert(begun)
            }
        };
        let put = open.writer.put(fact);
        let is_full = self.limits.file_bytes < open.bytes.load(Ordering::Relaxed);
        if is_full || put.is_err() {
            let ended = self.end();
            put?;
            ended?;
        }
        Ok(())
    }

    /// Gives everything that was taken to the system, so that a kill loses none of it.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn flush(&mut self) -> Result<()> {
        self.open.as_mut().map_or(Ok(()), |open| open.writer.flush())
    }

    /// Ends the file that is written to.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn end(&mut self) -> Result<()> {
        let Some(open) = self.open.take() else { return Ok(()) };
        open.writer.finish().map_err(|error| error.at_path(&open.path))?;
        self.make_room()
    }

    /// Files that were deleted for want of room since this process began.
    pub fn deleted(&self) -> u64 {
        self.deleted
    }

    fn begin(&mut self, at: ShopTime) -> Result<Open> {
        let day: String = at.to_string().chars().filter(char::is_ascii_alphanumeric).collect();
        let path = self.folder.join(format!("{:06}-{}.{ENDING}", self.number, day.get(..15).unwrap_or(&day)));
        let file = File::create_new(&path).map_err(|error| Error::io("write", &path, &error))?;
        let bytes = Arc::new(AtomicU64::new(0));
        let out = Counted { file: BufWriter::new(file), bytes: bytes.clone() };
        let writer = Writer::new(out, &self.shop, None, self.cut).inspect_err(|_| {
            // What was begun and holds nothing is not left there.
            let _ = fs::remove_file(&path);
        })?;
        self.number += 1;
        Ok(Open { path, writer, bytes })
    }

    /// Deletes the oldest files until the rest has room.
    fn make_room(&mut self) -> Result<()> {
        let files = parts_in(&self.folder);
        let length = |path: &Path| fs::metadata(path).map_or(0, |data| data.len());
        let mut held: u64 = files.iter().map(|(_, path)| length(path)).sum();
        for (_, path) in files.iter().take(files.len().saturating_sub(1)) {
            if held <= self.limits.disk_bytes {
                break;
            }
            held -= length(path);
            fs::remove_file(path).map_err(|error| Error::io("delete", path, &error))?;
            self.deleted += 1;
        }
        Ok(())
    }
}

/// When the last fact of a file arrived that can be read.
fn last_arrived(path: &Path) -> Option<ShopTime> {
    let mut reader = Reader::open(path).ok()?;
    let mut last = None;
    // After an error it goes on behind the broken place; where it cannot, it says that it is at its end.
    while let Some(read) = reader.next_fact().transpose() {
        last = last.max(read.ok().map(|fact: Fact| fact.stamp.arrived));
    }
    last
}

/// A file whose length is known to others.
struct Counted {
    file: BufWriter<File>,
    bytes: Arc<AtomicU64>,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.bytes.fetch_add(written as u64, Ordering::Relaxed);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
