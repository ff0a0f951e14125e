//! How many messages of boards a second become facts: a real broker holds them, a shop connects, and every fact is kept at once.
//!
//! `AISLE_TEST_MQTT` names the program mosquitto; without it nothing is measured. The broker is filled before, so that only it
//! and the shop work. Printed are messages a second by the clock, and by the time that the two threads of the connection took
//! on their processors, which is what one core could do for them.
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on stops at the line")]

use std::fs;
use std::io::{BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use aisle::base::{PlateId, ShopTime, SourceId, Span};
use aisle::facts::{Body, Fact, PlateBatch, Stamp};
use aisle::ingest::devices::Broker;
use aisle::ingest::mqtt::{Mqtt, Ports, Seen, Settings};
use aisle::ports::{Clock, Delivery, GateDesk, HealthBoard, Intake, WallClock};
use aisle::recording;

/// Messages, and how many when it is only tried.
const MESSAGES: u64 = 200_000;
const MESSAGES_TRIED: u64 = 2_000;
/// Boards, plates of each.
const BOARDS: u64 = 40;
const PLATES: u16 = 12;
/// Rows of a message: each row by itself, as a board of 60 Hz sends them, and six at a time.
const ROWS: [usize; 2] = [1, 6];

fn main() {
    let Some(program) = std::env::var_os("AISLE_TEST_MQTT") else {
        eprintln!("left out for want of mosquitto: name it in AISLE_TEST_MQTT");
        return;
    };
    let count = if std::env::args().any(|argument| argument == "--bench") { MESSAGES } else { MESSAGES_TRIED };
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = folder.path().join("mosquitto.conf");
    // In flight at once: as many as a shop holds.
    let lines =
        format!("listener {port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 2000\nmax_queued_messages 0\n");
    fs::write(&settings, lines).unwrap();
    let mut broker =
        Command::new(program).arg("-c").arg(&settings).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        thread::sleep(Duration::from_millis(10));
    }
    for rows in ROWS {
        measure(port, count, rows);
    }
    broker.kill().unwrap();
    broker.wait().unwrap();
}

fn measure(port: u16, count: u64, rows: usize) {
    // The broker keeps what comes for whoever was there once.
    let (mqtt, facts, health) = open(port);
    while health.get("broker").is_none_or(|broker| !broker.counters.contains_key("connects")) {
        thread::sleep(Duration::from_millis(10));
    }
    mqtt.stop(Duration::from_secs(5));
    drop(facts);
    let bytes = fill(port, count, rows);
    let begun = Instant::now();
    let (mqtt, facts, health) = open(port);
    let mut digest = 0_u64;
    for number in 0..count {
        let Delivery { fact, kept } = facts.recv_timeout(Duration::from_secs(60)).expect("a fact comes");
        assert_eq!(fact.stamp.sequence, number / BOARDS);
        digest = digest.rotate_left(5) ^ fact.stamp.at.as_nanos() as u64;
        kept.tell();
    }
    let took = begun.elapsed().as_secs_f64();
    let busy = busy_secs(&["mqtt", "mqtt-facts"]);
    mqtt.stop(Duration::from_secs(5));
    let lost: u64 = health.all().iter().flat_map(|device| &device.counters).map(dropped).sum();
    assert_eq!(lost, 0);
    let each = bytes / count as usize;
    println!(
        "{rows} rows of {PLATES} plates ({each} bytes): {count} messages in {took:.2} s, {:.0} a second; {:.0} a second \
         of one core; digest {digest:016x}",
        count as f64 / took,
        count as f64 / busy
    );
}

fn dropped((name, count): (&String, &u64)) -> u64 {
    if name.starts_with("dropped") && name != "dropped_duplicate" { *count } else { 0 }
}

fn open(port: u16) -> (Mqtt, crossbeam_channel::Receiver<Delivery>, HealthBoard) {
    let (intake, facts) = Intake::bounded(4_096);
    let health = HealthBoard::default();
    let broker = Broker {
        host: "127.0.0.1".to_owned(),
        port,
        tls: false,
        client_id: None,
        login: None,
        ca_file: None,
        identity: None,
        keep_alive: Span::from_secs(5.0),
        home_assistant: false,
    };
    let settings = Settings { shop: "bench".to_owned(), broker, sparkplug: None, boards: Vec::new(), unread: None };
    let ports = Ports {
        intake,
        health: health.clone(),
        clock: Arc::new(WallClock),
        seen: Seen::default(),
        desk: GateDesk::default(),
    };
    (Mqtt::start(settings, ports).unwrap(), facts, health)
}

/// Publishes so many messages in plain bytes of MQTT 3.1.1; answers how many bytes their payloads have.
fn fill(port: u16, count: u64, rows: usize) -> usize {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(&packet(0x10, b"\0\x04MQTT\x04\x02\0\0\0\x05bench")).unwrap();
    stream.read_exact(&mut [0; 4]).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    // Of each message comes an answer of four bytes.
    let answered = thread::spawn(move || (0..count).try_for_each(|_| answers.read_exact(&mut [0; 4])).unwrap());
    let begun = WallClock.now();
    let mut bytes = 0;
    for number in 0..count {
        let source = format!("gondola/{}", number % BOARDS);
        let payload = message(&source, number / BOARDS, begun + Span::from_millis(number as i64), rows);
        bytes += payload.len();
        let topic = format!("aisle/bench/plates/{source}");
        let mut body = (topic.len() as u16).to_be_bytes().to_vec();
        body.extend_from_slice(topic.as_bytes());
        body.extend_from_slice(&((number % 65_535) as u16 + 1).to_be_bytes());
        body.extend_from_slice(&payload);
        stream.write_all(&packet(0x32, &body)).unwrap();
    }
    answered.join().unwrap();
    bytes
}

fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![kind];
    let mut length = body.len();
    loop {
        let more = length / 128;
        packet.push((length % 128) as u8 | if 0 < more { 0x80 } else { 0 });
        length = more;
        if length == 0 {
            break;
        }
    }
    packet.extend_from_slice(body);
    packet
}

fn message(source: &str, sequence: u64, at: ShopTime, rows: usize) -> Vec<u8> {
    let plates: Vec<PlateId> = (1..=PLATES).map(|plate| PlateId::new(1, 1, plate)).collect();
    let grams = (0..rows * usize::from(PLATES)).map(|place| 1_000.0 + place as f32 * 0.24).collect();
    let batch = PlateBatch { first_at: at, period: Span::from_nanos(16_666_667), plates, grams };
    let stamp = Stamp { source: SourceId::new(source), sequence, at, arrived: at };
    let mut bytes = Vec::new();
    recording::encode(&Fact { stamp, body: Body::Plates(batch) }, &mut bytes).unwrap();
    bytes
}

/// Seconds that threads of these names have worked so far; not a number where the system does not say.
fn busy_secs(names: &[&str]) -> f64 {
    let Ok(threads) = fs::read_dir("/proc/self/task") else { return f64::NAN };
    let mut ticks = 0;
    for thread in threads.flatten() {
        let Ok(stat) = fs::read_to_string(thread.path().join("stat")) else { continue };
        let Some((head, rest)) = stat.rsplit_once(')') else { continue };
        if names.iter().any(|name| head.ends_with(&format!("({name}"))) {
            let fields: Vec<u64> = rest.split_whitespace().skip(11).take(2).flat_map(str::parse).collect();
            ticks += fields.iter().sum::<u64>();
        }
    }
    // A tick is a hundredth of a second on every Linux that we know.
    ticks as f64 / 100.0
}
