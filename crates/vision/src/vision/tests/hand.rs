//! Regions of hands, the answers of a model for them, and the ranking of products by their pictures.

use crate::base::{Result, SkuId};
use crate::facts::{BodyPoint, Detection, DetectionClass, Keypoint};
use crate::geometry::{PixelBox, Point};
use crate::image::RgbImage;
use crate::vision::decode::held_product;
use crate::vision::*;

/// A person of 100 pixels a metre whose arms hang down; all joints are known.
fn person() -> Detection {
    let mut keypoints = vec![Keypoint { pixel: Point::new(200.0, 100.0, 0.0), score: 0.9 }; BodyPoint::COUNT];
    let mut put = |joint: BodyPoint, x: f64, y: f64| keypoints[joint as usize].pixel = Point::new(x, y, 0.0);
    for (side, x) in [(0, 220.0), (1, 180.0)] {
        let [shoulder, elbow, wrist, hip, knee] = match side {
            0 => [
                BodyPoint::LeftShoulder,
                BodyPoint::LeftElbow,
                BodyPoint::LeftWrist,
                BodyPoint::LeftHip,
                BodyPoint::LeftKnee,
            ],
            _ => [
                BodyPoint::RightShoulder,
                BodyPoint::RightElbow,
                BodyPoint::RightWrist,
                BodyPoint::RightHip,
                BodyPoint::RightKnee,
            ],
        };
        put(shoulder, x, 130.0);
        put(elbow, x, 160.0);
        put(wrist, x, 180.0);
        put(hip, x, 180.0);
        put(knee, x, 220.0);
    }
    let bounds = PixelBox { left: 170.0, top: 90.0, right: 230.0, bottom: 270.0 };
    Detection { class: DetectionClass::Person, bounds, score: 0.9, keypoints, embedding: Vec::new(), held: None }
}

#[test]
fn a_region_lies_beyond_the_wrist_and_is_as_large_as_the_body_tells() {
    let region = hand_region(&person(), HandSide::Left, 0.3).unwrap();
    // The trunk, 50 pixels, looks longest for its half metre.
    assert_eq!((region.width(), region.height()), (50.0, 50.0));
    assert_eq!((region.centre().x, region.centre().y), (220.0, 187.0));
    let right = hand_region(&person(), HandSide::Right, 0.3).unwrap();
    assert_eq!((right.centre().x, right.centre().y), (180.0, 187.0));
}

#[test]
fn a_forearm_towards_the_camera_does_not_shrink_the_region() {
    let mut reaching = person();
    reaching.keypoints[BodyPoint::LeftWrist as usize].pixel = Point::new(221.0, 162.0, 0.0);
    let region = hand_region(&reaching, HandSide::Left, 0.3).unwrap();
    assert_eq!(region.width(), 50.0);
    assert!((region.centre().y - 162.7).abs() < 1e-9, "{region:?}");
}

#[test]
fn there_is_no_region_without_a_wrist_or_a_size() {
    let mut hidden = person();
    hidden.keypoints[BodyPoint::LeftWrist as usize].score = 0.2;
    assert_eq!(hand_region(&hidden, HandSide::Left, 0.3), None);
    assert!(hand_region(&hidden, HandSide::Right, 0.3).is_some());
    let mut alone = person();
    for (joint, point) in alone.keypoints.iter_mut().enumerate() {
        point.score = if joint == BodyPoint::LeftWrist as usize { 0.9 } else { 0.0 };
    }
    assert_eq!(hand_region(&alone, HandSide::Left, 0.3), None);
    let bare = Detection { keypoints: Vec::new(), ..person() };
    assert_eq!(hand_region(&bare, HandSide::Left, 0.3), None);
}

#[test]
fn a_far_body_gets_the_smallest_region() {
    let mut far = person();
    for point in &mut far.keypoints {
        point.pixel = Point::new(point.pixel.x / 10.0, point.pixel.y / 10.0, 0.0);
    }
    assert_eq!(hand_region(&far, HandSide::Left, 0.3).unwrap().width(), 16.0);
}

#[test]
fn a_gallery_ranks_candidates_by_their_most_similar_picture() {
    let sku = SkuId::new;
    let mut gallery = Gallery::new(0.5);
    assert!(gallery.is_empty());
    gallery.insert(sku("tea"), vec![1.0, 0.0]);
    gallery.insert(sku("tea"), vec![0.0, 1.0]);
    gallery.insert(sku("jam"), vec![0.6, 0.8]);
    gallery.insert(sku("oil"), vec![-1.0, 0.0]);
    assert_eq!(gallery.len(), 3);
    let wanted = [sku("jam"), sku("tea"), sku("tea"), sku("rye")];
    let ranked = gallery.rank(&[0.0, 1.0], &wanted);
    assert_eq!(ranked.iter().map(|(sku, _)| sku.as_str()).collect::<Vec<_>>(), ["tea", "jam"]);
    // A cosine of 1 against one of 0.8 at a temperature of a half.
    assert!((ranked[0].1 - 1.0 / (1.0 + (-0.4_f64).exp())).abs() < 1e-6, "{ranked:?}");
    assert!((ranked.iter().map(|(_, probability)| probability).sum::<f64>() - 1.0).abs() < 1e-12);
    assert_eq!(gallery.rank(&[0.0, 1.0], &[sku("rye")]), []);
    // Equals stand in the order of their codes.
    let mut twins = Gallery::new(0.1);
    twins.insert(sku("b"), vec![1.0]);
    twins.insert(sku("a"), vec![1.0]);
    assert_eq!(twins.rank(&[1.0], &[sku("b"), sku("a")]), [(sku("a"), 0.5), (sku("b"), 0.5)]);
}

#[test]
fn answers_that_are_no_numbers_are_none() {
    let held = held_product(&[0.75, 1.5], &[3.0, 4.0]).unwrap();
    assert_eq!(held, HeldProduct { hand: 0.75, holding: 1.0, vector: vec![0.6, 0.8] });
    assert_eq!(held_product(&[0.5], &[1.0]), None);
    assert_eq!(held_product(&[0.5, f32::NAN], &[1.0]), None);
    assert_eq!(held_product(&[0.5, 0.5], &[0.0, 0.0]), None);
}

/// A model that says how bright the middle of its input is.
struct Brightness;

impl Network for Brightness {
    fn inputs(&self) -> &[Slot] {
        const { &[Slot { name: String::new(), shape: None, element: None }] }
    }

    fn outputs(&self) -> &[Slot] {
        const {
            &[
                Slot { name: String::new(), shape: None, element: None },
                Slot { name: String::new(), shape: None, element: None },
            ]
        }
    }

    fn infer(&mut self, input: &Tensor, outputs: &mut Vec<Output>) -> Result<()> {
        let Values::F32(values) = input.values() else { panic!("{input:?}") };
        let output = |values: Vec<f32>| Output { name: String::new(), shape: vec![1, 2], values };
        *outputs = vec![output(vec![values[0] / 255.0, 0.25]), output(vec![0.0, 2.0])];
        Ok(())
    }
}

#[test]
fn a_model_looks_at_the_region_of_a_hand() {
    let mut held = tests::manifest(Decoder::HeldProduct { length: 2, temperature: 0.1 }, 4, 4);
    held.input.region = Region::Box { margin: 1.0 };
    held.input.fit = Fit::Stretch;
    let mut model = Model::new(held, Box::new(Brightness)).unwrap();
    let mut frame = RgbImage::new(32, 16);
    for (x, y) in (12..28).flat_map(|x| (0..16).map(move |y| (x, y))) {
        frame.set(x, y, [255, 0, 0]);
    }
    let seen = model.look_at_hand(&frame, Some(PixelBox::from_size(16.0, 4.0, 8.0, 8.0))).unwrap();
    assert_eq!(seen, HeldProduct { hand: 1.0, holding: 0.25, vector: vec![0.0, 1.0] });
    assert_eq!(model.look_at_hand(&frame, None).unwrap().hand, 0.0);
    assert!(model.embedding().is_err(), "the model is not one of mere vectors");
}
