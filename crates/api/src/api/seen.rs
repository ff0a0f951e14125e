//! What a camera saw in the newest frame that was looked at, and whose visit each of these people is taken to be of.
//!
//! Nothing remembers which detection became which track. Somebody seen is therefore taken for whoever of the people on the floor
//! falls nearest to them in the picture: neck and shoulders, elbows and wrists are projected into the camera, and the mean
//! distance of those that both have is compared, nearest pairs first.

use schemars::JsonSchema;
use serde::Serialize;

use super::devices::DeviceName;
use super::problem::{Problem, Sort};
use super::reply::{Json, Nothing};
use super::route::Call;
use crate::base::{CameraId, ShopTime, VisitId};
use crate::facts::{BodyPoint, Detection, JointKind, Keypoint};
use crate::geometry::{Pixel, Point};
use crate::ports::{KnownPerson, LookedAt};
use crate::shop::Camera;

/// Joints less sure than this say nothing of where somebody is.
const SURE_MIN: f64 = 0.3;
/// Somebody seen is nobody who is further from them than this share of their height in the picture.
const APART_MAX: f64 = 0.25;

/// What was seen in a frame, in pixels of the picture of this camera.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Seen")]
pub(super) struct SeenView {
    /// When the frame came, as `X-Picture-Time` says it of the picture.
    at: ShopTime,
    /// Width and height of the frame, pixels.
    size: [u32; 2],
    /// The people in it, surest first.
    people: Vec<PersonView>,
}

/// Somebody in a picture.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "SeenPerson")]
struct PersonView {
    /// Whose visit it is taken to be: that of who falls nearest to them in the picture. None where nobody is near, or whose visit that
    /// is is not known.
    visit: Option<VisitId>,
    /// Left edge, upper edge, width and height, pixels.
    #[serde(rename = "box")]
    bounds: [f64; 4],
    /// The 17 joints of COCO in its order: x, y, how sure from 0 to 1; none where it is not seen.
    joints: Vec<Option<[f64; 3]>>,
}

/// `GET /v1/cameras/{name}/seen`
pub(super) fn seen(call: &Call<'_>, name: DeviceName, _: Nothing, _: Nothing) -> Result<Json<SeenView>, Problem> {
    let name = name.0;
    let Some(board) = &call.api.seen else {
        return Err(Problem::new(Sort::Missing, "no cameras are looked at in this server"));
    };
    let shop = call.api.till().shop().clone();
    let Some(camera) = shop.camera(&CameraId::new(&name)) else {
        return Err(Problem::new(Sort::Missing, format!("no camera of this shop is called `{name}`")));
    };
    let Some(looked) = board.latest(&camera.id) else {
        return Err(Problem::new(Sort::Unavailable, format!("no frame of `{name}` was looked at yet")));
    };
    let visits = visits(camera, &looked, &board.people(looked.at));
    let people = looked.people.iter().zip(visits).map(|(found, visit)| PersonView::new(found, visit)).collect();
    Ok(Json(SeenView { at: looked.arrived, size: looked.size_pixels, people }))
}

impl PersonView {
    fn new(found: &Detection, visit: Option<VisitId>) -> Self {
        let bounds = &found.bounds;
        let [left, top] = [bounds.left, bounds.top];
        let joint = |at: usize| {
            let seen = found.keypoints.get(at).filter(|seen| seen.pixel.is_finite() && 0.0 < seen.score);
            seen.map(|seen| [rounded(seen.pixel.x), rounded(seen.pixel.y), rounded(seen.score)])
        };
        PersonView {
            visit,
            bounds: [left, top, bounds.right - left, bounds.bottom - top].map(rounded),
            joints: (0..BodyPoint::COUNT).map(joint).collect(),
        }
    }
}

/// The visit of each who is seen.
fn visits(camera: &Camera, looked: &LookedAt, known: &[KnownPerson]) -> Vec<Option<VisitId>> {
    let mut visits = vec![None; looked.people.len()];
    let Some(map) = camera.calibrated_from_frame(looked.size_pixels) else { return visits };
    let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
    for (one, found) in looked.people.iter().enumerate() {
        let height = map.scale() * (found.bounds.bottom - found.bounds.top);
        for (other, person) in known.iter().enumerate() {
            let apart = apart(camera, person, |point| Some(map.apply(sure(found, point)?)));
            pairs.extend(apart.filter(|apart| *apart <= APART_MAX * height).map(|apart| (apart, one, other)));
        }
    }
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let (mut seen, mut taken) = (vec![false; looked.people.len()], vec![false; known.len()]);
    for (_, one, other) in pairs {
        if !seen[one] && !taken[other] {
            (seen[one], taken[other]) = (true, true);
            visits[one] = known[other].visit;
        }
    }
    visits
}

/// The mean distance in pixels, as the camera is calibrated, of the joints that somebody on the floor and somebody seen both have.
fn apart(camera: &Camera, person: &KnownPerson, pixel: impl Fn(BodyPoint) -> Option<Point<Pixel>>) -> Option<f64> {
    let between = |a, b| Some(pixel(a)?.lerp(pixel(b)?, 0.5));
    let distance = |kind: JointKind| {
        let told = camera.view.pixel_from_world(person.joints.get(kind)?.position)?;
        let found = match kind {
            JointKind::Head => between(BodyPoint::LeftEar, BodyPoint::RightEar).or_else(|| pixel(BodyPoint::Nose)),
            JointKind::Neck => between(BodyPoint::LeftShoulder, BodyPoint::RightShoulder),
            JointKind::LeftShoulder => pixel(BodyPoint::LeftShoulder),
            JointKind::RightShoulder => pixel(BodyPoint::RightShoulder),
            JointKind::LeftElbow => pixel(BodyPoint::LeftElbow),
            JointKind::RightElbow => pixel(BodyPoint::RightElbow),
            JointKind::LeftWrist => pixel(BodyPoint::LeftWrist),
            JointKind::RightWrist => pixel(BodyPoint::RightWrist),
        };
        Some(told.distance(found?))
    };
    let distances: Vec<f64> = JointKind::ALL.into_iter().filter_map(distance).collect();
    (!distances.is_empty()).then(|| distances.iter().sum::<f64>() / distances.len() as f64)
}

/// Where a joint is seen for sure.
fn sure(found: &Detection, point: BodyPoint) -> Option<Point<Pixel>> {
    let seen: Option<&Keypoint> = found.keypoints.get(point as usize);
    seen.filter(|seen| SURE_MIN <= seen.score && seen.pixel.is_finite()).map(|seen| seen.pixel)
}

/// To a thousandth.
fn rounded(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0 + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::TrackId;
    use crate::facts::{DetectionClass, Joint, Joints};
    use crate::geometry::{Camera as Lensed, CameraPose, Lens, PixelBox, World};

    fn camera() -> Camera {
        let lens = Lens { focal_pixels: [400.0; 2], centre_pixels: [320.0, 240.0], distortion: [0.0; 5] };
        let pose = CameraPose::look_at(Point::new(0.0, 0.0, 1.5), Point::new(0.0, 5.0, 1.5), 0.0);
        let id = CameraId::new("one");
        Camera { id, size_pixels: [640, 480], rate_hertz: 15.0, view: Lensed::new(lens, pose) }
    }

    fn person(number: u64, x: f64) -> KnownPerson {
        let joint = |x, z| Some(Joint { position: Point::<World>::new(x, 4.0, z), score: 0.9 });
        let (left_shoulder, right_shoulder) = (joint(x + 0.2, 1.4), joint(x - 0.2, 1.4));
        let joints = Joints { neck: joint(x, 1.4), left_shoulder, right_shoulder, ..Joints::default() };
        KnownPerson { visit: Some(VisitId::from_first_track(TrackId::new(number))), joints }
    }

    /// Somebody of two metres' height at this place, in a frame of so many times the camera's pixels.
    fn detection(x: f64, scale: f64) -> Detection {
        let pixel = |x, z| {
            let at = camera().view.pixel_from_world(Point::new(x, 4.0, z)).unwrap();
            Point::<Pixel>::new(scale * at.x, scale * at.y, 0.0)
        };
        let nowhere = Keypoint { pixel: Point::new(0.0, 0.0, 0.0), score: 0.0 };
        let mut keypoints = vec![nowhere; BodyPoint::COUNT];
        for (point, x) in [(BodyPoint::LeftShoulder, x + 0.2), (BodyPoint::RightShoulder, x - 0.2)] {
            keypoints[point as usize] = Keypoint { pixel: pixel(x, 1.4), score: 0.9 };
        }
        let (low, high) = (pixel(x - 0.3, 2.0), pixel(x + 0.3, 0.0));
        let bounds = PixelBox { left: low.x, top: low.y, right: high.x, bottom: high.y };
        let (class, embedding, held) = (DetectionClass::Person, Vec::new(), None);
        Detection { class, bounds, score: 0.9, keypoints, embedding, held }
    }

    fn looked(scale: f64, people: &[f64]) -> LookedAt {
        let at = ShopTime::from_nanos(0);
        let size_pixels = [640.0, 480.0].map(|side| (side * scale) as u32);
        LookedAt { arrived: at, at, size_pixels, people: people.iter().map(|x| detection(*x, scale)).collect() }
    }

    #[test]
    fn whoever_falls_nearest_in_the_picture_is_who_is_seen() {
        let known = [person(1, -0.9), person(2, 0.0), person(3, 0.6)];
        let names = |numbers: &[u64]| -> Vec<Option<VisitId>> {
            let name = |number: &u64| Some(VisitId::from_first_track(TrackId::new(*number))).filter(|_| *number != 0);
            numbers.iter().map(name).collect()
        };
        for scale in [1.0, 0.5, 2.0] {
            let found = visits(&camera(), &looked(scale, &[0.55, -1.0, 0.1]), &known);
            assert_eq!(found, names(&[3, 1, 2]), "{scale}");
        }
        // Nobody is two people, and who is far from all is nobody that is known.
        assert_eq!(visits(&camera(), &looked(1.0, &[0.05, 0.02, 1.8]), &known[1..2]), names(&[0, 2, 0]));
        assert_eq!(
            visits(&camera(), &LookedAt { size_pixels: [100, 400], ..looked(1.0, &[0.0]) }, &known),
            names(&[0])
        );
    }

    #[test]
    fn boxes_have_a_width_and_joints_that_are_not_seen_are_null() {
        let told = PersonView::new(&detection(0.0, 1.0), None);
        assert_eq!(told.bounds, [290.0, 190.0, 60.0, 200.0]);
        assert_eq!((told.joints.len(), told.joints[0]), (17, None));
        assert_eq!(told.joints[BodyPoint::LeftShoulder as usize], Some([340.0, 250.0, 0.9]));
        let boxed = PersonView::new(&Detection { keypoints: Vec::new(), ..detection(0.0, 1.0) }, None);
        assert_eq!(boxed.joints, [None; 17], "a network without joints");
    }
}
