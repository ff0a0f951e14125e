//! The messages of a recording in order of their log times, however its chunks lie. It holds the pieces that lie over each
//! other in time, and no more of them than a named number of bytes.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::io::{Read, Seek, SeekFrom};

use super::HELD_BYTES_MAX;
use super::chunk::Unpacked;
use super::walk::{Break, ChunkFault, Piece};

/// Where a record stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    /// What sort of record it is.
    pub(super) opcode: u8,
    /// Byte offset of it, or of the chunk around it.
    pub(super) byte: u64,
    /// Its number within that chunk, counted from 1.
    pub(super) in_chunk: Option<u32>,
}

impl Spot {
    /// The place of a record outside chunks that is no message.
    pub(super) fn outside(byte: u64) -> Self {
        Spot { opcode: 0, byte, in_chunk: None }
    }
}

/// The pieces of a source, taken up when it is their time.
pub(super) struct InOrder<R> {
    source: R,
    /// Those that were not taken up yet, by the time of their first message.
    waiting: VecDeque<Piece>,
    /// Those whose messages are not all told, by their places in the file.
    held: BTreeMap<u64, (Piece, Unpacked)>,
    held_bytes: u64,
    /// The next message of each of them: the earliest first, of one time in order of the file.
    next: BinaryHeap<Reverse<(u64, u64)>>,
    /// Bytes of the file that were taken up.
    taken: u64,
}

impl<R: Read + Seek> InOrder<R> {
    /// Takes the pieces in any order.
    ///
    /// # Errors
    /// When too many of them lie over each other in time.
    pub(super) fn new(source: R, mut pieces: Vec<Piece>) -> Result<Self, Break> {
        pieces.sort_by_key(|piece| (piece.start, piece.byte));
        check_overlap(&pieces)?;
        let (held, next) = (BTreeMap::new(), BinaryHeap::new());
        Ok(InOrder { source, waiting: pieces.into(), held, held_bytes: 0, next, taken: 0 })
    }

    /// Bytes of the file that were taken up.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// The next record, its content in `content`; `None` at the end. After an error it goes on behind what is broken.
    pub(super) fn next(&mut self, content: &mut Vec<u8>) -> Result<Option<Spot>, Break> {
        let time = |next: &BinaryHeap<Reverse<(u64, u64)>>| next.peek().map(|Reverse((time, _))| *time);
        while let Some(piece) = self.waiting.front()
            && time(&self.next).is_none_or(|time| piece.start <= time)
        {
            let piece = *piece;
            self.waiting.pop_front();
            self.take_up(piece)?;
        }
        let Some(Reverse((_, byte))) = self.next.pop() else { return Ok(None) };
        let Some((piece, unpacked)) = self.held.get_mut(&byte) else { return Ok(None) };
        let spot = unpacked.take(content).map(|place| match piece.is_chunk {
            true => Spot { opcode: place.opcode, byte, in_chunk: Some(place.number) },
            false => Spot { opcode: place.opcode, byte: byte + place.byte(), in_chunk: None },
        });
        match unpacked.peek() {
            Some(place) => self.next.push(Reverse((place.time, byte))),
            None => {
                self.held_bytes -= piece.held_bytes();
                self.held.remove(&byte);
            }
        }
        Ok(spot)
    }

    fn take_up(&mut self, piece: Piece) -> Result<(), Break> {
        self.taken += piece.length;
        if HELD_BYTES_MAX < self.held_bytes + piece.held_bytes() && !self.held.is_empty() {
            // What claims other times than it has; the rest of the file cannot be put in order either.
            let left = piece.length + self.waiting.drain(..).map(|piece| piece.length).sum::<u64>();
            return Err(Break::Tangled { byte: piece.byte, left });
        }
        let unpacked = open(&mut self.source, &piece)?;
        let Some(first) = unpacked.peek() else { return Ok(()) };
        let is_early = unpacked.times().is_some_and(|(start, _)| start < piece.start);
        self.next.push(Reverse((first.time, piece.byte)));
        self.held_bytes += piece.held_bytes();
        self.held.insert(piece.byte, (piece, unpacked));
        if is_early { Err(Break::Early { byte: piece.byte }) } else { Ok(()) }
    }
}

/// Reads and unpacks a piece.
pub(super) fn open<R: Read + Seek>(source: &mut R, piece: &Piece) -> Result<Unpacked, Break> {
    let mut bytes = vec![0; piece.length as usize];
    source.seek(SeekFrom::Start(piece.byte)).and_then(|_| source.read_exact(&mut bytes)).map_err(Break::Io)?;
    Unpacked::new(piece, bytes).map_err(|reason: ChunkFault| Break::Chunk { piece: *piece, reason })
}

/// Whether what lies over each other in time, of pieces by their first times, can be held.
fn check_overlap(pieces: &[Piece]) -> Result<(), Break> {
    let (mut held, mut ends) = (0, BinaryHeap::new());
    for piece in pieces {
        while let Some(Reverse((end, size))) = ends.peek().copied()
            && end < piece.start
        {
            held -= size;
            ends.pop();
        }
        held += piece.held_bytes();
        ends.push(Reverse((piece.end, piece.held_bytes())));
        if HELD_BYTES_MAX < held && 1 < ends.len() {
            return Err(Break::Tangled { byte: piece.byte, left: 0 });
        }
    }
    Ok(())
}
