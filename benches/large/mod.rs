//! A large shop and what its devices say: 40 boards of twelve plates, each of which sends every sample by itself, 60 times a
//! second, and six cameras that detect people by themselves, 15 times a second. Shoppers and weights are those of a simulated
//! day; what a camera sees is where the people's joints fall in its picture, without noise.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;

use aisle::base::{SourceId, Span};
use aisle::config;
use aisle::facts::{
    Body, BodyPoint, Detection, DetectionClass, Fact, Joints, Keypoint, PeopleFrame, PlateBatch, SeenFrame,
};
use aisle::geometry::{PixelBox, Point, World};
use aisle::shop::{Camera, Shop};
use aisle::sim::{self, Level, Options, Scenario, Trip};
use aisle::truth::Truth;

/// Units of five boards each.
const UNITS: usize = 8;
const HEIGHTS_METRES: [f64; 5] = [0.16, 0.54, 0.88, 1.19, 1.48];
const PLATES: usize = 12;
/// Six cameras: where they hang, and where they look to, metres.
const CAMERAS: [([f64; 3], [f64; 3]); 6] = [
    ([0.4, 0.6, 2.8], [2.4, 2.6, 0.9]),
    ([4.0, 0.5, 2.8], [4.0, 2.9, 0.9]),
    ([7.6, 0.6, 2.8], [5.6, 2.6, 0.9]),
    ([0.4, 4.2, 2.8], [2.4, 5.8, 0.9]),
    ([4.0, 4.1, 2.8], [4.0, 6.1, 0.9]),
    ([7.6, 4.2, 2.8], [5.6, 5.8, 0.9]),
];
/// From one camera's frame to the next one's.
const CAMERA_SHIFT: Span = Span::from_millis(11);
const SCORE: f64 = 0.9;

/// Its file.
fn draft() -> String {
    let mut text = String::from(
        "name = \"large\"\npolicy = { absence_secs_max = 20 }\n\
         room = { polygon = [[0, 0], [8, 0], [8, 7], [0, 7]], height_metres = 2.9 }\n\
         zone = [{ name = \"in\", kind = \"entrance\", polygon = [[1, 0.1], [2, 0.1], [2, 0.9], [1, 0.9]] },\n\
         { name = \"out\", kind = \"exit\", polygon = [[6, 0.1], [7, 0.1], [7, 0.9], [6, 0.9]] }]\n",
    );
    for product in 0..UNITS * HEIGHTS_METRES.len() * PLATES / 3 {
        let (grams, cents) = (90 + product * 37 % 900, 49 + product * 31 % 500);
        let _ = writeln!(
            text,
            "[[product]]\nsku = \"p{product}\"\nname = \"Goods {product}\"\nweight_grams = {grams}\nprice = \"{}.{:02}\"",
            cents / 100,
            cents % 100
        );
    }
    for unit in 0..UNITS {
        // Four along the back wall, four in the middle of the room, which are reached from the doors' side.
        let (x, y) = (1.0 + 1.5 * (unit % 4) as f64, if unit < 4 { 6.5 } else { 3.3 });
        let _ = writeln!(
            text,
            "[[gondola]]\nx_metres = {x}\ny_metres = {y}\ndepth_metres = 0.4064\nplate_count = {PLATES}\nplate_width_metres = 0.1016"
        );
        for (board, height) in HEIGHTS_METRES.iter().enumerate() {
            let first = (unit * HEIGHTS_METRES.len() + board) * PLATES / 3;
            let facing = |place: usize| {
                let plate = 3 * place + 1;
                format!("{{ sku = \"p{}\", plates = \"{plate}-{}\" }}", first + place, plate + 2)
            };
            let facings: Vec<String> = (0..PLATES / 3).map(facing).collect();
            let _ = writeln!(text, "[[gondola.shelf]]\nheight_metres = {height}\nfacings = [{}]", facings.join(", "));
        }
    }
    for (number, (position, look_at)) in CAMERAS.iter().enumerate() {
        let _ = writeln!(
            text,
            "[[camera]]\nname = \"c{number}\"\nsize_pixels = [640, 360]\nrate_hertz = 15\nfocal_pixels = [300, 300]\n\
             centre_pixels = [320, 180]\nposition_metres = {position:?}\nlook_at_metres = {look_at:?}"
        );
    }
    text
}

/// The shop.
pub(crate) fn shop() -> Arc<Shop> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.toml");
    std::fs::write(&path, draft()).unwrap();
    Arc::new(config::load_shop(&path).unwrap())
}

/// So many seconds of it, in order of arrival.
pub(crate) struct Day {
    pub(crate) truth: Truth,
    shop: Arc<Shop>,
    facts: std::vec::IntoIter<Fact>,
    /// How many each source has said.
    sequences: BTreeMap<SourceId, u64>,
    /// By when they arrive, which is when they are sent.
    waiting: BTreeMap<(i64, u64), Fact>,
    number: u64,
    ready: VecDeque<Fact>,
}

impl Day {
    pub(crate) fn new(shop: &Arc<Shop>, secs: f64) -> Self {
        let (scenario, level) = (Scenario::Open, Level::Clean);
        let Trip { facts, truth, .. } =
            sim::trip(&Options { shop: shop.clone(), scenario, level, seed: 5, secs: Some(secs) }).unwrap();
        let (waiting, sequences) = (BTreeMap::new(), BTreeMap::new());
        let (shop, facts) = (shop.clone(), facts.into_iter());
        Day { truth, shop, facts, sequences, waiting, number: 0, ready: VecDeque::new() }
    }

    /// Everything that devices say about what one fact of the simulation says.
    fn split(&mut self, fact: &Fact) {
        match &fact.body {
            Body::Plates(batch) => self.split_batch(batch),
            Body::People(frame) => {
                let shop = self.shop.clone();
                for (place, camera) in shop.cameras().iter().enumerate() {
                    let at = fact.stamp.at + CAMERA_SHIFT * place as i64;
                    let seen = Body::Seen(seen(camera, frame));
                    self.put(&format!("camera/{}", camera.id), at, seen);
                }
            }
            _ => {}
        }
    }

    fn split_batch(&mut self, batch: &PlateBatch) {
        let width = batch.plates.len();
        for row in 0..batch.rows() {
            let at = batch.row_at(row);
            let mut first = 0;
            while first < width {
                let shelf = batch.plates[first].shelf;
                let length = batch.plates[first..].iter().take_while(|plate| plate.shelf == shelf).count();
                let board = first..first + length;
                let grams = batch.grams[row * width..][board.clone()].to_vec();
                let sample =
                    PlateBatch { first_at: at, period: batch.period, plates: batch.plates[board].to_vec(), grams };
                self.put(&format!("board/{shelf}"), at, Body::Plates(sample));
                first += length;
            }
        }
    }

    fn put(&mut self, source: &str, at: aisle::base::ShopTime, body: Body) {
        let source = SourceId::new(source);
        let next = self.sequences.entry(source.clone()).or_insert(0);
        let stamp = aisle::facts::Stamp { source, sequence: *next, at, arrived: at };
        *next += 1;
        self.number += 1;
        self.waiting.insert((at.as_nanos(), self.number), Fact { stamp, body });
    }
}

impl Iterator for Day {
    type Item = Fact;

    fn next(&mut self) -> Option<Fact> {
        /// How late the simulation tells of something at most.
        const LATE: i64 = 4_000_000_000;
        while self.ready.is_empty() {
            let Some(fact) = self.facts.next() else {
                return self.waiting.pop_first().map(|(_, fact)| fact);
            };
            self.split(&fact);
            let later = self.waiting.split_off(&(fact.stamp.arrived.as_nanos() - LATE, 0));
            self.ready.extend(std::mem::replace(&mut self.waiting, later).into_values());
        }
        self.ready.pop_front()
    }
}

/// What a camera sees of people.
fn seen(camera: &Camera, frame: &PeopleFrame) -> SeenFrame {
    let detections = frame.people.iter().filter_map(|person| detection(camera, &person.joints)).collect();
    SeenFrame { camera: camera.id.clone(), size_pixels: camera.size_pixels, detections }
}

fn detection(camera: &Camera, joints: &Joints) -> Option<Detection> {
    let [width, height] = camera.size_pixels.map(f64::from);
    let pixel = |point: Point<World>| {
        let pixel = camera.view.pixel_from_world(point)?;
        ((0.0..width).contains(&pixel.x) && (0.0..height).contains(&pixel.y)).then_some(pixel)
    };
    let at = |part: BodyPoint| -> Option<Point<World>> {
        let under = |joint: Option<aisle::facts::Joint>, metres: f64| {
            let place = joint?.position;
            Some(Point::new(place.x, place.y, metres))
        };
        use BodyPoint as B;
        match part {
            B::Nose => joints.head.map(|joint| joint.position),
            B::LeftShoulder => joints.left_shoulder.map(|joint| joint.position),
            B::RightShoulder => joints.right_shoulder.map(|joint| joint.position),
            B::LeftElbow => joints.left_elbow.map(|joint| joint.position),
            B::RightElbow => joints.right_elbow.map(|joint| joint.position),
            B::LeftWrist => joints.left_wrist.map(|joint| joint.position),
            B::RightWrist => joints.right_wrist.map(|joint| joint.position),
            B::LeftHip => under(joints.left_shoulder, 0.9),
            B::RightHip => under(joints.right_shoulder, 0.9),
            B::LeftKnee => under(joints.left_shoulder, 0.5),
            B::RightKnee => under(joints.right_shoulder, 0.5),
            B::LeftAnkle => under(joints.left_shoulder, 0.08),
            B::RightAnkle => under(joints.right_shoulder, 0.08),
            B::LeftEye | B::RightEye | B::LeftEar | B::RightEar => None,
        }
    };
    let pixels: Vec<_> = BodyPoint::ALL.iter().map(|part| at(*part).and_then(pixel)).collect();
    let shown: Vec<_> = pixels.iter().flatten().collect();
    if shown.len() < 4 {
        return None;
    }
    let range = |of: fn(&Point<aisle::geometry::Pixel>) -> f64| {
        let all = || shown.iter().map(|pixel| of(pixel));
        (all().fold(f64::MAX, f64::min) - 8.0, all().fold(f64::MIN, f64::max) + 8.0)
    };
    let ((left, right), (top, bottom)) = (range(|pixel| pixel.x), range(|pixel| pixel.y));
    let bounds = PixelBox { left, top, right, bottom };
    let keypoint = |pixel: &Option<_>| match pixel {
        Some(pixel) => Keypoint { pixel: *pixel, score: SCORE },
        None => Keypoint { pixel: bounds.centre(), score: 0.0 },
    };
    let keypoints = pixels.iter().map(keypoint).collect();
    let class = DetectionClass::Person;
    Some(Detection { class, bounds, score: SCORE, keypoints, embedding: Vec::new(), held: None })
}
