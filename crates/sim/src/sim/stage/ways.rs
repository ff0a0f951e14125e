//! Ways over the floor: around furniture, walls and closed zones, as short as they can be.
//! Takes a shop; answers which points are free for a body, the shortest way between two of them along a visibility
//! graph (Lozano-Pérez and Wesley 1979), and where somebody goes who was pushed into something. It throws no dice.

use std::cmp::Ordering;

use crate::geometry::{Floor, Point};
use crate::shop::{Shelf, Shop, ZoneKind};

use crate::sim::doors::{Gate, gates, with_porches};

/// Ways keep this far from everything, metres.
const CLEARANCE_METRES: f64 = 0.27;
/// Nobody is pushed nearer than this to anything, metres.
const TOUCH_METRES: f64 = 0.23;
/// Corners are passed a little further out than needed, metres.
const CORNER_METRES: f64 = 0.03;
/// How far apart the points are that are tried where a wanted one is not free, metres.
const SNAP_METRES: f64 = 0.1;
/// How far a wanted point may be moved, in such distances.
const SNAPS: usize = 15;

/// What a shop leaves free of its floor.
pub(in crate::sim) struct Ways {
    /// Furniture, posts of gates and closed zones.
    blocks: Vec<Vec<Point<Floor>>>,
    gates: Vec<Gate>,
    walls: Option<Vec<Point<Floor>>>,
    corners: Vec<Point<Floor>>,
    /// For every corner the corners that are seen from it.
    seen: Vec<Vec<usize>>,
}

impl Ways {
    pub(in crate::sim) fn new(shop: &Shop) -> Self {
        let gates = gates(shop);
        let mut blocks: Vec<Vec<Point<Floor>>> = Vec::new();
        let closed = shop.zones().iter().filter(|zone| zone.kind == ZoneKind::Closed).map(|zone| zone.polygon.clone());
        for block in shop.shelves().iter().map(footprint).chain(gates.iter().flat_map(Gate::blocks)).chain(closed) {
            if !blocks.contains(&block) {
                blocks.push(block);
            }
        }
        let walls = shop.room().map(|room| with_porches(&room.polygon, &gates));
        let mut ways = Ways { blocks, gates, walls, corners: Vec::new(), seen: Vec::new() };
        let polygons = ways.blocks.iter().chain(&ways.walls);
        let around = polygons.flat_map(|polygon| corners(polygon));
        ways.corners = around.filter(|corner| ways.is_free(*corner)).collect();
        let sees = |from: &Point<Floor>| {
            (0..ways.corners.len()).filter(|to| ways.is_straight(*from, ways.corners[*to])).collect()
        };
        ways.seen = ways.corners.iter().map(sees).collect();
        ways
    }

    /// The first gate in, or out, if there is one.
    pub(super) fn gate(&self, is_entrance: bool) -> Option<&Gate> {
        self.gates.iter().find(|gate| gate.is_entrance == is_entrance)
    }

    /// Whether a body can be at a point.
    pub(super) fn is_free(&self, point: Point<Floor>) -> bool {
        self.is_straight(point, point)
    }

    /// Whether a body can go from one point straight to another.
    fn is_straight(&self, from: Point<Floor>, to: Point<Floor>) -> bool {
        let clear =
            |polygon: &Vec<Point<Floor>>| edges(polygon).all(|(a, b)| CLEARANCE_METRES <= apart((from, to), (a, b)));
        self.walls.iter().all(|walls| clear(walls) && contains(walls, from))
            && self.blocks.iter().all(|block| clear(block) && !contains(block, from))
    }

    /// The free point nearest to a wanted one, or the wanted one where none is near.
    pub(in crate::sim) fn nearest_free(&self, point: Point<Floor>) -> Point<Floor> {
        if self.is_free(point) {
            return point;
        }
        for ring in 1..=SNAPS {
            let count = ring * 8;
            let around = (0..count).map(|step| {
                let (sin, cos) = (step as f64 / count as f64 * std::f64::consts::TAU).sin_cos();
                point + Point::new(cos, sin, 0.0) * (ring as f64 * SNAP_METRES)
            });
            if let Some(free) = around.into_iter().find(|point| self.is_free(*point)) {
                return free;
            }
        }
        point
    }

    /// The corners that the shortest way between two points turns at; none where it is straight, or where there is no
    /// way at all.
    pub(in crate::sim) fn between(&self, from: Point<Floor>, to: Point<Floor>) -> Vec<Point<Floor>> {
        if self.is_straight(from, to) {
            return Vec::new();
        }
        // Dijkstra 1959: every corner once, the nearest to the start first.
        let reach = |corner: usize| self.is_straight(from, self.corners[corner]);
        let start = |corner: usize| {
            if reach(corner) { from.distance(self.corners[corner]) } else { f64::INFINITY }
        };
        let mut far: Vec<f64> = (0..self.corners.len()).map(start).collect();
        let mut before: Vec<Option<usize>> = vec![None; far.len()];
        let mut open: Vec<usize> = (0..far.len()).collect();
        let nearer = |a: f64, b: f64| a.total_cmp(&b) == Ordering::Less;
        while let Some(place) = (0..open.len()).min_by(|a, b| far[open[*a]].total_cmp(&far[open[*b]])) {
            let corner = open.swap_remove(place);
            for &next in &self.seen[corner] {
                let length = far[corner] + self.corners[corner].distance(self.corners[next]);
                if nearer(length, far[next]) {
                    far[next] = length;
                    before[next] = Some(corner);
                }
            }
        }
        let ends =
            (0..far.len()).filter(|corner| far[*corner].is_finite() && self.is_straight(self.corners[*corner], to));
        let whole = |corner: &usize| far[*corner] + self.corners[*corner].distance(to);
        let mut last = ends.min_by(|a, b| whole(a).total_cmp(&whole(b)));
        let mut way = Vec::new();
        while let Some(corner) = last {
            way.push(self.corners[corner]);
            last = before[corner];
        }
        way.reverse();
        way
    }

    /// The point, or the nearest one outside of everything for somebody who was pushed into it.
    pub(in crate::sim) fn outside(&self, point: Point<Floor>) -> Point<Floor> {
        let mut point = point;
        // Leaving one thing may lead into the next, in a corner.
        for _ in 0..3 {
            for (polygon, inner) in
                self.blocks.iter().map(|block| (block, false)).chain(self.walls.iter().map(|walls| (walls, true)))
            {
                point = leave(polygon, inner, point);
            }
        }
        point
    }
}

/// The floor below a board.
fn footprint(shelf: &Shelf) -> Vec<Point<Floor>> {
    let (low, high) = shelf.extent_metres();
    let corner = |x: f64, y: f64| shelf.placement.world_from_local(Point::new(x, y, 0.0)).floor();
    vec![corner(low, 0.0), corner(high, 0.0), corner(high, shelf.depth_metres), corner(low, shelf.depth_metres)]
}

fn edges(polygon: &[Point<Floor>]) -> impl Iterator<Item = (Point<Floor>, Point<Floor>)> + '_ {
    (0..polygon.len()).map(|index| (polygon[index], polygon[(index + 1) % polygon.len()]))
}

/// Points beside every corner of a polygon, on both sides.
fn corners(polygon: &[Point<Floor>]) -> Vec<Point<Floor>> {
    let count = polygon.len();
    let mut points = Vec::new();
    for index in 0..count {
        let here = polygon[index];
        let normal = |a: Point<Floor>, b: Point<Floor>| {
            let way = b - a;
            Point::new(way.y, -way.x, 0.0) * (1.0 / way.norm().max(1e-9))
        };
        let (one, other) =
            (normal(polygon[(index + count - 1) % count], here), normal(here, polygon[(index + 1) % count]));
        let both = one + other;
        // As far out as keeps the clearance from both edges, less where the corner is sharp.
        let scale = (2.0 / (both.norm() * both.norm()).max(0.5)) * (CLEARANCE_METRES + CORNER_METRES);
        points.push(here + both * scale);
        points.push(here - both * scale);
    }
    points
}

/// Even-odd rule.
fn contains(polygon: &[Point<Floor>], point: Point<Floor>) -> bool {
    let crosses = |(a, b): &(Point<Floor>, Point<Floor>)| {
        (a.y > point.y) != (b.y > point.y) && point.x < a.x + (point.y - a.y) / (b.y - a.y) * (b.x - a.x)
    };
    edges(polygon).filter(crosses).count() % 2 == 1
}

/// The point of a line between two points that is nearest to a third.
fn nearest(point: Point<Floor>, (a, b): (Point<Floor>, Point<Floor>)) -> Point<Floor> {
    let way = b - a;
    let along = ((point.x - a.x) * way.x + (point.y - a.y) * way.y) / (way.x * way.x + way.y * way.y).max(1e-12);
    a + way * along.clamp(0.0, 1.0)
}

/// The distance between two lines, each between two points.
fn apart(one: (Point<Floor>, Point<Floor>), other: (Point<Floor>, Point<Floor>)) -> f64 {
    let side =
        |(a, b): (Point<Floor>, Point<Floor>), p: Point<Floor>| (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x);
    let splits = |line, (p, q)| side(line, p) * side(line, q) < 0.0;
    if splits(one, other) && splits(other, one) {
        return 0.0;
    }
    let far = |point: Point<Floor>, line| nearest(point, line).distance(point);
    far(one.0, other).min(far(one.1, other)).min(far(other.0, one)).min(far(other.1, one))
}

/// Moves a point out of a polygon, or back into one, as far as touching it.
fn leave(polygon: &[Point<Floor>], inner: bool, point: Point<Floor>) -> Point<Floor> {
    let near = edges(polygon).map(|edge| nearest(point, edge));
    let Some(near) = near.min_by(|a, b| a.distance(point).total_cmp(&b.distance(point))) else { return point };
    let away = point - near;
    let wrong = contains(polygon, point) != inner;
    let length = away.norm();
    if !wrong && TOUCH_METRES <= length || length < 1e-9 {
        return point;
    }
    near + away * (if wrong { -TOUCH_METRES } else { TOUCH_METRES } / length)
}

#[cfg(test)]
impl Ways {
    /// How far a point is from everything, metres; negative inside of something.
    pub(in crate::sim) fn margin(&self, point: Point<Floor>) -> f64 {
        let polygons =
            self.blocks.iter().map(|block| (block, false)).chain(self.walls.iter().map(|walls| (walls, true)));
        let margin = |(polygon, inner): (&Vec<Point<Floor>>, bool)| {
            let near = edges(polygon).map(|edge| nearest(point, edge).distance(point)).fold(f64::INFINITY, f64::min);
            if contains(polygon, point) == inner { near } else { -near }
        };
        polygons.map(margin).fold(f64::INFINITY, f64::min)
    }
}
