//! Baskets and bags.

use glam::Vec3;

use super::lens::vec3;
use super::look::{CARRIER, Look, PLAIN};
use super::mesh::{Mesh, Pose, Ring};
use crate::facts::BodyPoint;
use crate::sim::figure::{Carrier, CarrierKind, Figure};
use crate::sim::stock::nest::{
    BAG_FLOOR_METRES, BAG_METRES, BAG_POWER, BAG_SHARES, BASKET_FLOOR_METRES, BASKET_METRES, BASKET_POWER,
    BASKET_SHARES, WALL_METRES,
};

/// The surface of what a figure carries its goods in.
pub(super) fn carrier_mesh(carrier: &Carrier, figure: &Figure, look: &Look) -> Mesh {
    let mut mesh = Mesh::default();
    let pose = Pose::of(&carrier.axes);
    match carrier.kind {
        CarrierKind::Basket => basket(&mut mesh, &pose, look),
        CarrierKind::Bag => bag(&mut mesh, &pose, figure),
    }
    mesh
}

/// An open tub: outer skin, inner skin, rim, and a handle.
fn basket(mesh: &mut Mesh, pose: &Pose, look: &Look) {
    let [w, d, h] = BASKET_METRES.map(|metres| metres as f32);
    let (foot, wall) = (BASKET_SHARES[0] as f32, WALL_METRES as f32);
    let colour = look.headwear.lerp(Vec3::new(0.6, 0.02, 0.03), 0.7);
    let ring = |height: f32, share: f32, less: f32, tint: Vec3| Ring {
        pose: pose.moved(0.0, 0.0, height),
        half: [w * share - less, d * share - less, d * share - less],
        power: BASKET_POWER as f32,
        v: 1.0 - height / h,
        tint,
    };
    let outer = [
        ring(0.0, foot, 0.0, colour * 0.6),
        ring(h * 0.85, 0.97, 0.0, colour),
        ring(h * 0.86, 1.0, 0.0, colour * 1.2),
        ring(h, 1.0, 0.0, colour * 1.2),
    ];
    mesh.loft(&outer, 24, [true, false], PLAIN);
    let inner = [ring(BASKET_FLOOR_METRES as f32, foot, wall, colour * 0.35), ring(h, 1.0, wall, colour * 0.8)];
    let (vertices, faces) = (mesh.vertices.len(), mesh.faces.len());
    mesh.loft(&inner, 24, [true, false], PLAIN);
    mesh.turn_inside_out(vertices, faces);
    let grey = Vec3::splat(0.07);
    let arch = |share: f32| {
        let angle = std::f32::consts::PI * share;
        pose.point(-angle.cos() * w * 0.96, 0.0, h + angle.sin() * 0.15)
    };
    for step in 0..10 {
        let ends = [step, step + 1].map(|place| (arch(place as f32 / 10.0), 0.007));
        mesh.capsule(ends, 6, grey, PLAIN);
    }
}

/// A cloth bag with two straps up to the nearer hand or shoulder.
fn bag(mesh: &mut Mesh, pose: &Pose, figure: &Figure) {
    let [w, d, h] = BAG_METRES.map(|metres| metres as f32);
    let [wide, narrow] = BAG_SHARES.map(|share| share as f32);
    let ring = |height: f32, share: f32, deep: f32| Ring {
        pose: pose.moved(0.0, 0.0, height),
        half: [w * share, d * deep, d * deep],
        power: BAG_POWER as f32,
        v: 1.0 - height / h,
        tint: Vec3::ONE,
    };
    let rings = [
        ring(0.0, 0.8, 0.6),
        ring(BAG_FLOOR_METRES as f32, wide, 0.95),
        ring(h * 0.5, 1.0, 1.0),
        ring(h * 0.85, 0.97, 0.9),
        ring(h, 0.95, narrow),
    ];
    mesh.loft(&rings, 20, [true, false], CARRIER);
    let mouth = ring(h * 0.96, 0.93, narrow * 0.97);
    mesh.loft(
        &[
            Ring { tint: Vec3::splat(0.12), ..mouth },
            Ring { half: [w * 0.9, d * narrow * 0.9, d * narrow * 0.9], tint: Vec3::splat(0.12), ..mouth },
        ],
        20,
        [false, true],
        PLAIN,
    );
    let top = pose.point(0.0, 0.0, h);
    let holds = [BodyPoint::LeftShoulder, BodyPoint::RightShoulder].map(|joint| vec3(figure.joints[joint as usize]));
    let palms = figure.hands.map(|hand| vec3(hand.palm.origin));
    let near = holds.into_iter().chain(palms).min_by(|a, b| a.distance(top).total_cmp(&b.distance(top)));
    let anchor = near.filter(|near| near.distance(top) < 0.6).unwrap_or(pose.point(0.0, 0.0, h + 0.2));
    for side in [-1.0, 1.0] {
        let foot = pose.point(side * w * 0.55, 0.0, h * 0.97);
        mesh.capsule([(foot, 0.009), (anchor, 0.009)], 5, Vec3::ONE, CARRIER);
    }
}
