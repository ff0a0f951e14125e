//! Clocks of devices that are plainly wrong. A device whose facts come as if from an hour ago, second after second, has a wrong
//! clock and is not late; what it says is shifted to when it must have been true, and that is told. It takes when facts were
//! true by their device and when they arrived. Small differences are none of its business: `fusion` learns them.

use std::collections::{BTreeMap, VecDeque};

use crate::base::{ShopTime, SourceId, Span};
use crate::facts::{Body, Fact};

/// What arrives before it was true by so much is of a clock that is ahead.
const AHEAD_MAX: Span = Span::from_millis(1_000);
/// Later than this is either a clock that is behind or a message that was held up.
const BEHIND_MAX: Span = Span::from_millis(6_000);
/// A clock that is behind is believed when the least delay of so many seconds in a row is nearly the same.
const SECONDS: usize = 10;
const NEARLY: Span = Span::from_millis(500);
/// A clock that was ahead and says the right time for so many seconds in a row was set right.
const RIGHT_SECONDS: usize = 3;
/// A correction holds until the least delay is off by so much for as long.
const STEP_MIN: Span = Span::from_millis(1_000);
/// What a message is taken to need on its way where only a wrong clock says so.
const USUAL_DELAY: Span = Span::from_millis(50);
/// Sources that are remembered; of more the one that was silent longest is forgotten.
const SOURCES_MAX: usize = 1_024;

/// The clocks of all sources.
#[derive(Debug, Default)]
pub(super) struct Clocks {
    of: BTreeMap<SourceId, Watch>,
}

/// What is known of the clock of one source.
#[derive(Clone, Debug, Default)]
struct Watch {
    /// The least delay of each of the last seconds in which anything came, and which second that was.
    least: VecDeque<(i64, Span)>,
    /// What is added to its times.
    correction: Span,
}

impl Clocks {
    /// Shifts a fact to when it must have been true, by its `arrived`; gives how far its clock is ahead, where it is plainly
    /// wrong.
    pub(super) fn correct(&mut self, fact: &mut Fact) -> Option<Span> {
        let arrived = fact.stamp.arrived;
        if !self.of.contains_key(&fact.stamp.source) && SOURCES_MAX <= self.of.len() {
            let silent = self.of.iter().min_by_key(|(_, watch)| watch.least.back().map(|(second, _)| *second));
            let silent = silent.map(|(source, _)| source.clone());
            silent.map(|source| self.of.remove(&source));
        }
        let watch = self.of.entry(fact.stamp.source.clone()).or_default();
        watch.see(arrived, arrived - fact.stamp.at);
        if watch.correction == Span::ZERO {
            return None;
        }
        fact.stamp.at = fact.stamp.at + watch.correction;
        match &mut fact.body {
            Body::Plates(batch) => batch.first_at = batch.first_at + watch.correction,
            Body::BoardEvent(event) => event.shift(watch.correction),
            _ => {}
        }
        Some(-watch.correction)
    }
}

impl Watch {
    fn see(&mut self, arrived: ShopTime, delay: Span) {
        let second = arrived.as_nanos().div_euclid(1_000_000_000);
        match self.least.back_mut() {
            Some((last, least)) if *last == second => *least = (*least).min(delay),
            _ => {
                self.least.push_back((second, delay));
                if SECONDS < self.least.len() {
                    self.least.pop_front();
                }
            }
        }
        // Nothing arrives before it is true.
        let corrected = delay - self.correction;
        if corrected < -AHEAD_MAX {
            self.correction = wanted(delay);
            return;
        }
        if self.correction < Span::ZERO && self.steady(RIGHT_SECONDS).map(wanted) == Some(Span::ZERO) {
            self.correction = Span::ZERO;
            return;
        }
        let Some(steady) = self.steady(SECONDS) else { return };
        let wanted = wanted(steady);
        if STEP_MIN < (wanted - self.correction).abs() {
            self.correction = wanted;
        }
    }

    /// The least delay, where it was nearly the same for so many seconds.
    fn steady(&self, seconds: usize) -> Option<Span> {
        let newest = || self.least.iter().rev().take(seconds);
        let (first, last) = (newest().next_back()?.0, newest().next()?.0);
        // Seconds in a row, so that what was held up and comes all at once is not taken for a clock.
        if self.least.len() < seconds || 2 * seconds as i64 <= last - first {
            return None;
        }
        let least = newest().map(|(_, delay)| *delay).min()?;
        let most = newest().map(|(_, delay)| *delay).max()?;
        (most - least <= NEARLY).then_some(least)
    }
}

/// What is to be added to the times of a clock whose messages have this delay; nothing where it is not plainly wrong.
fn wanted(delay: Span) -> Span {
    if (-AHEAD_MAX..=BEHIND_MAX).contains(&delay) { Span::ZERO } else { delay - USUAL_DELAY }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{PlateBatch, Stamp};

    /// What comes of messages ten times a second, each true so long before it arrived.
    fn corrected(secs: i64, delay: impl Fn(i64) -> Span) -> Vec<Span> {
        let mut clocks = Clocks::default();
        let take = |tenth: i64| {
            let arrived = ShopTime::from_nanos(1_000_000_000_000 + tenth * 100_000_000);
            let at = arrived - delay(tenth);
            let stamp = Stamp { source: SourceId::new("board"), sequence: tenth as u64, at, arrived };
            let batch =
                PlateBatch { first_at: at, period: Span::from_millis(10), plates: Vec::new(), grams: Vec::new() };
            let mut fact = Fact { stamp, body: Body::Plates(batch) };
            clocks.correct(&mut fact);
            let Body::Plates(batch) = fact.body else { unreachable!() };
            assert_eq!(batch.first_at, fact.stamp.at);
            arrived - fact.stamp.at
        };
        (0..secs * 10).map(take).collect()
    }

    #[test]
    fn a_clock_that_is_an_hour_behind_is_set_right_after_ten_seconds() {
        let hour = Span::from_millis(3_600_000);
        let delays = corrected(20, |tenth| hour + Span::from_millis(20 + tenth % 7));
        assert!(delays[..90].iter().all(|delay| hour < *delay), "it might be held up");
        assert!(delays[110..].iter().all(|delay| (0.0..0.2).contains(&delay.as_secs())), "{:?}", &delays[110..]);
    }

    #[test]
    fn a_clock_that_is_ahead_is_set_right_at_once() {
        let delays = corrected(15, |_| Span::from_millis(-30_000));
        assert!(delays.iter().all(|delay| (0.0..0.2).contains(&delay.as_secs())), "{delays:?}");
    }

    #[test]
    fn what_is_late_or_held_up_is_left_as_it_is() {
        for late in [0, 300, 2_300, 5_900] {
            let delays = corrected(15, |tenth| Span::from_millis(late + tenth % 10));
            assert!(
                delays.iter().enumerate().all(|(tenth, delay)| *delay == Span::from_millis(late + tenth as i64 % 10))
            );
        }
        // A network that was down for a minute: what was held up comes in two seconds, then all is as before.
        let held_up = |tenth: i64| Span::from_millis(if tenth < 20 { 60_000 - tenth * 3_000 } else { 40 });
        assert_eq!(corrected(30, held_up), (0..300).map(held_up).collect::<Vec<_>>());
    }

    #[test]
    fn a_clock_that_was_ahead_and_is_set_right_is_believed_within_three_seconds() {
        let delays = corrected(60, |tenth| Span::from_millis(if tenth < 300 { -60_000 } else { 30 }));
        assert!(delays[..300].iter().all(|delay| (0.0..0.2).contains(&delay.as_secs())));
        assert!(delays[330..].iter().all(|delay| *delay == Span::from_millis(30)), "{:?}", &delays[325..335]);
        // What is held up and comes faster and faster is none.
        let draining = |tenth: i64| Span::from_millis(if tenth < 300 { -30_000 } else { (tenth - 300) * -700 + 3_000 });
        let delays = corrected(33, draining);
        assert!(delays[300..].iter().all(|delay| 0.0 < delay.as_secs()), "{:?}", &delays[300..]);
    }

    #[test]
    fn a_clock_that_is_set_at_noon_is_believed_again() {
        let stepped = |tenth: i64| Span::from_millis(if tenth < 300 { 60_000 } else { 30 });
        let delays = corrected(60, stepped);
        assert!(delays[150..300].iter().all(|delay| delay.as_secs() < 0.2));
        assert!(delays[420..].iter().all(|delay| *delay == Span::from_millis(30)), "{:?}", &delays[415..430]);
    }
}
