//! One joint of one body in the world: where it is, how fast it moves, and how sure that is.
//!
//! An extended Kalman filter with constant velocity (Bar-Shalom, Li and Kirubarajan, 2001, chapter 6) whose measurements
//! are pixels of calibrated cameras. One camera alone leaves the distance open, and the covariance says so.

use nalgebra::{Matrix2, Matrix2x3, Matrix3, Matrix6, Matrix6x2, Vector2, Vector3, Vector6};

use crate::geometry::{Camera, Pixel, Point, World};

/// Step of the numeric derivative of a projection, metres.
const DERIVATIVE_METRES: f64 = 1e-3;
/// Time in which a joint that nobody sees comes to rest, seconds.
const REST_SECS: f64 = 2.0;
/// Uncertainty beyond which nothing more is lost, metres.
const SIGMA_METRES_MAX: f64 = 1.5;

/// Squared Mahalanobis distance beyond which a pixel counts the less, the further it is off: one in seven goes beyond.
const USUAL: f64 = 4.0;

/// State of a joint.
#[derive(Clone, Debug)]
pub(super) struct JointFilter {
    /// Position and velocity, metres and metres a second.
    state: Vector6<f64>,
    covariance: Matrix6<f64>,
}

/// What a camera should see of a joint.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    /// Where, pixels.
    pub(super) pixel: Vector2<f64>,
    /// How it moves there when the joint moves, pixels a metre.
    pub(super) slope: Matrix2x3<f64>,
    /// How far it may be from there because joint and clock are not known better, square pixels.
    pub(super) spread: Matrix2<f64>,
}

impl JointFilter {
    /// A joint somewhere, at rest as far as anybody knows.
    pub(super) fn new(position: Point<World>, covariance: Matrix3<f64>, speed_sigma: f64) -> Self {
        let mut whole = Matrix6::zeros();
        whole.fixed_view_mut::<3, 3>(0, 0).copy_from(&covariance);
        whole.fixed_view_mut::<3, 3>(3, 3).copy_from(&(Matrix3::identity() * speed_sigma * speed_sigma));
        let state = Vector6::new(position.x, position.y, position.z, 0.0, 0.0, 0.0);
        JointFilter { state, covariance: whole }
    }

    pub(super) fn position(&self) -> Point<World> {
        Point::new(self.state[0], self.state[1], self.state[2])
    }

    pub(super) fn velocity(&self) -> Vector3<f64> {
        self.state.fixed_rows::<3>(3).into_owned()
    }

    pub(super) fn position_covariance(&self) -> Matrix3<f64> {
        self.covariance.fixed_view::<3, 3>(0, 0).into_owned()
    }

    /// The longest half axis of the ellipsoid of one standard deviation, metres, from above.
    pub(super) fn sigma_metres(&self) -> f64 {
        self.position_covariance().trace().max(0.0).sqrt()
    }

    /// Lets the joint be elsewhere by a deviation.
    pub(super) fn loosen(&mut self, metres: f64) {
        (0..3).for_each(|axis| self.covariance[(axis, axis)] += metres * metres);
    }

    /// Moves on by `secs`, also backwards; `jolt` is the spread of accelerations, metres a second squared.
    pub(super) fn predict(&mut self, secs: f64, jolt: f64) {
        let mut step = Matrix6::identity();
        let keep = (-secs.abs() / REST_SECS).exp();
        // What moves now rests soon: the way that is left is the speed times the time in which it decays.
        let way = secs.signum() * REST_SECS * (1.0 - keep);
        for axis in 0..3 {
            step[(axis, axis + 3)] = way;
            step[(axis + 3, axis + 3)] = keep;
        }
        self.state = step * self.state;
        self.covariance = step * self.covariance * step.transpose();
        let (time, variance) = (secs.abs(), jolt * jolt);
        for axis in 0..3 {
            self.covariance[(axis, axis)] += variance * time.powi(4) / 4.0;
            self.covariance[(axis, axis + 3)] += variance * secs * time.powi(2) / 2.0;
            self.covariance[(axis + 3, axis)] += variance * secs * time.powi(2) / 2.0;
            self.covariance[(axis + 3, axis + 3)] += variance * time.powi(2);
            let limit = SIGMA_METRES_MAX * SIGMA_METRES_MAX;
            if limit < self.covariance[(axis, axis)] {
                let shrink = (limit / self.covariance[(axis, axis)]).sqrt();
                for other in 0..6 {
                    self.covariance[(axis, other)] *= shrink;
                    self.covariance[(other, axis)] *= shrink;
                }
            }
        }
    }

    /// What a camera should see whose clock is off by a deviation of `clock_secs`; `None` where it cannot see the joint.
    pub(super) fn expected(&self, camera: &Camera, clock_secs: f64) -> Option<Expected> {
        let at = |point: Point<World>| camera.pixel_from_world(point).map(|pixel: Point<Pixel>| [pixel.x, pixel.y]);
        let here = self.position();
        let pixel = Vector2::from(at(here)?);
        let mut slope = Matrix2x3::zeros();
        for (axis, way) in [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]].into_iter().enumerate() {
            let beside = here + Point::new(way[0], way[1], way[2]) * DERIVATIVE_METRES;
            slope.set_column(axis, &((Vector2::from(at(beside)?) - pixel) / DERIVATIVE_METRES));
        }
        // What moves is elsewhere by the time that the clock is off. That is no error of the joint, but one of what is seen.
        let velocity = self.velocity();
        let speeds = velocity * velocity.transpose() + self.covariance.fixed_view::<3, 3>(3, 3);
        let spread = slope * (self.position_covariance() + speeds * (clock_secs * clock_secs)) * slope.transpose();
        Some(Expected { pixel, slope, spread })
    }

    /// Takes a pixel in; `sigma` is its own error, pixels. Answers the squared Mahalanobis distance of what it was off;
    /// a pixel further off than `gate` changes nothing.
    pub(super) fn update(&mut self, expected: &Expected, seen: Vector2<f64>, sigma: f64, gate: f64) -> f64 {
        let off = seen - expected.pixel;
        let spread = |noise: f64| (expected.spread + Matrix2::identity() * noise).try_inverse();
        let Some(inverse) = spread(sigma * sigma) else { return f64::INFINITY };
        let distance = (off.transpose() * inverse * off)[0];
        if distance.is_nan() || gate < distance {
            return f64::INFINITY;
        }
        // Networks err by much more often than a Gaussian does.
        let Some(inverse) = spread(sigma * sigma * (distance / USUAL).max(1.0)) else { return f64::INFINITY };
        let gain: Matrix6x2<f64> = self.covariance.fixed_columns::<3>(0) * expected.slope.transpose() * inverse;
        self.state += gain * off;
        let lost = gain * expected.slope * self.covariance.fixed_rows::<3>(0);
        self.covariance -= lost;
        self.covariance = (self.covariance + self.covariance.transpose()) * 0.5;
        distance
    }

    /// Moves the joint along a direction of length 1 as a measurement of that coordinate would, `off` metres away with
    /// variance `variance`, of a share of the whole doubt that is this joint's.
    pub(super) fn nudge(&mut self, way: Vector3<f64>, off: f64, total_variance: f64) {
        let mut row = Vector6::zeros();
        row.fixed_rows_mut::<3>(0).copy_from(&way);
        let gain = self.covariance * row / total_variance;
        self.state += gain * off;
        self.covariance -= gain * (row.transpose() * self.covariance);
        self.covariance = (self.covariance + self.covariance.transpose()) * 0.5;
    }
}
