use super::*;

fn wide() -> Lens {
    Lens {
        focal_pixels: [310.0, 312.0],
        centre_pixels: [322.0, 177.0],
        distortion: [-0.28, 0.09, 0.0006, -0.0004, 0.002],
    }
}

#[test]
fn a_camera_that_looks_at_a_point_has_it_in_the_middle_and_the_world_upright() {
    let lens = Lens { distortion: [0.0; 5], ..wide() };
    for (x, y, z) in [(0.0, -2.0, 2.4), (3.0, 1.0, 2.8), (0.5, 0.5, 3.0), (-4.0, -4.0, 0.5)] {
        let target = Point::new(0.5, 0.5, 0.9);
        let camera = Camera::new(lens, CameraPose::look_at(Point::new(x, y, z), target, 0.0));
        let seen = camera.pixel_from_world(target).unwrap();
        assert!(seen.distance(Point::new(322.0, 177.0, 0.0)) < 1e-6, "{seen:?}");
        let above = camera.pixel_from_world(target + Point::new(0.0, 0.02, 0.1)).unwrap();
        assert!(above.y < seen.y, "up in the world is up in the picture: {above:?}");
    }
}

#[test]
fn pixels_go_out_and_come_back_through_a_distorting_lens() {
    let pose = CameraPose::look_at(Point::new(1.0, -2.0, 2.6), Point::new(1.2, 0.5, 0.8), 0.1);
    let camera = Camera::new(wide(), pose);
    for x in [0.5, 120.0, 322.0, 500.0, 639.5] {
        for y in [0.5, 90.0, 177.0, 359.5] {
            let pixel = Point::<Pixel>::new(x, y, 0.0);
            let ray = camera.ray_from_pixel(pixel).unwrap();
            let back = camera.pixel_from_world(pose.position + ray * 2.7).unwrap();
            assert!(back.distance(pixel) < 1e-6, "{pixel:?} came back as {back:?}");
            if let Some(floor) = camera.world_at_height(pixel, 0.0) {
                assert!(floor.z.abs() < 1e-9);
                assert!(camera.pixel_from_world(floor).unwrap().distance(pixel) < 1e-6);
            }
        }
    }
    let behind = pose.position + (pose.position - Point::new(1.2, 0.5, 0.8));
    assert_eq!(camera.pixel_from_world(behind), None);
}

/// World points, metres, and the pixels that OpenCV gives for them.
const OPENCV: [([f64; 3], f64, f64); 4] = [
    ([1.374, -0.535, 2.15], 324.269484977, 327.104269641),
    ([2.812, -0.64, 3.046], 530.692035846, 122.679486362),
    ([2.825, -0.195, 3.047], 478.126973611, 152.132031778),
    ([0.569, 1.106, 2.71], 95.541854672, 260.175168233),
];

#[test]
fn a_camera_agrees_with_figures_worked_out_by_opencv() {
    // cv2.projectPoints, opencv-python 5.0.0: rvec (1.2, -0.4, 0.3), tvec -R (0.7, -1.9, 2.2), the lens below.
    let lens = Lens {
        focal_pixels: [420.0, 415.0],
        centre_pixels: [318.5, 181.25],
        distortion: [-0.21, 0.07, 0.001, -0.0015, 0.004],
    };
    let camera = Camera::new(lens, CameraPose { position: Point::new(0.7, -1.9, 2.2), rotation: [1.2, -0.4, 0.3] });
    for (world, x, y) in OPENCV {
        let seen = camera.pixel_from_world(Point::new(world[0], world[1], world[2])).unwrap();
        assert!((seen.x - x).abs() < 1e-6 && (seen.y - y).abs() < 1e-6, "{world:?}: {seen:?}, not {x}, {y}");
    }
}

#[test]
fn beyond_the_edge_of_the_lens_nothing_is_seen() {
    let camera = Camera::new(
        Lens { distortion: [-0.5, 0.0, 0.0, 0.0, 0.0], ..wide() },
        CameraPose { position: Point::new(0.0, 0.0, 0.0), rotation: [0.0; 3] },
    );
    // The radial term x - x^3 / 2 turns at x^2 = 2/3.
    assert!(camera.pixel_from_world(Point::new(0.8, 0.0, 1.0)).is_some());
    assert_eq!(camera.pixel_from_world(Point::new(0.83, 0.0, 1.0)), None);
    assert_eq!(camera.view_from_pixel(Point::new(322.0 + 310.0 * 0.6, 177.0, 0.0)), None);
}

#[test]
fn boxes_overlap_as_areas_do() {
    let a = PixelBox::from_size(0.0, 0.0, 10.0, 10.0);
    assert_eq!(a.iou(&PixelBox::from_size(5.0, 0.0, 10.0, 10.0)), 50.0 / 150.0);
    assert_eq!(a.iou(&PixelBox::from_size(10.0, 0.0, 10.0, 10.0)), 0.0);
    assert_eq!(a.iou(&a), 1.0);
    assert_eq!(PixelBox::from_size(3.0, 3.0, 0.0, 0.0).iou(&PixelBox::from_size(3.0, 3.0, 0.0, 0.0)), 0.0);
}

#[test]
fn a_similarity_is_found_and_undone() {
    let turn = Affine { rows: [[0.8, -0.6, 5.0], [0.6, 0.8, -3.0]] };
    let from = [[1.0, 2.0], [4.0, -1.0], [0.5, 7.0], [3.0, 3.0]];
    let at = |map: &Affine, [x, y]: [f64; 2]| map.apply(Point::new(x, y, 0.0));
    let to = from.map(|point| [at(&turn, point).x, at(&turn, point).y]);
    let found = Affine::similarity(&from, &to).unwrap();
    let back = found.inverse().unwrap();
    for (point, goal) in from.into_iter().zip(to) {
        assert!((at(&found, point).x - goal[0]).abs() < 1e-9 && (at(&found, point).y - goal[1]).abs() < 1e-9);
        let again = at(&back, goal);
        assert!((again.x - point[0]).abs() < 1e-9 && (again.y - point[1]).abs() < 1e-9);
    }
    assert!((found.scale() - 1.0).abs() < 1e-9);
    assert!(!found.is_upright() && Affine::scaled([2.0, 3.0], [1.0, 1.0]).is_upright());
    assert_eq!(Affine::similarity(&[[1.0, 1.0]; 5], &[[2.0, 2.0]; 5]), None);
    assert_eq!(Affine { rows: [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0]] }.inverse(), None);
}

#[test]
fn a_camera_turns_in_its_place_about_its_own_axes() {
    let pose = CameraPose::look_at(Point::new(1.0, -2.0, 2.6), Point::new(1.2, 0.5, 0.8), 0.4);
    let lens = Lens { distortion: [0.0; 5], ..wide() };
    let seen = |pose: CameraPose, point| Camera::new(lens, pose).pixel_from_world(point).unwrap();
    let ahead = Camera::new(lens, pose).world_from_view(Point::new(0.0, 0.0, 2.0));
    let turned = pose.turned([0.0, 0.1, 0.0]);
    // Turned about its down direction by a tenth, what was straight ahead goes sideways by the tangent, and nowhere else.
    let pixel = seen(turned, ahead);
    assert!((pixel.x - 322.0 - 310.0 * 0.1_f64.tan()).abs() < 1e-6 && (pixel.y - 177.0).abs() < 1e-6, "{pixel:?}");
    assert!(seen(turned.turned([0.0, -0.1, 0.0]), ahead).distance(seen(pose, ahead)) < 1e-6);
    let down = CameraPose::look_at(Point::new(0.0, 0.0, 3.0), Point::new(0.0, 0.0, 0.0), 0.0);
    let beside = seen(down.turned([0.01, 0.0, 0.0]), Point::new(1.0, 0.0, 0.0));
    assert!(beside.distance(seen(down, Point::new(1.0, 0.0, 0.0))) < 6.0, "{beside:?}");
}
