//! Visits from the gate to the charge: when each stage was over.

use std::collections::{BTreeMap, VecDeque};

use super::exporter::{Exporter, Span};
use crate::base::{CartId, Result, ShopTime, VisitId, sha256};
use crate::db::{Failure, Session, outbox};
use crate::ledger::payment::Standing;
use crate::ports::Clock;
use crate::till::{Closed, Closing, Till, payment_of};

/// Entries at gates that wait for their visit; of more the oldest are forgotten.
const ENTRIES_MAX: usize = 1_024;
/// Visits that wait for their charge; of more the oldest are told as they are.
const WAITING_MAX: usize = 1_024;
/// Payments that are looked at in one go.
const LOOKS_MAX: usize = 32;
/// A charge that takes longer is told as pending.
const CHARGE_SECS_MAX: f64 = 3_600.0;

aisle_contract::named_enum! {
    /// How a visit ended for the money.
    pub enum Outcome as "outcome of a visit" {
        /// It is paid.
        Charged = "charged",
        /// The provider refused it.
        Unpaid = "unpaid",
        /// A person has to look before anything is charged.
        Review = "review",
        /// Nobody is asked to pay.
        Unbilled = "unbilled",
        /// The provider has not said yet.
        Pending = "pending",
    }
}

/// The times of a visit.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// The cart, which names the trace.
    pub cart: CartId,
    /// What the engine called it.
    pub visit: VisitId,
    /// When somebody scanned at a gate.
    pub gate: Option<ShopTime>,
    /// When the shopper was first seen.
    pub first_seen: ShopTime,
    /// When the shopper was last seen.
    pub last_seen: ShopTime,
    /// When the engine gave the receipt, by the clock of this machine.
    pub decided: ShopTime,
    /// When it was in the book.
    pub booked: ShopTime,
    /// When the provider had taken the money.
    pub charged: Option<ShopTime>,
    /// How it ended.
    pub outcome: Outcome,
}

impl Trace {
    /// The stages that it went through, in order: name, from when, until when.
    pub fn stages(&self) -> Vec<(&'static str, ShopTime, ShopTime)> {
        let entered = self.gate.map(|gate| ("enter", gate, self.first_seen));
        let charged = self.charged.map(|charged| ("charge", self.booked, charged));
        let between = [
            ("inside", self.first_seen, self.last_seen),
            ("decide", self.last_seen, self.decided),
            ("book", self.decided, self.booked),
        ];
        entered.into_iter().chain(between).chain(charged).collect()
    }

    /// The whole visit and each of its stages, as spans of one trace.
    pub fn spans(&self) -> Vec<Span> {
        let id = |name: &str| sha256(format!("{}/{name}", self.cart).as_bytes())[..16].to_owned();
        let (trace, root) = (self.cart.hex(), id("visit"));
        let ends = self.stages();
        let start = ends.first().map_or(self.first_seen, |(_, start, _)| *start);
        let whole = Span {
            trace: trace.clone(),
            id: root.clone(),
            parent: None,
            name: "visit",
            start,
            end: self.charged.unwrap_or(self.booked),
            attributes: vec![
                ("aisle.cart", self.cart.to_string()),
                ("aisle.visit", self.visit.to_string()),
                ("aisle.outcome", self.outcome.to_string()),
            ],
        };
        let stage = |(name, start, end)| Span {
            trace: trace.clone(),
            id: id(name),
            parent: Some(root.clone()),
            name,
            start,
            end,
            attributes: Vec::new(),
        };
        std::iter::once(whole).chain(ends.into_iter().map(stage)).collect()
    }

    /// Writes it into the log, as a span with the delay of each stage.
    fn log(&self) {
        let secs = |name: &str| {
            let stages = self.stages();
            stages.into_iter().find(|(stage, ..)| *stage == name).map(|(_, start, end)| end.secs_since(start))
        };
        let leaving = self.charged.map(|charged| charged.secs_since(self.last_seen));
        let span = tracing::info_span!(
            "visit",
            cart = %self.cart,
            visit = %self.visit,
            outcome = self.outcome.name(),
            enter_secs = secs("enter"),
            inside_secs = secs("inside"),
            decide_secs = secs("decide"),
            book_secs = secs("book"),
            charge_secs = secs("charge"),
            exit_to_charge_secs = leaving,
        );
        span.in_scope(|| tracing::info!("a visit is over"));
    }
}

/// Follows visits. What it is told it keeps until the charge, and no longer.
#[derive(Default)]
pub struct Visits {
    entries: BTreeMap<CartId, ShopTime>,
    in_order: VecDeque<CartId>,
    waiting: VecDeque<Trace>,
    exporter: Option<Exporter>,
}

impl Visits {
    /// Visits whose spans also go there.
    pub fn exporting(exporter: Exporter) -> Self {
        Visits { exporter: Some(exporter), ..Visits::default() }
    }

    /// Somebody scanned at a gate.
    pub fn scanned(&mut self, cart: CartId, at: ShopTime) {
        if self.entries.insert(cart, at).is_none() {
            self.in_order.push_back(cart);
        }
        if ENTRIES_MAX < self.in_order.len()
            && let Some(oldest) = self.in_order.pop_front()
        {
            self.entries.remove(&oldest);
        }
    }

    /// A visit is over: the engine gave its receipt at `decided`, and it was in the book at `booked`.
    pub fn closed(&mut self, closing: &Closing, closed: &Closed, decided: ShopTime, booked: ShopTime) {
        let gate = closing.payer.cart().and_then(|cart| self.entries.remove(&cart));
        self.in_order.retain(|cart| self.entries.contains_key(cart));
        let receipt = &closing.receipt;
        self.waiting.push_back(Trace {
            cart: closed.cart,
            visit: receipt.visit,
            gate,
            first_seen: receipt.entered,
            last_seen: receipt.left,
            decided,
            booked,
            charged: None,
            outcome: if closed.case.is_some() { Outcome::Review } else { Outcome::Pending },
        });
        if WAITING_MAX < self.waiting.len()
            && let Some(oldest) = self.waiting.pop_front()
        {
            self.tell(&oldest);
        }
    }

    /// Looks whether payments have come to an end, and tells of those visits; gives them. To be called about once a second.
    ///
    /// # Errors
    /// What the database says; then it is looked again next time.
    pub fn settle(&mut self, till: &mut Till, clock: &dyn Clock) -> Result<Vec<Trace>> {
        let now = clock.now();
        let mut over = Vec::new();
        for _ in 0..LOOKS_MAX.min(self.waiting.len()) {
            let Some(mut trace) = self.waiting.pop_front() else { break };
            let standing = match trace.outcome {
                Outcome::Review => Ok(Some((Outcome::Review, None))),
                _ => till.with(|session| standing(session, trace.cart)),
            };
            match standing {
                Err(error) => {
                    self.waiting.push_front(trace);
                    return Err(error);
                }
                Ok(Some((outcome, charged))) => {
                    (trace.outcome, trace.charged) = (outcome, charged);
                    over.push(trace);
                }
                Ok(None) if CHARGE_SECS_MAX < now.secs_since(trace.booked) => over.push(trace),
                Ok(None) => self.waiting.push_back(trace),
            }
        }
        over.iter().for_each(|trace| self.tell(trace));
        Ok(over)
    }

    /// Tells of every visit that still waits, as it is, and what was not told yet is sent.
    pub fn finish(mut self) {
        while let Some(trace) = self.waiting.pop_front() {
            self.tell(&trace);
        }
        if let Some(exporter) = self.exporter {
            exporter.stop();
        }
    }

    fn tell(&self, trace: &Trace) {
        trace.log();
        if let Some(exporter) = &self.exporter {
            exporter.send(trace.spans());
        }
    }
}

/// What came of the payment of a cart, and when money was taken; none while that is not known.
fn standing(session: &mut dyn Session, cart: CartId) -> Result<Option<(Outcome, Option<ShopTime>)>, Failure> {
    let Some(payment) = payment_of(session, cart)? else { return Ok(Some((Outcome::Unbilled, None))) };
    match payment.standing() {
        Standing::Open | Standing::Settling => Ok(None),
        Standing::Unpaid => Ok(Some((Outcome::Unpaid, None))),
        Standing::Settled => {
            let letters = outbox::of_payment(session, payment.id)?;
            let done = letters.iter().filter(|letter| letter.state == outbox::LetterState::Done);
            Ok(Some((Outcome::Charged, done.filter_map(|letter| letter.answered_at).max())))
        }
    }
}
