//! Frames of several cameras in, what is seen in them out, by networks whose answers are known.

use std::sync::Arc;

use rand::RngExt;

use super::*;
use crate::base::{CameraId, ShopTime, TimeRange};
use crate::facts::{DetectionClass, Frame, FrameFormat};
use crate::geometry::{self, CameraPose, Lens, Point};
use crate::image::{encode_jpeg, encode_png};
use crate::tracking::FrameSize;
use crate::vision::{
    Classes, Colour, Decoder, Element, Fit, Gallery, Input, Layout, Manifest, Model, Network, Output, Region, Role,
    Shape, Slot, Tensor, Values, Weights,
};

/// Sides of pictures, of the input and of its one cell, pixels.
const SIDE: usize = 32;

/// Sees one person in each picture, as wide as the picture is bright.
struct Gauge {
    inputs: Vec<Slot>,
    outputs: Vec<Slot>,
}

impl Network for Gauge {
    fn inputs(&self) -> &[Slot] {
        &self.inputs
    }

    fn outputs(&self) -> &[Slot] {
        &self.outputs
    }

    fn infer(&mut self, input: &Tensor, outputs: &mut Vec<Output>) -> Result<()> {
        let Values::F32(values) = input.values() else { return Ok(()) };
        let pictures = input.shape()[0];
        let mut rows = Vec::new();
        for picture in values.chunks_exact(values.len() / pictures) {
            let mean = picture.iter().sum::<f32>() / picture.len() as f32;
            rows.extend([0.5, 0.5, (mean / 255.0).ln(), 0.0, 1.0, 1.0]);
        }
        *outputs = vec![Output { name: "rows".to_owned(), shape: vec![pictures, 1, 6], values: rows }];
        Ok(())
    }
}

fn gauge(region: Region) -> Model {
    let slot = |lengths: &[Option<usize>]| Slot {
        name: "slot".to_owned(),
        element: None,
        shape: Some(Shape(lengths.to_vec())),
    };
    let network = Gauge {
        inputs: vec![slot(&[None, Some(3), Some(SIDE), Some(SIDE)])],
        outputs: vec![slot(&[None, Some(1), Some(6)])],
    };
    let classes = Classes { count: 1, named: vec![(0, DetectionClass::Person)], keep: Vec::new() };
    let manifest = Manifest {
        name: "gauge".to_owned(),
        role: Role::People,
        weights: Weights {
            file: String::new(),
            size_bytes: 0,
            sha256: String::new(),
            licence: String::new(),
            source: None,
        },
        input: Input {
            width: SIDE,
            height: SIDE,
            layout: Layout::Nchw,
            element: Element::F32,
            colour: Colour::Rgb,
            mean: [0.0; 3],
            deviation: [1.0; 3],
            region,
            fit: Fit::Stretch,
            pad: 0.0,
        },
        outputs: Vec::new(),
        decoder: Decoder::Yolox { strides: vec![32], classes },
        score_min: 0.5,
        iou_max: 0.5,
    };
    Model::new(manifest, Box::new(network)).unwrap()
}

fn sessions(count: usize, batch: usize) -> Vec<Networks> {
    let people = || gauge(Region::Frame).with_batch(batch);
    (0..count).map(|_| Networks::new(vec![people()], Arc::new(Gallery::new(1.0))).unwrap()).collect()
}

/// A frame of one colour; `None` for one that is no picture. Times are milliseconds.
fn frame(camera: &str, sequence: u64, arrived: i64, level: Option<u8>) -> Fact {
    let picture = |level: u8| RgbImage::from_pixels(SIDE as u32, SIDE as u32, vec![level; SIDE * SIDE * 3]).unwrap();
    let data: Arc<[u8]> = level.map_or_else(Vec::new, |level| encode_jpeg(&picture(level), 95).unwrap()).into();
    let at = ShopTime::from_nanos(0) + Span::from_millis(arrived);
    let stamp = Stamp { source: SourceId::new(&format!("camera/{camera}")), sequence, at, arrived: at };
    Fact { stamp, body: Body::Frame(Frame { camera: CameraId::new(camera), format: FrameFormat::Jpeg, data }) }
}

/// Three cameras, 20 frames each, every seventh frame broken.
fn film() -> Vec<Fact> {
    let frames = (0..60_u8).map(|number| {
        let level = (number % 7 != 6).then_some(20 + 3 * number);
        frame(["a", "b", "c"][usize::from(number % 3)], u64::from(number / 3), i64::from(number) * 22, level)
    });
    frames.collect()
}

fn widths(looks: &[Look]) -> Vec<i64> {
    let width = |look: &Look| match &look.seen.body {
        Body::Seen(seen) => seen.detections.iter().map(|found| found.bounds.width() * 255.0 / SIDE as f64).sum::<f64>(),
        _ => f64::NAN,
    };
    looks.iter().map(|look| width(look).round() as i64).collect()
}

#[test]
fn what_is_seen_does_not_depend_on_sessions_batches_and_groups() {
    let film = film();
    let mut first: Option<Vec<Fact>> = None;
    for (count, batch, frames_max) in [(1, 1, 1), (1, 1, 3), (2, 1, 3), (3, 2, 7), (2, 4, 16), (5, 16, 64)] {
        let options = EyesOptions { frames_max, ..EyesOptions::usual(3) };
        let mut eyes = Eyes::new(sessions(count, batch), options);
        let mut looks: Vec<Look> = film.iter().flat_map(|fact| eyes.take(fact).unwrap()).collect();
        looks.append(&mut eyes.flush().unwrap());
        assert_eq!((eyes.counters().frames, eyes.loss().dropped_undecodable), (60, 8));
        let frames: Vec<Fact> = looks.iter().map(|look| look.frame.clone()).collect();
        let whole = film.iter().filter(|fact| matches!(&fact.body, Body::Frame(frame) if !frame.data.is_empty()));
        assert!(frames.iter().eq(whole), "every whole frame, in order");
        let levels: Vec<i64> = (0..60).filter(|number| number % 7 != 6).map(|number| 20 + 3 * number).collect();
        let offs = widths(&looks).into_iter().zip(levels).map(|(is, should)| (is - should).abs());
        assert!(offs.max().unwrap() <= 1, "{:?}", widths(&looks));
        let seen: Vec<Fact> = looks.into_iter().map(|look| look.seen).collect();
        assert_eq!(first.get_or_insert_with(|| seen.clone()), &seen, "{count} sessions, batches of {batch}");
    }
}

#[test]
fn frames_wait_for_each_other_no_longer_than_an_interval() {
    let mut eyes = Eyes::new(sessions(1, 1), EyesOptions::usual(3));
    let mut given = |frame: Fact| widths(&eyes.take(&frame).unwrap());
    assert_eq!(given(frame("a", 1, 0, Some(100))), [0_i64; 0]);
    assert_eq!(given(frame("b", 1, 10, Some(110))), [0_i64; 0]);
    assert_eq!(given(frame("c", 1, 59, Some(120))), [100, 110, 120], "one of every camera");
    assert_eq!(given(frame("a", 2, 66, Some(130))), [0_i64; 0]);
    assert_eq!(given(frame("c", 2, 126, Some(140))), [130], "b was silent");
    assert_eq!(widths(&eyes.flush().unwrap()), [140]);
    assert_eq!(widths(&eyes.flush().unwrap()), [0_i64; 0]);
}

#[test]
fn without_networks_nothing_is_seen() {
    let mut eyes = Eyes::new(Vec::new(), EyesOptions::usual(1));
    assert!(eyes.take(&frame("a", 1, 0, Some(1))).unwrap().is_empty() && eyes.flush().unwrap().is_empty());
    assert_eq!(eyes.counters(), EyesCounters::default());
}

/// A camera whose frames are of this size.
fn camera(name: &str, size_pixels: [u32; 2]) -> Camera {
    let lens = Lens { focal_pixels: [100.0; 2], centre_pixels: [50.0; 2], distortion: [0.0; 5] };
    let pose = CameraPose::look_at(Point::new(0.0, 0.0, 2.0), Point::new(0.0, 2.0, 1.0), 0.0);
    let view = geometry::Camera::new(lens, pose);
    Camera { id: CameraId::new(name), size_pixels, rate_hertz: 10.0, view }
}

/// A frame of camera `a` with these bytes.
fn bytes(sequence: u64, data: Vec<u8>) -> Fact {
    let Fact { stamp, .. } = frame("a", sequence, 100 * sequence as i64, None);
    let frame = Frame { camera: CameraId::new("a"), format: FrameFormat::Jpeg, data: data.into() };
    Fact { stamp, body: Body::Frame(frame) }
}

#[test]
fn frames_are_what_they_are_and_not_what_they_are_labelled_as() {
    let grey = |width: u32, height: u32| {
        RgbImage::from_pixels(width, height, vec![100; (3 * width * height) as usize]).unwrap()
    };
    let jpeg = |width, height| encode_jpeg(&grey(width, height), 95).unwrap();
    let mut bomb = jpeg(32, 32);
    let head = bomb.windows(2).position(|two| two == [0xff, 0xc0]).unwrap();
    bomb[head + 5..head + 9].copy_from_slice(&[0x40, 0, 0x40, 0]);
    let whole = jpeg(32, 32);
    let film = [
        whole.clone(),
        encode_png(&grey(32, 32)).unwrap(),
        // A sub stream, the main stream, one pixel less by rounding.
        jpeg(16, 16),
        jpeg(256, 256),
        jpeg(48, 47),
        // Another shape, more than eight times the side, and what is no whole picture.
        jpeg(32, 24),
        jpeg(264, 264),
        bomb,
        whole[..whole.len() / 2].to_vec(),
        b"no picture".to_vec(),
    ];
    let mut eyes = Eyes::new(sessions(2, 1), EyesOptions::usual(1)).with_cameras(&[camera("a", [32, 32])]);
    let facts = film.into_iter().zip(0..).map(|(data, sequence)| bytes(sequence, data));
    let looks: Vec<Look> = facts.flat_map(|fact| eyes.take(&fact).unwrap()).collect();
    let size = |look: &Look| match &look.seen.body {
        Body::Seen(seen) => seen.size_pixels,
        _ => [0, 0],
    };
    let sizes: Vec<[u32; 2]> = looks.iter().map(size).collect();
    assert_eq!(sizes, [[32, 32], [32, 32], [16, 16], [256, 256], [48, 47]]);
    let strange = frame("z", 1, 2_000, Some(100));
    assert!(eyes.take(&strange).unwrap().is_empty() && eyes.flush().unwrap().is_empty());
    let loss = eyes.loss();
    assert_eq!((loss.dropped_undecodable, loss.dropped_other_size, loss.dropped_unknown_camera), (3, 2, 1));
    assert_eq!((eyes.counters().frames, loss.dropped()), (11, 6));
    let own = &loss.cameras[&CameraId::new("a")];
    let left_out = |size_pixels| FrameSize { size_pixels, frames: 1, scaled: false };
    assert_eq!(own.sizes, [left_out([32, 24]), left_out([264, 264])]);
    let at = |millis| ShopTime::from_nanos(0) + Span::from_millis(millis);
    assert_eq!(own.lost_spans, [TimeRange::new(at(500), at(900))]);
    assert!(widths(&looks).iter().all(|width| *width != 0), "{:?}", widths(&looks));
}

/// A camera that is as noisy as good ones are: every pixel is off by a throw of dice, the square of side 2 stands at `x`.
fn noisy(number: u64, x: Option<u32>, noise: u64) -> Fact {
    let mut dice = crate::base::rng::dice(number, "noise");
    let mut picture = RgbImage::new(160, 96);
    for value in picture.pixels_mut() {
        *value = (100 + dice.random_range(0..=2 * noise) - noise) as u8;
    }
    for (y, x) in x.into_iter().flat_map(|x| (0..6).flat_map(move |y| (0..6).map(move |right| (40 + y, x + right)))) {
        picture.set(x, y, [140; 3]);
    }
    let mut fact = frame("a", number, number as i64 * 66, Some(1));
    if let Body::Frame(frame) = &mut fact.body {
        frame.data = encode_jpeg(&picture, 90).unwrap().into();
    }
    fact
}

/// Which frames networks looked at.
fn looked_at(frames: &[Fact], still_span_max: Option<Span>) -> Vec<usize> {
    let mut eyes = Eyes::new(sessions(2, 1), EyesOptions { still_span_max, ..EyesOptions::usual(1) });
    let (mut looked, mut still) = (Vec::new(), 0);
    for (number, fact) in frames.iter().enumerate() {
        let looks = eyes.take(fact).unwrap();
        assert_eq!((looks.len(), &looks[0].frame), (1, fact));
        let now = eyes.counters().still_frames;
        if now == still {
            looked.push(number);
        }
        still = now;
    }
    assert_eq!(looked.len() as u64 + still, frames.len() as u64);
    looked
}

const SECOND: Option<Span> = Some(Span::from_millis(1_000));

#[test]
fn frames_in_which_nothing_moves_are_looked_at_once_a_while() {
    let still: Vec<Fact> = (0..60).map(|number| noisy(number, Some(100), 6)).collect();
    let all: Vec<usize> = (0..60).collect();
    assert_eq!(looked_at(&still, None), all);
    // Eight differences are learnt from, then a second is sixteen frames.
    assert_eq!(looked_at(&still, SECOND), [&all[..8], &[23, 39, 55]].concat());
    // What moves would drown in such noise.
    let loud: Vec<Fact> = (0..30).map(|number| noisy(number, Some(100), 40)).collect();
    assert_eq!(looked_at(&loud, SECOND).len(), 30);
}

#[test]
fn the_smallest_movement_and_the_slowest_are_seen() {
    // A hand of six pixels starts after 20 frames: at once by two pixels, or by one pixel in four frames.
    let leaps: Vec<Fact> = (0..30).map(|number| noisy(number, Some(if number < 20 { 101 } else { 103 }), 6)).collect();
    assert!(looked_at(&leaps, SECOND).contains(&20), "{:?}", looked_at(&leaps, SECOND));
    let creeps: Vec<Fact> =
        (0..60).map(|number| noisy(number, Some(101 + number.saturating_sub(20) as u32 / 4), 6)).collect();
    let looked = looked_at(&creeps, Some(Span::from_millis(60_000)));
    for steps in (20..60).collect::<Vec<usize>>().chunks_exact(8) {
        assert!(steps.iter().any(|number| looked.contains(number)), "two pixels unseen in {steps:?}: {looked:?}");
    }
    // Somebody comes in.
    let comes: Vec<Fact> = (0..30).map(|number| noisy(number, (20 <= number).then_some(120), 6)).collect();
    assert!(looked_at(&comes, SECOND).contains(&20));
}

#[test]
fn what_is_not_looked_at_is_seen_as_it_was_with_the_stamp_of_its_frame() {
    let film: Vec<Fact> = (0..40).map(|number| noisy(number, Some(100), 6)).collect();
    let mut eyes = Eyes::new(sessions(1, 1), EyesOptions { still_span_max: SECOND, ..EyesOptions::usual(1) });
    let looks: Vec<Look> = film.iter().flat_map(|fact| eyes.take(fact).unwrap()).collect();
    assert!(25 < eyes.counters().still_frames);
    let seen = |number: usize| looks[number].seen.body.clone();
    assert!((8..22).all(|number| seen(number) == seen(7)), "frame 7 was the last one looked at");
    let stamps = looks.iter().zip(&film).map(|(look, fact)| (look.seen.stamp.at, look.seen.stamp.sequence, fact));
    assert!(stamps.zip(1..).all(|((at, sequence, fact), number)| at == fact.stamp.at && sequence == number));
}
