use super::{FloorCamera, FloorOptions, FootPoint, foot_point, merge};
use crate::geometry::{Camera, CameraPose, Floor, Lens, PixelBox, Point, World};

/// Four cameras in the corners of a room of 8 by 6 metres, 3 m up.
fn cameras() -> Vec<FloorCamera> {
    let lens = Lens { focal_pixels: [900.0, 900.0], centre_pixels: [640.0, 360.0], distortion: [0.0; 5] };
    let corners = [(0.0, 0.0), (8.0, 0.0), (8.0, 6.0), (0.0, 6.0)];
    let pose = |(x, y)| CameraPose::look_at(Point::new(x, y, 3.0), Point::new(4.0, 3.0, 0.0), 0.0);
    corners.map(|corner| FloorCamera { camera: Camera::new(lens, pose(corner)), size_pixels: [1280, 720] }).into()
}

/// The box in which a camera sees somebody 1.7 m tall, with its foot shifted by some pixels.
fn seen(camera: &Camera, x: f64, y: f64, off: f64) -> PixelBox {
    let foot = camera.pixel_from_world(Point::new(x, y, 0.0)).unwrap();
    let head = camera.pixel_from_world(Point::new(x, y, 1.7)).unwrap();
    let half = (foot.y - head.y) / 5.0;
    PixelBox { left: foot.x - half, top: head.y, right: foot.x + half, bottom: foot.y + off }
}

fn feet(people: &[(f64, f64)], offs: [f64; 4]) -> Vec<FootPoint> {
    let (cameras, options) = (cameras(), FloorOptions::default());
    let pairs = people.iter().flat_map(|&person| (0..4).map(move |index| (person, index)));
    let boxes = pairs.map(|((x, y), index)| (index, seen(&cameras[index].camera, x, y, offs[index])));
    boxes.filter_map(|(index, bounds)| foot_point(&cameras, index, &bounds, &options)).collect()
}

#[test]
fn everybody_is_found_once_where_they_stand() {
    let people = [(4.0, 3.0), (4.6, 3.0), (2.0, 3.5)];
    let feet = feet(&people, [3.0, -3.0, 2.0, -2.0]);
    assert_eq!(feet.len(), 12);
    let found = merge(&feet, &cameras(), &FloorOptions::default());
    assert_eq!(found.len(), 3);
    for (person, (x, y)) in found.iter().zip(people) {
        assert!(person.point.distance(Point::<Floor>::new(x, y, 0.0)) < 0.1, "{person:?} for {x}, {y}");
        assert_eq!(person.feet.len(), 4);
        assert!(person.covariance.trace() < feet[person.feet[0]].covariance.trace() / 2.0);
    }
}

#[test]
fn noise_grows_with_distance_and_away_from_the_camera() {
    let (cameras, options) = (cameras(), FloorOptions { body_radius_metres: 0.0, ..FloorOptions::default() });
    let at = |x: f64, y: f64| {
        foot_point(&cameras, 0, &seen(&cameras[0].camera, x, y, 0.0), &options).map(|foot| foot.covariance.trace())
    };
    let (near, far) = (at(3.0, 2.25).unwrap(), at(7.0, 5.25).unwrap());
    assert!(near < far, "{near} {far}");
    // Along the view a pixel is longer than across; the first camera looks along (4, 3).
    let foot = foot_point(&cameras, 0, &seen(&cameras[0].camera, 4.0, 3.0, 0.0), &options).unwrap();
    let (along, across) = (nalgebra::Vector2::new(0.8, 0.6), nalgebra::Vector2::new(-0.6, 0.8));
    let spread = |way: nalgebra::Vector2<f64>| way.dot(&(foot.covariance * way));
    assert!(2.0 * spread(across) < spread(along), "{}", foot.covariance);
}

#[test]
fn what_only_one_camera_sees_is_left_out_where_others_look() {
    let (cameras, options) = (cameras(), FloorOptions::default());
    let all = feet(&[(4.0, 3.0)], [0.0; 4]);
    assert!(merge(&all[..1], &cameras, &options).is_empty());
    assert_eq!(merge(&all[..1], &cameras[..1], &options).len(), 1);
    assert_eq!(merge(&all[..2], &cameras, &options).len(), 1);
    // Two boxes of one camera are two people.
    let twice = [all[0], all[0]];
    assert_eq!(merge(&twice, &cameras[..1], &options).len(), 2);
    assert!(merge(&[], &cameras, &options).is_empty());
}

#[test]
fn cut_off_feet_and_those_above_the_horizon_are_not_placed() {
    let (cameras, options) = (cameras(), FloorOptions::default());
    let cases = [
        PixelBox::from_size(600.0, 300.0, 80.0, 420.0),
        PixelBox { left: 600.0, top: -300.0, right: 680.0, bottom: -200.0 },
    ];
    for bounds in cases {
        assert_eq!(foot_point(&cameras, 0, &bounds, &options), None, "{bounds:?}");
    }
    let below: Point<World> = Point::new(4.0, 3.0, 0.0);
    assert!(cameras[0].sees(below.floor()) && !cameras[0].sees(Point::new(-4.0, -3.0, 0.0)));
    assert_eq!(foot_point(&cameras, 9, &seen(&cameras[0].camera, 4.0, 3.0, 0.0), &options), None);
}
