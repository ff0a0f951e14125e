//! Messages that lie anywhere in a file, in chunks of any sort, and results that go anywhere.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write as _};
use std::path::Path;

use aisle::output::{OutputFile, check_inputs};
use aisle::ports::FactSource;
use aisle::recording::Reader;

use super::targets;

/// Takes a few bytes off the front as a number.
fn number(input: &mut &[u8]) -> u64 {
    let (head, rest) = input.split_at(input.len().min(2));
    *input = rest;
    head.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Bytes that say in which order, chunks and at which log times messages are written: whatever they say, all come back, and
/// of rising log times.
pub(super) fn messages(input: &[u8]) {
    let mut rest = input;
    let form = number(&mut rest);
    let compression = [None, Some(mcap::Compression::Zstd)][usize::from(form & 1 == 1)];
    let options = mcap::WriteOptions::new()
        .compression(compression)
        .use_chunks(form & 2 == 0)
        .chunk_size(Some(1 + (form >> 8) * 16))
        .calculate_data_section_crc(form & 4 == 0)
        .emit_summary_records(form & 8 == 0);
    let mut file = Cursor::new(Vec::new());
    let mut writer = options.create(&mut file).unwrap();
    let shop = writer.add_channel(0, "/shop", "json", &BTreeMap::new()).unwrap();
    let gates = ["/gates", "/people"].map(|topic| writer.add_channel(0, topic, "json", &BTreeMap::new()).unwrap());
    let mut times = Vec::new();
    let shop_at = number(&mut rest) % 64;
    let mut send = |channel_id, log_time, json: &str| {
        let header = mcap::records::MessageHeader { channel_id, sequence: 0, log_time, publish_time: log_time };
        writer.write_to_known_channel(&header, json.as_bytes()).unwrap();
    };
    while !rest.is_empty() && times.len() < 2_000 {
        if times.len() as u64 == shop_at {
            send(shop, number(&mut rest), r#"{"name":"x"}"#);
        }
        let (kind, time) = (rest.len() % 2, number(&mut rest));
        let stamp = format!(r#"{{"source":"x","sequence":{},"at":0,"arrived":{time}}}"#, times.len());
        let body =
            [r#"{"cart":"cart_0198f2c4a1b2c3d4e5f60718293a4b5c","gate":"east","people":2}"#, r#"{"people":[]}"#][kind];
        send(gates[kind], time, &format!(r#"{{"stamp":{stamp},"body":{body}}}"#));
        times.push(time);
    }
    if times.len() as u64 <= shop_at {
        send(shop, 0, r#"{"name":"x"}"#);
    }
    writer.finish().unwrap();
    drop(writer);
    let bytes = file.into_inner();
    let mut reader = Reader::new(Cursor::new(&bytes), Path::new("fuzz.mcap")).unwrap().check().unwrap();
    let mut wanted: Vec<(u64, u64)> = times.iter().enumerate().map(|(number, time)| (*time, number as u64)).collect();
    wanted.sort_unstable();
    let told = std::iter::from_fn(|| reader.next_fact().unwrap());
    let told: Vec<(u64, u64)> = told.map(|fact| (fact.stamp.arrived.as_nanos() as u64, fact.stamp.sequence)).collect();
    assert_eq!(told, wanted);
    // The same bytes as a file, torn and joined.
    let cut = usize::try_from(form).unwrap() % bytes.len();
    targets::recording(&[&bytes[..cut], &bytes].concat());
    targets::recording(&[&bytes[..], &bytes[cut..]].concat());
}

/// Bytes as the name of a result beside a file that is read: the file stays, and nothing else is left than the result.
pub(super) fn output(input: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in"), "in").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("in", folder.path().join("ln")).unwrap();
    let name = String::from_utf8_lossy(input);
    let name: String = name.chars().take(300).collect();
    // Only names in this folder: what lies elsewhere is not ours.
    if name.split(['/', '\\']).any(|part| part == "..") || name.starts_with('/') || name.contains('\0') {
        return;
    }
    let (read, path) = (folder.path().join("in"), folder.path().join(&name));
    if check_inputs(&path, [read.as_path()]).is_ok()
        && let Ok(mut output) = OutputFile::create(&path)
    {
        output.write_all(b"out").unwrap();
        if input.len().is_multiple_of(2) {
            output.finish().unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"out");
        }
    }
    assert_eq!(fs::read(&read).unwrap(), b"in", "written over as `{name}`");
    let left = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let ours = |left: std::ffi::OsString| left.to_string_lossy().starts_with(".aisle-") && left != *name;
    assert!(!left.into_iter().any(ours), "`{name}` left something behind");
}
