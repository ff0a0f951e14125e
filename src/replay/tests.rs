use std::fs;

use super::{Format, Options, open, recognise};
use crate::ports::FactSource;
use crate::recording::{Cut, Writer};
use crate::shop::{Shop, ShopDraft};

const STRICT: Options = Options { tolerate: false };

#[test]
fn formats_are_recognised_and_everything_else_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let shop = Shop::check(ShopDraft::default()).unwrap();
    Writer::create(&path("trip.mcap"), &shop, None, Cut::Tracked).unwrap().finish().unwrap();
    fs::rename(path("trip.mcap"), path("trip")).unwrap();
    assert_eq!(recognise(&path("trip")).unwrap(), Format::Mcap);
    fs::write(path("empty.mcap"), b"").unwrap();
    fs::write(path("a.json"), b"{\"a\":1}").unwrap();
    fs::write(path("a.png"), b"\x89PNG\r\n").unwrap();
    let check = |name: &str, sentence: &str| {
        let error = open(&path(name), None, STRICT).err().unwrap().to_string();
        assert!(error.contains(sentence), "{name}: {error}");
    };
    check("none", "cannot open");
    check("empty.mcap", "the file is empty");
    check("a.json", "give its folder, not one file of it");
    check("a.png", "this is not a recording");
    check("", "nothing in this folder can be replayed");
}

#[test]
fn a_damaged_recording_is_read_with_warnings_where_that_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trip.mcap");
    let shop = Shop::check(ShopDraft::default()).unwrap();
    Writer::create(&path, &shop, None, Cut::Tracked).unwrap().finish().unwrap();
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
    assert!(open(&path, None, STRICT).is_err());
    let mut replay = open(&path, None, Options { tolerate: true }).unwrap();
    assert!(replay.next_fact().unwrap().is_none());
    assert!(replay.warnings().iter().any(|warning| warning.contains("the recording breaks off here")));
}
