//! How far the clocks of the cameras are apart, from the people themselves: a joint that moves and is always seen a little
//! behind where the others say it is, is seen by a camera whose clock is ahead.

use super::person::Lag;
use crate::base::Span;
use crate::base::limits::CLOCK_OFFSET_SPAN_MAX;

/// Joints that move less than this in the picture say nothing of time, pixels a second.
const SPEED_PIXELS_MIN: f64 = 15.0;
/// A lag beyond this is an error of another kind, in deviations of the keypoint.
const LAG_SIGMAS_MAX: f64 = 4.0;
/// Weight of the past at most, one over seconds squared: clocks drift and bodies turn, so the past fades behind four
/// milliseconds.
const MEMORY: f64 = 62_500.0;
/// How sure the clocks are thought to be at first: they agree to a tenth of a second.
const PRIOR_SECS: f64 = 0.1;

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
}

#[derive(Clone, Copy, Debug)]
struct Clock {
    secs: f64,
    /// One over the variance, a second squared.
    weight: f64,
    keypoints: u64,
}

impl Clocks {
    pub(super) fn new(count: usize) -> Self {
        let fresh = Clock { secs: 0.0, weight: 1.0 / (PRIOR_SECS * PRIOR_SECS), keypoints: 0 };
        Clocks { each: vec![fresh; count] }
    }

    /// What to take off a camera's times.
    pub(super) fn offset(&self, camera: usize) -> Span {
        Span::from_secs(self.each[camera].secs - self.mean())
    }

    pub(super) fn residual(&self, camera: usize) -> ClockResidual {
        let clock = self.each[camera];
        let sigma = Span::from_secs(clock.weight.recip().sqrt());
        ClockResidual { offset: self.offset(camera), sigma, keypoints: clock.keypoints }
    }

    fn mean(&self) -> f64 {
        self.each.iter().map(|clock| clock.secs).sum::<f64>() / self.each.len().max(1) as f64
    }

    /// Learns from what one body was off in one frame.
    pub(super) fn learn(&mut self, camera: usize, lags: &[Lag]) {
        let (mut sum, mut total, mut count) = (0.0, 0.0, 0_u64);
        for lag in lags {
            let speed = lag.speed.norm();
            if speed < SPEED_PIXELS_MIN || LAG_SIGMAS_MAX * lag.sigma < lag.off.norm() {
                continue;
            }
            // What was seen lies behind by the speed times what the clock is ahead.
            let secs = -lag.off.dot(&lag.speed) / (speed * speed);
            let worth = (speed / lag.sigma).powi(2);
            (sum, total, count) = (sum + secs * worth, total + worth, count + 1);
        }
        if count == 0 {
            return;
        }
        // The joints of one body share their errors, so that all of them together are worth one.
        let (secs, worth) = (sum / total, total / count as f64);
        let (clock, limit) = (&mut self.each[camera], CLOCK_OFFSET_SPAN_MAX.as_secs());
        clock.weight = (clock.weight + worth).min(MEMORY.max(clock.weight));
        clock.secs = (clock.secs + secs * worth / clock.weight).clamp(-limit, limit);
        clock.keypoints += count;
    }
}
