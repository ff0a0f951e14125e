//! Tests of what is to be seen of a play: bodies keep their bones, feet stand, goods do not jump.

use std::sync::Arc;

use super::feet::Feet;
use super::figure::{Figure, Holder, Moment};
use super::trip::Performance;
use super::*;
use crate::facts::BodyPoint::{self, *};
use crate::geometry::{Point, World};

const BONES: [(BodyPoint, BodyPoint); 10] = [
    (LeftShoulder, RightShoulder),
    (LeftShoulder, LeftElbow),
    (RightShoulder, RightElbow),
    (LeftElbow, LeftWrist),
    (RightElbow, RightWrist),
    (LeftHip, RightHip),
    (LeftHip, LeftKnee),
    (RightHip, RightKnee),
    (LeftKnee, LeftAnkle),
    (RightKnee, RightAnkle),
];

pub(super) fn perform(scenario: Scenario, seed: u64) -> Performance {
    Performance::new(&Options { shop: Arc::new(demo_shop()), scenario, level: Level::Clean, seed, secs: None }).unwrap()
}

#[derive(Default, Debug)]
pub(super) struct Worst {
    bone: f64,
    bone_what: String,
    trunk: f64,
    knee_back: f64,
    floor: f64,
    slip: f64,
    slip_at: String,
    slips: usize,
    planted: usize,
    jump: f64,
    jump_at: String,
    gaze: f64,
    jerk: f64,
    jerk_at: String,
    up: f64,
}

fn joint(figure: &Figure, point: BodyPoint) -> Point<World> {
    figure.joints[point as usize]
}

/// Walks a performance in steps of a fiftieth of a second and keeps the worst of everything.
pub(super) fn survey(performance: &Performance) -> Worst {
    let mut worst = Worst::default();
    let mut before: Option<Moment> = None;
    let count = (performance.play.end * 50.0) as usize;
    let mut first: Vec<Option<Figure>> = vec![None; performance.play.actors.len()];
    for tick in 0..count {
        let time = tick as f64 / 50.0;
        let moment = performance.moment(time);
        for figure in &moment.people {
            for (a, b) in BONES {
                let length = |figure: &Figure| joint(figure, a).distance(joint(figure, b));
                let start = first[figure.actor].get_or_insert(*figure);
                let off = (length(figure) / length(start) - 1.0).abs();
                if worst.bone < off {
                    worst.bone = off;
                    worst.bone_what = format!("{a:?}-{b:?} {} at {time}", figure.actor);
                }
            }
            let start = first[figure.actor].unwrap();
            let trunk = figure.neck.distance(figure.pelvis) / start.neck.distance(start.pelvis);
            worst.trunk = worst.trunk.max((trunk - 1.0).abs());
            for (hip, knee, ankle) in [(LeftHip, LeftKnee, LeftAnkle), (RightHip, RightKnee, RightAnkle)] {
                let middle = joint(figure, hip).lerp(joint(figure, ankle), 0.5);
                let out = joint(figure, knee) - middle;
                let forward = figure.chest.forward;
                let ahead = (out.x * forward.x + out.y * forward.y) / forward.x.hypot(forward.y).max(0.1);
                worst.knee_back = worst.knee_back.max(-ahead);
            }
            worst.floor = figure.joints.iter().map(|joint| -joint.z).fold(worst.floor, f64::max);
            worst.up = worst.up.max(figure.feet.iter().map(|f| f.heel.z.max(f.toe.z)).fold(0.0, f64::max));
            assert!(figure.joints.iter().all(|joint| joint.is_finite()));
        }
        if let Some(before) = &before {
            for figure in &moment.people {
                let Some(was) = before.people.iter().find(|was| was.actor == figure.actor) else { continue };
                for foot in [0, 1] {
                    let planted = |t: f64| performance.scene_for_tests().planted(figure.actor, foot, t);
                    if planted(time) && planted(time - 0.02) {
                        worst.planted += 1;
                        let slip = figure.feet[foot].toe.distance(was.feet[foot].toe);
                        worst.slips += usize::from(0.0005 < slip);
                        if worst.slip < slip {
                            worst.slip = slip;
                            worst.slip_at = format!("{} {foot} {time}", figure.actor);
                        }
                    }
                }
                for (index, joint) in figure.joints.iter().enumerate() {
                    let jerk = joint.distance(was.joints[index]);
                    if worst.jerk < jerk {
                        worst.jerk = jerk;
                        worst.jerk_at = format!("{:?} {} at {time}", BodyPoint::ALL[index], figure.actor);
                    }
                }
            }
            for placed in &moment.goods {
                let Some(was) = before.goods.iter().find(|was| was.unit == placed.unit) else { continue };
                let jump = placed.axes.origin.distance(was.axes.origin);
                if worst.jump < jump {
                    worst.jump = jump;
                    worst.jump_at = format!("{} {:?} at {time}", placed.unit, placed.holder);
                }
            }
        }
        before = Some(moment);
    }
    worst
}

#[test]
fn survey_all() {
    for scenario in Scenario::ALL {
        println!("{scenario}: {:?}", survey(&perform(scenario, 1)));
    }
}

/// A shop of islands with fronts on both sides, units along two walls, a closed storeroom; packages of known size.
pub(super) fn convenience() -> Shop {
    use crate::base::{PlateId, ShelfId};
    use crate::geometry::Placement;
    use crate::shop::*;
    let mut draft = ShopDraft { name: "islands".to_owned(), ..ShopDraft::default() };
    let half = std::f64::consts::PI;
    let fronts = [
        (1, 1.0, 1.9, 0.0, 2.4),
        (2, 3.4, 2.8, half, 2.4),
        (3, 5.0, 1.9, 0.0, 2.4),
        (4, 7.4, 2.8, half, 2.4),
        (5, 0.5, 5.55, 0.0, 6.0),
        (6, 8.55, 4.8, -half / 2.0, 2.4),
    ];
    for (gondola, x, y, turn, width) in fronts {
        for (board, height) in [0.2, 0.6, 1.0, 1.4].into_iter().enumerate() {
            let id = ShelfId::new(gondola, board as u16 + 1);
            let plates = (width / 0.2_f64).round() as u16;
            let plate = |number: u16| PlateId { shelf: id, plate: number };
            let mut facings = Vec::new();
            for first in (1..plates).step_by(2) {
                let number = draft.products.len();
                let shape = [PackageShape::Box, PackageShape::Bottle, PackageShape::Can, PackageShape::Bag][number % 4];
                let size =
                    [[0.09, 0.05, 0.2], [0.07, 0.07, 0.33], [0.066, 0.066, 0.115], [0.18, 0.07, 0.24]][number % 4];
                let sku = format!("p{number:03}");
                let weight = Some(120.0 + number as f64 * 3.0);
                let package = Some(Package { shape, size_metres: size });
                draft.products.push(ProductDraft {
                    sku: sku.clone(),
                    name: format!("thing {number}"),
                    weight_grams: weight,
                    package,
                    ..ProductDraft::default()
                });
                facings.push(FacingDraft { sku: Some(sku), plates: vec![plate(first), plate(first + 1)], line: None });
            }
            draft.shelves.push(ShelfDraft {
                id,
                placement: Placement { origin: Point::new(x, y, height), turn_radians: turn },
                depth_metres: 0.42,
                clearance_metres: 0.36,
                plates: (1..=plates)
                    .map(|number| PlateDraft {
                        id: plate(number),
                        left_metres: f64::from(number - 1) * 0.2,
                        width_metres: 0.2,
                    })
                    .collect(),
                facings,
                line: None,
            });
        }
    }
    let zone = |name: &str, kind, [x, y, to_x, to_y]: [f64; 4]| ZoneDraft {
        name: name.to_owned(),
        kind,
        polygon: vec![[x, y], [to_x, y], [to_x, to_y], [x, to_y]],
        line: None,
    };
    draft.zones = vec![
        zone("way in", ZoneKind::Entrance, [0.2, 0.2, 1.2, 0.9]),
        zone("way out", ZoneKind::Exit, [1.6, 0.2, 2.6, 0.9]),
        zone("store", ZoneKind::Closed, [7.4, 0.0, 9.0, 1.0]),
    ];
    let polygon = vec![[0.0, 0.0], [9.0, 0.0], [9.0, 6.0], [0.0, 6.0]];
    draft.room = Some(RoomDraft { polygon, height_metres: 3.0, line: None });
    Shop::check(draft).unwrap()
}

#[test]
fn survey_free() {
    for (name, shop) in [("demo", demo_shop()), ("islands", convenience())] {
        let shop = Arc::new(shop);
        for scenario in [Scenario::Open, Scenario::Group, Scenario::Mixed] {
            for seed in [1, 2, 3] {
                let secs = (scenario == Scenario::Open).then_some(90.0);
                let options = Options { shop: shop.clone(), scenario, level: Level::Clean, seed, secs };
                let performance = Performance::new(&options).unwrap();
                let play = &performance.play;
                println!(
                    "{name} {scenario} {seed}: {} people, {} deeds, {} scans, end {:.1}, last {:.1}",
                    play.actors.len(),
                    play.deeds.len(),
                    play.scans.len(),
                    play.end,
                    play.actors.iter().map(|a| a.leaves).fold(0.0, f64::max)
                );
                let ways = super::ways::Ways::new(&shop);
                let (mut nearest, mut close, mut pairs, mut fast, mut inside) = (9.0_f64, 0, 0, 0.0_f64, 9.0_f64);
                let mut where_inside = String::new();
                for tick in 0..(play.end * 50.0) as usize {
                    let t = tick as f64 / 50.0;
                    let trunks: Vec<_> = (0..play.actors.len()).map(|a| performance.bodies.trunk(a, t)).collect();
                    for (a, trunk) in trunks.iter().enumerate() {
                        let Some(trunk) = trunk else { continue };
                        let margin = ways.margin(trunk.floor);
                        if margin < inside {
                            inside = margin;
                            where_inside = format!("{a} at {t} {:?}", trunk.floor);
                        }
                        if let Some(next) = performance.bodies.trunk(a, t + 0.2) {
                            fast = fast.max(next.floor.distance(trunk.floor) / 0.2);
                        }
                        for other in trunks[..a].iter().flatten() {
                            let d = other.floor.distance(trunk.floor);
                            nearest = nearest.min(d);
                            pairs += 1;
                            close += usize::from(d < 0.35);
                        }
                    }
                }
                println!(
                    "   margin {inside:.3} ({where_inside}), nearest {nearest:.3}, {close}/{pairs} close, fastest {fast:.2}"
                );
                println!("   {:?}", survey(&performance));
            }
        }
    }
}
