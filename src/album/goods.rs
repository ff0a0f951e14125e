//! Where goods moved: the plates of a change as a body in the shop, who was at it, and where a camera sees it.

use std::collections::{BTreeMap, BTreeSet};

use super::ring::Presence;
use crate::base::{ShopTime, Span, TimeRange, TrackId, VisitId};
use crate::facts::{Joint, ShelfEvent};
use crate::geometry::{Affine, Local, PixelBox, Placement, Point, World};
use crate::shop::{Camera, Shelf, Shop};

/// A plate that changed by less is a neighbour that was measured along, grams.
const MOVED_GRAMS_MIN: f64 = 5.0;
/// Goods stand no higher than this above their board, metres.
const GOODS_METRES_MAX: f64 = 0.35;
/// Wrists that small networks find in pictures of a few hundred lines are off by decimetres: a hand that took a cup of yoghurt was
/// seen half a metre from it.
/// How near a wrist has to come to the goods to have been at them; an elbow where no wrist is seen, and a trunk where neither is.
const WRIST_METRES_MAX: f64 = 0.6;
const ELBOW_METRES_MAX: f64 = 0.8;
const TRUNK_METRES_MAX: f64 = 1.0;
/// How far the clocks of people and plates may be apart.
const CLOCKS_APART: Span = Span::from_millis(1_000);

/// The plates of a change and the room above them.
pub(super) struct Goods {
    placement: Placement,
    /// From the left edge of the plates to the right one, from front to back, from the board upwards, metres.
    size: [(f64, f64); 3],
    span: TimeRange,
}

impl Goods {
    /// Where a change was; none of a shelf that the shop does not have.
    pub(super) fn of(shop: &Shop, change: &ShelfEvent) -> Option<Self> {
        let shelf: &Shelf = shop.shelves().iter().find(|shelf| shelf.id == change.shelf)?;
        let moved = change.plates.iter().filter(|stairs| MOVED_GRAMS_MIN <= stairs.change().value().abs());
        let mut plates: Vec<_> = moved.filter_map(|stairs| shelf.plate(stairs.plate)).collect();
        if plates.is_empty() {
            plates = change.plates.iter().filter_map(|stairs| shelf.plate(stairs.plate)).collect();
        }
        let left = plates.iter().map(|plate| plate.left_metres).fold(f64::INFINITY, f64::min);
        let right = plates.iter().map(|plate| plate.left_metres + plate.width_metres).fold(f64::NEG_INFINITY, f64::max);
        let across = if left < right { (left, right) } else { shelf.extent_metres() };
        let size = [across, (0.0, shelf.depth_metres), (0.0, shelf.clearance_metres.min(GOODS_METRES_MAX))];
        Some(Goods { placement: shelf.placement, size, span: change.span })
    }

    /// Who was at the goods while they moved, of those whose visit is known.
    pub(super) fn takers(
        &self,
        people: &[(ShopTime, Vec<Presence>)],
        visits: &BTreeMap<TrackId, VisitId>,
    ) -> BTreeSet<VisitId> {
        let while_moved = self.span.widened(CLOCKS_APART);
        let told = people.iter().filter(|(at, _)| while_moved.contains(*at)).flat_map(|(_, there)| there);
        told.filter(|somebody| self.is_at(somebody))
            .filter_map(|somebody| visits.get(&somebody.track).copied())
            .collect()
    }

    fn is_at(&self, somebody: &Presence) -> bool {
        let joints = &somebody.joints;
        let is_near = |some: [Option<Joint>; 2], most: f64| {
            let mut seen = some.into_iter().flatten().peekable();
            seen.peek()?;
            Some(seen.any(|joint| self.metres_to(joint.position) <= most))
        };
        let wrists = is_near([joints.left_wrist, joints.right_wrist], WRIST_METRES_MAX);
        let elbows = || is_near([joints.left_elbow, joints.right_elbow], ELBOW_METRES_MAX);
        // One hand may be hidden behind the other's goods.
        let is_one_hidden = joints.left_wrist.is_none() || joints.right_wrist.is_none();
        let trunk = || joints.trunk().map(|trunk| self.metres_beside(trunk) <= TRUNK_METRES_MAX);
        let by_hand = wrists.unwrap_or(false) || is_one_hidden && elbows().unwrap_or(false);
        by_hand || (wrists.is_none() && elbows().is_none() && trunk().unwrap_or(false))
    }

    /// How far a point is from the room above the plates, metres; 0 in it.
    pub(super) fn metres_to(&self, point: Point<World>) -> f64 {
        let [x, y, z] = self.outside(point);
        Point::<Local>::new(x, y, z).norm()
    }

    /// The same, from above.
    fn metres_beside(&self, point: Point<World>) -> f64 {
        let [x, y, _] = self.outside(point);
        Point::<Local>::new(x, y, 0.0).norm()
    }

    fn outside(&self, point: Point<World>) -> [f64; 3] {
        let local = self.placement.local_from_world(point);
        let beyond = |value: f64, (least, most): (f64, f64)| (least - value).max(value - most).max(0.0);
        [beyond(local.x, self.size[0]), beyond(local.y, self.size[1]), beyond(local.z, self.size[2])]
    }

    /// Whether a camera stands before the shelf rather than behind it.
    pub(super) fn is_before(&self, camera: &Camera) -> bool {
        self.placement.local_from_world(camera.view.pose().position).y < self.size[1].0
    }

    /// The box around it in frames of a camera, pixels; none where a corner is behind the lens. `frame_from_view` goes from the
    /// pixels in which the camera is calibrated.
    pub(super) fn bounds(&self, camera: &Camera, frame_from_view: &Affine) -> Option<PixelBox> {
        let mut bounds: Option<PixelBox> = None;
        for corner in 0..8_usize {
            let side = |axis: usize| if corner >> axis & 1 == 0 { self.size[axis].0 } else { self.size[axis].1 };
            let world = self.placement.world_from_local(Point::new(side(0), side(1), side(2)));
            let pixel = frame_from_view.apply(camera.view.pixel_from_world(world)?);
            let point = PixelBox { left: pixel.x, top: pixel.y, right: pixel.x, bottom: pixel.y };
            bounds = Some(bounds.map_or(point, |bounds| bounds.hull(&point)));
        }
        bounds.filter(PixelBox::is_well_formed)
    }
}
