//! What a client of another hand hears from the broker: everything once and in order, over connections that end.

use std::time::Duration;

use rumqttc::{Client, Connection, Event, LastWill, MqttOptions, Packet, QoS};

use super::{Broker, QUEUE_MAX};

fn options(broker: &Broker, name: &str) -> MqttOptions {
    let address = broker.address();
    let mut options = MqttOptions::new(name, address.host, address.port);
    options.set_keep_alive(Duration::from_secs(5)).set_max_packet_size(1 << 20, 1 << 20);
    options
}

/// The next publication, as topic, text and whether it was retained.
fn heard(connection: &mut Connection) -> (String, String, bool) {
    loop {
        let event = connection.recv_timeout(Duration::from_secs(20)).unwrap().unwrap();
        if let Event::Incoming(Packet::Publish(said)) = event {
            return (said.topic, String::from_utf8(said.payload.to_vec()).unwrap(), said.retain);
        }
    }
}

fn until(connection: &mut Connection, is_it: impl Fn(&Packet) -> bool) {
    loop {
        if let Event::Incoming(packet) = connection.recv_timeout(Duration::from_secs(20)).unwrap().unwrap()
            && is_it(&packet)
        {
            return;
        }
    }
}

/// Says these numbers with quality 1, and waits until all are acknowledged.
fn say(broker: &Broker, name: &str, topic: &str, numbers: std::ops::Range<usize>) {
    let (client, mut connection) = Client::new(options(broker, name), 32_768);
    let mut left = numbers.len();
    for number in numbers {
        client.publish(topic, QoS::AtLeastOnce, false, number.to_string()).unwrap();
    }
    while left != 0 {
        until(&mut connection, |packet| matches!(packet, Packet::PubAck(_)));
        left -= 1;
    }
}

#[test]
fn messages_come_once_and_in_order_to_those_who_want_them() {
    let broker = Broker::start().unwrap();
    let (client, mut connection) = Client::new(options(&broker, "shop"), 16);
    client.subscribe("aisle/+/plates/#", QoS::AtLeastOnce).unwrap();
    until(&mut connection, |packet| matches!(packet, Packet::SubAck(_)));
    std::thread::scope(|scope| {
        scope.spawn(|| say(&broker, "boards", "aisle/corner/plates/gondola/1", 0..3_000));
        scope.spawn(|| say(&broker, "others", "aisle/corner/people/cameras", 0..100));
        for number in 0..3_000 {
            let (topic, text, _) = heard(&mut connection);
            assert_eq!((topic.as_str(), text), ("aisle/corner/plates/gondola/1", number.to_string()));
        }
    });
    let counts = broker.counts();
    assert_eq!((counts.received, counts.sent, counts.dropped_full), (3_100, 3_000, 0));
    broker.stop();
}

#[test]
fn a_kept_session_hears_what_was_said_while_it_was_away_and_a_full_one_holds_back_who_speaks() {
    let broker = Broker::start().unwrap();
    let mut kept = options(&broker, "shop");
    kept.set_clean_session(false);
    let (client, mut connection) = Client::new(kept.clone(), 16);
    client.subscribe("t", QoS::AtLeastOnce).unwrap();
    until(&mut connection, |packet| matches!(packet, Packet::SubAck(_)));
    drop((client, connection));
    let said = QUEUE_MAX + 500;
    std::thread::scope(|scope| {
        let speaker = scope.spawn(|| say(&broker, "boards", "t", 0..said));
        while broker.counts().received < QUEUE_MAX as u64 {
            std::thread::yield_now();
        }
        assert!(!speaker.is_finished(), "more than fits waits");
        let (_client, mut connection) = Client::new(kept, 16);
        for number in 0..said {
            let (_, text, _) = heard(&mut connection);
            assert_eq!(text, number.to_string());
        }
    });
    broker.stop();
}

#[test]
fn what_is_retained_is_told_to_whoever_comes_and_a_will_when_its_client_is_gone() {
    let broker = Broker::start().unwrap();
    let mut mortal = options(&broker, "mortal");
    mortal.set_last_will(LastWill::new("status", "offline", QoS::AtLeastOnce, true));
    let (client, mut connection) = Client::new(mortal, 16);
    client.publish("status", QoS::AtLeastOnce, true, "online").unwrap();
    until(&mut connection, |packet| matches!(packet, Packet::PubAck(_)));
    let (watcher, mut watching) = Client::new(options(&broker, "watcher"), 16);
    watcher.subscribe("status", QoS::AtLeastOnce).unwrap();
    assert_eq!(heard(&mut watching), ("status".to_owned(), "online".to_owned(), true));
    // The socket closes without a word.
    drop((client, connection));
    assert_eq!(heard(&mut watching), ("status".to_owned(), "offline".to_owned(), false));
    let (late, mut listening) = Client::new(options(&broker, "late"), 16);
    late.subscribe("status", QoS::AtMostOnce).unwrap();
    assert_eq!(heard(&mut listening).1, "offline");
    broker.stop();
}

#[test]
fn what_is_no_mqtt_ends_the_connection_and_nothing_else() {
    use std::io::{Read, Write};

    let broker = Broker::start().unwrap();
    for noise in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0x10, 0xff, 0xff, 0xff, 0xff], &[0x30, 2, 0, 9]] {
        let mut socket = std::net::TcpStream::connect(broker.address).unwrap();
        socket.write_all(noise).unwrap();
        assert_eq!(socket.read(&mut [0; 16]).unwrap_or(0), 0, "the connection is ended");
    }
    while broker.counts().refused < 3 {
        std::thread::yield_now();
    }
    say(&broker, "boards", "t", 0..10);
    assert_eq!(broker.counts().received, 10);
    broker.stop();
}
