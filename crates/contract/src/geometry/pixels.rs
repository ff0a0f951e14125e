//! The picture plane: points in pixels and upright boxes around things seen.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Point, Space};

/// The plane of a picture: x to the right, y down, in pixels; the middle of the top left pixel is (0.5, 0.5). z is 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pixel;

impl Space for Pixel {}

/// An upright box in a picture, in pixels; it may reach over the picture's edge.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PixelBox {
    /// Left edge.
    pub left: f64,
    /// Upper edge.
    pub top: f64,
    /// Right edge; not less than `left`.
    pub right: f64,
    /// Lower edge; not less than `top`.
    pub bottom: f64,
}

impl PixelBox {
    /// From the left upper corner and the size, as MOTChallenge and COCO write boxes.
    pub const fn from_size(left: f64, top: f64, width: f64, height: f64) -> Self {
        PixelBox { left, top, right: left + width, bottom: top + height }
    }

    /// Width, pixels.
    pub const fn width(&self) -> f64 {
        self.right - self.left
    }

    /// Height, pixels.
    pub const fn height(&self) -> f64 {
        self.bottom - self.top
    }

    /// Area, square pixels.
    pub const fn area(&self) -> f64 {
        self.width() * self.height()
    }

    /// The middle.
    pub const fn centre(&self) -> Point<Pixel> {
        Point::new((self.left + self.right) / 2.0, (self.top + self.bottom) / 2.0, 0.0)
    }

    /// The middle of the lower edge: where somebody who stands touches the floor.
    pub const fn foot(&self) -> Point<Pixel> {
        Point::new((self.left + self.right) / 2.0, self.bottom, 0.0)
    }

    /// The part that both cover; `None` where they do not touch.
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        let common = PixelBox {
            left: self.left.max(other.left),
            top: self.top.max(other.top),
            right: self.right.min(other.right),
            bottom: self.bottom.min(other.bottom),
        };
        (common.left < common.right && common.top < common.bottom).then_some(common)
    }

    /// The smallest box that holds both.
    #[must_use]
    pub fn hull(&self, other: &Self) -> Self {
        PixelBox {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    /// Intersection over union (the Jaccard index), `0..=1`.
    pub fn iou(&self, other: &Self) -> f64 {
        let common = self.intersection(other).map_or(0.0, |common| common.area());
        let union = self.area() + other.area() - common;
        if 0.0 < union { common / union } else { 0.0 }
    }

    /// Whether every edge is a finite number and the box is not inside out.
    pub fn is_well_formed(&self) -> bool {
        let finite = [self.left, self.top, self.right, self.bottom].iter().all(|edge| edge.is_finite());
        finite && self.left <= self.right && self.top <= self.bottom
    }
}
