//! A trip with its pictures: what the cameras of the shop deliver while the trip is played, and what each frame really
//! shows. Frames are rendered in parallel, a batch at a time, and given out with all other facts in order of arrival.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use rayon::prelude::*;

use super::figure::{Figure, Holder, Moment};
use super::render::{Backdrop, Look, Shot, Studio, Style, mouth};
use super::roll::Roll;
use super::sensors::faults::Level;
use super::stage::play::Actor;
use super::stock::package::package_of;
use super::trip::Performance;
use super::{Options, Trip};
use crate::base::{Result, SkuId, SourceId};
use crate::facts::{Body, BodyPoint, Fact, Frame, FrameFormat, Stamp};
use crate::geometry::{PixelBox, Point, World};
use crate::image::encode_jpeg;
use crate::shop::{Camera, Package, Shop};
use crate::truth::{FrameBody, FrameTruth, HandTruth, PointTruth, SceneBody, SceneTruth, Truth};

/// Frames that are rendered before the first of them is given out.
const BATCH_FRAMES: usize = 64;
/// Instants of an exposure that are averaged where things move.
const EXPOSURE_INSTANTS: usize = 3;
/// How long the shutter is open, seconds: a sixtieth, as indoor cameras take under lamps.
const EXPOSURE_SECS: f64 = 1.0 / 60.0;
/// How often it is written down where everybody is, per second.
const SCENES_HERTZ: f64 = 10.0;
/// Size of a camera's disagreement with the plates' clock, seconds: median and greatest of those of a real shop.
const CLOCK_MEDIAN_SECS: f64 = 0.079;
const CLOCK_SECS_MAX: f64 = 0.303;

/// How frames are made.
#[derive(Clone, Copy, Debug)]
pub struct FilmOptions {
    /// JPEG quality, 1 to 100.
    pub quality: u8,
    /// Whether light, colours, textures and the cameras' noise are drawn from the seed too, as training wants them.
    pub varied: bool,
}

/// Something that a film gives out.
#[derive(Clone, Debug)]
pub enum Shown {
    /// A fact of plates, people or gates.
    Fact(Fact),
    /// A frame, and what it really shows.
    Frame(Fact, FrameTruth),
    /// Where everybody really is.
    Scene(SceneTruth),
}

/// One press of a shutter.
#[derive(Clone, Copy, Debug)]
struct Exposure {
    /// Index of the camera.
    camera: usize,
    sequence: u64,
    /// Middle of the exposure, seconds on the plates' clock.
    middle: f64,
    /// What the camera's clock shows then.
    stamped: f64,
    arrives: f64,
}

/// A trip whose frames are rendered as they are asked for.
pub struct Film {
    shop: Arc<Shop>,
    performance: Performance,
    /// When what rests on the shelves changes, seconds.
    shelf_changes: Vec<f64>,
    studio: Studio,
    looks: Vec<Look>,
    quality: u8,
    seed: u64,
    facts: VecDeque<Fact>,
    /// When it is written down where everybody is, seconds.
    scenes: VecDeque<f64>,
    exposures: VecDeque<Exposure>,
    frames: usize,
    /// Rendered, not given out.
    ready: VecDeque<(f64, Shown)>,
    /// By camera and state of the shelves.
    backdrops: BTreeMap<(usize, usize), Backdrop>,
}

impl Film {
    /// Prepares a trip and the shop it is seen in; gives the film and the truth of the trip.
    ///
    /// # Errors
    /// As [`trip`](super::trip).
    pub fn new(options: &Options, film: FilmOptions) -> Result<(Film, Truth)> {
        let performance = Performance::new(options)?;
        let Trip { facts, truth, .. } = performance.trip();
        let shop = performance.shop();
        let (seed, end) = (performance.seed(), performance.play.end);
        let packages: Vec<Package> = shop.catalogue().products().iter().map(package_of).collect();
        let style = if film.varied { Style::varied(seed) } else { Style::standard() };
        let exposures = exposures(&shop, options.level, end, seed);
        let film = Film {
            studio: Studio::new(&shop, &packages, style),
            looks: looks(&performance),
            shelf_changes: performance.shelf_changes(),
            quality: film.quality,
            seed,
            facts: facts.into(),
            scenes: (0..(end * SCENES_HERTZ) as usize).map(|number| number as f64 / SCENES_HERTZ).collect(),
            frames: exposures.len(),
            exposures,
            ready: VecDeque::new(),
            backdrops: BTreeMap::new(),
            performance,
            shop,
        };
        Ok((film, truth))
    }

    /// The shop.
    pub fn shop(&self) -> &Shop {
        &self.shop
    }

    /// How many frames there are in all.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// The next fact, frame or scene, in order of arrival; `None` at the end.
    ///
    /// # Errors
    /// When a frame does not fit into JPEG.
    pub fn next_shown(&mut self) -> Result<Option<Shown>> {
        if self.ready.is_empty() {
            self.render()?;
        }
        let origin = self.performance.at(0.0);
        let fact = self.facts.front().map_or(f64::INFINITY, |fact| fact.stamp.arrived.secs_since(origin));
        let scene = self.scenes.front().copied().unwrap_or(f64::INFINITY);
        let frame = self.ready.front().map_or(f64::INFINITY, |(arrives, _)| *arrives);
        if fact <= scene.min(frame) {
            return Ok(self.facts.pop_front().map(Shown::Fact));
        }
        if scene <= frame {
            return Ok(self.scenes.pop_front().map(|at| Shown::Scene(self.scene(at))));
        }
        Ok(self.ready.pop_front().map(|(_, shown)| shown))
    }

    /// Renders the next batch of frames.
    fn render(&mut self) -> Result<()> {
        let batch: Vec<Exposure> = self.exposures.drain(..BATCH_FRAMES.min(self.exposures.len())).collect();
        let state = |exposure: &Exposure| {
            (exposure.camera, self.shelf_changes.partition_point(|change| *change <= exposure.middle))
        };
        let wanted: BTreeMap<(usize, usize), f64> = batch.iter().map(|one| (state(one), one.middle)).collect();
        // Shelves change seldom: what one batch needed the next one mostly needs again.
        self.backdrops.retain(|key, _| wanted.contains_key(key));
        let missing: Vec<_> = wanted.iter().filter(|(key, _)| !self.backdrops.contains_key(key)).collect();
        let fresh: Vec<_> = missing.par_iter().map(|(key, at)| (**key, self.backdrop(key.0, **at))).collect();
        self.backdrops.extend(fresh);
        let shot = |one: &Exposure| self.shoot(one, &self.backdrops[&state(one)]).map(|shown| (one.arrives, shown));
        let shots: Vec<Result<(f64, Shown)>> = batch.par_iter().map(shot).collect();
        self.ready = shots.into_iter().collect::<Result<_>>()?;
        Ok(())
    }

    fn backdrop(&self, camera: usize, at: f64) -> Backdrop {
        let mut resting = self.performance.moment(at).goods;
        resting.retain(|placed| placed.holder == Holder::Shelf);
        self.studio.backdrop(camera, &resting)
    }

    fn shoot(&self, exposure: &Exposure, backdrop: &Backdrop) -> Result<Shown> {
        let camera = &self.shop().cameras()[exposure.camera];
        let part = |instant: usize| (instant as f64 + 0.5) / EXPOSURE_INSTANTS as f64 - 0.5;
        let moment = |instant: usize| self.performance.moment(exposure.middle + EXPOSURE_SECS * part(instant));
        let moments: Vec<Moment> = (0..EXPOSURE_INSTANTS).map(moment).collect();
        let looks = &self.looks;
        let grain = Roll::new(self.seed, &format!("grain/{}/{}", camera.id, exposure.sequence)).number();
        let shot = self.studio.shoot(exposure.camera, backdrop, &moments, looks, grain);
        let at = |secs: f64| self.performance.at(secs);
        let stamp = Stamp {
            source: SourceId::new(&format!("camera/{}", camera.id)),
            sequence: exposure.sequence,
            at: at(exposure.stamped),
            arrived: at(exposure.arrives),
        };
        let data = encode_jpeg(&shot.picture, self.quality)?.into();
        let frame = Frame { camera: camera.id.clone(), format: FrameFormat::Jpeg, data };
        let mut people = self.frame_bodies(camera, &moments[EXPOSURE_INSTANTS / 2], &shot);
        people.sort_by(|a, b| a.depth_metres.total_cmp(&b.depth_metres));
        let (id, sequence) = (camera.id.clone(), exposure.sequence);
        let truth = FrameTruth { camera: id, sequence, at: at(exposure.middle), people };
        Ok(Shown::Frame(Fact { stamp, body: Body::Frame(frame) }, truth))
    }

    /// Everybody of whom some part lies in the picture.
    fn frame_bodies(&self, camera: &Camera, moment: &Moment, shot: &Shot) -> Vec<FrameBody> {
        let [width, height] = camera.size_pixels.map(f64::from);
        let picture = PixelBox::from_size(0.0, 0.0, width, height);
        let mut bodies = Vec::new();
        for (number, (figure, pixels)) in moment.people.iter().zip(&shot.bodies).enumerate() {
            let Some(bounds) = pixels.bounds.filter(|bounds| bounds.intersection(&picture).is_some()) else { continue };
            let point = |point: Point<World>, radius: f64| PointTruth {
                pixel: camera.view.pixel_from_world(point),
                visibility: shot.sees(number, point, radius),
            };
            let joint = |joint: BodyPoint| point(figure.joints[joint as usize], skin_metres(joint));
            let hand = |hand: usize| {
                let holder = Holder::Hand(figure.actor, hand);
                let (held_pixels, held_bounds) = held_pixels(moment, holder, shot);
                let palm = point(figure.hands[hand].palm.origin, skin_metres(BodyPoint::LeftWrist));
                HandTruth { palm, holds: self.held(moment, holder), held_pixels, held_bounds }
            };
            bodies.push(FrameBody {
                visit: self.performance.visit(figure.actor),
                depth_metres: camera.view.view_from_world(figure.chest.origin).z,
                bounds,
                visible_bounds: pixels.visible_bounds,
                visible_share: pixels.visible_share,
                keypoints: BodyPoint::ALL.map(joint),
                mouth: mouth(figure, &self.looks[figure.actor])
                    .map(|corner| point(corner, skin_metres(BodyPoint::Nose))),
                hands: [hand(0), hand(1)],
                carries: self.held(moment, Holder::Carrier(figure.actor)),
            });
        }
        bodies
    }

    fn scene(&self, at: f64) -> SceneTruth {
        let moment = self.performance.moment(at);
        let body = |figure: &Figure| SceneBody {
            visit: self.performance.visit(figure.actor),
            joints: figure.joints,
            palms: [0, 1].map(|hand| figure.hands[hand].palm.origin),
            holds: [0, 1].map(|hand| self.held(&moment, Holder::Hand(figure.actor, hand))),
            carries: self.held(&moment, Holder::Carrier(figure.actor)),
        };
        let mut people: Vec<SceneBody> = moment.people.iter().map(body).collect();
        people.sort_by_key(|body| body.visit);
        SceneTruth { at: self.performance.at(at), people }
    }

    fn held(&self, moment: &Moment, holder: Holder) -> Vec<SkuId> {
        let held = moment.goods.iter().filter(|placed| placed.holder == holder);
        held.map(|placed| self.shop().catalogue().products()[placed.good].sku.clone()).collect()
    }
}

/// How everybody looks.
fn looks(performance: &Performance) -> Vec<Look> {
    let actors = performance.play.actors.iter().enumerate();
    let look = |(actor, who): (usize, &Actor)| match who.is_uniform {
        true => Look::uniform(performance.seed(), actor),
        false => Look::of(performance.seed(), actor),
    };
    actors.map(look).collect()
}

/// How many pixels show what somebody holds, and the box around them.
fn held_pixels(moment: &Moment, holder: Holder, shot: &Shot) -> (u32, Option<PixelBox>) {
    let held = moment.goods.iter().filter(|placed| placed.holder == holder).map(|placed| shot.pixels_of(placed.unit));
    held.fold((0, None), |(count, around), (more, bounds)| {
        (count + more, around.zip(bounds).map(|(a, b)| a.hull(&b)).or(around).or(bounds))
    })
}

/// How deep a joint lies under the skin, metres, with the clothes.
fn skin_metres(joint: BodyPoint) -> f64 {
    match joint {
        BodyPoint::Nose | BodyPoint::LeftEye | BodyPoint::RightEye | BodyPoint::LeftEar | BodyPoint::RightEar => 0.03,
        BodyPoint::LeftShoulder | BodyPoint::RightShoulder => 0.1,
        BodyPoint::LeftHip | BodyPoint::RightHip => 0.16,
        BodyPoint::LeftKnee | BodyPoint::RightKnee => 0.09,
        _ => 0.07,
    }
}

/// Every press of every shutter, in order of arrival. In a room each camera has a clock of its own, jitters and drops
/// frames; in a clean trip they agree to a millisecond.
fn exposures(shop: &Shop, level: Level, end: f64, seed: u64) -> VecDeque<Exposure> {
    let mut all = Vec::new();
    for (index, camera) in shop.cameras().iter().enumerate() {
        let mut roll = Roll::new(seed, &format!("shutter/{}", camera.id));
        let period = 1.0 / camera.rate_hertz;
        let phase = roll.uniform(0.0, period);
        let (offset, jitter, lost) = match level {
            Level::Clean => (0.0, 0.0005, 0.0),
            Level::Room => {
                let size = roll.around(CLOCK_MEDIAN_SECS, 0.55).min(CLOCK_SECS_MAX);
                (size * roll.sign(), 0.004, roll.uniform(0.002, 0.02))
            }
        };
        for sequence in 0..((end - phase) * camera.rate_hertz).max(0.0) as u64 {
            let middle = phase + sequence as f64 * period + roll.bounded(0.0, jitter);
            let stamped = middle + offset + roll.bounded(0.0, jitter);
            let arrives = middle + roll.uniform(0.03, 0.09);
            if !roll.chance(lost) && 0.0 <= middle && middle < end {
                all.push(Exposure { camera: index, sequence, middle, stamped, arrives });
            }
        }
    }
    all.sort_by(|a, b| a.arrives.total_cmp(&b.arrives));
    all.into()
}
