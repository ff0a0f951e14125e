//! Hands: a palm, four fingers that close, a thumb.

use glam::Vec3;

use super::bones::Bones;
use super::look::{Look, PLAIN};
use super::mesh::{Mesh, Pose, Ring};
use crate::facts::BodyPoint;

/// Where each finger begins across the palm and how long it is, from the thumb's side, metres at average height.
const FINGERS: [(f32, f32); 4] = [(0.029, 0.07), (0.010, 0.078), (-0.009, 0.073), (-0.027, 0.057)];
/// From the middle of the palm to its front and half its thickness, metres.
const PALM_METRES: (f32, f32) = (0.042, 0.014);
/// Thickness of a finger at its root and its tip, as radius, metres.
const FINGER_METRES: (f32, f32) = (0.0088, 0.0068);
/// The parts of a finger, as shares of it.
const PHALANGES: [f32; 3] = [0.45, 0.3, 0.25];

pub(super) fn hand(mesh: &mut Mesh, bones: &Bones, look: &Look, side: usize) {
    let hand = &bones.figure.hands[side];
    let palm = Pose::of(&hand.palm);
    let s = bones.scale;
    let wrist = bones.pair(BodyPoint::LeftWrist, BodyPoint::RightWrist)[side];
    let grip = hand.grip.clamp(0.0, 1.0) as f32;
    // Seen on its back with the fingers ahead, a left hand has its thumb on the right.
    let inward = if side == 0 { 1.0 } else { -1.0 };
    let tint = look.skin;
    let (front, thick) = (PALM_METRES.0 * s, PALM_METRES.1 * s);
    let across = |at: Vec3, way: Vec3, wide: f32, deep: f32, tint: Vec3| {
        Ring::oval(Pose::along(at, way, palm.up), [wide * s, deep * s, deep * s], 0.5, tint)
    };
    let heel = palm.point(0.0, -front * 0.75, 0.0);
    let rings = [
        across(wrist, heel - wrist, 0.027, 0.022, tint),
        across(heel, palm.forward, 0.034, 0.017, tint),
        across(palm.at, palm.forward, 0.041, 0.0155, tint),
        across(palm.point(0.0, front * 0.8, 0.0), palm.forward, 0.041, 0.013, tint),
        across(palm.point(0.0, front * 1.05, 0.0), palm.forward, 0.036, 0.009, tint),
    ];
    mesh.loft(&rings, 10, [true, true], PLAIN);
    let tip = tint * Vec3::new(1.0, 0.93, 0.92);
    for (index, (place, length)) in FINGERS.into_iter().enumerate() {
        let root = palm.point(place * inward * s, front * 0.92, -thick * 0.1);
        let spread = palm.right * (place * inward * 1.6 * (1.0 - grip));
        let curl = 0.16 + grip * 1.25 + index as f32 * 0.05;
        finger(mesh, root, (palm.forward + spread, -palm.up), length * s, curl, s, [tint, tip]);
    }
    let root = palm.point(inward * 0.03 * s, -front * 0.35, -thick * 0.2);
    let out = palm.right * inward * (0.75 - 0.45 * grip) + palm.forward * 0.75 - palm.up * (0.25 + 0.55 * grip);
    let bend = -palm.right * inward * 0.8 - palm.up * 0.4;
    finger(mesh, root, (out, bend), 0.062 * s, 0.1 + grip * 0.45, s * 1.2, [tint, tip]);
}

/// A finger from its root ahead, each of its parts bent farther towards `inwards` by an angle.
fn finger(mesh: &mut Mesh, root: Vec3, ways: (Vec3, Vec3), length: f32, curl: f32, scale: f32, tints: [Vec3; 2]) {
    let ahead = ways.0.normalize_or(Vec3::X);
    let inwards = (ways.1 - ahead * ways.1.dot(ahead)).normalize_or(Vec3::NEG_Z);
    let (mut at, mut angle) = (root, curl * 0.55);
    let thickness = |share: f32| (FINGER_METRES.0 + (FINGER_METRES.1 - FINGER_METRES.0) * share) * scale;
    let mut rings = vec![Ring::round(Pose::along(at, ahead, inwards), thickness(0.0), 0.5, tints[0])];
    let mut share = 0.0;
    for part in PHALANGES {
        let way = ahead * angle.cos() + inwards * angle.sin();
        at += way * length * part;
        share += part;
        let tint = tints[0].lerp(tints[1], share);
        rings.push(Ring::round(Pose::along(at, way, inwards.cross(ahead)), thickness(share), 0.5, tint));
        angle += curl;
    }
    if let Some(last) = rings.last().copied() {
        let pose = last.pose.moved(0.0, 0.0, thickness(1.0) * 0.8);
        rings.push(Ring { pose, half: last.half.map(|half| half * 0.45), ..last });
    }
    // Every ring turns about the same sideways axis, so that the skin does not twist.
    let sideways = inwards.cross(ahead);
    for ring in &mut rings {
        ring.pose = Pose::along(ring.pose.at, ring.pose.up, sideways);
    }
    mesh.loft(&rings, 6, [false, true], PLAIN);
}
