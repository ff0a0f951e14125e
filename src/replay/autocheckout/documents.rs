//! JSON documents that stand one after another in a file, with or without line breaks, one in memory at a time.
//! A broken document is reported with its place and left out; reading goes on behind it.

use std::io::{BufRead, ErrorKind};
use std::path::{Path, PathBuf};

use crate::base::limits::MESSAGE_BYTES_MAX;
use crate::base::{Error, Result};

/// The documents of one stream.
pub(super) struct Documents<R> {
    source: R,
    path: PathBuf,
    /// Bytes taken from the source but given back because they begin another document.
    returned: Vec<u8>,
    text: Vec<u8>,
    /// Place behind the last byte looked at.
    line: u64,
    byte: u64,
    count: u64,
    ended: bool,
}

/// Where a document stands.
#[derive(Clone, Copy)]
pub(super) struct Spot {
    /// Line of its first byte, counted from 1.
    pub(super) line: u64,
    /// Offset of its first byte.
    pub(super) byte: u64,
    /// Its number in the file, counted from 1.
    pub(super) number: u64,
}

/// How far into a document the scan is.
struct Scan {
    spot: Spot,
    depth: u32,
    in_string: bool,
    escaped: bool,
    /// Where the current line begins in the text, once there was a line break.
    line_start: Option<usize>,
}

enum Verdict {
    More,
    Whole,
    /// A line break inside a text: the line was cut.
    Torn,
    /// The line just begun starts like a document; this one lacks its end.
    Restarted(usize),
    Long,
}

/// How many first bytes of a line tell that it begins a document; as in `{"_id"`.
const LIKENESS_BYTES: usize = 6;

impl<R: BufRead> Documents<R> {
    pub(super) fn new(source: R, path: &Path) -> Self {
        let (returned, text) = (Vec::new(), Vec::new());
        Documents { source, path: path.to_owned(), returned, text, line: 1, byte: 0, count: 0, ended: false }
    }

    /// Bytes read so far.
    pub(super) fn position(&self) -> u64 {
        self.byte
    }

    /// The text of the document that [`Documents::advance`] found.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// An error about a document.
    pub(super) fn wrong(&self, spot: Spot, message: &str) -> Error {
        Error::input(format!("document {}: {message}", spot.number))
            .at_path(&self.path)
            .at_line(spot.line)
            .at_byte(spot.byte)
    }

    /// Reads the next document; `None` at the end.
    pub(super) fn advance(&mut self) -> Result<Option<Spot>> {
        let Some(first) = self.skip_between()? else { return Ok(None) };
        self.count += 1;
        let spot = Spot { line: self.line, byte: self.byte - 1, number: self.count };
        self.text.clear();
        if first != b'{' {
            self.skip_line()?;
            let shown = char::from(first).escape_default();
            return Err(self.wrong(spot, &format!("a JSON object begins with `{{`, and here stands `{shown}`")));
        }
        self.text.push(first);
        let mut scan = Scan { spot, depth: 1, in_string: false, escaped: false, line_start: None };
        loop {
            let verdict = match self.take()? {
                Some(byte) => scan.look(byte, &mut self.text),
                None => {
                    self.ended = true;
                    let cut = format!("the file breaks off {} bytes into it", self.text.len());
                    let hint = "everything before it can be used; copy the file again if it was cut in transit";
                    return Err(self.wrong(spot, &cut).hint(hint));
                }
            };
            match verdict {
                Verdict::More => {}
                Verdict::Whole => return Ok(Some(spot)),
                Verdict::Torn => return Err(self.wrong(scan.spot, "its line ends in the middle of a text")),
                Verdict::Restarted(at) => {
                    self.give_back(at);
                    return Err(self.wrong(scan.spot, "it lacks its end; the next line begins another document"));
                }
                Verdict::Long => {
                    self.skip_line()?;
                    return Err(self.wrong(scan.spot, &format!("it is longer than {MESSAGE_BYTES_MAX} bytes")));
                }
            }
        }
    }

    /// Passes over what may stand between documents: space, a byte order mark, and the frame of a JSON array.
    fn skip_between(&mut self) -> Result<Option<u8>> {
        while !self.ended {
            match self.take()? {
                None => self.ended = true,
                Some(b' ' | b'\t' | b'\r' | b'\n' | b',' | b'[' | b']' | 0xef | 0xbb | 0xbf) => {}
                Some(byte) => return Ok(Some(byte)),
            }
        }
        Ok(None)
    }

    fn skip_line(&mut self) -> Result<()> {
        while let Some(byte) = self.take()? {
            if byte == b'\n' {
                return Ok(());
            }
        }
        self.ended = true;
        Ok(())
    }

    fn give_back(&mut self, at: usize) {
        let back = self.text.split_off(at);
        self.byte -= back.len() as u64;
        self.returned.extend(back.into_iter().rev());
    }

    fn take(&mut self) -> Result<Option<u8>> {
        let taken = match self.returned.pop() {
            Some(byte) => Some(byte),
            None => loop {
                match self.source.fill_buf() {
                    Ok(buffer) => break buffer.first().copied().inspect(|_| self.source.consume(1)),
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => {
                        self.ended = true;
                        return Err(Error::io("read", &self.path, &error));
                    }
                }
            },
        };
        if let Some(byte) = taken {
            self.byte += 1;
            self.line += u64::from(byte == b'\n');
        }
        Ok(taken)
    }
}

impl Scan {
    fn look(&mut self, byte: u8, text: &mut Vec<u8>) -> Verdict {
        text.push(byte);
        if MESSAGE_BYTES_MAX < text.len() {
            return Verdict::Long;
        }
        if self.in_string {
            match byte {
                b'\n' => return Verdict::Torn,
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
        } else {
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth -= 1,
                b'\n' => self.line_start = Some(text.len()),
                _ => {}
            }
        }
        match self.line_start {
            _ if self.depth == 0 => Verdict::Whole,
            Some(start) if text.len() == start + LIKENESS_BYTES && text[start..] == text[..LIKENESS_BYTES] => {
                Verdict::Restarted(start)
            }
            _ => Verdict::More,
        }
    }
}
