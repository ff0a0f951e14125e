//! What it costs to see: a frame decoded, brought into the input, the outputs decoded, beside the bare networks in the same
//! run. Needs the networks of the data folder (`AISLE_DATA`); ONNX Runtime where `AISLE_ONNXRUNTIME` names it.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use aisle::config::load_manifests;
use aisle::image::{RgbImage, decode_picture, decode_picture_into, encode_jpeg, picture_head};
use aisle::vision::{Engine, LoadOptions, Model};
use criterion::Criterion;

/// The frames of a camera: width and height, pixels.
const FRAME: [u32; 2] = [640, 360];
/// Frames of the comparison with bare inference.
const ROUNDS: usize = 40;

fn main() {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let data = std::env::var_os("AISLE_DATA").map_or_else(beside, PathBuf::from);
    if !data.join("models").is_dir() {
        println!("skipped: no networks at {}; set AISLE_DATA", data.display());
        return;
    }
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let jpeg = frame(&data);
    let mut picture = RgbImage::new(0, 0);
    criterion.bench_function("vision/decode", |bencher| bencher.iter(|| decode(black_box(&jpeg), &mut picture)));
    decode(&jpeg, &mut picture);
    let mut engines = vec![Engine::embedded()];
    if let Some(library) = std::env::var_os("AISLE_ONNXRUNTIME") {
        engines.push(Engine::onnxruntime(Path::new(&library)).expect("AISLE_ONNXRUNTIME is such a library"));
    }
    let manifests = load_manifests(None).expect("the built-in manifests are sound");
    for engine in &engines {
        for name in ["yolox_nano", "yunet_n_320"] {
            let manifest = manifests[name].clone();
            let bytes = std::fs::read(data.join("models").join(&manifest.weights.file)).expect("the weights are here");
            let network = engine.load(&bytes, LoadOptions::default()).expect("both engines know it");
            let mut model = Model::new(manifest, network).expect("the weights fit the manifest");
            let group = format!("vision/{}/{name}", engine.name());
            criterion.bench_function(&format!("{group}/input"), |bencher| {
                bencher.iter(|| model.prepare(black_box(&picture), None));
            });
            criterion.bench_function(&format!("{group}/infer"), |bencher| bencher.iter(|| model.infer()));
            criterion
                .bench_function(&format!("{group}/outputs"), |bencher| bencher.iter(|| black_box(model.detections())));
            share(&group, &mut model, &jpeg, &mut picture);
        }
    }
    criterion.final_summary();
}

/// A frame in which there are people, from a reference picture, in the size of a camera.
fn frame(data: &Path) -> Vec<u8> {
    let bytes = std::fs::read(data.join("golden/posenet481_aisle10.input.png")).expect("the reference is here");
    let picture = decode_picture(&bytes).expect("the reference is a picture");
    let [width, height] = FRAME;
    let mut frame = RgbImage::new(width, height);
    for y in 0..height {
        for x in 0..width {
            frame.set(x, y, picture.get(x, y).unwrap_or_default());
        }
    }
    encode_jpeg(&frame, 85).expect("the frame is of a size that JPEG knows")
}

/// What a frame of a camera goes through before networks look at it.
fn decode(jpeg: &[u8], picture: &mut RgbImage) {
    let head = picture_head(jpeg).expect("the frame was encoded just now");
    decode_picture_into(jpeg, &head, picture).expect("the frame was encoded just now");
}

/// Everything around a network as a share of the network alone: medians of rounds in which both alternate.
fn share(group: &str, model: &mut Model, jpeg: &[u8], picture: &mut RgbImage) {
    let (mut bare, mut around, mut decoding) = (Vec::new(), Vec::new(), Vec::new());
    let mut found = 0;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        decode(jpeg, picture);
        let decoded = begun.elapsed();
        model.prepare(picture, None).expect("the network looks at frames");
        let ready = begun.elapsed();
        model.infer().expect("the network runs");
        let inferred = begun.elapsed();
        found = model.detections().len();
        around.push(begun.elapsed() - inferred + ready);
        bare.push(inferred - ready);
        decoding.push(decoded);
    }
    let [bare, around, decoding] = [&mut bare, &mut around, &mut decoding].map(|times| {
        times.sort();
        times[times.len() / 2].as_secs_f64() * 1e6
    });
    println!(
        "{group}: bare {bare:.0} us, around it {around:.0} us ({:.1} %, of which JPEG {decoding:.0} us), {found} seen",
        100.0 * around / bare
    );
}
