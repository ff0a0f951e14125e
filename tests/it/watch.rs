//! `aisle replay --watch`: any moment of a recording is shown as it was, whichever way one came there, and nothing of later; at the
//! end it is what `aisle replay` says, and what is wrong is what `aisle eval` counts.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use super::cli::{aisle, ask};
use super::served::wait_until;

/// A recording with wrong receipts.
const WRONG: [&str; 9] =
    ["simulate", "--shop", "convenience", "--seconds", "120", "--seed", "920001", "--level", "room"];

/// A recording that is being watched; ended with its test.
struct Watched {
    child: Child,
    address: String,
    token: String,
    /// What was said before it listened.
    said: String,
}

impl Watched {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let fixed = ["replay", "--watch", "--listen", "127.0.0.1:0"];
        let all: Vec<&str> = fixed.iter().chain(arguments).copied().collect();
        let mut child = aisle(folder, &all).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let (mut said, mut address, mut token) = (String::new(), None, None);
        while token.is_none() {
            let mut line = String::new();
            assert!(0 < lines.read_line(&mut line).unwrap(), "it ended: {said}");
            let part = |before: &str| line.split_once(before).map(|(_, rest)| rest.trim().to_owned());
            address = address.or_else(|| part("http://")).map(|address| address.trim_end_matches('/').to_owned());
            token = part("with this token: ");
            said += &line;
        }
        Watched { child, address: address.unwrap(), token: token.unwrap(), said }
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask("GET", path, "");
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    fn wish(&self, wish: &Value) -> Value {
        let (status, body) = self.ask("POST", "/v1/replay", &wish.to_string());
        assert_eq!(status, 200, "{wish}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// The changes of the snapshot with which the live stream begins; without how time goes.
    fn snapshot(&self) -> Vec<Value> {
        let mut stream = BufReader::new(TcpStream::connect(&self.address).unwrap());
        let head = format!("GET /v1/live HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\r\n", self.token);
        stream.get_mut().write_all(head.as_bytes()).unwrap();
        let mut line = String::new();
        while !line.starts_with("data: ") {
            line.clear();
            assert!(0 < stream.read_line(&mut line).unwrap());
        }
        let snapshot: Value = serde_json::from_str(line.trim_start_matches("data: ")).unwrap();
        let changes = snapshot["changes"].as_array().unwrap();
        assert_eq!(changes[0]["change"], "replay", "{}", changes[0]);
        changes[1..].to_vec()
    }

    /// Everything that is shown of the moment.
    fn shown(&self) -> Value {
        let carts = self.get("/v1/carts?limit=200")["items"].clone();
        let receipts = self.get("/v1/receipts?limit=200")["items"].clone();
        let cases = self.get("/v1/cases?limit=200")["items"].clone();
        let today = self.get("/v1/today");
        json!({ "live": self.snapshot(), "carts": carts, "receipts": receipts, "cases": cases, "today": today })
    }

    fn seek(&self, secs: f64) -> Value {
        let state = self.wish(&json!({ "seek_secs": secs, "playing": false }));
        assert!((state["at_secs"].as_f64().unwrap() - secs).abs() < 0.002, "{state}");
        self.shown()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn simulate(folder: &Path, name: &str, arguments: &[&str]) {
    let all: Vec<&str> = arguments.iter().copied().chain(["-o", name]).collect();
    let made = ask(folder, &all);
    assert_eq!(made.status, Some(0), "{}", made.err);
}

fn count(shown: &Value, kind: &str) -> usize {
    shown["live"].as_array().unwrap().iter().filter(|change| change["change"] == kind).count()
}

/// Product and quantity of each line.
fn goods(receipt: &Value) -> Vec<(Value, Value)> {
    let lines = receipt["lines"].as_array().unwrap();
    lines.iter().map(|line| (line["sku"].clone(), line["quantity"].clone())).collect()
}

#[test]
fn a_moment_of_a_recording_is_shown_as_it_was_whichever_way_one_came_there() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let tracked: Vec<&str> = WRONG.into_iter().chain(["--cut", "tracked"]).collect();
    simulate(folder, "day.mcap", &tracked);
    let watched = Watched::start(folder, &["day.mcap", "--from", "1:15"]);
    let line = watched.get("/v1/replay");
    let length = line["length_secs"].as_f64().unwrap();
    assert!((115.0..135.0).contains(&length), "{length}");
    assert_eq!((line["now"]["at_secs"].as_f64(), line["now"]["playing"].as_bool()), (Some(75.0), Some(false)));
    assert_eq!(line["recording"], "day.mcap");
    // What was lost is told where it is seen.
    let notes = line["notes"].to_string();
    assert!(notes.contains("lost: ") && watched.said.contains("lost: "), "{notes}");

    // Forth and back.
    let middle = watched.shown();
    assert!(1 <= count(&middle, "people") && 1 <= count(&middle, "carts") && 1 <= count(&middle, "receipt"));
    let early = watched.seek(31.5);
    assert!(early["receipts"].as_array().unwrap().len() < middle["receipts"].as_array().unwrap().len());
    assert_eq!(watched.seek(75.0), middle);
    let late = watched.seek(length);
    assert_eq!(watched.seek(75.0), middle);
    assert_eq!(watched.seek(31.5), early);
    // Nothing is of later.
    let at = |secs: f64| watched.seek(secs)["live"].as_array().unwrap().clone();
    for change in at(31.5) {
        assert!(
            change["at"].as_str().or(change["span"]["end"].as_str()).unwrap() < line_time(&watched, 31.6).as_str(),
            "{change}"
        );
    }

    // Played there is the same as jumped there.
    watched.wish(&json!({ "seek_secs": 27.0, "speed": 16.0, "playing": true }));
    wait_until("it has gone on", || 70.0 < watched.get("/v1/replay")["now"]["at_secs"].as_f64().unwrap());
    let stopped = watched.wish(&json!({ "playing": false }));
    let played = watched.shown();
    let secs = stopped["at_secs"].as_f64().unwrap();
    watched.wish(&json!({ "seek_secs": 0.0 }));
    let jumped = watched.seek(secs);
    assert_eq!(nearly(&jumped), nearly(&played), "at {secs}");

    // It plays to its end and stands still there.
    watched.wish(&json!({ "seek_secs": length - 3.0, "speed": 16.0, "playing": true }));
    wait_until("it is over", || watched.get("/v1/replay")["now"]["playing"] == json!(false));
    assert_eq!(nearly(&watched.shown()), nearly(&late));
    assert_eq!(late["carts"], json!([]), "nobody is inside in the end");
    assert_eq!(watched.wish(&json!({ "playing": true }))["at_secs"].as_f64().map(|secs| secs < 5.0), Some(true));

    // The end is what `aisle replay` says.
    let replayed: Value = serde_json::from_str(&ask(folder, &["replay", "day.mcap", "--json"]).out).unwrap();
    let replayed = replayed[0]["receipts"].as_array().unwrap();
    watched.wish(&json!({ "seek_secs": length, "playing": false }));
    let shown: Vec<Value> = watched.get("/v1/receipts?limit=200")["items"].as_array().unwrap().clone();
    assert_eq!(shown.len(), replayed.len());
    for receipt in &shown {
        let told = watched.get(&format!("/v1/receipts/{}", receipt["cart"].as_str().unwrap()))["receipt"].clone();
        let same = |other: &&Value| other["visit"].to_string().trim_matches('"') == told["visit"].as_str().unwrap();
        let replayed = replayed.iter().find(same).unwrap();
        assert_eq!(goods(&told), goods(replayed));
        assert_eq!(told["probability"], replayed["probability"]);
    }
}

/// A time so many seconds after the beginning, as the server writes it.
fn line_time(watched: &Watched, secs: f64) -> String {
    watched.wish(&json!({ "seek_secs": secs }))["at"].as_str().unwrap().to_owned()
}

/// What is shown without what a fraction of a thousandth of a second may change.
fn nearly(shown: &Value) -> Value {
    let mut shown = shown.clone();
    for change in shown["live"].as_array_mut().unwrap() {
        if change["change"] == "carts" {
            change["at"] = Value::Null;
        }
    }
    // What shelves felt before a jump is told behind it, and not while it is played.
    shown["live"].as_array_mut().unwrap().retain(|change| change["change"] != "shelf");
    shown
}

#[test]
fn wrong_lines_are_those_that_eval_counts_and_one_can_step_through_them() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let tracked: Vec<&str> = WRONG.into_iter().chain(["--cut", "tracked"]).collect();
    simulate(folder, "day.mcap", &tracked);
    let judged = ask(folder, &["eval", "day.mcap", "--json"]);
    let judged: Value = serde_json::from_str(&judged.out).unwrap();
    let receipts = judged["cases"][0]["score"]["receipts"].as_array().unwrap();
    let lines = |one: &Value| one["missing"].as_array().unwrap().len() + one["extra"].as_array().unwrap().len();
    let expected: usize = receipts.iter().map(lines).sum();
    let wrong = receipts.iter().filter(|one| one["exact"] == json!(false)).count();
    assert!(1 < expected && 1 < wrong, "this recording has nothing wrong any more: take another seed");

    let watched = Watched::start(folder, &["day.mcap"]);
    let line = watched.get("/v1/replay");
    assert_eq!(line["truth"]["judged"], receipts.len());
    assert_eq!(line["truth"]["wrong"], wrong);
    let marks: Vec<&Value> = line["marks"].as_array().unwrap().iter().filter(|mark| mark["kind"] == "wrong").collect();
    // Somebody without a receipt, who bought nothing, is wrong without a line.
    let empty = receipts.iter().filter(|one| one["exact"] == json!(false) && lines(one) == 0).count();
    assert_eq!(marks.len(), expected + empty);
    assert_eq!(line["truth"]["wrong_lines"], expected + empty);
    assert!(marks.iter().any(|mark| mark["words"].as_str().unwrap().contains("behind it")), "{marks:#?}");
    assert!(watched.said.contains("receipts are wrong, in"), "{}", watched.said);

    // Forth through them, and back.
    let mut stops: Vec<f64> = marks.iter().map(|mark| mark["from_secs"].as_f64().unwrap()).collect();
    stops.dedup_by(|one, other| (*one - *other).abs() < 0.002);
    let step = |step: &str| watched.wish(&json!({ "step": step }))["at_secs"].as_f64().unwrap();
    let is_at = |step: f64, stop: f64| assert!((step - stop).abs() < 0.001, "{step} and not {stop}");
    for stop in &stops {
        is_at(step("next_wrong"), *stop);
    }
    // There is none behind it.
    is_at(step("next_wrong"), *stops.last().unwrap());
    for stop in stops.iter().rev().skip(1) {
        is_at(step("previous_wrong"), *stop);
    }
    let all = line["marks"].as_array().unwrap();
    assert!(all.windows(2).all(|pair| pair[0]["from_secs"].as_f64() <= pair[1]["from_secs"].as_f64()));
    for kind in ["entered", "left", "shelf", "receipt"] {
        assert!(all.iter().any(|mark| mark["kind"] == kind), "{kind}");
    }
    // Receipts are told right or wrong on the stream too.
    let late = watched.seek(line["length_secs"].as_f64().unwrap());
    assert!(0 < count(&late, "truth"));
}

#[test]
fn what_cannot_be_watched_says_why_and_what_is_lost_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    simulate(folder, "trip.mcap", &["simulate", "--scenario", "mixed", "--seed", "3"]);
    let refused = |arguments: &[&str], status, words: &str| {
        let answer = ask(folder, arguments);
        assert_eq!((answer.status, answer.err.contains(words)), (Some(status), true), "{arguments:?}: {}", answer.err);
    };
    refused(&["replay", "trip.mcap", "trip.mcap", "--watch"], 2, "2 recordings cannot be watched at once");
    refused(&["replay", "trip.mcap", "--listen", "127.0.0.1:0"], 2, "--watch");
    refused(&["replay", "trip.mcap", "--watch", "--record", "out.mcap"], 2, "cannot be used with");
    refused(&["replay", "trip.mcap", "--watch", "--speed", "17"], 2, "0.25 to 16");
    refused(&["replay", "nothing.mcap", "--watch"], 4, "nothing.mcap");
    fs::write(folder.join("empty.mcap"), "").unwrap();
    refused(&["replay", "empty.mcap", "--watch"], 3, "empty.mcap");
    refused(&["replay", "trip.mcap", "--watch", "--see"], 3, "no cameras");
    // Cut off in the middle.
    let whole = fs::read(folder.join("trip.mcap")).unwrap();
    fs::write(folder.join("cut.mcap"), &whole[..whole.len() * 2 / 3]).unwrap();
    refused(&["replay", "cut.mcap", "--watch"], 3, "--tolerate");
    let watched = Watched::start(folder, &["cut.mcap", "--tolerate"]);
    let line = watched.get("/v1/replay");
    assert!(!line["notes"].as_array().unwrap().is_empty(), "{line}");
    let (status, _) = watched.ask("GET", "/v1/cameras/left/picture", "");
    assert_eq!(status, 404, "this shop has no cameras");
    drop(watched);
    // Of decided facts alone receipts follow as well, and there are no people to be seen.
    let decided = ask(folder, &["replay", "trip.mcap", "--record", "decided.mcap", "--cut", "decided"]);
    assert_eq!(decided.status, Some(0), "{}", decided.err);
    let watched = Watched::start(folder, &["decided.mcap"]);
    let late = watched.seek(watched.get("/v1/replay")["length_secs"].as_f64().unwrap());
    assert!(0 < count(&late, "receipt") && count(&late, "people") == 0);
}

#[test]
fn pictures_are_those_of_the_moment() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let film =
        ["simulate", "--shop", "micro-market", "--seconds", "20", "--width", "320", "--rate", "4", "--seed", "5"];
    simulate(folder, "film.mcap", &film);
    let watched = Watched::start(folder, &["film.mcap"]);
    let camera = watched.get("/v1/floor")["cameras"][0]["name"].as_str().unwrap().to_owned();
    let picture = |secs: f64| {
        let at = watched.wish(&json!({ "seek_secs": secs }))["at"].as_str().unwrap().to_owned();
        let (status, body) = watched.ask("GET", &format!("/v1/cameras/{camera}/picture"), "");
        (status, body, at)
    };
    let (status, early, _) = picture(8.0);
    assert_eq!(status, 200);
    let (_, late, _) = picture(16.0);
    assert_ne!(early, late);
    let (_, again, _) = picture(8.0);
    assert_eq!(again, early);
}
