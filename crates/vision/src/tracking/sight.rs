//! From what is seen in frames to people on the floor: every camera's detections bring the bodies on, and fifteen times a
//! second there is one more fact about everybody. What is seen in frames comes from networks, or from a recording.

use crate::base::limits::{LEAP_FACTS_MIN, PEOPLE_PER_FRAME_MAX};
use crate::base::{CameraId, Reports, ShopTime, SourceId, Span, Stage, StageReport, TrackId};
use crate::facts::{Body, Fact, SeenFrame, Stamp};
use crate::shop::{Camera, Shop};

use super::{BodyOptions, BodyTracker, ClockResidual, FrameLoss, Lost};

/// How often it is told where everybody is, per second.
const TICKS_HERTZ: i64 = 15;
/// A frame this far from the time of all others has a wrong stamp, unless those after it agree.
const ASTRAY: Span = Span::from_millis(3_000);
/// The first track that is given.
const FIRST_TRACK: u64 = 1;

/// What was taken. Frames that were left out are in [`FrameLoss`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SightCounters {
    /// Frames whose detections were taken.
    pub frames: u64,
}

/// What several cameras saw in, people with joints in three dimensions out.
pub struct Sight {
    bodies: BodyTracker,
    /// Facts that were made.
    sequence: u64,
    /// The newest instant seen, on the clock that the cameras share, and how many frames in a row were far from it.
    now: Option<ShopTime>,
    leaps: usize,
    /// Number of the last instant at which people were told.
    ticked: i64,
    cameras: Vec<Camera>,
    counters: SightCounters,
    loss: FrameLoss,
}

impl Sight {
    /// Nobody seen yet by the cameras of this shop.
    pub fn new(shop: &Shop) -> Self {
        Sight::beginning_with(shop, FIRST_TRACK)
    }

    /// The same, whose tracks and facts are numbered from here on: whoever goes on where another process was names nobody as
    /// that one did.
    pub fn beginning_with(shop: &Shop, number: u64) -> Self {
        let cameras = shop.cameras().iter().map(|camera| (camera.id.clone(), camera.view)).collect();
        Sight {
            bodies: BodyTracker::new(cameras, BodyOptions::USUAL, TrackId::new(number)).with_shelves(shop.shelves()),
            sequence: number - FIRST_TRACK,
            now: None,
            leaps: 0,
            ticked: i64::MIN,
            cameras: shop.cameras().to_vec(),
            counters: SightCounters::default(),
            loss: FrameLoss::default(),
        }
    }

    /// Takes what was seen in a frame; gives everybody on the floor whenever a fifteenth of a second has passed. Of other
    /// facts nothing follows.
    pub fn take(&mut self, fact: &Fact) -> Option<Fact> {
        match &fact.body {
            Body::Seen(seen) => self.follow(fact.stamp.at, fact.stamp.arrived, seen),
            _ => None,
        }
    }

    /// Everybody with all their joints, at an instant near the last frame, on the clock that the cameras share.
    pub fn bodies(&self, at: ShopTime) -> Vec<super::Body> {
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

    /// What was taken.
    pub fn counters(&self) -> SightCounters {
        self.counters
    }

    /// Which frames were left out, of those of which something was seen, and which were scaled.
    pub fn loss(&self) -> &FrameLoss {
        &self.loss
    }

    /// Brings everybody on with what one camera saw, and tells where they are if it is time. Where a frame has another size
    /// than its camera was calibrated at, what was seen is scaled.
    fn follow(&mut self, at: ShopTime, arrived: ShopTime, seen: &SeenFrame) -> Option<Fact> {
        let Some(place) = self.cameras.iter().position(|camera| camera.id == seen.camera) else {
            self.loss.dropped_unknown_camera += 1;
            return None;
        };
        let now = self.shared_time(&seen.camera, at);
        let fits = self.cameras[place].calibrated_from_frame(seen.size_pixels).is_some();
        let is_astray = fits && self.is_astray(now);
        let camera = &self.cameras[place];
        if is_astray || !fits {
            let lost = if is_astray { Lost::Astray } else { Lost::OtherSize(seen.size_pixels) };
            self.loss.lose(Some(camera), &seen.camera, at, lost);
            return None;
        }
        self.counters.frames += 1;
        self.loss.take(camera, seen.size_pixels);
        if seen.size_pixels == camera.size_pixels {
            self.bodies.step(at, seen);
        } else {
            self.bodies.step(at, &seen.clone().resized(camera.size_pixels));
        }
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
    fn tick(&mut self, arrived: ShopTime) -> Option<Fact> {
        let now = self.now?;
        let newest = (i128::from(now.as_nanos()) * i128::from(TICKS_HERTZ)).div_euclid(1_000_000_000) as i64;
        if newest <= self.ticked {
            return None;
        }
        self.ticked = newest;
        let at = (i128::from(newest) * 1_000_000_000).div_euclid(i128::from(TICKS_HERTZ)) as i64;
        let at = ShopTime::from_nanos(at);
        let mut people = self.bodies.people(at);
        people.people.truncate(PEOPLE_PER_FRAME_MAX);
        self.sequence += 1;
        // A derived fact arrives with the fact that led to it.
        let stamp = Stamp { source: SourceId::new("sight"), sequence: self.sequence, at, arrived };
        Some(Fact { stamp, body: Body::People(people) })
    }
}

impl Reports for Sight {
    /// What is seen in frames comes, people on the floor go. Nothing waits.
    fn report(&self) -> StageReport {
        let received = self.counters.frames + self.loss.dropped();
        self.loss.told_in(StageReport::new(Stage::Sight, received, self.sequence))
    }
}
