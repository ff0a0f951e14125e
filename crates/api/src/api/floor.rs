//! What stands where in the shop, seen from above: made once of the shop's files, for whoever draws it.

use schemars::JsonSchema;
use serde::Serialize;

use super::problem::Problem;
use super::reply::Nothing;
use super::route::Call;
use super::tagged::Tagged;
use crate::base::{CameraId, Currency, Interchange, Money, PlateId, ShelfId, SkuId};
use crate::geometry::{Floor as OnFloor, Pixel, Point};
use crate::shop::{Camera, Plate, Room, Shelf, Shop, ZoneKind};

/// As far as a camera is drawn to see, metres over the floor.
const SIGHT_METRES_MAX: f64 = 12.0;
/// Points of each side of a picture that are looked for on the floor.
const POINTS_PER_SIDE: u32 = 16;
/// A wall that is nearer to a camera than this is the one that it hangs on, metres.
const WALL_METRES: f64 = 0.1;

/// A corner on the floor, metres: x, y.
type Corner = [f64; 2];

/// The shop from above. All places are metres in its own frame.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Floor")]
pub(super) struct FloorView {
    /// What the shop is called.
    shop: String,
    /// The currency of its prices.
    currency: Currency,
    /// The language and customs of its receipts, as web pages name them.
    locale: String,
    /// The zone whose time its receipts say, by its name or its distance from UTC.
    timezone: String,
    /// The walls, corner by corner; none where they were not measured.
    room: Option<Vec<Corner>>,
    /// The zones.
    zones: Vec<ZoneView>,
    /// The shelves, by name.
    shelves: Vec<ShelfView>,
    /// The cameras.
    cameras: Vec<CameraView>,
    /// The catalogue, by code.
    products: Vec<ProductView>,
}

/// A part of the floor.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FloorZone")]
struct ZoneView {
    /// Its name.
    name: String,
    /// What it is for.
    kind: ZoneKind,
    /// Its corners.
    outline: Vec<Corner>,
}

/// A shelf board.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FloorShelf")]
struct ShelfView {
    /// Its name.
    shelf: ShelfId,
    /// Its corners: the front from left to right, the back from right to left.
    outline: [Corner; 4],
    /// Its surface above the floor, metres.
    height: f64,
    /// Its plates, from left to right.
    plates: Vec<PlateView>,
}

/// A plate that weighs.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FloorPlate")]
struct PlateView {
    /// Its name.
    plate: PlateId,
    /// Its corners, as those of its shelf.
    outline: [Corner; 4],
    /// What should stand there; none where nothing is planned.
    products: Vec<SkuId>,
}

/// A camera.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FloorCamera")]
struct CameraView {
    /// Its name.
    name: CameraId,
    /// Where it hangs.
    place: Corner,
    /// How high, metres.
    height: f64,
    /// Where its picture meets the floor, as far as the walls, or 12 m from it; shelves hide nothing here. Empty where it sees
    /// no floor.
    sees: Vec<Corner>,
}

/// A product of the catalogue.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FloorProduct")]
struct ProductView {
    /// Its code.
    sku: SkuId,
    /// What people call it.
    name: String,
    /// What one costs; none where it has no price.
    price: Option<Money>,
}

impl FloorView {
    fn new(shop: &Shop) -> Self {
        let zone = shop.zone();
        let timezone = zone.iana_name().map(str::to_owned);
        let product = |product: &crate::shop::Product| ProductView {
            sku: product.sku.clone(),
            name: product.name.clone(),
            price: product.price,
        };
        FloorView {
            shop: shop.name().to_owned(),
            currency: shop.policy().currency,
            locale: shop.locale().tag().to_owned(),
            timezone: timezone.or_else(|| shop.draft().timezone.clone()).unwrap_or_else(|| "UTC".to_owned()),
            room: shop.room().map(|room| room.polygon.iter().copied().map(corner).collect()),
            zones: shop.zones().iter().map(ZoneView::new).collect(),
            shelves: shop.shelves().iter().map(ShelfView::new).collect(),
            cameras: shop.cameras().iter().map(|camera| CameraView::new(camera, shop.room())).collect(),
            products: shop.catalogue().products().iter().map(product).collect(),
        }
    }
}

impl ZoneView {
    fn new(zone: &crate::shop::Zone) -> Self {
        let outline = zone.polygon.iter().copied().map(corner).collect();
        ZoneView { name: zone.name.clone(), kind: zone.kind, outline }
    }
}

impl ShelfView {
    fn new(shelf: &Shelf) -> Self {
        ShelfView {
            shelf: shelf.id,
            outline: shelf.outline().map(corner),
            height: rounded(shelf.placement.world_from_local(Point::new(0.0, 0.0, 0.0)).z),
            plates: shelf.plates.iter().map(|plate| PlateView::new(shelf, plate)).collect(),
        }
    }
}

impl PlateView {
    fn new(shelf: &Shelf, plate: &Plate) -> Self {
        let (left, right, depth) = (plate.left_metres, plate.left_metres + plate.width_metres, shelf.depth_metres);
        let outline = [(left, 0.0), (right, 0.0), (right, depth), (left, depth)]
            .map(|(x, y)| corner(shelf.placement.world_from_local(Point::new(x, y, 0.0)).floor()));
        let products = shelf.facing_of(plate.id).and_then(|facing| facing.sku.clone()).into_iter().collect();
        PlateView { plate: plate.id, outline, products }
    }
}

impl CameraView {
    fn new(camera: &Camera, room: Option<&Room>) -> Self {
        let position = camera.view.pose().position;
        CameraView {
            name: camera.id.clone(),
            place: corner(position.floor()),
            height: rounded(position.z),
            sees: sees(camera, room),
        }
    }
}

/// Where the border of a camera's picture meets the floor.
fn sees(camera: &Camera, room: Option<&Room>) -> Vec<Corner> {
    let place = camera.view.pose().position.floor();
    let mut outline: Vec<Corner> = Vec::new();
    for pixel in border(camera.size_pixels) {
        let Some(met) = on_floor(camera, pixel) else { continue };
        let met = corner(room.map_or(met, |room| before_wall(room, place, met)));
        if outline.last() != Some(&met) {
            outline.push(met);
        }
    }
    if outline.len() < 3 { Vec::new() } else { outline }
}

/// Pixels around a picture, in order.
fn border([width, height]: [u32; 2]) -> impl Iterator<Item = Point<Pixel>> {
    let (right, bottom) = (f64::from(width), f64::from(height));
    let corners = [(0.0, 0.0), (right, 0.0), (right, bottom), (0.0, bottom), (0.0, 0.0)];
    (0..4).flat_map(move |side| {
        let [from, to] = [corners[side], corners[side + 1]].map(|(x, y)| Point::new(x, y, 0.0));
        (0..POINTS_PER_SIDE).map(move |step| from.lerp(to, f64::from(step) / f64::from(POINTS_PER_SIDE)))
    })
}

/// Where what falls on a pixel stands on the floor; towards the horizon and above it as far as a camera is drawn to see.
fn on_floor(camera: &Camera, pixel: Point<Pixel>) -> Option<Point<OnFloor>> {
    let position = camera.view.pose().position;
    let place = position.floor();
    let near = |met: &Point<OnFloor>| place.distance(*met) <= SIGHT_METRES_MAX;
    if let Some(met) = camera.view.world_at_height(pixel, 0.0).map(|met| met.floor()).filter(near) {
        return Some(met);
    }
    let ray = camera.view.ray_from_pixel(pixel)?;
    let level = Point::<OnFloor>::new(ray.x, ray.y, 0.0);
    let far = SIGHT_METRES_MAX / level.norm();
    far.is_finite().then(|| place + level * far)
}

/// The last point before the first wall on the way from a camera; its own place where the way leads into no room.
fn before_wall(room: &Room, from: Point<OnFloor>, to: Point<OnFloor>) -> Point<OnFloor> {
    let way = to - from;
    let metres = way.norm();
    let ends = room.polygon.iter().zip(room.polygon.iter().cycle().skip(1));
    // Where a wall is crossed, as a share of the way, and whether that leads out.
    let crossing = |(a, b): (&Point<OnFloor>, &Point<OnFloor>)| {
        let (along, off) = (*b - *a, *a - from);
        let cross = |p: Point<OnFloor>, q: Point<OnFloor>| p.x * q.y - p.y * q.x;
        let parallel = cross(way, along);
        let (share, at) = (cross(off, along) / parallel, cross(off, way) / parallel);
        let is_crossed = WALL_METRES < share * metres && share <= 1.0 && (0.0..=1.0).contains(&at);
        is_crossed.then(|| (share, !room.contains(from + way * (share + 0.01 / metres))))
    };
    let crossed: Vec<(f64, bool)> = ends.filter_map(crossing).collect();
    let begins_inside = metres <= WALL_METRES || room.contains(from + way * (1.1 * WALL_METRES / metres));
    if !begins_inside && crossed.iter().all(|(_, leads_out)| *leads_out) {
        return from;
    }
    let first = crossed.iter().filter(|(_, leads_out)| *leads_out).map(|(share, _)| *share).fold(1.0, f64::min);
    from + way * first
}

fn corner(point: Point<OnFloor>) -> Corner {
    [rounded(point.x), rounded(point.y)]
}

/// To the millimetre, without a zero that is negative.
fn rounded(metres: f64) -> f64 {
    (metres * 1_000.0).round() / 1_000.0 + 0.0
}

/// `GET /v1/floor`
pub(super) fn get(call: &Call<'_>, _: Nothing, _: Nothing, _: Nothing) -> Result<Tagged<FloorView>, Problem> {
    let draw = || FloorView::new(&call.api.till().shop().clone());
    call.api.floor.give(call.headers, "floor", || serde_json::to_vec(&Interchange(&draw())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::{Camera as Lensed, CameraPose, Lens};

    fn point(x: f64, y: f64) -> Point<OnFloor> {
        Point::new(x, y, 0.0)
    }

    /// A camera 3 m above the origin with a picture as wide as high, a quarter turn from edge to edge.
    fn camera(towards: [f64; 3]) -> Camera {
        let lens = Lens { focal_pixels: [100.0; 2], centre_pixels: [100.0; 2], distortion: [0.0; 5] };
        let [x, y, z] = towards;
        let pose = CameraPose::look_at(Point::new(0.0, 0.0, 3.0), Point::new(x, y, z), 0.0);
        let id = CameraId::new("one");
        Camera { id, size_pixels: [200; 2], rate_hertz: 15.0, view: Lensed::new(lens, pose) }
    }

    fn room(corners: &[[f64; 2]]) -> Room {
        Room { polygon: corners.iter().map(|[x, y]| point(*x, *y)).collect(), height_metres: 3.0 }
    }

    #[test]
    fn a_camera_that_looks_down_sees_a_square_as_far_as_the_walls() {
        let whole = sees(&camera([0.0, 0.0, 0.0]), None);
        assert_eq!(whole.len(), 64);
        assert!(whole.iter().all(|[x, y]| (x.abs().max(y.abs()) - 3.0).abs() < 1e-3), "{whole:?}");
        let narrow = room(&[[-5.0, -1.0], [5.0, -1.0], [5.0, 1.0], [-5.0, 1.0]]);
        let cut = sees(&camera([0.0, 0.0, 0.0]), Some(&narrow));
        assert!(cut.iter().all(|[x, y]| x.abs() <= 3.001 && y.abs() <= 1.001), "{cut:?}");
        assert!(cut.iter().any(|[x, _]| 2.9 < x.abs()) && cut.iter().any(|[_, y]| 0.999 < *y));
    }

    #[test]
    fn a_camera_that_looks_level_sees_twelve_metres_far() {
        let outline = sees(&camera([0.0, 1.0, 3.0]), None);
        let far = |[x, y]: &Corner| x.hypot(*y);
        assert!(outline.iter().all(|met| far(met) <= 12.001 && 2.9 <= met[1]), "{outline:?}");
        assert!(outline.iter().any(|met| 11.999 < far(met)));
    }

    #[test]
    fn a_camera_in_the_corner_of_a_room_with_a_bend_sees_not_through_its_walls() {
        let bend = room(&[[0.0, 0.0], [6.0, 0.0], [6.0, 2.0], [2.0, 2.0], [2.0, 6.0], [0.0, 6.0]]);
        let outline = sees(&camera([1.0, 1.0, 2.5]), Some(&bend));
        assert!(!outline.is_empty());
        for [x, y] in outline {
            assert!((-0.02..=6.02).contains(&x) && (-0.02..=6.02).contains(&y), "{x} {y}");
            assert!(x <= 2.02 || y <= 2.02, "{x} {y} is behind the bend");
        }
    }
}
