//! What tracks did over a whole recording, when looking back is possible: what was nobody is left out, what was one
//! person is joined, what was two is exchanged where they met, boxes are smoothed and gaps are filled.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::base::{ShopTime, Span, TrackId};
use crate::facts::{Detection, DetectionClass};
use crate::geometry::{Pair, PixelBox, assign_pairs};

use super::Tracklet;
use super::exchange::exchange;
use super::motion::{Motion, follow};
use super::seen::{PathPoint, Seen};

/// A path whose mean score is less than this share of the recording's ordinary score is nobody: what a detector takes a
/// poster for, it does so again and again, and less surely than people.
const SCORE_SHARE_MIN: f64 = 0.85;
/// Greatest squared distance of Mahalanobis, mean of looking forth and looking back, at which two paths are joined: three
/// in four ends of one path are nearer (chi-squared with 4 degrees of freedom).
const JOIN_GATE: f64 = 5.385;

/// How paths are made. The defaults are meant for people.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PathOptions {
    /// The longest gap that is filled. Longer ones stay: where somebody was meanwhile is a guess.
    pub fill_span_max: Span,
    /// The longest time between the end of a path and the beginning of one that is joined to it.
    pub join_span_max: Span,
}

impl Default for PathOptions {
    fn default() -> Self {
        PathOptions { fill_span_max: Span::from_millis(1_000), join_span_max: Span::from_millis(4_000) }
    }
}

/// Gathers the tracklets of a recording. It grows with it; at its end it gives paths.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    times: Vec<ShopTime>,
    tracks: BTreeMap<TrackId, Seen>,
}

impl Paths {
    /// Takes in what a tracker said of the detections of a frame; frames come in order of time.
    pub fn add(&mut self, at: ShopTime, detections: &[Detection], tracklets: &[Tracklet]) {
        self.times.push(at);
        for one in tracklets {
            let seen = self.tracks.entry(one.track).or_default();
            let detection = &detections[one.detection];
            seen.class = Some(detection.class);
            seen.confirmed |= one.confirmed;
            seen.boxes.push((at, detection.bounds));
            seen.scores.push(one.score);
        }
    }

    /// The paths, each under the name of a track.
    pub fn finish(self, options: &PathOptions) -> BTreeMap<TrackId, Vec<PathPoint>> {
        let Paths { times, mut tracks } = self;
        let mut scores: Vec<f64> = tracks.values().flat_map(|seen| seen.scores.iter().copied()).collect();
        scores.sort_by(f64::total_cmp);
        let ordinary = scores.get(scores.len() / 2).copied().unwrap_or_default();
        tracks.retain(|_, seen| seen.confirmed && SCORE_SHARE_MIN * ordinary <= seen.score());
        join(&mut tracks, options.join_span_max);
        exchange(&mut tracks, &times, options.join_span_max);
        // Whoever lost the rest of a path to another may have gone on as somebody else.
        join(&mut tracks, options.join_span_max);
        tracks.into_iter().map(|(track, seen)| (track, seen.path(&times, options.fill_span_max))).collect()
    }
}

/// Joins each path that ends to one of its class that begins soon after where it would have gone, all at once at the
/// least distance.
fn join(paths: &mut BTreeMap<TrackId, Seen>, span_max: Span) {
    let ids: Vec<TrackId> = paths.keys().copied().collect();
    let ends: Vec<Option<End>> = paths.values().map(|seen| End::of(seen.class, seen.boxes.iter())).collect();
    let starts: Vec<Option<End>> = paths.values().map(|seen| End::of(seen.class, seen.boxes.iter().rev())).collect();
    let mut begun: Vec<usize> = (0..ids.len()).filter(|&index| starts[index].is_some()).collect();
    let began = |index: usize| starts[index].as_ref().map(|start| start.at);
    begun.sort_by_key(|&index| began(index));
    let mut pairs: Vec<Pair> = Vec::new();
    for (index, end) in ends.iter().enumerate() {
        let Some(end) = end else { continue };
        let soon = &begun[begun.partition_point(|&start| began(start) <= Some(end.at))..];
        let soon = &soon[..soon.partition_point(|&start| began(start) <= Some(end.at + span_max))];
        let near = soon.iter().filter_map(|&start| Some((index, start, end.distance(starts[start].as_ref()?)?)));
        pairs.extend(near);
    }
    let assigned = assign_pairs(ids.len(), ids.len(), &pairs, f64::INFINITY).into_iter().enumerate();
    let mut followers: Vec<(usize, usize)> = assigned.filter_map(|(end, start)| Some((end, start?))).collect();
    // The latest first, so that each is whole when it goes to the one before it.
    followers.sort_by_key(|&(index, _)| (Reverse(ends[index].as_ref().map(|end| end.at)), index));
    for (index, follower) in followers {
        let Some(rest) = paths.remove(&ids[follower]) else { continue };
        if let Some(path) = paths.get_mut(&ids[index]) {
            path.boxes.extend(rest.boxes);
            path.scores.extend(rest.scores);
        }
    }
}

/// An end of a path, or its beginning seen against time: when, of what, and how it moves there.
struct End {
    at: ShopTime,
    class: Option<DetectionClass>,
    motion: Motion,
}

impl End {
    /// The last of boxes in order of time, or against it.
    fn of<'a>(class: Option<DetectionClass>, boxes: impl Iterator<Item = &'a (ShopTime, PixelBox)>) -> Option<Self> {
        follow(boxes).last().map(|((at, _), _, motion)| End { at: *at, class, motion })
    }

    /// The squared distance to a later beginning, mean of looking forth and back; `None` beyond the gate and between
    /// classes.
    fn distance(&self, start: &End) -> Option<f64> {
        if self.class != start.class {
            return None;
        }
        let secs = start.at.secs_since(self.at);
        let (mut forth, mut back) = (self.motion.clone(), start.motion.clone());
        forth.predict(secs);
        back.predict(secs);
        let (here, there) = (self.motion.bounds(), start.motion.bounds());
        let mean = f64::midpoint(forth.distance_squared(&there), back.distance_squared(&here));
        (mean <= JOIN_GATE).then_some(mean)
    }
}
