//! A shelf with four products, hands that reach and plates that move as texts say; carts as text out.

use super::*;
use crate::base::{Grams, PlateId, ShelfId, SkuId, SourceId, TimeRange, TrackId};
use crate::facts::{Attribution, Joint, Joints, Level, Movement, Person, Staircase, Stamp};
use crate::geometry::{Placement, Point};
use crate::shop::{FacingDraft, PlateDraft, PolicyDraft, ProductDraft, ShelfDraft, ShopDraft};

/// Width of a plate, metres.
const WIDTH: f64 = 0.083;
/// Seconds between frames.
const FRAME: f64 = 0.05;
const OPTIONS: Options = Options { hypotheses_max: 96, eager: false };

/// Twelve plates: tea on 1 to 3, salt on 4 to 6, rice on 7 to 9, oil on 10 to 12. Tea and salt weigh the same.
fn shop() -> Arc<Shop> {
    Arc::new(Shop::check(draft()).unwrap())
}

pub(super) fn draft() -> ShopDraft {
    let goods = [("tea", 100.0), ("salt", 100.0), ("rice", 250.0), ("oil", 400.0)];
    let product = |(sku, grams): (&str, f64)| ProductDraft {
        sku: sku.to_owned(),
        name: sku.to_owned(),
        weight_grams: Some(grams),
        ..ProductDraft::default()
    };
    let id = |number: u16| PlateId::new(1, 1, number);
    let facing = |(index, (sku, _)): (usize, &(&str, f64))| {
        let first = 3 * index as u16 + 1;
        FacingDraft { sku: Some((*sku).to_owned()), plates: (first..first + 3).map(id).collect(), line: None }
    };
    let plate =
        |number: u16| PlateDraft { id: id(number), left_metres: WIDTH * f64::from(number - 1), width_metres: WIDTH };
    let shelf = ShelfDraft {
        id: ShelfId::new(1, 1),
        placement: Placement { origin: Point::new(0.0, 0.0, 1.0), turn_radians: 0.0 },
        depth_metres: 0.4,
        clearance_metres: 0.3,
        plates: (1..=12).map(plate).collect(),
        facings: goods.iter().enumerate().map(facing).collect(),
        line: None,
    };
    ShopDraft {
        name: "small".to_owned(),
        policy: PolicyDraft { absence_secs_max: 60.0, ..PolicyDraft::default() },
        products: goods.map(product).to_vec(),
        shelves: vec![shelf],
        ..ShopDraft::default()
    }
}

pub(super) fn at(secs: f64) -> ShopTime {
    ShopTime::from_nanos(1_000_000_000_000) + Span::from_secs(secs)
}

fn number(text: &str) -> f64 {
    text.trim().parse().unwrap()
}

/// Middle of a plate along the shelf, metres; numbers between two plates are places between them.
fn middle(plate: f64) -> f64 {
    WIDTH * (plate - 0.5)
}

/// A shopper who stands before the shelf and reaches for plates: from, to and plate.
struct Shopper {
    visit: u64,
    stands: f64,
    reaches: Vec<(f64, f64, f64)>,
}

/// Such as `1 at 2: 5 2, 9-11 4`: visit 1 stands before plate 2, takes or puts something at 5 s from plate 2, and has
/// the hand on plate 4 from 9 s to 11 s.
fn shopper(text: &str) -> Shopper {
    let (who, reaches) = text.split_once(':').unwrap();
    let (visit, stands) = who.split_once(" at ").unwrap();
    let reach = |text: &str| {
        let (when, plate) = text.trim().split_once(' ').unwrap();
        let (from, to) = when.split_once('-').unwrap_or((when, when));
        (number(from) - 0.45, number(to) + 0.45, number(plate))
    };
    let reaches = reaches.split(',').filter(|text| !text.trim().is_empty()).map(reach).collect();
    Shopper { visit: number(visit) as u64, stands: number(stands), reaches }
}

impl Shopper {
    fn joints(&self, secs: f64) -> Joints {
        let reach = self.reaches.iter().find(|(from, to, _)| (*from..=*to).contains(&secs));
        joints_at(Point::new(middle(self.stands), -0.6, 0.0), reach.map(|(.., plate)| *plate))
    }
}

/// Somebody who stands there, with the right hand on a plate or hanging down.
pub(super) fn joints_at(place: Point<crate::geometry::Floor>, plate: Option<f64>) -> Joints {
    let (x, y) = (place.x, place.y);
    let joint = |x: f64, y: f64, z: f64| Some(Joint { position: Point::new(x, y, z), score: 0.9 });
    let right_wrist = plate.map_or(joint(x + 0.2, y, 0.85), |plate| joint(middle(plate), 0.1, 1.1));
    Joints {
        neck: joint(x, y, 1.45),
        left_wrist: joint(x - 0.2, y, 0.85),
        left_elbow: joint(x - 0.2, y, 1.1),
        right_elbow: joint(x + 0.2, y + 0.2, 1.1),
        right_wrist,
        ..Joints::default()
    }
}

/// Plates that move at once, split by `,`; each a plate and the levels it comes to, such as `2 5:150 6:0`.
pub(super) fn event(shelf: ShelfId, text: &str) -> ShelfEvent {
    let staircase = |text: &str| {
        let mut words = text.split_whitespace();
        let plate = words.next().unwrap().parse().unwrap();
        let mut begun = number(words.clone().next().unwrap().split_once(':').unwrap().0) - 2.0;
        let mut grams = 0.0;
        let mut levels = Vec::new();
        for word in words.chain(["999:0"]) {
            let (secs, next) = word.split_once(':').unwrap();
            let end = (number(secs) - 0.1).min(begun + 2.0);
            let quiet = TimeRange { start: at(begun), end: at(end) };
            levels.push(Level { quiet, grams: Grams::new(grams), sigma: Grams::new(0.5) });
            (begun, grams) = (number(secs) + 0.1, number(next));
        }
        Staircase { plate: PlateId { shelf, plate }, levels }
    };
    let plates: Vec<Staircase> = text.split(',').map(staircase).collect();
    let moved = |staircase: &Staircase| {
        let levels = &staircase.levels;
        TimeRange { start: levels[0].quiet.end, end: levels[levels.len() - 1].quiet.start }
    };
    let span = plates.iter().map(moved).reduce(TimeRange::hull).unwrap();
    ShelfEvent { shelf, span, plates }
}

/// Runs 40 s with these shoppers, whose clock is ahead by so much, and these events; answers what was decided.
fn run(shoppers: &[&str], ahead_secs: f64, events: &[&str]) -> (Fusion, Vec<Body>) {
    run_with(Fusion::new(shop(), OPTIONS), shoppers, ahead_secs, events)
}

/// The same with a fusion that knows something already.
fn run_with(fusion: Fusion, shoppers: &[&str], ahead_secs: f64, events: &[&str]) -> (Fusion, Vec<Body>) {
    let (mut fusion, mut decided) = drive(fusion, (40.0, None), shoppers, ahead_secs, events);
    decided.append(&mut fusion.finish());
    (fusion, decided)
}

/// Runs 40 s, telling of every frame before it comes, and finishes nothing.
pub(super) fn drive_with(shoppers: &[&str], events: &[&str], mut tell: impl FnMut(&mut Fusion, f64)) -> Fusion {
    drive_telling(Fusion::new(shop(), OPTIONS), (40.0, None), shoppers, (0.0, events), &mut tell).0
}

/// What is in each cart, `SKU UNITS, …`, and how sure that is, in order of visit.
pub(super) fn closed(decided: &[Body]) -> Vec<(String, f64)> {
    let mut carts: Vec<(VisitId, String, f64)> = Vec::new();
    for body in decided {
        let Body::Visit(closed) = body else { continue };
        let lines: Vec<String> = closed.lines.iter().map(|line| format!("{} {}", line.sku, line.quantity)).collect();
        carts.push((closed.visit, lines.join(", "), closed.probability.value()));
    }
    carts.sort_by_key(|(visit, ..)| *visit);
    carts.into_iter().map(|(_, lines, probability)| (lines, probability)).collect()
}

/// Runs for so many seconds, without people in a hole, and finishes nothing.
fn run_for(
    length_secs: f64,
    hole: Option<[f64; 2]>,
    shoppers: &[&str],
    ahead_secs: f64,
    events: &[&str],
) -> (Fusion, Vec<Body>) {
    drive(Fusion::new(shop(), OPTIONS), (length_secs, hole), shoppers, ahead_secs, events)
}

fn drive(
    fusion: Fusion,
    time: (f64, Option<[f64; 2]>),
    shoppers: &[&str],
    ahead_secs: f64,
    events: &[&str],
) -> (Fusion, Vec<Body>) {
    drive_telling(fusion, time, shoppers, (ahead_secs, events), &mut |_, _| {})
}

fn drive_telling(
    mut fusion: Fusion,
    (length_secs, hole): (f64, Option<[f64; 2]>),
    shoppers: &[&str],
    (ahead_secs, events): (f64, &[&str]),
    tell: &mut dyn FnMut(&mut Fusion, f64),
) -> (Fusion, Vec<Body>) {
    let shoppers: Vec<Shopper> = shoppers.iter().map(|text| shopper(text)).collect();
    let mut events: Vec<ShelfEvent> = events.iter().map(|text| event(ShelfId::new(1, 1), text)).collect();
    events.sort_by_key(|event| event.span.end);
    let (mut events, mut decided, mut sequence) = (events.into_iter().peekable(), Vec::new(), 0);
    if let Some([from, to]) = hole {
        let mut holes = Holes::default();
        holes.add(TimeRange { start: at(from), end: at(to) });
        fusion.unwatched(&holes);
        fusion.resume(TimeRange { start: at(from), end: at(to) });
    }
    for frame in 0..(length_secs / FRAME) as u32 {
        let secs = f64::from(frame) * FRAME;
        tell(&mut fusion, secs);
        let person = |shopper: &Shopper| Person { track: TrackId::new(shopper.visit), joints: shopper.joints(secs) };
        let people = PeopleFrame { people: shoppers.iter().map(person).collect() };
        if hole.is_none_or(|[from, to]| secs <= from || to < secs) {
            fusion.take_people(at(secs + ahead_secs), &people);
        }
        while let Some(event) = events.next_if(|event| event.span.end <= at(secs)) {
            sequence += 1;
            let stamp = Stamp { source: SourceId::new("shelf"), sequence, at: event.span.end, arrived: at(secs) };
            fusion.take(&Fact { stamp, body: Body::Shelf(event) });
        }
        if frame % 10 == 0 {
            decided.append(&mut fusion.advance(at(secs)));
        }
    }
    (fusion, decided)
}

/// `VISIT: SKU UNITS [EVENTS], …` of each open visit, with `!` when it is interrupted.
fn open_text(fusion: &Fusion) -> String {
    let line = |line: &crate::facts::OpenLine| {
        let events: Vec<String> = line.events.iter().map(|event| event.sequence.to_string()).collect();
        format!(" {} {} [{}]", line.sku, line.quantity, events.join(" "))
    };
    let visit = |open: &crate::facts::OpenVisit| {
        let lines: Vec<String> = open.lines.iter().map(line).collect();
        format!("{}{}:{}", open.visit, if open.interrupted { "!" } else { "" }, lines.join(","))
    };
    fusion.open_visits().iter().map(visit).collect::<Vec<_>>().join("; ")
}

fn attributions<'a>(decided: &'a [Body]) -> Vec<&'a Attribution> {
    let of = |body: &'a Body| if let Body::Attribution(attribution) = body { Some(attribution) } else { None };
    decided.iter().filter_map(of).collect()
}

/// The carts must read as expected: `1: tea 2; 2:`. They must be what the attributions add up to.
fn check(shoppers: &[&str], events: &[&str], expected: &str) -> Vec<Body> {
    let (_, decided) = run(shoppers, 0.0, events);
    let mut carts: BTreeMap<VisitId, Vec<String>> = BTreeMap::new();
    for body in &decided {
        let Body::Visit(closed) = body else { continue };
        for line in &closed.lines {
            let sum = |attribution: &&&Attribution| attribution.visit == closed.visit && attribution.sku == line.sku;
            let signed = |attribution: &&Attribution| match attribution.movement {
                Movement::Take => i64::from(attribution.quantity.get()),
                Movement::Return => -i64::from(attribution.quantity.get()),
            };
            let units: i64 = attributions(&decided).iter().filter(sum).map(signed).sum();
            assert_eq!(units, i64::from(line.quantity.get()), "{shoppers:?} {events:?}");
        }
        let lines = closed.lines.iter().map(|line| format!(" {} {}", line.sku, line.quantity)).collect();
        carts.insert(closed.visit, lines);
    }
    let texts: Vec<String> = carts.iter().map(|(visit, lines)| format!("{visit}:{}", lines.join(","))).collect();
    assert_eq!(texts.join("; "), expected, "{shoppers:?} {events:?}");
    decided
}

#[test]
fn the_nearer_of_two_hands_takes() {
    check(&["1 at 2: 5 2", "2 at 6: 5 6"], &["2 5:-100"], "1: tea 1; 2:");
    check(&["1 at 2: 5 2", "2 at 6: 5 6"], &["6 5:-100"], "1:; 2: salt 1");
    check(&["1 at 2: 5 2", "2 at 6: 12 2"], &["2 5:-100", "2 12:-100"], "1: tea 1; 2: tea 1");
}

#[test]
fn nobody_near_means_nobody_pays() {
    check(&["1 at 60:"], &["2 5:-100"], "1:");
    check(&["1 at 2:", "2 at 4:"], &[], "1:; 2:");
}

#[test]
fn the_place_tells_goods_of_equal_weight_apart() {
    check(&["1 at 3: 5 3"], &["3 5:-100"], "1: tea 1");
    check(&["1 at 3: 5 4"], &["4 5:-100"], "1: salt 1");
    check(&["1 at 3: 5 3.4"], &["2 5:-20, 3 5:-80"], "1: tea 1");
}

#[test]
fn units_and_products_add_up() {
    check(&["1 at 2: 5 2"], &["2 5:-200"], "1: tea 2");
    check(&["1 at 6: 5 2, 12 8"], &["2 5:-100", "8 12:-250"], "1: rice 1, tea 1");
}

#[test]
fn what_comes_back_is_not_paid() {
    let home = ["2 5:-100", "2 15:100"];
    check(&["1 at 2: 5 2, 15 2"], &home, "1:");
    check(&["1 at 2: 5 2, 15 2", "2 at 10: 5 11"], &home, "1:; 2:");
}

#[test]
fn what_was_put_elsewhere_is_bought_by_who_takes_it_there() {
    let shoppers = ["1 at 5: 5 2, 14 8", "2 at 8: 24 8"];
    let decided = check(&shoppers, &["2 5:-100", "8 14:100", "8 24:-100"], "1:; 2: tea 1");
    let misplaced: Vec<bool> =
        attributions(&decided).iter().map(|attribution| attribution.evidence.misplaced).collect();
    assert_eq!(misplaced, [false, true, true]);
    check(&["1 at 5: 5 2, 14 8", "2 at 8: 24 8"], &["2 5:-100", "8 14:100", "8 24:-250"], "1:; 2: rice 1");
}

#[test]
fn a_press_is_nothing_and_a_lift_in_moves_is_one_item() {
    check(&["1 at 2: 5-6 2"], &["2 5:150 6:0"], "1:");
    check(&["1 at 2: 5-6 2"], &["2 5:-40 6:-100"], "1: tea 1");
    check(&["1 at 2: 5-6 2"], &["2 5:80 6:-100"], "1: tea 1");
}

#[test]
fn what_was_handed_over_and_put_back_is_taken_off_the_first_cart() {
    check(&["1 at 2: 5 2", "2 at 3: 20 2"], &["2 5:-100", "2 20:100"], "1:; 2:");
}

#[test]
fn a_wrong_catalogue_weight_is_learned() {
    let decided = check(&["1 at 11: 5 11, 15 11"], &["11 5:-340", "11 15:-341"], "1: oil 2");
    let weights: Vec<f64> =
        attributions(&decided).iter().map(|attribution| attribution.evidence.weight.expected.value()).collect();
    assert_eq!(weights, [-400.0, -340.0]);
    assert!(attributions(&decided)[1].evidence.weight.learned);
}

#[test]
fn a_weight_from_before_a_restart_is_used_at_once_and_overturned_by_one_take() {
    let known = |grams: f64| Learned {
        weights: vec![LearnedWeight { sku: SkuId::new("oil"), unit: Grams::new(grams), units: 8, at: at(0.0) }],
        ..Learned::default()
    };
    let told = |grams: f64, events: &[&str]| {
        let mut fusion = Fusion::new(shop(), OPTIONS);
        fusion.recall(&known(grams));
        let (fusion, decided) = run_with(fusion, &["1 at 11: 5 11, 15 11"], 0.0, events);
        let expected =
            attributions(&decided).iter().map(|one| one.evidence.weight.expected.value()).collect::<Vec<_>>();
        let learned = fusion.learned().weights;
        (expected, learned.iter().map(|weight| (weight.unit.value().round(), weight.units)).collect::<Vec<_>>())
    };
    assert_eq!(told(340.0, &["11 5:-340", "11 15:-341"]), (vec![-340.0, -340.0], vec![(340.0, 5)]));
    // The goods are others now: the first one is dear, and the second one is expected.
    assert_eq!(told(340.0, &["11 5:-280", "11 15:-281"]), (vec![-340.0, -280.0], vec![(281.0, 2)]));
    assert_eq!(told(340.0, &["11 5:-400", "11 15:-400"]).0[1], -400.0);
}

#[test]
fn the_clocks_offset_is_learned_from_takes() {
    let shoppers = ["1 at 5: 3 2, 7 5, 11 8, 15 3, 19 6, 23 9, 27 2, 31 5"];
    let events = ["2 3:-100", "5 7:-100", "8 11:-250", "3 15:-100", "6 19:-100", "9 23:-250", "2 27:-100", "5 31:-100"];
    for ahead_secs in [0.25, 0.0, -0.25] {
        let (fusion, decided) = run(&shoppers, ahead_secs, &events);
        let clock = fusion.clock();
        let off = clock.offset.as_secs() + ahead_secs;
        assert!(off.abs() < 0.1, "people {ahead_secs} s ahead: {clock:?}");
        assert_eq!((clock.events, attributions(&decided).len()), (8, 8));
    }
}

#[test]
fn events_of_unknown_shelves_are_counted() {
    let mut fusion = Fusion::new(shop(), Options { hypotheses_max: 96, eager: false });
    let stamp = Stamp { source: SourceId::new("shelf"), sequence: 1, at: at(5.0), arrived: at(5.0) };
    fusion.take(&Fact { stamp, body: Body::Shelf(event(ShelfId::new(9, 9), "2 5:-100")) });
    let counters = fusion.counters();
    assert_eq!((counters.events, counters.dropped_unknown_shelf), (1, 1));
    assert_eq!(fusion.finish(), []);
}

#[test]
fn open_visits_show_the_most_probable_carts_and_what_they_rest_on() {
    let shoppers = ["1 at 2: 5 2, 9 2", "2 at 8: 6 8, 15 8"];
    let events = ["2 5:-100", "8 6:-250", "2 9:-100", "8 15:250"];
    let at_secs = |secs: f64| open_text(&run_for(secs, None, &shoppers, 0.0, &events).0);
    assert_eq!(at_secs(10.0), "1:; 2:", "what is not explained yet is in no cart");
    assert_eq!(at_secs(18.0), "1: tea 1 [1]; 2: rice 1 [2]");
    assert_eq!(at_secs(22.0), "1: tea 2 [1 3]; 2: rice 1 [2]");
    assert_eq!(at_secs(30.0), "1: tea 2 [1 3]; 2:");
    let (mut fusion, _) = run_for(30.0, None, &shoppers, 0.0, &events);
    let open = fusion.open_visits();
    assert_eq!((open[0].entered, open[0].seen), (at(0.0), at(30.0 - FRAME)));
    assert!((open[0].place.unwrap().x - middle(2.0)).abs() < 1e-9);
    let causes = |line: &crate::facts::OpenLine| {
        let one = |cause: &crate::facts::LineCause| format!("{} {}", cause.shelf, cause.grams.round());
        line.causes.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(causes(&open[0].lines[0]), "1-1 -100, 1-1 -100");
    let first = &open[0].lines[0].causes[0];
    assert!((first.at - at(5.0)).abs() < Span::from_millis(1_500) && !first.misplaced && !first.plates.is_empty());
    assert_eq!(fusion.open_visits(), open, "looking changes nothing");
    fusion.finish();
    assert_eq!(open_text(&fusion), "");
}

#[test]
fn an_open_cart_is_as_doubted_as_its_receipt_will_be() {
    let (mut fusion, _) = run_for(30.0, None, &["1 at 2: 5 2"], 0.0, &["2 5:-100"]);
    let sure = fusion.open_visits().remove(0);
    fusion.lose(at(12.0));
    let open = fusion.open_visits().remove(0);
    assert!(!sure.interrupted && open.interrupted, "{open:?}");
    assert!(open.probability < sure.probability, "{} and {}", open.probability, sure.probability);
    let closed =
        fusion.finish().into_iter().find_map(|body| if let Body::Visit(closed) = body { Some(closed) } else { None });
    let closed = closed.expect("the visit is settled");
    assert_eq!((closed.probability, closed.interrupted.is_some()), (open.probability, open.interrupted));
}

#[test]
fn who_may_have_moved_goods_while_nobody_looked_is_interrupted() {
    let shoppers = ["1 at 2: 5 2", "2 at 60: "];
    let text = |hole: [f64; 2], events: &[&str]| open_text(&run_for(32.0, Some(hole), &shoppers, 0.0, events).0);
    // Before the hole; in it, too short for the other one to walk there and back; in a longer one.
    assert_eq!(text([10.0, 11.0], &["2 5:-100"]), "1: tea 1 [1]; 2:");
    assert_eq!(text([10.0, 11.0], &["2 10.5:-100"]), "1!: tea 1 [1]; 2:");
    assert_eq!(text([10.0, 20.0], &["2 15:-100"]), "1!:; 2!:");
    assert_eq!(text([10.0, 20.0], &["2 5:-100"]), "1: tea 1 [1]; 2:");
}

#[test]
fn who_is_not_seen_after_a_hole_is_interrupted_and_nobody_is_gone_for_the_hole_itself() {
    let gone = |hole: [f64; 2], length: f64| {
        let (mut fusion, mut decided) = run_for(length, Some(hole), &["1 at 2: 5 2"], 0.0, &["2 5:-100"]);
        let early = decided.len();
        decided.append(&mut fusion.finish());
        let of = |body: &Body| if let Body::Visit(closed) = body { closed.interrupted.clone() } else { None };
        (early, decided.iter().find_map(of))
    };
    assert_eq!(gone([8.0, 120.0], 130.0), (0, None), "seen again");
    let unseen = Some("not seen again after aisle was stopped".to_owned());
    assert_eq!(gone([8.0, 120.0], 119.0), (0, unseen));
}

/// Probability and mark of each visit, and what is said of the plates.
fn doubts(shoppers: &[&str], events: &[&str]) -> (Vec<(f64, String)>, Anomalies) {
    let (fusion, decided) = run(shoppers, 0.0, events);
    let closed = |body: &Body| match body {
        Body::Visit(closed) => Some((closed.probability.value(), closed.interrupted.clone().unwrap_or_default())),
        _ => None,
    };
    (decided.iter().filter_map(closed).collect(), fusion.anomalies())
}

#[test]
fn what_fits_leaves_no_doubt() {
    for (reaches, events) in [
        ("1 at 2: 5 2", vec!["2 5:-100"]),
        ("1 at 2: 5 2, 15 2", vec!["2 5:-100", "2 15:100"]),
        ("1 at 2: 5-6 2", vec!["2 5:150 6:0"]),
        ("1 at 2: 5 2", vec!["2 5:-9"]),
    ] {
        let (closed, anomalies) = doubts(&[reaches], &events);
        assert!(0.97 < closed[0].0 && closed[0].1.is_empty(), "{events:?}: {closed:?}");
        assert_eq!(anomalies, Anomalies::default(), "{events:?}");
    }
}

#[test]
fn a_rise_that_nobody_had_is_told_and_the_plate_named() {
    let (closed, anomalies) = doubts(&["1 at 8: 5 8"], &["8 5:250"]);
    assert!(closed[0].0 < 0.6, "{closed:?}");
    assert!(closed[0].1.contains("plate 1-1-8 went up by 250.0 g at 1970-01-01T00:16:45"), "{closed:?}");
    assert_eq!((anomalies.unexplained, anomalies.changes.len()), (1, 1));
    assert!(anomalies.plates[0].starts_with("plate 1-1-8 went up once by what its own goods weigh"), "{anomalies:?}");
}

#[test]
fn a_fall_that_no_product_weighs_is_told() {
    for grams in [-57.0, -170.0, -1_830.0] {
        let (closed, _) = doubts(&["1 at 8: 5 8"], &[&format!("8 5:{grams}")]);
        assert!(closed[0].0 < 0.9, "{grams}: {closed:?}");
        assert!(closed[0].1.contains(&format!("plate 1-1-8 went down by {:.1} g", -grams)), "{grams}: {closed:?}");
    }
}

#[test]
fn plates_that_move_by_another_ones_goods_or_by_a_ratio_are_named() {
    let (closed, anomalies) = doubts(&["1 at 8: 5 8"], &["1 5:-250"]);
    assert!(closed[0].0 < 0.9 || !closed[0].1.is_empty(), "{closed:?}");
    assert!(anomalies.plates[0].contains("goods of plate 1-1-8 weigh"), "{anomalies:?}");
    let (_, anomalies) = doubts(&["1 at 8: 5 8, 12 8, 20 8"], &["8 5:-208", "8 12:-208", "8 20:-208"]);
    assert!(anomalies.plates[0].contains("plate 1-1-8 moved 3 times by 0.832 times"), "{anomalies:?}");
}

#[test]
fn a_bag_that_is_put_down_and_taken_again_leaves_no_mark() {
    let (closed, _) = doubts(&["1 at 8: 5 8, 20 8"], &["8 5:1300", "8 20:-1300"]);
    assert!(closed[0].1.is_empty(), "{closed:?}");
    let (closed, _) = doubts(&["1 at 8: 5 8"], &["8 5:1300"]);
    assert!(closed[0].1.contains("nothing that anybody had weighs that"), "{closed:?}");
}

#[test]
fn goods_that_nobody_took_are_told_of_the_plate() {
    let (closed, _) = doubts(&["1 at 11: 5 11"], &["11 5:-400", "1 20:-100"]);
    assert!(closed[0].0 < 0.9, "nobody else was there: {closed:?}");
    let (closed, anomalies) = doubts(&[], &["1 20:-100"]);
    assert_eq!((closed.len(), anomalies.unexplained), (0, 1));
    assert!(anomalies.changes[0].contains("as by tea, and nobody was seen there"), "{anomalies:?}");
}

#[test]
fn goods_beside_a_silent_plate_explain_the_hand_that_is_there() {
    let shop = shop();
    let visit = VisitId::from_first_track(TrackId::new(1));
    let reaches = shopper("1 at 2: 5 2");
    let mut heard = Heard::default();
    for frame in 0..200 {
        let secs = f64::from(frame) * FRAME;
        heard.observe(&shop, visit, at(secs), &reaches.joints(secs));
    }
    let stay = TimeRange { start: at(0.0), end: at(20.0) };
    heard.shelves(vec![Some(stay)], [((0, 1), at(0.0))].into());
    let doubts = |heard: &Heard| heard.hearing(&shop, visit, stay, false).doubts.len();
    assert_eq!(doubts(&heard), 1);
    let took = |from: f64, to: f64| TimeRange { start: at(from), end: at(to) };
    heard.moved(visit, 0, (8, 8), took(4.8, 5.2));
    assert_eq!(doubts(&heard), 1, "goods that are far away explain nothing");
    heard.moved(visit, 0, (2, 2), took(9.0, 9.5));
    assert_eq!(doubts(&heard), 1, "neither do goods that moved later");
    heard.moved(visit, 0, (2, 2), took(4.8, 5.2));
    assert_eq!(doubts(&heard), 0);
}

#[test]
fn what_was_not_heard_lowers_what_is_said() {
    let shop = shop();
    let visit = VisitId::from_first_track(TrackId::new(1));
    let reaches = shopper("1 at 2: 1-19 2");
    let stay = TimeRange { start: at(0.0), end: at(20.0) };
    let heard = |shelves: Option<[f64; 2]>, gaps: &[[f64; 2]], silent: Option<f64>, unseen: [f64; 2]| {
        let mut heard = Heard::default();
        let range = |[from, to]: [f64; 2]| TimeRange { start: at(from), end: at(to) };
        for frame in 0..400 {
            let secs = f64::from(frame) * FRAME;
            if secs < unseen[0] || unseen[1] <= secs {
                let person = Person { track: TrackId::new(1), joints: reaches.joints(secs) };
                heard.frame(at(secs), frame as u64, &[person]);
                heard.observe(&shop, visit, at(secs), &reaches.joints(secs));
            }
        }
        gaps.iter().for_each(|gap| heard.gap(0, range(*gap)));
        let silent = silent.map(|since| ((0, 1), at(since))).into_iter().collect();
        heard.shelves(vec![shelves.map(range)], silent);
        let hearing = heard.hearing(&shop, visit, stay, false);
        (hearing.share, hearing.doubts.join("; "))
    };
    let all = Some([0.0, 20.0]);
    let none = [99.0, 99.0];
    assert_eq!(heard(all, &[], None, none), (1.0, String::new()));
    let (share, doubts) = heard(all, &[[3.0, 3.2]], None, none);
    assert!((0.99..1.0).contains(&share) && doubts.is_empty(), "{share} {doubts}");
    let (share, doubts) = heard(all, &[[2.0, 6.0], [8.0, 12.0]], None, none);
    assert!(share < 0.9 && doubts.contains("of the samples of shelf 1-1 are missing"), "{share} {doubts}");
    for (shelves, gaps, silent, unseen, expected) in [
        (Some([0.0, 10.0]), &[][..], None, none, "says nothing since"),
        (Some([10.0, 20.0]), &[][..], None, none, "said nothing before"),
        (None, &[][..], None, none, "shelf 1-1 says nothing, and a hand was there"),
        (all, &[][..], Some(5.0), none, "plate 1-1-2 says nothing, and a hand was on it"),
        (all, &[][..], None, [5.0, 12.0], "of the stay nobody was seen anywhere"),
    ] {
        let (_, doubts) = heard(shelves, gaps, silent, unseen);
        assert!(doubts.contains(expected), "{doubts}");
    }
}
