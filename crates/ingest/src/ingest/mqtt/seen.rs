//! What was kept last: the memory by which a message that a broker sends twice is known. It takes stamps and answers whether a
//! fact with one was kept before. It never forgets the newest, and holds so many and no more.
//!
//! It is the longest memory of a shop's devices, so it is kept small: a stamp takes 48 bytes, and the name of a source is held
//! once. A name that came with a message would stay where it was read, and keep the memory around it from being given back.

use std::collections::{BTreeMap, VecDeque};

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
    /// In the order in which they were kept, under the names that `marks` has.
    order: VecDeque<(SourceId, Mark)>,
    /// Of each source in their own order, which is nearly that in which they come.
    marks: BTreeMap<SourceId, VecDeque<Mark>>,
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
        self.marks.get(&stamp.source).is_some_and(|marks| marks.binary_search(&mark(stamp)).is_ok())
    }

    fn insert(&mut self, source: SourceId, mark: Mark) {
        let name = self.marks.get_key_value(&source).map_or(source, |(name, _)| name.clone());
        let marks = self.marks.entry(name.clone()).or_default();
        let Err(place) = marks.binary_search(&mark) else { return };
        marks.insert(place, mark);
        // Before the newest comes, or the queue would take twice the room for one more.
        if STAMPS_MAX <= self.order.len() {
            self.forget_oldest();
        }
        self.order.push_back((name, mark));
    }

    fn forget_oldest(&mut self) {
        let Some((source, mark)) = self.order.pop_front() else { return };
        let Some(marks) = self.marks.get_mut(&source) else { return };
        if let Ok(place) = marks.binary_search(&mark) {
            marks.remove(place);
        }
        if marks.is_empty() {
            self.marks.remove(&source);
        } else if 4 * marks.len() < marks.capacity() {
            // A source that has fallen silent leaves its room to others.
            marks.shrink_to(2 * marks.len());
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

    #[test]
    fn a_name_is_held_once_and_a_source_that_falls_silent_leaves_its_room() {
        let mut seen = Seen::default();
        // Every message brings a name of its own, some come out of order, and some twice.
        for number in 0..STAMPS_MAX as u64 {
            seen.learn(&stamp("a", number ^ 3, number as i64));
            seen.learn(&stamp("a", number ^ 3, number as i64));
        }
        assert_eq!(
            (seen.order.len(), seen.marks[&SourceId::new("a")].len()),
            (STAMPS_MAX, STAMPS_MAX),
            "doubles take no room"
        );
        let name = seen.order[0].0.as_str().as_ptr();
        assert!(seen.order.iter().all(|(source, _)| source.as_str().as_ptr() == name), "one name");
        for number in 0..STAMPS_MAX as u64 - 9 {
            seen.learn(&stamp("b", number, number as i64));
        }
        assert_eq!((seen.order.len(), seen.marks[&SourceId::new("a")].len()), (STAMPS_MAX, 9), "so many and no more");
        assert!(seen.marks[&SourceId::new("a")].capacity() < 64, "{}", seen.marks[&SourceId::new("a")].capacity());
        assert!(seen.order.capacity() <= STAMPS_MAX, "{}", seen.order.capacity());
        let last = STAMPS_MAX as u64 - 1;
        assert!(seen.knows(&stamp("a", last ^ 3, last as i64)) && !seen.knows(&stamp("a", 0, 3)));
    }
}
