use std::f64::consts::TAU;

use rand::RngExt;

use super::*;
use crate::base::rng::{Dice, dice};
use crate::base::{PlateId, ShelfId};
use crate::facts::Keypoint;
use crate::geometry::{CameraPose, Lens, PixelBox, Placement};
use crate::shop::Plate;

/// A room of 6 by 5 metres with a camera in each corner.
fn cameras() -> Vec<(CameraId, Camera)> {
    let lens =
        Lens { focal_pixels: [330.0, 330.0], centre_pixels: [320.0, 180.0], distortion: [-0.22, 0.05, 0.0, 0.0, 0.0] };
    let corner = |name: &str, x: f64, y: f64| {
        let pose = CameraPose::look_at(Point::new(x, y, 2.7), Point::new(3.0, 2.5, 0.9), 0.0);
        (CameraId::new(name), Camera::new(lens, pose))
    };
    vec![corner("a", 0.1, 0.1), corner("b", 5.9, 0.2), corner("c", 5.8, 4.9), corner("d", 0.2, 4.8)]
}

/// Somebody who walks on an ellipse and swings the arms, at an instant in seconds.
fn walker(number: usize, secs: f64) -> [Point<World>; BodyPoint::COUNT] {
    let phase = number as f64 * TAU / 3.0;
    let angle = secs * 0.45 + phase;
    let (x, y) = (3.0 + 1.6 * angle.cos(), 2.5 + 1.2 * angle.sin());
    let facing = (1.2 * angle.cos()).atan2(-1.6 * angle.sin());
    let (sin, cos) = facing.sin_cos();
    let scale = 0.92 + 0.08 * number as f64;
    let swing = 0.22 * (secs * 5.0 + phase).sin();
    let at = |right: f64, forward: f64, up: f64| {
        Point::new(x + sin * right + cos * forward, y - cos * right + sin * forward, up * scale)
    };
    [
        at(0.0, 0.12, 1.58),
        at(-0.032, 0.1, 1.62),
        at(0.032, 0.1, 1.62),
        at(-0.075, 0.02, 1.60),
        at(0.075, 0.02, 1.60),
        at(-0.18, 0.0, 1.39),
        at(0.18, 0.0, 1.39),
        at(-0.21, swing * 0.5, 1.11),
        at(0.21, -swing * 0.5, 1.11),
        at(-0.22, 0.1 + swing, 0.90),
        at(0.22, 0.1 - swing, 0.90),
        at(-0.13, 0.0, 0.90),
        at(0.13, 0.0, 0.90),
        at(-0.12, 0.1 - swing, 0.48),
        at(0.12, 0.1 + swing, 0.48),
        at(-0.11, -swing, 0.09),
        at(0.11, swing, 0.09),
    ]
}

/// How much goes wrong in what cameras see.
#[derive(Clone, Copy)]
struct Trouble {
    /// Deviation of a keypoint, pixels.
    noise: f64,
    /// Share of keypoints, and of whole people, that are not seen.
    missing: f64,
    /// Share of detections in which left and right are mixed up.
    swapped: f64,
    /// Share of frames in which somebody is seen where nobody is.
    nobody: f64,
}

fn detection(points: Vec<Keypoint>) -> Detection {
    let xs = || points.iter().filter(|point| 0.0 < point.score).map(|point| point.pixel.x);
    let ys = || points.iter().filter(|point| 0.0 < point.score).map(|point| point.pixel.y);
    let bounds = PixelBox {
        left: xs().fold(f64::INFINITY, f64::min) - 8.0,
        top: ys().fold(f64::INFINITY, f64::min) - 12.0,
        right: xs().fold(f64::NEG_INFINITY, f64::max) + 8.0,
        bottom: ys().fold(f64::NEG_INFINITY, f64::max) + 8.0,
    };
    Detection {
        class: DetectionClass::Person,
        bounds,
        score: 0.8,
        keypoints: points,
        embedding: Vec::new(),
        held: None,
    }
}

/// What a camera sees of people who stand so.
fn look(camera: &(CameraId, Camera), people: &[[Point<World>; 17]], trouble: Trouble, roll: &mut Dice) -> SeenFrame {
    let mut normal = |sigma: f64| (0..12).map(|_| roll.random::<f64>()).sum::<f64>() * sigma - 6.0 * sigma;
    let mut noisy = Vec::new();
    for joints in people {
        let pixels = joints.map(|joint| camera.1.pixel_from_world(joint));
        noisy.push(pixels.map(|pixel| {
            let pixel = pixel.filter(|pixel| (0.0..640.0).contains(&pixel.x) && (0.0..360.0).contains(&pixel.y));
            pixel.map(|pixel| pixel + Point::new(normal(trouble.noise), normal(trouble.noise), 0.0))
        }));
    }
    let mut detections = Vec::new();
    for pixels in noisy {
        let mut points: Vec<Keypoint> = pixels
            .into_iter()
            .map(|pixel| match pixel.filter(|_| trouble.missing < roll.random()) {
                Some(pixel) => Keypoint { pixel, score: 0.9 },
                None => Keypoint { pixel: Point::new(0.0, 0.0, 0.0), score: 0.0 },
            })
            .collect();
        if roll.random::<f64>() < trouble.swapped {
            (5..17).step_by(2).for_each(|left| points.swap(left, left + 1));
        }
        let enough = 6 <= points.iter().filter(|point| 0.0 < point.score).count();
        if enough && trouble.missing < roll.random() {
            detections.push(detection(points));
        }
    }
    if roll.random::<f64>() < trouble.nobody {
        let (x, y) = (roll.random_range(60.0..580.0), roll.random_range(60.0..300.0));
        let mut point = || Point::new(x + roll.random_range(-20.0..20.0), y + roll.random_range(-50.0..50.0), 0.0);
        detections.push(detection((0..17).map(|_| Keypoint { pixel: point(), score: 0.5 }).collect()));
    }
    SeenFrame { camera: camera.0.clone(), size_pixels: [640, 360], detections }
}

/// What came of following three walkers for some seconds.
#[derive(Debug, Default)]
struct Outcome {
    floor_errors: Vec<f64>,
    wrist_errors: Vec<f64>,
    /// Tracks that were nearest to each walker, in order of their appearance.
    tracks: [Vec<TrackId>; 3],
    /// Instants at which somebody was told who was nobody, and at which somebody was missed.
    extra: usize,
    missed: usize,
    clocks: Vec<f64>,
}

fn follow(trouble: Trouble, skews: [f64; 4], secs: f64, seed: u64) -> Outcome {
    let (cameras, mut roll) = (cameras(), dice(seed, "bodies"));
    let origin = ShopTime::from_nanos(1_767_513_600_000_000_000);
    let mut tracker = BodyTracker::new(cameras.clone(), Options::USUAL, TrackId::new(1));
    let mut outcome = Outcome::default();
    for frame in 0..(secs * 40.0) as usize {
        let (camera, time) = (frame % 4, frame as f64 / 40.0);
        let people: Vec<_> = (0..3).map(|number| walker(number, time)).collect();
        let seen = look(&cameras[camera], &people, trouble, &mut roll);
        tracker.step(origin + Span::from_secs(time + skews[camera]), &seen);
        if time < 2.0 || frame % 4 != 3 {
            continue;
        }
        let bodies = tracker.bodies(origin + Span::from_secs(time));
        outcome.extra += bodies.len().saturating_sub(3);
        for (number, joints) in people.iter().enumerate() {
            let stands = joints[11].lerp(joints[12], 0.5).floor();
            let near = bodies.iter().min_by(|a, b| a.floor.distance(stands).total_cmp(&b.floor.distance(stands)));
            let Some(body) = near.filter(|body| body.floor.distance(stands) < 0.5) else {
                outcome.missed += 1;
                continue;
            };
            outcome.floor_errors.push(body.floor.distance(stands));
            outcome.wrist_errors.extend([9, 10].map(|wrist| body.joints[wrist].0.distance(joints[wrist])));
            if outcome.tracks[number].last() != Some(&body.track) {
                outcome.tracks[number].push(body.track);
            }
        }
    }
    outcome.clocks = tracker.clocks().iter().map(|(_, clock)| clock.offset.as_secs()).collect();
    outcome.floor_errors.sort_by(f64::total_cmp);
    outcome.wrist_errors.sort_by(f64::total_cmp);
    outcome
}

fn share(errors: &[f64], part: f64) -> f64 {
    errors[((errors.len() - 1) as f64 * part) as usize]
}

const CALM: Trouble = Trouble { noise: 1.0, missing: 0.05, swapped: 0.0, nobody: 0.0 };
const ROUGH: Trouble = Trouble { noise: 3.0, missing: 0.3, swapped: 0.05, nobody: 0.1 };

#[test]
fn people_are_where_they_are_and_keep_their_names() {
    for seed in 0..3 {
        let calm = follow(CALM, [0.0; 4], 12.0, seed);
        assert!(calm.tracks.iter().all(|tracks| tracks.len() == 1), "seed {seed}: {:?}", calm.tracks);
        assert_eq!((calm.extra, calm.missed), (0, 0), "seed {seed}");
        assert!(share(&calm.floor_errors, 0.5) < 0.04, "seed {seed}: {}", share(&calm.floor_errors, 0.5));
        assert!(share(&calm.wrist_errors, 0.5) < 0.05, "seed {seed}: {}", share(&calm.wrist_errors, 0.5));
    }
}

#[test]
fn who_walks_backwards_is_turned_over() {
    // A network that takes every front for a back, in all cameras.
    let turned = follow(Trouble { swapped: 1.0, ..CALM }, [0.0; 4], 12.0, 1);
    assert!(turned.tracks.iter().all(|tracks| tracks.len() == 1), "{:?}", turned.tracks);
    assert!(share(&turned.wrist_errors, 0.9) < 0.15, "{}", share(&turned.wrist_errors, 0.9));
}

#[test]
fn lost_keypoints_mixed_up_sides_and_people_who_are_not_there_do_little_harm() {
    for seed in 0..3 {
        let rough = follow(ROUGH, [0.0; 4], 12.0, seed);
        assert!(rough.tracks.iter().all(|tracks| tracks.len() == 1), "seed {seed}: {:?}", rough.tracks);
        let told = rough.floor_errors.len();
        assert!(rough.extra + rough.missed < told / 50, "seed {seed}: {} of {told} too many", rough.extra);
        assert!(share(&rough.floor_errors, 0.5) < 0.07, "seed {seed}: {}", share(&rough.floor_errors, 0.5));
        assert!(share(&rough.wrist_errors, 0.5) < 0.1, "seed {seed}: {}", share(&rough.wrist_errors, 0.5));
    }
}

#[test]
fn clocks_that_disagree_are_found_out_from_the_people() {
    let skews = [0.08, -0.05, 0.15, -0.2];
    let mean = skews.iter().sum::<f64>() / 4.0;
    let skewed = follow(CALM, skews, 20.0, 7);
    for (found, skew) in skewed.clocks.iter().zip(skews) {
        assert!((found - (skew - mean)).abs() < 0.015, "{found} s, really {} s", skew - mean);
    }
    assert!(share(&skewed.floor_errors, 0.5) < 0.05);
}

#[test]
fn one_camera_alone_says_how_little_it_knows() {
    let (cameras, mut roll) = (cameras(), dice(1, "alone"));
    let origin = ShopTime::from_nanos(0);
    let mut tracker = BodyTracker::new(cameras.clone(), Options::USUAL, TrackId::new(1));
    let people = [walker(0, 0.0)];
    for frame in 0..20 {
        let at = origin + Span::from_secs(f64::from(frame) * 0.1);
        tracker.step(at, &look(&cameras[0], &people, CALM, &mut roll));
    }
    let at = origin + Span::from_secs(1.9);
    let (position, sigma) = tracker.bodies(at)[0].joints[BodyPoint::RightWrist as usize];
    let off = position.distance(people[0][BodyPoint::RightWrist as usize]);
    assert!(0.03 < sigma && off < 3.0 * sigma, "{off} m off, known to {sigma} m");
    let later = |frame: usize| at + Span::from_secs(frame as f64 * 0.025);
    for frame in 1..=20 {
        tracker.step(later(frame), &look(&cameras[frame % 4], &people, CALM, &mut roll));
    }
    let sharper = tracker.bodies(later(20))[0].joints[BodyPoint::RightWrist as usize].1;
    assert!(sharper < sigma * 0.7, "{sharper} m with four cameras, {sigma} m with one");
}

#[test]
fn who_is_gone_is_let_go_and_strange_frames_say_nothing() {
    let (cameras, mut roll) = (cameras(), dice(2, "gone"));
    let mut tracker = BodyTracker::new(cameras.clone(), Options::USUAL, TrackId::new(41));
    let at = |secs: f64| ShopTime::from_nanos(0) + Span::from_secs(secs);
    let people = [walker(1, 0.0)];
    for frame in 0..40 {
        tracker.step(at(f64::from(frame) * 0.025), &look(&cameras[frame as usize % 4], &people, CALM, &mut roll));
    }
    assert_eq!(tracker.people(at(1.0)).people[0].track, TrackId::new(41));
    let empty = |camera: &str| SeenFrame { camera: CameraId::new(camera), size_pixels: [640, 360], detections: vec![] };
    tracker.step(at(1.0), &empty("nobody's"));
    let mut odd = look(&cameras[1], &people, CALM, &mut roll);
    odd.detections[0].keypoints.truncate(3);
    tracker.step(at(1.0), &odd);
    assert_eq!(tracker.people(at(1.0)).people.len(), 1);
    for frame in 0..80 {
        tracker.step(at(1.0 + f64::from(frame) * 0.025), &empty(["a", "b", "c", "d"][frame as usize % 4]));
    }
    assert!(tracker.people(at(3.0)).people.is_empty());
}

#[test]
fn who_is_unseen_is_not_told_and_comes_back_under_the_same_name() {
    let (cameras, mut roll) = (cameras(), dice(3, "back"));
    let mut tracker = BodyTracker::new(cameras.clone(), Options::USUAL, TrackId::new(7));
    let at = |frame: usize| ShopTime::from_nanos(0) + Span::from_secs(frame as f64 * 0.025);
    let people = [walker(1, 0.0)];
    let mut told = Vec::new();
    for frame in 0..120 {
        let mut seen = look(&cameras[frame % 4], &people, CALM, &mut roll);
        if (40..80).contains(&frame) {
            seen.detections.clear();
        }
        tracker.step(at(frame), &seen);
        told.push(tracker.people(at(frame)).people.iter().map(|person| person.track).collect::<Vec<TrackId>>());
    }
    assert_eq!(told[39].len(), 1);
    // For half a second they are taken to be still there.
    assert_eq!(told[50], told[39]);
    assert!(told[60..80].iter().all(Vec::is_empty));
    assert!(told[90..].iter().all(|told_now| *told_now == told[39]));
}

#[test]
fn a_wrist_that_reaches_into_a_shelf_is_at_its_front() {
    let shelf = Shelf {
        id: ShelfId::new(1, 1),
        placement: Placement { origin: Point::new(2.0, 4.0, 1.0), turn_radians: 0.0 },
        depth_metres: 0.4,
        clearance_metres: 0.35,
        plates: vec![Plate { id: PlateId::new(1, 1, 1), left_metres: 0.0, width_metres: 1.0 }],
        facings: Vec::new(),
    };
    let front = Front::of(&shelf);
    let trunk = Point::new(2.5, 3.4, 1.2);
    assert!(front.is_near(trunk) && !front.is_near(Point::new(2.5, 1.0, 1.2)));
    let hold = front.hold(trunk, Point::new(2.4, 4.2, 1.1)).unwrap();
    assert!((hold.off_metres - -0.25).abs() < 1e-9 && (hold.way.y - 1.0).abs() < 1e-9, "{hold:?}");
    assert!(front.hold(trunk, Point::new(2.6, 3.5, 0.9)).is_none(), "an arm that hangs");
}

#[test]
fn sides_that_were_wrong_at_first_are_set_right() {
    let (cameras, mut roll) = (cameras(), dice(5, "sides"));
    let origin = ShopTime::from_nanos(1_767_513_600_000_000_000);
    let mut tracker = BodyTracker::new(cameras.clone(), Options::USUAL, TrackId::new(1));
    let mut off = |secs: f64, swapped: f64| {
        let at = origin + Span::from_secs(secs);
        let truth = walker(0, secs);
        let trouble = Trouble { noise: 1.5, missing: 0.0, swapped, nobody: 0.0 };
        cameras.iter().for_each(|camera| tracker.step(at, &look(camera, &[truth], trouble, &mut roll)));
        let bodies = tracker.bodies(at);
        let wrist = bodies.first().map(|body| body.joints[BodyPoint::LeftWrist as usize].0);
        wrist.map_or(f64::INFINITY, |wrist| wrist.distance(truth[BodyPoint::LeftWrist as usize]))
    };
    let before = (0..10).map(|frame| off(f64::from(frame) * 0.1, 1.0)).last();
    assert!(before.is_some_and(|metres| 0.3 < metres), "{before:?}");
    let after = (10..40).map(|frame| off(f64::from(frame) * 0.1, 0.1)).last();
    assert!(after.is_some_and(|metres| metres < 0.1), "{after:?}");
}
