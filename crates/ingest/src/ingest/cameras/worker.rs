//! The thread of one camera: connects, takes pictures, puts them where they are looked at, watches that they come and differ,
//! connects anew, and says how the camera is.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, select_biased};

use super::address::{Address, Place};
use super::backoff::Backoff;
use super::clock::CameraClock;
use super::frames::Frames;
use super::session::{Event, Never, Picture, Session, Watches, duration};
use super::source;
use super::trouble::Trouble;
use super::wanted::Wanted;
use super::watch::{Look, Thinning, Watch};
use crate::base::{ShopTime, SourceId, Span};
use crate::facts::{Body, Fact, Frame, Stamp};
use crate::image::{PictureFormat, picture_head};
use crate::ingest::devices::CameraDevice;
use crate::ports::{HealthBoard, HealthWord};
use crate::shop::Camera;

/// How often a camera is looked after when nothing comes.
const TICK: Duration = Duration::from_millis(50);
/// How often it is said how it is, when that does not change.
const TELL: Span = Span::from_millis(500);
/// Pictures that are compared with: those of one group from key frame to key frame, at 15 Hz up to four seconds.
const SHOWN_MAX: usize = 60;
/// Everything that is counted, from the beginning, so that what never happened is seen as never.
const COUNTERS: [&str; 12] = [
    "abandoned_threads",
    "dropped_frozen",
    "dropped_rate",
    "dropped_replaced",
    "dropped_undecodable",
    "failed_connects",
    "frames",
    "lost_packets",
    "reconnects",
    "restamped",
    "stalls",
    "wrong_size",
];

/// What one camera needs.
pub(super) struct Worker {
    device: CameraDevice,
    /// The camera as the shop knows it, if it does.
    view: Option<Camera>,
    /// Its name among devices and sources of facts: `camera/left`.
    name: String,
    source: SourceId,
    frames: Frames,
    health: HealthBoard,
    watches: Watches,
    stop: Receiver<Never>,
    backoff: Backoff,
    watch: Watch,
    thinning: Thinning,
    clock: CameraClock,
    sequence: u64,
    counters: BTreeMap<&'static str, u64>,
    /// Checksums of what the last pictures showed. An encoder whose picture stands still gives the same few again and again, from
    /// key frame to key frame; a sensor has noise, and never does.
    shown: VecDeque<u32>,
    heard: Option<ShopTime>,
    told: Option<Span>,
    /// Frames that do not show the view which was calibrated: their size.
    odd_size: Option<[u32; 2]>,
    /// The last frame of all connections, on the axis of this process.
    last_frame: Option<Span>,
    /// The last connection brought something, and no picture.
    sends_garbage: bool,
}

/// How a connection ended.
enum End {
    /// The shop closes.
    Stopped,
    /// There is nothing more to play.
    Finished,
    /// It broke.
    Broke(Trouble),
}

impl Worker {
    pub(super) fn new(
        device: CameraDevice,
        view: Option<Camera>,
        frames: Frames,
        health: HealthBoard,
        watches: Watches,
        stop: Receiver<Never>,
    ) -> Self {
        let name = device_name(&device);
        let expected = expected_hertz(&device, view.as_ref());
        let now = watches.now();
        Worker {
            source: SourceId::new(&name),
            backoff: Backoff::new(&name),
            watch: Watch::new(device.silence, device.frozen, expected, now.running),
            thinning: Thinning::new(device.rate_hertz),
            clock: CameraClock::new(now.running),
            // Numbers rise over restarts too: fewer than a thousand frames a second come.
            sequence: u64::try_from(now.at.as_nanos() / 1_000_000).unwrap_or(0),
            counters: COUNTERS.iter().map(|name| (*name, 0)).collect(),
            shown: VecDeque::new(),
            heard: None,
            told: None,
            odd_size: None,
            last_frame: None,
            sends_garbage: false,
            name,
            device,
            view,
            frames,
            health,
            watches,
            stop,
        }
    }

    /// Runs until the shop closes.
    pub(super) fn run(mut self) {
        // A connection that worked, and was lost.
        let (mut anew, mut last_timed_out) = (false, false);
        loop {
            self.watch.connecting(self.watches.running(), anew);
            if anew {
                self.count("reconnects", 1);
            }
            let before = self.counters["frames"];
            let odd_before = self.counters["dropped_undecodable"];
            let end = match self.connect(last_timed_out) {
                Ok(session) => self.listen(session),
                Err(trouble) => End::Broke(trouble),
            };
            let trouble = match end {
                End::Stopped => break,
                End::Finished => {
                    let done =
                        Trouble::new("it has been played to its end", Some("say `repeat = true` to play it again"));
                    self.say_broken(&done, true);
                    drop(self.stop.recv());
                    break;
                }
                End::Broke(trouble) => trouble,
            };
            anew = before < self.counters["frames"];
            self.sends_garbage = !anew && odd_before < self.counters["dropped_undecodable"];
            let trouble = if self.sends_garbage { garbage(&trouble) } else { trouble };
            match anew {
                true => self.backoff.worked(),
                false => self.count("failed_connects", 1),
            }
            last_timed_out = trouble.cause.contains("in time") || trouble.cause.contains("no way");
            tracing::info!(camera = %self.name, cause = %trouble.cause, "no connection to a camera");
            let wait = self.backoff.failed(trouble.lasting);
            self.say_broken(&trouble, trouble.lasting);
            if !self.pause(wait, &trouble) {
                break;
            }
        }
    }

    /// Waits; `false` when the shop closes. What is said of the camera grows worse meanwhile.
    fn pause(&mut self, wait: Span, trouble: &Trouble) -> bool {
        let until = self.watches.running() + wait;
        loop {
            let left = until - self.watches.running();
            if left <= Span::ZERO {
                return true;
            }
            match self.stop.recv_timeout(duration(left).min(TICK)) {
                Err(RecvTimeoutError::Timeout) => self.say_broken(trouble, trouble.lasting),
                _ => return false,
            }
        }
    }

    fn connect(&mut self, last_timed_out: bool) -> Result<Session, Trouble> {
        let address = Address::read(&self.device.address)
            .map_err(|message| Trouble::lasting(message, Some("see `url`, `url_file`, `url_env` in devices.toml")))?;
        if last_timed_out {
            source::is_reachable(&address).map_err(|said| Trouble::of([said.as_str()]))?;
        }
        if matches!(address.place, Place::Film(_) | Place::Pictures(_)) {
            // What is played is no camera that can freeze.
            self.watch = Watch::new(self.device.silence, Span::from_nanos(i64::MAX), None, self.watches.running());
        }
        self.clock = CameraClock::new(self.watches.running());
        let view = self.view.as_ref();
        let wanted =
            Wanted { rate_hertz: expected_hertz(&self.device, view), size_pixels: view.map(|view| view.size_pixels) };
        source::open(&self.device, &address, wanted, &self.watches)
    }

    /// Listens to a connection until it ends, and ends it.
    fn listen(&mut self, session: Session) -> End {
        let end = loop {
            let event = select_biased! {
                recv(self.stop) -> _ => break End::Stopped,
                recv(session.events) -> event => event.map_err(|_| RecvTimeoutError::Disconnected),
                default(TICK) => Err(RecvTimeoutError::Timeout),
            };
            match event {
                Ok(Event::Picture(picture)) => self.take(picture),
                Ok(Event::Undecodable(frames)) => {
                    self.sequence += frames;
                    self.count("dropped_undecodable", frames);
                }
                Ok(Event::Lost(packets)) => self.count("lost_packets", packets),
                Ok(Event::About(_) | Event::Key) | Err(RecvTimeoutError::Timeout) => {}
                Ok(Event::Ended(trouble)) => break End::Broke(trouble),
                Ok(Event::Finished) => break End::Finished,
                Err(RecvTimeoutError::Disconnected) => break End::Broke(Trouble::of([])),
            }
            let now = self.watches.running();
            let (look, stalls) = self.watch.look(now);
            if stalls {
                self.count("stalls", 1);
            }
            if look == Look::Silent {
                let secs = self.device.silence.as_secs();
                break End::Broke(Trouble::of([format!("no frame came for {secs} s: timed out").as_str()]));
            }
            if self.told.is_none_or(|told| TELL <= now - told) {
                self.say(now);
            }
        };
        let left = session.end();
        self.count("abandoned_threads", left);
        end
    }

    /// Takes a picture.
    fn take(&mut self, picture: Picture) {
        let head = picture_head(&picture.data).ok().filter(|head| head.format == PictureFormat::Jpeg);
        let Some(head) = head else {
            self.sequence += 1;
            return self.count("dropped_undecodable", 1);
        };
        let strays = self.clock.strays;
        let at = self.clock.taken(picture.device, picture.arrival);
        self.count("restamped", self.clock.strays - strays);
        let is_odd = self.view.as_ref().is_some_and(|view| view.calibrated_from_frame(head.size_pixels).is_none());
        if is_odd {
            self.count("wrong_size", 1);
        }
        let shows = crc32fast::hash(scan(&picture.data));
        let same = self.shown.contains(&shows);
        if !same {
            self.shown.push_back(shows);
            if SHOWN_MAX < self.shown.len() {
                self.shown.pop_front();
            }
        }
        let now = picture.arrival.running;
        let was_well = self.last_frame.is_some() && self.odd_size.is_some() == is_odd && !self.watch.is_frozen(now);
        self.odd_size = is_odd.then_some(head.size_pixels);
        self.watch.frame(now, same);
        (self.heard, self.last_frame) = (Some(picture.arrival.at), Some(now));
        self.count("frames", 1);
        if !was_well || self.is_said_broken() {
            self.say(now);
        }
        if self.watch.is_frozen(now) {
            return self.count("dropped_frozen", 1);
        }
        if !self.thinning.keeps(Span::from_nanos(at.as_nanos())) {
            return self.count("dropped_rate", 1);
        }
        self.sequence += 1;
        let stamp = Stamp { source: self.source.clone(), sequence: self.sequence, at, arrived: picture.arrival.at };
        let frame = Frame { camera: self.device.camera.clone(), format: head.format, data: picture.data.into() };
        if self.frames.put(Fact { stamp, body: Body::Frame(frame) }).is_some() {
            self.count("dropped_replaced", 1);
        }
    }

    fn count(&mut self, what: &'static str, more: u64) {
        *self.counters.entry(what).or_insert(0) += more;
    }

    fn is_said_broken(&self) -> bool {
        self.health.get(&self.name).is_some_and(|health| health.health == HealthWord::Offline)
    }

    /// Says how it is while it is connected.
    fn say(&mut self, now: Span) {
        self.told = Some(now);
        let never =
            self.watch.rate_hertz(now) <= 0.0 && self.last_frame.is_none_or(|last| self.device.silence < now - last);
        let (word, cause, remedy) = match (self.watch.is_frozen(now), self.odd_size) {
            // Nothing has come of this connection yet: what was said before still holds.
            _ if never => return self.publish(None),
            (true, _) => {
                let secs = self.device.frozen.as_secs();
                let cause = format!("its picture has not changed at all for {secs} s");
                (
                    HealthWord::Frozen,
                    Some(cause),
                    Some("restart the camera; look whether it is covered or its sensor is dead"),
                )
            }
            (_, Some([width, height])) => {
                let [across, down] = self.view.as_ref().map_or([0, 0], |view| view.size_pixels);
                let cause = format!("its frames have {width}x{height} pixels and it was calibrated at {across}x{down}");
                (HealthWord::Degraded, Some(cause), Some("ask it for pictures of that shape, or calibrate it anew"))
            }
            _ => {
                let (word, cause) = self.watch.verdict(now);
                (word, cause, Some("look at its cable, its network and its light; ask for a smaller picture"))
            }
        };
        self.publish(Some((word, cause.as_deref(), remedy.filter(|_| word != HealthWord::Online))));
    }

    /// Says that there is no connection. A short break of one that worked is not yet the end of it.
    fn say_broken(&mut self, trouble: &Trouble, at_once: bool) {
        let now = self.watches.running();
        if self.watch.look(now).1 {
            self.count("stalls", 1);
        }
        let is_short = !at_once && self.last_frame.is_some_and(|last| now - last <= self.device.silence);
        let word = if is_short || self.sends_garbage { HealthWord::Degraded } else { HealthWord::Offline };
        self.publish(Some((word, Some(&trouble.cause), trouble.remedy)));
    }

    fn publish(&mut self, said: Option<(HealthWord, Option<&str>, Option<&str>)>) {
        let now = self.watches.running();
        let (rate, ahead) = (self.watch.rate_hertz(now), self.clock.ahead());
        let (heard, day) = (self.heard, self.watches.day());
        let changed = self.health.with(&self.name, |health| {
            (health.heard, health.rate_hertz) = (heard, Some(rate));
            health.clock_offset_secs = ahead.map(Span::as_secs);
            for (name, count) in &self.counters {
                match health.counters.get_mut(*name) {
                    Some(told) => *told = *count,
                    None => drop(health.counters.insert((*name).to_owned(), *count)),
                }
            }
            said.is_some_and(|(word, cause, remedy)| health.say(word, cause, remedy, day))
        });
        if let (Some(true), Some((word, cause, _))) = (changed, said) {
            tracing::info!(camera = %self.name, health = %word, cause = cause.unwrap_or("-"), "a camera changed");
        }
    }
}

/// Why there is no picture where something came.
fn garbage(trouble: &Trouble) -> Trouble {
    let cause = format!("what it sends are no pictures that can be read; {}", trouble.cause);
    let remedy =
        "check that its URL is of a picture stream, restart it, set it to H.264 or JPEG with a key frame each second";
    Trouble { cause, remedy: Some(remedy), lasting: trouble.lasting }
}

/// The name of a camera among devices and sources of facts.
pub(super) fn device_name(device: &CameraDevice) -> String {
    format!("camera/{}", device.camera)
}

/// Frames a second that should come.
pub(super) fn expected_hertz(device: &CameraDevice, view: Option<&Camera>) -> Option<f64> {
    view.map(|view| view.rate_hertz).or(device.rate_hertz)
}

/// What a JPEG shows, without what stands before its data, such as the time.
fn scan(data: &[u8]) -> &[u8] {
    let mut at = 2;
    while let Some([0xff, marker, high, low]) = data.get(at..).and_then(|rest| rest.first_chunk()) {
        if *marker == 0xda {
            return &data[at..];
        }
        at += 2 + usize::from(u16::from_be_bytes([*high, *low])).max(2);
    }
    data
}

#[cfg(test)]
mod tests {
    use super::scan;

    #[test]
    fn what_is_shown_begins_where_the_data_does() {
        let picture = |comment: &[u8]| {
            let length = (comment.len() as u16 + 2).to_be_bytes();
            [&[0xff, 0xd8, 0xff, 0xfe, length[0], length[1]], comment, b"\xff\xda\0\x02data\xff\xd9"].concat()
        };
        assert_eq!(scan(&picture(b"12:00")), scan(&picture(b"noon, local time")));
        assert_eq!(scan(b"\xff\xd8\xff"), b"\xff\xd8\xff");
    }
}
