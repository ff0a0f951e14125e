//! Threads that carry orders to a provider: each order once, everything in the book, and nothing taken that is not asked.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use aisle::base::{self, CartId, Money, Prob, ShopTime, ShopperId, TrackId, TransferId, VisitId};
use aisle::db;
use aisle::db::outbox::{self, Letter, LetterState};
use aisle::facts::{Answer, Closing as ClosedBy, Notice, Order, PaymentMethod, Receipt};
use aisle::payment::Sandbox;
use aisle::ports::{Clock, PaymentProvider};
use aisle::sim;
use aisle::till::{Closing, Enrolment, Payer, Providers, Settler, Till, check};
use crossbeam_channel::{Receiver, Sender, bounded};

const NOW: ShopTime = ShopTime::from_nanos(1_767_225_600_000_000_000);
const VISITS: usize = 60;
const THREADS: usize = 6;

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> ShopTime {
        NOW
    }
}

/// The sandbox, which does nothing before somebody has heard what it was asked for.
struct Telling(Sandbox, Sender<TransferId>);

impl PaymentProvider for Telling {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn submit(&self, order: &Order) -> Answer {
        // Nobody needs to listen to the end.
        let _ = self.1.send(order.id);
        self.0.submit(order)
    }

    fn query(&self, order: &Order, reference: Option<&str>) -> Answer {
        self.0.query(order, reference)
    }

    fn read_notice(&self, headers: &[(String, String)], body: &[u8], now: ShopTime) -> base::Result<Notice> {
        self.0.read_notice(headers, body, now)
    }
}

/// A shop whose shoppers have all come and gone with nothing: every hold is to be released.
struct Place {
    till: Arc<Mutex<Till>>,
    provider: Arc<Telling>,
    asked: Receiver<TransferId>,
}

impl Place {
    fn new() -> Self {
        let shop = Arc::new(sim::demo_shop());
        let database = db::open("sqlite::memory:", &db::Options::default(), NOW).unwrap();
        let mut till = Till::open(database, shop.clone(), NOW).unwrap();
        let id = ShopperId::derived(&["regular"]);
        let method = PaymentMethod { provider: "sandbox".into(), customer: String::new(), token: "ok".into() };
        let regular = Enrolment { id, name: None, contact: None, method: Some(method), gate_digest: None };
        till.enrol(&regular, NOW).unwrap();
        let (tell, asked) = bounded(0);
        let provider = Arc::new(Telling(Sandbox::new(Arc::new(Stopped)), tell));
        for number in 0..VISITS {
            let cart = CartId::derived(&[&number.to_string()]);
            let hold = till.announce(id, cart, "north", NOW).unwrap().order.unwrap();
            till.answered(hold.id, &provider.0.submit(&hold), true, NOW).unwrap();
            let receipt = Receipt {
                visit: VisitId::from_first_track(TrackId::new(number as u64)),
                entered: NOW,
                left: NOW,
                closing: ClosedBy::Left,
                lines: Vec::new(),
                taxes: Vec::new(),
                total: Some(Money::new(0, shop.policy().currency)),
                probability: Prob::new(0.99),
                interrupted: None,
            };
            till.close(&Closing { receipt, evidence: Vec::new(), payer: Payer::Cart(cart) }, NOW).unwrap();
        }
        Place { till: Arc::new(Mutex::new(till)), provider, asked }
    }

    fn settler(&self) -> Settler {
        let providers = Providers::from([("sandbox".to_owned(), self.provider.clone() as Arc<dyn PaymentProvider>)]);
        let settler = Settler::start(&self.till, &providers, &(Arc::new(Stopped) as Arc<dyn Clock>), THREADS);
        settler.bell().ring();
        settler
    }

    /// All orders, after the book was proved.
    fn letters(self) -> Vec<Letter> {
        let statement = self.provider.0.statement().unwrap().unwrap();
        let mut till = Arc::into_inner(self.till).unwrap().into_inner().unwrap();
        let letters = till.with(|session| outbox::after(session, None, 1_000)).unwrap();
        let report = check(&mut till.into_database(), &[("sandbox".to_owned(), statement)]).unwrap();
        assert!(report.is_clean(), "{:?}", report.findings);
        letters
    }
}

#[test]
fn every_order_is_asked_for_once_by_however_many_threads() {
    let place = Place::new();
    let settler = place.settler();
    let asked: Vec<TransferId> = place.asked.iter().take(VISITS).collect();
    settler.stop();
    assert_eq!(asked.iter().collect::<BTreeSet<_>>().len(), VISITS);
    let letters = place.letters();
    assert_eq!(letters.len(), 2 * VISITS);
    assert!(letters.iter().all(|letter| letter.state == LetterState::Done && letter.attempts == 1));
}

#[test]
fn what_was_taken_when_the_threads_stop_is_in_the_book_and_nothing_else_is_taken() {
    let place = Place::new();
    let settler = place.settler();
    let stopping = std::thread::spawn(move || settler.stop());
    // Whoever has begun is heard out.
    let mut asked = BTreeSet::new();
    while !stopping.is_finished() {
        asked.extend(place.asked.try_iter());
        std::thread::yield_now();
    }
    stopping.join().unwrap();
    for letter in place.letters() {
        let is_hold = letter.order.amount.minor != 0;
        match is_hold || asked.contains(&letter.order.id) {
            true => assert_eq!((letter.state, letter.attempts), (LetterState::Done, 1)),
            false => assert_eq!((letter.state, letter.attempts), (LetterState::Due, 0)),
        }
    }
}
