//! The rules by which MOTChallenge compares boxes (Milan et al., MOT16, 2016; Dendorfer et al., MOT20, 2020).

use std::collections::{BTreeMap, BTreeSet};

use super::scene::{Observed, Scene, pair_up};
use super::{SIMILARITY_ERROR_MAX, SIMILARITY_MIN};
use crate::geometry::PixelBox;

/// Something that was there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TruthBox {
    /// Frame, who, and where.
    pub seen: Observed<PixelBox>,
    /// What it counts for.
    pub kind: TruthKind,
}

/// What something that was there counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TruthKind {
    /// It is to be found.
    Counted,
    /// It is neither to be found, nor does it excuse anything.
    Ignored,
    /// It need not be found, and finding it is no mistake: somebody in a mirror, or on a bicycle.
    Distractor,
}

/// Classes of MOT16 on: who is walking is to be found; people on vehicles, standing for ever, other distractors and
/// reflections need not be.
const CLASS_PEDESTRIAN: u32 = 1;
const CLASSES_DISTRACTING: [u32; 4] = [2, 7, 8, 12];
/// MOT20 adds vehicles without a motor.
const CLASS_VEHICLE_WITHOUT_MOTOR: u32 = 6;

impl TruthKind {
    /// What a row of truth counts for, from its flag (false for what does not count) and its class; the older files have
    /// none. MOT20 and later have one more class of distractors.
    pub fn of(flag: bool, class: Option<u32>, is_mot20: bool) -> Self {
        match class {
            Some(class) if CLASSES_DISTRACTING.contains(&class) => TruthKind::Distractor,
            Some(CLASS_VEHICLE_WITHOUT_MOTOR) if is_mot20 => TruthKind::Distractor,
            None | Some(CLASS_PEDESTRIAN) if flag => TruthKind::Counted,
            _ => TruthKind::Ignored,
        }
    }
}

/// Lines boxes up for judging: only what counts is to be found, and what was said of a distractor is taken out. What
/// that is, is decided by pairing everything there in a frame with everything said, at an intersection over union of 0.5.
pub fn compare_boxes(truth: &[TruthBox], said: &[Observed<PixelBox>]) -> Scene {
    let counted: Vec<Observed<PixelBox>> =
        truth.iter().filter(|one| one.kind == TruthKind::Counted).map(|one| one.seen).collect();
    if truth.iter().all(|one| one.kind != TruthKind::Distractor) {
        return Scene::of_boxes(&counted, said);
    }
    let mut there_at: BTreeMap<u64, Vec<&TruthBox>> = BTreeMap::new();
    truth.iter().for_each(|one| there_at.entry(one.seen.frame).or_default().push(one));
    let mut said_at: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    said.iter().enumerate().for_each(|(index, one)| said_at.entry(one.frame).or_default().push(index));
    let mut excused: BTreeSet<usize> = BTreeSet::new();
    for (frame, there) in &there_at {
        let Some(here) = said_at.get(frame) else { continue };
        let value = |one: &&TruthBox| -> Vec<f64> {
            let alike = here.iter().map(|&index| one.seen.place.iou(&said[index].place));
            alike.map(|alike| if alike < SIMILARITY_MIN - SIMILARITY_ERROR_MAX { 0.0 } else { alike }).collect()
        };
        let values: Vec<Vec<f64>> = there.iter().map(value).collect();
        let distracted = pair_up(&values).into_iter().filter(|&(row, _)| there[row].kind == TruthKind::Distractor);
        excused.extend(distracted.map(|(_, column)| here[column]));
    }
    let kept = said.iter().enumerate().filter(|(index, _)| !excused.contains(index));
    Scene::of_boxes(&counted, &kept.map(|(_, one)| *one).collect::<Vec<_>>())
}
