//! What cameras showed lately, in memory: frames that were looked at, with what was seen in them, and where people were. Vision and
//! the core write, the maker of strips reads. It holds so many seconds and so many bytes, whatever comes, and nothing waits for it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::limits::{CAMERAS_SEEN_MAX, DETECTIONS_PER_FRAME_MAX};
use crate::base::{CameraId, ShopTime, Span, TimeRange, TrackId, VisitId};
use crate::facts::{Body, Detection, DetectionClass, Fact, Joints, PeopleFrame};

/// How far back it reaches: a change is known when its shelf has come to rest and nothing late can alter it, nine seconds behind
/// the hand at the worst; and whose hand it was up to six seconds later.
const SPAN: Span = Span::from_millis(25_000);
/// Frames of a camera are this far apart; those between are not held.
const FRAMES_APART: Span = Span::from_millis(200);
/// People are told of this far apart.
const PEOPLE_APART: Span = Span::from_millis(60);
/// Tracks whose visit is remembered; of more those of the smallest numbers are forgotten.
const TRACKS_MAX: usize = 1_024;
/// All frames together; beyond it the oldest are given up, bytes.
const BYTES_MAX: usize = 128 << 20;

/// What cameras showed lately, shared.
#[derive(Clone, Default)]
pub struct Ring(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    cameras: BTreeMap<CameraId, VecDeque<Glimpse>>,
    bytes: usize,
    people: VecDeque<(ShopTime, Arc<PeopleFrame>)>,
    visits: BTreeMap<TrackId, VisitId>,
    /// Frames with more in them than is told, so that nobody knows whose faces are in them.
    crowded: u64,
}

/// A frame that was looked at.
#[derive(Clone, Debug)]
pub(super) struct Glimpse {
    pub(super) at: ShopTime,
    /// As the camera compressed it.
    pub(super) data: Arc<[u8]>,
    /// Width and height in which it was seen, pixels.
    pub(super) size_pixels: [u32; 2],
    /// People and faces in it.
    pub(super) found: Arc<[Detection]>,
}

/// Where somebody was.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Presence {
    pub(super) track: TrackId,
    pub(super) joints: Joints,
}

impl Ring {
    /// Takes a frame with what was seen in it, of this time on the clock that all cameras share. Whatever else it is given it leaves.
    pub fn look(&self, at: ShopTime, frame: &Fact, seen: &Fact) {
        let (Body::Frame(picture), Body::Seen(told)) = (&frame.body, &seen.body) else { return };
        let mut state = self.lock();
        if DETECTIONS_PER_FRAME_MAX <= told.detections.len() {
            state.crowded += 1;
            return;
        }
        let is_known = state.cameras.contains_key(&picture.camera);
        if !is_known && CAMERAS_SEEN_MAX <= state.cameras.len() {
            return;
        }
        let glimpses = state.cameras.entry(picture.camera.clone()).or_default();
        if glimpses.back().is_some_and(|last| at - last.at < FRAMES_APART && last.at - at < SPAN) {
            return;
        }
        let is_somebody = |found: &&Detection| matches!(found.class, DetectionClass::Person | DetectionClass::Face);
        let bare = |found: &Detection| Detection { embedding: Vec::new(), held: None, ..found.clone() };
        let found = told.detections.iter().filter(is_somebody).map(bare).collect();
        let data = picture.data.clone();
        // A clock that was set back begins anew.
        let stale = glimpses.back().is_some_and(|last| at < last.at);
        let gone: usize = if stale { glimpses.drain(..).map(|glimpse| glimpse.data.len()).sum() } else { 0 };
        let bytes = data.len();
        glimpses.push_back(Glimpse { at, data, size_pixels: told.size_pixels, found });
        state.bytes = state.bytes + bytes - gone;
        state.trim(at);
    }

    /// Takes whose visit a track is.
    pub fn name(&self, track: TrackId, visit: VisitId) {
        let mut state = self.lock();
        state.visits.insert(track, visit);
        while TRACKS_MAX < state.visits.len() {
            state.visits.pop_first();
        }
    }

    /// Takes where people are.
    pub fn know(&self, at: ShopTime, people: &PeopleFrame) {
        let mut state = self.lock();
        if state.people.back().is_some_and(|(last, _)| at - *last < PEOPLE_APART && *last - at < SPAN) {
            return;
        }
        while state.people.front().is_some_and(|(first, _)| SPAN < (at - *first).abs()) {
            state.people.pop_front();
        }
        state.people.push_back((at, Arc::new(people.clone())));
    }

    /// Whose visits tracks are taken to be of by now, as far as that is known.
    pub(super) fn visits(&self) -> BTreeMap<TrackId, VisitId> {
        self.lock().visits.clone()
    }

    /// Where people were in this time, oldest first.
    pub(super) fn people(&self, within: TimeRange) -> Vec<(ShopTime, Vec<Presence>)> {
        let told: Vec<_> = self.lock().people.iter().filter(|(at, _)| within.contains(*at)).cloned().collect();
        let presence = |person: &crate::facts::Person| Presence { track: person.track, joints: person.joints.clone() };
        told.into_iter().map(|(at, frame)| (at, frame.people.iter().map(presence).collect())).collect()
    }

    /// What cameras showed in this time, each oldest first.
    pub(super) fn glimpses(&self, within: TimeRange) -> BTreeMap<CameraId, Vec<Glimpse>> {
        let state = self.lock();
        let of = |glimpses: &VecDeque<Glimpse>| {
            glimpses.iter().filter(|glimpse| within.contains(glimpse.at)).cloned().collect::<Vec<_>>()
        };
        let all = state.cameras.iter().map(|(camera, glimpses)| (camera.clone(), of(glimpses)));
        all.filter(|(_, glimpses)| !glimpses.is_empty()).collect()
    }

    /// Frames that were too crowded to be kept, since this was asked last.
    pub(super) fn take_crowded(&self) -> u64 {
        std::mem::take(&mut self.lock().crowded)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Gives up what is too old, and the oldest of what is too much.
    fn trim(&mut self, now: ShopTime) {
        for glimpses in self.cameras.values_mut() {
            while glimpses.front().is_some_and(|first| SPAN < (now - first.at).abs()) {
                self.bytes -= glimpses.pop_front().map_or(0, |first| first.data.len());
            }
        }
        while BYTES_MAX < self.bytes {
            let oldest = self.cameras.values_mut().filter(|glimpses| !glimpses.is_empty());
            let oldest = oldest.min_by_key(|glimpses| glimpses.front().map(|first| first.at));
            let Some(first) = oldest.and_then(VecDeque::pop_front) else { return };
            self.bytes -= first.data.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::SourceId;
    use crate::facts::{Frame, Person, SeenFrame, Stamp};
    use crate::image::PictureFormat;

    fn at(millis: i64) -> ShopTime {
        ShopTime::from_nanos(0) + Span::from_millis(millis)
    }

    fn look(ring: &Ring, camera: &str, millis: i64, bytes: usize) {
        let stamp = Stamp { source: SourceId::new("camera"), sequence: 0, at: at(millis), arrived: at(millis) };
        let camera = CameraId::new(camera);
        let data = vec![0_u8; bytes].into();
        let frame = Body::Frame(Frame { camera: camera.clone(), format: PictureFormat::Jpeg, data });
        let seen = Body::Seen(SeenFrame { camera, size_pixels: [640, 480], detections: Vec::new() });
        ring.look(stamp.at, &Fact { stamp: stamp.clone(), body: frame }, &Fact { stamp, body: seen });
    }

    fn times(ring: &Ring, camera: &str) -> Vec<i64> {
        let all = ring.glimpses(TimeRange::new(ShopTime::MIN, ShopTime::MAX));
        all.get(&CameraId::new(camera)).into_iter().flatten().map(|one| one.at.as_nanos() / 1_000_000).collect()
    }

    #[test]
    fn it_holds_so_many_seconds_however_fast_frames_come() {
        let ring = Ring::default();
        (0..1_000).for_each(|number| look(&ring, "left", number * 50, 10));
        let held = times(&ring, "left");
        assert_eq!((held.first(), held.last(), held.len()), (Some(&24_800), Some(&49_800), 126));
        assert_eq!(ring.lock().bytes, 1_260);
        // A camera that is gone does not stay for ever.
        look(&ring, "right", 200_000, 10);
        assert_eq!((times(&ring, "left").len(), ring.lock().bytes), (0, 10));
        // A clock that was set back begins anew.
        look(&ring, "right", 100_000, 10);
        assert_eq!(times(&ring, "right"), [100_000]);
    }

    #[test]
    fn it_holds_so_many_bytes_and_gives_up_the_oldest_of_all_cameras() {
        let ring = Ring::default();
        let large = BYTES_MAX / 4;
        for number in 0..8 {
            look(&ring, if number % 2 == 0 { "left" } else { "right" }, number * 300, large);
        }
        assert_eq!(ring.lock().bytes, 4 * large);
        assert_eq!((times(&ring, "left"), times(&ring, "right")), (vec![1_200, 1_800], vec![1_500, 2_100]));
    }

    #[test]
    fn people_are_held_as_long_as_frames() {
        let ring = Ring::default();
        for number in 0..2_000 {
            let people = vec![Person { track: TrackId::new(number), joints: Joints::default() }];
            ring.know(at(number as i64 * 33), &PeopleFrame { people });
            ring.name(TrackId::new(number), VisitId::from_first_track(TrackId::new(number)));
        }
        let held = ring.people(TimeRange::new(ShopTime::MIN, ShopTime::MAX));
        assert!((300..420).contains(&held.len()), "{}", held.len());
        assert!(held[held.len() - 1].0 - held[0].0 <= SPAN);
        assert_eq!(ring.people(TimeRange::new(at(0), at(1_000))), []);
        assert_eq!(
            (ring.visits().len(), ring.visits().first_key_value()),
            (TRACKS_MAX, Some((&TrackId::new(976), &VisitId::from_first_track(TrackId::new(976)))))
        );
    }
}
