//! Shelves, plates, facings and zones in space.

use super::ZoneKind;
use crate::base::limits::FRAME_SCALE_MAX;
use crate::base::{CameraId, PlateId, ShelfId, SkuId};
use crate::geometry::{self, Affine, Floor, Placement, Point};

/// A shelf board with its plates.
#[derive(Clone, Debug, PartialEq)]
pub struct Shelf {
    /// Its name.
    pub id: ShelfId,
    /// Left front corner of the board's surface; x runs right along the front, y into the depth.
    pub placement: Placement,
    /// Depth in metres.
    pub depth_metres: f64,
    /// Free height above the board in metres.
    pub clearance_metres: f64,
    /// The plates, from left to right.
    pub plates: Vec<Plate>,
    /// What should stand where; a plate belongs to one facing at most.
    pub facings: Vec<Facing>,
}

/// A weight plate; it spans the depth of its shelf.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plate {
    /// Its name.
    pub id: PlateId,
    /// Left edge in the shelf's frame, metres.
    pub left_metres: f64,
    /// Width, metres.
    pub width_metres: f64,
}

/// A place of one product.
#[derive(Clone, Debug, PartialEq)]
pub struct Facing {
    /// The product, or none for a place left empty.
    pub sku: Option<SkuId>,
    /// The plates, from left to right; at least one.
    pub plates: Vec<PlateId>,
}

/// A part of the floor.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: ZoneKind,
    /// Corners, in order around it; at least three.
    pub polygon: Vec<Point<Floor>>,
}

/// The walls around the floor.
#[derive(Clone, Debug, PartialEq)]
pub struct Room {
    /// Corners, in order around it; at least three.
    pub polygon: Vec<Point<Floor>>,
    /// From the floor to the ceiling, metres.
    pub height_metres: f64,
}

/// A camera of the shop.
#[derive(Clone, Debug, PartialEq)]
pub struct Camera {
    /// Its name.
    pub id: CameraId,
    /// Width and height of its frames, pixels.
    pub size_pixels: [u32; 2],
    /// Frames a second.
    pub rate_hertz: f64,
    /// How it projects.
    pub view: geometry::Camera,
}

impl Camera {
    /// From the pixels of a frame of this size to those in which the camera is calibrated: a frame of another size and the
    /// same aspect ratio, as of a sub stream, shows the same view. `None` where sides disagree by more than a pixel of
    /// rounding, or one size is more than [`FRAME_SCALE_MAX`] times the other.
    pub fn calibrated_from_frame(&self, size_pixels: [u32; 2]) -> Option<Affine> {
        let ([width, height], [across, down]) = (self.size_pixels.map(f64::from), size_pixels.map(f64::from));
        let is_same_view = (across * height - down * width).abs() <= width.max(height);
        let scale = width.max(height) / across.max(down);
        let is_near = (1.0 / FRAME_SCALE_MAX..=FRAME_SCALE_MAX).contains(&scale);
        (is_same_view && is_near && size_pixels.iter().all(|side| 0 < *side))
            .then(|| Affine::resized(self.size_pixels, size_pixels))
    }
}

impl Shelf {
    /// Left end of the first plate and right end of the last one, metres in the shelf's frame.
    pub fn extent_metres(&self) -> (f64, f64) {
        let left = self.plates.first().map_or(0.0, |plate| plate.left_metres);
        (left, self.plates.last().map_or(left, |plate| plate.left_metres + plate.width_metres))
    }

    /// The board from above: its front from left to right, then its back from right to left.
    pub fn outline(&self) -> [Point<Floor>; 4] {
        let ((left, right), depth) = (self.extent_metres(), self.depth_metres);
        [(left, 0.0), (right, 0.0), (right, depth), (left, depth)]
            .map(|(x, y)| self.placement.world_from_local(Point::new(x, y, 0.0)).floor())
    }

    /// The plate of this name.
    pub fn plate(&self, id: PlateId) -> Option<&Plate> {
        self.plates.iter().find(|plate| plate.id == id)
    }

    /// The facing that this plate belongs to.
    pub fn facing_of(&self, plate: PlateId) -> Option<&Facing> {
        self.facings.iter().find(|facing| facing.plates.contains(&plate))
    }
}

impl Plate {
    /// Middle of the plate along the shelf, metres in the shelf's frame.
    pub fn centre_metres(&self) -> f64 {
        self.left_metres + self.width_metres / 2.0
    }
}

impl Zone {
    /// Whether a point lies inside (even-odd rule).
    pub fn contains(&self, point: Point<Floor>) -> bool {
        is_inside(&self.polygon, point)
    }

    /// How far away a point is, metres; 0 inside.
    pub fn metres_to(&self, point: Point<Floor>) -> f64 {
        if self.contains(point) {
            return 0.0;
        }
        let ends = self.polygon.iter().zip(self.polygon.iter().cycle().skip(1));
        let to_side = |(a, b): (&Point<Floor>, &Point<Floor>)| {
            let along = *b - *a;
            let squared = along.x * along.x + along.y * along.y;
            let away = point - *a;
            let share = ((away.x * along.x + away.y * along.y) / squared).clamp(0.0, 1.0);
            let nearest = if share.is_finite() { a.lerp(*b, share) } else { *a };
            (point - nearest).norm()
        };
        ends.map(to_side).fold(f64::INFINITY, f64::min)
    }
}

impl Room {
    /// Whether a point lies within the walls (even-odd rule).
    pub fn contains(&self, point: Point<Floor>) -> bool {
        is_inside(&self.polygon, point)
    }
}

fn is_inside(corners: &[Point<Floor>], point: Point<Floor>) -> bool {
    let mut inside = false;
    let mut previous = match corners.last() {
        Some(corner) => *corner,
        None => return false,
    };
    for &corner in corners {
        let crosses = (corner.y > point.y) != (previous.y > point.y);
        if crosses {
            let share = (point.y - corner.y) / (previous.y - corner.y);
            inside ^= point.x < corner.x + share * (previous.x - corner.x);
        }
        previous = corner;
    }
    inside
}
