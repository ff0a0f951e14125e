//! How far a visit was covered by what was measured: changes of weight that nobody who was seen made, and how much of the
//! input was lost while it lasted. It gives sentences for a person; it decides nothing about carts.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::base::{ShopTime, Span, TimeRange};

/// Changes of weight that are remembered; the oldest go first.
const CHANGES_MAX: usize = 512;
/// How long before a visit was first seen, and after it was last seen, changes that nobody made may be of that shopper.
const UNSEEN_SPAN: Span = Span::from_millis(60_000);
/// So many changes that nobody made during a stay, more than those of anybody, say that people are not where they are
/// said to be.
const NOBODY_MIN: usize = 3;
/// Losses are counted for so long together.
const BUCKET: Span = Span::from_millis(5_000);
/// So many such counts are kept, an hour; the oldest go first.
const BUCKETS_MAX: usize = 720;
/// A part of the input that is lost for so long around a stay may be of it; less says little, for it is a handful of facts.
const LOSS_MARGIN: Span = Span::from_millis(15_000);
/// Fewer lost facts are no share of anything.
const LOST_MIN: u64 = 30;
/// Part of the input around a stay that may be lost before a person has to look, `0..=1`.
const LOST_SHARE_MAX: f64 = 0.05;

/// What is remembered of changes and losses.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Coverage {
    /// When something changed on a plate, and whether somebody who was seen made it; in order of explanation.
    changes: VecDeque<(ShopTime, bool)>,
    /// Facts that came and facts that were lost, by the number of the stretch of time.
    flow: BTreeMap<i64, (u64, u64)>,
}

/// Whether a visit was seen to begin and to end where visits do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    /// First seen at an entrance.
    pub(super) came_in: bool,
    /// Last seen at an exit.
    pub(super) went_out: bool,
}

impl Coverage {
    /// A plate changed, and somebody who was seen made it, or nobody did.
    pub(super) fn changed(&mut self, at: ShopTime, by_somebody: bool) {
        if CHANGES_MAX <= self.changes.len() {
            self.changes.pop_front();
        }
        self.changes.push_back((at, by_somebody));
    }

    /// So many more facts came, and so many more were lost, about this time.
    pub(super) fn flowed(&mut self, at: ShopTime, came: u64, lost: u64) {
        if came == 0 && lost == 0 {
            return;
        }
        let (all_came, all_lost) = self.flow.entry(at.as_nanos().div_euclid(BUCKET.as_nanos())).or_default();
        (*all_came, *all_lost) = (all_came.saturating_add(came), all_lost.saturating_add(lost));
        while BUCKETS_MAX < self.flow.len() {
            self.flow.pop_first();
        }
    }

    /// Why a person has to look at a visit of this stay.
    pub(super) fn doubts(&self, stay: TimeRange, ends: Ends) -> Vec<String> {
        let nobody = |range: TimeRange| self.changes.iter().filter(|(at, by)| !by && range.contains(*at)).count();
        let mut doubts = Vec::new();
        let after = nobody(TimeRange { start: stay.end, end: stay.end + UNSEEN_SPAN });
        if !ends.went_out && 0 < after {
            doubts
                .push(format!("was not seen leaving, and {} that nobody was seen to make", times(after, "afterwards")));
        }
        let before = nobody(TimeRange { start: stay.start - UNSEEN_SPAN, end: stay.start });
        if !ends.came_in && 0 < before {
            doubts
                .push(format!("was not seen coming in, and {} that nobody was seen to make", times(before, "before")));
        }
        let during = nobody(stay);
        let all = self.changes.iter().filter(|(at, _)| stay.contains(*at)).count();
        if NOBODY_MIN <= during && all < 2 * during {
            doubts
                .push(format!("of {all} changes of weight during the stay {during} were made by nobody who was seen"));
        }
        let share = self.lost_share(stay.widened(LOSS_MARGIN));
        if LOST_SHARE_MAX < share {
            doubts.push(format!("{:.0} % of the input around the stay was lost", 100.0 * share));
        }
        doubts
    }

    /// Which part of the input about this time was lost.
    fn lost_share(&self, range: TimeRange) -> f64 {
        let bucket = |at: ShopTime| at.as_nanos().div_euclid(BUCKET.as_nanos());
        let within = self.flow.range(bucket(range.start)..=bucket(range.end));
        let (came, lost) = within.fold((0, 0), |(came, lost), (_, (more, less))| (came + more, lost + less));
        if lost < LOST_MIN { 0.0 } else { lost as f64 / (came + lost) as f64 }
    }
}

fn times(count: usize, when: &str) -> String {
    if count == 1 { format!("a plate changed {when}") } else { format!("plates changed {count} times {when}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: f64) -> ShopTime {
        ShopTime::from_nanos(1_700_000_000_000_000_000) + Span::from_secs(secs)
    }

    fn said(coverage: &Coverage, came_in: bool, went_out: bool) -> String {
        let stay = TimeRange { start: at(100.0), end: at(160.0) };
        coverage.doubts(stay, Ends { came_in, went_out }).join("; ")
    }

    #[test]
    fn changes_by_nobody_concern_who_was_not_seen_coming_or_leaving() {
        for (secs, came_in, went_out, expected) in [
            (170.0, true, true, ""),
            (170.0, true, false, "not seen leaving"),
            (300.0, true, false, ""),
            (90.0, false, true, "not seen coming in"),
            (90.0, true, false, ""),
            (10.0, false, true, ""),
        ] {
            let mut coverage = Coverage::default();
            coverage.changed(at(secs), true);
            assert_eq!(said(&coverage, came_in, went_out), "", "somebody made it");
            coverage.changed(at(secs), false);
            let said = said(&coverage, came_in, went_out);
            assert!(said.contains(expected) && said.is_empty() == expected.is_empty(), "{secs}: {said}");
        }
    }

    #[test]
    fn most_changes_by_nobody_concern_all_who_are_inside() {
        let mut coverage = Coverage::default();
        (0..2).for_each(|number| coverage.changed(at(110.0 + f64::from(number)), false));
        assert_eq!(said(&coverage, true, true), "");
        coverage.changed(at(120.0), false);
        assert_eq!(
            said(&coverage, true, true),
            "of 3 changes of weight during the stay 3 were made by nobody who was seen"
        );
        (0..3).for_each(|number| coverage.changed(at(130.0 + f64::from(number)), true));
        assert_eq!(said(&coverage, true, true), "");
    }

    #[test]
    fn input_that_was_lost_concerns_who_was_there_then() {
        let mut coverage = Coverage::default();
        coverage.flowed(at(50.0), 0, 1_000);
        coverage.flowed(at(130.0), 0, 20);
        assert_eq!(said(&coverage, true, true), "", "a handful is no share");
        coverage.flowed(at(130.0), 960, 20);
        assert_eq!(said(&coverage, true, true), "");
        coverage.flowed(at(140.0), 0, 40);
        assert_eq!(said(&coverage, true, true), "8 % of the input around the stay was lost");
        (0..2_000).for_each(|number| coverage.flowed(at(200.0 + 5.0 * f64::from(number)), 1, 0));
        assert_eq!(coverage.flow.len(), BUCKETS_MAX);
    }
}
