//! What was kept last: the memory by which a message that a broker sends twice is known. It takes stamps and answers whether a
//! fact with one was kept before. It never forgets the newest, and holds so many and no more.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::base::SourceId;
use crate::base::limits::MQTT_HELD_MESSAGES_MAX;
use crate::facts::Stamp;

/// Stamps that are remembered. A broker sends again what was under way, which is no more than it can number.
const STAMPS_MAX: usize = 2 * MQTT_HELD_MESSAGES_MAX;

/// What was kept. A fact counts once it is on disk, not before: whoever writes facts down tells it ([`Seen::learn`]), so that
/// it can be made again from what was written, and never knows of a fact that was lost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Seen {
    /// In the order in which they were kept.
    order: VecDeque<(SourceId, Mark)>,
    marks: BTreeMap<SourceId, BTreeSet<Mark>>,
}

/// Number and time of a fact within its source, in nanoseconds.
type Mark = (u64, i64);

/// As it is written down.
#[derive(Serialize, Deserialize)]
struct Written(Vec<(SourceId, Mark)>);

/// Number and time of a stamp.
pub(super) fn mark(stamp: &Stamp) -> Mark {
    (stamp.sequence, stamp.at.as_nanos())
}

impl Seen {
    /// A fact with this stamp is kept.
    pub fn learn(&mut self, stamp: &Stamp) {
        self.insert(stamp.source.clone(), mark(stamp));
    }

    /// Whether a fact with this stamp was kept.
    pub(super) fn knows(&self, stamp: &Stamp) -> bool {
        self.marks.get(&stamp.source).is_some_and(|marks| marks.contains(&mark(stamp)))
    }

    fn insert(&mut self, source: SourceId, mark: Mark) {
        if !self.marks.entry(source.clone()).or_default().insert(mark) {
            return;
        }
        self.order.push_back((source, mark));
        if STAMPS_MAX < self.order.len()
            && let Some((source, mark)) = self.order.pop_front()
            && let Some(marks) = self.marks.get_mut(&source)
        {
            marks.remove(&mark);
            if marks.is_empty() {
                self.marks.remove(&source);
            }
        }
    }
}

impl From<Seen> for Written {
    fn from(seen: Seen) -> Self {
        Written(seen.order.into())
    }
}

impl From<Written> for Seen {
    fn from(written: Written) -> Self {
        let mut seen = Seen::default();
        written.0.into_iter().for_each(|(source, mark)| seen.insert(source, mark));
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ShopTime;

    fn stamp(source: &str, sequence: u64, at: i64) -> Stamp {
        let at = ShopTime::from_nanos(at);
        Stamp { source: SourceId::new(source), sequence, at, arrived: at }
    }

    #[test]
    fn the_newest_are_known_after_being_written_down() {
        let mut seen = Seen::default();
        seen.learn(&stamp("b", 1, 1));
        let last = STAMPS_MAX as u64 + 9;
        for number in 0..=last {
            seen.learn(&stamp("a", number, number as i64));
        }
        seen.learn(&stamp("a", last, last as i64));
        let seen: Seen = serde_json::from_str(&serde_json::to_string(&seen).unwrap()).unwrap();
        assert!(seen.knows(&stamp("a", last, last as i64)) && seen.knows(&stamp("a", 10, 10)));
        assert!(!seen.knows(&stamp("a", 9, 9)), "the oldest went");
        assert!(!seen.knows(&stamp("a", last, 0)), "the same number at another time is another fact");
        assert!(!seen.knows(&stamp("b", 1, 1)) && seen.marks.len() == 1);
    }
}
