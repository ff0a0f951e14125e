//! A thread that makes facts of messages: it takes them in the order in which they came, gives each fact to the shop and waits
//! while the shop has no room. What becomes no fact is counted by its reason, kept for somebody to look at, and acknowledged.

use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::asks::Asks;
use super::boards::{Boards, Moment};
use super::decode::{Decoded, Reason, Refusal, decode};
use super::ledger::{Ledger, Standing};
use super::link::{Came, Clocks};
use super::outbox::Outbox;
use super::poison::Poison;
use super::topics::{About, Topics};
use crate::facts::{Body, Fact, Topic};
use crate::ports::{Delivery, HealthBoard, Intake};

/// How often the health of the senders is judged.
const TICK: Duration = Duration::from_millis(250);

/// What a taker works with.
pub(super) struct Taker {
    pub(super) topics: Topics,
    pub(super) ledger: Ledger,
    pub(super) outbox: Outbox,
    pub(super) intake: Intake,
    pub(super) boards: Boards,
    pub(super) asks: Asks,
    pub(super) poison: Option<Poison>,
    pub(super) health: HealthBoard,
    /// What is counted of nobody in particular is counted here.
    pub(super) device: &'static str,
    pub(super) clocks: Clocks,
}

impl Taker {
    /// Takes messages until the connection or the shop ends.
    pub(super) fn run(mut self, queue: &Receiver<Came>) {
        let mut next_tick = Duration::ZERO;
        while self.outbox.stop_by().is_none() {
            let goes_on = match queue.recv_timeout(TICK) {
                Ok(came) => self.take(&came),
                Err(RecvTimeoutError::Timeout) => true,
                Err(RecvTimeoutError::Disconnected) => false,
            };
            if !goes_on {
                break;
            }
            let elapsed = self.clocks.begun.elapsed();
            if next_tick <= elapsed {
                next_tick = elapsed + TICK;
                self.boards.report(self.clocks.moment(), &self.health);
            }
        }
        self.boards.report(self.clocks.moment(), &self.health);
    }

    /// Takes a message; whether the shop is still open.
    fn take(&mut self, came: &Came) -> bool {
        let (message, moment) = (&came.message, came.moment);
        match decode(&self.topics, message.topic(), message.payload(), message.is_retained(), moment.now) {
            Ok(Decoded::Own) => {
                self.ledger.acknowledge(came.receipt);
                true
            }
            Ok(Decoded::Ask(gate)) => {
                self.ask(came, &gate);
                true
            }
            Ok(Decoded::Fact(fact)) => self.give(came, *fact),
            Err(refusal) => {
                self.refuse(came, &refusal);
                true
            }
        }
    }

    fn give(&mut self, came: &Came, fact: Fact) -> bool {
        let moment = came.moment;
        if let Err(reason) = self.boards.admits(fact.stamp.source.as_str()) {
            self.drop_one(came, reason);
            self.ledger.acknowledge(came.receipt);
            return true;
        }
        match self.ledger.enter(&fact.stamp, came.receipt) {
            Standing::New(kept) => {
                self.boards.heard(&fact.stamp, fact.body.topic(), shows(&fact), moment);
                self.intake.give(Delivery { fact, kept })
            }
            Standing::Kept => {
                self.drop_one(came, Reason::Duplicate);
                self.ledger.acknowledge(came.receipt);
                true
            }
            Standing::UnderWay => {
                self.drop_one(came, Reason::Duplicate);
                true
            }
        }
    }

    /// Hands a question on. It is acknowledged at once: a gate that is not answered asks again, and nobody comes in by a question
    /// that is read a second time.
    fn ask(&mut self, came: &Came, gate: &str) {
        let message = &came.message;
        let device = health_of(gate);
        if let Err(reason) = self.boards.admits(&device) {
            self.drop_one(came, reason);
        } else {
            match self.asks.take(gate, message.payload(), message.is_retained()) {
                Ok(is_answered) => {
                    self.boards.asked(&device, came.moment);
                    if !is_answered {
                        self.boards.count(&device, "asked_in_vain", 1);
                    }
                }
                Err(refusal) => return self.refuse(came, &refusal),
            }
        }
        self.ledger.acknowledge(came.receipt);
    }

    fn refuse(&mut self, came: &Came, refusal: &Refusal) {
        let (message, Moment { now, elapsed }) = (&came.message, came.moment);
        self.drop_one(came, refusal.reason);
        if let Some(poison) = self.poison.as_mut().filter(|_| refusal.reason != Reason::Retained) {
            let is_secret = matches!(self.topics.about(message.topic()), About::Fact(Topic::Gate, _) | About::Ask(_));
            let is_kept = poison.keep(message.topic(), message.payload(), refusal, is_secret, now, elapsed);
            let what = if is_kept { "unread_kept" } else { "unread_not_kept" };
            self.health.with(self.device, |device| device.count(what, 1));
        }
        self.ledger.acknowledge(came.receipt);
    }

    /// Counts a message that becomes no fact, of its source where that is known.
    fn drop_one(&mut self, came: &Came, reason: Reason) {
        let is_known = match self.topics.about(came.message.topic()) {
            About::Fact(_, source) => self.boards.dropped(source, reason, came.moment),
            About::Ask(gate) => self.boards.dropped(&health_of(gate), reason, came.moment),
            _ => false,
        };
        if !is_known {
            self.health.with(self.device, |device| device.count(reason.counter(), 1));
        }
    }
}

/// A gate that asks, as the health board knows it: as one that asks over HTTP.
fn health_of(gate: &str) -> String {
    format!("gate/{gate}")
}

/// A checksum of what a fact weighed, where it weighs.
fn shows(fact: &Fact) -> Option<u32> {
    let Body::Plates(batch) = &fact.body else { return None };
    let mut sum = crc32fast::Hasher::new();
    batch.grams.iter().for_each(|grams| sum.update(&grams.to_bits().to_be_bytes()));
    Some(sum.finalize())
}
