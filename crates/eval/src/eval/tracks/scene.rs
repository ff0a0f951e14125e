//! What was there beside what was said, frame by frame, with how alike each is to each.

use std::collections::BTreeMap;

use crate::geometry::{Floor, Pair, PixelBox, Point, assign_pairs};

/// One thing in one frame: something that was there, or that a tracker said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observed<T> {
    /// Number of the frame; only whether two are equal, and their order, matter.
    pub frame: u64,
    /// Who it is.
    pub id: i64,
    /// Where.
    pub place: T,
}

/// A sequence with truth and tracks lined up.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    pub(super) frames: Vec<SceneFrame>,
    /// Frames in which each thing was there, by its number in `SceneFrame::truth`.
    pub(super) truth_counts: Vec<u64>,
    /// Frames in which each track was said, by its number in `SceneFrame::tracks`.
    pub(super) track_counts: Vec<u64>,
}

/// One frame. Things and tracks are numbered from 0 in order of their ids.
#[derive(Clone, Debug, Default)]
pub(super) struct SceneFrame {
    pub(super) truth: Vec<usize>,
    pub(super) tracks: Vec<usize>,
    /// One row a thing, one column a track; `0..=1`.
    pub(super) similarity: Vec<Vec<f64>>,
}

impl Scene {
    /// Boxes of one camera; alike as their intersection over union.
    pub fn of_boxes(truth: &[Observed<PixelBox>], said: &[Observed<PixelBox>]) -> Self {
        Scene::of(truth, said, PixelBox::iou)
    }

    /// Points of the floor. Two that are `gate_metres` apart are alike by 0.5, so that up to there they may be the
    /// same, and from twice that on not at all.
    pub fn of_points(truth: &[Observed<Point<Floor>>], said: &[Observed<Point<Floor>>], gate_metres: f64) -> Self {
        Scene::of(truth, said, |there, here| (1.0 - here.distance(*there) / (2.0 * gate_metres)).max(0.0))
    }

    fn of<T>(truth: &[Observed<T>], said: &[Observed<T>], alike: impl Fn(&T, &T) -> f64) -> Self {
        let (truth_numbers, track_numbers) = (numbers(truth), numbers(said));
        let mut both: BTreeMap<u64, [Vec<&Observed<T>>; 2]> = BTreeMap::new();
        for one in truth {
            both.entry(one.frame).or_default()[0].push(one);
        }
        for one in said {
            both.entry(one.frame).or_default()[1].push(one);
        }
        let mut scene = Scene {
            frames: Vec::with_capacity(both.len()),
            truth_counts: vec![0; truth_numbers.len()],
            track_counts: vec![0; track_numbers.len()],
        };
        for [truth, said] in both.into_values() {
            let frame = SceneFrame {
                truth: truth.iter().map(|one| truth_numbers[&one.id]).collect(),
                tracks: said.iter().map(|one| track_numbers[&one.id]).collect(),
                similarity: truth
                    .iter()
                    .map(|there| said.iter().map(|here| alike(&there.place, &here.place)).collect())
                    .collect(),
            };
            frame.truth.iter().for_each(|&number| scene.truth_counts[number] += 1);
            frame.tracks.iter().for_each(|&number| scene.track_counts[number] += 1);
            scene.frames.push(frame);
        }
        scene
    }
}

/// Numbers ids from 0 in their order.
fn numbers<T>(all: &[Observed<T>]) -> BTreeMap<i64, usize> {
    let mut numbers: BTreeMap<i64, usize> = all.iter().map(|one| (one.id, 0)).collect();
    numbers.values_mut().enumerate().for_each(|(number, slot)| *slot = number);
    numbers
}

/// Pairs (row, column) with the greatest total value. Pairs of no value are left out.
pub(super) fn pair_up(value: &[Vec<f64>]) -> Vec<(usize, usize)> {
    let columns = value.first().map_or(0, Vec::len);
    let row_pairs = |(row, values): (usize, &Vec<f64>)| -> Vec<Pair> {
        let worth = values.iter().enumerate().filter(|(_, value)| 0.0 < **value);
        worth.map(|(column, value)| (row, column, -value)).collect()
    };
    let pairs: Vec<Pair> = value.iter().enumerate().flat_map(row_pairs).collect();
    let assigned = assign_pairs(value.len(), columns, &pairs, 0.0).into_iter().enumerate();
    assigned.filter_map(|(row, column)| column.map(|column| (row, column))).collect()
}
