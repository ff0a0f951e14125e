//! The floor from above: walls, zones, units, cameras, and where everybody went.

use super::draw;
use crate::base::TrackId;
use crate::geometry::{Floor, Pixel, Point};
use crate::image::{RgbImage, draw_dot, draw_line, draw_number};
use crate::shop::{Shop, ZoneKind};

/// Size of the map's longer side, pixels.
const SIDE_PIXELS: f64 = 1_200.0;
/// Around the shop, metres.
const MARGIN_METRES: f64 = 0.5;
/// How far a camera's view is drawn, metres.
const VIEW_METRES: f64 = 0.7;
/// Whoever was not told of for this long begins a new line, instants.
const GAP_INSTANTS: u64 = 5;

/// A map that people walk on.
pub(super) struct FloorMap {
    picture: RgbImage,
    /// The corner of the world in the lower left, and pixels a metre.
    corner: Point<Floor>,
    scale: f64,
    /// Where each track was last, and at which instant.
    last: Vec<(TrackId, u64, Point<Floor>)>,
    instants: u64,
}

impl FloorMap {
    /// The shop with nobody in it.
    pub(super) fn new(shop: &Shop) -> Self {
        let units = || shop.shelves().iter().map(|shelf| shelf.outline());
        let walls = shop.room().map(|room| room.polygon.clone()).unwrap_or_default();
        let eyes = shop.cameras().iter().map(|camera| camera.view.pose().position.floor());
        let places = walls.iter().copied().chain(units().flatten()).chain(eyes);
        let places: Vec<Point<Floor>> =
            places.chain(shop.zones().iter().flat_map(|zone| zone.polygon.iter().copied())).collect();
        let least = |pick: fn(&Point<Floor>) -> f64| places.iter().map(pick).fold(f64::INFINITY, f64::min);
        let most = |pick: fn(&Point<Floor>) -> f64| places.iter().map(pick).fold(f64::NEG_INFINITY, f64::max);
        let corner = Point::new(least(|p| p.x) - MARGIN_METRES, least(|p| p.y) - MARGIN_METRES, 0.0);
        let sides = [most(|p| p.x) + MARGIN_METRES - corner.x, most(|p| p.y) + MARGIN_METRES - corner.y];
        let scale = SIDE_PIXELS / sides[0].max(sides[1]);
        let [width, height] = sides.map(|side| ((side * scale).ceil() as u32).max(1));
        let mut picture = RgbImage::new(width, height);
        picture.pixels_mut().fill(250);
        let mut map = FloorMap { picture, corner, scale, last: Vec::new(), instants: 0 };
        for zone in shop.zones() {
            let colour = match zone.kind {
                ZoneKind::Entrance => [120, 190, 120],
                ZoneKind::Exit => [220, 150, 110],
                ZoneKind::Closed => [190, 190, 190],
            };
            map.outline(&zone.polygon, colour, 2);
        }
        units().for_each(|unit| map.outline(&unit, [150, 150, 160], 1));
        map.outline(&walls, [60, 60, 60], 3);
        for camera in shop.cameras() {
            let (eye, [_, _, forward]) = (camera.view.pose().position.floor(), camera.view.rotation_rows());
            let tip = eye + Point::new(forward[0], forward[1], 0.0) * VIEW_METRES;
            map.line(eye, tip, [40, 90, 200], 2);
            let pixel = map.pixel(eye);
            draw_dot(&mut map.picture, pixel, 5, [40, 90, 200]);
        }
        map
    }

    /// Draws where everybody has gone since the instant before.
    pub(super) fn step(&mut self, people: impl Iterator<Item = (TrackId, Point<Floor>)>) {
        self.instants += 1;
        let now = self.instants;
        for (track, place) in people {
            let colour = draw::colour(track.number());
            match self.last.iter().position(|(other, _, _)| *other == track) {
                Some(index) => {
                    let (_, at, before) = self.last[index];
                    if now - at <= GAP_INSTANTS {
                        self.line(before, place, colour, 2);
                    }
                    self.last[index] = (track, now, place);
                }
                None => {
                    let pixel = self.pixel(place);
                    draw_dot(&mut self.picture, pixel, 4, colour);
                    let above = pixel - Point::new(0.0, 24.0, 0.0);
                    draw_number(&mut self.picture, &track.number().to_string(), above, colour, 2);
                    self.last.push((track, now, place));
                }
            }
        }
        self.last.retain(|(_, at, _)| now - at <= GAP_INSTANTS);
    }

    /// The map as it is now.
    pub(super) fn picture(&self) -> &RgbImage {
        &self.picture
    }

    /// North is up in a shop's plan, and the first row of a picture is its highest.
    fn pixel(&self, place: Point<Floor>) -> Point<Pixel> {
        let down = f64::from(self.picture.height()) - (place.y - self.corner.y) * self.scale;
        Point::new((place.x - self.corner.x) * self.scale, down, 0.0)
    }

    fn line(&mut self, from: Point<Floor>, to: Point<Floor>, colour: [u8; 3], thickness: u32) {
        let (from, to) = (self.pixel(from), self.pixel(to));
        draw_line(&mut self.picture, from, to, colour, thickness);
    }

    fn outline(&mut self, corners: &[Point<Floor>], colour: [u8; 3], thickness: u32) {
        let next = corners.iter().cycle().skip(1);
        corners.iter().zip(next).for_each(|(from, to)| self.line(*from, *to, colour, thickness));
    }
}
