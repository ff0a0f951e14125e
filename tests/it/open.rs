//! A shop that is open: what it takes is stored, recorded and decided, and a replay of the recording decides the same.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use aisle::base::{DropReason, PlateId, ShopTime, SourceId, Span, Stage};
use aisle::db::{self, carts};
use aisle::facts::{Body, Cut, DoorState, DoorSwitch, Fact, Receipt, Stamp, TagRead, TagReads, Tick};
use aisle::ingest::devices::Devices;
use aisle::live::{OpenShop, Opening, Payers, RecordLimits, Surroundings, walk_in_method};
use aisle::pipeline::{Engine, Options, RunOptions, run};
use aisle::ports::{
    Clock, Delivery, FactSource, GateDesk, HealthBoard, HealthWord, Kept, LiveBoard, LiveChange, PlateBoard,
    ReportBoard, SeenBoard,
};
use aisle::replay::{self, Replay};
use aisle::shop::Shop;
use aisle::sim::{self, Level, Scenario, Simulation};
use aisle::till::{Settler, Till};
use crossbeam_channel::bounded;

/// A clock that is as late as its test says.
struct Told(Mutex<ShopTime>);

impl Clock for Told {
    fn now(&self) -> ShopTime {
        *self.0.lock().unwrap()
    }
}

/// An open shop on files in a folder, and its clock.
pub(super) struct Bench {
    open: OpenShop,
    clock: Arc<Told>,
    health: HealthBoard,
    screens: LiveBoard,
    plates: PlateBoard,
    reports: ReportBoard,
    settler: Settler,
}

impl Bench {
    pub(super) fn open(folder: &Path, shop: &Arc<Shop>, now: ShopTime) -> Self {
        Bench::with_parts_of(1 << 20, folder, shop, now)
    }

    /// The same, whose recording is in parts of so many bytes.
    fn with_parts_of(file_bytes: u64, folder: &Path, shop: &Arc<Shop>, now: ShopTime) -> Self {
        let clock = Arc::new(Told(Mutex::new(now)));
        let database = db::open(folder.join("book.db").to_str().unwrap(), &db::Options::default(), now).unwrap();
        let till = Arc::new(Mutex::new(Till::open(database, shop.clone(), now).unwrap()));
        let as_clock: Arc<dyn Clock> = clock.clone();
        let settler = Settler::start(&till, &BTreeMap::new(), &as_clock, 1);
        let (health, screens, plates) = (HealthBoard::default(), LiveBoard::default(), PlateBoard::default());
        let reports = ReportBoard::default();
        let around = Surroundings {
            till,
            clock: as_clock,
            bell: settler.bell(),
            reports: reports.clone(),
            health: health.clone(),
            screens: screens.clone(),
            plates: plates.clone(),
            seen: SeenBoard::default(),
            desk: GateDesk::default(),
        };
        let limits = RecordLimits { file_bytes, disk_bytes: 1 << 40 };
        let opening = Opening {
            devices: Devices::default(),
            payers: Payers::WalkIns(walk_in_method()),
            eyes: None,
            exporter: None,
            unread: None,
            journal: folder.join("journal"),
            record: Some((folder.join("tape"), Cut::Tracked, limits)),
            album: None,
            learned: Some(folder.join("book.db.learned.toml")),
        };
        Bench { open: OpenShop::start(opening, around).unwrap(), clock, health, screens, reports, settler, plates }
    }

    /// Gives facts at the time at which they arrived, each when the one before it is kept.
    pub(super) fn give(&self, facts: &[Fact]) {
        for fact in facts {
            *self.clock.0.lock().unwrap() = fact.stamp.arrived;
            let (told, kept) = bounded(1);
            let kept_then = Kept::then(move || told.send(()).unwrap());
            assert!(self.open.intake().give(Delivery { fact: fact.clone(), kept: kept_then }));
            kept.recv().unwrap();
        }
    }

    pub(super) fn stop(self) {
        self.open.stop().unwrap();
        self.settler.stop();
    }
}

pub(super) fn trip(scenario: Scenario, level: Level, seed: u64) -> (Arc<Shop>, Vec<Fact>) {
    let shop = Arc::new(sim::demo_shop());
    let trip = sim::trip(&sim::Options { shop: shop.clone(), scenario, level, seed, secs: None }).unwrap();
    let mut source = Simulation::new(trip);
    (shop, std::iter::from_fn(|| source.next_fact().unwrap()).collect())
}

/// Carts that a person has to look at before anything is charged.
fn waiting(folder: &Path) -> usize {
    let path = folder.join("book.db");
    let mut database = db::open(path.to_str().unwrap(), &db::Options::default(), ShopTime::MIN).unwrap();
    let all = database.transaction(|session| carts::after(session, None, 1_000)).unwrap();
    all.iter().filter(|cart| cart.state == carts::CartState::Review).count()
}

/// Every receipt in the book of a shop in this folder.
pub(super) fn booked(folder: &Path) -> Vec<Receipt> {
    let path = folder.join("book.db");
    let mut database = db::open(path.to_str().unwrap(), &db::Options::default(), ShopTime::MIN).unwrap();
    let all = database.transaction(|session| {
        let all = carts::after(session, None, 1_000)?;
        let versions = all.iter().map(|cart| carts::receipts(session, cart.id));
        Ok::<_, db::Failure>(versions.collect::<Result<Vec<_>, _>>()?.concat())
    });
    let mut receipts: Vec<Receipt> = all.unwrap().into_iter().map(|version| version.receipt).collect();
    receipts.sort_by_key(|receipt| (receipt.left, receipt.visit));
    receipts
}

/// Every receipt that a recording replays to.
pub(super) fn replayed(recording: &Path) -> Vec<Receipt> {
    let mut source: Replay = replay::open(recording, None, replay::Options { tolerate: false }).unwrap();
    let options = RunOptions { engine: Options::USUAL, tolerate: false, threads: 1 };
    let mut receipts = run(&mut source, options, None).unwrap().receipts;
    receipts.sort_by_key(|receipt| (receipt.left, receipt.visit));
    receipts
}

/// Ticks of two minutes behind the last fact, so that everybody who left has left.
pub(super) fn silence_after(facts: &[Fact]) -> Vec<Fact> {
    let end = facts.iter().map(|fact| fact.stamp.arrived).max().unwrap();
    let tick = |secs: u32| {
        let at = end + Span::from_secs(f64::from(secs));
        let stamp = Stamp { source: SourceId::new("test"), sequence: u64::from(secs), at, arrived: at };
        Fact { stamp, body: Body::Tick(Tick::default()) }
    };
    (1..=120).map(tick).collect()
}

/// The same facts, every so many-th of which comes later by so much.
fn delayed(mut facts: Vec<Fact>, nth: usize, by: Span) -> Vec<Fact> {
    for fact in facts.iter_mut().skip(nth / 2).step_by(nth) {
        fact.stamp.arrived = fact.stamp.arrived + by;
    }
    facts.sort_by_key(|fact| fact.stamp.arrived);
    facts
}

#[test]
fn what_was_live_is_what_is_replayed() {
    let late = Span::from_millis(12_000);
    for (scenario, level, seed, by) in [
        (Scenario::Mixed, Level::Room, 3, Span::ZERO),
        (Scenario::ThreeShoppers, Level::Room, 4, Span::from_millis(2_000)),
        (Scenario::Mixed, Level::Clean, 5, late),
    ] {
        let (shop, facts) = trip(scenario, level, seed);
        let facts = delayed(facts, 40, by);
        let folder = tempfile::tempdir().unwrap();
        let bench = Bench::open(folder.path(), &shop, facts[0].stamp.arrived);
        bench.give(&facts);
        bench.give(&silence_after(&facts));
        bench.stop();
        let (booked, replayed) = (booked(folder.path()), replayed(&folder.path().join("tape")));
        assert!(!booked.is_empty() && booked.iter().any(|receipt| !receipt.lines.is_empty()), "{scenario:?}");
        assert_eq!(booked, replayed, "{scenario:?}");
        let certain = booked.iter().filter(|receipt| !receipt.is_for_review(shop.policy().review_below)).count();
        let sure = booked.iter().filter(|receipt| 0.99 <= receipt.probability.value()).count();
        assert!(by < late || sure == 0, "facts were lost, and {sure} receipts are as certain as without");
        assert_eq!(waiting(folder.path()), booked.len() - certain, "whoever pays at once is charged at once");
    }
}

#[test]
fn lines_rest_on_changes_that_screens_were_told_of_and_plates_have_their_curves() {
    let (shop, facts) = trip(Scenario::Mixed, Level::Clean, 5);
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(folder.path(), &shop, facts[0].stamp.arrived);
    let (mut seen, mut told, mut named) = (0, BTreeMap::new(), BTreeMap::new());
    for some in facts.chunks(200) {
        bench.give(some);
        for (number, change) in bench.screens.since(seen).unwrap() {
            seen = number;
            match &*change {
                LiveChange::Shelf { event, plates, span, .. } => {
                    told.insert(event.clone(), (span.end, plates.clone()));
                }
                LiveChange::Carts { visits, .. } => {
                    let lines = visits.iter().flat_map(|visit| &visit.lines);
                    named.extend(
                        lines.flat_map(|line| line.events.iter().map(|event| (event.clone(), line.sku.clone()))),
                    );
                }
                _ => {}
            }
        }
    }
    assert!(3 < named.len());
    let mut planned = 0;
    for (event, sku) in &named {
        let (_, plates) = told.get(event).unwrap_or_else(|| panic!("nobody was told of {event:?}"));
        let sku_of = |plate: PlateId| shop.shelf(plate.shelf).unwrap().facing_of(plate)?.sku.clone();
        planned += usize::from(plates.iter().any(|plate| sku_of(plate.plate).as_ref() == Some(sku)));
    }
    // Some things are put where they do not belong.
    assert!(named.len() < 2 * planned, "{planned} of {}", named.len());
    // The last change of a plate is the last step of its curve.
    let (end, plates) = told.values().max_by_key(|(end, _)| *end).unwrap();
    let felt = plates.iter().max_by(|a, b| a.grams.abs().total_cmp(&b.grams.abs())).unwrap();
    let curve = bench.plates.curve(felt.plate, *end + Span::from_millis(5_000)).unwrap();
    assert!(600 < curve.samples.len(), "{}", curve.samples.len());
    let [.., before, after] = curve.rests[..] else { panic!("{:?}", curve.rests) };
    assert!((after.grams - before.grams - felt.grams).abs() < 3.0, "{:?} {felt:?}", curve.rests);
    let read: Vec<f64> =
        curve.samples.iter().filter(|(at, _)| *end < *at).map(|(_, grams)| f64::from(*grams)).collect();
    let mean = read.iter().sum::<f64>() / read.len() as f64;
    assert!((mean - after.grams).abs() < 10.0, "{mean} {:?}", curve.rests);
    bench.stop();
}

/// The same facts from boards that segment by themselves: what the engine finds in samples, each board says when it has found it.
fn segmented(shop: &Arc<Shop>, facts: &[Fact]) -> Vec<Fact> {
    let mut engine = Engine::new(shop, Options::USUAL);
    let mut said = Vec::new();
    let mut hear = |fact: &Fact| {
        if let Body::Shelf(event) = &fact.body {
            let Stamp { at, arrived, .. } = fact.stamp;
            // One board has two shelves, which may change at one instant.
            let source = SourceId::new(&format!("board/{}", event.shelf.to_string().split('-').next().unwrap()));
            let stamp = Stamp { source, sequence: 0, at, arrived: arrived.max(at) };
            said.push(Fact { stamp, body: Body::BoardEvent(event.clone()) });
        }
    };
    facts.iter().for_each(|fact| engine.take(fact.clone(), &mut hear));
    engine.finish(&mut hear);
    said.sort_by_key(|fact| fact.stamp.arrived);
    let mut numbers = BTreeMap::<SourceId, u64>::new();
    for fact in &mut said {
        let number = numbers.entry(fact.stamp.source.clone()).or_default();
        *number += 1;
        fact.stamp.sequence = *number;
    }
    assert!(1 < said.len());
    said.extend(facts.iter().filter(|fact| !matches!(fact.body, Body::Plates(_))).cloned());
    said.sort_by_key(|fact| fact.stamp.arrived);
    said
}

/// A switch of a door and a reader of tags that speak all the time, with clocks that may be wrong.
fn switches(facts: &[Fact]) -> Vec<Fact> {
    let mut said = Vec::new();
    for (number, fact) in facts.iter().enumerate().step_by(20) {
        let arrived = fact.stamp.arrived;
        let state = DoorState::ALL[number / 20 % 2];
        let door = Body::Door(DoorSwitch { door: "cooler".to_owned(), state });
        let read = |antenna| TagRead { epc: "3034257BF7194E4000001A85".to_owned(), antenna, rssi_dbm: Some(-61.5) };
        let tags = Body::Tags(TagReads { reader: "exit".to_owned(), reads: vec![read(1), read(2)] });
        for (source, body) in [("door/cooler", door), ("reader/1", tags)] {
            let stamp = Stamp { source: SourceId::new(source), sequence: number as u64, at: arrived, arrived };
            said.push(Fact { stamp, body });
        }
    }
    said
}

#[test]
fn boards_that_segment_by_themselves_are_recorded_and_replay_to_the_same_receipts() {
    for (scenario, seed) in [(Scenario::Mixed, 3), (Scenario::CloseTogether, 4)] {
        let (shop, facts) = trip(scenario, Level::Clean, seed);
        let facts = segmented(&shop, &facts);
        let folder = tempfile::tempdir().unwrap();
        let bench = Bench::open(folder.path(), &shop, facts[0].stamp.arrived);
        bench.give(&facts);
        bench.give(&silence_after(&facts));
        assert!(bench.health.get("recorder").is_none(), "everything is recorded");
        bench.stop();
        let (booked, tape) = (booked(folder.path()), folder.path().join("tape"));
        assert!(booked.iter().any(|receipt| !receipt.lines.is_empty()), "{scenario:?}");
        assert_eq!(booked, replayed(&tape), "{scenario:?}");
        let recorded = kinds(&tape);
        let said = facts.iter().filter(|fact| matches!(fact.body, Body::BoardEvent(_))).count();
        assert_eq!(recorded.get("/board_events"), Some(&said), "{scenario:?}: {recorded:?}");
        assert!(!recorded.contains_key("/shelf"), "what follows from them is not recorded: {recorded:?}");
    }
}

#[test]
fn doors_and_tags_are_kept_and_shown_and_change_no_receipt() {
    let (shop, facts) = trip(Scenario::Mixed, Level::Clean, 6);
    let tape = |facts: &[Fact]| {
        let folder = tempfile::tempdir().unwrap();
        let bench = Bench::open(folder.path(), &shop, facts[0].stamp.arrived);
        bench.give(facts);
        bench.give(&silence_after(facts));
        let (snapshot, reports) = (bench.screens.snapshot(), bench.reports.clone());
        bench.stop();
        (folder, snapshot, reports.latest())
    };
    let (without, ..) = tape(&facts);
    let switches = switches(&facts);
    let mut both = [facts, switches.clone()].concat();
    both.sort_by_key(|fact| fact.stamp.arrived);
    let (with, snapshot, reports) = tape(&both);
    let booked_with = booked(with.path());
    assert!(booked_with.iter().any(|receipt| !receipt.lines.is_empty()));
    assert_eq!(booked_with, booked(without.path()), "they neither hold up a decision nor bring one on");
    assert_eq!(booked_with, replayed(&with.path().join("tape")));
    let recorded = kinds(&with.path().join("tape"));
    assert_eq!((recorded["/doors"], recorded["/tags"]), (switches.len() / 2, switches.len() / 2));
    let reorder = reports.iter().find(|report| report.stage == Stage::Reorder).unwrap();
    assert_eq!(reorder.dropped[&DropReason::Unused], switches.len() as u64, "that nothing follows from them is told");
    let doors: Vec<_> = snapshot.changes.iter().filter(|change| change.kind() == "door").collect();
    let Body::Door(last) = &switches[switches.len() - 2].body else { panic!() };
    let is_last = |change: &LiveChange| matches!(change, LiveChange::Door { state, .. } if *state == last.state);
    assert!(doors.len() == 1 && is_last(doors[0]), "{doors:?}");
}

/// How many facts of each kind a recording in parts holds.
fn kinds(tape: &Path) -> BTreeMap<&'static str, usize> {
    let mut source = replay::open(tape, None, replay::Options { tolerate: false }).unwrap();
    let mut kinds = BTreeMap::new();
    while let Some(fact) = source.next_fact().unwrap() {
        *kinds.entry(fact.body.topic().name()).or_insert(0) += 1;
    }
    kinds
}

#[test]
fn a_shop_that_is_closed_in_the_middle_goes_on_and_its_parts_replay_as_one() {
    let (shop, facts) = trip(Scenario::Mixed, Level::Room, 7);
    let folder = tempfile::tempdir().unwrap();
    let (before, after) = facts.split_at(facts.len() / 2);
    let bench = Bench::open(folder.path(), &shop, facts[0].stamp.arrived);
    bench.give(before);
    bench.stop();
    let bench = Bench::open(folder.path(), &shop, after[0].stamp.arrived);
    bench.give(after);
    bench.give(&silence_after(&facts));
    bench.stop();
    let parts = std::fs::read_dir(folder.path().join("tape")).unwrap().count();
    assert!(2 <= parts, "{parts}");
    let booked = booked(folder.path());
    assert_eq!(
        (booked.len(), &booked),
        (replayed(&folder.path().join("tape")).len(), &replayed(&folder.path().join("tape")))
    );
}

#[test]
fn a_recording_whose_folder_is_gone_is_told_and_goes_on_when_it_is_back() {
    let (shop, facts) = trip(Scenario::SinglePick, Level::Clean, 3);
    let folder = tempfile::tempdir().unwrap();
    let (tape, away) = (folder.path().join("tape"), folder.path().join("away"));
    let bench = Bench::with_parts_of(1 << 12, folder.path(), &shop, facts[0].stamp.arrived);
    let (before, rest) = facts.split_at(facts.len() / 3);
    let (without, after) = rest.split_at(rest.len() / 2);
    bench.give(before);
    assert_eq!(bench.health.get("recorder"), None, "it is there when something could not be recorded");
    std::fs::rename(&tape, &away).unwrap();
    bench.give(without);
    let told = bench.health.get("recorder").unwrap();
    assert_eq!((told.health, told.cause.as_deref()), (HealthWord::Degraded, Some("facts could not be recorded")));
    assert!(told.remedy.is_some_and(|remedy| remedy.contains("room on its disk")));
    let lost = told.counters["unrecorded"];
    // Ticks of the clock are facts as well.
    assert!(0 < lost && lost < without.len() as u64 + 200, "{lost} of {}", without.len());
    std::fs::rename(&away, &tape).unwrap();
    bench.give(after);
    let well = bench.health.get("recorder").unwrap();
    assert_eq!((well.health, well.cause.as_deref()), (HealthWord::Online, None));
    assert!(well.counters["unrecorded"] - lost < 100, "{well:?}");
    bench.stop();
    let mut source: Replay = replay::open(&tape, None, replay::Options { tolerate: false }).unwrap();
    let recorded =
        std::iter::from_fn(|| source.next_fact().unwrap()).filter(|fact| fact.body.topic().is_ground()).count();
    assert!(before.len() + after.len() < recorded + 200, "{recorded} of {}", facts.len());
}

#[test]
fn a_clock_that_is_wrong_is_told_and_set_right() {
    let (shop, mut facts) = trip(Scenario::SinglePick, Level::Clean, 2);
    let behind = Span::from_millis(90_000);
    for fact in &mut facts {
        if let Body::Plates(batch) = &mut fact.body {
            (fact.stamp.at, batch.first_at) = (fact.stamp.at - behind, batch.first_at - behind);
        }
    }
    let source = facts.iter().find(|fact| matches!(fact.body, Body::Plates(_))).unwrap().stamp.source.clone();
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(folder.path(), &shop, facts[0].stamp.arrived);
    bench.give(&facts);
    let health = bench.health.get(source.as_str()).unwrap();
    assert_eq!(health.health, HealthWord::Degraded, "{health:?}");
    assert!(health.cause.unwrap().contains("clock") && 0 < health.counters["clock_corrected"]);
    assert!((-91.0..-89.0).contains(&health.clock_offset_secs.unwrap()), "{:?}", health.clock_offset_secs);
    bench.give(&silence_after(&facts));
    let changes = bench.screens.since(0).unwrap_or_default();
    let told = changes.iter().any(|(_, change)| matches!(change.as_ref(), LiveChange::Health { .. }));
    assert!(told || changes.is_empty(), "the oldest changes give way");
    bench.stop();
}
