//! Every stage tells alike what came, what went, what was dropped and why, and what waits. One harness holds every report
//! against what was given to the stages and what came out of them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use aisle::base::{
    CameraId, CartId, DropReason, Extent, ShelfId, ShopTime, ShopperId, SourceId, Span, Stage, StageReport,
};
use aisle::config::load_shop;
use aisle::db;
use aisle::facts::{
    Body, DoorState, DoorSwitch, EntryRole, Fact, Frame, FrameFormat, GateScan, PaymentMethod, Stamp, Topic,
};
use aisle::image::{RgbImage, encode_jpeg};
use aisle::live::{Live, Payers};
use aisle::pipeline::{Engine, Eyes, EyesOptions, Loss, Options, Watched};
use aisle::ports::{Clock, FactSource, ReportBoard};
use aisle::sim::{Level, Scenario};
use aisle::till::{Enrolment, Till};

use super::sight::blind;
use super::trips::{SHOP, Tape, trip};

/// The reports of one time after another.
#[derive(Default)]
struct Harness {
    last: Vec<StageReport>,
    seen: u64,
}

impl Harness {
    /// Holds reports against what is true of all of them, and against those before.
    fn take(&mut self, reports: Vec<StageReport>) {
        let stages: Vec<Stage> = reports.iter().map(|report| report.stage).collect();
        let in_order = Stage::ALL.into_iter().filter(|stage| stages.contains(stage));
        assert!(in_order.eq(stages.iter().copied()), "each once, in the order of facts: {stages:?}");
        for report in &reports {
            assert_eq!(report.fault(), None);
        }
        for (before, now) in self.last.iter().zip(&reports) {
            let counts = |report: &StageReport| {
                let dropped: Vec<u64> = report.dropped.values().copied().collect();
                [vec![report.received, report.sent], dropped].concat()
            };
            let reasons = |report: &StageReport| report.dropped.keys().copied().collect::<Vec<_>>();
            assert_eq!((before.stage, reasons(before)), (now.stage, reasons(now)), "a reason does not come and go");
            let grown = counts(before).into_iter().zip(counts(now)).all(|(before, now)| before <= now);
            assert!(grown, "{before:?}, then {now:?}");
        }
        self.last = reports;
        self.seen += 1;
    }

    fn of(&self, stage: Stage) -> &StageReport {
        self.last.iter().find(|report| report.stage == stage).expect("every stage reports")
    }

    /// Reasons for which something was dropped in some stage.
    fn reasons(&self) -> BTreeMap<DropReason, u64> {
        let mut all = BTreeMap::new();
        for (reason, count) in self.last.iter().flat_map(|report| &report.dropped).filter(|(_, count)| 0 < **count) {
            *all.entry(*reason).or_insert(0) += count;
        }
        all
    }
}

/// A trip with everything that can happen to facts on their way.
fn faulty() -> Vec<Fact> {
    let mut facts = Vec::new();
    let trip = trip(Scenario::SameInstant, Level::Room, 1);
    let many = trip.facts.len();
    let mut left_behind = None;
    for (number, fact) in trip.facts.into_iter().enumerate() {
        let wrong = |change: &dyn Fn(&mut Fact)| {
            let mut wrong = fact.clone();
            change(&mut wrong);
            wrong
        };
        match (&fact.body, number) {
            // Said twice, and once more in other words.
            (Body::Plates(_), _) if number % 90 < 2 => {
                let other = wrong(&|fact| batch(fact, |grams, _| grams[0] += 5.0));
                facts.extend([fact.clone(), fact.clone(), other]);
            }
            (Body::Plates(_), _) if number % 90 < 4 => facts.push(wrong(&|fact| {
                batch(fact, |grams, _| {
                    grams.pop();
                })
            })),
            (Body::Plates(_), _) if number % 90 < 6 => facts.push(wrong(&|fact| {
                batch(fact, |_, first_at| *first_at = *first_at - Span::from_millis(20_000));
            })),
            (Body::Plates(_), _) if many / 3 < number && number < many / 3 + 60 => {
                left_behind.get_or_insert(fact);
            }
            (Body::Plates(_), _) if number % 90 < 8 => facts.push(wrong(&|fact| {
                if let Body::Plates(batch) = &mut fact.body {
                    batch.plates.iter_mut().for_each(|plate| plate.shelf = strange_shelf());
                }
            })),
            (Body::People(_), _) if number % 90 < 2 => facts.push(wrong(&|fact| {
                if let Body::People(frame) = &mut fact.body {
                    let people = frame.people.iter().cycle().take(300).cloned().collect();
                    frame.people = people;
                }
            })),
            (Body::People(_), _) if number % 90 < 4 => facts.extend([
                fact.clone(),
                // Once, and far ahead.
                wrong(&|fact| fact.stamp.at = fact.stamp.at + Span::from_millis(3_600_000 * (1 + number as i64 / 90))),
            ]),
            _ => facts.push(fact),
        }
    }
    facts.extend(left_behind);
    facts.push(shelf_event(&facts));
    facts.push(door(facts[0].stamp.at - Span::from_millis(3_600_000)));
    facts
}

fn batch(fact: &mut Fact, change: impl Fn(&mut Vec<f32>, &mut ShopTime)) {
    if let Body::Plates(batch) = &mut fact.body {
        change(&mut batch.grams, &mut batch.first_at);
    }
}

/// A door of which no stage thinks anything, an hour ago: that would be late if anybody waited for it.
fn door(at: ShopTime) -> Fact {
    let stamp = Stamp { source: SourceId::new("cooler"), sequence: 1, at, arrived: at };
    Fact { stamp, body: Body::Door(DoorSwitch { door: "cooler".to_owned(), state: DoorState::Open }) }
}

/// A shelf that the shop does not have.
fn strange_shelf() -> ShelfId {
    "9-9".parse().unwrap()
}

/// What a sensor that segments itself would say of such a shelf, at the end of a trip.
fn shelf_event(facts: &[Fact]) -> Fact {
    let at = facts.iter().filter(|fact| matches!(fact.body, Body::Plates(_))).map(|fact| fact.stamp.at);
    let mut at: Vec<ShopTime> = at.collect();
    at.sort();
    let at = at[at.len() - 1 - at.len() / 10];
    let event = serde_json::json!({ "shelf": strange_shelf(), "span": { "start": at, "end": at }, "plates": [] });
    let body = Body::Shelf(serde_json::from_value(event).unwrap());
    Fact { stamp: Stamp { source: SourceId::new("own"), sequence: 1, at, arrived: at }, body }
}

#[test]
fn every_stage_of_the_engine_reports_alike() {
    let mut engine = Engine::new(&SHOP, Options::USUAL);
    let (mut harness, mut given) = (Harness::default(), BTreeMap::<(Topic, bool), u64>::new());
    let mut count = |fact: &Fact| {
        let own = ["own", "plates", "people"].iter().any(|source| fact.stamp.source.as_str().starts_with(source));
        *given.entry((fact.body.topic(), own || fact.body.topic().is_ground())).or_insert(0) += 1;
    };
    let facts = faulty();
    let taken = facts.len() as u64;
    for fact in facts {
        engine.take(fact, &mut count);
        harness.take(engine.reports());
    }
    engine.lose(2);
    engine.finish(&mut count);
    harness.take(engine.reports());
    assert!(200 < harness.seen, "{}", harness.seen);

    let ground = |topic| given.get(&(topic, true)).copied().unwrap_or(0);
    let derived = |topic| given.get(&(topic, false)).copied().unwrap_or(0);
    let [reorder, shelf, stitcher, fusion, cart] =
        [Stage::Reorder, Stage::Shelf, Stage::Stitcher, Stage::Fusion, Stage::Cart].map(|stage| harness.of(stage));
    assert_eq!(reorder.received, taken);
    assert_eq!(reorder.sent, ground(Topic::Plates) + ground(Topic::People) + ground(Topic::Shelf));
    assert_eq!((shelf.received, shelf.sent), (ground(Topic::Plates), derived(Topic::Shelf)));
    assert_eq!((stitcher.received, stitcher.sent), (ground(Topic::People), derived(Topic::Track)));
    assert_eq!(fusion.sent, derived(Topic::Attribution) + derived(Topic::Visit));
    assert_eq!((cart.received, cart.sent), (fusion.sent, derived(Topic::Receipt)));
    assert!(0 < cart.sent && 0 < shelf.sent);
    assert!(harness.last.iter().all(|report| report.depth == 0), "nothing waits at the end: {:?}", harness.last);

    let found: Vec<DropReason> = harness.reasons().into_keys().collect();
    let expected: Vec<DropReason> = DropReason::ALL
        .into_iter()
        .filter(|reason| ![DropReason::WrongSize, DropReason::Stale].contains(reason))
        .collect();
    assert_eq!(found, expected, "{:?}", harness.last);
    agrees(&harness, &Loss::of(&engine.counters()));
}

/// What was lost, as `replay` tells it, is what the stages report.
fn agrees(harness: &Harness, loss: &Loss) {
    let dropped = harness.reasons();
    let count = |reason| dropped.get(&reason).copied().unwrap_or(0);
    let told = [
        (loss.late, DropReason::Late),
        (loss.leaping, DropReason::ClockJump),
        (loss.conflicting, DropReason::Conflict),
        (loss.astray, DropReason::WrongTime),
        (loss.malformed, DropReason::Malformed),
        (loss.stale, DropReason::Stale),
        (loss.unread, DropReason::Unreadable),
        (loss.people_left_out, DropReason::Excess),
        (loss.unknown_shelf, DropReason::UnknownSource),
    ];
    for (lost, reason) in told {
        assert_eq!(lost, count(reason), "{reason:?}");
    }
    // There it is less what was dropped, which leaves gaps as well.
    assert!(loss.missing <= count(DropReason::Missing));
}

/// A clock that is of no account.
struct Noon;

impl Clock for Noon {
    fn now(&self) -> ShopTime {
        ShopTime::from_nanos(1_800_000_000_000_000_000)
    }
}

#[test]
fn an_open_shop_shows_the_reports_of_all_its_stages() {
    let database = db::open("sqlite::memory:", &db::Options::default(), Noon.now()).unwrap();
    let mut till = Till::open(database, SHOP.clone(), Noon.now()).unwrap();
    let shopper = ShopperId::derived(&["stages"]);
    let text = |text: &str| text.to_owned();
    let method = PaymentMethod { provider: text("sandbox"), customer: text("anna"), token: text("ok") };
    let enrolment = Enrolment { id: shopper, name: None, contact: None, method: Some(method), gate_digest: None };
    till.enrol(&enrolment, Noon.now()).unwrap();
    let facts = trip(Scenario::SameInstant, Level::Room, 1).facts;
    let opened = facts[0].stamp.at;
    let cart = CartId::derived(&["stages"]);
    till.announce(shopper, cart, "door", opened).unwrap();

    let (live, _) = Live::open(&mut till, Payers::Gates, Options::USUAL, Arc::new(Noon)).unwrap();
    let board = ReportBoard::default();
    assert!(board.latest().is_empty(), "nobody has shown anything");
    let mut live = live.showing_on(board.clone());
    let mut harness = Harness::default();
    for _ in 0..2 {
        // Readers repeat themselves.
        let scan = GateScan { cart, gate: text("door"), people: 1, role: EntryRole::Shopper };
        let stamp = Stamp { source: SourceId::new("door"), sequence: 1, at: opened, arrived: opened };
        live.take(&mut till, Fact { stamp, body: Body::Gate(scan) }).unwrap();
    }
    let mut closed = 0;
    for fact in facts {
        closed += live.take(&mut till, fact).unwrap().len() as u64;
        harness.take(live.reports());
    }
    closed += live.finish(&mut till).unwrap().len() as u64;
    harness.take(board.latest());

    let (identity, book) = (harness.of(Stage::Identity), harness.of(Stage::Book));
    assert_eq!(identity.dropped, BTreeMap::from([(DropReason::Duplicate, 1)]));
    assert!(2 < identity.received && 0 < identity.sent && 0 < closed, "{identity:?}");
    assert!(
        harness.of(Stage::Cart).sent <= book.sent,
        "every receipt is written, and every entry that is over: {book:?}"
    );
    assert_eq!(harness.last.len(), 7);
    assert!(harness.last.iter().all(|report| report.depth == 0), "{:?}", harness.last);
}

/// A frame of a camera at an instant.
fn frame(camera: &str, sequence: u64, at: ShopTime, data: &[u8]) -> Fact {
    let stamp = Stamp { source: SourceId::new(&format!("camera/{camera}")), sequence, at, arrived: at };
    let frame = Frame { camera: CameraId::new(camera), format: FrameFormat::Jpeg, data: data.into() };
    Fact { stamp, body: Body::Frame(frame) }
}

#[test]
fn frames_that_are_looked_at_are_reported_alike() {
    let shop = Arc::new(load_shop(Path::new("micro-market")).unwrap());
    let size = shop.cameras()[0].size_pixels;
    let jpeg = |width: u32, height: u32| {
        let grey = RgbImage::from_pixels(width, height, vec![90; (3 * width * height) as usize]).unwrap();
        encode_jpeg(&grey, 80).unwrap()
    };
    let (whole, square) = (jpeg(size[0], size[1]), jpeg(size[1], size[1]));
    let begun = ShopTime::from_nanos(1_700_000_000_000_000_000);
    let mut facts = Vec::new();
    for number in 0..12_u64 {
        let at = begun + Span::from_millis(100 * number as i64);
        for camera in shop.cameras() {
            let data = match number {
                3 => &square[..],
                5 => &whole[..whole.len() / 2],
                _ => &whole[..],
            };
            facts.push(frame(camera.id.as_str(), number, at, data));
        }
        if number == 7 {
            facts.push(frame("nowhere", number, at, &whole));
            facts.push(frame(shop.cameras()[0].id.as_str(), 100, at + Span::from_millis(3_600_000), &whole));
        }
    }
    let (taken, mut harness) = (facts.len() as u64, Harness::default());
    let mut tape = Tape::new(&shop, facts);
    let eyes = Eyes::new(vec![blind()], EyesOptions::usual(shop.cameras().len())).with_cameras(shop.cameras());
    let mut watched = Watched::new(&mut tape, eyes);
    let mut given = BTreeMap::<Topic, u64>::new();
    while let Some(fact) = watched.next_fact().unwrap() {
        *given.entry(fact.body.topic()).or_insert(0) += 1;
        harness.take(watched.reports());
    }
    harness.take(watched.reports());

    let (eyes, sight) = (harness.of(Stage::Eyes), harness.of(Stage::Sight));
    let cameras = shop.cameras().len() as u64;
    assert_eq!((eyes.received, eyes.sent), (taken, given[&Topic::Seen]));
    assert_eq!((sight.received, sight.sent), (given[&Topic::Seen], given[&Topic::People]));
    let expected = [
        (DropReason::WrongTime, 1),
        (DropReason::Malformed, cameras),
        (DropReason::WrongSize, cameras),
        (DropReason::UnknownSource, 1),
    ];
    assert_eq!(harness.reasons(), BTreeMap::from(expected));
    let whole = |reason: &DropReason| reason.extent() == Extent::Whole;
    assert_eq!(harness.reasons().into_keys().filter(whole).count(), 4);
}
