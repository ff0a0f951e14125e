//! A shop that is killed, over and over, and goes on with the same carts; charges are made once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use aisle::base::rng::dice;
use aisle::base::{CartId, ShopTime, ShopperId, SkuId, SourceId, Span, VisitId};
use aisle::db::carts::{self, CartState};
use aisle::db::faulty::{Faulty, Life, Mischance, Moment};
use aisle::db::{self, Database, Engine, Failure, FailureKind, Session, access, cases};
use aisle::facts::{
    Body, Concern, EntryRole, Fact, GateScan, OpenVisit, PaymentMethod, Receipt, Stamp, StatementLine, Tick, Topic,
};
use aisle::live::{Began, Live, Payers};
use aisle::payment::Sandbox;
use aisle::pipeline::Options;
use aisle::ports::{Clock, FactSink, FactSource, PaymentProvider};
use aisle::shop::Shop;
use aisle::sim::{self, Level, Scenario, Simulation};
use aisle::till::{Enrolment, Providers, Till, check, settle_due};
use rand::RngExt;

/// Whatever happens in these tests happens at this time.
struct Noon;

impl Clock for Noon {
    fn now(&self) -> ShopTime {
        ShopTime::from_nanos(1_800_000_000_000_000_000)
    }
}

fn payers() -> Payers {
    let text = |text: &str| text.to_owned();
    Payers::WalkIns(PaymentMethod { provider: text("sandbox"), customer: text("walk-in"), token: text("ok") })
}

fn memory() -> Database {
    db::open("sqlite::memory:", &db::Options::default(), Noon.now()).unwrap()
}

fn open(till: &mut Till) -> (Live, Began) {
    Live::open(till, payers(), Options::USUAL, Arc::new(Noon)).unwrap()
}

fn facts(scenario: Scenario, seed: u64) -> (Arc<Shop>, Vec<Fact>) {
    let shop = Arc::new(sim::demo_shop());
    let trip = sim::trip(&sim::Options { shop: shop.clone(), scenario, level: Level::Room, seed, secs: None }).unwrap();
    let mut source = Simulation::new(trip);
    (shop, std::iter::from_fn(|| source.next_fact().unwrap()).collect())
}

/// A ground fact of no recording.
fn said(at: ShopTime, body: Body) -> Fact {
    let number = u64::try_from(at.as_nanos()).unwrap();
    Fact { stamp: Stamp { source: SourceId::new("test"), sequence: number, at, arrived: at }, body }
}

/// Keeps what it is given, and refuses everything behind so many facts.
struct Kept {
    facts: Arc<Mutex<Vec<Fact>>>,
    room: usize,
}

impl FactSink for Kept {
    fn put(&mut self, fact: &Fact) -> aisle::base::Result<()> {
        let mut facts = self.facts.lock().unwrap();
        if self.room <= facts.len() {
            return Err(aisle::base::Error::unavailable("the tape is full"));
        }
        facts.push(fact.clone());
        Ok(())
    }
}

#[test]
fn when_all_sensors_are_silent_ticks_end_the_visits() {
    let (shop, mut facts) = facts(Scenario::SinglePick, 3);
    // It ends while the shopper is on the way out.
    let seen = |fact: &&Fact| matches!(&fact.body, Body::People(frame) if !frame.people.is_empty());
    let last = facts.iter().filter(seen).map(|fact| fact.stamp.at).max().unwrap() - Span::from_secs(3.0);
    facts.retain(|fact| fact.stamp.at <= last);
    let mut till = Till::open(memory(), shop.clone(), Noon.now()).unwrap();
    let (mut live, _) = open(&mut till);
    let mut closed = 0;
    for fact in &facts {
        closed += live.take(&mut till, fact.clone()).unwrap().len();
    }
    let end = last;
    let inside = live.open_visits().len();
    assert_eq!((closed, inside), (0, 1), "the recording ends before the shopper has left");
    for secs in 1..=90 {
        closed += live
            .take(&mut till, said(end + Span::from_secs(f64::from(secs)), Body::Tick(Tick::default())))
            .unwrap()
            .len();
    }
    assert_eq!((closed, live.open_visits().len()), (1, 0));
}

#[test]
fn a_sink_hears_every_fact_and_what_it_refuses_is_counted() {
    let (shop, facts) = facts(Scenario::Mixed, 5);
    let first = facts.iter().map(|fact| fact.stamp.at).min().unwrap();
    let cart = CartId::derived(&["sink"]);
    let scan = GateScan { cart, gate: "door".to_owned(), people: 1, role: EntryRole::Shopper };
    let run = |room: usize| {
        let mut till = Till::open(memory(), shop.clone(), Noon.now()).unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (live, _) = open(&mut till);
        let mut live = live.with_sink(Box::new(Kept { facts: heard.clone(), room }));
        live.take(&mut till, said(first, Body::Gate(scan.clone()))).unwrap();
        for fact in &facts {
            live.take(&mut till, fact.clone()).unwrap();
        }
        let refused = live.unrecorded();
        live.finish(&mut till).unwrap();
        let heard = heard.lock().unwrap().clone();
        (heard, refused, end(till, &shop, &Arc::new(Sandbox::new(Arc::new(Noon)))))
    };
    let (heard, refused, whole) = run(usize::MAX);
    assert_eq!(refused, 0);
    let of = |topic: Topic| heard.iter().filter(|fact| fact.body.topic() == topic).count();
    assert_eq!((of(Topic::Gate), of(Topic::Receipt)), (1, whole.receipts.len()));
    assert_eq!(of(Topic::Binding), whole.receipts.len(), "who belongs to which entry is in the log");
    // The same facts, played again, say the same.
    let mut again = Vec::new();
    let mut engine = aisle::pipeline::Engine::new(&shop, Options::USUAL);
    let mut give = |fact: &Fact| {
        if let Body::Receipt(receipt) = &fact.body {
            again.push((receipt.visit, receipt.clone()));
        }
    };
    heard.iter().filter(|fact| fact.body.topic().is_ground()).for_each(|fact| engine.take(fact.clone(), &mut give));
    engine.finish(&mut give);
    again.sort_by_key(|(visit, _)| *visit);
    assert_eq!(again, whole.receipts);
    let (part, refused, same) = run(100);
    assert_eq!((part.len(), same), (100, whole), "a full tape stops no shop");
    assert!(0 < refused);
}

/// What the book and the sandbox say at the end.
#[derive(Debug, PartialEq)]
struct End {
    receipts: Vec<(VisitId, Receipt)>,
    statement: Vec<StatementLine>,
}

/// Settles, proves the book, and reads it.
fn end(mut till: Till, shop: &Shop, sandbox: &Arc<Sandbox>) -> End {
    let providers = Providers::from([("sandbox".to_owned(), sandbox.clone() as Arc<dyn PaymentProvider>)]);
    settle_due(&mut till, &providers, &Noon).unwrap();
    let receipts = till
        .with(|session| {
            let mut receipts = Vec::new();
            for state in [CartState::Open, CartState::Review, CartState::Settled] {
                for cart in carts::in_state(session, shop.name(), state, (ShopTime::MIN, ""), 1_000)? {
                    assert_ne!(state, CartState::Open, "{cart:?} was left open");
                    let versions = carts::receipts(session, cart.id)?;
                    assert_eq!(versions.len(), 1, "{cart:?}");
                    receipts.extend(versions.into_iter().map(|version| (version.receipt.visit, version.receipt)));
                }
            }
            receipts.sort_by_key(|(visit, _)| *visit);
            Ok(receipts)
        })
        .unwrap();
    let mut statement = sandbox.statement().unwrap().unwrap();
    statement.sort_by_key(|line| line.order);
    let report = check(&mut till.into_database(), &[("sandbox".to_owned(), statement.clone())]).unwrap();
    assert_eq!(report.findings, []);
    End { receipts, statement }
}

fn uninterrupted(shop: &Arc<Shop>, facts: &[Fact]) -> End {
    let mut till = Till::open(memory(), shop.clone(), Noon.now()).unwrap();
    let (mut live, began) = open(&mut till);
    assert_eq!(began, Began::Fresh);
    for fact in facts {
        live.take(&mut till, fact.clone()).unwrap();
    }
    live.finish(&mut till).unwrap();
    end(till, shop, &Arc::new(Sandbox::new(Arc::new(Noon))))
}

/// Kills the shop after every `every` facts, and gives the facts again that it had not written down.
fn killed(shop: &Arc<Shop>, facts: &[Fact], first: usize, every: usize) -> End {
    let mut till = Till::open(memory(), shop.clone(), Noon.now()).unwrap();
    let mut next_kill = first;
    let (mut live, _) = open(&mut till);
    let mut done = 0;
    while done < facts.len() {
        live.take(&mut till, facts[done].clone()).unwrap();
        done += 1;
        if done == next_kill {
            next_kill += every;
            drop(live);
            till = Till::reopen(till.into_database(), shop.name()).unwrap();
            live = open(&mut till).0;
            done = usize::try_from(live.taken()).unwrap();
        }
    }
    live.finish(&mut till).unwrap();
    end(till, shop, &Arc::new(Sandbox::new(Arc::new(Noon))))
}

/// Kills between facts, at every place over the offsets.
#[test]
fn a_killed_shop_comes_to_the_same_receipts_and_charges() {
    for (scenario, seed) in [(Scenario::Mixed, 3), (Scenario::HandOver, 2)] {
        let (shop, facts) = facts(scenario, seed);
        let whole = uninterrupted(&shop, &facts);
        assert!(
            whole.receipts.iter().any(|(_, receipt)| !receipt.lines.is_empty()),
            "{scenario}: nobody bought anything"
        );
        // Facts since the last writing are given again, so kills must be further apart than that for it to go on.
        for first in [1, 50, 101, 152, 203] {
            assert_eq!(killed(&shop, &facts, first, 255), whole, "{scenario}, killed first after {first} facts");
        }
    }
}

/// One engine that many lives open one after the other, as they would a file.
#[derive(Clone)]
struct Shared(Arc<Mutex<Faulty>>);

impl Engine for Shared {
    fn name(&self) -> &'static str {
        self.0.lock().unwrap().name()
    }

    fn transaction(&mut self, work: &mut dyn FnMut(&mut dyn Session) -> Result<(), Failure>) -> Result<(), Failure> {
        self.0.lock().unwrap().transaction(work)
    }
}

/// From opening the book to the next death, or to the end of the facts.
fn one_life(engine: &Shared, life: &Life, shop: &Arc<Shop>, facts: &[Fact]) -> Option<Till> {
    let mut till = Till::open(Database::new(Box::new(engine.clone())), shop.clone(), Noon.now()).ok()?;
    let (mut live, _) = Live::open(&mut till, payers(), Options::USUAL, Arc::new(Noon)).ok()?;
    let taken = usize::try_from(live.taken()).unwrap();
    for fact in &facts[taken..] {
        live.take(&mut till, fact.clone()).unwrap();
        if !life.is_alive() {
            return None;
        }
    }
    live.finish(&mut till).ok()?;
    Some(till)
}

/// Kills inside transactions: before, between and after statements, and after the commit whose success nobody heard of.
#[test]
fn a_shop_that_dies_inside_a_transaction_loses_and_doubles_nothing() {
    let (shop, facts) = facts(Scenario::HandOver, 2);
    let whole = uninterrupted(&shop, &facts);
    let mut deaths = 0;
    for seed in 0..6 {
        // Lives last a few moments or some dozens, so that death comes at every kind of moment and it goes on all the same.
        let calm = Arc::new(AtomicBool::new(false));
        let asked = calm.clone();
        let mut dice = dice(seed, "live");
        let mut left = 1;
        let mischief = move |_: Moment<'_>| {
            left -= 1;
            if 0 < left || asked.load(Ordering::SeqCst) {
                return None;
            }
            left = dice.random_range(2..60);
            Some(Mischance::Die)
        };
        let faulty = Faulty::new(memory().into_engine(), mischief);
        let life = faulty.life();
        let engine = Shared(Arc::new(Mutex::new(faulty)));
        let till = loop {
            life.revive();
            match one_life(&engine, &life, &shop, &facts) {
                Some(till) => break till,
                None => deaths += 1,
            }
        };
        calm.store(true, Ordering::SeqCst);
        let sandbox = Arc::new(Sandbox::new(Arc::new(Noon)));
        assert_eq!(end(till, &shop, &sandbox), whole, "seed {seed}");
    }
    assert!(40 < deaths, "only {deaths} deaths");
}

/// A book whose engine cannot be read any more: everybody inside is put before a person, nobody is guessed.
#[test]
fn who_cannot_be_found_again_is_put_before_a_person() {
    let (shop, facts) = facts(Scenario::Mixed, 3);
    let mut till = Till::open(memory(), shop.clone(), Noon.now()).unwrap();
    let (mut live, _) = open(&mut till);
    let half = facts.len() / 2;
    for fact in &facts[..half] {
        live.take(&mut till, fact.clone()).unwrap();
    }
    let inside =
        till.with(|session| carts::in_state(session, shop.name(), CartState::Open, (ShopTime::MIN, ""), 100)).unwrap();
    assert!(!inside.is_empty());
    let name = format!("engine/{}", shop.name());
    till.with(|session| access::keep_checkpoint(session, &name, Noon.now(), b"something else")).unwrap();
    let (_, began) = open(&mut till);
    assert!(matches!(began, Began::Interrupted { carts, .. } if carts == inside.len()), "{began:?}");
    for cart in inside {
        let cases = till.with(|session| cases::of_cart(session, cart.id)).unwrap();
        assert!(matches!(cases[0].concerns[..], [Concern::Interrupted { .. }]), "{cases:?}");
        let versions = till.with(|session| carts::receipts(session, cart.id)).unwrap();
        let live: OpenVisit = serde_json::from_value(cart.live.unwrap()).unwrap();
        let goods =
            |sku: &SkuId| versions[0].receipt.lines.iter().find(|line| line.sku == *sku).map(|line| line.quantity);
        assert!(live.lines.iter().all(|line| goods(&line.sku) == Some(line.quantity)));
    }
}

/// While the database cannot be used nothing is lost; when it can again everything is written by itself.
#[test]
fn a_full_disk_delays_and_loses_nothing() {
    let (shop, facts) = facts(Scenario::Mixed, 3);
    let whole = uninterrupted(&shop, &facts);
    let full = Arc::new(AtomicBool::new(false));
    let asked = full.clone();
    let mischief = move |moment: Moment<'_>| {
        let fails = asked.load(Ordering::SeqCst) && moment == Moment::Commit;
        fails.then_some(Mischance::Fail(FailureKind::Full))
    };
    let database = Database::new(Box::new(Faulty::new(memory().into_engine(), mischief)));
    let mut till = Till::open(database, shop.clone(), Noon.now()).unwrap();
    let (mut live, _) = open(&mut till);
    let mut waited = 0;
    for (index, fact) in facts.iter().enumerate() {
        full.store((facts.len() / 4..facts.len() - 100).contains(&index), Ordering::SeqCst);
        live.take(&mut till, fact.clone()).unwrap();
        waited += usize::from(live.waiting().is_some_and(|why| why.contains("full")));
    }
    assert!(100 < waited, "the disk was never missed");
    live.finish(&mut till).unwrap();
    assert_eq!(end(till, &shop, &Arc::new(Sandbox::new(Arc::new(Noon)))), whole);
}

/// Everybody comes in at a gate: who was let in pays for what they took, two who came with one scan are paid by one, and
/// who slipped in is for a person. Here the shop takes the likeliest payer.
#[test]
fn gates_say_who_pays() {
    let hosts = through_gates(0.0);
    assert_eq!(hosts.unknown, 1, "{hosts:?}");
    assert_eq!(hosts.of_first, 2, "one scan for two, and one payer: {hosts:?}");
}

/// People crowd in within seconds of each other: whoever could as well be another one is not guessed.
#[test]
fn a_payer_who_is_not_sure_is_for_a_person() {
    let hosts = through_gates(0.999);
    assert!(1 < hosts.unknown, "{hosts:?}");
}

/// Who pays for the visits of a trip: nobody who is known, and whoever scanned first.
#[derive(Debug)]
struct Hosts {
    unknown: usize,
    of_first: usize,
}

fn through_gates(bar: f64) -> Hosts {
    let (shop, facts) = facts(Scenario::Crowd, 3);
    let mut draft = shop.draft().clone();
    draft.policy.review_probability_min = bar;
    let shop = Arc::new(Shop::check(draft).unwrap());
    let whole = uninterrupted(&shop, &facts);
    let mut entries: Vec<(ShopTime, VisitId)> =
        whole.receipts.iter().map(|(visit, receipt)| (receipt.entered, *visit)).collect();
    entries.sort_unstable();
    assert!(3 < entries.len());
    let mut till = Till::open(memory(), shop.clone(), Noon.now()).unwrap();
    let sandbox = Arc::new(Sandbox::new(Arc::new(Noon)));
    // Of all that come in, the last slips in behind the others, and the first scans for two.
    let mut scans = Vec::new();
    for (number, (entered, _)) in entries.iter().enumerate().take(entries.len() - 1) {
        if number == 1 {
            continue;
        }
        let text = |text: &str| text.to_owned();
        let method = PaymentMethod { provider: text("sandbox"), customer: number.to_string(), token: text("ok") };
        let id = ShopperId::derived(&["gates", &number.to_string()]);
        till.enrol(&Enrolment { id, name: None, contact: None, method: Some(method), gate_digest: None }, Noon.now())
            .unwrap();
        let cart = CartId::derived(&["gates", &number.to_string()]);
        let announced = till.announce(id, cart, "door", Noon.now()).unwrap();
        let order = announced.order.unwrap();
        till.answered(order.id, &sandbox.submit(&order), announced.first, Noon.now()).unwrap();
        let people = if number == 0 { 2 } else { 1 };
        scans.push((
            *entered - Span::from_millis(1_500),
            GateScan { cart, gate: "door".to_owned(), people, role: EntryRole::Shopper },
        ));
    }
    let (mut live, _) = Live::open(&mut till, Payers::Gates, Options::USUAL, Arc::new(Noon)).unwrap();
    let mut waiting = scans.iter().peekable();
    for fact in &facts {
        while let Some((at, scan)) = waiting.next_if(|(at, _)| *at <= fact.stamp.at) {
            live.take(&mut till, said(*at, Body::Gate(scan.clone()))).unwrap();
        }
        live.take(&mut till, fact.clone()).unwrap();
    }
    live.finish(&mut till).unwrap();
    let carts = till
        .with(|session| {
            let mut carts = carts::in_state(session, shop.name(), CartState::Review, (ShopTime::MIN, ""), 100)?;
            carts.extend(carts::in_state(session, shop.name(), CartState::Settled, (ShopTime::MIN, ""), 100)?);
            Ok(carts)
        })
        .unwrap();
    let with_receipt: Vec<_> = carts.iter().filter(|cart| 0 < cart.receipt).collect();
    assert_eq!(with_receipt.len(), whole.receipts.len(), "a receipt for every visit");
    let visits: std::collections::BTreeSet<_> = with_receipt.iter().map(|cart| cart.visit).collect();
    assert_eq!(visits.len(), whole.receipts.len(), "each of another visit");
    let hosts = Hosts {
        unknown: with_receipt.iter().filter(|cart| cart.shopper.is_none()).count(),
        of_first: with_receipt.iter().filter(|cart| cart.shopper == Some(ShopperId::derived(&["gates", "0"]))).count(),
    };
    let statement = sandbox.statement().unwrap().unwrap();
    assert_eq!(check(&mut till.into_database(), &[("sandbox".to_owned(), statement)]).unwrap().findings, []);
    hosts
}
