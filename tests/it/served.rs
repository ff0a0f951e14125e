//! `aisle serve` on a shop whose devices speak over a real broker: killed in the middle and started again, it has the receipts of
//! the film that was played, each once, and its recording replays to them. Where `AISLE_TEST_MQTT` names no mosquitto it is left out.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use aisle::facts::Receipt;

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
