use std::collections::BTreeSet;

use rand::RngExt;

use super::{Counters, Options, PathOptions, Paths, ScoreScale, Tracker, Tracklet};
use crate::base::limits::{DETECTIONS_PER_FRAME_MAX, TRACKS_PER_CAMERA_MAX};
use crate::base::rng::dice;
use crate::base::{ShopTime, Span, TrackId};
use crate::facts::{Detection, DetectionClass, Keypoint};
use crate::geometry::{PixelBox, Point};

fn at(millis: i64) -> ShopTime {
    ShopTime::from_nanos(0) + Span::from_millis(millis)
}

fn person(left: f64, top: f64, score: f64) -> Detection {
    Detection {
        class: DetectionClass::Person,
        bounds: PixelBox::from_size(left, top, 40.0, 100.0),
        score,
        keypoints: Vec::new(),
        embedding: Vec::new(),
        held: None,
    }
}

/// Feeds a frame every `millis` and gives what the tracker says of each.
fn run(millis: i64, frames: &[Vec<Detection>]) -> Vec<Vec<Tracklet>> {
    let mut tracker = Tracker::new(Options::default());
    (0..).zip(frames).map(|(index, frame)| tracker.step(at(index * millis), frame)).collect()
}

fn ids(frames: &[Vec<Tracklet>]) -> BTreeSet<TrackId> {
    frames.iter().flatten().map(|one| one.track).collect()
}

#[test]
fn somebody_who_walks_behind_a_pillar_keeps_the_name() {
    // At 10 frames a second, 80 pixels a second; unseen for 1.5 s, in which a person's width and more goes by.
    let frames: Vec<Vec<Detection>> = (0..50)
        .map(|frame| if (20..35).contains(&frame) { vec![] } else { vec![person(8.0 * f64::from(frame), 50.0, 0.9)] })
        .collect();
    let told = run(100, &frames);
    assert_eq!(ids(&told).len(), 1);
    assert!(told[49][0].confirmed && (told[49][0].velocity.x - 80.0).abs() < 8.0, "{:?}", told[49]);
    // Every third frame only, irregularly: still one.
    let mut tracker = Tracker::new(Options::default());
    let times = [0, 1, 3, 5, 9, 10, 14, 18, 21, 26, 29, 33];
    let told = times.map(|step| tracker.step(at(100 * step), &[person(8.0 * step as f64, 50.0, 0.9)]));
    assert_eq!(ids(&told).len(), 1);
    // Gone for longer than anybody is waited for, it is somebody new.
    let late = tracker.step(at(3_300 + 2_100), &[person(8.0 * 54.0, 50.0, 0.9)]);
    assert_eq!(late[0].track, TrackId::new(2));
}

#[test]
fn two_who_cross_keep_their_names() {
    let frames: Vec<Vec<Detection>> = (0..40)
        .map(|frame| {
            let step = 6.0 * f64::from(frame);
            let both = vec![person(step, 50.0, 0.9), person(240.0 - step, 60.0, 0.9)];
            // While one is before the other, the detector sees one of them.
            if (18..23).contains(&frame) { both[..1].to_vec() } else { both }
        })
        .collect();
    let told = run(100, &frames);
    assert_eq!(ids(&told).len(), 2);
    let name = |frame: usize, which: usize| told[frame].iter().find(|one| one.detection == which).map(|one| one.track);
    assert_eq!((name(39, 0), name(39, 1)), (name(0, 0), name(0, 1)));
}

#[test]
fn unsure_detections_go_on_with_tracks_and_begin_none() {
    let unsure: Vec<Vec<Detection>> = (0..30).map(|_| vec![person(10.0, 10.0, 0.4)]).collect();
    assert!(ids(&run(100, &unsure)).is_empty());
    // After three sure frames it is somebody, and stays so for as long as somebody lost is waited for.
    let frames: Vec<Vec<Detection>> =
        (0..40).map(|frame| vec![person(10.0, 10.0, if frame < 3 { 0.9 } else { 0.4 })]).collect();
    let told = run(100, &frames);
    assert_eq!(ids(&told).len(), 1);
    assert!(!told[22].is_empty() && told[23].is_empty(), "{:?}", told.iter().map(Vec::len).collect::<Vec<_>>());
}

#[test]
fn a_flicker_is_never_confirmed() {
    let mut frames = vec![vec![]; 10];
    frames[4] = vec![person(10.0, 10.0, 0.95)];
    frames[8] = vec![person(10.0, 10.0, 0.95)];
    let told = run(100, &frames);
    assert!(told.iter().flatten().all(|one| !one.confirmed));
    assert_eq!(ids(&told).len(), 2);
}

#[test]
fn looks_and_poses_tell_apart_who_stands_at_one_place() {
    let look = |left: f64, embedding: [f32; 2]| Detection { embedding: embedding.to_vec(), ..person(left, 50.0, 0.9) };
    let (red, blue) = ([1.0, 0.0], [0.0, 1.0]);
    // Looks are believed once they have shown that they tell people apart.
    let mut frames: Vec<Vec<Detection>> = (0..60).map(|_| vec![look(100.0, red), look(124.0, blue)]).collect();
    // In one step each comes nearer to where the other was.
    frames.push(vec![look(114.0, red), look(110.0, blue)]);
    let told = run(100, &frames);
    assert_eq!(told[60].iter().map(|one| one.track).collect::<Vec<_>>(), [TrackId::new(1), TrackId::new(2)]);
    let posed = |left: f64, bend: f64| {
        let keypoint = |index: i32| {
            let (row, side) = (f64::from(index / 2), f64::from(index % 2));
            Keypoint { pixel: Point::new(left + 10.0 + 20.0 * side + bend * row, 55.0 + 10.0 * row, 0.0), score: 0.9 }
        };
        Detection { keypoints: (0..17).map(keypoint).collect(), ..person(left, 50.0, 0.9) }
    };
    let mut frames: Vec<Vec<Detection>> = (0..10).map(|_| vec![posed(100.0, -3.0), posed(124.0, 3.0)]).collect();
    frames.push(vec![posed(113.0, -3.0), posed(111.0, 3.0)]);
    let told = run(100, &frames);
    assert_eq!(told[10].iter().map(|one| one.track).collect::<Vec<_>>(), [TrackId::new(1), TrackId::new(2)]);
}

#[test]
fn looks_that_are_noise_change_nothing() {
    let mut roll = dice(5, "looks");
    let mut noise = || (0..128).map(|_| roll.random::<f32>() - 0.5).collect::<Vec<f32>>();
    let plain: Vec<Vec<Detection>> = (0..120)
        .map(|frame| {
            let left = 4.0 * f64::from(frame);
            vec![person(left, 50.0, 0.9), person(480.0 - left, 70.0, 0.9)]
        })
        .collect();
    let noisy: Vec<Vec<Detection>> = plain
        .iter()
        .map(|frame| frame.iter().map(|one| Detection { embedding: noise(), ..one.clone() }).collect())
        .collect();
    assert_eq!(run(100, &plain), run(100, &noisy));
}

#[test]
fn classes_do_not_mix() {
    let hand = |left: f64| Detection { class: DetectionClass::Hand, ..person(left, 50.0, 0.9) };
    let mut frames = vec![vec![person(100.0, 50.0, 0.9)]; 5];
    frames.extend(vec![vec![hand(100.0)]; 5]);
    assert_eq!(ids(&run(100, &frames)).len(), 2);
    // Nor where somebody unsure is taken for who was there.
    let unsure = Detection { score: 0.4, ..hand(100.0) };
    let mut frames = vec![vec![person(100.0, 50.0, 0.9)]; 5];
    frames.extend(vec![vec![unsure]; 5]);
    assert!(run(100, &frames)[5..].iter().all(Vec::is_empty));
    // Nor where paths are joined: a person ends where a little later a hand begins.
    let mut tracker = Tracker::new(Options::default());
    let mut paths = Paths::default();
    for frame in 0..20 {
        let seen = vec![if frame < 10 { person(100.0, 50.0, 0.9) } else { hand(100.0) }];
        let told = tracker.step(at(100 * frame), &seen);
        paths.add(at(100 * frame), &seen, &told);
    }
    assert_eq!(paths.finish(&PathOptions::default()).values().map(Vec::len).collect::<Vec<_>>(), [10, 10]);
}

#[test]
fn slow_cameras_have_tracks_too() {
    let frames: Vec<Vec<Detection>> = (0..12).map(|frame| vec![person(6.0 * f64::from(frame), 50.0, 0.9)]).collect();
    // At 2 frames a second, at 0.4, and at 1 in 10 seconds.
    for millis in [500, 2_500, 10_000] {
        let told = run(millis, &frames);
        assert_eq!(ids(&told).len(), 1, "a frame in {millis} ms");
        assert!(told[11][0].confirmed, "a frame in {millis} ms");
    }
    // Who is not in a frame of such a camera is not waited for longer than anybody else.
    let told = run(2_500, &[frames[0].clone(), frames[1].clone(), frames[2].clone(), vec![], frames[3].clone()]);
    assert_eq!(ids(&told).len(), 2);
}

#[test]
fn odd_input_is_left_out_and_counted_and_memory_is_bounded() {
    let mut tracker = Tracker::new(Options::default());
    let odd = [
        person(f64::NAN, 0.0, 0.9),
        person(0.0, 0.0, f64::NAN),
        Detection { bounds: PixelBox { left: 5.0, top: 0.0, right: 0.0, bottom: 9.0 }, ..person(0.0, 0.0, 0.9) },
    ];
    assert!(tracker.step(at(0), &odd).is_empty());
    assert!(tracker.step(at(0), &[person(0.0, 0.0, 0.9)]).is_empty(), "time stands still");
    let many: Vec<Detection> = (0..DETECTIONS_PER_FRAME_MAX + 5).map(|n| person(50.0 * n as f64, 0.0, 0.9)).collect();
    assert_eq!(tracker.step(at(100), &many).len(), DETECTIONS_PER_FRAME_MAX.min(TRACKS_PER_CAMERA_MAX));
    let expected = Counters { odd_detections: 3, excess_detections: 5, late_frames: 1, excess_tracks: 0 };
    assert_eq!(tracker.counters(), expected);
}

#[test]
fn scores_are_read_by_what_they_are() {
    assert_eq!(ScoreScale::of([0.2, 0.9, 0.5]), ScoreScale::Share);
    assert_eq!(ScoreScale::of([-1.0, -1.0]), ScoreScale::Certain);
    assert_eq!(ScoreScale::of([]), ScoreScale::Certain);
    let ranked = ScoreScale::of([-0.7, 20.0, 7.0, 138.0]);
    assert_eq!([-0.7, 7.0, 20.0, 138.0].map(|score| ranked.apply(score)), [0.625, 0.75, 0.875, 1.0]);
    assert_eq!(ScoreScale::Certain.apply(-1.0), 1.0);
}

#[test]
fn looking_back_fills_gaps_joins_paths_and_leaves_out_nobody() {
    let mut tracker = Tracker::new(Options { lost_span_max: Span::from_millis(500), ..Options::default() });
    let mut paths = Paths::default();
    for frame in 0..60 {
        let mut seen = vec![person(500.0, 300.0, 0.65)];
        // Unseen for 0.8 s, which is longer than the tracker waits: two tracks of one person.
        if !(20..28).contains(&frame) {
            seen.push(person(8.0 * f64::from(frame), 50.0, 0.95));
        }
        seen.push(person(8.0 * f64::from(frame), 500.0, 0.95));
        let told = tracker.step(at(100 * i64::from(frame)), &seen);
        paths.add(at(100 * i64::from(frame)), &seen, &told);
    }
    let told = paths.clone().finish(&PathOptions::default());
    let lengths: Vec<usize> = told.values().map(Vec::len).collect();
    assert_eq!(lengths, [60, 60], "the poster is out, the gap is filled");
    for path in told.values() {
        for (frame, point) in path.iter().enumerate() {
            assert!((point.bounds.left - 8.0 * frame as f64).abs() < 2.0, "frame {frame}: {point:?}");
        }
    }
    let apart = paths.finish(&PathOptions { join_span_max: Span::ZERO, ..PathOptions::default() });
    assert_eq!(apart.values().map(Vec::len).collect::<Vec<_>>(), [20, 60, 32]);
}

/// Paths of what somebody calls the same detections: in each frame a detection and its name, every 100 ms.
fn paths_of(frames: impl Iterator<Item = Vec<(Detection, u64)>>) -> Vec<Vec<f64>> {
    let mut paths = Paths::default();
    for (frame, named) in (0..).zip(frames) {
        let (seen, names): (Vec<Detection>, Vec<u64>) = named.into_iter().unzip();
        let tracklet = |(detection, name): (usize, &u64)| Tracklet {
            track: TrackId::new(*name),
            detection,
            bounds: seen[detection].bounds,
            velocity: Point::new(0.0, 0.0, 0.0),
            score: seen[detection].score,
            confirmed: true,
        };
        let told: Vec<Tracklet> = names.iter().enumerate().map(tracklet).collect();
        paths.add(at(100 * frame), &seen, &told);
    }
    let lefts = |path: Vec<super::PathPoint>| path.iter().map(|point| point.bounds.left).collect();
    paths.finish(&PathOptions::default()).into_values().map(lefts).collect()
}

/// A step to the right each frame, and one to the left; they meet in frame 60.
fn passing(frame: i32) -> [Detection; 2] {
    let step = 6.0 * f64::from(frame);
    [person(step, 50.0, 0.9), person(720.0 - step, 54.0, 0.9)]
}

#[test]
fn who_was_taken_for_another_behind_whom_they_went_is_exchanged() {
    // One is hidden meanwhile; whichever way the names went, both walk on.
    for wrong in [false, true] {
        let frames = (0..120).map(|frame| {
            let [one, other] = passing(frame);
            match frame {
                0..56 => vec![(one, 1), (other, 2)],
                56..64 => vec![(one, if wrong { 2 } else { 1 })],
                _ if wrong => vec![(one, 2), (other, 1)],
                _ => vec![(one, 1), (other, 2)],
            }
        });
        let told = paths_of(frames);
        assert_eq!(told.iter().map(Vec::len).collect::<Vec<_>>(), [120, 120]);
        for (path, pace) in told.iter().zip([6.0, -6.0]) {
            let first = path[0];
            for (frame, left) in path.iter().enumerate() {
                assert!((left - first - pace * frame as f64).abs() < 6.0, "wrong: {wrong}, frame {frame}: {left}");
            }
        }
    }
}

#[test]
fn the_rest_of_a_path_goes_to_the_one_that_ended_before() {
    // The first ends where both meet, its rest goes by the name of the second, and that one's rest is somebody new.
    let frames = (0..120).map(|frame| {
        let [one, other] = passing(frame);
        match frame {
            0..56 => vec![(one, 1), (other, 2)],
            56..64 => vec![(one, 2)],
            _ => vec![(one, 2), (other, 3)],
        }
    });
    let told = paths_of(frames);
    assert_eq!(told.len(), 2);
    for path in &told {
        let steps: Vec<f64> = path.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert_eq!(path.len(), 120);
        assert!(steps.iter().all(|step| (step.abs() - 6.0).abs() < 1.0), "{steps:?}");
    }
}

#[test]
fn people_side_by_side_stay_who_they_are_for_as_long_as_it_takes() {
    let mut roll = dice(7, "side by side");
    let mut noise = || 4.0 * (roll.random::<f64>() - 0.5);
    let frames: Vec<Vec<(Detection, u64)>> = (0..1_200)
        .map(|frame| {
            let left = 200.0 + 100.0 * (f64::from(frame) / 40.0).sin();
            [0, 1, 2].map(|name| (person(left + 60.0 * name as f64 + noise(), 50.0 + noise(), 0.9), name + 1)).into()
        })
        .collect();
    let told = paths_of(frames.iter().cloned());
    assert_eq!(told.iter().map(Vec::len).collect::<Vec<_>>(), [1_200; 3]);
    for pair in told.windows(2) {
        assert!(pair[0].iter().zip(&pair[1]).all(|(here, there)| here < there));
    }
}
