//! People on the floor from what cameras see, as people type it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use aisle::base::{CameraId, Result, ShopTime, SourceId, Span};
use aisle::config::{load_manifests, load_shop};
use aisle::facts::{Body, BodyPoint, Fact, Frame, FrameFormat, SeenFrame, Stamp};
use aisle::image::{RgbImage, encode_jpeg};
use aisle::pipeline::{Eyes, EyesOptions};
use aisle::ports::FactSink;
use aisle::recording::{Cut, Writer};
use aisle::shop::Shop;
use aisle::sim::{Film, FilmOptions, Level, Options, Scenario, Shown, glance};
use aisle::tracking::Sight;
use aisle::truth::{FrameTruth, Visibility};
use aisle::vision::Networks;
use aisle::vision::{Gallery, Model, Network, Output, Slot, Tensor};
use serde_json::Value;

use super::cli::ask;

/// The convenience shop with clocks that are up to a fifth of a second apart; the models are the truth with a noise of two
/// pixels and without what is hidden.
#[test]
fn people_and_their_hands_are_where_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let simulated = ask(
        folder.path(),
        &["simulate", "--shop", "convenience", "--seed", "3", "--seconds", "45", "--level", "room", "-o", "trip.mcap"],
    );
    assert_eq!(simulated.status, Some(0), "{}", simulated.err);
    let seen = ask(folder.path(), &["see", "trip.mcap", "--truth", "--noise", "2", "--json"]);
    assert_eq!((seen.status, seen.err.as_str()), (Some(0), ""));
    let summary: Value = serde_json::from_str(&seen.out).unwrap();
    let number = |pointer: &str| summary.pointer(pointer).and_then(Value::as_f64).unwrap();
    assert!(0.95 <= number("/score/floor/identity/f1"), "{summary}");
    assert!(number("/score/floor_errors/median_metres") < 0.1, "{summary}");
    assert!(number("/score/wrist_errors/median_metres") < 0.08, "{summary}");
    assert!(500.0 < number("/score/wrist_errors/count"), "{summary}");
    for camera in summary["cameras"].as_array().unwrap() {
        let [told, really] = ["clock_ahead_secs", "really_ahead_secs"].map(|key| camera[key].as_f64().unwrap());
        assert!((told - really).abs() < 0.03, "{camera}");
    }
}

#[test]
fn truth_is_for_recordings_that_have_it() {
    let folder = tempfile::tempdir().unwrap();
    let made = ask(
        folder.path(),
        &["simulate", "--shop", "convenience", "--cut", "tracked", "--scenario", "single-pick", "-o", "trip.mcap"],
    );
    assert_eq!(made.status, Some(0), "{}", made.err);
    let none = ask(folder.path(), &["see", "trip.mcap", "--truth"]);
    assert_eq!(none.status, Some(3));
    assert!(none.err.contains("this recording has no truth about frames"), "{}", none.err);
    let folder_of_frames = ask(folder.path(), &["see", ".", "--truth", "-o", "out"]);
    assert_eq!(folder_of_frames.status, Some(2), "{}", folder_of_frames.err);
    assert!(folder_of_frames.err.contains("--truth is for recordings"), "{}", folder_of_frames.err);
}

/// A detector that sees nothing.
struct Blind {
    inputs: [Slot; 1],
    outputs: [Slot; 1],
}

impl Network for Blind {
    fn inputs(&self) -> &[Slot] {
        &self.inputs
    }

    fn outputs(&self) -> &[Slot] {
        &self.outputs
    }

    fn infer(&mut self, _: &Tensor, outputs: &mut Vec<Output>) -> Result<()> {
        *outputs = vec![Output { name: "output".to_owned(), shape: vec![1, 3549, 85], values: vec![0.0; 3549 * 85] }];
        Ok(())
    }
}

/// Networks that see nothing.
pub(super) fn blind() -> Networks {
    let slot = || Slot { name: "slot".to_owned(), element: None, shape: None };
    let manifest = load_manifests(None).unwrap()["yolox_nano"].clone();
    let network = Blind { inputs: [slot()], outputs: [slot()] };
    Networks::new(vec![Model::new(manifest, Box::new(network)).unwrap()], Arc::new(Gallery::new(1.0))).unwrap()
}

/// The farthest that a wrist that is seen now is from where it was, pixels; infinite for one that was not there.
fn farthest_wrist(before: &FrameTruth, now: &FrameTruth) -> f64 {
    let mut farthest = 0.0_f64;
    for person in &now.people {
        let then = before.people.iter().find(|other| other.visit == person.visit);
        for wrist in [BodyPoint::LeftWrist, BodyPoint::RightWrist] {
            let point = &person.keypoints[wrist as usize];
            if point.visibility == Visibility::Visible {
                let was = then.and_then(|then| then.keypoints[wrist as usize].pixel);
                let moved = was.zip(point.pixel).map_or(f64::INFINITY, |(was, is)| was.distance(is));
                farthest = farthest.max(moved);
            }
        }
    }
    farthest
}

#[test]
fn no_frame_is_passed_over_in_which_a_wrist_moved() {
    let mut draft = load_shop(Path::new("convenience")).unwrap().draft().clone();
    draft.cameras.iter_mut().for_each(|camera| camera.rate_hertz = 8.0);
    let shop = Arc::new(Shop::check(draft).unwrap());
    let options = Options { shop, scenario: Scenario::Open, level: Level::Clean, seed: 7, secs: Some(16.0) };
    let (mut film, _) = Film::new(&options, FilmOptions { quality: 85, varied: false }).unwrap();
    let still_span_max = Some(Span::from_millis(1_000));
    let mut eyes = Eyes::new(vec![blind()], EyesOptions { still_span_max, ..EyesOptions::usual(1) });
    let mut looked_at: BTreeMap<CameraId, FrameTruth> = BTreeMap::new();
    let (mut still, mut farthest) = (0, 0.0_f64);
    while let Some(shown) = film.next_shown().unwrap() {
        let Shown::Frame(fact, truth) = shown else { continue };
        assert_eq!(eyes.take(&fact).unwrap().len(), 1);
        let counters = eyes.counters();
        if still < counters.still_frames {
            farthest = farthest.max(farthest_wrist(&looked_at[&truth.camera], &truth));
        } else {
            looked_at.insert(truth.camera.clone(), truth);
        }
        still = counters.still_frames;
    }
    let frames = eyes.counters().frames;
    eprintln!("{still} of {frames} frames were still, a wrist moved by up to {farthest:.2} pixels");
    assert!(600 < frames && frames / 20 < still && still < frames, "{still} of {frames}");
    assert!(farthest < 1.0, "{farthest} pixels");
}

/// Half as many pixels show the same view: where people are follows from them as from the whole ones.
#[test]
fn what_a_sub_stream_shows_is_where_it_is() {
    let mut draft = load_shop(Path::new("convenience")).unwrap().draft().clone();
    draft.cameras.iter_mut().for_each(|camera| camera.rate_hertz = 5.0);
    let shop = Arc::new(Shop::check(draft).unwrap());
    let options =
        Options { shop: shop.clone(), scenario: Scenario::Open, level: Level::Clean, seed: 7, secs: Some(15.0) };
    let (mut film, _) = Film::new(&options, FilmOptions { quality: 30, varied: false }).unwrap();
    let (mut whole, mut half) = (Sight::new(&shop), Sight::new(&shop));
    let (mut people, mut frames) = (0, 0);
    while let Some(shown) = film.next_shown().unwrap() {
        let Shown::Frame(fact, truth) = shown else { continue };
        let size = shop.camera(&truth.camera).unwrap().size_pixels;
        let seen = glance(&truth, size, 0.0, 1);
        let small = seen.clone().resized(size.map(|side| side / 2));
        let told = [(&mut whole, seen), (&mut half, small)].map(|(sight, seen)| {
            sight.take(&Fact { stamp: fact.stamp.clone(), body: Body::Seen(seen) });
            sight.bodies(fact.stamp.at)
        });
        assert_eq!(told[0].len(), told[1].len());
        for (one, other) in told[0].iter().zip(&told[1]) {
            assert!(one.track == other.track && one.floor.distance(other.floor) < 1e-6, "{one:?} {other:?}");
        }
        (people, frames) = (people + told[0].len(), frames + 1);
    }
    assert!(100 < people, "{people} of {frames} frames");
    assert_eq!((half.loss().scaled, whole.loss().scaled, half.loss().dropped()), (frames, 0, 0));
    // Another shape shows no view that is known.
    let strange = SeenFrame { camera: shop.cameras()[0].id.clone(), size_pixels: [640, 480], detections: Vec::new() };
    let at = ShopTime::from_nanos(1);
    let stamp = Stamp { source: SourceId::new("sight/x"), sequence: 1, at, arrived: at };
    let mut sight = Sight::new(&shop);
    assert_eq!(sight.take(&Fact { stamp, body: Body::Seen(strange) }), None);
    assert_eq!((sight.loss().dropped_other_size, sight.counters().frames), (1, 0));
}

/// A recording of the micro-market with pictures of this size, on which nothing is to be seen.
fn grey_film(folder: &Path, size: [u32; 2], broken: u64) {
    grey_film_of(folder, size, 4, broken);
}

/// The same with so many frames of each camera, the first of them broken.
fn grey_film_of(folder: &Path, size: [u32; 2], frames: u64, broken: u64) {
    let shop = load_shop(Path::new("micro-market")).unwrap();
    let grey = RgbImage::from_pixels(size[0], size[1], vec![90; (3 * size[0] * size[1]) as usize]).unwrap();
    let jpeg = encode_jpeg(&grey, 80).unwrap();
    let mut writer = Writer::create(&folder.join("film.mcap"), &shop, None, Cut::Raw).unwrap();
    for sequence in 0..frames {
        for camera in ["front", "side"] {
            let at = ShopTime::from_nanos(1_700_000_000_000_000_000 + sequence as i64 * 100_000_000);
            let stamp = Stamp { source: SourceId::new(&format!("camera/{camera}")), sequence, at, arrived: at };
            let length = if sequence < broken { jpeg.len() / 2 } else { jpeg.len() };
            let data = jpeg[..length].into();
            let frame = Frame { camera: CameraId::new(camera), format: FrameFormat::Jpeg, data };
            writer.put(&Fact { stamp, body: Body::Frame(frame) }).unwrap();
        }
    }
    writer.finish().unwrap();
}

#[test]
fn frames_of_another_shape_are_refused_by_every_command_with_camera_and_sizes() {
    let folder = tempfile::tempdir().unwrap();
    grey_film(folder.path(), [320, 240], 0);
    let net = ["--engine", "embedded", "--model", "aisle_people"];
    let see = [&["see", "film.mcap"][..], &net].concat();
    let replay = [&["replay", "film.mcap", "--see"][..], &net].concat();
    for command in [see, replay, vec!["export", "frames", "film.mcap", "-o", "out"]] {
        let answer = ask(folder.path(), &command);
        assert_eq!(answer.status, Some(3), "{} {}", answer.out, answer.err);
        for word in ["camera front", "camera side", "320x240", "640x360", "film.mcap"] {
            assert!(answer.err.contains(word), "{word} in {}", answer.err);
        }
    }
}

#[test]
fn frames_that_were_scaled_or_lost_are_told_in_text_and_json() {
    let folder = tempfile::tempdir().unwrap();
    grey_film(folder.path(), [320, 180], 1);
    let net = ["--engine", "embedded", "--model", "aisle_people"];
    let json = |command: &[&str]| {
        let answer = ask(folder.path(), &[command, &net, &["--json"]].concat());
        assert_eq!(answer.status, Some(0), "{}", answer.err);
        serde_json::from_str::<Value>(&answer.out).unwrap()
    };
    let seen = json(&["see", "film.mcap"]);
    let replayed = json(&["replay", "film.mcap", "--see"]);
    assert_eq!((&seen["dropped_frames"], &seen["frames"]), (&Value::from(2), &Value::from(6)));
    for loss in [&seen["loss"], &replayed[0]["frames"]] {
        assert_eq!((&loss["dropped_undecodable"], &loss["scaled"]), (&Value::from(2), &Value::from(6)), "{loss}");
        assert_eq!(loss["cameras"]["side"]["dropped_undecodable"], 1);
        assert_eq!(loss["cameras"]["side"]["lost_spans"].as_array().map(Vec::len), Some(1));
    }
    for command in [["see", "film.mcap"].as_slice(), &["replay", "film.mcap", "--see"]] {
        let answer = ask(folder.path(), &[command, &net].concat());
        let lost = "left out: 1 frame of camera front cannot be decoded\n";
        let scaled = "scaled: 3 frames of camera side with 320x180 pixels, to the 640x360 of the shop\n";
        assert!(answer.out.contains(lost) && answer.out.contains(scaled), "{}", answer.out);
    }
    // More lost than shown is no result to rely on.
    grey_film(folder.path(), [640, 360], 3);
    let answer = ask(folder.path(), &[&["replay", "film.mcap", "--see"][..], &net].concat());
    assert_eq!(answer.status, Some(3), "{}", answer.out);
    assert!(answer.err.contains("camera front lost 3 of 4 frames: 3 frames cannot be decoded"), "{}", answer.err);
}

#[test]
fn too_many_lost_frames_and_none_at_all_are_told_alike_by_both_commands() {
    let folder = tempfile::tempdir().unwrap();
    let net = ["--engine", "embedded", "--model", "aisle_people"];
    let both = |more: &[&str]| {
        [["see", "film.mcap"].as_slice(), &["replay", "film.mcap", "--see"]]
            .map(|command| ask(folder.path(), &[command, &net, more].concat()))
    };
    // A third of the frames of each camera: more than chance takes.
    grey_film_of(folder.path(), [320, 180], 9, 3);
    for answer in both(&[]) {
        assert_eq!(answer.status, Some(1), "{} {}", answer.out, answer.err);
        assert!(answer.out.contains("left out: 3 frames of camera front cannot be decoded"), "{}", answer.out);
        assert!(answer.err.contains("too much of the input is lost: film.mcap lost "), "{}", answer.err);
        assert!(answer.err.contains("by --max-loss"), "{}", answer.err);
    }
    let [seen, _] = both(&["--max-loss", "33"]);
    assert!(seen.err.contains("film.mcap lost 33.3 % of its frames"), "{}", seen.err);
    for answer in both(&["--max-loss", "60"]) {
        assert_eq!(answer.status, Some(0), "{}", answer.err);
    }
    grey_film_of(folder.path(), [320, 180], 0, 0);
    for answer in both(&[]) {
        assert_eq!(answer.status, Some(3), "{} {}", answer.out, answer.err);
        assert!(answer.err.contains("film.mcap: this recording has no frames"), "{}", answer.err);
    }
    grey_film(folder.path(), [320, 180], 4);
    for answer in both(&[]) {
        assert_eq!(answer.status, Some(3), "{}", answer.err);
        assert!(answer.err.contains("damaged or cut short") && !answer.err.contains("another shape"), "{}", answer.err);
    }
}

#[test]
fn a_model_is_named_once() {
    let folder = tempfile::tempdir().unwrap();
    grey_film(folder.path(), [320, 180], 0);
    let twice = ["see", "film.mcap", "--engine", "embedded", "--model", "aisle_people", "--model", "aisle_people"];
    let answer = ask(folder.path(), &twice);
    assert_eq!(answer.status, Some(2), "{} {}", answer.out, answer.err);
    assert!(answer.err.contains("--model aisle_people is given twice"), "{}", answer.err);
}

/// Nothing but frames and plates goes in; the models are those inside the program, the seed is none that they were trained
/// on.
#[test]
fn frames_become_a_receipt() {
    let folder = tempfile::tempdir().unwrap();
    let made = ask(
        folder.path(),
        &["simulate", "--shop", "micro-market", "--scenario", "single-pick", "--seed", "900701", "-o", "trip.mcap"],
    );
    assert_eq!(made.status, Some(0), "{}", made.err);
    let args = ["replay", "trip.mcap", "--see", "--engine", "embedded", "--receipts", "receipts.json"];
    let unasked = ask(folder.path(), &["replay", "trip.mcap", "--model", "aisle_people"]);
    assert_eq!(unasked.status, Some(2), "{}", unasked.err);
    let replayed = ask(folder.path(), &[&args[..], &["--record", "seen.mcap", "--cut", "seen"]].concat());
    assert_eq!(replayed.status, Some(0), "{}", replayed.err);
    assert!(replayed.out.contains("people were made of "), "{}", replayed.out);
    let receipts = std::fs::read(folder.path().join("receipts.json")).unwrap();
    let receipts: Value = serde_json::from_slice(&receipts).unwrap();
    let receipts = receipts["receipts"].as_array().unwrap();
    let [receipt] = receipts.as_slice() else { panic!("{receipts:?}") };
    let [product] = receipt["products"].as_array().unwrap().as_slice() else { panic!("{receipt}") };
    assert_eq!(product["quantity"], 1);
    // The simulator has said what was taken.
    let taken = format!("1 x {}", product["barcode"].as_str().unwrap());
    assert!(made.out.contains(&taken), "{taken} in {}", made.out);
    // So says whoever judges it, though people of frames have numbers of their own.
    let judged = ask(folder.path(), &["eval", "trip.mcap", "--see", "--engine", "embedded", "--json"]);
    assert_eq!(judged.status, Some(0), "{}", judged.err);
    let judged: Value = serde_json::from_str(&judged.out).unwrap();
    assert_eq!(judged["overall"]["exact_receipts"]["share"], 1.0, "{judged}");
    // What was seen is as good as the frames, and needs no models.
    let again = ask(folder.path(), &["replay", "seen.mcap", "--see", "--receipts", "again.json"]);
    assert_eq!((again.status, again.err.as_str()), (Some(0), ""));
    let nameless = ask(folder.path(), &["eval", "seen.mcap", "--see"]);
    assert_eq!(nameless.status, Some(3), "{}", nameless.err);
    let again = std::fs::read(folder.path().join("again.json")).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&again).unwrap()["receipts"], Value::from(receipts.clone()));
}
