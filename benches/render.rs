//! How fast the simulator makes pictures: frames a second on one core, from where everybody is to JPEG and truth, in the
//! two shops that come with aisle.

mod scale;

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aisle::config;
use aisle::facts::{Body, Fact};
use aisle::sim::{self, Film, FilmOptions, Level, Options, Scenario, Shown};
use criterion::{Criterion, Throughput};

fn main() {
    // Half a minute at few frames a second: people at the gate, at shelves and on their way.
    let rate_hertz = if scale::is_measuring() { 2.0 } else { 0.5 };
    // One core: the figure is per core, however many there are.
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().expect("the pool was not used yet");
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(5))
        .configure_from_args();
    let mut group = criterion.benchmark_group("render");
    for name in ["micro-market", "convenience"] {
        let whole = config::load_shop(Path::new(name)).expect("it comes with aisle");
        let shop = Arc::new(sim::with_frames(&whole, None, Some(rate_hertz)).expect("cameras can be slow"));
        let size = shop.cameras()[0].size_pixels;
        let options = Options { shop, scenario: Scenario::Open, level: Level::Clean, seed: 1, secs: Some(30.0) };
        let film = || Film::new(&options, FilmOptions { quality: 85, varied: false }).expect("it is an open shop").0;
        let (frames, digest) = shoot(film());
        println!("render/{name}: {frames} frames of {}x{}, digest {digest:016x}", size[0], size[1]);
        group.throughput(Throughput::Elements(frames));
        let whole = |bencher: &mut criterion::Bencher<'_>| {
            bencher.iter_batched(film, |film| black_box(shoot(film)), criterion::BatchSize::PerIteration);
        };
        group.bench_function(format!("film/{name}"), whole);
    }
    group.finish();
    criterion.final_summary();
}

/// Shoots all frames; gives how many, and a digest of their bytes.
fn shoot(mut film: Film) -> (u64, u64) {
    let (mut frames, mut digest) = (0, 0xcbf2_9ce4_8422_2325_u64);
    while let Some(shown) = film.next_shown().expect("frames fit into JPEG") {
        if let Shown::Frame(Fact { body: Body::Frame(frame), .. }, _) = shown {
            digest =
                frame.data.iter().fold(digest, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
            frames += 1;
        }
    }
    (frames, digest)
}
