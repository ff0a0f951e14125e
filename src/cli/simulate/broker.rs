//! A broker inside the process, so that a shop can be shown on a machine that has none: MQTT 3.1.1 with qualities 0 and 1,
//! retained messages, wills, and sessions that are kept while the process lives. It listens on this machine only and asks for no
//! password; a shop that is open for good has a real one.
//!
//! Every queue is bounded: whoever sends with quality 1 to a session that has no room waits, unacknowledged; a message of quality
//! 0 that finds no room is lost and counted.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bytes::BytesMut;
use crossbeam_channel::{Receiver, Sender, bounded};
use rumqttc::mqttbytes::v4::{
    ConnAck, Connect, ConnectReturnCode, LastWill, Packet, PubAck, Publish, SubAck, Subscribe, SubscribeReasonCode,
    UnsubAck,
};
use rumqttc::mqttbytes::{self, QoS};

use super::boards::BrokerAddress;
use crate::base::{Error, Result};

/// The largest packet.
const PACKET_BYTES_MAX: usize = (1 << 20) + (70 << 10);
/// Messages of a session that were sent and not acknowledged.
const FLYING_MAX: usize = 64;
/// Messages of a session that wait to be sent.
const QUEUE_MAX: usize = 10_000;
/// Packets on their way to a socket: all that may fly, and acknowledgements.
const LINE_PACKETS_MAX: usize = 1_024;
/// Connections, sessions, filters of a session, and retained messages.
const CONNECTIONS_MAX: usize = 64;
const SESSIONS_MAX: usize = 256;
const FILTERS_MAX: usize = 64;
const RETAINED_MAX: usize = 4_096;
/// How long a packet may take to leave.
const WRITE_WAIT: Duration = Duration::from_secs(5);
/// How often whoever waits for room looks whether the broker is to end.
const ROOM_WAIT: Duration = Duration::from_millis(200);

/// What became of the messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BrokerCounts {
    /// Taken.
    pub(super) received: u64,
    /// Given to sessions.
    pub(super) sent: u64,
    /// Of quality 0, to sessions that had no room.
    pub(super) dropped_full: u64,
    /// Connections that were turned away or ended for what they said.
    pub(super) refused: u64,
}

#[derive(Default)]
struct Session {
    filters: Vec<(String, QoS)>,
    queue: VecDeque<Publish>,
    flying: BTreeMap<u16, Publish>,
    number: u16,
    is_kept: bool,
    /// The connection that has it.
    line: Option<Line>,
}

struct Line {
    number: u64,
    packets: Sender<Packet>,
    socket: TcpStream,
}

#[derive(Default)]
struct State {
    sessions: BTreeMap<String, Session>,
    retained: BTreeMap<String, Publish>,
    connections: u64,
    open: usize,
    counts: BrokerCounts,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// A session has room again, or a connection has ended.
    changed: Condvar,
    is_ending: AtomicBool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends what may be sent to a session.
    fn pump(&self, name: &str) {
        let mut state = self.lock();
        let sent = state.sessions.get_mut(name).map_or(0, Session::pump);
        state.counts.sent += sent;
        drop(state);
        self.changed.notify_all();
    }

    fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::Relaxed)
    }
}

/// A broker that listens.
pub(super) struct Broker {
    shared: Arc<Shared>,
    address: SocketAddr,
    thread: JoinHandle<()>,
}

impl Broker {
    /// Listens on any free port of this machine.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn start() -> Result<Self> {
        let failed = |error| Error::io("listen on", Path::new("127.0.0.1"), &error);
        let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let shared = Arc::new(Shared::default());
        let theirs = shared.clone();
        let thread = thread::Builder::new().name("broker".to_owned()).spawn(move || accept(&listener, &theirs));
        let thread = thread.map_err(|error| Error::io("start", Path::new("a thread"), &error))?;
        Ok(Broker { shared, address, thread })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> BrokerAddress {
        BrokerAddress { host: self.address.ip().to_string(), port: self.address.port() }
    }

    /// What became of the messages so far.
    pub(super) fn counts(&self) -> BrokerCounts {
        self.shared.lock().counts
    }

    /// Ends every connection.
    pub(super) fn stop(self) {
        self.shared.is_ending.store(true, Ordering::Relaxed);
        let lines = |state: &State| -> Vec<TcpStream> {
            state.sessions.values().filter_map(|session| session.line.as_ref()?.socket.try_clone().ok()).collect()
        };
        let sockets = lines(&self.shared.lock());
        // Whoever has gone by now need not be told.
        sockets.iter().for_each(|socket| drop(socket.shutdown(Shutdown::Both)));
        self.shared.changed.notify_all();
        drop(TcpStream::connect(self.address));
        // A thread that panicked has ended.
        let _ = self.thread.join();
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for socket in listener.incoming().flatten() {
        if shared.is_ending() {
            return;
        }
        let mut state = shared.lock();
        if CONNECTIONS_MAX <= state.open {
            state.counts.refused += 1;
            continue;
        }
        state.open += 1;
        drop(state);
        let theirs = shared.clone();
        let begun = thread::Builder::new().name("broker line".to_owned()).spawn(move || {
            if serve(&theirs, socket).is_none() {
                theirs.lock().counts.refused += 1;
            }
            theirs.lock().open -= 1;
            theirs.changed.notify_all();
        });
        if begun.is_err() {
            shared.lock().open -= 1;
        }
    }
}

/// Packets of one socket.
struct Packets {
    socket: TcpStream,
    read: BytesMut,
}

impl Packets {
    /// The next one; none when the connection is over, or says what is no MQTT.
    fn next(&mut self) -> Option<Packet> {
        let mut bytes = [0; 16 << 10];
        loop {
            match Packet::read(&mut self.read, PACKET_BYTES_MAX) {
                Ok(packet) => return Some(packet),
                Err(mqttbytes::Error::InsufficientBytes(_)) => {}
                Err(_) => return None,
            }
            match self.socket.read(&mut bytes) {
                Ok(0) | Err(_) => return None,
                Ok(count) => self.read.extend_from_slice(&bytes[..count]),
            }
        }
    }
}

/// One connection from its first packet to its end; none where it was refused.
fn serve(shared: &Arc<Shared>, socket: TcpStream) -> Option<()> {
    socket.set_nodelay(true).ok()?;
    socket.set_read_timeout(Some(WRITE_WAIT)).ok()?;
    socket.set_write_timeout(Some(WRITE_WAIT)).ok()?;
    let mut packets = Packets { socket: socket.try_clone().ok()?, read: BytesMut::new() };
    let Some(Packet::Connect(connect)) = packets.next() else { return None };
    // A client is gone when it was silent for one and a half times what it promised.
    let silence = Duration::from_millis(1_500 * u64::from(connect.keep_alive));
    socket.set_read_timeout(Some(silence).filter(|silence| !silence.is_zero())).ok()?;
    let (sender, receiver) = bounded(LINE_PACKETS_MAX);
    let name = connect.client_id.clone();
    let number = open(shared, &connect, sender.clone(), socket.try_clone().ok()?)?;
    let (theirs, session) = (shared.clone(), name.clone());
    let writer = thread::Builder::new().name("broker line".to_owned());
    let writer = writer.spawn(move || write(socket, &receiver, || theirs.pump(&session)));
    let mut client = Client { shared, name: &name, packets: sender };
    let is_over = writer.is_ok() && client.listen(&mut packets);
    drop(client);
    close(shared, &name, number, connect.last_will.filter(|_| !is_over));
    drop(packets.socket.shutdown(Shutdown::Both));
    if let Ok(writer) = writer {
        // It ends with the socket, and a thread that panicked has ended.
        let _ = writer.join();
    }
    Some(())
}

/// Writes packets, several at once, and says whenever there is room for more.
fn write(mut socket: TcpStream, packets: &Receiver<Packet>, has_room: impl Fn()) {
    let mut bytes = BytesMut::new();
    for packet in packets {
        bytes.clear();
        let all = std::iter::once(packet).chain(packets.try_iter());
        for packet in all.take(FLYING_MAX) {
            if packet.write(&mut bytes, PACKET_BYTES_MAX).is_err() {
                drop(socket.shutdown(Shutdown::Both));
                return;
            }
        }
        if socket.write_all(&bytes).is_err() {
            drop(socket.shutdown(Shutdown::Both));
            return;
        }
        has_room();
    }
}

/// Gives a client its session; the number of its connection, or none where there is no room.
fn open(shared: &Shared, connect: &Connect, packets: Sender<Packet>, socket: TcpStream) -> Option<u64> {
    let mut state = shared.lock();
    state.connections += 1;
    let number = state.connections;
    if connect.client_id.is_empty() || SESSIONS_MAX <= state.sessions.len() {
        return None;
    }
    let session = state.sessions.entry(connect.client_id.clone()).or_default();
    if let Some(other) = session.line.take() {
        // Two of one name: the later one has it.
        drop(other.socket.shutdown(Shutdown::Both));
    }
    let is_resumed = session.is_kept && !connect.clean_session;
    if !is_resumed {
        *session = Session::default();
    }
    session.is_kept = !connect.clean_session;
    // The line is new, so there is room for all of these.
    let _ = packets.try_send(Packet::ConnAck(ConnAck::new(ConnectReturnCode::Success, is_resumed)));
    for again in session.flying.values_mut() {
        again.dup = true;
        let _ = packets.try_send(Packet::Publish(again.clone()));
    }
    session.line = Some(Line { number, packets, socket });
    let sent = session.pump();
    state.counts.sent += sent;
    Some(number)
}

/// The connection is over; its will is said where it did not take leave.
fn close(shared: &Shared, name: &str, number: u64, will: Option<LastWill>) {
    let mut state = shared.lock();
    if let Some(session) = state.sessions.get_mut(name)
        && session.line.as_ref().is_some_and(|line| line.number == number)
    {
        session.line = None;
        if !session.is_kept {
            state.sessions.remove(name);
        }
    }
    drop(state);
    if let Some(will) = will {
        let mut last = Publish::from_bytes(will.topic, will.qos, will.message);
        last.retain = will.retain;
        take(shared, last);
    }
    shared.changed.notify_all();
}

/// A client that is connected.
struct Client<'a> {
    shared: &'a Shared,
    name: &'a str,
    packets: Sender<Packet>,
}

impl Client<'_> {
    /// Does what it says; whether it took leave.
    fn listen(&mut self, packets: &mut Packets) -> bool {
        while let Some(packet) = packets.next() {
            let answer = match packet {
                Packet::Publish(publish) if publish.qos != QoS::ExactlyOnce => {
                    let acknowledged =
                        (publish.qos == QoS::AtLeastOnce).then(|| Packet::PubAck(PubAck::new(publish.pkid)));
                    if !take(self.shared, publish) {
                        return false;
                    }
                    acknowledged
                }
                Packet::PubAck(acknowledged) => {
                    self.acknowledged(acknowledged.pkid);
                    None
                }
                Packet::Subscribe(subscribe) => Some(self.subscribe(&subscribe)),
                Packet::Unsubscribe(unsubscribe) => {
                    let mut state = self.shared.lock();
                    if let Some(session) = state.sessions.get_mut(self.name) {
                        session.filters.retain(|(filter, _)| !unsubscribe.topics.contains(filter));
                    }
                    Some(Packet::UnsubAck(UnsubAck::new(unsubscribe.pkid)))
                }
                Packet::PingReq => Some(Packet::PingResp),
                Packet::Disconnect => return true,
                // Quality 2 is not spoken here, and nothing else comes from a client.
                _ => return false,
            };
            // Waits while the line is full; ends with it.
            if answer.is_some_and(|answer| self.packets.send(answer).is_err()) {
                return false;
            }
        }
        false
    }

    fn acknowledged(&self, number: u16) {
        let mut state = self.shared.lock();
        let Some(session) = state.sessions.get_mut(self.name) else { return };
        session.flying.remove(&number);
        drop(state);
        self.shared.pump(self.name);
    }

    fn subscribe(&self, subscribe: &Subscribe) -> Packet {
        let mut state = self.shared.lock();
        let State { sessions, retained, counts, .. } = &mut *state;
        let mut answers = Vec::new();
        let Some(session) = sessions.get_mut(self.name) else {
            return Packet::SubAck(SubAck::new(subscribe.pkid, vec![SubscribeReasonCode::Failure]));
        };
        for filter in &subscribe.filters {
            if FILTERS_MAX <= session.filters.len() || !mqttbytes::valid_filter(&filter.path) {
                answers.push(SubscribeReasonCode::Failure);
                continue;
            }
            let quality = lower(filter.qos, QoS::AtLeastOnce);
            session.filters.retain(|(other, _)| *other != filter.path);
            session.filters.push((filter.path.clone(), quality));
            answers.push(SubscribeReasonCode::Success(quality));
            for kept in retained.values().filter(|kept| mqttbytes::matches(&kept.topic, &filter.path)) {
                let quality = lower(quality, kept.qos);
                counts.dropped_full += u64::from(!session.put(Publish { qos: quality, ..kept.clone() }));
            }
        }
        counts.sent += session.pump();
        Packet::SubAck(SubAck::new(subscribe.pkid, answers))
    }
}

/// Gives a message to everybody who wants it, and keeps it where it is retained; waits while somebody has no room who must not miss
/// it. Whether it was taken: not while the broker ends.
fn take(shared: &Shared, mut publish: Publish) -> bool {
    let mut state = shared.lock();
    let is_wanted = |session: &Session| session.quality(&publish.topic).is_some();
    while publish.qos == QoS::AtLeastOnce
        && state.sessions.values().any(|session| QUEUE_MAX <= session.queue.len() && is_wanted(session))
    {
        if shared.is_ending() {
            return false;
        }
        let waited = shared.changed.wait_timeout(state, ROOM_WAIT);
        state = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
    state.counts.received += 1;
    let State { sessions, retained, counts, .. } = &mut *state;
    publish.dup = false;
    if publish.retain {
        if publish.payload.is_empty() {
            retained.remove(&publish.topic);
        } else if retained.len() < RETAINED_MAX || retained.contains_key(&publish.topic) {
            retained.insert(publish.topic.clone(), publish.clone());
        }
    }
    publish.retain = false;
    for session in sessions.values_mut() {
        let Some(quality) = session.quality(&publish.topic) else { continue };
        let qos = lower(quality, publish.qos);
        counts.dropped_full += u64::from(!session.put(Publish { qos, ..publish.clone() }));
        counts.sent += session.pump();
    }
    true
}

fn lower(one: QoS, other: QoS) -> QoS {
    if other < one { other } else { one }
}

impl Session {
    /// The best quality in which it wants messages of this topic.
    fn quality(&self, topic: &str) -> Option<QoS> {
        let wanted = self.filters.iter().filter(|(filter, _)| mqttbytes::matches(topic, filter));
        wanted.map(|(_, quality)| *quality).reduce(|one, other| if other < one { one } else { other })
    }

    /// Puts a message into the queue; `false` where there is no room, or nobody to whom it could be said.
    fn put(&mut self, publish: Publish) -> bool {
        let is_away = self.line.is_none() && publish.qos == QoS::AtMostOnce;
        let has_room = self.queue.len() < QUEUE_MAX && !is_away;
        if has_room {
            self.queue.push_back(publish);
        }
        has_room
    }

    /// Sends what may be sent; how many these are.
    fn pump(&mut self) -> u64 {
        let mut sent = 0;
        while let Some(line) = &self.line
            && self.flying.len() < FLYING_MAX
            && line.packets.len() < LINE_PACKETS_MAX / 2
            && let Some(mut publish) = self.queue.pop_front()
        {
            if publish.qos == QoS::AtLeastOnce {
                while self.number == 0 || self.flying.contains_key(&self.number) {
                    self.number = self.number.wrapping_add(1);
                }
                publish.pkid = self.number;
                self.flying.insert(self.number, publish.clone());
            }
            // There is room: it was looked at, and only this session puts publications there, under its lock.
            sent += u64::from(line.packets.try_send(Packet::Publish(publish)).is_ok());
        }
        sent
    }
}
