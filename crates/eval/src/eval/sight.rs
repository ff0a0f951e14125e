//! People on the floor against where everybody really was: who is who, how far off the floor points and the wrists are.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;

use super::tracks::{Observed, Scene, TrackScore};
use crate::base::{CameraId, ShopTime, Span, TrackId, VisitId};
use crate::facts::BodyPoint;
use crate::geometry::{Floor, Point, World, assign};
use crate::truth::{FrameTruth, SceneBody, SceneTruth, Visibility};

/// Up to this distance somebody told may be somebody who was there, metres.
const GATE_METRES: f64 = 0.5;
/// Scenes further apart than this say nothing of what was between them.
const SCENES_APART_MAX: Span = Span::from_millis(500);
/// A camera sees a point or somebody at an instant if it did in a frame this near to it.
const SEEN_SPAN_MAX: Span = Span::from_millis(70);
/// Both wrists.
const WRISTS: [BodyPoint; 2] = [BodyPoint::LeftWrist, BodyPoint::RightWrist];

/// Somebody as they were told at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// Who.
    pub track: TrackId,
    /// Where they stand.
    pub floor: Point<Floor>,
    /// The left and the right wrist, where they are known.
    pub wrists: [Option<Point<World>>; 2],
}

/// Distances, by their size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Errors {
    /// How many.
    pub count: usize,
    /// As many are smaller as are greater, metres.
    pub median_metres: f64,
    /// One in twenty is greater, metres.
    pub p95_metres: f64,
}

/// How right people on the floor are.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SightScore {
    /// Points of the floor below the hips, as things and tracks.
    pub floor: TrackScore,
    /// How far off these points are, of everybody who was found.
    pub floor_errors: Errors,
    /// How far off wrists are that two cameras or more see.
    pub wrist_errors: Errors,
    /// Wrists of people who were found that two cameras or more see, and of which nothing is told.
    pub wrists_untold: usize,
    /// How far off wrists are that one camera sees.
    pub lone_wrist_errors: Errors,
    /// Such wrists of which nothing is told.
    pub lone_wrists_untold: usize,
}

/// Takes truth and what is told, in any order, and judges at the end. It holds all of it.
#[derive(Clone, Debug, Default)]
pub struct SightJudge {
    scenes: BTreeMap<ShopTime, Vec<SceneBody>>,
    /// When which camera saw which wrist of whom.
    wrists: BTreeMap<(VisitId, usize), Vec<(ShopTime, CameraId)>>,
    /// When some camera saw some joint of whom.
    seen: BTreeMap<VisitId, BTreeSet<ShopTime>>,
    told: BTreeMap<ShopTime, Vec<Told>>,
}

impl SightJudge {
    /// Takes where everybody really was.
    pub fn take_scene(&mut self, scene: SceneTruth) {
        self.scenes.insert(scene.at, scene.people);
    }

    /// Takes what a frame really shows.
    pub fn take_frame(&mut self, frame: &FrameTruth) {
        for body in &frame.people {
            if body.keypoints.iter().any(|point| point.visibility == Visibility::Visible) {
                self.seen.entry(body.visit).or_default().insert(frame.at);
            }
            for (side, wrist) in WRISTS.into_iter().enumerate() {
                if body.keypoints[wrist as usize].visibility == Visibility::Visible {
                    self.wrists.entry((body.visit, side)).or_default().push((frame.at, frame.camera.clone()));
                }
            }
        }
    }

    /// Takes everybody told at an instant.
    pub fn take_told(&mut self, at: ShopTime, people: Vec<Told>) {
        self.told.insert(at, people);
    }

    /// Judges what was told between the first and the last scene; `clock_ahead` is how much more than the truth's the
    /// clock shows that what was told is on. `None` where there is nothing to compare.
    pub fn score(mut self, clock_ahead: Span) -> Option<SightScore> {
        self.wrists.values_mut().for_each(|seen| seen.sort());
        let (mut there, mut said) = (Vec::new(), Vec::new());
        let (mut floor_errors, mut wrist_errors, mut wrists_untold) = (Vec::new(), [Vec::new(), Vec::new()], [0; 2]);
        for (frame, (at, told)) in (0..).zip(&self.told) {
            let at = *at - clock_ahead;
            let Some(people) = self.people_at(at) else { continue };
            let pairs = pairs(&people, told);
            let (seen, unseen): (Vec<&SceneBody>, Vec<&SceneBody>) =
                people.iter().partition(|body| self.is_seen(body.visit, at));
            there.extend(seen.into_iter().map(|body| {
                // Names are numbers of 64 bits; only whether two are equal matters.
                Observed { frame, id: body.visit.number() as i64, place: stands(body) }
            }));
            // Whom no camera sees need not be told, and may be.
            let excused =
                |one: &Told| pairs.iter().any(|(body, other)| other.track == one.track && unseen.contains(body));
            let judged = told.iter().filter(|one| !excused(one));
            said.extend(judged.map(|one| Observed { frame, id: one.track.number() as i64, place: one.floor }));
            for (body, one) in pairs {
                floor_errors.push(stands(body).distance(one.floor));
                for (side, wrist) in WRISTS.into_iter().enumerate() {
                    let Some(views) = self.cameras_seeing(body.visit, side, at).checked_sub(1) else { continue };
                    match one.wrists[side] {
                        Some(told) => wrist_errors[views].push(told.distance(body.joints[wrist as usize])),
                        None => wrists_untold[views] += 1,
                    }
                }
            }
        }
        let [lone, plain] = wrist_errors;
        (!there.is_empty()).then(|| SightScore {
            floor: TrackScore::of(&Scene::of_points(&there, &said, GATE_METRES)),
            floor_errors: Errors::of(floor_errors),
            wrist_errors: Errors::of(plain),
            wrists_untold: wrists_untold[1],
            lone_wrist_errors: Errors::of(lone),
            lone_wrists_untold: wrists_untold[0],
        })
    }

    /// At how many instants which track may have been which visit; the clock as in [`score`](Self::score).
    pub fn meetings(&self, clock_ahead: Span) -> BTreeMap<(TrackId, VisitId), u64> {
        let mut meetings = BTreeMap::new();
        for (at, told) in &self.told {
            let people = self.people_at(*at - clock_ahead).unwrap_or_default();
            for (body, one) in pairs(&people, told) {
                *meetings.entry((one.track, body.visit)).or_insert(0) += 1;
            }
        }
        meetings
    }

    /// Everybody at an instant between two scenes, on the straight way from one to the other.
    fn people_at(&self, at: ShopTime) -> Option<Vec<SceneBody>> {
        let (before, first) = self.scenes.range(..=at).next_back()?;
        let (after, second) = self.scenes.range(at..).next()?;
        if SCENES_APART_MAX < *after - *before {
            return None;
        }
        let share = (at - *before).as_secs() / (*after - *before).as_secs().max(1e-9);
        let between = |body: &SceneBody| {
            let later = second.iter().find(|other| other.visit == body.visit)?;
            let mut body = body.clone();
            body.joints.iter_mut().zip(later.joints).for_each(|(joint, later)| *joint = joint.lerp(later, share));
            Some(body)
        };
        Some(first.iter().filter_map(between).collect())
    }

    /// Whether a camera sees a joint of somebody at an instant.
    fn is_seen(&self, visit: VisitId, at: ShopTime) -> bool {
        let around = at - SEEN_SPAN_MAX..=at + SEEN_SPAN_MAX;
        self.seen.get(&visit).is_some_and(|seen| seen.range(around).next().is_some())
    }

    /// How many cameras see a wrist at an instant; more than two are two.
    fn cameras_seeing(&self, visit: VisitId, side: usize, at: ShopTime) -> usize {
        let Some(seen) = self.wrists.get(&(visit, side)) else { return 0 };
        let from = seen.partition_point(|(time, _)| *time < at - SEEN_SPAN_MAX);
        let mut near =
            seen[from..].iter().take_while(|(time, _)| *time <= at + SEEN_SPAN_MAX).map(|(_, camera)| camera);
        let Some(first) = near.next() else { return 0 };
        if near.any(|camera| camera != first) { 2 } else { 1 }
    }
}

impl Errors {
    fn of(mut metres: Vec<f64>) -> Self {
        metres.sort_by(f64::total_cmp);
        let at = |share: f64| metres.get((metres.len().saturating_sub(1) as f64 * share) as usize).copied();
        Errors { count: metres.len(), median_metres: at(0.5).unwrap_or(0.0), p95_metres: at(0.95).unwrap_or(0.0) }
    }
}

impl SightScore {
    /// The scores for people; ends in a newline.
    pub fn to_text(&self) -> String {
        let mut text = self.floor.to_text();
        let lone = self.lone_wrists_untold;
        let lengths = [
            ("floor", &self.floor_errors),
            ("wrists that two cameras see", &self.wrist_errors),
            ("wrists that one camera sees", &self.lone_wrist_errors),
        ];
        for (name, errors) in lengths {
            if errors.count == 0 {
                let _ = writeln!(text, "{name}: none to measure");
                continue;
            }
            let (median, p95) = (errors.median_metres * 100.0, errors.p95_metres * 100.0);
            let _ = writeln!(text, "{name}: median {median:.1} cm, 95 % within {p95:.1} cm, of {}", errors.count);
        }
        let _ =
            writeln!(text, "{} wrists of the former kind and {lone} of the latter are not told", self.wrists_untold);
        text
    }
}

/// Below the middle of the hips.
fn stands(body: &SceneBody) -> Point<Floor> {
    let [left, right] = [BodyPoint::LeftHip, BodyPoint::RightHip].map(|hip| body.joints[hip as usize]);
    left.lerp(right, 0.5).floor()
}

/// Who may be whom, at the least distance in all.
fn pairs<'a>(people: &'a [SceneBody], told: &'a [Told]) -> Vec<(&'a SceneBody, &'a Told)> {
    let distance = |body: &SceneBody, one: &Told| {
        let metres = stands(body).distance(one.floor);
        if metres < GATE_METRES { metres } else { f64::INFINITY }
    };
    let cost: Vec<Vec<f64>> = people.iter().map(|body| told.iter().map(|one| distance(body, one)).collect()).collect();
    let found = people.iter().zip(assign(&cost));
    found.filter_map(|(body, column)| Some((body, &told[column?]))).collect()
}
