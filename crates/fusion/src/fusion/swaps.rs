//! Who is who where the tracker may have taken two shoppers for one another. Hypotheses of who is who and of who has what weigh each
//! other: from the first change of weight after it every hypothesis also stands as one in which the two have changed places, and what
//! is taken and put back tells them apart. Somebody who puts back what only the other one had is the other one.

use serde::{Deserialize, Serialize};

use super::{Fusion, Memory};
use crate::base::{Prob, ShopTime, VisitId};

/// Pairs of whom it is open at once; further ones lower certainty instead.
const PAIRS_MAX: usize = 256;

/// All of whom it is open who is who.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Swaps {
    pairs: Vec<Swap>,
    /// When the newest change that was explained began.
    explained: ShopTime,
}

/// Two shoppers who may have been taken for one another, until both are over.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Swap {
    visits: [VisitId; 2],
    at: ShopTime,
    /// How much likelier it is than not; `None` once hypotheses know of it.
    odds: Option<f64>,
    /// Which of them is over.
    over: Option<VisitId>,
}

impl Default for Swaps {
    fn default() -> Self {
        Swaps { pairs: Vec::new(), explained: ShopTime::MIN }
    }
}

impl Swaps {
    /// When a visit was last one of two who may have been taken for one another.
    pub(super) fn last(&self, visit: VisitId) -> Option<ShopTime> {
        self.pairs.iter().rev().find(|swap| swap.visits.contains(&visit)).map(|swap| swap.at)
    }

    /// A visit is over. A pair of which the other one is not stays.
    pub(super) fn forget(&mut self, visit: VisitId) {
        self.pairs.retain(|swap| !swap.visits.contains(&visit) || swap.over.is_none());
        self.pairs.iter_mut().filter(|swap| swap.visits.contains(&visit)).for_each(|swap| swap.over = Some(visit));
    }
}

impl Fusion {
    /// These shoppers may have been taken for one another with this chance, when they were lost and seen again, or one of them
    /// was taken for somebody new. Of two, hypotheses say from then on who is who; of more, or where changes were explained that came
    /// after it, their certainty is less.
    pub fn mixed_up(&mut self, visits: &[VisitId], at: ShopTime, chance: Prob) {
        let inside = self.memory.people.visitors();
        let visits: Vec<VisitId> = visits.iter().copied().filter(|visit| inside.contains_key(visit)).collect();
        let swaps = &mut self.memory.swaps;
        let is_open = swaps.explained < at && swaps.pairs.len() < PAIRS_MAX && chance.value() < 1.0;
        if let ([a, b], true) = (visits.as_slice(), is_open) {
            let odds = Some(chance.value() / (1.0 - chance.value()));
            swaps.pairs.push(Swap { visits: [*a, *b], at, odds, over: None });
            return;
        }
        for visit in visits {
            self.memory.be_less_certain(visit, at, chance.value());
        }
    }

    /// A change is explained: hypotheses branch on everybody who may have been taken for another before it. Where one of the two is
    /// over already, it may be of that one, and the other one's certainty is less.
    pub(super) fn branch_on_swaps(&mut self, step: u32) {
        let begun = self.memory.steps.get(&step).map_or(ShopTime::MAX, |step| step.span.start);
        let swaps = &mut self.memory.swaps;
        swaps.explained = swaps.explained.max(begun);
        let before = swaps.pairs.iter_mut().filter(|swap| swap.at <= begun);
        let unknown: Vec<(f64, Swap)> = before.filter_map(|swap| Some((swap.odds.take()?, swap.clone()))).collect();
        for (odds, Swap { visits: [a, b], at, over, .. }) in unknown {
            match over {
                None => self.memory.clusters.swap(a, b, odds),
                Some(over) => self.memory.be_less_certain(if over == a { b } else { a }, at, odds / (1.0 + odds)),
            }
        }
    }
}

impl Memory {
    /// A visit may be somebody else's with this chance.
    fn be_less_certain(&mut self, visit: VisitId, at: ShopTime, chance: f64) {
        let (certainty, last) = self.mixups.entry(visit).or_insert((1.0, at));
        *certainty *= 1.0 - chance;
        *last = at.max(*last);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{at, closed, drive_with};
    use super::*;
    use crate::base::TrackId;

    fn visit(number: u64) -> VisitId {
        VisitId::from_first_track(TrackId::new(number))
    }

    /// Carts of two shoppers, each with its probability, when they may have been taken for one another at 12 s.
    fn carts(chance: f64, events: &[&str]) -> Vec<(String, f64)> {
        let shoppers = ["1 at 8: 5 8, 16 11", "2 at 3: 6 2, 20 8"];
        let mut fusion = drive_with(&shoppers, events, |fusion, secs| {
            if (secs - 13.0).abs() < 1e-6 {
                fusion.mixed_up(&[visit(1), visit(2)], at(12.0), Prob::new(chance));
            }
        });
        closed(&fusion.finish())
    }

    #[test]
    fn who_puts_back_what_only_the_other_had_is_the_other() {
        // Rice and tea are taken; whoever is seen as the first takes oil, whoever is seen as the second puts the rice back.
        let events = ["8 5:-250", "2 6:-100", "11 16:-400", "8 20:250"];
        let as_seen = carts(0.0, &events);
        assert_eq!((as_seen[0].0.as_str(), as_seen[1].0.as_str()), ("oil 1", "tea 1"), "handed over, as it seems");
        let swapped = carts(0.3, &events);
        assert_eq!((swapped[0].0.as_str(), swapped[1].0.as_str()), ("", "oil 1, tea 1"), "{swapped:?}");
        assert!(swapped.iter().all(|(_, probability)| 0.7 < *probability), "{swapped:?}");
    }

    #[test]
    fn what_is_done_before_or_by_nobody_after_it_is_as_sure_as_it_was() {
        let before = ["8 5:-250", "2 6:-100"];
        assert_eq!(carts(0.3, &before), carts(0.0, &before), "who took it was known then");
        let after = ["11 16:-400"];
        let (sure, open) = (carts(0.0, &after), carts(0.3, &after));
        assert_eq!(open[0].0, "oil 1");
        assert!((open[0].1 - 0.7 * sure[0].1).abs() < 0.02, "{open:?} {sure:?}");
    }

    #[test]
    fn whoever_stays_is_as_doubtful_when_the_other_is_gone() {
        // The first is gone before the second takes rice, and before anything that both could have done is explained; or after it.
        let left = |chance: f64, secs: f64| {
            let mut fusion =
                drive_with(&["2 at 3: 6 2, 20 8", "1 at 8: "], &["2 6:-100", "8 20:-250"], |fusion, now| {
                    if (now - 13.0).abs() < 1e-6 {
                        fusion.mixed_up(&[visit(1), visit(2)], at(12.0), Prob::new(chance));
                    }
                    if (now - secs).abs() < 1e-6 {
                        fusion.memory.swaps.forget(visit(1));
                    }
                });
            let told = fusion.memory.swaps.last(visit(2)).or(fusion.memory.mixups.get(&visit(2)).map(|(_, at)| *at));
            (closed(&fusion.finish())[1].clone(), told)
        };
        for secs in [14.0, 35.0] {
            let ((cart, sure), ((same, open), told)) = (left(0.0, secs).0, left(0.3, secs));
            assert_eq!(
                (cart.as_str(), same.as_str(), told),
                ("rice 1, tea 1", "rice 1, tea 1", Some(at(12.0))),
                "{secs}"
            );
            assert!((open - 0.7 * sure).abs() < 0.02, "{secs}: {open} {sure}");
        }
    }
}
