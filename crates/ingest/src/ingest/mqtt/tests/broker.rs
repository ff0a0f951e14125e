//! The connection: brokers that die and come back, messages that come twice, and more than is taken.

use rumqttc::QoS;

use super::peer::{Mosquitto, listen, publish, publish_as};
use super::*;

const TOPIC: &str = "aisle/demo/plates/gondola/1";

fn batches(numbers: std::ops::Range<u64>, now: ShopTime) -> Vec<(String, Vec<u8>)> {
    let fact = |number: u64| plates("gondola/1", number, now + Span::from_millis(number as i64));
    numbers.map(|number| (TOPIC.to_owned(), json(&fact(number)))).collect()
}

fn now() -> ShopTime {
    WallClock.now()
}

#[test]
fn what_a_board_says_is_a_fact_in_its_order_and_is_acknowledged_once_it_is_kept() {
    let Some(broker) = Mosquitto::start() else { return };
    let mut shop = Opening::at(broker.port).open();
    shop.wait_online();
    let begun = now();
    publish(broker.port, batches(1..501, begun));
    for number in 1..501 {
        let fact = shop.keep();
        assert_eq!(fact.stamp.sequence, number);
        assert!(begun <= fact.stamp.arrived && fact.stamp.arrived <= now());
        let Body::Plates(batch) = fact.body else { panic!("{fact:?}") };
        assert!(batch.grams[1].is_nan() && batch.grams[3] == 500.0);
    }
    wait_for("health of the board", || shop.count("gondola/1", "received") == 500);
    assert_eq!(shop.word("gondola/1"), Some(HealthWord::Online));
    shop.stop();
    // All was acknowledged: nothing comes again.
    let mut again = Opening::at(broker.port).open();
    again.wait_online();
    publish(broker.port, batches(501..502, begun));
    assert_eq!(again.keep().stamp.sequence, 501);
    again.stop();
}

#[test]
fn a_broker_that_comes_later_or_again_is_found_within_two_seconds_and_nothing_is_lost() {
    let Some(mut broker) = Mosquitto::prepared(true) else { return };
    let mut shop = Opening::at(broker.port).open();
    wait_for("a first try", || 0 < shop.count(BROKER, "disconnects"));
    let begun = now();
    let mut next = 0;
    for round in 0..3 {
        broker.run();
        let back = Instant::now();
        shop.wait_online();
        assert!(back.elapsed() < Duration::from_secs(2), "round {round}: {:?}", back.elapsed());
        publish(broker.port, batches(next..next + 50, begun));
        for number in next..next + 50 {
            assert_eq!(shop.keep().stamp.sequence, number, "round {round}");
        }
        next += 50;
        broker.kill();
        wait_for("the loss", || shop.word(BROKER) == Some(HealthWord::Offline));
        assert!(shop.health.get(BROKER).unwrap().cause.is_some());
    }
    assert_eq!(shop.count(BROKER, "connects"), 3);
    shop.stop();
}

#[test]
fn a_broker_that_is_mute_is_noticed_and_nothing_is_lost() {
    let Some(broker) = Mosquitto::start() else { return };
    let mut shop = Opening::at(broker.port).open();
    shop.wait_online();
    publish(broker.port, batches(0..10, now()));
    (0..10).for_each(|number| assert_eq!(shop.keep().stamp.sequence, number));
    broker.signal("STOP");
    let frozen = Instant::now();
    wait_for("the loss", || shop.word(BROKER) == Some(HealthWord::Offline));
    // Two pings, a second apart.
    assert!(frozen.elapsed() < Duration::from_secs(4), "{:?}", frozen.elapsed());
    let broker_health = shop.health.get(BROKER).unwrap();
    assert!(broker_health.cause.unwrap().contains("does not answer") && broker_health.remedy.is_some());
    broker.signal("CONT");
    let back = Instant::now();
    shop.wait_online();
    // A try that has begun may last its two seconds.
    assert!(back.elapsed() < Duration::from_secs(4), "{:?}", back.elapsed());
    publish(broker.port, batches(10..20, now()));
    (10..20).for_each(|number| assert_eq!(shop.keep().stamp.sequence, number));
    shop.stop();
}

#[test]
fn what_was_not_kept_comes_again_after_a_crash_and_what_was_kept_does_not() {
    let Some(broker) = Mosquitto::start() else { return };
    let first = Opening::at(broker.port).open();
    first.wait_online();
    publish(broker.port, batches(0..100, now()));
    let mut seen = Seen::default();
    let mut lost = Vec::new();
    for number in 0..100 {
        let Delivery { fact, kept } = first.take();
        // Every other one gets to the disk, and the crash comes before anything is acknowledged.
        if number % 2 == 0 {
            seen.learn(&fact.stamp);
        }
        lost.push(kept);
    }
    let Shop { mqtt, facts, .. } = first;
    mqtt.unwrap().stop(Duration::ZERO);
    drop((facts, lost));
    let mut second = Opening { seen, ..Opening::at(broker.port) }.open();
    for number in (1..100).step_by(2) {
        assert_eq!(second.keep().stamp.sequence, number);
    }
    let doubles = || second.count("gondola/1", "dropped_duplicate") + second.count(BROKER, "dropped_duplicate");
    wait_for("the doubles", || doubles() == 50);
    assert!(second.facts.is_empty());
    second.stop();
}

#[test]
fn a_shop_without_room_answers_its_broker_and_loses_nothing() {
    let Some(broker) = Mosquitto::start() else { return };
    let mut shop = Opening { room: 1, ..Opening::at(broker.port) }.open();
    shop.wait_online();
    publish(broker.port, batches(0..300, now()));
    // Three times as long as the broker waits for a sign of life (1.5 s).
    thread::sleep(Duration::from_millis(4_500));
    assert_eq!((shop.count(BROKER, "connects"), shop.word(BROKER)), (1, Some(HealthWord::Online)));
    for number in 0..300 {
        assert_eq!(shop.keep().stamp.sequence, number);
    }
    shop.stop();
}

#[test]
fn more_than_is_held_waits_at_the_broker() {
    let Some(broker) = Mosquitto::start() else { return };
    let mut shop = Opening { room: 1, ..Opening::at(broker.port) }.open();
    shop.wait_online();
    // 80 MB, where 64 MiB are held.
    let count = 400;
    let padded = batches(0..count, now()).into_iter().map(|(topic, mut payload)| {
        payload.resize(200_000, b' ');
        (topic, payload)
    });
    publish(broker.port, padded);
    wait_for("the flood", || 0 < shop.count(BROKER, "held_back"));
    for number in 0..count {
        assert_eq!(shop.keep().stamp.sequence, number);
    }
    assert_eq!(shop.count(BROKER, "dropped_full"), 0);
    shop.stop();
}

#[test]
fn a_message_that_is_too_large_is_passed_by() {
    let Some(broker) = Mosquitto::start() else { return };
    let unread = tempfile::tempdir().unwrap();
    let mut opening = Opening::at(broker.port);
    opening.settings.unread = Some(unread.path().to_owned());
    let mut shop = opening.open();
    shop.wait_online();
    let mut large = json(&plates("gondola/1", 1, now()));
    large.resize(12_000, b' ');
    publish(broker.port, [(TOPIC.to_owned(), large)]);
    assert_eq!(shop.keep().stamp.sequence, 1);
    let sizes = [1 << 20, (1 << 20) + 1, 2 << 20, 3 << 20, 5 << 20];
    publish(broker.port, sizes.map(|size| (TOPIC.to_owned(), vec![b' '; size])));
    publish(broker.port, batches(2..3, now()));
    assert_eq!(shop.keep().stamp.sequence, 2);
    // A connection that ends so that the next one may read more makes some of them come twice.
    wait_for("the counts", || 4 <= shop.count("gondola/1", "dropped_too_large"));
    assert!(1 <= shop.count("gondola/1", "dropped_undecodable"));
    assert_eq!(shop.word("gondola/1"), Some(HealthWord::Degraded));
    assert!(fs_count(unread.path()) <= 5 && 0 < fs_count(unread.path()));
    shop.stop();
}

fn fs_count(folder: &std::path::Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

#[test]
fn every_reason_is_counted_and_nothing_stands_in_the_way() {
    let Some(broker) = Mosquitto::start() else { return };
    let mut opening = Opening::at(broker.port);
    let board = |source: &str, enabled: bool| Board {
        source: source.to_owned(),
        silence: Span::from_millis(3_000),
        rate_hertz: None,
        enabled,
    };
    opening.settings.boards = vec![board("gondola/1", true), board("gondola/2", false)];
    let mut shop = opening.open();
    shop.wait_online();
    let good = json(&plates("gondola/1", 1, now()));
    publish_as(broker.port, QoS::AtLeastOnce, true, [(TOPIC.to_owned(), good.clone())]);
    let topics = ["plate/gondola/1", "plates/gondola/1", "plates/gondola/3", "plates/gondola/2", "gates/east"];
    let messages = topics.map(|topic| (format!("aisle/demo/{topic}"), good.clone()));
    publish(broker.port, messages);
    publish(broker.port, [(TOPIC.to_owned(), b"{\xff".to_vec()), (TOPIC.to_owned(), good)]);
    // That was live, so it came without the flag; this end subscribed before.
    assert_eq!(shop.keep().stamp.sequence, 1);
    let disabled = json(&plates("gondola/2", 1, now()));
    publish(broker.port, [("aisle/demo/plates/gondola/2".to_owned(), disabled)]);
    wait_for("disabled", || shop.count("gondola/2", "dropped_disabled") == 1);
    assert_eq!(shop.word("gondola/2"), Some(HealthWord::Disabled));
    wait_for("doubles", || shop.count("gondola/1", "dropped_duplicate") == 2);
    wait_for("garbage", || shop.count("gondola/1", "dropped_undecodable") == 1);
    assert_eq!(shop.count("gondola/2", "dropped_wrong_source"), 1);
    let counts = ["dropped_unknown_topic", "dropped_wrong_source", "dropped_undecodable"];
    assert_eq!(counts.map(|what| shop.count(BROKER, what)), [1, 1, 1]);
    assert!(shop.facts.is_empty());
    shop.stop();
    // A new subscription gets what the broker kept: a measurement of another time.
    let mut other = Opening::at(broker.port);
    other.settings.broker.client_id = Some("another".to_owned());
    let mut shop = other.open();
    wait_for("what was retained", || shop.count(BROKER, "dropped_retained") == 1);
    assert!(shop.facts.is_empty());
    shop.stop();
}

#[test]
fn two_clients_of_one_name_are_told() {
    let Some(broker) = Mosquitto::start() else { return };
    let mut shops = [Opening::at(broker.port).open(), Opening::at(broker.port).open()];
    let is_told = |shop: &Shop| {
        let health = shop.health.get(BROKER).unwrap();
        health.cause.is_some_and(|cause| cause.contains("another client may have the name `aisle-demo`"))
    };
    wait_for("a cause", || shops.iter().any(is_told));
    shops.iter_mut().for_each(Shop::stop);
}

#[test]
fn the_shop_and_its_devices_are_told_to_others() {
    let Some(broker) = Mosquitto::start() else { return };
    let mut opening = Opening::at(broker.port);
    opening.settings.broker.home_assistant = true;
    let mut shop = opening.open();
    shop.wait_online();
    let word = listen(broker.port, "aisle/demo/status", |_, _, retained| retained);
    assert_eq!(word, b"online");
    publish(broker.port, batches(0..1, now()));
    shop.keep();
    let told = listen(broker.port, "aisle/demo/health/#", |topic, payload, _| {
        topic == "aisle/demo/health/gondola/1" && payload.windows(8).any(|part| part == b"\"online\"")
    });
    let told: crate::ports::DeviceHealth = serde_json::from_slice(&told).unwrap();
    assert_eq!((told.device.as_str(), told.health), ("gondola/1", HealthWord::Online));
    // Home Assistant has started: it is told of the device that came after the first word.
    publish(broker.port, [("homeassistant/status".to_owned(), b"online".to_vec())]);
    let config = listen(broker.port, "homeassistant/device/aisle-demo/config", |_, payload, _| {
        String::from_utf8_lossy(payload).contains("gondola-1")
    });
    let config: serde_json::Value = serde_json::from_slice(&config).unwrap();
    assert_eq!(config["device"]["identifiers"][0], "aisle-demo");
    assert_eq!(config["components"]["gondola-1"]["state_topic"], "aisle/demo/health/gondola/1");
    assert_eq!(config["availability"][0]["topic"], "aisle/demo/status");
    shop.stop();
    assert_eq!(listen(broker.port, "aisle/demo/status", |_, _, _| true), b"offline");
}
