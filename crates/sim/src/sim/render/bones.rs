//! Where the joints of a figure are, for whatever is drawn around them.

use glam::Vec3;

use super::lens::vec3;
use crate::facts::BodyPoint;
use crate::sim::figure::Figure;

/// The height for which the measures below are, metres.
const HEIGHT_METRES: f32 = 1.72;

/// A figure for drawing: joints as vectors, and the scale of the body.
pub(super) struct Bones<'a> {
    pub(super) figure: &'a Figure,
    pub(super) scale: f32,
}

impl<'a> Bones<'a> {
    pub(super) fn of(figure: &'a Figure) -> Self {
        Bones { figure, scale: figure.height as f32 / HEIGHT_METRES }
    }

    pub(super) fn joint(&self, point: BodyPoint) -> Vec3 {
        vec3(self.figure.joints[point as usize])
    }

    pub(super) fn pair(&self, left: BodyPoint, right: BodyPoint) -> [Vec3; 2] {
        [self.joint(left), self.joint(right)]
    }
}
