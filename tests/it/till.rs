//! The till at its edges: who comes in, what a silent or confused provider does, what people decide, what is erased.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aisle::base::{CartId, Kind, Prob, Quantity, ShopTime, ShopperId, Span};
use aisle::cart;
use aisle::db::carts::{self, CartState};
use aisle::db::duties::{self, Duty};
use aisle::db::outbox::LetterState;
use aisle::db::{self, cases, outbox};
use aisle::facts::{
    Answer, Case, Closing as ClosedBy, Concern, Decision, EntryRole, Goods, Order, PaymentMethod, Receipt, Verdict,
    VisitBound,
};
use aisle::ledger::payment::{Payment, Standing};
use aisle::payment::Sandbox;
use aisle::ports::{Clock, PaymentProvider};
use aisle::shop::{PolicyDraft, ProductDraft, Shop, ShopDraft};
use aisle::sim;
use aisle::till::{Closing, Door, Enrolment, Payer, Progress, Providers, Till, check, drill, settle_due};
use serde_json::json;

struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> ShopTime {
        ShopTime::from_nanos(self.0.load(Ordering::SeqCst))
    }
}

/// A shop with tea for 3.00 and salt for 1.05, its till, a provider and a clock that is moved by hand.
pub(crate) struct Scene {
    pub(crate) till: Till,
    pub(crate) sandbox: Arc<Sandbox>,
    clock: Arc<Hand>,
}

pub(crate) fn cart(number: u32) -> CartId {
    CartId::derived(&["till", &number.to_string()])
}

pub(crate) fn shopper(name: &str) -> ShopperId {
    ShopperId::derived(&["till", name])
}

impl Scene {
    pub(crate) fn new() -> Self {
        let now = ShopTime::from_nanos(1_800_000_000_000_000_000);
        Scene::on(db::open("sqlite::memory:", &db::Options::default(), now).unwrap())
    }

    pub(crate) fn on(database: db::Database) -> Self {
        let product = |(sku, price_minor): (&str, i64)| ProductDraft {
            sku: sku.to_owned(),
            name: sku.to_uppercase(),
            price_minor: Some(price_minor),
            ..ProductDraft::default()
        };
        let draft = ShopDraft {
            name: "corner".to_owned(),
            policy: PolicyDraft { hold_minor: 500, offline_hours_max: 2.0, ..PolicyDraft::default() },
            products: [("tea", 300), ("salt", 105)].map(product).to_vec(),
            ..ShopDraft::default()
        };
        let clock = Arc::new(Hand(AtomicI64::new(1_800_000_000_000_000_000)));
        let till = Till::open(database, Arc::new(Shop::check(draft).unwrap()), clock.now()).unwrap();
        let mut scene = Scene { till, sandbox: Arc::new(Sandbox::new(clock.clone())), clock };
        scene.enrol("ann", "ok");
        scene
    }

    pub(crate) fn now(&self) -> ShopTime {
        self.clock.now()
    }

    pub(crate) fn hand(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    pub(crate) fn wait(&self, span: Span) {
        self.clock.0.fetch_add(span.as_nanos(), Ordering::SeqCst);
    }

    fn enrol(&mut self, name: &str, token: &str) {
        let text = |text: &str| text.to_owned();
        let method = PaymentMethod { provider: text("sandbox"), customer: text(name), token: text(token) };
        let (id, name) = (shopper(name), Some(text(name)));
        let enrolment = Enrolment { id, name, contact: None, method: Some(method), gate_digest: None };
        self.till.enrol(&enrolment, self.now()).unwrap();
    }

    pub(crate) fn arrive(&mut self, name: &str, number: u32) -> aisle::base::Result<Door> {
        let now = self.now();
        let announced = self.till.announce(shopper(name), cart(number), "north", now)?;
        if let Some(order) = announced.order {
            let answer = self.sandbox.submit(&order);
            self.till.answered(order.id, &answer, announced.first, now)?;
        }
        self.till.door(cart(number), now)
    }

    /// Leaves with `sku units, …`.
    pub(crate) fn leave(&mut self, payer: Payer, goods: &str) -> aisle::till::Closed {
        self.leave_with(payer, goods, 1.0)
    }

    pub(crate) fn leave_with(&mut self, payer: Payer, goods: &str, probability: f64) -> aisle::till::Closed {
        let now = self.now();
        let empty: Receipt = serde_json::from_value(json!({ "visit": "1", "entered": now, "left": now,
            "closing": ClosedBy::Left, "lines": [], "total": { "minor": 0, "currency": "USD" }, "probability": 1.0 }))
        .unwrap();
        let receipt = cart::reprice(self.till.shop(), &empty, &self::goods(goods));
        let receipt = Receipt { probability: aisle::base::Prob::new(probability), ..receipt };
        let closing = Closing { receipt, evidence: Vec::new(), payer };
        self.till.close(&closing, now).unwrap()
    }

    pub(crate) fn settle(&mut self) {
        let providers = Providers::from([("sandbox".to_owned(), self.sandbox.clone() as Arc<dyn PaymentProvider>)]);
        settle_due(&mut self.till, &providers, &*self.clock).unwrap();
    }

    /// Takes in all messages of the provider.
    pub(crate) fn hear(&mut self) {
        let now = self.now();
        for (headers, body) in self.sandbox.take_notices(now) {
            let notice = self.sandbox.read_notice(&headers, &body, now).unwrap();
            self.till.noticed(&notice, now).unwrap();
        }
    }

    pub(crate) fn decide(&mut self, case: &Case, decision: Decision) -> aisle::base::Result<Case> {
        let verdict = Verdict { reviewer: "rob".to_owned(), at: self.now(), decision, note: String::new() };
        self.till.decide(case.id, &verdict)
    }

    pub(crate) fn waiting(&mut self) -> Vec<Case> {
        self.till.with(|session| cases::waiting(session, (ShopTime::MIN, ""), 100)).unwrap()
    }

    pub(crate) fn payment(&mut self, number: u32) -> Payment {
        let id = aisle::base::PaymentId::of_cart(cart(number));
        self.till.with(|session| outbox::payment(session, id)).unwrap().unwrap()
    }

    fn asked(&mut self, number: u32) -> Order {
        self.payment(number).asked.unwrap()
    }

    /// What the sandbox has moved for everybody, minor units; the book must be in order and agree.
    fn proven(self) -> i64 {
        let statement = self.sandbox.statement().unwrap().unwrap();
        let sum = statement.iter().map(|line| match line.movement {
            aisle::facts::MoneyMovement::Taken => line.amount.minor,
            aisle::facts::MoneyMovement::GivenBack => -line.amount.minor,
        });
        let sum = sum.sum();
        let report = check(&mut self.till.into_database(), &[("sandbox".to_owned(), statement)]).unwrap();
        assert_eq!(report.findings, []);
        sum
    }
}

fn goods(text: &str) -> Vec<Goods> {
    let one = |item: &str| {
        let (sku, units) = item.split_once(' ').unwrap();
        Goods { sku: aisle::base::SkuId::new(sku), quantity: Quantity::new(units.parse().unwrap()) }
    };
    text.split(", ").filter(|item| !item.is_empty()).map(one).collect()
}

const OPEN: Door = Door::Open { unheld: false };

#[test]
fn a_usual_visit_is_held_booked_and_captured() {
    let mut scene = Scene::new();
    assert_eq!(scene.arrive("ann", 1).unwrap(), OPEN);
    let closed = scene.leave(Payer::Cart(cart(1)), "salt 1, tea 2");
    assert_eq!((closed.case, closed.again), (None, false));
    let again = scene.leave(Payer::Cart(cart(1)), "salt 1, tea 2");
    assert!(again.again && again.case.is_none(), "{again:?}");
    scene.settle();
    let payment = scene.payment(1);
    // The hold of 5.00 is captured, and the 2.05 that it does not cover are charged.
    assert_eq!((payment.standing(), payment.paid(), payment.taken.len()), (Standing::Settled, 705, 2));
    assert_eq!(scene.proven(), 705);
}

#[test]
fn another_receipt_for_the_same_visit_is_for_a_person_and_not_booked() {
    let mut scene = Scene::new();
    scene.arrive("ann", 1).unwrap();
    scene.leave(Payer::Cart(cart(1)), "tea 1");
    let other = scene.leave(Payer::Cart(cart(1)), "tea 2");
    let case = scene.waiting().pop().unwrap();
    assert_eq!((other.case, case.concerns.as_slice()), (Some(case.id), &[Concern::Recomputed][..]));
    scene.settle();
    assert_eq!(scene.proven(), 300);
}

#[test]
fn who_is_declined_or_owes_stays_outside() {
    let mut scene = Scene::new();
    scene.enrol("bea", "insufficient_funds");
    let Door::Shut { reason } = scene.arrive("bea", 1).unwrap() else { panic!("bea came in") };
    assert!(reason.contains("insufficient_funds"), "{reason}");
    // Ann's hold is captured by nobody: her card is refused at the exit.
    scene.enrol("ann", "decline_on_capture");
    assert_eq!(scene.arrive("ann", 2).unwrap(), OPEN);
    scene.enrol("ann", "declined");
    scene.leave(Payer::Cart(cart(2)), "tea 1");
    scene.settle();
    if scene.payment(2).standing() == Standing::Unpaid {
        let refused = scene.arrive("ann", 3).unwrap_err();
        assert_eq!(refused.kind(), Kind::Conflict);
        assert!(refused.message().contains("3.00 USD"), "{refused}");
    }
    let nobody = scene.arrive("zoe", 4).unwrap_err();
    assert_eq!(nobody.kind(), Kind::Missing);
}

#[test]
fn a_debt_is_settled_by_another_card_and_opens_the_door_again() {
    let mut scene = Scene::new();
    // A walk-in whose card declines everything: no hold, no charge.
    let text = |text: &str| text.to_owned();
    let method = PaymentMethod { provider: text("sandbox"), customer: text("w"), token: text("declined") };
    let closed = scene.leave(Payer::WalkIn(method), "tea 1");
    scene.settle();
    let case = scene.waiting().pop().unwrap();
    assert!(matches!(case.concerns[..], [Concern::Unpaid { .. }]), "{case:?}");
    let debtor = ShopperId::derived(&["walk-in", &closed.cart.hex()]);
    let now = scene.now();
    let refused = scene.till.announce(debtor, cart(9), "north", now).unwrap_err();
    assert!(refused.message().contains("3.00 USD"), "{refused}");
    let good = PaymentMethod { provider: text("sandbox"), customer: text("w"), token: text("ok") };
    let enrolment = Enrolment { id: debtor, name: None, contact: None, method: Some(good), gate_digest: None };
    scene.till.enrol(&enrolment, now).unwrap();
    scene.decide(&case, Decision::Accept).unwrap();
    scene.settle();
    scene.till.announce(debtor, cart(9), "north", now).unwrap();
    assert_eq!(scene.proven(), 300);
}

#[test]
fn while_the_provider_is_silent_the_policy_decides_and_everything_settles_afterwards() {
    let mut scene = Scene::new();
    scene.sandbox.set_down(true);
    assert_eq!(scene.arrive("ann", 1).unwrap(), Door::Open { unheld: true });
    scene.leave(Payer::Cart(cart(1)), "tea 1");
    scene.settle();
    scene.enrol("bea", "ok");
    // Two hours are the policy's patience; then nobody comes in without a hold.
    scene.wait(Span::from_millis(2 * 3_600_000 + 1));
    scene.settle();
    assert!(matches!(scene.arrive("bea", 2).unwrap(), Door::Shut { .. }));
    for _ in 0..22 * 6 {
        scene.wait(Span::from_millis(600_000));
        scene.settle();
    }
    assert_eq!(scene.waiting(), [], "a silent provider alone is nothing for a person");
    scene.sandbox.set_down(false);
    for _ in 0..12 {
        scene.wait(Span::from_millis(600_000));
        scene.settle();
    }
    assert_eq!(scene.payment(1).standing(), Standing::Settled);
    assert_eq!(scene.payment(2).standing(), Standing::Settled, "the hold of who was turned away is released");
    assert_eq!(scene.proven(), 300);
}

#[test]
fn an_order_that_nobody_can_be_sure_of_goes_to_a_person() {
    let mut scene = Scene::new();
    scene.arrive("ann", 1).unwrap();
    scene.leave(Payer::Cart(cart(1)), "tea 1");
    let order = scene.asked(1);
    let lost = Answer::Unknown { message: "timeout".to_owned() };
    // Three days of lost answers, longer than any day without the provider.
    for _ in 0..80 {
        scene.wait(Span::from_millis(3_600_000));
        let now = scene.now();
        for letter in scene.till.take_due(now, 10).unwrap() {
            scene.till.answered(letter.order.id, &lost, letter.unsure_since.is_none(), now).unwrap();
        }
    }
    let letter = scene.till.with(|session| outbox::get(session, order.id)).unwrap().unwrap();
    assert_eq!(letter.state, LetterState::Stuck);
    let case = scene.waiting().pop().unwrap();
    assert_eq!(case.concerns, [Concern::Unpaid { code: "timeout".to_owned() }]);
    let now = scene.now();
    let unclear = scene.till.resolve(order.id, &lost, now).unwrap_err();
    assert_eq!(unclear.kind(), Kind::Input);
    // The person tries again; the provider has not heard of it, and carries it out once.
    scene.decide(&case, Decision::Accept).unwrap();
    scene.settle();
    let twice = scene.decide(&case, Decision::Reject).unwrap_err();
    assert_eq!(twice.kind(), Kind::Conflict);
    assert_eq!(scene.proven(), 300);
}

#[test]
fn a_hold_that_can_never_be_is_no_silence_of_the_provider() {
    let mut scene = Scene::new();
    scene.enrol("eve", "gibberish");
    for number in 1..3 {
        let door = scene.arrive("eve", number).unwrap();
        assert!(matches!(&door, Door::Shut { reason } if reason.contains("refuses")), "{door:?}");
    }
    // Not confirmed at the gate: outside, and the hold is released when it comes.
    scene.enrol("sue", "slow");
    let door = scene.arrive("sue", 3).unwrap();
    assert!(matches!(&door, Door::Shut { reason } if reason.contains("confirmed")), "{door:?}");
    scene.wait(Span::from_millis(600_000));
    scene.settle();
    scene.wait(Span::from_millis(600_000));
    scene.settle();
    assert_eq!(scene.payment(3).standing(), Standing::Settled);
    assert_eq!(scene.proven(), 0);
}

#[test]
fn a_case_about_money_does_not_book_a_receipt_that_waits_for_another_reason() {
    let mut scene = Scene::new();
    scene.sandbox.set_down(true);
    scene.arrive("ann", 1).unwrap();
    let order = scene.asked(1);
    let now = scene.now();
    let faulty = Answer::Faulty { message: "no such key".to_owned() };
    scene.till.answered(order.id, &faulty, false, now).unwrap();
    let unpaid = scene.waiting().pop().unwrap();
    let closed = scene.leave_with(Payer::Cart(cart(1)), "tea 1", 0.5);
    let doubt = closed.case.unwrap();
    assert_ne!(doubt, unpaid.id);
    scene.sandbox.set_down(false);
    scene.decide(&unpaid, Decision::Accept).unwrap();
    scene.settle();
    assert_eq!(scene.payment(1).bill, None, "nobody has looked at the receipt yet");
    let doubt = scene.waiting().pop().unwrap();
    scene.decide(&doubt, Decision::Accept).unwrap();
    scene.settle();
    assert_eq!(scene.proven(), 300);
}

#[test]
fn an_answer_that_cannot_be_is_for_a_person_and_can_be_put_right() {
    let mut scene = Scene::new();
    scene.arrive("ann", 1).unwrap();
    scene.leave(Payer::Cart(cart(1)), "tea 1");
    let order = scene.asked(1);
    let now = scene.now();
    scene.till.take_due(now, 10).unwrap();
    let amount = aisle::base::Money::new(9_000, aisle::base::Currency::USD);
    let impossible = Answer::Done { reference: "sb".to_owned(), amount };
    scene.till.answered(order.id, &impossible, true, now).unwrap();
    let case = scene.waiting().pop().unwrap();
    assert!(matches!(&case.concerns[..], [Concern::Unpaid { code }] if code.contains("90.00 USD")), "{case:?}");
    scene.decide(&case, Decision::Accept).unwrap();
    scene.settle();
    assert_eq!(scene.payment(1).standing(), Standing::Settled);
    assert_eq!(scene.proven(), 300);
}

#[test]
fn a_clock_that_was_ahead_does_not_keep_orders_waiting() {
    let mut scene = Scene::new();
    scene.arrive("ann", 1).unwrap();
    scene.leave(Payer::Cart(cart(1)), "tea 1");
    scene.sandbox.set_down(true);
    scene.wait(Span::from_millis(366 * 24 * 3_600_000));
    scene.settle();
    scene.wait(Span::from_millis(-366 * 24 * 3_600_000));
    scene.sandbox.set_down(false);
    scene.settle();
    assert_eq!(scene.proven(), 300);
}

#[test]
fn who_contests_gets_back_what_the_person_says_and_no_more() {
    let mut scene = Scene::new();
    scene.arrive("ann", 1).unwrap();
    scene.leave(Payer::Cart(cart(1)), "salt 1, tea 2");
    scene.settle();
    let now = scene.now();
    let case = scene.till.contest(cart(1), "one tea, not two", &[], now).unwrap();
    assert_eq!(scene.till.contest(cart(1), "again", &[], now).unwrap().id, case.id);
    let dearer = scene.decide(&case, Decision::Change { lines: goods("tea 9") }).unwrap_err();
    assert!(dearer.message().contains("cannot be booked"), "{dearer}");
    scene.decide(&case, Decision::Change { lines: goods("salt 1, tea 1") }).unwrap();
    scene.settle();
    assert_eq!(scene.payment(1).standing(), Standing::Settled);
    scene.wait(Span::from_millis(31 * 24 * 3_600_000));
    let now = scene.now();
    assert_eq!(scene.till.contest(cart(1), "late", &[], now).unwrap_err().kind(), Kind::Conflict);
    assert_eq!(scene.proven(), 405);
}

#[test]
fn a_receipt_that_came_late_may_be_contested_as_long_as_any() {
    let mut scene = Scene::new();
    scene.arrive("ann", 1).unwrap();
    let now = scene.now();
    let left = now - Span::from_millis(100 * 24 * 3_600_000);
    let text = json!({ "visit": "1", "entered": left, "left": left, "closing": ClosedBy::Left, "lines": [],
        "total": { "minor": 0, "currency": "USD" }, "probability": 1.0 });
    let receipt: Receipt = serde_json::from_value(text).unwrap();
    scene.till.close(&Closing { receipt, evidence: Vec::new(), payer: Payer::Cart(cart(1)) }, now).unwrap();
    scene.till.contest(cart(1), "what is this?", &[], now).unwrap();
}

#[test]
fn a_visit_without_a_payer_waits_until_one_is_found() {
    let mut scene = Scene::new();
    let closed = scene.leave(Payer::Unknown, "tea 1");
    let case = scene.waiting().pop().unwrap();
    assert_eq!(case.concerns, [Concern::NoPayer]);
    assert!(scene.decide(&case, Decision::Accept).unwrap_err().message().contains("assign"));
    let now = scene.now();
    scene.till.assign(closed.cart, shopper("ann"), now).unwrap();
    scene.decide(&case, Decision::Accept).unwrap();
    scene.settle();
    assert_eq!(scene.proven(), 300);
}

#[test]
fn whoever_works_here_takes_without_paying_and_the_book_is_in_order() {
    let mut scene = Scene::new();
    let now = scene.now();
    let duty = |role| Duty { role, token: None };
    scene.till.admit(duty(EntryRole::Staff), cart(1), "north", now).unwrap();
    scene.till.admit(duty(EntryRole::Staff), cart(1), "north", now).unwrap();
    assert_eq!(scene.till.admit(duty(EntryRole::Restock), cart(1), "north", now).unwrap_err().kind(), Kind::Conflict);
    assert_eq!(scene.till.admit(duty(EntryRole::Shopper), cart(2), "north", now).unwrap_err().kind(), Kind::Input);
    // However unsure, nobody has to look: there is no money in it.
    let closed = scene.leave_with(Payer::Cart(cart(1)), "tea 3", 0.1);
    assert_eq!((closed.cart, closed.case), (cart(1), None));
    // Nobody came in with the next one, which is over then.
    scene.till.admit(duty(EntryRole::Restock), cart(3), "north", now).unwrap();
    let progress = Progress { closings: &[], open: &[], expired: &[cart(3)], checkpoint: b"", at: now };
    scene.till.advance(&progress).unwrap();
    // The engine has to be begun anew while somebody fills shelves.
    scene.till.admit(duty(EntryRole::Restock), cart(4), "north", now).unwrap();
    assert_eq!(scene.till.interrupt("it was another aisle", now).unwrap(), 0);
    let states = [1, 3, 4].map(|number| {
        let found = scene.till.with(|session| carts::get(session, cart(number))).unwrap().unwrap();
        (found.state, found.receipt, found.booked)
    });
    assert_eq!(states, [(CartState::Settled, 1, 0), (CartState::Settled, 0, 0), (CartState::Settled, 1, 0)]);
    assert!(scene.waiting().is_empty());
    scene.settle();
    assert_eq!(scene.proven(), 0);
}

#[test]
fn a_gate_that_asks_nobody_may_say_who_works_here_but_not_of_a_cart_that_is_paid() {
    let mut scene = Scene::new();
    let of = |number| Payer::Duty { cart: cart(number), role: EntryRole::Staff };
    // The book knows nothing of this cart: it is that of the visit.
    let closed = scene.leave(of(7), "salt 1");
    assert_eq!(closed.case, None);
    assert_ne!(closed.cart, cart(7));
    let duty = scene.till.with(|session| duties::of_cart(session, closed.cart)).unwrap();
    assert_eq!(duty, Some(Duty { role: EntryRole::Staff, token: None }));
    assert_eq!(scene.proven(), 0);

    let mut scene = Scene::new();
    scene.arrive("ann", 1).unwrap();
    scene.leave(of(1), "tea 1");
    scene.settle();
    assert_eq!(scene.proven(), 300, "she is a shopper, whatever a gate says");

    // A shopper's cart that the book does not know is nobody's.
    let mut scene = Scene::new();
    scene.leave(Payer::Cart(cart(9)), "tea 1");
    assert_eq!(scene.waiting()[0].concerns, [Concern::NoPayer]);
}

#[test]
fn whoever_slipped_in_behind_somebody_is_before_a_person_with_the_name_of_that_cart() {
    let mut scene = Scene::new();
    let bound = |cart, probability, role, behind| VisitBound {
        visit: "1".parse().unwrap(),
        cart,
        probability: Prob::new(probability),
        role,
        behind,
    };
    let (shopper, bar) = (EntryRole::Shopper, Prob::new(0.9));
    let of = |bound: VisitBound| Payer::of(&bound, bar);
    assert_eq!(of(bound(Some(cart(1)), 0.95, shopper, None)), Payer::Cart(cart(1)));
    assert_eq!(of(bound(Some(cart(1)), 0.89, shopper, None)), Payer::Unknown, "nobody is guessed");
    let restock = EntryRole::Restock;
    assert_eq!(of(bound(Some(cart(1)), 0.95, restock, None)), Payer::Duty { cart: cart(1), role: restock });
    let behind = of(bound(None, 0.99, shopper, Some(cart(1))));
    assert_eq!(behind, Payer::Behind(cart(1)));
    scene.leave(behind, "tea 1");
    assert_eq!(scene.waiting()[0].concerns, [Concern::NoPayer, Concern::Tailgated { behind: cart(1) }]);
    assert_eq!(scene.proven(), 0);
}

#[test]
fn a_bank_that_takes_money_back_is_believed_once() {
    let mut scene = Scene::new();
    scene.arrive("ann", 1).unwrap();
    scene.leave(Payer::Cart(cart(1)), "tea 1");
    scene.settle();
    let reference = scene.payment(1).taken[0].settled.reference.clone();
    scene.sandbox.dispute(&reference).unwrap();
    let now = scene.now();
    for (headers, body) in scene.sandbox.take_notices(now) {
        let notice = scene.sandbox.read_notice(&headers, &body, now).unwrap();
        assert!(scene.till.noticed(&notice, now).unwrap());
        assert!(!scene.till.noticed(&notice, now).unwrap(), "the same message twice is one");
    }
    let case = scene.waiting().pop().unwrap();
    assert!(matches!(case.concerns[..], [Concern::Disputed { amount }] if amount.minor == 300), "{case:?}");
    assert!(scene.decide(&case, Decision::Reject).unwrap_err().message().contains("bank"));
    scene.decide(&case, Decision::Accept).unwrap();
    scene.settle();
    assert_eq!((scene.payment(1).standing(), scene.payment(1).paid()), (Standing::Settled, 0));
    scene.proven();
}

#[test]
fn a_dispute_that_is_won_or_lost_is_over_without_a_person() {
    for (won, paid) in [(true, 300), (false, 0)] {
        let mut scene = Scene::new();
        scene.arrive("ann", 1).unwrap();
        scene.leave(Payer::Cart(cart(1)), "tea 1");
        scene.settle();
        let reference = scene.payment(1).taken[0].settled.reference.clone();
        scene.sandbox.dispute(&reference).unwrap();
        scene.hear();
        assert_eq!((scene.waiting().len(), scene.payment(1).paid()), (1, 0));
        // Told twice, as a bank may.
        for _ in 0..2 {
            scene.sandbox.close_dispute(&reference, won).unwrap();
        }
        scene.hear();
        assert_eq!(scene.waiting(), []);
        let payment = scene.payment(1);
        assert_eq!((payment.standing(), payment.paid(), payment.lost), (Standing::Settled, paid, 300 - paid));
        let cases = scene.till.with(|session| cases::of_cart(session, cart(1))).unwrap();
        let verdict = cases[0].verdict.as_ref().unwrap();
        assert_eq!((verdict.reviewer.as_str(), verdict.note.contains("won")), ("aisle", won));
        let sums = scene.till.with(|session| db::transfers::sums(session, false)).unwrap();
        let lost = sums.iter().find(|sum| sum.account == aisle::facts::Account::Losses).unwrap();
        assert_eq!(lost.debits - lost.credits, 300 - paid);
        scene.proven();
    }
}

#[test]
fn who_is_erased_leaves_accounts_and_no_person() {
    let mut scene = Scene::new();
    scene.arrive("ann", 1).unwrap();
    let now = scene.now();
    assert_eq!(scene.till.erase(shopper("ann"), now).unwrap_err().kind(), Kind::Conflict, "ann is inside");
    scene.leave(Payer::Cart(cart(1)), "tea 1");
    scene.settle();
    scene.till.contest(cart(1), "ann@example.org wants her money back", &[], now).unwrap();
    let case = scene.waiting().pop().unwrap();
    scene.decide(&case, Decision::Accept).unwrap();
    let before = scene.till.export(shopper("ann")).unwrap();
    assert_eq!((before.name.as_deref(), before.carts.len()), (Some("ann"), 1));
    scene.till.erase(shopper("ann"), now).unwrap();
    scene.till.erase(shopper("ann"), now).unwrap();
    let after = serde_json::to_string(&scene.till.export(shopper("ann")).unwrap()).unwrap();
    assert!(!after.contains("\"ann\"") && !after.contains("example.org"), "{after}");
    assert!(after.contains("capture"), "the accounts stay: {after}");
    let refused = scene.till.announce(shopper("ann"), cart(2), "north", now).unwrap_err();
    assert_eq!(refused.kind(), Kind::Missing);
    assert_eq!(scene.proven(), 300);
}

#[test]
fn evidence_is_kept_as_long_as_the_policy_says() {
    let mut scene = Scene::new();
    scene.arrive("ann", 1).unwrap();
    scene.leave(Payer::Cart(cart(1)), "tea 1");
    let now = scene.now();
    assert_eq!(scene.till.forget(now).unwrap().evidence, 0);
    let later = now + Span::from_millis(30 * 24 * 3_600_000);
    assert_eq!(scene.till.forget(later).unwrap().evidence, 1);
    let kept = scene.till.with(|session| db::carts::evidence(session, cart(1))).unwrap();
    assert_eq!(kept, None);
}

#[test]
fn months_in_which_everything_goes_wrong_end_in_order() {
    let shop = Arc::new(sim::demo_shop());
    for seed in 1..=3 {
        let report = drill::drill(&shop, &drill::Options { seed, days: 6, visits_per_day: 25 }).unwrap();
        assert_eq!(
            report.findings,
            Vec::<String>::new(),
            "`aisle ledger drill --seeds 1 --from {seed} --days 6 --visits 25`"
        );
        for fault in
            ["process killed", "connection lost after commit", "provider silent", "disk filled up", "clock stepped"]
        {
            assert!(report.faults.contains_key(fault), "seed {seed} had no `{fault}`: {:?}", report.faults);
        }
        assert!(0 < report.reviewed && 0 < report.contested && 0 < report.unheld && 0 < report.taken, "{report:?}");
    }
}
