//! How many plate samples a second one core turns into shelf events.

mod scale;

use std::hint::black_box;
use std::time::Duration;

use aisle::base::Span;
use aisle::facts::{PlateBatch, ShelfEvent};
use aisle::shelf::ShelfSense;
use aisle::shop::Shop;
use criterion::{Criterion, Throughput};

/// Copies of the built-in shop, about 300 plates each; and seconds of quiet.
const SMALL: (&[u16], f64) = (&[1], 4.0);
const LARGE: (&[u16], f64) = (&[1, 10], 60.0);

fn main() {
    let (copies, idle_secs) = if scale::is_measuring() { LARGE } else { SMALL };
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let mut group = criterion.benchmark_group("shelf");
    for &copies in copies {
        let shop = scale::shop(copies);
        let plates = scale::plates(&shop);
        let idle = scale::idle(copies, Span::from_secs(idle_secs));
        let busy = scale::batches(&scale::crowds(copies));
        for (name, batches) in [("idle", idle), ("busy", busy)] {
            let events = sense(&shop, &batches);
            let text = serde_json::to_string(&events).expect("events are written as JSON");
            println!(
                "shelf/{name}/{plates}: {} samples, {} events, digest {}",
                scale::samples(&batches),
                events.len(),
                scale::digest(&text)
            );
            group.throughput(Throughput::Elements(scale::samples(&batches)));
            group.bench_function(format!("{name}/{plates}"), |bencher| {
                bencher.iter(|| black_box(sense(&shop, &batches)));
            });
        }
    }
    group.finish();
    criterion.final_summary();
}

fn sense(shop: &Shop, batches: &[PlateBatch]) -> Vec<ShelfEvent> {
    let mut sense = ShelfSense::new(shop);
    let mut events: Vec<ShelfEvent> = batches.iter().flat_map(|batch| sense.step(batch)).collect();
    events.extend(sense.finish());
    events
}
