//! How many facts a second the core of an open shop takes: stored on disk, recorded, shown and decided, as fast as they are given.
//! `cargo bench --bench open_shop` is a day of the shop `convenience`; with `-- large SECONDS` so long in a shop of 40 boards that
//! send every sample of their twelve plates by itself, beside six cameras that detect. It prints the rate, how much faster than
//! real time that is, and what part of a processor the core took. `-- film SECONDS FILE` writes that day as a recording, for
//! `benches/live/load.sh`; `-- memory FILE` gives the facts of a recording to a shop, and prints its memory every minute of the
//! shop's time; `-- late FOLDER` says how late the facts of a shop's recording were stored.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on stops at the line")]

mod large;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use aisle::base::ShopTime;
use aisle::db;
use aisle::facts::{Body, Cut, Fact};
use aisle::ingest::devices::Devices;
use aisle::live::{OpenShop, Opening, Payers, RecordLimits, Surroundings, walk_in_method};
use aisle::ports::{
    Clock, Delivery, FactSink, FactSource, GateDesk, HealthBoard, Intake, Kept, LiveBoard, PlateBoard, ReportBoard,
    SeenBoard,
};
use aisle::recording::{Reader, Writer};
use aisle::shop::Shop;
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
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["memory", path] => memory(path.as_ref()),
        ["late", folder] => late(folder.as_ref()),
        ["film", secs, path] => film(secs.parse().unwrap(), path.as_ref()),
        ["large", secs] => {
            let (shop, secs) = (large::shop(), secs.parse().unwrap());
            let facts = large::Day::new(&shop, secs).collect();
            measure(shop, facts, secs);
        }
        _ => {
            let shop = Arc::new(aisle::config::load_shop("convenience".as_ref()).unwrap());
            let (scenario, level) = (Scenario::Open, Level::Clean);
            let options = sim::Options { shop: shop.clone(), scenario, level, seed: 5, secs: Some(300.0) };
            let mut source = Simulation::new(sim::trip(&options).unwrap());
            measure(shop, std::iter::from_fn(|| source.next_fact().unwrap()).collect(), 300.0);
        }
    }
}

fn film(secs: f64, path: &Path) {
    let shop = large::shop();
    let day = large::Day::new(&shop, secs);
    let mut writer = Writer::create(path, &shop, Some(&day.truth), Cut::Seen).unwrap();
    day.for_each(|fact| writer.put(&fact).unwrap());
    let written = writer.finish().unwrap();
    println!("{} facts, {} bytes", written.facts, written.bytes);
}

fn memory(path: &Path) {
    const MINUTE: i64 = 60_000_000_000;
    let mut reader = Reader::open(path).unwrap();
    let shop = Arc::new(reader.shop().clone());
    let mut fact = reader.next_fact().unwrap();
    let begun = fact.as_ref().unwrap().stamp.arrived;
    let (bench, mut minute) = (Bench::open(shop, begun), 0);
    while let Some(one) = fact {
        let passed = (one.stamp.arrived - begun).as_nanos() / MINUTE;
        // As in a shop that keeps up, nothing waits in queues.
        bench.give_last(one);
        if minute < passed {
            minute = passed;
            let [resident, anonymous] = ["VmRSS:", "RssAnon:"].map(memory_mib);
            println!("minute {minute}: {resident:.1} MiB, of which not of files {anonymous:.1}");
        }
        fact = reader.next_fact().unwrap();
    }
    bench.stop();
}

/// What the system says of this process's memory.
fn memory_mib(field: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.map_or(f64::NAN, |kib| kib / 1024.0)
}

fn late(folder: &Path) {
    let mut parts: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    parts.sort();
    let mut late = Vec::new();
    for part in parts {
        let mut reader = Reader::open(&part).unwrap();
        while let Some(fact) = reader.next_fact().unwrap() {
            if matches!(fact.body, Body::Plates(_)) {
                late.push(fact.stamp.arrived.secs_since(fact.stamp.at) * 1e3);
            }
        }
    }
    late.sort_unstable_by(f64::total_cmp);
    let share = |share: f64| late[((late.len() - 1) as f64 * share) as usize];
    println!(
        "{} plate messages, from the sample to the disk: {:.1} ms in the middle, 99 % {:.1}, 99.9 % {:.1}, the latest {:.1}",
        late.len(),
        share(0.5),
        share(0.99),
        share(0.999),
        share(1.0)
    );
}

/// A shop on files in a folder of its own, and its clock.
struct Bench {
    open: OpenShop,
    intake: Intake,
    clock: Arc<Told>,
    reports: ReportBoard,
    settler: Settler,
    /// Is deleted with this.
    _folder: tempfile::TempDir,
}

impl Bench {
    fn open(shop: Arc<Shop>, begun: ShopTime) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(Told(Mutex::new(begun)));
        let as_clock: Arc<dyn Clock> = clock.clone();
        let path = folder.path().join("book.db");
        let database = db::open(path.to_str().unwrap(), &db::Options::default(), begun).unwrap();
        let till = Arc::new(Mutex::new(Till::open(database, shop, begun).unwrap()));
        let settler = Settler::start(&till, &Providers::default(), &as_clock, 1);
        let reports = ReportBoard::default();
        let around = Surroundings {
            till,
            clock: as_clock,
            bell: settler.bell(),
            reports: reports.clone(),
            health: HealthBoard::default(),
            screens: LiveBoard::default(),
            plates: PlateBoard::default(),
            seen: SeenBoard::default(),
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
            learned: None,
            record: Some((folder.path().join("tape"), Cut::Seen, limits)),
            album: None,
        };
        let open = OpenShop::start(opening, around).unwrap();
        Bench { intake: open.intake(), open, clock, reports, settler, _folder: folder }
    }

    fn give(&self, fact: Fact, kept: Kept) {
        *self.clock.0.lock().unwrap() = fact.stamp.arrived;
        assert!(self.intake.give(Delivery { fact, kept }));
    }

    /// Gives a fact and waits until it is stored: all but the last handful are taken then.
    fn give_last(&self, fact: Fact) {
        let (told, kept) = crossbeam_channel::bounded(1);
        self.give(fact, Kept::then(move || told.send(()).unwrap()));
        kept.recv().unwrap();
    }

    fn stop(self) {
        drop(self.intake);
        self.open.stop().unwrap();
        self.settler.stop();
    }
}

fn measure(shop: Arc<Shop>, facts: Vec<Fact>, secs: f64) {
    let plates = facts.iter().filter(|fact| matches!(fact.body, Body::Plates(_))).count();
    let bench = Bench::open(shop, facts[0].stamp.arrived);
    let (started, count) = (Instant::now(), facts.len());
    for (number, fact) in facts.into_iter().enumerate() {
        if number + 1 < count { bench.give(fact, Kept::NOBODY) } else { bench.give_last(fact) }
    }
    let (busy, reports) = (busy_secs("core"), bench.reports.clone());
    bench.stop();
    let took = started.elapsed().as_secs_f64();
    println!(
        "{} facts, {plates} of them plate batches, in {took:.2} s: {:.0} facts a second, {:.0} times real time; the core \
         worked {busy:.2} s on its processor, {:.0} facts a second of it",
        count,
        count as f64 / took,
        secs / took,
        count as f64 / busy
    );
    for report in reports.latest() {
        let dropped: u64 = report.dropped.values().sum();
        println!("{}: {} taken, {} given, {dropped} lost", report.stage.name(), report.received, report.sent);
    }
}

/// Seconds that the thread of this name has worked so far; not a number where the system does not say.
fn busy_secs(name: &str) -> f64 {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return f64::NAN };
    let mut ticks = 0;
    for thread in threads.flatten() {
        let Ok(stat) = std::fs::read_to_string(thread.path().join("stat")) else { continue };
        let Some((head, rest)) = stat.rsplit_once(')') else { continue };
        if head.ends_with(&format!("({name}")) {
            ticks += rest.split_whitespace().skip(11).take(2).flat_map(str::parse::<u64>).sum::<u64>();
        }
    }
    // A tick is a hundredth of a second on every Linux that we know.
    ticks as f64 / 100.0
}
