//! The facts that were taken since the book was written last, on disk before whoever sent them is told so. Killed at any
//! instant, an open shop takes them again from here. It knows their order and never what they say.
//!
//! A folder of segments, each a head and records, one a fact:
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `AISLEJNL` |
//! | 2 | version of the format, big-endian |
//! | 32 | SHA-256 of the shop's name |
//! | 8 | how many facts had been taken before its first one, big-endian |
//! | 4, 4, then so many | of each record: length and CRC-32 of the fact, big-endian; the fact as MessagePack |
//!
//! A record that was cut off in the middle ends its segment: it was not told as kept, so it is sent again.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, SHA256_OUTPUT_LEN, digest};

use crate::base::limits::{JOURNAL_BYTES_MAX, JOURNAL_SEGMENT_BYTES, MESSAGE_BYTES_MAX};
use crate::base::{Error, Result};
use crate::facts::Fact;

const MAGIC: &[u8; 8] = b"AISLEJNL";
const FORMAT: u16 = 1;
const HEAD_BYTES: usize = 8 + 2 + SHA256_OUTPUT_LEN + 8;
const ENDING: &str = "journal";
/// Room that is kept between two appends. What a broker held back comes all at once and takes megabytes, which are given back.
const BUFFER_BYTES_KEPT: usize = 256 << 10;

/// The journal of one shop. One process has it at a time.
pub struct Journal {
    folder: PathBuf,
    /// Held as long as this process has the journal.
    _lock: File,
    of_shop: [u8; SHA256_OUTPUT_LEN],
    /// First facts of the segments on disk and their lengths, oldest first; the last one is written to.
    segments: VecDeque<(u64, u64)>,
    file: Option<File>,
    /// The number of the next fact.
    next: u64,
    buffer: Vec<u8>,
}

impl Journal {
    /// Opens the journal of a shop in a folder, which is made where it is not there.
    ///
    /// # Errors
    /// When another process has it, when it is of another shop or of another version, or the folder cannot be used.
    pub fn open(folder: &Path, shop: &str) -> Result<Self> {
        fs::create_dir_all(folder).map_err(|error| Error::io("make", folder, &error))?;
        let place = folder.join("lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&place);
        let lock = lock.map_err(|error| Error::io("open", &place, &error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let hint = "one aisle runs a shop; stop the other one, or give this one another --journal";
                return Err(Error::usage("another process has this journal").at_path(folder).hint(hint));
            }
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", &place, &error)),
        }
        let of_shop = digest_of(shop);
        let mut segments = Vec::new();
        for entry in fs::read_dir(folder).map_err(|error| Error::io("read", folder, &error))? {
            let path = entry.map_err(|error| Error::io("read", folder, &error))?.path();
            let Some(first) = number_of(&path) else { continue };
            let bytes = fs::metadata(&path).map_err(|error| Error::io("read", &path, &error))?.len();
            segments.push((first, bytes));
        }
        segments.sort_unstable();
        let segments = VecDeque::from(segments);
        Ok(Journal {
            folder: folder.to_owned(),
            _lock: lock,
            of_shop,
            segments,
            file: None,
            next: 0,
            buffer: Vec::new(),
        })
    }

    /// All facts that are here, oldest first, each once, and whether it is behind the first `taken` ones; the journal then goes
    /// on behind the last of them. Where it begins later than that, so many facts are lost.
    ///
    /// # Errors
    /// When a segment cannot be read, or is of another shop or version.
    pub fn replay(&mut self, taken: u64, mut each: impl FnMut(Fact, bool) -> Result<()>) -> Result<Replayed> {
        let mut replayed = Replayed { facts: 0, lost: 0, torn: false };
        self.next = taken;
        for (first, _) in self.segments.clone() {
            let path = self.path(first);
            let mut records = Records::open(&path, &self.of_shop)?;
            let mut number = first;
            while let Some(fact) = records.next_fact()? {
                if self.next < number {
                    replayed.lost += number - self.next;
                    self.next = number;
                }
                let is_new = number == self.next;
                if is_new {
                    replayed.facts += 1;
                    self.next += 1;
                }
                if is_new || number < taken {
                    each(fact, is_new)?;
                }
                number += 1;
            }
            replayed.torn |= records.torn;
        }
        Ok(replayed)
    }

    /// How many facts were taken before the next one.
    pub fn taken(&self) -> u64 {
        self.next
    }

    /// Puts facts behind the others, and gives them to the disk. After an error none of them is kept.
    ///
    /// # Errors
    /// When the disk refuses or the journal has its greatest length, because the book could not be written for long; they
    /// may be given again.
    pub fn append<'a>(&mut self, facts: impl IntoIterator<Item = &'a Fact>) -> Result<()> {
        let held: u64 = self.segments.iter().map(|(_, bytes)| bytes).sum();
        if JOURNAL_BYTES_MAX < held {
            let why = "the journal is full, because the book cannot be written";
            return Err(Error::unavailable(why).at_path(&self.folder));
        }
        self.buffer.clear();
        let mut count = 0;
        for fact in facts {
            write_record(&mut self.buffer, fact)?;
            count += 1;
        }
        if self.segments.back().is_none_or(|(_, bytes)| JOURNAL_SEGMENT_BYTES < *bytes) || self.file.is_none() {
            self.begin_segment()?;
        }
        let (Some(file), Some((first, bytes))) = (&mut self.file, self.segments.back_mut()) else { return Ok(()) };
        let kept = file.write_all(&self.buffer).and_then(|()| file.sync_data());
        if let Err(error) = kept {
            let first = *first;
            // What was written of them is cut off, or else this segment is left where it is.
            if file.set_len(*bytes).is_err() {
                self.file = None;
            }
            return Err(Error::io("write", &self.path(first), &error));
        }
        *bytes += self.buffer.len() as u64;
        self.next += count;
        self.buffer.clear();
        self.buffer.shrink_to(BUFFER_BYTES_KEPT);
        Ok(())
    }

    /// The book knows the first `saved` facts: what is wholly before them is deleted.
    ///
    /// # Errors
    /// When a segment cannot be deleted.
    pub fn forget(&mut self, saved: u64) -> Result<()> {
        while let Some((next_first, _)) = self.segments.get(1).copied() {
            if saved < next_first {
                break;
            }
            self.delete_oldest()?;
        }
        Ok(())
    }

    /// The book knows every fact: all segments are deleted.
    ///
    /// # Errors
    /// When a segment cannot be deleted.
    pub fn clear(&mut self) -> Result<()> {
        self.file = None;
        while !self.segments.is_empty() {
            self.delete_oldest()?;
        }
        Ok(())
    }

    /// How many facts had been taken before the oldest one that is here; none where none is.
    pub fn first(&self) -> Option<u64> {
        self.segments.front().map(|(first, _)| *first)
    }

    /// What was open cannot be gone on with: the segments are put aside under another name, for a person to look at, and the
    /// journal goes on behind so many facts.
    ///
    /// # Errors
    /// When they cannot be renamed.
    pub fn put_aside(&mut self, taken: u64) -> Result<()> {
        (self.file, self.next) = (None, taken);
        for (first, _) in std::mem::take(&mut self.segments) {
            let (from, to) = (self.path(first), self.path(first).with_extension("aside"));
            fs::rename(&from, &to).map_err(|error| Error::io("rename", &from, &error))?;
        }
        Ok(())
    }

    fn delete_oldest(&mut self) -> Result<()> {
        let Some((first, _)) = self.segments.pop_front() else { return Ok(()) };
        let path = self.path(first);
        fs::remove_file(&path).map_err(|error| Error::io("delete", &path, &error))
    }

    fn begin_segment(&mut self) -> Result<()> {
        // A segment that holds no fact yet has the number that the new one is to have.
        self.segments.retain(|(first, _)| *first != self.next);
        let path = self.path(self.next);
        let mut head = MAGIC.to_vec();
        head.extend(FORMAT.to_be_bytes());
        head.extend(self.of_shop);
        head.extend(self.next.to_be_bytes());
        let begun = OpenOptions::new().create(true).append(true).open(&path).and_then(|mut file| {
            file.set_len(0)?;
            file.write_all(&head)?;
            file.sync_all()?;
            // The name of a new file is on disk when its folder is.
            File::open(&self.folder)?.sync_all()?;
            Ok(file)
        });
        self.file = Some(begun.map_err(|error| Error::io("write", &path, &error))?);
        self.segments.push_back((self.next, HEAD_BYTES as u64));
        Ok(())
    }

    fn path(&self, first: u64) -> PathBuf {
        self.folder.join(format!("{first:020}.{ENDING}"))
    }
}

/// What was read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// Facts that were given.
    pub facts: u64,
    /// Facts that should be there and are not.
    pub lost: u64,
    /// Whether a segment ends in the middle of a fact, as after a kill.
    pub torn: bool,
}

/// The records of a segment.
struct Records {
    path: PathBuf,
    file: BufReader<File>,
    torn: bool,
}

impl Records {
    fn open(path: &Path, of_shop: &[u8]) -> Result<Self> {
        let file = File::open(path).map_err(|error| Error::io("open", path, &error))?;
        let mut records = Records { path: path.to_owned(), file: BufReader::new(file), torn: false };
        let mut head = [0; HEAD_BYTES];
        if !records.fill(&mut head)? {
            // Killed while it was begun: nothing was kept in it.
            records.torn = true;
            return Ok(records);
        }
        let hint = "move the folder away if it is not needed: facts in it that the book does not know are then lost";
        if head[..8] != *MAGIC || head[8..10] != FORMAT.to_be_bytes() {
            return Err(Error::input("this is no journal that this aisle can read").at_path(path).hint(hint));
        }
        if head[10..10 + SHA256_OUTPUT_LEN] != *of_shop {
            return Err(Error::input("this is the journal of another shop").at_path(path).hint(hint));
        }
        Ok(records)
    }

    /// The next fact; none at the end and where the rest is damaged.
    fn next_fact(&mut self) -> Result<Option<Fact>> {
        let mut head = [0; 8];
        if self.torn || !self.fill(&mut head)? {
            return Ok(None);
        }
        let number = |bytes: &[u8]| bytes.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        let (length, sum) = (number(&head[..4]) as usize, number(&head[4..]));
        let mut said = vec![0; length.min(MESSAGE_BYTES_MAX)];
        let whole = length <= MESSAGE_BYTES_MAX && self.fill(&mut said)? && crc32fast::hash(&said) == sum;
        let fact = whole.then(|| rmp_serde::from_slice(&said).ok()).flatten();
        self.torn = fact.is_none();
        Ok(fact)
    }

    /// Reads so many bytes; `false` where there are fewer.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<bool> {
        let mut filled = 0;
        while filled < bytes.len() {
            match self.file.read(&mut bytes[filled..]) {
                Ok(0) => {
                    self.torn |= 0 < filled;
                    return Ok(false);
                }
                Ok(more) => filled += more,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io("read", &self.path, &error)),
            }
        }
        Ok(true)
    }
}

fn write_record(out: &mut Vec<u8>, fact: &Fact) -> Result<()> {
    let head = out.len();
    out.extend([0; 8]);
    // Fields have names, since some are left out when they are empty.
    let mut serializer = rmp_serde::Serializer::new(&mut *out).with_struct_map();
    serde::Serialize::serialize(fact, &mut serializer)
        .map_err(|error| Error::input(format!("a fact cannot be written: {error}")))?;
    let said = &out[head + 8..];
    let length = u32::try_from(said.len()).map_err(|_| Error::input("a fact is too long to be written"))?;
    let sum = crc32fast::hash(said);
    out[head..head + 4].copy_from_slice(&length.to_be_bytes());
    out[head + 4..head + 8].copy_from_slice(&sum.to_be_bytes());
    Ok(())
}

fn number_of(path: &Path) -> Option<u64> {
    (path.extension()? == ENDING).then(|| path.file_stem()?.to_str()?.parse().ok()).flatten()
}

fn digest_of(shop: &str) -> [u8; SHA256_OUTPUT_LEN] {
    let mut of_shop = [0; SHA256_OUTPUT_LEN];
    of_shop.copy_from_slice(digest(&SHA256, shop.as_bytes()).as_ref());
    of_shop
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{ShopTime, SourceId};
    use crate::facts::{Body, Stamp, Tick};

    fn fact(number: u64) -> Fact {
        let at = ShopTime::from_nanos(number as i64);
        let stamp = Stamp { source: SourceId::new("clock"), sequence: number, at, arrived: at };
        Fact { stamp, body: Body::Tick(Tick::default()) }
    }

    fn replayed(folder: &Path, taken: u64) -> (Vec<u64>, Replayed, u64) {
        let mut journal = Journal::open(folder, "shop").unwrap();
        let mut given = Vec::new();
        let replayed = journal.replay(taken, |fact, is_new| {
            given.extend(is_new.then_some(fact.stamp.sequence));
            Ok(())
        });
        (given, replayed.unwrap(), journal.taken())
    }

    fn filled(folder: &Path, facts: u64) -> Journal {
        let mut journal = Journal::open(folder, "shop").unwrap();
        journal.replay(0, |_, _| Ok(())).unwrap();
        (0..facts).for_each(|number| journal.append([&fact(number)]).unwrap());
        journal
    }

    #[test]
    fn what_was_kept_is_read_back_once_behind_what_the_book_knows() {
        let folder = tempfile::tempdir().unwrap();
        drop(filled(folder.path(), 5));
        assert_eq!(replayed(folder.path(), 2), (vec![2, 3, 4], Replayed { facts: 3, lost: 0, torn: false }, 5));
        // It goes on in a segment of its own, and both are read.
        let mut journal = Journal::open(folder.path(), "shop").unwrap();
        journal.replay(2, |_, _| Ok(())).unwrap();
        journal.append([&fact(5), &fact(6)]).unwrap();
        drop(journal);
        assert_eq!(replayed(folder.path(), 0).0, [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(replayed(folder.path(), 7).0, [0_u64; 0]);
    }

    #[test]
    fn a_kill_in_the_middle_of_a_fact_costs_that_fact_alone() {
        let folder = tempfile::tempdir().unwrap();
        let journal = filled(folder.path(), 3);
        let path = journal.path(0);
        drop(journal);
        let whole = fs::read(&path).unwrap();
        let one = (whole.len() - HEAD_BYTES) / 3;
        for cut in [1, 4, 8, one - 1] {
            fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            assert_eq!(
                replayed(folder.path(), 0),
                (vec![0, 1], Replayed { facts: 2, lost: 0, torn: true }, 2),
                "{cut}"
            );
        }
        let mut changed = whole.clone();
        changed[HEAD_BYTES + one + 10] ^= 1;
        fs::write(&path, changed).unwrap();
        assert_eq!(replayed(folder.path(), 0).0, [0]);
        fs::write(&path, &whole[..20]).unwrap();
        assert_eq!(replayed(folder.path(), 0).1, Replayed { facts: 0, lost: 0, torn: true });
    }

    #[test]
    fn what_the_book_knows_is_forgotten_and_what_is_missing_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = filled(folder.path(), 2);
        journal.file = None;
        journal.append([&fact(2)]).unwrap();
        journal.forget(1).unwrap();
        assert_eq!(journal.segments.len(), 2, "fact 1 is not in the book");
        journal.forget(2).unwrap();
        assert_eq!(journal.segments.len(), 1);
        drop(journal);
        assert_eq!(replayed(folder.path(), 0), (vec![2], Replayed { facts: 1, lost: 2, torn: false }, 3));
        let mut journal = Journal::open(folder.path(), "shop").unwrap();
        journal.clear().unwrap();
        drop(journal);
        assert_eq!(replayed(folder.path(), 3), (Vec::new(), Replayed { facts: 0, lost: 0, torn: false }, 3));
    }

    #[test]
    fn the_room_for_many_facts_at_once_is_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = filled(folder.path(), 1);
        let few = journal.buffer.capacity();
        let many: Vec<Fact> = (1..20_000).map(fact).collect();
        journal.append(&many).unwrap();
        assert!(BUFFER_BYTES_KEPT < fs::metadata(journal.path(0)).unwrap().len() as usize, "they took more");
        assert!(few < BUFFER_BYTES_KEPT && journal.buffer.capacity() <= BUFFER_BYTES_KEPT);
        drop(journal);
        assert_eq!(replayed(folder.path(), 0).1, Replayed { facts: 20_000, lost: 0, torn: false });
    }

    #[test]
    fn the_journal_of_others_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let journal = filled(folder.path(), 1);
        let held = Journal::open(folder.path(), "shop").err().unwrap();
        assert!(held.message().contains("another process"), "{held}");
        drop(journal);
        let mut other = Journal::open(folder.path(), "other").unwrap();
        let told = other.replay(0, |_, _| Ok(())).unwrap_err();
        assert!(told.message().contains("another shop"), "{told}");
    }
}
