//! The whole body from what a trunk, arms and feet do: hips that give way for a bow or a crouch, legs of two bones,
//! the head with its eyes, hands that turn to what they grasp.
//! Takes stances, footsteps and gazes; gives figures. It never moves the joints that a stance has fixed.
//!
//! Lengths are shares of the standing height (Drillis and Contini 1966, as in Winter 2009): hip 0.530, knee 0.285,
//! ankle 0.039 above the floor, foot 0.152 long, hand 0.108 long.

use super::body::Stance;
use super::feet::Footing;
use crate::facts::BodyPoint;
use crate::geometry::{Point, World};
use crate::sim::figure::{Axes, Figure, Foot, Hand};
use crate::sim::vector::{UP, across, cross, dot, in_axes, looking, standing, unit};

const THIGH: f64 = 0.245;
const SHANK: f64 = 0.246;
const ANKLE: f64 = 0.039;
/// From between the hips to between the shoulders, and on to the base of the neck.
const TRUNK: f64 = 0.28;
const NECK: f64 = 0.035;
/// From the middle to a hip.
const HIP: f64 = 0.055;
/// Of the foot, from below the ankle: back to the heel, on to the ball, on to the tip of the shoe.
const HEEL: f64 = 0.043;
const BALL: f64 = 0.068;
const TOE: f64 = 0.118;
/// From the wrist to the middle of the palm.
const PALM: f64 = 0.05;
/// Legs are never quite straight: part of their length that they reach.
const LEG_REACH: f64 = 0.998;
/// How much a trunk stretches for legs that are too short, as a share of its length.
const STRETCH: f64 = 0.028;
/// How far a heel rises before the foot leaves the floor, radians.
const PEEL_MAX: f64 = 1.1;
/// Whither the hips go under a leaning trunk: height of the point that trunks turn about, as a share of the height;
/// how far it goes back for each metre that the shoulders go forward.
const SEAT: (f64, f64) = (0.2, 0.35);
/// How far that point goes back for each metre that the shoulders come down.
const CROUCH: f64 = 0.45;
/// Below this height of a hip, as a share of the height, knees come up before the body.
const SQUAT: f64 = 0.3;

/// What else a figure is made of.
pub(super) struct Limbs {
    pub(super) actor: usize,
    pub(super) height: f64,
    pub(super) feet: [Footing; 2],
    /// Left and up, radians.
    pub(super) gaze: (f64, f64),
    pub(super) grips: [f64; 2],
}

/// The figure of a stance.
pub(super) fn figure(stance: &Stance, limbs: &Limbs) -> Figure {
    let height = limbs.height;
    let [head, _, left, right, ..] = stance.pose;
    let girdle = left.lerp(right, 0.5);
    let aside = unit(right - left, Point::new(1.0, 0.0, 0.0));
    let seat = seat(stance, limbs, girdle);
    let pelvis = settle(girdle, seat, limbs, aside);
    let spine = unit(girdle - pelvis, UP);
    let neck = girdle + spine * (NECK * height);
    let chest = standing(neck.lerp(pelvis, 0.5), spine, cross(UP, aside));
    let head = head_axes(stance, limbs, head);
    let mut joints = [girdle; BodyPoint::COUNT];
    let scale = height / 1.72;
    let mut put = |point: BodyPoint, place: Point<World>| joints[point as usize] = place;
    put(BodyPoint::Nose, in_axes(&head, 0.0, 0.11 * scale, -0.02 * scale));
    for (side, [eye, ear]) in
        [(-1.0, [BodyPoint::LeftEye, BodyPoint::LeftEar]), (1.0, [BodyPoint::RightEye, BodyPoint::RightEar])]
    {
        put(eye, in_axes(&head, side * 0.032 * scale, 0.085 * scale, 0.015 * scale));
        put(ear, in_axes(&head, side * 0.076 * scale, -0.005 * scale, -0.005 * scale));
    }
    for (first, point) in [BodyPoint::LeftShoulder, BodyPoint::RightShoulder].into_iter().enumerate() {
        put(point, stance.pose[2 + first]);
    }
    for (first, point) in [BodyPoint::LeftElbow, BodyPoint::RightElbow].into_iter().enumerate() {
        put(point, stance.pose[4 + first]);
    }
    for (first, point) in [BodyPoint::LeftWrist, BodyPoint::RightWrist].into_iter().enumerate() {
        put(point, stance.pose[6 + first]);
    }
    let mut feet = [Foot { toe: pelvis, heel: pelvis }; 2];
    let names = [
        [BodyPoint::LeftHip, BodyPoint::LeftKnee, BodyPoint::LeftAnkle],
        [BodyPoint::RightHip, BodyPoint::RightKnee, BodyPoint::RightAnkle],
    ];
    for (index, names) in names.into_iter().enumerate() {
        let leg = leg(hip(pelvis, aside, index, height), &limbs.feet[index], cross(UP, aside), height);
        names.into_iter().zip(leg.joints).for_each(|(name, place)| put(name, place));
        feet[index] = leg.foot;
    }
    let hands = [0, 1].map(|hand| hand_of(stance, limbs, hand, aside));
    Figure { actor: limbs.actor, height, joints, neck, pelvis, head, chest, hands, feet, carrier: None }
}

/// The point that the trunk hangs its hips towards: between the feet, behind them for shoulders that lean ahead; under
/// the shoulders of somebody who walks.
fn seat(stance: &Stance, limbs: &Limbs, girdle: Point<World>) -> Point<World> {
    let middle = limbs.feet[0].floor.lerp(limbs.feet[1].floor, 0.5);
    let lean = stance.lean;
    let back = stance.frame.way(0.0, lean.z.min(0.0) * CROUCH, 0.0);
    let stood = Point::new(middle.x - SEAT.1 * lean.x + back.x, middle.y - SEAT.1 * lean.y + back.y, 0.0);
    let walked = Point::new(girdle.x, girdle.y, 0.0);
    // Whoever is pushed along while they crouch keeps their hips behind their feet.
    let upright = (1.0 + lean.z / 0.25).clamp(0.0, 1.0);
    let walks = (stance.trunk.gait * 1.5).clamp(0.0, 1.0) * upright;
    stood.lerp(walked, walks) + UP * (SEAT.0 * limbs.height)
}

/// The pelvis on its sphere about the shoulders, as low as both legs need.
fn settle(girdle: Point<World>, seat: Point<World>, limbs: &Limbs, aside: Point<World>) -> Point<World> {
    let length = TRUNK * limbs.height;
    let reach = (THIGH + SHANK) * limbs.height * LEG_REACH;
    let mut pelvis = girdle + unit(seat - girdle, UP * -1.0) * length;
    for index in [0, 1, 0, 1] {
        let way = hip(pelvis, aside, index, limbs.height);
        let ankle = rise(&limbs.feet[index], PEEL_MAX * 0.5, limbs.height).joints[2];
        let short = (way - ankle).norm() - reach;
        if 0.0 < short {
            pelvis = pelvis + unit(ankle - way, UP * -1.0) * short;
        }
    }
    let way = pelvis - girdle;
    let far = way.norm();
    girdle + way * (far.clamp(length * (1.0 - STRETCH), length * (1.0 + STRETCH)) / far.max(1e-6))
}

fn hip(pelvis: Point<World>, aside: Point<World>, index: usize, height: f64) -> Point<World> {
    pelvis + aside * (if index == 0 { -HIP } else { HIP } * height)
}

/// Hip, knee, ankle and foot.
struct Leg {
    joints: [Point<World>; 3],
    foot: Foot,
}

/// A leg from hip to floor: the heel rises as far as the leg is short.
fn leg(hip: Point<World>, footing: &Footing, ahead: Point<World>, height: f64) -> Leg {
    let bones = (THIGH * height, SHANK * height);
    let reach = (bones.0 + bones.1) * LEG_REACH;
    let far = |peel: f64| rise(footing, peel, height).joints[2].distance(hip);
    let (mut low, mut high) = (footing.peel, PEEL_MAX.max(footing.peel));
    if reach < far(low) {
        for _ in 0..30 {
            let middle = (low + high) / 2.0;
            if far(middle) <= reach { high = middle } else { low = middle }
        }
        low = high;
    }
    let mut leg = rise(footing, low, height);
    let way = leg.joints[2] - hip;
    if reach < way.norm() {
        // Farther than toes bring it: the foot goes with the leg.
        let short = way * (reach / way.norm() - 1.0);
        leg.joints[2] = leg.joints[2] + short;
        leg.foot = Foot { toe: above(leg.foot.toe + short), heel: above(leg.foot.heel + short) };
    }
    let (sin, cos) = footing.heading.sin_cos();
    let squat = ((SQUAT * height - hip.z) / (0.15 * height)).clamp(0.0, 1.0);
    let pole = ahead + Point::new(cos, sin, 1.5 * squat);
    leg.joints = [hip, bend(hip, leg.joints[2], bones, pole), leg.joints[2]];
    leg
}

fn above(point: Point<World>) -> Point<World> {
    Point::new(point.x, point.y, point.z.max(0.0))
}

/// A foot whose heel is up by an angle, standing on its ball: the ankle is the last of the joints.
fn rise(footing: &Footing, peel: f64, height: f64) -> Leg {
    let (sin, cos) = footing.heading.sin_cos();
    let ahead = Point::<World>::new(cos, sin, 0.0);
    let floor = Point::<World>::new(footing.floor.x, footing.floor.y, footing.lift);
    let ball = floor + ahead * (BALL * height);
    let (lift, stay) = peel.sin_cos();
    let turned = |back: f64, up: f64| {
        ball + ahead * ((up * lift - back * stay) * height) + UP * ((back * lift + up * stay) * height)
    };
    let ankle = turned(BALL, ANKLE);
    let heel = turned(BALL + HEEL, 0.0);
    Leg { joints: [ankle; 3], foot: Foot { toe: floor + ahead * (TOE * height), heel } }
}

/// The joint between two bones, bent towards a pole.
fn bend(from: Point<World>, to: Point<World>, bones: (f64, f64), pole: Point<World>) -> Point<World> {
    let way = to - from;
    let length = way.norm().max(0.05);
    let along = ((bones.0 * bones.0 - bones.1 * bones.1 + length * length) / (2.0 * length)).clamp(-bones.0, bones.0);
    let out = (bones.0 * bones.0 - along * along).max(0.0).sqrt();
    let axis = way * (1.0 / length);
    from + axis * along + across(pole, axis, UP) * out
}

fn head_axes(stance: &Stance, limbs: &Limbs, origin: Point<World>) -> Axes {
    let (left, up) = limbs.gaze;
    let (sin, cos) = left.sin_cos();
    let (rise, level) = up.sin_cos();
    looking(origin, stance.frame.way(-sin * level, cos * level, rise), UP)
}

/// The hand at the end of a forearm: its back looks out and, reaching, up.
fn hand_of(stance: &Stance, limbs: &Limbs, hand: usize, aside: Point<World>) -> Hand {
    let (elbow, wrist) = (stance.pose[4 + hand], stance.pose[6 + hand]);
    let along = unit(wrist - elbow, UP * -1.0);
    // A hand that reaches ahead goes on level rather than along a steep forearm.
    let ahead = dot(along, stance.frame.way(0.0, 1.0, 0.0)).max(0.0);
    let level = across(along, UP, along);
    let forward = unit(along * (1.0 - 0.6 * ahead) + level * (0.6 * ahead), along);
    let out = aside * if hand == 0 { -1.0 } else { 1.0 };
    let back = across(out + UP * (0.5 * ahead), forward, UP);
    let palm = looking(wrist + forward * (PALM * limbs.height), forward, back);
    Hand { palm, grip: limbs.grips[hand] }
}
