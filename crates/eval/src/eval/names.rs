//! Receipts of people who were numbered anew, under the numbers of the truth: who is who follows from where they stood.

use std::collections::{BTreeMap, BTreeSet};

use super::sight::{SightJudge, Told};
use crate::base::{Span, TrackId, VisitId};
use crate::facts::{Body, Fact, Receipt};
use crate::geometry::{Floor, Point, assign};
use crate::truth::{SceneTruth, Truth};

/// Takes what a run decides and where everybody really was, in any order, and gives visits the numbers of the truth at
/// the end.
#[derive(Debug, Default)]
pub struct Names {
    places: SightJudge,
    /// The visit of every track; one that was nobody's has its own, and no receipt.
    visits: BTreeMap<TrackId, VisitId>,
}

impl Names {
    /// Takes where everybody really was.
    pub fn take_scene(&mut self, scene: SceneTruth) {
        self.places.take_scene(scene);
    }

    /// Takes a fact of the run: where people are, and which tracks are one visit.
    pub fn take(&mut self, fact: &Fact) {
        match &fact.body {
            Body::People(people) => {
                let told = people.people.iter().filter_map(|person| {
                    let joints = &person.joints;
                    let middle = [joints.left_shoulder, joints.right_shoulder, joints.neck, joints.head];
                    let floor = mean(middle.into_iter().flatten().map(|joint| joint.position.floor()))?;
                    Some(Told { track: person.track, floor, wrists: [None; 2] })
                });
                self.places.take_told(fact.stamp.at, told.collect());
            }
            Body::Track(joined) => {
                self.visits.insert(joined.track, joined.visit);
            }
            _ => {}
        }
    }

    /// Gives receipts the visits of the truth: no two visits get one number, and all of them together are with those whom
    /// they are taken for at as many instants as can be. Who is nobody of the truth gets a number that nobody there has.
    /// `clock_ahead` is how much more than the truth's the clock of people shows.
    pub fn rename(&self, receipts: &mut [Receipt], truth: &Truth, clock_ahead: Span) {
        let mut instants: BTreeMap<(VisitId, VisitId), u64> = BTreeMap::new();
        for ((track, really), count) in self.places.meetings(clock_ahead) {
            if let Some(visit) = self.visits.get(&track) {
                *instants.entry((*visit, really)).or_default() += count;
            }
        }
        let told: BTreeSet<VisitId> = receipts.iter().map(|receipt| receipt.visit).collect();
        let really: BTreeSet<VisitId> = truth.receipts.iter().map(|purchase| purchase.target_id).collect();
        let cost = |told: &VisitId, really: &VisitId| {
            instants.get(&(*told, *really)).map_or(f64::INFINITY, |count| -(*count as f64))
        };
        let costs: Vec<Vec<f64>> =
            told.iter().map(|told| really.iter().map(|really| cost(told, really)).collect()).collect();
        let known: BTreeSet<TrackId> =
            really.iter().map(|visit| visit.first_track()).chain(truth.ghosts.iter().copied()).collect();
        let next = known.last().map_or(0, |last| last.number().wrapping_add(1));
        let strangers = (next..=u64::MAX).chain(0..next).map(TrackId::new).filter(|track| !known.contains(track));
        let strangers = strangers.map(VisitId::from_first_track);
        let names: BTreeMap<VisitId, VisitId> = told
            .into_iter()
            .zip(assign(&costs))
            .zip(strangers)
            .map(|((visit, column), stranger)| {
                (visit, column.and_then(|column| really.iter().nth(column)).copied().unwrap_or(stranger))
            })
            .collect();
        receipts.iter_mut().for_each(|receipt| receipt.visit = names[&receipt.visit]);
    }
}

fn mean(points: impl Iterator<Item = Point<Floor>>) -> Option<Point<Floor>> {
    let (count, x, y) = points.fold((0.0, 0.0, 0.0), |(count, x, y), point| (count + 1.0, x + point.x, y + point.y));
    (0.0 < count).then(|| Point::new(x / count, y / count, 0.0))
}
