//! What it costs to write down everything that the engine knows, and to read it back, in the middle of a busy minute:
//! eight shoppers a copy of the built-in shop.

mod scale;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use aisle::pipeline::{Engine, Options};
use aisle::shop::Shop;
use criterion::{Criterion, Throughput};

/// Copies of the built-in shop of about 300 plates.
const SMALL: &[u16] = &[1];
const LARGE: &[u16] = &[1, 10];

fn main() {
    let copies = if scale::is_measuring() { LARGE } else { SMALL };
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let mut group = criterion.benchmark_group("checkpoint");
    for &copies in copies {
        let shop = scale::shop(copies);
        let engine = busy(&shop, copies);
        let bytes = engine.checkpoint().expect("a state can be written");
        let name = format!("{} shoppers/{} plates", 8 * copies, scale::plates(&shop));
        println!("checkpoint/{name}: {} bytes, {:?}", bytes.len(), engine.held());
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(format!("write/{name}"), |bencher| bencher.iter(|| black_box(engine.checkpoint())));
        let restore = || Engine::restore(&shop, Options::USUAL, &bytes).expect("its own checkpoint");
        assert_eq!(restore().checkpoint().expect("a state can be written"), bytes);
        group.bench_function(format!("restore/{name}"), |bencher| bencher.iter(|| black_box(restore().now())));
        group.throughput(Throughput::Elements(engine.open_visits().len() as u64));
        group.bench_function(format!("open visits/{name}"), |bencher| bencher.iter(|| black_box(engine.open_visits())));
    }
    group.finish();
    criterion.final_summary();
}

/// An engine that has taken two thirds of a busy minute.
fn busy(shop: &Arc<Shop>, copies: u16) -> Engine {
    let mut facts = scale::crowds(copies);
    facts.truncate(facts.len() * 2 / 3);
    let mut engine = Engine::new(shop, Options::USUAL);
    facts.into_iter().for_each(|fact| engine.take(fact, &mut |_| {}));
    engine
}
