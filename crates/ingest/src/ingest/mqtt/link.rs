//! A thread that keeps one connection to a broker: it connects, subscribes, says what belongs to a beginning, hands on what
//! comes and acknowledges what was kept. It never waits for whoever takes the messages, so that it always answers the broker;
//! it never loses a message that the broker would send again.
//!
//! # When more comes than is taken
//!
//! A broker sends so many messages ahead of their acknowledgements (mosquitto: `max_inflight_messages`; the protocol: 65,535),
//! and those wait here, all of them. Where they are more than [`MQTT_HELD_BYTES_MAX`], the connection is ended, and made again when
//! half of them are taken: what was not acknowledged the broker sends again. What comes without being acknowledged (QoS 0) is
//! dropped and counted.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::boards::Moment;
use super::decode::Reason;
use super::ledger::{Ledger, Receipt};
use super::outbox::Outbox;
use super::tls::Tls;
use super::wire::{Heard, Lost, Message, Said, Wire};
use crate::base::SecretPlace;
use crate::base::limits::{MQTT_HELD_BYTES_MAX, MQTT_HELD_MESSAGES_MAX};
use crate::ports::{Clock, HealthBoard, HealthWord};

/// How often what is due by time is looked at.
const TICK: Duration = Duration::from_millis(250);
/// How long is waited before a connection is tried again: at first, and at most. The broker that is back is found within it.
const RETRY_WAIT: Duration = Duration::from_millis(100);
const RETRY_WAIT_MAX: Duration = Duration::from_millis(1_500);
/// How often is looked whether there is room again.
const ROOM_WAIT: Duration = Duration::from_millis(20);
/// A connection that ends before this was taken away, or had no sense.
const SHORT_LIFE: Duration = Duration::from_secs(5);
/// So many of them within [`TROUBLE_SPAN`] are told.
const SHORT_LIVES_MIN: usize = 3;
const TROUBLE_SPAN: Duration = Duration::from_secs(60);
/// How long after a connection began it is ended so that the broker sends again what nobody kept.
const NOT_KEPT_WAIT: Duration = Duration::from_secs(10);

/// What belongs to a connection beside the messages of devices.
pub(super) trait Manners: Send {
    /// What the broker is to say when this end falls silent; asked before each connection.
    fn will(&mut self, moment: Moment) -> Said;
    /// What is said at the beginning of each connection, once it has subscribed.
    fn hello(&mut self, moment: Moment) -> Vec<Said>;
    /// What is said at the end.
    fn goodbye(&mut self, moment: Moment) -> Said;
    /// Looks at a message that came: what is said to it, or none where it is for others.
    fn heed(&mut self, topic: &str, payload: &[u8], moment: Moment) -> Option<Vec<Said>>;
    /// What is due by now.
    fn tick(&mut self, moment: Moment) -> Vec<Said>;
}

/// A message on its way to whoever takes it.
pub(super) struct Came {
    pub(super) message: Message,
    pub(super) receipt: Receipt,
    pub(super) moment: Moment,
    held: Arc<AtomicUsize>,
}

/// The clocks of a shop.
#[derive(Clone)]
pub(super) struct Clocks {
    pub(super) wall: Arc<dyn Clock>,
    pub(super) begun: Instant,
}

/// What a connection is made of.
pub(super) struct Parts {
    pub(super) wire: Wire,
    pub(super) manners: Box<dyn Manners>,
    pub(super) filters: Vec<String>,
    pub(super) login: Option<(String, SecretPlace)>,
    pub(super) tls: Option<Tls>,
    /// Whether the broker sends again what was not acknowledged.
    pub(super) is_kept: bool,
    /// As the health board knows it.
    pub(super) device: &'static str,
    pub(super) client_id: String,
    pub(super) ledger: Ledger,
    pub(super) outbox: Outbox,
    pub(super) health: HealthBoard,
    pub(super) clocks: Clocks,
}

/// A connection and what is known of it.
pub(super) struct Link {
    parts: Parts,
    queue: Sender<Came>,
    held: Arc<AtomicUsize>,
    connection: u64,
    /// When the connection began.
    since: Instant,
    tries: u32,
    /// When connections ended that did not live long.
    short_lives: VecDeque<Instant>,
    /// Whether it waits until what came before is taken.
    is_full: bool,
    packets: Vec<u16>,
}

/// How a connection ended.
enum End {
    Lost(Lost),
    /// There is no room for more.
    Full,
    Stopped,
}

impl Clocks {
    pub(super) fn moment(&self) -> Moment {
        Moment { now: self.wall.now(), elapsed: self.begun.elapsed() }
    }
}

impl Drop for Came {
    fn drop(&mut self) {
        self.held.fetch_sub(self.message.payload().len(), Ordering::AcqRel);
    }
}

impl Link {
    /// A connection that is not there yet, and where its messages come out.
    pub(super) fn new(parts: Parts) -> (Link, Receiver<Came>) {
        let (queue, taken) = bounded(MQTT_HELD_MESSAGES_MAX);
        let link = Link {
            parts,
            queue,
            held: Arc::default(),
            connection: 0,
            since: Instant::now(),
            tries: 0,
            short_lives: VecDeque::new(),
            is_full: false,
            packets: Vec::new(),
        };
        (link, taken)
    }

    /// Keeps the connection until it is to end.
    pub(super) async fn run(mut self) {
        while self.parts.outbox.stop_by().is_none() {
            match self.connection().await {
                End::Stopped => break,
                End::Full => self.wait_for_room().await,
                End::Lost(lost) => {
                    self.tell_lost(&lost);
                    self.wait_to_retry().await;
                }
            }
        }
        self.parts.outbox.set_connection(None);
        let moment = self.parts.clocks.moment();
        self.tell(HealthWord::Offline, Some("the shop is closed"), None, moment);
    }

    /// One connection, from its making to its end.
    async fn connection(&mut self) -> End {
        let begun = match self.begin().await {
            Ok(begun) => begun,
            Err(end) => return end,
        };
        let end = match begun {
            Ok(()) => self.listen().await,
            Err(lost) => End::Lost(lost),
        };
        self.parts.outbox.set_connection(None);
        if self.is_full {
            // It was ended from here.
        } else if self.since.elapsed() < SHORT_LIFE {
            self.short_lives.push_back(Instant::now());
            if SHORT_LIVES_MIN < self.short_lives.len() {
                self.short_lives.pop_front();
            }
        } else {
            self.tries = 0;
        }
        end
    }

    /// Connects, subscribes and says hello.
    async fn begin(&mut self) -> Result<Result<(), Lost>, End> {
        let moment = self.parts.clocks.moment();
        if let Err(lost) = self.prepare(moment) {
            return Err(End::Lost(lost));
        }
        let heard = tokio::select! {
            heard = self.parts.wire.next() => heard,
            () = stopped(&self.parts.outbox) => return Err(End::Stopped),
        };
        match heard {
            Ok(Heard::Connected { is_resumed }) => {
                self.connection += 1;
                self.since = Instant::now();
                tracing::info!(device = self.parts.device, resumed = is_resumed, "connected to the broker");
                self.count("connects", 1);
                if !is_resumed && 1 < self.connection && self.parts.is_kept {
                    self.count("sessions_lost", 1);
                }
                Ok(self.greet().await)
            }
            Ok(_) => Err(End::Lost(Lost {
                cause: "what came was no answer to a connection".to_owned(),
                remedy: "check that a broker listens there",
                too_large: None,
            })),
            Err(lost) => Err(End::Lost(lost)),
        }
    }

    fn prepare(&mut self, moment: Moment) -> Result<(), Lost> {
        let refuse = |cause: String| Lost { cause, remedy: "see [broker] in devices.toml", too_large: None };
        if let Some((username, place)) = &self.parts.login {
            // Read each time, so that a new password is taken without a new start.
            let password = place.read("password", |_| true, "a password").map_err(refuse)?;
            self.parts.wire.set_login(username, password.reveal());
        }
        if let Some(tls) = &self.parts.tls {
            let ends = tls.apply(&mut self.parts.wire, moment.now).map_err(refuse)?;
            self.parts.health.with(self.parts.device, |device| {
                device.certificates = ends.iter().map(|end| (end.key.to_owned(), end.until)).collect();
            });
        }
        let will = self.parts.manners.will(moment);
        self.parts.wire.set_will(&will);
        Ok(())
    }

    async fn greet(&mut self) -> Result<(), Lost> {
        self.parts.wire.subscribe(&self.parts.filters).await?;
        let moment = self.parts.clocks.moment();
        for said in self.parts.manners.hello(moment) {
            self.parts.wire.say(&said).await?;
        }
        self.parts.outbox.set_connection(Some(self.connection));
        self.tell_well(moment);
        Ok(())
    }

    /// Hands on, acknowledges and says until the connection ends.
    async fn listen(&mut self) -> End {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let heard = if self.parts.wire.has_more() {
                Some(self.parts.wire.next().await)
            } else {
                // Asked before what is due goes out: nothing can become due in between.
                let is_over = self.is_over();
                if let Err(lost) = self.send().await {
                    return End::Lost(lost);
                }
                if is_over {
                    self.leave().await;
                    return End::Stopped;
                }
                if self.is_full {
                    self.overflow().await;
                    return End::Full;
                }
                tokio::select! {
                    biased;
                    heard = self.parts.wire.next() => Some(heard),
                    () = self.parts.ledger.changed() => None,
                    () = self.parts.outbox.changed() => None,
                    _ = tick.tick() => {
                        if let Err(lost) = self.on_tick().await {
                            return End::Lost(lost);
                        }
                        None
                    }
                }
            };
            match heard {
                None | Some(Ok(Heard::Other | Heard::Connected { .. })) => {}
                Some(Ok(Heard::Message(message))) => self.take(message),
                Some(Ok(Heard::Subscribed { is_granted })) => self.tell_granted(is_granted),
                Some(Err(lost)) => return End::Lost(lost),
            }
        }
    }

    /// Acknowledges what was kept, and says what others want to be said.
    async fn send(&mut self) -> Result<(), Lost> {
        self.packets.clear();
        self.parts.ledger.due(self.connection, &mut self.packets);
        if !self.packets.is_empty() {
            self.parts.wire.acknowledge(&self.packets).await?;
        }
        while let Some(said) = self.parts.outbox.pop() {
            self.parts.wire.say(&said).await?;
        }
        Ok(())
    }

    async fn on_tick(&mut self) -> Result<(), Lost> {
        let moment = self.parts.clocks.moment();
        for said in self.parts.manners.tick(moment) {
            self.parts.wire.say(&said).await?;
        }
        self.count("refused_to_say", self.parts.outbox.take_refused());
        if self.is_troubled() == (self.word() == Some(HealthWord::Online)) {
            self.tell_well(moment);
        }
        if NOT_KEPT_WAIT < self.since.elapsed() {
            let not_kept = self.parts.ledger.take_not_kept();
            self.count("not_kept", not_kept);
            if 0 < not_kept && self.parts.is_kept {
                let lost = Lost {
                    cause: format!("{not_kept} messages were taken and not stored: the broker is asked for them again"),
                    remedy: "check the disk of this machine",
                    too_large: None,
                };
                self.parts.wire.break_off(None);
                return Err(lost);
            }
        }
        Ok(())
    }

    /// Hands a message on.
    fn take(&mut self, message: Message) {
        let moment = self.parts.clocks.moment();
        let receipt = Receipt { connection: self.connection, packet: message.packet() };
        if let Some(answers) = self.parts.manners.heed(message.topic(), message.payload(), moment) {
            for said in answers {
                self.parts.outbox.say(said);
            }
            self.parts.ledger.acknowledge(receipt);
            return;
        }
        if self.parts.outbox.stop_by().is_some() {
            // The broker sends it again when the shop is open again.
            return;
        }
        let bytes = message.payload().len();
        let held = self.held.fetch_add(bytes, Ordering::AcqRel) + bytes;
        let came = Came { message, receipt, moment, held: Arc::clone(&self.held) };
        let is_taken = held <= MQTT_HELD_BYTES_MAX && !self.is_full && self.queue.try_send(came).is_ok();
        if is_taken {
            return;
        }
        if receipt.packet != 0 && self.parts.is_kept {
            self.is_full = true;
        } else {
            self.count(Reason::Full.counter(), 1);
        }
    }

    /// More came than is taken: ends the connection.
    async fn overflow(&mut self) {
        let (mut lost, moment) = (0, self.parts.clocks.moment());
        let Parts { wire, manners, .. } = &mut self.parts;
        wire.leave(|topic| lost += u64::from(manners.heed(topic, &[], moment).is_none())).await;
        self.count("held_back", 1);
        self.count(Reason::Full.counter(), lost);
        let cause = "more messages come than can be stored; the broker keeps them meanwhile";
        let remedy = "check the disk and the load of this machine";
        self.tell(HealthWord::Degraded, Some(cause), Some(remedy), self.parts.clocks.moment());
    }

    /// Whether it is time to take leave: nothing more is taken, and what was given is kept or has been waited for.
    fn is_over(&self) -> bool {
        let stop_by = self.parts.outbox.stop_by();
        stop_by.is_some_and(|stop_by| self.parts.ledger.depth() == 0 || stop_by <= Instant::now())
    }

    async fn leave(&mut self) {
        let goodbye = self.parts.manners.goodbye(self.parts.clocks.moment());
        // Whether the broker hears it or not, the connection ends.
        let _ = self.parts.wire.say(&goodbye).await;
        // Nothing is taken any more, so what comes is not counted either.
        self.parts.wire.leave(|_| {}).await;
    }

    async fn wait_to_retry(&mut self) {
        // What came before the end is still to be taken.
        while self.parts.wire.has_more() {
            if let Ok(Heard::Message(message)) = self.parts.wire.next().await {
                self.take(message);
            }
        }
        if self.is_full {
            self.wait_for_room().await;
        }
        let wait = RETRY_WAIT.saturating_mul(1 << self.tries.min(8)).min(RETRY_WAIT_MAX);
        self.tries = self.tries.saturating_add(1);
        // Not all who lost a broker come back at one moment.
        let dice = u64::from(self.parts.clocks.wall.now().as_nanos().unsigned_abs() as u32) % 512;
        tokio::select! {
            () = sleep(wait.mul_f64(0.5 + dice as f64 / 1_024.0)) => {}
            () = stopped(&self.parts.outbox) => {}
        }
    }

    /// Waits until half of what came is taken.
    async fn wait_for_room(&mut self) {
        while self.is_full && self.parts.outbox.stop_by().is_none() {
            sleep(ROOM_WAIT).await;
            self.is_full = MQTT_HELD_MESSAGES_MAX / 2 < self.queue.len()
                || MQTT_HELD_BYTES_MAX / 2 < self.held.load(Ordering::Acquire);
        }
    }

    fn count(&self, what: &str, more: u64) {
        if 0 < more {
            self.parts.health.with(self.parts.device, |device| device.count(what, more));
        }
    }

    fn word(&self) -> Option<HealthWord> {
        self.parts.health.with(self.parts.device, |device| device.health)
    }

    fn tell(&self, word: HealthWord, cause: Option<&str>, remedy: Option<&str>, moment: Moment) {
        self.parts.health.with(self.parts.device, |device| {
            if word == HealthWord::Online {
                device.heard = Some(moment.now);
            }
            device.say(word, cause, remedy, moment.now);
        });
    }

    fn tell_lost(&mut self, lost: &Lost) {
        let moment = self.parts.clocks.moment();
        self.count("disconnects", 1);
        if lost.too_large.is_some() {
            self.count("passed_by", 1);
        }
        tracing::warn!(device = self.parts.device, "no connection to the broker: {}", lost.cause);
        self.tell(HealthWord::Offline, Some(&lost.cause), Some(lost.remedy), moment);
    }

    fn is_troubled(&self) -> bool {
        SHORT_LIVES_MIN <= self.short_lives.len() && self.short_lives.iter().all(|ended| ended.elapsed() < TROUBLE_SPAN)
    }

    /// The connection is there; that it is taken away again and again is told.
    fn tell_well(&self, moment: Moment) {
        if self.is_troubled() {
            let cause = format!(
                "the connection ends again and again: another client may have the name `{}`",
                self.parts.client_id
            );
            self.tell(HealthWord::Degraded, Some(&cause), Some("give each client a `client_id` of its own"), moment);
        } else {
            self.tell(HealthWord::Online, None, None, moment);
        }
    }

    fn tell_granted(&self, is_granted: bool) {
        if !is_granted {
            let moment = self.parts.clocks.moment();
            let cause = "the broker does not let this client subscribe";
            let remedy = "let its user read the shop's topics (mosquitto: acl_file)";
            self.count("subscriptions_refused", 1);
            self.tell(HealthWord::Degraded, Some(cause), Some(remedy), moment);
        }
    }
}

/// Ends when a connection is to end.
async fn stopped(outbox: &Outbox) {
    while outbox.stop_by().is_none() {
        outbox.changed().await;
    }
}
