//! `aisle export` as people type it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use aisle::base::{CameraId, ShopTime, SourceId};
use aisle::config;
use aisle::facts::{Body, Fact, Frame, FrameFormat, Stamp};
use aisle::ports::FactSink;
use aisle::recording::{Cut, Writer};
use aisle::truth::FrameTruth;

fn aisle(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_aisle")).args(arguments).current_dir(folder).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Three grey frames of each camera of the micro-market, of which it is known that they are empty.
fn recording(folder: &Path, frames: u64) -> PathBuf {
    let shop = config::load_shop(Path::new("micro-market")).unwrap();
    let mut grey = Vec::new();
    image::GrayImage::from_pixel(640, 360, image::Luma([90]))
        .write_to(&mut std::io::Cursor::new(&mut grey), image::ImageFormat::Jpeg)
        .unwrap();
    let path = folder.join("trip.mcap");
    let mut writer = Writer::create(&path, &shop, None, Cut::Raw).unwrap();
    for sequence in 0..frames {
        for camera in ["front", "side"] {
            let (camera, at) = (CameraId::new(camera), ShopTime::from_nanos(sequence as i64 * 100_000_000));
            let stamp = Stamp { source: SourceId::new(&format!("camera/{camera}")), sequence, at, arrived: at };
            let frame = Frame { camera: camera.clone(), format: FrameFormat::Jpeg, data: grey.clone().into() };
            writer.put(&Fact { stamp, body: Body::Frame(frame) }).unwrap();
            writer.put_frame_truth(&FrameTruth { camera, sequence, at, people: Vec::new() }).unwrap();
        }
    }
    writer.finish().unwrap();
    path
}

#[test]
fn goods_of_a_shop_are_drawn_into_a_folder_for_every_code() {
    let folder = tempfile::tempdir().unwrap();
    let done = aisle(&["export", "pictures", "micro-market", "-o", "goods", "--side", "32"], folder.path());
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    assert_eq!(text(&done.stdout), "goods: 270 pictures of 27 products\n");
    let shop = config::load_shop(Path::new("micro-market")).unwrap();
    for product in shop.catalogue().products() {
        let front = folder.path().join("goods").join(product.sku.as_str()).join("front.png");
        let picture = image::open(&front).unwrap();
        assert_eq!((picture.width(), picture.height()), (32, 32));
    }
    let again = aisle(&["export", "pictures", "micro-market", "-o", "goods"], folder.path());
    assert_eq!(again.status.code(), Some(2), "{}", text(&again.stderr));
}

#[test]
fn every_form_is_written_and_told() {
    let folder = tempfile::tempdir().unwrap();
    recording(folder.path(), 3);
    let forms = [
        ("coco", "person_keypoints.json"),
        ("mot", "side/seqinfo.ini"),
        ("frames", "front/000003.jpg"),
        ("preview", "index.html"),
    ];
    for (form, file) in forms {
        let done = aisle(&["export", form, "trip.mcap", "-o", form], folder.path());
        assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
        assert_eq!(text(&done.stdout), format!("{form}: 6 frames of 2 cameras\n"));
        assert!(folder.path().join(form).join(file).is_file());
        let again = aisle(&["export", form, "trip.mcap", "-o", form], folder.path());
        assert_eq!(again.status.code(), Some(2));
        assert!(text(&again.stderr).contains("this folder is not empty"), "{}", text(&again.stderr));
    }
}

#[test]
fn a_recording_without_frames_is_told_from_one_that_is_none() {
    let folder = tempfile::tempdir().unwrap();
    recording(folder.path(), 0);
    let none = aisle(&["export", "frames", "trip.mcap", "-o", "out"], folder.path());
    assert_eq!(none.status.code(), Some(3));
    assert!(text(&none.stderr).contains("this recording has no frames"), "{}", text(&none.stderr));
    let missing = aisle(&["export", "frames", "none.mcap", "-o", "out"], folder.path());
    assert_eq!(missing.status.code(), Some(4), "{}", text(&missing.stderr));
    assert!(!folder.path().join("out").exists());
}
