//! One connection to a camera, whatever it speaks: threads that read it, what they tell, and how they are ended. A connection
//! never outlives its camera's thread unnoticed, and none of its threads waits for ever.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::clock::{Arrival, Device};
use super::trouble::Trouble;
use crate::base::{ShopTime, Span};
use crate::ports::Clock;

/// Things that wait for the camera's thread. It is faster than any camera; when it is full its readers wait.
const EVENTS_MAX: usize = 16;
/// A thread that was told to end has so long to do so; then it is left behind, and counted.
const END_WAIT: Duration = Duration::from_millis(2_000);
const END_LOOK: Duration = Duration::from_millis(2);

/// What a connection tells.
#[derive(Debug)]
pub(super) enum Event {
    /// What it sends, once that is known.
    About(About),
    /// A picture, as JPEG.
    Picture(Picture),
    /// Frames that came and are none, for want of a key frame or because they are damaged.
    Undecodable(u64),
    /// Packets that did not come.
    Lost(u64),
    /// A key frame came, of so many bytes.
    #[cfg_attr(not(feature = "rtsp"), expect(dead_code, reason = "ffmpeg does not say which frames are key frames"))]
    Key,
    /// It is over, and why; nothing follows.
    Ended(Trouble),
    /// Everything that there was has been played.
    Finished,
}

/// What a camera says that it sends.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct About {
    /// Such as `h264`.
    pub(super) codec: String,
    /// Profile and level, where it says them.
    pub(super) profile: Option<String>,
    pub(super) size_pixels: Option<[u32; 2]>,
    /// Frames a second.
    pub(super) declared_hertz: Option<f64>,
    /// Which program it is.
    pub(super) program: Option<String>,
}

/// A picture.
pub(super) struct Picture {
    pub(super) data: Vec<u8>,
    pub(super) device: Device,
    pub(super) arrival: Arrival,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a picture of {} bytes, {:?}, {:?}", self.data.len(), self.device, self.arrival)
    }
}

/// Tells the time twice: of the day, and since this process began to watch.
#[derive(Clone)]
pub(super) struct Watches {
    clock: Arc<dyn Clock>,
    begun: Instant,
}

impl Watches {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Watches { clock, begun: Instant::now() }
    }

    pub(super) fn now(&self) -> Arrival {
        self.at(Instant::now())
    }

    /// At an instant a moment ago.
    pub(super) fn at(&self, instant: Instant) -> Arrival {
        let ago = instant.elapsed();
        Arrival { at: self.clock.now() - span(ago), running: span(instant.saturating_duration_since(self.begun)) }
    }

    pub(super) fn running(&self) -> Span {
        span(self.begun.elapsed())
    }

    pub(super) fn day(&self) -> ShopTime {
        self.clock.now()
    }
}

pub(super) fn span(duration: Duration) -> Span {
    Span::from_nanos(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
}

pub(super) fn duration(span: Span) -> Duration {
    Duration::from_nanos(u64::try_from(span.as_nanos()).unwrap_or(0))
}

/// Nothing: a channel of it only ends.
pub(super) enum Never {}

/// What a thread of a connection is given.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) events: Sender<Event>,
    /// Ends when the thread is to end.
    pub(super) halt: Receiver<Never>,
    pub(super) watches: Watches,
}

impl Link {
    /// Tells something; `false` when nobody listens any more.
    pub(super) fn tell(&self, event: Event) -> bool {
        self.events.send(event).is_ok()
    }

    /// Waits; `false` when the thread is to end.
    pub(super) fn wait(&self, wait: Duration) -> bool {
        matches!(self.halt.recv_timeout(wait), Err(RecvTimeoutError::Timeout))
    }
}

/// A connection that was begun.
pub(super) struct Session {
    pub(super) events: Receiver<Event>,
    link: Option<Link>,
    open: Option<Sender<Never>>,
    /// What ends waits that do not look at `halt`.
    wake: Vec<Box<dyn FnOnce() + Send>>,
    threads: Vec<JoinHandle<()>>,
}

impl Session {
    pub(super) fn new(watches: &Watches) -> Self {
        let (sender, events) = bounded(EVENTS_MAX);
        let (open, halt) = bounded(0);
        let link = Some(Link { events: sender, halt, watches: watches.clone() });
        Session { events, link, open: Some(open), wake: Vec::new(), threads: Vec::new() }
    }

    /// Begins a thread of it.
    ///
    /// # Errors
    /// When the system has no more threads.
    pub(super) fn run(&mut self, name: &str, work: impl FnOnce(Link) + Send + 'static) -> Result<(), Trouble> {
        let Some(link) = self.link.clone() else { return Ok(()) };
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || work(link));
        let failed = |error| Trouble::new(&format!("no thread can be started: {error}"), None);
        self.threads.push(thread.map_err(failed)?);
        Ok(())
    }

    /// Calls this when it is to end.
    pub(super) fn at_end(&mut self, wake: impl FnOnce() + Send + 'static) {
        self.wake.push(Box::new(wake));
    }

    /// All threads are begun: when they are gone, its events end.
    pub(super) fn begun(mut self) -> Self {
        self.link = None;
        self
    }

    /// Ends it; how many threads did not end in time and were left behind.
    pub(super) fn end(mut self) -> u64 {
        self.halt();
        let until = Instant::now() + END_WAIT;
        let mut left = 0;
        for thread in std::mem::take(&mut self.threads) {
            while !thread.is_finished() && Instant::now() < until {
                // A thread that tells something is let go.
                while self.events.try_recv().is_ok() {}
                std::thread::sleep(END_LOOK);
            }
            match thread.is_finished() {
                true => drop(thread.join()),
                false => left += 1,
            }
        }
        left
    }

    fn halt(&mut self) {
        (self.link, self.open) = (None, None);
        self.wake.drain(..).for_each(|wake| wake());
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.halt();
    }
}
