//! What fails in a shop that is open, and comes back: of each fault the metric that counts it, the word of health with its cause
//! and its remedy, its lines in `aisle doctor`, and that the device is well again soon after it returned. The broker is a real
//! one, which `AISLE_TEST_MQTT` names; a camera over RTSP wants `AISLE_TEST_RTSP`, a database server that can be killed
//! `AISLE_TEST_POSTGRES_SERVER`. What is not there is left out, and told.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use aisle::base::{PlateId, ShopTime, SourceId, Span};
use aisle::facts::{Body, Fact, PlateBatch, Stamp};
use aisle::image::{RgbImage, encode_jpeg};
use aisle::ports::{Clock, WallClock};
use aisle::recording;
use rumqttc::{Client, MqttOptions, QoS};
use serde_json::{Value, json};

use super::cli::ask;
use super::left_out::left_out;
use super::served::{PATIENCE, PROGRAM, Running, broker, free_port, wait_until};

/// How soon a device is well again after it returned, and what a machine with too much to do may take besides.
const BACK: Duration = Duration::from_secs(2);
const LOADED: Duration = Duration::from_secs(6);
/// What is told for a minute after it happened last.
const A_MINUTE: Duration = Duration::from_secs(61);
/// Between two messages of a board, two pictures of a camera.
const BEAT: Duration = Duration::from_millis(100);
/// So many messages of a board are heard before it is known that its scales have noise.
const KNOWN: f64 = 230.0;

/// How a device does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Well,
    /// No message, no picture.
    Silent,
    /// The same again and again.
    Same,
    /// Its clock is an hour ahead.
    Ahead,
    /// A second device sends under its name.
    Twice,
    /// What comes cannot be read.
    Garbage,
    /// Its connections end, and no new ones are taken.
    Gone,
}

/// One fault, and what has to be seen of it.
struct Row {
    device: &'static str,
    mode: Mode,
    /// The counter of the device that rises.
    counts: &'static str,
    word: &'static str,
    cause: &'static str,
    remedy: &'static str,
    /// How soon after its return it is well again.
    within: Duration,
}

const BOARDS: [Row; 5] = [
    Row {
        device: "board/silent",
        mode: Mode::Silent,
        counts: "silences",
        word: "offline",
        cause: "nothing has come from it for more than 3 s",
        remedy: "check its power and its network",
        within: BACK,
    },
    Row {
        device: "board/frozen",
        mode: Mode::Same,
        counts: "repeats",
        word: "frozen",
        cause: "what it weighs has not changed in any digit",
        remedy: "look whether its scales are connected",
        within: BACK,
    },
    Row {
        device: "board/clock",
        mode: Mode::Ahead,
        counts: "clock_corrected",
        word: "degraded",
        cause: "its clock is 3600.",
        remedy: "let it set its clock from the network (NTP)",
        within: BACK,
    },
    Row {
        device: "board/twice",
        mode: Mode::Twice,
        counts: "sequence_falls",
        word: "degraded",
        cause: "two devices seem to send under this name",
        remedy: "give each device a source of its own",
        within: A_MINUTE,
    },
    Row {
        device: "board/unread",
        mode: Mode::Garbage,
        counts: "dropped_undecodable",
        word: "degraded",
        cause: "some of its messages are dropped: undecodable",
        remedy: "look at the messages in the folder of what could not be read",
        within: A_MINUTE,
    },
];

const CAMERAS: [Row; 4] = [
    Row {
        device: "camera/gone",
        mode: Mode::Gone,
        counts: "reconnects",
        word: "offline",
        cause: "it ended the connection",
        remedy: "nothing, unless it happens again and again: then its firmware, its power",
        within: BACK,
    },
    Row {
        device: "camera/silent",
        mode: Mode::Silent,
        counts: "stalls",
        word: "offline",
        cause: "it does not answer in time: no frame came for 3 s",
        remedy: "check its power and cable; ping its address",
        within: BACK,
    },
    Row {
        device: "camera/frozen",
        mode: Mode::Same,
        counts: "dropped_frozen",
        word: "frozen",
        cause: "its picture has not changed at all for 2 s",
        remedy: "restart the camera; look whether it is covered or its sensor is dead",
        within: BACK,
    },
    Row {
        device: "camera/garbage",
        mode: Mode::Garbage,
        counts: "dropped_undecodable",
        word: "degraded",
        cause: "what it sends are no pictures that can be read",
        remedy: "check that its URL is of a picture stream",
        within: BACK,
    },
];

const RTSP: Row = Row {
    device: "camera/rtsp",
    mode: Mode::Gone,
    counts: "failed_connects",
    word: "offline",
    cause: "nobody listens there (connection refused)",
    remedy: "check that it is on and the port is right",
    within: BACK,
};

const BROKER: Row = Row {
    device: "broker",
    mode: Mode::Gone,
    counts: "disconnects",
    word: "offline",
    cause: "refused",
    remedy: "start the broker",
    within: BACK,
};

const BOOK: Row = Row {
    device: "book",
    mode: Mode::Gone,
    counts: "outages",
    word: "offline",
    cause: "the database is gone",
    remedy: "start its database, or make room on its disk",
    within: BACK,
};

/// The same, where it is there and says nothing.
const FROZEN_BOOK: Row = Row { cause: "it has not answered for more than 2 s", ..BOOK };

const JOURNAL: Row = Row {
    device: "journal",
    mode: Mode::Gone,
    counts: "outages",
    word: "offline",
    cause: "write",
    remedy: "make room on its disk",
    within: BACK,
};

/// How each device does, by name.
#[derive(Default)]
struct Plugs {
    modes: Mutex<BTreeMap<String, Mode>>,
    over: AtomicBool,
}

impl Plugs {
    fn of(&self, device: &str) -> Mode {
        self.modes.lock().unwrap().get(device).copied().unwrap_or(Mode::Well)
    }

    fn set(&self, device: &str, mode: Mode) {
        self.modes.lock().unwrap().insert(device.to_owned(), mode);
    }
}

/// Boards that weigh one plate each, and send over a broker that may go.
fn boards(plugs: &Arc<Plugs>, port: u16, prefix: &str, names: Vec<&'static str>, plates: Vec<PlateId>) {
    let mut options = MqttOptions::new("boards", "127.0.0.1", port);
    options.set_keep_alive(Duration::from_secs(5)).set_clean_session(false);
    let (client, mut connection) = Client::new(options, 10_000);
    let (ours, theirs) = (plugs.clone(), plugs.clone());
    thread::spawn(move || {
        for event in connection.iter() {
            if ours.over.load(Ordering::Relaxed) {
                return;
            }
            if event.is_err() {
                thread::park_timeout(BEAT);
            }
        }
    });
    let prefix = prefix.to_owned();
    thread::spawn(move || {
        for number in 0_u64.. {
            if theirs.over.load(Ordering::Relaxed) {
                return;
            }
            for (name, plate) in names.iter().zip(&plates) {
                for payload in said(name, *plate, number, theirs.of(name)) {
                    // While the broker is away they wait in the client; beyond its room they are lost, as on a real board.
                    let _ = client.try_publish(format!("{prefix}/{name}"), QoS::AtLeastOnce, false, payload);
                }
            }
            thread::park_timeout(BEAT);
        }
    });
}

/// What a board says in its so-manieth turn.
fn said(name: &str, plate: PlateId, number: u64, mode: Mode) -> Vec<Vec<u8>> {
    let now = WallClock.now();
    let fact = |sequence: u64, at: ShopTime, noise: u64| {
        let rows = (0..6).map(|row| 1_000.0 + ((noise * 6 + row) * 7_919 % 101) as f32 / 20.0).collect();
        let period = Span::from_millis(16);
        let body = PlateBatch { first_at: at - period * 5, period, plates: vec![plate], grams: rows };
        let stamp = Stamp { source: SourceId::new(name), sequence, at, arrived: at };
        let mut bytes = Vec::new();
        recording::encode(&Fact { stamp, body: Body::Plates(body) }, &mut bytes).unwrap();
        bytes
    };
    let sequence = 1_000 + number;
    match mode {
        Mode::Silent | Mode::Gone => Vec::new(),
        Mode::Well => vec![fact(sequence, now, number)],
        Mode::Same => vec![fact(sequence, now, 0)],
        Mode::Ahead => vec![fact(sequence, now + Span::from_millis(3_600_000), number)],
        // The other one began ten messages later.
        Mode::Twice => vec![fact(sequence, now, number), fact(sequence - 10, now + Span::from_millis(5), number)],
        Mode::Garbage => vec![fact(sequence, now, number), b"{\"stamp\":".to_vec()],
    }
}

/// A camera of MJPEG over HTTP; where it is.
fn camera(plugs: &Arc<Plugs>, name: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/{name}.mjpeg", listener.local_addr().unwrap());
    let plugs = plugs.clone();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if plugs.over.load(Ordering::Relaxed) {
                return;
            }
            if plugs.of(name) != Mode::Gone {
                let plugs = plugs.clone();
                thread::spawn(move || show(&plugs, name, stream));
            }
        }
    });
    url
}

/// Shows pictures to one who watches, until one of the two goes.
fn show(plugs: &Plugs, name: &str, mut stream: TcpStream) {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n";
    let mut sent = stream.write_all(head.as_bytes()).is_ok();
    for number in 0_u64.. {
        if !sent || plugs.over.load(Ordering::Relaxed) {
            return;
        }
        let picture = match plugs.of(name) {
            Mode::Gone => return,
            Mode::Silent => None,
            Mode::Same => Some(picture(0)),
            Mode::Garbage => Some(b"no picture".to_vec()),
            _ => Some(picture(WallClock.now().as_nanos().unsigned_abs() + number)),
        };
        if let Some(picture) = picture {
            let head = format!("--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", picture.len());
            sent = stream.write_all(&[head.as_bytes(), &picture, b"\r\n"].concat()).is_ok();
        }
        thread::park_timeout(BEAT);
    }
}

/// A picture of patches, in the shape at which the cameras were calibrated.
fn picture(seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut picture = RgbImage::new(320, 180);
    let grey: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    })
    .take(20 * 12)
    .collect();
    for (place, pixel) in picture.pixels_mut().chunks_exact_mut(3).enumerate() {
        pixel.fill(grey[place / 320 / 16 * 20 + place % 320 / 16]);
    }
    encode_jpeg(&picture, 80).unwrap()
}

/// A shop that is open, and what is asked of it.
struct Bench {
    folder: PathBuf,
    shop: Running,
    url: String,
    token: String,
}

impl Bench {
    /// Opens the shop of this folder with a book.
    fn open(folder: &Path, book: &str) -> Self {
        let made = ask(folder, &["token", "create", "--db", book, "--role", "operator", "--holder", "test"]);
        assert_eq!(made.status, Some(0), "{}", made.err);
        let token = made.out.trim().to_owned();
        fs::write(folder.join("token"), &token).unwrap();
        let log = fs::File::create(folder.join("serve.log")).unwrap();
        let port = free_port();
        let mut command = Command::new("sh");
        // A file that may not grow is an error, and no end.
        command.current_dir(folder).args(["-c", "trap '' XFSZ; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_aisle")]);
        command.args(["serve", "--shop", "shop", "--db", book, "--journal", "journal", "--record", "days"]);
        command.args(["--listen", &format!("127.0.0.1:{port}")]).stdout(Stdio::null()).stderr(log);
        let bench = Bench {
            folder: folder.to_owned(),
            shop: Running(command.spawn().unwrap()),
            url: format!("http://127.0.0.1:{port}"),
            token,
        };
        wait_until("the shop listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        bench
    }

    fn get(&self, path: &str) -> Option<String> {
        let config = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(10))).build();
        let asked = ureq::Agent::new_with_config(config).get(format!("{}{path}", self.url));
        let answer = asked.header("Authorization", format!("Bearer {}", self.token)).call();
        answer.ok()?.body_mut().read_to_string().ok()
    }

    /// How a device is, as the API says.
    fn health(&self, device: &str) -> Value {
        let all = self.get("/v1/devices").and_then(|text| serde_json::from_str::<Value>(&text).ok());
        let all = all.map_or_else(Vec::new, |all| all["items"].as_array().unwrap().clone());
        all.into_iter().find(|one| one["device"] == device).unwrap_or(Value::Null)
    }

    /// A metric, by its name and labels as they are written; nothing where it is not there.
    fn metric(&self, name: &str) -> Option<f64> {
        let text = self.get("/metrics")?;
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    }

    fn counted(&self, device: &str, what: &str) -> f64 {
        let name = format!("aisle_device_events_total{{device=\"{device}\",what=\"{what}\"}}");
        self.metric(&name).unwrap_or(0.0)
    }

    fn until(&self, device: &str, what: &str, done: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let begun = Instant::now();
        loop {
            let health = self.health(device);
            if done(&health) {
                return health;
            }
            last = if health.is_null() { last } else { health };
            assert!(begun.elapsed() < PATIENCE, "{device} is never {what}: {last}\n{}", self.log());
            thread::park_timeout(BEAT);
        }
    }

    fn log(&self) -> String {
        let log = fs::read_to_string(self.folder.join("serve.log")).unwrap_or_default();
        log.lines().filter(|line| !line.contains("answered")).map(|line| format!("{line}\n")).collect()
    }

    /// Breaks something and mends it, and holds what is seen against the row; what `mend` gives is when it was mended.
    fn hold(&self, row: &Row, break_it: impl FnOnce(), mend: impl FnOnce()) {
        let Row { device, counts, word, cause, remedy, within, .. } = row;
        // Scales are known to have noise after a while.
        let needs = if *word == "frozen" && device.starts_with("board") { KNOWN } else { 1.0 };
        let is_known =
            |health: &Value| health["counters"]["received"].as_f64().is_none_or(|received| needs <= received);
        self.until(device, "well", |health| health["health"] == "online" && is_known(health));
        let before = self.counted(device, counts);
        break_it();
        let is_told =
            |health: &Value| health["health"] == *word && health["cause"].as_str().unwrap_or("").contains(cause);
        let told = self.until(device, word, is_told);
        assert!(told["remedy"].as_str().is_some_and(|told| told.contains(remedy)), "{told}");
        let kind = told["kind"].as_str().unwrap();
        let metric = format!("aisle_device_health{{device=\"{device}\",kind=\"{kind}\",health=\"{word}\"}}");
        assert_eq!(self.metric(&metric), Some(1.0), "{metric}");
        let said = ask(&self.folder, &["doctor", "--api", &self.url, "--token-file", "token"]);
        assert_eq!(said.status, Some(0), "{}", said.err);
        let line = format!("  {device:22}{word}: ");
        let of_it = said.out.split_once(&line).unwrap_or_else(|| panic!("{line:?} is not in\n{}", said.out)).1;
        let (said_cause, rest) = of_it.split_once('\n').unwrap();
        let said_remedy = rest.lines().next().unwrap_or_default();
        assert!(said_cause.contains(cause) && said_remedy.contains(remedy), "{}", said.out);
        mend();
        let mended = Instant::now();
        self.until(device, "well again", |health| health["health"] == "online");
        assert!(mended.elapsed() < *within + LOADED, "{device} took {:?}\n{}", mended.elapsed(), self.log());
        let after = self.counted(device, counts);
        assert!(before < after, "{counts} of {device}: {before} and {after}");
    }
}

/// The shop's files in a folder, with these devices; its plates.
fn write_shop(folder: &Path, port: u16, boards: &[&str], cameras: &[(&str, String, &str)]) -> Vec<PlateId> {
    let shop = aisle::config::load_shop(Path::new("micro-market")).unwrap();
    let plates: Vec<PlateId> =
        shop.shelves().iter().flat_map(|shelf| shelf.plates.iter().map(|plate| plate.id)).collect();
    let mut draft = serde_json::to_value(shop.draft()).unwrap();
    let view = draft["cameras"][0].clone();
    let named = |(name, ..): &(&str, String, &str)| {
        let mut view = view.clone();
        (view["name"], view["rate_hertz"]) = (json!(name), json!(10.0));
        view
    };
    draft["cameras"] = cameras.iter().map(named).collect();
    fs::create_dir(folder.join("shop")).unwrap();
    fs::write(folder.join("shop/shop.json"), serde_json::to_vec(&draft).unwrap()).unwrap();
    let mut devices = format!("[broker]\nurl = \"mqtt://127.0.0.1:{port}\"\n");
    for name in boards {
        devices += &format!("[[board]]\nsource = \"{name}\"\nrate_hertz = 5\n");
    }
    for (name, url, more) in cameras {
        devices += &format!("[[camera]]\nname = \"{name}\"\nurl = \"{url}\"\nrate_hertz = 0.2\n{more}");
    }
    fs::write(folder.join("shop/devices.toml"), devices).unwrap();
    plates
}

/// A server of a script of CI, stopped when the test ends.
struct Server {
    script: String,
    url: String,
}

impl Server {
    fn start(script: String) -> Self {
        let started = Command::new(&script).arg("start").stderr(Stdio::null()).output().unwrap();
        assert!(started.status.success(), "{script} does not start");
        Server { script, url: String::from_utf8(started.stdout).unwrap().trim().to_owned() }
    }

    fn run(&self, arguments: &[&str]) {
        let mut command = Command::new(&self.script);
        let done = command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        assert!(done.success(), "{arguments:?}");
    }

    fn port(&self) -> &str {
        self.url.rsplit(':').next().unwrap().split('/').next().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = Command::new(&self.script).args(["stop", &self.url]).stderr(Stdio::null()).status();
    }
}

fn named(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|value| !value.is_empty())
}

/// No file of the shop may grow, and then they may again.
fn fill_the_disk(bench: &Bench) {
    if Command::new("prlimit").arg("--version").stdout(Stdio::null()).status().is_err() {
        return left_out("prlimit", "it is in util-linux");
    }
    bench.hold(&JOURNAL, || limit(&bench.shop, "0"), || limit(&bench.shop, "unlimited"));
    let before = bench.counted("board/silent", "received");
    wait_until("facts are taken again", || before + 20.0 < bench.counted("board/silent", "received"));
    bench.until("book", "written again", |health| health["health"] == "online");
}

/// A file may grow no larger than so much in this process, as where a disk is full.
fn limit(shop: &Running, bytes: &str) {
    let set = Command::new("prlimit").args(["--pid", &shop.0.id().to_string(), &format!("--fsize={bytes}:")]).status();
    assert!(set.unwrap().success());
}

#[test]
fn each_fault_is_counted_told_with_a_remedy_and_over_when_the_device_is_back() {
    let Some(program) = named(PROGRAM) else {
        return left_out("mosquitto", &format!("name it in {PROGRAM}"));
    };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (port, plugs) = (free_port(), Arc::new(Plugs::default()));
    let mut server = Some(broker(&program, folder, port));
    let rtsp = named("AISLE_TEST_RTSP").map(Server::start);
    let names: Vec<&str> = BOARDS.iter().map(|row| row.device).collect();
    let short = |row: &Row| row.device.trim_start_matches("camera/");
    let urls = CAMERAS.iter().map(|row| (short(row), camera(&plugs, row.device), "frozen_secs = 2\n"));
    let rtsp_url = rtsp.iter().map(|rtsp| ("rtsp", rtsp.url.clone(), ""));
    let plates = write_shop(folder, port, &names, &urls.chain(rtsp_url).collect::<Vec<_>>());
    let bench = Bench::open(folder, "book.db");
    boards(&plugs, port, "aisle/nook-micro-market/plates", names, plates);

    // Devices that have nothing to do with each other fail beside each other.
    thread::scope(|scope| {
        for row in BOARDS.iter().chain(&CAMERAS) {
            let (bench, plugs) = (&bench, &plugs);
            scope.spawn(move || {
                bench.hold(row, || plugs.set(row.device, row.mode), || plugs.set(row.device, Mode::Well));
            });
        }
        if let Some(rtsp) = &rtsp {
            let bench = &bench;
            scope.spawn(move || {
                bench.hold(&RTSP, || rtsp.run(&["stop", &rtsp.url]), || rtsp.run(&["start", rtsp.port()]))
            });
        }
    });
    if rtsp.is_none() {
        left_out("an RTSP server", "AISLE_TEST_RTSP=$PWD/.ci/rtsp");
    }

    // What others depend on fails by itself.
    let server = &mut server;
    let again = || broker(&program, folder, port);
    let mut back = None;
    bench.hold(&BROKER, || drop(server.take()), || back = Some(again()));
    let before = bench.counted("board/silent", "received");
    wait_until("boards are heard again", || before < bench.counted("board/silent", "received"));

    let (book, away) = (folder.join("book.db"), folder.join("away.db"));
    bench.hold(&BOOK, || fs::rename(&book, &away).unwrap(), || fs::rename(&away, &book).unwrap());

    fill_the_disk(&bench);
    plugs.over.store(true, Ordering::Relaxed);
    drop(back);
}

#[test]
fn a_database_server_that_is_killed_is_told_while_it_is_away_and_written_when_it_is_back() {
    let (Some(program), Some(script)) = (named(PROGRAM), named("AISLE_TEST_POSTGRES_SERVER")) else {
        return left_out("a PostgreSQL server that may be killed", "AISLE_TEST_POSTGRES_SERVER=$PWD/.ci/postgres");
    };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (port, plugs) = (free_port(), Arc::new(Plugs::default()));
    let _broker = broker(&program, folder, port);
    let server = Server::start(script);
    let url = server.url.as_str();
    let plates = write_shop(folder, port, &["board/1"], &[]);
    let bench = Bench::open(folder, url);
    boards(&plugs, port, "aisle/nook-micro-market/plates", vec!["board/1"], plates);
    bench.until("board/1", "heard", |health| health["health"] == "online");
    assert_eq!(bench.metric("aisle_book_up"), Some(1.0));
    let kill = || {
        server.run(&["kill", url]);
        wait_until("the book is told to be away", || bench.metric("aisle_book_up") == Some(0.0));
    };
    bench.hold(&BOOK, kill, || server.run(&["again", url]));
    assert_eq!(bench.metric("aisle_book_up"), Some(1.0));
    bench.hold(&FROZEN_BOOK, || server.run(&["freeze", url]), || server.run(&["thaw", url]));
    bench.until("board/1", "heard", |health| health["health"] == "online");
    // What came meanwhile was taken all the same.
    let health = bench.health("board/1");
    assert_eq!((&health["health"], health["cause"].as_str()), (&json!("online"), None), "{health}");
    plugs.over.store(true, Ordering::Relaxed);
}
