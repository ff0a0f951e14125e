//! Where one comes in and goes out: the door in the wall, and the gate before it with its posts.
//! Takes a shop; gives the walls, and for every way in and out its door and its gate, which are drawn and walked around
//! alike. It never asks whether anything else stands there.

use crate::geometry::{Floor, Point};
use crate::shop::{Shop, ZoneKind};

/// Width of doors, metres.
pub(super) const DOOR_METRES: f64 = 0.95;
/// Around a shop that tells no room, walls stand so far from everything, metres.
const MARGIN_METRES: f64 = 1.3;
/// A post of a gate: half its width and half its length, metres.
pub(super) const POST_METRES: [f64; 2] = [0.05, 0.24];
/// The flap of a gate stands open in line with its post and is so long, metres.
pub(super) const FLAP_METRES: f64 = 0.42;
/// From the middle of a lane to the middle of its posts: a body passes between them, metres.
const LANE_METRES: (f64, f64) = (0.475, 0.75);
/// How far behind the wall people come from and go to, metres.
const BEHIND_METRES: f64 = 0.45;
/// How far behind the wall there is floor, metres.
const PORCH_METRES: f64 = 0.8;

/// A way in or out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gate {
    pub(super) is_entrance: bool,
    /// The middle of the door, in its wall.
    pub(super) door: Point<Floor>,
    /// From the door into the shop, one metre long.
    pub(super) inward: Point<Floor>,
    /// The middle of its zone, where tokens are shown.
    pub(super) middle: Point<Floor>,
    /// From there to the middle of the posts: to either side and inward, metres.
    posts: [f64; 2],
}

/// The corners of the room that the shop tells, or of a box around all that is in it.
pub(super) fn walls(shop: &Shop) -> Vec<Point<Floor>> {
    shop.room().map_or_else(|| around(shop), |room| room.polygon.clone())
}

/// The ways in and out of a shop, in the order of its zones.
pub(super) fn gates(shop: &Shop) -> Vec<Gate> {
    let walls = walls(shop);
    let zones = shop.zones().iter().filter(|zone| zone.kind != ZoneKind::Closed);
    zones.filter_map(|zone| Gate::before(&walls, &zone.polygon, zone.kind == ZoneKind::Entrance)).collect()
}

impl Gate {
    /// The gate of a zone: its lane leads away from the nearest wall.
    fn before(walls: &[Point<Floor>], zone: &[Point<Floor>], is_entrance: bool) -> Option<Self> {
        let sum = zone.iter().fold(Point::new(0.0, 0.0, 0.0), |sum, corner| sum + *corner);
        let middle = sum * (1.0 / zone.len().max(1) as f64);
        let on_wall = |(a, b): (Point<Floor>, Point<Floor>)| {
            let way = b - a;
            let length = way.norm().max(1e-3);
            // The whole door is in the wall, if it is long enough.
            let room = (DOOR_METRES / 2.0 / length).min(0.5);
            let share = (dot(middle - a, way) / (length * length)).clamp(room, 1.0 - room);
            (a + way * share, way * (1.0 / length))
        };
        let (door, along) =
            sides(walls).map(on_wall).min_by(|a, b| a.0.distance(middle).total_cmp(&b.0.distance(middle)))?;
        let left = Point::new(-along.y, along.x, 0.0);
        let inward = if dot(middle - door, left) < 0.0 { left * -1.0 } else { left };
        let reach = |way: Point<Floor>| zone.iter().map(|corner| dot(*corner - middle, way)).fold(0.0, f64::max);
        let aside = reach(along).clamp(LANE_METRES.0, LANE_METRES.1);
        // The flaps end where the zone does, so that the way past the gate stays free, and the posts stand within it.
        let deep = reach(inward);
        let ahead = (deep - POST_METRES[1] - FLAP_METRES).max(POST_METRES[1] - reach(inward * -1.0));
        Some(Gate { is_entrance, door, inward, middle, posts: [aside, ahead] })
    }

    /// To the right of who comes in, one metre long.
    pub(super) fn right(&self) -> Point<Floor> {
        Point::new(self.inward.y, -self.inward.x, 0.0)
    }

    /// The middles of the left and the right post.
    pub(super) fn posts(&self) -> [Point<Floor>; 2] {
        let [aside, ahead] = self.posts;
        [-aside, aside].map(|aside| self.middle + self.inward * ahead + self.right() * aside)
    }

    /// What the left and the right post and their flaps take of the floor.
    pub(super) fn blocks(&self) -> [Vec<Point<Floor>>; 2] {
        let [half_width, half_length] = POST_METRES;
        let (across, front) = (self.right() * half_width, self.inward * (half_length + FLAP_METRES));
        let back = self.inward * half_length;
        self.posts().map(|at| vec![at - across - back, at + across - back, at + across + front, at - across + front])
    }

    /// Where people come from and go to, behind the door.
    pub(super) fn outside(&self) -> Point<Floor> {
        self.door - self.inward * BEHIND_METRES
    }

    /// Which way one looks who comes in, radians.
    pub(super) fn heading(&self) -> f64 {
        self.inward.y.atan2(self.inward.x)
    }
}

/// The walls with a porch behind every door, on whose floor one comes and goes.
pub(super) fn with_porches(walls: &[Point<Floor>], gates: &[Gate]) -> Vec<Point<Floor>> {
    let mut corners = Vec::new();
    for (a, b) in sides(walls) {
        corners.push(a);
        let length = a.distance(b);
        let along = (b - a) * (1.0 / length.max(1e-9));
        let here = |gate: &&Gate| {
            let way = gate.door - a;
            let place = dot(way, along);
            (way - along * place).norm() < 1e-6
                && 0.0 <= place
                && place <= length
                && dot(gate.inward, along).abs() < 1e-6
        };
        let span = |gate: &Gate| {
            let place = dot(gate.door - a, along);
            let (from, to) = ((place - DOOR_METRES / 2.0).max(0.0), (place + DOOR_METRES / 2.0).min(length));
            (from, to, gate.inward * -PORCH_METRES)
        };
        let mut spans: Vec<_> = gates.iter().filter(here).map(span).collect();
        spans.sort_by(|a, b| a.0.total_cmp(&b.0));
        // Doors that overlap have one porch.
        spans.dedup_by(|next, before| {
            let overlap = next.0 <= before.1;
            before.1 = if overlap { before.1.max(next.1) } else { before.1 };
            overlap
        });
        for (from, to, out) in spans {
            let (from, to) = (a + along * from, a + along * to);
            corners.extend([from, from + out, to + out, to]);
        }
    }
    corners
}

fn dot(a: Point<Floor>, b: Point<Floor>) -> f64 {
    a.x * b.x + a.y * b.y
}

fn sides(polygon: &[Point<Floor>]) -> impl Iterator<Item = (Point<Floor>, Point<Floor>)> + '_ {
    (0..polygon.len()).map(|index| (polygon[index], polygon[(index + 1) % polygon.len()]))
}

/// A box around shelves, zones and cameras.
fn around(shop: &Shop) -> Vec<Point<Floor>> {
    let mut places: Vec<Point<Floor>> = Vec::new();
    for shelf in shop.shelves() {
        let width = shelf.plates.last().map_or(0.5, |plate| plate.left_metres + plate.width_metres);
        for (x, y) in [(0.0, 0.0), (width, 0.0), (0.0, shelf.depth_metres), (width, shelf.depth_metres)] {
            places.push(shelf.placement.world_from_local(Point::new(x, y, 0.0)).floor());
        }
    }
    let zones = shop.zones().iter().filter(|zone| zone.kind != ZoneKind::Closed);
    places.extend(zones.flat_map(|zone| zone.polygon.iter().copied()));
    places.extend(shop.cameras().iter().map(|camera| camera.view.pose().position.floor()));
    let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
    for place in &places {
        for (axis, value) in [place.x, place.y].into_iter().enumerate() {
            low[axis] = low[axis].min(value - MARGIN_METRES);
            high[axis] = high[axis].max(value + MARGIN_METRES);
        }
    }
    if places.is_empty() {
        (low, high) = ([-MARGIN_METRES; 2], [3.0 + MARGIN_METRES; 2]);
    }
    [[low[0], low[1]], [high[0], low[1]], [high[0], high[1]], [low[0], high[1]]]
        .map(|[x, y]| Point::new(x, y, 0.0))
        .to_vec()
}
