//! CLEAR MOT (Bernardin and Stiefelhagen, EURASIP Journal on Image and Video Processing, 2008), with the matching of
//! TrackEval: a pair of the frame before goes on if it can, and then the likest pairs win.

use serde::Serialize;

use super::scene::{Scene, pair_up};
use super::{SIMILARITY_ERROR_MAX, SIMILARITY_MIN, share};

/// Going on with the pair of the frame before is worth more than any likeness.
const CONTINUATION_VALUE: f64 = 1000.0;
/// A thing is mostly tracked above the first share of its life, and mostly lost below the second.
const MOSTLY_TRACKED_MIN: f64 = 0.8;
const PARTLY_TRACKED_MIN: f64 = 0.2;

/// What goes right and wrong frame by frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Clear {
    /// 1 less misses, false positives and switches in units of what was there; may be negative.
    pub mota: f64,
    /// The same without the switches.
    pub moda: f64,
    /// Mean similarity of the pairs; for boxes their intersection over union.
    pub motp: f64,
    /// Things that were there and said.
    pub matches: u64,
    /// Things said that were not there.
    pub false_positives: u64,
    /// Things there that were not said.
    pub misses: u64,
    /// Times a thing went on under another track than the last it had.
    pub switches: u64,
    /// Times a thing was found again after it had been missed.
    pub fragmentations: u64,
    /// Things said for more than 80 % of their life.
    pub mostly_tracked: u64,
    /// Things said for 20 to 80 % of their life.
    pub partly_tracked: u64,
    /// Things said for less than 20 % of their life.
    pub mostly_lost: u64,
}

/// What is known of one thing.
#[derive(Clone, Copy, Default)]
struct Life {
    matched: u64,
    stretches: u64,
    last_track: Option<usize>,
    /// The track that it had in the frame before.
    track_before: Option<usize>,
}

impl Clear {
    pub(super) fn of(scene: &Scene) -> Self {
        let mut clear = Clear::default();
        let mut lives = vec![Life::default(); scene.truth_counts.len()];
        let mut similarity_sum = 0.0;
        for frame in &scene.frames {
            if frame.truth.is_empty() || frame.tracks.is_empty() {
                // As TrackEval counts it, such a frame does not end what goes on.
                clear.false_positives += frame.tracks.len() as u64;
                clear.misses += frame.truth.len() as u64;
                continue;
            }
            let value_of = |(&thing, alike): (&usize, &Vec<f64>)| -> Vec<f64> {
                let value = |(&track, &alike): (&usize, &f64)| match lives[thing].track_before == Some(track) {
                    _ if alike < SIMILARITY_MIN - SIMILARITY_ERROR_MAX => 0.0,
                    true => CONTINUATION_VALUE + alike,
                    false => alike,
                };
                frame.tracks.iter().zip(alike).map(value).collect()
            };
            let values: Vec<Vec<f64>> = frame.truth.iter().zip(&frame.similarity).map(value_of).collect();
            let pairs = pair_up(&values);
            let mut now: Vec<(usize, usize)> = Vec::with_capacity(pairs.len());
            for &(row, column) in &pairs {
                let (thing, track) = (frame.truth[row], frame.tracks[column]);
                let life = &mut lives[thing];
                clear.switches += u64::from(life.last_track.is_some_and(|last| last != track));
                life.stretches += u64::from(life.track_before.is_none());
                life.last_track = Some(track);
                life.matched += 1;
                similarity_sum += frame.similarity[row][column];
                now.push((thing, track));
            }
            lives.iter_mut().for_each(|life| life.track_before = None);
            now.into_iter().for_each(|(thing, track)| lives[thing].track_before = Some(track));
            clear.matches += pairs.len() as u64;
            clear.misses += (frame.truth.len() - pairs.len()) as u64;
            clear.false_positives += (frame.tracks.len() - pairs.len()) as u64;
        }
        for (life, &there) in lives.iter().zip(&scene.truth_counts) {
            let tracked = life.matched as f64 / there as f64;
            clear.mostly_tracked += u64::from(MOSTLY_TRACKED_MIN < tracked);
            clear.partly_tracked += u64::from((PARTLY_TRACKED_MIN..=MOSTLY_TRACKED_MIN).contains(&tracked));
            clear.mostly_lost += u64::from(tracked < PARTLY_TRACKED_MIN);
            clear.fragmentations += life.stretches.saturating_sub(1);
        }
        let there = (clear.matches + clear.misses) as f64;
        let wrong = (clear.misses + clear.false_positives) as f64;
        clear.moda = if 0.0 < there { 1.0 - wrong / there } else { 0.0 };
        clear.mota = clear.moda - share(clear.switches as f64, there);
        clear.motp = share(similarity_sum, clear.matches as f64);
        clear
    }
}
