//! The wires between the devices of a film and whoever listens now: facts are moved to the day on which they are played, and
//! boards whose plug is pulled fall silent, count anew, have a clock that jumped, say things twice or in another order.

use std::collections::BTreeMap;

use super::plugs::{Fault, FaultKind};
use super::roll::Roll;
use crate::base::{ShopTime, SourceId, Span};
use crate::facts::{Body, Fact};
use crate::truth::Truth;

/// How much later the second of two equal messages comes, seconds, and how late one is that others overtake.
const AGAIN_SECS: (f64, f64) = (0.01, 0.6);
const OVERTAKEN_SECS_MAX: f64 = 1.0;

/// A fact, and when it is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Sending {
    /// Since the beginning of the film.
    pub due: Span,
    /// The fact, on the day on which it is played.
    pub fact: Fact,
}

/// What the wires did with the facts of boards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WireCounts {
    /// Measured and never sent, because the board was silent.
    pub withheld: u64,
    /// Sent a second time.
    pub doubled: u64,
    /// Sent later than measured, so that others overtook them.
    pub delayed: u64,
    /// Sent with a clock that had jumped.
    pub misdated: u64,
}

/// Facts in order of arrival go in, and come out in order of when they are sent.
pub struct Wires {
    faults: Vec<Fault>,
    /// The arrival that the film begins with.
    origin: ShopTime,
    /// From the day of the film to the day on which it is played.
    by: Span,
    roll: Roll,
    /// By when they are due, and in the order in which they came.
    waiting: BTreeMap<(Span, u64), Fact>,
    taken: u64,
    reached: Span,
    /// By source: after which of the faults it counts anew, and the number that became 0.
    restarts: BTreeMap<SourceId, (usize, u64)>,
    counts: WireCounts,
}

impl Wires {
    /// Wires of a film whose first fact arrives at `origin`, and which is played from `begins` on.
    pub fn new(faults: Vec<Fault>, origin: ShopTime, begins: ShopTime, seed: u64) -> Self {
        Wires {
            faults,
            origin,
            by: begins - origin,
            roll: Roll::new(seed, "wires"),
            waiting: BTreeMap::new(),
            taken: 0,
            reached: Span::ZERO,
            restarts: BTreeMap::new(),
            counts: WireCounts::default(),
        }
    }

    /// What was done so far.
    pub fn counts(&self) -> WireCounts {
        self.counts
    }

    /// Takes the next fact of the film, in order of arrival.
    pub fn put(&mut self, mut fact: Fact) {
        let due = fact.stamp.arrived - self.origin;
        self.reached = self.reached.max(due);
        move_fact(&mut fact, self.by);
        let source = fact.stamp.source.as_str();
        let mine = |fault: &&Fault| fault.device == source;
        let lasting: Vec<(FaultKind, Span)> = self
            .faults
            .iter()
            .filter(mine)
            .filter(|fault| fault.lasts_at(due))
            .map(|one| (one.kind, one.step))
            .collect();
        if lasting.iter().any(|(kind, _)| matches!(kind, FaultKind::BoardSilent | FaultKind::BoardRestart)) {
            self.counts.withheld += 1;
            return;
        }
        self.count_anew(&mut fact, due);
        let (mut late, mut again) = (Span::ZERO, None);
        for (kind, step) in lasting {
            match kind {
                FaultKind::BoardClock => {
                    self.counts.misdated += 1;
                    misdate(&mut fact, step);
                }
                FaultKind::Doubled => {
                    self.counts.doubled += 1;
                    again = Some(Span::from_secs(self.roll.uniform(AGAIN_SECS.0, AGAIN_SECS.1)));
                }
                FaultKind::Reordered => {
                    self.counts.delayed += 1;
                    late = Span::from_secs(self.roll.uniform(0.0, OVERTAKEN_SECS_MAX));
                }
                _ => {}
            }
        }
        if let Some(again) = again {
            self.wait(due + late + again, fact.clone());
        }
        self.wait(due + late, fact);
    }

    /// The next fact that nothing can overtake any more; with `ended`, when the film has no more of them, every one.
    pub fn next_due(&mut self, ended: bool) -> Option<Sending> {
        let entry = self.waiting.first_entry()?;
        let (due, _) = *entry.key();
        (ended || due <= self.reached).then(|| Sending { due, fact: entry.remove() })
    }

    fn wait(&mut self, due: Span, mut fact: Fact) {
        fact.stamp.arrived = self.origin + self.by + due;
        self.waiting.insert((due, self.taken), fact);
        self.taken += 1;
    }

    /// Numbers from 0 behind the last restart of this source.
    fn count_anew(&mut self, fact: &mut Fact, due: Span) {
        let source = &fact.stamp.source;
        let over = |fault: &Fault| {
            fault.kind == FaultKind::BoardRestart && fault.device == source.as_str() && fault.until <= due
        };
        let Some(last) = self.faults.iter().rposition(over) else { return };
        let now = self.restarts.get(source).filter(|(restart, _)| *restart == last);
        let first = now.map_or(fact.stamp.sequence, |(_, first)| *first);
        self.restarts.insert(source.clone(), (last, first));
        // A message that was late may have left before the restart: it keeps the number that it had.
        fact.stamp.sequence = fact.stamp.sequence.checked_sub(first).unwrap_or(fact.stamp.sequence);
    }
}

/// Moves all times of a fact.
fn move_fact(fact: &mut Fact, by: Span) {
    fact.stamp.arrived = fact.stamp.arrived + by;
    misdate(fact, by);
}

/// Moves what the device's clock said.
fn misdate(fact: &mut Fact, by: Span) {
    fact.stamp.at = fact.stamp.at + by;
    match &mut fact.body {
        Body::Plates(batch) => batch.first_at = batch.first_at + by,
        Body::BoardEvent(event) | Body::Shelf(event) => event.shift(by),
        _ => {}
    }
}

/// The truth of a film on the day on which it is played.
pub fn moved_truth(truth: &Truth, by: Span) -> Truth {
    let mut moved = truth.clone();
    for action in &mut moved.actions {
        (action.span.start, action.span.end) = (action.span.start + by, action.span.end + by);
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{PlateBatch, Stamp};

    const ORIGIN: ShopTime = ShopTime::from_nanos(1_000_000_000_000);
    const BEGINS: ShopTime = ShopTime::from_nanos(9_000_000_000_000);

    /// Message `sequence` of a board that sends one a second and takes 20 ms to arrive.
    fn message(source: &str, sequence: u64) -> Fact {
        let at = ORIGIN + Span::from_secs(sequence as f64 - 0.02);
        let plates = vec!["1-1-1".parse().unwrap()];
        let batch = PlateBatch { first_at: at, period: Span::from_millis(16), plates, grams: vec![sequence as f32] };
        let arrived = ORIGIN + Span::from_secs(sequence as f64);
        let stamp = Stamp { source: SourceId::new(source), sequence, at, arrived };
        Fact { stamp, body: Body::Plates(batch) }
    }

    fn fault(kind: FaultKind, device: &str, from: f64, until: f64) -> Fault {
        let step = if kind == FaultKind::BoardClock { Span::from_secs(-30.0) } else { Span::ZERO };
        let device = device.to_owned();
        Fault { kind, device, from: Span::from_secs(from), until: Span::from_secs(until), step }
    }

    /// What comes out of wires with these faults when two boards say 8 messages each: source, number, weight, by how much
    /// its clock is wrong, when it is sent.
    fn played(faults: Vec<Fault>) -> (Vec<String>, WireCounts) {
        let mut wires = Wires::new(faults, ORIGIN, BEGINS, 5);
        let mut lines = Vec::new();
        let mut tell = |sending: Sending| {
            let Body::Plates(batch) = &sending.fact.body else { panic!("these are plates") };
            let stamp = &sending.fact.stamp;
            assert_eq!(stamp.arrived, BEGINS + sending.due);
            assert_eq!(stamp.at, batch.first_at);
            let wrong = (stamp.at - BEGINS).as_secs() + 0.02 - f64::from(batch.grams[0]);
            let source = stamp.source.as_str();
            lines.push(format!(
                "{source}{} {} {wrong:.1} {:.2}",
                stamp.sequence,
                batch.grams[0],
                sending.due.as_secs()
            ));
        };
        for sequence in 0..8 {
            for source in ["a", "b"] {
                wires.put(message(source, sequence));
                while let Some(sending) = wires.next_due(false) {
                    tell(sending);
                }
            }
        }
        while let Some(sending) = wires.next_due(true) {
            tell(sending);
        }
        (lines, wires.counts())
    }

    #[test]
    fn without_faults_everything_is_moved_to_now_and_nothing_else() {
        let (lines, counts) = played(Vec::new());
        let expected = (0..8).flat_map(|n| ["a", "b"].map(|source| format!("{source}{n} {n} 0.0 {n}.00")));
        assert_eq!(lines, expected.collect::<Vec<_>>());
        assert_eq!(counts, WireCounts::default());
    }

    #[test]
    fn each_fault_does_what_it_says_to_its_board_alone() {
        let (lines, counts) = played(vec![
            fault(FaultKind::BoardSilent, "a", 0.5, 1.5),
            fault(FaultKind::BoardRestart, "a", 2.5, 3.5),
            fault(FaultKind::BoardClock, "a", 5.5, 6.5),
            fault(FaultKind::BoardRestart, "a", 6.5, 6.6),
        ]);
        let of = |source: &str| lines.iter().filter(|line| line.starts_with(source)).cloned().collect::<Vec<_>>();
        let a =
            ["a0 0 0.0 0.00", "a2 2 0.0 2.00", "a0 4 0.0 4.00", "a1 5 0.0 5.00", "a2 6 -30.0 6.00", "a0 7 0.0 7.00"];
        assert_eq!(of("a"), a);
        assert_eq!(of("b").len(), 8);
        assert_eq!(counts, WireCounts { withheld: 2, misdated: 1, ..WireCounts::default() });
    }

    #[test]
    fn doubled_and_overtaken_messages_come_in_the_order_in_which_they_are_due() {
        let (lines, counts) =
            played(vec![fault(FaultKind::Doubled, "a", 0.0, 2.0), fault(FaultKind::Reordered, "b", 0.0, 9.0)]);
        assert_eq!(counts, WireCounts { doubled: 2, delayed: 8, ..WireCounts::default() });
        assert_eq!(lines.len(), 18);
        let due = |line: &String| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap();
        assert!(lines.is_sorted_by_key(due), "{lines:?}");
        assert_eq!(lines.iter().filter(|line| line.starts_with("a1 ")).count(), 2);
        assert!(lines.iter().filter(|line| line.starts_with('b')).all(|line| !line.ends_with(".00")), "{lines:?}");
    }
}
