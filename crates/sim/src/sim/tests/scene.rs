//! Tests of what is to be seen of a play: bodies keep their bones, feet stand, goods do not jump, nobody is in
//! furniture.

use std::sync::Arc;

use crate::facts::Body;
use crate::facts::BodyPoint::{self, *};
use crate::geometry::{Point, World};
use crate::sim::figure::{Figure, Holder, Moment};
use crate::sim::stage::ways::Ways;
use crate::sim::trip::Performance;
use crate::sim::*;

/// Moments looked at in a second.
const HERTZ: f64 = 25.0;

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

fn perform(shop: Shop, scenario: Scenario, seed: u64, secs: Option<f64>) -> Performance {
    Performance::new(&Options { shop: Arc::new(shop), scenario, level: Level::Clean, seed, secs }).unwrap()
}

/// Both shops with what happens in them: a scripted case, and shoppers who come and go.
fn performances() -> Vec<(&'static str, Performance)> {
    vec![
        ("demo fast-series 1", perform(demo_shop(), Scenario::FastSeries, 1, None)),
        ("demo open 1", perform(demo_shop(), Scenario::Open, 1, Some(45.0))),
        ("islands open 2", perform(islands(), Scenario::Open, 2, Some(60.0))),
        ("islands group 1", perform(islands(), Scenario::Group, 1, None)),
        ("islands families 1", perform(islands(), Scenario::Families, 1, Some(60.0))),
    ]
}

fn moments(performance: &Performance) -> impl Iterator<Item = (f64, Moment)> + '_ {
    let count = (performance.play.end * HERTZ) as usize;
    (0..count).map(|tick| tick as f64 / HERTZ).map(|time| (time, performance.moment(time)))
}

fn joint(figure: &Figure, point: BodyPoint) -> Point<World> {
    figure.joints[point as usize]
}

#[test]
fn bodies_keep_their_bones_and_stand_on_the_floor() {
    for (what, performance) in performances() {
        let mut first: Vec<Option<Figure>> = vec![None; performance.play.actors.len()];
        let mut seen = 0;
        for (time, moment) in moments(&performance) {
            for figure in &moment.people {
                let start = *first[figure.actor].get_or_insert(*figure);
                for (a, b) in BONES {
                    let (now, then) =
                        (joint(figure, a).distance(joint(figure, b)), joint(&start, a).distance(joint(&start, b)));
                    assert!(
                        (now / then - 1.0).abs() < 0.03,
                        "{what} at {time}: {a:?} to {b:?} of {} is {now}",
                        figure.actor
                    );
                }
                let trunk = figure.neck.distance(figure.pelvis) / start.neck.distance(start.pelvis);
                assert!((trunk - 1.0).abs() < 0.03, "{what} at {time}: a trunk grew by {trunk}");
                for joint in figure.joints {
                    assert!(joint.is_finite() && 0.0 <= joint.z, "{what} at {time}: {joint:?} of {}", figure.actor);
                }
                for [hip, knee, ankle] in [[LeftHip, LeftKnee, LeftAnkle], [RightHip, RightKnee, RightAnkle]] {
                    let out = joint(figure, knee) - joint(figure, hip).lerp(joint(figure, ankle), 0.5);
                    let forward = figure.chest.right;
                    // Forward of the body is across its right.
                    let ahead = out.y * forward.x - out.x * forward.y;
                    assert!(-0.02 < ahead, "{what} at {time}: a knee of {} bends back by {ahead}", figure.actor);
                }
                seen += 1;
            }
        }
        assert!(50 < seen, "{what}");
    }
}

#[test]
fn figures_have_the_joints_that_trackers_are_told() {
    let performance = perform(demo_shop(), Scenario::HandOver, 1, None);
    for time in [3.0, 6.0, 9.0, 12.0] {
        for figure in performance.moment(time).people {
            let pose = performance.bodies.pose(figure.actor, time).unwrap();
            let told = [LeftShoulder, RightShoulder, LeftElbow, RightElbow, LeftWrist, RightWrist];
            assert_eq!(told.map(|point| joint(&figure, point)), [2, 3, 4, 5, 6, 7].map(|index: usize| pose[index]));
            assert_eq!(figure.head.origin, pose[0]);
        }
    }
}

#[test]
fn feet_that_carry_hardly_move() {
    for (what, performance) in performances() {
        let (mut planted, mut moved) = (0, 0);
        let mut before: Option<(f64, Moment)> = None;
        for (time, moment) in moments(&performance) {
            for figure in &moment.people {
                let Some((then, was)) = &before else { continue };
                let Some(was) = was.people.iter().find(|was| was.actor == figure.actor) else { continue };
                for foot in [0, 1] {
                    let stands = |time: f64| performance.scene().planted(figure.actor, foot, time);
                    if stands(*then) && stands(time) {
                        planted += 1;
                        let (now, then) = (figure.feet[foot].toe.floor(), was.feet[foot].toe.floor());
                        moved += usize::from(0.002 < now.distance(then));
                    }
                }
            }
            before = Some((time, moment));
        }
        assert!(moved * 50 < planted, "{what}: {moved} of {planted} steps of the clock see a planted foot move");
    }
}

#[test]
fn goods_are_somewhere_and_do_not_jump() {
    for (what, performance) in performances() {
        let changes = performance.shelf_changes();
        assert!(changes.is_sorted());
        let mut before: Option<(f64, Moment)> = None;
        let mut handled = 0;
        for (time, moment) in moments(&performance) {
            if let Some((then, before)) = &before {
                let changed = changes.iter().any(|change| *then < *change && *change <= time);
                let on_shelves = |moment: &Moment| -> Vec<usize> {
                    let rests = moment.goods.iter().filter(|placed| placed.holder == Holder::Shelf);
                    rests.map(|placed| placed.unit).collect()
                };
                assert_eq!(on_shelves(before) != on_shelves(&moment), changed, "{what} at {time}");
                for placed in moment.goods.iter().filter(|placed| placed.holder != Holder::Shelf) {
                    let was = before.goods.iter().find(|was| was.unit == placed.unit).unwrap();
                    let way = was.axes.origin.distance(placed.axes.origin);
                    // A quick hand is at 4 m/s, and a thing at its end may turn beside that.
                    assert!(way < 8.0 / HERTZ, "{what} at {time}: {:?} went {way} m", placed.holder);
                    handled += 1;
                }
            }
            before = Some((time, moment));
        }
        assert!(20 < handled, "{what}");
    }
}

#[test]
fn nobody_walks_through_furniture_or_others() {
    for (what, performance) in performances().into_iter().skip(1) {
        let ways = Ways::new(&performance.shop());
        let (mut pairs, mut close) = (0, 0);
        for tick in 0..(performance.play.end * 50.0) as usize {
            let time = tick as f64 / 50.0;
            let floor = |actor: usize, time: f64| performance.bodies.trunk(actor, time).map(|trunk| trunk.floor);
            let inside: Vec<usize> =
                (0..performance.play.actors.len()).filter(|actor| floor(*actor, time).is_some()).collect();
            for (number, actor) in inside.iter().enumerate() {
                let here = floor(*actor, time).unwrap();
                assert!(0.2 < ways.margin(here), "{what} at {time}: {actor} is in something at {here:?}");
                if let Some(next) = floor(*actor, time + 0.1) {
                    assert!(here.distance(next) < 0.18, "{what} at {time}: {actor} runs");
                }
                for other in &inside[..number] {
                    pairs += 1;
                    close += usize::from(floor(*other, time).unwrap().distance(here) < 0.35);
                }
            }
        }
        assert!(close * 200 <= pairs, "{what}: {close} of {pairs} pairs are nearer than bodies can be");
    }
}

#[test]
fn an_open_shop_is_empty_at_its_end() {
    for secs in [40.0, 90.0] {
        let performance = perform(islands(), Scenario::Open, 3, Some(secs));
        assert_eq!(performance.play.end, secs);
        assert!(performance.play.actors.iter().all(|actor| actor.leaves < secs));
        assert!(!performance.play.actors.is_empty(), "{secs}");
    }
}

#[test]
fn an_open_shop_that_nobody_can_come_to_says_how_long_it_must_be_open() {
    let options = |secs| Options {
        shop: Arc::new(islands()),
        scenario: Scenario::Open,
        level: Level::Clean,
        seed: 3,
        secs: Some(secs),
    };
    let refusal = Performance::new(&options(2.0)).err().unwrap();
    assert!(refusal.to_string().contains("nobody can come and go within 2 s"), "{refusal}");
    let least: Vec<f64> = format!("{refusal:?}").split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let least = *least.last().unwrap();
    assert!(!Performance::new(&options(least)).unwrap().play.actors.is_empty());
    assert!(Performance::new(&options(least - 1.0)).is_err());
}

#[test]
fn people_come_and_go_through_the_doors() {
    let (mut all, mut late) = (0, 0);
    for (what, performance) in performances().into_iter().filter(|(what, _)| what.starts_with("islands")) {
        let room = performance.shop().room().unwrap().polygon.clone();
        let low = room.iter().map(|corner| corner.y).fold(f64::INFINITY, f64::min);
        for (index, actor) in performance.play.actors.iter().enumerate() {
            let ends = [actor.enters, actor.leaves].map(|time| performance.bodies.trunk(index, time).unwrap().floor);
            // Who has to wait for somebody in the doorway may still be in it when their time is over.
            assert!(ends[0].y < low - 0.25 && ends[1].y < low + 0.6, "{what}: {index} at {ends:?}");
            all += 1;
            late += usize::from(low - 0.25 <= ends[1].y);
        }
    }
    assert!(late * 3 <= all, "{late} of {all} do not get out in time");
}

#[test]
fn a_scripted_case_says_how_long_it_takes() {
    let options = |secs| Options {
        shop: Arc::new(demo_shop()),
        scenario: Scenario::PutBack,
        level: Level::Clean,
        seed: 1,
        secs: Some(secs),
    };
    let refusal = Performance::new(&options(3.0)).err().unwrap().to_string();
    assert!(refusal.contains("takes") && refusal.contains("longer than 3 s"), "{refusal}");
    assert_eq!(Performance::new(&options(60.0)).unwrap().play.end, 60.0);
}

#[test]
fn a_group_comes_in_on_one_token() {
    let performance = perform(islands(), Scenario::Group, 1, None);
    let trip = performance.trip();
    let scans: Vec<_> = trip.facts.iter().filter(|fact| matches!(fact.body, Body::Gate(_))).collect();
    let [fact] = scans[..] else { panic!("{} scans", scans.len()) };
    let Body::Gate(scan) = &fact.body else { unreachable!() };
    assert_eq!((scan.gate.as_str(), fact.stamp.source.to_string()), ("way in", "gate/way in".to_owned()));
    assert_eq!(scan.people as usize, trip.truth.receipts.len());
    assert!((2..=3).contains(&scan.people));
}

/// How tall everybody is in some days of a scenario, metres.
fn heights(scenario: Scenario) -> Vec<Vec<f64>> {
    let day = |seed| perform(demo_shop(), scenario, seed, Some(300.0));
    (1..5).map(|seed| day(seed).play.actors.iter().map(|actor| actor.height).collect()).collect()
}

#[test]
fn families_have_children_and_no_other_day_has() {
    let days = heights(Scenario::Families);
    let all: Vec<f64> = days.iter().flatten().copied().collect();
    assert!(all.iter().all(|height| (1.0..1.4).contains(height) || 1.5 <= *height), "{all:?}");
    let share = all.iter().filter(|height| **height < 1.4).count() as f64 / all.len() as f64;
    assert!((0.15..0.4).contains(&share) && 60 < all.len(), "{share} of {}", all.len());
    for other in [Scenario::Open, Scenario::Ordinary, Scenario::Alike] {
        assert!(heights(other).iter().flatten().all(|height| 1.5 <= *height), "{other}");
    }
}

#[test]
fn children_come_with_grown_ups_and_touch_no_board_above_them() {
    let (mut taken, mut children) = (0, 0);
    for seed in 1..7 {
        let performance = perform(demo_shop(), Scenario::Families, seed, Some(300.0));
        let play = &performance.play;
        let is_child = |actor: usize| play.actors[actor].height < 1.4;
        // Whoever shows a token is grown up, and the token counts the children who come in behind.
        let scanned: u32 = play.scans.iter().map(|scan| scan.people).sum();
        assert!(play.scans.iter().all(|scan| !is_child(scan.actor)), "seed {seed}");
        assert_eq!(scanned as usize, play.actors.len(), "seed {seed}");
        children += (0..play.actors.len()).filter(|actor| is_child(*actor)).count();
        for deed in play.deeds.iter().filter(|deed| is_child(deed.actor)) {
            let shop = performance.shop();
            let board = shop.shelf(deed.plates[0].shelf).unwrap().placement.origin.z;
            assert!(board <= 0.75 * play.actors[deed.actor].height, "seed {seed}: {board} m");
            taken += 1;
        }
        let owed = |actor: usize| !play.owed[actor].is_empty();
        assert!((0..play.actors.len()).any(owed), "seed {seed}");
    }
    assert!(20 < taken && 20 < children, "{taken} things moved by {children} children");
}

#[test]
fn most_of_those_who_are_alike_differ_by_a_centimetre_at_most_and_wear_one_thing() {
    for seed in 1..5 {
        let performance = perform(demo_shop(), Scenario::Alike, seed, Some(300.0));
        let actors = &performance.play.actors;
        let same: Vec<f64> = actors.iter().filter(|actor| actor.is_uniform).map(|actor| actor.height).collect();
        let low = same.iter().copied().fold(f64::INFINITY, f64::min);
        let high = same.iter().copied().fold(0.0, f64::max);
        assert!(actors.len() * 6 < same.len() * 10 && high - low <= 0.01, "{} of {}", same.len(), actors.len());
    }
    let open = perform(demo_shop(), Scenario::Open, 1, Some(120.0));
    assert!(open.play.actors.iter().all(|actor| !actor.is_uniform));
}

#[test]
fn packages_neither_overlap_nor_stick_out() {
    let performance = perform(islands(), Scenario::SinglePick, 1, None);
    let shop = performance.shop();
    let units = &performance.stock.units;
    let mut on_board = 0;
    for (number, unit) in units.iter().enumerate() {
        let Some(rest) = &unit.rest else { continue };
        let depth = |unit: &crate::sim::stock::Unit| unit.size[if unit.rest.as_ref().unwrap().lies { 2 } else { 1 }];
        let shelf = &shop.shelves()[rest.shelf];
        assert!(0.0 <= rest.y - depth(unit) / 2.0 && rest.y + depth(unit) / 2.0 <= shelf.depth_metres);
        for other in &units[..number] {
            let Some(there) = other.rest.as_ref().filter(|there| there.shelf == rest.shelf) else { continue };
            let beside = (unit.width + other.width) / 2.0 - 1e-9 <= (there.x - rest.x).abs();
            let behind = (depth(unit) + depth(other)) / 2.0 - 1e-9 <= (there.y - rest.y).abs();
            assert!(beside || behind, "{rest:?} and {there:?}");
        }
        on_board += 1;
    }
    assert!(300 < on_board);
}

/// A shop of islands with fronts on both sides, units along two walls, a closed storeroom; packages of known size.
fn islands() -> Shop {
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
