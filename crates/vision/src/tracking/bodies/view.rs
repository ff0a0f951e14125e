//! How a camera looks, and what it saw of one body lately, as rays.

use std::collections::VecDeque;

use nalgebra::Vector3;

use super::reach::Front;
use crate::base::{ShopTime, Span};
use crate::facts::BodyPoint;
use crate::geometry::Camera;
use crate::tracking::looks::Looks;

/// Looks of one camera that are kept: most of a second of ten frames a second.
const GLIMPSES_MAX: usize = 8;
/// Two looks of one camera further apart than this do not say what was between them.
const BETWEEN_SPAN_MAX: Span = Span::from_millis(350);

/// A camera that looks at an instant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Eye<'a> {
    /// Its number among the cameras.
    pub(super) number: usize,
    pub(super) camera: &'a Camera,
    /// How far its clock may be off: standard deviation, seconds.
    pub(super) clock_secs: f64,
    /// What looks are worth.
    pub(super) looks: Looks,
    /// The shelves around.
    pub(super) fronts: &'a [Front],
}

/// The way from a camera to a joint.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ray {
    /// Of length 1, in the world.
    pub(super) way: Vector3<f64>,
    /// How sure it is: standard deviation, radians.
    pub(super) radians: f64,
}

/// What was seen in one frame.
#[derive(Clone, Debug)]
pub(super) struct Glimpse {
    /// On the camera's own clock.
    pub(super) at: ShopTime,
    pub(super) rays: [Option<Ray>; BodyPoint::COUNT],
}

/// The last looks of one camera, in order of time.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    glimpses: VecDeque<Glimpse>,
}

impl View {
    /// Takes one more look; the oldest goes. One that is not later than the last begins anew: a clock was set back.
    pub(super) fn push(&mut self, glimpse: Glimpse) {
        if self.glimpses.back().is_some_and(|last| glimpse.at <= last.at) {
            self.glimpses.clear();
        }
        if GLIMPSES_MAX <= self.glimpses.len() {
            self.glimpses.pop_front();
        }
        self.glimpses.push_back(glimpse);
    }

    /// The last three looks, if they are near each other.
    pub(super) fn last_three(&self) -> Option<[&Glimpse; 3]> {
        let first = self.glimpses.len().checked_sub(3)?;
        let looks = [self.glimpses.get(first)?, self.glimpses.get(first + 1)?, self.glimpses.get(first + 2)?];
        (looks[2].at - looks[0].at < BETWEEN_SPAN_MAX + BETWEEN_SPAN_MAX).then_some(looks)
    }

    /// The looks before and after an instant of the camera's own clock, if they are near each other.
    pub(super) fn around(&self, at: ShopTime) -> Option<[&Glimpse; 2]> {
        let after = self.glimpses.iter().position(|glimpse| at <= glimpse.at)?;
        let looks = [self.glimpses.get(after.checked_sub(1)?)?, self.glimpses.get(after)?];
        (looks[1].at - looks[0].at < BETWEEN_SPAN_MAX).then_some(looks)
    }
}
