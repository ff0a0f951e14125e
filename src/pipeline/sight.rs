//! From frames to people on the floor: each frame is decoded and looked at, what is seen in it becomes a fact, and fifteen
//! times a second there is one more fact about everybody. Recordings that hold what was seen begin in the middle.

use std::collections::BTreeMap;

use crate::base::limits::{DETECTIONS_PER_FRAME_MAX, LEAP_FACTS_MIN, PEOPLE_PER_FRAME_MAX};
use crate::base::{CameraId, Result, ShopTime, SourceId, Span, TrackId};
use crate::facts::{Body, Detection, DetectionClass, Fact, Frame, FrameFormat, SeenFrame, Stamp};
use crate::image::{RgbImage, decode_jpeg_into};
use crate::shop::Shop;
use crate::tracking::{self, BodyOptions, BodyTracker, ClockResidual};
use crate::vision::Model;

/// How often it is told where everybody is, per second.
const TICKS_HERTZ: i64 = 15;
/// A frame this far from the time of all others has a wrong stamp, unless those after it agree.
const ASTRAY: Span = Span::from_millis(3_000);
/// The first track that is given.
const FIRST_TRACK: u64 = 1;

/// The networks that look at frames.
pub struct Networks {
    /// Finds people, perhaps with their joints.
    pub people: Model,
    /// Finds the joints of a person in their box; none where the first network gives them.
    pub pose: Option<Model>,
}

/// What was left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SightCounters {
    /// Frames that were taken.
    pub frames: u64,
    /// Frames that could not be decoded.
    pub broken_frames: u64,
    /// Frames with the time of another day on their stamp.
    pub astray_frames: u64,
    /// People beyond [`DETECTIONS_PER_FRAME_MAX`] in one frame.
    pub excess_detections: u64,
}

/// Frames of several cameras in, people with joints in three dimensions out.
pub struct Sight {
    networks: Option<Networks>,
    /// The frame that is looked at; its memory is used again.
    picture: RgbImage,
    bodies: BodyTracker,
    /// Facts that were made, by their source.
    sequences: BTreeMap<SourceId, u64>,
    /// The newest instant seen, on the clock that the cameras share, and how many frames in a row were far from it.
    now: Option<ShopTime>,
    leaps: usize,
    /// Number of the last instant at which people were told.
    ticked: i64,
    counters: SightCounters,
}

impl Sight {
    /// Nobody seen yet by the cameras of this shop. Without networks frames are passed over, and what others saw in them
    /// is taken.
    pub fn new(shop: &Shop, networks: Option<Networks>) -> Self {
        let cameras = shop.cameras().iter().map(|camera| (camera.id.clone(), camera.view)).collect();
        Sight {
            networks,
            picture: RgbImage::new(0, 0),
            bodies: BodyTracker::new(cameras, BodyOptions::USUAL, TrackId::new(FIRST_TRACK))
                .with_shelves(shop.shelves()),
            sequences: BTreeMap::new(),
            now: None,
            leaps: 0,
            ticked: i64::MIN,
            counters: SightCounters::default(),
        }
    }

    /// Takes a frame, or what was seen in one; gives what follows: what is seen in the frame, and everybody on the floor
    /// whenever a fifteenth of a second has passed. Of other facts nothing follows.
    ///
    /// # Errors
    /// When a network fails. A frame that cannot be decoded is counted.
    pub fn take(&mut self, fact: &Fact) -> Result<Vec<Fact>> {
        match &fact.body {
            Body::Frame(frame) => {
                let Some(seen) = self.look(frame)? else { return Ok(Vec::new()) };
                let source = SourceId::new(&format!("sight/{}", seen.camera));
                let mut made = self.follow(fact.stamp.at, fact.stamp.arrived, &seen);
                made.insert(0, self.stamped(source, fact.stamp.at, fact.stamp.arrived, Body::Seen(seen)));
                Ok(made)
            }
            Body::Seen(seen) => Ok(self.follow(fact.stamp.at, fact.stamp.arrived, seen)),
            _ => Ok(Vec::new()),
        }
    }

    /// Everybody with all their joints, at an instant near the last frame, on the clock that the cameras share.
    pub fn bodies(&self, at: ShopTime) -> Vec<tracking::Body> {
        self.bodies.bodies(at)
    }

    /// An instant of a camera's clock on the clock that all cameras share; the same where the camera is not known.
    pub fn shared_time(&self, camera: &CameraId, at: ShopTime) -> ShopTime {
        self.bodies.shared_time(camera, at)
    }

    /// How far each camera's clock is from the one that they share.
    pub fn clocks(&self) -> Vec<(CameraId, ClockResidual)> {
        self.bodies.clocks()
    }

    /// What was taken and what was left out.
    pub fn counters(&self) -> SightCounters {
        self.counters
    }

    /// What the networks see in a frame; `None` without networks, or where there is no picture.
    fn look(&mut self, frame: &Frame) -> Result<Option<SeenFrame>> {
        let Some(networks) = &mut self.networks else { return Ok(None) };
        let decoded = match frame.format {
            FrameFormat::Jpeg => decode_jpeg_into(&frame.data, &mut self.picture),
        };
        if decoded.is_err() {
            self.counters.broken_frames += 1;
            return Ok(None);
        }
        let (detections, excess) = networks.look(&self.picture)?;
        self.counters.excess_detections += excess as u64;
        let size_pixels = [self.picture.width(), self.picture.height()];
        Ok(Some(SeenFrame { camera: frame.camera.clone(), size_pixels, detections }))
    }

    /// Brings everybody on with what one camera saw, after it is told where they were until then.
    fn follow(&mut self, at: ShopTime, arrived: ShopTime, seen: &SeenFrame) -> Vec<Fact> {
        self.counters.frames += 1;
        let now = self.shared_time(&seen.camera, at);
        if self.is_astray(now) {
            self.counters.astray_frames += 1;
            return Vec::new();
        }
        self.bodies.step(at, seen);
        self.now = Some(self.now.map_or(now, |before| before.max(now)));
        self.tick(arrived)
    }

    /// Whether an instant is too far from the others to be believed. What comes several times in a row is.
    fn is_astray(&mut self, at: ShopTime) -> bool {
        let Some(now) = self.now else { return false };
        self.leaps = if (at - now).abs() < ASTRAY { 0 } else { self.leaps + 1 };
        if LEAP_FACTS_MIN <= self.leaps {
            (self.leaps, self.now, self.ticked) = (0, None, i64::MIN);
        }
        0 < self.leaps
    }

    /// Tells of everybody at the last multiple of a fifteenth of a second, if it was not told.
    fn tick(&mut self, arrived: ShopTime) -> Vec<Fact> {
        let Some(now) = self.now else { return Vec::new() };
        let newest = (i128::from(now.as_nanos()) * i128::from(TICKS_HERTZ)).div_euclid(1_000_000_000) as i64;
        if newest <= self.ticked {
            return Vec::new();
        }
        self.ticked = newest;
        let at = (i128::from(newest) * 1_000_000_000).div_euclid(i128::from(TICKS_HERTZ)) as i64;
        let at = ShopTime::from_nanos(at);
        let mut people = self.bodies.people(at);
        people.people.truncate(PEOPLE_PER_FRAME_MAX);
        vec![self.stamped(SourceId::new("sight"), at, arrived, Body::People(people))]
    }

    /// A derived fact arrives with the fact that led to it.
    fn stamped(&mut self, source: SourceId, at: ShopTime, arrived: ShopTime, body: Body) -> Fact {
        let sequence = self.sequences.entry(source.clone()).or_insert(0);
        *sequence += 1;
        Fact { stamp: Stamp { source, sequence: *sequence, at, arrived }, body }
    }
}

impl Networks {
    /// People in a picture with their joints, surest first, and how many were too many.
    ///
    /// # Errors
    /// When a network fails.
    pub fn look(&mut self, picture: &RgbImage) -> Result<(Vec<Detection>, usize)> {
        let mut people = self.people.detect(picture, None)?;
        people.retain(|found| found.class == DetectionClass::Person);
        let excess = people.len().saturating_sub(DETECTIONS_PER_FRAME_MAX);
        people.truncate(DETECTIONS_PER_FRAME_MAX);
        if let Some(pose) = &mut self.pose {
            for person in &mut people {
                if let Some(closer) = pose.detect(picture, Some(person))?.into_iter().next() {
                    person.keypoints = closer.keypoints;
                }
            }
        }
        Ok((people, excess))
    }
}
