//! The newest frame of each camera, for whoever looks at it. A newer frame takes the place of one that nobody took; nothing
//! here waits for a reader, and nothing grows.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::base::CameraId;
use crate::facts::{Body, Fact};

/// One slot for each camera, shared by those who put frames and those who take them.
#[derive(Clone, Debug, Default)]
pub struct Frames(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    slots: Mutex<Slots>,
    news: Condvar,
}

#[derive(Debug, Default)]
struct Slots {
    cameras: BTreeMap<CameraId, Slot>,
    /// Rises with each frame that comes into an empty slot, so that the one that waited longest is known.
    turn: u64,
    closed: bool,
}

#[derive(Debug, Default)]
struct Slot {
    /// The frame that waits, and since which turn somebody waits at this camera.
    waiting: Option<(u64, Fact)>,
    latest: Option<Fact>,
}

impl Frames {
    /// Puts the newest frame of a camera, and gives back the one in its place that nobody took: that one is lost, and whoever
    /// puts it counts it. What is no frame is given back.
    pub fn put(&self, fact: Fact) -> Option<Fact> {
        let Body::Frame(frame) = &fact.body else { return Some(fact) };
        let mut slots = self.0.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let Slots { cameras, turn, closed } = &mut *slots;
        if *closed {
            return Some(fact);
        }
        let slot = cameras.entry(frame.camera.clone()).or_default();
        slot.latest = Some(fact.clone());
        let replaced = match &mut slot.waiting {
            Some((_, waiting)) => Some(std::mem::replace(waiting, fact)),
            empty => {
                *turn += 1;
                *empty = Some((*turn, fact));
                None
            }
        };
        drop(slots);
        self.0.news.notify_one();
        replaced
    }

    /// Takes the frame of the camera that waited longest; none when none came in time, or the shop is closed.
    pub fn take(&self, timeout: Duration) -> Option<Fact> {
        let until = Instant::now() + timeout;
        let mut slots = self.0.slots.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let waiting = |slot: &Slot| slot.waiting.as_ref().map(|(turn, _)| *turn);
            let longest =
                slots.cameras.values_mut().filter(|slot| slot.waiting.is_some()).min_by_key(|slot| waiting(slot));
            if let Some((_, fact)) = longest.and_then(|slot| slot.waiting.take()) {
                return Some(fact);
            }
            let left = until.saturating_duration_since(Instant::now());
            if slots.closed || left.is_zero() {
                return None;
            }
            slots = self.0.news.wait_timeout(slots, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The last frame of a camera, taken or not, with its times: whoever shows it says how old it is.
    pub fn latest(&self, camera: &CameraId) -> Option<Fact> {
        self.0.slots.lock().unwrap_or_else(PoisonError::into_inner).cameras.get(camera)?.latest.clone()
    }

    /// How many frames wait to be taken: at most one for each camera.
    pub fn depth(&self) -> usize {
        let slots = self.0.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.cameras.values().filter(|slot| slot.waiting.is_some()).count()
    }

    /// Takes no more frames, and wakes everybody who waits for one.
    pub fn close(&self) {
        self.0.slots.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.0.news.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Frames;
    use crate::base::{CameraId, ShopTime, SourceId};
    use crate::facts::{Body, Fact, Frame, Stamp};
    use crate::image::PictureFormat;

    fn frame(camera: &str, sequence: u64) -> Fact {
        let at = ShopTime::from_nanos(sequence as i64);
        let stamp = Stamp { source: SourceId::new(&format!("camera/{camera}")), sequence, at, arrived: at };
        let data = [0xff_u8, 0xd8].as_slice().into();
        Fact { stamp, body: Body::Frame(Frame { camera: CameraId::new(camera), format: PictureFormat::Jpeg, data }) }
    }

    #[test]
    fn a_newer_frame_takes_the_place_of_one_that_nobody_took() {
        let frames = Frames::default();
        assert_eq!(frames.put(frame("left", 1)), None);
        assert_eq!(frames.put(frame("left", 2)), Some(frame("left", 1)));
        assert_eq!((frames.take(Duration::ZERO), frames.take(Duration::ZERO)), (Some(frame("left", 2)), None));
        assert_eq!(frames.latest(&CameraId::new("left")), Some(frame("left", 2)));
    }

    #[test]
    fn the_camera_that_waited_longest_comes_first_however_fast_another_is() {
        let frames = Frames::default();
        frames.put(frame("slow", 1));
        frames.put(frame("fast", 1));
        let mut taken = Vec::new();
        for sequence in 2..6 {
            frames.put(frame("fast", sequence));
            taken.push(frames.take(Duration::ZERO).unwrap().stamp.source.as_str().to_owned());
            frames.put(frame("slow", sequence));
        }
        assert_eq!(taken, ["camera/slow", "camera/fast", "camera/slow", "camera/fast"]);
    }

    #[test]
    fn whoever_waits_is_woken_by_a_frame_and_by_the_end() {
        let frames = Frames::default();
        let waiting = std::thread::spawn({
            let frames = frames.clone();
            move || (frames.take(Duration::from_secs(60)), frames.take(Duration::from_secs(60)))
        });
        frames.put(frame("left", 1));
        // It is taken by the one who waits: then only the end can wake it.
        while 0 < frames.depth() {
            std::thread::yield_now();
        }
        frames.close();
        assert_eq!(waiting.join().unwrap(), (Some(frame("left", 1)), None));
        assert_eq!(frames.put(frame("left", 2)), Some(frame("left", 2)));
    }
}
