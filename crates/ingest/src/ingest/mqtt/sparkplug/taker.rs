//! A thread that makes facts of Sparkplug messages: it takes them in the order in which they came, and the time, and gives each fact
//! to the shop, waiting while the shop has no room. What it wants to be said it hands to the connection.

use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::host::{Host, Note, Out};
use crate::ingest::mqtt::boards::Boards;
use crate::ingest::mqtt::decode::PAYLOAD_BYTES_MAX;
use crate::ingest::mqtt::ledger::Ledger;
use crate::ingest::mqtt::link::{Came, Clocks};
use crate::ingest::mqtt::outbox::Outbox;
use crate::ports::{Delivery, HealthBoard, Intake, Kept};

/// How often rows are made of what is held.
const TICK: Duration = Duration::from_millis(100);
/// How often the health of the senders is judged.
const REPORT: Duration = Duration::from_millis(250);

/// What a taker works with.
pub(in crate::ingest::mqtt) struct Taker {
    pub(in crate::ingest::mqtt) host: Host,
    pub(in crate::ingest::mqtt) ledger: Ledger,
    pub(in crate::ingest::mqtt) outbox: Outbox,
    pub(in crate::ingest::mqtt) intake: Intake,
    pub(in crate::ingest::mqtt) boards: Boards,
    pub(in crate::ingest::mqtt) health: HealthBoard,
    pub(in crate::ingest::mqtt) device: &'static str,
    pub(in crate::ingest::mqtt) clocks: Clocks,
}

impl Taker {
    /// Takes messages until the connection or the shop ends.
    pub(in crate::ingest::mqtt) fn run(mut self, queue: &Receiver<Came>) {
        let (mut connection, mut next_tick, mut next_report) = (None, Duration::ZERO, Duration::ZERO);
        let mut is_open = true;
        while is_open && self.outbox.stop_by().is_none() {
            let came = match queue.recv_timeout(TICK) {
                Ok(came) => Some(came),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let mut out = Out::default();
            let moment = self.clocks.moment();
            // Messages that still come of a connection are before its end.
            let now = came.as_ref().map_or_else(|| self.outbox.connection(), |came| Some(came.receipt.connection));
            if now != connection {
                if connection.is_some() {
                    self.host.disconnected(moment, &mut out);
                }
                if now.is_some() {
                    self.host.connected(moment);
                }
                connection = now;
            }
            if let Some(came) = &came {
                self.take(came, &mut out);
            }
            if next_tick <= moment.elapsed {
                next_tick = moment.elapsed + TICK;
                self.host.tick(moment, &mut out);
            }
            is_open = self.give(out);
            if next_report <= moment.elapsed {
                next_report = moment.elapsed + REPORT;
                self.boards.report(moment, &self.health);
            }
        }
        self.boards.report(self.clocks.moment(), &self.health);
    }

    fn take(&mut self, came: &Came, out: &mut Out) {
        let message = &came.message;
        if message.payload().len() <= PAYLOAD_BYTES_MAX {
            self.host.message(message.topic(), message.payload(), message.is_retained(), came.moment, out);
        } else {
            out.counts.push(("dropped_too_large", 1));
        }
        self.ledger.acknowledge(came.receipt);
    }

    /// Hands on what came of it; whether the shop is still open.
    fn give(&mut self, out: Out) -> bool {
        let moment = self.clocks.moment();
        for (source, note) in out.notes {
            match note {
                Note::Stirred(ahead) => self.boards.stirred(&source, ahead, moment),
                Note::Count(what, more) => self.boards.count(&source, what, more),
                Note::Fell => self.boards.fell(&source, moment.elapsed),
                Note::Told(told) => self.boards.tell(&source, told),
            }
        }
        if !out.counts.is_empty() {
            self.health.with(self.device, |device| {
                out.counts.iter().for_each(|(what, more)| device.count(what, *more));
            });
        }
        for said in out.say {
            self.outbox.say(said);
        }
        // Nobody waits: who speaks Sparkplug is not told what is kept, and says everything once.
        out.facts.into_iter().all(|fact| {
            let is_admitted = self.boards.admits(fact.stamp.source.as_str()).is_ok();
            !is_admitted || self.intake.give(Delivery { fact, kept: Kept::NOBODY })
        })
    }
}
