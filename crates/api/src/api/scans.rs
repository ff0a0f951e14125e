//! What gates say on its way to the engine: every scan that opened a door becomes a ground fact, with a number that rises as
//! long as the clock of this machine does, also over restarts. It never opens a door for somebody of whom the engine was not
//! told, where there is one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crossbeam_channel::bounded;

use super::Api;
use super::problem::{Problem, Sort};
use crate::base::{CartId, SourceId, Span};
use crate::facts::{Body, Case, Fact, GateScan, ReviewVerdict, Stamp};
use crate::ports::{Clock, Delivery, Intake, Kept};

/// How long a gate waits until its scan is kept.
const KEPT_WAIT: Duration = Duration::from_secs(3);
/// Carts of which it is remembered that the engine knows them.
const TOLD_MAX: usize = 4_096;
/// Gates whose last number is remembered; one that is forgotten goes on with the time.
const GATES_MAX: usize = 256;

/// Where scans go.
pub(super) struct Scans {
    intake: Intake,
    state: Mutex<State>,
    kept: AtomicU64,
    full: AtomicU64,
    unsure: AtomicU64,
}

#[derive(Default)]
struct State {
    /// The last number of each gate, and of the reviewers' desk, by source.
    numbers: BTreeMap<String, u64>,
    told: BTreeSet<CartId>,
    in_order: VecDeque<CartId>,
}

impl Scans {
    pub(super) fn new(intake: Intake) -> Self {
        Scans {
            intake,
            state: Mutex::default(),
            kept: AtomicU64::new(0),
            full: AtomicU64::new(0),
            unsure: AtomicU64::new(0),
        }
    }

    /// How many scans came to which end.
    pub(super) fn counts(&self) -> [(&'static str, u64); 3] {
        [("kept", &self.kept), ("full", &self.full), ("unsure", &self.unsure)]
            .map(|(outcome, count)| (outcome, count.load(Ordering::Relaxed)))
    }

    fn give(&self, scan: GateScan, clock: &dyn Clock) -> Result<(), Problem> {
        let cart = scan.cart;
        let (tell, told) = bounded(1);
        let kept = Kept::then(move || {
            // The gate may have given up.
            let _ = tell.send(());
        });
        {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.told.contains(&cart) {
                return Ok(());
            }
            // In here, so that numbers go out in their order.
            let fact = state.fact(scan, clock);
            if !self.intake.offer(Delivery { fact, kept }) {
                self.full.fetch_add(1, Ordering::Relaxed);
                let detail = "the engine is behind and takes nothing just now; the door stays shut, repeat the request";
                return Err(Problem::new(Sort::Unavailable, detail).retry_after(Span::ZERO));
            }
        }
        if told.recv_timeout(KEPT_WAIT).is_err() {
            self.unsure.fetch_add(1, Ordering::Relaxed);
            let detail = "the engine has not kept this entry in time; the door stays shut, repeat the request";
            return Err(Problem::new(Sort::Unavailable, detail).retry_after(Span::ZERO));
        }
        self.kept.fetch_add(1, Ordering::Relaxed);
        self.state.lock().unwrap_or_else(PoisonError::into_inner).remember(cart);
        Ok(())
    }
}

impl State {
    fn fact(&mut self, scan: GateScan, clock: &dyn Clock) -> Fact {
        Fact { stamp: self.stamp(format!("gate/{}", scan.gate), clock), body: Body::Gate(scan) }
    }

    /// The next stamp of a source.
    fn stamp(&mut self, source: String, clock: &dyn Clock) -> Stamp {
        let now = clock.now();
        if GATES_MAX <= self.numbers.len() && !self.numbers.contains_key(&source) {
            self.numbers.pop_first();
        }
        let name = SourceId::new(&source);
        let last = self.numbers.entry(source).or_default();
        *last = last.saturating_add(1).max(u64::try_from(now.as_nanos()).unwrap_or(0));
        Stamp { source: name, sequence: *last, at: now, arrived: now }
    }

    fn remember(&mut self, cart: CartId) {
        if self.told.insert(cart) {
            self.in_order.push_back(cart);
        }
        if TOLD_MAX < self.in_order.len()
            && let Some(oldest) = self.in_order.pop_front()
        {
            self.told.remove(&oldest);
        }
    }
}

/// Whether the engine is known to keep a cart's scan.
pub(super) fn is_told(api: &Api, cart: CartId) -> bool {
    let told = |scans: &Scans| scans.state.lock().unwrap_or_else(PoisonError::into_inner).told.contains(&cart);
    api.scans.as_ref().is_some_and(told)
}

/// Tells the engine of a scan for which a door opens; whether there is an engine.
///
/// # Errors
/// When it is not known to be kept: the door must not open, and the same scan may be given again.
pub(super) fn tell(api: &Api, scan: GateScan) -> Result<bool, Problem> {
    match &api.scans {
        None => Ok(false),
        Some(scans) => scans.give(scan, api.clock.as_ref()).map(|()| true),
    }
}

/// Puts what a reviewer decided among the facts of the shop, so that the log has it. The book has it already: where the engine is
/// behind it is only counted.
pub(super) fn note(api: &Api, case: &Case) {
    let (Some(scans), Some(verdict)) = (&api.scans, &case.verdict) else { return };
    let said = ReviewVerdict { case: case.id, cart: case.cart, receipt: case.receipt, verdict: verdict.clone() };
    let mut state = scans.state.lock().unwrap_or_else(PoisonError::into_inner);
    let stamp = state.stamp("review".to_owned(), api.clock.as_ref());
    let fact = Fact { stamp, body: Body::Verdict(said) };
    if !scans.intake.offer(Delivery { fact, kept: Kept::NOBODY }) {
        scans.full.fetch_add(1, Ordering::Relaxed);
    }
}
