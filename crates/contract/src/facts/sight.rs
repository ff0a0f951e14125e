//! What cameras deliver and what is seen in it: frames, detections.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::{CameraId, SkuId};
use crate::geometry::{Affine, Pixel, PixelBox, Point};
use crate::image::PictureFormat;

/// A picture of one camera at one instant, compressed. A ground fact; its stamp's source is `camera/` and the name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Frame {
    /// Whose.
    pub camera: CameraId,
    /// How it is compressed, as its bytes say.
    pub format: PictureFormat,
    /// The compressed picture.
    #[schemars(with = "Vec<u8>")]
    pub data: Arc<[u8]>,
}

/// Everything seen in one frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeenFrame {
    /// The camera.
    pub camera: CameraId,
    /// Width and height of the frame, pixels.
    pub size_pixels: [u32; 2],
    /// What was seen, surest first.
    pub detections: Vec<Detection>,
}

impl SeenFrame {
    /// The same in the pixels of the frame in another size.
    #[must_use]
    pub fn resized(mut self, size_pixels: [u32; 2]) -> Self {
        if self.size_pixels != size_pixels {
            let map = Affine::resized(size_pixels, self.size_pixels);
            for found in &mut self.detections {
                found.bounds = map.apply_box(&found.bounds);
                found.keypoints.iter_mut().for_each(|point| point.pixel = map.apply(point.pixel));
            }
            self.size_pixels = size_pixels;
        }
        self
    }
}

/// One thing seen in a frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Detection {
    /// What it is.
    pub class: DetectionClass,
    /// Where.
    pub bounds: PixelBox,
    /// How sure the network was, `0..=1`, not calibrated.
    pub score: f64,
    /// Named points: of a person the 17 of COCO, of a face the five of RetinaFace (eyes, nose, corners of the mouth, those on
    /// the left of the picture first), of a hand the 21 of MediaPipe. Empty where the network gives none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keypoints: Vec<Keypoint>,
    /// What it looks like, as a vector of length 1 that is compared by the cosine; empty where nobody asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub embedding: Vec<f32>,
    /// Of a hand: what it holds; `None` where nobody asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
}

/// What a hand holds, as far as can be seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// How probable it is that it holds something, `0..=1`.
    pub holding: f64,
    /// What that may be, the most probable first; empty where the catalogue has no pictures. The least probable are left
    /// out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guesses: Vec<HeldGuess>,
}

/// A product that a hand may hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeldGuess {
    /// The product.
    pub sku: SkuId,
    /// How probable it is, given that the hand holds something of the catalogue, `0..=1`.
    pub probability: f64,
}

/// What a detection is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DetectionClass {
    /// A whole person.
    Person,
    /// A face.
    Face,
    /// A hand.
    Hand,
    /// Goods.
    Product,
    /// Something else; its number among the classes of the network.
    Other(u16),
}

/// A named point of something seen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Keypoint {
    /// Where, pixels.
    pub pixel: Point<Pixel>,
    /// How sure the network was, `0..=1`, not calibrated.
    pub score: f64,
}

/// The joints of a person in a picture, in the order of COCO (Lin et al., 2014).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BodyPoint {
    /// Tip of the nose.
    Nose,
    /// The person's left eye.
    LeftEye,
    /// Right eye.
    RightEye,
    /// Left ear.
    LeftEar,
    /// Right ear.
    RightEar,
    /// Left shoulder.
    LeftShoulder,
    /// Right shoulder.
    RightShoulder,
    /// Left elbow.
    LeftElbow,
    /// Right elbow.
    RightElbow,
    /// Left wrist.
    LeftWrist,
    /// Right wrist.
    RightWrist,
    /// Left hip.
    LeftHip,
    /// Right hip.
    RightHip,
    /// Left knee.
    LeftKnee,
    /// Right knee.
    RightKnee,
    /// Left ankle.
    LeftAnkle,
    /// Right ankle.
    RightAnkle,
}

impl BodyPoint {
    /// How many there are.
    pub const COUNT: usize = 17;

    /// All of them, in the order of COCO.
    pub const ALL: [BodyPoint; BodyPoint::COUNT] = [
        BodyPoint::Nose,
        BodyPoint::LeftEye,
        BodyPoint::RightEye,
        BodyPoint::LeftEar,
        BodyPoint::RightEar,
        BodyPoint::LeftShoulder,
        BodyPoint::RightShoulder,
        BodyPoint::LeftElbow,
        BodyPoint::RightElbow,
        BodyPoint::LeftWrist,
        BodyPoint::RightWrist,
        BodyPoint::LeftHip,
        BodyPoint::RightHip,
        BodyPoint::LeftKnee,
        BodyPoint::RightKnee,
        BodyPoint::LeftAnkle,
        BodyPoint::RightAnkle,
    ];

    /// The name that COCO gives it, such as `left_wrist`.
    pub const fn name(self) -> &'static str {
        match self {
            BodyPoint::Nose => "nose",
            BodyPoint::LeftEye => "left_eye",
            BodyPoint::RightEye => "right_eye",
            BodyPoint::LeftEar => "left_ear",
            BodyPoint::RightEar => "right_ear",
            BodyPoint::LeftShoulder => "left_shoulder",
            BodyPoint::RightShoulder => "right_shoulder",
            BodyPoint::LeftElbow => "left_elbow",
            BodyPoint::RightElbow => "right_elbow",
            BodyPoint::LeftWrist => "left_wrist",
            BodyPoint::RightWrist => "right_wrist",
            BodyPoint::LeftHip => "left_hip",
            BodyPoint::RightHip => "right_hip",
            BodyPoint::LeftKnee => "left_knee",
            BodyPoint::RightKnee => "right_knee",
            BodyPoint::LeftAnkle => "left_ankle",
            BodyPoint::RightAnkle => "right_ankle",
        }
    }

    /// The lines of a skeleton, as COCO draws it.
    pub const BONES: [(BodyPoint, BodyPoint); 19] = [
        (BodyPoint::LeftAnkle, BodyPoint::LeftKnee),
        (BodyPoint::LeftKnee, BodyPoint::LeftHip),
        (BodyPoint::RightAnkle, BodyPoint::RightKnee),
        (BodyPoint::RightKnee, BodyPoint::RightHip),
        (BodyPoint::LeftHip, BodyPoint::RightHip),
        (BodyPoint::LeftShoulder, BodyPoint::LeftHip),
        (BodyPoint::RightShoulder, BodyPoint::RightHip),
        (BodyPoint::LeftShoulder, BodyPoint::RightShoulder),
        (BodyPoint::LeftShoulder, BodyPoint::LeftElbow),
        (BodyPoint::RightShoulder, BodyPoint::RightElbow),
        (BodyPoint::LeftElbow, BodyPoint::LeftWrist),
        (BodyPoint::RightElbow, BodyPoint::RightWrist),
        (BodyPoint::LeftEye, BodyPoint::RightEye),
        (BodyPoint::Nose, BodyPoint::LeftEye),
        (BodyPoint::Nose, BodyPoint::RightEye),
        (BodyPoint::LeftEye, BodyPoint::LeftEar),
        (BodyPoint::RightEye, BodyPoint::RightEar),
        (BodyPoint::LeftEar, BodyPoint::LeftShoulder),
        (BodyPoint::RightEar, BodyPoint::RightShoulder),
    ];
}
