//! What it costs to decide who took what, as shoppers and plates grow.
//! Every shopper does about the same, so the work grows with their number; the cost of one shelf event and one sighting
//! is printed beside it.

mod scale;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aisle::base::{ShopTime, Span};
use aisle::facts::{Attribution, Body};
use aisle::fusion::{Fusion, Options};
use aisle::shop::Shop;
use criterion::{Criterion, Throughput};
use scale::Scene;

/// Shoppers within a minute, and copies of the built-in shop of about 300 plates.
const SMALL: (&[usize], &[u16]) = (&[1, 2], &[1]);
const LARGE: (&[usize], &[u16]) = (&[1, 10, 50], &[1, 10]);
/// As the engine does.
const TICK: Span = Span::from_millis(500);
const OPTIONS: Options = Options { hypotheses_max: 96, eager: false };

fn main() {
    let (shoppers, copies) = if scale::is_measuring() { LARGE } else { SMALL };
    let most = shoppers.iter().copied().max().unwrap_or(1);
    let solos = scale::solos(most);
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let mut group = criterion.benchmark_group("fusion");
    for &copies in copies {
        let shop = scale::shop(copies);
        let plates = scale::plates(&shop);
        for &shoppers in shoppers {
            let scene = scale::scene(&solos[..shoppers], copies);
            let name = format!("{shoppers} shoppers/{plates}");
            report(&name, &shop, &scene);
            group.throughput(Throughput::Elements(scene.facts.len() as u64));
            group.bench_function(name, |bencher| bencher.iter(|| black_box(decide(&shop, &scene))));
        }
    }
    group.finish();
    criterion.final_summary();
}

/// Says what the work is, what it costs a unit, and what came out.
fn report(name: &str, shop: &Arc<Shop>, scene: &Scene) {
    let begun = Instant::now();
    let decided = decide(shop, scene);
    let micros = begun.elapsed().as_secs_f64() * 1e6;
    let text = serde_json::to_string(&decided).expect("attributions are written as JSON");
    println!(
        "fusion/{name}: {} shelf events, {} sightings, {} attributions, {:.0} us an event, digest {}",
        scene.events,
        scene.sightings,
        decided.len(),
        micros / scene.events.max(1) as f64,
        scale::digest(&text)
    );
}

fn decide(shop: &Arc<Shop>, scene: &Scene) -> Vec<Attribution> {
    let mut fusion = Fusion::new(shop.clone(), OPTIONS);
    let mut ticked = ShopTime::MIN;
    let mut decided = Vec::new();
    for fact in &scene.facts {
        fusion.take(fact);
        if ticked == ShopTime::MIN || TICK <= fact.stamp.at - ticked {
            ticked = fact.stamp.at;
            decided.append(&mut fusion.advance(ticked));
        }
    }
    decided.append(&mut fusion.finish());
    let attributions = decided.into_iter().filter_map(|body| match body {
        Body::Attribution(attribution) => Some(attribution),
        _ => None,
    });
    attributions.collect()
}
