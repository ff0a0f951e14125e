use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Form, export};
use crate::base::{CameraId, Kind, PlateId, Quantity, ShopTime, SkuId, SourceId, TimeRange, TrackId, VisitId};
use crate::facts::{Body, BodyPoint, Fact, Frame, FrameFormat, Movement, Stamp};
use crate::geometry::{CameraPose, Lens, Pixel, PixelBox, Point};
use crate::ports::FactSink;
use crate::recording::{Cut, Writer};
use crate::shop::{CameraDraft, FacingDraft, PlateDraft, ProductDraft, RoomDraft, ShelfDraft, Shop, ShopDraft};
use crate::truth::{
    FrameBody, FrameTruth, HandTruth, PointTruth, Purchase, PurchasedItem, SceneBody, SceneTruth, TrueAction, Truth,
    Visibility,
};

/// Width and height of the frames.
const SIZE: [u32; 2] = [320, 180];
/// Frames of each camera.
const FRAMES: u64 = 40;
/// The first instant, nanoseconds.
const BEGIN: i64 = 1_700_000_000_000_000_000;
const STEP_NANOS: i64 = 100_000_000;

fn visit(number: u64) -> VisitId {
    VisitId::from_first_track(TrackId::new(number))
}

fn time(frame: u64) -> ShopTime {
    ShopTime::from_nanos(BEGIN + frame as i64 * STEP_NANOS)
}

/// A room with one shelf and two cameras.
fn shop() -> Shop {
    let camera = |name: &str, x: f64| CameraDraft {
        name: name.to_owned(),
        size_pixels: SIZE,
        rate_hertz: 10.0,
        lens: Lens { focal_pixels: [160.0, 160.0], centre_pixels: [160.0, 90.0], distortion: [0.0; 5] },
        pose: CameraPose::look_at(Point::new(x, 0.3, 2.5), Point::new(1.5, 2.0, 0.8), 0.0),
        line: None,
    };
    let shelf = crate::base::ShelfId::new(1, 1);
    let plate = PlateDraft { id: PlateId { shelf, plate: 1 }, left_metres: 0.0, width_metres: 1.0 };
    let draft = ShopDraft {
        name: "Painted </script> shop".to_owned(),
        products: vec![ProductDraft {
            sku: "tea".to_owned(),
            name: "Tea & <milk>".to_owned(),
            ..ProductDraft::default()
        }],
        shelves: vec![ShelfDraft {
            id: shelf,
            placement: crate::geometry::Placement { origin: Point::new(1.0, 2.6, 0.9), turn_radians: 0.0 },
            depth_metres: 0.4,
            clearance_metres: 0.3,
            facings: vec![FacingDraft { sku: Some("tea".to_owned()), plates: vec![plate.id], line: None }],
            plates: vec![plate],
            line: None,
        }],
        room: Some(RoomDraft {
            polygon: vec![[0.0, 0.0], [3.0, 0.0], [3.0, 3.2], [0.0, 3.2]],
            height_metres: 2.6,
            line: None,
        }),
        cameras: vec![camera("left", 0.4), camera("right", 2.6)],
        ..ShopDraft::default()
    };
    Shop::check(draft).unwrap()
}

/// A gradient with a bright square where the shopper is.
fn picture(frame: u64) -> Vec<u8> {
    sized(frame, SIZE)
}

/// The same in another size, without the square being in its place.
fn sized(frame: u64, [width, height]: [u32; 2]) -> Vec<u8> {
    let mut pixels = Vec::with_capacity((3 * width * height) as usize);
    let left = 20 + 5 * frame as u32;
    for y in 0..height {
        for x in 0..width {
            let inside = (left..left + 60).contains(&x) && (40..160).contains(&y);
            let shade = (x / 3 + y / 3) as u8;
            pixels.extend(if inside { [235, 205, 120] } else { [shade / 2, shade, 90] });
        }
    }
    let mut jpeg = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut jpeg, 80);
    encoder.encode(&pixels, width as u16, height as u16, jpeg_encoder::ColorType::Rgb).unwrap();
    jpeg
}

/// Somebody in the square, of whom one ankle is hidden and the other outside, and somebody who is not seen.
fn frame_truth(camera: &str, frame: u64) -> FrameTruth {
    let left = 20.0 + 5.0 * frame as f64;
    let spot = |x: f64, y: f64, visibility| PointTruth { pixel: Some(Point::<Pixel>::new(x, y, 0.0)), visibility };
    let mut keypoints = [spot(left + 30.0, 50.0, Visibility::Visible); BodyPoint::COUNT];
    for (number, point) in keypoints.iter_mut().enumerate() {
        let side = if number % 2 == 1 { 15.0 } else { -15.0 };
        *point = spot(left + 30.0 + side, 48.0 + 6.0 * number as f64, Visibility::Visible);
    }
    keypoints[15].visibility = Visibility::Hidden;
    keypoints[16] = PointTruth { pixel: None, visibility: Visibility::Outside };
    let holds = if 20 <= frame { vec![SkuId::new("tea")] } else { Vec::new() };
    let hand = |x: f64, holds| HandTruth {
        palm: spot(x, 108.0, Visibility::Visible),
        holds,
        held_pixels: 0,
        held_bounds: None,
    };
    let bounds = PixelBox { left, top: 40.0, right: left + 60.0, bottom: 190.0 };
    let body = FrameBody {
        visit: visit(7_000_000_000_000_000_001),
        depth_metres: 2.0,
        bounds,
        visible_bounds: Some(PixelBox { bottom: 160.0, ..bounds }),
        visible_share: 0.9,
        keypoints,
        mouth: [spot(left + 28.0, 52.0, Visibility::Visible); 2],
        carries: Vec::new(),
        hands: [hand(left + 10.0, holds), hand(left + 50.0, Vec::new())],
    };
    let hidden =
        FrameBody { visit: visit(2), depth_metres: 3.0, visible_bounds: None, visible_share: 0.0, ..body.clone() };
    FrameTruth { camera: CameraId::new(camera), sequence: frame * 3 + 5, at: time(frame), people: vec![body, hidden] }
}

fn scene(frame: u64) -> SceneTruth {
    let x = 0.5 + 0.05 * frame as f64;
    let body = |visit, x: f64, y: f64| SceneBody {
        visit,
        joints: BodyPoint::ALL.map(|point| match point {
            BodyPoint::LeftShoulder | BodyPoint::LeftHip => Point::new(x - 0.18, y, 1.4),
            BodyPoint::RightShoulder | BodyPoint::RightHip => Point::new(x + 0.18, y, 1.4),
            _ => Point::new(x, y, 1.0),
        }),
        palms: [Point::new(x - 0.2, y + 0.3, 1.0), Point::new(x + 0.2, y + 0.3, 1.0)],
        holds: [Vec::new(), Vec::new()],
        carries: if 20 <= frame { vec![SkuId::new("tea")] } else { Vec::new() },
    };
    let people = vec![body(visit(7_000_000_000_000_000_001), x, 1.6), body(visit(2), 2.4, 1.0)];
    SceneTruth { at: time(frame), people }
}

fn truth() -> Truth {
    let took = PurchasedItem { barcode: SkuId::new("tea"), quantity: Quantity::new(1) };
    let purchase = |number, products| Purchase { target_id: visit(number), products };
    Truth {
        case: "painted".to_owned(),
        receipts: vec![purchase(7_000_000_000_000_000_001, vec![took]), purchase(2, Vec::new())],
        actions: vec![TrueAction {
            visit: visit(7_000_000_000_000_000_001),
            span: TimeRange::new(time(18), time(20)),
            movement: Movement::Take,
            sku: SkuId::new("tea"),
            quantity: Quantity::new(1),
            plates: vec![PlateId::new(1, 1, 1)],
        }],
        ghosts: Vec::new(),
        tracks: Vec::new(),
    }
}

/// A recording of painted frames. The right camera lost a frame on the way, and of one of its frames nothing is known.
fn recording(folder: &Path, pictures: bool, labels: bool) -> PathBuf {
    recording_of(folder, pictures, labels, |_, frame| picture(frame))
}

/// The same with other pictures, by camera and number.
fn recording_of(folder: &Path, pictures: bool, labels: bool, picture: impl Fn(&str, u64) -> Vec<u8>) -> PathBuf {
    let path = folder.join("painted.mcap");
    let mut writer = Writer::create(&path, &shop(), labels.then(truth).as_ref(), Cut::Raw).unwrap();
    for frame in 0..FRAMES {
        for camera in ["left", "right"] {
            let lost = camera == "right" && frame == 3;
            let known = labels && !(camera == "right" && frame == 10);
            if known {
                writer.put_frame_truth(&frame_truth(camera, frame)).unwrap();
            }
            if pictures && !lost {
                let (at, name) = (time(frame), CameraId::new(camera));
                let source = SourceId::new(&format!("camera/{camera}"));
                let stamp = Stamp { source, sequence: frame * 3 + 5, at, arrived: at };
                let body =
                    Body::Frame(Frame { camera: name, format: FrameFormat::Jpeg, data: picture(camera, frame).into() });
                writer.put(&Fact { stamp, body }).unwrap();
            }
        }
        if labels {
            writer.put_scene_truth(&scene(frame)).unwrap();
        }
    }
    writer.finish().unwrap();
    path
}

/// Exports and gives the folder.
fn exported(form: Form, folder: &Path) -> (PathBuf, super::Summary) {
    let (from, to) = (recording(folder, true, true), folder.join("out"));
    let (mut told, mut ends) = (0, Vec::new());
    let summary = export(form, &from, &to, &mut |read, all| {
        assert!(told <= read && read <= all);
        told = read;
        ends.push(all);
    });
    assert!(ends.windows(2).all(|pair| pair[0] == pair[1]));
    let names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "something is left over: {names:?}");
    (to, summary.unwrap())
}

fn count(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[test]
fn frames_are_the_pictures_as_they_were_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let (out, summary) = exported(Form::Frames, folder.path());
    assert_eq!((summary.cameras, summary.frames, summary.left_out.unlabelled), (2, 2 * FRAMES - 1, 0));
    assert_eq!((count(&out.join("left")), count(&out.join("right"))), (40, 39));
    // The fourth frame of the right camera never came: the numbers go on without it.
    assert_eq!(fs::read(out.join("right/000004.jpg")).unwrap(), picture(4));
    assert_eq!(fs::read(out.join("left/000004.jpg")).unwrap(), picture(3));
}

#[test]
fn coco_has_pixel_indices_and_whom_somebody_can_see() {
    let folder = tempfile::tempdir().unwrap();
    let (out, summary) = exported(Form::Coco, folder.path());
    assert_eq!((summary.frames, summary.left_out.unlabelled, summary.people), (78, 1, 78));
    let coco: Value = serde_json::from_slice(&fs::read(out.join("person_keypoints.json")).unwrap()).unwrap();
    let (images, annotations) = (coco["images"].as_array().unwrap(), coco["annotations"].as_array().unwrap());
    assert_eq!((images.len(), annotations.len()), (78, 78));
    for image in images {
        assert!(out.join("images").join(image["file_name"].as_str().unwrap()).is_file());
        assert_eq!((image["width"].as_u64(), image["height"].as_u64()), (Some(320), Some(180)));
        assert_eq!(annotations.iter().filter(|annotation| annotation["image_id"] == image["id"]).count(), 1);
    }
    let first = images.iter().find(|image| image["file_name"] == "left/000001.jpg").unwrap();
    let seen = annotations.iter().find(|annotation| annotation["image_id"] == first["id"]).unwrap();
    assert_eq!(seen["bbox"], serde_json::json!([20.0, 40.0, 60.0, 120.0]));
    assert_eq!((seen["area"].as_f64(), seen["num_keypoints"].as_u64()), (Some(7200.0), Some(16)));
    let points = seen["keypoints"].as_array().unwrap();
    assert_eq!(points.len(), 51);
    // Ours is (35, 48) from the corner of the picture: the middle of a pixel is half a pixel in.
    assert_eq!(points[..3], [Value::from(34.5), Value::from(47.5), Value::from(2)]);
    assert_eq!((points[47].as_u64(), &points[48..]), (Some(1), [0, 0, 0].map(Value::from).as_slice()));
    let person = &coco["categories"][0];
    assert_eq!((person["keypoints"][9].as_str(), person["skeleton"][0][0].as_u64()), (Some("left_wrist"), Some(16)));
}

#[test]
fn mot_has_one_sequence_a_camera_with_whole_bodies() {
    let folder = tempfile::tempdir().unwrap();
    let (out, summary) = exported(Form::Mot, folder.path());
    assert_eq!((summary.frames, summary.people), (78, 156));
    assert_eq!(fs::read_to_string(out.join("seqmap.txt")).unwrap(), "name\nleft\nright\n");
    let info = fs::read_to_string(out.join("right/seqinfo.ini")).unwrap();
    let expected =
        "[Sequence]\nname=right\nimDir=img1\nframeRate=10\nseqLength=38\nimWidth=320\nimHeight=180\nimExt=.jpg\n";
    assert_eq!(info, expected);
    assert_eq!(count(&out.join("right/img1")), 38);
    let rows = fs::read_to_string(out.join("left/gt/gt.txt")).unwrap();
    let rows: Vec<&str> = rows.lines().collect();
    assert_eq!(rows.len(), 80);
    assert_eq!(rows[..2], ["1,1,21.00,41.00,60.00,150.00,1,1,0.9000", "1,2,21.00,41.00,60.00,150.00,1,1,0.0000"]);
}

#[test]
fn the_page_holds_everything_it_shows() {
    let folder = tempfile::tempdir().unwrap();
    let (out, summary) = exported(Form::Preview, folder.path());
    assert_eq!((summary.frames, summary.left_out.unlabelled), (79, 0));
    let page = fs::read_to_string(out.join("index.html")).unwrap();
    assert!(!page.contains("http") && !page.contains("/*DATA*/") && !page.contains("/*TITLE*/"));
    // One script, and nothing of the shop ends it.
    assert_eq!((page.matches("<script").count(), page.matches("</script").count()), (1, 1));
    assert!(page.contains("<title>Painted &lt;/script&gt; shop</title>") && page.contains("Tea & \\u003cmilk>"));
    let calls = |what: &str| page.lines().filter(|line| line.starts_with(&format!("{what}("))).count();
    assert_eq!((calls("about"), calls("frame"), calls("truth"), calls("scene")), (1, 79, 78, 40));
    assert!(out.join("frames/left/000040.jpg").is_file());
}

#[test]
fn what_is_missing_is_said_and_nothing_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("out");
    let refused = |form, from: &Path| {
        let error = export(form, from, &to, &mut |_, _| {}).unwrap_err();
        assert_eq!(count(folder.path()), 1, "{error}");
        error
    };
    let dark = recording(folder.path(), false, true);
    let error = refused(Form::Frames, &dark);
    assert_eq!((error.kind(), error.message()), (Kind::Input, "this recording has no frames"));
    let unlabelled = recording(folder.path(), true, false);
    for form in [Form::Coco, Form::Mot] {
        let error = refused(form, &unlabelled);
        assert_eq!((error.kind(), error.message()), (Kind::Input, "this recording does not say what its frames show"));
    }
    let short = fs::read(&unlabelled).unwrap();
    fs::write(&unlabelled, &short[..short.len() / 2]).unwrap();
    assert_eq!(refused(Form::Preview, &unlabelled).kind(), Kind::Input);
    fs::remove_file(&unlabelled).unwrap();
    fs::create_dir(&to).unwrap();
    assert!(export(Form::Frames, &unlabelled, &to, &mut |_, _| {}).is_err() && count(folder.path()) == 1);
}

#[test]
fn only_an_empty_folder_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (recording(folder.path(), true, false), folder.path().join("out"));
    let export = |to: &Path| export(Form::Frames, &from, to, &mut |_, _| {});
    fs::create_dir(&to).unwrap();
    assert_eq!(export(&to).unwrap().frames, 79);
    let error = export(&to).unwrap_err();
    assert_eq!((error.kind(), error.message()), (Kind::Usage, "this folder is not empty"));
    assert!(export(&from).unwrap_err().to_string().contains("this is a file"));
    assert_eq!(export(&folder.path().join("none/out")).unwrap_err().kind(), Kind::Io);
    assert_eq!(count(folder.path()), 2);
}

/// Exports a recording of such pictures; the folder, and what is said of it.
fn exported_of(
    form: Form,
    folder: &Path,
    picture: impl Fn(&str, u64) -> Vec<u8>,
) -> crate::base::Result<(PathBuf, String)> {
    let (from, to) = (recording_of(folder, true, true, picture), folder.join("out"));
    export(form, &from, &to, &mut |_, _| {}).map(|summary| (to, summary.to_string()))
}

#[test]
fn pictures_of_a_sub_stream_are_described_as_they_are() {
    let half = |_: &str, frame| sized(frame, [160, 90]);
    let folder = tempfile::tempdir().unwrap();
    let (out, told) = exported_of(Form::Coco, folder.path(), half).unwrap();
    assert!(told.starts_with("78 frames of 2 cameras, 78 people in them; 1 frames left out"), "{told}");
    let coco: Value = serde_json::from_slice(&fs::read(out.join("person_keypoints.json")).unwrap()).unwrap();
    let images = coco["images"].as_array().unwrap();
    assert!(images.iter().all(|image| (image["width"].as_u64(), image["height"].as_u64()) == (Some(160), Some(90))));
    let first = images.iter().find(|image| image["file_name"] == "left/000001.jpg").unwrap();
    let annotations = coco["annotations"].as_array().unwrap();
    let seen = annotations.iter().find(|annotation| annotation["image_id"] == first["id"]).unwrap();
    assert_eq!(seen["bbox"], serde_json::json!([10.0, 20.0, 30.0, 60.0]));
    // Half of (35, 48), and then half a pixel in.
    assert_eq!(seen["keypoints"].as_array().unwrap()[..2], [17.0, 23.5].map(Value::from));
    let folder = tempfile::tempdir().unwrap();
    let (out, _) = exported_of(Form::Mot, folder.path(), half).unwrap();
    assert!(
        fs::read_to_string(out.join("left/seqinfo.ini")).unwrap().contains("imWidth=160\nimHeight=90\nimExt=.jpg\n")
    );
    let rows = fs::read_to_string(out.join("left/gt/gt.txt")).unwrap();
    assert!(rows.starts_with("1,1,11.00,21.00,30.00,75.00,1,1,0.9000\n"), "{rows}");
}

#[test]
fn pictures_are_called_what_they_are_and_a_sequence_has_one_kind() {
    let png = |frame| {
        let pixels = crate::image::decode_picture(&picture(frame)).unwrap();
        crate::image::encode_png(&pixels).unwrap()
    };
    let mixed = |camera: &str, frame: u64| match (camera, frame % 2) {
        ("left", 0) => png(frame),
        ("left", _) => sized(frame, [160, 90]),
        _ => picture(frame),
    };
    for (form, file) in [(Form::Frames, "left"), (Form::Preview, "frames/left"), (Form::Coco, "images/left")] {
        let folder = tempfile::tempdir().unwrap();
        let (out, _) = exported_of(form, folder.path(), mixed).unwrap();
        assert_eq!(fs::read(out.join(file).join("000001.png")).unwrap(), png(0));
        assert_eq!(fs::read(out.join(file).join("000002.jpg")).unwrap(), sized(1, [160, 90]));
    }
    let folder = tempfile::tempdir().unwrap();
    let error = exported_of(Form::Mot, folder.path(), mixed).unwrap_err().to_string();
    assert!(error.contains("camera left") && error.contains("320x180 .png, 160x90 .jpg"), "{error}");
    assert_eq!(count(folder.path()), 1);
}

#[test]
fn frames_that_are_no_whole_pictures_or_of_another_shape_are_left_out_and_told() {
    let odd = |camera: &str, frame: u64| match (camera, frame) {
        ("left", 4) => picture(frame)[..2_000].to_vec(),
        ("left", 5) => b"no picture".to_vec(),
        ("right", 7) => sized(frame, [320, 240]),
        _ => picture(frame),
    };
    for form in [Form::Frames, Form::Preview, Form::Coco, Form::Mot] {
        let folder = tempfile::tempdir().unwrap();
        let (_, told) = exported_of(form, folder.path(), odd).unwrap();
        assert!(told.contains("2 frames left out, for they cannot be decoded"), "{told}");
        assert!(
            told.contains("1 frames left out of camera right with 320x240 pixels") && told.contains("320x180"),
            "{told}"
        );
        let folder = tempfile::tempdir().unwrap();
        let error = exported_of(form, folder.path(), |_, frame| sized(frame, [320, 240])).unwrap_err().to_string();
        assert!(
            ["camera left", "camera right", "320x240", "320x180"].iter().all(|word| error.contains(word)),
            "{error}"
        );
        assert_eq!(count(folder.path()), 1);
    }
}
