//! What one camera sends, looked at for a few seconds: for whoever sets it up.

use std::time::{Duration, Instant};

use crossbeam_channel::RecvTimeoutError;
use serde::Serialize;

use super::address::Address;
use super::clock::CameraClock;
use super::session::{Event, Picture, Session, Watches};
use super::source;
use super::trouble::Trouble;
use super::wanted::Wanted;
use crate::base::{Error, Result, Span};
use crate::image::{PictureFormat, picture_head};
use crate::ingest::devices::CameraDevice;
use crate::ports::WallClock;

/// Declared and measured rates that differ by more than this part are told.
const RATE_OFF_MAX: f64 = 0.05;
/// Key frames farther apart than this cost that long a gap after each loss, seconds.
const KEY_SECS_MAX: f64 = 1.2;
/// Frames more uneven than this, or later, are told, seconds.
const JITTER_SECS_MAX: f64 = 0.1;
/// A clock farther off than this is told, seconds.
const CLOCK_OFF_SECS_MAX: f64 = 1.0;
/// Some cameras send what they had kept at first.
const SETTLED: Span = Span::from_millis(1_000);
/// More pixels than this are no gain for people and hands, and cost time.
const PIXELS_MAX: u32 = 1_920 * 1_080;

/// What a camera sends.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Probe {
    /// Its address, without what is secret.
    pub address: String,
    /// How its pictures are coded, and in which profile.
    pub codec: Option<String>,
    /// Profile and level, where it says them.
    pub profile: Option<String>,
    /// The program that it says it runs.
    pub program: Option<String>,
    /// Width and height, pixels.
    pub size_pixels: Option<[u32; 2]>,
    /// Frames that came.
    pub frames: u64,
    /// Seconds from asking to the first picture.
    pub first_secs: Option<f64>,
    /// Frames a second that it says, and that came.
    pub declared_hertz: Option<f64>,
    /// Frames a second that came.
    pub measured_hertz: Option<f64>,
    /// Bytes of a frame as JPEG, in the middle.
    pub jpeg_bytes: Option<u64>,
    /// Seconds from when its data came to the picture, in the middle: decoding.
    pub decode_secs: Option<f64>,
    /// Seconds by which frames come later than the fastest of them: the middle, and nineteen of twenty.
    pub late_secs: Option<[f64; 2]>,
    /// Seconds between key frames, the longest; none where all are key frames or that is not known.
    pub key_secs: Option<f64>,
    /// Seconds by which its clock is ahead of that of this machine.
    pub clock_offset_secs: Option<f64>,
    /// Packets that did not come.
    pub lost_packets: u64,
    /// Frames that could not be decoded.
    pub dropped_undecodable: u64,
    /// Why it ended before its time, and what to do.
    pub trouble: Option<String>,
    /// What somebody can do about that.
    pub remedy: Option<String>,
    /// What would be better.
    pub advice: Vec<String>,
}

/// Watches a camera for so long after its first picture.
///
/// # Errors
/// When its address cannot be read. What goes wrong with the camera stands in the answer.
pub fn probe(device: &CameraDevice, rate_hertz: Option<f64>, watched: Duration) -> Result<Probe> {
    let address = Address::read(&device.address).map_err(Error::usage)?;
    let watches = Watches::new(std::sync::Arc::new(WallClock));
    let mut probe = Probe { address: address.shown().to_owned(), ..Probe::default() };
    let trouble = match source::open(device, &address, Wanted { rate_hertz, size_pixels: None }, &watches) {
        Ok(session) => {
            let mut seen = Seen {
                watches: watches.clone(),
                begun: Instant::now(),
                first: None,
                frames: Vec::new(),
                keys: Vec::new(),
            };
            let trouble = seen.watch(&session, &mut probe, device, watched);
            session.end();
            seen.tell(&mut probe);
            trouble
        }
        Err(trouble) => Some(trouble),
    };
    if let Some(Trouble { cause, remedy, .. }) = trouble {
        (probe.trouble, probe.remedy) = (Some(cause), remedy.map(str::to_owned));
    }
    probe.advice = advice(&probe);
    Ok(probe)
}

struct Seen {
    watches: Watches,
    begun: Instant,
    first: Option<Instant>,
    frames: Vec<SeenFrame>,
    keys: Vec<Span>,
}

struct SeenFrame {
    arrived: Span,
    since: Option<Span>,
    decoded_after: Span,
    bytes: u64,
}

impl Seen {
    /// Watches until it has seen enough; why it ended before, if it did.
    fn watch(
        &mut self,
        session: &Session,
        probe: &mut Probe,
        device: &CameraDevice,
        watched: Duration,
    ) -> Option<Trouble> {
        let mut clock = CameraClock::new(self.watches.running());
        loop {
            let silence = super::session::duration(device.silence).max(Duration::from_secs(5));
            match session.events.recv_timeout(silence) {
                Ok(Event::Picture(picture)) => self.take(&picture, &mut clock, probe),
                Ok(Event::About(about)) => {
                    (probe.codec, probe.profile) = (Some(about.codec), about.profile);
                    probe.declared_hertz = about.declared_hertz;
                    probe.size_pixels = about.size_pixels.or(probe.size_pixels);
                    probe.program = about.program.or(probe.program.take());
                }
                Ok(Event::Key) => self.keys.push(self.watches.running()),
                Ok(Event::Undecodable(frames)) => probe.dropped_undecodable += frames,
                Ok(Event::Lost(packets)) => probe.lost_packets += packets,
                Ok(Event::Finished) => return None,
                Ok(Event::Ended(trouble)) => return Some(trouble),
                Err(RecvTimeoutError::Timeout) => return Some(Trouble::of(["no picture came: timed out"])),
                Err(RecvTimeoutError::Disconnected) => return Some(Trouble::of([])),
            }
            if self.first.is_some_and(|first| watched <= first.elapsed()) {
                return None;
            }
        }
    }

    fn take(&mut self, picture: &Picture, clock: &mut CameraClock, probe: &mut Probe) {
        let Some(head) = picture_head(&picture.data).ok().filter(|head| head.format == PictureFormat::Jpeg) else {
            probe.dropped_undecodable += 1;
            return;
        };
        self.first.get_or_insert_with(Instant::now);
        probe.first_secs.get_or_insert(self.begun.elapsed().as_secs_f64());
        probe.size_pixels = Some(head.size_pixels);
        clock.taken(picture.device, picture.arrival);
        probe.clock_offset_secs = clock.ahead().map(Span::as_secs);
        self.frames.push(SeenFrame {
            arrived: picture.arrival.running,
            since: picture.device.since,
            decoded_after: self.watches.running() - picture.arrival.running,
            bytes: picture.data.len() as u64,
        });
    }

    fn tell(&self, probe: &mut Probe) {
        probe.frames = self.frames.len() as u64;
        let (Some(first), Some(last)) = (self.frames.first(), self.frames.last()) else { return };
        // What was sent at once at the beginning says nothing of the rate.
        let settled = first.arrived + if SETTLED * 2 < last.arrived - first.arrived { SETTLED } else { Span::ZERO };
        let frames = self.frames.iter().filter(|frame| settled <= frame.arrived);
        let (count, begun) =
            frames.fold((0, last.arrived), |(count, begun), frame| (count + 1, begun.min(frame.arrived)));
        let length = (last.arrived - begun).as_secs();
        probe.measured_hertz = (0.0 < length).then(|| f64::from(count - 1) / length);
        probe.jpeg_bytes = middle(self.frames.iter().map(|frame| frame.bytes), 0.5);
        probe.decode_secs = middle(self.frames.iter().map(|frame| frame.decoded_after), 0.5).map(Span::as_secs);
        let delays: Vec<Span> = self.frames.iter().filter_map(|frame| Some(frame.arrived - frame.since?)).collect();
        if let Some(least) = delays.iter().min() {
            let late = |share| middle(delays.iter().map(|delay| *delay - *least), share).map(Span::as_secs);
            probe.late_secs = late(0.5).zip(late(0.95)).map(|(half, most)| [half, most]);
        }
        let gaps = self.keys.windows(2).map(|pair| (pair[1] - pair[0]).as_secs());
        probe.key_secs = gaps.fold(None, |most: Option<f64>, gap| Some(most.map_or(gap, |most| most.max(gap))));
    }
}

/// The value below which this share of them lies.
fn middle<T: Ord>(values: impl Iterator<Item = T>, share: f64) -> Option<T> {
    let mut values: Vec<T> = values.collect();
    values.sort();
    let place = ((values.len() as f64 * share) as usize).min(values.len().saturating_sub(1));
    (!values.is_empty()).then(|| values.swap_remove(place))
}

/// What would be better.
fn advice(probe: &Probe) -> Vec<String> {
    let mut advice = Vec::new();
    if probe.codec.as_deref() == Some("h265") {
        advice.push("H.265 costs this machine more than H.264: set the stream to H.264".to_owned());
    }
    match probe.key_secs {
        Some(secs) if KEY_SECS_MAX < secs => {
            advice.push(format!(
                "a key frame each {secs:.1} s: set one each second, for after a loss nothing is seen until the next"
            ));
        }
        None if matches!(probe.codec.as_deref(), Some("h264" | "h265")) && 0 < probe.frames => {
            advice.push("no two key frames came: set one each second, and no `smart` codec (H.264+)".to_owned());
        }
        _ => {}
    }
    if let (Some(declared), Some(measured)) = (probe.declared_hertz, probe.measured_hertz)
        && RATE_OFF_MAX < (measured / declared - 1.0).abs()
    {
        advice.push(format!(
            "it says {declared:.1} frames a second and sends {measured:.1}: fix the rate, and the exposure"
        ));
    }
    if probe.late_secs.is_some_and(|[_, most]| JITTER_SECS_MAX < most) {
        advice.push("its frames come unevenly: use a cable instead of WLAN, or a smaller picture".to_owned());
    }
    if let Some(secs) = probe.clock_offset_secs.filter(|secs| CLOCK_OFF_SECS_MAX < secs.abs()) {
        advice.push(format!(
            "its clock is {secs:.1} s off: give it the time server of the shop (frames are right all the same)"
        ));
    }
    if probe.size_pixels.is_some_and(|[width, height]| PIXELS_MAX < width.saturating_mul(height)) {
        advice.push("its picture is larger than what people are found in: ask for its sub-stream".to_owned());
    }
    if 0 < probe.lost_packets {
        advice.push("packets are lost on the way: look at cable and switch".to_owned());
    }
    advice
}

#[cfg(test)]
mod tests {
    use super::{Probe, advice, middle};

    #[test]
    fn a_camera_that_is_set_well_needs_no_advice() {
        let well = Probe {
            codec: Some("h264".to_owned()),
            frames: 75,
            declared_hertz: Some(15.0),
            measured_hertz: Some(14.9),
            key_secs: Some(1.0),
            late_secs: Some([0.01, 0.02]),
            clock_offset_secs: Some(0.05),
            size_pixels: Some([1280, 720]),
            ..Probe::default()
        };
        assert_eq!(advice(&well), [""; 0]);
        let badly = Probe {
            codec: Some("h265".to_owned()),
            measured_hertz: Some(12.0),
            key_secs: Some(4.0),
            late_secs: Some([0.01, 0.3]),
            clock_offset_secs: Some(-3_600.0),
            size_pixels: Some([3_840, 2_160]),
            lost_packets: 3,
            ..well
        };
        assert_eq!(advice(&badly).len(), 7);
    }

    #[test]
    fn the_middle_lies_between() {
        assert_eq!(
            (middle([3, 1, 2].into_iter(), 0.5), middle(0..100, 0.95), middle(0..0, 0.5)),
            (Some(2), Some(95), None)
        );
    }
}
