//! What is told of a recording that is not what it should be, and how much of it was left out.

use std::fmt;
use std::path::Path;

use super::HELD_BYTES_MAX;
use super::walk::{Break, ChunkFault, Packed, Piece};
use crate::base::{Error, ShopTime, shell};

/// What to do with a recording that broke off.
const AGAIN: &str = "a recording that was being written when the power went leaves such a file; record it again";

/// What of a recording was left out so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// Messages on channels that aisle does not know.
    pub others: u64,
    /// Messages on its own channels that could not be read.
    pub messages: u64,
    /// Chunks that could not be read.
    pub chunks: u64,
    /// Messages in those chunks, where the file says how many.
    pub chunk_messages: u64,
    /// Places behind which nothing could be read.
    pub breaks: u64,
    /// Bytes of the file that are no part of the recording, or of which nobody can tell what they are.
    pub bytes: u64,
    /// Messages that unread bytes of the recording stand for, by the mean size of those that were read before them.
    pub unread_messages: u64,
}

impl Losses {
    /// Parts of the input that are missing: messages, or at least one where nobody knows how many.
    pub fn parts(&self) -> u64 {
        self.messages + (self.chunk_messages + self.unread_messages).max(self.chunks + self.breaks)
    }

    /// These and others together.
    #[must_use]
    pub fn and(self, other: Losses) -> Losses {
        Losses {
            others: self.others + other.others,
            messages: self.messages + other.messages,
            chunks: self.chunks + other.chunks,
            chunk_messages: self.chunk_messages + other.chunk_messages,
            breaks: self.breaks + other.breaks,
            bytes: self.bytes + other.bytes,
            unread_messages: self.unread_messages + other.unread_messages,
        }
    }

    /// Counts what is missing; `mean` says how much of a recording has how many messages.
    pub(super) fn count(&mut self, broken: &Break, mean: Mean) {
        match broken {
            Break::Chunk { piece, .. } => {
                self.chunks += 1;
                match piece.messages {
                    Some(messages) => self.chunk_messages += messages,
                    None => self.unread_messages += mean.messages_in(piece.length),
                }
            }
            Break::Cut { left, .. }
            | Break::Rest { left, .. }
            | Break::Second { left, .. }
            | Break::Tangled { left, .. } => {
                self.breaks += 1;
                self.bytes += left;
                self.unread_messages += mean.messages_in(*left);
            }
            Break::Behind { left, .. } => self.bytes += left,
            Break::Early { .. } | Break::Sum { .. } | Break::Foreign { .. } | Break::Swollen { .. } | Break::Io(_) => {}
        }
    }
}

/// How many messages there were in how many bytes of the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mean {
    pub(super) messages: u64,
    pub(super) bytes: u64,
}

impl Mean {
    /// How many there are in so many bytes, if these are like the others; none where nothing was read.
    fn messages_in(self, bytes: u64) -> u64 {
        let messages = u128::from(self.messages) * u128::from(bytes) / u128::from(self.bytes.max(1));
        u64::try_from(messages).unwrap_or(u64::MAX)
    }
}

impl fmt::Display for Losses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if 0 < self.messages {
            parts.push(format!("{} messages that could not be read", self.messages));
        }
        match (self.chunks, self.chunk_messages) {
            (0, _) => {}
            (chunks, 0) => parts.push(format!("{chunks} chunks")),
            (chunks, messages) => parts.push(format!("{chunks} chunks with {messages} messages")),
        }
        if 0 < self.breaks {
            parts.push("what stood behind a break".to_owned());
        }
        if 0 < self.bytes {
            parts.push(format!("{} bytes of the file", self.bytes));
        }
        if 0 < self.unread_messages {
            parts.push(format!("which are some {} messages by their mean size", self.unread_messages));
        }
        if 0 < self.others {
            parts.push(format!("{} messages on channels that this aisle does not know", self.others));
        }
        f.write_str(&parts.join(", "))
    }
}

/// The sentence for a break; `until` is the time of the last message before it, where there is one.
pub(super) fn told(broken: &Break, until: Option<ShopTime>, path: &Path) -> Error {
    let read = until.map_or_else(
        || "no message could be read before it".to_owned(),
        |at| format!("the last message before it is of {at}"),
    );
    let at = |message: String, byte: &u64| Error::input(message).at_path(path).at_byte(*byte);
    match broken {
        Break::Io(error) => Error::io("read", path, error),
        Break::Foreign { length: 0, .. } => at("the file is empty".to_owned(), &0).hint(AGAIN),
        Break::Foreign { length, .. } if *length < mcap::MAGIC.len() as u64 => {
            at(format!("{length} bytes are too few for a recording"), length).hint(AGAIN)
        }
        Break::Foreign { packed: Some(packed), .. } => packed.refuse(path),
        Break::Foreign { .. } => at("this is not a recording: it does not begin as an MCAP file does".to_owned(), &0)
            .hint("`aisle import` makes a recording from other formats"),
        Break::Cut { byte, .. } => at(format!("the recording breaks off here; {read}"), byte).hint(match until {
            Some(_) => "copy the file again if it was cut in transit; everything up to the break can be used",
            None => "copy the file again if it was cut in transit, or record it again",
        }),
        Break::Chunk { piece, reason } => chunk(piece, reason, path),
        Break::Early { byte } => {
            at("a chunk holds messages from before the time at which it says to begin".to_owned(), byte)
                .hint("they are told after later ones; `mcap sort` puts a recording in order")
        }
        Break::Rest { byte, left, reason } => {
            at(format!("the recording is damaged: {reason}; {left} bytes from here on are not read, and {read}"), byte)
                .hint("compare the file with its original")
        }
        Break::Sum { byte, reason } => {
            at(format!("the recording is damaged: {reason}"), byte).hint("compare the file with its original")
        }
        Break::Second { byte, ended, left } => {
            let cut = if *ended { "" } else { ", before the first one has its end" };
            let message = format!(
                "another recording begins here{cut}: two were joined, and the {left} bytes of the second are not read"
            );
            let (file, next) = (shell::path(path), byte + 1);
            at(message, byte).hint(format!(
                "`head -c {byte} {file} > FIRST.mcap` makes a file of the first, `tail -c +{next} {file} > SECOND.mcap` of the second"
            ))
        }
        Break::Behind { byte, left } => {
            let message = format!("{left} bytes of something else stand behind the end of the recording");
            at(message, byte)
                .hint(format!("`head -c {byte} {} > ALONE.mcap` makes a file without them", shell::path(path)))
        }
        Break::Swollen { unpacked } => {
            let message = format!("its chunks claim {unpacked} bytes, far more than a recording of this length has");
            at(message, &0).hint("it was made to fill memory or time; compare the file with its original")
        }
        Break::Tangled { byte, .. } => {
            let most = HELD_BYTES_MAX >> 20;
            let message = format!(
                "more than {most} MiB of this recording lie over each other in time, so it cannot be read in order of time"
            );
            at(message, byte)
                .hint(format!("`mcap sort {} -o SORTED.mcap` puts its messages in order of time", shell::path(path)))
        }
    }
}

/// The sentence for a file that is packed as a whole, by its first bytes; `None` where it is not.
pub fn refuse_packed(begin: &[u8], path: &Path) -> Option<Error> {
    Packed::of(begin).map(|packed| packed.refuse(path))
}

impl Packed {
    fn refuse(&self, path: &Path) -> Error {
        let command = self.command.replace("FILE", &shell::path(path));
        let message = format!("this is a file packed with {}, and a recording is not packed as a whole", self.name);
        Error::input(message).at_path(path).at_byte(0).hint(format!("unpack it first: `{command}`"))
    }
}

fn chunk(piece: &Piece, reason: &ChunkFault, path: &Path) -> Error {
    let lost = match piece.messages {
        Some(count) => format!("left out with its {count} messages"),
        None => format!("left out with its {} bytes", piece.length),
    };
    match reason {
        ChunkFault::Damaged(reason) => Error::input(format!("a chunk is damaged and is {lost}: {reason}"))
            .at_path(path)
            .at_byte(piece.byte)
            .hint("compare the file with its original"),
        ChunkFault::Compression(name) => {
            let name: String = name.chars().map(|sign| if sign.is_control() { '?' } else { sign }).collect();
            let message = format!("a chunk is compressed with `{name}`, which this aisle does not read; it is {lost}");
            Error::input(message)
                .at_path(path)
                .at_byte(piece.byte)
                .hint("write it with zstd, lz4 or no compression; `mcap compress` converts what it can read")
        }
    }
}
