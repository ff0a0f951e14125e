//! Pictures that come one after the other in an answer of HTTP: `multipart/x-mixed-replace` (RFC 2046), as cameras have sent
//! MJPEG for thirty years. It takes bytes as they come and gives the bodies of the parts. It takes no more memory than the
//! largest picture that is read, whatever the sender says.

/// A picture of a camera is no larger, bytes.
pub(super) const PICTURE_BYTES_MAX: usize = 16 << 20;
/// The head of a part is no larger, bytes.
const HEAD_BYTES_MAX: usize = 8 << 10;
/// What every JPEG begins and ends with.
const START: &[u8] = &[0xff, 0xd8, 0xff];
const END: &[u8] = &[0xff, 0xd9];

/// A part that came whole.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    pub(super) data: Vec<u8>,
    /// When it was taken by the clock of the camera, nanoseconds since the Unix epoch, where its head says so.
    pub(super) own_nanos: Option<i64>,
}

/// Takes bytes and finds parts.
#[derive(Debug)]
pub(super) struct Multipart {
    boundary: Vec<u8>,
    held: Vec<u8>,
    /// Up to here what is held was searched and has no end.
    searched: usize,
    state: State,
    /// Bytes that belong to nothing, parts that are none or too large.
    pub(super) garbage: u64,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Before a line that begins a part.
    Between,
    /// In a body of a length that its head says, or of one that its end says.
    Body { length: Option<usize>, own_nanos: Option<i64> },
    /// In a body that is too large: it is passed over.
    Passing,
}

impl Multipart {
    /// For the type of an answer, such as `multipart/x-mixed-replace; boundary=frame`. Without a boundary the beginnings and ends
    /// of JPEG tell.
    pub(super) fn new(content_type: &str) -> Self {
        let named = content_type.split(';').find_map(|part| {
            let (key, value) = part.split_once('=')?;
            key.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"').trim_start_matches('-'))
        });
        // Some say it with the dashes that go before it, some without.
        let boundary =
            named.filter(|name| !name.is_empty()).map_or_else(Vec::new, |name| format!("--{name}").into_bytes());
        Multipart { boundary, held: Vec::new(), searched: 0, state: State::Between, garbage: 0 }
    }

    /// Takes more bytes.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// The next part that is whole.
    pub(super) fn next(&mut self) -> Option<Part> {
        loop {
            match self.state {
                State::Between if self.boundary.is_empty() => self.find_start()?,
                State::Between => self.find_head()?,
                State::Passing => {
                    let end = self.find_end(true)?;
                    self.garbage += 1;
                    self.drop_first(end);
                    self.state = State::Between;
                }
                State::Body { length: Some(length), own_nanos } => {
                    if self.held.len() < length {
                        return None;
                    }
                    self.state = State::Between;
                    let data: Vec<u8> = self.held.drain(..length).collect();
                    self.searched = 0;
                    return Some(Part { data, own_nanos });
                }
                State::Body { length: None, own_nanos } => match self.find_end(false) {
                    Some(end) => {
                        self.state = State::Between;
                        let mut data: Vec<u8> = self.held.drain(..end).collect();
                        self.searched = 0;
                        while data.ends_with(b"\n") || data.ends_with(b"\r") {
                            data.pop();
                        }
                        return Some(Part { data, own_nanos });
                    }
                    None if PICTURE_BYTES_MAX < self.held.len() => self.state = State::Passing,
                    None => return None,
                },
            }
        }
    }

    /// Finds where a JPEG begins, where nothing stands between them.
    fn find_start(&mut self) -> Option<()> {
        let Some(start) = find(&self.held, START, 0) else {
            let passed = self.held.len() - self.held.len().min(START.len() - 1);
            self.pass(passed);
            return None;
        };
        self.pass(start);
        self.state = State::Body { length: None, own_nanos: None };
        Some(())
    }

    /// Finds the boundary and reads the head behind it.
    fn find_head(&mut self) -> Option<()> {
        let Some(start) = find(&self.held, &self.boundary, self.searched) else {
            let passed = self.held.len() - self.held.len().min(self.boundary.len());
            self.pass(passed);
            return None;
        };
        let head = &self.held[start + self.boundary.len()..];
        let ends = [(b"\r\n\r\n".as_slice(), 4), (b"\n\n", 2)].map(|(mark, gap)| Some((find(head, mark, 0)?, gap)));
        let Some((end, gap)) = ends.into_iter().flatten().min() else {
            if HEAD_BYTES_MAX < head.len() {
                self.garbage += 1;
                self.drop_first(start + self.boundary.len());
                return Some(());
            }
            return None;
        };
        let about = read_head(&head[..end]);
        let begins = start + self.boundary.len() + end + gap;
        self.garbage += u64::from(self.held[..start].iter().any(|byte| !byte.is_ascii_whitespace() && *byte != b'-'));
        self.drop_first(begins);
        self.state = match about {
            // A length that cannot be is passed over up to the next boundary.
            (Some(length), _) if PICTURE_BYTES_MAX < length => State::Passing,
            (length, own_nanos) => State::Body { length: length.filter(|length| 0 < *length), own_nanos },
        };
        Some(())
    }

    /// Finds where a body ends whose length is not known; of one that is passed over nothing is kept.
    fn find_end(&mut self, passes: bool) -> Option<usize> {
        let mark = if self.boundary.is_empty() { END } else { &self.boundary };
        let behind = if self.boundary.is_empty() { END.len() } else { 0 };
        if let Some(at) = find(&self.held, mark, self.searched) {
            return Some(at + behind);
        }
        self.searched = self.held.len().saturating_sub(mark.len());
        if passes {
            self.drop_first(self.searched);
        }
        None
    }

    /// Passes over bytes that belong to nothing.
    fn pass(&mut self, bytes: usize) {
        self.garbage += u64::from(self.held[..bytes].iter().any(|byte| !byte.is_ascii_whitespace()));
        self.drop_first(bytes);
    }

    fn drop_first(&mut self, bytes: usize) {
        self.held.drain(..bytes);
        self.searched = 0;
    }
}

/// Length of a body, and when it was taken, as the head of a part says.
fn read_head(head: &[u8]) -> (Option<usize>, Option<i64>) {
    let (mut length, mut own_nanos) = (None, None);
    for line in String::from_utf8_lossy(head).lines() {
        let Some((key, value)) = line.split_once(':') else { continue };
        match key.trim().to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().ok(),
            // Seconds since 1970 with their parts, as mjpg-streamer and its kin write it.
            "x-timestamp" | "x-sendtimestamp" => own_nanos = read_secs(value.trim()),
            _ => {}
        }
    }
    (length, own_nanos)
}

fn read_secs(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part: String = part.chars().chain("000000000".chars()).take(9).collect();
    whole.parse::<i64>().ok()?.checked_mul(1_000_000_000)?.checked_add(part.parse().ok()?)
}

/// Where a sequence of bytes begins, not before `from`.
fn find(bytes: &[u8], sequence: &[u8], from: usize) -> Option<usize> {
    let first = *sequence.first()?;
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == first)?;
        if bytes[at..].starts_with(sequence) {
            return Some(at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{Multipart, PICTURE_BYTES_MAX};

    const TYPE: &str = "multipart/x-mixed-replace; boundary=\"--frame\"";

    /// The parts of a stream that comes in pieces of so many bytes, and what was garbage.
    fn parts(kind: &str, stream: &[u8], piece: usize) -> (Vec<Vec<u8>>, u64) {
        let mut multipart = Multipart::new(kind);
        let mut parts = Vec::new();
        for bytes in stream.chunks(piece) {
            multipart.feed(bytes);
            while let Some(part) = multipart.next() {
                parts.push(part.data);
            }
        }
        (parts, multipart.garbage)
    }

    #[test]
    fn parts_come_whole_however_they_were_cut() {
        let with_length = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 7\r\n\r\none--fr\r\n--frame\r\ncontent-length:3\r\n\r\ntwo\r\n";
        let without = b"\r\n--frame\nContent-Type: image/jpeg\n\none\n--frame\n\ntwo\r\n--frame--\r\n\r\n";
        for piece in [1, 2, 7, 1_000] {
            assert_eq!(parts(TYPE, with_length, piece), (vec![b"one--fr".to_vec(), b"two".to_vec()], 0), "{piece}");
            assert_eq!(parts("multipart/mixed;boundary=frame", without, piece).0, [b"one", b"two"], "{piece}");
        }
        let bare = [b"\xff\xd8\xff1\xff\xd9".as_slice(), b"\xff\xd8\xff22\xff\xd9\r\n", b"\xff\xd8\xff3"].concat();
        for piece in [1, 3, 100] {
            let (found, garbage) = parts("video/x-jpeg", &bare, piece);
            assert_eq!(
                (found, garbage),
                (vec![b"\xff\xd8\xff1\xff\xd9".to_vec(), b"\xff\xd8\xff22\xff\xd9".to_vec()], 0)
            );
        }
    }

    #[test]
    fn garbage_is_passed_over_and_counted() {
        let stream = b"HTTP nonsense\x00\xff--frame\r\nContent-Length: 99999999999\r\n\r\nxx--frame\r\nContent-Length: 3\r\n\r\ntwo\r\n";
        for piece in [1, 5, 1_000] {
            let (found, garbage) = parts(TYPE, stream, piece);
            assert_eq!(found, [b"two"], "{piece}");
            assert!(2 <= garbage, "{garbage}");
        }
    }

    #[test]
    fn memory_is_bounded_by_the_largest_picture() {
        let mut multipart = Multipart::new(TYPE);
        multipart.feed(b"--frame\r\n\r\n");
        for _ in 0..3 * (PICTURE_BYTES_MAX >> 20) {
            multipart.feed(&vec![b'x'; 1 << 20]);
            assert_eq!(multipart.next(), None);
            assert!(multipart.held.len() <= PICTURE_BYTES_MAX + (2 << 20));
        }
        multipart.feed(b"--frame\r\n\r\nsmall--frame");
        assert_eq!(multipart.next().map(|part| part.data), Some(b"small".to_vec()));
        // Bytes without any boundary, and a head without an end.
        for kind in [TYPE, "image/none"] {
            let mut multipart = Multipart::new(kind);
            for _ in 0..64 {
                multipart.feed(&vec![b'-'; 1 << 20]);
                assert_eq!(multipart.next(), None);
            }
            assert!(multipart.held.len() < 64 && 0 < multipart.garbage);
        }
        let mut multipart = Multipart::new(TYPE);
        for _ in 0..64 {
            multipart.feed(b"--frame\r\n");
            multipart.feed(&vec![b'h'; 10_000]);
            assert_eq!(multipart.next(), None);
        }
        assert!(multipart.held.len() < 32_000, "{}", multipart.held.len());
    }

    #[test]
    fn a_head_may_say_when_it_was_taken() {
        let mut multipart = Multipart::new(TYPE);
        multipart.feed(b"--frame\r\nX-Timestamp: 1800000000.25\r\nContent-Length: 1\r\n\r\nx");
        assert_eq!(multipart.next().and_then(|part| part.own_nanos), Some(1_800_000_000_250_000_000));
    }
}
