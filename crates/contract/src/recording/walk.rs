//! The first way through a recording, from its first byte to its last: where its chunks are, between which times their
//! messages lie, which channels there are, and where the file is not what it should be. Nothing is unpacked, and nothing
//! that a length claims is believed before the file is seen to have it.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};

use mcap::MAGIC;
use mcap::records::{Channel, Metadata, Record, op};

use super::{CHUNK_BYTES, HELD_BYTES_MAX, METADATA, PIECES_MAX, RECORD_BYTES_MAX};

/// Bytes that are read at a time where nothing is kept of them.
const READ_BYTES: usize = 64 << 10;
/// Metadata records of aisle that are kept; a recording has one.
const LABELS_MAX: usize = 16;
/// Longest metadata record that is looked into, bytes.
const METADATA_BYTES_MAX: u64 = 1 << 20;
/// How many times its length a recording may be when it is unpacked, where that is more than can be held anyway. JSON of
/// plates that stand still is some hundred times.
const EXPANSION_MAX: u64 = 1_000;
/// Longest name of a compression, bytes.
const COMPRESSION_BYTES_MAX: u32 = 64;
/// Before every record: what it is, and how long.
pub(super) const OPCODE_LENGTH_BYTES: u64 = 1 + 8;
/// Head of a message: channel, sequence, log time, publish time.
pub(super) const MESSAGE_HEAD_BYTES: usize = 2 + 4 + 8 + 8;
/// Head of a chunk up to the name of its compression: first time, last time, size, checksum, length of the name.
const CHUNK_HEAD_BYTES: usize = 8 + 8 + 8 + 4 + 4;

/// A piece of a recording that is taken up as a whole: a chunk, or a stretch of messages outside chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// Byte offset of its first record.
    pub(super) byte: u64,
    /// Bytes in the file, with what stands before each record.
    pub(super) length: u64,
    /// Bytes when it is unpacked, as it claims.
    pub(super) size: u64,
    /// Whether it is one chunk.
    pub(super) is_chunk: bool,
    /// The earliest log time in it.
    pub(super) start: u64,
    /// The latest log time in it.
    pub(super) end: u64,
    /// How many messages it holds, where the file says.
    pub(super) messages: Option<u64>,
}

impl Piece {
    /// Bytes that it takes to hold it; nothing of what is too large to be held.
    pub(super) fn held_bytes(&self) -> u64 {
        if self.size <= RECORD_BYTES_MAX as u64 { self.size } else { 0 }
    }
}

/// What went wrong, and where.
#[derive(Debug)]
pub(super) enum Break {
    /// The file ends too early.
    Cut {
        /// Byte offset of the end.
        byte: u64,
        /// Bytes behind the last whole record.
        left: u64,
    },
    /// A chunk cannot be read; what is behind it can.
    Chunk {
        /// Which one.
        piece: Piece,
        /// Why.
        reason: ChunkFault,
    },
    /// A chunk holds messages from before the time at which it says to begin, so they are told too late.
    Early {
        /// Byte offset of the chunk.
        byte: u64,
    },
    /// Nothing behind this place can be read.
    Rest {
        /// Byte offset of the place.
        byte: u64,
        /// Bytes from there to the end.
        left: u64,
        /// Why.
        reason: String,
    },
    /// A checksum over much does not fit.
    Sum {
        /// Byte offset of the record that has it.
        byte: u64,
        /// Which one.
        reason: &'static str,
    },
    /// Another recording begins.
    Second {
        /// Byte offset of its beginning.
        byte: u64,
        /// Whether the first one had its end.
        ended: bool,
        /// Bytes from there to the end.
        left: u64,
    },
    /// Something else stands behind the end.
    Behind {
        /// Byte offset of it.
        byte: u64,
        /// How much of it there is.
        left: u64,
    },
    /// It is not MCAP, or too short to tell.
    Foreign {
        /// Bytes of the file.
        length: u64,
        /// What it is packed with, where that shows.
        packed: Option<&'static Packed>,
    },
    /// Its chunks claim to be far more than the file can hold.
    Swollen {
        /// How many bytes they claim.
        unpacked: u64,
    },
    /// Too much of it lies over each other in time.
    Tangled {
        /// Byte offset of the chunk that is too much.
        byte: u64,
        /// Bytes that are not read for it.
        left: u64,
    },
    /// The operating system refused.
    Io(io::Error),
}

/// A way to pack a file whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Packed {
    /// What it is called.
    pub(super) name: &'static str,
    /// What unpacks a `FILE`.
    pub(super) command: &'static str,
    /// How such files begin.
    begin: &'static [u8],
}

const PACKED: [Packed; 5] = [
    Packed { name: "gzip", command: "gunzip < FILE > UNPACKED.mcap", begin: b"\x1f\x8b" },
    Packed { name: "zip", command: "unzip FILE", begin: b"PK\x03\x04" },
    Packed { name: "xz", command: "unxz < FILE > UNPACKED.mcap", begin: b"\xfd7zXZ\0" },
    Packed { name: "bzip2", command: "bunzip2 < FILE > UNPACKED.mcap", begin: b"BZh" },
    Packed { name: "zstd", command: "unzstd < FILE > UNPACKED.mcap", begin: b"\x28\xb5\x2f\xfd" },
];

impl Packed {
    /// What a file is packed with that begins so.
    pub(super) fn of(begin: &[u8]) -> Option<&'static Self> {
        PACKED.iter().find(|packed| begin.starts_with(packed.begin))
    }
}

/// What is wrong with a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ChunkFault {
    /// It is not what it should be.
    Damaged(String),
    /// Nobody says that it is damaged; it is compressed in a way that is not read.
    Compression(String),
}

/// What the way found.
#[derive(Default)]
pub(super) struct Walk {
    /// In order of the file.
    pub(super) pieces: Vec<Piece>,
    /// Channels that are announced outside chunks, with their places.
    pub(super) channels: Vec<(u64, Channel)>,
    /// What aisle says about the recording, with the places.
    pub(super) labels: Vec<(u64, Metadata)>,
    /// Whether a checksum says that all up to the index is as it was written.
    pub(super) sealed: bool,
    /// What is wrong, in order of the file.
    pub(super) breaks: Vec<Break>,
}

/// Walks through a recording.
///
/// # Errors
/// When the file cannot be read, or is none of MCAP.
pub(super) fn walk<R: Read + Seek>(source: &mut R) -> Result<Walk, Break> {
    let length =
        source.seek(SeekFrom::End(0)).and_then(|length| source.rewind().map(|()| length)).map_err(Break::Io)?;
    let (sum, known, found) = (crc32fast::Hasher::new(), BTreeMap::new(), Walk::default());
    let buffer = vec![0; READ_BYTES];
    let mut walker = Walker { source, length, at: 0, sum, buffer, last: 0, has_attachment: false, known, found };
    let mut magic = [0; MAGIC.len()];
    if length < MAGIC.len() as u64 {
        return Err(Break::Foreign { length, packed: None });
    }
    walker.read(&mut magic)?;
    if magic != *MAGIC {
        return Err(Break::Foreign { length, packed: Packed::of(&magic) });
    }
    while walker.step()? {}
    let unpacked = walker.found.pieces.iter().map(Piece::held_bytes).fold(0, u64::saturating_add);
    if HELD_BYTES_MAX.max(EXPANSION_MAX * length) < unpacked {
        return Err(Break::Swollen { unpacked });
    }
    Ok(walker.found)
}

struct Walker<'a, R> {
    source: &'a mut R,
    length: u64,
    /// Offset of the next byte.
    at: u64,
    /// Over what was read since the beginning, or since the end of the data.
    sum: crc32fast::Hasher,
    /// What is skipped is read into.
    buffer: Vec<u8>,
    /// Offset of the last whole record.
    last: u64,
    /// Whether there are attachments, which may be recordings themselves.
    has_attachment: bool,
    /// The channels that are known, as places in the list of them.
    known: BTreeMap<u16, usize>,
    found: Walk,
}

impl<R: Read + Seek> Walker<'_, R> {
    /// Takes the next record; whether there may be another.
    fn step(&mut self) -> Result<bool, Break> {
        let byte = self.at;
        let left = self.length - byte;
        if left < OPCODE_LENGTH_BYTES {
            return self.end_early(byte);
        }
        let before = self.sum.clone();
        let mut head = [0; OPCODE_LENGTH_BYTES as usize];
        self.read(&mut head)?;
        let (opcode, claimed) = (head[0], number(&head[1..]));
        if opcode == 0 {
            return self.stop(byte, "a record is of type 0, which is none".to_owned());
        }
        let most = if opcode == op::ATTACHMENT { u64::MAX } else { RECORD_BYTES_MAX as u64 };
        if most < claimed {
            return self.stop(byte, format!("a record claims {claimed} bytes, more than any recording has"));
        }
        if self.length - self.at < claimed {
            return self.end_early(byte);
        }
        if PIECES_MAX <= self.found.pieces.len() && matches!(opcode, op::MESSAGE | op::CHUNK) {
            return self.stop(byte, format!("it has more than {PIECES_MAX} chunks"));
        }
        self.last = byte;
        self.has_attachment |= opcode == op::ATTACHMENT;
        match opcode {
            op::MESSAGE => self.message(byte, claimed)?,
            op::CHUNK => self.chunk(byte, claimed)?,
            op::MESSAGE_INDEX => self.message_index(claimed)?,
            op::CHANNEL => self.channel(byte, claimed)?,
            op::METADATA if claimed <= METADATA_BYTES_MAX => self.metadata(byte, claimed)?,
            op::DATA_END => return self.data_end(byte, claimed, before),
            op::FOOTER => return self.footer(byte, claimed),
            _ => self.skip(claimed)?,
        }
        Ok(true)
    }

    fn message(&mut self, byte: u64, claimed: u64) -> Result<(), Break> {
        let mut head = [0; MESSAGE_HEAD_BYTES];
        let part = &mut head[..MESSAGE_HEAD_BYTES.min(claimed as usize)];
        let rest = claimed - part.len() as u64;
        let time = match part.len() == MESSAGE_HEAD_BYTES {
            true => {
                self.read(&mut head)?;
                number(&head[6..14])
            }
            false => {
                self.read(part)?;
                0
            }
        };
        self.skip(rest)?;
        let end = self.at;
        match self.found.pieces.last_mut() {
            // A stretch goes on over whatever else stands between its messages.
            Some(last) if !last.is_chunk && end - last.byte <= CHUNK_BYTES => {
                (last.length, last.size) = (end - last.byte, end - last.byte);
                (last.start, last.end) = (last.start.min(time), last.end.max(time));
                last.messages = last.messages.map(|count| count + 1);
            }
            _ => {
                let length = end - byte;
                let (start, end, messages) = (time, time, Some(1));
                self.found.pieces.push(Piece { byte, length, size: length, is_chunk: false, start, end, messages });
            }
        }
        Ok(())
    }

    fn chunk(&mut self, byte: u64, claimed: u64) -> Result<(), Break> {
        let mut head = [0; CHUNK_HEAD_BYTES];
        let length = OPCODE_LENGTH_BYTES + claimed;
        let mut piece = Piece { byte, length, size: 0, is_chunk: true, start: 0, end: 0, messages: None };
        // One that is shorter than its head is told when it is taken up.
        if CHUNK_HEAD_BYTES as u64 <= claimed {
            self.read(&mut head)?;
            (piece.start, piece.end, piece.size) = (number(&head), number(&head[8..]), number(&head[16..]));
        }
        self.skip(byte + length - self.at)?;
        self.found.pieces.push(piece);
        Ok(())
    }

    /// Behind each chunk there may be a list for every channel of what it holds of it.
    fn message_index(&mut self, claimed: u64) -> Result<(), Break> {
        let count = claimed.saturating_sub(2 + 4) / (8 + 8);
        if let Some(last) = self.found.pieces.last_mut().filter(|last| last.is_chunk) {
            last.messages = Some(last.messages.unwrap_or(0) + count);
        }
        self.skip(claimed)
    }

    fn channel(&mut self, byte: u64, claimed: u64) -> Result<(), Break> {
        let content = self.content(claimed)?;
        // There are no more channels than numbers for them; a record that is none is told by the checksum, or where a
        // message is on it.
        let Ok(Record::Channel(channel)) = mcap::parse_record(op::CHANNEL, &content) else { return Ok(()) };
        let all = &mut self.found.channels;
        let known = *self.known.entry(channel.id).or_insert(all.len());
        if all.get(known).is_none_or(|(_, known)| *known != channel) && all.len() <= usize::from(u16::MAX) {
            all.push((byte, channel));
        }
        Ok(())
    }

    fn metadata(&mut self, byte: u64, claimed: u64) -> Result<(), Break> {
        let content = self.content(claimed)?;
        if let Ok(Record::Metadata(metadata)) = mcap::parse_record(op::METADATA, &content)
            && metadata.name == METADATA
            && self.found.labels.len() < LABELS_MAX
        {
            self.found.labels.push((byte, metadata));
        }
        Ok(())
    }

    fn data_end(&mut self, byte: u64, claimed: u64, before: crc32fast::Hasher) -> Result<bool, Break> {
        let content = self.content(claimed)?;
        let saved = content.get(..4).map_or(0, |saved| number(saved) as u32);
        if saved != 0 {
            self.found.sealed = saved == before.finalize();
            if !self.found.sealed {
                // A record that was cut may reach to just where one of another recording begins.
                if !self.has_attachment && self.found_second(MAGIC.len() as u64, byte)? {
                    return Ok(false);
                }
                self.source.seek(SeekFrom::Start(self.at)).map_err(Break::Io)?;
                self.found.breaks.push(Break::Sum { byte, reason: "the checksum over all its facts does not fit" });
            }
        }
        self.sum = crc32fast::Hasher::new();
        Ok(true)
    }

    fn footer(&mut self, byte: u64, claimed: u64) -> Result<bool, Break> {
        /// Where the index begins, and its second part: what of the footer is under the checksum.
        const SUMMED: usize = 8 + 8;
        if (claimed as usize) < SUMMED + 4 {
            return self.stop(byte, "its last record is too short".to_owned());
        }
        let content = self.content(SUMMED as u64)?;
        let sum = self.sum.clone().finalize();
        let saved = self.content(4)?;
        self.skip(claimed - content.len() as u64 - saved.len() as u64)?;
        let saved = number(&saved) as u32;
        if saved != 0 && saved != sum {
            self.found.breaks.push(Break::Sum { byte, reason: "the checksum of its index does not fit" });
        }
        let left = self.length - self.at;
        if left < MAGIC.len() as u64 {
            self.found.breaks.push(Break::Cut { byte: self.length, left });
            return Ok(false);
        }
        let place = self.at;
        if self.content(MAGIC.len() as u64)? != *MAGIC {
            return self.stop(place, "it does not end as an MCAP file does".to_owned());
        }
        let (byte, left) = (self.at, self.length - self.at);
        if left == 0 {
            return Ok(false);
        }
        let starts = self.content(left.min(MAGIC.len() as u64))? == *MAGIC;
        self.found.breaks.push(match starts {
            true => Break::Second { byte, ended: true, left },
            false => Break::Behind { byte, left },
        });
        Ok(false)
    }

    /// The file ends within the record at `byte`, or another recording begins before it does.
    fn end_early(&mut self, byte: u64) -> Result<bool, Break> {
        if !self.found_second(self.second_from(byte), self.length)? {
            self.found.breaks.push(Break::Cut { byte: self.length, left: self.length - byte });
        }
        Ok(false)
    }

    /// Nothing can be read from `byte` on; perhaps because another recording begins there.
    fn stop(&mut self, byte: u64, reason: String) -> Result<bool, Break> {
        if !self.found_second(self.second_from(byte), self.length)? {
            self.found.breaks.push(Break::Rest { byte, left: self.length - byte, reason });
        }
        Ok(false)
    }

    /// From where on another recording may begin, where nothing can be read from `byte` on. A recording that was cut
    /// short ends in the middle of a record, which may reach into what was put behind it, and what follows there may look
    /// like some more records. With attachments, which may be recordings themselves, it is looked for from the last
    /// record on only.
    fn second_from(&self, byte: u64) -> u64 {
        let last = if self.has_attachment { self.last } else { 0 };
        last.clamp(MAGIC.len() as u64, byte)
    }

    /// Looks for the beginning of another recording between two places. Of what stands behind it nothing is kept.
    fn found_second(&mut self, from: u64, until: u64) -> Result<bool, Break> {
        self.source.seek(SeekFrom::Start(from)).map_err(Break::Io)?;
        let (mut window, mut place) = (Vec::new(), from);
        loop {
            let read = self.source.by_ref().take(READ_BYTES as u64).read_to_end(&mut window).map_err(Break::Io)?;
            if let Some(found) = window.windows(MAGIC.len() + 1).position(begins_recording) {
                let byte = place + found as u64;
                if until <= byte {
                    return Ok(false);
                }
                // What reaches into the second is not whole.
                let end = |piece: &Piece| piece.byte + if piece.is_chunk { piece.length } else { 0 };
                self.found.pieces.retain(|piece| piece.byte < byte && end(piece) <= byte);
                self.found.channels.retain(|(place, _)| *place < byte);
                self.found.labels.retain(|(place, _)| *place < byte);
                // What was wrong before came of that.
                self.found.breaks = vec![Break::Second { byte, ended: false, left: self.length - byte }];
                return Ok(true);
            }
            if read == 0 {
                return Ok(false);
            }
            let passed = window.len().saturating_sub(MAGIC.len());
            window.drain(..passed);
            place += passed as u64;
        }
    }

    fn read(&mut self, into: &mut [u8]) -> Result<(), Break> {
        self.source.read_exact(into).map_err(Break::Io)?;
        self.sum.update(into);
        self.at += into.len() as u64;
        Ok(())
    }

    /// The next bytes of the file, which has them.
    fn content(&mut self, length: u64) -> Result<Vec<u8>, Break> {
        let mut content = vec![0; length as usize];
        self.read(&mut content)?;
        Ok(content)
    }

    fn skip(&mut self, length: u64) -> Result<(), Break> {
        let mut left = length;
        while 0 < left {
            let part = &mut self.buffer[..left.min(READ_BYTES as u64) as usize];
            self.source.read_exact(part).map_err(Break::Io)?;
            self.sum.update(part);
            left -= part.len() as u64;
        }
        self.at += length;
        Ok(())
    }
}

/// Whether a recording begins here; the same sign stands at its end, with nothing behind it.
fn begins_recording(part: &[u8]) -> bool {
    part.strip_prefix(MAGIC).is_some_and(|rest| rest.first() == Some(&op::HEADER))
}

/// Up to eight bytes as a number, the least first.
pub(super) fn number(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// What stands before the packed records of a chunk.
pub(super) struct ChunkHead {
    /// Bytes of its records.
    pub(super) size: u64,
    /// Checksum of its records; 0 for none.
    pub(super) sum: u32,
    /// How they are packed; empty for not at all.
    pub(super) compression: String,
    /// Bytes of this head.
    pub(super) length: usize,
    /// Bytes of the packed records.
    pub(super) packed: u64,
}

impl ChunkHead {
    /// Reads it from the content of a chunk; `None` where it does not hold one.
    pub(super) fn read(content: &[u8]) -> Option<Self> {
        let head = content.get(..CHUNK_HEAD_BYTES)?;
        let named = number(&head[28..32]) as u32;
        if COMPRESSION_BYTES_MAX < named {
            return None;
        }
        let until = CHUNK_HEAD_BYTES + named as usize;
        let compression = String::from_utf8_lossy(content.get(CHUNK_HEAD_BYTES..until)?).into_owned();
        let packed = number(content.get(until..until + 8)?);
        Some(ChunkHead {
            size: number(&head[16..24]),
            sum: number(&head[24..28]) as u32,
            compression,
            length: until + 8,
            packed,
        })
    }
}
