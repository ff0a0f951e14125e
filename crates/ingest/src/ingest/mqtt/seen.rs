//! What was kept of each source: the memory by which a message that a broker sends twice is known. It takes stamps and
//! answers whether one was kept before. It never forgets the newest, and holds so many of each source and no more.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::HELD_MESSAGES_MAX;
use crate::base::SourceId;
use crate::facts::Stamp;

/// Stamps of one source that are remembered. A broker sends again what was under way, which may all be of one source.
const STAMPS_MAX: usize = 2 * HELD_MESSAGES_MAX;
/// Sources that are remembered; beyond it the one that spoke least recently is forgotten.
pub(super) const SOURCES_MAX: usize = 1_024;

/// What was kept. A fact counts once it is on disk, not before: whoever writes facts down tells it ([`Seen::learn`]), so that
/// it can be made again from what was written, and never knows of a fact that was lost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    sources: BTreeMap<SourceId, Kept>,
    /// Rises with every stamp: who spoke least recently.
    turn: u64,
}

/// Number and time of a fact within its source, in nanoseconds.
type Mark = (u64, i64);

/// Stamps of one source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Kept {
    order: VecDeque<Mark>,
    marks: BTreeSet<Mark>,
    turn: u64,
}

/// Number and time of a stamp.
pub(super) fn mark(stamp: &Stamp) -> Mark {
    (stamp.sequence, stamp.at.as_nanos())
}

impl Seen {
    /// A fact with this stamp is kept.
    pub fn learn(&mut self, stamp: &Stamp) {
        self.turn += 1;
        if !self.sources.contains_key(&stamp.source) {
            if SOURCES_MAX <= self.sources.len() {
                let oldest = self.sources.iter().min_by_key(|(_, kept)| kept.turn).map(|(source, _)| source.clone());
                oldest.and_then(|oldest| self.sources.remove(&oldest));
            }
            self.sources.insert(stamp.source.clone(), Kept::default());
        }
        let Some(kept) = self.sources.get_mut(&stamp.source) else { return };
        kept.turn = self.turn;
        if kept.marks.insert(mark(stamp)) {
            kept.order.push_back(mark(stamp));
            if STAMPS_MAX < kept.order.len()
                && let Some(oldest) = kept.order.pop_front()
            {
                kept.marks.remove(&oldest);
            }
        }
    }

    /// Whether a fact with this stamp was kept.
    pub(super) fn knows(&self, stamp: &Stamp) -> bool {
        self.sources.get(&stamp.source).is_some_and(|kept| kept.marks.contains(&mark(stamp)))
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
    fn the_newest_of_each_source_are_known_after_being_written_down() {
        let mut seen = Seen::default();
        let last = STAMPS_MAX as u64 + 9;
        for number in 0..=last {
            seen.learn(&stamp("a", number, number as i64));
        }
        seen.learn(&stamp("b", 1, 1));
        let seen: Seen = serde_json::from_str(&serde_json::to_string(&seen).unwrap()).unwrap();
        assert!(seen.knows(&stamp("a", last, last as i64)) && seen.knows(&stamp("a", 10, 10)));
        assert!(!seen.knows(&stamp("a", 9, 9)), "the oldest went");
        assert!(!seen.knows(&stamp("a", last, 0)), "the same number at another time is another fact");
        assert!(seen.knows(&stamp("b", 1, 1)) && !seen.knows(&stamp("c", 1, 1)));
    }

    #[test]
    fn of_too_many_sources_the_quietest_is_forgotten() {
        let mut seen = Seen::default();
        for number in 0..SOURCES_MAX {
            seen.learn(&stamp(&format!("s{number}"), 1, 1));
        }
        seen.learn(&stamp("s0", 2, 2));
        seen.learn(&stamp("new", 1, 1));
        assert!(seen.knows(&stamp("s0", 2, 2)) && seen.knows(&stamp("new", 1, 1)) && !seen.knows(&stamp("s1", 1, 1)));
    }
}
