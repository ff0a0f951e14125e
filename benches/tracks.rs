//! How many frames a second one core follows, given the detections: the tracker alone.

mod scale;

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use aisle::base::{ShopTime, Span};
use aisle::facts::{Detection, DetectionClass};
use aisle::geometry::PixelBox;
use aisle::tracking::tracklets::{Options, Tracker};
use criterion::{Criterion, Throughput};

/// People in a picture, and frames at 15 a second.
const SMALL: (&[usize], usize) = (&[8], 60);
const LARGE: (&[usize], usize) = (&[8, 32, 128], 900);

fn main() {
    let (crowds, frames) = if scale::is_measuring() { LARGE } else { SMALL };
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let mut group = criterion.benchmark_group("tracks");
    for &people in crowds {
        let film = film(people, frames);
        let (told, last) = follow(&film);
        println!("tracks/{people}: {frames} frames, {last} tracks, digest {}", scale::digest(&told));
        group.throughput(Throughput::Elements(frames as u64));
        group.bench_function(people.to_string(), |bencher| bencher.iter(|| black_box(follow(&film))));
    }
    group.finish();
    criterion.final_summary();
}

/// People who walk to and fro, each at a pace of their own, and are missed now and then.
fn film(people: usize, frames: usize) -> Vec<Vec<Detection>> {
    let seen = |person: usize, frame: usize| -> Option<Detection> {
        let pace = 2.0 + (person * 7 % 11) as f64;
        let way = (person as f64 * 97.0 + pace * frame as f64) % 3_400.0;
        let left = if way < 1_700.0 { way } else { 3_400.0 - way };
        let top = (person * 61 % 800) as f64;
        let shake = ((person * 31 + frame * 17) % 7) as f64 - 3.0;
        (!(person * 5 + frame).is_multiple_of(13)).then(|| Detection {
            class: DetectionClass::Person,
            bounds: PixelBox::from_size(left + shake, top - shake, 60.0, 160.0),
            score: 0.9,
            keypoints: Vec::new(),
            embedding: Vec::new(),
            held: None,
        })
    };
    (0..frames).map(|frame| (0..people).filter_map(|person| seen(person, frame)).collect()).collect()
}

/// What was told of every frame, and the last track's number.
fn follow(film: &[Vec<Detection>]) -> (String, u64) {
    let mut tracker = Tracker::new(Options::default());
    let (mut told, mut last) = (String::new(), 0);
    for (frame, detections) in (0..).zip(film) {
        let at = ShopTime::from_nanos(0) + Span::from_millis(66) * frame;
        for one in tracker.step(at, detections) {
            last = last.max(one.track.number());
            let _ = write!(told, "{} ", one.track);
        }
    }
    (told, last)
}
