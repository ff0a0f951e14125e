//! Recordings, facts, shops and folders as somebody may send them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::path::{Component, Path};
use std::sync::{Arc, LazyLock};

use aisle::base::{TrackId, text};
use aisle::config;
use aisle::facts::{Fact, Topic};
use aisle::geometry::{CameraPose, Lens, Point};
use aisle::ports::{FactSink, FactSource};
use aisle::recording::{Cut, Reader, Writer};
use aisle::replay::{self, Format, Options};
use aisle::shop::{CameraDraft, Gtin, Reading, Shop, ShopDraft, Symbol};

use crate::trips::{SHOP, json, play};

/// One shelf of the simulator's shop, with what stands on it.
static SHELF: LazyLock<Arc<Shop>> = LazyLock::new(|| {
    let mut draft = SHOP.draft().clone();
    draft.shelves.truncate(1);
    let planned = |sku: &String| draft.shelves[0].facings.iter().any(|facing| facing.sku.as_ref() == Some(sku));
    draft.products.retain(|product| planned(&product.sku));
    draft.cameras.push(CameraDraft {
        name: "front".to_owned(),
        size_pixels: [640, 360],
        rate_hertz: 10.0,
        lens: Lens { focal_pixels: [400.0, 400.0], centre_pixels: [320.0, 180.0], distortion: [0.0; 5] },
        pose: CameraPose::look_at(Point::new(0.0, -2.0, 2.5), Point::new(0.5, 0.0, 0.5), 0.0),
        line: None,
    });
    Arc::new(Shop::check(draft).unwrap())
});

/// Facts that simulated trips do not have, or not always.
const FURTHER: [&str; 10] = [
    r#"/cameras/ {"timestamp":{"sec":0,"nsec":1},"frame_id":"front","data":"/9j/4AAQSkZJRg==","format":"jpeg","stamp":{"source":"camera/front","sequence":1,"at":1,"arrived":2}}"#,
    r#"/gates {"stamp":{"source":"gate/1","sequence":1,"at":1,"arrived":1},"body":{"cart":"cart_0198f2c4a1b2c3d4e5f60718293a4b5c","gate":"east","people":2}}"#,
    r#"/seen {"stamp":{"source":"vision/front","sequence":1,"at":1,"arrived":1},"body":{"camera":"front","size_pixels":[640,360],"detections":[{"class":"person","bounds":{"left":10.5,"top":20.0,"right":90.0,"bottom":200.25},"score":0.9,"keypoints":[{"pixel":[40.0,30.5,0.0],"score":0.5}],"embedding":[0.6,-0.8]}]}}"#,
    r#"/ticks {"stamp":{"source":"clock","sequence":1,"at":1,"arrived":1},"body":{}}"#,
    r#"/board_events {"stamp":{"source":"board/1","sequence":1,"at":2,"arrived":2},"body":{"shelf":"1-1","span":{"start":1,"end":2},"plates":[{"plate":"1-1-1","levels":[{"quiet":{"start":0,"end":1},"grams":0.0,"sigma":0.5},{"quiet":{"start":2,"end":2},"grams":-350.0,"sigma":0.7}]}]}}"#,
    r#"/doors {"stamp":{"source":"door/cooler","sequence":1,"at":1,"arrived":1},"body":{"door":"cooler","state":"open"}}"#,
    r#"/tags {"stamp":{"source":"reader/1","sequence":1,"at":1,"arrived":1},"body":{"reader":"exit","reads":[{"epc":"3034257BF7194E4000001A85","antenna":1,"rssi_dbm":-61.5}]}}"#,
    r#"/bindings {"stamp":{"source":"identity","sequence":1,"at":1,"arrived":1},"body":{"visit":"7","cart":"cart_0198f2c4a1b2c3d4e5f60718293a4b5c","probability":0.98}}"#,
    r#"/verdicts {"stamp":{"source":"review","sequence":1,"at":1,"arrived":1},"body":{"case":"case_0198f2c4a1b2c3d4e5f60718293a4b5c","cart":"cart_0198f2c4a1b2c3d4e5f60718293a4b5c","receipt":1,"verdict":{"reviewer":"alex","at":1,"decision":{"decision":"accept"},"note":""}}}"#,
    r#"/clock {"stamp":{"source":"fusion","sequence":1,"at":1,"arrived":1},"body":{"offset":-40000000,"sigma":9000000,"events":3}}"#,
];

/// Reads to the end. Every error but the last is of something that was left out, and each takes at least a byte.
fn drain(source: &mut dyn FactSource, bytes: usize) -> Vec<Fact> {
    let mut facts = Vec::new();
    for _ in 0..=2 * bytes + 16 {
        match source.next_fact() {
            Ok(Some(fact)) => facts.push(fact),
            Ok(None) => return facts,
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    panic!("{bytes} bytes, and still no end");
}

fn read(bytes: &[u8]) -> Vec<Fact> {
    match Reader::new(Cursor::new(bytes), Path::new("fuzz.mcap")) {
        Ok(mut reader) => drain(&mut reader, bytes.len()),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            Vec::new()
        }
    }
}

/// The file of a model: what is said of it comes without an engine, and soon.
pub(super) fn network(input: &[u8]) {
    if let Err(error) = aisle::vision::check_network(input) {
        assert!(!error.to_string().is_empty());
    }
}

/// The bytes of a recording.
pub(super) fn recording(input: &[u8]) {
    read(input);
}

/// Messages on the channels of facts, one a line: `/plates {…}`. What is read is written again and read back the same.
pub(super) fn facts(input: &[u8]) {
    let facts = read(&unpacked(input));
    // Together these cuts hold every topic.
    for cut in [Cut::Raw, Cut::Seen, Cut::Decided] {
        let mut file = Cursor::new(Vec::new());
        let mut writer = Writer::new(&mut file, &SHELF, None, cut).unwrap();
        let kept: Vec<&Fact> = facts.iter().filter(|fact| cut.holds(fact.body.topic())).collect();
        let mut written: Vec<&Fact> = kept.into_iter().filter(|fact| writer.put(fact).is_ok()).collect();
        // A recording is read in order of arrival, which its log times are; before 1970 there are none.
        written.sort_by_key(|fact| fact.stamp.arrived.as_nanos().max(0));
        let written: Vec<String> = written.into_iter().map(json).collect();
        writer.finish().unwrap();
        let again: Vec<String> = read(&file.into_inner()).iter().map(json).collect();
        assert_eq!(again, written);
    }
}

/// The same messages, and what the engine makes of them: some are nonsense, none may stop it.
pub(super) fn engine(input: &[u8]) {
    let facts = read(&unpacked(input)).into_iter().filter(|fact| fact.body.topic().is_ground()).collect();
    let told = play(&SHELF, facts);
    assert!(told.outcome.receipts.len() <= input.len());
}

/// A recording without compression and checksums that holds a small shop and these messages.
pub(super) fn unpacked(lines: &[u8]) -> Vec<u8> {
    let options = mcap::WriteOptions::new()
        .compression(None)
        .use_chunks(false)
        .calculate_data_section_crc(false)
        .calculate_summary_section_crc(false);
    let mut file = Cursor::new(Vec::new());
    let mut writer = options.create(&mut file).unwrap();
    let mut send = |topic: &str, message: &[u8]| {
        let channel_id = writer.add_channel(0, topic, "json", &BTreeMap::new()).unwrap();
        let header = mcap::records::MessageHeader { channel_id, sequence: 0, log_time: 0, publish_time: 0 };
        writer.write_to_known_channel(&header, message).unwrap();
    };
    send("/shop", &serde_json::to_vec(SHELF.draft()).unwrap());
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let space = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
        let (name, message) = line.split_at(space);
        let topic = Topic::ALL.into_iter().find(|topic| topic.name().as_bytes() == name).unwrap_or(Topic::Plates);
        send(topic.name(), message);
    }
    writer.finish().unwrap();
    drop(writer);
    file.into_inner()
}

/// A folder in one text: `=== NAME` begins a file. Names that lead elsewhere are passed over.
fn unfold(input: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut file: Option<(String, Vec<u8>)> = None;
    let keep = |file: Option<(String, Vec<u8>)>| {
        let Some((name, content)) = file else { return };
        let mut parts = Path::new(&name).components();
        let plain = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
        if plain && !name.contains('\0') && name.len() < 64 {
            fs::write(folder.path().join(name), content).unwrap();
        }
    };
    for line in input.split_inclusive(|byte| *byte == b'\n') {
        if let Some(name) = line.strip_prefix(b"=== ") {
            keep(file.replace((String::from_utf8_lossy(name).trim().to_owned(), Vec::new())));
        } else if let Some((_, content)) = &mut file {
            content.extend_from_slice(line);
        }
    }
    keep(file);
    folder
}

/// The folder of a shop: `shop.toml` and what stands beside it, or the same in JSON.
pub(super) fn shop(input: &[u8]) {
    let folder = unfold(input);
    match config::load_shop(folder.path()) {
        Ok(shop) => assert!(Shop::check(shop.draft().clone()).unwrap() == shop),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Numbers of products and of trackers, and names, a line each: what is read is written and read again as the same thing.
pub(super) fn number(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    for line in text.lines().take(64) {
        for said in [None, Some(Symbol::Upc), Some(Symbol::Ean)] {
            if let Reading::Product(gtin) = Gtin::read(line, said) {
                assert_eq!(Gtin::read(&gtin.to_string(), None), Reading::Product(gtin), "{line}");
            }
        }
        if let Ok(track) = line.parse::<TrackId>() {
            assert_eq!(track.to_string(), line);
            let packed = rmp_serde::to_vec(&track).unwrap();
            assert_eq!(rmp_serde::from_slice::<TrackId>(&packed).unwrap(), track);
        }
        let shown = text::plain(line);
        assert!(!shown.chars().any(char::is_control) && text::flaw(&shown, usize::MAX).is_none(), "{line:?}");
        assert!(!text::escaped(line).chars().any(|letter| letter.is_control() && letter != '\t'), "{line:?}");
        let draft =
            ShopDraft { timezone: Some(line.to_owned()), locale: Some(line.to_owned()), ..ShopDraft::default() };
        if let Err(problems) = Shop::check(draft) {
            assert!(problems.iter().all(|problem| text::flaw(&problem.to_string(), usize::MAX).is_none()), "{line:?}");
        }
    }
}

/// The folder of an AutoCheckout test case.
pub(super) fn folder(input: &[u8]) {
    let folder = unfold(input);
    for tolerate in [false, true] {
        match replay::open(folder.path(), Some(Format::AutoCheckout), Options { tolerate }) {
            Ok(mut source) => drop(drain(&mut source, input.len())),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

/// The first examples of every corpus: they are valid, and with `AISLE_BLESS=1` those that are missing are written.
#[test]
fn first_corpora() {
    use super::corpus_folder;
    use crate::trips::trip;
    use aisle::facts::Body;
    use aisle::sim::{Level, Scenario};

    let wanted = std::env::var_os("AISLE_BLESS").is_some_and(|value| value == "1");
    let simulated = trip(Scenario::ALL[0], Level::Clean, 1);
    let told = play(&simulated.shop, simulated.facts.clone());
    let all: Vec<String> = simulated.facts.iter().map(json).chain(told.derived.lines().map(str::to_owned)).collect();
    let smallest = |topic: Topic| {
        let prefix = format!("{} ", topic.name());
        all.iter().filter(|line| line.starts_with(&prefix) && 160 < line.len()).min_by_key(|line| line.len())
    };
    let mut lines: Vec<String> = Topic::ALL.into_iter().filter_map(smallest).map(|line| message(line)).collect();
    for line in FURTHER {
        let (topic, _) = line.split_once(' ').unwrap();
        if lines.iter().all(|other| !other.starts_with(&format!("{topic} "))) {
            lines.push(line.to_owned());
        }
    }
    assert_eq!(lines.len(), Topic::ALL.len());
    let all_lines = lines.join("\n");
    let read_back = read(&unpacked(all_lines.as_bytes()));
    assert_eq!(read_back.len(), lines.len(), "the examples are facts");
    let mut packed = Cursor::new(Vec::new());
    let mut writer = Writer::new(&mut packed, &SHELF, None, Cut::Tracked).unwrap();
    for fact in &read_back {
        writer.put(fact).unwrap();
    }
    writer.finish().unwrap();
    if !wanted {
        return;
    }
    let keep = |target: &str, name: &str, bytes: &[u8]| {
        let path = corpus_folder(target).join(name);
        if !path.exists() {
            fs::create_dir_all(corpus_folder(target)).unwrap();
            fs::write(path, bytes).unwrap();
        }
    };
    for line in &lines {
        let topic = line.split(' ').next().unwrap().trim_matches('/');
        keep("facts", &format!("{topic}.txt"), line.as_bytes());
    }
    let own = |fact: &&Fact| match &fact.body {
        Body::Plates(batch) => batch.plates.iter().any(|plate| SHELF.plate(*plate).is_some()),
        _ => fact.stamp.sequence.is_multiple_of(5),
    };
    // A take, thinned out so that a change of it changes much.
    let stretch: Vec<String> =
        simulated.facts.iter().filter(own).skip(20).take(9).map(|fact| message(&json(fact))).collect();
    keep("engine", "stretch.txt", stretch.join("\n").as_bytes());
    keep("engine", "one-each.txt", all_lines.as_bytes());
    // What of a fact's own bytes is changed is taken for one fact of a segment.
    let segment = super::journals::written(&read_back);
    keep("journals", "one-each.journal", &segment);
    keep("journals", "one-fact.msgpack", &super::journals::written(&read_back[..1])[58..]);
    keep("recordings", "packed.mcap", packed.get_ref());
    keep("recordings", "unpacked.mcap", &unpacked(all_lines.as_bytes()));
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("calibration/demo");
    keep("shops", "demo-toml.txt", &folded(&demo));
    let draft = serde_json::to_vec_pretty(SHELF.draft()).unwrap();
    keep("shops", "recorded-json.txt", &[b"=== shop.json\n".as_slice(), &draft].concat());
    let case = tempfile::tempdir().unwrap();
    let path = case.path().join("case");
    let few = simulated.facts.iter().filter(|fact| json(fact).len() < 6_000).skip(20).take(6).cloned().map(Ok);
    replay::autocheckout::write(&path, &SHELF, few, Some(&simulated.truth)).unwrap();
    keep("folders", "small.txt", &folded(&path));
    keep("documents", "zeros.bin", &[0; 256]);
    keep("documents", "rising.bin", &(0..=255_u8).cycle().take(1_024).collect::<Vec<u8>>());
}

/// What [`facts`] takes, from a fact as `crate::trips` writes it.
fn message(line: &str) -> String {
    let (topic, values) = line.split_once(' ').unwrap();
    let mut stream = serde_json::Deserializer::from_str(values).into_iter::<serde::de::IgnoredAny>();
    stream.next().unwrap().unwrap();
    let (stamp, body) = values.split_at(stream.byte_offset());
    format!("{topic} {{\"stamp\":{stamp},\"body\":{}}}", body.trim_start())
}

/// A folder in the one text that [`unfold`] takes.
fn folded(folder: &Path) -> Vec<u8> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut text = Vec::new();
    for path in paths {
        text.extend_from_slice(format!("=== {}\n", path.file_name().unwrap().to_string_lossy()).as_bytes());
        text.extend_from_slice(&fs::read(&path).unwrap());
        if !text.ends_with(b"\n") {
            text.push(b'\n');
        }
    }
    text
}
