//! A picture, and which of its pixels show whom.

use super::labels::{Labels, NOBODY};
use crate::geometry::{self, Pixel, PixelBox, Point, World};
use crate::image::RgbImage;
use crate::truth::Visibility;

/// How much nearer than a joint's own skin something of the same body may be, metres: cloth, hair, the width of a pixel.
const CLOTH_METRES: f64 = 0.035;

/// A frame as the camera gives it, with what is known about it.
pub(in crate::sim) struct Shot {
    /// What the camera delivers.
    pub(in crate::sim) picture: RgbImage,
    /// Everybody of the middle of the exposure, in its order.
    pub(in crate::sim) bodies: Vec<BodyPixels>,
    /// Pixels that show each unit that moves, how many and around them, in the order in which they were given.
    goods: Vec<(usize, u32, Option<PixelBox>)>,
    camera: geometry::Camera,
    labels: Labels,
}

/// Where one body is in a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::sim) struct BodyPixels {
    /// Around the whole silhouette as if nothing were in front, also outside the picture; `None` behind the camera.
    pub(in crate::sim) bounds: Option<PixelBox>,
    /// Around the pixels that show it; `None` when none does.
    pub(in crate::sim) visible_bounds: Option<PixelBox>,
    /// Part of its pixels in the picture that nothing hides, `0..=1`; 0 when it has none.
    pub(in crate::sim) visible_share: f64,
}

impl Shot {
    /// Puts together what the middle of the exposure shows; `bounds` are the silhouettes' by person, `units` are numbered
    /// after the people.
    pub(super) fn new(
        picture: RgbImage,
        camera: geometry::Camera,
        labels: Labels,
        bounds: &[Option<PixelBox>],
        units: &[usize],
    ) -> Self {
        let width = picture.width() as usize;
        let mut seen: Vec<(usize, Option<PixelBox>)> = vec![(0, None); bounds.len() + units.len()];
        for (place, owner) in labels.seen.iter().enumerate().filter(|(_, owner)| **owner != NOBODY) {
            let (count, around) = &mut seen[usize::from(*owner)];
            *count += 1;
            let pixel = PixelBox::from_size((place % width) as f64, (place / width) as f64, 1.0, 1.0);
            *around = Some(around.map_or(pixel, |around| around.hull(&pixel)));
        }
        let body = |(person, bounds): (usize, &Option<PixelBox>)| {
            let (count, visible_bounds) = seen[person];
            let visible_share = count as f64 / labels.covered[person].max(1) as f64;
            BodyPixels { bounds: *bounds, visible_bounds, visible_share }
        };
        let bodies = bounds.iter().enumerate().map(body).collect();
        let goods = units.iter().zip(&seen[bounds.len()..]);
        let goods = goods.map(|(unit, (count, around))| (*unit, *count as u32, *around)).collect();
        Shot { picture, bodies, goods, camera, labels }
    }

    /// Whether a point of a body is seen at its pixel; `radius_metres` is how deep it lies under the skin.
    pub(in crate::sim) fn sees(&self, person: usize, point: Point<World>, radius_metres: f64) -> Visibility {
        let Some(pixel) = self.camera.pixel_from_world(point) else { return Visibility::Outside };
        let depth = self.camera.view_from_world(point).z;
        if !self.holds(pixel) {
            return Visibility::Outside;
        }
        // At the rim of a limb the one pixel may show what is behind: two of four neighbours stand in for it.
        let around = [(-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0)];
        let near = around.iter().filter(|(x, y)| self.shows(person, pixel.x + x, pixel.y + y, depth, radius_metres));
        let shown = self.shows(person, pixel.x, pixel.y, depth, radius_metres) || 2 <= near.count();
        if shown { Visibility::Visible } else { Visibility::Hidden }
    }

    /// Whose body a pixel shows in the middle of the exposure.
    pub(in crate::sim) fn owner(&self, x: u32, y: u32) -> Option<usize> {
        let inside = x < self.picture.width() && y < self.picture.height();
        let owner = inside.then(|| self.labels.seen[(y * self.picture.width() + x) as usize]);
        owner.map(usize::from).filter(|owner| *owner < self.bodies.len())
    }

    /// How many pixels show a unit that moves in the middle of the exposure, and the box around them.
    pub(in crate::sim) fn pixels_of(&self, unit: usize) -> (u32, Option<PixelBox>) {
        let found = self.goods.iter().find(|(other, ..)| *other == unit);
        found.map_or((0, None), |(_, pixels, around)| (*pixels, *around))
    }

    fn holds(&self, pixel: Point<Pixel>) -> bool {
        let (width, height) = (f64::from(self.picture.width()), f64::from(self.picture.height()));
        0.0 <= pixel.x && pixel.x < width && 0.0 <= pixel.y && pixel.y < height
    }

    /// Whether a pixel shows this body no farther in front of a depth than its skin may be.
    fn shows(&self, person: usize, x: f64, y: f64, depth: f64, radius_metres: f64) -> bool {
        if !self.holds(Point::new(x, y, 0.0)) || self.owner(x as u32, y as u32) != Some(person) {
            return false;
        }
        let place = y as usize * self.picture.width() as usize + x as usize;
        depth - radius_metres - CLOTH_METRES <= 1.0 / f64::from(self.labels.nearness[place])
    }
}
