//! Recordings to receipts: the real trip, cuts of every depth, files that break off, and files that are none.

use std::fs;
use std::path::Path;

use aisle::base::{Error, Kind};
use aisle::facts::Fact;
use aisle::ports::{FactSink, FactSource};
use aisle::recording::{Cut, Writer};
use aisle::replay::{self, Options};
use aisle::shop::Shop;
use aisle::sim::{Level, Scenario, Trip};
use aisle::truth::Purchases;

use super::cli::ask;
use super::trips::{RUN, SHOP, Told, benchmark, json, listen, play, read, trip};

const STRICT: Options = Options { tolerate: false };
const TOLERANT: Options = Options { tolerate: true };

/// Facts that are played from memory, behind the last of which a part is missing.
struct Torn<'a> {
    facts: std::slice::Iter<'a, Fact>,
    /// What is left out behind the last fact.
    torn: u64,
    left_out: u64,
}

impl FactSource for Torn<'_> {
    fn shop(&self) -> &Shop {
        &SHOP
    }

    fn next_fact(&mut self) -> Result<Option<Fact>, Error> {
        let next = self.facts.next().cloned();
        self.left_out = if next.is_none() { self.torn } else { 0 };
        Ok(next)
    }

    fn left_out(&self) -> u64 {
        self.left_out
    }
}

fn replayed(path: &Path, options: Options) -> Told {
    let mut source = replay::open(path, None, options).unwrap();
    listen(&mut source, RUN)
}

fn record(trip: &Trip, path: &Path) {
    let mut writer = Writer::create(path, &trip.shop, Some(&trip.truth), Cut::Tracked).unwrap();
    trip.facts.iter().for_each(|fact| writer.put(fact).unwrap());
    writer.finish().unwrap();
}

#[test]
fn the_real_trip_gives_its_receipt() {
    let Some(case) = benchmark() else { return };
    let folder = tempfile::tempdir().unwrap();
    let case = case.canonicalize().unwrap();
    let case = case.to_str().unwrap();
    let answer = ask(folder.path(), &["replay", "--format", "autocheckout", case, "--receipts", "receipts.json"]);
    assert_eq!((answer.status, answer.err.as_str()), (Some(0), ""));
    let told: Purchases = serde_json::from_slice(&fs::read(folder.path().join("receipts.json")).unwrap()).unwrap();
    let source = replay::open(Path::new(case), None, STRICT).unwrap();
    let truth = &source.truth().unwrap().receipts;
    assert_eq!(&told.receipts, truth);
    // Imported it says the same, with every fact behind it.
    assert_eq!(ask(folder.path(), &["import", "autocheckout", case, "-o", "trip.mcap"]).status, Some(0));
    let direct = replayed(Path::new(case), STRICT);
    let imported = replayed(&folder.path().join("trip.mcap"), STRICT);
    assert_eq!(&direct.purchases.receipts, truth);
    assert!(direct.derived == imported.derived, "the import decides otherwise");
}

#[test]
fn a_trip_replays_as_it_ran() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trip.mcap");
    for (scenario, level, seed) in
        [(Scenario::Mixed, Level::Room, 1), (Scenario::FastSeries, Level::Clean, 2), (Scenario::Crowd, Level::Room, 3)]
    {
        let trip = trip(scenario, level, seed);
        record(&trip, &path);
        let recorded = replayed(&path, STRICT);
        let ran = play(&SHOP, trip.facts);
        assert!(recorded.derived == ran.derived, "{scenario} {seed} is decided otherwise from its recording");
        assert_eq!(recorded.outcome.counters, ran.outcome.counters);
    }
}

#[test]
fn decisions_replay_to_the_same_receipts() {
    let folder = tempfile::tempdir().unwrap();
    let recordings: Vec<_> = [(Scenario::Mixed, 1), (Scenario::HandOver, 2), (Scenario::Browsing, 3)]
        .map(|(scenario, seed)| {
            let path = folder.path().join(format!("{scenario}.mcap"));
            record(&trip(scenario, Level::Room, seed), &path);
            path
        })
        .into_iter()
        .chain(benchmark())
        .collect();
    let decided = folder.path().join("decided.mcap");
    for path in recordings {
        let line = ["replay", path.to_str().unwrap(), "--record", decided.to_str().unwrap(), "--cut", "decided"];
        assert_eq!(ask(folder.path(), &line).status, Some(0));
        let source = replay::open(&decided, None, STRICT).unwrap();
        assert_eq!(source.cut(), Cut::Decided);
        let (first, again) = (replayed(&path, STRICT).outcome, replayed(&decided, STRICT).outcome);
        assert_eq!(first.receipts, again.receipts, "{}", path.display());
        assert_eq!(first.attributions, again.attributions, "{}", path.display());
    }
}

#[test]
fn a_file_cut_anywhere_replays_up_to_the_break() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trip.mcap");
    record(&trip(Scenario::FastSeries, Level::Room, 1), &path);
    let (_, facts) = read(&path);
    let whole: Vec<String> = facts.iter().map(json).collect();
    let bytes = fs::read(&path).unwrap();
    let mut parts = 0;
    for percent in 1..100 {
        let cut = folder.path().join("cut.mcap");
        fs::write(&cut, &bytes[..bytes.len() * percent / 100]).unwrap();
        let strict = replay::open(&cut, None, STRICT).and_then(|mut source| {
            while source.next_fact()?.is_some() {}
            Ok(())
        });
        let error = strict.unwrap_err();
        assert_eq!(error.kind(), Kind::Input, "{percent} %: {error}");
        assert!(error.place().byte.is_some() && error.place().path.is_some(), "{percent} %: {error}");
        // Before its shop is whole a recording is nothing.
        let Ok(mut source) = replay::open(&cut, None, TOLERANT) else { continue };
        let part: Vec<String> = std::iter::from_fn(|| source.next_fact().unwrap()).map(|fact| json(&fact)).collect();
        assert!(whole.starts_with(&part), "{percent} % is not a beginning");
        let breaks =
            source.warnings().iter().filter(|warning| warning.contains("the recording breaks off here")).count();
        assert_eq!(breaks, 1, "{percent} %");
        if !part.is_empty() && part.len() < whole.len() {
            parts += 1;
            // It decides as if that were all, and knows that it is not.
            let torn = replayed(&cut, TOLERANT);
            let torn_off = source.losses().parts();
            let mut until = Torn { facts: facts[..part.len()].iter(), torn: torn_off, left_out: 0 };
            assert!(torn.derived == listen(&mut until, RUN).derived, "{percent} %");
            // What is left of the piece that was cut counts by the mean size of messages, and as one at least.
            let (unread, known) = (torn.outcome.loss.unread, torn_off);
            assert!(1 <= unread && unread == known, "{percent} %: {unread} of {known}");
        }
    }
    assert!(20 < parts, "only {parts} cuts left a part");
}

#[test]
fn what_is_no_recording_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    record(&trip(Scenario::SinglePick, Level::Clean, 1), &folder.path().join("good.mcap"));
    let good = fs::read(folder.path().join("good.mcap")).unwrap();
    write("empty.mcap", b"");
    write("short.mcap", &good[..5]);
    write("head.mcap", &good[..good.len() / 200]);
    write("half.mcap", &good[..good.len() / 2]);
    write("text.mcap", b"once upon a time there was no recording at all");
    write("photo.jpg", b"\xff\xd8\xff\xe0 JFIF");
    write("receipts.json", b"{\"receipts\":[]}");
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 0x10;
    write("flipped.mcap", &flipped);
    fs::create_dir(folder.path().join("folder")).unwrap();
    let mut foreign = mcap::Writer::new(fs::File::create(folder.path().join("foreign.mcap")).unwrap()).unwrap();
    let channel = foreign.add_channel(0, "/camera", "json", &Default::default()).unwrap();
    let header = mcap::records::MessageHeader { channel_id: channel, sequence: 0, log_time: 0, publish_time: 0 };
    foreign.write_to_known_channel(&header, b"{}").unwrap();
    foreign.finish().unwrap();
    let table = [
        ("nothing.mcap", 4, "cannot open: No such file"),
        ("folder", 3, "nothing in this folder can be replayed"),
        ("empty.mcap", 3, "the file is empty"),
        ("short.mcap", 3, "5 bytes are too few"),
        ("head.mcap", 3, "breaks off"),
        ("half.mcap", 3, "the recording breaks off here"),
        ("flipped.mcap", 3, "a chunk is damaged and is left out"),
        ("text.mcap", 3, "it does not begin as an MCAP file does"),
        ("foreign.mcap", 3, "not a recording of aisle: its first message is on `/camera`"),
        ("photo.jpg", 3, "this is not a recording"),
        ("receipts.json", 3, "give its folder, not one file of it"),
    ];
    let mut seen = Vec::new();
    for (name, status, sentence) in table {
        let answer = ask(folder.path(), &["replay", name]);
        assert_eq!(answer.status, Some(status), "{name}: {}", answer.err);
        assert!(answer.err.contains(sentence), "{name}: {}", answer.err);
        assert!(answer.err.starts_with(&format!("error: {name}")), "{name}: {}", answer.err);
        assert!(answer.err.lines().count() <= 2 && !answer.err.contains("panicked"), "{name}: {}", answer.err);
        let message = answer.err.replace(name, "");
        assert!(!seen.contains(&message), "{name} fails in another file's words: {message}");
        seen.push(message);
    }
    let answer = ask(folder.path(), &["replay", "half.mcap", "--tolerate"]);
    assert_eq!(answer.status, Some(1), "{}", answer.err);
    assert!(answer.err.contains("too much of the input is lost: half.mcap lost"), "{}", answer.err);
    // The chunk says how much was in it, and that is more than may be lost unless somebody allows it.
    let answer = ask(folder.path(), &["replay", "flipped.mcap", "--tolerate"]);
    assert_eq!(answer.status, Some(1), "{}", answer.err);
    assert!(answer.err.contains("too much of the input is lost: flipped.mcap lost"), "{}", answer.err);
    let allowed = ["replay", "flipped.mcap", "--tolerate", "--max-loss", "100"];
    assert_eq!(ask(folder.path(), &allowed).status, Some(0));
}
