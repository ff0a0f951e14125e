//! MQTT as a shop meets it: with a real broker where `AISLE_TEST_MQTT` names the program mosquitto, and without one.

mod asks;
mod broker;
mod decoding;
mod devices;
mod fuzz;
mod peer;
mod sparkplug;
#[cfg(feature = "mqtt-tls")]
mod tls;

use std::time::{Duration, Instant};

use super::*;
use crate::base::{PlateId, ShopTime, SourceId, Span};
use crate::facts::{Body, Fact, PlateBatch, Stamp};
use crate::ports::{Delivery, HealthWord, WallClock};
use crossbeam_channel::Receiver;

/// A batch of the two plates of a board.
fn plates(source: &str, sequence: u64, at: ShopTime) -> Fact {
    let batch = PlateBatch {
        first_at: at,
        period: Span::from_millis(16),
        plates: vec![PlateId::new(1, 1, 1), PlateId::new(1, 1, 2)],
        grams: vec![1.0, f32::NAN, 2.5, 500.0],
    };
    let stamp = Stamp { source: SourceId::new(source), sequence, at, arrived: at };
    Fact { stamp, body: Body::Plates(batch) }
}

fn json(fact: &Fact) -> Vec<u8> {
    let mut bytes = Vec::new();
    crate::recording::encode(fact, &mut bytes).unwrap();
    bytes
}

/// Waits for what no channel tells.
fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "waited in vain: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// An open shop that only listens.
struct Shop {
    mqtt: Option<Mqtt>,
    facts: Receiver<Delivery>,
    health: HealthBoard,
}

/// How a shop is opened.
struct Opening {
    settings: Settings,
    room: usize,
    seen: Seen,
    desk: GateDesk,
}

impl Opening {
    fn at(port: u16) -> Self {
        let broker = Broker {
            host: "127.0.0.1".to_owned(),
            port,
            tls: false,
            client_id: None,
            login: None,
            ca_file: None,
            identity: None,
            keep_alive: Span::from_millis(1_000),
            home_assistant: false,
        };
        let settings = Settings { shop: "Demo".to_owned(), broker, sparkplug: None, boards: Vec::new(), unread: None };
        Opening { settings, room: 100_000, seen: Seen::default(), desk: GateDesk::default() }
    }

    fn open(self) -> Shop {
        let (intake, facts) = Intake::bounded(self.room);
        let health = HealthBoard::default();
        let Opening { settings, seen, desk, .. } = self;
        let ports = Ports { intake, health: health.clone(), clock: Arc::new(WallClock), seen, desk };
        let mqtt = Mqtt::start(settings, ports).unwrap();
        Shop { mqtt: Some(mqtt), facts, health }
    }
}

impl Shop {
    /// The next fact, which is kept at once.
    fn keep(&self) -> Fact {
        let Delivery { fact, kept } = self.take();
        kept.tell();
        fact
    }

    fn take(&self) -> Delivery {
        self.facts.recv_timeout(Duration::from_secs(20)).expect("a fact comes")
    }

    fn word(&self, device: &str) -> Option<HealthWord> {
        self.health.get(device).map(|device| device.health)
    }

    fn count(&self, device: &str, what: &str) -> u64 {
        self.health.get(device).and_then(|device| device.counters.get(what).copied()).unwrap_or(0)
    }

    fn wait_online(&self) {
        wait_for("a connection", || self.word(BROKER) == Some(HealthWord::Online));
    }

    fn stop(&mut self) {
        self.mqtt.take().unwrap().stop(Duration::from_secs(5));
    }
}

#[test]
fn a_broker_that_is_not_there_is_no_error_and_says_what_to_do() {
    // Nothing listens at a port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut shop = Opening::at(port).open();
    let refused = || shop.health.get(BROKER).filter(|device| 1 < *device.counters.get("disconnects").unwrap_or(&0));
    wait_for("a second try", || refused().is_some());
    let broker = refused().unwrap();
    assert_eq!(broker.health, HealthWord::Offline);
    assert!(broker.cause.unwrap().starts_with(&format!("cannot reach 127.0.0.1:{port}")));
    assert_eq!(broker.remedy.as_deref(), Some("nothing listens there: start the broker, or correct `url`"));
    shop.stop();
}

#[test]
#[cfg(not(feature = "mqtt-tls"))]
fn without_the_feature_tls_is_refused_and_never_left_out() {
    let mut opening = Opening::at(1);
    opening.settings.broker.tls = true;
    let mut shop = opening.open();
    wait_for("a try", || 0 < shop.count(BROKER, "disconnects"));
    let cause = shop.health.get(BROKER).unwrap().cause.unwrap();
    assert!(cause.starts_with("this aisle is built without TLS for MQTT"), "{cause}");
    shop.stop();
}

#[test]
fn a_password_that_is_not_there_is_told_and_tried_again() {
    let mut opening = Opening::at(1);
    let place = crate::base::SecretPlace::Variable("AISLE_NO_SUCH_VARIABLE".to_owned());
    opening.settings.broker.login = Some(("shop".to_owned(), place));
    let mut shop = opening.open();
    wait_for("a second try", || 1 < shop.count(BROKER, "disconnects"));
    let cause = shop.health.get(BROKER).unwrap().cause.unwrap();
    assert_eq!(cause, "`password`: the environment variable AISLE_NO_SUCH_VARIABLE is not set");
    shop.stop();
}
