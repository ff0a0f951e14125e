//! Whether visits are people: what the tracks of a run were taken for, held against whose they really were.
//!
//! The measures are those of the field (Ristani et al., Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking,
//! 2016), over sights: a person in a frame.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::base::{ShopTime, TrackId, VisitId};
use crate::facts::{Body, Fact, TrackVerdict};
use crate::geometry::assign;
use crate::truth::Truth;

/// Hears a run, and judges whom it took for whom.
#[derive(Clone, Debug, Default)]
pub struct IdentityJudge {
    /// How often each track was seen, and when first.
    sights: BTreeMap<TrackId, (u64, ShopTime)>,
    /// The visit of each track that was taken for a shopper.
    visits: BTreeMap<TrackId, VisitId>,
}

/// How well visits are people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct IdentityCount {
    /// Sights of shoppers (IDTP + IDFN).
    pub there: u64,
    /// Sights that were given to a visit (IDTP + IDFP).
    pub said: u64,
    /// Sights of whom each visit was mostly of, each shopper having one visit (IDTP).
    pub right: u64,
    /// How often a shopper went on under another visit.
    pub switches: u64,
    /// Visits that hold sights of more than one shopper.
    pub merged: u64,
}

impl IdentityJudge {
    /// Takes a fact of the run.
    pub fn take(&mut self, fact: &Fact) {
        match &fact.body {
            Body::People(frame) => {
                for person in &frame.people {
                    self.sights.entry(person.track).or_insert((0, fact.stamp.at)).0 += 1;
                }
            }
            Body::Track(joined) if joined.verdict != TrackVerdict::Ghost => {
                self.visits.insert(joined.track, joined.visit);
            }
            _ => {}
        }
    }

    /// How it went; none where the truth does not say whose tracks are.
    pub fn count(&self, truth: &Truth) -> Option<IdentityCount> {
        if truth.tracks.is_empty() {
            return None;
        }
        let mut count = IdentityCount::default();
        let mut common: BTreeMap<(VisitId, VisitId), u64> = BTreeMap::new();
        let mut courses: BTreeMap<VisitId, Vec<(ShopTime, VisitId)>> = BTreeMap::new();
        count.said =
            self.sights.iter().filter(|(track, _)| self.visits.contains_key(track)).map(|(_, seen)| seen.0).sum();
        for whose in &truth.tracks {
            let Some((sights, first)) = self.sights.get(&whose.track) else { continue };
            count.there += sights;
            let Some(said) = self.visits.get(&whose.track) else { continue };
            *common.entry((whose.visit, *said)).or_default() += sights;
            courses.entry(whose.visit).or_default().push((*first, *said));
        }
        for course in courses.values_mut() {
            course.sort_unstable();
            count.switches += course.windows(2).filter(|pair| pair[0].1 != pair[1].1).count() as u64;
        }
        let mut shoppers: BTreeMap<VisitId, u64> = BTreeMap::new();
        common.keys().for_each(|(_, said)| *shoppers.entry(*said).or_default() += 1);
        count.merged = shoppers.values().filter(|shoppers| 1 < **shoppers).count() as u64;
        count.right = matched(&common, &shoppers);
        Some(count)
    }
}

/// Sights in common of shoppers and visits, each with one of the other, so that most are.
fn matched(common: &BTreeMap<(VisitId, VisitId), u64>, said: &BTreeMap<VisitId, u64>) -> u64 {
    let mut there: Vec<VisitId> = common.keys().map(|(there, _)| *there).collect();
    there.dedup();
    let of = |there: VisitId, said: VisitId| common.get(&(there, said)).copied();
    let cost = |there: VisitId, said: VisitId| of(there, said).map_or(f64::INFINITY, |count| -(count as f64));
    let costs: Vec<Vec<f64>> =
        there.iter().map(|there| said.keys().map(|said| cost(*there, *said)).collect()).collect();
    let said: Vec<VisitId> = said.keys().copied().collect();
    let pairs = there.iter().zip(assign(&costs));
    pairs.filter_map(|(there, column)| of(*there, said[column?])).sum()
}

impl IdentityCount {
    /// IDF1: `2 * right / (there + said)`, 1 where nobody was there or said.
    pub fn f1(&self) -> f64 {
        match self.there + self.said {
            0 => 1.0,
            sum => 2.0 * self.right as f64 / sum as f64,
        }
    }

    /// Adds another case.
    pub fn add(&mut self, other: IdentityCount) {
        self.there += other.there;
        self.said += other.said;
        self.right += other.right;
        self.switches += other.switches;
        self.merged += other.merged;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::TrueTrack;

    #[test]
    fn a_track_given_to_another_shopper_is_a_switch_and_a_visit_of_two() {
        let track = TrackId::new;
        let visit = |number| VisitId::from_first_track(track(number));
        let whose = |(number, shopper)| TrueTrack { track: track(number), visit: visit(shopper) };
        let truth = Truth { tracks: [(1, 1), (3, 1), (2, 2), (4, 2)].map(whose).into(), ..Truth::default() };
        let mut judge = IdentityJudge::default();
        // The first shopper's second track is taken for the second shopper; a ghost is taken for somebody.
        for (number, said) in [(1, 1), (2, 2), (3, 2), (4, 2), (9, 9)] {
            judge.sights.insert(track(number), (10, ShopTime::from_nanos(number as i64)));
            judge.visits.insert(track(number), visit(said));
        }
        let count = judge.count(&truth).unwrap();
        assert_eq!(count, IdentityCount { there: 40, said: 50, right: 30, switches: 1, merged: 1 });
        assert!((count.f1() - 60.0 / 90.0).abs() < 1e-12);
        assert_eq!(judge.count(&Truth::default()), None, "nobody knows whose tracks are");
    }
}
