//! What an open shop tells those who run it: spans of visits, to a collector that is there, slow or gone.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use aisle::base::{Secret, Span as Time};
use aisle::facts::Receipt;
use aisle::telemetry::{Exporter, Outcome, Visits};
use aisle::till::{Closing, Payer};
use crossbeam_channel::{Receiver, bounded};
use serde_json::{Value, json};

use super::till::{Scene, cart};

/// A collector: what it was sent, with the header that it wants to see.
fn collector() -> (String, Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (sender, requests) = bounded(16);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let (mut head, mut line) = (String::new(), String::new());
            while reader.read_line(&mut line).unwrap() > 2 {
                head += &line.to_ascii_lowercase();
                line.clear();
            }
            let length = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
            reader.get_mut().write_all(answer).unwrap();
            if sender.send((head, serde_json::from_slice(&body).unwrap())).is_err() {
                return;
            }
        }
    });
    (address, requests)
}

/// Ann is let in, takes a tea and is charged; somebody unknown takes another one.
fn day(visits: &mut Visits) -> Vec<Outcome> {
    let mut scene = Scene::new();
    scene.arrive("ann", 1).unwrap();
    let entered = scene.now();
    visits.scanned(cart(1), entered);
    for (visit, payer) in [("1", Payer::Cart(cart(1))), ("2", Payer::Unknown)] {
        let at = |secs: f64| entered + Time::from_secs(secs);
        let receipt: Receipt = serde_json::from_value(json!({
            "visit": visit, "entered": at(2.0), "left": at(60.0), "closing": "left", "lines": [],
            "total": { "minor": 0, "currency": "USD" }, "probability": 1.0,
        }))
        .unwrap();
        let tea = serde_json::from_value(json!([{ "sku": "tea", "quantity": 1 }]));
        let receipt = aisle::cart::reprice(scene.till.shop(), &receipt, &tea.unwrap() as &Vec<_>);
        let closing = Closing { receipt, evidence: Vec::new(), payer };
        let closed = scene.till.close(&closing, at(61.5)).unwrap();
        visits.closed(&closing, &closed, at(61.0), at(61.5));
    }
    scene.wait(Time::from_secs(62.0));
    let clock = scene.hand();
    let early = visits.settle(&mut scene.till, clock.as_ref()).unwrap();
    assert_eq!(early.iter().map(|trace| trace.outcome).collect::<Vec<_>>(), [Outcome::Review], "one is not paid yet");
    scene.settle();
    let late = visits.settle(&mut scene.till, clock.as_ref()).unwrap();
    let stages: Vec<&str> = late[0].stages().into_iter().map(|(name, ..)| name).collect();
    assert_eq!(stages, ["enter", "inside", "decide", "book", "charge"]);
    assert_eq!(late[0].charged, Some(clock.now()));
    early.iter().chain(&late).map(|trace| trace.outcome).collect()
}

#[test]
fn the_spans_of_a_visit_hang_together_and_say_how_long_each_stage_took() {
    let (address, requests) = collector();
    let headers = vec![("X-Key".to_owned(), Secret::new("k-1".to_owned()))];
    let mut visits = Visits::exporting(Exporter::start(&address, headers, "corner"));
    assert_eq!(day(&mut visits), [Outcome::Review, Outcome::Charged]);
    visits.finish();
    let mut spans: Vec<Value> = Vec::new();
    while spans.len() < 9 {
        let (head, body) = requests.recv_timeout(Duration::from_secs(20)).unwrap();
        assert!(head.starts_with("post /v1/traces ") && head.contains("x-key: k-1"), "{head}");
        let resource = &body["resourceSpans"][0];
        assert_eq!(resource["resource"]["attributes"][0]["value"]["stringValue"], "aisle");
        spans.extend(resource["scopeSpans"][0]["spans"].as_array().unwrap().iter().cloned());
    }
    let of_ann: Vec<&Value> = spans.iter().filter(|span| span["traceId"] == cart(1).hex()).collect();
    let root = of_ann.iter().find(|span| span["name"] == "visit").unwrap();
    assert!(root["parentSpanId"].is_null() && root["spanId"].as_str().unwrap().len() == 16);
    let nanos = |span: &Value, end: &str| span[end].as_str().unwrap().parse::<i64>().unwrap();
    let secs = |name: &str| {
        let span = of_ann.iter().find(|span| span["name"] == name).unwrap();
        assert_eq!(span["parentSpanId"], root["spanId"]);
        assert!(nanos(root, "startTimeUnixNano") <= nanos(span, "startTimeUnixNano"));
        (nanos(span, "endTimeUnixNano") - nanos(span, "startTimeUnixNano")) as f64 / 1e9
    };
    assert_eq!(["enter", "inside", "decide", "book"].map(secs), [2.0, 58.0, 1.0, 0.5]);
    assert_eq!(of_ann.len(), 6);
    let others: Vec<&Value> = spans.iter().filter(|span| span["traceId"] != cart(1).hex()).collect();
    assert_eq!(others.len(), 4, "nobody scanned, and nothing was charged");
}

#[test]
fn a_collector_that_is_gone_or_silent_costs_its_spans_and_nothing_else() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let exporter = Exporter::start(&address, Vec::new(), "corner");
    let spans = {
        let mut visits = Visits::default();
        day(&mut visits);
        span()
    };
    let began = Instant::now();
    (0..10_000).for_each(|_| exporter.send(vec![spans.clone()]));
    assert!(began.elapsed() < Duration::from_secs(2), "nobody waits: {:?}", began.elapsed());
    assert!(7_000 <= exporter.lost(), "there is room for so many: {}", exporter.lost());
    exporter.stop();

    // One that takes the call and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let exporter = Exporter::start(&format!("http://{}", silent.local_addr().unwrap()), Vec::new(), "corner");
    exporter.send(vec![span()]);
    let held: TcpStream = silent.accept().unwrap().0;
    let began = Instant::now();
    exporter.stop();
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    drop(held);
}

fn span() -> aisle::telemetry::Span {
    let at = aisle::base::ShopTime::from_nanos(1);
    aisle::telemetry::Span {
        trace: "0".repeat(32),
        id: "1".repeat(16),
        parent: None,
        name: "visit",
        start: at,
        end: at,
        attributes: Vec::new(),
    }
}
