//! The tracker: predict, associate in tiers of confidence (ByteTrack; Zhang et al., 2022), confirm, lose, forget.

use crate::base::limits::{DETECTIONS_PER_FRAME_MAX, TRACKS_PER_CAMERA_MAX};
use crate::base::{ShopTime, Span, TrackId};
use crate::facts::Detection;
use crate::geometry::{Pair, Pixel, PixelBox, Point};

use super::affinity::{Look, likeness, pair_within};
use super::motion::Motion;
use crate::tracking::looks::Looks;

/// Steps of the usual length for which everybody may be unseen: one, and half of one for frames that come unevenly.
const STEPS_UNSEEN_MAX: f64 = 1.5;

/// People of a frame to whom each look is compared.
const LEARNED_PER_LOOK_MAX: usize = 16;

/// How a tracker decides. The defaults are those of the papers named, with time in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// From this score on a detection is sure, `0..=1`. Only sure ones find who was lost, or begin a track.
    pub score_sure_min: f64,
    /// Detections below this score are not looked at, `0..=1`.
    pub score_min: f64,
    /// From this score on a sure detection that nobody claims begins a track, `0..=1`.
    pub score_new_min: f64,
    /// Least likeness (intersection over union, or what looks and poses make of it) at which a sure detection goes on with a track, `0..=1`.
    pub likeness_sure_min: f64,
    /// Least intersection over union at which an unsure detection does, `0..=1`.
    pub likeness_unsure_min: f64,
    /// Least likeness at which a sure detection goes on with a track that is not yet confirmed, `0..=1`.
    pub likeness_tentative_min: f64,
    /// Detections after which a track is confirmed; at least 1.
    pub confirm_hits: u32,
    /// How long a track that is not yet confirmed may be unseen, if a frame came meanwhile.
    pub tentative_span_max: Span,
    /// How long somebody may be unseen and still be found again.
    pub lost_span_max: Span,
    /// Share of a track's look that a new detection replaces, `0..=1`.
    pub look_update: f64,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            score_sure_min: 0.6,
            score_min: 0.1,
            score_new_min: 0.7,
            likeness_sure_min: 0.2,
            likeness_unsure_min: 0.5,
            likeness_tentative_min: 0.3,
            confirm_hits: 3,
            tentative_span_max: Span::from_millis(300),
            lost_span_max: Span::from_millis(2_000),
            look_update: 0.1,
        }
    }
}

/// A track in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tracklet {
    /// Which track; unique for this tracker.
    pub track: TrackId,
    /// Which of the frame's detections it is.
    pub detection: usize,
    /// Where, as the motion has it after this detection.
    pub bounds: PixelBox,
    /// How its middle moves, pixels a second.
    pub velocity: Point<Pixel>,
    /// Score of the detection, `0..=1`.
    pub score: f64,
    /// Whether it is surely somebody. What a track did before that counts once one of its tracklets is confirmed.
    pub confirmed: bool,
}

/// What was left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Detections with a box that is none, or a score that is no number.
    pub odd_detections: u64,
    /// Detections beyond the greatest number a frame may have.
    pub excess_detections: u64,
    /// Frames that were not later than the one before.
    pub late_frames: u64,
    /// Tracks that were forgotten early, or not begun, as there were too many.
    pub excess_tracks: u64,
}

/// Follows everything that one camera detects.
#[derive(Clone, Debug)]
pub struct Tracker {
    options: Options,
    tracks: Vec<Track>,
    next_id: u64,
    at: Option<ShopTime>,
    /// The time between the last two frames.
    step: Option<Span>,
    /// What looks are worth, as far as this camera has shown.
    looks: Looks,
    counters: Counters,
}

#[derive(Clone, Debug)]
struct Track {
    id: TrackId,
    motion: Motion,
    /// When a sure detection was the last.
    sure_at: ShopTime,
    /// Detections so far.
    hits: u32,
    confirmed: bool,
    /// Whether it was seen in the frame before.
    tracked: bool,
    look: Look,
}

impl Tracker {
    /// A tracker that has seen nothing. Track ids begin at 1.
    pub fn new(options: Options) -> Self {
        Tracker {
            options,
            tracks: Vec::new(),
            next_id: 1,
            at: None,
            step: None,
            looks: Looks::default(),
            counters: Counters::default(),
        }
    }

    /// What was left out so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// One frame. Gives a tracklet for each detection that goes on with a track or begins one, by order of detections.
    /// A frame that is not later than the one before gives none.
    pub fn step(&mut self, at: ShopTime, detections: &[Detection]) -> Vec<Tracklet> {
        if self.at.is_some_and(|before| at <= before) {
            self.counters.late_frames += 1;
            return Vec::new();
        }
        self.forget(at);
        let secs = self.at.map_or(0.0, |before| at.secs_since(before));
        self.tracks.iter_mut().for_each(|track| track.motion.predict(secs));
        self.at = Some(at);
        let usable = self.usable(detections);
        let (sure, unsure): (Vec<usize>, Vec<usize>) =
            usable.into_iter().partition(|&index| self.options.score_sure_min <= detections[index].score);
        let mut owner: Vec<Option<usize>> = vec![None; detections.len()];
        self.associate(detections, &sure, &unsure, &mut owner);
        self.learn_looks(detections, &owner);
        self.settle(at, detections, &owner);
        let free: Vec<usize> = sure.into_iter().filter(|&index| owner[index].is_none()).collect();
        self.begin(at, detections, &free, &mut owner);
        let tracklets = (0..detections.len()).filter_map(|index| {
            let track = &self.tracks[owner[index]?];
            Some(Tracklet {
                track: track.id,
                detection: index,
                bounds: track.motion.bounds(),
                velocity: track.motion.velocity(),
                score: detections[index].score,
                confirmed: track.confirmed,
            })
        });
        tracklets.collect()
    }

    /// Drops who was unseen for too long. Frames may come more slowly than anybody is waited for: who was seen in the
    /// frame before is not unseen yet, and one step of the usual length is no absence.
    fn forget(&mut self, at: ShopTime) {
        let step = self.at.map(|before| at - before);
        // A single pause is no slower rate, so the shorter of the last two steps is the usual one.
        let usual = step.map_or(Span::ZERO, |step| self.step.map_or(step, |before| step.min(before)));
        let Options { lost_span_max, tentative_span_max, .. } = self.options;
        let unseen_max = Span::from_secs(STEPS_UNSEEN_MAX * usual.as_secs());
        let waits = |track: &Track| if track.confirmed || track.tracked { lost_span_max } else { tentative_span_max };
        self.tracks.retain(|track| at - track.sure_at <= waits(track).max(unseen_max));
        self.step = step;
    }

    /// Detections to look at: the surest, if there are too many.
    fn usable(&mut self, detections: &[Detection]) -> Vec<usize> {
        let well_formed = |one: &Detection| one.bounds.is_well_formed() && one.score.is_finite();
        let (mut usable, odd): (Vec<usize>, Vec<usize>) =
            (0..detections.len()).partition(|&index| well_formed(&detections[index]));
        self.counters.odd_detections += odd.len() as u64;
        usable.retain(|&index| self.options.score_min <= detections[index].score);
        if DETECTIONS_PER_FRAME_MAX < usable.len() {
            self.counters.excess_detections += (usable.len() - DETECTIONS_PER_FRAME_MAX) as u64;
            usable.sort_by(|&a, &b| detections[b].score.total_cmp(&detections[a].score).then(a.cmp(&b)));
            usable.truncate(DETECTIONS_PER_FRAME_MAX);
            usable.sort_unstable();
        }
        usable
    }

    /// The tiers. Whoever finds a pair in one is not asked in the next.
    fn associate(&self, detections: &[Detection], sure: &[usize], unsure: &[usize], owner: &mut [Option<usize>]) {
        let options = &self.options;
        let mut free: Vec<usize> = (0..self.tracks.len()).collect();
        let by_motion = |track: &Track, predicted: &PixelBox, one: &Detection| {
            likeness(&track.motion, predicted, &track.look, one, &self.looks)
        };
        let confirmed = |track: &Track| track.confirmed;
        self.tier(detections, sure, &mut free, owner, options.likeness_sure_min, confirmed, by_motion);
        let by_place = |track: &Track, predicted: &PixelBox, one: &Detection| match track.look.class == one.class {
            true => predicted.iou(&one.bounds),
            false => 0.0,
        };
        let tracked = |track: &Track| track.confirmed && track.tracked;
        self.tier(detections, unsure, &mut free, owner, options.likeness_unsure_min, tracked, by_place);
        let tentative = |track: &Track| !track.confirmed;
        self.tier(detections, sure, &mut free, owner, options.likeness_tentative_min, tentative, by_motion);
    }

    #[expect(clippy::too_many_arguments, reason = "a tier is who, with whom, how alike, and from where on")]
    fn tier(
        &self,
        detections: &[Detection],
        candidates: &[usize],
        free: &mut Vec<usize>,
        owner: &mut [Option<usize>],
        likeness_min: f64,
        asked: impl Fn(&Track) -> bool,
        alike: impl Fn(&Track, &PixelBox, &Detection) -> f64,
    ) {
        let rows: Vec<usize> = free.iter().copied().filter(|&track| asked(&self.tracks[track])).collect();
        let columns: Vec<usize> = candidates.iter().copied().filter(|&index| owner[index].is_none()).collect();
        let mut pairs: Vec<Pair> = Vec::new();
        for (row, track) in rows.iter().map(|&track| &self.tracks[track]).enumerate() {
            let predicted = track.motion.bounds();
            let alike = columns.iter().map(|&index| alike(track, &predicted, &detections[index]));
            let pair = |(column, alike)| (likeness_min <= alike).then_some((row, column, alike));
            pairs.extend(alike.enumerate().filter_map(pair));
        }
        let mut is_taken = vec![false; self.tracks.len()];
        for (row, column) in pair_within(rows.len(), columns.len(), &pairs, likeness_min) {
            owner[columns[column]] = Some(rows[row]);
            is_taken[rows[row]] = true;
        }
        free.retain(|track| !is_taken[*track]);
    }

    /// Two detections of one frame are two people; a detection and its track are one.
    fn learn_looks(&mut self, detections: &[Detection], owner: &[Option<usize>]) {
        let named: Vec<(&Detection, usize)> =
            detections.iter().zip(owner).filter_map(|(one, owner)| Some((one, (*owner)?))).collect();
        for (one, owner) in named.iter().filter(|(one, _)| !one.embedding.is_empty()) {
            for (_, other) in named.iter().take(LEARNED_PER_LOOK_MAX) {
                self.looks.note(&one.embedding, &self.tracks[*other].look.embedding, owner == other);
            }
        }
    }

    /// Takes in what each track was given.
    fn settle(&mut self, at: ShopTime, detections: &[Detection], owner: &[Option<usize>]) {
        self.tracks.iter_mut().for_each(|track| track.tracked = false);
        for (one, owner) in detections.iter().zip(owner) {
            let Some(index) = *owner else { continue };
            let track = &mut self.tracks[index];
            track.motion.correct(&one.bounds);
            if self.options.score_sure_min <= one.score {
                track.sure_at = at;
            }
            track.hits += 1;
            track.tracked = true;
            track.confirmed |= self.options.confirm_hits <= track.hits;
            track.look.update(one, self.options.look_update);
        }
    }

    fn begin(&mut self, at: ShopTime, detections: &[Detection], free: &[usize], owner: &mut [Option<usize>]) {
        for &index in free.iter().filter(|&&index| self.options.score_new_min <= detections[index].score) {
            if TRACKS_PER_CAMERA_MAX <= self.tracks.len() {
                self.counters.excess_tracks += 1;
                continue;
            }
            let one = &detections[index];
            owner[index] = Some(self.tracks.len());
            self.tracks.push(Track {
                id: TrackId::new(self.next_id),
                motion: Motion::at(&one.bounds),
                sure_at: at,
                hits: 1,
                confirmed: self.options.confirm_hits <= 1,
                tracked: true,
                look: Look::of(one),
            });
            self.next_id += 1;
        }
    }
}
