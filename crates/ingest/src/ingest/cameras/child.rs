//! The program `ffmpeg` as a child that turns what cameras send into JPEG. Pictures come back in the form SMJPEG, which has a
//! number beside each. A child is never waited for without a bound: it is killed with its group, and reaped later if need be.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::multipart::PICTURE_BYTES_MAX;
use super::trouble::Trouble;

/// Of what it says, so many lines are kept, and so many bytes of each.
const LINES_MAX: usize = 40;
const LINE_BYTES_MAX: u64 = 1_000;
/// After it was killed a child has so long to be gone.
const REAP_WAIT: Duration = Duration::from_millis(2_000);
const REAP_LOOK: Duration = Duration::from_millis(2);
/// What stands before a picture and before the text of the head in SMJPEG, and how many bytes a text has at most.
const MAGIC: &[u8; 8] = b"\0\nSMJPEG";
const PICTURE: &[u8; 4] = b"vidD";
const TEXT_BYTES_MAX: u32 = 64 << 10;
const PIPE_BYTES: usize = 256 << 10;

/// What the program is asked for, whatever it reads: to say little, with a word before each line that says how bad it is.
const ALWAYS: [&str; 4] = ["-nostdin", "-hide_banner", "-loglevel", "level+warning"];

/// A child that runs, and what ends it. Clones are the same child.
#[derive(Clone)]
pub(super) struct Program(Arc<Mutex<Child>>);

/// Its pipes.
pub(super) struct Pipes {
    #[cfg_attr(
        not(feature = "rtsp"),
        expect(dead_code, reason = "without RTSP of its own aisle gives a child no frames")
    )]
    pub(super) input: Option<ChildStdin>,
    pub(super) output: ChildStdout,
    pub(super) said: ChildStderr,
}

/// What is written behind the input: every frame as JPEG with the time of its input, at once.
pub(super) fn as_pictures(command: &mut Command, quality: u8) {
    command.args(["-map", "0:v:0", "-an", "-sn", "-dn", "-copyts", "-fps_mode", "passthrough"]);
    command.args(["-enc_time_base", "1:1000", "-c:v", "mjpeg", "-threads", "1", "-pix_fmt", "yuvj420p"]);
    command.args(["-strict", "unofficial", "-q:v", &scale_of(quality).to_string()]);
    command.args(["-f", "smjpeg", "-flush_packets", "1", "pipe:1"]);
}

/// The quantiser of ffmpeg that gives pictures like a quality of JPEG.
fn scale_of(quality: u8) -> u8 {
    match quality {
        95.. => 2,
        88.. => 3,
        83.. => 4,
        78.. => 5,
        70.. => 7,
        55.. => 10,
        35.. => 16,
        _ => 31,
    }
}

/// A command that has what every one has.
pub(super) fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.args(ALWAYS);
    command
}

/// Starts a command, in a group of its own, so that a signal to this program leaves it to be ended in order.
///
/// # Errors
/// When it is not installed or cannot be started.
pub(super) fn start(mut command: Command, takes_input: bool) -> Result<(Program, Pipes), Trouble> {
    command.stdin(if takes_input { Stdio::piped() } else { Stdio::null() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().map_err(|error| lacks(command.get_program(), &error))?;
    let (output, said) = (child.stdout.take(), child.stderr.take());
    let (Some(output), Some(said)) = (output, said) else {
        return Err(Trouble::new("the program has no pipes", None));
    };
    let pipes = Pipes { input: child.stdin.take(), output, said };
    Ok((Program(Arc::new(Mutex::new(child))), pipes))
}

fn lacks(program: &OsStr, error: &std::io::Error) -> Trouble {
    let program = program.to_string_lossy();
    if error.kind() != std::io::ErrorKind::NotFound {
        return Trouble::new(&format!("the program {program} cannot be started: {error}"), None);
    }
    let remedy =
        "install ffmpeg (`apt-get install ffmpeg`, `brew install ffmpeg`), or let the camera send MJPEG over HTTP";
    Trouble::lasting(format!("the program {program} is not installed, and it is what decodes video"), Some(remedy))
}

impl Program {
    /// Kills it with its group, and waits for its end for a while.
    pub(super) fn kill(&self) {
        let mut child = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(child.try_wait(), Ok(Some(_))) {
            return;
        }
        #[cfg(unix)]
        if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
            // It fails for a group that is gone.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        drop(child.kill());
        let until = Instant::now() + REAP_WAIT;
        while matches!(child.try_wait(), Ok(None)) && Instant::now() < until {
            std::thread::sleep(REAP_LOOK);
        }
    }
}

/// Reads pictures, each with its number, until there are no more or `take` has enough.
///
/// # Errors
/// A sentence, when what comes is not SMJPEG.
pub(super) fn read_pictures(output: ChildStdout, mut take: impl FnMut(u32, Vec<u8>) -> bool) -> Result<(), String> {
    read_smjpeg(BufReader::with_capacity(PIPE_BYTES, output), &mut take)
}

fn read_smjpeg(mut output: impl Read, take: &mut impl FnMut(u32, Vec<u8>) -> bool) -> Result<(), String> {
    let mut head = [0; 16];
    if output.read_exact(&mut head).is_err() {
        return Ok(());
    }
    if !head.starts_with(MAGIC) {
        return Err("what the program writes is not SMJPEG".to_owned());
    }
    loop {
        let Some(kind) = word(&mut output) else { return Ok(()) };
        if kind == *b"HEND" {
            continue;
        }
        let number = if kind == *PICTURE { word(&mut output).map(u32::from_be_bytes) } else { Some(0) };
        let (Some(number), Some(length)) = (number, word(&mut output).map(u32::from_be_bytes)) else { return Ok(()) };
        let is_picture = kind == *PICTURE;
        let most = if is_picture { PICTURE_BYTES_MAX as u32 } else { TEXT_BYTES_MAX };
        if most < length {
            return Err(format!("the program writes a part of {length} bytes"));
        }
        let mut data = vec![0; length as usize];
        if output.read_exact(&mut data).is_err() || (is_picture && !take(number, data)) {
            return Ok(());
        }
    }
}

fn word(output: &mut impl Read) -> Option<[u8; 4]> {
    let mut word = [0; 4];
    output.read_exact(&mut word).is_ok().then_some(word)
}

/// What a line of the program says of pictures and packets that are lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) packets: u64,
    pub(super) damaged: u64,
}

/// Takes in all that the program says, so that it never waits for a reader: keeps the last lines, without what is secret, and tells
/// of losses as they come.
pub(super) fn listen(
    said: ChildStderr,
    scrub: impl Fn(&str) -> String,
    mut tell: impl FnMut(Told),
) -> VecDeque<String> {
    let mut said = BufReader::new(said);
    let mut lines = VecDeque::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        match said.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return lines,
            Ok(_) => {}
        }
        let text = scrub(String::from_utf8_lossy(&line).trim());
        let told = losses(&text);
        if told != Told::default() {
            tell(told);
        } else if !text.is_empty() && !text.contains("deprecated pixel format") {
            lines.push_back(text);
        }
        if LINES_MAX < lines.len() {
            lines.pop_front();
        }
    }
}

/// Losses that a line tells of.
fn losses(line: &str) -> Told {
    let number = |after: &str| {
        let rest = line.split_once(after)?.1.trim_start();
        let digits = rest.split(|letter: char| !letter.is_ascii_digit()).next()?;
        digits.parse::<u64>().ok()
    };
    // `RTP: missed 5 packets`, `max delay reached. need to consume packet`, `concealing 120 DC, 120 AC errors in P frame`.
    let packets = number("RTP: missed ").unwrap_or(0);
    let damaged = line.contains("concealing ") || line.contains("corrupt decoded frame");
    Told { packets, damaged: u64::from(damaged) }
}

#[cfg(test)]
mod tests {
    use super::{Told, losses, read_smjpeg, scale_of};

    #[test]
    fn pictures_come_with_their_numbers() {
        let stream = [
            b"\0\nSMJPEG\0\0\0\0\0\0\0\0_TXT\0\0\0\x02ab_VID\0\0\0\x04abcdHEND".as_slice(),
            b"vidD\0\0\x01\x02\0\0\0\x03one",
            b"vidD\xff\xff\xff\xff\0\0\0\x00",
            b"vidD\0\0\0\x01\0\0\0\x09brok",
        ]
        .concat();
        let read = |stream: &[u8]| {
            let mut found = Vec::new();
            let end = read_smjpeg(stream, &mut |number, data| {
                found.push((number, data));
                true
            });
            (found, end)
        };
        assert_eq!(read(&stream), (vec![(258, b"one".to_vec()), (u32::MAX, Vec::new())], Ok(())));
        let (none, end) = read(b"RIFF0000AVI LIST");
        assert!(none.is_empty() && end.is_err());
        let (none, end) = read(b"\0\nSMJPEG\0\0\0\0\0\0\0\0vidD\0\0\0\0\xff\xff\xff\xff");
        assert!(none.is_empty() && end.is_err());
    }

    #[test]
    fn losses_are_read_from_what_it_says() {
        assert_eq!(losses("[rtsp @ 0x1] [warning] RTP: missed 12 packets"), Told { packets: 12, damaged: 0 });
        assert_eq!(losses("[h264] concealing 84 DC, 84 AC errors in P frame").damaged, 1);
        assert_eq!(losses("[error] 401 Unauthorized"), Told::default());
    }

    #[test]
    fn better_quality_has_a_finer_scale() {
        assert!((2..=100).all(|quality| scale_of(quality) <= scale_of(quality - 1)));
    }
}
