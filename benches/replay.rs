//! How many times faster than real time a whole trip is replayed on one core: from memory, from an MCAP file, and in
//! a shop ten times the size; and how fast recordings are written and read.

mod scale;

use std::hint::black_box;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aisle::base::Span;
use aisle::facts::Fact;
use aisle::pipeline::{Options, Outcome, RunOptions, run};
use aisle::ports::{FactSink, FactSource};
use aisle::recording::{Cut, Reader, Writer};
use aisle::replay;
use aisle::shop::Shop;
use criterion::{BatchSize, Criterion, Throughput};

/// Copies of the built-in shop with a crowd each: 300 plates and eight shoppers within a minute.
const SMALL: &[u16] = &[1];
const LARGE: &[u16] = &[1, 10];
const OPTIONS: RunOptions = RunOptions { engine: Options::USUAL, tolerate: false, threads: 1 };

/// Facts in memory as a source.
struct Memory {
    shop: Arc<Shop>,
    facts: std::vec::IntoIter<Fact>,
}

impl FactSource for Memory {
    fn shop(&self) -> &Shop {
        &self.shop
    }

    fn next_fact(&mut self) -> aisle::base::Result<Option<Fact>> {
        Ok(self.facts.next())
    }
}

fn main() {
    let copies = if scale::is_measuring() { LARGE } else { SMALL };
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(5))
        .configure_from_args();
    for &copies in copies {
        memory(&mut criterion, copies);
    }
    files(&mut criterion);
    criterion.final_summary();
}

fn memory(criterion: &mut Criterion, copies: u16) {
    let shop = scale::shop(copies);
    let facts = scale::crowds(copies);
    let plates = scale::plates(&shop);
    let source = || Memory { shop: shop.clone(), facts: facts.clone().into_iter() };
    let name = format!("memory/{plates}");
    report(&name, || run(&mut source(), OPTIONS, None).expect("facts in memory have no breaks"));
    if 1 < copies {
        // Seconds a run: once is enough to see how the cost grows.
        return;
    }
    let mut group = criterion.benchmark_group("replay");
    group.throughput(Throughput::Elements(facts.len() as u64));
    group.bench_function(name, |bencher| {
        bencher.iter_batched(source, |mut source| black_box(run(&mut source, OPTIONS, None)), BatchSize::LargeInput);
    });
    group.finish();
}

fn files(criterion: &mut Criterion) {
    let (shop, facts) = (scale::shop(1), scale::crowds(1));
    let folder = tempfile::tempdir().expect("there is a place for passing files");
    let path = folder.path().join("crowd.mcap");
    let bytes = write(&shop, &facts);
    std::fs::write(&path, &bytes).expect("the place for passing files takes one");
    report("mcap", || replay_file(&path));
    println!("recording: {} facts, {} bytes", facts.len(), bytes.len());
    let mut group = criterion.benchmark_group("recording");
    group.throughput(Throughput::Elements(facts.len() as u64));
    group.bench_function("replay", |bencher| bencher.iter(|| black_box(replay_file(&path))));
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("write", |bencher| bencher.iter(|| black_box(write(&shop, &facts))));
    group.bench_function("read", |bencher| bencher.iter(|| black_box(read(&bytes))));
    group.finish();
}

/// Says how long the trip is, how many times faster than that one run was, and what came out.
fn report(name: &str, run: impl Fn() -> Outcome) {
    let begun = Instant::now();
    let outcome = run();
    let wall_secs = begun.elapsed().as_secs_f64();
    let text = serde_json::to_string(&outcome.receipts).expect("receipts are written as JSON");
    let trip: Span = outcome.span;
    println!(
        "replay/{name}: {:.1} s of {} shoppers, {} shelf events, {:.0} times real time, digest {}",
        trip.as_secs(),
        outcome.receipts.len(),
        outcome.counters.shelf.sent,
        trip.as_secs() / wall_secs,
        scale::digest(&text)
    );
}

fn replay_file(path: &Path) -> Outcome {
    let mut source = replay::open(path, None, replay::Options { tolerate: false }).expect("the recording opens");
    run(&mut source, OPTIONS, None).expect("the recording is whole")
}

fn write(shop: &Shop, facts: &[Fact]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(Cursor::new(&mut bytes), shop, None, Cut::Tracked).expect("memory can be written");
    for fact in facts {
        writer.put(fact).expect("memory can be written");
    }
    writer.finish().expect("memory can be written");
    bytes
}

fn read(bytes: &[u8]) -> u64 {
    let mut reader = Reader::new(Cursor::new(bytes), Path::new("memory")).expect("the recording opens");
    let mut count = 0;
    while reader.next_fact().expect("the recording is whole").is_some() {
        count += 1;
    }
    count
}
