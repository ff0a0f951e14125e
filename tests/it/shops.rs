//! The shops that come with aisle: goods that fit where they stand, cameras that see what they are for.

use std::path::Path;

use aisle::base::CameraId;
use aisle::config;
use aisle::geometry::{Local, Point, World};
use aisle::shop::{Camera, Facing, Gtin, Reading, Shelf, Shop, ZoneKind};

/// Nobody's middle is nearer than this to a wall or to furniture, metres.
const BODY_HALF_METRES: f64 = 0.2;
/// Mesh of the floor, metres.
const MESH_METRES: f64 = 0.1;
/// How high above its board the front of a product is looked at, metres.
const FRONT_METRES: f64 = 0.08;
/// Goods leave this much free above and behind them, metres.
const SPARE_METRES: f64 = 0.02;

fn shop(name: &str) -> Shop {
    config::load_shop(Path::new(name)).unwrap()
}

fn extent(shelf: &Shelf, facing: &Facing) -> (f64, f64) {
    let plate = |id| shelf.plate(id).unwrap();
    let (first, last) = (plate(facing.plates[0]), plate(*facing.plates.last().unwrap()));
    (first.left_metres, last.left_metres + last.width_metres)
}

/// The box of a unit of furniture: one of its shelves, its length, and how high it reaches.
struct Unit<'a> {
    shelf: &'a Shelf,
    length: f64,
    top: f64,
}

fn units(shop: &Shop) -> Vec<Unit<'_>> {
    let mut units: Vec<Unit<'_>> = Vec::new();
    for shelf in shop.shelves() {
        let length = shelf.plates.iter().map(|plate| plate.left_metres + plate.width_metres).fold(0.0, f64::max);
        let top = shelf.placement.origin.z + shelf.clearance_metres;
        match units.last_mut().filter(|unit| unit.shelf.id.gondola == shelf.id.gondola) {
            Some(unit) => (unit.length, unit.top) = (unit.length.max(length), unit.top.max(top)),
            None => units.push(Unit { shelf, length, top }),
        }
    }
    units
}

impl Unit<'_> {
    /// A world point in the frame of the unit, with z from the floor.
    fn local(&self, point: Point<World>) -> Point<Local> {
        let point = self.shelf.placement.local_from_world(point);
        Point::new(point.x, point.y, point.z + self.shelf.placement.origin.z)
    }

    fn stands_at(&self, point: Point<World>, margin: f64) -> bool {
        let local = self.local(point);
        let (depth, end) = (self.shelf.depth_metres + margin, self.length + margin);
        -margin < local.x && local.x < end && -margin < local.y && local.y < depth
    }

    /// Whether the way from an eye to a point runs through it (the slab method); a point on its front is before it.
    fn hides(&self, eye: Point<World>, point: Point<World>) -> bool {
        let (from, to) = (self.local(eye), self.local(point));
        let axes = [
            (from.x, to.x, 0.0, self.length),
            (from.y, to.y, 1e-6, self.shelf.depth_metres),
            (from.z, to.z, 0.0, self.top),
        ];
        let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
        for (from, to, low, high) in axes {
            let way = to - from;
            if way.abs() < 1e-12 {
                if from <= low || high <= from {
                    return false;
                }
                continue;
            }
            let (a, b) = ((low - from) / way, (high - from) / way);
            (enter, leave) = (enter.max(a.min(b)), leave.min(a.max(b)));
        }
        enter < leave
    }
}

fn sees(camera: &Camera, units: &[Unit<'_>], point: Point<World>) -> bool {
    let [width, height] = camera.size_pixels.map(f64::from);
    let inside = camera
        .view
        .pixel_from_world(point)
        .is_some_and(|pixel| (0.0..width).contains(&pixel.x) && (0.0..height).contains(&pixel.y));
    inside && !units.iter().any(|unit| unit.hides(camera.view.pose().position, point))
}

fn seen_by<'a>(shop: &'a Shop, units: &[Unit<'_>], point: Point<World>) -> Vec<&'a CameraId> {
    shop.cameras().iter().filter(|camera| sees(camera, units, point)).map(|camera| &camera.id).collect()
}

/// How many cameras see the middle of the front of each facing, and how many each point that one can stand on.
fn coverage(shop: &Shop) -> (Vec<usize>, Vec<usize>) {
    let units = units(shop);
    let fronts = shop.shelves().iter().flat_map(|shelf| shelf.facings.iter().map(move |facing| (shelf, facing)));
    let fronts = fronts.map(|(shelf, facing)| {
        let (left, right) = extent(shelf, facing);
        let front = shelf.placement.world_from_local(Point::new((left + right) / 2.0, 0.0, FRONT_METRES));
        seen_by(shop, &units, front).len()
    });
    let walls = &shop.room().unwrap().polygon;
    let far_x = walls.iter().map(|corner| corner.x).fold(0.0, f64::max);
    let far_y = walls.iter().map(|corner| corner.y).fold(0.0, f64::max);
    let steps = |length: f64| {
        let count = ((length - 2.0 * BODY_HALF_METRES) / MESH_METRES).round() as u32;
        (0..=count).map(|step| BODY_HALF_METRES + f64::from(step) * MESH_METRES)
    };
    let floor = steps(far_x).flat_map(|x| steps(far_y).map(move |y| Point::<World>::new(x, y, 0.0)));
    let open = floor.filter(|point| !units.iter().any(|unit| unit.stands_at(*point, BODY_HALF_METRES)));
    let floor = open.map(|point| seen_by(shop, &units, point).len()).collect();
    (fronts.collect(), floor)
}

#[test]
fn every_facing_and_every_place_to_stand_is_seen() {
    for name in ["micro-market", "convenience"] {
        let shop = shop(name);
        let (fronts, floor) = coverage(&shop);
        assert!(fronts.iter().all(|cameras| 1 <= *cameras), "{name}: {fronts:?}");
        assert!(floor.iter().all(|cameras| 1 <= *cameras), "{name}: {floor:?}");
        let twice = |seen: &[usize]| seen.iter().filter(|cameras| 2 <= **cameras).count() as f64 / seen.len() as f64;
        assert!(0.9 < twice(&fronts) && 0.7 < twice(&floor), "{name}: {} {}", twice(&fronts), twice(&floor));
    }
}

#[test]
fn goods_fit_where_they_stand_and_are_on_a_shelf() {
    for (name, least) in [("micro-market", 25), ("convenience", 150)] {
        let shop = shop(name);
        let facings: Vec<(&Shelf, &Facing)> =
            shop.shelves().iter().flat_map(|shelf| shelf.facings.iter().map(move |facing| (shelf, facing))).collect();
        assert!(least <= shop.catalogue().products().len());
        for product in shop.catalogue().products() {
            let what = &product.name;
            let own = matches!(Gtin::read(product.sku.as_str(), None), Reading::Inner(_));
            assert!(own && product.gtin.is_none(), "{what}: not a shop's own number");
            assert!(product.price.is_some() && product.weight.is_some() && product.tax.is_some(), "{what}");
            let places = facings.iter().filter(|(_, facing)| facing.sku.as_ref() == Some(&product.sku));
            let places: Vec<_> = places.collect();
            assert_eq!(places.len(), 1, "{what}");
            let (shelf, facing) = places[0];
            let [width, depth, height] = product.package.unwrap().size_metres;
            let (left, right) = extent(shelf, facing);
            assert!(width < right - left, "{what} is wider than its facing on {}", shelf.id);
            assert!(depth + SPARE_METRES < shelf.depth_metres, "{what} is deeper than {}", shelf.id);
            assert!(height + SPARE_METRES <= shelf.clearance_metres, "{what} is too high for {}", shelf.id);
            let grams = product.weight.unwrap().value();
            assert!(grams < 450.0 || 2 <= facing.plates.len(), "{what} is too heavy for one plate");
            let density = grams / (width * depth * height * 1e6);
            assert!((0.02..1.6).contains(&density), "{what}: {density:.2} g/cm3");
        }
        for pair in shop.shelves().windows(2).filter(|pair| pair[0].id.gondola == pair[1].id.gondola) {
            let room = pair[1].placement.origin.z - pair[0].placement.origin.z;
            assert!(pair[0].clearance_metres < room, "the board over {} is in its goods", pair[0].id);
        }
    }
}

#[test]
fn furniture_stands_in_the_room_with_ways_between_and_doors_free() {
    for name in ["micro-market", "convenience"] {
        let shop = shop(name);
        let units = units(&shop);
        let walls = aisle::shop::Zone {
            name: "walls".to_owned(),
            kind: ZoneKind::Closed,
            polygon: shop.room().unwrap().polygon.clone(),
        };
        for unit in &units {
            let corner = |x: f64, y: f64| unit.shelf.placement.world_from_local(Point::new(x, y, 0.0));
            let depth = unit.shelf.depth_metres;
            let all = [corner(0.0, 0.0), corner(unit.length, 0.0), corner(unit.length, depth), corner(0.0, depth)];
            assert!(all.iter().all(|corner| walls.contains(corner.floor())), "{name}: {} is in a wall", unit.shelf.id);
            // 1.2 m before every front nothing else stands, and there is floor.
            for step in 0..=10 {
                let at = corner(unit.length * f64::from(step) / 10.0, -1.2);
                let free = units.iter().all(|other| !other.stands_at(at, 0.0));
                assert!(free && walls.contains(at.floor()), "{name}: no way before {}", unit.shelf.id);
            }
        }
        for kind in [ZoneKind::Entrance, ZoneKind::Exit] {
            let zone = shop.zones().iter().find(|zone| zone.kind == kind).unwrap();
            for corner in &zone.polygon {
                let point = Point::new(corner.x, corner.y, 0.0);
                assert!(walls.contains(*corner) && units.iter().all(|unit| !unit.stands_at(point, BODY_HALF_METRES)));
            }
        }
        for camera in shop.cameras() {
            let at = camera.view.pose().position;
            assert!(walls.contains(at.floor()) && at.z < shop.room().unwrap().height_metres, "{}", camera.id);
        }
    }
}
