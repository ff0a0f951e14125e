//! Heads: skull with face, ears and nose where the joints are, hair and whatever is worn on it.

use glam::{Vec2, Vec3};

use super::bones::Bones;
use super::lens::world;
use super::look::{FACE, HAIR, Hair, Look, PLAIN, SLEEVE};
use super::mesh::{Mesh, Pose, Ring};
use crate::facts::BodyPoint;
use crate::geometry::{Point, World};
use crate::sim::figure::Figure;

const SIDES: usize = 20;

/// Levels of a skull: height above the eyes in metres, half width, reach forward and back as shares of the largest.
const SKULL: [(f32, f32, f32, f32); 15] = [
    (-0.121, 0.05, 0.55, -0.3),
    (-0.118, 0.3, 0.72, -0.05),
    (-0.11, 0.48, 0.84, 0.1),
    (-0.092, 0.64, 0.91, 0.3),
    (-0.07, 0.76, 0.945, 0.58),
    (-0.045, 0.85, 0.955, 0.8),
    (-0.018, 0.92, 0.95, 0.94),
    (0.004, 0.95, 0.93, 1.0),
    (0.022, 0.97, 0.975, 1.02),
    (0.05, 1.0, 0.97, 1.04),
    (0.078, 0.96, 0.86, 1.0),
    (0.1, 0.8, 0.66, 0.82),
    (0.114, 0.55, 0.42, 0.55),
    (0.121, 0.26, 0.2, 0.26),
    (0.123, 0.02, 0.02, 0.02),
];
/// From the lowest to the highest level, metres.
pub(super) const SKULL_METRES: (f32, f32) = (-0.121, 0.123);

/// Where the corners of a mouth are, from the middle of the face and down from the eyes, and how far forward its level
/// reaches as a share, metres.
const MOUTH: (f32, f32, f32) = (0.024, -0.0725, 0.945);

/// A head's own measures: its pose at the height of the eyes, half width, reach forward and back, scale of heights.
struct Skull {
    pose: Pose,
    half: [f32; 3],
    scale: f32,
    nose: Vec3,
    ears: [Vec3; 2],
}

impl Skull {
    /// Fits a skull to the joints of the face.
    fn of(bones: &Bones, look: &Look) -> Self {
        let pose = Pose::of(&bones.figure.head);
        let s = bones.scale;
        let local = |at: Vec3| {
            let d = at - pose.at;
            Vec3::new(d.dot(pose.right), d.dot(pose.forward), d.dot(pose.up))
        };
        let eyes = bones.pair(BodyPoint::LeftEye, BodyPoint::RightEye).map(local);
        let ears = bones.pair(BodyPoint::LeftEar, BodyPoint::RightEar).map(local);
        let eye = (eyes[0] + eyes[1]) * 0.5;
        let wide = ((ears[1].x - ears[0].x) / 2.0).clamp(0.058 * s, 0.092 * s);
        let forward = (eye.y + 0.006 * s).clamp(0.07 * s, 0.125 * s);
        Skull {
            pose: pose.moved(0.0, 0.0, eye.z.clamp(-0.05 * s, 0.05 * s)),
            half: [wide * 0.98 * look.build.face_width.sqrt(), forward, 0.1 * s],
            scale: s,
            nose: local(bones.joint(BodyPoint::Nose)) - Vec3::Z * eye.z,
            ears: ears.map(|ear| ear - Vec3::Z * eye.z),
        }
    }

    /// A level of it, grown by so much all around, with its own reach forward as a share where something covers it.
    fn level(&self, height: f32, shares: [f32; 3], more: f32, tint: Vec3) -> Ring {
        let half = [0, 1, 2].map(|axis| shares[axis] * self.half[axis] + more * self.scale);
        let (low, high) = SKULL_METRES;
        let v = (high - height) / (high - low);
        Ring { pose: self.pose.moved(0.0, 0.0, height * self.scale), half, power: 2.15, v, tint }
    }
}

/// The left and the right corner of a mouth.
pub(in crate::sim) fn mouth(figure: &Figure, look: &Look) -> [Point<World>; 2] {
    let skull = Skull::of(&Bones::of(figure), look);
    let (aside, up, forward) = MOUTH;
    // The face is painted around the skull, so its corners lie farther back than its middle.
    let bend = (1.0 - (aside / skull.half[0]).powi(2)).max(0.0).sqrt();
    let ahead = skull.half[1] * forward * bend;
    [-1.0, 1.0].map(|side| world(skull.pose.point(side * aside * skull.scale, ahead, up * skull.scale)))
}

pub(super) fn head(mesh: &mut Mesh, bones: &Bones, look: &Look) {
    let skull = Skull::of(bones, look);
    let jaw = look.build.jaw;
    let rings: Vec<Ring> = SKULL
        .iter()
        .map(|&(height, w, f, b)| {
            let wide = if height < -0.03 { w * (1.0 + (jaw - 1.0) * 0.9) } else { w };
            // Under the chin less light comes.
            let shade = if height < -0.115 { 0.65 } else { 1.0 };
            skull.level(height, [wide, f, b], 0.0, Vec3::splat(shade))
        })
        .collect();
    mesh.loft(&rings, 28, [true, true], FACE);
    nose(mesh, &skull, look);
    for ear in skull.ears {
        let pose = skull.pose.moved(ear.x * 0.97, ear.y, ear.z);
        let s = skull.scale;
        mesh.egg(
            pose,
            [0.01 * s, 0.016 * s, 0.02 * s, 0.031 * s],
            6,
            8,
            look.skin * Vec3::new(0.95, 0.86, 0.83),
            PLAIN,
        );
    }
    if look.glasses.is_some() {
        temples(mesh, &skull, look);
    }
    hair(mesh, &skull, look);
}

fn nose(mesh: &mut Mesh, skull: &Skull, look: &Look) {
    let s = skull.scale;
    let (n, wide) = (skull.nose, look.build.nose * s);
    let surface = skull.half[1] * 0.93;
    let at = |forward: f32, height: f32| skull.pose.point(n.x, forward, height);
    let ring = |forward: f32, height: f32, half: f32, out: f32, shade: f32| {
        let pose = Pose { at: at(forward, height), ..skull.pose };
        Ring::oval(pose, [half, out, 0.02 * s], 0.5, look.skin * shade)
    };
    let rings = [
        ring(surface - 0.004 * s, n.z - 0.018 * s, 0.006 * wide, 0.002 * s, 0.62),
        ring(surface - 0.002 * s, n.z - 0.012 * s, 0.015 * wide, (n.y - surface) * 0.7, 0.78),
        ring(surface, n.z, 0.0155 * wide, (n.y - surface).max(0.006 * s), 0.97),
        ring(surface, n.z + 0.018 * s, 0.009 * wide, (n.y - surface).max(0.006 * s) * 0.62, 1.0),
        ring(surface, n.z + 0.036 * s, 0.007 * wide, 0.006 * s, 0.98),
        ring(surface - 0.004 * s, n.z + 0.05 * s, 0.004 * wide, 0.002 * s, 0.98),
    ];
    mesh.loft(&rings, 10, [false, false], PLAIN);
}

/// The arms of glasses, from the face to the ears.
fn temples(mesh: &mut Mesh, skull: &Skull, look: &Look) {
    let tint = look.glasses.unwrap_or(Vec3::ZERO);
    for (side, ear) in [-1.0, 1.0].into_iter().zip(skull.ears) {
        let front = skull.pose.point(side * skull.half[0] * 0.93, skull.half[1] * 0.62, 0.004 * skull.scale);
        let back = skull.pose.point(ear.x * 1.02, ear.y, 0.012 * skull.scale);
        mesh.capsule([(front, 0.0028 * skull.scale), (back, 0.0028 * skull.scale)], 5, tint, PLAIN);
    }
}

/// A level of hair: height, half width, reach forward and back as shares of the skull's, thickness in metres.
type Lock = (f32, f32, f32, f32, f32);

/// A shell over the crown; below the forehead it leaves the face free.
const SHELL: [Lock; 8] = [
    (0.05, 1.0, 0.62, 1.04, 1.0),
    (0.064, 1.0, 0.86, 1.03, 1.0),
    (0.078, 0.97, 0.86, 1.0, 1.0),
    (0.092, 0.9, 0.78, 0.92, 1.0),
    (0.104, 0.78, 0.64, 0.8, 1.0),
    (0.116, 0.56, 0.43, 0.56, 1.0),
    (0.123, 0.3, 0.22, 0.3, 1.0),
    (0.126, 0.02, 0.02, 0.02, 1.0),
];

/// What hangs below the shell at the sides and the back, from the nape up.
fn fall(hair: Hair) -> &'static [Lock] {
    match hair {
        Hair::Long | Hair::Ponytail => &[
            (-0.06, 0.8, -0.3, 0.95, 0.8),
            (-0.03, 0.97, -0.1, 1.0, 1.0),
            (0.005, 1.0, 0.05, 1.02, 1.0),
            (0.03, 1.0, 0.25, 1.04, 1.0),
        ],
        Hair::Bob => &[
            (-0.115, 0.98, -0.1, 0.85, 1.6),
            (-0.1, 1.04, 0.1, 0.95, 1.8),
            (-0.05, 1.03, 0.2, 1.0, 1.5),
            (0.0, 1.0, 0.25, 1.02, 1.2),
            (0.03, 1.0, 0.35, 1.04, 1.0),
        ],
        Hair::Curly => &[
            (-0.05, 0.8, -0.4, 0.9, 0.7),
            (-0.02, 0.95, -0.1, 1.0, 1.0),
            (0.01, 1.0, 0.1, 1.03, 1.0),
            (0.035, 1.0, 0.4, 1.04, 1.0),
        ],
        _ => &[
            (-0.065, 0.6, -0.5, 0.86, 0.3),
            (-0.04, 0.8, -0.4, 0.93, 0.6),
            (-0.01, 0.95, -0.15, 1.0, 0.8),
            (0.02, 1.0, 0.15, 1.03, 1.0),
            (0.036, 1.0, 0.35, 1.04, 1.0),
        ],
    }
}

fn shell(mesh: &mut Mesh, skull: &Skull, locks: &[Lock], thick: f32, (tint, paint): (Vec3, u16)) {
    let rings: Vec<Ring> = locks
        .iter()
        .map(|&(height, w, f, b, share)| {
            let lift = if 0.1 < height { thick * 0.8 * (height - 0.1) / 0.026 } else { 0.0 };
            let mut ring = skull.level(height + lift, [w, f, b], thick * share, tint);
            if f <= 0.1 {
                // Where it leaves the face free its front runs inside the head.
                ring.half[1] = f * skull.half[1];
            }
            ring.v = (0.126 - height) / 0.25;
            ring
        })
        .collect();
    mesh.loft(&rings, SIDES, [true, true], paint);
}

fn hair(mesh: &mut Mesh, skull: &Skull, look: &Look) {
    let (tint, worn) = (look.hair_colour, look.headwear);
    let s = skull.scale;
    let thick = match look.hair {
        Hair::Bald => return,
        Hair::Cropped => 0.004,
        Hair::Short | Hair::Bun | Hair::Ponytail => 0.01,
        Hair::Quiff => 0.016,
        Hair::Curly => 0.036,
        Hair::Bob | Hair::Long => 0.014,
        Hair::Cap | Hair::Beanie | Hair::Hood | Hair::Headscarf => 0.008,
    };
    // What is worn follows the shell from the forehead on.
    let over: Vec<Lock> =
        SHELL[1..].iter().map(|&(h, w, f, b, share)| (h + 0.004, w, (f * 1.1).min(0.97), b, share)).collect();
    let mut locks: Vec<Lock> = fall(look.hair).to_vec();
    locks.extend(SHELL);
    match look.hair {
        Hair::Cap => {
            shell(mesh, skull, fall(Hair::Short), 0.005, (tint, HAIR));
            let brim = [(0.042, 1.0, 0.985, 1.04, 1.0)];
            shell(mesh, skull, &[&brim[..], &over].concat(), 0.011, (worn, PLAIN));
            visor(mesh, skull, worn * 0.8);
        }
        Hair::Beanie => {
            shell(mesh, skull, fall(Hair::Short), 0.006, (tint, HAIR));
            let knit = [(0.025, 1.0, 0.99, 1.03, 1.3), (0.048, 1.0, 0.99, 1.04, 1.4)];
            shell(mesh, skull, &[&knit[..], &over].concat(), 0.015, (worn, PLAIN));
        }
        Hair::Hood | Hair::Headscarf => wrap(mesh, skull, look),
        _ => shell(mesh, skull, &locks, thick, (tint, HAIR)),
    }
    match look.hair {
        Hair::Bun => {
            let bun = skull.pose.moved(0.0, -skull.half[2] * 1.1, 0.06 * s);
            mesh.egg(bun, [0.038 * s, 0.036 * s, 0.036 * s, 0.036 * s], 8, 12, tint, HAIR);
        }
        Hair::Ponytail => tail(mesh, skull, look, 0.03, 0.24),
        Hair::Long => tail(mesh, skull, look, 0.085, 0.27),
        _ => {}
    }
}

/// Hair that hangs down behind: its half width and length, metres.
fn tail(mesh: &mut Mesh, skull: &Skull, look: &Look, wide: f32, long: f32) {
    let s = skull.scale;
    let from = skull.pose.point(0.0, -skull.half[2] * 0.72, 0.03 * s);
    let down = (Vec3::NEG_Z - skull.pose.forward * 0.12).normalize_or(Vec3::NEG_Z);
    let ring = |share: f32, width: f32, deep: f32| {
        let at = from + down * long * s * share - skull.pose.forward * (0.035 * s * (share * 3.0).min(1.0));
        let pose = Pose::along(at, -down, skull.pose.forward);
        Ring::oval(pose, [width * wide * s, deep * s, deep * s], share, look.hair_colour * (1.0 - 0.15 * share))
    };
    let rings = [
        ring(1.0, 0.5, 0.008),
        ring(0.9, 0.85, 0.016),
        ring(0.6, 1.0, 0.024),
        ring(0.3, 1.0, 0.03),
        ring(0.0, 0.75, 0.03),
    ];
    mesh.loft(&rings, 14, [true, true], HAIR);
}

fn visor(mesh: &mut Mesh, skull: &Skull, tint: Vec3) {
    let s = skull.scale;
    let sides = 10;
    let place = |share: f32, out: f32, drop: f32| {
        let angle = (share - 0.5) * 2.2;
        let (sin, cos) = angle.sin_cos();
        skull.pose.point(sin * (skull.half[0] + 0.012 * s), cos * (skull.half[1] + 0.012 * s + out), (0.046 - drop) * s)
    };
    for under in [false, true] {
        let normal = if under { -skull.pose.up } else { skull.pose.up };
        let first = mesh.vertices.len() as u32;
        for side in 0..=sides {
            let share = side as f32 / sides as f32;
            let out = 0.07 * s * (1.0 - (2.0 * share - 1.0).powi(2)).max(0.0).sqrt();
            mesh.corner(place(share, -0.01 * s, 0.0), normal, Vec2::ZERO, tint);
            mesh.corner(place(share, out, 0.012), normal, Vec2::ZERO, tint * if under { 0.5 } else { 1.0 });
        }
        for side in 0..sides {
            let a = first + side * 2;
            let faces = if under {
                [[a, a + 2, a + 1], [a + 1, a + 2, a + 3]]
            } else {
                [[a, a + 1, a + 2], [a + 1, a + 3, a + 2]]
            };
            mesh.faces.extend(faces.map(|corners| super::mesh::Face { corners, paint: PLAIN }));
        }
    }
}

/// A hood or a scarf around the face, down to the shoulders.
fn wrap(mesh: &mut Mesh, skull: &Skull, look: &Look) {
    let (tint, paint) = if look.hair == Hair::Hood { (Vec3::splat(0.92), SLEEVE) } else { (look.headwear, PLAIN) };
    let locks: [Lock; 13] = [
        (-0.2, 1.35, 0.62, 1.1, 1.0),
        (-0.165, 1.12, 0.7, 0.86, 1.0),
        (-0.135, 0.95, 0.78, 0.8, 1.0),
        (-0.118, 0.9, 0.66, 0.84, 1.0),
        (-0.1, 0.97, 0.1, 0.9, 1.0),
        (-0.05, 1.05, 0.1, 0.98, 1.0),
        (0.0, 1.06, 0.1, 1.04, 1.0),
        (0.04, 1.05, 0.45, 1.06, 1.0),
        (0.06, 1.03, 0.9, 1.05, 1.0),
        (0.09, 0.93, 0.82, 0.95, 1.0),
        (0.108, 0.75, 0.62, 0.77, 1.0),
        (0.12, 0.45, 0.36, 0.45, 1.0),
        (0.126, 0.02, 0.02, 0.02, 1.0),
    ];
    shell(mesh, skull, &locks, 0.014, (tint, paint));
}
