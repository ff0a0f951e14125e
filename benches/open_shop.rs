//! How many facts a second the core of an open shop takes: stored on disk, recorded, shown and decided, as fast as they are given.
//! `cargo bench --bench open_shop`. It prints the rate, and how much faster than real time that is.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on stops at the line")]

use std::sync::{Arc, Mutex};
use std::time::Instant;

use aisle::base::ShopTime;
use aisle::db;
use aisle::facts::{Body, Cut, Fact};
use aisle::ingest::devices::Devices;
use aisle::live::{OpenShop, Opening, Payers, RecordLimits, Surroundings, walk_in_method};
use aisle::ports::{Clock, Delivery, FactSource, GateDesk, HealthBoard, Kept, LiveBoard, ReportBoard};
use aisle::sim::{self, Level, Scenario, Simulation};
use aisle::till::{Providers, Settler, Till};

/// A clock that is as late as the facts.
struct Told(Mutex<ShopTime>);

impl Clock for Told {
    fn now(&self) -> ShopTime {
        *self.0.lock().unwrap()
    }
}

fn main() {
    let shop = Arc::new(aisle::config::load_shop("convenience".as_ref()).unwrap());
    let options =
        sim::Options { shop: shop.clone(), scenario: Scenario::Open, level: Level::Clean, seed: 5, secs: Some(300.0) };
    let mut source = Simulation::new(sim::trip(&options).unwrap());
    let facts: Vec<Fact> = std::iter::from_fn(|| source.next_fact().unwrap()).collect();
    let plates = facts.iter().filter(|fact| matches!(fact.body, Body::Plates(_))).count();
    let folder = tempfile::tempdir().unwrap();
    let begun = facts[0].stamp.arrived;
    let clock = Arc::new(Told(Mutex::new(begun)));
    let as_clock: Arc<dyn Clock> = clock.clone();
    let path = folder.path().join("book.db");
    let database = db::open(path.to_str().unwrap(), &db::Options::default(), begun).unwrap();
    let till = Arc::new(Mutex::new(Till::open(database, shop, begun).unwrap()));
    let settler = Settler::start(&till, &Providers::default(), &as_clock, 1);
    let around = Surroundings {
        till,
        clock: as_clock,
        bell: settler.bell(),
        reports: ReportBoard::default(),
        health: HealthBoard::default(),
        screens: LiveBoard::default(),
        desk: GateDesk::default(),
    };
    let limits = RecordLimits { file_bytes: 256 << 20, disk_bytes: 1 << 40 };
    let opening = Opening {
        devices: Devices::default(),
        payers: Payers::WalkIns(walk_in_method()),
        eyes: None,
        exporter: None,
        journal: folder.path().join("journal"),
        unread: None,
        record: Some((folder.path().join("tape"), Cut::Tracked, limits)),
    };
    let open = OpenShop::start(opening, around).unwrap();
    let (intake, started) = (open.intake(), Instant::now());
    for fact in &facts {
        *clock.0.lock().unwrap() = fact.stamp.arrived;
        assert!(intake.give(Delivery { fact: fact.clone(), kept: Kept::NOBODY }));
    }
    drop(intake);
    open.stop().unwrap();
    settler.stop();
    let secs = started.elapsed().as_secs_f64();
    println!(
        "{} facts, {plates} of them plate batches, in {secs:.2} s: {:.0} facts a second, {:.0} times real time",
        facts.len(),
        facts.len() as f64 / secs,
        300.0 / secs
    );
}
