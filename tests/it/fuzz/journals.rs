//! Segments of the journal as a disk may give them back: whatever is in them, what can be read is taken once, and the shop goes on
//! behind it or says why not.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use aisle::base::{ShopTime, SourceId};
use aisle::facts::{Body, Fact, Stamp, Tick};
use aisle::live::Journal;

const SHOP: &str = "shop";
/// Bytes before the first fact: what it is, its format, whose, and the number of the first.
const HEAD_BYTES: usize = 8 + 2 + 32 + 8;

/// A segment with these facts.
pub(super) fn written(facts: &[Fact]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(folder.path(), SHOP).unwrap();
    journal.append(facts).unwrap();
    fs::read(only_segment(folder.path())).unwrap()
}

fn only_segment(folder: &Path) -> std::path::PathBuf {
    let segment = |path: &std::path::PathBuf| path.extension().is_some_and(|ending| ending == "journal");
    let mut segments = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(segment);
    segments.next().unwrap()
}

fn tick() -> Fact {
    let at = ShopTime::from_nanos(1);
    Fact {
        stamp: Stamp { source: SourceId::new("clock"), sequence: 1, at, arrived: at },
        body: Body::Tick(Tick::default()),
    }
}

static HEAD: LazyLock<Vec<u8>> = LazyLock::new(|| written(&[tick()])[..HEAD_BYTES].to_vec());

/// The bytes as they are, and as one fact of a segment that is whole.
pub(super) fn segment(input: &[u8]) {
    replay(input);
    let length = u32::try_from(input.len()).unwrap().to_be_bytes();
    let record = [&length[..], &crc32fast::hash(input).to_be_bytes(), input].concat();
    replay(&[&HEAD[..], &record].concat());
}

fn replay(segment: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(format!("{:020}.journal", 0)), segment).unwrap();
    let mut journal = Journal::open(folder.path(), SHOP).unwrap();
    let mut given = 0;
    let replayed = journal.replay(0, |_, is_new| {
        given += u64::from(is_new);
        Ok(())
    });
    match replayed {
        Ok(replayed) => {
            // Every fact has a head of eight bytes.
            assert!(replayed.facts == given && given * 8 <= segment.len() as u64);
            assert_eq!((journal.taken(), replayed.lost), (given, 0));
        }
        Err(error) => assert!(!error.to_string().is_empty() && given == 0),
    }
}
