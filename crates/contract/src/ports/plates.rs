//! What plates felt lately, and what of it was taken for rest: the core of an open shop writes, whoever draws a curve reads.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::limits::{CURVE_SPAN, PLATE_EVENTS_MAX};
use crate::base::{PlateId, ShopTime, Span, TimeRange};
use crate::facts::{Level, PlateBatch, ShelfEvent, Staircase};

/// Between two samples that are kept, a little less than a tenth of a second, so that of 60 Hz every sixth is.
const PERIOD_MIN: Span = Span::from_millis(99);
/// Samples of a plate that are kept at most.
const SAMPLES_MAX: usize = (CURVE_SPAN.as_nanos() / PERIOD_MIN.as_nanos()) as usize + 1;

/// The latest of every plate, shared. It holds the plates that it was opened with and no others: of each ten samples a second for
/// two minutes, and the latest changes. The oldest go.
#[derive(Clone, Default)]
pub struct PlateBoard(Arc<Mutex<BTreeMap<PlateId, Plate>>>);

#[derive(Default)]
struct Plate {
    samples: VecDeque<(ShopTime, f32)>,
    changes: VecDeque<Staircase>,
    /// What the engine takes for its weight at rest, as the scale reads it.
    rest: Option<f64>,
}

/// The last two minutes of a plate.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlateCurve {
    /// What the scale read, grams, in order of time; ten a second at most.
    pub samples: Vec<(ShopTime, f32)>,
    /// What was taken for rest, in order of time.
    pub rests: Vec<PlateRest>,
}

/// A stretch that was taken for rest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlateRest {
    /// While it lasted.
    pub quiet: TimeRange,
    /// The weight, grams as the scale reads it.
    pub grams: f64,
}

impl PlateBoard {
    /// Begins with these plates, of which nothing is known.
    pub fn open(&self, plates: impl IntoIterator<Item = PlateId>) {
        *self.lock() = plates.into_iter().map(|plate| (plate, Plate::default())).collect();
    }

    /// Holds from now on what the other one holds, which then holds nothing.
    pub fn take_over(&self, other: &PlateBoard) {
        let taken = std::mem::take(&mut *other.lock());
        *self.lock() = taken;
    }

    /// Takes what plates weighed: of each no more than ten rows a second.
    pub fn weigh(&self, batch: &PlateBatch) {
        if !batch.is_well_formed() {
            return;
        }
        let (columns, mut plates) = (batch.plates.len(), self.lock());
        for (column, id) in batch.plates.iter().enumerate() {
            let Some(Plate { samples, .. }) = plates.get_mut(id) else { continue };
            for row in 0..batch.rows() {
                let (at, grams) = (batch.row_at(row), batch.grams[row * columns + column]);
                let is_due = samples.back().is_none_or(|(last, _)| PERIOD_MIN <= at - *last);
                if !is_due || !grams.is_finite() {
                    continue;
                }
                if SAMPLES_MAX <= samples.len() {
                    samples.pop_front();
                }
                samples.push_back((at, grams));
            }
        }
    }

    /// Takes a change on a shelf.
    pub fn change(&self, event: &ShelfEvent) {
        let mut plates = self.lock();
        for stairs in &event.plates {
            let Some(Plate { changes, .. }) = plates.get_mut(&stairs.plate) else { continue };
            if PLATE_EVENTS_MAX <= changes.len() {
                changes.pop_front();
            }
            changes.push_back(stairs.clone());
        }
    }

    /// Takes what each plate weighs at rest, as the engine has it now; none where it does not know.
    pub fn settle(&self, rest: impl Fn(PlateId) -> Option<f64>) {
        self.lock().iter_mut().for_each(|(id, plate)| plate.rest = rest(*id));
    }

    /// The last two minutes of a plate; none where there is no such plate.
    pub fn curve(&self, plate: PlateId, now: ShopTime) -> Option<PlateCurve> {
        let plates = self.lock();
        let plate = plates.get(&plate)?;
        let samples: Vec<_> = plate.samples.iter().copied().filter(|(at, _)| now - *at <= CURVE_SPAN).collect();
        let weighed = samples.first().zip(samples.last()).map(|(first, last)| TimeRange::new(first.0, last.0));
        let rests = plate.rests(now - CURVE_SPAN, weighed);
        Some(PlateCurve { samples, rests })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<PlateId, Plate>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Plate {
    /// The rests since a time. Levels of a change are told against each other: what the plate weighs now, or else what the scale
    /// read while the last one lasted, says what they are. Where neither is known nothing is told.
    fn rests(&self, since: ShopTime, weighed: Option<TimeRange>) -> Vec<PlateRest> {
        let is_recent = |stairs: &&Staircase| stairs.levels.last().is_some_and(|last| since < last.quiet.end);
        let mut rests: Vec<PlateRest> = Vec::new();
        for Staircase { levels, .. } in self.changes.iter().filter(is_recent) {
            let Some(before) = levels.first() else { continue };
            let from = weighed.map_or(before.quiet.start, |weighed| weighed.start.min(before.quiet.start));
            let base = match rests.last_mut() {
                // The rest after one change goes on into the rest before the next.
                Some(rest) => {
                    rest.quiet.end = rest.quiet.end.max(before.quiet.end);
                    rest.grams
                }
                None => {
                    rests.push(PlateRest { quiet: TimeRange::new(from, before.quiet.end), grams: 0.0 });
                    0.0
                }
            };
            let grams = |level: &Level| base + level.grams.value() - before.grams.value();
            rests.extend(levels.iter().skip(1).map(|level| PlateRest { quiet: level.quiet, grams: grams(level) }));
        }
        if rests.is_empty() {
            let rest = self.rest.zip(weighed).map(|(grams, quiet)| PlateRest { quiet, grams });
            return rest.into_iter().collect();
        }
        let Some(last) = rests.last_mut() else { return rests };
        let Some(weighs) = self.rest.or_else(|| self.read_in(last.quiet)) else { return Vec::new() };
        let base = weighs - last.grams;
        last.quiet.end = weighed.map_or(last.quiet.end, |weighed| weighed.end.max(last.quiet.end));
        rests.retain(|rest| since < rest.quiet.end);
        rests
            .iter_mut()
            .for_each(|rest| (rest.grams, rest.quiet.start) = (rest.grams + base, rest.quiet.start.max(since)));
        rests
    }

    /// What the scale read on the average meanwhile.
    fn read_in(&self, quiet: TimeRange) -> Option<f64> {
        let read = self.samples.iter().filter(|(at, _)| quiet.start <= *at && *at < quiet.end);
        let (sum, count) = read.fold((0.0, 0_u32), |(sum, count), (_, grams)| (sum + f64::from(*grams), count + 1));
        (0 < count).then(|| sum / f64::from(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Grams;

    const SECOND: i64 = 1_000_000_000;

    fn plate(number: u16) -> PlateId {
        format!("1-1-{number}").parse().unwrap()
    }

    fn at(secs: f64) -> ShopTime {
        ShopTime::from_nanos(1_000 * SECOND) + Span::from_secs(secs)
    }

    /// So many rows of 60 Hz of two plates, the first of which is of the shop.
    fn batch(secs: f64, rows: usize, grams: f32) -> PlateBatch {
        let period = Span::from_nanos(SECOND / 60);
        PlateBatch { first_at: at(secs), period, plates: vec![plate(1), plate(9)], grams: vec![grams; 2 * rows] }
    }

    fn board() -> PlateBoard {
        let board = PlateBoard::default();
        board.open([plate(1), plate(2)]);
        board
    }

    fn change(levels: &[(f64, f64, f64)]) -> ShelfEvent {
        let level = |(from, until, grams): &(f64, f64, f64)| Level {
            quiet: TimeRange::new(at(*from), at(*until)),
            grams: Grams::new(*grams),
            sigma: Grams::new(1.0),
        };
        let levels: Vec<Level> = levels.iter().map(level).collect();
        let span = TimeRange::new(levels[0].quiet.end, levels[levels.len() - 1].quiet.start);
        ShelfEvent { shelf: plate(1).shelf, span, plates: vec![Staircase { plate: plate(1), levels }] }
    }

    fn told(curve: &PlateCurve) -> Vec<(f64, f64, f64)> {
        let secs = |time: ShopTime| (time.secs_since(at(0.0)) * 10.0).round() / 10.0;
        curve.rests.iter().map(|rest| (secs(rest.quiet.start), secs(rest.quiet.end), rest.grams)).collect()
    }

    #[test]
    fn ten_samples_a_second_are_kept_for_two_minutes_and_of_the_shops_plates_only() {
        let board = board();
        // An hour of a board that sends a second of 60 Hz at a time.
        (0..3_600).for_each(|secs| board.weigh(&batch(f64::from(secs), 60, secs as f32)));
        let curve = board.curve(plate(1), at(3_600.0)).unwrap();
        assert!((1_190..=1_202).contains(&curve.samples.len()), "{}", curve.samples.len());
        assert!(curve.samples.windows(2).all(|pair| Span::from_millis(99) <= pair[1].0 - pair[0].0));
        assert_eq!(curve.samples.last().unwrap().1, 3_599.0);
        assert_eq!(board.curve(plate(2), at(3_600.0)), Some(PlateCurve::default()), "it is silent");
        assert_eq!(board.curve(plate(9), at(3_600.0)), None, "the shop does not have it");
        assert_eq!(board.curve(plate(1), at(3_800.0)).unwrap().samples, [], "too long ago");
        assert!(board.lock()[&plate(1)].samples.len() <= SAMPLES_MAX);
        board.weigh(&PlateBatch { period: Span::ZERO, ..batch(3_800.0, 1, 1.0) });
        board.weigh(&batch(3_800.0, 1, f32::NAN));
        assert_eq!(board.curve(plate(1), at(3_800.0)).unwrap().samples, [], "nothing was weighed");
    }

    #[test]
    fn what_is_taken_for_rest_is_told_as_the_scale_reads_it() {
        let board = board();
        assert_eq!(told(&board.curve(plate(1), at(60.0)).unwrap()), []);
        (0..60).for_each(|secs| board.weigh(&batch(f64::from(secs), 60, 500.0)));
        assert_eq!(told(&board.curve(plate(1), at(60.0)).unwrap()), [], "the engine does not know yet");
        board.settle(|id| (id == plate(1)).then_some(501.0));
        assert_eq!(told(&board.curve(plate(1), at(60.0)).unwrap()), [(0.0, 59.9, 501.0)]);
        board.change(&change(&[(5.0, 20.0, 0.0), (21.0, 22.0, -300.0), (23.0, 24.0, -350.0)]));
        board.change(&change(&[(24.0, 40.0, 0.0), (42.0, 43.0, 100.0)]));
        let expected = [(0.0, 20.0, 751.0), (21.0, 22.0, 451.0), (23.0, 40.0, 401.0), (42.0, 59.9, 501.0)];
        assert_eq!(told(&board.curve(plate(1), at(60.0)).unwrap()), expected);
        // Two minutes after the first change only what came behind it is told.
        assert_eq!(told(&board.curve(plate(1), at(142.0)).unwrap()), [(23.0, 40.0, 401.0), (42.0, 59.9, 501.0)]);
        board.settle(|_| None);
        assert_eq!(board.curve(plate(1), at(60.0)).unwrap().rests.last().unwrap().grams, 500.0, "as it was read");
        (0..200).for_each(|_| board.change(&change(&[(24.0, 40.0, 0.0), (42.0, 43.0, 100.0)])));
        assert_eq!(board.lock()[&plate(1)].changes.len(), PLATE_EVENTS_MAX);
    }
}
