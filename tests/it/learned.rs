//! What a shop learns, over restarts: written by commands and by an open shop, read by the next one, whole or not at all.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Instant;

use aisle::config;
use aisle::learned::{self, Learned};
use aisle::pipeline::{Options, RunOptions, run_knowing};
use aisle::replay;
use aisle::shop::Shop;
use aisle::sim::{Level, Scenario};

use super::cli::{aisle, ask};
use super::open::{Bench, booked, silence_after, trip};

const LEARNED: &str = "shop.learned.toml";

/// A folder with two days of a shop that comes with aisle.
fn days() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (seed, name) in [("3", "monday.mcap"), ("4", "tuesday.mcap")] {
        let scenario = ["simulate", "--shop", "micro-market", "--scenario", "three-shoppers", "--level", "room"];
        let made = ask(folder.path(), &[&scenario[..], &["--cut", "tracked", "--seed", seed, "-o", name]].concat());
        assert_eq!(made.status, Some(0), "{}", made.err);
    }
    folder
}

/// What a command says, but for how long it took.
fn said(folder: &Path, arguments: &[&str]) -> String {
    let answer = ask(folder, arguments);
    assert_eq!(answer.status, Some(0), "{arguments:?}: {}", answer.err);
    let (head, rest) = answer.out.split_once('\n').unwrap();
    format!("{}\n{rest}", head.split("; replayed in").next().unwrap())
}

#[test]
fn a_replay_knows_what_another_one_has_learned_and_without_it_nothing_changes() {
    let folder = days();
    let path = folder.path();
    let alone = said(path, &["replay", "tuesday.mcap"]);
    let monday = said(path, &["replay", "monday.mcap"]);
    assert_eq!(said(path, &["replay", "monday.mcap", "--write-learned", LEARNED]), monday, "it is only written down");
    let first = fs::read_to_string(path.join(LEARNED)).unwrap();
    assert_eq!(said(path, &["replay", "monday.mcap", "--write-learned", "again.toml"]), monday);
    assert_eq!(fs::read_to_string(path.join("again.toml")).unwrap(), first, "the same day teaches the same");
    let both = ["replay", "tuesday.mcap", "--learned", LEARNED, "--write-learned", LEARNED];
    let knowing = said(path, &both);
    assert_ne!(knowing, alone, "wrists and clocks are known from the first minute on");
    assert_eq!(said(path, &["replay", "tuesday.mcap"]), alone);
    let second = fs::read_to_string(path.join(LEARNED)).unwrap();
    assert_ne!(first, second);
    let shown = said(path, &["check", "micro-market", "--learned", LEARNED]);
    assert!(shown.contains("plates: the noise of") && shown.contains("wrists: "), "{shown}");
    let judged = ask(path, &["eval", "tuesday.mcap", "--learned", LEARNED]);
    assert_eq!(judged.status, Some(0), "{}", judged.err);
}

#[test]
fn a_command_that_is_told_of_a_file_that_is_none_says_so_and_makes_nothing() {
    let folder = days();
    let path = folder.path();
    fs::write(path.join("damaged.toml"), "format = 1\naisle = \"0.1.0\"\nshop = 7\n").unwrap();
    fs::write(path.join("foreign.toml"), "name = \"somebody's\"\n").unwrap();
    said(path, &["replay", "monday.mcap", "--write-learned", LEARNED]);
    let text = fs::read_to_string(path.join(LEARNED)).unwrap();
    fs::write(path.join("newer.toml"), text.replace("format = 1", "format = 9")).unwrap();
    for (file, says) in [
        ("damaged.toml", "what was learned is damaged"),
        ("foreign.toml", "it names no format"),
        ("newer.toml", "has format 9"),
        ("nowhere.toml", "nowhere.toml"),
    ] {
        for command in [["replay", "monday.mcap"], ["check", "micro-market"], ["eval", "monday.mcap"]] {
            let answer = ask(path, &[command[0], command[1], "--learned", file]);
            assert!(matches!(answer.status, Some(3 | 4)), "{command:?} {file}: {:?}", answer.status);
            assert!(answer.err.contains(says), "{command:?} {file}: {}", answer.err);
        }
    }
    let other = ask(path, &["check", "convenience", "--learned", LEARNED]);
    assert!(other.status == Some(3) && other.err.contains("was learned of the shop"), "{}", other.err);
    let two = ask(path, &["replay", "monday.mcap", "tuesday.mcap", "--write-learned", "both.toml"]);
    assert!(two.status == Some(2) && !path.join("both.toml").exists(), "{}", two.err);
    let over = ask(path, &["replay", "monday.mcap", "--write-learned", "monday.mcap"]);
    assert_eq!(over.status, Some(2), "{}", over.err);
}

#[test]
fn killed_while_it_writes_the_file_is_the_old_one_or_the_new_one() {
    let folder = days();
    let path = folder.path();
    said(path, &["replay", "monday.mcap", "--write-learned", LEARNED]);
    let old = fs::read(path.join(LEARNED)).unwrap();
    let arguments = ["replay", "tuesday.mcap", "--learned", "monday.toml", "--write-learned", LEARNED];
    fs::write(path.join("monday.toml"), &old).unwrap();
    let begun = Instant::now();
    said(path, &arguments);
    let took = begun.elapsed();
    let new = fs::read(path.join(LEARNED)).unwrap();
    assert_ne!(old, new);
    let shop = config::load_shop(Path::new("micro-market")).unwrap();
    for share in 0..16 {
        fs::write(path.join(LEARNED), &old).unwrap();
        let mut child = aisle(path, &arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Around the time at which it writes.
        let until = Instant::now() + took.mul_f64(0.7 + 0.03 * f64::from(share));
        while Instant::now() < until && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let found = fs::read(path.join(LEARNED)).unwrap();
        assert!(found == old || found == new, "{} bytes", found.len());
        Learned::read(&path.join(LEARNED), &shop).unwrap();
    }
}

/// The receipts that a recording replays to where the shop knew this before.
fn replayed_knowing(recording: &Path, known: &Learned) -> Vec<aisle::facts::Receipt> {
    let mut source = replay::open(recording, None, replay::Options { tolerate: false }).unwrap();
    let options = RunOptions { engine: Options::USUAL, tolerate: false, threads: 1 };
    let mut receipts = run_knowing(&mut source, options, Some(&known.knowledge()), None).unwrap().receipts;
    receipts.sort_by_key(|receipt| (receipt.left, receipt.visit));
    receipts
}

fn play(folder: &Path, seed: u64) -> Arc<Shop> {
    let (shop, facts) = trip(Scenario::ThreeShoppers, Level::Room, seed);
    let bench = Bench::open(folder, &shop, facts[0].stamp.arrived);
    bench.give(&facts);
    bench.give(&silence_after(&facts));
    bench.stop();
    shop
}

#[test]
fn an_open_shop_keeps_what_it_learned_and_the_next_one_begins_with_it() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = format!("book.db{}", learned::ENDING);
    let shop = play(first.path(), 3);
    let monday = Learned::read(&first.path().join(&file), &shop).unwrap();
    assert!(!first.path().join("tape/begun.learned.toml").exists(), "it began with nothing");
    assert!(monday.lines(&shop).iter().any(|line| line.contains("wrists: ")), "{:?}", monday.lines(&shop));
    // Another book of the same shop: no checkpoint, and what was learned.
    fs::copy(first.path().join(&file), second.path().join(&file)).unwrap();
    play(second.path(), 4);
    let begun = Learned::read(&second.path().join("tape/begun.learned.toml"), &shop).unwrap();
    assert_eq!(begun, monday);
    let booked = booked(second.path());
    assert!(booked.iter().any(|receipt| !receipt.lines.is_empty()));
    assert_eq!(booked, replayed_knowing(&second.path().join("tape"), &begun), "the recording and its copy say it all");
    let tuesday = Learned::read(&second.path().join(&file), &shop).unwrap();
    assert_ne!(tuesday, monday);
    // The same book again: its checkpoint knows it all, and the file stays.
    let (_, facts) = trip(Scenario::ThreeShoppers, Level::Room, 4);
    Bench::open(second.path(), &shop, facts[0].stamp.arrived).stop();
    let again = Learned::read(&second.path().join(&file), &shop).unwrap();
    assert_eq!(again.knowledge().fusion, tuesday.knowledge().fusion);
}

#[test]
fn an_open_shop_goes_without_a_file_that_it_cannot_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(format!("book.db{}", learned::ENDING));
    fs::write(&file, "format = 1\n[weights").unwrap();
    let shop = play(folder.path(), 3);
    let aside = folder.path().join(format!("book.db{}.unread", learned::ENDING));
    assert_eq!(fs::read_to_string(aside).unwrap(), "format = 1\n[weights");
    assert!(!booked(folder.path()).is_empty());
    Learned::read(&file, &shop).unwrap();
}
