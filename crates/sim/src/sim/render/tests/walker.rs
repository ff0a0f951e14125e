//! Figures that walk, stand, reach and crouch: enough of a body to try the renderer on.

use std::f64::consts::{FRAC_PI_2, PI};

use crate::facts::BodyPoint;
use crate::geometry::{Point, World};
use crate::sim::figure::{Axes, Carrier, CarrierKind, Figure, Foot, Hand};

type V = [f64; 3];

fn add(a: V, b: V) -> V {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

fn scale(a: V, k: f64) -> V {
    a.map(|part| part * k)
}

fn cross(a: V, b: V) -> V {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

fn norm(a: V) -> f64 {
    a.iter().map(|part| part * part).sum::<f64>().sqrt()
}

fn unit(a: V) -> V {
    scale(a, 1.0 / norm(a).max(1e-9))
}

fn point(a: V) -> Point<World> {
    Point::new(a[0], a[1], a[2])
}

/// A right-handed frame from where it is, forward and roughly up.
fn axes(at: V, forward: V, up: V) -> Axes {
    let forward = unit(forward);
    let right = unit(cross(forward, up));
    let up = cross(right, forward);
    Axes { origin: point(at), right: point(right), forward: point(forward), up: point(up) }
}

/// What a figure does.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim) struct Doing {
    pub(in crate::sim) at: [f64; 2],
    /// The way it faces, radians from +x.
    pub(in crate::sim) heading: f64,
    pub(in crate::sim) height: f64,
    /// Steps walked, fractional; feet swing when `gait` is above 0.
    pub(in crate::sim) steps: f64,
    pub(in crate::sim) gait: f64,
    /// Where the right hand reaches, in front of the body: right, forward, up, metres.
    pub(in crate::sim) reach: Option<V>,
    pub(in crate::sim) crouch: f64,
    pub(in crate::sim) look_down: f64,
    pub(in crate::sim) carrier: Option<CarrierKind>,
}

/// The middle joint of two bones between two ends, bent towards a pole.
fn bend(from: V, to: V, bones: [f64; 2], pole: V) -> V {
    let way = add(to, scale(from, -1.0));
    let length = norm(way).clamp(0.05, (bones[0] + bones[1]) * 0.999);
    let axis = unit(way);
    let along = (bones[0] * bones[0] - bones[1] * bones[1] + length * length) / (2.0 * length);
    let out = (bones[0] * bones[0] - along * along).max(0.0).sqrt();
    let dot: f64 = (0..3).map(|i| pole[i] * axis[i]).sum();
    let side = unit(add(pole, scale(axis, -dot)));
    add(add(from, scale(axis, along)), scale(side, out))
}

/// Hands that hang or hold.
fn hands_of(wrists: [V; 2], elbows: [V; 2], right: V, reaches: bool) -> [Hand; 2] {
    [0, 1].map(|side| {
        let ahead = unit(add(wrists[side], scale(elbows[side], -1.0)));
        let out = scale(right, side as f64 * 2.0 - 1.0);
        let palm = axes(add(wrists[side], scale(ahead, 0.055)), ahead, out);
        Hand { palm, grip: if reaches && side == 1 { 0.75 } else { 0.3 } }
    })
}

/// Feet under ankles that stand so high above the floor.
fn feet_of(ankles: [V; 2], forward: V, high: f64) -> [Foot; 2] {
    ankles.map(|ankle| {
        let sole = |f: f64| add(add(ankle, scale(forward, f)), [0.0, 0.0, 0.3 * (ankle[2] - high) - high]);
        Foot { toe: point(sole(0.19)), heel: point(sole(-0.06)) }
    })
}

/// What hangs from a left wrist.
fn carried(kind: CarrierKind, wrist: V, right: V) -> Carrier {
    let drop = if kind == CarrierKind::Basket { 0.42 } else { 0.52 };
    let place = add(add(wrist, [0.0, 0.0, -drop]), scale(right, -0.06));
    Carrier { kind, axes: axes(place, scale(right, -1.0), [0.0, 0.0, 1.0]) }
}

/// The joints of COCO from a head and the pairs below it.
fn joints_of(head: &Axes, k: f64, pairs: [[V; 2]; 6]) -> [Point<World>; BodyPoint::COUNT] {
    let on_head = |r: f64, f: f64, u: f64| head.origin + head.right * r + head.forward * f + head.up * u;
    let mut joints = [on_head(0.0, 0.108 * k, -0.04 * k); BodyPoint::COUNT];
    joints[1] = on_head(-0.032 * k, 0.088 * k, 0.0);
    joints[2] = on_head(0.032 * k, 0.088 * k, 0.0);
    joints[3] = on_head(-0.075 * k, 0.0, -0.015 * k);
    joints[4] = on_head(0.075 * k, 0.0, -0.015 * k);
    for (index, pair) in pairs.into_iter().flatten().enumerate() {
        joints[5 + index] = point(pair);
    }
    joints
}

/// A figure that does this.
pub(in crate::sim) fn figure(actor: usize, doing: &Doing) -> Figure {
    let h = doing.height;
    let (sin, cos) = doing.heading.sin_cos();
    let (forward, right) = ([cos, sin, 0.0], [sin, -cos, 0.0]);
    let bob = -0.012 * doing.gait * (doing.steps * 2.0 * PI).cos() - doing.crouch * 0.26 * h;
    let at = |r: f64, f: f64, u: f64| {
        add(add([doing.at[0], doing.at[1], 0.0], [0.0, 0.0, u]), add(scale(right, r), scale(forward, f)))
    };
    let lean = 0.03 * doing.gait + 0.3 * doing.crouch + if doing.reach.is_some() { 0.06 } else { 0.0 };
    let pelvis = at(0.0, -0.1 * doing.crouch, 0.535 * h + bob);
    let trunk_up = unit(add([0.0, 0.0, 1.0], scale(forward, lean)));
    let trunk_forward = cross(trunk_up, right);
    let on_trunk =
        |r: f64, f: f64, u: f64| add(add(pelvis, scale(trunk_up, u)), add(scale(right, r), scale(trunk_forward, f)));
    let shoulders = [-1.0, 1.0].map(|side| on_trunk(side * 0.105 * h, 0.0, 0.285 * h));
    let neck = on_trunk(0.0, 0.0, 0.315 * h);
    let head_forward = unit(add(forward, [0.0, 0.0, -doing.look_down]));
    let head = axes(add(neck, add(scale(trunk_up, 0.085 * h), scale(forward, 0.018 * h))), head_forward, trunk_up);
    let hips = [-1.0, 1.0].map(|side| add(pelvis, scale(right, side * 0.055 * h)));
    let ankles = [-1.0, 1.0].map(|side| {
        let phase = (doing.steps * PI + if side < 0.0 { 0.0 } else { PI }).sin_cos();
        let lift = (0.09 * phase.1.max(0.0)) * doing.gait;
        at(side * 0.055 * h, 0.19 * phase.0 * doing.gait * h / 1.72, 0.05 * h + lift)
    });
    let knees = [0, 1].map(|side| {
        bend(
            hips[side],
            ankles[side],
            [0.245 * h, 0.24 * h],
            add(forward, scale(right, 0.1 * (side as f64 * 2.0 - 1.0))),
        )
    });
    let wrists = [-1.0, 1.0].map(|side: f64| match doing.reach {
        Some([r, f, u]) if 0.0 < side => at(r, f, u),
        _ => {
            let swing = 0.16 * doing.gait * (doing.steps * PI + if side < 0.0 { PI } else { 0.0 }).sin();
            on_trunk(side * 0.135 * h, 0.06 + swing, -0.01 * h)
        }
    });
    let arm = [0.172 * h, 0.15 * h];
    let wrists = [0, 1].map(|side| {
        let way = add(wrists[side], scale(shoulders[side], -1.0));
        add(shoulders[side], scale(way, ((arm[0] + arm[1]) * 0.99 / norm(way)).min(1.0)))
    });
    let elbows = [0, 1].map(|side| {
        let out = side as f64 * 2.0 - 1.0;
        bend(
            shoulders[side],
            wrists[side],
            arm,
            add(add(scale(right, 0.45 * out), scale(forward, -0.6)), [0.0, 0.0, -0.6]),
        )
    });
    let hands = hands_of(wrists, elbows, right, doing.reach.is_some());
    let feet = feet_of(ankles, forward, 0.05 * h);
    let joints = joints_of(&head, h / 1.72, [shoulders, elbows, wrists, hips, knees, ankles]);
    let carrier = doing.carrier.map(|kind| carried(kind, wrists[0], right));
    Figure {
        actor,
        height: h,
        joints,
        neck: point(neck),
        pelvis: point(pelvis),
        head,
        chest: axes(on_trunk(0.0, 0.0, 0.16 * h), trunk_forward, trunk_up),
        hands,
        feet,
        carrier,
    }
}

/// Somebody who stands.
pub(in crate::sim) fn standing(at: [f64; 2], heading: f64, height: f64) -> Doing {
    let (steps, gait, reach) = (0.0, 0.0, None);
    Doing { at, heading, height, steps, gait, reach, crouch: 0.0, look_down: 0.1, carrier: None }
}

/// Facing away from the front of a gondola along +y.
pub(in crate::sim) const TO_SHELF: f64 = FRAC_PI_2;
