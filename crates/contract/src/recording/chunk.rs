//! A piece of a recording, unpacked and checked: its messages in order of time.

use std::io::{self, BufReader, Read};

use mcap::records::op;

use super::RECORD_BYTES_MAX;
use super::walk::{ChunkFault, ChunkHead, MESSAGE_HEAD_BYTES, OPCODE_LENGTH_BYTES, Piece, number};

/// Bytes that are made room for before a chunk has shown that it gives them.
const ROOM_BYTES: u64 = 1 << 20;

/// A record of an unpacked piece.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// What sort of record it is: a channel or a message.
    pub(super) opcode: u8,
    /// Log time of a message; 0 for a channel, which is told before everything else.
    pub(super) time: u64,
    /// Its number within the piece, from 1.
    pub(super) number: u32,
    from: u32,
    length: u32,
}

impl Place {
    /// Where the record begins in its piece.
    pub(super) fn byte(&self) -> u64 {
        u64::from(self.from) - OPCODE_LENGTH_BYTES
    }
}

/// A piece whose messages can be taken.
pub(super) struct Unpacked {
    records: Vec<u8>,
    places: Vec<Place>,
    /// How many of them are taken.
    taken: usize,
}

impl Unpacked {
    /// Unpacks the bytes that the file has for a piece.
    pub(super) fn new(piece: &Piece, bytes: Vec<u8>) -> Result<Self, ChunkFault> {
        let records = if piece.is_chunk { unpack(&bytes[OPCODE_LENGTH_BYTES as usize..])? } else { bytes };
        let mut places = places(&records, piece.is_chunk).map_err(ChunkFault::Damaged)?;
        places.sort_by_key(|place| place.time);
        Ok(Unpacked { records, places, taken: 0 })
    }

    /// The record that is next in time, until there is none.
    pub(super) fn peek(&self) -> Option<Place> {
        self.places.get(self.taken).copied()
    }

    /// Puts the content of the next record into `content`.
    pub(super) fn take(&mut self, content: &mut Vec<u8>) -> Option<Place> {
        let place = self.peek()?;
        self.taken += 1;
        content.clear();
        content.extend_from_slice(self.content(&place));
        Some(place)
    }

    /// All records in order of time, with their content.
    pub(super) fn all(&self) -> impl Iterator<Item = (Place, &[u8])> {
        self.places.iter().map(|place| (*place, self.content(place)))
    }

    fn content(&self, place: &Place) -> &[u8] {
        &self.records[place.from as usize..place.from as usize + place.length as usize]
    }

    /// Between which log times its messages are; `None` without messages.
    pub(super) fn times(&self) -> Option<(u64, u64)> {
        let mut times = self.places.iter().filter(|place| place.opcode == op::MESSAGE).map(|place| place.time);
        let start = times.next()?;
        Some((start, times.next_back().unwrap_or(start)))
    }
}

/// The records of a chunk, of which the checksum fits.
fn unpack(content: &[u8]) -> Result<Vec<u8>, ChunkFault> {
    let damaged = |reason: String| ChunkFault::Damaged(reason);
    let head = ChunkHead::read(content).ok_or_else(|| damaged("its head cannot be read".to_owned()))?;
    let ChunkHead { size, packed, .. } = head;
    if (RECORD_BYTES_MAX as u64) < size {
        return Err(damaged(format!("it claims {size} bytes, and no chunk has more than {RECORD_BYTES_MAX}")));
    }
    let bytes = usize::try_from(packed).ok().and_then(|packed| content[head.length..].get(..packed));
    let bytes = bytes.ok_or_else(|| damaged(format!("it claims {packed} packed bytes and has fewer")))?;
    let mut out = Vec::with_capacity(size.min(ROOM_BYTES) as usize);
    match head.compression.as_str() {
        "" => out = whole(bytes, size)?,
        "zstd" => {
            let unpacker = zstd::stream::read::Decoder::with_buffer(BufReader::with_capacity(64 << 10, bytes));
            fill(unpacker.map_err(not_unpacked)?, size, &mut out)?;
        }
        "lz4" => fill(Frames { unpacker: lz4_flex::frame::FrameDecoder::new(bytes) }, size, &mut out)?,
        other => return Err(ChunkFault::Compression(other.to_owned())),
    }
    match head.sum == 0 || head.sum == crc32fast::hash(&out) {
        true => Ok(out),
        false => Err(damaged("its checksum does not fit".to_owned())),
    }
}

fn whole(bytes: &[u8], size: u64) -> Result<Vec<u8>, ChunkFault> {
    match bytes.len() as u64 == size {
        true => Ok(bytes.to_vec()),
        false => Err(ChunkFault::Damaged(format!("it claims {size} bytes and has {}", bytes.len()))),
    }
}

/// Unpacks as many bytes as there should be. What does not begin as records do is not unpacked to its end.
fn fill(mut unpacker: impl Read, size: u64, out: &mut Vec<u8>) -> Result<(), ChunkFault> {
    let begins = OPCODE_LENGTH_BYTES.min(size);
    unpacker.by_ref().take(begins).read_to_end(out).map_err(not_unpacked)?;
    if out.len() as u64 == OPCODE_LENGTH_BYTES {
        check_head(out, size - OPCODE_LENGTH_BYTES).map_err(ChunkFault::Damaged)?;
    }
    // One byte more than there should be shows that it gives too much.
    unpacker.take(size - out.len() as u64 + 1).read_to_end(out).map_err(not_unpacked)?;
    match out.len() as u64 {
        given if size < given => {
            Err(ChunkFault::Damaged(format!("it gives more than the {size} bytes that it claims")))
        }
        given if given < size => Err(ChunkFault::Damaged(format!("it claims {size} bytes and gives {given}"))),
        _ => Ok(()),
    }
}

fn not_unpacked(error: io::Error) -> ChunkFault {
    ChunkFault::Damaged(format!("it cannot be unpacked: {error}"))
}

/// All frames of a packed stream, one behind the other.
struct Frames<'a> {
    unpacker: lz4_flex::frame::FrameDecoder<&'a [u8]>,
}

impl Read for Frames<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.unpacker.read(into)?;
            if 0 < read || into.is_empty() || self.unpacker.get_ref().is_empty() {
                return Ok(read);
            }
        }
    }
}

/// What stands before a record: whether it is one, and of a length that is there.
fn check_head(head: &[u8], left: u64) -> Result<(u8, u64), String> {
    let (opcode, length) = (head[0], number(&head[1..]));
    if opcode == 0 {
        return Err("a record in it is of type 0, which is none".to_owned());
    }
    if left < length {
        return Err(format!("a record in it claims {length} bytes of {left}"));
    }
    Ok((opcode, length))
}

/// Where the channels and messages are.
fn places(records: &[u8], is_chunk: bool) -> Result<Vec<Place>, String> {
    let (mut places, mut at, mut number_of) = (Vec::new(), 0, 0);
    while at < records.len() {
        let head = records.get(at..at + OPCODE_LENGTH_BYTES as usize);
        let head = head.ok_or_else(|| "its last record has no end".to_owned())?;
        let from = at + OPCODE_LENGTH_BYTES as usize;
        let (opcode, length) = check_head(head, (records.len() - from) as u64)?;
        let length = length as usize;
        number_of += 1;
        let content = &records[from..from + length];
        match opcode {
            op::MESSAGE | op::CHANNEL => {
                // What is too short for a message is told when it is its turn.
                let is_message = opcode == op::MESSAGE && MESSAGE_HEAD_BYTES <= length;
                let time = if is_message { number(&content[6..14]) } else { 0 };
                places.push(Place { opcode, time, number: number_of, from: from as u32, length: length as u32 });
            }
            op::HEADER..=op::DATA_END if is_chunk && opcode != op::SCHEMA => {
                return Err(format!("a record in it is of type {opcode}, which stands outside chunks only"));
            }
            _ => {}
        }
        at = from + length;
    }
    Ok(places)
}
