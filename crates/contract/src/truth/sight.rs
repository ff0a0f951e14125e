//! What a rendered frame really shows, and where everybody really was.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::{CameraId, ShopTime, SkuId, VisitId};
use crate::facts::BodyPoint;
use crate::geometry::{Affine, Pixel, PixelBox, Point, World};

/// What one frame really shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FrameTruth {
    /// The camera.
    pub camera: CameraId,
    /// Number of the frame within its camera, as in the frame's stamp.
    pub sequence: u64,
    /// The middle of the exposure on the plates' clock; the frame's own stamp is as wrong as its camera's clock.
    pub at: ShopTime,
    /// Everybody of whom some part lies in the picture, also the hidden, the one whose chest is nearest first.
    pub people: Vec<FrameBody>,
}

/// One person in a frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FrameBody {
    /// Who.
    pub visit: VisitId,
    /// From the camera to the middle of the body along the view, metres.
    pub depth_metres: f64,
    /// Around the whole body, also its hidden parts and those outside the picture.
    pub bounds: PixelBox,
    /// Around the pixels that show the body; `None` when none does.
    pub visible_bounds: Option<PixelBox>,
    /// Part of the pixels of the body in the picture that nothing hides, `0..=1`.
    pub visible_share: f64,
    /// The joints, in the order of [`BodyPoint::ALL`].
    pub keypoints: [PointTruth; BodyPoint::COUNT],
    /// The left and the right corner of the mouth.
    #[serde(default)]
    pub mouth: [PointTruth; 2],
    /// Left and right hand.
    pub hands: [HandTruth; 2],
    /// What lies in the basket, the bag or the arms, one entry a unit.
    pub carries: Vec<SkuId>,
}

impl FrameBody {
    /// The same in the pixels of the frame in another size.
    #[must_use]
    pub fn mapped(mut self, map: &Affine) -> Self {
        let point = |point: &mut PointTruth| point.pixel = point.pixel.map(|pixel| map.apply(pixel));
        self.bounds = map.apply_box(&self.bounds);
        self.visible_bounds = self.visible_bounds.map(|bounds| map.apply_box(&bounds));
        self.keypoints.iter_mut().chain(&mut self.mouth).for_each(point);
        for hand in &mut self.hands {
            point(&mut hand.palm);
            hand.held_bounds = hand.held_bounds.map(|bounds| map.apply_box(&bounds));
        }
        self
    }
}

/// A point of a body in a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PointTruth {
    /// Where it falls; may lie outside the picture. `None` where the lens does not see at all.
    pub pixel: Option<Point<Pixel>>,
    /// Whether it can be seen.
    pub visibility: Visibility,
}

/// Whether a point can be seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Outside the picture.
    #[default]
    Outside,
    /// Behind somebody, something, or the body itself.
    Hidden,
    /// Seen.
    Visible,
}

/// A hand in a frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HandTruth {
    /// The middle of the palm.
    pub palm: PointTruth,
    /// What it holds, one entry a unit.
    pub holds: Vec<SkuId>,
    /// Pixels that show what it holds.
    #[serde(default)]
    pub held_pixels: u32,
    /// Around these pixels; `None` when there are none.
    #[serde(default)]
    pub held_bounds: Option<PixelBox>,
}

/// Where everybody really was at one instant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SceneTruth {
    /// The instant, on the plates' clock.
    pub at: ShopTime,
    /// Everybody inside, by visit.
    pub people: Vec<SceneBody>,
}

/// One person in the world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SceneBody {
    /// Who.
    pub visit: VisitId,
    /// The joints, metres in the world, in the order of [`BodyPoint::ALL`].
    pub joints: [Point<World>; BodyPoint::COUNT],
    /// Middles of the left and the right palm.
    pub palms: [Point<World>; 2],
    /// What the left and the right hand hold, one entry a unit.
    pub holds: [Vec<SkuId>; 2],
    /// What lies in the basket, the bag or the arms, one entry a unit.
    pub carries: Vec<SkuId>,
}
