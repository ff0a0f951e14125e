//! One person seen by several cameras: seventeen joints held together by bones of constant length.

use std::collections::BTreeMap;

use nalgebra::{Matrix3, Vector2, Vector3};

use super::joint::JointFilter;
use super::reach::Front;
use super::skeleton::{ASIDE, BONES, HEIGHTS, JOLTS};
use super::view::{Eye, Glimpse, Ray, View};
use crate::base::{ShopTime, Span, TrackId};
use crate::facts::{BodyPoint, Detection, Joint, JointKind, Joints, Keypoint};
use crate::geometry::{Camera, Floor, Pixel, PixelBox, Point, World};
use crate::tracking::looks::blend;

/// Keypoints below this score are guesses of the network and are left out.
const KEYPOINT_SCORE_MIN: f64 = 0.3;
/// Keypoints that a detection needs to say where somebody is.
const KEYPOINTS_MIN: usize = 4;
/// Views of two cameras this far apart in time are of one posture.
const COMPARED_SPAN_MAX: Span = Span::from_millis(250);
/// What no second camera saw for so long, one camera sees alone.
const ALONE_SPAN_MIN: Span = Span::from_millis(1_000);
/// How often what is assumed of bodies is used before a joint has forgotten it: each time it errs in the same way, so that
/// it must not count as news.
const REPEATED: f64 = 8.0;
/// By how much the whole body may be elsewhere when a camera sees it where it was not expected, metres.
const LOOSE_METRES: f64 = 0.5;
/// Squared Mahalanobis distance at which a keypoint is somebody else's, or wrong: one in ten thousand goes beyond.
const GATE: f64 = 18.4;
/// What one keypoint adds to the cost of an assignment at most, and the mean beyond which it is somebody else.
const COST_MAX: f64 = 25.0;
const COST_MEAN_MAX: f64 = 9.0;
/// Share of keypoints that may be wrong, in a hundred.
const WRONG_PERCENT: usize = 30;
/// What it costs to take left for right: networks do so seldom.
const MIRRORED_COST: f64 = 2.0;
/// How quickly the share of looks the other way round follows, and beyond which a person is turned over: whoever was first
/// seen from behind by a network that took it for the front has their sides wrong until then.
const MIRRORED_RATE: f64 = 0.03;
const MIRRORED_SHARE_MAX: f64 = 0.6;
/// People walk forwards. Slower than this they may step aside or back, metres a second; their shoulders must look along
/// the way or against it by this cosine; what was seen of it counts by an exponential mean over so many seconds of walking; and
/// beyond this mean of forwards (1) and backwards (-1) it is believed.
const WALK_SPEED_MIN: f64 = 0.5;
const ALONG_COSINE_MIN: f64 = 0.7;
const WALK_SECS: f64 = 0.7;
const FORWARDS_MIN: f64 = 0.5;
/// How quickly a look follows what is seen.
const LOOK_SHARE: f32 = 0.1;
/// Deviation of a keypoint as a share of the root of a person's area in the picture, joint by joint: what people who
/// labelled COCO disagree by (Lin et al., 2014, the keypoint evaluation), and least, pixels.
const KEYPOINT_SIGMAS: [f64; BodyPoint::COUNT] = [
    0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089,
    0.089,
];
const KEYPOINT_PIXELS_MIN: f64 = 1.0;
/// A body fills about half of its box.
const AREA_SHARE: f64 = 0.53;
/// Deviation of a bone's length in one look, metres.
const BONE_METRES: f64 = 0.02;
/// A joint known worse than this has got lost, metres.
const LOST_METRES: f64 = 0.7;
/// A joint known worse than this is not told, metres.
const TOLD_METRES_MAX: f64 = 0.3;
/// From between the shoulders to the base of the neck, metres upwards.
const NECK_METRES: f64 = 0.06;

/// The camera that saw a wrist last, and when another one than that did.
#[derive(Clone, Copy, Debug, Default)]
struct Looked {
    last: Option<(usize, ShopTime)>,
    other: Option<ShopTime>,
}

/// Both wrists.
const WRISTS: [BodyPoint; 2] = [BodyPoint::LeftWrist, BodyPoint::RightWrist];
/// The corners of the trunk.
const TRUNK: [BodyPoint; 4] =
    [BodyPoint::LeftShoulder, BodyPoint::RightShoulder, BodyPoint::LeftHip, BodyPoint::RightHip];
/// Joints whose height above the floor is much the same whatever somebody does, except when they crouch.
const STANDING: [BodyPoint; 6] = [
    BodyPoint::LeftShoulder,
    BodyPoint::RightShoulder,
    BodyPoint::LeftHip,
    BodyPoint::RightHip,
    BodyPoint::LeftAnkle,
    BodyPoint::RightAnkle,
];

/// Somebody on the floor.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) track: TrackId,
    /// The instant of the state.
    pub(super) at: ShopTime,
    /// When a camera saw them last.
    pub(super) seen: ShopTime,
    /// What each camera saw of them lately.
    pub(super) views: BTreeMap<usize, View>,
    /// Who saw each wrist.
    wrist_looks: [Looked; 2],
    /// When each camera saw them last.
    looked: BTreeMap<usize, ShopTime>,
    /// Whether they are there: the logarithm of the odds.
    pub(super) odds: f64,
    /// When a camera saw them first.
    pub(super) begun: ShopTime,
    /// Whether it was ever believed that they are.
    pub(super) believed: bool,
    joints: [JointFilter; BodyPoint::COUNT],
    /// Mean and deviation of each bone's length, metres.
    bones: [(f64, f64); BONES.len()],
    /// What they look like; empty as long as nobody says.
    pub(super) look: Vec<f32>,
    /// Of the looks lately that told left from right, the share in which they were the other way round.
    mirrored_share: f64,
    /// Whether they walked forwards of late, by the sides that they were given: from -1, backwards, to 1.
    forwards: f64,
}

/// How left and right of a detection go together with those of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sides {
    /// They are the same.
    Straight,
    /// The detection's left is the person's right: networks mix them up at times.
    Mirrored,
    /// Either may be.
    Unclear,
}

impl Person {
    /// Somebody whom one camera sees: each joint lies on the ray of its pixel, at its usual height, near the vertical
    /// through the feet. `None` when too little is seen to say where.
    pub(super) fn new(track: TrackId, at: ShopTime, eye: &Eye<'_>, detection: &Detection) -> Option<Self> {
        let camera = eye.camera;
        let floor = place(camera, detection)?;
        let joint = |index: usize| {
            let (height, sigma) = HEIGHTS[index];
            let aside = ASIDE[index];
            let seen = usable(detection, index).and_then(|point| {
                let ray = camera.ray_from_pixel(point.pixel)?;
                Some(along_ray(camera.pose().position, ray, floor, index))
            });
            let position = seen.unwrap_or(Point::new(floor.x, floor.y, height));
            let spread = Vector3::new(aside * aside, aside * aside, sigma * sigma);
            JointFilter::new(position, Matrix3::from_diagonal(&spread), 1.0)
        };
        let joints = std::array::from_fn(joint);
        let bones = std::array::from_fn(|index| BONES[index].metres);
        let mut person = Person {
            track,
            at,
            seen: at,
            views: BTreeMap::new(),
            looked: BTreeMap::new(),
            wrist_looks: [Looked::default(); 2],
            begun: at,
            believed: false,
            odds: 0.0,
            joints,
            bones,
            look: Vec::new(),
            mirrored_share: 0.0,
            forwards: 0.0,
        };
        person.update(eye, detection, Sides::Unclear);
        Some(person)
    }

    /// Moves on to an instant, also backwards.
    pub(super) fn predict(&mut self, at: ShopTime) {
        let secs = at.secs_since(self.at);
        self.joints.iter_mut().zip(JOLTS).for_each(|(joint, jolt)| joint.predict(secs, jolt));
        self.at = at;
        self.walk(secs);
    }

    /// Notes whether they walk forwards. Who walks backwards was given the wrong sides.
    fn walk(&mut self, secs: f64) {
        let of = |point: BodyPoint| &self.joints[point as usize];
        let speed = TRUNK.iter().map(|point| of(*point).velocity().xy()).sum::<Vector2<f64>>() / TRUNK.len() as f64;
        let aside = |left: BodyPoint, right: BodyPoint| vector(of(left).position() - of(right).position()).xy();
        let aside =
            aside(BodyPoint::LeftShoulder, BodyPoint::RightShoulder) + aside(BodyPoint::LeftHip, BodyPoint::RightHip);
        // Seen from above, the front is a quarter turn to the right of the left hand.
        let front = Vector2::new(aside.y, -aside.x);
        let along = speed.dot(&front) / (speed.norm() * front.norm()).max(1e-9);
        if 0.0 < secs && WALK_SPEED_MIN < speed.norm() && ALONG_COSINE_MIN < along.abs() {
            self.forwards += (along.signum() - self.forwards) * (1.0 - (-secs / WALK_SECS).exp());
        }
    }

    /// What it costs to take a detection for this person, and how their sides go together; `None` when it cannot be.
    pub(super) fn cost(&self, eye: &Eye<'_>, detection: &Detection) -> Option<(f64, Sides)> {
        let straight = self.cost_of(eye, detection, false);
        let mirrored = self.cost_of(eye, detection, true);
        match (straight, mirrored) {
            (Some(straight), Some(mirrored)) if mirrored + MIRRORED_COST < straight => {
                Some((mirrored, Sides::Mirrored))
            }
            (Some(straight), Some(mirrored)) if straight + MIRRORED_COST < mirrored => {
                Some((straight, Sides::Straight))
            }
            (Some(straight), _) => Some((straight, Sides::Unclear)),
            (None, mirrored) => mirrored.map(|cost| (cost + MIRRORED_COST, Sides::Mirrored)),
        }
    }

    fn cost_of(&self, eye: &Eye<'_>, detection: &Detection, mirrored: bool) -> Option<f64> {
        let mut costs = [0.0; BodyPoint::COUNT];
        let mut count = 0;
        for (index, joint) in self.joints.iter().enumerate() {
            let Some(point) = usable(detection, side(index, mirrored)) else { continue };
            // A joint that is thought to be where the lens cannot see says nothing against the rest.
            let Some(expected) = joint.expected(eye.camera, eye.clock_secs) else { continue };
            let sigma = keypoint_sigma(detection, point, index);
            let spread = expected.spread + nalgebra::Matrix2::identity() * (sigma * sigma);
            let off = Vector2::new(point.pixel.x, point.pixel.y) - expected.pixel;
            let distance = spread.try_inverse().map_or(COST_MAX, |inverse| (off.transpose() * inverse * off)[0]);
            // The wider the guess, the less a hit means: the log of the spread is part of a Gaussian's likelihood.
            let doubt = (spread.determinant().max(1e-9).sqrt() / (sigma * sigma)).ln().max(0.0) * 0.5;
            costs[count] = distance.min(COST_MAX) + doubt;
            count += 1;
        }
        // The worst are left out: networks put joints that they do not see anywhere.
        let kept = count - count * WRONG_PERCENT / 100;
        costs[..count].sort_by(f64::total_cmp);
        let mean = costs[..kept].iter().sum::<f64>() / kept as f64;
        // Both are twice the logarithm of a likelihood.
        let worth = 2.0 * eye.looks.worth(&self.look, &detection.embedding);
        (KEYPOINTS_MIN <= count && mean < COST_MEAN_MAX).then_some(mean - worth)
    }

    /// How well a box fits around them, as intersection over union; 0 where the camera does not see them.
    pub(super) fn overlap(&self, camera: &Camera, bounds: &PixelBox) -> f64 {
        let pixels = || self.joints.iter().filter_map(|joint| camera.pixel_from_world(joint.position()));
        let range = |of: fn(&Point<Pixel>) -> f64| {
            pixels()
                .map(|pixel| of(&pixel))
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| (least.min(value), most.max(value)))
        };
        let ((left, right), (top, bottom)) = (range(|pixel| pixel.x), range(|pixel| pixel.y));
        if left < right { PixelBox { left, top, right, bottom }.iou(bounds) } else { 0.0 }
    }

    /// Takes a detection in, as [`Person::cost`] says; answers whether its left was taken for the right.
    pub(super) fn update(&mut self, eye: &Eye<'_>, detection: &Detection, sides: Sides) -> bool {
        let mirrored = self.settle(sides);
        for (index, joint) in self.joints.iter_mut().enumerate() {
            let Some(point) = usable(detection, side(index, mirrored)) else { continue };
            let Some(expected) = joint.expected(eye.camera, eye.clock_secs) else { continue };
            let sigma = keypoint_sigma(detection, point, index);
            let seen = Vector2::new(point.pixel.x, point.pixel.y);
            joint.update(&expected, seen, sigma, GATE);
        }
        self.find_again();
        self.stand();
        self.hold_together();
        self.reach(eye, detection, mirrored);
        blend(&mut self.look, &detection.embedding, LOOK_SHARE);
        mirrored
    }

    /// Counts a look for or against the sides that this person was given, turns the person over where most looks or their
    /// walking are against them, and says whether this look is the other way round.
    fn settle(&mut self, sides: Sides) -> bool {
        let is_mirrored = sides == Sides::Mirrored;
        if sides != Sides::Unclear {
            self.mirrored_share += (f64::from(u8::from(is_mirrored)) - self.mirrored_share) * MIRRORED_RATE;
        }
        let looks_wrong = MIRRORED_SHARE_MAX <= self.mirrored_share && self.forwards < FORWARDS_MIN;
        if !looks_wrong && -FORWARDS_MIN < self.forwards {
            return is_mirrored;
        }
        self.turn_over();
        sides == Sides::Straight
    }

    /// Takes left for right.
    fn turn_over(&mut self) {
        self.mirrored_share = 1.0 - self.mirrored_share;
        self.forwards = -self.forwards;
        (1..BodyPoint::COUNT).step_by(2).for_each(|left| self.joints.swap(left, left + 1));
        let place = |(a, b): (BodyPoint, BodyPoint)| (side(a as usize, true), side(b as usize, true));
        let bones = self.bones;
        for (bone, length) in BONES.iter().zip(&mut self.bones) {
            let other =
                BONES.iter().position(|other| (other.ends.0 as usize, other.ends.1 as usize) == place(bone.ends));
            *length = other.map_or(*length, |other| bones[other]);
        }
        self.wrist_looks.swap(0, 1);
        // They were of the other sides.
        self.views.clear();
    }

    /// Notes what a camera sees of them at an instant of its own clock.
    pub(super) fn note_view(&mut self, eye: &Eye<'_>, at: ShopTime, detection: &Detection, mirrored: bool) {
        let [across, down] = eye.camera.lens().focal_pixels;
        let focal_pixels = f64::midpoint(across, down);
        let ray = |index: usize| {
            let point = usable(detection, side(index, mirrored))?;
            let radians = keypoint_sigma(detection, point, index) / focal_pixels;
            Some(Ray { way: vector(eye.camera.ray_from_pixel(point.pixel)?), radians })
        };
        self.views.entry(eye.number).or_default().push(Glimpse { at, rays: std::array::from_fn(ray) });
        self.looked.insert(eye.number, self.at);
        self.seen = self.at;
    }

    /// Wrists that no other camera sees end where shelves are.
    fn reach(&mut self, eye: &Eye<'_>, detection: &Detection, mirrored: bool) {
        let trunk = self.trunk().0;
        let near: Vec<&Front> = eye.fronts.iter().filter(|front| front.is_near(trunk)).collect();
        for (wrist, look) in WRISTS.into_iter().zip(&mut self.wrist_looks) {
            if usable(detection, side(wrist as usize, mirrored)).is_none() {
                continue;
            }
            if let Some((_, at)) = look.last.filter(|(last, _)| *last != eye.number) {
                look.other = Some(at);
            }
            look.last = Some((eye.number, self.at));
            if look.other.is_some_and(|other| self.at - other < ALONE_SPAN_MIN) {
                continue;
            }
            let joint = &mut self.joints[wrist as usize];
            let holds = near.iter().filter_map(|front| front.hold(trunk, joint.position()));
            let Some(hold) = holds.min_by(|one, other| one.off_metres.abs().total_cmp(&other.off_metres.abs())) else {
                continue;
            };
            let doubt = (hold.way.transpose() * joint.position_covariance() * hold.way)[0];
            joint.nudge(hold.way, hold.off_metres, doubt + REPEATED * hold.variance);
        }
    }

    /// Goes on under the name of somebody who was lost, with what was learnt of them.
    pub(super) fn take_over(&mut self, lost: &Person) {
        self.track = lost.track;
        self.bones = lost.bones;
        self.begun = lost.begun;
        blend(&mut self.look, &lost.look, 1.0 - LOOK_SHARE);
    }

    /// Whether two cameras saw them just before.
    pub(super) fn is_compared(&self) -> bool {
        1 < self.looked.values().filter(|at| self.at - **at < COMPARED_SPAN_MAX).count()
    }

    /// The same person, perhaps somewhere else nearby, as they were placed by too little.
    pub(super) fn loosened(&self) -> Person {
        let mut person = self.clone();
        person.joints.iter_mut().for_each(|joint| joint.loosen(LOOSE_METRES));
        person
    }

    /// People mostly stand: joints whose heights say so, one camera can place.
    fn stand(&mut self) {
        if self.is_compared() {
            return;
        }
        for point in STANDING {
            let ((height, sigma), joint) = (HEIGHTS[point as usize], &mut self.joints[point as usize]);
            let total = joint.position_covariance()[(2, 2)] + REPEATED * sigma * sigma;
            joint.nudge(Vector3::z(), height - joint.position().z, total);
        }
    }

    /// A joint that nobody has seen for long may be anywhere its bone lets it: it hangs from the joint above again.
    fn find_again(&mut self) {
        for bone in BONES.iter().filter(|bone| bone.hangs) {
            let (above, below) = (bone.ends.0 as usize, bone.ends.1 as usize);
            if LOST_METRES < self.joints[below].sigma_metres() {
                let length = bone.metres.0;
                let position = self.joints[above].position() - Point::new(0.0, 0.0, length);
                let spread = self.joints[above].position_covariance() + Matrix3::identity() * (length * length);
                self.joints[below] = JointFilter::new(position, spread, 1.0);
            }
        }
    }

    /// Draws joints to where bones of their lengths let them be, and learns the lengths where both ends are known well.
    fn hold_together(&mut self) {
        let compared = self.is_compared();
        for (number, bone) in BONES.iter().enumerate() {
            let (a, b) = (bone.ends.0 as usize, bone.ends.1 as usize);
            let way = vector(self.joints[b].position() - self.joints[a].position());
            let length = way.norm();
            if length < 1e-3 {
                continue;
            }
            let way = way / length;
            let doubt = [a, b].map(|end| (way.transpose() * self.joints[end].position_covariance() * way)[0]);
            let (mean, sigma) = self.bones[number];
            let off = mean - length;
            let total = doubt[0] + doubt[1] + REPEATED * sigma * sigma + BONE_METRES * BONE_METRES;
            self.joints[b].nudge(way, off, total);
            self.joints[a].nudge(-way, off, total);
            // One camera alone cannot tell somebody small from somebody far away.
            if !compared {
                continue;
            }
            let share = sigma * sigma / total;
            let sharper = (sigma * sigma * (1.0 - share)).sqrt().max(BONE_METRES / 2.0);
            self.bones[number] = (mean - off * share, sharper);
        }
    }

    /// Middle of shoulders and hips, and its deviation, metres.
    pub(super) fn trunk(&self) -> (Point<World>, f64) {
        let sum =
            TRUNK.iter().fold(Point::new(0.0, 0.0, 0.0), |sum, part| sum + self.joints[*part as usize].position());
        let sigma = TRUNK.iter().map(|part| self.joints[*part as usize].sigma_metres()).fold(0.0, f64::max);
        (sum * 0.25, sigma)
    }

    /// Where the person stands: below the hips.
    pub(super) fn floor(&self) -> Point<Floor> {
        let hips = [BodyPoint::LeftHip, BodyPoint::RightHip].map(|hip| self.joints[hip as usize].position());
        hips[0].lerp(hips[1], 0.5).floor()
    }

    /// A joint and its deviation, metres.
    pub(super) fn joint(&self, point: BodyPoint) -> (Point<World>, f64) {
        let joint = &self.joints[point as usize];
        (joint.position(), joint.sigma_metres())
    }

    /// The joints as the rest of the engine knows them; a joint that is hardly known is left out.
    pub(super) fn told(&self) -> Joints {
        let between = |a: BodyPoint, b: BodyPoint| {
            let (a, b) = (self.joint(a), self.joint(b));
            (a.0.lerp(b.0, 0.5), a.1.max(b.1))
        };
        let neck = between(BodyPoint::LeftShoulder, BodyPoint::RightShoulder);
        let mut joints = Joints::default();
        for (kind, (position, sigma)) in [
            (JointKind::Head, between(BodyPoint::LeftEar, BodyPoint::RightEar)),
            (JointKind::Neck, (neck.0 + Point::new(0.0, 0.0, NECK_METRES), neck.1)),
            (JointKind::LeftShoulder, self.joint(BodyPoint::LeftShoulder)),
            (JointKind::RightShoulder, self.joint(BodyPoint::RightShoulder)),
            (JointKind::LeftElbow, self.joint(BodyPoint::LeftElbow)),
            (JointKind::RightElbow, self.joint(BodyPoint::RightElbow)),
            (JointKind::LeftWrist, self.joint(BodyPoint::LeftWrist)),
            (JointKind::RightWrist, self.joint(BodyPoint::RightWrist)),
        ] {
            let known = position.is_finite() && sigma < TOLD_METRES_MAX;
            let score = (1.0 - sigma / TOLD_METRES_MAX).clamp(0.0, 1.0);
            *joints.slot(kind) = known.then_some(Joint { position, score });
        }
        joints
    }
}

/// The number of the joint on the other side; those in the middle have none.
fn side(index: usize, mirrored: bool) -> usize {
    match index {
        1.. if mirrored => ((index - 1) ^ 1) + 1,
        _ => index,
    }
}

/// The keypoint of this number, if the network is sure enough of it.
fn usable(detection: &Detection, index: usize) -> Option<&Keypoint> {
    detection.keypoints.get(index).filter(|point| KEYPOINT_SCORE_MIN <= point.score && point.pixel.is_finite())
}

fn keypoint_sigma(detection: &Detection, point: &Keypoint, index: usize) -> f64 {
    let size = (detection.bounds.area() * AREA_SHARE).max(1.0).sqrt();
    (KEYPOINT_SIGMAS[index] * size / point.score.max(KEYPOINT_SCORE_MIN)).max(KEYPOINT_PIXELS_MIN)
}

/// Where somebody stands as far as one camera can say: every joint at its usual height gives a point of the floor; flat
/// rays and joints of uncertain height count less.
fn place(camera: &Camera, detection: &Detection) -> Option<Point<Floor>> {
    let (mut sum, mut weights, mut count) = (Point::<Floor>::new(0.0, 0.0, 0.0), 0.0, 0);
    for (index, (height, sigma)) in HEIGHTS.into_iter().enumerate() {
        let Some(point) = usable(detection, index) else { continue };
        let Some((at, above)) =
            camera.world_at_height(point.pixel, height).zip(camera.world_at_height(point.pixel, height + 0.01))
        else {
            continue;
        };
        let per_metre = at.floor().distance(above.floor()) / 0.01;
        let weight = 1.0 / (ASIDE[index].powi(2) + (per_metre * sigma).powi(2));
        sum = sum + at.floor() * weight;
        weights += weight;
        count += 1;
    }
    (KEYPOINTS_MIN <= count).then(|| sum * (1.0 / weights))
}

/// The point of a ray that is likeliest to be a joint of somebody who stands at `floor`.
fn along_ray(eye: Point<World>, ray: Point<World>, floor: Point<Floor>, index: usize) -> Point<World> {
    let ((height, sigma), aside) = (HEIGHTS[index], ASIDE[index]);
    let (flat, steep) = (1.0 / (aside * aside), 1.0 / (sigma * sigma));
    let (dx, dy, dz) = (floor.x - eye.x, floor.y - eye.y, height - eye.z);
    let toward = flat * (ray.x * dx + ray.y * dy) + steep * ray.z * dz;
    let curve = flat * (ray.x * ray.x + ray.y * ray.y) + steep * ray.z * ray.z;
    let along = (toward / curve.max(1e-9)).max(0.1);
    eye + ray * along
}

fn vector(point: Point<World>) -> Vector3<f64> {
    Vector3::new(point.x, point.y, point.z)
}
