//! `aisle serve` on a shop whose devices speak over a real broker: killed in the middle and started again, it has the receipts of
//! the film that was played, each once, and its recording replays to them. Where `AISLE_TEST_MQTT` names no mosquitto it is left out.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use aisle::facts::Receipt;
use aisle::ports::{Clock, WallClock};
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};
use serde_json::{Value, json};

use super::cli::ask;
use super::left_out::left_out;
use super::open::{booked, replayed};

pub(super) const PROGRAM: &str = "AISLE_TEST_MQTT";
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// A process that does not outlive its test.
pub(super) struct Running(pub(super) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub(super) fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        thread::park_timeout(Duration::from_millis(50));
    }
}

pub(super) fn broker(program: &str, folder: &Path, port: u16) -> Running {
    let user = if cfg!(unix) && fs::metadata("/root").is_ok_and(|_| fs::read_dir("/root").is_ok()) {
        "user root\n"
    } else {
        ""
    };
    let conf = format!(
        "listener {port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {}/\n\
         max_queued_messages 0\nmax_inflight_messages 0\n{user}",
        folder.display()
    );
    fs::write(folder.join("mosquitto.conf"), conf).unwrap();
    let mut command = Command::new(program);
    let broker = Running(command.arg("-c").arg(folder.join("mosquitto.conf")).stderr(Stdio::null()).spawn().unwrap());
    wait_until("mosquitto listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    broker
}

fn serve(folder: &Path) -> Running {
    let log = fs::OpenOptions::new().create(true).append(true).open(folder.join("serve.log")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_aisle"));
    command.current_dir(folder).args(["serve", "--shop", "shop", "--db", "book.db", "--listen", "127.0.0.1:0"]);
    Running(command.args(["--record", "days"]).stdout(Stdio::null()).stderr(log).spawn().unwrap())
}

fn log(folder: &Path) -> String {
    fs::read_to_string(folder.join("serve.log")).unwrap_or_default()
}

#[test]
fn a_shop_over_a_broker_that_is_killed_in_the_middle_charges_what_was_taken_once() {
    let Some(program) = std::env::var(PROGRAM).ok().filter(|program| !program.is_empty()) else {
        return left_out("mosquitto", &format!("name it in {PROGRAM}"));
    };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let port = free_port();
    let _broker = broker(&program, folder, port);
    let film =
        ["simulate", "--shop", "micro-market", "--seconds", "45", "--seed", "5", "--cut", "tracked", "-o", "film.mcap"];
    assert_eq!(ask(folder, &film).status, Some(0));
    let url = format!("mqtt://127.0.0.1:{port}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_aisle"));
    command.current_dir(folder).args(["simulate", "--live", "--play", "film.mcap", "--walk-ins", "--broker", &url]);
    command.args(["--write-shop", "shop", "--truth", "truth.json", "--lead", "8"]).stdout(Stdio::null());
    let mut devices = Running(command.stderr(Stdio::null()).spawn().unwrap());
    wait_until("the shop is written", || folder.join("shop/devices.toml").exists());
    let mut shop = serve(folder);
    // The middle of the film: somebody has left, others are inside.
    wait_until("somebody has left", || log(folder).contains("a visit is over"));
    shop.0.kill().unwrap();
    shop.0.wait().unwrap();
    let shop = serve(folder);
    assert!(devices.0.wait().unwrap().success());
    let truth: serde_json::Value = serde_json::from_slice(&fs::read(folder.join("truth.json")).unwrap()).unwrap();
    let expected = truth["receipts"].as_array().unwrap().len();
    wait_until("everybody has left", || expected <= log(folder).matches("a visit is over").count());
    // As an operator ends it.
    assert!(Command::new("kill").args(["-TERM", &shop.0.id().to_string()]).status().unwrap().success());
    wait_until("the shop is closed", || log(folder).contains("closed"));
    drop(shop);

    let booked = booked(folder);
    assert_eq!(booked.len(), expected, "{}", log(folder));
    let replayed = replayed(&folder.join("days"));
    assert_eq!(booked, replayed);
    let units = |receipt: &Receipt| receipt.lines.iter().map(|line| line.quantity.get()).sum::<u32>();
    let taken: u64 = truth["receipts"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|one| one["products"].as_array().unwrap())
        .map(|product| product["quantity"].as_u64().unwrap())
        .sum();
    assert_eq!(u64::from(booked.iter().map(units).sum::<u32>()), taken);
}

/// Asks as a gate does, until it is answered; the answers, in the order of the questions.
fn asked(port: u16, gate: &str, questions: &[Value]) -> Vec<Value> {
    let (client, mut connection) = Client::new(MqttOptions::new("gate", "127.0.0.1", port), 16);
    client.subscribe(format!("aisle/corner/gates/{gate}/answer"), QoS::AtLeastOnce).unwrap();
    let mut answers = Vec::new();
    while answers.len() < questions.len() {
        let mut next = false;
        match connection.recv_timeout(PATIENCE).unwrap().unwrap() {
            Event::Incoming(Packet::SubAck(_)) => next = true,
            Event::Incoming(Packet::Publish(answer)) => {
                answers.push(serde_json::from_slice::<Value>(&answer.payload).unwrap());
                next = true;
            }
            _ => {}
        }
        if let Some(question) = questions.get(answers.len()).filter(|_| next) {
            let topic = format!("aisle/corner/gates/{gate}/ask");
            client.publish(topic, QoS::AtLeastOnce, false, question.to_string()).unwrap();
        }
    }
    answers
}

/// Every file below a folder, as text.
fn all_text(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        text +=
            &if path.is_dir() { all_text(&path) } else { String::from_utf8_lossy(&fs::read(&path).unwrap()).into() };
    }
    text
}

#[test]
fn a_gate_asks_over_the_broker_as_it_would_over_http_and_its_tokens_are_written_nowhere() {
    let Some(program) = std::env::var(PROGRAM).ok().filter(|program| !program.is_empty()) else {
        return left_out("mosquitto", &format!("name it in {PROGRAM}"));
    };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (brokers, port) = (tempfile::tempdir().unwrap(), free_port());
    let _broker = broker(&program, brokers.path(), port);
    fs::create_dir(folder.join("shop")).unwrap();
    let shop = "name = \"corner\"\nproduct = [{ sku = \"cola\", name = \"Cola\", weight_grams = 350, price = \"1.49\" }]\n\
                gondola = [{ plate_count = 4, plate_width_metres = 0.1, shelf = [\n\
                { height_metres = 1.0, facings = [{ sku = \"cola\", plates = 1 }] }] }]\n";
    fs::write(folder.join("shop/shop.toml"), shop).unwrap();
    let devices = format!(
        "[broker]\nurl = \"mqtt://127.0.0.1:{port}\"\n[[gate]]\nname = \"door\"\n[[gate]]\nname = \"out\"\nrole = \"exit\"\n"
    );
    fs::write(folder.join("shop/devices.toml"), devices).unwrap();
    let token = |role: &str| {
        let made = ask(folder, &["token", "create", "--db", "book.db", "--role", role, "--holder", "Eva"]);
        assert_eq!(made.status, Some(0), "{}", made.err);
        made.out.trim().to_owned()
    };
    let (gate, staff) = (token("gate"), token("staff"));
    let shop = serve(folder);
    let is_there = |line: &str| line.contains("device=broker ") && line.contains("health=online");
    wait_until("the broker is there", || log(folder).lines().any(is_there));
    let at = WallClock.now().as_nanos();
    let question = |id: &str, ask: &str, token: &str, at: i64, body: Value| json!({ "id": id, "at": at, "ask": ask, "token": token, "body": body });
    let shown = json!({ "gate_token": staff });
    let entered = asked(
        port,
        "door",
        &[
            question("1", "enter", &gate, at, shown.clone()),
            question("1", "enter", &gate, at, shown.clone()),
            question("2", "enter", "aisle_guessed", at, shown.clone()),
            question("3", "enter", &gate, at - 3_600_000_000_000, shown.clone()),
            question("4", "rule", &gate, at, json!({})),
        ],
    );
    let statuses: Vec<i64> = entered.iter().map(|answer| answer["status"].as_i64().unwrap()).collect();
    assert_eq!(statuses, [200, 200, 401, 408, 200], "{entered:?}");
    assert_eq!((&entered[0]["id"], &entered[0]["body"]["door"]), (&json!("1"), &json!("open")));
    assert_eq!(entered[0]["body"], entered[1]["body"], "the same entry");
    assert_eq!(entered[4]["body"]["role"], "entrance");
    let left = &asked(port, "out", &[question("5", "leave", &gate, at, shown)])[0];
    assert_eq!((&left["body"]["door"], &left["body"]["cart"]), (&json!("open"), &entered[0]["body"]["cart"]));
    assert!(Command::new("kill").args(["-TERM", &shop.0.id().to_string()]).status().unwrap().success());
    wait_until("the shop is closed", || log(folder).contains("closed"));
    drop(shop);
    let written = all_text(folder);
    assert!(!written.contains(&gate) && !written.contains(&staff) && !written.contains("aisle_guessed"));
}
