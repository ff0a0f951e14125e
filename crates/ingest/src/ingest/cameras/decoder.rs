//! H.264 and H.265 frames in, JPEG out, through a child that decodes. Each picture is brought together with the times of the frame
//! that it was made of, by a number that goes through the child with it: a frame that comes out as nothing shifts no other.

use std::collections::VecDeque;
use std::io::Write;
use std::process::ChildStdin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use super::address::Address;
use super::child::{Pipes, Program, as_pictures, command, listen, read_pictures, start};
use super::clock::{Arrival, Device};
use super::matroska::{Codec, frame, head};
use super::session::{Event, Link, Picture};
use super::trouble::Trouble;
use super::wanted::Decoding;

/// Frames that wait for the child; when there are more it cannot keep up, and frames are left out up to the next key frame.
const WAITING_MAX: usize = 8;
/// Frames that are in the child: some hold back a few. Beyond that the oldest have come out as nothing.
const INSIDE_MAX: usize = 64;

/// A child that decodes.
pub(super) struct Decoder {
    program: Program,
    frames: Option<Sender<Vec<u8>>>,
    inside: Arc<Mutex<VecDeque<Inside>>>,
    number: u32,
    /// It is ended by us: what it says of that is no trouble.
    closing: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// A frame that is being decoded.
#[derive(Clone, Copy, Debug)]
struct Inside {
    number: u32,
    device: Device,
    arrival: Arrival,
}

impl Decoder {
    /// Starts a child for frames of this codec, with these parameters and of this size. Pictures are told to `link`, and its end,
    /// if it ends by itself.
    ///
    /// # Errors
    /// When ffmpeg is not installed or cannot be started.
    pub(super) fn start(
        codec: Codec,
        parameters: &[u8],
        size_pixels: [u32; 2],
        decoding: &Decoding,
        address: &Address,
        link: &Link,
    ) -> Result<Decoder, Trouble> {
        let mut command = command("ffmpeg");
        if let Some(hardware) = &decoding.hardware {
            command.args(["-hwaccel", hardware]);
        }
        command.args(["-probesize", "32", "-analyzeduration", "0", "-fflags", "discardcorrupt"]);
        command.args(["-flags", "low_delay", "-threads", "1", "-f", "matroska", "-i", "pipe:0"]);
        as_pictures(&mut command, decoding.quality);
        // What is told of it stands on pipes, and holds no address; the words are scrubbed all the same.
        let (program, Pipes { input, output, said }) = start(command, true)?;
        let Some(input) = input else { return Err(Trouble::new("the program takes no frames", None)) };
        let (frames, waiting) = bounded(WAITING_MAX);
        let (inside, closing) = (Arc::new(Mutex::new(VecDeque::new())), Arc::new(AtomicBool::new(false)));
        let mut decoder = Decoder { program, frames: Some(frames), inside, number: 0, closing, threads: Vec::new() };
        let begin = head(codec, parameters, size_pixels);
        decoder.run("decoder-in", move || write(input, &begin, &waiting))?;
        let (words, last_words) = bounded(1);
        let (scrub, tell) = (address.clone(), link.clone());
        decoder.run("decoder-words", move || {
            let said = listen(
                said,
                |line| scrub.scrubbed(line),
                |told| {
                    tell.tell(Event::Undecodable(told.damaged));
                },
            );
            drop(words.send(said));
        })?;
        let (inside, closing, link) = (Arc::clone(&decoder.inside), Arc::clone(&decoder.closing), link.clone());
        decoder.run("decoder-out", move || {
            let read = read_pictures(output, |number, data| tell_picture(&inside, number, data, &link));
            let said: VecDeque<String> = last_words.recv().unwrap_or_default();
            if !closing.load(Ordering::Acquire) {
                let lines = said.iter().map(String::as_str).chain(read.as_ref().err().map(String::as_str));
                link.tell(Event::Ended(Trouble::of(lines)));
            }
        })?;
        Ok(decoder)
    }

    /// Gives it a frame; `false` when it cannot keep up and the frame is left out.
    pub(super) fn put(&mut self, is_key: bool, data: &[u8], device: Device, arrival: Arrival) -> bool {
        let Some(frames) = &self.frames else { return false };
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if INSIDE_MAX <= inside.len() {
            return false;
        }
        self.number += 1;
        match frames.try_send(frame(self.number, is_key, data)) {
            Ok(()) => inside.push_back(Inside { number: self.number, device, arrival }),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => return false,
        }
        true
    }

    fn run(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Trouble> {
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work);
        let failed = |error| Trouble::new(&format!("no thread can be started: {error}"), None);
        self.threads.push(thread.map_err(failed)?);
        Ok(())
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Release);
        self.frames = None;
        // Its pipes end with it, and with them the threads.
        self.program.kill();
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}

fn write(mut input: ChildStdin, begin: &[u8], waiting: &Receiver<Vec<u8>>) {
    let mut written = input.write_all(begin);
    while let (Ok(()), Ok(frame)) = (&written, waiting.recv()) {
        written = input.write_all(&frame);
    }
}

/// Tells a picture with the times of its frame; frames before it that came out as nothing are counted.
fn tell_picture(inside: &Mutex<VecDeque<Inside>>, number: u32, data: Vec<u8>, link: &Link) -> bool {
    let mut frames = inside.lock().unwrap_or_else(PoisonError::into_inner);
    let mut lost = 0;
    let found = loop {
        match frames.pop_front() {
            Some(frame) if frame.number == number => break Some(frame),
            // It came out before, or never went in.
            Some(frame) if number < frame.number => {
                frames.push_front(frame);
                break None;
            }
            Some(_) => lost += 1,
            None => break None,
        }
    };
    drop(frames);
    if 0 < lost && !link.tell(Event::Undecodable(lost)) {
        return false;
    }
    let Some(Inside { device, arrival, .. }) = found else { return link.tell(Event::Undecodable(1)) };
    link.tell(Event::Picture(Picture { data, device, arrival }))
}
