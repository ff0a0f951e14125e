//! Trunk, arms, legs and feet around the joints of a figure, and the clothes on them.

use glam::Vec3;

use super::bones::Bones;
use super::hand::hand;
use super::head::head;
use super::lens::vec3;
use super::look::{BOTTOM, Bottom, Hair, Look, PLAIN, SLEEVE, TOP, Top};
use super::mesh::{Mesh, Pose, Ring};
use crate::facts::BodyPoint;
use crate::sim::figure::Figure;

const TRUNK_SIDES: usize = 20;
const LIMB_SIDES: usize = 10;

/// Builds a dressed body.
pub(super) fn body(mesh: &mut Mesh, figure: &Figure, look: &Look) {
    let bones = Bones::of(figure);
    trunk(mesh, &bones, look);
    neck(mesh, &bones, look);
    head(mesh, &bones, look);
    for side in [0, 1] {
        arm(mesh, &bones, look, side);
        leg(mesh, &bones, look, side);
        foot(mesh, &bones, look, side);
        hand(mesh, &bones, look, side);
    }
    if matches!(look.bottom, Bottom::Skirt | Bottom::LongSkirt) || look.top == Top::Dress {
        skirt(mesh, &bones, look);
    }
}

/// The frame of the trunk from hips to shoulders.
struct Spine {
    pelvis: Vec3,
    shoulders: Vec3,
    neck: Vec3,
    forward: [Vec3; 2],
    half_shoulders: f32,
    half_hips: f32,
}

impl Spine {
    fn of(bones: &Bones) -> Self {
        let hips = bones.pair(BodyPoint::LeftHip, BodyPoint::RightHip);
        let shoulders = bones.pair(BodyPoint::LeftShoulder, BodyPoint::RightShoulder);
        let pelvis = vec3(bones.figure.pelvis);
        let middle = (shoulders[0] + shoulders[1]) * 0.5;
        let up = (middle - pelvis).normalize_or(Vec3::Z);
        let chest = vec3(bones.figure.chest.forward);
        let ahead = up.cross(hips[1] - hips[0]).normalize_or(chest);
        Spine {
            pelvis,
            shoulders: middle,
            neck: vec3(bones.figure.neck),
            forward: [ahead, chest],
            half_shoulders: shoulders[0].distance(shoulders[1]) / 2.0,
            half_hips: hips[0].distance(hips[1]) / 2.0,
        }
    }

    /// The pose at a share of the way from the hips (0) to between the shoulders (1).
    fn at(&self, share: f32) -> Pose {
        let up = self.shoulders - self.pelvis;
        let forward = self.forward[0].lerp(self.forward[1], share.clamp(0.0, 1.0));
        Pose::along(self.pelvis + up * share, up, forward)
    }
}

/// From the crotch to the base of the neck.
fn trunk(mesh: &mut Mesh, bones: &Bones, look: &Look) {
    let (spine, s, build) = (Spine::of(bones), bones.scale, &look.build);
    let loose = s * match look.top {
        Top::TShirt | Top::Dress => 0.006,
        Top::LongSleeve => 0.004,
        Top::Jacket => 0.014,
        Top::Hoodie => 0.017,
    };
    let g = build.girth;
    let hips = hip_width(&spine, s, look);
    let rows = [
        // Share of the way up, half width, forward, back, place on the cloth, shade.
        (-0.16, 0.62 * hips, 0.07 * s * g, 0.08 * s * g, 1.0, 0.6),
        (-0.1, 0.92 * hips, 0.092 * s * g, 0.115 * s * g, 0.95, 0.8),
        (0.0, hips, 0.1 * s * g, 0.122 * s * g * build.hips, 0.86, 0.95),
        (0.12, 0.96 * hips, 0.104 * s * g * build.belly, 0.112 * s * g, 0.76, 1.0),
        (0.3, 0.134 * s * g * build.belly.sqrt(), 0.108 * s * g * build.belly, 0.088 * s * g, 0.62, 1.0),
        (0.48, 0.138 * s * g, 0.106 * s * g * build.belly.sqrt(), 0.092 * s * g, 0.48, 1.0),
        (0.66, 0.152 * s * g.sqrt() * build.shoulders, 0.112 * s * g * build.bust, 0.104 * s * g, 0.34, 1.0),
        (0.8, 0.86 * spine.half_shoulders, 0.112 * s * g * build.bust, 0.108 * s * g, 0.22, 1.0),
        (0.92, 0.98 * spine.half_shoulders, 0.09 * s * g, 0.1 * s * g, 0.12, 1.0),
        (1.0, 1.02 * spine.half_shoulders, 0.068 * s * g, 0.08 * s * g, 0.08, 1.0),
    ];
    // Cloth of the upper body ends at the hips; below it are the trousers.
    let hem = match look.top {
        Top::Jacket | Top::Hoodie => -0.15,
        Top::TShirt | Top::LongSleeve | Top::Dress => -0.11,
    };
    let ring = |(share, width, front, back, v, shade): (f32, f32, f32, f32, f32, f32), more: f32| Ring {
        pose: spine.at(share),
        half: [width + more, front + more, back + more],
        power: 2.3,
        v,
        tint: Vec3::splat(shade),
    };
    let trousers: Vec<Ring> = rows[..5].iter().map(|row| ring(*row, 0.002)).collect();
    mesh.loft(&trousers, TRUNK_SIDES, [true, true], BOTTOM);
    let mut shirt: Vec<Ring> = Vec::new();
    let first = rows.iter().position(|row| hem + 0.05 < row.0).unwrap_or(0);
    let hem_row = (hem, hips * 1.03, 0.11 * s * g * build.belly.sqrt(), 0.126 * s * g * build.hips, 0.98, 0.85);
    shirt.push(ring(hem_row, loose + 0.012 * s));
    shirt.extend(rows[first..].iter().map(|row| ring(*row, loose + 0.004 * s)));
    // The slope from the shoulders to the neck.
    let (d, up) = (spine.half_shoulders, spine.neck - spine.shoulders);
    let slope = |share: f32, width: f32, front: f32, back: f32, v: f32| {
        let pose = Pose::along(spine.shoulders + up * share, up, spine.forward[1]);
        Ring { pose, half: [width + loose, front + loose, back + loose], power: 2.0, v, tint: Vec3::ONE }
    };
    shirt.push(slope(0.4, 1.0 * d, 0.06 * s, 0.068 * s, 0.06));
    shirt.push(slope(0.7, 0.8 * d, 0.056 * s, 0.064 * s, 0.04));
    shirt.push(slope(0.9, 0.5 * d, 0.055 * s, 0.064 * s, 0.02));
    shirt.push(slope(1.05, 0.062 * s * g.sqrt(), 0.05 * s, 0.062 * s, 0.0));
    mesh.loft(&shirt, TRUNK_SIDES, [false, true], TOP);
    if look.top == Top::Hoodie && look.hair != Hair::Hood {
        let nape = Pose::along(spine.neck, up, spine.forward[1]);
        mesh.egg(
            nape.moved(0.0, -0.075 * s, -0.005 * s),
            [0.1 * s, 0.05 * s, 0.05 * s, 0.055 * s],
            6,
            12,
            Vec3::splat(0.9),
            SLEEVE,
        );
    }
}

fn neck(mesh: &mut Mesh, bones: &Bones, look: &Look) {
    let s = bones.scale;
    let skull = Pose::of(&bones.figure.head);
    let base = vec3(bones.figure.neck);
    let top = skull.point(0.0, -0.018 * s, -0.06 * s);
    let thick = 0.054 * s * look.build.girth.sqrt() * look.build.jaw.sqrt();
    let ring = |share: f32, radius: f32, shade: f32| {
        let pose = Pose::along(base.lerp(top, share), top - base, skull.forward);
        Ring::round(pose, radius, 0.5, look.skin * shade)
    };
    let rings =
        [ring(-0.3, thick * 1.15, 0.8), ring(0.15, thick, 0.85), ring(0.6, thick * 0.95, 0.7), ring(1.0, thick, 0.6)];
    mesh.loft(&rings, 12, [false, false], PLAIN);
}

/// Half the width of the hips.
fn hip_width(spine: &Spine, scale: f32, look: &Look) -> f32 {
    (spine.half_hips * 1.3).max(0.14 * scale) * look.build.hips * look.build.girth.sqrt()
}

/// A cross-section of a limb: between which of its three joints, how far, and how thick.
struct Section {
    bone: usize,
    share: f32,
    radius: f32,
}

/// A tube through joints, bent at the middle one; `hint` is ahead of it where it begins.
fn limb(mesh: &mut Mesh, joints: [Vec3; 3], hint: Vec3, sections: &[Section], tint: Vec3, paint: u16) {
    let ways = [(joints[1] - joints[0]).normalize_or(Vec3::NEG_Z), (joints[2] - joints[1]).normalize_or(Vec3::NEG_Z)];
    let length = [joints[0].distance(joints[1]), joints[1].distance(joints[2])];
    let mut along = 0.0;
    let mut before: Option<Pose> = None;
    let rings: Vec<Ring> = sections
        .iter()
        .map(|section| {
            let at = joints[section.bone] + ways[section.bone] * length[section.bone] * section.share;
            // Near the middle joint a section stands across both bones.
            let near = match section.bone {
                0 => (section.share - 0.75).max(0.0) * 2.0,
                _ => 1.0 - (0.25 - section.share).max(0.0) * 2.0,
            };
            let way = ways[0].lerp(ways[1], near.clamp(0.0, 1.0)).normalize_or(ways[section.bone]);
            along += before.map_or(0.0, |before| before.at.distance(at));
            // Each section is turned as the one before it, so that the skin is not wrung where a limb points ahead.
            let pose = Pose::along(at, way, before.map_or(hint, |before| before.forward));
            before = Some(pose);
            Ring::round(pose, section.radius, along * 2.0, tint)
        })
        .collect();
    mesh.loft(&rings, LIMB_SIDES, [true, true], paint);
}

fn section(bone: usize, share: f32, radius: f32) -> Section {
    Section { bone, share, radius }
}

fn arm(mesh: &mut Mesh, bones: &Bones, look: &Look, side: usize) {
    use BodyPoint::{LeftElbow, LeftShoulder, LeftWrist, RightElbow, RightShoulder, RightWrist};
    let joints = [(LeftShoulder, RightShoulder), (LeftElbow, RightElbow), (LeftWrist, RightWrist)]
        .map(|(left, right)| bones.pair(left, right)[side]);
    let (s, g) = (bones.scale, look.build.girth);
    let r = s * g;
    let hint = vec3(bones.figure.chest.forward);
    let skin = [
        section(0, -0.1, 0.03 * r),
        section(0, 0.0, 0.047 * r),
        section(0, 0.4, 0.045 * r),
        section(0, 0.85, 0.038 * r),
        section(1, 0.0, 0.038 * r),
        section(1, 0.22, 0.041 * r),
        section(1, 0.6, 0.034 * r),
        section(1, 0.95, 0.026 * s),
        section(1, 1.05, 0.024 * s),
    ];
    limb(mesh, joints, hint, &skin, look.skin, PLAIN);
    let (loose, long) = match look.top {
        Top::TShirt | Top::Dress => (0.008 * s, false),
        Top::LongSleeve => (0.005 * s, true),
        Top::Jacket => (0.012 * s, true),
        Top::Hoodie => (0.015 * s, true),
    };
    let mut sleeve = vec![
        section(0, -0.13, 0.018 * r),
        section(0, -0.1, 0.036 * r + loose * 0.5),
        section(0, -0.03, 0.049 * r + loose * 0.6),
        section(0, 0.12, 0.052 * r + loose * 0.8),
        section(0, 0.3, 0.05 * r + loose),
        section(0, 0.55, 0.046 * r + loose * 1.3),
    ];
    if long {
        sleeve.extend([
            section(0, 0.85, 0.04 * r + loose),
            section(1, 0.0, 0.04 * r + loose),
            section(1, 0.25, 0.042 * r + loose),
            section(1, 0.6, 0.035 * r + loose),
            section(1, 0.9, 0.028 * s + loose * 0.9),
            section(1, 0.97, 0.027 * s + loose * 0.6),
        ]);
    }
    limb(mesh, joints, hint, &sleeve, Vec3::ONE, SLEEVE);
}

fn leg(mesh: &mut Mesh, bones: &Bones, look: &Look, side: usize) {
    use BodyPoint::{LeftAnkle, LeftHip, LeftKnee, RightAnkle, RightHip, RightKnee};
    let joints = [(LeftHip, RightHip), (LeftKnee, RightKnee), (LeftAnkle, RightAnkle)]
        .map(|(left, right)| bones.pair(left, right)[side]);
    let (s, g) = (bones.scale, look.build.girth);
    let r = s * g;
    let hint = vec3(bones.figure.chest.forward);
    let thigh = 0.079 * r * look.build.hips.sqrt();
    let skin = [
        section(0, 0.06, thigh * 0.7),
        section(0, 0.14, thigh * 0.88),
        section(0, 0.4, thigh * 0.84),
        section(0, 0.88, 0.056 * r),
        section(1, 0.0, 0.054 * r),
        section(1, 0.3, 0.056 * r),
        section(1, 0.7, 0.043 * r),
        section(1, 0.97, 0.035 * s),
        section(1, 1.06, 0.034 * s),
    ];
    let bare = matches!(look.bottom, Bottom::Shorts | Bottom::Skirt | Bottom::LongSkirt) || look.top == Top::Dress;
    if bare {
        limb(mesh, joints, hint, &skin, look.skin, PLAIN);
    }
    let cloth = match look.bottom {
        _ if look.top == Top::Dress => return,
        Bottom::Skirt | Bottom::LongSkirt => return,
        Bottom::Shorts => vec![
            section(0, -0.06, thigh * 0.5),
            section(0, 0.0, thigh * 0.84),
            section(0, 0.1, thigh + 0.008 * s),
            section(0, 0.45, thigh * 0.9 + 0.02 * s),
            section(0, 0.86, 0.06 * r + 0.025 * s),
        ],
        Bottom::Trousers | Bottom::Slim => {
            let loose = if look.bottom == Bottom::Slim { 0.004 * s } else { 0.016 * s };
            vec![
                section(0, -0.06, thigh * 0.5),
                section(0, 0.0, thigh * 0.84),
                section(0, 0.1, thigh + 0.004 * s),
                section(0, 0.45, thigh * 0.86 + loose),
                section(0, 0.88, 0.056 * r + loose),
                section(1, 0.0, 0.055 * r + loose),
                section(1, 0.3, 0.056 * r + loose),
                section(1, 0.7, 0.045 * r + loose * 1.2),
                section(1, 1.03, 0.04 * s + loose * 1.3),
            ]
        }
    };
    limb(mesh, joints, hint, &cloth, Vec3::splat(0.96), BOTTOM);
}

/// A skirt from the hips around both thighs.
fn skirt(mesh: &mut Mesh, bones: &Bones, look: &Look) {
    let spine = Spine::of(bones);
    let s = bones.scale;
    let hips = bones.pair(BodyPoint::LeftHip, BodyPoint::RightHip);
    let knees = bones.pair(BodyPoint::LeftKnee, BodyPoint::RightKnee);
    let ankles = bones.pair(BodyPoint::LeftAnkle, BodyPoint::RightAnkle);
    let around = |[left, right]: [Vec3; 2], radius: f32, v: f32| {
        let middle = (left + right) * 0.5;
        let apart = (right - left) * 0.5;
        let pose = Pose::along(middle, Vec3::Z, spine.forward[0]);
        let (side, ahead) = (apart.dot(pose.right).abs(), apart.dot(pose.forward).abs());
        Ring::oval(pose, [side + radius, ahead + radius, ahead + radius * 1.05], v, Vec3::splat(0.95))
    };
    let wide = 0.1 * s * look.build.girth;
    let between = |a: [Vec3; 2], b: [Vec3; 2], share: f32| [a[0].lerp(b[0], share), a[1].lerp(b[1], share)];
    let long = look.bottom == Bottom::LongSkirt;
    let mut rings = Vec::new();
    if long {
        rings.push(around(between(knees, ankles, 0.75), wide * 1.05, 1.0));
        rings.push(around(between(knees, ankles, 0.3), wide * 1.05, 0.8));
    }
    rings.push(around(between(hips, knees, 1.0), wide * 1.08, 0.65));
    rings.push(around(between(hips, knees, 0.5), wide * 1.12, 0.4));
    let (g, hip) = (look.build.girth, hip_width(&spine, s, look));
    let upper =
        [(-0.1, 0.99 * hip, 0.103 * s * g, 0.12 * s * g, 0.15), (0.06, 0.95 * hip, 0.097 * s * g, 0.114 * s * g, 0.05)];
    let ring = |(share, width, front, back, v)| Ring::oval(spine.at(share), [width, front, back], v, Vec3::ONE);
    rings.extend(upper.map(ring));
    let paint = if look.top == Top::Dress { SLEEVE } else { BOTTOM };
    mesh.loft(&rings, TRUNK_SIDES, [true, false], paint);
}

fn foot(mesh: &mut Mesh, bones: &Bones, look: &Look, side: usize) {
    let foot = &bones.figure.feet[side];
    let (toe, heel, s) = (vec3(foot.toe), vec3(foot.heel), bones.scale);
    let ankle = bones.pair(BodyPoint::LeftAnkle, BodyPoint::RightAnkle)[side];
    let high = (ankle - heel).length().clamp(0.06 * s, 0.13 * s);
    let upright = (ankle - (heel + toe) * 0.5).normalize_or(Vec3::Z);
    let sole = look.shoes.lerp(Vec3::splat(0.7), 0.5);
    let ring = |share: f32, width: f32, rise: f32, sink: f32, tint: Vec3| {
        let pose = Pose::along(heel.lerp(toe, share), toe - heel, upright);
        Ring { pose, half: [width * s, rise, sink * s], power: 2.4, v: 0.5, tint }
    };
    let upper = [
        ring(-0.02, 0.018, high * 0.45, 0.002, look.shoes),
        ring(0.04, 0.034, high * 0.8, 0.004, look.shoes),
        ring(0.22, 0.038, high * 0.92, 0.004, look.shoes),
        ring(0.42, 0.039, high * 0.66, 0.004, look.shoes),
        ring(0.7, 0.046, high * 0.42, 0.004, look.shoes),
        ring(0.9, 0.04, high * 0.3, 0.004, look.shoes),
        ring(1.0, 0.014, high * 0.2, 0.003, look.shoes),
    ];
    mesh.loft(&upper, 12, [true, true], PLAIN);
    let rim = [
        ring(-0.03, 0.022, 0.016 * s, 0.006, sole),
        ring(0.05, 0.039, 0.018 * s, 0.006, sole),
        ring(0.42, 0.042, 0.018 * s, 0.006, sole),
        ring(0.72, 0.05, 0.018 * s, 0.006, sole),
        ring(0.92, 0.043, 0.016 * s, 0.006, sole),
        ring(1.02, 0.016, 0.014 * s, 0.006, sole),
    ];
    mesh.loft(&rim, 12, [true, true], PLAIN);
}
