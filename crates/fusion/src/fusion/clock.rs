//! How far the people's clock is from the plates': a posterior over a grid of constant offsets.
//!
//! A hand that takes rests on the goods before they leave and goes with them; a hand that puts comes with them and may
//! rest after. So what tells the time is the end of the stay for a take and its beginning for a return: the other
//! edge may be seconds away.

use serde::{Deserialize, Serialize};

use super::model;
use super::people::{Goods, People, Profile, RASTER};
use crate::base::limits::CLOCK_OFFSET_SPAN_MAX;
use crate::base::{Span, TimeRange};
use crate::facts::ClockEstimate;

/// Standard deviation of the offset before anything was seen.
const PRIOR_SIGMA: Span = Span::from_millis(180);
/// How far clocks drift apart over a restart, and the share of restarts after which they were set.
const DRIFT_SIGMA: Span = Span::from_millis(40);
const SET_SHARE: f64 = 0.2;
/// The edge of a hand's stay comes this much after a take, or before a return, and how much that varies.
const EDGE_LAG_SECS: f64 = 0.33;
const EDGE_SIGMA_SECS: f64 = 0.16;
/// Share of steps whose hand does something else, such as a second grab in one stay.
const STRAY_SHARE: f64 = 0.5;
/// A hand nearer than this stays.
const STAY_NEARNESS: f64 = 0.4;
/// How far around a step a stay is looked for.
const STAY_REACH: Span = Span::from_millis(1_400);

/// The posterior.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Clock {
    /// Log posterior per offset, from the most negative on, in steps of the raster.
    log: Vec<f64>,
    events: u32,
}

/// How many raster steps fit on one side of zero.
pub(super) const HALF: usize = (CLOCK_OFFSET_SPAN_MAX.as_nanos() / RASTER.as_nanos()) as usize;

impl Clock {
    pub(super) fn new() -> Self {
        let prior = |index: usize| {
            let off = (index as f64 - HALF as f64) * RASTER.as_secs();
            -0.5 * (off / PRIOR_SIGMA.as_secs()).powi(2)
        };
        Clock { log: (0..=2 * HALF).map(prior).collect(), events: 0 }
    }

    /// What is believed where the offset was known before a restart: probably it is what it was, within what clocks drift, or it was set.
    pub(super) fn recalled(offset: Span, sigma: Span) -> Self {
        let fresh = Clock::new();
        let sigma = sigma.as_secs().hypot(DRIFT_SIGMA.as_secs());
        let known = |(index, log): (usize, &f64)| {
            let off = (index as f64 - HALF as f64) * RASTER.as_secs() - offset.as_secs();
            let set = log - PRIOR_SIGMA.as_secs().ln();
            model::mix(&[(1.0 - SET_SHARE, -0.5 * (off / sigma).powi(2) - sigma.ln()), (SET_SHARE, set)])
        };
        let log = fresh.log.iter().enumerate().map(known).collect();
        Clock { log, events: 0 }
    }

    /// Learns from goods that moved within `span` (plates' clock), taken away or put.
    pub(super) fn learn(&mut self, goods: &Goods<'_>, span: TimeRange, taken: bool, people: &People) {
        let range = span.widened(STAY_REACH);
        let edge = |profile: &Profile| {
            let (start, end) = stay(&profile.nearness, range, span)?;
            // Seconds from the goods' movement to the hand's edge, at offset zero.
            let late = match taken {
                true => (range.start + RASTER * end as i64).secs_since(span.end),
                false => span.start.secs_since(range.start + RASTER * start as i64),
            };
            Some(if taken { late } else { -late })
        };
        let edges: Vec<f64> = people.profiles(goods, range).iter().filter_map(edge).collect();
        if edges.is_empty() {
            return;
        }
        let lag = if taken { EDGE_LAG_SECS } else { -EDGE_LAG_SECS };
        let share = (1.0 - STRAY_SHARE) / edges.len() as f64;
        for (index, log) in self.log.iter_mut().enumerate() {
            let offset = (index as f64 - HALF as f64) * RASTER.as_secs();
            let mut parts: Vec<(f64, f64)> =
                edges.iter().map(|edge| (share, model::gauss(edge + offset - lag, EDGE_SIGMA_SECS))).collect();
            parts.push((STRAY_SHARE, -(2.0 * STAY_REACH.as_secs()).ln()));
            *log += model::mix(&parts);
        }
        let top = self.log.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        self.log.iter_mut().for_each(|log| *log -= top);
        self.events += 1;
    }

    /// Probability of each offset.
    pub(super) fn weights(&self) -> Vec<f64> {
        let weights: Vec<f64> = self.log.iter().map(|log| log.exp()).collect();
        let sum: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / sum).collect()
    }

    /// Changes of weight that it learned from.
    pub(super) fn events(&self) -> u32 {
        self.events
    }

    pub(super) fn estimate(&self) -> ClockEstimate {
        let weights = self.weights();
        let offset = |index: usize| (index as f64 - HALF as f64) * RASTER.as_secs();
        let mean: f64 = weights.iter().enumerate().map(|(index, weight)| weight * offset(index)).sum();
        let variance: f64 =
            weights.iter().enumerate().map(|(index, weight)| weight * (offset(index) - mean).powi(2)).sum();
        ClockEstimate {
            offset: Span::from_secs(mean),
            sigma: Span::from_secs(variance.sqrt().max(RASTER.as_secs() / 12f64.sqrt())),
            events: self.events,
        }
    }
}

/// First and last raster point of the stay that is nearest to `span`; `None` when there is none, or it has no ends
/// within `range`.
fn stay(nearness: &[f64], range: TimeRange, span: TimeRange) -> Option<(usize, usize)> {
    let index_at = |at: crate::base::ShopTime| (at - range.start).as_nanos() / RASTER.as_nanos();
    let (from, to) = (index_at(span.start), index_at(span.end));
    let distance = |index: usize| (from - index as i64).max(index as i64 - to).max(0);
    let near = |index: &usize| STAY_NEARNESS <= nearness[*index];
    let nearest = (0..nearness.len()).filter(near).min_by_key(|index| distance(*index))?;
    let start = (0..=nearest).rev().take_while(near).last()?;
    let end = (nearest..nearness.len()).take_while(near).last()?;
    (0 < start && end + 1 < nearness.len()).then_some((start, end))
}
