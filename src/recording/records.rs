//! The records of an MCAP stream one by one, those inside chunks too, with memory bounded by one chunk.
//! A broken chunk is left out and reading goes on behind it; any other break ends the stream.

use std::io::{ErrorKind, Read};

use mcap::McapError;
use mcap::records::op;
use mcap::sans_io::{LinearReadEvent, LinearReader, LinearReaderOptions};

use super::RECORD_BYTES_MAX;

/// Bytes asked of the source at a time.
const READ_BYTES_MAX: usize = 256 << 10;

/// Where a record stands.
pub(super) struct Spot {
    /// What sort of record it is.
    pub(super) opcode: u8,
    /// Byte offset of the record, or of the chunk around it.
    pub(super) byte: u64,
    /// Its number within that chunk, counted from 1.
    pub(super) in_chunk: Option<u64>,
}

/// What went wrong, and where.
pub(super) enum Break {
    /// The stream ends too early.
    Cut {
        /// Byte offset of the end.
        byte: u64,
    },
    /// A chunk cannot be read; the next record is behind it.
    Chunk {
        /// Byte offset of the chunk.
        byte: u64,
        /// Why.
        reason: McapError,
    },
    /// Nothing behind this place can be read.
    Rest {
        /// Byte offset of the place.
        byte: u64,
        /// Why.
        reason: McapError,
    },
    /// The operating system refused.
    Io(std::io::Error),
}

/// The records of a stream.
pub(super) struct Records<R> {
    source: R,
    outer: LinearReader,
    /// Bytes taken from the source.
    taken: u64,
    /// Offset of the next record outside chunks.
    next_byte: u64,
    chunk: Option<Chunk>,
    ended: bool,
}

struct Chunk {
    records: LinearReader,
    byte: u64,
    read: u64,
}

enum Step {
    Read(usize),
    Record { opcode: u8, length: usize },
    End,
}

impl<R: Read> Records<R> {
    pub(super) fn new(source: R) -> Self {
        let options = LinearReaderOptions::default()
            .with_emit_chunks(true)
            .with_validate_data_section_crc(true)
            .with_validate_summary_section_crc(true)
            .with_record_length_limit(RECORD_BYTES_MAX);
        let outer = LinearReader::new_with_options(options);
        Records { source, outer, taken: 0, next_byte: mcap::MAGIC.len() as u64, chunk: None, ended: false }
    }

    /// Bytes read so far.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// The next record that is not a chunk, its content in `content`; `None` at the end and after a final break.
    pub(super) fn next(&mut self, content: &mut Vec<u8>) -> Result<Option<Spot>, Break> {
        while !self.ended {
            if let Some(chunk) = &mut self.chunk {
                match chunk.next(content) {
                    Ok(Some(spot)) => return Ok(Some(spot)),
                    Ok(None) => self.chunk = None,
                    Err(broken) => {
                        self.chunk = None;
                        return Err(broken);
                    }
                }
            }
            let byte = self.next_byte;
            match self.step(content) {
                Ok(Step::End) => self.ended = true,
                Ok(Step::Read(bytes)) => self.read(bytes).inspect_err(|_| self.ended = true)?,
                Ok(Step::Record { opcode: op::CHUNK, length }) => {
                    self.next_byte += length as u64;
                    self.chunk = Some(Chunk::new(content, byte));
                }
                Ok(Step::Record { opcode, length }) => {
                    self.next_byte += length as u64;
                    return Ok(Some(Spot { opcode, byte, in_chunk: None }));
                }
                Err(reason) => {
                    self.ended = true;
                    return Err(match reason {
                        McapError::UnexpectedEof => Break::Cut { byte: self.taken },
                        McapError::BadMagic if byte == mcap::MAGIC.len() as u64 => Break::Rest { byte: 0, reason },
                        reason => Break::Rest { byte, reason },
                    });
                }
            }
        }
        Ok(None)
    }

    fn step(&mut self, content: &mut Vec<u8>) -> Result<Step, McapError> {
        match self.outer.next_event() {
            None => Ok(Step::End),
            Some(Err(error)) => Err(error),
            Some(Ok(LinearReadEvent::ReadRequest(bytes))) => Ok(Step::Read(bytes)),
            Some(Ok(LinearReadEvent::Record { data, opcode })) => {
                content.clear();
                content.extend_from_slice(data);
                Ok(Step::Record { opcode, length: OPCODE_LENGTH_BYTES + data.len() })
            }
        }
    }

    fn read(&mut self, bytes: usize) -> Result<(), Break> {
        let into = self.outer.insert(bytes.min(READ_BYTES_MAX));
        let read = loop {
            match self.source.read(into) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => break result.map_err(Break::Io)?,
            }
        };
        self.outer.notify_read(read);
        self.taken += read as u64;
        Ok(())
    }
}

/// Before every record: what it is, and how long.
const OPCODE_LENGTH_BYTES: usize = 1 + 8;

impl Chunk {
    /// From a chunk record without its opcode and length. The reader checks the checksum before it yields anything.
    fn new(content: &[u8], byte: u64) -> Self {
        let options = LinearReaderOptions::default()
            .with_skip_start_magic(true)
            .with_skip_end_magic(true)
            .with_prevalidate_chunk_crcs(true)
            .with_record_length_limit(RECORD_BYTES_MAX);
        let mut records = LinearReader::new_with_options(options);
        let (opcode, length) = ([op::CHUNK], (content.len() as u64).to_le_bytes());
        let mut into = records.insert(OPCODE_LENGTH_BYTES + content.len());
        for part in [&opcode[..], &length, content] {
            let (head, tail) = into.split_at_mut(part.len());
            head.copy_from_slice(part);
            into = tail;
        }
        records.notify_read(OPCODE_LENGTH_BYTES + content.len());
        Chunk { records, byte, read: 0 }
    }

    fn next(&mut self, content: &mut Vec<u8>) -> Result<Option<Spot>, Break> {
        match self.records.next_event() {
            // It asks for the record behind the chunk, so the chunk is done, or wants more than the chunk has.
            None | Some(Ok(LinearReadEvent::ReadRequest(OPCODE_LENGTH_BYTES))) => Ok(None),
            Some(Ok(LinearReadEvent::ReadRequest(_))) => {
                Err(Break::Chunk { byte: self.byte, reason: McapError::UnexpectedEoc })
            }
            Some(Ok(LinearReadEvent::Record { data, opcode })) => {
                self.read += 1;
                content.clear();
                content.extend_from_slice(data);
                Ok(Some(Spot { opcode, byte: self.byte, in_chunk: Some(self.read) }))
            }
            Some(Err(reason)) => Err(Break::Chunk { byte: self.byte, reason }),
        }
    }
}
