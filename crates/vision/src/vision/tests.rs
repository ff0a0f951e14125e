//! Decoders on outputs written by hand, of models whose weights are not at hand.

mod hand;

use super::decode::{View, detections};
use super::*;
use crate::facts::{BodyPoint, Detection, DetectionClass};
use crate::geometry::{PixelBox, Point};
use crate::image::RgbImage;

pub(super) fn manifest(decoder: Decoder, width: usize, height: usize) -> Manifest {
    Manifest {
        name: "hand-made".to_owned(),
        role: Role::People,
        weights: Weights {
            file: "hand-made.onnx".to_owned(),
            size_bytes: 1,
            sha256: String::new(),
            licence: "none".to_owned(),
            source: None,
        },
        input: Input {
            width,
            height,
            layout: Layout::Nchw,
            element: Element::F32,
            colour: Colour::Rgb,
            mean: [0.0; 3],
            deviation: [1.0; 3],
            region: Region::Frame,
            fit: Fit::Corner,
            pad: 114.0,
        },
        outputs: Vec::new(),
        decoder,
        score_min: 0.5,
        iou_max: 0.5,
    }
}

/// Outputs of zeros in the shapes that the manifest expects; open lengths are `rows`.
fn outputs(manifest: &Manifest, rows: usize) -> Vec<Output> {
    let shape = |shape: Shape| shape.0.into_iter().map(|length| length.unwrap_or(rows)).collect::<Vec<usize>>();
    let output = |shape: Vec<usize>| Output { name: String::new(), values: vec![0.0; shape.iter().product()], shape };
    manifest.output_shapes().into_iter().map(shape).map(output).collect()
}

fn decoded(manifest: &Manifest, outputs: &[Output]) -> Vec<Detection> {
    detections(manifest, &outputs.iter().map(View::of).collect::<Vec<_>>())
}

fn edges(bounds: &PixelBox) -> [f64; 4] {
    [bounds.left, bounds.top, bounds.right, bounds.bottom]
}

fn classes(count: usize) -> Classes {
    Classes { count, named: vec![(0, DetectionClass::Person)], keep: Vec::new() }
}

#[test]
fn scrfd_measures_from_the_corner_of_the_cell() {
    let manifest = manifest(Decoder::Scrfd { strides: vec![8, 16, 32], anchors: 2 }, 64, 32);
    let mut outputs = outputs(&manifest, 0);
    assert_eq!(outputs.iter().map(|o| o.shape[1]).collect::<Vec<_>>(), [64, 16, 4, 64, 16, 4, 64, 16, 4]);
    // Stride 16, cell (2, 1), its second anchor.
    let place = (4 + 2) * 2 + 1;
    outputs[1].values[place] = 0.9;
    outputs[4].values[place * 4..][..4].copy_from_slice(&[1.0, 0.5, 0.25, 0.5]);
    outputs[7].values[place * 10..][..2].copy_from_slice(&[-0.5, 0.25]);
    let found = decoded(&manifest, &outputs);
    let [face] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((face.class, edges(&face.bounds)), (DetectionClass::Face, [16.0, 8.0, 36.0, 24.0]));
    assert_eq!((face.keypoints.len(), face.keypoints[0].pixel), (5, Point::new(24.0, 20.0, 0.0)));
}

#[test]
fn yolov8_reads_columns_with_joints_and_suppresses_within_a_class() {
    let manifest = manifest(Decoder::YoloV8 { classes: classes(1), keypoints: 17 }, 64, 64);
    let mut outputs = outputs(&manifest, 0);
    let cells = 64 + 16 + 4;
    assert_eq!(outputs[0].shape, [1, 4 + 1 + 51, cells]);
    for (cell, x, score) in [(3, 20.0, 0.8), (4, 21.0, 0.7), (9, 50.0, 0.6), (10, 5.0, 0.4)] {
        for (row, value) in [x, 30.0, 10.0, 20.0, score, x + 1.0, 22.0, 0.95].into_iter().enumerate() {
            outputs[0].values[row * cells + cell] = value;
        }
    }
    let found = decoded(&manifest, &outputs);
    assert_eq!(found.iter().map(|person| person.bounds.left).collect::<Vec<_>>(), [15.0, 45.0]);
    assert_eq!(edges(&found[0].bounds), [15.0, 20.0, 25.0, 40.0]);
    let nose = found[0].keypoints[BodyPoint::Nose as usize];
    assert_eq!((found[0].keypoints.len(), nose.pixel), (17, Point::new(21.0, 22.0, 0.0)));
}

#[test]
fn classes_have_their_words_and_only_those_kept_are_seen() {
    let mut kept = classes(3);
    for (keep, expected) in
        [(vec![], vec![DetectionClass::Person, DetectionClass::Other(2)]), (vec![2], vec![DetectionClass::Other(2)])]
    {
        kept.keep = keep;
        let manifest = manifest(Decoder::YoloV8 { classes: kept.clone(), keypoints: 0 }, 32, 32);
        let mut outputs = outputs(&manifest, 0);
        let cells = 16 + 4 + 1;
        // Two classes at one place do not suppress each other.
        for (cell, class) in [(0, 0), (1, 2)] {
            for (row, value) in [(0, 16.0), (1, 16.0), (2, 8.0), (3, 8.0), (4 + class, 0.9)] {
                outputs[0].values[row * cells + cell] = value;
            }
        }
        assert_eq!(decoded(&manifest, &outputs).iter().map(|found| found.class).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn simcc_finds_peaks_at_parts_of_a_pixel() {
    let manifest = manifest(Decoder::SimCc { split: 2.0 }, 48, 64);
    let mut outputs = outputs(&manifest, 0);
    assert_eq!((outputs[0].shape[2], outputs[1].shape[2]), (96, 128));
    for joint in 0..17 {
        outputs[0].values[joint * 96 + 31 + joint] = 0.9;
        outputs[1].values[joint * 128 + 50] = 0.8;
    }
    let found = decoded(&manifest, &outputs);
    assert_eq!(found[0].keypoints[0].pixel, Point::new(15.5, 25.0, 0.0));
    assert!((found[0].keypoints[0].score - 0.8).abs() < 1e-6);
    assert_eq!(edges(&found[0].bounds), [15.5, 25.0, 23.5, 25.0]);
    outputs.iter_mut().for_each(|output| output.values.fill(0.0));
    assert_eq!(decoded(&manifest, &outputs), []);
}

#[test]
fn rtmo_gives_people_in_pixels() {
    let manifest = manifest(Decoder::Rtmo, 64, 64);
    let mut outputs = outputs(&manifest, 3);
    for (row, [left, score]) in [[10.0, 0.9], [11.0, 0.8], [40.0, 0.3]].into_iter().enumerate() {
        outputs[0].values[row * 5..][..5].copy_from_slice(&[left, 5.0, left + 20.0, 60.0, score]);
        outputs[1].values[row * 51..][..3].copy_from_slice(&[left + 9.0, 12.0, 0.7]);
    }
    let found = decoded(&manifest, &outputs);
    let [person] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((edges(&person.bounds), person.keypoints.len()), ([10.0, 5.0, 30.0, 60.0], 17));
    assert_eq!(person.keypoints[0].pixel, Point::new(19.0, 12.0, 0.0));
}

/// Writes a person into PersonLab's outputs: every joint in a cell of its own, and the offsets between them.
fn stand(outputs: &mut [Output], columns: usize, cells: [(usize, usize); 17]) {
    let edges = [
        (0, 1),
        (1, 3),
        (0, 2),
        (2, 4),
        (0, 5),
        (5, 7),
        (7, 9),
        (5, 11),
        (11, 13),
        (13, 15),
        (0, 6),
        (6, 8),
        (8, 10),
        (6, 12),
        (12, 14),
        (14, 16),
    ];
    let at = |(column, row): (usize, usize)| row * columns + column;
    for (joint, cell) in cells.into_iter().enumerate() {
        outputs[0].values[at(cell) * 17 + joint] = 4.0;
        outputs[1].values[at(cell) * 34 + joint] = 2.0;
        outputs[1].values[at(cell) * 34 + 17 + joint] = -1.0;
    }
    for (edge, (parent, child)) in edges.into_iter().enumerate() {
        for (first, from, to) in [(edge, parent, child), (32 + edge, child, parent)] {
            let way = |a: usize, b: usize| (b as f32 - a as f32) * 16.0;
            let place = at(cells[from]) * 64 + first;
            outputs[2].values[place] = way(cells[from].1, cells[to].1);
            outputs[2].values[place + 16] = way(cells[from].0, cells[to].0);
        }
    }
}

#[test]
fn personlab_puts_two_people_together() {
    let manifest = manifest(Decoder::PoseNet { stride: 16 }, 641, 481);
    let mut outputs = outputs(&manifest, 0);
    assert_eq!(outputs[2].shape, [1, 31, 41, 64]);
    outputs[0].values.fill(-9.0);
    let body = |left: usize, top: usize| std::array::from_fn(|joint| (left + (joint % 2) * 3 + joint % 3, top + joint));
    let people: [[(usize, usize); 17]; 2] = [body(4, 5), body(24, 9)];
    people.iter().for_each(|cells| stand(&mut outputs, 41, *cells));
    let found = decoded(&manifest, &outputs);
    assert_eq!(found.len(), 2, "{found:?}");
    for (person, cells) in found.iter().zip(people) {
        assert!(0.97 < person.score);
        for (joint, (column, row)) in person.keypoints.iter().zip(cells) {
            assert_eq!(joint.pixel, Point::new(column as f64 * 16.0 - 1.0, row as f64 * 16.0 + 2.0, 0.0));
        }
    }
}

/// A model that answers what it is told.
struct Puppet {
    inputs: Vec<Slot>,
    outputs: Vec<Slot>,
    answer: Vec<Output>,
}

impl Network for Puppet {
    fn inputs(&self) -> &[Slot] {
        &self.inputs
    }

    fn outputs(&self) -> &[Slot] {
        &self.outputs
    }

    fn infer(&mut self, _: &Tensor, outputs: &mut Vec<Output>) -> crate::base::Result<()> {
        outputs.clone_from(&self.answer);
        Ok(())
    }
}

fn puppet(input: &[Option<usize>], output: Option<&[usize]>, answer: Vec<f32>, shape: &[usize]) -> Box<Puppet> {
    let slot = |name: &str, shape| Slot { name: name.to_owned(), element: Some("f32".to_owned()), shape };
    Box::new(Puppet {
        inputs: vec![slot("image", Some(Shape(input.to_vec())))],
        outputs: vec![slot("vector", output.map(Shape::fixed))],
        answer: vec![Output { name: "vector".to_owned(), shape: shape.to_vec(), values: answer }],
    })
}

#[test]
fn shapes_that_do_not_fit_are_refused_before_and_after_running() {
    let manifest = manifest(Decoder::Embedding { length: 4 }, 8, 8);
    let open = [None, Some(3), None, None];
    let refused = |network: Box<Puppet>| Model::new(manifest.clone(), network).err().map(|error| error.to_string());
    assert_eq!(refused(puppet(&open, Some(&[1, 1, 4]), vec![1.0; 4], &[1, 4])), None);
    let error = refused(puppet(&[Some(1), Some(3), Some(8), Some(9)], None, vec![], &[0])).unwrap();
    assert!(error.contains("[1, 3, 8, 9]") && error.contains("[1, 3, 8, 8]"), "{error}");
    let error = refused(puppet(&open, Some(&[1, 5]), vec![], &[0])).unwrap();
    assert!(error.contains("[1, 5]") && error.contains("[1, 4]"), "{error}");
    // What the file does not say comes out when it runs.
    let mut model = Model::new(manifest, puppet(&open, None, vec![1.0; 5], &[1, 5])).unwrap();
    model.prepare(&RgbImage::new(4, 4), None).unwrap();
    let error = model.infer().unwrap_err().to_string();
    assert!(error.contains("[1, 5]") && error.contains("[1, 4]"), "{error}");
}

/// A model that gives back how bright each picture of the batch is, as often as its row is long.
struct Mirror {
    inputs: Vec<Slot>,
    outputs: Vec<Slot>,
}

impl Network for Mirror {
    fn inputs(&self) -> &[Slot] {
        &self.inputs
    }

    fn outputs(&self) -> &[Slot] {
        &self.outputs
    }

    fn infer(&mut self, input: &Tensor, outputs: &mut Vec<Output>) -> crate::base::Result<()> {
        let pictures = input.shape()[0];
        let means = numbers(input).chunks_exact(numbers(input).len() / pictures).map(|picture| picture[0]);
        let values = means.flat_map(|mean| [mean, 1.0]).collect();
        *outputs = vec![Output { name: "vector".to_owned(), shape: vec![pictures, 2], values }];
        Ok(())
    }
}

fn mirror(pictures: Option<usize>, answers: Option<usize>) -> Model {
    let slot = |lengths: &[Option<usize>]| Slot {
        name: "slot".to_owned(),
        element: None,
        shape: Some(Shape(lengths.to_vec())),
    };
    let inputs = vec![slot(&[pictures, Some(3), Some(8), Some(8)])];
    let network = Mirror { inputs, outputs: vec![slot(&[answers, Some(2)])] };
    Model::new(manifest(Decoder::Embedding { length: 2 }, 8, 8), Box::new(network)).unwrap()
}

fn grey(level: u8) -> RgbImage {
    RgbImage::from_pixels(8, 8, vec![level; 8 * 8 * 3]).unwrap()
}

#[test]
fn pictures_of_a_batch_keep_apart() {
    // Open batches, and one that is always of four.
    for (mut model, fills) in
        [(mirror(None, None).with_batch(4), 4), (mirror(None, None).with_batch(4), 3), (mirror(Some(4), Some(4)), 2)]
    {
        assert_eq!(model.batch(), 4);
        for round in 0..3_u8 {
            let level = |place: usize| 3 * round + place as u8;
            for place in 0..fills {
                model.prepare_place(place, &grey(level(place)), None).unwrap();
            }
            model.infer().unwrap();
            for place in 0..fills {
                let vector = model.embedding_of(place).unwrap();
                assert!((vector[0] / vector[1] - f32::from(level(place))).abs() < 1e-5, "{vector:?}");
            }
            assert!(model.embedding_of(fills).is_err());
        }
        // A single picture is a batch of its own.
        model.prepare(&grey(9), None).unwrap();
        model.infer().unwrap();
        assert!(model.embedding_of(1).is_err());
        assert!((model.embedding().unwrap()[0] - 9.0 * model.embedding().unwrap()[1]).abs() < 1e-5);
    }
}

#[test]
fn a_batch_is_as_long_as_the_network_admits() {
    assert_eq!(mirror(None, None).batch(), 1);
    assert_eq!(mirror(Some(1), Some(1)).with_batch(8).batch(), 1);
    // The exporter opened the input and forgot the output.
    assert_eq!(mirror(None, Some(1)).with_batch(8).batch(), 1);
    let mut model = mirror(None, None).with_batch(2);
    let refused = |outcome: crate::base::Result<()>| outcome.unwrap_err().to_string();
    let error = refused(model.prepare_place(1, &grey(0), None));
    assert!(error.contains("place 1") && error.contains("0 filled"), "{error}");
    model.prepare_place(0, &grey(0), None).unwrap();
    model.prepare_place(1, &grey(0), None).unwrap();
    assert!(refused(model.prepare_place(2, &grey(0), None)).contains("at most 2"));
}

#[test]
fn types_that_are_no_input_are_refused_by_name() {
    let manifest = manifest(Decoder::Embedding { length: 4 }, 8, 8);
    for (is, outcome) in [(Some("f32"), None), (None, None), (Some("u8"), Some("is u8")), (Some("i32"), Some("is i32"))]
    {
        let mut network = puppet(&[Some(1), Some(3), Some(8), Some(8)], None, vec![1.0; 4], &[1, 4]);
        network.inputs[0].element = is.map(str::to_owned);
        let error = Model::new(manifest.clone(), network).err().map(|error| error.to_string());
        assert_eq!(error.is_some(), outcome.is_some(), "{error:?}");
        let (error, what) = (error.unwrap_or_default(), outcome.unwrap_or_default());
        assert!(error.contains(what) && (error.is_empty() || error.contains("manifest says f32")), "{error}");
    }
}

#[test]
fn numbers_that_are_none_leave_no_trace() {
    let manifest = manifest(Decoder::MoveNet, 32, 32);
    let mut joints = outputs(&manifest, 1);
    joints[0].values.iter_mut().for_each(|value| *value = 0.5);
    joints[0].values[0] = f32::NAN;
    joints[0].values[4] = f32::INFINITY;
    joints[0].values[8] = f32::NAN;
    let found = decoded(&manifest, &joints);
    let all = found[0].keypoints.iter().flat_map(|point| [point.pixel.x, point.pixel.y, point.score]);
    assert!(all.chain(edges(&found[0].bounds)).chain([found[0].score]).all(f64::is_finite), "{found:?}");
    let scores: Vec<f64> = found[0].keypoints.iter().map(|point| point.score).collect();
    assert_eq!((scores.len(), &scores[..4]), (BodyPoint::COUNT, &[0.0, 0.0, 0.0, 0.5][..]));
    joints[0].values.iter_mut().for_each(|value| *value = f32::NAN);
    assert!(decoded(&manifest, &joints).is_empty());
}

#[test]
fn vectors_have_length_one_or_are_refused() {
    let manifest = manifest(Decoder::Embedding { length: 2 }, 8, 8);
    let embed = |values: [f32; 2]| {
        let network = puppet(&[Some(1), Some(3), Some(8), Some(8)], None, values.to_vec(), &[1, 2]);
        Model::new(manifest.clone(), network).unwrap().embed(&RgbImage::new(4, 4), None)
    };
    assert_eq!(embed([3.0, -4.0]).unwrap(), [0.6, -0.8]);
    assert!(embed([0.0, 0.0]).is_err() && embed([f32::NAN, 1.0]).is_err());
}

#[test]
fn outputs_that_are_mostly_no_numbers_are_refused_by_the_name_of_the_model() {
    let infer = |values: Vec<f32>| {
        let open = [Some(1), Some(3), Some(8), Some(8)];
        let mut model = Model::new(
            manifest(Decoder::Embedding { length: 4 }, 8, 8),
            puppet(&open, Some(&[1, 1, 4]), values, &[1, 4]),
        )
        .unwrap();
        model.prepare(&RgbImage::new(4, 4), None).unwrap();
        let name = model.manifest().name.clone();
        model.infer().map_err(|error| (error.to_string().contains(&name), error.to_string()))
    };
    for none in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let (is_named, error) = infer(vec![none; 4]).unwrap_err();
        assert!(is_named && error.contains("its outputs are not numbers: 4 of the 4 of vector"), "{error}");
        assert!(infer(vec![none, none, none, 0.5]).is_err() && infer(vec![none, none, 0.5, 0.5]).is_ok());
    }
}

fn numbers(tensor: &Tensor) -> &[f32] {
    match tensor.values() {
        Values::F32(values) => values,
        Values::U8(_) => &[],
    }
}

#[test]
fn a_frame_fills_the_input_in_its_order_and_scale() {
    let mut manifest = manifest(Decoder::Embedding { length: 1 }, 4, 4);
    manifest.input.colour = Colour::Bgr;
    (manifest.input.mean, manifest.input.deviation) = ([10.0, 20.0, 30.0], [2.0, 4.0, 5.0]);
    let mut frame = RgbImage::new(8, 4);
    frame.pixels_mut().chunks_exact_mut(3).for_each(|pixel| pixel.copy_from_slice(&[130, 120, 110]));
    let model = |manifest: &Manifest| {
        let shape = manifest.input.shape(1).map(Some);
        let mut model = Model::new(manifest.clone(), puppet(&shape, None, vec![1.0], &[1, 1])).unwrap();
        model.prepare(&frame, None).unwrap();
        model
    };
    // Half the size: two rows of picture, two of padding; blue first.
    let corner = model(&manifest);
    let pad = [(114.0 - 10.0) / 2.0, (114.0 - 20.0) / 4.0, (114.0 - 30.0) / 5.0];
    for (channel, plane) in numbers(corner.input()).chunks_exact(16).enumerate() {
        assert!(plane[..8].iter().all(|value| (value - [50.0, 25.0, 20.0][channel]).abs() < 1e-4), "{plane:?}");
        assert!(plane[8..].iter().all(|value| (value - pad[channel]).abs() < 1e-4), "{plane:?}");
    }
    // The next frame goes into the same memory.
    let mut again = model(&manifest);
    let place = numbers(again.input()).as_ptr();
    again.prepare(&frame, None).unwrap();
    assert_eq!(numbers(again.input()).as_ptr(), place);
    manifest.input.layout = Layout::Nhwc;
    manifest.input.fit = Fit::Centre;
    let centre = model(&manifest);
    let pixels: Vec<&[f32]> = numbers(centre.input()).chunks_exact(3).collect();
    assert!(
        (pixels[0][0] - pad[0]).abs() < 1e-4
            && (pixels[5][0] - 50.0).abs() < 1e-4
            && (pixels[5][2] - 20.0).abs() < 1e-4
    );
}

#[test]
fn what_is_seen_in_a_part_is_placed_in_the_frame() {
    let mut manifest = manifest(Decoder::MoveNet, 32, 32);
    manifest.input.region = Region::Box { margin: 2.0 };
    manifest.input.fit = Fit::Centre;
    let mut answer = vec![0.0; 51];
    // The middle of the input, and its upper left corner.
    answer[..6].copy_from_slice(&[0.5, 0.5, 0.9, 0.0, 0.0, 0.9]);
    let shape = manifest.input.shape(1).map(Some);
    let mut model = Model::new(manifest, puppet(&shape, None, answer, &[1, 1, 17, 3])).unwrap();
    let bounds = PixelBox { left: 40.0, top: 20.0, right: 60.0, bottom: 60.0 };
    let person = Detection {
        class: DetectionClass::Person,
        bounds,
        score: 1.0,
        keypoints: Vec::new(),
        embedding: Vec::new(),
        held: None,
    };
    let found = model.detect(&RgbImage::new(100, 100), Some(&person)).unwrap();
    for (joint, place) in found[0].keypoints.iter().zip([Point::new(50.0, 40.0, 0.0), Point::new(10.0, 0.0, 0.0)]) {
        assert!(joint.pixel.distance(place) < 1e-9, "{joint:?}");
    }
}

#[test]
fn networks_that_need_points_say_so() {
    let mut manifest = manifest(Decoder::Embedding { length: 1 }, 112, 112);
    for (region, what) in [(Region::FacePoints, "five points of a face"), (Region::Palm, "points of a palm")] {
        manifest.input.region = region;
        let shape = manifest.input.shape(1).map(Some);
        let mut model = Model::new(manifest.clone(), puppet(&shape, None, vec![1.0], &[1, 1])).unwrap();
        let error = model.prepare(&RgbImage::new(9, 9), None).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    }
}

#[test]
fn no_network_at_all_is_refused() {
    let error = Engine::embedded().load(b"no network", LoadOptions::default()).err().unwrap().to_string();
    assert!(error.contains("no ONNX file"), "{error}");
    let cuda = LoadOptions { threads: 1, provider: Provider::Cuda };
    assert!(Engine::embedded().load(b"", cuda).is_err());
    assert!(Engine::onnxruntime(std::path::Path::new("no/such/library.so")).is_err());
}
