//! People in the world from what several calibrated cameras see of them at their own times. It takes the detections of
//! one frame at a time, with keypoints, and gives people with joints in three dimensions and how far the cameras'
//! clocks are apart. It never averages pictures: every keypoint is a measurement of one joint by one camera.
//!
//! A person is a set of joints, each a filter of its own, held together by bones. A detection belongs to the person
//! whose joints, projected into that camera, it fits best, over all people and detections of a frame at once. A bad view
//! is gated out joint by joint; a joint that one camera sees alone is as uncertain along its ray as the bones leave it.

mod clock;
mod joint;
mod person;
mod reach;
mod skeleton;
mod view;

#[cfg(test)]
mod tests;

pub use clock::ClockResidual;

use std::collections::BTreeMap;

use super::looks::Looks;
use crate::base::{CameraId, ShopTime, Span, TrackId};
use crate::facts::{self, BodyPoint, Detection, DetectionClass, PeopleFrame, SeenFrame};
use crate::geometry::{Camera, Floor, Pixel, Point, World, assign};
use crate::shop::Shelf;
use clock::Clocks;
use person::{Person, Sides};
use reach::Front;
use view::Eye;

/// Detections at least this sure begin a person; those at least [`Options::score_min`] sure go on with one.
const SURE: f64 = 0.5;
/// What a detection adds to the logarithm of the odds that somebody is there, times its score; what a frame takes off
/// that should show them and does not (people hide behind others and shelves, so that it says little); from where on
/// they are believed; and the most that is remembered.
const SEEN_ODDS: f64 = 1.6;
const MISSED_ODDS: f64 = 0.25;
const BELIEVED_ODDS: f64 = 4.0;
const ODDS_MAX: f64 = 8.0;
/// Frames in which two people were one behind another before they are taken for one.
const DOUBLE_FRAMES: u32 = 8;
/// Trunks nearer than this cannot be two, metres.
const DOUBLE_METRES: f64 = 0.25;
/// A new person this near to one whom this camera should see and does not is that one, metres.
const SAME_METRES: f64 = 0.6;

/// Somebody new this near to somebody lost is that one, metres.
const LOST_METRES: f64 = 1.0;
/// A box without joints that covers somebody this well is theirs, as intersection over union.
const BOX_OVERLAP_MIN: f64 = 0.3;

/// People of a frame to whom each look is compared.
const LEARNED_PER_LOOK_MAX: usize = 16;

/// How people are followed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Detections less sure than this are passed over, `0..=1`.
    pub score_min: f64,
    /// How long somebody whom no camera sees is still told.
    pub told_max: Span,
    /// How long they are waited for, to come back under the same name.
    pub lost_max: Span,
    /// People who are followed at once; beyond it nobody new is begun.
    pub people_max: usize,
}

impl Options {
    /// For a shop whose cameras deliver ten frames a second.
    pub const USUAL: Options = Options {
        score_min: 0.1,
        told_max: Span::from_millis(500),
        lost_max: Span::from_millis(3_000),
        people_max: 256,
    };
}

/// Somebody as they are known at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    /// Who.
    pub track: TrackId,
    /// Where they stand.
    pub floor: Point<Floor>,
    /// Every joint and its deviation in metres, in the order of [`BodyPoint::ALL`].
    pub joints: [(Point<World>, f64); BodyPoint::COUNT],
}

/// Everybody on the floor, as far as cameras see.
#[derive(Clone, Debug)]
pub struct BodyTracker {
    names: Vec<CameraId>,
    cameras: Vec<Camera>,
    clocks: Clocks,
    /// What looks are worth, as far as they have shown.
    looks: Looks,
    fronts: Vec<Front>,
    options: Options,
    people: Vec<Person>,
    next_track: u64,
    /// For how many frames two people, by track, were nearer than people can be.
    doubles: BTreeMap<(TrackId, TrackId), u32>,
}

impl BodyTracker {
    /// Nobody yet. Tracks count from `first_track`.
    pub fn new(cameras: Vec<(CameraId, Camera)>, options: Options, first_track: TrackId) -> Self {
        let clocks = Clocks::new(cameras.len());
        let (names, cameras) = cameras.into_iter().unzip();
        let (people, doubles) = (Vec::new(), BTreeMap::new());
        let (looks, fronts) = (Looks::default(), Vec::new());
        BodyTracker {
            names,
            cameras,
            clocks,
            looks,
            fronts,
            options,
            people,
            next_track: first_track.number(),
            doubles,
        }
    }

    /// The same beside shelves, into which people reach.
    pub fn with_shelves(self, shelves: &[Shelf]) -> Self {
        BodyTracker { fronts: shelves.iter().map(Front::of).collect(), ..self }
    }

    /// Takes what one camera saw at an instant of its own clock. A camera that is not known says nothing.
    pub fn step(&mut self, at: ShopTime, seen: &SeenFrame) {
        let Some(camera) = self.names.iter().position(|id| *id == seen.camera) else { return };
        let (clock, at) = (at, at - self.clocks.offset(camera));
        self.people.iter_mut().for_each(|person| person.predict(at));
        let usable = |detection: &&Detection| {
            detection.class == DetectionClass::Person && self.options.score_min <= detection.score
        };
        let (sure, faint): (Vec<&Detection>, Vec<&Detection>) =
            seen.detections.iter().filter(usable).partition(|detection| SURE <= detection.score);
        let mut taken = vec![false; self.people.len()];
        let left = self.match_up(camera, clock, &sure, &mut taken);
        self.match_up(camera, clock, &faint, &mut taken);
        self.keep(camera, &seen.detections, &mut taken);
        let view = &self.cameras[camera];
        for (person, _) in self.people.iter_mut().zip(&taken).filter(|(_, taken)| !**taken) {
            if view.pixel_from_world(person.trunk().0).is_some_and(|pixel| is_inside(pixel, seen.size_pixels)) {
                person.odds -= MISSED_ODDS;
            }
        }
        for detection in left {
            self.begin(camera, clock, at, detection, &mut taken);
        }
        self.forget(at, &taken);
        self.clocks.settle(at);
    }

    /// Gives detections to people; answers those that are nobody's.
    fn match_up<'a>(
        &mut self,
        camera: usize,
        clock: ShopTime,
        detections: &[&'a Detection],
        taken: &mut [bool],
    ) -> Vec<&'a Detection> {
        let eye = eye(&self.cameras, &self.clocks, self.looks, &self.fronts, camera);
        let free: Vec<usize> = (0..self.people.len()).filter(|person| !taken[*person]).collect();
        let row = |detection: &&Detection| -> Vec<Option<(f64, Sides)>> {
            free.iter().map(|person| self.people[*person].cost(&eye, detection)).collect()
        };
        let fits: Vec<Vec<Option<(f64, Sides)>>> = detections.iter().map(row).collect();
        let price = |fit: &Option<(f64, Sides)>| fit.map_or(f64::INFINITY, |(cost, _)| cost);
        let cost: Vec<Vec<f64>> = fits.iter().map(|row| row.iter().map(price).collect()).collect();
        let (mut left, mut fresh) = (Vec::new(), Vec::new());
        for ((detection, fits), found) in detections.iter().zip(&fits).zip(assign(&cost)) {
            let Some((person, (_, sides))) = found.and_then(|column| Some((free[column], fits[column]?))) else {
                left.push(*detection);
                continue;
            };
            taken[person] = true;
            learn_looks(&mut self.looks, &self.people, person, detection, taken);
            let person = &mut self.people[person];
            let mirrored = person.update(&eye, detection, sides);
            person.odds = (person.odds.max(0.0) + SEEN_ODDS * detection.score).min(ODDS_MAX);
            let begins = !person.believed && BELIEVED_ODDS <= person.odds;
            person.believed |= begins;
            person.note_view(&eye, clock, detection, mirrored);
            self.clocks.compare(&self.cameras, camera, &person.views, person.trunk().0);
            if begins {
                fresh.push(person.track);
            }
        }
        fresh.into_iter().for_each(|track| self.recognise(track, taken));
        left
    }

    /// Somebody who is new may be somebody whom a passer-by hid, and who was looked for a little beside: nobody has seen
    /// these since the new one began.
    fn recognise(&mut self, track: TrackId, taken: &[bool]) {
        let Some(new) = self.people.iter().position(|person| person.track == track) else { return };
        let (begun, place) = (self.people[new].begun, self.people[new].floor());
        let free = self.people.iter().enumerate().filter(|(index, _)| *index != new && !taken[*index]);
        let lost = free.filter(|(_, person)| person.believed && person.seen <= begun);
        let near = lost.map(|(index, person)| (person.floor().distance(place), index));
        let nearest = near.min_by(|one, other| one.0.total_cmp(&other.0));
        if let Some((_, index)) = nearest.filter(|(metres, _)| *metres < LOST_METRES) {
            let lost = self.people[index].clone();
            self.people[new].take_over(&lost);
            // The other one is let go of at the end of this step.
            self.people[index].track = track;
            self.people[index].believed = false;
            self.people[index].odds = f64::NEG_INFINITY;
        }
    }

    /// Boxes without joints do not say where somebody is, but that they are still there.
    fn keep(&mut self, camera: usize, detections: &[Detection], taken: &mut [bool]) {
        let bare: Vec<&Detection> =
            detections.iter().filter(|one| one.keypoints.is_empty() && SURE <= one.score).collect();
        let free: Vec<usize> = (0..self.people.len()).filter(|person| !taken[*person]).collect();
        let view = &self.cameras[camera];
        let price = |detection: &Detection, person: usize| {
            let overlap = self.people[person].overlap(view, &detection.bounds);
            if BOX_OVERLAP_MIN <= overlap { 1.0 - overlap } else { f64::INFINITY }
        };
        let cost: Vec<Vec<f64>> =
            bare.iter().map(|one| free.iter().map(|person| price(one, *person)).collect()).collect();
        for person in assign(&cost).into_iter().flatten().map(|column| free[column]) {
            taken[person] = true;
            self.people[person].seen = self.people[person].at;
        }
    }

    /// Begins somebody, unless it is somebody who is there and whom this camera was to see.
    fn begin(&mut self, camera: usize, clock: ShopTime, at: ShopTime, detection: &Detection, taken: &mut [bool]) {
        if self.options.people_max <= self.people.len() {
            return;
        }
        let track = TrackId::new(self.next_track);
        let eye = eye(&self.cameras, &self.clocks, self.looks, &self.fronts, camera);
        let Some(person) = Person::new(track, at, &eye, detection) else { return };
        let missed = self.people.iter_mut().zip(&mut *taken).filter(|(_, taken)| !**taken);
        let near = missed.map(|(other, taken)| (other.floor().distance(person.floor()), other, taken));
        let nearest = near.min_by(|one, other| one.0.total_cmp(&other.0));
        if let Some((_, other, taken)) = nearest.filter(|(metres, ..)| *metres < SAME_METRES) {
            // Two cameras of which each alone places somebody a little wrong. Where two agree, it is the third that errs.
            let loose = (!other.is_compared()).then(|| other.loosened());
            if let Some((loose, (_, sides))) =
                loose.and_then(|loose| loose.cost(&eye, detection).map(|fit| (loose, fit)))
            {
                *other = loose;
                let mirrored = other.update(&eye, detection, sides);
                other.note_view(&eye, clock, detection, mirrored);
                *taken = true;
            }
            return;
        }
        self.next_track += 1;
        self.people.push(person);
    }

    /// Lets go of who was not seen for long, and of doubles. `taken` says who was just seen by one camera.
    fn forget(&mut self, at: ShopTime, taken: &[bool]) {
        let mut gone = Vec::new();
        for (index, one) in self.people.iter().enumerate() {
            for (other, two) in self.people.iter().enumerate().skip(index + 1) {
                let key = (one.track, two.track);
                let seen = [index, other].map(|person| taken.get(person) == Some(&true));
                let (here, there) = (one.trunk(), two.trunk());
                let near = (here.1.hypot(there.1)).clamp(DOUBLE_METRES, SAME_METRES);
                if seen == [true; 2] || near < here.0.distance(there.0) {
                    self.doubles.remove(&key);
                    continue;
                }
                // A camera that sees neither has nothing to say about whether they are two.
                if seen == [false; 2] {
                    continue;
                }
                let count = self.doubles.entry(key).or_default();
                *count += 1;
                if DOUBLE_FRAMES < *count {
                    // The older one, if both are somebody.
                    gone.push(if one.odds < two.odds.min(BELIEVED_ODDS) { one.track } else { two.track });
                }
            }
        }
        let lost_max = self.options.lost_max;
        let stays = |person: &Person| at - person.seen < lost_max && (person.believed || 0.0 <= person.odds);
        self.people.retain(|person| stays(person) && !gone.contains(&person.track));
        let known = |track: &TrackId| self.people.iter().any(|person| person.track == *track);
        self.doubles.retain(|(one, two), _| known(one) && known(two));
    }

    /// Everybody who is believed, at an instant near the last frame.
    pub fn bodies(&self, at: ShopTime) -> Vec<Body> {
        let body = |person: &Person| {
            let mut person = person.clone();
            person.predict(at);
            Body { track: person.track, floor: person.floor(), joints: BodyPoint::ALL.map(|point| person.joint(point)) }
        };
        self.believed(at).map(body).collect()
    }

    /// The same as the stages after it take it.
    pub fn people(&self, at: ShopTime) -> PeopleFrame {
        let told = |person: &Person| {
            let mut person = person.clone();
            person.predict(at);
            facts::Person { track: person.track, joints: person.told() }
        };
        let mut people: Vec<facts::Person> = self.believed(at).map(told).collect();
        people.sort_by_key(|person| person.track);
        PeopleFrame { people }
    }

    /// Who is believed to be there at an instant.
    fn believed(&self, at: ShopTime) -> impl Iterator<Item = &Person> {
        self.people.iter().filter(move |p| BELIEVED_ODDS <= p.odds && at - p.seen < self.options.told_max)
    }

    /// An instant of a camera's clock on the mean of all cameras' clocks, which the people's instants are on; the same
    /// where the camera is not known.
    pub fn shared_time(&self, camera: &CameraId, at: ShopTime) -> ShopTime {
        let known = self.names.iter().position(|id| id == camera);
        known.map_or(at, |camera| at - self.clocks.offset(camera))
    }

    /// How far each camera's clock is from the mean of all, and how sure that is.
    pub fn clocks(&self) -> Vec<(CameraId, ClockResidual)> {
        self.names.iter().enumerate().map(|(index, id)| (id.clone(), self.clocks.residual(index))).collect()
    }
}

/// Whom one frame shows besides somebody is somebody else.
fn learn_looks(looks: &mut Looks, people: &[Person], person: usize, detection: &Detection, taken: &[bool]) {
    let shown = people.iter().enumerate().zip(taken).filter(|(_, taken)| **taken);
    for ((other, shown), _) in shown.take(LEARNED_PER_LOOK_MAX) {
        looks.note(&detection.embedding, &shown.look, other == person);
    }
}

/// One of the cameras, as people need to know it.
fn eye<'a>(cameras: &'a [Camera], clocks: &Clocks, looks: Looks, fronts: &'a [Front], number: usize) -> Eye<'a> {
    Eye { number, camera: &cameras[number], clock_secs: clocks.sigma_secs(number), looks, fronts }
}

fn is_inside(pixel: Point<Pixel>, [width, height]: [u32; 2]) -> bool {
    (0.0..f64::from(width)).contains(&pixel.x) && (0.0..f64::from(height)).contains(&pixel.y)
}
