//! A simulated shop that is played live, heard from outside: by a broker of a few lines that hears everything, and, where
//! `AISLE_TEST_MQTT` names the program, through mosquitto.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use aisle::base::{ShopTime, Span};
use aisle::facts::{Body, Fact, Topic};
use aisle::ports::FactSource;
use aisle::recording::{self, Reader};
use aisle::sim::{Fault, FaultKind, Pluggable};
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};

use super::cli::{Answer, ask};
use super::left_out::left_out;

/// Names the program of a real broker.
const PROGRAM: &str = "AISLE_TEST_MQTT";
/// How long anything may take that should happen soon.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was published, by topic, in order.
type Heard = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// A broker that takes everything and gives nothing on; where it listens, and what it hears.
fn broker() -> (String, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("mqtt://{}", listener.local_addr().unwrap());
    let heard = Heard::default();
    let ours = heard.clone();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let ours = ours.clone();
            thread::spawn(move || serve(stream, &ours));
        }
    });
    (url, heard)
}

/// Answers one client: CONNECT, PUBLISH of quality 1, PINGREQ.
fn serve(mut stream: TcpStream, heard: &Heard) -> Option<()> {
    loop {
        let mut byte = [0; 1];
        stream.read_exact(&mut byte).ok()?;
        let kind = byte[0];
        let (mut length, mut shift) = (0, 0);
        loop {
            stream.read_exact(&mut byte).ok()?;
            length |= usize::from(byte[0] & 127) << shift;
            shift += 7;
            if byte[0] < 128 {
                break;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).ok()?;
        match kind >> 4 {
            1 => stream.write_all(&[0x20, 2, 0, 0]).ok()?,
            3 => {
                let letters = usize::from(u16::from_be_bytes([body[0], body[1]]));
                let topic = String::from_utf8(body[2..2 + letters].to_vec()).unwrap();
                let (number, payload) = body[2 + letters..].split_at(2);
                heard.lock().unwrap().push((topic, payload.to_vec()));
                stream.write_all(&[0x40, 2, number[0], number[1]]).ok()?;
            }
            12 => stream.write_all(&[0xd0, 0]).ok()?,
            _ => return None,
        }
    }
}

/// A short film in a folder, and its facts.
fn film(folder: &Path) -> Vec<Fact> {
    let made =
        ask(folder, &["simulate", "--scenario", "single-pick", "--level", "room", "--seed", "3", "-o", "film.mcap"]);
    assert_eq!(made.status, Some(0), "{}", made.err);
    let mut reader = Reader::open(&folder.join("film.mcap")).unwrap();
    let mut facts = Vec::new();
    while let Some(fact) = reader.next_fact().unwrap() {
        facts.push(fact);
    }
    facts
}

/// The facts in messages, by topic, source and number; how many came more than once.
fn read(messages: &[(String, Vec<u8>)]) -> (BTreeMap<(String, u64, i64), Fact>, usize) {
    let mut facts = BTreeMap::new();
    for (name, payload) in messages {
        let [_, _, kind, source] = name.splitn(4, '/').collect::<Vec<_>>()[..] else { panic!("a topic `{name}`") };
        let topic = match kind {
            "plates" => Topic::Plates,
            "people" => Topic::People,
            "gates" => Topic::Gate,
            other => panic!("a topic of `{other}`"),
        };
        let fact = recording::decode(topic, payload).unwrap();
        assert_eq!(fact.stamp.source.as_str(), source);
        let key = (name.clone(), fact.stamp.sequence, fact.stamp.at.as_nanos());
        facts.insert(key, fact);
    }
    let doubles = messages.len() - facts.len();
    (facts, doubles)
}

/// The same fact at another time.
fn moved(fact: &Fact, by: Span) -> Fact {
    let mut fact = fact.clone();
    fact.stamp.at = fact.stamp.at + by;
    fact.stamp.arrived = fact.stamp.arrived + by;
    if let Body::Plates(batch) = &mut fact.body {
        batch.first_at = batch.first_at + by;
    }
    fact
}

fn play(folder: &Path, broker: &str, more: &[&str]) -> Answer {
    let play = ["simulate", "--live", "--play", "film.mcap", "--truth", "truth.json", "--broker", broker];
    ask(folder, &[&play, more].concat())
}

/// The moment from which the truth says that the film was played.
fn begins(folder: &Path) -> ShopTime {
    let truth: serde_json::Value = serde_json::from_slice(&fs::read(folder.join("truth.json")).unwrap()).unwrap();
    assert!(!truth["receipts"].as_array().unwrap().is_empty());
    assert!(!truth["actions"].as_array().unwrap().is_empty());
    ShopTime::from_nanos(truth["begins"].as_i64().unwrap())
}

/// NaN is not itself, so facts are compared as they are written.
fn written(fact: &Fact) -> Vec<u8> {
    let mut bytes = Vec::new();
    recording::encode(fact, &mut bytes).unwrap();
    bytes
}

#[test]
fn a_film_is_said_over_mqtt_fact_by_fact_on_the_day_on_which_it_is_played() {
    let folder = tempfile::tempdir().unwrap();
    let facts = film(folder.path());
    let (url, heard) = broker();
    let answer = play(folder.path(), &url, &["--speed", "40"]);
    assert_eq!(answer.status, Some(0), "{}{}", answer.out, answer.err);
    let messages = heard.lock().unwrap().clone();
    // What the film itself has twice comes twice.
    assert_eq!(messages.len(), facts.len(), "{}", answer.out);
    assert!(
        answer.out.contains(&format!("messages: {0} sent, {0} acknowledged, 0 sent again", facts.len())),
        "{}",
        answer.out
    );
    let by = begins(folder.path()) - facts[0].stamp.arrived;
    let said: Vec<&[u8]> = messages.iter().map(|(_, payload)| payload.as_slice()).collect();
    let expected: Vec<Vec<u8>> = facts.iter().map(|fact| written(&moved(fact, by))).collect();
    assert!(said == expected, "the messages are not the facts, moved");
    assert!(
        read(&messages)
            .0
            .keys()
            .any(|(topic, ..)| topic.contains("/gates/gate/entrance") || topic.contains("/people/"))
    );
}

#[test]
fn a_broker_that_is_cut_off_loses_no_message_and_the_log_says_when() {
    let folder = tempfile::tempdir().unwrap();
    let facts = film(folder.path());
    let (url, heard) = broker();
    let length = facts.iter().map(|fact| fact.stamp.arrived).max().unwrap() - facts[0].stamp.arrived;
    let speed = (length.as_secs() / 6.0).ceil();
    let boards = facts.iter().filter(|fact| !matches!(fact.body, Body::Gate(_)));
    let devices = Pluggable {
        broker: true,
        boards: boards.map(|fact| fact.stamp.source.to_string()).collect(),
        ..Pluggable::default()
    };
    let plan = |seed: u64| Fault::plan(&devices, Span::from_secs(length.as_secs() / speed), Span::from_secs(5.0), seed);
    let cuts =
        |seed: &u64| plan(*seed).iter().all(|fault| fault.kind == FaultKind::BrokerCut) && !plan(*seed).is_empty();
    let seed = (0..500).find(cuts).unwrap().to_string();
    let (speed, log) = (speed.to_string(), folder.path().join("faults.jsonl"));
    let more = ["--speed", &speed, "--faults", &seed, "--fault-every", "5", "--fault-log", "faults.jsonl"];
    let answer = play(folder.path(), &url, &more);
    assert_eq!(answer.status, Some(0), "{}{}", answer.out, answer.err);
    let messages = heard.lock().unwrap().clone();
    let (by, (known, _)) = (begins(folder.path()) - facts[0].stamp.arrived, read(&messages));
    for fact in &facts {
        let fact = moved(fact, by);
        let stamp = &fact.stamp;
        let is_it = |key: &(String, u64, i64)| {
            key.0.ends_with(stamp.source.as_str()) && key.1 == stamp.sequence && key.2 == stamp.at.as_nanos()
        };
        assert!(known.keys().any(is_it), "{stamp:?} was lost: {}", answer.out);
    }
    assert!(!answer.out.contains(" over 0 new connections"), "{}", answer.out);
    let lines = fs::read_to_string(log).unwrap();
    let fault: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!((fault["kind"].as_str(), fault["device"].as_str()), (Some("broker_cut"), Some("broker")));
    let from = ShopTime::from_nanos(fault["from"].as_i64().unwrap());
    assert!(begins(folder.path()) < from && from.as_nanos() < fault["until"].as_i64().unwrap());
}

#[test]
fn a_shop_is_written_that_is_in_order_and_names_the_devices() {
    let folder = tempfile::tempdir().unwrap();
    film(folder.path());
    let (url, _) = broker();
    let answer = play(folder.path(), &url, &["--speed", "1000", "--write-shop", "corner"]);
    assert_eq!(answer.status, Some(0), "{}{}", answer.out, answer.err);
    let checked = ask(folder.path(), &["check", "corner"]);
    assert_eq!(checked.status, Some(0), "{}{}", checked.out, checked.err);
    let devices = fs::read_to_string(folder.path().join("corner/devices.toml")).unwrap();
    let shop = aisle::config::load_shop(&folder.path().join("corner")).unwrap();
    let draft = toml::from_str(&devices).unwrap();
    let devices = aisle::ingest::devices::Devices::check(draft, &shop, folder.path()).unwrap();
    assert_eq!(devices.broker.map(|broker| format!("mqtt://{}:{}", broker.host, broker.port)), Some(url));
    let sources: Vec<&str> = devices.boards.iter().map(|board| board.source.as_str()).collect();
    assert!(sources.contains(&"people") && sources.contains(&"gondola/1"), "{sources:?}");
    // Nobody could say who they are: the gates of this film ask no API.
    assert!(devices.gates.is_empty());
}

#[test]
fn what_nobody_would_hear_is_refused_before_anything_is_said() {
    let folder = tempfile::tempdir().unwrap();
    film(folder.path());
    let live = ["simulate", "--live", "--play", "film.mcap"];
    let answer = ask(folder.path(), &live);
    assert_eq!(answer.status, Some(2));
    assert!(answer.err.contains("nobody would hear"), "{}", answer.err);
    let answer = ask(folder.path(), &[&live[..], &["--broker", "127.0.0.1:1"]].concat());
    assert_eq!(answer.status, Some(2));
    assert!(answer.err.contains("mqtt://HOST:PORT"), "{}", answer.err);
    let listens = ["--broker", "mqtt://127.0.0.1:1", "--cameras-listen", "127.0.0.1:0", "--speed", "2"];
    let answer = ask(folder.path(), &[&live[..], &listens].concat());
    assert_eq!(answer.status, Some(2));
    assert!(answer.err.contains("at the speed of the clock"), "{}", answer.err);
}

/// A real broker, killed if the test does not end it.
struct Mosquitto(Child);

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn mosquitto_gives_on_what_devices_say() {
    let Some(program) = std::env::var(PROGRAM).ok().filter(|program| !program.is_empty()) else {
        return left_out("mosquitto", &format!("name it in {PROGRAM}"));
    };
    let folder = tempfile::tempdir().unwrap();
    let facts = film(folder.path());
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = Command::new(program);
    let _broker = Mosquitto(command.args(["-p", &port.to_string()]).stderr(Stdio::null()).spawn().unwrap());
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(begun.elapsed() < PATIENCE, "mosquitto does not listen");
        thread::yield_now();
    }
    let mut options = MqttOptions::new("listener", "127.0.0.1", port);
    options.set_max_packet_size(2 << 20, 2 << 20);
    let (client, mut connection) = Client::new(options, 16);
    client.subscribe("aisle/#", QoS::AtLeastOnce).unwrap();
    let (subscribed, wait) = crossbeam_channel::bounded(1);
    let heard = Heard::default();
    let (ours, expected) = (heard.clone(), facts.len());
    let listener = thread::spawn(move || {
        for event in connection.iter() {
            match event {
                Ok(Event::Incoming(Packet::SubAck(_))) => subscribed.send(()).unwrap(),
                Ok(Event::Incoming(Packet::Publish(publish))) => {
                    assert!(!publish.retain);
                    let mut heard = ours.lock().unwrap();
                    heard.push((publish.topic, publish.payload.to_vec()));
                    if heard.len() == expected {
                        return;
                    }
                }
                Ok(_) => {}
                Err(error) => panic!("{error}"),
            }
        }
    });
    wait.recv_timeout(PATIENCE).unwrap();
    let answer = play(folder.path(), &format!("mqtt://127.0.0.1:{port}"), &["--speed", "20"]);
    assert_eq!(answer.status, Some(0), "{}{}", answer.out, answer.err);
    listener.join().unwrap();
    let by = begins(folder.path()) - facts[0].stamp.arrived;
    let mut said: Vec<Vec<u8>> = heard.lock().unwrap().iter().map(|(_, payload)| payload.clone()).collect();
    let mut expected: Vec<Vec<u8>> = facts.iter().map(|fact| written(&moved(fact, by))).collect();
    said.sort();
    expected.sort();
    assert!(said == expected, "the messages are not the facts, moved");
}
