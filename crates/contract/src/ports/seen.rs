//! What cameras saw last, and who is where: vision and the core of an open shop write, whoever draws over a picture reads.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::limits::CAMERAS_SEEN_MAX;
use crate::base::{CameraId, ShopTime, Span, VisitId};
use crate::facts::{Detection, DetectionClass, Joints, SeenFrame, Stamp};

/// Instants of people that are kept: two seconds of fifteen a second.
const PEOPLE_MAX: usize = 32;
/// People are those of a frame if they were told of within this.
const APART_MAX: Span = Span::from_millis(500);

/// What was seen in the newest frame of each camera that was looked at, and people with their visits, shared.
#[derive(Clone, Default)]
pub struct SeenBoard(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    cameras: BTreeMap<CameraId, LookedAt>,
    people: VecDeque<(ShopTime, Arc<[KnownPerson]>)>,
}

/// What was seen in a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct LookedAt {
    /// When the frame came.
    pub arrived: ShopTime,
    /// When it was true.
    pub at: ShopTime,
    /// Width and height of the frame, pixels.
    pub size_pixels: [u32; 2],
    /// The people in it, surest first.
    pub people: Arc<[Detection]>,
}

/// Somebody on the floor.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownPerson {
    /// Whose visit it is taken to be; none before that is known.
    pub visit: Option<VisitId>,
    /// Where their joints are.
    pub joints: Joints,
}

impl SeenBoard {
    /// Takes what was seen in a frame, if it came behind the one before it. Of more cameras than a shop may have nothing is kept.
    pub fn look(&self, stamp: &Stamp, seen: &SeenFrame) {
        let people = seen.detections.iter().filter(|found| found.class == DetectionClass::Person).cloned().collect();
        let looked = LookedAt { arrived: stamp.arrived, at: stamp.at, size_pixels: seen.size_pixels, people };
        let mut state = self.lock();
        let before = state.cameras.get(&seen.camera).map(|before| before.arrived);
        let has_place = before.is_some() || state.cameras.len() < CAMERAS_SEEN_MAX;
        if has_place && before.is_none_or(|before| before <= stamp.arrived) {
            state.cameras.insert(seen.camera.clone(), looked);
        }
    }

    /// Holds from now on what the other one holds, which then holds nothing.
    pub fn take_over(&self, other: &SeenBoard) {
        let taken = std::mem::take(&mut *other.lock());
        *self.lock() = taken;
    }

    /// Takes where people are.
    pub fn know(&self, at: ShopTime, people: Vec<KnownPerson>) {
        let mut state = self.lock();
        if PEOPLE_MAX <= state.people.len() {
            state.people.pop_front();
        }
        state.people.push_back((at, people.into()));
    }

    /// What was seen in the newest frame of a camera that was looked at.
    pub fn latest(&self, camera: &CameraId) -> Option<LookedAt> {
        self.lock().cameras.get(camera).cloned()
    }

    /// Who was where at about this time.
    pub fn people(&self, at: ShopTime) -> Arc<[KnownPerson]> {
        let state = self.lock();
        let nearest = state.people.iter().min_by_key(|(told, _)| (*told - at).abs());
        let nearest = nearest.filter(|(told, _)| (*told - at).abs() <= APART_MAX);
        nearest.map_or_else(|| Arc::new([]) as Arc<[KnownPerson]>, |(_, people)| people.clone())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::SourceId;
    use crate::geometry::PixelBox;

    fn at(millis: i64) -> ShopTime {
        ShopTime::from_nanos(0) + Span::from_millis(millis)
    }

    fn look(board: &SeenBoard, camera: &str, millis: i64, classes: &[DetectionClass]) {
        let stamp = Stamp { source: SourceId::new("sight"), sequence: 0, at: at(millis), arrived: at(millis + 40) };
        let bounds = PixelBox { left: 1.0, top: 2.0, right: 3.0, bottom: 4.0 };
        let detection = |class: &DetectionClass| Detection {
            class: *class,
            bounds,
            score: 0.5,
            keypoints: Vec::new(),
            embedding: Vec::new(),
            held: None,
        };
        let detections = classes.iter().map(detection).collect();
        board.look(&stamp, &SeenFrame { camera: CameraId::new(camera), size_pixels: [640, 480], detections });
    }

    #[test]
    fn the_newest_frame_is_kept_with_the_people_in_it() {
        let board = SeenBoard::default();
        assert_eq!(board.latest(&CameraId::new("left")), None);
        look(&board, "left", 100, &[DetectionClass::Person, DetectionClass::Hand]);
        let seen = board.latest(&CameraId::new("left")).unwrap();
        assert_eq!((seen.at, seen.arrived, seen.people.len()), (at(100), at(140), 1));
        look(&board, "left", 50, &[]);
        assert_eq!(board.latest(&CameraId::new("left")), Some(seen), "an older one");
        look(&board, "left", 150, &[]);
        assert_eq!(board.latest(&CameraId::new("left")).unwrap().people.len(), 0);
        (0..2_000).for_each(|number| look(&board, &number.to_string(), 0, &[]));
        assert_eq!(board.lock().cameras.len(), CAMERAS_SEEN_MAX);
    }

    #[test]
    fn people_are_those_of_the_nearest_time() {
        let board = SeenBoard::default();
        assert!(board.people(at(0)).is_empty());
        let somebody = KnownPerson { visit: None, joints: Joints::default() };
        (0..100).for_each(|number| board.know(at(number * 100), vec![somebody.clone(); number as usize]));
        assert_eq!(board.people(at(9_560)).len(), 96);
        assert_eq!(board.people(at(10_300)).len(), 99);
        assert!(board.people(at(10_500)).is_empty() && board.people(at(0)).is_empty(), "too far from what is known");
        assert_eq!(board.lock().people.len(), PEOPLE_MAX);
    }
}
