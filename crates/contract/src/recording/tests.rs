mod order;

use std::io::Cursor;
use std::path::Path;

use rand::RngExt;

use super::{Cut, Entry, Losses, Reader, Writer};
use crate::base::rng::{Dice, dice};
use crate::base::{
    CameraId, CartId, Grams, Kind, PlateId, Prob, Quantity, ShelfId, ShopTime, SkuId, SourceId, Span, TimeRange,
    TrackId, VisitId,
};
use crate::facts::{
    Body, BodyPoint, ClockEstimate, Closing, Detection, DetectionClass, EntryRole, Fact, Frame, FrameFormat, GateScan,
    Held, HeldGuess, Joint, Joints, Keypoint, Level, PeopleFrame, Person, PlateBatch, Receipt, ReceiptLine, SeenFrame,
    ShelfEvent, Staircase, Stamp, Topic,
};
use crate::geometry::{CameraPose, Lens, Pixel, PixelBox, Point};
use crate::ports::{FactSink, FactSource};
use crate::shop::{CameraDraft, Shop, ShopDraft};
use crate::truth::{FrameBody, FrameTruth, HandTruth, PointTruth, Purchase, SceneBody, SceneTruth, Truth, Visibility};

/// The cameras of the shop.
const CAMERAS: [&str; 2] = ["front", "side"];

fn shop() -> Shop {
    let camera = |name: &&str| CameraDraft {
        name: (*name).to_owned(),
        size_pixels: [64, 48],
        rate_hertz: 10.0,
        lens: Lens { focal_pixels: [50.0, 50.0], centre_pixels: [32.0, 24.0], distortion: [-0.2, 0.04, 0.0, 0.0, 0.0] },
        pose: CameraPose::look_at(Point::new(0.0, 0.0, 2.5), Point::new(0.0, 2.0, 0.5), 0.1),
        line: None,
    };
    let cameras = CAMERAS.iter().map(camera).collect();
    Shop::check(ShopDraft { name: "small".to_owned(), cameras, ..ShopDraft::default() }).unwrap()
}

fn truth() -> Truth {
    let bought = Purchase { target_id: VisitId::from_first_track(TrackId::new(u64::MAX)), products: Vec::new() };
    Truth { case: "one".to_owned(), receipts: vec![bought], ..Truth::default() }
}

fn sample(dice: &mut Dice) -> f32 {
    match dice.random_range(0..8) {
        0 => f32::NAN,
        1 => -0.0,
        2 => f32::MAX,
        3 => f32::MIN_POSITIVE / 8.0,
        _ => loop {
            let sample = f32::from_bits(dice.random());
            if sample.is_finite() {
                break sample;
            }
        },
    }
}

fn range(dice: &mut Dice) -> TimeRange {
    TimeRange::new(ShopTime::from_nanos(dice.random()), ShopTime::from_nanos(dice.random()))
}

fn body(dice: &mut Dice) -> Body {
    let shelf = ShelfId::new(dice.random(), dice.random());
    let visit = VisitId::from_first_track(TrackId::new(dice.random()));
    match dice.random_range(0..8) {
        0 => {
            let plates: Vec<PlateId> = (1..=dice.random_range(1..9)).map(|plate| PlateId { shelf, plate }).collect();
            let grams = (0..plates.len() * dice.random_range(1..13)).map(|_| sample(dice)).collect();
            let first_at = ShopTime::from_nanos(dice.random());
            Body::Plates(PlateBatch { first_at, period: Span::from_nanos(16_666_667), plates, grams })
        }
        1 => {
            let mut coordinate = || dice.random_range(-10.0..10.0);
            let position = Point::new(coordinate(), coordinate(), -0.0);
            let joints = Joints { right_wrist: Some(Joint { position, score: 0.1 }), ..Joints::default() };
            Body::People(PeopleFrame { people: vec![Person { track: TrackId::new(dice.random()), joints }] })
        }
        2 => {
            let level = Level { quiet: range(dice), grams: Grams::new(dice.random()), sigma: Grams::new(0.5) };
            let plates = vec![Staircase { plate: PlateId { shelf, plate: 1 }, levels: vec![level; 2] }];
            Body::Shelf(ShelfEvent { shelf, span: range(dice), plates })
        }
        3 => {
            let data: Vec<u8> = (0..dice.random_range(0..200)).map(|_| dice.random()).collect();
            Body::Frame(Frame { camera: camera(dice), format: FrameFormat::Jpeg, data: data.into() })
        }
        4 => {
            let cart = CartId::derived(&[&dice.random::<u64>().to_string()]);
            {
                let role = EntryRole::ALL[dice.random_range(0..EntryRole::ALL.len())];
                Body::Gate(GateScan { cart, gate: "east \"1\"".to_owned(), people: dice.random_range(1..4), role })
            }
        }
        5 => {
            let detections = (0..dice.random_range(0..3)).map(|_| detection(dice)).collect();
            Body::Seen(SeenFrame { camera: camera(dice), size_pixels: [64, 48], detections })
        }
        6 => Body::Clock(ClockEstimate { offset: Span::from_nanos(dice.random()), sigma: Span::ZERO, events: 3 }),
        _ => {
            let line = ReceiptLine {
                sku: SkuId::new("071142008582"),
                name: "water \"still\" \u{1f4a7}\n".to_owned(),
                quantity: Quantity::new(dice.random()),
                unit_price: None,
                discounts: Vec::new(),
                tax: None,
                amount: None,
                probability: Prob::new(dice.random()),
                attributions: Vec::new(),
            };
            let span = range(dice);
            let (entered, left, closing) = (span.start, span.end, Closing::Left);
            Body::Receipt(Receipt {
                visit,
                entered,
                left,
                closing,
                taxes: Vec::new(),
                lines: vec![line],
                total: None,
                probability: Prob::ONE,
                interrupted: dice.random_bool(0.5).then(|| "aisle stopped".to_owned()),
            })
        }
    }
}

fn camera(dice: &mut Dice) -> CameraId {
    CameraId::new(CAMERAS[dice.random_range(0..CAMERAS.len())])
}

fn pixel(dice: &mut Dice) -> Point<Pixel> {
    Point::new(dice.random_range(-100.0..100.0), dice.random_range(-100.0..100.0), 0.0)
}

fn bounds(dice: &mut Dice) -> PixelBox {
    let (corner, width) = (pixel(dice), dice.random_range(0.0..60.0));
    PixelBox::from_size(corner.x, corner.y, width, 2.0 * width)
}

fn detection(dice: &mut Dice) -> Detection {
    let class = [DetectionClass::Person, DetectionClass::Hand, DetectionClass::Other(dice.random())];
    let keypoints = (0..dice.random_range(0..4)).map(|_| Keypoint { pixel: pixel(dice), score: dice.random() });
    let keypoints = keypoints.collect();
    let embedding = (0..dice.random_range(0..5)).map(|_| dice.random_range(-1.0..1.0)).collect();
    let guess = HeldGuess { sku: SkuId::new("4000417025005"), probability: dice.random() };
    Detection {
        class: class[dice.random_range(0..3)],
        bounds: bounds(dice),
        score: dice.random(),
        keypoints,
        embedding,
        held: dice.random::<bool>().then(|| Held { holding: dice.random(), guesses: vec![guess] }),
    }
}

/// Truths of a frame and of the scene, with somebody who is seen and somebody who is not.
fn truths(seed: u64, number: u64) -> [Entry; 2] {
    let mut dice = dice(seed, "truths");
    let at = ShopTime::from_nanos(1_587_531_994_630_447_001 + number as i64);
    let point = |dice: &mut Dice| match dice.random_range(0..3) {
        0 => PointTruth { pixel: None, visibility: Visibility::Outside },
        1 => PointTruth { pixel: Some(pixel(dice)), visibility: Visibility::Hidden },
        _ => PointTruth { pixel: Some(pixel(dice)), visibility: Visibility::Visible },
    };
    let mut body = |visible: bool| FrameBody {
        visit: VisitId::from_first_track(TrackId::new(dice.random())),
        depth_metres: dice.random_range(0.5..9.0),
        bounds: bounds(&mut dice),
        visible_bounds: visible.then(|| bounds(&mut dice)),
        visible_share: if visible { dice.random() } else { 0.0 },
        keypoints: BodyPoint::ALL.map(|_| point(&mut dice)),
        mouth: [point(&mut dice), point(&mut dice)],
        carries: Vec::new(),
        hands: [Vec::new(), vec![SkuId::new("a"); 2]].map(|holds| HandTruth {
            palm: point(&mut dice),
            holds,
            held_pixels: 7,
            held_bounds: Some(PixelBox::from_size(1.5, 2.0, 3.0, 4.0)),
        }),
    };
    let people = vec![body(true), body(false)];
    let frame = FrameTruth { camera: CameraId::new(CAMERAS[0]), sequence: number, at, people };
    let mut point =
        || Point::new(dice.random_range(-9.0..9.0), dice.random_range(-9.0..9.0), dice.random_range(0.0..2.0));
    let someone = SceneBody {
        visit: VisitId::from_first_track(TrackId::new(u64::MAX)),
        joints: BodyPoint::ALL.map(|_| point()),
        palms: [point(), point()],
        holds: [vec![SkuId::new("b")], Vec::new()],
        carries: vec![SkuId::new("c"), SkuId::new("c")],
    };
    [Entry::Frame(frame), Entry::Scene(SceneTruth { at, people: vec![someone] })]
}

fn facts(seed: u64, count: u64) -> Vec<Fact> {
    let mut dice = dice(seed, "recording");
    let mut fact = |sequence| Fact {
        stamp: Stamp {
            source: SourceId::new("test/1"),
            sequence,
            at: ShopTime::from_nanos(dice.random()),
            arrived: ShopTime::from_nanos(1_587_531_994_630_447_001 + sequence as i64),
        },
        body: body(&mut dice),
    };
    (0..count).map(&mut fact).collect()
}

fn write(facts: &[Fact], cut: Cut) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = Writer::new(&mut bytes, &shop(), Some(&truth()), cut).unwrap();
    facts.iter().for_each(|fact| writer.put(fact).unwrap());
    let summary = writer.finish().unwrap();
    assert_eq!(summary.bytes, bytes.get_ref().len() as u64);
    bytes.into_inner()
}

/// Reads all there is; gives the facts as text, which tells NaN and -0.0 apart from the rest, and the errors.
fn read(bytes: &[u8]) -> (Vec<String>, Vec<String>) {
    let mut reader = match Reader::new(Cursor::new(bytes), Path::new("trip.mcap")) {
        Ok(reader) => reader,
        Err(error) => {
            assert_eq!(error.kind(), Kind::Input);
            return (Vec::new(), vec![error.to_string()]);
        }
    };
    let (mut facts, mut errors) = (Vec::new(), Vec::new());
    loop {
        match reader.next_fact() {
            Ok(Some(fact)) => facts.push(format!("{fact:?}")),
            Ok(None) => break,
            Err(error) => {
                assert_eq!(error.kind(), Kind::Input);
                assert!(error.place().byte.is_some() && error.place().path.is_some(), "{error}");
                errors.push(error.to_string());
            }
        }
        assert!(errors.len() < 10_000, "the reader never ends");
    }
    assert!(reader.next_fact().unwrap().is_none());
    (facts, errors)
}

fn texts(facts: &[Fact], cut: Cut) -> Vec<String> {
    facts.iter().filter(|fact| cut.holds(fact.body.topic())).map(|fact| format!("{fact:?}")).collect()
}

#[test]
fn what_is_written_comes_back_bit_by_bit() {
    for seed in 0..40 {
        for cut in Cut::ALL {
            let facts = facts(seed, 60);
            let (back, errors) = read(&write(&facts, cut));
            assert_eq!(back, texts(&facts, cut), "seed {seed}, {cut}");
            assert!(errors.is_empty(), "{errors:?}");
        }
    }
}

#[test]
fn the_same_facts_give_the_same_bytes() {
    assert_eq!(write(&facts(7, 50), Cut::Tracked), write(&facts(7, 50), Cut::Tracked));
}

#[test]
fn shop_truth_and_cut_come_back_but_never_as_facts() {
    let bytes = write(&[], Cut::Decided);
    let mut reader = Reader::new(Cursor::new(&bytes[..]), Path::new("trip.mcap")).unwrap();
    assert_eq!(reader.shop(), &shop());
    assert_eq!(reader.truth(), Some(&truth()));
    assert_eq!(reader.cut(), Cut::Decided);
    assert!(reader.next_fact().unwrap().is_none());
}

#[test]
fn truths_of_frames_and_scenes_come_back_in_their_place_and_only_to_who_asks_for_them() {
    for cut in Cut::ALL {
        let mut wanted = Vec::new();
        let mut bytes = Cursor::new(Vec::new());
        let mut writer = Writer::new(&mut bytes, &shop(), None, cut).unwrap();
        for (number, fact) in facts(9, 60).into_iter().enumerate() {
            let [frame, scene] = truths(number as u64, number as u64);
            if let (Entry::Frame(frame), Entry::Scene(scene)) = (&frame, &scene) {
                writer.put_frame_truth(frame).unwrap();
                writer.put(&fact).unwrap();
                writer.put_scene_truth(scene).unwrap();
            }
            let kept = cut.holds(fact.body.topic()).then_some(Entry::Fact(fact));
            wanted.extend([Some(frame), kept, Some(scene)].into_iter().flatten());
        }
        writer.finish().unwrap();
        let bytes = bytes.into_inner();
        let mut reader = Reader::new(Cursor::new(&bytes[..]), Path::new("trip.mcap")).unwrap();
        let told = |entry: &Entry| format!("{entry:?}");
        let mut found = Vec::new();
        while let Some(entry) = reader.next_entry().unwrap() {
            found.push(told(&entry));
        }
        assert_eq!(found, wanted.iter().map(told).collect::<Vec<_>>(), "{cut}");
        let facts = wanted.iter().filter_map(|entry| match entry {
            Entry::Fact(fact) => Some(format!("{fact:?}")),
            _ => None,
        });
        assert_eq!(read(&bytes), (facts.collect(), Vec::new()), "{cut}");
    }
}

#[test]
fn every_camera_has_a_channel_as_foxglove_reads_it() {
    let data: Vec<u8> = (0..=255).collect();
    let at = ShopTime::from_nanos(1_700_000_000_123_456_789);
    let frame = |camera: &str, at| {
        let stamp = Stamp { source: SourceId::new("camera/x"), sequence: 7, at, arrived: at + Span::from_millis(80) };
        let frame = Frame { camera: CameraId::new(camera), format: FrameFormat::Jpeg, data: data.clone().into() };
        Fact { stamp, body: Body::Frame(frame) }
    };
    let early = ShopTime::from_nanos(-5);
    let bytes = write(&[frame("side", at), frame("front", early)], Cut::Raw);
    let summary = mcap::Summary::read(&bytes).unwrap().unwrap();
    let cameras = summary.channels.values().filter(|channel| channel.topic.starts_with(Topic::Frame.name()));
    for channel in cameras.clone() {
        let schema = channel.schema.as_ref().unwrap();
        assert_eq!((schema.name.as_str(), schema.encoding.as_str()), ("foxglove.CompressedImage", "jsonschema"));
        let schema: serde_json::Value = serde_json::from_slice(&schema.data).unwrap();
        assert_eq!(schema["properties"]["data"]["contentEncoding"], "base64");
    }
    let mut names: Vec<&str> = cameras.map(|channel| channel.topic.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["/cameras/front", "/cameras/side"]);
    let sent: Vec<_> = mcap::MessageStream::new(&bytes).unwrap().map(Result::unwrap).collect();
    let json = |topic: &str| {
        let message = sent.iter().find(|message| message.channel.topic == topic).unwrap();
        serde_json::from_slice::<serde_json::Value>(&message.data).unwrap()
    };
    let side = json("/cameras/side");
    assert_eq!(side["timestamp"], serde_json::json!({ "sec": 1_700_000_000, "nsec": 123_456_789 }));
    assert_eq!((side["frame_id"].as_str(), side["format"].as_str()), (Some("side"), Some("jpeg")));
    assert!(side["data"].as_str().unwrap().starts_with("AAECAwQF"));
    assert_eq!(json("/cameras/front")["timestamp"], serde_json::json!({ "sec": 0, "nsec": 0 }));
    assert_eq!(json("/cameras/front")["stamp"]["at"], -5);
}

/// Another label on a picture.
fn labelled(bytes: &[u8], label: &str) -> std::result::Result<FrameFormat, String> {
    let data = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
    let stamp = r#"{"source":"camera/front","sequence":1,"at":5,"arrived":5}"#;
    let json = format!(
        r#"{{"timestamp":{{"sec":0,"nsec":5}},"frame_id":"front","data":"{data}","format":"{label}","stamp":{stamp}}}"#
    );
    let fact = super::picture::decode(json.as_bytes())?;
    let Body::Frame(frame) = fact.body else { unreachable!("it is a frame") };
    assert_eq!(&*frame.data, bytes);
    Ok(frame.format)
}

#[test]
fn a_picture_is_known_by_its_bytes_and_then_by_its_label() {
    let (png, jpeg) = (b"\x89PNG\r\n\x1a\n and more", b"\xff\xd8\xff\xe0 and more");
    for label in ["jpeg", "png", "image/png", "", "anything"] {
        assert_eq!(labelled(png, label), Ok(FrameFormat::Png), "{label}");
        assert_eq!(labelled(jpeg, label), Ok(FrameFormat::Jpeg), "{label}");
    }
    assert_eq!(labelled(b"", "JPG"), Ok(FrameFormat::Jpeg));
    assert_eq!(labelled(b"lost", "rgb8; png compressed"), Ok(FrameFormat::Png));
    let error = labelled(b"\0\0\0\x01\x67", "h264").unwrap_err();
    assert!(error.contains("\"h264\", which is not read; jpeg, png, webp, bmp and gif are"), "{error}");
}

#[test]
fn a_frame_of_a_camera_that_the_shop_has_not_is_refused() {
    let mut fact = facts(1, 1).remove(0);
    fact.body = Body::Frame(Frame { camera: CameraId::new("roof"), format: FrameFormat::Jpeg, data: vec![1].into() });
    let mut writer = Writer::new(Cursor::new(Vec::new()), &shop(), None, Cut::Raw).unwrap();
    let error = writer.put(&fact).unwrap_err().to_string();
    assert!(error.contains("the shop of this recording has no camera `roof`"), "{error}");
}

#[test]
fn a_file_cut_anywhere_replays_up_to_the_break_and_says_so() {
    let facts = facts(1, 4_000);
    let whole = texts(&facts, Cut::Raw);
    let bytes = write(&facts, Cut::Raw);
    let mut lengths = Vec::new();
    let step = bytes.len() / 150 + 1;
    let near_ends = (0..400).chain(bytes.len() - 200..bytes.len());
    for length in (0..bytes.len()).step_by(step).chain(near_ends) {
        let (back, errors) = read(&bytes[..length]);
        assert_eq!(errors.len(), 1, "{length} of {} bytes: {errors:?}", bytes.len());
        assert!(whole.starts_with(&back), "{length}");
        lengths.push(back.len());
    }
    assert!(lengths.iter().any(|&length| 0 < length && length < whole.len()), "no cut fell between chunks");
}

#[test]
fn flipped_bits_never_panic_and_never_change_a_fact() {
    let facts = facts(2, 400);
    let whole = texts(&facts, Cut::Decided);
    let bytes = write(&facts, Cut::Decided);
    let mut dice = dice(3, "flips");
    for _ in 0..1_500 {
        let mut broken = bytes.clone();
        let (at, bit) = (dice.random_range(0..broken.len()), dice.random_range(0..8));
        broken[at] ^= 1 << bit;
        let (back, errors) = read(&broken);
        let mut rest = whole.iter();
        assert!(back.iter().all(|fact| rest.any(|other| other == fact)), "bit {bit} of byte {at} made up a fact");
        assert!(back.len() == whole.len() || !errors.is_empty(), "bit {bit} of byte {at} lost facts silently");
    }
}

#[test]
fn a_damaged_chunk_is_left_out_and_the_rest_still_read() {
    let facts = facts(4, 9_000);
    let mut bytes = write(&facts, Cut::Tracked);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let (back, errors) = read(&bytes);
    let whole = texts(&facts, Cut::Tracked);
    assert!(back.len() < whole.len() && back.first() == whole.first() && back.last() == whole.last());
    assert!(errors[0].contains("a chunk is damaged and is left out"), "{errors:?}");
}

/// An MCAP stream with one JSON message on one channel.
fn mcap_with(channel: &str, labels: &[(&str, &str)], json: &[u8]) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut out = mcap::Writer::new(&mut bytes).unwrap();
    let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let shop = out.add_channel(0, "/shop", "json", &labels).unwrap();
    let other = out.add_channel(0, channel, "json", &Default::default()).unwrap();
    let header = |channel_id| mcap::records::MessageHeader { channel_id, sequence: 0, log_time: 0, publish_time: 0 };
    if !labels.is_empty() {
        out.write_to_known_channel(&header(shop), br#"{"name":"x"}"#).unwrap();
    }
    out.write_to_known_channel(&header(other), json).unwrap();
    out.finish().unwrap();
    drop(out);
    bytes.into_inner()
}

#[test]
fn every_sort_of_wrong_file_has_its_own_sentence() {
    let check = |bytes: &[u8], sentence: &str| {
        let (_, errors) = read(bytes);
        assert!(errors.iter().any(|error| error.contains(sentence)), "{sentence}: {errors:?}");
    };
    let label = [("format", "1"), ("cut", "tracked")];
    check(b"", "the file is empty");
    check(b"abc", "3 bytes are too few");
    check(b"{\"timestamp\": 1}", "this is not a recording: it does not begin as an MCAP file does");
    check(&mcap_with("/camera", &[], b"{}"), "not a recording of aisle: its first message is on `/camera`");
    check(&mcap_with("/plates", &label, b"{}"), "a message on /plates is not a fact (record");
    check(&mcap_with("/plates", &label, b"[1,2"), "is not a fact");
    check(
        &mcap_with("/plates", &[("format", "2")], b"{}"),
        "this recording has format 2, written by aisle a newer one",
    );
    let rows = br#"{"stamp":{"source":"g","sequence":0,"at":0,"arrived":0},"body":{"first_at":0,"period":1,"plates":["1-1-1","1-1-2"],"grams":[1.0]}}"#;
    check(&mcap_with("/plates", &label, rows), "1 samples of 2 plates");
    let mut long = mcap::MAGIC.to_vec();
    long.push(1);
    long.extend_from_slice(&(1_u64 << 50).to_le_bytes());
    check(&long, "a record claims 1125899906842624 bytes");
}

#[test]
fn unknown_channels_are_passed_over() {
    let bytes = mcap_with("/camera", &[("format", "1")], b"{}");
    let mut reader = Reader::new(Cursor::new(&bytes[..]), Path::new("trip.mcap")).unwrap();
    assert!(reader.next_fact().unwrap().is_none());
    assert_eq!(reader.losses(), Losses { others: 1, ..Losses::default() });
}

#[test]
fn a_file_has_its_name_only_when_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trip.mcap");
    let names = || std::fs::read_dir(folder.path()).unwrap().count();
    let mut writer = Writer::create(&path, &shop(), None, Cut::Tracked).unwrap();
    facts(5, 9).iter().for_each(|fact| writer.put(fact).unwrap());
    assert!(!path.exists() && names() == 1);
    drop(writer);
    assert_eq!(names(), 0);
    Writer::create(&path, &shop(), None, Cut::Tracked).unwrap().finish().unwrap();
    assert!(path.exists() && names() == 1);
    assert!(Reader::open(&path).unwrap().next_fact().unwrap().is_none());
    assert!(Writer::create(folder.path(), &shop(), None, Cut::Tracked).is_err());
}

#[test]
fn what_could_not_be_read_back_is_refused() {
    let mut fact = facts(1, 1).remove(0);
    let position = Point::new(f64::NAN, 0.0, 0.0);
    let joints = Joints { head: Some(Joint { position, score: 1.0 }), ..Joints::default() };
    fact.body = Body::People(PeopleFrame { people: vec![Person { track: TrackId::new(1), joints }] });
    let mut writer = Writer::new(Cursor::new(Vec::new()), &shop(), None, Cut::Tracked).unwrap();
    assert!(writer.put(&fact).is_err());
}
