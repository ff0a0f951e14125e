//! Models of any origin, on both engines: what is no model, or would take more than it may, is refused as what it is
//! before an engine sees it; what suppresses by itself is read.

use aisle::base::sha256;
use aisle::config::load_manifests;
use aisle::facts::DetectionClass;
use aisle::geometry::PixelBox;
use aisle::image::RgbImage;
use aisle::vision::{LoadOptions, Model};

use super::cli::ask;
use super::onnx::*;
use super::vision::engines;

/// Loads a file on every engine that is here; gives what each says of it.
fn refusals(file: &[u8]) -> Vec<String> {
    let load = |engine: aisle::vision::Engine| engine.load(file, LoadOptions::default()).err();
    engines().into_iter().filter_map(load).map(|error| error.to_string()).collect()
}

fn refused(what: &str, file: &[u8], expected: &[&str]) {
    let said = refusals(file);
    assert_eq!(said.len(), engines().len(), "{what} is taken by an engine: {said:?}");
    for (said, part) in said.iter().flat_map(|said| expected.iter().map(move |part| (said, part))) {
        assert!(said.contains(part), "{what}: `{part}` is not in: {said}");
    }
}

#[test]
fn a_file_of_something_else_is_named() {
    let zip = b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0archive/data.pkl";
    let tflite = b"\x1c\0\0\0TFL3\x14\0";
    let safetensors = b"\x40\0\0\0\0\0\0\0{\"weight\":{\"dtype\":\"F32\"}}";
    let cases: [(&[u8], &str, &str); 12] = [
        (b"", "empty", "again"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:12\n", "pointer of Git LFS", "git lfs pull"),
        (zip, "weights that PyTorch saved", "torch.onnx.export"),
        (b"PK\x03\x04 name.onnx", "ZIP archive", "unpack"),
        (b"\x80\x02\x8a\nl\xfc\x9cF", "pickle", "torch.onnx.export"),
        (tflite, "TensorFlow Lite", "tf2onnx"),
        (b"\x89HDF\r\n\x1a\n\0\0", "Keras", "tf2onnx"),
        (b"\x1f\x8b\x08\0", "gzip", "gunzip"),
        (safetensors, "safetensors", "torch.onnx.export"),
        (b"<!DOCTYPE html><html>", "page of the web", "fetch it again"),
        (b"7767517\n75 83\n", "ncnn", "made of"),
        (b"role = \"people\"\n", "a text", "manifest"),
    ];
    for (file, is, hint) in cases {
        refused(is, file, &["no ONNX file", is, hint]);
    }
}

#[test]
fn a_broken_file_says_where_and_never_reaches_an_engine() {
    let relu = net(&[node("Relu", &["x"], &["y"], &[])], &[]);
    assert_eq!(refusals(&relu), [""; 0]);
    refused("half a file", &relu[..relu.len() / 2], &["is broken", "breaks off"]);
    refused("no graph", &whole(1, 8), &["there is no model in it"]);
    let uses = |weight: Vec<u8>| net(&[node("Add", &["x", "w"], &["y"], &[])], &[weight]);
    refused("a short weight", &uses(floats("w", &[8, 8], &[1.0; 8])), &["the weight w", "256 bytes", "holds 32"]);
    refused("a huge weight", &uses(floats("w", &[1 << 40], &[1.0])), &["the weight w", "holds 4"]);
    refused("a negative weight", &uses(floats("w", &[-8], &[1.0; 8])), &["the weight w has a negative length"]);
    refused("lengths beyond counting", &uses(floats("w", &[1 << 40, 1 << 40], &[])), &["the weight w"]);
    let beside = uses(outside("w", &[4], "ours.onnx.data"));
    refused("weights outside", &beside, &["outside of its file, in ours.onnx.data", "one file", "onnx.save_model"]);
    let mut deep = graph(&[node("Relu", &["x"], &["y"], &[])], &[], &[], &[value("y", &[])]);
    for _ in 0..2_000 {
        let both = [inner("then_branch", &deep), inner("else_branch", b"")];
        deep = graph(&[node("If", &["c"], &["y"], &both)], &[], &[], &[value("y", &[])]);
    }
    refused("graphs in graphs", &file(&deep), &["more than 16 deep"]);
}

/// Models of a few hundred bytes that ask for more than any machine has.
fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let large = 1 << 20;
    let lengths = || longs("n", &[2], &[large, large]);
    let one = |operator: &str, inputs: &[&str], settings: &[Vec<u8>], weights: &[Vec<u8>]| {
        net(&[node(operator, inputs, &["y"], settings)], weights)
    };
    let four = |values: [i64; 4]| longs("n", &[4], &values);
    let scales = floats("s", &[4], &[1.0, 1.0, 1e6, 1e6]);
    let line = [node("Flatten", &["x"], &["flat"], &[]), node("Tile", &["flat", "n"], &["wide"], &[])];
    let outer = |operator: &str| {
        let mut nodes = line.to_vec();
        nodes.push(node("Transpose", &["wide"], &["high"], &[]));
        nodes.push(node(operator, &["high", "wide"], &["y"], &[]));
        net(&nodes, &[longs("n", &[2], &[1, 1_000])])
    };
    let mut doubled = vec![node("Identity", &["x"], &["v0"], &[])];
    for step in 0..40 {
        let (from, to) = (format!("v{step}"), if step == 39 { "y".to_owned() } else { format!("v{}", step + 1) });
        doubled.push(node("Concat", &[&from, &from], &[&to], &[setting("axis", 0)]));
    }
    let filter = floats("w", &[1, 3, 1, 1], &[1.0; 3]);
    let turned = floats("w", &[3, 1, 1, 1], &[1.0; 3]);
    let range = [longs("a", &[], &[0]), longs("b", &[], &[1 << 40]), longs("c", &[], &[1])];
    let hot = [longs("d", &[], &[1 << 40]), floats("e", &[2], &[0.0, 1.0]), longs("i", &[1], &[1])];
    vec![
        ("ConstantOfShape", one("ConstantOfShape", &["n"], &[], &[lengths()])),
        ("Expand", one("Expand", &["x", "n"], &[], &[four([1 << 30, 3, 8, 8])])),
        ("Tile", one("Tile", &["x", "n"], &[], &[four([1, 1, large, large])])),
        ("Pad", one("Pad", &["x", "n"], &[], &[longs("n", &[8], &[0, 0, 0, 0, 0, 0, large, large])])),
        ("Resize by scales", one("Resize", &["x", "", "s"], &[], &[scales])),
        ("Resize to sizes", one("Resize", &["x", "", "", "n"], &[], &[four([1, 3, large, large])])),
        ("Range", one("Range", &["a", "b", "c"], &[], &range)),
        ("OneHot", one("OneHot", &["i", "d", "e"], &[], &hot)),
        ("Conv", one("Conv", &["x", "w"], &[wholes("pads", &[large; 4])], &[filter])),
        ("ConvTranspose", one("ConvTranspose", &["x", "w"], &[wholes("strides", &[large; 2])], &[turned])),
        ("an outer product", outer("Mul")),
        ("an outer matrix product", outer("MatMul")),
        ("doubling", net(&doubled, &[])),
        (
            "an input",
            file(&graph(
                &[node("Relu", &["x"], &["y"], &[])],
                &[],
                &[value("x", &[1, 3, large, large])],
                &[value("y", &[])],
            )),
        ),
    ]
}

#[test]
fn networks_that_ask_for_terabytes_are_refused_before_they_do() {
    for (what, file) in bombs() {
        refused(what, &file, &["MiB", "at most", "smaller input"]);
    }
}

/// A loop of so many rounds, or without a number of them.
fn round(rounds: Option<i64>) -> Vec<u8> {
    let body = graph(
        &[node("Identity", &["go"], &["on"], &[]), node("Relu", &["v"], &["w"], &[])],
        &[],
        &[value("i", &[]), value("go", &[]), value("v", &[1, 3, 8, 8])],
        &[value("on", &[]), value("w", &[1, 3, 8, 8])],
    );
    let count = if rounds.is_some() { "n" } else { "" };
    let weights: Vec<Vec<u8>> =
        rounds.map(|rounds| longs("n", &[], &[rounds])).into_iter().chain([tensor("c", 9, &[], &[1])]).collect();
    net(&[node("Loop", &[count, "c", "x"], &["y"], &[inner("body", &body)])], &weights)
}

#[test]
fn networks_that_never_end_are_refused() {
    refused("a long loop", &round(Some(1 << 60)), &["Loop", "too long"]);
    refused("an endless loop", &round(None), &["Loop", "for ever"]);
    let mut nodes = vec![node("Identity", &["x"], &["v0"], &[])];
    nodes.extend((0..20_000).map(|step| node("Relu", &[&format!("v{step}")], &[&format!("v{}", step + 1)], &[])));
    nodes.push(node("Relu", &["v20000"], &["y"], &[]));
    refused("a chain", &net(&nodes, &[]), &["one after the other"]);
    // Functions that use each other twice are put in as often.
    let function = |name: &str, uses: &str| {
        let node = [node(uses, &["a"], &["b"], &[]), bytes(7, b"ours")].concat();
        let body = [node.clone(), node].map(|node| bytes(7, &node)).concat();
        bytes(25, &[bytes(1, name.as_bytes()), bytes(4, b"a"), bytes(5, b"b"), body, bytes(10, b"ours")].concat())
    };
    let with = |functions: Vec<u8>| {
        let node = [node("f0", &["x"], &["y"], &[]), bytes(7, b"ours")].concat();
        [net(&[node], &[]), functions].concat()
    };
    refused("itself", &with(function("f0", "f0")), &["defined by itself"]);
    let chain = |length: usize| {
        with((0..length).flat_map(|step| function(&format!("f{step}"), &format!("f{}", step + 1))).collect())
    };
    refused("a chain of functions", &chain(100), &["too deep"]);
    assert!(refusals(&chain(8)).iter().all(|said| !said.contains("defined by itself")));
}

/// A manifest of a detector of 8 by 8 pixels.
fn manifest(decoder: &str, file: &[u8]) -> String {
    format!(
        "role = \"people\"\nfile = \"ours.onnx\"\nsize_bytes = {}\nsha256 = \"{}\"\nlicence = \"MIT\"\nscore_min = 0.3\n\
         [input]\nwidth = 8\nheight = 8\ncolour = \"rgb\"\n[decoder]\nkind = \"suppressed\"\nclasses = 2\nperson = 1\n{decoder}",
        file.len(),
        sha256(file)
    )
}

#[test]
fn detectors_that_suppress_by_themselves_are_read_in_every_form() {
    let names = |columns: &str| format!("columns = {columns}\n");
    let plain = [1.0, 2.0, 5.0, 8.0, 0.9, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    let batched = [0.0, 1.0, 2.0, 5.0, 8.0, 1.0, 0.9, 1.0, 1.0, 2.0, 5.0, 8.0, 1.0, 0.9];
    let shares = [1.0, 0.9, 0.375, 0.625, 0.5, 0.75];
    let forms: Vec<(String, Vec<u8>)> = vec![
        (String::new(), detector(&[("y", &[1, 2, 6], &plain)])),
        (String::new(), detector(&[("y", &[2, 6], &plain)])),
        (String::new(), detector(&[("y", &[1, 6], &plain[..6])])),
        (
            names(r#"["batch", "left", "top", "right", "bottom", "class", "score"]"#),
            detector(&[("y", &[2, 7], &batched)]),
        ),
        (
            names(r#"["class", "score", "middle_x", "middle_y", "width", "height"]"#) + "boxes = \"shares\"\n",
            detector(&[("y", &[1, 1, 6], &shares)]),
        ),
        (
            names(r#"[["top", "left", "bottom", "right"], ["score"], ["class"]]"#),
            detector(&[
                ("b", &[1, 2, 4], &[2.0, 1.0, 8.0, 5.0, 0.0, 0.0, 0.0, 0.0]),
                ("s", &[1, 2], &[0.9, 0.8]),
                ("c", &[1, 2], &[1.0, -1.0]),
            ]),
        ),
        (
            names(r#"[["left", "top", "right", "bottom", "score"], ["class"]]"#),
            detector(&[("d", &[1, 1, 5], &plain[..5]), ("c", &[1], &[1.0])]),
        ),
    ];
    for (decoder, file) in forms {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ours.toml"), manifest(&decoder, &file)).unwrap();
        let manifest = load_manifests(Some(folder.path())).unwrap()["ours"].clone();
        for engine in engines() {
            let network = engine.load(&file, LoadOptions::default()).unwrap();
            let mut model = Model::new(manifest.clone(), network).unwrap();
            let found = model.detect(&RgbImage::new(8, 8), None).unwrap();
            let [person] = found.as_slice() else { panic!("{} {decoder}: {found:?}", engine.name()) };
            assert_eq!(person.class, DetectionClass::Person, "{decoder}");
            assert_eq!(person.bounds, PixelBox { left: 1.0, top: 2.0, right: 5.0, bottom: 8.0 }, "{decoder}");
            assert!((person.score - 0.9).abs() < 1e-6, "{decoder}");
        }
    }
}

#[test]
fn numbers_of_other_kinds_are_named_when_a_network_is_loaded() {
    // Doubles: the embedded engine makes floats of them, the other one leaves them as they are.
    let cast = node("Cast", &["flat"], &["y"], &[setting("to", 11)]);
    let rows = [node("Flatten", &["x"], &["flat"], &[]), cast];
    let doubles = [bytes(1, b"y"), bytes(2, &bytes(1, &whole(1, 11)))].concat();
    let file = file(&graph(&rows, &[], &[value("x", &[1, 3, 8, 8])], &[doubles]));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ours.toml"), manifest("", &file)).unwrap();
    let manifest = load_manifests(Some(folder.path())).unwrap()["ours"].clone();
    for engine in engines() {
        let network = engine.load(&file, LoadOptions::default()).unwrap();
        let error = Model::new(manifest.clone(), network).err().unwrap().to_string();
        let expected = if engine.name() == "embedded" { "[1, ?, 6]" } else { "the output y of the model is f64" };
        assert!(error.contains(expected), "{}: {error}", engine.name());
    }
}

#[test]
fn columns_that_make_no_box_are_refused_where_manifests_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        (r#"columns = ["left", "top", "right", "score"]"#, "columns must name score"),
        (r#"columns = ["left", "left", "top", "right", "bottom", "score"]"#, "columns must name score"),
        (r#"columns = ["left", "up"]"#, "columns must be a list, or one list for each output, of left, top"),
        ("boxes = \"inches\"", "boxes is `inches`"),
        ("keypoints = \"many\"", "keypoints is `many`"),
    ];
    for (decoder, expected) in cases {
        std::fs::write(folder.path().join("ours.toml"), manifest(decoder, b"file")).unwrap();
        let error = load_manifests(Some(folder.path())).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_refused_network_ends_a_command_as_bad_input() {
    let folder = tempfile::tempdir().unwrap();
    for (what, file) in [
        bombs().remove(0),
        ("weights outside", net(&[node("Add", &["x", "w"], &["y"], &[])], &[outside("w", &[4], "w.data")])),
    ] {
        std::fs::write(folder.path().join("ours.onnx"), &file).unwrap();
        std::fs::write(folder.path().join("ours.toml"), manifest("", &file)).unwrap();
        let picture = aisle::image::encode_png(&RgbImage::new(8, 8)).unwrap();
        std::fs::write(folder.path().join("picture.png"), picture).unwrap();
        let look = ["see", "picture.png", "-o", "seen.png", "--models", ".", "--model", "ours", "--engine", "embedded"];
        let answer = ask(folder.path(), &look);
        assert_eq!(answer.status, Some(3), "{what}: {}", answer.err);
        assert!(!folder.path().join("seen.png").exists());
    }
}
