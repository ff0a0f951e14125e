//! Trips for tests: simulated ones, the real one where its data is, and what the engine makes of them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use aisle::base::rng::dice;
use aisle::base::{Error, Span};
use aisle::eval::DoubtKind;
use aisle::facts::{EachBody, Fact, Receipt, Said};
use aisle::pipeline::{Options, Outcome, RunOptions, run};
use aisle::ports::{FactSink, FactSource};
use aisle::replay;
use aisle::shop::Shop;
use aisle::sim::{self, Level, Scenario, Trip};
use aisle::truth::Purchases;
use rand::RngExt;

/// How tests run a source unless they say otherwise.
pub(super) const RUN: RunOptions = RunOptions { engine: Options::USUAL, tolerate: false, threads: 1 };

/// The simulator's shop.
pub(super) static SHOP: LazyLock<Arc<Shop>> = LazyLock::new(|| Arc::new(sim::demo_shop()));

/// Facts that are played from memory.
pub(super) struct Tape {
    shop: Arc<Shop>,
    facts: std::vec::IntoIter<Fact>,
}

/// What came out of a run.
pub(super) struct Told {
    /// JSON of every derived fact, one a line.
    pub(super) derived: String,
    /// The receipts in the exchange format.
    pub(super) purchases: Purchases,
    pub(super) outcome: Outcome,
}

/// Keeps what the engine derives, as text.
#[derive(Default)]
struct Lines(String);

impl Tape {
    /// These facts of this shop, in this order.
    pub(super) fn new(shop: &Arc<Shop>, facts: Vec<Fact>) -> Self {
        Tape { shop: shop.clone(), facts: facts.into_iter() }
    }
}

impl FactSource for Tape {
    fn shop(&self) -> &Shop {
        &self.shop
    }

    fn next_fact(&mut self) -> Result<Option<Fact>, Error> {
        Ok(self.facts.next())
    }
}

impl FactSink for Lines {
    fn put(&mut self, fact: &Fact) -> Result<(), Error> {
        if !fact.body.topic().is_ground() {
            self.0 += &json(fact);
            self.0.push('\n');
        }
        Ok(())
    }
}

/// A fact as JSON.
pub(super) fn json(fact: &Fact) -> String {
    struct Json;
    impl EachBody for Json {
        type Out = String;

        fn with<T: Said>(self, said: &T) -> String {
            serde_json::to_string(said).unwrap()
        }
    }
    format!("{} {} {}", fact.body.topic().name(), serde_json::to_string(&fact.stamp).unwrap(), fact.body.with(Json))
}

/// A simulated trip in the simulator's shop.
pub(super) fn trip(scenario: Scenario, level: Level, seed: u64) -> Trip {
    sim::trip(&sim::Options { shop: SHOP.clone(), scenario, level, seed, secs: None }).unwrap()
}

/// The command that shows a simulated trip to a person.
pub(super) fn replay_command(scenario: Scenario, level: Level, seed: u64) -> String {
    format!("cargo run --release -- demo --scenario {scenario} --level {} --seed {seed}", level.name())
}

/// Plays facts through the engine, in the order they are given.
pub(super) fn play(shop: &Arc<Shop>, facts: Vec<Fact>) -> Told {
    listen(&mut Tape::new(shop, facts), RUN)
}

/// Runs a source to its end.
pub(super) fn listen(source: &mut dyn FactSource, options: RunOptions) -> Told {
    let mut lines = Lines::default();
    let outcome = run(source, options, Some(&mut lines)).unwrap();
    check_marks(&outcome.receipts);
    Told { derived: lines.0, purchases: Purchases::of(&outcome.receipts), outcome }
}

/// Whoever judges receipts by the kind of doubt must know every sentence that a mark may hold.
pub(super) fn check_marks(receipts: &[Receipt]) {
    for mark in receipts.iter().filter_map(|receipt| receipt.interrupted.as_deref()) {
        let kinds = DoubtKind::of_mark(mark);
        assert!(!kinds.contains(&DoubtKind::Other), "no kind of doubt, see `eval`'s kinds, has all of this: {mark}");
    }
}

/// Facts of a recording, or a foreign folder, in order of arrival.
pub(super) fn read(path: &Path) -> (Arc<Shop>, Vec<Fact>) {
    let mut source = replay::open(path, None, replay::Options { tolerate: false }).unwrap();
    let shop = Arc::new(source.shop().clone());
    let facts = std::iter::from_fn(|| source.next_fact().unwrap()).collect();
    (shop, facts)
}

/// The same facts, each of which arrives up to `late_max` later than it did; every seed another way.
pub(super) fn shuffled(facts: &[Fact], late_max: Span, seed: u64) -> Vec<Fact> {
    let mut dice = dice(seed, "arrival");
    let mut facts = facts.to_vec();
    for fact in &mut facts {
        let late = Span::from_nanos(dice.random_range(0..=late_max.as_nanos()));
        fact.stamp.arrived = fact.stamp.arrived + late;
    }
    facts.sort_by_key(|fact| fact.stamp.arrived);
    facts
}

/// The real shopping trip, if its data is here: below `AISLE_DATA`, else beside the repository. Says when it is not.
pub(super) fn benchmark() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let data = std::env::var_os("AISLE_DATA").map_or_else(beside, PathBuf::from);
    let folder = data.join("autocheckout/BENCHMARK-1");
    if folder.is_dir() {
        return Some(folder);
    }
    let how = format!("nothing is at {}; set AISLE_DATA to the folder that holds autocheckout/", folder.display());
    super::left_out::left_out("the real trip", &how);
    None
}
