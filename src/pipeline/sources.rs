//! How far each source has been heard. It takes the stamps of facts in the order in which they come, and says up to which time
//! nothing is missing any more; it holds no fact, and it knows no clock but theirs.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::base::limits::{
    SOURCE_AHEAD_FACTS_MAX, SOURCE_FORGOTTEN_SPAN_MAX, SOURCE_GAPS_MAX, SOURCE_OVERTAKEN_KEPT_SPAN,
    SOURCE_OVERTAKEN_SPAN, SOURCE_STEP_FACTS, SOURCES_MAX, WATERMARK_GAP_SPAN_MAX, WATERMARK_GAP_SPAN_MIN,
    WATERMARK_SPAN_MAX, WATERMARK_SPAN_MIN,
};
use crate::base::{ShopTime, SourceId, Span};
use crate::facts::{Stamp, Topic};

/// Of so many messages of a source in a row, so many at most may come behind one that is so much later, for its order to be kept.
const ORDER_MESSAGES: u32 = 64;
const ORDER_LATE_MAX: u32 = 8;
const ORDER_SPAN: Span = Span::from_millis(250);

/// For how long facts wait for others that were true before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waits {
    /// Longest: for a source that fell silent, and for one that is new.
    pub most: Span,
    /// For a gap in the numbers of a source, by its own time.
    pub gap: Span,
    /// The same of one that held a message for longer lately, of one that does not keep its order, and of one that is new.
    pub gap_late: Span,
    /// Shortest while a source is out, or while no plates or no people are heard: whoever comes back finds a place.
    pub least: Span,
    /// Behind sources that speak when something happens, and say nothing of the time between.
    pub events: Span,
}

impl Waits {
    /// What a decision waits for.
    pub const FINAL: Waits = Waits {
        most: WATERMARK_SPAN_MAX,
        gap: WATERMARK_GAP_SPAN_MIN,
        gap_late: WATERMARK_GAP_SPAN_MAX,
        least: WATERMARK_SPAN_MIN,
        events: WATERMARK_SPAN_MAX,
    };
    /// What a screen waits for: that each source that lives has got so far, and for nothing that is missing.
    pub const VIEW: Waits = Waits {
        most: WATERMARK_SPAN_MIN,
        gap: Span::ZERO,
        gap_late: Span::ZERO,
        least: Span::ZERO,
        events: Span::ZERO,
    };
}

/// All sources that are remembered.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Sources(BTreeMap<SourceId, Source>);

/// What a source speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Speech {
    Plates,
    People,
    /// Events, as they happen.
    Events,
    /// Events, and ticks that say that there were no others.
    EventsAndTicks,
}

#[derive(Clone, Serialize, Deserialize)]
struct Source {
    speech: Speech,
    /// The number and the time up to which nothing is missing; `None` before that is known.
    until: Option<(u64, ShopTime)>,
    /// What came from beyond a gap.
    ahead: BTreeSet<(ShopTime, u64)>,
    /// The last numbers that were given up: from the first to before the second.
    missing: VecDeque<(u64, u64)>,
    newest: ShopTime,
    /// The newest time of it when one of its messages came very late.
    overtaken: Option<ShopTime>,
    order: Order,
    steps: Steps,
}

/// Whether a source keeps its order, message by message. Where many come behind later ones, something on the way holds them, and
/// one that is stuck besides comes later still.
#[derive(Clone, Serialize, Deserialize)]
struct Order {
    is_loose: bool,
    /// Messages since the last judgement, and how many of them came behind later ones.
    counted: u32,
    late: u32,
}

/// By how much a source counts: by ones, unless it shows otherwise for a good while.
#[derive(Clone, Serialize, Deserialize)]
struct Steps {
    step: u64,
    last: Option<u64>,
    /// The smallest of the steps counted since the last judgement, and how many they were.
    least: u64,
    counted: u32,
}

impl Sources {
    /// A fact of this stamp came; answers whether it had come before. A tick is heard of sources that say other things too; the
    /// shop's own ticks are not waited for.
    pub(super) fn hear(&mut self, stamp: &Stamp, topic: Topic) -> bool {
        let speech = match topic {
            Topic::Plates => Speech::Plates,
            Topic::People => Speech::People,
            Topic::Tick => {
                let Some(source) = self.0.get_mut(&stamp.source) else { return false };
                if source.speech == Speech::Events {
                    source.speech = Speech::EventsAndTicks;
                }
                return source.hear(stamp.sequence, stamp.at);
            }
            _ => Speech::Events,
        };
        if !self.0.contains_key(&stamp.source) && SOURCES_MAX <= self.0.len() {
            let oldest = self.0.iter().min_by_key(|(_, source)| source.newest).map(|(id, _)| id.clone());
            oldest.map(|id| self.0.remove(&id));
        }
        let fresh = || Source {
            speech,
            until: None,
            ahead: BTreeSet::new(),
            missing: VecDeque::new(),
            newest: stamp.at,
            overtaken: None,
            order: Order { is_loose: true, counted: 0, late: 0 },
            steps: Steps { step: 1, last: None, least: u64::MAX, counted: 0 },
        };
        self.0.entry(stamp.source.clone()).or_insert_with(fresh).hear(stamp.sequence, stamp.at)
    }

    /// A fact of this stamp is given, in its place.
    pub(super) fn give(&mut self, stamp: &Stamp) {
        if let Some(source) = self.0.get_mut(&stamp.source) {
            source.steps.count(stamp.sequence);
        }
    }

    /// Up to which time, that included, nothing is missing, with `newest` as the newest time that was heard of. Gaps for which
    /// was waited long enough are forgotten here, and sources that were silent for long.
    pub(super) fn watermark(&mut self, newest: ShopTime, waits: Waits) -> ShopTime {
        let floor = newest - waits.most;
        self.0.retain(|_, source| newest - source.newest < SOURCE_FORGOTTEN_SPAN_MAX);
        let mut until = newest;
        let (mut plates, mut people) = (false, false);
        for source in self.0.values_mut() {
            source.pass(floor.max(source.newest - source.gap_wait(waits)));
            let is_out = source.is_out(floor);
            plates |= !is_out && source.speech != Speech::People;
            people |= !is_out && source.speech == Speech::People;
            let heard = match source.until {
                _ if source.speech == Speech::Events => newest - waits.events,
                _ if is_out => newest - waits.least,
                Some((_, until)) => until,
                None => floor,
            };
            until = until.min(heard);
        }
        if plates && people { until } else { until.min(newest - waits.least) }
    }

    /// The sources that were silent for so long that nothing waits for them.
    pub(super) fn out(&self, newest: ShopTime, waits: Waits) -> impl Iterator<Item = &SourceId> {
        let floor = newest - waits.most;
        let is_out = move |source: &Source| source.speech != Speech::Events && source.is_out(floor);
        self.0.iter().filter(move |(_, source)| is_out(source)).map(|(id, _)| id)
    }
}

impl Source {
    /// For how long a gap in its numbers is waited for.
    fn gap_wait(&self, waits: Waits) -> Span {
        let is_prompt = self.overtaken.is_none_or(|at| SOURCE_OVERTAKEN_KEPT_SPAN < self.newest - at);
        if self.until.is_some() && is_prompt && !self.order.is_loose { waits.gap } else { waits.gap_late }
    }

    /// Answers whether it was heard before.
    fn hear(&mut self, sequence: u64, at: ShopTime) -> bool {
        self.newest = self.newest.max(at);
        self.order.count(self.newest - at);
        if SOURCE_OVERTAKEN_SPAN < self.newest - at {
            self.overtaken = Some(self.newest);
        }
        let Some((number, time)) = self.until else {
            return !self.ahead.insert((at, sequence));
        };
        if self.steps.follows(number, sequence) {
            self.until = Some((sequence, time.max(at)));
            self.absorb();
            return false;
        }
        if number < sequence || time < at {
            // Numbers are missing before it, or the source counts anew.
            let known = !self.ahead.insert((at, sequence));
            if SOURCE_AHEAD_FACTS_MAX < self.ahead.len() {
                self.skip();
            }
            return known;
        }
        !self.missing.iter().any(|(from, to)| (*from..*to).contains(&sequence))
    }

    /// Takes what has come up to this time for all that will come.
    fn pass(&mut self, limit: ShopTime) {
        while self.ahead.first().is_some_and(|(at, _)| *at <= limit) {
            self.skip();
        }
    }

    fn skip(&mut self) {
        if let Some((at, sequence)) = self.ahead.pop_first() {
            let time = self.until.map_or(at, |(_, time)| time.max(at));
            let from = self.until.map_or(0, |(number, _)| number.saturating_add(1));
            if SOURCE_GAPS_MAX <= self.missing.len() {
                self.missing.pop_front();
            }
            self.missing.push_back((from, sequence));
            self.until = Some((sequence, time));
            self.absorb();
        }
    }

    /// Goes on with what came from beyond the gap that has closed.
    fn absorb(&mut self) {
        while let (Some((number, time)), Some((at, sequence))) = (self.until, self.ahead.first().copied()) {
            if self.steps.follows(number, sequence) {
                self.until = Some((sequence, time.max(at)));
            } else if number < sequence || time < at {
                return;
            }
            self.ahead.pop_first();
        }
    }

    /// Whether it has said nothing behind this time, and nothing is known to be missing.
    fn is_out(&self, floor: ShopTime) -> bool {
        self.ahead.is_empty() && self.until.is_none_or(|(_, until)| until < floor)
    }
}

impl Order {
    fn count(&mut self, late: Span) {
        self.counted += 1;
        self.late += u32::from(ORDER_SPAN < late);
        self.is_loose |= ORDER_LATE_MAX < self.late;
        if ORDER_MESSAGES <= self.counted {
            *self = Order { is_loose: ORDER_LATE_MAX < self.late, counted: 0, late: 0 };
        }
    }
}

impl Steps {
    fn follows(&self, number: u64, next: u64) -> bool {
        number < next && next - number <= self.step
    }

    fn count(&mut self, number: u64) {
        let step = number.saturating_sub(self.last.replace(number).unwrap_or(number));
        if step == 0 {
            return;
        }
        self.step = self.step.min(step);
        self.least = self.least.min(step);
        self.counted += 1;
        if SOURCE_STEP_FACTS <= self.counted {
            (self.step, self.least, self.counted) = (self.least, u64::MAX, 0);
        }
    }
}
