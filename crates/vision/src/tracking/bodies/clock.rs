//! How far the clocks of the cameras are apart, from the people themselves.
//!
//! Two rays to one joint meet, if both are of one instant. Where the joint moves and a clock is off they pass each other,
//! by the speed times the time between. So each two cameras that see one body give an equation about the difference of
//! their clocks, which no filter has smoothed and no guess about the distance has touched; all equations together, as a
//! network of levels between pairs is adjusted in surveying, give each clock against their mean, and how sure that is.

use std::collections::BTreeMap;

use nalgebra::{DMatrix, DVector, Vector3};

use super::view::{Glimpse, View};
use crate::base::limits::CLOCK_OFFSET_SPAN_MAX;
use crate::base::{ShopTime, Span};
use crate::facts::BodyPoint;
use crate::geometry::{Camera, Point, World};

/// How far clocks are apart before anybody has seen anything: standard deviation, seconds.
const PRIOR_SECS: f64 = 0.15;
/// How far two cameras' joints are apart in one body: what one sees as a shoulder lies elsewhere from the side, metres.
const VIEW_METRES: f64 = 0.03;
/// Rays nearer to parallel than this say nothing, the sine of their angle.
const PARALLEL_SINE_MIN: f64 = 0.15;
/// What bodies are off by stays the same for about a quarter of a second, in which two cameras of ten frames a second
/// compare them five times: the share of each that is news.
const NEWS: f64 = 0.2;
/// Squared deviations at which an equation counts half: it may be of two people.
const DOUBTFUL: f64 = 4.0;
/// Clocks drift: what is known of them fades to a third in this time, seconds.
const MEMORY_SECS: f64 = 120.0;
/// How often the clocks are set anew, seconds.
const SETTLE_SECS: f64 = 0.5;

/// How far a camera's clock is from the mean of all cameras, by what it rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClockResidual {
    /// What the camera's clock shows more than the mean of all; positive for a clock that is ahead.
    pub offset: Span,
    /// Standard deviation of that.
    pub sigma: Span,
    /// Keypoints it rests on.
    pub keypoints: u64,
}

/// The clocks of all cameras.
#[derive(Clone, Debug)]
pub(super) struct Clocks {
    each: Vec<Clock>,
    /// What is known of the differences of two, by the earlier and the later camera.
    pairs: BTreeMap<(usize, usize), Pair>,
    settled: Option<ShopTime>,
}

#[derive(Clone, Copy, Debug)]
struct Clock {
    secs: f64,
    sigma_secs: f64,
    keypoints: u64,
}

/// What the first clock is ahead of the second, as sums of equations `rate * seconds = -off`, each multiplied by the rate as
/// the other camera has it and divided by its variance.
#[derive(Clone, Copy, Debug, Default)]
struct Pair {
    /// Of both rates, one over seconds squared.
    rates: f64,
    /// Of the other camera's rate with itself: what the noise of the equations is multiplied by.
    squares: f64,
    /// Of the differences of the clocks, one over seconds.
    sum: f64,
}

impl Pair {
    /// One over the variance of the difference, a second squared, and the difference in seconds. Where both cameras see
    /// hardly more than noise, their rates do not agree, and it says little.
    fn difference(&self) -> Option<(f64, f64)> {
        (0.0 < self.rates).then(|| (self.rates * self.rates / self.squares, self.sum / self.rates))
    }
}

impl Clocks {
    pub(super) fn new(count: usize) -> Self {
        let sigma_secs = PRIOR_SECS * (1.0 - 1.0 / count.max(1) as f64).sqrt();
        let each = vec![Clock { secs: 0.0, sigma_secs, keypoints: 0 }; count];
        Clocks { each, pairs: BTreeMap::new(), settled: None }
    }

    /// What to take off a camera's times.
    pub(super) fn offset(&self, camera: usize) -> Span {
        Span::from_secs(self.each[camera].secs)
    }

    /// How sure that is, seconds.
    pub(super) fn sigma_secs(&self, camera: usize) -> f64 {
        self.each[camera].sigma_secs
    }

    pub(super) fn residual(&self, camera: usize) -> ClockResidual {
        let clock = self.each[camera];
        let (offset, sigma) = (Span::from_secs(clock.secs), Span::from_secs(clock.sigma_secs));
        ClockResidual { offset, sigma, keypoints: clock.keypoints }
    }

    /// Compares the last look but one of a camera at a body, whose motion is known by now, with what the others saw just
    /// before and after it.
    pub(super) fn compare(
        &mut self,
        cameras: &[Camera],
        camera: usize,
        views: &BTreeMap<usize, View>,
        body: Point<World>,
    ) {
        let Some(looks) = views.get(&camera).and_then(View::last_three) else { return };
        let at = looks[1].at - self.offset(camera);
        for (&other, view) in views.iter().filter(|(other, _)| **other != camera) {
            let theirs = self.offset(other);
            if let Some(around) = view.around(at + theirs) {
                let share = (at + theirs).secs_since(around[0].at) / around[1].at.secs_since(around[0].at);
                self.weigh(cameras, [camera, other], looks, around, share, body);
            }
        }
    }

    /// Adds one equation: by how much the rays of two cameras pass each other at one instant. The speed by which is
    /// divided must not have the noise of what is divided: the one is measured by one camera, the other by the other one,
    /// and both multiply to the square without their noises' squares (Reiersol, 1941: instrumental variables).
    fn weigh(
        &mut self,
        cameras: &[Camera],
        [first, second]: [usize; 2],
        [before, now, after]: [&Glimpse; 3],
        around: [&Glimpse; 2],
        share: f64,
        body: Point<World>,
    ) {
        let eyes = [first, second].map(|number| cameras[number].pose().position);
        let (apart, far) = (vector(eyes[1] - eyes[0]), eyes.map(|eye| eye.distance(body)));
        let doubt = self.each[first].sigma_secs.powi(2) + self.each[second].sigma_secs.powi(2);
        let spans = [after.at.secs_since(before.at), around[1].at.secs_since(around[0].at)];
        let (mut added, mut count) = (Pair::default(), 0_u32);
        let difference = self.each[second].secs - self.each[first].secs;
        for joint in 0..BodyPoint::COUNT {
            let of = |glimpse: &Glimpse| glimpse.rays[joint];
            let (Some(early), Some(ray), Some(late)) = (of(before), of(now), of(after)) else { continue };
            let (Some(left), Some(right)) = (of(around[0]), of(around[1])) else { continue };
            let between = left.way.lerp(&right.way, share);
            let passings = [(ray, left.way), (ray, right.way), (early, between), (late, between)]
                .map(|(one, other)| passing(apart, one.way, other));
            let [Some(from), Some(to), Some(early), Some(late)] = passings else { continue };
            let off = from + (to - from) * share;
            // A joint that both see keeps the rays together: as the one goes, the other comes.
            let (theirs, ours) = ((to - from) / spans[1], (early - late) / spans[0]);
            let variance = (far[0] * ray.radians).powi(2) + (far[1] * left.radians).powi(2) + VIEW_METRES * VIEW_METRES;
            // What passes by more than noise and clocks explain is another joint, or another person.
            let trust = NEWS / (1.0 + off * off / (variance + ours * ours * doubt) / DOUBTFUL) / variance;
            added.rates += trust * ours * theirs;
            added.squares += trust * ours * ours;
            added.sum += trust * ours * (theirs * difference - off);
            count += 1;
        }
        if count == 0 {
            return;
        }
        // The joints of one body share their errors, so that all of them together are worth one.
        let (turn, share) = (if second < first { 1.0 } else { -1.0 }, f64::from(count).recip());
        let pair = self.pairs.entry((first.min(second), first.max(second))).or_default();
        pair.rates += share * added.rates;
        pair.squares += share * added.squares;
        pair.sum += turn * share * added.sum;
        [first, second].into_iter().for_each(|number| self.each[number].keypoints += u64::from(count));
    }

    /// Sets the clocks by all that is known, if that was not done just before.
    pub(super) fn settle(&mut self, at: ShopTime) {
        let secs = self.settled.map_or(f64::INFINITY, |before| at.secs_since(before).abs());
        if secs < SETTLE_SECS || self.pairs.is_empty() {
            return;
        }
        if self.settled.replace(at).is_some() {
            let kept = (-secs / MEMORY_SECS).exp();
            for pair in self.pairs.values_mut() {
                *pair = Pair { rates: pair.rates * kept, squares: pair.squares * kept, sum: pair.sum * kept };
            }
        }
        let count = self.each.len();
        let mut normal = DMatrix::identity(count, count) / (PRIOR_SECS * PRIOR_SECS);
        let mut right = DVector::zeros(count);
        for (&(first, second), pair) in &self.pairs {
            let Some((weight, difference)) = pair.difference() else { continue };
            normal[(first, first)] += weight;
            normal[(second, second)] += weight;
            normal[(first, second)] -= weight;
            normal[(second, first)] -= weight;
            right[first] += weight * difference;
            right[second] -= weight * difference;
        }
        let Some(solved) = normal.cholesky() else { return };
        let (secs, covariance) = (solved.solve(&right), solved.inverse());
        let (mean, whole) = (secs.mean(), covariance.mean());
        let limit = CLOCK_OFFSET_SPAN_MAX.as_secs();
        for (number, clock) in self.each.iter_mut().enumerate() {
            clock.secs = (secs[number] - mean).clamp(-limit, limit);
            // Against the mean, which is made of the same clocks.
            let variance = covariance[(number, number)] - 2.0 * covariance.column(number).mean() + whole;
            clock.sigma_secs = variance.max(0.0).sqrt();
        }
    }
}

/// By how much two rays from eyes so far apart pass each other, metres; `None` where they are all but parallel.
fn passing(apart: Vector3<f64>, one: Vector3<f64>, other: Vector3<f64>) -> Option<f64> {
    let normal = one.cross(&other);
    let sine = normal.norm();
    (PARALLEL_SINE_MIN < sine).then(|| apart.dot(&normal) / sine)
}

fn vector(point: Point<World>) -> Vector3<f64> {
    Vector3::new(point.x, point.y, point.z)
}
