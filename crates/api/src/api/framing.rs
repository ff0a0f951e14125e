//! Where requests begin and end on a connection. It takes bytes as they come, gives on whole heads and the bodies behind
//! them, and refuses whatever could be read in two ways, before anybody acts on it. It never looks into a body, and keeps no
//! more than one head.

use axum::http::{HeaderName, HeaderValue, Uri};

use super::problem::{Problem, Sort};
use crate::base::limits::{REQUEST_HEAD_BYTES_MAX, REQUEST_HEADERS_MAX};

/// Letters of the line before a chunk: its size and whatever else somebody may write there.
const CHUNK_LINE_BYTES_MAX: usize = 256;
/// Bytes of what may stand behind the last chunk.
const TRAILER_BYTES_MAX: usize = 4 << 10;
/// Digits of a size in hexadecimal, and of a length.
const DIGITS_MAX: usize = 15;
/// Headers that say one thing or nothing: of two, different programs would believe different ones.
const ONCE: [&str; 6] = ["host", "content-length", "transfer-encoding", "authorization", "content-type", "expect"];

/// Follows one connection.
pub(super) struct Framing {
    state: State,
    refusal: Option<Problem>,
}

enum State {
    /// In a head, of which this much is there.
    Head(Vec<u8>),
    /// In a body with so many bytes to come.
    Sized(u64),
    /// In the line before a chunk.
    ChunkLine(Vec<u8>),
    /// In a chunk with so many bytes to come, and the two behind it.
    Chunk(u64),
    /// Behind the last chunk: the line so far, and bytes of all lines.
    Trailer(Vec<u8>, usize),
    /// Nothing that comes is looked at any more; whether that began in a body.
    Over { in_body: bool },
}

impl Framing {
    pub(super) fn new() -> Self {
        Framing { state: State::Head(Vec::new()), refusal: None }
    }

    /// Takes what came, and adds to `out` what may be acted on.
    pub(super) fn feed(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while !bytes.is_empty() {
            let state = std::mem::replace(&mut self.state, State::Over { in_body: false });
            let in_body = !matches!(state, State::Head(_));
            match step(state, &mut bytes, out) {
                Ok(state) => self.state = state,
                Err(problem) => {
                    self.state = State::Over { in_body };
                    self.refusal.get_or_insert(problem);
                }
            }
            if matches!(self.state, State::Over { .. }) {
                return;
            }
        }
    }

    /// Whether a head has begun and is not there as a whole.
    pub(super) fn is_within_head(&self) -> bool {
        matches!(&self.state, State::Head(head) if !head.is_empty())
    }

    /// Whether something was refused, and if so, whether it was in a body.
    pub(super) fn over(&self) -> Option<bool> {
        match self.state {
            State::Over { in_body } => Some(in_body),
            _ => None,
        }
    }

    /// Why it was refused; once.
    pub(super) fn refusal(&mut self) -> Option<Problem> {
        self.refusal.take()
    }
}

/// Takes some of the bytes.
fn step(state: State, bytes: &mut &[u8], out: &mut Vec<u8>) -> Result<State, Problem> {
    match state {
        State::Head(head) => head_step(head, bytes, out),
        State::Sized(left) => Ok(match left - give(left, bytes, out) {
            0 => State::Head(Vec::new()),
            left => State::Sized(left),
        }),
        State::ChunkLine(mut line) => {
            if !take_line(&mut line, bytes, CHUNK_LINE_BYTES_MAX)? {
                return Ok(State::ChunkLine(line));
            }
            out.extend_from_slice(&line);
            let size = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii_end();
            let digits = size.len() <= DIGITS_MAX && size.iter().all(u8::is_ascii_hexdigit);
            let size = std::str::from_utf8(size).ok().filter(|_| digits);
            match size.and_then(|size| u64::from_str_radix(size, 16).ok()) {
                None => Err(malformed("a chunk of the body does not begin with its size in hexadecimal")),
                Some(0) => Ok(State::Trailer(Vec::new(), 0)),
                Some(size) => Ok(State::Chunk(size + 2)),
            }
        }
        State::Chunk(left) => {
            let from = out.len();
            let left_then = left - give(left, bytes, out);
            // The last two are the end of a line.
            for (given, byte) in (1..).zip(out.iter().skip(from)) {
                let wanted = match left - given {
                    1 => Some(b'\r'),
                    0 => Some(b'\n'),
                    _ => None,
                };
                if wanted.is_some_and(|wanted| wanted != *byte) {
                    return Err(malformed("a chunk of the body is not as long as it says"));
                }
            }
            Ok(if left_then == 0 { State::ChunkLine(Vec::new()) } else { State::Chunk(left_then) })
        }
        State::Trailer(mut line, before) => {
            if !take_line(&mut line, bytes, TRAILER_BYTES_MAX - before)? {
                return Ok(State::Trailer(line, before));
            }
            out.extend_from_slice(&line);
            if line == b"\r\n" {
                return Ok(State::Head(Vec::new()));
            }
            header(line.trim_ascii_end())?;
            Ok(State::Trailer(Vec::new(), before + line.len()))
        }
        over @ State::Over { .. } => Ok(over),
    }
}

/// Gives on up to `left` bytes; how many it were.
fn give(left: u64, bytes: &mut &[u8], out: &mut Vec<u8>) -> u64 {
    let count = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
    let (now, rest) = bytes.split_at(count);
    out.extend_from_slice(now);
    *bytes = rest;
    count as u64
}

/// Takes bytes up to the end of a line; whether it is there.
fn take_line(line: &mut Vec<u8>, bytes: &mut &[u8], most: usize) -> Result<bool, Problem> {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let (now, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
    line.extend_from_slice(now);
    *bytes = rest;
    if most < line.len() {
        return Err(malformed("what stands between the chunks of the body is too long"));
    }
    match end {
        Some(_) if !line.ends_with(b"\r\n") => Err(malformed("a line between chunks does not end with CR LF")),
        end => Ok(end.is_some()),
    }
}

fn head_step(mut head: Vec<u8>, bytes: &mut &[u8], out: &mut Vec<u8>) -> Result<State, Problem> {
    // An empty line too many behind the request before is forgiven.
    while head.is_empty() && matches!(bytes.first(), Some(b'\r' | b'\n')) {
        *bytes = &bytes[1..];
    }
    while let Some((byte, rest)) = bytes.split_first() {
        head.push(*byte);
        *bytes = rest;
        if head.len() == 1 && !is_token(*byte) {
            return Err(malformed("this does not begin like a request of HTTP/1.1; for TLS, ask the proxy in front"));
        }
        if *byte != b'\n' {
            if REQUEST_HEAD_BYTES_MAX < head.len() {
                let detail = format!("the head of a request has at most {REQUEST_HEAD_BYTES_MAX} bytes");
                return Err(Problem::new(Sort::HeadTooLarge, detail));
            }
            continue;
        }
        if !head.ends_with(b"\r\n") {
            return Err(malformed("a line of the head does not end with CR LF"));
        }
        if head.ends_with(b"\r\n\r\n") {
            let state = check(&head)?;
            out.extend_from_slice(&head);
            return Ok(state);
        }
    }
    Ok(State::Head(head))
}

/// What follows a whole head.
fn check(head: &[u8]) -> Result<State, Problem> {
    let mut lines =
        head[..head.len() - 4].split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let is_new = request_line(lines.next().unwrap_or_default())?;
    let headers = lines.map(header).collect::<Result<Vec<_>, _>>()?;
    if REQUEST_HEADERS_MAX < headers.len() {
        let detail = format!("the head of a request has at most {REQUEST_HEADERS_MAX} lines");
        return Err(Problem::new(Sort::HeadTooLarge, detail));
    }
    let all =
        |wanted: &'static str| headers.iter().filter(move |(name, _)| name.as_str() == wanted).map(|(_, value)| value);
    if let Some(twice) = ONCE.into_iter().find(|name| 1 < all(name).count()) {
        return Err(malformed(format!("`{twice}` stands there more than once")));
    }
    let one = |wanted: &'static str| all(wanted).next().map(|value| value.as_bytes().trim_ascii());
    match one("host") {
        None if is_new => return Err(malformed("`Host` is missing; HTTP/1.1 wants it")),
        Some(host) if !host.iter().all(|byte| byte.is_ascii_alphanumeric() || b".:-_[]%~".contains(byte)) => {
            return Err(malformed("`Host` is no name or address with a port"));
        }
        _ => {}
    }
    if one("expect").is_some_and(|expected| !expected.eq_ignore_ascii_case(b"100-continue")) {
        return Err(Problem::new(Sort::Expectation, "only `Expect: 100-continue` can be met"));
    }
    match (one("transfer-encoding"), one("content-length")) {
        (Some(_), Some(_)) => Err(malformed(
            "`Content-Length` and `Transfer-Encoding` say where the body ends in two ways; write one of them",
        )),
        (Some(coding), None) if is_new && coding.eq_ignore_ascii_case(b"chunked") => Ok(State::ChunkLine(Vec::new())),
        (Some(_), None) => Err(malformed("the only `Transfer-Encoding` is `chunked`, of HTTP/1.1")),
        (None, Some(length)) => {
            let fits = (1..=DIGITS_MAX).contains(&length.len()) && length.iter().all(u8::is_ascii_digit);
            let length = std::str::from_utf8(length).ok().filter(|_| fits).and_then(|length| length.parse().ok());
            match length {
                Some(0) => Ok(State::Head(Vec::new())),
                Some(length) => Ok(State::Sized(length)),
                None => Err(malformed("`Content-Length` is no number of bytes")),
            }
        }
        (None, None) => Ok(State::Head(Vec::new())),
    }
}

/// Checks the first line; whether it is of HTTP/1.1 rather than 1.0.
fn request_line(line: &[u8]) -> Result<bool, Problem> {
    let parts: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let &[method, target, version] = parts.as_slice() else {
        return Err(malformed("the first line is not `METHOD /path HTTP/1.1`"));
    };
    if method.is_empty() || !method.iter().copied().all(is_token) {
        return Err(malformed("this is no method"));
    }
    let is_origin = target.starts_with(b"/") || target.starts_with(b"http://") || target.starts_with(b"https://");
    if !is_origin || Uri::try_from(target).is_err() {
        return Err(malformed("what is asked for is no path, as in `GET /path HTTP/1.1`"));
    }
    match version {
        b"HTTP/1.1" => Ok(true),
        b"HTTP/1.0" => Ok(false),
        [b'H', b'T', b'T', b'P', b'/', rest @ ..] if !rest.is_empty() => {
            Err(Problem::new(Sort::Version, "write HTTP/1.1"))
        }
        _ => Err(malformed("the first line is not `METHOD /path HTTP/1.1`")),
    }
}

/// Reads a line of the head.
fn header(line: &[u8]) -> Result<(HeaderName, HeaderValue), Problem> {
    let wrong = || malformed("a line of the head is not `Name: value`");
    let colon = line.iter().position(|byte| *byte == b':').ok_or_else(wrong)?;
    let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
    let name = HeaderName::from_bytes(name).map_err(|_| wrong())?;
    let value = HeaderValue::from_bytes(value);
    let value = value.map_err(|_| malformed(format!("the value of `{name}` has control characters")))?;
    Ok((name, value))
}

/// Whether a letter may stand in a method.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn malformed(detail: impl Into<String>) -> Problem {
    Problem::new(Sort::Malformed, detail)
}

#[cfg(test)]
mod tests;
