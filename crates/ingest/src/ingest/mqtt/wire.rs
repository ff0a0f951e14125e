//! The connection to a broker, behind a few functions, so that another library could stand here: what is sent goes out at
//! once, what is received comes one by one, and a connection that is lost says why. It never queues what is sent and never
//! waits for a channel, so nothing in it can be full; and it never looks at a payload.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::time::Duration;

use rumqttc::{
    ConnectReturnCode, ConnectionError, Event, EventLoop, LastWill, MqttOptions, Packet, PubAck, Publish, QoS, Request,
    StateError, SubscribeFilter, SubscribeReasonCode, Transport, mqttbytes,
};
use tokio::time::timeout;

/// Bytes of a packet that are read; a larger one raises this once, so that it can be passed by.
const READ_BYTES: usize = (1 << 20) + (70 << 10);
/// Bytes of a packet, by the protocol.
const PROTOCOL_BYTES_MAX: usize = 268_435_455;
/// Bytes of a packet that are sent.
const SENT_BYTES_MAX: usize = 1 << 20;
/// How long anything that is sent may take to leave.
const SEND_WAIT: Duration = Duration::from_secs(5);
/// How long the broker may take to end a connection that was taken leave of.
const LEAVE_WAIT: Duration = Duration::from_secs(5);
/// How long a connection may take to come about, seconds: at first, and how many more in turn after it took too long. Longer
/// tries would find a broker later whose network comes back.
const CONNECT_SECS: u64 = 2;
const CONNECT_SECS_MORE: u64 = 4;

/// What is said to a broker.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Said {
    pub(super) topic: String,
    pub(super) payload: Vec<u8>,
    /// Whether the broker acknowledges it (QoS 1).
    pub(super) is_sure: bool,
    pub(super) is_retained: bool,
}

/// A message from a broker.
pub(super) struct Message(Publish);

/// What came.
pub(super) enum Heard {
    /// The connection is there; whether the broker remembers the last one.
    Connected { is_resumed: bool },
    /// A message.
    Message(Message),
    /// The answer to a subscription: whether all of it is granted.
    Subscribed { is_granted: bool },
    /// Something else, which only shows that the broker lives.
    Other,
}

/// Why a connection is lost, or did not come about.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lost {
    pub(super) cause: String,
    pub(super) remedy: &'static str,
    /// Bytes of a packet that was larger than what is read.
    pub(super) too_large: Option<usize>,
}

/// How a connection is made.
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) client_id: String,
    pub(super) keep_alive: Duration,
    /// Whether the broker keeps what comes while nobody listens.
    pub(super) is_kept: bool,
}

/// A connection.
pub(super) struct Wire {
    events: EventLoop,
    /// What came on a connection before it was lost.
    left: VecDeque<Message>,
    lost: Option<Lost>,
    host: String,
    timeouts: u64,
}

impl Message {
    pub(super) fn topic(&self) -> &str {
        &self.0.topic
    }

    pub(super) fn payload(&self) -> &[u8] {
        &self.0.payload
    }

    pub(super) fn is_retained(&self) -> bool {
        self.0.retain
    }

    /// The packet's number; zero where no acknowledgement is asked for.
    pub(super) fn packet(&self) -> u16 {
        self.0.pkid
    }
}

impl Lost {
    fn new(cause: impl Into<String>, remedy: &'static str) -> Self {
        Lost { cause: cause.into(), remedy, too_large: None }
    }
}

impl Wire {
    /// A connection that is not there yet.
    pub(super) fn new(address: &Address) -> Self {
        // Of an address with colons the port would not be told apart.
        let host = match address.host.contains(':') {
            true => format!("[{}]", address.host),
            false => address.host.clone(),
        };
        let mut options = MqttOptions::new(&address.client_id, host, address.port);
        // The protocol counts whole seconds, and the library refuses less than one.
        options.set_keep_alive(Duration::from_secs(address.keep_alive.as_secs().clamp(1, 3_600)));
        options.set_clean_session(!address.is_kept);
        options.set_manual_acks(true);
        options.set_max_packet_size(READ_BYTES, SENT_BYTES_MAX);
        let mut events = EventLoop::new(options, 1);
        events.network_options.set_tcp_nodelay(true);
        Wire {
            events,
            left: VecDeque::new(),
            lost: None,
            host: format!("{}:{}", address.host, address.port),
            timeouts: 0,
        }
    }

    /// Who says it is who, from the next connection on.
    pub(super) fn set_login(&mut self, username: &str, password: &str) {
        self.events.mqtt_options.set_credentials(username, password);
    }

    /// What the broker says when this end is silent, from the next connection on.
    pub(super) fn set_will(&mut self, will: &Said) {
        let will = LastWill::new(&will.topic, will.payload.clone(), QoS::AtLeastOnce, will.is_retained);
        self.events.mqtt_options.set_last_will(will);
    }

    /// How bytes travel, from the next connection on.
    #[cfg_attr(not(feature = "mqtt-tls"), expect(dead_code, reason = "without TLS bytes travel as they are"))]
    pub(super) fn set_transport(&mut self, transport: Transport) {
        self.events.mqtt_options.set_transport(transport);
    }

    /// Whether the connection is there.
    pub(super) fn is_connected(&self) -> bool {
        self.events.network.is_some()
    }

    /// Whether more has come than was asked for yet.
    pub(super) fn has_more(&self) -> bool {
        !self.left.is_empty() || !self.events.state.events.is_empty()
    }

    /// What comes next; connects where there is no connection. May be dropped and called again once the connection is there.
    ///
    /// # Errors
    /// When the connection is lost; it is made anew by the next call.
    pub(super) async fn next(&mut self) -> Result<Heard, Lost> {
        if let Some(message) = self.left.pop_front() {
            return Ok(Heard::Message(message));
        }
        if let Some(lost) = self.lost.take() {
            return Err(lost);
        }
        if !self.is_connected() {
            let secs = CONNECT_SECS + self.timeouts % CONNECT_SECS_MORE;
            self.events.network_options.set_connection_timeout(secs);
        }
        match self.events.poll().await {
            Ok(Event::Incoming(packet)) => {
                self.timeouts = 0;
                Ok(heard(packet))
            }
            Ok(Event::Outgoing(_)) => Ok(Heard::Other),
            Err(error) => {
                self.timeouts += u64::from(matches!(error, ConnectionError::NetworkTimeout));
                let lost = self.explain(&error);
                self.break_off(lost.too_large);
                match self.left.pop_front() {
                    Some(message) => {
                        self.lost = Some(lost);
                        Ok(Heard::Message(message))
                    }
                    None => Err(lost),
                }
            }
        }
    }

    /// Acknowledges messages of this connection.
    ///
    /// # Errors
    /// When the connection is lost.
    pub(super) async fn acknowledge(&mut self, packets: &[u16]) -> Result<(), Lost> {
        let Some(network) = self.events.network.as_mut() else { return Ok(()) };
        let write = async {
            for packet in packets {
                network.write(Packet::PubAck(PubAck::new(*packet))).await?;
            }
            network.flush().await
        };
        let written = timeout(SEND_WAIT, write).await;
        self.judge_sent(written)
    }

    /// Says something.
    ///
    /// # Errors
    /// When the connection is lost.
    pub(super) async fn say(&mut self, said: &Said) -> Result<(), Lost> {
        let qos = if said.is_sure { QoS::AtLeastOnce } else { QoS::AtMostOnce };
        let mut publish = Publish::new(&said.topic, qos, said.payload.clone());
        publish.retain = said.is_retained;
        self.send(Request::Publish(publish)).await
    }

    /// Asks for everything below these filters.
    ///
    /// # Errors
    /// When the connection is lost.
    pub(super) async fn subscribe(&mut self, filters: &[String]) -> Result<(), Lost> {
        let filters = filters.iter().map(|filter| SubscribeFilter::new(filter.clone(), QoS::AtLeastOnce));
        self.send(Request::Subscribe(rumqttc::Subscribe::new_many(filters))).await
    }

    /// Takes leave, so that the broker says no will, and ends the connection. What comes meanwhile is not taken; `lost` hears
    /// the topics of what the broker does not send again.
    pub(super) async fn leave(&mut self, mut lost: impl FnMut(&str)) {
        if self.send(Request::Disconnect(rumqttc::Disconnect)).await.is_ok() {
            // The broker ends the connection once it has read everything. Who goes before may come again too soon, and what
            // the broker has not read by then it throws away: acknowledgements too.
            let ended = async {
                while self.is_connected()
                    && let Ok(event) = self.events.poll().await
                {
                    if let Event::Incoming(Packet::Publish(Publish { pkid: 0, topic, .. })) = event {
                        lost(&topic);
                    }
                }
            };
            // One that takes longer sends some messages twice.
            let _ = timeout(LEAVE_WAIT, ended).await;
        }
        self.break_off(None);
        let left = self.left.drain(..).filter(|message| message.packet() == 0);
        left.for_each(|message| lost(message.topic()));
    }

    /// Ends the connection without a word; what came on it is still given. Bytes are of a packet that was too large to be read.
    pub(super) fn break_off(&mut self, too_large: Option<usize>) {
        // The library would give them as if they had come on the next connection, where their numbers mean something else.
        for event in std::mem::take(&mut self.events.state.events) {
            if let Event::Incoming(Packet::Publish(publish)) = event {
                self.left.push_back(Message(publish));
            }
        }
        if let Some(bytes) = too_large {
            let limit = bytes.clamp(READ_BYTES, PROTOCOL_BYTES_MAX);
            self.events.mqtt_options.set_max_packet_size(limit, SENT_BYTES_MAX);
        }
        self.events.clean();
    }

    async fn send(&mut self, request: Request) -> Result<(), Lost> {
        let sent = match (self.events.state.handle_outgoing_packet(request), self.events.network.as_mut()) {
            (Ok(Some(packet)), Some(network)) => {
                let write = async {
                    network.write(packet).await?;
                    network.flush().await
                };
                timeout(SEND_WAIT, write).await
            }
            (Ok(_), _) => Ok(Ok(())),
            (Err(error), _) => Ok(Err(error)),
        };
        self.judge_sent(sent)
    }

    fn judge_sent(&mut self, sent: Result<Result<(), StateError>, tokio::time::error::Elapsed>) -> Result<(), Lost> {
        let lost = match sent {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => self.explain(&ConnectionError::MqttState(error)),
            Err(_) => self.explain(&ConnectionError::FlushTimeout),
        };
        self.break_off(lost.too_large);
        Err(lost)
    }

    fn explain(&self, error: &ConnectionError) -> Lost {
        let host = &self.host;
        let silent =
            || Lost::new(format!("{host} does not answer"), "check that the broker runs and the network is up");
        match error {
            ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout => silent(),
            ConnectionError::MqttState(StateError::AwaitPingResp | StateError::CollisionTimeout) => silent(),
            ConnectionError::MqttState(StateError::ConnectionAborted) => Lost::new(
                format!("{host} ended the connection"),
                "look into the broker's log; a second client of the same name takes the connection away",
            ),
            ConnectionError::MqttState(StateError::Deserialization(mqttbytes::Error::PayloadSizeLimitExceeded(
                bytes,
            ))) => Lost {
                cause: format!("a message of {bytes} bytes had to be passed by"),
                remedy: "set the broker's limit for messages to 1 MiB (mosquitto: message_size_limit)",
                too_large: Some(*bytes),
            },
            ConnectionError::MqttState(error) => {
                Lost::new(format!("{host} said what is no MQTT: {error}"), "check that a broker listens there")
            }
            ConnectionError::ConnectionRefused(code) => {
                let remedy = match code {
                    ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized => {
                        "check `username` and the password of [broker] in devices.toml"
                    }
                    ConnectReturnCode::BadClientId => "give another `client_id`",
                    _ => "look into the broker's log",
                };
                Lost::new(format!("{host} refused the connection: {code:?}"), remedy)
            }
            ConnectionError::Io(error) => {
                let remedy = match error.kind() {
                    ErrorKind::ConnectionRefused => "nothing listens there: start the broker, or correct `url`",
                    _ => "check `url`, the network, and that the broker runs",
                };
                Lost::new(format!("cannot reach {host}: {error}"), remedy)
            }
            other => Lost::new(format!("no connection to {host}: {other}"), "check the settings of [broker]"),
        }
    }
}

fn heard(packet: Packet) -> Heard {
    match packet {
        Packet::ConnAck(ack) => Heard::Connected { is_resumed: ack.session_present },
        Packet::Publish(publish) => Heard::Message(Message(publish)),
        Packet::SubAck(ack) => {
            let is_granted = !ack.return_codes.iter().any(|code| matches!(code, SubscribeReasonCode::Failure));
            Heard::Subscribed { is_granted }
        }
        _ => Heard::Other,
    }
}
