//! How many visits a second one till takes from the gate to the captured payment, one after another, on each database;
//! and how many transfers a second are proved by `ledger check`.
//! The provider answers at once, so this is what the book alone costs.

mod visits;

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use aisle::base::ShopTime;
use aisle::payment::Sandbox;
use aisle::ports::{Clock, PaymentProvider};
use aisle::till::{Door, Till, check};
use criterion::{Criterion, Throughput};
use visits::{Place, Visits};

/// Visits whose book is shown by its digest.
const SHOWN: u64 = 20;
/// Transfers of the book that is proved, at least.
const SMALL: i64 = 200;
const LARGE: i64 = 100_000;

fn main() {
    let is_measuring = std::env::args().any(|argument| argument == "--bench");
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(10))
        .configure_from_args();
    for place in [Some(Place::memory()), Some(Place::file()), Place::server()].into_iter().flatten() {
        take_visits(&mut criterion, &place);
    }
    prove(&mut criterion, if is_measuring { LARGE } else { SMALL });
    criterion.final_summary();
}

/// A shop in which one visit follows another at the same pace whatever the wall clock says.
struct Counter {
    visits: Visits,
    till: Till,
    sandbox: Sandbox,
    number: Arc<AtomicU64>,
}

struct VisitClock(Arc<AtomicU64>);

impl Clock for VisitClock {
    fn now(&self) -> ShopTime {
        visits::time_of(self.0.load(Ordering::Relaxed))
    }
}

impl Counter {
    fn new(place: &Place) -> Self {
        let visits = Visits::new();
        let till = visits.till(place.open());
        let number = Arc::new(AtomicU64::new(0));
        let sandbox = Sandbox::new(Arc::new(VisitClock(number.clone())));
        Counter { visits, till, sandbox, number }
    }

    /// The next visit, whole: the door opens, the receipt is booked, its payment captured.
    fn visit(&mut self) {
        let number = self.number.fetch_add(1, Ordering::Relaxed) + 1;
        let (cart, now) = (visits::cart_of(number), visits::time_of(number));
        let announced = self.till.announce(visits::shopper(number), cart, "north", now).expect("the shopper can pay");
        let hold = announced.order.expect("the shop asks for holds");
        self.till.answered(hold.id, &self.sandbox.submit(&hold), announced.first, now).expect("the book takes it");
        let door = self.till.door(cart, now).expect("the book is read");
        assert_eq!(door, Door::Open { unheld: false });
        let closed = self.till.close(&self.visits.closing(number, now), now).expect("the book takes it");
        assert_eq!(closed.case, None);
        let letters = self.till.take_due(now, 1).expect("the book takes it");
        let [capture] = letters.as_slice() else { panic!("one capture is due, not {}", letters.len()) };
        let answer = self.sandbox.submit(&capture.order);
        self.till.answered(capture.order.id, &answer, true, now).expect("the book takes it");
    }
}

fn take_visits(criterion: &mut Criterion, place: &Place) {
    let mut counter = Counter::new(place);
    let begun = Instant::now();
    (0..SHOWN).for_each(|_| counter.visit());
    let millis = begun.elapsed().as_secs_f64() * 1e3;
    let (rows, chain) = visits::chain(&mut counter.till);
    let (each, digest) = (millis / SHOWN as f64, &chain[..16]);
    println!("book/visit/{}: {SHOWN} visits, {rows} transfers, {each:.2} ms a visit, digest {digest}", place.name);
    let mut group = criterion.benchmark_group("book");
    group.throughput(Throughput::Elements(1));
    group.bench_function(format!("visit/{}", place.name), |bencher| bencher.iter(|| counter.visit()));
    group.finish();
}

/// Makes a book in memory once, and proves it again and again.
fn prove(criterion: &mut Criterion, transfers_min: i64) {
    let mut counter = Counter::new(&Place::memory());
    let (mut rows, mut chain) = (0, String::new());
    while rows < transfers_min {
        (0..SHOWN).for_each(|_| counter.visit());
        (rows, chain) = visits::chain(&mut counter.till);
    }
    let statement = counter.sandbox.statement().expect("the sandbox is up").expect("the sandbox tells");
    let statements = [("sandbox".to_owned(), statement)];
    let mut database = counter.till.into_database();
    let begun = Instant::now();
    let report = check(&mut database, &statements).expect("the book is read");
    assert!(report.is_clean(), "{:?}", report.findings);
    println!(
        "book/check: {} transfers of {} carts, {:.2} s, digest {}",
        report.transfers,
        report.carts,
        begun.elapsed().as_secs_f64(),
        &chain[..16]
    );
    let mut group = criterion.benchmark_group("book");
    group.throughput(Throughput::Elements(report.transfers));
    group.bench_function(format!("check/{transfers_min}"), |bencher| {
        bencher.iter(|| black_box(check(&mut database, &statements)));
    });
    group.finish();
}
