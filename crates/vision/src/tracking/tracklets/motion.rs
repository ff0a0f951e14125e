//! How a box moves: a Kalman filter (Kalman, 1960) of nearly constant velocity over middle, width and height, as in
//! BoT-SORT (Aharon et al., 2022), with noises as densities over time so that any step of time will do; and the same
//! looking back, once all is known (Rauch, Tung and Striebel, 1965).

use nalgebra::{Matrix2, Vector2};

use crate::base::ShopTime;
use crate::geometry::{Pixel, PixelBox, Point};

/// Standard deviation of a detected edge, in units of the box: one in twenty, as in BoT-SORT.
const MEASURED_NOISE: f64 = 0.05;
/// Variance that place and size gain a second beside their rates, in squares of the box: gait and the camera's shaking.
const PLACE_DENSITY: f64 = 0.02;
/// Variance that the rates gain a second, in squares of boxes a second: within a second somebody who walks changes pace
/// by a third of a height a second, half a metre a second.
const RATE_DENSITY: f64 = 0.1;
/// Standard deviation of the rates of a box seen once, boxes a second: ten in 160 a frame at 30 frames, as in BoT-SORT.
const RATE_NOISE_FIRST: f64 = 1.875;
/// Degrees of freedom of Student's distribution, by which evidence is weighed: a box that takes in a neighbour as well is
/// far off and says little (Lange, Little and Taylor, Robust Statistical Modeling Using the t Distribution, 1989).
const TAIL_FREEDOM: f64 = 2.0;
/// The smallest box that noise is taken from, pixels.
const SIZE_PIXELS_MIN: f64 = 1.0;

/// A box in motion.
#[derive(Clone, Debug)]
pub(super) struct Motion {
    /// Middle across and down, width, height. As their noises are independent, four filters of two numbers are the
    /// filter of all eight.
    axes: [Axis; 4],
    unseen_secs: f64,
}

/// One coordinate and its rate, and how sure they are.
#[derive(Clone, Copy, Debug)]
struct Axis {
    state: Vector2<f64>,
    covariance: Matrix2<f64>,
}

impl Motion {
    /// Of a box seen for the first time.
    pub(super) fn at(bounds: &PixelBox) -> Self {
        let (values, sizes) = (values(bounds), sizes(bounds));
        let axis = |index: usize| {
            let (place, rate) = (2.0 * MEASURED_NOISE * sizes[index], RATE_NOISE_FIRST * sizes[index]);
            let covariance = Matrix2::new(place * place, 0.0, 0.0, rate * rate);
            Axis { state: Vector2::new(values[index], 0.0), covariance }
        };
        Motion { axes: std::array::from_fn(axis), unseen_secs: 0.0 }
    }

    /// The box as it is now taken to be.
    pub(super) fn bounds(&self) -> PixelBox {
        let [x, y, width, height] = self.axes.map(|axis| axis.state.x);
        let (width, height) = (width.max(0.0), height.max(0.0));
        PixelBox::from_size(x - width / 2.0, y - height / 2.0, width, height)
    }

    /// How its middle moves, pixels a second.
    pub(super) fn velocity(&self) -> Point<Pixel> {
        Point::new(self.axes[0].state.y, self.axes[1].state.y, 0.0)
    }

    /// Time passes.
    pub(super) fn predict(&mut self, secs: f64) {
        let sizes = sizes(&self.bounds());
        if 0.0 < self.unseen_secs {
            // The rate of a size at the edge of an occlusion is that of the occlusion.
            self.axes[2].state.y = 0.0;
            self.axes[3].state.y = 0.0;
        }
        for (axis, size) in self.axes.iter_mut().zip(sizes) {
            axis.predict(secs, size);
        }
        self.unseen_secs += secs;
    }

    /// How far off a box is from where this one is taken to be: the square of the distance of Mahalanobis (1936) over
    /// middle, width and height.
    pub(super) fn distance_squared(&self, bounds: &PixelBox) -> f64 {
        self.distances_squared(bounds).iter().sum()
    }

    /// The same of each of the four.
    pub(super) fn distances_squared(&self, bounds: &PixelBox) -> [f64; 4] {
        self.innovations(bounds).map(|(off, variance)| off * off / variance)
    }

    /// How likely a box is where this one is taken to be: the logarithm of its density, but for a constant, with variances
    /// `noise` times as large as they are taken to be.
    pub(super) fn evidence(&self, bounds: &PixelBox, noise: &[f64; 4]) -> f64 {
        let axes = self.innovations(bounds).into_iter().zip(noise);
        axes.map(|((off, variance), noise)| log_density(off * off / (variance * noise), variance * noise, 1.0)).sum()
    }

    /// How likely it is that this motion goes on, `secs` later, as one that was followed against time: the logarithm of the
    /// density at which both are one, as two filters meet (Fraser and Potter, 1969), but for a constant.
    pub(super) fn evidence_of(&self, later: &Motion, secs: f64, noise: &[f64; 4]) -> f64 {
        let mut forth = self.clone();
        forth.predict(secs);
        let axes = forth.axes.iter().zip(&later.axes).zip(noise);
        let evidence = axes.map(|((here, there), noise)| {
            // Seen against time the rate has the other sign.
            let turned = Matrix2::new(1.0, 0.0, 0.0, -1.0);
            let off = here.state - turned * there.state;
            let covariance = (here.covariance + turned * there.covariance * turned) * *noise;
            let Some(inverse) = covariance.try_inverse() else { return f64::NEG_INFINITY };
            log_density(off.dot(&(inverse * off)), covariance.determinant(), 2.0)
        });
        evidence.sum()
    }

    /// Of each of the four how far off a box is, and the variance that this is taken to have.
    fn innovations(&self, bounds: &PixelBox) -> [(f64, f64); 4] {
        let (values, sizes) = (values(bounds), sizes(bounds));
        std::array::from_fn(|index| {
            let (axis, deviation) = (&self.axes[index], MEASURED_NOISE * sizes[index]);
            (values[index] - axis.state.x, axis.covariance[(0, 0)] + deviation * deviation)
        })
    }

    /// It was seen.
    pub(super) fn correct(&mut self, bounds: &PixelBox) {
        let (values, sizes) = (values(bounds), sizes(bounds));
        for ((axis, value), size) in self.axes.iter_mut().zip(values).zip(sizes) {
            axis.correct(value, MEASURED_NOISE * size);
        }
        self.unseen_secs = 0.0;
    }
}

/// Boxes in order of time, or against it, each with the motion that was predicted for it, none for the first, and the
/// motion that it led to.
pub(super) fn follow<'a>(
    boxes: impl Iterator<Item = &'a (ShopTime, PixelBox)>,
) -> impl Iterator<Item = (&'a (ShopTime, PixelBox), Option<Motion>, Motion)> {
    let mut last: Option<(ShopTime, Motion)> = None;
    boxes.map(move |seen| {
        let (at, bounds) = seen;
        let predicted = last.take().map(|(before, mut motion)| {
            motion.predict((*at - before).abs().as_secs());
            motion
        });
        let mut motion = predicted.clone().unwrap_or_else(|| Motion::at(bounds));
        if predicted.is_some() {
            motion.correct(bounds);
        }
        last = Some((*at, motion.clone()));
        (seen, predicted, motion)
    })
}

/// The likeliest boxes at all `times`, given those that were seen; both in order of time, seen ones among the times,
/// and at the first of them.
pub(super) fn smooth(times: &[ShopTime], seen: &[(ShopTime, PixelBox)]) -> Vec<PixelBox> {
    let Some((_, first)) = seen.first() else { return Vec::new() };
    let mut motion = Motion::at(first);
    let mut forward: Vec<(Motion, Motion, f64)> = Vec::with_capacity(times.len());
    let (mut before, mut next) = (None, 0);
    for &at in times {
        let secs = before.map_or(0.0, |before| at.secs_since(before));
        before = Some(at);
        let sizes = sizes(&motion.bounds());
        for (axis, size) in motion.axes.iter_mut().zip(sizes) {
            axis.predict(secs, size);
        }
        let predicted = motion.clone();
        if let Some((_, bounds)) = seen.get(next).filter(|(seen_at, _)| *seen_at == at) {
            motion.correct(bounds);
            next += 1;
        }
        forward.push((predicted, motion.clone(), secs));
    }
    let mut smoothed: Vec<PixelBox> = Vec::with_capacity(times.len());
    let mut later: Option<(Motion, &Motion, f64)> = None;
    for (predicted, filtered, secs) in forward.iter().rev() {
        let mut best = filtered.clone();
        if let Some((after, after_predicted, secs)) = &later {
            for (index, axis) in best.axes.iter_mut().enumerate() {
                axis.look_back(&after.axes[index], &after_predicted.axes[index], *secs);
            }
        }
        smoothed.push(best.bounds());
        later = Some((best, predicted, *secs));
    }
    smoothed.reverse();
    smoothed
}

/// Logarithm of Student's density, but for a constant: of a squared distance in so many dimensions, with the determinant of
/// its covariance.
fn log_density(distance_squared: f64, determinant: f64, dimensions: f64) -> f64 {
    -f64::midpoint(TAIL_FREEDOM, dimensions) * (distance_squared / TAIL_FREEDOM).ln_1p() - determinant.ln() / 2.0
}

fn values(bounds: &PixelBox) -> [f64; 4] {
    let centre = bounds.centre();
    [centre.x, centre.y, bounds.width(), bounds.height()]
}

/// What the noise of each of the four is measured in.
fn sizes(bounds: &PixelBox) -> [f64; 4] {
    let (width, height) = (bounds.width().max(SIZE_PIXELS_MIN), bounds.height().max(SIZE_PIXELS_MIN));
    [width, height, width, height]
}

impl Axis {
    fn predict(&mut self, secs: f64, size: f64) {
        let step = Matrix2::new(1.0, secs, 0.0, 1.0);
        let (place, rate) = (PLACE_DENSITY * size * size, RATE_DENSITY * size * size);
        let cross = rate * secs * secs / 2.0;
        let gained = Matrix2::new(place * secs + rate * secs * secs * secs / 3.0, cross, cross, rate * secs);
        self.state = step * self.state;
        self.covariance = step * self.covariance * step.transpose() + gained;
    }

    fn correct(&mut self, measured: f64, deviation: f64) {
        let gain = self.covariance.column(0) / (self.covariance[(0, 0)] + deviation * deviation);
        self.state += gain * (measured - self.state.x);
        let kept = Matrix2::new(1.0 - gain.x, 0.0, -gain.y, 1.0);
        self.covariance = kept * self.covariance;
    }

    /// Takes in what is known of the time after, which this filter had predicted `secs` ahead.
    fn look_back(&mut self, after: &Axis, predicted: &Axis, secs: f64) {
        let step = Matrix2::new(1.0, secs, 0.0, 1.0);
        let Some(inverse) = predicted.covariance.try_inverse() else { return };
        let gain = self.covariance * step.transpose() * inverse;
        self.state += gain * (after.state - predicted.state);
        self.covariance += gain * (after.covariance - predicted.covariance) * gain.transpose();
    }
}
