//! Models that people really use, on both engines, held to references that were made in Python: the same numbers out,
//! the same boxes, points and vectors. Skips, saying so, what is not at hand.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use aisle::base::sha256;
use aisle::config::{built_in_weights, load_manifests};
use aisle::facts::{Detection, DetectionClass, Keypoint};
use aisle::geometry::{PixelBox, Point};
use aisle::image::{RgbImage, decode_picture};
use aisle::vision::{Decoder, Engine, LoadOptions, Manifest, Model, Region, Role};
use serde_json::Value;

use super::left_out::left_out;

/// The data of tests, below `AISLE_DATA`, else beside the repository. Says when it is not there.
fn data() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let data = std::env::var_os("AISLE_DATA").map_or_else(beside, PathBuf::from);
    if data.join("models").is_dir() {
        return Some(data);
    }
    let how = format!("nothing is at {}; set AISLE_DATA to the folder that holds models/", data.display());
    left_out("models of others", &how);
    None
}

/// The engine inside, and ONNX Runtime where `AISLE_ONNXRUNTIME` names it. Says when it does not.
pub(super) fn engines() -> Vec<Engine> {
    let mut engines = vec![Engine::embedded()];
    match std::env::var_os("AISLE_ONNXRUNTIME") {
        Some(library) => engines.push(Engine::onnxruntime(Path::new(&library)).unwrap()),
        None => left_out("ONNX Runtime", "set AISLE_ONNXRUNTIME to its library"),
    }
    engines
}

fn manifests() -> &'static BTreeMap<String, Manifest> {
    static MANIFESTS: OnceLock<BTreeMap<String, Manifest>> = OnceLock::new();
    MANIFESTS.get_or_init(|| load_manifests(None).unwrap())
}

fn weights(data: &Path, manifest: &Manifest) -> Vec<u8> {
    fs::read(data.join("models").join(&manifest.weights.file)).unwrap()
}

fn load(data: &Path, engine: &Engine, manifest: &Manifest) -> Model {
    let network = engine.load(&weights(data, manifest), LoadOptions::default()).unwrap();
    Model::new(manifest.clone(), network).unwrap()
}

/// A reference: what went in, and what it says came out.
struct Golden {
    input: RgbImage,
    json: Value,
}

fn golden(data: &Path, name: &str) -> Golden {
    let folder = data.join("golden");
    let json = serde_json::from_slice(&fs::read(folder.join(format!("{name}.json"))).unwrap()).unwrap();
    let input = decode_picture(&fs::read(folder.join(format!("{name}.input.png"))).unwrap()).unwrap();
    Golden { input, json }
}

/// Runs a model on a reference's input on every engine that knows it, and holds the raw outputs to the reference.
fn hold(network: &str, reference: &str, tolerance: f64, check: impl Fn(&Model, &Value, &str)) {
    let Some(data) = data() else { return };
    let golden = golden(&data, reference);
    let mut manifest = manifests()[network].clone();
    // The picture of a reference is the input already.
    manifest.input.region = Region::Frame;
    if let Some(minimum) = golden.json["decoded"]["conf_thr"].as_f64() {
        manifest.score_min = minimum;
    }
    for engine in engines() {
        let loaded = engine.load(&weights(&data, &manifest), LoadOptions::default());
        let is_refused = engine.name() == "embedded" && matches!(network, "movenet_lightning" | "posenet_075");
        let mut model = match loaded {
            Ok(network) => Model::new(manifest.clone(), network).unwrap(),
            Err(error) => panic!("{network} on {}: {error}", engine.name()),
        };
        model.prepare(&golden.input, None).unwrap();
        if is_refused {
            let error = model.infer().unwrap_err().to_string();
            assert!(error.contains("Concat") && error.contains("aisle models runtime"), "{error}");
            continue;
        }
        model.infer().unwrap();
        raw(&model, &golden.json, tolerance, engine.name());
        check(&model, &golden.json["decoded"], engine.name());
    }
}

fn raw(model: &Model, json: &Value, tolerance: f64, engine: &str) {
    let mean = json["input_tensor"]["mean"].as_f64().unwrap();
    let sum: f64 = match model.input().values() {
        aisle::vision::Values::F32(values) => values.iter().map(|value| f64::from(*value)).sum(),
        aisle::vision::Values::U8(values) => values.iter().map(|value| f64::from(*value)).sum(),
    };
    let count: usize = model.input().shape().iter().product();
    assert!((sum / count as f64 - mean).abs() < 1e-4 * mean.abs().max(1.0), "{engine}: input {}", sum / count as f64);
    for (name, expected) in json["raw_outputs"].as_object().unwrap() {
        let output = model.outputs().iter().find(|output| output.name == *name).unwrap();
        let manifest = model.manifest();
        let quantised = manifest.outputs.iter().find(|output| output.name == *name);
        let (scale, zero) = quantised.map_or((1.0, 0.0), |output| (output.scale, output.zero));
        let places = expected["sample_idx"].as_array().unwrap().iter().map(|place| place.as_u64().unwrap() as usize);
        let values = expected["sample"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap());
        for (place, value) in places.zip(values) {
            let is = f64::from(output.values[place]) / scale + zero;
            assert!((is - value).abs() < tolerance, "{engine}: {name}[{place}] is {is}, not {value}");
        }
    }
}

fn numbers(json: &Value) -> Vec<f64> {
    json.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// Holds boxes and scores to a list of the reference; its boxes are multiplied by `scale`.
fn boxes(found: &[Detection], expected: &Value, key: &str, scale: f64, engine: &str) {
    let expected = expected.as_array().unwrap();
    assert_eq!(found.len(), expected.len(), "{engine}: {found:?}");
    for (found, expected) in found.iter().zip(expected) {
        let edges = [found.bounds.left, found.bounds.top, found.bounds.right, found.bounds.bottom];
        for (is, should) in edges.into_iter().zip(numbers(&expected[key])) {
            assert!((is - should * scale).abs() < 0.02, "{engine}: {found:?} is not {expected}");
        }
        assert!((found.score - expected["score"].as_f64().unwrap()).abs() < 2e-3, "{engine}: {found:?}, {expected}");
    }
}

fn people(model: &Model) -> Vec<Detection> {
    model.detections().into_iter().filter(|found| found.class == DetectionClass::Person).collect()
}

#[test]
fn yolox_nano_sees_the_people_of_the_reference() {
    hold("yolox_nano", "yolox_nano_vtest700", 2e-3, |model, decoded, engine| {
        // The reference lists one class after the other.
        let mut found = model.detections();
        found.sort_by_key(|found| found.class);
        boxes(&found, &decoded["dets"], "box_xyxy", 1.0, engine);
    });
}

#[test]
fn light_person_sees_the_people_of_the_reference() {
    hold("light_person", "light_person_vtest700", 2e-3, |model, decoded, engine| {
        boxes(&model.detections(), &decoded["dets"], "box_xyxy", 1.0, engine);
    });
}

#[test]
fn nanodet_sees_the_people_of_the_reference() {
    hold("nanodet_m", "nanodet_m_416_vtest700", 2e-3, |model, decoded, engine| {
        boxes(&people(model), &decoded["dets"], "box_xyxy", 1.0, engine);
    });
}

#[test]
fn yunet_sees_the_faces_of_the_reference_with_their_points() {
    hold("yunet_n_640", "yunet_n_640", 2e-3, |model, decoded, engine| {
        let found = model.detections();
        boxes(&found, &decoded["faces"], "box_xyxy", 1.0, engine);
        for (found, expected) in found.iter().zip(decoded["faces"].as_array().unwrap()) {
            let points = expected["landmarks_reye_leye_nose_rmouth_lmouth"].as_array().unwrap();
            assert_eq!(found.keypoints.len(), points.len());
            for (is, should) in found.keypoints.iter().zip(points) {
                let should = numbers(should);
                assert!((is.pixel.x - should[0]).abs() < 0.02 && (is.pixel.y - should[1]).abs() < 0.02, "{engine}");
            }
        }
    });
}

#[test]
fn the_palm_detector_sees_the_hands_of_the_reference() {
    hold("mediapipe_palm", "mp_palm_handsup", 5e-3, |model, decoded, engine| {
        boxes(&model.detections(), &decoded["palms"], "box_xyxy_norm", 192.0, engine);
        assert!(model.detections().iter().all(|hand| hand.keypoints.len() == 7));
    });
}

#[test]
fn movenet_finds_the_joints_of_the_reference() {
    hold("movenet_lightning", "movenet_coco785", 1e-4, |model, decoded, engine| {
        let found = model.detections();
        let [person] = found.as_slice() else { panic!("{engine}: {found:?}") };
        for (is, should) in person.keypoints.iter().zip(decoded["keypoints_yx_score_normalised"].as_array().unwrap()) {
            let should = numbers(should);
            assert!((is.pixel.y - should[0] * 192.0).abs() < 0.02 && (is.pixel.x - should[1] * 192.0).abs() < 0.02);
            assert!((is.score - should[2]).abs() < 1e-4);
        }
    });
}

#[test]
fn posenet_gives_the_numbers_of_the_reference() {
    // Bytes: one step of rounding apart is the same.
    hold("posenet_075", "posenet481_aisle10", 1.01, |model, _, engine| {
        let found = model.detections();
        assert!(!found.is_empty(), "{engine}: nobody is seen");
        assert!(found.iter().all(|person| person.keypoints.len() == 17));
    });
}

fn vectors(model: &Model, decoded: &Value, engine: &str) {
    let vector = model.embedding().unwrap();
    for (is, should) in vector.iter().zip(numbers(&decoded["l2_normalised_embedding"])) {
        assert!((f64::from(*is) - should).abs() < 1e-4, "{engine}: {is} is not {should}");
    }
}

#[test]
fn vectors_are_those_of_the_references() {
    for name in ["obama_a", "obama_b", "biden_a"] {
        hold("mobilefacenet", &format!("mobilefacenet_{name}"), 5e-4, vectors);
    }
    hold("retail_reid_0248", "reid0248_vtest700", 5e-4, vectors);
    hold("mobilenet_v1_product", "product_mnv1_milk", 1.01, |model, _, _| {
        let norm: f32 = model.embedding().unwrap().iter().map(|value| value * value).sum();
        assert!((norm - 1.0).abs() < 1e-4);
    });
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn faces_of_one_person_are_alike_and_of_two_are_not() {
    let Some(data) = data() else { return };
    let pictures: Vec<(&str, PathBuf)> = ["obama", "biden"]
        .into_iter()
        .flat_map(|person| {
            let files = fs::read_dir(data.join("faces").join(person)).unwrap();
            let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
            paths.sort();
            paths.into_iter().map(move |path| (person, path))
        })
        .chain([("hopper", data.join("faces/grace_hopper.bmp"))])
        .collect();
    for engine in engines() {
        let mut detect = load(&data, &engine, &manifests()["yunet_n_640"]);
        let mut embed = load(&data, &engine, &manifests()["mobilefacenet"]);
        let mut known = Vec::new();
        for (person, path) in &pictures {
            let picture = decode_picture(&fs::read(path).unwrap()).unwrap();
            let faces = detect.detect(&picture, None).unwrap();
            let face = faces.first().unwrap_or_else(|| panic!("no face in {}", path.display()));
            known.push((*person, path, embed.embed(&picture, Some(face)).unwrap()));
        }
        for (index, (person, path, vector)) in known.iter().enumerate() {
            for (other, other_path, other_vector) in &known[index + 1..] {
                let cosine = cosine(vector, other_vector);
                let fine = if person == other { 0.5 < cosine } else { cosine < 0.3 };
                let (a, b) = (path.display(), other_path.display());
                assert!(fine, "{}: {a} and {b} have a cosine of {cosine}", engine.name());
            }
        }
    }
}

#[test]
fn ultraface_sees_what_yunet_sees() {
    let Some(data) = data() else { return };
    let picture = decode_picture(&fs::read(data.join("faces/obama_and_biden.jpg")).unwrap()).unwrap();
    for engine in engines() {
        let one = load(&data, &engine, &manifests()["ultraface_320"]).detect(&picture, None).unwrap();
        for network in ["yunet_n_320", "yunet_n_640", "yunet_s_640"] {
            // The surest two are the portrayed; others stand behind them.
            let two = load(&data, &engine, &manifests()[network]).detect(&picture, None).unwrap();
            for face in two.iter().take(2) {
                assert!(
                    one.iter().any(|other| 0.4 < face.bounds.iou(&other.bounds)),
                    "{network}: {face:?} and {one:?}"
                );
            }
            assert!(2 <= two.len(), "{network}: {two:?}");
        }
    }
}

#[test]
fn a_hand_is_found_inside_its_palms_region() {
    let Some(data) = data() else { return };
    let picture = golden(&data, "mp_palm_handsup").input;
    for engine in engines() {
        let palms = load(&data, &engine, &manifests()["mediapipe_palm"]).detect(&picture, None).unwrap();
        let mut hands = load(&data, &engine, &manifests()["mediapipe_hand"]);
        let mut seen = 0;
        for palm in &palms {
            let found = hands.detect(&picture, Some(palm)).unwrap();
            for hand in found.iter().filter(|hand| hand.keypoints.len() == 21) {
                let wrist = hand.keypoints[0].pixel.distance(palm.keypoints[0].pixel);
                assert!(wrist < palm.bounds.width(), "{}: the wrists are {wrist} pixels apart", engine.name());
                seen += 1;
            }
        }
        assert!(2 <= seen, "{}: {seen} hands in {} palms", engine.name(), palms.len());
    }
}

#[test]
fn another_size_than_the_manifest_says_is_refused_with_both_shapes() {
    let Some(data) = data() else { return };
    for engine in engines() {
        let mut wrong = manifests()["yunet_n_640"].clone();
        let network = engine.load(&weights(&data, &manifests()["yunet_n_320"]), LoadOptions::default()).unwrap();
        let error = Model::new(wrong.clone(), network).err().unwrap().to_string();
        assert!(error.contains("[1, 3, 320, 320]") && error.contains("[1, 3, 640, 640]"), "{error}");
        wrong = manifests()["light_person"].clone();
        if let aisle::vision::Decoder::Yolox { classes, .. } = &mut wrong.decoder {
            classes.count = 80;
        }
        let network = engine.load(&weights(&data, &wrong), LoadOptions::default()).unwrap();
        let error = Model::new(wrong, network).err().unwrap().to_string();
        assert!(error.contains("[1, 756, 6]") && error.contains("[1, 756, 85]"), "{error}");
    }
}

#[test]
fn every_weight_at_hand_is_the_one_of_its_manifest() {
    let Some(data) = data() else { return };
    let mut checked = 0;
    for manifest in manifests().values() {
        if let Ok(bytes) = fs::read(data.join("models").join(&manifest.weights.file)) {
            assert_eq!(sha256(&bytes), manifest.weights.sha256, "{}", manifest.name);
            assert_eq!(bytes.len() as u64, manifest.weights.size_bytes, "{}", manifest.name);
            checked += 1;
        }
    }
    assert_eq!(checked, 14, "models of the data folder without a manifest, or the other way round");
}

/// The models whose weights are built in are what their manifests say, and run on every engine.
#[test]
fn networks_of_our_own_load_and_answer() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let manifests = load_manifests(Some(&folder)).unwrap();
    let own = |manifest: &&Manifest| manifest.name.starts_with("aisle_");
    let ours: Vec<&Manifest> = manifests.values().filter(own).collect();
    assert!(ours.iter().any(|manifest| manifest.role == Role::HeldProduct), "{}", ours.len());
    let mut frame = RgbImage::new(640, 360);
    for (x, y) in (0..640).flat_map(|x| (0..360).map(move |y| (x, y))) {
        frame.set(x, y, [(x % 256) as u8, (y % 256) as u8, ((x * y) % 251) as u8]);
    }
    let spot = |x: f64, y: f64| Keypoint { pixel: Point::new(x, y, 0.0), score: 1.0 };
    let found = Detection {
        class: DetectionClass::Face,
        bounds: PixelBox::from_size(100.0, 80.0, 60.0, 60.0),
        score: 1.0,
        keypoints: vec![
            spot(115.0, 100.0),
            spot(145.0, 100.0),
            spot(130.0, 115.0),
            spot(118.0, 130.0),
            spot(142.0, 130.0),
        ],
        embedding: Vec::new(),
        held: None,
    };
    for (engine, manifest) in engines().iter().flat_map(|engine| ours.iter().map(move |manifest| (engine, *manifest))) {
        let bytes = built_in_weights(&manifest.weights.file).unwrap();
        let known = (manifest.weights.size_bytes, manifest.weights.sha256.as_str());
        assert_eq!((bytes.len() as u64, sha256(bytes).as_str()), known, "{}", manifest.name);
        let network = engine.load(bytes, LoadOptions::default()).unwrap();
        let mut model = Model::new(manifest.clone(), network).unwrap();
        let at = (manifest.input.region != Region::Frame).then_some(&found);
        model.prepare(&frame, at).unwrap();
        model.infer().unwrap();
        match manifest.decoder {
            Decoder::Embedding { length, .. } => assert_eq!(model.embedding().unwrap().len(), length),
            Decoder::HeldProduct { length, .. } => assert_eq!(model.held_product().unwrap().vector.len(), length),
            _ => assert!(model.detections().len() < 100, "{} sees things in noise", manifest.name),
        }
    }
}
