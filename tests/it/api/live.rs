//! The live stream over real connections: what is told, how somebody goes on, and how it ends.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use aisle::api::Role;
use aisle::base::limits::LIVE_STREAMS_MAX;
use aisle::base::{CartId, Prob, ShopTime};
use aisle::geometry::Point;
use aisle::ports::{DeviceHealth, DeviceKind, HealthBoard, HealthWord, LiveBoard, LiveChange, LivePerson};
use serde_json::{Value, json};

use super::wire::Open;
use super::{DESCRIPTION, NOON, World, check_told, validate};

/// A shop that is open, and who looks at it.
struct Shown {
    open: Open,
    board: LiveBoard,
    health: HealthBoard,
}

/// One event.
#[derive(Debug)]
struct Event {
    id: String,
    kind: String,
    data: Value,
}

/// Somebody who reads.
struct Reader(BufReader<TcpStream>);

impl Shown {
    fn new() -> Self {
        let (board, health) = (LiveBoard::default(), HealthBoard::default());
        let world = World::with(|api, _| api.with_live(board.clone()).with_health(health.clone()));
        Shown { open: Open::of(world), board, health }
    }

    fn read(&self, role: Role, seen: Option<&str>) -> Reader {
        let mut stream = self.open.connect();
        let seen = seen.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        let secret = self.open.world.secret(role);
        let request = format!("GET /v1/live HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\n{seen}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        Reader(BufReader::new(stream))
    }

    /// So many people somewhere, at a time that tells one such change from another.
    fn people(&self, nanos: i64, count: usize) {
        let person = LivePerson { visit: None, place: Point::new(1.25, 2.5, 0.0), wrists: vec![[0.1, 0.2, 0.3]] };
        self.board.publish(LiveChange::People { at: ShopTime::from_nanos(nanos), people: vec![person; count] });
    }
}

impl Event {
    fn number(&self) -> i64 {
        self.id.split_once('.').unwrap().1.parse().unwrap()
    }
}

impl Reader {
    /// Reads on until the event of this number.
    fn until(&mut self, number: i64) {
        while self.next().number() < number {}
    }

    /// The head of the answer, in small letters.
    fn head(&mut self) -> String {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(self.0.read_line(&mut head).unwrap(), 0, "{head}");
        }
        head.to_ascii_lowercase()
    }

    /// The next event; none where the stream has ended.
    fn event(&mut self) -> Option<Event> {
        let (mut id, mut kind) = (String::new(), String::new());
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            match line.trim_end().split_once(": ") {
                Some(("id", text)) => text.clone_into(&mut id),
                Some(("event", text)) => text.clone_into(&mut kind),
                Some(("data", text)) => {
                    let event = Event { id, kind, data: serde_json::from_str(text).unwrap() };
                    let media = &DESCRIPTION["paths"]["/v1/live"]["get"]["responses"]["200"]["content"];
                    let schema = &media["text/event-stream"]["schema"]["x-events"][&event.kind];
                    validate(&format!("live {}", event.kind), schema, &event.data, text);
                    check_told(&event.data, text);
                    return Some(event);
                }
                // Ends of parts.
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Event {
        self.event().expect("the stream goes on")
    }
}

#[test]
fn whoever_looks_sees_what_holds_and_then_what_happens() {
    let shown = Shown::new();
    let mut camera = DeviceHealth::new("camera/left", DeviceKind::Camera, NOON);
    shown.health.add(camera.clone());
    shown.people(1, 1);
    shown.people(2, 2);
    let receipt = LiveChange::Receipt {
        at: NOON,
        visit: "7".parse().unwrap(),
        cart: CartId::derived(&["seven"]),
        lines: Vec::new(),
        total: Some(aisle::base::Money::new(149, aisle::base::Currency::USD)),
        probability: Prob::ONE,
        for_review: false,
    };
    shown.board.publish(receipt);
    let mut reader = shown.read(Role::Screen, None);
    let head = reader.head();
    for line in ["http/1.1 200", "content-type: text/event-stream", "x-accel-buffering: no", "cache-control: no-store"]
    {
        assert!(head.contains(line), "{line} in {head}");
    }
    let snapshot = reader.next();
    assert_eq!((snapshot.kind.as_str(), &snapshot.data["number"]), ("snapshot", &json!(3)));
    assert_eq!(snapshot.data["shop"], shown.open.world.till().shop().name());
    let changes = snapshot.data["changes"].as_array().unwrap();
    let kinds: Vec<&str> = changes.iter().map(|change| change["change"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["people", "receipt", "health"]);
    assert_eq!(changes[0]["people"].as_array().unwrap().len(), 2, "the newest");
    assert_eq!(changes[1]["total"], json!({ "minor": 149, "currency": "USD", "exponent": 2 }));
    assert_eq!(changes[1]["at"], "2025-06-15T15:06:40.000Z");
    assert_eq!(changes[2]["device"]["health"], "offline");

    camera.say(HealthWord::Online, None, None, NOON);
    shown.board.publish(LiveChange::Health { device: camera });
    shown.people(3, 0);
    let [health, people] = [reader.next(), reader.next()];
    assert_eq!((health.kind.as_str(), &health.data["device"]["health"]), ("health", &json!("online")));
    assert_eq!((people.kind.as_str(), &people.data["people"]), ("people", &json!([])));
    assert_eq!([&snapshot, &health, &people].map(Event::number), [3, 4, 5]);
}

#[test]
fn whoever_comes_back_goes_on_where_they_were_or_begins_anew() {
    let shown = Shown::new();
    (1..=3).for_each(|nanos| shown.people(nanos, 0));
    let mut reader = shown.read(Role::Operator, None);
    let first = reader.next();
    shown.people(4, 0);
    let seen = reader.next();
    drop(reader);
    shown.people(5, 1);
    let mut again = shown.read(Role::Operator, Some(&seen.id));
    let next = again.next();
    assert_eq!((next.kind.as_str(), next.data["people"].as_array().unwrap().len()), ("people", 1));

    // An event of another process, one that nobody has sent yet, one whose followers are lost, and no event at all.
    let other = format!("00000000.{}", 2);
    let epoch = first.id.split_once('.').unwrap().0.to_owned();
    assert_eq!(shown.read(Role::Operator, Some(&other)).next().kind, "snapshot");
    assert_eq!(shown.read(Role::Operator, Some(&format!("{epoch}.99"))).next().kind, "snapshot");
    assert_eq!(shown.read(Role::Operator, Some("what?")).next().kind, "snapshot");
    (0..2_000).for_each(|nanos| shown.people(nanos, 0));
    let anew = shown.read(Role::Operator, Some(&seen.id)).next();
    assert_eq!((anew.kind.as_str(), &anew.data["number"]), ("snapshot", &json!(2_005)));
}

#[test]
fn whoever_reads_too_slowly_loses_the_oldest_and_begins_anew_and_holds_nobody_up() {
    let shown = Shown::new();
    let mut slow = shown.read(Role::Operator, None);
    assert_eq!(slow.next().kind, "snapshot");
    // Far more than fits into what lies between here and there, in portions that are each written before they are lost.
    let mut quick = shown.read(Role::Screen, None);
    assert_eq!(quick.next().kind, "snapshot");
    let most = 4_000;
    for number in 1..=most {
        shown.people(number, 256);
        // The quick one keeps up.
        if number % 100 == 0 {
            quick.until(number);
        }
    }
    let mut kinds = Vec::new();
    loop {
        let event = slow.next();
        let number = event.number();
        kinds.push(event.kind);
        if number == most {
            break;
        }
    }
    assert!(kinds.len() < most as usize, "{} events", kinds.len());
    assert_eq!(kinds.iter().filter(|kind| *kind == "snapshot").count(), 1, "it began anew once");
    let metrics = shown.open.world.ask(Role::Operator, "GET", "/metrics", None).text();
    assert!(metrics.contains("aisle_live_snapshots_total{why=\"behind\"} 1\n"), "{metrics}");
}

#[test]
fn streams_have_places_of_their_own_and_give_them_back() {
    let shown = Shown::new();
    // One after the other, for fewer may ask at one moment than may look.
    let begin = |_| {
        let mut reader = shown.read(Role::Screen, None);
        assert_eq!(reader.next().kind, "snapshot");
        reader
    };
    let readers: Vec<Reader> = (0..LIVE_STREAMS_MAX).map(begin).collect();
    assert!(shown.read(Role::Screen, None).head().contains("503"));
    assert!(shown.read(Role::Operator, None).head().contains("200 ok"), "operators are not in their way");
    assert!(shown.read(Role::Gate, None).head().contains("403"));
    let full = format!("aisle_live_streams{{class=\"screens\"}} {LIVE_STREAMS_MAX}\n");
    assert!(shown.open.world.ask(Role::Operator, "GET", "/metrics", None).text().contains(&full));
    drop(readers);
    let began = Instant::now();
    // Whoever has gone is noticed with the next thing that is told.
    while !shown.read(Role::Screen, None).head().contains("200 ok") {
        shown.people(1, 0);
        assert!(began.elapsed() < Duration::from_secs(10), "places come back");
    }
}

#[test]
fn a_server_that_ends_does_not_wait_for_those_who_look() {
    let mut shown = Shown::new();
    let mut reader = shown.read(Role::Operator, None);
    assert_eq!(reader.next().kind, "snapshot");
    // One who never reads, and for whom more is on its way than fits.
    let deaf = shown.read(Role::Operator, None);
    for number in 1..=1_000 {
        shown.people(number, 256);
        if number % 100 == 0 {
            reader.until(number);
        }
    }
    let began = Instant::now();
    shown.open.stop.take().unwrap().send(()).unwrap();
    while reader.event().is_some() {}
    assert!(began.elapsed() < Duration::from_secs(3), "whoever reads is told at once");
    let ended = shown.open.ended.take().unwrap();
    shown.open.world.runtime.block_on(ended).unwrap();
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    drop(deaf);
}

#[test]
fn where_no_shop_is_open_nothing_can_be_looked_at() {
    let world = World::new();
    world.ask(Role::Operator, "GET", "/v1/live", None).expect(404);
    let board = LiveBoard::default();
    let world = World::with(|api, _| api.with_live(board.clone()));
    // `HEAD` begins no stream.
    let open = Open::of(world);
    let mut stream = open.connect();
    let secret = open.world.secret(Role::Screen);
    let head =
        format!("HEAD /v1/live HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\n"), "{answer}");
}
