//! Tags that were read since they were shown last: readers say the same tags a hundred times a second, and screens want each once. It
//! takes what readers say and gives changes for screens; it forgets nothing without counting it.

use std::collections::BTreeMap;

use crate::base::ShopTime;
use crate::facts::{TagRead, TagReads};
use crate::ports::LiveChange;

/// Readers, and tags of one of them, that wait to be shown; of more the reads are counted and not shown.
const READERS_MAX: usize = 64;
const TAGS_MAX: usize = 1_024;

/// What waits to be shown.
#[derive(Default)]
pub(super) struct Tags {
    by_reader: BTreeMap<String, Round>,
    left_out: u64,
    /// From so many on it is told again.
    told_from: u64,
}

/// What one reader has read.
struct Round {
    at: ShopTime,
    /// By tag and antenna.
    reads: BTreeMap<(String, u16), TagRead>,
}

impl Tags {
    /// A reader says what it has read.
    pub(super) fn take(&mut self, at: ShopTime, said: &TagReads) {
        if READERS_MAX <= self.by_reader.len() && !self.by_reader.contains_key(&said.reader) {
            self.left_out += said.reads.len() as u64;
            return;
        }
        let fresh = || Round { at, reads: BTreeMap::new() };
        let round = self.by_reader.entry(said.reader.clone()).or_insert_with(fresh);
        round.at = round.at.max(at);
        for read in &said.reads {
            let key = (read.epc.clone(), read.antenna);
            if TAGS_MAX <= round.reads.len() && !round.reads.contains_key(&key) {
                self.left_out += 1;
                continue;
            }
            round.reads.insert(key, read.clone());
        }
    }

    /// What is to be shown now.
    pub(super) fn take_due(&mut self) -> Vec<LiveChange> {
        if self.told_from < self.left_out {
            self.told_from = 2 * self.left_out;
            let reads = self.left_out;
            tracing::warn!(reads, "so many reads of tags were recorded and not shown, for they came too many at once");
        }
        let rounds = std::mem::take(&mut self.by_reader).into_iter();
        let change = |(reader, round): (String, Round)| LiveChange::Tags {
            at: round.at,
            reader,
            reads: round.reads.into_values().collect(),
        };
        rounds.map(change).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(epc: &str, antenna: u16, rssi: f64) -> TagRead {
        TagRead { epc: epc.to_owned(), antenna, rssi_dbm: Some(rssi) }
    }

    #[test]
    fn each_tag_is_shown_once_as_it_was_read_last() {
        let mut tags = Tags::default();
        let said = |reader: &str, reads: &[TagRead]| TagReads { reader: reader.to_owned(), reads: reads.to_vec() };
        tags.take(ShopTime::from_nanos(2), &said("b", &[read("e200", 1, -60.0), read("e200", 2, -70.0)]));
        tags.take(ShopTime::from_nanos(1), &said("b", &[read("e200", 1, -50.0)]));
        tags.take(ShopTime::from_nanos(3), &said("a", &[]));
        let shown = |at, reader: &str, reads: &[TagRead]| LiveChange::Tags {
            at: ShopTime::from_nanos(at),
            reader: reader.to_owned(),
            reads: reads.to_vec(),
        };
        let expected = [shown(3, "a", &[]), shown(2, "b", &[read("e200", 1, -50.0), read("e200", 2, -70.0)])];
        assert_eq!(tags.take_due(), expected);
        assert_eq!(tags.take_due(), []);
    }

    #[test]
    fn what_is_too_much_is_counted() {
        let mut tags = Tags::default();
        let all: Vec<TagRead> = (0..=TAGS_MAX).map(|number| read(&format!("{number:04x}"), 1, -60.0)).collect();
        tags.take(ShopTime::from_nanos(1), &TagReads { reader: "r".to_owned(), reads: all.clone() });
        (0..READERS_MAX).for_each(|number| {
            tags.take(ShopTime::from_nanos(1), &TagReads { reader: format!("{number}"), reads: all[..2].to_vec() });
        });
        assert_eq!(tags.left_out, 3, "one tag of the first, and two of the last reader");
        let shown = tags.take_due();
        assert_eq!(shown.len(), READERS_MAX);
        assert!(shown.iter().any(|change| matches!(change, LiveChange::Tags { reads, .. } if reads.len() == TAGS_MAX)));
    }
}
