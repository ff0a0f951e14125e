//! How long after a shopper walks out the captured payment stands in the book, while a thousand others a minute do the
//! same: visits come and go on a schedule that waits for nobody, and every span begins when the schedule says, so that
//! whatever is late makes everything behind it late too.
//!
//! `cargo bench --bench till_load -- [file] [postgresql] [--per-minute N] [--secs N] [--provider-millis N] [--settlers N]`

mod visits;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use aisle::base::{self, ShopTime};
use aisle::db::{Database, Engine, Failure, Row, Session, Value, transfers};
use aisle::facts::{Answer, Notice, Order, StatementLine, Task};
use aisle::payment::Sandbox;
use aisle::ports::{Clock, PaymentProvider, WallClock};
use aisle::till::{Bell, Door, Providers, Settler, Till, check};
use visits::{Place, Visits};

/// Threads at the gates: entries that wait for their hold at once.
const GATES: usize = 32;
/// Threads that close visits.
const EXITS: usize = 2;
/// Threads that carry orders to the provider where nobody says otherwise, as many as `aisle serve` has.
const SETTLERS: u32 = 16;
/// How long the last payments may take beyond the schedule.
const PATIENCE: Duration = Duration::from_secs(60);
/// What is aimed at: ninety-nine of a hundred charges are in the book so soon after the exit.
const GOAL: Duration = Duration::from_secs(1);

/// How much is measured.
#[derive(Clone, Copy)]
struct Load {
    per_minute: u32,
    secs: u32,
    provider: Duration,
    settlers: u32,
    /// The longest visit; the shortest is half of it.
    stay: Duration,
}

const SMALL: Load = Load {
    per_minute: 1_200,
    secs: 2,
    provider: Duration::from_millis(5),
    settlers: SETTLERS,
    stay: Duration::from_millis(400),
};
const LARGE: Load = Load {
    per_minute: 1_000,
    secs: 180,
    provider: Duration::from_millis(50),
    settlers: SETTLERS,
    stay: Duration::from_secs(20),
};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (load, wanted) = settings(&arguments);
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| name.contains(wanted.as_str()));
    if is_wanted("file") {
        measure(&Place::file(), load);
    }
    if is_wanted("postgresql")
        && let Some(place) = Place::server()
    {
        measure(&place, load);
    }
}

/// What the command line asks for: a load, and names of places; all places without any.
fn settings(arguments: &[String]) -> (Load, Vec<String>) {
    let mut load = if arguments.iter().any(|argument| argument == "--bench") { LARGE } else { SMALL };
    let mut names = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut number = || {
            let text = arguments.next().expect("a number follows");
            text.parse::<u32>().expect("what follows is a whole number")
        };
        match argument.as_str() {
            "--per-minute" => load.per_minute = number().max(1),
            "--secs" => load.secs = number().max(1),
            "--settlers" => load.settlers = number(),
            "--provider-millis" => load.provider = Duration::from_millis(number().into()),
            // What cargo and its tests say to every bench.
            option if option.starts_with('-') => {}
            name => names.push(name.to_owned()),
        }
    }
    (load, names)
}

/// When what happened to one visit.
#[derive(Clone, Copy, Default)]
struct Marks {
    gate_due: Option<Instant>,
    inside: Option<Instant>,
    exit_due: Option<Instant>,
    booked: Option<Instant>,
    asked: Option<Instant>,
    told: Option<Instant>,
    posted: Option<Instant>,
}

/// Everything that is seen of a run.
struct Watch {
    numbers: BTreeMap<String, usize>,
    marks: Mutex<Vec<Marks>>,
    /// How long each transaction took, of those that wrote and those that only read.
    wrote: Mutex<Vec<Duration>>,
    read: Mutex<Vec<Duration>>,
}

impl Watch {
    fn new(count: usize) -> Self {
        let numbers = (0..count).map(|number| (visits::cart_of(number as u64).to_string(), number)).collect();
        let marks = Mutex::new(vec![Marks::default(); count]);
        Watch { numbers, marks, wrote: Mutex::default(), read: Mutex::default() }
    }

    fn mark(&self, number: usize, mark: impl FnOnce(&mut Marks, Instant)) {
        mark(&mut lock(&self.marks)[number], Instant::now());
    }

    /// The visit whose cart this is.
    fn number(&self, cart: &str) -> Option<usize> {
        self.numbers.get(cart).copied()
    }
}

/// A database that notes when captures have become durable.
struct Watched {
    engine: Box<dyn Engine>,
    watch: Arc<Watch>,
}

/// One transaction of it.
struct Listening<'a> {
    session: &'a mut dyn Session,
    watch: &'a Watch,
    writes: bool,
    captured: Vec<usize>,
}

impl Engine for Watched {
    fn name(&self) -> &'static str {
        self.engine.name()
    }

    fn transaction(&mut self, work: &mut dyn FnMut(&mut dyn Session) -> Result<(), Failure>) -> Result<(), Failure> {
        let begun = Instant::now();
        let (mut writes, mut captured) = (false, Vec::new());
        self.engine.transaction(&mut |session| {
            let mut listening = Listening { session, watch: &self.watch, writes: false, captured: Vec::new() };
            work(&mut listening)?;
            (writes, captured) = (listening.writes, listening.captured);
            Ok(())
        })?;
        for number in captured {
            self.watch.mark(number, |marks, now| marks.posted = Some(now));
        }
        lock(if writes { &self.watch.wrote } else { &self.watch.read }).push(begun.elapsed());
        Ok(())
    }
}

impl Session for Listening<'_> {
    fn execute(&mut self, statement: &str, values: &[Value]) -> Result<u64, Failure> {
        self.writes = true;
        let is_capture = statement.starts_with("INSERT INTO transfers") && values.contains(&"capture".into());
        if is_capture {
            let cart = values.iter().find_map(|value| match value {
                Value::Text(text) => self.watch.number(text),
                _ => None,
            });
            self.captured.extend(cart);
        }
        self.session.execute(statement, values)
    }

    fn query(&mut self, statement: &str, values: &[Value]) -> Result<Vec<Row>, Failure> {
        self.session.query(statement, values)
    }
}

/// A provider that is as far away as a real one.
struct Slow {
    sandbox: Sandbox,
    pause: Duration,
    watch: Arc<Watch>,
}

impl PaymentProvider for Slow {
    fn name(&self) -> &str {
        self.sandbox.name()
    }

    fn submit(&self, order: &Order) -> Answer {
        let number = self.watch.number(&order.cart.to_string());
        let number = number.filter(|_| matches!(order.task, Task::Capture { .. }));
        if let Some(number) = number {
            self.watch.mark(number, |marks, now| marks.asked = Some(now));
        }
        thread::sleep(self.pause);
        let answer = self.sandbox.submit(order);
        if let Some(number) = number {
            self.watch.mark(number, |marks, now| marks.told = Some(now));
        }
        answer
    }

    fn query(&self, order: &Order, reference: Option<&str>) -> Answer {
        thread::sleep(self.pause);
        self.sandbox.query(order, reference)
    }

    fn read_notice(&self, headers: &[(String, String)], body: &[u8], now: ShopTime) -> base::Result<Notice> {
        self.sandbox.read_notice(headers, body, now)
    }

    fn statement(&self) -> base::Result<Option<Vec<StatementLine>>> {
        self.sandbox.statement()
    }
}

/// What gates and exits share.
struct Floor {
    visits: Visits,
    till: Arc<Mutex<Till>>,
    provider: Arc<Slow>,
    watch: Arc<Watch>,
    clock: Arc<dyn Clock>,
    bell: Bell,
    /// When who comes, by number, and when who leaves, in order of time.
    arrivals: Vec<Instant>,
    exits: Vec<(Instant, usize)>,
    arrived: AtomicUsize,
    left: AtomicUsize,
}

impl Floor {
    /// Lets everybody in who comes next, until all have come.
    fn gate(&self) {
        loop {
            let number = self.arrived.fetch_add(1, Ordering::Relaxed);
            let Some(&due) = self.arrivals.get(number) else { return };
            sleep_until(due);
            let (cart, now) = (visits::cart_of(number as u64), || self.clock.now());
            let shopper = visits::shopper(number as u64);
            let announced = lock(&self.till).announce(shopper, cart, "north", now()).expect("the shopper can pay");
            let hold = announced.order.expect("the shop asks for holds");
            let answer = self.provider.submit(&hold);
            lock(&self.till).answered(hold.id, &answer, true, now()).expect("the book takes it");
            let door = lock(&self.till).door(cart, now()).expect("the book is read");
            assert_eq!(door, Door::Open { unheld: false });
            self.watch.mark(number, |marks, now| (marks.gate_due, marks.inside) = (Some(due), Some(now)));
        }
    }

    /// Closes the visit of everybody who leaves next, until all have left.
    fn exit(&self) {
        loop {
            let Some(&(due, number)) = self.exits.get(self.left.fetch_add(1, Ordering::Relaxed)) else { return };
            sleep_until(due);
            // Whoever still stands at the gate makes the exit late, which counts.
            while lock(&self.watch.marks)[number].inside.is_none() {
                thread::sleep(Duration::from_millis(1));
            }
            let closing = self.visits.closing(number as u64, self.clock.now());
            let closed = lock(&self.till).close(&closing, self.clock.now()).expect("the book takes it");
            assert_eq!(closed.case, None);
            self.bell.ring();
            self.watch.mark(number, |marks, now| (marks.exit_due, marks.booked) = (Some(due), Some(now)));
        }
    }
}

fn measure(place: &Place, load: Load) {
    let count = (u64::from(load.per_minute) * u64::from(load.secs) / 60) as usize;
    let watch = Arc::new(Watch::new(count));
    let (visits, clock) = (Visits::new(), Arc::new(WallClock) as Arc<dyn Clock>);
    let engine = Watched { engine: place.open().into_engine(), watch: watch.clone() };
    let till = Arc::new(Mutex::new(visits.till(Database::new(Box::new(engine)))));
    let sandbox = Sandbox::new(clock.clone());
    let provider = Arc::new(Slow { sandbox, pause: load.provider, watch: watch.clone() });
    let providers = Providers::from([("sandbox".to_owned(), provider.clone() as Arc<dyn PaymentProvider>)]);
    let settler = Settler::start(&till, &providers, &clock, load.settlers as usize);
    lock(&watch.wrote).clear();
    let (arrivals, exits) = schedule(count, load);
    let (end, bell) = (exits.last().map_or_else(Instant::now, |(due, _)| *due), settler.bell());
    let (arrived, left) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let floor = Floor { visits, till, provider, watch, clock, bell, arrivals, exits, arrived, left };
    thread::scope(|scope| {
        (0..GATES).for_each(|_| drop(scope.spawn(|| floor.gate())));
        (0..EXITS).for_each(|_| drop(scope.spawn(|| floor.exit())));
    });
    let is_done = || lock(&floor.watch.marks).iter().all(|marks| marks.posted.is_some());
    while !is_done() && Instant::now() < end + PATIENCE {
        thread::sleep(Duration::from_millis(20));
    }
    settler.stop();
    report(place.name, load, &floor.watch);
    prove(floor);
}

/// When who comes, evenly, and who leaves, after visits of different lengths: exits come in bunches, as at a door.
fn schedule(count: usize, load: Load) -> (Vec<Instant>, Vec<(Instant, usize)>) {
    let begin = Instant::now() + Duration::from_millis(100);
    let period = Duration::from_secs(60) / load.per_minute;
    let arrivals: Vec<Instant> = (0..count).map(|number| begin + period * number as u32).collect();
    let stay = |number: usize| {
        let share = (number as u32).wrapping_mul(2_654_435_761) >> 16;
        load.stay / 2 + load.stay / 2 * share / 65_536
    };
    let mut exits: Vec<(Instant, usize)> =
        arrivals.iter().enumerate().map(|(number, arrival)| (*arrival + stay(number), number)).collect();
    exits.sort_unstable();
    (arrivals, exits)
}

fn sleep_until(due: Instant) {
    thread::sleep(due.saturating_duration_since(Instant::now()));
}

/// Says how long what took.
fn report(name: &str, load: Load, watch: &Watch) {
    let marks = lock(&watch.marks);
    let posted = marks.iter().filter(|marks| marks.posted.is_some()).count();
    let Load { per_minute, secs, provider, settlers, .. } = load;
    println!(
        "till_load/{name}: {per_minute} visits a minute for {secs} s, {settlers} settlers, a provider of {} ms: {posted} of {} charged",
        provider.as_millis(),
        marks.len()
    );
    let span = |from: fn(&Marks) -> Option<Instant>, to: fn(&Marks) -> Option<Instant>| -> Vec<Duration> {
        marks.iter().filter_map(|marks| Some(to(marks)?.saturating_duration_since(from(marks)?))).collect()
    };
    line("gate to open door", span(|marks| marks.gate_due, |marks| marks.inside));
    line("exit to posted charge", span(|marks| marks.exit_due, |marks| marks.posted));
    line("  exit to booked receipt", span(|marks| marks.exit_due, |marks| marks.booked));
    line("  booked to provider asked", span(|marks| marks.booked, |marks| marks.asked));
    line("  provider", span(|marks| marks.asked, |marks| marks.told));
    line("  answer to posted charge", span(|marks| marks.told, |marks| marks.posted));
    line("transactions that write", lock(&watch.wrote).clone());
    line("transactions that read", lock(&watch.read).clone());
    let busy: Duration = lock(&watch.wrote).iter().chain(lock(&watch.read).iter()).sum();
    let begin = marks.iter().filter_map(|marks| marks.gate_due).min();
    let end = marks.iter().filter_map(|marks| marks.posted).max();
    if let (Some(begin), Some(end)) = (begin, end) {
        println!("  the till is in use {:.0} % of the time", 100.0 * busy.as_secs_f64() / (end - begin).as_secs_f64());
    }
    let mut whole = span(|marks| marks.exit_due, |marks| marks.posted);
    whole.sort_unstable();
    let is_met = posted == marks.len() && quantile(&whole, 0.99) < GOAL;
    println!("  the goal, 99 of 100 within {} s: {}", GOAL.as_secs(), if is_met { "met" } else { "missed" });
}

fn line(name: &str, mut spans: Vec<Duration>) {
    spans.sort_unstable();
    let millis = |share: f64| quantile(&spans, share).as_secs_f64() * 1e3;
    println!(
        "  {name:<26} {:>6} times, ms: p50 {:>7.1}  p95 {:>7.1}  p99 {:>7.1}  max {:>7.1}",
        spans.len(),
        millis(0.5),
        millis(0.95),
        millis(0.99),
        millis(1.0)
    );
}

/// The smallest of sorted spans that so large a share of them does not exceed.
fn quantile(sorted: &[Duration], share: f64) -> Duration {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or_default()
}

/// Proves the book that the run has left, and shows the sums in it by their digest.
fn prove(floor: Floor) {
    let Floor { till, provider, .. } = floor;
    let statement = provider.statement().expect("the sandbox is up").expect("the sandbox tells");
    let mut till =
        Arc::into_inner(till).expect("everybody is gone").into_inner().unwrap_or_else(PoisonError::into_inner);
    let sums = till.with(|session| transfers::sums(session, true)).expect("the book is read");
    let report = check(&mut till.into_database(), &[("sandbox".to_owned(), statement)]).expect("the book is read");
    assert!(report.is_clean(), "{:?}", report.findings);
    let digest = visits::digest(&format!("{sums:?}"));
    println!("  {} transfers, the book is in order, digest of its sums {digest}", report.transfers);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
