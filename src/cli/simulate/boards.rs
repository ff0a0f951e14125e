//! Boards as a broker hears them: facts of weights, people and gates as MQTT messages of quality 1. A queue of its own keeps
//! what is not acknowledged, over as many connections as it takes; what does not fit is lost and counted.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rumqttc::{Client, Connection, Event, MqttOptions, Outgoing, Packet, QoS};

use crate::base::{Error, Result};
use crate::facts::{Fact, Topic};
use crate::ingest::mqtt;
use crate::recording;

/// Messages that are on their way to the broker at one time.
const FLYING_MAX: usize = 64;
/// Messages that wait for the broker, and their bytes; of more, the oldest are lost.
const WAITING_MAX: usize = 50_000;
const WAITING_BYTES_MAX: usize = 256 << 20;
/// The largest message that is sent.
const MESSAGE_BYTES_MAX: usize = 1 << 20;
/// A broker that is silent for twice this long is gone.
const KEEP_ALIVE: Duration = Duration::from_secs(2);
/// Between two tries to connect.
const RETRY: Duration = Duration::from_millis(200);

/// Where a broker is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BrokerAddress {
    pub(super) host: String,
    pub(super) port: u16,
}

impl std::str::FromStr for BrokerAddress {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let wrong = || {
            format!("`{text}` is not the address of a broker: write mqtt://HOST:PORT, such as mqtt://127.0.0.1:1883")
        };
        let rest = text.strip_prefix("mqtt://").ok_or_else(wrong)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = rest.rsplit_once(':').unwrap_or((rest, "1883"));
        let host = host.trim_matches(['[', ']']);
        let port = port.parse().ok().filter(|port| *port != 0).ok_or_else(wrong)?;
        if host.is_empty() || host.contains(['/', '@', '?', ' ']) {
            return Err(wrong());
        }
        Ok(BrokerAddress { host: host.to_owned(), port })
    }
}

/// What became of the messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BoardCounts {
    /// Given to the queue.
    pub(super) sent: u64,
    /// Acknowledged by the broker.
    pub(super) acknowledged: u64,
    /// Sent once more, because a connection ended before the broker acknowledged them.
    pub(super) again: u64,
    /// Lost, because the queue was full.
    pub(super) overflowed: u64,
    /// Not sent, because they are larger than a message may be, or cannot be written.
    pub(super) unwritable: u64,
    /// Connections that were made after the first.
    pub(super) reconnects: u64,
    /// Not acknowledged when the time was over.
    pub(super) unacknowledged: u64,
}

struct Message {
    topic: String,
    payload: Vec<u8>,
    is_again: bool,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Message>,
    waiting_bytes: usize,
    /// Given to the connection, in this order; with the number that it got, once it has one.
    flying: VecDeque<(Option<u16>, Message)>,
    is_connected: bool,
    was_connected: bool,
    /// Of which connection the client may send.
    connections: u64,
    is_closing: bool,
    counts: BoardCounts,
}

/// State that two threads share, and what wakes the one that waits.
#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everything of a shop that speaks MQTT.
pub(super) struct Boards {
    shared: Arc<Shared>,
    /// `aisle/<shop>/`
    prefix: String,
    thread: JoinHandle<()>,
}

impl Boards {
    /// Begins to connect; a broker that is not there yet is waited for while the film is played.
    pub(super) fn start(address: &BrokerAddress, shop: &str) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let client = format!("aisle-simulate-{}", std::process::id());
        let mut options = MqttOptions::new(client, &address.host, address.port);
        options.set_keep_alive(KEEP_ALIVE).set_clean_session(true).set_inflight(FLYING_MAX as u16);
        options.set_max_packet_size(MESSAGE_BYTES_MAX + 1_024, MESSAGE_BYTES_MAX + 1_024);
        let theirs = shared.clone();
        let thread = thread::Builder::new().name("boards".to_owned()).spawn(move || send(&theirs, &options));
        let thread = thread.map_err(|error| Error::io("start", std::path::Path::new("a thread"), &error))?;
        Ok(Boards { shared, prefix: format!("aisle/{}/", mqtt::slug(shop)), thread })
    }

    /// Sends a fact; of a kind that has no topic `false`.
    pub(super) fn send(&self, fact: &Fact) -> bool {
        let Some(kind) = level(fact.body.topic()) else { return false };
        let mut payload = Vec::new();
        let written = recording::encode(fact, &mut payload);
        let topic = format!("{}{kind}/{}", self.prefix, fact.stamp.source);
        let mut state = self.shared.lock();
        // A topic that is published to has no signs that stand for others.
        if written.is_err() || MESSAGE_BYTES_MAX < payload.len() || topic.contains(['+', '#', '\0']) {
            state.counts.unwritable += 1;
            return true;
        }
        state.counts.sent += 1;
        state.waiting_bytes += payload.len();
        state.waiting.push_back(Message { topic, payload, is_again: false });
        while WAITING_MAX < state.waiting.len() || WAITING_BYTES_MAX < state.waiting_bytes {
            let Some(lost) = state.waiting.pop_front() else { break };
            state.waiting_bytes -= lost.payload.len();
            state.counts.overflowed += 1;
        }
        self.shared.changed.notify_all();
        true
    }

    /// Waits until the broker has everything, at most so long; gives what became of all messages.
    pub(super) fn finish(self, patience: Duration) -> BoardCounts {
        let until = Instant::now() + patience;
        let mut state = self.shared.lock();
        while !(state.waiting.is_empty() && state.flying.is_empty()) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.counts.unacknowledged = (state.waiting.len() + state.flying.len()) as u64;
        state.is_closing = true;
        let counts = state.counts;
        drop(state);
        self.shared.changed.notify_all();
        if counts.unacknowledged == 0 {
            // It has only to say goodbye. With a broker that does not answer, nobody waits for it.
            let _ = self.thread.join();
        }
        counts
    }
}

/// The level of a topic that names a kind of fact.
fn level(topic: Topic) -> Option<&'static str> {
    match topic {
        Topic::Plates => Some("plates"),
        Topic::People => Some("people"),
        Topic::Seen => Some("seen"),
        Topic::Gate => Some("gates"),
        Topic::BoardEvent | Topic::Shelf => Some("shelf"),
        Topic::Door => Some("doors"),
        Topic::Tags => Some("tags"),
        _ => None,
    }
}

/// One connection after the other, each with a client of its own, so that numbers of messages are those of the connection.
fn send(shared: &Arc<Shared>, options: &MqttOptions) {
    while !shared.lock().is_closing {
        let (client, connection) = Client::new(options.clone(), 2 * FLYING_MAX);
        let number = {
            let mut state = shared.lock();
            state.connections += 1;
            state.connections
        };
        let theirs = shared.clone();
        let listener =
            thread::Builder::new().name("broker".to_owned()).spawn(move || listen(&theirs, connection, number));
        if listener.is_ok() {
            pump(shared, &client, number);
        }
        let mut state = shared.lock();
        state.is_connected = false;
        // In the order in which they were sent, before everything that waits.
        while let Some((_, mut message)) = state.flying.pop_back() {
            message.is_again = true;
            state.waiting_bytes += message.payload.len();
            state.waiting.push_front(message);
        }
        let until = Instant::now() + RETRY;
        while !state.is_closing {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            // New messages wake it too, and are no reason to try.
            state = shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Gives messages to a connection until it ends, or there is nothing more to say.
fn pump(shared: &Shared, client: &Client, number: u64) {
    let mut state = shared.lock();
    loop {
        if state.is_closing {
            let _ = client.try_disconnect();
            return;
        }
        if state.connections != number {
            return;
        }
        if state.is_connected && state.flying.len() < FLYING_MAX && !state.waiting.is_empty() {
            let Some(message) = state.waiting.pop_front() else { continue };
            state.waiting_bytes -= message.payload.len();
            let given = client.try_publish(&message.topic, QoS::AtLeastOnce, false, message.payload.clone()).is_ok();
            if given {
                state.counts.again += u64::from(message.is_again);
                state.flying.push_back((None, message));
                continue;
            }
            state.waiting_bytes += message.payload.len();
            state.waiting.push_front(message);
        }
        state = shared.changed.wait_timeout(state, KEEP_ALIVE).unwrap_or_else(PoisonError::into_inner).0;
    }
}

/// Hears what one connection says until it ends.
fn listen(shared: &Shared, mut connection: Connection, number: u64) {
    for event in connection.iter() {
        let mut state = shared.lock();
        if state.connections != number {
            return;
        }
        match event {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                state.counts.reconnects += u64::from(state.was_connected);
                (state.is_connected, state.was_connected) = (true, true);
            }
            Ok(Event::Outgoing(Outgoing::Publish(packet))) => {
                if let Some((at, _)) = state.flying.iter_mut().find(|(at, _)| at.is_none()) {
                    *at = Some(packet);
                }
            }
            Ok(Event::Incoming(Packet::PubAck(ack))) => {
                if let Some(at) = state.flying.iter().position(|(at, _)| *at == Some(ack.pkid)) {
                    state.flying.remove(at);
                    state.counts.acknowledged += 1;
                }
            }
            Ok(_) => continue,
            Err(_) => {
                // The client of this connection sends no more.
                state.connections += 1;
                drop(state);
                shared.changed.notify_all();
                return;
            }
        }
        drop(state);
        shared.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_brokers_are_read() {
        let address = |host: &str, port| Ok(BrokerAddress { host: host.to_owned(), port });
        assert_eq!("mqtt://broker:18830".parse(), address("broker", 18_830));
        assert_eq!("mqtt://broker/".parse(), address("broker", 1_883));
        assert_eq!("mqtt://[::1]:1".parse(), address("::1", 1));
        for wrong in ["broker:1883", "mqtts://a:1", "mqtt://", "mqtt://a:0", "mqtt://a:b", "mqtt://me:word@a:1"] {
            assert!(wrong.parse::<BrokerAddress>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_name_becomes_a_level_of_a_topic() {
        for (name, expected) in
            [("Corner Shop", "corner-shop"), (" Łódź / 1 ", "d-1"), ("a#+/b", "a-b"), ("お", "shop")]
        {
            assert_eq!(crate::ingest::mqtt::slug(name), expected, "{name}");
        }
    }
}
