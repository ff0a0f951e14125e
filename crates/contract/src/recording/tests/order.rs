//! Recordings as other programs write them: chunks in any order and compression, with an index or without, joined, torn,
//! and made to harm.

use std::io::{Cursor, Write as _};
use std::path::Path;

use mcap::MAGIC;
use mcap::records::op;
use rand::RngExt;

use super::{facts, read, shop};
use crate::base::rng::{Dice, dice};
use crate::facts::{Fact, Topic};
use crate::ports::FactSource;
use crate::recording::{Losses, Reader, refuse_packed, wire};
use crate::shop::{Shop, ShopDraft};

/// What is in a file made here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    /// With a checksum over everything, and the channels once more in its index.
    Sealed,
    /// Without checksum or index.
    Bare,
    /// Without chunks.
    Loose,
}

const FORMS: [Form; 3] = [Form::Sealed, Form::Bare, Form::Loose];
const COMPRESSIONS: [&str; 3] = ["", "zstd", "lz4"];
/// Channel of the shop; that of a topic is its number in all topics, above this.
const SHOP_NUMBER: u16 = 1;

fn record(opcode: u8, content: &[u8]) -> Vec<u8> {
    [&[opcode][..], &(content.len() as u64).to_le_bytes(), content].concat()
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat()
}

fn channel(number: u16, topic: &str, encoding: &str) -> Vec<u8> {
    let ids = [number.to_le_bytes(), 0_u16.to_le_bytes()].concat();
    record(op::CHANNEL, &[ids, text(topic), text(encoding), 0_u32.to_le_bytes().to_vec()].concat())
}

fn message(number: u16, time: u64, json: &[u8]) -> Vec<u8> {
    let head = [&number.to_le_bytes()[..], &0_u32.to_le_bytes(), &time.to_le_bytes(), &time.to_le_bytes()].concat();
    record(op::MESSAGE, &[&head, json].concat())
}

fn packed(compression: &str, records: &[u8]) -> Vec<u8> {
    match compression {
        "zstd" => zstd::stream::encode_all(records, 1).unwrap(),
        "lz4" => {
            let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
            encoder.write_all(records).unwrap();
            encoder.finish().unwrap()
        }
        _ => records.to_vec(),
    }
}

/// A chunk that claims so many bytes.
fn chunk_of(compression: &str, records: &[u8], times: [u64; 2], size: u64, sum: u32) -> Vec<u8> {
    let head = [times[0].to_le_bytes(), times[1].to_le_bytes(), size.to_le_bytes()].concat();
    let data = packed(compression, records);
    let length = (data.len() as u64).to_le_bytes();
    record(op::CHUNK, &[&head[..], &sum.to_le_bytes(), &text(compression), &length, &data].concat())
}

fn chunk(compression: &str, records: &[u8], times: [u64; 2]) -> Vec<u8> {
    chunk_of(compression, records, times, records.len() as u64, crc32fast::hash(records))
}

/// A whole file around records.
fn file(records: &[u8], form: Form) -> Vec<u8> {
    let mut bytes = [MAGIC, &record(op::HEADER, &[text(""), text("test")].concat()), records].concat();
    let sum = if form == Form::Sealed { crc32fast::hash(&bytes) } else { 0 };
    bytes.extend(record(op::DATA_END, &sum.to_le_bytes()));
    if form == Form::Sealed {
        bytes.extend(channels());
    }
    bytes.extend(record(op::FOOTER, &[0; 20]));
    [&bytes[..], MAGIC].concat()
}

fn channels() -> Vec<u8> {
    let topics = Topic::ALL.iter().filter(|topic| **topic != Topic::Frame);
    let all = topics.map(|topic| channel(number(*topic), topic.name(), "json"));
    let cameras = super::CAMERAS
        .iter()
        .enumerate()
        .map(|(index, name)| channel(100 + index as u16, &format!("/cameras/{name}"), "json"));
    std::iter::once(channel(SHOP_NUMBER, "/shop", "json")).chain(all).chain(cameras).flatten().collect()
}

fn number(topic: Topic) -> u16 {
    if topic == Topic::Frame { 100 } else { 10 + topic as u16 }
}

fn time(fact: &Fact) -> u64 {
    fact.stamp.arrived.as_nanos() as u64
}

fn encoded(fact: &Fact) -> Vec<u8> {
    let mut json = Vec::new();
    wire::encode(fact, &mut json).unwrap();
    message(number(fact.body.topic()), time(fact), &json)
}

fn shop_message(time: u64) -> Vec<u8> {
    message(SHOP_NUMBER, time, &serde_json::to_vec(shop().draft()).unwrap())
}

/// Groups of facts as chunks, or as they are.
fn written(groups: &[Vec<&Fact>], form: Form, dice: &mut Dice) -> Vec<u8> {
    let mut records = Vec::new();
    for group in groups {
        let shuffled: Vec<u8> = group.iter().flat_map(|fact| encoded(fact)).collect();
        let times = group.iter().map(|fact| time(fact));
        let times = [times.clone().min().unwrap(), times.max().unwrap()];
        match form {
            Form::Loose => records.extend(shuffled),
            _ => records.extend(chunk(COMPRESSIONS[dice.random_range(0..3)], &shuffled, times)),
        }
    }
    records
}

fn texts(facts: &[Fact]) -> Vec<String> {
    facts.iter().map(|fact| format!("{fact:?}")).collect()
}

/// A recording with its shop in the middle and its facts in these groups.
fn recording(groups: &[Vec<&Fact>], form: Form, dice: &mut Dice) -> Vec<u8> {
    let (before, behind) = groups.split_at(groups.len() / 2);
    let head = [channels(), shop_message(time(groups[0][0]))].concat();
    let head = if form == Form::Loose { head } else { chunk("zstd", &head, [time(groups[0][0]); 2]) };
    // Without an index the channels stand with the shop alone.
    file(&[written(before, form, dice), head, written(behind, form, dice)].concat(), form)
}

fn shuffle<T>(list: &mut [T], dice: &mut Dice) {
    for index in (1..list.len()).rev() {
        list.swap(index, dice.random_range(0..=index));
    }
}

#[test]
fn however_chunks_and_topics_lie_facts_come_in_order_of_their_log_times() {
    for form in FORMS {
        for seed in 0..20 {
            let mut dice = dice(seed, "order");
            let facts = facts(seed, 60);
            // Topic after topic, halves that are swapped, and everything anywhere.
            let mut by_topic: Vec<&Fact> = facts.iter().collect();
            by_topic.sort_by_key(|fact| fact.body.topic());
            let mut swapped: Vec<&Fact> = facts.iter().collect();
            swapped.rotate_left(30);
            let mut anywhere: Vec<&Fact> = facts.iter().collect();
            shuffle(&mut anywhere, &mut dice);
            for order in [by_topic, swapped, anywhere] {
                let groups: Vec<Vec<&Fact>> = order.chunks(dice.random_range(1..20)).map(<[_]>::to_vec).collect();
                let (back, errors) = read(&recording(&groups, form, &mut dice));
                assert_eq!((back, errors), (texts(&facts), Vec::new()), "{form:?}, seed {seed}");
            }
        }
    }
}

#[test]
fn messages_of_one_time_stay_in_order_of_the_file() {
    let mut facts = facts(3, 40);
    let at = facts[0].stamp.arrived;
    facts.iter_mut().for_each(|fact| fact.stamp.arrived = at);
    for form in FORMS {
        let groups: Vec<Vec<&Fact>> = facts.chunks(7).map(|group| group.iter().collect()).collect();
        assert_eq!(read(&recording(&groups, form, &mut dice(1, "x"))).0, texts(&facts), "{form:?}");
    }
}

/// The smallest recording there is, and records behind its shop.
fn small(records: &[u8], form: Form) -> Vec<u8> {
    let head = [channels(), shop_message(1)].concat();
    file(&[&chunk("", &head, [1; 2]), records].concat(), form)
}

fn only_error(bytes: &[u8]) -> (usize, String) {
    let (back, errors) = read(bytes);
    assert_eq!(errors.len(), 1, "{errors:?}");
    (back.len(), errors[0].clone())
}

#[test]
fn what_expands_without_bound_is_refused_before_it_has() {
    let zeros = vec![0; 1 << 20];
    let sizes = [1 << 20, 1 << 28, 1 << 40, u64::MAX];
    for (compression, size) in COMPRESSIONS.into_iter().flat_map(|name| sizes.map(|size| (name, size))) {
        let (facts, error) = only_error(&small(&chunk_of(compression, &zeros, [2; 2], size, 0), Form::Bare));
        assert_eq!(facts, 0);
        assert!(error.contains("a chunk is damaged and is left out with its "), "{compression}, {size}: {error}");
    }
    let facts = facts(1, 20);
    let records: Vec<u8> = facts.iter().flat_map(encoded).collect();
    let (length, sum) = (records.len() as u64, crc32fast::hash(&records));
    for compression in COMPRESSIONS {
        for (size, word) in [(length - 1, "more than"), (length + 1, "and gives"), (60 << 20, "and gives")] {
            let (_, error) = only_error(&small(&chunk_of(compression, &records, [0; 2], size, 0), Form::Bare));
            assert!(error.contains("it claims") && (compression.is_empty() || error.contains(word)), "{error}");
        }
        let (_, error) = only_error(&small(&chunk_of(compression, &records, [0; 2], length, sum ^ 1), Form::Bare));
        assert!(error.contains("its checksum does not fit"), "{error}");
        assert_eq!(read(&small(&chunk_of(compression, &records, [0; 2], length, 0), Form::Bare)).0.len(), 20);
    }
    let (_, error) = only_error(&small(&record(0, b"x"), Form::Bare));
    assert!(error.contains("a record is of type 0, which is none"), "{error}");
    let (_, error) = only_error(&small(&chunk("", &chunk("", b"", [0; 2]), [0; 2]), Form::Bare));
    assert!(error.contains("of type 6, which stands outside chunks only"), "{error}");
}

#[test]
fn many_chunks_that_expand_are_refused_together() {
    // Records that nobody reads, as dense as can be: each chunk is right.
    let records: Vec<u8> = record(0x80, &[]).repeat(1 << 20);
    let chunk = chunk("zstd", &records, [2; 2]);
    assert_eq!(read(&small(&chunk, Form::Bare)), (Vec::new(), Vec::new()));
    let (_, error) = only_error(&small(&chunk.repeat(30), Form::Bare));
    assert!(error.contains("far more than a recording of this length has"), "{error}");
}

#[test]
fn too_much_at_one_time_is_refused_with_the_way_to_sort_it() {
    let facts: Vec<u8> = facts(6, 3).iter().flat_map(encoded).collect();
    let claims: Vec<u8> = (0..5).flat_map(|_| chunk_of("zstd", b"", [5, 9], 60 << 20, 0)).collect();
    let attached = record(op::ATTACHMENT, &vec![0; 400_000]);
    let records = [chunk("", &facts, [2; 2]), claims, attached].concat();
    let (facts, error) = only_error(&small(&records, Form::Sealed));
    assert_eq!(facts, 0);
    assert!(
        error.contains("more than 256 MiB of this recording lie over each other") && error.contains("mcap sort"),
        "{error}"
    );
}

#[test]
fn what_cannot_be_read_is_told_as_what_it_is_and_counted() {
    let facts = facts(2, 30);
    let known: Vec<u8> = facts.iter().flat_map(encoded).collect();
    let mut index = 7_u16.to_le_bytes().to_vec();
    index.extend(48_u32.to_le_bytes());
    index.extend([0; 48]);
    let other = [chunk_of("brotli", &known, [3; 2], known.len() as u64, 0), record(op::MESSAGE_INDEX, &index)].concat();
    let bytes = small(&[chunk("lz4", &known, [2; 2]), other].concat(), Form::Bare);
    let (count, error) = only_error(&bytes);
    assert_eq!(count, 30);
    assert!(
        error.contains("compressed with `brotli`, which this aisle does not read; it is left out with its 3 messages"),
        "{error}"
    );
    assert!(!error.contains("damaged") && error.contains("zstd, lz4 or no compression"), "{error}");
    assert!(Reader::new(Cursor::new(&bytes[..]), Path::new("trip.mcap")).unwrap().check().is_err());
    let mut reader = Reader::new(Cursor::new(&bytes[..]), Path::new("trip.mcap")).unwrap();
    for _ in 0..40 {
        if reader.next_fact().is_err() {
            break;
        }
    }
    assert_eq!(reader.losses(), Losses { chunks: 1, chunk_messages: 3, ..Losses::default() });
    assert_eq!(reader.losses().to_string(), "1 chunks with 3 messages");

    let foreign = [channel(200, "/people", "protobuf"), message(200, 4, b"\x08\x01")].concat();
    let (_, error) = only_error(&file(&[channel(1, "/shop", "json"), shop_message(1), foreign].concat(), Form::Bare));
    assert!(error.contains("the messages on /people are written as `protobuf`, and aisle reads JSON there"), "{error}");
}

#[test]
fn recordings_that_were_joined_are_told_apart_from_damage() {
    let facts = facts(4, 30);
    let records: Vec<u8> = facts.iter().flat_map(encoded).collect();
    let one = small(&chunk("zstd", &records, [2; 2]), Form::Sealed);
    let joined = [&one[..], &one].concat();
    let (count, error) = only_error(&joined);
    assert_eq!(count, 30);
    assert!(error.contains(&format!("at byte {}: another recording begins here", one.len())), "{error}");
    assert!(error.contains(&format!("the {} bytes of the second are not read", one.len())), "{error}");
    let (count, error) = only_error(&[&one[..], b"rubbish"].concat());
    assert_eq!(count, 30);
    assert!(error.contains("7 bytes of something else stand behind the end of the recording"), "{error}");
    // Cut off anywhere behind the shop, and another one behind it.
    let shop_end = small(&[], Form::Bare).len() - 13 - 29 - 8;
    for cut in (shop_end..one.len()).step_by(11) {
        let (back, errors) = read(&[&one[..cut], &one].concat());
        assert!(back.len() <= 30, "{cut}");
        let found =
            errors.iter().any(|error| error.contains(&format!("at byte {cut}: another recording begins here, before")));
        assert!(found, "{cut} of {}: {errors:?}", one.len());
    }
}

#[test]
fn bytes_that_are_not_read_count_as_the_messages_that_they_may_hold() {
    let facts = facts(4, 300);
    let group = |part: &[Fact]| -> Vec<u8> {
        let records: Vec<u8> = part.iter().flat_map(encoded).collect();
        chunk("", &records, [time(&part[0]), time(&part[part.len() - 1])])
    };
    let one = small(&facts.chunks(30).flat_map(group).collect::<Vec<u8>>(), Form::Sealed);
    let parts = |bytes: &[u8]| {
        let mut reader = Reader::new(Cursor::new(bytes), Path::new("trip.mcap")).unwrap();
        while !matches!(reader.next_fact(), Ok(None)) {}
        (reader.losses().parts(), reader.losses().to_string())
    };
    assert_eq!(parts(&one).0, 0);
    // Two of a kind, one of them unread.
    let (lost, told) = parts(&[&one[..], &one].concat());
    assert!((270..=330).contains(&lost), "{lost}");
    assert!(told.contains(&format!("some {lost} messages by their mean size")), "{told}");
    // Cut in the middle of a chunk of thirty.
    let end = one.len() - small(&[], Form::Sealed).len();
    let (lost, _) = parts(&one[..end - group(&facts[270..]).len() / 2]);
    assert!((1..=30).contains(&lost), "{lost}");
    // Something else behind the end is no part of the recording.
    assert_eq!(parts(&[&one[..], b"rubbish"].concat()).0, 0);
    // A chunk without a count of its messages, behind ten others.
    let broken = chunk_of("brotli", b"", [time(&facts[299]); 2], 9, 7);
    let (lost, _) = parts(&small(&[facts.chunks(30).flat_map(group).collect(), broken].concat(), Form::Bare));
    assert_eq!(lost, 1, "so little that it is one message at least");
}

#[test]
fn hints_name_the_file_and_what_reads_the_rest() {
    let facts = facts(4, 30);
    let records: Vec<u8> = facts.iter().flat_map(encoded).collect();
    let one = small(&chunk("", &records, [2; 2]), Form::Sealed);
    let refused = |bytes: &[u8]| {
        let reader = Reader::new(Cursor::new(bytes), Path::new("a trip.mcap"));
        reader.and_then(Reader::check).err().unwrap().to_string()
    };
    let joined = refused(&[&one[..], &one].concat());
    let (first, second) = (one.len(), one.len() + 1);
    assert!(joined.contains(&format!("`head -c {first} 'a trip.mcap' > FIRST.mcap`")), "{joined}");
    assert!(joined.contains(&format!("`tail -c +{second} 'a trip.mcap' > SECOND.mcap`")), "{joined}");
    assert!(joined.contains("`aisle replay --tolerate`"), "{joined}");
    let cut = refused(&one[..one.len() - 60]);
    assert!(cut.contains("everything up to the break") && cut.contains("--tolerate"), "{cut}");
    // Where nothing could be read, nothing is promised.
    let cut = refused(&one[..40]);
    assert!(cut.contains("no message could be read") && !cut.contains("everything up to"), "{cut}");
    let malformed = message(100, 3, b"{}");
    let error = refused(&small(&chunk("", &malformed, [3; 2]), Form::Bare));
    let topic = format!("a message on /cameras/{} is not a fact", super::CAMERAS[0]);
    assert!(error.contains(&topic) && error.contains("recording.md"), "{error}");
}

#[test]
fn files_that_are_packed_are_told_with_what_unpacks_them() {
    for (begin, name, command) in [
        (&b"\x1f\x8b\x08\0\0\0\0\0\0\x03"[..], "gzip", "`gunzip < 'a b.gz' > UNPACKED.mcap`"),
        (b"PK\x03\x04\x14\0\0\0\x08\0", "zip", "`unzip 'a b.gz'`"),
        (b"\xfd7zXZ\0\0\x04\xe6\xd6", "xz", "`unxz < 'a b.gz' > UNPACKED.mcap`"),
    ] {
        let path = Path::new("a b.gz");
        let error = Reader::new(Cursor::new(begin), path).err().unwrap().to_string();
        assert!(error.contains(&format!("packed with {name},")) && error.contains(command), "{error}");
        assert_eq!(refuse_packed(begin, path).unwrap().to_string(), error);
    }
    assert!(refuse_packed(MAGIC, Path::new("x")).is_none());
}

#[test]
fn a_file_with_the_heads_of_two_recordings_is_not_taken_for_one() {
    let again = small(&chunk("", &shop_message(2), [2; 2]), Form::Sealed);
    assert_eq!(read(&again), (Vec::new(), Vec::new()));
    let other = Shop::check(ShopDraft { name: "other".to_owned(), ..ShopDraft::default() }).unwrap();
    let other = message(SHOP_NUMBER, 2, &serde_json::to_vec(other.draft()).unwrap());
    let (_, error) = only_error(&small(&chunk("", &other, [2; 2]), Form::Sealed));
    assert!(error.contains("this file holds more than one recording") && error.contains("its shop differs"), "{error}");
    let renamed = [channel(number(Topic::Plates), "/people", "json")].concat();
    let (_, error) = only_error(&small(&chunk("", &renamed, [2; 2]), Form::Sealed));
    assert!(
        error.contains("is announced as `/people` and as `/plates`")
            || error.contains("is announced as `/plates` and as `/people`"),
        "{error}"
    );
}

/// How many parts are said to be missing by the time of each fact.
fn left_out(bytes: &[u8]) -> Vec<u64> {
    let mut reader = Reader::new(Cursor::new(bytes), Path::new("trip.mcap")).unwrap();
    let mut counts = Vec::new();
    loop {
        match reader.next_fact() {
            Ok(Some(_)) => counts.push(reader.left_out()),
            Ok(None) => return counts,
            Err(_) => {}
        }
    }
}

#[test]
fn whoever_was_there_while_messages_may_be_missing_is_told_of_it() {
    let mut facts = facts(7, 60);
    let begin = facts[0].stamp.arrived;
    let seconds = |index: usize| crate::base::Span::from_millis(1_000 * index as i64);
    facts.iter_mut().enumerate().for_each(|(index, fact)| fact.stamp.arrived = begin + seconds(index));
    let of = |facts: &[Fact]| -> Vec<u8> { facts.iter().flat_map(encoded).collect() };
    let span = |facts: &[Fact]| [time(&facts[0]), time(&facts[facts.len() - 1])];
    let broken = |facts: &[Fact]| chunk_of("zstd", b"", span(facts), 9, 7);
    // A chunk that is broken throws doubt on all the time that it was for, and on no other.
    let records = [chunk("", &of(&facts), span(&facts)), broken(&facts[20..40])].concat();
    let counts = left_out(&small(&records, Form::Bare));
    assert!(counts[..19].iter().all(|count| *count == 0), "{counts:?}");
    assert!(counts[20..39].is_sorted_by(|one, next| one < next) && counts[41] == counts[59], "{counts:?}");
    // A file whose channels lie one behind the other and that breaks off may lack messages of any time.
    let (one, other) =
        (chunk("", &of(&facts[30..]), span(&facts[30..])), chunk("", &of(&facts[..30]), span(&facts[..30])));
    let torn = |records: Vec<u8>| {
        let whole = small(&records, Form::Bare);
        left_out(&whole[..whole.len() - 45])
    };
    let counts = torn([one.clone(), other.clone()].concat());
    assert!(counts.len() == 60 && counts.is_sorted_by(|one, next| one < next), "{counts:?}");
    let counts = torn([other, one].concat());
    assert!(counts.len() == 60 && counts[58] == 0, "{counts:?}");
}

#[test]
fn a_chunk_that_lies_about_its_times_is_told() {
    let facts = facts(5, 40);
    let of = |facts: &[Fact]| -> Vec<u8> { facts.iter().flat_map(encoded).collect() };
    let (early, late) = (of(&facts[..20]), of(&facts[20..]));
    let span = [time(&facts[0]), time(&facts[39])];
    let chunks = [chunk("", &late, span), chunk("", &early, [span[1], span[1]])].concat();
    // A checksum over the lie is believed, and the lie is found out; without one every chunk is looked into.
    let (back, errors) = read(&small(&chunks, Form::Sealed));
    assert_eq!(back.len(), 40);
    assert!(errors[0].contains("a chunk holds messages from before the time at which it says to begin"), "{errors:?}");
    assert_eq!(read(&small(&chunks, Form::Bare)), (texts(&facts), Vec::new()));
}
