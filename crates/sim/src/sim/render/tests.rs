mod walker;

use super::shot::BodyPixels;
use std::f64::consts::TAU;

use glam::{Vec2, Vec3};

use self::walker::{Doing, TO_SHELF, figure, standing};
use super::labels::Labels;
use super::lens::{Eye, Vertex, vec3};
use super::mesh::{Mesh, Pose};
use super::*;
use crate::facts::BodyPoint;
use crate::geometry::{CameraPose, Lens, Pixel, PixelBox, Point, World};
use crate::shop::{CameraDraft, Package, PackageShape, RoomDraft, Shop, ShopDraft};
use crate::sim::demo::demo_draft;
use crate::sim::figure::{Axes, CarrierKind, Figure, Holder, Moment, Placed};
use crate::truth::Visibility;

const DISTORTED: [f64; 5] = [-0.28, 0.09, 0.0006, -0.0004, 0.002];

fn camera(name: &str, from: [f64; 3], to: [f64; 3]) -> CameraDraft {
    let point = |[x, y, z]: [f64; 3]| Point::new(x, y, z);
    CameraDraft {
        name: name.to_owned(),
        size_pixels: [320, 180],
        rate_hertz: 10.0,
        lens: Lens { focal_pixels: [160.0, 161.0], centre_pixels: [163.0, 87.0], distortion: DISTORTED },
        pose: CameraPose::look_at(point(from), point(to), 0.05),
        line: None,
    }
}

/// A room with nothing in it, one camera from the side and one from the ceiling.
fn empty_room() -> Shop {
    let draft = ShopDraft {
        cameras: vec![
            camera("side", [0.0, -2.6, 2.2], [0.0, 0.0, 0.9]),
            camera("above", [0.2, 0.1, 2.9], [0.0, 0.0, 0.0]),
        ],
        room: Some(RoomDraft {
            polygon: vec![[-3.0, -3.0], [3.0, -3.0], [3.0, 3.0], [-3.0, 3.0]],
            height_metres: 3.0,
            line: None,
        }),
        ..ShopDraft::default()
    };
    Shop::check(draft).unwrap()
}

fn moment(people: Vec<Figure>) -> Moment {
    Moment { people, goods: Vec::new() }
}

/// What people may do, one after the other.
fn doings() -> impl Iterator<Item = Doing> {
    (0..36).map(|turn| {
        let heading = f64::from(turn) * TAU / 9.0;
        let place = [f64::from(turn % 5) * 0.35 - 0.7, f64::from(turn % 4) * 0.4 - 0.6];
        let still = standing(place, heading, 1.52 + 0.04 * f64::from(turn % 11));
        match turn % 4 {
            0 => Doing { steps: f64::from(turn) * 0.23, gait: 1.0, ..still },
            1 => Doing { reach: Some([0.1, 0.5, 0.5 + 0.04 * f64::from(turn)]), ..still },
            2 => Doing { crouch: 0.6, look_down: 0.4, ..still },
            _ => Doing { carrier: Some(CarrierKind::Basket), ..still },
        }
    })
}

#[test]
fn joints_lie_on_the_body_that_is_drawn_around_them() {
    let shop = empty_room();
    let studio = Studio::new(&shop, &[], Style::standard());
    let mut tried = 0;
    for camera in 0..2 {
        let backdrop = studio.backdrop(camera, &[]);
        for (turn, doing) in doings().enumerate() {
            let looks = [Look::of(turn as u64, 0)];
            let figure = figure(0, &doing);
            let shot = studio.shoot(camera, &backdrop, &[moment(vec![figure])], &looks, 1);
            for kind in BodyPoint::ALL {
                let joint = figure.joints[kind as usize];
                let Some(pixel) = shop.cameras()[camera].view.pixel_from_world(joint) else { continue };
                // The basket is in front of some joints; it is no part of the body.
                let hidden = doing.carrier.is_some() && shot.sees(0, joint, 0.3) == Visibility::Hidden;
                let inside = (1.0..319.0).contains(&pixel.x) && (1.0..179.0).contains(&pixel.y);
                if !inside || hidden {
                    continue;
                }
                tried += 1;
                let near = [(0.0, 0.0), (1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)];
                let owned = |(x, y): &(f64, f64)| shot.owner((pixel.x + x) as u32, (pixel.y + y) as u32) == Some(0);
                assert!(near.iter().any(owned), "camera {camera}, {doing:?}: {kind:?} at {pixel:?}");
            }
        }
    }
    assert!(800 < tried, "only {tried} joints fell into the picture");
}

#[test]
fn a_marker_is_drawn_where_the_camera_says_also_in_the_corners() {
    let shop = empty_room();
    for camera in shop.cameras() {
        let eye = Eye::new(camera);
        for (x, y) in [(12.0, 9.0), (308.0, 8.0), (160.0, 90.0), (11.0, 171.0), (309.0, 172.0), (250.0, 40.0)] {
            let Some(ray) = camera.view.ray_from_pixel(Point::<Pixel>::new(x, y, 0.0)) else { continue };
            let at: Point<World> = camera.view.pose().position + ray * 1.7;
            let mut mesh = Mesh::default();
            let pose = Pose { at: vec3(at), right: Vec3::X, forward: Vec3::Y, up: Vec3::Z };
            mesh.egg(pose, [0.018; 4], 8, 12, Vec3::ONE, 0);
            let mut labels = Labels::new(320, 180);
            for face in &mesh.faces {
                let corners = face.corners.map(|corner| eye.corner(&mesh.vertices[corner as usize]));
                let [a, b, c] = &corners;
                labels.triangle([a, b, c], None);
            }
            let lit = labels.nearness.iter().enumerate().filter(|(_, nearness)| 0.0 < **nearness);
            let (sum, count) = lit.fold((Vec2::ZERO, 0.0), |(sum, count), (place, _)| {
                (sum + Vec2::new((place % 320) as f32 + 0.5, (place / 320) as f32 + 0.5), count + 1.0)
            });
            let off = sum / count - Vec2::new(x as f32, y as f32);
            assert!(4.0 < count && off.length() < 0.75, "{}: {off} from {x}, {y}", camera.id.as_str());
        }
    }
}

#[test]
fn silhouettes_are_not_shifted() {
    let shop = empty_room();
    let studio = Studio::new(&shop, &[], Style::standard());
    // By side: how far the seen box reaches beyond the true one, pixels.
    let mut off: [Vec<f64>; 4] = Default::default();
    for camera in 0..2 {
        let backdrop = studio.backdrop(camera, &[]);
        for (turn, doing) in doings().enumerate().filter(|(_, doing)| doing.carrier.is_none()) {
            // Three instants, as a film has them, of which the truth is told of the second.
            let exposure = [-0.02, 0.0, 0.02].map(|along| {
                let at = [doing.at[0] + along, doing.at[1]];
                moment(vec![figure(0, &Doing { at, ..doing })])
            });
            let shot = studio.shoot(camera, &backdrop, &exposure, &[Look::of(turn as u64, 0)], 1);
            let (whole, seen) = (shot.bodies[0].bounds.unwrap(), shot.bodies[0].visible_bounds.unwrap());
            let sides = |around: PixelBox| [around.left, around.top, around.right, around.bottom];
            let inside = 0.0 < whole.left && whole.right < 320.0 && 0.0 < whole.top && whole.bottom < 180.0;
            if !inside {
                continue;
            }
            // A sole that touches the floor may lose a pixel to it.
            assert!(0.995 < shot.bodies[0].visible_share, "nothing hides {doing:?}");
            for (side, (seen, whole)) in sides(seen).into_iter().zip(sides(whole)).enumerate() {
                assert!((seen - whole).abs() < 1.5, "camera {camera}, side {side} of {doing:?}: {seen}, not {whole}");
                off[side].push(seen - whole);
            }
        }
    }
    let count = off[0].len();
    assert!(15 < count, "only {count} bodies lie whole in the picture");
    let medians = off.map(|mut side| {
        side.sort_by(f64::total_cmp);
        side[count / 2]
    });
    let shift = [(medians[0] + medians[2]) / 2.0, (medians[1] + medians[3]) / 2.0];
    assert!(shift.iter().all(|shift| shift.abs() < 0.1), "shifted by {shift:?}, sides {medians:?}");
}

#[test]
fn markers_at_joints_are_labelled_where_the_camera_says() {
    let shop = empty_room();
    for camera in shop.cameras() {
        let eye = Eye::new(camera);
        let (mut sum, mut count) = (Vec2::ZERO, 0.0);
        for joint in doings().flat_map(|doing| figure(0, &doing).joints) {
            let Some(pixel) = camera.view.pixel_from_world(joint) else { continue };
            if !(6.0..314.0).contains(&pixel.x) || !(6.0..174.0).contains(&pixel.y) {
                continue;
            }
            let mut mesh = Mesh::default();
            let pose = Pose { at: vec3(joint), right: Vec3::X, forward: Vec3::Y, up: Vec3::Z };
            mesh.egg(pose, [0.02; 4], 8, 12, Vec3::ONE, 0);
            let mut labels = Labels::new(320, 180).of_owners(1);
            for face in &mesh.faces {
                let corners = face.corners.map(|corner| eye.corner(&mesh.vertices[corner as usize]));
                let [a, b, c] = &corners;
                labels.triangle([a, b, c], Some(0));
            }
            let shown = labels.seen.iter().enumerate().filter(|(_, owner)| **owner == 0);
            let middles = shown.map(|(place, _)| Vec2::new((place % 320) as f32 + 0.5, (place / 320) as f32 + 0.5));
            let off = middles.sum::<Vec2>() / labels.covered[0] as f32 - Vec2::new(pixel.x as f32, pixel.y as f32);
            assert!(off.length() < 0.5, "{}: {off} from {pixel:?}", camera.id.as_str());
            (sum, count) = (sum + off, count + 1.0);
        }
        assert!(300.0 < count && (sum / count).length() < 0.03, "{count}, off by {}", sum / count);
    }
}

#[test]
fn large_surfaces_bend_with_the_lens() {
    let shop = empty_room();
    for camera in shop.cameras() {
        let eye = Eye::new(camera);
        let corner = |x: f32, y: f32| Vertex { at: Vec3::new(x, y, 0.0), normal: Vec3::Z, ..Vertex::default() };
        let mut labels = Labels::new(320, 180);
        let far = 40.0;
        for triangle in [[(-far, -far), (far, -far), (far, far)], [(-far, -far), (far, far), (-far, far)]] {
            eye.cut(triangle.map(|(x, y)| corner(x, y)), &mut |cut| {
                let [a, b, c] = &cut.map(|(_, corner)| corner);
                labels.triangle([a, b, c], None);
            });
        }
        for place in (0..320 * 180).step_by(11) {
            let depth_at = |x: f64, y: f64| {
                let floor = camera.view.world_at_height(Point::new(x, y, 0.0), 0.0)?;
                Some(camera.view.view_from_world(floor).z).filter(|depth| *depth < 12.0)
            };
            let (x, y) = (f64::from(place % 320) + 0.5, f64::from(place / 320) + 0.5);
            let Some((here, below)) = depth_at(x, y).zip(depth_at(x, y + 1.0)) else { continue };
            let drawn = 1.0 / f64::from(labels.nearness[place as usize]);
            // How far the floor is off, in pixels: by how much depth changes from one to the next.
            let off = (drawn - here).abs() / (below - here).abs().max(0.01);
            assert!(off < 0.5, "{} at {x}, {y}: depth {drawn}, not {here}", camera.id.as_str());
        }
    }
}

fn furnished() -> (Shop, Vec<Package>) {
    let mut draft = demo_draft();
    draft.cameras = vec![camera("front", [1.2, -2.6, 2.0], [1.4, 0.0, 0.8])];
    let shop = Shop::check(draft).unwrap();
    let shapes = [PackageShape::Box, PackageShape::Bottle, PackageShape::Can, PackageShape::Bag];
    let package = |index: usize| Package { shape: shapes[index % 4], size_metres: [0.08, 0.06, 0.14] };
    let packages = (0..shop.catalogue().products().len()).map(package).collect();
    (shop, packages)
}

fn unit(unit: usize, good: usize, at: [f64; 3], holder: Holder) -> Placed {
    let [x, y, z] = at;
    let axes = Axes {
        origin: Point::new(x, y, z),
        right: Point::new(1.0, 0.0, 0.0),
        forward: Point::new(0.0, 1.0, 0.0),
        up: Point::new(0.0, 0.0, 1.0),
    };
    Placed { unit, good, axes, holder }
}

#[test]
fn the_same_scene_gives_the_same_bytes_and_labels_follow_what_hides_whom() {
    let (shop, packages) = furnished();
    let studio = Studio::new(&shop, &packages, Style::varied(5));
    let goods: Vec<Placed> = (0..8).map(|n| unit(n, n, [0.2 + 0.12 * n as f64, 0.08, 0.995], Holder::Shelf)).collect();
    let backdrop = studio.backdrop(0, &goods);
    let looks = [Look::of(3, 0), Look::of(3, 1), Look::of(3, 2)];
    let near = figure(0, &standing([1.2, -1.2], TO_SHELF, 1.8));
    let behind = figure(1, &standing([1.2, -0.5], TO_SHELF, 1.55));
    let outside = figure(2, &standing([1.2, -6.0], TO_SHELF, 1.7));
    let exposure = [moment(vec![near, behind, outside]), moment(vec![near, behind, outside])];
    let first = studio.shoot(0, &backdrop, &exposure, &looks, 9);
    let second = std::thread::scope(|scope| {
        let other = scope.spawn(|| studio.shoot(0, &backdrop, &exposure, &looks, 9));
        other.join().unwrap()
    });
    assert_eq!(first.picture, second.picture);
    assert_eq!(first.bodies, second.bodies);
    let other_dice = studio.shoot(0, &backdrop, &exposure, &looks, 10);
    assert_ne!(first.picture, other_dice.picture, "noise follows its dice");
    let bodies: &[BodyPixels] = &first.bodies;
    let [near_seen, behind_seen, outside_seen] = bodies[..] else { panic!("three bodies") };
    assert!(0.95 < near_seen.visible_share, "{near_seen:?}");
    assert!(behind_seen.visible_share < 0.8, "{behind_seen:?}");
    assert_eq!((outside_seen.visible_bounds, outside_seen.visible_share), (None, 0.0));
    let (whole, seen) = (near_seen.bounds.unwrap(), near_seen.visible_bounds.unwrap());
    assert!(whole.left - 1.0 <= seen.left && seen.right <= whole.right + 1.0, "{seen:?} in {whole:?}");
    // The one who stands in front looks away: the back of the head hides the nose.
    let nose = near.joints[BodyPoint::Nose as usize];
    assert_eq!(first.sees(0, nose, 0.01), Visibility::Hidden);
    assert_eq!(first.sees(0, near.neck, 0.08), Visibility::Visible);
    assert_eq!(first.sees(2, outside.neck, 0.08), Visibility::Outside);
}

#[test]
fn goods_are_drawn_once_on_the_shelf_or_in_a_hand_and_hide_who_stands_behind() {
    let (shop, packages) = furnished();
    let studio = Studio::new(&shop, &packages, Style::standard());
    let looks = [Look::of(3, 0)];
    let person = figure(0, &standing([1.2, -0.9], -TO_SHELF, 1.7));
    let resting = [unit(0, 0, [1.3, 0.1, 0.995], Holder::Shelf)];
    let with = studio.backdrop(0, &resting);
    let bare = studio.backdrop(0, &[]);
    let shoot = |backdrop: &Backdrop, goods: &[Placed], people: Vec<Figure>| {
        studio.shoot(0, backdrop, &[Moment { people, goods: goods.to_vec() }], &looks, 1)
    };
    let on_shelf = shoot(&with, &resting, Vec::new());
    assert_eq!(on_shelf.picture, shoot(&with, &[], Vec::new()).picture, "what rests is in the backdrop");
    assert_ne!(on_shelf.picture, shoot(&bare, &[], Vec::new()).picture);
    let held = [unit(7, 1, [1.2, -1.15, 1.1], Holder::Hand(0, 1))];
    let alone = shoot(&bare, &[], vec![person]);
    let hidden = shoot(&bare, &held, vec![person]);
    assert!(hidden.bodies[0].visible_share < alone.bodies[0].visible_share - 0.005);
    assert_eq!(hidden.bodies[0].bounds, alone.bodies[0].bounds);
    // Something of 8 by 14 centimetres, two metres away.
    let (shown, around) = hidden.pixels_of(7);
    assert!((40..160).contains(&shown), "{shown} pixels show what is held");
    let area = around.unwrap().area();
    assert!((f64::from(shown)..2.0 * f64::from(shown)).contains(&area), "{shown} pixels in a box of {area}");
    assert_eq!([alone.pixels_of(7), hidden.pixels_of(0)], [(0, None); 2]);
    let cover = [held[0], unit(8, 2, [1.2, -1.3, 1.1], Holder::Hand(0, 0))];
    assert!(shoot(&bare, &cover, vec![person]).pixels_of(7).0 < shown, "one thing hides the other");
}

#[test]
fn the_corners_of_the_mouth_lie_below_the_eyes_on_the_skin() {
    let person = figure(0, &standing([0.0, 0.0], -TO_SHELF, 1.72));
    for seed in 0..8 {
        let [left, right] = mouth(&person, &Look::of(seed, 0));
        let [left_eye, right_eye] = [BodyPoint::LeftEye, BodyPoint::RightEye].map(|eye| person.joints[eye as usize]);
        let wide = left.distance(right);
        assert!((0.04..0.06).contains(&wide), "{wide}");
        assert!(
            left.distance(left_eye) < left.distance(right_eye) && right.distance(right_eye) < right.distance(left_eye)
        );
        let down = left_eye.lerp(right_eye, 0.5).distance(left.lerp(right, 0.5));
        assert!((0.06..0.09).contains(&down), "{down}");
    }
}

#[test]
fn portraits_show_the_whole_good_before_a_plain_ground() {
    let shop = Shop::check(demo_draft()).unwrap();
    let product = &shop.catalogue().products()[0];
    for shape in [PackageShape::Box, PackageShape::Bottle, PackageShape::Can, PackageShape::Bag] {
        let package = Package { shape, size_metres: [0.08, 0.06, 0.14] };
        let pictures = portraits(product, &package, 64);
        assert_eq!(pictures, portraits(product, &package, 64));
        assert_eq!(pictures.len(), VIEWS.len());
        for (picture, (view, ..)) in pictures.iter().zip(VIEWS) {
            let ground = picture.get(0, 0).unwrap();
            let is_ground = |x: u32, y: u32| picture.get(x, y).unwrap() == ground;
            let rim = (0..64).all(|at| is_ground(at, 0) && is_ground(at, 63) && is_ground(0, at) && is_ground(63, at));
            assert!(rim, "{shape:?} {view} touches the rim");
            let shown = (0..64 * 64).filter(|at| !is_ground(at % 64, at / 64)).count();
            assert!((600..3_600).contains(&shown), "{shape:?} {view}: {shown} pixels");
        }
        let front = &pictures[0];
        assert!(pictures[1..].iter().all(|other| other != front), "every view is another picture");
    }
}

#[test]
fn motion_within_an_exposure_blurs_and_stillness_does_not() {
    let shop = empty_room();
    let studio = Studio::new(&shop, &[], Style::standard());
    let backdrop = studio.backdrop(0, &[]);
    let looks = [Look::of(1, 0)];
    let at = |x: f64| moment(vec![figure(0, &standing([x, 0.0], 0.0, 1.75))]);
    let still = studio.shoot(0, &backdrop, &[at(0.0), at(0.0), at(0.0), at(0.0)], &looks, 1);
    let sharp = studio.shoot(0, &backdrop, &[at(0.0)], &looks, 1);
    let moved = studio.shoot(0, &backdrop, &[at(-0.06), at(-0.02), at(0.02), at(0.06)], &looks, 1);
    assert_eq!(still.picture, sharp.picture);
    assert_ne!(moved.picture, sharp.picture);
    let centre = |shot: &Shot| shot.bodies[0].bounds.unwrap().centre().x;
    assert!(centre(&sharp) < centre(&moved) && centre(&moved) < centre(&sharp) + 6.0, "labels are of the middle");
}
