//! A real broker that lives for one test, and somebody who publishes to it.

use std::collections::VecDeque;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rumqttc::{Client, Event, Incoming, MqttOptions, Outgoing, QoS};
use tempfile::TempDir;

use super::wait_for;

/// Names the program.
const PROGRAM: &str = "AISLE_TEST_MQTT";
/// Names the file into which is written what tests leave out.
const SKIPPED: &str = "AISLE_SKIPPED";

/// What a variable names; where it names nothing that is said, and written down for whoever counts.
pub(super) fn named(variable: &str, want: &str) -> Option<String> {
    if let Some(named) = std::env::var(variable).ok().filter(|named| !named.is_empty()) {
        return Some(named);
    }
    eprintln!("left out for want of {want}: name it in {variable}");
    if let Some(path) = std::env::var_os(SKIPPED) {
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        let line = format!("{}\t{want}\n", thread::current().name().unwrap_or("a test"));
        file.write_all(line.as_bytes()).unwrap();
    }
    None
}

/// A broker.
pub(super) struct Mosquitto {
    program: String,
    folder: TempDir,
    pub(super) port: u16,
    child: Option<Child>,
}

impl Mosquitto {
    /// A broker at a free port; none where no program is named.
    pub(super) fn start() -> Option<Self> {
        let mut broker = Mosquitto::prepared(false)?;
        broker.run();
        Some(broker)
    }

    /// A broker that does not run yet, and that remembers when it is killed, or not.
    pub(super) fn prepared(remembers: bool) -> Option<Self> {
        let program = named(PROGRAM, "mosquitto")?;
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        // Every change is written down where a broker that is killed is to remember; that takes its time.
        let saving = if remembers { "autosave_on_changes true\nautosave_interval 1\n" } else { "" };
        let lines = format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {}/\n\
             max_inflight_messages 0\nmax_queued_messages 0\n\
             log_type error\n",
            folder.path().display()
        );
        // As root it would become somebody who may not write here.
        let user = if fs::metadata("/proc/self").is_ok_and(|data| is_root(&data)) { "user root\n" } else { "" };
        fs::write(folder.path().join("mosquitto.conf"), lines + saving + user).unwrap();
        Some(Mosquitto { program, folder, port, child: None })
    }

    /// Adds lines to its settings, in which `FOLDER` stands for its folder.
    #[cfg(feature = "mqtt-tls")]
    pub(super) fn set(&self, lines: &str) {
        let path = self.folder.path().join("mosquitto.conf");
        let known = fs::read_to_string(&path).unwrap();
        let folder = self.folder.path().display().to_string();
        fs::write(path, known + &lines.replace("FOLDER", &folder)).unwrap();
    }

    /// Where its files are.
    #[cfg(feature = "mqtt-tls")]
    pub(super) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Runs it.
    pub(super) fn run(&mut self) {
        let mut command = Command::new(&self.program);
        command.arg("-c").arg(self.folder.path().join("mosquitto.conf")).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.spawn().unwrap());
        let port = self.port;
        wait_for("a broker", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    }

    /// Sends it a signal: `STOP` makes it silent without a word, `CONT` lets it go on.
    pub(super) fn signal(&self, name: &str) {
        let process = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-s", name, &process]).status().unwrap().success());
    }

    /// Kills it, as a power cut would.
    pub(super) fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

#[cfg(unix)]
fn is_root(data: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    data.uid() == 0
}

#[cfg(not(unix))]
fn is_root(_: &fs::Metadata) -> bool {
    false
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.kill();
        }
    }
}

/// Somebody who publishes, and waits until the broker has everything.
pub(super) fn publish(port: u16, messages: impl IntoIterator<Item = (String, Vec<u8>)>) {
    publish_as(port, QoS::AtLeastOnce, false, messages);
}

/// The same, with a quality and a flag.
pub(super) fn publish_as(port: u16, qos: QoS, retain: bool, messages: impl IntoIterator<Item = (String, Vec<u8>)>) {
    let mut options = MqttOptions::new(format!("peer-{}", rand_name()), "127.0.0.1", port);
    options.set_max_packet_size(8 << 20, 8 << 20).set_inflight(100);
    let (client, mut connection) = Client::new(options, 1_000);
    let mut waiting: VecDeque<(String, Vec<u8>)> = messages.into_iter().collect();
    let mut left = waiting.len();
    let mut under_way = 0;
    while 0 < left {
        while under_way < 90
            && let Some((topic, payload)) = waiting.pop_front()
        {
            client.publish(topic, qos, retain, payload).unwrap();
            under_way += 1;
        }
        match connection.recv_timeout(Duration::from_secs(20)).unwrap().unwrap() {
            Event::Incoming(Incoming::PubAck(_)) => (left, under_way) = (left - 1, under_way - 1),
            Event::Outgoing(Outgoing::Publish(0)) => (left, under_way) = (left - 1, under_way - 1),
            _ => {}
        }
    }
    client.disconnect().unwrap();
    while let Ok(Ok(_)) = connection.recv_timeout(Duration::from_secs(5)) {}
}

/// Listens to a filter until a message satisfies; gives it.
pub(super) fn listen(port: u16, filter: &str, mut is_it: impl FnMut(&str, &[u8], bool) -> bool) -> Vec<u8> {
    let options = MqttOptions::new(format!("peer-{}", rand_name()), "127.0.0.1", port);
    let (client, mut connection) = Client::new(options, 10);
    client.subscribe(filter, QoS::AtLeastOnce).unwrap();
    loop {
        let event = connection.recv_timeout(Duration::from_secs(20)).expect("a message comes").unwrap();
        if let Event::Incoming(Incoming::Publish(message)) = event
            && is_it(&message.topic, &message.payload, message.retain)
        {
            return message.payload.to_vec();
        }
    }
}

fn rand_name() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0)
}
