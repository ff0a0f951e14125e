//! The facts of a recording in a file of our own that has no name: as they came, to be read on from any place again and again.
//! Pictures lie beside their facts and are read when somebody wants one. Nothing of it is in memory, and nothing is left of it
//! when the process ends.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::{Error, Result};
use crate::facts::{Body, Fact};

/// Bytes that are read at once.
const BUFFER_BYTES: usize = 256 << 10;

/// What came: a fact, or only that something was lost.
#[derive(Serialize, Deserialize)]
pub(super) struct Came {
    /// Parts of the input that were lost before it.
    pub(super) lost: u64,
    /// The fact; of a frame without its picture.
    pub(super) fact: Option<Fact>,
}

/// Where a picture is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    offset: u64,
    bytes: u32,
}

/// A spool that is being written.
pub(super) struct Spooling {
    file: BufWriter<File>,
    length: u64,
}

/// A spool.
#[derive(Clone)]
pub(super) struct Spool(Arc<File>);

/// Reads a spool on from a place.
pub(super) struct Cursor {
    reader: BufReader<Positioned>,
    offset: u64,
}

/// A file that others read as well.
struct Positioned {
    file: Arc<File>,
    offset: u64,
}

impl Spooling {
    /// An empty one, in the folder for temporary files.
    ///
    /// # Errors
    /// When no file can be made there.
    pub(super) fn begin() -> Result<Self> {
        let made = tempfile::tempfile().map_err(|error| Error::io("make a file in", &std::env::temp_dir(), &error))?;
        Ok(Spooling { file: BufWriter::with_capacity(BUFFER_BYTES, made), length: 0 })
    }

    /// Where what is written next will be.
    pub(super) fn end(&self) -> u64 {
        self.length
    }

    /// Writes what came, and says where its picture is.
    ///
    /// # Errors
    /// When the disk is full.
    pub(super) fn put(&mut self, lost: u64, fact: Option<&Fact>) -> Result<Place> {
        let (said, picture) = match fact.map(|fact| (fact, &fact.body)) {
            Some((fact, Body::Frame(frame))) => {
                let bare = crate::facts::Frame { data: Arc::new([]), ..frame.clone() };
                let bare = Fact { body: Body::Frame(bare), stamp: fact.stamp.clone() };
                (write(&Came { lost, fact: Some(bare) })?, frame.data.clone())
            }
            _ => (write(&Came { lost, fact: fact.cloned() })?, Arc::default()),
        };
        let too_long = |_| Error::input("a fact is too long to be watched");
        let lengths = [u32::try_from(said.len()), u32::try_from(picture.len())];
        let mut head = Vec::with_capacity(8);
        for length in lengths {
            head.extend(length.map_err(too_long)?.to_be_bytes());
        }
        for part in [&head[..], &said, &picture] {
            self.file.write_all(part).map_err(|error| refused("write", &error))?;
            self.length += part.len() as u64;
        }
        let bytes = u32::try_from(picture.len()).map_err(too_long)?;
        Ok(Place { offset: self.length - u64::from(bytes), bytes })
    }

    /// Nothing comes any more.
    ///
    /// # Errors
    /// When the disk is full.
    pub(super) fn finish(self) -> Result<Spool> {
        let file = self.file.into_inner().map_err(|error| refused("write", error.error()))?;
        Ok(Spool(Arc::new(file)))
    }
}

impl Spool {
    /// Reads it on from where something was written.
    pub(super) fn read_from(&self, offset: u64) -> Cursor {
        let file = Positioned { file: self.0.clone(), offset };
        Cursor { reader: BufReader::with_capacity(BUFFER_BYTES, file), offset }
    }

    /// A picture; none where it cannot be read.
    pub(super) fn picture(&self, place: Place) -> Option<Arc<[u8]>> {
        let mut bytes = vec![0; place.bytes as usize];
        self.0.read_exact_at(&mut bytes, place.offset).ok()?;
        Some(bytes.into())
    }
}

impl Cursor {
    /// Where what comes next was written.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// What comes next, and where its picture is; none at the end.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn next(&mut self) -> Result<Option<(Came, Place)>> {
        let mut head = [0; 8];
        if self.reader.fill(&mut head)? == 0 {
            return Ok(None);
        }
        let [said, bytes] = [0, 4].map(|at| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]));
        let mut text = vec![0; said as usize];
        self.reader.fill(&mut text)?;
        let came = rmp_serde::from_slice(&text);
        let came = came.map_err(|error| Error::broken(format!("a fact cannot be read again: {error}")))?;
        let offset = self.offset + 8 + u64::from(said);
        self.reader.seek_relative(i64::from(bytes)).map_err(|error| refused("read", &error))?;
        self.offset = offset + u64::from(bytes);
        Ok(Some((came, Place { offset, bytes })))
    }
}

/// Fills a buffer as far as there is anything.
trait Fill {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize>;
}

impl Fill for BufReader<Positioned> {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read(&mut buffer[filled..]).map_err(|error| refused("read", &error))? {
                0 => break,
                more => filled += more,
            }
        }
        Ok(filled)
    }
}

impl Read for Positioned {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read_at(buffer, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}

impl Seek for Positioned {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let invalid = || std::io::Error::from(std::io::ErrorKind::InvalidInput);
        self.offset = match to {
            SeekFrom::Start(offset) => offset,
            SeekFrom::Current(more) => self.offset.checked_add_signed(more).ok_or_else(invalid)?,
            // Nobody needs it.
            SeekFrom::End(_) => return Err(invalid()),
        };
        Ok(self.offset)
    }
}

fn write(came: &Came) -> Result<Vec<u8>> {
    rmp_serde::to_vec_named(came).map_err(|error| Error::broken(format!("a fact cannot be written: {error}")))
}

fn refused(what: &str, error: &std::io::Error) -> Error {
    Error::io(what, Path::new("the temporary file of what is watched"), error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{CameraId, ShopTime, SourceId};
    use crate::facts::{Frame, Stamp, Tick};
    use crate::image::PictureFormat;

    fn fact(number: u64, body: Body) -> Fact {
        let at = ShopTime::from_nanos(number as i64);
        Fact { stamp: Stamp { source: SourceId::new("one"), sequence: number, at, arrived: at }, body }
    }

    #[test]
    fn what_was_written_is_read_on_from_any_place() {
        let picture: Arc<[u8]> = vec![7; 3 * BUFFER_BYTES].into();
        let frame = Frame { camera: CameraId::new("left"), format: PictureFormat::Jpeg, data: picture.clone() };
        let facts = [
            fact(1, Body::Tick(Tick { restarted: false, lost: 2 })),
            fact(2, Body::Frame(frame)),
            fact(3, Body::Tick(Tick { restarted: true, lost: 0 })),
        ];
        let mut spooling = Spooling::begin().unwrap();
        let mut offsets = Vec::new();
        for (lost, fact) in facts.iter().enumerate() {
            offsets.push(spooling.end());
            spooling.put(lost as u64, Some(fact)).unwrap();
        }
        spooling.put(9, None).unwrap();
        let spool = spooling.finish().unwrap();
        for begin in 0..facts.len() {
            let mut cursor = spool.read_from(offsets[begin]);
            for at in begin..facts.len() {
                assert_eq!(cursor.offset(), offsets[at]);
                let (came, place) = cursor.next().unwrap().unwrap();
                let read = came.fact.unwrap();
                assert_eq!((came.lost, &read.stamp), (at as u64, &facts[at].stamp));
                match read.body {
                    Body::Frame(bare) => {
                        assert!(bare.data.is_empty());
                        assert_eq!(spool.picture(place), Some(picture.clone()));
                    }
                    body => assert_eq!(body, facts[at].body),
                }
            }
            let (came, _) = cursor.next().unwrap().unwrap();
            assert_eq!((came.lost, came.fact), (9, None));
            assert!(cursor.next().unwrap().is_none());
        }
    }
}
