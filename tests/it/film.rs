//! Simulated shops with cameras: what their frames and the truth about them have to hold.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use aisle::base::CameraId;
use aisle::config;
use aisle::eval;
use aisle::facts::{Body, BodyPoint, Fact};
use aisle::geometry::{PixelBox, Point};
use aisle::image::decode_picture;
use aisle::pipeline::run;
use aisle::ports::{FactSink, FactSource};
use aisle::recording::{Cut, Entry, Reader, Writer};
use aisle::shop::Shop;
use aisle::sim::{self, Film, FilmOptions, Level, Options, Scenario, Shown, Simulation};
use aisle::truth::{FrameTruth, Purchases, SceneTruth, Truth, Visibility};

use crate::trips::RUN;

/// A shop that comes with aisle, its cameras slowed down to so many frames a second.
fn shop(name: &str, rate_hertz: f64) -> Arc<Shop> {
    let mut draft = config::load_shop(Path::new(name)).unwrap().draft().clone();
    draft.cameras.iter_mut().for_each(|camera| camera.rate_hertz = rate_hertz);
    Arc::new(Shop::check(draft).unwrap())
}

fn options(shop: &Arc<Shop>, scenario: Scenario, level: Level, seed: u64, secs: Option<f64>) -> Options {
    Options { shop: shop.clone(), scenario, level, seed, secs }
}

/// A film as the bytes of a recording.
fn recorded(options: &Options, varied: bool) -> Vec<u8> {
    let (mut film, truth) = Film::new(options, FilmOptions { quality: 85, varied }).unwrap();
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = Writer::new(&mut bytes, film.shop(), Some(&truth), Cut::Raw).unwrap();
    while let Some(shown) = film.next_shown().unwrap() {
        match shown {
            Shown::Fact(fact) => writer.put(&fact).unwrap(),
            Shown::Scene(scene) => writer.put_scene_truth(&scene).unwrap(),
            Shown::Frame(fact, truth) => {
                writer.put(&fact).unwrap();
                writer.put_frame_truth(&truth).unwrap();
            }
        }
    }
    writer.finish().unwrap();
    bytes.into_inner()
}

/// What a recording holds, sorted by kind.
struct Held {
    shop: Shop,
    truth: Truth,
    frames: Vec<(Fact, FrameTruth)>,
    scenes: Vec<SceneTruth>,
}

fn held(bytes: &[u8]) -> Held {
    let mut reader = Reader::new(Cursor::new(bytes), Path::new("film.mcap")).unwrap();
    // A frame arrives later than its truth was true.
    let (mut known, mut frames, mut scenes) = (BTreeMap::new(), Vec::new(), Vec::new());
    while let Some(entry) = reader.next_entry().unwrap() {
        match entry {
            Entry::Fact(fact) => {
                if let Body::Frame(frame) = &fact.body {
                    let truth = known.remove(&(frame.camera.clone(), fact.stamp.sequence)).unwrap();
                    frames.push((fact, truth));
                }
            }
            Entry::Frame(truth) => {
                known.insert((truth.camera.clone(), truth.sequence), truth);
            }
            Entry::Scene(scene) => scenes.push(scene),
        }
    }
    assert!(known.is_empty(), "every truth has its frame");
    Held { shop: reader.shop().clone(), truth: reader.truth().unwrap().clone(), frames, scenes }
}

#[test]
fn a_film_made_twice_is_the_same_to_the_byte_and_another_seed_is_another() {
    let shop = shop("micro-market", 2.0);
    let made = |seed| recorded(&options(&shop, Scenario::SinglePick, Level::Room, seed, None), false);
    let first = made(3);
    assert!(first == made(3));
    assert!(first != made(4));
}

#[test]
fn truth_lies_on_the_pixels_and_in_the_world() {
    let shop = shop("convenience", 1.0);
    let held = held(&recorded(&options(&shop, Scenario::Open, Level::Clean, 2, Some(40.0)), false));
    assert!(held.frames.len() > 200 && held.scenes.len() >= 399, "{} frames", held.frames.len());
    let (mut seen, mut hidden) = (0, 0);
    for (fact, truth) in &held.frames {
        let Body::Frame(frame) = &fact.body else { unreachable!("only frames were kept") };
        let camera = held.shop.camera(&truth.camera).unwrap();
        let picture = decode_picture(&frame.data).unwrap();
        assert_eq!([picture.width(), picture.height()], camera.size_pixels);
        assert!(truth.people.is_sorted_by(|a, b| a.depth_metres <= b.depth_metres), "the nearest first");
        for person in &truth.people {
            let about = |bounds: PixelBox| PixelBox {
                left: bounds.left - 1.0,
                top: bounds.top - 1.0,
                right: bounds.right + 1.0,
                bottom: bounds.bottom + 1.0,
            };
            for point in &person.keypoints {
                let Some(pixel) = point.pixel else { continue };
                let inside = |bounds: PixelBox| {
                    bounds.left <= pixel.x
                        && pixel.x <= bounds.right
                        && bounds.top <= pixel.y
                        && pixel.y <= bounds.bottom
                };
                match point.visibility {
                    Visibility::Visible => {
                        assert!(person.visible_bounds.is_some_and(|bounds| inside(about(bounds))), "{person:?}");
                        seen += 1;
                    }
                    Visibility::Hidden => hidden += 1,
                    Visibility::Outside => {
                        let [width, height] = camera.size_pixels.map(f64::from);
                        let picture = PixelBox { left: 0.0, top: 0.0, right: width, bottom: height };
                        assert!(!inside(picture), "{person:?}");
                    }
                }
            }
            assert!((0.0..=1.0).contains(&person.visible_share));
        }
    }
    assert!(seen > 1_000 && hidden > 300, "{seen} seen, {hidden} hidden");
}

#[test]
fn hands_hold_what_was_taken_and_let_go_of_what_was_put_back() {
    let shop = shop("micro-market", 0.2);
    for (scenario, seed) in [(Scenario::PutBack, 1), (Scenario::SinglePick, 2), (Scenario::HandOver, 3)] {
        let held = held(&recorded(&options(&shop, scenario, Level::Clean, seed, None), false));
        let bought: usize = held.truth.receipts.iter().flat_map(|receipt| &receipt.products).count();
        let carried = |scene: &SceneTruth| -> usize {
            scene.people.iter().map(|body| body.carries.len() + body.holds.iter().map(Vec::len).sum::<usize>()).sum()
        };
        assert_eq!(held.scenes.iter().map(carried).min(), Some(0), "{scenario} {seed}");
        assert!(held.scenes.iter().any(|scene| bought.max(1) <= carried(scene)), "{scenario} {seed}");
        let taken: Vec<_> = held.truth.actions.iter().map(|action| &action.sku).collect();
        for body in held.scenes.iter().flat_map(|scene| &scene.people) {
            let all = body.holds.iter().flatten().chain(&body.carries);
            assert!(all.into_iter().all(|sku| taken.contains(&sku)), "{scenario} {seed}");
        }
    }
}

#[test]
fn in_a_room_every_camera_has_a_clock_of_its_own_and_loses_frames() {
    let shop = shop("convenience", 4.0);
    let (mut film, _) = Film::new(
        &options(&shop, Scenario::SinglePick, Level::Room, 5, None),
        FilmOptions { quality: 40, varied: false },
    )
    .unwrap();
    let mut offsets: BTreeMap<CameraId, Vec<f64>> = BTreeMap::new();
    let mut numbers: BTreeMap<CameraId, Vec<u64>> = BTreeMap::new();
    while let Some(shown) = film.next_shown().unwrap() {
        if let Shown::Frame(fact, truth) = shown {
            offsets.entry(truth.camera.clone()).or_default().push((fact.stamp.at - truth.at).as_secs());
            numbers.entry(truth.camera).or_default().push(truth.sequence);
        }
    }
    assert_eq!(offsets.len(), shop.cameras().len());
    let middles: Vec<f64> = offsets.values().map(|all| all.iter().sum::<f64>() / all.len() as f64).collect();
    for (all, middle) in offsets.values().zip(&middles) {
        assert!(middle.abs() < 0.31, "{middle} s");
        assert!(all.iter().all(|offset| (offset - middle).abs() < 0.03), "steady but for jitter");
    }
    let spread = middles.iter().fold(f64::MIN, |most, middle| most.max(*middle)) - middles[0];
    assert!(middles.iter().any(|middle| 0.01 < (middle - middles[0]).abs()), "{spread}");
    let lost = |all: &Vec<u64>| all.iter().max().unwrap() + 1 != all.len() as u64;
    assert!(numbers.values().any(lost), "some frame is lost");
}

#[test]
fn varied_shops_hang_their_cameras_elsewhere_and_say_so() {
    let shop = shop("micro-market", 1.0);
    let other = Arc::new(sim::varied(&shop, 9).unwrap());
    assert_ne!(shop.cameras(), other.cameras());
    assert_eq!(sim::varied(&shop, 9).unwrap().cameras(), other.cameras());
    let held = held(&recorded(&options(&other, Scenario::SinglePick, Level::Clean, 9, None), true));
    assert_eq!(held.shop.cameras(), other.cameras(), "the recording says where they hang");
    let wrists = held.frames.iter().flat_map(|(_, truth)| &truth.people);
    let seen = wrists.filter(|person| {
        let wrist = &person.keypoints[BodyPoint::RightWrist as usize];
        wrist.visibility == Visibility::Visible
    });
    assert!(seen.count() > 3);
}

#[test]
fn frames_come_in_the_size_and_at_the_rate_that_was_asked_for() {
    let whole = config::load_shop(Path::new("micro-market")).unwrap();
    let half = Arc::new(sim::with_frames(&whole, Some(320), Some(1.0)).unwrap());
    for (camera, half) in whole.cameras().iter().zip(half.cameras()) {
        assert_eq!((half.size_pixels, half.rate_hertz), ([320, 180], 1.0));
        let pixels = [camera, half].map(|camera| camera.view.pixel_from_world(Point::new(1.4, 1.5, 0.4)).unwrap());
        assert!(pixels[0].distance(pixels[1] * 2.0) < 1e-6, "{pixels:?}");
    }
    let held = held(&recorded(&options(&half, Scenario::SinglePick, Level::Clean, 1, Some(30.0)), false));
    assert!((50..=60).contains(&held.frames.len()), "{} frames", held.frames.len());
    let error = sim::with_frames(&whole, Some(8), None).unwrap_err().to_string();
    assert!(error.contains("camera front") && error.contains("16"), "{error}");
}

#[test]
fn an_open_shop_has_shoppers_and_ends_when_it_was_told_to() {
    for (name, secs) in [("convenience", 30.0), ("micro-market", 60.0), ("convenience", 90.0)] {
        let shop = shop(name, 1.0);
        for seed in 1..4 {
            let trip = sim::trip(&options(&shop, Scenario::Open, Level::Clean, seed, Some(secs))).unwrap();
            let times = || trip.facts.iter().map(|fact| fact.stamp.at);
            let length = times().max().unwrap().secs_since(times().min().unwrap());
            assert!((length - secs).abs() < 1.0, "{name} {seed}: {length} s");
            assert!(!trip.truth.receipts.is_empty(), "{name}, {secs} s, seed {seed}: nobody came");
        }
    }
    let short = options(&shop("micro-market", 1.0), Scenario::Crowd, Level::Clean, 1, Some(5.0));
    let error = sim::trip(&short).unwrap_err().to_string();
    assert!(error.contains("crowd") && error.contains("longer than 5 s"), "{error}");
}

#[test]
fn a_raw_recording_replays_to_the_receipts_of_the_tracked_one() {
    let shop = shop("micro-market", 1.0);
    let options = options(&shop, Scenario::PutBack, Level::Clean, 1, None);
    let bytes = recorded(&options, false);
    let mut raw = Reader::new(Cursor::new(&bytes[..]), Path::new("film.mcap")).unwrap();
    let mut tracked = Simulation::new(sim::trip(&options).unwrap());
    let receipts = |source: &mut dyn FactSource| run(source, RUN, None).unwrap().receipts;
    let from_raw = receipts(&mut raw);
    assert!(!from_raw.is_empty());
    assert_eq!(from_raw, receipts(&mut tracked));
}

/// The bar of fusion: people with whole bodies, who walk around things, must not be harder to follow than those of the
/// demonstration shop.
#[test]
fn receipts_of_the_shops_with_cameras_are_as_right_as_those_of_the_demonstration_shop() {
    for (name, level, bar) in [
        ("convenience", Level::Clean, 0.98),
        ("convenience", Level::Room, 0.95),
        ("micro-market", Level::Clean, 0.98),
        ("micro-market", Level::Room, 0.95),
    ] {
        let shop = shop(name, 10.0);
        let mut scores = Vec::new();
        for scenario in Scenario::ALL {
            for seed in 1..3 {
                let trip = sim::trip(&options(&shop, scenario, level, seed, None)).unwrap();
                let truth = trip.truth.clone();
                let outcome = run(&mut Simulation::new(trip), RUN, None).unwrap();
                let score = eval::score_case(&truth, &outcome.receipts, shop.catalogue(), shop.policy().review_below);
                scores.push(score.f1);
                assert_eq!(Purchases::of(&outcome.receipts).receipts.len(), outcome.receipts.len());
            }
        }
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        assert!(bar <= mean, "{name}, {}: mean F1 {mean:.3} of {} trips", level.name(), scores.len());
    }
}
