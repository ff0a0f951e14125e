//! Shelves, people and gates over MQTT. It takes a broker's address and the devices of a shop, gives facts in the order in which
//! they came, and says over MQTT how the shop and its devices are. It acknowledges a message when its fact is on disk, and never
//! before; what it cannot read is counted and kept, and never stops what comes after.
//!
//! A thread holds the connection (`link`) and another makes facts of messages (`taker`), so that a shop that has no room for a
//! moment still answers its broker. Sparkplug B has a connection of its own, for a connection has one will.
//!
//! # Topics
//!
//! | topic | what | |
//! |---|---|---|
//! | `aisle/<shop>/plates/<source>`, `people`, `seen`, `gates`, `shelf`, `doors`, `tags` | facts, as a recording has them | QoS 1, not retained |
//! | `aisle/<shop>/status` | `online` or `offline`, also by will | retained |
//! | `aisle/<shop>/health/<device>` | how a device is: at each change and every 10 s | retained |
//! | `aisle/<shop>/gates/<gate>/ask`, `…/answer` | what a gate asks, and what it is answered, as over HTTP | QoS 1, not retained |
//! | `homeassistant/device/aisle-<shop>/config` | the devices as Home Assistant wants them, where the shop's file asks for it | retained |
//! | `spBv1.0/<group>/#`, `spBv1.0/STATE/<host>` | Sparkplug B | as the specification says |
//!
//! `<shop>` is the shop's name by [`slug`].
//!
//! # Counters
//!
//! Of the broker: `connects`, `disconnects`, `sessions_lost` (it had forgotten the shop), `held_back` (no room for more), `passed_by` (too
//! large to be read at first), `not_kept`, `subscriptions_refused`, `refused_to_say`, `unread_kept` and `unread_not_kept` (files of what could
//! not be read), and `dropped_…` of nobody in particular. Of a sender: `received`, `sequence_falls`, and `dropped_…` by reason:
//! `undecodable`, `too_large`, `wrong_source`, `unknown_topic`, `retained`, `duplicate`, `disabled`, `too_many_sources`, `full`.

mod asks;
mod boards;
mod decode;
mod ledger;
mod link;
mod outbox;
mod poison;
mod seen;
mod sparkplug;
mod status;
mod taker;
mod tls;
mod topics;
mod wire;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::runtime;

use super::devices::{Board, Broker, Sparkplug};
use crate::base::{Error, Result};
use crate::ports::{Clock, DeviceHealth, DeviceKind, GateDesk, HealthBoard, Intake};
use asks::Asks;
use boards::Boards;
use ledger::Ledger;
use link::{Clocks, Link, Manners, Parts};
use outbox::Outbox;
use poison::Poison;
use sparkplug::StateManners;
use status::ShopManners;
use taker::Taker;
use tls::Tls;
use topics::Topics;
use wire::{Address, Wire};

pub use seen::Seen;
pub use tls::{CertificateEnd, certificate_ends};
pub use topics::slug;

/// The broker, as the health board knows it: the connection of plain messages, and that of Sparkplug.
const BROKER: &str = "broker";
const SPARKPLUG: &str = "broker/sparkplug";
/// What sources of Sparkplug begin with.
const SPARKPLUG_SOURCES: &str = "sparkplug/";

/// What is connected to what.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The shop's name.
    pub shop: String,
    /// The broker.
    pub broker: Broker,
    /// Shelves that speak Sparkplug B over it.
    pub sparkplug: Option<Sparkplug>,
    /// Who sends weights or people; others are taken too, and found as they speak.
    pub boards: Vec<Board>,
    /// Where messages that cannot be read are kept; without it they are only counted. It is made where it is not there.
    pub unread: Option<PathBuf>,
}

/// The rest of the shop, as MQTT needs it.
#[derive(Clone)]
pub struct Ports {
    /// Where facts go.
    pub intake: Intake,
    /// Where the health of the broker and of every sender is written.
    pub health: HealthBoard,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// What is on disk already, so that what the broker sends again is known.
    pub seen: Seen,
    /// Who answers gates that ask over MQTT.
    pub desk: GateDesk,
}

/// An open connection to a broker.
pub struct Mqtt {
    topics: Topics,
    outboxes: Vec<Outbox>,
    threads: Vec<JoinHandle<()>>,
}

impl Mqtt {
    /// Begins to connect and to take messages. A broker that is not there is no error: the health board says so, and it is
    /// tried again until it is there.
    ///
    /// # Errors
    /// When the folder of what cannot be read, or a thread, cannot be made.
    pub fn start(settings: Settings, ports: Ports) -> Result<Mqtt> {
        let topics = Topics::new(&settings.shop);
        let clocks = Clocks { wall: Arc::clone(&ports.clock), begun: Instant::now() };
        let mut mqtt = Mqtt { topics, outboxes: Vec::new(), threads: Vec::new() };
        let begun = mqtt.start_plain(&settings, &ports, &clocks).and_then(|()| match &settings.sparkplug {
            Some(sparkplug) => mqtt.start_sparkplug(&settings, sparkplug, &ports, &clocks),
            None => Ok(()),
        });
        match begun {
            Ok(()) => Ok(mqtt),
            Err(error) => {
                mqtt.stop(Duration::ZERO);
                Err(error)
            }
        }
    }

    /// Takes nothing more, waits until what was given is kept and acknowledged, for so long at most, says that the shop is
    /// offline and ends. Whoever keeps facts must go on meanwhile; what is not acknowledged the broker sends again at the next
    /// start.
    pub fn stop(mut self, patience: Duration) {
        self.outboxes.iter().for_each(|outbox| outbox.stop(patience));
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of MQTT ended badly");
            }
        }
    }

    fn start_plain(&mut self, settings: &Settings, ports: &Ports, clocks: &Clocks) -> Result<()> {
        let broker = &settings.broker;
        ports.health.add(DeviceHealth::new(BROKER, DeviceKind::Broker, ports.clock.now()));
        let (ledger, outbox) = (Ledger::new(ports.seen.clone()), Outbox::default());
        let manners =
            ShopManners::new(self.topics.clone(), &settings.shop, ports.health.clone(), broker.home_assistant);
        let mut filters = vec![self.topics.filter()];
        filters.extend(broker.home_assistant.then(|| status::HOME_ASSISTANT_STATUS.to_owned()));
        let client_id = broker.client_id.clone().unwrap_or_else(|| format!("aisle-{}", slug(&settings.shop)));
        let parts = parts(Of {
            broker,
            client_id,
            is_kept: true,
            device: BROKER,
            filters,
            manners: Box::new(manners),
            ledger: ledger.clone(),
            outbox: outbox.clone(),
            ports,
            clocks,
        });
        let boards: Vec<Board> = settings.boards.iter().filter(|board| !is_sparkplug(board)).cloned().collect();
        let taker = Taker {
            topics: self.topics.clone(),
            ledger,
            outbox: outbox.clone(),
            intake: ports.intake.clone(),
            boards: Boards::new(&boards, DeviceKind::Board),
            asks: Asks {
                topics: self.topics.clone(),
                desk: ports.desk.clone(),
                outbox: outbox.clone(),
                clock: Arc::clone(&ports.clock),
            },
            poison: settings.unread.as_deref().map(Poison::open).transpose()?,
            health: ports.health.clone(),
            device: BROKER,
            clocks: clocks.clone(),
        };
        let queue = self.start_link("mqtt", parts, outbox)?;
        self.spawn("mqtt-facts", move || taker.run(&queue))
    }

    fn start_sparkplug(
        &mut self,
        settings: &Settings,
        sparkplug: &Sparkplug,
        ports: &Ports,
        clocks: &Clocks,
    ) -> Result<()> {
        ports.health.add(DeviceHealth::new(SPARKPLUG, DeviceKind::Broker, ports.clock.now()));
        let (ledger, outbox) = (Ledger::default(), Outbox::default());
        let client_id = match &settings.broker.client_id {
            Some(client_id) => format!("{client_id}-sparkplug"),
            None => format!("aisle-{}-sparkplug", slug(&settings.shop)),
        };
        let parts = parts(Of {
            broker: &settings.broker,
            client_id,
            // A host application begins anew each time: it asks for what it does not know.
            is_kept: false,
            device: SPARKPLUG,
            filters: StateManners::filters(sparkplug),
            manners: Box::new(StateManners::new(sparkplug)),
            ledger: ledger.clone(),
            outbox: outbox.clone(),
            ports,
            clocks,
        });
        let boards: Vec<Board> = settings.boards.iter().filter(|board| is_sparkplug(board)).cloned().collect();
        let taker = sparkplug::Taker {
            host: sparkplug::Host::new(sparkplug, &boards),
            ledger,
            outbox: outbox.clone(),
            intake: ports.intake.clone(),
            boards: Boards::new(&boards, DeviceKind::Board),
            health: ports.health.clone(),
            device: SPARKPLUG,
            clocks: clocks.clone(),
        };
        let queue = self.start_link("sparkplug", parts, outbox)?;
        self.spawn("sparkplug-facts", move || taker.run(&queue))
    }

    /// Starts the thread of a connection; where its messages come out.
    fn start_link(
        &mut self,
        name: &str,
        parts: Parts,
        outbox: Outbox,
    ) -> Result<crossbeam_channel::Receiver<link::Came>> {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::unavailable(format!("cannot start the connection to the broker: {error}")))?;
        let (link, queue) = Link::new(parts);
        self.outboxes.push(outbox);
        self.spawn(name, move || runtime.block_on(link.run()))?;
        Ok(queue)
    }

    fn spawn(&mut self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<()> {
        let thread = thread::Builder::new().name(name.to_owned()).spawn(run);
        let thread = thread.map_err(|error| Error::unavailable(format!("cannot start a thread: {error}")))?;
        self.threads.push(thread);
        Ok(())
    }
}

impl Drop for Mqtt {
    /// Nobody waits any more.
    fn drop(&mut self) {
        if !self.threads.is_empty() {
            self.outboxes.iter().for_each(|outbox| outbox.stop(Duration::ZERO));
        }
    }
}

fn is_sparkplug(board: &Board) -> bool {
    board.source.starts_with(SPARKPLUG_SOURCES)
}

/// What a connection is of.
struct Of<'a> {
    broker: &'a Broker,
    client_id: String,
    is_kept: bool,
    device: &'static str,
    filters: Vec<String>,
    manners: Box<dyn Manners>,
    ledger: Ledger,
    outbox: Outbox,
    ports: &'a Ports,
    clocks: &'a Clocks,
}

fn parts(of: Of<'_>) -> Parts {
    let keep_alive = Duration::from_secs_f64(of.broker.keep_alive.as_secs().max(0.0));
    let wire = Wire::new(&Address {
        host: of.broker.host.clone(),
        port: of.broker.port,
        client_id: of.client_id.clone(),
        keep_alive,
        is_kept: of.is_kept,
    });
    Parts {
        wire,
        manners: of.manners,
        filters: of.filters,
        login: of.broker.login.clone(),
        tls: Tls::of(of.broker),
        is_kept: of.is_kept,
        device: of.device,
        client_id: of.client_id,
        ledger: of.ledger,
        outbox: of.outbox,
        health: of.ports.health.clone(),
        clocks: of.clocks.clone(),
    }
}
