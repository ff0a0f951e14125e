//! The shop's machine, its disk, its clock and its provider, all of which misbehave on purpose.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::RngExt;

use super::trouble::Trouble;
use super::{BEGINNING, Report};
use crate::base::rng::{Dice, dice};
use crate::base::{CartId, Error, Kind, Result, ShopTime, ShopperId, Span, TransferId};
use crate::db::faulty::{Faulty, Life, Mischance, Moment};
use crate::db::outbox::LetterState;
use crate::db::{self, Database, FailureKind, cases, outbox};
use crate::facts::{Case, Concern, Receipt, StatementLine, Verdict};
use crate::ledger;
use crate::ledger::payment::Standing;
use crate::payment::{Faults, Sandbox};
use crate::ports::{Clock, PaymentProvider};
use crate::shop::Shop;
use crate::till::{Closing, Door, Enrolment, Payer, Providers, Till, check, payment_of, settle_due};

/// Rows that one question gives at most.
const MANY: u32 = 10_000;
/// How often one step is tried before the drill itself is at fault.
const TRIES_MAX: u32 = 5_000;

/// A clock that says what it is told.
struct DrillClock(AtomicI64);

impl DrillClock {
    fn set(&self, at: ShopTime) {
        self.0.store(at.as_nanos(), Ordering::Relaxed);
    }
}

impl Clock for DrillClock {
    fn now(&self) -> ShopTime {
        ShopTime::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

/// What the machine is in the mood for.
struct Mood {
    dice: Dice,
    /// Nothing goes wrong any more.
    calm: bool,
    disk_full: bool,
    /// Moments until the process dies.
    die_in: Option<u32>,
    counts: BTreeMap<&'static str, u64>,
}

impl Mood {
    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_insert(0) += 1;
    }

    fn strike(&mut self, moment: Moment<'_>) -> Option<Mischance> {
        if self.calm {
            return None;
        }
        if let Some(left) = &mut self.die_in {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.die_in = None;
                self.count("process killed");
                return Some(Mischance::Die);
            }
        }
        let fail = |what, kind| Some((what, Mischance::Fail(kind)));
        let struck = match moment {
            Moment::Commit if self.disk_full => fail("disk full", FailureKind::Full),
            Moment::Begin if self.dice.random_bool(0.002) => fail("database busy", FailureKind::Busy),
            Moment::Commit if self.dice.random_bool(0.002) => fail("transactions met", FailureKind::Conflict),
            Moment::Commit if self.dice.random_bool(0.001) => fail("connection lost before commit", FailureKind::Lost),
            Moment::Committed if self.dice.random_bool(0.001) => {
                fail("connection lost after commit", FailureKind::Lost)
            }
            _ => None,
        };
        struck.map(|(what, mischance)| {
            self.count(what);
            mischance
        })
    }
}

/// Everything around the till.
pub(super) struct World {
    shop: Arc<Shop>,
    clock: Arc<DrillClock>,
    /// What the time really is; the machine's clock may be off by `step`.
    time: ShopTime,
    step: Span,
    till: Option<Till>,
    life: Life,
    mood: Arc<Mutex<Mood>>,
    sandbox: Arc<Sandbox>,
    providers: Providers,
    report: Report,
}

fn lock(mood: &Mutex<Mood>) -> MutexGuard<'_, Mood> {
    mood.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    pub(super) fn new(shop: Arc<Shop>, seed: u64) -> Result<Self> {
        let clock = Arc::new(DrillClock(AtomicI64::new(BEGINNING.as_nanos())));
        let dice = dice(seed, "drill/machine");
        let mood =
            Arc::new(Mutex::new(Mood { dice, calm: false, disk_full: false, die_in: None, counts: BTreeMap::new() }));
        let engine = db::open("sqlite::memory:", &db::Options::default(), BEGINNING)?.into_engine();
        let striking = mood.clone();
        let faulty = Faulty::new(engine, move |moment: Moment<'_>| lock(&striking).strike(moment));
        let life = faulty.life();
        let faults = Faults {
            seed,
            decline: 0.02,
            decline_capture: 0.01,
            decline_refund: 0.1,
            timeout_before: 0.02,
            timeout_after: 0.03,
            unavailable: 0.02,
            pending: 0.05,
            lose_notices: 0.1,
            duplicate_notices: 0.2,
            reorder_notices: 0.2,
        };
        let sandbox = Arc::new(Sandbox::new(clock.clone()).with_faults(faults));
        let providers = Providers::from([("sandbox".to_owned(), sandbox.clone() as Arc<dyn PaymentProvider>)]);
        let mut world = World {
            shop: shop.clone(),
            clock,
            time: BEGINNING,
            step: Span::ZERO,
            till: None,
            life,
            mood,
            sandbox,
            providers,
            report: Report::default(),
        };
        lock(&world.mood).calm = true;
        world.till = Some(Till::open(Database::new(Box::new(faulty)), shop, BEGINNING)?);
        lock(&world.mood).calm = false;
        Ok(world)
    }

    pub(super) fn now(&self) -> ShopTime {
        self.clock.now()
    }

    /// Time goes on; the machine's clock is as wrong as it was.
    fn wait_until(&mut self, at: ShopTime) {
        self.time = self.time.max(at);
        self.clock.set(self.time + self.step);
    }

    pub(super) fn trouble(&mut self, trouble: Trouble) {
        let mut mood = lock(&self.mood);
        match trouble {
            Trouble::Outage(down) => {
                self.sandbox.set_down(down);
                if down {
                    mood.count("provider silent");
                }
            }
            Trouble::DiskFull(full) => {
                mood.disk_full = full;
                if full {
                    mood.count("disk filled up");
                }
            }
            Trouble::ClockStep(step) => {
                self.step = step;
                mood.count("clock stepped");
            }
            Trouble::Die => {
                let moments = mood.dice.random_range(1..40);
                mood.die_in = Some(moments);
            }
        }
        drop(mood);
        self.wait_until(self.time);
    }

    /// Everything works from now on.
    pub(super) fn calm(&mut self) {
        self.sandbox.set_down(false);
        self.sandbox.set_faults(Faults::default());
        self.step = Span::ZERO;
        let mut mood = lock(&self.mood);
        mood.calm = true;
        mood.disk_full = false;
        mood.die_in = None;
        drop(mood);
        self.life.revive();
        self.wait_until(self.time);
    }

    pub(super) fn find(&mut self, finding: &str) {
        self.report.findings.push(finding.to_owned());
    }

    /// Does a step until it is done, as whoever is outside would: after a crash the process is started again, and what was
    /// not confirmed is sent again; a full disk or a busy database is waited for.
    fn persist<T>(&mut self, mut step: impl FnMut(&mut Till, ShopTime) -> Result<T>) -> Result<T> {
        for _ in 0..TRIES_MAX {
            let now = self.clock.now();
            let Some(till) = &mut self.till else { break };
            match step(till, now) {
                Err(error) if error.kind() == Kind::Unavailable => {
                    if self.life.is_alive() {
                        self.wait_until(self.time + Span::from_millis(10_000));
                        self.lift_by_time();
                    }
                    self.life.revive();
                }
                done => return done,
            }
        }
        Err(Error::unmet("a step of the drill never came through"))
    }

    /// A disk that is full is seen to in the end, though no event comes while everybody waits for it.
    fn lift_by_time(&mut self) {
        let mut mood = lock(&self.mood);
        let roll = mood.dice.random_bool(0.02);
        if mood.disk_full && roll {
            mood.disk_full = false;
        }
    }

    pub(super) fn enrol(&mut self, enrolment: &Enrolment) -> Result<()> {
        self.persist(|till, now| till.enrol(enrolment, now))
    }

    /// A shopper at the gate: announced, held, let in or not.
    pub(super) fn arrive(&mut self, shopper: ShopperId, cart: CartId) -> Result<Door> {
        self.report.visits += 1;
        let announced = match self.persist(|till, now| till.announce(shopper, cart, "north", now)) {
            Ok(announced) => announced,
            Err(error) if error.kind() == Kind::Conflict => {
                self.report.turned_away += 1;
                return Ok(Door::Shut { reason: error.message().to_owned() });
            }
            Err(error) => return Err(error),
        };
        if let Some(order) = announced.order {
            let answer = self.sandbox.submit(&order);
            self.persist(|till, now| till.answered(order.id, &answer, announced.first, now))?;
        }
        let door = self.persist(|till, now| till.door(cart, now))?;
        match &door {
            Door::Shut { .. } => self.report.turned_away += 1,
            Door::Open { unheld } => self.report.unheld += u64::from(*unheld),
        }
        Ok(door)
    }

    /// A shopper has left; the case, if a person has to look first.
    pub(super) fn close(&mut self, receipt: &Receipt, payer: &Payer) -> Result<Option<crate::base::CaseId>> {
        let closing = Closing { receipt: receipt.clone(), evidence: Vec::new(), payer: payer.clone() };
        let closed = self.persist(|till, now| till.close(&closing, now))?;
        self.report.reviewed += u64::from(closed.case.is_some());
        Ok(closed.case)
    }

    /// A shopper complains, if there is anything to complain about.
    pub(super) fn contest(&mut self, cart: CartId) -> Result<()> {
        match self.persist(|till, now| till.contest(cart, "this is not what I took", &[], now)) {
            Ok(_) => self.report.contested += 1,
            Err(error) if matches!(error.kind(), Kind::Missing | Kind::Conflict) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// A shopper's bank takes money back; whether there was any.
    pub(super) fn dispute(&mut self, cart: CartId) -> Result<bool> {
        let payment = self.persist(|till, _| till.with(|session| payment_of(session, cart)))?;
        let taken = payment.filter(|payment| payment.standing() == Standing::Settled && 0 < payment.paid());
        let reference = taken.and_then(|payment| payment.taken.first().map(|taken| taken.settled.reference.clone()));
        let Some(reference) = reference else { return Ok(false) };
        self.sandbox.dispute(&reference)?;
        self.report.disputed += 1;
        Ok(true)
    }

    /// The bank has decided what it took back in [`World::dispute`].
    pub(super) fn close_dispute(&mut self, cart: CartId, won: bool) -> Result<()> {
        let payment = self.persist(|till, _| till.with(|session| payment_of(session, cart)))?;
        let taken = payment.and_then(|payment| payment.taken.first().map(|taken| taken.settled.reference.clone()));
        taken.map_or(Ok(()), |reference| self.sandbox.close_dispute(&reference, won))
    }

    pub(super) fn waiting(&mut self) -> Result<Vec<Case>> {
        self.persist(|till, _| till.with(|session| cases::waiting(session, (ShopTime::MIN, ""), MANY)))
    }

    pub(super) fn decide(&mut self, case: &Case, verdict: &Verdict) -> Result<()> {
        let unpaid = case.concerns.iter().any(|concern| matches!(concern, Concern::Unpaid { .. }));
        self.report.unpaid += u64::from(unpaid);
        match self.persist(|till, _| till.decide(case.id, verdict)) {
            Ok(_) => Ok(()),
            // It was decided by an attempt whose answer was lost.
            Err(error) if error.kind() == Kind::Conflict => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Lets time pass until `at`, carrying out what comes due and delivering what the provider sends.
    pub(super) fn settle_until(&mut self, at: ShopTime) -> Result<()> {
        for _ in 0..TRIES_MAX * 20 {
            let (providers, clock) = (self.providers.clone(), self.clock.clone());
            self.persist(|till, _| settle_due(till, &providers, &*clock))?;
            self.deliver()?;
            let due = self.persist(|till, _| till.next_due())?.map(|due| due - self.step);
            match due {
                Some(due) if due < at => self.wait_until(due.max(self.time + Span::from_millis(200))),
                _ => {
                    self.wait_until(at);
                    return Ok(());
                }
            }
        }
        Err(Error::unmet("orders are due for ever"))
    }

    /// Webhooks, as often and in whatever order they come.
    fn deliver(&mut self) -> Result<()> {
        for (headers, body) in self.sandbox.take_notices(self.clock.now()) {
            let notice = self.sandbox.read_notice(&headers, &body, self.clock.now())?;
            let new = self.persist(|till, now| till.noticed(&notice, now))?;
            lock(&self.mood).count(if new { "notices" } else { "notices doubled" });
        }
        Ok(())
    }

    /// Whether nothing is due or given up.
    pub(super) fn is_settled(&mut self) -> Result<bool> {
        let counts = self.persist(|till, _| till.with(outbox::counts))?;
        let open = [LetterState::Due.as_str(), LetterState::Stuck.as_str()];
        Ok(counts.iter().all(|(state, count)| *count == 0 || !open.contains(&state.as_str())))
    }

    pub(super) fn statement(&self) -> Result<Vec<StatementLine>> {
        Ok(self.sandbox.statement()?.unwrap_or_default())
    }

    pub(super) fn check(&mut self, statement: &[StatementLine]) -> Result<ledger::Report> {
        let Some(till) = self.till.take() else { return Err(Error::unmet("the drill has no till")) };
        let mut database = till.into_database();
        let report = check(&mut database, &[("sandbox".to_owned(), statement.to_vec())])?;
        self.till = Some(Till::reopen(database, self.shop.name())?);
        Ok(report)
    }

    /// Which cart every order is for.
    pub(super) fn carts_of_orders(&mut self) -> Result<BTreeMap<TransferId, CartId>> {
        let mut carts = BTreeMap::new();
        let mut last = None;
        loop {
            let page = self.persist(|till, _| till.with(|session| outbox::after(session, last, MANY)))?;
            let Some(end) = page.last() else { return Ok(carts) };
            last = Some(end.order.id);
            carts.extend(page.iter().map(|letter| (letter.order.id, letter.order.cart)));
        }
    }

    pub(super) fn report(&self) -> Report {
        Report { faults: lock(&self.mood).counts.clone(), ..self.report.clone() }
    }
}
