//! What the bar for review buys: the share of receipts that a person looks at against those that are wrong and nobody
//! looks at, for one bar after the other. Takes counted cases; gives a curve, and the bar that costs least. Which
//! receipts a bar sends to review is decided elsewhere, by [`facts::Receipt::concerns`](crate::facts::Receipt::concerns).

use serde::Serialize;

use super::bootstrap::Interval;
use super::review::{BARS, ReviewCount};
use super::score::CaseScore;
use super::share::Share;
use crate::base::Prob;

/// What a look costs, as a share of what a wrong receipt costs that nobody looked at, where nobody says.
pub const REVIEW_COST: f64 = 0.1;

/// The curve.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Frontier {
    /// What a look costs, as a share of what a wrong receipt costs that nobody looked at.
    pub review_cost: f64,
    /// The bar of the shop; `None` where cases have several.
    pub own_bar: Option<Prob>,
    /// The bar whose cost is least, the lowest of several; `None` without receipts.
    pub cheapest_bar: Option<Prob>,
    /// Receipts that are marked: for review at every bar, of all written.
    pub marked: Share,
    /// The points, by bar. Of neighbouring bars that do the same the lowest stands here, and always the shop's.
    pub points: Vec<FrontierPoint>,
}

/// What one bar does.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FrontierPoint {
    /// The bar: the value of `policy.review_probability_min` in a shop's file.
    pub bar: Prob,
    /// Receipts that a person looks at, of all written.
    pub review: Share,
    /// Its 95 % interval (Wilson 1927), receipts taken as independent; `None` of nothing. So are the others here.
    pub review_interval: Option<Interval>,
    /// Wrong receipts that nobody looks at, of all judged.
    pub wrong_unreviewed: Share,
    /// Its interval.
    pub wrong_interval: Option<Interval>,
    /// Exact receipts among those that nobody looks at.
    pub exact_unreviewed: Share,
    /// Its interval.
    pub exact_interval: Option<Interval>,
    /// Mean cost of a receipt, in wrong receipts that nobody looked at. Whoever looks is taken to be right.
    pub cost: f64,
}

impl Frontier {
    pub(super) fn of<'a>(scores: impl Iterator<Item = &'a CaseScore> + Clone, review_cost: f64) -> Self {
        let judged = scores.clone().map(|score| score.receipts.len() as u64).sum();
        let sum =
            |at: &dyn Fn(&CaseScore) -> Option<ReviewCount>| scores.clone().filter_map(at).reduce(ReviewCount::plus);
        let own = sum(&|score| Some(score.review));
        let mut bars = scores.clone().map(|score| score.review.bar);
        let own_bar = bars.next().filter(|first| bars.all(|bar| bar == *first));
        let tried = (0..BARS.len()).filter_map(|index| sum(&|score| score.review_at.get(index).copied()));
        let mut counts: Vec<ReviewCount> = tried.filter(|count| Some(count.bar) != own_bar).collect();
        counts.extend(own.filter(|count| Some(count.bar) == own_bar));
        counts.sort_by(|a, b| a.bar.value().total_cmp(&b.bar.value()));
        let mut kept: Vec<ReviewCount> = Vec::new();
        for count in counts {
            let same = kept.last().is_some_and(|last| count == ReviewCount { bar: count.bar, ..*last });
            if !same || Some(count.bar) == own_bar {
                kept.push(count);
            }
        }
        let marked = own.map_or_else(Share::default, |own| Share::new(own.marked, own.receipts));
        let points = kept.iter().filter(|_| 0 < judged).map(|count| FrontierPoint::of(count, judged)).collect();
        Frontier { review_cost, own_bar, cheapest_bar: None, marked, points }.priced(review_cost)
    }

    /// The point of the shop's bar.
    pub(super) fn own(&self) -> Option<&FrontierPoint> {
        self.points.iter().find(|point| Some(point.bar) == self.own_bar)
    }

    /// The point that costs least.
    pub(super) fn cheapest(&self) -> Option<&FrontierPoint> {
        self.points.iter().find(|point| Some(point.bar) == self.cheapest_bar)
    }

    /// The same curve where a look costs this share of a wrong receipt, 0 or more.
    pub(super) fn priced(mut self, review_cost: f64) -> Self {
        self.review_cost = review_cost;
        for point in &mut self.points {
            let share = |share: Share| share.share.unwrap_or(0.0);
            point.cost = review_cost * share(point.review) + share(point.wrong_unreviewed);
        }
        let cheapest = self.points.iter().min_by(|a, b| a.cost.total_cmp(&b.cost));
        self.cheapest_bar = cheapest.map(|point| point.bar);
        self
    }
}

impl FrontierPoint {
    fn of(count: &ReviewCount, judged: u64) -> Self {
        let review = Share::new(count.for_review, count.receipts);
        let wrong = Share::new(count.wrong_unreviewed, judged);
        let exact = Share::new(count.exact_unreviewed, count.exact_unreviewed + count.wrong_unreviewed);
        FrontierPoint {
            bar: count.bar,
            review,
            review_interval: review.interval(),
            wrong_unreviewed: wrong,
            wrong_interval: wrong.interval(),
            exact_unreviewed: exact,
            exact_interval: exact.interval(),
            cost: 0.0,
        }
    }
}
